/* search.c - finding, counting, replacing and splitting runs of bytes: the cores that str, bytes
 * and bytearray share.
 *
 * One byte is found by memchr, more by memmem, which is linear; only the search from the right is
 * not, so that one charges its comparisons as it goes.
 */
#include "vm/objects/lanes.h"
#include "vm/memory.h"
#include "vm/objects/text.h"

void text_bounds(Value start, Value stop, int64_t length, int64_t *from, int64_t *to) {
    *from = start == VALUE_NONE || start == VALUE_UNSET ? 0 : as_int(start);
    *to = stop == VALUE_NONE || stop == VALUE_UNSET ? length : as_int(stop);
    if (*from < 0 && (*from += length) < 0) *from = 0;
    if (*to < 0 && (*to += length) < 0) *to = 0;
    if (*to > length) *to = length;
}

COLD bool text_foresee_long(GenVM *vm, size_t size, unsigned nanoseconds) {
    return native_foresee(vm, (uint64_t)size * nanoseconds);
}

COLD bool text_look_long(GenVM *vm, const char *at, const char **looked) {
    *looked = at;
    return native_look(vm);
}

bool text_charge_long(GenVM *vm, size_t size) {
    enum { HUGE = 1 << 24, A_NANOSECOND = 8 /* bytes */ };
    return (size < HUGE || native_foresee(vm, size / A_NANOSECOND)) && native_work(vm, size / 64);
}

/* ---- find and count ---- */

/* Which of 16 places have `first` at `text` and `last` at `text + gap`. */
static inline uint32_t match_lanes(const char *text, size_t gap, Lanes first, Lanes last) {
    return lanes_mask((Lanes)(lanes_load(text) == first) & (Lanes)(lanes_load(text + gap) == last));
}

enum {
    VERIFY_MAX = 8
}; /* bytes compared per byte passed, beyond which memmem's linear search is better */

/* The first of the 16 places from `at` on where the part stands. */
static inline size_t find_in_lanes(const char *text, size_t at, const char *part, size_t gap,
                                   Lanes first, Lanes last, size_t *work) {
    for (uint32_t bits = match_lanes(text + at, gap, first, last); bits; bits &= bits - 1) {
        size_t place = at + (unsigned)__builtin_ctz(bits);
        if (gap < 2 || text_equal(text + place + 1, part + 1, gap - 1)) return place;
        *work += gap;
    }
    return TEXT_NOT_FOUND;
}

enum { SLOW_PIECE = 1 << 21 }; /* bytes: some milliseconds */

/* The linear search in pieces, with looks at the deadline: TEXT_NOT_FOUND also when it stops. */
static COLD size_t find_slowly(GenVM *vm, const char *text, size_t size, const char *part,
                               size_t part_size) {
    size_t places = part_size > SLOW_PIECE ? part_size : SLOW_PIECE;
    if (part_size > SLOW_PIECE && !text_foresee(vm, size, 3)) return TEXT_NOT_FOUND;
    for (size_t at = 0; at + part_size <= size; at += places) {
        size_t left = size - at, most = places + part_size - 1;
        if (at && !native_look(vm)) break;
        const char *found = memmem(text + at, left < most ? left : most, part, part_size);
        if (found) return (size_t)(found - text);
    }
    return TEXT_NOT_FOUND;
}

/* Sixteen places at a time by the first and last byte of the part, then the bytes between. The last
 * sixteen places overlap those before. */
static size_t find_part(GenVM *vm, const char *text, size_t size, const char *part,
                        size_t part_size) {
    size_t places = size - part_size + 1, gap = part_size - 1, at = 0, work = 0;
    Lanes first = lanes_of(part[0]), last = lanes_of(part[gap]);
    for (; at + LANES <= places && work <= VERIFY_MAX * at + 1024; at += LANES) {
        size_t place = find_in_lanes(text, at, part, gap, first, last, &work);
        if (place != TEXT_NOT_FOUND) return place;
    }
    if (at == places) return TEXT_NOT_FOUND;
    if (at && at + LANES > places)
        return find_in_lanes(text, places - LANES, part, gap, first, last, &work);
    if (likely(size - at <= SLOW_PIECE)) {
        const char *found = memmem(text + at, size - at, part, part_size);
        return found ? (size_t)(found - text) : TEXT_NOT_FOUND;
    }
    size_t rest = find_slowly(vm, text + at, size - at, part, part_size);
    return rest == TEXT_NOT_FOUND ? rest : at + rest;
}

size_t text_find(GenVM *vm, const char *text, size_t size, const char *part, size_t part_size) {
    if (part_size == 0) return 0;
    if (part_size > size) return TEXT_NOT_FOUND;
    if (part_size > 1) return find_part(vm, text, size, part, part_size);
    const char *at = memchr(text, *part, size);
    return at ? (size_t)(at - text) : TEXT_NOT_FOUND;
}

size_t text_find_last(GenVM *vm, const char *text, size_t size, const char *part,
                      size_t part_size) {
    if (part_size > size) return TEXT_NOT_FOUND;
    if (part_size == 0) return size;
    size_t work = 0, each = part_size + 16; /* with what a call of memrchr takes */
    for (size_t left = size - part_size + 1; left > 0;) {
        const char *at = memrchr(text, *part, left);
        if (!at) break;
        left = (size_t)(at - text);
        if (memcmp(at, part, part_size) == 0) return left;
        work += each;
        if (work > 1 << 16) {
            if (!native_look(vm) || !native_charge(vm, work / 64)) break;
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

/* The next `most` non-overlapping occurrences at or after `from`: their count, and their places in
 * `out` where that is given. */
static inline __attribute__((always_inline)) size_t
find_all(GenVM *vm, TextSpan text, TextSpan part, size_t from, size_t most, size_t *out) {
    size_t count = 0, gap = part.size - 1, at = from, work = 0;
    size_t places = text.size >= part.size ? text.size - part.size + 1 : 0;
    size_t until = places < from + SLOW_PIECE ? places : from + SLOW_PIECE;
    Lanes first = lanes_of(part.data[0]), last = lanes_of(part.data[gap]);
again:
    for (; at + LANES <= until && work <= VERIFY_MAX * (at - from) + 1024; at += LANES) {
        uint32_t bits = match_lanes(text.data + at, gap, first, last);
        for (; bits; bits &= bits - 1) {
            size_t place = at + (unsigned)__builtin_ctz(bits);
            if (place < from) continue; /* inside the last one */
            if (count == most) return count;
            if (gap > 1 && !text_equal(text.data + place + 1, part.data + 1, gap - 1)) {
                work += gap;
                continue;
            }
            if (out) out[count] = place;
            count++;
            from = place + part.size;
        }
    }
    if (unlikely(until < places) && at + LANES > until) {
        if (!native_look(vm)) return count;
        until = places - at < SLOW_PIECE ? places : at + SLOW_PIECE;
        goto again;
    }
    if (from < at) from = at;
    for (size_t next, looked = from; count < most && from < places; from += next + part.size) {
        if (unlikely(from - looked > SLOW_PIECE)) {
            if (!native_look(vm)) break;
            looked = from;
        }
        next = text_find(vm, text.data + from, text.size - from, part.data, part.size);
        if (next == TEXT_NOT_FOUND) break;
        if (out) out[count] = from + next;
        count++;
    }
    return count;
}

size_t text_count(GenVM *vm, const char *text, size_t size, const char *part, size_t part_size,
                  size_t limit) {
    if (part_size == 1) {
        size_t count = text_count_byte(text, size, *part);
        return count < limit ? count : limit;
    }
    return find_all(vm, (TextSpan){text, size}, (TextSpan){part, part_size}, 0, limit, NULL);
}

/* ---- replace ---- */

static bool grow_matches(GenVM *vm, Matches *matches) {
    bool is_inline = matches->at == matches->inline_at;
    size_t capacity = matches->capacity * 2;
    size_t *at = gc_check_size(vm, capacity * sizeof *at)
                     ? memory_resize(vm, is_inline ? NULL : matches->at, capacity * sizeof *at)
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

enum { AT_ONCE = 1 << 16 }; /* matches between two looks at the deadline */

bool matches_find(GenVM *vm, Matches *matches, const char *text, size_t size, const char *part,
                  size_t part_size, size_t limit) {
    matches->count = 0;
    matches->at = matches->inline_at;
    matches->capacity = sizeof matches->inline_at / sizeof *matches->inline_at;
    TextSpan whole = {text, size}, wanted = {part, part_size};
    for (size_t from = 0; matches->count < limit;) {
        size_t room = matches->capacity - matches->count, left = limit - matches->count;
        size_t most = room < left ? room : left;
        if (most > AT_ONCE) most = AT_ONCE;
        if (from && !native_look(vm)) {
            matches_free(matches);
            return false;
        }
        size_t found = find_all(vm, whole, wanted, from, most, matches->at + matches->count);
        matches->count += found;
        if (text_search_failed(vm)) {
            matches_free(matches);
            return false;
        }
        if (found < most) break;
        from = matches->at[matches->count - 1] + part_size;
        if (matches->count == matches->capacity && !grow_matches(vm, matches)) {
            matches_free(matches);
            return false;
        }
    }
    return true;
}

void matches_free(Matches *matches) {
    if (matches->at != matches->inline_at) memory_free(matches->at);
    matches->at = matches->inline_at;
}

bool matches_replace(GenVM *vm, const Matches *matches, TextSpan text, size_t part_size,
                     TextSpan with, char *out) {
    size_t from = 0;
    char *looked = out;
    for (size_t i = 0; i < matches->count; i++) {
        size_t gap = matches->at[i] - from;
        if (!native_copied(vm, &looked, out, gap + with.size) || !native_glance(vm, i))
            return false;
        memcpy(out, text.data + from, gap);
        text_copy(out + gap, with.data, with.size);
        out += gap + with.size;
        from = matches->at[i] + part_size;
    }
    return native_copy(vm, out, text.data + from, text.size - from);
}

/* ---- pieces ---- */

enum { SMALL_PIECE = 96 }; /* ASCII text from two bytes up to here is copied in line */

static inline __attribute__((always_inline)) Value
make_piece(GenVM *vm, const TextKind *kind, Value text, size_t offset, size_t size) {
    if (kind != &str_ascii_kind || size - 2 > SMALL_PIECE - 2 || size == AS_STR(text)->size)
        return kind->piece(vm, text, offset, size);
    Str *piece = str_alloc(vm, size, (uint32_t)size, STR_ASCII);
    if (unlikely(!piece)) return VALUE_ERROR;
    text_copy((char *)(piece + 1), AS_STR(text)->data + offset, size);
    return object_value(piece);
}

/* Appends to a list made by this call, which needs no barrier. */
static inline __attribute__((always_inline)) bool
add_piece(GenVM *vm, const TextKind *kind, Value list, Value text, size_t offset, size_t size) {
    Value piece = make_piece(vm, kind, text, offset, size);
    if (unlikely(piece == VALUE_ERROR)) return false;
    List *target = AS_LIST(list);
    if (unlikely(!native_glance(vm, target->count))) return false;
    if (unlikely(target->count == target->capacity)) return list_append(vm, list, piece);
    target->items[target->count++] = piece;
    return true;
}

/* ---- places ---- */

/* Where in the text a separator byte stands, or where white space begins and ends: looked for 16
 * bytes at a time, and kept in an array on the stack, so that a list of the right size can be made.
 */
enum { PLACES = 96 };
typedef struct Places {
    const char *text;
    size_t size, next; /* next: what has been looked at */
    uint32_t count;
    uint32_t at[PLACES]; /* from text + base */
    size_t base;
} Places;

/* ASCII white space; `text` also has the separators 0x1c to 0x1f in it. */
static inline uint32_t lanes_space(const char *at, bool text) {
    Lanes lanes = lanes_load(at);
    Lanes space = (Lanes)(lanes == lanes_of(' ')) | (Lanes)(lanes - 9 <= 4);
    if (text) space |= (Lanes)(lanes - 28 <= 3);
    return lanes_mask(space);
}

static inline void places_begin(Places *places, TextSpan span) {
    places->text = span.data;
    places->size = span.size;
    places->next = 0;
}

static inline void note_places(Places *places, uint32_t bits) {
    for (; bits; bits &= bits - 1)
        places->at[places->count++] =
            (uint32_t)(places->next - places->base) + (uint32_t)__builtin_ctz(bits);
}

/* Fewer than 16 bytes are left: the bits of the lanes up to the end, of which those looked at
 * before are cut off. Needs 16 bytes of text in all. */
static inline uint32_t last_lanes(const Places *places, uint32_t bits) {
    return bits >> (LANES - (places->size - places->next));
}

/* The next bunch of places of a byte. */
static inline void find_bytes(Places *places, char c) {
    places->base = places->next;
    places->count = 0;
    for (; places->size - places->next >= LANES; places->next += LANES) {
        if (places->count > PLACES - LANES || places->next - places->base > UINT32_MAX / 2) return;
        note_places(places, lanes_equal(places->text + places->next, c));
    }
    if (places->next < places->size && places->size >= LANES && places->count <= PLACES - LANES) {
        note_places(places,
                    last_lanes(places, lanes_equal(places->text + places->size - LANES, c)));
        places->next = places->size;
    }
    for (; places->next < places->size && places->count < PLACES; places->next++)
        if (places->text[places->next] == c) note_places(places, 1);
}

/* The next bunch of places where text and white space meet. The first is where text begins. */
static inline __attribute__((always_inline)) void find_words(Places *places, int mask,
                                                             bool *in_space) {
    bool text = mask == ASCII_TEXT_SPACE;
    uint32_t before = *in_space;
    places->base = places->next;
    places->count = 0;
    for (; places->size - places->next >= LANES; places->next += LANES) {
        if (places->count > PLACES - LANES || places->next - places->base > UINT32_MAX / 2) break;
        uint32_t space = lanes_space(places->text + places->next, text);
        note_places(places, (space ^ (space << 1 | before)) & 0xFFFF);
        before = space >> (LANES - 1);
    }
    size_t left = places->size - places->next;
    if (left && left < LANES && places->size >= LANES && places->count <= PLACES - LANES) {
        uint32_t space = last_lanes(places, lanes_space(places->text + places->size - LANES, text));
        note_places(places, (space ^ (space << 1 | before)) & ((1u << left) - 1));
        before = space >> (left - 1);
        places->next = places->size;
    } else if (left < LANES) {
        for (; places->next < places->size && places->count < PLACES; places->next++) {
            uint32_t space = ascii_is(places->text[places->next], mask);
            if (space != before) note_places(places, 1);
            before = space;
        }
    }
    *in_space = before;
}

/* ---- split at a separator ---- */

static Value reversed_list(Value list) {
    List *l = AS_LIST(list);
    for (uint64_t i = 0, j = l->count; i + 1 < j; i++) {
        Value item = l->items[i];
        l->items[i] = l->items[--j];
        l->items[j] = item;
    }
    return list;
}

/* The list has room for all pieces up to the end if the first bunch of places goes that far. */
static inline __attribute__((always_inline)) Value
split_at_byte(GenVM *vm, const TextKind *kind, Value text, TextSpan span, char c, size_t most) {
    Places places; /* its array is not to be cleared */
    places_begin(&places, span);
    find_bytes(&places, c);
    Value list = list_new(vm, places.count < most ? places.count + 1ull : most + 1);
    if (list == VALUE_ERROR) return list;
    size_t from = 0;
    for (;; find_bytes(&places, c)) {
        for (uint32_t i = 0; i < places.count && most > 0; i++, most--) {
            size_t at = places.base + places.at[i];
            if (!add_piece(vm, kind, list, text, from, at - from)) return VALUE_ERROR;
            from = at + 1;
        }
        if (places.next >= span.size || most == 0) break;
    }
    return add_piece(vm, kind, list, text, from, span.size - from) ? list : VALUE_ERROR;
}

Value text_split(GenVM *vm, const TextKind *kind, Value text, TextSpan span, TextSpan separator,
                 int64_t limit) {
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    size_t most = limit < 0 ? SIZE_MAX - 1 : (size_t)limit;
    if (separator.size == 1)
        return kind == &str_ascii_kind
                   ? split_at_byte(vm, &str_ascii_kind, text, span, *separator.data, most)
                   : split_at_byte(vm, kind, text, span, *separator.data, most);
    Value list = list_new(vm, 0);
    if (list == VALUE_ERROR) return list;
    size_t from = 0;
    for (; most > 0; most--) {
        size_t at =
            text_find(vm, span.data + from, span.size - from, separator.data, separator.size);
        if (at == TEXT_NOT_FOUND) break;
        if (!add_piece(vm, kind, list, text, from, at)) return VALUE_ERROR;
        from += at + separator.size;
    }
    if (text_search_failed(vm)) return VALUE_ERROR;
    return add_piece(vm, kind, list, text, from, span.size - from) ? list : VALUE_ERROR;
}

COLD Value text_split_last(GenVM *vm, const TextKind *kind, Value text, TextSpan span,
                           TextSpan separator, int64_t limit) {
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    Value list = list_new(vm, 0);
    if (list == VALUE_ERROR) return list;
    size_t most = limit < 0 ? SIZE_MAX : (size_t)limit, end = span.size;
    for (; most > 0; most--) {
        size_t at = text_find_last(vm, span.data, end, separator.data, separator.size);
        if (text_search_failed(vm)) return VALUE_ERROR;
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
static __attribute__((noinline)) size_t pass(TextSpan span, size_t at, bool space, int mask,
                                             bool unicode) {
    unsigned width;
    while (at < span.size && is_space_at(span.data + at, mask, unicode, &width) == space)
        at += width;
    return at;
}

static __attribute__((noinline)) size_t pass_back(TextSpan span, size_t start, size_t at,
                                                  bool space, int mask, bool unicode) {
    unsigned width;
    while (at > start && is_space_before(span.data + at, mask, unicode, &width) == space)
        at -= width;
    return at;
}

size_t text_skip_space(GenVM *vm, const TextKind *kind, TextSpan span) {
    TextSpan piece = {span.data, 0};
    size_t at = 0;
    do {
        piece.size = span.size - at < TEXT_MUCH ? span.size : at + TEXT_MUCH;
        at = pass(piece, at, true, kind->space, kind->unicode);
    } while (at < span.size && at >= piece.size && native_look(vm));
    return at;
}

size_t text_trim_space(GenVM *vm, const TextKind *kind, TextSpan span, size_t start) {
    size_t at = span.size, from;
    do {
        from = at - start < TEXT_MUCH ? start : at - TEXT_MUCH;
        at = pass_back(span, from, at, true, kind->space, kind->unicode);
    } while (at > start && at <= from && native_look(vm));
    return at;
}

static bool split_unicode_space(GenVM *vm, const TextKind *kind, Value list, Value text,
                                TextSpan span, size_t most) {
    int mask = kind->space;
    if (!text_foresee(vm, span.size, 4)) return false;
    size_t at = pass(span, 0, true, mask, true);
    while (at < span.size) {
        if (most-- == 0) return add_piece(vm, kind, list, text, at, span.size - at);
        size_t end = pass(span, at, false, mask, true);
        if (!add_piece(vm, kind, list, text, at, end - at)) return false;
        at = pass(span, end, true, mask, true);
    }
    return true;
}

/* The words lie between each two places. */
static inline __attribute__((always_inline)) Value
split_space(GenVM *vm, const TextKind *kind, int mask, Value text, TextSpan span, size_t most) {
    Places places; /* its array is not to be cleared */
    places_begin(&places, span);
    bool in_space = true, in_word = false;
    size_t start = 0;
    find_words(&places, mask, &in_space);
    size_t words = (places.count + 1) / 2;
    Value list = list_new(vm, words < most ? words : most + 1);
    if (list == VALUE_ERROR) return list;
    for (;; find_words(&places, mask, &in_space)) {
        for (uint32_t i = 0; i < places.count; i++, in_word = !in_word) {
            size_t at = places.base + places.at[i];
            if (in_word && !add_piece(vm, kind, list, text, start, at - start)) return VALUE_ERROR;
            start = at;
            if (!in_word && most-- == 0)
                return add_piece(vm, kind, list, text, at, span.size - at) ? list : VALUE_ERROR;
        }
        if (places.next >= span.size) break;
    }
    if (in_word && !add_piece(vm, kind, list, text, start, span.size - start)) return VALUE_ERROR;
    return list;
}

Value text_split_space(GenVM *vm, const TextKind *kind, Value text, TextSpan span, int64_t limit) {
    if (!text_charge(vm, span.size)) return VALUE_ERROR;
    size_t most = limit < 0 ? SIZE_MAX - 1 : (size_t)limit;
    if (kind == &str_ascii_kind)
        return split_space(vm, &str_ascii_kind, ASCII_TEXT_SPACE, text, span, most);
    if (!kind->unicode) return split_space(vm, kind, ASCII_SPACE, text, span, most);
    Value list = list_new(vm, 0);
    if (list == VALUE_ERROR) return list;
    return split_unicode_space(vm, kind, list, text, span, most) ? list : VALUE_ERROR;
}

Value text_split_space_last(GenVM *vm, const TextKind *kind, Value text, TextSpan span,
                            int64_t limit) {
    if (!text_charge(vm, span.size) || !text_foresee(vm, span.size, kind->unicode ? 4 : 1))
        return VALUE_ERROR;
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
    const char *end = span.data + span.size, *line = span.data, *at = line, *looked = line;
    while (at < end) {
        if (!text_look(vm, at, &looked)) return VALUE_ERROR;
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
