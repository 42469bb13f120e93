/* codegen_loop.c - for and while, and the statements that leave them or the function: break,
 * continue, return.
 *
 * Loops test at the bottom. A for jumps to its FORITER first, which stores the next item in the
 * variable's register and jumps back to the body; a while tests once before the loop and again
 * behind the body.
 */
#include "parser/codegen.h"

/* ---- for
 * ------------------------------------------------------------------------------------------------------
 */

static bool target_register(Unit *u, AstExpr *target, Var *var) {
    if (target->kind != EXPR_Name) return false;
    *var = name_resolve(u, target->Name.id);
    return var->kind == VAR_REG;
}

/* FORITER with a jump to the body. A register beyond 255 gets the item at the start of the body. */
void loop_next(Unit *u, Reg iterator, Reg item, Label *body) {
    if (u->wide && item >= 256) item = u->scratch + 2;
    emit_jump(u, u->is_generator ? OP_FORITERG : OP_FORITER, iterator, item, body);
}

/* Items that are unpacked first of all need not come as a tuple: operand c says so to the FORITER
 * that leads there. */
void loop_store_item(Unit *u, AstExpr *target, Reg item) {
    Var var;
    if (u->wide && item >= 256) emit_move(u, item, u->scratch + 2);
    if (target_register(u, target, &var)) {
        name_assigned(u, &var);
        return;
    }
    uint32_t start = u->count;
    expr_assign(u, target, item);
    if (start >= u->count) return;
    Instr *first = &u->instrs[start];
    if (instr_op(*first) == OP_UNPACK && instr_b(*first) == item)
        *first = instr_make(OP_UNPACK, instr_a(*first), item, 1, instr_imm(*first));
}

void loop_mark_temporary(Unit *u, const AstExpr *e, Reg reg, uint32_t last, uint32_t user) {
    if (e->kind != EXPR_Call && e->kind != EXPR_GeneratorExp) return;
    if (u->gen->failed || !u->reachable || last >= user || user - last > UINT8_MAX) return;
    Instr instr = u->instrs[last];
    switch (instr_op(instr)) {
    case OP_CALL:
    case OP_CALLG:
    case OP_CALLM:
    case OP_CALLMG: break;
    default: return;
    }
    if (instr_a(instr) != reg) return;
    u->instrs[last] =
        instr_make(instr_op(instr), instr_a(instr), instr_b(instr), user - last, instr_imm(instr));
}

void loop_note(Unit *u, uint32_t start, Reg iterator) {
    if (u->gen->failed || start == u->count) return;
    if (u->loop_count == u->loop_capacity) {
        uint32_t capacity = u->loop_capacity ? u->loop_capacity * 2 : 8;
        LoopRange *larger = codegen_take(u->gen, capacity * sizeof *larger);
        if (!larger) return;
        memcpy(larger, u->loops, u->loop_count * sizeof *larger);
        u->loops = larger;
        u->loop_capacity = capacity;
    }
    u->loops[u->loop_count++] = (LoopRange){start, u->count, iterator};
}

/* Can the iterator be a generator? */
static bool may_generate(const AstExpr *source) {
    switch (source->kind) {
    case EXPR_List:
    case EXPR_Tuple:
    case EXPR_Set:
    case EXPR_Dict:
    case EXPR_ListComp:
    case EXPR_SetComp:
    case EXPR_DictComp:
    case EXPR_Constant:
    case EXPR_JoinedStr: return false;
    default: return true;
    }
}

/* What is iterated, in a register of its own. */
static Reg make_iterator(Unit *u, AstExpr *source, Opcode op) {
    Reg iterator = emit_temp(u);
    Value constant = source->kind == EXPR_List ? fold_container(u->gen, source) : VALUE_UNSET;
    Reg value = iterator;
    emit_at(u, source->span);
    if (constant != VALUE_UNSET)
        emit_const(u, constant, iterator);
    else
        value = expr_any(u, source, iterator);
    if (value < u->param_count) u->iterates_param = true;
    loop_mark_temporary(u, source, value, u->count - 1, u->count);
    emit_at(u, source->span);
    emit(u, op, iterator, value, 0, 0);
    return iterator;
}

void loop_for(Unit *u, AstStmt *s) {
    Label body = LABEL_NEW, next = LABEL_NEW, left = LABEL_NEW, end = LABEL_NEW;
    Reg mark = u->top;
    Reg iterator = make_iterator(u, s->For.iter, OP_GETITER);
    Var var;
    Reg item = target_register(u, s->For.target, &var) ? var.reg : emit_temp(u);
    bool closes = may_generate(s->For.iter);
    Block block = {.on_break = closes ? &left : &end,
                   .on_continue = &next,
                   .closes = closes,
                   .iterator = iterator};
    uint32_t start = u->count;
    try_push(u, &block, BLOCK_LOOP);
    emit_label_reach(u, &body);
    emit_goto(u, &next);
    emit_label(u, &body);
    loop_store_item(u, s->For.target, item);
    statements(u, s->For.body);
    emit_label(u, &next);
    emit_at(u, s->For.iter->span);
    loop_next(u, iterator, item, &body);
    try_pop(u, &block);
    if (closes) loop_note(u, start, iterator);
    u->top = mark;
    statements(u, s->For.orelse);
    if (left.reached) {
        emit_goto(u, &end);
        emit_label(u, &left);
        emit(u, OP_ENDFOR, iterator, 0, 0, 0);
    }
    emit_label(u, &end);
}

/* ---- async for
 * ------------------------------------------------------------------------------------------------
 */

/* R[item] = the next item of R[iterator], or its exception in R[exception] at `end`. */
void loop_async_next(Unit *u, Reg iterator, Reg item, Label *end, Reg exception) {
    Block block = {.handler = end, .exception = exception, .start = -1};
    Reg mark = u->top, awaitable = emit_temp(u);
    emit_label_reach(u, end);
    emit_range_open(u, &block);
    emit(u, OP_GETANEXT, awaitable, iterator, 0, 0);
    expr_await(u, item, awaitable, 3);
    emit_range_close(u, &block);
    u->top = mark;
}

void loop_async_for(Unit *u, AstStmt *s) {
    Label next = LABEL_NEW, done = LABEL_NEW, end = LABEL_NEW;
    Reg mark = u->top;
    Reg iterator = make_iterator(u, s->AsyncFor.iter, OP_GETAITER);
    Reg exception = emit_temp(u);
    Var var;
    bool direct = target_register(u, s->AsyncFor.target, &var);
    Reg item = direct ? var.reg : emit_temp(u);
    Block block = {.on_break = &end, .on_continue = &next};
    try_push(u, &block, BLOCK_LOOP);
    emit_loop_head(u, &next);
    emit_at(u, s->span);
    loop_async_next(u, iterator, item, &done, exception);
    if (direct)
        name_assigned(u, &var);
    else
        expr_assign(u, s->AsyncFor.target, item);
    statements(u, s->AsyncFor.body);
    emit_goto(u, &next);
    try_pop(u, &block);
    emit_label(u, &done);
    emit_at(u, s->AsyncFor.iter->span);
    emit(u, OP_ENDASYNCFOR, exception, 0, 0, 0);
    u->top = mark;
    statements(u, s->AsyncFor.orelse);
    emit_label(u, &end);
}

/* ---- while
 * ----------------------------------------------------------------------------------------------------
 */

void loop_while(Unit *u, AstStmt *s) {
    Label body = LABEL_NEW, next = LABEL_NEW, otherwise = LABEL_NEW, end = LABEL_NEW;
    bool truth = false, is_constant = condition_constant(u, s->While.test, &truth);
    if (is_constant && !truth) {
        statements(u, s->While.orelse);
        return;
    }
    Block block = {.on_break = &end, .on_continue = &next};
    try_push(u, &block, BLOCK_LOOP);
    if (!is_constant) condition_jump(u, s->While.test, false, &otherwise);
    emit_loop_head(u, &body);
    statements(u, s->While.body);
    emit_label(u, &next);
    if (is_constant)
        emit_goto(u, &body);
    else
        condition_jump(u, s->While.test, true, &body);
    try_pop(u, &block);
    emit_label(u, &otherwise);
    statements(u, s->While.orelse);
    emit_label(u, &end);
}

/* ---- break, continue, return
 * ---------------------------------------------------------------------------------- */

static Block *innermost_loop(const Unit *u) {
    Block *block = u->block;
    while (block && block->kind != BLOCK_LOOP)
        block = block->outer;
    return block;
}

static void check_star(Unit *u, const Block *stop, AstSpan span) {
    for (const Block *block = u->block; block != stop; block = block->outer)
        if (block->kind == BLOCK_HANDLER && block->is_star)
            codegen_error(u->gen, span,
                          "'break', 'continue' and 'return' cannot appear in an except* block");
}

Label *loop_exit_label(Unit *u, AstStmtSeq body) {
    if (body.count != 1 || !u->block || u->block->kind != BLOCK_LOOP) return NULL;
    if (body.items[0]->kind == STMT_Break) return u->block->on_break;
    return body.items[0]->kind == STMT_Continue ? u->block->on_continue : NULL;
}

void loop_exit(Unit *u, AstStmt *s) {
    bool is_continue = s->kind == STMT_Continue;
    Block *loop = innermost_loop(u), *innermost = u->block;
    if (!loop) {
        codegen_error(u->gen, s->span,
                      is_continue ? "'continue' not properly in loop" : "'break' outside loop");
        return;
    }
    check_star(u, loop, s->span);
    emit_at(u, s->span);
    try_leave(u, loop);
    emit_at(u, s->span);
    emit_goto(u, is_continue ? loop->on_continue : loop->on_break);
    try_leave_done(u, loop, innermost);
}

void loop_return(Unit *u, AstStmt *s) {
    Reg mark = u->top, value = NO_REG;
    Block *innermost = u->block;
    Value constant = s->Return.value ? fold_expr(u->gen, s->Return.value) : VALUE_NONE;
    check_star(u, NULL, s->span);
    if (constant == VALUE_UNSET) {
        if (try_needs_code(u, NULL))
            expr_to(u, s->Return.value, value = emit_temp(u));
        else
            value = expr_any(u, s->Return.value, NO_REG);
    }
    emit_at(u, s->span);
    try_leave(u, NULL);
    emit_at(u, s->span);
    if (constant != VALUE_UNSET)
        emit_return_const(u, constant);
    else
        emit_return(u, value);
    try_leave_done(u, NULL, innermost);
    u->top = mark;
}
