/* genvm_task.c - the C API: tasks, call-outs, budgets. */
#include "vm/genvm_private.h"
#include "vm/frame_object.h"
#include "vm/objects.h"
#include "vm/task.h"

_Static_assert((int)GEN_BUDGET_DEADLINE == (int)BUDGET_DEADLINE &&
                   (int)BUDGET_DEADLINE == BUDGET_COUNT - 1,
               "the public kinds of budgets are the engine's");

static Task *task_of(GenVM *vm, GenRef ref) {
    Value v = ref_value(vm, ref);
    if (v == VALUE_ERROR) return NULL;
    if (is_kind(v, TYPE_TASK)) return AS(Task, v);
    raise_type(vm, "expected a task, not %T", v);
    return NULL;
}

/* ---- making ---- */

static GenRef make(GenVM *vm, Value callable, Value args) {
    Task *task = task_new(vm, callable, args);
    return task ? ref_hold(vm, object_value(task)) : GEN_NULL;
}

GenRef gen_task_new(GenVM *vm, GenRef callable, size_t count, const GenRef *args) {
    API_READY(vm, GEN_NULL);
    Value function = ref_value(vm, callable), tuple = tuple_new(vm, count);
    if (function == VALUE_ERROR || tuple == VALUE_ERROR) return GEN_NULL;
    for (size_t i = 0; i < count; i++)
        if ((AS_TUPLE(tuple)->items[i] = ref_value(vm, args[i])) == VALUE_ERROR) return GEN_NULL;
    return make(vm, function, tuple);
}

GenRef gen_task_from_source(GenVM *vm, const char *source, const char *name) {
    API_GIVEN(source);
    API(vm);
    return gen_task_from_bytes(vm, source, strlen(source), name);
}

GenRef gen_task_from_bytes(GenVM *vm, const char *source, size_t size, const char *name) {
    API_GIVEN(source);
    API_READY(vm, GEN_NULL);
    Value code = genvm_compile(vm, source, size, name, "exec", 0);
    if (code == VALUE_ERROR) return GEN_NULL;
    Dict *globals = AS(Module, vm->main_module)->dict;
    Function *function = function_new(vm, AS(Code, code), globals);
    return function ? make(vm, object_value(function), vm->empty_tuple) : GEN_NULL;
}

/* ---- running ---- */

static bool tell_ticket(GenVM *vm, const Ticket *ticket, GenOutcome *out) {
    out->ticket = (GenTicket)ticket->number;
    const Str *name = AS_STR(ticket->name); /* bytes end in a NUL and lie still */
    Value copy = bytes_new(vm, name->data, name->size);
    out->name = ref_hold(vm, copy) ? (const char *)AS(Bytes, copy)->data : NULL;
    out->args = ref_hold(vm, ticket->args);
    out->kwargs = ticket->kwargs == VALUE_UNSET ? GEN_NULL : ref_hold(vm, ticket->kwargs);
    return out->name && out->args;
}

static GenStatus tell(GenVM *vm, const TaskOutcome *outcome, GenOutcome *out) {
    switch (outcome->kind) {
    case OUT_DONE: out->value = ref_hold(vm, outcome->value); return GEN_DONE;
    case OUT_YIELDED: out->value = ref_hold(vm, outcome->value); return GEN_YIELDED;
    case OUT_CALLOUT: return tell_ticket(vm, outcome->ticket, out) ? GEN_CALLOUT : GEN_ERROR;
    case OUT_WAITING: out->wait = outcome->wait; return GEN_WAITING;
    case OUT_BUDGET:
        out->budget = (GenBudget)outcome->budget;
        out->needed = outcome->needed;
        return GEN_BUDGET;
    case OUT_FAILED: vm->exception = outcome->value; return GEN_ERROR;
    }
    return GEN_ERROR;
}

GenStatus gen_run(GenVM *vm, GenRef ref, GenOutcome *out) {
    API(vm);
    GenOutcome unwanted;
    if (!out) out = &unwanted;
    *out = (GenOutcome){.kind = GEN_ERROR};
    Task *task = vm->exception == VALUE_UNSET ? task_of(vm, ref) : NULL;
    if (!task) return GEN_ERROR;
    TaskOutcome outcome = task_run(vm, task);
    genvm_flush(vm);
    if (!vm->base) {
        vm->roots[ROOT_RESULT] = outcome.value ? outcome.value : VALUE_UNSET;
        budget_tidy(vm, task);
        vm->roots[ROOT_RESULT] = VALUE_UNSET;
    }
    genvm_collect(vm, outcome.value ? outcome.value : VALUE_UNSET);
    return out->kind = tell(vm, &outcome, out);
}

bool gen_task_send(GenVM *vm, GenRef ref, GenRef value) {
    API(vm);
    Task *task = task_of(vm, ref);
    Value v = task ? ref_value(vm, value) : VALUE_ERROR;
    if (v == VALUE_ERROR) return false;
    if (task->header.state != TASK_YIELDED || task->waiting != VALUE_UNSET) {
        raise_runtime(vm, "the task has not yielded");
        return false;
    }
    task->answer = v;
    gc_barrier(vm, task);
    return true;
}

/* ---- tickets ---- */

static bool answer(GenVM *vm, GenRef ref, GenTicket ticket, GenRef value, bool failed) {
    Task *task = task_of(vm, ref);
    Value v = task ? ref_value(vm, value) : VALUE_ERROR;
    if (v == VALUE_ERROR) return false;
    if (!failed || is_kind(v, KIND_EXCEPTION))
        return task_answer(vm, task, ticket <= INT64_MAX ? (int64_t)ticket : -1, v, failed);
    raise_type(vm, "exceptions must derive from BaseException");
    return false;
}

bool gen_answer(GenVM *vm, GenRef task, GenTicket ticket, GenRef value) {
    API(vm);
    return answer(vm, task, ticket, value, false);
}

bool gen_answer_error(GenVM *vm, GenRef task, GenTicket ticket, GenRef exception) {
    API(vm);
    return answer(vm, task, ticket, exception, true);
}

size_t gen_task_tickets(GenVM *vm, GenRef ref, GenTicket *tickets, size_t capacity) {
    API(vm);
    Task *task = task_of(vm, ref);
    if (!task) return 0;
    uint32_t position = 0;
    size_t count = 0;
    for (Value key, value; dict_next(AS_DICT(task->tickets), &position, &key, &value); count++)
        if (count < capacity) tickets[count] = (GenTicket)as_int(key);
    return count;
}

bool gen_task_ticket(GenVM *vm, GenRef ref, GenTicket number, GenOutcome *out) {
    API_GIVEN(out);
    API(vm);
    *out = (GenOutcome){.kind = GEN_CALLOUT};
    Task *task = task_of(vm, ref);
    if (!task) return false;
    uint32_t position = 0;
    for (Value key, value; dict_next(AS_DICT(task->tickets), &position, &key, &value);)
        if ((GenTicket)as_int(key) == number) return tell_ticket(vm, AS(Ticket, value), out);
    raise_value(vm, "the task has no open call-out %llu", (unsigned long long)number);
    return false;
}

/* ---- where it stands ---- */

/* Its text with a NUL, alive as long as the scope. */
static const char *keep_text(GenVM *vm, Value str) {
    if (!value_is_str(str)) return "?";
    Value copy = bytes_new(vm, AS_STR(str)->data, AS_STR(str)->size);
    return ref_hold(vm, copy) ? (const char *)AS(Bytes, copy)->data : "?";
}

static bool tell_frame(GenVM *vm, int64_t index, GenFrame *out) {
    Value *base;
    uint32_t word;
    if (!frame_script_at(vm, index, &base, &word)) return false;
    const Function *function = frame_function(base);
    const Code *code = function->code;
    out->function = keep_text(vm, function->qualname);
    out->file = keep_text(vm, code->filename);
    out->line = word < code->instr_count && code->positions ? (int)code->positions[word].line : 0;
    out->locals = ref_hold(vm, frame_locals(vm, base));
    return out->locals != GEN_NULL;
}

bool gen_task_frame(GenVM *vm, GenRef ref, size_t index, GenFrame *out) {
    API_GIVEN(out);
    API(vm);
    *out = (GenFrame){0};
    if (ref == GEN_NULL) return vm->base && tell_frame(vm, (int64_t)(index & INT32_MAX), out);
    Task *task = task_of(vm, ref);
    if (!task || index > INT32_MAX || task->header.state == TASK_RUNNING) return false;
    if (!task->state.frames.base) return false;
    FrameStack running = frame_stack_of(vm), shown = task->state.frames;
    if (task->header.state == TASK_STOPPED)
        shown.pc++; /* the next instruction is the one it is at */
    frame_stack_enter(vm, &shown);
    bool found = tell_frame(vm, (int64_t)index, out);
    frame_stack_enter(vm, &running);
    return found;
}

/* ---- budgets ---- */

static bool check_budget(GenVM *vm, GenBudget budget) {
    if (budget > GEN_BUDGET_NONE && budget <= GEN_BUDGET_DEADLINE) return true;
    raise_value(vm, "unknown budget %d", (int)budget);
    return false;
}

bool gen_task_set_budget(GenVM *vm, GenRef ref, GenBudget budget, uint64_t limit) {
    API(vm);
    Task *task = task_of(vm, ref);
    if (!task || !check_budget(vm, budget)) return false;
    task->limits[budget] = limit;
    vm->hurried |= budget == GEN_BUDGET_DEADLINE;
    vm->is_budgeted |= limit != 0;
    if (task == vm->task) budget_changed(vm);
    return true;
}

/* Of a task that does not run, or that waits for a function of the host's that runs another. */
static uint64_t steps_of(GenVM *vm, const Task *task) {
    const TaskState *state = &task->state;
    for (const TaskSwitch *at = vm->switches; at; at = at->next)
        if (at->task == task) state = &at->outer;
    return (uint64_t)(state->steps_done + state->fuel_slice - state->fuel - state->fuel_kept);
}

uint64_t gen_task_spent(GenVM *vm, GenRef ref, GenBudget budget) {
    API(vm);
    Task *task = task_of(vm, ref);
    if (!task || !check_budget(vm, budget)) return 0;
    bool running = task == vm->task;
    switch (budget) {
    case GEN_BUDGET_STEPS:
        if (running) return (uint64_t)(vm->steps_done + vm->fuel_slice - vm->fuel - vm->fuel_kept);
        return steps_of(vm, task);
    case GEN_BUDGET_MEMORY: return running ? budget_memory(vm, task) : task->used[budget];
    default: return task->used[budget];
    }
}

bool gen_task_kill(GenVM *vm, GenRef ref, uint64_t steps) {
    API_READY(vm, false);
    Task *task = task_of(vm, ref);
    if (!task) return false;
    if (task->header.state == TASK_RUNNING) {
        raise_runtime(vm, "a running task cannot be killed");
        return false;
    }
    task_kill(vm, task, steps);
    genvm_flush(vm);
    return true;
}
