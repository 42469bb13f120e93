/* image_class.c - classes written in Gen, their instances, and modules of the user.
 *
 * A class's shell says all that the layout of its instances depends on, so instances can be
 * allocated as soon as they are met. Its dict is filled by the body; its special methods come when
 * all bodies are there (image_finish_classes), its place below its bases when nothing can be
 * refused any more (image_place_classes).
 */
#include "vm/image_private.h"
#include "vm/type_private.h"

/* ---- classes ---- */

static bool is_own_getset(Value v, const Type *type) {
    return is_kind(v, TYPE_GETSET) && AS(GetSet, v)->owner == type;
}

void save_class_shell(ImageWriter *w, Object *object) {
    GenVM *vm = w->vm;
    Type *type = (Type *)object;
    image_put_number(w->out, image_number_of(w, &type_of(vm, object_value(type))->header));
    image_put_text(w->out, type->name);
    Value module = dict_get_str(vm, type->own.dict, name_value(vm, NAME___module__));
    image_put_text(w->out, value_is_str(module) ? module : vm->empty_str);
    image_put_text(w->out, value_is_str(type->qualname) ? type->qualname : vm->empty_str);
    image_put_number(w->out, type->bases->count);
    for (uint64_t i = 0; i < type->bases->count; i++)
        image_put_number(w->out, image_number_of(w, as_object(type->bases->items[i])));
    image_put_number(w->out, (uint64_t)(type->member_count - type->base->member_count));
    image_put_number(w->out, type->inline_slots);
    image_put_number(w->out, type->flags & (TYPE_SEQUENCE | TYPE_MAPPING));
    image_put_byte(w->out, (uint8_t)(type->has_dict | type->is_abstract << 1));
}

void save_class_body(ImageWriter *w, Object *object) {
    const Type *type = (const Type *)object;
    Value name, value;
    uint32_t position = 0;
    image_put_value(w, type->qualname);
    image_put_number(w->out, type->own.dict->count);
    while (!w->failed && dict_next(type->own.dict, &position, &name, &value)) {
        if (!is_exact(name, TYPE_STR)) {
            image_refuse(w, object, "a class with names that are no str cannot be saved");
            return;
        }
        image_put_value(w, name);
        image_put_value(w, is_own_getset(value, type) ? VALUE_UNSET : value);
    }
}

static bool get_type(ImageReader *r, Type **type) {
    uint64_t number = image_get_number(r);
    if (number >= r->made || r->objects[number]->kind != TYPE_TYPE)
        return image_bad(r, "record %u wants a class", r->current);
    *type = (Type *)r->objects[number];
    return true;
}

static Tuple *get_bases(ImageReader *r) {
    uint64_t count;
    if (!image_get_count(r, &count, 1)) return NULL;
    Value bases = tuple_new(r->vm, count);
    if (bases == VALUE_ERROR || !count) return (void)image_bad(r, "a class without bases"), NULL;
    for (uint64_t i = 0; i < count; i++) {
        Type *base = NULL;
        if (!get_type(r, &base)) return NULL;
        AS_TUPLE(bases)->items[i] = object_value(base);
    }
    return AS_TUPLE(bases);
}

Object *load_class_shell(ImageReader *r) {
    Type *metatype = NULL;
    Value name, module, qualname;
    TypeSaved saved;
    if (!get_type(r, &metatype) || !image_get_name(r, &name) || !image_get_name(r, &module) ||
        !image_get_name(r, &qualname))
        return NULL;
    if (!type_is_subclass(metatype, r->vm->types[TYPE_TYPE]))
        return image_bad(r, "a metaclass that is none"), NULL;
    Tuple *bases = get_bases(r);
    if (!bases || !image_get_u32(r, &saved.members) || !image_get_u32(r, &saved.inline_slots) ||
        !image_get_u32(r, &saved.flags))
        return NULL;
    uint64_t bits = image_get_number(r);
    saved.has_dict = bits & 1;
    saved.is_abstract = bits >> 1 & 1;
    Type *type = type_restore(r->vm, metatype, name, bases, &saved);
    if (type) type = image_shared_class(r, type, module, qualname);
    return type ? &type->header : NULL;
}

bool load_class_body(ImageReader *r, Object *object) {
    Type *type = (Type *)object;
    uint64_t count;
    Value qualname;
    bool is_known =
        type->own.dict->count; /* to the VM, before (image_shared.c): it stays as it is */
    if (!image_get_kind(r, TYPE_STR, &qualname) || !image_get_count(r, &count, 2)) return false;
    if (is_known)
        r->tags[r->current] = IMAGE_BUILTIN_TYPE; /* nothing is left to be done for it */
    else
        type->qualname = qualname;
    for (uint64_t i = 0; i < count; i++) {
        Value name, value;
        if (!image_get_kind(r, TYPE_STR, &name) || !image_get_optional(r, &value)) return false;
        if (!is_exact(name, TYPE_STR)) return image_bad(r, "a name in a class that is none");
        name = name_interned(r->vm, name);
        if (name == VALUE_ERROR) return false;
        if (is_known) continue;
        if (value == VALUE_UNSET ? !type_restore_attribute(r->vm, type, type->own.dict, name)
                                 : !dict_set_str(r->vm, type->own.dict, name, value))
            return false;
    }
    return true;
}

bool image_finish_classes(ImageReader *r) {
    bool any = false;
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->tags[i] != IMAGE_CLASS) continue;
        if (!type_restored(r->vm, (Type *)r->objects[i])) return false;
        any = true;
    }
    r->vm->method_epoch += any;
    return true;
}

/* From here on scripts can find the classes, by `__subclasses__()` of their bases: all that they
 * reach has been checked. */
bool image_place_classes(ImageReader *r) {
    for (uint32_t i = 0; i < r->count; i++)
        if (r->tags[i] == IMAGE_CLASS && !type_restore_place(r->vm, (Type *)r->objects[i]))
            return false;
    return true;
}

/* ---- instances ---- */

void save_instance_shell(ImageWriter *w, Object *object) {
    image_put_number(w->out, image_number_of(w, &w->vm->shapes[object->shape].type->header));
}

void save_instance_body(ImageWriter *w, Object *object) {
    Value names[INSTANCE_SLOTS_MOST], values[INSTANCE_SLOTS_MOST];
    Instance *instance = (Instance *)object;
    const Type *type = w->vm->shapes[object->shape].type;
    Dict *dict;
    uint32_t count = instance_attributes(w->vm, object_value(object), names, values, &dict);
    for (uint32_t i = 0; i < type->member_count; i++)
        image_put_value(w, instance->slots[i]);
    image_put_pointer(w, dict);
    if (dict) return;
    image_put_number(w->out, count);
    for (uint32_t i = 0; i < count && !w->failed; i++) {
        image_put_value(w, names[i]);
        image_put_value(w, values[i]);
    }
}

Object *load_instance_shell(ImageReader *r) {
    Type *type = NULL;
    if (!get_type(r, &type)) return NULL;
    if (type->instance_kind != TYPE_OBJECT || (type->is_builtin && type->id != TYPE_OBJECT))
        return image_bad(r, "a class whose instances are of another form"), NULL;
    Value instance = instance_new(r->vm, type);
    return instance == VALUE_ERROR ? NULL : as_object(instance);
}

static bool get_attributes(ImageReader *r, Value instance, const Type *type) {
    uint64_t count;
    if (!image_get_count(r, &count, 2)) return false;
    if (count && !type->has_dict)
        return image_bad(r, "an instance with attributes that it cannot have");
    for (uint64_t i = 0; i < count; i++) {
        Value name, value;
        if (!image_get_kind(r, TYPE_STR, &name) || !image_get_value(r, &value)) return false;
        if (!is_exact(name, TYPE_STR)) return image_bad(r, "an attribute's name is none");
        name = name_interned(r->vm, name);
        if (name == VALUE_ERROR || !instance_set(r->vm, instance, name, value)) return false;
    }
    return true;
}

bool load_instance_body(ImageReader *r, Object *object) {
    Instance *instance = (Instance *)object;
    const Type *type = r->vm->shapes[object->shape].type;
    Dict *dict;
    for (uint32_t i = 0; i < type->member_count; i++)
        if (!image_get_optional(r, &instance->slots[i])) return false;
    if (!image_get_pointer(r, TYPE_DICT, &dict)) return false;
    if (!dict) return get_attributes(r, object_value(object), type);
    if (!type->has_dict) return image_bad(r, "an instance with a dict that it cannot have");
    return instance_use_dict(r->vm, object_value(object), dict);
}

/* ---- modules ---- */

void save_module_shell(ImageWriter *w, Object *object) {
    image_put_class(w, object);
}
void save_module_body(ImageWriter *w, Object *object) {
    const Module *module = (const Module *)object;
    image_put_value(w, module->name);
    image_put_pointer(w, module->dict);
}

Object *load_module_shell(ImageReader *r) {
    Type *type;
    if (!image_get_class(r, TYPE_MODULE, &type)) return NULL;
    Module *module = gc_new(r->vm, sizeof *module, TYPE_MODULE);
    if (!module) return NULL;
    module->header.shape = type->root_shape;
    module->name = VALUE_NONE;
    return &module->header;
}
bool load_module_body(ImageReader *r, Object *object) {
    Module *module = (Module *)object;
    return image_get_value(r, &module->name) && image_get_object(r, TYPE_DICT, &module->dict);
}
