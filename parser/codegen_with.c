/* codegen_with.c - with and async with.
 *
 * The exit method and its self stay in two registers for the length of the body. An exception in
 * the body calls it with the exception, as a handler; every other way out calls it with three Nones
 * (with_leave).
 */
#include "parser/codegen.h"

static void with_item(Unit *u, AstStmt *s, int32_t number);

/* R[dest] = await R[dest] in an async with. */
static void await_result(Unit *u, bool is_async, Reg dest, uint32_t kind) {
    if (is_async) expr_await(u, dest, dest, kind);
}

/* Registers for a call with self and `count` arguments. */
static Reg method_window(Unit *u, uint32_t count) {
    Reg window = emit_temp(u);
    u->top = window + u->link;
    emit_temps(u, count + 1);
    return window;
}

void with_leave(Unit *u, Block *block) {
    Reg mark = u->top, window = method_window(u, 3);
    emit_at(u, block->span);
    for (uint32_t i = 1; i <= 3; i++)
        emit_none(u, window + u->link + i);
    call_method_pair(u, window, block->exit, 3);
    u->top = window + 1;
    await_result(u, block->kind == BLOCK_ASYNC_WITH, window, 2);
    u->top = mark;
}

static void handle_exception(Unit *u, Block *block, Label *end) {
    Label cleanup = LABEL_NEW, raised = LABEL_NEW;
    Block handling = {.name = NULL};
    Reg mark = u->top, exception = block->exception;
    try_handler_begin(u, &handling, &cleanup, exception);
    Reg window = method_window(u, 3), first = window + u->link + 1;
    emit_window(u, OP_INTRINSIC, first, exception, INTRINSIC_EXCEPTION_TYPE, 0, 1);
    emit_move(u, first + 1, exception);
    emit_window(u, OP_INTRINSIC, first + 2, exception, INTRINSIC_EXCEPTION_TRACEBACK, 0, 1);
    call_method_pair(u, window, block->exit, 3);
    u->top = window + 1;
    await_result(u, block->kind == BLOCK_ASYNC_WITH, window, 2);
    emit_jump(u, OP_JF, window, 0, &raised);
    emit(u, OP_EXCLEAVE, handling.saved, 0, 0, 0);
    emit_goto(u, end);
    emit_label(u, &raised);
    try_handler_end(u, &handling);
    u->top = mark;
}

/* Looks up both methods, in CPython's order, and calls the first; its result, in a new temporary.
 */
static Reg enter(Unit *u, AstExpr *manager, bool is_async, Reg exit) {
    Reg result = emit_temp(u), object = expr_any(u, manager, NO_REG), pair = emit_temps(u, 2);
    emit_at(u, manager->span);
    emit_window_out(u, OP_LDSPECIAL, exit, object, is_async ? SP_AEXIT : SP_EXIT, 0, 2);
    emit_window_out(u, OP_LDSPECIAL, pair, object, is_async ? SP_AENTER : SP_ENTER, 0, 2);
    Reg window = method_window(u, 0);
    call_method_pair(u, window, pair, 0);
    u->top = window + 1;
    await_result(u, is_async, window, 1);
    emit_move(u, result, window);
    u->top = result + 1;
    return result;
}

static void with_item(Unit *u, AstStmt *s, int32_t number) {
    if (number == s->With.items.count) {
        statements(u, s->With.body);
        return;
    }
    AstWithItem *item = s->With.items.items[number];
    bool is_async = s->kind == STMT_AsyncWith;
    Label handler = LABEL_NEW, end = LABEL_NEW;
    Reg mark = u->top, exit = emit_temps(u, 2), exception = emit_temp(u);
    Block block = {.handler = &handler,
                   .exception = exception,
                   .exit = exit,
                   .span = item->context_expr->span};
    Reg result = enter(u, item->context_expr, is_async, exit);
    try_push(u, &block, is_async ? BLOCK_ASYNC_WITH : BLOCK_WITH);
    emit_label_reach(u, &handler);
    emit_range_open(u, &block);
    if (item->optional_vars) expr_assign(u, item->optional_vars, result);
    u->top = result;
    with_item(u, s, number + 1);
    emit_range_close(u, &block);
    try_pop(u, &block);
    if (u->reachable) {
        with_leave(u, &block);
        emit_goto(u, &end);
    }
    emit_label(u, &handler);
    if (u->reachable) {
        emit_at(u, block.span);
        handle_exception(u, &block, &end);
    }
    emit_label(u, &end);
    u->top = mark;
}

void with_statement(Unit *u, AstStmt *s) {
    with_item(u, s, 0);
}
