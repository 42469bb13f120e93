/* ops_call.c - outlined halves of the call and generator instructions. See ops.h. */
#include "vm/call.h"
#include "vm/continue.h"
#include "vm/generator.h"
#include "vm/objects.h"
#include "vm/ops.h"
#include "vm/runtime.h"

/* Where the arguments of the window begin: behind the links in plain code, at once in generators.
 */
static inline unsigned link_of(GenVM *vm) {
    Opcode op = instr_op(op_instr(vm));
    if (likely(op == OP_CALL || op == OP_CALLM)) return FRAME_LINKS;
    return frame_is_generator(vm->base) ? 1 : FRAME_LINKS;
}

static Value *window_of(GenVM *vm) {
    Instr instr = op_instr(vm);
    switch (instr_op(instr)) {
    case OP_CALLW:
    case OP_CALLWG:
    case OP_CALLMW:
    case OP_CALLMWG:
    case OP_CALLEXW:
    case OP_CALLEXWG: return &vm->base[instr_imm(instr)];
    default: return &vm->base[instr_a(instr)];
    }
}

bool op_call(GenVM *vm) {
    Value *window = window_of(vm);
    return call_general(vm, window[0], window + link_of(vm), instr_b(op_instr(vm)), VALUE_UNSET);
}

bool op_call_method(GenVM *vm) {
    Value *window = window_of(vm), *args = window + link_of(vm);
    uint32_t count = instr_b(op_instr(vm));
    if (args[0] == VALUE_UNSET)
        return call_general(vm, window[0], args + 1, count - 1, VALUE_UNSET);
    return call_general(vm, window[0], args, count, VALUE_UNSET);
}

bool op_call_keywords(GenVM *vm) {
    Instr instr = op_instr(vm);
    Value *window = window_of(vm), *args = window + link_of(vm);
    uint32_t count = instr_b(instr);
    bool unbound = (instr_c(instr) & 1) && args[0] == VALUE_UNSET;
    return call_general(vm, window[0], args + unbound, count - unbound, op_const(vm));
}

bool op_call_spread(GenVM *vm) {
    Value *window = window_of(vm);
    return call_spread(vm, window[0], window[1], window[2]);
}

/* ---- generators ---- */

bool op_return_generator(GenVM *vm) {
    return generator_return(vm, *op_a(vm));
}

bool op_end_for(GenVM *vm) {
    return generator_leave_loop(vm, *op_a(vm));
}

bool op_end_params(GenVM *vm) {
    return generator_release(vm, generator_of(vm->base), VALUE_UNSET);
}

bool op_get_yield_iter(GenVM *vm) {
    Value v = *op_b(vm);
    if (is_kind(v, TYPE_COROUTINE)) {
        uint32_t flags = frame_code(vm->base)->flags;
        if (!(flags & (CODE_COROUTINE | CODE_ITERABLE_COROUTINE | CODE_PRELUDE))) {
            raise_type(vm, "cannot 'yield from' a coroutine object in a non-coroutine generator");
            return false;
        }
        *op_a(vm) = v;
        return true;
    }
    if (is_kind(v, TYPE_GENERATOR)) {
        *op_a(vm) = v;
        return true;
    }
    Value iterator = value_iter(vm, v);
    if (iterator == VALUE_TAIL) return continue_tail(vm, RETURN_ITER);
    return call_result(vm, iterator);
}

bool op_yield_from(GenVM *vm) {
    return generator_delegate(vm, *op_b(vm));
}

bool op_yield_wrapped(GenVM *vm) {
    return async_generator_yield(vm, *op_b(vm));
}

/* __await__ written as a generator function gives what is wanted, with nothing to check. */
static Value plain_await(GenVM *vm, Value v) {
    Value method = type_of(vm, v)->special[SP_AWAIT];
    if (!is_kind(method, TYPE_FUNCTION)) return VALUE_UNSET;
    return AS(Function, method)->code->flags & CODE_GENERATOR ? method : VALUE_UNSET;
}

bool op_get_awaitable(GenVM *vm) {
    Value v = *op_b(vm);
    if (generator_is_awaitable(v)) {
        if (is_kind(v, TYPE_COROUTINE) && as_object(v)->state != GENERATOR_DONE &&
            as_object(v)->state != GENERATOR_SUSPENDED) {
            raise_runtime(vm, "coroutine is being awaited already");
            return false;
        }
        *op_a(vm) = v;
        return true;
    }
    Value method = plain_await(vm, v);
    if (method != VALUE_UNSET) return call_value(vm, method, 1, &v);
    static const char *const sources[] = {"", "__aenter__", "__aexit__", "__anext__"};
    unsigned source = instr_c(op_instr(vm));
    Value name = source ? str_from(vm, sources[source & 3]) : VALUE_NONE;
    return call_result(vm, native_twin(vm, TWIN_GET_AWAITABLE, 2, v, name));
}

bool op_get_aiter(GenVM *vm) {
    return call_result(vm, native_twin(vm, TWIN_GET_AITER, 1, *op_b(vm)));
}

bool op_get_anext(GenVM *vm) {
    Value v = *op_b(vm);
    Value raw = type_find_special(vm, type_of(vm, v), SP_ANEXT);
    if (raw == VALUE_UNSET) {
        raise_type(vm, "'async for' requires an iterator with __anext__ method, got %T", v);
        return false;
    }
    return call_result(vm, special_call(vm, raw, v, 0));
}

bool op_end_async_for(GenVM *vm) {
    Value exception = *op_a(vm);
    if (value_is_instance(vm, exception, EXC_STOP_ASYNC_ITERATION)) return true;
    if (!is_kind(exception, KIND_EXCEPTION)) {
        raise_error(vm, EXC_SYSTEM_ERROR, "bad code: '%T' object is no exception", exception);
        return false;
    }
    vm->exception = exception;
    vm->reraising = true;
    return false;
}

bool op_continue(GenVM *vm) {
    Return kind = (Return)instr_imm(op_instr(vm));
    vm->pc--; /* a further call returns to the same instruction */
    return continue_run(vm, kind);
}
