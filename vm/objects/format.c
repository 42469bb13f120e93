/* format.c - format(): the mini-language of format specs, padding, and the formatting of str.
 *
 * A value that is exactly of a builtin number type or a str, with an empty spec, which is what most
 * fields of f-strings are, goes straight to its text.
 */
#include "vm/objects/format.h"

/* ---- the spec ---- */

typedef struct SpecReader {
    GenVM *vm;
    const char *at, *end;
} SpecReader;

static char peek(const SpecReader *reader) {
    return reader->at < reader->end ? *reader->at : 0;
}
static bool more(const SpecReader *reader) {
    return reader->at < reader->end;
}

static bool take(SpecReader *reader, char c) {
    if (!more(reader) || *reader->at != c) return false;
    reader->at++;
    return true;
}

static bool is_align(char c) {
    return c == '<' || c == '>' || c == '=' || c == '^';
}

static void read_align(SpecReader *reader, FormatSpec *spec, bool *has_fill, bool *has_align) {
    const char *next = reader->at;
    if (!more(reader)) return;
    uint32_t first = utf8_take(&next);
    if (next < reader->end && is_align(*next)) {
        spec->fill = first;
        spec->align = *next;
        *has_fill = *has_align = true;
        reader->at = next + 1;
    } else if (is_align(*reader->at)) {
        spec->align = *reader->at++;
        *has_align = true;
    }
}

/* -1 when there are no digits; false: more than fit. */
static bool read_number(SpecReader *reader, int64_t *number) {
    *number = -1;
    while (more(reader) && ascii_is(*reader->at, ASCII_DIGIT)) {
        if (*number < 0) *number = 0;
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, *reader->at - '0', number)) {
            raise_value(reader->vm, "Too many decimal digits in format string");
            return false;
        }
        reader->at++;
    }
    return true;
}

static bool read_group(SpecReader *reader, char *group) {
    if (take(reader, ',')) *group = ',';
    bool both = false;
    if (peek(reader) == '_') {
        both = *group != 0;
        reader->at++;
        *group = '_';
    }
    if (both || (*group == '_' && peek(reader) == ',')) {
        raise_value(reader->vm, "Cannot specify both ',' and '_'.");
        return false;
    }
    return true;
}

static bool read_precision(SpecReader *reader, FormatSpec *spec) {
    if (!take(reader, '.')) return true;
    if (!read_number(reader, &spec->precision) || !read_group(reader, &spec->fraction_group))
        return false;
    if (spec->precision >= 0 || spec->fraction_group) return true;
    raise_value(reader->vm, "Format specifier missing precision");
    return false;
}

static bool group_fits(GenVM *vm, char group, uint32_t type, const char *types) {
    if (!group || type == 0 || (type < 128 && strchr(types, (int)type))) return true;
    if (group == '_' && type < 128 && strchr("boxX", (int)type) && strchr(types, 'd')) return true;
    if (type > 32 && type < 128)
        raise_value(vm, "Cannot specify '%c' with '%c'.", group, (int)type);
    else
        raise_value(vm, "Cannot specify '%c' with '\\x%x'.", group, type);
    return false;
}

bool format_parse_spec(GenVM *vm, FormatSpec *spec, Value text, Value v, char default_type,
                       char default_align) {
    TextSpan span = str_span(text);
    SpecReader reader = {vm, span.data, span.data + span.size};
    bool has_fill = false, has_align = false;
    *spec = (FormatSpec){.fill = ' ', .align = default_align, .width = -1, .precision = -1};
    spec->type = (unsigned char)default_type;
    read_align(&reader, spec, &has_fill, &has_align);
    if (peek(&reader) == '+' || peek(&reader) == '-' || peek(&reader) == ' ')
        spec->sign = *reader.at++;
    spec->no_negative_zero = take(&reader, 'z');
    spec->alternate = take(&reader, '#');
    if (!has_fill && take(&reader, '0')) {
        spec->fill = '0';
        if (!has_align && default_align == '>') spec->align = '=';
    }
    if (!read_number(&reader, &spec->width) || !read_group(&reader, &spec->group)) return false;
    if (!read_precision(&reader, spec)) return false;
    if (more(&reader)) spec->type = utf8_take(&reader.at);
    if (more(&reader)) {
        raise_value(vm, "Invalid format specifier '%S' for object of type '%T'", text, v);
        return false;
    }
    return group_fits(vm, spec->group, spec->type, "defgEG%F") &&
           group_fits(vm, spec->fraction_group, spec->type, "efgEG%F");
}

bool format_unknown_code(GenVM *vm, uint32_t code, Value v) {
    if (code > 32 && code < 128)
        raise_value(vm, "Unknown format code '%c' for object of type '%T'", (int)code, v);
    else
        raise_value(vm, "Unknown format code '\\x%x' for object of type '%T'", code, v);
    return false;
}

/* ---- padding ---- */

void format_put_fill(StrBuilder *out, uint32_t fill, int64_t count) {
    char unit[4];
    unsigned width = utf8_put(unit, fill);
    if (count > 4096 && (!gc_check_size(out->vm, (uint64_t)count * width) ||
                         !native_work(out->vm, (uint64_t)count / 16))) {
        out->failed = true;
        return;
    }
    char run[64];
    if (width == 1) {
        memset(run, (int)fill, sizeof run);
        for (; count > (int64_t)sizeof run; count -= (int64_t)sizeof run)
            if (!builder_add(out, run, sizeof run)) return;
        if (count > 0) builder_add(out, run, (size_t)count);
        return;
    }
    while (count-- > 0)
        if (!builder_add(out, unit, width)) return;
}

void format_put_padded(StrBuilder *out, const FormatSpec *spec, TextSpan text, int64_t length) {
    int64_t padding = spec->width > length ? spec->width - length : 0;
    int64_t before = spec->align == '<' ? 0 : spec->align == '^' ? padding / 2 : padding;
    format_put_fill(out, spec->fill, before);
    builder_add(out, text.data, text.size);
    format_put_fill(out, spec->fill, padding - before);
}

/* ---- str ---- */

static const char *refused_for_str(const FormatSpec *spec) {
    if (spec->sign == ' ') return "Space not allowed in string format specifier";
    if (spec->sign) return "Sign not allowed in string format specifier";
    if (spec->no_negative_zero)
        return "Negative zero coercion (z) not allowed in string format specifier";
    if (spec->alternate) return "Alternate form (#) not allowed in string format specifier";
    if (spec->align == '=') return "'=' alignment not allowed in string format specifier";
    return NULL;
}

Value format_str_spec(GenVM *vm, Value v, Value text) {
    if (AS_STR(text)->size == 0) return is_exact(v, TYPE_STR) ? v : value_str(vm, v);
    FormatSpec spec;
    if (!format_parse_spec(vm, &spec, text, v, 's', '<')) return VALUE_ERROR;
    if (spec.type != 's') return format_unknown_code(vm, spec.type, v), VALUE_ERROR;
    const char *refused = refused_for_str(&spec);
    if (refused) return raise_value(vm, "%s", refused);
    TextSpan span = str_span(v);
    int64_t length = AS_STR(v)->length;
    if (spec.precision >= 0 && spec.precision < length) {
        length = spec.precision;
        span.size = str_offset(vm, AS_STR(v), length);
    } else if (spec.width <= length) {
        return str_exact(vm, v);
    }
    StrBuilder out;
    builder_init_work(&out, vm);
    format_put_padded(&out, &spec, span, length);
    return builder_finish(&out);
}

/* ---- any value ---- */

Value format_value(GenVM *vm, Value v, Value spec) {
    bool is_text = is_exact(v, TYPE_STR);
    if (!is_int(v) && !is_float(v) && !is_text) return value_format(vm, v, spec);
    if (AS_STR(spec)->size == 0)
        return is_text ? v : is_int(v) ? int_repr(vm, v) : float_repr(vm, as_float(v));
    Value quick = format_quick(vm, v, spec);
    if (likely(quick != VALUE_UNSET)) return quick;
    return is_text     ? format_str_spec(vm, v, spec)
           : is_int(v) ? format_int_spec(vm, v, spec)
                       : format_float_spec(vm, v, spec);
}
