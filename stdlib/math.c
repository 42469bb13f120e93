/* math.c - module math: the functions of the reals, and the table of the module.
 *
 * Most are the C library's functions with CPython's judgement of the result: NaN that no argument
 * was is a domain error, an infinity from finite arguments an overflow or, for functions that have
 * poles only, a domain error.
 */
#include "stdlib/math_module.h"
#include "stdlib/modules.h"

static double number(Value v) {
    return value_float(v);
}

static Value domain_error(GenVM *vm, const char *expected, double x) {
    if (!expected) return raise_value(vm, "math domain error");
    Value got = float_repr(vm, x);
    return got == VALUE_ERROR ? VALUE_ERROR : raise_value(vm, "expected %s, got %S", expected, got);
}

static Value range_error(GenVM *vm) {
    return raise_overflow(vm, "math range error");
}

/* ---- functions of one real ---- */

enum Poles { NO_OVERFLOW, OVERFLOWS };

static Value judge(GenVM *vm, double x, double result, enum Poles poles, const char *expected) {
    if (isnan(result) && !isnan(x)) return domain_error(vm, expected, x);
    if (isinf(result) && isfinite(x))
        return poles == OVERFLOWS ? range_error(vm) : domain_error(vm, expected, x);
    return float_value(vm, result);
}

#define REAL(name, function, poles, expected)                                                      \
    static Value real_##name(GenVM *vm, Value *args) {                                             \
        double x = number(args[0]);                                                                \
        return judge(vm, x, function(x), poles, expected);                                         \
    }

#define UP_TO_ONE "a number in range from -1 up to 1"
#define GAMMA_DOMAIN "a noninteger or positive integer"
REAL(acos, acos, NO_OVERFLOW, UP_TO_ONE)
REAL(acosh, acosh, NO_OVERFLOW, "argument value not less than 1")
REAL(asin, asin, NO_OVERFLOW, UP_TO_ONE)
REAL(asinh, asinh, NO_OVERFLOW, NULL)
REAL(atan, atan, NO_OVERFLOW, NULL)
REAL(atanh, atanh, NO_OVERFLOW, "a number between -1 and 1")
REAL(cbrt, cbrt, NO_OVERFLOW, NULL)
REAL(cos, cos, NO_OVERFLOW, "a finite input")
REAL(cosh, cosh, OVERFLOWS, NULL)
REAL(erf, erf, NO_OVERFLOW, NULL)
REAL(erfc, erfc, NO_OVERFLOW, NULL)
REAL(exp, exp, OVERFLOWS, NULL)
REAL(exp2, exp2, OVERFLOWS, NULL)
REAL(expm1, expm1, OVERFLOWS, NULL)
REAL(fabs, fabs, NO_OVERFLOW, NULL)
REAL(gamma, math_gamma, OVERFLOWS, GAMMA_DOMAIN)
REAL(lgamma, math_lgamma, OVERFLOWS, GAMMA_DOMAIN)
REAL(log1p, log1p, NO_OVERFLOW, "argument value > -1")
REAL(sin, sin, NO_OVERFLOW, "a finite input")
REAL(sinh, sinh, OVERFLOWS, NULL)
REAL(sqrt, sqrt, NO_OVERFLOW, "a nonnegative input")
REAL(tan, tan, NO_OVERFLOW, "a finite input")
REAL(tanh, tanh, NO_OVERFLOW, NULL)

static Value degrees(GenVM *vm, Value *args) {
    return float_value(vm, number(args[0]) * (180.0 / M_PI));
}
static Value radians(GenVM *vm, Value *args) {
    return float_value(vm, number(args[0]) * (M_PI / 180.0));
}
static Value is_finite(GenVM *vm, Value *args) {
    return (void)vm, bool_value(isfinite(number(args[0])));
}
static Value is_infinite(GenVM *vm, Value *args) {
    return (void)vm, bool_value(isinf(number(args[0])));
}
static Value is_nan(GenVM *vm, Value *args) {
    return (void)vm, bool_value(isnan(number(args[0])));
}

static Value ulp(GenVM *vm, Value *args) {
    double x = fabs(number(args[0]));
    if (!isfinite(x)) return float_value(vm, x);
    double next = nextafter(x, HUGE_VAL);
    return float_value(vm, isinf(next) ? x - nextafter(x, -HUGE_VAL) : next - x);
}

static Value pair(GenVM *vm, Value first, Value second) {
    return first == VALUE_ERROR || second == VALUE_ERROR ? VALUE_ERROR
                                                         : tuple_pack(vm, 2, first, second);
}

static Value split_exponent(GenVM *vm, Value *args) {
    double x = number(args[0]);
    int exponent = 0;
    double fraction = isfinite(x) && x != 0 ? frexp(x, &exponent) : x;
    return pair(vm, float_value(vm, fraction), int_value(exponent));
}

static Value split_fraction(GenVM *vm, Value *args) {
    double whole, fraction = modf(number(args[0]), &whole);
    return pair(vm, float_value(vm, fraction), float_value(vm, whole));
}

/* ---- functions of two and three reals ---- */

static Value judge_two(GenVM *vm, double x, double y, double result) {
    if (isnan(result) && !isnan(x) && !isnan(y)) return domain_error(vm, NULL, x);
    if (isinf(result) && isfinite(x) && isfinite(y)) return range_error(vm);
    return float_value(vm, result);
}

static Value angle(GenVM *vm, Value *args) {
    return float_value(vm, atan2(number(args[0]), number(args[1])));
}
static Value copy_sign(GenVM *vm, Value *args) {
    return float_value(vm, copysign(number(args[0]), number(args[1])));
}

static Value truncated_rest(GenVM *vm, Value *args) {
    double x = number(args[0]), y = number(args[1]);
    return judge_two(vm, x, y, fmod(x, y));
}

static Value nearest_rest(GenVM *vm, Value *args) {
    double x = number(args[0]), y = number(args[1]);
    return judge_two(vm, x, y, remainder(x, y));
}

static Value power(GenVM *vm, Value *args) {
    double x = number(args[0]), y = number(args[1]), result = pow(x, y);
    if (isinf(result) && x == 0 && isfinite(y)) return domain_error(vm, NULL, x);
    return judge_two(vm, x, y, result);
}

static Value fused(GenVM *vm, Value *args) {
    double x = number(args[0]), y = number(args[1]), z = number(args[2]), result = fma(x, y, z);
    if (isnan(result) && !isnan(x) && !isnan(y) && !isnan(z))
        return raise_value(vm, "invalid operation in fma");
    if (isinf(result) && isfinite(x) && isfinite(y) && isfinite(z))
        return raise_overflow(vm, "overflow in fma");
    return float_value(vm, result);
}

static Value is_close(GenVM *vm, Value *args) {
    double a = number(args[0]), b = number(args[1]), relative = number(args[2]),
           absolute = number(args[3]);
    if (relative < 0 || absolute < 0) return raise_value(vm, "tolerances must be non-negative");
    if (a == b) return VALUE_TRUE;
    if (isinf(a) || isinf(b)) return VALUE_FALSE;
    double difference = fabs(b - a);
    return bool_value(difference <= fabs(relative * b) || difference <= fabs(relative * a) ||
                      difference <= absolute);
}

static Value scale(GenVM *vm, Value *args) {
    double x = number(args[0]);
    int64_t exponent;
    if (!value_is_intlike(args[1]))
        return raise_type(vm, "Expected an int as second argument to ldexp.");
    if (!int_to_i64(args[1], &exponent)) exponent = int_sign(args[1]) < 0 ? -5000 : 5000;
    if (x == 0 || !isfinite(x)) return float_value(vm, x);
    double result = ldexp(x, exponent > 5000 ? 5000 : exponent < -5000 ? -5000 : (int)exponent);
    return isinf(result) ? range_error(vm) : float_value(vm, result);
}

/* ---- the neighbours of a double, in the order of their bits ---- */

static int64_t place_of(double x) {
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? INT64_MIN - bits : bits;
}

static double double_at(int64_t place) {
    int64_t bits = place < 0 ? INT64_MIN - place : place;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static Value next_after(GenVM *vm, Value *args) {
    double x = number(args[0]), y = number(args[1]);
    if (args[2] == VALUE_NONE) return float_value(vm, nextafter(x, y));
    if (int_sign(args[2]) < 0) return raise_value(vm, "steps must be a non-negative integer");
    int64_t steps;
    if (!int_to_i64(args[2], &steps)) steps = INT64_MAX;
    if (steps == 0 || isnan(x)) return float_value(vm, x);
    if (isnan(y) || x == y) return float_value(vm, y);
    int64_t from = place_of(x), to = place_of(y);
    uint64_t distance = to > from ? (uint64_t)to - (uint64_t)from : (uint64_t)from - (uint64_t)to;
    if ((uint64_t)steps >= distance) return float_value(vm, y);
    double result = double_at(to > from ? from + steps : from - steps);
    return float_value(vm, result == 0 ? copysign(0.0, x) : result);
}

/* ---- logarithms, of ints of any size ---- */

static Value logarithm(GenVM *vm, Value v, double (*function)(double x)) {
    double x;
    if (value_is_intlike(v)) {
        if (int_sign(v) <= 0) return raise_value(vm, "expected a positive input");
        bool overflow;
        x = int_to_double(vm, v, &overflow);
        if (!overflow) return float_value(vm, function(x));
        IntView view;
        int_view(&view, v);
        size_t bits = int_view_bits(&view);
        Value top =
            int_shift_right(vm, &view, bits - 64); /* and a sticky bit, to round to 53 bits once */
        if (top == VALUE_ERROR) return VALUE_ERROR;
        uint64_t mantissa;
        int_to_u64_mask(top, &mantissa);
        x = double_from_bits(mantissa, int_view_bit_below(&view, bits - 64), -64);
        return float_value(vm, function(x) + function(2.0) * (double)bits);
    }
    Leaf leaf = math_double(vm, v, &x);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    if (leaf == LEAF_SCRIPT) return VALUE_TAIL;
    return judge(vm, x, function(x), NO_OVERFLOW, "a positive input");
}

static Value log_in_base(GenVM *vm, Value *args) {
    Value top = logarithm(vm, args[0], log), bottom = VALUE_UNSET;
    if (top == VALUE_ERROR) return VALUE_ERROR;
    if (args[1] != VALUE_UNSET && top != VALUE_TAIL) bottom = logarithm(vm, args[1], log);
    if (top == VALUE_TAIL || bottom == VALUE_TAIL)
        return native_twin(vm, TWIN_MATH_LOG, 2, args[0],
                           args[1] == VALUE_UNSET ? VALUE_NONE : args[1]);
    if (bottom == VALUE_UNSET) return top;
    return bottom == VALUE_ERROR ? VALUE_ERROR : float_binary(vm, BINARY_DIV, top, bottom);
}

static Value binary_log(GenVM *vm, Value *args) {
    Value result = logarithm(vm, args[0], log2);
    return result == VALUE_TAIL ? native_twin(vm, TWIN_MATH_LOG2, 1, args[0]) : result;
}

static Value decimal_log(GenVM *vm, Value *args) {
    Value result = logarithm(vm, args[0], log10);
    return result == VALUE_TAIL ? native_twin(vm, TWIN_MATH_LOG10, 1, args[0]) : result;
}

/* ---- to integers ---- */

static Value to_integer(GenVM *vm, Value v, Special special, double (*function)(double x),
                        Twin twin) {
    if (is_int(v)) return v;
    if (is_float(v)) return int_from_double(vm, function(as_float(v)));
    Value method = type_find_special(vm, type_of(vm, v), special);
    if (method != VALUE_UNSET) return special_call(vm, method, v, 0);
    double x;
    Leaf leaf = math_double(vm, v, &x);
    if (leaf == LEAF_SCRIPT) return native_twin(vm, twin, 1, v);
    return leaf == LEAF_ERROR ? VALUE_ERROR : int_from_double(vm, function(x));
}

static Value floor_of(GenVM *vm, Value *args) {
    return to_integer(vm, args[0], SP_FLOOR, floor, TWIN_MATH_FLOOR);
}
static Value ceil_of(GenVM *vm, Value *args) {
    return to_integer(vm, args[0], SP_CEIL, ceil, TWIN_MATH_CEIL);
}

static Value trunc_of(GenVM *vm, Value *args) {
    if (is_float(args[0])) return int_from_double(vm, as_float(args[0]));
    Value method = type_find_special(vm, type_of(vm, args[0]), SP_TRUNC);
    if (method != VALUE_UNSET) return special_call(vm, method, args[0], 0);
    return raise_type(vm, "type %T doesn't define __trunc__ method", args[0]);
}

/* ---- the module ---- */

static const NativeDef functions[] = {
    {"acos(x: float, /)", real_acos,
     "Return the arc cosine (measured in radians) of x.\n\nThe result is between 0 and pi."},
    {"acosh(x: float, /)", real_acosh, "Return the inverse hyperbolic cosine of x."},
    {"asin(x: float, /)", real_asin,
     "Return the arc sine (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2."},
    {"asinh(x: float, /)", real_asinh, "Return the inverse hyperbolic sine of x."},
    {"atan(x: float, /)", real_atan,
     "Return the arc tangent (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2."},
    {"atan2(y: float, x: float, /)", angle,
     "Return the arc tangent (measured in radians) of y/x.\n\nUnlike atan(y/x), the signs of both "
     "x and y are considered."},
    {"atanh(x: float, /)", real_atanh, "Return the inverse hyperbolic tangent of x."},
    {"cbrt(x: float, /)", real_cbrt, "Return the cube root of x."},
    {"ceil(x, /)", ceil_of,
     "Return the ceiling of x as an Integral.\n\nThis is the smallest integer >= x."},
    {"comb(n: int, k: int, /)", math_comb,
     "Number of ways to choose k items from n items without repetition and without order."},
    {"copysign(x: float, y: float, /)", copy_sign,
     "Return a float with the magnitude (absolute value) of x but the sign of y."},
    {"cos(x: float, /)", real_cos, "Return the cosine of x (measured in radians)."},
    {"cosh(x: float, /)", real_cosh, "Return the hyperbolic cosine of x."},
    {"degrees(x: float, /)", degrees, "Convert angle x from radians to degrees."},
    {"dist(p, q, /)", math_dist, "Return the Euclidean distance between two points p and q."},
    {"erf(x: float, /)", real_erf, "Error function at x."},
    {"erfc(x: float, /)", real_erfc, "Complementary error function at x."},
    {"exp(x: float, /)", real_exp, "Return e raised to the power of x."},
    {"exp2(x: float, /)", real_exp2, "Return 2 raised to the power of x."},
    {"expm1(x: float, /)", real_expm1, "Return exp(x)-1, precisely for small x."},
    {"fabs(x: float, /)", real_fabs, "Return the absolute value of the float x."},
    {"factorial(n: int, /)", math_factorial, "Find n!."},
    {"floor(x, /)", floor_of,
     "Return the floor of x as an Integral.\n\nThis is the largest integer <= x."},
    {"fma(x: float, y: float, z: float, /)", fused,
     "Fused multiply-add operation: (x * y) + z, rounded once."},
    {"fmod(x: float, y: float, /)", truncated_rest, "Return fmod(x, y), according to platform C."},
    {"frexp(x: float, /)", split_exponent,
     "Return the mantissa and exponent of x, as pair (m, e).\n\nm is a float and e is an int, such "
     "that x = m * 2.**e."},
    {"fsum(seq, /)", math_fsum,
     "Return an accurate floating-point sum of values in the iterable seq."},
    {"gamma(x: float, /)", real_gamma, "Gamma function at x."},
    {"gcd(*integers)", math_gcd, "Greatest Common Divisor."},
    {"hypot(*coordinates)", math_hypot,
     "Multidimensional Euclidean distance from the origin to a point."},
    {"isclose(a: float, b: float, *, rel_tol: float = 1e-09, abs_tol: float = 0.0)", is_close,
     "Determine whether two floating-point numbers are close in value."},
    {"isfinite(x: float, /)", is_finite,
     "Return True if x is neither an infinity nor a NaN, and False otherwise."},
    {"isinf(x: float, /)", is_infinite,
     "Return True if x is a positive or negative infinity, and False otherwise."},
    {"isnan(x: float, /)", is_nan,
     "Return True if x is a NaN (not a number), and False otherwise."},
    {"isqrt(n: int, /)", math_isqrt, "Return the integer part of the square root of the input."},
    {"lcm(*integers)", math_lcm, "Least Common Multiple."},
    {"ldexp(x: float, i, /)", scale, "Return x * (2**i)."},
    {"lgamma(x: float, /)", real_lgamma,
     "Natural logarithm of absolute value of Gamma function at x."},
    {"log(x, base=?, /)", log_in_base,
     "Return the logarithm of x to the given base.\n\nIf the base is not specified, returns the "
     "natural logarithm (base e) of x."},
    {"log10(x, /)", decimal_log, "Return the base 10 logarithm of x."},
    {"log1p(x: float, /)", real_log1p,
     "Return the natural logarithm of 1+x (base e), precisely for x near zero."},
    {"log2(x, /)", binary_log, "Return the base 2 logarithm of x."},
    {"modf(x: float, /)", split_fraction,
     "Return the fractional and integer parts of x.\n\nBoth results carry the sign of x and are "
     "floats."},
    {"nextafter(x: float, y: float, /, *, steps: int | None = None)", next_after,
     "Return the floating-point value the given number of steps after x towards y."},
    {"perm(n: int, k: int | None = None, /)", math_perm,
     "Number of ways to choose k items from n items without repetition and with order."},
    {"pow(x: float, y: float, /)", power, "Return x**y (x to the power of y)."},
    {"prod(iterable, /, *, start=1)", math_prod,
     "Calculate the product of all the elements in the input iterable."},
    {"radians(x: float, /)", radians, "Convert angle x from degrees to radians."},
    {"remainder(x: float, y: float, /)", nearest_rest,
     "Difference between x and the closest integer multiple of y."},
    {"sin(x: float, /)", real_sin, "Return the sine of x (measured in radians)."},
    {"sinh(x: float, /)", real_sinh, "Return the hyperbolic sine of x."},
    {"sqrt(x: float, /)", real_sqrt, "Return the square root of x."},
    {"sumprod(p, q, /)", math_sumprod,
     "Return the sum of products of values from two iterables p and q."},
    {"tan(x: float, /)", real_tan, "Return the tangent of x (measured in radians)."},
    {"tanh(x: float, /)", real_tanh, "Return the hyperbolic tangent of x."},
    {"trunc(x, /)", trunc_of, "Truncates the Real x to the nearest Integral toward 0."},
    {"ulp(x: float, /)", ulp, "Return the value of the least significant bit of the float x."},
    {NULL, NULL, NULL},
};

static bool add_constant(GenVM *vm, Module *module, const char *name, double d) {
    Value key = str_intern_from(vm, name, strlen(name)), v = float_value(vm, d);
    return key != VALUE_ERROR && v != VALUE_ERROR && dict_set_str(vm, module->dict, key, v);
}

static bool init(GenVM *vm, Module *module) {
    return add_constant(vm, module, "pi", M_PI) && add_constant(vm, module, "e", M_E) &&
           add_constant(vm, module, "tau", 2 * M_PI) && add_constant(vm, module, "inf", HUGE_VAL) &&
           add_constant(vm, module, "nan", (double)NAN);
}

const NativeModule math_module = {"math", functions, init};
