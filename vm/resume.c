/* resume.c - natives that run in steps: their frames. */
#include "vm/resume.h"
#include "vm/call.h"
#include "vm/continue.h"
#include "vm/operations.h"
#include "vm/objects/containers.h"

static const ResumeFn steps[] = {
#define RESUME(id, function, check) function,
#include "vm/resumes.def"
#undef RESUME
};

static const ResumeCheckFn checks[] = {
#define RESUME(id, function, check) check,
#include "vm/resumes.def"
#undef RESUME
};

Value native_steps(GenVM *vm, ResumeId id, int count, ...) {
    Value args[9] = {int_value(id)};
    va_list list;
    va_start(list, count);
    for (int i = 0; i < count; i++)
        args[1 + i] = va_arg(list, Value);
    va_end(list);
    return native_call_array(vm, object_value(continue_stub(vm, RETURN_RESUME)),
                             (uint32_t)count + 1, args);
}

bool resume_begin(GenVM *vm, const Value *args, uint32_t count) {
    Value state[RESUME_REGISTERS];
    memcpy(state, args, count * sizeof *args); /* they may lie on the stack, which may move */
    Value *base = frame_push_continuation(vm, RETURN_RESUME, 0);
    if (!base) return false;
    memcpy(base + RESUME_ID, state, count * sizeof *state);
    for (uint32_t i = RESUME_ID + count; i < RESUME_REGISTERS; i++)
        base[i] = VALUE_UNSET;
    return true;
}

bool resume_run(GenVM *vm) {
    Value result = steps[as_int(vm->base[RESUME_ID])](vm, vm->base);
    if (result == VALUE_TAIL) return call_tail(vm);
    return result != VALUE_ERROR && call_return(vm, result);
}

void resume_error(GenVM *vm) {
    if (as_int(vm->base[RESUME_ID]) == RESUME_TABLE) table_failed(vm, vm->base);
}

Value compare_first(GenVM *vm, CompareOp op, Value a, Value b) {
    Function *method =
        is_object(a) ? operator_first_method(vm, OPERATOR_COMPARE + (int)op, a, b) : NULL;
    const Value args[2] = {a, b};
    return method ? native_call_array(vm, object_value(method), 2, args)
                  : value_compare(vm, op, a, b);
}

Value compare_rest(GenVM *vm, CompareOp op, Value a, Value b) {
    return operator_run(vm, OPERATOR_COMPARE + (int)op, a, b, 1);
}

Value resume_saved(GenVM *vm, Value *registers, uint32_t i) {
    bool table = registers[RESUME_ID] == int_value(RESUME_TABLE);
    return table ? table_saved(vm, registers, i) : registers[i];
}

void resume_loaded(Value *registers) {
    if (registers[RESUME_ID] == int_value(RESUME_TABLE)) table_loaded(registers);
}

bool resume_check(GenVM *vm, Value *registers) {
    Value id = registers[RESUME_ID];
    return is_int(id) && as_int(id) >= 0 && as_int(id) < RESUME_COUNT &&
           checks[as_int(id)](vm, registers);
}
