/* parse_params.c: the parameters of functions and lambdas, and type parameters.
 *
 * Parameters are read from left to right by one loop that knows which kinds may still follow. They
 * lie on the sequence stack as pairs of parameter and default and are sorted out at the end.
 */
#include "parser.h"

typedef struct Params {
    bool is_lambda;
    bool has_default; /* of a positional parameter */
    int32_t height;   /* of the stack at the start */
    int32_t posonly;  /* pairs before '/', or -1 without one */
    int32_t kwonly;   /* pairs before '*', or -1 without one */
    AstArg *vararg;
    AstArg *kwarg;
} Params;

static int32_t pair_count(const Parser *p, const Params *params) {
    return (p->stack_count - params->height) / 2;
}

static bool is_at_close(Parser *p, const Params *params) {
    return parser_at(p, params->is_lambda ? TOKEN_COLON : TOKEN_RPAR);
}

/* A parameter is followed by a comma or the end. */
static bool finish_param(Parser *p, const Params *params) {
    return parser_accept(p, TOKEN_COMMA) || is_at_close(p, params);
}

/* param: NAME [':' expression]; the annotation of *args may be starred */
static AstArg *parse_param(Parser *p, bool is_lambda, bool is_star) {
    AstName *name = parser_name(p);
    if (name == NULL) return NULL;
    AstSpan span = parser_previous_span(p);
    AstExpr *annotation = NULL;
    if (!is_lambda && parser_accept(p, TOKEN_COLON)) {
        annotation = is_star ? parse_star_expression(p) : parse_expression(p);
        if (annotation == NULL) return NULL;
        span = parser_span_from(p, span);
    }
    AstArg *arg = parser_zeroed(p, sizeof *arg);
    if (arg == NULL) return NULL;
    arg->span = span;
    arg->arg = name;
    arg->annotation = annotation;
    return arg;
}

/* default: '=' expression */
static AstExpr *parse_default(Parser *p) {
    AstSpan equal = parser_token(p)->span;
    p->pos++;
    Mark mark = parser_mark(p);
    AstExpr *value = parse_expression(p);
    if (value != NULL || !parser_is_diagnosing(p)) return value;
    parser_reset(p, mark);
    if (parser_at(p, TOKEN_RPAR) || parser_at(p, TOKEN_COMMA))
        parser_raise(p, equal, "expected default value expression");
    return NULL;
}

static bool parse_plain_param(Parser *p, Params *params) {
    AstArg *arg = parse_param(p, params->is_lambda, false);
    if (arg == NULL) return false;
    AstExpr *value = NULL;
    if (parser_at(p, TOKEN_EQUAL)) {
        value = parse_default(p);
        if (value == NULL) return false;
    }
    if (params->kwonly < 0) {
        if (value == NULL && params->has_default) return false;
        params->has_default |= value != NULL;
    }
    return finish_param(p, params) && parser_push(p, arg) && parser_push(p, value);
}

static bool parse_slash(Parser *p, Params *params) {
    if (params->posonly >= 0 || params->kwonly >= 0 || pair_count(p, params) == 0) return false;
    p->pos++;
    params->posonly = pair_count(p, params);
    return finish_param(p, params);
}

/* star_etc: '*' param ... | '*' ',' param ... */
static bool parse_star(Parser *p, Params *params) {
    if (params->kwonly >= 0) return false;
    if (parser_is_diagnosing(p)) diagnose_star_etc(p, params->is_lambda);
    if (p->failed) return false;
    p->pos++;
    params->kwonly = pair_count(p, params);
    if (parser_accept(p, TOKEN_COMMA)) return parser_is_name(parser_kind(p));
    params->vararg = parse_param(p, params->is_lambda, true);
    return params->vararg != NULL && finish_param(p, params);
}

/* kwds: '**' param [','] */
static bool parse_double_star(Parser *p, Params *params) {
    if (parser_is_diagnosing(p)) diagnose_kwds(p, params->is_lambda);
    if (p->failed) return false;
    p->pos++;
    params->kwarg = parse_param(p, params->is_lambda, false);
    return params->kwarg != NULL && finish_param(p, params) && is_at_close(p, params);
}

static bool read_params(Parser *p, Params *params) {
    while (!is_at_close(p, params)) {
        bool is_fine = false;
        switch (parser_kind(p)) {
        case TOKEN_SLASH: is_fine = parse_slash(p, params); break;
        case TOKEN_STAR: is_fine = parse_star(p, params); break;
        case TOKEN_DOUBLESTAR: is_fine = parse_double_star(p, params); break;
        default: is_fine = parse_plain_param(p, params); break;
        }
        if (!is_fine) return false;
    }
    return true;
}

/* Copies the parameters of `count` pairs. */
static bool copy_params(Parser *p, void **pairs, int32_t count, AstArgSeq *seq) {
    *seq = (AstArgSeq){0};
    if (count == 0) return true;
    seq->items = arena_take(p->arena, (size_t)count * sizeof *seq->items);
    if (seq->items == NULL) return parser_raise_memory(p) != NULL;
    for (int32_t i = 0; i < count; i++)
        seq->items[i] = pairs[2 * i];
    seq->count = count;
    return true;
}

/* Copies the defaults of `count` pairs; those that are missing too, when `keeps_missing`. */
static bool copy_defaults(Parser *p, void **pairs, int32_t count, bool keeps_missing,
                          AstExprSeq *seq) {
    *seq = (AstExprSeq){0};
    if (count == 0) return true;
    seq->items = arena_take(p->arena, (size_t)count * sizeof *seq->items);
    if (seq->items == NULL) return parser_raise_memory(p) != NULL;
    for (int32_t i = 0; i < count; i++) {
        if (keeps_missing || pairs[2 * i + 1] != NULL) seq->items[seq->count++] = pairs[2 * i + 1];
    }
    return true;
}

static AstArguments *make_arguments(Parser *p, const Params *params) {
    AstArguments *args = parser_zeroed(p, sizeof *args);
    if (args == NULL) return NULL;
    void **pairs = p->stack + params->height;
    int32_t total = pair_count(p, params);
    int32_t positional = params->kwonly >= 0 ? params->kwonly : total;
    int32_t posonly = params->posonly >= 0 ? params->posonly : 0;
    p->stack_count = params->height;
    args->vararg = params->vararg;
    args->kwarg = params->kwarg;
    bool is_fine =
        copy_params(p, pairs, posonly, &args->posonlyargs) &&
        copy_params(p, pairs + 2 * posonly, positional - posonly, &args->args) &&
        copy_defaults(p, pairs, positional, false, &args->defaults) &&
        copy_params(p, pairs + 2 * positional, total - positional, &args->kwonlyargs) &&
        copy_defaults(p, pairs + 2 * positional, total - positional, true, &args->kw_defaults);
    return is_fine ? args : NULL;
}

/* params: [parameters], up to but without the closing ')' or ':' */
AstArguments *parse_params(Parser *p, bool is_lambda) {
    Params params = {.is_lambda = is_lambda, .height = p->stack_count, .posonly = -1, .kwonly = -1};
    if (parser_is_diagnosing(p)) {
        diagnose_params(p, is_lambda);
        if (p->failed) return NULL;
    }
    return read_params(p, &params) ? make_arguments(p, &params) : NULL;
}

/* Type parameters. */

/* invalid_type_param: a bound behind a starred name */
static void *diagnose_bound(Parser *p, const char *what) {
    AstSpan colon = parser_token(p)->span;
    p->pos++;
    AstExpr *bound = parse_expression(p);
    if (bound != NULL)
        parser_raise_from(p, colon, "cannot use %s with %s",
                          bound->kind == EXPR_Tuple ? "constraints" : "bound", what);
    return NULL;
}

/* type_param: NAME [':' expression] ['=' expression] | '*' NAME ... | '**' NAME ... */
static AstTypeParam *parse_type_param(Parser *p) {
    AstSpan start = parser_token(p)->span;
    AstTypeParamKind kind = parser_accept(p, TOKEN_STAR)         ? TYPE_PARAM_TypeVarTuple
                            : parser_accept(p, TOKEN_DOUBLESTAR) ? TYPE_PARAM_ParamSpec
                                                                 : TYPE_PARAM_TypeVar;
    AstName *name = parser_name(p);
    AstExpr *bound = NULL;
    AstExpr *value = NULL;
    if (name == NULL) return NULL;
    if (parser_at(p, TOKEN_COLON)) {
        if (kind != TYPE_PARAM_TypeVar)
            return parser_is_diagnosing(p)
                       ? diagnose_bound(p,
                                        kind == TYPE_PARAM_ParamSpec ? "ParamSpec" : "TypeVarTuple")
                       : NULL;
        p->pos++;
        bound = parse_expression(p);
        if (bound == NULL) return NULL;
    }
    if (parser_accept(p, TOKEN_EQUAL)) {
        value = kind == TYPE_PARAM_TypeVarTuple ? parse_star_expression(p) : parse_expression(p);
        if (value == NULL) return NULL;
    }
    AstTypeParam *param = ast_new_type_param(p->arena, kind, parser_span_from(p, start));
    if (param == NULL) return parser_raise_memory(p);
    if (kind == TYPE_PARAM_TypeVar) {
        param->TypeVar.name = name;
        param->TypeVar.bound = bound;
        param->TypeVar.default_value = value;
    } else {
        /* The two starred kinds have the same fields. */
        param->ParamSpec.name = name;
        param->ParamSpec.default_value = value;
    }
    return param;
}

/* '[' ','.type_param+ [','] ']', behind the bracket */
static bool parse_type_param_list(Parser *p, AstTypeParamSeq *params) {
    int32_t height = p->stack_count;
    if (parser_at(p, TOKEN_RSQB)) {
        if (parser_is_diagnosing(p)) {
            AstSpan span = parser_token(p)->span;
            p->pos++;
            parser_raise_from(p, span, "Type parameter list cannot be empty");
        }
        return false;
    }
    do {
        AstTypeParam *param = p->failed ? NULL : parse_type_param(p);
        if (param == NULL || !parser_push(p, param)) return false;
    } while (parser_accept(p, TOKEN_COMMA) && !parser_at(p, TOKEN_RSQB));
    return parser_accept(p, TOKEN_RSQB) && PARSER_TAKE(p, height, params);
}

/* [type_params] */
bool parse_type_params(Parser *p, AstTypeParamSeq *params) {
    Mark mark = parser_mark(p);
    *params = (AstTypeParamSeq){0};
    if (parser_accept(p, TOKEN_LSQB) && !parse_type_param_list(p, params)) parser_reset(p, mark);
    return !p->failed;
}
