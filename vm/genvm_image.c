/* genvm_image.c - the C API: images. */
#include "vm/genvm_private.h"
#include "vm/image.h"
#include "vm/objects.h"
#include "vm/task.h"

GenRef gen_save(GenVM *vm, GenRef root) {
    API_READY(vm, GEN_NULL);
    Value v = root == GEN_NULL ? VALUE_UNSET : ref_value(vm, root);
    if (v == VALUE_ERROR) return GEN_NULL;
    if (is_kind(v, TYPE_TASK) && as_object(v)->state == TASK_RUNNING) {
        raise_type(vm, "%T: is running and cannot be saved", v);
        return GEN_NULL;
    }
    bool whole = v == VALUE_UNSET || is_kind(v, TYPE_TASK);
    return ref_hold(vm, whole ? image_save_task(vm, v) : image_save_value(vm, v));
}

/* Modules of the library that the image wants are imported before it is read. */
static bool import_needs(GenVM *vm, const void *data, size_t size) {
    Value needs = image_imports(vm, data, size);
    if (needs == VALUE_ERROR || ref_hold(vm, needs) == GEN_NULL) return false;
    for (uint64_t i = 0; i < AS_LIST(needs)->count; i++) {
        Value name = AS_LIST(needs)->items[i];
        GenScope scope = gen_scope_open(vm);
        const char *text = str_c(vm, name);
        bool ok = text && gen_import(vm, text) != GEN_NULL;
        gen_scope_close(vm, scope);
        if (!ok) return false;
    }
    return true;
}

GenRef gen_load(GenVM *vm, const void *data, size_t size) {
    API_READY(vm, GEN_NULL);
    GenScope scope = gen_scope_open(vm); /* importing runs script code: the list of names is held */
    bool ready = import_needs(vm, data, size);
    gen_scope_close(vm, scope);
    if (!ready) return GEN_NULL;
    return ref_hold(vm, image_load_value(vm, data, size));
}

GenRef gen_image_inspect(GenVM *vm, const void *data, size_t size) {
    API_READY(vm, GEN_NULL);
    return ref_hold(vm, image_inspect(vm, data, size));
}
