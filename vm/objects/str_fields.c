/* str_fields.c - str.format and format_map: templates with {fields}.
 *
 * The template is read here, and fields whose value and format need no script code are put together
 * here. When one does (a property, a __format__ or __getitem__ of a script class), what was done so
 * far is dropped, without effect outside, and the twin str_format in stdlib/prelude/text.gen does
 * it all again, reading the template by the same parser.
 */
#include "vm/objects/format.h"

enum { MAX_NESTING = 2 }; /* a field's spec may hold fields, whose specs may not */

typedef struct Markup { /* one step through a template: text, then perhaps a field */
    TextSpan literal, name, spec;
    bool has_field, spec_has_fields;
    uint32_t conversion; /* 0: none */
} Markup;

typedef struct Cursor {
    const char *at, *end;
} Cursor;

static bool fail(Value error) {
    (void)error;
    return false;
}

static Leaf error(Value error_value) {
    (void)error_value;
    return LEAF_ERROR;
}

/* ---- reading templates ---- */

static bool read_conversion(GenVM *vm, Cursor *cursor, Markup *markup, bool *done) {
    if (cursor->at >= cursor->end)
        return fail(raise_value(vm, "end of string while looking for conversion specifier"));
    markup->conversion = utf8_take(&cursor->at);
    if (cursor->at >= cursor->end) return true;
    char c = *cursor->at++;
    *done = c == '}';
    return c == '}' || c == ':' || fail(raise_value(vm, "expected ':' after conversion specifier"));
}

static bool read_spec(GenVM *vm, Cursor *cursor, Markup *markup) {
    const char *start = cursor->at;
    int depth = 1;
    while (cursor->at < cursor->end) {
        char c = *cursor->at++;
        if (c == '{') {
            markup->spec_has_fields = true;
            depth++;
        } else if (c == '}' && --depth == 0) {
            markup->spec = (TextSpan){start, (size_t)(cursor->at - 1 - start)};
            return true;
        }
    }
    return fail(raise_value(vm, "unmatched '{' in format spec"));
}

static bool read_field(GenVM *vm, Cursor *cursor, Markup *markup) {
    const char *start = cursor->at;
    char c = 0;
    while (cursor->at < cursor->end) {
        c = *cursor->at++;
        if (c == '{') return fail(raise_value(vm, "unexpected '{' in field name"));
        if (c == '}' || c == ':' || c == '!') break;
        if (c == '[')
            while (cursor->at < cursor->end && *cursor->at != ']')
                cursor->at++;
        c = 0;
    }
    if (!c) return fail(raise_value(vm, "expected '}' before end of string"));
    markup->name = (TextSpan){start, (size_t)(cursor->at - 1 - start)};
    bool done = c == '}';
    if (c == '!' && !read_conversion(vm, cursor, markup, &done)) return false;
    return done || read_spec(vm, cursor, markup);
}

/* The next piece of a template. False: an error is pending. */
static bool read_markup(GenVM *vm, Cursor *cursor, Markup *markup) {
    *markup = (Markup){.literal = {cursor->at, 0}, .name = {"", 0}, .spec = {"", 0}};
    const char *start = cursor->at;
    while (cursor->at < cursor->end && *cursor->at != '{' && *cursor->at != '}')
        cursor->at++;
    markup->literal.size = (size_t)(cursor->at - start);
    if (cursor->at == cursor->end) return true;
    char c = *cursor->at++;
    bool doubled = cursor->at < cursor->end && *cursor->at == c;
    if (doubled) {
        markup->literal.size++;
        cursor->at++;
        return true;
    }
    if (c == '}') return fail(raise_value(vm, "Single '}' encountered in format string"));
    if (cursor->at == cursor->end)
        return fail(raise_value(vm, "Single '{' encountered in format string"));
    markup->has_field = true;
    return read_field(vm, cursor, markup);
}

/* ---- reading field names ---- */

/* A number if it is all digits: LEAF_TRUE. */
static Leaf read_number(GenVM *vm, TextSpan text, int64_t *number) {
    *number = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (!ascii_is(text.data[i], ASCII_DIGIT)) return LEAF_FALSE;
        if (*number > (INT64_MAX >> 3) / 10)
            return error(raise_value(vm, "Too many decimal digits in format string"));
        *number = *number * 10 + (text.data[i] - '0');
    }
    return text.size ? LEAF_TRUE : LEAF_FALSE;
}

static TextSpan first_part(TextSpan name) {
    size_t size = 0;
    while (size < name.size && name.data[size] != '.' && name.data[size] != '[')
        size++;
    return (TextSpan){name.data, size};
}

/* The next .attribute or [key] at *at. False: an error is pending. */
static bool read_accessor(GenVM *vm, Cursor *cursor, bool *is_attribute, TextSpan *key) {
    char c = *cursor->at++;
    const char *start = cursor->at;
    if (c != '.' && c != '[')
        return fail(raise_value(vm, "Only '.' or '[' may follow ']' in format field specifier"));
    *is_attribute = c == '.';
    while (cursor->at < cursor->end &&
           (c == '.' ? *cursor->at != '.' && *cursor->at != '[' : *cursor->at != ']'))
        cursor->at++;
    *key = (TextSpan){start, (size_t)(cursor->at - start)};
    if (c == '[' && cursor->at++ == cursor->end)
        return fail(raise_value(vm, "Missing ']' in format string"));
    return key->size > 0 || fail(raise_value(vm, "Empty attribute in format string"));
}

/* ---- values of fields ---- */

typedef enum Numbering { NUMBERING_OPEN, NUMBERING_AUTOMATIC, NUMBERING_MANUAL } Numbering;

typedef struct Formatter {
    GenVM *vm;
    Value args;    /* tuple, or VALUE_NONE for format_map */
    Value mapping; /* kwargs, the argument of format_map, or VALUE_UNSET */
    Numbering numbering;
    int64_t next;
} Formatter;

static bool set_numbering(Formatter *formatter, Numbering numbering) {
    if (formatter->numbering == NUMBERING_OPEN) formatter->numbering = numbering;
    if (formatter->numbering == numbering) return true;
    bool to_manual = numbering == NUMBERING_MANUAL;
    return fail(
        raise_value(formatter->vm, "cannot switch from %s to %s",
                    to_manual ? "automatic field numbering" : "manual field specification",
                    to_manual ? "manual field specification" : "automatic field numbering"));
}

static Leaf numbered_value(Formatter *formatter, int64_t number, Value *v) {
    if (formatter->args == VALUE_NONE)
        return error(raise_value(formatter->vm, "Format string contains positional fields"));
    Tuple *args = AS_TUPLE(formatter->args);
    if ((uint64_t)number >= args->count)
        return error(raise_index(formatter->vm,
                                 "Replacement index %lld out of range for positional args tuple",
                                 (long long)number));
    *v = args->items[number];
    return LEAF_TRUE;
}

static Leaf named_value(Formatter *formatter, TextSpan name, Value *v) {
    GenVM *vm = formatter->vm;
    Value key = str_new(vm, name.data, name.size);
    if (key == VALUE_ERROR) return LEAF_ERROR;
    if (formatter->mapping == VALUE_UNSET) return error(raise_key(vm, key));
    if (!is_exact(formatter->mapping, TYPE_DICT)) return LEAF_SCRIPT;
    Leaf leaf = dict_get(vm, AS_DICT(formatter->mapping), key, v);
    return leaf == LEAF_FALSE ? error(raise_key(vm, key)) : leaf;
}

static Leaf first_value(Formatter *formatter, TextSpan name, Value *v) {
    int64_t number;
    Leaf is_number = read_number(formatter->vm, name, &number);
    if (is_number == LEAF_ERROR) return LEAF_ERROR;
    if (name.size && is_number == LEAF_FALSE) return named_value(formatter, name, v);
    if (!set_numbering(formatter, name.size ? NUMBERING_MANUAL : NUMBERING_AUTOMATIC))
        return LEAF_ERROR;
    return numbered_value(formatter, name.size ? number : formatter->next++, v);
}

static Leaf settle(GenVM *vm, Value v) {
    if (v == VALUE_ERROR) return LEAF_ERROR;
    if (v != VALUE_TAIL) return LEAF_TRUE;
    native_drop_tail(vm);
    return LEAF_SCRIPT;
}

static Leaf field_value(Formatter *formatter, TextSpan name, Value *v) {
    GenVM *vm = formatter->vm;
    TextSpan first = first_part(name), key;
    Leaf leaf = first_value(formatter, first, v);
    Cursor cursor = {name.data + first.size, name.data + name.size};
    while (leaf == LEAF_TRUE && cursor.at < cursor.end) {
        bool is_attribute;
        int64_t number;
        if (!read_accessor(vm, &cursor, &is_attribute, &key)) return LEAF_ERROR;
        Leaf is_number = is_attribute ? LEAF_FALSE : read_number(vm, key, &number);
        if (is_number == LEAF_ERROR) return LEAF_ERROR;
        Value index =
            is_number == LEAF_TRUE ? int_from_i64(vm, number) : str_new(vm, key.data, key.size);
        if (index == VALUE_ERROR) return LEAF_ERROR;
        *v = is_attribute ? attribute_get(vm, *v, index) : value_getitem(vm, *v, index);
        leaf = settle(vm, *v);
    }
    return leaf;
}

/* ---- putting together ---- */

static Leaf convert(GenVM *vm, uint32_t conversion, Value *v) {
    switch (conversion) {
    case 0: return LEAF_TRUE;
    case 's': *v = value_str(vm, *v); break;
    case 'r': *v = value_repr(vm, *v); break;
    case 'a': *v = value_ascii(vm, *v); break;
    default:
        return error(conversion > 32 && conversion < 127
                         ? raise_value(vm, "Unknown conversion specifier %c", (int)conversion)
                         : raise_value(vm, "Unknown conversion specifier \\x%x", conversion));
    }
    return settle(vm, *v);
}

static Leaf put_template(Formatter *formatter, TextSpan template, int nesting, StrBuilder *out);

/* A small number by a plain spec. False: nothing is done. */
static bool put_quickly(StrBuilder *out, Value v, const Markup *markup) {
    char text[FORMAT_QUICK_SIZE];
    if ((!is_int(v) && !is_float(v)) || markup->spec_has_fields) return false;
    size_t size = format_quick_number(text, v, markup->spec);
    if (size) builder_add(out, text, size);
    return size != 0;
}

static Leaf put_field(Formatter *formatter, const Markup *markup, int nesting, StrBuilder *out) {
    GenVM *vm = formatter->vm;
    Value v, spec = vm->empty_str;
    Leaf leaf = field_value(formatter, markup->name, &v);
    if (leaf == LEAF_TRUE) leaf = convert(vm, markup->conversion, &v);
    if (leaf != LEAF_TRUE) return leaf;
    if (put_quickly(out, v, markup)) return out->failed ? LEAF_ERROR : LEAF_TRUE;
    if (markup->spec_has_fields) {
        StrBuilder inner;
        builder_init_work(&inner, vm);
        leaf = put_template(formatter, markup->spec, nesting - 1, &inner);
        spec = builder_finish(&inner);
        if (leaf != LEAF_TRUE) return leaf;
    } else if (markup->spec.size) {
        spec = str_new(vm, markup->spec.data, markup->spec.size);
    } else if (is_exact(v, TYPE_STR)) {
        return builder_put_str(out, v) ? LEAF_TRUE : LEAF_ERROR;
    }
    if (spec == VALUE_ERROR) return LEAF_ERROR;
    Value text = format_value(vm, v, spec);
    leaf = settle(vm, text);
    return leaf != LEAF_TRUE || builder_put_str(out, text) ? leaf : LEAF_ERROR;
}

static Leaf put_template(Formatter *formatter, TextSpan template, int nesting, StrBuilder *out) {
    Cursor cursor = {template.data, template.data + template.size};
    if (nesting <= 0) return error(raise_value(formatter->vm, "Max string recursion exceeded"));
    while (cursor.at < cursor.end) {
        Markup markup;
        if (!read_markup(formatter->vm, &cursor, &markup)) return LEAF_ERROR;
        if (!builder_add(out, markup.literal.data, markup.literal.size)) return LEAF_ERROR;
        Leaf leaf = markup.has_field ? put_field(formatter, &markup, nesting, out) : LEAF_TRUE;
        if (leaf != LEAF_TRUE) return leaf;
    }
    return LEAF_TRUE;
}

static Value format(GenVM *vm, Value template, Value args, Value mapping) {
    Formatter formatter = {.vm = vm, .args = args, .mapping = mapping};
    StrBuilder out;
    if (!text_charge(vm, AS_STR(template)->size)) return VALUE_ERROR;
    builder_init_work(&out, vm);
    Leaf leaf = put_template(&formatter, str_span(template), MAX_NESTING, &out);
    if (leaf == LEAF_TRUE) return builder_finish(&out);
    builder_drop(&out);
    if (leaf != LEAF_SCRIPT) return VALUE_ERROR;
    if (mapping == VALUE_UNSET) mapping = dict_new(vm);
    return mapping == VALUE_ERROR ? mapping
                                  : native_twin(vm, TWIN_STR_FORMAT, 3, template, args, mapping);
}

Value str_format_method(GenVM *vm, Value *args) {
    return format(vm, args[0], args[1], args[2]);
}
Value str_format_map(GenVM *vm, Value *args) {
    return format(vm, args[0], VALUE_NONE, args[1]);
}

/* ---- for the twin ---- */

static bool add_markup(GenVM *vm, Value list, const Markup *markup) {
    Value literal = str_new(vm, markup->literal.data, markup->literal.size), name = VALUE_NONE,
          spec = VALUE_NONE;
    Value conversion = VALUE_NONE;
    if (markup->has_field) {
        name = str_new(vm, markup->name.data, markup->name.size);
        spec = str_new(vm, markup->spec.data, markup->spec.size);
        if (markup->conversion) conversion = str_from_char(vm, markup->conversion);
    }
    if (literal == VALUE_ERROR || name == VALUE_ERROR || spec == VALUE_ERROR ||
        conversion == VALUE_ERROR)
        return false;
    Value item = tuple_pack(vm, 4, literal, name, spec, conversion);
    return item != VALUE_ERROR && list_append(vm, list, item);
}

/* [(literal, field name or None, spec or None, conversion or None)] of a template. */
Value str_fields_parse(GenVM *vm, Value *args) {
    TextSpan template = str_span(args[0]);
    Cursor cursor = {template.data, template.data + template.size};
    Value list = list_new(vm, 0);
    if (list == VALUE_ERROR || !text_charge(vm, template.size)) return VALUE_ERROR;
    while (cursor.at < cursor.end) {
        Markup markup;
        if (!read_markup(vm, &cursor, &markup) || !add_markup(vm, list, &markup))
            return VALUE_ERROR;
    }
    return list;
}

static Value number_or_text(GenVM *vm, TextSpan text) {
    int64_t number;
    Leaf leaf = read_number(vm, text, &number);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    return leaf == LEAF_TRUE ? int_from_i64(vm, number) : str_new(vm, text.data, text.size);
}

/* (first part as int or str, [(is attribute, key as int or str)]) of a field name. */
Value str_fields_split(GenVM *vm, Value *args) {
    TextSpan name = str_span(args[0]), first = first_part(name), key;
    Cursor cursor = {name.data + first.size, name.data + name.size};
    Value head = number_or_text(vm, first), list = list_new(vm, 0);
    if (head == VALUE_ERROR || list == VALUE_ERROR) return VALUE_ERROR;
    while (cursor.at < cursor.end) {
        bool is_attribute;
        if (!read_accessor(vm, &cursor, &is_attribute, &key)) return VALUE_ERROR;
        Value item = is_attribute ? str_new(vm, key.data, key.size) : number_or_text(vm, key);
        Value pair = item == VALUE_ERROR ? item : tuple_pack(vm, 2, bool_value(is_attribute), item);
        if (pair == VALUE_ERROR || !list_append(vm, list, pair)) return VALUE_ERROR;
    }
    return tuple_pack(vm, 2, head, list);
}
