/* source.c: decoding and newline translation, see source.h.
 *
 * Nearly every source is ASCII or UTF-8 with "\n" line ends, so the common path is one check for
 * bytes above 127 and one copy. The rest goes byte by byte.
 */
#include "source.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Positions in the tree are 32 bits wide. */
#define LARGEST_SOURCE ((size_t)1 << 30)

typedef enum Encoding { ENCODING_UTF8, ENCODING_ASCII, ENCODING_LATIN1, ENCODING_UNKNOWN } Encoding;

#define ENCODING_NAME_MAX 64

static bool fail(Arena *arena, ParseError *error, const char *format, ...) {
    char buffer[256];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(buffer, sizeof buffer, format, args);
    va_end(args);
    const char *message = arena_copy_text(arena, buffer, (size_t)len);
    *error = (ParseError){.kind = PARSE_SYNTAX_ERROR, .message = message};
    if (message == NULL)
        *error = (ParseError){.kind = PARSE_MEMORY_ERROR, .message = "out of memory"};
    return false;
}

static bool fail_memory(ParseError *error) {
    *error = (ParseError){.kind = PARSE_MEMORY_ERROR, .message = "out of memory"};
    return false;
}

static bool is_continuation(unsigned char byte) {
    return (byte & 0xC0) == 0x80;
}

/* The allowed range of the second byte depends on the first: it excludes overlong forms,
 * surrogates and what lies beyond U+10FFFF. */
static bool is_second_byte(unsigned char first, unsigned char second) {
    switch (first) {
    case 0xE0: return second >= 0xA0 && second <= 0xBF;
    case 0xED: return second >= 0x80 && second <= 0x9F;
    case 0xF0: return second >= 0x90 && second <= 0xBF;
    case 0xF4: return second >= 0x80 && second <= 0x8F;
    default: return is_continuation(second);
    }
}

int source_check_utf8(const unsigned char *text, size_t len, const char **reason) {
    unsigned char first = text[0];
    if (first < 0x80) return 1;
    int size = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    *reason = "invalid start byte";
    if (size == 0) return 0;
    for (int i = 1; i < size; i++) {
        *reason = "unexpected end of data";
        if ((size_t)i >= len) return 0;
        *reason = "invalid continuation byte";
        if (i == 1 ? !is_second_byte(first, text[1]) : !is_continuation(text[i])) return 0;
    }
    return size;
}

/* Whether any byte is above 127, eight at a time. */
static bool has_high_byte(const char *bytes, size_t len) {
    uint64_t seen = 0;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        seen |= word;
    }
    for (; i < len; i++)
        seen |= (unsigned char)bytes[i];
    return (seen & 0x8080808080808080u) != 0;
}

static bool check_utf8(Arena *arena, const char *bytes, size_t len, ParseError *error) {
    const unsigned char *text = (const unsigned char *)bytes;
    size_t i = 0;
    while (i < len) {
        const char *reason = NULL;
        int size = source_check_utf8(text + i, len - i, &reason);
        if (size == 0)
            return fail(
                arena, error,
                "(unicode error) 'utf-8' codec can't decode byte 0x%02x in position %zu: %s",
                text[i], i, reason);
        i += (size_t)size;
    }
    return true;
}

static bool check_ascii(Arena *arena, const char *bytes, size_t len, ParseError *error) {
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)bytes[i] >= 0x80)
            return fail(arena, error,
                        "(unicode error) 'ascii' codec can't decode byte 0x%02x in position %zu: "
                        "ordinal not in range(128)",
                        (unsigned char)bytes[i], i);
    }
    return true;
}

static size_t line_length(const char *bytes, size_t len) {
    size_t i = 0;
    while (i < len && bytes[i] != '\n' && bytes[i] != '\r')
        i++;
    return i;
}

static bool is_word_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

/* Looks for "coding:" or "coding=" in a line that is only a comment. Returns the start of the name
 * and its length in *name_len, or NULL. *is_blank says whether the next line may hold a cookie. */
static const char *find_cookie(const char *line, size_t len, size_t *name_len, bool *is_blank) {
    size_t i = 0;
    while (i < len && (line[i] == ' ' || line[i] == '\t' || line[i] == '\f'))
        i++;
    *is_blank = i == len || line[i] == '#';
    if (i == len || line[i] != '#') return NULL;
    for (; i + 7 <= len; i++) {
        if (memcmp(line + i, "coding", 6) != 0 || (line[i + 6] != ':' && line[i + 6] != '='))
            continue;
        size_t start = i + 7;
        while (start < len && (line[start] == ' ' || line[start] == '\t'))
            start++;
        size_t end = start;
        while (end < len && is_word_byte(line[end]))
            end++;
        if (end > start) {
            *name_len = end - start;
            return line + start;
        }
    }
    return NULL;
}

static bool begins_with(const char *text, const char *prefix) {
    size_t len = strlen(prefix);
    return strncmp(text, prefix, len) == 0 && (text[len] == '\0' || text[len] == '-');
}

static Encoding encoding_by_name(const char *name, size_t len) {
    char normal[ENCODING_NAME_MAX];
    if (len >= sizeof normal) return ENCODING_UNKNOWN;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        normal[i] = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    normal[len] = '\0';
    if (begins_with(normal, "utf-8") || strcmp(normal, "utf8") == 0) return ENCODING_UTF8;
    if (begins_with(normal, "latin-1") || begins_with(normal, "iso-8859-1") ||
        begins_with(normal, "iso-latin-1") || strcmp(normal, "latin1") == 0)
        return ENCODING_LATIN1;
    if (strcmp(normal, "ascii") == 0 || strcmp(normal, "us-ascii") == 0) return ENCODING_ASCII;
    return ENCODING_UNKNOWN;
}

static bool fail_encoding(Arena *arena, ParseError *error, const char *format, size_t len,
                          const char *name) {
    fail(arena, error, format, (int)(len < ENCODING_NAME_MAX ? len : ENCODING_NAME_MAX), name);
    error->col = -1;
    return false;
}

/* The encoding that the source declares; UTF-8 when it declares none. */
static bool find_encoding(Arena *arena, const char *bytes, size_t len, bool has_mark,
                          Encoding *encoding, ParseError *error) {
    *encoding = ENCODING_UTF8;
    const char *line = bytes;
    const char *end = bytes + len;
    for (int i = 0; i < 2; i++) {
        size_t size = line_length(line, (size_t)(end - line));
        size_t name_len = 0;
        bool is_blank = false;
        const char *name = find_cookie(line, size, &name_len, &is_blank);
        if (name != NULL) {
            *encoding = encoding_by_name(name, name_len);
            if (*encoding == ENCODING_UNKNOWN)
                return fail_encoding(arena, error, "unknown encoding: %.*s", name_len, name);
            if (has_mark && *encoding != ENCODING_UTF8)
                return fail_encoding(arena, error, "encoding problem: %.*s with BOM", name_len,
                                     name);
            return true;
        }
        if (!is_blank) return true;
        line += size;
        if (line < end && *line == '\r') line++;
        if (line < end && *line == '\n') line++;
    }
    return true;
}

/* Copies with "\r\n" and "\r" turned into "\n", and Latin-1 bytes into UTF-8 when asked. */
static size_t copy_translated(char *dst, const char *bytes, size_t len, bool is_latin1) {
    char *out = dst;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '\r') {
            *out++ = '\n';
            if (i + 1 < len && bytes[i + 1] == '\n') i++;
        } else if (is_latin1 && c >= 0x80) {
            *out++ = (char)(0xC0 | c >> 6);
            *out++ = (char)(0x80 | (c & 0x3F));
        } else {
            *out++ = (char)c;
        }
    }
    return (size_t)(out - dst);
}

static bool copy_source(Arena *arena, const char *bytes, size_t len, bool is_latin1,
                        SourceText *result, ParseError *error) {
    char *text = arena_take(arena, (is_latin1 ? 2 * len : len) + 2);
    if (text == NULL) return fail_memory(error);
    size_t size = len;
    if (is_latin1 || memchr(bytes, '\r', len) != NULL)
        size = copy_translated(text, bytes, len, is_latin1);
    else
        memcpy(text, bytes, len);
    result->newline_is_added = size == 0 || text[size - 1] != '\n';
    if (result->newline_is_added) text[size++] = '\n';
    text[size] = '\0';
    result->text = text;
    result->len = size;
    return true;
}

bool source_decode(Arena *arena, const char *bytes, size_t len, bool is_text, SourceText *result,
                   ParseError *error) {
    if (len > LARGEST_SOURCE) return fail_memory(error);
    if (len == 0) return copy_source(arena, "", 0, false, result, error);
    bool has_mark = !is_text && len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0;
    if (has_mark) {
        bytes += 3;
        len -= 3;
    }
    Encoding encoding = ENCODING_UTF8;
    if (!is_text && !find_encoding(arena, bytes, len, has_mark, &encoding, error)) return false;
    if (memchr(bytes, '\0', len) != NULL)
        return fail(arena, error, "source code string cannot contain null bytes");
    if (has_high_byte(bytes, len)) {
        if (encoding == ENCODING_UTF8 && !check_utf8(arena, bytes, len, error)) return false;
        if (encoding == ENCODING_ASCII && !check_ascii(arena, bytes, len, error)) return false;
    }
    return copy_source(arena, bytes, len, encoding == ENCODING_LATIN1, result, error);
}
