/* unicode_names.h - the names of characters, as in "\N{EURO SIGN}" and for the error handler
 * namereplace. */
#ifndef GEN_UNICODE_NAMES_H
#define GEN_UNICODE_NAMES_H

#include <stddef.h>
#include <stdint.h>

enum { UNICODE_NAME_MAX = 100 }; /* room for any name and its NUL */

#ifdef GEN_NO_LIBRARY
enum { UNICODE_HAS_NAMES = 0 }; /* built with LIBRARY=0: no character has a name */
#else
enum { UNICODE_HAS_NAMES = 1 };
#endif

/* What looking for one takes at most, in steps: all names are gone through. */
enum { UNICODE_NAME_STEPS = 1 << 14 };

/* The code point with this name or alias, in any case of letters, or -1. */
int64_t unicode_name_find(const char *name, size_t size);

/* Writes the name of c, ended by a NUL; returns its size, 0 when c has none. */
size_t unicode_name_of(uint32_t c, char *out);

#endif
