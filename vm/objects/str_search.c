/* str_search.c - the methods of str that look for text in text: find, count, replace, split and
 * their kin.
 *
 * Positions are code points for scripts and bytes in here; search.c does the work on bytes.
 */
#include "vm/objects/text.h"

const TextKind str_ascii_kind = {str_sub, ASCII_TEXT_SPACE, ASCII_TEXT_BREAK, false};
const TextKind str_unicode_kind = {str_sub, ASCII_TEXT_SPACE, ASCII_TEXT_BREAK, true};

/* The part of args[0] that args[2] and args[3] leave, and where it starts. False: an empty range
 * beyond the text, in which not even the empty text is found. */
static bool take_range(GenVM *vm, Value *args, TextSpan *span, size_t *start) {
    Str *str = AS_STR(args[0]);
    *start = 0;
    *span = str_span(args[0]);
    if (args[2] == VALUE_NONE && args[3] == VALUE_NONE) return true;
    int64_t from, to;
    text_bounds(args[2], args[3], str->length, &from, &to);
    if (from > to) return false;
    *start = str_offset(vm, str, from);
    *span = (TextSpan){str->data + *start, str_offset(vm, str, to) - *start};
    return true;
}

/* ---- find ---- */

static int64_t find(GenVM *vm, Value *args) {
    TextSpan span, part = str_span(args[1]);
    size_t start;
    if (!take_range(vm, args, &span, &start)) return -1;
    size_t at = text_find(vm, span.data, span.size, part.data, part.size);
    return at == TEXT_NOT_FOUND ? -1 : str_index_of(AS_STR(args[0]), start + at);
}

static int64_t find_last(GenVM *vm, Value *args) {
    TextSpan span, part = str_span(args[1]);
    size_t start;
    if (!take_range(vm, args, &span, &start)) return -1;
    size_t at = text_find_last(vm, span.data, span.size, part.data, part.size);
    return at == TEXT_NOT_FOUND ? -1 : str_index_of(AS_STR(args[0]), start + at);
}

static Value found(GenVM *vm, int64_t at, bool must) {
    if (text_search_failed(vm)) return VALUE_ERROR;
    return at < 0 && must ? raise_value(vm, "substring not found") : int_value(at);
}

static bool charge(GenVM *vm, Value *args) {
    return text_charge(vm, AS_STR(args[0])->size);
}

Value str_find(GenVM *vm, Value *args) {
    return charge(vm, args) ? found(vm, find(vm, args), false) : VALUE_ERROR;
}
Value str_index(GenVM *vm, Value *args) {
    return charge(vm, args) ? found(vm, find(vm, args), true) : VALUE_ERROR;
}
Value str_rfind(GenVM *vm, Value *args) {
    return charge(vm, args) ? found(vm, find_last(vm, args), false) : VALUE_ERROR;
}
Value str_rindex(GenVM *vm, Value *args) {
    return charge(vm, args) ? found(vm, find_last(vm, args), true) : VALUE_ERROR;
}

Value str_count(GenVM *vm, Value *args) {
    TextSpan span, part = str_span(args[1]);
    size_t start;
    if (!charge(vm, args)) return VALUE_ERROR;
    if (!take_range(vm, args, &span, &start)) return int_value(0);
    if (part.size == 0) return int_value((int64_t)text_count_chars(span.data, span.size) + 1);
    size_t count = text_count(vm, span.data, span.size, part.data, part.size, SIZE_MAX);
    return text_search_failed(vm) ? VALUE_ERROR : int_value((int64_t)count);
}

/* ---- replace ---- */

/* `with` before each of the first `limit` code points, and at the end if the limit allows. */
static COLD Value replace_empty(GenVM *vm, Str *str, TextSpan with, uint64_t limit) {
    uint64_t places = (uint64_t)str->length + 1, count = places < limit ? places : limit, extra;
    if (__builtin_mul_overflow(count, with.size, &extra) || extra > STR_SIZE_MAX)
        return raise_memory(vm);
    Str *result = str_alloc(vm, str->size + extra, 0, 0);
    if (!result) return VALUE_ERROR;
    char *out = (char *)result->data;
    const char *at = str->data, *end = str->data + str->size;
    for (; count > 0; count--) {
        if (!native_glance(vm, count)) return VALUE_ERROR;
        memcpy(out, with.data, with.size);
        out += with.size;
        if (at == end) break;
        unsigned width = utf8_lead_width(*at);
        memcpy(out, at, width);
        out += width;
        at += width;
    }
    memcpy(out, at, (size_t)(end - at));
    return str_scanned(vm, result);
}

/* One byte by another: a copy that is patched. */
static Value replace_byte(GenVM *vm, Value text, char old, char new, uint64_t limit) {
    Str *str = AS_STR(text);
    const char *first = memchr(str->data, old, str->size);
    if (!first) return str_exact(vm, text);
    Str *result =
        str_alloc(vm, str->size, str->length, str->header.flags & (STR_ASCII | STR_SURROGATES));
    if (!result) return VALUE_ERROR;
    char *data = (char *)result->data, *end = data + str->size;
    if (!native_copy(vm, data, str->data, str->size)) return VALUE_ERROR;
    if (limit >= str->size && str->size < 64) {
        for (char *at = data + (first - str->data); at < end; at++)
            if (*at == old) *at = new;
        return object_value(result);
    }
    for (char *at = data + (first - str->data); at && limit > 0; limit--) {
        if (!native_glance(vm, limit)) return VALUE_ERROR;
        *at++ = new;
        at = memchr(at, old, (size_t)(end - at));
    }
    return object_value(result);
}

static Value replace_matches(GenVM *vm, Value text, TextSpan old, Value new,
                             const Matches *matches) {
    Str *str = AS_STR(text);
    TextSpan with = str_span(new);
    uint64_t extra;
    if (__builtin_mul_overflow((uint64_t)matches->count, (uint64_t)with.size, &extra))
        return raise_memory(vm);
    uint64_t size = str->size - matches->count * old.size + extra;
    bool ascii = str_is_ascii(str) && str_is_ascii(AS_STR(new));
    if (size > STR_SIZE_MAX) return raise_memory(vm);
    Str *result = str_alloc(vm, size, (uint32_t)size, ascii ? STR_ASCII : 0);
    if (!result) return VALUE_ERROR;
    if (!matches_replace(vm, matches, str_span(text), old.size, with, (char *)result->data))
        return VALUE_ERROR;
    return ascii && size ? object_value(result) : str_scanned(vm, result);
}

Value str_replace(GenVM *vm, Value *args) {
    Str *str = AS_STR(args[0]);
    TextSpan old = str_span(args[1]), new = str_span(args[2]);
    int64_t count = as_int(args[3]);
    uint64_t limit = count < 0 ? UINT64_MAX : (uint64_t)count;
    if (!charge(vm, args)) return VALUE_ERROR;
    if (limit == 0 || str_equal(args[1], args[2])) return str_exact(vm, args[0]);
    if (old.size == 0) return replace_empty(vm, str, new, limit);
    if (old.size == 1 && new.size == 1)
        return replace_byte(vm, args[0], *old.data, *new.data, limit);
    Matches matches;
    if (!matches_find(vm, &matches, str->data, str->size, old.data, old.size, limit))
        return VALUE_ERROR;
    Value result = matches.count ? replace_matches(vm, args[0], old, args[2], &matches)
                                 : str_exact(vm, args[0]);
    matches_free(&matches);
    return result;
}

/* ---- split ---- */

typedef Value (*SplitSpace)(GenVM *, const TextKind *, Value, TextSpan, int64_t);
typedef Value (*SplitAt)(GenVM *, const TextKind *, Value, TextSpan, TextSpan, int64_t);

static Value split(GenVM *vm, Value *args, SplitSpace at_space, SplitAt at_separator) {
    Value text = args[0], separator = args[1];
    int64_t limit = as_int(args[2]);
    if (separator == VALUE_NONE) return at_space(vm, str_kind(text), text, str_span(text), limit);
    if (!value_is_str(separator)) return raise_type(vm, "must be str or None, not %T", separator);
    if (!AS_STR(separator)->size) return raise_value(vm, "empty separator");
    return at_separator(vm, str_kind(text), text, str_span(text), str_span(separator), limit);
}

Value str_split(GenVM *vm, Value *args) {
    return split(vm, args, text_split_space, text_split);
}
Value str_rsplit(GenVM *vm, Value *args) {
    return split(vm, args, text_split_space_last, text_split_last);
}

Value str_splitlines(GenVM *vm, Value *args) {
    return text_split_lines(vm, str_kind(args[0]), args[0], str_span(args[0]),
                            args[1] == VALUE_TRUE);
}

/* ---- partition ---- */

static bool check_separator(GenVM *vm, Value separator) {
    if (!value_is_str(separator)) {
        raise_type(vm, "must be str, not %T", separator);
        return false;
    }
    if (AS_STR(separator)->size) return true;
    raise_value(vm, "empty separator");
    return false;
}

static Value parted(GenVM *vm, Value text, size_t at, Value separator) {
    size_t after = at + AS_STR(separator)->size;
    Value head = str_sub(vm, text, 0, at), middle = str_exact(vm, separator);
    Value tail = str_sub(vm, text, after, AS_STR(text)->size - after);
    if (head == VALUE_ERROR || middle == VALUE_ERROR || tail == VALUE_ERROR) return VALUE_ERROR;
    return tuple_pack(vm, 3, head, middle, tail);
}

Value str_partition(GenVM *vm, Value *args) {
    if (!check_separator(vm, args[1]) || !charge(vm, args)) return VALUE_ERROR;
    TextSpan span = str_span(args[0]), part = str_span(args[1]);
    size_t at = text_find(vm, span.data, span.size, part.data, part.size);
    if (text_search_failed(vm)) return VALUE_ERROR;
    if (at != TEXT_NOT_FOUND) return parted(vm, args[0], at, args[1]);
    Value whole = str_exact(vm, args[0]);
    return whole == VALUE_ERROR ? whole : tuple_pack(vm, 3, whole, vm->empty_str, vm->empty_str);
}

Value str_rpartition(GenVM *vm, Value *args) {
    if (!check_separator(vm, args[1]) || !charge(vm, args)) return VALUE_ERROR;
    TextSpan span = str_span(args[0]), part = str_span(args[1]);
    size_t at = text_find_last(vm, span.data, span.size, part.data, part.size);
    if (text_search_failed(vm)) return VALUE_ERROR;
    if (at != TEXT_NOT_FOUND) return parted(vm, args[0], at, args[1]);
    Value whole = str_exact(vm, args[0]);
    return whole == VALUE_ERROR ? whole : tuple_pack(vm, 3, vm->empty_str, vm->empty_str, whole);
}
