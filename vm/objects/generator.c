/* generator.c - the types generator and coroutine: what scripts see of the frames of
 * vm/generator.c. */
#include "vm/generator.h"
#include "vm/frame_object.h"
#include "vm/runtime.h"
#include "vm/objects.h"

Value generator_get_name(GenVM *vm, Value self) {
    return (void)vm, generator_function(AS(Generator, self))->name;
}
Value generator_get_qualname(GenVM *vm, Value self) {
    return (void)vm, generator_function(AS(Generator, self))->qualname;
}

/* A generator has no names of its own: one that is renamed gets a function of its own. */
static Function *own_function(GenVM *vm, Generator *generator) {
    Function *function = generator_function(generator);
    Function *own = gc_new(vm, sizeof *own, TYPE_FUNCTION);
    if (!own) return NULL;
    Object header = own->header;
    *own = *function;
    own->header.gc = header.gc;
    generator->links[FRAME_LINKS + FRAME_FUNCTION] = object_value(own);
    gc_barrier(vm, generator);
    return own;
}

static bool check_name(GenVM *vm, Value value, const char *which) {
    if (value != VALUE_UNSET && value_is_str(value)) return true;
    raise_type(vm, "%s must be set to a string object", which);
    return false;
}
bool generator_set_name(GenVM *vm, Value self, Value value) {
    if (!check_name(vm, value, "__name__")) return false;
    Function *own = own_function(vm, AS(Generator, self));
    if (own) own->name = value;
    return own != NULL;
}
bool generator_set_qualname(GenVM *vm, Value self, Value value) {
    if (!check_name(vm, value, "__qualname__")) return false;
    Function *own = own_function(vm, AS(Generator, self));
    if (own) own->qualname = value;
    return own != NULL;
}

static Value code_of(GenVM *vm, Value self) {
    return (void)vm, object_value(generator_function(AS(Generator, self))->code);
}
static Value frame_of(GenVM *vm, Value self) {
    return frame_object_of_generator(vm, AS(Generator, self));
}
static Value is_running(GenVM *vm, Value self) {
    return (void)vm, bool_value(generator_is_running(AS(Generator, self)));
}
static Value is_suspended(GenVM *vm, Value self) {
    (void)vm;
    Generator *generator = AS(Generator, self);
    return bool_value(generator->header.state < GENERATOR_RUNNING &&
                      !generator_unstarted(generator) && !generator_is_running(generator));
}

static Value delegate_of(GenVM *vm, Value self) {
    (void)vm;
    Generator *generator = AS(Generator, self);
    if ((generator->header.state != GENERATOR_DELEGATING &&
         generator->header.state != GENERATOR_ITERATING) ||
        generator_is_running(generator))
        return VALUE_NONE;
    return generator->regs[instr_b(generator->pc[-1])];
}

Value generator_origin(GenVM *vm) {
    Value list = list_new(vm, 0), *base;
    uint32_t word;
    for (uint64_t i = 0; i < vm->origin_depth && frame_script_at(vm, (int64_t)i, &base, &word);
         i++) {
        const Code *code = frame_code(base);
        bool known = code->positions && word < code->instr_count;
        Value line = int_value(known ? code->positions[word].line : code->first_line);
        Value place = tuple_pack(vm, 3, code->filename, line, code->name);
        if (list == VALUE_ERROR || place == VALUE_ERROR || !list_append(vm, list, place))
            return VALUE_ERROR;
    }
    if (list == VALUE_ERROR) return VALUE_ERROR;
    return tuple_from_array(vm, AS_LIST(list)->items, AS_LIST(list)->count);
}

static Value origin_of(GenVM *vm, Value self) {
    (void)vm;
    if (!(as_object(self)->flags & COROUTINE_ORIGIN)) return VALUE_NONE;
    return *generator_hook(AS(Generator, self));
}

static Value repr(GenVM *vm, Value self) {
    return str_format(vm, "<%s object %S at %p>", type_name(vm, self),
                      generator_get_qualname(vm, self), (void *)as_object(self));
}

static Value generator_iter(GenVM *vm, Value self) {
    return (void)vm, self;
}
static Value next(GenVM *vm, Value self) {
    return native_resume(vm, self, VALUE_NONE);
}
Value generator_send_method(GenVM *vm, Value *args) {
    return native_resume(vm, args[0], args[1]);
}
Value generator_close_method(GenVM *vm, Value *args) {
    return native_close(vm, args[0]);
}

/* throw(exception) or throw(class[, value[, traceback]]): anything but an instance is made one by a
 * twin. */
Value generator_throw_method(GenVM *vm, Value *args) {
    if (is_kind(args[1], KIND_EXCEPTION) && args[2] == VALUE_UNSET)
        return native_throw(vm, args[0], args[1]);
    if (is_type(args[1]) && args[2] == VALUE_UNSET &&
        type_is_subclass(type_from(args[1]), vm->types[EXC_BASE_EXCEPTION]) &&
        !type_from(args[1])->overrides_construct) {
        Value exception = exception_new_of(vm, type_from(args[1]), vm->empty_tuple);
        if (exception == VALUE_ERROR) return VALUE_ERROR;
        return native_throw(vm, args[0], exception);
    }
    bool single = args[2] == VALUE_UNSET && args[3] == VALUE_UNSET;
    return native_twin(vm, single ? TWIN_GENERATOR_THROW : TWIN_GENERATOR_THROW_THREE, 4, args[0],
                       args[1], args[2] == VALUE_UNSET ? VALUE_NONE : args[2],
                       args[3] == VALUE_UNSET ? VALUE_NONE : args[3]);
}

static Value await_coroutine(GenVM *vm, Value *args) {
    return runtime_generator(vm, TWIN_COROUTINE_RUNNER, vm->types[TYPE_COROUTINE_WRAPPER], 1,
                             args[0]);
}

#define COMMON_METHODS                                                                             \
    {"send(self, value, /)", generator_send_method,                                                \
     "Resume, with value as the result of the yield; the next yielded value."},                    \
        {"throw(self, typ, val=?, tb=?, /)", generator_throw_method,                               \
         "Raise the exception at the yield; the next yielded value."},                             \
    {                                                                                              \
        "close(self, /)", generator_close_method,                                                  \
            "Raise GeneratorExit at the yield: cleanup runs, the generator is finished."           \
    }

static const NativeDef generator_methods[] = {
    COMMON_METHODS,
    {"classmethod __class_getitem__(cls, item, /)", generic_alias_method, "See PEP 585."},
    {NULL, NULL, NULL},
};
static const NativeDef coroutine_methods[] = {
    COMMON_METHODS,
    {"__await__(self, /)", await_coroutine, "An iterator that runs the coroutine."},
    {"classmethod __class_getitem__(cls, item, /)", generic_alias_method, "See PEP 585."},
    {NULL, NULL, NULL},
};

static const AttributeDef generator_attributes[] = {
    {"__name__", generator_get_name, generator_set_name, "Name of the generator."},
    {"__qualname__", generator_get_qualname, generator_set_qualname,
     "Qualified name of the generator."},
    {"gi_code", code_of, NULL, "Its code."},
    {"gi_frame", frame_of, NULL, "Its frame; None when finished."},
    {"gi_running", is_running, NULL, "Is it running."},
    {"gi_suspended", is_suspended, NULL, "Is it waiting at a yield."},
    {"gi_yieldfrom", delegate_of, NULL, "The object it delegates to by yield from, or None."},
    {NULL, NULL, NULL, NULL},
};
static const AttributeDef coroutine_attributes[] = {
    {"__name__", generator_get_name, generator_set_name, "Name of the coroutine."},
    {"__qualname__", generator_get_qualname, generator_set_qualname,
     "Qualified name of the coroutine."},
    {"cr_code", code_of, NULL, "Its code."},
    {"cr_frame", frame_of, NULL, "Its frame; None when finished."},
    {"cr_running", is_running, NULL, "Is it running."},
    {"cr_suspended", is_suspended, NULL, "Is it waiting at an await."},
    {"cr_origin", origin_of, NULL,
     "Where it was made, if sys.set_coroutine_origin_tracking_depth() asked for it; or None."},
    {"cr_await", delegate_of, NULL, "The object it awaits, or None."},
    {NULL, NULL, NULL, NULL},
};

const BuiltinType generator_type = {
    .name = "generator",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Generator),
    .doc = "A suspended call that yields values.",
    .methods = generator_methods,
    .attributes = generator_attributes,
    .slots = {.repr = repr, .iter = generator_iter, .next = next, .trace = generator_trace},
};

const BuiltinType coroutine_type = {
    .name = "coroutine",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Generator),
    .doc = "A suspended call of an async function.",
    .methods = coroutine_methods,
    .attributes = coroutine_attributes,
    .slots = {.repr = repr, .trace = generator_trace},
};

static const NativeDef wrapper_methods[] = {COMMON_METHODS, {NULL, NULL, NULL}};

/* What coroutine.__await__() gives: a prelude generator in another coat (see runtime_generator). */
const BuiltinType coroutine_wrapper_type = {
    .name = "coroutine_wrapper",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Generator),
    .doc = "An iterator that runs a coroutine.",
    .methods = wrapper_methods,
    .slots = {.iter = generator_iter, .next = next, .trace = generator_trace},
};
