/* json_scan.c - reading JSON: the module _json's half that parses.
 *
 * A document without hooks is parsed here in one go, by descent with a bounded depth. Where the
 * text is wrong the parser notes a message and a place, and the native ends by calling the function
 * it was given for that (it raises JSONDecodeError). Hooks are script code: then
 * stdlib/json/decoder.gen parses, by the natives for strings and numbers here.
 */
#include "stdlib/json.h"
#include "vm/objects/text.h"

#include <stdlib.h>

enum { KEY_CACHE = 256, KEY_MOST = 40 };

typedef struct Parser {
    GenVM *vm;
    Value doc;
    const char *text, *end, *at;
    bool strict;
    uint64_t values;     /* begun so far */
    const char *message; /* what is wrong, at `wrong` */
    const char *wrong;
    Value keys[KEY_CACHE]; /* keys seen lately: records share theirs */
} Parser;

static Value fail(Parser *p, const char *message, const char *wrong) {
    p->message = message;
    p->wrong = wrong;
    return VALUE_ERROR;
}

static void skip_space(Parser *p) {
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t'))
        p->at++;
}

/* ---- strings ---- */

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits at `at`: -1 when they are none. */
static int32_t four_digits(const Parser *p, const char *at) {
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = at + i < p->end ? hex_value(at[i]) : -1;
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* At the `u` of an escape; goes behind it. */
static bool take_unicode(Parser *p, StrBuilder *out) {
    const char *digits = p->at + 1;
    int32_t c = p->end - digits <= 4 ? -1 : four_digits(p, digits);
    if (c < 0) {
        fail(p, "Invalid \\uXXXX escape", p->at);
        return false;
    }
    p->at = digits + 4;
    if (c >= 0xD800 && c <= 0xDBFF && p->end - p->at > 6 && p->at[0] == '\\' && p->at[1] == 'u') {
        int32_t low = four_digits(p, p->at + 2);
        if (low < 0) {
            fail(p, "Invalid \\uXXXX escape", p->at + 1);
            return false;
        }
        if (low >= 0xDC00 && low <= 0xDFFF) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            p->at += 6;
        }
    }
    return builder_put_char(out, (uint32_t)c);
}

/* Behind a backslash. */
static bool take_escape(Parser *p, StrBuilder *out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (*p->at == 'u') return take_unicode(p, out);
    const char *found = *p->at ? strchr(from, *p->at) : NULL;
    if (!found) {
        fail(p, "Invalid \\escape", p->at - 1);
        return false;
    }
    p->at++;
    return builder_put_byte(out, to[found - from]);
}

/* The end of a run of plain characters; NULL when the task stops there. */
static const char *plain_run(const Parser *p, const char *at) {
    for (;;) {
        const char *stop = p->end - at > TEXT_MUCH ? at + TEXT_MUCH : p->end;
        while (at < stop && *at != '"' && *at != '\\' && !((unsigned char)*at < 0x20 && p->strict))
            at++;
        if (likely(at < stop || stop == p->end)) return at;
        if (!native_look(p->vm)) return NULL;
    }
}

static Value text_of(GenVM *vm, const char *data, size_t size) {
    if (likely(size <= TEXT_MUCH)) return str_new(vm, data, size);
    if (size > STR_SIZE_MAX) return raise_memory(vm);
    uint32_t length;
    uint8_t flags = text_scan(data, size, &length);
    return str_work(vm, data, size, length, flags);
}

static bool fail_in_string(Parser *p, const char *begin, const char *at) {
    if (at < p->end && *at != '\\')
        fail(p, "Invalid control character at", at);
    else
        fail(p, "Unterminated string starting at", begin);
    return false;
}

static bool take_pieces(Parser *p, const char *begin, StrBuilder *out) {
    for (;;) {
        const char *run = plain_run(p, p->at);
        if (!run || !builder_put(out, p->at, (size_t)(run - p->at))) return false;
        p->at = run + 1;
        if (run < p->end && *run == '"') return true;
        if (run >= p->end || *run != '\\' || p->at >= p->end) return fail_in_string(p, begin, run);
        if (!take_escape(p, out)) return false;
    }
}

/* p->at is behind the opening quote. */
static Value parse_string(Parser *p) {
    const char *begin = p->at - 1, *run = plain_run(p, p->at);
    if (unlikely(!run)) return VALUE_ERROR;
    if (likely(run < p->end && *run == '"')) {
        Value text = text_of(p->vm, p->at, (size_t)(run - p->at));
        p->at = run + 1;
        return text;
    }
    StrBuilder out;
    builder_init_work(&out, p->vm);
    if (take_pieces(p, begin, &out)) return builder_finish(&out);
    builder_drop(&out);
    return VALUE_ERROR;
}

/* The same for a key: short ones come from the cache. */
static Value parse_key(Parser *p) {
    const char *run = p->at;
    uint32_t hash = 2166136261u;
    const char *stop = p->end - run > KEY_MOST ? run + KEY_MOST + 1 : p->end;
    while (run < stop && *run != '"' && *run != '\\' && (unsigned char)*run >= 0x20)
        hash = (hash ^ (unsigned char)*run++) * 16777619u;
    size_t size = (size_t)(run - p->at);
    if (size > KEY_MOST || run >= p->end || *run != '"') return parse_string(p);
    Value *slot = &p->keys[(hash ^ hash >> 15) % KEY_CACHE];
    if (*slot == VALUE_UNSET || AS_STR(*slot)->size != size ||
        memcmp(AS_STR(*slot)->data, p->at, size) != 0) {
        Value key = str_intern_from(p->vm, p->at, size);
        if (key == VALUE_ERROR) return key;
        *slot = key;
    }
    p->at = run + 1;
    return *slot;
}

/* ---- numbers ---- */

static bool is_digit(const Parser *p, const char *at) {
    return at < p->end && *at >= '0' && *at <= '9';
}

/* Where the number at `at` ends; NULL: there is none. */
static const char *number_end(const Parser *p, const char *at, bool *is_real) {
    *is_real = false;
    if (at < p->end && *at == '-') at++;
    if (!is_digit(p, at)) return NULL;
    if (*at++ != '0')
        while (is_digit(p, at))
            at++;
    if (at < p->end && *at == '.' && is_digit(p, at + 1)) {
        *is_real = true;
        for (at++; is_digit(p, at);)
            at++;
    }
    if (at < p->end && (*at == 'e' || *at == 'E')) {
        const char *digits = at + 1;
        if (digits < p->end && (*digits == '+' || *digits == '-')) digits++;
        if (!is_digit(p, digits)) return at;
        *is_real = true;
        for (at = digits; is_digit(p, at);)
            at++;
    }
    return at;
}

static Value number_value(GenVM *vm, const char *text, size_t size, bool is_real) {
    double real;
    if (is_real)
        return float_parse(text, size, &real)
                   ? float_value(vm, real)
                   : raise_value(vm, "could not convert string to float");
    if (size > 18) return int_from_text(vm, text, size, 10);
    int64_t value = 0;
    bool negative = *text == '-';
    for (size_t i = negative; i < size; i++)
        value = value * 10 + (text[i] - '0');
    return int_from_i64(vm, negative ? -value : value);
}

/* ---- values ---- */

static bool take_word(Parser *p, const char *word) {
    size_t size = strlen(word);
    if ((size_t)(p->end - p->at) < size || memcmp(p->at, word, size) != 0) return false;
    p->at += size;
    return true;
}

static Value parse_plain(Parser *p) {
    bool is_real;
    const char *end = number_end(p, p->at, &is_real), *start = p->at;
    if (end) {
        p->at = end;
        return number_value(p->vm, start, (size_t)(end - start), is_real);
    }
    if (take_word(p, "null")) return VALUE_NONE;
    if (take_word(p, "true")) return VALUE_TRUE;
    if (take_word(p, "false")) return VALUE_FALSE;
    if (take_word(p, "NaN")) return float_value(p->vm, __builtin_nan(""));
    if (take_word(p, "Infinity")) return float_value(p->vm, __builtin_inf());
    if (take_word(p, "-Infinity")) return float_value(p->vm, -__builtin_inf());
    return fail(p, "Expecting value", p->at);
}

static Value parse_value(Parser *p);

/* Behind an item: true when another follows, whose start p->at is; else p->at is behind `close`,
 * unless p->message is set. */
static bool goes_on(Parser *p, char close, const char *trailing) {
    skip_space(p);
    if (p->at < p->end && *p->at == close) {
        p->at++;
        return false;
    }
    if (p->at >= p->end || *p->at != ',') {
        fail(p, "Expecting ',' delimiter", p->at);
        return false;
    }
    const char *comma = p->at++;
    skip_space(p);
    if (p->at < p->end && *p->at == close) {
        fail(p, trailing, comma);
        return false;
    }
    return true;
}

static Value parse_array(Parser *p) {
    Value list = list_new(p->vm, 0);
    if (list == VALUE_ERROR) return list;
    skip_space(p);
    if (p->at < p->end && *p->at == ']') {
        p->at++;
        return list;
    }
    do {
        Value item = parse_value(p);
        if (item == VALUE_ERROR || !list_append(p->vm, list, item)) return VALUE_ERROR;
    } while (goes_on(p, ']', "Illegal trailing comma before end of array"));
    return p->message ? VALUE_ERROR : list;
}

static bool parse_member(Parser *p, Value dict) {
    if (p->at >= p->end || *p->at != '"') {
        fail(p, "Expecting property name enclosed in double quotes", p->at);
        return false;
    }
    p->at++;
    Value key = parse_key(p);
    if (key == VALUE_ERROR) return false;
    skip_space(p);
    if (p->at >= p->end || *p->at != ':') {
        fail(p, "Expecting ':' delimiter", p->at);
        return false;
    }
    p->at++;
    skip_space(p);
    Value value = parse_value(p);
    return value != VALUE_ERROR && dict_set_str(p->vm, AS_DICT(dict), key, value);
}

static Value parse_object(Parser *p) {
    Value dict = dict_new(p->vm);
    if (dict == VALUE_ERROR) return dict;
    skip_space(p);
    if (p->at < p->end && *p->at == '}') {
        p->at++;
        return dict;
    }
    do
        if (!parse_member(p, dict)) return VALUE_ERROR;
    while (goes_on(p, '}', "Illegal trailing comma before end of object"));
    return p->message ? VALUE_ERROR : dict;
}

static Value parse_nested(Parser *p) {
    bool is_array = *p->at++ == '[';
    if (!native_enter(p->vm)) {
        error_clear(p->vm);
        return raise_error(
            p->vm, EXC_RECURSION_ERROR,
            "maximum recursion depth exceeded while decoding a JSON %s from a unicode "
            "string",
            is_array ? "array" : "object");
    }
    Value value = is_array ? parse_array(p) : parse_object(p);
    native_leave(p->vm);
    return value;
}

static Value parse_value(Parser *p) {
    if (p->at >= p->end) return fail(p, "Expecting value", p->at);
    if (!native_glance(p->vm, p->values++)) return VALUE_ERROR;
    if (*p->at == '"') {
        p->at++;
        return parse_string(p);
    }
    if (*p->at == '{' || *p->at == '[') return parse_nested(p);
    return parse_plain(p);
}

/* ---- natives ---- */

static bool parser_init(Parser *p, GenVM *vm, Value doc, int64_t index) {
    const Str *str = AS_STR(doc);
    p->vm = vm;
    p->doc = doc;
    p->text = str->data;
    p->end = p->text + str->size;
    p->message = NULL;
    p->values = 0;
    if (index < 0 || (uint64_t)index > str->length) {
        if (index < 0) raise_value(vm, "idx cannot be negative");
        p->at = p->end;
        return index >= 0;
    }
    p->at = str_is_ascii(str) ? p->text + index : p->text + str_offset(vm, AS_STR(doc), index);
    return true;
}

static int64_t position(const Parser *p, const char *at) {
    if (at < p->text || str_is_ascii(AS_STR(p->doc))) return at - p->text;
    return (int64_t)text_count_chars(p->text, (size_t)(at - p->text));
}

static Value call_fail(Parser *p, Value function) {
    if (!p->message) return VALUE_ERROR;
    return native_call(p->vm, function, 3, str_from(p->vm, p->message), p->doc,
                       int_value(position(p, p->wrong)));
}

Value json_loads(GenVM *vm, Value *args) {
    Parser parser;
    for (int i = 0; i < KEY_CACHE; i++)
        parser.keys[i] = VALUE_UNSET;
    if (!native_work(vm, AS_STR(args[0])->size / 8) || !parser_init(&parser, vm, args[0], 0))
        return VALUE_ERROR;
    parser.strict = args[1] == VALUE_TRUE;
    skip_space(&parser);
    Value value = parse_value(&parser);
    if (value == VALUE_ERROR) return call_fail(&parser, args[2]);
    skip_space(&parser);
    if (parser.at == parser.end) return value;
    fail(&parser, "Extra data", parser.at);
    return call_fail(&parser, args[2]);
}

Value json_scan_once(GenVM *vm, Value *args) {
    Parser parser;
    for (int i = 0; i < KEY_CACHE; i++)
        parser.keys[i] = VALUE_UNSET;
    if (!parser_init(&parser, vm, args[0], as_int(args[1]))) return VALUE_ERROR;
    parser.strict = args[2] == VALUE_TRUE;
    if ((uint64_t)as_int(args[1]) > AS_STR(args[0])->length)
        return native_call(vm, args[3], 3, str_from(vm, "Expecting value"), args[0], args[1]);
    const char *start = parser.at;
    Value value = parse_value(&parser);
    if (value == VALUE_ERROR) return call_fail(&parser, args[3]);
    if (!native_work(vm, (uint64_t)(parser.at - start) / 8)) return VALUE_ERROR;
    return tuple_pack(vm, 2, value, int_value(position(&parser, parser.at)));
}

Value json_scan_string(GenVM *vm, Value *args) {
    Parser parser;
    if (!parser_init(&parser, vm, args[0], as_int(args[1]))) return VALUE_ERROR;
    if ((uint64_t)as_int(args[1]) > AS_STR(args[0])->length)
        return raise_value(vm, "end is out of bounds");
    parser.strict = args[2] == VALUE_TRUE;
    Value value = parse_string(&parser);
    if (value == VALUE_ERROR) return call_fail(&parser, args[3]);
    return tuple_pack(vm, 2, value, int_value(position(&parser, parser.at)));
}

/* The text of the number at an index, None without one, and whether it has a fraction or exponent.
 */
Value json_scan_number(GenVM *vm, Value *args) {
    Parser parser;
    bool is_real;
    if (!parser_init(&parser, vm, args[0], as_int(args[1]))) return VALUE_ERROR;
    const char *end = number_end(&parser, parser.at, &is_real);
    if (!end) return VALUE_NONE;
    Value text = str_new(vm, parser.at, (size_t)(end - parser.at));
    return text == VALUE_ERROR ? text : tuple_pack(vm, 2, text, bool_value(is_real));
}
