/* diagnose_stmt.c: the "invalid" rules of statements and parameters; see diagnose_expr.c. */
#include "parser.h"

/* Assignments. */

/* invalid_ann_assign_target: list | tuple | '(' invalid_ann_assign_target ')' */
static AstExpr *parse_ann_target(Parser *p) {
    Mark start = parser_mark(p);
    if (parser_at(p, TOKEN_LSQB)) return parse_list(p);
    if (!parser_at(p, TOKEN_LPAR)) return NULL;
    AstExpr *target = parse_tuple(p);
    if (target != NULL || p->failed || !parser_enter(p)) return target;
    parser_reset(p, start);
    p->pos++;
    target = parse_ann_target(p);
    parser_leave(p);
    return target != NULL && parser_accept(p, TOKEN_RPAR) ? target : NULL;
}

/* Annotations of what cannot have one. */
static void diagnose_annotation(Parser *p) {
    Mark start = parser_mark(p);
    AstExpr *target = parse_ann_target(p);
    if (target != NULL && parser_accept(p, TOKEN_COLON) && parse_expression(p) != NULL)
        parser_raise(p, target->span, "only single target (not %s) can be annotated",
                     expr_name(target));
    parser_reset(p, start);
    if (p->failed) return;
    target = parse_star_named_expression(p);
    if (target != NULL && parser_accept(p, TOKEN_COMMA)) {
        Mark behind = parser_mark(p);
        while (parse_star_named_expressions(p))
            behind = parser_mark(p);
        parser_reset(p, behind);
        if (parser_accept(p, TOKEN_COLON) && parse_expression(p) != NULL)
            parser_raise(p, target->span, "only single target (not tuple) can be annotated");
    }
    parser_reset(p, start);
    if (p->failed) return;
    target = parse_expression(p);
    if (target != NULL && parser_accept(p, TOKEN_COLON) && parse_expression(p) != NULL)
        parser_raise(p, target->span, "illegal target for annotation");
    parser_reset(p, start);
}

/* (star_targets '=')* (star_expressions | yield_expr) '=' */
static void diagnose_targets(Parser *p) {
    Mark start = parser_mark(p);
    Mark before = start;
    while (parse_star_targets(p) != NULL && parser_accept(p, TOKEN_EQUAL))
        before = parser_mark(p);
    parser_reset(p, before);
    if (parser_at(p, TOKEN_YIELD)) {
        AstExpr *yield = parse_yield_expr(p);
        if (yield != NULL && parser_at(p, TOKEN_EQUAL))
            parser_raise(p, yield->span, "assignment to yield expression not possible");
    } else if (!p->failed) {
        AstExpr *target = parse_star_expressions(p);
        if (target != NULL && parser_at(p, TOKEN_EQUAL))
            target_raise_invalid(p, TARGET_STAR, target);
    }
    parser_reset(p, start);
}

static bool is_augassign(TokenKind kind) {
    return (kind >= TOKEN_PLUSEQUAL && kind <= TOKEN_DOUBLESTAREQUAL) ||
           kind == TOKEN_DOUBLESLASHEQUAL || kind == TOKEN_ATEQUAL;
}

/* star_expressions augassign annotated_rhs */
static void diagnose_augassign(Parser *p) {
    Mark start = parser_mark(p);
    AstExpr *target = parse_star_expressions(p);
    if (target != NULL && is_augassign(parser_kind(p))) {
        p->pos++;
        if (parse_annotated_rhs(p) != NULL)
            parser_raise(p, target->span, "'%s' is an illegal expression for augmented assignment",
                         expr_name(target));
    }
    parser_reset(p, start);
}

/* invalid_assignment */
void diagnose_assignment(Parser *p) {
    diagnose_annotation(p);
    if (!p->failed) diagnose_targets(p);
    if (!p->failed) diagnose_augassign(p);
}

/* invalid_del_stmt: 'del' star_expressions */
void diagnose_del(Parser *p) {
    Mark start = parser_mark(p);
    p->pos++;
    target_raise_invalid(p, TARGET_DEL, parse_star_expressions(p));
    parser_reset(p, start);
}

/* invalid_raise_stmt */
void diagnose_raise(Parser *p) {
    Mark start = parser_mark(p);
    AstSpan span = parser_token(p)->span;
    p->pos++;
    if (parser_accept(p, TOKEN_FROM)) {
        parser_raise(p, span_join(span, parser_previous_span(p)),
                     "did you forget an expression between 'raise' and 'from'?");
    } else if (parse_expression(p) != NULL && parser_accept(p, TOKEN_FROM)) {
        parser_raise(p, parser_previous_span(p), "did you forget an expression after 'from'?");
    }
    parser_reset(p, start);
}

/* dotted_name, passed over */
static bool skip_dotted_name(Parser *p) {
    if (parser_name(p) == NULL) return false;
    while (parser_accept(p, TOKEN_DOT)) {
        if (parser_name(p) == NULL) return false;
    }
    return !p->failed;
}

/* invalid_import */
void diagnose_import(Parser *p) {
    Mark start = parser_mark(p);
    AstSpan span = parser_token(p)->span;
    if (!parser_accept(p, TOKEN_IMPORT)) return;
    if (parser_at(p, TOKEN_NEWLINE)) {
        AstSpan newline = parser_token(p)->span;
        p->pos++;
        parser_raise_from(p, newline, "Expected one or more names after 'import'");
    } else if (skip_dotted_name(p)) {
        bool is_list = true;
        while (is_list && parser_accept(p, TOKEN_COMMA))
            is_list = skip_dotted_name(p);
        if (is_list && parser_accept(p, TOKEN_FROM) && skip_dotted_name(p))
            parser_raise_from(p, span, "Did you mean to use 'from ... import ...' instead?");
    }
    parser_reset(p, start);
}

/* with */

/* ','.(expression ['as' star_target])+, passed over; `wide` takes lists of expressions */
static bool skip_with_items(Parser *p, bool wide) {
    for (;;) {
        AstExpr *context = wide ? parse_expressions(p) : parse_expression(p);
        if (context == NULL) return false;
        Mark mark = parser_mark(p);
        if (parser_accept(p, TOKEN_AS) && parse_star_target(p) == NULL) parser_reset(p, mark);
        mark = parser_mark(p);
        TokenKind next = parser_accept(p, TOKEN_COMMA) ? parser_kind(p) : TOKEN_ERROR;
        if (!parser_starts_expression(next)) {
            parser_reset(p, mark);
            return !p->failed;
        }
    }
}

/* invalid_with_stmt; at 'with' */
void diagnose_with(Parser *p) {
    Mark start = parser_mark(p);
    p->pos++;
    Mark inside = parser_mark(p);
    if (skip_with_items(p, false) && parser_accept(p, TOKEN_NEWLINE))
        parser_raise_last(p, "expected ':'");
    parser_reset(p, inside);
    if (!p->failed && parser_accept(p, TOKEN_LPAR) && skip_with_items(p, true)) {
        parser_accept(p, TOKEN_COMMA);
        if (parser_accept(p, TOKEN_RPAR) && parser_accept(p, TOKEN_NEWLINE))
            parser_raise_last(p, "expected ':'");
    }
    parser_reset(p, start);
}

/* Parameters. */

/* What a run of parameters is made of, and what it ended at. */
typedef struct ParamRun {
    int32_t count;
    bool ends_in_default; /* the last one has a default */
    AstSpan bad;          /* the first without a default behind one with */
    bool has_bad;
} ParamRun;

static bool is_close(TokenKind kind, bool is_lambda) {
    return kind == (is_lambda ? TOKEN_COLON : TOKEN_RPAR);
}

/* param [default] and the comma behind, or the end before the closing token */
static bool skip_param(Parser *p, bool is_lambda, bool *has_default, AstSpan *span) {
    Mark start = parser_mark(p);
    *span = p->failed ? (AstSpan){0} : parser_token(p)->span;
    if (parser_name(p) == NULL) return false;
    if (!is_lambda && parser_accept(p, TOKEN_COLON)) {
        if (parse_expression(p) == NULL) return false;
    }
    *span = parser_span_from(p, *span);
    *has_default = parser_accept(p, TOKEN_EQUAL);
    if (*has_default && parse_expression(p) == NULL) {
        /* The parser itself explains a missing default. */
        parser_reset(p, start);
        return false;
    }
    return parser_accept(p, TOKEN_COMMA) || is_close(parser_kind(p), is_lambda);
}

/* As many parameters as there are. */
static ParamRun skip_params(Parser *p, bool is_lambda, bool after_default) {
    ParamRun run = {.ends_in_default = after_default};
    for (;;) {
        Mark mark = parser_mark(p);
        bool has_default = false;
        AstSpan span;
        if (!skip_param(p, is_lambda, &has_default, &span)) {
            parser_reset(p, mark);
            return run;
        }
        if (!has_default && run.ends_in_default && !run.has_bad) {
            run.bad = span;
            run.has_bad = true;
        }
        run.ends_in_default |= has_default;
        run.count++;
    }
}

static void raise_slash(Parser *p, const char *message) {
    parser_raise(p, parser_token(p)->span, "%s", message);
}

/* '(' names ')' among the parameters; at '(' */
static void diagnose_parenthesized(Parser *p, bool is_lambda) {
    AstSpan span = parser_token(p)->span;
    p->pos++;
    bool has_default = false;
    AstSpan ignored;
    int32_t count = 0;
    while (parser_is_name(parser_kind(p))) {
        if (is_lambda ? parser_name(p) == NULL
                      : !skip_param(p, false, &has_default, &ignored) || has_default)
            return;
        count++;
        if (is_lambda && !parser_accept(p, TOKEN_COMMA)) break;
    }
    if (count > 0 && parser_accept(p, TOKEN_RPAR))
        parser_raise(p, span_join(span, parser_previous_span(p)),
                     is_lambda ? "Lambda expression parameters cannot be parenthesized"
                               : "Function parameters cannot be parenthesized");
}

/* Behind '/' and its comma. */
static void diagnose_after_slash(Parser *p, bool is_lambda, bool after_default) {
    ParamRun run = skip_params(p, is_lambda, after_default);
    if (p->failed) return;
    if (parser_at(p, TOKEN_SLASH))
        raise_slash(p, "/ may appear only once");
    else if (run.has_bad)
        parser_raise(p, run.bad, "parameter without a default follows parameter with a default");
}

/* '*' with what follows up to a '/' that is too late; at '*' */
static void diagnose_slash_after_star(Parser *p, bool is_lambda) {
    bool has_default = false;
    AstSpan span;
    p->pos++;
    if (!parser_accept(p, TOKEN_COMMA) && !skip_param(p, is_lambda, &has_default, &span)) return;
    skip_params(p, is_lambda, false);
    if (parser_at(p, TOKEN_SLASH)) raise_slash(p, "/ must be ahead of *");
}

/* invalid_parameters, invalid_lambda_parameters */
void diagnose_params(Parser *p, bool is_lambda) {
    Mark start = parser_mark(p);
    if (parser_at(p, TOKEN_SLASH) && parser_kind_after(p) == TOKEN_COMMA) {
        raise_slash(p, "at least one argument must precede /");
        return;
    }
    ParamRun run = skip_params(p, is_lambda, false);
    if (!p->failed && !run.has_bad && run.count > 0 && parser_at(p, TOKEN_SLASH)) {
        p->pos++;
        if (parser_at(p, TOKEN_STAR))
            parser_raise(p, parser_token(p)->span, "expected comma between / and *");
        else if (parser_accept(p, TOKEN_COMMA))
            diagnose_after_slash(p, is_lambda, run.ends_in_default);
    } else if (run.has_bad) {
        parser_raise(p, run.bad, "parameter without a default follows parameter with a default");
    } else if (parser_at(p, TOKEN_LPAR) && !run.ends_in_default) {
        diagnose_parenthesized(p, is_lambda);
    }
    if (!p->failed && parser_at(p, TOKEN_STAR)) diagnose_slash_after_star(p, is_lambda);
    parser_reset(p, start);
}

/* '*' (param_no_default | ',') param_maybe_default* '*' (param_no_default | ','); behind the first
 */
static void diagnose_second_star(Parser *p, bool is_lambda) {
    bool has_default = false;
    AstSpan span;
    if (!parser_accept(p, TOKEN_COMMA) && !skip_param(p, is_lambda, &has_default, &span)) return;
    skip_params(p, is_lambda, false);
    if (!parser_at(p, TOKEN_STAR)) return;
    AstSpan star = parser_token(p)->span;
    p->pos++;
    if (parser_accept(p, TOKEN_COMMA) || skip_param(p, is_lambda, &has_default, &span))
        parser_raise(p, star, "* argument may appear only once");
}

/* invalid_star_etc, invalid_lambda_star_etc; at '*' */
void diagnose_star_etc(Parser *p, bool is_lambda) {
    static const char bare[] = "named arguments must follow bare *";
    Mark start = parser_mark(p);
    AstSpan star = parser_token(p)->span;
    p->pos++;
    Mark behind = parser_mark(p);
    parser_accept(p, TOKEN_COMMA);
    bool has_comma = p->pos > behind.pos;
    TokenKind kind = parser_kind(p);
    if (is_close(kind, is_lambda) || (has_comma && kind == TOKEN_DOUBLESTAR)) {
        if (is_lambda)
            parser_raise_last(p, bare);
        else
            parser_raise(p, star, bare);
    } else if (!has_comma && parser_name(p) != NULL) {
        if (!is_lambda && parser_accept(p, TOKEN_COLON)) parse_expression(p);
        if (parser_at(p, TOKEN_EQUAL))
            parser_raise(p, parser_token(p)->span,
                         "var-positional argument cannot have default value");
    }
    parser_reset(p, behind);
    if (!p->failed) diagnose_second_star(p, is_lambda);
    parser_reset(p, start);
}

/* invalid_kwds, invalid_lambda_kwds; at '**' */
void diagnose_kwds(Parser *p, bool is_lambda) {
    Mark start = parser_mark(p);
    p->pos++;
    if (parser_name(p) != NULL) {
        if (!is_lambda && parser_accept(p, TOKEN_COLON)) parse_expression(p);
        if (parser_at(p, TOKEN_EQUAL)) {
            parser_raise(p, parser_token(p)->span,
                         "var-keyword argument cannot have default value");
        } else if (parser_accept(p, TOKEN_COMMA)) {
            TokenKind kind = parser_kind(p);
            if (parser_is_name(kind) || kind == TOKEN_STAR || kind == TOKEN_DOUBLESTAR ||
                kind == TOKEN_SLASH)
                parser_raise(p, parser_token(p)->span,
                             "arguments cannot follow var-keyword argument");
        }
    }
    parser_reset(p, start);
}
