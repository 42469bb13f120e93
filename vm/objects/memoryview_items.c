/* memoryview_items.c - reading and writing one item of a memoryview: the native formats of the
 * struct module. */
#include <math.h>
#include "vm/objects/memoryview.h"

/* ---- reading ---- */

#define GET_INT(name, ctype, make)                                                                 \
    static Value name(GenVM *vm, const uint8_t *item) {                                            \
        ctype number;                                                                              \
        memcpy(&number, item, sizeof number);                                                      \
        return make(vm, number);                                                                   \
    }

GET_INT(get_i8, int8_t, int_from_i64)
GET_INT(get_u8, uint8_t, int_from_u64)
GET_INT(get_i16, int16_t, int_from_i64)
GET_INT(get_u16, uint16_t, int_from_u64)
GET_INT(get_i32, int32_t, int_from_i64)
GET_INT(get_u32, uint32_t, int_from_u64)
GET_INT(get_i64, int64_t, int_from_i64)
GET_INT(get_u64, uint64_t, int_from_u64)
GET_INT(get_f32, float, float_value)
GET_INT(get_f64, double, float_value)

static Value get_char(GenVM *vm, const uint8_t *item) {
    return bytes_new(vm, item, 1);
}

static Value get_bool(GenVM *vm, const uint8_t *item) {
    (void)vm;
    return bool_value(*item != 0);
}

/* IEEE 754 half precision by hand: not every compiler has a type for it. */
static Value get_f16(GenVM *vm, const uint8_t *item) {
    uint16_t half;
    memcpy(&half, item, sizeof half);
    int exponent = half >> 10 & 31, fraction = half & 1023;
    double size = exponent == 0 ? ldexp(fraction, -24) : ldexp(fraction + 1024, exponent - 25);
    if (exponent == 31) size = fraction ? NAN : INFINITY;
    return float_value(vm, half >> 15 ? -size : size);
}

/* The nearest half, ties to even. A fraction that rounds up to 2048 carries into the exponent. */
static uint16_t half_bits(double number) {
    int exponent;
    double size = fabs(number), fraction = frexp(size, &exponent);
    uint16_t sign = signbit(number) ? 0x8000 : 0;
    if (isnan(number)) return sign | 0x7e00;
    if (size >= 65520) return sign | 0x7c00;
    if (size < 0x1p-14) return sign | (uint16_t)nearbyint(ldexp(size, 24));
    return (uint16_t)(sign |
                      (((exponent + 14) << 10) + (int)nearbyint(ldexp(fraction, 11)) - 1024));
}

static const MemoryFormat formats[] = {
    {'B', 1, get_u8},  {'b', 1, get_i8},  {'c', 1, get_char}, {'?', 1, get_bool}, {'h', 2, get_i16},
    {'H', 2, get_u16}, {'i', 4, get_i32}, {'I', 4, get_u32},  {'l', 8, get_i64},  {'L', 8, get_u64},
    {'q', 8, get_i64}, {'Q', 8, get_u64}, {'n', 8, get_i64},  {'N', 8, get_u64},  {'P', 8, get_u64},
    {'e', 2, get_f16}, {'f', 4, get_f32}, {'d', 8, get_f64},
};

const MemoryFormat *memory_format(char code) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].code == code) return &formats[i];
    return NULL;
}

/* ---- writing ---- */

static Leaf wrong_type(GenVM *vm, const MemoryFormat *format) {
    raise_type(vm, "memoryview: invalid type for format '%c'", format->code);
    return LEAF_ERROR;
}

static Leaf wrong_value(GenVM *vm, const MemoryFormat *format) {
    raise_value(vm, "memoryview: invalid value for format '%c'", format->code);
    return LEAF_ERROR;
}

static Leaf put_signed(GenVM *vm, const MemoryFormat *format, uint8_t *item, Value v) {
    int64_t number;
    int bits = format->size * 8;
    if (!int_to_i64(v, &number)) return wrong_value(vm, format);
    if (bits < 64 && (number >= (int64_t)1 << (bits - 1) || number < -((int64_t)1 << (bits - 1))))
        return wrong_value(vm, format);
    memcpy(item, &number, format->size); /* the low bytes: all targets are little-endian */
    return LEAF_TRUE;
}

static Leaf put_unsigned(GenVM *vm, const MemoryFormat *format, uint8_t *item, Value v) {
    uint64_t number;
    if (int_sign(v) < 0 || int_bit_length(v) > format->size * 8u) return wrong_value(vm, format);
    int_to_u64_mask(v, &number);
    memcpy(item, &number, format->size);
    return LEAF_TRUE;
}

static Leaf put_real(GenVM *vm, const MemoryFormat *format, uint8_t *item, Value v) {
    double number;
    if (!number_to_double(vm, v, &number)) {
        if (vm->exception != VALUE_UNSET) return LEAF_ERROR;
        bool convertible = type_special(vm, v, SP_FLOAT) != VALUE_UNSET || text_has_index(vm, v);
        return convertible ? LEAF_SCRIPT : wrong_type(vm, format);
    }
    float narrow = (float)number;
    uint16_t half = half_bits(number);
    if (format->size == 2 && isfinite(number) && (half & 0x7c00) == 0x7c00)
        return raise_overflow(vm, "float too large to pack with e format"), LEAF_ERROR;
    memcpy(item,
           format->size == 8   ? (void *)&number
           : format->size == 4 ? (void *)&narrow
                               : (void *)&half,
           format->size);
    return LEAF_TRUE;
}

Leaf memory_put(GenVM *vm, const MemoryFormat *format, uint8_t *item, Value v) {
    switch (format->code) {
    case 'c':
        if (!is_kind(v, TYPE_BYTES)) return wrong_type(vm, format);
        if (AS(Bytes, v)->size != 1) return wrong_value(vm, format);
        *item = AS(Bytes, v)->data[0];
        return LEAF_TRUE;
    case '?': {
        Leaf truth = leaf_truth(vm, v);
        if (truth == LEAF_ERROR || truth == LEAF_SCRIPT) return truth;
        *item = truth == LEAF_TRUE;
        return LEAF_TRUE;
    }
    case 'e':
    case 'f':
    case 'd': return put_real(vm, format, item, v);
    default: break;
    }
    if (!value_is_intlike(v)) return text_has_index(vm, v) ? LEAF_SCRIPT : wrong_type(vm, format);
    return strchr("bhilqn", format->code) ? put_signed(vm, format, item, v)
                                          : put_unsigned(vm, format, item, v);
}
