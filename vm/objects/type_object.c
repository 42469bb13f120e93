/* type_object.c - `type`, the class of classes: its attributes and methods. How classes are made is
 * vm/type_new.c. */
#include "vm/runtime.h"
#include "vm/type_private.h"

static Type *self_type(Value self) {
    return type_from(self);
}

static bool refuse_builtin(GenVM *vm, Type *type, const char *name) {
    if (!type->is_builtin) return false;
    raise_type(vm, "cannot set '%s' attribute of immutable type '%N'", name, type);
    return true;
}

static bool refuse_delete(GenVM *vm, Type *type, Value value, const char *name) {
    if (value != VALUE_UNSET) return false;
    raise_type(vm, "cannot delete '%s' attribute of type '%N'", name, type);
    return true;
}

static Value own(GenVM *vm, Type *type, Name name) {
    Dict *dict = type_dict(vm, type);
    return dict ? dict_get_str(vm, dict, name_value(vm, name)) : VALUE_ERROR;
}

/* ---- names ---- */

static Value get_name(GenVM *vm, Value self) {
    (void)vm;
    return self_type(self)->name;
}

static bool set_text(GenVM *vm, Value self, Value value, const char *what, Value *place) {
    Type *type = self_type(self);
    if (refuse_builtin(vm, type, what) || refuse_delete(vm, type, value, what)) return false;
    if (!value_is_str(value)) {
        raise_type(vm, "can only assign string to %S.%s, not '%T'", type->name, what, value);
        return false;
    }
    *place = value;
    gc_barrier(vm, type);
    return true;
}

static bool set_name(GenVM *vm, Value self, Value value) {
    if (value_is_str(value) && memchr(AS_STR(value)->data, 0, AS_STR(value)->size)) {
        raise_value(vm, "type name must not contain null characters");
        return false;
    }
    return set_text(vm, self, value, "__name__", &self_type(self)->name);
}

static Value get_qualname(GenVM *vm, Value self) {
    (void)vm;
    return self_type(self)->qualname;
}

static bool set_qualname(GenVM *vm, Value self, Value value) {
    return set_text(vm, self, value, "__qualname__", &self_type(self)->qualname);
}

static Value get_module(GenVM *vm, Value self) {
    return type_module_name(vm, self_type(self));
}

static bool set_own(GenVM *vm, Value self, Value value, Name name, const char *text) {
    Type *type = self_type(self);
    if (refuse_builtin(vm, type, text) || refuse_delete(vm, type, value, text)) return false;
    return type_set_attribute(vm, type, name_value(vm, name), value);
}

static bool set_module(GenVM *vm, Value self, Value value) {
    return set_own(vm, self, value, NAME___module__, "__module__");
}

static Value get_doc(GenVM *vm, Value self) {
    Type *type = self_type(self);
    if (type->is_builtin) return type->def->doc ? str_from(vm, type->def->doc) : VALUE_NONE;
    Value doc = own(vm, type, NAME___doc__);
    if (doc == VALUE_UNSET) return VALUE_NONE;
    return attribute_bind(vm, doc, VALUE_UNSET, type);
}

static bool set_doc(GenVM *vm, Value self, Value value) {
    return set_own(vm, self, value, NAME___doc__, "__doc__");
}

/* ---- bases ---- */

static Value get_bases(GenVM *vm, Value self) {
    (void)vm;
    return object_value(self_type(self)->bases);
}

static bool set_bases(GenVM *vm, Value self, Value value) {
    Type *type = self_type(self);
    if (refuse_builtin(vm, type, "__bases__") || refuse_delete(vm, type, value, "__bases__"))
        return false;
    return type_set_bases(vm, type, value);
}

static Value get_base(GenVM *vm, Value self) {
    (void)vm;
    Type *base = self_type(self)->base;
    return base ? object_value(base) : VALUE_NONE;
}

static Value get_mro(GenVM *vm, Value self) {
    (void)vm;
    return object_value(self_type(self)->mro);
}

static Value method_mro(GenVM *vm, Value *args) {
    const Tuple *mro = type_compute_mro(vm, self_type(args[0]));
    if (!mro) return VALUE_ERROR;
    return list_from_array(vm, mro->items, mro->count);
}

static Value method_subclasses(GenVM *vm, Value *args) {
    Type *type = self_type(args[0]);
    Value found = list_new(vm, 4);
    if (found == VALUE_ERROR) return VALUE_ERROR;
    for (uint32_t id = 0; type->is_builtin && id < TYPE_COUNT;
         id++) { /* builtin types keep no lists of each other */
        const Tuple *bases = vm->types[id]->bases;
        for (uint64_t i = 0; i < bases->count && id != TYPE_BUFFER && id != TYPE_HOST; i++)
            if (type_from(bases->items[i]) == type &&
                !list_append(vm, found, object_value(vm->types[id])))
                return VALUE_ERROR;
    }
    const TypeState *state = type_state(vm, type);
    for (uint32_t i = 0; i < state->subclass_count; i++)
        if (!list_append(vm, found, object_value(type_subclass(state, i)))) return VALUE_ERROR;
    return found;
}

/* ---- the dict, annotations, abstract methods ---- */

static Value get_dict(GenVM *vm, Value self) {
    Dict *dict = type_dict(vm, self_type(self));
    return dict ? mapping_proxy_new(vm, object_value(dict)) : VALUE_ERROR;
}

static Value get_abstract(GenVM *vm, Value self) {
    Value names = own(vm, self_type(self), NAME___abstractmethods__);
    if (names != VALUE_UNSET && self_type(self)->id != TYPE_TYPE) return names;
    return raise_attribute(vm, self, name_value(vm, NAME___abstractmethods__));
}

static bool set_abstract(GenVM *vm, Value self, Value value) {
    Type *type = self_type(self);
    if (refuse_builtin(vm, type, "__abstractmethods__")) return false;
    Leaf any = value == VALUE_UNSET ? LEAF_FALSE : leaf_truth(vm, value);
    if (any == LEAF_ERROR) return false;
    type->is_abstract = any == LEAF_TRUE;
    if (value == VALUE_UNSET && own(vm, type, NAME___abstractmethods__) == VALUE_UNSET) {
        raise_attribute(vm, self, name_value(vm, NAME___abstractmethods__));
        return false;
    }
    return type_set_attribute(vm, type, name_value(vm, NAME___abstractmethods__), value);
}

static Value get_annotate(GenVM *vm, Value self) {
    Type *type = self_type(self);
    if (type->is_builtin) return raise_attribute(vm, self, name_value(vm, NAME___annotate__));
    Value annotate = own(vm, type, NAME___annotate_func__);
    if (annotate == VALUE_UNSET) annotate = own(vm, type, NAME___annotate__);
    return annotate == VALUE_UNSET ? VALUE_NONE : attribute_bind(vm, annotate, VALUE_UNSET, type);
}

static bool set_annotate(GenVM *vm, Value self, Value value) {
    return set_own(vm, self, value, NAME___annotate_func__, "__annotate__");
}

static Value get_annotations(GenVM *vm, Value self) {
    Type *type = self_type(self);
    if (type->is_builtin) return raise_attribute(vm, self, name_value(vm, NAME___annotations__));
    Value known = own(vm, type, NAME___annotations__);
    if (known != VALUE_UNSET) return known;
    Value annotate = get_annotate(vm, self);
    if (annotate == VALUE_ERROR || annotate == VALUE_TAIL) return annotate;
    if (annotate != VALUE_NONE) return native_twin(vm, TWIN_ANNOTATIONS, 2, self, annotate);
    Value empty = dict_new(vm);
    if (empty == VALUE_ERROR ||
        !type_set_attribute(vm, type, name_value(vm, NAME___annotations__), empty))
        return VALUE_ERROR;
    return empty;
}

static bool set_annotations(GenVM *vm, Value self, Value value) {
    Type *type = self_type(self);
    if (refuse_builtin(vm, type, "__annotations__")) return false;
    if (value == VALUE_UNSET && own(vm, type, NAME___annotations__) == VALUE_UNSET) {
        raise_attribute(vm, self, name_value(vm, NAME___annotations__));
        return false;
    }
    return type_set_attribute(vm, type, name_value(vm, NAME___annotations__), value);
}

static Value get_type_params(GenVM *vm, Value self) {
    Value params = own(vm, self_type(self), NAME___type_params__);
    return params == VALUE_UNSET || self_type(self)->is_builtin ? vm->empty_tuple : params;
}

static bool set_type_params(GenVM *vm, Value self, Value value) {
    return set_own(vm, self, value, NAME___type_params__, "__type_params__");
}

/* ---- operations ---- */

static Value type_repr(GenVM *vm, Value self) {
    Value name = type_full_name(vm, self_type(self));
    return name == VALUE_ERROR ? VALUE_ERROR : str_format(vm, "<class '%S'>", name);
}

static Value call(GenVM *vm, Value self, Value args, Value kwargs) {
    return type_call(vm, self_type(self), args, kwargs);
}

Value type_call(GenVM *vm, Type *type, Value args, Value kwargs) {
    if (type->id == TYPE_TYPE && AS_TUPLE(args)->count == 1 &&
        (kwargs == VALUE_UNSET || AS_DICT(kwargs)->count == 0))
        return object_value(type_of(vm, AS_TUPLE(args)->items[0]));
    return native_twin(vm, TWIN_TYPE_CALL, 3, object_value(type), args,
                       kwargs == VALUE_UNSET ? VALUE_NONE : kwargs);
}

static bool is_generic_builtin(const Type *type) {
    switch (type->id) {
    case TYPE_LIST:
    case TYPE_TUPLE:
    case TYPE_DICT:
    case TYPE_SET:
    case TYPE_FROZENSET:
    case TYPE_TYPE:
    case TYPE_ENUMERATE:
    case TYPE_GENERATOR:
    case TYPE_COROUTINE:
    case TYPE_ASYNC_GENERATOR:
    case TYPE_SLICE:
    case TYPE_MEMORYVIEW:
    case TYPE_MAPPING_PROXY:
    case TYPE_WEAKREF:
    case EXC_BASE_EXCEPTION_GROUP:
    case EXC_EXCEPTION_GROUP: return true;
    default: return false;
    }
}

static bool inherits_generic(const Type *type) {
    for (uint64_t i = 0; i < type->mro->count; i++)
        if (is_generic_builtin(type_from(type->mro->items[i]))) return true;
    return false;
}

/* list[int], C[x] */
static Value getitem(GenVM *vm, Value self, Value key) {
    Type *type = self_type(self);
    Value raw = type_lookup(vm, type, vm->special_names[SP_CLASS_GETITEM]);
    if (raw == VALUE_UNSET) {
        bool generic = type->is_builtin ? is_generic_builtin(type) : inherits_generic(type);
        return generic ? generic_alias_new(vm, self, key)
                       : raise_type(vm, "type '%N' is not subscriptable", type);
    }
    Value method = attribute_bind(vm, raw, VALUE_UNSET, type);
    if (method == VALUE_ERROR) return VALUE_ERROR;
    if (method != VALUE_TAIL) return native_call(vm, method, 1, key);
    native_drop_tail(vm);
    Value args = tuple_pack(vm, 1, key);
    return args == VALUE_ERROR
               ? VALUE_ERROR
               : native_twin(vm, TWIN_BIND_AND_CALL, 4, raw, VALUE_NONE, self, args);
}

static Value binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    return op == BINARY_OR ? union_of(vm, left, right) : VALUE_NOT_IMPLEMENTED;
}

/* ---- methods ---- */

static Value method_init(GenVM *vm, Value *args) {
    uint64_t count = AS_TUPLE(args[1])->count;
    if (args[2] != VALUE_UNSET && count == 1 && AS_DICT(args[2])->count)
        return raise_type(vm, "type.__init__() takes no keyword arguments");
    return count == 1 || count == 3 ? VALUE_NONE
                                    : raise_type(vm, "type.__init__() takes 1 or 3 arguments");
}

static Value method_prepare(GenVM *vm, Value *args) {
    (void)args;
    return dict_new(vm);
}

static Value method_instancecheck(GenVM *vm, Value *args) {
    return instance_check_plainly(vm, args[1], args[0]);
}

static Value method_subclasscheck(GenVM *vm, Value *args) {
    if (!is_type(args[1])) return raise_type(vm, "issubclass() arg 1 must be a class");
    return bool_value(type_is_subclass(type_from(args[1]), self_type(args[0])));
}

static Value method_dir(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_TYPE_DIR, 1, args[0]);
}

static Value method_sizeof(GenVM *vm, Value *args) {
    (void)vm;
    return int_value((int64_t)sizeof(Type) +
                     (self_type(args[0])->special_storage ? 8 * SPECIAL_COUNT : 0));
}

/* ---- the type ---- */

static const NativeDef construct = {"type(cls, /, *args, **kwds)", type_construct, NULL};

static const NativeDef methods[] = {
    {"__init__(self, /, *args, **kwargs)", method_init,
     "Initialize self.  See help(type(self)) for accurate signature."},
    {"classmethod __prepare__(cls, /, *args, **kwargs)", method_prepare,
     "Create the namespace for the class statement"},
    {"__instancecheck__(self, instance, /)", method_instancecheck,
     "Check if an object is an instance."},
    {"__subclasscheck__(self, subclass, /)", method_subclasscheck,
     "Check if a class is a subclass."},
    {"__subclasses__(self, /)", method_subclasses, "Return a list of immediate subclasses."},
    {"mro(self, /)", method_mro, "Return a type's method resolution order."},
    {"__dir__(self, /)", method_dir, "Specialized __dir__ implementation for types."},
    {"__sizeof__(self, /)", method_sizeof, "Return memory consumption of the type object."},
    {0},
};

static const AttributeDef attributes[] = {
    {"__name__", get_name, set_name, NULL},
    {"__qualname__", get_qualname, set_qualname, NULL},
    {"__module__", get_module, set_module, NULL},
    {"__doc__", get_doc, set_doc, NULL},
    {"__bases__", get_bases, set_bases, NULL},
    {"__base__", get_base, NULL, NULL},
    {"__mro__", get_mro, NULL, NULL},
    {"__dict__", get_dict, NULL, NULL},
    {"__abstractmethods__", get_abstract, set_abstract, NULL},
    {"__annotate__", get_annotate, set_annotate, NULL},
    {"__annotations__", get_annotations, set_annotations, NULL},
    {"__type_params__", get_type_params, set_type_params, NULL},
    {0},
};

const BuiltinType type_type = {
    .name = "type",
    .flags = TYPE_HAS_DICT,
    .size = sizeof(Type),
    .doc = "type(object) -> the object's type\ntype(name, bases, dict, **kwds) -> a new type",
    .construct = &construct,
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = type_repr,
              .getitem = getitem,
              .binary = binary,
              .call = call,
              .getattr = type_getattr,
              .setattr = type_setattr,
              .trace = type_trace},
};
