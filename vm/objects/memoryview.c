/* memoryview.c - the type memoryview: items of a native format in the bytes of another object,
 * without a copy.
 *
 * A view holds its exporter, the offset of its first item, and per dimension a length and a stride
 * in bytes:
 *
 *     exporter data  | ..offset.. | item | item | item | ...        dims = shape[ndim],
 * strides[ndim]
 *
 * A view on a bytearray counts in its `exports`, which fixes the array's size, until the view is
 * released or collected. Items are read and written by the table of formats in memoryview_items.c.
 */
#include "vm/objects/memoryview.h"

/* ---- making ---- */

static MemoryView *alloc_view(GenVM *vm, unsigned ndim) {
    MemoryView *view = gc_new(vm, sizeof *view + 2 * ndim * sizeof(int64_t), TYPE_MEMORYVIEW);
    if (!view) return NULL;
    view->object = VALUE_UNSET;
    view->ndim = (uint8_t)ndim;
    return view;
}

/* Ties a view to its exporter. */
static Value attach(GenVM *vm, MemoryView *view, Value object) {
    view->object = object;
    if (is_kind(object, TYPE_BYTEARRAY)) {
        AS(ByteArray, object)->exports++;
        gc_finalizable(vm, view);
    }
    return object_value(view);
}

static void detach(MemoryView *view) {
    if (view->object != VALUE_UNSET && is_kind(view->object, TYPE_BYTEARRAY))
        AS(ByteArray, view->object)->exports--;
    view->object = VALUE_UNSET;
}

static void finalize(GenVM *vm, Object *object) {
    (void)vm;
    detach((MemoryView *)object);
}

static MemoryView *copy_view(GenVM *vm, const MemoryView *from) {
    MemoryView *view = alloc_view(vm, from->ndim);
    if (!view) return NULL;
    view->offset = from->offset;
    view->format = from->format;
    view->readonly = from->readonly;
    memcpy(view->dims, from->dims, 2 * from->ndim * sizeof(int64_t));
    return view;
}

static Value view_of_bytes(GenVM *vm, Value object) {
    size_t size;
    bytes_data(object, &size);
    MemoryView *view = alloc_view(vm, 1);
    if (!view) return VALUE_ERROR;
    view->format = memory_format('B');
    view->readonly = is_kind(object, TYPE_BYTES);
    view_shape(view)[0] = (int64_t)size;
    view_strides(view)[0] = 1;
    return attach(vm, view, object);
}

bool memoryview_is_of(Value v, Value object) {
    return is_kind(v, TYPE_MEMORYVIEW) && AS(MemoryView, v)->object == object;
}

bool memoryview_check(GenVM *vm, const MemoryView *view) {
    if (likely(view->object != VALUE_UNSET)) return true;
    raise_value(vm, "operation forbidden on released memoryview object");
    return false;
}

static Value construct(GenVM *vm, Value *args) {
    Value object = args[1];
    if (is_kind(object, TYPE_BYTES) || is_kind(object, TYPE_BYTEARRAY))
        return view_of_bytes(vm, object);
    if (!is_kind(object, TYPE_MEMORYVIEW))
        return raise_type(vm, "memoryview: a bytes-like object is required, not '%T'", object);
    MemoryView *from = AS(MemoryView, object);
    if (!memoryview_check(vm, from)) return VALUE_ERROR;
    MemoryView *view = copy_view(vm, from);
    return view ? attach(vm, view, from->object) : VALUE_ERROR;
}

/* ---- shape ---- */

uint8_t *view_start(const MemoryView *view) {
    size_t size;
    return (uint8_t *)bytes_data(view->object, &size) + view->offset;
}

int64_t view_count(const MemoryView *view) {
    int64_t count = 1;
    for (unsigned i = 0; i < view->ndim; i++)
        count *= view_shape(view)[i];
    return count;
}

static bool is_c_contiguous(const MemoryView *view) {
    int64_t stride = view->format->size;
    if (view_count(view) == 0) return true;
    for (unsigned i = view->ndim; i-- > 0;) {
        if (view_shape(view)[i] != 1 && view_strides(view)[i] != stride) return false;
        stride *= view_shape(view)[i];
    }
    return true;
}

static bool is_f_contiguous(const MemoryView *view) {
    int64_t stride = view->format->size;
    if (view_count(view) == 0) return true;
    for (unsigned i = 0; i < view->ndim; i++) {
        if (view_shape(view)[i] != 1 && view_strides(view)[i] != stride) return false;
        stride *= view_shape(view)[i];
    }
    return true;
}

bool memoryview_bytes(GenVM *vm, Value v, const uint8_t **data, size_t *size) {
    (void)vm;
    MemoryView *view = AS(MemoryView, v);
    if (view->object == VALUE_UNSET || !is_c_contiguous(view)) return false;
    *data = view_start(view);
    *size = (size_t)(view_count(view) * view->format->size);
    return true;
}

static inline __attribute__((always_inline)) void move_sized(uint8_t *to, int64_t to_step,
                                                             const uint8_t *from, int64_t from_step,
                                                             unsigned size, int64_t count) {
    for (; count > 0; count--, to += to_step, from += from_step)
        memcpy(to, from, size);
}

/* Items, so many bytes apart in each of two places that do not overlap. */
static void move_items(uint8_t *to, int64_t to_step, const uint8_t *from, int64_t from_step,
                       unsigned size, int64_t count) {
    if (to_step == (int64_t)size && from_step == (int64_t)size)
        memcpy(to, from, (size_t)count * size);
    else if (size == 1)
        move_sized(to, to_step, from, from_step, 1, count);
    else if (size == 2)
        move_sized(to, to_step, from, from_step, 2, count);
    else if (size == 4)
        move_sized(to, to_step, from, from_step, 4, count);
    else
        move_sized(to, to_step, from, from_step, 8, count);
}

/* Copies all items, last dimension fastest; returns the end of the copy. */
static uint8_t *copy_items(const MemoryView *view, unsigned dim, const uint8_t *from,
                           uint8_t *out) {
    unsigned size = view->format->size;
    if (dim == view->ndim) {
        memcpy(out, from, size);
        return out + size;
    }
    int64_t length = view_shape(view)[dim], stride = view_strides(view)[dim];
    if (dim + 1u == view->ndim) {
        move_items(out, size, from, stride, size, length);
        return out + (size_t)length * size;
    }
    for (int64_t i = 0; i < length; i++, from += stride)
        out = copy_items(view, dim + 1, from, out);
    return out;
}

/* Items that do not lie side by side are copied one by one. */
static bool foresee_items(GenVM *vm, const MemoryView *view) {
    enum { MUCH = 1 << 16, A_NANOSECOND = 2 /* bytes */ };
    uint64_t count = (uint64_t)view_count(view), bytes = count * view->format->size;
    return count < MUCH ||
           native_foresee(vm, bytes / A_NANOSECOND + (is_c_contiguous(view) ? 0
                                                      : view->ndim > 1      ? 8 * count
                                                                            : 2 * count));
}

Value memoryview_to_bytes(GenVM *vm, Value v) {
    MemoryView *view = AS(MemoryView, v);
    if (!memoryview_check(vm, view)) return VALUE_ERROR;
    size_t size = (size_t)(view_count(view) * view->format->size);
    if (size == 0) return vm->empty_bytes;
    if (!foresee_items(vm, view) || !text_charge(vm, size)) return VALUE_ERROR;
    Bytes *bytes = bytes_alloc(vm, size);
    if (!bytes) return VALUE_ERROR;
    copy_items(view, 0, view_start(view), bytes->data);
    return object_value(bytes);
}

/* ---- subscripts ---- */

/* The item that an int or a tuple of ints names. LEAF_FALSE: an error is pending. */
static Leaf locate(GenVM *vm, const MemoryView *view, const Value *keys, unsigned count,
                   uint8_t **item) {
    *item = view_start(view);
    for (unsigned i = 0; i < count; i++) {
        char message[48];
        snprintf(message, sizeof message, "index out of bounds on dimension %u", i + 1);
        int64_t index;
        Leaf leaf = text_index(vm, keys[i], view_shape(view)[i], message,
                               "memoryview: invalid slice key", &index);
        if (leaf != LEAF_TRUE) return leaf;
        *item += index * view_strides(view)[i];
    }
    return LEAF_TRUE;
}

static Leaf locate_tuple(GenVM *vm, const MemoryView *view, Tuple *keys, uint8_t **item) {
    if (keys->count > view->ndim)
        return raise_type(vm, "cannot index %u-dimension view with %llu-element tuple",
                          (unsigned)view->ndim, (unsigned long long)keys->count),
               LEAF_ERROR;
    for (uint64_t i = 0; i < keys->count; i++)
        if (is_kind(keys->items[i], TYPE_SLICE))
            return raise_error(vm, EXC_NOT_IMPLEMENTED_ERROR,
                               "multi-dimensional slicing is not implemented"),
                   LEAF_ERROR;
    if (keys->count < view->ndim)
        return raise_error(vm, EXC_NOT_IMPLEMENTED_ERROR, "sub-views are not implemented"),
               LEAF_ERROR;
    return locate(vm, view, keys->items, view->ndim, item);
}

/* Finds an item by any key but a slice. */
static Leaf locate_any(GenVM *vm, const MemoryView *view, Value key, uint8_t **item) {
    if (is_kind(key, TYPE_TUPLE)) return locate_tuple(vm, view, AS_TUPLE(key), item);
    if (view->ndim == 1) return locate(vm, view, &key, 1, item);
    if (view->ndim == 0) return raise_type(vm, "invalid indexing of 0-dim memory"), LEAF_ERROR;
    return raise_error(vm, EXC_NOT_IMPLEMENTED_ERROR,
                       "multi-dimensional sub-views are not implemented"),
           LEAF_ERROR;
}

static Leaf slice_view(GenVM *vm, MemoryView *from, Value key, MemoryView **result) {
    int64_t start, stop, step, count;
    if (from->ndim == 0) return raise_type(vm, "invalid indexing of 0-dim memory"), LEAF_ERROR;
    Leaf leaf = slice_indices(vm, key, view_shape(from)[0], &start, &stop, &step, &count);
    if (leaf != LEAF_TRUE) return leaf;
    MemoryView *view = copy_view(vm, from);
    if (!view) return LEAF_ERROR;
    view->offset += start * view_strides(from)[0];
    view_shape(view)[0] = count;
    view_strides(view)[0] *= step;
    *result = view;
    return LEAF_TRUE;
}

static Value getitem(GenVM *vm, Value v, Value key) {
    MemoryView *view = AS(MemoryView, v), *part;
    uint8_t *item;
    if (!memoryview_check(vm, view)) return VALUE_ERROR;
    if (key == VALUE_ELLIPSIS && view->ndim == 0) {
        part = copy_view(vm, view);
        return part ? attach(vm, part, view->object) : VALUE_ERROR;
    }
    bool is_slice = is_kind(key, TYPE_SLICE);
    Leaf leaf = is_slice ? slice_view(vm, view, key, &part) : locate_any(vm, view, key, &item);
    if (leaf == LEAF_SCRIPT) return native_twin(vm, TWIN_TEXT_GETITEM, 2, v, key);
    if (leaf != LEAF_TRUE) return VALUE_ERROR;
    return is_slice ? attach(vm, part, view->object) : view->format->get(vm, item);
}

/* The same number of items of the same format; views on one exporter may overlap, so the source is
 * copied first. */
static Leaf assign_slice(GenVM *vm, MemoryView *view, Value key, Value value) {
    MemoryView *to;
    if (view->ndim > 1)
        return raise_error(vm, EXC_NOT_IMPLEMENTED_ERROR,
                           "memoryview slice assignments are currently restricted to ndim = 1"),
               LEAF_ERROR;
    Leaf leaf = slice_view(vm, view, key, &to);
    if (leaf != LEAF_TRUE) return leaf;
    to->object = view->object; /* not attached: only looked at here */
    MemoryView *from = is_kind(value, TYPE_MEMORYVIEW) ? AS(MemoryView, value) : NULL;
    TextSpan span;
    if (from && !memoryview_check(vm, from)) return LEAF_ERROR;
    if (!from && !bytes_take_span(vm, value, &span)) return LEAF_ERROR;
    char format = from ? from->format->code : 'B';
    int64_t count = from ? from->ndim == 1 ? view_shape(from)[0] : -1 : (int64_t)span.size;
    if (format != to->format->code || count != view_shape(to)[0])
        return raise_value(vm,
                           "memoryview assignment: lvalue and rvalue have different structures"),
               LEAF_ERROR;
    Value bytes = from ? memoryview_to_bytes(vm, value) : bytes_work(vm, span.data, span.size);
    if (bytes == VALUE_ERROR || !foresee_items(vm, to)) return LEAF_ERROR;
    unsigned size = to->format->size;
    move_items(view_start(to), view_strides(to)[0], AS(Bytes, bytes)->data, size, size, count);
    to->object = VALUE_UNSET;
    return LEAF_TRUE;
}

static Value setitem(GenVM *vm, Value v, Value key, Value value) {
    MemoryView *view = AS(MemoryView, v);
    uint8_t *item;
    if (!memoryview_check(vm, view)) return VALUE_ERROR;
    if (view->readonly) return raise_type(vm, "cannot modify read-only memory");
    if (value == VALUE_UNSET) return raise_type(vm, "cannot delete memory");
    Leaf leaf;
    if (is_kind(key, TYPE_SLICE)) {
        leaf = assign_slice(vm, view, key, value);
    } else {
        leaf = locate_any(vm, view, key, &item);
        if (leaf == LEAF_TRUE) leaf = memory_put(vm, view->format, item, value);
    }
    if (leaf == LEAF_SCRIPT) return native_twin(vm, TWIN_MEMORYVIEW_ASSIGN, 3, v, key, value);
    return leaf == LEAF_TRUE ? VALUE_NONE : VALUE_ERROR;
}

/* ---- other slots ---- */

static Value repr(GenVM *vm, Value v) {
    bool released = AS(MemoryView, v)->object == VALUE_UNSET;
    return str_format(vm, "<%smemory at %p>", released ? "released " : "", (void *)as_object(v));
}

static Value len(GenVM *vm, Value v) {
    MemoryView *view = AS(MemoryView, v);
    if (!memoryview_check(vm, view)) return VALUE_ERROR;
    return view->ndim ? int_value(view_shape(view)[0])
                      : raise_type(vm, "0-dim memory has no length");
}

static Value hash(GenVM *vm, Value v) {
    MemoryView *view = AS(MemoryView, v);
    if (view->hash) return int_value((int64_t)view->hash);
    if (!memoryview_check(vm, view)) return VALUE_ERROR;
    if (!view->readonly) return raise_value(vm, "cannot hash writable memoryview object");
    if (!strchr("Bbc", view->format->code))
        return raise_value(vm, "memoryview: hashing is restricted to formats 'B', 'b' or 'c'");
    Value bytes = memoryview_to_bytes(vm, v);
    if (bytes == VALUE_ERROR) return bytes;
    view->hash = text_hash(vm, AS(Bytes, bytes)->data, AS(Bytes, bytes)->size);
    return int_value((int64_t)view->hash);
}

/* In a walk over the items of a row, or over rows, between two of them: a look now and then. */
static bool look_at_row(GenVM *vm, const MemoryView *view, unsigned dim, int64_t i) {
    if (dim + 1u == view->ndim) return native_glance(vm, (uint64_t)i);
    return view_shape(view)[view->ndim - 1] < 256 ? native_glance(vm, (uint64_t)i * 256 + 255)
                                                  : native_look(vm);
}

/* Compares item by item, as values: formats may differ. */
static Leaf equal_items(GenVM *vm, const MemoryView *a, const MemoryView *b, unsigned dim,
                        const uint8_t *x, const uint8_t *y) {
    if (dim == a->ndim) {
        Value left = a->format->get(vm, x), right = b->format->get(vm, y);
        bool failed = left == VALUE_ERROR || right == VALUE_ERROR;
        if (failed) return LEAF_ERROR;
        if (left == right && value_is_float(left))
            return bool_value(value_float(left) == value_float(left)) == VALUE_TRUE;
        return leaf_equal(vm, left, right);
    }
    for (int64_t i = 0; i < view_shape(a)[dim]; i++) {
        if (!look_at_row(vm, a, dim, i)) return LEAF_ERROR;
        Leaf leaf = equal_items(vm, a, b, dim + 1, x, y);
        if (leaf != LEAF_TRUE) return leaf;
        x += view_strides(a)[dim];
        y += view_strides(b)[dim];
    }
    return LEAF_TRUE;
}

static Leaf equal(GenVM *vm, Value left, Value right) {
    MemoryView *a = AS(MemoryView, left), *b = AS(MemoryView, right);
    if (left == right) return LEAF_TRUE;
    if (a->object == VALUE_UNSET || b->object == VALUE_UNSET || a->ndim != b->ndim)
        return LEAF_FALSE;
    if (memcmp(view_shape(a), view_shape(b), a->ndim * sizeof(int64_t)) != 0) return LEAF_FALSE;
    if (!native_work(vm, (uint64_t)view_count(a) / 4)) return LEAF_ERROR;
    if (a->format == b->format && !strchr("fde", a->format->code) && is_c_contiguous(a) &&
        is_c_contiguous(b))
        return memcmp(view_start(a), view_start(b), (size_t)view_count(a) * a->format->size) == 0;
    return equal_items(vm, a, b, 0, view_start(a), view_start(b));
}

static Value as_view(GenVM *vm, Value v) {
    if (is_kind(v, TYPE_BYTES) || is_kind(v, TYPE_BYTEARRAY)) return view_of_bytes(vm, v);
    return is_kind(v, TYPE_MEMORYVIEW) ? v : VALUE_UNSET;
}

static Value compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if (op != COMPARE_EQ && op != COMPARE_NE) return VALUE_NOT_IMPLEMENTED;
    Value a = as_view(vm, left), b = as_view(vm, right);
    if (a == VALUE_UNSET || b == VALUE_UNSET) return VALUE_NOT_IMPLEMENTED;
    if (a == VALUE_ERROR || b == VALUE_ERROR) return VALUE_ERROR;
    Leaf leaf = equal(vm, a, b);
    if (a != left) detach(AS(MemoryView, a));
    if (b != right) detach(AS(MemoryView, b));
    return leaf == LEAF_ERROR ? VALUE_ERROR : bool_value((leaf == LEAF_TRUE) == (op == COMPARE_EQ));
}

static Value iter(GenVM *vm, Value v) {
    MemoryView *view = AS(MemoryView, v);
    if (!memoryview_check(vm, view)) return VALUE_ERROR;
    if (view->ndim == 0) return raise_type(vm, "invalid indexing of 0-dim memory");
    if (view->ndim > 1)
        return raise_error(vm, EXC_NOT_IMPLEMENTED_ERROR,
                           "multi-dimensional sub-views are not implemented");
    return bytes_iterator_new(vm, TYPE_MEMORYVIEW_ITERATOR, v);
}

static void trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((MemoryView *)object)->object);
}

/* ---- methods ---- */

static Value release(GenVM *vm, Value *args) {
    (void)vm;
    detach(AS(MemoryView, args[0]));
    return VALUE_NONE;
}

static Value enter(GenVM *vm, Value *args) {
    return memoryview_check(vm, AS(MemoryView, args[0])) ? args[0] : VALUE_ERROR;
}

static Value tobytes(GenVM *vm, Value *args) {
    if (args[1] == VALUE_NONE || str_is(args[1], "C") || str_is(args[1], "A"))
        return memoryview_to_bytes(vm, args[0]);
    if (!str_is(args[1], "F")) return raise_value(vm, "order must be 'C', 'F' or 'A'");
    MemoryView *from = AS(MemoryView, args[0]);
    if (!memoryview_check(vm, from)) return VALUE_ERROR;
    MemoryView *view = copy_view(vm, from); /* the same items with the dimensions turned around */
    if (!view) return VALUE_ERROR;
    for (unsigned i = 0; i < view->ndim; i++) {
        view_shape(view)[i] = view_shape(from)[view->ndim - 1 - i];
        view_strides(view)[i] = view_strides(from)[view->ndim - 1 - i];
    }
    view->object = from->object;
    Value bytes = memoryview_to_bytes(vm, object_value(view));
    view->object = VALUE_UNSET;
    return bytes;
}

static COLD Value list_of(GenVM *vm, const MemoryView *view, unsigned dim, const uint8_t *from) {
    if (dim == view->ndim) return view->format->get(vm, from);
    int64_t length = view_shape(view)[dim];
    Value list = list_new(vm, (uint64_t)length);
    if (list == VALUE_ERROR) return list;
    for (int64_t i = 0; i < length; i++, from += view_strides(view)[dim]) {
        Value item = list_of(vm, view, dim + 1, from);
        if (item == VALUE_ERROR || !look_at_row(vm, view, dim, i) || !list_append(vm, list, item))
            return VALUE_ERROR;
    }
    return list;
}

static Value tolist(GenVM *vm, Value *args) {
    MemoryView *view = AS(MemoryView, args[0]);
    if (!memoryview_check(vm, view) || !native_work(vm, (uint64_t)view_count(view) / 4))
        return VALUE_ERROR;
    return list_of(vm, view, 0, view_start(view));
}

static Value toreadonly(GenVM *vm, Value *args) {
    MemoryView *from = AS(MemoryView, args[0]);
    if (!memoryview_check(vm, from)) return VALUE_ERROR;
    MemoryView *view = copy_view(vm, from);
    if (!view) return VALUE_ERROR;
    view->readonly = true;
    return attach(vm, view, from->object);
}

static Value hex(GenVM *vm, Value *args) {
    Value bytes = memoryview_to_bytes(vm, args[0]);
    if (bytes == VALUE_ERROR) return bytes;
    TextSpan span;
    span.data = bytes_data(bytes, &span.size);
    return bytes_to_hex(vm, span, args[1], args[2]);
}

/* How many items equal args[1], or where the first is from `start` to `stop`. */
static Leaf search(GenVM *vm, Value *args, int64_t start, int64_t stop, bool count_all,
                   int64_t *result) {
    MemoryView *view = AS(MemoryView, args[0]);
    *result = count_all ? 0 : -1;
    for (int64_t i = start; i < stop; i++) {
        if ((i & 1023) == 0 && !native_work(vm, 128)) return LEAF_ERROR;
        Value item = view->format->get(vm, view_start(view) + i * view_strides(view)[0]);
        if (item == VALUE_ERROR) return LEAF_ERROR;
        Leaf leaf = leaf_equal(vm, item, args[1]);
        if (leaf == LEAF_ERROR || leaf == LEAF_SCRIPT) return leaf;
        if (leaf == LEAF_FALSE) continue;
        *result = count_all ? *result + 1 : i;
        if (!count_all) break;
    }
    return LEAF_TRUE;
}

static bool check_flat(GenVM *vm, const MemoryView *view) {
    if (!memoryview_check(vm, view)) return false;
    if (view->ndim == 1) return true;
    if (view->ndim == 0)
        raise_type(vm, "invalid lookup on 0-dim memory");
    else
        raise_error(vm, EXC_NOT_IMPLEMENTED_ERROR, "multi-dimensional lookup is not implemented");
    return false;
}

static Value index_of(GenVM *vm, Value *args) {
    MemoryView *view = AS(MemoryView, args[0]);
    if (!check_flat(vm, view)) return VALUE_ERROR;
    int64_t start, stop, at;
    text_bounds(args[2], args[3], view_shape(view)[0], &start, &stop);
    Leaf leaf = search(vm, args, start, stop, false, &at);
    if (leaf == LEAF_SCRIPT)
        return native_twin(vm, TWIN_MEMORYVIEW_INDEX, 4, args[0], args[1], args[2], args[3]);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    return at < 0 ? raise_value(vm, "memoryview.index(x): x not found") : int_value(at);
}

static Value count(GenVM *vm, Value *args) {
    MemoryView *view = AS(MemoryView, args[0]);
    if (!check_flat(vm, view)) return VALUE_ERROR;
    int64_t found;
    Leaf leaf = search(vm, args, 0, view_shape(view)[0], true, &found);
    if (leaf == LEAF_SCRIPT) return native_twin(vm, TWIN_MEMORYVIEW_COUNT, 2, args[0], args[1]);
    return leaf == LEAF_ERROR ? VALUE_ERROR : int_value(found);
}

static Value contains(GenVM *vm, Value v, Value item) {
    Value args[2] = {v, item};
    int64_t at;
    if (!check_flat(vm, AS(MemoryView, v))) return VALUE_ERROR;
    Leaf leaf = search(vm, args, 0, view_shape(AS(MemoryView, v))[0], false, &at);
    if (leaf == LEAF_SCRIPT) return native_twin(vm, TWIN_MEMORYVIEW_CONTAINS, 2, v, item);
    return leaf == LEAF_ERROR ? VALUE_ERROR : bool_value(at >= 0);
}

/* ---- cast ---- */

enum { MAX_DIMS = 64 };

/* The lengths in `shape`, whose product must be `count`. */
static bool take_shape(GenVM *vm, Value shape, int64_t count, int64_t *lengths, unsigned *ndim) {
    uint64_t size;
    int64_t product = 1;
    const Value *items = text_items(shape, &size);
    if (!items) return raise_type(vm, "shape must be a list or a tuple"), false;
    if (size > MAX_DIMS)
        return raise_value(vm, "memoryview: number of dimensions must not exceed %d", MAX_DIMS),
               false;
    for (uint64_t i = 0; i < size; i++) {
        if (!value_is_intlike(items[i]))
            return raise_type(vm, "memoryview.cast(): elements of shape must be integers"), false;
        if (!int_to_i64(items[i], &lengths[i]) || lengths[i] <= 0)
            return raise_value(vm, "memoryview.cast(): elements of shape must be integers > 0"),
                   false;
        if (__builtin_mul_overflow(product, lengths[i], &product))
            return raise_value(vm, "memoryview.cast(): product(shape) > SSIZE_MAX"), false;
    }
    *ndim = (unsigned)size;
    if (product == count) return true;
    return raise_type(vm, "memoryview: product(shape) * itemsize != buffer size"), false;
}

static const MemoryFormat *take_format(GenVM *vm, Value v) {
    Str *str = AS_STR(v);
    const char *text = str->data;
    size_t size = str->size;
    if (size && *text == '@') text++, size--;
    const MemoryFormat *format = size == 1 ? memory_format(*text) : NULL;
    if (!format)
        raise_value(vm, "memoryview: destination format must be a native single character format "
                        "prefixed with an "
                        "optional '@'");
    return format;
}

static COLD Value cast(GenVM *vm, Value *args) {
    MemoryView *from = AS(MemoryView, args[0]);
    int64_t lengths[MAX_DIMS];
    unsigned ndim = 1;
    if (!memoryview_check(vm, from)) return VALUE_ERROR;
    if (!is_c_contiguous(from))
        return raise_type(vm, "memoryview: casts are restricted to C-contiguous views");
    if (args[2] != VALUE_NONE && from->ndim != 1)
        return raise_type(vm, "memoryview: cast must be 1D -> ND or ND -> 1D");
    const MemoryFormat *format = take_format(vm, args[1]);
    if (!format) return VALUE_ERROR;
    if (!strchr("Bbc", format->code) && !strchr("Bbc", from->format->code))
        return raise_type(vm, "memoryview: cannot cast between two non-byte formats");
    int64_t bytes = view_count(from) * from->format->size;
    if (bytes % format->size)
        return raise_type(vm, "memoryview: length is not a multiple of itemsize");
    lengths[0] = bytes / format->size;
    if (args[2] != VALUE_NONE && !take_shape(vm, args[2], bytes / format->size, lengths, &ndim))
        return VALUE_ERROR;
    MemoryView *view = alloc_view(vm, ndim);
    if (!view) return VALUE_ERROR;
    view->offset = from->offset;
    view->format = format;
    view->readonly = from->readonly;
    int64_t stride = format->size;
    for (unsigned i = ndim; i-- > 0; stride *= lengths[i]) {
        view_shape(view)[i] = lengths[i];
        view_strides(view)[i] = stride;
    }
    return attach(vm, view, from->object);
}

/* ---- attributes ---- */

static MemoryView *checked(GenVM *vm, Value self) {
    MemoryView *view = AS(MemoryView, self);
    return memoryview_check(vm, view) ? view : NULL;
}

static Value tuple_of(GenVM *vm, const int64_t *numbers, unsigned count) {
    Value tuple = tuple_new(vm, count);
    for (unsigned i = 0; i < count && tuple != VALUE_ERROR; i++)
        AS_TUPLE(tuple)->items[i] = int_value(numbers[i]);
    return tuple;
}

static Value get_obj(GenVM *vm, Value self) {
    MemoryView *view = checked(vm, self);
    return view ? view->object : VALUE_ERROR;
}
static Value get_nbytes(GenVM *vm, Value self) {
    MemoryView *view = checked(vm, self);
    return view ? int_value(view_count(view) * view->format->size) : VALUE_ERROR;
}
static Value get_readonly(GenVM *vm, Value self) {
    MemoryView *view = checked(vm, self);
    return view ? bool_value(view->readonly) : VALUE_ERROR;
}
static Value get_itemsize(GenVM *vm, Value self) {
    MemoryView *view = checked(vm, self);
    return view ? int_value(view->format->size) : VALUE_ERROR;
}
static Value get_format(GenVM *vm, Value self) {
    MemoryView *view = checked(vm, self);
    return view ? vm->characters[(unsigned char)view->format->code] : VALUE_ERROR;
}
static Value get_ndim(GenVM *vm, Value self) {
    MemoryView *view = checked(vm, self);
    return view ? int_value(view->ndim) : VALUE_ERROR;
}
static Value get_shape(GenVM *vm, Value self) {
    MemoryView *view = checked(vm, self);
    return view ? tuple_of(vm, view_shape(view), view->ndim) : VALUE_ERROR;
}
static Value get_strides(GenVM *vm, Value self) {
    MemoryView *view = checked(vm, self);
    return view ? tuple_of(vm, view_strides(view), view->ndim) : VALUE_ERROR;
}
static Value get_suboffsets(GenVM *vm, Value self) {
    return checked(vm, self) ? vm->empty_tuple : VALUE_ERROR;
}
static Value get_c_contiguous(GenVM *vm, Value self) {
    MemoryView *view = checked(vm, self);
    return view ? bool_value(is_c_contiguous(view)) : VALUE_ERROR;
}
static Value get_f_contiguous(GenVM *vm, Value self) {
    MemoryView *view = checked(vm, self);
    return view ? bool_value(is_f_contiguous(view)) : VALUE_ERROR;
}
static Value get_contiguous(GenVM *vm, Value self) {
    MemoryView *view = checked(vm, self);
    return view ? bool_value(is_c_contiguous(view) || is_f_contiguous(view)) : VALUE_ERROR;
}

static const AttributeDef attributes[] = {
    {"obj", get_obj, NULL, "The underlying object of the memoryview."},
    {"nbytes", get_nbytes, NULL,
     "The amount of space in bytes that the items would use in a contiguous copy."},
    {"readonly", get_readonly, NULL, "Whether the memory is read only."},
    {"itemsize", get_itemsize, NULL, "The size in bytes of each item."},
    {"format", get_format, NULL, "The format (as in the struct module) of each item."},
    {"ndim", get_ndim, NULL, "The number of dimensions."},
    {"shape", get_shape, NULL, "A tuple of the length of each dimension."},
    {"strides", get_strides, NULL,
     "A tuple of the bytes from one item to the next in each dimension."},
    {"suboffsets", get_suboffsets, NULL, "An empty tuple: views have no pointers inside."},
    {"c_contiguous", get_c_contiguous, NULL,
     "Whether the memory is contiguous, last dimension fastest."},
    {"f_contiguous", get_f_contiguous, NULL,
     "Whether the memory is contiguous, first dimension fastest."},
    {"contiguous", get_contiguous, NULL, "Whether the memory is contiguous."},
    {NULL, NULL, NULL, NULL},
};

static const NativeDef methods[] = {
    {"cast(self, format: str, shape: object = None)", cast, "Cast to a new format or shape."},
    {"count(self, value, /)", count, "Count the number of occurrences of a value."},
    {"hex(self, sep: object = ?, bytes_per_sep: int = 1)", hex,
     "Return the bytes as hexadecimal digits."},
    {"index(self, value, start: position | None = None, stop: position | None = None, /)", index_of,
     "Return the index of the first occurrence of a value."},
    {"release(self, /)", release, "Release the underlying buffer."},
    {"tobytes(self, order: str | None = 'C')", tobytes, "Return the items as bytes."},
    {"tolist(self, /)", tolist, "Return the items as a list, nested for several dimensions."},
    {"toreadonly(self, /)", toreadonly, "Return a read-only version of the memoryview."},
    {"__enter__(self, /)", enter, "Return the view."},
    {"__exit__(self, *args)", release, "Release the underlying buffer."},
    {NULL, NULL, NULL},
};

static const NativeDef construct_def = {"memoryview(cls, object)", construct,
                                        "Make a view of the bytes of an object that has bytes."};

const BuiltinType memoryview_type = {
    .name = "memoryview",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_SEQUENCE,
    .size = sizeof(MemoryView),
    .doc = "A view of the bytes of another object, as items of a native format.",
    .construct = &construct_def,
    .methods = methods,
    .attributes = attributes,
    .slots =
        {
            .repr = repr,
            .hash = hash,
            .len = len,
            .getitem = getitem,
            .setitem = setitem,
            .contains = contains,
            .iter = iter,
            .compare = compare,
            .trace = trace,
            .finalize = finalize,
        },
};

int memoryview_ndim(Value view) {
    return AS(MemoryView, view)->ndim;
}

/* ---- the iterator ---- */

static Value iterator_next(GenVM *vm, Value v) {
    ListIterator *iterator = AS(ListIterator, v);
    if (iterator->container == VALUE_UNSET) return VALUE_END;
    MemoryView *view = AS(MemoryView, iterator->container);
    if (!memoryview_check(vm, view)) return VALUE_ERROR;
    if (iterator->index < view_shape(view)[0])
        return view->format->get(vm, view_start(view) + iterator->index++ * view_strides(view)[0]);
    iterator->container = VALUE_UNSET;
    return VALUE_END;
}

const BuiltinType memoryview_iterator_type = {
    .name = "memory_iterator",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(ListIterator),
    .slots = {.iter = bytes_iterator_self, .next = iterator_next, .trace = bytes_iterator_trace},
};
