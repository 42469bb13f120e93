/* liveness.c - which temporaries of the running frames nothing will read again, and which local
 * variables cannot have a value yet.
 *
 * Registers are not cleared when a value in them has been used, so a temporary may keep an object
 * reachable for as long as its frame runs. That is harmless but where a script can tell: a
 * forgotten view of a bytearray forbids to resize it. The answer is found on demand, for one
 * register at a time: a walk over all instructions that can follow, until each path has read the
 * register (it is live) or written it.
 */
#include "vm/frame.h"
#include "vm/generator.h"
#include "vm/memory.h"

typedef struct Walk {
    const Code *code;
    uint32_t reg;
    uint8_t *seen;  /* by instruction word */
    uint32_t *todo; /* words still to be visited: each enters at most once */
    uint32_t todo_count;
} Walk;

typedef struct Effect {
    bool reads, writes;
} Effect;

static void go_to(Walk *walk, int64_t word) {
    if (word < 0 || word >= walk->code->instr_count || walk->seen[word]) return;
    walk->seen[word] = 1;
    walk->todo[walk->todo_count++] = (uint32_t)word;
}

/* ---- what an instruction does to the register ---- */

static bool is_call(Opcode op) {
    return op >= OP_CALL && op <= OP_CALLEXWG;
}

/* The words behind the callable become the links of the callee's frame. (CALLEX has its arguments
 * there.) */
static bool is_link(const Walk *walk, Opcode op, uint32_t start) {
    if (op == OP_CALLEX || op == OP_CALLEXW) return false;
    const uint32_t generators = CODE_GENERATOR | CODE_COROUTINE | CODE_ASYNC_GENERATOR;
    return !(walk->code->flags & generators) && walk->reg > start &&
           walk->reg < start + FRAME_LINKS;
}

static void add_window(const Walk *walk, Instr instr, uint32_t start, Effect *effect) {
    Opcode op = instr_op(instr);
    if (walk->reg < start) return;
    if (is_call(op) && is_link(walk, op, start)) {
        effect->writes = true;
        return;
    }
    bool inside = walk->reg - start < code_window_size(walk->code, instr);
    if (op == OP_UNPACK || op == OP_UNPACKEX || op == OP_LDMETH || op == OP_LDMETHG ||
        op == OP_LDSPECIAL || op == OP_EGMATCH)
        effect->writes |= inside;
    else if (inside)
        effect->reads = true;
    else if (is_call(op))
        effect->writes = true; /* what lies above the arguments is given up */
}

static void add_operand(const Walk *walk, Instr instr, char kind, uint32_t operand,
                        Effect *effect) {
    Opcode op = instr_op(instr);
    bool same = operand == walk->reg;
    switch (kind) {
    case 'r':
    case 'm': effect->reads |= same; break;
    case 'v': add_window(walk, instr, operand, effect); break;
    case 'w':
        if (op == OP_LDMETH || op == OP_LDMETHG || op == OP_LDSPECIAL || op == OP_EGMATCH)
            add_window(walk, instr, operand, effect);
        else if (!(code_op_info[op].format[3] == 'j') && !(op == OP_YIELD && instr_c(instr)))
            effect->writes |= same; /* FORITER writes only when there is an item */
        break;
    default: break;
    }
}

static Effect effect_of(const Walk *walk, Instr instr) {
    Opcode op = instr_op(instr);
    const char *format = code_op_info[op].format;
    Effect effect = {false, false};
    add_operand(walk, instr, format[0], instr_a(instr), &effect);
    add_operand(walk, instr, format[1], instr_b(instr), &effect);
    add_operand(walk, instr, format[2], instr_c(instr), &effect);
    uint32_t imm = (uint32_t)instr_imm(instr);
    if (format[3] == 'r') effect.reads |= imm == walk->reg;
    if (format[3] == 'w' && op == OP_STOREW) effect.writes |= imm == walk->reg;
    if (format[3] == 'w' && op == OP_MOVEW) effect.reads |= imm == walk->reg;
    if (format[3] == 'w' && is_call(op)) add_window(walk, instr, imm, &effect);
    if (op == OP_YIELDFROMH)
        effect.reads |=
            handling_exception(instr) == walk->reg || handling_outer(instr) == walk->reg;
    if (op == OP_LISTEXTEND || op == OP_DICTMERGE) /* messages name the callable below */
        effect.reads |= instr_a(instr) == walk->reg + 1 || instr_a(instr) == walk->reg + 2;
    return effect;
}

/* ---- the walk ---- */

static void go_to_handlers(Walk *walk, uint32_t word) {
    for (uint32_t i = 0; i < walk->code->range_count; i++) {
        const ExceptionRange *range = &walk->code->ranges[i];
        if (word >= range->start && word < range->end && range->reg != walk->reg)
            go_to(walk, range->handler);
    }
}

static void go_on(Walk *walk, uint32_t word, Instr instr) {
    Opcode op = instr_op(instr);
    if (code_op_info[op].format[3] == 'j') go_to(walk, (int64_t)word + 1 + instr_imm(instr));
    if (op == OP_SKIP1 || op == OP_SKIP2)
        go_to(walk, (int64_t)word + (op == OP_SKIP1 ? 1 : 2));
    else if (code_falls_through(op))
        go_to(walk, (int64_t)word + code_op_info[op].words);
}

/* A delegation under way in a handler reads what is handled whenever it goes on. */
static bool is_handling(const Walk *walk, uint32_t word) {
    if (word == 0 || code_op_before(walk->code, word) != OP_YIELDFROMH) return false;
    Instr instr = code_instr_before(walk->code, word);
    return handling_exception(instr) == walk->reg || handling_outer(instr) == walk->reg;
}

/* Will register `reg` be read, once the instruction before `word` has raised or, with `done`, is
 * done? */
static bool is_live(Walk *walk, uint32_t word, bool done) {
    if (is_handling(walk, word)) return true;
    if (word > 0) go_to_handlers(walk, word - 1);
    if (done) go_to(walk, word);
    while (walk->todo_count) {
        uint32_t at = walk->todo[--walk->todo_count];
        Instr instr = walk->code->instrs[at];
        Effect effect = effect_of(walk, instr);
        if (effect.reads) return true;
        go_to_handlers(walk, at);
        if (!effect.writes) go_on(walk, at, instr);
    }
    return false;
}

/* True also when there is no memory to find out: the next safepoint says so. */
static bool may_be_live(GenVM *vm, const Code *code, uint32_t reg, uint32_t word, bool done) {
    Walk walk = {.code = code, .reg = reg};
    walk.seen = memory_new_zeroed(vm, code->instr_count, 1);
    walk.todo = memory_new(vm, code->instr_count * sizeof *walk.todo);
    bool known = walk.seen && walk.todo;
    if (!known) vm->poll |= POLL_MEMORY;
    bool live = !known || is_live(&walk, word, done);
    memory_free(walk.seen);
    memory_free(walk.todo);
    return live;
}

bool frame_register_is_live(GenVM *vm, const Code *code, uint32_t reg, uint32_t word) {
    return may_be_live(vm, code, reg, word, true);
}

bool frame_register_is_caught(GenVM *vm, const Code *code, uint32_t reg, uint32_t word) {
    return may_be_live(vm, code, reg, word, false);
}

/* ---- was it written? ---- */

static bool writes(const Walk *walk, Instr instr) {
    const char *format = code_op_info[instr_op(instr)].format;
    if (format[3] == 'j' && format[1] == 'w') return instr_b(instr) == walk->reg; /* FORITER */
    return effect_of(walk, instr).writes;
}

/* Visits all that can follow a write. */
static void walk_from_writes(Walk *walk) {
    const Code *code = walk->code;
    for (uint32_t at = 0; at < code->instr_count;
         at += code_op_info[instr_op(code->instrs[at])].words)
        if (writes(walk, code->instrs[at])) go_on(walk, at, code->instrs[at]);
    for (uint32_t i = 0; i < code->range_count; i++)
        if (code->ranges[i].reg == walk->reg) go_to(walk, code->ranges[i].handler);
    while (walk->todo_count) {
        uint32_t at = walk->todo[--walk->todo_count];
        go_to_handlers(walk, at);
        go_on(walk, at, code->instrs[at]);
    }
}

/* The prologue has unbound it. */
static bool starts_unbound(const Code *code, uint32_t reg) {
    for (uint32_t at = 0; at < code->instr_count; at++) {
        Opcode op = instr_op(code->instrs[at]);
        if (op != OP_UNSET && op != OP_NEWCELL && op != OP_MOVE) return false;
        if (op == OP_UNSET && instr_a(code->instrs[at]) == reg) return true;
    }
    return false;
}

Leaf frame_register_is_set(GenVM *vm, const Code *code, uint32_t reg, uint32_t word) {
    if (starts_unbound(code, reg)) return LEAF_TRUE;
    Walk walk = {.code = code, .reg = reg};
    walk.seen = memory_new_zeroed(vm, code->instr_count, 1);
    walk.todo = memory_new(vm, code->instr_count * sizeof *walk.todo);
    Leaf set = walk.seen && walk.todo ? LEAF_FALSE : LEAF_ERROR;
    if (set != LEAF_ERROR) {
        walk_from_writes(&walk);
        if (word < code->instr_count && walk.seen[word]) set = LEAF_TRUE;
    }
    memory_free(walk.seen);
    memory_free(walk.todo);
    return set;
}

/* ---- is it only iterated? ---- */

bool code_only_iterates(const Code *code, uint32_t reg) {
    Walk walk = {.code = code, .reg = reg};
    bool iterated = false;
    for (uint32_t at = 0; at < code->instr_count;
         at += code_op_info[instr_op(code->instrs[at])].words) {
        Instr instr = code->instrs[at];
        if (instr_op(instr) == OP_GETITER && instr_b(instr) == reg)
            iterated = true;
        else if (effect_of(&walk, instr).reads)
            return false;
    }
    return iterated;
}

/* ---- the frames ---- */

/* The registers of a frame that are its own: those from the callee's links on are the callee's; a
 * generator lies elsewhere, but what it calls begins at its top. */
static uint32_t own_registers(const Code *code, const Value *base, Value *callee) {
    if (!callee) return code->regs;
    const Value *end =
        frame_is_generator(callee) ? generator_of(callee)->top : callee - FRAME_LINKS;
    return end >= base && end < base + code->regs ? (uint32_t)(end - base) : code->regs;
}

/* Variables are read by scripts, too, once they have a value. */
static bool may_be_read(GenVM *vm, const Code *code, uint32_t reg, uint32_t word) {
    uint32_t params = code->arg_count + code->kwonly_count + !!(code->flags & CODE_VARARGS) +
                      !!(code->flags & CODE_VARKEYWORDS);
    if (reg < params) return true;
    return reg < code->local_count ? frame_register_is_set(vm, code, reg, word)
                                   : frame_register_is_live(vm, code, reg, word);
}

void frame_forget_temporaries(GenVM *vm, bool (*matches)(Value v, Value wanted), Value wanted) {
    const Instr *pc = vm->pc;
    for (Value *base = vm->base, *callee = NULL; base; callee = base, base = frame_caller(base)) {
        const Code *code = frame_code(base);
        bool in_code = code->instrs && pc >= code->instrs && pc < code->instrs + code->instr_count;
        uint32_t end = in_code ? own_registers(code, base, callee) : 0;
        for (uint32_t reg = 0; reg < end; reg++)
            if (matches(base[reg], wanted) &&
                !may_be_read(vm, code, reg, (uint32_t)(pc - code->instrs)))
                base[reg] = VALUE_UNSET;
        pc = frame_return_pc(base);
    }
}
