/* float_text.c - floats from and to decimal text, exactly and without the C library's locale.
 *
 * Three conversions, each with a fast way for nearly all numbers and an exact one on GMP's limbs
 * for the rest: shortest digits that read back as the number (repr): the Schubfach method, which
 * needs no exact way; digits to a given place (round, %.2f): 128-bit integers, else m * 2^e * 10^p
 * in full; text to the nearest double: Clinger's and then the Eisel-Lemire method, else a division
 * of two big integers.
 */
#include "vm/objects/number.h"

typedef struct Bits {
    uint64_t mantissa; /* with the hidden bit */
    int exponent;      /* the number is mantissa * 2^exponent */
} Bits;

enum { EXPONENT_MIN = -1074, MANTISSA_BITS = 52 };
#define HIDDEN_BIT ((uint64_t)1 << MANTISSA_BITS)

static Bits bits_of(double d) {
    uint64_t word;
    memcpy(&word, &d, sizeof word);
    int biased = (int)(word >> MANTISSA_BITS & 0x7FF);
    uint64_t fraction = word & (HIDDEN_BIT - 1);
    if (biased == 0) return (Bits){fraction, EXPONENT_MIN};
    return (Bits){fraction | HIDDEN_BIT, biased - 1 + EXPONENT_MIN};
}

/* ---- the shortest digits ---- */

static int log2_of_power(int q) {
    return (q * 1741647) >> 19;
} /* floor(log2(10^q)) */

/* The top 64 bits of power * x / 2^64, the last one set if anything was lost. */
static uint64_t round_to_odd(UnsignedWide power, uint64_t x) {
    UnsignedWide low = (UnsignedWide)(uint64_t)power * x;
    UnsignedWide high = (power >> 64) * x + (low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

typedef struct Decimal { /* digits * 10^exponent */
    uint64_t digits;
    int exponent;
} Decimal;

/* Of the decimals between the middles to the neighbouring doubles, the shortest, and of those the
 * nearest. All is counted in quarters of 10^k, where 10^k is the largest power of ten below the gap
 * between the neighbours. */
static Decimal shortest_decimal(Bits bits) {
    uint64_t c = bits.mantissa;
    bool closer_below = c == HIDDEN_BIT && bits.exponent > EXPONENT_MIN;
    int k = (bits.exponent * 1262611 - (closer_below ? 524031 : 0)) >> 22;
    int shift = bits.exponent + log2_of_power(-k) + 1;
    const uint64_t *entry = powers_of_ten[-k - POWER_OF_TEN_MIN];
    UnsignedWide power = ((UnsignedWide)entry[0] << 64 | entry[1]) + (-k < 0 || -k > 55);
    uint64_t below = round_to_odd(power, (4 * c - 2 + closer_below) << shift);
    uint64_t value = round_to_odd(power, 4 * c << shift);
    uint64_t above = round_to_odd(power, (4 * c + 2) << shift);
    below += c & 1; /* the middles themselves read back as an even number */
    above -= c & 1;
    uint64_t s = value / 4;
    if (s >= 10) {
        uint64_t tens = s / 10;
        bool down = below <= 40 * tens, up = 40 * tens + 40 <= above;
        if (down != up) return (Decimal){tens + up, k + 1};
    }
    bool down = below <= 4 * s, up = 4 * s + 4 <= above;
    if (down != up) return (Decimal){s + up, k};
    uint64_t middle = 4 * s + 2;
    return (Decimal){s + (value > middle || (value == middle && (s & 1))), k};
}

size_t float_shortest(double d, char *digits, int *point) {
    if (d == 0) {
        digits[0] = '0';
        *point = 1;
        return 1;
    }
    Decimal decimal = shortest_decimal(bits_of(d));
    while (decimal.digits % 10 == 0) {
        decimal.digits /= 10;
        decimal.exponent++;
    }
    size_t size = int_write_u64(digits, decimal.digits);
    *point = (int)size + decimal.exponent;
    return size;
}

static size_t write_exponent(char *out, int exponent) {
    char *at = out;
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    exponent = exponent < 0 ? -exponent : exponent;
    if (exponent < 10) *at++ = '0';
    return (size_t)(at - out) + int_write_u64(at, (uint64_t)exponent);
}

static size_t write_special(char *out, double d) {
    const char *text = isnan(d) ? "nan" : d < 0 ? "-inf" : "inf";
    memcpy(out, text, strlen(text));
    return strlen(text);
}

static char *put_zeros(char *at, int count) {
    while (count-- > 0)
        *at++ = '0';
    return at;
}

/* As repr lays digits out: without exponent from 1e-4 up to 16 digits before the point. */
static char *put_digits(char *at, const char *digits, int size, int point) {
    if (point > 16 || point < -3) {
        *at++ = digits[0];
        if (size > 1) *at++ = '.';
        memcpy(at, digits + 1, (size_t)size - 1);
        at += size - 1;
        return at + write_exponent(at, point - 1);
    }
    int before = point < 0 ? 0 : point < size ? point : size;
    memcpy(at, digits, (size_t)before);
    at = put_zeros(at + before, point - size);
    if (before == 0) *at++ = '0';
    *at++ = '.';
    at = put_zeros(at, -point);
    if (before == size) *at++ = '0';
    memcpy(at, digits + before, (size_t)(size - before));
    return at + (size - before);
}

size_t float_repr_to(char *out, double d) {
    if (!isfinite(d)) return write_special(out, d);
    char *at = out;
    if (signbit(d)) *at++ = '-';
    d = fabs(d);
    if (d < 1e15 && d == (double)(int64_t)d) {
        at += int_write_u64(at, (uint64_t)d);
        memcpy(at, ".0", 2);
        return (size_t)(at + 2 - out);
    }
    char digits[24];
    int point;
    size_t size = float_shortest(d, digits, &point);
    return (size_t)(put_digits(at, digits, (int)size, point) - out);
}

Value float_repr(GenVM *vm, double d) {
    char text[40];
    size_t size = float_repr_to(text, d);
    return str_with_length(vm, text, size, (uint32_t)size, STR_ASCII);
}

/* ---- digits to a place ---- */

bool float_scaled(double d, int places, UnsignedWide *out) {
    if (places < 0 || places > 19) return false;
    Bits bits = bits_of(d);
    UnsignedWide scaled = (UnsignedWide)bits.mantissa * powers_of_ten_u64[places];
    if (bits.exponent >= 0) {
        if (bits.exponent > 11) return false;
        *out = scaled << bits.exponent;
        return true;
    }
    int shift = -bits.exponent;
    if (shift > 127) { /* below half of the last place: mantissa * 10^19 is below 2^117 */
        *out = 0;
        return true;
    }
    UnsignedWide whole = scaled >> shift, rest = scaled - (whole << shift),
                 half = (UnsignedWide)1 << (shift - 1);
    *out = whole + (rest > half || (rest == half && (whole & 1)));
    return true;
}

size_t float_write_wide(char *out, UnsignedWide i) {
    static const uint64_t split = 10000000000000000000u;
    if (i < split) return int_write_u64(out, (uint64_t)i);
    size_t size = float_write_wide(out, i / split);
    char low[20];
    size_t low_size = int_write_u64(low, (uint64_t)(i % split));
    memset(out + size, '0', 19 - low_size);
    memcpy(out + size + 19 - low_size, low, low_size);
    return size + 19;
}

/* out = {limbs, count} * 5^power; returns the count. */
static size_t multiply_by_fives(mp_limb_t *limbs, size_t count, int power) {
    static const mp_limb_t step = 7450580596923828125u; /* 5^27 */
    for (; power >= 27; power -= 27) {
        mp_limb_t carry = mpn_mul_1(limbs, limbs, (mp_size_t)count, step);
        if (carry) limbs[count++] = carry;
    }
    mp_limb_t factor = 1;
    while (power-- > 0)
        factor *= 5;
    mp_limb_t carry = mpn_mul_1(limbs, limbs, (mp_size_t)count, factor);
    if (carry) limbs[count++] = carry;
    return count;
}

static size_t shift_up(mp_limb_t *limbs, size_t count, unsigned bits) {
    size_t skip = bits / LIMB_BITS;
    memmove(limbs + skip, limbs, count * sizeof *limbs);
    memset(limbs, 0, skip * sizeof *limbs);
    count += skip;
    mp_limb_t carry = bits % LIMB_BITS ? mpn_lshift(limbs + skip, limbs + skip,
                                                    (mp_size_t)(count - skip), bits % LIMB_BITS)
                                       : 0;
    if (carry) limbs[count++] = carry;
    return count;
}

enum { DIGIT_LIMBS = 120 }; /* 2^53 * 10^1100 * 2^971 has 76 */

/* top = round(top / bottom), half to even; returns the count. */
static size_t divide_rounded(mp_limb_t *top, size_t top_count, const mp_limb_t *bottom,
                             size_t count) {
    mp_limb_t quotient[DIGIT_LIMBS], rest[DIGIT_LIMBS];
    if (top_count < count) {
        memset(top + top_count, 0, (count - top_count) * sizeof *top);
        top_count = count;
    }
    size_t size = top_count - count + 1;
    mpn_tdiv_qr(quotient, rest, 0, top, (mp_size_t)top_count, bottom, (mp_size_t)count);
    mp_limb_t carry = mpn_lshift(rest, rest, (mp_size_t)count, 1);
    int order = carry ? 1 : mpn_cmp(rest, bottom, (mp_size_t)count);
    quotient[size] = 0;
    if (order > 0 || (order == 0 && (quotient[0] & 1)))
        quotient[size] = mpn_add_1(quotient, quotient, (mp_size_t)size, 1);
    for (size++; size && quotient[size - 1] == 0;)
        size--;
    memcpy(top, quotient, size * sizeof *top);
    return size;
}

/* As mpn_get_str, which takes memory for longer numbers and ends the process when there is none.
 * Changes the limbs. */
static size_t digits_of_limbs(unsigned char *out, mp_limb_t *limbs, size_t count) {
    enum { EACH = 19, ON_STACK = 16 };
    const mp_limb_t ten_to_the_19th = 10000000000000000000u;
    if (count < ON_STACK) return (size_t)mpn_get_str(out, 10, limbs, (mp_size_t)count);
    mp_limb_t pieces[DIGIT_LIMBS + DIGIT_LIMBS / 16];
    size_t piece_count = 0, size = 0;
    while (count) {
        pieces[piece_count++] = mpn_divrem_1(limbs, 0, limbs, (mp_size_t)count, ten_to_the_19th);
        while (count && !limbs[count - 1])
            count--;
    }
    while (piece_count--) {
        unsigned char digits[EACH];
        mp_limb_t piece = pieces[piece_count];
        for (size_t i = EACH; i--; piece /= 10)
            digits[i] = (unsigned char)(piece % 10);
        size_t zeros = 0; /* in front of the number */
        while (size == 0 && zeros < EACH && digits[zeros] == 0)
            zeros++;
        memcpy(out + size, digits + zeros, EACH - zeros);
        size += EACH - zeros;
    }
    return size;
}

size_t float_digits(double d, int places, char *out) {
    UnsignedWide scaled;
    if (float_scaled(d, places, &scaled)) return scaled ? float_write_wide(out, scaled) : 0;
    Bits bits = bits_of(d);
    mp_limb_t top[DIGIT_LIMBS] = {bits.mantissa}, bottom[DIGIT_LIMBS] = {1};
    size_t count = 1, bottom_count = 1;
    int twos = bits.exponent + places;
    if (places >= 0)
        count = multiply_by_fives(top, count, places);
    else
        bottom_count = multiply_by_fives(bottom, 1, -places);
    if (twos >= 0)
        count = shift_up(top, count, (unsigned)twos);
    else
        bottom_count = shift_up(bottom, bottom_count, (unsigned)-twos);
    count = divide_rounded(top, count, bottom, bottom_count);
    if (count == 0) return 0;
    size_t size = digits_of_limbs((unsigned char *)out, top, count);
    size_t zeros = 0;
    while (out[zeros] == 0)
        zeros++;
    for (size_t i = zeros; i < size; i++)
        out[i - zeros] = (char)(out[i] + '0');
    return size - zeros;
}

/* ---- from text ---- */

enum {
    WORD_DIGITS = 19,
    DIGITS_KEPT = 800
}; /* a double or a middle between two has at most 768 significant digits */

typedef struct DecimalText {
    bool negative;
    uint64_t digits;         /* all of them as one number, if there are at most WORD_DIGITS */
    int64_t count;           /* digits in the text, without leading zeros if there are many */
    int64_t exponent;        /* of the last of the digits in the text */
    const char *start, *end; /* of the digits, with the point */
} DecimalText;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static const char *read_digit_run(DecimalText *text, const char *at, const char *end) {
    uint64_t digits = text->digits;
    for (; at < end && is_digit(*at); at++)
        digits = digits * 10 + (uint64_t)(*at - '0');
    text->digits = digits;
    return at;
}

static const char *read_exponent(DecimalText *text, const char *at, const char *end) {
    const char *start = at++;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '+' || *at == '-')) at++;
    if (at == end || !is_digit(*at)) return start;
    int64_t exponent = 0;
    for (; at < end && is_digit(*at); at++)
        if (exponent < INT64_C(1) << 50) exponent = exponent * 10 + (*at - '0');
    text->exponent += negative ? -exponent : exponent;
    return at;
}

static bool read_decimal(DecimalText *text, const char *at, const char *end) {
    text->start = at;
    const char *whole = read_digit_run(text, at, end);
    text->count = whole - at;
    at = whole;
    if (at < end && *at == '.') {
        at = read_digit_run(text, at + 1, end);
        text->exponent = -(at - whole - 1);
        text->count -= text->exponent;
    }
    text->end = at;
    if (text->count == 0) return false;
    if (at < end && (*at | 32) == 'e') at = read_exponent(text, at, end);
    if (text->count > WORD_DIGITS) /* leading zeros are no reason for the exact way */
        for (const char *zero = text->start; zero < text->end && (*zero == '0' || *zero == '.');
             zero++)
            text->count -= *zero == '0';
    return at == end;
}

/* digits * 10^q where both are exact doubles: one correctly rounded operation. */
static bool clinger(uint64_t digits, int64_t q, double *out) {
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (digits > HIDDEN_BIT * 2 || q < -22 || q > 22) return false;
    *out = q < 0 ? (double)digits / exact[-q] : (double)digits * exact[q];
    return true;
}

static double double_of(uint64_t mantissa, int biased) {
    uint64_t word = (mantissa & (HIDDEN_BIT - 1)) | (uint64_t)biased << MANTISSA_BITS;
    double d;
    memcpy(&d, &word, sizeof d);
    return d;
}

/* Eisel-Lemire: the product with the power's top 128 bits decides, unless it comes too close to a
 * middle. */
static bool eisel_lemire(uint64_t digits, int64_t q, double *out) {
    if (q < POWER_OF_TEN_MIN || q > 308 || digits == 0) return false;
    const uint64_t *entry = powers_of_ten[q - POWER_OF_TEN_MIN];
    UnsignedWide power = ((UnsignedWide)entry[0] << 64 | entry[1]) + (q < 0 && q >= -27);
    int zeros = __builtin_clzll(digits);
    uint64_t w = digits << zeros;
    UnsignedWide product = (UnsignedWide)w * (uint64_t)(power >> 64);
    if ((product >> 64 & 0x1FF) == 0x1FF) product += (UnsignedWide)w * (uint64_t)power >> 64;
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
    if (low == UINT64_MAX && (q < -27 || q > 55)) return false;
    int upper = (int)(high >> 63), shift = upper + 64 - MANTISSA_BITS - 3;
    uint64_t mantissa = high >> shift;
    int biased = log2_of_power((int)q) + 63 + upper - zeros + 1023;
    if (biased <= 0 || biased >= 0x7FF - 1) return false;
    if (low <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1 && mantissa << shift == high)
        mantissa &= ~(uint64_t)1;
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    if (mantissa >= HIDDEN_BIT * 2) {
        mantissa = HIDDEN_BIT;
        biased++;
    }
    *out = double_of(mantissa, biased);
    return true;
}

/* All the digits as one integer (cut behind DIGITS_KEPT, with a last digit 1 for what was cut),
 * over a power of ten. */
static double exact_double(const DecimalText *text) {
    unsigned char digits[DIGITS_KEPT + 1];
    int64_t count = 0, exponent = text->exponent;
    bool rest = false;
    for (const char *at = text->start; at < text->end; at++) {
        if (*at == '.' || (count == 0 && *at == '0')) continue;
        if (count < DIGITS_KEPT)
            digits[count++] = (unsigned char)(*at - '0');
        else
            exponent++, rest |= *at != '0';
    }
    if (rest) {
        digits[count++] = 1;
        exponent--;
    }
    if (count == 0 || exponent + count < -330) return 0.0;
    if (exponent + count > 320) return HUGE_VAL;
    mp_limb_t top[DIGIT_LIMBS], bottom[DIGIT_LIMBS] = {1}, space[5 * DIGIT_LIMBS];
    size_t top_count = (size_t)mpn_set_str(top, digits, (size_t)count, 10), bottom_count = 1;
    if (exponent >= 0)
        top_count =
            shift_up(top, multiply_by_fives(top, top_count, (int)exponent), (unsigned)exponent);
    else
        bottom_count =
            shift_up(bottom, multiply_by_fives(bottom, 1, (int)-exponent), (unsigned)-exponent);
    IntView a = {top, top_count, false, 0}, b = {bottom, bottom_count, false, 0};
    return int_ratio(&a, &b, space);
}

static bool read_word(const char *at, const char *end, const char *word) {
    for (; at < end && *word && (*at | 32) == *word; at++)
        word++;
    return at == end && !*word;
}

bool double_from_text(const char *text, size_t size, double *out) {
    const char *at = text, *end = text + size;
    DecimalText decimal = {0};
    if (at < end && (*at == '+' || *at == '-')) decimal.negative = *at++ == '-';
    if (at == end) return false;
    if (!is_digit(*at) && *at != '.') {
        bool infinite = read_word(at, end, "inf") || read_word(at, end, "infinity");
        if (!infinite && !read_word(at, end, "nan")) return false;
        *out = copysign(infinite ? HUGE_VAL : (double)NAN, decimal.negative ? -1.0 : 1.0);
        return true;
    }
    if (!read_decimal(&decimal, at, end)) return false;
    double d = 0.0;
    bool known = decimal.count <= WORD_DIGITS && decimal.digits == 0;
    if (!known && decimal.count <= WORD_DIGITS)
        known = clinger(decimal.digits, decimal.exponent, &d) ||
                eisel_lemire(decimal.digits, decimal.exponent, &d);
    if (!known) d = exact_double(&decimal);
    *out = decimal.negative ? -d : d;
    return true;
}

/* Takes out underscores, each of which must stand between two digits; false: malformed. */
static bool drop_underscores(char *out, const char *text, size_t *size) {
    size_t count = 0;
    for (size_t i = 0; i < *size; i++) {
        if (text[i] != '_')
            out[count++] = text[i];
        else if (i == 0 || i + 1 == *size || !is_digit(text[i - 1]) || !is_digit(text[i + 1]))
            return false;
    }
    *size = count;
    return true;
}

bool float_parse_in(GenVM *vm, const char *text, size_t size, double *out) {
    Scratch scratch, spare;
    const char *clean = number_text(vm, &scratch, text, &size);
    if (!clean) return false;
    bool ok = true;
    spare.heap = NULL;
    if (size && memchr(clean, '_', size)) {
        char *plain = scratch_get(vm, &spare, size);
        ok = plain && drop_underscores(plain, clean, &size);
        clean = plain;
    }
    ok = ok && double_from_text(clean, size, out);
    scratch_free(&spare);
    scratch_free(&scratch);
    return ok;
}
