/* memory.c - blocks of memory outside of the heap's cells. See memory.h. */
#include "vm/memory.h"
#include "vm/vm.h"

#include <stdlib.h>

/* From this size on a block is looked at as the sizes that programs choose are: what is smaller is
 * noticed at the next safepoint. */
enum { LARGE_FROM = 4096 };

typedef struct Prefix { /* in front of each block */
    GenVM *vm;
    size_t size; /* of the block, without this */
} Prefix;
_Static_assert(sizeof(Prefix) % 16 == 0, "blocks are aligned as malloc's are");

void *memory_raw(GenVM *vm, void *block, size_t old_size, size_t new_size) {
    if (vm && vm->allocate) return vm->allocate(vm->host_data, block, old_size, new_size);
    if (new_size) return realloc(block, new_size);
    free(block);
    return NULL;
}

/* Garbage may be all that is in the way: the next safepoint looks for it. */
static COLD void *refused(GenVM *vm) {
    if (vm) vm->poll |= POLL_GC_FULL;
    return NULL;
}

static bool may_take(GenVM *vm, size_t more) {
    return more < LARGE_FROM || !vm || !vm->heap || gc_has_room(vm, more);
}

static void *whole(Prefix *prefix, GenVM *vm, size_t size) {
    *prefix = (Prefix){vm, size};
    return prefix + 1;
}

void *memory_new(GenVM *vm, size_t size) {
    if (size > PTRDIFF_MAX - sizeof(Prefix) || !may_take(vm, size)) return NULL;
    Prefix *prefix = memory_raw(vm, NULL, 0, sizeof *prefix + size);
    if (!prefix) return refused(vm);
    if (vm) vm->outside_bytes += size;
    return whole(prefix, vm, size);
}

void *memory_new_zeroed(GenVM *vm, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - sizeof(Prefix))
        return NULL;
    if (vm && vm->allocate) {
        void *block = memory_new(vm, bytes);
        return block ? memset(block, 0, bytes) : NULL;
    }
    if (!may_take(vm, bytes)) return NULL;
    Prefix *prefix = calloc(1, sizeof *prefix + bytes); /* fresh pages need no clearing */
    if (!prefix) return refused(vm);
    if (vm) vm->outside_bytes += bytes;
    return whole(prefix, vm, bytes);
}

void *memory_resize(GenVM *vm, void *block, size_t size) {
    if (!block) return memory_new(vm, size);
    Prefix *prefix = (Prefix *)block - 1;
    size_t before = prefix->size;
    if (size > PTRDIFF_MAX - sizeof *prefix) return NULL;
    if (size > before && !may_take(vm, size - before)) return NULL;
    prefix = memory_raw(vm, prefix, sizeof *prefix + before, sizeof *prefix + size);
    if (!prefix) return refused(vm);
    if (vm) vm->outside_bytes += size - before;
    return whole(prefix, vm, size);
}

void memory_free(void *block) {
    if (!block) return;
    Prefix *prefix = (Prefix *)block - 1;
    GenVM *vm = prefix->vm;
    if (vm) vm->outside_bytes -= prefix->size;
    memory_raw(vm, prefix, sizeof *prefix + prefix->size, 0);
}

bool memory_count(GenVM *vm, size_t *counted, size_t size) {
    if (size > *counted && !may_take(vm, size - *counted)) return refused(vm) != NULL;
    vm->outside_bytes += size - *counted;
    *counted = size;
    return true;
}
