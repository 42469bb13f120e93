/* Types written in C: construction, methods, operators, properties, values that objects refer to,
 * subclasses in script, finalization; kept references; modules that the host finds. */
#include "genvm.h"
#include <stdio.h>
#include <string.h>

typedef struct Counter {
    int64_t count;
} Counter;
static int finalized;
extern const GenTypeDef counter_type;

static Counter *self(GenVM *vm, const GenRef *args) {
    return (Counter *)gen_object_data(vm, args[0], &counter_type);
}
static GenRef construct(GenVM *vm, const GenRef *args) {
    GenRef object = gen_object_new(vm, args[0]);
    Counter *counter = (Counter *)gen_object_data(vm, object, &counter_type);
    if (!counter || !gen_to_int(vm, args[1], &counter->count)) return GEN_NULL;
    return object;
}
static GenRef add(GenVM *vm, const GenRef *args) {
    Counter *counter = self(vm, args);
    if (!counter) return GEN_NULL;
    counter->count += gen_as_int(vm, args[1]);
    return args[0];
}
static GenRef length(GenVM *vm, const GenRef *args) {
    return gen_int(vm, self(vm, args)->count);
}
static GenRef show(GenVM *vm, const GenRef *args) {
    char text[40];
    snprintf(text, sizeof text, "<counter at %d>", (int)self(vm, args)->count);
    return gen_str(vm, text);
}
static GenRef get_count(GenVM *vm, const GenRef *args) {
    return gen_int(vm, self(vm, args)->count);
}
static GenRef set_count(GenVM *vm, const GenRef *args) {
    Counter *counter = self(vm, args);
    return counter && gen_to_int(vm, args[1], &counter->count) ? gen_none(vm) : GEN_NULL;
}
static GenRef get_tag(GenVM *vm, const GenRef *args) {
    return gen_object_get(vm, args[0], &counter_type, 0);
}
static GenRef set_tag(GenVM *vm, const GenRef *args) {
    return gen_object_set(vm, args[0], &counter_type, 0, args[1]) ? gen_none(vm) : GEN_NULL;
}
static void finalize(void *data) {
    finalized += ((Counter *)data)->count != 0;
}

static const GenFunction constructor = {"Counter(cls, start: int = 0)", construct, NULL};
static const GenFunction methods[] = {{"add(self, n: int = 1)", add, "Count n further."},
                                      {"__iadd__(self, n: int)", add, NULL},
                                      {"__len__(self)", length, NULL},
                                      {"__repr__(self)", show, NULL},
                                      {NULL, NULL, NULL}};
static const GenProperty properties[] = {{"count", get_count, set_count, "how far it is"},
                                         {"tag", get_tag, set_tag, NULL},
                                         {"twice", length, NULL, NULL},
                                         {NULL, NULL, NULL, NULL}};
const GenTypeDef counter_type = {.name = "Counter",
                                 .module = "host",
                                 .size = sizeof(Counter),
                                 .slots = 1,
                                 .construct = &constructor,
                                 .methods = methods,
                                 .properties = properties,
                                 .finalize = finalize,
                                 .doc = "Counts."};

static const char script[] =
    "import found\n"
    "c = Counter(3)\n"
    "c.add().add(5)\n"
    "c += 2\n"
    "c.tag = ['a', c]\n"
    "print(c, len(c), c.count, c.tag, bool(Counter()), Counter.__name__, Counter.__module__)\n"
    "c.count = 40\n"
    "class Sub(Counter):\n"
    "    def add(self, n=1):\n"
    "        self.last = n\n"
    "        return super().add(n * 2)\n"
    "s = Sub(1)\n"
    "print(s.add(4), s.last, isinstance(s, Counter), s.tag, s.__dict__)\n"
    "def attempt(f):\n"
    "    try: print(f())\n"
    "    except Exception as error: print(type(error).__name__, error)\n"
    "attempt(lambda: Counter('x'))\n"
    "attempt(lambda: Counter.add(1, 2))\n"
    "attempt(lambda: setattr(c, 'twice', 1))\n"
    "attempt(lambda: setattr(c, 'count', 'x'))\n"
    "attempt(lambda: c.missing)\n"
    "print(found.value)\n"
    "def work():\n"
    "    for i in range(1, 1000): Counter(i)\n"
    "work()\n";

static const char *find(void *context, const char *name, size_t *size) {
    static const char source[] = "value = 'from the host'";
    (void)context;
    *size = sizeof source - 1;
    return strcmp(name, "found") ? NULL : source;
}

int main(void) {
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_STDIO, .find_module = find};
    GenVM *vm = gen_vm_new(&config);
    gen_set_global(vm, "Counter", gen_type_new(vm, &counter_type));
    if (!gen_run_string(vm, script, "script")) printf("%s", gen_error_text(vm));
    GenScope scope = gen_scope_open(vm);
    GenRef kept = gen_keep(vm, gen_str(vm, "kept")), other = gen_keep(vm, gen_int(vm, 7));
    gen_scope_close(vm, scope);
    gen_run_string(vm, "x = [str(i) for i in range(200000)]", "garbage");
    size_t size = 0;
    const char *text = gen_to_str(vm, kept, &size);
    gen_run_string(vm, "import sys; sys.stdout.flush()", "flush");
    printf("%.*s %d\n", (int)size, text ? text : "?", (int)gen_as_int(vm, other));
    gen_release(vm, kept);
    gen_release(vm, other);
    gen_vm_finish(vm);
    gen_vm_free(vm);
    printf("finalized: %d\n", finalized);
    return 0;
}
