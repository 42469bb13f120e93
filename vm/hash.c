/* hash.c - hashes and truth of any value. */
#include "vm/operations.h"

static uint64_t to_hash(GenVM *vm, Value number) {
    int64_t i;
    (void)vm;
    return int_to_i64(number, &i) ? (uint64_t)i : int_hash(number);
}

Leaf leaf_hash(GenVM *vm, Value v, uint64_t *hash) {
    if (is_int(v)) {
        *hash = int_hash(v);
        return LEAF_TRUE;
    }
    if (is_float(v)) {
        *hash = float_hash(as_float(v));
        return LEAF_TRUE;
    }
    if (is_exact(v, TYPE_STR)) {
        *hash = str_hash(vm, v);
        return LEAF_TRUE;
    }
    const Type *type = type_of(vm, v);
    Value method = type->special[SP_HASH];
    if (method != VALUE_UNSET && method != VALUE_NONE) return LEAF_SCRIPT;
    if (method == VALUE_NONE || !type->slots.hash) {
        raise_type(vm, "unhashable type: '%T'", v);
        return LEAF_ERROR;
    }
    Value number = type->slots.hash(vm, v);
    if (number == VALUE_ERROR) return LEAF_ERROR;
    if (number == VALUE_TAIL) {
        native_drop_tail(vm);
        return LEAF_SCRIPT;
    }
    *hash = to_hash(vm, number);
    return LEAF_TRUE;
}

Value value_hash(GenVM *vm, Value v) {
    uint64_t hash;
    const Type *type = type_of(vm, v);
    Value method = type->special[SP_HASH];
    if (method != VALUE_UNSET && method != VALUE_NONE)
        return special_checked(vm, SP_HASH, method, v);
    if (type->slots.hash && method == VALUE_UNSET && is_object(v) && !is_exact(v, TYPE_STR))
        return type->slots.hash(vm, v); /* its elements may need a twin */
    Leaf known = leaf_hash(vm, v, &hash);
    return known == LEAF_TRUE ? int_from_i64(vm, (int64_t)hash) : VALUE_ERROR;
}

/* What hash() makes of the result of a __hash__ method. */
Value hash_of_result(GenVM *vm, Value result) {
    if (!value_is_intlike(result))
        return raise_type(vm, "__hash__ method should return an integer");
    int64_t i;
    if (!int_to_i64(result, &i)) i = (int64_t)int_hash(result);
    return int_from_i64(vm, i == -1 ? -2 : i);
}

/* ---- truth ---- */

/* LEAF_SCRIPT: a method written in Gen decides. */
Leaf leaf_truth(GenVM *vm, Value v) {
    if (v == VALUE_TRUE) return LEAF_TRUE;
    if (v == VALUE_FALSE || v == VALUE_NONE) return LEAF_FALSE;
    if (is_int(v)) return v != int_value(0) ? LEAF_TRUE : LEAF_FALSE;
    const Type *type = is_float(v) ? vm->types[TYPE_FLOAT] : vm->shapes[as_object(v)->shape].type;
    Value answer;
    if (type->special[SP_BOOL] != VALUE_UNSET) return LEAF_SCRIPT;
    if (type->slots.truth) {
        answer = type->slots.truth(vm, v);
    } else {
        if (type->special[SP_LEN] != VALUE_UNSET) {
            answer = value_native_len(vm, type->special[SP_LEN], v);
            if (answer == VALUE_UNSET) return LEAF_SCRIPT;
        } else {
            if (!type->slots.len) return LEAF_TRUE;
            answer = type->slots.len(vm, v);
        }
        if (is_int(answer)) return answer != int_value(0) ? LEAF_TRUE : LEAF_FALSE;
    }
    if (answer == VALUE_ERROR) return LEAF_ERROR;
    if (answer == VALUE_TAIL) {
        native_drop_tail(vm);
        return LEAF_SCRIPT;
    }
    return answer == VALUE_TRUE ? LEAF_TRUE : LEAF_FALSE;
}

Value value_truth(GenVM *vm, Value v) {
    Leaf truth = leaf_truth(vm, v);
    if (truth == LEAF_ERROR) return VALUE_ERROR;
    return truth == LEAF_SCRIPT ? native_twin(vm, TWIN_TRUTH, 1, v)
                                : bool_value(truth == LEAF_TRUE);
}
