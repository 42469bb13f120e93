/* range.c - range objects and their iterator. Start, stop, step and length are ints of any size;
 * where all of them are small, as nearly always, the arithmetic is that of int64_t.
 */
#include "vm/objects/containers.h"

/* ---- making them ---- */

/* The number of items between two small ints. */
static uint64_t small_length(int64_t start, int64_t stop, int64_t step) {
    if (step > 0)
        return start < stop ? ((uint64_t)stop - (uint64_t)start - 1) / (uint64_t)step + 1 : 0;
    return start > stop ? ((uint64_t)start - (uint64_t)stop - 1) / -(uint64_t)step + 1 : 0;
}

static Value big_length(GenVM *vm, Value start, Value stop, Value step) {
    if (int_sign(step) < 0) {
        Value swap = start;
        start = stop;
        stop = swap;
        step = int_negate(vm, step);
        if (step == VALUE_ERROR) return step;
    }
    if (int_order(start, stop) >= 0) return int_value(0);
    Value span = int_binary(vm, BINARY_SUB, stop, start);
    if (span != VALUE_ERROR) span = int_binary(vm, BINARY_SUB, span, int_value(1));
    if (span != VALUE_ERROR) span = int_binary(vm, BINARY_FLOORDIV, span, step);
    return span == VALUE_ERROR ? span : int_binary(vm, BINARY_ADD, span, int_value(1));
}

/* Without the class: bool and subclasses of int become plain ints. */
static Value plain_int(GenVM *vm, Value v) {
    if (is_int(v) || is_exact(v, TYPE_INT)) return v;
    return int_binary(vm, BINARY_ADD, v, int_value(0));
}

Value range_new(GenVM *vm, Value start, Value stop, Value step) {
    Value length;
    if (is_int(start) && is_int(stop) && is_int(step)) {
        if (step == int_value(0)) return raise_value(vm, "range() arg 3 must not be zero");
        length = int_from_u64(vm, small_length(as_int(start), as_int(stop), as_int(step)));
    } else {
        start = plain_int(vm, start);
        stop = plain_int(vm, stop);
        step = plain_int(vm, step);
        if (start == VALUE_ERROR || stop == VALUE_ERROR || step == VALUE_ERROR) return VALUE_ERROR;
        if (int_sign(step) == 0) return raise_value(vm, "range() arg 3 must not be zero");
        length = big_length(vm, start, stop, step);
    }
    Range *range = length == VALUE_ERROR ? NULL : gc_new_raw(vm, sizeof *range, TYPE_RANGE);
    if (!range) return VALUE_ERROR;
    range->start = start;
    range->stop = stop;
    range->step = step;
    range->length = length;
    return object_value(range);
}

static void range_trace(GenVM *vm, Object *object) {
    Range *range = (Range *)object;
    gc_mark(vm, range->start);
    gc_mark(vm, range->stop);
    gc_mark(vm, range->step);
    gc_mark(vm, range->length);
}

static Value range_construct(GenVM *vm, Value *args) {
    if (args[2] == VALUE_UNSET) return range_new(vm, int_value(0), args[1], int_value(1));
    return range_new(vm, args[1], args[2], args[3] == VALUE_UNSET ? int_value(1) : args[3]);
}

/* range() of small ints. */
static Value construct_fast(GenVM *vm, const Value *args, uint32_t count) {
    if (count == 2 && is_int(args[1])) return range_new(vm, int_value(0), args[1], int_value(1));
    if (count < 3 || count > 4 || !are_ints(args[1], args[2])) return VALUE_UNSET;
    if (count == 4 && !is_int(args[3])) return VALUE_UNSET;
    return range_new(vm, args[1], args[2], count == 4 ? args[3] : int_value(1));
}

/* ---- items ---- */

Value range_item(GenVM *vm, const Range *range, Value index) {
    Value offset = int_binary(vm, BINARY_MUL, index, range->step);
    return offset == VALUE_ERROR ? offset : int_binary(vm, BINARY_ADD, range->start, offset);
}

static Value range_slice(GenVM *vm, Value self, Value key) {
    Range *range = AS(Range, self);
    Slice *slice = AS(Slice, key);
    Leaf plain = slice_check(vm, slice);
    if (plain == LEAF_ERROR) return VALUE_ERROR;
    if (plain == LEAF_SCRIPT) return sequence_odd_index(vm, self, key, VALUE_UNSET, false);
    Value bounds = slice_bounds(vm, slice, range->length);
    if (bounds == VALUE_ERROR) return bounds;
    Value *bound = AS_TUPLE(bounds)->items;
    Value start = range_item(vm, range, bound[0]), stop = range_item(vm, range, bound[1]);
    Value step = int_binary(vm, BINARY_MUL, range->step, bound[2]);
    if (start == VALUE_ERROR || stop == VALUE_ERROR || step == VALUE_ERROR) return VALUE_ERROR;
    return range_new(vm, start, stop, step);
}

static Value range_getitem(GenVM *vm, Value self, Value key) {
    Range *range = AS(Range, self);
    if (is_kind(key, TYPE_SLICE)) return range_slice(vm, self, key);
    if (!value_is_intlike(key)) {
        if (is_object(key) && type_find_special(vm, type_of(vm, key), SP_INDEX) != VALUE_UNSET)
            return sequence_odd_index(vm, self, key, VALUE_UNSET, false);
        return raise_type(vm, "range indices must be integers or slices, not %T", key);
    }
    if (int_sign(key) < 0) key = int_binary(vm, BINARY_ADD, key, range->length);
    if (key == VALUE_ERROR) return key;
    if (int_sign(key) < 0 || int_order(key, range->length) >= 0)
        return raise_index(vm, "range object index out of range");
    return range_item(vm, range, key);
}

/* The position of an int in the range: VALUE_UNSET when it is not in it. */
static Value position_of(GenVM *vm, const Range *range, Value v) {
    bool up = int_sign(range->step) > 0;
    if (up ? int_order(v, range->start) < 0 || int_order(v, range->stop) >= 0
           : int_order(v, range->start) > 0 || int_order(v, range->stop) <= 0)
        return VALUE_UNSET;
    Value offset = int_binary(vm, BINARY_SUB, v, range->start);
    if (offset == VALUE_ERROR) return offset;
    Value rest = int_binary(vm, BINARY_MOD, offset, range->step);
    if (rest == VALUE_ERROR) return rest;
    return int_sign(rest) ? VALUE_UNSET : int_binary(vm, BINARY_FLOORDIV, offset, range->step);
}

/* The position of any value that equals an int: LEAF_SCRIPT where its own __eq__ must be asked. */
static Leaf find_value(GenVM *vm, const Range *range, Value v, Value *position) {
    if (is_object(v) && type_special(vm, v, SP_EQ) != VALUE_UNSET) return LEAF_SCRIPT;
    double real, imaginary = 0;
    if (value_is_float(v) || complex_parts(v, &real, &imaginary)) {
        if (value_is_float(v)) real = value_float(v);
        if (imaginary != 0 || real != __builtin_floor(real) || real - real != 0) return LEAF_FALSE;
        v = int_from_double(vm, real);
        if (v == VALUE_ERROR) return LEAF_ERROR;
    }
    if (!value_is_intlike(v)) return LEAF_FALSE;
    *position = position_of(vm, range, v);
    return *position == VALUE_ERROR   ? LEAF_ERROR
           : *position == VALUE_UNSET ? LEAF_FALSE
                                      : LEAF_TRUE;
}

static Value range_contains(GenVM *vm, Value self, Value item) {
    Value position;
    Leaf found = find_value(vm, AS(Range, self), item, &position);
    if (found == LEAF_SCRIPT) return native_twin(vm, TWIN_ITERABLE_CONTAINS, 2, self, item);
    return leaf_value(found);
}

static Value range_index(GenVM *vm, Value *args) {
    Value position;
    Leaf found = find_value(vm, AS(Range, args[0]), args[1], &position);
    if (found == LEAF_TRUE) return position;
    if (found == LEAF_ERROR) return VALUE_ERROR;
    if (found == LEAF_SCRIPT) return native_twin(vm, TWIN_ITERABLE_INDEX, 2, args[0], args[1]);
    if (value_is_intlike(args[1])) return raise_value(vm, "range.index(x): x not in range");
    return raise_value(vm, "sequence.index(x): x not in sequence");
}

static Value range_count(GenVM *vm, Value *args) {
    Value position;
    Leaf found = find_value(vm, AS(Range, args[0]), args[1], &position);
    if (found == LEAF_ERROR) return VALUE_ERROR;
    if (found == LEAF_SCRIPT) return native_twin(vm, TWIN_ITERABLE_COUNT, 2, args[0], args[1]);
    return int_value(found == LEAF_TRUE);
}

/* ---- slots ---- */

static Value range_repr(GenVM *vm, Value self) {
    Range *range = AS(Range, self);
    StrBuilder builder;
    builder_init(&builder, vm);
    builder_put_c(&builder, "range(");
    builder_put_repr(&builder, range->start);
    builder_put_c(&builder, ", ");
    builder_put_repr(&builder, range->stop);
    if (range->step != int_value(1)) {
        builder_put_c(&builder, ", ");
        builder_put_repr(&builder, range->step);
    }
    builder_put_byte(&builder, ')');
    return builder_finish(&builder);
}

static Value range_len(GenVM *vm, Value self) {
    Range *range = AS(Range, self);
    int64_t length;
    if (is_int(range->length) || int_to_i64(range->length, &length)) return range->length;
    return raise_overflow(vm, "Python int too large to convert to C ssize_t");
}

static Value range_truth(GenVM *vm, Value self) {
    (void)vm;
    return bool_value(int_sign(AS(Range, self)->length) != 0);
}

/* Two ranges are equal if they yield the same items. */
static bool same_items(const Range *a, const Range *b) {
    if (int_order(a->length, b->length) != 0) return false;
    if (int_sign(a->length) == 0) return true;
    if (int_order(a->start, b->start) != 0) return false;
    return a->length == int_value(1) || int_order(a->step, b->step) == 0;
}

static Value range_compare(GenVM *vm, CompareOp op, Value left, Value right) {
    (void)vm;
    if ((op != COMPARE_EQ && op != COMPARE_NE) || !is_kind(left, TYPE_RANGE) ||
        !is_kind(right, TYPE_RANGE))
        return VALUE_NOT_IMPLEMENTED;
    return bool_value(same_items(AS(Range, left), AS(Range, right)) == (op == COMPARE_EQ));
}

static Value range_hash(GenVM *vm, Value self) {
    Range *range = AS(Range, self);
    Value members[3] = {range->length, range->start, range->step};
    if (int_sign(range->length) == 0) members[1] = members[2] = VALUE_NONE;
    if (range->length == int_value(1)) members[2] = VALUE_NONE;
    uint64_t hashes[3];
    for (int i = 0; i < 3; i++)
        if (key_hash(vm, members[i], &hashes[i]) != LEAF_TRUE) return VALUE_ERROR;
    return int_from_i64(vm, (int64_t)tuple_hash_combine(hashes, 3, true));
}

/* ---- iteration ---- */

Value range_iterator_new(GenVM *vm, int64_t start, int64_t step, int64_t length) {
    RangeIterator *it = gc_new_raw(vm, sizeof *it, TYPE_RANGE_ITERATOR);
    if (!it) return VALUE_ERROR;
    it->next = start;
    it->step = step;
    it->remaining = length;
    return object_value(it);
}

Value range_iterator_of_call(GenVM *vm, const Value *args, uint32_t count) {
    Value start = count > 1 ? args[0] : int_value(0), stop = count > 1 ? args[1] : args[0];
    Value step = count > 2 ? args[2] : int_value(1);
    if (count - 1 > 2 || !are_ints(start, stop) || !is_int(step) || step == int_value(0))
        return VALUE_UNSET;
    uint64_t length = small_length(as_int(start), as_int(stop), as_int(step));
    if (length > (uint64_t)SMALL_INT_MAX) return VALUE_UNSET;
    return range_iterator_new(vm, as_int(start), as_int(step), (int64_t)length);
}

static bool is_small(const Range *range) {
    return is_int(range->start) && is_int(range->stop) && is_int(range->step) &&
           is_int(range->length);
}

static Value range_iter(GenVM *vm, Value self) {
    Range *range = AS(Range, self);
    if (!is_small(range)) return list_iterator_new(vm, TYPE_LONG_RANGE_ITERATOR, self, 0);
    return range_iterator_new(vm, as_int(range->start), as_int(range->step), as_int(range->length));
}

static Value range_reversed(GenVM *vm, Value *args) {
    Range *range = AS(Range, args[0]);
    Value last = int_binary(vm, BINARY_SUB, range->length, int_value(1));
    Value start = last == VALUE_ERROR ? last : range_item(vm, range, last);
    Value step = start == VALUE_ERROR ? start : int_negate(vm, range->step);
    if (step == VALUE_ERROR) return step;
    if (is_small(range) && is_int(start) && is_int(step))
        return range_iterator_new(vm, as_int(start), as_int(step), as_int(range->length));
    Value stop = int_binary(vm, BINARY_SUB, range->start, range->step);
    Value backward = stop == VALUE_ERROR ? stop : range_new(vm, start, stop, step);
    return backward == VALUE_ERROR ? backward : range_iter(vm, backward);
}

static Value iterator_iter(GenVM *vm, Value self) {
    return (void)vm, self;
}

static Value iterator_next(GenVM *vm, Value self) {
    RangeIterator *it = AS(RangeIterator, self);
    (void)vm;
    if (it->remaining <= 0) return VALUE_END;
    Value item = int_value(it->next);
    it->remaining--;
    it->next += it->step;
    return item;
}

static Value iterator_length_hint(GenVM *vm, Value *args) {
    return int_from_i64(vm, AS(RangeIterator, args[0])->remaining);
}

/* ---- attributes and tables ---- */

static Value range_get_start(GenVM *vm, Value self) {
    return (void)vm, AS(Range, self)->start;
}
static Value range_get_stop(GenVM *vm, Value self) {
    return (void)vm, AS(Range, self)->stop;
}
static Value range_get_step(GenVM *vm, Value self) {
    return (void)vm, AS(Range, self)->step;
}

static Value range_reduce(GenVM *vm, Value *args) {
    Range *range = AS(Range, args[0]);
    Value members = tuple_pack(vm, 3, range->start, range->stop, range->step);
    if (members == VALUE_ERROR) return members;
    return tuple_pack(vm, 2, object_value(vm->types[TYPE_RANGE]), members);
}

static const NativeDef iterator_methods[] = {
    {"__length_hint__(self, /)", iterator_length_hint,
     "Private method returning an estimate of len(list(it))."},
    {NULL, NULL, NULL},
};

const BuiltinType range_iterator_type = {
    .name = "range_iterator",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(RangeIterator),
    .methods = iterator_methods,
    .slots = {.iter = iterator_iter, .next = iterator_next},
};

static const char range_doc[] = "range(stop) -> range object\nrange(start, stop[, step]) -> range "
                                "object\n\nReturn an object that "
                                "produces a sequence of integers from start (inclusive)\nto stop "
                                "(exclusive) by step.  range(i, j) "
                                "produces i, i+1, i+2, ..., j-1.\nstart defaults to 0, and stop is "
                                "omitted!  range(4) produces 0, "
                                "1, 2, 3.\nThese are exactly the valid indices for a list of 4 "
                                "elements.\nWhen step is given, it "
                                "specifies the increment (or decrement).";

static const NativeDef range_constructor = {
    "range(cls, start: int, stop: int = ?, step: int = ?, /)", range_construct, range_doc};

static const NativeDef range_methods[] = {
    {"count(self, value, /)", range_count,
     "rangeobject.count(value) -> integer -- return number of occurrences of value"},
    {"index(self, value, /)", range_index,
     "rangeobject.index(value) -> integer -- return index of value.\nRaise ValueError if the value "
     "is "
     "not present."},
    {"__reversed__(self, /)", range_reversed, "Return a reverse iterator."},
    {"__reduce__(self, /)", range_reduce, NULL},
    {NULL, NULL, NULL},
};

static const AttributeDef range_attributes[] = {
    {"start", range_get_start, attribute_readonly, NULL},
    {"stop", range_get_stop, attribute_readonly, NULL},
    {"step", range_get_step, attribute_readonly, NULL},
    {NULL, NULL, NULL, NULL},
};

const BuiltinType range_type = {
    .name = "range",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_SEQUENCE,
    .size = sizeof(Range),
    .doc = range_doc,
    .construct = &range_constructor,
    .construct_fast = construct_fast,
    .methods = range_methods,
    .attributes = range_attributes,
    .slots = {.repr = range_repr,
              .hash = range_hash,
              .truth = range_truth,
              .len = range_len,
              .getitem = range_getitem,
              .contains = range_contains,
              .iter = range_iter,
              .compare = range_compare,
              .trace = range_trace},
};
