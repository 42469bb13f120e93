/* float_methods.c - the methods and attributes of float: rounding, ratios, hexadecimal text. */
#include "vm/objects/number.h"

static double number(Value v) {
    return value_float(v);
}

/* ---- rounding ---- */

/* |d| is below half of 10^places: nothing is left. Beyond these bounds so is every double, or none
 * changes. */
enum { PLACES_MIN = -308, PLACES_MAX = 323 };

/* digits * 10^-places, d's sign: by one exact division where both are exact, else through text. */
static Value unscale(GenVM *vm, double d, int places) {
    UnsignedWide scaled;
    if (places >= 0 && places <= 22 && float_scaled(d, places, &scaled) &&
        scaled <= (UnsignedWide)1 << 53) {
        double unit = 1;
        for (int i = 0; i < places; i++)
            unit *= 10;
        return float_value(vm, copysign((double)(uint64_t)scaled / unit, d));
    }
    char text[FLOAT_DIGITS_MAX + 8];
    size_t size = float_digits(d, places, text);
    if (size == 0) text[size++] = '0';
    text[size++] = 'e';
    size += int_write_small(text + size, -places);
    double rounded;
    double_from_text(text, size, &rounded);
    if (isinf(rounded)) return raise_overflow(vm, "rounded value too large to represent");
    return float_value(vm, copysign(rounded, d));
}

Value float_round(GenVM *vm, double d, Value ndigits) {
    if (ndigits == VALUE_NONE) return int_from_double(vm, isfinite(d) ? nearbyint(d) : d);
    int64_t places;
    if (!int_to_i64(ndigits, &places))
        places = int_sign(ndigits) < 0 ? PLACES_MIN - 1 : PLACES_MAX + 1;
    if (!isfinite(d) || places > PLACES_MAX) return float_value(vm, d);
    if (places < PLACES_MIN) return float_value(vm, copysign(0.0, d));
    return unscale(vm, d, (int)places);
}

static Value round_float(GenVM *vm, Value *args) {
    return float_round(vm, number(args[0]), args[1]);
}
static Value trunc_float(GenVM *vm, Value *args) {
    return int_from_double(vm, number(args[0]));
}
static Value floor_float(GenVM *vm, Value *args) {
    return int_from_double(vm, floor(number(args[0])));
}
static Value ceil_float(GenVM *vm, Value *args) {
    return int_from_double(vm, ceil(number(args[0])));
}

/* ---- questions and parts ---- */

static Value is_integer(GenVM *vm, Value *args) {
    double d = number(args[0]);
    return (void)vm, bool_value(isfinite(d) && floor(d) == d);
}

static Value plain(GenVM *vm, Value *args) {
    return float_value(vm, number(args[0]));
}

static Value getnewargs(GenVM *vm, Value *args) {
    Value self = plain(vm, args);
    return self == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 1, self);
}

static Value getformat(GenVM *vm, Value *args) {
    if (!str_is(args[1], "double") && !str_is(args[1], "float"))
        return raise_value(vm, "__getformat__() argument 1 must be 'double' or 'float'");
    return str_from(vm, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "IEEE, little-endian"
                                                                  : "IEEE, big-endian");
}

static Value as_integer_ratio(GenVM *vm, Value *args) {
    double d = number(args[0]);
    if (isnan(d)) return raise_value(vm, "cannot convert NaN to integer ratio");
    if (isinf(d)) return raise_overflow(vm, "cannot convert Infinity to integer ratio");
    int exponent;
    double fraction = frexp(d, &exponent);
    while (fraction != floor(fraction)) {
        fraction *= 2;
        exponent--;
    }
    Value top = int_from_double(vm, fraction), bottom = int_value(1);
    if (exponent > 0) top = int_binary(vm, BINARY_LSHIFT, top, int_value(exponent));
    if (exponent < 0) bottom = int_binary(vm, BINARY_LSHIFT, bottom, int_value(-exponent));
    if (top == VALUE_ERROR || bottom == VALUE_ERROR) return VALUE_ERROR;
    return tuple_pack(vm, 2, top, bottom);
}

static Value from_number(GenVM *vm, Value *args) {
    if (args[0] == object_value(vm->types[TYPE_FLOAT]))
        return is_exact(args[1], TYPE_FLOAT) ? args[1] : float_value(vm, number(args[1]));
    return native_call(vm, args[0], 1, args[1]);
}

/* ---- hexadecimal text ---- */

static Value to_hex(GenVM *vm, Value *args) {
    double d = number(args[0]);
    if (!isfinite(d)) return float_repr(vm, d);
    const char *sign = signbit(d) ? "-" : "";
    if (d == 0) return str_format(vm, "%s0x0.0p+0", sign);
    int exponent;
    double fraction = frexp(fabs(d), &exponent);
    int shift = exponent < -1021 ? -1021 - exponent : 0; /* subnormal: 0x0.xxxp-1022 */
    uint64_t mantissa = (uint64_t)ldexp(fraction, 53 - shift);
    exponent += shift - 1;
    return str_format(vm, "%s0x%d.%013llxp%c%d", sign, (int)(mantissa >> 52),
                      (unsigned long long)(mantissa & (((uint64_t)1 << 52) - 1)),
                      exponent < 0 ? '-' : '+', exponent < 0 ? -exponent : exponent);
}

typedef struct HexText {
    uint64_t mantissa; /* the leading digits, its top bits filled first */
    int digits;        /* in mantissa */
    bool sticky;       /* something behind them */
    int64_t exponent;  /* of the last digit read, in bits */
} HexText;

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *read_hex_digits(HexText *hex, const char *at, const char *end, bool fraction) {
    for (; at < end && hex_value(*at) >= 0; at++) {
        int value = hex_value(*at);
        if (hex->digits < 16) {
            hex->mantissa = hex->mantissa << 4 | (unsigned)value;
            hex->digits += hex->digits > 0 || value != 0;
            hex->exponent -= fraction ? 4 : 0;
        } else {
            hex->sticky |= value != 0;
            hex->exponent += fraction ? 0 : 4;
        }
    }
    return at;
}

static bool read_hex_exponent(HexText *hex, const char *at, const char *end) {
    if (at == end) return true;
    if ((*at++ | 32) != 'p') return false;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '+' || *at == '-')) at++;
    if (at == end) return false;
    int64_t exponent = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        if (exponent < INT64_C(1) << 40) exponent = exponent * 10 + (*at - '0');
    hex->exponent += negative ? -exponent : exponent;
    return at == end;
}

/* [0x] digits [. digits] [p exponent]; *out may be infinite: too large. False: malformed. */
static COLD bool read_hex(const char *at, const char *end, double *out) {
    HexText hex = {0};
    if (end - at > 2 && at[0] == '0' && (at[1] | 32) == 'x') at += 2;
    const char *whole = read_hex_digits(&hex, at, end, false), *next = whole;
    bool any = whole > at;
    if (next < end && *next == '.') {
        next = read_hex_digits(&hex, next + 1, end, true);
        any |= next > whole + 1;
    }
    if (!any || !read_hex_exponent(&hex, next, end)) return false;
    *out = 0.0;
    if (hex.mantissa == 0) return true;
    int zeros = __builtin_clzll(hex.mantissa);
    *out = double_from_bits(hex.mantissa << zeros, hex.sticky, hex.exponent - zeros);
    return true;
}

static COLD Value from_hex(GenVM *vm, Value *args) {
    Scratch scratch;
    size_t size = AS_STR(args[1])->size;
    if (!text_charge(vm, size) || !text_foresee(vm, size, 3)) return VALUE_ERROR;
    if (!(as_object(args[1])->flags & STR_ASCII)) /* of other digits only float() knows */
        return raise_value(vm, "invalid hexadecimal floating-point string");
    const char *text = number_text(vm, &scratch, AS_STR(args[1])->data, &size), *end = text + size;
    if (!text) return VALUE_ERROR;
    double d;
    bool negative = size && *text == '-', ok;
    const char *at = text + (size && (*text == '-' || *text == '+'));
    if (at < end && (*at | 32) != 'i' && (*at | 32) != 'n')
        ok = read_hex(at, end, &d);
    else
        ok = at < end && double_from_text(at, (size_t)(end - at), &d);
    bool named = ok && ((*at | 32) == 'i' || (*at | 32) == 'n');
    scratch_free(&scratch);
    if (!ok) return raise_value(vm, "invalid hexadecimal floating-point string");
    if (!named && isinf(d))
        return raise_overflow(vm, "hexadecimal value too large to represent as a float");
    d = negative ? -d : d;
    if (args[0] == object_value(vm->types[TYPE_FLOAT])) return float_value(vm, d);
    Value plain_float = float_value(vm, d);
    return plain_float == VALUE_ERROR ? VALUE_ERROR : native_call(vm, args[0], 1, plain_float);
}

/* ---- the tables ---- */

const NativeDef float_methods[] = {
    {"as_integer_ratio(self, /)", as_integer_ratio,
     "Return a pair of integers, whose ratio is exactly equal to the original float.\n\nThe ratio "
     "is in lowest terms and "
     "has a positive denominator. Raise OverflowError on infinities\nand a ValueError on NaNs."},
    {"conjugate(self, /)", plain, "Return self, the complex conjugate of any float."},
    {"hex(self, /)", to_hex, "Return a hexadecimal representation of a floating-point number."},
    {"is_integer(self, /)", is_integer, "Return True if the float is an integer."},
    {"classmethod fromhex(cls, string: str, /)", from_hex,
     "Create a floating-point number from a hexadecimal string."},
    {"classmethod from_number(cls, number: float, /)", from_number,
     "Convert real number to a floating-point number."},
    {"classmethod __getformat__(cls, typestr: str, /)", getformat, NULL},
    {"__round__(self, ndigits: int | None = None, /)", round_float,
     "Return the Integral closest to x, rounding half toward even.\n\nWhen an argument is passed, "
     "work like built-in "
     "round(x, ndigits)."},
    {"__trunc__(self, /)", trunc_float, "Return the Integral closest to x between 0 and x."},
    {"__floor__(self, /)", floor_float, "Return the floor as an Integral."},
    {"__ceil__(self, /)", ceil_float, "Return the ceiling as an Integral."},
    {"__getnewargs__(self, /)", getnewargs, NULL},
    {NULL, NULL, NULL},
};

static Value real(GenVM *vm, Value self) {
    return float_value(vm, number(self));
}
static Value imaginary(GenVM *vm, Value self) {
    return (void)self, float_value(vm, 0.0);
}

const AttributeDef float_attributes[] = {
    {"real", real, NULL, "the real part of a complex number"},
    {"imag", imaginary, NULL, "the imaginary part of a complex number"},
    {NULL, NULL, NULL, NULL},
};
