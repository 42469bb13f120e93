/* codegen_comprehension.c - list, set and dict comprehensions, compiled into the code around them,
 * and generator expressions, which are code of their own.
 *
 * The variables of an inlined comprehension are temporaries of the unit while it is compiled; those
 * that an inner function captures get a new cell each time the comprehension runs.
 */
#include "parser/codegen.h"

typedef struct Comprehension {
    AstExpr *e;
    AstComprehensionSeq generators;
    Reg collection; /* NO_REG: a generator expression */
} Comprehension;

static AstComprehensionSeq generators_of(const AstExpr *e) {
    switch (e->kind) {
    case EXPR_ListComp: return e->ListComp.generators;
    case EXPR_SetComp: return e->SetComp.generators;
    case EXPR_DictComp: return e->DictComp.generators;
    default: return e->GeneratorExp.generators;
    }
}

static Scope *scope_of(const AstExpr *e) {
    switch (e->kind) {
    case EXPR_ListComp: return e->ListComp.scope;
    case EXPR_SetComp: return e->SetComp.scope;
    case EXPR_DictComp: return e->DictComp.scope;
    default: return e->GeneratorExp.scope;
    }
}

/* ---- the element
 * ---------------------------------------------------------------------------------------------- */

static void dict_element(Unit *u, const AstExpr *e, Reg dict) {
    AstExpr *key = e->DictComp.key, *value = e->DictComp.value;
    Reg k = expr_operand(u, key, NO_REG, value), v = expr_any(u, value, NO_REG);
    emit_at(u, (AstSpan){key->span.line, key->span.col, value->span.end_line, value->span.end_col});
    emit(u, OP_DICTSET, dict, k, v, 0);
}

static void element(Unit *u, const Comprehension *c) {
    Reg mark = u->top;
    if (c->e->kind == EXPR_DictComp) {
        dict_element(u, c->e, c->collection);
    } else {
        AstExpr *elt = c->e->ListComp.elt; /* the same place in all three */
        if (c->e->kind == EXPR_SetComp) elt = c->e->SetComp.elt;
        if (c->e->kind == EXPR_GeneratorExp) elt = c->e->GeneratorExp.elt;
        Reg value = expr_any(u, elt, NO_REG);
        emit_at(u, elt->span);
        if (c->e->kind == EXPR_GeneratorExp)
            expr_yield(u, u->flags & CODE_ASYNC_GENERATOR ? OP_YIELDWRAP : OP_YIELD, 0, value, 1);
        else
            emit(u, c->e->kind == EXPR_ListComp ? OP_LISTAPPEND : OP_SETADD, c->collection, value,
                 0, 0);
    }
    u->top = mark;
}

/* ---- the loops
 * ------------------------------------------------------------------------------------------------
 */

static void clause(Unit *u, const Comprehension *c, int32_t number, Reg iterator);

static Reg clause_iterator(Unit *u, const AstComprehension *generator) {
    Reg iterator = emit_temp(u), source = expr_any(u, generator->iter, iterator);
    if (source < u->param_count) u->iterates_param = true;
    loop_mark_temporary(u, generator->iter, source, u->count - 1, u->count);
    emit_at(u, generator->iter->span);
    emit(u, generator->is_async ? OP_GETAITER : OP_GETITER, iterator, source, 0, 0);
    return iterator;
}

/* What happens for each item: the conditions, then the next clause or the element. */
static void clause_body(Unit *u, const Comprehension *c, int32_t number, Label *next) {
    AstComprehension *generator = c->generators.items[number];
    for (int32_t i = 0; i < generator->ifs.count; i++)
        condition_jump(u, generator->ifs.items[i], false, next);
    if (number + 1 < c->generators.count)
        clause(u, c, number + 1, clause_iterator(u, c->generators.items[number + 1]));
    else
        element(u, c);
}

/* The register of a plain variable as target, where the loop can store straight into it. */
static bool target_register(Unit *u, AstExpr *target, Var *var) {
    if (target->kind != EXPR_Name) return false;
    *var = name_resolve(u, target->Name.id);
    return var->kind == VAR_REG;
}

/* The variables of a single clause have no value before its first item. */
static void note_start(Unit *u, const Comprehension *c) {
    if (c->collection != NO_REG && c->generators.count == 1) u->inlined->start = u->count;
}

static void clause(Unit *u, const Comprehension *c, int32_t number, Reg iterator) {
    AstComprehension *generator = c->generators.items[number];
    Label body = LABEL_NEW, next = LABEL_NEW, end = LABEL_NEW;
    Reg mark = u->top;
    Var var;
    Reg item = target_register(u, generator->target, &var) ? var.reg : emit_temp(u);
    if (generator->is_async) {
        Reg exception = emit_temp(u);
        emit_loop_head(u, &next);
        emit_at(u, c->e->span);
        loop_async_next(u, iterator, item, &end, exception);
        if (target_register(u, generator->target, &var))
            name_assigned(u, &var);
        else
            expr_assign(u, generator->target, item);
        note_start(u, c);
        clause_body(u, c, number, &next);
        emit_goto(u, &next);
        emit_label(u, &end);
        emit_at(u, generator->iter->span);
        emit(u, OP_ENDASYNCFOR, exception, 0, 0, 0);
    } else {
        uint32_t start = u->count;
        emit_at(u, generator->iter->span);
        emit_label_reach(u, &body);
        emit_goto(u, &next);
        emit_label(u, &body);
        emit_loop_head(u, &body);
        loop_store_item(u, generator->target, item);
        note_start(u, c);
        clause_body(u, c, number, &next);
        emit_label(u, &next);
        emit_at(u, generator->iter->span);
        loop_next(u, iterator, item, &body);
        loop_note(u, start, iterator);
    }
    u->top = mark;
}

/* ---- inlined comprehensions
 * ----------------------------------------------------------------------------------- */

/* Variables that only a later clause assigns may be read before: they start unbound. Those of cells
 * start so too. */
static void make_variables(Unit *u, Inlined *inlined) {
    const Scope *scope = inlined->scope;
    inlined->locals = codegen_take(u->gen, (size_t)(scope->locals.count + 1) * sizeof(Reg));
    inlined->cells = codegen_take(u->gen, (size_t)(scope->cells.count + 1) * sizeof(Reg));
    if (!inlined->locals || !inlined->cells) return;
    inlined->first_bit = u->next_bit;
    u->next_bit += (uint32_t)scope->locals.count;
    for (int32_t i = 0; i < scope->locals.count; i++)
        inlined->locals[i] = emit_temp(u);
    for (int32_t i = 0; i < scope->cells.count; i++)
        inlined->cells[i] = emit_temp(u);
}

static void start_variables(Unit *u, const Inlined *inlined, bool has_more_clauses) {
    const Scope *scope = inlined->scope;
    for (int32_t i = 0; i < scope->locals.count; i++) {
        uint32_t bit = inlined->first_bit + (uint32_t)i;
        u->assigned[bit / 64] &= ~((uint64_t)1 << bit % 64);
        if (has_more_clauses) emit(u, OP_UNSET, inlined->locals[i], 0, 0, 0);
    }
    for (int32_t i = 0; i < scope->cells.count; i++) {
        emit(u, OP_UNSET, inlined->cells[i], 0, 0, 0);
        emit(u, OP_NEWCELL, inlined->cells[i], 0, 0, 0);
    }
}

/* Where the variables are, for locals(). */
static void note_variable(Unit *u, const Inlined *inlined, const Symbol *symbol, Reg reg) {
    if (u->inlined_count == u->inlined_capacity) {
        uint32_t capacity = u->inlined_capacity ? u->inlined_capacity * 2 : 8;
        InlinedVariable *larger = codegen_take(u->gen, capacity * sizeof *larger);
        if (!larger) return;
        memcpy(larger, u->inlined_variables, u->inlined_count * sizeof *larger);
        u->inlined_variables = larger;
        u->inlined_capacity = capacity;
    }
    uint32_t name = emit_const_index(u, codegen_name(u->gen, symbol->name));
    u->inlined_variables[u->inlined_count++] =
        (InlinedVariable){inlined->start, u->count, reg, name};
}

static void note_variables(Unit *u, const Inlined *inlined) {
    const Scope *scope = inlined->scope;
    if (u->gen->failed) return;
    for (int32_t i = 0; i < scope->locals.count; i++)
        note_variable(u, inlined, scope->locals.items[i], inlined->locals[i]);
    for (int32_t i = 0; i < scope->cells.count; i++)
        note_variable(u, inlined, scope->cells.items[i], inlined->cells[i]);
}

static void inlined_to(Unit *u, AstExpr *e, Reg dest) {
    Reg mark = u->top;
    Comprehension c = {e, generators_of(e), dest};
    if (unit_is_visible(u, dest)) c.collection = emit_temp(u);
    Reg iterator = clause_iterator(u, c.generators.items[0]);
    Inlined inlined = {.outer = u->inlined, .scope = scope_of(e)};
    Scope *outer_scope = u->scope;
    make_variables(u, &inlined);
    if (!inlined.locals || !inlined.cells) return;
    u->inlined = &inlined;
    u->scope = inlined.scope;
    emit_at(u, e->span);
    start_variables(u, &inlined, c.generators.count > 1);
    inlined.start = u->count;
    Opcode make = e->kind == EXPR_ListComp  ? OP_NEWLIST
                  : e->kind == EXPR_SetComp ? OP_NEWSET
                                            : OP_NEWDICT;
    emit(u, make, c.collection, 0, 0, 0);
    clause(u, &c, 0, iterator);
    note_variables(u, &inlined);
    u->next_bit = inlined.first_bit;
    u->inlined = inlined.outer;
    u->scope = outer_scope;
    emit_move(u, dest, c.collection);
    u->top = mark;
}

/* ---- generator expressions
 * ------------------------------------------------------------------------------------ */

static void generator_body(Unit *u, const void *node) {
    AstExpr *e = (AstExpr *)(uintptr_t)node;
    Comprehension c = {e, generators_of(e), NO_REG};
    Reg iterator = u->local_regs[0];
    if (!e->GeneratorExp.generators.items[0]->is_async) {
        /* The argument is an iterator already, but a script can call this code with anything. */
        iterator = emit_temp(u);
        emit_at(u, e->GeneratorExp.generators.items[0]->iter->span);
        emit(u, OP_GETITER, iterator, u->local_regs[0], 0, 0);
    }
    clause(u, &c, 0, iterator);
}

static void generator_to(Unit *u, AstExpr *e, Reg dest) {
    Reg mark = u->top;
    AstComprehension *first = e->GeneratorExp.generators.items[0];
    bool in_place = !unit_is_visible(u, dest) && dest + 1 == u->top;
    Reg window = in_place ? dest : emit_temp(u);
    Scope *scope = e->GeneratorExp.scope;
    Value code = codegen_unit(u->gen, u, scope, "<genexpr>", e->span.line, generator_body, e);
    emit_at(u, e->span);
    function_make(u, code, scope, 0, 0, 0, window);
    u->top = window + u->link;
    Reg argument = emit_temp(u);
    Reg source = expr_any(u, first->iter, argument);
    loop_mark_temporary(u, first->iter, source, u->count - 1, u->count);
    emit_at(u, first->iter->span);
    emit(u, first->is_async ? OP_GETAITER : OP_GETITER, argument, source, 0, 0);
    emit_at(u, e->span);
    call_simple(u, window, 1);
    emit_move(u, dest, window);
    u->top = mark;
}

void comprehension_to(Unit *u, AstExpr *e, Reg dest) {
    if (scope_of(e)->is_inlined)
        inlined_to(u, e, dest);
    else
        generator_to(u, e, dest);
}
