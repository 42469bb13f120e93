/* arena.h: memory that is taken in small pieces and given back all at once.
 *
 * A parse makes many small nodes that live and die together, so a piece costs a bump of a pointer
 * and nothing is freed one by one. An arena has a limit in bytes, since the source comes from
 * outside: once the limit or the memory refuses, `failed` stays set and every further request gets
 * NULL.
 */
#ifndef GEN_PARSER_ARENA_H
#define GEN_PARSER_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct GenVM GenVM;
typedef struct ArenaBlock ArenaBlock;

typedef struct Arena {
    GenVM *vm;                            /* whose memory it is; NULL: the C library's */
    bool (*poll)(GenVM *vm, size_t size); /* asked before each block; false: no more. May be NULL */
    char *next;                           /* the first free byte of the current block, aligned */
    char *end;                            /* the end of the current block */
    ArenaBlock *blocks;                   /* all blocks, the current one first */
    size_t used;                          /* bytes taken of the VM's memory */
    size_t limit;                         /* the most `used` may become */
    bool failed;                          /* a request was refused */
} Arena;

/* What an allocation is aligned to: enough for every struct of the tree. */
#define ARENA_ALIGN 8u

/* An empty arena; it takes no memory before its first use. A limit of 0 means none. */
void arena_init(Arena *arena, GenVM *vm, size_t limit);

/* Gives every byte back; the arena is then as after arena_init with the same limit. */
void arena_free(Arena *arena);

/* The slow path of arena_take: takes a new block. */
void *arena_grow(Arena *arena, size_t size);

/* `size` bytes with unspecified contents, or NULL once the arena is exhausted. */
static inline void *arena_take(Arena *arena, size_t size) {
    if (size <= (size_t)(arena->end - arena->next)) {
        void *piece = arena->next;
        size_t rounded = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
        size_t room = (size_t)(arena->end - arena->next);
        arena->next += rounded <= room ? rounded : room;
        return piece;
    }
    return arena_grow(arena, size);
}

/* The same, with every byte zero. */
void *arena_take_zeroed(Arena *arena, size_t size);

/* A copy of `len` bytes followed by a NUL, or NULL. */
char *arena_copy_text(Arena *arena, const char *text, size_t len);

#endif
