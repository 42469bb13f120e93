/* The engine links and lives without the parser and the library: it makes values and computes with
 * them, and says so when it is asked to compile. With the file of an image as argument it takes up
 * what other VMs began (link_vm_resumes.sh). */
#include "vm/genvm.h"
#include <stdio.h>

static int resume(const char *path) {
    static char data[65536];
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(data, 1, sizeof data, file) : 0;
    if (file) fclose(file);
    GenVM *vm = gen_vm_new(NULL);
    GenRef generator = gen_load(vm, data, size), item;
    GenStatus status = GEN_ERROR;
    while (generator && (status = gen_next(vm, generator, &item)) == GEN_OK)
        printf("%s\n", gen_to_str(vm, item, &size));
    printf("%s\n", status == GEN_ERROR ? gen_error_text(vm) : "the end");
    gen_vm_free(vm);
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 1) return resume(argv[1]);
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
