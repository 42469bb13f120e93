/* offload.h - calls of the system that block and that no descriptor tells the end of, where a
 * script has several threads: they are made on a thread of the system, and the script's thread is
 * parked (threads.h) meanwhile.
 *
 *      if (offload_is_under_way(vm)) {             // the native is run anew
 *          SyncJob *job = offload_finish(vm);
 *          return job ? result_of(vm, job) : VALUE_ERROR;
 *      }
 *      if (!threads_should_park(vm)) ...           // alone: the direct way
 *      SyncJob *job = offload_new(vm, sizeof *job, run_sync, NULL);
 *      if (!job) return VALUE_ERROR;
 *      job->fd = fd;
 *      return offload_start(vm, &job->job, VALUE_UNSET);
 *
 * A job touches nothing of the VM but bytes that cannot change and that it was started with. It
 * belongs to two, the native that waits for it and the thread that does it; who is through with it
 * last frees it. So a script's thread that ends earlier, by an interrupt or with its task, leaves
 * the job behind, which is broken off where that can be; only those that are `brief`, or look at
 * bytes of the VM, are waited for then.
 */
#ifndef GEN_OFFLOAD_H
#define GEN_OFFLOAD_H

#include "vm/threads.h"

#include <pthread.h>

typedef struct Job {
    void (*run)(struct Job *job);   /* on another thread, with all signals blocked */
    void (*clean)(struct Job *job); /* before it is freed, on either; NULL: nothing to be done */
    bool brief; /* its end does not depend on others: the library's pool may do it */
    bool waits; /* who gives it up waits for its end */
    int end;    /* becomes readable when it is done; -1: there is none */
    _Atomic bool done;
    _Atomic int owners;
    _Atomic int hold; /* see offload_enter */
    pthread_t thread; /* while hold says so */
} Job;

/* Around a call of a job that may last for ever, and that is a cancellation point: it is broken off
 * when the job is given up. Such a job is not `brief`. */
void offload_enter(Job *job);
void offload_leave(Job *job);

/* `size`: of the structure that begins with the Job; the rest is zero. NULL: MemoryError. */
void *offload_new(GenVM *vm, size_t size, void (*run)(Job *job), void (*clean)(Job *job));
/* Hands it over and parks the thread: the native returns this, VALUE_ERROR. `bytes`: a bytes object
 * that it reads, or VALUE_UNSET. */
Value offload_start(GenVM *vm, Job *job, Value bytes);
void offload_drop(Job *job); /* one that was not handed over */
/* The native is run anew and has started a job. */
bool offload_is_under_way(GenVM *vm);
/* The job, done, which lives as long as this call of the native. NULL: the thread is parked again,
 * or KeyboardInterrupt is pending; the native returns VALUE_ERROR. */
void *offload_finish(GenVM *vm);

/* What a pool has to call with the job it was given (GenVM.run_on_pool). */
void offload_run(void *job);

#endif
