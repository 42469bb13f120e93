/* names.h: the identifiers of one parse, each stored once.
 *
 * The lexer, scope analysis and code generation compare names all the time; interning makes that a
 * comparison of pointers. A table belongs to one parse and lives in its arena: names of two parses
 * must not be mixed.
 */
#ifndef GEN_PARSER_NAMES_H
#define GEN_PARSER_NAMES_H

#include "arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An identifier in NFKC. Within one parse two names are equal exactly when their pointers are. */
typedef struct AstName {
    uint32_t hash;
    uint32_t len; /* bytes, without the final NUL */
    char text[];
} AstName;

typedef struct NameTable {
    Arena *arena;
    AstName **slots; /* open addressing, a power of two, NULL where free */
    uint32_t capacity;
    uint32_t count;
} NameTable;

/* An empty table that keeps its names in the arena. */
void names_init(NameTable *names, Arena *arena);

/* The one name with this text, made when it is new; NULL when the arena is exhausted. */
AstName *names_intern(NameTable *names, const char *text, size_t len);

/* The same for a NUL-terminated text. */
AstName *names_intern_text(NameTable *names, const char *text);

/* Whether the name is spelled like this. */
bool names_equal(const AstName *name, const char *text);

#endif
