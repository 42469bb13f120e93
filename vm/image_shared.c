/* image_shared.c - loading for a VM that already knows part of the image: workers of a pool and the
 * VM that sends them work (stdlib/interpreter_pool.c).
 *
 * Between them a class is to stay one class, and what a module's functions remember is to stay with
 * the VM: so a name of a user's module that the VM has wins over the one that the image brings.
 * What the VM does not have is added to its modules, when all of the image has proven right: until
 * then it waits in a list.
 *
 * A class of the image is the VM's own when module and qualified name lead to one whose instances
 * have the same layout; else it is a new one.
 */
#include "vm/image_private.h"
#include "vm/objects.h"

/* Remembers to give the namespace this name, unless it has it then. */
static bool add_later(ImageReader *r, Dict *dict, Value name, Value value) {
    Value entry = tuple_pack(r->vm, 3, object_value(dict), name, value);
    return entry != VALUE_ERROR && list_append(r->vm, r->additions, entry);
}

static Dict *namespace_of(ImageReader *r, Value module_name) {
    Value module = dict_get_str(r->vm, r->vm->modules, module_name);
    return is_kind(module, TYPE_MODULE) ? AS(Module, module)->dict : NULL;
}

bool image_is_shared(const ImageReader *r) {
    return r->additions != VALUE_UNSET;
}

/* The namespace that a user's module has in the VM, made if there is none. NULL with an exception
 * pending; *found false: the image keeps its own. */
Dict *image_shared_globals(ImageReader *r, Value name, bool *found) {
    GenVM *vm = r->vm;
    *found = image_is_shared(r) && AS_STR(name)->size && !image_is_library(vm, name);
    if (!*found) return NULL;
    Dict *dict = namespace_of(r, name);
    if (dict) return dict;
    Value module = module_new(vm, name);
    if (module == VALUE_ERROR || !add_later(r, vm->modules, name, module)) return NULL;
    return AS(Module, module)->dict;
}

bool image_shared_global(ImageReader *r, Dict *dict, Value name, Value value) {
    return dict_get_str(r->vm, dict, name) != VALUE_UNSET || add_later(r, dict, name, value);
}

/* What `qualname` leads to below the namespace: "A.B" the B of class A. */
static Value find_qualified(GenVM *vm, Dict *dict, const Str *qualname) {
    const char *at = qualname->data, *end = at + qualname->size;
    Value v = VALUE_UNSET;
    while (dict) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        const char *stop = dot ? dot : end;
        Value part = str_intern_from(vm, at, (size_t)(stop - at));
        v = part == VALUE_ERROR ? VALUE_UNSET : dict_get_str(vm, dict, part);
        if (!dot) return v;
        dict = is_kind(v, TYPE_TYPE) ? type_state(vm, AS(Type, v))->dict : NULL;
        at = stop + 1;
    }
    return VALUE_UNSET;
}

static bool same_layout(const Type *one, const Type *other) {
    return one->instance_kind == other->instance_kind && one->base == other->base &&
           one->member_count == other->member_count && one->has_dict == other->has_dict &&
           one->inline_slots == other->inline_slots;
}

/* The VM's own class, or `type`, which the VM then gets under its name. NULL: out of memory. */
Type *image_shared_class(ImageReader *r, Type *type, Value module, Value qualname) {
    if (!image_is_shared(r) || image_is_library(r->vm, module)) return type;
    Dict *dict = namespace_of(r, module);
    if (!dict) return type;
    Value known = find_qualified(r->vm, dict, AS_STR(qualname));
    if (is_kind(known, TYPE_TYPE) && !AS(Type, known)->is_builtin &&
        same_layout(AS(Type, known), type))
        return AS(Type, known);
    bool is_global = !memchr(AS_STR(qualname)->data, '.', AS_STR(qualname)->size);
    if (known != VALUE_UNSET || !is_global) return type;
    return add_later(r, dict, qualname, object_value(type)) ? type : NULL;
}

/* When nothing can go wrong any more but for memory. */
static bool add_now(GenVM *vm, const List *additions) {
    for (uint64_t i = 0; i < additions->count; i++) {
        const Tuple *entry = AS_TUPLE(additions->items[i]);
        Dict *dict = AS_DICT(entry->items[0]);
        if (dict_get_str(vm, dict, entry->items[1]) == VALUE_UNSET &&
            !dict_set_str(vm, dict, entry->items[1], entry->items[2]))
            return false;
    }
    return true;
}

Value image_load_shared(GenVM *vm, const uint8_t *data, size_t size) {
    Value additions = list_new(vm, 0);
    if (additions == VALUE_ERROR) return VALUE_ERROR;
    Value value = image_load_with(vm, data, size, additions);
    return value != VALUE_ERROR && add_now(vm, AS_LIST(additions)) ? value : VALUE_ERROR;
}
