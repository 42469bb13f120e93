/* traceback.h - where an exception has been: a linked list of (function, instruction), outermost
 * first. */
#ifndef GEN_TRACEBACK_H
#define GEN_TRACEBACK_H

#include "vm/code.h"

typedef struct Traceback {
    Object header;
    Value next;     /* Traceback of the frame called, or VALUE_NONE */
    Value function; /* whose frame it was; VALUE_NONE for one made by a script */
    uint32_t word;  /* of the instruction in code->instrs */
    uint32_t line;
} Traceback;

/* Notes that `exception` passes the frame of `function` at instruction word `word`. Without
 * memory for the entry MemoryError is pending instead. */
void traceback_add(GenVM *vm, Value exception, Function *function, size_t word);
/* The same of a frame that never started: the line is that of the definition. */
void traceback_add_unstarted(GenVM *vm, Value exception, Function *function);

/* The report that the command prints for an uncaught exception, as CPython does: chained causes and
 * contexts, carets, notes, groups. Script-defined __str__ is not called: hosts use
 * traceback.format_exception (Gen) for that. Returns a str. */
Value traceback_format(GenVM *vm, Value exception);

/* Source line `line` (1-based) of a file as a str without its newline; VALUE_UNSET when not to be
 * had. */
Value source_line(GenVM *vm, const Code *code, uint32_t line);

#endif
