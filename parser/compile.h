/* compile.h - source text to a Code object: the front end's one entry. */
#ifndef GEN_PARSER_COMPILE_H
#define GEN_PARSER_COMPILE_H

#include "vm/vm.h"

enum {
    COMPILE_NAMESPACE =
        2, /* mode exec, eval, single: names live in a mapping that the code gets in register 0 */
    COMPILE_INCOMPLETE =
        4, /* mode single: a source that only lacks more lines returns VALUE_UNSET */
    COMPILE_LIBRARY = 16,    /* a file of the library: it gives no other meaning to names of types */
    COMPILE_KEEP_SOURCE = 8, /* the Code keeps the source for tracebacks: it is in no file */
};

/* Compiles `source`, which need not end with a NUL. mode is "exec", "eval" or "single". Returns a
 * Code, or VALUE_ERROR with SyntaxError, IndentationError, TabError, MemoryError or RecursionError
 * pending. Runs no script code. */
Value compile_source(GenVM *vm, const char *source, size_t size, const char *filename,
                     const char *mode, int flags);

#endif
