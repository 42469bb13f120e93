/* type_private.h - what the files of the object model (type.c, type_new.c, attribute.c,
 * slot_wrappers.c and the types' own tables) share, and nobody else needs. */
#ifndef GEN_TYPE_PRIVATE_H
#define GEN_TYPE_PRIVATE_H

#include "vm/bind.h"
#include "vm/objects.h"

typedef struct Namespace { /* types.SimpleNamespace */
    Object header;
    Value attributes; /* Dict or VALUE_UNSET */
} Namespace;

typedef struct GenericAlias {
    Object header;
    Value origin;
    Value args;        /* tuple */
    Value is_unpacked; /* bool: *list[int] */
} GenericAlias;

/* ---- type.c ---- */
void type_inherit(Type *type,
                  const BuiltinType *def); /* flags and slots from type->base; def may be NULL */
Tuple *type_mro_behind(GenVM *vm, Type *type, const Tuple *rest);
void type_fill_plain(Type *type, const BuiltinType *def,
                     Type *base); /* what follows from these alone */
const BuiltinType *type_builtin_def(TypeId id);
void type_trace(GenVM *vm, Object *object);
bool type_add_native(GenVM *vm, Type *owner, Dict *dict, const NativeDef *def, uint8_t flags);
bool type_add_attributes(GenVM *vm, Type *owner, Dict *dict, const AttributeDef *def);
Value type_lookup_owner(GenVM *vm, Type *type, Value name,
                        Type **owner);           /* and where it is defined */
bool type_build_specials(GenVM *vm, Type *type); /* of a new class, from its dict and MRO */
void type_note_construct(Type *type); /* whether its special methods construct instances */
/* A list of the type and all classes below it, each once, in no order; VALUE_ERROR: no memory. */
Value type_descendants(GenVM *vm, Type *type);
Special special_from_name(GenVM *vm, Value interned); /* SPECIAL_COUNT: none */
bool value_is_descriptor(GenVM *vm, Value v);
bool value_is_data_descriptor(GenVM *vm, Value v);

/* ---- attribute.c: the getattr and setattr slots ---- */
Value object_getattr(GenVM *vm, Value object, Value name);
Value object_setattr(GenVM *vm, Value object, Value name, Value value);
Value type_getattr(GenVM *vm, Value self, Value name);
Value type_setattr(GenVM *vm, Value self, Value name, Value value);
Value module_getattr(GenVM *vm, Value self, Value name);
Value property_get(GenVM *vm, const Property *property, Value instance);
Value property_set(GenVM *vm, const Property *property, Value instance,
                   Value value); /* UNSET deletes */
Value member_get(GenVM *vm, const Member *member, Value instance);
Value member_set(GenVM *vm, const Member *member, Value instance, Value value);
Value getset_get(GenVM *vm, const GetSet *getset, Value instance);
Value getset_set(GenVM *vm, const GetSet *getset, Value instance, Value value);

/* ---- slot_wrappers.c ---- */
bool slot_wrappers_add(GenVM *vm, Type *type, Dict *dict);

/* ---- objects/object.c ---- */
Value object_repr(GenVM *vm, Value self);
Value object_hash(GenVM *vm, Value self);
Value type_module_name(GenVM *vm, Type *type); /* __module__ */
Value type_full_name(GenVM *vm, Type *type);   /* "module.Qualname", "Qualname" for builtins */

/* ---- objects/mapping_proxy.c, generic_alias.c, union.c ---- */
Value mapping_proxy_new(GenVM *vm, Value mapping);
Value generic_alias_new(GenVM *vm, Value origin,
                        Value args); /* args: a tuple, or the one argument */
Value union_of(GenVM *vm, Value left,
               Value right); /* left | right; NotImplemented unless both can stand in a union */

/* ---- objects/exception.c ---- */
const BuiltinType *exception_type_def(TypeId id);
const AttributeDef *exception_type_attributes(TypeId id);

Value exception_allocate(GenVM *vm, Type *type, Value args);
bool exception_has_fields(GenVM *vm, Value exception);   /* is Exception.value a List of fields */
bool exception_fields_valid(GenVM *vm, Value exception); /* are they of the types that its class
                                                            takes for granted */
bool exception_copy_context(GenVM *vm, Value from,
                            Value to); /* cause, context, traceback and notes */
Value exception_group_construct(GenVM *vm, Type *type, Value args, Value kwargs);
Value exception_group_str(GenVM *vm, Value self);
extern const NativeDef exception_group_methods[];

/* ---- error.c ---- */
Value attribute_error_context(GenVM *vm, Value object,
                              Value name); /* .obj and .name of the pending AttributeError */

/* ---- type_new.c ---- */
bool type_add_subclass(GenVM *vm, Type *base, Type *type);
bool type_set_bases(GenVM *vm, Type *type, Value bases); /* assignment to __bases__ */
Value type_construct(GenVM *vm, Value *args);            /* type(cls, *args, **kwargs) */
Value type_new_plain(GenVM *vm, Value *args);            /* (name, bases, namespace) */
Tuple *type_compute_mro(GenVM *vm, Type *type);          /* by its bases: what type.mro() says */
Value type_has_own_mro(GenVM *vm, Value *args);          /* (cls) */
Value type_set_mro(GenVM *vm, Value *args);              /* (cls, mro) */

/* For images. A class as it was, with an empty dict; the attributes that every class makes for
 * itself
 * (__dict__, __weakref__); when its dict is filled: its special methods, its place below its bases.
 */
typedef struct TypeSaved {
    uint32_t members; /* names in its own __slots__ */
    uint32_t inline_slots, flags;
    bool has_dict, is_abstract;
} TypeSaved;
Type *type_restore(GenVM *vm, Type *metatype, Value name, Tuple *bases, const TypeSaved *saved);
bool type_restore_attribute(GenVM *vm, Type *type, Dict *dict, Value name);
bool type_restored(GenVM *vm, Type *type);      /* its special methods */
bool type_restore_place(GenVM *vm, Type *type); /* among the subclasses of its bases */
void type_clear_specials(Type *type);           /* type.c */

/* ---- shape.c ---- */
enum { INSTANCE_SLOTS_MOST = 96 }; /* attributes that an instance keeps in slots */
/* Its attributes in the order of its shape, those of __slots__ left out: how many. In dict mode
 * none; *dict is that Dict, else NULL. */
uint32_t instance_attributes(GenVM *vm, Value object, Value *names, Value *values, Dict **dict);
bool instance_use_dict(GenVM *vm, Value object, Dict *dict);     /* its attributes are in `dict` */
bool instance_dict_replace(GenVM *vm, Value object, Dict *dict); /* obj.__dict__ = dict */
bool instance_set_type(GenVM *vm, Value object,
                       Type *type); /* obj.__class__ = type, layouts agree */

/* Attribute names are compared by address; those that a program computes may not be interned yet.
 */
static inline Value name_interned(GenVM *vm, Value name) {
    const Str *str = AS_STR(name);
    return likely(str->header.flags & STR_INTERNED && !str->header.state) ? name
                                                                          : str_intern(vm, name);
}

/* The same in place; false without memory for it. */
static inline bool intern_name(GenVM *vm, Value *name) {
    const Str *str = AS_STR(*name);
    if (likely(str->header.flags & STR_INTERNED && !str->header.state)) return true;
    *name = str_intern(vm, *name);
    return *name != VALUE_ERROR;
}

#endif
