/* ticket.c - call-outs: calls of external functions, which the host answers.
 *
 * An external function has a signature and no body. Calling it opens a ticket in the running task
 * and stops the task; the outcome tells the host the name, the arguments and the ticket's number. A
 * plain one is answered before the task goes on, and its call gives the answer. One whose signature
 * begins with `async` gives the ticket itself at once: an awaitable that a scheduler written in Gen
 * can hold many of. An `await` of one that is not answered passes the ticket up to whoever steps
 * the coroutine, as the futures of asyncio do; the scheduler asks _engine for those that were
 * answered meanwhile, or stops the task until one is.
 */
#include "vm/engine_module.h"
#include "vm/threads.h"
#include "vm/type_private.h"

#include <math.h>

static Ticket *self_ticket(Value self) {
    return AS(Ticket, self);
}

Ticket *ticket_new(GenVM *vm, Value name, Value args, Value kwargs, bool asynchronous) {
    Ticket *ticket = gc_new(vm, sizeof *ticket, TYPE_TICKET);
    if (!ticket) return NULL;
    ticket->asynchronous = asynchronous;
    ticket->name = name;
    ticket->args = args;
    ticket->kwargs = kwargs;
    ticket->result = ticket->callbacks = VALUE_UNSET;
    return ticket;
}

static void trace(GenVM *vm, Object *object) {
    Ticket *ticket = (Ticket *)object;
    gc_mark(vm, ticket->name);
    gc_mark(vm, ticket->args);
    gc_mark(vm, ticket->kwargs);
    gc_mark(vm, ticket->result);
    gc_mark(vm, ticket->callbacks);
}

/* ---- calling out ---- */

typedef enum Reentry {
#define REENTRY(id, refusal, reason) REENTRY_##id,
#include "vm/reentries.def"
#undef REENTRY
} Reentry;

static bool check_task(GenVM *vm, Value name) {
    static const char *const refusals[] = {
#define REENTRY(id, refusal, reason) refusal,
#include "vm/reentries.def"
#undef REENTRY
    };
    if (task_can_stop(vm) && vm->task->killer == VALUE_UNSET) return true;
    Reentry where = vm->in_prelude                    ? REENTRY_IMAGE
                    : !vm->task                       ? REENTRY_OUTSIDE
                    : vm->task->killer != VALUE_UNSET ? REENTRY_KILLED
                                                      : REENTRY_HOST;
    raise_runtime(vm, "external function %S() %s", name, refusals[where]);
    return false;
}

Value task_call_out(GenVM *vm, Value name, Value args, Value kwargs, bool asynchronous) {
    Task *task = vm->task;
    if (!check_task(vm, name)) return VALUE_ERROR;
    Ticket *ticket = ticket_new(vm, name, args, kwargs, asynchronous);
    if (!ticket) return VALUE_ERROR;
    ticket->number = ++task->next_ticket;
    Value self = object_value(ticket);
    if (dict_set(vm, AS_DICT(task->tickets), int_value(ticket->number), self) == LEAF_ERROR)
        return VALUE_ERROR;
    task->used[BUDGET_CALLOUTS]++;
    task->callout = self;
    if (asynchronous)
        task->answer = self;
    else
        task->waiting = self;
    gc_barrier(vm, task);
    vm->stop = STOP_CALLOUT;
    return VALUE_ERROR;
}

/* ---- what scripts see of an awaitable ticket ---- */

static Value repr(GenVM *vm, Value self) {
    static const char *const states[] = {"open", "answered", "failed"};
    const Ticket *ticket = self_ticket(self);
    return str_format(vm, "<ticket %d of %S() %s>", (int)ticket->number, ticket->name,
                      states[ticket->state]);
}

static Value iter(GenVM *vm, Value self) {
    return (void)vm, self;
}

static Value give_result(GenVM *vm, const Ticket *ticket) {
    if (ticket->state == TICKET_FAILED) return raise_value_object(vm, ticket->result);
    return ticket->result;
}

/* A step of an await: passes the ticket up as long as it is open. */
static Value next(GenVM *vm, Value self) {
    Ticket *ticket = self_ticket(self);
    if (ticket->state == TICKET_OPEN) {
        ticket->blocking = true;
        return self;
    }
    Value result = give_result(vm, ticket);
    return result == VALUE_ERROR ? VALUE_ERROR : raise_stop_iteration(vm, result);
}

static Value await_ticket(GenVM *vm, Value *args) {
    return (void)vm, args[0];
}

static Value done(GenVM *vm, Value *args) {
    return (void)vm, bool_value(self_ticket(args[0])->state != TICKET_OPEN);
}

static Value check_done(GenVM *vm, const Ticket *ticket) {
    if (ticket->state != TICKET_OPEN) return VALUE_NONE;
    return raise_runtime(vm, "the call-out %S() is not answered yet", ticket->name);
}

static Value result(GenVM *vm, Value *args) {
    const Ticket *ticket = self_ticket(args[0]);
    return check_done(vm, ticket) == VALUE_ERROR ? VALUE_ERROR : give_result(vm, ticket);
}

static Value exception(GenVM *vm, Value *args) {
    const Ticket *ticket = self_ticket(args[0]);
    if (check_done(vm, ticket) == VALUE_ERROR) return VALUE_ERROR;
    return ticket->state == TICKET_FAILED ? ticket->result : VALUE_NONE;
}

static Value add_callback(GenVM *vm, Value *args) {
    Ticket *ticket = self_ticket(args[0]);
    Value pair = tuple_pack(vm, 2, args[1], args[2]);
    if (ticket->callbacks == VALUE_UNSET) {
        Value list = list_new(vm, 0);
        if (list == VALUE_ERROR) return VALUE_ERROR;
        ticket->callbacks = list;
        gc_barrier(vm, ticket);
    }
    return pair != VALUE_ERROR && list_append(vm, ticket->callbacks, pair) ? VALUE_NONE
                                                                           : VALUE_ERROR;
}

/* The callbacks, as (callable, context) pairs; they are forgotten. */
static Value take_callbacks(GenVM *vm, Value *args) {
    Ticket *ticket = self_ticket(args[0]);
    Value list = ticket->callbacks == VALUE_UNSET ? list_new(vm, 0) : ticket->callbacks;
    ticket->callbacks = VALUE_UNSET;
    return list;
}

static Value get_number(GenVM *vm, Value self) {
    return (void)vm, int_value(self_ticket(self)->number);
}
static Value get_name(GenVM *vm, Value self) {
    return (void)vm, self_ticket(self)->name;
}
static Value get_args(GenVM *vm, Value self) {
    return (void)vm, self_ticket(self)->args;
}
static Value get_blocking(GenVM *vm, Value self) {
    return (void)vm, bool_value(self_ticket(self)->blocking);
}
static bool set_blocking(GenVM *vm, Value self, Value value) {
    (void)vm;
    self_ticket(self)->blocking = value == VALUE_TRUE;
    return true;
}

static const NativeDef methods[] = {
    {"__await__(self, /)", await_ticket, "The ticket itself: awaiting it gives its answer."},
    {"done(self, /)", done, "Whether the host has answered."},
    {"result(self, /)", result, "The answer, or raises the exception that was the answer."},
    {"exception(self, /)", exception, "The exception that was the answer, or None."},
    {"add_done_callback(self, fn, /, *, context=None)", add_callback,
     "Has a scheduler call fn(ticket) once the ticket is answered."},
    {"_take_callbacks(self, /)", take_callbacks, NULL},
    {0},
};

static const AttributeDef attributes[] = {
    {"number", get_number, NULL, "The number by which the host knows it."},
    {"name", get_name, NULL, "The name of the external function."},
    {"args", get_args, NULL, "The arguments of the call."},
    {"_asyncio_future_blocking", get_blocking, set_blocking, NULL},
    {0},
};

const BuiltinType ticket_type = {
    .name = "ticket",
    .module = "_engine",
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Ticket),
    .doc = "A call of an external function that the host has to answer.",
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = repr, .iter = iter, .next = next, .trace = trace},
};

/* ---- for schedulers: natives of _engine ---- */

/* tickets_answered(): the tickets of this task that were answered since it was asked last. */
static Value tickets_answered(GenVM *vm, Value *args) {
    (void)args;
    Value empty = list_new(vm, 0);
    if (empty == VALUE_ERROR || !vm->task) return empty;
    Value answered = vm->task->answered;
    vm->task->answered = empty;
    gc_barrier(vm, vm->task);
    return answered;
}

/* tickets_wait(timeout): the same, but when there are none the task waits until there are, or until
 * so many seconds have passed (None: for ever). */
static Value tickets_wait(GenVM *vm, Value *args) {
    Task *task = vm->task;
    if (task && AS_LIST(task->answered)->count) return tickets_answered(vm, args);
    if (!task_can_stop(vm) || !AS_DICT(task->tickets)->count)
        return raise_runtime(vm, "there is no open call-out to wait for");
    task->waiting = VALUE_TRUE;
    task->wait_until = 0;
    if (args[0] != VALUE_NONE) {
        double seconds = value_float(args[0]);
        task->wait_until = threads_now() + (seconds > 0 ? (uint64_t)(fmin(seconds, 9e9) * 1e9) : 0);
    }
    vm->stop = STOP_WAIT;
    return VALUE_ERROR;
}

/* tickets_open(): how many the host has yet to answer. */
static Value tickets_open(GenVM *vm, Value *args) {
    (void)args;
    return int_value(vm->task ? AS_DICT(vm->task->tickets)->count : 0);
}

/* tickets_used(): are there any, open or answered and not yet told. */
static Value tickets_used(GenVM *vm, Value *args) {
    (void)args;
    const Task *task = vm->task;
    return bool_value(task && (AS_DICT(task->tickets)->count || AS_LIST(task->answered)->count));
}

static Value is_ticket(GenVM *vm, Value *args) {
    return (void)vm, bool_value(is_kind(args[0], TYPE_TICKET));
}

const NativeDef engine_task_natives[] = {
    {"tickets_used()", tickets_used, "Are there tickets, open or not yet told of."},
    {"is_ticket(obj, /)", is_ticket, NULL},
    {"tickets_answered()", tickets_answered, NULL},
    {"tickets_wait(timeout: float | None = None, /)", tickets_wait, NULL},
    {"tickets_open()", tickets_open, NULL},
    {0},
};
