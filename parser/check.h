/* check.h: what a correct tree must also fulfil: rules that need the surroundings of a node but not
 * the meaning of names. They come after scope analysis, as in Python, where the compiler makes
 * them.
 */
#ifndef GEN_PARSER_CHECK_H
#define GEN_PARSER_CHECK_H

#include "scope.h"

/* Where a statement or expression stands. */
typedef struct Check {
    Arena *arena;
    const AstModule *module;
    ParseError *error;
    const Scope *scope; /* whose code it belongs to */
    int32_t loops;      /* around it in this code, but not outside of an except* block */
    int32_t blocks;     /* loops, with and try statements around it in this code */
    bool in_except_star;
    int32_t last_future_line; /* of the imports from __future__ that begin the module */
} Check;

/* `from __future__` imports at the start of a module: sets has_future_annotations and, for
 * check_module, the line of the last one. */
bool check_futures(Arena *arena, AstModule *module, ParseError *error, int32_t *last_line);

/* All other checks. False with *error filled in. */
bool check_module(Arena *arena, AstModule *module, int32_t last_future_line, ParseError *error);

/* For the check files: raises at a span and returns false. */
__attribute__((format(printf, 3, 4))) bool check_raise(Check *c, AstSpan span, const char *format,
                                                       ...);
bool check_expr(Check *c, const AstExpr *expr);
bool check_keywords(Check *c, const AstKeywordSeq *keywords);

/* The patterns of a match statement (check_match.c): names bound twice or not in all alternatives,
 * patterns behind one that matches everything, repeated keys. */
bool check_match(Check *c, const AstMatchCaseSeq *cases);

#endif
