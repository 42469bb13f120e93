/* parse_expr.c: expressions from `star_expressions` down to `power`.
 *
 * The chain of binary operators is one loop that climbs precedences instead of a function for each
 * level. Where an operator's right side does not match, the left side alone is the result, as in
 * Python's grammar: the caller then fails at the operator.
 */
#include "parser.h"

bool parser_starts_string(TokenKind kind) {
    return kind == TOKEN_STRING || kind == TOKEN_FSTRING_START || kind == TOKEN_TSTRING_START;
}

bool parser_starts_expression(TokenKind kind) {
    switch (kind) {
    case TOKEN_NUMBER:
    case TOKEN_LPAR:
    case TOKEN_LSQB:
    case TOKEN_LBRACE:
    case TOKEN_PLUS:
    case TOKEN_MINUS:
    case TOKEN_TILDE:
    case TOKEN_ELLIPSIS:
    case TOKEN_FALSE:
    case TOKEN_NONE:
    case TOKEN_TRUE:
    case TOKEN_AWAIT:
    case TOKEN_LAMBDA:
    case TOKEN_NOT: return true;
    default: return parser_is_name(kind) || parser_starts_string(kind);
    }
}

/* Binary operators. */

typedef struct BinaryOp {
    uint8_t precedence; /* 0 for a token that is none; higher binds closer */
    uint8_t op;         /* an AstOperator */
} BinaryOp;

enum {
    PRECEDENCE_OR = 1,
    PRECEDENCE_XOR,
    PRECEDENCE_AND,
    PRECEDENCE_SHIFT,
    PRECEDENCE_SUM,
    PRECEDENCE_TERM
};

static BinaryOp binary_op(TokenKind kind) {
    switch (kind) {
    case TOKEN_VBAR: return (BinaryOp){PRECEDENCE_OR, OPERATOR_BitOr};
    case TOKEN_CIRCUMFLEX: return (BinaryOp){PRECEDENCE_XOR, OPERATOR_BitXor};
    case TOKEN_AMPER: return (BinaryOp){PRECEDENCE_AND, OPERATOR_BitAnd};
    case TOKEN_LEFTSHIFT: return (BinaryOp){PRECEDENCE_SHIFT, OPERATOR_LShift};
    case TOKEN_RIGHTSHIFT: return (BinaryOp){PRECEDENCE_SHIFT, OPERATOR_RShift};
    case TOKEN_PLUS: return (BinaryOp){PRECEDENCE_SUM, OPERATOR_Add};
    case TOKEN_MINUS: return (BinaryOp){PRECEDENCE_SUM, OPERATOR_Sub};
    case TOKEN_STAR: return (BinaryOp){PRECEDENCE_TERM, OPERATOR_Mult};
    case TOKEN_SLASH: return (BinaryOp){PRECEDENCE_TERM, OPERATOR_Div};
    case TOKEN_DOUBLESLASH: return (BinaryOp){PRECEDENCE_TERM, OPERATOR_FloorDiv};
    case TOKEN_PERCENT: return (BinaryOp){PRECEDENCE_TERM, OPERATOR_Mod};
    case TOKEN_AT: return (BinaryOp){PRECEDENCE_TERM, OPERATOR_MatMult};
    default: return (BinaryOp){0, 0};
    }
}

/* From `start` to the last token: an operand's own span leaves its parentheses out. */
static AstExpr *make_binary(Parser *p, AstSpan start, AstExpr *left, AstOperator op,
                            AstExpr *right) {
    AstExpr *expr = parser_expr(p, EXPR_BinOp, parser_span_from(p, start));
    if (expr == NULL) return NULL;
    expr->BinOp.left = left;
    expr->BinOp.op = op;
    expr->BinOp.right = right;
    return expr;
}

static AstExpr *parse_factor(Parser *p);

/* invalid_arithmetic, invalid_factor: `1 + not x`, `- not x` */
static void diagnose_not(Parser *p) {
    if (!parser_is_diagnosing(p) || !parser_at(p, TOKEN_NOT)) return;
    AstSpan start = parser_token(p)->span;
    AstExpr *operand = parse_inversion(p);
    if (operand != NULL)
        parser_raise(p, span_join(start, operand->span),
                     "'not' after an operator must be parenthesized");
}

/* power: await_primary ['**' factor] */
static AstExpr *parse_power(Parser *p) {
    AstSpan span = parser_token(p)->span;
    AstExpr *base = parse_await_primary(p);
    if (base == NULL || !parser_at(p, TOKEN_DOUBLESTAR)) return base;
    Mark start = parser_mark(p);
    p->pos++;
    if (!parser_enter(p)) return NULL;
    AstExpr *exponent = parse_factor(p);
    parser_leave(p);
    if (exponent != NULL) return make_binary(p, span, base, OPERATOR_Pow, exponent);
    parser_reset(p, start);
    return p->failed ? NULL : base;
}

/* factor: ('+' | '-' | '~') factor | power; `is_nested` behind another sign */
static AstExpr *parse_signed(Parser *p, bool is_nested) {
    AstUnaryOp op;
    switch (parser_kind(p)) {
    case TOKEN_PLUS: op = UNARYOP_UAdd; break;
    case TOKEN_MINUS: op = UNARYOP_USub; break;
    case TOKEN_TILDE: op = UNARYOP_Invert; break;
    default: return parse_power(p);
    }
    if (!parser_enter(p)) return NULL;
    AstSpan start = parser_token(p)->span;
    int32_t behind = ++p->pos;
    AstExpr *operand = parse_signed(p, true);
    parser_leave(p);
    if (operand == NULL) {
        p->pos = behind;
        if (!is_nested) diagnose_not(p);
        return NULL;
    }
    AstExpr *expr = parser_expr(p, EXPR_UnaryOp, parser_span_from(p, start));
    if (expr == NULL) return NULL;
    expr->UnaryOp.op = op;
    expr->UnaryOp.operand = operand;
    return expr;
}

static AstExpr *parse_factor(Parser *p) {
    return parse_signed(p, false);
}

/* All levels from `term` to `bitwise_or`: operands joined by operators that bind at least as
 * closely as `lowest`. */
static AstExpr *parse_binary(Parser *p, int lowest) {
    AstSpan span = parser_token(p)->span;
    AstExpr *left = parse_factor(p);
    while (left != NULL) {
        BinaryOp op = binary_op(parser_kind(p));
        if (op.precedence == 0 || op.precedence < lowest) break;
        Mark start = parser_mark(p);
        p->pos++;
        AstExpr *right = parse_binary(p, op.precedence + 1);
        if (right == NULL) {
            p->pos = start.pos + 1;
            if (op.precedence >= PRECEDENCE_SUM) diagnose_not(p);
            parser_reset(p, start);
            return p->failed ? NULL : left;
        }
        left = make_binary(p, span, left, (AstOperator)op.op, right);
    }
    return left;
}

/* bitwise_or: bitwise_or '|' bitwise_xor | bitwise_xor, and so on down */
AstExpr *parse_bitwise_or(Parser *p) {
    if (!p->diagnosing) return parse_binary(p, PRECEDENCE_OR);
    void *known;
    if (parser_recall(p, MEMO_BITWISE_OR, &known)) return known;
    int32_t start = p->pos;
    return parser_remember(p, MEMO_BITWISE_OR, start, parse_binary(p, PRECEDENCE_OR));
}

/* Comparisons and boolean operators. */

/* The comparison operator at the next token, consumed; false when there is none. */
static bool accept_comparison(Parser *p, AstCmpOp *op) {
    switch (parser_kind(p)) {
    case TOKEN_EQEQUAL: *op = CMPOP_Eq; break;
    case TOKEN_NOTEQUAL: *op = CMPOP_NotEq; break;
    case TOKEN_LESS: *op = CMPOP_Lt; break;
    case TOKEN_LESSEQUAL: *op = CMPOP_LtE; break;
    case TOKEN_GREATER: *op = CMPOP_Gt; break;
    case TOKEN_GREATEREQUAL: *op = CMPOP_GtE; break;
    case TOKEN_IN: *op = CMPOP_In; break;
    case TOKEN_IS:
        p->pos++;
        *op = parser_accept(p, TOKEN_NOT) ? CMPOP_IsNot : CMPOP_Is;
        return true;
    case TOKEN_NOT:
        if (parser_kind_after(p) != TOKEN_IN) return false;
        p->pos += 2;
        *op = CMPOP_NotIn;
        return true;
    default: return false;
    }
    p->pos++;
    return true;
}

/* `<>` is lexed as an operator, so that it can be refused where Python refuses it. */
static bool is_barry(Parser *p, int32_t pos) {
    const Token *token = &p->tokens[pos];
    return token->kind == TOKEN_NOTEQUAL && token->start[0] == '<';
}

static AstExpr *make_compare(Parser *p, AstSpan span, AstExpr *left, int32_t mark) {
    /* The stack holds operator and operand in turn. */
    int32_t count = (p->stack_count - mark) / 2;
    AstCmpOp *ops = arena_take(p->arena, (size_t)count * sizeof *ops);
    AstExpr **operands = arena_take(p->arena, (size_t)count * sizeof *operands);
    if (ops == NULL || operands == NULL) return parser_raise_memory(p);
    for (int32_t i = 0; i < count; i++) {
        ops[i] = (AstCmpOp)(intptr_t)p->stack[mark + 2 * i];
        operands[i] = p->stack[mark + 2 * i + 1];
    }
    p->stack_count = mark;
    AstExpr *expr = parser_expr(p, EXPR_Compare, parser_span_from(p, span));
    if (expr == NULL) return NULL;
    expr->Compare.left = left;
    expr->Compare.ops = (AstCmpOpSeq){ops, count};
    expr->Compare.comparators = (AstExprSeq){operands, count};
    return expr;
}

/* comparison: bitwise_or compare_op_bitwise_or_pair* */
static AstExpr *parse_comparison(Parser *p) {
    AstSpan span = parser_token(p)->span;
    AstExpr *left = parse_bitwise_or(p);
    if (left == NULL) return NULL;
    int32_t mark = p->stack_count;
    AstCmpOp op;
    Mark start = parser_mark(p);
    while (!p->failed && accept_comparison(p, &op)) {
        AstExpr *right = is_barry(p, start.pos) ? NULL : parse_bitwise_or(p);
        if (right == NULL) {
            parser_reset(p, start);
            break;
        }
        if (!parser_push(p, (void *)(intptr_t)op) || !parser_push(p, right)) return NULL;
        start = parser_mark(p);
    }
    if (p->failed || p->stack_count == mark) {
        p->stack_count = mark;
        return p->failed ? NULL : left;
    }
    return make_compare(p, span, left, mark);
}

/* inversion: 'not' inversion | comparison */
AstExpr *parse_inversion(Parser *p) {
    if (!parser_at(p, TOKEN_NOT)) return parse_comparison(p);
    if (!parser_enter(p)) return NULL;
    AstSpan start = parser_token(p)->span;
    p->pos++;
    AstExpr *operand = parse_inversion(p);
    parser_leave(p);
    if (operand == NULL) return NULL;
    AstExpr *expr = parser_expr(p, EXPR_UnaryOp, parser_span_from(p, start));
    if (expr == NULL) return NULL;
    expr->UnaryOp.op = UNARYOP_Not;
    expr->UnaryOp.operand = operand;
    return expr;
}

/* Operands of 'and' or 'or', the first of which is at hand. */
static AstExpr *parse_bool_op(Parser *p, AstSpan span, AstExpr *first, TokenKind word, AstBoolOp op,
                              AstExpr *(*parse_operand)(Parser *)) {
    int32_t mark = p->stack_count;
    if (!parser_push(p, first)) return NULL;
    Mark start = parser_mark(p);
    while (parser_accept(p, word)) {
        AstExpr *operand = parse_operand(p);
        if (operand == NULL) {
            parser_reset(p, start);
            break;
        }
        if (!parser_push(p, operand)) return NULL;
        start = parser_mark(p);
    }
    if (p->failed || p->stack_count == mark + 1) {
        p->stack_count = mark;
        return p->failed ? NULL : first;
    }
    AstExpr *expr = parser_expr(p, EXPR_BoolOp, parser_span_from(p, span));
    if (expr == NULL || !PARSER_TAKE(p, mark, &expr->BoolOp.values)) return NULL;
    expr->BoolOp.op = op;
    return expr;
}

/* conjunction: inversion ('and' inversion)* */
static AstExpr *parse_conjunction(Parser *p) {
    AstSpan span = parser_token(p)->span;
    AstExpr *first = parse_inversion(p);
    if (first == NULL || !parser_at(p, TOKEN_AND)) return first;
    return parse_bool_op(p, span, first, TOKEN_AND, BOOLOP_And, parse_inversion);
}

static AstExpr *parse_disjunction_now(Parser *p) {
    AstSpan span = parser_token(p)->span;
    AstExpr *first = parse_conjunction(p);
    if (first == NULL || !parser_at(p, TOKEN_OR)) return first;
    return parse_bool_op(p, span, first, TOKEN_OR, BOOLOP_Or, parse_conjunction);
}

/* disjunction: conjunction ('or' conjunction)* */
AstExpr *parse_disjunction(Parser *p) {
    if (!p->diagnosing) return parse_disjunction_now(p);
    void *known;
    if (parser_recall(p, MEMO_DISJUNCTION, &known)) return known;
    int32_t start = p->pos;
    return parser_remember(p, MEMO_DISJUNCTION, start, parse_disjunction_now(p));
}

/* Conditional expressions and lambda. */

/* What follows the first disjunction: ['if' disjunction 'else' expression] */
static AstExpr *parse_conditional(Parser *p, AstSpan span, AstExpr *body) {
    if (!parser_at(p, TOKEN_IF)) return body;
    Mark start = parser_mark(p);
    p->pos++;
    AstExpr *test = parse_disjunction(p);
    AstExpr *orelse = NULL;
    if (test != NULL && parser_accept(p, TOKEN_ELSE)) orelse = parse_expression(p);
    if (orelse == NULL) {
        parser_reset(p, start);
        return p->failed ? NULL : body;
    }
    AstExpr *expr = parser_expr(p, EXPR_IfExp, parser_span_from(p, span));
    if (expr == NULL) return NULL;
    expr->IfExp.test = test;
    expr->IfExp.body = body;
    expr->IfExp.orelse = orelse;
    return expr;
}

/* lambdef: 'lambda' [lambda_params] ':' expression */
AstExpr *parse_lambdef(Parser *p) {
    AstSpan start = parser_token(p)->span;
    if (!parser_accept(p, TOKEN_LAMBDA)) return NULL;
    AstArguments *args = parse_params(p, true);
    if (args == NULL || !parser_accept(p, TOKEN_COLON)) return NULL;
    AstExpr *body = parse_expression(p);
    if (body == NULL) return NULL;
    AstExpr *expr = parser_expr(p, EXPR_Lambda, parser_span_from(p, start));
    if (expr == NULL) return NULL;
    expr->Lambda.args = args;
    expr->Lambda.body = body;
    return expr;
}

static AstExpr *parse_expression_now(Parser *p) {
    if (parser_is_diagnosing(p)) {
        diagnose_expression(p);
        if (p->failed) return NULL;
    }
    if (parser_at(p, TOKEN_LAMBDA)) return parse_lambdef(p);
    AstSpan span = parser_token(p)->span;
    AstExpr *first = parse_disjunction(p);
    return first == NULL ? NULL : parse_conditional(p, span, first);
}

/* expression: disjunction ['if' disjunction 'else' expression] | lambdef */
AstExpr *parse_expression(Parser *p) {
    void *known;
    if (p->diagnosing && parser_recall(p, MEMO_EXPRESSION, &known)) return known;
    if (!parser_enter(p)) return NULL;
    int32_t start = p->pos;
    AstExpr *expr = parse_expression_now(p);
    parser_leave(p);
    return p->diagnosing ? parser_remember(p, MEMO_EXPRESSION, start, expr) : expr;
}

/* Lists of expressions without brackets. */

/* A Tuple of `first` and the further items up to the end or a trailing comma. */
static AstExpr *parse_bare_tuple(Parser *p, AstSpan start, AstExpr *first,
                                 AstExpr *(*parse_item)(Parser *)) {
    int32_t mark = p->stack_count;
    if (!parser_push(p, first)) return NULL;
    while (parser_accept(p, TOKEN_COMMA)) {
        Mark behind_comma = parser_mark(p);
        AstExpr *item = parse_item(p);
        if (item == NULL) {
            parser_reset(p, behind_comma);
            break;
        }
        if (!parser_push(p, item)) return NULL;
    }
    if (p->failed) return NULL;
    AstExpr *tuple = parser_expr(p, EXPR_Tuple, parser_span_from(p, start));
    if (tuple == NULL || !PARSER_TAKE(p, mark, &tuple->Tuple.elts)) return NULL;
    return tuple;
}

/* expressions: expression (',' expression)* [','] */
AstExpr *parse_expressions(Parser *p) {
    AstSpan start = parser_token(p)->span;
    AstExpr *first = parse_expression(p);
    if (first == NULL || !parser_at(p, TOKEN_COMMA)) return first;
    return parse_bare_tuple(p, start, first, parse_expression);
}

static AstExpr *parse_starred(Parser *p) {
    AstSpan start = parser_token(p)->span;
    p->pos++;
    AstExpr *value = parse_bitwise_or(p);
    if (value == NULL) return NULL;
    AstExpr *expr = parser_expr(p, EXPR_Starred, parser_span_from(p, start));
    if (expr != NULL) expr->Starred.value = value;
    return expr;
}

/* star_expression: '*' bitwise_or | expression */
AstExpr *parse_star_expression(Parser *p) {
    return parser_at(p, TOKEN_STAR) ? parse_starred(p) : parse_expression(p);
}

/* star_expressions: star_expression (',' star_expression)* [','] */
AstExpr *parse_star_expressions(Parser *p) {
    AstSpan start = parser_token(p)->span;
    AstExpr *first = parse_star_expression(p);
    if (first == NULL || !parser_at(p, TOKEN_COMMA)) return first;
    return parse_bare_tuple(p, start, first, parse_star_expression);
}

/* assignment_expression: NAME ':=' ~ expression */
AstExpr *parse_assignment_expression(Parser *p) {
    AstExpr *target = parser_name_expr(p, parser_token(p), CTX_Store);
    p->pos += 2;
    AstExpr *value = target == NULL ? NULL : parse_expression(p);
    if (value == NULL) return NULL;
    AstExpr *expr = parser_expr(p, EXPR_NamedExpr, parser_span_from(p, target->span));
    if (expr == NULL) return NULL;
    expr->NamedExpr.target = target;
    expr->NamedExpr.value = value;
    return expr;
}

static AstExpr *parse_named_expression_now(Parser *p) {
    if (parser_is_name(parser_kind(p)) && parser_kind_after(p) == TOKEN_COLONEQUAL)
        return parse_assignment_expression(p);
    if (parser_is_diagnosing(p)) {
        diagnose_named_expression(p);
        if (p->failed) return NULL;
    }
    AstExpr *expr = parse_expression(p);
    return expr != NULL && parser_at(p, TOKEN_COLONEQUAL) ? NULL : expr;
}

/* named_expression: assignment_expression | expression !':=' */
AstExpr *parse_named_expression(Parser *p) {
    if (!p->diagnosing) return parse_named_expression_now(p);
    void *known;
    if (parser_recall(p, MEMO_NAMED_EXPRESSION, &known)) return known;
    int32_t start = p->pos;
    return parser_remember(p, MEMO_NAMED_EXPRESSION, start, parse_named_expression_now(p));
}

/* star_named_expression: '*' bitwise_or | named_expression */
AstExpr *parse_star_named_expression(Parser *p) {
    return parser_at(p, TOKEN_STAR) ? parse_starred(p) : parse_named_expression(p);
}

/* yield_expr: 'yield' 'from' expression | 'yield' [star_expressions] */
AstExpr *parse_yield_expr(Parser *p) {
    AstSpan start = parser_token(p)->span;
    p->pos++;
    if (parser_accept(p, TOKEN_FROM)) {
        AstExpr *value = parse_expression(p);
        if (value == NULL) return NULL;
        AstExpr *expr = parser_expr(p, EXPR_YieldFrom, parser_span_from(p, start));
        if (expr != NULL) expr->YieldFrom.value = value;
        return expr;
    }
    Mark behind = parser_mark(p);
    AstExpr *value = parse_star_expressions(p);
    if (p->failed) return NULL;
    if (value == NULL) parser_reset(p, behind);
    AstExpr *expr = parser_expr(p, EXPR_Yield, parser_span_from(p, start));
    if (expr != NULL) expr->Yield.value = value;
    return expr;
}

/* annotated_rhs: yield_expr | star_expressions */
AstExpr *parse_annotated_rhs(Parser *p) {
    return parser_at(p, TOKEN_YIELD) ? parse_yield_expr(p) : parse_star_expressions(p);
}
