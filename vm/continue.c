/* continue.c - continuation frames, one case for each line of returns.def.
 *
 * A continuation frame runs one instruction, CONT, after its callee has stored its result in
 * register 0. The case does what is left: it may call again (and be continued again), or pops the
 * frame and acts in the place of the instruction that began it. No C stack is held meanwhile, so
 * the wait can be as long as the script likes.
 */
#include "vm/continue.h"
#include "vm/call.h"
#include "vm/generator.h"
#include "vm/interp.h"
#include "vm/objects.h"
#include "vm/operations.h"
#include "vm/ops.h"
#include "vm/resume.h"
#include "vm/shared.h"
#include "vm/threads.h"

typedef enum TruthStage {
    TRUTH_ANY,
    TRUTH_FROM_BOOL,
    TRUTH_FROM_LEN,
    TRUTH_BINDS_BOOL, /* what comes is the method */
    TRUTH_BINDS_LEN,
} TruthStage;

static const uint8_t register_counts[] = {
#define RETURN(id, registers) registers,
#include "vm/returns.def"
#undef RETURN
};

_Static_assert(sizeof((GenVM){0}.stubs) / sizeof(Function *) >= RETURN_COUNT,
               "a stub for each continuation");

void continue_make(ContinueStubs *stubs, Value empty_str) {
    Code *code = &stubs->code;
    code->header = (Object){.shape = TYPE_CODE, .kind = TYPE_CODE, .gc = GC_PERMANENT};
    code->name = code->qualname = code->filename = code->doc = code->source_lines = VALUE_UNSET;
    code->instrs = stubs->instrs;
    code->instr_count = RETURN_COUNT * 2;
    code->flags = CODE_STUB;
    for (int i = 0; i < RETURN_COUNT; i++) {
        stubs->instrs[i * 2] = instr_make(OP_NOP, 0, 0, 0, 0);
        stubs->instrs[i * 2 + 1] = instr_make(i == RETURN_HOST ? OP_HALT : OP_CONT, 0, 0, 0, i);
        Function *stub = &stubs->functions[i];
        stub->header = (Object){.shape = TYPE_FUNCTION,
                                .kind = TYPE_FUNCTION,
                                .state = FUNCTION_COMPLEX,
                                .gc = GC_PERMANENT};
        stub->code = code;
        stub->entry = stubs->instrs + i * 2 + 1;
        stub->regs = register_counts[i];
        stub->name = stub->qualname = empty_str;
        stub->module = stub->doc = VALUE_NONE;
        stub->annotate = stub->annotations = stub->type_params = VALUE_UNSET;
    }
}

void continue_init(GenVM *vm) {
    ContinueStubs *stubs = (ContinueStubs *)(uintptr_t)&vm->shared->stubs;
    vm->stub_code = &stubs->code;
    for (int i = 0; i < RETURN_COUNT; i++)
        vm->stubs[i] = &stubs->functions[i];
}

Return continue_kind(GenVM *vm, const Function *function) {
    return (Return)((function->entry - vm->stub_code->instrs) / 2);
}

bool continue_tail(GenVM *vm, Return kind) {
    static const Value first[RETURN_COUNT] = {0};
    if (!frame_push_continuation(vm, kind, register_counts[kind] > 1,
                                 int_value((int64_t)first[kind])))
        return false;
    return call_tail(vm);
}

bool continue_discard(GenVM *vm, Value answer) {
    if (likely(answer != VALUE_TAIL)) return answer != VALUE_ERROR;
    return continue_tail(vm, RETURN_DISCARD);
}

/* ---- truth ---- */

/* Which jump instructions jump on false. */
static bool jumps_on_false(Instr instr) {
    switch (instr_op(instr)) {
    case OP_JEQS: return instr_c(instr) & 2;
    case OP_JNES: return !(instr_c(instr) & 2);
    case OP_JF:
    case OP_JNLT:
    case OP_JNLE:
    case OP_JNEQ:
    case OP_JNNE:
    case OP_JNGT:
    case OP_JNGE:
    case OP_JNLTI:
    case OP_JNLEI:
    case OP_JNEQI:
    case OP_JNNEI:
    case OP_JNGTI:
    case OP_JNGEI:
    case OP_JNLTK:
    case OP_JNLEK:
    case OP_JNEQK:
    case OP_JNNEK:
    case OP_JNGTK:
    case OP_JNGEK: return true;
    default: return false;
    }
}

void vm_set_branch(GenVM *vm, bool truth) {
    Instr instr = vm->pc[-1];
    if (truth != jumps_on_false(instr)) {
        vm->pc += instr_imm(instr);
        vm->fuel += instr_imm(instr) >> 31;
    }
}

static void conclude_truth(GenVM *vm, Return kind, bool truth) {
    switch (kind) {
    case RETURN_TRUTH_BRANCH: vm_set_branch(vm, truth); break;
    case RETURN_TRUTH_NOT: vm->base[instr_a(vm->pc[-1])] = bool_value(!truth); break;
    default: vm->base[instr_a(vm->pc[-1])] = bool_value(truth); break;
    }
}

/* The method to ask for the truth of v, when no C code can tell. */
static bool ask_truth(GenVM *vm, Value v, TruthStage *stage, Value *method) {
    Type *type = type_of(vm, v);
    *stage = type->special[SP_BOOL] != VALUE_UNSET ? TRUTH_FROM_BOOL : TRUTH_FROM_LEN;
    *method = type->special[*stage == TRUTH_FROM_BOOL ? SP_BOOL : SP_LEN];
    *method = attribute_bind(vm, *method, v, type);
    return *method != VALUE_ERROR;
}

static bool call_truth(GenVM *vm, Value v, TruthStage stage_unused) {
    (void)stage_unused;
    TruthStage stage;
    Value method;
    if (!ask_truth(vm, v, &stage, &method)) return false;
    /* A descriptor in script gives the method first. */
    bool binds = method == VALUE_TAIL;
    vm->base[1] = int_value(!binds                     ? stage
                            : stage == TRUTH_FROM_BOOL ? TRUTH_BINDS_BOOL
                                                       : TRUTH_BINDS_LEN);
    return binds ? call_tail(vm) : call_value(vm, method, 0, NULL);
}

bool continue_truth(GenVM *vm, Return kind, Value v) {
    Leaf truth = leaf_truth(vm, v);
    if (truth == LEAF_ERROR) return false;
    if (truth != LEAF_SCRIPT) {
        conclude_truth(vm, kind, truth == LEAF_TRUE);
        return true;
    }
    if (!frame_push_continuation(vm, kind, 1, int_value(TRUTH_ANY))) return false;
    return call_truth(vm, v, TRUTH_ANY);
}

bool continue_truth_push(GenVM *vm, Return kind) {
    return frame_push_continuation(vm, kind, 1, int_value(TRUTH_ANY)) != NULL;
}

bool continue_truth_of(GenVM *vm, Return kind, Value answer) {
    if (answer == VALUE_ERROR) return false;
    if (answer == VALUE_TAIL) return continue_tail(vm, kind);
    return continue_truth(vm, kind, answer);
}

static bool truth_arrived(GenVM *vm, Return kind) {
    Value v = vm->base[0];
    Leaf truth = LEAF_FALSE;
    switch ((TruthStage)as_int(vm->base[1])) {
    case TRUTH_ANY:
        truth = leaf_truth(vm, v);
        if (truth == LEAF_SCRIPT) return call_truth(vm, v, TRUTH_ANY);
        break;
    case TRUTH_BINDS_BOOL:
    case TRUTH_BINDS_LEN:
        vm->base[1] =
            int_value(as_int(vm->base[1]) == TRUTH_BINDS_BOOL ? TRUTH_FROM_BOOL : TRUTH_FROM_LEN);
        return call_value(vm, v, 0, NULL);
    case TRUTH_FROM_BOOL:
        if (!is_bool(v)) {
            raise_type(vm, "__bool__ should return bool, returned %T", v);
            return false;
        }
        truth = v == VALUE_TRUE ? LEAF_TRUE : LEAF_FALSE;
        break;
    case TRUTH_FROM_LEN:
        if (!value_is_intlike(v)) {
            raise_type(vm, "'%T' object cannot be interpreted as an integer", v);
            return false;
        }
        if (int_sign(v) < 0) {
            raise_value(vm, "__len__() should return >= 0");
            return false;
        }
        truth = int_sign(v) != 0 ? LEAF_TRUE : LEAF_FALSE;
        break;
    }
    if (truth == LEAF_ERROR) return false;
    frame_pop(vm);
    conclude_truth(vm, kind, truth == LEAF_TRUE);
    return true;
}

/* ---- the cases ---- */

static bool init_returned(GenVM *vm) {
    Value result = vm->base[0], instance = vm->base[1];
    if (unlikely(result != VALUE_NONE)) {
        raise_type(vm, "__init__() should return None, not '%T'", result);
        return false;
    }
    return call_return(vm, instance);
}

static bool new_returned(GenVM *vm) {
    Value instance = vm->base[0], cls = vm->base[1], args = vm->base[2], kwargs = vm->base[3];
    frame_pop(vm);
    return call_after_new(vm, instance, cls, args, kwargs);
}

static bool for_next_returned(GenVM *vm) {
    Value item = vm->base[0];
    frame_pop(vm);
    Instr instr = vm->pc[-1];
    vm->base[instr_b(instr)] = item;
    vm->pc += instr_imm(instr);
    return true;
}

static bool iter_returned(GenVM *vm) {
    Value iterator = vm->base[0];
    Type *type = type_of(vm, iterator);
    if (type->special[SP_NEXT] == VALUE_UNSET && !type->slots.next &&
        !is_generator_like(iterator)) {
        raise_type(vm, "iter() returned non-iterator of type '%T'", iterator);
        return false;
    }
    return call_return(vm, iterator);
}

static bool unpack_returned(GenVM *vm) {
    Value list = vm->base[0];
    frame_pop(vm);
    return ops_unpack_items(vm, list);
}

/* Enters an __init__ with the continuation that makes the instance the result: both frames at once.
 */
bool continue_new_instance(GenVM *vm, Value instance, Function *init, const Value *args,
                           uint32_t count) {
    enum { REGISTERS = 2 };
    bool from_stack = args >= vm->stack && args < vm->stack_end;
    size_t offset = (size_t)(args - vm->stack);
    Value *top = frame_reserve(vm, frame_top(vm), REGISTERS + FRAME_LINKS + init->regs);
    if (unlikely(!top)) return false;
    if (from_stack) args = vm->stack + offset;
    Value *base = top + FRAME_LINKS, *to = base + REGISTERS + FRAME_LINKS;
    to[0] = instance;
    for (uint32_t i = 0; i < count; i++)
        to[i + 1] = args[i];
    base[0] = VALUE_UNSET;
    base[1] = instance;
    frame_enter(vm, base, continue_stub(vm, RETURN_INIT));
    frame_enter(vm, to, init);
    return true;
}

/* Enters `method`, the first to be asked for the operator, with the continuation that looks at its
 * answer: both frames at once. */
bool continue_operator(GenVM *vm, Function *method, int op, Value a, Value b) {
    enum { REGISTERS = 5 };
    Value *top = frame_reserve(vm, frame_top(vm), REGISTERS + FRAME_LINKS + method->regs);
    if (unlikely(!top)) return false;
    Value *base = top + FRAME_LINKS;
    base[0] = VALUE_UNSET;
    base[1] = int_value(op);
    base[2] = a;
    base[3] = b;
    base[4] = int_value(1);
    frame_enter(vm, base, continue_stub(vm, RETURN_OPERATOR));
    base += REGISTERS + FRAME_LINKS;
    base[0] = a;
    base[1] = b;
    frame_enter(vm, base, method);
    return true;
}

/* A special method of an operator has answered. */
static bool operator_returned(GenVM *vm, bool negate) {
    Value result = vm->base[0], a = vm->base[2], b = vm->base[3];
    int op = (int)as_int(vm->base[1]), next = (int)as_int(vm->base[4]);
    if (likely(result != VALUE_NOT_IMPLEMENTED && !negate)) return call_return(vm, result);
    frame_pop(vm);
    if (result == VALUE_NOT_IMPLEMENTED) {
        vm->no_restart = true; /* script code has run for it */
        Value answer = operator_run(vm, op, a, b, next);
        vm->no_restart = false;
        return call_result(vm, answer);
    }
    return continue_truth(vm, RETURN_TRUTH_NOT, result);
}

static bool checked_returned(GenVM *vm) {
    Value result = special_check(vm, (Special)as_int(vm->base[1]), vm->base[0]);
    if (result == VALUE_ERROR) return false;
    frame_pop(vm);
    return call_result(vm, result);
}

/* The exception that was on its way goes on. */
static bool unwind_on(GenVM *vm) {
    Value exception = vm->base[1];
    frame_pop(vm);
    vm->exception = exception;
    vm->reraising = true;
    return false;
}

/* The exception that `raise` had made; raise_class sees to it that it is one. */
static bool raise_made(GenVM *vm) {
    Value exception = vm->base[0];
    frame_pop(vm);
    if (is_kind(exception, KIND_EXCEPTION))
        raise_value_object(vm, exception);
    else
        raise_type(vm, "exceptions must derive from BaseException");
    return false;
}

static bool end_finalizer(GenVM *vm) {
    if (vm->pending_count) vm->poll |= POLL_FINALIZE;
    frame_pop(vm);
    return true;
}

bool continue_run(GenVM *vm, Return kind) {
    switch (kind) {
    case RETURN_HOST: return true;
    case RETURN_DISCARD:
    case RETURN_INTERRUPT: frame_pop(vm); return true;
    case RETURN_TRUTH_BRANCH:
    case RETURN_TRUTH_NOT:
    case RETURN_TRUTH_VALUE: return truth_arrived(vm, kind);
    case RETURN_INIT: return init_returned(vm);
    case RETURN_NEW: return new_returned(vm);
    case RETURN_FOR_NEXT: return for_next_returned(vm);
    case RETURN_ATTRIBUTE_DEFAULT: return call_return(vm, vm->base[0]);
    case RETURN_HAS_ATTRIBUTE: return call_return(vm, VALUE_TRUE);
    case RETURN_ITER: return iter_returned(vm);
    case RETURN_UNPACK: return unpack_returned(vm);
    case RETURN_DELEGATE: return generator_delegate_returned(vm);
    case RETURN_DELEGATE_THROW: return generator_delegate_throw_returned(vm);
    case RETURN_CLOSE: return generator_close_returned(vm);
    case RETURN_THROW_CLOSE: return generator_throw_close_returned(vm);
    case RETURN_FINALIZER: return end_finalizer(vm);
    case RETURN_OPERATOR: return operator_returned(vm, false);
    case RETURN_OPERATOR_NOT: return operator_returned(vm, true);
    case RETURN_CHECKED: return checked_returned(vm);
    case RETURN_RESUME: return resume_run(vm);
    case RETURN_UNWIND: return unwind_on(vm);
    case RETURN_RAISE: return raise_made(vm);
    case RETURN_RELEASE: return generator_release_next(vm);
    case RETURN_THREAD: return threads_end(vm);
    case RETURN_AGAIN: return threads_wait_on(vm);
    case RETURN_COUNT: break;
    }
    return false;
}

/* ---- exceptions that reach a continuation ---- */

static bool replace_error(GenVM *vm, TypeId exception, Value result) {
    if (!error_matches(vm, exception)) return false;
    error_clear(vm);
    return call_return(vm, result);
}

static bool report_finalizer(GenVM *vm) {
    Value args[] = {error_take(vm), vm->base[1]};
    if (args[1] != VALUE_UNSET) {
        vm->base[1] = VALUE_UNSET; /* the report is being made */
        Value report = vm_unraisable_hook(vm);
        if (report != VALUE_ERROR && call_value(vm, report, 2, args)) return true;
        if (vm->stop) return true;
        error_clear(vm);
    }
    return end_finalizer(vm);
}

bool continue_error(GenVM *vm, Return kind) {
    switch (kind) {
    case RETURN_FOR_NEXT:
        if (!error_matches(vm, EXC_STOP_ITERATION)) return false;
        error_clear(vm);
        frame_pop(vm);
        return true;
    case RETURN_ATTRIBUTE_DEFAULT: return replace_error(vm, EXC_ATTRIBUTE_ERROR, vm->base[1]);
    case RETURN_HAS_ATTRIBUTE: return replace_error(vm, EXC_ATTRIBUTE_ERROR, VALUE_FALSE);
    case RETURN_DELEGATE: return generator_delegate_failed(vm);
    case RETURN_DELEGATE_THROW: return generator_delegate_throw_failed(vm);
    case RETURN_CLOSE: return generator_close_failed(vm);
    case RETURN_THROW_CLOSE: return generator_throw_close_failed(vm);
    case RETURN_FINALIZER: return report_finalizer(vm);
    case RETURN_INTERRUPT: /* as if raised by the instruction that would have run now */
        vm->base[FRAME_PC] += sizeof(Instr);
        return false;
    case RETURN_RESUME: resume_error(vm); return false;
    case RETURN_THREAD: /* _thread's own code has reported it, unless the task is being killed */
        error_clear(vm);
        threads_end(vm);
        return true;
    default: return false;
    }
}
