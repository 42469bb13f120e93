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
    uint32_t len : 24;  /* bytes, without the final NUL */
    uint32_t token : 8; /* a keyword's kind of token for the lexer, else 0 */
    char text[];
} AstName;

typedef struct NameTable {
    Arena *arena;
    AstName **slots; /* open addressing, a power of two, NULL where free */
    uint32_t capacity;
    uint32_t count;
    uint32_t seed; /* where hashes begin: a source cannot be written to collide */
} NameTable;

/* An empty table that keeps its names in the arena. */
void names_init(NameTable *names, Arena *arena);

/* The one name with this text, made when it is new; NULL when the arena is exhausted or the text is
 * longer than 16 MiB. */
AstName *names_intern(NameTable *names, const char *text, size_t len);

/* The same when the hash is at hand: names_hash of each byte in turn, beginning with the seed. */
AstName *names_intern_hashed(NameTable *names, const char *text, size_t len, uint32_t hash);

/* One step of FNV-1a. */
static inline uint32_t names_hash(uint32_t hash, char byte) {
    return (hash ^ (unsigned char)byte) * 16777619u;
}

/* The same for a NUL-terminated text. */
AstName *names_intern_text(NameTable *names, const char *text);

/* Whether the name is spelled like this. */
bool names_equal(const AstName *name, const char *text);

#endif
