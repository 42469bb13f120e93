/* int_arith.c - the operators of int.
 *
 * Three tiers: two words (in small_binary), up to 127 bits in a __int128 (wide_binary; most "big"
 * ints of programs are hashes and products that fit), and limbs. The first two say VALUE_UNSET for
 * what they leave to the next.
 */
#include "vm/objects/number.h"

#include <stdlib.h>

enum {
    ON_STACK = 4096, /* limbs of operands for which GMP takes no memory */
    ROOM_EACH = 8,   /* limbs that it takes for each limb of longer ones, at most */
};

static Value division_by_zero(GenVM *vm) {
    return raise_zero_division(vm, "division by zero");
}

uint64_t int_product_cost(size_t limbs, size_t other_limbs) {
    size_t less = limbs < other_limbs ? limbs : other_limbs, more = limbs + other_limbs - less;
    if (more < 64) return 0;
    uint64_t each = less < 64 ? less : 64 + less / 64, cost;
    if (each > 1024) each = 1024 + each / 64; /* the fast Fourier transform */
    return __builtin_mul_overflow((uint64_t)more, each, &cost) ? UINT64_MAX : cost / 16;
}

/* GMP ends the process when it gets no memory for what it keeps meanwhile, beyond what fits the C
 * stack: so it is asked only when there is as much, in the budget too. */
bool int_has_room(GenVM *vm, size_t limbs) {
    size_t size = limbs * ROOM_EACH * sizeof(mp_limb_t);
    if (!gc_check_size(vm, size)) return false;
    void *room = malloc(size);
    __asm__ volatile("" : : "r"(room) : "memory"); /* or the compiler does without it */
    free(room);
    return room || (raise_memory(vm), false);
}

bool int_charge_product(GenVM *vm, size_t limbs, size_t other_limbs) {
    uint64_t cost = int_product_cost(limbs, other_limbs);
    if (cost != 0 && !native_afford(vm, cost)) return false;
    return limbs + other_limbs < ON_STACK || int_has_room(vm, limbs + other_limbs);
}

COLD bool int_foresee_long(GenVM *vm, size_t limbs, size_t other_limbs, unsigned times) {
    enum { MUCH = 1 << 20, A_STEP = 5, A_LIMB = 4 }; /* nanoseconds */
    uint64_t cost, least = (limbs + other_limbs) * A_LIMB;
    if (__builtin_mul_overflow(int_product_cost(limbs, other_limbs), times * A_STEP, &cost))
        cost = UINT64_MAX;
    if (cost < least) cost = least;
    return cost < MUCH || native_foresee(vm, cost);
}

/* A limb that is read and written where the memory is touched first takes some nanoseconds. */
static bool charge_linear(GenVM *vm, size_t limbs, unsigned passes) {
    enum { MUCH = 1 << 17, NANOSECONDS = 3 };
    return limbs < 256 || ((limbs < MUCH || native_foresee(vm, limbs * passes * NANOSECONDS)) &&
                           native_work(vm, limbs / 16));
}

/* ---- addition and subtraction ---- */

static Value add_magnitudes(GenVM *vm, const IntView *a, const IntView *b, bool negative) {
    if (a->count < b->count) {
        const IntView *swap = a;
        a = b, b = swap;
    }
    BigInt *big = int_alloc(vm, a->count + 1);
    if (!big) return VALUE_ERROR;
    mp_limb_t carry = 0;
    if (b->count)
        carry = mpn_add((mp_limb_t *)big->limbs, a->limbs, (mp_size_t)a->count, b->limbs,
                        (mp_size_t)b->count);
    else
        memcpy(big->limbs, a->limbs, a->count * sizeof(mp_limb_t));
    big->limbs[a->count] = carry;
    return int_finish(big, a->count + 1, negative);
}

static Value subtract_magnitudes(GenVM *vm, const IntView *a, const IntView *b, bool negative) {
    int order = a->count != b->count
                    ? (a->count < b->count ? -1 : 1)
                    : (a->count ? mpn_cmp(a->limbs, b->limbs, (mp_size_t)a->count) : 0);
    if (order == 0) return int_value(0);
    if (order < 0) {
        const IntView *swap = a;
        a = b, b = swap;
        negative = !negative;
    }
    BigInt *big = int_alloc(vm, a->count);
    if (!big) return VALUE_ERROR;
    if (b->count)
        mpn_sub((mp_limb_t *)big->limbs, a->limbs, (mp_size_t)a->count, b->limbs,
                (mp_size_t)b->count);
    else
        memcpy(big->limbs, a->limbs, a->count * sizeof(mp_limb_t));
    return int_finish(big, a->count, negative);
}

Value int_add_views(GenVM *vm, const IntView *a, const IntView *b, bool subtract) {
    if (!charge_linear(vm, a->count + b->count, 1)) return VALUE_ERROR;
    if (a->negative == (b->negative != subtract)) return add_magnitudes(vm, a, b, a->negative);
    return subtract_magnitudes(vm, a, b, a->negative);
}

/* ---- multiplication ---- */

Value int_multiply_views(GenVM *vm, const IntView *a, const IntView *b) {
    if (a->count == 0 || b->count == 0) return int_value(0);
    if (!int_foresee(vm, a->count, b->count, 1) || !int_charge_product(vm, a->count, b->count))
        return VALUE_ERROR;
    BigInt *big = int_alloc(vm, a->count + b->count);
    if (!big) return VALUE_ERROR;
    mp_limb_t *limbs = (mp_limb_t *)big->limbs;
    mp_size_t a_count = (mp_size_t)a->count, b_count = (mp_size_t)b->count;
    if (a->limbs == b->limbs && a_count == b_count)
        mpn_sqr(limbs, a->limbs, a_count);
    else if (b_count == 1)
        limbs[a_count] = int_multiply_word(limbs, a->limbs, a->count, b->limbs[0]);
    else if (a_count == 1)
        limbs[b_count] = int_multiply_word(limbs, b->limbs, b->count, a->limbs[0]);
    else if (a_count >= b_count)
        mpn_mul(limbs, a->limbs, a_count, b->limbs, b_count);
    else
        mpn_mul(limbs, b->limbs, b_count, a->limbs, a_count);
    return int_finish(big, a->count + b->count, a->negative != b->negative);
}

/* ---- division ---- */

/* |b| - r, with the sign of b: the floored remainder where the truncated one is r and the signs
 * differ. */
static Value complement(GenVM *vm, const mp_limb_t *remainder, const IntView *b) {
    BigInt *big = int_alloc(vm, b->count);
    if (!big) return VALUE_ERROR;
    mpn_sub_n((mp_limb_t *)big->limbs, b->limbs, remainder, (mp_size_t)b->count);
    return int_finish(big, b->count, b->negative);
}

static Value floored_remainder(GenVM *vm, const mp_limb_t *limbs, const IntView *a,
                               const IntView *b) {
    bool zero = mpn_zero_p(limbs, (mp_size_t)b->count);
    if (zero) return int_value(0);
    if (a->negative != b->negative) return complement(vm, limbs, b);
    return int_from_limbs(vm, limbs, b->count, b->negative);
}

/* |a| < |b|: the quotient is 0 or -1. */
static Value divide_by_greater(GenVM *vm, const IntView *a, const IntView *b, Value *remainder) {
    bool same_sign = a->count == 0 || a->negative == b->negative;
    if (remainder) {
        *remainder = same_sign ? int_from_view(vm, a) : int_add_views(vm, a, b, false);
        if (*remainder == VALUE_ERROR) return VALUE_ERROR;
    }
    return int_value(same_sign ? 0 : -1);
}

static bool charge_division(GenVM *vm, const IntView *a, const IntView *b) {
    size_t count = a->count - b->count + 1;
    return int_foresee(vm, count, b->count, INT_DIVIDE) && int_charge_product(vm, count, b->count);
}

Value int_divide(GenVM *vm, const IntView *a, const IntView *b, Value *remainder) {
    if (b->count == 0) return division_by_zero(vm);
    if (a->count < b->count) return divide_by_greater(vm, a, b, remainder);
    if (!charge_division(vm, a, b)) return VALUE_ERROR;
    size_t quotient_count = a->count - b->count + 1;
    BigInt *quotient = int_alloc(vm, quotient_count + 1);
    Scratch scratch;
    mp_limb_t *rest = quotient ? scratch_get(vm, &scratch, b->count * sizeof *rest) : NULL;
    if (!rest) return VALUE_ERROR;
    mp_limb_t *limbs = (mp_limb_t *)quotient->limbs;
    mpn_tdiv_qr(limbs, rest, 0, a->limbs, (mp_size_t)a->count, b->limbs, (mp_size_t)b->count);
    limbs[quotient_count] = 0;
    bool negative = a->negative != b->negative;
    if (negative && !mpn_zero_p(rest, (mp_size_t)b->count))
        limbs[quotient_count] = mpn_add_1(limbs, limbs, (mp_size_t)quotient_count, 1);
    if (remainder) *remainder = floored_remainder(vm, rest, a, b);
    scratch_free(&scratch);
    if (remainder && *remainder == VALUE_ERROR) return VALUE_ERROR;
    return int_finish(quotient, quotient_count + 1, negative);
}

Value int_modulo(GenVM *vm, const IntView *a, const IntView *b) {
    Value remainder;
    if (b->count == 0) return division_by_zero(vm);
    if (a->count < b->count) {
        Value quotient = divide_by_greater(vm, a, b, &remainder);
        return quotient == VALUE_ERROR ? VALUE_ERROR : remainder;
    }
    if (!charge_division(vm, a, b)) return VALUE_ERROR;
    if (b->count == 1) {
        mp_limb_t rest = mpn_mod_1(a->limbs, (mp_size_t)a->count, b->limbs[0]);
        return floored_remainder(vm, &rest, a, b);
    }
    Scratch scratch;
    mp_limb_t *rest = scratch_get(vm, &scratch, (a->count + 1) * sizeof *rest);
    if (!rest) return VALUE_ERROR;
    mpn_tdiv_qr(rest + b->count, rest, 0, a->limbs, (mp_size_t)a->count, b->limbs,
                (mp_size_t)b->count);
    remainder = floored_remainder(vm, rest, a, b);
    scratch_free(&scratch);
    return remainder;
}

static Value divide_modulo(GenVM *vm, const IntView *a, const IntView *b) {
    Value remainder, quotient = int_divide(vm, a, b, &remainder);
    return quotient == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 2, quotient, remainder);
}

/* ---- true division ---- */

/* The quotient's top: 66 bits or more, so that rounding it with what is lost as a sticky bit is
 * correct. */
enum { QUOTIENT_BITS = 66 };

/* Writes |view| * 2^shift (shift may be negative: what is lost sets *sticky); returns the limb
 * count. */
static size_t shifted(mp_limb_t *out, const IntView *view, int64_t shift, bool *sticky) {
    size_t limbs = (size_t)(shift < 0 ? -shift : shift) / LIMB_BITS,
           bits = (size_t)(shift < 0 ? -shift : shift) % LIMB_BITS;
    size_t count = view->count;
    if (shift < 0) {
        *sticky |= int_view_bit_below(view, (size_t)-shift);
        count -= limbs;
        if (bits)
            mpn_rshift(out, view->limbs + limbs, (mp_size_t)count, (unsigned)bits);
        else
            memcpy(out, view->limbs + limbs, count * sizeof *out);
    } else {
        memset(out, 0, limbs * sizeof *out);
        out[count + limbs] = 0;
        if (bits)
            out[count + limbs] =
                mpn_lshift(out + limbs, view->limbs, (mp_size_t)count, (unsigned)bits);
        else
            memcpy(out + limbs, view->limbs, count * sizeof *out);
        count += limbs + 1;
    }
    while (count && out[count - 1] == 0)
        count--;
    return count;
}

static double round_quotient(const mp_limb_t *quotient, size_t count, bool sticky,
                             int64_t exponent) {
    while (count && quotient[count - 1] == 0)
        count--;
    IntView view = {quotient, count, false, 0};
    size_t bits = int_view_bits(&view);
    unsigned shift = (unsigned)__builtin_clzl(quotient[count - 1]);
    uint64_t m = quotient[count - 1] << shift;
    if (shift) m |= quotient[count - 2] >> (LIMB_BITS - shift);
    return double_from_bits(m, sticky || int_view_bit_below(&view, bits - LIMB_BITS),
                            exponent + (int64_t)bits - LIMB_BITS);
}

static int64_t ratio_shift(const IntView *a, const IntView *b) {
    return (int64_t)int_view_bits(b) - (int64_t)int_view_bits(a) + QUOTIENT_BITS;
}

size_t int_ratio_limbs(const IntView *a, const IntView *b) {
    int64_t shift = ratio_shift(a, b);
    return 2 * (a->count + (shift > 0 ? (size_t)shift / LIMB_BITS : 0) + 2) + b->count + 2;
}

double int_ratio(const IntView *a, const IntView *b, mp_limb_t *space) {
    int64_t shift = ratio_shift(a, b);
    if (shift < -1100) return HUGE_VAL;
    if (shift > 1300) return 0.0;
    bool sticky = false;
    size_t count = shifted(space, a, shift, &sticky);
    mp_limb_t *quotient = space + count, *rest = quotient + count - b->count + 1;
    mpn_tdiv_qr(quotient, rest, 0, space, (mp_size_t)count, b->limbs, (mp_size_t)b->count);
    sticky |= !mpn_zero_p(rest, (mp_size_t)b->count);
    return round_quotient(quotient, count - b->count + 1, sticky, -shift);
}

Value int_true_divide(GenVM *vm, const IntView *a, const IntView *b) {
    if (b->count == 0) return division_by_zero(vm);
    bool negative = a->negative != b->negative;
    if (a->count == 0) return float_value(vm, negative ? -0.0 : 0.0);
    if (!int_foresee(vm, a->count + b->count, 4, INT_DIVIDE) ||
        !int_charge_product(vm, a->count, 4))
        return VALUE_ERROR;
    Scratch scratch;
    mp_limb_t *space = scratch_get(vm, &scratch, int_ratio_limbs(a, b) * sizeof *space);
    if (!space) return VALUE_ERROR;
    double d = int_ratio(a, b, space);
    scratch_free(&scratch);
    if (isinf(d)) return raise_overflow(vm, "integer division result too large for a float");
    return float_value(vm, negative ? -d : d);
}

/* ---- shifts ---- */

Value int_shift_left(GenVM *vm, const IntView *a, uint64_t bits) {
    if (a->count == 0) return int_value(0);
    size_t limbs = bits / LIMB_BITS;
    if (!gc_check_size(vm, (limbs + a->count + 1) * sizeof(mp_limb_t))) return VALUE_ERROR;
    if (!charge_linear(vm, limbs + a->count, 1)) return VALUE_ERROR;
    BigInt *big = int_alloc(vm, a->count + limbs + 1);
    if (!big) return VALUE_ERROR;
    mp_limb_t *out = (mp_limb_t *)big->limbs;
    if (!native_fill(vm, out, 0, limbs * sizeof *out)) return VALUE_ERROR;
    bool lost = false;
    size_t count = limbs + shifted(out + limbs, a, (int64_t)(bits % LIMB_BITS), &lost);
    return int_finish(big, count, a->negative);
}

Value int_shift_right(GenVM *vm, const IntView *a, uint64_t bits) {
    if (bits >= int_view_bits(a)) return int_value(a->negative ? -1 : 0);
    if (!charge_linear(vm, a->count, 1)) return VALUE_ERROR;
    size_t room = a->count - bits / LIMB_BITS;
    BigInt *big = int_alloc(vm, room + 1);
    if (!big) return VALUE_ERROR;
    bool lost = false;
    mp_limb_t *limbs = (mp_limb_t *)big->limbs;
    size_t count = shifted(limbs, a, -(int64_t)bits, &lost);
    if (a->negative && lost) {
        limbs[count] = mpn_add_1(limbs, limbs, (mp_size_t)count, 1);
        count++;
    }
    return int_finish(big, count, a->negative);
}

/* The shift count: 2^62 stands for anything larger. False with ValueError for a negative one. */
static bool shift_count(GenVM *vm, const IntView *b, uint64_t *bits) {
    if (b->negative) {
        raise_value(vm, "negative shift count");
        return false;
    }
    *bits = b->count == 0 ? 0 : b->count > 1 || b->limbs[0] >> 62 ? (uint64_t)1 << 62 : b->limbs[0];
    return true;
}

static Value shift(GenVM *vm, BinaryOp op, const IntView *a, const IntView *b) {
    uint64_t bits;
    if (!shift_count(vm, b, &bits)) return VALUE_ERROR;
    if (op == BINARY_RSHIFT) return int_shift_right(vm, a, bits);
    if (a->count && bits >> 62) return raise_overflow(vm, "too many digits in integer");
    return int_shift_left(vm, a, bits);
}

/* ---- bitwise operators: as if on two's complement with endless sign bits ---- */

static void load_twos(mp_limb_t *out, size_t count, const IntView *view) {
    size_t used = view->count < count ? view->count : count;
    memcpy(out, view->limbs, used * sizeof *out);
    memset(out + used, 0, (count - used) * sizeof *out);
    if (view->negative) mpn_neg(out, out, (mp_size_t)count);
}

static size_t bitwise_count(BinaryOp op, const IntView *a, const IntView *b) {
    size_t less = a->count < b->count ? a->count : b->count, more = a->count + b->count - less;
    if (op == BINARY_AND && !a->negative && !b->negative) return less + 1;
    if (op == BINARY_AND && !a->negative) return a->count + 1;
    if (op == BINARY_AND && !b->negative) return b->count + 1;
    return more + 1;
}

static Value bitwise(GenVM *vm, BinaryOp op, const IntView *a, const IntView *b) {
    size_t count = bitwise_count(op, a, b);
    if (!charge_linear(vm, count, 7)) return VALUE_ERROR;
    BigInt *big = int_alloc(vm, count);
    Scratch scratch;
    mp_limb_t *other = big ? scratch_get(vm, &scratch, count * sizeof *other) : NULL;
    if (!other) return VALUE_ERROR;
    mp_limb_t *limbs = (mp_limb_t *)big->limbs;
    load_twos(limbs, count, a);
    load_twos(other, count, b);
    if (op == BINARY_AND)
        mpn_and_n(limbs, limbs, other, (mp_size_t)count);
    else if (op == BINARY_OR)
        mpn_ior_n(limbs, limbs, other, (mp_size_t)count);
    else
        mpn_xor_n(limbs, limbs, other, (mp_size_t)count);
    scratch_free(&scratch);
    bool negative = limbs[count - 1] >> (LIMB_BITS - 1);
    if (negative) mpn_neg(limbs, limbs, (mp_size_t)count);
    return int_finish(big, count, negative);
}

/* ---- the tiers ---- */

static Value small_divmod(GenVM *vm, BinaryOp op, int64_t a, int64_t b) {
    if (b == 0) return division_by_zero(vm);
    int64_t quotient = a / b, rest = a % b;
    if (rest && (rest < 0) != (b < 0)) {
        rest += b;
        quotient--;
    }
    if (op == BINARY_FLOORDIV) return int_from_i64(vm, quotient);
    if (op == BINARY_MOD) return int_value(rest);
    Value first = int_from_i64(vm, quotient);
    return first == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 2, first, int_value(rest));
}

static Value small_binary(GenVM *vm, BinaryOp op, int64_t a, int64_t b) {
    static const int64_t exact = (int64_t)1 << 53;
    switch (op) {
    case BINARY_ADD: return int_from_i64(vm, a + b);
    case BINARY_SUB: return int_from_i64(vm, a - b);
    case BINARY_MUL: return int_from_wide(vm, (Wide)a * b);
    case BINARY_AND: return int_value(a & b);
    case BINARY_OR: return int_value(a | b);
    case BINARY_XOR: return int_value(a ^ b);
    case BINARY_FLOORDIV:
    case BINARY_MOD:
    case BINARY_DIVMOD: return small_divmod(vm, op, a, b);
    case BINARY_DIV:
        if (b == 0) return division_by_zero(vm);
        if (a < -exact || a > exact || b < -exact || b > exact) return VALUE_UNSET;
        return float_value(vm, (double)a / (double)b);
    case BINARY_LSHIFT:
        return b >= 0 && b < 64 ? int_from_wide(vm, (Wide)a * ((Wide)1 << b)) : VALUE_UNSET;
    case BINARY_RSHIFT: return b >= 0 ? int_value(a >> (b < 63 ? b : 63)) : VALUE_UNSET;
    case BINARY_POW:
    case BINARY_MATMUL:
    case BINARY_COUNT: break;
    }
    return VALUE_UNSET;
}

/* In two words, not in a Wide: storing its halves to load it whole would stall. */
static inline __attribute__((always_inline)) bool load_wide(Value v, uint64_t *low,
                                                            uint64_t *high) {
    if (is_int(v)) {
        *low = (uint64_t)as_int(v);
        *high = (uint64_t)(as_int(v) >> 63);
        return true;
    }
    const BigInt *big = AS(BigInt, v);
    int64_t size = big->size < 0 ? -big->size : big->size;
    if (size == 0 || size > 2 || (size == 2 && big->limbs[1] >> 62)) return false;
    UnsignedWide magnitude = big->limbs[0];
    if (size == 2) magnitude |= (UnsignedWide)big->limbs[1] << LIMB_BITS;
    if (big->size < 0) magnitude = -magnitude;
    *low = (uint64_t)magnitude;
    *high = (uint64_t)(magnitude >> LIMB_BITS);
    return true;
}

static inline Wide join(uint64_t low, uint64_t high) {
    return (Wide)((UnsignedWide)high << LIMB_BITS | low);
}

/* Operands below 2^126 in magnitude. */
static Value wide_binary(GenVM *vm, BinaryOp op, Wide a, Wide b) {
    Wide product;
    switch (op) {
    case BINARY_ADD: return int_from_wide(vm, a + b);
    case BINARY_SUB: return int_from_wide(vm, a - b);
    case BINARY_MUL:
        return __builtin_mul_overflow(a, b, &product) ? VALUE_UNSET : int_from_wide(vm, product);
    case BINARY_AND: return int_from_wide(vm, a & b);
    case BINARY_OR: return int_from_wide(vm, a | b);
    case BINARY_XOR: return int_from_wide(vm, a ^ b);
    case BINARY_FLOORDIV:
        if (b == 0) return division_by_zero(vm);
        return int_from_wide(vm, a / b - (a % b != 0 && (a < 0) != (b < 0)));
    case BINARY_MOD:
        if (b == 0) return division_by_zero(vm);
        return int_from_wide(vm, a % b + (a % b != 0 && (a < 0) != (b < 0) ? b : 0));
    case BINARY_RSHIFT: return b >= 0 ? int_from_wide(vm, a >> (b < 127 ? b : 127)) : VALUE_UNSET;
    default: return VALUE_UNSET;
    }
}

static Value view_binary(GenVM *vm, BinaryOp op, const IntView *a, const IntView *b) {
    switch (op) {
    case BINARY_ADD: return int_add_views(vm, a, b, false);
    case BINARY_SUB: return int_add_views(vm, a, b, true);
    case BINARY_MUL: return int_multiply_views(vm, a, b);
    case BINARY_DIV: return int_true_divide(vm, a, b);
    case BINARY_FLOORDIV: return int_divide(vm, a, b, NULL);
    case BINARY_MOD: return int_modulo(vm, a, b);
    case BINARY_DIVMOD: return divide_modulo(vm, a, b);
    case BINARY_LSHIFT:
    case BINARY_RSHIFT: return shift(vm, op, a, b);
    case BINARY_AND:
    case BINARY_OR:
    case BINARY_XOR: return bitwise(vm, op, a, b);
    case BINARY_POW:
    case BINARY_MATMUL:
    case BINARY_COUNT: break;
    }
    return VALUE_NOT_IMPLEMENTED;
}

/* ---- the usual operators of two numbers above zero, without the detours of the general case ----
 */

static inline Value finish_positive(BigInt *big, size_t limbs) {
    if (unlikely(limbs < 2 || !big->limbs[limbs - 1])) return int_finish(big, limbs, false);
    big->size = (int64_t)limbs;
    return object_value(big);
}

static inline Value add_positive(GenVM *vm, const IntView *a, const IntView *b) {
    BigInt *big = int_alloc(vm, a->count + 1);
    if (unlikely(!big)) return VALUE_ERROR;
    mp_limb_t *limbs = (mp_limb_t *)big->limbs, carry;
    if (b->count == 1)
        carry = mpn_add_1(limbs, a->limbs, (mp_size_t)a->count, b->limbs[0]);
    else if (a->count == b->count)
        carry = mpn_add_n(limbs, a->limbs, b->limbs, (mp_size_t)a->count);
    else
        carry = mpn_add(limbs, a->limbs, (mp_size_t)a->count, b->limbs, (mp_size_t)b->count);
    limbs[a->count] = carry;
    return finish_positive(big, a->count + (carry != 0));
}

enum { SHIFT_SHORT = 1024 }; /* bits whose memory needs no check */

static inline Value shift_positive_left(GenVM *vm, const IntView *a, unsigned shift) {
    size_t gained = shift / LIMB_BITS, count = a->count + gained;
    unsigned bits = shift % LIMB_BITS;
    BigInt *big = int_alloc(vm, count + 1);
    if (unlikely(!big)) return VALUE_ERROR;
    mp_limb_t *limbs = (mp_limb_t *)big->limbs, *moved = limbs + gained, carry = 0;
    for (size_t i = 0; i < gained; i++)
        limbs[i] = 0;
    if (bits)
        carry = mpn_lshift(moved, a->limbs, (mp_size_t)a->count, bits);
    else
        memcpy(moved, a->limbs, a->count * sizeof *limbs);
    limbs[count] = carry;
    return finish_positive(big, count + (carry != 0));
}

static inline Value shift_positive_right(GenVM *vm, const IntView *a, uint64_t shift) {
    size_t lost = shift / LIMB_BITS;
    if (lost >= a->count) return int_value(0);
    size_t count = a->count - lost;
    unsigned bits = (unsigned)(shift % LIMB_BITS);
    BigInt *big = int_alloc(vm, count);
    if (unlikely(!big)) return VALUE_ERROR;
    mp_limb_t *limbs = (mp_limb_t *)big->limbs;
    if (bits)
        mpn_rshift(limbs, a->limbs + lost, (mp_size_t)count, bits);
    else
        memcpy(limbs, a->limbs + lost, count * sizeof *limbs);
    return finish_positive(big, count);
}

/* a has as many limbs as b or more. */
static inline Value bitwise_positive(GenVM *vm, BinaryOp op, const IntView *a, const IntView *b) {
    if (op == BINARY_AND && b->count == 1) return int_from_u64(vm, a->limbs[0] & b->limbs[0]);
    size_t count = op == BINARY_AND ? b->count : a->count;
    BigInt *big = int_alloc(vm, count);
    if (unlikely(!big)) return VALUE_ERROR;
    mp_limb_t *limbs = (mp_limb_t *)big->limbs;
    for (size_t i = 0; i < b->count; i++)
        limbs[i] = op == BINARY_AND  ? a->limbs[i] & b->limbs[i]
                   : op == BINARY_OR ? a->limbs[i] | b->limbs[i]
                                     : a->limbs[i] ^ b->limbs[i];
    if (count > b->count)
        memcpy(limbs + b->count, a->limbs + b->count, (count - b->count) * sizeof *limbs);
    return finish_positive(big, count);
}

/* VALUE_UNSET: the general case. */
static Value positive_binary(GenVM *vm, BinaryOp op, const IntView *a, const IntView *b) {
    if (!charge_linear(vm, a->count + b->count, 1)) return VALUE_ERROR;
    const IntView *more = a->count < b->count ? b : a, *less = more == a ? b : a;
    switch (op) {
    case BINARY_ADD: return add_positive(vm, more, less);
    case BINARY_SUB: return subtract_magnitudes(vm, a, b, false);
    case BINARY_LSHIFT:
        if (b->count > 1 || b->limbs[0] >= SHIFT_SHORT) return VALUE_UNSET;
        return shift_positive_left(vm, a, (unsigned)b->limbs[0]);
    case BINARY_RSHIFT: return b->count > 1 ? VALUE_UNSET : shift_positive_right(vm, a, *b->limbs);
    case BINARY_AND:
    case BINARY_OR:
    case BINARY_XOR: return bitwise_positive(vm, op, more, less);
    default: return VALUE_UNSET;
    }
}

static __attribute__((noinline)) Value limb_binary(GenVM *vm, BinaryOp op, Value left,
                                                   Value right) {
    IntView a, b;
    int_view(&a, left);
    int_view(&b, right);
    if (!a.negative && !b.negative && a.count && b.count) {
        Value result = positive_binary(vm, op, &a, &b);
        if (result != VALUE_UNSET) return result;
    }
    return view_binary(vm, op, &a, &b);
}

/* Three limbs or more: nothing for two words. */
static inline bool is_long(Value v) {
    return is_kind(v, TYPE_INT) && (uint64_t)(AS(BigInt, v)->size + 2) > 4;
}

Value int_binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    if (op < BINARY_POW && are_ints(left, right)) {
        Value result = small_binary(vm, op, as_int(left), as_int(right));
        return likely(result != VALUE_UNSET) ? result : limb_binary(vm, op, left, right);
    }
    if (op != BINARY_POW && op != BINARY_MATMUL &&
        ((is_long(left) && value_is_int(right)) || (is_long(right) && value_is_int(left))))
        return limb_binary(vm, op, left, right);
    if (is_bool(left)) left = int_value(left == VALUE_TRUE);
    if (is_bool(right)) right = int_value(right == VALUE_TRUE);
    if (!value_is_int(left) || !value_is_int(right)) return VALUE_NOT_IMPLEMENTED;
    if (op == BINARY_POW) return int_power(vm, left, right);
    if (op == BINARY_MATMUL) return VALUE_NOT_IMPLEMENTED;
    Value result = VALUE_UNSET;
    uint64_t a_low, a_high, b_low, b_high;
    if (are_ints(left, right))
        result = small_binary(vm, op, as_int(left), as_int(right));
    else if (load_wide(left, &a_low, &a_high) && load_wide(right, &b_low, &b_high))
        result = wide_binary(vm, op, join(a_low, a_high), join(b_low, b_high));
    return likely(result != VALUE_UNSET) ? result : limb_binary(vm, op, left, right);
}
