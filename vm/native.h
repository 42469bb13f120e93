/* native.h - how C code offers functions, methods, attributes and types to scripts.
 *
 * A native function gets its arguments bound, checked and completed by the binder, from its
 * signature string:
 *
 *     { "pop(self, index: index = -1, /)", list_pop, "Remove and return item at index (default
 * last)." }
 *
 * args[i] is the i-th parameter in signature order, defaults filled in (VALUE_UNSET where the
 * default is written `?`, for "absent"); *args arrives as a tuple, **kwargs as a dict (VALUE_UNSET
 * when empty). Annotations convert or check: int       an int (bool counts; __index__ is called by
 * the binder); any size index     as int, but must fit int64_t: arrives as a small int, clamped to
 * its range (slice-like positions) position  as index, with the TypeError of slices: "slice indices
 * must be integers or None or ..."; write | None size      as index, but OverflowError "Python int
 * too large to convert to C ssize_t" instead of clamping float     a float or int (or
 * __float__/__index__): arrives as a float value str, bytes, list, tuple, dict, callable: checked
 * only.   bool: truth value of anything, arrives as True/False `str | None`, `int | None`, ...:
 * None is let through object, or nothing: anything Wrong calls raise Python's own TypeErrors; the
 * body starts with work. A leading `static ` or `classmethod ` makes it one; `(self, ...)` is a
 * method, whose self is checked against the type that owns the table.
 *
 * A NATIVE NEVER RUNS SCRIPT CODE. It returns a Value, or VALUE_ERROR with an exception pending, or
 * asks for a call: return native_call(vm, callable, 2, x, y);        // the callable's result
 * becomes this native's result return native_twin(vm, TWIN_LIST_REPR, 1, args);  // the same,
 * calling a function of stdlib/prelude/ in Gen Where only some inputs need script code (elements
 * with a __repr__ or __eq__ of their own, user iterators), the native does the others at full speed
 * in C and leaves the rest, before any side effect, to a twin written in Gen. The `leaf` helpers
 * below say VALUE_TAIL / LEAF_SCRIPT when they meet such a value.
 */
#ifndef GEN_NATIVE_H
#define GEN_NATIVE_H

#include "vm/object.h"

typedef Value (*NativeFn)(GenVM *vm, Value *args);

typedef struct NativeDef {
    const char *signature;
    NativeFn fn;
    const char *doc;
} NativeDef;

/* A short way for the commonest calls of a method, without keywords and before any binding; self is
 * not checked. VALUE_UNSET leaves the call to the method. */
typedef struct NativeFast {
    const char *name;
    Value (*fn)(GenVM *vm, const Value *args, uint32_t count);
} NativeFast;

typedef struct AttributeDef { /* an attribute computed by C: getter gets self; setter returns false
                                 on error, with value VALUE_UNSET for deletion; NULL setter:
                                 read-only */
    const char *name;
    Value (*get)(GenVM *vm, Value self);
    bool (*set)(GenVM *vm, Value self, Value value);
    const char *doc;
} AttributeDef;

typedef struct NativeFunction {
    Object header; /* kind TYPE_NATIVE or TYPE_NATIVE_METHOD; flags: NATIVE_ */
    const NativeDef *def;
    NativeFn fn;
    /* For the commonest calls without keywords, before any binding: VALUE_UNSET leaves the call to
     * fn. May be NULL. */
    Value (*fast)(GenVM *vm, const Value *args, uint32_t count);
    struct Signature *signature; /* parsed on the first call */
    Value self;                  /* bound receiver, or VALUE_UNSET */
    Value module;                /* owning module's name, or VALUE_UNSET */
    struct Type *owner;          /* owning type for methods, or NULL */
    Value name;
} NativeFunction;
enum {
    NATIVE_WRAPPER = 1,     /* a dunder method that stands for a type's slot */
    NATIVE_CLASSMETHOD = 2, /* in a type's dict: binds to the class */
    NATIVE_NEW = 4,         /* a type's __new__: self is the type, not passed on */
    NATIVE_NEXT = 8,        /* next(): the interpreter resumes a generator by itself */
    NATIVE_SEND = 16,       /* generator.send, likewise */
    NATIVE_CLOSE = 32,      /* generator.close and */
    NATIVE_THROW = 64,      /* generator.throw: see generator_call_native */
    NATIVE_CALLS = 128,     /* of the host: may call script itself, and the stack may then move */
    NATIVE_RESUMES = NATIVE_NEXT | NATIVE_SEND | NATIVE_CLOSE | NATIVE_THROW,
};

/* Called by natives as their last act. Arguments are copied; at most 8 by native_call. An argument
 * may be VALUE_ERROR, as what makes it returns it: so is the result then. */
Value native_call(GenVM *vm, Value callable, int count, ...);
Value native_call_array(GenVM *vm, Value callable, uint32_t count, const Value *args);
Value native_call_spread(GenVM *vm, Value callable, Value args_tuple, Value kwargs_dict_or_unset);
Value native_resume(GenVM *vm, Value generator,
                    Value sent); /* the next value of a generator object */
Value native_throw(GenVM *vm, Value generator, Value exception); /* raises in it where it stands */
Value native_close(GenVM *vm, Value generator);
Value native_call_method(GenVM *vm, Value self, Name name, int count, ...); /* self.name(...) */

typedef enum Twin {
#define TWIN(id, module, name) TWIN_##id,
#include "vm/twins.def"
#undef TWIN
    TWIN_COUNT
} Twin;
Value native_twin(GenVM *vm, Twin twin, int count, ...);
Value native_twin_array(GenVM *vm, Twin twin, uint32_t count, const Value *args);
void native_drop_tail(
    GenVM *vm); /* forget a VALUE_TAIL that a slot returned: the caller goes another way */

/* New function objects; methods in a type come from the type's table. */
Value native_function_new(GenVM *vm, const NativeDef *def, Value self, Value module_name);

/* ---- what a builtin type is, in C
 * ----------------------------------------------------------------------------- */

/* Slots: the C behaviour of a builtin type, inherited by subclasses as far as they do not override
 * it in script. NULL = the type does not have it. Every slot may return VALUE_ERROR or VALUE_TAIL.
 */
typedef struct TypeSlots {
    Value (*repr)(GenVM *vm, Value self);
    Value (*str)(GenVM *vm, Value self); /* NULL: repr */
    Value (*format)(GenVM *vm, Value self, Value spec);
    Value (*hash)(GenVM *vm, Value self);  /* int value; inherited NULL + hash_none: unhashable */
    Value (*truth)(GenVM *vm, Value self); /* True or False; NULL: len, else true */
    Value (*len)(GenVM *vm, Value self);
    Value (*getitem)(GenVM *vm, Value self, Value key);
    Value (*setitem)(GenVM *vm, Value self, Value key,
                     Value value); /* value VALUE_UNSET deletes; returns None */
    Value (*contains)(GenVM *vm, Value self, Value item); /* True or False */
    Value (*iter)(GenVM *vm, Value self);
    Value (*next)(GenVM *vm, Value self); /* VALUE_END when exhausted */
    /* The same for iterators of pairs, whose items come to lie in out[0] and out[1]: None, or what
     * `next` returns instead of a pair; VALUE_UNSET: ask `next`. May be NULL. */
    Value (*next_two)(GenVM *vm, Value self, Value *out);
    Value (*binary)(GenVM *vm, BinaryOp op, Value left,
                    Value right); /* VALUE_NOT_IMPLEMENTED: try the other side */
    Value (*inplace)(GenVM *vm, BinaryOp op, Value left, Value right);
    Value (*unary)(GenVM *vm, Special op, Value self); /* SP_NEG, SP_POS, SP_INVERT, SP_ABS */
    Value (*compare)(GenVM *vm, CompareOp op, Value left,
                     Value right);            /* VALUE_NOT_IMPLEMENTED as above */
    Value (*to_int)(GenVM *vm, Value self);   /* __int__ */
    Value (*to_index)(GenVM *vm, Value self); /* __index__ */
    Value (*to_float)(GenVM *vm, Value self); /* __float__ */
    Value (*call)(GenVM *vm, Value self, Value args_tuple, Value kwargs_dict_or_unset);
    Value (*getattr)(GenVM *vm, Value self, Value name); /* replaces the generic lookup */
    Value (*setattr)(GenVM *vm, Value self, Value name,
                     Value value); /* value VALUE_UNSET deletes; returns None */
    Value (*descr_get)(GenVM *vm, Value self, Value instance_or_unset, Value owner);
    Value (*descr_set)(GenVM *vm, Value self, Value instance,
                       Value value_or_unset); /* returns None */
    void (*trace)(GenVM *vm, Object *object); /* marks what the object refers to; NULL: nothing */
    void (*finalize)(GenVM *vm,
                     Object *object); /* release outside resources; runs no script code */
    const struct ImageLayout *image;  /* how objects are saved (image.h); NULL: they cannot be, or
                                         image_fields.c knows */
    const struct ImageCustom *custom; /* or how else (image_custom.h) */
} TypeSlots;

enum {                  /* BuiltinType.flags */
       TYPE_FINAL = 1,  /* cannot be subclassed: "type 'bool' is not an acceptable base type" */
       TYPE_NO_NEW = 2, /* cannot be called: "cannot create 'generator' instances" */
       TYPE_UNHASHABLE = 4,
       TYPE_SEQUENCE = 8,    /* matches [..] patterns */
       TYPE_MAPPING = 16,    /* matches {..} patterns */
       TYPE_MATCH_SELF = 32, /* int(x) in a pattern binds the subject itself */
       TYPE_HAS_DICT = 64,   /* instances take attributes even without subclassing */
};

typedef struct BuiltinType {
    const char *name;   /* "list" */
    const char *module; /* NULL: builtins */
    TypeId base;        /* TYPE_OBJECT unless said */
    uint32_t flags;
    uint32_t size; /* bytes of the fixed part of an instance */
    const char *doc;
    const NativeDef *construct; /* calling the type: first parameter `cls`; NULL with TYPE_NO_NEW.
                                   Makes and fills an instance of exactly this type or, for a
                                   subclass that overrides neither __new__ nor
                                   __init__, of cls */
    const NativeDef
        *methods; /* ends with {NULL}; may hold "static __new__(cls, ...)" and "__init__(self, ...)"
                     for subclasses that override one of them; a mutable container has both */
    const NativeFast *fast_methods; /* ends with {NULL}; may be NULL */
    const AttributeDef *attributes; /* ends with {NULL} */
    TypeSlots slots;
    /* Which operators of `binary`, `inplace` and `unary` show as methods (x.__add__): bits 1 <<
     * BINARY_x, for unary 1 << (SP_x - SP_NEG). The builtin types' are listed in slot_wrappers.c
     * instead. */
    uint32_t forward, reflected, in_place, unary;
    /* NativeFunction.fast of `construct`: args[0] is the class. May be NULL. */
    Value (*construct_fast)(GenVM *vm, const Value *args, uint32_t count);
} BuiltinType;

/* ---- leaf operations: what C may do to any value without running script code
 * ---------------------------------- */

typedef enum Leaf { LEAF_FALSE = 0, LEAF_TRUE = 1, LEAF_ERROR = -1, LEAF_SCRIPT = -2 } Leaf;
Leaf leaf_equal(GenVM *vm, Value a,
                Value b); /* a == b (identity counts as equal, as containers do) */
Leaf leaf_compare(GenVM *vm, CompareOp op, Value a, Value b); /* a op b; TypeError if unsupported */
Leaf leaf_truth(GenVM *vm, Value v);
Leaf leaf_hash(GenVM *vm, Value v,
               uint64_t *hash); /* LEAF_TRUE when *hash is set; "unhashable type: 'list'" */
Value leaf_repr(GenVM *vm,
                Value v); /* str, VALUE_ERROR, or VALUE_TAIL (drop it and go to your twin) */
Value leaf_str(GenVM *vm, Value v);
Value leaf_next(
    GenVM *vm,
    Value iterator); /* native iterators only: item, VALUE_END, VALUE_ERROR, VALUE_TAIL */
Value leaf_iter(GenVM *vm,
                Value iterable); /* iterator of a native iterable, VALUE_ERROR, VALUE_TAIL */

/* The items of exactly a list or tuple (no copy, valid until the list changes), else NULL. */
const Value *leaf_items(Value v, uint64_t *count);

/* Loops whose length the program chooses: charge `steps` units. False: stop and return VALUE_ERROR;
 * an exception is pending: an interrupt, or MemoryError where a native goes far beyond the budget
 * of its task. */
bool native_charge(GenVM *vm, uint64_t steps);

/* The same for work that cannot be stopped midway: the task looks at its budget when the native has
 * returned. */
void native_spend(GenVM *vm, uint64_t steps);

/* As native_charge, before work that is done in one piece: false, having changed nothing, means
 * that the task has to be given more first: return VALUE_ERROR at once. The instruction is run anew
 * then. */
bool native_afford(GenVM *vm, uint64_t steps);

/* As native_charge, between pieces of work that has had no effect yet and for which `before` steps
 * were paid: false also when the steps do not fit the budget, or its deadline has come; the task
 * stops before the instruction, which is run anew when there is more. */
bool native_pay(GenVM *vm, uint64_t steps, uint64_t before);

/* Between pieces of work that is paid for and has had no effect yet: false when it is interrupted,
 * or the deadline has come. */
bool native_look(GenVM *vm);

/* As native_charge, in work that has had no effect yet: false also when the deadline has come: the
 * task stops before the instruction, where that can be run anew. */
bool native_work(GenVM *vm, uint64_t steps);

/* As native_charge, between the items of work that can go on later from what it has noted:
 * LEAF_FALSE when the budget is spent. The native then hands over to a twin, where the task stops,
 * and which has the native do the rest. LEAF_ERROR: an exception is pending. */
Leaf native_turn(GenVM *vm, uint64_t steps);
/* The same when what was to be done with an item has stopped before the instruction: it is left for
 * the twin, with the item. */
bool native_leaves_item(GenVM *vm);

/* Where the next such look is due in a loop over `count` items that is at `i`. */
static inline uint64_t native_piece(uint64_t i, uint64_t count) {
    return count - i < 0x10000 ? count : i + 0x10000;
}

/* Such a look in the turns of a loop, once in 65,536. */
static inline bool native_glance(GenVM *vm, uint64_t turn) {
    return likely((turn & 0xFFFF) != 0xFFFF) || native_look(vm);
}

/* As memset, with such looks: false, when part of it is filled. */
bool native_fill(GenVM *vm, void *to, int byte, size_t size);

/* Before work in one piece that takes at least so long: false when its deadline would have come by
 * then. The task stops before the instruction. */
bool native_foresee(GenVM *vm, uint64_t nanoseconds);

/* As memcpy, with such looks: false, when part of it is copied. */
bool native_copy_long(GenVM *vm, void *to, const void *from, size_t size);
static inline bool native_copy(GenVM *vm, void *to, const void *from, size_t size) {
    enum { SHORT = 1 << 20 };
    if (unlikely(size > SHORT)) return native_copy_long(vm, to, from, size);
    if (size) memcpy(to, from, size);
    return true;
}

/* Where much is put together of parts: `out` is where the next one of `size` bytes goes, `*looked`
 * where the last look was. */
static inline bool native_copied(GenVM *vm, char **looked, char *out, size_t size) {
    enum { SHORT = 1 << 20 };
    if (likely((size_t)(out - *looked) + size < SHORT)) return true;
    *looked = out;
    return native_look(vm);
}

/* The bytes in reverse, with such looks. */
bool native_reverse(GenVM *vm, char *to, const char *from, size_t size);

/* What was put at the start of `data` again and again, each time what is there already. */
bool native_repeat(GenVM *vm, void *data, size_t size, size_t total);

/* The same for work made of smaller pieces that ask for themselves: between the two, they get what
 * they ask for. */
bool native_begin(GenVM *vm, uint64_t steps);
void native_end(GenVM *vm);

/* Recursion of C functions over nested data (repr, compare, hash of nested containers): bounded.
 * False with RecursionError pending. */
bool native_enter(GenVM *vm);
/* The same in work that has had no effect yet: false also when the deadline has come. */
bool native_enter_work(GenVM *vm);
void native_leave(GenVM *vm);
/* Leaves, with the result. */
static inline Value native_left(GenVM *vm, Value result) {
    native_leave(vm);
    return result;
}

#endif
