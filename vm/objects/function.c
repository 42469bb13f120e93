/* function.c - functions written in Gen: code with its globals, closure and defaults. */
#include "vm/code.h"
#include "vm/type_private.h"

static Function *self_function(Value self) {
    return AS(Function, self);
}

/* The state byte: how many arguments a call needs that needs no binding. */
static uint8_t plain_arity(const Code *code) {
    enum {
        BINDS =
            CODE_VARARGS | CODE_VARKEYWORDS | CODE_GENERATOR | CODE_COROUTINE | CODE_ASYNC_GENERATOR
    };
    bool plain = !(code->flags & BINDS) && code->kwonly_count == 0 &&
                 code->arg_count < FUNCTION_COMPLEX && code->regs <= FUNCTION_PLAIN_REGS;
    return plain ? (uint8_t)code->arg_count : FUNCTION_COMPLEX;
}

static bool makes_generator(const Code *code) {
    enum { OTHER_PARAMS = CODE_VARARGS | CODE_VARKEYWORDS };
    return code->flags & (CODE_GENERATOR | CODE_COROUTINE | CODE_ASYNC_GENERATOR) &&
           !(code->flags & OTHER_PARAMS) && code->kwonly_count == 0;
}

static void use_code(Function *function, Code *code) {
    function->code = code;
    function->entry = code->instrs;
    function->consts = code->consts;
    function->regs = code->regs;
    function->header.state = plain_arity(code);
    function->header.flags &= (uint8_t)~FUNCTION_GENERATOR;
    if (makes_generator(code)) function->header.flags |= FUNCTION_GENERATOR;
}

Function *function_new(GenVM *vm, struct Code *code, Dict *globals) {
    Function *function = gc_new(vm, sizeof *function, TYPE_FUNCTION);
    if (!function) return NULL;
    use_code(function, code);
    function->globals = globals;
    function->name = code->name;
    function->qualname = code->qualname;
    function->module = function->doc = VALUE_UNSET;
    function->annotate = function->annotations = function->type_params = VALUE_UNSET;
    return function;
}

static void trace(GenVM *vm, Object *object) {
    Function *function = (Function *)object;
    gc_mark_pointer(vm, function->code);
    gc_mark_pointer(vm, function->globals);
    gc_mark_pointer(vm, function->closure);
    gc_mark_pointer(vm, function->defaults);
    gc_mark_pointer(vm, function->kwdefaults);
    gc_mark_pointer(vm, function->dict);
    gc_mark(vm, function->name);
    gc_mark(vm, function->qualname);
    gc_mark(vm, function->module);
    gc_mark(vm, function->doc);
    gc_mark(vm, function->annotate);
    gc_mark(vm, function->annotations);
    gc_mark(vm, function->type_params);
}

static Value repr(GenVM *vm, Value self) {
    if (as_object(self)->flags & NEVER_METHOD)
        return str_format(vm, "<built-in function %S>", self_function(self)->name);
    return str_format(vm, "<function %S at %p>", self_function(self)->qualname,
                      (void *)as_object(self));
}

static Value descr_get(GenVM *vm, Value self, Value instance, Value owner) {
    (void)owner;
    return instance == VALUE_UNSET ? self : method_new(vm, self, instance);
}

static Value call(GenVM *vm, Value self, Value args, Value kwargs) {
    return native_call_spread(vm, self, args, kwargs);
}

/* types.FunctionType(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None) */
static Value function_construct(GenVM *vm, Value *args) {
    if (!is_kind(args[1], TYPE_CODE))
        return raise_type(vm, "function() argument 'code' must be code, not %T", args[1]);
    Code *code = AS(Code, args[1]);
    uint64_t given = args[5] == VALUE_NONE ? 0 : AS_TUPLE(args[5])->count,
             needed = code->freevars ? code->freevars->count : 0;
    if (given == 0 && needed) return raise_type(vm, "arg 5 (closure) must be tuple");
    if (given != needed)
        return raise_value(vm, "%S requires closure of length %d, not %d", code->name, (int)needed,
                           (int)given);
    for (uint64_t i = 0; i < given; i++)
        if (!is_kind(AS_TUPLE(args[5])->items[i], TYPE_CELL))
            return raise_type(vm, "arg 5 (closure) expected cell, found %T",
                              AS_TUPLE(args[5])->items[i]);
    Function *function = function_new(vm, code, AS_DICT(args[2]));
    if (!function) return VALUE_ERROR;
    if (args[3] != VALUE_NONE) function->name = args[3];
    if (code->flags & CODE_CLASS) /* the body of a module or class, called as it is */
        args[4] = tuple_pack(vm, 1, args[2]);
    if (args[4] == VALUE_ERROR) return VALUE_ERROR;
    if (args[4] != VALUE_NONE) function->defaults = AS_TUPLE(args[4]);
    if (args[5] != VALUE_NONE) function->closure = AS_TUPLE(args[5]);
    if (args[6] != VALUE_NONE) function->kwdefaults = AS_DICT(args[6]);
    return object_value(function);
}

/* ---- attributes ---- */

static bool set_text(GenVM *vm, Value self, Value value, const char *what, Value *place) {
    if (value == VALUE_UNSET || !value_is_str(value)) {
        raise_type(vm, "%s must be set to a string object", what);
        return false;
    }
    *place = value;
    gc_barrier(vm, as_object(self));
    return true;
}

static Value get_name(GenVM *vm, Value self) {
    return (void)vm, self_function(self)->name;
}
static bool set_name(GenVM *vm, Value self, Value value) {
    return set_text(vm, self, value, "__name__", &self_function(self)->name);
}
static Value get_qualname(GenVM *vm, Value self) {
    return (void)vm, self_function(self)->qualname;
}
static bool set_qualname(GenVM *vm, Value self, Value value) {
    return set_text(vm, self, value, "__qualname__", &self_function(self)->qualname);
}

static Value get_module(GenVM *vm, Value self) {
    const Function *function = self_function(self);
    if (function->module != VALUE_UNSET) return function->module;
    Value name = function->globals
                     ? dict_get_str(vm, function->globals, name_value(vm, NAME___name__))
                     : VALUE_UNSET;
    return name == VALUE_UNSET ? VALUE_NONE : name;
}

static bool set_place(GenVM *vm, Value self, Value value, Value *place) {
    *place = value == VALUE_UNSET ? VALUE_NONE : value;
    gc_barrier(vm, as_object(self));
    return true;
}

static bool set_module(GenVM *vm, Value self, Value value) {
    return set_place(vm, self, value, &self_function(self)->module);
}

static Value get_doc(GenVM *vm, Value self) {
    (void)vm;
    const Function *function = self_function(self);
    return function->doc != VALUE_UNSET ? function->doc : function->code->doc;
}
static bool set_doc(GenVM *vm, Value self, Value value) {
    return set_place(vm, self, value, &self_function(self)->doc);
}

static Value get_defaults(GenVM *vm, Value self) {
    (void)vm;
    Tuple *defaults = self_function(self)->defaults;
    return defaults ? object_value(defaults) : VALUE_NONE;
}

static bool set_defaults(GenVM *vm, Value self, Value value) {
    if (value == VALUE_UNSET) value = VALUE_NONE;
    if (value != VALUE_NONE && !is_kind(value, TYPE_TUPLE)) {
        raise_type(vm, "__defaults__ must be set to a tuple object");
        return false;
    }
    self_function(self)->defaults = value == VALUE_NONE ? NULL : AS_TUPLE(value);
    gc_barrier(vm, as_object(self));
    return true;
}

static Value get_kwdefaults(GenVM *vm, Value self) {
    (void)vm;
    Dict *defaults = self_function(self)->kwdefaults;
    return defaults ? object_value(defaults) : VALUE_NONE;
}

static bool set_kwdefaults(GenVM *vm, Value self, Value value) {
    if (value == VALUE_UNSET) value = VALUE_NONE;
    if (value != VALUE_NONE && !is_kind(value, TYPE_DICT)) {
        raise_type(vm, "__kwdefaults__ must be set to a dict object");
        return false;
    }
    self_function(self)->kwdefaults = value == VALUE_NONE ? NULL : AS_DICT(value);
    gc_barrier(vm, as_object(self));
    return true;
}

static Value get_code(GenVM *vm, Value self) {
    return (void)vm, object_value(self_function(self)->code);
}

static bool set_code(GenVM *vm, Value self, Value value) {
    if (value == VALUE_UNSET || !is_kind(value, TYPE_CODE)) {
        raise_type(vm, "__code__ must be set to a code object");
        return false;
    }
    Function *function = self_function(self);
    Code *code = AS(Code, value);
    uint64_t have = function->closure ? function->closure->count : 0,
             needed = code->freevars ? code->freevars->count : 0;
    if (have != needed) {
        raise_value(vm, "%S() requires a code object with %d free vars, not %d", function->name,
                    (int)have, (int)needed);
        return false;
    }
    use_code(function, code);
    gc_barrier(vm, function);
    return true;
}

static Value get_closure(GenVM *vm, Value self) {
    (void)vm;
    Tuple *closure = self_function(self)->closure;
    return closure ? object_value(closure) : VALUE_NONE;
}
static Value get_globals(GenVM *vm, Value self) {
    return (void)vm, object_value(self_function(self)->globals);
}

static Value get_builtins(GenVM *vm, Value self) {
    Value own = dict_get_str(vm, self_function(self)->globals, name_value(vm, NAME___builtins__));
    if (is_kind(own, TYPE_MODULE)) return object_value(AS(Module, own)->dict);
    return is_kind(own, TYPE_DICT) ? own : object_value(vm->builtins);
}

static Value get_dict(GenVM *vm, Value self) {
    Dict *dict = instance_dict(vm, self);
    return dict ? object_value(dict) : VALUE_ERROR;
}

static bool set_dict(GenVM *vm, Value self, Value value) {
    if (value == VALUE_UNSET || !is_kind(value, TYPE_DICT)) {
        if (value == VALUE_UNSET)
            raise_type(vm, "cannot delete __dict__");
        else
            raise_type(vm, "__dict__ must be set to a dictionary, not a '%T'", value);
        return false;
    }
    return instance_dict_replace(vm, self, AS_DICT(value));
}

static Value get_annotate(GenVM *vm, Value self) {
    (void)vm;
    Value annotate = self_function(self)->annotate;
    return annotate == VALUE_UNSET ? VALUE_NONE : annotate;
}

static bool set_annotate(GenVM *vm, Value self, Value value) {
    if (value == VALUE_UNSET) {
        raise_type(vm, "cannot delete __annotate__ attribute");
        return false;
    }
    if (value != VALUE_NONE && !is_kind(value, TYPE_FUNCTION) && !is_kind(value, TYPE_METHOD)) {
        raise_type(vm, "__annotate__ must be callable or None");
        return false;
    }
    if (value != VALUE_NONE) self_function(self)->annotations = VALUE_UNSET;
    return set_place(vm, self, value, &self_function(self)->annotate);
}

static Value get_annotations(GenVM *vm, Value self) {
    Function *function = self_function(self);
    if (function->annotations != VALUE_UNSET) return function->annotations;
    if (function->annotate != VALUE_UNSET && function->annotate != VALUE_NONE)
        return native_twin(vm, TWIN_ANNOTATIONS, 2, self, function->annotate);
    function->annotations = dict_new(vm);
    gc_barrier(vm, function);
    return function->annotations;
}

static bool set_annotations(GenVM *vm, Value self, Value value) {
    Function *function = self_function(self);
    if (value == VALUE_NONE) value = VALUE_UNSET;
    if (value != VALUE_UNSET && !is_kind(value, TYPE_DICT)) {
        raise_type(vm, "__annotations__ must be set to a dict object");
        return false;
    }
    function->annotations = value;
    function->annotate = VALUE_UNSET;
    gc_barrier(vm, function);
    return true;
}

static Value get_type_params(GenVM *vm, Value self) {
    Value params = self_function(self)->type_params;
    return params == VALUE_UNSET ? vm->empty_tuple : params;
}

static bool set_type_params(GenVM *vm, Value self, Value value) {
    if (value == VALUE_UNSET || !is_kind(value, TYPE_TUPLE)) {
        raise_type(vm, "__type_params__ must be set to a tuple");
        return false;
    }
    return set_place(vm, self, value, &self_function(self)->type_params);
}

/* ---- the type ---- */

static const NativeDef construct = {
    "function(cls, code, globals: dict, name: str | None = None, argdefs: tuple | None = None, "
    "closure: tuple | None = None, kwdefaults: dict | None = None)",
    function_construct, NULL};

static const AttributeDef attributes[] = {
    {"__name__", get_name, set_name, NULL},
    {"__qualname__", get_qualname, set_qualname, NULL},
    {"__module__", get_module, set_module, NULL},
    {"__doc__", get_doc, set_doc, NULL},
    {"__defaults__", get_defaults, set_defaults, NULL},
    {"__kwdefaults__", get_kwdefaults, set_kwdefaults, NULL},
    {"__code__", get_code, set_code, NULL},
    {"__closure__", get_closure, NULL, NULL},
    {"__globals__", get_globals, NULL, NULL},
    {"__builtins__", get_builtins, NULL, NULL},
    {"__dict__", get_dict, set_dict, NULL},
    {"__annotate__", get_annotate, set_annotate, NULL},
    {"__annotations__", get_annotations, set_annotations, NULL},
    {"__type_params__", get_type_params, set_type_params, NULL},
    {0},
};

const BuiltinType function_type = {
    .name = "function",
    .flags = TYPE_FINAL | TYPE_HAS_DICT,
    .size = sizeof(Function),
    .doc = "Create a function object.",
    .construct = &construct,
    .attributes = attributes,
    .slots = {.repr = repr, .call = call, .descr_get = descr_get, .trace = trace},
};
