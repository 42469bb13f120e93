/* compile.h - source text to a Code object: the front end's one entry. */
#ifndef GEN_PARSER_COMPILE_H
#define GEN_PARSER_COMPILE_H

#include "vm/vm.h"

/* Compiles `source`, which need not end with a NUL. mode is "exec", "eval" or "single". Returns a
 * Code, or VALUE_ERROR with SyntaxError, IndentationError, TabError, MemoryError or RecursionError
 * pending. Runs no script code. */
Value compile_source(GenVM *vm, const char *source, size_t size, const char *filename,
                     const char *mode, int flags);

#endif
