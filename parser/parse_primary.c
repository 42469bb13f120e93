/* parse_primary.c: from `await_primary` to `atom`: names, literals, and what follows them in dots,
 * brackets and parentheses. Calls are in parse_call.c and displays in parse_display.c.
 */
#include "literals.h"
#include "parser.h"

/* Atoms. */

static AstExpr *make_constant(Parser *p, AstConstantKind kind) {
    AstExpr *expr = parser_expr(p, EXPR_Constant, parser_token(p)->span);
    p->pos++;
    if (expr != NULL) expr->Constant.value = (AstConstant){.kind = kind};
    return expr;
}

static AstExpr *parse_number(Parser *p) {
    Token token = *parser_token(p);
    AstExpr *expr = parser_expr(p, EXPR_Constant, token.span);
    p->pos++;
    if (expr == NULL) return NULL;
    AstConstant *value = &expr->Constant.value;
    if (!literal_number(p->arena, token.start, (size_t)(token.end - token.start), value))
        return parser_raise_memory(p);
    if (value->kind == CONSTANT_Int && value->base == 10 && value->len > LITERAL_MAX_DIGITS)
        return parser_raise_place(
            p, PARSE_SYNTAX_ERROR, (ErrorPlace){token.span.line, 0, token.span.end_line, 0},
            "Exceeds the limit (%d digits) for integer string conversion: value has %u digits; use "
            "sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge "
            "integer literals to avoid decimal conversion limits.",
            LITERAL_MAX_DIGITS, value->len);
    return expr;
}

static AstExpr *parse_name(Parser *p) {
    AstExpr *expr = parser_name_expr(p, parser_token(p), CTX_Load);
    p->pos++;
    return expr;
}

/* atom: NAME | literals | displays */
AstExpr *parse_atom(Parser *p) {
    TokenKind kind = parser_kind(p);
    switch (kind) {
    case TOKEN_TRUE: return make_constant(p, CONSTANT_True);
    case TOKEN_FALSE: return make_constant(p, CONSTANT_False);
    case TOKEN_NONE: return make_constant(p, CONSTANT_None);
    case TOKEN_ELLIPSIS: return make_constant(p, CONSTANT_Ellipsis);
    case TOKEN_NUMBER: return parse_number(p);
    case TOKEN_STRING:
    case TOKEN_FSTRING_START:
    case TOKEN_TSTRING_START: return parse_strings(p);
    case TOKEN_LPAR:
    case TOKEN_LSQB:
    case TOKEN_LBRACE: return parse_display(p);
    default: return parser_is_name(kind) ? parse_name(p) : NULL;
    }
}

/* Subscripts. */

/* slice: [expression] ':' [expression] [':' [expression]] | named_expression */
static AstExpr *parse_slice_rest(Parser *p, AstExpr *lower, AstSpan start) {
    AstExpr *upper = NULL;
    AstExpr *step = NULL;
    p->pos++; /* the colon */
    Mark mark = parser_mark(p);
    upper = parse_expression(p);
    if (upper == NULL) parser_reset(p, mark);
    if (parser_accept(p, TOKEN_COLON)) {
        mark = parser_mark(p);
        step = parse_expression(p);
        if (step == NULL) parser_reset(p, mark);
    }
    if (p->failed) return NULL;
    AstExpr *expr = parser_expr(p, EXPR_Slice, parser_span_from(p, start));
    if (expr == NULL) return NULL;
    expr->Slice.lower = lower;
    expr->Slice.upper = upper;
    expr->Slice.step = step;
    return expr;
}

static AstExpr *parse_slice(Parser *p) {
    if (parser_at(p, TOKEN_STAR)) return parse_starred_expression(p);
    AstSpan start = parser_token(p)->span;
    if (parser_at(p, TOKEN_COLON)) return parse_slice_rest(p, NULL, start);
    if (parser_is_name(parser_kind(p)) && parser_kind_after(p) == TOKEN_COLONEQUAL)
        return parse_assignment_expression(p);
    Mark mark = parser_mark(p);
    AstExpr *expr = parse_expression(p);
    if (expr != NULL && parser_at(p, TOKEN_COLON)) return parse_slice_rest(p, expr, start);
    if (!p->diagnosing || p->failed) return expr;
    parser_reset(p, mark);
    return parse_named_expression(p);
}

/* slices: slice !',' | ','.(slice | starred_expression)+ [','] */
AstExpr *parse_slices(Parser *p) {
    if (p->failed) return NULL;
    AstSpan start = parser_token(p)->span;
    AstExpr *first = parse_slice(p);
    if (first == NULL || (!parser_at(p, TOKEN_COMMA) && first->kind != EXPR_Starred)) return first;
    int32_t height = p->stack_count;
    if (!parser_push(p, first)) return NULL;
    while (parser_accept(p, TOKEN_COMMA) && !parser_at(p, TOKEN_RSQB)) {
        AstExpr *item = parse_slice(p);
        if (item == NULL || !parser_push(p, item)) return NULL;
    }
    if (p->failed) return NULL;
    AstExpr *tuple = parser_expr(p, EXPR_Tuple, parser_span_from(p, start));
    if (tuple == NULL || !PARSER_TAKE(p, height, &tuple->Tuple.elts)) return NULL;
    return tuple;
}

/* Trailers. */

static AstExpr *parse_attribute(Parser *p, AstSpan start, AstExpr *value) {
    p->pos++;
    AstName *attr = parser_name(p);
    if (attr == NULL) return NULL;
    AstExpr *expr = parser_expr(p, EXPR_Attribute, span_join(start, parser_previous_span(p)));
    if (expr == NULL) return NULL;
    expr->Attribute.value = value;
    expr->Attribute.attr = attr;
    return expr;
}

static AstExpr *parse_subscript(Parser *p, AstSpan start, AstExpr *value) {
    p->pos++;
    AstExpr *slice = parse_slices(p);
    if (slice == NULL || !parser_accept(p, TOKEN_RSQB)) return NULL;
    AstExpr *expr = parser_expr(p, EXPR_Subscript, span_join(start, parser_previous_span(p)));
    if (expr == NULL) return NULL;
    expr->Subscript.value = value;
    expr->Subscript.slice = slice;
    return expr;
}

static AstExpr *parse_primary_now(Parser *p) {
    AstSpan start = parser_token(p)->span;
    AstExpr *primary = parse_atom(p);
    while (primary != NULL) {
        Mark mark = parser_mark(p);
        AstExpr *longer;
        switch (parser_kind(p)) {
        case TOKEN_DOT: longer = parse_attribute(p, start, primary); break;
        case TOKEN_LPAR: longer = parse_call(p, start, primary); break;
        case TOKEN_LSQB: longer = parse_subscript(p, start, primary); break;
        default: return p->failed ? NULL : primary;
        }
        if (longer == NULL) {
            parser_reset(p, mark);
            return p->failed ? NULL : primary;
        }
        primary = longer;
    }
    return NULL;
}

/* primary: atom ('.' NAME | genexp | '(' [arguments] ')' | '[' slices ']')* */
AstExpr *parse_primary(Parser *p) {
    if (!p->diagnosing) return parse_primary_now(p);
    void *known;
    if (parser_recall(p, MEMO_PRIMARY, &known)) return known;
    int32_t start = p->pos;
    return parser_remember(p, MEMO_PRIMARY, start, parse_primary_now(p));
}

/* await_primary: 'await' primary | primary */
AstExpr *parse_await_primary(Parser *p) {
    if (!parser_at(p, TOKEN_AWAIT)) return parse_primary(p);
    AstSpan start = parser_token(p)->span;
    p->pos++;
    AstExpr *value = parse_primary(p);
    if (value == NULL) return NULL;
    AstExpr *expr = parser_expr(p, EXPR_Await, parser_span_from(p, start));
    if (expr != NULL) expr->Await.value = value;
    return expr;
}
