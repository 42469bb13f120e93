/* bytearray.c - the type bytearray: bytes that change, in a Buffer that grows by an eighth.
 *
 * While a memoryview looks at it (`exports` is not 0) the size is fixed, so that views need no
 * check of their own. The methods that do not change it are those of bytes (bytes_methods.c).
 */
#include "vm/frame.h"
#include "vm/objects/text.h"

#define METHOD(function, signature, doc) Value bytes_method_##function(GenVM *vm, Value *args);
#include "vm/objects/bytes_methods.def"
#undef METHOD

static const char BYTE_RANGE[] = "byte must be in range(0, 256)";

static inline ByteArray *array_of(Value v) {
    return AS(ByteArray, v);
}
static inline uint8_t *data_of(ByteArray *array) {
    return array->buffer ? array->buffer->data : (uint8_t *)"";
}
static inline TextSpan span_of(ByteArray *array) {
    return (TextSpan){(char *)data_of(array), array->size};
}

/* ---- size ----
 *
 * Views that nothing refers to any more still count in `exports` until a collection finds them. So
 * when a view is in the way for the first time, a full collection is asked for and a twin tries the
 * same method again; only then is it an error.
 */

enum { ARRAY_BLOCKED = 1, ARRAY_RETRIED = 2 }; /* Object.flags */

static bool set_capacity(GenVM *vm, ByteArray *array, size_t capacity) {
    if (!gc_check_size(vm, capacity)) return false;
    Buffer *buffer = gc_buffer_resize(vm, array->buffer, capacity);
    if (!buffer) return false;
    array->buffer = buffer;
    gc_barrier(vm, array);
    return true;
}

static bool check_exports(GenVM *vm, ByteArray *array) {
    if (likely(array->exports == 0)) return true;
    array->header.flags |= ARRAY_BLOCKED;
    raise_error(vm, EXC_BUFFER_ERROR, "Existing exports of data: object cannot be re-sized");
    return false;
}

/* Words above the running frame that the twin's frames may take: what earlier calls left there must
 * not keep views. */
enum { STALE_WORDS = 1024 };

static void clear_stale_words(GenVM *vm) {
    Value *top = frame_top(vm);
    for (int i = 0; i < STALE_WORDS && top + i < vm->stack_end; i++)
        top[i] = VALUE_UNSET;
}

/* What a method that failed returns: its error, or the call of a twin that tries again. */
static COLD Value failed(GenVM *vm, Value self, const char *method, int count, const Value *args) {
    ByteArray *array = array_of(self);
    bool again = array->header.flags == ARRAY_BLOCKED;
    array->header.flags = 0;
    if (!again) return VALUE_ERROR;
    error_clear(vm);
    array->header.flags = ARRAY_RETRIED;
    vm->poll |= POLL_GC_FULL;
    clear_stale_words(vm);
    frame_forget_temporaries(vm, memoryview_is_of, self);
    Value name = str_intern_from(vm, method, strlen(method)),
          rest = tuple_from_array(vm, args, (uint64_t)count);
    if (name == VALUE_ERROR || rest == VALUE_ERROR) return VALUE_ERROR;
    return native_twin(vm, TWIN_BYTEARRAY_RETRY, 3, self, name, rest);
}

/* Bytes beyond the old size are undefined. */
static bool resize(GenVM *vm, ByteArray *array, size_t size) {
    if (size == array->size) return true;
    if (!check_exports(vm, array)) return false;
    size_t capacity = array->buffer ? array->buffer->capacity : 0;
    if (size > capacity && !set_capacity(vm, array, size + size / 8 + 16)) return false;
    if (size < capacity / 4 && capacity > 4096 && !set_capacity(vm, array, size + size / 8 + 16))
        return false;
    array->size = size;
    array->header.flags = 0;
    return true;
}

/* Before the array changes: room for `size` bytes is to be made, and so many are moved or filled.
 */
static bool foresee(GenVM *vm, const ByteArray *array, size_t size, size_t moved) {
    enum { A_NANOSECOND = 2 /* bytes */ };
    if (!array->buffer || size > array->buffer->capacity) moved += array->size;
    return likely(moved < TEXT_MUCH) || native_foresee(vm, moved / A_NANOSECOND);
}

bool bytearray_resize(GenVM *vm, ByteArray *array, size_t size) {
    return resize(vm, array, size);
}

/* Replaces `count` bytes at `start`. `with` must not lie in the array. */
static bool splice(GenVM *vm, ByteArray *array, size_t start, size_t count, TextSpan with) {
    size_t old_size = array->size, tail = with.size == count ? 0 : old_size - start - count;
    if (!foresee(vm, array, old_size - count + with.size, tail + with.size)) return false;
    if (with.size > count) {
        if (!resize(vm, array, old_size + (with.size - count))) return false;
        memmove(data_of(array) + start + with.size, data_of(array) + start + count, tail);
    } else if (with.size < count) {
        if (!check_exports(vm, array)) return false;
        memmove(data_of(array) + start + with.size, data_of(array) + start + count, tail);
        if (!resize(vm, array, old_size - (count - with.size))) return false;
    }
    if (with.size) memcpy(data_of(array) + start, with.data, with.size);
    return true;
}

/* ---- making ---- */

static ByteArray *new_of_class(GenVM *vm, Type *cls) {
    if (cls->id == TYPE_BYTEARRAY) return gc_new(vm, sizeof(ByteArray), TYPE_BYTEARRAY);
    return gc_new_of(vm, sizeof(ByteArray), TYPE_BYTEARRAY, cls);
}

static ByteArray *allocate(GenVM *vm, size_t size) {
    ByteArray *array = gc_new(vm, sizeof *array, TYPE_BYTEARRAY);
    if (!array || size == 0) return array;
    array->buffer = gc_buffer_new(vm, size);
    array->size = size;
    return array->buffer ? array : NULL;
}

Value bytearray_work(GenVM *vm, const void *data, size_t size) {
    ByteArray *array = allocate(vm, size);
    if (!array) return VALUE_ERROR;
    bool done = data ? native_copy(vm, array->buffer->data, data, size)
                     : native_fill(vm, array->buffer->data, 0, size);
    return done ? object_value(array) : VALUE_ERROR;
}

Value bytearray_new(GenVM *vm, const void *data, size_t size) {
    ByteArray *array = allocate(vm, size);
    if (!array) return VALUE_ERROR;
    if (size == 0) return object_value(array);
    if (data)
        memcpy(array->buffer->data, data, size);
    else
        memset(array->buffer->data, 0, size);
    return object_value(array);
}

/* Fills the array from what bytearray(...) was given: args is source, encoding, errors. */
static Leaf fill(GenVM *vm, ByteArray *array, const Value *args) {
    Value data;
    Leaf leaf = bytes_from_source(vm, args, BYTE_RANGE, &data);
    if (leaf != LEAF_TRUE) return leaf;
    TextSpan span;
    span.data = bytes_data(data, &span.size);
    return splice(vm, array, 0, array->size, span) ? LEAF_TRUE : LEAF_ERROR;
}

static Value construct(GenVM *vm, Value *args) {
    ByteArray *array = new_of_class(vm, type_from(args[0]));
    if (!array) return VALUE_ERROR;
    Leaf leaf = fill(vm, array, args + 1);
    if (leaf == LEAF_SCRIPT) {
        args[0] = object_value(array);
        return bytes_source_twin(vm, TWIN_BYTEARRAY_FILL, args);
    }
    return leaf == LEAF_TRUE ? object_value(array) : VALUE_ERROR;
}

static Value init(GenVM *vm, Value *args) {
    Leaf leaf = fill(vm, array_of(args[0]), args + 1);
    if (leaf == LEAF_SCRIPT) return bytes_source_twin(vm, TWIN_BYTEARRAY_INIT, args);
    return leaf == LEAF_TRUE ? VALUE_NONE : VALUE_ERROR;
}

static Value new (GenVM *vm, Value *args) {
    ByteArray *array = new_of_class(vm, type_from(args[0]));
    return array ? object_value(array) : VALUE_ERROR;
}

/* ---- changing methods ---- */

static Value append(GenVM *vm, Value *args) {
    ByteArray *array = array_of(args[0]);
    uint8_t byte;
    Leaf leaf = bytes_byte_from(vm, args[1], BYTE_RANGE, &byte);
    if (leaf == LEAF_SCRIPT) return native_twin(vm, TWIN_BYTEARRAY_APPEND, 2, args[0], args[1]);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    if (!foresee(vm, array, array->size + 1, 1) || !resize(vm, array, array->size + 1))
        return failed(vm, args[0], "append", 1, args + 1);
    data_of(array)[array->size - 1] = byte;
    return VALUE_NONE;
}

/* Puts bytes behind the end; they may be the array's own. */
static bool extend_with(GenVM *vm, ByteArray *array, TextSpan span) {
    size_t old_size = array->size;
    bool own = array->buffer && span.data == (char *)array->buffer->data;
    if (!foresee(vm, array, old_size + span.size, span.size)) return false;
    if (!resize(vm, array, old_size + span.size)) return false;
    if (span.size)
        memcpy(data_of(array) + old_size, own ? (char *)data_of(array) : span.data, span.size);
    return true;
}

static Value extend(GenVM *vm, Value *args) {
    TextSpan span;
    uint64_t count;
    Value data;
    if (!bytes_find_span(vm, args[1], &span)) {
        if (value_is_str(args[1]))
            return raise_type(vm, "expected iterable of integers; got: 'str'");
        const Value *items = text_items(args[1], &count);
        Leaf leaf = items ? bytes_from_items(vm, items, count, BYTE_RANGE, &data) : LEAF_SCRIPT;
        if (leaf == LEAF_ERROR) return VALUE_ERROR;
        if (leaf == LEAF_SCRIPT) return native_twin(vm, TWIN_BYTEARRAY_EXTEND, 2, args[0], args[1]);
        span.data = bytes_data(data, &span.size);
    }
    if (extend_with(vm, array_of(args[0]), span)) return VALUE_NONE;
    return failed(vm, args[0], "extend", 1, args + 1);
}

static Value insert(GenVM *vm, Value *args) {
    ByteArray *array = array_of(args[0]);
    int64_t index = as_int(args[1]), size = (int64_t)array->size;
    uint8_t byte;
    Leaf leaf = bytes_byte_from(vm, args[2], BYTE_RANGE, &byte);
    if (leaf == LEAF_SCRIPT)
        return native_twin(vm, TWIN_BYTEARRAY_INSERT, 3, args[0], args[1], args[2]);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    if (index < 0 && (index += size) < 0) index = 0;
    if (index > size) index = size;
    if (splice(vm, array, (size_t)index, 0, (TextSpan){(char *)&byte, 1})) return VALUE_NONE;
    return failed(vm, args[0], "insert", 2, args + 1);
}

static Value pop(GenVM *vm, Value *args) {
    ByteArray *array = array_of(args[0]);
    int64_t index = as_int(args[1]), size = (int64_t)array->size;
    if (size == 0) return raise_index(vm, "pop from empty bytearray");
    if (index < 0) index += size;
    if (index < 0 || index >= size) return raise_index(vm, "pop index out of range");
    uint8_t byte = data_of(array)[index];
    if (splice(vm, array, (size_t)index, 1, (TextSpan){"", 0})) return int_value(byte);
    return failed(vm, args[0], "pop", 1, args + 1);
}

static Value remove_byte(GenVM *vm, Value *args) {
    ByteArray *array = array_of(args[0]);
    uint8_t byte;
    Leaf leaf = bytes_byte_from(vm, args[1], BYTE_RANGE, &byte);
    if (leaf == LEAF_SCRIPT) return native_twin(vm, TWIN_BYTEARRAY_REMOVE, 2, args[0], args[1]);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    uint8_t *data = data_of(array), *at = memchr(data, byte, array->size);
    if (!at) return raise_value(vm, "value not found in bytearray");
    if (splice(vm, array, (size_t)(at - data), 1, (TextSpan){"", 0})) return VALUE_NONE;
    return failed(vm, args[0], "remove", 1, args + 1);
}

static Value reverse(GenVM *vm, Value *args) {
    ByteArray *array = array_of(args[0]);
    uint8_t *data = data_of(array);
    if (!text_charge(vm, array->size) || !text_foresee(vm, array->size, 1)) return VALUE_ERROR;
    for (size_t i = 0, j = array->size; i + 1 < j; i++) {
        uint8_t byte = data[i];
        data[i] = data[--j];
        data[j] = byte;
    }
    return VALUE_NONE;
}

static Value clear(GenVM *vm, Value *args) {
    if (resize(vm, array_of(args[0]), 0)) return VALUE_NONE;
    return failed(vm, args[0], "clear", 0, NULL);
}

static Value copy(GenVM *vm, Value *args) {
    TextSpan span = span_of(array_of(args[0]));
    return span.size ? bytearray_work(vm, span.data, span.size) : bytearray_new(vm, NULL, 0);
}

static COLD Value resize_method(GenVM *vm, Value *args) {
    ByteArray *array = array_of(args[0]);
    int64_t size = as_int(args[1]);
    size_t old_size = array->size;
    if (size < 0)
        return raise_value(vm, "bytearray.resize(): new size must be >= 0, got %lld",
                           (long long)size);
    size_t more = (size_t)size > old_size ? (size_t)size - old_size : 0;
    if (!foresee(vm, array, (size_t)size, more) || !resize(vm, array, (size_t)size))
        return failed(vm, args[0], "resize", 1, args + 1);
    if (more) memset(data_of(array) + old_size, 0, more);
    return VALUE_NONE;
}

static Value alloc(GenVM *vm, Value *args) {
    (void)vm;
    ByteArray *array = array_of(args[0]);
    return int_value(array->buffer ? (int64_t)array->buffer->capacity : 0);
}

static Value reduce(GenVM *vm, Value *args) {
    TextSpan span = span_of(array_of(args[0]));
    Value data = bytes_new(vm, span.data, span.size);
    Value arguments = data == VALUE_ERROR ? data : tuple_pack(vm, 1, data);
    if (arguments == VALUE_ERROR) return arguments;
    return tuple_pack(vm, 3, object_value(type_of(vm, args[0])), arguments, VALUE_NONE);
}

/* ---- assignment to items and slices ---- */

static Value set_index(GenVM *vm, Value self, Value key, Value value) {
    ByteArray *array = array_of(self);
    int64_t index;
    uint8_t byte;
    Leaf leaf = text_index(vm, key, (int64_t)array->size, "bytearray index out of range",
                           "bytearray indices must be integers or slices, not %T", &index);
    if (leaf == LEAF_TRUE && value == VALUE_UNSET)
        return splice(vm, array, (size_t)index, 1, (TextSpan){"", 0})
                   ? VALUE_NONE
                   : failed(vm, self, "__delitem__", 1, &key);
    if (leaf == LEAF_TRUE) leaf = bytes_byte_from(vm, value, BYTE_RANGE, &byte);
    if (leaf == LEAF_SCRIPT)
        return value == VALUE_UNSET ? native_twin(vm, TWIN_BYTEARRAY_DELETE, 2, self, key)
                                    : native_twin(vm, TWIN_BYTEARRAY_ASSIGN, 3, self, key, value);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    data_of(array)[index] = byte;
    return VALUE_NONE;
}

/* Deletes every step-th byte: the bytes between move down. */
static COLD bool delete_stepped(GenVM *vm, ByteArray *array, int64_t start, int64_t step,
                                int64_t count) {
    if (!check_exports(vm, array) || !text_foresee(vm, array->size, 2)) return false;
    if (step < 0) {
        start += step * (count - 1);
        step = -step;
    }
    uint8_t *data = data_of(array);
    size_t to = (size_t)start, gone = (size_t)start, left = (size_t)count;
    for (size_t from = to; from < array->size; from++) {
        if (left && from == gone) {
            gone += (size_t)step;
            left--;
        } else {
            data[to++] = data[from];
        }
    }
    return resize(vm, array, to);
}

/* The bytes that are assigned to a slice, in an object of their own when they could be the array's.
 */
static Leaf take_assigned(GenVM *vm, Value self, Value value, TextSpan *span) {
    uint64_t count;
    Value data;
    if (bytes_find_span(vm, value, span)) {
        if (value != self && !is_kind(value, TYPE_MEMORYVIEW)) return LEAF_TRUE;
        data = span->size ? bytes_work(vm, span->data, span->size) : vm->empty_bytes;
        if (data == VALUE_ERROR) return LEAF_ERROR;
    } else if (value_is_intlike(value) || value_is_float(value) || value_is_str(value)) {
        raise_type(vm, "can assign only bytes, buffers, or iterables of ints in range(0, 256)");
        return LEAF_ERROR;
    } else {
        const Value *items = text_items(value, &count);
        Leaf leaf = items ? bytes_from_items(vm, items, count, BYTE_RANGE, &data) : LEAF_SCRIPT;
        if (leaf != LEAF_TRUE) return leaf;
    }
    span->data = bytes_data(data, &span->size);
    return LEAF_TRUE;
}

static bool assign_slice(GenVM *vm, ByteArray *array, TextSpan with, int64_t start, int64_t step,
                         int64_t count) {
    if (step == 1) return splice(vm, array, (size_t)start, (size_t)count, with);
    if (with.size != (size_t)count) {
        raise_value(vm, "attempt to assign bytes of size %zu to extended slice of size %lld",
                    with.size, (long long)count);
        return false;
    }
    uint8_t *data = data_of(array);
    if (!text_foresee(vm, (size_t)count, 1)) return false;
    for (int64_t i = 0; i < count; i++)
        data[start + i * step] = (uint8_t)with.data[i];
    return true;
}

static Value setitem(GenVM *vm, Value self, Value key, Value value) {
    if (!is_kind(key, TYPE_SLICE)) return set_index(vm, self, key, value);
    ByteArray *array = array_of(self);
    int64_t start, stop, step, count;
    TextSpan with;
    Leaf leaf = slice_indices(vm, key, (int64_t)array->size, &start, &stop, &step, &count);
    if (leaf == LEAF_TRUE && value != VALUE_UNSET) leaf = take_assigned(vm, self, value, &with);
    if (leaf == LEAF_SCRIPT)
        return value == VALUE_UNSET ? native_twin(vm, TWIN_BYTEARRAY_DELETE, 2, self, key)
                                    : native_twin(vm, TWIN_BYTEARRAY_ASSIGN, 3, self, key, value);
    if (leaf == LEAF_ERROR || !text_charge(vm, array->size)) return VALUE_ERROR;
    bool done;
    if (value != VALUE_UNSET)
        done = assign_slice(vm, array, with, start, step, count);
    else if (step == 1)
        done = splice(vm, array, (size_t)start, (size_t)count, (TextSpan){"", 0});
    else
        done = count == 0 || delete_stepped(vm, array, start, step, count);
    if (done) return VALUE_NONE;
    Value again[2] = {key, value};
    return value == VALUE_UNSET ? failed(vm, self, "__delitem__", 1, again)
                                : failed(vm, self, "__setitem__", 2, again);
}

/* ---- operators ---- */

static Value add_inplace(GenVM *vm, Value left, Value right) {
    TextSpan span;
    if (!bytes_find_span(vm, right, &span)) {
        if (text_defers_to(vm, right, SP_RADD)) return VALUE_NOT_IMPLEMENTED;
        return raise_type(vm, "can't concat %T to %T", right, left);
    }
    if (left == right && span.size) { /* the right operand counts as a view of the array */
        raise_error(vm, EXC_BUFFER_ERROR, "Existing exports of data: object cannot be re-sized");
        return VALUE_ERROR;
    }
    if (extend_with(vm, array_of(left), span)) return left;
    return failed(vm, left, "__iadd__", 1, &right);
}

static Value multiply_inplace(GenVM *vm, Value left, Value right) {
    int64_t times;
    Leaf leaf = text_factor(vm, right, &times);
    if (leaf == LEAF_FALSE) return VALUE_NOT_IMPLEMENTED;
    if (leaf == LEAF_SCRIPT) return native_twin(vm, TWIN_TEXT_REPEAT_INPLACE, 2, left, right);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    Value repeated = bytes_repeat(vm, left, times);
    if (repeated == VALUE_ERROR) return repeated;
    ByteArray *array = array_of(left);
    if (splice(vm, array, 0, array->size, span_of(array_of(repeated)))) return left;
    return failed(vm, left, "__imul__", 1, &right);
}

static Value inplace(GenVM *vm, BinaryOp op, Value left, Value right) {
    if (op == BINARY_ADD) return add_inplace(vm, left, right);
    return op == BINARY_MUL ? multiply_inplace(vm, left, right) : VALUE_NOT_IMPLEMENTED;
}

/* ---- the type ---- */

static Value repr(GenVM *vm, Value v) {
    Value name = type_of(vm, v)->name;
    const char *text = str_c(vm, name);
    if (!text) return VALUE_ERROR;
    Value inner = bytes_repr_of(vm, span_of(array_of(v)), true);
    return inner == VALUE_ERROR ? inner : str_format(vm, "%s(%S)", text, inner);
}

static Value iter(GenVM *vm, Value v) {
    return bytes_iterator_new(vm, TYPE_BYTEARRAY_ITERATOR, v);
}
static void trace(GenVM *vm, Object *object) {
    gc_mark_pointer(vm, ((ByteArray *)object)->buffer);
}

static const NativeDef construct_def = {
    "bytearray(cls, source: object = ?, encoding: str = ?, errors: str = ?)", construct,
    "Make a mutable array of bytes of a size, an iterable of ints, a bytes-like object or a str."};

static const NativeDef methods[] = {
#define METHOD(function, signature, doc) {signature, bytes_method_##function, doc},
#include "vm/objects/bytes_methods.def"
#undef METHOD
    {"append(self, item, /)", append, "Append a single item to the end."},
    {"clear(self, /)", clear, "Remove all items."},
    {"copy(self, /)", copy, "Return a copy."},
    {"extend(self, iterable_of_ints, /)", extend,
     "Append all the items from the iterator or sequence."},
    {"insert(self, index: size, item, /)", insert, "Insert a single item before the given index."},
    {"pop(self, index: size = -1, /)", pop,
     "Remove and return a single item at index, the last by default."},
    {"remove(self, value, /)", remove_byte, "Remove the first occurrence of a value."},
    {"resize(self, size: size, /)", resize_method,
     "Change the size: zeros are added or bytes cut off."},
    {"reverse(self, /)", reverse, "Reverse the order of the values in place."},
    {"static __new__(cls, *args, **kwargs)", new, "Create a new object."},
    {"__init__(self, source: object = ?, encoding: str = ?, errors: str = ?)", init, NULL},
    {"__alloc__(self, /)", alloc, "Return the number of bytes actually allocated."},
    {"__reduce__(self, /)", reduce, "Return state information for pickling."},
    {NULL, NULL, NULL},
};

const BuiltinType bytearray_type = {
    .name = "bytearray",
    .base = TYPE_OBJECT,
    .flags = TYPE_UNHASHABLE | TYPE_MATCH_SELF,
    .size = sizeof(ByteArray),
    .doc = "A mutable sequence of bytes.",
    .construct = &construct_def,
    .methods = methods,
    .slots =
        {
            .repr = repr,
            .truth = bytes_truth,
            .len = bytes_len,
            .getitem = bytes_getitem,
            .setitem = setitem,
            .contains = bytes_contains,
            .iter = iter,
            .binary = bytes_binary,
            .inplace = inplace,
            .compare = bytes_compare,
            .trace = trace,
        },
};

const BuiltinType bytearray_iterator_type = {
    .name = "bytearray_iterator",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(ListIterator),
    .methods = bytes_iterator_methods,
    .slots = {.iter = bytes_iterator_self,
              .next = bytes_iterator_next,
              .trace = bytes_iterator_trace},
};
