/* generic_alias.c - list[int]: a class with type arguments, for annotations. Calls and attributes
 * are the class's. Iterated over it gives itself once, unpacked: the *tuple[int, str] of
 * tuple[bool, *tuple[int, str]]. What needs the type variables of module typing (substitution,
 * their names) is written in Gen. */
#include "vm/objects/containers.h"
#include "vm/type_private.h"

static GenericAlias *self_alias(Value self) {
    return AS(GenericAlias, self);
}

Value generic_alias_new(GenVM *vm, Value origin, Value args) {
    if (!is_kind(args, TYPE_TUPLE)) args = tuple_pack(vm, 1, args);
    if (args == VALUE_ERROR) return VALUE_ERROR;
    GenericAlias *alias = gc_new(vm, sizeof *alias, TYPE_GENERIC_ALIAS);
    if (!alias) return VALUE_ERROR;
    alias->origin = origin;
    alias->args = args;
    alias->is_unpacked = VALUE_FALSE;
    return object_value(alias);
}

static void trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((GenericAlias *)object)->origin);
    gc_mark(vm, ((GenericAlias *)object)->args);
}

static Value repr(GenVM *vm, Value self) {
    return native_twin(vm, TWIN_ALIAS_REPR, 3, self_alias(self)->origin, self_alias(self)->args,
                       self_alias(self)->is_unpacked);
}

static Value hash(GenVM *vm, Value self) {
    uint64_t origin, args;
    if (!native_enter(vm)) return VALUE_ERROR;
    Leaf known = leaf_hash(vm, self_alias(self)->origin, &origin);
    native_leave(vm);
    if (known == LEAF_TRUE) known = leaf_hash(vm, self_alias(self)->args, &args);
    if (known == LEAF_ERROR) return VALUE_ERROR;
    if (known == LEAF_SCRIPT)
        return native_twin(vm, TWIN_ALIAS_HASH, 2, self_alias(self)->origin,
                           self_alias(self)->args);
    return int_value((int64_t)((origin * 31) ^ args) >> 4);
}

static Value compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if ((op != COMPARE_EQ && op != COMPARE_NE) || !is_kind(left, TYPE_GENERIC_ALIAS) ||
        !is_kind(right, TYPE_GENERIC_ALIAS))
        return VALUE_NOT_IMPLEMENTED;
    if (self_alias(left)->is_unpacked != self_alias(right)->is_unpacked)
        return bool_value(op == COMPARE_NE);
    Value a = tuple_pack(vm, 2, self_alias(left)->origin, self_alias(left)->args);
    Value b = tuple_pack(vm, 2, self_alias(right)->origin, self_alias(right)->args);
    return a == VALUE_ERROR || b == VALUE_ERROR ? VALUE_ERROR : value_compare(vm, op, a, b);
}

static Value call(GenVM *vm, Value self, Value args, Value kwargs) {
    return native_twin(vm, TWIN_ALIAS_CALL, 3, self, args,
                       kwargs == VALUE_UNSET ? VALUE_NONE : kwargs);
}

static Value getitem(GenVM *vm, Value self, Value key) {
    return native_twin(vm, TWIN_ALIAS_GETITEM, 2, self, key);
}

/* (*self,) */
static Value iter(GenVM *vm, Value self) {
    Value unpacked = generic_alias_new(vm, self_alias(self)->origin, self_alias(self)->args);
    if (unpacked == VALUE_ERROR) return VALUE_ERROR;
    self_alias(unpacked)->is_unpacked = VALUE_TRUE;
    Value once = tuple_pack(vm, 1, unpacked);
    return once == VALUE_ERROR ? VALUE_ERROR : list_iterator_new(vm, TYPE_TUPLE_ITERATOR, once, 0);
}

static Value binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    return op == BINARY_OR ? union_of(vm, left, right) : VALUE_NOT_IMPLEMENTED;
}

/* Names that do not stand for the class's own. */
static bool is_blocked(Value name) {
    return str_is(name, "__copy__") || str_is(name, "__deepcopy__") || str_is(name, "__bases__");
}

static Value getattr(GenVM *vm, Value self, Value name) {
    if (is_blocked(name)) return raise_attribute(vm, self, name);
    Value raw = type_lookup(vm, vm->types[TYPE_GENERIC_ALIAS], name);
    bool own = raw != VALUE_UNSET && name != name_value(vm, NAME___class__) &&
               type_lookup(vm, vm->types[TYPE_OBJECT], name) != raw;
    const Str *text = AS_STR(name);
    bool dunder = text->size > 4 && memcmp(text->data, "__", 2) == 0;
    if (own || (raw != VALUE_UNSET && dunder && name != name_value(vm, NAME___class__)))
        return object_getattr(vm, self, name);
    if (!native_enter(vm)) return VALUE_ERROR; /* an alias of an alias ... */
    return native_left(vm, attribute_get(vm, self_alias(self)->origin, name));
}

static Value setattr(GenVM *vm, Value self, Value name, Value value) {
    (void)value;
    return raise_attribute(vm, self, name);
}

Value generic_alias_method(GenVM *vm, Value *args) {
    return generic_alias_new(vm, args[0], args[1]);
}

/* ---- methods and attributes ---- */

static Value alias_construct(GenVM *vm, Value *args) {
    return generic_alias_new(vm, args[1], args[2]);
}

/* Generic[...] stands aside for a parameterized base behind it, which brings Generic with it. */
static bool brings_generic(const Tuple *bases, Value self) {
    Value origin = self_alias(self)->origin;
    if (!is_kind(origin, TYPE_TYPE) || !str_is(AS(Type, origin)->name, "Generic")) return false;
    uint64_t i = 0;
    while (i < bases->count && bases->items[i] != self)
        i++;
    for (i++; i < bases->count; i++)
        if (is_kind(bases->items[i], TYPE_GENERIC_ALIAS)) return true;
    return false;
}

static Value method_mro_entries(GenVM *vm, Value *args) {
    if (is_kind(args[1], TYPE_TUPLE) && brings_generic(AS_TUPLE(args[1]), args[0]))
        return vm->empty_tuple;
    return tuple_pack(vm, 1, self_alias(args[0])->origin);
}

static Value method_reduce(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_ALIAS_REDUCE, 1, args[0]);
}

static Value method_instancecheck(GenVM *vm, Value *args) {
    (void)args;
    return raise_type(vm, "isinstance() argument 2 cannot be a parameterized generic");
}

static Value method_subclasscheck(GenVM *vm, Value *args) {
    (void)args;
    return raise_type(vm, "issubclass() argument 2 cannot be a parameterized generic");
}

static Value get_origin(GenVM *vm, Value self) {
    return (void)vm, self_alias(self)->origin;
}
static Value get_args(GenVM *vm, Value self) {
    return (void)vm, self_alias(self)->args;
}

static Value get_parameters(GenVM *vm, Value self) {
    return native_twin(vm, TWIN_ALIAS_PARAMETERS, 1, self_alias(self)->args);
}

static Value get_unpacked(GenVM *vm, Value self) {
    return (void)vm, self_alias(self)->is_unpacked;
}

static Value get_unpacked_tuple_args(GenVM *vm, Value self) {
    const GenericAlias *alias = self_alias(self);
    bool has =
        alias->is_unpacked == VALUE_TRUE && alias->origin == object_value(vm->types[TYPE_TUPLE]);
    return has ? alias->args : VALUE_NONE;
}

static const NativeDef construct = {"GenericAlias(cls, origin, args, /)", alias_construct, NULL};

static const NativeDef methods[] = {
    {"__reduce__(self, /)", method_reduce, NULL},
    {"__mro_entries__(self, bases, /)", method_mro_entries, NULL},
    {"__instancecheck__(self, instance, /)", method_instancecheck, NULL},
    {"__subclasscheck__(self, subclass, /)", method_subclasscheck, NULL},
    {0},
};

static const AttributeDef attributes[] = {
    {"__origin__", get_origin, NULL, NULL},
    {"__args__", get_args, NULL, NULL},
    {"__parameters__", get_parameters, NULL, "Type variables in the GenericAlias."},
    {"__unpacked__", get_unpacked, NULL, NULL},
    {"__typing_unpacked_tuple_args__", get_unpacked_tuple_args, NULL, NULL},
    {0},
};

const BuiltinType generic_alias_type = {
    .name = "GenericAlias",
    .module = "types",
    .size = sizeof(GenericAlias),
    .doc = "Represent a PEP 585 generic type\n\nE.g. for t = list[int], t.__origin__ is list and "
           "t.__args__ is (int,).",
    .construct = &construct,
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = repr,
              .hash = hash,
              .compare = compare,
              .call = call,
              .getitem = getitem,
              .iter = iter,
              .binary = binary,
              .getattr = getattr,
              .setattr = setattr,
              .trace = trace},
};
