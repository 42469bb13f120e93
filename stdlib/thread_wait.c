/* thread_wait.c - the wait of a VM whose threads all wait: vm->wait_events (vm/threads.h).
 *
 * One poll() over the descriptors of all parked threads. A loop of asyncio that waits in a thread
 * is one of them: libuv tells what has happened by the descriptor behind it. An interrupt from
 * another thread of the process ends the wait by an event descriptor, a signal by EINTR.
 */
#include "stdlib/init.h"
#include "vm/memory.h"
#include "vm/threads.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static void end_wait(int fd) {
    int kept = errno; /* it may run in a signal's handler */
    uint64_t one = 1;
    ssize_t done = write(fd, &one, sizeof one); /* full: it is awake anyway */
    (void)done;
    errno = kept;
}

void thread_wait_prepare(GenVM *vm) {
    if (vm->wait_fd) return;
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd <= 0) return; /* too many files: signals end the wait all the same */
    vm->end_wait = end_wait;
    vm->wait_fd = fd;
}

static int fill(const Threads *threads, struct pollfd *entries) {
    int count = 0;
    for (uint32_t i = 0; i < threads->wait_count; i++) {
        const Thread *thread = threads->waits[i];
        if (thread->fd >= 0)
            entries[count++] = (struct pollfd){.fd = thread->fd, .events = thread->events};
    }
    return count;
}

/* The threads of the entries that are ready. Waking takes them out of the waits, so they are
 * collected first. */
static void wake_ready(GenVM *vm, const struct pollfd *entries, Thread **ready) {
    const Threads *threads = vm->threads;
    uint32_t count = 0, at = 0;
    for (uint32_t i = 0; i < threads->wait_count; i++)
        if (threads->waits[i]->fd >= 0 && entries[at++].revents) ready[count++] = threads->waits[i];
    for (uint32_t i = 0; i < count; i++)
        threads_wake(vm, ready[i]);
}

static void drain(int fd) {
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);
    (void)got;
}

void thread_wait_one(GenVM *vm, int fd, short events, int64_t nanoseconds) {
    struct pollfd entries[] = {{.fd = fd, .events = events},
                               {.fd = vm->wait_fd ? vm->wait_fd : -1, .events = POLLIN}};
    struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    if (vm->interrupted) return;
    ppoll(entries, 2, nanoseconds < 0 ? NULL : &time, NULL);
    if (vm->wait_fd) drain(vm->wait_fd);
}

void thread_wait(GenVM *vm, int64_t nanoseconds) {
    const Threads *threads = vm->threads;
    size_t room = threads->wait_count + 1;
    struct pollfd few[64], *entries = few;
    Thread *few_ready[64], **ready = few_ready;
    if (room > 64) {
        entries = memory_new(vm, room * sizeof *entries);
        ready = memory_new(vm, room * sizeof *ready);
    }
    if (nanoseconds) thread_wait_prepare(vm);
    if (entries && ready) {
        int count = fill(threads, entries);
        if (nanoseconds && vm->wait_fd)
            entries[count++] = (struct pollfd){.fd = vm->wait_fd, .events = POLLIN};
        struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
        if (ppoll(entries, (nfds_t)count, nanoseconds < 0 ? NULL : &time, NULL) > 0)
            wake_ready(vm, entries, ready);
        if (nanoseconds && vm->wait_fd) drain(vm->wait_fd);
    }
    if (room > 64) {
        memory_free(entries);
        memory_free(ready);
    }
}
