/* image_custom.c - objects in images that their type's own functions write and read: those of
 * libraries in C (TypeSlots.custom), and those of the host (genvm_types.c).
 */
#include "vm/image_custom.h"
#include "vm/genvm_private.h"
#include "vm/type_private.h"

static const ImageCustom *custom_of(GenVM *vm, const Object *object) {
    return vm->shapes[object->shape].type->slots.custom;
}

bool image_is_custom(GenVM *vm, const Object *object) {
    const Type *type = vm->shapes[object->shape].type;
    return type->slots.custom && type->instance_kind == object->kind;
}

void save_custom_shell(ImageWriter *w, Object *object) {
    image_put_number(w->out, image_number_of(w, &w->vm->shapes[object->shape].type->header));
    custom_of(w->vm, object)->save_shell(w, object);
}

void save_custom_body(ImageWriter *w, Object *object) {
    custom_of(w->vm, object)->save_body(w, object);
}

Object *load_custom_shell(ImageReader *r) {
    uint64_t number = image_get_number(r);
    if (number >= r->made || r->objects[number]->kind != TYPE_TYPE)
        return image_bad(r, "the class of record %u is none", r->current), NULL;
    Type *type = (Type *)r->objects[number];
    if (!type->slots.custom) return image_bad(r, "objects of %N cannot be loaded", type), NULL;
    return type->slots.custom->load_shell(r, type);
}

bool load_custom_body(ImageReader *r, Object *object) {
    return custom_of(r->vm, object)->load_body(r, object);
}

bool image_check_custom(ImageReader *r) {
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->tags[i] != IMAGE_CUSTOM) continue;
        r->current = i;
        const ImageCustom *custom = custom_of(r->vm, r->objects[i]);
        if (custom->check && !custom->check(r, r->objects[i]))
            return image_bad(r, "record %u, a %s, is not what it should be", i,
                             type_name(r->vm, object_value(r->objects[i])));
    }
    return true;
}

bool image_get_block(ImageReader *r, const uint8_t **data, size_t *size) {
    uint64_t count;
    if (!image_get_count(r, &count, 1) || !image_get_bytes(r, data, count)) return false;
    *size = count;
    return true;
}

/* ---- classes that a host has made: by module and name ---- */

bool image_is_host_type(GenVM *vm, const Type *type) {
    if (!is_kind(vm->host_types, TYPE_LIST) || type->instance_kind != TYPE_HOST) return false;
    const List *types = AS_LIST(vm->host_types);
    for (uint64_t i = 0; i < types->count; i++)
        if (types->items[i] == object_value(type)) return true;
    return false;
}

/* The last one that was made under these names; NULL. */
static Type *find_host_type(GenVM *vm, Value module, Value name) {
    if (!is_kind(vm->host_types, TYPE_LIST)) return NULL;
    const List *types = AS_LIST(vm->host_types);
    for (uint64_t i = types->count; i-- > 0;) {
        Type *type = type_from(types->items[i]);
        const char *owner = type->def->module ? type->def->module : "";
        if (str_equal(type->name, name) && str_is(module, owner)) return type;
    }
    return NULL;
}

static uint32_t host_version(const Type *type) {
    return type->slots.custom ? genvm_type_version(type) : 0;
}

void save_host_type_shell(ImageWriter *w, Object *object) {
    const Type *type = (const Type *)object;
    Value module = str_from(w->vm, type->def->module ? type->def->module : "");
    if (module == VALUE_ERROR) {
        w->failed = true;
        return;
    }
    if (find_host_type(w->vm, module, type->name) != type) {
        image_refuse(w, object, "another class of the host has its name");
        return;
    }
    image_put_text(w->out, module);
    image_put_text(w->out, type->name);
    image_put_number(w->out, host_version(type));
}
void save_host_type_body(ImageWriter *w, Object *object) {
    (void)w, (void)object;
}
Object *load_host_type_shell(ImageReader *r) {
    Value module, name;
    if (!image_get_name(r, &module) || !image_get_name(r, &name)) return NULL;
    uint64_t version = image_get_number(r);
    Type *type = find_host_type(r->vm, module, name);
    if (type && host_version(type) == version) return &type->header;
    image_miss(r, "type %S%s%S of the host%s", module, AS_STR(module)->size ? "." : "", name,
               type ? " (another version)" : "");
    return &r->vm->types[TYPE_OBJECT]->header;
}
bool load_host_type_body(ImageReader *r, Object *object) {
    return (void)r, (void)object, true;
}

/* ---- what a class made itself for its instances: __dict__, __weakref__ ---- */

void save_own_getset_shell(ImageWriter *w, Object *object) {
    const GetSet *getset = (const GetSet *)object;
    image_put_number(w->out, image_number_of(w, &getset->owner->header));
    image_put_text(w->out, getset->name);
}
void save_own_getset_body(ImageWriter *w, Object *object) {
    (void)w, (void)object;
}
Object *load_own_getset_shell(ImageReader *r) {
    uint64_t number = image_get_number(r);
    Value name;
    if (number >= r->made || r->objects[number]->kind != TYPE_TYPE)
        return image_bad(r, "an attribute of no class"), NULL;
    Type *type = (Type *)r->objects[number];
    bool is_new = r->tags[number] == IMAGE_CLASS; /* its dict is the business of its body */
    Value made = is_new ? dict_new(r->vm) : VALUE_UNSET;
    if (made == VALUE_ERROR || !image_get_name(r, &name) ||
        (is_new && !type_restore_attribute(r->vm, type, AS_DICT(made), name)))
        return NULL;
    Dict *dict = is_new ? AS_DICT(made) : type_dict(r->vm, type);
    Value found = dict ? dict_get_str(r->vm, dict, name) : VALUE_UNSET;
    if (is_kind(found, TYPE_GETSET) && AS(GetSet, found)->owner == type) return as_object(found);
    return image_bad(r, "a class without attribute %S", name), NULL;
}
bool load_own_getset_body(ImageReader *r, Object *object) {
    return (void)r, (void)object, true;
}
