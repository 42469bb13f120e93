/* verify.c - checks the structure of code before it runs: that every operand names what exists.
 *
 * It proves no types and no flow of values; after it, an instruction reads and writes inside the
 * frame, takes constants that are there, and jumps to instructions.
 */
#include "vm/code.h"
#include "vm/memory.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct Verifier {
    const Code *code;
    uint8_t *starts; /* 1 where an instruction starts */
    char *message;
    size_t size;
} Verifier;

static bool fail(const Verifier *v, uint32_t word, const char *format, ...) {
    int used = snprintf(v->message, v->size, "word %u: ", word);
    va_list args;
    va_start(args, format);
    if (used >= 0 && (size_t)used < v->size)
        vsnprintf(v->message + used, v->size - (size_t)used, format, args);
    va_end(args);
    return false;
}

static bool is_plain(const Code *code) {
    return !(code->flags & (CODE_GENERATOR | CODE_COROUTINE | CODE_ASYNC_GENERATOR));
}

uint32_t code_window_size(const Code *code, Instr instr) {
    uint32_t link = is_plain(code) ? 4 : 1, imm = (uint32_t)instr_imm(instr);
    switch (instr_op(instr)) {
    case OP_CALL:
    case OP_CALLG:
    case OP_CALLM:
    case OP_CALLMG:
    case OP_CALLKW:
    case OP_CALLKWG:
    case OP_CALLW:
    case OP_CALLWG:
    case OP_CALLMW:
    case OP_CALLMWG: return instr_b(instr) ? link + instr_b(instr) : 1;
    case OP_CALLEX:
    case OP_CALLEXG:
    case OP_CALLEXW:
    case OP_CALLEXWG: return 3;
    case OP_NEWLIST:
    case OP_NEWTUPLE:
    case OP_NEWSET:
    case OP_JOINSTR:
    case OP_UNPACK:
    case OP_GETSLICE: return imm;
    case OP_NEWDICT: return 2 * imm;
    case OP_UNPACKEX: return instr_c(instr) + 1 + imm;
    case OP_IMPORT:
    case OP_MATCHCLASS:
    case OP_LDSPECIAL:
    case OP_EGMATCH: return 2;
    case OP_LDSUPER:
    case OP_LDSUPERM:
    case OP_LDSUPERMG:
    case OP_NEWSLICE:
    case OP_SETSLICE: return 3;
    case OP_MKFUNC: return (uint32_t)__builtin_popcount(instr_c(instr));
    case OP_LDMETH:
    case OP_LDMETHG: return link + 1;
    default: return 1;
    }
}

static bool check_register(const Verifier *v, uint32_t word, uint32_t reg, uint32_t count) {
    if (count == 0 || (uint64_t)reg + count <= v->code->regs) return true;
    return fail(v, word, "%s: register %u of %u",
                code_op_info[instr_op(v->code->instrs[word])].name, reg + count - 1, v->code->regs);
}

/* Some instructions write two registers though one is named. */
static bool writes_more(Opcode op) {
    return op == OP_LDSPECIAL || op == OP_EGMATCH || op == OP_LDMETH || op == OP_LDMETHG;
}

static bool check_operand(const Verifier *v, uint32_t word, char kind, uint32_t operand,
                          bool is_first) {
    Instr instr = v->code->instrs[word];
    switch (kind) {
    case 'w':
        if (is_first && (instr_op(instr) == OP_LDSUPERM || instr_op(instr) == OP_LDSUPERMG))
            return check_register(v, word, operand, (is_plain(v->code) ? 4 : 1) + 1);
        if (is_first && writes_more(instr_op(instr)))
            return check_register(v, word, operand, code_window_size(v->code, instr));
        return check_register(v, word, operand, 1);
    case 'r':
    case 'm': return check_register(v, word, operand, 1);
    case 'v': return check_register(v, word, operand, code_window_size(v->code, instr));
    default: return true;
    }
}

static bool check_constant(const Verifier *v, uint32_t word, int32_t index) {
    if (index >= 0 && (uint32_t)index < v->code->const_count) return true;
    return fail(v, word, "constant %d of %u", index, v->code->const_count);
}

static bool check_target(const Verifier *v, uint32_t word, int64_t target) {
    if (target >= 0 && target < v->code->instr_count && v->starts[target]) return true;
    return fail(v, word, "a jump to %lld, which starts no instruction", (long long)target);
}

static bool check_imm(const Verifier *v, uint32_t word, char kind, int32_t imm) {
    switch (kind) {
    case 'k': return check_constant(v, word, imm);
    case 'j': return check_target(v, word, (int64_t)word + 1 + imm);
    case 'r': return check_register(v, word, (uint32_t)imm, 1);
    case 'w':
        return check_register(v, word, (uint32_t)imm,
                              code_window_size(v->code, v->code->instrs[word]));
    default: return true;
    }
}

/* A pair is followed by its second instruction, to which it gives an operand. */
static bool check_pair(const Verifier *v, uint32_t word) {
    Instr instr = v->code->instrs[word];
    OpPair pair = code_pair(instr_op(instr));
    if (pair.second == OP_NOP) return true;
    uint32_t other = (uint32_t)instr_imm(instr) >> 8 & 255;
    if (word + 1 == v->code->instr_count ||
        code_pair(instr_op(v->code->instrs[word + 1])).first != pair.second)
        return fail(v, word, "%s without its second half", code_op_info[instr_op(instr)].name);
    return check_register(v, word, other, 1);
}

/* Calls whose first argument is the receiver's place. */
static bool is_method_call(Instr instr) {
    switch (instr_op(instr)) {
    case OP_CALLM:
    case OP_CALLMG:
    case OP_CALLMW:
    case OP_CALLMWG: return true;
    case OP_CALLKW:
    case OP_CALLKWG: return instr_c(instr) & 1;
    default: return false;
    }
}

static bool check_instruction(const Verifier *v, uint32_t word) {
    Instr instr = v->code->instrs[word];
    Opcode op = instr_op(instr);
    const OpInfo *info = &code_op_info[op];
    if (!info->name) return fail(v, word, "%u is no instruction", (unsigned)op);
    if (op == OP_CONT || op == OP_HALT || op == OP_THAW)
        return fail(v, word, "%s is for the engine's own code", info->name);
    if (!check_operand(v, word, info->format[0], instr_a(instr), true)) return false;
    if (!check_operand(v, word, info->format[1], instr_b(instr), false)) return false;
    if (!check_operand(v, word, info->format[2], instr_c(instr), false)) return false;
    if (!check_imm(v, word, info->format[3], instr_imm(instr))) return false;
    if (op == OP_YIELDFROMH && (!check_register(v, word, handling_exception(instr), 1) ||
                                !check_register(v, word, handling_outer(instr), 1)))
        return false;
    if (is_method_call(instr) && instr_b(instr) == 0)
        return fail(v, word, "%s without a receiver", info->name);
    if (op >= OP_JLTK && op <= OP_JNES && !check_constant(v, word, (int32_t)instr_b(instr)))
        return false;
    if ((op == OP_JEQS || op == OP_JNES) && !is_exact(v->code->consts[instr_b(instr)], TYPE_STR))
        return fail(v, word, "%s with no str", info->name);
    if (info->words == 3) return check_constant(v, word, instr_imm(v->code->instrs[word + 1]));
    if ((op == OP_FLOORDIVK || op == OP_MODK) &&
        v->code->instrs[word + 1] != code_reciprocal(v->code->consts[instr_imm(instr)]))
        return fail(v, word, "%s with a wrong reciprocal", info->name);
    return check_pair(v, word);
}

static bool mark_starts(const Verifier *v) {
    uint32_t word = 0;
    while (word < v->code->instr_count) {
        v->starts[word] = 1;
        uint32_t words = code_op_info[instr_op(v->code->instrs[word])].words;
        if (words > 1 && word + 1 < v->code->instr_count &&
            instr_op(v->code->instrs[word + 1]) != (words == 2 ? OP_SKIP1 : OP_SKIP2))
            return fail(v, word, "data words without their mark");
        word += words;
    }
    return word == v->code->instr_count || fail(v, word, "the last instruction is cut off");
}

static bool check_end(const Verifier *v) {
    uint32_t last = v->code->instr_count;
    while (last > 0 && !v->starts[last - 1])
        last--;
    if (last == 0) return fail(v, 0, "no instructions");
    if (code_falls_through(instr_op(v->code->instrs[last - 1])))
        return fail(v, last - 1, "the code runs off its end");
    return true;
}

static bool check_ranges(const Verifier *v) {
    for (uint32_t i = 0; i < v->code->range_count; i++) {
        const ExceptionRange *range = &v->code->ranges[i];
        if (range->start >= range->end || range->end > v->code->instr_count)
            return fail(v, range->start, "an exception range to %u", range->end);
        if (!check_target(v, range->start, range->handler)) return false;
        if (range->reg >= v->code->regs)
            return fail(v, range->start, "an exception register %u", range->reg);
    }
    return true;
}

static bool check_inlined(const Verifier *v) {
    for (uint32_t i = 0; i < v->code->inlined_count; i++) {
        const InlinedVariable *variable = &v->code->inlined[i];
        if (variable->start > variable->end || variable->end > v->code->instr_count ||
            variable->reg >= v->code->regs || variable->name >= v->code->const_count ||
            !value_is_str(v->code->consts[variable->name]))
            return fail(v, variable->start, "a comprehension's variable in register %u",
                        variable->reg);
    }
    return true;
}

static bool check_loops(const Verifier *v) {
    for (uint32_t i = 0; i < v->code->loop_count; i++) {
        const LoopRange *loop = &v->code->loops[i];
        if (loop->start > loop->end || loop->end > v->code->instr_count ||
            loop->reg >= v->code->regs)
            return fail(v, loop->start, "a loop over register %u", loop->reg);
    }
    uint32_t params = v->code->arg_count < 32 ? v->code->arg_count : 32;
    if (params < 32 && v->code->iterated_params >> params)
        return fail(v, 0, "iterated parameters %x", v->code->iterated_params);
    return true;
}

static bool check_all(const Verifier *v) {
    if (!mark_starts(v) || !check_end(v) || !check_ranges(v) || !check_inlined(v) ||
        !check_loops(v))
        return false;
    for (uint32_t word = 0; word < v->code->instr_count; word++)
        if (v->starts[word] && !check_instruction(v, word)) return false;
    if (v->code->local_count > v->code->regs) return fail(v, 0, "%u locals", v->code->local_count);
    for (uint64_t i = 0; v->code->cellvars && i < v->code->cellvars->count; i++)
        if (v->code->cell_regs[i] >= v->code->regs)
            return fail(v, 0, "a cell in register %u", v->code->cell_regs[i]);
    return true;
}

bool code_verify(GenVM *vm, const Code *code, char *message, size_t size) {
    Verifier v = {code, memory_new_zeroed(vm, code->instr_count + 1, 1), message, size};
    if (!v.starts) return *message = 0, false;
    bool done = check_all(&v);
    memory_free(v.starts);
    return done;
}

Instr code_instr_before(const Code *code, uint32_t word) {
    for (uint32_t at = 0; at < word && at < code->instr_count;) {
        Instr instr = code->instrs[at];
        if (at + 1 == word) return instr;
        at += code_op_info[instr_op(instr)].words;
        if (at == word) return instr;
    }
    return 0;
}

Opcode code_op_before(const Code *code, uint32_t word) {
    Instr instr = code_instr_before(code, word);
    return instr ? instr_op(instr) : OP_COUNT;
}

/* ---- code from images ---- */

Opcode code_generic_op(const Code *code, Opcode op) {
    switch (op) {
    case OP_GETGLOBAL_DICT:
    case OP_GETGLOBAL_BUILTIN:
    case OP_GETGLOBAL_TYPE:
    case OP_GETGLOBAL_NATIVE:
    case OP_GETGLOBAL_LEN:
    case OP_GETGLOBAL_NEXT: return OP_GETGLOBAL;
    case OP_FORITER_RANGE:
    case OP_FORITER_GEN:
    case OP_FORITERG_GEN:
    case OP_FORITER_LIST: return is_plain(code) ? OP_FORITER : OP_FORITERG;
    case OP_GETATTR_SLOT:
    case OP_GETATTR_SLOT_ADD:
    case OP_GETATTR_SLOT_ADDI:
    case OP_GETATTR_VALUE:
    case OP_GETATTR_PROPERTY:
    case OP_GETATTR_MODULE:
    case OP_GETATTR_CLASS: return OP_GETATTR;
    case OP_SETATTR_SLOT:
    case OP_SETATTR_ADD: return OP_SETATTR;
    case OP_LDMETH_METHOD:
    case OP_LDMETH_MODULE:
    case OP_LDMETH_CLASS: return OP_LDMETH;
    case OP_LDMETHG_METHOD:
    case OP_LDMETHG_MODULE:
    case OP_LDMETHG_CLASS: return OP_LDMETHG;
    default: return op;
    }
}

/* 1: only in code of generators, -1: only in plain code, 0: in both. */
static int belongs_to(Opcode op) {
    switch (op) {
    case OP_FORITERG:
    case OP_CALLG:
    case OP_CALLMG:
    case OP_CALLKWG:
    case OP_CALLEXG:
    case OP_CALLWG:
    case OP_CALLMWG:
    case OP_CALLEXWG:
    case OP_LDMETHG:
    case OP_LDSUPERMG:
    case OP_YIELD:
    case OP_YIELDWRAP:
    case OP_YIELDFROM:
    case OP_YIELDFROMH:
    case OP_RETGEN:
    case OP_ENDPARAMS: return 1;
    case OP_FORITER:
    case OP_CALL:
    case OP_CALLM:
    case OP_CALLKW:
    case OP_CALLEX:
    case OP_CALLW:
    case OP_CALLMW:
    case OP_CALLEXW:
    case OP_LDMETH:
    case OP_LDSUPERM:
    case OP_RET:
    case OP_RETK: return -1;
    default: return 0;
    }
}

static bool is_name(Value v) {
    return is_exact(v, TYPE_STR) && as_object(v)->flags & STR_INTERNED;
}

/* What an instruction takes its constant for: 'n' a name, 's' a str, 'c' code, 't' a tuple of str.
 */
static char constant_kind(Opcode op) {
    switch (op) {
    case OP_CHECK:
    case OP_DELLOCAL:
    case OP_GETGLOBAL:
    case OP_SETGLOBAL:
    case OP_DELGLOBAL:
    case OP_GETNAME:
    case OP_SETNAME:
    case OP_DELNAME:
    case OP_GETNAMEFREE:
    case OP_GETCELL:
    case OP_DELCELL:
    case OP_DELATTR:
    case OP_IMPORT:
    case OP_IMPORTFROM: return 'n';
    case OP_MKFUNC: return 'c';
    case OP_CALLKW:
    case OP_CALLKWG: return 't';
    default: return 0;
    }
}

static bool check_keywords(const Verifier *v, uint32_t word, Instr instr, Value names) {
    uint64_t count = is_exact(names, TYPE_TUPLE) ? AS_TUPLE(names)->count : UINT64_MAX;
    if (count > instr_b(instr) - (instr_c(instr) & 1)) return fail(v, word, "keywords of a call");
    for (uint64_t i = 0; i < count; i++)
        if (!is_name(AS_TUPLE(names)->items[i])) return fail(v, word, "a keyword that is no name");
    return true;
}

static bool check_constant_kind(const Verifier *v, uint32_t word, Instr instr) {
    Opcode op = instr_op(instr);
    const Value *consts = v->code->consts;
    if (code_op_info[op].words == 3 && !is_name(consts[instr_imm(v->code->instrs[word + 1])]))
        return fail(v, word, "an attribute without a name");
    Value constant = code_op_info[op].format[3] == 'k' ? consts[instr_imm(instr)] : VALUE_UNSET;
    switch (constant_kind(op)) {
    case 'n': return is_name(constant) || fail(v, word, "a name that is none");
    case 'c': return is_kind(constant, TYPE_CODE) || fail(v, word, "a function without code");
    case 't': return check_keywords(v, word, instr, constant);
    default: return true;
    }
}

static bool check_free(const Verifier *v, uint32_t word, Instr instr) {
    uint64_t count = v->code->freevars ? v->code->freevars->count : 0, index;
    switch (instr_op(instr)) {
    case OP_GETFREE:
    case OP_SETFREE:
    case OP_DELFREE:
    case OP_FREECELL: index = (uint32_t)instr_imm(instr); break;
    case OP_GETNAMEFREE: index = instr_c(instr); break;
    default: return true;
    }
    return index < count || fail(v, word, "free variable %u", (unsigned)index);
}

static bool check_for_image(const Verifier *v, uint32_t word) {
    Instr instr = v->code->instrs[word];
    Opcode op = instr_op(instr);
    if (code_generic_op(v->code, op) != op)
        return fail(v, word, "%s is no compiler's", code_op_info[op].name);
    if (belongs_to(op) == (is_plain(v->code) ? 1 : -1))
        return fail(v, word, "%s in the wrong kind of code", code_op_info[op].name);
    if (op == OP_LDSPECIAL && instr_c(instr) >= SPECIAL_COUNT)
        return fail(v, word, "special method %u", instr_c(instr));
    if (op >= OP_CALL && op <= OP_CALLMG && word + 1 + instr_c(instr) > v->code->instr_count)
        return fail(v, word, "a taker of the result behind the end");
    return check_constant_kind(v, word, instr) && check_free(v, word, instr);
}

static bool are_names(const Tuple *names) {
    for (uint64_t i = 0; names && i < names->count; i++)
        if (!is_name(names->items[i])) return false;
    return true;
}

static bool check_signature(const Verifier *v) {
    const Code *code = v->code;
    uint64_t params = (uint64_t)code->arg_count + code->kwonly_count +
                      !!(code->flags & CODE_VARARGS) + !!(code->flags & CODE_VARKEYWORDS);
    uint32_t kinds = !!(code->flags & CODE_GENERATOR) + !!(code->flags & CODE_COROUTINE) +
                     !!(code->flags & CODE_ASYNC_GENERATOR);
    if (code->flags & CODE_STUB || kinds > 1) return fail(v, 0, "flags %x", code->flags);
    if (code->regs == 0 || code->arg_count > code->regs || code->kwonly_count > code->regs ||
        params > code->local_count || code->posonly_count > code->arg_count)
        return fail(v, 0, "%u parameters", (unsigned)params);
    if (code->flags & CODE_CLASS && code->arg_count == 0) return fail(v, 0, "no namespace");
    uint64_t names = code->varnames ? code->varnames->count : 0;
    if (names < params || names > code->local_count || !are_names(code->varnames) ||
        !are_names(code->cellvars) || !are_names(code->freevars))
        return fail(v, 0, "names of variables");
    if (code->doc != VALUE_NONE && !value_is_str(code->doc)) return fail(v, 0, "no docstring");
    return true;
}

static bool check_more(const Verifier *v) {
    if (!mark_starts(v) || !check_signature(v)) return false;
    for (uint32_t word = 0; word < v->code->instr_count; word++)
        if (v->starts[word] && !check_for_image(v, word)) return false;
    for (uint32_t i = 0; i < v->code->range_count; i++)
        if (!v->starts[v->code->ranges[i].start])
            return fail(v, 0, "a range within an instruction");
    return true;
}

bool code_verify_image(GenVM *vm, const Code *code, char *message, size_t size) {
    Verifier v = {code, memory_new_zeroed(vm, code->instr_count + 1, 1), message, size};
    if (!v.starts) return *message = 0, false;
    bool done = check_all(&v) && check_more(&v);
    memory_free(v.starts);
    return done && code_verify_flow(vm, code, message, size);
}
