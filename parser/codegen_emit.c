/* codegen_emit.c - writes instructions: words with their positions, constants, labels, exception
 * ranges.
 *
 * What it is not: it knows no syntax. Its one idea: everything is written in its final form at
 * once. Jumps forward wait in a chain through their own imm fields; operands that do not fit in
 * eight bits are moved through scratch registers here, by the operand formats of opcodes.def, so
 * that no other file needs to care how many registers there are.
 */
#include "parser/codegen.h"

#include <string.h>

/* ---- words
 * ----------------------------------------------------------------------------------------------------
 */

static bool grow_words(Unit *u) {
    uint32_t capacity = u->capacity ? u->capacity * 2 : 64;
    Instr *instrs = codegen_take(u->gen, capacity * sizeof(Instr));
    Position *positions = codegen_take(u->gen, capacity * sizeof(Position));
    if (!instrs || !positions) return false;
    if (u->count) {
        memcpy(instrs, u->instrs, u->count * sizeof(Instr));
        memcpy(positions, u->positions, u->count * sizeof(Position));
    }
    u->instrs = instrs;
    u->positions = positions;
    u->capacity = capacity;
    return true;
}

static void write_word(Unit *u, Instr instr) {
    if (u->count == u->capacity && !grow_words(u)) return;
    u->instrs[u->count] = instr;
    u->positions[u->count] = (Position){(uint32_t)u->span.line, (uint32_t)u->span.end_line,
                                        (uint32_t)u->span.col, (uint32_t)u->span.end_col};
    u->count++;
}

static void write_instr(Unit *u, Opcode op, uint32_t a, uint32_t b, uint32_t c, int32_t imm,
                        int32_t data) {
    write_word(u, instr_make(op, a, b, c, imm));
    unsigned words = code_op_info[op].words;
    if (words == 2) write_word(u, instr_make(OP_SKIP1, 0, 0, 0, 0));
    if (words == 3) {
        write_word(u, instr_make(OP_SKIP2, 0, 0, 0, data));
        write_word(u, 0);
    }
}

/* An operand beyond 255: read through a scratch register before, or written to one and stored
 * behind. */
static uint32_t wide_operand(Unit *u, char kind, uint32_t operand, Reg scratch) {
    if (operand < 256) return operand;
    if (kind == 'r' || kind == 'm') write_instr(u, OP_MOVEW, scratch, 0, 0, (int32_t)operand, 0);
    return scratch;
}

static void wide_result(Unit *u, char kind, uint32_t operand, Reg scratch) {
    if (operand >= 256 && (kind == 'w' || kind == 'm'))
        write_instr(u, OP_STOREW, scratch, 0, 0, (int32_t)operand, 0);
}

static void emit_full(Unit *u, Opcode op, uint32_t a, uint32_t b, uint32_t c, int32_t imm,
                      int32_t data) {
    if (!u->reachable) return;
    if ((a | b | c) < 256) {
        write_instr(u, op, a, b, c, imm, data);
        return;
    }
    if (!u->wide) {
        u->needs_wide = true;
        return;
    }
    const char *format = code_op_info[op].format;
    uint32_t low_a = wide_operand(u, format[0], a, u->scratch);
    uint32_t low_b = wide_operand(u, format[1], b, u->scratch + 1);
    uint32_t low_c = wide_operand(u, format[2], c, u->scratch + 2);
    write_instr(u, op, low_a, low_b, low_c, imm, data);
    wide_result(u, format[0], a, u->scratch);
    wide_result(u, format[1], b, u->scratch + 1);
}

void emit(Unit *u, Opcode op, uint32_t a, uint32_t b, uint32_t c, int32_t imm) {
    emit_full(u, op, a, b, c, imm, 0);
}

void emit_named(Unit *u, Opcode op, uint32_t a, uint32_t b, AstName *mangled) {
    emit_full(u, op, a, b, 0, 0, (int32_t)emit_const_index(u, codegen_name(u->gen, mangled)));
}

void emit_at(Unit *u, AstSpan span) {
    u->span = span;
}

void emit_end(Unit *u) {
    u->reachable = false;
}

/* ---- windows of registers
 * ------------------------------------------------------------------------------------- */

Reg emit_scratch_window(Unit *u, uint32_t count) {
    if (count > u->scratch_size && count > u->scratch_needed) u->scratch_needed = count;
    return u->scratch + 3;
}

/* An instruction that reads `count` registers from `window`, its operand b. */
void emit_window(Unit *u, Opcode op, Reg a, Reg window, uint32_t c, int32_t imm, uint32_t count) {
    if (u->wide && window >= 256) {
        Reg low = emit_scratch_window(u, count);
        for (uint32_t i = 0; i < count; i++)
            emit_move(u, low + i, window + i);
        window = low;
    }
    emit_full(u, op, a, window, c, imm, 0);
}

/* An instruction that writes `count` registers from `window` on, its operand a. */
void emit_window_out(Unit *u, Opcode op, Reg window, Reg b, uint32_t c, int32_t imm,
                     uint32_t count) {
    if (!u->wide || window < 256) {
        emit_full(u, op, window, b, c, imm, 0);
        return;
    }
    Reg low = emit_scratch_window(u, count);
    emit_full(u, op, low, b, c, imm, 0);
    for (uint32_t i = 0; i < count; i++)
        emit_move(u, window + i, low + i);
}

/* LISTEXTEND and DICTMERGE of a call's arguments, whose messages name the callable that stands
 * `below` registers below the collection. */
void emit_collect(Unit *u, Opcode op, Reg collection, Reg source, uint32_t below) {
    if (u->wide && collection >= 256) {
        Reg low = emit_scratch_window(u, below + 1);
        emit_move(u, low, collection - below);
        emit_move(u, low + below, collection);
        collection = low + below;
    }
    emit_full(u, op, collection, source, 1, 0, 0);
}

void emit_move(Unit *u, Reg dest, Reg src) {
    if (dest == src || !u->reachable) return;
    if (!u->wide || (dest < 256 && src < 256)) {
        emit_full(u, OP_MOVE, dest, src, 0, 0, 0);
    } else if (dest < 256) {
        write_instr(u, OP_MOVEW, dest, 0, 0, (int32_t)src, 0);
    } else if (src < 256) {
        write_instr(u, OP_STOREW, src, 0, 0, (int32_t)dest, 0);
    } else {
        write_instr(u, OP_MOVEW, u->scratch, 0, 0, (int32_t)src, 0);
        write_instr(u, OP_STOREW, u->scratch, 0, 0, (int32_t)dest, 0);
    }
}

Reg emit_temp(Unit *u) {
    return emit_temps(u, 1);
}

Reg emit_temps(Unit *u, uint32_t count) {
    Reg first = u->top;
    u->top += count;
    if (u->top > u->max) u->max = u->top;
    return first;
}

/* ---- constants
 * ------------------------------------------------------------------------------------------------
 */

static uint64_t hash_bytes(const void *data, size_t size) {
    const uint8_t *bytes = data;
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

static uint64_t const_hash(Value v) {
    if (is_kind(v, TYPE_TUPLE)) {
        uint64_t hash = AS_TUPLE(v)->count;
        for (uint64_t i = 0; i < AS_TUPLE(v)->count; i++)
            hash = hash * 31 + const_hash(AS_TUPLE(v)->items[i]);
        return hash;
    }
    if (is_kind(v, TYPE_INT)) return int_hash(v);
    if (value_is_str(v)) return hash_bytes(AS_STR(v)->data, AS_STR(v)->size);
    if (is_kind(v, TYPE_BYTES)) return hash_bytes(AS(Bytes, v)->data, AS(Bytes, v)->size);
    return hash_bytes(&v, sizeof v);
}

static bool const_equal(Value a, Value b);

static bool tuples_equal(const Tuple *x, const Tuple *y) {
    for (uint64_t i = 0; x->count == y->count && i < x->count; i++)
        if (!const_equal(x->items[i], y->items[i])) return false;
    return x->count == y->count;
}

/* Equal and of one type. A str that is used as a name must be the interned one, so the two kinds do
 * not mix. */
static bool const_equal(Value a, Value b) {
    if (a == b) return true;
    if (value_is_str(a) && value_is_str(b)) {
        const Str *x = AS_STR(a), *y = AS_STR(b);
        return ((x->header.flags ^ y->header.flags) & STR_INTERNED) == 0 && x->size == y->size &&
               memcmp(x->data, y->data, x->size) == 0;
    }
    if (is_kind(a, TYPE_BYTES) && is_kind(b, TYPE_BYTES)) {
        const Bytes *x = AS(Bytes, a), *y = AS(Bytes, b);
        return x->size == y->size && memcmp(x->data, y->data, x->size) == 0;
    }
    if (is_kind(a, TYPE_TUPLE) && is_kind(b, TYPE_TUPLE))
        return tuples_equal(AS_TUPLE(a), AS_TUPLE(b));
    if (is_kind(a, TYPE_INT) && is_kind(b, TYPE_INT)) return int_order(a, b) == 0;
    return false;
}

static uint32_t *const_slot(Unit *u, Value v) {
    uint32_t mask = u->const_index_capacity - 1;
    uint32_t i = (uint32_t)const_hash(v) & mask;
    while (u->const_index[i] && !const_equal(u->consts[u->const_index[i] - 1], v))
        i = (i + 1) & mask;
    return &u->const_index[i];
}

static bool grow_consts(Unit *u) {
    uint32_t capacity = u->const_capacity ? u->const_capacity * 2 : 16;
    Value *consts = codegen_take(u->gen, capacity * sizeof(Value));
    uint32_t *index = codegen_take(u->gen, capacity * 2 * sizeof(uint32_t));
    if (!consts || !index) return false;
    if (u->const_count) memcpy(consts, u->consts, u->const_count * sizeof(Value));
    u->consts = consts;
    u->const_index = index;
    u->const_capacity = capacity;
    u->const_index_capacity = capacity * 2;
    for (uint32_t i = 0; i < u->const_count; i++)
        *const_slot(u, consts[i]) = i + 1;
    return true;
}

uint32_t emit_const_index(Unit *u, Value v) {
    if (v == VALUE_ERROR) codegen_fail(u->gen);
    if (!u->reachable || u->gen->failed) return 0;
    if (u->const_count == u->const_capacity && !grow_consts(u)) return 0;
    uint32_t *slot = const_slot(u, v);
    if (!*slot) {
        u->consts[u->const_count++] = v;
        *slot = u->const_count;
    }
    return *slot - 1;
}

void emit_const(Unit *u, Value v, Reg dest) {
    if (is_int(v) && as_int(v) >= INT32_MIN && as_int(v) <= INT32_MAX)
        emit(u, OP_LOADI, dest, 0, 0, (int32_t)as_int(v));
    else
        emit(u, OP_LOADK, dest, 0, 0, (int32_t)emit_const_index(u, v));
}

void emit_none(Unit *u, Reg dest) {
    emit_const(u, VALUE_NONE, dest);
}

void emit_return(Unit *u, Reg src) {
    if (u->flags & CODE_GENERATOR && u->iterates_param) emit(u, OP_ENDPARAMS, 0, 0, 0, 0);
    emit(u, u->is_generator ? OP_RETGEN : OP_RET, src, 0, 0, 0);
    emit_end(u);
}

void emit_return_const(Unit *u, Value v) {
    if (u->is_generator) {
        Reg value = emit_temp(u);
        emit_const(u, v, value);
        emit_return(u, value);
        u->top--;
        return;
    }
    emit(u, OP_RETK, 0, 0, 0, (int32_t)emit_const_index(u, v));
    emit_end(u);
}

/* ---- labels
 * ---------------------------------------------------------------------------------------------------
 */

/* Where ways meet of which some assign variables and others do not, scripts that look at the frame
 * must see which way was taken. */
static void unset_where_ways_differ(Unit *u, const Label *label) {
    for (uint32_t i = 0; i < u->bit_words; i++)
        u->unset[i] |= u->assigned[i] ^ label->assigned[i];
}

static void reach(Unit *u, Label *label) {
    label->reached = true;
    if (!label->assigned) {
        label->assigned = codegen_take(u->gen, u->bit_words * sizeof(uint64_t));
        if (label->assigned) memcpy(label->assigned, u->assigned, u->bit_words * sizeof(uint64_t));
        return;
    }
    unset_where_ways_differ(u, label);
    for (uint32_t i = 0; i < u->bit_words; i++)
        label->assigned[i] &= u->assigned[i];
}

/* The label can be reached from here and from what follows, which may unbind variables: a handler,
 * a loop's body. */
void emit_label_reach(Unit *u, Label *label) {
    if (!u->reachable) return;
    reach(u, label);
    for (uint32_t i = 0; label->assigned && i < u->bit_words; i++)
        label->assigned[i] &= ~u->deleted[i];
}

void emit_jump(Unit *u, Opcode op, uint32_t a, uint32_t b, Label *label) {
    emit_jump_full(u, op, a, b, 0, label);
}

void emit_jump_full(Unit *u, Opcode op, uint32_t a, uint32_t b, uint32_t c, Label *label) {
    if (!u->reachable) return;
    uint32_t before = u->count;
    emit_full(u, op, a, b, c, 0, 0);
    if (u->count == before) return;
    uint32_t jump = u->count - 1;
    int32_t imm = label->at >= 0 ? label->at - (int32_t)jump - 1 : label->refs;
    u->instrs[jump] = instr_make(instr_op(u->instrs[jump]), instr_a(u->instrs[jump]),
                                 instr_b(u->instrs[jump]), instr_c(u->instrs[jump]), imm);
    if (label->at < 0) {
        label->refs = (int32_t)jump;
        reach(u, label);
    } else if (label->assigned) {
        unset_where_ways_differ(u, label);
    }
}

void emit_goto(Unit *u, Label *label) {
    emit_jump(u, OP_JMP, 0, 0, label);
    emit_end(u);
}

static void set_imm(Unit *u, int32_t word, int32_t imm) {
    u->instrs[word] = (u->instrs[word] & 0xffffffffu) | (Instr)(uint32_t)imm << 32;
}

static void place_handler(Unit *u, Label *label) {
    for (uint32_t i = (uint32_t)label->first_range; i < u->range_count; i++) {
        if (u->ranges[i].label != label) continue;
        u->ranges[i].handler = (uint32_t)label->at;
        u->ranges[i].label = NULL;
    }
}

/* A handler sees what the code under its guard has assigned before it failed. */
static void unset_where_caught(Unit *u, const Label *label) {
    for (uint32_t i = 0; i < u->bit_words; i++)
        u->unset[i] |= u->ever_assigned[i] & ~label->assigned[i];
}

void emit_label(Unit *u, Label *label) {
    for (int32_t ref = label->refs; ref >= 0;) {
        int32_t next = instr_imm(u->instrs[ref]);
        set_imm(u, ref, (int32_t)u->count - ref - 1);
        ref = next;
    }
    label->refs = -1;
    label->at = (int32_t)u->count;
    if (label->first_range >= 0) place_handler(u, label);
    if (!label->reached || !label->assigned) return;
    if (u->reachable) unset_where_ways_differ(u, label);
    if (label->first_range >= 0) unset_where_caught(u, label);
    for (uint32_t i = 0; i < u->bit_words; i++)
        u->assigned[i] = u->reachable ? u->assigned[i] & label->assigned[i] : label->assigned[i];
    u->reachable = true;
}

/* A place that jumps lead back to. What the loop assigns is not known yet, but nothing is unbound
 * again except what some statement of the unit unbinds. */
void emit_loop_head(Unit *u, Label *label) {
    for (uint32_t i = 0; i < u->bit_words; i++)
        u->assigned[i] &= ~u->deleted[i];
    if (u->reachable) reach(u, label);
    label->at = (int32_t)u->count;
}

/* ---- exception ranges
 * ----------------------------------------------------------------------------------------- */

void emit_range_open(Unit *u, Block *block) {
    block->start = u->count;
}

static bool grow_ranges(Unit *u) {
    uint32_t capacity = u->range_capacity ? u->range_capacity * 2 : 8;
    CodeRange *ranges = codegen_take(u->gen, capacity * sizeof(CodeRange));
    if (!ranges) return false;
    if (u->range_count) memcpy(ranges, u->ranges, u->range_count * sizeof(CodeRange));
    u->ranges = ranges;
    u->range_capacity = capacity;
    return true;
}

/* Ranges are added when they end, so that an inner one comes before the one around it. */
void emit_range_close(Unit *u, Block *block) {
    int64_t start = block->start;
    block->start = -1;
    if (start < 0 || start == u->count) return;
    if (u->range_count == u->range_capacity && !grow_ranges(u)) return;
    if (block->handler->first_range < 0) block->handler->first_range = (int32_t)u->range_count;
    u->ranges[u->range_count++] =
        (CodeRange){(uint32_t)start, u->count, block->handler, 0, block->exception};
}

/* ---- the end of a unit
 * ---------------------------------------------------------------------------------------- */

static void unset_locals(Unit *u) {
    uint32_t locals = (uint32_t)u->code_scope->locals.count;
    if (!u->code_scope->is_function) return;
    for (uint32_t i = u->param_count; i < locals; i++)
        if (u->unset_all || (u->unset[i / 64] >> i % 64 & 1))
            emit(u, OP_UNSET, u->local_regs[i], 0, 0, 0);
}

static bool is_param(const Unit *u, Reg reg) {
    for (uint32_t i = 0; i < u->param_count; i++)
        if (u->local_regs[i] == reg) return true;
    return false;
}

static void make_cells(Unit *u) {
    for (int32_t i = 0; i < u->code_scope->cells.count; i++) {
        Reg reg = u->cell_regs[i];
        if (!is_param(u, reg)) emit(u, OP_UNSET, reg, 0, 0, 0);
        emit(u, OP_NEWCELL, reg, 0, 0, 0);
    }
}

/* Parameters arrive in registers 0, 1, ...; those in the place of the scratch registers move out.
 */
static void move_params(Unit *u) {
    if (!u->wide) return;
    for (uint32_t i = u->scratch; i < u->param_count; i++)
        if (u->local_regs[i] != i) emit_move(u, u->local_regs[i], i);
}

/* Writes what the unit begins with, known only now, and puts it in front. */
bool emit_prologue(Unit *u) {
    uint32_t body = u->count;
    u->reachable = true;
    u->span = (AstSpan){0, 0, 0, 0};
    move_params(u);
    unset_locals(u);
    make_cells(u);
    uint32_t added = u->count - body;
    if (!added || u->gen->failed) return !u->gen->failed;
    Instr *instrs = codegen_take(u->gen, u->count * sizeof(Instr));
    Position *positions = codegen_take(u->gen, u->count * sizeof(Position));
    if (!instrs || !positions) return false;
    memcpy(instrs, u->instrs + body, added * sizeof(Instr));
    memcpy(instrs + added, u->instrs, body * sizeof(Instr));
    memcpy(positions, u->positions + body, added * sizeof(Position));
    memcpy(positions + added, u->positions, body * sizeof(Position));
    u->instrs = instrs;
    u->positions = positions;
    for (uint32_t i = 0; i < u->range_count; i++) {
        u->ranges[i].start += added;
        u->ranges[i].end += added;
        u->ranges[i].handler += added;
    }
    for (uint32_t i = 0; i < u->loop_count; i++) {
        u->loops[i].start += added;
        u->loops[i].end += added;
    }
    for (uint32_t i = 0; i < u->inlined_count; i++) {
        u->inlined_variables[i].start += added;
        u->inlined_variables[i].end += added;
    }
    return true;
}

void emit_reciprocal(Unit *u, Value divisor) {
    if (!u->reachable || u->count < 2) return;
    Instr *word = &u->instrs[u->count - 1]; /* wide mode may store the result behind it */
    if (instr_op(*word) != OP_SKIP1) word--;
    if (instr_op(*word) == OP_SKIP1) *word = code_reciprocal(divisor);
}

/* The opcode for both; OP_NOP if there is none. `reversed`: the result of the first is the right
 * operand. */
static Opcode pair_opcode(Opcode first, Opcode second, bool reversed) {
#define PAIR(name, one, two, ...)                                                                  \
    if (first == OP_##one && second == OP_##two && (!reversed || OP_##name != OP_MUL_SUB))         \
        return OP_##name;
#include "vm/pairs.def"
#undef PAIR
    return OP_NOP;
}

void emit_pair(Unit *u, Reg mark) {
    if (!u->reachable || u->wide || u->count < 3) return;
    Instr *instrs = u->instrs + u->count - 3, first = instrs[1], second = instrs[2];
    Reg result = instr_a(first), b = instr_b(second), c = instr_c(second);
    bool is_dead = result == instr_a(second) || result >= mark;
    if (!is_dead || unit_is_visible(u, result) || (b == result) == (c == result)) return;
    if (code_pair(instr_op(instrs[0])).second != OP_NOP) return; /* the first is a second itself */
    Opcode op = pair_opcode(instr_op(first), instr_op(second), c == result);
    if (op == OP_NOP) return;
    Reg other = b == result ? c : b;
    instrs[1] = instr_make(op, result, instr_b(first), instr_c(first),
                           instr_imm(first) | (int32_t)(other << 8));
}

/* A jump to an unconditional jump goes where that goes. */
void emit_thread_jumps(Unit *u) {
    for (uint32_t i = 0; i < u->count; i += code_op_info[instr_op(u->instrs[i])].words) {
        if (code_op_info[instr_op(u->instrs[i])].format[3] != 'j') continue;
        int64_t target = (int64_t)i + 1 + instr_imm(u->instrs[i]);
        for (int hops = 0; hops < 8 && target < u->count && instr_op(u->instrs[target]) == OP_JMP;
             hops++)
            target += 1 + instr_imm(u->instrs[target]);
        set_imm(u, (int32_t)i, (int32_t)(target - i - 1));
    }
}
