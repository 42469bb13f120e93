/* set.c - set and frozenset, as scripts and the engine see them, and the set operators of dict
 * views. The table is in set_table.c.
 *
 * An operation on two collections first makes the other one something that can be iterated twice
 * (iterable_items), so that the twin may begin again when an item turns out to need script code.
 * Operations that change self are begun again only where a second time does no harm.
 */
#include "vm/engine_module.h"
#include "vm/objects/containers.h"
#include "vm/shared.h"

static Value set_alloc(GenVM *vm, Type *cls) {
    TypeId kind = (TypeId)cls->instance_kind;
    Set *set = gc_new_of(vm, sizeof *set, kind, cls);
    if (!set) return VALUE_ERROR;
    set_init(set);
    return object_value(set);
}

Value set_new(GenVM *vm, TypeId kind) {
    Set *set = gc_new(vm, sizeof *set, kind);
    if (!set) return VALUE_ERROR;
    set_init(set);
    return object_value(set);
}

static void set_trace(GenVM *vm, Object *object) {
    Set *set = (Set *)object;
    gc_mark_pointer(vm, set->buffer);
    if (!set->has_objects) return;
    for (uint64_t i = 0; i <= set->mask; i++)
        gc_mark(vm, set->table[i].key);
}

/* ---- items ---- */

static inline Leaf item_hash(GenVM *vm, Value item, uint64_t *hash) {
    Leaf hashed = key_hash(vm, item, hash);
    if (unlikely(hashed == LEAF_ERROR)) table_unhashable(vm, item, "set element");
    return hashed;
}

/* For `in`, remove and discard a set stands for the frozenset of its items. */
static inline Leaf wanted_hash(GenVM *vm, Value item, uint64_t *hash) {
    if (is_kind(item, TYPE_SET) && type_special(vm, item, SP_HASH) == VALUE_UNSET) {
        *hash = set_frozen_hash(AS_SET(item));
        return LEAF_TRUE;
    }
    return item_hash(vm, item, hash);
}

Leaf set_add(GenVM *vm, Value set, Value item) {
    uint64_t hash;
    Leaf hashed = item_hash(vm, item, &hash);
    return hashed == LEAF_TRUE ? set_add_hashed(vm, AS_SET(set), item, hash) : hashed;
}

static inline Leaf has_hashed(GenVM *vm, Set *set, Value item, uint64_t hash) {
    int64_t slot = set_find(vm, set, item, hash);
    return slot >= 0 ? LEAF_TRUE : entry_leaf(slot);
}

Leaf set_contains(GenVM *vm, Value set, Value item) {
    uint64_t hash;
    Leaf hashed = wanted_hash(vm, item, &hash);
    return hashed == LEAF_TRUE ? has_hashed(vm, AS_SET(set), item, hash) : hashed;
}

static Leaf discard_hashed(GenVM *vm, Set *set, Value item, uint64_t hash) {
    int64_t slot = set_find(vm, set, item, hash);
    if (slot < 0) return entry_leaf(slot);
    set_remove(set, (uint32_t)slot);
    return LEAF_TRUE;
}

static Leaf set_discard(GenVM *vm, Set *set, Value item) {
    uint64_t hash;
    Leaf hashed = wanted_hash(vm, item, &hash);
    return hashed == LEAF_TRUE ? discard_hashed(vm, set, item, hash) : hashed;
}

/* ---- iteration with the hashes at hand ---- */

/* Goes through a set, a dict, a list or a tuple (what iterable_items gives), hashing only where it
 * must. */
typedef struct Walk {
    GenVM *vm;
    Value source;
    uint32_t position;
    uint64_t next, count;
    const Value *items; /* of a list or tuple */
} Walk;

enum { ITEMS_A_STEP = 4 };

static Walk walk_begin(GenVM *vm, Value source) {
    Walk walk = {.vm = vm, .source = source};
    walk.items = sequence_items(source, &walk.count);
    uint64_t count = walk.items           ? walk.count
                     : is_any_set(source) ? AS_SET(source)->count
                                          : AS_DICT(source)->count;
    native_spend(vm, count / ITEMS_A_STEP);
    return walk;
}

/* LEAF_TRUE: *item and *hash; LEAF_FALSE: at the end; else as item_hash, *item set. */
static inline Leaf walk_next(Walk *walk, Value *item, uint64_t *hash) {
    if (walk->items) {
        if (walk->next == walk->count) return LEAF_FALSE;
        *item = walk->items[walk->next++];
        return item_hash(walk->vm, *item, hash);
    }
    if (is_any_set(walk->source))
        return set_next(AS_SET(walk->source), &walk->position, item, hash) ? LEAF_TRUE : LEAF_FALSE;
    Dict *dict = AS_DICT(walk->source);
    while (walk->position < dict->used) {
        DictEntry *entry = &dict->entries[walk->position++];
        if (entry->key == VALUE_UNSET) continue;
        *item = entry->key;
        *hash = entry->hash;
        return LEAF_TRUE;
    }
    return LEAF_FALSE;
}

static Leaf add_walk(GenVM *vm, Set *set, Value source) {
    if (is_any_set(source)) return set_merge(vm, set, AS_SET(source));
    if (is_kind(source, TYPE_DICT) && !set_prepare(vm, set, AS_DICT(source)->count))
        return LEAF_ERROR;
    Walk walk = walk_begin(vm, source);
    if (!charge_items(vm, walk.count)) return LEAF_ERROR;
    for (uint64_t n = 0;; n++) {
        Value item;
        uint64_t hash;
        Leaf got = walk_next(&walk, &item, &hash);
        if (got != LEAF_TRUE) return got == LEAF_FALSE ? LEAF_TRUE : got;
        if (!native_glance(vm, n)) return LEAF_ERROR;
        got = set_add_hashed(vm, set, item, hash);
        if (got != LEAF_TRUE) return got;
    }
}

/* Adds what any native iterable yields. LEAF_SCRIPT: the rest is `*first`, where not unset, and
 * then `*rest`. LEAF_FALSE: so it is, when the budget is spent. */
static Leaf add_iterable(GenVM *vm, Value set, Value iterable, Value *first, Value *rest) {
    *first = VALUE_UNSET;
    *rest = iterable;
    uint64_t count;
    bool plain_dict = is_exact(iterable, TYPE_DICT),
         plain_set = is_exact(iterable, TYPE_SET) || is_exact(iterable, TYPE_FROZENSET);
    if (plain_dict || plain_set || exact_items(iterable, &count))
        return add_walk(vm, AS_SET(set), iterable);
    Leaf begun = iterator_begin(vm, iterable, rest);
    if (begun != LEAF_TRUE) return begun;
    vm->committed = NULL; /* what stops before an item leaves it */
    if (is_kind(*rest, TYPE_RANGE_ITERATOR)) {
        Leaf added = set_add_range(vm, AS_SET(set), AS(RangeIterator, *rest));
        if (added != LEAF_FALSE) return added;
    }
    for (uint64_t n = 1;; n++) {
        Leaf turn = n % 64 == 0 ? native_turn(vm, 8) : LEAF_TRUE;
        if (turn != LEAF_TRUE) return turn;
        Value item = iterator_step(vm, *rest);
        if (item == VALUE_END) return LEAF_TRUE;
        if (item == VALUE_ERROR) return LEAF_ERROR;
        Leaf added = set_add(vm, set, item);
        if (added == LEAF_ERROR && native_leaves_item(vm)) added = LEAF_FALSE;
        if (added == LEAF_SCRIPT || added == LEAF_FALSE) *first = item;
        if (added != LEAF_TRUE) return added;
    }
}

/* Adds all of `iterable` and returns `result`, in a twin where need be. */
static Value fill(GenVM *vm, Value set, Value iterable, Value result) {
    Value first, rest;
    Leaf added = add_iterable(vm, set, iterable, &first, &rest);
    if (added == LEAF_ERROR) return VALUE_ERROR;
    if (added == LEAF_TRUE) return result;
    Twin twin = added == LEAF_FALSE ? TWIN_SET_GO_ON : TWIN_SET_FILL_FROM;
    if (first == VALUE_UNSET) return native_twin(vm, twin, 3, set, rest, result);
    return native_twin(vm, twin, 4, set, rest, result, first);
}

/* For those that are being made, which may be frozensets. */
static bool may_change(GenVM *vm, Value set) {
    if (likely(!is_shared(as_object(set)))) return true;
    raise_type(vm, "a constant cannot be changed");
    return false;
}

/* _engine.set_put_all(set, iterator): puts in as many items as the budget allows; were that all? */
static Value put_all(GenVM *vm, Value *args) {
    if (!may_change(vm, args[0])) return VALUE_ERROR;
    Value first, rest;
    Leaf added = add_iterable(vm, args[0], args[1], &first, &rest);
    if (added == LEAF_ERROR) return VALUE_ERROR;
    if (added == LEAF_TRUE) return VALUE_TRUE;
    if (added == LEAF_SCRIPT && first == VALUE_UNSET)
        return native_twin(vm, TWIN_SET_FILL_FROM, 3, args[0], rest, VALUE_TRUE);
    if (first == VALUE_UNSET) return VALUE_FALSE;
    return table_search(vm, TABLE_ADD, args[0], first, VALUE_UNSET); /* which gives None */
}

/* ---- operations on a set and a walkable collection ---- */

static TypeId base_kind(Value set) {
    return (TypeId)as_object(set)->kind;
}

static Leaf copy_into(GenVM *vm, Value self, Value *result) {
    *result = set_new(vm, base_kind(self));
    return *result == VALUE_ERROR ? LEAF_ERROR : set_merge(vm, AS_SET(*result), AS_SET(self));
}

/* A fresh set of the items of any walkable collection. */
static Leaf set_of(GenVM *vm, TypeId kind, Value source, Value *result) {
    *result = set_new(vm, kind);
    return *result == VALUE_ERROR ? LEAF_ERROR : add_walk(vm, AS_SET(*result), source);
}

static Leaf walkable_has(GenVM *vm, Value source, Value item, uint64_t hash) {
    if (is_any_set(source)) return has_hashed(vm, AS_SET(source), item, hash);
    int64_t entry = dict_find(vm, AS_DICT(source), item, hash);
    return entry >= 0 ? LEAF_TRUE : entry_leaf(entry);
}

/* Adds to `result` the items of `source` that are (wanted) or are not in `other`, a set or dict. */
static Leaf select_items(GenVM *vm, Value result, Value source, Value other, bool wanted) {
    if (is_any_set(source) && is_any_set(other))
        return set_select(vm, AS_SET(result), AS_SET(source), AS_SET(other), wanted);
    Walk walk = walk_begin(vm, source);
    for (uint64_t n = 0;; n++) {
        Value item;
        uint64_t hash;
        Leaf got = walk_next(&walk, &item, &hash);
        if (got != LEAF_TRUE) return got == LEAF_FALSE ? LEAF_TRUE : got;
        if (!native_glance(vm, n)) return LEAF_ERROR;
        got = walkable_has(vm, other, item, hash);
        if (got == LEAF_ERROR || got == LEAF_SCRIPT) return got;
        if ((got == LEAF_TRUE) != wanted) continue;
        got = set_add_hashed(vm, AS_SET(result), item, hash);
        if (got != LEAF_TRUE) return got;
    }
}

static Leaf intersect(GenVM *vm, Value self, Value other, Value *result) {
    if (self == other) return copy_into(vm, self, result);
    *result = set_new(vm, base_kind(self));
    if (*result == VALUE_ERROR) return LEAF_ERROR;
    if (is_any_set(other) && AS_SET(other)->count > AS_SET(self)->count)
        return select_items(vm, *result, self, other, true);
    return select_items(vm, *result, other, self, true);
}

static Leaf subtract_from(GenVM *vm, Value self, Value other) {
    Set *set = AS_SET(self);
    if (self == other) {
        set_init(set);
        return LEAF_TRUE;
    }
    if (is_any_set(other) && AS_SET(other)->count / 8 > set->count) {
        Leaf common = intersect(vm, self, other, &other);
        if (common != LEAF_TRUE) return common;
    }
    Walk walk = walk_begin(vm, other);
    for (uint64_t n = 0;; n++) {
        Value item;
        uint64_t hash;
        Leaf got = walk_next(&walk, &item, &hash);
        if (got == LEAF_FALSE) break;
        if (!native_glance(vm, n)) return LEAF_ERROR;
        if (got == LEAF_TRUE) got = discard_hashed(vm, set, item, hash);
        if (got == LEAF_ERROR || got == LEAF_SCRIPT) return got;
    }
    if (set->filled - set->count <= set->mask / 4) return LEAF_TRUE;
    return set_resize(vm, set, set->count > 50000 ? set->count * 2ull : set->count * 4ull)
               ? LEAF_TRUE
               : LEAF_ERROR;
}

static Leaf difference(GenVM *vm, Value self, Value other, Value *result) {
    bool keyed = is_any_set(other) || is_kind(other, TYPE_DICT);
    uint64_t count = is_any_set(other) ? AS_SET(other)->count : keyed ? AS_DICT(other)->count : 0;
    if (!keyed || AS_SET(self)->count / 4 > count) {
        Leaf copied = copy_into(vm, self, result);
        return copied == LEAF_TRUE ? subtract_from(vm, *result, other) : copied;
    }
    *result = set_new(vm, base_kind(self));
    return *result == VALUE_ERROR ? LEAF_ERROR : select_items(vm, *result, self, other, false);
}

static Leaf symmetric(GenVM *vm, Value self, Value other, Value *result) {
    uint32_t position = 0;
    Leaf made = set_of(vm, base_kind(self), other, result);
    return made == LEAF_TRUE ? set_toggle(vm, AS_SET(*result), AS_SET(self), &position) : made;
}

/* A new set: self OP other; on LEAF_SCRIPT the twin does it all again. `other` is walkable. */
static Leaf combine(GenVM *vm, BinaryOp op, Value self, Value other, Value *result) {
    Leaf done;
    if (!charge_items(vm, AS_SET(self)->count)) return LEAF_ERROR;
    switch (op) {
    case BINARY_AND: return intersect(vm, self, other, result);
    case BINARY_SUB: return difference(vm, self, other, result);
    case BINARY_XOR: return symmetric(vm, self, other, result);
    default:
        done = copy_into(vm, self, result);
        return done == LEAF_TRUE && other != self ? add_walk(vm, AS_SET(*result), other) : done;
    }
}

static Value combine_any(GenVM *vm, BinaryOp op, Value self, Value other) {
    Value items, result;
    Leaf done = iterable_items(vm, other, &items);
    if (done == LEAF_TRUE) done = combine(vm, op, self, items, &result);
    if (done == LEAF_ERROR) return VALUE_ERROR;
    return done == LEAF_TRUE ? result
                             : native_twin(vm, TWIN_SET_COMBINE, 3, int_value(op), self, items);
}

/* Gives self the items of `source`, a set that nothing else refers to. */
static void take_items(GenVM *vm, Set *set, Set *source) {
    uint32_t version = set->version + 1;
    set->mask = source->mask;
    set->filled = source->filled;
    set->count = source->count;
    set->version = version;
    set->has_objects = source->has_objects;
    set->table = source->table;
    set->buffer = source->buffer;
    set_init(source);
    gc_barrier(vm, set);
}

/* What is toggled twice is as before: that is not begun anew. */
static bool foresee_toggle(GenVM *vm, uint64_t count) {
    enum { MUCH = 1 << 16, NANOSECONDS = 10 };
    return count < MUCH || native_foresee(vm, count * NANOSECONDS);
}

static Value toggle_in_place(GenVM *vm, Value self, Value items, Value result) {
    uint32_t position = 0, next;
    Value other, item, rest;
    uint64_t hash;
    if (self == items) return set_init(AS_SET(self)), result;
    Leaf done = LEAF_TRUE;
    other = items; /* a set is taken in its own order, anything else in that of a set made of it */
    if (!is_any_set(items)) done = set_of(vm, TYPE_SET, items, &other);
    if (done == LEAF_TRUE && !foresee_toggle(vm, AS_SET(other)->count)) done = LEAF_ERROR;
    if (done == LEAF_TRUE) {
        done = set_toggle(vm, AS_SET(self), AS_SET(other), &position);
        if (done == LEAF_TRUE) return result;
        if (done == LEAF_ERROR || (rest = list_new(vm, 0)) == VALUE_ERROR) return VALUE_ERROR;
        for (next = position; set_next(AS_SET(other), &next, &item, &hash);)
            if (!list_append(vm, rest, item)) return VALUE_ERROR;
        items = rest;
    }
    if (done == LEAF_ERROR) return VALUE_ERROR;
    return native_twin(vm, TWIN_SET_COMBINE_IN_PLACE, 4, int_value(BINARY_XOR), self, items,
                       result);
}

/* self OP= items, a walkable collection; repeatable. Not for XOR. */
static Leaf apply(GenVM *vm, BinaryOp op, Value self, Value items) {
    Value common;
    if (op == BINARY_OR) return add_walk(vm, AS_SET(self), items);
    if (op == BINARY_SUB) return subtract_from(vm, self, items);
    Leaf done = intersect(vm, self, items, &common);
    if (done == LEAF_TRUE) take_items(vm, AS_SET(self), AS_SET(common));
    return done;
}

/* self OP= other, and returns `result`. */
static Value combine_in_place(GenVM *vm, BinaryOp op, Value self, Value other, Value result) {
    Value items;
    if (op == BINARY_OR) return fill(vm, self, other, result);
    Leaf done = iterable_items(vm, other, &items);
    if (done == LEAF_TRUE && op == BINARY_XOR) return toggle_in_place(vm, self, items, result);
    if (done == LEAF_TRUE) done = apply(vm, op, self, items);
    if (done == LEAF_ERROR) return VALUE_ERROR;
    if (done == LEAF_TRUE) return result;
    return native_twin(vm, TWIN_SET_COMBINE_IN_PLACE, 4, int_value(op), self, items, result);
}

static Value set_binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    if (!is_any_set(left) || !is_any_set(right)) return VALUE_NOT_IMPLEMENTED;
    if (op != BINARY_AND && op != BINARY_OR && op != BINARY_XOR && op != BINARY_SUB)
        return VALUE_NOT_IMPLEMENTED;
    return combine_any(vm, op, left, right);
}

static Value set_inplace(GenVM *vm, BinaryOp op, Value left, Value right) {
    if (!is_kind(left, TYPE_SET)) return set_binary(vm, op, left, right);
    if (!is_any_set(right)) return VALUE_NOT_IMPLEMENTED;
    if (op != BINARY_AND && op != BINARY_OR && op != BINARY_XOR && op != BINARY_SUB)
        return VALUE_NOT_IMPLEMENTED;
    return combine_in_place(vm, op, left, right, left);
}

Value set_view_binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    Value self = set_new(vm, TYPE_SET), first, rest;
    if (self == VALUE_ERROR) return self;
    Leaf made = add_iterable(vm, self, left, &first, &rest);
    if (made == LEAF_TRUE) return combine_in_place(vm, op, self, right, self);
    if (made == LEAF_ERROR) return VALUE_ERROR;
    if (first == VALUE_UNSET)
        return native_twin(vm, TWIN_VIEW_COMBINE, 4, int_value(op), self, rest, right);
    return native_twin(vm, TWIN_VIEW_COMBINE, 5, int_value(op), self, rest, right, first);
}

/* ---- comparison ---- */

static Leaf is_subset(GenVM *vm, Value part, Value whole) {
    if (AS_SET(part)->count > AS_SET(whole)->count) return LEAF_FALSE;
    if (!charge_items(vm, AS_SET(part)->count)) return LEAF_ERROR;
    const SetEntry *entry;
    uint64_t n = 0;
    for (SetCursor cursor = set_cursor(AS_SET(part)); (entry = set_cursor_next(&cursor)); n++) {
        if (!native_glance(vm, n)) return LEAF_ERROR;
        Leaf has = has_hashed(vm, AS_SET(whole), entry->key, entry->hash);
        if (has != LEAF_TRUE) return has;
    }
    return LEAF_TRUE;
}

static Leaf compare_sets(GenVM *vm, CompareOp op, Value left, Value right) {
    uint32_t left_count = AS_SET(left)->count, right_count = AS_SET(right)->count;
    switch (op) {
    case COMPARE_EQ:
    case COMPARE_NE: return left_count == right_count ? is_subset(vm, left, right) : LEAF_FALSE;
    case COMPARE_LT: return left_count < right_count ? is_subset(vm, left, right) : LEAF_FALSE;
    case COMPARE_LE: return is_subset(vm, left, right);
    case COMPARE_GT: return left_count > right_count ? is_subset(vm, right, left) : LEAF_FALSE;
    case COMPARE_GE: return is_subset(vm, right, left);
    }
    return LEAF_FALSE;
}

static Value set_compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if (!is_any_set(left) || !is_any_set(right)) return VALUE_NOT_IMPLEMENTED;
    if (!native_enter_work(vm)) return VALUE_ERROR;
    Leaf holds = compare_sets(vm, op, left, right);
    native_leave(vm);
    if (holds == LEAF_ERROR) return VALUE_ERROR;
    if (holds == LEAF_SCRIPT)
        return native_twin(vm, TWIN_SET_COMPARE, 3, left, right, int_value(op));
    return bool_value((holds == LEAF_TRUE) != (op == COMPARE_NE));
}

/* For 1024 items that were looked for, in no order of their places in memory. */
static bool charge_walk(GenVM *vm, uint64_t seen) {
    return native_work(vm, 64) && (seen % 0x8000 != 0 || native_look(vm));
}

/* Whether all items of `part`, walkable, are in self. */
static Leaf holds_all(GenVM *vm, Value self, Value part) {
    Walk walk = walk_begin(vm, part);
    for (uint64_t seen = 1;; seen++) {
        if (seen % 1024 == 0 && !charge_walk(vm, seen)) return LEAF_ERROR;
        Value item;
        uint64_t hash;
        Leaf got = walk_next(&walk, &item, &hash);
        if (got != LEAF_TRUE) return got == LEAF_FALSE ? LEAF_TRUE : got;
        got = has_hashed(vm, AS_SET(self), item, hash);
        if (got != LEAF_TRUE) return got;
    }
}

static Value set_issuperset(GenVM *vm, Value *args) {
    Value items;
    Leaf done = iterable_items(vm, args[1], &items);
    if (done == LEAF_TRUE) done = holds_all(vm, args[0], items);
    if (done == LEAF_SCRIPT) return native_twin(vm, TWIN_SET_ISSUPERSET, 2, args[0], items);
    return leaf_value(done);
}

static Value set_issubset(GenVM *vm, Value *args) {
    Value items, other;
    Leaf done = iterable_items(vm, args[1], &items);
    other = items;
    if (done == LEAF_TRUE && !is_any_set(items)) done = set_of(vm, TYPE_SET, items, &other);
    if (done == LEAF_TRUE) done = is_subset(vm, args[0], other);
    if (done == LEAF_SCRIPT) return native_twin(vm, TWIN_SET_ISSUBSET, 2, args[0], items);
    return leaf_value(done);
}

static Leaf disjoint(GenVM *vm, Value self, Value other) {
    if (is_any_set(other) && AS_SET(other)->count > AS_SET(self)->count) {
        Value smaller = self;
        self = other;
        other = smaller;
    }
    Walk walk = walk_begin(vm, other);
    for (uint64_t seen = 1;; seen++) {
        if (seen % 1024 == 0 && !charge_walk(vm, seen)) return LEAF_ERROR;
        Value item;
        uint64_t hash;
        Leaf got = walk_next(&walk, &item, &hash);
        if (got != LEAF_TRUE) return got == LEAF_FALSE ? LEAF_TRUE : got;
        got = has_hashed(vm, AS_SET(self), item, hash);
        if (got == LEAF_TRUE) return LEAF_FALSE;
        if (got != LEAF_FALSE) return got;
    }
}

static Value set_isdisjoint(GenVM *vm, Value *args) {
    Value items;
    Leaf done = iterable_items(vm, args[1], &items);
    if (done == LEAF_TRUE) done = disjoint(vm, args[0], items);
    if (done == LEAF_SCRIPT) return native_twin(vm, TWIN_SET_ISDISJOINT, 2, args[0], items);
    return leaf_value(done);
}

/* ---- methods ---- */

static Value set_copy(GenVM *vm, Value self) {
    Value copy;
    return copy_into(vm, self, &copy) == LEAF_TRUE ? copy : VALUE_ERROR;
}

static Value set_copy_method(GenVM *vm, Value *args) {
    return is_exact(args[0], TYPE_FROZENSET) ? args[0] : set_copy(vm, args[0]);
}

static Value set_add_method(GenVM *vm, Value *args) {
    Leaf added = set_add(vm, args[0], args[1]);
    if (likely(added == LEAF_TRUE)) return VALUE_NONE;
    return added == LEAF_ERROR ? VALUE_ERROR
                               : table_search(vm, TABLE_ADD, args[0], args[1], VALUE_UNSET);
}

static Value set_discard_method(GenVM *vm, Value *args) {
    Leaf done = set_discard(vm, AS_SET(args[0]), args[1]);
    if (done == LEAF_SCRIPT) return table_search(vm, TABLE_DISCARD, args[0], args[1], VALUE_UNSET);
    return done == LEAF_ERROR ? VALUE_ERROR : VALUE_NONE;
}

static Value set_remove_method(GenVM *vm, Value *args) {
    Leaf done = set_discard(vm, AS_SET(args[0]), args[1]);
    if (done == LEAF_SCRIPT) return table_search(vm, TABLE_REMOVE, args[0], args[1], VALUE_UNSET);
    if (done == LEAF_FALSE) return raise_key(vm, args[1]);
    return done == LEAF_ERROR ? VALUE_ERROR : VALUE_NONE;
}

static Value set_pop(GenVM *vm, Value *args) {
    Set *set = AS_SET(args[0]);
    if (set->count == 0) return raise_error(vm, EXC_KEY_ERROR, "pop from an empty set");
    uint32_t slot = set->finger & set->mask;
    while (!is_object(set->table[slot].key) && is_pointer(set->table[slot].key))
        slot = (slot + 1) & set->mask;
    Value item = set->table[slot].key;
    set_remove(set, slot);
    set->finger = slot + 1;
    return item;
}

static Value set_clear(GenVM *vm, Value *args) {
    Set *set = AS_SET(args[0]);
    Buffer *buffer = set->buffer;
    set_init(set);
    if (buffer) gc_buffer_free(vm, buffer);
    return VALUE_NONE;
}

/* The methods that take any number of iterables. These are made walkable first, so that a twin may
 * begin again. */
static Value apply_all(GenVM *vm, BinaryOp op, Value self, Tuple *others, bool in_place) {
    Value all = tuple_new(vm, others->count), result = self;
    if (all == VALUE_ERROR) return VALUE_ERROR;
    Leaf done = LEAF_TRUE;
    for (uint64_t i = 0; i < others->count; i++) {
        Leaf made = iterable_items(vm, others->items[i], &AS_TUPLE(all)->items[i]);
        if (made == LEAF_ERROR) return VALUE_ERROR;
        if (made == LEAF_SCRIPT) done = LEAF_SCRIPT;
    }
    if (done == LEAF_TRUE && !in_place) done = copy_into(vm, self, &result);
    for (uint64_t i = 0; i < others->count && done == LEAF_TRUE; i++)
        done = apply(vm, op, result, AS_TUPLE(all)->items[i]);
    if (done == LEAF_ERROR) return VALUE_ERROR;
    if (done == LEAF_TRUE) return in_place ? VALUE_NONE : result;
    return native_twin(vm, TWIN_SET_COMBINE_ALL, 4, int_value(op), self, all, bool_value(in_place));
}

static Value method_in_place(GenVM *vm, BinaryOp op, Value *args) {
    Tuple *others = AS_TUPLE(args[1]);
    if (others->count != 1) return apply_all(vm, op, args[0], others, true);
    return combine_in_place(vm, op, args[0], others->items[0], VALUE_NONE);
}

static Value method_fresh(GenVM *vm, BinaryOp op, Value *args) {
    Tuple *others = AS_TUPLE(args[1]);
    if (others->count == 0) return set_copy(vm, args[0]);
    if (others->count != 1) return apply_all(vm, op, args[0], others, false);
    return combine_any(vm, op, args[0], others->items[0]);
}

static Value set_update(GenVM *vm, Value *args) {
    return method_in_place(vm, BINARY_OR, args);
}
static Value set_intersection_update(GenVM *vm, Value *args) {
    return method_in_place(vm, BINARY_AND, args);
}
static Value set_difference_update(GenVM *vm, Value *args) {
    return method_in_place(vm, BINARY_SUB, args);
}
static Value set_union(GenVM *vm, Value *args) {
    return method_fresh(vm, BINARY_OR, args);
}
static Value set_intersection(GenVM *vm, Value *args) {
    return method_fresh(vm, BINARY_AND, args);
}
static Value set_difference(GenVM *vm, Value *args) {
    return method_fresh(vm, BINARY_SUB, args);
}
static Value set_symmetric_difference(GenVM *vm, Value *args) {
    return combine_any(vm, BINARY_XOR, args[0], args[1]);
}
static Value set_symmetric_difference_update(GenVM *vm, Value *args) {
    return combine_in_place(vm, BINARY_XOR, args[0], args[1], VALUE_NONE);
}

/* ---- making them ---- */

static Value set_construct(GenVM *vm, Value *args) {
    Value self = set_alloc(vm, type_from(args[0]));
    return self == VALUE_ERROR || args[1] == VALUE_UNSET ? self : fill(vm, self, args[1], self);
}

static Value set_new_method(GenVM *vm, Value *args) {
    Type *cls = container_class(vm, args[0], TYPE_SET);
    return cls ? set_alloc(vm, cls) : VALUE_ERROR;
}

static Value set_init_method(GenVM *vm, Value *args) {
    set_init(AS_SET(args[0]));
    return args[1] == VALUE_UNSET ? VALUE_NONE : fill(vm, args[0], args[1], VALUE_NONE);
}

static Value frozenset_construct(GenVM *vm, Value *args) {
    Type *cls = container_class(vm, args[0], TYPE_FROZENSET);
    if (!cls) return VALUE_ERROR;
    if (cls == vm->types[TYPE_FROZENSET] && is_exact(args[1], TYPE_FROZENSET)) return args[1];
    Value self = set_alloc(vm, cls);
    return self == VALUE_ERROR || args[1] == VALUE_UNSET ? self : fill(vm, self, args[1], self);
}

static Value set_class_getitem(GenVM *vm, Value *args) {
    return generic_alias_new(vm, args[0], args[1]);
}

static Value set_sizeof(GenVM *vm, Value *args) {
    Set *set = AS_SET(args[0]);
    (void)vm;
    return int_value((int64_t)(sizeof *set + (set->buffer ? set->buffer->capacity : 0)));
}

/* ---- slots ---- */

static Value set_len(GenVM *vm, Value self) {
    (void)vm;
    return int_value(AS_SET(self)->count);
}

static Value set_contains_slot(GenVM *vm, Value self, Value item) {
    Leaf has = set_contains(vm, self, item);
    return has == LEAF_SCRIPT ? table_search(vm, TABLE_CONTAINS, self, item, VALUE_UNSET)
                              : leaf_value(has);
}

static Value set_iter(GenVM *vm, Value self) {
    return dict_iterator_new(vm, TYPE_SET_ITERATOR, self, AS_SET(self)->count,
                             AS_SET(self)->version);
}

static inline uint64_t shuffle_bits(uint64_t hash) {
    return ((hash ^ 89869747u) ^ (hash << 16)) * 3644798167u;
}

/* CPython's: independent of the order, dispersing nearby hashes. */
uint64_t set_frozen_hash(Set *set) {
    Value item;
    uint64_t item_hash_value, hash = 0;
    if (set->hashed && base_kind(object_value(set)) == TYPE_FROZENSET) return set->hash;
    for (uint32_t i = 0; set_next(set, &i, &item, &item_hash_value);)
        hash ^= shuffle_bits(item_hash_value);
    hash ^= (set->count + 1ull) * 1927868237u;
    hash ^= (hash >> 11) ^ (hash >> 25);
    hash = hash * 69069u + 907133923u;
    if (hash == (uint64_t)-1) hash = 590923713u;
    set->hash = hash;
    set->hashed = true;
    return hash;
}

static Value frozenset_hash(GenVM *vm, Value self) {
    return int_from_i64(vm, (int64_t)set_frozen_hash(AS_SET(self)));
}

static Leaf put_items(StrBuilder *builder, Set *set) {
    Value item;
    uint64_t hash;
    bool first = true;
    for (uint32_t i = 0; set_next(set, &i, &item, &hash);) {
        if (!first) builder_put(builder, ", ", 2);
        first = false;
        Leaf done = builder_put_repr(builder, item);
        if (done != LEAF_TRUE) return done;
    }
    return LEAF_TRUE;
}

static Value set_repr(GenVM *vm, Value self) {
    const char *name = type_name(vm, self);
    if (AS_SET(self)->count == 0) return str_format(vm, "%s()", name);
    if (!charge_items(vm, AS_SET(self)->count)) return VALUE_ERROR;
    if (!repr_enter(vm, self))
        return vm->exception != VALUE_UNSET ? VALUE_ERROR : str_format(vm, "%s(...)", name);
    bool plain = is_exact(self, TYPE_SET);
    StrBuilder builder;
    builder_init_work(&builder, vm);
    if (!plain) builder_put_format(&builder, "%s(", name);
    builder_put_byte(&builder, '{');
    Leaf done = put_items(&builder, AS_SET(self));
    repr_leave(vm, self);
    if (done == LEAF_TRUE) {
        builder_put_byte(&builder, '}');
        if (!plain) builder_put_byte(&builder, ')');
        return builder_finish(&builder);
    }
    builder_drop(&builder);
    return done == LEAF_ERROR ? VALUE_ERROR : native_twin(vm, TWIN_SET_REPR, 1, self);
}

/* ---- the iterator: a DictIterator over the table's slots ---- */

static Value set_iterator_next(GenVM *vm, Value self) {
    DictIterator *it = AS(DictIterator, self);
    if (it->dict == VALUE_UNSET) return VALUE_END;
    Set *set = AS_SET(it->dict);
    if (unlikely(set->count != it->count)) {
        it->count = UINT32_MAX; /* for ever */
        return raise_runtime(vm, "Set changed size during iteration");
    }
    Value item;
    uint64_t hash;
    if (set_next(set, &it->index, &item, &hash)) {
        it->remaining -= it->remaining > 0;
        return item;
    }
    it->dict = VALUE_UNSET;
    return VALUE_END;
}

static Value set_iterator_iter(GenVM *vm, Value self) {
    return (void)vm, self;
}

static void set_iterator_trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((DictIterator *)object)->dict);
}

static Value set_iterator_length_hint(GenVM *vm, Value *args) {
    DictIterator *it = AS(DictIterator, args[0]);
    (void)vm;
    if (it->dict == VALUE_UNSET || AS_SET(it->dict)->count != it->count) return int_value(0);
    return int_value(it->remaining);
}

static const NativeDef set_iterator_methods[] = {
    {"__length_hint__(self, /)", set_iterator_length_hint,
     "Private method returning an estimate of len(list(it))."},
    {NULL, NULL, NULL},
};

const BuiltinType set_iterator_type = {
    .name = "set_iterator",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(DictIterator),
    .methods = set_iterator_methods,
    .slots = {.iter = set_iterator_iter, .next = set_iterator_next, .trace = set_iterator_trace},
};

/* ---- for the twins ---- */

/* _engine.set_put, set_drop (was it there?), set_has: without subclass overrides, frozensets in the
 * making included. */
static Value engine_set_put(GenVM *vm, Value *args) {
    return may_change(vm, args[0]) ? set_add_method(vm, args) : VALUE_ERROR;
}

static Value engine_set_drop(GenVM *vm, Value *args) {
    if (!may_change(vm, args[0])) return VALUE_ERROR;
    Leaf done = set_discard(vm, AS_SET(args[0]), args[1]);
    return done == LEAF_SCRIPT ? table_search(vm, TABLE_DROP, args[0], args[1], VALUE_UNSET)
                               : leaf_value(done);
}

static Value engine_set_has(GenVM *vm, Value *args) {
    return set_contains_slot(vm, args[0], args[1]);
}

/* _engine.set_duplicate(set): a set, whatever the kind and class of the argument. */
static Value engine_set_duplicate(GenVM *vm, Value *args) {
    Value copy = set_new(vm, TYPE_SET);
    if (copy == VALUE_ERROR) return copy;
    return set_merge(vm, AS_SET(copy), AS_SET(args[0])) == LEAF_TRUE ? copy : VALUE_ERROR;
}

static Value engine_set_freeze(GenVM *vm, Value *args) {
    if (!may_change(vm, args[0])) return VALUE_ERROR;
    Value copy = set_new(vm, TYPE_FROZENSET);
    if (copy == VALUE_ERROR) return copy;
    take_items(vm, AS_SET(copy), AS_SET(args[0]));
    return copy;
}

static Value engine_set_items(GenVM *vm, Value *args) {
    Value item, list = list_new(vm, AS_SET(args[0])->count);
    uint64_t hash;
    if (list == VALUE_ERROR) return list;
    for (uint32_t i = 0; set_next(AS_SET(args[0]), &i, &item, &hash);)
        if (!list_append(vm, list, item)) return VALUE_ERROR;
    return list;
}

/* _engine.set_give(set, other): set gets the items of other, which is left empty. */
static Value engine_set_give(GenVM *vm, Value *args) {
    if (args[0] == args[1]) return VALUE_NONE;
    if (!may_change(vm, args[0]) || !may_change(vm, args[1])) return VALUE_ERROR;
    take_items(vm, AS_SET(args[0]), AS_SET(args[1]));
    return VALUE_NONE;
}

const NativeDef engine_set_natives[] = {
    {"set_put(set: set, item, /)", engine_set_put, NULL},
    {"set_put_all(set: set, iterator, /)", put_all, NULL},
    {"set_drop(set: set, item, /)", engine_set_drop, NULL},
    {"set_has(set: set, item, /)", engine_set_has, NULL},
    {"set_duplicate(set: set, /)", engine_set_duplicate, NULL},
    {"set_freeze(set: set, /)", engine_set_freeze, NULL},
    {"set_items(set: set, /)", engine_set_items, NULL},
    {"set_give(set: set, other: set, /)", engine_set_give, NULL},
    {NULL, NULL, NULL},
};

/* ---- tables ---- */

static const NativeDef set_constructor = {"set(cls, iterable = ?, /)", set_construct,
                                          "Build an unordered collection of unique elements."};
static const NativeDef frozenset_constructor = {
    "frozenset(cls, iterable = ?, /)", frozenset_construct,
    "Build an immutable unordered collection of unique elements."};

#define SET_METHODS_OF_BOTH                                                                        \
    {"copy(self, /)", set_copy_method, "Return a shallow copy of a set."},                         \
        {"union(self, /, *others)", set_union,                                                     \
         "Return a new set with elements from the set and all others."},                           \
        {"intersection(self, /, *others)", set_intersection,                                       \
         "Return a new set with elements common to the set and all others."},                      \
        {"difference(self, /, *others)", set_difference,                                           \
         "Return a new set with elements in the set that are not in the others."},                 \
        {"symmetric_difference(self, other, /)", set_symmetric_difference,                         \
         "Return a new set with elements in either the set or other but not both."},               \
        {"isdisjoint(self, other, /)", set_isdisjoint,                                             \
         "Return True if two sets have a null intersection."},                                     \
        {"issubset(self, other, /)", set_issubset,                                                 \
         "Report whether another set contains this set."},                                         \
        {"issuperset(self, other, /)", set_issuperset,                                             \
         "Report whether this set contains another set."},                                         \
        {"__sizeof__(self, /)", set_sizeof, "S.__sizeof__() -> size of S in memory, in bytes."}, { \
        "classmethod __class_getitem__(cls, item, /)", set_class_getitem, "See PEP 585"            \
    }

static const NativeDef set_methods[] = {
    {"static __new__(cls, /, *args, **kwargs)", set_new_method,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__init__(self, iterable = ?, /)", set_init_method,
     "Initialize self.  See help(type(self)) for accurate signature."},
    {"add(self, object, /)", set_add_method,
     "Add an element to a set.\n\nThis has no effect if the element is already present."},
    {"discard(self, object, /)", set_discard_method,
     "Remove an element from a set if it is a member.\n\nUnlike set.remove(), the discard() method "
     "does not raise\nan exception when an element is missing from the set."},
    {"remove(self, object, /)", set_remove_method,
     "Remove an element from a set; it must be a member.\n\nIf the element is not a member, raise "
     "a "
     "KeyError."},
    {"pop(self, /)", set_pop,
     "Remove and return an arbitrary set element.\n\nRaises KeyError if the set is empty."},
    {"clear(self, /)", set_clear, "Remove all elements from this set."},
    {"update(self, /, *others)", set_update, "Update the set, adding elements from all others."},
    {"intersection_update(self, /, *others)", set_intersection_update,
     "Update the set, keeping only elements found in it and all others."},
    {"difference_update(self, /, *others)", set_difference_update,
     "Update the set, removing elements found in others."},
    {"symmetric_difference_update(self, other, /)", set_symmetric_difference_update,
     "Update the set, keeping only elements found in either set, but not in both."},
    SET_METHODS_OF_BOTH,
    {NULL, NULL, NULL},
};

static const NativeDef frozenset_methods[] = {SET_METHODS_OF_BOTH, {NULL, NULL, NULL}};

const BuiltinType set_type = {
    .name = "set",
    .base = TYPE_OBJECT,
    .flags = TYPE_UNHASHABLE | TYPE_MATCH_SELF,
    .size = sizeof(Set),
    .doc = "Build an unordered collection of unique elements.",
    .construct = &set_constructor,
    .methods = set_methods,
    .slots = {.repr = set_repr,
              .len = set_len,
              .contains = set_contains_slot,
              .iter = set_iter,
              .binary = set_binary,
              .inplace = set_inplace,
              .compare = set_compare,
              .trace = set_trace},
};

const BuiltinType frozenset_type = {
    .name = "frozenset",
    .base = TYPE_OBJECT,
    .flags = TYPE_MATCH_SELF,
    .size = sizeof(Set),
    .doc = "Build an immutable unordered collection of unique elements.",
    .construct = &frozenset_constructor,
    .methods = frozenset_methods,
    .slots = {.repr = set_repr,
              .hash = frozenset_hash,
              .len = set_len,
              .contains = set_contains_slot,
              .iter = set_iter,
              .binary = set_binary,
              .compare = set_compare,
              .trace = set_trace},
};
