/* union.c - int | None: a set of types, for annotations and for isinstance. */
#include "vm/image.h"
#include "vm/type_private.h"

typedef struct Union {
    Object header;
    Value args; /* tuple, flat, without duplicates; at least two */
} Union;

enum { COMPARED_A_STEP = 16 };

static const Tuple *args_of(Value self) {
    return AS_TUPLE(AS(Union, self)->args);
}

static void trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((Union *)object)->args);
}

/* Can v stand in a union: a class, None, list[int], a union, something of module typing. */
static bool is_operand(GenVM *vm, Value v) {
    if (v == VALUE_NONE || is_type(v) || is_kind(v, TYPE_GENERIC_ALIAS) || is_kind(v, TYPE_UNION))
        return true;
    Type *type = type_of(vm, v);
    return !type->is_builtin &&
           type_lookup(vm, type, str_intern_from(vm, "__typing_operand__", 18)) != VALUE_UNSET;
}

/* LEAF_SCRIPT: members have to be compared by a method of their own. */
static Leaf add(GenVM *vm, Value list, Value v) {
    if (v == VALUE_NONE) v = object_value(vm->types[TYPE_NONE]);
    const List *items = AS_LIST(list);
    if (!native_charge(vm, items->count / COMPARED_A_STEP)) return LEAF_ERROR;
    for (uint64_t i = 0; i < items->count; i++) {
        Leaf equal = leaf_equal(vm, items->items[i], v);
        if (equal != LEAF_FALSE) return equal;
    }
    return list_append(vm, list, v) ? LEAF_TRUE : LEAF_ERROR;
}

static Leaf add_operand(GenVM *vm, Value list, Value v) {
    if (!is_kind(v, TYPE_UNION)) return add(vm, list, v);
    const Tuple *args = args_of(v);
    for (uint64_t i = 0; i < args->count; i++) {
        Leaf added = add(vm, list, args->items[i]);
        if (added != LEAF_TRUE) return added;
    }
    return LEAF_TRUE;
}

static Value from_tuple(GenVM *vm, Value members) {
    if (AS_TUPLE(members)->count == 1) return AS_TUPLE(members)->items[0];
    Union *made = gc_new(vm, sizeof *made, TYPE_UNION);
    if (!made) return VALUE_ERROR;
    made->args = members;
    return object_value(made);
}

static Value from_members(GenVM *vm, const Value *members, uint64_t count) {
    Value list = list_new(vm, count);
    Leaf added = list == VALUE_ERROR ? LEAF_ERROR : LEAF_TRUE;
    for (uint64_t i = 0; i < count && added == LEAF_TRUE; i++)
        added = add_operand(vm, list, members[i]);
    if (added == LEAF_ERROR) return VALUE_ERROR;
    if (added == LEAF_SCRIPT) {
        Value all = tuple_new(vm, count);
        if (all == VALUE_ERROR) return VALUE_ERROR;
        memcpy(AS_TUPLE(all)->items, members, count * sizeof(Value));
        return native_twin(vm, TWIN_UNION_MAKE, 1, all);
    }
    Value tuple = list_to_tuple(vm, list);
    return tuple == VALUE_ERROR ? VALUE_ERROR : from_tuple(vm, tuple);
}

Value union_of(GenVM *vm, Value left, Value right) {
    if (!is_operand(vm, left) || !is_operand(vm, right)) return VALUE_NOT_IMPLEMENTED;
    Value members[] = {left, right};
    return from_members(vm, members, 2);
}

/* union_of_distinct(members): for the twin above */
static Value union_of_distinct(GenVM *vm, Value *args) {
    return from_tuple(vm, args[0]);
}

const NativeDef engine_union_natives[] = {
    {"union_of_distinct(members: tuple, /)", union_of_distinct, NULL},
    {0},
};

Value union_members(GenVM *vm, Value v) {
    return (void)vm, AS(Union, v)->args;
}

/* Union[a, b]: the argument is a tuple or one type. */
static Value union_getitem(GenVM *vm, Value *args) {
    if (!is_kind(args[1], TYPE_TUPLE)) return from_members(vm, &args[1], 1);
    const Tuple *given = AS_TUPLE(args[1]);
    if (given->count == 0) return raise_type(vm, "Cannot take a Union of no types.");
    return from_members(vm, given->items, given->count);
}

static Value getitem(GenVM *vm, Value self, Value key) {
    return native_twin(vm, TWIN_ALIAS_GETITEM, 2, self, key);
}

static Value binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    return op == BINARY_OR ? union_of(vm, left, right) : VALUE_NOT_IMPLEMENTED;
}

static Value repr(GenVM *vm, Value self) {
    return native_twin(vm, TWIN_UNION_REPR, 1, AS(Union, self)->args);
}

static Value compare_members(GenVM *vm, CompareOp op, Value left, Value right) {
    if ((op != COMPARE_EQ && op != COMPARE_NE) || !is_kind(left, TYPE_UNION) ||
        !is_kind(right, TYPE_UNION))
        return VALUE_NOT_IMPLEMENTED;
    const Tuple *a = args_of(left), *b = args_of(right);
    bool same = a->count == b->count;
    for (uint64_t i = 0; same && i < a->count; i++) {
        bool found = false;
        if (!native_charge(vm, b->count / COMPARED_A_STEP)) return VALUE_ERROR;
        for (uint64_t j = 0; j < b->count && !found; j++) {
            Leaf equal = leaf_equal(vm, a->items[i], b->items[j]);
            if (equal == LEAF_ERROR) return VALUE_ERROR;
            if (equal == LEAF_SCRIPT)
                return native_twin(vm, TWIN_UNION_EQUAL, 3, object_value(a), object_value(b),
                                   bool_value(op == COMPARE_EQ));
            found = equal == LEAF_TRUE;
        }
        same = found;
    }
    return bool_value(same == (op == COMPARE_EQ));
}

/* Unions of aliases of unions ... */
static Value compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if (!native_enter(vm)) return VALUE_ERROR;
    return native_left(vm, compare_members(vm, op, left, right));
}

static Value hash_members(GenVM *vm, Value self) {
    const Tuple *args = args_of(self);
    uint64_t mixed = 0;
    for (uint64_t i = 0; i < args->count; i++) {
        uint64_t one;
        Leaf known = leaf_hash(vm, args->items[i], &one);
        if (known == LEAF_ERROR) return VALUE_ERROR;
        mixed ^= known == LEAF_TRUE ? one * 0x9E3779B97F4A7C15u : 0;
    }
    return int_value((int64_t)mixed >> 4);
}

static Value hash(GenVM *vm, Value self) {
    return native_enter(vm) ? native_left(vm, hash_members(vm, self)) : VALUE_ERROR;
}

static Value method_mro_entries(GenVM *vm, Value *args) {
    (void)args;
    return raise_type(vm, "Cannot subclass %s", "a union");
}

static Value get_args(GenVM *vm, Value self) {
    return (void)vm, AS(Union, self)->args;
}
static Value get_parameters(GenVM *vm, Value self) {
    return native_twin(vm, TWIN_ALIAS_PARAMETERS, 1, AS(Union, self)->args);
}
static Value get_origin(GenVM *vm, Value self) {
    return (void)self, object_value(vm->types[TYPE_UNION]);
}

static const NativeDef methods[] = {
    {"classmethod __class_getitem__(cls, parameters, /)", union_getitem, NULL},
    {"__mro_entries__(self, bases, /)", method_mro_entries, NULL},
    {0},
};

static const AttributeDef attributes[] = {
    {"__args__", get_args, NULL, NULL},
    {"__parameters__", get_parameters, NULL, NULL},
    {"__origin__", get_origin, NULL, NULL},
    {0},
};

static const ImageField image_fields[] = {
    IMAGE_FIELD(Union, args, VALUE, TUPLE),
    {0},
};
static const ImageLayout image_layout = {sizeof(Union), image_fields, NULL, NULL};

const BuiltinType union_type = {
    .name = "Union",
    .module = "typing",
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Union),
    .doc = "Represent a union type\n\nE.g. for int | str",
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = repr,
              .hash = hash,
              .getitem = getitem,
              .binary = binary,
              .compare = compare,
              .trace = trace,
              .image = &image_layout},
};
