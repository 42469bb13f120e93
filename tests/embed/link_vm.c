/* The engine links and lives without the parser and the library: it makes values and computes with
 * them, and says so when it is asked to compile. */
#include "vm/genvm.h"
#include <stdio.h>

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    if (vm == NULL) return 1;
    GenRef list = gen_list(vm);
    for (int i = 0; i < 1000; i++)
        gen_append(vm, list, gen_int(vm, i));
    size_t len;
    if (gen_len(vm, list, &len)) printf("%zu items\n", len);
    printf("the last is %lld\n", (long long)gen_as_int(vm, gen_get_index(vm, list, -1)));
    GenRef index = gen_call_method(vm, list, "index", 1, (GenRef[]){gen_int(vm, 700)});
    printf("700 is at %lld\n", (long long)gen_as_int(vm, index));
    printf("compiling: %s\n", gen_run_string(vm, "x = 1", "none") ? "?" : "refused");
    printf("an exception: %s\n", gen_error_pending(vm) ? "pending" : "?");
    gen_vm_free(vm);
    return 0;
}
