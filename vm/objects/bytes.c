/* bytes.c - the type bytes: immutable bytes that lie in the object itself, followed by a NUL. Also
 * what bytes and bytearray share below their methods: making from any source, repr, comparing,
 * views on other objects' bytes.
 */
#include "vm/objects/text.h"

/* ---- making ---- */

static Bytes *fill_header(Bytes *bytes, size_t size) {
    if (!bytes) return NULL;
    bytes->hash = 0;
    bytes->size = size;
    bytes->data[size] = 0;
    return bytes;
}

Bytes *bytes_alloc(GenVM *vm, size_t size) {
    return fill_header(gc_new_raw(vm, sizeof(Bytes) + size + 1, TYPE_BYTES), size);
}

Value bytes_new(GenVM *vm, const void *data, size_t size) {
    if (size == 0) return vm->empty_bytes;
    Bytes *bytes = bytes_alloc(vm, size);
    if (!bytes) return VALUE_ERROR;
    if (data)
        memcpy(bytes->data, data, size);
    else
        memset(bytes->data, 0, size);
    return object_value(bytes);
}

Value bytes_work(GenVM *vm, const void *data, size_t size) {
    Bytes *bytes = bytes_alloc(vm, size);
    bool whole = bytes && (data ? native_copy(vm, bytes->data, data, size)
                                : native_fill(vm, bytes->data, 0, size));
    return whole ? object_value(bytes) : VALUE_ERROR;
}

Value bytes_exact(GenVM *vm, Value v) {
    return is_exact(v, TYPE_BYTES) ? v : bytes_new(vm, AS(Bytes, v)->data, AS(Bytes, v)->size);
}

Value bytes_of_class(GenVM *vm, Type *cls, Value v) {
    if (cls->id == TYPE_BYTES) return bytes_exact(vm, v);
    Bytes *from = AS(Bytes, v);
    Bytes *bytes =
        fill_header(gc_new_of(vm, sizeof(Bytes) + from->size + 1, TYPE_BYTES, cls), from->size);
    if (!bytes) return VALUE_ERROR;
    memcpy(bytes->data, from->data, from->size);
    return object_value(bytes);
}

Value bytes_like(GenVM *vm, Value self, const void *data, size_t size) {
    return is_kind(self, TYPE_BYTES) ? bytes_new(vm, data, size) : bytearray_new(vm, data, size);
}

Value bytes_like_work(GenVM *vm, Value self, const void *data, size_t size) {
    if (size == 0) return bytes_like(vm, self, NULL, 0);
    return is_kind(self, TYPE_BYTES) ? bytes_work(vm, data, size) : bytearray_work(vm, data, size);
}

/* ---- seeing other objects' bytes ---- */

bool bytes_view(GenVM *vm, Value v, const uint8_t **data, size_t *size) {
    if (is_kind(v, TYPE_BYTES) || is_kind(v, TYPE_BYTEARRAY)) {
        *data = (const uint8_t *)bytes_data(v, size);
        return true;
    }
    return is_kind(v, TYPE_MEMORYVIEW) && memoryview_bytes(vm, v, data, size);
}

bool bytes_find_span(GenVM *vm, Value v, TextSpan *span) {
    const uint8_t *data;
    if (!bytes_view(vm, v, &data, &span->size)) return false;
    span->data = (const char *)data;
    return true;
}

bool bytes_take_span(GenVM *vm, Value v, TextSpan *span) {
    if (bytes_find_span(vm, v, span)) return true;
    if (is_kind(
            v,
            TYPE_MEMORYVIEW)) { /* a copy of the items tells which: released, or not contiguous */
        if (memoryview_to_bytes(vm, v) != VALUE_ERROR)
            raise_error(vm, EXC_BUFFER_ERROR, "memoryview: underlying buffer is not C-contiguous");
        return false;
    }
    raise_type(vm, "a bytes-like object is required, not '%T'", v);
    return false;
}

/* ---- bytes of a source: what bytes(...) and bytearray(...) accept ---- */

Leaf bytes_byte_from(GenVM *vm, Value v, const char *range_message, uint8_t *byte) {
    int64_t i;
    if (!value_is_intlike(v)) {
        if (text_has_index(vm, v)) return LEAF_SCRIPT;
        raise_type(vm, "'%T' object cannot be interpreted as an integer", v);
        return LEAF_ERROR;
    }
    if (!int_to_i64(v, &i) || i < 0 || i > 255) {
        raise_value(vm, "%s", range_message);
        return LEAF_ERROR;
    }
    *byte = (uint8_t)i;
    return LEAF_TRUE;
}

/* The bytes whose values the items of a list or tuple are. */
Leaf bytes_from_items(GenVM *vm, const Value *items, uint64_t count, const char *range_message,
                      Value *out) {
    if (!native_work(vm, count / 8)) return LEAF_ERROR;
    Bytes *bytes = bytes_alloc(vm, count);
    if (!bytes) return LEAF_ERROR;
    for (uint64_t i = 0; i < count; i++) {
        Leaf leaf = bytes_byte_from(vm, items[i], range_message, &bytes->data[i]);
        if (leaf != LEAF_TRUE) return leaf;
        if (!native_glance(vm, i)) return LEAF_ERROR;
    }
    *out = object_value(bytes);
    return LEAF_TRUE;
}

static Leaf encode_source(GenVM *vm, Value source, Value encoding, Value errors, Value *out) {
    if (encoding == VALUE_UNSET) {
        raise_type(vm, "string argument without an encoding");
        return LEAF_ERROR;
    }
    const char *name = str_c_whole(vm, encoding), *handler;
    if (!name || !str_c_or_none(vm, errors, &handler)) return LEAF_ERROR;
    if (codec_needs_script(name, handler ? handler : "strict")) return LEAF_SCRIPT;
    *out = codec_encode(vm, source, name, handler);
    return *out == VALUE_ERROR ? LEAF_ERROR : LEAF_TRUE;
}

static Leaf zeros(GenVM *vm, Value count, Value *out) {
    int64_t size;
    if (!int_to_i64(count, &size)) {
        raise_overflow(vm, "cannot fit '%T' into an index-sized integer", count);
        return LEAF_ERROR;
    }
    if (size < 0) {
        raise_value(vm, "negative count");
        return LEAF_ERROR;
    }
    if (!gc_check_size(vm, (uint64_t)size)) return LEAF_ERROR;
    *out = size ? bytes_work(vm, NULL, (size_t)size) : vm->empty_bytes;
    return *out == VALUE_ERROR ? LEAF_ERROR : LEAF_TRUE;
}

/* args: source, encoding, errors as the constructors have them. LEAF_SCRIPT: __index__, __bytes__,
 * iteration, or a codec that is written in Gen. */
Leaf bytes_from_source(GenVM *vm, const Value *args, const char *range_message, Value *out) {
    Value source = args[0];
    uint64_t count;
    TextSpan span;
    if (source != VALUE_UNSET && value_is_str(source))
        return encode_source(vm, source, args[1], args[2], out);
    if (args[1] != VALUE_UNSET || args[2] != VALUE_UNSET) {
        raise_type(vm, "%s without a string argument",
                   args[1] != VALUE_UNSET ? "encoding" : "errors");
        return LEAF_ERROR;
    }
    *out = vm->empty_bytes;
    if (source == VALUE_UNSET) return LEAF_TRUE;
    if (value_is_intlike(source)) return zeros(vm, source, out);
    const Value *items = text_items(source, &count);
    if (items) return bytes_from_items(vm, items, count, range_message, out);
    if (is_kind(source, TYPE_MEMORYVIEW)) {
        *out = memoryview_to_bytes(vm, source);
        return *out == VALUE_ERROR ? LEAF_ERROR : LEAF_TRUE;
    }
    if (type_special(vm, source, SP_BYTES) != VALUE_UNSET || !bytes_find_span(vm, source, &span))
        return LEAF_SCRIPT;
    *out = is_exact(source, TYPE_BYTES) ? source
           : span.size                  ? bytes_work(vm, span.data, span.size)
                                        : vm->empty_bytes;
    return *out == VALUE_ERROR ? LEAF_ERROR : LEAF_TRUE;
}

Value bytes_source_twin(GenVM *vm, Twin twin, const Value *args) {
    Value encoding = args[2] == VALUE_UNSET ? VALUE_NONE : args[2];
    Value errors = args[3] == VALUE_UNSET ? VALUE_NONE : args[3];
    return native_twin(vm, twin, 4, args[0], args[1], encoding, errors);
}

static Value construct(GenVM *vm, Value *args) {
    Value data;
    bool alone = args[1] != VALUE_UNSET && args[2] == VALUE_UNSET && args[3] == VALUE_UNSET;
    if (alone && !type_of(vm, args[1])->is_builtin &&
        type_special(vm, args[1], SP_BYTES) != VALUE_UNSET)
        return bytes_source_twin(vm, TWIN_BYTES_NEW, args);
    switch (bytes_from_source(vm, args + 1, "bytes must be in range(0, 256)", &data)) {
    case LEAF_TRUE: return bytes_of_class(vm, type_from(args[0]), data);
    case LEAF_SCRIPT: return bytes_source_twin(vm, TWIN_BYTES_NEW, args);
    case LEAF_FALSE:
    case LEAF_ERROR: break;
    }
    return VALUE_ERROR;
}

/* ---- repr ---- */

/* With `escape_single`, as bytearray has it, single quotes are escaped and double ones never are.
 */
Value bytes_repr_of(GenVM *vm, TextSpan span, bool escape_single) {
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    char quote =
        memchr(span.data, '\'', span.size) && !memchr(span.data, '"', span.size) ? '"' : '\'';
    StrBuilder builder;
    builder_init_work(&builder, vm);
    builder_put_byte(&builder, 'b');
    builder_put_byte(&builder, quote);
    for (size_t i = 0; i < span.size && !builder.failed; i++) {
        unsigned char c = (unsigned char)span.data[i];
        if (c == (unsigned char)(escape_single ? '\'' : quote) || c == '\\') {
            builder_put_byte(&builder, '\\');
            builder_put_byte(&builder, (char)c);
        } else if (c == '\n' || c == '\r' || c == '\t') {
            builder_put_c(&builder, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        } else if (c < ' ' || c >= 0x7F) {
            char escape[] = {'\\', 'x', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};
            builder_put(&builder, escape, sizeof escape);
        } else {
            builder_put_byte(&builder, (char)c);
        }
    }
    builder_put_byte(&builder, quote);
    return builder_finish(&builder);
}

static TextSpan span_of(Value v) {
    TextSpan span;
    span.data = bytes_data(v, &span.size);
    return span;
}

static Value repr(GenVM *vm, Value v) {
    return bytes_repr_of(vm, span_of(v), false);
}

/* ---- slots shared with bytearray ---- */

Value bytes_truth(GenVM *vm, Value v) {
    (void)vm;
    return bool_value(span_of(v).size != 0);
}

Value bytes_len(GenVM *vm, Value v) {
    (void)vm;
    return int_value((int64_t)span_of(v).size);
}

static Value stepped(GenVM *vm, Value v, int64_t start, int64_t step, int64_t count) {
    if (!text_charge(vm, (size_t)count)) return VALUE_ERROR;
    Value result = bytes_like_work(vm, v, NULL, (size_t)count);
    if (result == VALUE_ERROR || count == 0) return result;
    size_t size;
    char *out = (char *)bytes_data(result, &size);
    const char *data = span_of(v).data;
    if (step == -1) {
        bool done = native_reverse(vm, out, data + start + 1 - count, (size_t)count);
        return done ? result : VALUE_ERROR;
    }
    for (int64_t i = 0; i < count; i++) {
        if (!native_glance(vm, (uint64_t)i)) return VALUE_ERROR;
        out[i] = data[start + i * step]; /* a step behind the last one could overflow */
    }
    return result;
}

Value bytes_getitem(GenVM *vm, Value v, Value key) {
    TextSpan span = span_of(v);
    int64_t start, stop, step, count;
    if (is_kind(key, TYPE_SLICE)) {
        Leaf leaf = slice_indices(vm, key, (int64_t)span.size, &start, &stop, &step, &count);
        if (leaf == LEAF_SCRIPT) return native_twin(vm, TWIN_TEXT_GETITEM, 2, v, key);
        if (leaf == LEAF_ERROR) return VALUE_ERROR;
        if (step != 1) return stepped(vm, v, start, step, count);
        if ((size_t)count == span.size && is_exact(v, TYPE_BYTES)) return v;
        return bytes_like_work(vm, v, span.data + start, (size_t)count);
    }
    bool is_bytes = is_kind(v, TYPE_BYTES);
    Leaf leaf = text_index(vm, key, (int64_t)span.size,
                           is_bytes ? "index out of range" : "bytearray index out of range",
                           is_bytes ? "byte indices must be integers or slices, not %T"
                                    : "bytearray indices must be integers or slices, not %T",
                           &start);
    if (likely(leaf == LEAF_TRUE)) return int_value((unsigned char)span.data[start]);
    return leaf == LEAF_SCRIPT ? native_twin(vm, TWIN_TEXT_GETITEM, 2, v, key) : VALUE_ERROR;
}

Value bytes_contains(GenVM *vm, Value v, Value item) {
    TextSpan span = span_of(v), part;
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    if (bytes_find_span(vm, item, &part)) {
        size_t at = text_find(vm, span.data, span.size, part.data, part.size);
        if (at != TEXT_NOT_FOUND) return VALUE_TRUE;
        return text_search_failed(vm) ? VALUE_ERROR : VALUE_FALSE;
    }
    uint8_t byte;
    if (!value_is_intlike(item)) {
        if (text_has_index(vm, item)) return native_twin(vm, TWIN_BYTES_CONTAINS, 2, v, item);
        return raise_type(vm, "a bytes-like object is required, not '%T'", item);
    }
    if (bytes_byte_from(vm, item, "byte must be in range(0, 256)", &byte) != LEAF_TRUE)
        return VALUE_ERROR;
    return bool_value(memchr(span.data, byte, span.size) != NULL);
}

Value bytes_compare(GenVM *vm, CompareOp op, Value left, Value right) {
    TextSpan a, b;
    bool order_views = op != COMPARE_EQ && op != COMPARE_NE && !is_kind(left, TYPE_BYTES) &&
                       !is_kind(right, TYPE_BYTES);
    if (!order_views && (is_kind(left, TYPE_MEMORYVIEW) || is_kind(right, TYPE_MEMORYVIEW)))
        return VALUE_NOT_IMPLEMENTED;
    if (!bytes_find_span(vm, left, &a) || !bytes_find_span(vm, right, &b))
        return VALUE_NOT_IMPLEMENTED;
    if ((op == COMPARE_EQ || op == COMPARE_NE) && a.size != b.size)
        return bool_value(op == COMPARE_NE);
    native_spend(vm, (a.size < b.size ? a.size : b.size) / 1024);
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    if (!order) order = (a.size > b.size) - (a.size < b.size);
    switch (op) {
    case COMPARE_LT: return bool_value(order < 0);
    case COMPARE_LE: return bool_value(order <= 0);
    case COMPARE_EQ: return bool_value(order == 0);
    case COMPARE_NE: return bool_value(order != 0);
    case COMPARE_GT: return bool_value(order > 0);
    case COMPARE_GE: return bool_value(order >= 0);
    }
    return VALUE_NOT_IMPLEMENTED;
}

static Value concat(GenVM *vm, Value left, Value right) {
    TextSpan a = span_of(left), b;
    if (!bytes_find_span(vm, right, &b)) {
        if (text_defers_to(vm, right, SP_RADD)) return VALUE_NOT_IMPLEMENTED;
        return raise_type(vm, "can't concat %T to %T", right, left);
    }
    if (a.size == 0 && is_exact(left, TYPE_BYTES) && is_exact(right, TYPE_BYTES)) return right;
    if (b.size == 0 && is_exact(left, TYPE_BYTES)) return left;
    if (!gc_check_size(vm, a.size + b.size)) return VALUE_ERROR;
    Value result = bytes_like_work(vm, left, NULL, a.size + b.size);
    if (result == VALUE_ERROR || a.size + b.size == 0) return result;
    size_t size;
    char *out = (char *)bytes_data(result, &size);
    bool copied =
        native_copy(vm, out, a.data, a.size) && native_copy(vm, out + a.size, b.data, b.size);
    return copied ? result : VALUE_ERROR;
}

Value bytes_repeat(GenVM *vm, Value v, int64_t times) {
    TextSpan span = span_of(v);
    if (times < 0) times = 0;
    if (times == 1 && is_exact(v, TYPE_BYTES)) return v;
    size_t total;
    if (__builtin_mul_overflow(span.size, (size_t)times, &total) || total > INT64_MAX / 2)
        return raise_memory(vm);
    if (!gc_check_size(vm, total) || !native_work(vm, total / 64)) return VALUE_ERROR;
    Value result = bytes_like_work(vm, v, NULL, total);
    if (result == VALUE_ERROR || total == 0) return result;
    size_t size;
    char *out = (char *)bytes_data(result, &size);
    bool copied =
        native_copy(vm, out, span.data, span.size) && native_repeat(vm, out, span.size, total);
    return copied ? result : VALUE_ERROR;
}

static Value multiply(GenVM *vm, Value v, Value factor) {
    int64_t times;
    switch (text_factor(vm, factor, &times)) {
    case LEAF_TRUE: return bytes_repeat(vm, v, times);
    case LEAF_FALSE: return VALUE_NOT_IMPLEMENTED;
    case LEAF_SCRIPT: return native_twin(vm, TWIN_TEXT_REPEAT, 2, v, factor);
    case LEAF_ERROR: break;
    }
    return VALUE_ERROR;
}

Value bytes_binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    bool is_left = is_kind(left, TYPE_BYTES) || is_kind(left, TYPE_BYTEARRAY);
    if (op == BINARY_ADD && is_left) return concat(vm, left, right);
    if (op == BINARY_MUL) return is_left ? multiply(vm, left, right) : multiply(vm, right, left);
    if (op == BINARY_MOD && is_left) return bytes_format_percent(vm, left, right);
    return VALUE_NOT_IMPLEMENTED;
}

/* ---- the type ---- */

static Value hash(GenVM *vm, Value v) {
    Bytes *bytes = AS(Bytes, v);
    if (!bytes->hash) bytes->hash = text_hash(vm, bytes->data, bytes->size);
    return int_value((int64_t)bytes->hash);
}

static Value iter(GenVM *vm, Value v) {
    return bytes_iterator_new(vm, TYPE_BYTES_ITERATOR, v);
}

static const NativeDef construct_def = {
    "bytes(cls, source: object = ?, encoding: str = ?, errors: str = ?)", construct,
    "Make bytes of a size, an iterable of ints, a bytes-like object or a str."};

const BuiltinType bytes_type = {
    .name = "bytes",
    .base = TYPE_OBJECT,
    .flags = TYPE_MATCH_SELF,
    .size = sizeof(Bytes),
    .doc = "An immutable sequence of bytes.",
    .construct = &construct_def,
    .methods = bytes_methods,
    .slots =
        {
            .repr = repr,
            .hash = hash,
            .truth = bytes_truth,
            .len = bytes_len,
            .getitem = bytes_getitem,
            .contains = bytes_contains,
            .iter = iter,
            .binary = bytes_binary,
            .compare = bytes_compare,
        },
};

/* ---- iterators of bytes and bytearray: a container and a position ---- */

Value bytes_iterator_new(GenVM *vm, TypeId kind, Value container) {
    ListIterator *iterator = gc_new(vm, sizeof *iterator, kind);
    if (!iterator) return VALUE_ERROR;
    iterator->container = container;
    return object_value(iterator);
}

Value bytes_iterator_self(GenVM *vm, Value v) {
    (void)vm;
    return v;
}

Value bytes_iterator_next(GenVM *vm, Value v) {
    (void)vm;
    ListIterator *iterator = AS(ListIterator, v);
    if (iterator->container == VALUE_UNSET) return VALUE_END;
    TextSpan span = span_of(iterator->container);
    if ((size_t)iterator->index < span.size)
        return int_value((unsigned char)span.data[iterator->index++]);
    iterator->container = VALUE_UNSET;
    return VALUE_END;
}

static Value iterator_length_hint(GenVM *vm, Value *args) {
    (void)vm;
    ListIterator *iterator = AS(ListIterator, args[0]);
    if (iterator->container == VALUE_UNSET) return int_value(0);
    int64_t left = (int64_t)span_of(iterator->container).size - iterator->index;
    return int_value(left < 0 ? 0 : left);
}

static Value iterator_reduce(GenVM *vm, Value *args) {
    ListIterator *iterator = AS(ListIterator, args[0]);
    bool done = iterator->container == VALUE_UNSET;
    Value function = text_builtin(vm, "iter");
    Value arguments = tuple_pack(vm, 1, done ? vm->empty_tuple : iterator->container);
    if (function == VALUE_ERROR || arguments == VALUE_ERROR) return VALUE_ERROR;
    if (done) return tuple_pack(vm, 2, function, arguments);
    return tuple_pack(vm, 3, function, arguments, int_value(iterator->index));
}

static Value iterator_setstate(GenVM *vm, Value *args) {
    (void)vm;
    ListIterator *iterator = AS(ListIterator, args[0]);
    if (iterator->container == VALUE_UNSET) return VALUE_NONE;
    int64_t index = as_int(args[1]), size = (int64_t)span_of(iterator->container).size;
    iterator->index = index < 0 ? 0 : index > size ? size : index;
    return VALUE_NONE;
}

void bytes_iterator_trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((ListIterator *)object)->container);
}

const NativeDef bytes_iterator_methods[] = {
    {"__length_hint__(self, /)", iterator_length_hint,
     "Private method returning an estimate of len(list(it))."},
    {"__reduce__(self, /)", iterator_reduce, "Return state information for pickling."},
    {"__setstate__(self, state: index, /)", iterator_setstate,
     "Set state information for unpickling."},
    {NULL, NULL, NULL},
};

const BuiltinType bytes_iterator_type = {
    .name = "bytes_iterator",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(ListIterator),
    .methods = bytes_iterator_methods,
    .slots = {.iter = bytes_iterator_self,
              .next = bytes_iterator_next,
              .trace = bytes_iterator_trace},
};
