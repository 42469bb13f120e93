/* posix_child.c - child processes for the module posix: how they are started, and what becomes of
 * them.
 *
 * Between the fork and the exec no script code runs, and no memory is allocated: everything that
 * the child needs lies ready in a Child, and the child makes system calls only (it shares the
 * memory of this process until then, see vfork). What fails in it is told through a pipe that the
 * exec closes.
 *
 * A wait for a child parks its thread where there are others (vm/threads.h), by the descriptor of
 * the process. Nobody here waits for children that were not asked for, so nobody's exit status is
 * taken away.
 */
#include "stdlib/posix_child.h"
#include "stdlib/held_descriptor.h"
#include "vm/bind.h"
#include "vm/memory.h"
#include "vm/threads.h"
#include "stdlib/init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

bool posix_may_use_processes(GenVM *vm) {
    if (vm->capabilities & GEN_CAP_PROCESS) return true;
    path_refuse(vm, "this virtual machine has no access to other processes", VALUE_UNSET);
    return false;
}

const char **posix_texts(GenVM *vm, Value sequence) {
    uint64_t count;
    const Value *items = leaf_items(sequence, &count);
    if (!items) return raise_type(vm, "a list or tuple is required, not '%T'", sequence), NULL;
    const char **texts = memory_new_zeroed(vm, count + 1, sizeof *texts);
    if (!texts) return raise_memory(vm), NULL;
    for (uint64_t i = 0; i < count; i++) {
        bool fits = value_is_str(items[i]) || is_kind(items[i], TYPE_BYTES);
        if (!fits)
            raise_type(vm, "expected str, bytes or os.PathLike object, not %T", items[i]);
        else if ((texts[i] = file_path(vm, items[i])))
            continue;
        memory_free(texts);
        return NULL;
    }
    return texts;
}

/* ---- starting ---- */

typedef enum Stage { STAGE_SETUP, STAGE_CHDIR, STAGE_EXEC } Stage;

typedef struct Child {
    const char **files;       /* to be tried one after the other */
    const char **args, **env; /* env NULL: this process's */
    const char *cwd;
    int fds[3]; /* its standard streams; -1: this process's */
    int *kept;  /* what else stays open, in ascending order, with `report` among them */
    size_t kept_count;
    bool close_fds, restore_signals, new_session;
    pid_t group;      /* -1: this process's */
    int mask;         /* umask, -1: this process's */
    int64_t uid, gid; /* -1: as they are */
    gid_t *groups;    /* NULL: as they are */
    size_t group_count;
    sigset_t signals; /* those that were blocked before */
    int report;       /* where to tell what failed */
} Child;

typedef struct Report { /* what the child tells before it gives up */
    int stage, number;
} Report;

/* All of them come to have the system's handling, but for those that are ignored. */
static void reset_signals(const Child *child) {
    struct sigaction action;
    for (int i = 1; i < NSIG; i++) {
        if (sigaction(i, NULL, &action) != 0 || action.sa_handler == SIG_DFL) continue;
        bool restored = child->restore_signals && (i == SIGPIPE || i == SIGXFSZ);
        if (action.sa_handler == SIG_IGN && !restored) continue;
        action = (struct sigaction){.sa_handler = SIG_DFL};
        sigaction(i, &action, NULL);
    }
    sigprocmask(SIG_SETMASK, &child->signals, NULL);
}

/* A copy of the descriptor that is above the standard streams. */
static int lift(int fd) {
    return fd >= 0 && fd <= 2 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : fd;
}

static bool keep_open(int fd) {
    int flags = fcntl(fd, F_GETFD);
    return flags >= 0 && (!(flags & FD_CLOEXEC) || fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC) == 0);
}

static bool set_streams(const Child *child) {
    int fds[3];
    for (int i = 0; i < 3; i++) {
        bool stays = child->fds[i] == i; /* and no other may fall on it before it is used */
        fds[i] = stays ? i : lift(child->fds[i]);
        if (child->fds[i] >= 0 && fds[i] < 0) return false;
    }
    for (int i = 0; i < 3; i++) {
        if (fds[i] < 0) continue;
        if (fds[i] == i ? !keep_open(i) : dup2(fds[i], i) < 0) return false;
    }
    return true;
}

static void close_between(unsigned first, unsigned last) {
    if (first > last || syscall(SYS_close_range, first, last, 0) == 0) return;
    long most = sysconf(_SC_OPEN_MAX);
    if (most < 0) most = 65536;
    for (unsigned fd = first; fd <= last && fd < (unsigned long)most; fd++)
        close((int)fd);
}

static void close_others(const Child *child) {
    unsigned from = 3;
    for (size_t i = 0; i < child->kept_count; i++) {
        if (child->kept[i] < 3) continue;
        close_between(from, (unsigned)child->kept[i] - 1);
        from = (unsigned)child->kept[i] + 1;
    }
    close_between(from, UINT_MAX);
}

static bool set_identity(const Child *child) {
    if (child->mask >= 0) umask((mode_t)child->mask);
    if (child->new_session) setsid(); /* fails where it leads one already */
    if (child->group >= 0 && setpgid(0, child->group) != 0) return false;
    if (child->groups && setgroups(child->group_count, child->groups) != 0) return false;
    if (child->gid >= 0 && setregid((gid_t)child->gid, (gid_t)child->gid) != 0) return false;
    return child->uid < 0 || setreuid((uid_t)child->uid, (uid_t)child->uid) == 0;
}

/* The first file that can be executed is it; else errno is that of the first which is there. */
static void execute(const Child *child) {
    int number = 0;
    char *const *args = (char *const *)(uintptr_t)child->args;
    char *const *env = child->env ? (char *const *)(uintptr_t)child->env : environ;
    for (const char **file = child->files; *file; file++) {
        execve(*file, args, env);
        if (errno != ENOENT && errno != ENOTDIR && !number) number = errno;
    }
    if (number) errno = number;
}

static Stage prepare(const Child *child) {
    for (size_t i = 0; i < child->kept_count; i++)
        if (child->kept[i] != child->report && !keep_open(child->kept[i])) return STAGE_SETUP;
    if (!set_streams(child)) return STAGE_SETUP;
    if (child->cwd && chdir(child->cwd) != 0) return STAGE_CHDIR;
    if (!set_identity(child)) return STAGE_SETUP;
    if (child->close_fds) close_others(child);
    return STAGE_EXEC;
}

static _Noreturn void become(const Child *child) {
    reset_signals(child);
    Report report = {.stage = prepare(child)};
    if (report.stage == STAGE_EXEC) execute(child);
    report.number = errno;
    ssize_t told = write(child->report, &report, sizeof report);
    (void)told;
    _exit(255);
}

/* Where the child takes another identity, it needs memory of its own: the C library would tell all
 * threads of the process that it shares. */
__attribute__((noinline)) static pid_t start_child(const Child *child) {
    bool alone = child->uid >= 0 || child->gid >= 0 || child->groups;
    pid_t pid = alone ? fork() : vfork();
    if (pid == 0) become(child);
    return pid;
}

/* The process, or -1 with errno. No handler of a signal runs in the child. */
static pid_t start_quietly(Child *child) {
    sigset_t all;
    sigfillset(&all);
    if (!child->env) posix_lock_environment();
    pthread_sigmask(SIG_BLOCK, &all, &child->signals);
    pid_t pid = start_child(child);
    int number = errno;
    pthread_sigmask(SIG_SETMASK, &child->signals, NULL);
    if (!child->env) posix_unlock_environment();
    errno = number;
    return pid;
}

/* (pid, None, None), or (pid, errno, stage) of a child that has failed and is waited for. */
static Value outcome(GenVM *vm, pid_t pid, int fd) {
    Report report;
    ssize_t got;
    while ((got = read(fd, &report, sizeof report)) < 0 && errno == EINTR) {
    }
    if (got != sizeof report) return tuple_pack(vm, 3, int_value(pid), VALUE_NONE, VALUE_NONE);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return tuple_pack(vm, 3, int_value(pid), int_value(report.number), int_value(report.stage));
}

static int by_number(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

/* Opens the pipe of the report. False with an exception pending. */
static bool open_report(GenVM *vm, Child *child, int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) != 0) return posix_raise(vm, VALUE_UNSET), false;
    int lifted = lift(ends[1]);
    if (lifted != ends[1]) close(ends[1]);
    if (lifted < 0) {
        close(ends[0]);
        return posix_raise(vm, VALUE_UNSET), false;
    }
    child->report = child->kept[child->kept_count++] = ends[1] = lifted;
    qsort(child->kept, child->kept_count, sizeof *child->kept, by_number);
    return true;
}

static Value start_and_report(GenVM *vm, Child *child) {
    int ends[2];
    if (!open_report(vm, child, ends)) return VALUE_ERROR;
    file_sync(vm, true);
    pid_t pid = start_quietly(child);
    int number = errno;
    close(ends[1]);
    Value result = pid < 0 ? raise_os_error(vm, number, VALUE_UNSET) : outcome(vm, pid, ends[0]);
    close(ends[0]);
    return result;
}

/* The ints of a tuple or list of `least` at least, with room for one more. NULL with an exception
 * pending. */
static int *numbers_of(GenVM *vm, Value sequence, size_t least, size_t *count) {
    uint64_t size;
    const Value *items = leaf_items(sequence, &size);
    if (!items || size < least) return raise_type(vm, "a tuple of ints is required"), NULL;
    int *numbers = memory_new_zeroed(vm, size + 1, sizeof *numbers);
    if (!numbers) return raise_memory(vm), NULL;
    for (uint64_t i = 0; i < size; i++)
        numbers[i] = (int)as_int(items[i]);
    *count = size;
    return numbers;
}

static bool fill_child(GenVM *vm, Child *child, Value *args) {
    size_t none;
    if (!(child->args = posix_texts(vm, args[0])) || !(child->files = posix_texts(vm, args[1])))
        return false;
    if (args[2] != VALUE_NONE && !(child->env = posix_texts(vm, args[2]))) return false;
    if (args[3] != VALUE_NONE && !(child->cwd = file_path(vm, args[3]))) return false;
    int *fds = numbers_of(vm, args[4], 3, &none);
    for (int i = 0; fds && i < 3; i++)
        child->fds[i] = fds[i];
    memory_free(fds);
    if (!fds || !(child->kept = numbers_of(vm, args[5], 0, &child->kept_count))) return false;
    child->close_fds = args[6] == VALUE_TRUE;
    child->restore_signals = args[7] == VALUE_TRUE;
    child->new_session = args[8] == VALUE_TRUE;
    child->group = (pid_t)as_int(args[9]);
    child->mask = (int)as_int(args[10]);
    child->uid = as_int(args[11]);
    child->gid = as_int(args[12]);
    if (args[13] == VALUE_NONE) return true;
    return (child->groups = (gid_t *)numbers_of(vm, args[13], 0, &child->group_count)) != NULL;
}
_Static_assert(sizeof(gid_t) == sizeof(int), "groups are read as ints");

/* _fork_exec(args, files, env or None, cwd or None, (stdin, stdout, stderr), pass_fds, close_fds,
 * restore_signals, new session, group, umask, user, group, groups or None) -> outcome */
static Value fork_exec(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    Child child = {0};
    Value result = fill_child(vm, &child, args) ? start_and_report(vm, &child) : VALUE_ERROR;
    memory_free(child.args);
    memory_free(child.files);
    memory_free(child.env);
    memory_free(child.kept);
    memory_free(child.groups);
    return result;
}

bool posix_program(GenVM *vm, const Value *args, PosixProgram *program) {
    *program = (PosixProgram){.path = file_path(vm, args[0])};
    if (!program->path) return false;
    program->args = (char **)(uintptr_t)posix_texts(vm, args[1]);
    if (!program->args) return false;
    if (args[2] == VALUE_NONE) return true;
    program->env = (char **)(uintptr_t)posix_texts(vm, args[2]);
    if (!program->env) posix_program_free(program);
    return program->env != NULL;
}

void posix_program_free(PosixProgram *program) {
    memory_free(program->args);
    memory_free(program->env);
}

/* _exec(path, args, env or None, does an error name the path): this process becomes another. Only
 * an error returns. */
static Value exec_file(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    PosixProgram program;
    if (!posix_program(vm, args, &program)) return VALUE_ERROR;
    file_sync(vm, true);
    execve(program.path, program.args, program.env ? program.env : environ);
    int number = errno;
    posix_program_free(&program);
    return raise_os_error(vm, number, args[3] == VALUE_TRUE ? args[0] : VALUE_UNSET);
}

/* ---- waiting ---- */

enum { NAP = 5000000 }; /* nanoseconds between two looks where there is no descriptor */

static int open_pidfd(pid_t pid) {
    return pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

/* Parks the thread until the child has ended or, where the system cannot tell that by a descriptor
 * (pid <= 0: one of several), for a while. `until`: when the wait is over. */
static Value park_for(GenVM *vm, pid_t pid, uint64_t until) {
    int fd = vm->resumed ? held_descriptor(vm) : open_pidfd(pid);
    if (!vm->resumed && fd >= 0 && !held_descriptor_keep(vm, fd)) return VALUE_ERROR;
    if (fd >= 0) return threads_park(vm, until, fd, POLLIN);
    uint64_t nap = threads_now() + NAP;
    return threads_park(vm, nap < until ? nap : until, -1, 0);
}

/* What waits was interrupted: VALUE_NONE: go on; else the native returns that. A handler in script
 * code runs before the call is made again, with these arguments. */
static Value interrupted(GenVM *vm, Value args) {
    if (!vm->interrupted || !threads_is_main(vm)) return VALUE_NONE;
    if (!vm_interrupt_waits(vm)) return vm_poll_native(vm) ? VALUE_NONE : VALUE_ERROR;
    return args == VALUE_ERROR
               ? VALUE_ERROR
               : native_twin(vm, TWIN_CALL_AGAIN, 2, object_value(vm->callee), args);
}

typedef struct Wait {
    idtype_t type; /* for waitid alone */
    pid_t pid;
    int options, status;
    siginfo_t info;
    struct rusage usage;
} Wait;
typedef pid_t WaitCall(Wait *wait, int options);

static pid_t call_wait4(Wait *wait, int options) {
    return wait4(wait->pid, &wait->status, options, &wait->usage);
}
static pid_t call_waitid(Wait *wait, int options) {
    memset(&wait->info, 0, sizeof wait->info);
    int failed = waitid(wait->type, (id_t)wait->pid, &wait->info, options);
    return failed ? -1 : wait->info.si_pid;
}

/* Does the wait ask for nothing but the end of one child. */
static bool is_for_end(const Wait *wait, WaitCall *call) {
    if (call == call_waitid) return wait->type == P_PID && wait->options == WEXITED;
    return wait->pid > 0 && !(wait->options & (WUNTRACED | WCONTINUED));
}

/* Blocks until the child has ended, a signal or an interrupt comes, or the time is over. */
static void block_for(GenVM *vm, pid_t pid, uint64_t until) {
    uint64_t now = threads_now(), left = until > now ? until - now : 0;
    int fd = open_pidfd(pid);
    if (fd < 0 && left > NAP) left = NAP;
    thread_wait_one(vm, fd, POLLIN, left > INT64_MAX ? -1 : (int64_t)left);
    if (fd >= 0) close(fd);
}

/* Waits; VALUE_NONE when wait->pid is the child's, or 0: none yet. Else the native returns it. */
static Value wait_for(GenVM *vm, WaitCall *call, Wait *wait, Value *args, int count) {
    bool waits = !(wait->options & WNOHANG), ends = is_for_end(wait, call);
    bool parks = waits && (vm->resumed || threads_should_park(vm));
    for (;;) {
        if (waits && vm->interrupted) {
            Value v = interrupted(vm, tuple_from_array(vm, args, (uint64_t)count));
            if (v != VALUE_NONE) return v;
        }
        pid_t got = call(wait, parks || ends ? wait->options | WNOHANG : wait->options);
        if (got > 0 || (got == 0 && !waits)) return wait->pid = got, VALUE_NONE;
        if (got < 0 && errno != EINTR) return posix_raise(vm, VALUE_UNSET);
        if (got < 0) continue;
        if (parks) return park_for(vm, ends ? wait->pid : 0, THREAD_FOR_EVER);
        block_for(vm, wait->pid, THREAD_FOR_EVER);
    }
}

static Value pair(GenVM *vm, const Wait *wait) {
    return tuple_pack(vm, 2, int_value(wait->pid), int_value(wait->pid ? wait->status : 0));
}

static Value posix_waitpid(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    Wait wait = {.pid = (pid_t)as_int(args[0]), .options = (int)as_int(args[1])};
    Value v = wait_for(vm, call_wait4, &wait, args, 2);
    return v == VALUE_NONE ? pair(vm, &wait) : v;
}

static Value posix_wait(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    Wait wait = {.pid = -1};
    Value v = wait_for(vm, call_wait4, &wait, args, 0);
    return v == VALUE_NONE ? pair(vm, &wait) : v;
}

Value posix_usage(GenVM *vm, const struct rusage *usage) {
    double user = (double)usage->ru_utime.tv_sec + 1e-6 * (double)usage->ru_utime.tv_usec;
    double system = (double)usage->ru_stime.tv_sec + 1e-6 * (double)usage->ru_stime.tv_usec;
    const long rest[] = {usage->ru_maxrss,  usage->ru_ixrss,  usage->ru_idrss,  usage->ru_isrss,
                         usage->ru_minflt,  usage->ru_majflt, usage->ru_nswap,  usage->ru_inblock,
                         usage->ru_oublock, usage->ru_msgsnd, usage->ru_msgrcv, usage->ru_nsignals,
                         usage->ru_nvcsw,   usage->ru_nivcsw};
    enum { COUNT = sizeof rest / sizeof *rest };
    Value fields[2 + COUNT] = {float_value(vm, user), float_value(vm, system)};
    for (int i = 0; i < COUNT; i++)
        fields[2 + i] = int_value(rest[i]);
    return tuple_from_array(vm, fields, 2 + COUNT);
}

/* _wait4(pid, options) -> (pid, status, usage) */
static Value posix_wait4(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    Wait wait = {.pid = (pid_t)as_int(args[0]), .options = (int)as_int(args[1])};
    Value v = wait_for(vm, call_wait4, &wait, args, 2);
    if (v != VALUE_NONE) return v;
    return tuple_pack(vm, 3, int_value(wait.pid), int_value(wait.pid ? wait.status : 0),
                      posix_usage(vm, &wait.usage));
}

/* _waitid(idtype, id, options) -> (pid, uid, signal, status, code), or None */
static Value posix_waitid(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    Wait wait = {.type = (idtype_t)as_int(args[0]),
                 .pid = (pid_t)as_int(args[1]),
                 .options = (int)as_int(args[2])};
    Value v = wait_for(vm, call_waitid, &wait, args, 3);
    if (v != VALUE_NONE || !wait.pid) return v;
    const siginfo_t *info = &wait.info;
    return tuple_pack(vm, 5, int_value(info->si_pid), int_value(info->si_uid),
                      int_value(info->si_signo), int_value(info->si_status),
                      int_value(info->si_code));
}

/* Has the child ended, or is there none: then waitpid says so. */
static bool is_over(pid_t pid) {
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) != 0 || info.si_pid;
}

static Value call_again_for(GenVM *vm, Value *args, uint64_t until) {
    uint64_t now = threads_now();
    double left = until > now ? (double)(until - now) * 1e-9 : 0;
    return interrupted(vm, tuple_pack(vm, 2, args[0], float_value(vm, left)));
}

/* _wait_end(pid, seconds): waits at most so long; True when there is something for waitpid. */
static Value wait_end(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    pid_t pid = (pid_t)as_int(args[0]);
    double seconds = fmin(fmax(value_float(args[1]), 0), 9e9);
    uint64_t until = threads_now() + (uint64_t)(seconds * 1e9);
    if (vm->resumed) until = (uint64_t)threads_current(vm)->progress;
    for (;;) {
        if (is_over(pid)) return VALUE_TRUE;
        if (threads_now() >= until) return VALUE_FALSE;
        if (vm->interrupted) {
            Value v = call_again_for(vm, args, until);
            if (v != VALUE_NONE) return v;
        }
        if (vm->resumed || threads_should_park(vm)) {
            threads_current(vm)->progress = (int64_t)until;
            return park_for(vm, pid, until);
        }
        block_for(vm, pid, until);
    }
}

/* system(3), which blocks; where there are threads, os.gen does it by other means. */
static Value posix_system(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    const char *command = file_path(vm, args[0]);
    if (!command) return VALUE_ERROR;
    file_sync(vm, true);
    int status = system(command);
    return status == -1 ? posix_raise(vm, VALUE_UNSET) : int_value(status);
}

/* What communicate() waits by: the module _socket is another capability's. */
static Value poll_ends(GenVM *vm, Value *args) {
    return posix_may_use_processes(vm) ? socket_poll_many(vm, args) : VALUE_ERROR;
}

static Value set_pipe_size(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    int status = fcntl((int)as_int(args[0]), F_SETPIPE_SZ, (int)as_int(args[1]));
    return status < 0 ? posix_raise(vm, VALUE_UNSET) : VALUE_NONE;
}

static Value pidfd(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)as_int(args[0]), (int)as_int(args[1]));
    if (fd < 0) return posix_raise(vm, VALUE_UNSET);
    path_own(vm, fd);
    return int_value(fd);
}

/* ---- what a status says ---- */

#define STATUS_TEST(name)                                                                          \
    static Value status_##name(GenVM *vm, Value *args) {                                           \
        int status = (int)as_int(args[0]);                                                         \
        return (void)vm, bool_value(name(status));                                                 \
    }
STATUS_TEST(WIFEXITED)
STATUS_TEST(WIFSIGNALED)
STATUS_TEST(WIFSTOPPED)
STATUS_TEST(WIFCONTINUED)
STATUS_TEST(WCOREDUMP)
#define STATUS_PART(name)                                                                          \
    static Value status_##name(GenVM *vm, Value *args) {                                           \
        int status = (int)as_int(args[0]);                                                         \
        return (void)vm, int_value(name(status));                                                  \
    }
STATUS_PART(WEXITSTATUS)
STATUS_PART(WTERMSIG)
STATUS_PART(WSTOPSIG)

static Value exit_code(GenVM *vm, Value *args) {
    int status = (int)as_int(args[0]);
    if (WIFEXITED(status)) return int_value(WEXITSTATUS(status));
    if (WIFSIGNALED(status)) return int_value(-WTERMSIG(status));
    if (WIFSTOPPED(status))
        return raise_value(vm, "process stopped by delivery of signal %d", WSTOPSIG(status));
    return raise_value(vm, "invalid wait status: %d", status);
}

/* ---- groups and sessions ---- */

/* What a call returned that tells by -1 that it failed; `nothing`: it has no other result. */
static Value number_or_error(GenVM *vm, int64_t number, bool nothing) {
    if (number < 0) return posix_raise(vm, VALUE_UNSET);
    return nothing ? VALUE_NONE : int_value(number);
}
#define GROUP_CALL(name, call, nothing)                                                            \
    static Value posix_##name(GenVM *vm, Value *args) {                                            \
        (void)args;                                                                                \
        if (!posix_may_use_processes(vm)) return VALUE_ERROR;                                      \
        return number_or_error(vm, call, nothing);                                                 \
    }
GROUP_CALL(getpgid, getpgid((pid_t)as_int(args[0])), false)
GROUP_CALL(getpgrp, getpgrp(), false)
GROUP_CALL(setpgid, setpgid((pid_t)as_int(args[0]), (pid_t)as_int(args[1])), true)
GROUP_CALL(setpgrp, setpgid(0, 0), true)
GROUP_CALL(getsid, getsid((pid_t)as_int(args[0])), false)
GROUP_CALL(setsid, setsid(), true)
GROUP_CALL(tcgetpgrp, tcgetpgrp((int)as_int(args[0])), false)
GROUP_CALL(tcsetpgrp, tcsetpgrp((int)as_int(args[0]), (pid_t)as_int(args[1])), true)

const NativeDef posix_child_functions[] = {
    {"_fork_exec(args: list, files: list, env: list | None, cwd: str | bytes | None, fds: tuple, "
     "kept: list, close_fds: bool, restore_signals: bool, session: bool, group: index, umask: "
     "index, user: index, group_id: index, groups: list | None, /)",
     fork_exec, NULL},
    {"_exec(path: str | bytes, args: list, env: list | None, named: bool, /)", exec_file, NULL},
    {"_wait_end(pid: size, seconds: float, /)", wait_end, NULL},
    {"_wait4(pid: size, options: size, /)", posix_wait4, NULL},
    {"_waitid(idtype: size, id: size, options: size, /)", posix_waitid, NULL},
    {"_poll(entries: list, timeout: float | None, /)", poll_ends, NULL},
    {"_set_pipe_size(fd: size, size: size, /)", set_pipe_size, NULL},
    {"_system(command, /)", posix_system, NULL},
    {"waitpid(pid: size, options: size, /)", posix_waitpid,
     "Wait for completion of a given child process; (its pid, its status)."},
    {"wait()", posix_wait, "Wait for completion of a child process; (its pid, its status)."},
    {"waitstatus_to_exitcode(status: size)", exit_code,
     "Convert a wait status to an exit code: negative for a process ended by a signal."},
    {"pidfd_open(pid: size, flags: size = 0)", pidfd,
     "Return a file descriptor referring to the process *pid*."},
    {"WIFEXITED(status: size)", status_WIFEXITED, "Has the process exited by itself."},
    {"WIFSIGNALED(status: size)", status_WIFSIGNALED, "Was the process ended by a signal."},
    {"WIFSTOPPED(status: size)", status_WIFSTOPPED, "Was the process stopped."},
    {"WIFCONTINUED(status: size)", status_WIFCONTINUED, "Does a stopped process go on."},
    {"WCOREDUMP(status: size, /)", status_WCOREDUMP, "Was the process's memory dumped."},
    {"WEXITSTATUS(status: size)", status_WEXITSTATUS, "The exit status of the process."},
    {"WTERMSIG(status: size)", status_WTERMSIG, "The signal that ended the process."},
    {"WSTOPSIG(status: size)", status_WSTOPSIG, "The signal that stopped the process."},
    {"getpgid(pid: size)", posix_getpgid, "The process group of a process."},
    {"getpgrp()", posix_getpgrp, "The process group of this process."},
    {"setpgid(pid: size, pgrp: size, /)", posix_setpgid, "Put a process into a process group."},
    {"setpgrp()", posix_setpgrp, "Make this process the leader of a process group."},
    {"getsid(pid: size, /)", posix_getsid, "The session of a process."},
    {"setsid()", posix_setsid, "Make this process the leader of a session."},
    {"tcgetpgrp(fd: size, /)", posix_tcgetpgrp, "The foreground process group of a terminal."},
    {"tcsetpgrp(fd: size, pgid: size, /)", posix_tcsetpgrp,
     "Set the foreground process group of a terminal."},
    {NULL, NULL, NULL},
};
