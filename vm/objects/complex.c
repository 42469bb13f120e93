/* complex.c - the type complex.
 *
 * Arithmetic of a complex and a real number leaves the part alone that the real number does not
 * have, as C's Annex G wants it: 1 - (0+0j) is not (1+0j) - (0+0j), and infinities come out of
 * products and quotients as infinities.
 */
#include "vm/image.h"
#include "vm/objects/number.h"

typedef struct Complex {
    Object header;
    double real, imaginary;
} Complex;

typedef struct Pair {
    double re, im;
} Pair;

static Pair pair_of(Value v) {
    return (Pair){AS(Complex, v)->real, AS(Complex, v)->imaginary};
}

static Value new_of_class(GenVM *vm, Type *cls, Pair z) {
    Complex *complex = gc_new_of(vm, sizeof(Complex), TYPE_COMPLEX, cls);
    if (!complex) return VALUE_ERROR;
    complex->real = z.re;
    complex->imaginary = z.im;
    return object_value(complex);
}

Value complex_new(GenVM *vm, double real, double imaginary) {
    Complex *complex = gc_new_raw(vm, sizeof(Complex), TYPE_COMPLEX);
    if (!complex) return VALUE_ERROR;
    complex->real = real;
    complex->imaginary = imaginary;
    return object_value(complex);
}

static Value new (GenVM *vm, Pair z) {
    return complex_new(vm, z.re, z.im);
}

bool complex_parts(Value v, double *real, double *imaginary) {
    if (!is_kind(v, TYPE_COMPLEX)) return false;
    *real = AS(Complex, v)->real;
    *imaginary = AS(Complex, v)->imaginary;
    return true;
}

bool complex_from(GenVM *vm, Value v, double *real, double *imaginary) {
    if (complex_parts(v, real, imaginary)) return true;
    *imaginary = 0.0;
    return number_to_double(vm, v, real);
}

/* ---- products and quotients ---- */

static double boxed(double part) {
    return copysign(isinf(part) ? 1.0 : 0.0, part);
}
static double without_nan(double part) {
    return isnan(part) ? copysign(0.0, part) : part;
}
static bool is_infinite(Pair z) {
    return isinf(z.re) || isinf(z.im);
}
static bool is_finite(Pair z) {
    return isfinite(z.re) && isfinite(z.im);
}

/* The product came out as NaN twice: where a factor or a partial product is infinite, the result
 * should be. */
static Pair recover_product(Pair z, Pair w, Pair result) {
    bool overflowed =
        isinf(z.re * w.re) || isinf(z.im * w.im) || isinf(z.re * w.im) || isinf(z.im * w.re);
    bool z_infinite = is_infinite(z), w_infinite = is_infinite(w);
    if (!z_infinite && !w_infinite && !overflowed) return result;
    if (z_infinite) {
        z = (Pair){boxed(z.re), boxed(z.im)};
        w = (Pair){without_nan(w.re), without_nan(w.im)};
    }
    if (w_infinite) {
        w = (Pair){boxed(w.re), boxed(w.im)};
        z = (Pair){without_nan(z.re), without_nan(z.im)};
    }
    if (!z_infinite && !w_infinite) {
        z = (Pair){without_nan(z.re), without_nan(z.im)};
        w = (Pair){without_nan(w.re), without_nan(w.im)};
    }
    return (Pair){HUGE_VAL * (z.re * w.re - z.im * w.im), HUGE_VAL * (z.re * w.im + z.im * w.re)};
}

static Pair product(Pair z, Pair w) {
    Pair result = {z.re * w.re - z.im * w.im, z.re * w.im + z.im * w.re};
    if (isnan(result.re) && isnan(result.im)) return recover_product(z, w, result);
    return result;
}

static Pair recover_quotient(Pair z, Pair w, Pair result) {
    if (is_infinite(z) && is_finite(w)) {
        double x = boxed(z.re), y = boxed(z.im);
        return (Pair){HUGE_VAL * (x * w.re + y * w.im), HUGE_VAL * (y * w.re - x * w.im)};
    }
    if (is_infinite(w) && is_finite(z)) {
        double x = boxed(w.re), y = boxed(w.im);
        return (Pair){0.0 * (z.re * x + z.im * y), 0.0 * (z.im * x - z.re * y)};
    }
    return result;
}

/* Smith's method; w is not 0. */
static Pair quotient(Pair z, Pair w) {
    Pair result = {NAN, NAN};
    if (fabs(w.re) >= fabs(w.im)) {
        double ratio = w.im / w.re, denominator = w.re + w.im * ratio;
        result = (Pair){(z.re + z.im * ratio) / denominator, (z.im - z.re * ratio) / denominator};
    } else if (fabs(w.im) >= fabs(w.re)) {
        double ratio = w.re / w.im, denominator = w.re * ratio + w.im;
        result = (Pair){(z.re * ratio + z.im) / denominator, (z.im * ratio - z.re) / denominator};
    }
    if (isnan(result.re) && isnan(result.im)) return recover_quotient(z, w, result);
    return result;
}

/* The same for a real dividend. */
static Pair quotient_of_real(double x, Pair w) {
    Pair result = {NAN, NAN};
    if (fabs(w.re) >= fabs(w.im)) {
        double ratio = w.im / w.re, denominator = w.re + w.im * ratio;
        result = (Pair){x / denominator, (-x * ratio) / denominator};
    } else if (fabs(w.im) >= fabs(w.re)) {
        double ratio = w.re / w.im, denominator = w.re * ratio + w.im;
        result = (Pair){(x * ratio) / denominator, -x / denominator};
    }
    if (isnan(result.re) && isnan(result.im) && isfinite(x) && is_infinite(w))
        return (Pair){0.0 * (x * boxed(w.re)), 0.0 * (-x * boxed(w.im))};
    return result;
}

/* ---- powers ---- */

enum { SMALL_EXPONENT = 100 }; /* up to here integral powers are products */

static Pair integral_power(Pair z, int exponent) {
    Pair result = {1.0, 0.0}, square = z;
    unsigned rest = (unsigned)(exponent < 0 ? -exponent : exponent);
    for (unsigned mask = 1; rest >= mask; mask <<= 1) {
        if (rest & mask) result = product(result, square);
        square = product(square, square);
    }
    return exponent < 0 ? quotient((Pair){1.0, 0.0}, result) : result;
}

static Pair general_power(Pair z, Pair w) {
    double length = hypot(z.re, z.im), scale = pow(length, w.re), angle = atan2(z.im, z.re),
           phase = angle * w.re;
    if (w.im != 0) {
        scale *= exp(-angle * w.im);
        phase += w.im * log(length);
    }
    return (Pair){scale * cos(phase), scale * sin(phase)};
}

COLD Value complex_power(GenVM *vm, double a, double b, double c, double d) {
    Pair z = {a, b}, w = {c, d}, result;
    if (c == 0 && d == 0) return complex_new(vm, 1.0, 0.0);
    bool integral = d == 0 && c == floor(c) && fabs(c) <= SMALL_EXPONENT;
    if (a == 0 && b == 0) {
        if (d != 0 || c < 0) return raise_zero_division(vm, "zero to a negative or complex power");
        if (!integral) return complex_new(vm, 0.0, 0.0);
    }
    result = integral ? integral_power(z, (int)c) : general_power(z, w);
    if (isinf(result.re) || isinf(result.im)) return raise_overflow(vm, "complex exponentiation");
    return new (vm, result);
}

/* ---- operators ---- */

static Value divide(GenVM *vm, Pair z, bool z_real, Pair w, bool w_real) {
    if (w.re == 0 && w.im == 0) return raise_zero_division(vm, "division by zero");
    if (w_real) return complex_new(vm, z.re / w.re, z.im / w.re);
    return new (vm, z_real ? quotient_of_real(z.re, w) : quotient(z, w));
}

static Value multiply(GenVM *vm, Pair z, bool z_real, Pair w, bool w_real) {
    if (z_real) return complex_new(vm, z.re * w.re, z.re * w.im);
    if (w_real) return complex_new(vm, z.re * w.re, z.im * w.re);
    return new (vm, product(z, w));
}

static Value binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    Pair z, w;
    if (!complex_from(vm, left, &z.re, &z.im) || !complex_from(vm, right, &w.re, &w.im))
        return vm->exception != VALUE_UNSET ? VALUE_ERROR : VALUE_NOT_IMPLEMENTED;
    bool z_real = !is_kind(left, TYPE_COMPLEX), w_real = !is_kind(right, TYPE_COMPLEX);
    switch (op) {
    case BINARY_ADD:
        return complex_new(vm, z.re + w.re, z_real ? w.im : w_real ? z.im : z.im + w.im);
    case BINARY_SUB:
        return complex_new(vm, z.re - w.re, z_real ? -w.im : w_real ? z.im : z.im - w.im);
    case BINARY_MUL: return multiply(vm, z, z_real, w, w_real);
    case BINARY_DIV: return divide(vm, z, z_real, w, w_real);
    case BINARY_POW: return complex_power(vm, z.re, z.im, w.re, w.im);
    default: return VALUE_NOT_IMPLEMENTED;
    }
}

static Value unary(GenVM *vm, Special op, Value self) {
    Pair z = pair_of(self);
    switch (op) {
    case SP_NEG: return complex_new(vm, -z.re, -z.im);
    case SP_POS: return is_exact(self, TYPE_COMPLEX) ? self : new (vm, z);
    case SP_ABS: {
        double length = hypot(z.re, z.im);
        if (isinf(length) && is_finite(z)) return raise_overflow(vm, "absolute value too large");
        return float_value(vm, length);
    }
    default: return VALUE_NOT_IMPLEMENTED;
    }
}

static bool equals(Pair z, Value other, bool *known) {
    int order;
    *known = true;
    if (is_kind(other, TYPE_COMPLEX)) {
        Pair w = pair_of(other);
        return z.re == w.re && z.im == w.im;
    }
    if (value_is_float(other)) return z.im == 0 && z.re == value_float(other);
    if (value_is_intlike(other))
        return z.im == 0 && float_order_int(z.re, other, &order) && order == 0;
    return *known = false;
}

static Value compare(GenVM *vm, CompareOp op, Value left, Value right) {
    (void)vm;
    if (op != COMPARE_EQ && op != COMPARE_NE) return VALUE_NOT_IMPLEMENTED;
    bool known, swap = !is_kind(left, TYPE_COMPLEX);
    bool equal = equals(pair_of(swap ? right : left), swap ? left : right, &known);
    return known ? bool_value(equal == (op == COMPARE_EQ)) : VALUE_NOT_IMPLEMENTED;
}

static Value hash(GenVM *vm, Value self) {
    Pair z = pair_of(self);
    uint64_t combined = float_hash(z.re) + 1000003 * float_hash(z.im);
    return int_from_i64(vm, combined == UINT64_MAX ? -2 : (int64_t)combined);
}

static Value truth(GenVM *vm, Value self) {
    Pair z = pair_of(self);
    return (void)vm, bool_value(z.re != 0 || z.im != 0);
}

/* A part as repr shows it: like a float's, without a ".0" behind integral ones. */
static size_t write_part(char *out, double part) {
    size_t size = float_repr_to(out, part);
    return size > 2 && out[size - 2] == '.' && out[size - 1] == '0' ? size - 2 : size;
}

static Value repr(GenVM *vm, Value self) {
    Pair z = pair_of(self);
    char text[100], *at = text;
    bool imaginary_only = z.re == 0 && !signbit(z.re);
    if (!imaginary_only) {
        *at++ = '(';
        at += write_part(at, z.re);
        if (isnan(z.im) || !signbit(z.im)) *at++ = '+';
    }
    at += write_part(at, z.im);
    *at++ = 'j';
    if (!imaginary_only) *at++ = ')';
    return str_new(vm, text, (size_t)(at - text));
}

/* ---- complex(x, y) ---- */

typedef struct ComplexText {
    const char *at, *end;
} ComplexText;

static bool is_sign(char c) {
    return c == '+' || c == '-';
}
static bool is_unit(char c) {
    return c == 'j' || c == 'J';
}

/* How much of the text is one float: a sign, then everything up to a sign that is no exponent's, a
 * j, a parenthesis or a space. */
static size_t part_size(const ComplexText *text) {
    const char *at = text->at;
    if (at < text->end && is_sign(*at)) at++;
    while (at < text->end && !is_unit(*at) && *at != ' ' && *at != ')') {
        if (is_sign(*at) && (at[-1] | 32) != 'e') break;
        at++;
    }
    return (size_t)(at - text->at);
}

/* One part; a bare sign (or nothing) before a j stands for 1. */
static bool read_part(ComplexText *text, double *out, bool *is_imaginary) {
    size_t size = part_size(text);
    const char *start = text->at;
    text->at += size;
    *is_imaginary = text->at < text->end && is_unit(*text->at);
    text->at += *is_imaginary;
    bool bare = size == 0 || (size == 1 && is_sign(*start));
    if (!bare) return double_from_text(start, size, out);
    *out = size && *start == '-' ? -1.0 : 1.0;
    return *is_imaginary;
}

static bool read_complex(ComplexText *text, Pair *z) {
    double part;
    bool is_imaginary;
    *z = (Pair){0.0, 0.0};
    if (!read_part(text, &part, &is_imaginary)) return false;
    if (is_imaginary) {
        z->im = part;
        return true;
    }
    z->re = part;
    if (text->at == text->end || !is_sign(*text->at)) return true;
    return read_part(text, &z->im, &is_imaginary) && is_imaginary;
}

static const char *trim(const char *at, const char **end) {
    while (at < *end && (*at == ' ' || (*at >= 9 && *at <= 13)))
        at++;
    while (*end > at && ((*end)[-1] == ' ' || ((*end)[-1] >= 9 && (*end)[-1] <= 13)))
        --*end;
    return at;
}

/* Takes out underscores; false when one does not stand between two digits. */
static bool drop_underscores(char *out, const char *text, size_t *size) {
    size_t count = 0;
    for (size_t i = 0; i < *size; i++) {
        if (text[i] != '_')
            out[count++] = text[i];
        else if (i == 0 || i + 1 == *size || !ascii_is(text[i - 1], ASCII_DIGIT) ||
                 !ascii_is(text[i + 1], ASCII_DIGIT))
            return false;
    }
    *size = count;
    return true;
}

static COLD bool parse_text(const char *at, size_t size, Pair *z) {
    const char *end = at + size;
    at = trim(at, &end);
    if (at < end && *at == '(') {
        if (end[-1] != ')' || end - at < 2) return false;
        at++, end--;
        at = trim(at, &end);
    }
    ComplexText text = {at, end};
    return read_complex(&text, z) && text.at == text.end;
}

static Value from_text(GenVM *vm, Type *cls, Value source) {
    Scratch scratch, spare;
    size_t size = AS_STR(source)->size;
    if (!native_work(vm, size / 8) || !text_foresee(vm, size, 6)) return VALUE_ERROR;
    const char *text = number_text(vm, &scratch, AS_STR(source)->data, &size);
    char *plain = text ? scratch_get(vm, &spare, size + 1) : NULL;
    if (!plain) return VALUE_ERROR;
    Pair z;
    bool well_placed = drop_underscores(plain, text, &size),
         ok = well_placed && parse_text(plain, size, &z);
    scratch_free(&spare);
    scratch_free(&scratch);
    if (!well_placed) return raise_value(vm, "could not convert string to complex: %V", source);
    if (!ok) return raise_value(vm, "complex() arg is a malformed string");
    return new_of_class(vm, cls, z);
}

static bool converts_itself(GenVM *vm, Value v) {
    if (type_special(vm, v, SP_COMPLEX) != VALUE_UNSET ||
        type_special(vm, v, SP_FLOAT) != VALUE_UNSET)
        return true;
    const TypeSlots *slots = &type_of(vm, v)->slots;
    bool plain = value_is_float(v) || value_is_intlike(v) || is_kind(v, TYPE_COMPLEX);
    return !plain &&
           (type_special(vm, v, SP_INDEX) != VALUE_UNSET || slots->to_float || slots->to_index);
}

static Value construct(GenVM *vm, Value *args) {
    Type *cls = type_from(args[0]);
    Value real = args[1], imaginary = args[2];
    Pair z = {0.0, 0.0}, w = {0.0, 0.0};
    if (real == VALUE_UNSET && imaginary == VALUE_UNSET) return new_of_class(vm, cls, z);
    if (imaginary == VALUE_UNSET && is_exact(real, TYPE_COMPLEX) && cls == vm->types[TYPE_COMPLEX])
        return real;
    if (imaginary == VALUE_UNSET && value_is_str(real)) return from_text(vm, cls, real);
    if (real == VALUE_UNSET) real = int_value(0);
    if (converts_itself(vm, real) || (imaginary != VALUE_UNSET && converts_itself(vm, imaginary)))
        return native_twin(vm, TWIN_COMPLEX_NEW, 3, args[0], real,
                           imaginary == VALUE_UNSET ? VALUE_NONE : imaginary);
    if (!complex_from(vm, real, &z.re, &z.im)) {
        if (vm->exception != VALUE_UNSET) return VALUE_ERROR;
        if (imaginary == VALUE_UNSET)
            return raise_type(vm, "complex() argument must be a string or a number, not %T", real);
        return raise_type(vm, "complex() argument 'real' must be a real number, not %T", real);
    }
    if (imaginary == VALUE_UNSET) return new_of_class(vm, cls, z);
    if (!complex_from(vm, imaginary, &w.re, &w.im)) {
        if (vm->exception != VALUE_UNSET) return VALUE_ERROR;
        return raise_type(vm, "complex() argument 'imag' must be a real number, not %T", imaginary);
    }
    Pair sum = {is_kind(imaginary, TYPE_COMPLEX) ? z.re - w.im : z.re,
                is_kind(real, TYPE_COMPLEX) ? w.re + z.im : w.re};
    return new_of_class(vm, cls, sum);
}

static const NativeDef constructor = {"complex(cls, real=?, imag=?)", construct,
                                      "Create a complex number from a string or numbers.\n\nIf a "
                                      "string is given, parse it as a complex number.\nIf a single "
                                      "number is given, convert it to a complex number.\nIf the "
                                      "'real' or 'imag' arguments are given, create a complex "
                                      "number\nwith the specified real and imaginary components."};

/* ---- methods ---- */

static Value conjugate(GenVM *vm, Value *args) {
    Pair z = pair_of(args[0]);
    return complex_new(vm, z.re, -z.im);
}

static Value plain(GenVM *vm, Value *args) {
    return is_exact(args[0], TYPE_COMPLEX) ? args[0] : new (vm, pair_of(args[0]));
}

static Value getnewargs(GenVM *vm, Value *args) {
    Pair z = pair_of(args[0]);
    Value re = float_value(vm, z.re), im = float_value(vm, z.im);
    return re == VALUE_ERROR || im == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 2, re, im);
}

static Value from_number(GenVM *vm, Value *args) {
    Value v = args[1];
    if (converts_itself(vm, v) || value_is_float(v) || value_is_intlike(v) ||
        is_kind(v, TYPE_COMPLEX))
        return native_call(vm, args[0], 1, v);
    return raise_type(vm, "must be real number, not %T", v);
}

static const NativeDef methods[] = {
    {"conjugate(self, /)", conjugate,
     "Return the complex conjugate of its argument. (3-4j).conjugate() == 3+4j."},
    {"__complex__(self, /)", plain, "Convert this value to exact type complex."},
    {"__getnewargs__(self, /)", getnewargs, NULL},
    {"classmethod from_number(cls, number, /)", from_number,
     "Convert number to a complex floating-point number."},
    {NULL, NULL, NULL},
};

static Value real_part(GenVM *vm, Value self) {
    return float_value(vm, pair_of(self).re);
}
static Value imaginary_part(GenVM *vm, Value self) {
    return float_value(vm, pair_of(self).im);
}

static const AttributeDef attributes[] = {
    {"real", real_part, NULL, "the real part of a complex number"},
    {"imag", imaginary_part, NULL, "the imaginary part of a complex number"},
    {NULL, NULL, NULL, NULL},
};

static const ImageField image_fields[] = {
    IMAGE_FIELD(Complex, real, LONG, NONE),
    IMAGE_FIELD(Complex, imaginary, LONG, NONE),
    {0},
};
static const ImageLayout image_layout = {sizeof(Complex), image_fields, NULL, NULL};

const BuiltinType complex_type = {
    .name = "complex",
    .base = TYPE_OBJECT,
    .size = sizeof(Complex),
    .doc = "complex(real=0, imag=0)\n--\n\nCreate a complex number from a string or numbers.",
    .construct = &constructor,
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = repr,
              .format = format_complex_spec,
              .hash = hash,
              .truth = truth,
              .binary = binary,
              .unary = unary,
              .compare = compare,
              .image = &image_layout},
};
