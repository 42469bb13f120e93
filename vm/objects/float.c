/* float.c - the type float: making floats, arithmetic, comparison, hash.
 *
 * Most floats are words (value.h); float_value boxes the few that are not. Against ints of any size
 * comparison is exact: neither side is rounded to the other's type.
 */
#include "vm/objects/number.h"

Value float_box(GenVM *vm, double d) {
    FloatBox *box = gc_new_raw(vm, sizeof(FloatBox), TYPE_FLOAT);
    if (!box) return VALUE_ERROR;
    box->number = d;
    return object_value(box);
}

Value float_value(GenVM *vm, double d) {
    Value v = float_encode(d);
    return likely(is_float(v)) ? v : float_box(vm, d);
}

Value float_of_class(GenVM *vm, Type *cls, double d) {
    if (cls == vm->types[TYPE_FLOAT]) return float_value(vm, d);
    FloatBox *box = gc_new_of(vm, sizeof(FloatBox), TYPE_FLOAT, cls);
    if (!box) return VALUE_ERROR;
    box->number = d;
    return object_value(box);
}

/* ---- comparison and hash ---- */

static int order_of(double a, double b) {
    return (a > b) - (a < b);
}

bool float_order_int(double d, Value v, int *order) {
    if (isnan(d)) return false;
    if (is_bool(v)) v = int_value(v == VALUE_TRUE);
    if (is_int(v) && as_int(v) >= -(INT64_C(1) << 53) && as_int(v) <= INT64_C(1) << 53) {
        *order = order_of(d, (double)as_int(v));
        return true;
    }
    if (isinf(d)) {
        *order = d < 0 ? -1 : 1;
        return true;
    }
    mp_limb_t limbs[18];
    IntView whole = {limbs, int_double_limbs(d, limbs), d < 0, 0}, other;
    while (whole.count && limbs[whole.count - 1] == 0)
        whole.count--;
    if (whole.count == 0) whole.negative = false;
    int_view(&other, v);
    *order = int_view_order(&whole, &other);
    if (*order == 0) *order = order_of(d - trunc(d), 0.0);
    return true;
}

static Value compare(GenVM *vm, CompareOp op, Value left, Value right) {
    (void)vm;
    int order = 0;
    bool ordered;
    if (value_is_float(left) && value_is_float(right)) {
        double a = value_float(left), b = value_float(right);
        ordered = !isnan(a) && !isnan(b);
        order = order_of(a, b);
    } else if (value_is_float(left) && value_is_intlike(right)) {
        ordered = float_order_int(value_float(left), right, &order);
    } else if (value_is_intlike(left) && value_is_float(right)) {
        ordered = float_order_int(value_float(right), left, &order);
        order = -order;
    } else {
        return VALUE_NOT_IMPLEMENTED;
    }
    return bool_value(ordered ? order_holds(op, order) : op == COMPARE_NE);
}

enum { HASH_BITS = 61, HASH_INFINITY = 314159 };

/* The number modulo 2^61 - 1, in which a factor of two is a rotation. */
uint64_t float_hash(double d) {
    static const uint64_t prime = ((uint64_t)1 << HASH_BITS) - 1;
    if (isinf(d)) return d < 0 ? (uint64_t)-HASH_INFINITY : HASH_INFINITY;
    if (isnan(d)) return 0;
    int exponent;
    uint64_t mantissa = (uint64_t)ldexp(frexp(fabs(d), &exponent), 53);
    int turn = (exponent - 53) % HASH_BITS;
    if (turn < 0) turn += HASH_BITS;
    uint64_t hash = mantissa;
    if (turn) hash = (mantissa << turn & prime) | mantissa >> (HASH_BITS - turn);
    if (hash == prime) hash = 0;
    return d < 0 && hash ? (hash == 1 ? (uint64_t)-2 : -hash) : hash;
}

/* ---- arithmetic ---- */

Value raise_range(GenVM *vm) {
    Value text = str_from(vm, "Numerical result out of range");
    if (text == VALUE_ERROR) return VALUE_ERROR;
    Value args = tuple_pack(vm, 2, int_value(34), text);
    return args == VALUE_ERROR ? VALUE_ERROR : raise_with_args(vm, EXC_OVERFLOW_ERROR, args);
}

void float_divmod(double x, double y, double *quotient, double *remainder) {
    double rest = fmod(x, y), q = (x - rest) / y;
    if (rest == 0) {
        rest = copysign(0.0, y);
    } else if ((y < 0) != (rest < 0)) {
        rest += y;
        q -= 1.0;
    }
    double whole = floor(q);
    if (q - whole > 0.5) whole += 1.0;
    *quotient = q == 0 ? copysign(0.0, x / y) : whole;
    *remainder = rest;
}

static Value divide(GenVM *vm, BinaryOp op, double x, double y) {
    if (y == 0) return raise_zero_division(vm, "division by zero");
    if (op == BINARY_DIV) return float_value(vm, x / y);
    double quotient, remainder;
    float_divmod(x, y, &quotient, &remainder);
    if (op == BINARY_FLOORDIV) return float_value(vm, quotient);
    if (op == BINARY_MOD) return float_value(vm, remainder);
    Value first = float_value(vm, quotient), second = float_value(vm, remainder);
    if (first == VALUE_ERROR || second == VALUE_ERROR) return VALUE_ERROR;
    return tuple_pack(vm, 2, first, second);
}

/* x is not NaN and y is infinite: 0, 1 or infinity. */
static double power_infinite(double x, double y) {
    x = fabs(x);
    return x == 1 ? 1.0 : (y > 0) == (x > 1) ? HUGE_VAL : 0.0;
}

static Value power(GenVM *vm, double x, double y) {
    if (y == 0 || x == 1) return float_value(vm, 1.0);
    if (isnan(x) || isnan(y)) return float_value(vm, isnan(x) ? x : y);
    if (isinf(y)) return float_value(vm, power_infinite(x, y));
    bool odd = fmod(fabs(y), 2.0) == 1.0;
    if (isinf(x)) {
        double magnitude = y > 0 ? HUGE_VAL : 0.0;
        return float_value(vm, odd ? copysign(magnitude, x) : magnitude);
    }
    if (x == 0) {
        if (y < 0) return raise_zero_division(vm, "zero to a negative power");
        return float_value(vm, odd ? x : 0.0);
    }
    if (x < 0 && y != floor(y)) return complex_power(vm, x, 0.0, y, 0.0);
    double result = pow(fabs(x), y);
    if (isinf(result)) return raise_range(vm);
    return float_value(vm, x < 0 && odd ? -result : result);
}

static bool operand(GenVM *vm, Value v, double *out) {
    if (is_float(v)) {
        *out = as_float(v);
        return true;
    }
    return number_to_double(vm, v, out);
}

Value float_binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    double x, y;
    if (!operand(vm, left, &x) || !operand(vm, right, &y))
        return vm->exception != VALUE_UNSET ? VALUE_ERROR : VALUE_NOT_IMPLEMENTED;
    switch (op) {
    case BINARY_ADD: return float_value(vm, x + y);
    case BINARY_SUB: return float_value(vm, x - y);
    case BINARY_MUL: return float_value(vm, x * y);
    case BINARY_DIV:
    case BINARY_FLOORDIV:
    case BINARY_MOD:
    case BINARY_DIVMOD: return divide(vm, op, x, y);
    case BINARY_POW: return power(vm, x, y);
    case BINARY_MATMUL:
    case BINARY_LSHIFT:
    case BINARY_RSHIFT:
    case BINARY_AND:
    case BINARY_OR:
    case BINARY_XOR:
    case BINARY_COUNT: break;
    }
    return VALUE_NOT_IMPLEMENTED;
}

/* ---- slots ---- */

static Value repr(GenVM *vm, Value self) {
    return float_repr(vm, value_float(self));
}
static Value hash(GenVM *vm, Value self) {
    return (void)vm, int_value((int64_t)float_hash(value_float(self)));
}
static Value truth(GenVM *vm, Value self) {
    return (void)vm, bool_value(value_float(self) != 0);
}
static Value to_int(GenVM *vm, Value self) {
    return int_from_double(vm, value_float(self));
}
static Value to_float(GenVM *vm, Value self) {
    return float_value(vm, value_float(self));
}

static Value unary(GenVM *vm, Special op, Value self) {
    double d = value_float(self);
    switch (op) {
    case SP_NEG: return float_value(vm, -d);
    case SP_POS: return float_value(vm, d);
    case SP_ABS: return float_value(vm, fabs(d));
    default: return VALUE_NOT_IMPLEMENTED;
    }
}

bool float_parse(const char *text, size_t size, double *out) {
    return float_parse_in(NULL, text, size, out);
}

/* ---- float(x) ---- */

/* Each NaN made from text is an object of its own: it is what containers tell apart by identity. */
static Value new_float(GenVM *vm, double d) {
    return unlikely(isnan(d)) ? float_box(vm, d) : float_value(vm, d);
}

static Value from_text(GenVM *vm, Value source, const char *text, size_t size) {
    double d;
    if (!native_work(vm, size / 16) || !text_foresee(vm, size, 3)) return VALUE_ERROR;
    if (double_from_text(text, size, &d)) return new_float(vm, d); /* as it is, which is the rule */
    if (number_is_text(source, text, size) && float_parse_in(vm, text, size, &d))
        return new_float(vm, d);
    if (vm->exception != VALUE_UNSET) return VALUE_ERROR;
    return raise_value(vm, "could not convert string to float: %V", source);
}

static Value from_object(GenVM *vm, Value cls, Value x) {
    if (is_float(x)) return x;
    if (is_int(x)) return float_value(vm, (double)as_int(x));
    if (is_exact(x, TYPE_STR)) return from_text(vm, x, AS_STR(x)->data, AS_STR(x)->size);
    Value method = type_special(vm, x, SP_FLOAT);
    if (method == VALUE_UNSET && !type_of(vm, x)->slots.to_float)
        method = type_special(vm, x, SP_INDEX);
    if (method != VALUE_UNSET) return native_twin(vm, TWIN_FLOAT_NEW, 2, cls, x);
    double d;
    if (number_to_double(vm, x, &d)) return float_value(vm, d);
    if (vm->exception != VALUE_UNSET) return VALUE_ERROR;
    const TypeSlots *slots = &type_of(vm, x)->slots;
    if (slots->to_float) return slots->to_float(vm, x);
    if (slots->to_index) {
        Value index = slots->to_index(vm, x);
        return index == VALUE_ERROR || index == VALUE_TAIL ? index : from_object(vm, cls, index);
    }
    const uint8_t *bytes;
    size_t size;
    if (value_is_str(x)) return from_text(vm, x, AS_STR(x)->data, AS_STR(x)->size);
    if (bytes_view(vm, x, &bytes, &size)) return from_text(vm, x, (const char *)bytes, size);
    return raise_type(vm, "float() argument must be a string or a real number, not '%T'", x);
}

static Value construct(GenVM *vm, Value *args) {
    Value result = from_object(vm, args[0], args[1]);
    if (result == VALUE_ERROR || result == VALUE_TAIL) return result;
    if (args[0] == object_value(vm->types[TYPE_FLOAT])) return result;
    return float_of_class(vm, type_from(args[0]), value_float(result));
}

/* float(x) of what needs no conversion in script. */
static Value construct_fast(GenVM *vm, const Value *args, uint32_t count) {
    if (count != 2 || args[0] != object_value(vm->types[TYPE_FLOAT])) return VALUE_UNSET;
    if (is_float(args[1])) return args[1];
    if (is_int(args[1])) return float_value(vm, (double)as_int(args[1]));
    if (is_exact(args[1], TYPE_STR))
        return from_text(vm, args[1], AS_STR(args[1])->data, AS_STR(args[1])->size);
    return VALUE_UNSET;
}

static const NativeDef constructor = {
    "float(cls, x=0.0, /)", construct,
    "Convert a string or number to a floating-point number, if possible."};

/* ---- the type ---- */

const BuiltinType float_type = {
    .name = "float",
    .base = TYPE_OBJECT,
    .flags = TYPE_MATCH_SELF,
    .size = sizeof(FloatBox),
    .doc =
        "float(x=0, /)\n--\n\nConvert a string or number to a floating-point number, if possible.",
    .construct = &constructor,
    .construct_fast = construct_fast,
    .methods = float_methods,
    .attributes = float_attributes,
    .slots = {.repr = repr,
              .format = format_float_spec,
              .hash = hash,
              .truth = truth,
              .binary = float_binary,
              .unary = unary,
              .compare = compare,
              .to_int = to_int,
              .to_float = to_float},
};
