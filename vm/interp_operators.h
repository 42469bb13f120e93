/* interp_operators.h - a part of interp.c: the handlers of arithmetic and comparisons, as macros
 * over its locals. It is included there and nowhere else.
 *
 * Small ints and immediate floats are computed in place, whatever the mixture; strings are compared
 * in place as far as that is short. All else is op_binary's and op_compare_jump's.
 */
#ifndef GEN_INTERP_OPERATORS_H
#define GEN_INTERP_OPERATORS_H

#define SET_FLOAT(expression)                                                                      \
    do {                                                                                           \
        number = (expression);                                                                     \
        Value encoded_ = float_encode(number);                                                     \
        if (unlikely(!is_float(encoded_))) goto box_float;                                         \
        RA = encoded_;                                                                             \
        NEXT;                                                                                      \
    } while (0)

static inline bool int_add(Value x, Value y, Value *sum) {
    return __builtin_add_overflow((int64_t)x, (int64_t)y, (int64_t *)sum);
}
static inline bool int_sub(Value x, Value y, Value *difference) {
    return __builtin_sub_overflow((int64_t)x, (int64_t)y, (int64_t *)difference);
}
static inline bool int_mul(Value x, Value y, Value *product) {
    return __builtin_mul_overflow((int64_t)x >> SMALL_INT_SHIFT, (int64_t)y, (int64_t *)product);
}

/* A small int or an immediate float, as a double: the nearest one, as when a float meets an int. */
static inline bool is_immediate(Value v) {
    return (v & 3) != 1;
}
static inline double to_double(Value v) {
    return is_float(v) ? as_float(v) : (double)as_int(v);
}

/* x OP y where ints may overflow into the slow path and floats are computed at once. */
#define ARITHMETIC(name, int_op, symbol, left, right, slow)                                        \
    CASE(name) {                                                                                   \
        Value x = left, y = right, r;                                                              \
        if (likely(are_ints(x, y))) {                                                              \
            if (unlikely(int_op(x, y, &r))) SLOW(slow);                                            \
            RA = r;                                                                                \
            NEXT;                                                                                  \
        }                                                                                          \
        if (likely(are_floats(x, y))) SET_FLOAT(as_float(x) symbol as_float(y));                   \
        if (is_immediate(x) && is_immediate(y)) SET_FLOAT(to_double(x) symbol to_double(y));       \
        SLOW(slow);                                                                                \
    }

/* See pairs.def. */
#define PAIR(name, first, second, symbol, int_op, float_expression, int_expression)                \
    CASE(name) {                                                                                   \
        Value x_ = RB, y_ = RC, z_ = base[BYTE(5)];                                                \
        if (likely(x_ & y_ & z_ & 2)) {                                                            \
            double t = as_float(x_) symbol as_float(y_), z = as_float(z_);                         \
            Value r = float_encode(float_expression);                                              \
            if (unlikely(!is_float(r))) goto L_##first;                                            \
            base[BYTE(9)] = r;                                                                     \
            pc++;                                                                                  \
            NEXT;                                                                                  \
        }                                                                                          \
        Value t, z = z_, r;                                                                        \
        if (unlikely(((x_ | y_ | z_) & 3) != 0 || int_op(x_, y_, &t) || int_expression))           \
            goto L_##first;                                                                        \
        base[BYTE(9)] = r;                                                                         \
        pc++;                                                                                      \
        NEXT;                                                                                      \
    }

#define ARITHMETIC_IMMEDIATE(name, int_op, symbol)                                                 \
    CASE(name) {                                                                                   \
        Value x = RB, r;                                                                           \
        if (likely(is_int(x))) {                                                                   \
            if (unlikely(int_op(x, int_value(IMM), &r))) SLOW(op_binary);                          \
            RA = r;                                                                                \
            NEXT;                                                                                  \
        }                                                                                          \
        if (is_float(x)) SET_FLOAT(as_float(x) symbol(double) IMM);                                \
        SLOW(op_binary);                                                                           \
    }

/* Quotients of ints below 2^53 are exact in doubles. */
static inline bool divides_exactly(Value x, Value y) {
    const int64_t most = (int64_t)1 << 53;
    int64_t a = as_int(x), b = as_int(y);
    return b != 0 && a <= most && a >= -most && b <= most && b >= -most;
}

#define DIVISION(name, right)                                                                      \
    CASE(name) {                                                                                   \
        Value x = RB, y = right;                                                                   \
        if (likely(are_floats(x, y))) {                                                            \
            double divisor = as_float(y);                                                          \
            if (likely(divisor != 0)) SET_FLOAT(as_float(x) / divisor);                            \
        } else if (are_ints(x, y) && divides_exactly(x, y)) {                                      \
            SET_FLOAT((double)as_int(x) / (double)as_int(y));                                      \
        } else if (is_immediate(x) && is_immediate(y) && !are_ints(x, y)) {                        \
            double divisor = to_double(y);                                                         \
            if (likely(divisor != 0)) SET_FLOAT(to_double(x) / divisor);                           \
        }                                                                                          \
        SLOW(op_binary);                                                                           \
    }

static inline int64_t floor_mod(int64_t a, int64_t b) { /* b > 0 */
    if ((b & (b - 1)) == 0) return a & (b - 1);
    int64_t r =
        (((uint64_t)a | (uint64_t)b) >> 32) == 0 ? (int64_t)((uint32_t)a % (uint32_t)b) : a % b;
    return r < 0 ? r + b : r;
}
static inline int64_t floor_div(int64_t a, int64_t b) { /* b > 0 */
    if ((b & (b - 1)) == 0) return a >> __builtin_ctzll((uint64_t)b);
    if ((((uint64_t)a | (uint64_t)b) >> 32) == 0) return (int64_t)((uint32_t)a / (uint32_t)b);
    int64_t q = a / b;
    return a % b < 0 ? q - 1 : q;
}

#define INTEGER_DIVISION(name, function, right)                                                    \
    CASE(name) {                                                                                   \
        Value x = RB, y = right;                                                                   \
        if (likely(are_ints(x, y) && (int64_t)y > 0)) {                                            \
            RA = int_value(function(as_int(x), as_int(y)));                                        \
            NEXT;                                                                                  \
        }                                                                                          \
        SLOW(op_binary);                                                                           \
    }

/* By a constant: a multiplication, for dividends of 31 bits. `result` is made of x, the quotient q
 * and the divisor y, all with the tag of an int. */
#define CONSTANT_DIVISION(name, function, result)                                                  \
    CASE(name) {                                                                                   \
        Value x = RB, y = k[IMM];                                                                  \
        Instr factor = pc[0];                                                                      \
        if (likely(factor != OP_SKIP1 &&                                                           \
                   (x & ~((((Value)1 << RECIPROCAL_BITS) - 1) << 2)) == 0)) {                      \
            uint64_t q = (uint64_t)((unsigned __int128)x * factor >> 64);                          \
            RA = result;                                                                           \
            pc++;                                                                                  \
            NEXT;                                                                                  \
        }                                                                                          \
        if (likely(are_ints(x, y) && (int64_t)y > 0)) {                                            \
            RA = int_value(function(as_int(x), as_int(y)));                                        \
            pc++;                                                                                  \
            NEXT;                                                                                  \
        }                                                                                          \
        SLOW(op_binary);                                                                           \
    }

#define BITWISE(name, symbol, right)                                                               \
    CASE(name) {                                                                                   \
        Value x = RB, y = right;                                                                   \
        if (likely(are_ints(x, y))) {                                                              \
            RA = x symbol y;                                                                       \
            NEXT;                                                                                  \
        }                                                                                          \
        SLOW(op_binary);                                                                           \
    }

#define SHIFT_LEFT(name, right)                                                                    \
    CASE(name) {                                                                                   \
        Value x = RB, y = right;                                                                   \
        if (likely(are_ints(x, y) && y <= int_value(60))) {                                        \
            int64_t shifted = (int64_t)((uint64_t)x << as_int(y));                                 \
            if (likely(shifted >> as_int(y) == (int64_t)x)) {                                      \
                RA = (Value)shifted;                                                               \
                NEXT;                                                                              \
            }                                                                                      \
        }                                                                                          \
        SLOW(op_binary);                                                                           \
    }

#define SHIFT_RIGHT(name, right)                                                                   \
    CASE(name) {                                                                                   \
        Value x = RB, y = right;                                                                   \
        if (likely(are_ints(x, y) && (int64_t)y >= 0)) {                                           \
            int64_t by = as_int(y) > 63 ? 63 : as_int(y);                                          \
            RA = int_value(as_int(x) >> by);                                                       \
            NEXT;                                                                                  \
        }                                                                                          \
        SLOW(op_binary);                                                                           \
    }

/* Powers of positive floats; infinities, NaN and what overflows are float.c's. */
#define POWER(name, right)                                                                         \
    CASE(name) {                                                                                   \
        Value x = RB, y = right;                                                                   \
        if (likely(are_floats(x, y))) {                                                            \
            double root = as_float(x), exponent = as_float(y);                                     \
            if (root > 0 && isfinite(root) && isfinite(exponent)) {                                \
                double result = pow(root, exponent);                                               \
                if (likely(isfinite(result))) SET_FLOAT(result);                                   \
            }                                                                                      \
        }                                                                                          \
        SLOW(op_binary);                                                                           \
    }

/* Exactly a str, of ASCII characters only. */
static inline bool is_ascii(const Object *object) {
    return object_key(object) == OBJECT_KEY(TYPE_STR, 0) && object->flags & STR_ASCII;
}

/* What an instruction reads as a value is one, no mark (the compiler's CHECK and verify_flow.c see
 * to it): so its tag tells that it is an object. */
static inline bool is_exact_operand(Value x, TypeId kind) {
    return is_pointer(x) && object_key(as_object(x)) == OBJECT_KEY(kind, 0);
}

static inline bool is_kind_operand(Value x, TypeId kind) {
    return is_pointer(x) && as_object(x)->kind == kind;
}

/* Strings are compared for equality in place, for order as far as their first bytes decide it. */
static inline bool are_strings(Value x, Value y) {
    return (((x - 1) | (y - 1)) & 3) == 0 && is_exact_operand(x, TYPE_STR) &&
           is_exact_operand(y, TYPE_STR);
}
static inline bool equal_strings(Value x, Value y) {
    const Str *a = AS_STR(x), *b = AS_STR(y);
    if (x == y) return true;
    if (a->size != b->size) return false;
    return a->size == 1 ? *a->data == *b->data : str_equal(x, y);
}
/* What is long is charged, by the slow path. */
static inline bool is_short_string(Value x) {
    return likely(AS_STR(x)->size <= STR_LONG);
}
static inline uint8_t first_byte(Value x) {
    return (uint8_t)*AS_STR(x)->data;
}
static inline bool order_in_first(Value x, Value y) {
    const Str *a = AS_STR(x), *b = AS_STR(y);
    return a->size && b->size && (*a->data != *b->data || (a->size == 1 && b->size == 1));
}
#define FOR_EQ(equal, ordered) equal
#define FOR_NE(equal, ordered) equal
#define FOR_LT(equal, ordered) ordered
#define FOR_LE(equal, ordered) ordered
#define FOR_GT(equal, ordered) ordered
#define FOR_GE(equal, ordered) ordered

/* One byte in another string: what scanners ask. */
static inline bool has_byte(const Str *str, char byte) {
    if (str->size > 8) return memchr(str->data, byte, str->size) != NULL;
    for (uint32_t i = 0; i < str->size; i++)
        if (str->data[i] == byte) return true;
    return false;
}

/* The jump on the result, when it is the next instruction, is done along. */
#define MEMBERSHIP(name, sense)                                                                    \
    CASE(name) {                                                                                   \
        Value item = RB, container = RC;                                                           \
        if (!are_strings(item, container) || AS_STR(item)->size != 1 ||                            \
            AS_STR(container)->size > 64)                                                          \
            CALL_OUTLINED(op_in);                                                                  \
        bool truth = has_byte(AS_STR(container), *AS_STR(item)->data) == sense;                    \
        Instr next = pc[0];                                                                        \
        RA = bool_value(truth);                                                                    \
        if (instr_a(next) == A && (instr_op(next) == OP_JF || instr_op(next) == OP_JT)) {          \
            pc++;                                                                                  \
            if (truth == (instr_op(next) == OP_JT)) JUMP(IMM);                                     \
        }                                                                                          \
        NEXT;                                                                                      \
    }

#define COMPARISON(name, symbol)                                                                   \
    CASE(name) {                                                                                   \
        Value x = RB, y = RC;                                                                      \
        if (likely(are_ints(x, y))) {                                                              \
            RA = bool_value((int64_t)x symbol(int64_t) y);                                         \
            NEXT;                                                                                  \
        }                                                                                          \
        if (likely(are_floats(x, y))) {                                                            \
            RA = bool_value(as_float(x) symbol as_float(y));                                       \
            NEXT;                                                                                  \
        }                                                                                          \
        if (are_strings(x, y) && FOR_##name(is_short_string(x), order_in_first(x, y))) {           \
            RA = bool_value(                                                                       \
                FOR_##name(equal_strings(x, y) symbol true, first_byte(x) symbol first_byte(y)));  \
            NEXT;                                                                                  \
        }                                                                                          \
        SLOW(op_compare);                                                                          \
    }

/* `sense` is `!` for the jumps taken when the comparison is false. */
#define COMPARE_JUMP(name, symbol, sense, right, slow, of_kind)                                    \
    CASE(name) {                                                                                   \
        Value x = RA, y = right;                                                                   \
        if (likely(are_ints(x, y))) {                                                              \
            if (sense((int64_t)x symbol(int64_t) y)) JUMP(IMM);                                    \
            NEXT;                                                                                  \
        }                                                                                          \
        if (is_float(y) && is_float(x)) {                                                          \
            if (sense(as_float(x) symbol as_float(y))) JUMP(IMM);                                  \
            NEXT;                                                                                  \
        }                                                                                          \
        if (are_strings(x, y) && of_kind(is_short_string(x), order_in_first(x, y))) {              \
            if (sense(                                                                             \
                    of_kind(equal_strings(x, y) symbol true, first_byte(x) symbol first_byte(y)))) \
                JUMP(IMM);                                                                         \
            NEXT;                                                                                  \
        }                                                                                          \
        SLOW(slow);                                                                                \
    }
#define COMPARE_JUMP_IMMEDIATE(name, symbol, sense)                                                \
    CASE(name) {                                                                                   \
        Value x = RA;                                                                              \
        if (likely(is_int(x))) {                                                                   \
            if (sense((int64_t)x symbol(int64_t) int_value(SB))) JUMP(IMM);                        \
            NEXT;                                                                                  \
        }                                                                                          \
        if (is_float(x)) {                                                                         \
            if (sense(as_float(x) symbol(double) SB)) JUMP(IMM);                                   \
            NEXT;                                                                                  \
        }                                                                                          \
        SLOW(op_compare_jump);                                                                     \
    }
/* With a str constant: as good as decided by the identity or the sizes. */
#define STRING_JUMP(name, sense)                                                                   \
    CASE(name) {                                                                                   \
        Value x = RA, y = k[B];                                                                    \
        if (x == y) {                                                                              \
            if (sense) JUMP(IMM);                                                                  \
            NEXT;                                                                                  \
        }                                                                                          \
        if (unlikely(!is_exact_operand(x, TYPE_STR))) SLOW(op_compare_jump);                       \
        const Str *a_ = AS_STR(x), *b_ = AS_STR(y);                                                \
        if (unlikely(a_->size > STR_LONG)) SLOW(op_compare_jump);                                  \
        if (a_->size != b_->size || (a_->size == 1 ? *a_->data != *b_->data : !str_equal(x, y))) { \
            if (!(sense)) JUMP(IMM);                                                               \
        } else if (sense) {                                                                        \
            JUMP(IMM);                                                                             \
        }                                                                                          \
        NEXT;                                                                                      \
    }
#define COMPARE_JUMPS(OP_, symbol)                                                                 \
    COMPARISON(OP_, symbol)                                                                        \
    COMPARE_JUMP(J##OP_, symbol, , RB, op_compare_jump, FOR_##OP_)                                 \
    COMPARE_JUMP(JN##OP_, symbol, !, RB, op_compare_jump, FOR_##OP_)                               \
    COMPARE_JUMP_IMMEDIATE(J##OP_##I, symbol, )                                                    \
    COMPARE_JUMP_IMMEDIATE(JN##OP_##I, symbol, !)                                                  \
    COMPARE_JUMP(J##OP_##K, symbol, , k[B], op_compare_jump, FOR_##OP_)                            \
    COMPARE_JUMP(JN##OP_##K, symbol, !, k[B], op_compare_jump, FOR_##OP_)

#endif
