/* namespace.c - types.SimpleNamespace: an object that is nothing but its attributes. */
#include "vm/type_private.h"

static Dict *dict_of(GenVM *vm, Value self) {
    return instance_dict(vm, self);
}

static void trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((Namespace *)object)->attributes);
}

/* Copies a mapping's entries; their keys must be strings. */
static bool add_all(GenVM *vm, Dict *dict, Dict *source) {
    uint32_t position = 0;
    Value key, value;
    while (dict_next(source, &position, &key, &value)) {
        if (!value_is_str(key)) {
            raise_type(vm, "keywords must be strings");
            return false;
        }
        if (!dict_set_str(vm, dict, key, value)) return false;
    }
    return true;
}

/* `result` is what the constructor or __init__ returns. */
static Value fill(GenVM *vm, Value self, Value mapping, Value kwargs, Value result) {
    Dict *dict = dict_of(vm, self);
    if (!dict) return VALUE_ERROR;
    if (mapping != VALUE_UNSET && !is_kind(mapping, TYPE_DICT))
        return native_twin(vm, TWIN_NAMESPACE_FILL, 4, self, mapping,
                           kwargs == VALUE_UNSET ? VALUE_NONE : kwargs, result);
    if (mapping != VALUE_UNSET && !add_all(vm, dict, AS_DICT(mapping))) return VALUE_ERROR;
    if (kwargs != VALUE_UNSET && !add_all(vm, dict, AS_DICT(kwargs))) return VALUE_ERROR;
    return result;
}

static Value make(GenVM *vm, Type *type) {
    Namespace *namespace = gc_new(vm, sizeof *namespace, TYPE_NAMESPACE);
    if (!namespace) return VALUE_ERROR;
    namespace->header.shape = type->root_shape;
    namespace->attributes = VALUE_UNSET;
    return object_value(namespace);
}

static Value namespace_construct(GenVM *vm, Value *args) {
    Value self = make(vm, type_from(args[0]));
    return self == VALUE_ERROR ? VALUE_ERROR : fill(vm, self, args[1], args[2], self);
}

static Value method_make(GenVM *vm, Value *args) {
    return make(vm, type_from(args[0]));
}

static Value method_init(GenVM *vm, Value *args) {
    return fill(vm, args[0], args[1], args[2], VALUE_NONE);
}

static Value repr(GenVM *vm, Value self) {
    return native_twin(vm, TWIN_NAMESPACE_REPR, 1, self);
}

static Value compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if (!is_kind(left, TYPE_NAMESPACE) || !is_kind(right, TYPE_NAMESPACE))
        return VALUE_NOT_IMPLEMENTED;
    Dict *a = dict_of(vm, left), *b = dict_of(vm, right);
    if (!a || !b) return VALUE_ERROR;
    if (!native_enter(vm)) return VALUE_ERROR;
    return native_left(vm, value_compare(vm, op, object_value(a), object_value(b)));
}

static Value method_replace(GenVM *vm, Value *args) {
    Value copy = make(vm, type_of(vm, args[0]));
    Dict *dict = copy == VALUE_ERROR ? NULL : dict_of(vm, copy);
    if (!dict || !add_all(vm, dict, dict_of(vm, args[0]))) return VALUE_ERROR;
    return args[1] == VALUE_UNSET || add_all(vm, dict, AS_DICT(args[1])) ? copy : VALUE_ERROR;
}

static Value get_dict(GenVM *vm, Value self) {
    Dict *dict = dict_of(vm, self);
    return dict ? object_value(dict) : VALUE_ERROR;
}

static const NativeDef construct = {"SimpleNamespace(cls, mapping=?, /, **kwargs)",
                                    namespace_construct, NULL};

static const NativeDef methods[] = {
    {"static __new__(cls, /, *args, **kwargs)", method_make, "Create and return a new object."},
    {"__init__(self, mapping=?, /, **kwargs)", method_init, "Initialize self."},
    {"__replace__(self, /, **changes)", method_replace,
     "Return a copy of the namespace object with new values for the specified attributes."},
    {0},
};

static const AttributeDef attributes[] = {{"__dict__", get_dict, NULL, NULL}, {0}};

const BuiltinType namespace_type = {
    .name = "SimpleNamespace",
    .module = "types",
    .flags = TYPE_HAS_DICT | TYPE_UNHASHABLE,
    .size = sizeof(Namespace),
    .doc = "A simple attribute-based namespace.",
    .construct = &construct,
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = repr, .compare = compare, .trace = trace},
};
