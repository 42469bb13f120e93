/* task.c - tasks: the object, the switch from one to another, running until it stops. The idea is
 * told in task.h. */
#include "vm/task.h"
#include "vm/call.h"
#include "vm/continue.h"
#include "vm/frame_object.h"
#include "vm/interp.h"
#include "vm/objects.h"
#include "vm/runtime.h"
#include "vm/threads.h"
#include "vm/type_private.h"

static TaskStatus status_of(const Task *task) {
    return (TaskStatus)task->header.state;
}
static void set_status(GenVM *vm, Task *task, TaskStatus status) {
    task->header.state = (uint8_t)status;
    gc_barrier(vm, task);
}

/* ---- the object ---- */

/* Does calling it make a generator or coroutine, which the task is to drive. */
static bool makes_generator(Value callable) {
    if (is_kind(callable, TYPE_METHOD)) callable = AS(Method, callable)->function;
    return is_kind(callable, TYPE_FUNCTION) &&
           AS(Function, callable)->code->flags & (CODE_GENERATOR | CODE_COROUTINE);
}

static bool check_callable(GenVM *vm, Value callable, Value args) {
    if (is_kind(callable, TYPE_ASYNC_GENERATOR)) {
        raise_type(vm, "an async generator is no task: iterate over it in a coroutine");
        return false;
    }
    if (!is_generator_like(callable) || !AS_TUPLE(args)->count) return true;
    raise_type(vm, "a task of a %T object takes no arguments", callable);
    return false;
}

Task *task_new(GenVM *vm, Value callable, Value args) {
    if (!check_callable(vm, callable, args)) return NULL;
    Value tickets = dict_new(vm), answered = list_new(vm, 0);
    FrameStack frames;
    Task *task = frame_stack_new(vm, &frames) ? gc_new(vm, sizeof *task, TYPE_TASK) : NULL;
    if (!task || tickets == VALUE_ERROR || answered == VALUE_ERROR) return NULL;
    TaskState *state = &task->state;
    state->frames = frames;
    state->exception = state->handled = state->shown = VALUE_UNSET;
    for (int i = 0; i < THREAD_KEPT; i++)
        state->kept[i] = VALUE_UNSET;
    task->start = callable;
    task->args = args;
    task->driven = is_generator_like(callable) ? callable : VALUE_UNSET;
    task->answer = task->failure = task->waiting = task->callout = task->result = VALUE_UNSET;
    task->killer = VALUE_UNSET;
    task->tickets = tickets;
    task->answered = answered;
    gc_finalizable(vm, task);
    return task;
}

void task_mark_state(GenVM *vm, const TaskState *state) {
    threads_mark(vm, state->threads);
    const FrameStack *frames = &state->frames;
    gc_mark_pointer(vm, frames->stack_buffer);
    gc_mark(vm, state->exception);
    gc_mark(vm, state->handled);
    gc_mark(vm, state->shown);
    for (int i = 0; i < THREAD_KEPT; i++)
        gc_mark(vm, state->kept[i]);
    if (frames->stack) frame_mark_stack(vm, frames->stack, frames->stack_end, frames->base);
}

static void trace(GenVM *vm, Object *object) {
    Task *task = (Task *)object;
    if (status_of(task) != TASK_RUNNING) task_mark_state(vm, &task->state);
    const Value values[] = {task->start,    task->args,    task->driven,  task->answer,
                            task->failure,  task->waiting, task->callout, task->tickets,
                            task->answered, task->result,  task->killer};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        gc_mark(vm, values[i]);
}

void task_mark_roots(GenVM *vm) {
    gc_mark_pointer(vm, vm->task);
    gc_mark_pointer(vm, vm->stack_buffer);
    threads_mark(vm, vm->threads);
    for (TaskSwitch *at = vm->switches; at; at = at->next) {
        gc_mark_pointer(vm, at->task);
        task_mark_state(vm, &at->outer);
    }
}

void task_abandon_frames(TaskState *state) {
    for (Value *base = state->frames.base; base; base = frame_caller(base))
        if (frame_is_generator(base)) generator_of(base)->header.state = GENERATOR_DONE;
    state->frames = (FrameStack){0};
}

static void abandon(Task *task) {
    task_abandon_frames(&task->state);
    if (task->state.threads) threads_free(task->state.threads);
    task->state.threads = NULL;
}

static void finalize(GenVM *vm, Object *object) {
    (void)vm;
    abandon((Task *)object);
}

const BuiltinType task_type = {
    .name = "task",
    .module = "_engine",
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Task),
    .slots = {.trace = trace, .finalize = finalize},
};

/* ---- switching ---- */

static void save_state(GenVM *vm, TaskState *state) {
    *state = (TaskState){
        .frames = frame_stack_of(vm),
        .exception = vm->exception,
        .handled = vm->handled,
        .shown = vm->roots[ROOT_SHOWN],
        .fuel = vm->fuel,
        .fuel_kept = vm->fuel_kept,
        .fuel_slice = vm->fuel_slice,
        .steps_done = vm->steps_done,
        .nested = vm->nested,
        .threads = vm->threads,
    };
    threads_keep(vm, state->kept);
}

static void load_state(GenVM *vm, const TaskState *state) {
    vm->exception = state->exception;
    vm->handled = state->handled;
    vm->roots[ROOT_SHOWN] = state->shown;
    vm->fuel = state->fuel;
    vm->fuel_kept = state->fuel_kept;
    vm->fuel_slice = state->fuel_slice;
    vm->steps_done = state->steps_done;
    vm->nested = state->nested;
    vm->threads = state->threads;
    frame_stack_enter(vm, &state->frames);
    threads_take(vm, state->kept);
}

static void enter(GenVM *vm, Task *task, TaskSwitch *record) {
    save_state(vm, &record->outer);
    record->task = vm->task;
    record->next = vm->switches;
    vm->switches = record;
    load_state(vm, &task->state);
    vm->task = task;
    vm->stop = STOP_NONE;
    set_status(vm, task, TASK_RUNNING);
    vm->fuel = vm->fuel_slice = 0; /* the first step looks at the budget */
    if (vm->pending_count) vm->poll |= POLL_FINALIZE;
    budget_enter(vm, task);
}

static void leave(GenVM *vm, Task *task, TaskSwitch *record, TaskStatus status) {
    vm->steps_done += vm->fuel_slice - vm->fuel - vm->fuel_kept;
    vm->fuel = vm->fuel_kept = vm->fuel_slice = 0;
    vm->stop = STOP_NONE;
    budget_leave(vm, task);
    save_state(vm, &task->state);
    vm->switches = record->next;
    vm->task = record->task;
    load_state(vm, &record->outer);
    if (vm->pending_count) vm->poll |= POLL_FINALIZE; /* the task may have stopped in a finalizer */
    set_status(vm, task, status);
    if (status >= TASK_DONE) abandon(task);
}

/* ---- going on ---- */

static Value take(Value *from) {
    Value v = *from;
    *from = VALUE_UNSET;
    return v;
}

static RunStatus begin(GenVM *vm, Task *task) {
    Value start = take(&task->start), args = take(&task->args);
    if (!frame_push_continuation(vm, RETURN_HOST, 0)) return RUN_FAILED;
    if (makes_generator(start)) {
        if (!call_spread(vm, start, args, VALUE_UNSET)) return interp_continue(vm, false);
        task->driven = vm->base[0];
    }
    if (task->driven == VALUE_UNSET)
        return interp_continue(vm, call_spread(vm, start, args, VALUE_UNSET));
    return interp_continue(vm, generator_send(vm, AS(Generator, task->driven), VALUE_NONE));
}

/* The result that the call at which the task stopped has waited for. */
static RunStatus finish_call(GenVM *vm, Task *task) {
    Value failure = take(&task->failure), answer = take(&task->answer);
    if (failure == VALUE_UNSET) return interp_continue(vm, call_result(vm, answer));
    raise_value_object(vm, failure);
    return interp_continue(vm, false);
}

static RunStatus send(GenVM *vm, Task *task) {
    Value failure = take(&task->failure), answer = take(&task->answer);
    vm->pc = continue_stub(vm, RETURN_HOST)->entry; /* its HALT was passed */
    Generator *generator = AS(Generator, task->driven);
    if (failure == VALUE_UNSET) return interp_continue(vm, generator_send(vm, generator, answer));
    vm->exception = failure;
    return interp_continue(vm, generator_throw(vm, generator));
}

/* Between two instructions: the budget is looked at before the first. */
static RunStatus proceed(GenVM *vm) {
    if (threads_take_idle(vm)) {
        vm->stop = STOP_SWITCH;
        return interp_continue(vm, false);
    }
    if (vm_safepoint(vm)) return interp_run(vm);
    if (!vm->stop) vm->pc++; /* the exception belongs to the instruction that would have run now */
    return interp_continue(vm, false);
}

static RunStatus go_on(GenVM *vm, Task *task, TaskStatus from) {
    switch (from) {
    case TASK_NEW: return begin(vm, task);
    case TASK_STOPPED: return proceed(vm);
    case TASK_CALLING: return finish_call(vm, task);
    case TASK_YIELDED: return send(vm, task);
    case TASK_RUNNING:
    case TASK_DONE:
    case TASK_FAILED: break;
    }
    return RUN_FAILED;
}

/* ---- why it stopped ---- */

/* A call-out is told, once the budget has it. */
static TaskOutcome call_out(Task *task) {
    uint64_t limit = task->limits[BUDGET_CALLOUTS];
    task->untold = limit && task->used[BUDGET_CALLOUTS] > limit;
    if (!task->untold)
        return (TaskOutcome){.kind = OUT_CALLOUT, .ticket = AS(Ticket, task->callout)};
    task->tripped = BUDGET_CALLOUTS;
    return (TaskOutcome){.kind = OUT_BUDGET, .budget = BUDGET_CALLOUTS};
}

static TaskOutcome still_waiting(const Task *task) {
    TaskOutcome outcome = {.kind = OUT_WAITING};
    uint64_t now = task->wait_until ? threads_now() : 0;
    if (task->wait_until) outcome.wait = task->wait_until > now ? task->wait_until - now : 1;
    return outcome;
}

static TaskStatus stopped(GenVM *vm, Task *task, TaskOutcome *outcome) {
    switch ((StopReason)vm->stop) {
    case STOP_CALLOUT: *outcome = call_out(task); return TASK_CALLING;
    case STOP_WAIT: *outcome = still_waiting(task); return TASK_CALLING;
    case STOP_AGAIN: vm->pc--; break;
    case STOP_BUDGET:
    case STOP_SWITCH:
    case STOP_NONE: break;
    }
    outcome->kind = OUT_BUDGET;
    outcome->budget = task->tripped;
    int64_t spent = vm->steps_done + vm->fuel_slice - vm->fuel - vm->fuel_kept;
    outcome->needed = (uint64_t)spent + (task->wanted ? task->wanted : 1);
    return TASK_STOPPED;
}

/* What a driven generator yields goes to the host, but for the ticket of an await: that is waited
 * for. */
static TaskStatus yielded(GenVM *vm, Task *task, TaskOutcome *outcome) {
    Value v = vm->base[0];
    task->answer = VALUE_NONE;
    if (is_kind(v, TYPE_TICKET) && is_kind(task->driven, TYPE_COROUTINE)) {
        outcome->kind = OUT_WAITING;
        task->waiting = v;
    } else {
        outcome->kind = OUT_YIELDED;
        outcome->value = v;
    }
    return TASK_YIELDED;
}

static TaskStatus ended(GenVM *vm, Task *task, TaskOutcome *outcome, bool failed) {
    if (vm->poll & POLL_MEMORY) { /* no safepoint has followed */
        vm->poll &= ~(uint32_t)POLL_MEMORY;
        if (!failed) raise_memory(vm);
        failed = true;
    }
    if (task->joining) {
        error_clear(vm);
        failed = task->failed;
    } else if (!failed) {
        task->result = vm->base[0];
    } else if (task->driven != VALUE_UNSET && error_matches(vm, EXC_STOP_ITERATION)) {
        task->result = exception_stop_value(vm, error_take(vm));
        failed = false;
    } else {
        task->result = error_take(vm);
    }
    outcome->kind = failed ? OUT_FAILED : OUT_DONE;
    outcome->value = task->result;
    return failed ? TASK_FAILED : TASK_DONE;
}

static TaskStatus conclude(GenVM *vm, Task *task, RunStatus run, TaskOutcome *outcome) {
    if (run == RUN_STOPPED) return stopped(vm, task, outcome);
    if (run == RUN_RETURNED && task->driven != VALUE_UNSET) return yielded(vm, task, outcome);
    return ended(vm, task, outcome, run == RUN_FAILED);
}

/* ---- running ---- */

/* The main thread has ended: those that are no daemons come to their end first. */
static RunStatus join_threads(GenVM *vm, Task *task, RunStatus run) {
    bool yields = run == RUN_RETURNED && task->driven != VALUE_UNSET;
    if (run == RUN_STOPPED || yields || task->joining) return run;
    Value function = threads_join_function(vm);
    if (function == VALUE_UNSET) return run;
    TaskOutcome outcome = {0};
    task->failed = ended(vm, task, &outcome, run == RUN_FAILED) == TASK_FAILED;
    task->joining = true;
    vm->pc = continue_stub(vm, RETURN_HOST)->entry; /* its HALT was passed */
    return interp_continue(vm, call_value(vm, function, 0, NULL));
}

/* Is there what the task waits for; it is put where the task finds it. */
static bool is_answered(GenVM *vm, Task *task) {
    if (task->waiting == VALUE_UNSET) return true;
    if (task->waiting == VALUE_TRUE) {
        bool due = task->wait_until && threads_now() >= task->wait_until;
        if (!AS_LIST(task->answered)->count && !due) return false;
        task->wait_until = 0;
        Value empty = list_new(vm, 0);
        if (empty == VALUE_ERROR) return error_clear(vm), false;
        task->answer = task->answered;
        task->answered = empty;
    } else {
        Ticket *ticket = AS(Ticket, task->waiting);
        if (ticket->state == TICKET_OPEN) return false;
        if (ticket->asynchronous) /* the await asks the ticket itself */
            task->answer = VALUE_NONE;
        else
            *(ticket->state == TICKET_ANSWERED ? &task->answer : &task->failure) = ticket->result;
    }
    task->waiting = VALUE_UNSET;
    gc_barrier(vm, task);
    return true;
}

static TaskOutcome over(const Task *task) {
    return (TaskOutcome){.kind = status_of(task) == TASK_DONE ? OUT_DONE : OUT_FAILED,
                         .value = task->result};
}

TaskOutcome task_run(GenVM *vm, Task *task) {
    TaskStatus from = status_of(task);
    if (from == TASK_DONE || from == TASK_FAILED) return over(task);
    if (from == TASK_RUNNING) {
        raise_runtime(vm, "the task is running already");
        return (TaskOutcome){.kind = OUT_FAILED, .value = error_take(vm)};
    }
    if (task->untold) return call_out(task);
    if (!runtime_enter(vm)) return (TaskOutcome){.kind = OUT_FAILED, .value = error_take(vm)};
    if (!is_answered(vm, task)) return still_waiting(task);
    TaskOutcome outcome = {0};
    TaskSwitch record;
    enter(vm, task, &record);
    vm->c_depth++;
    RunStatus run = join_threads(vm, task, go_on(vm, task, from));
    vm->c_depth--;
    leave(vm, task, &record, conclude(vm, task, run, &outcome));
    return outcome;
}

/* ---- answers ---- */

bool task_answer(GenVM *vm, Task *task, int64_t number, Value answer, bool failed) {
    Value key = int_value(number), found;
    Dict *tickets = AS_DICT(task->tickets);
    Leaf leaf = int_fits(number) ? dict_get(vm, tickets, key, &found) : LEAF_FALSE;
    if (leaf == LEAF_ERROR) return false;
    if (leaf != LEAF_TRUE || !is_kind(found, TYPE_TICKET)) {
        raise_value(vm, "the task has no open call-out %lld", (long long)number);
        return false;
    }
    Ticket *ticket = AS(Ticket, found);
    if (ticket->asynchronous && !list_append(vm, task->answered, found)) return false;
    dict_delete(vm, tickets, key);
    ticket->state = failed ? TICKET_FAILED : TICKET_ANSWERED;
    ticket->result = answer;
    gc_barrier(vm, ticket);
    return true;
}

/* ---- killing ---- */

void task_kill(GenVM *vm, Task *task, uint64_t steps) {
    TaskStatus from = status_of(task);
    if (from == TASK_DONE || from == TASK_FAILED || from == TASK_RUNNING) return;
    vm->hurried = true;
    Value exception = exception_new(vm, EXC_GENERATOR_EXIT, VALUE_UNSET);
    if (exception == VALUE_ERROR) exception = error_take(vm);
    bool begun = from != TASK_NEW;
    if (begun && steps) {
        TaskSwitch record;
        task->killer = exception;
        task->wanted = 0;
        memset(task->limits, 0, sizeof task->limits);
        task->failure = exception;
        task->waiting = VALUE_UNSET;
        enter(vm, task, &record);
        task->limits[BUDGET_STEPS] = (uint64_t)vm->steps_done + steps;
        bool main = threads_is_main(vm) && !threads_take_idle(vm);
        bool between = threads_leave_main(vm);
        if (from == TASK_STOPPED || !main) {
            take(&task->failure);
            vm->exception = exception;
            if (main || between) vm->pc++; /* it belongs to the instruction that would run now */
            interp_continue(vm, false);
        } else {
            go_on(vm, task, from);
        }
        vm->exception = VALUE_UNSET;
        leave(vm, task, &record, TASK_FAILED);
        task->killer = VALUE_UNSET;
    }
    task->start = task->args = task->answer = task->failure = task->waiting = VALUE_UNSET;
    task->result = exception;
    set_status(vm, task, TASK_FAILED);
    abandon(task);
}
