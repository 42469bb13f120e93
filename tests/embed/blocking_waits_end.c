/* Whatever blocks, a read of a pipe, a socket, a lock of a file, a child, a signal: at the
 * deadline of its task the script stops in the wait, and waits for the rest when it goes on;
 * nothing is lost. A task that is killed waits for nothing, in its finally clauses either.
# skip: stress children take their time there
 */
#define _GNU_SOURCE
#include "genvm.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Each waits for an event that comes after some 60 ms, or does not come (NEVER). */
#define LATER                                                                                      \
    "import os, sys\n"                                                                             \
    "def later(command='echo late', **kw):\n"                                                      \
    "    from subprocess import Popen, PIPE\n"                                                     \
    "    return Popen(['sh', '-c', 'sleep 0.06; ' + command], stdout=PIPE, **kw)\n"
#define SOCKETS                                                                                    \
    "import socket, select, threading\n"                                                           \
    "a, b = socket.socketpair()\n"
#define FIFO                                                                                       \
    "import os, tempfile\n"                                                                        \
    "where = tempfile.mkdtemp()\n"                                                                 \
    "name = where + '/fifo'\n"                                                                     \
    "os.mkfifo(name)\n"

static const struct {
    const char *what, *source;
} scripts[] = {
    /* events that come */
    {"child", LATER "print(later('exit 3').wait())"},
    {"child, with a timeout", LATER "print(later('exit 3').wait(timeout=60))"},
    {"waitpid", LATER "print(os.waitpid(later('exit 3').pid, 0)[1])"},
    {"waitid", LATER "print(os.waitid(os.P_PID, later('exit 3').pid, os.WEXITED).si_status)"},
    {"system", LATER "print(os.system('sleep 0.06; exit 3'))"},
    {"communicate", LATER "print(later().communicate())"},
    {"run",
     LATER "import subprocess\n"
           "print(subprocess.run('sleep 0.06; echo late', shell=True, capture_output=True))"},
    {"read of a pipe", LATER "print(later().stdout.read())"},
    {"line of a pipe",
     LATER "print(later('echo a; sleep 0.03; echo b', text=True).stdout.readline())"},
    {"lines of a pipe", LATER "print(list(later('echo a; sleep 0.03; echo b', text=True).stdout))"},
    {"raw pipe", LATER "print(later('echo a', bufsize=0).stdout.read(9))"},
    {"os.read", LATER "print(os.read(later().stdout.fileno(), 9))"},
    {"os.readv", LATER "into = bytearray(5)\n"
                       "print(os.readv(later().stdout.fileno(), [into]), into)"},
    {"popen", LATER "print(os.popen('sleep 0.06; echo late').read())"},
    {"poll of a pipe", LATER "import select\n"
                             "p = select.poll()\n"
                             "child = later()\n"
                             "p.register(child.stdout, select.POLLIN)\n"
                             "print(len(p.poll()))"},
    {"select of a pipe", LATER "import select\n"
                               "child = later()\n"
                               "print(select.select([child.stdout], [], [])[0] == [child.stdout])"},
    {"signal", LATER "import signal\n"
                     "signal.signal(signal.SIGUSR1, lambda number, frame: print('handler'))\n"
                     "child = later(f'kill -USR1 {os.getpid()}')\n"
                     "signal.pause()\nprint(child.wait())"},
    {"sigwait", LATER "import signal\n"
                      "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
                      "child = later(f'kill -USR1 {os.getpid()}')\n"
                      "print(signal.sigwait([signal.SIGUSR1]).name, child.wait())"},
    {"much to a pipe",
     LATER "from subprocess import Popen, PIPE\n"
           "child = Popen('sleep 0.06; wc -c', shell=True, stdin=PIPE, stdout=PIPE)\n"
           "child.stdin.write(b'x' * 1000000)\nchild.stdin.close()\n"
           "print(child.stdout.read())"},
    {"os.write to a pipe",
     LATER "from subprocess import Popen, PIPE\n"
           "child = Popen('sleep 0.06; wc -c', shell=True, stdin=PIPE, stdout=PIPE)\n"
           "print(os.write(child.stdin.fileno(), b'x' * 1000000))\n"
           "child.stdin.close()\nprint(child.stdout.read())"},
    {"FIFO", FIFO "from subprocess import Popen\n"
                  "child = Popen(['sh', '-c', 'sleep 0.06; echo late > \"$0\"', name])\n"
                  "print(open(name).read(), child.wait())\nos.remove(name); os.rmdir(where)"},
    {"lock of a file", FIFO
     "from subprocess import Popen, PIPE\nimport fcntl\n"
     "child = Popen(['sh', '-c', 'exec flock \"$0\" -c \"echo; sleep 0.06\"', where], "
     "stdout=PIPE)\n"
     "child.stdout.readline()\nfile = os.open(where, os.O_RDONLY)\n"
     "print(fcntl.flock(file, fcntl.LOCK_EX), child.wait())\nos.remove(name); os.rmdir(where)"},
    {"time of a socket", SOCKETS "a.settimeout(0.06)\n"
                                 "try: a.recv(1)\n"
                                 "except TimeoutError as e: print(e)"},
    {"time of a select", SOCKETS "print(select.select([a], [], [], 0.06))"},
    {"time of an epoll", SOCKETS "e = select.epoll()\ne.register(a, select.EPOLLIN)\n"
                                 "print(e.poll(0.06))"},
    {"time of a lock", "import _thread\nlock = _thread.allocate_lock()\nlock.acquire()\n"
                       "print(lock.acquire(True, 0.06))"},
    {"time of a queue", "import queue\n"
                        "try: queue.Queue().get(timeout=0.06)\n"
                        "except queue.Empty: print('empty')"},
    /* and those that do not */
    {"NEVER recv", SOCKETS "a.recv(1)"},
    {"NEVER accept", SOCKETS "s = socket.create_server(('127.0.0.1', 0))\ns.accept()"},
    {"NEVER send", SOCKETS "a.sendall(bytes(100000000))"},
    {"NEVER file of a socket", SOCKETS "a.makefile().readline()"},
    {"NEVER select", SOCKETS "select.select([a, b], [], [])"},
    {"NEVER epoll", SOCKETS "e = select.epoll()\ne.register(a, select.EPOLLIN)\ne.poll()"},
    {"NEVER read of a pipe", "import os\nr, w = os.pipe()\nopen(r).read()"},
    {"NEVER os.read", "import os\nr, w = os.pipe()\nos.read(r, 1)"},
    {"NEVER write", "import os\nr, w = os.pipe()\nf = open(w, 'wb')\nf.write(bytes(1000000))"},
    {"NEVER FIFO", FIFO "try: open(name)\nfinally: os.remove(name); os.rmdir(where)"},
    {"NEVER a child", "import subprocess\n"
                      "child = subprocess.Popen(['sleep', '1000'])\n"
                      "try: child.wait()\nfinally: child.kill()"},
    {"NEVER signal", "import signal\nsignal.pause()"},
    {"NEVER sigwait", "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])\n"
                      "signal.sigwait([signal.SIGUSR2])"},
    {"NEVER finally", SOCKETS "try: a.recv(1)\nfinally: b.recv(1)"},
    {"NEVER finally, pipe", "import os\nr, w = os.pipe()\nf = open(r)\n"
                            "try: f.read()\nfinally:\n"
                            "    try: f.read()\n    finally: os.read(r, 1)"},
};

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void tell(GenVM *vm, const char *what, GenStatus status) {
    GenRef error = status == GEN_ERROR ? gen_error_take(vm) : GEN_NULL;
    size_t size;
    printf("%s: %s%s", what,
           status == GEN_DONE     ? "done"
           : status == GEN_BUDGET ? "stopped"
                                  : "",
           error ? gen_type_name(vm, error) : "");
    if (error) printf(": %s", gen_to_str(vm, gen_to_text(vm, error), &size));
    puts("");
}

/* In slices of 20 ms; of those that wait for ever, five. */
static void run(const char *what, const char *source) {
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_ALL};
    GenVM *vm = gen_vm_new(&config);
    GenOutcome outcome;
    GenStatus status;
    GenRef task = gen_task_from_source(vm, source, "script");
    bool never = !strncmp(what, "NEVER", 5);
    uint64_t latest = 0;
    int stops = 0;
    do {
        uint64_t deadline = now() + 20000000;
        gen_task_set_budget(vm, task, GEN_BUDGET_DEADLINE, deadline);
        status = gen_run(vm, task, &outcome);
        if (now() > deadline && now() - deadline > latest) latest = now() - deadline;
    } while (status == GEN_BUDGET && ++stops < (never ? 5 : 3000));
    tell(vm, what, status);
    if (stops < 2) printf("  stopped %d times\n", stops);
    if (latest > 10000000000) printf("  too late by %.1f s\n", 1e-9 * (double)latest);
    uint64_t began = now();
    if (gen_task_kill(vm, task, 10000) && status == GEN_BUDGET)
        tell(vm, "  killed", gen_run(vm, task, &outcome));
    if (now() - began > 10000000000) puts("  killing it took too long");
    gen_vm_free(vm);
}

int main(void) {
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        run(scripts[i].what, scripts[i].source);
        fflush(stdout);
    }
    return 0;
}
