/* hex.c - bytes as hexadecimal digits and back, for the methods hex() and fromhex(). */
#include "vm/objects/text.h"

enum { NO_SEPARATOR = -1 };

/* The separator byte, or NO_SEPARATOR. False: an error is pending. */
static bool take_separator(GenVM *vm, Value v, int *separator) {
    TextSpan span = {"", 0};
    *separator = NO_SEPARATOR;
    if (v == VALUE_UNSET) return true;
    Value length = value_len(vm, v);
    if (length == VALUE_TAIL) native_drop_tail(vm);
    if (length == VALUE_ERROR) return false;
    if (length != int_value(1) && length != VALUE_TAIL)
        return raise_value(vm, "sep must be length 1."), false;
    if (value_is_str(v))
        span = str_span(v);
    else if (is_kind(v, TYPE_BYTES))
        span.data = bytes_data(v, &span.size);
    else
        return raise_type(vm, "sep must be str or bytes."), false;
    if ((unsigned char)*span.data >= 0x80) return raise_value(vm, "sep must be ASCII."), false;
    *separator = (unsigned char)*span.data;
    return true;
}

static char *put_digits(char *out, uint8_t byte) {
    *out++ = "0123456789abcdef"[byte >> 4];
    *out++ = "0123456789abcdef"[byte & 15];
    return out;
}

Value bytes_to_hex(GenVM *vm, TextSpan data, Value separator_arg, Value group_arg) {
    int separator;
    int64_t group;
    if (!take_separator(vm, separator_arg, &separator)) return VALUE_ERROR;
    if (!int_to_i64(group_arg, &group) || group > INT32_MAX || group < INT32_MIN)
        return raise_overflow(vm, "Python int too large to convert to C int");
    if (data.size == 0) return vm->empty_str;
    size_t every =
        separator == NO_SEPARATOR || !group ? SIZE_MAX : (size_t)(group < 0 ? -group : group);
    size_t size = data.size * 2 + (data.size - 1) / every;
    if (!gc_check_size(vm, size) || !text_charge(vm, size)) return VALUE_ERROR;
    Str *str = str_alloc(vm, size, (uint32_t)size, STR_ASCII);
    if (!str) return VALUE_ERROR;
    char *out = (char *)str->data;
    /* groups are counted from the right, from the left when the argument is negative */
    size_t left = group < 0 || every == SIZE_MAX ? every : (data.size - 1) % every + 1;
    for (size_t i = 0; i < data.size; i++, left--) {
        if (!native_glance(vm, i)) return VALUE_ERROR;
        if (left == 0) {
            *out++ = (char)separator;
            left = every;
        }
        out = put_digits(out, (uint8_t)data.data[i]);
    }
    return object_value(str);
}

static int digit_value(char c) {
    if (ascii_is(c, ASCII_DIGIT)) return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool bytes_from_hex(GenVM *vm, Value text, StrBuilder *out) {
    TextSpan span;
    if (value_is_str(text))
        span = str_span(text);
    else if (!bytes_find_span(vm, text, &span))
        return raise_type(vm, "fromhex() argument must be str or bytes-like, not %T", text), false;
    if (!text_charge(vm, span.size)) return false;
    bool is_text = value_is_str(text);
    size_t bad =
        is_text && !str_is_ascii(AS_STR(text)) ? text_ascii_prefix(span.data, span.size) : SIZE_MAX;
    for (size_t i = 0; i < span.size && bad == SIZE_MAX;) {
        if (ascii_is(span.data[i], ASCII_SPACE)) {
            if (!native_glance(vm, i++)) return false;
            continue;
        }
        int high = digit_value(span.data[i]),
            low = i + 1 < span.size ? digit_value(span.data[i + 1]) : -1;
        if (high >= 0 && i + 1 == span.size)
            return raise_value(vm,
                               "fromhex() arg must contain an even number of hexadecimal digits"),
                   false;
        if (high < 0 || low < 0)
            bad = i + (high >= 0);
        else if (!builder_put_byte(out, (char)(high << 4 | low)))
            return false;
        i += 2;
    }
    if (bad == SIZE_MAX) return true;
    return raise_value(vm, "non-hexadecimal number found in fromhex() arg at position %zu", bad),
           false;
}
