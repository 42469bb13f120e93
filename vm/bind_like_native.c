/* bind_like_native.c - functions of the library that are written in Gen where CPython's are written
 * in C, and how they refuse a wrong call.
 *
 * They are marked by _engine.like_native, a decorator of functions and classes. A call that fits is
 * bound like that of any script function, so the mark costs it nothing. One that does not fit is
 * given once more to the binder of natives, with a signature read off the function's own
 * parameters: it fails there too, in the words of C functions ("count expected 2 arguments, got
 * 1").
 */
#include "vm/bind.h"
#include "vm/code.h"
#include "vm/engine_module.h"
#include "vm/objects.h"

static void add_param(Signature *signature, Value name, bool required) {
    signature->params[signature->count++] =
        (Param){.name = name, .fallback = VALUE_NONE, .required = required};
}

static void add_keyword_only(GenVM *vm, Signature *signature, const Function *function) {
    const Code *code = function->code;
    for (uint32_t i = 0; i < code->kwonly_count; i++) {
        Value name = code->varnames->items[code->arg_count + i];
        bool has_default =
            function->kwdefaults && dict_get_str(vm, function->kwdefaults, name) != VALUE_UNSET;
        add_param(signature, name, !has_default);
    }
}

/* The parameters of a function, as the binder of natives has them. NULL with an exception. */
static Signature *read_signature(GenVM *vm, const Function *function) {
    const Code *code = function->code;
    uint32_t most = code->arg_count + code->kwonly_count + 2;
    uint32_t defaults = function->defaults ? (uint32_t)function->defaults->count : 0;
    Buffer *buffer = gc_buffer_new(vm, sizeof(Signature) + most * sizeof(Param));
    if (!buffer) return NULL;
    Signature *signature = (Signature *)buffer->data;
    *signature = (Signature){.storage = buffer, .args_at = -1, .kwargs_at = -1};
    for (uint32_t i = 0; i < code->arg_count; i++)
        add_param(signature, code->varnames->items[i], i + defaults < code->arg_count);
    signature->positional = (int)code->arg_count;
    signature->required = (int)(code->arg_count - defaults);
    signature->posonly = (int)code->posonly_count;
    if (code->flags & CODE_VARARGS) {
        signature->args_at = signature->count;
        add_param(signature, VALUE_NONE, false);
    }
    add_keyword_only(vm, signature, function);
    if (code->flags & CODE_VARKEYWORDS) {
        signature->kwargs_at = signature->count;
        add_param(signature, VALUE_NONE, false);
    }
    signature->plain = signature->positional == signature->count;
    return signature;
}

static Value unwrapped(Value v) {
    return is_kind(v, TYPE_STATICMETHOD) || is_kind(v, TYPE_CLASSMETHOD) ? AS(Wrapping, v)->callable
                                                                         : v;
}

/* The class among those of `cls` whose own method the function is; NULL: none. */
static Type *find_owner(GenVM *vm, Type *cls, Value function) {
    for (uint64_t i = 0; i < cls->mro->count; i++) {
        Type *owner = type_from(cls->mro->items[i]);
        if (!owner->like_native) continue;
        if (unwrapped(dict_get_str(vm, owner->own.dict, AS(Function, function)->name)) == function)
            return owner;
    }
    return NULL;
}

static void name_signature(Signature *signature, Value name) {
    signature->name = AS_STR(name)->data;
    signature->name_size = (uint32_t)AS_STR(name)->size;
}

/* A native that stands for the function in messages. Its owner is found by the first argument. */
static NativeFunction *stand_in(GenVM *vm, Function *function, const Value *args,
                                uint32_t positionals) {
    NativeFunction *native = gc_new(vm, sizeof *native, TYPE_NATIVE);
    if (!native || !(native->signature = read_signature(vm, function))) return NULL;
    native->self = VALUE_UNSET;
    native->module = function->module != VALUE_UNSET
                         ? function->module
                         : dict_get_str(vm, function->globals, name_value(vm, NAME___name__));
    native->name = function->name;
    name_signature(native->signature, function->name);
    bool is_new = str_equal(function->name, vm->special_names[SP_NEW]);
    bool makes = is_new || str_equal(function->name, vm->special_names[SP_INIT]);
    Value self = object_value(function);
    if (positionals && is_type(args[0])) native->owner = find_owner(vm, type_from(args[0]), self);
    if (positionals && !native->owner) native->owner = find_owner(vm, type_of(vm, args[0]), self);
    if (native->owner && !native->signature->posonly) native->signature->posonly = 1;
    if (!makes || !native->owner) return native;
    native->header.flags = NATIVE_NEW;
    native->self = object_value(native->owner);
    name_signature(native->signature, native->owner->name);
    return native;
}

void refuse_like_native(GenVM *vm, Function *function, const Value *args, uint32_t count,
                        Value keywords) {
    const Code *code = function->code;
    uint32_t named = keywords == VALUE_UNSET ? 0 : (uint32_t)AS_TUPLE(keywords)->count;
    if (code->arg_count + code->kwonly_count + 2 > NATIVE_MAX_PARAMS) return;
    if (!error_matches(vm, EXC_TYPE_ERROR)) return;
    Value refusal = error_take(vm), bound[NATIVE_MAX_PARAMS];
    NativeFunction *native = stand_in(vm, function, args, count - named);
    if (native && native_bind_plainly(vm, native, args, count, keywords, bound) != VALUE_ERROR)
        vm->exception = refusal;
}

/* ---- marking ---- */

static void mark(Value v) {
    v = unwrapped(v);
    if (is_kind(v, TYPE_FUNCTION) || is_kind(v, TYPE_PROPERTY)) as_object(v)->flags |= LIKE_NATIVE;
}

static Value like_native(GenVM *vm, Value *args) {
    if (is_type(args[0]) && type_from(args[0])->is_builtin) return args[0];
    mark(args[0]);
    if (is_kind(args[0], TYPE_FUNCTION) && args[1] != VALUE_NONE) {
        AS(Function, args[0])->module = args[1];
        gc_barrier(vm, as_object(args[0]));
    }
    if (is_kind(args[0], TYPE_FUNCTION)) {
        const Str *qualname = AS_STR(AS(Function, args[0])->qualname);
        if (!memchr(qualname->data, '.', qualname->size)) as_object(args[0])->flags |= NEVER_METHOD;
    }
    if (!is_type(args[0])) return args[0];
    Type *type = type_from(args[0]);
    type->like_native = true;
    uint32_t position = 0;
    Value key, value;
    while (dict_next(type_dict(vm, type), &position, &key, &value))
        mark(value);
    return args[0];
}

const NativeDef engine_like_native_natives[] = {
    {"like_native(function_or_class, module: str | None = None, /)", like_native,
     "CPython's is written in C, a function in that module: wrong calls are refused in the words "
     "of "
     "C functions."},
    {0},
};
