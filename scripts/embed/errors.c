/* Exceptions seen from the host: as text with its traceback, as an object, and raised from C. */
#include "genvm.h"
#include <stdio.h>

static void print_text(GenVM *vm, GenRef text) {
    size_t size;
    const char *bytes = gen_to_str(vm, text, &size);
    printf("%.*s\n", bytes != NULL ? (int)size : 1, bytes != NULL ? bytes : "?");
}

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    if (vm == NULL) return 1;

    /* The report that the gen command would print. The exception stays pending until it is cleared.
     */
    if (!gen_run_string(vm, "def f(x):\n    return 1 / x\n\nf(0)\n", "first.gen")) {
        fputs(gen_error_text(vm), stdout);
        gen_error_clear(vm);
    }

    /* Source that is no program. */
    if (!gen_run_string(vm, "x = = 1\n", "second.gen")) {
        fputs(gen_error_text(vm), stdout);
        gen_error_clear(vm);
    }

    /* The exception itself, with its attributes. */
    gen_eval(vm, "{}['missing']");
    GenRef error = gen_error_take(vm);
    printf("pending after take: %s\n", gen_error_pending(vm) ? "yes" : "no");
    print_text(vm, gen_repr(vm, error));
    print_text(vm, gen_get_index(vm, gen_get_attr(vm, error, "args"), 0));

    /* GEN_NULL passes through: the first error stays, and one check at the end is enough. */
    GenRef nothing = gen_get_attr(vm, gen_get_global(vm, "no_such_name"), "attribute");
    GenRef call = gen_call_method(vm, nothing, "method", 0, NULL);
    if (call == GEN_NULL) print_text(vm, gen_repr(vm, gen_error_take(vm)));

    gen_raise(vm, "ValueError", "%d is not %s", 3, "four");
    fputs(gen_error_text(vm), stdout);
    gen_vm_free(vm);
    return 0;
}
