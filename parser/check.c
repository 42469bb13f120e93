/* check.c: checks of statements and expressions; see check.h. */
#include "check.h"

#include "error.h"
#include "name_set.h"

#include <string.h>

/* As many loops, with and try statements may nest in one function as in Python. */
#define MAX_BLOCKS 40

/* A target list with a star may have this many names before it. */
#define MAX_BEFORE_STAR 255
#define MAX_AFTER_STAR 0x7FFFFF

bool check_raise(Check *c, AstSpan span, const char *format, ...) {
    va_list args;
    va_start(args, format);
    error_set(c->arena, c->error, PARSE_SYNTAX_ERROR, c->module->source, error_place(span), true,
              format, args);
    va_end(args);
    return false;
}

/* Imports from __future__. */

static bool is_future_import(const AstStmt *stmt) {
    return stmt->kind == STMT_ImportFrom && stmt->ImportFrom.level == 0 &&
           stmt->ImportFrom.module != NULL && names_equal(stmt->ImportFrom.module, "__future__");
}

static bool check_features(Check *c, AstModule *module, const AstAliasSeq *names) {
    static const char *const known[] = {
        "nested_scopes",  "generators",       "division",       "absolute_import", "with_statement",
        "print_function", "unicode_literals", "barry_as_FLUFL", "generator_stop",  "annotations",
    };
    for (int32_t i = 0; i < names->count; i++) {
        const AstAlias *alias = names->items[i];
        bool is_known = false;
        for (size_t j = 0; j < sizeof known / sizeof known[0]; j++)
            is_known |= names_equal(alias->name, known[j]);
        if (names_equal(alias->name, "braces")) return check_raise(c, alias->span, "not a chance");
        if (!is_known)
            return check_raise(c, alias->span, "future feature %.100s is not defined",
                               alias->name->text);
        module->has_future_annotations |= names_equal(alias->name, "annotations");
    }
    return true;
}

bool check_futures(Arena *arena, AstModule *module, ParseError *error, int32_t *last_line) {
    Check c = {.arena = arena, .module = module, .error = error};
    *last_line = 0;
    for (int32_t i = 0; i < module->body.count; i++) {
        const AstStmt *stmt = module->body.items[i];
        if (is_future_import(stmt)) {
            if (!check_features(&c, module, &stmt->ImportFrom.names)) return false;
            *last_line = stmt->span.line;
            continue;
        }
        bool is_docstring = i == 0 && stmt->kind == STMT_Expr &&
                            stmt->Expr.value->kind == EXPR_Constant &&
                            stmt->Expr.value->Constant.value.kind == CONSTANT_Str;
        if (!is_docstring) break;
    }
    return true;
}

/* Code. */

static bool check_body(Check *c, const AstStmtSeq *stmts);

/* What holds in a new piece of code. */
static Check enter_code(const Check *outer, const Scope *scope) {
    Check inner = *outer;
    inner.scope = scope;
    inner.loops = 0;
    inner.blocks = 0;
    inner.in_except_star = false;
    return inner;
}

static bool is_async_function(const Scope *scope) {
    return scope->kind == SCOPE_FUNCTION && scope->is_async;
}

static bool check_optional(Check *c, const AstExpr *expr) {
    return expr == NULL || check_expr(c, expr);
}

static bool check_exprs(Check *c, const AstExprSeq *exprs) {
    for (int32_t i = 0; i < exprs->count; i++) {
        if (!check_optional(c, exprs->items[i])) return false;
    }
    return true;
}

/* Expressions that may be starred: elements and arguments. */
static bool check_elements(Check *c, const AstExprSeq *elts) {
    for (int32_t i = 0; i < elts->count; i++) {
        const AstExpr *elt = elts->items[i];
        if (!check_expr(c, elt->kind == EXPR_Starred ? elt->Starred.value : elt)) return false;
    }
    return true;
}

/* Targets. */

static bool check_target(Check *c, const AstExpr *target);

static bool check_target_list(Check *c, const AstExprSeq *elts, AstSpan span) {
    bool has_star = false;
    for (int32_t i = 0; i < elts->count; i++) {
        const AstExpr *elt = elts->items[i];
        if (elt->kind == EXPR_Starred) {
            if (has_star) return check_raise(c, span, "multiple starred expressions in assignment");
            if (i > MAX_BEFORE_STAR || elts->count - i - 1 > MAX_AFTER_STAR)
                return check_raise(c, span, "too many expressions in star-unpacking assignment");
            has_star = true;
            elt = elt->Starred.value;
        }
        if (!check_target(c, elt)) return false;
    }
    return true;
}

static bool check_target(Check *c, const AstExpr *target) {
    switch (target->kind) {
    case EXPR_Tuple: return check_target_list(c, &target->Tuple.elts, target->span);
    case EXPR_List: return check_target_list(c, &target->List.elts, target->span);
    case EXPR_Starred:
        return check_raise(c, target->span, "starred assignment target must be in a list or tuple");
    default: return check_expr(c, target);
    }
}

/* Expressions. */

static bool fail_memory(Check *c) {
    *c->error = (ParseError){.kind = PARSE_MEMORY_ERROR, .message = "out of memory"};
    return false;
}

bool check_keywords(Check *c, const AstKeywordSeq *keywords) {
    NameSet seen = {0};
    for (int32_t i = 0; keywords->count > 1 && i < keywords->count; i++) {
        const AstKeyword *keyword = keywords->items[i];
        if (keyword->arg == NULL) continue;
        if (name_set_has(&seen, keyword->arg))
            return check_raise(c, keyword->span, "keyword argument repeated: %s",
                               keyword->arg->text);
        if (!name_set_add(&seen, c->arena, keyword->arg)) return fail_memory(c);
    }
    for (int32_t i = 0; i < keywords->count; i++) {
        if (!check_expr(c, keywords->items[i]->value)) return false;
    }
    return true;
}

static bool check_param_defaults(Check *c, const AstArguments *args) {
    return check_exprs(c, &args->defaults) && check_exprs(c, &args->kw_defaults);
}

static bool check_await(Check *c, const AstExpr *expr) {
    if (!c->scope->is_function) return check_raise(c, expr->span, "'await' outside function");
    if (!is_async_function(c->scope) && c->scope->kind != SCOPE_COMPREHENSION)
        return check_raise(c, expr->span, "'await' outside async function");
    return check_expr(c, expr->Await.value);
}

static bool check_yield(Check *c, const AstExpr *expr) {
    if (!c->scope->is_function)
        return check_raise(c, expr->span, "'yield%s' outside function",
                           expr->kind == EXPR_YieldFrom ? " from" : "");
    if (expr->kind == EXPR_YieldFrom && is_async_function(c->scope))
        return check_raise(c, expr->span, "'yield from' inside async function");
    return check_optional(c, expr->kind == EXPR_Yield ? expr->Yield.value : expr->YieldFrom.value);
}

static bool check_clauses(Check *c, Check *inner, const AstComprehensionSeq *generators) {
    for (int32_t i = 0; i < generators->count; i++) {
        const AstComprehension *clause = generators->items[i];
        if (!check_expr(i == 0 ? c : inner, clause->iter) || !check_target(inner, clause->target) ||
            !check_exprs(inner, &clause->ifs))
            return false;
    }
    return true;
}

static bool check_comprehension(Check *c, const AstExpr *expr, const Scope *scope,
                                const AstComprehensionSeq *generators) {
    bool is_generator = expr->kind == EXPR_GeneratorExp;
    if (scope->is_coroutine && !is_generator && !is_async_function(c->scope) &&
        c->scope->kind != SCOPE_COMPREHENSION)
        return check_raise(c, expr->span,
                           "asynchronous comprehension outside of an asynchronous function");
    Check inner = scope->is_inlined ? *c : enter_code(c, scope);
    if (!check_clauses(c, &inner, generators)) return false;
    if (expr->kind == EXPR_DictComp)
        return check_expr(&inner, expr->DictComp.key) && check_expr(&inner, expr->DictComp.value);
    /* The three other kinds have the same fields. */
    return check_expr(&inner, expr->ListComp.elt);
}

static bool check_lambda(Check *c, const AstExpr *expr) {
    Check inner = enter_code(c, expr->Lambda.scope);
    return check_param_defaults(c, expr->Lambda.args) && check_expr(&inner, expr->Lambda.body);
}

/* The children of a node for which there is no rule. */
static bool check_children(Check *c, const AstExpr *expr) {
    const AstNodeInfo *info = ast_expr_info(expr->kind);
    for (int i = 0; i < info->field_count; i++) {
        const void *at = (const char *)expr + info->fields[i].offset;
        AstFieldKind kind = info->fields[i].kind;
        bool is_one = kind == FIELD_EXPR || kind == FIELD_EXPR_OPT;
        bool is_list = kind == FIELD_EXPRS || kind == FIELD_EXPRS_OPT;
        if ((is_one && !check_optional(c, *(const AstExpr *const *)at)) ||
            (is_list && !check_exprs(c, at)))
            return false;
    }
    return true;
}

bool check_expr(Check *c, const AstExpr *e) {
    switch (e->kind) {
    case EXPR_Constant:
    case EXPR_Name: return true;
    case EXPR_Starred: return check_raise(c, e->span, "can't use starred expression here");
    case EXPR_Lambda: return check_lambda(c, e);
    case EXPR_ListComp:
        return check_comprehension(c, e, e->ListComp.scope, &e->ListComp.generators);
    case EXPR_SetComp: return check_comprehension(c, e, e->SetComp.scope, &e->SetComp.generators);
    case EXPR_DictComp:
        return check_comprehension(c, e, e->DictComp.scope, &e->DictComp.generators);
    case EXPR_GeneratorExp:
        return check_comprehension(c, e, e->GeneratorExp.scope, &e->GeneratorExp.generators);
    case EXPR_Await: return check_await(c, e);
    case EXPR_Yield:
    case EXPR_YieldFrom: return check_yield(c, e);
    case EXPR_Call:
        return check_expr(c, e->Call.func) && check_elements(c, &e->Call.args) &&
               check_keywords(c, &e->Call.keywords);
    case EXPR_Set: return check_elements(c, &e->Set.elts);
    case EXPR_List: return check_elements(c, &e->List.elts);
    case EXPR_Tuple: return check_elements(c, &e->Tuple.elts);
    default: return check_children(c, e);
    }
}

/* Statements. */

/* A body inside of `count` more blocks. */
static bool check_block(Check *c, AstSpan span, int32_t count, const AstStmtSeq *body) {
    if (c->blocks + count > MAX_BLOCKS)
        return check_raise(c, span, "too many statically nested blocks");
    c->blocks += count;
    bool is_fine = check_body(c, body);
    c->blocks -= count;
    return is_fine;
}

static bool check_loop(Check *c, const AstStmt *stmt, const AstStmtSeq *body,
                       const AstStmtSeq *orelse) {
    c->loops++;
    bool is_fine = check_block(c, stmt->span, 1, body);
    c->loops--;
    return is_fine && check_body(c, orelse);
}

static bool check_for(Check *c, const AstStmt *stmt) {
    if (stmt->kind == STMT_AsyncFor && !is_async_function(c->scope))
        return check_raise(c, stmt->span, "'async for' outside async function");
    return check_expr(c, stmt->For.iter) && check_target(c, stmt->For.target) &&
           check_loop(c, stmt, &stmt->For.body, &stmt->For.orelse);
}

static bool check_with(Check *c, const AstStmt *stmt) {
    if (stmt->kind == STMT_AsyncWith && !is_async_function(c->scope))
        return check_raise(c, stmt->span, "'async with' outside async function");
    for (int32_t i = 0; i < stmt->With.items.count; i++) {
        const AstWithItem *item = stmt->With.items.items[i];
        if (!check_expr(c, item->context_expr) ||
            (item->optional_vars != NULL && !check_target(c, item->optional_vars)))
            return false;
    }
    return check_block(c, stmt->span, stmt->With.items.count, &stmt->With.body);
}

static bool check_handler(Check *c, const AstExceptHandler *handler, bool is_star) {
    int32_t loops = c->loops;
    bool in_except_star = c->in_except_star;
    if (!check_optional(c, handler->type)) return false;
    if (is_star) {
        c->loops = 0;
        c->in_except_star = true;
    }
    bool is_fine = check_block(c, handler->span, 1, &handler->body);
    c->loops = loops;
    c->in_except_star = in_except_star;
    return is_fine;
}

static bool check_try(Check *c, const AstStmt *stmt) {
    const AstExceptHandlerSeq *handlers = &stmt->Try.handlers;
    int32_t around = stmt->Try.finalbody.count != 0;
    if (!check_block(c, stmt->span, around + (handlers->count != 0), &stmt->Try.body)) return false;
    c->blocks += around;
    bool is_fine = true;
    for (int32_t i = 0; i < handlers->count && is_fine; i++) {
        const AstExceptHandler *handler = handlers->items[i];
        if (handler->type == NULL && i < handlers->count - 1)
            return check_raise(c, handler->span, "default 'except:' must be last");
        is_fine = check_handler(c, handler, stmt->kind == STMT_TryStar);
    }
    is_fine = is_fine && check_body(c, &stmt->Try.orelse);
    c->blocks -= around;
    return is_fine && check_block(c, stmt->span, around, &stmt->Try.finalbody);
}

static const char in_star_message[] =
    "'break', 'continue' and 'return' cannot appear in an except* block";

static bool check_return(Check *c, const AstStmt *stmt) {
    if (c->scope->kind != SCOPE_FUNCTION)
        return check_raise(c, stmt->span, "'return' outside function");
    if (stmt->Return.value != NULL && c->scope->is_async && c->scope->is_generator)
        return check_raise(c, stmt->span, "'return' with value in async generator");
    if (c->in_except_star) return check_raise(c, stmt->span, "%s", in_star_message);
    return check_optional(c, stmt->Return.value);
}

static bool check_jump(Check *c, const AstStmt *stmt) {
    if (c->loops > 0) return true;
    if (c->in_except_star) return check_raise(c, stmt->span, "%s", in_star_message);
    return check_raise(c, stmt->span,
                       stmt->kind == STMT_Break ? "'break' outside loop"
                                                : "'continue' not properly in loop");
}

static bool check_param_annotations(Check *c, const AstArgSeq *args) {
    for (int32_t i = 0; i < args->count; i++) {
        const AstExpr *annotation = args->items[i]->annotation;
        if (annotation != NULL && !check_expr(c, annotation)) return false;
    }
    return true;
}

static bool check_annotations(Check *c, const AstStmt *stmt) {
    const Scope *scope = stmt->FunctionDef.annotation_scope;
    if (scope == NULL) return true;
    Check inner = enter_code(c, scope);
    const AstArguments *args = stmt->FunctionDef.args;
    const AstExpr *starred = args->vararg != NULL ? args->vararg->annotation : NULL;
    if (starred != NULL && starred->kind == EXPR_Starred) starred = starred->Starred.value;
    return check_param_annotations(&inner, &args->posonlyargs) &&
           check_param_annotations(&inner, &args->args) &&
           check_param_annotations(&inner, &args->kwonlyargs) && check_optional(&inner, starred) &&
           (args->kwarg == NULL || check_optional(&inner, args->kwarg->annotation)) &&
           check_optional(&inner, stmt->FunctionDef.returns);
}

static bool check_function(Check *c, const AstStmt *stmt) {
    Check inner = enter_code(c, stmt->FunctionDef.scope);
    return check_exprs(c, &stmt->FunctionDef.decorator_list) &&
           check_param_defaults(c, stmt->FunctionDef.args) && check_annotations(c, stmt) &&
           check_body(&inner, &stmt->FunctionDef.body);
}

static bool check_class(Check *c, const AstStmt *stmt) {
    Check inner = enter_code(c, stmt->ClassDef.scope);
    return check_exprs(c, &stmt->ClassDef.decorator_list) &&
           check_elements(c, &stmt->ClassDef.bases) &&
           check_keywords(c, &stmt->ClassDef.keywords) && check_body(&inner, &stmt->ClassDef.body);
}

static bool check_targets(Check *c, const AstExprSeq *targets) {
    for (int32_t i = 0; i < targets->count; i++) {
        if (!check_target(c, targets->items[i])) return false;
    }
    return true;
}

static bool check_import_from(Check *c, const AstStmt *stmt) {
    if (is_future_import(stmt) && stmt->span.line > c->last_future_line)
        return check_raise(c, stmt->span,
                           "from __future__ imports must occur at the beginning of the file");
    return true;
}

static bool check_ann_assign(Check *c, const AstStmt *stmt) {
    const Scope *scope = c->scope->annotation_scope;
    Check inner = enter_code(c, scope != NULL ? scope : c->scope);
    bool is_text = c->module->has_future_annotations; /* never compiled: it has no scopes */
    return check_target(c, stmt->AnnAssign.target) &&
           (is_text || check_expr(&inner, stmt->AnnAssign.annotation)) &&
           check_optional(c, stmt->AnnAssign.value);
}

static bool check_stmt(Check *c, const AstStmt *stmt) {
    switch (stmt->kind) {
    case STMT_FunctionDef:
    case STMT_AsyncFunctionDef: return check_function(c, stmt);
    case STMT_ClassDef: return check_class(c, stmt);
    case STMT_Return: return check_return(c, stmt);
    case STMT_Delete: return check_targets(c, &stmt->Delete.targets);
    case STMT_Assign:
        return check_expr(c, stmt->Assign.value) && check_targets(c, &stmt->Assign.targets);
    case STMT_TypeAlias: {
        Check inner = enter_code(c, stmt->TypeAlias.scope);
        return check_expr(&inner, stmt->TypeAlias.value);
    }
    case STMT_AugAssign:
        return check_target(c, stmt->AugAssign.target) && check_expr(c, stmt->AugAssign.value);
    case STMT_AnnAssign: return check_ann_assign(c, stmt);
    case STMT_For:
    case STMT_AsyncFor: return check_for(c, stmt);
    case STMT_While:
        return check_expr(c, stmt->While.test) &&
               check_loop(c, stmt, &stmt->While.body, &stmt->While.orelse);
    case STMT_If:
        return check_expr(c, stmt->If.test) && check_body(c, &stmt->If.body) &&
               check_body(c, &stmt->If.orelse);
    case STMT_With:
    case STMT_AsyncWith: return check_with(c, stmt);
    case STMT_Match:
        if (!check_expr(c, stmt->Match.subject) || !check_match(c, &stmt->Match.cases))
            return false;
        for (int32_t i = 0; i < stmt->Match.cases.count; i++) {
            const AstMatchCase *match_case = stmt->Match.cases.items[i];
            if (!check_optional(c, match_case->guard) || !check_body(c, &match_case->body))
                return false;
        }
        return true;
    case STMT_Raise:
        return check_optional(c, stmt->Raise.exc) && check_optional(c, stmt->Raise.cause);
    case STMT_Try:
    case STMT_TryStar: return check_try(c, stmt);
    case STMT_Assert:
        return check_expr(c, stmt->Assert.test) && check_optional(c, stmt->Assert.msg);
    case STMT_ImportFrom: return check_import_from(c, stmt);
    case STMT_Expr: return check_expr(c, stmt->Expr.value);
    case STMT_Break:
    case STMT_Continue: return check_jump(c, stmt);
    case STMT_Import:
    case STMT_Global:
    case STMT_Nonlocal:
    case STMT_Pass: return true;
    }
    return true;
}

static bool check_body(Check *c, const AstStmtSeq *stmts) {
    for (int32_t i = 0; i < stmts->count; i++) {
        if (!check_stmt(c, stmts->items[i])) return false;
    }
    return true;
}

bool check_module(Arena *arena, AstModule *module, int32_t last_future_line, ParseError *error) {
    Check c = {
        .arena = arena,
        .module = module,
        .error = error,
        .scope = module->scope,
        .last_future_line = last_future_line,
    };
    return module->expression != NULL ? check_expr(&c, module->expression)
                                      : check_body(&c, &module->body);
}
