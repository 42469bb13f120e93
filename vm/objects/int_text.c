/* int_text.c - ints from and to text, in every base.
 *
 * Small ints are written two digits at a time; the conversion of large ones is mpn's, whose cost is
 * far below the square of the length. Conversions to and from decimal (any base that is no power of
 * two) are limited to sys.get_int_max_str_digits() digits, as in CPython; the limit stands in
 * vm->int_digit_limit.
 */
#include "vm/objects/number.h"

#include <utf8proc.h>

/* ---- the digit limit ---- */

int64_t int_digit_limit(GenVM *vm) {
    return vm->int_digit_limit == 0  ? INT_DIGITS_DEFAULT
           : vm->int_digit_limit < 0 ? 0
                                     : vm->int_digit_limit;
}

bool int_set_digit_limit(GenVM *vm, int64_t limit) {
    if (limit != 0 && (limit < INT_DIGITS_THRESHOLD || limit > INT32_MAX)) {
        raise_value(vm, "maxdigits must be >= %d or 0 for no limit", INT_DIGITS_THRESHOLD);
        return false;
    }
    vm->int_digit_limit = limit == 0 ? -1 : limit;
    return true;
}

static bool refuse_digits(GenVM *vm) {
    raise_value(vm,
                "Exceeds the limit (%lld digits) for integer string conversion; use "
                "sys.set_int_max_str_digits() to "
                "increase the limit",
                (long long)int_digit_limit(vm));
    return false;
}

/* ---- to text ---- */

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

const uint64_t powers_of_ten_u64[20] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    1000000000000000000,
    10000000000000000000u,
};

/* How many decimal digits: the length in bits gives it up to one. */
static inline size_t count_digits(uint64_t i) {
    size_t digits = (size_t)(64 - __builtin_clzll(i | 1)) * 1233 >> 12;
    return digits + (digits == 0 || i >= powers_of_ten_u64[digits]);
}

size_t int_write_u64(char *out, uint64_t i) {
    size_t size = count_digits(i);
    char *at = out + size;
    for (; i >= 100; i /= 100) {
        at -= 2;
        memcpy(at, digit_pairs + i % 100 * 2, 2);
    }
    if (i >= 10)
        memcpy(at - 2, digit_pairs + i * 2, 2);
    else
        at[-1] = (char)('0' + i);
    return size;
}

size_t int_write_small(char *out, int64_t i) {
    if (i >= 0) return int_write_u64(out, (uint64_t)i);
    *out = '-';
    return 1 + int_write_u64(out + 1, -(uint64_t)i);
}

static bool is_power_of_two(int base) {
    return (base & (base - 1)) == 0;
}

/* Upper bound of the digits of a limb in a base; exact enough to size buffers by. */
static size_t digits_a_limb(int base) {
    return base >= 16 ? 16 : base >= 10 ? 20 : base >= 8 ? 22 : 64;
}

static size_t write_word(char *out, mp_limb_t i, int base) {
    char buffer[64];
    size_t at = sizeof buffer;
    do
        buffer[--at] = "0123456789abcdefghijklmnopqrstuvwxyz"[i % (unsigned)base];
    while (i /= (unsigned)base);
    memcpy(out, buffer + at, sizeof buffer - at);
    return sizeof buffer - at;
}

bool int_digits(GenVM *vm, const IntView *view, int base, Scratch *scratch, const char **digits,
                size_t *size) {
    size_t count = view->count;
    if (count <= 1) {
        char *out = scratch_get(vm, scratch, LIMB_BITS);
        mp_limb_t word = count ? view->limbs[0] : 0;
        *digits = out;
        *size = base == 10 ? int_write_u64(out, word) : write_word(out, word, base);
        return true;
    }
    int64_t limit = is_power_of_two(base) ? 0 : int_digit_limit(vm);
    scratch->heap = NULL;
    if (limit && (double)(int_view_bits(view) - 1) * 0.30102999566398119 > (double)limit + 1)
        return refuse_digits(vm);
    if (!is_power_of_two(base) && !int_foresee(vm, count, count, INT_WRITE)) return false;
    if (!int_charge_product(vm, count, count) || (count >= 16 && !int_has_room(vm, count)))
        return false;
    size_t room = count * digits_a_limb(base) + 8;
    mp_limb_t *copy = scratch_get(vm, scratch, (count + 1) * sizeof *copy + room);
    if (!copy) return false;
    unsigned char *out = (unsigned char *)(copy + count + 1);
    memcpy(copy, view->limbs, count * sizeof *copy);
    size_t written = mpn_get_str(out, base, copy, (mp_size_t)count);
    for (; written > 1 && *out == 0; written--)
        out++;
    if (limit && written > (size_t)limit) {
        scratch_free(scratch);
        scratch->heap = NULL;
        return refuse_digits(vm);
    }
    for (size_t i = 0; i < written; i++)
        out[i] = (unsigned char)(out[i] < 10 ? out[i] + '0' : out[i] + 'a' - 10);
    *digits = (const char *)out;
    *size = written;
    return true;
}

static Value repr_big(GenVM *vm, const IntView *view) {
    Scratch scratch;
    const char *digits;
    size_t size;
    if (!int_digits(vm, view, 10, &scratch, &digits, &size)) return VALUE_ERROR;
    Str *str = str_alloc(vm, size + view->negative, (uint32_t)(size + view->negative), STR_ASCII);
    if (str) {
        char *out = (char *)(uintptr_t)str->data;
        if (view->negative) *out++ = '-';
        memcpy(out, digits, size);
    }
    scratch_free(&scratch);
    return str ? object_value(str) : VALUE_ERROR;
}

Value int_repr(GenVM *vm, Value v) {
    if (likely(is_int(v))) {
        int64_t i = as_int(v);
        if (i >= 0 && i < 10) return vm->characters['0' + i];
        char text[24];
        size_t size = int_write_small(text, i);
        return str_with_length(vm, text, size, (uint32_t)size, STR_ASCII);
    }
    IntView view;
    int_view(&view, v);
    return repr_big(vm, &view);
}

/* ---- the text of a number: spaces, Unicode digits ---- */

static bool is_ascii_space(char c) {
    return c == ' ' || ((unsigned char)c >= 9 && (unsigned char)c <= 13) ||
           ((unsigned char)c >= 28 && (unsigned char)c <= 31);
}

static bool is_decimal(int32_t c) {
    return utf8proc_category(c) == UTF8PROC_CATEGORY_ND;
}

/* Decimal digits stand in Unicode in rows of ten, so a digit's value is the length of the row
 * before it. */
static char digit_of(int32_t c) {
    int value = 0;
    while (is_decimal(c - value - 1))
        value++;
    return (char)('0' + value % 10);
}

static const char *strip(const char *text, size_t *size) {
    while (*size && is_ascii_space(*text))
        text++, --*size;
    while (*size && is_ascii_space(text[*size - 1]))
        --*size;
    return text;
}

bool number_is_text(Value source, const char *text, size_t size) {
    if (value_is_str(source)) return true;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] >= 128 || (text[i] >= 28 && text[i] < 32)) return false;
    return true;
}

const char *number_text(GenVM *vm, Scratch *scratch, const char *text, size_t *size) {
    scratch->heap = NULL;
    if (text_is_ascii(text, *size)) return strip(text, size);
    char *out = scratch_get(vm, scratch, *size), *start = out;
    if (!out) return NULL;
    for (const char *end = text + *size; text < end;) {
        uint32_t c = utf8_take(&text);
        *out++ = c < 0x80                 ? (char)c
                 : char_is_space(c)       ? ' '
                 : is_decimal((int32_t)c) ? digit_of((int32_t)c)
                                          : '?';
    }
    *size = (size_t)(out - start);
    return strip(start, size);
}

/* ---- from text ---- */

typedef struct DigitReader {
    const char *at, *end;
    int base;
    bool negative;
    bool zero_only; /* base 0, a leading zero without prefix: only zero is written so */
} DigitReader;

static int digit_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'z') return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
    return 99;
}

static int prefix_base(const DigitReader *reader) {
    if (reader->end - reader->at < 2 || reader->at[0] != '0') return 0;
    char c = (char)(reader->at[1] | 32);
    return c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;
}

static void read_prefix(DigitReader *reader) {
    if (reader->at < reader->end && (*reader->at == '+' || *reader->at == '-'))
        reader->negative = *reader->at++ == '-';
    int prefix = prefix_base(reader);
    if (prefix && (reader->base == 0 || reader->base == prefix)) {
        reader->base = prefix;
        reader->at += 2;
        if (reader->at < reader->end && *reader->at == '_') reader->at++;
    } else if (reader->base == 0) {
        reader->base = 10;
        reader->zero_only = reader->at < reader->end && *reader->at == '0';
    }
}

/* Collects digit values; returns their number, 0 when the text is malformed. */
static size_t read_digits(const DigitReader *reader, unsigned char *out) {
    size_t count = 0;
    bool after_digit = false;
    for (const char *at = reader->at; at < reader->end; at++) {
        if (*at == '_') {
            if (!after_digit) return 0;
            after_digit = false;
            continue;
        }
        int value = digit_value(*at);
        if (value >= reader->base || (reader->zero_only && value)) return 0;
        out[count++] = (unsigned char)value;
        after_digit = true;
    }
    return after_digit ? count : 0;
}

static Value value_of_digits(GenVM *vm, const DigitReader *reader, const unsigned char *digits,
                             size_t count) {
    while (count > 1 && *digits == 0)
        digits++, count--;
    if (count <= 12) { /* 36^12 fits a small int */
        int64_t i = 0;
        for (size_t k = 0; k < count; k++)
            i = i * reader->base + digits[k];
        return int_value(reader->negative ? -i : i);
    }
    size_t limbs = (size_t)((double)count * log2(reader->base) / LIMB_BITS) + 3;
    if (!is_power_of_two(reader->base) && !int_foresee(vm, limbs, limbs, INT_READ))
        return VALUE_ERROR;
    if (!int_charge_product(vm, limbs, limbs) || (limbs >= 32 && !int_has_room(vm, limbs)))
        return VALUE_ERROR;
    BigInt *big = int_alloc(vm, limbs);
    if (!big) return VALUE_ERROR;
    mp_size_t used = mpn_set_str((mp_limb_t *)big->limbs, digits, count, reader->base);
    return int_finish(big, (size_t)used, reader->negative);
}

static Value read_int(GenVM *vm, DigitReader *reader) {
    read_prefix(reader);
    Scratch scratch;
    size_t most = (size_t)(reader->end - reader->at);
    if (!text_foresee(vm, most, 3)) return VALUE_ERROR;
    unsigned char *digits = scratch_get(vm, &scratch, most + 1);
    if (!digits) return VALUE_ERROR;
    size_t count = read_digits(reader, digits);
    int64_t limit = is_power_of_two(reader->base) ? 0 : int_digit_limit(vm);
    Value result = VALUE_UNSET;
    if (limit && count > (size_t)limit)
        result = raise_value(
            vm,
            "Exceeds the limit (%lld digits) for integer string conversion: value has %zu digits; "
            "use sys.set_int_max_str_digits() to increase the limit",
            (long long)limit, count);
    else if (count)
        result = value_of_digits(vm, reader, digits, count);
    scratch_free(&scratch);
    return result;
}

Value int_from_text(GenVM *vm, const char *text, size_t size, int base) {
    Scratch scratch;
    const char *clean = number_text(vm, &scratch, text, &size);
    if (!clean) return VALUE_ERROR;
    DigitReader reader = {clean, clean + size, base, false, false};
    Value result = read_int(vm, &reader);
    scratch_free(&scratch);
    return result;
}

enum { SHOWN_TEXT = 200 };

/* Up to 18 decimal digits and nothing else, which is what most texts are. */
static bool parse_plain(const char *text, size_t size, int64_t *out) {
    int64_t i = 0;
    size_t at = size > 1 && *text == '-';
    if (size == 0 || size > 18) return false;
    for (; at < size; at++) {
        unsigned digit = (unsigned char)text[at] - '0';
        if (digit > 9) return false;
        i = i * 10 + digit;
    }
    *out = *text == '-' ? -i : i;
    return true;
}

Value int_parse(GenVM *vm, Value source, const char *text, size_t size, int base) {
    int64_t plain;
    if (!text_foresee(vm, size, 2)) return VALUE_ERROR;
    if (base == 10 && parse_plain(text, size, &plain)) return int_value(plain);
    Value result = VALUE_UNSET;
    if (number_is_text(source, text, size)) result = int_from_text(vm, text, size, base);
    if (result != VALUE_UNSET) return result;
    if (!value_is_str(source) && (source = bytes_new(vm, text, size)) == VALUE_ERROR)
        return VALUE_ERROR;
    Value shown = leaf_repr(vm, source);
    if (shown == VALUE_TAIL) {
        native_drop_tail(vm);
        source = str_exact(vm, source);
        shown = source == VALUE_ERROR ? source : leaf_repr(vm, source);
    }
    if (shown == VALUE_ERROR) return VALUE_ERROR;
    if (AS_STR(shown)->length > SHOWN_TEXT) shown = str_slice(vm, shown, 0, SHOWN_TEXT);
    return raise_value(vm, "invalid literal for int() with base %d: %S", base, shown);
}
