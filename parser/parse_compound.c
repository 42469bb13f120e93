/* parse_compound.c: statements that hold blocks; `match` is in parse_match.c.
 *
 * Where Python's grammar has an "invalid" rule that begins like the real one, such as a header
 * without its colon, the check stands in the real rule's way: expect_colon and parse_block.
 */
#include "parser.h"

#define INDENT_MESSAGE "expected an indented block after %s on line %d"

/* The colon behind a header; the second pass says when the line ends without it. */
static bool expect_colon(Parser *p) {
    if (parser_accept(p, TOKEN_COLON)) return true;
    if (parser_is_diagnosing(p) && parser_accept(p, TOKEN_NEWLINE))
        parser_raise_last(p, "expected ':'");
    return false;
}

static bool parse_indented(Parser *p, AstStmtSeq *body) {
    int32_t height = p->stack_count;
    do {
        if (!parse_statement(p)) return false;
    } while (!parser_at(p, TOKEN_DEDENT) && !p->failed);
    return parser_accept(p, TOKEN_DEDENT) && PARSER_TAKE(p, height, body);
}

/* block: NEWLINE INDENT statements DEDENT | simple_stmts */
bool parse_block(Parser *p, const char *what, int32_t line, AstStmtSeq *body) {
    int32_t height = p->stack_count;
    if (!parser_accept(p, TOKEN_NEWLINE))
        return parse_simple_stmts(p) && PARSER_TAKE(p, height, body);
    if (parser_accept(p, TOKEN_INDENT)) return parse_indented(p, body);
    if (parser_is_diagnosing(p)) parser_raise_indentation(p, INDENT_MESSAGE, what, line);
    return false;
}

/* A header's end and its block. */
static bool parse_body(Parser *p, const char *what, int32_t line, AstStmtSeq *body) {
    return expect_colon(p) && parse_block(p, what, line, body);
}

/* [else_block]: 'else' &&':' block */
static bool parse_else(Parser *p, AstStmtSeq *orelse) {
    *orelse = (AstStmtSeq){0};
    if (!parser_at(p, TOKEN_ELSE)) return !p->failed;
    int32_t line = parser_token(p)->span.line;
    p->pos++;
    if (!parser_expect_forced(p, TOKEN_COLON) || !parse_block(p, "'else' statement", line, orelse))
        return false;
    if (!parser_at(p, TOKEN_ELIF)) return !p->failed;
    p->pos++;
    if (parser_is_diagnosing(p)) parser_raise_last(p, "'elif' block follows an 'else' block");
    return false;
}

/* [finally_block]: 'finally' &&':' block */
static bool parse_finally(Parser *p, AstStmtSeq *body) {
    *body = (AstStmtSeq){0};
    if (!parser_at(p, TOKEN_FINALLY)) return !p->failed;
    int32_t line = parser_token(p)->span.line;
    p->pos++;
    return parser_expect_forced(p, TOKEN_COLON) &&
           parse_block(p, "'finally' statement", line, body);
}

/* if */

/* 'if' or 'elif' with its block */
static AstStmt *parse_if_part(Parser *p) {
    bool is_elif = parser_at(p, TOKEN_ELIF);
    AstSpan start = parser_token(p)->span;
    p->pos++;
    AstExpr *test = parse_named_expression(p);
    AstStmt *stmt = test == NULL ? NULL : parser_stmt(p, STMT_If, start);
    if (stmt == NULL) return NULL;
    stmt->If.test = test;
    const char *what = is_elif ? "'elif' statement" : "'if' statement";
    return parse_body(p, what, start.line, &stmt->If.body) ? stmt : NULL;
}

/* Makes `stmt` the only statement of a sequence. */
static bool take_one(Parser *p, AstStmt *stmt, AstStmtSeq *seq) {
    int32_t height = p->stack_count;
    return parser_push(p, stmt) && PARSER_TAKE(p, height, seq);
}

/* if_stmt: 'if' named_expression ':' block elif_stmt* [else_block]. Each elif is the only statement
 * in the `orelse` of the one before; all end where the last one ends. */
static AstStmt *parse_if(Parser *p) {
    AstStmt *first = parse_if_part(p);
    AstStmt *last = first;
    while (last != NULL && parser_at(p, TOKEN_ELIF)) {
        AstStmt *next = parse_if_part(p);
        if (next == NULL || !take_one(p, next, &last->If.orelse)) return NULL;
        last = next;
    }
    if (last == NULL || !parse_else(p, &last->If.orelse)) return NULL;
    for (AstStmt *stmt = first; stmt != NULL;) {
        stmt->span = parser_span_from(p, stmt->span);
        stmt = stmt != last ? stmt->If.orelse.items[0] : NULL;
    }
    return first;
}

/* Loops */

static AstStmt *parse_while(Parser *p) {
    AstSpan start = parser_token(p)->span;
    p->pos++;
    AstExpr *test = parse_named_expression(p);
    AstStmt *stmt = test == NULL ? NULL : parser_stmt(p, STMT_While, start);
    if (stmt == NULL) return NULL;
    stmt->While.test = test;
    if (!parse_body(p, "'while' statement", start.line, &stmt->While.body) ||
        !parse_else(p, &stmt->While.orelse))
        return NULL;
    stmt->span = parser_span_from(p, start);
    return stmt;
}

/* for_stmt: ['async'] 'for' star_targets 'in' ~ star_expressions ':' block [else_block]; at 'for'
 */
static AstStmt *parse_for(Parser *p, bool is_async, AstSpan start) {
    Mark mark = parser_mark(p);
    int32_t line = parser_token(p)->span.line;
    p->pos++;
    AstExpr *target = parse_star_targets(p);
    if (target == NULL || !parser_accept(p, TOKEN_IN)) {
        parser_reset(p, mark);
        if (parser_is_diagnosing(p)) diagnose_for_target(p);
        return NULL;
    }
    AstExpr *iter = parse_star_expressions(p);
    AstStmt *stmt =
        iter == NULL ? NULL : parser_stmt(p, is_async ? STMT_AsyncFor : STMT_For, start);
    if (stmt == NULL) return NULL;
    /* AsyncFor has the same fields. */
    stmt->For.target = target;
    stmt->For.iter = iter;
    if (!parse_body(p, "'for' statement", line, &stmt->For.body) ||
        !parse_else(p, &stmt->For.orelse))
        return NULL;
    stmt->span = parser_span_from(p, start);
    return stmt;
}

/* with */

/* with_item: expression ['as' star_target &(',' | ')' | ':')] */
static AstWithItem *parse_with_item(Parser *p) {
    AstExpr *context = parse_expression(p);
    if (context == NULL) return NULL;
    AstExpr *vars = NULL;
    Mark mark = parser_mark(p);
    if (parser_accept(p, TOKEN_AS)) {
        Mark behind = parser_mark(p);
        vars = parse_star_target(p);
        TokenKind next = parser_kind(p);
        if (vars == NULL || (next != TOKEN_COMMA && next != TOKEN_RPAR && next != TOKEN_COLON)) {
            vars = NULL;
            parser_reset(p, behind);
            AstExpr *target = parser_is_diagnosing(p) ? parse_expression(p) : NULL;
            next = parser_kind(p);
            if (next == TOKEN_COMMA || next == TOKEN_RPAR || next == TOKEN_COLON)
                target_raise_invalid(p, TARGET_STAR, target);
            parser_reset(p, mark);
        }
    }
    AstWithItem *item = p->failed ? NULL : parser_zeroed(p, sizeof *item);
    if (item == NULL) return NULL;
    item->context_expr = context;
    item->optional_vars = vars;
    return item;
}

/* ','.with_item+, pushed */
static bool parse_with_items(Parser *p, bool in_parentheses) {
    do {
        AstWithItem *item = parse_with_item(p);
        if (item == NULL || !parser_push(p, item)) return false;
    } while (parser_accept(p, TOKEN_COMMA) && !(in_parentheses && parser_at(p, TOKEN_RPAR)));
    return !p->failed;
}

/* '(' ','.with_item+ [','] ')' &':', or the same without parentheses; all pushed */
static bool parse_with_header(Parser *p) {
    Mark mark = parser_mark(p);
    if (parser_accept(p, TOKEN_LPAR)) {
        if (parse_with_items(p, true) && parser_accept(p, TOKEN_RPAR) && parser_at(p, TOKEN_COLON))
            return true;
        parser_reset(p, mark);
    }
    return parse_with_items(p, false);
}

/* with_stmt: ['async'] 'with' items ':' block; at 'with' */
static AstStmt *parse_with(Parser *p, bool is_async, AstSpan start) {
    Mark mark = parser_mark(p);
    int32_t line = parser_token(p)->span.line;
    p->pos++;
    int32_t height = p->stack_count;
    if (!parse_with_header(p) || !parser_at(p, TOKEN_COLON)) {
        parser_reset(p, mark);
        if (parser_is_diagnosing(p)) diagnose_with(p);
        return NULL;
    }
    AstStmt *stmt = parser_stmt(p, is_async ? STMT_AsyncWith : STMT_With, start);
    /* AsyncWith has the same fields. */
    if (stmt == NULL || !PARSER_TAKE(p, height, &stmt->With.items) ||
        !parse_body(p, "'with' statement", line, &stmt->With.body))
        return NULL;
    stmt->span = parser_span_from(p, start);
    return stmt;
}

/* try */

/* What goes wrong in an except clause behind its expression, for the second pass. */
static void *diagnose_except(Parser *p, AstExpr *type, bool is_list, bool is_star) {
    if (!parser_is_diagnosing(p)) return NULL;
    Mark mark = parser_mark(p);
    if (is_list && parser_accept(p, TOKEN_AS)) {
        if (parser_name(p) != NULL && parser_accept(p, TOKEN_COLON))
            return parser_raise_from(
                p, type->span, "multiple exception types must be parenthesized when using 'as'");
    } else if (parser_accept(p, TOKEN_AS)) {
        AstExpr *target = parse_expression(p);
        AstStmtSeq body;
        if (target != NULL && target->kind != EXPR_Name && parser_accept(p, TOKEN_COLON) &&
            parse_block(p, "'except' statement", target->span.line, &body))
            return parser_raise(p, target->span, "cannot use except%s statement with %s",
                                is_star ? "*" : "", expr_name(target));
    }
    parser_reset(p, mark);
    return NULL;
}

/* The type and name of a handler: expression 'as' NAME | expressions */
static bool parse_except_header(Parser *p, AstExceptHandler *handler, bool is_star) {
    Mark start = parser_mark(p);
    handler->type = parse_expression(p);
    bool is_list = handler->type != NULL && parser_at(p, TOKEN_COMMA);
    if (is_list) {
        parser_reset(p, start);
        handler->type = parse_expressions(p);
    }
    if (handler->type == NULL) return false;
    Mark behind = parser_mark(p);
    if (!parser_accept(p, TOKEN_AS)) return !p->failed;
    handler->name = parser_name(p);
    bool is_end = parser_at(p, TOKEN_COLON) || parser_at(p, TOKEN_NEWLINE);
    if (!is_list && handler->name != NULL && is_end) return true;
    parser_reset(p, behind);
    diagnose_except(p, handler->type, is_list, is_star);
    return false;
}

/* except_block, except_star_block: 'except' ['*'] [type ['as' NAME]] ':' block */
static AstExceptHandler *parse_except(Parser *p, bool is_star) {
    AstSpan start = parser_token(p)->span;
    AstExceptHandler *handler = parser_zeroed(p, sizeof *handler);
    if (handler == NULL) return NULL;
    p->pos += is_star ? 2 : 1;
    TokenKind kind = parser_kind(p);
    if (kind == TOKEN_COLON || kind == TOKEN_NEWLINE) {
        if (is_star && parser_is_diagnosing(p)) {
            p->pos++;
            return parser_raise_last(p, "expected one or more exception types");
        }
        if (is_star) return NULL;
    } else if (kind == TOKEN_ERROR || !parse_except_header(p, handler, is_star)) {
        return NULL;
    }
    const char *what = is_star ? "'except*' statement" : "'except' statement";
    if (!parse_body(p, what, start.line, &handler->body)) return NULL;
    handler->span = parser_span_from(p, start);
    return handler;
}

/* 'except' and 'except*' on the same try; at the wrong one */
static void diagnose_mixed_except(Parser *p, bool is_star) {
    AstSpan span = parser_token(p)->span;
    p->pos++;
    if (is_star) {
        span = span_join(span, parser_token(p)->span);
        p->pos++;
    }
    bool has_type = is_star || !parser_at(p, TOKEN_COLON);
    if (has_type && parse_expression(p) == NULL) return;
    if (has_type && parser_accept(p, TOKEN_AS) && parser_name(p) == NULL) return;
    if (parser_at(p, TOKEN_COLON))
        parser_raise(p, span, "cannot have both 'except' and 'except*' on the same 'try'");
}

/* The handlers, pushed; *is_star says of which kind they are. */
static bool parse_handlers(Parser *p, bool *is_star) {
    *is_star = parser_kind_after(p) == TOKEN_STAR;
    while (parser_at(p, TOKEN_EXCEPT)) {
        bool is_star_here = parser_kind_after(p) == TOKEN_STAR;
        if (is_star_here != *is_star) {
            if (parser_is_diagnosing(p)) diagnose_mixed_except(p, is_star_here);
            return false;
        }
        AstExceptHandler *handler = parse_except(p, *is_star);
        if (handler == NULL || !parser_push(p, handler)) return false;
    }
    return !p->failed;
}

/* try_stmt: 'try' &&':' block (finally_block | except_block+ [else_block] [finally_block]) */
static AstStmt *parse_try(Parser *p) {
    AstSpan start = parser_token(p)->span;
    p->pos++;
    AstStmtSeq body;
    if (!parser_expect_forced(p, TOKEN_COLON) ||
        !parse_block(p, "'try' statement", start.line, &body))
        return NULL;
    if (!parser_at(p, TOKEN_EXCEPT) && !parser_at(p, TOKEN_FINALLY))
        return parser_is_diagnosing(p)
                   ? parser_raise_last(p, "expected 'except' or 'finally' block")
                   : NULL;
    int32_t height = p->stack_count;
    bool is_star = false;
    if (parser_at(p, TOKEN_EXCEPT) && !parse_handlers(p, &is_star)) return NULL;
    AstStmt *stmt = parser_stmt(p, is_star ? STMT_TryStar : STMT_Try, start);
    if (stmt == NULL) return NULL;
    /* TryStar has the same fields. */
    stmt->Try.body = body;
    if (!PARSER_TAKE(p, height, &stmt->Try.handlers) ||
        (stmt->Try.handlers.count != 0 && !parse_else(p, &stmt->Try.orelse)) ||
        !parse_finally(p, &stmt->Try.finalbody))
        return NULL;
    stmt->span = parser_span_from(p, start);
    return stmt;
}

/* Definitions */

/* The two tokens that a definition cannot do without: the second pass says when one is missing. */
static bool expect_in_def(Parser *p, TokenKind kind) {
    return parser_is_diagnosing(p) ? parser_expect_forced(p, kind) : parser_accept(p, kind);
}

/* ['->' expression] */
static AstExpr *parse_returns(Parser *p) {
    Mark mark = parser_mark(p);
    if (!parser_accept(p, TOKEN_RARROW)) return NULL;
    AstExpr *returns = parse_expression(p);
    if (returns == NULL) parser_reset(p, mark);
    return returns;
}

/* function_def_raw: ['async'] 'def' NAME [type_params] '(' [params] ')' ['->' expression] ':'
 * block; at 'def' */
static AstStmt *parse_function(Parser *p, bool is_async, AstSpan start, AstExprSeq decorators) {
    int32_t line = parser_token(p)->span.line;
    p->pos++;
    AstName *name = parser_name(p);
    AstTypeParamSeq type_params;
    if (name == NULL || !parse_type_params(p, &type_params) || !expect_in_def(p, TOKEN_LPAR))
        return NULL;
    AstArguments *args = parse_params(p, false);
    if (args == NULL || !parser_accept(p, TOKEN_RPAR)) return NULL;
    AstExpr *returns = parse_returns(p);
    if (p->failed) return NULL;
    AstStmt *stmt = parser_stmt(p, is_async ? STMT_AsyncFunctionDef : STMT_FunctionDef, start);
    /* AsyncFunctionDef has the same fields. */
    if (stmt == NULL || !expect_in_def(p, TOKEN_COLON) ||
        !parse_block(p, "function definition", line, &stmt->FunctionDef.body))
        return NULL;
    stmt->FunctionDef.name = name;
    stmt->FunctionDef.args = args;
    stmt->FunctionDef.decorator_list = decorators;
    stmt->FunctionDef.returns = returns;
    stmt->FunctionDef.type_params = type_params;
    stmt->span = parser_span_from(p, start);
    return stmt;
}

/* class_def_raw: 'class' NAME [type_params] ['(' [arguments] ')'] ':' block */
static AstStmt *parse_class(Parser *p, AstExprSeq decorators) {
    AstSpan start = parser_token(p)->span;
    p->pos++;
    AstName *name = parser_name(p);
    AstTypeParamSeq type_params;
    if (name == NULL || !parse_type_params(p, &type_params)) return NULL;
    CallArgs call = {0};
    if (parser_accept(p, TOKEN_LPAR)) {
        Mark behind = parser_mark(p);
        if (!parser_at(p, TOKEN_RPAR) && !parse_arguments(p, &call)) parser_reset(p, behind);
        if (!parser_accept(p, TOKEN_RPAR)) return NULL;
    }
    AstStmt *stmt = p->failed ? NULL : parser_stmt(p, STMT_ClassDef, start);
    if (stmt == NULL || !parse_body(p, "class definition", start.line, &stmt->ClassDef.body))
        return NULL;
    stmt->ClassDef.name = name;
    stmt->ClassDef.bases = call.args;
    stmt->ClassDef.keywords = call.keywords;
    stmt->ClassDef.decorator_list = decorators;
    stmt->ClassDef.type_params = type_params;
    stmt->span = parser_span_from(p, start);
    return stmt;
}

/* decorators: ('@' named_expression NEWLINE)+ */
static bool parse_decorators(Parser *p, AstExprSeq *decorators) {
    int32_t height = p->stack_count;
    while (parser_accept(p, TOKEN_AT)) {
        AstExpr *decorator = parse_named_expression(p);
        if (decorator == NULL || !parser_push(p, decorator) || !parser_accept(p, TOKEN_NEWLINE))
            return false;
    }
    return !p->failed && PARSER_TAKE(p, height, decorators);
}

static AstStmt *parse_async(Parser *p, AstExprSeq decorators) {
    AstSpan start = parser_token(p)->span;
    p->pos++;
    switch (parser_kind(p)) {
    case TOKEN_DEF: return parse_function(p, true, start, decorators);
    case TOKEN_WITH: return decorators.count == 0 ? parse_with(p, true, start) : NULL;
    case TOKEN_FOR: return decorators.count == 0 ? parse_for(p, true, start) : NULL;
    default: return NULL;
    }
}

static AstStmt *parse_decorated(Parser *p) {
    AstExprSeq decorators;
    if (!parse_decorators(p, &decorators)) return NULL;
    switch (parser_kind(p)) {
    case TOKEN_DEF: return parse_function(p, false, parser_token(p)->span, decorators);
    case TOKEN_CLASS: return parse_class(p, decorators);
    case TOKEN_ASYNC: return parse_async(p, decorators);
    default: return NULL;
    }
}

AstStmt *parse_compound_stmt(Parser *p) {
    const AstExprSeq none = {0};
    switch (parser_kind(p)) {
    case TOKEN_DEF: return parse_function(p, false, parser_token(p)->span, none);
    case TOKEN_CLASS: return parse_class(p, none);
    case TOKEN_AT: return parse_decorated(p);
    case TOKEN_ASYNC: return parse_async(p, none);
    case TOKEN_IF: return parse_if(p);
    case TOKEN_WITH: return parse_with(p, false, parser_token(p)->span);
    case TOKEN_FOR: return parse_for(p, false, parser_token(p)->span);
    case TOKEN_TRY: return parse_try(p);
    case TOKEN_WHILE: return parse_while(p);
    default: return NULL;
    }
}
