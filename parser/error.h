/* error.h: filling in a ParseError, shared by the lexer, the parser and scope analysis. */
#ifndef GEN_PARSER_ERROR_H
#define GEN_PARSER_ERROR_H

#include "parse.h"

#include <stdarg.h>

/* Where an error is, in bytes from 1. A column of 0 or -1 is kept as it is: "unknown". */
typedef struct ErrorPlace {
    int32_t line;
    int32_t col;
    int32_t end_line;
    int32_t end_col;
} ErrorPlace;

/* The place of a span. */
static inline ErrorPlace error_place(AstSpan span) {
    return (ErrorPlace){span.line, span.col + 1, span.end_line, span.end_col + 1};
}

/* Fills in *error: the message formatted as by printf, columns turned into characters, and the
 * line's text found in the source, with or without its newline. Text and message are kept in the
 * arena. */
void error_set(Arena *arena, ParseError *error, ParseErrorKind kind, const char *source,
               ErrorPlace place, bool with_newline, const char *format, va_list args);

/* The error of an exhausted arena or of a source that nests too deeply. The message is kept. */
void error_set_memory(ParseError *error, const char *message);

#endif
