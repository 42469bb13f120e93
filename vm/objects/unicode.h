/* unicode.h - properties and case mappings of single code points, as CPython's str has them. From
 * utf8proc, with what that library leaves out in unicode_tables.h.
 */
#ifndef GEN_UNICODE_H
#define GEN_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

enum { CHAR_MAP_MAX = 4 }; /* code points that one maps to at most, with a spare */

bool char_is_alpha(uint32_t c);
bool char_is_decimal(uint32_t c);
bool char_is_digit(uint32_t c);
bool char_is_numeric(uint32_t c);
bool char_is_alnum(uint32_t c);
bool char_is_space(uint32_t c);
bool char_is_printable(uint32_t c);
bool char_is_lower(uint32_t c);
bool char_is_upper(uint32_t c);
bool char_is_title(uint32_t c);
bool char_is_cased(uint32_t c);
bool char_is_case_ignorable(uint32_t c);
bool char_is_xid_start(uint32_t c);
bool char_is_xid_continue(uint32_t c);

/* Full mappings without context: they write to `out` and return the count of code points. */
unsigned char_to_upper(uint32_t c, uint32_t *out);
unsigned char_to_lower(uint32_t c, uint32_t *out);
unsigned char_to_title(uint32_t c, uint32_t *out);
unsigned char_to_folded(uint32_t c, uint32_t *out);

int char_decimal_value(uint32_t c); /* 0 to 9, or -1 when c is no decimal digit */

#endif
