/* format_percent.c - template % arguments for str.
 *
 * The template is read field by field and the text built as it goes. Where a value needs script
 * code for its text or its number, or the mapping is no plain dict, what is built is dropped and a
 * twin takes over: it asks percent_fields what each field wants, makes plain values of the
 * arguments, and comes back with them in a tuple.
 */
#include "vm/engine_module.h"
#include "vm/objects/format.h"

#include <limits.h>

typedef struct Template {
    GenVM *vm;
    const char *start, *at, *end;
    Value args; /* what stands right of the % */
    const Value *items;
    uint64_t count, next;
    bool is_mapping; /* may be looked up in by %(key)s, and need not be used up */
    bool plain;      /* arguments come from the twin: keys are positions already */
    bool used_key;
    StrBuilder out;
} Template;

typedef struct Field {
    bool left, plus, space, alternate, zero;
    int64_t width, precision; /* -1: not given */
    TextSpan key;             /* data NULL: none */
    bool star_width, star_precision;
    char type;
} Field;

/* ---- reading the template ---- */

static Leaf fail(Value error) {
    (void)error;
    return LEAF_ERROR;
}

static bool at_end(const Template *t) {
    return t->at >= t->end;
}

static Leaf read_key(Template *t, Field *field) {
    field->key = (TextSpan){NULL, 0};
    if (at_end(t) || *t->at != '(') return LEAF_TRUE;
    if (!t->is_mapping) return fail(raise_type(t->vm, "format requires a mapping"));
    const char *start = ++t->at;
    int depth = 1;
    for (; !at_end(t); t->at++) {
        depth += (*t->at == '(') - (*t->at == ')');
        if (depth == 0) break;
    }
    if (at_end(t)) return fail(raise_value(t->vm, "incomplete format key"));
    field->key = (TextSpan){start, (size_t)(t->at++ - start)};
    return LEAF_TRUE;
}

static void read_flags(Template *t, Field *field) {
    for (; !at_end(t); t->at++)
        switch (*t->at) {
        case '-': field->left = true; break;
        case '+': field->plus = true; break;
        case ' ': field->space = true; break;
        case '#': field->alternate = true; break;
        case '0': field->zero = true; break;
        default: return;
        }
}

static Leaf read_digits(Template *t, int64_t *number, int64_t most, const char *too_big) {
    for (; !at_end(t) && ascii_is(*t->at, ASCII_DIGIT); t->at++) {
        if (*number < 0) *number = 0;
        if (*number > (most - (*t->at - '0')) / 10) return fail(raise_value(t->vm, "%s", too_big));
        *number = *number * 10 + (*t->at - '0');
    }
    return LEAF_TRUE;
}

static Leaf next_argument(Template *t, Value *v) {
    if (t->next >= t->count || (t->used_key && !t->plain))
        return fail(raise_type(t->vm, "not enough arguments for format string"));
    *v = t->items[t->next++];
    return LEAF_TRUE;
}

/* The value of a `*`; the twin that reads fields only notes it. */
static Leaf read_star(Template *t, int64_t *number, bool *star, bool reading_only,
                      const char *c_type) {
    Value v;
    t->at++;
    *star = true;
    if (reading_only) return LEAF_TRUE;
    if (next_argument(t, &v) != LEAF_TRUE) return LEAF_ERROR;
    if (!value_is_intlike(v)) return fail(raise_type(t->vm, "* wants int"));
    if (!int_to_i64(v, number))
        return fail(raise_overflow(t->vm, "Python int too large to convert to C %s", c_type));
    return LEAF_TRUE;
}

static bool next_is(const Template *t, char c) {
    return !at_end(t) && *t->at == c;
}

static Leaf read_width(Template *t, Field *field, bool reading_only) {
    field->width = -1;
    if (!next_is(t, '*')) return read_digits(t, &field->width, INT64_MAX, "width too big");
    if (read_star(t, &field->width, &field->star_width, reading_only, "ssize_t") != LEAF_TRUE)
        return LEAF_ERROR;
    if (field->width < 0 && !reading_only) {
        field->left = true;
        field->width = field->width == INT64_MIN ? INT64_MAX : -field->width;
    }
    return LEAF_TRUE;
}

static Leaf read_precision(Template *t, Field *field, bool reading_only) {
    field->precision = -1;
    if (!next_is(t, '.')) return LEAF_TRUE;
    t->at++;
    field->precision = 0;
    if (!next_is(t, '*')) return read_digits(t, &field->precision, INT_MAX, "precision too big");
    if (read_star(t, &field->precision, &field->star_precision, reading_only, "int") != LEAF_TRUE)
        return LEAF_ERROR;
    if (field->precision > INT_MAX || field->precision < INT_MIN)
        return fail(raise_overflow(t->vm, "Python int too large to convert to C int"));
    if (field->precision < 0) field->precision = 0;
    return LEAF_TRUE;
}

/* What stands behind a %. */
static Leaf read_field(Template *t, Field *field, bool reading_only) {
    *field = (Field){.width = -1, .precision = -1};
    if (read_key(t, field) != LEAF_TRUE) return LEAF_ERROR;
    if (field->key.data) t->used_key = true;
    read_flags(t, field);
    if (read_width(t, field, reading_only) != LEAF_TRUE ||
        read_precision(t, field, reading_only) != LEAF_TRUE)
        return LEAF_ERROR;
    if (!at_end(t) && (*t->at == 'h' || *t->at == 'l' || *t->at == 'L')) t->at++;
    if (at_end(t)) return fail(raise_value(t->vm, "incomplete format"));
    field->type = *t->at++;
    return LEAF_TRUE;
}

static Leaf unsupported(Template *t) {
    const char *at = --t->at;
    size_t index = text_count_chars(t->start, (size_t)(at - t->start));
    uint32_t c = utf8_take(&at);
    return fail(raise_value(t->vm, "unsupported format character '%c' (0x%x) at index %zu",
                            c >= 31 && c < 127 ? (int)c : '?', c, index));
}

/* ---- one value ---- */

static void put_padded(Template *t, const Field *field, TextSpan text, int64_t length) {
    int64_t padding = field->width > length ? field->width - length : 0;
    if (!field->left) format_put_fill(&t->out, ' ', padding);
    builder_add(&t->out, text.data, text.size);
    if (field->left) format_put_fill(&t->out, ' ', padding);
}

static Leaf outcome(const Template *t) {
    return t->out.failed ? LEAF_ERROR : LEAF_TRUE;
}

static Leaf put_text(Template *t, const Field *field, Value v) {
    GenVM *vm = t->vm;
    char type = t->plain ? 's' : field->type; /* the twin has made the text */
    Value text = type == 's'   ? leaf_str(vm, v)
                 : type == 'r' ? leaf_repr(vm, v)
                               : value_ascii(vm, v);
    if (text == VALUE_ERROR) return LEAF_ERROR;
    if (text == VALUE_TAIL) {
        native_drop_tail(vm);
        return LEAF_SCRIPT;
    }
    TextSpan span = str_span(text);
    int64_t length = AS_STR(text)->length;
    if (field->precision >= 0 && field->precision < length) {
        length = field->precision;
        span.size = str_offset(vm, AS_STR(text), length);
    }
    put_padded(t, field, span, length);
    return outcome(t);
}

static Leaf put_char(Template *t, const Field *field, Value v) {
    char text[4];
    if (value_is_str(v)) {
        if (AS_STR(v)->length != 1)
            return fail(raise_type(
                t->vm, "%%c requires an int or a unicode character, not a string of length %u",
                AS_STR(v)->length));
        put_padded(t, field, str_span(v), 1);
        return outcome(t);
    }
    if (!value_is_intlike(v)) {
        if (type_special(t->vm, v, SP_INDEX) != VALUE_UNSET) return LEAF_SCRIPT;
        return fail(raise_type(t->vm, "%%c requires an int or a unicode character, not %T", v));
    }
    int64_t code;
    if (!int_to_i64(v, &code) || code < 0 || code > CODE_POINT_MAX)
        return fail(raise_overflow(t->vm, "%%c arg not in range(0x110000)"));
    put_padded(t, field, (TextSpan){text, utf8_put(text, (uint32_t)code)}, 1);
    return outcome(t);
}

/* [spaces][sign][prefix][zeros]digits[spaces] */
static void put_number(Template *t, const Field *field, bool negative, const char *prefix,
                       TextSpan digits) {
    char sign = negative ? '-' : field->plus ? '+' : field->space ? ' ' : 0;
    int64_t zeros =
        field->precision > (int64_t)digits.size ? field->precision - (int64_t)digits.size : 0;
    int64_t length = (sign != 0) + (int64_t)strlen(prefix) + zeros + (int64_t)digits.size;
    int64_t padding = field->width > length ? field->width - length : 0;
    bool fill_zeros = field->zero && !field->left;
    if (!field->left && !fill_zeros) format_put_fill(&t->out, ' ', padding);
    if (sign) builder_put_byte(&t->out, sign);
    builder_put_c(&t->out, prefix);
    format_put_fill(&t->out, '0', fill_zeros ? zeros + padding : zeros);
    builder_add(&t->out, digits.data, digits.size);
    if (field->left) format_put_fill(&t->out, ' ', padding);
}

/* The int that v stands for: VALUE_UNSET when it takes script code. */
static Value int_for(Template *t, const Field *field, Value v) {
    GenVM *vm = t->vm;
    bool bits = strchr("oxX", field->type) != NULL;
    if (value_is_intlike(v)) return v;
    if (!bits && value_is_float(v)) return int_from_double(vm, value_float(v));
    if (type_special(vm, v, SP_INDEX) != VALUE_UNSET ||
        (!bits && type_special(vm, v, SP_INT) != VALUE_UNSET))
        return VALUE_UNSET;
    const TypeSlots *slots = &type_of(vm, v)->slots;
    Value (*convert)(GenVM *, Value) = !bits && slots->to_int ? slots->to_int : slots->to_index;
    Value result = convert ? convert(vm, v) : VALUE_NOT_IMPLEMENTED;
    if (result == VALUE_TAIL) {
        native_drop_tail(vm);
        return VALUE_UNSET;
    }
    if (result != VALUE_NOT_IMPLEMENTED) return result;
    if (bits) return raise_type(vm, "%%%c format: an integer is required, not %T", field->type, v);
    return raise_type(vm, "%%%c format: a real number is required, not %T", field->type, v);
}

static Leaf put_int(Template *t, const Field *field, Value v) {
    v = int_for(t, field, v);
    if (v == VALUE_ERROR) return LEAF_ERROR;
    if (v == VALUE_UNSET) return LEAF_SCRIPT;
    int base = field->type == 'o' ? 8 : (field->type | 32) == 'x' ? 16 : 10;
    char prefix[3] = {0};
    if (field->alternate && base != 10) prefix[0] = '0', prefix[1] = field->type;
    IntView view;
    Scratch scratch;
    TextSpan digits;
    int_view(&view, v);
    if (!int_digits(t->vm, &view, base, &scratch, &digits.data, &digits.size)) return LEAF_ERROR;
    if (field->type == 'X')
        ascii_map_upper((char *)(uintptr_t)digits.data, digits.data, digits.size);
    put_number(t, field, view.negative, prefix, digits);
    scratch_free(&scratch);
    return outcome(t);
}

static Leaf put_double(Template *t, const Field *field, Value v) {
    GenVM *vm = t->vm;
    double d;
    bool special = type_special(vm, v, SP_FLOAT) != VALUE_UNSET ||
                   type_special(vm, v, SP_INDEX) != VALUE_UNSET;
    if (special && !value_is_float(v) && !value_is_intlike(v)) return LEAF_SCRIPT;
    if (!number_to_double(vm, v, &d)) {
        if (vm->exception != VALUE_UNSET) return LEAF_ERROR;
        if (type_of(vm, v)->slots.to_float || type_of(vm, v)->slots.to_index) return LEAF_SCRIPT;
        return fail(raise_type(vm, "must be real number, not %T", v));
    }
    Scratch scratch;
    TextSpan text;
    int64_t precision = field->precision < 0 ? 6 : field->precision;
    if (!format_double(vm, &scratch, d, field->type, precision, field->alternate, false, &text))
        return LEAF_ERROR;
    Field plain = *field;
    plain.precision = -1;
    put_number(t, &plain, signbit(d) && !isnan(d), "", text);
    scratch_free(&scratch);
    return outcome(t);
}

static Leaf put_value(Template *t, const Field *field, Value v) {
    switch (field->type) {
    case 's':
    case 'r':
    case 'a': return put_text(t, field, v);
    case 'c': return put_char(t, field, v);
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X': return put_int(t, field, v);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': return put_double(t, field, v);
    default: return unsupported(t);
    }
}

/* ---- the whole ---- */

static Leaf find_value(Template *t, const Field *field, Value *v) {
    if (!field->key.data || t->plain) return next_argument(t, v);
    GenVM *vm = t->vm;
    if (!is_exact(t->args, TYPE_DICT)) return LEAF_SCRIPT;
    Value key = str_new(vm, field->key.data, field->key.size);
    if (key == VALUE_ERROR) return LEAF_ERROR;
    *v = dict_get_str(vm, AS_DICT(t->args), key);
    return *v == VALUE_UNSET ? fail(raise_key(vm, key)) : LEAF_TRUE;
}

/* Most fields: %s and %d, and what format_quick.c knows. False: nothing is done. */
static bool put_plain(Template *t) {
    if (at_end(t) || t->next >= t->count || t->used_key) return false;
    Value v = t->items[t->next];
    char text[40], type = *t->at;
    if (is_int(v) && (type == 'd' || type == 's'))
        builder_add(&t->out, text, int_write_small(text, as_int(v)));
    else if (type == 's' && is_exact(v, TYPE_STR))
        builder_add(&t->out, AS_STR(v)->data, AS_STR(v)->size);
    else if (type == 's' && is_float(v))
        builder_add(&t->out, text, float_repr_to(text, as_float(v)));
    else if (format_quick_percent(&t->out, v, &t->at, t->end))
        t->at--;
    else
        return false;
    t->at++;
    t->next++;
    return true;
}

static Leaf put_field(Template *t) {
    Field field;
    Value v;
    if (put_plain(t)) return outcome(t);
    if (next_is(t, '%')) {
        t->at++;
        builder_put_byte(&t->out, '%');
        return outcome(t);
    }
    Leaf leaf = read_field(t, &field, false);
    if (leaf != LEAF_TRUE) return leaf;
    leaf = find_value(t, &field, &v);
    return leaf == LEAF_TRUE ? put_value(t, &field, v) : leaf;
}

static Leaf put_all(Template *t) {
    while (!at_end(t)) {
        const char *percent = memchr(t->at, '%', (size_t)(t->end - t->at));
        builder_add(&t->out, t->at, (size_t)((percent ? percent : t->end) - t->at));
        if (!percent) break;
        t->at = percent + 1;
        Leaf leaf = put_field(t);
        if (leaf != LEAF_TRUE) return leaf;
    }
    if (t->next < t->count && (t->plain || !(t->is_mapping)))
        return fail(raise_type(t->vm, "not all arguments converted during string formatting"));
    return outcome(t);
}

static bool is_mapping(GenVM *vm, Value v) {
    if (is_kind(v, TYPE_TUPLE) || value_is_str(v)) return false;
    return type_of(vm, v)->slots.getitem || type_special(vm, v, SP_GETITEM) != VALUE_UNSET;
}

static void start(Template *t, GenVM *vm, Value template) {
    TextSpan text = str_span(template);
    *t = (Template){.vm = vm, .start = text.data, .at = text.data, .end = text.data + text.size};
}

Value format_percent(GenVM *vm, Value template, Value args) {
    Template t;
    start(&t, vm, template);
    t.args = args;
    t.items = is_kind(args, TYPE_TUPLE) ? AS_TUPLE(args)->items : &t.args;
    t.count = is_kind(args, TYPE_TUPLE) ? AS_TUPLE(args)->count : 1;
    t.is_mapping = is_mapping(vm, args);
    builder_init_work(&t.out, vm);
    Leaf leaf = put_all(&t);
    if (leaf == LEAF_TRUE) return builder_finish(&t.out);
    builder_drop(&t.out);
    return leaf == LEAF_SCRIPT ? native_twin(vm, TWIN_FORMAT_PERCENT, 2, template, args)
                               : VALUE_ERROR;
}

/* ---- for the twin ---- */

static bool add_field(GenVM *vm, Value list, Value key, char type) {
    Value kind = vm->characters[(unsigned char)type], pair = tuple_pack(vm, 2, key, kind);
    return pair != VALUE_ERROR && list_append(vm, list, pair);
}

/* [(key or None, conversion)], with '*' for a width or precision; ends where the template is
 * malformed. */
static Value percent_fields(GenVM *vm, Value *args) {
    Template t;
    start(&t, vm, args[0]);
    t.is_mapping = true;
    Value list = list_new(vm, 8);
    while (list != VALUE_ERROR && (t.at = memchr(t.at, '%', (size_t)(t.end - t.at)))) {
        Field field;
        t.at++;
        if (next_is(&t, '%')) {
            t.at++;
            continue;
        }
        if (read_field(&t, &field, true) != LEAF_TRUE) {
            error_clear(vm);
            break;
        }
        Value key = field.key.data ? str_new(vm, field.key.data, field.key.size) : VALUE_NONE;
        if (key == VALUE_ERROR) return VALUE_ERROR;
        if (field.star_width && !add_field(vm, list, VALUE_NONE, '*')) return VALUE_ERROR;
        if (field.star_precision && !add_field(vm, list, VALUE_NONE, '*')) return VALUE_ERROR;
        if (!add_field(vm, list, key, field.type & 127)) return VALUE_ERROR;
    }
    return list;
}

/* template % values, where the values are plain and in the order of the fields, whatever their keys
 * are. */
static Value percent_plain(GenVM *vm, Value *args) {
    Template t;
    start(&t, vm, args[0]);
    t.items = AS_TUPLE(args[1])->items;
    t.count = AS_TUPLE(args[1])->count;
    t.is_mapping = true;
    t.plain = true;
    t.args = VALUE_NONE;
    builder_init_work(&t.out, vm);
    Leaf leaf = put_all(&t);
    if (leaf == LEAF_TRUE) return builder_finish(&t.out);
    builder_drop(&t.out);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    return raise_type(vm, "a converted value of a format string converts itself again");
}

const NativeDef engine_format_natives[] = {
    {"percent_fields(template: str, /)", percent_fields, "What the fields of a % template want."},
    {"percent_plain(template: str, values: tuple, /)", percent_plain,
     "template % values, all plain."},
    {NULL, NULL, NULL},
};
