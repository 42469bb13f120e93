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

/* Names that are no str, which a namespace can hold, too, have their hash with them. */
void save_class_body(ImageWriter *w, Object *object) {
    const Type *type = (const Type *)object;
    const Dict *dict = type->own.dict;
    image_put_value(w, type->qualname);
    image_put_number(w->out, dict->count);
    for (uint32_t i = 0; i < dict->used && !w->failed; i++) {
        const DictEntry *entry = &dict->entries[i];
        if (entry->key == VALUE_UNSET) continue;
        image_put_value(w, entry->key);
        if (!is_exact(entry->key, TYPE_STR)) image_put_long(w->out, entry->hash);
        image_put_value(w, is_own_getset(entry->value, type) ? VALUE_UNSET : entry->value);
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

typedef struct ClassEntry {
    Value name, value;
    uint64_t hash; /* of a name that is no str */
} ClassEntry;

static bool get_entry(ImageReader *r, ClassEntry *entry) {
    if (!image_get_value(r, &entry->name)) return false;
    bool named = is_exact(entry->name, TYPE_STR);
    if (!named && !image_get_long(r, &entry->hash)) return false;
    return image_get_optional(r, &entry->value) &&
           (named || entry->value != VALUE_UNSET || image_bad(r, "a value is missing"));
}

static bool add_entry(ImageReader *r, Type *type, const ClassEntry *entry) {
    Value name = name_interned(r->vm, entry->name);
    if (name == VALUE_ERROR) return false;
    return entry->value == VALUE_UNSET ? type_restore_attribute(r->vm, type, type->own.dict, name)
                                       : dict_set_str(r->vm, type->own.dict, name, entry->value);
}

bool load_class_body(ImageReader *r, Object *object) {
    Type *type = (Type *)object;
    uint64_t count;
    Value qualname;
    bool others = false, is_known = type->own.dict->count; /* to the VM, before (image_shared.c) */
    if (!image_get_kind(r, TYPE_STR, &qualname)) return false;
    const uint8_t *start = r->at;
    if (!image_get_count(r, &count, 2)) return false;
    if (is_known)
        r->tags[r->current] = IMAGE_BUILTIN_TYPE; /* it stays as it is */
    else
        type->qualname = qualname;
    for (uint64_t i = 0; i < count; i++) {
        ClassEntry entry;
        if (!get_entry(r, &entry)) return false;
        if (!is_exact(entry.name, TYPE_STR))
            others = true;
        else if (!is_known && !add_entry(r, type, &entry))
            return false;
    }
    return is_known || !others || image_wait_for_keys(r, start);
}

/* A class with names of which not all are str, when these can be hashed: its dict anew, in order.
 */
bool image_fill_class(ImageReader *r, Type *type) {
    GenVM *vm = r->vm;
    Value made = dict_new(vm);
    uint64_t count;
    if (made == VALUE_ERROR || !image_get_count(r, &count, 2)) return false;
    for (uint64_t i = 0; i < count; i++) {
        ClassEntry entry;
        uint64_t hash;
        if (!get_entry(r, &entry) || !image_hash_of(r, entry.name, entry.hash, &hash)) return false;
        if (is_exact(entry.name, TYPE_STR)) {
            entry.name = name_interned(vm, entry.name);
            if (entry.name == VALUE_ERROR) return false;
            entry.value = dict_get_str(vm, type->own.dict, entry.name);
        }
        if (!dict_add(vm, AS_DICT(made), entry.name, hash, entry.value)) return false;
    }
    Dict *dict = type->own.dict, *from = AS_DICT(made);
    dict_clear(vm, dict);
    for (uint32_t i = 0; i < from->used; i++)
        if (!dict_add(vm, dict, from->entries[i].key, from->entries[i].hash,
                      from->entries[i].value))
            return false;
    vm->method_epoch++;
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
