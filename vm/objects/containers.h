/* containers.h - what the files of the containers (list, tuple, dict, set, range, slice and their
 * iterators) share among themselves: layouts, the hashing of keys, the bounds of native iteration,
 * the guard of recursive reprs.
 *
 * The one idea: work that needs no script code is done here in C, at full speed; where a value has
 * an __eq__, a
 * __hash__, an __iter__ ... written in Gen, the function says LEAF_SCRIPT *before any side effect
 * that could not be repeated*, and the native hands over to its twin in
 * stdlib/prelude/containers.gen.
 */
#ifndef GEN_CONTAINERS_H
#define GEN_CONTAINERS_H

#include "vm/objects.h"

/* The barrier after storing `v`: nothing to do for numbers. */
static inline void barrier_value(GenVM *vm, void *object, Value v) {
    if (is_pointer(v)) gc_barrier(vm, object);
}

/* ---- keys ---- */

/* hash(v) of a small int: the number itself modulo 2**61 - 1, with -1 left out as Python does. */
static inline uint64_t small_int_hash(Value v) {
    int64_t i = as_int(v);
    if (likely(i > -SMALL_INT_MAX && i < SMALL_INT_MAX))
        return i == -1 ? (uint64_t)-2 : (uint64_t)i;
    return int_hash(v);
}

Leaf tuple_leaf_hash(GenVM *vm, Value tuple, uint64_t *hash); /* the hash of a tuple, unboxed */
Leaf tuple_leaf_equal(GenVM *vm, Value a, Value b);

static inline Leaf key_hash(GenVM *vm, Value key, uint64_t *hash) {
    if (is_int(key)) {
        *hash = small_int_hash(key);
        return LEAF_TRUE;
    }
    if (is_exact(key, TYPE_STR)) {
        uint64_t cached = AS_STR(key)->hash;
        *hash = cached ? cached : str_hash(vm, key);
        return LEAF_TRUE;
    }
    if (is_exact(key, TYPE_TUPLE)) return tuple_leaf_hash(vm, key, hash);
    return leaf_hash(vm, key, hash);
}

/* held == key, the identical counting as equal. */
static inline Leaf items_equal(GenVM *vm, Value held, Value item) {
    if (held == item) return LEAF_TRUE;
    if (are_ints(held, item)) return LEAF_FALSE;
    if (is_exact(held, TYPE_STR) && is_exact(item, TYPE_STR))
        return str_equal_charged(vm, held, item) ? LEAF_TRUE : LEAF_FALSE;
    if (is_exact(held, TYPE_TUPLE) && is_exact(item, TYPE_TUPLE))
        return tuple_leaf_equal(vm, held, item);
    return leaf_equal(vm, held, item);
}

/* ---- dict_table.c: the hash table under dict ---- */

enum { ENTRY_ABSENT = -1, ENTRY_ERROR = -2, ENTRY_SCRIPT = -3 };
static inline Leaf entry_leaf(int64_t entry) { /* what a negative entry number means */
    return entry == ENTRY_ABSENT ? LEAF_FALSE : entry == ENTRY_ERROR ? LEAF_ERROR : LEAF_SCRIPT;
}

void dict_init(Dict *dict); /* empty, of a fresh object or one whose buffer is given up */
bool dict_reserve(GenVM *vm, Dict *dict, uint64_t more); /* room for `more` further keys */
int64_t dict_find(GenVM *vm, Dict *dict, Value key, uint64_t hash); /* entry number, or ENTRY_ */
bool dict_add(GenVM *vm, Dict *dict, Value key, uint64_t hash,
              Value value); /* a key known to be absent */
void dict_remove(Dict *dict, uint32_t entry);
void dict_trim(
    Dict *dict); /* gives back holes at the end: popitem() need not search for the last */
/* Gives an empty dict entries of shared.h, and room for `capacity` in all. */
bool dict_fill(GenVM *vm, Dict *dict, const DictEntry *entries, uint32_t count, uint32_t capacity);
bool dict_assign(GenVM *vm, Dict *dict, Dict *source); /* makes an empty dict a copy of source */

/* A search that leaves the comparison of keys to script code (table_resume.c). Each returns the
 * state of the next candidate, or PROBE_ABSENT, or PROBE_FOUND - entry where no script code is
 * needed to tell. */
enum { PROBE_ABSENT = -1, PROBE_FOUND = -2 };
#define PROBE_ERROR INT64_MIN
int64_t dict_probe(GenVM *vm, Dict *dict, Value key, uint64_t hash, int64_t state);
bool dict_probe_in_order(const Dict *dict, uint64_t hash);    /* are keys of that hash met in the
                                                                 order of their entries */
int64_t dict_probe_of(Dict *dict, Value held, uint64_t hash); /* the state at that very key, or 0 */
int64_t dict_probe_entry(Dict *dict,
                         int64_t state); /* entry number; -1 when the dict has changed since */

/* Where a probe stands, packed into a small int: slot, step of the perturbation, position in a
 * linear run, and the low bits of the table's version. */
typedef struct Probe {
    uint64_t slot;
    unsigned step, run;
} Probe;
static inline int64_t probe_pack(Probe probe, uint32_t version) {
    return (int64_t)((uint64_t)1 << 60 | (uint64_t)(version & 0x7ffff) << 40 |
                     (uint64_t)probe.run << 36 | (uint64_t)probe.step << 32 | probe.slot);
}
static inline bool probe_unpack(int64_t state, uint32_t version, Probe *probe) {
    probe->slot = (uint32_t)state;
    probe->step = (unsigned)(state >> 32) & 15;
    probe->run = (unsigned)(state >> 36) & 15;
    return state != 0 && ((uint64_t)state >> 40 & 0x7ffff) == (version & 0x7ffff);
}

/* ---- set.c ---- */

typedef struct SetEntry {
    Value key; /* VALUE_UNSET: never used; VALUE_DELETED: a deleted one */
    uint64_t hash;
} SetEntry;

/* An open-addressing table laid out and probed exactly as CPython's, so that a set of small ints is
 * iterated in the same order. */
typedef struct Set {
    Object header;    /* kind TYPE_SET or TYPE_FROZENSET */
    uint32_t mask;    /* slots of the table, less one */
    uint32_t filled;  /* slots that are not VALUE_UNSET */
    uint32_t count;   /* live ones: len(s) */
    uint32_t finger;  /* where pop() goes on looking */
    uint32_t version; /* changes when an item is added or removed */
    bool hashed;      /* frozenset: `hash` is known */
    bool has_objects; /* an item is or was more than a number: the collector must look at the table
                       */
    uint64_t hash;
    SetEntry *table; /* in `buffer`, or a shared constant while the set never had an item */
    Buffer *buffer;
} Set;
#define AS_SET(v) AS(Set, v)

/* Goes through the items of a set that does not change meanwhile. */
typedef struct SetCursor {
    const SetEntry *at, *end;
} SetCursor;
static inline SetCursor set_cursor(const Set *set) {
    return (SetCursor){set->table, set->table + set->mask + 1};
}
static inline bool set_entry_is_live(Value key) { /* neither VALUE_UNSET nor VALUE_DELETED */
    return (key | (VALUE_UNSET ^ VALUE_DELETED)) != (VALUE_UNSET | VALUE_DELETED);
}
static inline const SetEntry *set_cursor_next(SetCursor *cursor) { /* NULL at the end */
    while (cursor->at < cursor->end) {
        const SetEntry *entry = cursor->at++;
        if (set_entry_is_live(entry->key)) return entry;
    }
    return NULL;
}

static inline bool is_any_set(Value v) {
    return is_kind(v, TYPE_SET) || is_kind(v, TYPE_FROZENSET);
}

/* set_table.c: the table. */
void set_init(Set *set);
int64_t set_find(GenVM *vm, Set *set, Value key, uint64_t hash);    /* slot, or ENTRY_ */
bool set_insert(GenVM *vm, Set *set, Value key, uint64_t hash);     /* a key known to be absent */
Leaf set_add_hashed(GenVM *vm, Set *set, Value key, uint64_t hash); /* a key that may be there */
void set_remove(Set *set, uint32_t slot);
/* For images: a table of that many slots (a power of two), all free, and an item into a free one;
 * `key` VALUE_DELETED: a deleted item. False: no memory; the slot is taken. */
bool set_lay_out(GenVM *vm, Set *set, uint64_t slots);
bool set_place(GenVM *vm, Set *set, uint64_t slot, Value key, uint64_t hash);
bool set_resize(GenVM *vm, Set *set,
                uint64_t wanted);                     /* rebuilds it for more than `wanted` items */
bool set_prepare(GenVM *vm, Set *set, uint64_t more); /* as CPython does before many insertions */
Leaf set_merge(GenVM *vm, Set *set, Set *source);
Leaf set_select(GenVM *vm, Set *result, Set *source, Set *other, bool wanted);
/* Toggles the items of `other` in `set`. Not repeatable: on LEAF_SCRIPT *position says which items
 * are done. */
Leaf set_toggle(GenVM *vm, Set *set, Set *other, uint32_t *position);
/* Adds what a range iterator has left. LEAF_FALSE: nothing is done, add them one by one. */
Leaf set_add_range(GenVM *vm, Set *set, RangeIterator *range);
bool set_next(Set *set, uint32_t *position, Value *key, uint64_t *hash);
int64_t set_probe(GenVM *vm, Set *set, Value key, uint64_t hash, int64_t state); /* as dict_probe */
int64_t set_probe_of(Set *set, Value held, uint64_t hash);
int64_t set_probe_entry(Set *set, int64_t state);

/* The set operators on any two values one of which is a dict view: BINARY_AND, OR, XOR, SUB. */
Value set_view_binary(GenVM *vm, BinaryOp op, Value left, Value right);

/* ---- table_resume.c: operations on a key that need script code to hash or compare it ---- */

typedef enum TableOp {
    TABLE_GETITEM,
    TABLE_GET,
    TABLE_SETITEM,
    TABLE_SETDEFAULT,
    TABLE_DELITEM,
    TABLE_POP,
    TABLE_CONTAINS, /* dict */
    TABLE_ADD,
    TABLE_DISCARD,
    TABLE_DROP,
    TABLE_REMOVE, /* set, and TABLE_CONTAINS */
} TableOp;
Value table_search(GenVM *vm, TableOp op, Value table, Value key,
                   Value value); /* to be returned by a native */
void table_failed(GenVM *vm, Value *registers);
Value table_saved(GenVM *vm, Value *registers, uint32_t i); /* see resume_saved */
void table_loaded(Value *registers);
/* Says for which key the pending "unhashable type" is: "cannot use 'list' as a dict key (unhashable
 * type: 'list')". */
void table_unhashable(GenVM *vm, Value key, const char *what);
Value dict_missing(GenVM *vm, Value dict,
                   Value key); /* d[key] of an absent key: __missing__ or KeyError */
uint64_t set_frozen_hash(Set *set);

/* ---- dict_views.c ---- */

typedef struct DictView { /* kinds TYPE_DICT_KEYS, TYPE_DICT_VALUES, TYPE_DICT_ITEMS */
    Object header;
    Value dict;
} DictView;
Value dict_view_new(GenVM *vm, TypeId kind, Value dict);
Value dict_iterator_new(GenVM *vm, TypeId kind, Value dict_or_set, uint32_t count,
                        uint32_t version);

/* ---- iterators.c ---- */

typedef struct Enumerate {
    Object header; /* flags: ITERATOR_NATIVE */
    Value iterator;
    Value index; /* of the next item: an int of any size */
} Enumerate;
typedef struct Zip {
    Object header;   /* flags: ITERATOR_NATIVE, ITERATOR_STRICT */
    Value iterators; /* tuple */
} Zip;
enum { ITERATOR_NATIVE = 1, ITERATOR_STRICT = 2 };

/* True if stepping this iterator runs no script code, ever, and takes no step half. */
bool iterator_is_native(Value iterator);

bool reversed_is_native(Value container); /* can reversed() step over it without script code */

/* The iterator of an iterable. LEAF_TRUE: *iterator is a native one, to be stepped by
 * iterator_step. LEAF_SCRIPT: script code has to run; iterate *iterator (the iterable or its
 * iterator) in Gen. */
Leaf iterator_begin(GenVM *vm, Value iterable, Value *iterator);

static inline Value
iterator_step(GenVM *vm, Value iterator) { /* of a native one: item, VALUE_END, VALUE_ERROR */
    return vm->shapes[as_object(iterator)->shape].type->slots.next(vm, iterator);
}

/* A ListIterator of any kind, at the position `index`. */
Value list_iterator_new(GenVM *vm, TypeId kind, Value container, int64_t index);
Value sequence_iterator_new(GenVM *vm, Value object); /* iter(object) over __getitem__ */
Value range_iterator_new(GenVM *vm, int64_t start, int64_t step, int64_t length);
Leaf slice_check(
    GenVM *vm,
    Slice *slice); /* are all members ints or None? LEAF_SCRIPT: they have an __index__ */
bool attribute_readonly(GenVM *vm, Value self,
                        Value value); /* the setter of a member that has none */
/* (start, stop, step) of a slice of ints and Nones over `length` items, exact for ints of any size.
 */
Value slice_bounds(GenVM *vm, Slice *slice, Value length);
Value range_item(GenVM *vm, const Range *range, Value index); /* start + index * step, no check */

/* ---- sequences: list.c, tuple.c, slice.c, containers.c ---- */

static inline Value tuple_pair(GenVM *vm, Value first, Value second) {
    Tuple *tuple = gc_new_raw(vm, sizeof *tuple + 2 * sizeof(Value), TYPE_TUPLE);
    if (unlikely(!tuple)) return VALUE_ERROR;
    tuple->count = 2;
    tuple->items[0] = first;
    tuple->items[1] = second;
    return object_value(tuple);
}

/* The items of a list or tuple, subclasses included; NULL for other values. */
const Value *sequence_items(Value v, uint64_t *count);
static inline const Value *exact_items(Value v, uint64_t *count) { /* ... of exactly those types */
    return is_exact(v, TYPE_LIST) || is_exact(v, TYPE_TUPLE) ? sequence_items(v, count) : NULL;
}
Value sequence_repr(GenVM *vm, Value self, const char *open, const char *close);
Value sequence_compare(GenVM *vm, CompareOp op, Value left,
                       Value right); /* two lists or two tuples */
Value sequence_contains(GenVM *vm, Value self, Value item);
Value sequence_count(GenVM *vm, Value self, Value item);
Value sequence_find(GenVM *vm, Value *args,
                    const char *missing); /* index(self, value, start, stop) */
/* The count of `sequence * times`. LEAF_SCRIPT: times has an __index__ of its own; LEAF_FALSE: it
 * has a __rmul__, which comes first. */
Leaf sequence_times(GenVM *vm, Value times, uint64_t length, size_t item_size, uint64_t *count);
bool sequence_repeat_items(GenVM *vm, Value *items, uint64_t length,
                           uint64_t total); /* fills items[length .. total) */
/* What an index that is neither int nor slice means: a twin that calls its __index__, or the
 * TypeError. */
Value sequence_odd_index(GenVM *vm, Value self, Value key, Value value_or_unset, bool is_delete);
/* CPython's hash of a tuple from the hashes of its items; of a slice with_length is false. */
uint64_t tuple_hash_combine(const uint64_t *hashes, uint64_t count, bool with_length);
bool list_extend_array(GenVM *vm, List *list, const Value *items, uint64_t count);
/* Appends what a native iterable yields. LEAF_SCRIPT: nothing was taken; *rest is what to iterate
 * in Gen. */
Leaf list_extend_native(GenVM *vm, Value list, Value iterable, Value *rest);
/* The same, `in_turns`: LEAF_FALSE when the budget is spent; *rest, a native iterator, has the
 * rest.
 */
Leaf list_extend_turns(GenVM *vm, Value list, Value iterable, Value *rest, bool in_turns);
/* list_sort.c: sorts an array in place, stably. LEAF_SCRIPT, LEAF_ERROR: the array is as it was.
 * values: NULL, or an array that follows the same permutation. */
Leaf sort_array(GenVM *vm, Value *keys, Value *values, uint64_t count, bool reverse);
Value engine_sort_keyed(GenVM *vm, Value *args); /* of module _engine */
Value list_sort(GenVM *vm, Value *args);         /* list.sort(self, *, key, reverse) */

/* ---- shared odds and ends ---- */

/* Python's guard against endless reprs: false when `object` is being shown already ("[...]") or,
 * with an exception pending, when the nesting is too deep. */
bool repr_enter(GenVM *vm, Value object);
void repr_leave(GenVM *vm, Value object);

/* Checks that `cls` can be made by NAME.__new__: NULL with TypeError pending if it is no subclass.
 */
Type *container_class(GenVM *vm, Value cls, TypeId base);

/* One step of work per item of native loops, cheap for short ones. */
static inline bool charge_items(GenVM *vm, uint64_t count) {
    return count < 64 || native_work(vm, count / 8);
}

static inline Value leaf_value(Leaf leaf) { /* of LEAF_TRUE, LEAF_FALSE, LEAF_ERROR */
    return leaf == LEAF_ERROR ? VALUE_ERROR : bool_value(leaf == LEAF_TRUE);
}
static inline bool order_holds(CompareOp op, int order) { /* order: negative, zero, positive */
    switch (op) {
    case COMPARE_LT: return order < 0;
    case COMPARE_LE: return order <= 0;
    case COMPARE_EQ: return order == 0;
    case COMPARE_NE: return order != 0;
    case COMPARE_GT: return order > 0;
    case COMPARE_GE: return order >= 0;
    }
    return false;
}

/* Drops a VALUE_TAIL and appends other reprs as they are: LEAF_SCRIPT when the repr takes script
 * code. */
Leaf builder_put_repr(StrBuilder *builder, Value v);

/* A value that can be iterated more than once for the same items: sets, dicts, lists and tuples are
 * that, other native iterables become a list. LEAF_SCRIPT: *items is what to iterate in Gen. */
Leaf iterable_items(GenVM *vm, Value iterable, Value *items);

Value generic_alias_new(GenVM *vm, Value origin, Value args);
Value mapping_proxy_new(GenVM *vm, Value mapping);

#endif
