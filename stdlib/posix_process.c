/* posix_process.c - the rest of the module posix: descriptors, the environment, the process; and
 * the module errno.
 *
 * The environment that a script sees is a copy made when the module is; putenv and unsetenv change
 * the process's.
 */
#include "stdlib/posix_child.h"
#include "vm/bind.h"
#include "vm/paths.h"
#include "vm/offload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <sysexits.h>
#include <unistd.h>

extern char **environ;

static bool set(GenVM *vm, Dict *dict, const char *name, Value v) {
    Value key = str_intern_from(vm, name, strlen(name));
    return v != VALUE_ERROR && key != VALUE_ERROR && dict_set_str(vm, dict, key, v);
}

/* ---- descriptors ---- */

bool posix_may_use_descriptor(GenVM *vm, int64_t fd) {
    if (fd >= 0 && fd <= 2 && vm->capabilities & GEN_CAP_STDIO) return true;
    if (path_has_opened(vm, fd)) return true;
    return posix_may_use_files(vm, int_value(fd)) && path_check_descriptor(vm, fd);
}

static Value open_at(GenVM *vm, Value *args, const char *path) {
    int fd;
    int flags = (int)as_int(args[1]) | O_CLOEXEC;
    if (!path_check(vm, path, flags & (O_ACCMODE | O_CREAT | O_TRUNC) ? PATH_WRITE : PATH_READ,
                    false, args[0]))
        return VALUE_ERROR;
    while ((fd = file_open_waiting(vm, path, flags, (mode_t)as_int(args[2]))) < 0)
        if (fd == FILE_PARKED)
            return VALUE_ERROR;
        else if (errno != EINTR)
            return posix_raise(vm, args[0]);
        else if (!posix_interrupted(vm))
            return VALUE_ERROR;
    return int_value(fd);
}

static Value posix_open(GenVM *vm, Value *args) {
    Value unfit;
    const char *path = posix_path(vm, args, 4, 0, "open: path", " or os.PathLike", &unfit);
    if (!path) return unfit;
    char *joined = NULL;
    path = posix_below(vm, args[3], path, args[0], &joined);
    Value result = path ? open_at(vm, args, path) : VALUE_ERROR;
    posix_forget(joined);
    return result;
}

static Value posix_close(GenVM *vm, Value *args) {
    if (!posix_may_use_descriptor(vm, as_int(args[0]))) return VALUE_ERROR;
    path_disown(vm, (int)as_int(args[0]));
    return close((int)as_int(args[0])) == 0 || errno == EINTR ? VALUE_NONE
                                                              : posix_raise(vm, VALUE_UNSET);
}

/* Reads where the descriptor stands, or at `offset` when that is not negative. */
static Value read_at(GenVM *vm, Value *args, off_t offset) {
    int64_t size = as_int(args[1]);
    int fd = (int)as_int(args[0]);
    if (size < 0) return errno = EINVAL, posix_raise(vm, VALUE_UNSET);
    if (!posix_may_use_descriptor(vm, as_int(args[0])) || !gc_check_size(vm, (uint64_t)size))
        return VALUE_ERROR;
    if (!file_fetch(vm, fd, offset, (size_t)size)) return VALUE_ERROR;
    if (size && offset < 0 && !file_wait_ready(vm, fd, POLLIN)) return VALUE_ERROR;
    Value bytes = bytes_new(vm, NULL, (size_t)size);
    if (bytes == VALUE_ERROR) return bytes;
    uint8_t nothing, *data = size ? (uint8_t *)AS(Bytes, bytes)->data : &nothing;
    ssize_t got;
    while ((got = offset < 0 ? read(fd, data, (size_t)size)
                             : pread(fd, data, (size_t)size, offset)) < 0)
        if (errno != EINTR)
            return posix_raise(vm, VALUE_UNSET);
        else if (!posix_interrupted(vm))
            return VALUE_ERROR;
    return got == size ? bytes : bytes_new(vm, AS(Bytes, bytes)->data, (size_t)got);
}

static Value posix_read(GenVM *vm, Value *args) {
    return read_at(vm, args, -1);
}

/* The offset of pread and pwrite; a negative one is EINVAL. */
static bool take_offset(GenVM *vm, Value v) {
    if (as_int(v) >= 0) return true;
    errno = EINVAL;
    posix_raise(vm, VALUE_UNSET);
    return false;
}

static Value posix_pread(GenVM *vm, Value *args) {
    return take_offset(vm, args[2]) ? read_at(vm, args, as_int(args[2])) : VALUE_ERROR;
}

static Value write_at(GenVM *vm, Value *args, off_t offset) {
    int fd = (int)as_int(args[0]);
    const uint8_t *data;
    size_t size;
    if (!bytes_view(vm, args[1], &data, &size))
        return raise_type(vm, "a bytes-like object is required, not '%T'", args[1]);
    if (!posix_may_use_descriptor(vm, as_int(args[0]))) return VALUE_ERROR;
    if (!vm->resumed) budget_output(vm, size);
    if (vm->resumed || (threads_should_park(vm) && offset < 0 && file_is_blocking_pipe(fd)))
        return file_write_waiting(vm, fd, data, size) ? int_value((int64_t)size) : VALUE_ERROR;
    ssize_t done;
    while ((done = offset < 0 ? write(fd, data, size) : pwrite(fd, data, size, offset)) < 0)
        if (errno != EINTR)
            return posix_raise(vm, VALUE_UNSET);
        else if (!posix_interrupted(vm))
            return VALUE_ERROR;
    return int_value(done);
}

static Value posix_write(GenVM *vm, Value *args) {
    return write_at(vm, args, -1);
}

static Value posix_pwrite(GenVM *vm, Value *args) {
    return take_offset(vm, args[2]) ? write_at(vm, args, as_int(args[2])) : VALUE_ERROR;
}

static Value posix_lseek(GenVM *vm, Value *args) {
    if (!posix_may_use_descriptor(vm, as_int(args[0]))) return VALUE_ERROR;
    off_t at = lseek((int)as_int(args[0]), as_int(args[1]), (int)as_int(args[2]));
    return at < 0 ? posix_raise(vm, VALUE_UNSET) : int_value(at);
}

static Value posix_dup(GenVM *vm, Value *args) {
    if (!posix_may_use_descriptor(vm, as_int(args[0]))) return VALUE_ERROR;
    int fd = fcntl((int)as_int(args[0]), F_DUPFD_CLOEXEC, 0);
    path_own(vm, fd);
    return fd < 0 ? posix_raise(vm, VALUE_UNSET) : int_value(fd);
}

static Value posix_dup2(GenVM *vm, Value *args) {
    if (!posix_may_use_descriptor(vm, as_int(args[0])) ||
        !posix_may_use_descriptor(vm, as_int(args[1])))
        return VALUE_ERROR;
    int from = (int)as_int(args[0]), to = (int)as_int(args[1]);
    int fd = args[2] == VALUE_TRUE || from == to ? dup2(from, to) : dup3(from, to, O_CLOEXEC);
    return fd < 0 ? posix_raise(vm, VALUE_UNSET) : int_value(fd);
}

static Value posix_set_inheritable(GenVM *vm, Value *args) {
    int fd = (int)as_int(args[0]), flags = fcntl(fd, F_GETFD);
    if (!posix_may_use_descriptor(vm, fd)) return VALUE_ERROR;
    int wanted = args[1] == VALUE_TRUE ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC;
    bool ok = flags >= 0 && fcntl(fd, F_SETFD, wanted) == 0;
    return ok ? VALUE_NONE : posix_raise(vm, VALUE_UNSET);
}

static Value posix_get_inheritable(GenVM *vm, Value *args) {
    int flags = fcntl((int)as_int(args[0]), F_GETFD);
    if (!posix_may_use_descriptor(vm, as_int(args[0]))) return VALUE_ERROR;
    return flags < 0 ? posix_raise(vm, VALUE_UNSET) : bool_value(!(flags & FD_CLOEXEC));
}

/* ---- what waits for disks ---- */

typedef struct SyncJob {
    Job job;
    int fd; /* -1: everything */
    int (*call)(int fd);
    int status, number;
} SyncJob;

static void run_sync(Job *job) {
    SyncJob *sync_job = (SyncJob *)job;
    if (sync_job->call)
        sync_job->status = sync_job->call(sync_job->fd);
    else
        sync();
    sync_job->number = errno;
}

/* fsync or fdatasync of the descriptor; without a call, sync(). */
static Value sync_by(GenVM *vm, int fd, int (*call)(int fd)) {
    SyncJob alone = {.fd = fd, .call = call}, *job = &alone;
    if (offload_is_under_way(vm)) {
        if (!(job = offload_finish(vm))) return VALUE_ERROR;
    } else if (threads_should_park(vm)) {
        if (!(job = offload_new(vm, sizeof *job, run_sync, NULL))) return VALUE_ERROR;
        job->fd = fd;
        job->call = call;
        job->job.brief = true;
        return offload_start(vm, &job->job, VALUE_UNSET);
    } else {
        run_sync(&alone.job);
    }
    errno = job->number;
    return job->status == 0 ? VALUE_NONE : posix_raise(vm, VALUE_UNSET);
}

static Value posix_fsync(GenVM *vm, Value *args) {
    return posix_may_use_descriptor(vm, as_int(args[0])) ? sync_by(vm, (int)as_int(args[0]), fsync)
                                                         : VALUE_ERROR;
}
static Value posix_fdatasync(GenVM *vm, Value *args) {
    return posix_may_use_descriptor(vm, as_int(args[0]))
               ? sync_by(vm, (int)as_int(args[0]), fdatasync)
               : VALUE_ERROR;
}
static Value posix_sync(GenVM *vm, Value *args) {
    (void)args;
    return posix_may_use_files(vm, VALUE_NONE) ? sync_by(vm, -1, NULL) : VALUE_ERROR;
}

static Value posix_ftruncate(GenVM *vm, Value *args) {
    if (!posix_may_use_descriptor(vm, as_int(args[0]))) return VALUE_ERROR;
    return ftruncate((int)as_int(args[0]), as_int(args[1])) == 0 ? VALUE_NONE
                                                                 : posix_raise(vm, VALUE_UNSET);
}

static Value posix_isatty(GenVM *vm, Value *args) {
    int64_t fd = as_int(args[0]);
    return bool_value(vm->capabilities & (GEN_CAP_FILES | GEN_CAP_STDIO) && isatty((int)fd));
}

static Value posix_terminal_size(GenVM *vm, Value *args) {
    struct winsize size;
    if (!posix_may_use_descriptor(vm, as_int(args[0]))) return VALUE_ERROR;
    if (ioctl((int)as_int(args[0]), TIOCGWINSZ, &size) != 0) return posix_raise(vm, VALUE_UNSET);
    return tuple_pack(vm, 2, int_value(size.ws_col), int_value(size.ws_row));
}

/* ---- environment and process ---- */

bool posix_may_see_process(GenVM *vm) {
    if (vm->capabilities & GEN_CAP_ENV) return true;
    Value text = str_from(vm, "this virtual machine has no access to its process");
    Value args = text == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 2, int_value(EPERM), text);
    if (args != VALUE_ERROR) raise_with_args(vm, EXC_PERMISSION_ERROR, args);
    return false;
}

static pthread_mutex_t environment_lock = PTHREAD_MUTEX_INITIALIZER;

void posix_lock_environment(void) {
    pthread_mutex_lock(&environment_lock);
}
void posix_unlock_environment(void) {
    pthread_mutex_unlock(&environment_lock);
}

static bool add_variable(GenVM *vm, Dict *dict, const char *entry) {
    const char *equals = strchr(entry + (*entry == '='), '=');
    if (!equals) return true;
    Value name = str_decode_utf8(vm, entry, (size_t)(equals - entry), "surrogateescape");
    Value value = file_path_text(vm, equals + 1);
    if (name == VALUE_ERROR || value == VALUE_ERROR) return false;
    return dict_get_str(vm, dict, name) != VALUE_UNSET || dict_set_str(vm, dict, name, value);
}

/* A dict of str; empty for a VM that may not see it. */
static Value posix_environ(GenVM *vm, Value *args) {
    (void)args;
    Value dict = dict_new(vm);
    if (dict == VALUE_ERROR || !(vm->capabilities & GEN_CAP_ENV)) return dict;
    bool ok = true;
    posix_lock_environment();
    for (char **entry = environ; ok && entry && *entry; entry++)
        ok = add_variable(vm, AS_DICT(dict), *entry);
    posix_unlock_environment();
    return ok ? dict : VALUE_ERROR;
}

/* A NULL value takes the variable away. */
static Value change_variable(GenVM *vm, const char *name, const char *value) {
    posix_lock_environment();
    int status = value ? setenv(name, value, 1) : unsetenv(name), code = errno;
    posix_unlock_environment();
    errno = code;
    return status == 0 ? VALUE_NONE : posix_raise(vm, VALUE_UNSET);
}

static Value posix_putenv(GenVM *vm, Value *args) {
    const char *name = file_path(vm, args[0]), *value = name ? file_path(vm, args[1]) : NULL;
    if (!value || !posix_may_see_process(vm)) return VALUE_ERROR;
    if (!*name || strchr(name, '=')) return raise_value(vm, "illegal environment variable name");
    return change_variable(vm, name, value);
}

static Value posix_unsetenv(GenVM *vm, Value *args) {
    const char *name = file_path(vm, args[0]);
    if (!name || !posix_may_see_process(vm)) return VALUE_ERROR;
    return change_variable(vm, name, NULL);
}

#define PROCESS_NUMBER(name)                                                                       \
    static Value posix_##name(GenVM *vm, Value *args) {                                            \
        (void)args;                                                                                \
        return posix_may_see_process(vm) ? int_value((int64_t)name()) : VALUE_ERROR;               \
    }
PROCESS_NUMBER(getpid)
PROCESS_NUMBER(getppid)
PROCESS_NUMBER(getuid)
PROCESS_NUMBER(geteuid)
PROCESS_NUMBER(getgid)
PROCESS_NUMBER(getegid)

static Value posix_umask(GenVM *vm, Value *args) {
    return posix_may_see_process(vm) ? int_value((int64_t)umask((mode_t)as_int(args[0])))
                                     : VALUE_ERROR;
}

static Value posix_uname(GenVM *vm, Value *args) {
    (void)args;
    struct utsname names;
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    if (uname(&names) != 0) return posix_raise(vm, VALUE_UNSET);
    return tuple_pack(vm, 5, str_from(vm, names.sysname), str_from(vm, names.nodename),
                      str_from(vm, names.release), str_from(vm, names.version),
                      str_from(vm, names.machine));
}

static Value posix_times(GenVM *vm, Value *args) {
    (void)args;
    struct tms spent;
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    double ticks = (double)sysconf(_SC_CLK_TCK);
    clock_t elapsed = times(&spent);
    return tuple_pack(vm, 5, float_value(vm, (double)spent.tms_utime / ticks),
                      float_value(vm, (double)spent.tms_stime / ticks),
                      float_value(vm, (double)spent.tms_cutime / ticks),
                      float_value(vm, (double)spent.tms_cstime / ticks),
                      float_value(vm, (double)elapsed / ticks));
}

static Value posix_cpu_count(GenVM *vm, Value *args) {
    if (!(vm->capabilities & GEN_CAP_ENV)) return VALUE_NONE;
    cpu_set_t set_of_cpus;
    if (!(vm->capabilities & GEN_CAP_ENV)) return VALUE_NONE;
    if (args[0] == VALUE_TRUE && sched_getaffinity(0, sizeof set_of_cpus, &set_of_cpus) == 0)
        return int_value(CPU_COUNT(&set_of_cpus));
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? int_value(count) : VALUE_NONE;
}

static Value posix_loadavg(GenVM *vm, Value *args) {
    (void)args;
    double loads[3];
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    if (getloadavg(loads, 3) != 3)
        return raise_error(vm, EXC_OS_ERROR, "Load averages are unobtainable");
    return tuple_pack(vm, 3, float_value(vm, loads[0]), float_value(vm, loads[1]),
                      float_value(vm, loads[2]));
}

static Value posix_urandom(GenVM *vm, Value *args) {
    int64_t size = as_int(args[0]);
    if (size < 0) return raise_value(vm, "negative argument not allowed");
    if (!(vm->capabilities & GEN_CAP_ENTROPY))
        return raise_error(vm, EXC_NOT_IMPLEMENTED_ERROR,
                           "this virtual machine has no source of entropy");
    if (!gc_check_size(vm, (uint64_t)size)) return VALUE_ERROR;
    Value bytes = bytes_new(vm, NULL, (size_t)size);
    for (int64_t done = 0; bytes != VALUE_ERROR && done < size;) {
        ssize_t got = getrandom(AS(Bytes, bytes)->data + done, (size_t)(size - done), 0);
        if (got > 0)
            done += got;
        else if (errno != EINTR)
            return posix_raise(vm, VALUE_UNSET);
        else if (!posix_interrupted(vm))
            return VALUE_ERROR;
    }
    return bytes;
}

static Value posix_strerror(GenVM *vm, Value *args) {
    char buffer[128];
    return str_from(vm, strerror_r((int)as_int(args[0]), buffer, sizeof buffer));
}

static Value posix_kill(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    bool ok = kill((pid_t)as_int(args[0]), (int)as_int(args[1])) == 0;
    return ok ? vm_after_signal(vm) : posix_raise(vm, VALUE_UNSET);
}

static Value posix_killpg(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    bool ok = killpg((pid_t)as_int(args[0]), (int)as_int(args[1])) == 0;
    return ok ? vm_after_signal(vm) : posix_raise(vm, VALUE_UNSET);
}

static Value posix_set_blocking(GenVM *vm, Value *args) {
    int fd = (int)as_int(args[0]), flags = fcntl(fd, F_GETFL);
    if (!posix_may_use_descriptor(vm, fd)) return VALUE_ERROR;
    int wanted = args[1] == VALUE_TRUE ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    bool ok = flags >= 0 && fcntl(fd, F_SETFL, wanted) == 0;
    return ok ? VALUE_NONE : posix_raise(vm, VALUE_UNSET);
}

static Value posix_get_blocking(GenVM *vm, Value *args) {
    int flags = fcntl((int)as_int(args[0]), F_GETFL);
    if (!posix_may_use_descriptor(vm, as_int(args[0]))) return VALUE_ERROR;
    return flags < 0 ? posix_raise(vm, VALUE_UNSET) : bool_value(!(flags & O_NONBLOCK));
}

/* At once, as it is: nothing is written out or closed. */
static Value posix_exit(GenVM *vm, Value *args) {
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    _exit((int)as_int(args[0]));
}

static Value posix_abort(GenVM *vm, Value *args) {
    (void)args;
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    abort();
}

const NativeDef posix_descriptor_functions[] = {
    {"open(path, flags: size, mode: size = 511, *, dir_fd=None)", posix_open,
     "Open a file for low level IO.  Returns a file descriptor (integer)."},
    {"close(fd: size)", posix_close, "Close a file descriptor."},
    {"read(fd: size, length: size, /)", posix_read,
     "Read from a file descriptor.  Returns a bytes object."},
    {"write(fd: size, data, /)", posix_write, "Write a bytes object to a file descriptor."},
    {"pread(fd: size, length: size, offset: size, /)", posix_pread,
     "Read from a file descriptor at an offset; its position stays."},
    {"pwrite(fd: size, buffer, offset: size, /)", posix_pwrite,
     "Write to a file descriptor at an offset; its position stays."},
    {"lseek(fd: size, position: size, whence: size, /)", posix_lseek,
     "Set the position of a file descriptor.  Return the new position."},
    {"dup(fd: size, /)", posix_dup, "Return a duplicate of a file descriptor."},
    {"dup2(fd: size, fd2: size, inheritable: bool = True)", posix_dup2,
     "Duplicate file descriptor."},
    {"set_inheritable(fd: size, inheritable: bool, /)", posix_set_inheritable,
     "Set the inheritable flag of the specified file descriptor."},
    {"get_inheritable(fd: size, /)", posix_get_inheritable,
     "Get the close-on-exe flag of the specified file descriptor."},
    {"fsync(fd: size)", posix_fsync, "Force write of fd to disk."},
    {"fdatasync(fd: size)", posix_fdatasync,
     "Force write of fd to disk without forcing update of metadata."},
    {"sync()", posix_sync, "Force write of everything to disk."},
    {"ftruncate(fd: size, length: size, /)", posix_ftruncate,
     "Truncate a file, specified by file descriptor, to a specific length."},
    {"isatty(fd: size, /)", posix_isatty, "Return True if the fd is connected to a terminal."},
    {"_terminal_size(fd: size, /)", posix_terminal_size, NULL},
    {NULL, NULL, NULL},
};

const NativeDef posix_process_functions[] = {
    {"_environ()", posix_environ, NULL},
    {"putenv(name, value, /)", posix_putenv, "Change or add an environment variable."},
    {"unsetenv(name, /)", posix_unsetenv, "Delete an environment variable."},
    {"kill(pid: size, signal: size, /)", posix_kill, "Kill a process with a signal."},
    {"killpg(pgid: size, signal: size, /)", posix_killpg, "Kill a process group with a signal."},
    {"set_blocking(fd: size, blocking: bool, /)", posix_set_blocking,
     "Set the blocking mode of the specified file descriptor."},
    {"get_blocking(fd: size, /)", posix_get_blocking,
     "Get the blocking mode of the file descriptor."},
    {"getpid()", posix_getpid, "Return the current process id."},
    {"getppid()", posix_getppid, "Return the parent's process id."},
    {"getuid()", posix_getuid, "Return the current process's user id."},
    {"geteuid()", posix_geteuid, "Return the current process's effective user id."},
    {"getgid()", posix_getgid, "Return the current process's group id."},
    {"getegid()", posix_getegid, "Return the current process's effective group id."},
    {"umask(mask: size, /)", posix_umask,
     "Set the current numeric umask and return the previous umask."},
    {"_uname()", posix_uname, NULL},
    {"_times()", posix_times, NULL},
    {"_cpu_count(usable: bool, /)", posix_cpu_count, NULL},
    {"getloadavg()", posix_loadavg, "Return average recent system load information."},
    {"urandom(size: size, /)", posix_urandom,
     "Return a bytes object containing random bytes suitable for cryptographic use."},
    {"strerror(code: size, /)", posix_strerror, "Translate an error code to a message string."},
    {"abort()", posix_abort, "Abort the interpreter immediately: the process ends by SIGABRT."},
    {"_exit(status: size)", posix_exit,
     "Exit to the system with specified status, without normal exit processing."},
    {NULL, NULL, NULL},
};

static bool add_functions(GenVM *vm, Module *module, const NativeDef *def) {
    for (; def->signature; def++) {
        Value function = native_function_new(vm, def, VALUE_UNSET, module->name);
        if (function == VALUE_ERROR ||
            !dict_set_str(vm, module->dict, AS(NativeFunction, function)->name, function))
            return false;
    }
    return true;
}

static const struct {
    const char *name;
    int64_t value;
} constants[] = {
#define CONSTANT(name) {#name, name},
#include "stdlib/posix_constants.def"
#undef CONSTANT
};

static bool init(GenVM *vm, Module *module) {
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (!set(vm, module->dict, constants[i].name, int_value(constants[i].value))) return false;
    return add_functions(vm, module, posix_path_functions) &&
           add_functions(vm, module, posix_descriptor_functions) &&
           add_functions(vm, module, posix_special_functions) &&
           add_functions(vm, module, posix_child_functions) &&
           add_functions(vm, module, posix_spawn_functions) &&
           add_functions(vm, module, posix_identity_functions) &&
           set(vm, module->dict, "error", object_value(vm->types[EXC_OS_ERROR]));
}

const NativeModule posix_module = {"posix", posix_process_functions, init};

/* ---- errno ---- */

static const struct {
    const char *name;
    int number;
} errors[] = {
#define ERROR(name)                                                                                \
    { #name, name }
    ERROR(EPERM),
    ERROR(ENOENT),
    ERROR(ESRCH),
    ERROR(EINTR),
    ERROR(EIO),
    ERROR(ENXIO),
    ERROR(E2BIG),
    ERROR(ENOEXEC),
    ERROR(EBADF),
    ERROR(ECHILD),
    ERROR(EAGAIN),
    ERROR(ENOMEM),
    ERROR(EACCES),
    ERROR(EFAULT),
    ERROR(ENOTBLK),
    ERROR(EBUSY),
    ERROR(EEXIST),
    ERROR(EXDEV),
    ERROR(ENODEV),
    ERROR(ENOTDIR),
    ERROR(EISDIR),
    ERROR(EINVAL),
    ERROR(ENFILE),
    ERROR(EMFILE),
    ERROR(ENOTTY),
    ERROR(ETXTBSY),
    ERROR(EFBIG),
    ERROR(ENOSPC),
    ERROR(ESPIPE),
    ERROR(EROFS),
    ERROR(EMLINK),
    ERROR(EPIPE),
    ERROR(EDOM),
    ERROR(ERANGE),
    ERROR(EDEADLK),
    ERROR(ENAMETOOLONG),
    ERROR(ENOLCK),
    ERROR(ENOSYS),
    ERROR(ENOTEMPTY),
    ERROR(ELOOP),
    ERROR(ENOMSG),
    ERROR(EIDRM),
    ERROR(ENOSTR),
    ERROR(ENODATA),
    ERROR(ETIME),
    ERROR(ENOSR),
    ERROR(ENOLINK),
    ERROR(EPROTO),
    ERROR(EBADMSG),
    ERROR(EOVERFLOW),
    ERROR(EILSEQ),
    ERROR(EUSERS),
    ERROR(ENOTSOCK),
    ERROR(EDESTADDRREQ),
    ERROR(EMSGSIZE),
    ERROR(EPROTOTYPE),
    ERROR(ENOPROTOOPT),
    ERROR(EPROTONOSUPPORT),
    ERROR(ESOCKTNOSUPPORT),
    ERROR(ENOTSUP),
    ERROR(EPFNOSUPPORT),
    ERROR(EAFNOSUPPORT),
    ERROR(EADDRINUSE),
    ERROR(EADDRNOTAVAIL),
    ERROR(ENETDOWN),
    ERROR(ENETUNREACH),
    ERROR(ENETRESET),
    ERROR(ECONNABORTED),
    ERROR(ECONNRESET),
    ERROR(ENOBUFS),
    ERROR(EISCONN),
    ERROR(ENOTCONN),
    ERROR(ESHUTDOWN),
    ERROR(ETOOMANYREFS),
    ERROR(ETIMEDOUT),
    ERROR(ECONNREFUSED),
    ERROR(EHOSTDOWN),
    ERROR(EHOSTUNREACH),
    ERROR(EALREADY),
    ERROR(EINPROGRESS),
    ERROR(ESTALE),
    ERROR(EDQUOT),
    ERROR(ECANCELED),
    ERROR(EOWNERDEAD),
    ERROR(ENOTRECOVERABLE),
    ERROR(EWOULDBLOCK),
    ERROR(EOPNOTSUPP),
    ERROR(EDEADLOCK),
#undef ERROR
};

static bool errno_init(GenVM *vm, Module *module) {
    Value codes = dict_new(vm);
    if (codes == VALUE_ERROR || !set(vm, module->dict, "errorcode", codes)) return false;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        Value name = str_from(vm, errors[i].name), number = int_value(errors[i].number), known;
        if (name == VALUE_ERROR || !set(vm, module->dict, errors[i].name, number)) return false;
        if (dict_get(vm, AS_DICT(codes), number, &known) == LEAF_TRUE) continue; /* an alias */
        if (dict_set(vm, AS_DICT(codes), number, name) != LEAF_TRUE) return false;
    }
    return true;
}

const NativeModule errno_module = {"errno", NULL, errno_init};
