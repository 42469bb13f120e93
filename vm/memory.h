/* memory.h - where all memory of a VM comes from: the host's function (GenConfig.allocate), or the
 * C library's malloc.
 *
 * Two layers. memory_raw is the source itself, for the heap (gc.c), which knows the sizes of its
 * blocks and keeps accounts of its own. All else is a block of the functions below it, which carry
 * their owner and size in front of them, so that the host is told the exact size when they are
 * freed, and count into vm->outside_bytes, which the memory budgets count as they do the heap.
 *
 * A null vm is for work without a VM: the C library's memory, counted nowhere.
 */
#ifndef GEN_MEMORY_H
#define GEN_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct GenVM GenVM;

/* Allocates (block NULL, old_size 0), changes the size, or frees (new_size 0). NULL: no memory,
 * and the block is as before. */
void *memory_raw(GenVM *vm, void *block, size_t old_size, size_t new_size);

/* Like malloc, calloc, realloc and free; NULL, without an exception, also where a large block
 * would break the memory budget. */
void *memory_new(GenVM *vm, size_t size);
void *memory_new_zeroed(GenVM *vm, size_t count, size_t size);
void *memory_resize(GenVM *vm, void *block, size_t size); /* block: NULL, or a block of this vm */
void memory_free(void *block);                            /* may be NULL */

/* What a library holds for the VM of memory that it takes by itself, as far as that is known: from
 * `*counted` bytes on it is `size`. False, and nothing changed, where much more would break the
 * memory budget. */
bool memory_count(GenVM *vm, size_t *counted, size_t size);

#endif
