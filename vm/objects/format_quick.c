/* format_quick.c - what most programs format: small ints, floats and strs by a spec of no more than
 * [align][0][width][.precision][type]. It is read and obeyed in one go; whatever is more, or wrong,
 * is left to the general way (format.c, format_number.c), which knows the errors, too.
 */
#include "vm/objects/format.h"

typedef struct QuickSpec {
    char align;    /* < > ^, 0: not given */
    char type;     /* 0: not given */
    bool zero;     /* zeros between sign and digits */
    int width;     /* 0: not given */
    int precision; /* -1: not given */
} QuickSpec;

static inline bool is_align(char c) {
    return c == '<' || c == '>' || c == '^' || c == '=';
}

/* Up to three digits; -1 when there are none. */
static inline int read_small(const char **at, const char *end) {
    int number = -1;
    for (int i = 0; i < 3 && *at < end && ascii_is(**at, ASCII_DIGIT); i++)
        number = (number < 0 ? 0 : number * 10) + (*(*at)++ - '0');
    return number;
}

static bool read_spec(QuickSpec *spec, TextSpan text) {
    const char *at = text.data, *end = at + text.size;
    *spec = (QuickSpec){.precision = -1};
    if (text.size > 1 && is_align(at[1])) return false; /* a fill */
    if (at < end && is_align(*at)) spec->align = *at++;
    if (at < end && *at == '0') {
        if (spec->align) return false;
        spec->zero = true;
        at++;
    }
    int width = read_small(&at, end);
    spec->width = width < 0 ? 0 : width;
    if (at < end && *at == '.') {
        at++;
        spec->precision = read_small(&at, end);
        if (spec->precision < 0) return false;
    }
    if (at < end) spec->type = *at++;
    return at == end && spec->align != '=';
}

/* ---- numbers ---- */

static size_t write_hex(char *out, uint64_t i, const char *digits) {
    size_t size = ((size_t)(63 - __builtin_clzll(i | 1)) >> 2) + 1;
    for (size_t at = size; at-- > 0; i >>= 4)
        out[at] = digits[i & 15];
    return size;
}

static inline bool is_negative(Value v) {
    return is_float(v) ? signbit(as_float(v)) != 0 : as_int(v) < 0;
}

/* The digits of the magnitude; 0: not here. */
static inline size_t write_magnitude(char *out, Value v, const QuickSpec *spec) {
    if (is_float(v)) {
        double d = as_float(v);
        if (spec->type != 'f' || spec->precision > 19) return 0;
        return format_write_places(out, d, spec->precision < 0 ? 6 : spec->precision);
    }
    int64_t i = as_int(v);
    uint64_t magnitude = i < 0 ? -(uint64_t)i : (uint64_t)i;
    if (spec->precision >= 0) return 0;
    switch (spec->type) {
    case 0:
    case 'd': return int_write_u64(out, magnitude);
    case 'x': return write_hex(out, magnitude, "0123456789abcdef");
    case 'X': return write_hex(out, magnitude, "0123456789ABCDEF");
    default: return 0;
    }
}

static inline size_t write_number(char *out, Value v, const QuickSpec *spec) {
    bool negative = is_negative(v);
    if (spec->width > FORMAT_QUICK_WIDTH) return 0;
    char *at = out + negative;
    size_t size = write_magnitude(at, v, spec), width = (size_t)spec->width;
    if (!size) return 0;
    out[0] = negative ? '-' : out[0];
    if (likely(width <= size + negative)) return size + negative;
    size_t padding = width - size - negative;
    size_t before = spec->align == '<' ? 0 : spec->align == '^' ? padding / 2 : padding;
    char *from = spec->zero ? at : out; /* zeros come behind the sign */
    memmove(from + before, from, (size_t)(at + size - from));
    memset(from, spec->zero ? '0' : ' ', before);
    memset(at + size + before, ' ', padding - before);
    return width;
}

size_t format_quick_number(char *out, Value v, TextSpan text) {
    QuickSpec spec;
    if (text.size == 0 && is_int(v)) return int_write_small(out, as_int(v));
    if ((!is_int(v) && !is_float(v)) || !read_spec(&spec, text)) return 0;
    return write_number(out, v, &spec);
}

/* ---- str ---- */

static void write_padded(char *out, const Str *str, size_t before, size_t after) {
    memset(out, ' ', before);
    text_copy(out + before, str->data, str->size);
    memset(out + before + str->size, ' ', after);
}

static Value padded_str(GenVM *vm, Value v, const QuickSpec *spec) {
    const Str *str = AS_STR(v);
    if ((spec->type && spec->type != 's') || spec->zero || spec->precision >= 0) return VALUE_UNSET;
    if ((uint32_t)spec->width <= str->length) return v;
    size_t padding = (size_t)spec->width - str->length;
    size_t before = spec->align == '>' ? padding : spec->align == '^' ? padding / 2 : 0;
    Str *padded = str_alloc(vm, str->size + padding, (uint32_t)spec->width,
                            str->header.flags & (STR_ASCII | STR_SURROGATES));
    if (unlikely(!padded)) return VALUE_ERROR;
    char *out = (char *)(padded + 1);
    write_padded(out, str, before, padding - before);
    return spec->width == 1 ? str_with_length(vm, out, padded->size, 1, padded->header.flags)
                            : object_value(padded);
}

/* ---- any of them ---- */

Value format_quick(GenVM *vm, Value v, Value text) {
    QuickSpec spec;
    if (!read_spec(&spec, str_span(text))) return VALUE_UNSET;
    if (!is_int(v) && !is_float(v)) return padded_str(vm, v, &spec);
    char out[FORMAT_QUICK_SIZE];
    size_t size = write_number(out, v, &spec);
    if (!size) return VALUE_UNSET;
    return str_with_length(vm, out, size, (uint32_t)size, STR_ASCII);
}

/* ---- fields of % ---- */

static inline bool read_percent(QuickSpec *spec, const char **at, const char *end) {
    *spec = (QuickSpec){.precision = -1};
    if (*at < end && **at == '-')
        spec->align = '<', ++*at;
    else if (*at < end && **at == '0')
        spec->zero = true, ++*at;
    int width = read_small(at, end);
    spec->width = width < 0 ? 0 : width;
    if (*at < end && **at == '.') {
        ++*at;
        spec->precision = read_small(at, end);
        if (spec->precision < 0) spec->precision = 0;
    }
    if (*at == end) return false;
    spec->type = *(*at)++;
    if (spec->type == 'i' || spec->type == 'u') spec->type = 'd';
    return true;
}

bool format_quick_percent(StrBuilder *out, Value v, const char **at, const char *end) {
    QuickSpec spec;
    const char *after = *at;
    if (!read_percent(&spec, &after, end)) return false;
    if (is_exact(v, TYPE_STR)) {
        const Str *str = AS_STR(v);
        if (spec.type != 's' || spec.zero || spec.precision >= 0) return false;
        size_t width = (size_t)spec.width;
        if (likely(width <= str->length)) {
            builder_add(out, str->data, str->size);
            *at = after;
            return true;
        }
        size_t padding = width - str->length;
        char *text = builder_reserve(out, str->size + padding);
        if (text) write_padded(text, str, spec.align ? 0 : padding, spec.align ? padding : 0);
    } else if (is_int(v) || is_float(v)) {
        char text[FORMAT_QUICK_SIZE];
        if (spec.type == 's' && is_int(v) && !spec.zero) spec.type = 'd';
        size_t size = write_number(text, v, &spec);
        if (!size) return false;
        builder_add(out, text, size);
    } else {
        return false;
    }
    *at = after;
    return true;
}
