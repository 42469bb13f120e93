/* bisect.c - the module _bisect: places in sorted sequences. Lists whose items compare without
 * script code are searched here, all others by stdlib/prelude/heap.gen. */
#include "stdlib/modules.h"
#include "vm/objects.h"

enum { A_ITEMS, A_X, A_LOW, A_HIGH, A_KEY };

/* The place among args; LEAF_SCRIPT: it takes script code. */
static Leaf find(GenVM *vm, const Value *args, bool to_right, int64_t *place) {
    uint64_t count;
    const Value *items = leaf_items(args[A_ITEMS], &count);
    int64_t low = as_int(args[A_LOW]), high = (int64_t)count;
    if (!items || args[A_KEY] != VALUE_NONE) return LEAF_SCRIPT;
    if (args[A_HIGH] != VALUE_NONE) {
        high = as_int(args[A_HIGH]);
        if (high > (int64_t)count) return LEAF_SCRIPT;
    }
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (middle >= (int64_t)count) return LEAF_SCRIPT;
        Leaf less = to_right ? leaf_compare(vm, COMPARE_LT, args[A_X], items[middle])
                             : leaf_compare(vm, COMPARE_LT, items[middle], args[A_X]);
        if (less < 0) return less;
        if ((less == LEAF_TRUE) == to_right)
            high = middle;
        else
            low = middle + 1;
    }
    *place = low;
    return LEAF_TRUE;
}

static Value search(GenVM *vm, Value *args, bool to_right, bool insert) {
    if (as_int(args[A_LOW]) < 0) return raise_value(vm, "lo must be non-negative");
    int64_t place = 0;
    Leaf found = find(vm, args, to_right, &place);
    if (found == LEAF_ERROR) return VALUE_ERROR;
    if (found == LEAF_SCRIPT)
        return native_twin(vm, insert ? TWIN_INSORT : TWIN_BISECT, 6, args[A_ITEMS], args[A_X],
                           args[A_LOW], args[A_HIGH], args[A_KEY], bool_value(to_right));
    if (!insert) return int_value(place);
    return native_call_method(vm, args[A_ITEMS], NAME_insert, 2, int_value(place), args[A_X]);
}

static Value bisect_right(GenVM *vm, Value *args) {
    return search(vm, args, true, false);
}
static Value bisect_left(GenVM *vm, Value *args) {
    return search(vm, args, false, false);
}
static Value insort_right(GenVM *vm, Value *args) {
    return search(vm, args, true, true);
}
static Value insort_left(GenVM *vm, Value *args) {
    return search(vm, args, false, true);
}

static const char right_doc[] =
    "Return the index where to insert item x in list a, assuming a is sorted.";
static const char insert_doc[] =
    "Insert item x in list a, and keep it sorted assuming a is sorted.";

static const NativeDef functions[] = {
    {"bisect_right(a, x, lo: size = 0, hi: size | None = None, *, key = None)", bisect_right,
     right_doc},
    {"bisect_left(a, x, lo: size = 0, hi: size | None = None, *, key = None)", bisect_left,
     right_doc},
    {"insort_right(a, x, lo: size = 0, hi: size | None = None, *, key = None)", insort_right,
     insert_doc},
    {"insort_left(a, x, lo: size = 0, hi: size | None = None, *, key = None)", insort_left,
     insert_doc},
    {0},
};

const NativeModule bisect_module = {"_bisect", functions, NULL};
