/* method.c - bound methods: a callable and the object that becomes its first argument. Attributes
 * that the method does not have are the function's. */
#include "vm/identity.h"
#include "vm/type_private.h"

static Method *self_method(Value self) {
    return AS(Method, self);
}

Value method_new(GenVM *vm, Value function, Value self) {
    Method *method = gc_new_raw(vm, sizeof *method, TYPE_METHOD);
    if (unlikely(!method)) return VALUE_ERROR;
    method->function = function;
    method->self = self;
    return object_value(method);
}

static void trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((Method *)object)->function);
    gc_mark(vm, ((Method *)object)->self);
}

static Value repr(GenVM *vm, Value self) {
    const Method *method = self_method(self);
    Value name = attribute_find(vm, method->function, name_value(vm, NAME___qualname__));
    if (name == VALUE_UNSET)
        name = attribute_find(vm, method->function, name_value(vm, NAME___name__));
    if (name == VALUE_ERROR) return VALUE_ERROR;
    if (name == VALUE_UNSET || !value_is_str(name)) name = vm->characters['?'];
    if (!native_enter(vm)) return VALUE_ERROR;
    Value of = native_left(vm, value_repr(vm, method->self));
    if (of == VALUE_ERROR) return VALUE_ERROR;
    if (of == VALUE_TAIL) {
        native_drop_tail(vm);
        return native_twin(vm, TWIN_METHOD_REPR, 2, name, method->self);
    }
    return str_format(vm, "<bound method %S of %S>", name, of);
}

static Value hash(GenVM *vm, Value self) {
    uint64_t function;
    if (!native_enter(vm)) return VALUE_ERROR;
    Leaf known = leaf_hash(vm, self_method(self)->function, &function);
    native_leave(vm);
    if (known == LEAF_ERROR) return VALUE_ERROR;
    if (known == LEAF_SCRIPT) function = 0;
    Value of = self_method(self)->self;
    uint64_t mixed = identity_of_value(vm, of) * 0x9E3779B97F4A7C15u ^ function;
    return int_value((int64_t)(mixed >> 4));
}

static Value compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if ((op != COMPARE_EQ && op != COMPARE_NE) || !is_kind(left, TYPE_METHOD) ||
        !is_kind(right, TYPE_METHOD))
        return VALUE_NOT_IMPLEMENTED;
    bool same = self_method(left)->self == self_method(right)->self;
    if (same) {
        if (!native_enter(vm)) return VALUE_ERROR;
        Leaf equal = leaf_equal(vm, self_method(left)->function, self_method(right)->function);
        native_leave(vm);
        if (equal == LEAF_ERROR) return VALUE_ERROR;
        same = equal == LEAF_TRUE;
    }
    return bool_value(same == (op == COMPARE_EQ));
}

static Value getattr(GenVM *vm, Value self, Value name) {
    Type *type = vm->types[TYPE_METHOD];
    Value raw = type_lookup(vm, type, name);
    if (raw != VALUE_UNSET) return attribute_bind(vm, raw, self, type);
    Value function = self_method(self)->function; /* a method of a method has no more than it */
    while (is_kind(function, TYPE_METHOD))
        function = self_method(function)->function;
    return attribute_get(vm, function, name);
}

static Value call(GenVM *vm, Value self, Value args, Value kwargs) {
    const Tuple *given = AS_TUPLE(args);
    Value all = tuple_new(vm, given->count + 1);
    if (all == VALUE_ERROR) return VALUE_ERROR;
    AS_TUPLE(all)->items[0] = self_method(self)->self;
    memcpy(AS_TUPLE(all)->items + 1, given->items, given->count * sizeof(Value));
    if (!native_enter(vm)) return VALUE_ERROR;
    return native_left(vm, native_call_spread(vm, self_method(self)->function, all, kwargs));
}

static Value method_construct(GenVM *vm, Value *args) {
    if (args[2] == VALUE_NONE) return raise_type(vm, "instance must not be None");
    return method_new(vm, args[1], args[2]);
}

static Value get_function(GenVM *vm, Value self) {
    return (void)vm, self_method(self)->function;
}
static Value get_self(GenVM *vm, Value self) {
    return (void)vm, self_method(self)->self;
}
static Value get_doc(GenVM *vm, Value self) {
    if (!native_enter(vm)) return VALUE_ERROR;
    return native_left(
        vm, attribute_get(vm, self_method(self)->function, name_value(vm, NAME___doc__)));
}

static const NativeDef construct = {"method(cls, function: callable, instance, /)",
                                    method_construct, NULL};

static const AttributeDef attributes[] = {
    {"__func__", get_function, NULL, "the function (or other callable) implementing a method"},
    {"__self__", get_self, NULL, "the instance to which a method is bound"},
    {"__doc__", get_doc, NULL, NULL},
    {0},
};

/* It is bound already. */
static Value descr_get(GenVM *vm, Value self, Value instance, Value owner) {
    (void)instance;
    (void)owner;
    return (void)vm, self;
}

const BuiltinType method_type = {
    .name = "method",
    .flags = TYPE_FINAL,
    .size = sizeof(Method),
    .doc = "Create a bound instance method object.",
    .construct = &construct,
    .attributes = attributes,
    .slots = {.repr = repr,
              .hash = hash,
              .compare = compare,
              .call = call,
              .getattr = getattr,
              .descr_get = descr_get,
              .trace = trace},
};
