/* posix_spawn.c - the module posix: programs started by the C library's posix_spawn, whose file
 * actions and attributes os.gen has checked, and timers that are descriptors.
 */
#include "stdlib/posix_child.h"
#include "vm/memory.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/timerfd.h>

extern char **environ;

enum { OPEN_FILE, CLOSE_FILE, DUP2_FILE, CLOSE_FROM }; /* os.POSIX_SPAWN_OPEN and so on */

typedef struct Spawn {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
} Spawn;

static int number_at(const Value *items, int i) {
    return (int)as_int(items[i]);
}

/* An errno; -1: an exception is pending. */
static int add_action(GenVM *vm, posix_spawn_file_actions_t *actions, Value action) {
    static const uint8_t sizes[] = {5, 2, 3, 2};
    const Tuple *tuple = is_kind(action, TYPE_TUPLE) ? AS(Tuple, action) : NULL;
    uint32_t kind = tuple && tuple->count && is_int(tuple->items[0])
                        ? (uint32_t)number_at(tuple->items, 0)
                        : UINT32_MAX;
    if (kind > CLOSE_FROM || tuple->count != sizes[kind]) return EINVAL;
    const Value *items = tuple->items;
    switch (kind) {
    case OPEN_FILE: {
        const char *path = file_path(vm, items[2]);
        if (!path) return -1;
        return posix_spawn_file_actions_addopen(actions, number_at(items, 1), path,
                                                number_at(items, 3), (mode_t)number_at(items, 4));
    }
    case CLOSE_FILE: return posix_spawn_file_actions_addclose(actions, number_at(items, 1));
    case DUP2_FILE:
        return posix_spawn_file_actions_adddup2(actions, number_at(items, 1), number_at(items, 2));
    }
    return posix_spawn_file_actions_addclosefrom_np(actions, number_at(items, 1));
}

static sigset_t signals_of(Value list) {
    sigset_t set;
    sigemptyset(&set);
    for (uint32_t i = 0; i < AS(List, list)->count; i++)
        sigaddset(&set, (int)as_int(AS(List, list)->items[i]));
    return set;
}

/* settings: group or None, reset ids, new session, signals blocked or None, signals with their
 * defaults or None, policy or None, priority or None. An errno. */
static int set_attributes(posix_spawnattr_t *attributes, const Value *settings) {
    int flags = 0, code = 0;
    if (settings[0] != VALUE_NONE) {
        flags |= POSIX_SPAWN_SETPGROUP;
        code = posix_spawnattr_setpgroup(attributes, (pid_t)as_int(settings[0]));
    }
    if (settings[1] == VALUE_TRUE) flags |= POSIX_SPAWN_RESETIDS;
    if (settings[2] == VALUE_TRUE) flags |= POSIX_SPAWN_SETSID;
    if (!code && settings[3] != VALUE_NONE) {
        sigset_t set = signals_of(settings[3]);
        flags |= POSIX_SPAWN_SETSIGMASK;
        code = posix_spawnattr_setsigmask(attributes, &set);
    }
    if (!code && settings[4] != VALUE_NONE) {
        sigset_t set = signals_of(settings[4]);
        flags |= POSIX_SPAWN_SETSIGDEF;
        code = posix_spawnattr_setsigdefault(attributes, &set);
    }
    if (!code && settings[6] != VALUE_NONE) {
        struct sched_param parameter = {.sched_priority = number_at(settings, 6)};
        flags |= POSIX_SPAWN_SETSCHEDPARAM;
        code = posix_spawnattr_setschedparam(attributes, &parameter);
        if (!code && settings[5] != VALUE_NONE) {
            flags |= POSIX_SPAWN_SETSCHEDULER;
            code = posix_spawnattr_setschedpolicy(attributes, number_at(settings, 5));
        }
    }
    return code ? code : posix_spawnattr_setflags(attributes, (short)flags);
}

/* An errno; -1: an exception is pending. */
static int prepare(GenVM *vm, Spawn *spawn, Value actions, const Value *settings) {
    const List *list = AS(List, actions);
    int code = set_attributes(&spawn->attributes, settings);
    for (uint32_t i = 0; i < list->count && code == 0; i++)
        code = add_action(vm, &spawn->actions, list->items[i]);
    return code;
}

/* _posix_spawn(path, args, env or None, file actions, searches the path, settings...) -> pid */
static Value spawn_program(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    PosixProgram program;
    if (!posix_program(vm, args, &program)) return VALUE_ERROR;
    Spawn spawn;
    posix_spawn_file_actions_init(&spawn.actions);
    posix_spawnattr_init(&spawn.attributes);
    pid_t pid = 0;
    int code = prepare(vm, &spawn, args[3], args + 5);
    if (code == 0) {
        posix_lock_environment();
        code = (args[4] == VALUE_TRUE ? posix_spawnp : posix_spawn)(
            &pid, program.path, &spawn.actions, &spawn.attributes, program.args,
            program.env ? program.env : environ);
        posix_unlock_environment();
    }
    posix_spawn_file_actions_destroy(&spawn.actions);
    posix_spawnattr_destroy(&spawn.attributes);
    posix_program_free(&program);
    if (code < 0) return VALUE_ERROR;
    return code == 0 ? int_value(pid) : raise_os_error(vm, code, args[0]);
}

/* ---- timers ---- */

enum { NANOSECONDS = 1000000000 };

static int64_t nanoseconds(const struct timespec *time) {
    return (int64_t)time->tv_sec * NANOSECONDS + time->tv_nsec;
}
static struct timespec timespec_of(int64_t time) {
    return (struct timespec){time / NANOSECONDS, time % NANOSECONDS};
}
static Value both(GenVM *vm, int status, const struct itimerspec *timer) {
    if (status != 0) return posix_raise(vm, VALUE_UNSET);
    return tuple_pack(vm, 2, int_from_i64(vm, nanoseconds(&timer->it_value)),
                      int_from_i64(vm, nanoseconds(&timer->it_interval)));
}

static Value timer_new(GenVM *vm, Value *args) {
    if (!posix_may_use_files(vm, VALUE_NONE)) return VALUE_ERROR;
    int fd = timerfd_create((clockid_t)as_int(args[0]), (int)as_int(args[1]) | TFD_CLOEXEC);
    if (fd < 0) return posix_raise(vm, VALUE_UNSET);
    path_own(vm, fd);
    return int_value(fd);
}

/* _timerfd_settime(fd, flags, nanoseconds to the first, nanoseconds between): the old ones */
static Value timer_set(GenVM *vm, Value *args) {
    struct itimerspec timer = {.it_value = timespec_of(as_int(args[2])),
                               .it_interval = timespec_of(as_int(args[3]))};
    struct itimerspec old;
    if (!posix_may_use_descriptor(vm, as_int(args[0]))) return VALUE_ERROR;
    int status = timerfd_settime((int)as_int(args[0]), (int)as_int(args[1]), &timer, &old);
    return both(vm, status, &old);
}

static Value timer_get(GenVM *vm, Value *args) {
    struct itimerspec timer;
    if (!posix_may_use_descriptor(vm, as_int(args[0]))) return VALUE_ERROR;
    int status = timerfd_gettime((int)as_int(args[0]), &timer);
    return both(vm, status, &timer);
}

const NativeDef posix_spawn_functions[] = {
    {"_posix_spawn(path: str | bytes, args: list, env: list | None, actions: list, named: bool, "
     "group: int | None, resets: bool, session: bool, blocked: list | None, plain: list | None, "
     "policy: int | None, priority: int | None, /)",
     spawn_program, NULL},
    {"_timerfd_create(clockid: size, flags: size, /)", timer_new, NULL},
    {"_timerfd_settime(fd: size, flags: size, initial: size, interval: size, /)", timer_set, NULL},
    {"_timerfd_gettime(fd: size, /)", timer_get, NULL},
    {0},
};
