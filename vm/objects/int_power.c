/* int_power.c - powers, powers to a modulus, and greatest common divisors.
 *
 * A power is computed by squaring from the exponent's top bit, on two scratch areas that take
 * turns, with the base's factors of two set aside and shifted in at the end (10**n is 5**n with n
 * more bits). A power to a modulus works in residues: Montgomery's for an odd modulus of moderate
 * size, plain remainders else.
 */
#include "vm/objects/number.h"

/* ---- base ** exponent ---- */

/* base^exponent, limbs of an odd base > 1, into `out`; `spare` is as large. Returns the count, 0
 * when stopped. */
static size_t power_odd(GenVM *vm, const mp_limb_t *base, size_t base_count, uint64_t exponent,
                        mp_limb_t *out, mp_limb_t *spare) {
    mp_limb_t *from = out, *to = spare, *swap;
    size_t count = base_count;
    memcpy(from, base, base_count * sizeof *base);
    for (int bit = 62 - __builtin_clzl(exponent); bit >= 0; bit--) {
        if (!int_foresee(vm, count, count, 1) || !int_charge_product(vm, count, count)) return 0;
        mpn_sqr(to, from, (mp_size_t)count);
        count *= 2;
        count -= to[count - 1] == 0;
        swap = from, from = to, to = swap;
        if (!(exponent >> bit & 1)) continue;
        if (!int_foresee(vm, count, base_count, 1) || !int_charge_product(vm, count, base_count))
            return 0;
        mp_limb_t top = mpn_mul(to, from, (mp_size_t)count, base, (mp_size_t)base_count);
        count += base_count - (top == 0);
        swap = from, from = to, to = swap;
    }
    if (from != out) memcpy(out, from, count * sizeof *out);
    return count;
}

/* By the odd part of the base, which has `bits` bits above `zeros` zeros. */
static Value power_by_odd(GenVM *vm, const IntView *base, uint64_t exponent, size_t zeros,
                          size_t bits) {
    bool negative = base->negative && (exponent & 1);
    Scratch odd_scratch, scratch;
    mp_limb_t *odd = scratch_get(vm, &odd_scratch, base->count * sizeof *odd);
    if (!odd) return VALUE_ERROR;
    size_t skip = zeros / LIMB_BITS, odd_count = base->count - skip;
    if (zeros % LIMB_BITS)
        mpn_rshift(odd, base->limbs + skip, (mp_size_t)odd_count, (unsigned)(zeros % LIMB_BITS));
    else
        memcpy(odd, base->limbs + skip, odd_count * sizeof *odd);
    odd_count -= odd[odd_count - 1] == 0;
    if (bits == 1) { /* a power of two, of which the odd part is 1 */
        IntView one = {odd, 1, negative, 0};
        Value power = int_shift_left(vm, &one, zeros * exponent);
        scratch_free(&odd_scratch);
        return power;
    }
    size_t room = (size_t)((UnsignedWide)bits * exponent / LIMB_BITS) + odd_count + 2;
    mp_limb_t *out = scratch_get(vm, &scratch, 2 * room * sizeof *out);
    Value result = VALUE_ERROR;
    size_t count = out ? power_odd(vm, odd, odd_count, exponent, out, out + room) : 0;
    IntView view = {out, count, negative, 0};
    if (count) result = int_shift_left(vm, &view, zeros * exponent);
    if (out) scratch_free(&scratch);
    scratch_free(&odd_scratch);
    return result;
}

static Value power_big(GenVM *vm, const IntView *base, uint64_t exponent) {
    size_t zeros = mpn_scan1(base->limbs, 0), bits = int_view_bits(base) - zeros;
    UnsignedWide total = (UnsignedWide)(bits + zeros) * exponent;
    if (total >> 50) return raise_memory(vm);
    if (!gc_check_size(vm, (uint64_t)total / 4)) return VALUE_ERROR;
    size_t half = (size_t)(total / LIMB_BITS / 2);
    uint64_t last = int_product_cost(half, half); /* all squarings together cost twice the last */
    if (last && !native_begin(vm, last * 2)) return VALUE_ERROR;
    Value power = power_by_odd(vm, base, exponent, zeros, bits);
    if (last) native_end(vm);
    return power;
}

static Value power_small(GenVM *vm, int64_t base, uint64_t exponent) {
    int64_t result = 1;
    for (;;) {
        if ((exponent & 1) && (__builtin_mul_overflow(result, base, &result))) return VALUE_UNSET;
        exponent >>= 1;
        if (!exponent) return int_from_i64(vm, result);
        if (__builtin_mul_overflow(base, base, &base)) return VALUE_UNSET;
    }
}

static Value power_as_float(GenVM *vm, Value base, Value exponent) {
    double x, y;
    if (!number_to_double(vm, base, &x) || !number_to_double(vm, exponent, &y)) return VALUE_ERROR;
    return float_binary(vm, BINARY_POW, float_value(vm, x), float_value(vm, y));
}

Value int_power(GenVM *vm, Value base, Value exponent) {
    if (int_sign(exponent) < 0) return power_as_float(vm, base, exponent);
    if (are_ints(base, exponent)) {
        Value result = power_small(vm, as_int(base), (uint64_t)as_int(exponent));
        if (result != VALUE_UNSET) return result;
    }
    IntView view, power;
    int_view(&view, base);
    int_view(&power, exponent);
    if (power.count == 0) return int_value(1);
    if (view.count == 0) return int_value(0);
    if (view.count == 1 && view.limbs[0] == 1)
        return int_value(view.negative && (power.limbs[0] & 1) ? -1 : 1);
    if (power.count > 1) return raise_memory(vm);
    return power_big(vm, &view, power.limbs[0]);
}

/* ---- pow(base, exponent, modulus) ---- */

typedef struct Modulus {
    const mp_limb_t *limbs;
    mp_size_t count;
    bool montgomery;
    mp_limb_t inverse;   /* Montgomery: -1/limbs[0] mod 2^64 */
    mp_limb_t *product;  /* 2 * count + 1 limbs */
    mp_limb_t *quotient; /* count + 2 limbs */
} Modulus;

/* Powers below this many limbs use Montgomery's reduction, whose cost grows with the square of the
 * size. */
enum { MONTGOMERY_LIMBS = 200, WINDOW = 4 };

/* out = product mod modulus (Montgomery: product / 2^(64 count) mod modulus). */
static void reduce(const Modulus *modulus, mp_limb_t *out) {
    mp_size_t count = modulus->count;
    mp_limb_t *product = modulus->product;
    if (!modulus->montgomery) {
        mpn_tdiv_qr(modulus->quotient, out, 0, product, 2 * count, modulus->limbs, count);
        return;
    }
    for (mp_size_t i = 0; i < count; i++)
        product[i] =
            mpn_addmul_1(product + i, modulus->limbs, count, product[i] * modulus->inverse);
    mp_limb_t carry = mpn_add_n(out, product + count, product, count);
    if (carry || mpn_cmp(out, modulus->limbs, count) >= 0)
        mpn_sub_n(out, out, modulus->limbs, count);
}

static void multiply(const Modulus *modulus, mp_limb_t *out, const mp_limb_t *a,
                     const mp_limb_t *b) {
    if (a == b)
        mpn_sqr(modulus->product, a, modulus->count);
    else
        mpn_mul_n(modulus->product, a, b, modulus->count);
    reduce(modulus, out);
}

/* The residue that stands for x: x itself, or x * 2^(64 count). */
static void enter_residue(const Modulus *modulus, mp_limb_t *out, const mp_limb_t *x,
                          mp_limb_t *spare) {
    mp_size_t count = modulus->count;
    if (!modulus->montgomery) {
        memmove(out, x, (size_t)count * sizeof *out);
        return;
    }
    memset(spare, 0, (size_t)count * sizeof *spare);
    memcpy(spare + count, x, (size_t)count * sizeof *spare);
    mpn_tdiv_qr(modulus->quotient, out, 0, spare, 2 * count, modulus->limbs, count);
}

static void leave_residue(const Modulus *modulus, mp_limb_t *x) {
    if (!modulus->montgomery) return;
    memcpy(modulus->product, x, (size_t)modulus->count * sizeof *x);
    memset(modulus->product + modulus->count, 0, (size_t)modulus->count * sizeof *x);
    reduce(modulus, x);
}

static mp_limb_t negated_inverse(mp_limb_t odd) {
    mp_limb_t inverse = odd; /* right to 3 bits; each step doubles them */
    for (int i = 0; i < 5; i++)
        inverse *= 2 - odd * inverse;
    return -inverse;
}

static unsigned window_at(const IntView *exponent, size_t index) {
    size_t bit = index * WINDOW;
    return (unsigned)(exponent->limbs[bit / LIMB_BITS] >> bit % LIMB_BITS) & ((1u << WINDOW) - 1);
}

static uint64_t window_cost(size_t count) {
    return 1 + (count <= MONTGOMERY_LIMBS ? (uint64_t)count * count / 4
                                          : 2 * (WINDOW + 1) * int_product_cost(count, count));
}

static bool foresee_steps(GenVM *vm, size_t count, unsigned steps) {
    return count <= MONTGOMERY_LIMBS || int_foresee(vm, count, count, steps * (1 + INT_DIVIDE));
}

/* table holds base^0 .. base^15 as residues; the result goes to `x`. False when stopped. */
static bool power_windows(GenVM *vm, const Modulus *modulus, const mp_limb_t *table,
                          const IntView *exponent, mp_limb_t *x) {
    size_t count = (size_t)modulus->count,
           windows = (int_view_bits(exponent) + WINDOW - 1) / WINDOW;
    memcpy(x, table + window_at(exponent, windows - 1) * count, count * sizeof *x);
    for (size_t i = windows - 1; i-- > 0;) {
        if (!native_work(vm, window_cost(count)) || !foresee_steps(vm, count, WINDOW + 1))
            return false;
        for (int k = 0; k < WINDOW; k++)
            multiply(modulus, x, x, x);
        unsigned window = window_at(exponent, i);
        if (window) multiply(modulus, x, x, table + window * count);
    }
    return true;
}

/* base is reduced (0 <= base < modulus, padded to its count); the scratch has room for all below.
 */
static bool power_mod_limbs(GenVM *vm, const IntView *m, const mp_limb_t *base,
                            const IntView *exponent, mp_limb_t *space, mp_limb_t *x) {
    size_t count = m->count;
    Modulus modulus = {
        m->limbs, (mp_size_t)count, (m->limbs[0] & 1) && count <= MONTGOMERY_LIMBS, 0, space, NULL};
    modulus.quotient = modulus.product + 2 * count + 2;
    mp_limb_t *spare = modulus.quotient + count + 2, *table = spare + 2 * count;
    if (modulus.montgomery) modulus.inverse = negated_inverse(m->limbs[0]);
    memset(x, 0, count * sizeof *x);
    x[0] = 1;
    enter_residue(&modulus, table, x, spare);
    enter_residue(&modulus, table + count, base, spare);
    for (size_t i = 2; i < (size_t)1 << WINDOW; i++) {
        if (!foresee_steps(vm, count, 1)) return false;
        multiply(&modulus, table + i * count, table + (i - 1) * count, table + count);
    }
    if (!power_windows(vm, &modulus, table, exponent, x)) return false;
    leave_residue(&modulus, x);
    return true;
}

static Value power_mod_big(GenVM *vm, const IntView *base, const IntView *exponent,
                           const IntView *m) {
    size_t count = m->count;
    Scratch scratch;
    mp_limb_t *space = scratch_get(vm, &scratch, ((7 + (1 << WINDOW)) * count + 8) * sizeof *space);
    if (!space) return VALUE_ERROR;
    mp_limb_t *padded = space, *x = space + count;
    memcpy(padded, base->limbs, base->count * sizeof *padded);
    memset(padded + base->count, 0, (count - base->count) * sizeof *padded);
    Value result = VALUE_ERROR;
    uint64_t windows = int_view_bits(exponent) / WINDOW + 1 + (1 << WINDOW) / (WINDOW + 1), cost;
    if (__builtin_mul_overflow(windows, window_cost(count), &cost)) cost = UINT64_MAX;
    if (native_begin(vm, cost)) {
        if (power_mod_limbs(vm, m, padded, exponent, x + count, x))
            result = int_from_limbs(vm, x, count, false);
        native_end(vm);
    }
    scratch_free(&scratch);
    return result;
}

static Value power_mod_word(GenVM *vm, mp_limb_t base, const IntView *exponent, mp_limb_t modulus) {
    mp_limb_t result = 1 % modulus;
    for (size_t bit = int_view_bits(exponent); bit-- > 0;) {
        result = (mp_limb_t)((UnsignedWide)result * result % modulus);
        if (exponent->limbs[bit / LIMB_BITS] >> bit % LIMB_BITS & 1)
            result = (mp_limb_t)((UnsignedWide)result * base % modulus);
        if (!native_glance(vm, bit)) return VALUE_ERROR;
    }
    return int_from_u64(vm, result);
}

/* The inverse of 0 <= base < m, m > 1, by the extended Euclidean algorithm on base + m and m. */
static Value invert_mod(GenVM *vm, const IntView *base, const IntView *m) {
    size_t count = m->count + 1;
    if (!int_foresee(vm, count, count, INT_INVERSE) || !int_charge_product(vm, count, count))
        return VALUE_ERROR;
    Scratch scratch;
    mp_limb_t *u = scratch_get(vm, &scratch, (4 * count + 4) * sizeof *u);
    if (!u) return VALUE_ERROR;
    mp_limb_t *v = u + count + 1, *gcd = v + count + 1, *inverse = gcd + count + 1;
    u[m->count] =
        base->count ? mpn_add(u, m->limbs, (mp_size_t)m->count, base->limbs, (mp_size_t)base->count)
                    : 0;
    memcpy(v, m->limbs, m->count * sizeof *v);
    Value result;
    mp_size_t size, gcd_count = 0;
    if (base->count)
        gcd_count = mpn_gcdext(gcd, inverse, &size, u, (mp_size_t)(m->count + (u[m->count] != 0)),
                               v, (mp_size_t)m->count);
    if (gcd_count == 1 && gcd[0] == 1) {
        result = int_from_limbs(vm, inverse, (size_t)(size < 0 ? -size : size), size < 0);
    } else {
        result = raise_value(vm, "base is not invertible for the given modulus");
    }
    scratch_free(&scratch);
    return result;
}

static Value reduced(GenVM *vm, Value v, const IntView *m) {
    IntView view;
    int_view(&view, v);
    return int_modulo(vm, &view, m);
}

/* For a positive modulus. */
static Value power_mod_positive(GenVM *vm, Value base, Value exponent, const IntView *m) {
    if (m->count == 1 && m->limbs[0] == 1) return int_value(0);
    IntView base_view, exponent_view;
    base = reduced(vm, base, m);
    if (base == VALUE_ERROR) return VALUE_ERROR;
    int_view(&exponent_view, exponent);
    if (exponent_view.negative) {
        int_view(&base_view, base);
        base = invert_mod(vm, &base_view, m);
        if (base != VALUE_ERROR) base = reduced(vm, base, m);
        if (base == VALUE_ERROR) return VALUE_ERROR;
    }
    int_view(&base_view, base);
    if (exponent_view.count == 0) return int_value(1);
    if (base_view.count == 0) return int_value(0);
    if (m->count > 1) return power_mod_big(vm, &base_view, &exponent_view, m);
    if (!native_work(vm, exponent_view.count)) return VALUE_ERROR;
    return power_mod_word(vm, base_view.limbs[0], &exponent_view, m->limbs[0]);
}

Value int_power_mod(GenVM *vm, Value base, Value exponent, Value modulus) {
    IntView m;
    int_view(&m, modulus);
    if (m.count == 0) return raise_value(vm, "pow() 3rd argument cannot be 0");
    bool negative = m.negative;
    m.negative = false;
    Value result = power_mod_positive(vm, base, exponent, &m);
    if (!negative || result == VALUE_ERROR || result == int_value(0)) return result;
    return int_binary(vm, BINARY_ADD, result, modulus);
}

/* ---- greatest common divisor ---- */

static mp_limb_t gcd_words(mp_limb_t a, mp_limb_t b) {
    while (b) {
        mp_limb_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static size_t strip_zeros(mp_limb_t *out, const IntView *view, size_t zeros) {
    size_t skip = zeros / LIMB_BITS, count = view->count - skip;
    if (zeros % LIMB_BITS)
        mpn_rshift(out, view->limbs + skip, (mp_size_t)count, (unsigned)(zeros % LIMB_BITS));
    else
        memcpy(out, view->limbs + skip, count * sizeof *out);
    return count - (out[count - 1] == 0);
}

static Value gcd_big(GenVM *vm, const IntView *a, const IntView *b) {
    if (!int_foresee(vm, a->count, b->count, INT_GCD) ||
        !int_charge_product(vm, a->count, b->count))
        return VALUE_ERROR;
    size_t a_zeros = mpn_scan1(a->limbs, 0), b_zeros = mpn_scan1(b->limbs, 0);
    Scratch scratch;
    mp_limb_t *x = scratch_get(vm, &scratch, (a->count + 2 * b->count) * sizeof *x);
    if (!x) return VALUE_ERROR;
    mp_limb_t *y = x + a->count, *gcd = y + b->count;
    size_t x_count = strip_zeros(x, a, a_zeros), y_count = strip_zeros(y, b, b_zeros);
    IntView x_view = {x, x_count, false, 0}, y_view = {y, y_count, false, 0};
    if (int_view_bits(&x_view) < int_view_bits(&y_view)) {
        mp_limb_t *swap = x;
        size_t swap_count = x_count;
        x = y, y = swap, x_count = y_count, y_count = swap_count;
    }
    size_t count = (size_t)mpn_gcd(gcd, x, (mp_size_t)x_count, y, (mp_size_t)y_count);
    IntView view = {gcd, count, false, 0};
    Value result = int_shift_left(vm, &view, a_zeros < b_zeros ? a_zeros : b_zeros);
    scratch_free(&scratch);
    return result;
}

Value int_gcd(GenVM *vm, Value a, Value b) {
    IntView left, right;
    int_view(&left, a);
    int_view(&right, b);
    left.negative = right.negative = false;
    if (left.count == 0) return int_from_view(vm, &right);
    if (right.count == 0) return int_from_view(vm, &left);
    if (left.count == 1 && right.count == 1)
        return int_from_u64(vm, gcd_words(left.limbs[0], right.limbs[0]));
    return left.count >= right.count ? gcd_big(vm, &left, &right) : gcd_big(vm, &right, &left);
}
