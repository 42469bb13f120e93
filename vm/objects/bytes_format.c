/* bytes_format.c - template % args for bytes and bytearray.
 *
 * The fields are read here; numbers and reprs are formatted by the % of str, whose result is ASCII.
 * Arguments that need script code (__bytes__, __index__, __repr__, a mapping of their own) are
 * first turned into plain ones by a twin, which asks bytes_format_fields what the template wants.
 */
#include "vm/objects/text.h"

typedef struct Field {
    size_t start,
        end; /* the field in the template, without its key: from behind the key to the conversion */
    TextSpan key; /* data NULL: none */
    bool star_width, star_precision;
    char conversion;
} Field;

typedef struct Template {
    GenVM *vm;
    TextSpan text;
    size_t at;
} Template;

static bool fail(Value error) {
    (void)error;
    return false;
}

static bool more(const Template *t) {
    return t->at < t->text.size;
}
static char next_char(const Template *t) {
    return t->text.data[t->at];
}

static bool take_key(Template *t, Field *field, bool is_mapping) {
    field->key = (TextSpan){NULL, 0};
    if (!more(t) || next_char(t) != '(') return true;
    if (!is_mapping) return fail(raise_type(t->vm, "format requires a mapping"));
    size_t start = ++t->at, depth = 1;
    for (; more(t); t->at++) {
        depth += next_char(t) == '(';
        if (next_char(t) == ')' && --depth == 0) break;
    }
    if (!more(t)) return fail(raise_value(t->vm, "incomplete format key"));
    field->key = (TextSpan){t->text.data + start, t->at++ - start};
    return true;
}

static void take_digits(Template *t, bool *star) {
    *star = more(t) && next_char(t) == '*';
    if (*star) t->at++;
    while (!*star && more(t) && ascii_is(next_char(t), ASCII_DIGIT))
        t->at++;
}

/* The field behind a %, whose position is t->at - 1. */
static bool take_field(Template *t, Field *field, bool is_mapping) {
    if (!take_key(t, field, is_mapping)) return false;
    field->start = t->at;
    field->star_precision = false;
    while (more(t) && strchr("-+ #0", next_char(t)) && next_char(t))
        t->at++;
    take_digits(t, &field->star_width);
    if (more(t) && next_char(t) == '.') {
        t->at++;
        take_digits(t, &field->star_precision);
    }
    field->end = t->at;
    while (more(t) && strchr("hlL", next_char(t)) && next_char(t))
        t->at++;
    if (!more(t)) return fail(raise_value(t->vm, "incomplete format"));
    field->conversion = next_char(t);
    t->at++;
    return true;
}

static bool check_conversion(const Template *t, char conversion) {
    unsigned char c = (unsigned char)conversion;
    if (c && strchr("%sbradiuoxXeEfFgGc", c)) return true;
    return fail(raise_value(t->vm, "unsupported format character '%c' (0x%x) at index %zu", c, c,
                            t->at - 1));
}

/* ---- formatting ---- */

typedef struct Arguments {
    Value all;     /* what stands right of the % */
    Value mapping; /* VALUE_UNSET unless it can be looked up in */
    Tuple *tuple;  /* NULL: one argument */
    uint64_t used;
} Arguments;

static Leaf script_or_error(Value v) {
    return v == VALUE_TAIL ? LEAF_SCRIPT : LEAF_ERROR;
}

static Leaf next_argument(GenVM *vm, Arguments *args, Value *v) {
    uint64_t count = args->tuple ? args->tuple->count : 1;
    if (args->used >= count) {
        raise_type(vm, "not enough arguments for format string");
        return LEAF_ERROR;
    }
    *v = args->tuple ? args->tuple->items[args->used] : args->all;
    args->used++;
    return LEAF_TRUE;
}

static Leaf named_argument(GenVM *vm, Arguments *args, TextSpan key, Value *v) {
    args->used = UINT64_MAX;
    args->tuple = NULL;
    Value name = bytes_new(vm, key.data, key.size);
    if (name == VALUE_ERROR) return LEAF_ERROR;
    if (!is_exact(args->mapping, TYPE_DICT)) return LEAF_SCRIPT;
    Leaf leaf = dict_get(vm, AS_DICT(args->mapping), name, v);
    if (leaf == LEAF_FALSE) {
        raise_key(vm, name);
        return LEAF_ERROR;
    }
    return leaf;
}

/* A `*`: an int argument, written out into the field. */
static Leaf put_star(GenVM *vm, Arguments *args, StrBuilder *spec, const char *c_type) {
    Value v;
    if (next_argument(vm, args, &v) != LEAF_TRUE) return LEAF_ERROR;
    if (!value_is_intlike(v)) {
        raise_type(vm, "* wants int");
        return LEAF_ERROR;
    }
    int64_t i;
    if (!int_to_i64(v, &i) || i > INT32_MAX || i < -INT32_MAX) {
        raise_overflow(vm, "Python int too large to convert to C %s", c_type);
        return LEAF_ERROR;
    }
    builder_put_format(spec, "%lld", (long long)i);
    return LEAF_TRUE;
}

/* Flags, width and precision with the stars filled in. */
static Leaf put_spec(GenVM *vm, const Template *t, const Field *field, Arguments *args,
                     StrBuilder *spec) {
    for (size_t i = field->start; i < field->end; i++) {
        if (t->text.data[i] != '*')
            builder_put_byte(spec, t->text.data[i]);
        else if (put_star(vm, args, spec,
                          spec->size > 1 && spec->data[spec->size - 1] == '.'
                              ? "int"
                              : "ssize_t") != LEAF_TRUE)
            return LEAF_ERROR;
    }
    return spec->failed ? LEAF_ERROR : LEAF_TRUE;
}

/* By the % of str, with `conversion` in place of the field's. */
static Leaf put_by_str(GenVM *vm, StrBuilder *spec, char conversion, Value v, StrBuilder *out) {
    builder_put_byte(spec, conversion);
    Value template = str_new(vm, spec->data, spec->size), args = tuple_pack(vm, 1, v);
    if (template == VALUE_ERROR || args == VALUE_ERROR) return LEAF_ERROR;
    Value text = format_percent(vm, template, args);
    if (text == VALUE_TAIL) native_drop_tail(vm);
    if (text == VALUE_TAIL || text == VALUE_ERROR) return script_or_error(text);
    return builder_put_str(out, text) ? LEAF_TRUE : LEAF_ERROR;
}

static Leaf byte_of_char(GenVM *vm, Value v, TextSpan *span, uint8_t *byte) {
    *span = (TextSpan){(char *)byte, 1};
    if (is_kind(v, TYPE_BYTES) || is_kind(v, TYPE_BYTEARRAY)) {
        TextSpan given;
        bytes_find_span(vm, v, &given);
        *byte = given.size ? (uint8_t)*given.data : 0;
        if (given.size == 1) return LEAF_TRUE;
        raise_type(
            vm,
            "%%c requires an integer in range(256) or a single byte, not a %T object of length %zu",
            v, given.size);
        return LEAF_ERROR;
    }
    int64_t i;
    if (value_is_intlike(v)) {
        *byte = 0;
        if (int_to_i64(v, &i) && i >= 0 && i <= 255) return *byte = (uint8_t)i, LEAF_TRUE;
        raise_overflow(vm, "%%c arg not in range(256)");
        return LEAF_ERROR;
    }
    if (text_has_index(vm, v)) return LEAF_SCRIPT;
    raise_type(vm, "%%c requires an integer in range(256) or a single byte, not %T", v);
    return LEAF_ERROR;
}

/* A precision cuts (not for %c), a width pads with spaces. `spec` is the % and what is to be
 * obeyed. */
static Leaf put_padded(StrBuilder *spec, TextSpan span, bool cut, StrBuilder *out) {
    bool left = false;
    size_t width = 0, i = 1;
    builder_put_byte(spec, 0);
    for (; strchr("-+ #0", spec->data[i]) && spec->data[i]; i++)
        left |= spec->data[i] == '-';
    if (spec->data[i] == '-') left = true, i++;
    for (; ascii_is(spec->data[i], ASCII_DIGIT) && width < STR_SIZE_MAX; i++)
        width = width * 10 + (size_t)(spec->data[i] - '0');
    if (spec->data[i] == '.' && cut) {
        size_t precision = 0;
        for (i++; ascii_is(spec->data[i], ASCII_DIGIT) && precision < STR_SIZE_MAX; i++)
            precision = precision * 10 + (size_t)(spec->data[i] - '0');
        if (span.size > precision) span.size = precision;
    }
    size_t pad = width > span.size ? width - span.size : 0;
    if (!gc_check_size(out->vm, pad)) return LEAF_ERROR;
    if (left) builder_put(out, span.data, span.size);
    for (size_t n = 0; n < pad && !out->failed; n++)
        builder_put_byte(out, ' ');
    if (!left) builder_put(out, span.data, span.size);
    return out->failed ? LEAF_ERROR : LEAF_TRUE;
}

static Leaf put_value(GenVM *vm, const Field *field, Value v, StrBuilder *spec, StrBuilder *out) {
    TextSpan span;
    uint8_t byte;
    switch (field->conversion) {
    case 'r':
    case 'a': return put_by_str(vm, spec, 'a', v, out);
    case 'b':
    case 's':
        if (type_special(vm, v, SP_BYTES) != VALUE_UNSET) return LEAF_SCRIPT;
        if (bytes_find_span(vm, v, &span)) return put_padded(spec, span, true, out);
        raise_type(
            vm,
            "%%b requires a bytes-like object, or an object that implements __bytes__, not '%T'",
            v);
        return LEAF_ERROR;
    case 'c': {
        Leaf leaf = byte_of_char(vm, v, &span, &byte);
        return leaf == LEAF_TRUE ? put_padded(spec, span, false, out) : leaf;
    }
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        if (!value_is_float(v) && !value_is_intlike(v) &&
            type_special(vm, v, SP_FLOAT) == VALUE_UNSET && !text_has_index(vm, v)) {
            raise_type(vm, "float argument required, not %T", v);
            return LEAF_ERROR;
        }
        return put_by_str(vm, spec, field->conversion, v, out);
    case 'i': return put_by_str(vm, spec, 'd', v, out);
    default: return put_by_str(vm, spec, field->conversion, v, out);
    }
}

static Leaf put_field(Template *t, Arguments *args, StrBuilder *out) {
    GenVM *vm = t->vm;
    Field field;
    Value v = VALUE_UNSET;
    if (!take_field(t, &field, args->mapping != VALUE_UNSET)) return LEAF_ERROR;
    Leaf leaf = field.key.data ? named_argument(vm, args, field.key, &v) : LEAF_TRUE;
    if (leaf != LEAF_TRUE) return leaf;
    StrBuilder spec;
    builder_init_work(&spec, vm);
    builder_put_byte(&spec, '%');
    leaf = put_spec(vm, t, &field, args, &spec);
    if (leaf == LEAF_TRUE && field.conversion == '%')
        builder_put_byte(out, '%');
    else if (leaf == LEAF_TRUE && !field.key.data)
        leaf = next_argument(vm, args, &v);
    if (leaf == LEAF_TRUE && !check_conversion(t, field.conversion)) leaf = LEAF_ERROR;
    if (leaf == LEAF_TRUE && field.conversion != '%') leaf = put_value(vm, &field, v, &spec, out);
    builder_drop(&spec);
    return leaf;
}

static bool is_mapping(GenVM *vm, Value v) {
    if (is_kind(v, TYPE_TUPLE) || is_kind(v, TYPE_BYTES) || is_kind(v, TYPE_BYTEARRAY) ||
        value_is_str(v))
        return false;
    return type_of(vm, v)->slots.getitem || type_special(vm, v, SP_GETITEM) != VALUE_UNSET;
}

static Leaf format_all(Template *t, Arguments *args, StrBuilder *out) {
    while (more(t)) {
        const char *start = t->text.data + t->at,
                   *percent = memchr(start, '%', t->text.size - t->at);
        size_t size = percent ? (size_t)(percent - start) : t->text.size - t->at;
        if (!builder_put(out, start, size)) return LEAF_ERROR;
        t->at += size;
        if (!percent) break;
        t->at++;
        Leaf leaf = put_field(t, args, out);
        if (leaf != LEAF_TRUE) return leaf;
    }
    bool left = args->tuple ? args->used < args->tuple->count
                            : args->used == 0 && args->mapping == VALUE_UNSET;
    if (!left) return LEAF_TRUE;
    raise_type(t->vm, "not all arguments converted during bytes formatting");
    return LEAF_ERROR;
}

Value bytes_format_percent(GenVM *vm, Value self, Value args) {
    Template t = {.vm = vm};
    t.text.data = bytes_data(self, &t.text.size);
    if (!text_charge(vm, t.text.size)) return VALUE_ERROR;
    Arguments arguments = {.all = args,
                           .mapping = is_mapping(vm, args) ? args : VALUE_UNSET,
                           .tuple = is_kind(args, TYPE_TUPLE) ? AS_TUPLE(args) : NULL};
    StrBuilder out;
    builder_init_work(&out, vm);
    Leaf leaf = format_all(&t, &arguments, &out);
    Value result = leaf == LEAF_TRUE     ? bytes_like_work(vm, self, out.data, out.size)
                   : leaf == LEAF_SCRIPT ? native_twin(vm, TWIN_BYTES_FORMAT, 2, self, args)
                                         : VALUE_ERROR;
    builder_drop(&out);
    return result;
}

/* ---- for the twin ---- */

static bool add_field(GenVM *vm, Value list, TextSpan key, char conversion) {
    Value name = key.data ? bytes_new(vm, key.data, key.size) : VALUE_NONE;
    if (name == VALUE_ERROR) return false;
    Value pair = tuple_pack(vm, 2, name, vm->characters[(unsigned char)conversion]);
    return pair != VALUE_ERROR && list_append(vm, list, pair);
}

/* (template without keys, [(key or None, conversion)]): stars are fields of their own, %% is none.
 * The template takes reprs as bytes. */
Value bytes_format_fields(GenVM *vm, Value *args) {
    if (!is_kind(args[0], TYPE_BYTES) && !is_kind(args[0], TYPE_BYTEARRAY))
        return raise_type(vm, "%T is no template", args[0]);
    Template t = {.vm = vm};
    Field field;
    StrBuilder plain;
    t.text.data = bytes_data(args[0], &t.text.size);
    Value list = list_new(vm, 0);
    if (list == VALUE_ERROR) return list;
    builder_init_work(&plain, vm);
    while (more(&t) && !plain.failed) {
        builder_put_byte(&plain, next_char(&t));
        if (t.text.data[t.at++] != '%') continue;
        if (!take_field(&t, &field, true)) plain.failed = true;
        if (plain.failed) break;
        builder_put(&plain, t.text.data + field.start, t.at - field.start - 1);
        builder_put_byte(
            &plain, field.conversion == 'r' || field.conversion == 'a' ? 's' : field.conversion);
        TextSpan none = {NULL, 0};
        bool added = (!field.star_width || add_field(vm, list, none, '*')) &&
                     (!field.star_precision || add_field(vm, list, none, '*')) &&
                     (field.conversion == '%' || add_field(vm, list, field.key, field.conversion));
        if (!added) plain.failed = true;
    }
    Value text = plain.failed ? VALUE_ERROR : bytes_like_work(vm, args[0], plain.data, plain.size);
    builder_drop(&plain);
    return text == VALUE_ERROR ? text : tuple_pack(vm, 2, text, list);
}
