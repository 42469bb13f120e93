/* A VM that runs is neither finished nor freed by a function of the host's: debug builds stop at
 * the second, in others it does nothing. The name of a source may be left out.
 */
#include "genvm.h"
#include <stdio.h>

static GenRef end(GenVM *vm, const GenRef *args) {
    (void)args;
    bool finished = gen_vm_finish(vm);
    printf("finished: %d, %s", finished, gen_error_text(vm));
    gen_error_clear(vm);
#ifndef GEN_DEBUG
    gen_vm_free(vm);
#endif
    return gen_int(vm, 1);
}

int main(void) {
    static const GenFunction function = {"end()", end, NULL};
    GenVM *vm = gen_vm_new(NULL);
    gen_set_global(vm, "end", gen_function(vm, &function));
    gen_run_string(vm, "x = [end() for i in range(2)]", NULL);
    gen_run_string(vm, "x +", NULL);
    printf("%s", gen_error_text(vm));
    gen_error_clear(vm);
    printf("%s\n", gen_to_str(vm, gen_repr(vm, gen_get_global(vm, "x")), NULL));
    printf("finished: %d\n", gen_vm_finish(vm));
    gen_vm_free(vm);
    return 0;
}
