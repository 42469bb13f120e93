/* scope_visit.c: making scopes and noting names, for expressions. */
#include "scope_build.h"

bool scope_check_annotation(Builder *b, const char *what, AstSpan span) {
    switch (b->current->scope->kind) {
    case SCOPE_ANNOTATIONS:
        return scope_raise(b, span, "%s cannot be used within an annotation", what);
    case SCOPE_TYPE_VARIABLE:
        return scope_raise(b, span, "%s cannot be used within %s", what, b->current->type_variable);
    case SCOPE_TYPE_ALIAS:
        return scope_raise(b, span, "%s cannot be used within a type alias", what);
    case SCOPE_TYPE_PARAMS:
        return scope_raise(b, span, "%s cannot be used within the definition of a generic", what);
    case SCOPE_MODULE:
    case SCOPE_CLASS:
    case SCOPE_FUNCTION:
    case SCOPE_LAMBDA:
    case SCOPE_COMPREHENSION: return true;
    }
    return true;
}

static bool visit_optional(Builder *b, AstExpr *expr) {
    return expr == NULL || scope_visit_expr(b, expr);
}

bool scope_visit_exprs(Builder *b, const AstExprSeq *exprs) {
    for (int32_t i = 0; i < exprs->count; i++) {
        if (!visit_optional(b, exprs->items[i])) return false;
    }
    return true;
}

/* Parameters. */

static bool define_params(Builder *b, const AstArgSeq *args) {
    for (int32_t i = 0; i < args->count; i++) {
        const AstArg *arg = args->items[i];
        if (!scope_check_name(b, arg->arg, arg->span, "assign to") ||
            !scope_define(b, arg->arg, SYMBOL_PARAMETER, arg->span))
            return false;
    }
    return true;
}

static bool define_param(Builder *b, const AstArg *arg) {
    return arg == NULL || (scope_check_name(b, arg->arg, arg->span, "assign to") &&
                           scope_define(b, arg->arg, SYMBOL_PARAMETER, arg->span));
}

bool scope_visit_params(Builder *b, const AstArguments *args) {
    b->current->scope->has_star_args = args->vararg != NULL;
    b->current->scope->has_star_kwargs = args->kwarg != NULL;
    return define_params(b, &args->posonlyargs) && define_params(b, &args->args) &&
           define_params(b, &args->kwonlyargs) && define_param(b, args->vararg) &&
           define_param(b, args->kwarg);
}

bool scope_visit_defaults(Builder *b, const AstArguments *args) {
    return scope_visit_exprs(b, &args->defaults) && scope_visit_exprs(b, &args->kw_defaults);
}

bool scope_visit_keywords(Builder *b, const AstKeywordSeq *keywords) {
    for (int32_t i = 0; i < keywords->count; i++) {
        const AstKeyword *keyword = keywords->items[i];
        if ((keyword->arg != NULL &&
             !scope_check_name(b, keyword->arg, keyword->span, "assign to")) ||
            !scope_visit_expr(b, keyword->value))
            return false;
    }
    return true;
}

static bool visit_lambda(Builder *b, AstExpr *expr) {
    if (!scope_visit_defaults(b, expr->Lambda.args)) return false;
    Building building = {0};
    Scope *scope = scope_enter(b, &building, SCOPE_LAMBDA, "<lambda>", expr->span);
    if (scope == NULL) return false;
    expr->Lambda.scope = scope;
    bool is_fine =
        scope_visit_params(b, expr->Lambda.args) && scope_visit_expr(b, expr->Lambda.body);
    scope_leave(b);
    return is_fine;
}

/* Comprehensions. */

static bool visit_target(Builder *b, AstExpr *target) {
    b->current->in_iteration_target = true;
    bool is_fine = scope_visit_expr(b, target);
    b->current->in_iteration_target = false;
    return is_fine;
}

static bool visit_iterable(Builder *b, AstExpr *iter) {
    b->current->iterable_depth++;
    bool is_fine = scope_visit_expr(b, iter);
    b->current->iterable_depth--;
    return is_fine;
}

/* The clauses; the first iterable was visited outside. */
static bool visit_clauses(Builder *b, const AstComprehensionSeq *generators) {
    for (int32_t i = 0; i < generators->count; i++) {
        const AstComprehension *clause = generators->items[i];
        b->current->scope->is_coroutine |= clause->is_async;
        if (!visit_target(b, clause->target) || (i > 0 && !visit_iterable(b, clause->iter)) ||
            !scope_visit_exprs(b, &clause->ifs))
            return false;
    }
    return true;
}

typedef struct ComprehensionParts {
    const char *name; /* of its code */
    const char *what; /* in messages */
    AstExpr *key;     /* NULL but for a dict comprehension, whose `elt` is the value */
    AstExpr *elt;
    const AstComprehensionSeq *generators;
    Scope **kept;
    bool is_generator;
} ComprehensionParts;

static bool visit_comprehension(Builder *b, AstExpr *expr, const ComprehensionParts *parts) {
    if (!visit_iterable(b, parts->generators->items[0]->iter)) return false;
    Building building = {.comprehension = parts->what};
    Scope *scope = scope_enter(b, &building, SCOPE_COMPREHENSION, parts->name, expr->span);
    if (scope == NULL) return false;
    *parts->kept = scope;
    scope->is_inlined = !parts->is_generator;
    bool is_fine = (scope->is_inlined || scope_define_text(b, ".0", SYMBOL_PARAMETER)) &&
                   visit_clauses(b, parts->generators) &&
                   (parts->key == NULL || scope_visit_expr(b, parts->key)) &&
                   scope_visit_expr(b, parts->elt);
    scope->is_generator = parts->is_generator;
    scope_leave(b);
    if (scope->is_coroutine && !parts->is_generator) b->current->scope->is_coroutine = true;
    return is_fine;
}

/* SetComp and GeneratorExp have the same fields as ListComp. */
static bool visit_list_comprehension(Builder *b, AstExpr *expr, const char *name,
                                     const char *what) {
    const ComprehensionParts parts = {
        .name = name,
        .what = what,
        .elt = expr->ListComp.elt,
        .generators = &expr->ListComp.generators,
        .kept = &expr->ListComp.scope,
        .is_generator = expr->kind == EXPR_GeneratorExp,
    };
    return visit_comprehension(b, expr, &parts);
}

static bool visit_dict_comprehension(Builder *b, AstExpr *expr) {
    const ComprehensionParts parts = {
        .name = "<dictcomp>",
        .what = "dict comprehension",
        .key = expr->DictComp.key,
        .elt = expr->DictComp.value,
        .generators = &expr->DictComp.generators,
        .kept = &expr->DictComp.scope,
    };
    return visit_comprehension(b, expr, &parts);
}

/* Assignment expressions. */

static bool define_target_in(Builder *b, Building *outer, AstName *name, AstSpan span) {
    switch (outer->scope->kind) {
    case SCOPE_FUNCTION:
    case SCOPE_LAMBDA: {
        bool is_global = (scope_flags(b, outer->scope, name) & SYMBOL_GLOBAL) != 0;
        return scope_define(b, name, is_global ? SYMBOL_GLOBAL : SYMBOL_NONLOCAL, span) &&
               scope_add_directive(b, name, span) &&
               scope_define_in(b, outer, name, SYMBOL_ASSIGNED, span);
    }
    case SCOPE_MODULE:
        return scope_define(b, name, SYMBOL_GLOBAL, span) && scope_add_directive(b, name, span) &&
               scope_define_in(b, outer, name, SYMBOL_GLOBAL, span);
    case SCOPE_CLASS:
        return scope_raise(b, span,
                           "assignment expression within a comprehension cannot be used in a "
                           "class body");
    case SCOPE_TYPE_PARAMS:
        return scope_raise(b, span,
                           "assignment expression within a comprehension cannot be used within "
                           "the definition of a generic");
    case SCOPE_TYPE_ALIAS:
        return scope_raise(b, span,
                           "assignment expression within a comprehension cannot be used in a type "
                           "alias");
    case SCOPE_TYPE_VARIABLE:
        return scope_raise(b, span,
                           "assignment expression within a comprehension cannot be used in a "
                           "TypeVar bound");
    case SCOPE_ANNOTATIONS:
        return scope_raise(b, span,
                           "assignment expression within a comprehension cannot be used within an "
                           "annotation");
    case SCOPE_COMPREHENSION: return true;
    }
    return true;
}

/* The target of := in a comprehension belongs to the function around all comprehensions. */
static bool extend_target_scope(Builder *b, const AstExpr *target) {
    AstName *name = target->Name.id;
    Building *outer = b->current;
    for (; outer->scope->kind == SCOPE_COMPREHENSION; outer = outer->outer) {
        uint32_t flags = scope_flags(b, outer->scope, name);
        /* a name that the target only reads, as c in `for c[0] in`, may be bound */
        if ((flags & SYMBOL_ITERATION) != 0 && (flags & (SYMBOL_ASSIGNED | SYMBOL_GLOBAL)) != 0)
            return scope_raise(b, target->span,
                               "assignment expression cannot rebind comprehension iteration "
                               "variable '%s'",
                               name->text);
    }
    return define_target_in(b, outer, name, target->span);
}

static bool visit_named_expr(Builder *b, const AstExpr *expr) {
    if (!scope_check_annotation(b, "named expression", expr->span)) return false;
    if (b->current->iterable_depth > 0)
        return scope_raise(b, expr->span,
                           "assignment expression cannot be used in a comprehension iterable "
                           "expression");
    if (b->current->comprehension != NULL && !extend_target_scope(b, expr->NamedExpr.target))
        return false;
    return scope_visit_expr(b, expr->NamedExpr.value) &&
           scope_visit_expr(b, expr->NamedExpr.target);
}

/* The rest. */

static bool visit_yield(Builder *b, const AstExpr *expr, AstExpr *value) {
    if (!scope_check_annotation(b, "yield expression", expr->span) || !visit_optional(b, value))
        return false;
    b->current->scope->is_generator = true;
    if (b->current->comprehension != NULL)
        return scope_raise(b, expr->span, "'yield' inside %s", b->current->comprehension);
    return true;
}

static bool visit_name(Builder *b, const AstExpr *expr) {
    AstName *name = expr->Name.id;
    if (expr->Name.ctx != CTX_Load)
        return scope_check_name(b, name, expr->span,
                                expr->Name.ctx == CTX_Del ? "delete" : "assign to") &&
               scope_define(b, name, SYMBOL_ASSIGNED, expr->span);
    if (!scope_define(b, name, SYMBOL_USED, expr->span)) return false;
    if (b->current->scope->is_function && names_equal(name, "super"))
        return scope_define_text(b, "__class__", SYMBOL_USED);
    return true;
}

static bool visit_attribute(Builder *b, const AstExpr *expr) {
    if (expr->Attribute.ctx != CTX_Load &&
        !scope_check_name(b, expr->Attribute.attr, expr->span,
                          expr->Attribute.ctx == CTX_Del ? "delete" : "assign to"))
        return false;
    return scope_visit_expr(b, expr->Attribute.value);
}

static bool visit_dict(Builder *b, const AstExpr *expr) {
    return scope_visit_exprs(b, &expr->Dict.keys) && scope_visit_exprs(b, &expr->Dict.values);
}

static bool visit_expr_now(Builder *b, AstExpr *e) {
    switch (e->kind) {
    case EXPR_BoolOp: return scope_visit_exprs(b, &e->BoolOp.values);
    case EXPR_NamedExpr: return visit_named_expr(b, e);
    case EXPR_BinOp:
        return scope_visit_expr(b, e->BinOp.left) && scope_visit_expr(b, e->BinOp.right);
    case EXPR_UnaryOp: return scope_visit_expr(b, e->UnaryOp.operand);
    case EXPR_Lambda: return visit_lambda(b, e);
    case EXPR_IfExp:
        return scope_visit_expr(b, e->IfExp.test) && scope_visit_expr(b, e->IfExp.body) &&
               scope_visit_expr(b, e->IfExp.orelse);
    case EXPR_Dict: return visit_dict(b, e);
    case EXPR_Set: return scope_visit_exprs(b, &e->Set.elts);
    case EXPR_ListComp: return visit_list_comprehension(b, e, "<listcomp>", "list comprehension");
    case EXPR_SetComp: return visit_list_comprehension(b, e, "<setcomp>", "set comprehension");
    case EXPR_GeneratorExp:
        return visit_list_comprehension(b, e, "<genexpr>", "generator expression");
    case EXPR_DictComp: return visit_dict_comprehension(b, e);
    case EXPR_Await:
        if (!scope_check_annotation(b, "await expression", e->span)) return false;
        b->current->scope->is_coroutine = true;
        return scope_visit_expr(b, e->Await.value);
    case EXPR_Yield: return visit_yield(b, e, e->Yield.value);
    case EXPR_YieldFrom: return visit_yield(b, e, e->YieldFrom.value);
    case EXPR_Compare:
        return scope_visit_expr(b, e->Compare.left) &&
               scope_visit_exprs(b, &e->Compare.comparators);
    case EXPR_Call:
        return scope_visit_expr(b, e->Call.func) && scope_visit_exprs(b, &e->Call.args) &&
               scope_visit_keywords(b, &e->Call.keywords);
    case EXPR_FormattedValue:
        return scope_visit_expr(b, e->FormattedValue.value) &&
               visit_optional(b, e->FormattedValue.format_spec);
    case EXPR_Interpolation:
        return scope_visit_expr(b, e->Interpolation.value) &&
               visit_optional(b, e->Interpolation.format_spec);
    case EXPR_JoinedStr: return scope_visit_exprs(b, &e->JoinedStr.values);
    case EXPR_TemplateStr: return scope_visit_exprs(b, &e->TemplateStr.values);
    case EXPR_Constant: return true;
    case EXPR_Attribute: return visit_attribute(b, e);
    case EXPR_Subscript:
        return scope_visit_expr(b, e->Subscript.value) && scope_visit_expr(b, e->Subscript.slice);
    case EXPR_Starred: return scope_visit_expr(b, e->Starred.value);
    case EXPR_Name: return visit_name(b, e);
    case EXPR_List: return scope_visit_exprs(b, &e->List.elts);
    case EXPR_Tuple: return scope_visit_exprs(b, &e->Tuple.elts);
    case EXPR_Slice:
        return visit_optional(b, e->Slice.lower) && visit_optional(b, e->Slice.upper) &&
               visit_optional(b, e->Slice.step);
    }
    return true;
}

bool scope_visit_expr(Builder *b, AstExpr *expr) {
    if (!scope_enter_level(b)) return false;
    bool is_fine = visit_expr_now(b, expr);
    scope_leave_level(b);
    return is_fine;
}
