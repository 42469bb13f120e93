/* type_private.h - what the files of the object model (type.c, type_new.c, attribute.c, slot_wrappers.c and the
 * types' own tables) share, and nobody else needs. */
#ifndef GEN_TYPE_PRIVATE_H
#define GEN_TYPE_PRIVATE_H

#include "vm/bind.h"
#include "vm/objects.h"

/* ---- type.c ---- */
void type_inherit(Type *type, const BuiltinType *def); /* flags and slots from type->base; def may be NULL */
Tuple *type_mro_behind(GenVM *vm, Type *type, const Tuple *rest);
void type_trace(GenVM *vm, Object *object);
bool type_add_native(GenVM *vm, Type *owner, Dict *dict, const NativeDef *def, uint8_t flags);
Value type_lookup_owner(GenVM *vm, Type *type, Value name, Type **owner); /* and where it is defined */
bool type_build_specials(GenVM *vm, Type *type); /* of a new class, from its dict and MRO */
Special special_from_name(GenVM *vm, Value interned); /* SPECIAL_COUNT: none */
bool value_is_descriptor(GenVM *vm, Value v);
bool value_is_data_descriptor(GenVM *vm, Value v);

/* ---- attribute.c: the getattr and setattr slots ---- */
Value object_getattr(GenVM *vm, Value object, Value name);
Value object_setattr(GenVM *vm, Value object, Value name, Value value);
Value type_getattr(GenVM *vm, Value self, Value name);
Value type_setattr(GenVM *vm, Value self, Value name, Value value);
Value module_getattr(GenVM *vm, Value self, Value name);

/* ---- slot_wrappers.c ---- */
bool slot_wrappers_add(GenVM *vm, Type *type, Dict *dict);

/* ---- objects/exception.c ---- */
const BuiltinType *exception_type_def(TypeId id);
const AttributeDef *exception_type_attributes(TypeId id);

/* ---- error.c ---- */
Value attribute_error_context(GenVM *vm, Value object, Value name); /* .obj and .name of the pending AttributeError */

/* ---- type_new.c ---- */
bool type_add_subclass(GenVM *vm, Type *base, Type *type);
bool type_set_bases(GenVM *vm, Type *type, Value bases); /* assignment to __bases__ */

/* Attribute names are compared by address; those that a program computes may not be interned yet. */
static inline Value name_interned(GenVM *vm, Value name) {
    const Str *str = AS_STR(name);
    return likely(str->header.flags & STR_INTERNED && !str->header.state) ? name : str_intern(vm, name);
}

#endif
