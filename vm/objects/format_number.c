/* format_number.c - the formatting of int, float and complex by a format spec.
 *
 * A number is taken apart into sign, prefix, digits and rest, and put together again with padding
 * and groups between them. A double's digits come from float_text.c, correctly rounded at any
 * precision.
 */
#include "vm/objects/format.h"

#include <limits.h>

/* ---- putting a number together ---- */

static int64_t group_size(const FormatSpec *spec) {
    return spec->type < 128 && spec->type && strchr("boxX", (int)spec->type) ? 4 : 3;
}

/* How wide `count` digits become when they are grouped and padded with zeros to a least width. */
static int64_t grouped_width(int64_t count, int64_t least, int64_t group) {
    int64_t width = count + (count - 1) / group;
    if (width >= least) return width;
    return least % (group + 1) ? least : least + 1; /* a separator is never first */
}

static void put_grouped(StrBuilder *out, TextSpan digits, int64_t width, char separator,
                        int64_t group) {
    int64_t total =
        separator ? width - width / (group + 1) : width; /* digits, padding zeros included */
    int64_t zeros = total - (int64_t)digits.size;
    if (!separator) {
        format_put_fill(out, '0', zeros);
        builder_add(out, digits.data, digits.size);
        return;
    }
    for (int64_t i = 0; i < total && !out->failed; i++) {
        if (i && (total - i) % group == 0) builder_put_byte(out, separator);
        builder_put_byte(out, i < zeros ? '0' : digits.data[i - zeros]);
    }
}

/* Digits behind the point are grouped from the point. */
static void put_rest(StrBuilder *out, const FormatSpec *spec, const NumberParts *parts) {
    TextSpan rest = parts->rest;
    if (!spec->fraction_group || !parts->fraction_size) {
        builder_add(out, rest.data, rest.size);
        return;
    }
    size_t end = parts->fraction_start + parts->fraction_size;
    builder_add(out, rest.data, parts->fraction_start);
    for (size_t i = 0; i < parts->fraction_size && !out->failed; i++) {
        if (i && i % 3 == 0) builder_put_byte(out, spec->fraction_group);
        builder_put_byte(out, rest.data[parts->fraction_start + i]);
    }
    builder_add(out, rest.data + end, rest.size - end);
}

static char shown_sign(const FormatSpec *spec, char sign) {
    if (sign == '-') return '-';
    return spec->sign == '+' || spec->sign == ' ' ? spec->sign : 0;
}

void format_put_number(StrBuilder *out, const FormatSpec *spec, const NumberParts *parts) {
    char sign = shown_sign(spec, parts->sign);
    int64_t group = group_size(spec);
    int64_t others = (sign != 0) + (int64_t)parts->prefix.size + parts->rest_length;
    if (spec->fraction_group && parts->fraction_size)
        others += (int64_t)(parts->fraction_size - 1) / 3;
    int64_t least = spec->fill == '0' && spec->align == '=' ? spec->width - others : 0;
    int64_t width = (int64_t)parts->digits.size;
    if (width && spec->group)
        width = grouped_width(width, least, group);
    else if (width && least > width)
        width = least;
    int64_t padding = spec->width > others + width ? spec->width - others - width : 0;
    int64_t before = spec->align == '>' ? padding : spec->align == '^' ? padding / 2 : 0;
    format_put_fill(out, spec->fill, before);
    if (sign) builder_put_byte(out, sign);
    builder_add(out, parts->prefix.data, parts->prefix.size);
    if (spec->align == '=') format_put_fill(out, spec->fill, padding);
    put_grouped(out, parts->digits, width, spec->group, group);
    put_rest(out, spec, parts);
    if (spec->align != '=') format_put_fill(out, spec->fill, padding - before);
}

/* ---- int ---- */

static bool put_char(StrBuilder *out, const FormatSpec *spec, Value v) {
    GenVM *vm = out->vm;
    int64_t code;
    if (spec->sign)
        return raise_value(vm, "Sign not allowed with integer format specifier 'c'"), false;
    if (spec->alternate)
        return raise_value(vm, "Alternate form (#) not allowed with integer format specifier 'c'"),
               false;
    if (!int_to_i64(v, &code))
        return raise_overflow(vm, "Python int too large to convert to C long"), false;
    if (code < 0 || code > CODE_POINT_MAX)
        return raise_overflow(vm, "%%c arg not in range(0x110000)"), false;
    char text[4];
    NumberParts parts = {.rest = {text, utf8_put(text, (uint32_t)code)}, .rest_length = 1};
    format_put_number(out, spec, &parts);
    return !out->failed;
}

static int base_of(uint32_t type) {
    return type == 'b' ? 2 : type == 'o' ? 8 : type == 'x' || type == 'X' ? 16 : 10;
}

static bool put_int(StrBuilder *out, const FormatSpec *spec, Value v) {
    GenVM *vm = out->vm;
    if (spec->precision >= 0)
        return raise_value(vm, "Precision not allowed in integer format specifier"), false;
    if (spec->no_negative_zero)
        return raise_value(vm,
                           "Negative zero coercion (z) not allowed in integer format specifier"),
               false;
    if (spec->type == 'c') return put_char(out, spec, v);
    Scratch scratch;
    IntView view;
    TextSpan digits;
    int_view(&view, v);
    if (!int_digits(vm, &view, base_of(spec->type), &scratch, &digits.data, &digits.size))
        return false;
    if (spec->type == 'X')
        ascii_map_upper((char *)(uintptr_t)digits.data, digits.data, digits.size);
    char prefix[2] = {'0', (char)spec->type};
    size_t prefix_size = spec->alternate && base_of(spec->type) != 10 ? 2 : 0;
    NumberParts parts = {
        .sign = view.negative ? '-' : 0, .prefix = {prefix, prefix_size}, .digits = digits};
    format_put_number(out, spec, &parts);
    scratch_free(&scratch);
    return !out->failed;
}

/* ---- the digits of a double ---- */

typedef struct DoubleText {
    char *at;
    char digits[FLOAT_DIGITS_MAX];
    int64_t count; /* digits; zeros follow them as needed */
    int64_t point; /* the number is 0.DIGITS * 10^point */
} DoubleText;

enum {
    PLACES_MOST = 1100,
    DIGITS_MOST = 770,
    EXPONENT_SIZE = 8,
    WHOLE_SIZE = 320
}; /* beyond these, all is zero */

static void take_digit_run(DoubleText *text, int64_t first,
                           int64_t count) { /* from digit number `first`, zeros around */
    int64_t i = first, end = first + count;
    for (; i < end && i < text->count; i++)
        *text->at++ = i >= 0 ? text->digits[i] : '0';
    if (i >= end) return;
    memset(text->at, '0', (size_t)(end - i));
    text->at += end - i;
}

static void find_places(DoubleText *text, double d, int64_t places) {
    text->count =
        (int64_t)float_digits(d, (int)(places < PLACES_MOST ? places : PLACES_MOST), text->digits);
    text->point = text->count - (places < PLACES_MOST ? places : PLACES_MOST);
}

/* `count` significant digits. The power of two in d tells its power of ten up to one, which the
 * number of digits that come out then settles. */
static void find_significant(DoubleText *text, double d, int64_t count) {
    if (d == 0) {
        text->digits[0] = '0';
        text->count = 1;
        text->point = 1;
        return;
    }
    if (count > DIGITS_MOST) count = DIGITS_MOST;
    int exponent;
    frexp(d, &exponent);
    int64_t places = count - 1 - (((exponent - 1) * 1262611) >> 22); /* 2^(exponent - 1) <= d */
    text->count = (int64_t)float_digits(d, (int)places, text->digits);
    if (text->count > count) text->count = (int64_t)float_digits(d, (int)--places, text->digits);
    text->point = text->count - places;
    if (text->count > count) text->count = count; /* 9.99 became 10.00 */
}

static void put_exponent(DoubleText *text, char letter, int64_t exponent) {
    *text->at++ = letter;
    *text->at++ = exponent < 0 ? '-' : '+';
    exponent = exponent < 0 ? -exponent : exponent;
    if (exponent < 10) *text->at++ = '0';
    text->at += int_write_u64(text->at, (uint64_t)exponent);
}

/* d.ddde+xx with `places` digits behind the point. */
static void put_scientific(DoubleText *text, int64_t places, bool keep_point, char letter) {
    take_digit_run(text, 0, 1);
    if (places || keep_point) *text->at++ = '.';
    take_digit_run(text, 1, places);
    put_exponent(text, letter, text->point - 1);
}

static void put_fixed(DoubleText *text, int64_t places, bool keep_point) {
    if (text->point > 0)
        take_digit_run(text, 0, text->point);
    else
        *text->at++ = '0';
    if (places || keep_point) *text->at++ = '.';
    take_digit_run(text, text->point, places);
}

static void put_general(DoubleText *text, int64_t precision, bool keep_point, bool add_dot,
                        char letter) {
    int64_t point = text->point, shown = text->count;
    while (shown > 1 && text->digits[shown - 1] == '0')
        shown--;
    if (keep_point) shown = precision;
    if (point <= -4 || point > precision - add_dot) {
        put_scientific(text, shown - 1, keep_point, letter);
        return;
    }
    int64_t places = shown > point ? shown - point : 0;
    put_fixed(text, places || !add_dot ? places : 1, keep_point);
}

static void put_repr(DoubleText *text, double d, bool keep_point, bool add_dot) {
    char *start = text->at;
    size_t size = float_repr_to(start, d);
    if (!add_dot && start[size - 1] == '0' && start[size - 2] == '.') size -= 2;
    if (keep_point && !memchr(start, '.', size)) {
        char *exponent = memchr(start, 'e', size), *at = exponent ? exponent : start + size;
        memmove(at + 1, at, (size_t)(start + size - at));
        *at = '.';
        size++;
    }
    text->at += size;
}

static size_t put_special(char *out, double d, bool upper) {
    const char *name = isnan(d) ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf");
    memcpy(out, name, 3);
    return 3;
}

size_t format_write_places(char *out, double d, int places) {
    UnsignedWide scaled;
    char digits[40], *at = out;
    if (!isfinite(d) || !float_scaled(d, places, &scaled)) return 0;
    size_t size = float_write_wide(digits, scaled), wanted = (size_t)places,
           whole = size > wanted ? size - wanted : 0;
    memcpy(at, whole ? digits : "0", whole ? whole : 1);
    at += whole ? whole : 1;
    if (places == 0) return (size_t)(at - out);
    *at++ = '.';
    size_t zeros = size < wanted ? wanted - size : 0;
    memset(at, '0', zeros);
    memcpy(at + zeros, digits + whole, wanted - zeros);
    return (size_t)(at - out) + wanted;
}

bool format_double(GenVM *vm, Scratch *scratch, double d, char type, int64_t precision,
                   bool keep_point, bool add_dot, TextSpan *span) {
    enum { MUCH = 1 << 20 }; /* each digit is filled in, looked at and copied: a nanosecond */
    if (precision > MUCH && !native_foresee(vm, (uint64_t)precision)) return false;
    char *start = scratch_get(vm, scratch, WHOLE_SIZE + EXPONENT_SIZE + (size_t)precision);
    if (!start) return false;
    bool upper = type >= 'A' && type <= 'Z';
    char letter = upper ? 'E' : 'e';
    d = fabs(d);
    span->data = start;
    if (!isfinite(d)) {
        span->size = put_special(start, d, upper);
        return true;
    }
    if (type == 'f' && !keep_point && precision <= 19 &&
        (span->size = format_write_places(start, d, (int)precision)))
        return true;
    DoubleText text;
    text.at = start;
    switch (type | 32) {
    case 'f':
        find_places(&text, d, precision);
        put_fixed(&text, precision, keep_point);
        break;
    case 'e':
        find_significant(&text, d, precision + 1);
        put_scientific(&text, precision, keep_point, letter);
        break;
    case 'g':
        if (precision == 0) precision = 1;
        find_significant(&text, d, precision);
        put_general(&text, precision, keep_point, add_dot, letter);
        break;
    default: put_repr(&text, d, keep_point, add_dot);
    }
    span->size = (size_t)(text.at - start);
    return true;
}

/* ---- float ---- */

static bool all_zero(TextSpan text) {
    for (size_t i = 0; i < text.size && (text.data[i] | 32) != 'e'; i++)
        if (text.data[i] >= '1') return false;
    return true;
}

static size_t digit_run(TextSpan text, size_t from) {
    size_t at = from;
    while (at < text.size && ascii_is(text.data[at], ASCII_DIGIT))
        at++;
    return at - from;
}

static void put_double_text(StrBuilder *out, const FormatSpec *spec, TextSpan text, bool negative) {
    if (negative && spec->no_negative_zero && all_zero(text)) negative = false;
    size_t whole = digit_run(text, 0);
    NumberParts parts = {.sign = negative ? '-' : 0, .digits = {text.data, whole}};
    parts.rest = (TextSpan){text.data + whole, text.size - whole};
    parts.rest_length = (int64_t)parts.rest.size;
    if (parts.rest.size && parts.rest.data[0] == '.') {
        parts.fraction_start = 1;
        parts.fraction_size = digit_run(parts.rest, 1);
    }
    format_put_number(out, spec, &parts);
}

/* The spec's type as format_double wants it, with the precision that it stands for. */
static char double_type(const FormatSpec *spec, int64_t *precision, bool *add_dot) {
    *precision = spec->precision < 0 ? 6 : spec->precision;
    *add_dot = spec->type == 0;
    if (spec->type == 0) {
        if (spec->precision < 0) *precision = 0;
        return spec->precision < 0 ? 'r' : 'g';
    }
    return spec->type == 'n' ? 'g' : spec->type == '%' ? 'f' : (char)spec->type;
}

static bool put_double(StrBuilder *out, const FormatSpec *spec, double d) {
    GenVM *vm = out->vm;
    if (spec->precision > INT_MAX) return raise_value(vm, "precision too big"), false;
    if (spec->type == '%') d *= 100;
    Scratch scratch;
    TextSpan text;
    int64_t precision;
    bool add_dot;
    char type = double_type(spec, &precision, &add_dot);
    if (!format_double(vm, &scratch, d, type, precision, spec->alternate, add_dot, &text))
        return false;
    if (spec->type == '%') ((char *)(uintptr_t)text.data)[text.size++] = '%';
    put_double_text(out, spec, text, signbit(d) && !isnan(d));
    scratch_free(&scratch);
    return !out->failed;
}

static bool is_double_code(uint32_t type) {
    return type == 0 || (type < 128 && strchr("eEfFgGn%", (int)type));
}

Value format_float_spec(GenVM *vm, Value v, Value text) {
    if (AS_STR(text)->size == 0) return value_str(vm, v);
    FormatSpec spec;
    if (!format_parse_spec(vm, &spec, text, v, 0, '>')) return VALUE_ERROR;
    if (!is_double_code(spec.type)) return format_unknown_code(vm, spec.type, v), VALUE_ERROR;
    StrBuilder out;
    builder_init_work(&out, vm);
    if (put_double(&out, &spec, value_float(v))) return builder_finish(&out);
    builder_drop(&out);
    return VALUE_ERROR;
}

Value format_int_spec(GenVM *vm, Value v, Value text) {
    if (AS_STR(text)->size == 0) return value_str(vm, v);
    FormatSpec spec;
    if (!format_parse_spec(vm, &spec, text, v, 'd', '>')) return VALUE_ERROR;
    bool is_integer = spec.type < 128 && spec.type && strchr("bcdoxXn", (int)spec.type);
    if (!is_integer && (!spec.type || !is_double_code(spec.type)))
        return format_unknown_code(vm, spec.type, v), VALUE_ERROR;
    double d = 0;
    if (!is_integer && !number_to_double(vm, v, &d)) return VALUE_ERROR;
    StrBuilder out;
    builder_init_work(&out, vm);
    if (is_integer ? put_int(&out, &spec, v) : put_double(&out, &spec, d))
        return builder_finish(&out);
    builder_drop(&out);
    return VALUE_ERROR;
}

/* ---- complex ---- */

static bool put_part(StrBuilder *out, const FormatSpec *spec, double d) {
    Scratch scratch;
    TextSpan text;
    int64_t precision;
    bool add_dot;
    char type = double_type(spec, &precision, &add_dot);
    if (!format_double(out->vm, &scratch, d, type, precision, spec->alternate, false, &text))
        return false;
    put_double_text(out, spec, text, signbit(d) && !isnan(d));
    scratch_free(&scratch);
    return !out->failed;
}

static bool put_complex(StrBuilder *out, const FormatSpec *spec, double real, double imaginary) {
    FormatSpec part = *spec;
    bool only_imaginary = spec->type == 0 && real == 0 && !signbit(real),
         parentheses = spec->type == 0 && !only_imaginary;
    part.fill = ' ';
    part.align = '<';
    part.width = -1;
    if (parentheses) builder_put_byte(out, '(');
    if (!only_imaginary && !put_part(out, &part, real)) return false;
    if (!only_imaginary) part.sign = '+';
    if (!put_part(out, &part, imaginary)) return false;
    builder_put_byte(out, 'j');
    if (parentheses) builder_put_byte(out, ')');
    return !out->failed;
}

static Value format_complex(GenVM *vm, const FormatSpec *spec, double real, double imaginary) {
    StrBuilder inner, out;
    builder_init_work(&inner, vm);
    if (!put_complex(&inner, spec, real, imaginary)) {
        builder_drop(&inner);
        return VALUE_ERROR;
    }
    if (spec->width <= (int64_t)inner.size) return builder_finish(&inner);
    builder_init_work(&out, vm);
    format_put_padded(&out, spec, (TextSpan){inner.data, inner.size}, (int64_t)inner.size);
    builder_drop(&inner);
    return builder_finish(&out);
}

Value format_complex_spec(GenVM *vm, Value v, Value text) {
    double real, imaginary;
    if (AS_STR(text)->size == 0) return value_str(vm, v);
    complex_parts(v, &real, &imaginary);
    FormatSpec spec;
    if (!format_parse_spec(vm, &spec, text, v, 0, '>')) return VALUE_ERROR;
    if (!is_double_code(spec.type) || spec.type == '%')
        return format_unknown_code(vm, spec.type, v), VALUE_ERROR;
    if (spec.precision > INT_MAX) return raise_value(vm, "precision too big");
    if (spec.fill == '0')
        return raise_value(vm, "Zero padding is not allowed in complex format specifier");
    if (spec.align == '=')
        return raise_value(vm, "'=' alignment flag is not allowed in complex format specifier");
    return format_complex(vm, &spec, real, imaginary);
}
