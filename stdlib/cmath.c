/* cmath.c - module cmath: functions of complex numbers.
 *
 * Infinities and NaNs go to the C library, whose results are those of C's Annex G. Finite arguments
 * use the formulas of Kahan's "Branch cuts for complex elementary functions", with scaling where
 * squares would overflow or vanish; the library's own last digits differ from CPython's.
 */
#include <complex.h>
#ifndef CMPLX /* the C library has it for some compilers only */
#define CMPLX(real, imaginary) __builtin_complex((double)(real), (double)(imaginary))
#endif
#undef I

#include "stdlib/math_module.h"
#include "stdlib/modules.h"

#include <float.h>

typedef struct Pair {
    double re, im;
} Pair;

typedef struct Result {
    Pair z;
    enum { FINE, DOMAIN_ERROR, RANGE_ERROR } status;
} Result;

#define LARGE (DBL_MAX / 4)
#define LN2 0.6931471805599453094
static const double sqrt_large = 6.703903964971298e+153, log_large = 708.3964185322641,
                    sqrt_least = 1.4916681462400413e-154;

static bool is_finite_pair(Pair z) {
    return isfinite(z.re) && isfinite(z.im);
}
static Pair from_c(double _Complex z) {
    return (Pair){creal(z), cimag(z)};
}
static double _Complex to_c(Pair z) {
    return CMPLX(z.re, z.im);
}
static Pair turned(Pair z) {
    return (Pair){-z.im, z.re};
} /* i z */
static Pair turned_back(Pair z) {
    return (Pair){z.im, -z.re};
} /* -i z */
static Result fine(Pair z) {
    return (Result){z, FINE};
}
static bool is_huge(Pair z) {
    return fabs(z.re) > LARGE || fabs(z.im) > LARGE;
}
static double log_of_huge(Pair z) {
    return log(hypot(z.re / 2, z.im / 2)) + LN2 * 2;
}

/* A result of a finite argument: infinite parts are an overflow. */
static Result checked(Pair z) {
    return (Result){z, isinf(z.re) || isinf(z.im) ? RANGE_ERROR : FINE};
}

/* ---- roots and logarithms ---- */

static Pair square_root(Pair z) {
    if (!is_finite_pair(z)) return from_c(csqrt(to_c(z)));
    if (z.re == 0 && z.im == 0) return (Pair){0.0, z.im};
    double x = fabs(z.re), y = fabs(z.im), s;
    if (x < DBL_MIN && y < DBL_MIN) {
        x = ldexp(x, 53);
        s = ldexp(sqrt(x + hypot(x, ldexp(y, 53))), -27);
    } else {
        x /= 8.0;
        s = 2.0 * sqrt(x + hypot(x, y / 8.0));
    }
    double d = y / (2.0 * s);
    return z.re >= 0 ? (Pair){s, copysign(d, z.im)} : (Pair){d, copysign(s, z.im)};
}

static Result complex_sqrt(Pair z) {
    return fine(square_root(z));
}

static double log_of_size(Pair z) {
    double x = fabs(z.re), y = fabs(z.im);
    if (x > LARGE || y > LARGE) return log(hypot(x / 2, y / 2)) + LN2;
    if (x < DBL_MIN && y < DBL_MIN)
        return log(hypot(ldexp(x, DBL_MANT_DIG), ldexp(y, DBL_MANT_DIG))) - DBL_MANT_DIG * LN2;
    double size = hypot(x, y), more = x > y ? x : y, less = x > y ? y : x;
    if (size < 0.71 || size > 1.73) return log(size);
    return log1p((more - 1) * (more + 1) + less * less) / 2;
}

static Result complex_log(Pair z) {
    if (!is_finite_pair(z)) return fine(from_c(clog(to_c(z))));
    double angle = atan2(z.im, z.re);
    if (z.re == 0 && z.im == 0) return (Result){{-HUGE_VAL, angle}, DOMAIN_ERROR};
    return fine((Pair){log_of_size(z), angle});
}

static Result complex_log10(Pair z) {
    Result result = complex_log(z);
    result.z = (Pair){result.z.re / M_LN10, result.z.im / M_LN10};
    return result;
}

/* ---- inverse functions ---- */

static Result complex_acos(Pair z) {
    if (!is_finite_pair(z)) return fine(from_c(cacos(to_c(z))));
    if (is_huge(z)) {
        double size = log_of_huge(z);
        return fine((Pair){atan2(fabs(z.im), z.re),
                           z.re < 0 ? -copysign(size, z.im) : copysign(size, -z.im)});
    }
    Pair s = square_root((Pair){1.0 - z.re, -z.im}), t = square_root((Pair){1.0 + z.re, z.im});
    return fine((Pair){2.0 * atan2(s.re, t.re), asinh(t.re * s.im - t.im * s.re)});
}

static Result complex_acosh(Pair z) {
    if (!is_finite_pair(z)) return fine(from_c(cacosh(to_c(z))));
    if (is_huge(z)) return fine((Pair){log_of_huge(z), atan2(z.im, z.re)});
    Pair s = square_root((Pair){z.re - 1.0, z.im}), t = square_root((Pair){z.re + 1.0, z.im});
    return fine((Pair){asinh(s.re * t.re + s.im * t.im), 2.0 * atan2(s.im, t.re)});
}

static Pair arc_sinh(Pair z) {
    if (!is_finite_pair(z)) return from_c(casinh(to_c(z)));
    if (is_huge(z)) {
        double size = log_of_huge(z);
        return (Pair){z.im >= 0 ? copysign(size, z.re) : -copysign(size, -z.re),
                      atan2(z.im, fabs(z.re))};
    }
    Pair s = square_root((Pair){1.0 + z.im, -z.re}), t = square_root((Pair){1.0 - z.im, z.re});
    return (Pair){asinh(s.re * t.im - t.re * s.im), atan2(z.im, s.re * t.re - s.im * t.im)};
}

static Result complex_asinh(Pair z) {
    return fine(arc_sinh(z));
}
static Result complex_asin(Pair z) {
    return fine(turned_back(arc_sinh(turned(z))));
}

static Result arc_tanh(Pair z) { /* z.re is not negative */
    double y = fabs(z.im);
    if (z.re > sqrt_large || y > sqrt_large) {
        double half = hypot(z.re / 2, z.im / 2);
        return fine((Pair){z.re / 4.0 / half / half, -copysign(M_PI / 2, -z.im)});
    }
    if (z.re == 1 && y < sqrt_least) {
        if (y == 0) return (Result){{HUGE_VAL, z.im}, DOMAIN_ERROR};
        return fine(
            (Pair){-log(sqrt(y) / sqrt(hypot(y, 2.0))), copysign(atan2(2.0, -y) / 2, z.im)});
    }
    double rest = 1 - z.re;
    return fine((Pair){log1p(4.0 * z.re / (rest * rest + y * y)) / 4.0,
                       -atan2(-2.0 * z.im, rest * (1 + z.re) - y * y) / 2.0});
}

static Result complex_atanh(Pair z) {
    if (!is_finite_pair(z)) return fine(from_c(catanh(to_c(z))));
    if (!signbit(z.re)) return arc_tanh(z);
    Result result = arc_tanh((Pair){-z.re, -z.im});
    result.z = (Pair){-result.z.re, -result.z.im};
    return result;
}

static Result complex_atan(Pair z) {
    Result result = complex_atanh(turned(z));
    result.z = turned_back(result.z);
    return result;
}

/* ---- exponential, circular and hyperbolic functions ---- */

/* of a non-finite argument: an infinite angle is a domain error, unless the real part makes it
 * irrelevant */
static Result judged(Pair z, double _Complex result, bool is_error) {
    return (Result){from_c(result), isinf(z.im) && is_error ? DOMAIN_ERROR : FINE};
}

static Result complex_exp(Pair z) {
    if (!is_finite_pair(z))
        return judged(z, cexp(to_c(z)), isfinite(z.re) || (isinf(z.re) && z.re > 0));
    if (z.re > log_large) {
        double size = exp(z.re - 1.0);
        return checked((Pair){size * cos(z.im) * M_E, size * sin(z.im) * M_E});
    }
    double size = exp(z.re);
    return checked((Pair){size * cos(z.im), size * sin(z.im)});
}

static Result complex_cosh(Pair z) {
    if (!is_finite_pair(z)) return judged(z, ccosh(to_c(z)), !isnan(z.re));
    if (fabs(z.re) > log_large) {
        double x = z.re - copysign(1.0, z.re);
        return checked((Pair){cos(z.im) * cosh(x) * M_E, sin(z.im) * sinh(x) * M_E});
    }
    return checked((Pair){cos(z.im) * cosh(z.re), sin(z.im) * sinh(z.re)});
}

static Result complex_sinh(Pair z) {
    if (!is_finite_pair(z)) return judged(z, csinh(to_c(z)), !isnan(z.re));
    if (fabs(z.re) > log_large) {
        double x = z.re - copysign(1.0, z.re);
        return checked((Pair){cos(z.im) * sinh(x) * M_E, sin(z.im) * cosh(x) * M_E});
    }
    return checked((Pair){cos(z.im) * sinh(z.re), sin(z.im) * cosh(z.re)});
}

static Result complex_tanh(Pair z) {
    if (!is_finite_pair(z)) return judged(z, ctanh(to_c(z)), isfinite(z.re));
    if (fabs(z.re) > log_large)
        return fine(
            (Pair){copysign(1.0, z.re), 4.0 * sin(z.im) * cos(z.im) * exp(-2.0 * fabs(z.re))});
    double x = tanh(z.re), y = tan(z.im), c = 1.0 / cosh(z.re), xy = x * y,
           denominator = 1.0 + xy * xy;
    return fine((Pair){x * (1.0 + y * y) / denominator, ((y / denominator) * c) * c});
}

static Result complex_cos(Pair z) {
    return complex_cosh(turned(z));
}

static Result complex_sin(Pair z) {
    Result result = complex_sinh(turned(z));
    result.z = turned_back(result.z);
    return result;
}

static Result complex_tan(Pair z) {
    Result result = complex_tanh(turned(z));
    result.z = turned_back(result.z);
    return result;
}

/* ---- arguments and results ---- */

/* LEAF_SCRIPT: the object converts itself. */
static Leaf to_pair(GenVM *vm, Value v, Pair *z) {
    if (complex_from(vm, v, &z->re, &z->im)) {
        bool plain = value_is_plain_number(v) || is_exact(v, TYPE_COMPLEX);
        return !plain && type_special(vm, v, SP_COMPLEX) != VALUE_UNSET ? LEAF_SCRIPT : LEAF_TRUE;
    }
    if (vm->exception != VALUE_UNSET) return LEAF_ERROR;
    if (type_special(vm, v, SP_COMPLEX) != VALUE_UNSET) return LEAF_SCRIPT;
    z->im = 0.0;
    return math_double(vm, v, &z->re);
}

static Value give(GenVM *vm, Result result) {
    if (result.status == DOMAIN_ERROR) return raise_value(vm, "math domain error");
    if (result.status == RANGE_ERROR) return raise_overflow(vm, "math range error");
    return complex_new(vm, result.z.re, result.z.im);
}

/* Arguments that convert themselves are converted by the twin, which calls the function of that
 * name again. */
static Value convert_first(GenVM *vm, const char *name, Value args_tuple) {
    Value text = str_from(vm, name);
    return text == VALUE_ERROR || args_tuple == VALUE_ERROR
               ? VALUE_ERROR
               : native_twin(vm, TWIN_CMATH, 2, text, args_tuple);
}

static Value apply(GenVM *vm, Value v, const char *name, Result (*function)(Pair z)) {
    Pair z;
    Leaf leaf = to_pair(vm, v, &z);
    if (leaf == LEAF_TRUE) return give(vm, function(z));
    return leaf == LEAF_ERROR ? VALUE_ERROR : convert_first(vm, name, tuple_pack(vm, 1, v));
}

#define FUNCTION(name)                                                                             \
    static Value call_##name(GenVM *vm, Value *args) {                                             \
        return apply(vm, args[0], #name, complex_##name);                                          \
    }
FUNCTION(acos)
FUNCTION(acosh)
FUNCTION(asin)
FUNCTION(asinh)
FUNCTION(atan)
FUNCTION(atanh)
FUNCTION(cos)
FUNCTION(cosh)
FUNCTION(exp)
FUNCTION(log10)
FUNCTION(sin)
FUNCTION(sinh)
FUNCTION(sqrt)
FUNCTION(tan)
FUNCTION(tanh)

static Value call_log(GenVM *vm, Value *args) {
    Pair z, base;
    bool has_base = args[1] != VALUE_UNSET;
    Leaf leaf = to_pair(vm, args[0], &z);
    if (leaf == LEAF_TRUE && has_base) leaf = to_pair(vm, args[1], &base);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    if (leaf == LEAF_SCRIPT)
        return convert_first(
            vm, "log", has_base ? tuple_pack(vm, 2, args[0], args[1]) : tuple_pack(vm, 1, args[0]));
    if (!has_base) return give(vm, complex_log(z));
    Value top = give(vm, complex_log(z)),
          bottom = top == VALUE_ERROR ? VALUE_ERROR : give(vm, complex_log(base));
    if (bottom == VALUE_ERROR) return VALUE_ERROR;
    return vm->types[TYPE_COMPLEX]->slots.binary(vm, BINARY_DIV, top, bottom);
}

/* ---- parts, polar coordinates, questions ---- */

static Value call_phase(GenVM *vm, Value *args) {
    Pair z;
    Leaf leaf = to_pair(vm, args[0], &z);
    if (leaf == LEAF_TRUE) return float_value(vm, atan2(z.im, z.re));
    return leaf == LEAF_ERROR ? VALUE_ERROR
                              : convert_first(vm, "phase", tuple_pack(vm, 1, args[0]));
}

static Value call_polar(GenVM *vm, Value *args) {
    Pair z;
    Leaf leaf = to_pair(vm, args[0], &z);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    if (leaf == LEAF_SCRIPT) return convert_first(vm, "polar", tuple_pack(vm, 1, args[0]));
    double size = hypot(z.re, z.im);
    if (isinf(size) && is_finite_pair(z)) return raise_overflow(vm, "math range error");
    Value r = float_value(vm, size), phi = float_value(vm, atan2(z.im, z.re));
    return r == VALUE_ERROR || phi == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 2, r, phi);
}

static Pair from_polar(double r, double phi) {
    if (isfinite(r) && isfinite(phi)) {
        if (phi == 0) return (Pair){r, r * phi};
        return (Pair){r * cos(phi), r * sin(phi)};
    }
    if (isinf(r) && isfinite(phi) && phi != 0) {
        double re = copysign(HUGE_VAL, cos(phi)), im = copysign(HUGE_VAL, sin(phi));
        return r > 0 ? (Pair){re, im} : (Pair){-re, -im};
    }
    if (r == 0) return (Pair){0.0, 0.0};
    if (phi == 0) return (Pair){r, isnan(r) ? 0.0 : copysign(0.0, phi * copysign(1.0, r))};
    return isinf(r) ? (Pair){HUGE_VAL, NAN} : (Pair){NAN, NAN};
}

static Value call_rect(GenVM *vm, Value *args) {
    double r = value_float(args[0]), phi = value_float(args[1]);
    if (r != 0 && !isnan(r) && isinf(phi)) return raise_value(vm, "math domain error");
    Pair z = from_polar(r, phi);
    return complex_new(vm, z.re, z.im);
}

static Value ask(GenVM *vm, Value v, const char *name, bool (*question)(Pair z)) {
    Pair z;
    Leaf leaf = to_pair(vm, v, &z);
    if (leaf == LEAF_TRUE) return bool_value(question(z));
    return leaf == LEAF_ERROR ? VALUE_ERROR : convert_first(vm, name, tuple_pack(vm, 1, v));
}

static bool infinite(Pair z) {
    return isinf(z.re) || isinf(z.im);
}
static bool not_a_number(Pair z) {
    return isnan(z.re) || isnan(z.im);
}
static Value call_isfinite(GenVM *vm, Value *args) {
    return ask(vm, args[0], "isfinite", is_finite_pair);
}
static Value call_isinf(GenVM *vm, Value *args) {
    return ask(vm, args[0], "isinf", infinite);
}
static Value call_isnan(GenVM *vm, Value *args) {
    return ask(vm, args[0], "isnan", not_a_number);
}

static Value call_isclose(GenVM *vm, Value *args) {
    Pair a, b;
    double relative = value_float(args[2]), absolute = value_float(args[3]);
    Leaf leaf = to_pair(vm, args[0], &a);
    if (leaf == LEAF_TRUE) leaf = to_pair(vm, args[1], &b);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    if (leaf == LEAF_SCRIPT)
        return convert_first(vm, "isclose", tuple_pack(vm, 4, args[0], args[1], args[2], args[3]));
    if (relative < 0 || absolute < 0) return raise_value(vm, "tolerances must be non-negative");
    if (a.re == b.re && a.im == b.im) return VALUE_TRUE;
    if (infinite(a) || infinite(b)) return VALUE_FALSE;
    double difference = hypot(a.re - b.re, a.im - b.im);
    return bool_value(difference <= relative * hypot(b.re, b.im) ||
                      difference <= relative * hypot(a.re, a.im) || difference <= absolute);
}

/* ---- the module ---- */

static const NativeDef functions[] = {
    {"acos(z, /)", call_acos, "Return the arc cosine of z."},
    {"acosh(z, /)", call_acosh, "Return the inverse hyperbolic cosine of z."},
    {"asin(z, /)", call_asin, "Return the arc sine of z."},
    {"asinh(z, /)", call_asinh, "Return the inverse hyperbolic sine of z."},
    {"atan(z, /)", call_atan, "Return the arc tangent of z."},
    {"atanh(z, /)", call_atanh, "Return the inverse hyperbolic tangent of z."},
    {"cos(z, /)", call_cos, "Return the cosine of z."},
    {"cosh(z, /)", call_cosh, "Return the hyperbolic cosine of z."},
    {"exp(z, /)", call_exp, "Return the exponential value e**z."},
    {"isclose(a, b, *, rel_tol: float = 1e-09, abs_tol: float = 0.0)", call_isclose,
     "Determine whether two complex numbers are close in value."},
    {"isfinite(z, /)", call_isfinite,
     "Return True if both the real and imaginary parts of z are finite, else False."},
    {"isinf(z, /)", call_isinf, "Checks if the real or imaginary part of z is infinite."},
    {"isnan(z, /)", call_isnan, "Checks if the real or imaginary part of z not a number (NaN)."},
    {"log(z, base=?, /)", call_log,
     "log(z[, base]) -> the logarithm of z to the given base.\n\nIf the base is not specified, "
     "returns the natural logarithm "
     "(base e) of z."},
    {"log10(z, /)", call_log10, "Return the base-10 logarithm of z."},
    {"phase(z, /)", call_phase, "Return argument, also known as the phase angle, of a complex."},
    {"polar(z, /)", call_polar,
     "Convert a complex from rectangular coordinates to polar coordinates.\n\nr is the distance "
     "from 0 and phi the phase "
     "angle."},
    {"rect(r: float, phi: float, /)", call_rect,
     "Convert from polar coordinates to rectangular coordinates."},
    {"sin(z, /)", call_sin, "Return the sine of z."},
    {"sinh(z, /)", call_sinh, "Return the hyperbolic sine of z."},
    {"sqrt(z, /)", call_sqrt, "Return the square root of z."},
    {"tan(z, /)", call_tan, "Return the tangent of z."},
    {"tanh(z, /)", call_tanh, "Return the hyperbolic tangent of z."},
    {NULL, NULL, NULL},
};

static bool add_constant(GenVM *vm, Module *module, const char *name, Value v) {
    Value key = str_intern_from(vm, name, strlen(name));
    return key != VALUE_ERROR && v != VALUE_ERROR && dict_set_str(vm, module->dict, key, v);
}

static bool init(GenVM *vm, Module *module) {
    return add_constant(vm, module, "pi", float_value(vm, M_PI)) &&
           add_constant(vm, module, "e", float_value(vm, M_E)) &&
           add_constant(vm, module, "tau", float_value(vm, 2 * M_PI)) &&
           add_constant(vm, module, "inf", float_value(vm, HUGE_VAL)) &&
           add_constant(vm, module, "nan", float_value(vm, (double)NAN)) &&
           add_constant(vm, module, "infj", complex_new(vm, 0.0, HUGE_VAL)) &&
           add_constant(vm, module, "nanj", complex_new(vm, 0.0, (double)NAN));
}

const NativeModule cmath_module = {"cmath", functions, init};
