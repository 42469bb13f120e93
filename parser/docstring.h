/* docstring.h: the first string of a body. */
#ifndef GEN_PARSER_DOCSTRING_H
#define GEN_PARSER_DOCSTRING_H

#include "ast.h"

/* Whether the body begins with a docstring. If so its margin is taken away, as Python does
 * since 3.13: leading blanks of the first line, and of the others what all of them have in common;
 * tabs count to columns of 8. When memory is out the text stays as it is and the arena says so. */
bool docstring_clean(Arena *arena, const AstStmtSeq *body);

#endif
