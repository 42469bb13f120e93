/* Values in both directions: every basic type, containers, text without copying. */
#include "genvm.h"
#include <stdio.h>

static void show(GenVM *vm, GenRef value) {
    size_t size;
    const char *text = gen_to_str(vm, gen_repr(vm, value), &size);
    printf("%.*s\n", text != NULL ? (int)size : 1, text != NULL ? text : "?");
}

static GenRef make_record(GenVM *vm) {
    GenRef pair[] = {gen_none(vm), gen_bool(vm, true)};
    GenRef record = gen_dict(vm), list = gen_list(vm);
    gen_append(vm, list, gen_int(vm, INT64_MIN));
    gen_append(vm, list, gen_uint(vm, UINT64_MAX));
    gen_set_item(vm, record, gen_str(vm, "pair"), gen_tuple(vm, 2, pair));
    gen_set_item(vm, record, gen_str(vm, "list"), list);
    gen_set_item(vm, record, gen_str(vm, "float"), gen_float(vm, 0.1));
    gen_set_item(vm, record, gen_str(vm, "text"), gen_str(vm, "na\xc3\xafve"));
    gen_set_item(vm, record, gen_str(vm, "bytes"), gen_bytes(vm, "\0\xff", 2));
    return record;
}

static void read_back(GenVM *vm, GenRef record) {
    size_t size, count;
    int64_t number;
    double real;
    bool truth;
    GenRef list = gen_get_item(vm, record, gen_str(vm, "list"));
    GenRef text = gen_get_item(vm, record, gen_str(vm, "text"));
    gen_len(vm, record, &count);
    printf("%zu entries\n", count);
    if (gen_to_int(vm, gen_get_index(vm, list, 0), &number)) printf("%lld\n", (long long)number);
    if (!gen_to_int(vm, gen_get_index(vm, list, -1), &number)) {
        show(vm, gen_error_take(vm));
    }
    if (gen_to_float(vm, gen_get_item(vm, record, gen_str(vm, "float")), &real))
        printf("%g\n", real);
    const char *bytes = gen_to_str(vm, text, &size);
    printf("%s has %zu bytes\n", bytes, size);
    gen_to_bytes(vm, gen_get_item(vm, record, gen_str(vm, "bytes")), &size);
    printf("%zu bytes\n", size);
    if (gen_to_bool(vm, list, &truth)) printf("the list is %s\n", truth ? "true" : "false");
    printf("%s\n", gen_type(vm, list) == GEN_TYPE_LIST && gen_type(vm, text) == GEN_TYPE_STR
                       ? "types as expected"
                       : "?");
}

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    if (vm == NULL) return 1;
    GenRef record = make_record(vm);
    show(vm, record);
    read_back(vm, record);
    gen_set_global(vm, "record", record);
    show(vm, gen_eval(vm, "sorted(record), record['list'][1] + 1"));
    gen_vm_free(vm);
    return 0;
}
