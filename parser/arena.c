/* arena.c: the blocks behind arena.h.
 *
 * Blocks double from 4 KiB up to 1 MiB, so a one-line program stays small and a large file needs
 * few calls of malloc. A request larger than a quarter of the block size gets a block of its own,
 * linked behind the current one, which stays in use.
 */
#include "arena.h"
#include "vm/memory.h"

#include <stdint.h>
#include <string.h>

struct ArenaBlock {
    ArenaBlock *next;
    size_t size; /* bytes behind this header */
};

#define FIRST_BLOCK ((size_t)4096)
#define LARGEST_BLOCK ((size_t)1 << 20)

void arena_init(Arena *arena, GenVM *vm, size_t limit) {
    *arena = (Arena){.vm = vm, .limit = limit != 0 ? limit : SIZE_MAX};
}

void arena_free(Arena *arena) {
    ArenaBlock *block = arena->blocks;
    while (block != NULL) {
        ArenaBlock *next = block->next;
        memory_free(block);
        block = next;
    }
    arena->next = arena->end = NULL;
    arena->blocks = NULL;
    arena->used = 0;
    arena->failed = false;
}

static ArenaBlock *take_block(Arena *arena, size_t size) {
    size_t total = sizeof(ArenaBlock) + size;
    bool allowed = !arena->poll || arena->poll(arena->vm, size);
    if (!allowed || total < size || total > arena->limit - arena->used) {
        arena->failed = true;
        return NULL;
    }
    ArenaBlock *block = memory_new(arena->vm, total);
    if (block == NULL) {
        arena->failed = true;
        return NULL;
    }
    arena->used += total;
    block->size = size;
    return block;
}

static size_t next_block_size(const Arena *arena) {
    size_t size = FIRST_BLOCK;
    while (size < LARGEST_BLOCK && size < arena->used)
        size *= 2;
    return size;
}

/* A block of its own for a large piece, kept behind the current block. */
static void *take_large(Arena *arena, size_t size) {
    ArenaBlock *block = take_block(arena, size);
    if (block == NULL) return NULL;
    if (arena->blocks == NULL) {
        block->next = NULL;
        arena->blocks = block;
        arena->next = arena->end = (char *)(block + 1) + size;
    } else {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    }
    return block + 1;
}

void *arena_grow(Arena *arena, size_t size) {
    if (arena->failed) return NULL;
    size_t wanted = next_block_size(arena);
    if (size > wanted / 4) return take_large(arena, size);
    ArenaBlock *block = take_block(arena, wanted);
    if (block == NULL) return NULL;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->next = (char *)(block + 1);
    arena->end = arena->next + wanted;
    return arena_take(arena, size);
}

void *arena_take_zeroed(Arena *arena, size_t size) {
    void *piece = arena_take(arena, size);
    if (piece != NULL) memset(piece, 0, size);
    return piece;
}

char *arena_copy_text(Arena *arena, const char *text, size_t len) {
    char *copy = arena_take(arena, len + 1);
    if (copy == NULL) return NULL;
    if (len != 0) memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}
