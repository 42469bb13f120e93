/* lock.c - the locks of threads: _thread.lock, also as a counting semaphore, and _thread.RLock.
 *
 * Who finds a lock taken parks in its queue. A release wakes the first of the queue and leaves the
 * lock free: who comes by before that one runs may take it, so that two threads that take and
 * release a lock in turns do not switch each time. One that was woken for nothing gets the lock
 * handed over by the next release (`given`), so that nobody waits for ever.
 *
 * In an image a lock is as free or taken as it was; who waits for it is told with the task
 * (image_threads.c).
 */
#include "vm/bind.h"
#include "vm/image.h"
#include "vm/objects.h"
#include "vm/runtime.h"
#include "vm/threads.h"

#include <math.h>

static Lock *self_lock(Value self) {
    return AS(Lock, self);
}

Value lock_new(GenVM *vm, TypeId kind) {
    Lock *lock = gc_new(vm, sizeof *lock, kind);
    return lock ? object_value(lock) : VALUE_ERROR;
}

static void trace(GenVM *vm, Object *object) {
    Lock *lock = (Lock *)object;
    gc_mark_pointer(vm, lock->owner);
    gc_mark_pointer(vm, lock->given);
}

/* ---- the queue ---- */

void lock_forget(Thread *thread) {
    Lock *lock = thread->lock;
    if (!lock) return;
    if (thread->lock_before)
        thread->lock_before->lock_next = thread->lock_next;
    else
        lock->first = thread->lock_next;
    if (thread->lock_next)
        thread->lock_next->lock_before = thread->lock_before;
    else
        lock->last = thread->lock_before;
    thread->lock = NULL;
    thread->lock_next = thread->lock_before = NULL;
}

void lock_enqueue(Lock *lock, Thread *thread, bool first) {
    thread->lock = lock;
    thread->lock_next = first ? lock->first : NULL;
    thread->lock_before = first ? NULL : lock->last;
    if (thread->lock_next) thread->lock_next->lock_before = thread;
    if (thread->lock_before) thread->lock_before->lock_next = thread;
    if (thread->lock_before == NULL) lock->first = thread;
    if (thread->lock_next == NULL) lock->last = thread;
}

/* ---- taking ---- */

static bool is_recursive(const Lock *lock) {
    return lock->header.kind == TYPE_RLOCK;
}

static bool is_free(const Lock *lock) {
    return lock->counting ? lock->count > 0 : lock->count == 0;
}

static void own(GenVM *vm, Lock *lock, Thread *thread) {
    lock->count += lock->counting ? -1 : 1;
    if (!is_recursive(lock)) return;
    lock->owner = thread;
    gc_barrier(vm, lock);
}

static bool is_owner(GenVM *vm, const Lock *lock, const Thread *thread) {
    if (lock->count == 0) return false;
    if (lock->owner) return lock->owner == thread;
    return !thread || thread == vm->threads->main;
}

/* True when it is the thread's now. */
static bool try_take(GenVM *vm, Lock *lock, Thread *thread) {
    if (lock->given && lock->given == thread) {
        lock->given = NULL;
        return true;
    }
    if (is_free(lock))
        own(vm, lock, thread);
    else if (is_recursive(lock) && is_owner(vm, lock, thread))
        lock->count++;
    else
        return false;
    thread->starving = false;
    return true;
}

/* Until when to wait: false with an exception pending. */
static bool deadline_of(GenVM *vm, Value blocking, Value timeout, uint64_t *until) {
    double seconds = value_float(timeout);
    *until = THREAD_FOR_EVER;
    if (isnan(seconds)) return raise_value(vm, "Invalid value NaN (not a number)"), false;
    if (blocking != VALUE_TRUE && seconds != -1) {
        raise_value(vm, "can't specify a timeout for a non-blocking call");
        return false;
    }
    if (seconds < 0 && seconds != -1) {
        raise_value(vm, "timeout value must be a non-negative number");
        return false;
    }
    if (seconds > 9223372036.0) return raise_overflow(vm, "timeout value is too large"), false;
    if (seconds >= 0) *until = threads_now() + (uint64_t)ceil(seconds * 1e9);
    return true;
}

/* A signal came while the main thread waited: its handler runs first, then the wait goes on. */
static Value after_interrupt(GenVM *vm, Value self, uint64_t until) {
    if (!vm_interrupt_waits(vm)) return vm_poll_native(vm) ? VALUE_NONE : VALUE_ERROR;
    double left = -1;
    if (until != THREAD_FOR_EVER) {
        uint64_t now = threads_now();
        left = until > now ? (double)(until - now) * 1e-9 : 0;
    }
    return native_twin(vm, TWIN_ACQUIRE_AGAIN, 2, self, float_value(vm, left));
}

static Value wait_for(GenVM *vm, Value self, Thread *thread, uint64_t until) {
    Lock *lock = self_lock(self);
    if (!threads_can_switch(vm) || !vm->wait_events)
        return raise_runtime(vm, "a lock cannot be waited for in a call made by the host");
    if (vm->interrupted && threads_is_main(vm)) {
        Value v = after_interrupt(vm, self, until);
        if (v != VALUE_NONE) return v;
    }
    thread->starving = vm->resumed;
    lock_enqueue(lock, thread, vm->resumed);
    gc_barrier(vm, thread);
    return threads_park(vm, until, -1, 0);
}

/* acquire(self, blocking=True, timeout=-1) */
static Value acquire(GenVM *vm, Value *args) {
    Lock *lock = self_lock(args[0]);
    Threads *threads = threads_get(vm);
    if (!threads) return VALUE_ERROR;
    uint64_t until = threads->current->until;
    bool resumed = vm->resumed;
    if (!resumed && !deadline_of(vm, args[1], args[2], &until)) return VALUE_ERROR;
    if (try_take(vm, lock, threads->current)) return VALUE_TRUE;
    if (args[1] != VALUE_TRUE) return VALUE_FALSE;
    if (until != THREAD_FOR_EVER && threads_now() >= until) return VALUE_FALSE;
    if (until != THREAD_FOR_EVER && !threads_may_tell_time(vm)) return VALUE_ERROR;
    return wait_for(vm, args[0], threads->current, until);
}

static Value enter(GenVM *vm, Value *args) {
    Lock *lock = self_lock(args[0]);
    Threads *threads = threads_get(vm);
    if (!threads) return VALUE_ERROR;
    if (try_take(vm, lock, threads->current)) return VALUE_TRUE;
    return wait_for(vm, args[0], threads->current, THREAD_FOR_EVER);
}

/* ---- giving back ---- */

/* The lock is free again: the first who waits is woken, or is given it. */
static void pass_on(GenVM *vm, Lock *lock) {
    Thread *first = lock->first;
    if (!first) return;
    if (first->starving && !lock->given) {
        own(vm, lock, first);
        first->starving = false;
        lock->given = first;
        gc_barrier(vm, lock);
    }
    threads_wake(vm, first);
}

static Value release_plain(GenVM *vm, Lock *lock) {
    if (lock->count == 0) return raise_runtime(vm, "release unlocked lock");
    lock->count = 0;
    pass_on(vm, lock);
    return VALUE_NONE;
}

static Value release_recursive(GenVM *vm, Lock *lock) {
    if (!is_owner(vm, lock, threads_current(vm)))
        return raise_runtime(vm, "cannot release un-acquired lock");
    if (--lock->count) return VALUE_NONE;
    lock->owner = NULL;
    pass_on(vm, lock);
    return VALUE_NONE;
}

static Value release_any(GenVM *vm, Lock *lock) {
    if (is_recursive(lock)) return release_recursive(vm, lock);
    if (!lock->counting) return release_plain(vm, lock);
    lock->count++;
    pass_on(vm, lock);
    return VALUE_NONE;
}

static Value release(GenVM *vm, Value *args) {
    return release_any(vm, self_lock(args[0]));
}

static Value is_locked(GenVM *vm, Value *args) {
    return (void)vm, bool_value(!is_free(self_lock(args[0])));
}

/* ---- the short ways ---- */

static bool is_lock(Value v) { /* a bound method's are the arguments alone */
    return is_kind(v, TYPE_LOCK) || is_kind(v, TYPE_RLOCK);
}

static Value acquire_fast(GenVM *vm, const Value *args, uint32_t count) {
    if (count != 1 || !vm->threads || !is_lock(args[0])) return VALUE_UNSET;
    Lock *lock = self_lock(args[0]);
    return try_take(vm, lock, vm->threads->current) ? VALUE_TRUE : VALUE_UNSET;
}

static Value release_fast(GenVM *vm, const Value *args, uint32_t count) {
    return count == 1 && is_lock(args[0]) ? release_any(vm, self_lock(args[0])) : VALUE_UNSET;
}

static Value exit_fast(GenVM *vm, const Value *args, uint32_t count) {
    return count == 4 && is_lock(args[0]) ? release_any(vm, self_lock(args[0])) : VALUE_UNSET;
}

/* ---- what Condition needs of a re-entrant lock ---- */

static Value is_owned(GenVM *vm, Value *args) {
    const Lock *lock = self_lock(args[0]);
    return bool_value(is_owner(vm, lock, threads_current(vm)));
}

/* Gives it back however often it was taken, and tells how often. */
static Value release_save(GenVM *vm, Value *args) {
    Lock *lock = self_lock(args[0]);
    if (lock->count == 0) return raise_runtime(vm, "cannot release un-acquired lock");
    int64_t count = lock->count;
    lock->count = 0;
    lock->owner = NULL;
    pass_on(vm, lock);
    return int_value(count);
}

static Value acquire_restore(GenVM *vm, Value *args) {
    Lock *lock = self_lock(args[0]);
    Value taken = enter(vm, args);
    if (taken != VALUE_TRUE) return taken;
    lock->count = as_int(args[1]);
    return VALUE_NONE;
}

static Value recursion_count(GenVM *vm, Value *args) {
    const Lock *lock = self_lock(args[0]);
    return int_value(is_owner(vm, lock, threads_current(vm)) ? lock->count : 0);
}

/* ---- the types ---- */

static Value repr_plain(GenVM *vm, Value self) {
    return str_format(vm, "<%s _thread.lock object at %p>",
                      is_free(self_lock(self)) ? "unlocked" : "locked", (void *)as_object(self));
}

static int owner_ident(const Lock *lock) {
    if (lock->owner) return (int)lock->owner->ident;
    return lock->count ? THREAD_MAIN_IDENT : 0;
}

static Value repr_recursive(GenVM *vm, Value self) {
    const Lock *lock = self_lock(self);
    return str_format(vm, "<%s _thread.RLock object owner=%d count=%d at %p>",
                      lock->count ? "locked" : "unlocked", owner_ident(lock), (int)lock->count,
                      (void *)as_object(self));
}

static const ImageField image_fields[] = {IMAGE_FIELD(Lock, count, LONG, NONE),
                                          IMAGE_FIELD(Lock, counting, BYTE, NONE),
                                          IMAGE_FIELD(Lock, owner, POINTER, THREAD),
                                          IMAGE_FIELD(Lock, given, POINTER, THREAD),
                                          {0}};

/* The main thread is the same everywhere, and the only one that is there without a task. */
static void before_save(GenVM *vm, const Object *object, Object *copy) {
    Lock *lock = (Lock *)copy;
    (void)vm, (void)object;
    if (lock->owner && lock->owner->ident == THREAD_MAIN_IDENT) lock->owner = NULL;
}

static bool check_image(GenVM *vm, Object *object) {
    const Lock *lock = (const Lock *)object;
    uint8_t counting;
    (void)vm;
    memcpy(&counting, &lock->counting, 1);
    if (counting > 1) return false;
    if (is_recursive(lock) || counting) return lock->count >= 0 && lock->count <= SMALL_INT_MAX;
    return lock->count == 0 || lock->count == 1;
}

static const ImageLayout image_layout = {sizeof(Lock), image_fields, check_image, before_save};

static Value construct_plain(GenVM *vm, Value *args) {
    return (void)args, lock_new(vm, TYPE_LOCK);
}
static Value construct_recursive(GenVM *vm, Value *args) {
    return (void)args, lock_new(vm, TYPE_RLOCK);
}

#define ACQUIRE_DOC "Lock the lock; without an argument, wait for it. Return whether it was taken."
#define RELEASE_DOC "Release the lock, so that another thread that waits for it may take it."

static const NativeDef plain_construct[] = {{"lock(cls)", construct_plain, NULL}, {0}};
static const NativeDef recursive_construct[] = {{"RLock(cls)", construct_recursive, NULL}, {0}};

static const NativeDef plain_methods[] = {
    {"acquire(self, blocking: bool = True, timeout: float = -1.0)", acquire, ACQUIRE_DOC},
    {"release(self, /)", release, RELEASE_DOC},
    {"locked(self, /)", is_locked, "Return whether the lock is in the locked state."},
    {"acquire_lock(self, blocking: bool = True, timeout: float = -1.0)", acquire, ACQUIRE_DOC},
    {"release_lock(self, /)", release, RELEASE_DOC},
    {"locked_lock(self, /)", is_locked, NULL},
    {"__enter__(self, /)", enter, "Lock the lock."},
    {"__exit__(self, *exc_info)", release, "Release the lock."},
    {0},
};

static const NativeDef recursive_methods[] = {
    {"acquire(self, blocking: bool = True, timeout: float = -1.0)", acquire, ACQUIRE_DOC},
    {"release(self, /)", release, RELEASE_DOC},
    {"locked(self, /)", is_locked, "Return whether the lock is in the locked state."},
    {"_is_owned(self, /)", is_owned, "For internal use by `threading.Condition`."},
    {"_release_save(self, /)", release_save, "For internal use by `threading.Condition`."},
    {"_acquire_restore(self, count: index, /)", acquire_restore,
     "For internal use by `threading.Condition`."},
    {"_recursion_count(self, /)", recursion_count, "For internal use by reentrancy checks."},
    {"__enter__(self, /)", enter, "Lock the lock."},
    {"__exit__(self, *exc_info)", release, "Release the lock."},
    {0},
};

static const NativeFast fast_methods[] = {
    {"acquire", acquire_fast},
    {"release", release_fast},
    {"__enter__", acquire_fast},
    {"__exit__", exit_fast},
    {0},
};

const BuiltinType lock_type = {
    .name = "lock",
    .module = "_thread",
    .flags = TYPE_FINAL,
    .size = sizeof(Lock),
    .doc = "A lock: a thread that takes it while another has it waits until that one releases it.",
    .construct = plain_construct,
    .methods = plain_methods,
    .fast_methods = fast_methods,
    .slots = {.repr = repr_plain, .trace = trace, .image = &image_layout},
};

const BuiltinType rlock_type = {
    .name = "RLock",
    .module = "_thread",
    .flags = 0,
    .size = sizeof(Lock),
    .doc = "A lock that the thread that has it can take again.",
    .construct = recursive_construct,
    .methods = recursive_methods,
    .fast_methods = fast_methods,
    .slots = {.repr = repr_recursive, .trace = trace, .image = &image_layout},
};
