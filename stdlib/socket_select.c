/* socket_select.c - module _socket: waiting for many descriptors, the basis of modules select and
 * selectors. */
#include "stdlib/held_descriptor.h"
#include "stdlib/socket_native.h"
#include "vm/memory.h"
#include "vm/paths.h"
#include "vm/task.h"
#include "vm/threads.h"
#include "vm/bind.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* When a wait of `timeout` seconds (None: for ever) ends, in milliseconds; -1: never. */
static int64_t end_of(Value timeout) {
    if (timeout == VALUE_NONE) return -1;
    double seconds = value_float(timeout);
    if (seconds <= 0) return seconds < 0 ? -1 : 0;
    return now_ms() + (int64_t)ceil(fmin(seconds, 9e9) * 1e3);
}

static int left_of(int64_t end) {
    if (end <= 0) return (int)end;
    int64_t left = end - now_ms();
    return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* How long the system waits at most: until then, or the deadline of the task; *cut: the latter. */
static int wait_until(GenVM *vm, int64_t end, bool *cut) {
    uint64_t left = end < 0 ? INT32_MAX : (uint64_t)left_of(end);
    uint64_t most = budget_wait(vm, left * 1000000);
    *cut = most < left * 1000000;
    if (*cut) return (int)(most / 1000000 + (most % 1000000 > 0));
    return end < 0 ? -1 : (int)left;
}

static double seconds_to(int64_t end) {
    return end < 0 ? -1 : 1e-3 * left_of(end);
}

/* False with OSError: a descriptor that is not the VM's; or TypeError. */
static bool fill(GenVM *vm, Value list, struct pollfd *entries) {
    for (uint64_t i = 0; i < AS_LIST(list)->count; i++) {
        uint64_t parts;
        const Value *pair = leaf_items(AS_LIST(list)->items[i], &parts);
        if (!pair || parts != 2 || !is_int(pair[0]) || !is_int(pair[1]))
            return raise_type(vm, "pairs of ints (descriptor, events) are required"), false;
        entries[i].fd = (int)as_int(pair[0]);
        if (!path_may_use_descriptor(vm, entries[i].fd))
            return errno = EBADF, socket_raise(vm), false;
        entries[i].events = (short)as_int(pair[1]);
    }
    return true;
}

static Value answers(GenVM *vm, const struct pollfd *entries, uint64_t count) {
    Value list = list_new(vm, 0);
    for (uint64_t i = 0; list != VALUE_ERROR && i < count; i++) {
        if (!entries[i].revents) continue;
        Value pair =
            tuple_pack(vm, 2, int_value(entries[i].fd), int_value((uint16_t)entries[i].revents));
        if (pair == VALUE_ERROR || !list_append(vm, list, pair)) list = VALUE_ERROR;
    }
    return list;
}

/* ---- threads ---- */

/* Nothing is ready: the thread waits for the descriptor of an epoll. True: it does not, and the
 * caller has waited long enough. */
static bool park(GenVM *vm, int epoll, Value timeout) {
    Thread *thread = threads_current(vm);
    uint64_t until = THREAD_FOR_EVER;
    double seconds = timeout == VALUE_NONE ? -1 : value_float(timeout);
    if (vm->resumed)
        until = thread->until;
    else if (seconds >= 0)
        until = threads_now() + (uint64_t)ceil(fmin(seconds, 9e9) * 1e9);
    if (until <= threads_now()) return true;
    double left = until == THREAD_FOR_EVER ? -1 : 1e-9 * (double)(until - threads_now());
    if (vm->interrupted && threads_is_main(vm) && !socket_interrupted(vm, left)) return false;
    threads_park(vm, until, epoll, POLLIN);
    return false;
}

static int epoll_of(const struct pollfd *entries, uint64_t count) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (uint64_t i = 0; epoll >= 0 && i < count; i++) {
        struct epoll_event event = {.events = (uint32_t)entries[i].events};
        epoll_ctl(epoll, EPOLL_CTL_ADD, entries[i].fd, &event); /* what cannot be waited for is
                                                                   ready, poll() has told */
    }
    return epoll;
}

/* The same as socket_poll_many where the thread waits: an epoll of its own holds the descriptors.
 */
static Value poll_parked(GenVM *vm, const struct pollfd *entries, uint64_t count, Value timeout,
                         int ready) {
    if (ready) return answers(vm, entries, count);
    int epoll = held_descriptor(vm);
    if (epoll < 0) {
        if ((epoll = epoll_of(entries, count)) < 0) return socket_raise(vm);
        if (!held_descriptor_keep(vm, epoll)) return VALUE_ERROR;
    }
    return park(vm, epoll, timeout) ? answers(vm, entries, count) : VALUE_ERROR;
}

/* poll(list of (fd, events), timeout) -> list of (fd, events) */
Value socket_poll_many(GenVM *vm, Value *args) {
    uint64_t count = AS_LIST(args[0])->count;
    struct pollfd *entries = memory_new_zeroed(vm, count + 1, sizeof *entries);
    if (!entries) return raise_memory(vm);
    if (!fill(vm, args[0], entries)) return memory_free(entries), VALUE_ERROR;
    if (vm->resumed || threads_should_park(vm)) {
        Value found = poll_parked(vm, entries, count, args[1], poll(entries, count, 0));
        memory_free(entries);
        return found;
    }
    int64_t end = end_of(args[1]);
    int ready;
    Value result = VALUE_UNSET;
    bool cut = false;
    while (result == VALUE_UNSET && (ready = poll(entries, count, wait_until(vm, end, &cut))) < 1) {
        if (ready < 0 && errno != EINTR)
            result = socket_raise(vm);
        else if (ready < 0 && !socket_interrupted(vm, seconds_to(end)))
            result = VALUE_ERROR;
        else if (ready == 0) /* the task stops soon where it cannot stop before this */
            result = cut && !native_look(vm) ? VALUE_ERROR : answers(vm, entries, 0);
    }
    if (result == VALUE_UNSET) result = answers(vm, entries, count);
    memory_free(entries);
    return result;
}

/* ---- epoll ---- */

static Value epoll_make(GenVM *vm, Value *args) {
    (void)args;
    if (!socket_may_use(vm)) return VALUE_ERROR;
    int fd = epoll_create1(EPOLL_CLOEXEC);
    path_own(vm, fd);
    return fd < 0 ? socket_raise(vm) : int_value(fd);
}

/* epoll_control(epoll, operation, fd, events) */
static Value epoll_control(GenVM *vm, Value *args) {
    struct epoll_event event = {.events = (uint32_t)as_int(args[3])};
    event.data.fd = socket_fd(vm, args[2]);
    int status = epoll_ctl(socket_fd(vm, args[0]), (int)as_int(args[1]), event.data.fd, &event);
    return status == 0 ? VALUE_NONE : socket_raise(vm);
}

static Value epoll_wait_for(GenVM *vm, Value *args, struct epoll_event *events, int64_t most) {
    bool parks = vm->resumed || threads_should_park(vm);
    int64_t end = parks ? 0 : end_of(args[1]);
    int ready;
    bool cut = false;
    while ((ready = epoll_wait(socket_fd(vm, args[0]), events, (int)most,
                               wait_until(vm, end, &cut))) < 1) {
        if (ready == 0 && cut && !native_look(vm)) return VALUE_ERROR;
        if (ready == 0) break;
        if (ready < 0 && errno != EINTR) return socket_raise(vm);
        if (ready < 0 && !socket_interrupted(vm, seconds_to(end))) return VALUE_ERROR;
    }
    if (parks && !ready && !park(vm, socket_fd(vm, args[0]), args[1])) return VALUE_ERROR;
    Value list = list_new(vm, 0);
    for (int i = 0; list != VALUE_ERROR && i < ready; i++) {
        Value pair = tuple_pack(vm, 2, int_value(events[i].data.fd), int_value(events[i].events));
        if (pair == VALUE_ERROR || !list_append(vm, list, pair)) list = VALUE_ERROR;
    }
    return list;
}

enum {
    FEW_EVENTS = 1023, /* as many are asked for when nothing is said */
    MOST_EVENTS = INT32_MAX / sizeof(struct epoll_event),
};

/* epoll_poll(epoll, timeout, most) -> list of (fd, events) */
static Value epoll_poll(GenVM *vm, Value *args) {
    struct epoll_event few[FEW_EVENTS], *events = few;
    int64_t most = as_int(args[2]);
    if (most < 1) most = FEW_EVENTS;
    if (most > MOST_EVENTS) return errno = EINVAL, socket_raise(vm);
    if (most > FEW_EVENTS) {
        if (!gc_check_size(vm, (uint64_t)most * sizeof *events)) return VALUE_ERROR;
        events = memory_new(vm, (size_t)most * sizeof *events);
        if (!events) return raise_memory(vm);
    }
    Value list = epoll_wait_for(vm, args, events, most);
    if (events != few) memory_free(events);
    return list;
}

const NativeDef socket_select_functions[] = {
    {"poll(entries: list, timeout: float | None, /)", socket_poll_many, NULL},
    {"epoll()", epoll_make, NULL},
    {"epoll_control(epoll: index, operation: index, fd: index, events: index, /)", epoll_control,
     NULL},
    {"epoll_poll(epoll: index, timeout: float | None, most: index, /)", epoll_poll, NULL},
    {NULL, NULL, NULL},
};
