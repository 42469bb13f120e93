/* unicode_names.h: the characters that "\N{...}" names. */
#ifndef GEN_PARSER_UNICODE_NAMES_H
#define GEN_PARSER_UNICODE_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* The code point with this name or alias, in any case of letters, or -1. */
int64_t unicode_name_find(const char *name, size_t len);

#endif
