/* image_threads.c - the threads of a stopped task in images (threads.h): who they are, who is ready
 * and who waits, and their frames.
 *
 * A thread that does not run is its record: what it starts with or the native that will be run
 * anew, what it has for itself, its frames. The frames of the running one are the task's. How they
 * are queued stands behind the frames of the task:
 *
 *     threads      varint count; with 0 that is all
 *     locals       list of the instances whose slots each thread has for itself
 *     alive        as many threads
 *     which one runs, which one is the main one; the last identifier, zigzag; flags: 1 idle, 2
 * stuck ready        varint count, as many places among those alive, in the order of the queue
 *     waiting      the same of those that wait for a time
 *     locked       the same of those that wait for a lock: place, lock, those of a lock in order
 *
 * A time is written as what is left of it, in nanoseconds, plus one; 0: for ever. Who waits for a
 * descriptor cannot be saved.
 */
#include "vm/bind.h"
#include "vm/image_private.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/threads.h"
#include "vm/type_private.h"

#include <stdlib.h>

/* ---- writing ---- */

static bool is_alive(const Threads *threads, const Thread *thread) {
    for (const Thread *at = threads ? threads->alive : NULL; at; at = at->after)
        if (at == thread) return true;
    return false;
}

static uint64_t place_of(const Threads *threads, const Thread *thread) {
    uint64_t place = 0;
    for (const Thread *at = threads->alive; at != thread; at = at->after)
        place++;
    return place;
}

/* ---- who waits for what ---- */

/* May it have been parked by that native without a descriptor: what is run anew trusts its
 * arguments and what the thread remembers for it. */
static bool can_park(const NativeFunction *native) {
    if (native->header.kind == TYPE_NATIVE_METHOD || native->owner)
        return native->owner && native->owner->is_builtin &&
               (native->owner->id == TYPE_LOCK || native->owner->id == TYPE_RLOCK);
    if (!value_is_str(native->module) || !value_is_str(native->name)) return false;
    bool sleeps = str_is(native->name, "sleep") &&
                  (str_is(native->module, "time") || str_is(native->module, "_time"));
    return sleeps || (str_is(native->module, "_thread") &&
                      (str_is(native->name, "_yield") || str_is(native->name, "_let_begin")));
}

static bool is_native(Value v) {
    return is_kind(v, TYPE_NATIVE) || is_kind(v, TYPE_NATIVE_METHOD);
}

/* ---- writing ---- */

void save_thread_shell(ImageWriter *w, Object *object) {
    (void)object;
    image_need_module(w, str_intern_from(w->vm, "_thread", 7));
}

static void put_time(ImageWriter *w, uint64_t until) {
    uint64_t now = threads_now();
    if (until == THREAD_FOR_EVER)
        image_put_number(w->out, 0);
    else
        image_put_number(w->out, until > now ? until - now + 1 : 1);
}

/* ---- a wait that a signal's handler has broken off: RETURN_AGAIN ---- */

enum { AGAIN_NATIVE = 1, AGAIN_ARGS, AGAIN_UNTIL, AGAIN_PROGRESS, AGAIN_HELD, AGAIN_REGISTERS };

void image_put_again(ImageWriter *w, const Value *registers) {
    Value native = registers[AGAIN_NATIVE], until = registers[AGAIN_UNTIL];
    if (registers[AGAIN_HELD] != VALUE_NONE || !can_park(AS(NativeFunction, native))) {
        image_refuse(w, as_object(native),
                     "waits for what cannot be saved, broken off by a signal");
        return;
    }
    image_put_value(w, native);
    image_put_value(w, registers[AGAIN_ARGS]);
    put_time(w, until == VALUE_NONE ? THREAD_FOR_EVER : (uint64_t)as_int(until));
}

void save_thread_body(ImageWriter *w, Object *object) {
    const Thread *thread = (const Thread *)object;
    bool alive = is_alive(w->threads, thread);
    if (!alive && object->state != THREAD_DONE) {
        image_refuse(w, object, "is no thread of the task that is saved");
        return;
    }
    bool waits = thread->fd >= 0 && object->state == THREAD_PARKED;
    if (alive && (waits || thread->held != VALUE_UNSET)) {
        image_refuse(w, object, "waits for a file or socket and cannot be saved");
        return;
    }
    if (alive && is_native(thread->again) && !can_park(AS(NativeFunction, thread->again))) {
        image_refuse(w, object, "waits for a signal or another process and cannot be saved");
        return;
    }
    const Value values[] = {thread->start,  thread->args,  thread->kwargs,
                            thread->object, thread->again, thread->again_args};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        image_put_value(w, alive ? values[i] : VALUE_UNSET);
    for (int i = 0; i < THREAD_KEPT; i++)
        image_put_value(w, alive ? thread->state.kept[i] : VALUE_UNSET);
    bool runs = alive && thread == w->threads->current;
    image_put_value(w, alive && !runs ? thread->state.handled : VALUE_UNSET);
    image_put_value(w, alive && !runs ? thread->state.shown : VALUE_UNSET);
    put_time(w, thread->until);
    image_put_number(w->out, image_zigzag(thread->ident));
    image_put_byte(w->out, thread->starving);
    if (alive && !runs)
        image_put_frames(w, &thread->state);
    else
        image_put_number(w->out, 0);
}

static void put_ready(ImageWriter *w, const Threads *threads) {
    uint64_t count = 0;
    for (const Thread *at = threads->first; at; at = at->next)
        count++;
    image_put_number(w->out, count);
    for (const Thread *at = threads->first; at; at = at->next)
        image_put_number(w->out, place_of(threads, at));
}

static void put_locked(ImageWriter *w, const Threads *threads) {
    uint64_t count = 0;
    for (const Thread *at = threads->alive; at; at = at->after)
        count += at->lock != NULL;
    image_put_number(w->out, count);
    for (const Thread *at = threads->alive; at; at = at->after) {
        if (!at->lock || at->lock->first != at) continue;
        for (const Thread *next = at; next; next = next->lock_next) {
            image_put_number(w->out, place_of(threads, next));
            image_put_pointer(w, next->lock);
        }
    }
}

/* The instances alone: behind each stands what its slots are in a new thread. */
static Value locals_of(GenVM *vm) {
    Value list = list_new(vm, 0), locals = vm->roots[ROOT_THREAD_LOCALS];
    for (uint64_t i = 0;
         list != VALUE_ERROR && is_kind(locals, TYPE_LIST) && i + 1 < AS_LIST(locals)->count;
         i += 2)
        if (!list_append(vm, list, AS_LIST(locals)->items[i])) return VALUE_ERROR;
    return list;
}

void image_put_threads(ImageWriter *w) {
    const Threads *threads = w->threads;
    image_put_number(w->out, threads ? threads->count : 0);
    if (!threads) return;
    Value locals = locals_of(w->vm);
    if (locals == VALUE_ERROR) {
        w->failed = true;
        return;
    }
    image_put_value(w, locals);
    for (const Thread *at = threads->alive; at; at = at->after)
        image_put_pointer(w, at);
    image_put_number(w->out, place_of(threads, threads->current));
    image_put_number(w->out, place_of(threads, threads->main));
    image_put_number(w->out, image_zigzag(threads->last_ident));
    image_put_byte(w->out, (uint8_t)(threads->idle | threads->stuck << 1));
    put_ready(w, threads);
    image_put_number(w->out, threads->wait_count);
    for (uint32_t i = 0; i < threads->wait_count; i++)
        image_put_number(w->out, place_of(threads, threads->waits[i]));
    put_locked(w, threads);
}

/* ---- reading ---- */

static int64_t get_signed(ImageReader *r) {
    uint64_t number = image_get_number(r);
    return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

static uint64_t get_time(ImageReader *r) {
    uint64_t left = image_get_number(r);
    if (left == 0 || left > INT64_MAX / 2) return THREAD_FOR_EVER;
    return threads_now() + left - 1;
}

Object *load_thread_shell(ImageReader *r) {
    Thread *thread = gc_new(r->vm, sizeof *thread, TYPE_THREAD);
    if (!thread) return NULL;
    thread->header.state = THREAD_DONE;
    thread->state.exception = thread->state.handled = thread->state.shown = VALUE_UNSET;
    thread->start = thread->args = thread->kwargs = thread->object = VALUE_UNSET;
    thread->again = thread->again_args = thread->held = VALUE_UNSET;
    for (int i = 0; i < THREAD_KEPT; i++)
        thread->state.kept[i] = VALUE_UNSET;
    thread->wait_at = NOT_WAITING;
    thread->fd = -1;
    return &thread->header;
}

bool load_thread_body(ImageReader *r, Object *object) {
    Thread *thread = (Thread *)object;
    Value *const values[] = {&thread->start,  &thread->args,  &thread->kwargs,
                             &thread->object, &thread->again, &thread->again_args};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (!image_get_optional(r, values[i])) return false;
    for (int i = 0; i < THREAD_KEPT; i++)
        if (!image_get_optional(r, &thread->state.kept[i])) return false;
    if (!image_get_optional(r, &thread->state.handled) ||
        !image_get_optional(r, &thread->state.shown))
        return false;
    thread->until = get_time(r);
    thread->ident = get_signed(r);
    thread->starving = image_get_number(r) & 1;
    if (!int_fits(thread->ident)) return image_bad(r, "a thread's number is out of range");
    return image_note_frames(r, &thread->state, thread);
}

/* Over what image_build_threads reads when all is loaded. */
bool image_pass_threads(ImageReader *r) {
    uint64_t count;
    Value v;
    r->task_threads = r->at;
    if (!image_get_count(r, &count, 1)) return false;
    if (count == 0) return true;
    for (uint64_t i = 0; i <= count; i++)
        if (!image_get_value(r, &v)) return false;
    for (int i = 0; i < 4; i++)
        image_get_number(r);
    for (int list = 0; list < 3; list++) {
        if (!image_get_count(r, &count, list < 2 ? 1 : 2)) return false;
        while (count--) {
            image_get_number(r);
            if (list == 2 && !image_get_value(r, &v)) return false;
        }
    }
    return r->vm->exception == VALUE_UNSET;
}

/* ---- each thread ---- */

static bool can_run_anew(GenVM *vm, Value native, Value args) {
    return is_native(native) && can_park(AS(NativeFunction, native)) && is_kind(args, TYPE_TUPLE) &&
           native_takes_bound(vm, AS(NativeFunction, native), AS_TUPLE(args));
}

static bool check_again(ImageReader *r, const Thread *thread) {
    return thread->again == VALUE_UNSET || can_run_anew(r->vm, thread->again, thread->again_args) ||
           image_bad(r, "a thread that waits in no native for that");
}

/* `own`: the frames of the running thread are the task's. */
static bool check_thread(ImageReader *r, Thread *thread, const ImageStack *stack, bool runs,
                         bool idle) {
    bool starts = thread->start != VALUE_UNSET;
    bool ok = is_kind(thread->state.shown, TYPE_LIST) || thread->state.shown == VALUE_UNSET;
    Value handled = thread->state.handled;
    ok =
        ok && (handled == VALUE_UNSET || handled == VALUE_NONE || is_kind(handled, KIND_EXCEPTION));
    if (starts)
        ok = ok && is_kind(thread->args, TYPE_TUPLE) && thread->again == VALUE_UNSET &&
             (thread->kwargs == VALUE_UNSET || is_kind(thread->kwargs, TYPE_DICT));
    ok = ok && (stack->count > 0) == (!runs && !starts) && !(runs && starts);
    ok = ok && !(runs && !idle && thread->again != VALUE_UNSET);
    if (!ok) return image_bad(r, "a thread whose parts do not fit");
    return starts ? threads_give_stack(r->vm, thread) : check_again(r, thread);
}

bool image_pass_again(ImageReader *r) {
    Value v;
    bool ok = image_get_value(r, &v) && image_get_value(r, &v);
    if (ok) get_time(r);
    return ok && r->vm->exception == VALUE_UNSET;
}

bool image_get_again(ImageReader *r, Value *registers) {
    if (!image_get_value(r, &registers[AGAIN_NATIVE]) ||
        !image_get_value(r, &registers[AGAIN_ARGS]))
        return false;
    uint64_t until = get_time(r);
    registers[AGAIN_UNTIL] = int_fits((int64_t)until) ? int_value((int64_t)until) : VALUE_NONE;
    registers[AGAIN_PROGRESS] = int_value(0);
    registers[AGAIN_HELD] = VALUE_NONE;
    return can_run_anew(r->vm, registers[AGAIN_NATIVE], registers[AGAIN_ARGS]) ||
           image_bad(r, "a wait in no native for that");
}

static ImageStack *stack_of(ImageReader *r, const Thread *thread) {
    for (uint32_t i = 0; i < r->stack_count; i++)
        if (r->stacks[i].thread == thread) return &r->stacks[i];
    return NULL;
}

/* ---- all of them ---- */

typedef struct Group { /* while it is read */
    Threads *threads;
    Thread **alive; /* by place */
    uint64_t count;
} Group;

static bool get_alive(ImageReader *r, Group *group) {
    for (uint64_t i = 0; i < group->count; i++) {
        if (!image_get_object(r, TYPE_THREAD, &group->alive[i])) return false;
        Thread *thread = group->alive[i];
        if (thread->events || !stack_of(r, thread))
            return image_bad(r, "a thread that is there twice");
        thread->events = 1; /* it is known now; set back below */
    }
    for (uint64_t i = 0; i < group->count; i++)
        group->alive[i]->events = 0;
    return true;
}

static bool get_place(ImageReader *r, const Group *group, Thread **thread) {
    uint64_t place = image_get_number(r);
    if (r->vm->exception != VALUE_UNSET || place >= group->count)
        return image_bad(r, "a thread that is not there");
    *thread = group->alive[place];
    return true;
}

/* What a thread will be stands in `events` until it comes to life. */
static bool become(ImageReader *r, Thread *thread, ThreadStatus status) {
    if (thread->events && !(thread->events == THREAD_PARKED && status == THREAD_PARKED))
        return image_bad(r, "a thread in two queues");
    thread->events = (short)status;
    return true;
}

static bool get_ready(ImageReader *r, const Group *group) {
    uint64_t count;
    Thread *thread;
    if (!image_get_count(r, &count, 1)) return false;
    while (count--) {
        if (!get_place(r, group, &thread) || !become(r, thread, THREAD_READY)) return false;
        if (group->threads->last)
            group->threads->last->next = thread;
        else
            group->threads->first = thread;
        group->threads->last = thread;
    }
    return true;
}

static bool get_waits(ImageReader *r, const Group *group) {
    Threads *threads = group->threads;
    uint64_t count;
    Thread *thread;
    if (!image_get_count(r, &count, 1)) return false;
    threads->waits = memory_new(r->vm, (count + 1) * sizeof *threads->waits);
    if (!threads->waits) return raise_memory(r->vm), false;
    threads->wait_capacity = (uint32_t)count + 1;
    while (count--) {
        if (!get_place(r, group, &thread)) return false;
        if (thread->wait_at != NOT_WAITING || !become(r, thread, THREAD_PARKED))
            return image_bad(r, "a thread that waits twice");
        thread->wait_at = threads->wait_count;
        threads->waits[threads->wait_count++] = thread;
    }
    return true;
}

static bool get_locked(ImageReader *r, const Group *group) {
    uint64_t count;
    Thread *thread;
    Value lock;
    if (!image_get_count(r, &count, 2)) return false;
    while (count--) {
        if (!get_place(r, group, &thread) || !image_get_value(r, &lock)) return false;
        if (!is_kind(lock, TYPE_LOCK) && !is_kind(lock, TYPE_RLOCK))
            return image_bad(r, "a thread that waits for no lock");
        if (thread->lock || !become(r, thread, THREAD_PARKED))
            return image_bad(r, "a thread that waits twice");
        lock_enqueue(AS(Lock, lock), thread, false);
    }
    return true;
}

/* The order of the locals is that of the imports, which may be another here. */
static bool sort_kept(ImageReader *r, const Group *group, Value saved) {
    GenVM *vm = r->vm;
    enum { HOOKS = 2 };
    if (!is_kind(saved, TYPE_LIST) || AS_LIST(saved)->count > THREAD_LOCALS)
        return image_bad(r, "threads with too much of their own");
    uint64_t places[THREAD_LOCALS] = {0}, count = AS_LIST(saved)->count;
    for (uint64_t i = 0; i < count; i++) {
        Value instance = AS_LIST(saved)->items[i], locals = vm->roots[ROOT_THREAD_LOCALS];
        uint64_t at = 0, known = is_kind(locals, TYPE_LIST) ? AS_LIST(locals)->count / 2 : 0;
        while (at < known && AS_LIST(locals)->items[at * 2] != instance)
            at++;
        if (at == known) return image_bad(r, "threads with something of their own that is unknown");
        places[i] = at;
    }
    for (uint64_t t = 0; t < group->count; t++) {
        Value *kept = group->alive[t]->state.kept + HOOKS, old[THREAD_KEPT];
        memcpy(old, kept, (THREAD_KEPT - HOOKS) * sizeof *kept);
        for (int i = 0; i < THREAD_KEPT - HOOKS; i++)
            kept[i] = VALUE_UNSET;
        for (uint64_t i = 0; i < count; i++)
            memcpy(kept + places[i] * THREAD_LOCAL_SLOTS, old + i * THREAD_LOCAL_SLOTS,
                   THREAD_LOCAL_SLOTS * sizeof *kept);
    }
    return true;
}

static bool check_group(ImageReader *r, const Group *group) {
    Threads *threads = group->threads;
    for (uint64_t i = 0; i < group->count; i++) {
        Thread *thread = group->alive[i];
        bool runs = thread == threads->current;
        ImageStack *stack = stack_of(r, thread);
        if (!thread->events && !runs) return image_bad(r, "a thread that nobody wakes");
        if (runs && thread->events && !(threads->idle && thread->events == THREAD_PARKED))
            return image_bad(r, "a thread that runs and waits");
        if (!thread->events) thread->events = THREAD_RUNNING;
        if (!check_thread(r, thread, stack, runs, threads->idle)) return false;
        stack->threads = thread != threads->main;
        stack->calling = thread->again != VALUE_UNSET;
    }
    ImageStack *own = stack_of(r, NULL);
    own->threads = threads->current != threads->main;
    own->calling = r->task_status == TASK_CALLING || threads->current->again != VALUE_UNSET;
    bool yields = r->task_status == TASK_YIELDED && threads->current != threads->main;
    bool at_call = r->task_status == TASK_CALLING && threads->current->again != VALUE_UNSET;
    return (own->count && !yields && !at_call) ||
           image_bad(r, "threads of a task that does not run");
}

static bool read_group(ImageReader *r, Group *group) {
    Threads *threads = group->threads;
    Value locals;
    if (!image_get_value(r, &locals) || !get_alive(r, group)) return false;
    if (!get_place(r, group, &threads->current) || !get_place(r, group, &threads->main))
        return false;
    threads->last_ident = get_signed(r);
    uint64_t flags = image_get_number(r);
    threads->idle = flags & 1;
    threads->stuck = flags >> 1 & 1;
    if (!int_fits(threads->last_ident)) return image_bad(r, "a thread's number is out of range");
    if ((threads->idle || threads->stuck) && threads->current != threads->main)
        return image_bad(r, "threads that wait without their main one");
    return get_ready(r, group) && get_waits(r, group) && get_locked(r, group) &&
           sort_kept(r, group, locals) && check_group(r, group);
}

/* From now on the task owns them, and gives them up should it be refused. */
static void link_alive(const Group *group) {
    Threads *threads = group->threads;
    for (uint64_t i = group->count; i-- > 0;) {
        Thread *thread = group->alive[i];
        thread->after = threads->alive;
        if (threads->alive) threads->alive->before = thread;
        threads->alive = thread;
        threads->count++;
    }
}

bool image_build_threads(ImageReader *r) {
    Group group = {.threads = NULL};
    r->at = r->task_threads;
    group.count = image_get_number(r);
    for (uint32_t i = 0; i < r->stack_count; i++)
        if (!r->stacks[i].thread) r->stacks[i].calling = r->task_status == TASK_CALLING;
    for (uint32_t i = 0; group.count == 0 && i < r->stack_count; i++)
        if (r->stacks[i].thread && r->stacks[i].count) return image_bad(r, "a thread of no task");
    if (group.count == 0) return true;
    group.threads = memory_new_zeroed(r->vm, 1, sizeof *group.threads);
    group.alive = memory_new_zeroed(r->vm, group.count, sizeof *group.alive);
    bool ok = group.threads && group.alive;
    if (ok) {
        ok = read_group(r, &group);
    } else {
        raise_memory(r->vm);
    }
    if (ok) {
        link_alive(&group);
        r->task->state.threads = group.threads;
    } else if (group.threads) {
        memory_free(group.threads->waits);
        memory_free(group.threads);
    }
    memory_free(group.alive);
    return ok;
}

void image_start_threads(ImageReader *r) {
    Threads *threads = r->task->state.threads;
    for (Thread *at = threads ? threads->alive : NULL; at; at = at->after) {
        at->header.state = (uint8_t)at->events;
        at->events = 0;
    }
}
