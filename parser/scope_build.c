/* scope_build.c: making scopes and noting names, for statements; expressions are in scope_visit.c.
 *
 * Names are noted in the order in which Python's own analysis meets them: it decides which of two
 * errors is reported, and the order of variables.
 */
#include "scope_build.h"

#include "docstring.h"

#include <string.h>

/* Scopes. */

static bool is_function_kind(ScopeKind kind) {
    return kind != SCOPE_MODULE && kind != SCOPE_CLASS;
}

void scope_reenter(Builder *b, Building *building, Scope *scope) {
    building->scope = scope;
    building->outer = b->current;
    if (b->current != NULL && scope->kind == SCOPE_LAMBDA)
        building->iterable_depth = b->current->iterable_depth;
    b->current = building;
}

Scope *scope_enter(Builder *b, Building *building, ScopeKind kind, const char *name, AstSpan span) {
    Scope *scope = arena_take_zeroed(b->arena, sizeof *scope);
    AstName *interned = names_intern_text(b->names, name);
    if (scope == NULL || interned == NULL) {
        scope_raise_memory(b);
        return NULL;
    }
    Scope *parent = b->current == NULL ? NULL : b->current->scope;
    scope->kind = kind;
    scope->name = interned;
    scope->parent = parent;
    scope->span = span;
    scope->is_function = is_function_kind(kind);
    scope->is_nested = parent != NULL && (parent->is_nested || parent->is_function);
    scope->private_class = b->private_class;
    if (parent != NULL) {
        scope->next_sibling = parent->first_child;
        parent->first_child = scope;
    }
    scope_reenter(b, building, scope);
    return scope;
}

void scope_leave(Builder *b) {
    b->current = b->current->outer;
}

/* Names. */

bool scope_check_name(Builder *b, const AstName *name, AstSpan span, const char *verb) {
    if (name->len == 9 && names_equal(name, "__debug__"))
        return scope_raise(b, span, "cannot %s __debug__", verb);
    return true;
}

bool scope_define_in(Builder *b, Building *building, AstName *name, uint32_t flags, AstSpan span) {
    Scope *scope = building->scope;
    AstName *mangled = scope_mangle(scope, b->names, name);
    if (mangled == NULL) return scope_raise_memory(b);
    Symbol *symbol = scope_add(b->arena, scope, mangled);
    if (symbol == NULL) return scope_raise_memory(b);
    if ((flags & symbol->flags & SYMBOL_PARAMETER) != 0)
        return scope_raise(b, span, "duplicate argument '%s' in function definition", name->text);
    if ((flags & symbol->flags & SYMBOL_TYPE_PARAM) != 0)
        return scope_raise(b, span, "duplicate type parameter '%s'", name->text);
    symbol->flags |= flags;
    if (building->in_iteration_target) {
        if ((symbol->flags & (SYMBOL_GLOBAL | SYMBOL_NONLOCAL)) != 0)
            return scope_raise(b, span,
                               "comprehension inner loop cannot rebind assignment expression "
                               "target '%s'",
                               name->text);
        symbol->flags |= SYMBOL_ITERATION;
    }
    return true;
}

bool scope_define(Builder *b, AstName *name, uint32_t flags, AstSpan span) {
    return scope_define_in(b, b->current, name, flags, span);
}

bool scope_define_text(Builder *b, const char *name, uint32_t flags) {
    AstName *interned = names_intern_text(b->names, name);
    if (interned == NULL) return scope_raise_memory(b);
    return scope_define(b, interned, flags, b->current->scope->span);
}

uint32_t scope_flags(Builder *b, const Scope *scope, AstName *name) {
    AstName *mangled = scope_mangle(scope, b->names, name);
    const Symbol *symbol = mangled == NULL ? NULL : scope_find(scope, mangled);
    return symbol == NULL ? 0 : symbol->flags;
}

bool scope_add_directive(Builder *b, AstName *name, AstSpan span) {
    Directive *directive = arena_take(b->arena, sizeof *directive);
    if (directive == NULL) return scope_raise_memory(b);
    *directive = (Directive){name, span, b->current->scope->directives};
    b->current->scope->directives = directive;
    return true;
}

/* Annotations. */

/* Enters the current scope's __annotate__, which is made when it is first needed. */
static bool enter_annotations(Builder *b, Building *building, Scope **kept, AstSpan span) {
    if (*kept != NULL) {
        scope_reenter(b, building, *kept);
        return true;
    }
    bool in_class = b->current->scope->kind == SCOPE_CLASS;
    Scope *scope = scope_enter(b, building, SCOPE_ANNOTATIONS, "__annotate__", span);
    if (scope == NULL) return false;
    *kept = scope;
    scope->can_see_class_scope = in_class || scope->parent->can_see_class_scope;
    return scope_define_text(b, ".format", SYMBOL_PARAMETER | SYMBOL_USED) &&
           (!scope->can_see_class_scope || scope_define_text(b, "__classdict__", SYMBOL_USED));
}

/* The annotation of a variable: of a local variable it is never evaluated, but it is checked. */
static bool visit_annotation(Builder *b, AstExpr *annotation) {
    if (b->module->has_future_annotations) return true;
    Scope *scope = b->current->scope;
    Scope *unevaluated = NULL;
    bool is_evaluated = !scope->is_function;
    Scope *first_child = scope->first_child;
    Building building = {0};
    if (!enter_annotations(b, &building, is_evaluated ? &scope->annotation_scope : &unevaluated,
                           annotation->span))
        return false;
    bool is_fine = scope_visit_expr(b, annotation);
    scope_leave(b);
    if (!is_evaluated) scope->first_child = first_child;
    return is_fine;
}

static bool visit_param_annotations(Builder *b, const AstArgSeq *args) {
    for (int32_t i = 0; i < args->count; i++) {
        AstExpr *annotation = args->items[i]->annotation;
        if (annotation != NULL && !scope_visit_expr(b, annotation)) return false;
    }
    return true;
}

static bool has_annotations(const AstArguments *args, const AstExpr *returns) {
    const AstArgSeq *lists[] = {&args->posonlyargs, &args->args, &args->kwonlyargs};
    for (int i = 0; i < 3; i++) {
        for (int32_t j = 0; j < lists[i]->count; j++) {
            if (lists[i]->items[j]->annotation != NULL) return true;
        }
    }
    return returns != NULL || (args->vararg != NULL && args->vararg->annotation != NULL) ||
           (args->kwarg != NULL && args->kwarg->annotation != NULL);
}

/* Those of a function: its own __annotate__ beside it. */
static bool visit_annotations(Builder *b, const AstArguments *args, AstExpr *returns, Scope **kept,
                              AstSpan span) {
    if (b->module->has_future_annotations || !has_annotations(args, returns)) return true;
    Building building = {0};
    if (!enter_annotations(b, &building, kept, span)) return false;
    bool is_fine = visit_param_annotations(b, &args->posonlyargs) &&
                   visit_param_annotations(b, &args->args) &&
                   (args->vararg == NULL || args->vararg->annotation == NULL ||
                    scope_visit_expr(b, args->vararg->annotation)) &&
                   (args->kwarg == NULL || args->kwarg->annotation == NULL ||
                    scope_visit_expr(b, args->kwarg->annotation)) &&
                   visit_param_annotations(b, &args->kwonlyargs) &&
                   (returns == NULL || scope_visit_expr(b, returns));
    scope_leave(b);
    return is_fine;
}

/* Type parameters. */

static bool enter_type_params(Builder *b, Building *building, const AstName *name, Scope **kept,
                              AstSpan span) {
    Scope *parent = b->current->scope;
    Scope *scope = scope_enter(b, building, SCOPE_TYPE_PARAMS, name->text, span);
    if (scope == NULL) return false;
    *kept = scope;
    scope->can_see_class_scope = parent->kind == SCOPE_CLASS;
    return !scope->can_see_class_scope || scope_define_text(b, "__classdict__", SYMBOL_USED);
}

/* The bound or default of a type parameter, in a scope of its own. */
static bool visit_type_variable(Builder *b, AstExpr *expr, const AstName *name, const char *what,
                                Scope **kept) {
    if (expr == NULL) return true;
    bool sees_class = b->current->scope->can_see_class_scope;
    Building building = {.type_variable = what};
    Scope *scope = scope_enter(b, &building, SCOPE_TYPE_VARIABLE, name->text, expr->span);
    if (scope == NULL) return false;
    *kept = scope;
    scope->can_see_class_scope = sees_class;
    bool is_fine = (!sees_class || scope_define_text(b, "__classdict__", SYMBOL_USED)) &&
                   scope_define_text(b, ".format", SYMBOL_PARAMETER | SYMBOL_USED) &&
                   scope_visit_expr(b, expr);
    scope_leave(b);
    return is_fine;
}

static bool visit_type_param(Builder *b, AstTypeParam *param) {
    const uint32_t flags = SYMBOL_TYPE_PARAM | SYMBOL_ASSIGNED;
    /* The name comes first in all three kinds. */
    AstName *name = param->TypeVar.name;
    if (!scope_check_name(b, name, param->span, "assign to") ||
        !scope_define(b, name, flags, param->span))
        return false;
    switch (param->kind) {
    case TYPE_PARAM_TypeVar: {
        AstExpr *bound = param->TypeVar.bound;
        bool has_constraints = bound != NULL && bound->kind == EXPR_Tuple;
        return visit_type_variable(b, bound, name,
                                   has_constraints ? "a TypeVar constraint" : "a TypeVar bound",
                                   &param->TypeVar.bound_scope) &&
               visit_type_variable(b, param->TypeVar.default_value, name, "a TypeVar default",
                                   &param->TypeVar.default_scope);
    }
    case TYPE_PARAM_ParamSpec:
        return visit_type_variable(b, param->ParamSpec.default_value, name, "a ParamSpec default",
                                   &param->ParamSpec.default_scope);
    case TYPE_PARAM_TypeVarTuple:
        return visit_type_variable(b, param->TypeVarTuple.default_value, name,
                                   "a TypeVarTuple default", &param->TypeVarTuple.default_scope);
    }
    return true;
}

static bool visit_type_params(Builder *b, const AstTypeParamSeq *params) {
    bool has_default = false;
    for (int32_t i = 0; i < params->count; i++) {
        AstTypeParam *param = params->items[i];
        AstExpr *value = param->kind == TYPE_PARAM_TypeVar ? param->TypeVar.default_value
                                                           : param->ParamSpec.default_value;
        if (value == NULL && has_default)
            return scope_raise(b, param->span,
                               "non-default type parameter '%s' follows default type parameter",
                               param->TypeVar.name->text);
        has_default |= value != NULL;
        if (!visit_type_param(b, param)) return false;
    }
    return true;
}

/* Definitions. */

/* AsyncFunctionDef has the same fields as FunctionDef. */
static bool visit_function_body(Builder *b, AstStmt *stmt) {
    AstArguments *args = stmt->FunctionDef.args;
    if (!visit_annotations(b, args, stmt->FunctionDef.returns, &stmt->FunctionDef.annotation_scope,
                           stmt->span))
        return false;
    Building building = {0};
    Scope *scope =
        scope_enter(b, &building, SCOPE_FUNCTION, stmt->FunctionDef.name->text, stmt->span);
    if (scope == NULL) return false;
    stmt->FunctionDef.scope = scope;
    scope->is_async = stmt->kind == STMT_AsyncFunctionDef;
    scope->is_coroutine = scope->is_async;
    scope->has_docstring = docstring_clean(b->arena, &stmt->FunctionDef.body);
    bool is_fine = scope_visit_params(b, args) && scope_visit_stmts(b, &stmt->FunctionDef.body);
    scope_leave(b);
    return is_fine;
}

static bool visit_function(Builder *b, AstStmt *stmt) {
    AstArguments *args = stmt->FunctionDef.args;
    AstName *name = stmt->FunctionDef.name;
    if (!scope_check_name(b, name, stmt->span, "assign to") ||
        !scope_define(b, name, SYMBOL_ASSIGNED, stmt->span) || !scope_visit_defaults(b, args) ||
        !scope_visit_exprs(b, &stmt->FunctionDef.decorator_list))
        return false;
    if (stmt->FunctionDef.type_params.count == 0) return visit_function_body(b, stmt);
    Building building = {0};
    if (!enter_type_params(b, &building, name, &stmt->FunctionDef.type_params_scope, stmt->span))
        return false;
    bool is_fine =
        visit_type_params(b, &stmt->FunctionDef.type_params) && visit_function_body(b, stmt);
    scope_leave(b);
    return is_fine;
}

static bool visit_class_body(Builder *b, AstStmt *stmt) {
    bool is_generic = stmt->ClassDef.type_params.count != 0;
    if (!scope_visit_exprs(b, &stmt->ClassDef.bases) ||
        !scope_visit_keywords(b, &stmt->ClassDef.keywords))
        return false;
    Building building = {0};
    AstName *outer_private = b->private_class;
    b->private_class = stmt->ClassDef.name;
    Scope *scope = scope_enter(b, &building, SCOPE_CLASS, stmt->ClassDef.name->text, stmt->span);
    bool is_fine = scope != NULL;
    if (is_fine) {
        stmt->ClassDef.scope = scope;
        scope->has_docstring = docstring_clean(b->arena, &stmt->ClassDef.body);
        is_fine = (!is_generic || (scope_define_text(b, "__type_params__", SYMBOL_ASSIGNED) &&
                                   scope_define_text(b, ".type_params", SYMBOL_USED))) &&
                  scope_visit_stmts(b, &stmt->ClassDef.body);
        scope_leave(b);
    }
    b->private_class = outer_private;
    return is_fine;
}

static bool visit_class(Builder *b, AstStmt *stmt) {
    AstName *name = stmt->ClassDef.name;
    if (!scope_check_name(b, name, stmt->span, "assign to") ||
        !scope_define(b, name, SYMBOL_ASSIGNED, stmt->span) ||
        !scope_visit_exprs(b, &stmt->ClassDef.decorator_list))
        return false;
    if (stmt->ClassDef.type_params.count == 0) return visit_class_body(b, stmt);
    AstName *outer_private = b->private_class;
    b->private_class = name;
    Building building = {0};
    bool is_fine =
        enter_type_params(b, &building, name, &stmt->ClassDef.type_params_scope, stmt->span);
    if (is_fine) {
        const uint32_t flags = SYMBOL_ASSIGNED | SYMBOL_USED;
        is_fine = scope_define_text(b, ".type_params", flags) &&
                  scope_define_text(b, ".generic_base", flags) &&
                  visit_type_params(b, &stmt->ClassDef.type_params);
        stmt->ClassDef.type_params_scope->mangles_params_only = true;
        is_fine = is_fine && visit_class_body(b, stmt);
        scope_leave(b);
    }
    b->private_class = outer_private;
    return is_fine;
}

static bool visit_type_alias_value(Builder *b, AstStmt *stmt) {
    bool sees_class =
        b->current->scope->kind == SCOPE_CLASS || b->current->scope->can_see_class_scope;
    Building building = {0};
    Scope *scope = scope_enter(b, &building, SCOPE_TYPE_ALIAS, stmt->TypeAlias.name->Name.id->text,
                               stmt->span);
    if (scope == NULL) return false;
    stmt->TypeAlias.scope = scope;
    scope->can_see_class_scope = sees_class;
    bool is_fine = (!sees_class || scope_define_text(b, "__classdict__", SYMBOL_USED)) &&
                   scope_define_text(b, ".format", SYMBOL_PARAMETER | SYMBOL_USED) &&
                   scope_visit_expr(b, stmt->TypeAlias.value);
    scope_leave(b);
    return is_fine;
}

static bool visit_type_alias(Builder *b, AstStmt *stmt) {
    if (!scope_visit_expr(b, stmt->TypeAlias.name)) return false;
    if (stmt->TypeAlias.type_params.count == 0) return visit_type_alias_value(b, stmt);
    Building building = {0};
    if (!enter_type_params(b, &building, stmt->TypeAlias.name->Name.id,
                           &stmt->TypeAlias.type_params_scope, stmt->span))
        return false;
    bool is_fine =
        visit_type_params(b, &stmt->TypeAlias.type_params) && visit_type_alias_value(b, stmt);
    scope_leave(b);
    return is_fine;
}

/* global, nonlocal */

/* `global name` in an inner scope speaks for the module's code as well. */
static bool mark_in_module(Builder *b, AstName *name, AstSpan span) {
    Building *module = b->current;
    while (module->outer != NULL)
        module = module->outer;
    return module == b->current || scope_define_in(b, module, name, SYMBOL_GLOBAL_BELOW, span);
}

static bool visit_directive(Builder *b, const AstStmt *stmt, const AstNameSeq *names,
                            bool is_global) {
    for (int32_t i = 0; i < names->count; i++) {
        AstName *name = names->items[i];
        const char *word = is_global ? "global" : "nonlocal";
        uint32_t flags = scope_flags(b, b->current->scope, name);
        if ((flags & SYMBOL_PARAMETER) != 0)
            return scope_raise(b, stmt->span, "name '%s' is parameter and %s", name->text, word);
        if ((flags & SYMBOL_USED) != 0)
            return scope_raise(b, stmt->span, "name '%s' is used prior to %s declaration",
                               name->text, word);
        if ((flags & SYMBOL_ANNOTATED) != 0)
            return scope_raise(b, stmt->span, "annotated name '%s' can't be %s", name->text, word);
        if ((flags & SYMBOL_ASSIGNED) != 0)
            return scope_raise(b, stmt->span, "name '%s' is assigned to before %s declaration",
                               name->text, word);
        if (!scope_define(b, name, is_global ? SYMBOL_GLOBAL : SYMBOL_NONLOCAL, stmt->span) ||
            !scope_add_directive(b, name, stmt->span) ||
            (is_global && !mark_in_module(b, name, stmt->span)))
            return false;
    }
    return true;
}

/* Imports. */

/* `import a.b` binds a. */
static AstName *first_part(Builder *b, AstName *name) {
    const char *dot = memchr(name->text, '.', name->len);
    return dot == NULL ? name : names_intern(b->names, name->text, (size_t)(dot - name->text));
}

static bool visit_aliases(Builder *b, const AstAliasSeq *aliases) {
    for (int32_t i = 0; i < aliases->count; i++) {
        const AstAlias *alias = aliases->items[i];
        if (names_equal(alias->name, "*")) {
            if (b->current->scope->kind != SCOPE_MODULE)
                return scope_raise(b, alias->span, "import * only allowed at module level");
            continue;
        }
        AstName *name = alias->asname != NULL ? alias->asname : first_part(b, alias->name);
        if (name == NULL) return scope_raise_memory(b);
        if (!scope_check_name(b, name, alias->span, "assign to") ||
            !scope_define(b, name, SYMBOL_IMPORTED | SYMBOL_ASSIGNED, alias->span))
            return false;
    }
    return true;
}

/* Other statements. */

static bool visit_ann_assign(Builder *b, AstStmt *stmt) {
    AstExpr *target = stmt->AnnAssign.target;
    if (target->kind == EXPR_Name) {
        AstName *name = target->Name.id;
        uint32_t flags = scope_flags(b, b->current->scope, name);
        bool is_simple = stmt->AnnAssign.simple != 0;
        if ((flags & (SYMBOL_GLOBAL | SYMBOL_NONLOCAL)) != 0 && is_simple &&
            b->current->scope->kind != SCOPE_MODULE)
            return scope_raise(b, stmt->span, "annotated name '%s' can't be %s", name->text,
                               (flags & SYMBOL_GLOBAL) != 0 ? "global" : "nonlocal");
        uint32_t added = is_simple                       ? SYMBOL_ANNOTATED | SYMBOL_ASSIGNED
                         : stmt->AnnAssign.value != NULL ? SYMBOL_ASSIGNED
                                                         : 0;
        if (!scope_check_name(b, name, target->span, "assign to") ||
            (added != 0 && !scope_define(b, name, added, target->span)))
            return false;
    } else if (!scope_visit_expr(b, target)) {
        return false;
    }
    return visit_annotation(b, stmt->AnnAssign.annotation) &&
           (stmt->AnnAssign.value == NULL || scope_visit_expr(b, stmt->AnnAssign.value));
}

static bool visit_with(Builder *b, const AstStmt *stmt) {
    for (int32_t i = 0; i < stmt->With.items.count; i++) {
        const AstWithItem *item = stmt->With.items.items[i];
        if (!scope_visit_expr(b, item->context_expr) ||
            (item->optional_vars != NULL && !scope_visit_expr(b, item->optional_vars)))
            return false;
    }
    return scope_visit_stmts(b, &stmt->With.body);
}

static bool visit_try(Builder *b, const AstStmt *stmt) {
    if (!scope_visit_stmts(b, &stmt->Try.body)) return false;
    for (int32_t i = 0; i < stmt->Try.handlers.count; i++) {
        const AstExceptHandler *handler = stmt->Try.handlers.items[i];
        if ((handler->type != NULL && !scope_visit_expr(b, handler->type)) ||
            (handler->name != NULL &&
             (!scope_check_name(b, handler->name, handler->span, "assign to") ||
              !scope_define(b, handler->name, SYMBOL_ASSIGNED, handler->span))) ||
            !scope_visit_stmts(b, &handler->body))
            return false;
    }
    return scope_visit_stmts(b, &stmt->Try.orelse) && scope_visit_stmts(b, &stmt->Try.finalbody);
}

static bool visit_pattern(Builder *b, const AstPattern *pattern);

static bool visit_patterns(Builder *b, const AstPatternSeq *patterns) {
    for (int32_t i = 0; i < patterns->count; i++) {
        if (!visit_pattern(b, patterns->items[i])) return false;
    }
    return true;
}

static bool define_capture(Builder *b, AstName *name, AstSpan span) {
    return name == NULL || (scope_check_name(b, name, span, "assign to") &&
                            scope_define(b, name, SYMBOL_ASSIGNED, span));
}

static bool visit_pattern_now(Builder *b, const AstPattern *pattern) {
    switch (pattern->kind) {
    case PATTERN_MatchValue: return scope_visit_expr(b, pattern->MatchValue.value);
    case PATTERN_MatchSingleton: return true;
    case PATTERN_MatchSequence: return visit_patterns(b, &pattern->MatchSequence.patterns);
    case PATTERN_MatchMapping:
        return scope_visit_exprs(b, &pattern->MatchMapping.keys) &&
               visit_patterns(b, &pattern->MatchMapping.patterns) &&
               define_capture(b, pattern->MatchMapping.rest, pattern->span);
    case PATTERN_MatchClass:
        for (int32_t i = 0; i < pattern->MatchClass.kwd_attrs.count; i++) {
            if (!scope_check_name(b, pattern->MatchClass.kwd_attrs.items[i], pattern->span,
                                  "assign to"))
                return false;
        }
        return scope_visit_expr(b, pattern->MatchClass.cls) &&
               visit_patterns(b, &pattern->MatchClass.patterns) &&
               visit_patterns(b, &pattern->MatchClass.kwd_patterns);
    case PATTERN_MatchStar: return define_capture(b, pattern->MatchStar.name, pattern->span);
    case PATTERN_MatchAs:
        return (pattern->MatchAs.pattern == NULL || visit_pattern(b, pattern->MatchAs.pattern)) &&
               define_capture(b, pattern->MatchAs.name, pattern->span);
    case PATTERN_MatchOr: return visit_patterns(b, &pattern->MatchOr.patterns);
    }
    return true;
}

static bool visit_pattern(Builder *b, const AstPattern *pattern) {
    if (!scope_enter_level(b)) return false;
    bool is_fine = visit_pattern_now(b, pattern);
    scope_leave_level(b);
    return is_fine;
}

static bool visit_match(Builder *b, const AstStmt *stmt) {
    if (!scope_visit_expr(b, stmt->Match.subject)) return false;
    for (int32_t i = 0; i < stmt->Match.cases.count; i++) {
        const AstMatchCase *match_case = stmt->Match.cases.items[i];
        if (!visit_pattern(b, match_case->pattern) ||
            (match_case->guard != NULL && !scope_visit_expr(b, match_case->guard)) ||
            !scope_visit_stmts(b, &match_case->body))
            return false;
    }
    return true;
}

static bool visit_optional(Builder *b, AstExpr *expr) {
    return expr == NULL || scope_visit_expr(b, expr);
}

static bool visit_stmt_now(Builder *b, AstStmt *stmt) {
    switch (stmt->kind) {
    case STMT_FunctionDef:
    case STMT_AsyncFunctionDef: return visit_function(b, stmt);
    case STMT_ClassDef: return visit_class(b, stmt);
    case STMT_Return:
        b->current->scope->has_return_value |= stmt->Return.value != NULL;
        return visit_optional(b, stmt->Return.value);
    case STMT_Delete: return scope_visit_exprs(b, &stmt->Delete.targets);
    case STMT_Assign:
        return scope_visit_exprs(b, &stmt->Assign.targets) &&
               scope_visit_expr(b, stmt->Assign.value);
    case STMT_TypeAlias: return visit_type_alias(b, stmt);
    case STMT_AugAssign:
        return scope_visit_expr(b, stmt->AugAssign.target) &&
               scope_visit_expr(b, stmt->AugAssign.value);
    case STMT_AnnAssign: return visit_ann_assign(b, stmt);
    case STMT_For:
    case STMT_AsyncFor:
        return scope_visit_expr(b, stmt->For.target) && scope_visit_expr(b, stmt->For.iter) &&
               scope_visit_stmts(b, &stmt->For.body) && scope_visit_stmts(b, &stmt->For.orelse);
    case STMT_While:
        return scope_visit_expr(b, stmt->While.test) && scope_visit_stmts(b, &stmt->While.body) &&
               scope_visit_stmts(b, &stmt->While.orelse);
    case STMT_If:
        return scope_visit_expr(b, stmt->If.test) && scope_visit_stmts(b, &stmt->If.body) &&
               scope_visit_stmts(b, &stmt->If.orelse);
    case STMT_With:
    case STMT_AsyncWith: return visit_with(b, stmt);
    case STMT_Match: return visit_match(b, stmt);
    case STMT_Raise:
        return visit_optional(b, stmt->Raise.exc) && visit_optional(b, stmt->Raise.cause);
    case STMT_Try:
    case STMT_TryStar: return visit_try(b, stmt);
    case STMT_Assert:
        return scope_visit_expr(b, stmt->Assert.test) && visit_optional(b, stmt->Assert.msg);
    case STMT_Import: return visit_aliases(b, &stmt->Import.names);
    case STMT_ImportFrom: return visit_aliases(b, &stmt->ImportFrom.names);
    case STMT_Global: return visit_directive(b, stmt, &stmt->Global.names, true);
    case STMT_Nonlocal: return visit_directive(b, stmt, &stmt->Nonlocal.names, false);
    case STMT_Expr: return scope_visit_expr(b, stmt->Expr.value);
    case STMT_Pass:
    case STMT_Break:
    case STMT_Continue: return true;
    }
    return true;
}

bool scope_visit_stmts(Builder *b, const AstStmtSeq *stmts) {
    if (stmts->count == 0) return true;
    if (!scope_enter_level(b)) return false;
    bool is_fine = true;
    for (int32_t i = 0; i < stmts->count && is_fine; i++)
        is_fine = visit_stmt_now(b, stmts->items[i]);
    scope_leave_level(b);
    return is_fine;
}
