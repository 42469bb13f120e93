/* The library modules that are written in Gen: one table of source texts, made at build time from
 * stdlib/ (see scripts/build/embed_sources.c) and linked into the library, so that an import of
 * them touches no file. */
#ifndef GEN_STDLIB_SOURCES_H
#define GEN_STDLIB_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct StdlibSource {
    const char *name; /* dotted module name: stdlib/a/b.gen is "a.b" */
    const char *text; /* UTF-8, followed by a zero byte that len does not count */
    size_t len;       /* in bytes */
    bool is_package;  /* the file is an __init__.gen */
} StdlibSource;

/* Ordered by name, bytewise, so that it can be searched by halves. */
extern const StdlibSource stdlib_sources[];
extern const size_t stdlib_source_count;

#endif
