/* literals.h: from the text of a literal to its value. */
#ifndef GEN_PARSER_LITERALS_H
#define GEN_PARSER_LITERALS_H

#include "ast.h"

/* The most decimal digits that an int literal may have, as in Python. */
#define LITERAL_MAX_DIGITS 4300

/* The value of a NUMBER token. False when memory is out. An int of more decimal digits than allowed
 * is returned all the same: the caller compares its `len`. */
bool literal_number(Arena *arena, const char *text, size_t len, AstConstant *constant);

/* Why an escape sequence is refused. Positions are those that Python reports: bytes of the
 * literal's body, where a character outside of ASCII counts as its ten bytes of "\UXXXXXXXX". */
typedef struct EscapeError {
    const char *reason;
    int32_t start;
    int32_t end;     /* exclusive */
    const char *odd; /* of an accepted literal: behind the first backslash that escapes nothing, or
                        that begins an octal number above 0o377; else NULL */
} EscapeError;

/* Decodes the escapes of a str body into `dst`, which has room for `len` bytes, and returns the
 * length, or -1 with *error filled in. Escaped surrogates become their three-byte form. */
int64_t literal_decode_str(char *dst, const char *text, size_t len, EscapeError *error);

/* The same for a bytes body. */
int64_t literal_decode_bytes(char *dst, const char *text, size_t len, EscapeError *error);

#endif
