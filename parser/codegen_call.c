/* codegen_call.c - calls: windows of registers, methods, keywords, stars, and super().
 *
 * A window starts with the callable; the arguments follow behind the link words (Unit.link). Simple
 * arguments are evaluated straight into their places. Calls with stars, with very many arguments,
 * or with a window beyond what eight bits can name collect their arguments in a list and a dict.
 */
#include "parser/codegen.h"

enum { MAX_PLACED = 200, MAX_PAIRS = 32, LAST_WINDOW = 255, MAX_MADE = 8 };

static Opcode form(const Unit *u, Opcode plain, Opcode in_generator) {
    return u->is_generator ? in_generator : plain;
}

/* A call whose window cannot be named in eight bits: the result comes through a scratch register.
 */
static void call_wide(Unit *u, Opcode plain, Opcode in_generator, Reg window, uint32_t count) {
    emit(u, form(u, plain, in_generator), u->scratch, count, 0, (int32_t)window);
    emit_move(u, window, u->scratch);
}

/* CALL of the callable in `window` with `count` arguments in place. */
void call_simple(Unit *u, Reg window, uint32_t count) {
    if (window > LAST_WINDOW && u->wide)
        call_wide(u, OP_CALLW, OP_CALLWG, window, count);
    else
        emit(u, form(u, OP_CALL, OP_CALLG), window, count, 0, 0);
}

/* ---- arguments in place
 * --------------------------------------------------------------------------------------- */

static bool has_stars(AstExprSeq args, AstKeywordSeq keywords) {
    for (int32_t i = 0; i < args.count; i++)
        if (args.items[i]->kind == EXPR_Starred) return true;
    for (int32_t i = 0; i < keywords.count; i++)
        if (!keywords.items[i]->arg) return true;
    return false;
}

/* Where the arguments that are calls were made, for loop_mark_temporary. */
typedef struct Placed {
    const AstExpr *expr[MAX_MADE];
    Reg reg[MAX_MADE];
    uint32_t last[MAX_MADE], count;
} Placed;

static void place(Unit *u, AstExpr *e, Placed *placed) {
    Reg reg = emit_temp(u);
    expr_to(u, e, reg);
    if ((e->kind != EXPR_Call && e->kind != EXPR_GeneratorExp) || placed->count == MAX_MADE) return;
    placed->expr[placed->count] = e;
    placed->reg[placed->count] = reg;
    placed->last[placed->count++] = u->count - 1;
}

static void place_arguments(Unit *u, AstExprSeq args, AstKeywordSeq keywords, Placed *placed) {
    for (int32_t i = 0; i < args.count; i++)
        place(u, args.items[i], placed);
    for (int32_t i = 0; i < keywords.count; i++)
        place(u, keywords.items[i]->value, placed);
}

static void mark_placed(Unit *u, const Placed *placed) {
    for (uint32_t i = 0; i < placed->count; i++)
        loop_mark_temporary(u, placed->expr[i], placed->reg[i], placed->last[i], u->count - 1);
}

static Value keyword_names(Unit *u, AstKeywordSeq keywords) {
    Value names = tuple_new(u->gen->vm, (uint64_t)keywords.count);
    if (names == VALUE_ERROR) codegen_fail(u->gen);
    for (int32_t i = 0; i < keywords.count && names != VALUE_ERROR; i++)
        AS_TUPLE(names)->items[i] = codegen_name(u->gen, keywords.items[i]->arg);
    return names;
}

static void call_keywords(Unit *u, Reg window, uint32_t count, AstKeywordSeq keywords,
                          bool is_method) {
    emit(u, form(u, OP_CALLKW, OP_CALLKWG), window, count, is_method,
         (int32_t)emit_const_index(u, keyword_names(u, keywords)));
}

/* ---- arguments in a list and a dict
 * --------------------------------------------------------------------------- */

/* The parameter *args or **kwargs of this very function that nothing ever assigns to: its value is
 * a tuple (or dict). */
static bool is_star_parameter(Unit *u, const AstExpr *e, bool keywords, Reg *reg) {
    if (e->kind != EXPR_Name ||
        (keywords ? !u->code_scope->has_star_kwargs : !u->code_scope->has_star_args))
        return false;
    Var var = name_resolve(u, e->Name.id);
    if (var.kind != VAR_REG || u->inlined) return false;
    uint32_t place = u->param_count - 1 - (!keywords && u->code_scope->has_star_kwargs ? 1 : 0);
    if (var.bit != place || u->code_scope->locals.items[place]->flags & SYMBOL_ASSIGNED)
        return false;
    *reg = var.reg;
    return true;
}

static void collect_positional(Unit *u, Reg window, uint32_t given, AstExprSeq args, Reg list,
                               AstSpan span) {
    Reg variadic;
    if (!given && args.count == 1 && args.items[0]->kind == EXPR_Starred &&
        is_star_parameter(u, args.items[0]->Starred.value, false, &variadic)) {
        emit_move(u, list, variadic);
        return;
    }
    if (given) { /* in generators their places overlap the list's */
        Reg built = emit_temp(u);
        emit_window(u, OP_NEWLIST, built, window + u->link, 0, (int32_t)given, given);
        emit_move(u, list, built);
    } else {
        emit(u, OP_NEWLIST, list, 0, 0, 0);
    }
    display_list(u, args, list, !given && args.count == 1, span);
}

static void merge_keywords(Unit *u, Reg dict, AstExpr *value, AstSpan span) {
    Reg mark = u->top, source = expr_any(u, value, NO_REG);
    emit_at(u, span);
    emit_collect(u, OP_DICTMERGE, dict, source, 2);
    u->top = mark;
}

/* R[dict] = a dict of the named keywords from `first` on, at most as many as fit one instruction;
 * the next keyword. */
static int32_t keyword_run(Unit *u, AstKeywordSeq keywords, int32_t first, Reg dict) {
    Reg mark = u->top;
    int32_t i = first;
    for (; i < keywords.count && keywords.items[i]->arg && i - first < MAX_PAIRS; i++) {
        emit_at(u, keywords.items[i]->span);
        emit_const(u, codegen_name(u->gen, keywords.items[i]->arg), emit_temp(u));
        expr_to(u, keywords.items[i]->value, emit_temp(u));
    }
    emit_window(u, OP_NEWDICT, dict, mark, 0, i - first, 2 * (uint32_t)(i - first));
    u->top = mark;
    return i;
}

/* A name that is given twice, by name and by **, is an error that the merge reports. */
static void collect_keywords(Unit *u, AstKeywordSeq keywords, Reg dict, AstSpan span) {
    Reg variadic;
    if (keywords.count == 0) {
        emit(u, OP_UNSET, dict, 0, 0, 0);
        return;
    }
    if (keywords.count == 1 && !keywords.items[0]->arg &&
        is_star_parameter(u, keywords.items[0]->value, true, &variadic)) {
        emit_move(u, dict, variadic);
        return;
    }
    int32_t i = keyword_run(u, keywords, 0, dict);
    while (i < keywords.count) {
        Reg mark = u->top, run = emit_temp(u);
        if (!keywords.items[i]->arg) {
            merge_keywords(u, dict, keywords.items[i++]->value, span);
        } else {
            i = keyword_run(u, keywords, i, run);
            emit_at(u, span);
            emit_collect(u, OP_DICTMERGE, dict, run, 2);
        }
        u->top = mark;
    }
}

/* The callable and `given` arguments are in place; R[extra] is a positional argument more, behind
 * args. */
static void call_collected(Unit *u, Reg window, uint32_t given, AstExprSeq args,
                           AstKeywordSeq keywords, Reg extra, AstSpan span) {
    if (u->top < window + 3) emit_temps(u, window + 3 - u->top);
    Reg mark = u->top;
    collect_positional(u, window, given, args, window + 1, span);
    if (extra != NO_REG) emit(u, OP_LISTAPPEND, window + 1, extra, 0, 0);
    u->top = mark;
    collect_keywords(u, keywords, window + 2, span);
    emit_at(u, span);
    if (window > LAST_WINDOW && u->wide)
        call_wide(u, OP_CALLEXW, OP_CALLEXWG, window, 0);
    else
        emit(u, form(u, OP_CALLEX, OP_CALLEXG), window, 0, 0, 0);
}

/* ---- the call
 * -------------------------------------------------------------------------------------------------
 */

static bool is_placeable(const Unit *u, Reg window, uint32_t given, AstExprSeq args,
                         AstKeywordSeq keywords) {
    if (has_stars(args, keywords) ||
        given + (uint32_t)args.count + (uint32_t)keywords.count > MAX_PLACED)
        return false;
    return !(u->wide && window > LAST_WINDOW && keywords.count);
}

void call_finish(Unit *u, Reg window, uint32_t given, AstExprSeq args, AstKeywordSeq keywords,
                 AstSpan span) {
    if (!is_placeable(u, window, given, args, keywords)) {
        call_collected(u, window, given, args, keywords, NO_REG, span);
        return;
    }
    u->top = window + u->link + given;
    if (u->top > u->max) u->max = u->top;
    Placed placed = {.count = 0};
    place_arguments(u, args, keywords, &placed);
    emit_at(u, span);
    uint32_t count = given + (uint32_t)args.count + (uint32_t)keywords.count;
    if (keywords.count)
        call_keywords(u, window, count, keywords, false);
    else
        call_simple(u, window, count);
    mark_placed(u, &placed);
}

/* __build_class__ with the class's function and name in place; R[generic_base] is a base more, or
 * NO_REG. */
void call_class(Unit *u, Reg window, AstExprSeq bases, AstKeywordSeq keywords, Reg generic_base,
                AstSpan span) {
    if (generic_base == NO_REG)
        call_finish(u, window, 2, bases, keywords, span);
    else
        call_collected(u, window, 2, bases, keywords, generic_base, span);
}

/* The method in pair and its self in pair + 1 (LDSPECIAL) are called; `count` arguments stand
 * behind self's place. */
void call_method_pair(Unit *u, Reg window, Reg pair, uint32_t count) {
    emit_move(u, window, pair);
    emit_move(u, window + u->link, pair + 1);
    if (window > LAST_WINDOW && u->wide)
        call_wide(u, OP_CALLMW, OP_CALLMWG, window, count + 1);
    else
        emit(u, form(u, OP_CALLM, OP_CALLMG), window, count + 1, 0, 0);
}

/* ---- super()
 * --------------------------------------------------------------------------------------------------
 */

static bool is_bare_super(Unit *u, const AstExpr *e) {
    if (e->kind != EXPR_Call || e->Call.args.count || e->Call.keywords.count) return false;
    if (e->Call.func->kind != EXPR_Name || !names_equal(e->Call.func->Name.id, "super"))
        return false;
    if (!u->code_scope->is_function || u->param_count == 0 ||
        u->code_scope->kind == SCOPE_COMPREHENSION)
        return false;
    if (!(u->code_scope->locals.items[0]->flags & SYMBOL_PARAMETER)) return false;
    AstName *class_name = name_intern(u, "__class__"), *super_name = name_intern(u, "super");
    if (!class_name || !super_name || name_free_index(u, class_name) < 0) return false;
    Symbol *module_super = scope_find(u->gen->module->scope, super_name);
    if (module_super && module_super->flags & (SYMBOL_ASSIGNED | SYMBOL_IMPORTED)) return false;
    return name_resolve(u, super_name).kind == VAR_GLOBAL;
}

/* The class and the first argument, as super() finds them. */
static void super_arguments(Unit *u, Reg first) {
    const Symbol *self = u->code_scope->locals.items[0];
    emit(u, OP_GETFREE, first, 0, 0, name_free_index(u, name_intern(u, "__class__")));
    Symbol *own = scope_find(u->code_scope, self->name);
    Var var = {VAR_REG, u->local_regs[0], 0, -1, self->name};
    if (own && own->kind == SYMBOL_CELL)
        var = (Var){VAR_CELL, u->cell_regs[own->index], 0, -1, self->name};
    name_load(u, &var, first + 1);
}

/* The three operands of LDSUPER, in a window of temporaries. */
static Reg super_operands(Unit *u, AstExpr *call) {
    Reg window = emit_temps(u, 3);
    Var var = name_resolve(u, call->Call.func->Name.id);
    emit_at(u, call->Call.func->span);
    name_load(u, &var, window + 2);
    emit_at(u, call->span);
    super_arguments(u, window);
    return window;
}

/* LDMETH or LDSUPERM: the method and its self into the window. */
static void load_method(Unit *u, AstExpr *function, Reg window) {
    bool super = is_bare_super(u, function->Attribute.value);
    Reg object;
    if (super) {
        u->top = window + u->link + 1;
        object = super_operands(u, function->Attribute.value);
    } else {
        object = expr_any(u, function->Attribute.value, window);
    }
    Opcode op = super ? form(u, OP_LDSUPERM, OP_LDSUPERMG) : form(u, OP_LDMETH, OP_LDMETHG);
    emit_at(u, expr_attribute_span(function->span, function));
    emit_named(u, op, window, object, name_mangle(u, function->Attribute.attr));
    u->top = window + u->link + 1;
    if (u->top > u->max) u->max = u->top;
}

static void call_method(Unit *u, AstExpr *e, Reg window) {
    AstExpr *function = e->Call.func;
    AstSpan span = expr_attribute_span(e->span, function);
    load_method(u, function, window);
    Placed placed = {.count = 0};
    place_arguments(u, e->Call.args, e->Call.keywords, &placed);
    emit_at(u, span);
    uint32_t count = 1 + (uint32_t)e->Call.args.count + (uint32_t)e->Call.keywords.count;
    if (e->Call.keywords.count)
        call_keywords(u, window, count, e->Call.keywords, true);
    else
        emit(u, form(u, OP_CALLM, OP_CALLMG), window, count, 0, 0);
    mark_placed(u, &placed);
}

bool call_super_attribute(Unit *u, AstExpr *e, Reg dest) {
    if (e->kind != EXPR_Attribute || !is_bare_super(u, e->Attribute.value)) return false;
    Reg mark = u->top, window = super_operands(u, e->Attribute.value);
    emit_at(u, expr_attribute_span(e->span, e));
    if (u->wide && window >= 256) {
        Reg low = emit_scratch_window(u, 3);
        for (Reg i = 0; i < 3; i++)
            emit_move(u, low + i, window + i);
        window = low;
    }
    emit_named(u, OP_LDSUPER, dest, window, name_mangle(u, e->Attribute.attr));
    u->top = mark;
    return true;
}

static void call_bare_super(Unit *u, AstExpr *e, Reg window) {
    expr_to(u, e->Call.func, window);
    u->top = window + u->link;
    Reg first = emit_temps(u, 2);
    emit_at(u, e->span);
    super_arguments(u, first);
    call_simple(u, window, 2);
}

/* ---- entry
 * ----------------------------------------------------------------------------------------------------
 */

static bool is_method_call(Unit *u, const AstExpr *e, Reg window) {
    if (e->Call.func->kind != EXPR_Attribute || (u->wide && window > LAST_WINDOW)) return false;
    if (u->wide && is_bare_super(u, e->Call.func->Attribute.value)) return false;
    return is_placeable(u, window, 1, e->Call.args, e->Call.keywords);
}

void call_to(Unit *u, AstExpr *e, Reg dest) {
    Reg mark = u->top;
    bool in_place = !unit_is_visible(u, dest) && dest + 1 == u->top;
    Reg window = in_place ? dest : emit_temp(u);
    warning_of_call(u->gen, e);
    if (is_bare_super(u, e)) {
        call_bare_super(u, e, window);
    } else if (is_method_call(u, e, window)) {
        call_method(u, e, window);
    } else {
        expr_to(u, e->Call.func, window);
        AstSpan span = e->span;
        if (e->Call.func->kind == EXPR_Attribute) span = expr_attribute_span(span, e->Call.func);
        call_finish(u, window, 0, e->Call.args, e->Call.keywords, span);
    }
    emit_move(u, dest, window);
    u->top = mark;
}
