/* slice.c - slice objects, and the arithmetic of indices that all sequences share. */
#include "vm/objects/containers.h"

Value slice_new(GenVM *vm, Value start, Value stop, Value step) {
    Slice *slice = gc_new_raw(vm, sizeof *slice, TYPE_SLICE);
    if (!slice) return VALUE_ERROR;
    slice->start = start;
    slice->stop = stop;
    slice->step = step;
    return object_value(slice);
}

static void slice_trace(GenVM *vm, Object *object) {
    Slice *slice = (Slice *)object;
    gc_mark(vm, slice->start);
    gc_mark(vm, slice->stop);
    gc_mark(vm, slice->step);
}

/* ---- indices ---- */

/* One member of a slice as an int64, clamped; the default where it is None. */
static Leaf slice_member(GenVM *vm, Value v, int64_t otherwise, int64_t *out) {
    if (is_int(v)) {
        *out = as_int(v);
        return LEAF_TRUE;
    }
    if (v == VALUE_NONE) {
        *out = otherwise;
        return LEAF_TRUE;
    }
    if (value_is_intlike(v)) {
        if (!int_to_i64(v, out)) *out = int_sign(v) < 0 ? INT64_MIN : INT64_MAX;
        return LEAF_TRUE;
    }
    if (is_object(v) && type_find_special(vm, type_of(vm, v), SP_INDEX) != VALUE_UNSET)
        return LEAF_SCRIPT;
    raise_type(vm, "slice indices must be integers or None or have an __index__ method");
    return LEAF_ERROR;
}

/* A bound brought into -1 .. length - 1 for a step backward, else into 0 .. length. */
static inline int64_t clamp_bound(int64_t bound, int64_t length, bool backward) {
    if (bound < 0) {
        bound += length;
        return bound < 0 ? (backward ? -1 : 0) : bound;
    }
    return bound >= length ? (backward ? length - 1 : length) : bound;
}

static inline int64_t count_steps(int64_t start, int64_t stop, int64_t step) {
    int64_t distance = step < 0 ? start - stop : stop - start, each = step < 0 ? -step : step;
    if (distance <= 0) return 0;
    return each == 1 ? distance : (distance - 1) / each + 1;
}

static inline bool is_plain_bound(Value v) {
    return is_int(v) || v == VALUE_NONE;
}

bool slice_plain_indices(Value from, Value to, Value by, int64_t length, int64_t *start,
                         int64_t *step, int64_t *count) {
    if (unlikely(!is_plain_bound(from) || !is_plain_bound(to) || !is_plain_bound(by))) return false;
    *step = by == VALUE_NONE ? 1 : as_int(by);
    if (unlikely(*step == 0)) return false;
    bool backward = *step < 0;
    int64_t stop = backward ? -1 : length;
    *start = backward ? length - 1 : 0;
    if (from != VALUE_NONE) *start = clamp_bound(as_int(from), length, backward);
    if (to != VALUE_NONE) stop = clamp_bound(as_int(to), length, backward);
    *count = count_steps(*start, stop, *step);
    return true;
}

Leaf slice_indices(GenVM *vm, Value slice_value, int64_t length, int64_t *start, int64_t *stop,
                   int64_t *step, int64_t *count) {
    Slice *slice = AS(Slice, slice_value);
    Leaf done = slice_member(vm, slice->step, 1, step);
    if (done != LEAF_TRUE) return done;
    if (*step == 0) {
        raise_value(vm, "slice step cannot be zero");
        return LEAF_ERROR;
    }
    if (*step < -INT64_MAX) *step = -INT64_MAX;
    bool backward = *step < 0;
    done = slice_member(vm, slice->start, backward ? INT64_MAX : 0, start);
    if (done == LEAF_TRUE)
        done = slice_member(vm, slice->stop, backward ? INT64_MIN : INT64_MAX, stop);
    if (done != LEAF_TRUE) return done;
    *start = clamp_bound(*start, length, backward);
    *stop = clamp_bound(*stop, length, backward);
    *count = count_steps(*start, *stop, *step);
    return LEAF_TRUE;
}

bool sequence_index(GenVM *vm, Value key, int64_t length, const char *type, int64_t *index) {
    int64_t i;
    if (is_int(key)) {
        i = as_int(key);
    } else if (!value_is_intlike(key)) {
        raise_type(vm, "%s indices must be integers or slices, not %T", type, key);
        return false;
    } else if (!int_to_i64(key, &i)) {
        raise_index(vm, "cannot fit 'int' into an index-sized integer");
        return false;
    }
    if (i < 0) i += length;
    if (i >= 0 && i < length) {
        *index = i;
        return true;
    }
    raise_index(vm, "%s index out of range", type);
    return false;
}

/* ---- slice.indices(length): exact, for numbers of any size ---- */

static Value int_from_none(Value v, Value otherwise) {
    return v == VALUE_NONE ? otherwise : v;
}

/* A bound brought into [lower, upper], negative ones counting from `length`. */
static Value exact_bound(GenVM *vm, Value bound, Value length, Value lower, Value upper) {
    if (int_sign(bound) < 0) {
        bound = int_binary(vm, BINARY_ADD, bound, length);
        if (bound == VALUE_ERROR) return bound;
        return int_order(bound, lower) < 0 ? lower : bound;
    }
    return int_order(bound, upper) > 0 ? upper : bound;
}

Leaf slice_check(GenVM *vm, Slice *slice) {
    const Value members[3] = {slice->start, slice->stop, slice->step};
    Leaf all = LEAF_TRUE;
    for (int i = 0; i < 3; i++) {
        int64_t ignored;
        Leaf done = slice_member(vm, members[i], 0, &ignored);
        if (done == LEAF_ERROR) return done;
        if (done == LEAF_SCRIPT) all = LEAF_SCRIPT;
    }
    return all;
}

static Value as_plain(Value v) {
    return is_bool(v) ? int_value(v == VALUE_TRUE) : v;
}

Value slice_bounds(GenVM *vm, Slice *slice, Value length) {
    Value lower = int_value(0), upper = length,
          step = as_plain(int_from_none(slice->step, int_value(1)));
    if (int_sign(step) == 0) return raise_value(vm, "slice step cannot be zero");
    bool backward = int_sign(step) < 0;
    if (backward) {
        lower = int_value(-1);
        upper = int_binary(vm, BINARY_SUB, length, int_value(1));
        if (upper == VALUE_ERROR) return upper;
    }
    Value start = backward ? upper : lower, stop = backward ? lower : upper;
    if (slice->start != VALUE_NONE)
        start = exact_bound(vm, as_plain(slice->start), length, lower, upper);
    if (slice->stop != VALUE_NONE)
        stop = exact_bound(vm, as_plain(slice->stop), length, lower, upper);
    if (start == VALUE_ERROR || stop == VALUE_ERROR) return VALUE_ERROR;
    return tuple_pack(vm, 3, start, stop, step);
}

static Value slice_indices_method(GenVM *vm, Value *args) {
    Slice *slice = AS(Slice, args[0]);
    Leaf plain = slice_check(vm, slice);
    if (plain == LEAF_ERROR) return VALUE_ERROR;
    if (plain == LEAF_SCRIPT) return native_twin(vm, TWIN_SLICE_INDICES, 2, args[0], args[1]);
    if (int_sign(args[1]) < 0) return raise_value(vm, "length should not be negative");
    return slice_bounds(vm, slice, args[1]);
}

/* ---- slots ---- */

static Value slice_as_tuple(GenVM *vm, Value v) {
    Slice *slice = AS(Slice, v);
    return tuple_pack(vm, 3, slice->start, slice->stop, slice->step);
}

static Value slice_repr(GenVM *vm, Value self) {
    Slice *slice = AS(Slice, self);
    const Value members[3] = {slice->start, slice->stop, slice->step};
    StrBuilder builder;
    if (!native_enter(vm)) return VALUE_ERROR;
    builder_init(&builder, vm);
    builder_put(&builder, "slice(", 6);
    Leaf done = LEAF_TRUE;
    for (int i = 0; i < 3 && done == LEAF_TRUE; i++) {
        if (i) builder_put(&builder, ", ", 2);
        done = builder_put_repr(&builder, members[i]);
    }
    native_leave(vm);
    if (done == LEAF_TRUE) {
        builder_put_byte(&builder, ')');
        return builder_finish(&builder);
    }
    builder_drop(&builder);
    return done == LEAF_ERROR ? VALUE_ERROR : native_twin(vm, TWIN_SLICE_REPR, 1, self);
}

static Value slice_compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if (!is_kind(left, TYPE_SLICE) || !is_kind(right, TYPE_SLICE)) return VALUE_NOT_IMPLEMENTED;
    if (left == right) return bool_value(order_holds(op, 0));
    Value a = slice_as_tuple(vm, left), b = slice_as_tuple(vm, right);
    if (a == VALUE_ERROR || b == VALUE_ERROR) return VALUE_ERROR;
    return sequence_compare(vm, op, a, b);
}

static Value slice_hash(GenVM *vm, Value self) {
    Slice *slice = AS(Slice, self);
    const Value members[3] = {slice->start, slice->stop, slice->step};
    uint64_t hashes[3];
    for (int i = 0; i < 3; i++) {
        if (!native_enter(vm)) return VALUE_ERROR;
        Leaf hashed = leaf_hash(vm, members[i], &hashes[i]);
        native_leave(vm);
        if (hashed == LEAF_ERROR) return VALUE_ERROR;
        if (hashed == LEAF_SCRIPT) return native_twin(vm, TWIN_SLICE_HASH, 1, self);
    }
    return int_from_i64(vm, (int64_t)tuple_hash_combine(hashes, 3, false));
}

static Value slice_construct(GenVM *vm, Value *args) {
    if (args[2] == VALUE_UNSET) return slice_new(vm, VALUE_NONE, args[1], VALUE_NONE);
    return slice_new(vm, args[1], args[2], args[3]);
}

static Value slice_get_start(GenVM *vm, Value self) {
    return (void)vm, AS(Slice, self)->start;
}
static Value slice_get_stop(GenVM *vm, Value self) {
    return (void)vm, AS(Slice, self)->stop;
}
static Value slice_get_step(GenVM *vm, Value self) {
    return (void)vm, AS(Slice, self)->step;
}

static Value slice_class_getitem(GenVM *vm, Value *args) {
    return generic_alias_new(vm, args[0], args[1]);
}

static Value slice_reduce(GenVM *vm, Value *args) {
    Value members = slice_as_tuple(vm, args[0]);
    if (members == VALUE_ERROR) return members;
    return tuple_pack(vm, 2, object_value(vm->types[TYPE_SLICE]), members);
}

static const NativeDef slice_constructor = {
    "slice(cls, start, stop = ?, step = None, /)", slice_construct,
    "slice(stop)\nslice(start, stop[, step])\n\nCreate a slice object.  This is used for extended "
    "slicing (e.g. a[0:10:2])."};

static const NativeDef slice_methods[] = {
    {"indices(self, length: int, /)", slice_indices_method,
     "S.indices(len) -> (start, stop, stride)\n\nAssuming a sequence of length len, calculate the "
     "start and stop\nindices, and the stride length of the extended slice described by\nS. Out of "
     "bounds indices are clipped in a manner consistent with the\nhandling of normal slices."},
    {"__reduce__(self, /)", slice_reduce, "Return state information for pickling."},
    {"classmethod __class_getitem__(cls, item, /)", slice_class_getitem, "See PEP 585"},
    {NULL, NULL, NULL},
};

static const AttributeDef slice_attributes[] = {
    {"start", slice_get_start, attribute_readonly, NULL},
    {"stop", slice_get_stop, attribute_readonly, NULL},
    {"step", slice_get_step, attribute_readonly, NULL},
    {NULL, NULL, NULL, NULL},
};

const BuiltinType slice_type = {
    .name = "slice",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL,
    .size = sizeof(Slice),
    .doc = "slice(stop)\nslice(start, stop[, step])\n\nCreate a slice object.  This is used for "
           "extended slicing (e.g. a[0:10:2]).",
    .construct = &slice_constructor,
    .methods = slice_methods,
    .attributes = slice_attributes,
    .slots = {.repr = slice_repr,
              .hash = slice_hash,
              .compare = slice_compare,
              .trace = slice_trace},
};
