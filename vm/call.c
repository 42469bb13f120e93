/* call.c - what happens when something is called: script functions get a frame, generator functions
 * an object, natives run at once, classes make instances. Everything here works from the running
 * frame (vm->base, vm->pc) and leaves either a result in the register that the running instruction
 * names, or a new frame to go on with.
 */
#include "vm/call.h"
#include "vm/bind.h"
#include "vm/continue.h"
#include "vm/generator.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/resume.h"
#include "vm/runtime.h"

/* ---- results ---- */

static inline void store_result(GenVM *vm, Value v) {
    vm->base[instr_a(vm->pc[-1])] = v;
}

bool call_result(GenVM *vm, Value v) {
    if (unlikely(v == VALUE_TAIL)) return call_tail(vm);
    if (unlikely(v == VALUE_ERROR)) return false;
    store_result(vm, v);
    return true;
}

/* The arguments stay in vm->tail: whoever is called copies them before anything else can be asked
 * for. */
bool call_tail(GenVM *vm) {
    TailCall *tail = &vm->tail;
    if (tail->then) { /* a continuation looks at the result first */
        const Value *values = tail->then_values;
        if (!frame_push_continuation(vm, (Return)tail->then, 4, values[0], values[1], values[2],
                                     values[3]))
            return false;
    }
    if (unlikely(tail->spread_args != VALUE_UNSET))
        return call_spread(vm, tail->callable, tail->spread_args, tail->spread_kwargs);
    if (tail->resume)
        return generator_resume(vm, AS(Generator, tail->callable), tail->resume, tail->args[0]);
    return call_general(vm, tail->callable, tail->args, tail->count, VALUE_UNSET);
}

bool call_return(GenVM *vm, Value v) {
    frame_pop(vm);
    store_result(vm, v);
    return true;
}

bool call_value(GenVM *vm, Value callable, uint32_t count, const Value *args) {
    return call_general(vm, callable, args, count, VALUE_UNSET);
}

/* ---- script functions ---- */

static bool call_generator_function(GenVM *vm, Function *function, const Value *args,
                                    uint32_t count, Value keywords) {
    Generator *generator = generator_new(vm, function);
    if (!generator) return false;
    const Code *code = function->code;
    bool simple = keywords == VALUE_UNSET && count == code->arg_count && !code->kwonly_count &&
                  !(code->flags & (CODE_VARARGS | CODE_VARKEYWORDS));
    if (likely(simple))
        memcpy(generator->regs, args, count * sizeof(Value));
    else if (!function_bind(vm, function, args, count, keywords, generator->regs)) {
        generator->header.state = GENERATOR_DONE; /* it has never come to be: nobody forgot it */
        return false;
    }
    generator_note_call(vm, generator);
    store_result(vm, object_value(generator));
    return true;
}

static bool call_function(GenVM *vm, Function *function, const Value *args, uint32_t count,
                          Value keywords) {
    if (function->code->flags &
        (CODE_GENERATOR | CODE_COROUTINE | CODE_ASYNC_GENERATOR | CODE_STUB)) {
        if (function->code->flags & CODE_STUB) return resume_begin(vm, args, count);
        return call_generator_function(vm, function, args, count, keywords);
    }
    bool from_stack = args >= vm->stack && args < vm->stack_end;
    size_t offset = (size_t)(args - vm->stack);
    Value *top = frame_reserve(vm, frame_top(vm), function->regs);
    if (unlikely(!top)) return false;
    if (from_stack) args = vm->stack + offset;
    Value *base = top + FRAME_LINKS;
    if (likely(function->header.state == count && keywords == VALUE_UNSET))
        memmove(base, args, count * sizeof(Value));
    else if (!function_bind(vm, function, args, count, keywords, base))
        return false;
    frame_enter(vm, base, function);
    return true;
}

bool call_enter(GenVM *vm, Function *function, Value a, Value b) {
    Value *top = frame_reserve(vm, frame_top(vm), function->regs);
    if (unlikely(!top)) return false;
    Value *base = top + FRAME_LINKS;
    base[0] = a;
    if (b != VALUE_UNSET) base[1] = b;
    frame_enter(vm, base, function);
    return true;
}

/* ---- classes ---- */

/* The arguments as a tuple and a dict, for calls that are made in several steps. */
static bool pack_arguments(GenVM *vm, const Value *args, uint32_t count, Value keywords,
                           Value *tuple, Value *dict) {
    uint32_t named = keywords == VALUE_UNSET ? 0 : (uint32_t)AS_TUPLE(keywords)->count;
    *tuple = tuple_from_array(vm, args, count - named);
    *dict = VALUE_UNSET;
    if (*tuple == VALUE_ERROR) return false;
    if (!named) return true;
    *dict = dict_new(vm);
    if (*dict == VALUE_ERROR) return false;
    for (uint32_t i = 0; i < named; i++)
        if (!dict_set_str(vm, AS_DICT(*dict), AS_TUPLE(keywords)->items[i],
                          args[count - named + i]))
            return false;
    return true;
}

/* callable(self, *args) with one value put in front. */
bool call_two(GenVM *vm, Value callable, Value self, const Value *args, uint32_t count,
              Value keywords) {
    Value small[16];
    if (likely(count < 16)) {
        small[0] = self;
        memcpy(small + 1, args, count * sizeof(Value));
        return call_general(vm, callable, small, count + 1, keywords);
    }
    Value *many = memory_new(vm, (count + 1) * sizeof(Value));
    if (!many) {
        raise_memory(vm);
        return false;
    }
    many[0] = self;
    memcpy(many + 1, args, count * sizeof(Value));
    bool ok = call_general(vm, callable, many, count + 1, keywords);
    memory_free(many);
    return ok;
}

static bool refuse_abstract(GenVM *vm, Type *type) {
    Value twin = native_twin(vm, TWIN_REFUSE_ABSTRACT, 1, object_value(type));
    return call_result(vm, twin);
}

/* A plain script class: no __new__ of its own, no builtin base but object. */
static bool instantiate_plain(GenVM *vm, Type *type, const Value *args, uint32_t count,
                              Value keywords) {
    Value init = type->special[SP_INIT];
    if (unlikely(init == VALUE_UNSET && count)) {
        raise_type(vm, "%S() takes no arguments", type->name);
        return false;
    }
    Value instance = instance_new(vm, type);
    if (instance == VALUE_ERROR) return false;
    if (init == VALUE_UNSET) {
        store_result(vm, instance);
        return true;
    }
    if (likely(is_kind(init, TYPE_FUNCTION))) {
        if (likely(as_object(init)->state == count + 1 && keywords == VALUE_UNSET))
            return continue_new_instance(vm, instance, AS(Function, init), args, count);
        bool from_stack = args >= vm->stack && args < vm->stack_end;
        size_t offset = (size_t)(args - vm->stack);
        if (!frame_push_continuation(vm, RETURN_INIT, 1, instance)) return false;
        return call_two(vm, init, instance, from_stack ? vm->stack + offset : args, count,
                        keywords);
    }
    Value bound = attribute_bind(vm, init, instance, type);
    if (bound == VALUE_ERROR || bound == VALUE_TAIL) return call_result(vm, bound);
    if (!frame_push_continuation(vm, RETURN_INIT, 1, instance)) return false;
    return call_general(vm, bound, args, count, keywords);
}

/* The __new__ of a builtin class leaves keywords to an __init__ written in Gen, its __init__ leaves
 * them to a __new__ written in Gen, when it has no use for any itself: they are UNSET then. False:
 * out of memory. */
static bool leave_keywords(GenVM *vm, Value native, bool other_is_script, Value *keywords) {
    if (!other_is_script || (!is_kind(native, TYPE_NATIVE) && !is_kind(native, TYPE_NATIVE_METHOD)))
        return true;
    NativeFunction *function = AS(NativeFunction, native);
    if (!native_signature(vm, function)) return false;
    if (!native_takes_keywords(vm, function)) *keywords = VALUE_UNSET;
    return true;
}

bool call_after_new(GenVM *vm, Value instance, Value cls, Value args, Value kwargs) {
    Type *type = type_of(vm, instance);
    if (!type_is_subclass(type, type_from(cls))) {
        store_result(vm, instance);
        return true;
    }
    Value init = type->special[SP_INIT];
    if (init == VALUE_UNSET) init = type_lookup(vm, type, vm->special_names[SP_INIT]);
    if (init == VALUE_UNSET) {
        store_result(vm, instance);
        return true;
    }
    init = attribute_bind(vm, init, instance, type);
    if (init == VALUE_ERROR || init == VALUE_TAIL) return call_result(vm, init);
    bool own_new = type->special[SP_NEW] != VALUE_UNSET && type->instance_kind != TYPE_SET;
    if (!leave_keywords(vm, init, own_new, &kwargs)) return false;
    if (!frame_push_continuation(vm, RETURN_INIT, 1, instance)) return false;
    return call_spread(vm, init, args, kwargs);
}

/* __new__, then __init__, each looked up: classes that override __new__, subclasses of builtin
 * types that override one of the two. */
static bool instantiate_by_steps(GenVM *vm, Type *type, const Value *args, uint32_t count,
                                 Value keywords) {
    Value tuple, dict;
    if (!pack_arguments(vm, args, count, keywords, &tuple, &dict)) return false;
    Value maker = type_lookup(vm, type, vm->special_names[SP_NEW]);
    if (!is_kind(maker, TYPE_FUNCTION)) maker = attribute_bind(vm, maker, VALUE_UNSET, type);
    if (maker == VALUE_ERROR || maker == VALUE_TAIL) return call_result(vm, maker);
    if (!frame_push_continuation(vm, RETURN_NEW, 3, object_value(type), tuple, dict)) return false;
    Value cls = object_value(type);
    if (!leave_keywords(vm, maker, type->special[SP_INIT] != VALUE_UNSET, &dict)) return false;
    if (dict == VALUE_UNSET)
        return call_two(vm, maker, cls, AS_TUPLE(tuple)->items, (uint32_t)AS_TUPLE(tuple)->count,
                        VALUE_UNSET);
    Value with_class = tuple_new(vm, AS_TUPLE(tuple)->count + 1);
    if (with_class == VALUE_ERROR) return false;
    AS_TUPLE(with_class)->items[0] = cls;
    memcpy(AS_TUPLE(with_class)->items + 1, AS_TUPLE(tuple)->items,
           AS_TUPLE(tuple)->count * sizeof(Value));
    return call_spread(vm, maker, with_class, dict);
}

static bool construct_builtin(GenVM *vm, Type *type, const Value *args, uint32_t count,
                              Value keywords) {
    if (type->flags & TYPE_NO_NEW || !type->def->construct) {
        raise_type(vm, "cannot create '%S' instances", type->name);
        return false;
    }
    NativeFunction *native = type_constructor(vm, type);
    if (!native) return false;
    Value small[16];
    if (likely(count < 16)) {
        small[0] = object_value(type);
        memcpy(small + 1, args, count * sizeof(Value));
        return call_result(vm, native_invoke(vm, native, small, count + 1, keywords));
    }
    return call_two(vm, object_value(native), object_value(type), args, count, keywords);
}

/* type.__call__ */
/* An exception of a class that keeps nothing but its arguments, without __new__. LEAF_SCRIPT: not
 * one of them. */
static Leaf instantiate_exception(GenVM *vm, Type *type, const Value *args, uint32_t count) {
    Value init = type->special[SP_INIT];
    if (init != VALUE_UNSET && (!is_kind(init, TYPE_FUNCTION) || count + 1 >= FUNCTION_COMPLEX ||
                                as_object(init)->state != count + 1))
        return LEAF_SCRIPT;
    Value exception = exception_new_plain(vm, type, args, count);
    if (exception == VALUE_ERROR) return LEAF_ERROR;
    if (exception == VALUE_UNSET) return LEAF_SCRIPT;
    if (init != VALUE_UNSET)
        return continue_new_instance(vm, exception, AS(Function, init), args, count) ? LEAF_TRUE
                                                                                     : LEAF_ERROR;
    store_result(vm, exception);
    return LEAF_TRUE;
}

bool call_type(GenVM *vm, Type *type, const Value *args, uint32_t count, Value keywords) {
    if (unlikely(type->is_abstract)) return refuse_abstract(vm, type);
    if (type->instance_kind == KIND_EXCEPTION && keywords == VALUE_UNSET &&
        type->special[SP_NEW] == VALUE_UNSET) {
        Leaf made = instantiate_exception(vm, type, args, count);
        if (made != LEAF_SCRIPT) return made == LEAF_TRUE;
    }
    if (type->special[SP_NEW] == VALUE_UNSET) {
        if (likely(type->def == vm->types[TYPE_OBJECT]->def && !type->is_builtin))
            return instantiate_plain(vm, type, args, count, keywords);
        if (type->is_builtin || !type->overrides_construct)
            return construct_builtin(vm, type, args, count, keywords);
    }
    return instantiate_by_steps(vm, type, args, count, keywords);
}

/* ---- anything ---- */

static bool call_instance(GenVM *vm, Value callable, const Value *args, uint32_t count,
                          Value keywords) {
    Type *type = type_of(vm, callable);
    Value method = type->special[SP_CALL];
    if (method != VALUE_UNSET) {
        if (likely(is_kind(method, TYPE_FUNCTION)))
            return call_two(vm, method, callable, args, count, keywords);
        Value bound = attribute_bind(vm, method, callable, type);
        if (bound == VALUE_ERROR) return false;
        if (bound == VALUE_TAIL) {
            Value tuple, dict;
            if (!pack_arguments(vm, args, count, keywords, &tuple, &dict)) return false;
            return call_result(vm, native_twin(vm, TWIN_CALL_BOUND, 3, callable, tuple,
                                               dict == VALUE_UNSET ? VALUE_NONE : dict));
        }
        if (!native_enter(vm)) return false; /* __call__ may be an instance of the same class */
        bool called = call_general(vm, bound, args, count, keywords);
        native_leave(vm);
        return called;
    }
    if (type->slots.call) {
        Value tuple, dict;
        if (!pack_arguments(vm, args, count, keywords, &tuple, &dict)) return false;
        if (!native_enter(vm)) return false; /* a staticmethod of a staticmethod ... */
        bool called = call_result(vm, type->slots.call(vm, callable, tuple, dict));
        native_leave(vm);
        return called;
    }
    raise_type(vm, "'%T' object is not callable", callable);
    return false;
}

bool call_general(GenVM *vm, Value callable, const Value *args, uint32_t count, Value keywords) {
    if (unlikely(!is_object(callable))) return call_instance(vm, callable, args, count, keywords);
    Object *object = as_object(callable);
    switch (object->kind) {
    case TYPE_FUNCTION: return call_function(vm, (Function *)object, args, count, keywords);
    case TYPE_NATIVE:
    case TYPE_NATIVE_METHOD:
        return call_result(vm, native_invoke(vm, (NativeFunction *)object, args, count, keywords));
    case TYPE_METHOD: {
        Method *method = (Method *)object;
        if (!native_enter(vm)) return false; /* a method of a method of a method ... */
        bool called = call_two(vm, method->function, method->self, args, count, keywords);
        native_leave(vm);
        return called;
    }
    case TYPE_TYPE: {
        Type *metatype = type_of(vm, callable);
        if (unlikely(metatype->special[SP_CALL] != VALUE_UNSET))
            return call_instance(vm, callable, args, count, keywords);
        if (unlikely(object == &vm->types[TYPE_TYPE]->header && count == 1)) {
            store_result(vm, object_value(type_of(vm, args[0])));
            return true;
        }
        return call_type(vm, (Type *)object, args, count, keywords);
    }
    default: break;
    }
    return call_instance(vm, callable, args, count, keywords);
}

bool call_spread(GenVM *vm, Value callable, Value args, Value kwargs) {
    uint64_t count = 0;
    const Value *items = is_kind(args, TYPE_LIST) ? AS_LIST(args)->items : AS_TUPLE(args)->items;
    count = is_kind(args, TYPE_LIST) ? AS_LIST(args)->count : AS_TUPLE(args)->count;
    uint32_t named = kwargs == VALUE_UNSET ? 0 : AS_DICT(kwargs)->count;
    if (!named) return call_general(vm, callable, items, (uint32_t)count, VALUE_UNSET);
    Value names = tuple_new(vm, named), all = tuple_new(vm, count + named);
    if (names == VALUE_ERROR || all == VALUE_ERROR) return false;
    memcpy(AS_TUPLE(all)->items, items, count * sizeof(Value));
    uint32_t position = 0;
    Value key, value;
    for (uint32_t i = 0; dict_next(AS_DICT(kwargs), &position, &key, &value); i++) {
        if (!value_is_str(key)) {
            raise_type(vm, "keywords must be strings");
            return false;
        }
        AS_TUPLE(names)->items[i] = str_intern(vm, key);
        AS_TUPLE(all)->items[count + i] = value;
    }
    return call_general(vm, callable, AS_TUPLE(all)->items, (uint32_t)count + named, names);
}
