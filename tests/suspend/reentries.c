/* The places of vm/reentries.def, where script code cannot be suspended: an external function that
 * is called there says so by a RuntimeError, and the VM is whole. */
#include "genvm.h"
#include <stdio.h>
#include <string.h>

extern const GenTypeDef box_type;

static bool print(void *context, int stream, const char *data, size_t size) {
    (void)context;
    return fwrite(data, 1, size, stream == 1 ? stdout : stderr) == size;
}

static GenRef call(GenVM *vm, const GenRef *args) {
    return gen_call(vm, args[0], 0, NULL);
}
static GenRef first(GenVM *vm, const GenRef *args) {
    GenRef item = GEN_NULL;
    return gen_next(vm, gen_iter(vm, args[0]), &item) == GEN_OK ? item : GEN_NULL;
}

static GenRef construct(GenVM *vm, const GenRef *args) {
    return gen_object_new(vm, args[0]);
}
static GenRef save(GenVM *vm, GenRef self) {
    (void)self;
    return gen_call(vm, gen_get_global(vm, "f"), 0, NULL);
}
static bool load(GenVM *vm, GenRef self, GenRef state) {
    (void)vm, (void)self, (void)state;
    return true;
}
static const GenFunction construct_def = {"Box(cls)", construct, NULL};
const GenTypeDef box_type = {
    .name = "Box", .construct = &construct_def, .save = save, .load = load};

static const char setup[] = "def f(): return ask('f')\n"
                            "def items():\n"
                            "    yield ask('items')\n"
                            "class D:\n"
                            "    def __del__(self, ask=ask):\n"
                            "        try: ask('del')\n"
                            "        except RuntimeError as error: print('at the end:', error)\n"
                            "d = D()\n"
                            "def attempt(g, *args):\n"
                            "    try: print(g(*args))\n"
                            "    except RuntimeError as error: print(error)\n"
                            "def endless():\n"
                            "    try: ask('first')\n"
                            "    finally: attempt(f)\n";

static void run(GenVM *vm, const char *source, uint64_t kill) {
    GenRef task = gen_task_from_source(vm, source, "script");
    GenOutcome outcome;
    while (gen_run(vm, task, &outcome) == GEN_CALLOUT) {
        if (kill && gen_task_kill(vm, task, kill)) continue;
        gen_answer(vm, task, outcome.ticket, gen_str(vm, "answered"));
    }
    gen_error_clear(vm);
}

int main(void) {
    static const GenFunction ask = {"ask(question)", NULL, NULL},
                             call_def = {"call(f)", call, NULL},
                             first_def = {"first(items)", first, NULL};
    GenConfig config = {.size = sizeof config, .write = print};
    GenVM *vm = gen_vm_new(&config);
    gen_set_global(vm, "ask", gen_function(vm, &ask));
    gen_set_global(vm, "call", gen_function(vm, &call_def));
    gen_set_global(vm, "first", gen_function(vm, &first_def));
    gen_set_global(vm, "Box", gen_type_new(vm, &box_type));
    gen_run_string(vm, setup, "setup");
    run(vm, "attempt(f)\nattempt(call, f)\nattempt(first, items())\nattempt(next, items())", 0);
    run(vm, "endless()", 10000);
    gen_run_string(vm, "attempt(f)", "outside");
    gen_save(vm, gen_call(vm, gen_get_global(vm, "Box"), 0, NULL));
    const char *text = gen_error_text(vm), *line = strstr(text, "RuntimeError");
    printf("%s", line ? line : text);
    gen_error_clear(vm);
    gen_vm_finish(vm);
    gen_vm_free(vm);
    return 0;
}
