/* object.h - what lies behind a pointer value: the header every object starts with, and the layouts
 * that several files must know. A layout that only its own type's file needs is private to that
 * file under vm/objects/.
 */
#ifndef GEN_OBJECT_H
#define GEN_OBJECT_H

#include "vm/value.h"

typedef uint64_t Instr; /* see code.h */

typedef enum TypeId {
#define TYPE(id, variable) TYPE_##id,
#include "vm/types.def"
#undef TYPE
    TYPE_KIND_COUNT,
    TYPE_BEFORE_EXCEPTIONS = TYPE_KIND_COUNT - 1,
#define EXCEPTION(id, name, base) EXC_##id,
#include "vm/exceptions.def"
#undef EXCEPTION
    TYPE_COUNT,
    EXC_BASE_EXCEPTION = TYPE_BASE_EXCEPTION,
    KIND_EXCEPTION = TYPE_BASE_EXCEPTION, /* the kind of all instances of exception classes */
} TypeId;

typedef enum Special {
#define SPECIAL(id, name) SP_##id,
#include "vm/specials.def"
#undef SPECIAL
    SPECIAL_COUNT
} Special;

typedef enum Name {
#define NAME(id) NAME_##id,
#include "vm/names.def"
#undef NAME
    NAME_COUNT
} Name;

/* Operators, in the order of specials.def: SP_ADD + op is the forward method, SP_RADD + op the
 * reflected one. */
typedef enum BinaryOp {
    BINARY_ADD,
    BINARY_SUB,
    BINARY_MUL,
    BINARY_DIV,
    BINARY_FLOORDIV,
    BINARY_MOD,
    BINARY_POW,
    BINARY_MATMUL,
    BINARY_LSHIFT,
    BINARY_RSHIFT,
    BINARY_AND,
    BINARY_OR,
    BINARY_XOR,
    BINARY_DIVMOD,
    BINARY_COUNT
} BinaryOp;
typedef enum CompareOp {
    COMPARE_LT,
    COMPARE_LE,
    COMPARE_EQ,
    COMPARE_NE,
    COMPARE_GT,
    COMPARE_GE
} CompareOp;

/* Object.gc */
enum {
    GC_MARKED = 1,
    GC_REMEMBERED = 2,
    GC_PERMANENT = 4,
    GC_LARGE = 8,
    GC_FINALIZABLE = 16,
    GC_IDENTIFIED = 32, /* its number was asked for (identity.h) */
    GC_RENAMED = 64,    /* and is not its address */
    GC_LEFT = 128       /* has a finalizer; a save has found it alive outside of the image */
};

struct Object {
    uint32_t
        shape; /* index into vm->shapes: gives the type and, for instances, the attribute layout */
    uint8_t
        kind; /* TypeId of the layout: TYPE_LIST for a list and for instances of its subclasses */
    uint8_t state; /* containers, numbers, strings: 0 = exactly the builtin type, OBJECT_SUBCLASS =
                      of a subclass. functions: the parameter count if a plain call of that many
                      arguments needs no binding, else FUNCTION_COMPLEX. generators: GeneratorState.
                      instances: number of inline slots */
    uint8_t gc;    /* GC_ bits; owned by gc.c */
    uint8_t flags; /* meaning per kind (STR_ASCII, ...) */
};
enum { OBJECT_SUBCLASS = 1, FUNCTION_COMPLEX = 255 };
enum { FUNCTION_PLAIN_REGS = 250 }; /* what the stack's red zone holds without a check */
enum {
    NEVER_METHOD = 4
}; /* flag of functions: in a class, too, they get no instance, as those in C */
enum { LIKE_NATIVE = 1 }; /* flags of functions and properties: see bind_like_native.c */
/* Function's flags: a call with exactly the positional parameters makes a generator, coroutine, ...
 */
enum { FUNCTION_GENERATOR = 2 };

/* The kind and state bytes read as one: one compare says "exactly a list", "a function of two
 * parameters". */
#define OBJECT_KEY(kind, state) ((uint16_t)((kind) | (state) << 8))
static inline uint16_t object_key(const Object *object) {
    uint16_t key;
    memcpy(&key, &object->kind, 2);
    return key;
}

/* Sets the state by a store of both bytes, as object_key reads them: a processor cannot hand a load
 * what comes from two stores, and waits for the memory. */
static inline void object_set_state(Object *object, uint8_t state) {
    *(volatile uint16_t *)&object->kind = (uint16_t)(object->kind | state << 8);
}

static inline bool is_kind(Value v, TypeId kind) {
    return is_object(v) && as_object(v)->kind == kind;
}
/* v is exactly of that builtin type, not of a subclass (containers, strings, numbers only) */
static inline bool is_exact(Value v, TypeId kind) {
    return is_object(v) && object_key(as_object(v)) == OBJECT_KEY(kind, 0);
}

/* The singletons are constants of the library, shared by all VMs, never marked, never freed. */
extern const Object gen_singletons[5];
#define VALUE_NONE object_value(&gen_singletons[0])
#define VALUE_FALSE object_value(&gen_singletons[1])
#define VALUE_TRUE object_value(&gen_singletons[2])
#define VALUE_NOT_IMPLEMENTED object_value(&gen_singletons[3])
#define VALUE_ELLIPSIS object_value(&gen_singletons[4])
static inline Value bool_value(bool b) {
    return object_value(&gen_singletons[1 + b]);
}
static inline bool is_bool(Value v) {
    return v == VALUE_FALSE || v == VALUE_TRUE;
}

/* Growable storage: a heap object of its own, kept alive by the object that points to it (see
 * gc.h). */
typedef struct Buffer {
    Object header;
    uint64_t capacity; /* bytes of data */
    uint8_t data[];
} Buffer;

typedef struct FloatBox { /* a float whose magnitude is outside the immediate range, or of a
                             subclass of float */
    Object header;
    double number;
} FloatBox;

/* An int beyond 62 bits, or of a subclass of int (then any magnitude). Magnitude in little-endian
 * limbs, no leading zero limb; `size` is the limb count, negative for a negative number, 0 for
 * zero. */
typedef struct BigInt {
    Object header;
    int64_t size;
    uint64_t limbs[];
} BigInt;

/* Text as UTF-8 (surrogates as WTF-8). `data` points behind the struct, or into the shared buffer
 * `owner`: a concatenation may extend the buffer in place behind the end of its left operand, so `s
 * += x` is amortised O(len(x)). Not NUL-terminated in general. */
typedef struct Str {
    Object header;   /* flags: STR_ */
    uint64_t hash;   /* 0 = not computed yet; equal for equal text within a VM */
    uint32_t size;   /* bytes */
    uint32_t length; /* code points */
    const char *data;
    Object *extra; /* NULL, the Buffer that data lies in, or a StrIndex (str.c) */
} Str;
enum { STR_ASCII = 1, STR_INTERNED = 2, STR_SURROGATES = 4 };

typedef struct Bytes { /* bytes: immutable, data inline */
    Object header;
    uint64_t hash; /* 0 = not computed yet */
    uint64_t size;
    uint8_t data[]; /* size bytes and a NUL */
} Bytes;

typedef struct ByteArray {
    Object header;
    uint64_t size;
    uint64_t exports; /* memoryviews that forbid resizing */
    Buffer *buffer;   /* NULL when empty */
} ByteArray;

typedef struct List {
    Object header;
    uint64_t count;
    uint64_t capacity;
    Value *items; /* == (Value *)buffer->data; NULL when capacity is 0 */
    Buffer *buffer;
} List;

typedef struct Tuple {
    Object header;
    uint64_t count;
    Value items[];
} Tuple;

/* A compact, insertion-ordered hash table: `entries` in order of insertion, with holes (key
 * VALUE_UNSET) where one was deleted; `index` maps hashes to entry numbers. Private to dict.c but
 * for entries and version, which the instructions for globals read. */
typedef struct DictEntry {
    Value key; /* VALUE_UNSET: a deleted entry */
    Value value;
    uint64_t hash;
} DictEntry;
typedef struct Dict {
    Object header;
    uint32_t used;      /* entries in use, holes included */
    uint32_t count;     /* live entries: len(d) */
    uint32_t version;   /* changes when a key is added or removed (not when a value is replaced) */
    uint32_t capacity;  /* entries that fit */
    DictEntry *entries; /* in `buffer` */
    void *index;        /* in `buffer`: uint8_t, uint16_t or uint32_t slots, by index_mask */
    Buffer *buffer;
    uint32_t index_mask; /* slots of the index, less one */
    uint32_t
        filled; /* slots of the index that are taken, for ever: at capacity the table is rebuilt */
    uint32_t first; /* no live entry comes before this one */
} Dict;

typedef struct Range { /* start, stop, step and length are int values of any size */
    Object header;
    Value start, stop, step, length;
} Range;
typedef struct RangeIterator { /* small ints only; ranges beyond use the sequence iterator on Range
                                */
    Object header;
    int64_t next, remaining, step;
} RangeIterator;
typedef struct ListIterator { /* list, tuple, str, bytes, ... iterators: a container and a position
                               */
    Object header;
    Value container; /* VALUE_UNSET once exhausted */
    int64_t index;   /* items; for str iterators the byte offset */
} ListIterator;
typedef struct DictIterator {
    Object header;
    Value dict;       /* dict or set; VALUE_UNSET once exhausted */
    uint32_t index;   /* entry number */
    uint32_t count;   /* the count at the start: a change raises RuntimeError */
    uint32_t version; /* with which it is cheap to notice that nothing changed */
    uint32_t remaining;
} DictIterator;

typedef struct Slice {
    Object header;
    Value start, stop, step;
} Slice;

typedef struct Cell {
    Object header;
    Value value; /* VALUE_UNSET: unbound */
} Cell;

typedef struct Method { /* a bound method: function (any callable) and the object it is bound to */
    Object header;
    Value function, self;
} Method;

/* A function written in Gen. Everything but the first block may be changed by the script through
 * attributes. */
typedef struct Function {
    Object
        header;         /* state: the parameter count when a call with exactly that many positional
                           arguments needs no      binding (no *args, **kwargs or keyword-only parameters,
                           no         generator or coroutine, below 255),      else FUNCTION_COMPLEX */
    const Instr *entry; /* == code->instrs */
    Value *consts;      /* == code->consts */
    struct Code *code;
    Dict *globals;
    Tuple *closure;   /* cells; NULL without free variables */
    Tuple *defaults;  /* of the last positional parameters; NULL without */
    Dict *kwdefaults; /* NULL without */
    Value name, qualname;
    Value module;      /* __module__; VALUE_UNSET: the globals' __name__ */
    Value doc;         /* VALUE_UNSET: the code's */
    Value annotate;    /* function or VALUE_UNSET */
    Value annotations; /* dict, VALUE_UNSET until asked for */
    Value type_params; /* tuple or VALUE_UNSET */
    Dict *dict;        /* __dict__, NULL until asked for */
    uint32_t regs;     /* == code->regs */
} Function;

/* Descriptors. */
typedef struct Property {
    Object header;
    Value fget, fset, fdel; /* callable or None */
    Value doc;              /* VALUE_UNSET: the getter's */
    Value name;             /* VALUE_UNSET: the getter's */
    Value attributes;       /* Dict of subclasses' instances, or VALUE_UNSET */
} Property;
typedef struct Wrapping { /* classmethod, staticmethod */
    Object header;
    Value callable;
    Value attributes; /* Dict or VALUE_UNSET */
} Wrapping;
typedef struct Member { /* a name in __slots__ */
    Object header;
    Value name;
    struct Type *owner;
    uint32_t slot; /* inline slot of instances; MEMBER_IN_EXTRA where instances are of a builtin's
                      layout */
} Member;
enum { MEMBER_IN_EXTRA = UINT32_MAX };
typedef struct GetSet { /* an attribute computed by C */
    Object header;
    const struct AttributeDef *def;
    struct Type *owner;
    Value name;
} GetSet;
typedef struct Super {
    Object header;
    struct Type *type;     /* attributes are looked up behind this one in obj_type's MRO */
    Value obj;             /* instance or class; VALUE_UNSET: unbound */
    struct Type *obj_type; /* NULL: unbound */
} Super;

typedef struct Module {
    Object header;
    Dict *dict;
    Value name;
    void *state; /* a native module's own data, in a Buffer kept by state_owner */
    Object *state_owner;
    Value original; /* tuple of names and values: image_modules.c; of a user's module none */
} Module;

/* An instance of a class. Attributes lie in the inline slots by the order its shape gives;
 * header.state is their number. `extra` is VALUE_UNSET, or a Tuple for the attributes beyond, or
 * the Dict that holds all attributes once
 * __dict__ was asked for (then the shape is its type's dict shape). The first slots are those of
 * __slots__, if any: VALUE_UNSET while unassigned. */
typedef struct Instance {
    Object header;
    Value extra;
    Value slots[];
} Instance;

/* BaseException and all its subclasses, builtin or not. Attributes that only some builtin classes
 * have live in `value`: the one of StopIteration and SystemExit as it is, those of OSError,
 * SyntaxError, ... as a List in the order that exception.c gives. */
typedef struct Exception {
    Object header;
    Value args;       /* tuple */
    Value cause;      /* VALUE_UNSET or exception or None */
    Value context;    /* VALUE_UNSET or exception */
    Value traceback;  /* VALUE_UNSET or TracebackObject */
    Value attributes; /* VALUE_UNSET or Dict: __dict__, made on demand */
    Value value;      /* see above; VALUE_UNSET when not set */
    bool suppress_context;
} Exception;

typedef struct HostObject { /* natively implemented types of modules and hosts */
    Object header;
    uint64_t size;    /* bytes of payload */
    Value attributes; /* Dict of script-set attributes of subclasses, or VALUE_UNSET */
    _Alignas(16) uint8_t payload[];
} HostObject;

#define AS(Struct, v) ((Struct *)as_object(v))
#define AS_STR(v) AS(Str, v)
#define AS_LIST(v) AS(List, v)
#define AS_TUPLE(v) AS(Tuple, v)
#define AS_DICT(v) AS(Dict, v)

static inline bool value_is_int(Value v) {
    return is_int(v) || is_kind(v, TYPE_INT);
} /* without bool */
static inline bool value_is_intlike(Value v) {
    return is_int(v) || is_kind(v, TYPE_INT) || is_bool(v);
}
/* Exactly an int or a float, no instance of a subclass: nothing about it can be overridden. */
static inline bool value_is_plain_number(Value v) {
    return is_int(v) || is_float(v) || is_exact(v, TYPE_INT) || is_exact(v, TYPE_FLOAT);
}
static inline bool value_is_float(Value v) {
    return is_float(v) || is_kind(v, TYPE_FLOAT);
}
static inline double value_float(Value v) {
    return is_float(v) ? as_float(v) : AS(FloatBox, v)->number;
}
static inline bool value_is_str(Value v) {
    return is_kind(v, TYPE_STR);
}

#endif
