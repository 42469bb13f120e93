/* int_methods.c - the methods and attributes of int, which bool has too. */
#include "vm/objects/number.h"

/* ---- questions ---- */

static Value bit_length(GenVM *vm, Value *args) {
    return int_from_u64(vm, int_bit_length(args[0]));
}

static Value bit_count(GenVM *vm, Value *args) {
    IntView view;
    int_view(&view, args[0]);
    if (!native_work(vm, (uint64_t)view.count / 64)) return VALUE_ERROR;
    return int_from_u64(vm, view.count ? mpn_popcount(view.limbs, (mp_size_t)view.count) : 0);
}

static Value is_integer(GenVM *vm, Value *args) {
    (void)vm, (void)args;
    return VALUE_TRUE;
}

static Value plain(GenVM *vm, Value *args) {
    return int_exact(vm, args[0]);
}

static Value as_integer_ratio(GenVM *vm, Value *args) {
    Value self = int_exact(vm, args[0]);
    return self == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 2, self, int_value(1));
}

static Value getnewargs(GenVM *vm, Value *args) {
    Value self = int_exact(vm, args[0]);
    return self == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 1, self);
}

/* The size that CPython reports: a header of 24 bytes and 4 bytes for each 30 bits. */
static Value size_of(GenVM *vm, Value *args) {
    size_t digits = (int_bit_length(args[0]) + 29) / 30;
    return int_from_u64(vm, 24 + 4 * (digits ? digits : 1));
}

/* ---- rounding to a multiple of a power of ten ---- */

/* Half to even: floor(x / unit + 1/2), one less where that was a tie to an odd number. */
static Value round_to(GenVM *vm, Value x, Value unit) {
    Value pair = int_binary(vm, BINARY_DIVMOD, x, unit);
    if (pair == VALUE_ERROR) return VALUE_ERROR;
    Value quotient = AS_TUPLE(pair)->items[0], rest = AS_TUPLE(pair)->items[1];
    Value doubled = int_binary(vm, BINARY_LSHIFT, rest, int_value(1));
    if (doubled == VALUE_ERROR) return VALUE_ERROR;
    int order = int_order(doubled, unit);
    Value down = int_binary(vm, BINARY_SUB, x, rest);
    if (down == VALUE_ERROR || order < 0 || (order == 0 && !int_is_odd(quotient))) return down;
    return int_binary(vm, BINARY_ADD, down, unit);
}

Value int_round(GenVM *vm, Value v, Value ndigits) {
    if (ndigits == VALUE_NONE || int_sign(ndigits) >= 0) return int_exact(vm, v);
    int64_t digits;
    if (!int_to_i64(ndigits, &digits) || digits < -(int64_t)int_bit_length(v)) return int_value(0);
    Value unit = int_power(vm, int_value(10), int_value(-digits));
    return unit == VALUE_ERROR ? VALUE_ERROR : round_to(vm, v, unit);
}

static Value round_int(GenVM *vm, Value *args) {
    return int_round(vm, args[0], args[1]);
}

/* ---- bytes ---- */

static bool is_little(GenVM *vm, Value order, bool *little) {
    *little = str_is(order, "little");
    if (*little || str_is(order, "big")) return true;
    raise_value(vm, "byteorder must be either 'little' or 'big'");
    return false;
}

/* Does the two's complement of the number (or the number, if not is_signed) fit `size` bytes. */
static bool fits_bytes(const IntView *view, size_t size, bool is_signed) {
    size_t bits = int_view_bits(view);
    if (!is_signed) return bits <= size * 8;
    if (!view->negative) return bits == 0 || bits < size * 8;
    bool power = (size_t)mpn_scan1(view->limbs, 0) == bits - 1; /* -2^k needs no bit more */
    return power ? bits <= size * 8 : bits < size * 8;
}

/* Two's complement: the lowest byte that is not zero is negated, those above are inverted. */
static bool negate_bytes(GenVM *vm, uint8_t *out, size_t size, bool little) {
    size_t i = 0;
    while (i < size && out[little ? i : size - 1 - i] == 0)
        i++;
    for (bool lowest = true; i < size; i++, lowest = false) {
        uint8_t *byte = out + (little ? i : size - 1 - i);
        *byte = (uint8_t)(~*byte + lowest);
        if (!native_glance(vm, i)) return false;
    }
    return true;
}

/* The limbs are little-endian on all targets. */
static bool store_bytes(GenVM *vm, uint8_t *out, size_t size, const IntView *view, bool little) {
    size_t used = view->count * sizeof(mp_limb_t);
    if (used > size) used = size;
    bool stored =
        little
            ? native_copy(vm, out, view->limbs, used) && native_fill(vm, out + used, 0, size - used)
            : native_fill(vm, out, 0, size - used) &&
                  native_reverse(vm, (char *)out + (size - used), (const char *)view->limbs, used);
    return stored && (!view->negative || negate_bytes(vm, out, size, little));
}

static Value to_bytes(GenVM *vm, Value *args) {
    IntView view;
    int64_t size = as_int(args[1]);
    bool little, is_signed = args[3] == VALUE_TRUE;
    if (!is_little(vm, args[2], &little)) return VALUE_ERROR;
    if (size < 0) return raise_value(vm, "length argument must be non-negative");
    int_view(&view, args[0]);
    if (view.negative && !is_signed)
        return raise_overflow(vm, "can't convert negative int to unsigned");
    if (!fits_bytes(&view, (size_t)size, is_signed))
        return raise_overflow(vm, "int too big to convert");
    if (!native_work(vm, (uint64_t)size / 64)) return VALUE_ERROR;
    Bytes *bytes = bytes_alloc(vm, (size_t)size);
    if (!bytes) return VALUE_ERROR;
    bool stored = store_bytes(vm, bytes->data, (size_t)size, &view, little);
    return stored ? object_value(bytes) : VALUE_ERROR;
}

static Value load_bytes(GenVM *vm, const uint8_t *data, size_t size, bool little, bool is_signed) {
    if (!native_work(vm, size / 64)) return VALUE_ERROR;
    size_t count = (size + 7) / 8;
    BigInt *big = int_alloc(vm, count + 1);
    if (!big) return VALUE_ERROR;
    bool negative = is_signed && size && (data[little ? size - 1 : 0] & 128);
    mp_limb_t *limbs = (mp_limb_t *)big->limbs;
    bool loaded = little ? native_copy(vm, limbs, data, size)
                         : native_reverse(vm, (char *)limbs, (const char *)data, size);
    if (!loaded) return VALUE_ERROR;
    memset((char *)limbs + size, negative ? 255 : 0, (count + 1) * sizeof *limbs - size);
    if (negative) mpn_neg(limbs, limbs, (mp_size_t)count + 1);
    return int_finish(big, count + 1, negative);
}

static Value from_bytes(GenVM *vm, Value *args) {
    bool little;
    const uint8_t *data;
    size_t size;
    if (!is_little(vm, args[2], &little)) return VALUE_ERROR;
    if (!bytes_view(vm, args[1], &data, &size))
        return native_twin(vm, TWIN_INT_FROM_BYTES, 4, args[0], args[1], args[2], args[3]);
    Value result = load_bytes(vm, data, size, little, args[3] == VALUE_TRUE);
    if (result == VALUE_ERROR || args[0] == object_value(vm->types[TYPE_INT])) return result;
    return native_call(vm, args[0], 1, result);
}

/* ---- the tables ---- */

const NativeDef int_methods[] = {
    {"as_integer_ratio(self, /)", as_integer_ratio,
     "Return a pair of integers, whose ratio is equal to the original int.\n\nThe ratio is in "
     "lowest terms and has a "
     "positive denominator."},
    {"bit_count(self, /)", bit_count,
     "Number of ones in the binary representation of the absolute value of self."},
    {"bit_length(self, /)", bit_length, "Number of bits necessary to represent self in binary."},
    {"conjugate(self, /)", plain, "Returns self, the complex conjugate of any int."},
    {"is_integer(self, /)", is_integer,
     "Returns True. Exists for duck type compatibility with float.is_integer."},
    {"to_bytes(self, /, length: size = 1, byteorder: str = 'big', *, signed: bool = False)",
     to_bytes, "Return an array of bytes representing an integer."},
    {"classmethod from_bytes(cls, /, bytes, byteorder: str = 'big', *, signed: bool = False)",
     from_bytes, "Return the integer represented by the given array of bytes."},
    {"__round__(self, ndigits: int | None = None, /)", round_int,
     "Rounding an Integral returns itself.\n\nRounding with an ndigits argument also returns an "
     "integer."},
    {"__trunc__(self, /)", plain, "Truncating an Integral returns itself."},
    {"__floor__(self, /)", plain, "Flooring an Integral returns itself."},
    {"__ceil__(self, /)", plain, "Ceiling of an Integral returns itself."},
    {"__getnewargs__(self, /)", getnewargs, NULL},
    {"__sizeof__(self, /)", size_of, "Returns size in memory, in bytes."},
    {NULL, NULL, NULL},
};

static Value zero(GenVM *vm, Value self) {
    (void)vm, (void)self;
    return int_value(0);
}
static Value one(GenVM *vm, Value self) {
    (void)vm, (void)self;
    return int_value(1);
}

const AttributeDef int_attributes[] = {
    {"real", int_exact, NULL, "the real part of a complex number"},
    {"imag", zero, NULL, "the imaginary part of a complex number"},
    {"numerator", int_exact, NULL, "the numerator of a rational number in lowest terms"},
    {"denominator", one, NULL, "the denominator of a rational number in lowest terms"},
    {NULL, NULL, NULL, NULL},
};
