/* number.h - what the files of the number types (int, bool, float, complex), of formatting and of
 * module math share, and nobody else needs.
 *
 * An int is looked at through an IntView: sign, limb count and limbs, the same for small ints,
 * bools and BigInts. The arithmetic below it is GMP's mpn layer, on limbs in objects and in
 * Scratch; results are made by int_alloc and int_finish, which brings what fits 62 bits back into
 * the word.
 */
#ifndef GEN_NUMBER_H
#define GEN_NUMBER_H

#include <gmp.h>
#include <math.h>

#include "vm/objects/text.h"

typedef __int128 Wide;
typedef unsigned __int128 UnsignedWide;

enum { LIMB_BITS = 64, INT_DIGITS_DEFAULT = 4300, INT_DIGITS_THRESHOLD = 640 };

/* ---- C memory for the length of one operation: small needs inline, larger ones checked against
 * the budget ---- */

typedef struct Scratch {
    void *heap; /* NULL: inline */
    _Alignas(16) mp_limb_t space[48];
} Scratch;
void *scratch_get(GenVM *vm, Scratch *scratch,
                  size_t bytes); /* NULL with MemoryError pending (unless vm is NULL) */
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

size_t int_view_bits(const IntView *view);                /* bit length of the magnitude */
bool int_view_bit_below(const IntView *view, size_t bit); /* is any bit below that one set */
BigInt *int_alloc(GenVM *vm, size_t limbs);               /* limbs to be filled */
Value int_finish(BigInt *big, size_t limbs,
                 bool negative); /* strips leading zeros; small if it can be */
Value int_from_limbs(GenVM *vm, const mp_limb_t *limbs, size_t count, bool negative);
Value int_from_wide(GenVM *vm, Wide i);
Value int_from_view(GenVM *vm, const IntView *view);
Value int_exact(GenVM *vm, Value v); /* of a bool or an instance of a subclass: the plain int */
Value int_of_class(GenVM *vm, Type *cls, Value v); /* as an instance of cls, int or a subclass */
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

extern const NativeDef int_methods[];
extern const AttributeDef int_attributes[];

/* ---- int_arith.c, int_power.c ---- */

/* Multiplying or dividing costs about the product of the lengths, less where they are large: in
 * steps. */
uint64_t int_product_cost(size_t limbs, size_t other_limbs);
bool int_charge_product(GenVM *vm, size_t limbs, size_t other_limbs); /* before GMP's work */
/* Will work that takes so many times what a product takes end before the deadline: GMP does each
 * piece of work whole. False: return VALUE_ERROR. */
enum {
    INT_ROOT = 2,
    INT_READ = 3,
    INT_DIVIDE = 6,
    INT_WRITE = 8,
    INT_GCD = 64,
    INT_INVERSE = 200,
};
bool int_foresee_long(GenVM *vm, size_t limbs, size_t other_limbs, unsigned times);
static inline bool int_foresee(GenVM *vm, size_t limbs, size_t other_limbs, unsigned times) {
    return likely(limbs + other_limbs < 1024) || int_foresee_long(vm, limbs, other_limbs, times);
}
/* Is there memory for what GMP needs while it works on so many limbs? */
bool int_has_room(GenVM *vm, size_t limbs);
Value int_add_views(GenVM *vm, const IntView *a, const IntView *b, bool subtract);
Value int_multiply_views(GenVM *vm, const IntView *a, const IntView *b);
Value int_shift_left(GenVM *vm, const IntView *a, uint64_t bits);
Value int_shift_right(GenVM *vm, const IntView *a, uint64_t bits); /* floors */
Value int_true_divide(GenVM *vm, const IntView *a, const IntView *b);
/* |a| / |b|, both not zero, correctly rounded; infinity on overflow. `space` has int_ratio_limbs
 * limbs. */
double int_ratio(const IntView *a, const IntView *b, mp_limb_t *space);
size_t int_ratio_limbs(const IntView *a, const IntView *b);
Value int_divide(GenVM *vm, const IntView *a, const IntView *b,
                 Value *remainder); /* floors; remainder may be NULL */
Value int_modulo(GenVM *vm, const IntView *a, const IntView *b);
Value int_power(GenVM *vm, Value base, Value exponent);
Value int_gcd(GenVM *vm, Value a, Value b); /* intlike */

/* ---- int_word.c ---- */

/* limbs * word into `out`, which may be `limbs`; returns the limb above. count is 1 at least. */
mp_limb_t int_multiply_word(mp_limb_t *out, const mp_limb_t *limbs, size_t count, mp_limb_t word);

/* ---- int_text.c ---- */

/* The digits of the magnitude in ASCII, lower case, without sign or prefix. They lie in the
 * scratch. False with ValueError (digit limit) or MemoryError pending. */
bool int_digits(GenVM *vm, const IntView *view, int base, Scratch *scratch, const char **digits,
                size_t *size);
size_t int_write_small(char *out, int64_t i); /* decimal, at most 20 bytes; returns the length */
size_t int_write_u64(char *out, uint64_t i);
extern const uint64_t powers_of_ten_u64[20]; /* 1, 10, ... 10^19 */
Value int_parse(GenVM *vm, Value source, const char *text, size_t size,
                int base); /* int(source, base), with its error */
/* Text as numbers read it: spaces stripped at both ends, Unicode digits and spaces turned into
 * ASCII. Returns the text in `scratch` or `text` itself; NULL with MemoryError. */
bool number_is_text(Value source, const char *text,
                    size_t size); /* a str, or bytes that may be given to: */
const char *number_text(GenVM *vm, Scratch *scratch, const char *text, size_t *size);

/* ---- float.c ---- */

bool float_order_int(double d, Value v,
                     int *order); /* d against an int of any size, exactly; false: d is NaN */
double double_from_bits(uint64_t m, bool sticky,
                        int64_t exponent); /* m * 2^exponent, m with its top bit set, rounded
               half to even; `sticky`: something follows m. Infinity on overflow */
Value float_of_class(GenVM *vm, Type *cls, double d);
void float_divmod(double x, double y, double *quotient,
                  double *remainder); /* floored; y is not 0 */
Value raise_range(GenVM *vm);         /* OverflowError(34, 'Numerical result out of range') */
extern const NativeDef float_methods[];
extern const AttributeDef float_attributes[];

/* ---- float_text.c ---- */

/* The digits that repr shows, without leading or trailing zeros: |d| is 0.DIGITS * 10^point. At
 * least 20 bytes. */
size_t float_shortest(double d, char *digits, int *point);
/* The decimal digits of round(|d| * 10^places), half to even, exactly; d finite, -330 <= places <=
 * 1100. Returns their number, 0 for zero. `out` has FLOAT_DIGITS_MAX bytes. */
size_t float_digits(double d, int places, char *out);
enum { FLOAT_DIGITS_MAX = 1480 };
size_t float_write_wide(char *out, UnsignedWide i); /* decimal, at most 39 bytes */
bool float_scaled(double d, int places,
                  UnsignedWide *out); /* the same where it is quick; false elsewhere */
bool float_parse_in(GenVM *vm, const char *text, size_t size,
                    double *out); /* as float(s); vm may be NULL. An
                   exception may be pending when it says false */
bool double_from_text(const char *text, size_t size,
                      double *out); /* ASCII, nothing before or behind, no underscores */
extern const uint64_t powers_of_ten[][2];
enum { POWER_OF_TEN_MIN = -342 };

/* ---- complex.c ---- */

bool complex_from(GenVM *vm, Value v, double *real,
                  double *imaginary); /* of complex, float or int: false for others,
                           or with OverflowError pending */
Value complex_power(GenVM *vm, double a, double b, double c, double d); /* (a+bj) ** (c+dj) */

#endif
