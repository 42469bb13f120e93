/* Objects of a host's types in images: their state by the type's hooks, their slots, the class by
 * name, methods bound to them, subclasses of the script's; a hook that fails, a class that is not
 * there or of another version. */
#include "genvm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Counter {
    int64_t count;
} Counter;
extern const GenTypeDef counter_type;

static Counter *self(GenVM *vm, GenRef object) {
    return (Counter *)gen_object_data(vm, object, &counter_type);
}
static GenRef construct(GenVM *vm, const GenRef *args) {
    GenRef object = gen_object_new(vm, args[0]);
    if (object == GEN_NULL) return GEN_NULL;
    self(vm, object)->count = gen_as_int(vm, args[1]);
    gen_object_set(vm, object, &counter_type, 0, args[2]);
    return object;
}
static GenRef add(GenVM *vm, const GenRef *args) {
    self(vm, args[0])->count += gen_as_int(vm, args[1]);
    return gen_int(vm, self(vm, args[0])->count);
}
static GenRef get_note(GenVM *vm, const GenRef *args) {
    return gen_object_get(vm, args[0], &counter_type, 0);
}

static GenRef save(GenVM *vm, GenRef object) {
    if (self(vm, object)->count == 13)
        return gen_raise(vm, "ValueError", "thirteen is not to be saved");
    GenRef state = gen_list(vm);
    return gen_append(vm, state, gen_int(vm, self(vm, object)->count)) ? state : GEN_NULL;
}
static bool load(GenVM *vm, GenRef object, GenRef state) {
    return gen_to_int(vm, gen_get_index(vm, state, 0), &self(vm, object)->count);
}

static const GenFunction construct_def = {"Counter(cls, count: int, note=None)", construct, NULL};
static const GenFunction methods[] = {{"add(self, n: int = 1)", add, NULL}, {NULL, NULL, NULL}};
static const GenProperty properties[] = {{"note", get_note, NULL, NULL}, {NULL, NULL, NULL, NULL}};
const GenTypeDef counter_type = {.name = "Counter",
                                 .module = "counters",
                                 .size = sizeof(Counter),
                                 .slots = 1,
                                 .construct = &construct_def,
                                 .methods = methods,
                                 .properties = properties,
                                 .save = save,
                                 .load = load,
                                 .version = 3};
static const GenTypeDef plain_type = {.name = "Plain", .size = 8, .construct = NULL};

static const char setup[] = "class Named(Counter):\n"
                            "    def __init__(self, count, note=None): self.name = 'n'\n"
                            "    def twice(self): return self.add(), self.add()\n"
                            "def steps(c):\n"
                            "    while True:\n"
                            "        yield c.add(10), c.note, bound(), named.twice(), named.name\n"
                            "c = Counter(1, ['a'])\n"
                            "c.note.append(c)\n"
                            "bound = c.add\n"
                            "named = Named(5)\n"
                            "g = steps(c)\n"
                            "next(g)\n";

static bool print(void *context, int stream, const char *data, size_t size) {
    (void)context;
    return fwrite(data, 1, size, stream == 1 ? stdout : stderr) == size;
}

static GenVM *new_vm(const GenTypeDef *def) {
    GenConfig config = {.size = sizeof config, .write = print};
    GenVM *vm = gen_vm_new(&config);
    if (def) gen_set_global(vm, def->name, gen_type_new(vm, def));
    return vm;
}

/* The last line of the report of what is pending. */
static void print_error(GenVM *vm) {
    const char *text = gen_error_text(vm), *line = text;
    for (const char *at = text; *at; at++)
        if (*at == '\n' && at[1]) line = at + 1;
    printf("%s", line);
    gen_error_clear(vm);
}

static void load_into(GenVM *vm, const void *data, size_t size) {
    GenRef g = gen_load(vm, data, size);
    if (g == GEN_NULL) {
        print_error(vm);
    } else {
        gen_set_global(vm, "g", g);
        gen_run_string(vm,
                       "for i in range(2):\n"
                       "    count, note, *rest = next(g)\n"
                       "    print(count, note[0], note[1].add(0), *rest, type(note[1]))\n",
                       "use");
    }
    gen_vm_finish(vm);
    gen_vm_free(vm);
}

int main(void) {
    static char copy[1 << 14];
    size_t size;
    GenVM *vm = new_vm(&counter_type);
    if (!gen_run_string(vm, setup, "setup")) print_error(vm);
    const void *data = gen_to_bytes(vm, gen_save(vm, gen_get_global(vm, "g")), &size);
    if (!data || size > sizeof copy) return print_error(vm), 1;
    memcpy(copy, data, size);
    GenRef plain = gen_object_new(vm, gen_type_new(vm, &plain_type));
    gen_set_global(vm, "plain", plain);
    gen_run_string(vm, "box = {'k': [1, plain]}\nbad = [Counter(13)]", "more");
    if (gen_save(vm, gen_get_global(vm, "box")) == GEN_NULL) print_error(vm);
    if (gen_save(vm, gen_get_global(vm, "bad")) == GEN_NULL) print_error(vm);
    gen_vm_free(vm);

    load_into(new_vm(&counter_type), copy, size);
    load_into(new_vm(NULL), copy, size);
    GenTypeDef newer = counter_type;
    newer.version = 4;
    load_into(new_vm(&newer), copy, size);
    return 0;
}
