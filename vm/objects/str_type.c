/* str_type.c - the type str as scripts see it: repr, operators, subscripts, str(...), and its
 * iterator. */
#include "vm/objects/text.h"

/* ---- repr ---- */

static char repr_quote(const Str *str) {
    if (!memchr(str->data, '\'', str->size) || memchr(str->data, '"', str->size)) return '\'';
    return '"';
}

static bool is_plain(unsigned char c, char quote) {
    return c >= ' ' && c < 0x7F && c != '\\' && c != (unsigned char)quote;
}

static void put_escaped(StrBuilder *builder, uint32_t c, char quote) {
    if (c == (unsigned char)quote || c == '\\') {
        builder_put_byte(builder, '\\');
        builder_put_byte(builder, (char)c);
    } else if (c == '\n' || c == '\r' || c == '\t') {
        builder_put_c(builder, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    } else if (c < 0x80 || !char_is_printable(c)) {
        builder_put_format(builder, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
    } else {
        builder_put_char(builder, c);
    }
}

/* ASCII text in which nothing is escaped and no quote stands. */
static bool is_plain_text(const Str *str) {
    if (!str_is_ascii(str)) return false;
    for (uint32_t i = 0; i < str->size; i++)
        if (str->data[i] == '\'' || !is_plain((unsigned char)str->data[i], '"')) return false;
    return true;
}

static Value quoted(GenVM *vm, const Str *str) {
    Str *result = str_alloc(vm, str->size + 2ull, str->length + 2, STR_ASCII);
    if (unlikely(!result)) return VALUE_ERROR;
    char *out = (char *)(result + 1);
    out[0] = out[1 + str->size] = '\'';
    return native_copy(vm, out + 1, str->data, str->size) ? object_value(result) : VALUE_ERROR;
}

Value str_repr(GenVM *vm, Value v) {
    const Str *str = AS_STR(v);
    if (!text_charge(vm, str->size) || !text_foresee(vm, str->size, 1)) return VALUE_ERROR;
    if (is_plain_text(str)) return quoted(vm, str);
    char quote = repr_quote(str);
    StrBuilder builder;
    builder_init_work(&builder, vm);
    builder_put_byte(&builder, quote);
    for (const char *at = str->data, *end = at + str->size; at < end && !builder.failed;) {
        const char *run = at;
        while (at < end && is_plain((unsigned char)*at, quote))
            at++;
        builder_put(&builder, run, (size_t)(at - run));
        if (at < end) put_escaped(&builder, utf8_take(&at), quote);
    }
    builder_put_byte(&builder, quote);
    return builder_finish(&builder);
}

/* ---- slots ---- */

static Value hash(GenVM *vm, Value v) {
    return int_value((int64_t)str_hash(vm, v));
}

static Value truth(GenVM *vm, Value v) {
    (void)vm;
    return bool_value(AS_STR(v)->size != 0);
}

static Value len(GenVM *vm, Value v) {
    (void)vm;
    return int_value(AS_STR(v)->length);
}

/* Where code point `target` lies, which is `step` from the one at `at`: near ones are walked to. */
static const char *moved(GenVM *vm, Str *str, const char *at, int64_t target, int64_t step) {
    if (step > 16 || step < -16) return str->data + str_offset(vm, str, target);
    for (; step > 0; step--)
        at += utf8_lead_width(*at);
    for (; step < 0; step++)
        utf8_take_back(&at);
    return at;
}

/* Every step-th code point. */
static Value stepped(GenVM *vm, Str *str, int64_t start, int64_t step, int64_t count) {
    if (!text_charge(vm, (size_t)count)) return VALUE_ERROR;
    if (str_is_ascii(str)) {
        if (count <= 1)
            return count ? vm->characters[(unsigned char)str->data[start]] : vm->empty_str;
        Str *result = str_alloc(vm, (size_t)count, (uint32_t)count, STR_ASCII);
        if (!result) return VALUE_ERROR;
        char *out = (char *)result->data;
        if (step == -1) {
            bool done = native_reverse(vm, out, str->data + start + 1 - count, (size_t)count);
            return done ? object_value(result) : VALUE_ERROR;
        }
        for (int64_t i = 0; i < count; i++) {
            if (!native_glance(vm, (uint64_t)i)) return VALUE_ERROR;
            out[i] = str->data[start + i * step];
        }
        return object_value(result);
    }
    StrBuilder builder;
    builder_init_work(&builder, vm);
    const char *at = str->data + (count ? str_offset(vm, str, start) : 0);
    for (int64_t i = 0; i < count && !builder.failed; i++) {
        builder_put(&builder, at, utf8_lead_width(*at));
        if (i + 1 < count) at = moved(vm, str, at, start += step, step);
    }
    return builder_finish(&builder);
}

static Value getitem(GenVM *vm, Value v, Value key) {
    Str *str = AS_STR(v);
    int64_t start, stop, step, count;
    if (is_kind(key, TYPE_SLICE)) {
        Leaf leaf = slice_indices(vm, key, str->length, &start, &stop, &step, &count);
        if (leaf == LEAF_SCRIPT) return native_twin(vm, TWIN_TEXT_GETITEM, 2, v, key);
        if (leaf == LEAF_ERROR) return VALUE_ERROR;
        return step == 1 ? str_slice(vm, v, start, start + count)
                         : stepped(vm, str, start, step, count);
    }
    Leaf leaf = text_index(vm, key, str->length, "string index out of range",
                           "string indices must be integers, not '%T'", &start);
    if (likely(leaf == LEAF_TRUE)) return str_char_at(vm, str, start);
    return leaf == LEAF_SCRIPT ? native_twin(vm, TWIN_TEXT_GETITEM, 2, v, key) : VALUE_ERROR;
}

static Value contains(GenVM *vm, Value v, Value item) {
    if (!value_is_str(item))
        return raise_type(vm, "'in <string>' requires string as left operand, not %T", item);
    if (!text_charge(vm, AS_STR(v)->size)) return VALUE_ERROR;
    TextSpan span = str_span(v), part = str_span(item);
    size_t at = text_find(vm, span.data, span.size, part.data, part.size);
    if (at != TEXT_NOT_FOUND) return VALUE_TRUE;
    return text_search_failed(vm) ? VALUE_ERROR : VALUE_FALSE;
}

static Value multiply(GenVM *vm, Value str, Value factor) {
    int64_t times;
    switch (text_factor(vm, factor, &times)) {
    case LEAF_TRUE: return str_repeat(vm, str, times);
    case LEAF_FALSE: return VALUE_NOT_IMPLEMENTED;
    case LEAF_SCRIPT: return native_twin(vm, TWIN_TEXT_REPEAT, 2, str, factor);
    case LEAF_ERROR: break;
    }
    return VALUE_ERROR;
}

static Value binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    bool is_left = value_is_str(left);
    if (op == BINARY_ADD && is_left) {
        if (value_is_str(right)) return str_concat(vm, left, right);
        if (text_defers_to(vm, right, SP_RADD)) return VALUE_NOT_IMPLEMENTED;
        return raise_type(vm, "can only concatenate str (not \"%T\") to str", right);
    }
    if (op == BINARY_MUL) return is_left ? multiply(vm, left, right) : multiply(vm, right, left);
    if (op == BINARY_MOD && is_left) return format_percent(vm, left, right);
    return VALUE_NOT_IMPLEMENTED;
}

static Value compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if (!value_is_str(left) || !value_is_str(right)) return VALUE_NOT_IMPLEMENTED;
    if (op == COMPARE_EQ) return bool_value(str_equal_charged(vm, left, right));
    if (op == COMPARE_NE) return bool_value(!str_equal_charged(vm, left, right));
    int order = str_order_charged(vm, left, right);
    switch (op) {
    case COMPARE_LT: return bool_value(order < 0);
    case COMPARE_LE: return bool_value(order <= 0);
    case COMPARE_GT: return bool_value(order > 0);
    default: return bool_value(order >= 0);
    }
}

static Value iter(GenVM *vm, Value v) {
    TypeId kind = str_is_ascii(AS_STR(v)) ? TYPE_STR_ASCII_ITERATOR : TYPE_STR_ITERATOR;
    ListIterator *iterator = gc_new(vm, sizeof *iterator, kind);
    if (!iterator) return VALUE_ERROR;
    iterator->container = v;
    return object_value(iterator);
}

/* ---- str(object, encoding, errors) ---- */

static Value decoded(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    if (value_is_str(args[1])) return raise_type(vm, "decoding str is not supported");
    if (!bytes_view(vm, args[1], &data, &size))
        return raise_type(vm, "decoding to str: need a bytes-like object, %T found", args[1]);
    const char *encoding, *errors;
    if (!str_c_or_none(vm, args[2], &encoding) || !str_c_or_none(vm, args[3], &errors))
        return VALUE_ERROR;
    if (!size) return vm->empty_str; /* nobody looks at the encoding then */
    if (codec_needs_script(encoding, errors))
        return native_twin(vm, TWIN_DECODE_TEXT, 3, args[1],
                           encoding ? args[2] : str_from(vm, "utf-8"),
                           errors ? args[3] : str_from(vm, "strict"));
    return codec_decode(vm, data, size, encoding, errors);
}

static Value construct(GenVM *vm, Value *args) {
    Type *cls = type_from(args[0]);
    Value text;
    if (args[1] == VALUE_UNSET) {
        text = vm->empty_str;
    } else if (args[2] == VALUE_UNSET && args[3] == VALUE_UNSET) {
        text = value_str(vm, args[1]);
        if (text == VALUE_TAIL && cls->id != TYPE_STR) {
            native_drop_tail(vm);
            return native_twin(vm, TWIN_STR_NEW, 2, args[0], args[1]);
        }
    } else {
        text = decoded(vm, args);
    }
    if (text == VALUE_ERROR || text == VALUE_TAIL) return text;
    return cls->id == TYPE_STR ? text : str_of_class(vm, cls, text);
}

/* str(x) of the types that it is called with most. */
static Value construct_fast(GenVM *vm, const Value *args, uint32_t count) {
    if (count != 2 || args[0] != object_value(vm->types[TYPE_STR])) return VALUE_UNSET;
    if (is_int(args[1])) return int_repr(vm, args[1]);
    return is_exact(args[1], TYPE_STR) ? args[1] : VALUE_UNSET;
}

static const NativeDef str_construct_def = {
    "str(cls, object: object = ?, encoding: str = ?, errors: str = ?)", construct,
    "Create a string from an object, or decode a bytes-like object by encoding and errors."};

static Value to_str(GenVM *vm, Value v) {
    return str_exact(vm, v);
}

const BuiltinType str_type = {
    .name = "str",
    .base = TYPE_OBJECT,
    .flags = TYPE_MATCH_SELF,
    .size = sizeof(Str),
    .doc = "Text: an immutable sequence of Unicode code points.",
    .construct = &str_construct_def,
    .construct_fast = construct_fast,
    .methods = str_methods,
    .fast_methods = str_fast_methods,
    .slots =
        {
            .repr = str_repr,
            .str = to_str,
            .format = format_str_spec,
            .hash = hash,
            .truth = truth,
            .len = len,
            .getitem = getitem,
            .contains = contains,
            .iter = iter,
            .binary = binary,
            .compare = compare,
            .trace = str_trace,
        },
};

/* ---- the iterator: `index` is a byte offset ---- */

static Value iterator_self(GenVM *vm, Value v) {
    (void)vm;
    return v;
}

static Value iterator_next(GenVM *vm, Value v) {
    ListIterator *iterator = AS(ListIterator, v);
    if (iterator->container == VALUE_UNSET) return VALUE_END;
    Str *str = AS_STR(iterator->container);
    if (iterator->index >= str->size) {
        iterator->container = VALUE_UNSET;
        return VALUE_END;
    }
    const char *start = str->data + iterator->index, *at = start;
    uint32_t c = utf8_take(&at);
    iterator->index += at - start;
    return str_from_char(vm, c);
}

static Value iterator_length_hint(GenVM *vm, Value *args) {
    (void)vm;
    ListIterator *iterator = AS(ListIterator, args[0]);
    if (iterator->container == VALUE_UNSET) return int_value(0);
    Str *str = AS_STR(iterator->container);
    size_t at = (size_t)iterator->index;
    return int_value((int64_t)text_count_chars(str->data + at, str->size - at));
}

static Value iterator_reduce(GenVM *vm, Value *args) {
    ListIterator *iterator = AS(ListIterator, args[0]);
    bool done = iterator->container == VALUE_UNSET;
    Value text = done ? vm->empty_str : iterator->container;
    Value function = text_builtin(vm, "iter"), arguments = tuple_pack(vm, 1, text);
    if (function == VALUE_ERROR || arguments == VALUE_ERROR) return VALUE_ERROR;
    if (done) return tuple_pack(vm, 2, function, arguments);
    return tuple_pack(vm, 3, function, arguments,
                      int_value(str_index_of(AS_STR(text), (size_t)iterator->index)));
}

static Value iterator_setstate(GenVM *vm, Value *args) {
    ListIterator *iterator = AS(ListIterator, args[0]);
    if (iterator->container == VALUE_UNSET) return VALUE_NONE;
    Str *str = AS_STR(iterator->container);
    int64_t index = as_int(args[1]);
    if (index < 0) index = 0;
    if (index > str->length) index = str->length;
    iterator->index = (int64_t)str_offset(vm, str, index);
    return VALUE_NONE;
}

static void iterator_trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((ListIterator *)object)->container);
}

static const NativeDef iterator_methods[] = {
    {"__length_hint__(self, /)", iterator_length_hint,
     "Private method returning an estimate of len(list(it))."},
    {"__reduce__(self, /)", iterator_reduce, "Return state information for pickling."},
    {"__setstate__(self, state: index, /)", iterator_setstate,
     "Set state information for unpickling."},
    {NULL, NULL, NULL},
};

const BuiltinType str_iterator_type = {
    .name = "str_iterator",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(ListIterator),
    .methods = iterator_methods,
    .slots = {.iter = iterator_self, .next = iterator_next, .trace = iterator_trace},
};

const BuiltinType str_ascii_iterator_type = {
    .name = "str_ascii_iterator",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(ListIterator),
    .methods = iterator_methods,
    .slots = {.iter = iterator_self, .next = iterator_next, .trace = iterator_trace},
};
