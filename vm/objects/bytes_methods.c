/* bytes_methods.c - the methods of bytes, which are also bytearray's: one implementation looks at
 * the receiver's bytes and makes results of the receiver's type. A bytearray never returns itself.
 */
#include "vm/objects/format.h"
#include "vm/objects/text.h"

#define METHOD(function, signature, doc) Value bytes_method_##function(GenVM *vm, Value *args);
#include "vm/objects/bytes_methods.def"
#undef METHOD

static TextSpan span_of(Value v) {
    TextSpan span;
    span.data = bytes_data(v, &span.size);
    return span;
}

static char *writable(Value v) {
    size_t size;
    return (char *)bytes_data(v, &size);
}

/* The receiver itself where that cannot be told from a copy. */
static Value unchanged(GenVM *vm, Value self) {
    if (is_exact(self, TYPE_BYTES)) return self;
    TextSpan span = span_of(self);
    return bytes_like_work(vm, self, span.data, span.size);
}

static Value piece(GenVM *vm, Value self, size_t offset, size_t size) {
    TextSpan span = span_of(self);
    if (size == span.size) return unchanged(vm, self);
    return bytes_like_work(vm, self, span.data + offset, size);
}

const TextKind bytes_kind = {piece, ASCII_SPACE, ASCII_NEWLINE, false};

/* What find() and its kin look for: bytes, or one byte given as an int. LEAF_SCRIPT: an int by its
 * __index__. */
static Leaf take_part(GenVM *vm, Value v, TextSpan *part, uint8_t *byte) {
    if (bytes_find_span(vm, v, part)) return LEAF_TRUE;
    if (!value_is_intlike(v)) {
        if (text_has_index(vm, v)) return LEAF_SCRIPT;
        raise_type(vm, "argument should be integer or bytes-like object, not '%T'", v);
        return LEAF_ERROR;
    }
    *part = (TextSpan){(char *)byte, 1};
    return bytes_byte_from(vm, v, "byte must be in range(0, 256)", byte);
}

/* ---- find, index, count ---- */

/* The range that args[2] and args[3] leave. False: it lies behind the end, where not even nothing
 * is found. */
static bool take_range(Value *args, TextSpan *span, size_t *start) {
    int64_t from, to;
    *span = span_of(args[0]);
    text_bounds(args[2], args[3], (int64_t)span->size, &from, &to);
    *start = (size_t)from;
    if (from > to) return false;
    *span = (TextSpan){span->data + from, (size_t)(to - from)};
    return true;
}

static Value find_any(GenVM *vm, Value *args, Name method, bool last, bool must) {
    TextSpan span, part;
    size_t start, at = TEXT_NOT_FOUND;
    uint8_t byte;
    Leaf leaf = take_part(vm, args[1], &part, &byte);
    if (leaf == LEAF_SCRIPT)
        return native_twin(vm, TWIN_BYTES_FIND, 5, args[0], name_value(vm, method), args[1],
                           args[2], args[3]);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    bool exists = take_range(args, &span, &start);
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    if (exists)
        at = last ? text_find_last(vm, span.data, span.size, part.data, part.size)
                  : text_find(vm, span.data, span.size, part.data, part.size);
    if (text_search_failed(vm)) return VALUE_ERROR;
    if (at != TEXT_NOT_FOUND) return int_value((int64_t)(start + at));
    return must ? raise_value(vm, "subsection not found") : int_value(-1);
}

Value bytes_method_find(GenVM *vm, Value *args) {
    return find_any(vm, args, NAME_find, false, false);
}
Value bytes_method_index(GenVM *vm, Value *args) {
    return find_any(vm, args, NAME_index, false, true);
}
Value bytes_method_rfind(GenVM *vm, Value *args) {
    return find_any(vm, args, NAME_rfind, true, false);
}
Value bytes_method_rindex(GenVM *vm, Value *args) {
    return find_any(vm, args, NAME_rindex, true, true);
}

Value bytes_method_count(GenVM *vm, Value *args) {
    TextSpan span, part;
    size_t start;
    uint8_t byte;
    Leaf leaf = take_part(vm, args[1], &part, &byte);
    if (leaf == LEAF_SCRIPT)
        return native_twin(vm, TWIN_BYTES_FIND, 5, args[0], name_value(vm, NAME_count), args[1],
                           args[2], args[3]);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    if (!take_range(args, &span, &start)) return int_value(0);
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    if (part.size == 0) return int_value((int64_t)span.size + 1);
    size_t count = text_count(vm, span.data, span.size, part.data, part.size, SIZE_MAX);
    return text_search_failed(vm) ? VALUE_ERROR : int_value((int64_t)count);
}

/* ---- beginnings and ends ---- */

static bool begins(TextSpan span, TextSpan part) {
    return part.size <= span.size && memcmp(span.data, part.data, part.size) == 0;
}

static bool ends(TextSpan span, TextSpan part) {
    return part.size <= span.size &&
           memcmp(span.data + span.size - part.size, part.data, part.size) == 0;
}

static Value affix(GenVM *vm, Value *args, const char *name, bool (*matches)(TextSpan, TextSpan)) {
    TextSpan span, part;
    size_t start;
    bool exists = take_range(args, &span, &start);
    if (bytes_find_span(vm, args[1], &part)) {
        if (!text_charge(vm, part.size / 16)) return VALUE_ERROR;
        return bool_value(exists && matches(span, part));
    }
    if (!is_kind(args[1], TYPE_TUPLE))
        return raise_type(vm, "%s first arg must be bytes or a tuple of bytes, not %T", name,
                          args[1]);
    for (uint64_t i = 0; i < AS_TUPLE(args[1])->count; i++) {
        if (i % 1024 == 1023 && !native_work(vm, 64)) return VALUE_ERROR;
        if (!bytes_take_span(vm, AS_TUPLE(args[1])->items[i], &part)) return VALUE_ERROR;
        if (!text_charge(vm, part.size / 16)) return VALUE_ERROR;
        if (exists && matches(span, part)) return VALUE_TRUE;
    }
    return VALUE_FALSE;
}

Value bytes_method_startswith(GenVM *vm, Value *args) {
    return affix(vm, args, "startswith", begins);
}
Value bytes_method_endswith(GenVM *vm, Value *args) {
    return affix(vm, args, "endswith", ends);
}

Value bytes_method_removeprefix(GenVM *vm, Value *args) {
    TextSpan span = span_of(args[0]), part;
    if (!bytes_take_span(vm, args[1], &part)) return VALUE_ERROR;
    size_t cut = begins(span, part) ? part.size : 0;
    return piece(vm, args[0], cut, span.size - cut);
}

Value bytes_method_removesuffix(GenVM *vm, Value *args) {
    TextSpan span = span_of(args[0]), part;
    if (!bytes_take_span(vm, args[1], &part)) return VALUE_ERROR;
    return piece(vm, args[0], 0, span.size - (ends(span, part) ? part.size : 0));
}

/* ---- case and classes ---- */

static Value map(GenVM *vm, Value self, MapAscii map_ascii) {
    TextSpan span = span_of(self);
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    Value result = bytes_like_work(vm, self, NULL, span.size);
    if (result == VALUE_ERROR || !span.size) return result;
    return ascii_map(vm, map_ascii, writable(result), span) ? result : VALUE_ERROR;
}

Value bytes_method_upper(GenVM *vm, Value *args) {
    return map(vm, args[0], ascii_map_upper);
}
Value bytes_method_lower(GenVM *vm, Value *args) {
    return map(vm, args[0], ascii_map_lower);
}
Value bytes_method_title(GenVM *vm, Value *args) {
    return map(vm, args[0], ascii_map_title);
}
Value bytes_method_swapcase(GenVM *vm, Value *args) {
    return map(vm, args[0], ascii_map_swap);
}
Value bytes_method_capitalize(GenVM *vm, Value *args) {
    return map(vm, args[0], ascii_map_capital);
}

static Value all(GenVM *vm, Value self, int mask) {
    TextSpan span = span_of(self);
    return text_charge(vm, span.size) ? text_answer(ascii_all(vm, span, mask)) : VALUE_ERROR;
}

Value bytes_method_isalnum(GenVM *vm, Value *args) {
    return all(vm, args[0], ASCII_ALNUM);
}
Value bytes_method_isalpha(GenVM *vm, Value *args) {
    return all(vm, args[0], ASCII_ALPHA);
}
Value bytes_method_isdigit(GenVM *vm, Value *args) {
    return all(vm, args[0], ASCII_DIGIT);
}
Value bytes_method_isspace(GenVM *vm, Value *args) {
    return all(vm, args[0], ASCII_SPACE);
}

static Value ask(GenVM *vm, Value self, Leaf (*is)(GenVM *vm, TextSpan text)) {
    TextSpan span = span_of(self);
    return text_charge(vm, span.size) ? text_answer(is(vm, span)) : VALUE_ERROR;
}

static Leaf is_ascii(GenVM *vm, TextSpan text) {
    (void)vm;
    return text_is_ascii(text.data, text.size) ? LEAF_TRUE : LEAF_FALSE;
}

Value bytes_method_isascii(GenVM *vm, Value *args) {
    return ask(vm, args[0], is_ascii);
}
Value bytes_method_islower(GenVM *vm, Value *args) {
    return ask(vm, args[0], ascii_is_lower);
}
Value bytes_method_isupper(GenVM *vm, Value *args) {
    return ask(vm, args[0], ascii_is_upper);
}
Value bytes_method_istitle(GenVM *vm, Value *args) {
    return ask(vm, args[0], ascii_is_title);
}

/* ---- padding ---- */

static Value pad(GenVM *vm, Value self, int64_t left, int64_t right, char fill) {
    TextSpan span = span_of(self);
    if (left < 0) left = 0;
    if (right < 0) right = 0;
    if (left + right == 0) return unchanged(vm, self);
    if (!gc_check_size(vm, span.size + (uint64_t)left + (uint64_t)right)) return VALUE_ERROR;
    size_t size = span.size + (size_t)left + (size_t)right;
    if (!text_charge(vm, size)) return VALUE_ERROR;
    Value result = bytes_like_work(vm, self, NULL, size);
    if (result == VALUE_ERROR) return result;
    char *out = writable(result);
    bool done = native_fill(vm, out, fill, (size_t)left) &&
                native_copy(vm, out + left, span.data, span.size) &&
                native_fill(vm, out + left + span.size, fill, (size_t)right);
    return done ? result : VALUE_ERROR;
}

/* The fill byte of center() and its kin; the signature's default is the empty bytes. */
static bool take_fill(GenVM *vm, Value v, const char *name, char *fill) {
    *fill = ' ';
    if (v == vm->empty_bytes) return true;
    if (!is_kind(v, TYPE_BYTES) && !is_kind(v, TYPE_BYTEARRAY)) {
        raise_type(vm, "%s() argument 2 must be a byte string of length 1, not %T", name, v);
        return false;
    }
    TextSpan span = span_of(v);
    if (span.size != 1) {
        raise_type(
            vm, "%s(): argument 2 must be a byte string of length 1, not a %T object of length %zu",
            name, v, span.size);
        return false;
    }
    *fill = *span.data;
    return true;
}

static int64_t missing(Value *args) {
    return as_int(args[1]) - (int64_t)span_of(args[0]).size;
}

Value bytes_method_center(GenVM *vm, Value *args) {
    char fill;
    if (!take_fill(vm, args[2], "center", &fill)) return VALUE_ERROR;
    int64_t room = missing(args), left = room / 2 + (room & as_int(args[1]) & 1);
    return room <= 0 ? unchanged(vm, args[0]) : pad(vm, args[0], left, room - left, fill);
}

Value bytes_method_ljust(GenVM *vm, Value *args) {
    char fill;
    return take_fill(vm, args[2], "ljust", &fill) ? pad(vm, args[0], 0, missing(args), fill)
                                                  : VALUE_ERROR;
}

Value bytes_method_rjust(GenVM *vm, Value *args) {
    char fill;
    return take_fill(vm, args[2], "rjust", &fill) ? pad(vm, args[0], missing(args), 0, fill)
                                                  : VALUE_ERROR;
}

Value bytes_method_zfill(GenVM *vm, Value *args) {
    int64_t room = missing(args);
    TextSpan span = span_of(args[0]);
    Value result = pad(vm, args[0], room, 0, '0');
    if (result == VALUE_ERROR || room <= 0 || !span.size ||
        (*span.data != '+' && *span.data != '-'))
        return result;
    char *out = writable(result);
    out[0] = *span.data;
    out[room] = '0';
    return result;
}

COLD Value bytes_method_expandtabs(GenVM *vm, Value *args) {
    TextSpan span = span_of(args[0]);
    int64_t width = as_int(args[1]), column = 0;
    StrBuilder out;
    builder_init_work(&out, vm);
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    for (size_t i = 0; i < span.size && !out.failed; i++) {
        char c = span.data[i];
        if (c != '\t') {
            builder_put_byte(&out, c);
            column = c == '\n' || c == '\r' ? 0 : column + 1;
            continue;
        }
        int64_t spaces = width > 0 ? width - column % width : 0;
        if (!gc_check_size(vm, (uint64_t)spaces)) out.failed = true;
        column += spaces;
        if (!out.failed) format_put_fill(&out, ' ', spaces);
    }
    Value result = out.failed ? VALUE_ERROR : bytes_like_work(vm, args[0], out.data, out.size);
    builder_drop(&out);
    return result;
}

/* ---- strip ---- */

enum { STRIP_LEFT = 1, STRIP_RIGHT = 2 };

static Value strip(GenVM *vm, Value *args, int sides) {
    TextSpan span = span_of(args[0]), chars = {" \t\n\r\v\f", 6};
    if (args[1] != VALUE_NONE && !bytes_take_span(vm, args[1], &chars)) return VALUE_ERROR;
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    bool member[256] = {false};
    if (!text_charge(vm, chars.size) || !text_foresee(vm, chars.size, 1)) return VALUE_ERROR;
    for (size_t i = 0; i < chars.size; i++)
        member[(unsigned char)chars.data[i]] = true;
    size_t start = 0, end = span.size;
    while ((sides & STRIP_LEFT) && start < end && member[(unsigned char)span.data[start]])
        if (!native_glance(vm, start++)) return VALUE_ERROR;
    while ((sides & STRIP_RIGHT) && end > start && member[(unsigned char)span.data[end - 1]])
        if (!native_glance(vm, end--)) return VALUE_ERROR;
    return piece(vm, args[0], start, end - start);
}

Value bytes_method_strip(GenVM *vm, Value *args) {
    return strip(vm, args, STRIP_LEFT | STRIP_RIGHT);
}
Value bytes_method_lstrip(GenVM *vm, Value *args) {
    return strip(vm, args, STRIP_LEFT);
}
Value bytes_method_rstrip(GenVM *vm, Value *args) {
    return strip(vm, args, STRIP_RIGHT);
}

/* ---- split and partition ---- */

static bool take_separator(GenVM *vm, Value v, TextSpan *span) {
    if (!bytes_take_span(vm, v, span)) return false;
    if (span->size) return true;
    raise_value(vm, "empty separator");
    return false;
}

Value bytes_method_split(GenVM *vm, Value *args) {
    TextSpan span = span_of(args[0]), separator;
    if (args[1] == VALUE_NONE)
        return text_split_space(vm, &bytes_kind, args[0], span, as_int(args[2]));
    if (!take_separator(vm, args[1], &separator)) return VALUE_ERROR;
    return text_split(vm, &bytes_kind, args[0], span, separator, as_int(args[2]));
}

Value bytes_method_rsplit(GenVM *vm, Value *args) {
    TextSpan span = span_of(args[0]), separator;
    if (args[1] == VALUE_NONE)
        return text_split_space_last(vm, &bytes_kind, args[0], span, as_int(args[2]));
    if (!take_separator(vm, args[1], &separator)) return VALUE_ERROR;
    return text_split_last(vm, &bytes_kind, args[0], span, separator, as_int(args[2]));
}

Value bytes_method_splitlines(GenVM *vm, Value *args) {
    return text_split_lines(vm, &bytes_kind, args[0], span_of(args[0]), args[1] == VALUE_TRUE);
}

/* In a bytearray's result, the separator is a bytearray too. */
static Value parted(GenVM *vm, Value self, Value separator, TextSpan part, size_t at, bool last) {
    TextSpan span = span_of(self);
    bool found = at != TEXT_NOT_FOUND;
    size_t head_size = found  ? at
                       : last ? 0
                              : span.size,
           tail_at = found ? at + part.size : head_size;
    Value head = piece(vm, self, 0, head_size),
          tail = piece(vm, self, tail_at, span.size - tail_at);
    Value middle = found && is_kind(self, TYPE_BYTES)
                       ? separator
                       : bytes_like(vm, self, part.data, found ? part.size : 0);
    if (head == VALUE_ERROR || middle == VALUE_ERROR || tail == VALUE_ERROR) return VALUE_ERROR;
    return tuple_pack(vm, 3, head, middle, tail);
}

Value bytes_method_partition(GenVM *vm, Value *args) {
    TextSpan span = span_of(args[0]), part;
    if (!take_separator(vm, args[1], &part) || !text_charge(vm, span.size)) return VALUE_ERROR;
    size_t at = text_find(vm, span.data, span.size, part.data, part.size);
    return text_search_failed(vm) ? VALUE_ERROR : parted(vm, args[0], args[1], part, at, false);
}

Value bytes_method_rpartition(GenVM *vm, Value *args) {
    TextSpan span = span_of(args[0]), part;
    if (!take_separator(vm, args[1], &part) || !text_charge(vm, span.size)) return VALUE_ERROR;
    size_t at = text_find_last(vm, span.data, span.size, part.data, part.size);
    return text_search_failed(vm) ? VALUE_ERROR : parted(vm, args[0], args[1], part, at, true);
}

/* ---- replace, translate ---- */

/* `with` before each of the first `limit` bytes, and at the end if the limit allows. */
static COLD Value replace_empty(GenVM *vm, Value self, TextSpan with, uint64_t limit) {
    TextSpan span = span_of(self);
    uint64_t count = span.size + 1 < limit ? span.size + 1 : limit, extra;
    if (__builtin_mul_overflow(count, with.size, &extra) || !gc_check_size(vm, span.size + extra))
        return vm->exception == VALUE_UNSET ? raise_memory(vm) : VALUE_ERROR;
    Value result = bytes_like_work(vm, self, NULL, span.size + extra);
    if (result == VALUE_ERROR) return result;
    char *out = writable(result);
    size_t at = 0;
    for (; count > 0; count--) {
        if (!native_glance(vm, count)) return VALUE_ERROR;
        memcpy(out, with.data, with.size);
        out += with.size;
        if (at < span.size) *out++ = span.data[at++];
    }
    memcpy(out, span.data + at, span.size - at);
    return result;
}

static Value replace_matches(GenVM *vm, Value self, TextSpan old, TextSpan new,
                             const Matches *matches) {
    TextSpan span = span_of(self);
    uint64_t extra;
    if (__builtin_mul_overflow((uint64_t)matches->count, (uint64_t) new.size, &extra))
        return raise_memory(vm);
    uint64_t size = span.size - matches->count * old.size + extra;
    if (!gc_check_size(vm, size)) return VALUE_ERROR;
    Value result = bytes_like_work(vm, self, NULL, size);
    if (result == VALUE_ERROR || size == 0) return result;
    if (!matches_replace(vm, matches, span, old.size, new, writable(result))) return VALUE_ERROR;
    return result;
}

Value bytes_method_replace(GenVM *vm, Value *args) {
    TextSpan span = span_of(args[0]), old, new;
    if (!bytes_take_span(vm, args[1], &old) || !bytes_take_span(vm, args[2], &new))
        return VALUE_ERROR;
    int64_t count = as_int(args[3]);
    uint64_t limit = count < 0 ? UINT64_MAX : (uint64_t)count;
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    if (limit == 0) return unchanged(vm, args[0]);
    if (old.size == 0) return replace_empty(vm, args[0], new, limit);
    Matches matches;
    if (!matches_find(vm, &matches, span.data, span.size, old.data, old.size, limit))
        return VALUE_ERROR;
    Value result =
        matches.count ? replace_matches(vm, args[0], old, new, &matches) : unchanged(vm, args[0]);
    matches_free(&matches);
    return result;
}

COLD Value bytes_method_maketrans(GenVM *vm, Value *args) {
    TextSpan from, to;
    if (!bytes_take_span(vm, args[0], &from) || !bytes_take_span(vm, args[1], &to))
        return VALUE_ERROR;
    if (from.size != to.size) return raise_value(vm, "maketrans arguments must have same length");
    Bytes *table = bytes_alloc(vm, 256);
    if (!table) return VALUE_ERROR;
    for (int i = 0; i < 256; i++)
        table->data[i] = (uint8_t)i;
    if (!text_charge(vm, from.size) || !text_foresee(vm, from.size, 1)) return VALUE_ERROR;
    for (size_t i = 0; i < from.size; i++)
        table->data[(unsigned char)from.data[i]] = (uint8_t)to.data[i];
    return object_value(table);
}

Value bytes_method_translate(GenVM *vm, Value *args) {
    TextSpan span = span_of(args[0]), table = {NULL, 0}, gone;
    if (args[1] != VALUE_NONE && !bytes_take_span(vm, args[1], &table)) return VALUE_ERROR;
    if (args[1] != VALUE_NONE && table.size != 256)
        return raise_value(vm, "translation table must be 256 characters long");
    if (!bytes_take_span(vm, args[2], &gone) || !text_charge(vm, span.size)) return VALUE_ERROR;
    bool drop[256] = {false};
    if (!text_charge(vm, gone.size) || !text_foresee(vm, gone.size, 1)) return VALUE_ERROR;
    for (size_t i = 0; i < gone.size; i++)
        drop[(unsigned char)gone.data[i]] = true;
    StrBuilder out;
    builder_init_work(&out, vm);
    for (size_t i = 0; i < span.size && !out.failed; i++) {
        unsigned char c = (unsigned char)span.data[i];
        if (!drop[c])
            builder_put_byte(&out, table.data ? table.data[c] : (char)c);
        else if (!native_glance(vm, i))
            out.failed = true;
    }
    Value result = out.failed ? VALUE_ERROR : bytes_like_work(vm, args[0], out.data, out.size);
    builder_drop(&out);
    return result;
}

/* ---- join ---- */

Value bytes_method_join(GenVM *vm, Value *args) {
    uint64_t count, total = 0;
    TextSpan separator = span_of(args[0]), part;
    const Value *items = text_items(args[1], &count);
    if (!items) return native_twin(vm, TWIN_STR_JOIN, 2, args[0], args[1]);
    for (uint64_t i = 0; i < count; i++) {
        if (!bytes_find_span(vm, items[i], &part))
            return raise_type(vm, "sequence item %zu: expected a bytes-like object, %T found",
                              (size_t)i, items[i]);
        total += part.size + (i ? separator.size : 0);
        if (!native_glance(vm, i)) return VALUE_ERROR;
    }
    if (count == 1 && is_exact(items[0], TYPE_BYTES) && is_kind(args[0], TYPE_BYTES))
        return items[0];
    if (!gc_check_size(vm, total) || !native_work(vm, count / 4 + total / 64)) return VALUE_ERROR;
    Value result = bytes_like_work(vm, args[0], NULL, total);
    if (result == VALUE_ERROR || total == 0) return result;
    char *out = writable(result), *looked = out;
    for (uint64_t i = 0; i < count; i++) {
        bytes_find_span(vm, items[i], &part);
        if (!native_copied(vm, &looked, out, part.size + separator.size)) return VALUE_ERROR;
        if (i) memcpy(out, separator.data, separator.size);
        out += i ? separator.size : 0;
        memcpy(out, part.data, part.size);
        out += part.size;
    }
    return result;
}

/* ---- text ---- */

Value bytes_method_decode(GenVM *vm, Value *args) {
    TextSpan span = span_of(args[0]);
    const char *encoding = str_c_whole(vm, args[1]),
               *errors = encoding ? str_c_whole(vm, args[2]) : NULL;
    if (!errors) return VALUE_ERROR;
    if (!span.size) return vm->empty_str; /* nobody looks at the encoding then */
    if (codec_needs_script(encoding, errors))
        return native_twin(vm, TWIN_DECODE_TEXT, 3, args[0], args[1], args[2]);
    return codec_decode(vm, (const uint8_t *)span.data, span.size, encoding, errors);
}

Value bytes_method_hex(GenVM *vm, Value *args) {
    return bytes_to_hex(vm, span_of(args[0]), args[1], args[2]);
}

Value bytes_method_fromhex(GenVM *vm, Value *args) {
    Type *cls = type_from(args[0]);
    StrBuilder out;
    builder_init_work(&out, vm);
    bool done = bytes_from_hex(vm, args[1], &out);
    bool is_array = cls->instance_kind == TYPE_BYTEARRAY;
    Value result = VALUE_ERROR;
    if (done && out.size)
        result =
            is_array ? bytearray_work(vm, out.data, out.size) : bytes_work(vm, out.data, out.size);
    else if (done)
        result = is_array ? bytearray_new(vm, NULL, 0) : vm->empty_bytes;
    builder_drop(&out);
    if (result == VALUE_ERROR || cls->id) return result;
    return native_call(vm, args[0], 1, result);
}

static Value to_bytes(GenVM *vm, Value *args) {
    return bytes_exact(vm, args[0]);
}

static Value getnewargs(GenVM *vm, Value *args) {
    Value data = bytes_exact(vm, args[0]);
    return data == VALUE_ERROR ? data : tuple_pack(vm, 1, data);
}

const NativeDef bytes_methods[] = {
#define METHOD(function, signature, doc) {signature, bytes_method_##function, doc},
#include "vm/objects/bytes_methods.def"
#undef METHOD
    {"__bytes__(self, /)", to_bytes, "Convert this value to exact type bytes."},
    {"__getnewargs__(self, /)", getnewargs, NULL},
    {NULL, NULL, NULL},
};
