/* diagnose_expr.c: the "invalid" rules of expressions, which the second pass tries to explain an
 * error.
 *
 * Each function stands for one rule of Python's grammar whose name begins with `invalid_` and is
 * named after it. Alternatives are tried in order; `try` marks where one ends. A function returns
 * with the position where it was, and with an error raised when an alternative has matched.
 */
#include "parser.h"

#include <string.h>

/* An expression inside of which no "invalid" rule is tried: it must not raise. */
static AstExpr *parse_quiet_expression(Parser *p) {
    bool was_quiet = p->quiet;
    p->quiet = true;
    AstExpr *expr = NULL;
    if (parser_enter(p)) {
        Mark mark = parser_mark(p);
        expr = parser_at(p, TOKEN_LAMBDA) ? parse_lambdef(p) : parse_disjunction(p);
        if (expr != NULL && parser_accept(p, TOKEN_IF)) {
            Mark behind = parser_mark(p);
            AstExpr *orelse = NULL;
            if (parse_disjunction(p) != NULL && parser_accept(p, TOKEN_ELSE))
                orelse = parse_expression(p);
            if (orelse == NULL) {
                behind.pos--;
                parser_reset(p, behind);
            } else {
                expr = parser_expr(p, EXPR_IfExp, span_join(expr->span, orelse->span));
            }
        }
        if (expr == NULL) parser_reset(p, mark);
        parser_leave(p);
    }
    p->quiet = was_quiet;
    return expr;
}

static bool is_soft_keyword(TokenKind kind) {
    return kind == TOKEN_UNDERSCORE || kind == TOKEN_MATCH || kind == TOKEN_CASE ||
           kind == TOKEN_TYPE;
}

static bool is_legacy_name(const AstName *name) {
    return names_equal(name, "print") || names_equal(name, "exec");
}

/* STRING (!STRING expression_without_invalid)+ STRING: quotes inside of a string */
static void diagnose_inner_quotes(Parser *p) {
    Mark start = parser_mark(p);
    AstExpr *first = NULL;
    AstExpr *last = NULL;
    if (parser_accept(p, TOKEN_STRING)) {
        while (!parser_at(p, TOKEN_STRING)) {
            AstExpr *expr = parse_quiet_expression(p);
            if (expr == NULL) break;
            first = first != NULL ? first : expr;
            last = expr;
        }
    }
    if (first != NULL && parser_accept(p, TOKEN_STRING))
        parser_raise(p, span_join(first->span, last->span),
                     "invalid syntax. Is this intended to be part of the string?");
    parser_reset(p, start);
}

/* !(NAME STRING | SOFT_KEYWORD) disjunction expression_without_invalid: two without a comma */
static void diagnose_missing_comma(Parser *p) {
    Mark start = parser_mark(p);
    TokenKind kind = parser_kind(p);
    if (is_soft_keyword(kind) || (kind == TOKEN_NAME && parser_kind_after(p) == TOKEN_STRING))
        return;
    AstExpr *first = parse_disjunction(p);
    AstExpr *second = first == NULL ? NULL : parse_quiet_expression(p);
    if (second != NULL && !(first->kind == EXPR_Name && is_legacy_name(first->Name.id)) &&
        p->tokens[p->pos - 1].level != 0)
        parser_raise(p, span_join(first->span, second->span),
                     "invalid syntax. Perhaps you forgot a comma?");
    parser_reset(p, start);
}

/* disjunction 'if' disjunction [!('else' | ':') or 'else' !expression] */
static void diagnose_conditional(Parser *p) {
    Mark start = parser_mark(p);
    AstExpr *body = parse_disjunction(p);
    AstExpr *test = NULL;
    if (body != NULL && parser_accept(p, TOKEN_IF)) test = parse_disjunction(p);
    if (test != NULL) {
        if (parser_accept(p, TOKEN_ELSE)) {
            Mark behind = parser_mark(p);
            if (parse_expression(p) == NULL && !p->failed) {
                parser_reset(p, behind);
                parser_raise_next(p, "expected expression after 'else', but statement is given");
            }
        } else if (!parser_at(p, TOKEN_COLON) && !p->failed) {
            parser_raise(p, span_join(body->span, test->span),
                         "expected 'else' after 'if' expression");
        }
    }
    parser_reset(p, start);
}

/* ('pass' | 'break' | 'continue') 'if' disjunction 'else' simple_stmt */
static void diagnose_conditional_stmt(Parser *p) {
    Mark start = parser_mark(p);
    TokenKind kind = parser_kind(p);
    if (kind != TOKEN_PASS && kind != TOKEN_BREAK && kind != TOKEN_CONTINUE) return;
    AstSpan span = parser_token(p)->span;
    p->pos++;
    if (parser_accept(p, TOKEN_IF) && parse_disjunction(p) != NULL &&
        parser_accept(p, TOKEN_ELSE) && parse_simple_stmt(p) != NULL)
        parser_raise(p, span, "expected expression before 'if', but statement is given");
    parser_reset(p, start);
}

/* 'lambda' [lambda_params] ':' in a replacement field, where the colon begins the format spec */
static void diagnose_fstring_lambda(Parser *p) {
    Mark start = parser_mark(p);
    AstSpan span = p->failed ? (AstSpan){0} : parser_token(p)->span;
    if (parser_accept(p, TOKEN_LAMBDA) && parse_params(p, true) != NULL &&
        parser_accept(p, TOKEN_COLON)) {
        TokenKind kind = parser_kind(p);
        if (kind == TOKEN_FSTRING_MIDDLE || kind == TOKEN_TSTRING_MIDDLE)
            parser_raise(p, span_join(span, parser_previous_span(p)),
                         "%c-string: lambda expressions are not allowed without parentheses",
                         kind == TOKEN_FSTRING_MIDDLE ? 'f' : 't');
    }
    parser_reset(p, start);
}

/* NAME !'(' star_expressions, where the name is print or exec */
static void diagnose_legacy(Parser *p) {
    Mark start = parser_mark(p);
    AstSpan span = parser_token(p)->span;
    AstName *name = parser_name(p);
    /* The arguments are tried behind any name: what is wrong in them is worth a message. */
    AstExpr *args = name == NULL || parser_at(p, TOKEN_LPAR) ? NULL : parse_star_expressions(p);
    if (args != NULL && is_legacy_name(name))
        parser_raise(p, span_join(span, args->span),
                     "Missing parentheses in call to '%s'. Did you mean %s(...)?", name->text,
                     name->text);
    parser_reset(p, start);
}

/* invalid_expression, invalid_legacy_expression */
void diagnose_expression(Parser *p) {
    static void (*const rules[])(Parser *) = {
        diagnose_inner_quotes,     diagnose_missing_comma,  diagnose_conditional,
        diagnose_conditional_stmt, diagnose_fstring_lambda, diagnose_legacy,
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0] && !p->failed; i++)
        rules[i](p);
}

/* Assignments where an expression is wanted. */

static bool is_at_assignment(Parser *p) {
    return parser_at(p, TOKEN_EQUAL) || parser_at(p, TOKEN_COLONEQUAL);
}

/* !(list | tuple | genexp | 'True' | 'None' | 'False') */
static bool is_excluded_target(Parser *p) {
    Mark start = parser_mark(p);
    switch (parser_kind(p)) {
    case TOKEN_TRUE:
    case TOKEN_FALSE:
    case TOKEN_NONE: return true;
    case TOKEN_LPAR:
    case TOKEN_LSQB: break;
    default: return false;
    }
    AstExpr *expr = parser_at(p, TOKEN_LSQB) ? parse_list(p) : parse_tuple(p);
    parser_reset(p, start);
    if (expr == NULL && parser_at(p, TOKEN_LPAR)) {
        expr = parse_genexp(p);
        parser_reset(p, start);
    }
    return expr != NULL;
}

/* NAME '=' bitwise_or !('=' | ':='), or any other expression before the '=' */
static void diagnose_equal(Parser *p) {
    Mark start = parser_mark(p);
    if (is_excluded_target(p) || p->failed) return;
    bool is_name = parser_is_name(parser_kind(p)) && parser_kind_after(p) == TOKEN_EQUAL;
    AstExpr *target = parse_bitwise_or(p);
    AstExpr *value = NULL;
    if (target != NULL && parser_accept(p, TOKEN_EQUAL)) value = parse_bitwise_or(p);
    if (value != NULL && !is_at_assignment(p)) {
        if (is_name)
            parser_raise(p, span_join(target->span, value->span),
                         "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
        else
            parser_raise(p, target->span,
                         "cannot assign to %s here. Maybe you meant '==' instead of '='?",
                         expr_name(target));
    }
    parser_reset(p, start);
}

/* invalid_named_expression */
void diagnose_named_expression(Parser *p) {
    void *known;
    Mark start = parser_mark(p);
    if (parser_recall(p, MEMO_INVALID_NAMED_EXPRESSION, &known)) {
        parser_reset(p, start);
        return;
    }
    AstExpr *target = parse_expression(p);
    if (target != NULL && parser_accept(p, TOKEN_COLONEQUAL) && parse_expression(p) != NULL)
        parser_raise(p, target->span, "cannot use assignment expressions with %s",
                     expr_name(target));
    parser_reset(p, start);
    if (!p->failed) diagnose_equal(p);
    parser_reset(p, start);
    parser_remember(p, MEMO_INVALID_NAMED_EXPRESSION, start.pos, NULL);
}

/* Calls. */

/* The end of a comprehension: its last condition or iterable. */
static AstSpan last_item_span(const AstComprehensionSeq *generators) {
    const AstComprehension *last = generators->items[generators->count - 1];
    return last->ifs.count > 0 ? last->ifs.items[last->ifs.count - 1]->span : last->iter->span;
}

static void raise_bare_genexp(Parser *p, AstExpr *elt, const AstComprehensionSeq *generators) {
    parser_raise(p, span_join(elt->span, last_item_span(generators)),
                 "Generator expression must be parenthesized");
}

/* [positional+ ','] kwargs ',' ','.(starred_expression !'=')+ */
static void diagnose_star_after_kwargs(Parser *p) {
    Mark start = parser_mark(p);
    CallArgs call;
    if (parse_args(p, &call) && call.keywords.count > 0 && parser_at(p, TOKEN_COMMA)) {
        AstSpan comma = parser_token(p)->span;
        p->pos++;
        if (parse_starred_expression(p) != NULL && !parser_at(p, TOKEN_EQUAL)) {
            Mark behind = parser_mark(p);
            while (parser_accept(p, TOKEN_COMMA) && parse_starred_expression(p) != NULL)
                behind = parser_mark(p);
            parser_reset(p, behind);
            parser_raise_from(p, comma,
                              "iterable argument unpacking follows keyword argument unpacking");
        }
    }
    parser_reset(p, start);
}

/* expression for_if_clauses ',' ... */
static void diagnose_genexp_before_args(Parser *p) {
    Mark start = parser_mark(p);
    AstComprehensionSeq generators;
    AstExpr *elt = parse_expression(p);
    if (elt != NULL && parse_for_if_clauses(p, &generators) && parser_at(p, TOKEN_COMMA)) {
        CallArgs call;
        p->pos++;
        if (!parse_args(p, &call) && p->failed) return;
        raise_bare_genexp(p, elt, &generators);
    }
    parser_reset(p, start);
}

/* NAME '=' expression for_if_clauses */
static void diagnose_keyword_genexp(Parser *p) {
    Mark start = parser_mark(p);
    if (parser_is_name(parser_kind(p)) && parser_kind_after(p) == TOKEN_EQUAL) {
        AstSpan span = parser_token(p)->span;
        p->pos += 2;
        span = span_join(span, parser_previous_span(p));
        AstComprehensionSeq generators;
        if (parse_expression(p) != NULL && parse_for_if_clauses(p, &generators))
            parser_raise(p, span, "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
    }
    parser_reset(p, start);
}

/* [args ','] NAME '=' &(',' | ')') */
static void diagnose_missing_value(Parser *p) {
    Mark start = parser_mark(p);
    CallArgs call;
    if (!parse_args(p, &call) || !parser_accept(p, TOKEN_COMMA)) parser_reset(p, start);
    if (parser_is_name(parser_kind(p)) && parser_kind_after(p) == TOKEN_EQUAL) {
        AstSpan span = parser_token(p)->span;
        p->pos += 2;
        span = span_join(span, parser_previous_span(p));
        if (parser_at(p, TOKEN_COMMA) || parser_at(p, TOKEN_RPAR))
            parser_raise(p, span, "expected argument value expression");
    }
    parser_reset(p, start);
}

/* args for_if_clauses, where the last argument is the element of a bare generator expression */
static void diagnose_genexp_after_args(Parser *p) {
    Mark start = parser_mark(p);
    CallArgs call;
    AstComprehensionSeq generators;
    if (parse_args(p, &call) && parse_for_if_clauses(p, &generators) && call.args.count > 1)
        raise_bare_genexp(p, call.args.items[call.args.count - 1], &generators);
    parser_reset(p, start);
}

static bool has_unpacking(const CallArgs *call) {
    for (int32_t i = 0; i < call->keywords.count; i++) {
        if (call->keywords.items[i]->arg == NULL) return true;
    }
    return false;
}

/* args ',' expression for_if_clauses | args ',' args: a positional argument behind keywords */
static void diagnose_positional_after_keyword(Parser *p) {
    Mark start = parser_mark(p);
    CallArgs call;
    CallArgs more;
    AstComprehensionSeq generators;
    if (parse_args(p, &call) && parser_accept(p, TOKEN_COMMA)) {
        Mark behind = parser_mark(p);
        AstExpr *elt = parse_expression(p);
        if (elt != NULL && parse_for_if_clauses(p, &generators))
            raise_bare_genexp(p, elt, &generators);
        parser_reset(p, behind);
        if (!p->failed && parse_args(p, &more))
            parser_raise_last(p, "positional argument follows keyword argument%s",
                              has_unpacking(&call) ? " unpacking" : "");
    }
    parser_reset(p, start);
}

/* invalid_arguments */
void diagnose_arguments(Parser *p) {
    static void (*const rules[])(Parser *) = {
        diagnose_star_after_kwargs, diagnose_genexp_before_args, diagnose_keyword_genexp,
        diagnose_missing_value,     diagnose_genexp_after_args,  diagnose_positional_after_keyword,
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0] && !p->failed; i++)
        rules[i](p);
}

/* '**' expression '=' expression */
static void diagnose_unpacking_assignment(Parser *p, const char *what) {
    Mark start = parser_mark(p);
    AstSpan span = parser_token(p)->span;
    p->pos++;
    AstExpr *value = NULL;
    if (parse_expression(p) != NULL && parser_accept(p, TOKEN_EQUAL)) value = parse_expression(p);
    if (value != NULL)
        parser_raise(p, span_join(span, value->span), "cannot assign to %s argument unpacking",
                     what);
    parser_reset(p, start);
}

/* invalid_kwarg */
void diagnose_kwarg(Parser *p) {
    Mark start = parser_mark(p);
    TokenKind kind = parser_kind(p);
    if (kind == TOKEN_ERROR) return;
    if ((kind == TOKEN_TRUE || kind == TOKEN_FALSE || kind == TOKEN_NONE) &&
        parser_kind_after(p) == TOKEN_EQUAL) {
        parser_raise(p, span_join(parser_token(p)->span, p->tokens[p->pos + 1].span),
                     "cannot assign to %s", token_text(kind));
        return;
    }
    if (kind == TOKEN_DOUBLESTAR) {
        diagnose_unpacking_assignment(p, "keyword");
        return;
    }
    if (parser_is_name(kind) && parser_kind_after(p) == TOKEN_EQUAL) {
        diagnose_keyword_genexp(p);
        return;
    }
    AstExpr *expr = parse_expression(p);
    if (expr != NULL && parser_accept(p, TOKEN_EQUAL))
        parser_raise(p, span_join(expr->span, parser_previous_span(p)),
                     "expression cannot contain assignment, perhaps you meant \"==\"?");
    parser_reset(p, start);
}

/* invalid_starred_expression_unpacking */
void diagnose_starred(Parser *p) {
    diagnose_unpacking_assignment(p, "iterable");
}

/* Brackets. */

/* invalid_comprehension */
void diagnose_comprehension(Parser *p) {
    Mark start = parser_mark(p);
    AstComprehensionSeq generators;
    bool is_parenthesis = parser_at(p, TOKEN_LPAR);
    p->pos++;
    Mark inside = parser_mark(p);
    AstExpr *first = parse_starred_expression(p);
    if (first != NULL && parse_for_if_clauses(p, &generators))
        parser_raise(p, first->span, "iterable unpacking cannot be used in comprehension");
    parser_reset(p, inside);
    first = p->failed || is_parenthesis ? NULL : parse_star_named_expression(p);
    if (first != NULL && parser_accept(p, TOKEN_COMMA)) {
        AstSpan last = parser_previous_span(p);
        int32_t height = p->stack_count;
        Mark behind = parser_mark(p);
        if (parse_star_named_expressions(p))
            last = ((AstExpr *)p->stack[p->stack_count - 1])->span;
        else
            parser_reset(p, behind);
        p->stack_count = height;
        if (parse_for_if_clauses(p, &generators))
            parser_raise(p, span_join(first->span, last),
                         "did you forget parentheses around the comprehension target?");
    }
    parser_reset(p, start);
}

/* invalid_group */
void diagnose_group(Parser *p) {
    Mark start = parser_mark(p);
    p->pos++;
    if (parser_at(p, TOKEN_DOUBLESTAR)) {
        AstSpan span = parser_token(p)->span;
        p->pos++;
        if (parse_expression(p) != NULL && parser_accept(p, TOKEN_RPAR))
            parser_raise(p, span, "cannot use double starred expression here");
    } else {
        AstExpr *starred = parse_starred_expression(p);
        if (starred != NULL && parser_accept(p, TOKEN_RPAR))
            parser_raise(p, starred->span, "cannot use starred expression here");
    }
    parser_reset(p, start);
}

/* What is wrong with the pair at the next token; `is_first` when none comes before. */
static void diagnose_kvpair(Parser *p, bool is_first) {
    AstExpr *key = parse_expression(p);
    if (key == NULL) return;
    if (!parser_at(p, TOKEN_COLON)) {
        if (!is_first && !p->failed)
            parser_raise_place(
                p, PARSE_SYNTAX_ERROR,
                (ErrorPlace){key->span.line, key->span.end_col, key->span.end_line, 0},
                "':' expected after dictionary key");
        return;
    }
    AstSpan colon = parser_token(p)->span;
    p->pos++;
    if (parser_at(p, TOKEN_STAR)) {
        AstSpan star = parser_token(p)->span;
        p->pos++;
        if (parse_bitwise_or(p) != NULL)
            parser_raise_from(p, star, "cannot use a starred expression in a dictionary value");
    } else if (parser_at(p, TOKEN_RBRACE) || parser_at(p, TOKEN_COMMA)) {
        parser_raise(p, colon, "expression expected after dictionary key and ':'");
    }
}

/* '{' invalid_double_starred_kvpairs '}'. In Python's grammar this is not an alternative of its
 * own, and so it is tried in every pass. */
void diagnose_dict(Parser *p) {
    Mark start = parser_mark(p);
    p->pos++;
    bool is_first = true;
    Mark inside = parser_mark(p);
    while (parse_double_starred_kvpair(p)) {
        if (!parser_accept(p, TOKEN_COMMA)) break;
        is_first = false;
        inside = parser_mark(p);
    }
    if (!p->failed) {
        parser_reset(p, inside);
        diagnose_kvpair(p, is_first);
    }
    parser_reset(p, start);
}

/* invalid_dict_comprehension: '{' '**' bitwise_or for_if_clauses '}' */
void diagnose_dict_comprehension(Parser *p) {
    Mark start = parser_mark(p);
    AstComprehensionSeq generators;
    p->pos++;
    AstSpan span = parser_token(p)->span;
    if (parser_accept(p, TOKEN_DOUBLESTAR) && parse_bitwise_or(p) != NULL &&
        parse_for_if_clauses(p, &generators) && parser_accept(p, TOKEN_RBRACE))
        parser_raise(p, span, "dict unpacking cannot be used in dict comprehension");
    parser_reset(p, start);
}

/* invalid_for_if_clause: ['async'] 'for' bitwise_or (',' bitwise_or)* [','] !'in' */
void diagnose_for_if_clause(Parser *p) {
    Mark start = parser_mark(p);
    parser_accept(p, TOKEN_ASYNC);
    if (parser_accept(p, TOKEN_FOR) && parse_bitwise_or(p) != NULL) {
        while (parser_accept(p, TOKEN_COMMA)) {
            Mark behind = parser_mark(p);
            if (parse_bitwise_or(p) == NULL) {
                parser_reset(p, behind);
                break;
            }
        }
        if (!p->failed && !parser_at(p, TOKEN_IN))
            parser_raise_last(p, "'in' expected after for-loop variables");
    }
    parser_reset(p, start);
}

/* invalid_for_target: ['async'] 'for' star_expressions */
void diagnose_for_target(Parser *p) {
    Mark start = parser_mark(p);
    parser_accept(p, TOKEN_ASYNC);
    if (parser_accept(p, TOKEN_FOR)) target_raise_invalid(p, TARGET_FOR, parse_star_expressions(p));
    parser_reset(p, start);
}

/* f-strings. */

static const char field_marks[] = "=!:}";

/* The character of a token that may end a field's expression, or NUL. */
static char field_mark(TokenKind kind) {
    switch (kind) {
    case TOKEN_EQUAL: return '=';
    case TOKEN_EXCLAMATION: return '!';
    case TOKEN_COLON: return ':';
    case TOKEN_RBRACE: return '}';
    default: return '\0';
    }
}

static bool is_at_mark(Parser *p, const char *marks) {
    char mark = field_mark(parser_kind(p));
    return mark != '\0' && strchr(marks, mark) != NULL;
}

/* What may follow the expression of a field, in order. */
static void diagnose_field_end(Parser *p, char letter) {
    if (!is_at_mark(p, field_marks)) {
        parser_raise_next(p, "%c-string: expecting '=', or '!', or ':', or '}'", letter);
        return;
    }
    if (parser_accept(p, TOKEN_EQUAL) && !is_at_mark(p, "!:}")) {
        parser_raise_next(p, "%c-string: expecting '!', or ':', or '}'", letter);
        return;
    }
    if (parser_accept(p, TOKEN_EXCLAMATION)) {
        if (is_at_mark(p, ":}"))
            parser_raise_next(p, "%c-string: missing conversion character", letter);
        else if (parser_name(p) == NULL)
            parser_raise_next(p, "%c-string: invalid conversion character", letter);
    }
    if (p->failed) return;
    if (!is_at_mark(p, ":}")) {
        parser_raise_next(p, "%c-string: expecting ':' or '}'", letter);
    } else if (parser_accept(p, TOKEN_COLON)) {
        if (parse_format_pieces(p, letter == 't') && !parser_at(p, TOKEN_RBRACE))
            parser_raise_next(p, "%c-string: expecting '}', or format specs", letter);
    }
}

/* invalid_fstring_replacement_field, invalid_tstring_replacement_field */
void diagnose_fstring_field(Parser *p) {
    Mark start = parser_mark(p);
    char letter = 'f';
    if (p->lexer.fstring_level > 0 && p->lexer.fstrings[p->lexer.fstring_level - 1].is_template)
        letter = 't';
    p->pos++;
    char mark = field_mark(parser_kind(p));
    if (mark != '\0') {
        parser_raise(p, parser_token(p)->span, "%c-string: valid expression required before '%c'",
                     letter, mark);
    } else {
        Mark inside = parser_mark(p);
        if (parse_annotated_rhs(p) != NULL) {
            diagnose_field_end(p, letter);
        } else if (!p->failed) {
            parser_reset(p, inside);
            parser_raise_next(p, "%c-string: expecting a valid expression after '{'", letter);
        }
    }
    parser_reset(p, start);
}
