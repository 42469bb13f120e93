/* sizeof.h - how much memory a value takes: what sys.getsizeof gives. */
#ifndef GEN_SIZEOF_H
#define GEN_SIZEOF_H

#include "vm/vm.h"

/* Bytes of the heap that the object itself and the storage that it alone owns take, as the heap
 * counts them (so in steps of 16 for small objects); 0 for values that take none. What it refers to
 * is not counted. */
uint64_t value_memory(GenVM *vm, Value v);

#endif
