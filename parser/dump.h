/* dump.h: a syntax tree as text, in the format of Python's ast.dump. */
#ifndef GEN_PARSER_DUMP_H
#define GEN_PARSER_DUMP_H

#include "scope.h"

#include <stdio.h>

/* Writes the tree on one line as `ast.dump(tree)` does since Python 3.13: fields that are None and
 * empty lists are left out. With `has_positions` also the attributes lineno, col_offset and so on.
 * Texts are escaped down to ASCII, floats have 17 digits, and ints that do not fit into 62 bits are
 * written in the base of the source. */
void ast_dump(FILE *file, const AstModule *module, bool has_positions);

/* Writes the scopes of an analysed tree, one a line, indented by nesting: kind and name, what the
 * scope is, then each symbol with its meaning. */
void scope_dump(FILE *file, const Scope *scope);

#endif
