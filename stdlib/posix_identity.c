/* posix_identity.c - the module posix: who this process is (users, groups), how it is scheduled,
 * and what the system's limits are.
 *
 * To see it is the environment's capability, to change it the processes'.
 */
#include "stdlib/posix_child.h"
#include "vm/memory.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

static Value done_or_error(GenVM *vm, int status) {
    return status == 0 ? VALUE_NONE : posix_raise(vm, VALUE_UNSET);
}

/* ---- users and groups ---- */

#define CHANGE(name, call)                                                                         \
    static Value posix_##name(GenVM *vm, Value *args) {                                            \
        return posix_may_use_processes(vm) ? done_or_error(vm, call) : VALUE_ERROR;                \
    }
#define NUMBER(i) ((unsigned)as_int(args[i]))
CHANGE(setuid, setuid(NUMBER(0)))
CHANGE(seteuid, seteuid(NUMBER(0)))
CHANGE(setgid, setgid(NUMBER(0)))
CHANGE(setegid, setegid(NUMBER(0)))
CHANGE(setreuid, setreuid(NUMBER(0), NUMBER(1)))
CHANGE(setregid, setregid(NUMBER(0), NUMBER(1)))
CHANGE(setresuid, setresuid(NUMBER(0), NUMBER(1), NUMBER(2)))
CHANGE(setresgid, setresgid(NUMBER(0), NUMBER(1), NUMBER(2)))

static Value three(GenVM *vm, const unsigned numbers[3]) {
    return tuple_pack(vm, 3, int_value(numbers[0]), int_value(numbers[1]), int_value(numbers[2]));
}

static Value posix_getresuid(GenVM *vm, Value *args) {
    unsigned numbers[3];
    (void)args;
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    if (getresuid(&numbers[0], &numbers[1], &numbers[2]) != 0) return posix_raise(vm, VALUE_UNSET);
    return three(vm, numbers);
}

static Value posix_getresgid(GenVM *vm, Value *args) {
    unsigned numbers[3];
    (void)args;
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    if (getresgid(&numbers[0], &numbers[1], &numbers[2]) != 0) return posix_raise(vm, VALUE_UNSET);
    return three(vm, numbers);
}

/* A list of `count` groups (-1: errno says why there are none); frees the array. */
static Value group_list(GenVM *vm, gid_t *groups, int count) {
    Value list = count < 0 ? posix_raise(vm, VALUE_UNSET) : list_new(vm, 0);
    for (int i = 0; list != VALUE_ERROR && i < count; i++)
        if (!list_append(vm, list, int_value(groups[i]))) list = VALUE_ERROR;
    memory_free(groups);
    return list;
}

static Value posix_getgroups(GenVM *vm, Value *args) {
    (void)args;
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    gid_t *groups = memory_new_zeroed(vm, NGROUPS_MAX, sizeof *groups);
    return groups ? group_list(vm, groups, getgroups(NGROUPS_MAX, groups)) : raise_memory(vm);
}

static Value posix_getgrouplist(GenVM *vm, Value *args) {
    const char *user = file_path(vm, args[0]);
    if (!user || !posix_may_see_process(vm)) return VALUE_ERROR;
    int count = NGROUPS_MAX;
    gid_t *groups = memory_new_zeroed(vm, NGROUPS_MAX, sizeof *groups);
    if (!groups) return raise_memory(vm);
    return group_list(vm, groups, getgrouplist(user, NUMBER(1), groups, &count));
}

static Value posix_setgroups(GenVM *vm, Value *args) {
    uint64_t count;
    const Value *items = leaf_items(args[0], &count);
    if (!items) return raise_type(vm, "setgroups argument must be a sequence");
    if (count > NGROUPS_MAX) return raise_value(vm, "too many groups");
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    gid_t *groups = memory_new_zeroed(vm, count + 1, sizeof *groups);
    if (!groups) return raise_memory(vm);
    for (uint64_t i = 0; i < count; i++) {
        int64_t number;
        if (!value_is_intlike(items[i]) || !int_to_i64(items[i], &number)) {
            memory_free(groups);
            return raise_type(vm, "groups must be integers");
        }
        groups[i] = (gid_t)number;
    }
    int status = setgroups(count, groups), code = errno;
    memory_free(groups);
    errno = code;
    return done_or_error(vm, status);
}

static Value posix_initgroups(GenVM *vm, Value *args) {
    const char *user = file_path(vm, args[0]);
    if (!user || !posix_may_use_processes(vm)) return VALUE_ERROR;
    return done_or_error(vm, initgroups(user, NUMBER(1)));
}

/* ---- scheduling ---- */

static Value posix_nice(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    errno = 0;
    int now = nice((int)as_int(args[0]));
    return now == -1 && errno ? posix_raise(vm, VALUE_UNSET) : int_value(now);
}

static Value posix_getpriority(GenVM *vm, Value *args) {
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    errno = 0;
    int now = getpriority((__priority_which_t)as_int(args[0]), NUMBER(1));
    return now == -1 && errno ? posix_raise(vm, VALUE_UNSET) : int_value(now);
}
CHANGE(setpriority,
       setpriority((__priority_which_t)as_int(args[0]), NUMBER(1), (int)as_int(args[2])))

static Value posix_sched_yield(GenVM *vm, Value *args) {
    (void)args;
    return posix_may_see_process(vm) ? done_or_error(vm, sched_yield()) : VALUE_ERROR;
}

enum { CPUS = 8192 };

static Value posix_getaffinity(GenVM *vm, Value *args) {
    cpu_set_t *mask = posix_may_see_process(vm) ? CPU_ALLOC(CPUS) : NULL;
    if (!mask) return vm->exception == VALUE_UNSET ? raise_memory(vm) : VALUE_ERROR;
    size_t size = CPU_ALLOC_SIZE(CPUS);
    CPU_ZERO_S(size, mask);
    Value list = sched_getaffinity((pid_t)as_int(args[0]), size, mask) == 0
                     ? list_new(vm, 0)
                     : posix_raise(vm, VALUE_UNSET);
    for (int i = 0; list != VALUE_ERROR && i < CPUS; i++)
        if (CPU_ISSET_S(i, size, mask) && !list_append(vm, list, int_value(i))) list = VALUE_ERROR;
    CPU_FREE(mask);
    return list;
}

/* (pid, list of numbers) */
static Value posix_setaffinity(GenVM *vm, Value *args) {
    cpu_set_t *mask = posix_may_use_processes(vm) ? CPU_ALLOC(CPUS) : NULL;
    if (!mask) return vm->exception == VALUE_UNSET ? raise_memory(vm) : VALUE_ERROR;
    size_t size = CPU_ALLOC_SIZE(CPUS);
    CPU_ZERO_S(size, mask);
    const List *list = AS_LIST(args[1]);
    for (uint64_t i = 0; i < list->count; i++) {
        int64_t cpu = is_int(list->items[i]) ? as_int(list->items[i]) : CPUS;
        if (cpu >= 0 && cpu < CPUS) CPU_SET_S((size_t)cpu, size, mask);
    }
    int status = sched_setaffinity((pid_t)as_int(args[0]), size, mask), code = errno;
    CPU_FREE(mask);
    errno = code;
    return done_or_error(vm, status);
}

static Value number_or_error(GenVM *vm, int number) {
    return number < 0 ? posix_raise(vm, VALUE_UNSET) : int_value(number);
}
#define ASK(name, call)                                                                            \
    static Value posix_##name(GenVM *vm, Value *args) {                                            \
        return posix_may_see_process(vm) ? number_or_error(vm, call) : VALUE_ERROR;                \
    }
ASK(sched_getscheduler, sched_getscheduler((pid_t)as_int(args[0])))
ASK(sched_priority_max, sched_get_priority_max((int)as_int(args[0])))
ASK(sched_priority_min, sched_get_priority_min((int)as_int(args[0])))

static Value posix_rr_interval(GenVM *vm, Value *args) {
    struct timespec time;
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    if (sched_rr_get_interval((pid_t)as_int(args[0]), &time) != 0)
        return posix_raise(vm, VALUE_UNSET);
    return float_value(vm, (double)time.tv_sec + 1e-9 * (double)time.tv_nsec);
}

/* _sched_getparam(pid): the priority */
static Value get_priority_of(GenVM *vm, Value *args) {
    struct sched_param parameter;
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    if (sched_getparam((pid_t)as_int(args[0]), &parameter) != 0)
        return posix_raise(vm, VALUE_UNSET);
    return int_value(parameter.sched_priority);
}

/* _sched_set(pid, policy or None, priority) */
static Value set_priority_of(GenVM *vm, Value *args) {
    struct sched_param parameter = {.sched_priority = (int)as_int(args[2])};
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    pid_t pid = (pid_t)as_int(args[0]);
    int status = args[1] == VALUE_NONE ? sched_setparam(pid, &parameter)
                                       : sched_setscheduler(pid, (int)as_int(args[1]), &parameter);
    return status < 0 ? posix_raise(vm, VALUE_UNSET) : VALUE_NONE;
}

/* ---- what the system has ---- */

/* _sysconf(number): -1: no limit */
static Value posix_sysconf(GenVM *vm, Value *args) {
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    errno = 0;
    long value = sysconf((int)as_int(args[0]));
    return value == -1 && errno ? posix_raise(vm, VALUE_UNSET) : int_value(value);
}

/* _usage(who) -> a tuple for resource.struct_rusage */
static Value usage_of(GenVM *vm, Value *args) {
    struct rusage usage;
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    if (getrusage((__rusage_who_t)as_int(args[0]), &usage) != 0)
        return raise_value(vm, "invalid who parameter");
    return posix_usage(vm, &usage);
}

static Value limit_value(rlim_t limit) {
    return int_value(limit == RLIM_INFINITY ? -1 : (int64_t)limit);
}

static Value get_limit(GenVM *vm, Value *args) {
    struct rlimit limit;
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    if (as_int(args[0]) < 0 || as_int(args[0]) >= RLIM_NLIMITS)
        return raise_value(vm, "invalid resource specified");
    if (getrlimit((__rlimit_resource_t)as_int(args[0]), &limit) != 0)
        return posix_raise(vm, VALUE_UNSET);
    return tuple_pack(vm, 2, limit_value(limit.rlim_cur), limit_value(limit.rlim_max));
}

/* _set_limit(resource, soft, hard); -1: none */
static Value set_limit(GenVM *vm, Value *args) {
    if (!posix_may_use_processes(vm)) return VALUE_ERROR;
    if (as_int(args[0]) < 0 || as_int(args[0]) >= RLIM_NLIMITS)
        return raise_value(vm, "invalid resource specified");
    struct rlimit limit = {(rlim_t)as_int(args[1]), (rlim_t)as_int(args[2])};
    if (setrlimit((__rlimit_resource_t)as_int(args[0]), &limit) == 0) return VALUE_NONE;
    if (errno == EINVAL) return raise_value(vm, "current limit exceeds maximum limit");
    if (errno == EPERM) return raise_value(vm, "not allowed to raise maximum limit");
    return posix_raise(vm, VALUE_UNSET);
}

static Value posix_getrandom(GenVM *vm, Value *args) {
    int64_t size = as_int(args[0]);
    if (size < 0) return errno = EINVAL, posix_raise(vm, VALUE_UNSET);
    if (!(vm->capabilities & GEN_CAP_ENTROPY))
        return raise_error(vm, EXC_NOT_IMPLEMENTED_ERROR,
                           "this virtual machine has no source of entropy");
    if (!gc_check_size(vm, (uint64_t)size)) return VALUE_ERROR;
    Value space = bytes_new(vm, NULL, (size_t)size);
    if (space == VALUE_ERROR) return VALUE_ERROR;
    Bytes *bytes = AS(Bytes, space);
    ssize_t got;
    while ((got = getrandom(bytes->data, (size_t)size, (unsigned)as_int(args[1]))) < 0)
        if (errno != EINTR)
            return posix_raise(vm, VALUE_UNSET);
        else if (!posix_interrupted(vm))
            return VALUE_ERROR;
    return got == size ? space : bytes_new(vm, bytes->data, (size_t)got);
}

const NativeDef posix_identity_functions[] = {
    {"setuid(uid: size, /)", posix_setuid, "Set the current process's user id."},
    {"seteuid(euid: size, /)", posix_seteuid, "Set the current process's effective user id."},
    {"setgid(gid: size, /)", posix_setgid, "Set the current process's group id."},
    {"setegid(egid: size, /)", posix_setegid, "Set the current process's effective group id."},
    {"setreuid(ruid: size, euid: size, /)", posix_setreuid,
     "Set the current process's real and effective user ids."},
    {"setregid(rgid: size, egid: size, /)", posix_setregid,
     "Set the current process's real and effective group ids."},
    {"setresuid(ruid: size, euid: size, suid: size, /)", posix_setresuid,
     "Set the current process's real, effective, and saved user ids."},
    {"setresgid(rgid: size, egid: size, sgid: size, /)", posix_setresgid,
     "Set the current process's real, effective, and saved group ids."},
    {"getresuid()", posix_getresuid,
     "Return a tuple of the current process's real, effective, and saved user ids."},
    {"getresgid()", posix_getresgid,
     "Return a tuple of the current process's real, effective, and saved group ids."},
    {"getgroups()", posix_getgroups, "Return list of supplemental group IDs for the process."},
    {"getgrouplist(user: str, group: size, /)", posix_getgrouplist,
     "Returns a list of groups to which a user belongs."},
    {"setgroups(groups, /)", posix_setgroups, "Set the groups of the current process to list."},
    {"initgroups(username: str, gid: size, /)", posix_initgroups,
     "Initialize the group access list."},
    {"nice(increment: size, /)", posix_nice,
     "Add increment to the priority of process and return the new priority."},
    {"getpriority(which: size, who: size)", posix_getpriority,
     "Return program scheduling priority."},
    {"setpriority(which: size, who: size, priority: size)", posix_setpriority,
     "Set program scheduling priority."},
    {"sched_yield()", posix_sched_yield, "Voluntarily relinquish the CPU."},
    {"sched_getscheduler(pid: size, /)", posix_sched_getscheduler,
     "Get the scheduling policy for the process identified by pid."},
    {"sched_get_priority_max(policy: size)", posix_sched_priority_max,
     "Get the maximum scheduling priority for policy."},
    {"sched_get_priority_min(policy: size)", posix_sched_priority_min,
     "Get the minimum scheduling priority for policy."},
    {"sched_rr_get_interval(pid: size, /)", posix_rr_interval,
     "Return the round-robin quantum for the process identified by pid, in seconds."},
    {"_sched_getparam(pid: size, /)", get_priority_of, NULL},
    {"_sched_set(pid: size, policy: int | None, priority: size, /)", set_priority_of, NULL},
    {"getrandom(size: size, flags: size = 0)", posix_getrandom, "Obtain a series of random bytes."},
    {"_getaffinity(pid: size, /)", posix_getaffinity, NULL},
    {"_setaffinity(pid: size, cpus: list, /)", posix_setaffinity, NULL},
    {"_sysconf(number: size, /)", posix_sysconf, NULL},
    {"_usage(who: size, /)", usage_of, NULL},
    {"_get_limit(resource: size, /)", get_limit, NULL},
    {"_set_limit(resource: size, soft: size, hard: size, /)", set_limit, NULL},
    {NULL, NULL, NULL},
};
