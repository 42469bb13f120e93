/* runtime.c - what the engine does between instructions and between runs: safepoints, finalizers,
 * interrupts, calls from the host, the loading of twins.
 */
#include "vm/bind.h"
#include "vm/call.h"
#include "vm/continue.h"
#include "vm/generator.h"
#include "vm/interp.h"
#include "vm/objects.h"
#include "vm/runtime.h"
#include "vm/threads.h"
#include "vm/weak.h"

#ifdef GEN_STRESS_GC
enum { FUEL_SLICE = 0 };
#else
enum { FUEL_SLICE = 20000 }; /* steps between two polls */
#endif

/* ---- safepoints ---- */

#ifdef GEN_STRESS_GC
/* Every safepoint collects for as long as most tests run; later only some, so that long loops end.
 */
static void stress(GenVM *vm) {
    uint64_t seen = vm->safepoints++;
    bool full = vm->poll & POLL_GC_FULL; /* asked for by name */
    if (!full && seen >= 2000 && seen % 64) return;
    bool slices = seen / 256 % 2; /* collections at once and in slices take turns */
    if (slices && seen % 64 == 0) gc_stress_cycle(vm);
    gc_collect(vm, full || (!slices && seen % 4 == 0));
}
#endif

/* Is a finalizer under way, or the report of what it raised? No other begins meanwhile: what it
 * owns must be as it left it. Or may those of a script that had a budget wait for a task, since
 * nothing would end them here? */
bool vm_is_finalizing(GenVM *vm) {
    if (vm->is_ending || (vm->is_budgeted && !vm->task)) return true;
    for (Value *base = vm->base; base; base = frame_caller(base))
        if (continue_is_stub(vm, frame_function(base)) &&
            continue_kind(vm, frame_function(base)) == RETURN_FINALIZER)
            return true;
    return false;
}

/* The pc of a safepoint is that of the instruction to come, which the caller steps over when it
 * raises; GeneratorExit is raised by the yield before the generator's pc. */
static bool finalize_generator(GenVM *vm, Generator *generator) {
    const Value *base = vm->base;
    if (generator_finalize(vm, generator)) return true;
    if (vm->base != base) vm->pc--;
    return false;
}

static bool run_finalizers(GenVM *vm) {
    if (vm_is_finalizing(vm)) { /* its end sets it again */
        vm->poll &= ~(uint32_t)POLL_FINALIZE;
        return true;
    }
    while (vm->pending_count) {
        Object *object = vm->pending_finalizers[--vm->pending_count];
        if (object->kind == TYPE_GENERATOR || object->kind == TYPE_COROUTINE ||
            object->kind == TYPE_ASYNC_GENERATOR) {
            if (!finalize_generator(vm, (Generator *)object)) return false;
        } else if (object->kind == TYPE_WEAKREF) {
            Value reference = object_value(object), callback = weakref_callback(object);
            if (!frame_push_continuation(vm, RETURN_FINALIZER, 1, callback)) return false;
            if (!call_value(vm, callback, 1, &reference)) return false;
        } else {
            Value v = object_value(object);
            Value method = type_find_special(vm, type_of(vm, v), SP_DEL);
            if (method == VALUE_UNSET) continue;
            if (!frame_push_continuation(vm, RETURN_FINALIZER, 1, v)) return false;
            if (!call_result(vm, special_call(vm, method, v, 0))) return false;
        }
        return true; /* one at a time: it runs now, the rest at the next safepoint */
    }
    vm->poll &= ~(uint32_t)POLL_FINALIZE;
    return true;
}

/* KeyboardInterrupt, or the call of what a script wants done instead. */
static bool take_interrupt(GenVM *vm) {
    vm->interrupted = 0;
    vm->poll &= ~(uint32_t)POLL_INTERRUPT;
    Value handler = vm->roots[ROOT_ON_INTERRUPT];
    if (handler == VALUE_UNSET) {
        raise_with_args(vm, EXC_KEYBOARD_INTERRUPT, vm->empty_tuple);
        return false;
    }
    if (!frame_push_continuation(vm, RETURN_INTERRUPT, 0)) return false;
    return call_value(vm, handler, 0, NULL);
}

bool vm_safepoint(GenVM *vm) {
    if (vm->in_prelude) {
        vm->fuel_kept = 0;
        vm->fuel = INT64_MAX / 8;
        return true;
    }
    vm->steps_done += vm->fuel_slice - vm->fuel - vm->fuel_kept;
    vm->fuel_kept = 0;
    vm->fuel = vm->fuel_slice = 0;
#ifdef GEN_STRESS_GC
    stress(vm);
#else
    if (vm->poll & (POLL_GC | POLL_GC_FULL)) gc_collect(vm, vm->poll & POLL_GC_FULL);
#endif
    if (vm->memory_limit && gc_live_bytes(vm) > vm->memory_limit) {
        gc_collect(vm, true);
        if (gc_live_bytes(vm) > vm->memory_limit) {
            raise_memory(vm);
            return false;
        }
    }
    if (unlikely(vm->poll & POLL_MEMORY)) {
        vm->poll &= ~(uint32_t)POLL_MEMORY;
        raise_memory(vm);
        return false;
    }
    vm->poll &= ~(uint32_t)(POLL_BUDGET | POLL_INTERRUPT);
    if (vm->task && !budget_safepoint(vm)) return false;
    if (unlikely(vm->interrupted)) {
        if (threads_main_takes(vm)) { /* the handler has the turn, however many signals come */
            vm->fuel = vm->fuel_slice = vm->task ? budget_slice(vm, FUEL_SLICE) : FUEL_SLICE;
            return take_interrupt(vm);
        }
        if (vm->stop) return false;
    }
    vm->fuel = vm->fuel_slice = vm->task ? budget_slice(vm, FUEL_SLICE) : FUEL_SLICE;
    if (unlikely(vm->poll & POLL_FINALIZE) && !vm->finalizing) return run_finalizers(vm);
    return !vm->threads || threads_safepoint(vm);
}

bool vm_poll_native(GenVM *vm) {
    vm->fuel_kept += vm->fuel;
    vm->fuel = 0;
    vm->poll |= POLL_BUDGET; /* a safepoint is due when the native has returned */
    if (vm->task && budget_is_outrun(vm)) return raise_memory(vm), false;
    if (budget_stops_work(vm)) return false;
    bool handled = vm->roots[ROOT_ON_INTERRUPT] != VALUE_UNSET || !threads_is_main(vm);
    if (vm->interrupted && handled)
        vm->poll |= POLL_INTERRUPT; /* the native goes on, the call is made when it has returned */
    if (!vm->interrupted || handled) {
        vm->fuel_kept -= FUEL_SLICE;
        vm->fuel = FUEL_SLICE;
        return true;
    }
    vm->interrupted = 0;
    raise_with_args(vm, EXC_KEYBOARD_INTERRUPT, vm->empty_tuple);
    return false;
}

bool vm_interrupt_waits(GenVM *vm) {
    if (!vm->interrupted || vm->roots[ROOT_ON_INTERRUPT] == VALUE_UNSET || !threads_is_main(vm))
        return false;
    vm->poll |= POLL_INTERRUPT | POLL_BUDGET; /* before the script makes another call */
    vm->fuel_kept += vm->fuel;
    vm->fuel = 0;
    return true;
}

Value vm_after_signal(GenVM *vm) {
    if (!vm->interrupted) return VALUE_NONE;
    if (vm_interrupt_waits(vm)) return native_twin(vm, TWIN_NOTHING, 0);
    return vm_poll_native(vm) ? VALUE_NONE : VALUE_ERROR;
}

/* ---- calls from the host ---- */

bool runtime_enter(GenVM *vm) {
    if (likely(vm->c_depth < C_DEPTH_MOST)) return true;
    raise_error(vm, EXC_RECURSION_ERROR, "maximum recursion depth exceeded in calls from C");
    return false;
}

static bool start_call(GenVM *vm, Value callable, uint32_t count, const Value *args) {
    return callable == VALUE_UNSET ? call_tail(vm) : call_value(vm, callable, count, args);
}

/* `callable` VALUE_UNSET: the call in vm->tail. */
static Value run(GenVM *vm, Value callable, uint32_t count, const Value *args) {
    const Instr *pc = vm->pc;
    ptrdiff_t offset = vm->base ? vm->base - vm->stack : 0;
    Value *base = vm->base;
    bool on_stack = base >= vm->stack && base < vm->stack_end;
    if (!runtime_enter(vm) || !frame_push_continuation(vm, RETURN_HOST, 0)) return VALUE_ERROR;
    vm->nested++;
    vm->c_depth++;
    RunStatus status = interp_continue(vm, start_call(vm, callable, count, args));
    vm->c_depth--;
    vm->nested--;
    vm->aborting = false;
    Value result = status == RUN_RETURNED ? vm->base[0] : VALUE_ERROR;
    if (!vm->nested && vm->poll & POLL_MEMORY) { /* no safepoint has followed */
        vm->poll &= ~(uint32_t)POLL_MEMORY;
        if (result != VALUE_ERROR) result = raise_memory(vm);
    }
    vm->base = on_stack ? vm->stack + offset : base;
    vm->pc = pc;
#ifdef GEN_STRESS_GC
    frame_stack_move(vm);
#endif
    return result;
}

Value vm_call(GenVM *vm, Value callable, uint32_t count, const Value *args) {
    return run(vm, callable, count, args);
}
Value vm_call_tail(GenVM *vm) {
    return run(vm, VALUE_UNSET, 0, NULL);
}

Value vm_unraisable_hook(GenVM *vm) {
    return twin_load(vm, TWIN_UNRAISABLE);
}

void vm_report_unraisable(GenVM *vm, Value error, Value object) {
    Value args[] = {error, object};
    Value function = vm_unraisable_hook(vm);
    if (function == VALUE_ERROR || vm_call(vm, function, 2, args) == VALUE_ERROR) error_clear(vm);
}

/* ---- builtins of a namespace ---- */

Dict *vm_builtins_of(GenVM *vm, Dict *globals) {
    Value own = dict_get_str(vm, globals, name_value(vm, NAME___builtins__));
    if (is_kind(own, TYPE_DICT)) return AS_DICT(own);
    if (is_kind(own, TYPE_MODULE)) return AS(Module, own)->dict;
    return vm->builtins;
}

/* ---- twins ---- */

static const struct {
    const char *module, *name;
} twin_places[] = {
#define TWIN(id, module, name) {#module, #name},
#include "vm/twins.def"
#undef TWIN
};

/* The namespace of prelude file `name`, run if it was not yet. Its body only defines: it runs to
 * its end at once, on a stack of its own, since natives that have their arguments on the script's
 * come here too. */
Dict *prelude_load(GenVM *vm, const char *name) {
    Value full = str_format(vm, "_prelude.%s", name);
    if (full == VALUE_ERROR) return NULL;
    full = str_intern(vm, full);
    if (full == VALUE_ERROR) return NULL;
    Value module = dict_get_str(vm, AS_DICT(vm->prelude), full);
    if (module != VALUE_UNSET) return AS(Module, module)->dict;
    if (!vm->load_prelude) {
        raise_runtime(vm, "this virtual machine has no compiler and no prelude");
        return NULL;
    }
    Value code = vm->load_prelude(vm, name);
    if (code == VALUE_ERROR) return NULL;
    module = module_new(vm, full);
    if (module == VALUE_ERROR) return NULL;
    Dict *dict = AS(Module, module)->dict;
    if (!dict_set_str(vm, dict, name_value(vm, NAME___builtins__), object_value(vm->builtins)))
        return NULL;
    Function *body = function_new(vm, (Code *)as_object(code), dict);
    if (!body || !dict_set_str(vm, AS_DICT(vm->prelude), full, module)) return NULL;
    FrameStack frames = frame_stack_of(vm);
    if (!frame_stack_start(vm)) {
        dict_delete_str(vm, AS_DICT(vm->prelude), full);
        return raise_memory(vm), NULL;
    }
    Value exception = vm->exception,
          handled = vm->handled; /* a twin may be needed while something is pending */
    int64_t fuel = vm->fuel, kept = vm->fuel_kept;
    TailCall tail = vm->tail;
    vm->exception = VALUE_UNSET;
    vm->in_prelude++; /* no collection meanwhile: a native that holds values is waiting */
    vm->fuel = INT64_MAX / 8;
    vm->fuel_kept = 0;
    Value result = vm_call(vm, object_value(body), 0, NULL);
    vm->in_prelude--;
    frame_stack_end(vm, &frames);
    vm->fuel = fuel;
    vm->fuel_kept = kept;
    vm->tail = tail;
    vm->handled = handled;
    if (result == VALUE_ERROR) { /* what it defines is not complete: the next one loads it again */
        dict_delete_str(vm, AS_DICT(vm->prelude), full);
        return NULL;
    }
    vm->exception = exception;
    return dict;
}

Value twin_load(GenVM *vm, Twin twin) {
    Value function = vm->twins[twin];
    if (likely(function != VALUE_UNSET)) return function;
    Dict *dict = prelude_load(vm, twin_places[twin].module);
    if (!dict) return VALUE_ERROR;
    function = dict_get_str(
        vm, dict, str_intern_from(vm, twin_places[twin].name, strlen(twin_places[twin].name)));
    if (function == VALUE_UNSET)
        return raise_runtime(vm, "prelude file %s defines no %s", twin_places[twin].module,
                             twin_places[twin].name);
    vm->twins[twin] = function;
    return function;
}

/* ---- the end of a program ---- */

static void finalize_now(GenVM *vm, Object *object) {
    Value v = object_value(object), result;
    if (is_generator_like(v)) {
        Value argument, function = generator_finalizer(vm, (Generator *)object, &argument);
        if (function == VALUE_UNSET) return;
        if (function == v)
            result = (native_close(vm, v), vm_call_tail(vm));
        else
            result = function == VALUE_ERROR ? function : vm_call(vm, function, 1, &argument);
    } else if (object->kind == TYPE_WEAKREF) {
        Value callback = weakref_callback(object);
        result = vm_call(vm, callback, 1, &v);
        v = callback;
    } else {
        Value method = type_find_special(vm, type_of(vm, v), SP_DEL);
        if (method == VALUE_UNSET) return;
        result = special_call(vm, method, v, 0);
        if (result == VALUE_TAIL) result = vm_call_tail(vm);
    }
    if (result == VALUE_ERROR) vm_report_unraisable(vm, error_take(vm), v);
}

/* What module atexit was told to run; it reports errors itself. */
static void run_exit_functions(GenVM *vm) {
    Value name = str_intern_from(vm, "atexit", 6);
    Value module = name == VALUE_ERROR ? VALUE_UNSET : dict_get_str(vm, vm->modules, name);
    Value run = str_intern_from(vm, "_run_exitfuncs", 14);
    if (!is_kind(module, TYPE_MODULE) || run == VALUE_ERROR) return;
    Value function = dict_get_str(vm, AS(Module, module)->dict, run);
    if (function != VALUE_UNSET && vm_call(vm, function, 0, NULL) == VALUE_ERROR)
        vm_report_unraisable(vm, error_take(vm), function);
}

static void finalize_pending(GenVM *vm) {
    vm->is_ending = true; /* one after the other */
    while (vm->pending_count)
        finalize_now(vm, vm->pending_finalizers[--vm->pending_count]);
    vm->is_ending = false;
}

/* What only the main module reaches is finalized while its names can still be used. */
static void finalize_main(GenVM *vm) {
    Value name = str_intern_from(vm, "__main__", 8);
    Value module = name == VALUE_ERROR ? VALUE_UNSET : dict_get_str(vm, vm->modules, name);
    if (module != vm->main_module || module == VALUE_UNSET) return;
    gc_collect(vm, true);
    finalize_pending(vm);
    dict_delete_str(vm, vm->modules, name);
    vm->main_leaves = true;
    gc_collect(vm, true);
    vm->main_leaves = false;
    dict_set_str(vm, vm->modules, name, module);
    finalize_pending(vm);
}

/* Everything that nothing else than the main module reaches is finalized; then its names are let
 * go, and what that lets go is finalized, a few times over. */
void vm_run_finalizers(GenVM *vm) {
    run_exit_functions(vm);
    if (gc_has_finalizable(vm)) finalize_main(vm);
    Dict *globals = vm->main_module == VALUE_UNSET ? NULL : AS(Module, vm->main_module)->dict;
    uint32_t position = 0;
    Value key, value;
    while (globals && dict_next(globals, &position, &key, &value))
        if (key != name_value(vm, NAME___builtins__)) /* it need not be a str */
            globals->entries[position - 1].value = VALUE_NONE;
    if (!gc_has_finalizable(vm) && !weakrefs_have_callbacks(vm) && !vm->pending_count) return;
    for (int round = 0; round < 4; round++) {
        gc_collect(vm, true);
        if (!vm->pending_count) return;
        finalize_pending(vm);
    }
}
