/* held_descriptor.h - a descriptor of its own that a native waits with while its thread is parked
 * (vm/threads.h): it is closed with the native's result, or with the thread. */
#ifndef GEN_HELD_DESCRIPTOR_H
#define GEN_HELD_DESCRIPTOR_H

#include "vm/resource.h"
#include "vm/threads.h"

#include <unistd.h>

static const char held_descriptor_kind[] = "descriptor that a thread waits with";

static inline void held_descriptor_close(GenVM *vm, void *data) {
    (void)vm;
    close((int)(intptr_t)data - 1);
}

/* Before threads_park(). False with an exception pending; the descriptor is closed then. */
static inline bool held_descriptor_keep(GenVM *vm, int fd) {
    Value held =
        resource_new(vm, held_descriptor_kind, (void *)(intptr_t)(fd + 1), held_descriptor_close);
    if (held == VALUE_ERROR) return false;
    threads_hold(vm, held);
    return true;
}

/* The one that the native has kept before it was run anew; -1: none. */
static inline int held_descriptor(GenVM *vm) {
    Value held = vm->resumed ? threads_current(vm)->held : VALUE_UNSET;
    if (held == VALUE_UNSET) return -1;
    return (int)(intptr_t)resource_data(vm, held, held_descriptor_kind) - 1;
}

#endif
