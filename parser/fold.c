/* fold.c - constants: literals as values, and expressions of constants computed at compile time.
 *
 * Folds what CPython folds: arithmetic of literals as long as the result stays small, unary
 * operators, tuples of constants, subscripts of constants. An operation that fails is left to fail
 * at run time. Results are kept for each node, so that a long chain of operators is folded in
 * linear time.
 */
#include "parser/codegen.h"
#include "vm/objects/containers.h"

#include <stdlib.h>
#include <string.h>

enum { FOLDED_INT_BITS = 128, FOLDED_TEXT_SIZE = 4096, FOLDED_ITEMS = 256, SUBSCRIPT_LIMIT = 4096 };

/* ---- literals
 * -------------------------------------------------------------------------------------------------
 */

static bool looks_like_name(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        bool letter = (c | 32) >= 'a' && (c | 32) <= 'z', digit = c >= '0' && c <= '9';
        if (c != '_' && !letter && !digit) return false;
    }
    return true;
}

Value fold_constant(Codegen *gen, const AstConstant *constant) {
    switch (constant->kind) {
    case CONSTANT_None: return VALUE_NONE;
    case CONSTANT_True: return VALUE_TRUE;
    case CONSTANT_False: return VALUE_FALSE;
    case CONSTANT_Ellipsis: return VALUE_ELLIPSIS;
    case CONSTANT_Int:
        if (constant->fits) return int_from_i64(gen->vm, constant->value);
        return int_from_text(gen->vm, constant->text, constant->len, constant->base);
    case CONSTANT_Float: return float_value(gen->vm, constant->number);
    case CONSTANT_Complex: return complex_new(gen->vm, 0.0, constant->number);
    case CONSTANT_Str:
        if (looks_like_name(constant->text, constant->len))
            return str_intern_from(gen->vm, constant->text, constant->len);
        return str_new(gen->vm, constant->text, constant->len);
    case CONSTANT_Bytes: return bytes_new(gen->vm, constant->text, constant->len);
    }
    return VALUE_UNSET;
}

bool fold_truth(GenVM *vm, Value v) {
    if (is_int(v)) return v != 0;
    if (value_is_str(v)) return AS_STR(v)->size != 0;
    return leaf_truth(vm, v) == LEAF_TRUE;
}

/* ---- operators
 * ------------------------------------------------------------------------------------------------
 */

static bool is_number(Value v) {
    return value_is_intlike(v) || value_is_float(v) || is_kind(v, TYPE_COMPLEX);
}

static uint64_t item_count(Value v) {
    if (value_is_str(v)) return AS_STR(v)->size;
    if (is_kind(v, TYPE_BYTES)) return AS(Bytes, v)->size;
    if (is_kind(v, TYPE_TUPLE)) return AS_TUPLE(v)->count;
    return 0;
}

static bool is_sequence(Value v) {
    return value_is_str(v) || is_kind(v, TYPE_BYTES) || is_kind(v, TYPE_TUPLE);
}

static bool repeat_is_small(Value sequence, Value count) {
    int64_t n;
    if (!int_to_i64(count, &n)) return false;
    uint64_t limit = is_kind(sequence, TYPE_TUPLE) ? FOLDED_ITEMS : FOLDED_TEXT_SIZE;
    return n >= 0 &&
           item_count(sequence) * (uint64_t)(n > (int64_t)limit ? (int64_t)limit + 1 : n) <= limit;
}

static bool multiply_is_small(Value left, Value right) {
    if (value_is_intlike(left) && value_is_intlike(right))
        return int_bit_length(left) + int_bit_length(right) <= FOLDED_INT_BITS;
    if (is_sequence(left) && value_is_intlike(right)) return repeat_is_small(left, right);
    if (is_sequence(right) && value_is_intlike(left)) return repeat_is_small(right, left);
    return is_number(left) && is_number(right);
}

static bool shift_is_small(Value left, Value right) {
    int64_t n;
    return int_to_i64(right, &n) && n >= 0 && n <= FOLDED_INT_BITS &&
           int_bit_length(left) + (size_t)n <= FOLDED_INT_BITS;
}

static bool power_is_small(Value left, Value right) {
    int64_t n;
    if (!value_is_intlike(left) || !value_is_intlike(right))
        return is_number(left) && is_number(right);
    return int_to_i64(right, &n) &&
           (n < 0 || (n <= FOLDED_INT_BITS && int_bit_length(left) * (size_t)n <= FOLDED_INT_BITS));
}

static bool may_fold_binary(AstOperator op, Value left, Value right) {
    bool ints = value_is_intlike(left) && value_is_intlike(right);
    bool numbers = is_number(left) && is_number(right);
    switch (op) {
    case OPERATOR_Add:
        if (numbers) return true;
        return is_sequence(left) && is_sequence(right) &&
               as_object(left)->kind == as_object(right)->kind &&
               item_count(left) + item_count(right) <= FOLDED_TEXT_SIZE;
    case OPERATOR_Sub:
    case OPERATOR_Div:
    case OPERATOR_FloorDiv:
    case OPERATOR_Mod: return numbers;
    case OPERATOR_Mult: return multiply_is_small(left, right);
    case OPERATOR_Pow: return power_is_small(left, right);
    case OPERATOR_LShift: return ints && shift_is_small(left, right);
    case OPERATOR_RShift:
    case OPERATOR_BitOr:
    case OPERATOR_BitXor:
    case OPERATOR_BitAnd: return ints;
    case OPERATOR_MatMult: return false;
    }
    return false;
}

static BinaryOp binary_op(AstOperator op) {
    switch (op) {
    case OPERATOR_Add: return BINARY_ADD;
    case OPERATOR_Sub: return BINARY_SUB;
    case OPERATOR_Mult: return BINARY_MUL;
    case OPERATOR_MatMult: return BINARY_MATMUL;
    case OPERATOR_Div: return BINARY_DIV;
    case OPERATOR_Mod: return BINARY_MOD;
    case OPERATOR_Pow: return BINARY_POW;
    case OPERATOR_LShift: return BINARY_LSHIFT;
    case OPERATOR_RShift: return BINARY_RSHIFT;
    case OPERATOR_BitOr: return BINARY_OR;
    case OPERATOR_BitXor: return BINARY_XOR;
    case OPERATOR_BitAnd: return BINARY_AND;
    case OPERATOR_FloorDiv: return BINARY_FLOORDIV;
    }
    return BINARY_ADD;
}

/* A failure at compile time (a division by zero) is none: the operation is left to the program. But
 * for want of memory, which would make other code of the same text. */
static Value settle(Codegen *gen, Value result) {
    if (result == VALUE_TAIL) native_drop_tail(gen->vm);
    if (result == VALUE_ERROR && error_matches(gen->vm, EXC_MEMORY_ERROR)) return result;
    if (result == VALUE_ERROR) error_clear(gen->vm);
    bool folded = result != VALUE_TAIL && result != VALUE_ERROR && result != VALUE_NOT_IMPLEMENTED;
    return folded ? result : VALUE_UNSET;
}

static Value fold_binary(Codegen *gen, AstExpr *e) {
    Value left = fold_expr(gen, e->BinOp.left);
    if (left == VALUE_UNSET) return VALUE_UNSET;
    Value right = fold_expr(gen, e->BinOp.right);
    if (right == VALUE_UNSET || !may_fold_binary(e->BinOp.op, left, right)) return VALUE_UNSET;
    return settle(gen, value_binary(gen->vm, binary_op(e->BinOp.op), left, right, false));
}

static Value negate(Codegen *gen, Value v) {
    double real, imaginary;
    if (value_is_intlike(v)) return int_negate(gen->vm, v);
    if (value_is_float(v)) return float_value(gen->vm, -value_float(v));
    if (complex_parts(v, &real, &imaginary)) return complex_new(gen->vm, -real, -imaginary);
    return VALUE_UNSET;
}

static Value fold_unary(Codegen *gen, AstExpr *e) {
    Value v = fold_expr(gen, e->UnaryOp.operand);
    if (v == VALUE_UNSET) return VALUE_UNSET;
    switch (e->UnaryOp.op) {
    case UNARYOP_Not: return bool_value(!fold_truth(gen->vm, v));
    case UNARYOP_USub: return is_number(v) ? settle(gen, negate(gen, v)) : VALUE_UNSET;
    case UNARYOP_UAdd: return is_number(v) && !is_bool(v) ? v : VALUE_UNSET;
    case UNARYOP_Invert:                                            /* ~x == -1 - x */
        if (!value_is_intlike(v) || is_bool(v)) return VALUE_UNSET; /* ~True warns when it runs */
        return settle(gen, int_binary(gen->vm, BINARY_SUB, int_value(-1), v));
    }
    return VALUE_UNSET;
}

/* ---- displays and subscripts
 * ---------------------------------------------------------------------------------- */

static bool all_constant(Codegen *gen, AstExprSeq elements) {
    for (int32_t i = 0; i < elements.count; i++)
        if (fold_expr(gen, elements.items[i]) == VALUE_UNSET) return false;
    return true;
}

static Value constant_tuple(Codegen *gen, AstExprSeq elements) {
    if (!all_constant(gen, elements)) return VALUE_UNSET;
    Value tuple =
        elements.count ? tuple_new(gen->vm, (uint64_t)elements.count) : gen->vm->empty_tuple;
    if (tuple == VALUE_ERROR) return settle(gen, tuple);
    for (int32_t i = 0; i < elements.count; i++)
        AS_TUPLE(tuple)->items[i] = fold_expr(gen, elements.items[i]);
    return tuple;
}

/* The order of a set of ints shows when it is printed. CPython makes such a constant twice, the
 * second time from the items in the order of the first. */
static Value constant_frozenset(Codegen *gen, AstExprSeq elements) {
    if (!all_constant(gen, elements)) return VALUE_UNSET;
    Value first = set_new(gen->vm, TYPE_FROZENSET), set = set_new(gen->vm, TYPE_FROZENSET), item;
    for (int32_t i = 0; i < elements.count && first != VALUE_ERROR; i++)
        if (set_add(gen->vm, first, fold_expr(gen, elements.items[i])) < 0) first = VALUE_ERROR;
    if (first == VALUE_ERROR) set = VALUE_ERROR;
    uint32_t position = 0;
    uint64_t hash;
    while (set != VALUE_ERROR && set_next(AS_SET(first), &position, &item, &hash))
        if (set_add(gen->vm, set, item) < 0) set = VALUE_ERROR;
    return settle(gen, set);
}

static Value fold_subscript(Codegen *gen, AstExpr *e) {
    if (e->Subscript.ctx != CTX_Load) return VALUE_UNSET;
    Value container = fold_expr(gen, e->Subscript.value);
    if (container == VALUE_UNSET || !is_sequence(container) ||
        item_count(container) > SUBSCRIPT_LIMIT)
        return VALUE_UNSET;
    Value key = fold_expr(gen, e->Subscript.slice);
    if (key == VALUE_UNSET || !value_is_intlike(key)) return VALUE_UNSET;
    return settle(gen, value_getitem(gen->vm, container, key));
}

static Value failed_or(Codegen *gen, Value value) {
    if (value != VALUE_ERROR) return value;
    codegen_fail(gen);
    return VALUE_UNSET;
}

Value fold_container(Codegen *gen, AstExpr *e) {
    if (e->kind == EXPR_List) return failed_or(gen, constant_tuple(gen, e->List.elts));
    if (e->kind == EXPR_Set) return failed_or(gen, constant_frozenset(gen, e->Set.elts));
    return VALUE_UNSET;
}

static Value fold_node(Codegen *gen, AstExpr *e) {
    switch (e->kind) {
    case EXPR_Constant: return fold_constant(gen, &e->Constant.value);
    case EXPR_BinOp: return fold_binary(gen, e);
    case EXPR_UnaryOp: return fold_unary(gen, e);
    case EXPR_Tuple:
        return e->Tuple.ctx == CTX_Load ? constant_tuple(gen, e->Tuple.elts) : VALUE_UNSET;
    case EXPR_Subscript: return fold_subscript(gen, e);
    default: return VALUE_UNSET;
    }
}

Value fold_expr(Codegen *gen, AstExpr *e) {
    uint64_t known;
    switch (e->kind) {
    case EXPR_Name:
        return e->Name.ctx == CTX_Load && names_equal(e->Name.id, "__debug__") ? VALUE_TRUE
                                                                               : VALUE_UNSET;
    case EXPR_Constant:
    case EXPR_BinOp:
    case EXPR_UnaryOp:
    case EXPR_Tuple:
    case EXPR_Subscript: break;
    default: return VALUE_UNSET;
    }
    if (codegen_map_get(&gen->folded, e, &known)) return known;
    Value value = failed_or(gen, fold_node(gen, e));
    codegen_map_set(gen, &gen->folded, e, value);
    return value;
}
