/* type.h - classes, hidden classes (shapes) and attribute lookup. */
#ifndef GEN_TYPE_H
#define GEN_TYPE_H

#include "vm/native.h"

/* What a VM notes about a type. Builtin types are shared by all VMs and never written (shared.h):
 * theirs is in the VM. So ask type_state(vm, type). */
typedef struct TypeState {
    Dict *dict;         /* NULL until first needed for a builtin type: use type_dict() */
    Value constructor;  /* builtin types: see type_constructor; else VALUE_UNSET */
    Buffer *subclasses; /* Type *[subclass_count]: direct subclasses, not kept alive by this */
    uint32_t subclass_count;
    uint32_t dict_shape; /* of instances whose attributes are in a Dict; SHAPE_NONE until needed */
} TypeState;

typedef struct Type {
    Object header;     /* kind TYPE_TYPE; its shape leads to the metaclass */
    Value name;        /* str: __name__ */
    Value qualname;    /* str */
    struct Type *base; /* the base that gives the instance layout (object for plain classes); NULL
                          for object */
    Tuple *bases;
    Tuple *mro;             /* this type first */
    const BuiltinType *def; /* of the nearest builtin type on the layout chain, never NULL */
    uint32_t id;            /* TypeId for builtin types, else 0 */
    uint32_t root_shape;    /* shape of a fresh instance */
    uint8_t instance_kind;  /* Object.kind of instances */
    uint8_t inline_slots;   /* attribute slots a fresh Instance gets, those of __slots__ included */
    uint8_t member_count;   /* the first of them are __slots__ members */
    uint8_t wanted_slots; /* the most an instance has needed: beyond inline_slots, new instances get
                             more */
    uint8_t value_bumps;  /* how often a cached plain class value was replaced: see attribute.c */
    bool values_cached;   /* an inline cache may hold a plain value of this class's dict */
    bool is_builtin;      /* attributes cannot be set */
    bool has_dict; /* instances take any attribute (false: __slots__ throughout, or a builtin type)
                    */
    bool overrides_construct; /* __new__ or __init__ come from script */
    bool is_abstract;         /* __abstractmethods__ not empty */
    bool like_native; /* written in Gen, but CPython's is written in C: see bind_like_native.c */
    bool has_instance_dict; /* as has_dict, or a builtin type whose instances have a __dict__ */
    bool defines_special;   /* its own dict holds special methods (script classes) */
    bool notes_changes; /* a class of the library: changes of its dict are saved (image_modules.c)
                         */
    bool gathered;      /* a list of type_descendants() has it already */
    uint32_t flags;     /* BuiltinType flags, inherited */
    TypeState own;      /* unless it is shared */
    TypeSlots slots;    /* inherited C slots; a slot overridden by a script class is still here:
                           special wins */
    Value *special; /* [SPECIAL_COUNT]: script-defined special methods found along the MRO before a
                       builtin's own, raw (as in the class dict, not bound), else VALUE_UNSET; None
                       disables (__hash__ = None) */
    Buffer *special_storage; /* what `special` points into; NULL: the table of a type that has none,
                                shared by all */
} Type;

/* Are objects of that kind its instances, all of them: not those of an exception class, which share
 * one kind, nor those of a class of a script or a host, whose id is 0. */
static inline bool type_has_kind(const Type *type, uint8_t kind) {
    return type->id == kind && type->id != 0;
}

/* A shape (hidden class): what attributes an instance has, and in which slot. Immutable once made;
 * grown by transitions. shapes[TYPE_X] is the root shape of builtin type X. */
typedef struct Shape {
    Type *type; /* NULL: died with its class */
    Value name; /* the attribute that this shape adds to its parent; VALUE_UNSET for a root */
    uint32_t parent;
    uint16_t count; /* attributes, this one included: its slot is count - 1 */
    uint8_t inline_slots;
    bool is_dict;         /* attributes live in the Dict in Instance.extra; never cached */
    uint32_t transitions; /* the rest is private to shape.c */
    uint32_t sibling;
    uint32_t children;
    void *table;
} Shape;

void shapes_init(GenVM *vm);
void shapes_free(GenVM *vm);
/* A class now looks at an attribute `name` (UNSET: at all of them) before its instances' slots,
 * where instructions may remember to find it: gives all instances of the class and its subclasses
 * new shapes, at a collection asked for here. */
bool shapes_renew(GenVM *vm, Type *type, Value name);
void shapes_move(GenVM *vm, Object *object); /* for the collector: does so for one object */
void shapes_moved(GenVM *vm);                /* ... for all */
void shapes_mark(
    GenVM *vm); /* the types and names that shapes refer to: roots of a young collection */
void shapes_mark_native(GenVM *vm); /* ... the types made by C code: roots of a full one */
void shapes_sweep(
    GenVM *vm); /* everything reachable is marked: forgets the shapes of dead classes */
void shapes_kill(GenVM *vm, uint32_t id); /* nothing has this shape any more, but caches name it */
bool shapes_want_recycling(GenVM *vm);    /* are there many of those? Then, after ... */
void shapes_forget_in_code(GenVM *vm, Object *object); /* ... all live objects, */
void shapes_recycle(GenVM *vm);                        /* their ids can be given out again */

uint32_t shape_find(GenVM *vm, uint32_t shape,
                    Value name); /* slot, or SHAPE_NONE; name is an interned str */
#define SHAPE_NONE UINT32_MAX
/* The shape with one attribute more; SHAPE_NONE (no exception) when there are too many: go over to
 * a Dict. */
uint32_t shape_add(GenVM *vm, uint32_t shape, Value name);
uint32_t shape_dict(GenVM *vm,
                    Type *type); /* the dict shape of a type's instances; SHAPE_NONE: no memory */
uint32_t shape_new_root(GenVM *vm, Type *type, uint8_t inline_slots);

bool types_init(GenVM *vm);
void types_free(GenVM *vm);
void types_mark(GenVM *vm); /* all builtin types: roots */
void types_forget_lookups(
    GenVM *vm); /* after a collection: names that were looked up may be gone */

static inline Type *type_subclass(const TypeState *state, uint32_t i) {
    return ((Type *const *)(void *)state->subclasses->data)[i];
}
Type *type_of(GenVM *vm, Value v); /* any value's class */
static inline Type *type_from(Value v) {
    return (Type *)as_object(v);
}
static inline bool is_type(Value v) {
    return is_kind(v, TYPE_TYPE);
}
Type *type_builtin(GenVM *vm, TypeId id);
const char *
type_text(GenVM *vm,
          const Type *type); /* a class's name in messages: "list", "types.SimpleNamespace", "C" */
const char *type_name(GenVM *vm, Value v); /* of v's class, as C text, for messages */

Dict *type_dict(GenVM *vm, Type *type); /* materialises a builtin type's methods on first use */
Dict *type_dict_for_lookup(GenVM *vm, Type *type); /* NULL without an exception: no memory */
Value type_lookup(GenVM *vm, Type *type,
                  Value name); /* along the MRO, raw; VALUE_UNSET when absent; cached */
bool type_is_subclass(Type *type, Type *base);              /* by MRO only */
bool value_is_instance(GenVM *vm, Value v, TypeId builtin); /* by MRO only */
Value type_special(GenVM *vm, Value v,
                   Special special); /* script-defined method or VALUE_UNSET: one load */
Type *type_new(GenVM *vm, Type *metatype, Value name, Tuple *bases,
               Dict *namespace_dict);           /* script classes; NULL+error */
Value type_build_class(GenVM *vm, Value *args); /* __build_class__(func, name, /, *bases, **kwds) */
Type *type_new_native(GenVM *vm, const BuiltinType *def,
                      Type *base_or_null); /* for modules: KIND_HOST types */

/* A new instance of a class written in Gen that derives from object alone (instance_kind
 * TYPE_OBJECT), without attributes. */
Value instance_new(GenVM *vm, Type *type);
/* Its own attributes, by their interned names, past descriptors and __slots__. */
Value instance_get(GenVM *vm, Value object,
                   Value name); /* VALUE_UNSET when absent; any kind of object */
bool instance_set(GenVM *vm, Value object, Value name, Value value);
Leaf instance_delete(GenVM *vm, Value object, Value name); /* LEAF_FALSE: absent */

/* The base-first part of calling a class: what type.__call__ does, without the metaclass's own
 * __call__. */
Value type_call(GenVM *vm, Type *type, Value args_tuple,
                Value kwargs_or_unset); /* mostly VALUE_TAIL */
/* The special method of v's class, wherever it is defined: raw; VALUE_UNSET when absent. */
Value type_find_special(GenVM *vm, Type *type, Special special);
/* Calls it: raw(self, args...), bound as its kind asks for. */
Value special_call(GenVM *vm, Value raw, Value self, int count, ...);
NativeFunction *
type_constructor(GenVM *vm, Type *type); /* `construct` of the nearest builtin base as a function of
                                            (cls, ...); NULL + error when it has none */
bool type_set_attribute(GenVM *vm, Type *type, Value name,
                        Value value); /* own dict, caches kept right; UNSET deletes */
Type *type_metatype(GenVM *vm, Type *type,
                    Tuple *bases); /* the most derived metaclass; NULL + TypeError on conflict */

/* What an instruction may remember about `object.name`, found without running script code:
 *   ATTR_SLOT         instance->slots[slot], for objects of this shape; VALUE_UNSET there: take the
 * slow path ATTR_CLASS_VALUE  `value`, no descriptor; for this shape and vm->method_epoch
 *   ATTR_METHOD       `value` is a function (or native method) of the class, not hidden by the
 * instance; shape + epoch ATTR_PROPERTY     `value` is a property's getter, to be called with the
 * object; shape + epoch ATTR_ENTRY        modules and classes: dict->entries[slot].value, for this
 * very object (not shape); modules while the entry's key is the name, classes while the epoch is
 * the same (then the entry does not move) ATTR_OTHER        nothing can be remembered A plain value
 * of a class that is replaced by another plain value changes the epoch only when the class has
 * handed out ATTR_CLASS_VALUE since, and after some such changes it hands out none any more: so
 * `Counter.total += 1` in a loop costs no other cache its life. */
typedef struct AttributeLookup {
    enum { ATTR_SLOT, ATTR_CLASS_VALUE, ATTR_METHOD, ATTR_PROPERTY, ATTR_ENTRY, ATTR_OTHER } kind;
    uint32_t slot;
    uint32_t version;
    Value value;
    Dict *dict;
} AttributeLookup;
bool attribute_lookup_cacheable(GenVM *vm, Value object, Value name,
                                AttributeLookup *lookup); /* kind != ATTR_OTHER */

/* The same for `object.name = x`; asked before the assignment is made. STORE_ADD: objects of the
 * shape get the attribute in inline slot `slot` and `new_shape` as their shape. */
typedef struct AttributeStore {
    enum { STORE_SLOT, STORE_ADD, STORE_OTHER } kind;
    uint32_t slot;
    uint32_t new_shape;
} AttributeStore;
bool attribute_store_cacheable(GenVM *vm, Value object, Value name, AttributeStore *store);

/* super(): the class attribute behind `type` in the MRO of obj's class, raw (VALUE_UNSET: absent),
 * and bound. */
Value super_lookup(GenVM *vm, Type *type, Value obj, Value name);
Value super_get(GenVM *vm, Type *type, Value obj, Value name);
Value super_method(GenVM *vm, Type *type, Value obj,
                   Value name); /* raw, to be called with obj; UNSET: no plain method */
Value super_new(GenVM *vm, Type *type, Value obj);

/* Attribute access, complete. Each returns a Value, VALUE_ERROR, or VALUE_TAIL (property,
 * __getattr__, ...). */
Value attribute_get(GenVM *vm, Value object, Value name);
Value attribute_set(GenVM *vm, Value object, Value name, Value value); /* returns None */
Value attribute_delete(GenVM *vm, Value object, Value name);
/* As attribute_get, but VALUE_UNSET and no exception when it is absent as far as C code can tell; a
 * call asked for by VALUE_TAIL may still raise AttributeError. */
Value attribute_get_or_unset(GenVM *vm, Value object, Value name);
/* Without running script code: VALUE_UNSET when absent or when script code would have to run.
 * VALUE_ERROR with MemoryError only: when there is no memory, also for `name`, which may be
 * VALUE_ERROR. */
Value attribute_find(GenVM *vm, Value object, Value name);
/* Binds a raw class attribute to an instance as obj.name would: function -> Method, property ->
 * VALUE_TAIL, ... */
Value attribute_bind(GenVM *vm, Value raw, Value instance, Type *type);
Dict *instance_dict(GenVM *vm,
                    Value object); /* obj.__dict__: converts the instance; NULL if it has none */
/* The attribute __dict__, for the tables of types with TYPE_HAS_DICT. */
Value instance_dict_get(GenVM *vm, Value self);
bool instance_dict_set(GenVM *vm, Value self, Value value);

#endif
