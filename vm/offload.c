/* offload.c - jobs on threads of the system: offload.h. A thread of its own for each job that may
 * last, since one that waits for another must not keep it from beginning; brief ones go to the
 * library's pool, if there is one. */
#include "vm/offload.h"
#include "vm/bind.h"
#include "vm/resource.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const char WHAT[] = "job";
enum { STACK_SIZE = 512 * 1024 }; /* bytes: resolvers of the C library need some */

void offload_drop(Job *job) {
    if (atomic_fetch_sub(&job->owners, 1) != 1) return;
    if (job->clean) job->clean(job);
    if (job->end >= 0) close(job->end);
    free(job);
}

static void wait_for_end(const Job *job) {
    struct pollfd entry = {.fd = job->end, .events = POLLIN};
    while (!job->done)
        poll(&entry, 1, job->end >= 0 ? -1 : 1);
}

/* ---- breaking off ---- */

enum { HOLD_NONE, HOLD_CALL, HOLD_CANCEL }; /* Job.hold: in the call; somebody cancels it */

void offload_enter(Job *job) {
    job->thread = pthread_self();
    job->hold = HOLD_CALL;
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
}

void offload_leave(Job *job) {
    int expected = HOLD_CALL;
    if (!atomic_compare_exchange_strong(&job->hold, &expected, HOLD_NONE))
        while (true)
            pause(); /* the cancellation is on its way, and must find the thread */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
}

/* The call is over when this returns: nothing later in the script meets it. */
static void break_off(Job *job) {
    int expected = HOLD_CALL;
    if (!atomic_compare_exchange_strong(&job->hold, &expected, HOLD_CANCEL)) return;
    pthread_cancel(job->thread);
    wait_for_end(job);
}

/* ---- the two sides ---- */

/* The script's side gives it up. */
static void release(GenVM *vm, void *data) {
    Job *job = data;
    (void)vm;
    if (!job->done) break_off(job);
    if (job->waits) wait_for_end(job);
    offload_drop(job);
}

void *offload_new(GenVM *vm, size_t size, void (*run)(Job *job), void (*clean)(Job *job)) {
    Job *job = calloc(1, size);
    if (!job) return raise_memory(vm), NULL;
    job->run = run;
    job->clean = clean;
    job->owners = 1;
    job->end = -1;
    return job;
}

static void finish(void *data) {
    Job *job = data;
    uint64_t one = 1;
    job->done = true;
    if (job->end >= 0 && write(job->end, &one, sizeof one) < 0) {
        /* it is readable already */
    }
    offload_drop(job);
}

void offload_run(void *data) {
    Job *job = data;
    job->run(job);
    finish(job);
}

static void *run_thread(void *data) {
    Job *job = data;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_cleanup_push(finish, job);
    job->run(job);
    pthread_cleanup_pop(1);
    return NULL;
}

static bool start_thread(Job *job) {
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;
    if (pthread_attr_init(&attributes) != 0) return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int failed = pthread_create(&thread, &attributes, run_thread, job);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return !failed;
}

static bool hand_over(GenVM *vm, Job *job) {
    if ((job->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) return false;
    if (job->brief && vm->run_on_pool) return vm->run_on_pool(vm, job);
    return start_thread(job);
}

Value offload_start(GenVM *vm, Job *job, Value bytes) {
    Value held = resource_new(vm, WHAT, job, release);
    if (held == VALUE_ERROR) return VALUE_ERROR;
    AS(Resource, held)->held = bytes;
    job->waits = job->brief || bytes != VALUE_UNSET;
    job->owners++;
    threads_hold(vm, held);
    if (hand_over(vm, job)) return threads_park(vm, THREAD_FOR_EVER, job->end, POLLIN);
    offload_run(job); /* no more files or threads: it is done here */
    return threads_park(vm, threads_now(), -1, 0);
}

static Job *held_job(GenVM *vm) {
    Value held = vm->resumed ? threads_current(vm)->held : VALUE_UNSET;
    bool is_job = held != VALUE_UNSET && AS(Resource, held)->what == WHAT;
    return is_job ? AS(Resource, held)->data : NULL;
}

bool offload_is_under_way(GenVM *vm) {
    return unlikely(vm->resumed) && held_job(vm);
}

/* Nobody waits any more: the descriptor is given back now, not when the collector finds the job.
 * What it reads there is the last that the job's thread does with it. */
static void close_end(Job *job) {
    uint64_t count;
    if (job->end < 0 || read(job->end, &count, sizeof count) != sizeof count) return;
    close(job->end);
    job->end = -1;
}

void *offload_finish(GenVM *vm) {
    Job *job = held_job(vm);
    if (job->done) {
        close_end(job);
        return job;
    }
    if (vm->interrupted && threads_is_main(vm) && !vm_poll_native(vm)) return NULL;
    threads_park(vm, THREAD_FOR_EVER, job->end, POLLIN);
    return NULL;
}
