/* name_set.h: a set of interned names, to find one that is there twice in linear time. */
#ifndef GEN_PARSER_NAME_SET_H
#define GEN_PARSER_NAME_SET_H

#include "names.h"

typedef struct NameSet {
    const AstName **slots; /* open addressing, a power of two */
    uint32_t capacity;
    uint32_t count;
} NameSet; /* all zero is an empty one */

bool name_set_has(const NameSet *set, const AstName *name);

/* Adds a name that is not there. False when the arena is exhausted. */
bool name_set_add(NameSet *set, Arena *arena, const AstName *name);

#endif
