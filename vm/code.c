/* code.c - the type code: compiled code as an object, and what scripts can ask about it (the co_
 * attributes).
 *
 * The arrays of a Code lie in Buffers of their own, so that replace() can make a variant that
 * shares them.
 */
#include "vm/code.h"

#include "vm/objects.h"

#include <string.h>

#define OP(name, words, format) [OP_##name] = {#name, words, format},
const OpInfo code_op_info[256] = {
#include "vm/opcodes.def"
    [OP_COUNT... 255] = {NULL, 1, "----"},
};
#undef OP

OpPair code_pair(Opcode op) {
    switch (op) {
#define PAIR(name, first, second, ...)                                                             \
    case OP_##name:                                                                                \
        return (OpPair){OP_##first, OP_##second};
#include "vm/pairs.def"
#undef PAIR
    default: return (OpPair){(uint8_t)op, OP_NOP};
    }
}

bool code_falls_through(Opcode op) {
    switch (op) {
    case OP_JMP:
    case OP_RET:
    case OP_RETK:
    case OP_RETGEN:
    case OP_RAISE:
    case OP_RERAISE:
    case OP_ASSERTFAIL: return false;
    default: return true;
    }
}

/* The factor is 2^62 / d, made larger by less than 256 for the opcode at its end. The product with
 * 4n, n the dividend, is then too large by less than 2^10 n, which does not show in the quotient as
 * long as n d is below 2^54. Powers of two need no factor. */
Instr code_reciprocal(Value divisor) {
    int64_t d = is_int(divisor) ? as_int(divisor) : 0;
    if (d < 3 || d >= (int64_t)1 << (54 - RECIPROCAL_BITS) || (d & (d - 1)) == 0) return OP_SKIP1;
    uint64_t least = ((uint64_t)1 << 62) / (uint64_t)d + 1;
    return ((least - OP_SKIP1 + 255) & ~(uint64_t)255) | OP_SKIP1;
}

Code *code_new(GenVM *vm) {
    Code *code = gc_new(vm, sizeof(Code), TYPE_CODE);
    if (code)
        code->name = code->qualname = code->filename = code->doc = code->source_lines = VALUE_UNSET;
    return code;
}

void *code_reserve(GenVM *vm, Code *code, CodePart part, size_t size) {
    Buffer *buffer = gc_buffer_new(vm, size);
    if (!buffer) return NULL;
    gc_barrier(vm, code);
    code->storage[part] = buffer;
    void *room = buffer->data;
    switch (part) {
    case CODE_INSTRS: code->instrs = room; break;
    case CODE_CONSTS: code->consts = room; break;
    case CODE_RANGES: code->ranges = room; break;
    case CODE_POSITIONS: code->positions = room; break;
    case CODE_CELL_REGS: code->cell_regs = room; break;
    case CODE_INLINED: code->inlined = room; break;
    case CODE_LOOPS: code->loops = room; break;
    }
    return room;
}

/* ---- attributes
 * -----------------------------------------------------------------------------------------------
 */

static Code *code_of(Value self) {
    return AS(Code, self);
}

static Value name(GenVM *vm, Value self) {
    return (void)vm, code_of(self)->name;
}
static Value qualname(GenVM *vm, Value self) {
    return (void)vm, code_of(self)->qualname;
}
static Value filename(GenVM *vm, Value self) {
    return (void)vm, code_of(self)->filename;
}
static Value first_line(GenVM *vm, Value self) {
    return (void)vm, int_value(code_of(self)->first_line);
}
static Value posonly_count(GenVM *vm, Value self) {
    return (void)vm, int_value(code_of(self)->posonly_count);
}
static Value kwonly_count(GenVM *vm, Value self) {
    return (void)vm, int_value(code_of(self)->kwonly_count);
}

/* The namespace that a class body gets is no argument to scripts. */
static Value arg_count(GenVM *vm, Value self) {
    (void)vm;
    return int_value(code_of(self)->flags & CODE_CLASS ? 0 : code_of(self)->arg_count);
}

static Value stack_size(GenVM *vm, Value self) {
    (void)vm;
    return int_value(code_of(self)->regs - code_of(self)->local_count);
}

static Value flags(GenVM *vm, Value self) {
    (void)vm;
    return int_value(code_of(self)->flags & ~(uint32_t)(CODE_NAMESPACE | CODE_MODULE | CODE_CLASS));
}

static Value tuple_or_empty(GenVM *vm, const Tuple *tuple) {
    return tuple ? object_value(tuple) : vm->empty_tuple;
}

/* Without the registers that hold no variable. */
static Value varnames(GenVM *vm, Value self) {
    const Tuple *all = code_of(self)->varnames;
    if (!all) return vm->empty_tuple;
    Value list = list_new(vm, all->count);
    for (uint64_t i = 0; list != VALUE_ERROR && i < all->count; i++) {
        if (str_is(all->items[i], ".namespace") || str_is(all->items[i], ".scratch")) continue;
        if (!list_append(vm, list, all->items[i])) return VALUE_ERROR;
    }
    return list == VALUE_ERROR ? list : list_to_tuple(vm, list);
}

static Value local_count(GenVM *vm, Value self) {
    Value names = varnames(vm, self);
    return names == VALUE_ERROR ? names : int_value((int64_t)AS_TUPLE(names)->count);
}

static Value cellvars(GenVM *vm, Value self) {
    return tuple_or_empty(vm, code_of(self)->cellvars);
}
static Value freevars(GenVM *vm, Value self) {
    return tuple_or_empty(vm, code_of(self)->freevars);
}

static Value consts(GenVM *vm, Value self) {
    if (!code_thaw(vm, code_of(self))) return VALUE_ERROR;
    return tuple_from_array(vm, code_of(self)->consts, code_of(self)->const_count);
}

static Value instructions(GenVM *vm, Value self) {
    if (!code_thaw(vm, code_of(self))) return VALUE_ERROR;
    return bytes_new(vm, code_of(self)->instrs, code_of(self)->instr_count * sizeof(Instr));
}

/* The constant that names a global or attribute in the instruction at `word`, or VALUE_UNSET. */
static Value used_name(const Code *code, uint32_t word) {
    switch (code_generic_op(code, instr_op(code->instrs[word]))) {
    case OP_GETGLOBAL:
    case OP_SETGLOBAL:
    case OP_DELGLOBAL:
    case OP_GETNAME:
    case OP_SETNAME:
    case OP_DELNAME:
    case OP_DELATTR:
    case OP_IMPORT:
    case OP_IMPORTFROM: return code->consts[instr_imm(code->instrs[word])];
    case OP_GETATTR:
    case OP_SETATTR:
    case OP_LDMETH:
    case OP_LDMETHG:
    case OP_LDSUPERM:
    case OP_LDSUPERMG:
    case OP_LDSUPER: return code->consts[instr_imm(code->instrs[word + 1])];
    default: return VALUE_UNSET;
    }
}

static Value names(GenVM *vm, Value self) {
    const Code *code = code_of(self);
    Value seen = dict_new(vm), list = list_new(vm, 0);
    if (!code_thaw(vm, code) || seen == VALUE_ERROR || list == VALUE_ERROR) return VALUE_ERROR;
    for (uint32_t i = 0; i < code->instr_count;
         i += code_op_info[instr_op(code->instrs[i])].words) {
        Value used = used_name(code, i);
        if (used == VALUE_UNSET || dict_get_str(vm, AS_DICT(seen), used) != VALUE_UNSET) continue;
        if (!dict_set_str(vm, AS_DICT(seen), used, VALUE_NONE) || !list_append(vm, list, used))
            return VALUE_ERROR;
    }
    return list_to_tuple(vm, list);
}

/* ---- methods
 * --------------------------------------------------------------------------------------------------
 */

static Value number_or_none(uint32_t line, uint32_t number) {
    return line ? int_value(number) : VALUE_NONE;
}

/* (line, end line, column, end column) for each word. */
static Value positions(GenVM *vm, Value *args) {
    const Code *code = code_of(args[0]);
    if (!code_thaw(vm, code)) return VALUE_ERROR;
    Value list = list_new(vm, code->instr_count);
    for (uint32_t i = 0; list != VALUE_ERROR && code->positions && i < code->instr_count; i++) {
        const Position *p = &code->positions[i];
        Value place = tuple_pack(
            vm, 4, number_or_none(p->line, p->line), number_or_none(p->line, p->end_line),
            number_or_none(p->line, p->col), number_or_none(p->line, p->end_col));
        if (place == VALUE_ERROR || !list_append(vm, list, place)) return VALUE_ERROR;
    }
    return list == VALUE_ERROR ? list : leaf_iter(vm, list);
}

/* (start, end, line) for each run of words of one line, in bytes. */
static Value lines(GenVM *vm, Value *args) {
    const Code *code = code_of(args[0]);
    if (!code_thaw(vm, code)) return VALUE_ERROR;
    Value list = list_new(vm, 0);
    for (uint32_t start = 0, end;
         list != VALUE_ERROR && code->positions && start < code->instr_count; start = end) {
        uint32_t line = code->positions[start].line;
        for (end = start + 1; end < code->instr_count && code->positions[end].line == line; end++) {
        }
        Value run = tuple_pack(vm, 3, int_value((int64_t)start * 8), int_value((int64_t)end * 8),
                               number_or_none(line, line));
        if (run == VALUE_ERROR || !list_append(vm, list, run)) return VALUE_ERROR;
    }
    return list == VALUE_ERROR ? list : leaf_iter(vm, list);
}

static Value given_or(Value given, Value otherwise) {
    return given == VALUE_UNSET ? otherwise : given;
}

static Value replace(GenVM *vm, Value *args) {
    const Code *code = code_of(args[0]);
    Code *copy = code_thaw(vm, code) ? code_new(vm) : NULL;
    if (!copy) return VALUE_ERROR;
    Object header = copy->header;
    *copy = *code;
    copy->header = header;
    copy->image = NULL;
    copy->name = given_or(args[1], code->name);
    copy->qualname = given_or(args[2], code->qualname);
    copy->filename = given_or(args[3], code->filename);
    int64_t line, visible;
    if (args[4] != VALUE_UNSET && int_to_i64(args[4], &line)) copy->first_line = (uint32_t)line;
    if (args[5] != VALUE_UNSET && int_to_i64(args[5], &visible)) {
        uint32_t own = code->flags & (CODE_NAMESPACE | CODE_MODULE | CODE_CLASS);
        copy->flags =
            ((uint32_t)visible & ~(uint32_t)(CODE_NAMESPACE | CODE_MODULE | CODE_CLASS)) | own;
    }
    return object_value(copy);
}

/* ---- slots and table
 * ------------------------------------------------------------------------------------------ */

static Value repr(GenVM *vm, Value self) {
    const Code *code = code_of(self);
    return str_format(vm, "<code object %S at %p, file \"%S\", line %u>", code->name,
                      (void *)as_object(self), code->filename, code->first_line);
}

static void trace(GenVM *vm, Object *object) {
    Code *code = (Code *)object;
    for (uint32_t i = 0; i < code->const_count; i++)
        gc_mark(vm, code->consts[i]);
    gc_mark_pointer(vm, code->varnames);
    gc_mark_pointer(vm, code->cellvars);
    gc_mark_pointer(vm, code->freevars);
    gc_mark(vm, code->name);
    gc_mark(vm, code->qualname);
    gc_mark(vm, code->filename);
    gc_mark(vm, code->doc);
    gc_mark(vm, code->source_lines);
    gc_mark_pointer(vm, code->image);
    gc_mark_pointer(vm, code->plans);
    gc_mark_pointer(vm, code->frozen_names);
    for (int i = 0; code->plans && i < CODE_PLANS; i++)
        gc_mark(vm, ((CodePlan *)code->plans->data)[i].names);
    for (size_t i = 0; i < sizeof code->storage / sizeof *code->storage; i++)
        gc_mark_pointer(vm, code->storage[i]);
}

static const NativeDef code_methods[] = {
    {"co_positions(self, /)", positions, "Iterator over the source positions of the instructions."},
    {"co_lines(self, /)", lines, "Iterator over the runs of instructions of one line."},
    {"replace(self, /, *, co_name: str = ?, co_qualname: str = ?, co_filename: str = ?, "
     "co_firstlineno: int = ?, "
     "co_flags: int = ?)",
     replace, "A copy with new values for the given fields."},
    {"__replace__(self, /, *, co_name: str = ?, co_qualname: str = ?, co_filename: str = ?, "
     "co_firstlineno: int = ?, "
     "co_flags: int = ?)",
     replace, "The same, for copy.replace()."},
    {NULL, NULL, NULL},
};

static const AttributeDef code_attributes[] = {
    {"co_name", name, NULL, "Name of the function."},
    {"co_qualname", qualname, NULL, "Qualified name of the function."},
    {"co_filename", filename, NULL, "Name of the source file."},
    {"co_firstlineno", first_line, NULL, "First line in the source."},
    {"co_argcount", arg_count, NULL, "Number of positional parameters."},
    {"co_posonlyargcount", posonly_count, NULL, "Number of positional-only parameters."},
    {"co_kwonlyargcount", kwonly_count, NULL, "Number of keyword-only parameters."},
    {"co_nlocals", local_count, NULL, "Number of local variables."},
    {"co_stacksize", stack_size, NULL, "Number of registers beside the variables."},
    {"co_flags", flags, NULL, "Bits that tell the kind of code."},
    {"co_code", instructions, NULL, "The instructions."},
    {"co_consts", consts, NULL, "The constants."},
    {"co_names", names, NULL, "Names of globals and attributes."},
    {"co_varnames", varnames, NULL, "Names of parameters and local variables."},
    {"co_cellvars", cellvars, NULL, "Names of variables that inner functions use."},
    {"co_freevars", freevars, NULL, "Names of variables of outer functions."},
    {NULL, NULL, NULL, NULL},
};

const BuiltinType code_type = {
    .name = "code",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Code),
    .doc = "Compiled code.",
    .methods = code_methods,
    .attributes = code_attributes,
    .slots = {.repr = repr, .trace = trace},
};
