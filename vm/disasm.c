/* disasm.c - a listing of code, derived from the operand formats of opcodes.def. For people and
 * tests: nothing reads it.
 */
#include "vm/code.h"
#include "vm/objects.h"

#include <string.h>

static void put_constant(StrBuilder *out, Value v) {
    if (is_kind(v, TYPE_CODE)) {
        builder_put_format(out, "<code %S>", AS(Code, v)->qualname);
        return;
    }
    Value text = leaf_repr(out->vm, v);
    if (text == VALUE_TAIL) native_drop_tail(out->vm);
    if (text == VALUE_ERROR) error_clear(out->vm);
    if (text == VALUE_TAIL || text == VALUE_ERROR)
        builder_put_format(out, "<%s>", type_name(out->vm, v));
    else
        builder_put_str(out, text);
}

static void put_register(StrBuilder *out, const Code *code, uint32_t reg) {
    builder_put_format(out, " r%u", reg);
    if (code->varnames && reg < code->varnames->count)
        builder_put_format(out, "(%S)", code->varnames->items[reg]);
}

static void put_operand(StrBuilder *out, const Code *code, char kind, uint32_t operand) {
    switch (kind) {
    case 'r':
    case 'w':
    case 'm':
    case 'v': put_register(out, code, operand); break;
    case 'u': builder_put_format(out, " %u", operand); break;
    default: break;
    }
}

static void put_imm(StrBuilder *out, const Code *code, char kind, uint32_t word, int32_t imm) {
    switch (kind) {
    case 'k':
        builder_put_format(out, " k%d ", imm);
        if (imm >= 0 && (uint32_t)imm < code->const_count) put_constant(out, code->consts[imm]);
        break;
    case 'j': builder_put_format(out, " -> %d", (int32_t)word + 1 + imm); break;
    case 'i': builder_put_format(out, " #%d", imm); break;
    case 'w':
    case 'r': put_register(out, code, (uint32_t)imm); break;
    default: break;
    }
}

static bool is_constant_compare(Opcode op) {
    return op >= OP_JLTK && op <= OP_JNES;
}

static void put_instruction(StrBuilder *out, const Code *code, uint32_t word) {
    Instr instr = code->instrs[word];
    Opcode op = instr_op(instr);
    const OpInfo *info = &code_op_info[op];
    if (code->positions &&
        (word == 0 || code->positions[word].line != code->positions[word - 1].line))
        builder_put_format(out, "%5u ", code->positions[word].line);
    else
        builder_put(out, "      ", 6);
    builder_put_format(out, "%5u %-14s", word, info->name ? info->name : "?");
    put_operand(out, code, info->format[0], instr_a(instr));
    put_operand(out, code, info->format[1], instr_b(instr));
    put_operand(out, code, info->format[2], instr_c(instr));
    put_imm(out, code, info->format[3], word, instr_imm(instr));
    if (is_constant_compare(op) && instr_b(instr) < code->const_count) {
        builder_put_byte(out, ' ');
        put_constant(out, code->consts[instr_b(instr)]);
    }
    if (info->words == 3 && word + 1 < code->instr_count)
        put_imm(out, code, 'k', word, instr_imm(code->instrs[word + 1]));
    builder_put_byte(out, '\n');
}

static void put_code(StrBuilder *out, const Code *code) {
    if (!code_thaw(out->vm, code)) {
        out->failed = true;
        return;
    }
    builder_put_format(out, "%S: %u registers, %u locals, flags 0x%x\n", code->qualname, code->regs,
                       code->local_count, code->flags);
    for (uint32_t word = 0; word < code->instr_count;
         word += code_op_info[instr_op(code->instrs[word])].words)
        put_instruction(out, code, word);
    for (uint32_t i = 0; i < code->range_count; i++) {
        const ExceptionRange *range = &code->ranges[i];
        builder_put_format(out, "      %u..%u -> %u r%u\n", range->start, range->end,
                           range->handler, range->reg);
    }
    for (uint32_t i = 0; i < code->const_count; i++) {
        if (!is_kind(code->consts[i], TYPE_CODE)) continue;
        builder_put_byte(out, '\n');
        put_code(out, AS(Code, code->consts[i]));
    }
}

Value code_disassemble(GenVM *vm, Code *code) {
    StrBuilder out;
    builder_init(&out, vm);
    put_code(&out, code);
    return builder_finish(&out);
}
