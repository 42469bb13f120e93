/* str_case.c - upper and lower case, and the questions isalpha() and its kin.
 *
 * ASCII is mapped eight bytes at a time; other text goes code point by code point through
 * unicode.c, whose mappings may make several of one. One mapping depends on context: capital sigma
 * at the end of a word.
 */
#include "vm/objects/text.h"

#include "vm/objects/case_tables.h"

#define S (ASCII_SPACE | ASCII_TEXT_SPACE)
const uint8_t ascii_class[256] = {
    ['A' ... 'Z'] = ASCII_UPPER,
    ['a' ... 'z'] = ASCII_LOWER,
    ['0' ... '9'] = ASCII_DIGIT,
    [' '] = S,
    ['\t'] = S,
    ['\n'] = S | ASCII_NEWLINE | ASCII_TEXT_BREAK,
    ['\r'] = S | ASCII_NEWLINE | ASCII_TEXT_BREAK,
    ['\v'] = S | ASCII_TEXT_BREAK,
    ['\f'] = S | ASCII_TEXT_BREAK,
    [0x1C ... 0x1E] = ASCII_TEXT_SPACE | ASCII_TEXT_BREAK,
    [0x1F] = ASCII_TEXT_SPACE,
};
#undef S

/* ---- ASCII ---- */

#define EACH(byte) (0x0101010101010101u * (byte))

/* 0x20 in the bytes of `word` that are ASCII letters from `first` to `last`. */
static inline uint64_t letters(uint64_t word, char first, char last) {
    uint64_t low = word & EACH(0x7F);
    uint64_t from_first = low + EACH(0x80 - first), behind_last = low + EACH(0x7F - last);
    return ((from_first ^ behind_last) & ~word & EACH(0x80)) >> 2;
}

static inline void map_letters(char *out, const char *text, size_t size, bool upper, bool lower) {
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word, flip = 0;
        memcpy(&word, text + i, 8);
        if (upper) flip |= letters(word, 'a', 'z');
        if (lower) flip |= letters(word, 'A', 'Z');
        word ^= flip;
        memcpy(out + i, &word, 8);
    }
    for (; i < size; i++) {
        bool flips =
            (upper && ascii_is(text[i], ASCII_LOWER)) || (lower && ascii_is(text[i], ASCII_UPPER));
        out[i] = (char)(text[i] ^ (flips ? 0x20 : 0));
    }
}

void ascii_map_upper(char *out, const char *text, size_t size) {
    map_letters(out, text, size, true, false);
}
void ascii_map_lower(char *out, const char *text, size_t size) {
    map_letters(out, text, size, false, true);
}
void ascii_map_swap(char *out, const char *text, size_t size) {
    map_letters(out, text, size, true, true);
}

void ascii_map_title(char *out, const char *text, size_t size) {
    bool in_word = false;
    for (size_t i = 0; i < size; i++) {
        out[i] = in_word ? ascii_lower(text[i]) : ascii_upper(text[i]);
        in_word = ascii_is(text[i], ASCII_ALPHA);
    }
}

void ascii_map_capital(char *out, const char *text, size_t size) {
    ascii_map_lower(out, text, size);
    if (size) out[0] = ascii_upper(text[0]);
}

/* The end of the next piece of a pass over text, with a look at the deadline before it; 0: stopped.
 */
static COLD size_t next_piece(GenVM *vm, size_t at, size_t size) {
    if (at && !native_look(vm)) return 0;
    return size - at < TEXT_MUCH ? size : at + TEXT_MUCH;
}

static __attribute__((noinline)) Leaf is_only(GenVM *vm, TextSpan text, int wanted, int unwanted) {
    bool found = false;
    for (size_t i = 0, end; i < text.size;) {
        if (!(end = next_piece(vm, i, text.size))) return LEAF_ERROR;
        for (; i < end; i++) {
            if (ascii_is(text.data[i], unwanted)) return LEAF_FALSE;
            found |= ascii_is(text.data[i], wanted);
        }
    }
    return found ? LEAF_TRUE : LEAF_FALSE;
}

Leaf ascii_is_lower(GenVM *vm, TextSpan text) {
    return is_only(vm, text, ASCII_LOWER, ASCII_UPPER);
}
Leaf ascii_is_upper(GenVM *vm, TextSpan text) {
    return is_only(vm, text, ASCII_UPPER, ASCII_LOWER);
}

COLD Leaf ascii_is_title(GenVM *vm, TextSpan text) {
    bool found = false, in_word = false;
    for (size_t i = 0, end; i < text.size;) {
        if (!(end = next_piece(vm, i, text.size))) return LEAF_ERROR;
        for (; i < end; i++) {
            if (ascii_is(text.data[i], in_word ? ASCII_UPPER : ASCII_LOWER)) return LEAF_FALSE;
            in_word = ascii_is(text.data[i], ASCII_ALPHA);
            found |= in_word;
        }
    }
    return found ? LEAF_TRUE : LEAF_FALSE;
}

Leaf ascii_all(GenVM *vm, TextSpan text, int mask) {
    for (size_t i = 0, end; i < text.size;) {
        if (!(end = next_piece(vm, i, text.size))) return LEAF_ERROR;
        for (; i < end; i++)
            if (!ascii_is(text.data[i], mask)) return LEAF_FALSE;
    }
    return text.size ? LEAF_TRUE : LEAF_FALSE;
}

/* ---- mapping any text ---- */

typedef struct Case { /* the text that is being mapped, with its surroundings */
    const char *start, *end;
    bool in_word; /* after a cased code point */
} Case;

/* Is the capital sigma that lies from `at` to `next` the last letter of a word? */
static bool is_final_sigma(const Case *text, const char *at, const char *next) {
    uint32_t c = 0;
    bool found = false;
    while (!found && at > text->start)
        found = !char_is_case_ignorable(c = utf8_take_back(&at));
    if (!found || !char_is_cased(c)) return false;
    found = false;
    while (!found && next < text->end)
        found = !char_is_case_ignorable(c = utf8_take(&next));
    return !found || !char_is_cased(c);
}

enum { SIGMA = 0x3A3, SMALL_SIGMA = 0x3C3, FINAL_SIGMA = 0x3C2 };

static unsigned to_lower(Case *text, uint32_t c, const char *at, const char *next, uint32_t *out) {
    if (c != SIGMA) return char_to_lower(c, out);
    out[0] = is_final_sigma(text, at, next) ? FINAL_SIGMA : SMALL_SIGMA;
    return 1;
}

static unsigned to_upper(Case *text, uint32_t c, const char *at, const char *next, uint32_t *out) {
    (void)text, (void)at, (void)next;
    return char_to_upper(c, out);
}

static unsigned to_folded(Case *text, uint32_t c, const char *at, const char *next, uint32_t *out) {
    (void)text, (void)at, (void)next;
    return char_to_folded(c, out);
}

static unsigned to_title(Case *text, uint32_t c, const char *at, const char *next, uint32_t *out) {
    bool in_word = text->in_word;
    text->in_word = char_is_cased(c);
    return in_word ? to_lower(text, c, at, next, out) : char_to_title(c, out);
}

static unsigned to_capital(Case *text, uint32_t c, const char *at, const char *next,
                           uint32_t *out) {
    return at == text->start ? char_to_title(c, out) : to_lower(text, c, at, next, out);
}

static unsigned to_swapped(Case *text, uint32_t c, const char *at, const char *next,
                           uint32_t *out) {
    if (char_is_upper(c)) return to_lower(text, c, at, next, out);
    if (char_is_lower(c)) return char_to_upper(c, out);
    out[0] = c;
    return 1;
}

typedef unsigned (*MapChar)(Case *text, uint32_t c, const char *at, const char *next,
                            uint32_t *out);

/* What a character becomes depends on the one before at most. */
COLD bool ascii_map_long(GenVM *vm, MapAscii map_ascii, char *out, TextSpan text) {
    for (size_t done = 0, end; done < text.size; done = end) {
        if (!(end = next_piece(vm, done, text.size))) return false;
        bool in_word =
            done && (map_ascii == ascii_map_capital ||
                     (map_ascii == ascii_map_title && ascii_is(text.data[done - 1], ASCII_ALPHA)));
        map_ascii(out + done, text.data + done, end - done);
        if (in_word) out[done] = ascii_lower(text.data[done]);
    }
    return true;
}

/* `table` maps most code points below CASE_TABLE_END without context; NULL: none. */
static Value map(GenVM *vm, Value v, MapAscii map_ascii, MapChar map_char, const uint16_t *table) {
    Str *str = AS_STR(v);
    if (!text_charge(vm, str->size)) return VALUE_ERROR;
    if (str_is_ascii(str)) {
        char out[1];
        if (str->size == 0) return vm->empty_str;
        if (str->size == 1)
            return map_ascii(out, str->data, 1), vm->characters[(unsigned char)out[0]];
        Str *result = str_alloc(vm, str->size, str->size, STR_ASCII);
        if (!result) return VALUE_ERROR;
        return ascii_map(vm, map_ascii, (char *)result->data, str_span(v)) ? object_value(result)
                                                                           : VALUE_ERROR;
    }
    bool by_char = map_char != to_title && map_char != to_capital; /* ASCII maps without context */
    Case text = {str->data, str->data + str->size, false};
    StrBuilder builder;
    builder_init_work(&builder, vm);
    for (const char *at = text.start, *next; at < text.end && !builder.failed; at = next) {
        uint32_t out[CHAR_MAP_MAX];
        if (by_char && (unsigned char)*at < 0x80) {
            next = at + text_ascii_prefix(at, (size_t)(text.end - at));
            char *run = builder_reserve(&builder, (size_t)(next - at));
            if (run) map_ascii(run, at, (size_t)(next - at));
            continue;
        }
        next = at;
        uint32_t c = utf8_take(&next);
        if (table && c < CASE_TABLE_END && table[c]) {
            builder_put_char(&builder, table[c]);
            continue;
        }
        unsigned count = map_char(&text, c, at, next, out);
        for (unsigned i = 0; i < count; i++)
            builder_put_char(&builder, out[i]);
    }
    return builder_finish(&builder);
}

Value str_upper(GenVM *vm, Value *args) {
    return map(vm, args[0], ascii_map_upper, to_upper, low_uppercase);
}
Value str_lower(GenVM *vm, Value *args) {
    return map(vm, args[0], ascii_map_lower, to_lower, low_lowercase);
}
Value str_title(GenVM *vm, Value *args) {
    return map(vm, args[0], ascii_map_title, to_title, NULL);
}
Value str_casefold(GenVM *vm, Value *args) {
    return map(vm, args[0], ascii_map_lower, to_folded, NULL);
}
Value str_capitalize(GenVM *vm, Value *args) {
    return map(vm, args[0], ascii_map_capital, to_capital, NULL);
}
Value str_swapcase(GenVM *vm, Value *args) {
    return map(vm, args[0], ascii_map_swap, to_swapped, NULL);
}

/* ---- questions ---- */

static Value all(GenVM *vm, Value v, int ascii_mask, bool (*is)(uint32_t c)) {
    Str *str = AS_STR(v);
    if (!text_charge(vm, str->size)) return VALUE_ERROR;
    if (str_is_ascii(str)) return text_answer(ascii_all(vm, str_span(v), ascii_mask));
    for (const char *at = str->data, *end = at + str->size, *looked = at; at < end;) {
        if (!is(utf8_take(&at))) return VALUE_FALSE;
        if (!text_look(vm, at, &looked)) return VALUE_ERROR;
    }
    return VALUE_TRUE;
}

Value str_isalnum(GenVM *vm, Value *args) {
    return all(vm, args[0], ASCII_ALNUM, char_is_alnum);
}
Value str_isalpha(GenVM *vm, Value *args) {
    return all(vm, args[0], ASCII_ALPHA, char_is_alpha);
}
Value str_isdecimal(GenVM *vm, Value *args) {
    return all(vm, args[0], ASCII_DIGIT, char_is_decimal);
}
Value str_isdigit(GenVM *vm, Value *args) {
    return all(vm, args[0], ASCII_DIGIT, char_is_digit);
}
Value str_isnumeric(GenVM *vm, Value *args) {
    return all(vm, args[0], ASCII_DIGIT, char_is_numeric);
}
Value str_isspace(GenVM *vm, Value *args) {
    return all(vm, args[0], ASCII_TEXT_SPACE, char_is_space);
}

Value str_isascii(GenVM *vm, Value *args) {
    (void)vm;
    return bool_value(str_is_ascii(AS_STR(args[0])));
}

Value str_isprintable(GenVM *vm, Value *args) {
    Str *str = AS_STR(args[0]);
    if (!text_charge(vm, str->size)) return VALUE_ERROR;
    for (const char *at = str->data, *end = at + str->size, *looked = at; at < end;) {
        uint32_t c = utf8_take(&at);
        if (!text_look(vm, at, &looked)) return VALUE_ERROR;
        if (c < 0x7F ? c < ' ' : !char_is_printable(c)) return VALUE_FALSE;
    }
    return VALUE_TRUE;
}

COLD Value str_isidentifier(GenVM *vm, Value *args) {
    Str *str = AS_STR(args[0]);
    const char *at = str->data, *end = at + str->size, *looked = at;
    if (!text_charge(vm, str->size)) return VALUE_ERROR;
    if (at == end || !char_is_xid_start(utf8_take(&at))) return VALUE_FALSE;
    while (at < end) {
        if (!char_is_xid_continue(utf8_take(&at))) return VALUE_FALSE;
        if (!text_look(vm, at, &looked)) return VALUE_ERROR;
    }
    return VALUE_TRUE;
}

/* Some code point is `wanted`, and none is of the other two cases. */
static COLD Value is_case(GenVM *vm, Str *str, bool upper) {
    if (!text_charge(vm, str->size)) return VALUE_ERROR;
    bool found = false;
    for (const char *at = str->data, *end = at + str->size, *looked = at; at < end;) {
        uint32_t c = utf8_take(&at);
        if (!text_look(vm, at, &looked)) return VALUE_ERROR;
        if (char_is_title(c) || (upper ? char_is_lower(c) : char_is_upper(c))) return VALUE_FALSE;
        found = found || (upper ? char_is_upper(c) : char_is_lower(c));
    }
    return bool_value(found);
}

Value str_islower(GenVM *vm, Value *args) {
    Str *str = AS_STR(args[0]);
    if (!str_is_ascii(str)) return is_case(vm, str, false);
    if (!text_charge(vm, str->size)) return VALUE_ERROR;
    return text_answer(ascii_is_lower(vm, str_span(args[0])));
}

Value str_isupper(GenVM *vm, Value *args) {
    Str *str = AS_STR(args[0]);
    if (!str_is_ascii(str)) return is_case(vm, str, true);
    if (!text_charge(vm, str->size)) return VALUE_ERROR;
    return text_answer(ascii_is_upper(vm, str_span(args[0])));
}

COLD Value str_istitle(GenVM *vm, Value *args) {
    Str *str = AS_STR(args[0]);
    if (str_is_ascii(str)) {
        if (!text_charge(vm, str->size)) return VALUE_ERROR;
        return text_answer(ascii_is_title(vm, str_span(args[0])));
    }
    if (!text_charge(vm, str->size)) return VALUE_ERROR;
    bool found = false, in_word = false;
    for (const char *at = str->data, *end = at + str->size, *looked = at; at < end;) {
        uint32_t c = utf8_take(&at);
        if (!text_look(vm, at, &looked)) return VALUE_ERROR;
        bool starts = char_is_upper(c) || char_is_title(c), continues = !starts && char_is_lower(c);
        if (in_word ? starts : continues) return VALUE_FALSE;
        in_word = starts || continues;
        found |= in_word;
    }
    return bool_value(found);
}
