/* typo.h: "Did you mean 'while'?": misspelt keywords as the cause of an error. */
#ifndef GEN_PARSER_TYPO_H
#define GEN_PARSER_TYPO_H

#include "parse.h"

/* Looks for a name on the line of a plain "invalid syntax" that makes the text parse once it is
 * replaced by a keyword like it; the text goes from the line where the last complete statement
 * begins (0: from the first line) to the line of the error. Fills in error->hint when there is one.
 */
void typo_explain(Arena *arena, const char *source, int32_t statement_line, ParseError *error);

#endif
