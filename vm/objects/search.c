/* search.c - finding, counting, replacing and splitting runs of bytes: the cores that str, bytes
 * and bytearray share.
 *
 * One byte is found by memchr, more by memmem, which is linear; only the search from the right is
 * not, so that one charges its comparisons as it goes.
 */
#include "vm/objects/text.h"

#include <stdlib.h>

void text_bounds(Value start, Value stop, int64_t length, int64_t *from, int64_t *to) {
    *from = start == VALUE_NONE || start == VALUE_UNSET ? 0 : as_int(start);
    *to = stop == VALUE_NONE || stop == VALUE_UNSET ? length : as_int(stop);
    if (*from < 0 && (*from += length) < 0) *from = 0;
    if (*to < 0 && (*to += length) < 0) *to = 0;
    if (*to > length) *to = length;
}

/* ---- find and count ---- */

typedef uint8_t Lanes __attribute__((vector_size(16)));

/* Which of 16 places have `first` at `text` and `last` at `text + gap`: 0xFF in the bytes of two
 * words. */
static inline void match_lanes(const char *text, size_t gap, Lanes first, Lanes last,
                               uint64_t found[2]) {
    Lanes a, b;
    memcpy(&a, text, sizeof a);
    memcpy(&b, text + gap, sizeof b);
    Lanes both = (Lanes)(a == first) & (Lanes)(b == last);
    memcpy(found, &both, sizeof both);
}

enum {
    VERIFY_MAX = 8
}; /* bytes compared per byte passed, beyond which memmem's linear search is better */

/* Sixteen places at a time by the first and last byte of the part; then the bytes between. */
static size_t find_part(const char *text, size_t size, const char *part, size_t part_size) {
    size_t places = size - part_size + 1, gap = part_size - 1, at = 0, work = 0;
    Lanes first = (Lanes){0} + (uint8_t)part[0], last = (Lanes){0} + (uint8_t)part[gap];
    for (; at + 16 <= places && work <= VERIFY_MAX * at + 1024; at += 16) {
        uint64_t found[2];
        match_lanes(text + at, gap, first, last, found);
        if (likely(!(found[0] | found[1]))) continue;
        for (unsigned half = 0; half < 2; half++)
            for (uint64_t bits = found[half]; bits;) {
                unsigned lane = (unsigned)__builtin_ctzll(bits) / 8;
                size_t place = at + half * 8 + lane;
                if (memcmp(text + place + 1, part + 1, gap) == 0) return place;
                work += part_size;
                bits &= ~((uint64_t)0xFF << lane * 8);
            }
    }
    const char *rest = memmem(text + at, size - at, part, part_size);
    return rest ? (size_t)(rest - text) : TEXT_NOT_FOUND;
}

size_t text_find(const char *text, size_t size, const char *part, size_t part_size) {
    if (part_size == 0) return 0;
    if (part_size > size) return TEXT_NOT_FOUND;
    if (part_size > 1) return find_part(text, size, part, part_size);
    const char *at = memchr(text, *part, size);
    return at ? (size_t)(at - text) : TEXT_NOT_FOUND;
}

size_t text_find_last(GenVM *vm, const char *text, size_t size, const char *part,
                      size_t part_size) {
    if (part_size > size) return TEXT_NOT_FOUND;
    if (part_size == 0) return size;
    size_t work = 0;
    for (size_t left = size - part_size + 1; left > 0;) {
        const char *at = memrchr(text, *part, left);
        if (!at) break;
        left = (size_t)(at - text);
        if (memcmp(at, part, part_size) == 0) return left;
        work += part_size;
        if (work > 1 << 16) {
            if (!native_charge(vm, work / 64)) break;
            work = 0;
        }
    }
    return TEXT_NOT_FOUND;
}

size_t text_count_byte(const char *text, size_t size, char c) {
    size_t count = 0, i = 0;
    const uint64_t ones = 0x0101010101010101u, pattern = ones * (unsigned char)c;
    while (size - i >= 8) { /* each byte lane counts to 255 before the lanes are summed */
        size_t words = (size - i) / 8, stop = i + (words < 255 ? words : 255) * 8;
        uint64_t lanes = 0;
        for (; i < stop; i += 8) {
            uint64_t word;
            memcpy(&word, text + i, 8);
            word ^= pattern;
            uint64_t rest = (word & ~(ones << 7)) +
                            ~(ones << 7); /* bit 7 of a lane: its low bits are not all zero */
            lanes += (~(rest | word) >> 7) & ones;
        }
        uint64_t pairs = (lanes & 0x00FF00FF00FF00FFu) + ((lanes >> 8) & 0x00FF00FF00FF00FFu);
        count += (pairs * 0x0001000100010001u) >> 48;
    }
    for (; i < size; i++)
        count += text[i] == c;
    return count;
}

size_t text_count(const char *text, size_t size, const char *part, size_t part_size, size_t limit) {
    if (part_size == 1) {
        size_t count = text_count_byte(text, size, *part);
        return count < limit ? count : limit;
    }
    size_t count = 0;
    for (size_t at;
         count < limit && (at = text_find(text, size, part, part_size)) != TEXT_NOT_FOUND;
         count++) {
        text += at + part_size;
        size -= at + part_size;
    }
    return count;
}

/* ---- replace ---- */

static bool grow_matches(GenVM *vm, Matches *matches) {
    bool is_inline = matches->at == matches->inline_at;
    size_t capacity = matches->capacity * 2;
    size_t *at = gc_check_size(vm, capacity * sizeof *at)
                     ? realloc(is_inline ? NULL : matches->at, capacity * sizeof *at)
                     : NULL;
    if (!at) {
        if (vm->exception == VALUE_UNSET) raise_memory(vm);
        return false;
    }
    if (is_inline) memcpy(at, matches->inline_at, sizeof matches->inline_at);
    matches->at = at;
    matches->capacity = capacity;
    return true;
}

bool matches_find(GenVM *vm, Matches *matches, const char *text, size_t size, const char *part,
                  size_t part_size, size_t limit) {
    matches->count = 0;
    matches->at = matches->inline_at;
    matches->capacity = sizeof matches->inline_at / sizeof *matches->inline_at;
    size_t from = 0;
    while (matches->count < limit) {
        size_t at = text_find(text + from, size - from, part, part_size);
        if (at == TEXT_NOT_FOUND) break;
        if (matches->count == matches->capacity && !grow_matches(vm, matches)) {
            matches_free(matches);
            return false;
        }
        matches->at[matches->count++] = from + at;
        from += at + part_size;
    }
    return true;
}

void matches_free(Matches *matches) {
    if (matches->at != matches->inline_at) free(matches->at);
    matches->at = matches->inline_at;
}

void matches_replace(const Matches *matches, const char *text, size_t size, size_t part_size,
                     const char *with, size_t with_size, char *out) {
    size_t from = 0;
    for (size_t i = 0; i < matches->count; i++) {
        size_t gap = matches->at[i] - from;
        memcpy(out, text + from, gap);
        text_copy(out + gap, with, with_size);
        out += gap + with_size;
        from = matches->at[i] + part_size;
    }
    memcpy(out, text + from, size - from);
}

/* ---- split at a separator ---- */

static bool add_piece(GenVM *vm, const TextKind *kind, Value list, Value text, size_t offset,
                      size_t size) {
    Value piece = kind->piece(vm, text, offset, size);
    return piece != VALUE_ERROR && list_append(vm, list, piece);
}

static Value reversed_list(Value list) {
    List *l = AS_LIST(list);
    for (uint64_t i = 0, j = l->count; i + 1 < j; i++) {
        Value item = l->items[i];
        l->items[i] = l->items[--j];
        l->items[j] = item;
    }
    return list;
}

Value text_split(GenVM *vm, const TextKind *kind, Value text, TextSpan span, TextSpan separator,
                 int64_t limit) {
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    size_t most = limit < 0 ? SIZE_MAX : (size_t)limit;
    size_t expected =
        separator.size == 1 ? text_count_byte(span.data, span.size, *separator.data) + 1 : 0;
    Value list = list_new(vm, expected > most ? most + 1 : expected);
    if (list == VALUE_ERROR) return list;
    size_t from = 0;
    for (; most > 0; most--) {
        size_t at = text_find(span.data + from, span.size - from, separator.data, separator.size);
        if (at == TEXT_NOT_FOUND) break;
        if (!add_piece(vm, kind, list, text, from, at)) return VALUE_ERROR;
        from += at + separator.size;
    }
    return add_piece(vm, kind, list, text, from, span.size - from) ? list : VALUE_ERROR;
}

Value text_split_last(GenVM *vm, const TextKind *kind, Value text, TextSpan span,
                      TextSpan separator, int64_t limit) {
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    Value list = list_new(vm, 0);
    if (list == VALUE_ERROR) return list;
    size_t most = limit < 0 ? SIZE_MAX : (size_t)limit, end = span.size;
    for (; most > 0; most--) {
        size_t at = text_find_last(vm, span.data, end, separator.data, separator.size);
        if (vm->exception != VALUE_UNSET) return VALUE_ERROR;
        if (at == TEXT_NOT_FOUND) break;
        size_t from = at + separator.size;
        if (!add_piece(vm, kind, list, text, from, end - from)) return VALUE_ERROR;
        end = at;
    }
    return add_piece(vm, kind, list, text, 0, end) ? reversed_list(list) : VALUE_ERROR;
}

/* ---- split at white space ---- */

static inline bool is_space_at(const char *at, int mask, bool unicode, unsigned *width) {
    *width = 1;
    if (!unicode || (unsigned char)*at < 0x80) return ascii_is(*at, mask);
    const char *next = at;
    uint32_t c = utf8_take(&next);
    *width = (unsigned)(next - at);
    return char_is_space(c);
}

static inline bool is_space_before(const char *at, int mask, bool unicode, unsigned *width) {
    *width = 1;
    if (!unicode || (unsigned char)at[-1] < 0x80) return ascii_is(at[-1], mask);
    const char *start = at;
    uint32_t c = utf8_take_back(&start);
    *width = (unsigned)(at - start);
    return char_is_space(c);
}

/* The first position at or after `at` where is-space has the given answer. */
static inline size_t pass(TextSpan span, size_t at, bool space, int mask, bool unicode) {
    unsigned width;
    while (at < span.size && is_space_at(span.data + at, mask, unicode, &width) == space)
        at += width;
    return at;
}

static inline size_t pass_back(TextSpan span, size_t start, size_t at, bool space, int mask,
                               bool unicode) {
    unsigned width;
    while (at > start && is_space_before(span.data + at, mask, unicode, &width) == space)
        at -= width;
    return at;
}

size_t text_skip_space(const TextKind *kind, TextSpan span) {
    return pass(span, 0, true, kind->space, kind->unicode);
}

size_t text_trim_space(const TextKind *kind, TextSpan span, size_t start) {
    return pass_back(span, start, span.size, true, kind->space, kind->unicode);
}

static inline __attribute__((always_inline)) bool split_space(GenVM *vm, const TextKind *kind,
                                                              Value list, Value text, TextSpan span,
                                                              size_t most, int mask, bool unicode) {
    size_t at = pass(span, 0, true, mask, unicode);
    while (at < span.size) {
        if (most-- == 0) return add_piece(vm, kind, list, text, at, span.size - at);
        size_t end = pass(span, at, false, mask, unicode);
        if (!add_piece(vm, kind, list, text, at, end - at)) return false;
        at = pass(span, end, true, mask, unicode);
    }
    return true;
}

Value text_split_space(GenVM *vm, const TextKind *kind, Value text, TextSpan span, int64_t limit) {
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    Value list = list_new(vm, 0);
    if (list == VALUE_ERROR) return list;
    size_t most = limit < 0 ? SIZE_MAX : (size_t)limit;
    bool done = kind->unicode ? split_space(vm, kind, list, text, span, most, kind->space, true)
                              : split_space(vm, kind, list, text, span, most, kind->space, false);
    return done ? list : VALUE_ERROR;
}

Value text_split_space_last(GenVM *vm, const TextKind *kind, Value text, TextSpan span,
                            int64_t limit) {
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    Value list = list_new(vm, 0);
    if (list == VALUE_ERROR) return list;
    int mask = kind->space;
    bool unicode = kind->unicode;
    size_t most = limit < 0 ? SIZE_MAX : (size_t)limit;
    size_t at = pass_back(span, 0, span.size, true, mask, unicode);
    while (at > 0) {
        size_t start = most-- == 0 ? 0 : pass_back(span, 0, at, false, mask, unicode);
        if (!add_piece(vm, kind, list, text, start, at - start)) return VALUE_ERROR;
        if (most == SIZE_MAX) break;
        at = pass_back(span, 0, start, true, mask, unicode);
    }
    return reversed_list(list);
}

/* ---- split into lines ---- */

/* The width of the line break at `at`, or 0: \r\n is one break; U+0085, U+2028 and U+2029 are
 * breaks of str. */
static inline size_t break_width(const TextKind *kind, const char *at, const char *end) {
    unsigned char c = (unsigned char)*at;
    if (c < 0x80) {
        if (!(ascii_class[c] & kind->line_break)) return 0;
        return c == '\r' && at + 1 < end && at[1] == '\n' ? 2 : 1;
    }
    if (!kind->unicode || (c != 0xC2 && c != 0xE2)) return 0;
    if (c == 0xC2) return (unsigned char)at[1] == 0x85 ? 2 : 0;
    return (unsigned char)at[1] == 0x80 && ((unsigned char)at[2] & 0xFE) == 0xA8 ? 3 : 0;
}

/* Can any of the next 8 bytes begin a line break: is one below 32, or in text that is not ASCII,
 * above 127? */
static inline bool may_break(const char *at, bool unicode) {
    const uint64_t ones = 0x0101010101010101u, high = ones << 7;
    uint64_t word;
    memcpy(&word, at, 8);
    uint64_t below = ~((word | high) - ones * 32) & ~word & high;
    return below || (unicode && (word & high));
}

Value text_split_lines(GenVM *vm, const TextKind *kind, Value text, TextSpan span, bool keep_ends) {
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    Value list = list_new(vm, 0);
    if (list == VALUE_ERROR) return list;
    const char *end = span.data + span.size, *line = span.data, *at = line;
    while (at < end) {
        if (end - at >= 8 && !may_break(at, kind->unicode)) {
            at += 8;
            continue;
        }
        size_t width = break_width(kind, at, end);
        if (!width) {
            at++;
            continue;
        }
        size_t size = (size_t)(at - line) + (keep_ends ? width : 0);
        if (!add_piece(vm, kind, list, text, (size_t)(line - span.data), size)) return VALUE_ERROR;
        line = at += width;
    }
    if (line < end &&
        !add_piece(vm, kind, list, text, (size_t)(line - span.data), (size_t)(end - line)))
        return VALUE_ERROR;
    return list;
}
