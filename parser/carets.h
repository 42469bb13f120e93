/* carets.h - the source lines of a traceback entry, with the carets that point out the failing
 * expression. */
#ifndef GEN_PARSER_CARETS_H
#define GEN_PARSER_CARETS_H

#include "vm/vm.h"

/* text: the lines of an instruction, joined by newlines; the instruction starts at the byte `start`
 * of the first and ends before the byte `end` of the last. Returns the lines to show, without their
 * common indentation, each followed by a newline and, where carets help, by a line of carets: ^
 * under the whole expression or, in a binary operation, call or subscript, under the operator, the
 * arguments or the key and ~ under the rest. VALUE_ERROR with MemoryError pending. */
Value carets_show(GenVM *vm, Value text, Value start, Value end);

#endif
