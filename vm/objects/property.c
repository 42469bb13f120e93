/* property.c - property objects. Reading and assigning through them is vm/attribute.c's
 * property_get and property_set. */
#include "vm/type_private.h"

static Property *self_property(Value self) {
    return AS(Property, self);
}

static void trace(GenVM *vm, Object *object) {
    Property *property = (Property *)object;
    gc_mark(vm, property->fget);
    gc_mark(vm, property->fset);
    gc_mark(vm, property->fdel);
    gc_mark(vm, property->doc);
    gc_mark(vm, property->name);
    gc_mark(vm, property->attributes);
}

static Value make(GenVM *vm, Type *type, const Value *parts) {
    Property *property = gc_new(vm, sizeof *property, TYPE_PROPERTY);
    if (!property) return VALUE_ERROR;
    property->header.shape = type->root_shape;
    property->fget = parts[0];
    property->fset = parts[1];
    property->fdel = parts[2];
    property->doc = parts[3] == VALUE_NONE ? VALUE_UNSET : parts[3];
    property->name = property->attributes = VALUE_UNSET;
    return object_value(property);
}

/* An instance of a subclass has its docstring among its attributes: that of the class would hide
 * it. */
static bool keep_doc(GenVM *vm, Value self) {
    const Property *property = self_property(self);
    const Type *type = type_of(vm, self);
    if (type->is_builtin || !type->has_instance_dict) return true;
    Value doc = property->doc == VALUE_UNSET ? VALUE_NONE : property->doc;
    if (doc == VALUE_NONE && property->fget != VALUE_NONE) {
        doc = attribute_find(vm, property->fget, name_value(vm, NAME___doc__));
        if (doc == VALUE_ERROR) return false;
        if (doc == VALUE_UNSET) doc = VALUE_NONE;
    }
    return instance_set(vm, self, name_value(vm, NAME___doc__), doc);
}

static Value property_construct(GenVM *vm, Value *args) {
    Value self = make(vm, type_from(args[0]), args + 1);
    return self == VALUE_ERROR || keep_doc(vm, self) ? self : VALUE_ERROR;
}

static Value method_init(GenVM *vm, Value *args) {
    Property *property = self_property(args[0]);
    property->fget = args[1];
    property->fset = args[2];
    property->fdel = args[3];
    property->doc = args[4] == VALUE_NONE ? VALUE_UNSET : args[4];
    gc_barrier(vm, property);
    return keep_doc(vm, args[0]) ? VALUE_NONE : VALUE_ERROR;
}

static Value method_make(GenVM *vm, Value *args) {
    Value nothing[4] = {VALUE_NONE, VALUE_NONE, VALUE_NONE, VALUE_NONE};
    return make(vm, type_from(args[0]), nothing);
}

/* A copy with one of the three functions replaced. */
static Value with(GenVM *vm, Value self, int part, Value function) {
    const Property *property = self_property(self);
    Value parts[4] = {property->fget, property->fset, property->fdel,
                      property->doc == VALUE_UNSET ? VALUE_NONE : property->doc};
    parts[part] = function;
    Type *type = type_of(vm, self);
    if (type->overrides_construct) return native_call_array(vm, object_value(type), 4, parts);
    Value copy = make(vm, type, parts);
    if (copy == VALUE_ERROR) return copy;
    self_property(copy)->name = property->name;
    return keep_doc(vm, copy) ? copy : VALUE_ERROR;
}

static Value method_getter(GenVM *vm, Value *args) {
    return with(vm, args[0], 0, args[1]);
}
static Value method_setter(GenVM *vm, Value *args) {
    return with(vm, args[0], 1, args[1]);
}
static Value method_deleter(GenVM *vm, Value *args) {
    return with(vm, args[0], 2, args[1]);
}

static Value method_set_name(GenVM *vm, Value *args) {
    const Tuple *given = AS_TUPLE(args[1]);
    if (given->count != 2)
        return raise_type(vm, "__set_name__() takes 2 positional arguments but %d were given",
                          (int)given->count);
    self_property(args[0])->name = given->items[1];
    gc_barrier(vm, as_object(args[0]));
    return VALUE_NONE;
}

static Value descr_get(GenVM *vm, Value self, Value instance, Value owner) {
    (void)owner;
    return instance == VALUE_UNSET ? self : property_get(vm, self_property(self), instance);
}

static Value descr_set(GenVM *vm, Value self, Value instance, Value value) {
    return property_set(vm, self_property(self), instance, value);
}

/* ---- attributes ---- */

static Value get_fget(GenVM *vm, Value self) {
    return (void)vm, self_property(self)->fget;
}
static Value get_fset(GenVM *vm, Value self) {
    return (void)vm, self_property(self)->fset;
}
static Value get_fdel(GenVM *vm, Value self) {
    return (void)vm, self_property(self)->fdel;
}

static Value get_doc(GenVM *vm, Value self) {
    const Property *property = self_property(self);
    if (property->doc != VALUE_UNSET) return property->doc;
    if (property->fget == VALUE_NONE) return VALUE_NONE;
    if (!native_enter(vm)) return VALUE_ERROR;
    Value doc = attribute_find(vm, property->fget, name_value(vm, NAME___doc__));
    native_leave(vm);
    return doc == VALUE_UNSET ? VALUE_NONE : doc;
}

static bool set_doc(GenVM *vm, Value self, Value value) {
    self_property(self)->doc = value == VALUE_UNSET ? VALUE_NONE : value;
    gc_barrier(vm, as_object(self));
    return true;
}

static Value get_name(GenVM *vm, Value self) {
    const Property *property = self_property(self);
    if (property->name != VALUE_UNSET) return property->name;
    if (property->fget != VALUE_NONE) {
        if (!native_enter(vm)) return VALUE_ERROR;
        return native_left(vm, attribute_get(vm, property->fget, name_value(vm, NAME___name__)));
    }
    return raise_attribute(vm, self, name_value(vm, NAME___name__));
}

static bool set_name(GenVM *vm, Value self, Value value) {
    self_property(self)->name = value;
    gc_barrier(vm, as_object(self));
    return true;
}

static Value is_abstract(GenVM *vm, Value function) {
    if (!native_enter(vm)) return VALUE_ERROR; /* a property of a property ... */
    Value mark = attribute_find(vm, function, name_value(vm, NAME___isabstractmethod__));
    native_leave(vm);
    if (mark == VALUE_ERROR) return VALUE_ERROR;
    return mark == VALUE_UNSET ? VALUE_FALSE : value_truth(vm, mark);
}

static Value get_abstract(GenVM *vm, Value self) {
    const Property *property = self_property(self);
    Value functions[] = {property->fget, property->fset, property->fdel};
    for (int i = 0; i < 3; i++) {
        Value abstract = is_abstract(vm, functions[i]);
        if (abstract != VALUE_FALSE) return abstract;
    }
    return VALUE_FALSE;
}

static const NativeDef construct = {"property(cls, fget=None, fset=None, fdel=None, doc=None)",
                                    property_construct, NULL};

static const NativeDef methods[] = {
    {"static __new__(cls, /, *args, **kwargs)", method_make, "Create and return a new object."},
    {"__init__(self, fget=None, fset=None, fdel=None, doc=None)", method_init, "Initialize self."},
    {"getter(self, fget, /)", method_getter,
     "Descriptor to obtain a copy of the property with a different getter."},
    {"setter(self, fset, /)", method_setter,
     "Descriptor to obtain a copy of the property with a different setter."},
    {"deleter(self, fdel, /)", method_deleter,
     "Descriptor to obtain a copy of the property with a different deleter."},
    {"__set_name__(self, /, *args)", method_set_name, "Method to set name of a property."},
    {0},
};

static const AttributeDef attributes[] = {
    {"fget", get_fget, NULL, NULL},
    {"fset", get_fset, NULL, NULL},
    {"fdel", get_fdel, NULL, NULL},
    {"__doc__", get_doc, set_doc, NULL},
    {"__name__", get_name, set_name, NULL},
    {"__isabstractmethod__", get_abstract, NULL, NULL},
    {0},
};

const BuiltinType property_type = {
    .name = "property",
    .size = sizeof(Property),
    .doc = "Property attribute.\n\n  fget\n    function to be used for getting an attribute "
           "value\n  fset\n    function to be "
           "used for setting an attribute value\n  fdel\n    function to be used for del'ing an "
           "attribute\n  doc\n    "
           "docstring",
    .construct = &construct,
    .methods = methods,
    .attributes = attributes,
    .slots = {.descr_get = descr_get, .descr_set = descr_set, .trace = trace},
};
