/* tuple.c - tuples: an immutable row of items behind the header. */
#include "vm/engine_module.h"
#include "vm/objects/containers.h"

/* ---- making them ---- */

Value tuple_new(GenVM *vm, uint64_t count) {
    if (count == 0 && is_object(vm->empty_tuple)) return vm->empty_tuple;
    if (unlikely(count > (INT64_MAX - sizeof(Tuple)) / sizeof(Value))) return raise_memory(vm);
    Tuple *tuple = gc_new_raw(vm, sizeof *tuple + count * sizeof(Value), TYPE_TUPLE);
    if (!tuple) return VALUE_ERROR;
    tuple->count = count;
    for (uint64_t i = 0; i < count; i++)
        tuple->items[i] = VALUE_UNSET;
    return object_value(tuple);
}

static Tuple *tuple_raw(GenVM *vm, uint64_t count) {
    Tuple *tuple = gc_new_raw(vm, sizeof *tuple + count * sizeof(Value), TYPE_TUPLE);
    if (tuple) tuple->count = count;
    return tuple;
}

Value tuple_from_array(GenVM *vm, const Value *items, uint64_t count) {
    if (count == 0) return tuple_new(vm, 0);
    Tuple *tuple = tuple_raw(vm, count);
    if (!tuple) return VALUE_ERROR;
    if (!native_copy(vm, tuple->items, items, count * sizeof *items)) return VALUE_ERROR;
    return object_value(tuple);
}

Value tuple_pack(GenVM *vm, int count, ...) {
    if (count == 0) return tuple_new(vm, 0);
    Tuple *tuple = tuple_raw(vm, (uint64_t)count);
    if (!tuple) return VALUE_ERROR;
    va_list list;
    va_start(list, count);
    bool ok = true;
    for (int i = 0; i < count; i++)
        ok &= (tuple->items[i] = va_arg(list, Value)) != VALUE_ERROR;
    va_end(list);
    return ok ? object_value(tuple) : VALUE_ERROR;
}

Value list_to_tuple(GenVM *vm, Value list) {
    return tuple_from_array(vm, AS_LIST(list)->items, AS_LIST(list)->count);
}

static void tuple_trace(GenVM *vm, Object *object) {
    Tuple *tuple = (Tuple *)object;
    for (uint64_t i = 0; i < tuple->count; i++)
        gc_mark(vm, tuple->items[i]);
}

/* An instance of `cls`, tuple or a subclass, of these items. */
static Value tuple_of_class(GenVM *vm, Type *cls, const Value *items, uint64_t count) {
    if (cls == vm->types[TYPE_TUPLE]) return tuple_from_array(vm, items, count);
    Tuple *tuple = gc_new_of(vm, sizeof *tuple + count * sizeof(Value), TYPE_TUPLE, cls);
    if (!tuple) return VALUE_ERROR;
    tuple->count = count;
    if (count) memcpy(tuple->items, items, count * sizeof *items);
    return object_value(tuple);
}

static Value tuple_construct(GenVM *vm, Value *args) {
    Type *cls = container_class(vm, args[0], TYPE_TUPLE);
    if (!cls) return VALUE_ERROR;
    if (args[1] == VALUE_UNSET) return tuple_of_class(vm, cls, NULL, 0);
    if (cls == vm->types[TYPE_TUPLE] && is_exact(args[1], TYPE_TUPLE)) return args[1];
    uint64_t count;
    const Value *items = exact_items(args[1], &count);
    if (items) return tuple_of_class(vm, cls, items, count);
    Value rest, list = list_new(vm, 0);
    if (list == VALUE_ERROR) return VALUE_ERROR;
    Leaf done = list_extend_turns(vm, list, args[1], &rest, true);
    if (done == LEAF_ERROR) return VALUE_ERROR;
    if (done == LEAF_FALSE) return native_twin(vm, TWIN_TUPLE_GO_ON, 3, args[0], list, rest);
    if (done == LEAF_SCRIPT) return native_twin(vm, TWIN_TUPLE_NEW, 2, args[0], rest);
    return tuple_of_class(vm, cls, AS_LIST(list)->items, AS_LIST(list)->count);
}

/* tuple(x) of exactly a tuple or a list. */
static Value construct_fast(GenVM *vm, const Value *args, uint32_t count) {
    if (count != 2 || args[0] != object_value(vm->types[TYPE_TUPLE])) return VALUE_UNSET;
    if (is_exact(args[1], TYPE_TUPLE)) return args[1];
    if (!is_exact(args[1], TYPE_LIST)) return VALUE_UNSET;
    return tuple_from_array(vm, AS_LIST(args[1])->items, AS_LIST(args[1])->count);
}

/* ---- slots ---- */

static Value tuple_len(GenVM *vm, Value self) {
    (void)vm;
    return int_value((int64_t)AS_TUPLE(self)->count);
}

static Value tuple_slice(GenVM *vm, Value self, Value key) {
    Tuple *tuple = AS_TUPLE(self);
    int64_t start, stop, step, count;
    Leaf done = slice_indices(vm, key, (int64_t)tuple->count, &start, &stop, &step, &count);
    if (done == LEAF_ERROR) return VALUE_ERROR;
    if (done == LEAF_SCRIPT) return sequence_odd_index(vm, self, key, VALUE_UNSET, false);
    if (step == 1 && (uint64_t)count == tuple->count && is_exact(self, TYPE_TUPLE)) return self;
    if (step == 1 || count == 0) return tuple_from_array(vm, tuple->items + start, (uint64_t)count);
    Tuple *part = tuple_raw(vm, (uint64_t)count);
    if (!part) return VALUE_ERROR;
    for (int64_t i = 0; i < count; i++)
        part->items[i] = tuple->items[start + i * step];
    return object_value(part);
}

static Value tuple_getitem(GenVM *vm, Value self, Value key) {
    Tuple *tuple = AS_TUPLE(self);
    int64_t i;
    if (is_int(key)) {
        i = as_int(key);
        if (i < 0) i += (int64_t)tuple->count;
        if (likely((uint64_t)i < tuple->count)) return tuple->items[i];
    }
    if (is_kind(key, TYPE_SLICE)) return tuple_slice(vm, self, key);
    if (!value_is_intlike(key) && is_object(key) &&
        type_find_special(vm, type_of(vm, key), SP_INDEX) != VALUE_UNSET)
        return sequence_odd_index(vm, self, key, VALUE_UNSET, false);
    return sequence_index(vm, key, (int64_t)tuple->count, "tuple", &i) ? tuple->items[i]
                                                                       : VALUE_ERROR;
}

static Value tuple_iter(GenVM *vm, Value self) {
    return list_iterator_new(vm, TYPE_TUPLE_ITERATOR, self, 0);
}

static Value tuple_concat(GenVM *vm, Value left, Value right) {
    if (!is_kind(left, TYPE_TUPLE)) return VALUE_NOT_IMPLEMENTED;
    if (!is_kind(right, TYPE_TUPLE)) {
        if (type_special(vm, right, SP_RADD) != VALUE_UNSET) return VALUE_NOT_IMPLEMENTED;
        return raise_type(vm, "can only concatenate tuple (not \"%T\") to tuple", right);
    }
    Tuple *a = AS_TUPLE(left), *b = AS_TUPLE(right);
    if (a->count == 0 && is_exact(right, TYPE_TUPLE)) return right;
    if (b->count == 0 && is_exact(left, TYPE_TUPLE)) return left;
    if (a->count + b->count == 0) return tuple_new(vm, 0);
    Tuple *both = tuple_raw(vm, a->count + b->count);
    if (!both || !charge_items(vm, both->count)) return VALUE_ERROR;
    bool copied = native_copy(vm, both->items, a->items, a->count * sizeof(Value)) &&
                  native_copy(vm, both->items + a->count, b->items, b->count * sizeof(Value));
    return copied ? object_value(both) : VALUE_ERROR;
}

static Value tuple_repeat(GenVM *vm, Value self, Value times) {
    uint64_t total;
    Tuple *tuple = AS_TUPLE(self);
    Leaf done = sequence_times(vm, times, tuple->count, sizeof(Value), &total);
    if (done == LEAF_FALSE) return VALUE_NOT_IMPLEMENTED;
    if (done == LEAF_ERROR) return VALUE_ERROR;
    if (done == LEAF_SCRIPT) return native_twin(vm, TWIN_SEQUENCE_REPEAT, 2, self, times);
    if (total == tuple->count && is_exact(self, TYPE_TUPLE)) return self;
    if (total == 0) return tuple_new(vm, 0);
    Tuple *all = tuple_raw(vm, total);
    if (!all) return VALUE_ERROR;
    bool copied = native_copy(vm, all->items, tuple->items, tuple->count * sizeof(Value)) &&
                  sequence_repeat_items(vm, all->items, tuple->count, total);
    return copied ? object_value(all) : VALUE_ERROR;
}

static Value tuple_binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    if (op == BINARY_ADD) return tuple_concat(vm, left, right);
    if (op != BINARY_MUL) return VALUE_NOT_IMPLEMENTED;
    return is_kind(left, TYPE_TUPLE) ? tuple_repeat(vm, left, right)
                                     : tuple_repeat(vm, right, left);
}

static Value tuple_compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if (!is_kind(left, TYPE_TUPLE) || !is_kind(right, TYPE_TUPLE)) return VALUE_NOT_IMPLEMENTED;
    return sequence_compare(vm, op, left, right);
}

static inline uint64_t rotate_left(uint64_t x, int bits) {
    return x << bits | x >> (64 - bits);
}

static const uint64_t PRIME_1 = 11400714785074694791u, PRIME_2 = 14029467366897019727u,
                      PRIME_5 = 2870177450012600261u;

static inline uint64_t hash_step(uint64_t hash, uint64_t item) {
    return rotate_left(hash + item * PRIME_2, 31) * PRIME_1;
}

static inline uint64_t hash_end(uint64_t hash, uint64_t count) {
    hash += count ^ (PRIME_5 ^ 3527539u);
    return hash == (uint64_t)-1 ? 1546275796u : hash;
}

uint64_t tuple_hash_combine(const uint64_t *hashes, uint64_t count, bool with_length) {
    uint64_t hash = PRIME_5;
    for (uint64_t i = 0; i < count; i++)
        hash = hash_step(hash, hashes[i]);
    if (with_length) return hash_end(hash, count);
    return hash == (uint64_t)-1 ? 1546275796u : hash;
}

/* Of the items from `i` on, which may be tuples themselves. */
static __attribute__((noinline)) Leaf hash_rest(GenVM *vm, Tuple *tuple, uint64_t i, uint64_t hash,
                                                uint64_t *result) {
    uint64_t item;
    if (!charge_items(vm, tuple->count) || !native_enter_work(vm)) return LEAF_ERROR;
    Leaf hashed = LEAF_TRUE;
    for (; i < tuple->count && hashed == LEAF_TRUE; i++) {
        hashed = key_hash(vm, tuple->items[i], &item);
        if (hashed == LEAF_TRUE) hash = hash_step(hash, item);
    }
    native_leave(vm);
    *result = hash_end(hash, tuple->count);
    return hashed;
}

Leaf tuple_leaf_hash(GenVM *vm, Value self, uint64_t *result) {
    Tuple *tuple = AS_TUPLE(self);
    uint64_t hash = PRIME_5;
    for (uint64_t i = 0; i < tuple->count; i++) {
        Value item = tuple->items[i];
        if (unlikely(i == 64)) return hash_rest(vm, tuple, i, hash, result);
        if (is_int(item))
            hash = hash_step(hash, small_int_hash(item));
        else if (is_exact(item, TYPE_STR) && AS_STR(item)->hash)
            hash = hash_step(hash, AS_STR(item)->hash);
        else
            return hash_rest(vm, tuple, i, hash, result);
    }
    *result = hash_end(hash, tuple->count);
    return LEAF_TRUE;
}

static __attribute__((noinline)) Leaf equal_rest(GenVM *vm, const Tuple *a, const Tuple *b,
                                                 uint64_t i) {
    if (!charge_items(vm, a->count) || !native_enter_work(vm)) return LEAF_ERROR;
    Leaf equal = LEAF_TRUE;
    for (; i < a->count && equal == LEAF_TRUE; i++)
        if (a->items[i] != b->items[i]) equal = items_equal(vm, a->items[i], b->items[i]);
    native_leave(vm);
    return equal;
}

Leaf tuple_leaf_equal(GenVM *vm, Value left, Value right) {
    const Tuple *a = AS_TUPLE(left), *b = AS_TUPLE(right);
    if (a->count != b->count) return LEAF_FALSE;
    for (uint64_t i = 0; i < a->count; i++) {
        Value x = a->items[i], y = b->items[i];
        if (unlikely(i == 64)) return equal_rest(vm, a, b, i);
        if (x == y) continue;
        if (are_ints(x, y)) return LEAF_FALSE;
        if (!is_exact(x, TYPE_STR) || !is_exact(y, TYPE_STR)) return equal_rest(vm, a, b, i);
        if (!str_equal_charged(vm, x, y)) return LEAF_FALSE;
    }
    return LEAF_TRUE;
}

static Value tuple_hash(GenVM *vm, Value self) {
    uint64_t hash;
    Leaf hashed = tuple_leaf_hash(vm, self, &hash);
    if (hashed == LEAF_ERROR) return VALUE_ERROR;
    if (hashed == LEAF_SCRIPT) return native_twin(vm, TWIN_TUPLE_HASH, 1, self);
    return int_from_i64(vm, (int64_t)hash);
}

/* _engine.combine_hashes(list of ints, with_length) */
static Value engine_combine_hashes(GenVM *vm, Value *args) {
    List *list = AS_LIST(args[0]);
    uint64_t item, hash = PRIME_5;
    for (uint64_t i = 0; i < list->count; i++) {
        if (!int_to_u64_mask(list->items[i], &item)) return VALUE_ERROR;
        hash = hash_step(hash, item);
    }
    if (args[1] == VALUE_TRUE) hash = hash_end(hash, list->count);
    if (hash == (uint64_t)-1) hash = 1546275796u;
    return int_from_i64(vm, (int64_t)hash);
}

static Value tuple_repr(GenVM *vm, Value self) {
    return sequence_repr(vm, self, "(", ")");
}

/* ---- methods ---- */

static Value tuple_count(GenVM *vm, Value *args) {
    return sequence_count(vm, args[0], args[1]);
}

static Value tuple_index(GenVM *vm, Value *args) {
    return sequence_find(vm, args, "tuple.index(x): x not in tuple");
}

static Value tuple_getnewargs(GenVM *vm, Value *args) {
    Value items = tuple_from_array(vm, AS_TUPLE(args[0])->items, AS_TUPLE(args[0])->count);
    return items == VALUE_ERROR ? items : tuple_pack(vm, 1, items);
}

static Value tuple_class_getitem(GenVM *vm, Value *args) {
    return generic_alias_new(vm, args[0], args[1]);
}

/* _engine.tuple_of(cls, list): an instance of a subclass of tuple. */
static Value engine_tuple_of(GenVM *vm, Value *args) {
    if (!type_makes(vm, args[0], TYPE_TUPLE)) return VALUE_ERROR;
    return tuple_of_class(vm, type_from(args[0]), AS_LIST(args[1])->items, AS_LIST(args[1])->count);
}

const NativeDef engine_tuple_natives[] = {
    {"combine_hashes(hashes: list, with_length: bool, /)", engine_combine_hashes, NULL},
    {"tuple_of(cls: type, items: list, /)", engine_tuple_of, NULL},
    {NULL, NULL, NULL},
};

static const NativeDef tuple_constructor = {
    "tuple(cls, iterable = ?, /)", tuple_construct,
    "Built-in immutable sequence.\n\nIf no argument is given, the constructor returns an empty "
    "tuple.\nIf iterable is specified the tuple is initialized from iterable's items.\n\nIf the "
    "argument is a tuple, the return value is the same object."};

static const NativeDef tuple_methods[] = {
    {"index(self, value, start = 0, stop = 2305843009213693951, /)", tuple_index,
     "Return first index of value.\n\nRaises ValueError if the value is not present."},
    {"count(self, value, /)", tuple_count, "Return number of occurrences of value."},
    {"__getnewargs__(self, /)", tuple_getnewargs, NULL},
    {"classmethod __class_getitem__(cls, item, /)", tuple_class_getitem, "See PEP 585"},
    {NULL, NULL, NULL},
};

const BuiltinType tuple_type = {
    .name = "tuple",
    .base = TYPE_OBJECT,
    .flags = TYPE_SEQUENCE | TYPE_MATCH_SELF,
    .size = sizeof(Tuple),
    .doc =
        "Built-in immutable sequence.\n\nIf no argument is given, the constructor returns an empty "
        "tuple.\nIf iterable is specified the tuple is initialized from iterable's items.\n\nIf "
        "the "
        "argument is a tuple, the return value is the same object.",
    .construct = &tuple_constructor,
    .construct_fast = construct_fast,
    .methods = tuple_methods,
    .slots = {.repr = tuple_repr,
              .hash = tuple_hash,
              .len = tuple_len,
              .getitem = tuple_getitem,
              .contains = sequence_contains,
              .iter = tuple_iter,
              .binary = tuple_binary,
              .compare = tuple_compare,
              .trace = tuple_trace},
};
