/* list_sort.c - sorting in place, stably: list.sort, and sort_array for whoever has keys and
 * values.
 *
 * The items are first given a rank, a 64-bit number in whose order they lie as far as it tells:
 * small ints and floats are ranked completely, a string by the first eight bytes behind what all of
 * them begin with, a tuple by its first item where all first items are ints or all are strings.
 * Only equal ranks are compared in full. Where there are many items and the ranks differ in few
 * bytes they are sorted by radix, then what has equal ranks by merging; else all is merged: natural
 * runs in powersort's order, short runs lengthened by binary insertion.
 *
 * Nothing here runs script code: where a comparison needs it, the array stays as it was and the
 * twin does it all.
 */
#include "vm/objects/containers.h"
#include "vm/memory.h"
#include <stdlib.h>
#include "vm/objects/text.h"

typedef struct SortItem {
    uint64_t rank;
    Value key, value;
} SortItem;

typedef enum RankKind { RANK_ALL, RANK_STR, RANK_ANY } RankKind; /* what to do about equal ranks */

typedef struct Sort {
    GenVM *vm;
    SortItem *items, *spare; /* as many of both */
    uint64_t count;
    RankKind kind;
    size_t shared; /* bytes with which all strings begin that are ranked */
    Leaf failure;  /* LEAF_FALSE: none so far */
} Sort;

enum { RUNS_ON_STACK = 90, SHORTEST_RUN = 24, RADIX_FROM = 200, HUGE_FROM = 100000 };

/* ---- ranks ---- */

static const uint64_t SIGN = (uint64_t)1 << 63;

static inline uint64_t int_rank(Value v) {
    return (is_bool(v) ? int_value(v == VALUE_TRUE) : v) ^ SIGN;
}

/* -0.0 ranks as 0.0, which it equals. */
static inline uint64_t float_rank(double d) {
    uint64_t bits;
    d += 0.0;
    memcpy(&bits, &d, 8);
    return bits & SIGN ? ~bits : bits | SIGN;
}

/* A string ends with a NUL or in a buffer that need not go on: its last bytes are taken one by one.
 */
static inline uint64_t str_rank(Value v, size_t shared) {
    uint64_t rank = 0;
    size_t size = AS_STR(v)->size - shared;
    const char *data = AS_STR(v)->data + shared;
    if (likely(size >= 8)) {
        memcpy(&rank, data, 8);
        return __builtin_bswap64(rank);
    }
    for (size_t i = 0; i < size; i++)
        rank |= (uint64_t)(unsigned char)data[i] << (56 - 8 * i);
    return rank;
}

typedef enum KeyClass { KEYS_INT, KEYS_FLOAT, KEYS_STR, KEYS_TUPLE, KEYS_OTHER } KeyClass;

static KeyClass key_class(Value v) {
    if (is_int(v) || is_bool(v)) return KEYS_INT;
    if (is_float(v)) return as_float(v) == as_float(v) ? KEYS_FLOAT : KEYS_OTHER; /* no NaN */
    if (is_exact(v, TYPE_STR)) return KEYS_STR;
    return is_exact(v, TYPE_TUPLE) && AS_TUPLE(v)->count > 0 ? KEYS_TUPLE : KEYS_OTHER;
}

static inline Value first_of(Value v) {
    return AS_TUPLE(v)->items[0];
}

static inline Value ranked_part(const SortItem *item, bool of_first) {
    return of_first ? first_of(item->key) : item->key;
}

static bool exact_as_float(Value v) {
    return is_float(v) || (is_int(v) && llabs(as_int(v)) < 1ll << 53);
}

/* The class of all keys, or of the first items of all, when there is one. Ints that a float can
 * hold go with floats. */
static KeyClass common_class(const SortItem *items, uint64_t count, bool of_first) {
    KeyClass class = KEYS_OTHER;
    bool exact = true;
    for (uint64_t i = 0; i < count; i++) {
        Value v = ranked_part(&items[i], of_first);
        KeyClass next = key_class(v);
        exact = exact && exact_as_float(v);
        if (i > 0 && next != class) {
            if (next > KEYS_FLOAT || class > KEYS_FLOAT || !exact) return KEYS_OTHER;
            next = KEYS_FLOAT;
        }
        class = next;
    }
    return class;
}

static size_t shared_prefix(const Sort *sort, bool of_first) {
    const Str *first = AS_STR(ranked_part(&sort->items[0], of_first));
    size_t shared = first->size;
    for (uint64_t i = 1; i < sort->count && shared; i++) {
        const Str *str = AS_STR(ranked_part(&sort->items[i], of_first));
        if (str->size < shared) shared = str->size;
        if (shared > STR_LONG) str_spend(sort->vm, object_value(str), object_value(first));
        if (text_equal(str->data, first->data, shared)) continue;
        size_t same = 0;
        while (str->data[same] == first->data[same])
            same++;
        shared = same;
    }
    return shared;
}

static void rank_by(Sort *sort, KeyClass class, bool of_first) {
    sort->shared = class == KEYS_STR ? shared_prefix(sort, of_first) : 0;
    for (uint64_t i = 0; i < sort->count; i++) {
        Value v = ranked_part(&sort->items[i], of_first);
        sort->items[i].rank = class == KEYS_INT ? int_rank(v)
                              : class == KEYS_FLOAT
                                  ? float_rank(is_float(v) ? as_float(v) : (double)as_int(v))
                              : class == KEYS_STR ? str_rank(v, sort->shared)
                                                  : 0;
    }
}

static void rank_items(Sort *sort) {
    KeyClass class = common_class(sort->items, sort->count, false);
    bool of_first = class == KEYS_TUPLE;
    sort->kind = class == KEYS_STR ? RANK_STR : class < KEYS_STR ? RANK_ALL : RANK_ANY;
    if (of_first) class = common_class(sort->items, sort->count, true);
    rank_by(sort, class, of_first && class < KEYS_TUPLE);
}

/* ---- comparing ---- */

static Leaf less_key(GenVM *vm, Value a, Value b);

static Leaf less_tuple(GenVM *vm, Tuple *a, Tuple *b) {
    uint64_t count = a->count < b->count ? a->count : b->count;
    for (uint64_t i = 0; i < count; i++) {
        Leaf equal = items_equal(vm, a->items[i], b->items[i]);
        if (equal == LEAF_TRUE) continue;
        if (equal != LEAF_FALSE) return equal;
        if (!native_enter(vm)) return LEAF_ERROR;
        Leaf less = less_key(vm, a->items[i], b->items[i]);
        native_leave(vm);
        return less;
    }
    return a->count < b->count ? LEAF_TRUE : LEAF_FALSE;
}

static Leaf less_key(GenVM *vm, Value a, Value b) {
    if (are_ints(a, b)) return (int64_t)a < (int64_t)b ? LEAF_TRUE : LEAF_FALSE;
    if (are_floats(a, b)) return as_float(a) < as_float(b) ? LEAF_TRUE : LEAF_FALSE;
    if (is_exact(a, TYPE_STR) && is_exact(b, TYPE_STR))
        return str_order_charged(vm, a, b) < 0 ? LEAF_TRUE : LEAF_FALSE;
    if (is_exact(a, TYPE_TUPLE) && is_exact(b, TYPE_TUPLE))
        return less_tuple(vm, AS_TUPLE(a), AS_TUPLE(b));
    return leaf_compare(vm, COMPARE_LT, a, b);
}

/* The order of two strings whose first `shared` bytes are the same. */
static int order_behind(Value left, Value right, size_t shared) {
    const Str *a = AS_STR(left), *b = AS_STR(right);
    size_t size = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->data + shared, b->data + shared, size - shared);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

static bool less_unranked(Sort *sort, const SortItem *a, const SortItem *b) {
    if (sort->kind == RANK_STR && unlikely(AS_STR(a->key)->size > STR_LONG))
        str_spend(sort->vm, a->key, b->key);
    if (sort->kind == RANK_STR) return order_behind(a->key, b->key, sort->shared) < 0;
    if (sort->failure != LEAF_FALSE) return false;
    Leaf less = less_key(sort->vm, a->key, b->key);
    if (less == LEAF_ERROR || less == LEAF_SCRIPT) sort->failure = less;
    return less == LEAF_TRUE;
}

static inline bool less(Sort *sort, const SortItem *a, const SortItem *b) {
    if (a->rank != b->rank) return a->rank < b->rank;
    return sort->kind != RANK_ALL && less_unranked(sort, a, b);
}

/* ---- runs ---- */

static void reverse_items(SortItem *items, uint64_t count) {
    for (uint64_t i = 0, j = count; i + 1 < j; i++) {
        SortItem item = items[i];
        items[i] = items[--j];
        items[j] = item;
    }
}

/* The length of the run at `items`, ascending when this returns: a strictly descending one is
 * turned round. */
static uint64_t natural_run(Sort *sort, SortItem *items, uint64_t count) {
    if (count < 2) return count;
    uint64_t length = 2;
    if (less(sort, &items[1], &items[0])) {
        while (length < count && less(sort, &items[length], &items[length - 1]))
            length++;
        reverse_items(items, length);
    } else {
        while (length < count && !less(sort, &items[length], &items[length - 1]))
            length++;
    }
    return length;
}

/* Lengthens a sorted run of `sorted` items to `count`. */
static void insert_items(Sort *sort, SortItem *items, uint64_t sorted, uint64_t count) {
    for (uint64_t i = sorted; i < count && sort->failure == LEAF_FALSE; i++) {
        SortItem pivot = items[i];
        uint64_t low = 0, high = i;
        while (low < high) {
            uint64_t middle = (low + high) / 2;
            if (less(sort, &pivot, &items[middle]))
                high = middle;
            else
                low = middle + 1;
        }
        memmove(&items[low + 1], &items[low], (i - low) * sizeof *items);
        items[low] = pivot;
    }
}

/* ---- merging ---- */

/* How many of the `count` items come before (or, with `equal_too`, before or beside) the key. */
static uint64_t count_before(Sort *sort, const SortItem *key, const SortItem *items, uint64_t count,
                             bool equal_too) {
    uint64_t low = 0, high = count;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        bool before =
            equal_too ? !less(sort, key, &items[middle]) : less(sort, &items[middle], key);
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A look at the deadline after so many items. */
static bool goes_on(Sort *sort) {
    if (native_look(sort->vm)) return true;
    sort->failure = LEAF_ERROR;
    return false;
}

static void merge_forward(Sort *sort, SortItem *items, uint64_t left, uint64_t right) {
    SortItem *a = sort->spare, *a_end = a + left, *b = items + left, *b_end = b + right,
             *out = items;
    memcpy(a, items, left * sizeof *items);
    while (a < a_end && b < b_end) {
        const SortItem *a_stop = a + native_piece(0, (uint64_t)(a_end - a)),
                       *b_stop = b + native_piece(0, (uint64_t)(b_end - b));
        while (a < a_stop && b < b_stop)
            *out++ = less(sort, b, a) ? *b++ : *a++;
        if (a < a_end && b < b_end && !goes_on(sort)) return;
    }
    memcpy(out, a, (size_t)(a_end - a) * sizeof *items);
}

static void merge_backward(Sort *sort, SortItem *items, uint64_t left, uint64_t right) {
    SortItem *b = sort->spare, *b_last = b + right - 1, *a_last = items + left - 1,
             *out = items + left + right - 1;
    memcpy(b, items + left, right * sizeof *items);
    while (a_last >= items && b_last >= b) {
        const SortItem *a_stop = a_last - native_piece(0, (uint64_t)(a_last - items + 1)),
                       *b_stop = b_last - native_piece(0, (uint64_t)(b_last - b + 1));
        while (a_last > a_stop && b_last > b_stop)
            *out-- = less(sort, b_last, a_last) ? *a_last-- : *b_last--;
        if (a_last >= items && b_last >= b && !goes_on(sort)) return;
    }
    memcpy(out - (b_last - b), b, (size_t)(b_last - b + 1) * sizeof *items);
}

/* Two neighbouring runs become one. What lies right already is left alone. */
static void merge_runs(Sort *sort, SortItem *items, uint64_t left, uint64_t right) {
    uint64_t skip = count_before(sort, &items[left], items, left, true);
    items += skip;
    left -= skip;
    if (left == 0 || sort->failure != LEAF_FALSE) return;
    right = count_before(sort, &items[left - 1], items + left, right, false);
    if (right == 0 || sort->failure != LEAF_FALSE) return;
    if (left <= right)
        merge_forward(sort, items, left, right);
    else
        merge_backward(sort, items, left, right);
}

typedef struct Run {
    uint64_t start, length;
    int power; /* of the boundary between it and the run below */
} Run;

/* The depth, in a perfect binary tree over all items, of the node that separates two neighbouring
 * runs. */
static int boundary_power(const Run *left, uint64_t right_length, uint64_t count) {
    uint64_t a = 2 * left->start + left->length, b = a + left->length + right_length;
    for (int power = 1;; power++) {
        if (a >= count) {
            a -= count;
            b -= count;
        } else if (b >= count) {
            return power;
        }
        a *= 2;
        b *= 2;
    }
}

static void merge_top(Sort *sort, SortItem *items, Run *runs, int *depth) {
    Run *left = &runs[*depth - 2], *right = &runs[*depth - 1];
    if (sort->failure == LEAF_FALSE)
        merge_runs(sort, items + left->start, left->length, right->length);
    left->length += right->length;
    --*depth;
}

static uint64_t shortest_run(uint64_t count) {
    uint64_t rest = 0;
    while (count >= 2 * SHORTEST_RUN) {
        rest |= count & 1;
        count >>= 1;
    }
    return count + rest;
}

static void merge_sort(Sort *sort, SortItem *items, uint64_t count) {
    Run runs[RUNS_ON_STACK];
    int depth = 0;
    uint64_t shortest = shortest_run(count);
    for (uint64_t start = 0; start < count && sort->failure == LEAF_FALSE;) {
        uint64_t left = count - start, length = natural_run(sort, items + start, left);
        if (length < shortest && length < left) {
            uint64_t wanted = left < shortest ? left : shortest;
            insert_items(sort, items + start, length, wanted);
            length = wanted;
        }
        int power = depth ? boundary_power(&runs[depth - 1], length, count) : 0;
        while (depth > 1 && runs[depth - 1].power > power)
            merge_top(sort, items, runs, &depth);
        runs[depth++] = (Run){start, length, power};
        start += length;
    }
    while (depth > 1)
        merge_top(sort, items, runs, &depth);
}

/* ---- radix ---- */

/* One pass: by the eight bits from `shift` on. */
static bool scatter(GenVM *vm, const SortItem *from, SortItem *to, uint64_t count, int shift) {
    uint64_t starts[256] = {0};
    for (uint64_t i = 0, end; i < count; i = end) {
        end = native_piece(i, count);
        for (uint64_t j = i; j < end; j++)
            starts[from[j].rank >> shift & 255]++;
        if (end < count && !native_look(vm)) return false;
    }
    for (uint64_t i = 0, sum = 0; i < 256; i++) {
        uint64_t size = starts[i];
        starts[i] = sum;
        sum += size;
    }
    for (uint64_t i = 0, end; i < count; i = end) {
        end = native_piece(i, count);
        for (uint64_t j = i; j < end; j++)
            to[starts[from[j].rank >> shift & 255]++] = from[j];
        if (end < count && !native_look(vm)) return false;
    }
    return true;
}

static uint64_t varying_bits(const Sort *sort) {
    uint64_t bits = 0;
    for (uint64_t i = 1; i < sort->count; i++)
        bits |= sort->items[i].rank ^ sort->items[0].rank;
    return bits;
}

/* What is sorted by rank, by the rest of the keys. */
static void sort_equal_ranks(Sort *sort) {
    uint64_t end;
    for (uint64_t start = 0; start < sort->count && sort->failure == LEAF_FALSE; start = end) {
        end = start + 1;
        while (end < sort->count && sort->items[end].rank == sort->items[start].rank)
            end++;
        if (end - start > 1) merge_sort(sort, sort->items + start, end - start);
    }
}

/* Sorts by the bytes in which the ranks differ; false when merging looks cheaper. */
static bool radix_sort(Sort *sort) {
    if (sort->count < RADIX_FROM) return false;
    uint64_t bits = varying_bits(sort);
    int passes = 0;
    for (int shift = 0; shift < 64; shift += 8)
        passes += (bits >> shift & 255) != 0;
    if (passes == 0 || passes * 2 > 63 - __builtin_clzll(sort->count)) return false;
    if (natural_run(sort, sort->items, sort->count) == sort->count) return true;
    for (int shift = 0; shift < 64; shift += 8) {
        if (!(bits >> shift & 255)) continue;
        if (!scatter(sort->vm, sort->items, sort->spare, sort->count, shift)) {
            sort->failure = LEAF_ERROR;
            return true;
        }
        SortItem *swap = sort->items;
        sort->items = sort->spare;
        sort->spare = swap;
    }
    if (sort->kind != RANK_ALL) sort_equal_ranks(sort);
    return true;
}

/* ---- the whole ---- */

static Leaf sort_items(Sort *sort) {
    sort->failure = LEAF_FALSE;
    rank_items(sort);
    if (!radix_sort(sort)) merge_sort(sort, sort->items, sort->count);
    return sort->failure == LEAF_FALSE ? LEAF_TRUE : sort->failure;
}

/* Stability asks that equal items keep their order in a reversed sort too: sort the reversed array,
 * read backward. */
static bool load(Sort *sort, const Value *keys, const Value *values, bool reverse) {
    for (uint64_t i = 0, end; i < sort->count; i = end) {
        end = native_piece(i, sort->count);
        for (uint64_t j = i; j < end; j++) {
            uint64_t from = reverse ? sort->count - 1 - j : j;
            sort->items[j].key = keys[from];
            sort->items[j].value = values ? values[from] : 0;
        }
        if (end < sort->count && !native_look(sort->vm)) return false;
    }
    return true;
}

static void store(const Sort *sort, Value *keys, Value *values, bool reverse) {
    for (uint64_t i = 0; i < sort->count; i++) {
        uint64_t to = reverse ? sort->count - 1 - i : i;
        keys[to] = sort->items[i].key;
        if (values) values[to] = sort->items[i].value;
    }
}

/* The passes over all items that have no looks between: those that rank them, or put them back. */
static bool foresee_passes(GenVM *vm, uint64_t count) {
    enum { MUCH = 1 << 18, NANOSECONDS = 4 };
    return likely(count < MUCH) || native_foresee(vm, count * NANOSECONDS);
}

Leaf sort_array(GenVM *vm, Value *keys, Value *values, uint64_t count, bool reverse) {
    SortItem small[64], *space = small;
    if (count < 2) return LEAF_TRUE;
    if (count > 32) {
        uint64_t steps = count / 8 * (uint64_t)(64 - __builtin_clzll(count));
        if (!native_work(vm, steps) || !gc_check_size(vm, count * 2 * sizeof *space))
            return LEAF_ERROR;
        space = memory_new(vm, count * 2 * sizeof *space);
        if (!space) return raise_memory(vm), LEAF_ERROR;
        if (count >= HUGE_FROM) gc_use_huge_pages(space, count * 2 * sizeof *space);
    }
    Sort sort = {.vm = vm, .items = space, .spare = space + count, .count = count};
    bool loaded = load(&sort, keys, values, reverse) && foresee_passes(vm, count);
    Leaf done = loaded ? sort_items(&sort) : LEAF_ERROR;
    if (done == LEAF_TRUE && !foresee_passes(vm, count)) done = LEAF_ERROR;
    if (done == LEAF_TRUE) store(&sort, keys, values, reverse);
    if (space != small) memory_free(space);
    return done;
}

Value list_sort(GenVM *vm, Value *args) {
    List *list = AS_LIST(args[0]);
    if (args[1] != VALUE_NONE)
        return native_twin(vm, TWIN_LIST_SORT_BY_KEY, 3, args[0], args[1], args[2]);
    Leaf done = sort_array(vm, list->items, NULL, list->count, args[2] == VALUE_TRUE);
    if (done == LEAF_TRUE) return VALUE_NONE;
    if (done == LEAF_ERROR) return VALUE_ERROR;
    return native_twin(vm, TWIN_LIST_SORT, 2, args[0], args[2]);
}

/* _engine.sort_keyed(keys, values, reverse): sorts the values by their keys; False, and nothing
 * done, when keys take script code to compare. */
Value engine_sort_keyed(GenVM *vm, Value *args) {
    List *keys = AS_LIST(args[0]), *values = AS_LIST(args[1]);
    if (keys->count != values->count) return raise_value(vm, "keys and values differ in number");
    Leaf done = sort_array(vm, keys->items, values->items, keys->count, args[2] == VALUE_TRUE);
    return done == LEAF_ERROR ? VALUE_ERROR : bool_value(done == LEAF_TRUE);
}
