/* literals.c: the values of numbers and strings, see literals.h. */
#include "literals.h"

#include "vm/objects/unicode_names.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>

/* Numbers. */

/* The digits without underscores and prefix; leading zeros go, but for the last digit. */
static char *copy_digits(Arena *arena, const char *text, size_t len, uint32_t *count) {
    char *digits = arena_take(arena, len + 1);
    if (digits == NULL) return NULL;
    uint32_t size = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '_' || (size == 0 && text[i] == '0' && i + 1 < len)) continue;
        digits[size++] = text[i];
    }
    if (size == 0) digits[size++] = '0';
    digits[size] = '\0';
    *count = size;
    return digits;
}

static int digit_value(char c) {
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Sets `value` and `fits` when the digits make a number below 2^61. */
static void set_small_value(AstConstant *constant) {
    const uint64_t limit = (uint64_t)1 << 61;
    uint64_t value = 0;
    constant->fits = false;
    for (uint32_t i = 0; i < constant->len; i++) {
        uint64_t digit = (uint64_t)digit_value(constant->text[i]);
        if (value > (limit - 1 - digit) / constant->base) return;
        value = value * constant->base + digit;
    }
    constant->fits = true;
    constant->value = (int64_t)value;
}

static bool make_int(Arena *arena, const char *text, size_t len, AstConstant *constant) {
    constant->kind = CONSTANT_Int;
    constant->base = 10;
    if (len > 2 && text[0] == '0') {
        char letter = (char)(text[1] | 0x20);
        constant->base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
    }
    if (constant->base != 10) {
        text += 2;
        len -= 2;
    }
    constant->text = copy_digits(arena, text, len, &constant->len);
    if (constant->text == NULL) return false;
    set_small_value(constant);
    return true;
}

/* strtod reads the decimal point of the host's locale, so that one is put in. */
static bool make_double(Arena *arena, const char *text, size_t len, double *number) {
    const char *point = nl_langinfo(RADIXCHAR);
    size_t point_len = strlen(point);
    char *copy = arena_take(arena, len + point_len + 1);
    if (copy == NULL) return false;
    size_t size = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.') {
            memcpy(copy + size, point, point_len);
            size += point_len;
        } else if (text[i] != '_') {
            copy[size++] = text[i];
        }
    }
    copy[size] = '\0';
    *number = strtod(copy, NULL);
    return true;
}

static bool is_based(const char *text, size_t len) {
    if (len < 2 || text[0] != '0') return false;
    char letter = (char)(text[1] | 0x20);
    return letter == 'x' || letter == 'o' || letter == 'b';
}

bool literal_number(Arena *arena, const char *text, size_t len, AstConstant *constant) {
    *constant = (AstConstant){.kind = CONSTANT_Int};
    if (is_based(text, len)) return make_int(arena, text, len, constant);
    char last = text[len - 1];
    if (last == 'j' || last == 'J') {
        constant->kind = CONSTANT_Complex;
        return make_double(arena, text, len - 1, &constant->number);
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' || text[i] == 'e' || text[i] == 'E') {
            constant->kind = CONSTANT_Float;
            return make_double(arena, text, len, &constant->number);
        }
    }
    return make_int(arena, text, len, constant);
}

/* Escapes. */

/* A literal's body while it is decoded. `position` is the one that errors report. */
typedef struct Decoder {
    const char *cur;
    const char *end;
    char *out;
    int32_t position;
    EscapeError *error;
} Decoder;

static bool is_octal_digit(char c) {
    return c >= '0' && c <= '7';
}

static bool is_hex_digit(char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool fail_escape(Decoder *d, int32_t len, const char *reason) {
    *d->error = (EscapeError){.reason = reason, .start = d->position, .end = d->position + len};
    return false;
}

/* Writes UTF-8; a surrogate gets its three bytes like any other code point of its size. */
static void put_code_point(Decoder *d, uint32_t c) {
    if (c < 0x80) {
        *d->out++ = (char)c;
    } else if (c < 0x800) {
        *d->out++ = (char)(0xC0 | c >> 6);
        *d->out++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *d->out++ = (char)(0xE0 | c >> 12);
        *d->out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *d->out++ = (char)(0x80 | (c & 0x3F));
    } else {
        *d->out++ = (char)(0xF0 | c >> 18);
        *d->out++ = (char)(0x80 | (c >> 12 & 0x3F));
        *d->out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *d->out++ = (char)(0x80 | (c & 0x3F));
    }
}

static void note_odd(Decoder *d, const char *escape) {
    if (d->error->odd == NULL && (unsigned char)*escape < 0x80) d->error->odd = escape;
}

/* Up to three octal digits; `cur` is at the first. */
static uint32_t read_octal(Decoder *d) {
    const char *start = d->cur;
    uint32_t value = 0;
    for (int i = 0; i < 3 && d->cur < d->end && is_octal_digit(*d->cur); i++)
        value = value * 8 + (uint32_t)(*d->cur++ - '0');
    if (value > 0377) note_odd(d, start);
    return value;
}

/* Exactly `count` hexadecimal digits behind the letter. */
static bool read_hex(Decoder *d, int count, const char *reason, uint32_t *value) {
    *value = 0;
    for (int i = 0; i < count; i++) {
        if (d->cur >= d->end || !is_hex_digit(*d->cur)) return fail_escape(d, 2 + i, reason);
        *value = *value * 16 + (uint32_t)digit_value(*d->cur++);
    }
    return true;
}

/* The name in braces behind \N. */
static bool read_named(Decoder *d, uint32_t *value) {
    static const char malformed[] = "malformed \\N character escape";
    if (d->cur >= d->end || *d->cur != '{') return fail_escape(d, 2, malformed);
    const char *name = d->cur + 1;
    const char *close = memchr(name, '}', (size_t)(d->end - name));
    if (close == NULL || close == name)
        return fail_escape(d, close == NULL ? (int32_t)(d->end - d->cur) + 2 : 3, malformed);
    if (!UNICODE_HAS_NAMES)
        return fail_escape(d, (int32_t)(close - name) + 4,
                           "\\N escapes not supported (can't load unicodedata module)");
    int64_t found = unicode_name_find(name, (size_t)(close - name));
    if (found < 0)
        return fail_escape(d, (int32_t)(close - name) + 4, "unknown Unicode character name");
    d->cur = close + 1;
    *value = (uint32_t)found;
    return true;
}

/* One of \a \b \f \n \r \t \v \\ \' \", or -1. */
static int simple_escape(char c) {
    switch (c) {
    case '\\': return '\\';
    case '\'': return '\'';
    case '"': return '"';
    case 'a': return '\a';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    default: return -1;
    }
}

/* An escape that names a code point. Sets *is_escape to false when the backslash is an ordinary
 * one. */
static bool read_code_point(Decoder *d, uint32_t *value, bool *is_escape) {
    char letter = *d->cur;
    *is_escape = true;
    if (is_octal_digit(letter)) {
        *value = read_octal(d);
        return true;
    }
    d->cur++;
    switch (letter) {
    case 'x': return read_hex(d, 2, "truncated \\xXX escape", value);
    case 'u': return read_hex(d, 4, "truncated \\uXXXX escape", value);
    case 'U':
        if (!read_hex(d, 8, "truncated \\UXXXXXXXX escape", value)) return false;
        return *value <= 0x10FFFF || fail_escape(d, 10, "illegal Unicode character");
    case 'N': return read_named(d, value);
    default: break;
    }
    d->cur--;
    *is_escape = false;
    return true;
}

/* What follows a backslash in a str; `cur` is behind the backslash. */
static bool decode_escape(Decoder *d) {
    if (*d->cur == '\n') {
        d->cur++;
        return true;
    }
    int simple = simple_escape(*d->cur);
    if (simple >= 0) {
        *d->out++ = (char)simple;
        d->cur++;
        return true;
    }
    uint32_t value = 0;
    bool is_escape = false;
    if (!read_code_point(d, &value, &is_escape)) return false;
    if (is_escape) {
        put_code_point(d, value);
    } else {
        note_odd(d, d->cur);
        *d->out++ = '\\';
    }
    return true;
}

int64_t literal_decode_str(char *dst, const char *text, size_t len, EscapeError *error) {
    Decoder d = {.cur = text, .end = text + len, .out = dst, .error = error};
    while (d.cur < d.end) {
        const char *start = d.cur;
        unsigned char c = (unsigned char)*d.cur++;
        if (c != '\\' || d.cur >= d.end) {
            *d.out++ = (char)c;
            d.position += c < 0x80 ? 1 : c >= 0xC0 ? 10 : 0;
            continue;
        }
        if (!decode_escape(&d)) return -1;
        d.position += (int32_t)(d.cur - start);
    }
    return d.out - dst;
}

static bool decode_bytes_escape(Decoder *d, const char *text) {
    const char *escape = d->cur - 1;
    char c = *d->cur;
    int simple = simple_escape(c);
    if (c == '\n') {
        d->cur++;
    } else if (simple >= 0) {
        *d->out++ = (char)simple;
        d->cur++;
    } else if (is_octal_digit(c)) {
        *d->out++ = (char)read_octal(d);
    } else if (c == 'x') {
        uint32_t value = 0;
        d->cur++;
        if (!read_hex(d, 2, "invalid \\x escape at position", &value)) {
            d->error->start = (int32_t)(escape - text);
            return false;
        }
        *d->out++ = (char)value;
    } else {
        note_odd(d, d->cur);
        *d->out++ = '\\';
    }
    return true;
}

int64_t literal_decode_bytes(char *dst, const char *text, size_t len, EscapeError *error) {
    Decoder d = {.cur = text, .end = text + len, .out = dst, .error = error};
    while (d.cur < d.end) {
        char c = *d.cur++;
        if (c != '\\' || d.cur >= d.end)
            *d.out++ = c;
        else if (!decode_bytes_escape(&d, text))
            return -1;
    }
    return d.out - dst;
}
