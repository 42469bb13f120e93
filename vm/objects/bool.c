/* bool.c - the type bool: two constants that are ints in everything but their names, and closed
 * under & | ^. */
#include "vm/objects/number.h"
#include "vm/warn.h"

static Value repr(GenVM *vm, Value self) {
    return str_from(vm, self == VALUE_TRUE ? "True" : "False");
}

static Value binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    if (is_bool(left) && is_bool(right)) {
        bool a = left == VALUE_TRUE, b = right == VALUE_TRUE;
        if (op == BINARY_AND) return bool_value(a && b);
        if (op == BINARY_OR) return bool_value(a || b);
        if (op == BINARY_XOR) return bool_value(a != b);
    }
    return int_binary(vm, op, left, right);
}

static const char inversion[] =
    "Bitwise inversion '~' on bool is deprecated and will be removed in Python 3.16. This returns "
    "the bitwise inversion of the underlying int object and is usually not what you expect from "
    "negating a bool. Use the 'not' operator for boolean negation or ~int(x) if you really want "
    "the bitwise inversion of the underlying int.";

static Value unary(GenVM *vm, Special op, Value self) {
    if (op != SP_INVERT) return vm->types[TYPE_INT]->slots.unary(vm, op, self);
    return warn_then(vm, EXC_DEPRECATION_WARNING, inversion,
                     int_value(self == VALUE_TRUE ? -2 : -1));
}

static Value construct(GenVM *vm, Value *args) {
    (void)vm;
    return args[1];
}

static const NativeDef constructor = {"bool(cls, object: bool = False, /)", construct,
                                      "Returns True when the argument is true, False otherwise."};

const BuiltinType bool_type = {
    .name = "bool",
    .base = TYPE_INT,
    .flags = TYPE_FINAL | TYPE_MATCH_SELF,
    .size = sizeof(Object),
    .doc = "bool(object=False, /)\n--\n\nTrue or False.",
    .construct = &constructor,
    .slots = {.repr = repr, .binary = binary, .unary = unary},
};
