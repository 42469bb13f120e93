/* parse_call.c: the arguments of calls and of class statements.
 *
 * While a list is read, arguments and keywords lie on the sequence stack in the order of the text,
 * keywords with the lowest bit of their pointer set; at the end they are told apart.
 */
#include "parser.h"

#define KEYWORD_BIT ((uintptr_t)1)

static bool push_keyword(Parser *p, AstName *name, AstExpr *value, AstSpan start) {
    AstKeyword *keyword = parser_zeroed(p, sizeof *keyword);
    if (keyword == NULL) return false;
    keyword->span = parser_span_from(p, start);
    keyword->arg = name;
    keyword->value = value;
    return parser_push(p, (void *)((uintptr_t)keyword | KEYWORD_BIT));
}

static bool take_arguments(Parser *p, int32_t height, CallArgs *call) {
    int32_t total = p->stack_count - height;
    void **items = p->stack + height;
    *call = (CallArgs){0};
    p->stack_count = height;
    if (total == 0) return true;
    void **array = arena_take(p->arena, (size_t)total * sizeof *array);
    if (array == NULL) return parser_raise_memory(p) != NULL;
    int32_t args = 0;
    for (int32_t i = 0; i < total; i++)
        args += ((uintptr_t)items[i] & KEYWORD_BIT) == 0;
    call->args = (AstExprSeq){(AstExpr **)array, args};
    call->keywords = (AstKeywordSeq){(AstKeyword **)(array + args), total - args};
    int32_t arg = 0;
    int32_t keyword = 0;
    for (int32_t i = 0; i < total; i++) {
        uintptr_t item = (uintptr_t)items[i];
        if ((item & KEYWORD_BIT) == 0)
            call->args.items[arg++] = items[i];
        else
            call->keywords.items[keyword++] = (AstKeyword *)(item & ~KEYWORD_BIT);
    }
    return true;
}

/* starred_expression: '*' expression */
AstExpr *parse_starred_expression(Parser *p) {
    if (!parser_at(p, TOKEN_STAR)) return NULL;
    if (parser_is_diagnosing(p)) {
        diagnose_starred(p);
        if (p->failed) return NULL;
    }
    AstSpan start = parser_token(p)->span;
    p->pos++;
    AstExpr *value = parse_expression(p);
    if (value == NULL) {
        if (parser_is_diagnosing(p)) parser_raise_last(p, "Invalid star expression");
        return NULL;
    }
    AstExpr *expr = parser_expr(p, EXPR_Starred, parser_span_from(p, start));
    if (expr != NULL) expr->Starred.value = value;
    return expr;
}

static bool is_at_keyword(Parser *p) {
    return parser_is_name(parser_kind(p)) && parser_kind_after(p) == TOKEN_EQUAL;
}

/* A positional argument: starred_expression | (assignment_expression | expression !':=') !'=' */
static AstExpr *parse_positional(Parser *p) {
    AstExpr *arg;
    if (parser_at(p, TOKEN_STAR))
        arg = parse_starred_expression(p);
    else if (parser_is_name(parser_kind(p)) && parser_kind_after(p) == TOKEN_COLONEQUAL)
        arg = parse_assignment_expression(p);
    else
        arg = parse_expression(p);
    if (arg == NULL || parser_at(p, TOKEN_EQUAL) || parser_at(p, TOKEN_COLONEQUAL)) return NULL;
    return arg;
}

/* One of NAME '=' expression, '*' expression and '**' expression, pushed. */
static bool parse_kwarg(Parser *p, bool *allows_star) {
    if (parser_is_diagnosing(p)) {
        diagnose_kwarg(p);
        if (p->failed) return false;
    }
    AstSpan start = p->failed ? (AstSpan){0} : parser_token(p)->span;
    if (is_at_keyword(p)) {
        AstName *name = parser_name(p);
        p->pos++;
        AstExpr *value = parse_expression(p);
        return value != NULL && push_keyword(p, name, value, start);
    }
    if (parser_accept(p, TOKEN_DOUBLESTAR)) {
        *allows_star = false;
        AstExpr *value = parse_expression(p);
        return value != NULL && push_keyword(p, NULL, value, start);
    }
    AstExpr *starred = *allows_star ? parse_starred_expression(p) : NULL;
    return starred != NULL && parser_push(p, starred);
}

/* kwargs: ','.kwarg_or_starred+ [',' ','.kwarg_or_double_starred+] | ','.kwarg_or_double_starred+
 */
bool parse_kwargs(Parser *p) {
    bool allows_star = true;
    if (!parse_kwarg(p, &allows_star)) return false;
    for (;;) {
        Mark mark = parser_mark(p);
        if (!parser_accept(p, TOKEN_COMMA) || !parse_kwarg(p, &allows_star)) {
            parser_reset(p, mark);
            return !p->failed;
        }
    }
}

/* args: ','.positional+ [',' kwargs] | kwargs, all pushed */
static bool push_args(Parser *p) {
    Mark mark = parser_mark(p);
    int32_t height = p->stack_count;
    while (!is_at_keyword(p)) {
        AstExpr *arg = parse_positional(p);
        if (arg == NULL) break;
        if (!parser_push(p, arg)) return false;
        mark = parser_mark(p);
        if (!parser_accept(p, TOKEN_COMMA)) return !p->failed;
    }
    if (p->failed) return false;
    bool has_positional = mark.height > height;
    parser_reset(p, mark);
    if (!has_positional) return parse_kwargs(p);
    if (parser_accept(p, TOKEN_COMMA) && !parse_kwargs(p)) parser_reset(p, mark);
    return !p->failed;
}

bool parse_args(Parser *p, CallArgs *call) {
    int32_t height = p->stack_count;
    return push_args(p) && take_arguments(p, height, call);
}

static bool parse_arguments_now(Parser *p, CallArgs *call) {
    if (!parse_args(p, call)) return false;
    parser_accept(p, TOKEN_COMMA);
    return parser_at(p, TOKEN_RPAR);
}

/* arguments: args [','] &')' */
bool parse_arguments(Parser *p, CallArgs *call) {
    if (!p->diagnosing) return parse_arguments_now(p, call);
    void *known;
    if (parser_recall(p, MEMO_ARGUMENTS, &known)) {
        if (known != NULL) *call = *(CallArgs *)known;
        return known != NULL;
    }
    Mark start = parser_mark(p);
    CallArgs *kept = NULL;
    if (parse_arguments_now(p, call)) {
        kept = parser_zeroed(p, sizeof *kept);
        if (kept != NULL) *kept = *call;
    } else {
        parser_reset(p, start);
        if (parser_is_diagnosing(p)) diagnose_arguments(p);
    }
    return parser_remember(p, MEMO_ARGUMENTS, start.pos, kept) != NULL;
}

static AstExpr *make_call(Parser *p, AstSpan start, AstExpr *func, const CallArgs *call) {
    AstExpr *expr = parser_expr(p, EXPR_Call, span_join(start, parser_previous_span(p)));
    if (expr == NULL) return NULL;
    expr->Call.func = func;
    expr->Call.args = call->args;
    expr->Call.keywords = call->keywords;
    return expr;
}

static bool take_single(Parser *p, AstExpr *arg, CallArgs *call) {
    int32_t height = p->stack_count;
    return parser_push(p, arg) && take_arguments(p, height, call);
}

/* f(x for x in y): the generator's brackets are those of the call. Behind the element. */
static AstExpr *finish_genexp_call(Parser *p, AstSpan start, AstExpr *func, AstExpr *elt,
                                   AstSpan open) {
    AstComprehensionSeq generators;
    if (!parse_for_if_clauses(p, &generators) || !parser_accept(p, TOKEN_RPAR)) return NULL;
    AstExpr *genexp = parser_expr(p, EXPR_GeneratorExp, span_join(open, parser_previous_span(p)));
    if (genexp == NULL) return NULL;
    genexp->GeneratorExp.elt = elt;
    genexp->GeneratorExp.generators = generators;
    CallArgs call;
    return take_single(p, genexp, &call) ? make_call(p, start, func, &call) : NULL;
}

/* The second pass takes the rules one by one: primary genexp | primary '(' [arguments] ')' */
static AstExpr *parse_call_slowly(Parser *p, AstSpan start, AstExpr *func) {
    Mark mark = parser_mark(p);
    CallArgs call = {0};
    AstExpr *genexp = parse_genexp(p);
    if (genexp != NULL)
        return take_single(p, genexp, &call) ? make_call(p, start, func, &call) : NULL;
    parser_reset(p, mark);
    p->pos++;
    Mark behind = parser_mark(p);
    if (!parser_at(p, TOKEN_RPAR) && !parse_arguments(p, &call)) parser_reset(p, behind);
    return parser_accept(p, TOKEN_RPAR) ? make_call(p, start, func, &call) : NULL;
}

/* A call of `func`, which begins at `start`; at '('. */
AstExpr *parse_call(Parser *p, AstSpan start, AstExpr *func) {
    if (p->failed || !parser_enter(p)) return NULL;
    AstExpr *result = NULL;
    if (p->diagnosing) {
        result = parse_call_slowly(p, start, func);
        parser_leave(p);
        return result;
    }
    AstSpan open = parser_token(p)->span;
    p->pos++;
    int32_t height = p->stack_count;
    CallArgs call = {0};
    if (parser_at(p, TOKEN_RPAR) || push_args(p)) {
        bool is_single = p->stack_count == height + 1;
        bool is_loop = parser_at(p, TOKEN_FOR) || parser_at(p, TOKEN_ASYNC);
        void *first = is_single ? p->stack[height] : NULL;
        if (is_loop && is_single && ((uintptr_t)first & KEYWORD_BIT) == 0) {
            p->stack_count = height;
            AstExpr *elt = first;
            if (elt->kind != EXPR_Starred) result = finish_genexp_call(p, start, func, elt, open);
        } else if (take_arguments(p, height, &call)) {
            parser_accept(p, TOKEN_COMMA);
            result = parser_accept(p, TOKEN_RPAR) ? make_call(p, start, func, &call) : NULL;
        }
    }
    parser_leave(p);
    return result;
}
