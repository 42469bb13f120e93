/* verify_flow.c - what registers hold, whichever way code runs: the second half of the verification
 * of code from images.
 *
 * The interpreter asks no questions where the compiler has settled the answer: that a cell is a
 * cell, the collection of a comprehension a list, the iterator of a loop an iterator. Here the
 * answers are worked out anew, by walking over the code with a set of possible contents for each
 * register:
 *
 *     HOLDS_NOTHING   what an earlier frame has left there: must not be read at all
 *     HOLDS_UNSET     VALUE_UNSET, an unbound variable: only some instructions take it
 *     HOLDS_VALUE     any value of the language
 *     the others      values of which more is known
 *
 * Sets only grow where paths meet, so the walk ends: a state is kept for each word that is jumped
 * to, and an instruction is visited again only when the state before it has grown. Instructions
 * whose operands are checked when they run (all slow paths, and RERAISE, EGMATCH, MKFUNC for this)
 * need no more than HOLDS_VALUE.
 */
#include "vm/frame.h"
#include "vm/memory.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    HOLDS_NOTHING = 1,
    HOLDS_UNSET = 2,
    HOLDS_VALUE = 4,
    HOLDS_CELL = 8,
    HOLDS_LIST = 16,
    HOLDS_TUPLE = 32,
    HOLDS_DICT = 64,
    HOLDS_SET = 128,
    HOLDS_EXCEPTION = 512, /* or None */
    HOLDS_HANDLED = 1024,  /* an exception, None, or VALUE_UNSET */
    HOLDS_ITERATOR = 2048, /* an object: what iter() gave */
    HOLDS_READABLE = 0xFFF & ~(HOLDS_NOTHING | HOLDS_UNSET | HOLDS_HANDLED),
};
enum { STATES_MOST = 1 << 24 }; /* sets that are kept for one code: 32 MB */

typedef uint16_t Holds;

typedef struct Flow {
    GenVM *vm;
    const Code *code;
    bool plain;      /* no generator's */
    Holds *now;      /* the state before the instruction at hand, then behind it */
    Holds *raised;   /* ... when it raises */
    uint32_t *label; /* by word: number + 1 of the state that is kept there; 0: none */
    Holds *states;   /* code->regs for each label */
    uint8_t *known;  /* by label: the state is there */
    uint32_t *todo;  /* labels to be visited (again) */
    uint8_t *queued;
    uint32_t *words; /* by label */
    uint32_t label_count, todo_count;
    uint32_t wanted;      /* a word whose state is to be kept; UINT32_MAX: none */
    Holds *found, *exact; /* for the handlers of the instruction before it; for what follows */
    bool raises;          /* ... for the handlers alone: nothing follows */
    uint32_t before;      /* the instruction on the straight way to the one at hand */
    bool met;
    char *message;
    size_t size;
} Flow;

static bool fail(const Flow *f, uint32_t word, const char *format, ...) {
    Opcode op = instr_op(f->code->instrs[word]);
    int used = snprintf(f->message, f->size, "word %u: %s: ", word,
                        code_op_info[op].name ? code_op_info[op].name : "?");
    va_list args;
    va_start(args, format);
    if (used >= 0 && (size_t)used < f->size)
        vsnprintf(f->message + used, f->size - (size_t)used, format, args);
    va_end(args);
    return false;
}

/* ---- reading and writing registers ---- */

static bool take(Flow *f, uint32_t word, uint32_t reg, uint32_t allowed, const char *what) {
    if (reg < f->code->regs && !(f->now[reg] & ~allowed)) return true;
    return fail(f, word, "register %u holds no %s", reg, what);
}

static bool take_value(Flow *f, uint32_t word, uint32_t reg) {
    return take(f, word, reg, HOLDS_READABLE, "value");
}

static bool take_window(Flow *f, uint32_t word, uint32_t reg, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (!take_value(f, word, reg + i)) return false;
    return true;
}

static void give(Flow *f, uint32_t reg, uint32_t holds) {
    if (reg < f->code->regs) f->now[reg] = (Holds)holds;
}

/* What a frame gives up for its callee: a plain function's is overwritten, and that of a generator
 * is not read again, so it may be left out of an image. */
static void give_up(const Flow *f, Holds *state, uint32_t from) {
    for (uint32_t reg = from; reg < f->code->regs; reg++)
        state[reg] = HOLDS_NOTHING;
}

static uint32_t holds_of_constant(Value v) {
    if (!is_object(v)) return HOLDS_VALUE;
    switch (as_object(v)->kind) {
    case TYPE_TUPLE: return HOLDS_TUPLE;
    default: return HOLDS_VALUE;
    }
}

/* ---- calls ---- */

static uint32_t link_of(const Flow *f) {
    return f->plain ? 4 : 1;
}

static bool take_arguments(Flow *f, uint32_t word, uint32_t window, Instr instr, bool method) {
    uint32_t first = window + link_of(f), count = instr_b(instr);
    if (!take_value(f, word, window)) return false;
    if (method && !take(f, word, first, HOLDS_READABLE | HOLDS_UNSET, "receiver")) return false;
    return take_window(f, word, first + method, count - method);
}

static bool flow_call(Flow *f, uint32_t word, Instr instr) {
    Opcode op = instr_op(instr);
    bool wide = op == OP_CALLW || op == OP_CALLWG || op == OP_CALLMW || op == OP_CALLMWG ||
                op == OP_CALLEXW || op == OP_CALLEXWG;
    bool spread = op == OP_CALLEX || op == OP_CALLEXG || op == OP_CALLEXW || op == OP_CALLEXWG;
    bool method = op == OP_CALLM || op == OP_CALLMG || op == OP_CALLMW || op == OP_CALLMWG ||
                  ((op == OP_CALLKW || op == OP_CALLKWG) && instr_c(instr) & 1);
    uint32_t window = wide ? (uint32_t)instr_imm(instr) : instr_a(instr);
    if (spread) {
        if (!take_value(f, word, window) ||
            !take(f, word, window + 1, HOLDS_LIST | HOLDS_TUPLE, "list or tuple") ||
            !take(f, word, window + 2, HOLDS_DICT | HOLDS_UNSET, "dict"))
            return false;
    } else if (!take_arguments(f, word, window, instr, method)) {
        return false;
    }
    give_up(f, f->now, window);
    give_up(f, f->raised, window);
    give(f, instr_a(instr), HOLDS_VALUE);
    return true;
}

/* ---- the others that are not told by their format ---- */

static bool flow_load_method(Flow *f, uint32_t word, Instr instr) {
    if (!take_value(f, word, instr_b(instr))) return false;
    give(f, instr_a(instr), HOLDS_VALUE);
    give(f, instr_a(instr) + link_of(f), HOLDS_VALUE | HOLDS_UNSET);
    return true;
}

static bool flow_load_super(Flow *f, uint32_t word, Instr instr) {
    if (!take_window(f, word, instr_b(instr), 3)) return false;
    give(f, instr_a(instr), HOLDS_VALUE);
    if (instr_op(instr) != OP_LDSUPER)
        give(f, instr_a(instr) + link_of(f), HOLDS_VALUE | HOLDS_UNSET);
    return true;
}

static bool flow_build(Flow *f, uint32_t word, Instr instr, uint32_t holds) {
    if (!take_window(f, word, instr_b(instr), code_window_size(f->code, instr))) return false;
    give(f, instr_a(instr), holds);
    return true;
}

static bool flow_make_function(Flow *f, uint32_t word, Instr instr) {
    static const uint32_t holds[] = {HOLDS_TUPLE, HOLDS_DICT, HOLDS_READABLE, HOLDS_TUPLE};
    uint32_t reg = instr_b(instr);
    for (unsigned i = 0; i < 4; i++)
        if (instr_c(instr) >> i & 1 && !take(f, word, reg++, holds[i], "part of a function"))
            return false;
    give(f, instr_a(instr), HOLDS_VALUE);
    return true;
}

static bool flow_unpack(Flow *f, uint32_t word, Instr instr) {
    if (!take_value(f, word, instr_b(instr))) return false;
    uint32_t count = code_window_size(f->code, instr);
    /* c: a loop's item that may never have been made */
    if (instr_op(instr) == OP_UNPACK && instr_c(instr)) give(f, instr_b(instr), HOLDS_NOTHING);
    for (uint32_t i = 0; i < count; i++)
        give(f, instr_a(instr) + i, HOLDS_VALUE);
    return true;
}

static bool flow_intrinsic(Flow *f, uint32_t word, Instr instr) {
    static const uint8_t operands[] = {
        [INTRINSIC_TYPEVAR] = 1,
        [INTRINSIC_TYPEVAR_BOUND] = 2,
        [INTRINSIC_TYPEVAR_CONSTRAINTS] = 2,
        [INTRINSIC_PARAMSPEC] = 1,
        [INTRINSIC_TYPEVARTUPLE] = 1,
        [INTRINSIC_SET_TYPEPARAM_DEFAULT] = 2,
        [INTRINSIC_SET_TYPE_PARAMS] = 2,
        [INTRINSIC_SUBSCRIPT_GENERIC] = 1,
        [INTRINSIC_TYPEALIAS] = 3,
        [INTRINSIC_ANNOTATE_FORMAT] = 1,
        [INTRINSIC_EXCEPTION_TYPE] = 1,
        [INTRINSIC_EXCEPTION_TRACEBACK] = 1,
        [INTRINSIC_CHAIN_CONTEXT] = 1,
        [INTRINSIC_INTERPOLATION] = 4,
        [INTRINSIC_TEMPLATE] = 2,
    };
    unsigned which = instr_c(instr);
    if (which >= sizeof operands) return fail(f, word, "there is no intrinsic %u", which);
    if (!take_window(f, word, instr_b(instr), operands[which])) return false;
    give(f, instr_a(instr), HOLDS_VALUE);
    return true;
}

static bool flow_copy(Flow *f, uint32_t to, uint32_t from) {
    give(f, to, f->now[from]);
    return true;
}

static bool flow_collect(Flow *f, uint32_t word, Instr instr, uint32_t holds, uint32_t below) {
    if (!take(f, word, instr_a(instr), holds, "collection of that kind")) return false;
    if (!take_value(f, word, instr_b(instr))) return false;
    if (instr_op(instr) == OP_DICTSET && !take_value(f, word, instr_c(instr))) return false;
    if (!below || !instr_c(instr)) return true;
    return instr_a(instr) >= below ? take_value(f, word, instr_a(instr) - below)
                                   : fail(f, word, "no callable below");
}

/* Operands by their letters in opcodes.def. */
static bool flow_by_format(Flow *f, uint32_t word, Instr instr) {
    const char *format = code_op_info[instr_op(instr)].format;
    const uint32_t operands[] = {instr_a(instr), instr_b(instr), instr_c(instr),
                                 (uint32_t)instr_imm(instr)};
    for (int i = 0; i < 4; i++) {
        if (format[i] == 'r' || format[i] == 'm')
            if (!take_value(f, word, operands[i])) return false;
        if (format[i] == 'v' &&
            !take_window(f, word, operands[i], code_window_size(f->code, instr)))
            return false;
    }
    for (int i = 0; i < 3; i++)
        if (format[i] == 'w') give(f, operands[i], HOLDS_VALUE);
    return true;
}

/* A pair's first result is nowhere once the second is done. */
static bool flow_pair(Flow *f, uint32_t word, Instr instr) {
    if (!take_value(f, word, (uint32_t)instr_imm(instr) >> 8 & 255)) return false;
    return flow_by_format(f, word, instr);
}

static bool is_pair_before(const Flow *f, uint32_t word) {
    return f->before + 1 == word && f->label[word] == 0 &&
           code_pair(instr_op(f->code->instrs[f->before])).second != OP_NOP;
}

static bool flow_delegate(Flow *f, uint32_t word, Instr instr) {
    uint32_t outer = handling_outer(instr);
    if (!take_value(f, word, instr_b(instr)) || !take_value(f, word, handling_exception(instr)) ||
        !take(f, word, outer, HOLDS_EXCEPTION | HOLDS_UNSET | HOLDS_HANDLED, "exception"))
        return false;
    give(f, outer, HOLDS_HANDLED);
    give(f, instr_a(instr), HOLDS_VALUE);
    return true;
}

static bool flow_unset_ok(Flow *f, uint32_t word, Instr instr) {
    uint32_t reg = instr_a(instr);
    return take(f, word, reg, HOLDS_READABLE | HOLDS_UNSET, "variable");
}

static bool flow_reraise_group(Flow *f, uint32_t word, Instr instr) {
    if (!take(f, word, instr_c(instr), HOLDS_LIST, "list")) return false;
    if (!take_value(f, word, instr_b(instr))) return false;
    give(f, instr_a(instr), HOLDS_VALUE);
    return true;
}

static bool step(Flow *f, uint32_t word, Instr instr) {
    uint32_t a = instr_a(instr), b = instr_b(instr);
    Opcode op = instr_op(instr);
    switch ((int)op) {
    case OP_NOP:
    case OP_SKIP1:
    case OP_SKIP2:
    case OP_JMP:
    case OP_ENDPARAMS: return true;
    case OP_LOADK: give(f, a, holds_of_constant(f->code->consts[instr_imm(instr)])); return true;
    case OP_MOVE: return flow_copy(f, a, b);
    case OP_MOVEW: return flow_copy(f, a, (uint32_t)instr_imm(instr));
    case OP_STOREW: return flow_copy(f, (uint32_t)instr_imm(instr), a);
    case OP_UNSET: give(f, a, HOLDS_UNSET); return true;
    case OP_CHECK:
        if (!flow_unset_ok(f, word, instr)) return false;
        f->now[a] &= (Holds)~HOLDS_UNSET;
        return true;
    case OP_DELLOCAL:
        if (!flow_unset_ok(f, word, instr)) return false;
        give(f, a, HOLDS_UNSET);
        return true;
    case OP_NEWCELL:
        if (!flow_unset_ok(f, word, instr)) return false;
        give(f, a, HOLDS_CELL);
        return true;
    case OP_FREECELL: give(f, a, HOLDS_CELL); return true;
    case OP_GETCELL:
        if (!take(f, word, b, HOLDS_CELL, "cell")) return false;
        give(f, a, HOLDS_VALUE);
        return true;
    case OP_SETCELL: return take(f, word, a, HOLDS_CELL, "cell") && take_value(f, word, b);
    case OP_DELCELL: return take(f, word, a, HOLDS_CELL, "cell");
    case OP_GETITER:
        if (!take_value(f, word, b)) return false;
        give(f, a, HOLDS_ITERATOR);
        return true;
    case OP_YIELD:
    case OP_YIELDWRAP:
        if (!take_value(f, word, b)) return false;
        if (instr_c(instr) != 1) give(f, a, HOLDS_VALUE);
        return true;
    case OP_YIELDFROMH: return flow_delegate(f, word, instr);
    case OP_FORITER:
    case OP_FORITERG: return take(f, word, a, HOLDS_ITERATOR, "iterator");
    case OP_RAISE:
        return (instr_c(instr) == 0 || take_value(f, word, a)) &&
               (instr_c(instr) != 2 || take_value(f, word, b));
    case OP_ASSERTFAIL: return instr_c(instr) == 0 || take_value(f, word, a);
    case OP_EXCENTER:
        if (!take_value(f, word, a)) return false;
        give(f, b, HOLDS_HANDLED);
        return true;
    case OP_EXCLEAVE:
        return take(f, word, a, HOLDS_EXCEPTION | HOLDS_UNSET | HOLDS_HANDLED, "exception");
    case OP_EGMATCH:
        if (!take_value(f, word, b) || !take_value(f, word, instr_c(instr))) return false;
        give(f, a, HOLDS_VALUE);
        return true;
    case OP_EGRERAISE: return flow_reraise_group(f, word, instr);
    case OP_LISTAPPEND: return flow_collect(f, word, instr, HOLDS_LIST, 0);
    case OP_LISTEXTEND:
        if (!flow_collect(f, word, instr, HOLDS_LIST, 1)) return false;
        if (instr_c(instr)) give(f, a, HOLDS_LIST | HOLDS_TUPLE); /* a tuple may serve as it is */
        return true;
    case OP_SETADD: return take_value(f, word, a) && take_value(f, word, b);
    case OP_SETUPDATE: return flow_collect(f, word, instr, HOLDS_SET, 0);
    case OP_DICTSET: return flow_collect(f, word, instr, HOLDS_DICT, 0);
    case OP_DICTMERGE: return flow_collect(f, word, instr, HOLDS_DICT, 2);
    case OP_LISTTUPLE:
        if (!take(f, word, b, HOLDS_LIST, "list")) return false;
        give(f, a, HOLDS_TUPLE);
        return true;
    case OP_NEWLIST: return flow_build(f, word, instr, HOLDS_LIST);
    case OP_NEWTUPLE: return flow_build(f, word, instr, HOLDS_TUPLE);
    case OP_NEWSET: return flow_build(f, word, instr, HOLDS_SET);
    case OP_NEWDICT: return flow_build(f, word, instr, HOLDS_DICT);
    case OP_JOINSTR: return flow_build(f, word, instr, HOLDS_VALUE);
    case OP_MKFUNC: return flow_make_function(f, word, instr);
    case OP_UNPACK:
    case OP_UNPACKEX: return flow_unpack(f, word, instr);
    case OP_INTRINSIC: return flow_intrinsic(f, word, instr);
    case OP_LDMETH:
    case OP_LDMETHG: return flow_load_method(f, word, instr);
    case OP_LDSUPER:
    case OP_LDSUPERM:
    case OP_LDSUPERMG: return flow_load_super(f, word, instr);
    case OP_LDSPECIAL:
        if (!take_value(f, word, b)) return false;
        give(f, a, HOLDS_VALUE);
        give(f, a + 1, HOLDS_VALUE | HOLDS_UNSET);
        return true;
    default: break;
    }
    if (op >= OP_CALL && op <= OP_CALLEXWG) return flow_call(f, word, instr);
    if (code_pair(op).second != OP_NOP) return flow_pair(f, word, instr);
    return flow_by_format(f, word, instr);
}

/* ---- the walk ---- */

/* The state that reaches a label: those that are kept there can only grow. */
static void reach(Flow *f, uint32_t word, const Holds *state) {
    uint32_t label = f->label[word] - 1, regs = f->code->regs;
    Holds *kept = f->states + (size_t)label * regs;
    bool grown = !f->known[label];
    if (grown)
        memcpy(kept, state, regs * sizeof *kept);
    else
        for (uint32_t i = 0; i < regs; i++) {
            grown |= (state[i] & ~kept[i]) != 0;
            kept[i] |= state[i];
        }
    f->known[label] = 1;
    if (!grown || f->queued[label]) return;
    f->queued[label] = 1;
    f->todo[f->todo_count++] = label;
}

/* An exception at `word` leaves the registers as they were before or as they are behind. */
static void reach_handlers(Flow *f, uint32_t word) {
    const Code *code = f->code;
    for (uint32_t i = 0; i < code->range_count; i++) {
        const ExceptionRange *range = &code->ranges[i];
        if (word < range->start || word >= range->end) continue;
        Holds before = f->raised[range->reg];
        f->raised[range->reg] = HOLDS_EXCEPTION;
        reach(f, range->handler, f->raised);
        f->raised[range->reg] = before;
        return; /* the innermost takes it */
    }
}

static void jump(Flow *f, uint32_t word, Instr instr) {
    Opcode op = instr_op(instr);
    uint32_t target = word + 1 + (uint32_t)instr_imm(instr), reg = instr_b(instr);
    bool stores = op == OP_FORITER || op == OP_FORITERG;
    Holds kept = stores ? f->now[reg] : HOLDS_NOTHING; /* else b is no register */
    if (stores) f->now[reg] = HOLDS_VALUE;
    reach(f, target, f->now);
    if (stores) f->now[reg] = kept;
}

/* One instruction; *next is the word behind it, UINT32_MAX when nothing follows. */
static bool visit(Flow *f, uint32_t word, uint32_t *next) {
    Instr instr = f->code->instrs[word];
    Opcode op = code_generic_op(f->code, instr_op(instr));
    instr = (instr & ~(Instr)0xFF) | op;
    uint32_t regs = f->code->regs;
    memcpy(f->raised, f->now, regs * sizeof *f->now);
    bool second = is_pair_before(f, word);
    if (!step(f, word, instr)) return false;
    if (second && instr_a(f->code->instrs[word - 1]) != instr_a(instr))
        give(f, instr_a(f->code->instrs[word - 1]), HOLDS_NOTHING);
    if (!(op >= OP_CALL && op <= OP_CALLEXWG))
        for (uint32_t i = 0; i < regs; i++)
            f->raised[i] |= f->now[i];
    reach_handlers(f, word);
    uint32_t behind = word + code_op_info[op].words;
    if (behind == f->wanted || word + 1 == f->wanted) {
        f->met = true;
        for (uint32_t i = 0; i < regs; i++) {
            f->found[i] |= f->raised[i] | f->now[i];
            f->exact[i] |= f->raises ? f->raised[i] : f->now[i];
        }
    }
    if (code_op_info[op].format[3] == 'j') jump(f, word, instr);
    *next = code_falls_through(op) ? behind : UINT32_MAX;
    return *next == UINT32_MAX || *next < f->code->instr_count || fail(f, word, "no end");
}

static bool visit_from(Flow *f, uint32_t label) {
    uint32_t regs = f->code->regs, word = f->words[label];
    memcpy(f->now, f->states + (size_t)label * regs, regs * sizeof *f->now);
    f->before = UINT32_MAX - 1;
    for (uint32_t at = word;; f->before = at) {
        at = word;
        if (!visit(f, word, &word)) return false;
        if (word == UINT32_MAX) return true;
        if (!f->label[word]) continue;
        reach(f, word, f->now);
        return true;
    }
}

static bool walk(Flow *f) {
    while (f->todo_count) {
        uint32_t label = f->todo[--f->todo_count];
        f->queued[label] = 0;
        if (!visit_from(f, label)) return false;
    }
    return true;
}

/* ---- the start ---- */

static void add_label(Flow *f, int64_t word) {
    if (word >= 0 && word < f->code->instr_count && !f->label[word])
        f->label[word] = ++f->label_count;
}

static void find_labels(Flow *f) {
    const Code *code = f->code;
    add_label(f, 0);
    for (uint32_t i = 0; i < code->range_count; i++)
        add_label(f, code->ranges[i].handler);
    for (uint32_t i = 0; i < code->instr_count;) {
        Instr instr = code->instrs[i]; /* quickened forms jump as the others do */
        if (code_op_info[instr_op(instr)].format[3] == 'j')
            add_label(f, (int64_t)i + 1 + instr_imm(instr));
        i += code_op_info[instr_op(instr)].words;
    }
}

static uint32_t parameter_count(const Code *code) {
    return code->arg_count + code->kwonly_count + !!(code->flags & CODE_VARARGS) +
           !!(code->flags & CODE_VARKEYWORDS);
}

static bool allocate(Flow *f) {
    size_t words = f->code->instr_count, regs = f->code->regs;
    f->label = memory_new_zeroed(f->vm, words + 1, sizeof *f->label);
    f->now = memory_new_zeroed(f->vm, 2 * regs + 2, sizeof *f->now);
    *f->message = 0; /* no memory, so far */
    if (!f->label || !f->now) return false;
    f->raised = f->now + regs + 1;
    find_labels(f);
    size_t labels = f->label_count;
    if (labels * (regs + 1) > STATES_MOST)
        return snprintf(f->message, f->size, "too large to be verified"), false;
    f->states = memory_new_zeroed(f->vm, labels * regs + 1, sizeof *f->states);
    f->known = memory_new_zeroed(f->vm, labels * 2, 1);
    f->todo = memory_new_zeroed(f->vm, labels * 2, sizeof *f->todo);
    if (!f->states || !f->known || !f->todo) return false;
    f->queued = f->known + labels;
    f->words = f->todo + labels;
    for (uint32_t i = 0; i < words; i++)
        if (f->label[i]) f->words[f->label[i] - 1] = i;
    return true;
}

static void free_flow(Flow *f) {
    memory_free(f->label);
    memory_free(f->now);
    memory_free(f->states);
    memory_free(f->known);
    memory_free(f->todo);
}

static bool run(Flow *f) {
    if (!allocate(f)) return false;
    snprintf(f->message, f->size, "it is at a place that is never reached");
    for (uint32_t i = 0; i < f->code->regs; i++)
        f->now[i] = i < parameter_count(f->code) ? HOLDS_VALUE : HOLDS_NOTHING;
    uint32_t extra = f->code->arg_count + f->code->kwonly_count;
    if (f->code->flags & CODE_VARARGS) f->now[extra++] = HOLDS_TUPLE;
    if (f->code->flags & CODE_VARKEYWORDS) f->now[extra] = HOLDS_DICT;
    reach(f, 0, f->now);
    return walk(f);
}

static Flow new_flow(GenVM *vm, const Code *code, char *message, size_t size) {
    bool generator = code->flags & (CODE_GENERATOR | CODE_COROUTINE | CODE_ASYNC_GENERATOR);
    return (Flow){.vm = vm,
                  .code = code,
                  .plain = !generator,
                  .wanted = UINT32_MAX,
                  .message = message,
                  .size = size};
}

bool code_verify_flow(GenVM *vm, const Code *code, char *message, size_t size) {
    Flow flow = new_flow(vm, code, message, size);
    bool ok = run(&flow);
    free_flow(&flow);
    return ok;
}

/* ---- frames ---- */

static bool is_one_of(Value v, uint32_t holds) {
    if (holds & HOLDS_NOTHING) return true;
    if (v == VALUE_UNSET) return holds & (HOLDS_UNSET | HOLDS_HANDLED);
    if (holds & HOLDS_VALUE) return true;
    if (holds & (HOLDS_EXCEPTION | HOLDS_HANDLED) && v == VALUE_NONE) return true;
    if (!is_object(v)) return false;
    uint32_t is = HOLDS_ITERATOR;
    switch (as_object(v)->kind) {
    case TYPE_CELL: is |= HOLDS_CELL; break;
    case TYPE_LIST: is |= HOLDS_LIST; break;
    case TYPE_TUPLE: is |= HOLDS_TUPLE; break;
    case TYPE_DICT: is |= HOLDS_DICT; break;
    case TYPE_SET: is |= HOLDS_SET; break;
    case KIND_EXCEPTION: is |= HOLDS_EXCEPTION | HOLDS_HANDLED; break;
    default: break;
    }
    return holds & is;
}

/* Registers that are about to be stored in, or whose contents only a handler will see. */
static bool is_dest(const FrameCheck *check, uint32_t reg) {
    uint32_t count = check->dest_count ? check->dest_count : 1;
    return check->dest != UINT32_MAX && reg >= check->dest && reg - check->dest < count;
}

static bool check_registers(const Flow *f, const FrameCheck *check, const Holds *exact,
                            const Value *regs) {
    for (uint32_t i = 0; i < f->code->regs; i++) {
        bool dest = is_dest(check, i);
        uint32_t stored = check->iterator ? HOLDS_VALUE | HOLDS_ITERATOR : HOLDS_VALUE;
        if (dest && !check->dest_count && !check->trusted && !(exact[i] & (stored | HOLDS_NOTHING)))
            return snprintf(f->message, f->size, "a result for register %u", i), false;
        uint32_t holds = dest ? exact[i] | f->found[i] : exact[i];
        if (i >= check->count ? holds & HOLDS_NOTHING : is_one_of(regs[i], holds)) continue;
        if (dest && i >= check->count) continue;
        bool live = dest ? frame_register_is_caught(f->vm, f->code, i, check->word)
                         : frame_register_is_live(f->vm, f->code, i, check->word);
        if (!live) continue; /* it may be left over, or have been left out */
        return snprintf(f->message, f->size,
                        "at word %u register %u holds what it cannot hold (%x)", check->word, i,
                        holds),
               false;
    }
    return true;
}

static bool check_start(const Code *code, const Value *regs, char *message, size_t size) {
    for (uint32_t i = 0; i < parameter_count(code); i++)
        if (regs[i] == VALUE_UNSET) return snprintf(message, size, "an argument is missing"), false;
    return true;
}

/* The states at `word`: f->found and f->exact, which are to be freed with it; with `raises` those
 * of the instruction before it alone. */
static bool find_states(Flow *f, uint32_t word, bool raises) {
    uint32_t regs = f->code->regs;
    f->wanted = word;
    f->raises = raises;
    f->found = memory_new_zeroed(f->vm, 2 * regs + 2, sizeof *f->found);
    if (!f->found) return false;
    f->exact = f->found + regs;
    if (!run(f)) return false;
    if (raises || !f->label[word]) return f->met;
    uint32_t label = f->label[word] - 1;
    memcpy(f->exact, f->states + (size_t)label * regs, regs * sizeof *f->exact);
    return f->known[label];
}

bool code_check_frame(GenVM *vm, const Code *code, const FrameCheck *check, const Value *regs,
                      char *message, size_t size) {
    if (check->word == 0) return check_start(code, regs, message, size);
    if (check->word >= code->instr_count + check->raises)
        return snprintf(message, size, "beyond its end"), false;
    *message = 0; /* what there is no memory for has none */
    Flow flow = new_flow(vm, code, message, size);
    bool ok = find_states(&flow, check->word, check->raises) &&
              check_registers(&flow, check, flow.exact, regs);
    memory_free(flow.found);
    free_flow(&flow);
    return ok;
}

static bool add_contents(GenVM *vm, const Code *code, uint32_t word, bool raises, uint8_t *holds) {
    char message[8];
    Flow flow = new_flow(vm, code, message, sizeof message);
    bool ok = find_states(&flow, word, raises);
    for (uint32_t i = 0; ok && i < code->regs; i++)
        holds[i] |=
            !((flow.exact[i] | flow.found[i]) & HOLDS_NOTHING) || !(flow.exact[i] & HOLDS_NOTHING);
    memory_free(flow.found);
    free_flow(&flow);
    return ok;
}

bool code_frame_contents(GenVM *vm, const Code *code, uint32_t word, uint8_t *holds) {
    if (word == 0) { /* what is no parameter is left over from other frames */
        for (uint32_t i = 0; i < code->regs; i++)
            holds[i] = i < parameter_count(code);
        return true;
    }
    if (word > code->instr_count) return false;
    bool raises = code_op_before(code, word) == OP_RAISE; /* or it was jumped to */
    memset(holds, 0, code->regs);
    raises = raises && add_contents(vm, code, word, true, holds);
    return word == code->instr_count ? raises : add_contents(vm, code, word, false, holds);
}
