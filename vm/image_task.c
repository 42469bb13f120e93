/* image_task.c - stopped tasks and their tickets in images.
 *
 * A task is its fields and a chain of frames, written from the innermost to the HOST frame at the
 * bottom. Places on the stack are offsets from its start, places in code are words. A frame is
 *
 *     0  a continuation: which one, its offset, its registers
 *     1  a function's: the function, its offset, the word where it goes on, its live registers
 *     2  a generator's: the generator (whose record has the registers), the word, and how it was
 *        resumed: the register of its resumer that takes what it yields, where the resumer goes on
 * at its end, where frames above it start
 *
 * When all is loaded the chain is built anew and checked: each frame against its code, each
 * continuation against the instruction that it belongs to. Generators in the chain come to life as
 * running ones then.
 */
#include "vm/continue.h"
#include "vm/frame_object.h"
#include "vm/image_private.h"
#include "vm/memory.h"
#include "vm/operations.h"
#include "vm/resume.h"
#include "vm/threads.h"
#include "vm/type_private.h"

enum { FRAME_STUB, FRAME_PLAIN, FRAME_GENERATOR };
enum { FRAMES_MOST = 1 << 20, STACK_WORDS_MOST = 1 << 27 };

static const uint8_t stub_registers[] = {
#define RETURN(id, registers) registers,
#include "vm/returns.def"
#undef RETURN
};

/* What is known of the registers of a continuation, from r1 on: i an int, c a class, t a tuple, k a
 * dict or unset, g a generator, G a tuple of generators, e an exception, s
 * the number of a special method, o of an operator, j of a stage of one, r of a resumable native, v
 * any value, * anything. And what it does to the frame
 * below: v its result is the instruction's value, n nothing is stored, x it can only raise, b a
 * jump is taken or not, i an iterator is stored, f an item of a loop, u items are unpacked, d a
 * delegate goes on, h the host. */
static const struct StubForm {
    const char *registers;
    char writes;
} stub_forms[] = {
    [RETURN_HOST] = {"", 'h'},
    [RETURN_DISCARD] = {"", 'n'},
    [RETURN_TRUTH_BRANCH] = {"i", 'b'},
    [RETURN_TRUTH_NOT] = {"i", 'v'},
    [RETURN_TRUTH_VALUE] = {"i", 'v'},
    [RETURN_INIT] = {"v", 'v'},
    [RETURN_NEW] = {"ctk", 'v'},
    [RETURN_FOR_NEXT] = {"", 'f'},
    [RETURN_ITER] = {"", 'i'},
    [RETURN_UNPACK] = {"", 'u'},
    [RETURN_DELEGATE] = {"", 'd'},
    [RETURN_CLOSE] = {"g", 'v'},
    [RETURN_FINALIZER] = {"*", 'n'},
    [RETURN_ATTRIBUTE_DEFAULT] = {"v", 'v'},
    [RETURN_HAS_ATTRIBUTE] = {"", 'v'},
    [RETURN_DELEGATE_THROW] = {"", 'd'},
    [RETURN_THROW_CLOSE] = {"ge", 'd'},
    [RETURN_OPERATOR] = {"ovvj", 'v'},
    [RETURN_OPERATOR_NOT] = {"ovvj", 'v'},
    [RETURN_CHECKED] = {"s", 'v'},
    [RETURN_RESUME] = {"r**********", 'v'},
    [RETURN_UNWIND] = {"e", 'x'},
    [RETURN_RAISE] = {"", 'x'},
    [RETURN_RELEASE] = {"Gi*", 'v'},
    [RETURN_THREAD] = {"", 't'},
    [RETURN_AGAIN] = {"", 'v'}, /* image_put_again writes its registers */
    [RETURN_INTERRUPT] = {"", 'n'},
};
_Static_assert(sizeof stub_forms / sizeof *stub_forms == RETURN_COUNT, "a form for each");

/* Does the continuation look at register i again: at r0 only when its callee has returned. */
static bool stub_keeps(Return kind, uint32_t i, bool returned) {
    if (i == 0) return returned;
    const char *forms = stub_forms[kind].registers;
    return i <= strlen(forms);
}

/* ---- writing ---- */

static uint32_t word_in(const Function *function, const Instr *pc) {
    return (uint32_t)(pc - function->code->instrs);
}

static bool note_running(ImageWriter *w, const TaskState *state) {
    const Instr *pc = state->frames.pc;
    for (Value *base = state->frames.base; base;
         pc = frame_return_pc(base), base = frame_caller(base)) {
        if (!frame_is_generator(base)) continue;
        if (w->running_count == w->running_capacity) {
            uint32_t capacity = w->running_capacity ? w->running_capacity * 2 : 16;
            ImageRunning *larger = memory_resize(w->vm, w->running, capacity * sizeof *larger);
            if (!larger) return raise_memory(w->vm), false;
            w->running = larger;
            w->running_capacity = capacity;
        }
        w->running[w->running_count++] =
            (ImageRunning){generator_of(base), word_in(frame_function(base), pc)};
    }
    return true;
}

bool image_note_running(ImageWriter *w, Object *object) {
    const TaskState *state = &((const Task *)object)->state;
    w->task = (const Task *)object;
    w->threads = state->threads;
    if (!note_running(w, state)) return false;
    for (Thread *at = w->threads ? w->threads->alive : NULL; at; at = at->after)
        if (at != w->threads->current && !note_running(w, &at->state)) return false;
    return true;
}

static bool add_loading(GenVM *vm, Value names, const TaskState *state) {
    for (Value *base = state->frames.base; base; base = frame_caller(base)) {
        const Function *function = frame_function(base);
        if (!(function->code->flags & CODE_MODULE) || !function->globals) continue;
        Value name = dict_get_str(vm, function->globals, name_value(vm, NAME___name__));
        if (image_is_library(vm, name) && !list_append(vm, names, name)) return false;
    }
    return true;
}

Value image_loading_modules(GenVM *vm, Value task) {
    Value names = list_new(vm, 0);
    if (names == VALUE_ERROR || task == VALUE_UNSET) return names;
    const TaskState *state = &AS(Task, task)->state;
    if (!add_loading(vm, names, state)) return VALUE_ERROR;
    for (Thread *at = state->threads ? state->threads->alive : NULL; at; at = at->after)
        if (at != state->threads->current && !add_loading(vm, names, &at->state))
            return VALUE_ERROR;
    return names;
}

static bool imports_in(const TaskState *state, const Dict *imports) {
    for (Value *base = state->frames.base; base; base = frame_caller(base))
        if (frame_function(base)->globals == imports) return true;
    return false;
}

bool image_is_importing(GenVM *vm, Value task) {
    Value name = str_intern_from(vm, "_prelude.imports", 16);
    Value module = dict_get_str(vm, AS_DICT(vm->prelude), name);
    if (!is_kind(module, TYPE_MODULE) || !is_kind(task, TYPE_TASK)) return false;
    const TaskState *state = &AS(Task, task)->state;
    const Dict *imports = AS(Module, module)->dict;
    if (imports_in(state, imports)) return true;
    for (Thread *at = state->threads ? state->threads->alive : NULL; at; at = at->after)
        if (at != state->threads->current && imports_in(&at->state, imports)) return true;
    return false;
}

/* Where a frame may go on: at its word, and where the instruction that it is in may jump. */
uint32_t image_other_word(const Code *code, uint32_t word) {
    Instr instr = code_instr_before(code, word);
    if (code_op_info[instr_op(instr)].format[3] != 'j') return word;
    return word + (uint32_t)instr_imm(instr);
}

bool image_is_variable(const Code *code, uint32_t reg, uint32_t word) {
    if (reg < code->local_count) return true;
    for (uint32_t i = 0; i < code->inlined_count; i++)
        if (code->inlined[i].reg == reg && word >= code->inlined[i].start &&
            word <= code->inlined[i].end)
            return true;
    return false;
}

bool image_is_looped(const Code *code, uint32_t reg, uint32_t word) {
    for (uint32_t i = 0; i < code->loop_count; i++)
        if (code->loops[i].reg == reg && word > code->loops[i].start && word <= code->loops[i].end)
            return true;
    return false;
}

static void note_contents(GenVM *vm, const Code *code, uint32_t word, uint8_t *wanted) {
    uint8_t *holds = memory_new(vm, code->regs + 1u);
    bool known = holds && code_frame_contents(vm, code, word, holds);
    for (uint32_t reg = 0; reg < code->regs; reg++)
        wanted[reg] |= (!known || holds[reg]) &&
                       (image_is_variable(code, reg, word) || image_is_looped(code, reg, word) ||
                        frame_register_is_live(vm, code, reg, word));
    memory_free(holds);
}

/* The register that takes what the frame above will return, where nothing reads it before: what is
 * in it is left over. UINT32_MAX: there is none. */
static uint32_t awaiting_register(GenVM *vm, Value *base, const Code *code, uint32_t word,
                                  Value *callee) {
    if (!callee || word == 0) return UINT32_MAX;
    uint32_t reg = instr_a(code_instr_before(code, word));
    Function *above = frame_function(callee);
    if (continue_is_stub(vm, above)) {
        char writes = stub_forms[continue_kind(vm, above)].writes;
        if (writes != 'v' && writes != 'i') return UINT32_MAX;
    } else if (frame_is_generator(callee)) {
        const Generator *generator = generator_of(callee);
        bool defaulted = generator->exit_pc == frame_return_pc(callee); /* next(g, default) */
        if (defaulted) return UINT32_MAX;
        reg = (uint32_t)(generator->dest - base);
    }
    return reg >= code->regs || image_is_variable(code, reg, word) ||
                   frame_register_is_caught(vm, code, reg, word)
               ? UINT32_MAX
               : reg;
}

/* What only links of frames are, that were there before. */
static bool is_left_over(GenVM *vm, Value v) {
    if (!is_object(v)) return is_pointer(v) && v != VALUE_UNSET;
    return is_kind(v, TYPE_FUNCTION) && continue_is_stub(vm, AS(Function, v));
}

static void put_registers(ImageWriter *w, Value *regs, uint32_t count, const Code *code,
                          uint32_t word, uint32_t awaiting) {
    uint8_t *wanted = memory_new_zeroed(w->vm, code->regs + 1u, 1);
    if (!wanted) {
        raise_memory(w->vm);
        w->failed = true;
        return;
    }
    note_contents(w->vm, code, word, wanted);
    if (image_other_word(code, word) != word)
        note_contents(w->vm, code, image_other_word(code, word), wanted);
    if (awaiting < code->regs) wanted[awaiting] = 0;
    uint32_t last = 0;
    for (uint32_t reg = 0; reg < count && !w->failed; reg++) {
        Value v = regs[reg];
        if (w->clears && !wanted[reg] && is_object(v) && !is_left_over(w->vm, v))
            regs[reg] = VALUE_UNSET;
        if (!wanted[reg] || v == 0 || is_left_over(w->vm, v)) continue;
        image_put_register(w, code, reg - last + 1, v);
        last = reg;
    }
    memory_free(wanted);
    image_put_number(w->out, 0);
}

/* The registers that are the frame's own: behind them lie its callee's. */
static uint32_t own_count(const Value *base, uint32_t regs, Value *callee) {
    if (!callee) return regs;
    const Value *links =
        frame_is_generator(callee) ? generator_of(callee)->top : callee - FRAME_LINKS;
    return links >= base && links < base + regs ? (uint32_t)(links - base) : regs;
}

static void put_frame(ImageWriter *w, const TaskState *state, Value *base, const Instr *pc,
                      Value *callee) {
    GenVM *vm = w->vm;
    Function *function = frame_function(base);
    uint64_t offset = (uint64_t)(base - state->frames.stack);
    if (continue_is_stub(vm, function)) {
        Return kind = continue_kind(vm, function);
        image_put_byte(w->out, FRAME_STUB);
        image_put_number(w->out, kind);
        image_put_number(w->out, offset);
        if (kind == RETURN_AGAIN) image_put_again(w, base);
        for (uint32_t i = 0; kind != RETURN_AGAIN && i < stub_registers[kind]; i++)
            image_put_value(w, !stub_keeps(kind, i, !callee) ? VALUE_UNSET
                               : kind == RETURN_RESUME       ? resume_saved(vm, base, i)
                                                             : base[i]);
    } else if (frame_is_generator(base)) {
        const Generator *generator = generator_of(base);
        Value *caller = frame_caller(base);
        image_put_byte(w->out, FRAME_GENERATOR);
        image_put_pointer(w, generator);
        image_put_number(w->out, word_in(function, pc));
        image_put_number(w->out, (uint64_t)(generator->dest - caller));
        image_put_number(w->out, generator->exit_pc
                                     ? word_in(frame_function(caller), generator->exit_pc) + 1u
                                     : 0);
        image_put_number(w->out, (uint64_t)(generator->top - state->frames.stack));
    } else {
        image_put_byte(w->out, FRAME_PLAIN);
        image_put_pointer(w, function);
        image_put_number(w->out, offset);
        image_put_number(w->out, word_in(function, pc));
        uint32_t word = word_in(function, pc);
        put_registers(w, base, own_count(base, function->regs, callee), function->code, word,
                      awaiting_register(vm, base, function->code, word, callee));
    }
}

void save_task_shell(ImageWriter *w, Object *object) {
    (void)w, (void)object;
}

static uint32_t count_frames(const TaskState *state) {
    uint32_t count = 0;
    for (Value *base = state->frames.base; base; base = frame_caller(base))
        count++;
    return count;
}

void image_put_frames(ImageWriter *w, const TaskState *state) {
    image_put_number(w->out, count_frames(state));
    const Instr *pc = state->frames.pc;
    for (Value *base = state->frames.base, *callee = NULL; base && !w->failed;
         callee = base, pc = frame_return_pc(base), base = frame_caller(base))
        put_frame(w, state, base, pc, callee);
}

/* What is left of a wait, 1 at least; 0: there is none. */
static uint64_t time_left(uint64_t until) {
    uint64_t now = until ? threads_now() : 0;
    return until > now ? until - now : until ? 1 : 0;
}

void save_task_body(ImageWriter *w, Object *object) {
    const Task *task = (const Task *)object;
    const TaskState *state = &task->state;
    if (object->state == TASK_RUNNING) {
        image_refuse(w, object, "is running and cannot be saved");
        return;
    }
    if (object != w->root_task) { /* its frames, threads and tickets are an image's only ones */
        image_refuse(w, object, "can be saved only by itself");
        return;
    }
    image_put_byte(w->out, object->state);
    const Value values[] = {task->start,    task->args,    task->driven,  task->answer,
                            task->failure,  task->waiting, task->callout, task->tickets,
                            task->answered, task->result,  task->killer,  state->exception,
                            state->handled, state->shown};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        image_put_value(w, values[i]);
    image_put_number(w->out, image_zigzag(task->next_ticket));
    image_put_number(w->out, image_zigzag(state->steps_done));
    for (int i = 0; i < BUDGET_COUNT; i++) {
        image_put_number(w->out, i == BUDGET_DEADLINE ? 0 : task->limits[i]);
        image_put_number(w->out, task->used[i]);
    }
    image_put_number(w->out, task->wanted);
    image_put_number(w->out, task->tripped);
    image_put_byte(w->out, (uint8_t)(task->untold | task->joining << 1 | task->failed << 2));
    image_put_number(w->out, time_left(task->wait_until));
    image_put_frames(w, state);
    image_put_threads(w);
}

void save_ticket_shell(ImageWriter *w, Object *object) {
    (void)w, (void)object;
}
void save_ticket_body(ImageWriter *w, Object *object) {
    const Ticket *ticket = (const Ticket *)object;
    image_put_byte(w->out, (uint8_t)ticket->state);
    image_put_byte(w->out, (uint8_t)(ticket->asynchronous | ticket->blocking << 1));
    image_put_number(w->out, image_zigzag(ticket->number));
    const Value values[] = {ticket->name, ticket->args, ticket->kwargs, ticket->result,
                            ticket->callbacks};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        image_put_value(w, values[i]);
}

/* ---- reading ---- */

Object *load_ticket_shell(ImageReader *r) {
    Ticket *ticket = gc_new(r->vm, sizeof *ticket, TYPE_TICKET);
    if (!ticket) return NULL;
    ticket->name = r->vm->empty_str;
    ticket->args = r->vm->empty_tuple;
    ticket->kwargs = ticket->result = ticket->callbacks = VALUE_UNSET;
    return &ticket->header;
}

static int64_t get_signed(ImageReader *r) {
    uint64_t number = image_get_number(r);
    return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

bool load_ticket_body(ImageReader *r, Object *object) {
    Ticket *ticket = (Ticket *)object;
    uint64_t state = image_get_number(r), bits = image_get_number(r);
    Object *kwargs, *callbacks;
    if (state > TICKET_FAILED) return image_bad(r, "a ticket in an unknown state");
    ticket->state = (TicketState)state;
    ticket->asynchronous = bits & 1;
    ticket->blocking = bits >> 1 & 1;
    ticket->number = get_signed(r);
    if (!int_fits(ticket->number)) return image_bad(r, "a ticket's number is out of range");
    if (!image_get_kind(r, TYPE_STR, &ticket->name) ||
        !image_get_kind(r, TYPE_TUPLE, &ticket->args) ||
        !image_get_pointer(r, TYPE_DICT, &kwargs) || !image_get_optional(r, &ticket->result) ||
        !image_get_pointer(r, TYPE_LIST, &callbacks))
        return false;
    ticket->kwargs = kwargs ? object_value(kwargs) : VALUE_UNSET;
    ticket->callbacks = callbacks ? object_value(callbacks) : VALUE_UNSET;
    if (state != TICKET_OPEN && ticket->result == VALUE_UNSET)
        return image_bad(r, "a ticket without its answer");
    return state != TICKET_FAILED || is_kind(ticket->result, KIND_EXCEPTION) ||
           image_bad(r, "a ticket that failed without an exception");
}

Object *load_task_shell(ImageReader *r) {
    Task *task = task_new(r->vm, VALUE_NONE, r->vm->empty_tuple);
    if (!task) return NULL;
    task->header.state = TASK_DONE;
    task->result = VALUE_NONE;
    return &task->header;
}

static bool get_values(ImageReader *r, Task *task) {
    TaskState *state = &task->state;
    Value *const values[] = {&task->start,    &task->args,    &task->driven,  &task->answer,
                             &task->failure,  &task->waiting, &task->callout, &task->tickets,
                             &task->answered, &task->result,  &task->killer,  &state->exception,
                             &state->handled, &state->shown};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (!image_get_optional(r, values[i])) return false;
    return true;
}

static bool is_or_unset(Value v, TypeId kind) {
    return v == VALUE_UNSET || is_kind(v, kind);
}

static bool check_values(ImageReader *r, const Task *task, TaskStatus status) {
    bool ok =
        (status != TASK_NEW || (task->start != VALUE_UNSET && is_kind(task->args, TYPE_TUPLE))) &&
        (task->driven == VALUE_UNSET || is_generator_like(task->driven)) &&
        is_or_unset(task->failure, KIND_EXCEPTION) && is_or_unset(task->callout, TYPE_TICKET) &&
        is_kind(task->tickets, TYPE_DICT) && is_kind(task->answered, TYPE_LIST) &&
        is_or_unset(task->killer, KIND_EXCEPTION) &&
        is_or_unset(task->state.exception, KIND_EXCEPTION) &&
        is_or_unset(task->state.shown, TYPE_LIST) &&
        (task->waiting == VALUE_UNSET || task->waiting == VALUE_TRUE ||
         is_kind(task->waiting, TYPE_TICKET)) &&
        (task->state.handled == VALUE_NONE || is_or_unset(task->state.handled, KIND_EXCEPTION)) &&
        (status < TASK_DONE || task->result != VALUE_UNSET) &&
        (status != TASK_YIELDED || task->driven != VALUE_UNSET) &&
        ((status != TASK_CALLING && status != TASK_YIELDED) || task->waiting != VALUE_UNSET ||
         task->answer != VALUE_UNSET || task->failure != VALUE_UNSET) &&
        (!task->untold || task->callout != VALUE_UNSET);
    return ok || image_bad(r, "a task whose fields do not fit");
}

static bool get_numbers(ImageReader *r, Task *task) {
    task->next_ticket = get_signed(r);
    task->state.steps_done = get_signed(r);
    int64_t most = (int64_t)BUDGET_STEPS_MOST;
    if (task->state.steps_done <= -most || task->state.steps_done >= most)
        return image_bad(r, "a task that took no number of steps");
    for (int i = 0; i < BUDGET_COUNT; i++) {
        task->limits[i] = image_get_number(r);
        task->used[i] = image_get_number(r);
    }
    task->wanted = image_get_number(r);
    uint64_t tripped = image_get_number(r);
    if (tripped >= BUDGET_COUNT) return image_bad(r, "an unknown budget");
    task->tripped = (BudgetKind)tripped;
    uint64_t flags = image_get_number(r), left = image_get_number(r);
    task->untold = flags & 1;
    task->joining = flags >> 1 & 1;
    task->failed = flags >> 2 & 1;
    task->wait_until = left && left < UINT64_MAX / 4 ? threads_now() + left : 0;
    return r->vm->exception == VALUE_UNSET;
}

/* The frames are read again when all is loaded: here they are only passed. */
static bool pass_frame(ImageReader *r) {
    Value v;
    uint64_t kind = image_get_number(r), stub = 0, step;
    if (kind == FRAME_STUB) {
        stub = image_get_number(r);
        image_get_number(r);
        if (stub >= RETURN_COUNT || !stub_forms[stub].registers)
            return image_bad(r, "an unknown continuation");
        if (stub == RETURN_AGAIN) return image_pass_again(r);
        for (uint32_t i = 0; i < stub_registers[stub]; i++)
            if (!image_get_optional(r, &v)) return false;
        return true;
    }
    if (kind > FRAME_GENERATOR || !image_get_value(r, &v)) return image_bad(r, "an unknown frame");
    for (int i = kind == FRAME_PLAIN ? 2 : 4; i > 0; i--)
        image_get_number(r);
    if (kind == FRAME_GENERATOR) return r->vm->exception == VALUE_UNSET;
    while ((step = image_get_number(r)) != 0) {
        if (!image_get_optional(r, &v)) return false;
        if (step & 1) image_get_number(r);
    }
    return r->vm->exception == VALUE_UNSET;
}

static ImageStack *add_stack(ImageReader *r) {
    if (r->stack_count == r->stack_capacity) {
        uint32_t capacity = r->stack_capacity ? r->stack_capacity * 2 : 1;
        ImageStack *larger = memory_resize(r->vm, r->stacks, capacity * sizeof *larger);
        if (!larger) return raise_memory(r->vm), NULL;
        r->stacks = larger;
        r->stack_capacity = capacity;
    }
    return &r->stacks[r->stack_count++];
}

bool image_note_frames(ImageReader *r, TaskState *state, Thread *thread) {
    uint64_t count;
    if (!image_get_count(r, &count, 3)) return false;
    if (count > FRAMES_MOST) return image_bad(r, "a stack too deep");
    ImageStack *stack = add_stack(r);
    if (!stack) return false;
    *stack = (ImageStack){.state = state, .thread = thread, .at = r->at, .count = count};
    while (count--)
        if (!pass_frame(r)) return false;
    return true;
}

bool load_task_body(ImageReader *r, Object *object) {
    Task *task = (Task *)object;
    uint64_t status = image_get_number(r);
    if (status > TASK_FAILED || status == TASK_RUNNING)
        return image_bad(r, "a task in an unknown state");
    if (!get_values(r, task) || !get_numbers(r, task)) return false;
    if (!check_values(r, task, (TaskStatus)status)) return false;
    if (r->task) return image_bad(r, "more than one task");
    r->task = task;
    r->task_status = (uint8_t)status;
    if (!image_note_frames(r, &task->state, NULL)) return false;
    bool frames = status == TASK_STOPPED || status == TASK_CALLING || status == TASK_YIELDED;
    if ((r->stacks[r->stack_count - 1].count > 0) != frames)
        return image_bad(r, "a task without its frames");
    return image_pass_threads(r);
}

/* ---- building the chain ---- */

typedef struct LoadedFrame {
    uint8_t form; /* FRAME_ */
    Return stub;
    Function *function;
    Generator *generator;
    uint32_t offset, word, exit_word, dest; /* exit_word: + 1 */
    uint32_t top, regs;
    Value *base;
    const uint8_t *at; /* its registers */
} LoadedFrame;

static bool get_offset(ImageReader *r, uint32_t *out) {
    return image_get_u32(r, out) && (*out < STACK_WORDS_MOST || image_bad(r, "a stack too deep"));
}

static bool get_frame(ImageReader *r, LoadedFrame *frame) {
    Value v;
    memset(frame, 0, sizeof *frame);
    frame->form = (uint8_t)image_get_number(r);
    const uint8_t *start = r->at;
    if (frame->form == FRAME_STUB) {
        frame->stub = (Return)image_get_number(r);
        frame->function = continue_stub(r->vm, frame->stub);
        frame->regs = stub_registers[frame->stub];
        if (!get_offset(r, &frame->offset)) return false;
        frame->at = r->at;
    } else if (frame->form == FRAME_PLAIN) {
        if (!image_get_kind(r, TYPE_FUNCTION, &v)) return false;
        frame->function = AS(Function, v);
        frame->regs = frame->function->regs;
        if (!get_offset(r, &frame->offset) || !image_get_u32(r, &frame->word)) return false;
        frame->at = r->at;
    } else {
        if (!image_get_value(r, &v) || !is_generator_like(v))
            return image_bad(r, "a frame of no generator");
        frame->generator = AS(Generator, v);
        frame->function = generator_function(frame->generator);
        frame->regs = frame->function->regs;
        if (!image_get_u32(r, &frame->word) || !image_get_u32(r, &frame->dest) ||
            !image_get_u32(r, &frame->exit_word) || !get_offset(r, &frame->top))
            return false;
    }
    r->at = start;
    r->at--;
    return pass_frame(r);
}

/* The first word above a frame: where links of the next may start. */
static uint64_t end_of(const LoadedFrame *frame) {
    return frame->form == FRAME_GENERATOR ? frame->top : (uint64_t)frame->offset + frame->regs;
}

static bool is_bottom(const LoadedFrame *frame) {
    return frame->form == FRAME_STUB &&
           (frame->stub == RETURN_HOST || frame->stub == RETURN_THREAD);
}

static bool check_chain(ImageReader *r, const ImageStack *stack) {
    const LoadedFrame *frames = stack->frames;
    uint64_t count = stack->count;
    const LoadedFrame *bottom = &frames[count - 1];
    if (!is_bottom(bottom) || (bottom->stub == RETURN_THREAD) != stack->threads ||
        bottom->offset != FRAME_LINKS)
        return image_bad(r, "a task without its bottom");
    uint64_t lowest = 0; /* of the stack, for the next frame's links */
    for (uint64_t i = count; i-- > 0;) {
        const LoadedFrame *frame = &frames[i], *below = i + 1 < count ? &frames[i + 1] : NULL;
        enum { GENERATOR_CODE = CODE_GENERATOR | CODE_COROUTINE | CODE_ASYNC_GENERATOR };
        if (is_bottom(frame) && below) return image_bad(r, "a task with two bottoms");
        if (frame->form == FRAME_PLAIN && frame->function->code->flags & GENERATOR_CODE)
            return image_bad(r, "a generator's frame on the stack");
        if (!code_thaw(r->vm, frame->function->code)) return false;
        if (frame->word > frame->function->code->instr_count)
            return image_bad(r, "a frame beyond its code");
        if (frame->form == FRAME_GENERATOR) {
            if (image_generator_state(frame->generator) != GENERATOR_RUNNING)
                return image_bad(r, "a generator that runs without running");
            for (uint64_t j = i + 1; j < count; j++)
                if (frames[j].generator == frame->generator)
                    return image_bad(r, "a generator that runs twice");
            if (frame->top < (below && below->form == FRAME_PLAIN ? below->offset : lowest))
                return image_bad(r, "frames that overlap: %u above %u", frame->top,
                                 (uint32_t)lowest);
            lowest = frame->top;
            continue;
        }
        /* a function's frame may begin in its caller's last registers, a continuation's is behind
         */
        uint64_t from = frame->offset - (uint64_t)FRAME_LINKS;
        bool inside = below && below->form == FRAME_PLAIN;
        uint64_t least = inside ? below->offset : lowest;
        if (frame->offset < FRAME_LINKS || from < least)
            return image_bad(r, "frames that overlap: %u over %u", frame->offset, (uint32_t)least);
        lowest = end_of(frame);
    }
    return true;
}

/* ---- each frame against its code ---- */

static bool is_operator(int64_t i) {
    if (i >= OPERATOR_COMPARE) return i <= OPERATOR_COMPARE + COMPARE_GE;
    return i >= 0 && (i & ~(int64_t)OPERATOR_IN_PLACE) < BINARY_COUNT;
}

static bool are_generators(Value tuple) {
    if (!is_kind(tuple, TYPE_TUPLE)) return false;
    for (uint64_t i = 0; i < AS_TUPLE(tuple)->count; i++)
        if (!is_generator_like(AS_TUPLE(tuple)->items[i])) return false;
    return true;
}

static bool check_stub_register(char form, Value v) {
    switch (form) {
    case 'i': return is_int(v) && as_int(v) >= 0;
    case 'j': return is_int(v) && as_int(v) >= 0 && as_int(v) <= STAGE_MAX;
    case 'c': return is_type(v);
    case 't': return is_kind(v, TYPE_TUPLE);
    case 'k': return v == VALUE_UNSET || is_kind(v, TYPE_DICT);
    case 'g': return is_generator_like(v);
    case 'G': return are_generators(v);
    case 'e': return is_kind(v, KIND_EXCEPTION);
    case 's': return is_int(v) && as_int(v) >= 0 && as_int(v) < SPECIAL_COUNT;
    case 'o': return is_int(v) && is_operator(as_int(v));
    case 'r': return is_int(v) && as_int(v) >= 0 && as_int(v) < RESUME_COUNT;
    case 'v': return v != VALUE_UNSET;
    default: return true;
    }
}

static bool fill_stub(ImageReader *r, LoadedFrame *frame) {
    const char *forms = stub_forms[frame->stub].registers;
    ImageReader body = *r;
    body.at = frame->at;
    if (frame->stub == RETURN_AGAIN) return image_get_again(&body, frame->base);
    for (uint32_t i = 0; i < frame->regs; i++) {
        if (!image_get_optional(&body, &frame->base[i])) return false;
        char form = i == 0 ? '*' : i <= strlen(forms) ? forms[i - 1] : '*';
        if (!check_stub_register(form, frame->base[i]))
            return image_bad(r, "a continuation with registers that do not fit");
    }
    if (frame->stub == RETURN_RESUME && !resume_check(r->vm, frame->base))
        return image_bad(r, "a native in a state that it cannot be in");
    if (frame->stub == RETURN_RESUME && !r->moved_tables) resume_loaded(frame->base);
    return true;
}

static bool fill_plain(ImageReader *r, LoadedFrame *frame) {
    ImageReader body = *r;
    body.at = frame->at;
    uint32_t reg = 0;
    for (bool more = true; more;)
        if (!image_get_register(&body, frame->function->code, &reg, frame->base, &more))
            return false;
    return true;
}

/* What the frame above does to this one, which it returns to: by the letters of StubForm. */
static char effect_of(const LoadedFrame *above) {
    if (!above) return 'n';
    if (above->form == FRAME_STUB) return stub_forms[above->stub].writes;
    return above->form == FRAME_GENERATOR ? 'g' : 'v';
}

static bool is_loop(Opcode op) {
    return code_op_info[op].format[3] == 'j' && (op == OP_FORITER || op == OP_FORITERG);
}

static bool is_of_library(GenVM *vm, Function *function) {
    ImageTag tag;
    Value module;
    return image_library_place(vm, &function->header, &tag, &module);
}

/* The same where the instruction that waits may jump. */
static bool check_jump(ImageReader *r, const Code *code, FrameCheck check, char effect,
                       const Value *regs) {
    char message[120];
    Instr instr = code_instr_before(code, check.word);
    check.word = image_other_word(code, check.word);
    if (effect == 'f') check.dest = instr_b(instr);
    return code_check_frame(r->vm, code, &check, regs, message, sizeof message) ||
           image_bad_code(r, "a frame of", code, message);
}

static bool check_script_frame(ImageReader *r, const LoadedFrame *frame, const LoadedFrame *above,
                               bool calling) {
    const Code *code = frame->function->code;
    char message[120], effect = above ? effect_of(above) : calling ? 'v' : 'n';
    Opcode op = code_generic_op(code, code_op_before(code, frame->word));
    FrameCheck check = {.word = frame->word, .count = frame->regs, .dest = UINT32_MAX};
    const Value *regs = frame->base;
    if (above && frame->form == FRAME_PLAIN) {
        uint32_t links = above->form == FRAME_GENERATOR ? above->top : above->offset - FRAME_LINKS;
        if (links < frame->offset + frame->regs) check.count = links - frame->offset;
    }
    bool ok = true;
    switch (effect) {
    case 'v':
    case 'i':
        ok = frame->word > 0 && op != OP_COUNT;
        if (ok) check.dest = instr_a(code_instr_before(code, frame->word));
        check.iterator = effect == 'i';
        check.trusted =
            above && above->form == FRAME_PLAIN && is_of_library(r->vm, above->function);
        break;
    case 'g': check.dest = above->dest; break;
    case 'x':
        check.raises = true;
        ok = frame->word > 0 && (op == OP_RAISE || above->stub == RETURN_UNWIND);
        break;
    case 'b': ok = op != OP_COUNT && code_op_info[op].format[3] == 'j' && !is_loop(op); break;
    case 'f': ok = is_loop(op); break;
    case 'u':
        ok = op == OP_UNPACK || op == OP_UNPACKEX;
        if (ok) {
            check.dest = instr_a(code_instr_before(code, frame->word));
            check.dest_count = code_window_size(code, code_instr_before(code, frame->word));
        }
        break;
    case 'd':
        ok = op_is_delegation(op) && frame->form == FRAME_GENERATOR &&
             regs[instr_b(code_instr_before(code, frame->word))] != VALUE_UNSET;
        if (ok) check.dest = instr_a(code_instr_before(code, frame->word));
        break;
    default: break;
    }
    if (!ok) return image_bad(r, "a frame of %S that waits where it cannot", code->qualname);
    if (!code_check_frame(r->vm, code, &check, regs, message, sizeof message))
        return image_bad_code(r, "a frame of", code, message);
    if ((effect == 'b' || effect == 'f') && !check_jump(r, code, check, effect, regs)) return false;
    if (!above || above->form != FRAME_GENERATOR || !above->exit_word) return true;
    check.word = above->exit_word - 1;
    check.dest = UINT32_MAX;
    return code_check_frame(r->vm, code, &check, regs, message, sizeof message) ||
           image_bad_code(r, "a frame of", code, message);
}

/* What comes back to a continuation: a value in r0, unless it is one that looks at none. */
static bool check_stub_frame(ImageReader *r, const LoadedFrame *frame, const LoadedFrame *above,
                             bool calling) {
    char effect = above     ? effect_of(above)
                  : calling ? 'v'
                            : 'n',
         own = stub_forms[frame->stub].writes;
    bool needs_none = own == 'n' || own == 't' || frame->stub == RETURN_AGAIN ||
                      frame->stub == RETURN_RELEASE || frame->stub == RETURN_UNWIND ||
                      frame->stub == RETURN_RESUME || /* its first step */
                      (own == 'h' && r->task_status == TASK_YIELDED);
    bool ok = false;
    switch (effect) {
    case 'v':
    case 'i': ok = true; break;
    case 'g': ok = above->dest == 0 && above->exit_word == 0; break;
    case 'n': ok = needs_none || frame->base[0] != VALUE_UNSET; break;
    default: break;
    }
    return ok || image_bad(r, "a continuation that waits for what does not come");
}

/* ---- the stack ---- */

static void link_frame(LoadedFrame *frame, const LoadedFrame *below) {
    Value *base = frame->base;
    base[FRAME_FUNCTION] = object_value(frame->function);
    base[FRAME_CALLER] = (Value)(uintptr_t)(below ? below->base : NULL);
    base[FRAME_CONSTS] = below ? (Value)(uintptr_t)below->function->consts : 0;
    base[FRAME_PC] = 0;
    if (!below) return;
    const Instr *pc = below->form == FRAME_STUB ? below->function->entry
                                                : below->function->code->instrs + below->word;
    base[FRAME_PC] = (Value)(uintptr_t)pc;
}

static bool place(ImageReader *r, const ImageStack *stack) {
    LoadedFrame *frames = stack->frames;
    uint64_t words = 0, count = stack->count;
    for (uint64_t i = 0; i < count; i++)
        if (end_of(&frames[i]) > words) words = end_of(&frames[i]);
    words += 2 * STACK_RED_ZONE;
    if (!gc_check_size(r->vm, words * sizeof(Value))) return false;
    Buffer *buffer = gc_buffer_new(r->vm, words * sizeof(Value));
    if (!buffer) return false;
    memset(buffer->data, 0, words * sizeof(Value));
    TaskState *state = stack->state;
    state->frames.stack_buffer = buffer;
    state->frames.stack = (Value *)buffer->data;
    state->frames.stack_end = state->frames.stack + words;
    for (uint64_t i = 0; i < count; i++)
        frames[i].base = frames[i].form == FRAME_GENERATOR ? generator_base(frames[i].generator)
                                                           : state->frames.stack + frames[i].offset;
    return true;
}

/* From the bottom up, as the frames were made: what lies higher overwrites. */
static bool fill_frames(ImageReader *r, const ImageStack *stack) {
    LoadedFrame *frames = stack->frames;
    uint64_t count = stack->count;
    for (uint64_t i = count; i-- > 0;) {
        LoadedFrame *frame = &frames[i], *below = i + 1 < count ? &frames[i + 1] : NULL;
        if (frame->form == FRAME_STUB && !fill_stub(r, frame)) return false;
        if (frame->form == FRAME_PLAIN && !fill_plain(r, frame)) return false;
        if (frame->form == FRAME_GENERATOR) {
            if (!below || frame->dest >= below->regs)
                return image_bad(r, "a generator that yields nowhere");
        }
        link_frame(frame, below);
    }
    for (uint64_t i = 0; i < count; i++) {
        const LoadedFrame *frame = &frames[i], *above = i ? &frames[i - 1] : NULL;
        if (frame->form == FRAME_STUB ? !check_stub_frame(r, frame, above, stack->calling)
                                      : !check_script_frame(r, frame, above, stack->calling))
            return false;
    }
    return true;
}

/* A generator that runs for another one, the root: delegation leads from there to it. */
static bool check_delegators(ImageReader *r, const LoadedFrame *frame) {
    uint64_t steps = 0;
    if (!frame->generator->root) return true;
    for (const Generator *at = frame->generator->root; at != frame->generator;
         at = AS(Generator, image_generator_delegate(at)))
        if (image_generator_state(at) != GENERATOR_DELEGATING || ++steps > r->count)
            return image_bad(r, "generators that delegate to nobody");
    return true;
}

static bool build(ImageReader *r, ImageStack *stack, uint64_t *generators) {
    r->at = stack->at;
    stack->frames = memory_new_zeroed(r->vm, stack->count, sizeof *stack->frames);
    if (!stack->frames) return raise_memory(r->vm), false;
    for (uint64_t i = 0; i < stack->count; i++)
        if (!get_frame(r, &stack->frames[i])) return false;
    if (!check_chain(r, stack) || !place(r, stack) || !fill_frames(r, stack)) return false;
    for (uint64_t i = 0; i < stack->count; i++) {
        if (stack->frames[i].form != FRAME_GENERATOR) continue;
        ++*generators;
        if (!check_delegators(r, &stack->frames[i])) return false;
    }
    return true;
}

/* A generator runs in the frames of one stack only. */
static bool check_runners(ImageReader *r) {
    for (uint32_t i = 0; i < r->stack_count; i++)
        for (uint64_t j = 0; j < r->stacks[i].count; j++) {
            Generator *generator = r->stacks[i].frames[j].generator;
            if (!generator) continue;
            if (generator->parent) return image_bad(r, "a generator that runs twice");
            generator->parent = generator; /* passed: it is set when it comes to life */
        }
    return true;
}

/* The task's tables of tickets are its own: those of the image may be in the hands of scripts. */
static bool own_tickets(ImageReader *r, Task *task) {
    Value tickets = dict_new(r->vm), answered = list_new(r->vm, 0), key, value;
    if (tickets == VALUE_ERROR || answered == VALUE_ERROR) return false;
    for (uint32_t at = 0; dict_next(AS_DICT(task->tickets), &at, &key, &value);) {
        if (!is_int(key) || !is_kind(value, TYPE_TICKET))
            return image_bad(r, "a task with a ticket that is none");
        if (dict_set(r->vm, AS_DICT(tickets), key, value) == LEAF_ERROR) return false;
    }
    const List *list = AS_LIST(task->answered);
    for (uint64_t i = 0; i < list->count; i++) {
        if (!is_kind(list->items[i], TYPE_TICKET))
            return image_bad(r, "a task with a ticket that is none");
        if (!list_append(r->vm, answered, list->items[i])) return false;
    }
    task->tickets = tickets;
    task->answered = answered;
    return true;
}

/* The frames that frame objects are of (image_frame_objects.c). */
static bool find_frame(ImageReader *r, FrameObject *object) {
    const Thread *thread = (const Thread *)(const void *)object->return_pc;
    uint64_t place = (uint64_t)object->offset;
    const ImageStack *stack = NULL;
    for (uint32_t i = 0; i < r->stack_count && !stack; i++)
        if (r->stacks[i].thread == thread) stack = &r->stacks[i];
    const LoadedFrame *frame = stack && place < stack->count ? &stack->frames[place] : NULL;
    if (!frame || frame->form != FRAME_PLAIN || object_value(frame->function) != object->function)
        return image_bad(r, "a frame object of no frame");
    object->offset = frame->offset;
    object->return_pc = frame_return_pc(frame->base);
    return true;
}

static bool find_frames(ImageReader *r) {
    for (uint32_t i = 0; i < r->count; i++) {
        Object *object = r->objects[i];
        if (r->tags[i] != IMAGE_CUSTOM || object->kind != TYPE_FRAME) continue;
        if (((FrameObject *)object)->offset < 0) continue;
        if (!find_frame(r, (FrameObject *)object) || !native_charge(r->vm, r->stack_count))
            return false;
    }
    return true;
}

bool image_build_task(ImageReader *r) {
    uint64_t generators = 0;
    if (r->task && !own_tickets(r, r->task)) return false;
    if (r->stack_count && !r->task) return image_bad(r, "threads of no task");
    if (r->task && !image_build_threads(r)) return false;
    for (uint32_t i = 0; i < r->stack_count; i++)
        if (r->stacks[i].count && !build(r, &r->stacks[i], &generators)) return false;
    if (generators != r->running) return image_bad(r, "a generator that runs nowhere");
    if (r->stack_count > 1 && !check_runners(r)) return false;
    if (!find_frames(r)) return false;
    for (uint32_t i = 0; i < r->stack_count; i++)
        if (!r->stacks[i].thread && r->task_status == TASK_YIELDED && r->stacks[i].count != 1)
            return image_bad(r, "a task that has yielded from within");
    return true;
}

/* ---- coming to life ---- */

static void start_generator(const LoadedFrame *frame, const LoadedFrame *below,
                            const TaskState *state) {
    Generator *generator = frame->generator, *root = generator->root;
    generator->dest = below->base + frame->dest;
    generator->exit_pc =
        frame->exit_word ? below->function->code->instrs + frame->exit_word - 1 : NULL;
    generator->top = state->frames.stack + frame->top;
    if (!root) return;
    root->leaf = generator;
    for (Generator *at = root; at != generator;) {
        Generator *next = AS(Generator, at->regs[instr_b(at->pc[-1])]);
        next->parent = at;
        at = next;
    }
}

static void start_stack(const ImageStack *stack) {
    const LoadedFrame *frames = stack->frames;
    TaskState *state = stack->state;
    for (uint64_t i = 0; i < stack->count; i++)
        if (frames[i].form == FRAME_GENERATOR) start_generator(&frames[i], &frames[i + 1], state);
    if (!stack->count) return;
    state->frames.base = frames[0].base;
    state->frames.pc = frames[0].form == FRAME_STUB
                           ? frames[0].function->entry
                           : frames[0].function->code->instrs + frames[0].word;
}

void image_start_task(ImageReader *r) {
    if (!r->task) return;
    for (uint32_t i = 0; i < r->stack_count; i++)
        start_stack(&r->stacks[i]);
    r->task->header.state = r->task_status;
    image_start_threads(r);
}
