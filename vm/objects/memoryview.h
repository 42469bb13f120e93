/* memoryview.h - the layout of a memoryview and the table of its item formats, shared by its two
 * files. */
#ifndef GEN_MEMORYVIEW_H
#define GEN_MEMORYVIEW_H

#include "vm/objects/text.h"

#include <stdio.h>

typedef struct MemoryFormat { /* how one item is stored, in native order and size */
    char code;
    uint8_t size; /* bytes */
    Value (*get)(GenVM *vm, const uint8_t *item);
} MemoryFormat;

const MemoryFormat *memory_format(char code); /* NULL: unknown */
Leaf memory_put(GenVM *vm, const MemoryFormat *format, uint8_t *item, Value v);

typedef struct MemoryView {
    Object header;
    uint64_t hash;  /* 0 = not computed yet */
    Value object;   /* bytes or bytearray; VALUE_UNSET once released */
    int64_t offset; /* bytes from the object's first byte to the first item */
    const MemoryFormat *format;
    uint8_t ndim;
    bool readonly;
    int64_t dims[]; /* shape, then strides */
} MemoryView;

static inline int64_t *view_shape(const MemoryView *view) {
    return (int64_t *)view->dims;
}
static inline int64_t *view_strides(const MemoryView *view) {
    return (int64_t *)view->dims + view->ndim;
}
uint8_t *view_start(const MemoryView *view);
int64_t view_count(const MemoryView *view);               /* items */
bool memoryview_check(GenVM *vm, const MemoryView *view); /* false: released, ValueError */

#endif
