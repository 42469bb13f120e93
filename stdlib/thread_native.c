/* thread_native.c - module _thread: starting threads, who runs, locks. The threads themselves are
 * the engine's (vm/threads.h), their class is stdlib/threading.gen. */
#include "stdlib/init.h"
#include "stdlib/modules.h"
#include "vm/bind.h"
#include "vm/genvm.h"
#include "vm/objects.h"
#include "vm/runtime.h"
#include "vm/threads.h"

/* Numbers of the VM's own: they are the same on every run and tell nothing of the process. */
static Value ident_of(const Thread *thread) {
    return int_value(thread->ident);
}

/* start(function, args, kwargs or nothing, object) -> ident; object is what current() gives in the
 * thread. */
static Value start(GenVM *vm, Value *args) {
    Value given[] = {args[0], args[1], args[2], args[3]}; /* the stack may move with the load */
    Value run = twin_load(vm, TWIN_THREAD_RUN);
    if (run == VALUE_ERROR) return run;
    if (given[2] == VALUE_UNSET) given[2] = dict_new(vm);
    Value call = given[2] == VALUE_ERROR ? VALUE_ERROR : tuple_from_array(vm, given, 3);
    if (call == VALUE_ERROR) return VALUE_ERROR;
    Thread *thread = threads_start(vm, run, call, VALUE_UNSET, given[3]);
    return thread ? ident_of(thread) : VALUE_ERROR;
}

static bool is_callable(GenVM *vm, Value v) {
    if (!is_object(v)) return false;
    TypeId kind = (TypeId)as_object(v)->kind;
    Type *type = type_of(vm, v);
    return kind == TYPE_FUNCTION || kind == TYPE_NATIVE || kind == TYPE_NATIVE_METHOD ||
           kind == TYPE_METHOD || kind == TYPE_TYPE || type->slots.call ||
           type_find_special(vm, type, SP_CALL) != VALUE_UNSET;
}

/* start_new_thread(function, args, kwargs) */
static Value start_new_thread(GenVM *vm, Value *args) {
    if (!is_callable(vm, args[0])) return raise_type(vm, "first arg must be callable");
    if (!is_kind(args[1], TYPE_TUPLE)) return raise_type(vm, "2nd arg must be a tuple");
    if (args[2] != VALUE_UNSET && !is_kind(args[2], TYPE_DICT))
        return raise_type(vm, "optional 3rd arg must be a dictionary");
    Value all[] = {args[0], args[1], args[2], VALUE_UNSET};
    return start(vm, all);
}

static Value leave(GenVM *vm, Value *args) {
    return (void)args, raise_with_args(vm, EXC_SYSTEM_EXIT, vm->empty_tuple);
}

enum { INTERRUPT = 2, SIGNALS = 65 }; /* SIGINT, and one past the last signal, on Linux */

/* Where a script has imported signal, that module knows which handler is to be called. */
static Value interrupt_main(GenVM *vm, Value *args) {
    int64_t number = as_int(args[0]);
    if (number < 1 || number >= SIGNALS) return raise_value(vm, "signal number out of range");
    Value module = dict_get_str(vm, vm->modules, str_intern_from(vm, "signal", 6));
    if (module != VALUE_UNSET) return native_twin(vm, TWIN_INTERRUPT_MAIN, 2, module, args[0]);
    if (number == INTERRUPT) gen_interrupt(vm);
    return vm_after_signal(vm);
}

/* interrupt() as Ctrl-C does. */
static Value interrupt(GenVM *vm, Value *args) {
    (void)args;
    gen_interrupt(vm);
    return vm_after_signal(vm);
}

/* ... but seen at the end of the slice, by what the caller raises an exception for first. */
static Value interrupt_later(GenVM *vm, Value *args) {
    (void)args;
    gen_interrupt(vm);
    return VALUE_NONE;
}

static Value get_ident(GenVM *vm, Value *args) {
    (void)args;
    Threads *threads = threads_get(vm);
    return threads ? ident_of(threads->current) : VALUE_ERROR;
}

/* current() -> the object of the running thread, or None. */
static Value current(GenVM *vm, Value *args) {
    (void)args;
    Threads *threads = threads_get(vm);
    if (!threads) return VALUE_ERROR;
    Value object = threads->current->object;
    return object == VALUE_UNSET ? VALUE_NONE : object;
}

static Value set_current(GenVM *vm, Value *args) {
    Threads *threads = threads_get(vm);
    if (!threads) return VALUE_ERROR;
    threads->current->object = args[0];
    gc_barrier(vm, threads->current);
    return VALUE_NONE;
}

static Value is_main(GenVM *vm, Value *args) {
    (void)args;
    return bool_value(!vm->threads || vm->threads->current == vm->threads->main);
}

static Value count(GenVM *vm, Value *args) {
    (void)args;
    return int_value(vm->threads ? vm->threads->count - 1 : 0);
}

static Value yield_now(GenVM *vm, Value *args) {
    return (void)args, threads_yield(vm);
}

static Value let_begin(GenVM *vm, Value *args) {
    return (void)args, threads_let_begin(vm);
}

static Value should_park(GenVM *vm, Value *args) {
    return (void)args, bool_value(threads_should_park(vm));
}

static Value add_local(GenVM *vm, Value *args) {
    return threads_add_local(vm, args[0]) ? VALUE_NONE : VALUE_ERROR;
}

static Value allocate_lock(GenVM *vm, Value *args) {
    return (void)args, lock_new(vm, TYPE_LOCK);
}

/* semaphore(value): a lock that so many may have, or more, once others have released it. */
static Value semaphore(GenVM *vm, Value *args) {
    Value v = lock_new(vm, TYPE_LOCK);
    if (v == VALUE_ERROR) return v;
    AS(Lock, v)->counting = true;
    AS(Lock, v)->count = as_int(args[0]);
    return v;
}

static const NativeDef functions[] = {
    {"_start(function, args: tuple, kwargs: dict, object, /)", start, NULL},
    {"start_new_thread(function, args, kwargs=?, /)", start_new_thread,
     "Start a new thread that calls function(*args, **kwargs); return its identifier."},
    {"start_new(function, args, kwargs=?, /)", start_new_thread, NULL},
    {"exit()", leave, "Raise SystemExit: ends the thread quietly unless it is caught."},
    {"exit_thread()", leave, "The same as exit()."},
    {"interrupt_main(signum: index = 2, /)", interrupt_main,
     "Let the main thread run the handler of the signal, by default that of Ctrl-C."},
    {"_interrupt()", interrupt, NULL},
    {"_interrupt_later()", interrupt_later, NULL},
    {"get_ident()", get_ident,
     "Return a non-zero integer that identifies the running thread among those that exist."},
    {"_current()", current, NULL},
    {"_set_current(object, /)", set_current, NULL},
    {"_is_main()", is_main, NULL},
    {"_count()", count, "Return the number of threads, the main one not included."},
    {"_yield()", yield_now, NULL},
    {"_let_begin()", let_begin, NULL},
    {"_should_park()", should_park, NULL},
    {"_add_local(object, /)", add_local, NULL},
    {"allocate_lock()", allocate_lock, "Create a new lock object."},
    {"allocate()", allocate_lock, "Create a new lock object."},
    {"_semaphore(value: index, /)", semaphore, NULL},
    {NULL, NULL, NULL},
};

static bool set(GenVM *vm, Module *module, const char *name, Value value) {
    Value key = str_intern_from(vm, name, strlen(name));
    return value != VALUE_ERROR && key != VALUE_ERROR && dict_set_str(vm, module->dict, key, value);
}

static bool init(GenVM *vm, Module *module) {
    thread_wait_prepare(vm);
    return set(vm, module, "LockType", object_value(vm->types[TYPE_LOCK])) &&
           set(vm, module, "lock", object_value(vm->types[TYPE_LOCK])) &&
           set(vm, module, "RLock", object_value(vm->types[TYPE_RLOCK])) &&
           set(vm, module, "error", object_value(vm->types[EXC_RUNTIME_ERROR])) &&
           set(vm, module, "TIMEOUT_MAX", float_value(vm, 9223372036.0));
}

const NativeModule thread_module = {"_thread", functions, init};
