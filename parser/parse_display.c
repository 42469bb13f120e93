/* parse_display.c: what stands in brackets: tuples, groups, lists, dicts, sets and comprehensions.
 *
 * The first pass reads the first element and lets the next token decide what the brackets hold. The
 * second tries the rules one after another in the order of Python's grammar, since the "invalid"
 * rules among them depend on that order.
 */
#include "parser.h"

static bool is_at_loop(Parser *p) {
    return parser_at(p, TOKEN_FOR) || parser_at(p, TOKEN_ASYNC);
}

/* Comprehensions. */

static AstComprehension *parse_for_if_clause_now(Parser *p) {
    bool is_async = parser_accept(p, TOKEN_ASYNC);
    if (!parser_accept(p, TOKEN_FOR)) return NULL;
    AstExpr *target = parse_star_targets(p);
    if (target == NULL || !parser_accept(p, TOKEN_IN)) return NULL;
    AstExpr *iter = parse_disjunction(p);
    AstComprehension *clause = iter == NULL ? NULL : parser_zeroed(p, sizeof *clause);
    if (clause == NULL) return NULL;
    int32_t height = p->stack_count;
    Mark mark = parser_mark(p);
    while (parser_accept(p, TOKEN_IF)) {
        AstExpr *test = parse_disjunction(p);
        if (test == NULL) {
            parser_reset(p, mark);
            break;
        }
        if (!parser_push(p, test)) return NULL;
        mark = parser_mark(p);
    }
    clause->target = target;
    clause->iter = iter;
    clause->is_async = is_async;
    return !p->failed && PARSER_TAKE(p, height, &clause->ifs) ? clause : NULL;
}

/* for_if_clause: ['async'] 'for' star_targets 'in' ~ disjunction ('if' disjunction)* */
static AstComprehension *parse_for_if_clause(Parser *p) {
    Mark start = parser_mark(p);
    AstComprehension *clause = parse_for_if_clause_now(p);
    if (clause != NULL || !parser_is_diagnosing(p)) return clause;
    /* Once 'in' was read the rule has no alternatives. */
    bool is_committed = p->pos > start.pos && p->tokens[p->pos - 1].kind == TOKEN_IN;
    parser_reset(p, start);
    if (!is_committed) diagnose_for_if_clause(p);
    if (!is_committed && !p->failed) diagnose_for_target(p);
    return NULL;
}

bool parse_for_if_clauses(Parser *p, AstComprehensionSeq *generators) {
    int32_t height = p->stack_count;
    while (is_at_loop(p)) {
        Mark mark = parser_mark(p);
        AstComprehension *clause = parse_for_if_clause(p);
        if (clause == NULL) {
            parser_reset(p, mark);
            break;
        }
        if (!parser_push(p, clause)) return false;
    }
    if (p->failed || p->stack_count == height) return false;
    return PARSER_TAKE(p, height, generators);
}

/* The rest of a comprehension behind its element, with the closing bracket. */
static AstExpr *finish_comprehension(Parser *p, AstExprKind kind, AstSpan open, AstExpr *elt,
                                     AstExpr *value, TokenKind close) {
    AstComprehensionSeq generators;
    if (!parse_for_if_clauses(p, &generators) || !parser_accept(p, close)) return NULL;
    AstExpr *expr = parser_expr(p, kind, span_join(open, parser_previous_span(p)));
    if (expr == NULL) return NULL;
    if (kind == EXPR_DictComp) {
        expr->DictComp.key = elt;
        expr->DictComp.value = value;
        expr->DictComp.generators = generators;
    } else {
        /* The three kinds have the same fields. */
        expr->ListComp.elt = elt;
        expr->ListComp.generators = generators;
    }
    return expr;
}

/* Sequences. */

/* star_named_expressions: ','.star_named_expression+ [','], pushed */
bool parse_star_named_expressions(Parser *p) {
    AstExpr *first = parse_star_named_expression(p);
    if (first == NULL || !parser_push(p, first)) return false;
    while (parser_accept(p, TOKEN_COMMA)) {
        Mark behind_comma = parser_mark(p);
        AstExpr *item = parse_star_named_expression(p);
        if (item == NULL) {
            parser_reset(p, behind_comma);
            break;
        }
        if (!parser_push(p, item)) return false;
    }
    return !p->failed;
}

/* Further elements behind the first and a comma; the first is on the stack at `height`. */
static AstExpr *finish_elements(Parser *p, AstExprKind kind, AstSpan open, int32_t height,
                                TokenKind close) {
    Mark mark = parser_mark(p);
    if (!parser_at(p, close) && !parse_star_named_expressions(p)) parser_reset(p, mark);
    if (!parser_accept(p, close)) return NULL;
    AstExpr *expr = parser_expr(p, kind, span_join(open, parser_previous_span(p)));
    if (expr == NULL) return NULL;
    AstExprSeq *elts = kind == EXPR_Tuple  ? &expr->Tuple.elts
                       : kind == EXPR_List ? &expr->List.elts
                                           : &expr->Set.elts;
    return PARSER_TAKE(p, height, elts) ? expr : NULL;
}

static AstExpr *finish_sequence(Parser *p, AstExprKind kind, AstSpan open, AstExpr *first,
                                TokenKind close) {
    int32_t height = p->stack_count;
    if (!parser_push(p, first)) return NULL;
    /* Without a comma the closing bracket must follow. */
    if (!parser_accept(p, TOKEN_COMMA) && !parser_at(p, close)) return NULL;
    return finish_elements(p, kind, open, height, close);
}

/* Behind '(' in the first pass. */
static AstExpr *parse_parentheses(Parser *p, AstSpan open) {
    if (parser_at(p, TOKEN_RPAR))
        return finish_elements(p, EXPR_Tuple, open, p->stack_count, TOKEN_RPAR);
    if (parser_at(p, TOKEN_YIELD)) {
        AstExpr *expr = parse_yield_expr(p);
        return expr != NULL && parser_accept(p, TOKEN_RPAR) ? expr : NULL;
    }
    AstExpr *first = parse_star_named_expression(p);
    if (first == NULL) return NULL;
    if (parser_at(p, TOKEN_COMMA)) return finish_sequence(p, EXPR_Tuple, open, first, TOKEN_RPAR);
    if (first->kind == EXPR_Starred) return NULL;
    if (is_at_loop(p))
        return finish_comprehension(p, EXPR_GeneratorExp, open, first, NULL, TOKEN_RPAR);
    return parser_accept(p, TOKEN_RPAR) ? first : NULL;
}

/* Behind '[' in the first pass. */
static AstExpr *parse_brackets(Parser *p, AstSpan open) {
    if (parser_at(p, TOKEN_RSQB))
        return finish_elements(p, EXPR_List, open, p->stack_count, TOKEN_RSQB);
    AstExpr *first = parse_star_named_expression(p);
    if (first == NULL) return NULL;
    if (is_at_loop(p) && first->kind != EXPR_Starred)
        return finish_comprehension(p, EXPR_ListComp, open, first, NULL, TOKEN_RSQB);
    return finish_sequence(p, EXPR_List, open, first, TOKEN_RSQB);
}

/* Dicts and sets. */

/* double_starred_kvpair: '**' bitwise_or | expression ':' expression */
bool parse_double_starred_kvpair(Parser *p) {
    AstExpr *key = NULL;
    AstExpr *value = NULL;
    if (parser_accept(p, TOKEN_DOUBLESTAR)) {
        value = parse_bitwise_or(p);
    } else {
        key = parse_expression(p);
        if (key != NULL && parser_accept(p, TOKEN_COLON)) value = parse_expression(p);
    }
    return value != NULL && parser_push(p, key) && parser_push(p, value);
}

/* The pairs lie on the stack from `height`, key and value in turn; behind the last one. */
static AstExpr *finish_dict(Parser *p, AstSpan open, int32_t height) {
    while (parser_accept(p, TOKEN_COMMA)) {
        Mark behind_comma = parser_mark(p);
        if (parser_at(p, TOKEN_RBRACE)) break;
        if (!parse_double_starred_kvpair(p)) {
            parser_reset(p, behind_comma);
            break;
        }
    }
    if (!parser_accept(p, TOKEN_RBRACE)) return NULL;
    AstExpr *expr = parser_expr(p, EXPR_Dict, span_join(open, parser_previous_span(p)));
    AstExprSeq all;
    if (expr == NULL || !PARSER_TAKE(p, height, &all)) return NULL;
    int32_t count = all.count / 2;
    AstExpr **keys = arena_take(p->arena, (size_t)all.count * sizeof *keys);
    if (keys == NULL) return parser_raise_memory(p);
    for (int32_t i = 0; i < count; i++) {
        keys[i] = all.items[2 * i];
        keys[count + i] = all.items[2 * i + 1];
    }
    expr->Dict.keys = (AstExprSeq){keys, count};
    expr->Dict.values = (AstExprSeq){keys + count, count};
    return expr;
}

/* Behind the key and its colon. */
static AstExpr *parse_dict_rest(Parser *p, AstSpan open, AstExpr *key) {
    AstExpr *value = parse_expression(p);
    if (value == NULL) return NULL;
    if (is_at_loop(p))
        return finish_comprehension(p, EXPR_DictComp, open, key, value, TOKEN_RBRACE);
    int32_t height = p->stack_count;
    if (!parser_push(p, key) || !parser_push(p, value)) return NULL;
    return finish_dict(p, open, height);
}

/* Behind '{' in the first pass. */
static AstExpr *parse_braces(Parser *p, AstSpan open) {
    int32_t height = p->stack_count;
    if (parser_at(p, TOKEN_RBRACE)) return finish_dict(p, open, height);
    if (parser_at(p, TOKEN_DOUBLESTAR))
        return parse_double_starred_kvpair(p) ? finish_dict(p, open, height) : NULL;
    bool is_named = parser_is_name(parser_kind(p)) && parser_kind_after(p) == TOKEN_COLONEQUAL;
    AstExpr *first = parse_star_named_expression(p);
    if (first == NULL) return NULL;
    if (first->kind != EXPR_Starred && !is_named && parser_accept(p, TOKEN_COLON))
        return parse_dict_rest(p, open, first);
    if (is_at_loop(p) && first->kind != EXPR_Starred)
        return finish_comprehension(p, EXPR_SetComp, open, first, NULL, TOKEN_RBRACE);
    return finish_sequence(p, EXPR_Set, open, first, TOKEN_RBRACE);
}

/* The rules for the second pass, each from its opening bracket. */

AstExpr *parse_tuple(Parser *p) {
    AstSpan open = parser_token(p)->span;
    if (!parser_accept(p, TOKEN_LPAR)) return NULL;
    if (parser_at(p, TOKEN_RPAR))
        return finish_elements(p, EXPR_Tuple, open, p->stack_count, TOKEN_RPAR);
    AstExpr *first = parse_star_named_expression(p);
    return first != NULL && parser_at(p, TOKEN_COMMA)
               ? finish_sequence(p, EXPR_Tuple, open, first, TOKEN_RPAR)
               : NULL;
}

AstExpr *parse_group(Parser *p) {
    Mark start = parser_mark(p);
    if (!parser_accept(p, TOKEN_LPAR)) return NULL;
    AstExpr *expr = parser_at(p, TOKEN_YIELD) ? parse_yield_expr(p) : parse_named_expression(p);
    if (expr != NULL && parser_accept(p, TOKEN_RPAR)) return expr;
    parser_reset(p, start);
    if (parser_is_diagnosing(p)) diagnose_group(p);
    return NULL;
}

/* genexp: '(' (assignment_expression | expression !':=') for_if_clauses ')' */
AstExpr *parse_genexp(Parser *p) {
    Mark start = parser_mark(p);
    AstSpan open = parser_token(p)->span;
    if (!parser_accept(p, TOKEN_LPAR)) return NULL;
    bool is_named = parser_is_name(parser_kind(p)) && parser_kind_after(p) == TOKEN_COLONEQUAL;
    AstExpr *elt = is_named ? parse_assignment_expression(p) : parse_expression(p);
    AstExpr *expr = NULL;
    if (elt != NULL && is_at_loop(p))
        expr = finish_comprehension(p, EXPR_GeneratorExp, open, elt, NULL, TOKEN_RPAR);
    if (expr != NULL || p->failed) return expr;
    parser_reset(p, start);
    if (parser_is_diagnosing(p)) diagnose_comprehension(p);
    return NULL;
}

AstExpr *parse_list(Parser *p) {
    AstSpan open = parser_token(p)->span;
    if (!parser_accept(p, TOKEN_LSQB)) return NULL;
    int32_t height = p->stack_count;
    return finish_elements(p, EXPR_List, open, height, TOKEN_RSQB);
}

/* listcomp and setcomp: open named_expression for_if_clauses close */
static AstExpr *parse_simple_comprehension(Parser *p) {
    Mark start = parser_mark(p);
    AstSpan open = parser_token(p)->span;
    bool is_list = parser_at(p, TOKEN_LSQB);
    p->pos++;
    AstExpr *elt = parse_named_expression(p);
    AstExpr *expr = NULL;
    if (elt != NULL && is_at_loop(p))
        expr = finish_comprehension(p, is_list ? EXPR_ListComp : EXPR_SetComp, open, elt, NULL,
                                    is_list ? TOKEN_RSQB : TOKEN_RBRACE);
    if (expr != NULL || p->failed) return expr;
    parser_reset(p, start);
    if (parser_is_diagnosing(p)) diagnose_comprehension(p);
    return NULL;
}

/* Its invalid rule is tried everywhere, even where all others are quiet. */
static AstExpr *parse_dict(Parser *p) {
    Mark start = parser_mark(p);
    AstSpan open = parser_token(p)->span;
    p->pos++;
    int32_t height = p->stack_count;
    Mark behind = parser_mark(p);
    if (!parser_at(p, TOKEN_RBRACE) && !parse_double_starred_kvpair(p)) parser_reset(p, behind);
    AstExpr *expr = p->failed ? NULL : finish_dict(p, open, height);
    if (expr != NULL || p->failed) return expr;
    parser_reset(p, start);
    diagnose_dict(p);
    return NULL;
}

static AstExpr *parse_set(Parser *p) {
    AstSpan open = parser_token(p)->span;
    p->pos++;
    AstExpr *first = parse_star_named_expression(p);
    return first == NULL ? NULL : finish_sequence(p, EXPR_Set, open, first, TOKEN_RBRACE);
}

static AstExpr *parse_dictcomp(Parser *p) {
    Mark start = parser_mark(p);
    AstSpan open = parser_token(p)->span;
    p->pos++;
    AstExpr *key = parse_expression(p);
    AstExpr *value = NULL;
    if (key != NULL && parser_accept(p, TOKEN_COLON)) value = parse_expression(p);
    AstExpr *expr = NULL;
    if (value != NULL && is_at_loop(p))
        expr = finish_comprehension(p, EXPR_DictComp, open, key, value, TOKEN_RBRACE);
    if (expr != NULL || p->failed) return expr;
    parser_reset(p, start);
    if (parser_is_diagnosing(p)) diagnose_dict_comprehension(p);
    return NULL;
}

/* The first of the rules that matches. */
static AstExpr *try_rules(Parser *p, AstExpr *(*const *rules)(Parser *), int count) {
    Mark start = parser_mark(p);
    for (int i = 0; i < count; i++) {
        AstExpr *expr = rules[i](p);
        if (expr != NULL || p->failed) return expr;
        parser_reset(p, start);
    }
    return NULL;
}

static AstExpr *parse_display_slowly(Parser *p) {
    static AstExpr *(*const parentheses[])(Parser *) = {parse_tuple, parse_group, parse_genexp};
    static AstExpr *(*const brackets[])(Parser *) = {parse_list, parse_simple_comprehension};
    static AstExpr *(*const braces[])(Parser *) = {parse_dict, parse_set, parse_dictcomp,
                                                   parse_simple_comprehension};
    switch (parser_kind(p)) {
    case TOKEN_LPAR: return try_rules(p, parentheses, 3);
    case TOKEN_LSQB: return try_rules(p, brackets, 2);
    case TOKEN_LBRACE: return try_rules(p, braces, 4);
    default: return NULL;
    }
}

AstExpr *parse_display(Parser *p) {
    if (!parser_enter(p)) return NULL;
    AstExpr *expr = NULL;
    if (p->diagnosing) {
        void *known;
        int32_t start = p->pos;
        if (parser_recall(p, MEMO_ATOM, &known))
            expr = known;
        else
            expr = parser_remember(p, MEMO_ATOM, start, parse_display_slowly(p));
    } else {
        AstSpan open = parser_token(p)->span;
        TokenKind kind = parser_kind(p);
        p->pos++;
        expr = kind == TOKEN_LPAR   ? parse_parentheses(p, open)
               : kind == TOKEN_LSQB ? parse_brackets(p, open)
                                    : parse_braces(p, open);
    }
    parser_leave(p);
    return expr;
}
