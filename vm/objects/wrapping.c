/* wrapping.c - classmethod and staticmethod: one callable, wrapped. What binding them gives is
 * vm/attribute.c's. */
#include "vm/type_private.h"

static Wrapping *self_wrapping(Value self) {
    return AS(Wrapping, self);
}

static void trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((Wrapping *)object)->callable);
    gc_mark(vm, ((Wrapping *)object)->attributes);
}

static Value make(GenVM *vm, Value *args, TypeId kind) {
    Wrapping *wrapping = gc_new(vm, sizeof *wrapping, kind);
    if (!wrapping) return VALUE_ERROR;
    wrapping->header.shape = type_from(args[0])->root_shape;
    wrapping->callable = args[1];
    wrapping->attributes = VALUE_UNSET;
    return object_value(wrapping);
}

static Value classmethod_construct(GenVM *vm, Value *args) {
    return make(vm, args, TYPE_CLASSMETHOD);
}
static Value staticmethod_construct(GenVM *vm, Value *args) {
    return make(vm, args, TYPE_STATICMETHOD);
}

static Value method_init(GenVM *vm, Value *args) {
    self_wrapping(args[0])->callable = args[1];
    gc_barrier(vm, as_object(args[0]));
    return VALUE_NONE;
}

static Value repr(GenVM *vm, Value self) {
    if (!native_enter(vm)) return VALUE_ERROR;
    Value inner = native_left(vm, value_repr(vm, self_wrapping(self)->callable));
    if (inner == VALUE_ERROR) return VALUE_ERROR;
    if (inner == VALUE_TAIL) {
        native_drop_tail(vm);
        return native_twin(vm, TWIN_WRAPPING_REPR, 2, self, self_wrapping(self)->callable);
    }
    return str_format(vm, "<%T(%S)>", self, inner);
}

static Value descr_get(GenVM *vm, Value self, Value instance, Value owner) {
    if (is_kind(self, TYPE_STATICMETHOD)) return self_wrapping(self)->callable;
    return method_new(vm, self_wrapping(self)->callable,
                      is_type(owner) ? owner : object_value(type_of(vm, instance)));
}

static Value call(GenVM *vm, Value self, Value args, Value kwargs) {
    if (!native_enter(vm)) return VALUE_ERROR;
    return native_left(vm, native_call_spread(vm, self_wrapping(self)->callable, args, kwargs));
}

static Value get_callable(GenVM *vm, Value self) {
    return (void)vm, self_wrapping(self)->callable;
}

static Value forward(GenVM *vm, Value self, Name name) {
    Value found =
        self_wrapping(self)->attributes == VALUE_UNSET
            ? VALUE_UNSET
            : dict_get_str(vm, AS_DICT(self_wrapping(self)->attributes), name_value(vm, name));
    if (found != VALUE_UNSET) return found;
    if (!native_enter(vm)) return VALUE_ERROR; /* a method of a method of ... */
    return native_left(vm, attribute_get(vm, self_wrapping(self)->callable, name_value(vm, name)));
}

static Value get_name(GenVM *vm, Value self) {
    return forward(vm, self, NAME___name__);
}
static Value get_qualname(GenVM *vm, Value self) {
    return forward(vm, self, NAME___qualname__);
}
static Value get_module(GenVM *vm, Value self) {
    return forward(vm, self, NAME___module__);
}
static Value get_doc(GenVM *vm, Value self) {
    return forward(vm, self, NAME___doc__);
}
static Value get_annotations(GenVM *vm, Value self) {
    return forward(vm, self, NAME___annotations__);
}

static Value get_abstract(GenVM *vm, Value self) {
    if (!native_enter(vm)) return VALUE_ERROR;
    Value mark = attribute_find(vm, self_wrapping(self)->callable,
                                name_value(vm, NAME___isabstractmethod__));
    native_leave(vm);
    if (mark == VALUE_ERROR) return VALUE_ERROR;
    return mark == VALUE_UNSET ? VALUE_FALSE : value_truth(vm, mark);
}

static Value get_dict(GenVM *vm, Value self) {
    Dict *dict = instance_dict(vm, self);
    return dict ? object_value(dict) : VALUE_ERROR;
}

static bool set_in_dict(GenVM *vm, Value self, Value value, Name name) {
    if (value == VALUE_UNSET) return instance_delete(vm, self, name_value(vm, name)) != LEAF_ERROR;
    return instance_set(vm, self, name_value(vm, name), value);
}
static bool set_name(GenVM *vm, Value self, Value value) {
    return set_in_dict(vm, self, value, NAME___name__);
}
static bool set_qualname(GenVM *vm, Value self, Value value) {
    return set_in_dict(vm, self, value, NAME___qualname__);
}
static bool set_module(GenVM *vm, Value self, Value value) {
    return set_in_dict(vm, self, value, NAME___module__);
}
static bool set_doc(GenVM *vm, Value self, Value value) {
    return set_in_dict(vm, self, value, NAME___doc__);
}

static const NativeDef classmethod_new = {"classmethod(cls, callable, /)", classmethod_construct,
                                          NULL};
static const NativeDef staticmethod_new = {"staticmethod(cls, callable, /)", staticmethod_construct,
                                           NULL};

static const NativeDef methods[] = {
    {"__init__(self, callable, /)", method_init, "Initialize self."},
    {0},
};

static const AttributeDef attributes[] = {
    {"__func__", get_callable, NULL, NULL},
    {"__wrapped__", get_callable, NULL, NULL},
    {"__name__", get_name, set_name, NULL},
    {"__qualname__", get_qualname, set_qualname, NULL},
    {"__module__", get_module, set_module, NULL},
    {"__doc__", get_doc, set_doc, NULL},
    {"__annotations__", get_annotations, NULL, NULL},
    {"__isabstractmethod__", get_abstract, NULL, NULL},
    {"__dict__", get_dict, NULL, NULL},
    {0},
};

const BuiltinType classmethod_type = {
    .name = "classmethod",
    .flags = TYPE_HAS_DICT,
    .size = sizeof(Wrapping),
    .doc = "Convert a function to be a class method.",
    .construct = &classmethod_new,
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = repr, .descr_get = descr_get, .trace = trace},
};

const BuiltinType staticmethod_type = {
    .name = "staticmethod",
    .flags = TYPE_HAS_DICT,
    .size = sizeof(Wrapping),
    .doc = "Convert a function to be a static method.",
    .construct = &staticmethod_new,
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = repr, .descr_get = descr_get, .call = call, .trace = trace},
};
