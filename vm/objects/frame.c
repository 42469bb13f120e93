/* frame.c - frame objects. A frame object holds the function and the place, and the generator where
 * there is one; locals are read from the registers while the frame is alive, and are those of the
 * last look afterwards.
 */
#include "vm/frame_object.h"
#include "vm/continue.h"
#include "vm/objects.h"

typedef struct FrameObject {
    Object header;
    Value function;
    Value generator; /* VALUE_UNSET: not a generator's */
    Value locals;    /* dict as last seen, or VALUE_UNSET */
    Value back;      /* frame object or None */
    uint32_t word;
} FrameObject;

static FrameObject *frame_object_new(GenVM *vm, Value function, uint32_t word) {
    FrameObject *frame = gc_new(vm, sizeof *frame, TYPE_FRAME);
    if (!frame) return NULL;
    frame->function = function;
    frame->generator = frame->locals = VALUE_UNSET;
    frame->back = VALUE_NONE;
    frame->word = word;
    return frame;
}

Value frame_object_of_traceback(GenVM *vm, Value function, uint32_t word) {
    FrameObject *frame = frame_object_new(vm, function, word);
    return frame ? object_value(frame) : VALUE_ERROR;
}

Value frame_object_of_generator(GenVM *vm, Generator *generator) {
    if (generator->header.state == GENERATOR_DONE) return VALUE_NONE;
    Function *function = generator_function(generator);
    uint32_t word =
        generator_unstarted(generator) ? 0 : (uint32_t)(generator->pc - 1 - function->entry);
    FrameObject *frame = frame_object_new(vm, object_value(function), word);
    if (!frame) return VALUE_ERROR;
    frame->generator = object_value(generator);
    return object_value(frame);
}

/* ---- locals ---- */

static bool hidden(Value name) {
    return AS_STR(name)->size && AS_STR(name)->data[0] == '.';
}

static bool is_cell_register(const Code *code, uint32_t reg) {
    for (uint64_t i = 0; i < code->cellvars->count; i++)
        if (code->cell_regs[i] == reg) return true;
    return false;
}

static bool put_local(GenVM *vm, Dict *dict, Value name, Value v) {
    if (v == VALUE_UNSET || hidden(name)) return true;
    return dict_set_str(vm, dict, name, v);
}

static Value locals_of(GenVM *vm, Function *function, Value *regs, bool started) {
    Code *code = function->code;
    if (code->flags & CODE_CLASS) return regs[0];
    if (code->flags & CODE_MODULE) return object_value(function->globals);
    Value dict = dict_new(vm);
    if (dict == VALUE_ERROR) return VALUE_ERROR;
    uint32_t params = code->arg_count + code->kwonly_count + !!(code->flags & CODE_VARARGS) +
                      !!(code->flags & CODE_VARKEYWORDS);
    for (uint32_t i = 0; i < code->varnames->count; i++) {
        if (!started && i >= params) break;
        Value v = regs[i];
        if (started && is_cell_register(code, i))
            v = is_kind(v, TYPE_CELL) ? AS(Cell, v)->value : v;
        if (!put_local(vm, AS_DICT(dict), code->varnames->items[i], v)) return VALUE_ERROR;
    }
    for (uint64_t i = 0; started && i < code->cellvars->count; i++) {
        if (code->cell_regs[i] < code->varnames->count ||
            !is_kind(regs[code->cell_regs[i]], TYPE_CELL))
            continue;
        if (!put_local(vm, AS_DICT(dict), code->cellvars->items[i],
                       AS(Cell, regs[code->cell_regs[i]])->value))
            return VALUE_ERROR;
    }
    for (uint64_t i = 0; function->closure && i < code->freevars->count; i++)
        if (!put_local(vm, AS_DICT(dict), code->freevars->items[i],
                       AS(Cell, function->closure->items[i])->value))
            return VALUE_ERROR;
    return dict;
}

Value frame_locals(GenVM *vm, Value *base) {
    return locals_of(vm, frame_function(base), base, true);
}

Value *frame_script_base(GenVM *vm, int64_t depth) {
    for (Value *base = vm->base; base; base = frame_caller(base)) {
        if (continue_is_stub(vm, frame_function(base))) continue;
        if (frame_code(base)->flags & CODE_PRELUDE) continue;
        if (depth-- == 0) return base;
    }
    return NULL;
}

/* The instruction word at which the frame `wanted` waits: known to the frame above it. */
static uint32_t word_of(GenVM *vm, Value *wanted) {
    const Instr *pc = vm->pc;
    for (Value *base = vm->base; base && base != wanted; base = frame_caller(base)) {
        pc = frame_return_pc(base);
        if (frame_is_generator(base) && generator_of(base)->exit_pc)
            pc = generator_of(base)->exit_pc;
    }
    return (uint32_t)(pc - 1 - frame_code(wanted)->instrs);
}

Value frame_object_of_caller(GenVM *vm, int64_t depth) {
    Value *base = frame_script_base(vm, depth);
    if (!base) return VALUE_UNSET;
    Value locals = frame_locals(vm, base);
    if (locals == VALUE_ERROR) return VALUE_ERROR;
    FrameObject *frame = frame_object_new(vm, base[FRAME_FUNCTION], word_of(vm, base));
    if (!frame) return VALUE_ERROR;
    frame->locals = locals;
    Value back = frame_object_of_caller(vm, depth + 1);
    if (back == VALUE_ERROR) return VALUE_ERROR;
    frame->back = back == VALUE_UNSET ? VALUE_NONE : back;
    return object_value(frame);
}

/* ---- the type ---- */

static void trace(GenVM *vm, Object *object) {
    FrameObject *frame = (FrameObject *)object;
    gc_mark(vm, frame->function);
    gc_mark(vm, frame->generator);
    gc_mark(vm, frame->locals);
    gc_mark(vm, frame->back);
}

static Function *function_of(Value self) {
    return AS(Function, AS(FrameObject, self)->function);
}

static Value get_code(GenVM *vm, Value self) {
    return (void)vm, object_value(function_of(self)->code);
}
static Value get_globals(GenVM *vm, Value self) {
    return (void)vm, object_value(function_of(self)->globals);
}
static Value get_builtins(GenVM *vm, Value self) {
    return (void)self, object_value(vm->builtins);
}
static Value get_back(GenVM *vm, Value self) {
    return (void)vm, AS(FrameObject, self)->back;
}
static Value get_lasti(GenVM *vm, Value self) {
    return (void)vm, int_value((int64_t)AS(FrameObject, self)->word * 2);
}

static Value get_line(GenVM *vm, Value self) {
    (void)vm;
    FrameObject *frame = AS(FrameObject, self);
    Code *code = function_of(self)->code;
    uint32_t word = frame->word;
    if (frame->generator != VALUE_UNSET) {
        Generator *generator = AS(Generator, frame->generator);
        if (generator_unstarted(generator)) return int_value(code->first_line);
        if (generator->header.state != GENERATOR_DONE)
            word = (uint32_t)(generator->pc - 1 - code->instrs);
    }
    if (!code->positions || word >= code->instr_count) return int_value(code->first_line);
    return int_value(code->positions[word].line);
}

static Value get_locals(GenVM *vm, Value self) {
    FrameObject *frame = AS(FrameObject, self);
    if (frame->generator != VALUE_UNSET &&
        AS(Generator, frame->generator)->header.state != GENERATOR_DONE) {
        Generator *generator = AS(Generator, frame->generator);
        return locals_of(vm, generator_function(generator), generator->regs,
                         !generator_unstarted(generator));
    }
    if (frame->locals != VALUE_UNSET) return frame->locals;
    return dict_new(vm);
}

static const AttributeDef attributes[] = {
    {"f_code", get_code, NULL, "The code being executed."},
    {"f_lineno", get_line, NULL, "The current line."},
    {"f_locals", get_locals, NULL, "The local variables as a dict."},
    {"f_globals", get_globals, NULL, "The global variables."},
    {"f_builtins", get_builtins, NULL, "The builtin names."},
    {"f_back", get_back, NULL, "The calling frame, or None."},
    {"f_lasti", get_lasti, NULL, "The current instruction."},
    {NULL, NULL, NULL, NULL},
};

const BuiltinType frame_type = {
    .name = "frame",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(FrameObject),
    .doc = "A level of the call stack.",
    .attributes = attributes,
    .slots = {.trace = trace},
};
