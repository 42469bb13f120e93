/* threads.c - which thread of a script runs: the queue, the switch, the wait where none is ready.
 * The idea is told in threads.h. */
#include "vm/paths.h"
#include "vm/threads.h"
#include "vm/bind.h"
#include "vm/call.h"
#include "vm/continue.h"
#include "vm/frame.h"
#include "vm/genvm.h"
#include "vm/interp.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/resource.h"

#include <stdlib.h>
#include <time.h>

enum { DEADLINE_STEP = 10000000 }; /* nanoseconds of a wait before a look at a task's deadline */
enum { TURNS_BETWEEN_LOOKS = 64 }; /* switches between two looks at what others wait for */

uint64_t threads_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

bool threads_may_tell_time(GenVM *vm) {
    if (vm->capabilities & GEN_CAP_CLOCK) return true;
    path_refuse(vm, "this virtual machine has no clock", VALUE_UNSET);
    return false;
}

static ThreadStatus status_of(const Thread *thread) {
    return (ThreadStatus)thread->header.state;
}
static void set_status(GenVM *vm, Thread *thread, ThreadStatus status) {
    thread->header.state = (uint8_t)status;
    gc_barrier(vm, thread);
}

bool threads_can_switch(GenVM *vm) {
    return vm->nested == (vm->task ? 0 : 1) && !vm->in_prelude && !vm->finalizing;
}

bool threads_are_timed(GenVM *vm) {
    const Task *task = vm->task;
    if (!task->limits[BUDGET_DEADLINE] && task->killer == VALUE_UNSET) return false;
    if (!threads_can_switch(vm) || !vm->wait_events) return false;
    if (threads_get(vm)) return true;
    error_clear(vm); /* no memory: it blocks */
    return false;
}

/* ---- the object ---- */

static void trace(GenVM *vm, Object *object) {
    Thread *thread = (Thread *)object;
    if (status_of(thread) != THREAD_RUNNING) task_mark_state(vm, &thread->state);
    for (int i = 0; i < THREAD_KEPT; i++)
        gc_mark(vm, thread->state.kept[i]); /* which an image has for one that runs, too */
    const Value values[] = {thread->start, thread->args,       thread->kwargs, thread->object,
                            thread->again, thread->again_args, thread->held};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        gc_mark(vm, values[i]);
    gc_mark_pointer(vm, thread->lock);
}

const BuiltinType thread_type = {
    .name = "thread",
    .module = "_thread",
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Thread),
    .slots = {.trace = trace},
};

static Thread *thread_new(GenVM *vm, Threads *threads) {
    Thread *thread = gc_new(vm, sizeof *thread, TYPE_THREAD);
    if (!thread) return NULL;
    TaskState *state = &thread->state;
    state->exception = state->handled = state->shown = VALUE_UNSET;
    thread->start = thread->args = thread->kwargs = thread->object = VALUE_UNSET;
    thread->again = thread->again_args = thread->held = VALUE_UNSET;
    for (int i = 0; i < THREAD_KEPT; i++)
        state->kept[i] = VALUE_UNSET;
    thread->ident = ++threads->last_ident;
    thread->wait_at = NOT_WAITING;
    thread->fd = -1;
    thread->after = threads->alive;
    if (threads->alive) threads->alive->before = thread;
    threads->alive = thread;
    threads->count++;
    return thread;
}

/* ---- the group ---- */

Threads *threads_get(GenVM *vm) {
    if (vm->threads) return vm->threads;
    Threads *threads = memory_new_zeroed(vm, 1, sizeof *threads);
    Thread *main = threads ? thread_new(vm, threads) : NULL;
    if (!main) {
        memory_free(threads);
        if (vm->exception == VALUE_UNSET) raise_memory(vm);
        return NULL;
    }
    main->header.state = THREAD_RUNNING;
    threads->main = threads->current = main;
    return vm->threads = threads;
}

void threads_mark(GenVM *vm, Threads *threads) {
    for (Thread *thread = threads ? threads->alive : NULL; thread; thread = thread->after)
        gc_mark_pointer(vm, thread);
}

void threads_free(Threads *threads) {
    for (Thread *thread = threads->alive; thread; thread = thread->after) {
        if (status_of(thread) != THREAD_RUNNING) task_abandon_frames(&thread->state);
        lock_forget(thread);
        thread->header.state = THREAD_DONE;
    }
    memory_free(threads->waits);
    memory_free(threads);
}

/* ---- the ready queue ---- */

static void push_ready(GenVM *vm, Thread *thread, bool first) {
    Threads *threads = vm->threads;
    set_status(vm, thread, THREAD_READY);
    thread->next = first ? threads->first : NULL;
    if (!threads->first) {
        threads->first = threads->last = thread;
    } else if (first) {
        threads->first = thread;
    } else {
        threads->last->next = thread;
        threads->last = thread;
    }
}

static Thread *pop_ready(Threads *threads) {
    Thread *thread = threads->first;
    threads->first = thread->next;
    if (!threads->first) threads->last = NULL;
    return thread;
}

static void bring_forward(Threads *threads, Thread *thread) {
    if (threads->first == thread) return;
    Thread *before = threads->first;
    while (before->next != thread)
        before = before->next;
    before->next = thread->next;
    if (threads->last == thread) threads->last = before;
    thread->next = threads->first;
    threads->first = thread;
}

/* ---- parking and waking ---- */

static bool add_wait(GenVM *vm, Threads *threads, Thread *thread) {
    if (threads->wait_count == threads->wait_capacity) {
        uint32_t capacity = threads->wait_capacity ? threads->wait_capacity * 2 : 16;
        Thread **larger = memory_resize(vm, threads->waits, capacity * sizeof *larger);
        if (!larger) return raise_memory(vm), false;
        threads->waits = larger;
        threads->wait_capacity = capacity;
    }
    thread->wait_at = threads->wait_count;
    threads->waits[threads->wait_count++] = thread;
    return true;
}

static void remove_wait(Threads *threads, Thread *thread) {
    if (thread->wait_at == NOT_WAITING) return;
    Thread *last = threads->waits[--threads->wait_count];
    threads->waits[thread->wait_at] = last;
    last->wait_at = thread->wait_at;
    thread->wait_at = NOT_WAITING;
}

Value threads_park(GenVM *vm, uint64_t until, int fd, short events) {
    Threads *threads = vm->threads;
    Thread *thread = threads->current;
    if ((until != THREAD_FOR_EVER || fd >= 0) && !add_wait(vm, threads, thread)) {
        lock_forget(thread);
        return VALUE_ERROR;
    }
    thread->until = until;
    thread->fd = fd;
    thread->events = events;
    set_status(vm, thread, THREAD_PARKED);
    vm->stop = STOP_SWITCH;
    return VALUE_ERROR;
}

void threads_hold(GenVM *vm, Value resource) {
    Thread *thread = vm->threads->current;
    thread->held = resource;
    gc_barrier(vm, thread);
}

bool threads_keep_call(GenVM *vm, NativeFunction *native, const Value *args) {
    if (vm->stop != STOP_SWITCH) return true;
    Threads *threads = vm->threads;
    Thread *thread = threads->current;
    Value tuple = tuple_from_array(vm, args, (uint32_t)native_arg_count(vm, native));
    if (tuple == VALUE_ERROR) { /* the wait is called off */
        vm->stop = STOP_NONE;
        remove_wait(threads, thread);
        lock_forget(thread);
        set_status(vm, thread, THREAD_RUNNING);
        return false;
    }
    thread->again = object_value(native);
    thread->again_args = tuple;
    gc_barrier(vm, thread);
    return true;
}

Value threads_yield(GenVM *vm) {
    if (!threads_are_many(vm)) return VALUE_NONE;
    Thread *thread = vm->threads->current;
    if (vm->resumed) return VALUE_NONE;
    push_ready(vm, thread, false);
    vm->stop = STOP_SWITCH;
    return VALUE_ERROR;
}

Value threads_let_begin(GenVM *vm) {
    Threads *threads = vm->threads;
    if (vm->resumed || !threads_are_many(vm) || !threads->first) return VALUE_NONE;
    Thread *first = pop_ready(threads);
    push_ready(vm, threads->current, true);
    push_ready(vm, first, true);
    vm->stop = STOP_SWITCH;
    return VALUE_ERROR;
}

void threads_wake(GenVM *vm, Thread *thread) {
    if (status_of(thread) != THREAD_PARKED) return;
    remove_wait(vm->threads, thread);
    lock_forget(thread);
    push_ready(vm, thread, false);
}

/* ---- time and events ---- */

static int by_deadline(const void *a, const void *b) {
    const Thread *left = *(Thread *const *)a, *right = *(Thread *const *)b;
    if (left->until != right->until) return left->until < right->until ? -1 : 1;
    return left->ident < right->ident ? -1 : left->ident > right->ident;
}

/* Wakes those whose time has come, the earliest first. */
static void wake_due(GenVM *vm, uint64_t now) {
    Threads *threads = vm->threads;
    uint32_t due = 0;
    for (uint32_t i = 0; i < threads->wait_count; i++) {
        Thread *thread = threads->waits[i];
        if (thread->until > now) continue;
        Thread *other = threads->waits[due]; /* to the front, where they are sorted */
        threads->waits[due] = thread;
        threads->waits[i] = other;
        other->wait_at = i;
        thread->wait_at = due++;
    }
    if (!due) return;
    qsort(threads->waits, due, sizeof *threads->waits, by_deadline);
    for (uint32_t i = 0; i < due; i++)
        push_ready(vm, threads->waits[i], false);
    for (uint32_t i = 0; i < due; i++) {
        threads->waits[i]->wait_at = NOT_WAITING;
        lock_forget(threads->waits[i]);
    }
    memmove(threads->waits, threads->waits + due,
            (threads->wait_count -= due) * sizeof *threads->waits);
    for (uint32_t i = 0; i < threads->wait_count; i++)
        threads->waits[i]->wait_at = i;
}

static uint64_t first_deadline(GenVM *vm) {
    Threads *threads = vm->threads;
    uint64_t first = THREAD_FOR_EVER;
    for (uint32_t i = 0; i < threads->wait_count; i++)
        if (threads->waits[i]->until < first) first = threads->waits[i]->until;
    return first;
}

/* Looks for what has happened, without waiting. */
static void look(GenVM *vm) {
    Threads *threads = vm->threads;
    threads->turns = 0;
    if (!threads->wait_count) return;
    if (vm->wait_events) vm->wait_events(vm, 0);
    wake_due(vm, threads_now());
}

/* A host's task shall not hang because its threads wait for each other. */
static void wake_stuck(GenVM *vm) {
    vm->threads->stuck = true;
    threads_wake(vm, vm->threads->main);
}

/* One that is killed waits for nothing. */
static bool is_task_spent(GenVM *vm) {
    const Task *task = vm->task;
    if (!task) return false;
    if (task->killer == VALUE_UNSET) return task->limits[BUDGET_DEADLINE] && !budget_safepoint(vm);
    vm->stop = STOP_BUDGET;
    return true;
}

/* Nothing is ready. Waits until something is, or an interrupt has come. False: the budget of the
 * task does not allow that, vm->stop says so. */
static bool wait_until_ready(GenVM *vm) {
    Threads *threads = vm->threads;
    while (!threads->first && !vm->interrupted) {
        if (is_task_spent(vm)) return false;
        uint64_t until = first_deadline(vm), now = threads_now();
        uint64_t left = until == THREAD_FOR_EVER ? until : until > now ? until - now : 0;
        if (vm->task && !threads->wait_count) {
            wake_stuck(vm);
            break;
        }
        if (vm->task && vm->task->limits[BUDGET_DEADLINE] && left > DEADLINE_STEP)
            left = DEADLINE_STEP;
        vm->wait_events(vm, left == THREAD_FOR_EVER ? -1 : (int64_t)left);
        wake_due(vm, threads_now());
    }
    return true;
}

/* ---- interrupts ---- */

/* The main thread is to go on next, whatever it does: what waits in it is run anew and finds the
 * interrupt. */
static void call_main(GenVM *vm) {
    Thread *main = vm->threads->main;
    threads_wake(vm, main);
    if (status_of(main) == THREAD_READY) bring_forward(vm->threads, main);
}

bool threads_main_takes(GenVM *vm) {
    Threads *threads = vm->threads;
    if (!threads || threads->current == threads->main) return true;
    if (!threads_can_switch(vm)) return false;
    call_main(vm);
    push_ready(vm, threads->current, false);
    vm->stop = STOP_SWITCH;
    return false;
}

/* ---- what each thread has for itself ---- */

static Value *hook(GenVM *vm, int i) {
    return &vm->roots[i ? ROOT_FINALIZER : ROOT_FIRSTITER];
}

void threads_keep(GenVM *vm, Value *kept) {
    for (int i = 0; i < THREAD_KEPT; i++)
        kept[i] = VALUE_UNSET;
    for (int i = 0; i < 2; i++)
        *kept++ = *hook(vm, i);
    if (vm->roots[ROOT_THREAD_LOCALS] == VALUE_UNSET) return;
    const List *list = AS_LIST(vm->roots[ROOT_THREAD_LOCALS]);
    for (uint64_t i = 0; i + 1 < list->count; i += 2)
        for (int slot = 0; slot < THREAD_LOCAL_SLOTS; slot++)
            *kept++ = AS(Instance, list->items[i])->slots[slot];
}

void threads_take(GenVM *vm, const Value *kept) {
    for (int i = 0; i < 2; i++)
        *hook(vm, i) = *kept++;
    if (vm->roots[ROOT_THREAD_LOCALS] == VALUE_UNSET) return;
    const List *list = AS_LIST(vm->roots[ROOT_THREAD_LOCALS]);
    for (uint64_t i = 0; i + 1 < list->count; i += 2) {
        Instance *instance = AS(Instance, list->items[i]);
        for (int slot = 0; slot < THREAD_LOCAL_SLOTS; slot++, kept++)
            instance->slots[slot] =
                *kept != VALUE_UNSET ? *kept : AS_TUPLE(list->items[i + 1])->items[slot];
        gc_barrier(vm, instance);
    }
}

bool threads_add_local(GenVM *vm, Value instance) {
    Value list = vm->roots[ROOT_THREAD_LOCALS];
    if (list == VALUE_UNSET) list = list_new(vm, 0);
    if (list == VALUE_ERROR) return false;
    if (!is_kind(instance, TYPE_OBJECT) ||
        type_of(vm, instance)->member_count < THREAD_LOCAL_SLOTS ||
        AS_LIST(list)->count >= THREAD_LOCALS * 2)
        return raise_type(vm, "no object whose slots each thread can have for itself"), false;
    const Value *slots = AS(Instance, instance)->slots;
    Value defaults = tuple_from_array(vm, slots, THREAD_LOCAL_SLOTS);
    if (defaults == VALUE_ERROR || !list_append(vm, list, instance)) return false;
    vm->roots[ROOT_THREAD_LOCALS] = list;
    return list_append(vm, list, defaults);
}

/* ---- the switch ---- */

static void save(GenVM *vm, Thread *thread) {
    TaskState *state = &thread->state;
    state->frames = frame_stack_of(vm);
    state->handled = vm->handled;
    state->shown = vm->roots[ROOT_SHOWN];
    threads_keep(vm, state->kept);
    gc_barrier(vm, thread);
}

/* From now on the frames are the VM's, and what the thread has for itself: whatever it waits for,
 * its own note of them is old. */
static void load(GenVM *vm, Thread *thread) {
    TaskState *state = &thread->state;
    frame_stack_enter(vm, &state->frames);
    vm->handled = state->handled;
    vm->roots[ROOT_SHOWN] = state->shown;
    state->frames = (FrameStack){0};
    threads_take(vm, state->kept);
    for (int i = 0; i < THREAD_KEPT; i++)
        state->kept[i] = VALUE_UNSET;
}

static Value take(Value *from) {
    Value v = *from;
    *from = VALUE_UNSET;
    return v;
}

static bool begin(GenVM *vm, Thread *thread) {
    Value start = take(&thread->start), args = take(&thread->args), kwargs = take(&thread->kwargs);
    if (!frame_push_continuation(vm, RETURN_THREAD, 0)) return false;
    return call_spread(vm, start, args, kwargs);
}

/* What the native had under way outside is at its end. */
static void drop_held(GenVM *vm) {
    Thread *thread = vm->threads->current;
    if (thread->held == VALUE_UNSET) return;
    resource_release(vm, thread->held);
    thread->held = VALUE_UNSET;
}

static bool invoke_again(GenVM *vm, Value native, Value args) {
    vm->resumed = true;
    Value result = native_invoke_again(vm, AS(NativeFunction, native), AS_TUPLE(args)->items);
    vm->resumed = false;
    if (vm->stop != STOP_SWITCH) drop_held(vm);
    return call_result(vm, result);
}

bool threads_wait_on(GenVM *vm) {
    Threads *threads = threads_get(vm); /* an image may have none */
    if (!threads) return false;
    Thread *thread = threads->current;
    const Value *registers = vm->base;
    Value native = registers[1], args = registers[2];
    thread->until = registers[3] == VALUE_NONE ? THREAD_FOR_EVER : (uint64_t)as_int(registers[3]);
    thread->progress = as_int(registers[4]);
    thread->held = registers[5] == VALUE_NONE ? VALUE_UNSET : registers[5];
    gc_barrier(vm, thread);
    frame_pop(vm);
    return invoke_again(vm, native, args);
}

/* Runs the native for which the thread was parked once more; the handler of a signal first. */
static bool run_anew(GenVM *vm, Thread *thread) {
    Value native = take(&thread->again), args = take(&thread->again_args);
    Value handler = vm->roots[ROOT_ON_INTERRUPT];
    if (!vm->interrupted || handler == VALUE_UNSET || !threads_is_main(vm))
        return invoke_again(vm, native, args);
    vm->interrupted = 0;
    vm->poll &= ~(uint32_t)POLL_INTERRUPT;
    Value until = thread->until == THREAD_FOR_EVER ? VALUE_NONE : int_value((int64_t)thread->until);
    Value held = take(&thread->held);
    if (!frame_push_continuation(vm, RETURN_AGAIN, 5, native, args, until,
                                 int_value(thread->progress),
                                 held == VALUE_UNSET ? VALUE_NONE : held))
        return false;
    return call_value(vm, handler, 0, NULL);
}

static bool raise_stuck(GenVM *vm, Thread *thread) {
    vm->threads->stuck = false;
    take(&thread->again);
    take(&thread->again_args);
    raise_runtime(vm, "all threads of the task wait for each other");
    return false;
}

static bool go_on(GenVM *vm, Thread *thread) {
    if (vm->threads->stuck) return raise_stuck(vm, thread);
    if (thread->start != VALUE_UNSET) return begin(vm, thread);
    return thread->again == VALUE_UNSET || run_anew(vm, thread);
}

static void make_current(GenVM *vm, Thread *thread) {
    Threads *threads = vm->threads;
    if (thread == threads->current) return;
    if (threads->current) save(vm, threads->current);
    load(vm, thread);
    threads->current = thread;
}

bool threads_switch(GenVM *vm) {
    Threads *threads = vm->threads;
    vm->stop = STOP_NONE;
    if (++threads->turns >= TURNS_BETWEEN_LOOKS) look(vm);
    if (!threads->first && !wait_until_ready(vm)) {
        make_current(vm, threads->main);
        threads->idle = true;
        return false;
    }
    if (vm->interrupted) call_main(vm);
    Thread *thread = pop_ready(threads);
    make_current(vm, thread);
    set_status(vm, thread, THREAD_RUNNING);
    return go_on(vm, thread);
}

bool threads_leave_main(GenVM *vm) {
    Threads *threads = vm->threads;
    if (!threads) return true;
    Thread *main = threads->main;
    make_current(vm, main);
    lock_forget(main);
    for (Thread *thread = threads->alive, *after; thread; thread = after) {
        after = thread->after;
        if (thread == main) continue;
        lock_forget(thread);
        task_abandon_frames(&thread->state);
        thread->header.state = THREAD_DONE;
    }
    main->after = main->before = NULL;
    threads->alive = main;
    threads->count = 1;
    threads->first = threads->last = NULL;
    threads->wait_count = 0;
    main->wait_at = NOT_WAITING;
    set_status(vm, main, THREAD_RUNNING);
    bool between = main->again == VALUE_UNSET;
    main->again = main->again_args = main->held = VALUE_UNSET;
    return between;
}

Value threads_join_function(GenVM *vm) {
    if (!vm->threads || vm->threads->count == 1) return VALUE_UNSET;
    Value name = str_intern_from(vm, "threading", 9);
    Value module = name == VALUE_ERROR ? VALUE_UNSET : dict_get_str(vm, vm->modules, name);
    if (!is_kind(module, TYPE_MODULE)) return VALUE_UNSET;
    name = str_intern_from(vm, "_shutdown", 9);
    return name == VALUE_ERROR ? VALUE_UNSET : dict_get_str(vm, AS(Module, module)->dict, name);
}

bool threads_safepoint(GenVM *vm) {
    Threads *threads = vm->threads;
    if (threads->count == 1 || !threads_can_switch(vm)) return true;
    look(vm);
    if (!threads->first) return true;
    push_ready(vm, threads->current, false);
    vm->stop = STOP_SWITCH;
    return false;
}

/* ---- beginning and end ---- */

static void forget(Threads *threads, Thread *thread) {
    if (thread->before)
        thread->before->after = thread->after;
    else
        threads->alive = thread->after;
    if (thread->after) thread->after->before = thread->before;
    thread->after = thread->before = NULL;
    threads->count--;
}

bool threads_give_stack(GenVM *vm, Thread *thread) {
    return frame_stack_new(vm, &thread->state.frames);
}

Thread *threads_start(GenVM *vm, Value callable, Value args, Value kwargs, Value object) {
    Threads *threads = threads_get(vm);
    Thread *thread = threads ? thread_new(vm, threads) : NULL;
    if (!thread) return NULL;
    if (!threads_give_stack(vm, thread)) return forget(threads, thread), NULL;
    thread->start = callable;
    thread->args = args;
    thread->kwargs = kwargs;
    thread->object = object;
    push_ready(vm, thread, true);
    return thread;
}

bool threads_end(GenVM *vm) {
    Threads *threads = vm->threads;
    Thread *thread = threads->current;
    forget(threads, thread);
    threads->current = NULL;
    set_status(vm, thread, THREAD_DONE);
    thread->state.frames = (FrameStack){0};
    vm->stop = STOP_SWITCH;
    return false;
}
