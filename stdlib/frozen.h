/* The library modules that are written in Gen, compiled at build time: one table of code in the
 * form of images (see scripts/build/freeze.c and vm/image.h), linked into the library, so that an
 * import of them touches no file and compiles nothing. */
#ifndef GEN_STDLIB_FROZEN_H
#define GEN_STDLIB_FROZEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct FrozenModule {
    const char *name;    /* dotted: stdlib/a/b.gen is "a.b" */
    const uint8_t *code; /* for image_thaw_code */
    size_t size;         /* in bytes */
    bool is_package;     /* the file is an __init__.gen */
} FrozenModule;

/* Ordered by name, bytewise, so that it can be searched by halves. */
extern const FrozenModule frozen_modules[];
extern const size_t frozen_module_count;

#endif
