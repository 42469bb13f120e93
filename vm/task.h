/* task.h - tasks: what a host starts, stops, resumes, inspects and drops.
 *
 *   Task: header | state: pc base stack (a Buffer) exception handled steps | start args | answer
 *         | waiting tickets answered | budget and what is used of it | result
 *
 * A task owns a register stack; its frames are the ordinary ones of frame.h, above a HOST
 * continuation frame at the bottom. While it runs, the fields of GenVM are the hot copy of its
 * state; task_run exchanges the two, a dozen words. So a stopped task is Values, and raw pointers
 * into its own stack, into generators that it is running and into code, all of which can be told
 * as offsets.
 *
 * STOPPING. Where a call would give its result, a native may return VALUE_ERROR with vm->stop set
 * and no exception pending: every caller passes that on as it passes errors on, up to the
 * interpreter, which leaves pc and base where they are and returns RUN_STOPPED. The result that the
 * call lacks is stored, when it is known, where call_result would have stored it: in register a of
 * vm->pc[-1]. So a call-out can happen wherever a call can. A spent budget stops at a safepoint,
 * between two instructions, and needs no result.
 *
 * A stop must not cross a C frame. Runs that the host makes from inside a native (vm_call) count in
 * vm->nested; while that is not zero, call-outs raise RuntimeError and a spent budget ends the
 * nested run by an exception that no handler of it sees (vm->aborting). What still
 * re-enters C, and why, is told by reentries.def.
 */
#ifndef GEN_TASK_H
#define GEN_TASK_H

#include "vm/generator.h"
#include "vm/vm.h"

typedef enum TaskStatus { /* Task.header.state */
                          TASK_NEW,
                          TASK_RUNNING,
                          TASK_STOPPED, /* between two instructions: goes on as it is */
                          TASK_CALLING, /* at a call that lacks its result: `answer`, `failure` or
                                           `waiting` has it */
                          TASK_YIELDED, /* the generator that it drives has yielded: `answer` is
                                           sent into it */
                          TASK_DONE,    /* `result` is its value */
                          TASK_FAILED,  /* `result` is the exception */
} TaskStatus;

typedef enum StopReason {
    STOP_NONE,
    STOP_CALLOUT, /* an external function was called: task->callout */
    STOP_WAIT,    /* nothing can go on before a ticket is answered */
    STOP_BUDGET,  /* task->tripped */
    STOP_AGAIN,   /* the same before work that does not fit: the instruction is made anew */
    STOP_SWITCH,  /* another thread of the task goes on: never leaves the interpreter (threads.h) */
} StopReason;

typedef enum BudgetKind {
    BUDGET_NONE,
    BUDGET_STEPS,
    BUDGET_MEMORY,
    BUDGET_DEPTH,
    BUDGET_OUTPUT,
    BUDGET_CALLOUTS,
    BUDGET_DEADLINE,
    BUDGET_COUNT
} BudgetKind;

enum {
    THREAD_LOCALS = 3,      /* instances whose slots each thread and each task has for itself */
    THREAD_LOCAL_SLOTS = 2, /* that many of their slots */
    THREAD_KEPT = THREAD_LOCALS * THREAD_LOCAL_SLOTS + 2 /* and the hooks of sys */
};

typedef struct TaskState { /* what a switch exchanges with the VM's fields of the same names */
    FrameStack frames;
    Value exception, handled;
    Value shown;             /* vm->roots[ROOT_SHOWN] */
    Value kept[THREAD_KEPT]; /* UNSET: as it is at first */
    int64_t fuel, fuel_kept, fuel_slice, steps_done;
    uint32_t nested;
    struct Threads *threads; /* those of the task; the state is that of its running thread */
} TaskState;

typedef struct Task {
    Object header;
    TaskState state; /* while it does not run */
    Value start;     /* the callable, or the generator or coroutine to drive; UNSET once started */
    Value args;      /* tuple for the callable */
    Value driven;    /* the generator or coroutine whose steps the task makes, or UNSET */
    Value answer;    /* what it is to be resumed with, or UNSET */
    Value failure;   /* the exception to raise instead, or UNSET */
    Value waiting;   /* the Ticket that must be answered first; True: any; UNSET: none */
    Value callout;   /* the Ticket of the last call-out, for the outcome */
    Value tickets;   /* dict: number -> open Ticket */
    Value answered;  /* list: tickets answered and not yet collected by the script's scheduler */
    Value result;    /* see TaskStatus */
    Value killer; /* while it is killed: the exception, which no except clause matches; or UNSET */
    int64_t next_ticket;
    uint64_t wait_until; /* when a wait for any ticket ends all the same, CLOCK_MONOTONIC; 0: never
                          */
    uint64_t limits[BUDGET_COUNT]; /* by BudgetKind; 0: none. Deadline: nanoseconds of vm_clock */
    uint64_t used[BUDGET_COUNT];   /* of memory, output, call-outs; steps are in the state */
    bool littered;                 /* its last run has left a lot that may be garbage */
    uint64_t others;               /* while it runs: bytes of the heap that count for others */
    uint64_t wanted;               /* steps that the next instruction asks for at once */
    const Instr *again; /* its deadline has come in this instruction, which is made anew, */
    uint64_t grace;     /* and has so many nanoseconds beyond the next deadline */
    BudgetKind tripped; /* by which it stopped last */
    bool joining;       /* its main thread has ended, with `result`; it waits for the others */
    bool failed;        /* ... by an exception */
    bool untold; /* the last call-out was one too many: it is told when the budget is raised */
} Task;

typedef enum TicketState { TICKET_OPEN, TICKET_ANSWERED, TICKET_FAILED } TicketState;

/* A call of an external function: what the host answers. Those of `async` functions are seen by
 * scripts, as awaitables. */
typedef struct Ticket {
    Object header;
    TicketState state;
    bool asynchronous;
    bool blocking; /* an await has passed it up (asyncio's protocol) */
    int64_t number;
    Value name, args, kwargs; /* str, tuple, dict or UNSET */
    Value result;             /* value or exception, once answered */
    Value callbacks;          /* list of (callable, context), or UNSET */
} Ticket;

typedef struct TaskOutcome {
    enum { OUT_DONE, OUT_YIELDED, OUT_CALLOUT, OUT_WAITING, OUT_BUDGET, OUT_FAILED } kind;
    Value value;       /* done, yielded; failed: the exception */
    Ticket *ticket;    /* callout */
    BudgetKind budget; /* budget */
    uint64_t needed;   /* steps: the least limit that is of use */
    uint64_t wait;     /* waiting: nanoseconds until it goes on by itself; 0: never */
} TaskOutcome;

typedef struct TaskSwitch { /* what runs outside of the running task; on the C stack of task_run */
    TaskState outer;
    Task *task; /* NULL: the host's own calls */
    struct TaskSwitch *next;
} TaskSwitch;

/* A task that will call `callable`, or drive a generator or coroutine object (args empty then).
 * NULL with an exception pending. Calling a generator or coroutine function makes a task that
 * drives what the function makes. */
Task *task_new(GenVM *vm, Value callable, Value args_tuple);

/* Runs until the task cannot go on; never blocks. An exception that ends it is in the outcome, not
 * pending. */
TaskOutcome task_run(GenVM *vm, Task *task);

/* Answers an open ticket: value or, with `failed`, an exception. False with ValueError if there is
 * none of that number. */
bool task_answer(GenVM *vm, Task *task, int64_t number, Value answer, bool failed);

/* Ends a stopped task: its finally blocks run for at most `steps`, then it is failed by
 * GeneratorExit. */
void task_kill(GenVM *vm, Task *task, uint64_t steps);

/* Is that the exception by which the running task is killed: except clauses do not match it. */
static inline bool task_is_killer(GenVM *vm, Value exception) {
    return vm->task && exception == vm->task->killer;
}

void task_mark_roots(GenVM *vm);
void task_mark_state(GenVM *vm, const TaskState *state);
/* The frames are given up: what they were running cannot be resumed by anybody. */
void task_abandon_frames(TaskState *state);

/* May what runs now be stopped and resumed later. */
static inline bool task_can_stop(GenVM *vm) {
    return vm->task && !vm->nested && !vm->in_prelude;
}

/* ticket.c */
Ticket *ticket_new(GenVM *vm, Value name, Value args, Value kwargs, bool asynchronous);
/* The body of external functions: opens a ticket in the running task and stops it. Always
 * VALUE_ERROR. */
Value task_call_out(GenVM *vm, Value name, Value args, Value kwargs, bool asynchronous);

/* More steps are as good as none are: sums and differences of such numbers do not overflow. */
#define BUDGET_STEPS_MOST ((uint64_t)1 << 61)

/* budget.c */
/* At a safepoint of a task: false when a budget is spent (vm->stop, or an exception in a nested
 * run). */
bool budget_safepoint(GenVM *vm);
/* A limit of the running task was changed. */
void budget_changed(GenVM *vm);
/* Has the native under way spent far more steps than there are. */
bool budget_is_outrun(GenVM *vm);
/* Within work that was begun by native_begin, which has no effect yet: true when its deadline has
 * come. The task stops before the instruction. */
bool budget_stops_work(GenVM *vm);
/* How many nanoseconds a native may wait for the system, which wants to wait for so many: no longer
 * than to the deadline of its task, which stops at the next safepoint then, and not at all in a
 * task that is being killed. The native waits for the rest when it is called again. */
uint64_t budget_wait(GenVM *vm, uint64_t nanoseconds);
/* How many steps may be done before the next look. */
int64_t budget_slice(GenVM *vm, int64_t most);
/* Memory: what the heap grows by while a task runs is the task's, what collections find in that
 * time is taken off. */
void budget_enter(GenVM *vm, Task *task);
void budget_leave(GenVM *vm, Task *task);
/* After a run, at a safepoint of the host: its garbage is collected, so that it counts for nobody
 * else. */
void budget_tidy(GenVM *vm, Task *task);
uint64_t budget_memory(GenVM *vm, const Task *task); /* the share of the running task */
void budget_output(GenVM *vm, uint64_t bytes);       /* counts what a script writes */
/* A frame above `depth` others is to be made: up to which depth that needs no further look. */
size_t budget_depth(GenVM *vm, size_t depth);

#endif
