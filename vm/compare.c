/* compare.c - comparisons of any values: `a < b`, equality as containers need it, and `in`. */
#include "vm/operations.h"

static const CompareOp swapped[] = {COMPARE_GT, COMPARE_GE, COMPARE_EQ,
                                    COMPARE_NE, COMPARE_LT, COMPARE_LE};
static const char *const symbols[] = {"<", "<=", "==", "!=", ">", ">="};

/* ---- the order of trials ---- */

/* How x's class answers `x op y`; false when it has nothing to say. */
static bool side(GenVM *vm, Type *type, CompareOp op, Value x, Value y, Stage *stage) {
    Value method = type->special[SP_LT + op];
    if (method != VALUE_UNSET) {
        *stage = (Stage){STAGE_SCRIPT, NULL, method, x, y, 0};
        return true;
    }
    bool from_object = type->slots.compare == vm->types[TYPE_OBJECT]->slots.compare;
    if (op == COMPARE_NE && from_object && type->special[SP_EQ] != VALUE_UNSET) { /* != is not == */
        *stage = (Stage){STAGE_SCRIPT_NOT, NULL, type->special[SP_EQ], x, y, 0};
        return true;
    }
    if (from_object) return false;
    *stage = (Stage){STAGE_COMPARE, type, VALUE_UNSET, x, y, op};
    return true;
}

int compare_stages(GenVM *vm, CompareOp op, Value a, Value b, Stage *stages) {
    Type *left = type_of(vm, a), *right = type_of(vm, b);
    int count = 0;
    bool reversed = left != right && type_is_subclass(right, left);
    if (reversed && side(vm, right, swapped[op], b, a, &stages[count])) count++;
    if (side(vm, left, op, a, b, &stages[count])) count++;
    if (!reversed && side(vm, right, swapped[op], b, a, &stages[count])) count++;
    return count;
}

Value compare_default(GenVM *vm, CompareOp op, Value a, Value b) {
    if (op == COMPARE_EQ) return bool_value(a == b);
    if (op == COMPARE_NE) return bool_value(a != b);
    return raise_type(vm, "'%s' not supported between instances of '%T' and '%T'", symbols[op], a,
                      b);
}

/* ---- comparisons ---- */

static bool order_answers(CompareOp op, int order) {
    switch (op) {
    case COMPARE_LT: return order < 0;
    case COMPARE_LE: return order <= 0;
    case COMPARE_EQ: return order == 0;
    case COMPARE_NE: return order != 0;
    case COMPARE_GT: return order > 0;
    case COMPARE_GE: return order >= 0;
    }
    return false;
}

static Value compare_native(GenVM *vm, CompareOp op, Type *left, Type *right, Value a, Value b) {
    Value (*first)(GenVM *, CompareOp, Value, Value) = left->slots.compare;
    Value (*second)(GenVM *, CompareOp, Value, Value) = right->slots.compare;
    Value result;
    if (left != right && second != first && type_is_subclass(right, left)) {
        result = second(vm, swapped[op], b, a);
        if (result == VALUE_NOT_IMPLEMENTED) result = first(vm, op, a, b);
    } else {
        result = first(vm, op, a, b);
        if (result == VALUE_NOT_IMPLEMENTED && left != right)
            result = second(vm, swapped[op], b, a);
    }
    return result == VALUE_NOT_IMPLEMENTED ? compare_default(vm, op, a, b) : result;
}

/* Two huge ints may have all but their last bits in common. */
int compare_ints(GenVM *vm, Value a, Value b) {
    if (!is_int(a) && !is_int(b)) native_spend(vm, int_bit_length(a) / 4096);
    return int_order(a, b);
}

Value value_compare(GenVM *vm, CompareOp op, Value a, Value b) {
    if (are_ints(a, b))
        return bool_value(order_answers(op, ((int64_t)a > (int64_t)b) - ((int64_t)a < (int64_t)b)));
    if (value_is_plain_number(a) && value_is_plain_number(b)) {
        if (value_is_int(a) && value_is_int(b))
            return bool_value(order_answers(op, compare_ints(vm, a, b)));
        return vm->types[TYPE_FLOAT]->slots.compare(vm, op, a, b);
    }
    if (is_exact(a, TYPE_STR) && is_exact(b, TYPE_STR)) {
        if (op == COMPARE_EQ || op == COMPARE_NE)
            return bool_value((a == b || str_equal_charged(vm, a, b)) == (op == COMPARE_EQ));
        return bool_value(order_answers(op, a == b ? 0 : str_order_charged(vm, a, b)));
    }
    Type *left = type_of(vm, a), *right = type_of(vm, b);
    if (likely(!left->special_storage && !right->special_storage))
        return compare_native(vm, op, left, right, a, b);
    return operator_run(vm, OPERATOR_COMPARE + (int)op, a, b, 0);
}

static Leaf to_leaf(GenVM *vm, Value answer) {
    if (answer == VALUE_TRUE) return LEAF_TRUE;
    if (answer == VALUE_FALSE) return LEAF_FALSE;
    if (answer == VALUE_ERROR) return LEAF_ERROR;
    if (answer != VALUE_TAIL) return leaf_truth(vm, answer);
    native_drop_tail(vm);
    return LEAF_SCRIPT;
}

/* Would comparing these run a method written in Gen, to see at once? */
static bool needs_script(GenVM *vm, CompareOp op, Value a, Value b) {
    Type *left = type_of(vm, a), *right = type_of(vm, b);
    if (!left->special_storage && !right->special_storage) return false;
    Special one = (Special)(SP_LT + op), other = (Special)(SP_LT + swapped[op]);
    return left->special[one] != VALUE_UNSET || right->special[other] != VALUE_UNSET;
}

Leaf leaf_equal(GenVM *vm, Value a, Value b) {
    if (a == b) return LEAF_TRUE;
    if (are_ints(a, b)) return LEAF_FALSE;
    if (is_exact(a, TYPE_STR) && is_exact(b, TYPE_STR))
        return str_equal_charged(vm, a, b) ? LEAF_TRUE : LEAF_FALSE;
    if (needs_script(vm, COMPARE_EQ, a, b)) return LEAF_SCRIPT;
    return to_leaf(vm, value_compare(vm, COMPARE_EQ, a, b));
}

Leaf leaf_compare(GenVM *vm, CompareOp op, Value a, Value b) {
    if (needs_script(vm, op, a, b)) return LEAF_SCRIPT;
    return to_leaf(vm, value_compare(vm, op, a, b));
}
