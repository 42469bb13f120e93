/* arithmetic.c - `a + b` and its kin for any operands: who is asked first, and what is said when
 * nobody answers. */
#include "vm/frame.h"
#include "vm/operations.h"

/* ---- running stages ---- */

static Value call_script(GenVM *vm, const Stage *stage, int op, Value a, Value b, int next) {
    Value answer = special_call(vm, stage->method, stage->x, 1, stage->y);
    if (answer != VALUE_TAIL) return answer;
    TailCall *tail = &vm->tail;
    tail->then = stage->kind == STAGE_SCRIPT_NOT ? RETURN_OPERATOR_NOT : RETURN_OPERATOR;
    tail->then_values[0] = int_value(op);
    tail->then_values[1] = a;
    tail->then_values[2] = b;
    tail->then_values[3] = int_value(next);
    return VALUE_TAIL;
}

static Value run_slot(GenVM *vm, const Stage *stage) {
    const TypeSlots *slots = &stage->type->slots;
    if (stage->kind == STAGE_BINARY)
        return slots->binary(vm, (BinaryOp)stage->op, stage->x, stage->y);
    if (stage->kind == STAGE_IN_PLACE)
        return slots->inplace(vm, (BinaryOp)stage->op, stage->x, stage->y);
    return slots->compare(vm, (CompareOp)stage->op, stage->x, stage->y);
}

Value stages_run(GenVM *vm, const Stage *stages, int count, int from, int op, Value a, Value b) {
    for (int i = from; i < count; i++) {
        if (stages[i].kind == STAGE_SCRIPT || stages[i].kind == STAGE_SCRIPT_NOT)
            return call_script(vm, &stages[i], op, a, b, i + 1);
        Value result = run_slot(vm, &stages[i]);
        if (result != VALUE_NOT_IMPLEMENTED) return result;
    }
    return VALUE_NOT_IMPLEMENTED;
}

Value operator_run(GenVM *vm, int op, Value a, Value b, int from) {
    Stage stages[STAGE_MAX];
    bool compares = op >= OPERATOR_COMPARE;
    CompareOp compare = (CompareOp)(op - OPERATOR_COMPARE);
    int count = compares ? compare_stages(vm, compare, a, b, stages)
                         : arithmetic_stages(vm, op, a, b, stages);
    Value result = stages_run(vm, stages, count, from, op, a, b);
    if (result != VALUE_NOT_IMPLEMENTED) return result;
    return compares ? compare_default(vm, compare, a, b) : arithmetic_error(vm, op, a, b);
}

/* ---- the order of trials ---- */

static bool is_sequence_type(const Type *type) {
    switch (type->instance_kind) {
    case TYPE_LIST:
    case TYPE_TUPLE:
    case TYPE_STR:
    case TYPE_BYTES:
    case TYPE_BYTEARRAY: return true;
    default: return false;
    }
}

/* The reflected method of the right operand's class comes first when that is a subclass that brings
 * its own. */
static bool right_goes_first(GenVM *vm, BinaryOp op, Type *left, Type *right,
                             bool right_is_script) {
    if (!type_is_subclass(right, left)) return false;
    if (!right_is_script) return right->slots.binary != left->slots.binary;
    Value name = vm->special_names[SP_RADD + op];
    return type_lookup(vm, left, name) != type_lookup(vm, right, name);
}

int arithmetic_stages(GenVM *vm, int code, Value a, Value b, Stage *stages) {
    BinaryOp op = (BinaryOp)(code & ~OPERATOR_IN_PLACE);
    bool in_place = code & OPERATOR_IN_PLACE && op != BINARY_DIVMOD;
    Type *left = type_of(vm, a), *right = type_of(vm, b);
    Value forward = left->special[SP_ADD + op];
    Value reflected = left == right ? VALUE_UNSET : right->special[SP_RADD + op];
    bool right_in_c = left != right && reflected == VALUE_UNSET && right->slots.binary &&
                      (forward != VALUE_UNSET || right->slots.binary != left->slots.binary);
    Stage last = {STAGE_SCRIPT, NULL, reflected, b, a, 0};
    if (right_in_c) last = (Stage){STAGE_BINARY, right, VALUE_UNSET, a, b, op};
    bool has_right = right_in_c || reflected != VALUE_UNSET;
    /* Sequences concatenate and repeat only after all numeric methods have been tried. */
    bool sequence =
        (op == BINARY_ADD || op == BINARY_MUL) && forward == VALUE_UNSET && is_sequence_type(left);
    bool first = has_right && ((sequence && reflected != VALUE_UNSET) ||
                               right_goes_first(vm, op, left, right, reflected != VALUE_UNSET));
    int count = 0;
    if (first && sequence) stages[count++] = last;
    if (in_place) {
        Value method = left->special[SP_IADD + op];
        if (method != VALUE_UNSET)
            stages[count++] = (Stage){STAGE_SCRIPT, NULL, method, a, b, 0};
        else if (left->slots.inplace)
            stages[count++] = (Stage){STAGE_IN_PLACE, left, VALUE_UNSET, a, b, op};
    }
    if (first && !sequence) stages[count++] = last;
    if (forward != VALUE_UNSET)
        stages[count++] = (Stage){STAGE_SCRIPT, NULL, forward, a, b, 0};
    else if (left->slots.binary)
        stages[count++] = (Stage){STAGE_BINARY, left, VALUE_UNSET, a, b, op};
    if (has_right && !first) stages[count++] = last;
    return count;
}

/* The method that is asked first, when that is a plain function of the left operand's class; the
 * next stage is 1. */
Function *operator_first_method(GenVM *vm, int code, Value a, Value b) {
    Type *left = type_of(vm, a), *right = type_of(vm, b);
    Value method;
    if (code >= OPERATOR_COMPARE) {
        method = left->special[SP_LT + code - OPERATOR_COMPARE];
        if (left != right && type_is_subclass(right, left)) return NULL;
    } else {
        int op = code & ~OPERATOR_IN_PLACE;
        bool in_place = code & OPERATOR_IN_PLACE && op != BINARY_DIVMOD;
        method = in_place ? left->special[SP_IADD + op] : VALUE_UNSET;
        if (method == VALUE_UNSET) {
            if (in_place && left->slots.inplace) return NULL;
            method = left->special[SP_ADD + op];
            if (left != right &&
                (right->special[SP_RADD + op] != VALUE_UNSET || type_is_subclass(right, left)))
                return NULL;
        }
    }
    return is_object(method) && object_key(as_object(method)) == OBJECT_KEY(TYPE_FUNCTION, 2)
               ? AS(Function, method)
               : NULL;
}

/* ---- errors ---- */

static const char *const symbols[BINARY_COUNT] = {"+", "-",  "*",  "/", "//", "%", "** or pow()",
                                                  "@", "<<", ">>", "&", "|",  "^", "divmod()"};
static const char *const in_place_symbols[BINARY_COUNT] = {
    "+=", "-=", "*=", "/=", "//=", "%=", "**=", "@=", "<<=", ">>=", "&=", "|=", "^=", "divmod()"};

Value arithmetic_error(GenVM *vm, int code, Value a, Value b) {
    int op = code & ~OPERATOR_IN_PLACE;
    if (op == BINARY_RSHIFT && is_kind(a, TYPE_NATIVE) &&
        str_is(AS(NativeFunction, a)->name, "print"))
        return raise_type(
            vm,
            "unsupported operand type(s) for >>: '%T' and '%T'. Did you mean \"print(<message>, "
            "file=<output_stream>)\"?",
            a, b);
    return raise_binary_operands(vm, code & OPERATOR_IN_PLACE ? in_place_symbols[op] : symbols[op],
                                 a, b);
}

/* ---- entry points ---- */

/* Neither operand's class defines special methods in Gen. */
static Value binary_native(GenVM *vm, BinaryOp op, Type *left, Type *right, Value a, Value b,
                           bool in_place) {
    Value result = VALUE_NOT_IMPLEMENTED;
    if (in_place && left->slots.inplace) {
        result = left->slots.inplace(vm, op, a, b);
        if (result != VALUE_NOT_IMPLEMENTED) return result;
    }
    Value (*first)(GenVM *, BinaryOp, Value, Value) = left->slots.binary,
                                             (*second)(GenVM *, BinaryOp, Value, Value) =
                                                 right->slots.binary;
    if (second == first) second = NULL;
    if (second && first && type_is_subclass(right, left)) {
        result = second(vm, op, a, b);
        second = NULL;
        if (result != VALUE_NOT_IMPLEMENTED) return result;
    }
    if (first) result = first(vm, op, a, b);
    if (result == VALUE_NOT_IMPLEMENTED && second) result = second(vm, op, a, b);
    if (result != VALUE_NOT_IMPLEMENTED) return result;
    return arithmetic_error(vm, op | (in_place ? OPERATOR_IN_PLACE : 0), a, b);
}

Value value_binary(GenVM *vm, BinaryOp op, Value a, Value b, bool in_place) {
    Type *left = type_of(vm, a), *right = type_of(vm, b);
    if (likely(!left->special_storage && !right->special_storage))
        return binary_native(vm, op, left, right, a, b, in_place);
    return operator_run(vm, (int)op | (in_place ? OPERATOR_IN_PLACE : 0), a, b, 0);
}

Value value_unary(GenVM *vm, Special op, Value v) {
    const Type *type = type_of(vm, v);
    if (type->special[op] != VALUE_UNSET) return special_call(vm, type->special[op], v, 0);
    if (type->slots.unary) {
        Value result = type->slots.unary(vm, op, v);
        if (result != VALUE_NOT_IMPLEMENTED) return result;
    }
    const char *symbol = op == SP_NEG      ? "unary -"
                         : op == SP_POS    ? "unary +"
                         : op == SP_INVERT ? "unary ~"
                                           : "abs()";
    return raise_type(vm, "bad operand type for %s: '%T'", symbol, v);
}

Value value_index(GenVM *vm, Value v) {
    if (is_int(v) || is_exact(v, TYPE_INT)) return v;
    if (is_bool(v)) return int_value(v == VALUE_TRUE);
    const Type *type = type_of(vm, v);
    Value method = type->special[SP_INDEX];
    if (is_kind(v, TYPE_INT) && method == VALUE_UNSET) return v;
    if (method != VALUE_UNSET) return special_checked(vm, SP_INDEX, method, v);
    if (type->slots.to_index) return type->slots.to_index(vm, v);
    return raise_type(vm, "'%T' object cannot be interpreted as an integer", v);
}
