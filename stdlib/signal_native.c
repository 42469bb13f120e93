/* signal_native.c - module _signal: signals with handlers in script code.
 *
 * The C handler only notes the number and asks for an interrupt (gen_interrupt); at the next
 * safepoint the VM calls what vm->roots[ROOT_ON_INTERRUPT] holds, signal.gen's dispatcher, which
 * asks here for the numbers that came. A process has one set of signal handlers, so it can be one
 * VM's only: the notes below are, beside the command's own for Ctrl-C, the only static data that
 * changes. The VM that installs the first handler is the owner until its end, when all signals are
 * treated again as before; a handler may run on any thread of the process, so all of it that it
 * touches is atomic.
 *
 * What scripts have set (signal.gen's _handlers, and the signals that came and wait for their
 * handlers) is saved with a task and set again by a load (SignalWork); masks, timers and the
 * descriptor of set_wakeup_fd() are the process's.
 */
#include "stdlib/held_descriptor.h"
#include "stdlib/modules.h"
#include "vm/bind.h"
#include "vm/genvm.h"
#include "vm/objects.h"
#include "vm/resource.h"
#include "vm/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SIGNALS = 65 };
static _Atomic int came[SIGNALS];
static GenVM *_Atomic owner;
static _Atomic int wakeup = -1; /* the descriptor that gets the numbers, too; -1: none */
static _Atomic int handlers;    /* that run just now, on whatever threads */
static _Atomic unsigned many;   /* signals that came, ever: for those who wait for any */

static void note(int number) {
    int kept = errno;
    handlers++;
    GenVM *vm = owner;
    came[number] = 1;
    many++;
    if (vm) gen_interrupt(vm);
    unsigned char byte = (unsigned char)number;
    if (wakeup >= 0 && write(wakeup, &byte, 1) < 0) errno = kept; /* full: the reader is behind */
    handlers--;
    errno = kept;
}

/* How signals were treated before the owner came, of those that it has set. */
static struct sigaction treated[SIGNALS];
static bool changed[SIGNALS];

static void restore(int number) {
    if (changed[number]) sigaction(number, &treated[number], NULL);
    changed[number] = false;
}

/* The end of the owner. */
static void disown(GenVM *vm, void *data) {
    (void)vm, (void)data;
    for (int i = 1; i < SIGNALS; i++)
        restore(i);
    owner = NULL;
    wakeup = -1;
    while (handlers) /* one may have seen the owner */
        sched_yield();
}

/* Makes the VM the owner; false: another one is. */
static bool own(GenVM *vm) {
    GenVM *nobody = NULL;
    if (owner == vm) return true;
    if (!atomic_compare_exchange_strong(&owner, &nobody, vm)) {
        raise_runtime(vm, "another virtual machine of the process handles signals");
        return false;
    }
    for (int i = 0; i < SIGNALS; i++)
        came[i] = 0;
    Value ownership = resource_new(vm, "signal handlers", vm, disown);
    if (ownership == VALUE_ERROR) return false;
    vm->roots[ROOT_SIGNALS] = ownership;
    return true;
}

static bool may_use(GenVM *vm) {
    if (vm->capabilities & GEN_CAP_PROCESS) return true;
    raise_os_error(vm, EPERM, VALUE_UNSET);
    return false;
}

static bool is_number(GenVM *vm, Value v) {
    if (as_int(v) >= 1 && as_int(v) < SIGNALS) return true;
    raise_value(vm, "signal number out of range");
    return false;
}

static bool set(GenVM *vm, int number, int64_t how) {
    struct sigaction action = {0}, old;
    if (how == 2 && !own(vm)) return false;
    action.sa_handler = how == 0 ? SIG_DFL : how == 1 ? SIG_IGN : note;
    if (sigaction(number, &action, &old) != 0) {
        raise_os_error(vm, errno, VALUE_UNSET);
        return false;
    }
    if (owner == vm && !changed[number]) {
        treated[number] = old;
        changed[number] = true;
    }
    return true;
}

/* install(number, how): 0 the system's default, 1 ignore, 2 note it for the dispatcher. */
static Value install(GenVM *vm, Value *args) {
    if (!may_use(vm) || !is_number(vm, args[0])) return VALUE_ERROR;
    return set(vm, (int)as_int(args[0]), as_int(args[1])) ? VALUE_NONE : VALUE_ERROR;
}

/* 0 the system's default, 1 ignored, 2 something else */
static Value disposition(GenVM *vm, Value *args) {
    struct sigaction action;
    if (!is_number(vm, args[0])) return VALUE_ERROR;
    if (sigaction((int)as_int(args[0]), NULL, &action) != 0)
        return raise_os_error(vm, errno, VALUE_UNSET);
    return int_value(action.sa_handler == SIG_DFL ? 0 : action.sa_handler == SIG_IGN ? 1 : 2);
}

/* The numbers that came since it was asked last. */
static Value take(GenVM *vm, Value *args) {
    (void)args;
    if (owner != vm) return list_new(vm, 0);
    Value list = list_new(vm, 0);
    for (int i = 1; list != VALUE_ERROR && i < SIGNALS; i++) {
        if (!atomic_exchange(&came[i], 0)) continue;
        if (!list_append(vm, list, int_value(i))) list = VALUE_ERROR;
    }
    return list;
}

static Value raise_signal(GenVM *vm, Value *args) {
    if (!may_use(vm)) return VALUE_ERROR;
    return raise((int)as_int(args[0])) == 0 ? vm_after_signal(vm)
                                            : raise_os_error(vm, errno, VALUE_UNSET);
}

static Value set_alarm(GenVM *vm, Value *args) {
    if (!may_use(vm)) return VALUE_ERROR;
    return int_value(alarm((unsigned)as_int(args[0])));
}

static struct timeval time_of(Value seconds) {
    double number = value_float(seconds), whole = floor(number);
    double rest = ceil((number - whole) * 1e6); /* never 0, which turns a timer off, for a little */
    if (rest < 1e6) return (struct timeval){(time_t)whole, (suseconds_t)rest};
    return (struct timeval){(time_t)whole + 1, 0};
}
static Value pair_of(GenVM *vm, const struct itimerval *timer) {
    double value = (double)timer->it_value.tv_sec + 1e-6 * (double)timer->it_value.tv_usec;
    double interval = (double)timer->it_interval.tv_sec + 1e-6 * (double)timer->it_interval.tv_usec;
    return tuple_pack(vm, 2, float_value(vm, value), float_value(vm, interval));
}

static Value set_timer(GenVM *vm, Value *args) {
    if (!may_use(vm)) return VALUE_ERROR;
    struct itimerval timer = {.it_value = time_of(args[1]), .it_interval = time_of(args[2])}, old;
    if (setitimer((int)as_int(args[0]), &timer, &old) != 0)
        return raise_os_error(vm, errno, VALUE_UNSET);
    return pair_of(vm, &old);
}
static Value get_timer(GenVM *vm, Value *args) {
    struct itimerval timer;
    if (getitimer((int)as_int(args[0]), &timer) != 0) return raise_os_error(vm, errno, VALUE_UNSET);
    return pair_of(vm, &timer);
}

enum { PAUSE_STEP = 5000000 }; /* nanoseconds between two looks of a thread that is not main */
#define PAUSE_MOST ((uint64_t)1 << 59) /* nanoseconds: for ever, but known to end */

/* The main thread is woken by the signal itself, and run anew when its handler has returned;
 * another has to look. */
static Value pause_thread(GenVM *vm) {
    Thread *thread = threads_current(vm);
    bool main = threads_is_main(vm);
    if (!vm->resumed) {
        thread->progress = many;
        if (main && vm->interrupted && !vm_poll_native(vm)) return VALUE_ERROR;
    } else if (main) {
        return !vm->interrupted || vm_poll_native(vm) ? VALUE_NONE : VALUE_ERROR;
    } else if (thread->progress != many) {
        return VALUE_NONE;
    }
    return threads_park(vm, threads_now() + (main ? PAUSE_MOST : PAUSE_STEP), -1, 0);
}

static Value pause_process(GenVM *vm, Value *args) {
    (void)args;
    sigset_t all, before;
    if (!may_use(vm)) return VALUE_ERROR;
    if (vm->resumed || threads_should_park(vm)) return pause_thread(vm);
    sigfillset(&all); /* none may come between the look and the wait */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (!vm->interrupted) sigsuspend(&before);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return vm_after_signal(vm);
}

static Value describe(GenVM *vm, Value *args) {
    if (!is_number(vm, args[0])) return VALUE_ERROR;
    const char *text = strsignal((int)as_int(args[0]));
    return text && !strstr(text, "Unknown signal") ? str_from(vm, text) : VALUE_NONE;
}

/* ---- masks and waits: lists of numbers ---- */

static bool set_of(GenVM *vm, Value list, sigset_t *set) {
    const List *numbers = AS_LIST(list);
    sigemptyset(set);
    for (uint64_t i = 0; i < numbers->count; i++) {
        int64_t number;
        if (!value_is_intlike(numbers->items[i]) || !int_to_i64(numbers->items[i], &number) ||
            number < 1 || number >= SIGNALS || sigaddset(set, (int)number) != 0) {
            raise_value(vm, "signal number out of range");
            return false;
        }
    }
    return true;
}

static Value list_of(GenVM *vm, const sigset_t *set) {
    Value list = list_new(vm, 0);
    for (int i = 1; list != VALUE_ERROR && i < SIGNALS; i++)
        if (sigismember(set, i) == 1 && !list_append(vm, list, int_value(i))) list = VALUE_ERROR;
    return list;
}

/* mask(how, numbers): what was blocked before */
static Value set_mask(GenVM *vm, Value *args) {
    sigset_t set, old;
    if (!may_use(vm) || !set_of(vm, args[1], &set)) return VALUE_ERROR;
    int code = pthread_sigmask((int)as_int(args[0]), &set, &old);
    if (code != 0) return raise_os_error(vm, code, VALUE_UNSET);
    return list_of(vm, &old);
}

static Value pending(GenVM *vm, Value *args) {
    sigset_t set;
    (void)args;
    if (sigpending(&set) != 0) return raise_os_error(vm, errno, VALUE_UNSET);
    return list_of(vm, &set);
}

/* Parks the thread until one of the signals has come; None when the time is over. */
static Value park_for(GenVM *vm, const sigset_t *set, double seconds) {
    uint64_t until = THREAD_FOR_EVER;
    if (vm->resumed)
        until = threads_current(vm)->until;
    else if (seconds >= 0)
        until = threads_now() + (uint64_t)(fmin(seconds, 9e9) * 1e9);
    if (threads_now() >= until) return VALUE_NONE;
    if (vm->interrupted && threads_is_main(vm)) {
        if (vm_interrupt_waits(vm)) return raise_os_error(vm, EINTR, VALUE_UNSET);
        if (!vm_poll_native(vm)) return VALUE_ERROR;
    }
    int fd = held_descriptor(vm);
    if (fd < 0) {
        if ((fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
            return raise_os_error(vm, errno, VALUE_UNSET);
        if (!held_descriptor_keep(vm, fd)) return VALUE_ERROR;
    }
    return threads_park(vm, until, fd, POLLIN);
}

/* wait(numbers, seconds or -1): (number, code, errno, pid, uid, status, band), None after the
 * seconds */
static Value wait_signal(GenVM *vm, Value *args) {
    sigset_t set;
    if (!may_use(vm) || !set_of(vm, args[0], &set)) return VALUE_ERROR;
    double seconds = value_float(args[1]);
    bool parks = seconds != 0 && (vm->resumed || threads_should_park(vm));
    struct timespec limit = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    if (parks) limit = (struct timespec){0};
    siginfo_t info;
    int number =
        seconds < 0 && !parks ? sigwaitinfo(&set, &info) : sigtimedwait(&set, &info, &limit);
    if (number < 0 && errno == EAGAIN) return parks ? park_for(vm, &set, seconds) : VALUE_NONE;
    if (number < 0) return raise_os_error(vm, errno, VALUE_UNSET);
    return tuple_pack(vm, 7, int_value(info.si_signo), int_value(info.si_code),
                      int_value(info.si_errno), int_value(info.si_pid), int_value(info.si_uid),
                      int_value(info.si_status), int_value(info.si_band));
}

/* send(process descriptor, number) */
static Value send_by_descriptor(GenVM *vm, Value *args) {
    if (!may_use(vm)) return VALUE_ERROR;
    if (syscall(SYS_pidfd_send_signal, (int)as_int(args[0]), (int)as_int(args[1]), NULL, 0) != 0)
        return raise_os_error(vm, errno, VALUE_UNSET);
    return vm_after_signal(vm);
}

/* deliver(): the handlers of what has come are called now. */
static Value deliver(GenVM *vm, Value *args) {
    (void)args;
    return vm_after_signal(vm);
}

/* set_wakeup(descriptor or -1): the one before */
static Value set_wakeup(GenVM *vm, Value *args) {
    int64_t descriptor = as_int(args[0]);
    if (!may_use(vm) || !own(vm)) return VALUE_ERROR;
    if (descriptor < -1 || descriptor > INT_MAX) return raise_value(vm, "invalid fd");
    if (descriptor >= 0) {
        int flags = fcntl((int)descriptor, F_GETFL);
        if (flags < 0) return raise_os_error(vm, errno, VALUE_UNSET);
        if (!(flags & O_NONBLOCK))
            return raise_value(vm, "the fd %d must be in non-blocking mode", (int)descriptor);
    }
    return int_value(atomic_exchange(&wakeup, (int)descriptor));
}

/* ---- images ---- */

/* What signal.gen keeps under a name, where it is of that kind. */
static Value kept(GenVM *vm, const char *name, TypeId kind) {
    Value module = dict_get_str(vm, vm->modules, str_intern_from(vm, "signal", 6));
    Value v = is_kind(module, TYPE_MODULE) ? dict_get_str(vm, AS(Module, module)->dict,
                                                          str_intern_from(vm, name, strlen(name)))
                                           : VALUE_UNSET;
    return is_exact(v, kind) ? v : VALUE_UNSET;
}

/* The signals that came wait from now on where _dispatch() looks for those of
 * _thread.interrupt_main(), too: there they are saved. */
static bool keep_those_that_came(GenVM *vm) {
    Value waiting = kept(vm, "_pretended", TYPE_LIST);
    for (int i = 1; owner == vm && waiting != VALUE_UNSET && i < SIGNALS; i++) {
        if (!atomic_exchange(&came[i], 0) || list_append(vm, waiting, int_value(i))) continue;
        atomic_store(&came[i], 1);
        return false;
    }
    return true;
}

static bool check_handlers(GenVM *vm, Dict *table) {
    Value number, handler;
    for (uint32_t at = 0; dict_next(table, &at, &number, &handler);)
        if (!is_int(number) || as_int(number) < 1 || as_int(number) >= SIGNALS)
            return raise_value(vm, "the image is damaged: a handler of no signal"), false;
    if (!table->count) return true;
    if (!(vm->capabilities & GEN_CAP_PROCESS))
        raise_value(vm, "the image has signal handlers, for which GEN_CAP_PROCESS is missing");
    else if (owner && owner != vm)
        raise_value(vm, "the image has signal handlers, but another virtual machine of the process "
                        "handles signals");
    return vm->exception == VALUE_UNSET;
}

static bool take_handlers(GenVM *vm) {
    Value table = kept(vm, "_handlers", TYPE_DICT), number, handler;
    for (int i = 1; owner == vm && i < SIGNALS; i++)
        restore(i);
    for (uint32_t at = 0;
         table != VALUE_UNSET && dict_next(AS_DICT(table), &at, &number, &handler);) {
        int64_t how;
        if (!value_is_int(handler) || !int_to_i64(handler, &how) || how > 1) how = 2;
        if (!set(vm, (int)as_int(number), how)) return false;
    }
    Value came_before = kept(vm, "_pretended", TYPE_LIST), late = kept(vm, "_waiting", TYPE_LIST);
    if ((came_before != VALUE_UNSET && AS_LIST(came_before)->count) ||
        (late != VALUE_UNSET && AS_LIST(late)->count))
        gen_interrupt(vm);
    return true;
}

static bool work(GenVM *vm, SignalWork what, Dict *table) {
    switch (what) {
    case SIGNALS_KEEP: return keep_those_that_came(vm);
    case SIGNALS_CHECK: return check_handlers(vm, table);
    case SIGNALS_TAKE: return take_handlers(vm);
    }
    return true;
}

static bool init(GenVM *vm, Module *module) {
    (void)module;
    vm->signals = work;
    return true;
}

static const NativeDef functions[] = {
    {"install(number: index, how: index, /)", install, NULL},
    {"disposition(number: index, /)", disposition, NULL},
    {"take()", take, "The numbers of the signals that came."},
    {"raise_signal(signalnum: index, /)", raise_signal, "Send a signal to the executing process."},
    {"alarm(seconds: index, /)", set_alarm,
     "Arrange for SIGALRM to arrive after the given number of seconds."},
    {"setitimer(which: index, seconds: float, interval: float, /)", set_timer, NULL},
    {"getitimer(which: index, /)", get_timer, "Returns current value of given itimer."},
    {"pause()", pause_process, "Wait until a signal arrives."},
    {"mask(how: index, numbers: list, /)", set_mask, NULL},
    {"pending()", pending, NULL},
    {"wait(numbers: list, seconds: float, /)", wait_signal, NULL},
    {"deliver()", deliver, NULL},
    {"set_wakeup(fd: index, /)", set_wakeup, NULL},
    {"pidfd_send_signal(pidfd: index, sig: index, /)", send_by_descriptor, NULL},
    {"strsignal(signalnum: index, /)", describe,
     "Return the system description of the given signal."},
    {NULL, NULL, NULL},
};

const NativeModule signal_module = {"_signal", functions, init};
