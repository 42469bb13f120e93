/* async_generator.c - async generators: generators whose yields are told apart from their awaits.
 *
 * What scripts await is a step (asend, athrow, aclose, __anext__): a prelude generator in another
 * coat (async_step in engine.gen) that resumes the async generator's frame. What comes out of the
 * frame is either something that an await inside it passes up, which the step yields on, or a value
 * that the generator itself yields: YIELDWRAP hands that over in a Wrapped object, which ends the
 * step.
 */
#include "vm/generator.h"
#include "vm/frame_object.h"
#include "vm/objects.h"
#include "vm/runtime.h"

bool async_generator_yield(GenVM *vm, Value v) {
    Value wrapped =
        cell_new(vm, v); /* no script can get hold of this cell, so a cell is unmistakable */
    if (wrapped == VALUE_ERROR) return false;
    if (instr_c(vm->pc[-1]) != 1) vm->base[instr_a(vm->pc[-1])] = VALUE_NONE;
    return generator_yield(vm, wrapped);
}

static Value make_step(GenVM *vm, Value self, Value mode, Value value) {
    TypeId type = str_is(mode, "send") ? TYPE_ASYNC_GENERATOR_STEP : TYPE_ASYNC_GENERATOR_THROW;
    return runtime_generator(vm, TWIN_ASYNC_STEP, vm->types[type], 4, self, mode, value,
                             VALUE_NONE);
}

/* The hooks of sys.set_asyncgen_hooks see a generator when its first step is made. */
static Value step(GenVM *vm, Value self, const char *kind, Value value) {
    Value mode = str_intern_from(vm, kind, strlen(kind));
    if (mode == VALUE_ERROR) return VALUE_ERROR;
    Value *hook = generator_hook(AS(Generator, self));
    if (likely(*hook != VALUE_UNSET)) return make_step(vm, self, mode, value);
    Value finalizer = vm->roots[ROOT_FINALIZER], first = vm->roots[ROOT_FIRSTITER];
    *hook = finalizer == VALUE_UNSET ? VALUE_NONE : finalizer;
    gc_barrier(vm, as_object(self));
    if (*hook != VALUE_NONE && !(as_object(self)->gc & GC_FINALIZABLE))
        gc_finalizable(vm, as_object(self));
    if (first == VALUE_UNSET) return make_step(vm, self, mode, value);
    return native_twin(vm, TWIN_ASYNC_FIRST, 4, first, self, mode, value);
}

static Value method_anext(GenVM *vm, Value *args) {
    return step(vm, args[0], "send", VALUE_NONE);
}
static Value method_asend(GenVM *vm, Value *args) {
    return step(vm, args[0], "send", args[1]);
}
static Value method_aclose(GenVM *vm, Value *args) {
    return step(vm, args[0], "close", VALUE_NONE);
}
static Value method_aiter(GenVM *vm, Value *args) {
    return (void)vm, args[0];
}

static Value or_none(Value v) {
    return v == VALUE_UNSET ? VALUE_NONE : v;
}

static Value method_athrow(GenVM *vm, Value *args) {
    Value packed = tuple_pack(vm, 3, args[1], or_none(args[2]), or_none(args[3]));
    if (packed == VALUE_ERROR) return VALUE_ERROR;
    if (args[2] != VALUE_UNSET || args[3] != VALUE_UNSET)
        return native_twin(vm, TWIN_ASYNC_THROW_THREE, 2, args[0], packed);
    return step(vm, args[0], "throw", packed);
}

static Value code_of(GenVM *vm, Value self) {
    return (void)vm, object_value(generator_function(AS(Generator, self))->code);
}
static Value frame_of(GenVM *vm, Value self) {
    return frame_object_of_generator(vm, AS(Generator, self));
}
static Value is_running(GenVM *vm, Value self) {
    (void)vm; /* a step may be suspended */
    return bool_value(generator_is_running(AS(Generator, self)) ||
                      as_object(self)->flags & AGEN_RUNNING);
}
static Value is_suspended(GenVM *vm, Value self) {
    (void)vm;
    Generator *generator = AS(Generator, self);
    return bool_value(generator->header.state < GENERATOR_RUNNING &&
                      !generator_unstarted(generator) && !generator_is_running(generator));
}
static Value awaited(GenVM *vm, Value self) {
    (void)vm;
    Generator *generator = AS(Generator, self);
    if ((generator->header.state != GENERATOR_DELEGATING &&
         generator->header.state != GENERATOR_ITERATING) ||
        generator_is_running(generator))
        return VALUE_NONE;
    return generator->regs[instr_b(generator->pc[-1])];
}

static Value repr(GenVM *vm, Value self) {
    return str_format(vm, "<async_generator object %S at %p>", generator_get_qualname(vm, self),
                      (void *)as_object(self));
}

static const NativeDef methods[] = {
    {"__aiter__(self, /)", method_aiter, NULL},
    {"__anext__(self, /)", method_anext, NULL},
    {"asend(self, value, /)", method_asend,
     "An awaitable that resumes with value as the result of the yield."},
    {"athrow(self, typ, val=?, tb=?, /)", method_athrow, "An awaitable that raises at the yield."},
    {"aclose(self, /)", method_aclose,
     "An awaitable that finishes the generator with GeneratorExit."},
    {"classmethod __class_getitem__(cls, item, /)", generic_alias_method, "See PEP 585."},
    {NULL, NULL, NULL},
};

static const AttributeDef attributes[] = {
    {"__name__", generator_get_name, generator_set_name, "Name of the async generator."},
    {"__qualname__", generator_get_qualname, generator_set_qualname,
     "Qualified name of the async generator."},
    {"ag_code", code_of, NULL, "Its code."},
    {"ag_frame", frame_of, NULL, "Its frame; None when finished."},
    {"ag_running", is_running, NULL, "Is it running."},
    {"ag_suspended", is_suspended, NULL, "Is it waiting at a yield."},
    {"ag_await", awaited, NULL, "The object it awaits, or None."},
    {NULL, NULL, NULL, NULL},
};

const BuiltinType async_generator_type = {
    .name = "async_generator",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Generator),
    .doc = "A suspended call of an async function that yields.",
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = repr, .trace = generator_trace},
};

/* The parameters of async_step, which are changed while a step is not started. */
enum { STEP_GENERATOR, STEP_MODE, STEP_VALUE, STEP_THROWN, STEP_PARAMETERS };

/* Not started; and not something else that an image says is one. */
static bool is_new_step(Generator *step) {
    return generator_unstarted(step) &&
           generator_function(step)->code->arg_count == STEP_PARAMETERS &&
           is_kind(step->regs[STEP_GENERATOR], TYPE_ASYNC_GENERATOR);
}

static Value step_iter(GenVM *vm, Value self) {
    return (void)vm, self;
}
static Value step_next(GenVM *vm, Value self) {
    return native_resume(vm, self, VALUE_NONE);
}

/* The first value sent to asend() takes the place of its own. */
static Value step_send(GenVM *vm, Value *args) {
    Generator *step = AS(Generator, args[0]);
    if (args[1] == VALUE_NONE || !is_new_step(step)) return native_resume(vm, args[0], args[1]);
    if (step->header.shape == TYPE_ASYNC_GENERATOR_STEP) {
        step->regs[STEP_VALUE] = args[1];
        gc_barrier(vm, step);
        return native_resume(vm, args[0], VALUE_NONE);
    }
    Generator *generator = AS(Generator, step->regs[STEP_GENERATOR]);
    if (generator->header.state == GENERATOR_DONE || generator->header.flags)
        return native_resume(vm, args[0], VALUE_NONE);
    return raise_runtime(vm, "can't send non-None value to a just-started coroutine");
}
static Value step_await(GenVM *vm, Value *args) {
    return (void)vm, args[0];
}
static Value step_close(GenVM *vm, Value *args) {
    if (!is_new_step(AS(Generator, args[0]))) return native_close(vm, args[0]);
    return native_twin(vm, TWIN_ASYNC_STEP_CLOSE, 1, args[0]);
}

/* Before the first step the exception is handed over: it is the async generator where it is raised.
 */
static Value throw_into_step(GenVM *vm, Value self, Value exception) {
    Generator *step = AS(Generator, self);
    if (!is_new_step(step)) return native_throw(vm, self, exception);
    step->regs[STEP_THROWN] = exception;
    gc_barrier(vm, step);
    return native_resume(vm, self, VALUE_NONE);
}
static Value step_throw(GenVM *vm, Value *args) {
    Generator *step = AS(Generator, args[0]);
    if (step->header.state == GENERATOR_DONE) return generator_raise_reused(vm, step);
    if (is_kind(args[1], KIND_EXCEPTION) && args[2] == VALUE_UNSET)
        return throw_into_step(vm, args[0], args[1]);
    Twin twin = args[2] == VALUE_UNSET ? TWIN_ASYNC_STEP_THROW : TWIN_GENERATOR_THROW_THREE;
    return native_twin(vm, twin, 4, args[0], args[1], or_none(args[2]), or_none(args[3]));
}

static const NativeDef step_methods[] = {
    {"__await__(self, /)", step_await, NULL},
    {"send(self, value, /)", step_send, NULL},
    {"throw(self, typ, val=?, tb=?, /)", step_throw, NULL},
    {"close(self, /)", step_close, NULL},
    {NULL, NULL, NULL},
};

const BuiltinType async_generator_step_type = {
    .name = "async_generator_asend",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Generator),
    .doc = "A step of an async generator, to be awaited.",
    .methods = step_methods,
    .slots = {.iter = step_iter, .next = step_next, .trace = generator_trace},
};

const BuiltinType async_generator_throw_type = {
    .name = "async_generator_athrow",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Generator),
    .doc = "An exception on its way into an async generator, to be awaited.",
    .methods = step_methods,
    .slots = {.iter = step_iter, .next = step_next, .trace = generator_trace},
};

const BuiltinType anext_awaitable_type = {
    .name = "anext_awaitable",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Generator),
    .doc = "The next item of an async iterator or a default, to be awaited.",
    .methods = step_methods,
    .slots = {.iter = step_iter, .next = step_next, .trace = generator_trace},
};

/* ---- natives for async_step ---- */

static Value unwrap(GenVM *vm, Value *args) {
    return (void)vm, AS(Cell, args[0])->value;
}
static Value is_wrapped(GenVM *vm, Value *args) {
    return (void)vm, bool_value(is_kind(args[0], TYPE_CELL));
}
static Value agen_send(GenVM *vm, Value *args) {
    return native_resume(vm, args[0], args[1]);
}
static Value agen_throw(GenVM *vm, Value *args) {
    return native_throw(vm, args[0], args[1]);
}
static Value agen_finished(GenVM *vm, Value *args) {
    return (void)vm, bool_value(AS(Generator, args[0])->header.state == GENERATOR_DONE);
}
static Value agen_claim(GenVM *vm, Value *args) {
    (void)vm;
    Object *object = as_object(args[0]);
    bool free = !(object->flags & AGEN_RUNNING);
    object->flags |= AGEN_RUNNING;
    return bool_value(free);
}
static Value agen_release(GenVM *vm, Value *args) {
    (void)vm;
    as_object(args[0])->flags &= (uint8_t)~AGEN_RUNNING;
    return VALUE_NONE;
}
static Value agen_close(GenVM *vm, Value *args) {
    (void)vm;
    as_object(args[0])->flags |= AGEN_CLOSED;
    return VALUE_NONE;
}
static Value agen_is_closed(GenVM *vm, Value *args) {
    return (void)vm, bool_value(as_object(args[0])->flags & AGEN_CLOSED);
}

static Value agen_athrow(GenVM *vm, Value *args) {
    return step(vm, args[0], "throw", args[1]);
}
/* (the async generator, the name of the method) that has made a step which is not started. */
static Value step_origin(GenVM *vm, Value *args) {
    Generator *generator = AS(Generator, args[0]);
    if (!is_new_step(generator)) return raise_type(vm, "a step that is not started is expected");
    Value name = generator->regs[STEP_MODE];
    const char *method = str_is(name, "send")    ? "asend"
                         : str_is(name, "throw") ? "athrow"
                                                 : "aclose";
    Value text = str_intern_from(vm, method, strlen(method));
    return text == VALUE_ERROR ? VALUE_ERROR
                               : tuple_pack(vm, 2, generator->regs[STEP_GENERATOR], text);
}

static Value agen_step(GenVM *vm, Value *args) {
    return make_step(vm, args[0], args[1], args[2]);
}

static Value hook_or_none(GenVM *vm, int root) {
    return vm->roots[root] == VALUE_UNSET ? VALUE_NONE : vm->roots[root];
}
static Value get_hooks(GenVM *vm, Value *args) {
    (void)args;
    return tuple_pack(vm, 2, hook_or_none(vm, ROOT_FIRSTITER), hook_or_none(vm, ROOT_FINALIZER));
}
static Value set_hooks(GenVM *vm, Value *args) {
    vm->roots[ROOT_FIRSTITER] = args[0] == VALUE_NONE ? VALUE_UNSET : args[0];
    vm->roots[ROOT_FINALIZER] = args[1] == VALUE_NONE ? VALUE_UNSET : args[1];
    return VALUE_NONE;
}

typedef struct Search {
    Value hook, list;
} Search;

static void add_if_hooked(GenVM *vm, Object *object, void *context) {
    Search *search = context;
    if (object->kind != TYPE_ASYNC_GENERATOR || object->state == GENERATOR_DONE) return;
    Value hook = *generator_hook((Generator *)object);
    if (hook == VALUE_UNSET || hook == VALUE_NONE || search->list == VALUE_ERROR) return;
    if (leaf_equal(vm, hook, search->hook) != LEAF_TRUE) return;
    if (!list_append(vm, search->list, object_value(object))) search->list = VALUE_ERROR;
}

/* Those that were iterated while `hook` was the finalizer hook, and are not finished. */
static Value async_generators(GenVM *vm, Value *args) {
    Search search = {args[0], list_new(vm, 0)};
    gc_each_finalizable(vm, add_if_hooked, &search);
    return search.list;
}

/* (filename, line) where a coroutine that is not started was made. */
static Value coroutine_origin(GenVM *vm, Value *args) {
    Generator *generator = AS(Generator, args[0]);
    if (!generator->dest || !generator_unstarted(generator)) return VALUE_NONE;
    Value maker = (Value)(uintptr_t)generator->dest;
    if (!is_kind(maker, TYPE_FUNCTION)) return VALUE_NONE;
    Code *code = AS(Function, maker)->code;
    uint64_t word = (uint64_t)(generator->exit_pc - code->instrs) - 1;
    bool known = code->positions && word < code->instr_count;
    Value line = int_value(known ? code->positions[word].line : code->first_line);
    Value globals = object_value(AS(Function, maker)->globals);
    return tuple_pack(vm, 3, code->filename, line, globals);
}

const NativeDef engine_async_natives[] = {
    {"agen_step(generator: generator, mode: str, value, /)", agen_step, NULL},
    {"get_asyncgen_hooks()", get_hooks, NULL},
    {"set_asyncgen_hooks(firstiter, finalizer, /)", set_hooks, NULL},
    {"async_generators(hook, /)", async_generators,
     "The unfinished async generators that have this finalizer hook."},
    {"coroutine_origin(coroutine: generator, /)", coroutine_origin,
     "(filename, line, globals) where a coroutine that is not started was made."},
    {"unwrap(wrapped: cell, /)", unwrap, NULL},
    {"is_wrapped(value, /)", is_wrapped, NULL},
    {"agen_send(generator: generator, value, /)", agen_send, NULL},
    {"agen_throw(generator: generator, exception: exception, /)", agen_throw, NULL},
    {"agen_finished(generator: generator, /)", agen_finished, NULL},
    {"agen_claim(generator: generator, /)", agen_claim,
     "A step begins: False if another one is under way."},
    {"agen_release(generator: generator, /)", agen_release, NULL},
    {"agen_close(generator: generator, /)", agen_close, "aclose() has begun."},
    {"agen_is_closed(generator: generator, /)", agen_is_closed, NULL},
    {"agen_athrow(generator: generator, packed: tuple, /)", agen_athrow, NULL},
    {"step_origin(step: generator, /)", step_origin, NULL},
    {NULL, NULL, NULL},
};
