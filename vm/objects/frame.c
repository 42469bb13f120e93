/* frame.c - frame objects. A frame object knows where its frame is, not what is in it: line, locals
 * and caller are read from the running frame or the generator when they are asked for. When the
 * frame is gone they are those of the moment when the object was made.
 *
 * A frame on the stack is known by its place, its function and where it returns to. A later call
 * that agrees in all three is taken for the same one: a return need not tell anybody.
 */
#include "vm/frame_object.h"
#include "vm/continue.h"
#include "vm/image_custom.h"
#include "vm/objects.h"

FrameObject *frame_object_new(GenVM *vm, Value function, uint32_t word) {
    FrameObject *frame = gc_new(vm, sizeof *frame, TYPE_FRAME);
    if (!frame) return NULL;
    frame->function = function;
    frame->generator = frame->locals = VALUE_UNSET;
    frame->back = VALUE_NONE;
    frame->offset = -1;
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
    frame->back = VALUE_UNSET;
    return object_value(frame);
}

/* ---- running frames ---- */

/* A level of the call stack as scripts see it. The generators that wait in a `yield from` for the
 * running one are levels, though they are not in the engine's chain of frames. */
typedef struct Level {
    Value *base; /* NULL: beyond the outermost */
    const Instr *pc;
    Value *caller; /* of the frame in the chain */
    const Instr *caller_pc;
    Generator *root; /* of the delegation that the level is part of, or NULL */
} Level;

static Level level_at(Value *base, const Instr *pc) {
    if (!base) return (Level){NULL, NULL, NULL, NULL, NULL};
    Level level = {base, pc, frame_caller(base), frame_return_pc(base), NULL};
    if (!frame_is_generator(base)) return level;
    Generator *generator = generator_of(base);
    if (generator->exit_pc) level.caller_pc = generator->exit_pc;
    level.root = generator->root;
    return level;
}

static Level outward(Level level) {
    Generator *generator = level.root ? generator_of(level.base) : NULL;
    if (!generator || generator == level.root || !generator->parent)
        return level_at(level.caller, level.caller_pc);
    level.base = generator->parent->regs;
    level.pc = generator->parent->pc;
    return level;
}

static bool is_hidden(GenVM *vm, Value *base) {
    return continue_is_stub(vm, frame_function(base)) || frame_code(base)->flags & CODE_PRELUDE;
}

/* The nearest frame of script code from `level` on outward. */
static Level script_level(GenVM *vm, Level level) {
    while (level.base && is_hidden(vm, level.base))
        level = outward(level);
    return level;
}

enum { LEVELS_A_STEP = 16 };

static Level script_level_at(GenVM *vm, int64_t depth) {
    Level level = script_level(vm, level_at(vm->base, vm->pc));
    int64_t walked = 0;
    for (; level.base && walked < depth; walked++)
        level = script_level(vm, outward(level));
    native_spend(vm, (uint64_t)walked / LEVELS_A_STEP);
    return level;
}

Value *frame_script_base(GenVM *vm, int64_t depth) {
    return script_level_at(vm, depth).base;
}

static uint32_t level_word(Level level);

bool frame_script_at(GenVM *vm, int64_t depth, Value **base, uint32_t *word) {
    Level level = script_level_at(vm, depth);
    if (!level.base) return false;
    *base = level.base;
    *word = level_word(level);
    return true;
}

static Level find_level(GenVM *vm, const Value *base) {
    Level level = level_at(vm->base, vm->pc);
    uint64_t walked = 0;
    for (; level.base && level.base != base; walked++)
        level = outward(level);
    native_spend(vm, walked / LEVELS_A_STEP);
    return level;
}

/* The instruction at which the frame waits. */
static uint32_t level_word(Level level) {
    return (uint32_t)(level.pc - 1 - frame_code(level.base)->instrs);
}

/* The frame while it runs or its callees do. */
static Level live_level(GenVM *vm, const FrameObject *frame) {
    const Level none = {NULL, NULL, NULL, NULL, NULL};
    bool generator = frame->generator != VALUE_UNSET;
    if (!generator && frame->offset < 0) return none;
    const Value *base =
        generator ? AS(Generator, frame->generator)->regs : vm->stack + frame->offset;
    Level level = find_level(vm, base);
    bool same = level.base && (generator || (level.base[FRAME_FUNCTION] == frame->function &&
                                             frame_return_pc(level.base) == frame->return_pc));
    return same ? level : none;
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

enum { NOT_STARTED = UINT32_MAX }; /* in place of an instruction word */

static Value register_value(Value v, bool is_cell) {
    return is_cell && is_kind(v, TYPE_CELL) ? AS(Cell, v)->value : v;
}

/* The variables of the comprehensions that are under way at `word`: inner ones last, so that they
 * win. */
static bool put_inlined(GenVM *vm, Dict *dict, const Code *code, const Value *regs, uint32_t word) {
    for (uint32_t i = code->inlined_count; i-- > 0;) {
        const InlinedVariable *variable = &code->inlined[i];
        if (word < variable->start || word >= variable->end) continue;
        Value v = register_value(regs[variable->reg], true);
        if (!put_local(vm, dict, code->consts[variable->name], v)) return false;
    }
    return true;
}

static uint32_t parameter_count(const Code *code) {
    return code->arg_count + code->kwonly_count + !!(code->flags & CODE_VARARGS) +
           !!(code->flags & CODE_VARKEYWORDS);
}

static bool put_variables(GenVM *vm, Dict *dict, Function *function, const Value *regs,
                          uint32_t word) {
    Code *code = function->code;
    uint32_t params = parameter_count(code);
    bool started = word != NOT_STARTED;
    for (uint32_t i = 0; i < code->varnames->count; i++) {
        if (!started && i >= params) break;
        Leaf set = i < params ? LEAF_TRUE : frame_register_is_set(vm, code, i, word);
        if (set == LEAF_ERROR) return raise_memory(vm), false;
        if (set == LEAF_FALSE) continue;
        Value v = register_value(regs[i], started && is_cell_register(code, i));
        if (!put_local(vm, dict, code->varnames->items[i], v)) return false;
    }
    for (uint64_t i = 0; started && i < code->cellvars->count; i++) {
        if (code->cell_regs[i] < code->varnames->count ||
            !is_kind(regs[code->cell_regs[i]], TYPE_CELL))
            continue;
        if (!put_local(vm, dict, code->cellvars->items[i],
                       AS(Cell, regs[code->cell_regs[i]])->value))
            return false;
    }
    for (uint64_t i = 0; function->closure && i < code->freevars->count; i++)
        if (!put_local(vm, dict, code->freevars->items[i],
                       AS(Cell, function->closure->items[i])->value))
            return false;
    return true;
}

/* `word`: the instruction at which the frame waits; NOT_STARTED. A namespace is its own dict, but
 * in a comprehension there are the comprehension's variables and no others. */
static Value locals_of(GenVM *vm, Function *function, const Value *regs, uint32_t word) {
    Code *code = function->code;
    Value dict = dict_new(vm);
    if (dict == VALUE_ERROR) return VALUE_ERROR;
    if (code->flags & (CODE_CLASS | CODE_MODULE)) {
        if (!put_inlined(vm, AS_DICT(dict), code, regs, word)) return VALUE_ERROR;
        if (AS_DICT(dict)->count) return dict;
        return code->flags & CODE_CLASS ? regs[0] : object_value(function->globals);
    }
    if (!put_variables(vm, AS_DICT(dict), function, regs, word) ||
        (word != NOT_STARTED && !put_inlined(vm, AS_DICT(dict), code, regs, word)))
        return VALUE_ERROR;
    return dict;
}

Value frame_locals(GenVM *vm, Value *base) {
    return locals_of(vm, frame_function(base), base, level_word(find_level(vm, base)));
}

Value frame_variable(GenVM *vm, Value *base, const char *name) {
    const Code *code = frame_code(base);
    for (uint32_t i = 0; i < code->varnames->count; i++)
        if (str_is(code->varnames->items[i], name) &&
            (i < parameter_count(code) ||
             frame_register_is_set(vm, code, i, level_word(find_level(vm, base))) == LEAF_TRUE))
            return register_value(base[i], is_cell_register(code, i));
    return VALUE_UNSET;
}

/* ---- making them for running frames ---- */

static Value frame_object_of_level(GenVM *vm, Level level) {
    Value *base = level.base;
    if (!base) return VALUE_NONE;
    FrameObject *frame = frame_object_new(vm, base[FRAME_FUNCTION], level_word(level));
    if (!frame) return VALUE_ERROR;
    frame->back = VALUE_UNSET;
    if (frame_is_generator(base)) {
        frame->generator = object_value(generator_of(base));
    } else {
        frame->offset = base - vm->stack;
        frame->return_pc = frame_return_pc(base);
    }
    return object_value(frame);
}

/* Its locals and its caller are noted at once, for when the frame is gone. */
Value frame_object_of_caller(GenVM *vm, int64_t depth) {
    Level level = script_level_at(vm, depth);
    if (!level.base) return VALUE_UNSET;
    Value locals = locals_of(vm, frame_function(level.base), level.base, level_word(level));
    Value back = frame_object_of_level(vm, script_level(vm, outward(level)));
    Value frame = frame_object_of_level(vm, level);
    if (locals == VALUE_ERROR || back == VALUE_ERROR || frame == VALUE_ERROR) return VALUE_ERROR;
    AS(FrameObject, frame)->locals = locals;
    AS(FrameObject, frame)->back = back;
    return frame;
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

/* Where the frame waits, or waited last. */
static uint32_t current_word(GenVM *vm, FrameObject *frame) {
    Level level = live_level(vm, frame);
    if (level.base) {
        frame->word = level_word(level);
    } else if (frame->generator != VALUE_UNSET) {
        Generator *generator = AS(Generator, frame->generator);
        if (generator_unstarted(generator)) return NOT_STARTED;
        if (generator->header.state < GENERATOR_RUNNING)
            frame->word = (uint32_t)(generator->pc - 1 - generator_function(generator)->entry);
    }
    return frame->word;
}

/* A generator has a caller while it runs only. */
static Value get_back(GenVM *vm, Value self) {
    FrameObject *frame = AS(FrameObject, self);
    Level level = live_level(vm, frame);
    if (frame->generator != VALUE_UNSET && !level.base) return VALUE_NONE;
    if (frame->back != VALUE_UNSET) return frame->back;
    Value back =
        level.base ? frame_object_of_level(vm, script_level(vm, outward(level))) : VALUE_NONE;
    if (back == VALUE_ERROR || frame->generator != VALUE_UNSET) return back;
    frame->back = back;
    gc_barrier(vm, frame);
    return back;
}

static Value get_lasti(GenVM *vm, Value self) {
    uint32_t word = current_word(vm, AS(FrameObject, self));
    return int_value(word == NOT_STARTED ? 0 : (int64_t)word * 2);
}

static int64_t line_of(GenVM *vm, FrameObject *frame) {
    Code *code = AS(Function, frame->function)->code;
    uint32_t word = current_word(vm, frame);
    if (!code->positions || word >= code->instr_count) return code->first_line;
    return code->positions[word].line;
}

static Value get_line(GenVM *vm, Value self) {
    return int_value(line_of(vm, AS(FrameObject, self)));
}

static Value get_locals(GenVM *vm, Value self) {
    FrameObject *frame = AS(FrameObject, self);
    const Value *regs = live_level(vm, frame).base;
    if (!regs && frame->generator != VALUE_UNSET &&
        AS(Generator, frame->generator)->header.state < GENERATOR_RUNNING)
        regs = AS(Generator, frame->generator)->regs;
    if (!regs) return frame->locals != VALUE_UNSET ? frame->locals : dict_new(vm);
    Value locals = locals_of(vm, function_of(self), regs, current_word(vm, frame));
    if (locals == VALUE_ERROR) return VALUE_ERROR;
    frame->locals = locals;
    gc_barrier(vm, frame);
    return locals;
}

bool frame_object_settle(GenVM *vm, FrameObject *frame) {
    if (!live_level(vm, frame).base) return true;
    return get_locals(vm, object_value(frame)) != VALUE_ERROR &&
           get_back(vm, object_value(frame)) != VALUE_ERROR;
}

static Value get_generator(GenVM *vm, Value self) {
    Value generator = AS(FrameObject, self)->generator;
    return (void)vm, generator == VALUE_UNSET ? VALUE_NONE : generator;
}

static Value repr(GenVM *vm, Value self) {
    FrameObject *frame = AS(FrameObject, self);
    Code *code = function_of(self)->code;
    return str_format(vm, "<frame at %p, file %V, line %ld, code %S>", (void *)as_object(self),
                      code->filename, (long)line_of(vm, frame), code->name);
}

/* Forgets the variables of a frame that does not run. */
static Value method_clear(GenVM *vm, Value *args) {
    FrameObject *frame = AS(FrameObject, args[0]);
    if (live_level(vm, frame).base) return raise_runtime(vm, "cannot clear an executing frame");
    if (frame->generator != VALUE_UNSET) {
        Generator *generator = AS(Generator, frame->generator);
        if (generator->header.state == GENERATOR_RUNNING)
            return raise_runtime(vm, "cannot clear an executing frame");
        if (generator->header.state != GENERATOR_DONE && !generator_unstarted(generator))
            return raise_runtime(vm, "cannot clear a suspended frame");
        generator->header.state = GENERATOR_DONE;
    }
    frame->locals = VALUE_UNSET;
    return VALUE_NONE;
}

Value frame_object_function(Value frame) {
    return AS(FrameObject, frame)->function;
}

static const NativeDef methods[] = {
    {"clear(self, /)", method_clear, "Clear all references held by the frame."},
    {0},
};

static const AttributeDef attributes[] = {
    {"f_code", get_code, NULL, "The code being executed."},
    {"f_lineno", get_line, NULL, "The current line."},
    {"f_locals", get_locals, NULL, "The local variables as a dict."},
    {"f_globals", get_globals, NULL, "The global variables."},
    {"f_builtins", get_builtins, NULL, "The builtin names."},
    {"f_back", get_back, NULL, "The calling frame, or None."},
    {"f_generator", get_generator, NULL,
     "The generator or coroutine that the frame is of, or None."},
    {"f_lasti", get_lasti, NULL, "The current instruction."},
    {NULL, NULL, NULL, NULL},
};

const BuiltinType frame_type = {
    .name = "frame",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(FrameObject),
    .doc = "A level of the call stack.",
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = repr, .trace = trace, .custom = &frame_object_image},
};
