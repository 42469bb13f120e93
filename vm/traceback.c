/* traceback.c - the traceback type: entries made while unwinding, and what scripts see of them. The
 * text of a report is made by the module traceback (stdlib/traceback.gen) from these.
 */
#include "vm/traceback.h"
#include "vm/objects.h"
#include "vm/frame_object.h"
#include "vm/task.h"

#include <string.h>

/* The parts of natives that are written in Gen show in tracebacks as little as those written in C.
 */
static bool is_prelude(const Code *code) {
    static const char start[] = "<prelude ";
    const Str *name = AS_STR(code->filename);
    if (!name->size || *name->data != '<') return false;
    return name->size > sizeof start - 1 && memcmp(name->data, start, sizeof start - 1) == 0;
}

/* There is no memory for an entry: MemoryError takes the place of the exception, as in CPython.
 * That by which a task is killed stays. */
static void lose_entry(GenVM *vm, Value exception) {
    if (vm->aborting || task_is_killer(vm, exception)) {
        vm->exception = exception;
    } else if (vm->exception != vm->memory_error && exception != vm->memory_error) {
        AS(Exception, vm->exception)->context = exception;
        gc_barrier(vm, as_object(vm->exception));
    }
}

static void add(GenVM *vm, Value exception, Function *function, size_t word, uint32_t line) {
    Traceback *entry = gc_new_raw(vm, sizeof *entry, TYPE_TRACEBACK); /* all fields follow */
    if (!entry) {
        lose_entry(vm, exception);
        return;
    }
    Exception *error = AS(Exception, exception);
    entry->next = error->traceback == VALUE_UNSET ? VALUE_NONE : error->traceback;
    entry->function = object_value(function);
    entry->word = (uint32_t)word;
    entry->line = line;
    error->traceback = object_value(entry);
    gc_barrier(vm, error);
}

void traceback_add(GenVM *vm, Value exception, Function *function, size_t word) {
    const Code *code = function->code;
    if (is_prelude(code)) return;
    bool known = word < code->instr_count && code->positions;
    add(vm, exception, function, word, known ? code->positions[word].line : code->first_line);
}

void traceback_add_unstarted(GenVM *vm, Value exception, Function *function) {
    if (!is_prelude(function->code)) add(vm, exception, function, 0, function->code->first_line);
}

static void trace(GenVM *vm, Object *object) {
    Traceback *entry = (Traceback *)object;
    gc_mark(vm, entry->next);
    gc_mark(vm, entry->function);
}

static Value get_next(GenVM *vm, Value self) {
    return (void)vm, AS(Traceback, self)->next;
}

static bool set_next(GenVM *vm, Value self, Value next) {
    if (next != VALUE_NONE && !is_kind(next, TYPE_TRACEBACK)) {
        raise_type(vm, "expected traceback object or None, got '%T'", next);
        return false;
    }
    for (Value at = next; at != VALUE_NONE && at != VALUE_UNSET; at = AS(Traceback, at)->next)
        if (at == self) {
            raise_value(vm, "traceback loop detected");
            return false;
        }
    AS(Traceback, self)->next = next;
    gc_barrier(vm, as_object(self));
    return true;
}

static Value get_line(GenVM *vm, Value self) {
    return (void)vm, int_value(AS(Traceback, self)->line);
}
static Value get_lasti(GenVM *vm, Value self) {
    return (void)vm, int_value((int64_t)AS(Traceback, self)->word * 2);
}

static Value get_frame(GenVM *vm, Value self) {
    Traceback *entry = AS(Traceback, self);
    return frame_object_of_traceback(vm, entry->function, entry->word);
}

/* (line, end line, column, end column) of the instruction, columns in bytes from 0; None where
 * unknown, and where the line is not that of an instruction: the frame was never started. */
static Value get_position(GenVM *vm, Value self) {
    Traceback *entry = AS(Traceback, self);
    Code *code = AS(Function, entry->function)->code;
    if (!code->positions || entry->word >= code->instr_count || !entry->line ||
        code->positions[entry->word].line != entry->line)
        return VALUE_NONE;
    Position *position = &code->positions[entry->word];
    return tuple_pack(vm, 4, int_value(position->line), int_value(position->end_line),
                      int_value(position->col), int_value(position->end_col));
}

static const AttributeDef attributes[] = {
    {"tb_next", get_next, set_next,
     "The next level in the stack trace (the frame called), or None."},
    {"tb_frame", get_frame, NULL, "The frame of this level."},
    {"tb_lineno", get_line, NULL, "The line at which the exception passed."},
    {"tb_lasti", get_lasti, NULL, "The instruction at which the exception passed."},
    {"_position", get_position, NULL, "(line, end line, column, end column) or None."},
    {NULL, NULL, NULL, NULL},
};

/* An instruction that the code does not have is taken for its last one. */
static Value traceback_construct(GenVM *vm, Value *args) {
    if (args[1] != VALUE_NONE && !is_kind(args[1], TYPE_TRACEBACK))
        return raise_type(vm, "expected traceback object or None, got '%T'", args[1]);
    if (!is_kind(args[2], TYPE_FRAME))
        return raise_type(vm, "traceback() argument 'tb_frame' must be frame, not %T", args[2]);
    Traceback *entry = gc_new(vm, sizeof *entry, TYPE_TRACEBACK);
    if (!entry) return VALUE_ERROR;
    entry->next = args[1];
    entry->function = frame_object_function(args[2]);
    const Code *code = AS(Function, entry->function)->code;
    int64_t last = (int64_t)code->instr_count - 1, word = as_int(args[3]) / 2;
    entry->word = (uint32_t)(word < 0 ? 0 : word > last ? last : word);
    entry->line = (uint32_t)as_int(args[4]);
    return object_value(entry);
}

static const NativeDef construct = {
    "traceback(cls, tb_next, tb_frame, tb_lasti: size, tb_lineno: size)", traceback_construct,
    NULL};

const BuiltinType traceback_type = {
    .name = "traceback",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL,
    .size = sizeof(Traceback),
    .doc = "A level of the way an exception took.",
    .construct = &construct,
    .attributes = attributes,
    .slots = {.trace = trace},
};
