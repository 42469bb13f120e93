/* Coroutines in a loop of the host's own: plain epoll, no asyncio and no libuv (a library that was
 * built with UV=0 does as well).
 *
 * The script's coroutines await external functions. Each such call comes to the host as a ticket;
 * the host notes which descriptor it waits for, and answers it when epoll says so. A server that
 * answers lines in capitals has one coroutine for each connection, and a ticker runs between them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "genvm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

static const char script[] = "async def serve(connection):\n"
                             "    count = 0\n"
                             "    while line := await receive(connection):\n"
                             "        count += 1\n"
                             "        await send(connection, line.upper())\n"
                             "    return f'connection {connection}: {count} lines'\n"
                             "\n"
                             "async def tick(times, seconds):\n"
                             "    for i in range(times):\n"
                             "        await sleep(seconds)\n"
                             "    return f'{times} ticks'\n";

/* External functions have no body: see gen_run in genvm.h. */
static const GenFunction externals[] = {{"async receive(connection: int)", NULL, NULL},
                                        {"async send(connection: int, text: str)", NULL, NULL},
                                        {"async sleep(seconds: float)", NULL, NULL}};

enum { CONNECTIONS = 3, LINES = 4 };

typedef struct Wait { /* an open ticket and the descriptor that it waits for */
    GenRef task;      /* kept */
    GenTicket ticket;
    int fd;
    bool is_timer;
} Wait;

typedef struct Loop {
    GenVM *vm;
    int epoll, running; /* tasks that have not ended */
    int servers[CONNECTIONS], clients[CONNECTIONS];
    GenRef results; /* list: what the coroutines have returned */
} Loop;

static void wait_for(Loop *loop, GenRef task, const GenOutcome *call, int fd, bool is_timer) {
    Wait *wait = (Wait *)malloc(sizeof *wait);
    if (wait == NULL) abort();
    wait->task = task;
    wait->ticket = call->ticket;
    wait->fd = fd;
    wait->is_timer = is_timer;
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = EPOLLIN | EPOLLONESHOT;
    event.data.ptr = wait;
    if (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event) != 0)
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void start_timer(Loop *loop, GenRef task, const GenOutcome *call) {
    double seconds = gen_as_float(loop->vm, gen_get_index(loop->vm, call->args, 0));
    struct itimerspec time;
    memset(&time, 0, sizeof time);
    time.it_value.tv_nsec = 1 + (long)(seconds * 1e9); /* less than a second here */
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    timerfd_settime(fd, 0, &time, NULL);
    wait_for(loop, task, call, fd, true);
}

/* What the script has called. */
static void begin(Loop *loop, GenRef task, const GenOutcome *call) {
    GenVM *vm = loop->vm;
    if (strcmp(call->name, "sleep") == 0) {
        start_timer(loop, task, call);
        return;
    }
    int connection = (int)gen_as_int(vm, gen_get_index(vm, call->args, 0));
    int fd = loop->servers[connection];
    if (strcmp(call->name, "receive") == 0) {
        wait_for(loop, task, call, fd, false);
        return;
    }
    size_t size;
    const char *text = gen_to_str(vm, gen_get_index(vm, call->args, 1), &size);
    if (write(fd, text, size) == (ssize_t)size)
        gen_answer(vm, task, call->ticket, gen_none(vm));
    else
        gen_answer_error(vm, task, call->ticket,
                         (gen_raise(vm, "OSError", "send"), gen_error_take(vm)));
}

/* Runs a task until it waits. */
static void run(Loop *loop, GenRef task) {
    GenVM *vm = loop->vm;
    GenScope scope = gen_scope_open(vm);
    GenOutcome outcome;
    GenStatus status;
    while ((status = gen_run(vm, task, &outcome)) == GEN_CALLOUT)
        begin(loop, task, &outcome);
    if (status == GEN_DONE) gen_append(vm, loop->results, outcome.value);
    if (status == GEN_ERROR) fputs(gen_error_text(vm), stdout);
    gen_scope_close(vm, scope);
    if (status == GEN_WAITING) return;
    loop->running--;
    gen_release(vm, task);
}

/* Waits for a descriptor and answers the ticket that it belongs to; true for a timer. */
static bool step(Loop *loop) {
    struct epoll_event event;
    while (epoll_wait(loop->epoll, &event, 1, -1) != 1)
        continue; /* a signal */
    GenVM *vm = loop->vm;
    Wait *wait = (Wait *)event.data.ptr;
    bool is_timer = wait->is_timer;
    GenScope scope = gen_scope_open(vm);
    char text[256];
    ssize_t size = wait->is_timer ? 0 : read(wait->fd, text, sizeof text);
    GenRef value = wait->is_timer ? gen_none(vm) : gen_str_n(vm, text, size > 0 ? (size_t)size : 0);
    gen_answer(vm, wait->task, wait->ticket, value);
    gen_scope_close(vm, scope);
    if (wait->is_timer) close(wait->fd);
    run(loop, wait->task);
    free(wait);
    return is_timer;
}

static void start(Loop *loop, const char *function, size_t count, const GenRef *args) {
    GenVM *vm = loop->vm;
    GenRef task = gen_keep(vm, gen_task_new(vm, gen_get_global(vm, function), count, args));
    loop->running++;
    run(loop, task);
}

/* The other end of a connection: a line, its answer, the next line, and the end. */
static void talk(Loop *loop, int connection, int line) {
    char text[64];
    int fd = loop->clients[connection];
    if (line > 0) {
        ssize_t size = read(fd, text, sizeof text);
        if (size > 0 && connection == 1) printf("%.*s\n", (int)size, text);
    }
    if (line == LINES) {
        close(fd);
        return;
    }
    int size = snprintf(text, sizeof text, "line %d of client %d", line, connection);
    if (write(fd, text, (size_t)size) != size) close(fd);
}

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    if (vm == NULL || !gen_run_string(vm, script, "script")) return 1;
    gen_set_global(vm, "receive", gen_function(vm, &externals[0]));
    gen_set_global(vm, "send", gen_function(vm, &externals[1]));
    gen_set_global(vm, "sleep", gen_function(vm, &externals[2]));
    Loop loop;
    memset(&loop, 0, sizeof loop);
    loop.vm = vm;
    loop.epoll = epoll_create1(EPOLL_CLOEXEC);
    loop.results = gen_keep(vm, gen_list(vm));
    for (int i = 0; i < CONNECTIONS; i++) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 1;
        loop.servers[i] = ends[0];
        loop.clients[i] = ends[1];
        GenRef number = gen_int(vm, i);
        start(&loop, "serve", 1, &number);
    }
    GenRef times[2] = {gen_int(vm, 3), gen_float(vm, 0.2)};
    start(&loop, "tick", 2, times);

    for (int line = 0; line <= LINES; line++)
        for (int i = 0; i < CONNECTIONS; i++) {
            talk(&loop, i, line);
            while (step(&loop)) /* until it was the server's turn */
                continue;
        }
    while (loop.running > 0)
        step(&loop);
    gen_set_global(vm, "results", loop.results);
    GenRef text = gen_eval(vm, "'\\n'.join(sorted(results))");
    size_t size = 0;
    const char *bytes = gen_to_str(vm, text, &size);
    if (bytes != NULL) printf("%.*s\n", (int)size, bytes);
    gen_release(vm, loop.results);
    for (int i = 0; i < CONNECTIONS; i++)
        close(loop.servers[i]);
    close(loop.epoll);
    gen_vm_free(vm);
    return 0;
}
