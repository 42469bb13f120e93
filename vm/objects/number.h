/* number.h - what the files of the number types (int, bool, float, complex) and of formatting share, and nobody else
 * needs.
 *
 * An int is looked at through an IntView: sign, limb count and limbs, the same for small ints, bools and BigInts. The
 * arithmetic below it is GMP's mpn layer, on limbs in objects and in Scratch; results are made by int_alloc and
 * int_finish, which brings what fits 62 bits back into the word.
 */
#ifndef GEN_NUMBER_H
#define GEN_NUMBER_H

#include <gmp.h>
#include <math.h>

#include "vm/objects/text.h"

typedef __int128 Wide;
typedef unsigned __int128 UnsignedWide;

enum { LIMB_BITS = 64, INT_DIGITS_DEFAULT = 4300, INT_DIGITS_THRESHOLD = 640 };

/* ---- C memory for the length of one operation: small needs inline, larger ones checked against the budget ---- */

typedef struct Scratch {
    void *heap; /* NULL: inline */
    _Alignas(16) mp_limb_t space[48];
} Scratch;
void *scratch_get(GenVM *vm, Scratch *scratch, size_t bytes); /* NULL with MemoryError pending; once per Scratch */
void scratch_free(Scratch *scratch);

/* ---- int.c: views and results ---- */

typedef struct IntView {
    const mp_limb_t *limbs; /* magnitude, no leading zero limb */
    size_t count;           /* 0: zero */
    bool negative;
    mp_limb_t word; /* where limbs points for a small int: a view must not be moved */
} IntView;

static inline void int_view_word(IntView *view, int64_t i) {
    view->negative = i < 0;
    view->word = i < 0 ? -(mp_limb_t)i : (mp_limb_t)i;
    view->limbs = &view->word;
    view->count = i != 0;
}

static inline void int_view(IntView *view, Value v) { /* v is intlike */
    if (is_int(v)) {
        int_view_word(view, as_int(v));
    } else if (is_bool(v)) {
        int_view_word(view, v == VALUE_TRUE);
    } else {
        const BigInt *big = AS(BigInt, v);
        view->negative = big->size < 0;
        view->count = (size_t)(big->size < 0 ? -big->size : big->size);
        view->limbs = (const mp_limb_t *)big->limbs;
    }
}

size_t int_view_bits(const IntView *view);        /* bit length of the magnitude */
bool int_view_bit_below(const IntView *view, size_t bit); /* is any bit below that one set */
BigInt *int_alloc(GenVM *vm, size_t limbs);       /* limbs to be filled */
Value int_finish(BigInt *big, size_t limbs, bool negative); /* strips leading zeros; small if it can be */
Value int_from_limbs(GenVM *vm, const mp_limb_t *limbs, size_t count, bool negative);
Value int_from_wide(GenVM *vm, Wide i);
Value int_from_view(GenVM *vm, const IntView *view);
Value int_exact(GenVM *vm, Value v);              /* of a bool or an instance of a subclass: the plain int */
Value int_of_class(GenVM *vm, Type *cls, Value v); /* as an instance of cls, int or a subclass */
Value int_order_of_class(GenVM *vm, CompareOp op, int order);
int int_view_order(const IntView *a, const IntView *b);
size_t int_double_limbs(double d, mp_limb_t limbs[18]); /* of trunc(|d|), d finite; the count */
static inline bool order_holds(CompareOp op, int order) {
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

/* ---- int_arith.c, int_power.c ---- */

bool int_charge_product(GenVM *vm, size_t limbs, size_t other_limbs); /* before a multiplication or division */
Value int_add_views(GenVM *vm, const IntView *a, const IntView *b, bool subtract);
Value int_multiply_views(GenVM *vm, const IntView *a, const IntView *b);
Value int_shift_left(GenVM *vm, const IntView *a, uint64_t bits);
Value int_shift_right(GenVM *vm, const IntView *a, uint64_t bits); /* floors */
Value int_true_divide(GenVM *vm, const IntView *a, const IntView *b);
Value int_divide(GenVM *vm, const IntView *a, const IntView *b, Value *remainder); /* floors; either may be unwanted:
                                                                    remainder NULL; quotient by int_modulo */
Value int_modulo(GenVM *vm, const IntView *a, const IntView *b);
Value int_power(GenVM *vm, Value base, Value exponent);
Value int_gcd(GenVM *vm, Value a, Value b); /* intlike */
/* m * 2^exponent, m with its top bit set, rounded half to even; `sticky`: something follows m. Infinity on overflow. */
double double_from_bits(uint64_t m, bool sticky, int64_t exponent);

/* ---- int_text.c ---- */

/* The digits of the magnitude in ASCII, lower case, without sign or prefix. They lie in the scratch. False with
 * ValueError (digit limit) or MemoryError pending. */
bool int_digits(GenVM *vm, const IntView *view, int base, Scratch *scratch, const char **digits, size_t *size);
size_t int_write_small(char *out, int64_t i); /* decimal, at most 20 bytes; returns the length */
size_t int_write_u64(char *out, uint64_t i);
Value int_parse(GenVM *vm, Value source, const char *text, size_t size, int base); /* int(source, base), with its error */
int64_t int_digit_limit(GenVM *vm);          /* 0: none */
bool int_set_digit_limit(GenVM *vm, int64_t limit); /* false with ValueError */
/* Text as numbers read it: spaces stripped at both ends, Unicode digits and spaces turned into ASCII. Returns the
 * text in `scratch` or `text` itself; NULL with MemoryError. */
const char *number_text(GenVM *vm, Scratch *scratch, const char *text, size_t *size);

/* ---- float.c, float_text.c, float_methods.c ---- */

bool float_order_int(double d, Value v, int *order); /* d against an int of any size, exactly; false: NaN */
Value float_compare(GenVM *vm, CompareOp op, Value left, Value right);
Value float_round_digits(GenVM *vm, double d, int64_t digits);
Value float_from_str(GenVM *vm, Value source, const char *text, size_t size); /* float(source), with its error */
/* Correct decimal digits of |d| (finite). `shortest` gives those of repr. Digits without leading or trailing zeros go
 * to `digits` (at least 20 bytes); the value is 0.DIGITS * 10^*point. Zero: one digit 0, *point 1. */
size_t float_shortest(double d, char *digits, int *point);
/* round(|d| * 10^places) as an integer, half to even, exactly; false if it does not fit or is out of the fast range */
bool float_scaled(double d, int places, UnsignedWide *out);
size_t float_write_wide(char *out, UnsignedWide i); /* decimal; at most 39 bytes */
bool double_from_text(const char *text, size_t size, double *out); /* digits . e: the whole of an ASCII text; no spaces,
                                                             signs allowed, no underscores, inf and nan allowed */
extern const uint64_t powers_of_ten[][2];
enum { POWER_OF_TEN_MIN = -342, POWER_OF_TEN_MAX = 324 };

/* ---- format ---- */

typedef struct FormatSpec {
    uint32_t fill;     /* code point; 0: none given */
    char align;        /* < > = ^ or 0 */
    char sign;         /* + - space or 0 */
    bool no_neg_zero;  /* z */
    bool alternate;    /* # */
    bool zero;         /* 0 before the width */
    char thousands;    /* , _ or 0 */
    char fraction_thousands;
    int64_t width;     /* -1: none */
    int64_t precision; /* -1: none */
    uint32_t type;     /* code point; 0: none given */
} FormatSpec;
bool format_parse_spec(GenVM *vm, Value spec, Value v, char default_align, FormatSpec *out);
void format_put_padded(StrBuilder *out, const FormatSpec *spec, char default_align, const char *text, size_t size,
                       size_t length);
bool format_put_int(StrBuilder *out, const FormatSpec *spec, Value v);
bool format_put_double(StrBuilder *out, const FormatSpec *spec, double d);
bool format_unknown_code(GenVM *vm, uint32_t code, Value v); /* always false, with ValueError */
void format_fill(StrBuilder *out, uint32_t fill, int64_t count);
/* The text of a double by a printf-like type (e f g r %), without sign; for the sign see signbit. */
bool format_double_text(StrBuilder *out, double d, char type, int precision, bool alternate, bool keep_point);

Value format_percent_bytes(GenVM *vm, Value format, Value args); /* bytes % args: of format's type */

#endif
