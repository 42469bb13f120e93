/* uv_loop.c - module _uv: the event loops under asyncio's. It owns the uv_loop_t of each: no other
 * file calls uv_run. One that is no longer used is kept for the next.
 *
 * Where a script has several threads, a loop that would wait parks its thread (vm/threads.h), which
 * goes on when libuv's descriptor is ready.
 *
 * What scripts wait for is an item, anything with a _run method (a Handle, a Task, a transport): a
 * descriptor's reader and writer, a signal's handler. poll() appends the items that are ready to
 * the list of the event loop that polls, which runs them. Requests that end with a result (names)
 * are completions, (item, status, data), which poll() returns.
 *
 * A callback of libuv may allocate, since no collection happens inside a native, but runs no script
 * code.
 */
#include "stdlib/uv_loop.h"
#include "vm/memory.h"
#include "vm/paths.h"
#include "vm/bind.h"
#include "stdlib/init.h"
#include "vm/offload.h"
#include "vm/task.h"
#include "vm/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>

static const char WHAT[] = "event loop";
enum {
    LONGEST_WAIT = 86400
}; /* seconds of a poll without a timeout: something must keep the loop alive */
enum { HELD_DESCRIPTORS, HELD_SIGNALS, HELD_REQUESTS }; /* tables in Resource.held */

Value uv_raise(GenVM *vm, int status) {
    return status == UV_ENOMEM ? raise_memory(vm) : raise_os_error(vm, -status, VALUE_UNSET);
}

/* ---- the loop ---- */

static void close_handle(uv_handle_t *handle, void *context) {
    (void)context;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

static void free_handle(uv_handle_t *handle) {
    memory_free(handle);
}

static void release(GenVM *vm, void *data) {
    UvLoop *loop = data;
    if (vm->wake_data == loop) vm->wake = NULL;
    for (int fd = 0; fd < loop->watcher_count; fd++)
        if (loop->watchers[fd]) uv_close((uv_handle_t *)&loop->watchers[fd]->poll, free_handle);
    for (int i = 0; i < 65; i++)
        if (loop->signals[i]) uv_close((uv_handle_t *)&loop->signals[i]->signal, free_handle);
    loop->ready = loop->completions = VALUE_UNSET;
    uv_walk(&loop->loop, close_handle, NULL);
    uv_run(&loop->loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop->loop);
    memory_free(loop->watchers);
    memory_free(loop->fresh);
    memory_free(loop);
}

static void on_wake(uv_async_t *wake) {
    (void)wake;
}
static void on_timer(uv_timer_t *timer) {
    (void)timer;
}

static void wake_loop(void *data) {
    uv_async_send(&((UvLoop *)data)->wake);
}

/* libuv gives up the process where a descriptor of its own is one of the three standard ones: those
 * that the script has closed lead nowhere from now on. */
static void fill_standard(void) {
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd >= 0) close(fd);
}

/* A started loop without handles; `status` otherwise. */
static int loop_init(UvLoop *loop) {
    fill_standard();
    int status = uv_loop_init(&loop->loop);
    if (status < 0) return status;
    status = uv_async_init(&loop->loop, &loop->wake, on_wake);
    if (status < 0) uv_loop_close(&loop->loop);
    return status;
}

static UvLoop *loop_start(GenVM *vm) {
    UvLoop *loop = memory_new_zeroed(vm, 1, sizeof *loop);
    int status = loop ? loop_init(loop) : UV_ENOMEM;
    if (status < 0) {
        memory_free(loop);
        uv_raise(vm, status);
        return NULL;
    }
    loop->vm = vm;
    loop->ready = loop->completions = VALUE_UNSET;
    uv_timer_init(&loop->loop, &loop->timer);
    uv_unref((uv_handle_t *)&loop->wake);
    return loop;
}

/* ---- the pool ---- */

static void on_work(uv_work_t *work) {
    offload_run(work->data);
}
static void on_worked(uv_work_t *work, int status) {
    (void)status;
    memory_free(work);
}

/* The loop that libuv's pool reports to. It is looked at when the next job comes, and closed with
 * the VM: who waits for a job learns its end from the job itself. */
static UvLoop *pool_loop(GenVM *vm) {
    Value known = vm->roots[ROOT_UV_POOL];
    if (known != VALUE_UNSET) return resource_data(vm, known, WHAT);
    UvLoop *loop = loop_start(vm);
    Value resource = loop ? resource_new(vm, WHAT, loop, release) : VALUE_ERROR;
    if (resource == VALUE_ERROR) return error_clear(vm), NULL;
    vm->roots[ROOT_UV_POOL] = resource;
    return loop;
}

bool uv_run_on_pool(GenVM *vm, void *job) {
    UvLoop *loop = pool_loop(vm);
    uv_work_t *work = loop ? memory_new(vm, sizeof *work) : NULL;
    if (!work) return false;
    uv_run(&loop->loop, UV_RUN_NOWAIT);
    work->data = job;
    if (uv_queue_work(&loop->loop, work, on_work, on_worked) == 0) return true;
    memory_free(work);
    return false;
}

static Dict *held_table(const UvLoop *loop, int table) {
    return AS_DICT(AS_TUPLE(loop->owner->held)->items[table]);
}

UvLoop *uv_loop_of(GenVM *vm, Value v) {
    return resource_data(vm, v, WHAT);
}

static Value loop_new(GenVM *vm) {
    UvLoop *loop = loop_start(vm);
    Value resource = loop ? resource_new(vm, WHAT, loop, release) : VALUE_ERROR;
    if (resource == VALUE_ERROR) return VALUE_ERROR;
    Value held = tuple_new(vm, 3);
    for (int i = 0; held != VALUE_ERROR && i < 3; i++)
        if ((AS_TUPLE(held)->items[i] = dict_new(vm)) == VALUE_ERROR) held = VALUE_ERROR;
    if (held == VALUE_ERROR) return VALUE_ERROR;
    loop->owner = AS(Resource, resource);
    loop->owner->held = held;
    return resource;
}

/* start() -> a loop: the one that was finished last, or a new one. */
static Value start(GenVM *vm, Value *args) {
    (void)args;
    Value spare = vm->roots[ROOT_UV];
    if (spare == VALUE_UNSET) return loop_new(vm);
    vm->roots[ROOT_UV] = VALUE_UNSET;
    return spare;
}

static bool is_idle(UvLoop *loop) {
    for (int table = 0; table < 3; table++)
        if (held_table(loop, table)->count) return false;
    return true;
}

/* finish(loop): nobody uses it any more. */
static Value finish(GenVM *vm, Value *args) {
    UvLoop *loop = uv_loop_of(vm, args[0]);
    if (!loop) return VALUE_ERROR;
    loop->poller = NULL;
    if (is_idle(loop)) vm->roots[ROOT_UV] = args[0];
    return VALUE_NONE;
}

/* ---- what is kept alive ---- */

static bool hold(UvLoop *loop, int table, int64_t key, Value item) {
    return dict_set(loop->vm, held_table(loop, table), int_value(key), item) == LEAF_TRUE;
}
static Value held_item(UvLoop *loop, int table, int64_t key) {
    Value item;
    bool found = dict_get(loop->vm, held_table(loop, table), int_value(key), &item) == LEAF_TRUE;
    return found ? item : VALUE_UNSET;
}
static void let_go(UvLoop *loop, int table, int64_t key) {
    dict_delete(loop->vm, held_table(loop, table), int_value(key));
}

void uv_loop_push_ready(UvLoop *loop, Value item) {
    if (item == VALUE_UNSET || item == VALUE_NONE || loop->ready == VALUE_UNSET) return;
    if (!list_append(loop->vm, loop->ready, item)) loop->failed = true;
}

void uv_loop_push_completion(UvLoop *loop, Value item, int64_t status, Value data) {
    if (loop->completions == VALUE_UNSET) return;
    Value entry = tuple_pack(loop->vm, 3, item, int_value(status), data);
    if (entry == VALUE_ERROR || !list_append(loop->vm, loop->completions, entry))
        loop->failed = true;
}

UvRequest *uv_request_new(GenVM *vm, UvLoop *loop, Value item) {
    UvRequest *request = memory_new_zeroed(vm, 1, sizeof *request);
    if (!request) {
        raise_memory(vm);
        return NULL;
    }
    request->loop = loop;
    if (hold(loop, HELD_REQUESTS, (int64_t)((uintptr_t)request >> 4), item)) return request;
    memory_free(request);
    return NULL;
}

Value uv_request_take(UvRequest *request) {
    int64_t key = (int64_t)((uintptr_t)request >> 4);
    Value item = held_item(request->loop, HELD_REQUESTS, key);
    let_go(request->loop, HELD_REQUESTS, key);
    return item;
}

/* ---- descriptors ---- */

static void push_ends(UvLoop *loop, int fd, bool readable, bool writable) {
    Value pair = held_item(loop, HELD_DESCRIPTORS, fd);
    if (pair == VALUE_UNSET) return;
    if (readable) uv_loop_push_ready(loop, AS_TUPLE(pair)->items[0]);
    if (writable) uv_loop_push_ready(loop, AS_TUPLE(pair)->items[1]);
}

/* After an error on the descriptor libuv stops: both ends learn it from their next call. */
static void on_events(uv_poll_t *poll, int status, int events) {
    UvLoop *loop = poll->loop->data;
    UvWatcher *watcher = (UvWatcher *)poll;
    uv_os_fd_t fd;
    uv_fileno((uv_handle_t *)poll, &fd);
    if (status < 0) {
        watcher->stopped = true;
        loop->stopped_count++;
        events = UV_READABLE | UV_WRITABLE;
    }
    push_ends(loop, fd, events & UV_READABLE, events & UV_WRITABLE);
}

static bool make_room(GenVM *vm, UvLoop *loop, int fd) {
    if (fd < loop->watcher_count) return true;
    int count = fd < 32 ? 64 : 2 * fd;
    int *fresh = memory_resize(vm, loop->fresh, (size_t)count * sizeof *fresh);
    if (!fresh) return raise_memory(vm), false;
    loop->fresh = fresh;
    UvWatcher **larger = memory_resize(vm, loop->watchers, (size_t)count * sizeof *larger);
    if (!larger) return raise_memory(vm), false;
    memset(larger + loop->watcher_count, 0, (size_t)(count - loop->watcher_count) * sizeof *larger);
    loop->watchers = larger;
    loop->watcher_count = count;
    return true;
}

static int start_watcher(UvLoop *loop, int fd) {
    UvWatcher *watcher = loop->watchers[fd];
    if (loop->fresh_count < loop->watcher_count) loop->fresh[loop->fresh_count++] = fd;
    return uv_poll_start(&watcher->poll, watcher->events, on_events);
}

/* Does the system take the descriptor? What is there already stays as it is. */
static bool can_be_watched(const UvLoop *loop, int fd) {
    struct epoll_event event = {.data.fd = fd};
    return epoll_ctl(uv_backend_fd(&loop->loop), EPOLL_CTL_ADD, fd, &event) == 0 || errno == EEXIST;
}

/* libuv gives up the process where the system refuses a descriptor that it was told to watch: a
 * script may have closed it since, or another file has its number. Nothing ever happens there. */
static void check_fresh(UvLoop *loop) {
    bool all = loop->fresh_count == loop->watcher_count;
    for (int i = 0; i < loop->fresh_count; i++) {
        int fd = all ? i : loop->fresh[i];
        UvWatcher *watcher = loop->watchers[fd];
        if (!watcher || !watcher->events || can_be_watched(loop, fd)) continue;
        uv_poll_stop(&watcher->poll);
        watcher->events = 0;
    }
    loop->fresh_count = 0;
}

static void unwatch(UvLoop *loop, int fd) {
    UvWatcher *watcher = loop->watchers[fd];
    loop->watchers[fd] = NULL;
    if (watcher->stopped) loop->stopped_count--;
    let_go(loop, HELD_DESCRIPTORS, fd);
    uv_close((uv_handle_t *)&watcher->poll, free_handle);
}

static UvWatcher *watcher_for(GenVM *vm, UvLoop *loop, int fd) {
    if (!make_room(vm, loop, fd)) return NULL;
    if (loop->watchers[fd]) return loop->watchers[fd];
    UvWatcher *watcher = memory_new_zeroed(vm, 1, sizeof *watcher);
    if (!watcher) return raise_memory(vm), NULL;
    loop->loop.data = loop;
    int status = uv_poll_init(&loop->loop, &watcher->poll, fd);
    if (status < 0) {
        memory_free(watcher);
        uv_raise(vm, status);
        return NULL;
    }
    return loop->watchers[fd] = watcher;
}

/* watch(loop, fd, reader, writer): the items to run when the descriptor is readable, writable;
 * None: not wanted. */
static Value watch(GenVM *vm, Value *args) {
    if (!(vm->capabilities & (GEN_CAP_NET | GEN_CAP_FILES | GEN_CAP_PROCESS)))
        return path_refuse(vm, "this virtual machine has no descriptors", VALUE_UNSET);
    UvLoop *loop = uv_loop_of(vm, args[0]);
    if (!loop) return VALUE_ERROR;
    int64_t fd = as_int(args[1]);
    if (fd < 0 || fd > 1 << 24) return raise_value(vm, "Invalid file descriptor: %ld", (long)fd);
    if (!path_may_use_descriptor(vm, fd)) return uv_raise(vm, UV_EBADF);
    int events =
        (args[2] != VALUE_NONE ? UV_READABLE : 0) | (args[3] != VALUE_NONE ? UV_WRITABLE : 0);
    if (!events) {
        if (fd < loop->watcher_count && loop->watchers[fd]) unwatch(loop, (int)fd);
        return VALUE_NONE;
    }
    UvWatcher *watcher = watcher_for(vm, loop, (int)fd);
    Value pair = watcher ? tuple_pack(vm, 2, args[2], args[3]) : VALUE_ERROR;
    if (pair == VALUE_ERROR || !hold(loop, HELD_DESCRIPTORS, fd, pair)) return VALUE_ERROR;
    if (watcher->events == events && !watcher->stopped) return VALUE_NONE;
    watcher->events = events;
    if (watcher->stopped) {
        watcher->stopped = false;
        loop->stopped_count--;
    }
    int status = start_watcher(loop, (int)fd);
    if (status == 0) return VALUE_NONE;
    watcher->events = 0;
    return uv_raise(vm, status);
}

static void restart_stopped(UvLoop *loop) {
    for (int fd = 0; loop->stopped_count && fd < loop->watcher_count; fd++) {
        UvWatcher *watcher = loop->watchers[fd];
        if (!watcher || !watcher->stopped) continue;
        watcher->stopped = false;
        loop->stopped_count--;
        start_watcher(loop, fd);
    }
    loop->stopped_count = 0;
}

/* ---- signals ---- */

static void on_signal(uv_signal_t *handle, int number) {
    UvLoop *loop = handle->loop->data;
    uv_loop_push_ready(loop, held_item(loop, HELD_SIGNALS, number));
}

static void stop_signal(UvLoop *loop, int number) {
    UvSignal *handle = loop->signals[number];
    loop->signals[number] = NULL;
    let_go(loop, HELD_SIGNALS, number);
    uv_close((uv_handle_t *)&handle->signal, free_handle);
    sigaction(number, &handle->before, NULL);
}

static bool may_use_signals(GenVM *vm) {
    if (vm->capabilities & GEN_CAP_PROCESS) return true;
    path_refuse(vm, "this virtual machine has no access to other processes", VALUE_UNSET);
    return false;
}

/* watch_signal(loop, number, item): None: no longer. What the process did before is done again
 * then. */
static Value watch_signal(GenVM *vm, Value *args) {
    UvLoop *loop = may_use_signals(vm) ? uv_loop_of(vm, args[0]) : NULL;
    if (!loop) return VALUE_ERROR;
    int64_t number = as_int(args[1]);
    if (number < 1 || number > 64)
        return raise_value(vm, "signal number %ld out of range", (long)number);
    loop->loop.data = loop;
    if (args[2] == VALUE_NONE) {
        if (loop->signals[number]) stop_signal(loop, (int)number);
        return VALUE_NONE;
    }
    if (!hold(loop, HELD_SIGNALS, number, args[2])) return VALUE_ERROR;
    if (loop->signals[number]) return VALUE_NONE;
    UvSignal *handle = memory_new_zeroed(vm, 1, sizeof *handle);
    int failure = handle ? uv_signal_init(&loop->loop, &handle->signal) : UV_ENOMEM;
    if (failure) {
        memory_free(handle);
        let_go(loop, HELD_SIGNALS, number);
        return uv_raise(vm, failure);
    }
    sigaction((int)number, NULL, &handle->before);
    loop->signals[number] = handle;
    int status = uv_signal_start(&handle->signal, on_signal, (int)number);
    if (status == 0) return VALUE_NONE;
    stop_signal(loop, (int)number);
    return uv_raise(vm, status);
}

/* ---- polling ---- */

static uint64_t milliseconds(Value timeout) {
    if (timeout == VALUE_NONE) return LONGEST_WAIT * 1000;
    double seconds = value_float(timeout);
    if (!(seconds > 0)) return 0;
    return seconds > LONGEST_WAIT ? LONGEST_WAIT * 1000 : (uint64_t)ceil(seconds * 1000);
}

/* Runs what is due, waiting at most so many milliseconds. False with an exception pending. */
static bool run(GenVM *vm, UvLoop *loop, Value ready, Value completions, uint64_t wait) {
    if (loop->stopped_count) restart_stopped(loop);
    if (loop->fresh_count) check_fresh(loop);
    loop->loop.data = loop;
    loop->ready = ready;
    loop->completions = completions;
    loop->failed = false;
    if (wait) {
        vm->wake_data = loop;
        vm->wake = wake_loop;
        uv_update_time(&loop->loop);
        uv_timer_start(&loop->timer, on_timer, wait, 0);
    }
    uv_run(&loop->loop, wait && !vm->interrupted ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    if (wait) uv_timer_stop(&loop->timer);
    loop->ready = loop->completions = VALUE_UNSET;
    if (loop->failed) return false;
    return !vm->interrupted || !threads_is_main(vm) || vm_poll_native(vm);
}

/* Other threads go on meanwhile: this one waits for the descriptor behind the loop. True when there
 * is something to be done now. */
static bool park(GenVM *vm, UvLoop *loop, uint64_t wait) {
    Threads *threads = vm->threads;
    if (loop->woken || (vm->interrupted && threads_is_main(vm))) return true;
    loop->poller = threads->current;
    threads_park(vm, threads_now() + wait * 1000000, uv_backend_fd(&loop->loop), POLLIN);
    return false;
}

/* Nothing that a task waits for here could ever happen: it would wait for good, in gen_run. */
static bool is_stuck(GenVM *vm, UvLoop *loop, Value timeout) {
    return timeout == VALUE_NONE && vm->task && !threads_are_many(vm) &&
           !(vm->capabilities & (GEN_CAP_THREADS | GEN_CAP_PROCESS)) && !uv_loop_alive(&loop->loop);
}

static uint64_t wait_within_budget(GenVM *vm, uint64_t wait) {
    uint64_t most = budget_wait(vm, wait * 1000000);
    return most / 1000000 + (most % 1000000 > 0);
}

/* poll(loop, timeout, ready): waits at most `timeout` seconds (None: for ever) until something
 * happened, not at all where an item is ready; appends the items that are ready to the list,
 * returns the completions. */
static Value poll_loop(GenVM *vm, Value *args) {
    UvLoop *loop = uv_loop_of(vm, args[0]);
    Value completions = loop ? list_new(vm, 0) : VALUE_ERROR;
    if (completions == VALUE_ERROR) return VALUE_ERROR;
    uint64_t had = AS_LIST(args[2])->count; /* what another thread made ready meanwhile */
    uint64_t wait = vm->resumed || loop->woken || had ? 0 : milliseconds(args[1]);
    if (wait && is_stuck(vm, loop, args[1]))
        return raise_runtime(vm, "all tasks of the event loop wait for each other");
    bool parks = wait && threads_are_many(vm);
    if (!parks) wait = wait_within_budget(vm, wait);
    loop->poller = NULL;
    if (!run(vm, loop, args[2], completions, parks ? 0 : wait)) return VALUE_ERROR;
    bool empty = AS_LIST(args[2])->count == had && !AS_LIST(completions)->count;
    if (parks && empty && !park(vm, loop, wait)) return VALUE_ERROR;
    loop->woken = false;
    return completions;
}

/* wake(loop): ends its wait, or the next one, from another thread of the script. */
static Value wake(GenVM *vm, Value *args) {
    UvLoop *loop = uv_loop_of(vm, args[0]);
    if (!loop) return VALUE_ERROR;
    loop->woken = true;
    if (loop->poller) threads_wake(vm, loop->poller);
    loop->poller = NULL;
    return VALUE_NONE;
}

static const NativeDef functions[] = {
    {"poll(loop, timeout: float | None, ready: list, /)", poll_loop,
     "Wait at most timeout seconds for events; ready takes the items, the completions are "
     "returned."},
    {"start()", start, "Return a loop."},
    {"finish(loop, /)", finish, "Give back a loop that nobody uses any more."},
    {"wake(loop, /)", wake, "End the wait of a loop in another thread."},
    {"watch(loop, fd: index, reader, writer, /)", watch,
     "Set the items that run when a descriptor is readable and writable; None: not wanted."},
    {"watch_signal(loop, number: index, item, /)", watch_signal,
     "Set the item that runs when a signal came; None: no longer."},
    {NULL, NULL, NULL},
};

static bool init(GenVM *vm, Module *module) {
    for (const NativeDef *def = uv_name_functions; def->signature; def++) {
        Value function = native_function_new(vm, def, VALUE_UNSET, module->name);
        if (function == VALUE_ERROR ||
            !dict_set_str(vm, module->dict, AS(NativeFunction, function)->name, function))
            return false;
    }
    return true;
}

const NativeModule uv_module = {"_uv", functions, init};
