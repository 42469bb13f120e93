/* signal_native.c - module _signal: signals with handlers in script code.
 *
 * The C handler only notes the number and asks for an interrupt (gen_interrupt); at the next
 * safepoint the VM calls what vm->roots[ROOT_ON_INTERRUPT] holds, signal.gen's dispatcher, which
 * asks here for the numbers that came. A process has one set of signal handlers, so it can be one
 * VM's only: the notes below are, beside the command's own for Ctrl-C, the only static data that
 * changes. The VM that installs the first handler is the owner until its end; a handler may run on
 * any thread of the process, so all of it is atomic.
 */
#include "stdlib/modules.h"
#include "vm/bind.h"
#include "vm/genvm.h"
#include "vm/objects.h"
#include "vm/resource.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { SIGNALS = 65 };
static _Atomic int came[SIGNALS];
static GenVM *_Atomic owner;
static _Atomic int handlers; /* that run just now, on whatever threads */

static void note(int number) {
    int kept = errno;
    handlers++;
    GenVM *vm = owner;
    came[number] = 1;
    if (vm) gen_interrupt(vm);
    handlers--;
    errno = kept;
}

/* The end of the owner. */
static void disown(GenVM *vm, void *data) {
    (void)vm, (void)data;
    owner = NULL;
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

/* install(number, how): 0 the system's default, 1 ignore, 2 note it for the dispatcher. */
static Value install(GenVM *vm, Value *args) {
    if (!may_use(vm) || !is_number(vm, args[0])) return VALUE_ERROR;
    struct sigaction action = {0};
    int64_t how = as_int(args[1]);
    if (how == 2 && !own(vm)) return VALUE_ERROR;
    action.sa_handler = how == 0 ? SIG_DFL : how == 1 ? SIG_IGN : note;
    if (sigaction((int)as_int(args[0]), &action, NULL) != 0)
        return raise_os_error(vm, errno, VALUE_UNSET);
    return VALUE_NONE;
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
    double number = value_float(seconds);
    return (struct timeval){(time_t)number, (suseconds_t)((number - (double)(time_t)number) * 1e6)};
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

static Value pause_process(GenVM *vm, Value *args) {
    (void)args;
    if (!may_use(vm)) return VALUE_ERROR;
    if (!vm->interrupted) pause();
    return VALUE_NONE;
}

static Value describe(GenVM *vm, Value *args) {
    const char *text =
        as_int(args[0]) > 0 && as_int(args[0]) < 32 ? strsignal((int)as_int(args[0])) : NULL;
    return text ? str_from(vm, text) : VALUE_NONE;
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
    {"strsignal(signalnum: index, /)", describe,
     "Return the system description of the given signal."},
    {NULL, NULL, NULL},
};

const NativeModule signal_module = {"_signal", functions, NULL};
