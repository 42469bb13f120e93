/* codegen_try.c - blocks, and try with all its parts.
 *
 * A try costs nothing while nothing is raised: its body is a range in the exception table. Handlers
 * stand between EXCENTER and EXCLEAVE, which keep what sys.exception() tells, and are themselves
 * covered by a range whose cleanup restores that when something is raised in them. A finally body
 * is emitted once for each way out: the end of the body, an exception, and each return, break and
 * continue that passes through it. While such a copy is emitted its own range, and those inside it,
 * are closed.
 */
#include "parser/codegen.h"

enum { MAX_BLOCKS = 40 };

/* ---- blocks
 * ---------------------------------------------------------------------------------------------------
 */

void try_push(Unit *u, Block *block, BlockKind kind) {
    block->kind = kind;
    block->outer = u->block;
    block->start = -1;
    u->block = block;
    if (++u->block_depth > MAX_BLOCKS)
        codegen_error(u->gen, u->span, "too many statically nested blocks");
}

void try_pop(Unit *u, Block *block) {
    u->block = block->outer;
    u->block_depth--;
}

static void push_protected(Unit *u, Block *block, BlockKind kind) {
    try_push(u, block, kind);
    emit_label_reach(u, block->handler);
    emit_range_open(u, block);
}

static void pop_protected(Unit *u, Block *block) {
    emit_range_close(u, block);
    try_pop(u, block);
}

static void unbind(Unit *u, AstName *name) {
    Var var = name_resolve(u, name);
    name_unbind(u, &var);
}

static void leave_block(Unit *u, Block *block) {
    switch (block->kind) {
    case BLOCK_LOOP:
        if (block->closes) emit(u, OP_ENDFOR, block->iterator, 0, 0, 0);
        break;
    case BLOCK_TRY: break;
    case BLOCK_FINALLY: statements(u, *block->finally); break;
    case BLOCK_WITH:
    case BLOCK_ASYNC_WITH: with_leave(u, block); break;
    case BLOCK_HANDLER: emit(u, OP_EXCLEAVE, block->saved, 0, 0, 0); break;
    case BLOCK_NAME: unbind(u, block->name); break;
    }
}

bool try_needs_code(const Unit *u, const Block *stop) {
    for (const Block *block = u->block; block != stop; block = block->outer)
        if (block->kind == BLOCK_FINALLY || block->kind == BLOCK_WITH ||
            block->kind == BLOCK_ASYNC_WITH || block->kind == BLOCK_NAME)
            return true; /* what ENDFOR closes cannot change a register */
    return false;
}

void try_leave(Unit *u, const Block *stop) {
    for (Block *block = u->block; block != stop; block = block->outer) {
        block->reopen = block->start >= 0;
        emit_range_close(u, block);
        u->block = block->outer;
        leave_block(u, block);
    }
}

void try_leave_done(Unit *u, const Block *stop, Block *innermost) {
    u->block = innermost;
    for (Block *block = innermost; block != stop; block = block->outer)
        if (block->reopen) emit_range_open(u, block);
}

/* ---- handlers
 * -------------------------------------------------------------------------------------------------
 */

void try_handler_begin(Unit *u, Block *block, Label *cleanup, Reg exception) {
    block->handler = cleanup;
    block->exception = exception;
    block->saved = emit_temp(u);
    emit(u, OP_EXCENTER, exception, block->saved, 0, 0);
    push_protected(u, block, BLOCK_HANDLER);
}

/* What the handler raises leaves it here; so does, straight on, the exception that it does not
 * take. */
void try_handler_end(Unit *u, Block *block) {
    pop_protected(u, block);
    emit_label(u, block->handler);
    emit(u, OP_EXCLEAVE, block->saved, 0, 0, 0);
    emit(u, OP_RERAISE, block->exception, 0, 0, 0);
    emit_end(u);
}

/* The body of a handler whose exception stands in R[exception] and has a name. */
static void named_body(Unit *u, AstExceptHandler *handler, Reg value, Reg exception) {
    Label cleanup = LABEL_NEW, end = LABEL_NEW;
    Var var = name_resolve(u, handler->name);
    Block block = {.handler = &cleanup, .exception = exception, .name = handler->name};
    emit_at(u, handler->span);
    name_store(u, &var, value);
    push_protected(u, &block, BLOCK_NAME);
    statements(u, handler->body);
    pop_protected(u, &block);
    emit_at(u, handler->span);
    if (u->reachable) {
        name_unbind(u, &var);
        emit_goto(u, &end);
    }
    emit_label(u, &cleanup);
    name_unbind(u, &var);
    emit(u, OP_RERAISE, exception, 0, 0, 0);
    emit_end(u);
    emit_label(u, &end);
}

static void except_clause(Unit *u, AstExceptHandler *handler, Block *block, Label *end) {
    Label next = LABEL_NEW;
    if (handler->type) {
        Reg mark = u->top, type = expr_any(u, handler->type, NO_REG);
        emit_at(u, handler->span);
        emit_jump(u, OP_JNOTMATCH, block->exception, type, &next);
        u->top = mark;
    }
    if (handler->name)
        named_body(u, handler, block->exception, block->exception);
    else
        statements(u, handler->body);
    emit_at(u, handler->span);
    emit(u, OP_EXCLEAVE, block->saved, 0, 0, 0);
    emit_goto(u, end);
    emit_label(u, &next);
}

static void try_except(Unit *u, AstStmt *s) {
    Label handler = LABEL_NEW, cleanup = LABEL_NEW, end = LABEL_NEW;
    Reg mark = u->top, exception = emit_temp(u);
    Block body = {.handler = &handler, .exception = exception}, handling = {.name = NULL};
    push_protected(u, &body, BLOCK_TRY);
    statements(u, s->Try.body);
    pop_protected(u, &body);
    statements(u, s->Try.orelse);
    emit_goto(u, &end);
    emit_label(u, &handler);
    if (u->reachable) {
        emit_at(u, s->Try.handlers.items[0]->span);
        try_handler_begin(u, &handling, &cleanup, exception);
        for (int32_t i = 0; i < s->Try.handlers.count; i++)
            except_clause(u, s->Try.handlers.items[i], &handling, &end);
        try_handler_end(u, &handling);
    }
    emit_label(u, &end);
    u->top = mark;
}

/* ---- finally
 * --------------------------------------------------------------------------------------------------
 */

static void try_finally(Unit *u, AstStmt *s, void (*inner)(Unit *, AstStmt *)) {
    Label handler = LABEL_NEW, cleanup = LABEL_NEW, end = LABEL_NEW;
    Reg mark = u->top, exception = emit_temp(u);
    Block body = {.handler = &handler, .exception = exception, .finally = &s->Try.finalbody};
    Block handling = {.name = NULL};
    warning_of_finally(u->gen, s->Try.finalbody);
    push_protected(u, &body, BLOCK_FINALLY);
    if (s->Try.handlers.count)
        inner(u, s);
    else
        statements(u, s->Try.body);
    pop_protected(u, &body);
    statements(u, s->Try.finalbody);
    emit_goto(u, &end);
    emit_label(u, &handler);
    if (u->reachable) {
        emit_at(u, (AstSpan){0, 0, 0, 0});
        try_handler_begin(u, &handling, &cleanup, exception);
        statements(u, s->Try.finalbody);
        try_handler_end(u, &handling);
    }
    emit_label(u, &end);
    u->top = mark;
}

void try_statement(Unit *u, AstStmt *s) {
    if (s->Try.finalbody.count)
        try_finally(u, s, try_except);
    else
        try_except(u, s);
}

/* ---- except*
 * --------------------------------------------------------------------------------------------------
 */

typedef struct StarTry {
    Reg original, rest; /* what was raised; what no handler took yet, or None */
    Reg raised;         /* list of what the handlers raised */
    Reg failure;        /* receives what a handler raises */
} StarTry;

/* One except* clause: handles the part of the group that matches; what it raises is kept for the
 * end. */
static void star_clause(Unit *u, AstExceptHandler *handler, const StarTry *t) {
    Label next = LABEL_NEW, failed = LABEL_NEW, cleanup = LABEL_NEW;
    Reg mark = u->top, match = emit_temps(u, 2);
    Reg type = expr_any(u, handler->type, NO_REG);
    emit_at(u, handler->span);
    emit(u, OP_EGMATCH, match, t->rest, type, 0);
    emit_window_out(u, OP_UNPACK, match, match, 0, 2, 2);
    u->top = match + 2;
    emit_move(u, t->rest, match + 1);
    emit_jump(u, OP_JNONE, match, 0, &next);
    Block guard = {.handler = &failed, .exception = t->failure}, handling = {.is_star = true};
    push_protected(u, &guard, BLOCK_TRY);
    try_handler_begin(u, &handling, &cleanup, match);
    if (handler->name)
        named_body(u, handler, match, match);
    else
        statements(u, handler->body);
    emit_at(u, handler->span);
    emit(u, OP_EXCLEAVE, handling.saved, 0, 0, 0);
    emit_goto(u, &next);
    try_handler_end(u, &handling);
    pop_protected(u, &guard);
    emit_label(u, &failed);
    emit(u, OP_LISTAPPEND, t->raised, t->failure, 0, 0);
    emit_label(u, &next);
    u->top = mark;
}

static void star_handlers(Unit *u, AstStmt *s, Reg exception, Block *handling, Label *end) {
    Label raise = LABEL_NEW, done = LABEL_NEW;
    StarTry t = {emit_temp(u), emit_temp(u), emit_temp(u), emit_temp(u)};
    emit_move(u, t.original, exception);
    emit_move(u, t.rest, exception);
    emit(u, OP_NEWLIST, t.raised, 0, 0, 0);
    for (int32_t i = 0; i < s->TryStar.handlers.count; i++)
        star_clause(u, s->TryStar.handlers.items[i], &t); /* its type is looked at in any case */
    emit_jump(u, OP_JNONE, t.rest, 0, &raise);
    emit(u, OP_LISTAPPEND, t.raised, t.rest, 0, 0);
    emit_label(u, &raise);
    emit(u, OP_EGRERAISE, t.rest, t.original, t.raised, 0);
    emit_jump(u, OP_JNONE, t.rest, 0, &done);
    emit(u, OP_RERAISE, t.rest, 0, 0, 0);
    emit_end(u);
    emit_label(u, &done);
    emit(u, OP_EXCLEAVE, handling->saved, 0, 0, 0);
    emit_goto(u, end);
}

static void try_star(Unit *u, AstStmt *s) {
    Label handler = LABEL_NEW, cleanup = LABEL_NEW, end = LABEL_NEW;
    Reg mark = u->top, exception = emit_temp(u);
    Block body = {.handler = &handler, .exception = exception}, handling = {.name = NULL};
    push_protected(u, &body, BLOCK_TRY);
    statements(u, s->TryStar.body);
    pop_protected(u, &body);
    statements(u, s->TryStar.orelse);
    emit_goto(u, &end);
    emit_label(u, &handler);
    if (u->reachable) {
        emit_at(u, s->TryStar.handlers.items[0]->span);
        try_handler_begin(u, &handling, &cleanup, exception);
        star_handlers(u, s, exception, &handling, &end);
        try_handler_end(u, &handling);
    }
    emit_label(u, &end);
    u->top = mark;
}

void try_star_statement(Unit *u, AstStmt *s) {
    if (s->TryStar.finalbody.count)
        try_finally(u, s, try_star);
    else
        try_star(u, s);
}
