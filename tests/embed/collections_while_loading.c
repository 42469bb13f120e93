/* What an image is made of is known to nobody while it is read: the functions of the host's that
 * save and load an object may run script code and ask for a collection, which comes later.
 */
#include "genvm.h"
#include <stdio.h>

static const GenTypeDef box;

static bool churn(GenVM *vm) {
    return gen_run_string(vm, "for i in range(20000): x = [[i] for j in range(3)]", "churn") &&
           gen_collect(vm);
}
static GenRef save(GenVM *vm, GenRef self) {
    return churn(vm) ? gen_object_get(vm, self, &box, 0) : GEN_NULL;
}
static bool load(GenVM *vm, GenRef self, GenRef state) {
    return churn(vm) && gen_object_set(vm, self, &box, 0, state);
}
static const GenTypeDef box = {.name = "Box", .slots = 1, .save = save, .load = load};

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    GenRef cls = gen_type_new(vm, &box), boxes = gen_list(vm);
    for (int i = 0; i < 4; i++) {
        GenRef object = gen_object_new(vm, cls);
        gen_object_set(vm, object, &box, 0, gen_eval(vm, "[{'key': ['a', 'list']}]"));
        gen_append(vm, boxes, object);
    }
    size_t size = 0;
    const void *data = gen_to_bytes(vm, gen_save(vm, boxes), &size);
    GenRef loaded = gen_load(vm, data, size);
    for (int i = 0; i < 4; i++) {
        GenRef object = gen_get_index(vm, loaded, i);
        printf("%s\n", gen_to_str(vm, gen_repr(vm, gen_object_get(vm, object, &box, 0)), NULL));
    }
    printf("%s", gen_error_text(vm));
    gen_vm_free(vm);
    return 0;
}
