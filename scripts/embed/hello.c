/* The smallest host: runs a script and drives a generator that it made. README.md shows it. */
#include "genvm.h"
#include <stdio.h>

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    if (!gen_run_string(vm, "squares = (n * n for n in range(1, 5))", "setup")) return 1;
    GenRef item, squares = gen_get_global(vm, "squares");
    while (gen_next(vm, squares, &item) == GEN_OK)
        printf("%lld\n", (long long)gen_as_int(vm, item));
    gen_vm_free(vm);
    return 0;
}
