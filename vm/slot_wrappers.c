/* slot_wrappers.c - the special methods (`__len__`, `__add__`, ...) of types written in C, made
 * from their slots.
 *
 * One table says which method stands for which slot. A type's dict gets a wrapper for each slot
 * that the type itself fills, unless its table lists a method of that name. The wrapper is an
 * ordinary native method; when it runs, vm->callee is its function object, which names the type
 * whose slot is meant: `object.__repr__(5)` is not `int.__repr__(5)`.
 */
#include "vm/type_private.h"

#include <stddef.h>

typedef struct SlotWrapper {
    NativeDef def; /* first: vm->callee->def is the entry */
    uint16_t slot; /* offset in TypeSlots */
    uint16_t op;   /* BinaryOp, CompareOp or Special */
} SlotWrapper;

static const TypeSlots *slots_of_callee(GenVM *vm) {
    return &vm->callee->owner->slots;
}
static unsigned op_of_callee(GenVM *vm) {
    return ((const SlotWrapper *)(const void *)vm->callee->def)->op;
}

/* ---- the wrappers: one a shape of slot ---- */

#define WRAP_UNARY(slot)                                                                           \
    static Value wrap_##slot(GenVM *vm, Value *args) {                                             \
        return slots_of_callee(vm)->slot(vm, args[0]);                                             \
    }
#define WRAP_BINARY(slot)                                                                          \
    static Value wrap_##slot(GenVM *vm, Value *args) {                                             \
        return slots_of_callee(vm)->slot(vm, args[0], args[1]);                                    \
    }

WRAP_UNARY(repr)
WRAP_UNARY(str)
WRAP_BINARY(format)
WRAP_UNARY(hash)
WRAP_UNARY(truth)
WRAP_UNARY(len)
WRAP_BINARY(getitem)
WRAP_BINARY(contains)
WRAP_UNARY(iter)
WRAP_UNARY(to_int)
WRAP_UNARY(to_index)
WRAP_UNARY(to_float)
WRAP_BINARY(getattr)

static Value wrap_setitem(GenVM *vm, Value *args) {
    return slots_of_callee(vm)->setitem(vm, args[0], args[1], args[2]);
}
static Value wrap_delitem(GenVM *vm, Value *args) {
    return slots_of_callee(vm)->setitem(vm, args[0], args[1], VALUE_UNSET);
}
static Value wrap_setattr(GenVM *vm, Value *args) {
    return slots_of_callee(vm)->setattr(vm, args[0], args[1], args[2]);
}
static Value wrap_delattr(GenVM *vm, Value *args) {
    return slots_of_callee(vm)->setattr(vm, args[0], args[1], VALUE_UNSET);
}

static Value wrap_next(GenVM *vm, Value *args) {
    Value item = slots_of_callee(vm)->next(vm, args[0]);
    return item == VALUE_END ? raise_stop_iteration(vm, VALUE_NONE) : item;
}

static Value wrap_call(GenVM *vm, Value *args) {
    return slots_of_callee(vm)->call(vm, args[0], args[1], args[2]);
}

static Value wrap_get(GenVM *vm, Value *args) {
    Value instance = args[1] == VALUE_NONE ? VALUE_UNSET : args[1];
    Value owner = args[2] == VALUE_NONE && instance != VALUE_UNSET
                      ? object_value(type_of(vm, instance))
                      : args[2];
    if (instance == VALUE_UNSET && owner == VALUE_NONE)
        return raise_type(vm, "__get__(None, None) is invalid");
    return slots_of_callee(vm)->descr_get(vm, args[0], instance, owner);
}
static Value wrap_set(GenVM *vm, Value *args) {
    return slots_of_callee(vm)->descr_set(vm, args[0], args[1], args[2]);
}
static Value wrap_delete(GenVM *vm, Value *args) {
    return slots_of_callee(vm)->descr_set(vm, args[0], args[1], VALUE_UNSET);
}

static Value wrap_compare(GenVM *vm, Value *args) {
    return slots_of_callee(vm)->compare(vm, (CompareOp)op_of_callee(vm), args[0], args[1]);
}
static Value wrap_forward(GenVM *vm, Value *args) {
    return slots_of_callee(vm)->binary(vm, (BinaryOp)op_of_callee(vm), args[0], args[1]);
}
static Value wrap_reflected(GenVM *vm, Value *args) {
    return slots_of_callee(vm)->binary(vm, (BinaryOp)op_of_callee(vm), args[1], args[0]);
}
static Value wrap_in_place(GenVM *vm, Value *args) {
    return slots_of_callee(vm)->inplace(vm, (BinaryOp)op_of_callee(vm), args[0], args[1]);
}
static Value wrap_unary(GenVM *vm, Value *args) {
    return slots_of_callee(vm)->unary(vm, (Special)op_of_callee(vm), args[0]);
}

/* pow(x, y, modulus) is for ints alone. */
static Value power_modulo(GenVM *vm, Value x, Value y, Value modulus) {
    if (value_is_float(x) || value_is_float(y))
        return raise_type(vm, "pow() 3rd argument not allowed unless all arguments are integers");
    if (is_kind(x, TYPE_COMPLEX) || is_kind(y, TYPE_COMPLEX))
        return raise_value(vm, "complex modulo");
    if (!value_is_intlike(x) || !value_is_intlike(y) || !value_is_intlike(modulus))
        return VALUE_NOT_IMPLEMENTED;
    return int_power_mod(vm, x, y, modulus);
}
static Value wrap_pow(GenVM *vm, Value *args) {
    if (args[2] == VALUE_NONE) return wrap_forward(vm, args);
    return power_modulo(vm, args[0], args[1], args[2]);
}
static Value wrap_rpow(GenVM *vm, Value *args) {
    if (args[2] == VALUE_NONE) return wrap_reflected(vm, args);
    return power_modulo(vm, args[1], args[0], args[2]);
}

/* ---- the table ---- */

#define SLOT(member) offsetof(TypeSlots, member)

static const SlotWrapper plain_wrappers[] = {
    {{"__repr__(self, /)", wrap_repr, "Return repr(self)."}, SLOT(repr), 0},
    {{"__str__(self, /)", wrap_str, "Return str(self)."}, SLOT(str), 0},
    {{"__format__(self, format_spec: str, /)", wrap_format, "Return str(self) formatted."},
     SLOT(format),
     0},
    {{"__hash__(self, /)", wrap_hash, "Return hash(self)."}, SLOT(hash), 0},
    {{"__bool__(self, /)", wrap_truth, "True if self else False"}, SLOT(truth), 0},
    {{"__len__(self, /)", wrap_len, "Return len(self)."}, SLOT(len), 0},
    {{"__getitem__(self, key, /)", wrap_getitem, "Return self[key]."}, SLOT(getitem), 0},
    {{"__setitem__(self, key, value, /)", wrap_setitem, "Set self[key] to value."},
     SLOT(setitem),
     0},
    {{"__delitem__(self, key, /)", wrap_delitem, "Delete self[key]."}, SLOT(setitem), 0},
    {{"__contains__(self, key, /)", wrap_contains, "Return bool(key in self)."}, SLOT(contains), 0},
    {{"__iter__(self, /)", wrap_iter, "Implement iter(self)."}, SLOT(iter), 0},
    {{"__next__(self, /)", wrap_next, "Implement next(self)."}, SLOT(next), 0},
    {{"__int__(self, /)", wrap_to_int, "int(self)"}, SLOT(to_int), 0},
    {{"__index__(self, /)", wrap_to_index,
      "Return self converted to an integer, if self is suitable for use as an index."},
     SLOT(to_index),
     0},
    {{"__float__(self, /)", wrap_to_float, "float(self)"}, SLOT(to_float), 0},
    {{"__call__(self, /, *args, **kwargs)", wrap_call, "Call self as a function."}, SLOT(call), 0},
    {{"__getattribute__(self, name: str, /)", wrap_getattr, "Return getattr(self, name)."},
     SLOT(getattr),
     0},
    {{"__setattr__(self, name: str, value, /)", wrap_setattr,
      "Implement setattr(self, name, value)."},
     SLOT(setattr),
     0},
    {{"__delattr__(self, name: str, /)", wrap_delattr, "Implement delattr(self, name)."},
     SLOT(setattr),
     0},
    {{"__get__(self, instance, owner=None, /)", wrap_get,
      "Return an attribute of instance, which is of type owner."},
     SLOT(descr_get),
     0},
    {{"__set__(self, instance, value, /)", wrap_set, "Set an attribute of instance to value."},
     SLOT(descr_set),
     0},
    {{"__delete__(self, instance, /)", wrap_delete, "Delete an attribute of instance."},
     SLOT(descr_set),
     0},
    {{"__lt__(self, value, /)", wrap_compare, "Return self<value."}, SLOT(compare), COMPARE_LT},
    {{"__le__(self, value, /)", wrap_compare, "Return self<=value."}, SLOT(compare), COMPARE_LE},
    {{"__eq__(self, value, /)", wrap_compare, "Return self==value."}, SLOT(compare), COMPARE_EQ},
    {{"__ne__(self, value, /)", wrap_compare, "Return self!=value."}, SLOT(compare), COMPARE_NE},
    {{"__gt__(self, value, /)", wrap_compare, "Return self>value."}, SLOT(compare), COMPARE_GT},
    {{"__ge__(self, value, /)", wrap_compare, "Return self>=value."}, SLOT(compare), COMPARE_GE},
};

#define BINARY(name, id, symbol)                                                                   \
    {                                                                                              \
        {{"__" name "__(self, value, /)", wrap_forward, "Return self" symbol "value."},            \
         SLOT(binary),                                                                             \
         BINARY_##id},                                                                             \
            {{"__r" name "__(self, value, /)", wrap_reflected, "Return value" symbol "self."},     \
             SLOT(binary),                                                                         \
             BINARY_##id},                                                                         \
        {                                                                                          \
            {"__i" name "__(self, value, /)", wrap_in_place, "Return self" symbol "=value."},      \
                SLOT(inplace), BINARY_##id                                                         \
        }                                                                                          \
    }

static const SlotWrapper binary_wrappers[BINARY_COUNT][3] = {
    BINARY("add", ADD, "+"),
    BINARY("sub", SUB, "-"),
    BINARY("mul", MUL, "*"),
    BINARY("truediv", DIV, "/"),
    BINARY("floordiv", FLOORDIV, "//"),
    BINARY("mod", MOD, "%"),
    {{{"__pow__(self, value, mod=None, /)", wrap_pow, "Return pow(self, value, mod)."},
      SLOT(binary),
      BINARY_POW},
     {{"__rpow__(self, value, mod=None, /)", wrap_rpow, "Return pow(value, self, mod)."},
      SLOT(binary),
      BINARY_POW},
     {{"__ipow__(self, value, /)", wrap_in_place, "Return self**=value."},
      SLOT(inplace),
      BINARY_POW}},
    BINARY("matmul", MATMUL, "@"),
    BINARY("lshift", LSHIFT, "<<"),
    BINARY("rshift", RSHIFT, ">>"),
    BINARY("and", AND, "&"),
    BINARY("or", OR, "|"),
    BINARY("xor", XOR, "^"),
    {{{"__divmod__(self, value, /)", wrap_forward, "Return divmod(self, value)."},
      SLOT(binary),
      BINARY_DIVMOD},
     {{"__rdivmod__(self, value, /)", wrap_reflected, "Return divmod(value, self)."},
      SLOT(binary),
      BINARY_DIVMOD},
     {{NULL, NULL, NULL}, 0, 0}},
};

static const SlotWrapper unary_wrappers[] = {
    {{"__neg__(self, /)", wrap_unary, "-self"}, SLOT(unary), SP_NEG},
    {{"__pos__(self, /)", wrap_unary, "+self"}, SLOT(unary), SP_POS},
    {{"__invert__(self, /)", wrap_unary, "~self"}, SLOT(unary), SP_INVERT},
    {{"__abs__(self, /)", wrap_unary, "abs(self)"}, SLOT(unary), SP_ABS},
};

/* ---- which operators a builtin type has ---- */

typedef struct Operators {
    uint32_t forward, reflected, in_place, unary;
} Operators;

#define BIT(op) (1u << BINARY_##op)
#define ARITHMETIC (BIT(ADD) | BIT(SUB) | BIT(MUL) | BIT(DIV) | BIT(POW))
#define REAL (ARITHMETIC | BIT(FLOORDIV) | BIT(MOD) | BIT(DIVMOD))
#define BITWISE (BIT(AND) | BIT(OR) | BIT(XOR))
#define INTEGER (REAL | BITWISE | BIT(LSHIFT) | BIT(RSHIFT))
#define SEQUENCE_OPS (BIT(ADD) | BIT(MUL))
#define SET_OPS (BITWISE | BIT(SUB))
#define UNARY_BIT(op) (1u << (SP_##op - SP_NEG))
#define SIGNED (UNARY_BIT(NEG) | UNARY_BIT(POS) | UNARY_BIT(ABS))

static Operators builtin_operators(const Type *type) {
    switch (type->id) {
    case TYPE_INT: return (Operators){INTEGER, INTEGER, 0, SIGNED | UNARY_BIT(INVERT)};
    case TYPE_BOOL: return (Operators){BITWISE, BITWISE, 0, UNARY_BIT(INVERT)};
    case TYPE_FLOAT: return (Operators){REAL, REAL, 0, SIGNED};
    case TYPE_COMPLEX: return (Operators){ARITHMETIC, ARITHMETIC, 0, SIGNED};
    case TYPE_STR:
    case TYPE_BYTES: return (Operators){SEQUENCE_OPS | BIT(MOD), BIT(MUL) | BIT(MOD), 0, 0};
    case TYPE_BYTEARRAY:
        return (Operators){SEQUENCE_OPS | BIT(MOD), BIT(MUL) | BIT(MOD), SEQUENCE_OPS, 0};
    case TYPE_LIST: return (Operators){SEQUENCE_OPS, BIT(MUL), SEQUENCE_OPS, 0};
    case TYPE_TUPLE: return (Operators){SEQUENCE_OPS, BIT(MUL), 0, 0};
    case TYPE_DICT: return (Operators){BIT(OR), BIT(OR), BIT(OR), 0};
    case TYPE_SET: return (Operators){SET_OPS, SET_OPS, SET_OPS, 0};
    case TYPE_FROZENSET:
    case TYPE_DICT_KEYS:
    case TYPE_DICT_ITEMS: return (Operators){SET_OPS, SET_OPS, 0, 0};
    case TYPE_TYPE:
    case TYPE_NONE:
    case TYPE_MAPPING_PROXY:
    case TYPE_GENERIC_ALIAS:
    case TYPE_UNION: return (Operators){BIT(OR), BIT(OR), 0, 0};
    default:
        return (Operators){type->def->forward, type->def->reflected, type->def->in_place,
                           type->def->unary};
    }
}

/* ---- filling a dict ---- */

static bool has_slot(const BuiltinType *def, uint16_t offset) {
    void (*slot)(void);
    memcpy(&slot, (const char *)&def->slots + offset, sizeof slot);
    return slot != NULL;
}

static bool add(GenVM *vm, Type *type, Dict *dict, const SlotWrapper *wrapper) {
    if (!wrapper->def.signature || !has_slot(type->def, wrapper->slot)) return true;
    if (type->id == TYPE_TYPE && wrapper->slot == SLOT(getitem)) return true; /* list[int] */
    const char *name;
    size_t size = native_def_name(&wrapper->def, &name, NULL);
    Value key = str_intern_from(vm, name, size);
    if (key == VALUE_ERROR) return false;
    if (dict_get_str(vm, dict, key) != VALUE_UNSET) return true;
    return type_add_native(vm, type, dict, &wrapper->def, NATIVE_WRAPPER);
}

bool slot_wrappers_add(GenVM *vm, Type *type, Dict *dict) {
    for (size_t i = 0; i < sizeof plain_wrappers / sizeof *plain_wrappers; i++)
        if (!add(vm, type, dict, &plain_wrappers[i])) return false;
    Operators operators = builtin_operators(type);
    for (uint32_t op = 0; op < BINARY_COUNT; op++) {
        uint32_t bit = 1u << op;
        if (operators.forward & bit && !add(vm, type, dict, &binary_wrappers[op][0])) return false;
        if (operators.reflected & bit && !add(vm, type, dict, &binary_wrappers[op][1]))
            return false;
        if (operators.in_place & bit && !add(vm, type, dict, &binary_wrappers[op][2])) return false;
    }
    for (uint32_t i = 0; i < sizeof unary_wrappers / sizeof *unary_wrappers; i++)
        if (operators.unary & 1u << i && !add(vm, type, dict, &unary_wrappers[i])) return false;
    return true;
}
