/* str_format.c - printf for text that may contain values: what error messages and reprs are made
 * with.
 *
 * Conversions are printf's, each handed to snprintf one at a time with its own flags, plus %V %S %T
 * %N (error.h). A %s is UTF-8 and is copied as it is, cut by its precision at a code point border.
 */
#include "vm/identity.h"
#include "vm/objects/text.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct FormatArgs { /* a va_list that functions can take from */
    va_list list;
} FormatArgs;

/* A repr that cannot be had without script code, or fails, is replaced by <TYPE object>. */
static void put_value(StrBuilder *builder, Value v, Value (*text_of)(GenVM *vm, Value v)) {
    GenVM *vm = builder->vm;
    if (v == VALUE_ERROR && vm->exception != VALUE_UNSET) { /* it could not be made */
        builder_put_str(builder, v);
        return;
    }
    if (v == VALUE_UNSET || v == VALUE_ERROR) {
        builder_put_c(builder, "?");
        return;
    }
    if (text_of == leaf_str && value_is_str(v)) {
        builder_put_str(builder, v);
        return;
    }
    Value pending = vm->exception, text = VALUE_ERROR;
    if (native_enter(vm)) { /* a file may be its own name */
        text = text_of(vm, v);
        native_leave(vm);
    }
    if (text == VALUE_TAIL) native_drop_tail(vm);
    if (text == VALUE_ERROR && error_matches(vm, EXC_MEMORY_ERROR)) {
        builder_put_str(builder, VALUE_ERROR); /* another text would not be the same */
        return;
    }
    if (text == VALUE_ERROR) {
        error_clear(vm);
        vm->exception = pending;
    }
    if (text != VALUE_TAIL && text != VALUE_ERROR) {
        builder_put_str(builder, text);
        return;
    }
    builder_put_byte(builder, '<');
    builder_put_c(builder, type_name(vm, v));
    builder_put_c(builder, " object>");
}

static void put_type(StrBuilder *builder, const Type *type) {
    GenVM *vm = builder->vm;
    Value before = vm->exception;
    const char *name = type_text(vm, type);
    if (vm->exception == before)
        builder_put_c(builder, name);
    else
        builder_put_str(builder, VALUE_ERROR);
}

static void put_text(StrBuilder *builder, const char *text, long precision) {
    if (!text) text = "(null)";
    size_t size = precision < 0 ? strlen(text) : strnlen(text, (size_t)precision);
    while (size && text[size] && utf8_is_tail(text[size]))
        size--;
    builder_add(builder, text, size);
}

/* The length modifiers, as the number of bytes that the argument has. */
static int take_size(const char **at) {
    int size = sizeof(int);
    for (;; ++*at) {
        if (**at == 'l' || **at == 'j' || **at == 'z' || **at == 't')
            size = 8;
        else if (**at != 'h')
            return size;
    }
}

enum { SPEC_MAX = 32 };

/* Prints one number with `flags` (of `flags_size`, up to the length modifier). */
static void put_number(StrBuilder *builder, const char *flags, size_t flags_size, int size,
                       char conversion, FormatArgs *args) {
    char spec[SPEC_MAX + 4], out[512];
    memcpy(spec, flags, flags_size);
    bool is_real = strchr("eEfFgGaA", conversion) != NULL,
         is_signed = conversion == 'd' || conversion == 'i';
    char *end = spec + flags_size;
    if (!is_real && conversion != 'p') {
        *end++ = 'l';
        *end++ = 'l';
    }
    *end++ = conversion;
    *end = 0;
    int written;
    if (is_real)
        written = snprintf(out, sizeof out, spec, va_arg(args->list, double));
    else if (conversion == 'p')
        written =
            snprintf(out, sizeof out, "0x%llx",
                     (unsigned long long)identity_of(builder->vm, va_arg(args->list, void *)));
    else if (size == 8)
        written = snprintf(out, sizeof out, spec, va_arg(args->list, long long));
    else if (is_signed)
        written = snprintf(out, sizeof out, spec, (long long)va_arg(args->list, int));
    else
        written = snprintf(out, sizeof out, spec, (long long)va_arg(args->list, unsigned));
    builder_add(builder, out, (size_t)written < sizeof out ? (size_t)written : sizeof out - 1);
}

/* Copies flags, width and precision into spec, with the values of `*`; *precision is -1 when there
 * is none. */
static size_t take_flags(const char **at, FormatArgs *args, char *spec, long *precision) {
    size_t size = 0;
    spec[size++] = '%';
    *precision = -1;
    bool after_point = false;
    for (; strchr("-+ #0123456789.*", **at) && **at && size + 12 < SPEC_MAX; ++*at) {
        if (**at == '*') {
            int n = va_arg(args->list, int);
            size += (size_t)sprintf(spec + size, "%d", n);
            if (after_point) *precision = n;
            continue;
        }
        if (after_point && ascii_is(**at, ASCII_DIGIT)) *precision = *precision * 10 + (**at - '0');
        if (**at == '.') {
            after_point = true;
            *precision = 0;
        }
        spec[size++] = **at;
    }
    return size;
}

static void put_conversion(StrBuilder *builder, const char **at, FormatArgs *args) {
    char spec[SPEC_MAX];
    long precision;
    size_t spec_size = take_flags(at, args, spec, &precision);
    int size = take_size(at);
    char conversion = *(*at)++;
    switch (conversion) {
    case '%': builder_put_byte(builder, '%'); break;
    case 'c': builder_put_char(builder, (uint32_t)va_arg(args->list, int)); break;
    case 's': put_text(builder, va_arg(args->list, const char *), precision); break;
    case 'V': put_value(builder, va_arg(args->list, Value), leaf_repr); break;
    case 'S': put_value(builder, va_arg(args->list, Value), leaf_str); break;
    case 'T': put_type(builder, type_of(builder->vm, va_arg(args->list, Value))); break;
    case 'N': put_type(builder, va_arg(args->list, Type *)); break;
    default: put_number(builder, spec, spec_size, size, conversion, args); break;
    }
}

static void put_all(StrBuilder *builder, const char *format, FormatArgs *args) {
    while (*format) {
        const char *percent = strchrnul(format, '%');
        builder_add(builder, format, (size_t)(percent - format));
        if (!*percent) return;
        format = percent + 1;
        put_conversion(builder, &format, args);
    }
}

Value str_format_list(GenVM *vm, const char *format, va_list list) {
    FormatArgs args;
    va_copy(args.list, list);
    StrBuilder builder;
    builder_init_work(&builder, vm);
    put_all(&builder, format, &args);
    va_end(args.list);
    return builder_finish(&builder);
}

Value str_format(GenVM *vm, const char *format, ...) {
    va_list list;
    va_start(list, format);
    Value str = str_format_list(vm, format, list);
    va_end(list);
    return str;
}

bool builder_put_format(StrBuilder *builder, const char *format, ...) {
    FormatArgs args;
    va_start(args.list, format);
    put_all(builder, format, &args);
    va_end(args.list);
    return !builder->failed;
}
