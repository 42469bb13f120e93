/* none.c - the singletons: None, Ellipsis, NotImplemented (and False and True, whose type is
 * bool.c's). */
#include "vm/type_private.h"

const Object gen_singletons[5] = {
    {.shape = TYPE_NONE, .kind = TYPE_NONE, .gc = GC_PERMANENT},
    {.shape = TYPE_BOOL, .kind = TYPE_BOOL, .gc = GC_PERMANENT},
    {.shape = TYPE_BOOL, .kind = TYPE_BOOL, .gc = GC_PERMANENT},
    {.shape = TYPE_NOT_IMPLEMENTED, .kind = TYPE_NOT_IMPLEMENTED, .gc = GC_PERMANENT},
    {.shape = TYPE_ELLIPSIS, .kind = TYPE_ELLIPSIS, .gc = GC_PERMANENT},
};

static bool has_arguments(Value *args) {
    return AS_TUPLE(args[1])->count || args[2] != VALUE_UNSET;
}

static Value none_repr(GenVM *vm, Value self) {
    return (void)self, str_from(vm, "None");
}
static Value none_truth(GenVM *vm, Value self) {
    return (void)vm, (void)self, VALUE_FALSE;
}
static Value none_hash(GenVM *vm, Value self) {
    return (void)vm, (void)self, int_value(0xFCA86420);
}
static Value none_binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    return op == BINARY_OR ? union_of(vm, left, right) : VALUE_NOT_IMPLEMENTED;
}
static Value none_construct(GenVM *vm, Value *args) {
    return has_arguments(args) ? raise_type(vm, "NoneType takes no arguments") : VALUE_NONE;
}
static const NativeDef none_new = {"NoneType(cls, /, *args, **kwargs)", none_construct, NULL};

const BuiltinType none_type = {
    .name = "NoneType",
    .flags = TYPE_FINAL,
    .size = sizeof(Object),
    .doc = "The type of the None singleton.",
    .construct = &none_new,
    .slots = {.repr = none_repr, .truth = none_truth, .hash = none_hash, .binary = none_binary},
};

static Value ellipsis_repr(GenVM *vm, Value self) {
    return (void)self, str_from(vm, "Ellipsis");
}
static Value ellipsis_construct(GenVM *vm, Value *args) {
    return has_arguments(args) ? raise_type(vm, "EllipsisType takes no arguments") : VALUE_ELLIPSIS;
}
static const NativeDef ellipsis_new = {"ellipsis(cls, /, *args, **kwargs)", ellipsis_construct,
                                       NULL};

const BuiltinType ellipsis_type = {
    .name = "ellipsis",
    .flags = TYPE_FINAL,
    .size = sizeof(Object),
    .doc = "The type of the Ellipsis singleton.",
    .construct = &ellipsis_new,
    .slots = {.repr = ellipsis_repr},
};

static Value not_implemented_repr(GenVM *vm, Value self) {
    return (void)self, str_from(vm, "NotImplemented");
}
static Value not_implemented_truth(GenVM *vm, Value self) {
    (void)self;
    return raise_type(vm, "NotImplemented should not be used in a boolean context");
}
static Value not_implemented_construct(GenVM *vm, Value *args) {
    return has_arguments(args) ? raise_type(vm, "NotImplementedType takes no arguments")
                               : VALUE_NOT_IMPLEMENTED;
}
static const NativeDef not_implemented_new = {"NotImplementedType(cls, /, *args, **kwargs)",
                                              not_implemented_construct, NULL};

const BuiltinType not_implemented_type = {
    .name = "NotImplementedType",
    .flags = TYPE_FINAL,
    .size = sizeof(Object),
    .doc = "The type of the NotImplemented singleton.",
    .construct = &not_implemented_new,
    .slots = {.repr = not_implemented_repr, .truth = not_implemented_truth},
};
