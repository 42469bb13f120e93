/* error.c: see error.h. Errors are rare, so a line is found by counting newlines from the start. */
#include "error.h"

#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX 400 /* a message holds at most a few names */

static const char *find_line(const char *source, int32_t line, size_t *len) {
    for (int32_t i = 1; i < line; i++) {
        const char *newline = strchr(source, '\n');
        if (newline == NULL || newline[1] == '\0') break;
        source = newline + 1;
    }
    *len = strcspn(source, "\n");
    return source;
}

/* A column in bytes from 1 as a column in characters from 1. A column past the line's end counts
 * on from there. */
static int32_t to_characters(const char *line, size_t len, int32_t col) {
    if (col <= 0) return col;
    int32_t characters = 1;
    for (int32_t i = 0; i < col - 1; i++) {
        if ((size_t)i >= len || ((unsigned char)line[i] & 0xC0) != 0x80) characters++;
    }
    return characters;
}

void error_set_memory(ParseError *error, const char *message) {
    *error = (ParseError){.kind = PARSE_MEMORY_ERROR, .message = message};
}

void error_set(Arena *arena, ParseError *error, ParseErrorKind kind, const char *source,
               ErrorPlace place, bool with_newline, const char *format, va_list args) {
    char buffer[MESSAGE_MAX];
    int size = vsnprintf(buffer, sizeof buffer, format, args);
    size_t message_len = size < MESSAGE_MAX ? (size_t)size : MESSAGE_MAX - 1;
    while (size >= MESSAGE_MAX && ((unsigned char)buffer[message_len] & 0xC0) == 0x80)
        message_len--; /* never cut a character in two */
    size_t len = 0;
    const char *line = find_line(source, place.line, &len);
    size_t end_len = 0;
    const char *end_line = find_line(source, place.end_line, &end_len);
    const char *message = arena_copy_text(arena, buffer, message_len);
    const char *text = arena_copy_text(arena, line, len + (with_newline && line[len] == '\n'));
    if (message == NULL || text == NULL) {
        error_set_memory(error, "out of memory");
        return;
    }
    *error = (ParseError){
        .kind = kind,
        .message = message,
        .line = place.line,
        .col = to_characters(line, len, place.col),
        .end_line = place.end_line,
        .end_col = to_characters(end_line, end_len, place.end_col),
        .text = text,
    };
}

const char *parse_error_type(ParseErrorKind kind) {
    switch (kind) {
    case PARSE_NO_ERROR: return "";
    case PARSE_SYNTAX_ERROR:
    case PARSE_INCOMPLETE: return "SyntaxError";
    case PARSE_INDENTATION_ERROR: return "IndentationError";
    case PARSE_TAB_ERROR: return "TabError";
    case PARSE_MEMORY_ERROR: return "MemoryError";
    case PARSE_RECURSION_ERROR: return "RecursionError";
    }
    return "";
}
