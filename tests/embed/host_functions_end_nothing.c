/* A function of the host's cannot take away what those that call it work on. Scopes that were open
 * when it was called stay open; the VM does not end while it saves or loads an object of the
 * host's. And a save that leaves an exception has failed, whatever it gives.
 */
#include "genvm.h"
#include <stdio.h>

static void tell(GenVM *vm, const char *what, bool done) {
    printf("%s: %s", what, done ? "done\n" : gen_error_pending(vm) ? gen_error_text(vm) : "no\n");
    gen_error_clear(vm);
}

static GenRef close_all(GenVM *vm, const GenRef *args) {
    gen_scope_close(vm, 0);
    gen_collect(vm);
    return args[0];
}
static const GenFunction closing = {"close_all(x)", close_all, NULL};

static const GenTypeDef box;
static bool fails;
static void end(GenVM *vm, const char *where) {
#ifndef GEN_DEBUG /* which stops the program here */
    gen_vm_free(vm);
#endif
    gen_scope_close(vm, 0);
    tell(vm, where, gen_vm_finish(vm));
}
static GenRef save(GenVM *vm, GenRef self) {
    end(vm, "finish while it saves");
    GenRef state = gen_object_get(vm, self, &box, 0);
    if (fails) gen_raise(vm, "ValueError", "not this one");
    return state;
}
static bool load(GenVM *vm, GenRef self, GenRef state) {
    end(vm, "finish while it loads");
    return gen_object_set(vm, self, &box, 0, state);
}
static const GenTypeDef box = {.name = "Box", .slots = 1, .save = save, .load = load};

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    gen_set_global(vm, "close_all", gen_function(vm, &closing));
    GenRef text = gen_eval(vm, "'a' 'live'.upper()"), cls = gen_type_new(vm, &box);
    tell(vm, "call", gen_as_int(vm, gen_eval(vm, "close_all(6) * 7")) == 42);
    printf("%s\n", gen_to_str(vm, text, NULL));
    gen_run_string(vm, "class Odd(Exception):\n    def __str__(self): return close_all('odd')\n",
                   "setup");
    tell(vm, "report", gen_run_string(vm, "raise Odd", "script"));

    GenRef object = gen_object_new(vm, cls);
    gen_object_set(vm, object, &box, 0, text);
    size_t size;
    GenRef image = gen_save(vm, object);
    const void *data = gen_to_bytes(vm, image, &size);
    GenRef loaded = gen_load(vm, data, size);
    printf("%s\n", gen_to_str(vm, gen_object_get(vm, loaded, &box, 0), NULL));
    fails = true;
    tell(vm, "a save that fails", gen_save(vm, object) != GEN_NULL);
    tell(vm, "end", gen_vm_finish(vm));
    gen_vm_free(vm);
    return 0;
}
