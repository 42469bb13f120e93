/* threads.h - the threads of a script: several stacks that take turns in one VM.
 *
 *      main's frames     Thread-1's     Thread-2's          each on a register stack of its own
 *      +-----------+    +----------+   +----------+
 *      |           |    |          |   |          |          vm->pc, base, stack, ... are those of
 *      |           |    |          |   |          |          Threads.current; a switch exchanges
 *      +-----------+    +----------+   +----------+          them, a dozen words
 *           ^                 |              |
 *        current          ready queue    parked: for a lock, a time, a descriptor
 *
 * A `threading.Thread` is not a thread of the operating system: the VM switches, by itself, at two
 * places. At the end of a slice of fuel the running thread goes to the end of the ready queue and
 * the first of the queue goes on (like CPython's switch interval, but the same on every run). And a
 * native that would have to wait PARKS its thread instead. So no two threads run at once: shared
 * memory needs no locks in C, natives are atomic, and a program without threads pays nothing.
 *
 * PARKING. A native that cannot go on yet says what for and gives VALUE_ERROR with STOP_SWITCH, as
 * a call-out does (task.h); the interpreter then goes on with another thread. When the event has
 * come, the native IS RUN ANEW with the arguments it had, and finds vm->resumed: what it computed
 * from them, a deadline, is what threads_park was told. No state of it has to be kept. What must
 * wait while no switch is possible (vm->nested: C waits for the result) blocks as it would without
 * threads. In a host's task with a deadline, a native parks even the only thread: so the task stops
 * in its wait, and goes on with it.
 *
 * Where nothing is ready, the VM really waits, by vm->wait_events (stdlib/thread_wait.c), until a
 * descriptor or a time wakes somebody. An interrupt wakes the main thread, which alone gets it.
 *
 * The threads belong to a host's task, or to the calls the host makes without one: they share its
 * budget, they stop when it stops, and end with it. The frames of the main thread are those that
 * the host started; only it has to do with the C stack. A Thread is a root as long as it is alive.
 */
#ifndef GEN_THREADS_H
#define GEN_THREADS_H

#include "vm/task.h"

typedef enum ThreadStatus { /* Thread.header.state */
                            THREAD_NEW,
                            THREAD_RUNNING,
                            THREAD_READY,  /* in the queue */
                            THREAD_PARKED, /* in Threads.waits, in a lock's queue, or both */
                            THREAD_DONE,
} ThreadStatus;

enum { THREAD_MAIN_IDENT = 1 }; /* the others count on from there */
#define THREAD_FOR_EVER UINT64_MAX

typedef struct Thread {
    Object header;
    TaskState state;           /* while it does not run; of the budget's fields nothing */
    Value start, args, kwargs; /* while it is new */
    Value object;              /* the script's object for it, or UNSET */
    Value again;               /* the NativeFunction to be run anew, or UNSET */
    Value again_args;          /* tuple: its arguments, bound */
    Value held; /* a Resource that it needs until it has its result (threads_hold), or UNSET */
    struct Thread *next;           /* in the ready queue */
    struct Thread *after, *before; /* in the list of those that are alive */
    struct Lock *lock;             /* in whose queue it waits, or NULL */
    struct Thread *lock_next, *lock_before;
    uint64_t until; /* when a wait ends, nanoseconds of CLOCK_MONOTONIC, or THREAD_FOR_EVER */
    int64_t ident;
    int64_t progress; /* what a native that is run anew has done so far, or had; its own matter */
    uint32_t wait_at; /* its place in Threads.waits, or NOT_WAITING */
    int fd;           /* the descriptor that it waits for, -1: none */
    short events;     /* of poll() */
    bool starving;    /* it was woken for a lock and found it taken again */
} Thread;
enum { NOT_WAITING = UINT32_MAX };

typedef struct Threads {
    Thread *current; /* NULL: the last one has ended and no other is chosen yet */
    Thread *main;
    Thread *first, *last; /* the ready queue */
    Thread *alive;
    Thread **waits; /* those that wait for a time or a descriptor */
    uint32_t wait_count, wait_capacity;
    uint32_t count; /* alive, main included */
    uint32_t turns; /* switches since events were looked for */
    bool idle;      /* the task was stopped while all waited: the frames are main's, which waits */
    bool stuck;     /* ... for what nobody can bring about */
    int64_t last_ident;
} Threads;

/* A lock, a re-entrant one, or a counting semaphore: objects/lock.c. */
typedef struct Lock {
    Object header;
    int64_t count; /* plain: 0 free, 1 taken; re-entrant: how often taken; counting: what is left */
    bool counting;
    Thread *owner;        /* of a re-entrant one */
    Thread *given;        /* to whom it was handed over, before that one runs */
    Thread *first, *last; /* who waits */
} Lock;

/* The threads of what runs, made on first use with the main thread alone. NULL with MemoryError
 * pending. */
Threads *threads_get(GenVM *vm);
static inline Thread *threads_current(GenVM *vm) {
    return vm->threads ? vm->threads->current : NULL;
}

/* May the running thread be exchanged for another here. */
bool threads_can_switch(GenVM *vm);
/* Are there others, and may it: then what blocks should park. */
static inline bool threads_are_many(GenVM *vm) {
    return vm->threads && vm->threads->count > 1 && threads_can_switch(vm);
}

/* Does a host's task run that waits for nothing beyond its deadline, or that is killed. */
bool threads_are_timed(GenVM *vm);
/* Shall what blocks park: others go on meanwhile, or the task is to stop in the wait. */
static inline bool threads_should_park(GenVM *vm) {
    return threads_are_many(vm) || (unlikely(vm->task != NULL) && threads_are_timed(vm));
}

static inline bool threads_is_main(GenVM *vm) {
    return !vm->threads || vm->threads->current == vm->threads->main;
}

/* Starts callable(*args, **kwargs); kwargs may be UNSET. NULL with an exception pending. */
Thread *threads_start(GenVM *vm, Value callable, Value args, Value kwargs, Value object);

/* One for a thread that has not begun. False with MemoryError pending. */
bool threads_give_stack(GenVM *vm, Thread *thread);

/* Parks the running thread until `until`, until poll() would tell `events` of the descriptor (-1:
 * none), or until threads_wake. The native that asks for it returns the result, VALUE_ERROR, at
 * once. */
Value threads_park(GenVM *vm, uint64_t until, int fd, short events);
void threads_wake(GenVM *vm, Thread *thread);
/* What the native that is about to park its thread has under way outside of the VM: it finds it in
 * Thread.held when it is run anew. Dropped, and so released, with its result or with the thread. */
void threads_hold(GenVM *vm, Value resource);
/* After a native that gave VALUE_ERROR with vm->stop: if it has parked, notes the call that will be
 * made anew. False with MemoryError pending. */
bool threads_keep_call(GenVM *vm, NativeFunction *native, const Value *args);
/* Lets another thread run, now: the native that asks returns the result, with its own value being
 * None. */
Value threads_yield(GenVM *vm);

/* The same, but only the first of the queue runs before it goes on: a thread just started. */
Value threads_let_begin(GenVM *vm);

uint64_t threads_now(void);            /* nanoseconds of CLOCK_MONOTONIC */
bool threads_may_tell_time(GenVM *vm); /* false, with PermissionError: scripts have no clock here */

/* vm->stop is STOP_SWITCH: goes to the next thread, waiting until there is one. False: an exception
 * is pending in it, or vm->stop is set again. */
bool threads_switch(GenVM *vm);
/* For a host's task: stopped by its budget while all threads wait, it goes on with the wait. */
static inline bool threads_take_idle(GenVM *vm) {
    if (likely(!vm->threads || !vm->threads->idle)) return false;
    vm->threads->idle = false;
    return true;
}
/* ... and when it is killed: drops the frames of all threads but main's, which are those of the VM
 * then. False: they are at a call that lacks its result. */
bool threads_leave_main(GenVM *vm);
/* ... and when its main thread has ended: those that it has to wait for, as a function to call, or
 * VALUE_UNSET. */
Value threads_join_function(GenVM *vm);

/* At a safepoint: true when the running thread may go on; else vm->stop says that another does. */
bool threads_safepoint(GenVM *vm);
/* The bottom frame of a thread was reached: always false, with vm->stop. */
bool threads_end(GenVM *vm);
/* The script's handler of a signal has returned, for which a native's wait was broken off: it is
 * run anew. */
bool threads_wait_on(GenVM *vm);
/* An interrupt has come: true when the main thread runs and may take it. */
bool threads_main_takes(GenVM *vm);

/* From now on each thread has the first slots of the instance for itself; those that have nothing
 * in them find what is there now. False with an exception pending. */
bool threads_add_local(GenVM *vm, Value instance);
/* What each thread and each task has for itself, out of the VM and into it: THREAD_KEPT values. */
void threads_keep(GenVM *vm, Value *kept);
void threads_take(GenVM *vm, const Value *kept);

void threads_mark(GenVM *vm, Threads *threads);
void threads_free(Threads *threads); /* gives up all frames but those of the one that runs */

/* objects/lock.c */
Value lock_new(GenVM *vm, TypeId kind);
void lock_enqueue(Lock *lock, Thread *thread, bool first);
void lock_forget(Thread *thread); /* takes it out of the queue of the lock that it waits for */

#endif
