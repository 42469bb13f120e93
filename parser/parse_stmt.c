/* parse_stmt.c: simple statements, those that fit on a line. */
#include "parser.h"

#include <string.h>

/* Assignments. */

static bool is_single_target(const AstExpr *expr) {
    return expr->kind == EXPR_Name || expr->kind == EXPR_Attribute || expr->kind == EXPR_Subscript;
}

static bool is_augassign(TokenKind kind, AstOperator *op) {
    switch (kind) {
    case TOKEN_PLUSEQUAL: *op = OPERATOR_Add; return true;
    case TOKEN_MINEQUAL: *op = OPERATOR_Sub; return true;
    case TOKEN_STAREQUAL: *op = OPERATOR_Mult; return true;
    case TOKEN_ATEQUAL: *op = OPERATOR_MatMult; return true;
    case TOKEN_SLASHEQUAL: *op = OPERATOR_Div; return true;
    case TOKEN_PERCENTEQUAL: *op = OPERATOR_Mod; return true;
    case TOKEN_AMPEREQUAL: *op = OPERATOR_BitAnd; return true;
    case TOKEN_VBAREQUAL: *op = OPERATOR_BitOr; return true;
    case TOKEN_CIRCUMFLEXEQUAL: *op = OPERATOR_BitXor; return true;
    case TOKEN_LEFTSHIFTEQUAL: *op = OPERATOR_LShift; return true;
    case TOKEN_RIGHTSHIFTEQUAL: *op = OPERATOR_RShift; return true;
    case TOKEN_DOUBLESTAREQUAL: *op = OPERATOR_Pow; return true;
    case TOKEN_DOUBLESLASHEQUAL: *op = OPERATOR_FloorDiv; return true;
    default: return false;
    }
}

/* target ':' expression ['=' annotated_rhs], behind the target */
static AstStmt *parse_ann_assign(Parser *p, AstExpr *target, AstSpan start, bool is_name) {
    if (!is_single_target(target)) return NULL;
    p->pos++;
    AstExpr *annotation = parse_expression(p);
    AstExpr *value = NULL;
    if (annotation == NULL) return NULL;
    Mark behind = parser_mark(p);
    if (parser_accept(p, TOKEN_EQUAL)) {
        value = parse_annotated_rhs(p);
        if (value == NULL) parser_reset(p, behind);
    }
    AstStmt *stmt = p->failed ? NULL : parser_stmt(p, STMT_AnnAssign, parser_span_from(p, start));
    if (stmt == NULL) return NULL;
    target_set_context(target, CTX_Store);
    stmt->AnnAssign.target = target;
    stmt->AnnAssign.annotation = annotation;
    stmt->AnnAssign.value = value;
    stmt->AnnAssign.simple = is_name;
    return stmt;
}

/* (star_targets '=')+ annotated_rhs, behind the first target */
static AstStmt *parse_assign(Parser *p, AstExpr *first, AstSpan start) {
    int32_t height = p->stack_count;
    AstExpr *value = first;
    while (parser_accept(p, TOKEN_EQUAL)) {
        if (!target_set_context(value, CTX_Store) || !parser_push(p, value)) return NULL;
        value = parse_annotated_rhs(p);
        if (value == NULL) return NULL;
    }
    AstStmt *stmt = parser_stmt(p, STMT_Assign, parser_span_from(p, start));
    if (stmt == NULL || !PARSER_TAKE(p, height, &stmt->Assign.targets)) return NULL;
    stmt->Assign.value = value;
    return stmt;
}

/* single_target augassign annotated_rhs, behind the target */
static AstStmt *parse_aug_assign(Parser *p, AstExpr *target, AstOperator op, AstSpan start) {
    if (!is_single_target(target)) return NULL;
    p->pos++;
    AstExpr *value = parse_annotated_rhs(p);
    AstStmt *stmt =
        value == NULL ? NULL : parser_stmt(p, STMT_AugAssign, parser_span_from(p, start));
    if (stmt == NULL) return NULL;
    target_set_context(target, CTX_Store);
    stmt->AugAssign.target = target;
    stmt->AugAssign.op = op;
    stmt->AugAssign.value = value;
    return stmt;
}

static AstStmt *parse_expression_stmt_now(Parser *p) {
    AstSpan start = parser_token(p)->span;
    bool is_name = parser_is_name(parser_kind(p));
    AstExpr *expr = parse_annotated_rhs(p);
    if (expr == NULL) return NULL;
    AstOperator op;
    TokenKind kind = parser_kind(p);
    if (kind == TOKEN_COLON)
        return parse_ann_assign(p, expr, start, is_name && expr->kind == EXPR_Name);
    if (kind == TOKEN_EQUAL) return parse_assign(p, expr, start);
    if (is_augassign(kind, &op)) return parse_aug_assign(p, expr, op, start);
    AstStmt *stmt = parser_stmt(p, STMT_Expr, parser_span_from(p, start));
    if (stmt != NULL) stmt->Expr.value = expr;
    return stmt;
}

/* assignment | star_expressions | yield_stmt */
static AstStmt *parse_expression_stmt(Parser *p) {
    Mark start = parser_mark(p);
    AstStmt *stmt = parse_expression_stmt_now(p);
    if (!parser_is_diagnosing(p) || (stmt != NULL && stmt->kind != STMT_Expr)) return stmt;
    parser_reset(p, start);
    diagnose_assignment(p);
    return p->failed ? NULL : parse_expression_stmt_now(p);
}

/* The statements with a keyword. */

/* return_stmt: 'return' [star_expressions] */
static AstStmt *parse_return(Parser *p) {
    AstSpan start = parser_token(p)->span;
    p->pos++;
    Mark behind = parser_mark(p);
    AstExpr *value = parse_star_expressions(p);
    if (value == NULL) parser_reset(p, behind);
    AstStmt *stmt = p->failed ? NULL : parser_stmt(p, STMT_Return, parser_span_from(p, start));
    if (stmt != NULL) stmt->Return.value = value;
    return stmt;
}

/* raise_stmt: 'raise' [expression ['from' expression]] */
static AstStmt *parse_raise(Parser *p) {
    Mark mark = parser_mark(p);
    AstSpan start = parser_token(p)->span;
    p->pos++;
    Mark behind = parser_mark(p);
    AstExpr *exc = parse_expression(p);
    AstExpr *cause = NULL;
    if (exc == NULL) {
        parser_reset(p, behind);
    } else if (parser_accept(p, TOKEN_FROM)) {
        behind = parser_mark(p);
        cause = parse_expression(p);
        if (cause == NULL) {
            behind.pos--;
            parser_reset(p, behind);
        }
    }
    if (cause == NULL && parser_is_diagnosing(p)) {
        behind = parser_mark(p);
        parser_reset(p, mark);
        diagnose_raise(p);
        parser_reset(p, behind);
    }
    AstStmt *stmt = p->failed ? NULL : parser_stmt(p, STMT_Raise, parser_span_from(p, start));
    if (stmt == NULL) return NULL;
    stmt->Raise.exc = exc;
    stmt->Raise.cause = cause;
    return stmt;
}

/* del_targets: ','.del_target+ [','], pushed */
static bool parse_del_targets(Parser *p) {
    do {
        Mark mark = parser_mark(p);
        AstExpr *target = parse_bitwise_or(p);
        if (target == NULL) {
            parser_reset(p, mark);
            return !p->failed;
        }
        if (!target_set_context(target, CTX_Del) || !parser_push(p, target)) return false;
    } while (parser_accept(p, TOKEN_COMMA));
    return true;
}

/* del_stmt: 'del' del_targets &(';' | NEWLINE) */
static AstStmt *parse_del(Parser *p) {
    Mark mark = parser_mark(p);
    AstSpan start = parser_token(p)->span;
    p->pos++;
    int32_t height = p->stack_count;
    if (parse_del_targets(p) && p->stack_count > height &&
        (parser_at(p, TOKEN_SEMI) || parser_at(p, TOKEN_NEWLINE))) {
        AstStmt *stmt = parser_stmt(p, STMT_Delete, parser_span_from(p, start));
        return stmt != NULL && PARSER_TAKE(p, height, &stmt->Delete.targets) ? stmt : NULL;
    }
    parser_reset(p, mark);
    if (parser_is_diagnosing(p)) diagnose_del(p);
    return NULL;
}

/* assert_stmt: 'assert' expression [',' expression] */
static AstStmt *parse_assert(Parser *p) {
    AstSpan start = parser_token(p)->span;
    p->pos++;
    AstExpr *test = parse_expression(p);
    AstExpr *msg = NULL;
    if (test == NULL) return NULL;
    if (parser_accept(p, TOKEN_COMMA)) {
        msg = parse_expression(p);
        if (msg == NULL) return NULL;
    }
    AstStmt *stmt = parser_stmt(p, STMT_Assert, parser_span_from(p, start));
    if (stmt == NULL) return NULL;
    stmt->Assert.test = test;
    stmt->Assert.msg = msg;
    return stmt;
}

/* global_stmt, nonlocal_stmt: keyword ','.NAME+ */
static AstStmt *parse_scope_stmt(Parser *p, AstStmtKind kind) {
    AstSpan start = parser_token(p)->span;
    int32_t height = p->stack_count;
    do {
        p->pos += p->stack_count == height; /* the keyword; a comma is consumed already */
        AstName *name = parser_name(p);
        if (name == NULL || !parser_push(p, name)) return NULL;
    } while (parser_accept(p, TOKEN_COMMA));
    AstStmt *stmt = p->failed ? NULL : parser_stmt(p, kind, parser_span_from(p, start));
    if (stmt == NULL) return NULL;
    AstNameSeq *names = kind == STMT_Global ? &stmt->Global.names : &stmt->Nonlocal.names;
    return PARSER_TAKE(p, height, names) ? stmt : NULL;
}

static AstStmt *parse_keyword_only(Parser *p, AstStmtKind kind) {
    AstSpan span = parser_token(p)->span;
    p->pos++;
    return parser_stmt(p, kind, span);
}

/* type_alias: "type" NAME [type_params] '=' expression */
static AstStmt *parse_type_alias(Parser *p) {
    AstSpan start = parser_token(p)->span;
    p->pos++;
    AstExpr *name = parser_name_expr(p, parser_token(p), CTX_Store);
    p->pos++;
    AstTypeParamSeq params;
    if (name == NULL || !parse_type_params(p, &params) || !parser_accept(p, TOKEN_EQUAL))
        return NULL;
    AstExpr *value = parse_expression(p);
    AstStmt *stmt =
        value == NULL ? NULL : parser_stmt(p, STMT_TypeAlias, parser_span_from(p, start));
    if (stmt == NULL) return NULL;
    stmt->TypeAlias.name = name;
    stmt->TypeAlias.type_params = params;
    stmt->TypeAlias.value = value;
    return stmt;
}

/* Imports. */

static AstAlias *make_alias(Parser *p, AstName *name, AstName *asname, AstSpan start) {
    AstAlias *alias = parser_zeroed(p, sizeof *alias);
    if (alias == NULL) return NULL;
    alias->span = parser_span_from(p, start);
    alias->name = name;
    alias->asname = asname;
    return alias;
}

/* The names above `height` on the stack, joined by dots. */
static AstName *join_names(Parser *p, int32_t height) {
    size_t len = 0;
    for (int32_t i = height; i < p->stack_count; i++)
        len += ((AstName *)p->stack[i])->len + 1u;
    char *text = arena_take(p->arena, len);
    if (text == NULL) return parser_raise_memory(p);
    char *end = text;
    for (int32_t i = height; i < p->stack_count; i++) {
        const AstName *name = p->stack[i];
        memcpy(end, name->text, name->len);
        end += name->len;
        *end++ = '.';
    }
    p->stack_count = height;
    AstName *joined = names_intern(p->names, text, len - 1);
    return joined != NULL ? joined : parser_raise_memory(p);
}

/* dotted_name: NAME ('.' NAME)*, as one name */
static AstName *parse_dotted_name(Parser *p) {
    int32_t height = p->stack_count;
    AstName *name = parser_name(p);
    if (name == NULL || !parser_at(p, TOKEN_DOT)) return name;
    if (!parser_push(p, name)) return NULL;
    while (parser_at(p, TOKEN_DOT)) {
        Mark mark = parser_mark(p);
        p->pos++;
        name = parser_name(p);
        if (name == NULL) {
            parser_reset(p, mark);
            break;
        }
        if (!parser_push(p, name)) return NULL;
    }
    return p->failed ? NULL : join_names(p, height);
}

/* ['as' NAME] behind an imported name */
static AstAlias *parse_as_name(Parser *p, AstName *name, AstSpan start) {
    AstName *asname = NULL;
    if (parser_accept(p, TOKEN_AS)) {
        Mark mark = parser_mark(p);
        asname = parser_name(p);
        TokenKind next = parser_kind(p);
        bool is_end = next == TOKEN_COMMA || next == TOKEN_RPAR || next == TOKEN_SEMI ||
                      next == TOKEN_NEWLINE;
        if (parser_is_diagnosing(p) && (asname == NULL || !is_end)) {
            parser_reset(p, mark);
            AstExpr *target = parse_expression(p);
            if (target != NULL)
                return parser_raise(p, target->span, "cannot use %s as import target",
                                    expr_name(target));
        }
        if (asname == NULL) return NULL;
    }
    return make_alias(p, name, asname, start);
}

/* import_name: 'import' ','.dotted_as_name+ */
static AstStmt *parse_import_name(Parser *p) {
    AstSpan start = parser_token(p)->span;
    int32_t height = p->stack_count;
    do {
        p->pos += p->stack_count == height;
        if (p->failed) return NULL;
        AstSpan name_start = parser_token(p)->span;
        AstName *name = parse_dotted_name(p);
        AstAlias *alias = name == NULL ? NULL : parse_as_name(p, name, name_start);
        if (alias == NULL || !parser_push(p, alias)) return NULL;
    } while (parser_accept(p, TOKEN_COMMA));
    AstStmt *stmt = parser_stmt(p, STMT_Import, parser_span_from(p, start));
    return stmt != NULL && PARSER_TAKE(p, height, &stmt->Import.names) ? stmt : NULL;
}

/* import_from_as_names: ','.(NAME ['as' NAME])+, pushed. A comma behind them is left. */
static bool parse_import_names(Parser *p) {
    Mark mark;
    do {
        if (p->failed) return false;
        AstSpan start = parser_token(p)->span;
        AstName *name = parser_name(p);
        AstAlias *alias = name == NULL ? NULL : parse_as_name(p, name, start);
        if (alias == NULL || !parser_push(p, alias)) return false;
        mark = parser_mark(p);
    } while (parser_accept(p, TOKEN_COMMA) && parser_is_name(parser_kind(p)));
    parser_reset(p, mark);
    return !p->failed;
}

/* import_from_targets: '(' names [','] ')' | names !',' | '*', pushed */
static bool parse_import_targets(Parser *p) {
    AstSpan start = parser_token(p)->span;
    if (parser_accept(p, TOKEN_LPAR)) {
        if (!parse_import_names(p)) return false;
        parser_accept(p, TOKEN_COMMA);
        return parser_accept(p, TOKEN_RPAR);
    }
    if (parser_accept(p, TOKEN_STAR)) {
        AstName *star = names_intern_text(p->names, "*");
        AstAlias *alias = star == NULL ? parser_raise_memory(p) : make_alias(p, star, NULL, start);
        return alias != NULL && parser_push(p, alias);
    }
    if (parser_at(p, TOKEN_NEWLINE) && parser_is_diagnosing(p)) {
        p->pos++;
        parser_raise_from(p, start, "Expected one or more names after 'import'");
        return false;
    }
    if (!parse_import_names(p)) return false;
    if (!parser_accept(p, TOKEN_COMMA)) return !p->failed;
    if (parser_accept(p, TOKEN_NEWLINE) && parser_is_diagnosing(p))
        parser_raise_last(p, "trailing comma not allowed without surrounding parentheses");
    return false;
}

/* import_from: 'from' ('.' | '...')* [dotted_name] 'import' import_from_targets */
static AstStmt *parse_import_from(Parser *p) {
    AstSpan start = parser_token(p)->span;
    int32_t level = 0;
    p->pos++;
    while (parser_at(p, TOKEN_DOT) || parser_at(p, TOKEN_ELLIPSIS)) {
        level += parser_at(p, TOKEN_DOT) ? 1 : 3;
        p->pos++;
    }
    AstName *module = parse_dotted_name(p);
    if ((module == NULL && level == 0) || !parser_accept(p, TOKEN_IMPORT) || p->failed) return NULL;
    int32_t height = p->stack_count;
    if (parser_at(p, TOKEN_ERROR) || !parse_import_targets(p)) return NULL;
    AstStmt *stmt = parser_stmt(p, STMT_ImportFrom, parser_span_from(p, start));
    if (stmt == NULL || !PARSER_TAKE(p, height, &stmt->ImportFrom.names)) return NULL;
    stmt->ImportFrom.module = module;
    stmt->ImportFrom.level = level;
    return stmt;
}

static AstStmt *parse_import(Parser *p) {
    if (parser_is_diagnosing(p)) {
        diagnose_import(p);
        if (p->failed) return NULL;
    }
    return parser_at(p, TOKEN_IMPORT) ? parse_import_name(p) : parse_import_from(p);
}

/* Lines. */

AstStmt *parse_simple_stmt(Parser *p) {
    switch (parser_kind(p)) {
    case TOKEN_RETURN: return parse_return(p);
    case TOKEN_RAISE: return parse_raise(p);
    case TOKEN_DEL: return parse_del(p);
    case TOKEN_ASSERT: return parse_assert(p);
    case TOKEN_GLOBAL: return parse_scope_stmt(p, STMT_Global);
    case TOKEN_NONLOCAL: return parse_scope_stmt(p, STMT_Nonlocal);
    case TOKEN_PASS: return parse_keyword_only(p, STMT_Pass);
    case TOKEN_BREAK: return parse_keyword_only(p, STMT_Break);
    case TOKEN_CONTINUE: return parse_keyword_only(p, STMT_Continue);
    case TOKEN_IMPORT:
    case TOKEN_FROM: return parse_import(p);
    case TOKEN_TYPE:
        if (parser_is_name(parser_kind_after(p))) return parse_type_alias(p);
        break;
    default: break;
    }
    return p->failed ? NULL : parse_expression_stmt(p);
}

/* simple_stmts: ';'.simple_stmt+ [';'] NEWLINE */
bool parse_simple_stmts(Parser *p) {
    do {
        AstStmt *stmt = parse_simple_stmt(p);
        if (stmt == NULL || !parser_push(p, stmt)) return false;
    } while (parser_accept(p, TOKEN_SEMI) && !parser_at(p, TOKEN_NEWLINE));
    return parser_accept(p, TOKEN_NEWLINE);
}

static bool starts_compound(TokenKind kind) {
    switch (kind) {
    case TOKEN_DEF:
    case TOKEN_AT:
    case TOKEN_ASYNC:
    case TOKEN_IF:
    case TOKEN_CLASS:
    case TOKEN_WITH:
    case TOKEN_FOR:
    case TOKEN_TRY:
    case TOKEN_WHILE: return true;
    default: return false;
    }
}

/* statement: compound_stmt | simple_stmts */
bool parse_statement(Parser *p) {
    if (!parser_enter(p)) return false;
    bool is_parsed = false;
    AstStmt *stmt = NULL;
    TokenKind kind = parser_kind(p);
    int32_t line = parser_token(p)->span.line;
    if (starts_compound(kind))
        stmt = parse_compound_stmt(p);
    else if (kind == TOKEN_MATCH)
        stmt = parse_match_stmt(p);
    if (stmt != NULL)
        is_parsed = parser_push(p, stmt);
    else if (!starts_compound(kind) && !p->failed)
        is_parsed = parse_simple_stmts(p);
    parser_leave(p);
    if (is_parsed) p->statement_line = line;
    return is_parsed;
}
