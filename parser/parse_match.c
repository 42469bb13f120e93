/* parse_match.c: the match statement and its patterns.
 *
 * `match`, `case` and `_` are names everywhere else: a line that begins with `match` is tried as a
 * statement and read again as an expression when it turns out to be none.
 */
#include "parser.h"

static AstPattern *parse_pattern(Parser *p);

/* Literals. */

static AstPattern *make_value(Parser *p, AstExpr *value) {
    AstPattern *pattern = value == NULL ? NULL : parser_pattern(p, PATTERN_MatchValue, value->span);
    if (pattern != NULL) pattern->MatchValue.value = value;
    return pattern;
}

static AstPattern *parse_singleton(Parser *p, AstConstantKind kind) {
    AstPattern *pattern = parser_pattern(p, PATTERN_MatchSingleton, parser_token(p)->span);
    p->pos++;
    if (pattern != NULL) pattern->MatchSingleton.value = (AstConstant){.kind = kind};
    return pattern;
}

/* A string: f-strings have no place in patterns. */
static AstPattern *parse_string_pattern(Parser *p) {
    AstExpr *expr = parse_strings(p);
    if (expr != NULL && expr->kind != EXPR_Constant)
        return parser_raise(p, expr->span,
                            "patterns may only match literals and attribute lookups");
    return make_value(p, expr);
}

/* signed_number: ['-'] NUMBER */
static AstExpr *parse_signed_number(Parser *p) {
    if (parser_at(p, TOKEN_NUMBER)) return parse_atom(p);
    AstSpan start = parser_token(p)->span;
    p->pos++;
    AstExpr *number = parser_at(p, TOKEN_NUMBER) ? parse_atom(p) : NULL;
    AstExpr *expr =
        number == NULL ? NULL : parser_expr(p, EXPR_UnaryOp, span_join(start, number->span));
    if (expr == NULL) return NULL;
    expr->UnaryOp.op = UNARYOP_USub;
    expr->UnaryOp.operand = number;
    return expr;
}

static bool is_complex(const AstExpr *number) {
    if (number->kind == EXPR_UnaryOp) number = number->UnaryOp.operand;
    return number->Constant.value.kind == CONSTANT_Complex;
}

/* signed_number | signed_real_number ('+' | '-') imaginary_number */
static AstExpr *parse_number_literal(Parser *p) {
    AstExpr *real = parse_signed_number(p);
    if (real == NULL || (!parser_at(p, TOKEN_PLUS) && !parser_at(p, TOKEN_MINUS))) return real;
    AstOperator op = parser_at(p, TOKEN_PLUS) ? OPERATOR_Add : OPERATOR_Sub;
    if (is_complex(real))
        return parser_raise(p, real->span, "real number required in complex literal");
    p->pos++;
    AstExpr *imaginary = parser_at(p, TOKEN_NUMBER) ? parse_atom(p) : NULL;
    if (imaginary == NULL) return NULL;
    if (!is_complex(imaginary))
        return parser_raise(p, imaginary->span, "imaginary number required in complex literal");
    AstExpr *expr = parser_expr(p, EXPR_BinOp, span_join(real->span, imaginary->span));
    if (expr == NULL) return NULL;
    expr->BinOp.left = real;
    expr->BinOp.op = op;
    expr->BinOp.right = imaginary;
    return expr;
}

/* Names. */

/* name_or_attr: NAME ('.' NAME)* */
static AstExpr *parse_name_or_attr(Parser *p) {
    AstExpr *expr = parser_name_expr(p, parser_token(p), CTX_Load);
    p->pos++;
    while (expr != NULL && parser_accept(p, TOKEN_DOT)) {
        AstName *attr = parser_name(p);
        if (attr == NULL) return NULL;
        AstExpr *value = expr;
        expr = parser_expr(p, EXPR_Attribute, span_join(value->span, parser_previous_span(p)));
        if (expr == NULL) return NULL;
        expr->Attribute.value = value;
        expr->Attribute.attr = attr;
    }
    return p->failed ? NULL : expr;
}

/* pattern_capture_target: !"_" NAME !('.' | '(' | '=') */
static AstName *parse_capture_target(Parser *p) {
    if (parser_at(p, TOKEN_UNDERSCORE)) return NULL;
    AstName *name = parser_name(p);
    TokenKind next = parser_kind(p);
    return next == TOKEN_DOT || next == TOKEN_LPAR || next == TOKEN_EQUAL ? NULL : name;
}

/* class_pattern */

typedef struct ClassArgs {
    AstPatternSeq patterns;
    AstNameSeq names;
    AstPatternSeq keyword_patterns;
} ClassArgs;

static bool is_at_keyword(Parser *p) {
    return parser_is_name(parser_kind(p)) && parser_kind_after(p) == TOKEN_EQUAL;
}

/* keyword_patterns: ','.(NAME '=' pattern)+ [','], name and pattern pushed in turn */
static bool parse_keyword_patterns(Parser *p) {
    do {
        AstName *name = parser_name(p);
        p->pos++; /* '=' */
        AstPattern *pattern = parse_pattern(p);
        if (pattern == NULL || !parser_push(p, name) || !parser_push(p, pattern)) return false;
    } while (parser_accept(p, TOKEN_COMMA) && is_at_keyword(p));
    return !p->failed;
}

/* Tells names and patterns in the pairs above `height` apart. */
static bool split_pairs(Parser *p, int32_t height, void **firsts, AstPatternSeq *seconds) {
    int32_t count = (p->stack_count - height) / 2;
    seconds->items = arena_take(p->arena, (size_t)(count + 1) * sizeof *seconds->items);
    if (seconds->items == NULL) return parser_raise_memory(p) != NULL;
    for (int32_t i = 0; i < count; i++) {
        firsts[i] = p->stack[height + 2 * i];
        seconds->items[i] = p->stack[height + 2 * i + 1];
    }
    seconds->count = count;
    p->stack_count = height;
    return true;
}

/* invalid_class_argument_pattern: positional patterns behind keyword ones */
static void *diagnose_class_args(Parser *p) {
    if (!parser_is_diagnosing(p) || parser_at(p, TOKEN_RPAR)) return NULL;
    AstPattern *first = parse_pattern(p);
    AstPattern *last = first;
    while (last != NULL && parser_at(p, TOKEN_COMMA)) {
        p->pos++;
        if (parser_at(p, TOKEN_RPAR) || is_at_keyword(p)) break;
        AstPattern *next = parse_pattern(p);
        last = next != NULL ? next : last;
        if (next == NULL) break;
    }
    if (first != NULL)
        parser_raise(p, span_join(first->span, last->span),
                     "positional patterns follow keyword patterns");
    return NULL;
}

static bool parse_class_args(Parser *p, ClassArgs *args) {
    int32_t height = p->stack_count;
    *args = (ClassArgs){0};
    while (!parser_at(p, TOKEN_RPAR) && !is_at_keyword(p)) {
        AstPattern *pattern = parse_pattern(p);
        if (pattern == NULL || !parser_push(p, pattern)) return false;
        if (!parser_accept(p, TOKEN_COMMA)) break;
    }
    if (p->failed || !PARSER_TAKE(p, height, &args->patterns)) return false;
    if (is_at_keyword(p)) {
        if (!parse_keyword_patterns(p)) return false;
        int32_t count = (p->stack_count - height) / 2;
        args->names.items = arena_take(p->arena, (size_t)count * sizeof(AstName *));
        args->names.count = count;
        if (args->names.items == NULL) return parser_raise_memory(p) != NULL;
        if (!split_pairs(p, height, (void **)args->names.items, &args->keyword_patterns))
            return false;
        diagnose_class_args(p);
    }
    return parser_accept(p, TOKEN_RPAR);
}

/* class_pattern: name_or_attr '(' ... ')', behind the name */
static AstPattern *parse_class_pattern(Parser *p, AstExpr *cls) {
    p->pos++;
    ClassArgs args;
    if (!parse_class_args(p, &args)) return NULL;
    AstPattern *pattern =
        parser_pattern(p, PATTERN_MatchClass, span_join(cls->span, parser_previous_span(p)));
    if (pattern == NULL) return NULL;
    pattern->MatchClass.cls = cls;
    pattern->MatchClass.patterns = args.patterns;
    pattern->MatchClass.kwd_attrs = args.names;
    pattern->MatchClass.kwd_patterns = args.keyword_patterns;
    return pattern;
}

/* capture_pattern | wildcard_pattern | value_pattern | class_pattern */
static AstPattern *parse_name_pattern(Parser *p) {
    Token token = *parser_token(p);
    AstExpr *expr = parse_name_or_attr(p);
    if (expr == NULL) return NULL;
    if (parser_at(p, TOKEN_LPAR)) return parse_class_pattern(p, expr);
    if (parser_at(p, TOKEN_EQUAL)) return NULL;
    if (expr->kind == EXPR_Attribute) return make_value(p, expr);
    AstPattern *pattern = parser_pattern(p, PATTERN_MatchAs, token.span);
    if (pattern != NULL) pattern->MatchAs.name = token.kind == TOKEN_UNDERSCORE ? NULL : token.name;
    return pattern;
}

/* Sequences. */

/* star_pattern: '*' (pattern_capture_target | "_") */
static AstPattern *parse_star_pattern(Parser *p) {
    AstSpan start = parser_token(p)->span;
    p->pos++;
    AstName *name = NULL;
    if (!parser_accept(p, TOKEN_UNDERSCORE)) {
        name = parse_capture_target(p);
        if (name == NULL) return NULL;
    }
    if (p->failed) return NULL;
    AstPattern *pattern = parser_pattern(p, PATTERN_MatchStar, parser_span_from(p, start));
    if (pattern != NULL) pattern->MatchStar.name = name;
    return pattern;
}

static AstPattern *parse_maybe_star_pattern(Parser *p) {
    return parser_at(p, TOKEN_STAR) ? parse_star_pattern(p) : parse_pattern(p);
}

/* Further patterns behind a comma, pushed, up to `close`. */
static bool push_patterns(Parser *p, TokenKind close) {
    while (!parser_at(p, close) && !parser_at(p, TOKEN_IF)) {
        AstPattern *pattern = parse_maybe_star_pattern(p);
        if (pattern == NULL || !parser_push(p, pattern)) return false;
        if (!parser_accept(p, TOKEN_COMMA)) break;
    }
    return !p->failed;
}

static AstPattern *finish_sequence(Parser *p, AstSpan start, int32_t height) {
    AstPattern *pattern = parser_pattern(p, PATTERN_MatchSequence, parser_span_from(p, start));
    if (pattern == NULL || !PARSER_TAKE(p, height, &pattern->MatchSequence.patterns)) return NULL;
    return pattern;
}

/* sequence_pattern: '[' ... ']' */
static AstPattern *parse_bracket_pattern(Parser *p) {
    AstSpan start = parser_token(p)->span;
    int32_t height = p->stack_count;
    p->pos++;
    if (!push_patterns(p, TOKEN_RSQB) || !parser_accept(p, TOKEN_RSQB)) return NULL;
    return finish_sequence(p, start, height);
}

/* group_pattern: '(' pattern ')' | sequence_pattern: '(' [open_sequence_pattern] ')' */
static AstPattern *parse_paren_pattern(Parser *p) {
    AstSpan start = parser_token(p)->span;
    int32_t height = p->stack_count;
    p->pos++;
    if (parser_accept(p, TOKEN_RPAR)) return finish_sequence(p, start, height);
    AstPattern *first = parse_maybe_star_pattern(p);
    if (first == NULL) return NULL;
    if (first->kind != PATTERN_MatchStar && parser_accept(p, TOKEN_RPAR)) return first;
    if (!parser_push(p, first) || !parser_accept(p, TOKEN_COMMA) || !push_patterns(p, TOKEN_RPAR) ||
        !parser_accept(p, TOKEN_RPAR))
        return NULL;
    return finish_sequence(p, start, height);
}

/* Mappings. */

/* The key of a mapping pattern: literal_expr | attr */
static AstExpr *parse_key(Parser *p) {
    TokenKind kind = parser_kind(p);
    switch (kind) {
    case TOKEN_NUMBER:
    case TOKEN_MINUS: return parse_number_literal(p);
    case TOKEN_STRING:
    case TOKEN_FSTRING_START:
    case TOKEN_TSTRING_START: return parse_strings(p);
    case TOKEN_NONE:
    case TOKEN_TRUE:
    case TOKEN_FALSE: return parse_atom(p);
    default: break;
    }
    if (!parser_is_name(kind)) return NULL;
    AstExpr *expr = parse_name_or_attr(p);
    return expr != NULL && expr->kind == EXPR_Attribute ? expr : NULL;
}

/* key_value_pattern: key ':' pattern, pushed in turn */
static bool parse_key_value(Parser *p) {
    AstExpr *key = parse_key(p);
    if (key == NULL || !parser_accept(p, TOKEN_COLON)) return false;
    AstPattern *pattern = parse_pattern(p);
    return pattern != NULL && parser_push(p, key) && parser_push(p, pattern);
}

/* Whether one of the keys above `height` is an f-string. */
static bool has_formatted_key(const Parser *p, int32_t height) {
    for (int32_t i = height; i < p->stack_count; i += 2) {
        const AstExpr *key = p->stack[i];
        if (key->kind == EXPR_JoinedStr || key->kind == EXPR_TemplateStr) return true;
    }
    return false;
}

/* mapping_pattern: '{' [items_pattern] ['**' capture_target] [','] '}' */
static AstPattern *parse_mapping_pattern(Parser *p) {
    AstSpan start = parser_token(p)->span;
    AstName *rest = NULL;
    int32_t height = p->stack_count;
    p->pos++;
    while (rest == NULL && !parser_at(p, TOKEN_RBRACE)) {
        if (parser_accept(p, TOKEN_DOUBLESTAR)) {
            rest = parse_capture_target(p);
            if (rest == NULL || p->failed) return NULL;
        } else if (!parse_key_value(p)) {
            return NULL;
        }
        if (!parser_accept(p, TOKEN_COMMA)) break;
    }
    if (!parser_accept(p, TOKEN_RBRACE)) return NULL;
    if (has_formatted_key(p, height))
        return parser_raise(p, parser_span_from(p, start),
                            "mapping pattern keys may only match literals and attribute lookups");
    AstPattern *pattern = parser_pattern(p, PATTERN_MatchMapping, parser_span_from(p, start));
    int32_t count = (p->stack_count - height) / 2;
    AstExpr **keys = arena_take(p->arena, (size_t)(count + 1) * sizeof *keys);
    if (pattern == NULL || keys == NULL) return parser_raise_memory(p);
    pattern->MatchMapping.keys = (AstExprSeq){keys, count};
    pattern->MatchMapping.rest = rest;
    return split_pairs(p, height, (void **)keys, &pattern->MatchMapping.patterns) ? pattern : NULL;
}

/* Patterns. */

static AstPattern *parse_closed_pattern(Parser *p) {
    TokenKind kind = parser_kind(p);
    switch (kind) {
    case TOKEN_NUMBER:
    case TOKEN_MINUS: return make_value(p, parse_number_literal(p));
    case TOKEN_STRING:
    case TOKEN_FSTRING_START:
    case TOKEN_TSTRING_START: return parse_string_pattern(p);
    case TOKEN_NONE: return parse_singleton(p, CONSTANT_None);
    case TOKEN_TRUE: return parse_singleton(p, CONSTANT_True);
    case TOKEN_FALSE: return parse_singleton(p, CONSTANT_False);
    case TOKEN_LPAR: return parse_paren_pattern(p);
    case TOKEN_LSQB: return parse_bracket_pattern(p);
    case TOKEN_LBRACE: return parse_mapping_pattern(p);
    default: return parser_is_name(kind) ? parse_name_pattern(p) : NULL;
    }
}

/* or_pattern: '|'.closed_pattern+ */
static AstPattern *parse_or_pattern(Parser *p) {
    AstSpan start = parser_token(p)->span;
    AstPattern *first = parse_closed_pattern(p);
    if (first == NULL || !parser_at(p, TOKEN_VBAR)) return first;
    int32_t height = p->stack_count;
    if (!parser_push(p, first)) return NULL;
    while (parser_accept(p, TOKEN_VBAR)) {
        AstPattern *next = parse_closed_pattern(p);
        if (next == NULL || !parser_push(p, next)) return NULL;
    }
    AstPattern *pattern =
        p->failed ? NULL : parser_pattern(p, PATTERN_MatchOr, parser_span_from(p, start));
    if (pattern == NULL || !PARSER_TAKE(p, height, &pattern->MatchOr.patterns)) return NULL;
    return pattern;
}

/* invalid_as_pattern, behind 'as' */
static void *diagnose_as(Parser *p, Mark behind) {
    parser_reset(p, behind);
    if (!parser_is_diagnosing(p)) return NULL;
    if (parser_at(p, TOKEN_UNDERSCORE))
        return parser_raise(p, parser_token(p)->span, "cannot use '_' as a target");
    AstExpr *target = parse_expression(p);
    if (target != NULL)
        parser_raise(p, target->span, "cannot use %s as pattern target", expr_name(target));
    return NULL;
}

/* as_pattern: or_pattern 'as' pattern_capture_target */
static AstPattern *parse_as_pattern(Parser *p, AstSpan start, AstPattern *inner) {
    Mark behind = parser_mark(p);
    AstName *name = parse_capture_target(p);
    if (name == NULL) return diagnose_as(p, behind);
    AstPattern *pattern = parser_pattern(p, PATTERN_MatchAs, parser_span_from(p, start));
    if (pattern == NULL) return NULL;
    pattern->MatchAs.pattern = inner;
    pattern->MatchAs.name = name;
    return pattern;
}

/* pattern: as_pattern | or_pattern */
static AstPattern *parse_pattern(Parser *p) {
    if (!parser_enter(p)) return NULL;
    AstSpan start = parser_token(p)->span;
    AstPattern *pattern = parse_or_pattern(p);
    if (pattern != NULL && parser_accept(p, TOKEN_AS))
        pattern = parse_as_pattern(p, start, pattern);
    parser_leave(p);
    return p->failed ? NULL : pattern;
}

/* patterns: open_sequence_pattern | pattern */
static AstPattern *parse_patterns(Parser *p) {
    if (p->failed) return NULL;
    AstSpan start = parser_token(p)->span;
    AstPattern *first = parse_maybe_star_pattern(p);
    if (first == NULL || !parser_at(p, TOKEN_COMMA))
        return first != NULL && first->kind == PATTERN_MatchStar ? NULL : first;
    int32_t height = p->stack_count;
    if (!parser_push(p, first) || !parser_accept(p, TOKEN_COMMA) || !push_patterns(p, TOKEN_COLON))
        return NULL;
    return finish_sequence(p, start, height);
}

/* Statements. */

/* case_block: "case" patterns ['if' named_expression] ':' block */
static AstMatchCase *parse_case(Parser *p) {
    int32_t line = parser_token(p)->span.line;
    if (!parser_accept(p, TOKEN_CASE)) return NULL;
    AstMatchCase *match_case = parser_zeroed(p, sizeof *match_case);
    if (match_case == NULL) return NULL;
    match_case->pattern = parse_patterns(p);
    if (match_case->pattern == NULL) return NULL;
    if (parser_accept(p, TOKEN_IF)) {
        match_case->guard = parse_named_expression(p);
        if (match_case->guard == NULL) return NULL;
    }
    if (parser_at(p, TOKEN_NEWLINE) && parser_is_diagnosing(p)) {
        p->pos++;
        return parser_raise_last(p, "expected ':'");
    }
    if (!parser_accept(p, TOKEN_COLON) ||
        !parse_block(p, "'case' statement", line, &match_case->body))
        return NULL;
    return match_case;
}

/* subject_expr: star_named_expression ',' [star_named_expressions] | named_expression */
static AstExpr *parse_subject(Parser *p) {
    int32_t height = p->stack_count;
    AstSpan start = parser_token(p)->span;
    AstExpr *first = parse_star_named_expression(p);
    if (first == NULL) return NULL;
    if (!parser_at(p, TOKEN_COMMA)) return first->kind == EXPR_Starred ? NULL : first;
    p->pos++;
    Mark mark;
    if (!parser_push(p, first)) return NULL;
    mark = parser_mark(p);
    if (!parse_star_named_expressions(p)) parser_reset(p, mark);
    AstExpr *tuple = p->failed ? NULL : parser_expr(p, EXPR_Tuple, parser_span_from(p, start));
    if (tuple == NULL || !PARSER_TAKE(p, height, &tuple->Tuple.elts)) return NULL;
    return tuple;
}

/* The header up to INDENT, for what turns out to be a match statement. */
static AstExpr *parse_match_header(Parser *p) {
    int32_t line = parser_token(p)->span.line;
    p->pos++;
    AstExpr *subject = parse_subject(p);
    if (subject == NULL) return NULL;
    if (parser_at(p, TOKEN_NEWLINE) && parser_is_diagnosing(p)) {
        p->pos++;
        return parser_raise_last(p, "expected ':'");
    }
    if (!parser_accept(p, TOKEN_COLON) || !parser_accept(p, TOKEN_NEWLINE)) return NULL;
    if (parser_accept(p, TOKEN_INDENT)) return subject;
    if (parser_is_diagnosing(p))
        parser_raise_indentation(p, "expected an indented block after 'match' statement on line %d",
                                 line);
    return NULL;
}

/* match_stmt: "match" subject_expr ':' NEWLINE INDENT case_block+ DEDENT */
AstStmt *parse_match_stmt(Parser *p) {
    TokenKind next = parser_kind_after(p);
    if (!parser_starts_expression(next) && next != TOKEN_STAR) return NULL;
    Mark mark = parser_mark(p);
    AstSpan start = parser_token(p)->span;
    AstExpr *subject = parse_match_header(p);
    AstStmt *stmt = NULL;
    if (subject != NULL && parser_at(p, TOKEN_CASE)) stmt = parser_stmt(p, STMT_Match, start);
    if (stmt == NULL) {
        parser_reset(p, mark);
        return NULL;
    }
    stmt->Match.subject = subject;
    int32_t height = p->stack_count;
    while (parser_at(p, TOKEN_CASE)) {
        AstMatchCase *match_case = parse_case(p);
        if (match_case == NULL || !parser_push(p, match_case)) {
            parser_reset(p, mark);
            return NULL;
        }
    }
    if (!PARSER_TAKE(p, height, &stmt->Match.cases) || !parser_accept(p, TOKEN_DEDENT)) {
        parser_reset(p, mark);
        return NULL;
    }
    stmt->span = parser_span_from(p, start);
    return stmt;
}
