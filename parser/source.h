/* source.h: from the bytes of a file to text that the lexer can walk without looking over its end.
 *
 * The result is UTF-8 with "\n" line ends, ends in a newline and then a NUL, and holds no other
 * NUL. Decoding follows Python: a byte order mark is dropped, a coding cookie in the first two
 * lines chooses between UTF-8, ASCII and Latin-1, anything else is refused.
 */
#ifndef GEN_PARSER_SOURCE_H
#define GEN_PARSER_SOURCE_H

#include "parse.h"

typedef struct SourceText {
    const char *text;
    size_t len;            /* with the final newline, without the NUL */
    bool newline_is_added; /* the source did not end in a newline */
} SourceText;

/* Decodes `bytes` into the arena. With `is_text` the bytes are UTF-8 that was decoded before, and a
 * cookie has no meaning. False with *error filled in when the bytes are not a valid source. */
bool source_decode(Arena *arena, const char *bytes, size_t len, bool is_text, SourceText *result,
                   ParseError *error);

/* The length of a valid UTF-8 sequence at `text` (1 to 4), or 0 with *reason set to what Python's
 * decoder says about it. */
int source_check_utf8(const unsigned char *text, size_t len, const char **reason);

#endif
