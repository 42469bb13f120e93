/* The smallest host: runs a script and calls a function that it defines. */
#include "genvm.h"
#include <stdio.h>

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    if (vm == NULL || !gen_run_string(vm, "def double(x): return 2 * x", "setup")) return 1;
    GenRef f = gen_get_global(vm, "double"), args[] = {gen_int(vm, 21)};
    printf("%lld\n", (long long)gen_as_int(vm, gen_call(vm, f, 1, args)));
    gen_vm_free(vm);
    return 0;
}
