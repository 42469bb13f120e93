/* object.c - `object`, the base of everything: what instances do when their class says nothing
 * else. */
#include "vm/identity.h"
#include "vm/type_private.h"

/* ---- names ---- */

Value type_module_name(GenVM *vm, Type *type) {
    if (type->is_builtin) return str_from(vm, type->def->module ? type->def->module : "builtins");
    Value module = dict_get_str(vm, type->own.dict, name_value(vm, NAME___module__));
    return module == VALUE_UNSET
               ? raise_attribute(vm, object_value(type), name_value(vm, NAME___module__))
               : module;
}

/* "module.Qualname"; the module is left out for builtins and where it is no str. */
Value type_full_name(GenVM *vm, Type *type) {
    Value module = type->is_builtin
                       ? type_module_name(vm, type)
                       : dict_get_str(vm, type->own.dict, name_value(vm, NAME___module__));
    if (module == VALUE_ERROR) return VALUE_ERROR;
    if (module == VALUE_UNSET || !value_is_str(module) || str_is(module, "builtins"))
        return type->qualname;
    return str_format(vm, "%S.%S", module, type->qualname);
}

Value object_repr(GenVM *vm, Value self) {
    Value name = type_full_name(vm, type_of(vm, self));
    if (name == VALUE_ERROR) return VALUE_ERROR;
    if (!is_object(self)) /* a number, by object.__repr__ */
        return str_format(vm, "<%S object at 0x%llx>", name, (unsigned long long)self);
    return str_format(vm, "<%S object at %p>", name, (void *)as_object(self));
}

/* ---- making instances ---- */

static bool has_arguments(Value args, Value kwargs) {
    return AS_TUPLE(args)->count > 0 || (kwargs != VALUE_UNSET && AS_DICT(kwargs)->count > 0);
}

static bool overrides_new(GenVM *vm, const Type *type) {
    return type->special[SP_NEW] != VALUE_UNSET || type->def != vm->types[TYPE_OBJECT]->def;
}

static Value object_construct(GenVM *vm, Value *args) {
    if (!is_type(args[0]))
        return raise_type(vm, "object.__new__(X): X is not a type object (%T)", args[0]);
    Type *type = type_from(args[0]);
    if (has_arguments(args[1], args[2])) {
        if (type->special[SP_NEW] != VALUE_UNSET)
            return raise_type(
                vm, "object.__new__() takes exactly one argument (the type to instantiate)");
        if (type->special[SP_INIT] == VALUE_UNSET)
            return raise_type(vm, "%N() takes no arguments", type);
    }
    if (type->is_abstract) return native_twin(vm, TWIN_REFUSE_ABSTRACT, 1, args[0]);
    if (type->instance_kind != TYPE_OBJECT)
        return raise_type(vm, "object.__new__(%N) is not safe, use %N.__new__()", type, type);
    return instance_new(vm, type);
}

static Value object_init(GenVM *vm, Value *args) {
    if (!has_arguments(args[1], args[2])) return VALUE_NONE;
    Type *type = type_of(vm, args[0]);
    if (type->special[SP_INIT] != VALUE_UNSET)
        return raise_type(
            vm, "object.__init__() takes exactly one argument (the instance to initialize)");
    if (!overrides_new(vm, type))
        return raise_type(
            vm, "%N.__init__() takes exactly one argument (the instance to initialize)", type);
    return VALUE_NONE;
}

static Value object_init_subclass(GenVM *vm, Value *args) {
    if (AS_TUPLE(args[1])->count)
        return raise_type(vm, "%N.__init_subclass__() takes no arguments (%d given)",
                          type_from(args[0]), (int)AS_TUPLE(args[1])->count);
    if (args[2] != VALUE_UNSET && AS_DICT(args[2])->count)
        return raise_type(vm, "%N.__init_subclass__() takes no keyword arguments",
                          type_from(args[0]));
    return VALUE_NONE;
}

static Value object_subclasshook(GenVM *vm, Value *args) {
    (void)vm, (void)args;
    return VALUE_NOT_IMPLEMENTED;
}

/* ---- operations ---- */

Value object_hash(GenVM *vm, Value self) {
    uint64_t number = is_object(self) ? identity_of(vm, as_object(self)) : self;
    return int_value((int64_t)((number >> 4 | number << 60) & ((uint64_t)SMALL_INT_MAX)));
}

/* x != y is not (x == y) for types that say no more. */
static Value object_not_equal(GenVM *vm, Value left, Value right) {
    const Type *type = type_of(vm, left);
    if (type->special[SP_EQ] != VALUE_UNSET) return native_twin(vm, TWIN_OBJECT_NE, 2, left, right);
    Value equal = type->slots.compare(vm, COMPARE_EQ, left, right);
    if (equal == VALUE_TRUE || equal == VALUE_FALSE) return bool_value(equal == VALUE_FALSE);
    return equal;
}

static Value object_compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if (op == COMPARE_EQ) return left == right ? VALUE_TRUE : VALUE_NOT_IMPLEMENTED;
    if (op == COMPARE_NE) return object_not_equal(vm, left, right);
    return VALUE_NOT_IMPLEMENTED;
}

static Value object_str(GenVM *vm, Value *args) {
    return value_repr(vm, args[0]);
}

static Value object_format(GenVM *vm, Value *args) {
    if (AS_STR(args[1])->size == 0) return value_str(vm, args[0]);
    return raise_type(vm, "unsupported format string passed to %T.__format__", args[0]);
}

static Value object_getattribute(GenVM *vm, Value *args) {
    return object_getattr(vm, args[0], args[1]);
}

/* Classes are changed through type.__setattr__ alone, which keeps the builtin ones as they are. */
static bool refuse_class(GenVM *vm, Value self, const char *method) {
    if (!is_type(self)) return false;
    raise_type(vm, "can't apply this %s to %T object", method, self);
    return true;
}
static Value object_set_attribute(GenVM *vm, Value *args) {
    if (refuse_class(vm, args[0], "__setattr__")) return VALUE_ERROR;
    return object_setattr(vm, args[0], args[1], args[2]);
}
static Value object_delete_attribute(GenVM *vm, Value *args) {
    if (refuse_class(vm, args[0], "__delattr__")) return VALUE_ERROR;
    return object_setattr(vm, args[0], args[1], VALUE_UNSET);
}

static Value object_dir(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_OBJECT_DIR, 1, args[0]);
}

static Value object_getstate(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_OBJECT_STATE, 1, args[0]);
}
static Value object_reduce(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_OBJECT_REDUCE, 2, args[0], int_value(0));
}
static Value object_reduce_ex(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_OBJECT_REDUCE_EX, 2, args[0], args[1]);
}

static Value object_sizeof(GenVM *vm, Value *args) {
    const Type *type = type_of(vm, args[0]);
    return int_value(type->def->size
                         ? type->def->size
                         : (int64_t)(sizeof(Instance) + type->inline_slots * sizeof(Value)));
}

/* ---- __class__ ---- */

static Value get_class(GenVM *vm, Value self) {
    return object_value(type_of(vm, self));
}

/* Does `to` have the __slots__ of `from` in the same places? */
static bool has_slots_of(GenVM *vm, Type *to, const Type *from) {
    for (uint64_t i = 0; from->member_count && i < from->mro->count; i++) {
        const Type *base = type_from(from->mro->items[i]);
        uint32_t position = 0;
        Value name, member;
        while (!base->is_builtin && dict_next(base->own.dict, &position, &name, &member)) {
            if (!is_kind(member, TYPE_MEMBER) || AS(Member, member)->owner != base) continue;
            Value other = type_lookup(vm, to, name);
            if (!is_kind(other, TYPE_MEMBER) || AS(Member, other)->slot != AS(Member, member)->slot)
                return false;
        }
    }
    return true;
}

static bool set_class(GenVM *vm, Value self, Value value) {
    if (value == VALUE_UNSET || !is_type(value)) {
        if (value == VALUE_UNSET)
            raise_type(vm, "can't delete __class__ attribute");
        else
            raise_type(vm, "__class__ must be set to a class, not '%T' object", value);
        return false;
    }
    Type *from = type_of(vm, self), *to = type_from(value);
    if (from == to) return true;
    bool modules = is_kind(self, TYPE_MODULE) && to->instance_kind == TYPE_MODULE;
    if (!modules && (from->is_builtin || to->is_builtin)) {
        raise_type(
            vm, "__class__ assignment only supported for mutable types or ModuleType subclasses");
        return false;
    }
    bool other_host = from->instance_kind == TYPE_HOST && from->def != to->def;
    if (from->instance_kind != to->instance_kind || other_host ||
        from->member_count != to->member_count ||
        from->has_instance_dict != to->has_instance_dict || !has_slots_of(vm, to, from)) {
        raise_type(vm, "__class__ assignment: '%N' object layout differs from '%N'", to, from);
        return false;
    }
    return instance_set_type(vm, self, to);
}

/* ---- the type ---- */

static const NativeDef construct = {"object(cls, /, *args, **kwargs)", object_construct, NULL};

static const NativeDef methods[] = {
    {"__init__(self, /, *args, **kwargs)", object_init,
     "Initialize self.  See help(type(self)) for accurate signature."},
    {"__str__(self, /)", object_str, "Return str(self)."},
    {"__format__(self, format_spec: str, /)", object_format, "Default object formatter."},
    {"__getattribute__(self, name: str, /)", object_getattribute, "Return getattr(self, name)."},
    {"__setattr__(self, name: str, value, /)", object_set_attribute,
     "Implement setattr(self, name, value)."},
    {"__delattr__(self, name: str, /)", object_delete_attribute, "Implement delattr(self, name)."},
    {"__dir__(self, /)", object_dir, "Default dir() implementation."},
    {"__getstate__(self, /)", object_getstate, "Helper for pickle."},
    {"__reduce__(self, /)", object_reduce, "Helper for pickle."},
    {"__reduce_ex__(self, protocol: size, /)", object_reduce_ex, "Helper for pickle."},
    {"__sizeof__(self, /)", object_sizeof, "Size of object in memory, in bytes."},
    {"classmethod __init_subclass__(cls, /, *args, **kwargs)", object_init_subclass,
     "This method is called when a class is subclassed."},
    {"classmethod __subclasshook__(cls, object, /)", object_subclasshook,
     "Abstract classes can override this to customize issubclass()."},
    {0},
};

static const AttributeDef attributes[] = {
    {"__class__", get_class, set_class, "the object's class"},
    {0},
};

const BuiltinType object_type = {
    .name = "object",
    .size = sizeof(Instance),
    .doc = "The base class of the class hierarchy.\n\nWhen called, it accepts no arguments and "
           "returns a new featureless\n"
           "instance that has no instance attributes and cannot be given any.\n",
    .construct = &construct,
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = object_repr, .hash = object_hash, .compare = object_compare},
};
