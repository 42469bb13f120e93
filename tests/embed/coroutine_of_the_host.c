/* A coroutine that the host has made by calling its function, and that nobody awaits: no line of a
 * script is to blame, but the script goes on, and it can be saved.
 */
#include "genvm.h"
#include <stdio.h>

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    gen_run_string(vm, "async def work(): return 42\n", "setup");
    GenRef work = gen_get_global(vm, "work"), value = GEN_NULL;
    GenScope scope = gen_scope_open(vm);
    GenRef coroutine = gen_call(vm, work, 0, NULL);
    size_t size = 0;
    const void *data = gen_to_bytes(vm, gen_save(vm, coroutine), &size);
    GenRef loaded = gen_load(vm, data, size);
    if (gen_next(vm, loaded, &value) == GEN_END) printf("%lld\n", (long long)gen_as_int(vm, value));
    printf("%s", gen_error_text(vm));
    gen_scope_close(vm, scope);
    printf("collected: %d\n", gen_collect(vm));
    gen_call(vm, work, 0, NULL);
    if (!gen_vm_finish(vm)) printf("%s", gen_error_text(vm));
    printf("%lld\n", (long long)gen_as_int(vm, gen_eval(vm, "20 + 22")));
    gen_vm_free(vm);
    return 0;
}
