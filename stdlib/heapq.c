/* heapq.c - the module _heapq: binary heaps in lists, smallest item first (or largest, in the
 * functions whose names end in _max).
 *
 * An operation first finds where items will go, only comparing, and then moves them. A comparison
 * that needs script code so comes before anything has changed, and stdlib/prelude/heap.gen does the
 * whole operation instead.
 */
#include "stdlib/modules.h"
#include "vm/objects.h"

enum { MOST_LEVELS = 64 };

/* Does a belong above b? */
static Leaf is_above(GenVM *vm, Value a, Value b, bool is_max) {
    return is_max ? leaf_compare(vm, COMPARE_LT, b, a) : leaf_compare(vm, COMPARE_LT, a, b);
}

static Value empty(GenVM *vm) {
    return raise_index(vm, "index out of range");
}

/* The way from the root to a leaf, always to the child that belongs above the other: its length. */
static Leaf find_way(GenVM *vm, const List *heap, uint64_t count, uint64_t start, bool is_max,
                     uint64_t *way, int *length) {
    *length = 0;
    for (uint64_t at = start; 2 * at + 1 < count;) {
        uint64_t child = 2 * at + 1;
        if (child + 1 < count) {
            Leaf left = is_above(vm, heap->items[child], heap->items[child + 1], is_max);
            if (left < 0) return left;
            child += left == LEAF_FALSE;
        }
        way[(*length)++] = at = child;
    }
    return LEAF_TRUE;
}

/* Puts `item` in at `start` of the first `count` items, whose item there goes away. */
static Leaf sift_in(GenVM *vm, List *heap, uint64_t count, uint64_t start, Value item,
                    bool is_max) {
    uint64_t way[MOST_LEVELS];
    int length;
    Leaf found = find_way(vm, heap, count, start, is_max, way, &length);
    if (found < 0) return found;
    while (length > 0) {
        Leaf above = is_above(vm, item, heap->items[way[length - 1]], is_max);
        if (above < 0) return above;
        if (above == LEAF_FALSE) break;
        length--;
    }
    uint64_t at = start;
    for (int i = 0; i < length; i++) {
        heap->items[at] = heap->items[way[i]];
        at = way[i];
    }
    heap->items[at] = item;
    return LEAF_TRUE;
}

/* Where an item at the end has to rise to: LEAF_TRUE with *place. */
static Leaf find_place(GenVM *vm, const List *heap, uint64_t end, Value item, bool is_max,
                       uint64_t *place) {
    uint64_t at = end;
    while (at > 0) {
        uint64_t parent = (at - 1) / 2;
        Leaf above = is_above(vm, item, heap->items[parent], is_max);
        if (above < 0) return above;
        if (above == LEAF_FALSE) break;
        at = parent;
    }
    *place = at;
    return LEAF_TRUE;
}

static Value to_script(GenVM *vm, Leaf leaf, Twin twin, Value heap, Value item, bool is_max) {
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    return native_twin(vm, twin, 3, heap, item, bool_value(is_max));
}

static Value push(GenVM *vm, Value *args, bool is_max) {
    List *heap = AS_LIST(args[0]);
    uint64_t end = heap->count, place = end;
    Leaf found = find_place(vm, heap, end, args[1], is_max, &place);
    if (found < 0) return to_script(vm, found, TWIN_HEAP_PUSH, args[0], args[1], is_max);
    if (!list_append(vm, args[0], args[1])) return VALUE_ERROR;
    for (uint64_t at = end; at > place; at = (at - 1) / 2)
        heap->items[at] = heap->items[(at - 1) / 2];
    heap->items[place] = args[1];
    return VALUE_NONE;
}

static Value pop(GenVM *vm, Value *args, bool is_max) {
    List *heap = AS_LIST(args[0]);
    if (heap->count == 0) return empty(vm);
    Value top = heap->items[0], last = heap->items[heap->count - 1];
    if (heap->count > 1) {
        Leaf done = sift_in(vm, heap, heap->count - 1, 0, last, is_max);
        if (done < 0) return to_script(vm, done, TWIN_HEAP_POP, args[0], VALUE_NONE, is_max);
        gc_barrier(vm, heap);
    }
    heap->count--;
    return top;
}

static Value replace(GenVM *vm, Value *args, bool is_max) {
    List *heap = AS_LIST(args[0]);
    if (heap->count == 0) return empty(vm);
    Value top = heap->items[0];
    Leaf done = sift_in(vm, heap, heap->count, 0, args[1], is_max);
    if (done < 0) return to_script(vm, done, TWIN_HEAP_REPLACE, args[0], args[1], is_max);
    gc_barrier(vm, heap);
    return top;
}

static Value push_pop(GenVM *vm, Value *args, bool is_max) {
    List *heap = AS_LIST(args[0]);
    if (heap->count == 0) return args[1];
    Leaf above = is_above(vm, heap->items[0], args[1], is_max);
    if (above < 0) return to_script(vm, above, TWIN_HEAP_PUSH_POP, args[0], args[1], is_max);
    return above == LEAF_TRUE ? replace(vm, args, is_max) : args[1];
}

static Value heapify(GenVM *vm, Value *args, bool is_max) {
    List *heap = AS_LIST(args[0]);
    enum { MUCH = 1 << 16, NANOSECONDS = 20 }; /* an item, where comparing is cheap */
    if (heap->count > MUCH && !native_foresee(vm, heap->count * NANOSECONDS)) return VALUE_ERROR;
    if (!native_work(vm, heap->count)) return VALUE_ERROR;
    for (uint64_t at = heap->count / 2; at-- > 0;) {
        Leaf done = sift_in(vm, heap, heap->count, at, heap->items[at], is_max);
        if (done < 0) return to_script(vm, done, TWIN_HEAP_HEAPIFY, args[0], VALUE_NONE, is_max);
    }
    return VALUE_NONE;
}

static Value heappush(GenVM *vm, Value *args) {
    return push(vm, args, false);
}
static Value heappop(GenVM *vm, Value *args) {
    return pop(vm, args, false);
}
static Value heapreplace(GenVM *vm, Value *args) {
    return replace(vm, args, false);
}
static Value heappushpop(GenVM *vm, Value *args) {
    return push_pop(vm, args, false);
}
static Value heapify_min(GenVM *vm, Value *args) {
    return heapify(vm, args, false);
}
static Value heappush_max(GenVM *vm, Value *args) {
    return push(vm, args, true);
}
static Value heappop_max(GenVM *vm, Value *args) {
    return pop(vm, args, true);
}
static Value heapreplace_max(GenVM *vm, Value *args) {
    return replace(vm, args, true);
}
static Value heappushpop_max(GenVM *vm, Value *args) {
    return push_pop(vm, args, true);
}
static Value heapify_max(GenVM *vm, Value *args) {
    return heapify(vm, args, true);
}

static const NativeDef functions[] = {
    {"heappush(heap: list, item, /)", heappush,
     "Push item onto heap, maintaining the heap invariant."},
    {"heappop(heap: list, /)", heappop,
     "Pop the smallest item off the heap, maintaining the heap invariant."},
    {"heapify(heap: list, /)", heapify_min,
     "Transform list into a heap, in-place, in O(len(heap)) time."},
    {"heapreplace(heap: list, item, /)", heapreplace,
     "Pop and return the current smallest value, and add the new item."},
    {"heappushpop(heap: list, item, /)", heappushpop,
     "Push item on the heap, then pop and return the smallest item from the heap."},
    {"heappush_max(heap: list, item, /)", heappush_max,
     "Push item onto max heap, maintaining the heap invariant."},
    {"heappop_max(heap: list, /)", heappop_max, "Maxheap variant of heappop."},
    {"heapify_max(heap: list, /)", heapify_max, "Maxheap variant of heapify."},
    {"heapreplace_max(heap: list, item, /)", heapreplace_max, "Maxheap variant of heapreplace."},
    {"heappushpop_max(heap: list, item, /)", heappushpop_max, "Maxheap variant of heappushpop."},
    {0},
};

const NativeModule heapq_module = {"_heapq", functions, NULL};
