/* interpreter_pool.c - module _interpreter_pool: VMs on threads of their own, which do work that is
 * sent to them as bytes. concurrent/futures/interpreter.gen makes an executor of it.
 *
 *     VM of the script            Pool (mutex)                     workers: a thread and a VM each
 *     submit(pool, bytes)  --->   waiting: job, job, job    --->   _interpreter_worker.run(bytes)
 *     take(pool)           <---   finished: job, job        <---
 *     select on fileno()   <---   event (eventfd)
 *
 * Nothing but bytes goes from one VM to another: images, made and read by the VMs themselves. The
 * Pool is not part of any heap; a Resource of the script's VM owns it. Workers start when there is
 * work for them. close() lets them end when nothing is waiting any more; when the pool itself goes,
 * what runs is interrupted and what waits is dropped.
 */
#include "stdlib/modules.h"
#include "vm/genvm_private.h"
#include "vm/objects.h"
#include "vm/paths.h"
#include "vm/resource.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const char WHAT[] = "interpreter pool";
enum { WORKERS_MOST = 4096 };

typedef struct Job {
    struct Job *next;
    int64_t number;
    bool failed; /* its worker could not be started: `data` is text */
    size_t size;
    char *data; /* what is to be done, then what came of it */
} Job;

typedef struct JobQueue {
    Job *first, *last;
} JobQueue;

typedef struct Worker {
    struct Pool *pool;
    pthread_t thread;
    GenVM *vm;   /* while it can be interrupted */
    Job *report; /* of number 0, to tell that it could not start: made while there is memory */
} Worker;

typedef struct Pool {
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t work;  /* there is a job, or an end */
    JobQueue waiting, finished;
    Worker *workers;
    uint32_t count, most, idle;
    int64_t last_number;
    int event;      /* readable while something is finished */
    bool closed;    /* no more jobs are added */
    bool abandoned; /* and those that are there do not matter */
    bool broken;    /* a worker could not be started */
    GenConfig config;
    char *start; /* what each worker does first, as bytes; its length */
    size_t start_size;
    char name[16]; /* of the threads, as the system shows it */
} Pool;

/* ---- queues ---- */

static void push(JobQueue *queue, Job *job) {
    job->next = NULL;
    *(queue->first ? &queue->last->next : &queue->first) = job;
    queue->last = job;
}

static Job *pop(JobQueue *queue) {
    Job *job = queue->first;
    if (job) queue->first = job->next;
    return job;
}

static void free_job(Job *job) {
    free(job->data);
    free(job);
}
static void free_jobs(JobQueue *queue) {
    for (Job *job; (job = pop(queue));)
        free_job(job);
}

static char *copy_bytes(const void *data, size_t size) {
    char *copy = malloc(size + 1);
    if (copy) memcpy(copy, data, size);
    return copy;
}

/* ---- a worker: what runs on its thread ---- */

static void finish_job(Pool *pool, Job *job) {
    uint64_t one = 1;
    pthread_mutex_lock(&pool->lock);
    push(&pool->finished, job);
    pthread_mutex_unlock(&pool->lock);
    if (write(pool->event, &one, sizeof one) < 0) return; /* full: it is readable */
}

/* The job's bytes become the answer's; without one they become what went wrong. */
static void put_answer(GenVM *vm, Job *job, GenRef answer) {
    size_t size = 0;
    const char *data = answer ? gen_to_bytes(vm, answer, &size) : NULL;
    bool failed = data == NULL;
    if (!data) size = strlen(data = gen_error_text(vm));
    char *copy = copy_bytes(data, size);
    free(job->data);
    job->data = copy;
    job->size = copy ? size : 0;
    job->failed = failed || !copy;
    gen_error_clear(vm);
}

static GenRef call_worker(GenVM *vm, const char *function, const char *data, size_t size) {
    GenRef module = gen_import(vm, "_interpreter_worker");
    GenRef bytes = gen_bytes(vm, data, size);
    return module && bytes ? gen_call_method(vm, module, function, 1, &bytes) : GEN_NULL;
}

static void run_job(GenVM *vm, Job *job) {
    GenScope scope = gen_scope_open(vm);
    put_answer(vm, job, call_worker(vm, "run", job->data, job->size));
    gen_scope_close(vm, scope);
}

/* False: the pool is of no use any more, and is told why by a job of number 0. */
static bool start_worker(Pool *pool, GenVM *vm, Job *report) {
    GenScope scope = gen_scope_open(vm);
    GenRef answer = call_worker(vm, "start", pool->start, pool->start_size);
    bool ok = answer && gen_is_none(vm, answer);
    if (!ok) put_answer(vm, report, answer);
    gen_scope_close(vm, scope);
    if (ok) return true;
    pthread_mutex_lock(&pool->lock);
    pool->broken = pool->closed = true;
    pthread_mutex_unlock(&pool->lock);
    return false;
}

/* The next job, when there is one; NULL: this is the end. */
static Job *next_job(Pool *pool) {
    pthread_mutex_lock(&pool->lock);
    pool->idle++;
    while (!pool->waiting.first && !pool->closed)
        pthread_cond_wait(&pool->work, &pool->lock);
    pool->idle--;
    Job *job = pool->abandoned || pool->broken ? NULL : pop(&pool->waiting);
    pthread_mutex_unlock(&pool->lock);
    return job;
}

/* From now on, or no longer, the VM can be interrupted by the pool. */
static void show_vm(Worker *worker, GenVM *vm) {
    Pool *pool = worker->pool;
    pthread_mutex_lock(&pool->lock);
    if (!vm && worker->vm) worker->vm->interrupted = 0; /* what it was for is over */
    worker->vm = vm;
    if (vm && pool->abandoned) gen_interrupt(vm);
    pthread_mutex_unlock(&pool->lock);
}

static void *work(void *data) {
    Worker *worker = data;
    Pool *pool = worker->pool;
    Job *report = worker->report;
    GenVM *vm = gen_vm_new(&pool->config);
    if (!vm) {
        report->failed = true;
        finish_job(pool, report);
        return NULL;
    }
    show_vm(worker, vm);
    bool ok = start_worker(pool, vm, report);
    show_vm(worker, NULL);
    if (ok)
        free_job(report);
    else
        finish_job(pool, report);
    for (Job *job; ok && (job = next_job(pool));) {
        show_vm(worker, vm);
        run_job(vm, job);
        show_vm(worker, NULL);
        finish_job(pool, job);
    }
    gen_vm_finish(vm);
    gen_vm_free(vm);
    return NULL;
}

/* Signals are for the threads that were there before. Called with the lock. */
static int start_thread(Pool *pool) {
    Worker *worker = &pool->workers[pool->count];
    sigset_t all, before;
    *worker = (Worker){.pool = pool, .report = calloc(1, sizeof *worker->report)};
    if (!worker->report) return ENOMEM;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&worker->thread, NULL, work, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status) return free_job(worker->report), status;
    pthread_setname_np(worker->thread, pool->name);
    pool->count++;
    return 0;
}

/* ---- the pool ---- */

static void join_all(Pool *pool) {
    for (uint32_t i = 0; i < pool->count; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pool->count = 0;
}

static void free_pool(Pool *pool) {
    free_jobs(&pool->waiting);
    free_jobs(&pool->finished);
    paths_free_roots(pool->config.read_roots);
    paths_free_roots(pool->config.write_roots);
    if (pool->event >= 0) close(pool->event);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool->start);
    free(pool);
}

static void release(GenVM *vm, void *data) {
    Pool *pool = data;
    (void)vm;
    pthread_mutex_lock(&pool->lock);
    pool->closed = pool->abandoned = true;
    for (uint32_t i = 0; i < pool->count; i++)
        if (pool->workers[i].vm) gen_interrupt(pool->workers[i].vm);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    join_all(pool);
    free_pool(pool);
}

/* What a worker may touch and use is what its maker may; what it would print without standard
 * streams of its own goes nowhere, since the host's function belongs to another thread. */
static bool copy_config(GenVM *vm, Pool *pool) {
    pool->config = (GenConfig){.size = sizeof(GenConfig),
                               .capabilities = vm->capabilities,
                               .memory_limit = vm->memory_limit,
                               .recursion_limit = (uint32_t)vm->recursion_limit,
                               .hash_seed = vm->hash_key[0]};
    return paths_copy_roots(vm, PATH_READ, &pool->config.read_roots) &&
           paths_copy_roots(vm, PATH_WRITE, &pool->config.write_roots);
}

static bool may_use_threads(GenVM *vm) {
    if (vm->capabilities & GEN_CAP_THREADS) return true;
    path_refuse(vm, "this virtual machine has no threads", VALUE_UNSET);
    return false;
}

/* open(workers, name, start): `start` is what each worker gets first. */
static Value open_pool(GenVM *vm, Value *args) {
    int64_t most = as_int(args[0]);
    const uint8_t *start = NULL;
    size_t size = 0;
    const char *name = str_c_whole(vm, args[1]);
    if (!may_use_threads(vm) || !name || !bytes_view(vm, args[2], &start, &size))
        return VALUE_ERROR;
    if (most < 1 || most > WORKERS_MOST)
        return raise_value(vm, "a pool of %ld interpreters", (long)most);
    Pool *pool = calloc(1, sizeof *pool);
    if (!pool) return raise_memory(vm);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pool->most = (uint32_t)most;
    pool->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int code = errno;
    pool->workers = calloc((size_t)most, sizeof *pool->workers);
    pool->start = copy_bytes(start, size);
    pool->start_size = size;
    snprintf(pool->name, sizeof pool->name, "%s", name);
    if (pool->event >= 0 && pool->workers && pool->start && copy_config(vm, pool))
        return resource_new(vm, WHAT, pool, release);
    bool no_event = pool->event < 0;
    free_pool(pool);
    return no_event ? raise_os_error(vm, code, VALUE_UNSET) : raise_memory(vm);
}

static Pool *pool_of(GenVM *vm, Value v) {
    return resource_data(vm, v, WHAT);
}

/* submit(pool, image): the number of the job; None: the pool is closed. */
static Value submit(GenVM *vm, Value *args) {
    Pool *pool = pool_of(vm, args[0]);
    const uint8_t *data;
    size_t size;
    if (!pool || !bytes_view(vm, args[1], &data, &size) || !gc_check_size(vm, size))
        return VALUE_ERROR;
    Job *job = calloc(1, sizeof *job);
    if (!job || !(job->data = copy_bytes(data, size))) return free(job), raise_memory(vm);
    job->size = size;
    int status = 0;
    pthread_mutex_lock(&pool->lock);
    bool closed = pool->closed;
    if (!closed && !pool->idle && pool->count < pool->most) status = start_thread(pool);
    if (pool->count) status = 0; /* others will do it */
    if (!closed && !status) {
        job->number = ++pool->last_number;
        push(&pool->waiting, job);
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    if (!closed && !status) return int_value(job->number);
    free_job(job);
    if (closed) return VALUE_NONE;
    return status == ENOMEM ? raise_memory(vm) : raise_runtime(vm, "can't start new thread");
}

static Job **find_waiting(Pool *pool, int64_t number) {
    Job **at = &pool->waiting.first;
    while (*at && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

/* withdraw(pool, number): True if no worker had begun. */
static Value withdraw(GenVM *vm, Value *args) {
    Pool *pool = pool_of(vm, args[0]);
    if (!pool) return VALUE_ERROR;
    pthread_mutex_lock(&pool->lock);
    Job **at = find_waiting(pool, as_int(args[1])), *job = *at;
    if (job) {
        *at = job->next;
        pool->waiting.last = pool->waiting.first;
        while (pool->waiting.last && pool->waiting.last->next)
            pool->waiting.last = pool->waiting.last->next;
    }
    pthread_mutex_unlock(&pool->lock);
    if (job) free_job(job);
    return bool_value(job != NULL);
}

static Value is_waiting(GenVM *vm, Value *args) {
    Pool *pool = pool_of(vm, args[0]);
    if (!pool) return VALUE_ERROR;
    pthread_mutex_lock(&pool->lock);
    bool found = *find_waiting(pool, as_int(args[1])) != NULL;
    pthread_mutex_unlock(&pool->lock);
    return bool_value(found);
}

/* (number, True, image) or (number, False, text of what went wrong in the worker itself) */
static Value job_value(GenVM *vm, const Job *job) {
    const char *text = job->data ? job->data : "";
    Value data = job->failed ? str_decode_utf8(vm, text, job->size, "replace")
                             : bytes_new(vm, text, job->size);
    if (data == VALUE_ERROR) return VALUE_ERROR;
    return tuple_pack(vm, 3, int_value(job->number), bool_value(!job->failed), data);
}

/* What could not be told, for want of memory, is finished still. */
static void put_back(Pool *pool, JobQueue jobs) {
    uint64_t one = 1;
    pthread_mutex_lock(&pool->lock);
    for (Job *job; (job = pop(&pool->finished));)
        push(&jobs, job);
    pool->finished = jobs;
    pthread_mutex_unlock(&pool->lock);
    if (write(pool->event, &one, sizeof one) < 0) return; /* full: it is readable */
}

/* take(pool): what is finished; does not wait. */
static Value take(GenVM *vm, Value *args) {
    Pool *pool = pool_of(vm, args[0]);
    Value list = pool ? list_new(vm, 0) : VALUE_ERROR;
    if (list == VALUE_ERROR) return VALUE_ERROR;
    uint64_t count;
    if (read(pool->event, &count, sizeof count) < 0 && errno != EAGAIN)
        return raise_os_error(vm, errno, VALUE_UNSET);
    pthread_mutex_lock(&pool->lock);
    JobQueue finished = pool->finished;
    pool->finished.first = NULL;
    pthread_mutex_unlock(&pool->lock);
    for (const Job *job = finished.first; list != VALUE_ERROR && job; job = job->next) {
        Value value = job_value(vm, job);
        if (value == VALUE_ERROR || !list_append(vm, list, value)) list = VALUE_ERROR;
    }
    if (list == VALUE_ERROR)
        put_back(pool, finished);
    else
        free_jobs(&finished);
    return list;
}

static Value fileno_of(GenVM *vm, Value *args) {
    Pool *pool = pool_of(vm, args[0]);
    if (!pool) return VALUE_ERROR;
    path_own(vm, pool->event);
    return int_value(pool->event);
}

/* wake(pool): who waits for the descriptor is to look again. */
static Value wake(GenVM *vm, Value *args) {
    Pool *pool = pool_of(vm, args[0]);
    uint64_t one = 1;
    if (!pool) return VALUE_ERROR;
    if (write(pool->event, &one, sizeof one) < 0 && errno != EAGAIN)
        return raise_os_error(vm, errno, VALUE_UNSET);
    return VALUE_NONE;
}

/* close(pool): workers end when nothing is waiting. */
static Value close_pool(GenVM *vm, Value *args) {
    Pool *pool = pool_of(vm, args[0]);
    if (!pool) return VALUE_ERROR;
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    return VALUE_NONE;
}

/* join(pool), after close(): returns when all workers have ended. */
static Value join(GenVM *vm, Value *args) {
    Pool *pool = pool_of(vm, args[0]);
    if (!pool) return VALUE_ERROR;
    if (!pool->closed) return raise_value(vm, "the pool is open");
    join_all(pool);
    return VALUE_NONE;
}

/* release(pool): its end, now: what runs is interrupted. */
static Value release_now(GenVM *vm, Value *args) {
    Pool *pool = pool_of(vm, args[0]);
    if (!pool) return VALUE_ERROR;
    path_disown(vm, pool->event);
    resource_release(vm, args[0]);
    return VALUE_NONE;
}

static const NativeDef functions[] = {
    {"open(workers: index, name: str, start: bytes, /)", open_pool, "A pool of interpreters."},
    {"submit(pool, image: bytes, /)", submit, "Have an image run; the number of the job."},
    {"withdraw(pool, number: index, /)", withdraw, "Take a job back that has not begun."},
    {"is_waiting(pool, number: index, /)", is_waiting, "Has the job not begun."},
    {"take(pool, /)", take, "The jobs that are finished, without waiting."},
    {"fileno(pool, /)", fileno_of, "A descriptor that is readable when a job is finished."},
    {"wake(pool, /)", wake, "Make the descriptor readable."},
    {"close(pool, /)", close_pool, "Let the workers end when nothing is waiting."},
    {"join(pool, /)", join, "Wait for the ends of the workers of a closed pool."},
    {"release(pool, /)", release_now, "Give the pool up; what runs is interrupted."},
    {NULL, NULL, NULL},
};

const NativeModule interpreter_pool_module = {"_interpreter_pool", functions, NULL};
