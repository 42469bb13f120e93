/* codegen_annotation.c - annotations, type parameters and type aliases: all that is evaluated
 * lazily.
 *
 * The annotations of a function, class or module become one function, __annotate__(format), that
 * builds their dict when somebody asks. A module has it from its start, a class once its body has
 * run. An annotation that may not have been passed (any of a module, in a class one inside an if,
 * say) is part of the dict only if its number is in the set
 * __conditional_annotations__, which passing it adds. With `from __future__ import annotations`
 * the dict holds the source text instead.
 */
#include "parser/codegen.h"

#include <stdio.h>
#include <string.h>

/* ---- the text of an annotation
 * -------------------------------------------------------------------------------- */

static const char *line_start(const Codegen *gen, int32_t number) {
    const char *line = gen->source, *end = gen->source + gen->source_size;
    for (int32_t i = 1; i < number && line < end; i++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        line = newline ? newline + 1 : end;
    }
    return line;
}

/* As it is written, line breaks and runs of blanks reduced to one blank. */
static Value annotation_text(Codegen *gen, const AstExpr *e) {
    const char *start = line_start(gen, e->span.line) + e->span.col;
    const char *stop = line_start(gen, e->span.end_line) + e->span.end_col;
    char *text = arena_take(gen->arena, (size_t)(stop - start) + 1);
    size_t length = 0;
    if (!text) {
        gen->failed = true;
        return VALUE_UNSET;
    }
    for (const char *p = start; p < stop; p++) {
        bool blank = *p == ' ' || *p == '\t' || *p == '\n' || *p == '\r';
        if (blank && length && text[length - 1] == ' ') continue;
        text[length++] = blank ? ' ' : *p;
    }
    return str_new(gen->vm, text, length);
}

/* R[dest] = the annotation. *args: *Ts stands for the one item that Ts unpacks to. */
static void annotation_value(Unit *u, AstExpr *e, Reg dest) {
    Reg mark = u->top;
    if (u->gen->module->has_future_annotations) {
        emit_at(u, e->span);
        emit_const(u, annotation_text(u->gen, e), dest);
    } else if (e->kind == EXPR_Starred) {
        Reg value = expr_any(u, e->Starred.value, NO_REG);
        emit_at(u, e->span);
        Reg item = emit_temp(u);
        emit_window_out(u, OP_UNPACK, item, value, 0, 1, 1);
        emit_move(u, dest, item);
    } else {
        expr_to(u, e, dest);
    }
    u->top = mark;
}

/* ---- __annotate__
 * --------------------------------------------------------------------------------------------- */

static void check_format(Unit *u) {
    Reg ignored = emit_temp(u);
    emit_window(u, OP_INTRINSIC, ignored, u->local_regs[0], INTRINSIC_ANNOTATE_FORMAT, 0, 1);
    u->top--;
}

static void add_entry(Unit *u, AstName *name, AstExpr *annotation, Reg dict) {
    Reg mark = u->top, key = emit_temp(u), value = emit_temp(u);
    emit_at(u, annotation->span);
    emit_const(u, codegen_name(u->gen, name_mangle(u, name)), key);
    annotation_value(u, annotation, value);
    emit_at(u, annotation->span);
    emit(u, OP_DICTSET, dict, key, value, 0);
    u->top = mark;
}

static void add_arg(Unit *u, const AstArg *arg, Reg dict) {
    if (arg && arg->annotation) add_entry(u, arg->arg, arg->annotation, dict);
}

static void add_args(Unit *u, AstArgSeq args, Reg dict) {
    for (int32_t i = 0; i < args.count; i++)
        add_arg(u, args.items[i], dict);
}

static void function_annotations_body(Unit *u, const void *node) {
    const AstStmt *s = node;
    const AstArguments *args = s->FunctionDef.args;
    check_format(u);
    Reg dict = emit_temp(u);
    emit(u, OP_NEWDICT, dict, 0, 0, 0);
    add_args(u, args->posonlyargs, dict);
    add_args(u, args->args, dict);
    add_arg(u, args->vararg, dict);
    add_args(u, args->kwonlyargs, dict);
    add_arg(u, args->kwarg, dict);
    AstName *result = name_intern(u, "return");
    if (s->FunctionDef.returns && result) add_entry(u, result, s->FunctionDef.returns, dict);
    emit_return(u, dict);
}

static bool any_annotated(AstArgSeq args) {
    for (int32_t i = 0; i < args.count; i++)
        if (args.items[i]->annotation) return true;
    return false;
}

static bool has_annotations(const AstStmt *s) {
    const AstArguments *args = s->FunctionDef.args;
    return s->FunctionDef.returns || any_annotated(args->posonlyargs) ||
           any_annotated(args->args) || any_annotated(args->kwonlyargs) ||
           (args->vararg && args->vararg->annotation) || (args->kwarg && args->kwarg->annotation);
}

/* A scope for an __annotate__ that uses no names, where scope analysis made none: its one parameter
 * is .format. */
static Scope *plain_scope(Unit *u, const AstStmt *s) {
    uint64_t known;
    if (codegen_map_get(&u->gen->annotations, s, &known)) return (Scope *)(uintptr_t)known;
    Scope *scope = codegen_take(u->gen, sizeof *scope);
    Symbol *symbol = codegen_take(u->gen, sizeof *symbol);
    Symbol **list = codegen_take(u->gen, sizeof *list);
    AstName *format = name_intern(u, ".format");
    if (!scope || !symbol || !list || !format) return NULL;
    *symbol = (Symbol){.name = format, .kind = SYMBOL_LOCAL, .flags = SYMBOL_PARAMETER};
    *list = symbol;
    scope->kind = SCOPE_ANNOTATIONS;
    scope->parent = u->code_scope;
    scope->symbols = scope->locals = (SymbolSeq){list, 1};
    scope->is_function = true;
    codegen_map_set(u->gen, &u->gen->annotations, s, (uintptr_t)scope);
    return scope;
}

bool annotation_function(Unit *u, AstStmt *s, Reg dest) {
    if (!has_annotations(s)) return false;
    Scope *scope = s->FunctionDef.annotation_scope;
    if (!scope) scope = plain_scope(u, s);
    if (!scope) return false;
    Value code =
        codegen_unit(u->gen, u, scope, "__annotate__", s->span.line, function_annotations_body, s);
    emit_at(u, s->span);
    function_make(u, code, scope, 0, 0, 0, dest);
    return true;
}

/* ---- annotations of classes and modules
 * ----------------------------------------------------------------------- */

static const char conditional_set[] = "__conditional_annotations__";

typedef void (*Visit)(Unit *u, AstStmt *s, bool is_conditional, Reg reg);

static void visit_body(Unit *u, AstStmtSeq body, bool is_conditional, Visit visit, Reg reg);

static void visit_try(Unit *u, const AstStmt *s, Visit visit, Reg reg) {
    visit_body(u, s->Try.body, true, visit, reg);
    for (int32_t i = 0; i < s->Try.handlers.count; i++)
        visit_body(u, s->Try.handlers.items[i]->body, true, visit, reg);
    visit_body(u, s->Try.orelse, true, visit, reg);
    visit_body(u, s->Try.finalbody, true, visit, reg);
}

static void visit_statement(Unit *u, AstStmt *s, bool is_conditional, Visit visit, Reg reg) {
    switch (s->kind) {
    case STMT_AnnAssign:
        if (s->AnnAssign.simple) visit(u, s, is_conditional, reg);
        break;
    case STMT_If:
        visit_body(u, s->If.body, true, visit, reg);
        visit_body(u, s->If.orelse, true, visit, reg);
        break;
    case STMT_For:
    case STMT_AsyncFor:
        visit_body(u, s->For.body, true, visit, reg);
        visit_body(u, s->For.orelse, true, visit, reg);
        break;
    case STMT_While:
        visit_body(u, s->While.body, true, visit, reg);
        visit_body(u, s->While.orelse, true, visit, reg);
        break;
    case STMT_With:
    case STMT_AsyncWith: visit_body(u, s->With.body, true, visit, reg); break;
    case STMT_Try:
    case STMT_TryStar: visit_try(u, s, visit, reg); break;
    case STMT_Match:
        for (int32_t i = 0; i < s->Match.cases.count; i++)
            visit_body(u, s->Match.cases.items[i]->body, true, visit, reg);
        break;
    default: break;
    }
}

static void visit_body(Unit *u, AstStmtSeq body, bool is_conditional, Visit visit, Reg reg) {
    for (int32_t i = 0; i < body.count; i++)
        visit_statement(u, body.items[i], is_conditional, visit, reg);
}

static void number_annotation(Unit *u, AstStmt *s, bool is_conditional, Reg reg) {
    (void)reg;
    uint64_t known;
    if (is_conditional && !codegen_map_get(&u->gen->annotations, s, &known))
        codegen_map_set(u->gen, &u->gen->annotations, s, u->gen->annotations.count + 1);
}

static void find_annotation(Unit *u, AstStmt *s, bool is_conditional, Reg reg) {
    (void)u, (void)s, (void)is_conditional, (void)reg;
    u->span.line = -1; /* seen */
}

static bool body_has_annotations(Unit *u, AstStmtSeq body) {
    AstSpan span = u->span;
    u->span.line = 0;
    visit_body(u, body, false, find_annotation, NO_REG);
    bool found = u->span.line < 0;
    u->span = span;
    return found;
}

/* Whether __annotate__ can see the set: the module's is global, a class's is in its namespace. */
static bool can_be_conditional(Unit *u) {
    const Scope *scope = u->code_scope->annotation_scope;
    if (u->code_scope->kind == SCOPE_MODULE) return !u->gen->namespace_mode;
    AstName *dict = name_intern(u, "__classdict__");
    const Symbol *symbol = scope && dict ? scope_find(scope, dict) : NULL;
    return symbol && symbol->kind == SYMBOL_FREE;
}

static void begin_conditional(Unit *u, AstStmtSeq body) {
    uint32_t before = u->gen->annotations.count;
    visit_body(u, body, u->code_scope->kind == SCOPE_MODULE, number_annotation, NO_REG);
    if (u->gen->annotations.count == before) return;
    Reg set = emit_temp(u);
    emit(u, OP_NEWSET, set, 0, 0, 0);
    Var var = name_resolve_text(u, conditional_set);
    name_store(u, &var, set);
    u->top = set;
}

static void begin_future(Unit *u) {
    Reg dict = emit_temp(u);
    emit(u, OP_NEWDICT, dict, 0, 0, 0);
    Var var = name_resolve_text(u, "__annotations__");
    name_store(u, &var, dict);
    u->top = dict;
}

static void make_annotate(Unit *u, AstStmtSeq body, const char *name);

void annotation_body_begin(Unit *u, AstStmtSeq body) {
    if (!body_has_annotations(u, body)) return;
    if (u->gen->module->has_future_annotations)
        begin_future(u);
    else if (can_be_conditional(u))
        begin_conditional(u, body);
    if (u->code_scope->kind == SCOPE_MODULE) make_annotate(u, body, "__annotate__");
}

/* An annotation of a class or module is passed. */
static void note_passed(Unit *u, AstStmt *s) {
    uint64_t number;
    Reg mark = u->top, set = emit_temp(u), value = emit_temp(u);
    if (u->gen->module->has_future_annotations) {
        Var var = name_resolve_text(u, "__annotations__");
        Reg key = emit_temp(u);
        name_load(u, &var, set);
        emit_const(u, annotation_text(u->gen, s->AnnAssign.annotation), value);
        emit_const(u, codegen_name(u->gen, name_mangle(u, s->AnnAssign.target->Name.id)), key);
        emit(u, OP_SETITEM, set, key, value, 0);
    } else if (codegen_map_get(&u->gen->annotations, s, &number)) {
        Var var = name_resolve_text(u, conditional_set);
        name_load(u, &var, set);
        emit_const(u, int_value((int64_t)number), value);
        emit(u, OP_SETADD, set, value, 0, 0);
    }
    u->top = mark;
}

/* A target that is no plain name: what it is made of is evaluated. */
static void evaluate_target(Unit *u, AstExpr *target) {
    if (target->kind == EXPR_Attribute) {
        expr_effect(u, target->Attribute.value);
    } else if (target->kind == EXPR_Subscript) {
        expr_effect(u, target->Subscript.value);
        expr_effect(u, target->Subscript.slice);
    }
}

void annotation_statement(Unit *u, AstStmt *s) {
    AstExpr *target = s->AnnAssign.target;
    if (s->AnnAssign.value) {
        AstStmt assign = {.kind = STMT_Assign, .span = s->span};
        assign.Assign.targets = (AstExprSeq){&target, 1};
        assign.Assign.value = s->AnnAssign.value;
        assign_statement(u, &assign);
    } else {
        evaluate_target(u, target);
    }
    if (u->code_scope->is_function) return;
    emit_at(u, s->span);
    if (s->AnnAssign.simple)
        note_passed(u, s);
    else if (!u->gen->module->has_future_annotations)
        expr_effect(u, s->AnnAssign.annotation);
}

static void add_body_entry(Unit *u, AstStmt *s, bool is_conditional, Reg dict) {
    Label absent = LABEL_NEW;
    uint64_t number;
    (void)is_conditional;
    if (codegen_map_get(&u->gen->annotations, s, &number)) {
        Reg mark = u->top, set = emit_temp(u), value = emit_temp(u);
        Var var = name_resolve_text(u, conditional_set);
        name_load(u, &var, set);
        emit_const(u, int_value((int64_t)number), value);
        emit(u, OP_IN, value, value, set, 0);
        emit_jump(u, OP_JF, value, 0, &absent);
        u->top = mark;
    }
    add_entry(u, s->AnnAssign.target->Name.id, s->AnnAssign.annotation, dict);
    emit_label(u, &absent);
}

static void body_annotations(Unit *u, const void *node) {
    check_format(u);
    Reg dict = emit_temp(u);
    emit(u, OP_NEWDICT, dict, 0, 0, 0);
    visit_body(u, *(const AstStmtSeq *)node, false, add_body_entry, dict);
    emit_return(u, dict);
}

static void make_annotate(Unit *u, AstStmtSeq body, const char *name) {
    Scope *scope = u->code_scope->annotation_scope;
    if (!scope || !u->reachable || u->gen->module->has_future_annotations) return;
    Reg function = emit_temp(u);
    Value code =
        codegen_unit(u->gen, u, scope, "__annotate__", scope->span.line, body_annotations, &body);
    function_make(u, code, scope, 0, 0, 0, function);
    Var var = name_resolve_text(u, name);
    name_store(u, &var, function);
    u->top = function;
}

void annotation_body_end(Unit *u, AstStmtSeq body) {
    if (body_has_annotations(u, body)) make_annotate(u, body, "__annotate_func__");
}

/* ---- type parameters
 * ------------------------------------------------------------------------------------------ */

static void expression_body(Unit *u, const void *node) {
    AstExpr *e = (AstExpr *)(uintptr_t)node;
    Reg value = emit_temp(u);
    if (e->kind == EXPR_Starred)
        annotation_value(u, e, value);
    else
        expr_to(u, e, value);
    emit_at(u, e->span);
    emit_return(u, value);
}

/* R[dest] = a function that evaluates the expression. */
static void lazy_function(Unit *u, AstExpr *e, Scope *scope, AstName *name, Reg dest) {
    Value code = codegen_unit(u->gen, u, scope, name->text, e->span.line, expression_body, e);
    emit_at(u, e->span);
    function_make(u, code, scope, 0, 0, 0, dest);
}

static void make_type_var(Unit *u, AstTypeParam *param, Reg window, Reg dest) {
    AstExpr *bound = param->TypeVar.bound;
    uint32_t which = !bound                      ? INTRINSIC_TYPEVAR
                     : bound->kind == EXPR_Tuple ? INTRINSIC_TYPEVAR_CONSTRAINTS
                                                 : INTRINSIC_TYPEVAR_BOUND;
    if (bound) lazy_function(u, bound, param->TypeVar.bound_scope, param->TypeVar.name, window + 1);
    emit_at(u, param->span);
    emit_window(u, OP_INTRINSIC, dest, window, which, 0, bound ? 2 : 1);
}

static AstName *param_name(const AstTypeParam *param) {
    switch (param->kind) {
    case TYPE_PARAM_TypeVar: return param->TypeVar.name;
    case TYPE_PARAM_ParamSpec: return param->ParamSpec.name;
    case TYPE_PARAM_TypeVarTuple: return param->TypeVarTuple.name;
    }
    return NULL;
}

static AstExpr *param_default(const AstTypeParam *param, Scope **scope) {
    switch (param->kind) {
    case TYPE_PARAM_TypeVar:
        *scope = param->TypeVar.default_scope;
        return param->TypeVar.default_value;
    case TYPE_PARAM_ParamSpec:
        *scope = param->ParamSpec.default_scope;
        return param->ParamSpec.default_value;
    case TYPE_PARAM_TypeVarTuple:
        *scope = param->TypeVarTuple.default_scope;
        return param->TypeVarTuple.default_value;
    }
    return NULL;
}

static void make_type_param(Unit *u, AstTypeParam *param, Reg dest) {
    Reg mark = u->top, window = emit_temps(u, 2);
    AstName *name = param_name(param);
    Scope *default_scope = NULL;
    AstExpr *default_value = param_default(param, &default_scope);
    emit_at(u, param->span);
    emit_const(u, codegen_name(u->gen, name), window);
    if (param->kind == TYPE_PARAM_TypeVar)
        make_type_var(u, param, window, dest);
    else
        emit_window(u, OP_INTRINSIC, dest, window,
                    param->kind == TYPE_PARAM_ParamSpec ? INTRINSIC_PARAMSPEC
                                                        : INTRINSIC_TYPEVARTUPLE,
                    0, 1);
    if (default_value) {
        emit_move(u, window, dest);
        lazy_function(u, default_value, default_scope, name, window + 1);
        emit_window(u, OP_INTRINSIC, dest, window, INTRINSIC_SET_TYPEPARAM_DEFAULT, 0, 2);
    }
    Var var = name_resolve(u, name);
    name_store(u, &var, dest);
    u->top = mark;
}

/* Makes and binds the type parameters; R[dest] = their tuple. */
void annotation_type_params(Unit *u, AstTypeParamSeq params, Reg dest) {
    Reg mark = u->top, list = emit_temp(u), value = emit_temp(u);
    emit(u, OP_NEWLIST, list, 0, 0, 0);
    for (int32_t i = 0; i < params.count; i++) {
        make_type_param(u, params.items[i], value);
        emit(u, OP_LISTAPPEND, list, value, 0, 0);
    }
    emit(u, OP_LISTTUPLE, dest, list, 0, 0);
    u->top = mark;
}

/* ---- generic functions and classes
 * ---------------------------------------------------------------------------- */

static void generic_body(Unit *u, const void *node) {
    AstStmt *s = (AstStmt *)(uintptr_t)node;
    bool is_class = s->kind == STMT_ClassDef;
    Reg params = emit_temp(u), window = emit_temps(u, 2);
    annotation_type_params(u, is_class ? s->ClassDef.type_params : s->FunctionDef.type_params,
                           params);
    emit_at(u, s->span);
    if (is_class) {
        Reg base = emit_temp(u), made = emit_temp(u);
        emit_window(u, OP_INTRINSIC, base, params, INTRINSIC_SUBSCRIPT_GENERIC, 0, 1);
        class_make(u, s, made, base);
        emit_move(u, window, made);
    } else {
        function_make_def(u, s, window, false);
    }
    emit_move(u, window + 1, params);
    emit_at(u, s->span);
    emit_window(u, OP_INTRINSIC, window, window, INTRINSIC_SET_TYPE_PARAMS, 0, 2);
    emit_return(u, window);
}

/* R[dest] = the result of the code of a scope of type parameters. */
static void call_params_code(Unit *u, Scope *scope, const char *what, UnitBody body, AstStmt *s,
                             Reg dest) {
    char name[300];
    Reg mark = u->top, window = emit_temp(u);
    snprintf(name, sizeof name, "<generic parameters of %.200s>", what);
    Value code = codegen_unit(u->gen, u, scope, name, s->span.line, body, s);
    emit_at(u, s->span);
    function_make(u, code, scope, 0, 0, 0, window);
    call_simple(u, window, 0);
    emit_move(u, dest, window);
    u->top = mark;
}

static void set_attribute(Unit *u, Reg object, const char *name, Reg value) {
    AstName *attribute = name_intern(u, name);
    if (attribute) emit_named(u, OP_SETATTR, object, value, attribute);
}

void annotation_generic(Unit *u, AstStmt *s, Reg dest) {
    if (s->kind == STMT_ClassDef) {
        call_params_code(u, s->ClassDef.type_params_scope, s->ClassDef.name->text, generic_body, s,
                         dest);
        return;
    }
    /* The defaults belong to the scope outside, and are evaluated first. */
    Reg mark = u->top;
    uint32_t bits = function_defaults(u, s->FunctionDef.args, s->span);
    Reg function = emit_temp(u);
    call_params_code(u, s->FunctionDef.type_params_scope, s->FunctionDef.name->text, generic_body,
                     s, function);
    if (bits & 1) set_attribute(u, function, "__defaults__", mark);
    if (bits & 2) set_attribute(u, function, "__kwdefaults__", bits & 1 ? mark + 1 : mark);
    emit_move(u, dest, function);
    u->top = mark;
}

/* ---- type aliases
 * --------------------------------------------------------------------------------------------- */

/* R[dest] = the alias; R[params] holds the tuple of its type parameters, or there are none
 * (NO_REG). */
static void make_alias(Unit *u, AstStmt *s, Reg params, Reg dest) {
    Reg mark = u->top, window = emit_temps(u, 3);
    AstName *name = s->TypeAlias.name->Name.id;
    emit_const(u, codegen_name(u->gen, name), window);
    if (params == NO_REG)
        emit_none(u, window + 1);
    else
        emit_move(u, window + 1, params);
    lazy_function(u, s->TypeAlias.value, s->TypeAlias.scope, name, window + 2);
    emit_at(u, s->span);
    emit_window(u, OP_INTRINSIC, dest, window, INTRINSIC_TYPEALIAS, 0, 3);
    u->top = mark;
}

static void generic_alias_body(Unit *u, const void *node) {
    AstStmt *s = (AstStmt *)(uintptr_t)node;
    Reg params = emit_temp(u), alias = emit_temp(u);
    annotation_type_params(u, s->TypeAlias.type_params, params);
    make_alias(u, s, params, alias);
    emit_return(u, alias);
}

void annotation_type_alias(Unit *u, AstStmt *s) {
    Reg mark = u->top, alias = emit_temp(u);
    AstName *name = s->TypeAlias.name->Name.id;
    if (s->TypeAlias.type_params.count)
        call_params_code(u, s->TypeAlias.type_params_scope, name->text, generic_alias_body, s,
                         alias);
    else
        make_alias(u, s, NO_REG, alias);
    Var var = name_resolve(u, name);
    emit_at(u, s->span);
    name_store(u, &var, alias);
    u->top = mark;
}
