/* type.h - classes, hidden classes (shapes) and attribute lookup. */
#ifndef GEN_TYPE_H
#define GEN_TYPE_H

#include "vm/native.h"

typedef struct Type {
    Object header;          /* kind TYPE_TYPE; its shape leads to the metaclass */
    Value name;             /* str: __name__ */
    Value qualname;         /* str */
    struct Type *base;      /* the base that gives the instance layout (object for plain classes); NULL for object */
    Tuple *bases;
    Tuple *mro;             /* this type first */
    Dict *dict;             /* NULL until first needed for a builtin type: use type_dict() */
    const BuiltinType *def; /* of the nearest builtin type on the layout chain, never NULL */
    uint32_t id;            /* TypeId for builtin types, else 0 */
    uint32_t root_shape;    /* shape of a fresh instance */
    uint8_t instance_kind;  /* Object.kind of instances */
    uint8_t inline_slots;   /* attribute slots a fresh Instance gets */
    bool is_builtin;        /* attributes cannot be set */
    bool has_dict;          /* instances take any attribute (false: __slots__ throughout, or a builtin type) */
    bool overrides_construct; /* __new__ or __init__ come from script */
    bool is_abstract;       /* __abstractmethods__ not empty */
    uint32_t flags;         /* BuiltinType flags, inherited */
    Value subclasses;       /* list of direct subclasses (weak in spirit) */
    TypeSlots slots;        /* inherited C slots; a slot overridden by a script class is still here: special wins */
    Value special[SPECIAL_COUNT]; /* script-defined special methods found along the MRO before a builtin's own, raw (as
                                     in the class dict, not bound), else VALUE_UNSET; None disables (__hash__ = None) */
} Type;

/* A shape (hidden class): what attributes an instance has, and in which slot. Immutable once made; grown by
 * transitions. shapes[TYPE_X] is the root shape of builtin type X. */
typedef struct Shape {
    Type *type;
    Value name;        /* the attribute that this shape adds to its parent; VALUE_UNSET for a root */
    uint32_t parent;
    uint16_t count;    /* attributes, this one included: its slot is count - 1 */
    uint8_t inline_slots;
    bool is_dict;      /* attributes live in the Dict in Instance.extra; never cached */
    uint32_t transitions; /* private to shape.c */
    uint32_t sibling;
    void *table;
} Shape;

uint32_t shape_find(GenVM *vm, uint32_t shape, Value name); /* slot, or SHAPE_NONE; name is an interned str */
#define SHAPE_NONE UINT32_MAX
uint32_t shape_add(GenVM *vm, uint32_t shape, Value name);  /* the shape with one attribute more */
uint32_t shape_new_root(GenVM *vm, Type *type, uint8_t inline_slots);

Type *type_of(GenVM *vm, Value v); /* any value's class */
static inline Type *type_from(Value v) { return (Type *)as_object(v); }
static inline bool is_type(Value v) { return is_kind(v, TYPE_TYPE); }
Type *type_builtin(GenVM *vm, TypeId id);
const char *type_name(GenVM *vm, Value v); /* of v's class, as C text, for messages */

Dict *type_dict(GenVM *vm, Type *type); /* materialises a builtin type's methods on first use */
Value type_lookup(GenVM *vm, Type *type, Value name); /* along the MRO, raw; VALUE_UNSET when absent; cached */
bool type_is_subclass(Type *type, Type *base);        /* by MRO only */
bool value_is_instance(GenVM *vm, Value v, TypeId builtin); /* by MRO only */
Value type_special(GenVM *vm, Value v, Special special); /* script-defined method or VALUE_UNSET: one load */
Type *type_new(GenVM *vm, Type *metatype, Value name, Tuple *bases, Dict *namespace_dict); /* script classes; NULL+error */
Type *type_new_native(GenVM *vm, const BuiltinType *def, Type *base_or_null); /* for modules: KIND_HOST types */

/* Attribute access, complete. Each returns a Value, VALUE_ERROR, or VALUE_TAIL (property, __getattr__, ...). */
Value attribute_get(GenVM *vm, Value object, Value name);
Value attribute_set(GenVM *vm, Value object, Value name, Value value); /* returns None */
Value attribute_delete(GenVM *vm, Value object, Value name);
/* Without running script code or raising: VALUE_UNSET when absent or when script code would have to run. */
Value attribute_find(GenVM *vm, Value object, Value name);
/* Binds a raw class attribute to an instance as obj.name would: function -> Method, property -> VALUE_TAIL, ... */
Value attribute_bind(GenVM *vm, Value raw, Value instance, Type *type);
Dict *instance_dict(GenVM *vm, Value object); /* obj.__dict__: converts the instance; NULL if it has none */

#endif
