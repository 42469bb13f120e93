/* codegen_function.c - def, lambda, defaults, decorators, docstrings.
 */
#include "parser/codegen.h"

/* ---- docstrings
 * -----------------------------------------------------------------------------------------------
 */

static const AstConstant *docstring_of(AstStmtSeq body) {
    if (!body.count || body.items[0]->kind != STMT_Expr) return NULL;
    const AstExpr *e = body.items[0]->Expr.value;
    return e->kind == EXPR_Constant && e->Constant.value.kind == CONSTANT_Str ? &e->Constant.value
                                                                              : NULL;
}

/* The text is clean already (scope analysis). A function's docstring is its first constant; a class
 * or module assigns it to __doc__. */
void function_docstring(Unit *u, AstStmtSeq body) {
    const AstConstant *constant = docstring_of(body);
    if (!constant) return;
    Value text = fold_constant(u->gen, constant);
    if (u->code_scope->is_function) {
        u->flags |= CODE_HAS_DOCSTRING;
        emit_const_index(u, text);
        return;
    }
    Reg mark = u->top, doc = emit_temp(u);
    emit_at(u, body.items[0]->span);
    emit_const(u, text, doc);
    Var var = name_resolve_text(u, "__doc__");
    name_store(u, &var, doc);
    u->top = mark;
}

/* ---- decorators
 * -----------------------------------------------------------------------------------------------
 */

/* Each decorator's callable starts a window whose argument is the start of the next one's, or what
 * is decorated. */
Reg function_decorators(Unit *u, AstExprSeq decorators) {
    Reg first = u->top;
    for (int32_t i = 0; i < decorators.count; i++) {
        Reg window = emit_temp(u);
        expr_to(u, decorators.items[i], window);
        u->top = window + u->link;
        if (u->top > u->max) u->max = u->top;
    }
    return first;
}

void function_apply_decorators(Unit *u, AstExprSeq decorators, Reg first) {
    for (int32_t i = decorators.count - 1; i >= 0; i--) {
        emit_at(u, decorators.items[i]->span);
        call_simple(u, first + (Reg)i * u->link, 1);
    }
}

int32_t function_first_line(AstSpan span, AstExprSeq decorators) {
    return decorators.count ? decorators.items[0]->span.line : span.line;
}

/* ---- defaults
 * -------------------------------------------------------------------------------------------------
 */

static bool all_constant(Unit *u, AstExprSeq elements) {
    for (int32_t i = 0; i < elements.count; i++)
        if (fold_expr(u->gen, elements.items[i]) == VALUE_UNSET) return false;
    return true;
}

static void positional_defaults(Unit *u, AstExprSeq defaults, AstSpan span, Reg dest) {
    if (!all_constant(u, defaults)) {
        display_tuple(u, defaults, dest, span);
        return;
    }
    Value tuple = tuple_new(u->gen->vm, (uint64_t)defaults.count);
    if (tuple == VALUE_ERROR) codegen_fail(u->gen);
    for (int32_t i = 0; i < defaults.count && tuple != VALUE_ERROR; i++)
        AS_TUPLE(tuple)->items[i] = fold_expr(u->gen, defaults.items[i]);
    emit_at(u, span);
    emit_const(u, tuple, dest);
}

static bool has_keyword_defaults(const AstArguments *args) {
    for (int32_t i = 0; i < args->kw_defaults.count; i++)
        if (args->kw_defaults.items[i]) return true;
    return false;
}

static void keyword_defaults(Unit *u, const AstArguments *args, AstSpan span, Reg dest) {
    emit_at(u, span);
    emit(u, OP_NEWDICT, dest, 0, 0, 0);
    for (int32_t i = 0; i < args->kw_defaults.count; i++) {
        if (!args->kw_defaults.items[i]) continue;
        Reg mark = u->top, key = emit_temp(u), value = emit_temp(u);
        emit_const(u, codegen_name(u->gen, name_mangle(u, args->kwonlyargs.items[i]->arg)), key);
        expr_to(u, args->kw_defaults.items[i], value);
        emit(u, OP_DICTSET, dest, key, value, 0);
        u->top = mark;
    }
}

uint32_t function_defaults(Unit *u, const AstArguments *args, AstSpan span) {
    uint32_t bits = 0;
    if (args->defaults.count) {
        positional_defaults(u, args->defaults, span, emit_temp(u));
        bits |= 1;
    }
    if (has_keyword_defaults(args)) {
        keyword_defaults(u, args, span, emit_temp(u));
        bits |= 2;
    }
    return bits;
}

/* ---- function objects
 * ----------------------------------------------------------------------------------------- */

void function_make(Unit *u, Value code, const Scope *scope, Reg window, uint32_t bits,
                   uint32_t count, Reg dest) {
    Reg mark = u->top, closure = name_closure(u, scope);
    if (closure != NO_REG) {
        if (!count) window = closure;
        bits |= 8;
        count++;
    }
    if (!count) window = 0;
    emit_window(u, OP_MKFUNC, dest, window, bits, (int32_t)emit_const_index(u, code), count);
    u->top = mark;
}

static void def_body(Unit *u, const void *node) {
    const AstStmt *s = node;
    function_docstring(u, s->FunctionDef.body);
    name_find_deleted(u, s->FunctionDef.body);
    statements(u, s->FunctionDef.body);
}

/* The function of a def, without decorators and type parameters, in R[dest]. */
void function_make_def(Unit *u, AstStmt *s, Reg dest, bool with_defaults) {
    Reg mark = u->top;
    uint32_t bits = with_defaults ? function_defaults(u, s->FunctionDef.args, s->span) : 0;
    Reg annotate = emit_temp(u);
    if (annotation_function(u, s, annotate))
        bits |= 4;
    else
        u->top = annotate;
    int32_t line = function_first_line(s->span, s->FunctionDef.decorator_list);
    Value code =
        codegen_unit(u->gen, u, s->FunctionDef.scope, s->FunctionDef.name->text, line, def_body, s);
    emit_at(u, s->span);
    function_make(u, code, s->FunctionDef.scope, mark, bits, u->top - mark, dest);
    u->top = mark;
}

void function_statement(Unit *u, AstStmt *s) {
    AstExprSeq decorators = s->FunctionDef.decorator_list;
    Reg mark = u->top, first = function_decorators(u, decorators);
    Var var = name_resolve(u, s->FunctionDef.name);
    Reg dest = !decorators.count && var.kind == VAR_REG ? var.reg : emit_temp(u);
    if (s->FunctionDef.type_params.count)
        annotation_generic(u, s, dest);
    else
        function_make_def(u, s, dest, true);
    function_apply_decorators(u, decorators, first);
    emit_at(u, s->span);
    name_store(u, &var, decorators.count ? first : dest);
    u->top = mark;
}

/* ---- lambda
 * ---------------------------------------------------------------------------------------------------
 */

static void lambda_body(Unit *u, const void *node) {
    AstExpr *body = ((const AstExpr *)node)->Lambda.body;
    Value constant = fold_expr(u->gen, body);
    if (constant != VALUE_UNSET) {
        emit_at(u, body->span);
        emit_return_const(u, constant);
        return;
    }
    Reg value = expr_any(u, body, NO_REG);
    emit_at(u, body->span);
    emit_return(u, value);
}

void function_lambda(Unit *u, AstExpr *e, Reg dest) {
    Reg mark = u->top;
    uint32_t bits = function_defaults(u, e->Lambda.args, e->span);
    Value code = codegen_unit(u->gen, u, e->Lambda.scope, "<lambda>", e->span.line, lambda_body, e);
    emit_at(u, e->span);
    function_make(u, code, e->Lambda.scope, mark, bits, u->top - mark, dest);
    u->top = mark;
}
