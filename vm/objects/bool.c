/* bool.c - the type bool: two constants that are ints in everything but their names, and closed
 * under & | ^. */
#include "vm/objects/number.h"

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
    .slots = {.repr = repr, .binary = binary},
};
