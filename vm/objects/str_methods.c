/* str_methods.c - the methods of str that neither search (str_search.c) nor change case
 * (str_case.c), and the table of all of them.
 */
#include "vm/objects/format.h"
#include "vm/objects/text.h"

/* ---- padding ---- */

/* `filler`, one code point, `times` times. */
static bool put_fill(GenVM *vm, char *out, const Str *filler, int64_t times) {
    if (filler->size == 1) return native_fill(vm, out, *filler->data, (size_t)times);
    for (; times > 0; times--, out += filler->size) {
        if (!native_glance(vm, (uint64_t)times)) return false;
        memcpy(out, filler->data, filler->size);
    }
    return true;
}

static Value pad(GenVM *vm, Value v, int64_t left, int64_t right, Value fill) {
    Str *str = AS_STR(v), *filler = AS_STR(fill);
    if (left <= 0 && right <= 0) return str_exact(vm, v);
    if (left < 0) left = 0;
    if (right < 0) right = 0;
    uint64_t extra;
    if (__builtin_mul_overflow((uint64_t)left + (uint64_t)right, (uint64_t)filler->size, &extra) ||
        extra + str->size > STR_SIZE_MAX)
        return raise_memory(vm);
    if (!gc_check_size(vm, extra) || !native_work(vm, extra / 64)) return VALUE_ERROR;
    uint8_t flags = (str->header.flags & filler->header.flags & STR_ASCII) |
                    ((str->header.flags | filler->header.flags) & STR_SURROGATES);
    Str *result = str_alloc(vm, str->size + extra, str->length + (uint32_t)(left + right), flags);
    if (!result) return VALUE_ERROR;
    char *data = (char *)result->data, *middle = data + (size_t)left * filler->size;
    bool done = put_fill(vm, data, filler, left) && native_copy(vm, middle, str->data, str->size) &&
                put_fill(vm, middle + str->size, filler, right);
    return done ? object_value(result) : VALUE_ERROR;
}

static bool check_fill(GenVM *vm, Value fill) {
    if (!value_is_str(fill)) {
        raise_type(vm, "The fill character must be a unicode character, not %T", fill);
        return false;
    }
    if (AS_STR(fill)->length == 1) return true;
    raise_type(vm, "The fill character must be exactly one character long");
    return false;
}

static int64_t missing(Value *args) {
    return as_int(args[1]) - AS_STR(args[0])->length;
}

static Value center(GenVM *vm, Value *args) {
    if (!check_fill(vm, args[2])) return VALUE_ERROR;
    int64_t width = as_int(args[1]), room = missing(args);
    if (room <= 0) return str_exact(vm, args[0]);
    int64_t left = room / 2 + (room & width & 1);
    return pad(vm, args[0], left, room - left, args[2]);
}

static Value ljust(GenVM *vm, Value *args) {
    return check_fill(vm, args[2]) ? pad(vm, args[0], 0, missing(args), args[2]) : VALUE_ERROR;
}

static Value rjust(GenVM *vm, Value *args) {
    return check_fill(vm, args[2]) ? pad(vm, args[0], missing(args), 0, args[2]) : VALUE_ERROR;
}

static Value zfill(GenVM *vm, Value *args) {
    int64_t room = missing(args);
    Value padded = pad(vm, args[0], room, 0, vm->characters['0']);
    if (padded == VALUE_ERROR || room <= 0 || !AS_STR(args[0])->size) return padded;
    char sign = *AS_STR(args[0])->data, *data = (char *)AS_STR(padded)->data;
    if (sign == '+' || sign == '-') { /* the str is new: it may still be changed */
        data[0] = sign;
        data[room] = '0';
    }
    return padded;
}

static Value expandtabs(GenVM *vm, Value *args) {
    Str *str = AS_STR(args[0]);
    int64_t width = as_int(args[1]), column = 0;
    if (!text_charge(vm, str->size)) return VALUE_ERROR;
    StrBuilder builder;
    builder_init_work(&builder, vm);
    for (const char *at = str->data, *end = at + str->size; at < end && !builder.failed; at++) {
        if (*at != '\t') {
            builder_put_byte(&builder, *at);
            column = *at == '\n' || *at == '\r' ? 0 : column + !utf8_is_tail(*at);
            continue;
        }
        int64_t spaces = width > 0 ? width - column % width : 0;
        if (spaces > STR_SIZE_MAX || !gc_check_size(vm, (uint64_t)spaces)) {
            builder_drop(&builder);
            return vm->exception == VALUE_UNSET ? raise_memory(vm) : VALUE_ERROR;
        }
        column += spaces;
        format_put_fill(&builder, ' ', spaces);
    }
    return builder_finish(&builder);
}

/* ---- stripping ---- */

enum { STRIP_LEFT = 1, STRIP_RIGHT = 2 };

/* A set of code points given as text: ASCII members are bits, others are searched. */
typedef struct CharSet {
    uint64_t ascii[2];
    TextSpan text;
    bool is_ascii;
} CharSet;

static CharSet char_set(Value chars) {
    CharSet set = {{0, 0}, str_span(chars), str_is_ascii(AS_STR(chars))};
    for (size_t i = 0; i < set.text.size; i++) {
        unsigned char c = (unsigned char)set.text.data[i];
        if (c < 128) set.ascii[c / 64] |= (uint64_t)1 << c % 64;
    }
    return set;
}

static bool set_has(const CharSet *set, const char *at, size_t width) {
    unsigned char c = (unsigned char)*at;
    if (width == 1) return set->ascii[c / 64] >> c % 64 & 1;
    return !set->is_ascii && memmem(set->text.data, set->text.size, at, width);
}

/* For each character that is cut off: those of a long set are looked for in all of it. */
static COLD bool charge_strip(GenVM *vm, const CharSet *set, const char *at, const char **looked) {
    if (set->is_ascii || set->text.size < 64) return text_look(vm, at, looked);
    return native_work(vm, set->text.size / 64) && text_foresee(vm, set->text.size, 1);
}

static Value strip_set(GenVM *vm, Value text, Value chars, int sides) {
    size_t size = AS_STR(text)->size;
    if (!text_charge(vm, AS_STR(chars)->size) || !text_foresee(vm, AS_STR(chars)->size, 1))
        return VALUE_ERROR;
    CharSet set = char_set(chars);
    const char *start = AS_STR(text)->data, *end = start + size, *next, *looked = start;
    for (; (sides & STRIP_LEFT) && start < end; start = next) {
        next = start + utf8_lead_width(*start);
        if (!set_has(&set, start, (size_t)(next - start))) break;
        if (!charge_strip(vm, &set, next, &looked)) return VALUE_ERROR;
    }
    for (looked = end; (sides & STRIP_RIGHT) && start < end; end = next) {
        next = end;
        utf8_take_back(&next);
        if (!set_has(&set, next, (size_t)(end - next))) break;
        if (!charge_strip(vm, &set, next, &looked)) return VALUE_ERROR;
    }
    return str_sub(vm, text, (size_t)(start - AS_STR(text)->data), (size_t)(end - start));
}

static Value strip_sides(GenVM *vm, Value *args, const char *name, int sides) {
    if (!text_charge(vm, AS_STR(args[0])->size)) return VALUE_ERROR;
    if (args[1] == VALUE_NONE) {
        TextSpan span = str_span(args[0]);
        const TextKind *kind = str_kind(args[0]);
        size_t start = sides & STRIP_LEFT ? text_skip_space(vm, kind, span) : 0;
        size_t end = sides & STRIP_RIGHT ? text_trim_space(vm, kind, span, start) : span.size;
        return vm->stop ? VALUE_ERROR : str_sub(vm, args[0], start, end - start);
    }
    if (!value_is_str(args[1])) return raise_type(vm, "%s arg must be None or str", name);
    return strip_set(vm, args[0], args[1], sides);
}

static Value strip(GenVM *vm, Value *args) {
    return strip_sides(vm, args, "strip", STRIP_LEFT | STRIP_RIGHT);
}
static Value lstrip(GenVM *vm, Value *args) {
    return strip_sides(vm, args, "lstrip", STRIP_LEFT);
}
static Value rstrip(GenVM *vm, Value *args) {
    return strip_sides(vm, args, "rstrip", STRIP_RIGHT);
}

/* ---- beginnings and ends ---- */

static bool begins(TextSpan span, TextSpan part) {
    return part.size <= span.size && memcmp(span.data, part.data, part.size) == 0;
}

static bool ends(TextSpan span, TextSpan part) {
    return part.size <= span.size &&
           memcmp(span.data + span.size - part.size, part.data, part.size) == 0;
}

static Value affix(GenVM *vm, Value *args, const char *name, bool (*matches)(TextSpan, TextSpan)) {
    Str *str = AS_STR(args[0]);
    TextSpan span = str_span(args[0]);
    int64_t from = 0, to = str->length;
    if (args[2] != VALUE_NONE || args[3] != VALUE_NONE)
        text_bounds(args[2], args[3], str->length, &from, &to);
    if (from <= to) {
        size_t start = str_offset(vm, str, from);
        span = (TextSpan){str->data + start, str_offset(vm, str, to) - start};
    }
    if (value_is_str(args[1])) {
        if (!text_charge(vm, AS_STR(args[1])->size / 16)) return VALUE_ERROR;
        return bool_value(from <= to && matches(span, str_span(args[1])));
    }
    if (!is_kind(args[1], TYPE_TUPLE))
        return raise_type(vm, "%s first arg must be str or a tuple of str, not %T", name, args[1]);
    Tuple *tuple = AS_TUPLE(args[1]);
    for (uint64_t i = 0; i < tuple->count; i++) {
        if (i % 1024 == 1023 && !native_work(vm, 64)) return VALUE_ERROR;
        if (!value_is_str(tuple->items[i]))
            return raise_type(vm, "tuple for %s must only contain str, not %T", name,
                              tuple->items[i]);
        if (from > to) continue;
        if (!text_charge(vm, AS_STR(tuple->items[i])->size / 16)) return VALUE_ERROR;
        if (matches(span, str_span(tuple->items[i]))) return VALUE_TRUE;
    }
    return VALUE_FALSE;
}

static Value startswith(GenVM *vm, Value *args) {
    return affix(vm, args, "startswith", begins);
}
static Value endswith(GenVM *vm, Value *args) {
    return affix(vm, args, "endswith", ends);
}

static Value removeprefix(GenVM *vm, Value *args) {
    TextSpan span = str_span(args[0]), part = str_span(args[1]);
    size_t cut = begins(span, part) ? part.size : 0;
    return str_sub(vm, args[0], cut, span.size - cut);
}

static Value removesuffix(GenVM *vm, Value *args) {
    TextSpan span = str_span(args[0]), part = str_span(args[1]);
    return str_sub(vm, args[0], 0, span.size - (ends(span, part) ? part.size : 0));
}

/* ---- join ---- */

/* Sizes and flags of all items, or an error. */
static bool measure_items(GenVM *vm, const Value *items, uint64_t count, uint64_t *size,
                          uint64_t *length, uint8_t *flags) {
    for (uint64_t i = 0; i < count; i++) {
        if (unlikely(!value_is_str(items[i]))) {
            raise_type(vm, "sequence item %zu: expected str instance, %T found", (size_t)i,
                       items[i]);
            return false;
        }
        const Str *str = AS_STR(items[i]);
        *size += str->size;
        *length += str->length;
        uint8_t both = *flags & str->header.flags & STR_ASCII;
        *flags = both | ((*flags | str->header.flags) & STR_SURROGATES);
    }
    return true;
}

static bool join_items(GenVM *vm, char *out, const Value *items, uint64_t count,
                       TextSpan separator) {
    char *looked = out;
    for (uint64_t i = 0; i < count; i++) {
        if (!native_copied(vm, &looked, out, separator.size + AS_STR(items[i])->size)) return false;
        if (i) {
            text_copy(out, separator.data, separator.size);
            out += separator.size;
        }
        const Str *str = AS_STR(items[i]);
        text_copy(out, str->data, str->size);
        out += str->size;
    }
    return true;
}

static Value join(GenVM *vm, Value *args) {
    uint64_t count;
    const Value *items = text_items(args[1], &count);
    if (!items) return native_twin(vm, TWIN_STR_JOIN, 2, args[0], args[1]);
    if (count == 0) return vm->empty_str;
    if (count == 1 && is_exact(items[0], TYPE_STR)) return items[0];
    Str *separator = AS_STR(args[0]);
    uint64_t size = (count - 1) * separator->size, length = (count - 1) * separator->length;
    uint8_t flags = count > 1 ? separator->header.flags & (STR_ASCII | STR_SURROGATES) : STR_ASCII;
    if (!measure_items(vm, items, count, &size, &length, &flags)) return VALUE_ERROR;
    if (size > STR_SIZE_MAX) return raise_memory(vm);
    if (!native_work(vm, count / 4 + size / 64)) return VALUE_ERROR;
    Str *result = str_alloc(vm, size, (uint32_t)length, flags);
    if (!result) return VALUE_ERROR;
    bool done = join_items(vm, (char *)result->data, items, count, str_span(args[0]));
    return done ? object_value(result) : VALUE_ERROR;
}

/* ---- translate ---- */

static Value table_key(GenVM *vm, Value key) {
    if (value_is_intlike(key)) return key;
    if (!value_is_str(key))
        return raise_type(vm, "keys in translate table must be strings or integers");
    if (AS_STR(key)->length != 1)
        return raise_value(vm, "string keys in translate table must be of length 1");
    const char *at = AS_STR(key)->data;
    return int_value(utf8_take(&at));
}

static Value table_of_dict(GenVM *vm, Value from) {
    if (!is_exact(from, TYPE_DICT))
        return raise_type(vm, "if you give only one argument to maketrans it must be a dict");
    Value table = dict_new(vm), key, value;
    if (table == VALUE_ERROR) return table;
    for (uint32_t at = 0; dict_next(AS_DICT(from), &at, &key, &value);) {
        key = table_key(vm, key);
        if (key == VALUE_ERROR || dict_set(vm, AS_DICT(table), key, value) != LEAF_TRUE)
            return VALUE_ERROR;
    }
    return table;
}

static COLD Value maketrans(GenVM *vm, Value *args) {
    if (args[1] == VALUE_UNSET) return table_of_dict(vm, args[0]);
    if (!value_is_str(args[0]))
        return raise_type(
            vm, "first maketrans argument must be a string if there is a second argument");
    Str *from = AS_STR(args[0]), *to = AS_STR(args[1]);
    if (from->length != to->length)
        return raise_value(vm, "the first two maketrans arguments must have equal length");
    size_t dropped = args[2] == VALUE_UNSET ? 0 : AS_STR(args[2])->length;
    if (!text_foresee(vm, from->length + dropped, 8) ||
        !native_work(vm, (from->length + dropped) / 4))
        return VALUE_ERROR;
    Value table = dict_new(vm);
    if (table == VALUE_ERROR) return table;
    const char *a = from->data, *b = to->data;
    while (a < from->data + from->size) {
        uint32_t key = utf8_take(&a), value = utf8_take(&b);
        if (dict_set(vm, AS_DICT(table), int_value(key), int_value(value)) != LEAF_TRUE)
            return VALUE_ERROR;
    }
    if (args[2] == VALUE_UNSET) return table;
    const char *gone = AS_STR(args[2])->data, *end = gone + AS_STR(args[2])->size;
    while (gone < end)
        if (dict_set(vm, AS_DICT(table), int_value(utf8_take(&gone)), VALUE_NONE) != LEAF_TRUE)
            return VALUE_ERROR;
    return table;
}

/* What a translate table says about one code point: a str, VALUE_NONE (drop it) or VALUE_UNSET
 * (keep it). */
static Value translation(GenVM *vm, Dict *table, uint32_t c) {
    Value to = VALUE_UNSET;
    Leaf found = dict_get(vm, table, int_value(c), &to);
    if (found == LEAF_SCRIPT) return VALUE_TAIL;
    if (found == LEAF_ERROR) return VALUE_ERROR;
    if (found == LEAF_FALSE) return VALUE_UNSET;
    if (to == VALUE_NONE || value_is_str(to)) return to;
    if (!value_is_intlike(to))
        return raise_type(vm, "character mapping must return integer, None or str");
    int64_t code;
    if (!int_to_i64(to, &code) || code < 0 || code > CODE_POINT_MAX)
        return raise_value(vm, "character mapping must be in range(0x%x)", CODE_POINT_MAX + 1);
    return str_from_char(vm, (uint32_t)code);
}

/* What became of the ASCII characters met so far. */
enum { CHAR_UNKNOWN = 255, CHAR_GONE = 254, CHAR_OTHER = 253 };

/* How ASCII character c maps: to an ASCII character, to nothing, or otherwise. */
static bool learn(GenVM *vm, Dict *table, unsigned char c, uint8_t *known) {
    Value to = translation(vm, table, c);
    if (to == VALUE_ERROR) return false;
    if (to == VALUE_UNSET)
        *known = c;
    else if (to == VALUE_NONE)
        *known = CHAR_GONE;
    else if (to != VALUE_TAIL && AS_STR(to)->size == 1)
        *known = (uint8_t)*AS_STR(to)->data;
    else
        *known = CHAR_OTHER;
    return true;
}

/* ASCII text that maps to ASCII; VALUE_UNSET when something does not. */
static Value translate_ascii(GenVM *vm, Str *str, Dict *table) {
    uint8_t known[128];
    memset(known, CHAR_UNKNOWN, sizeof known);
    if (str->size == 0) return vm->empty_str;
    Str *result = str_alloc(vm, str->size, str->size, STR_ASCII);
    if (!result) return VALUE_ERROR;
    char *out = (char *)result->data;
    for (const char *at = str->data, *end = at + str->size; at < end; at++) {
        unsigned char c = (unsigned char)*at;
        if (!native_glance(vm, (uint64_t)(end - at))) return VALUE_ERROR;
        if (unlikely(known[c] == CHAR_UNKNOWN) && !learn(vm, table, c, &known[c]))
            return VALUE_ERROR;
        if (unlikely(known[c] == CHAR_OTHER)) return VALUE_UNSET;
        *out = (char)known[c];
        out += known[c] != CHAR_GONE;
    }
    size_t size = (size_t)(out - result->data);
    return size == str->size ? object_value(result) : str_new(vm, result->data, size);
}

static Value translate_any(GenVM *vm, Str *str, Value table) {
    StrBuilder builder;
    builder_init_work(&builder, vm);
    for (const char *at = str->data, *end = at + str->size; at < end && !builder.failed;) {
        const char *start = at;
        Value to = translation(vm, AS_DICT(table), utf8_take(&at));
        if (to == VALUE_ERROR || to == VALUE_TAIL) {
            builder_drop(&builder);
            return to;
        }
        if (to == VALUE_UNSET)
            builder_put(&builder, start, (size_t)(at - start));
        else if (to != VALUE_NONE)
            builder_put_str(&builder, to);
    }
    return builder_finish(&builder);
}

static Value translate(GenVM *vm, Value *args) {
    Str *str = AS_STR(args[0]);
    if (!is_exact(args[1], TYPE_DICT))
        return native_twin(vm, TWIN_STR_TRANSLATE, 2, args[0], args[1]);
    if (!native_work(vm, str->size / 16)) return VALUE_ERROR;
    Value result = str_is_ascii(str) ? translate_ascii(vm, str, AS_DICT(args[1])) : VALUE_UNSET;
    if (result == VALUE_UNSET) result = translate_any(vm, str, args[1]);
    return result == VALUE_TAIL ? native_twin(vm, TWIN_STR_TRANSLATE, 2, args[0], args[1]) : result;
}

/* ---- the rest ---- */

static Value encode(GenVM *vm, Value *args) {
    const char *encoding = str_c_whole(vm, args[1]),
               *errors = encoding ? str_c_whole(vm, args[2]) : NULL;
    if (!errors) return VALUE_ERROR;
    if (codec_needs_script(encoding, errors))
        return native_twin(vm, TWIN_ENCODE_TEXT, 3, args[0], args[1], args[2]);
    return codec_encode(vm, args[0], encoding, errors);
}

static Value getnewargs(GenVM *vm, Value *args) {
    Value text = str_exact(vm, args[0]);
    return text == VALUE_ERROR ? text : tuple_pack(vm, 1, text);
}

const NativeDef str_methods[] = {
    {"capitalize(self, /)", str_capitalize, "Return a capitalized version of the string."},
    {"casefold(self, /)", str_casefold,
     "Return a version of the string suitable for caseless comparisons."},
    {"center(self, width: size, fillchar: object = ' ', /)", center,
     "Return a centered string of length width."},
    {"count(self, sub: str, start: position | None = None, end: position | None = None, /)",
     str_count, "Return the number of non-overlapping occurrences of sub in the string."},
    {"encode(self, encoding: str = 'utf-8', errors: str = 'strict')", encode,
     "Encode the string to bytes."},
    {"endswith(self, suffix: object, start: position | None = None, end: position | None = None, "
     "/)",
     endswith, "Return True if the string ends with the suffix, or one of a tuple of them."},
    {"expandtabs(self, tabsize: index = 8)", expandtabs,
     "Return a copy where tabs are expanded using spaces."},
    {"find(self, sub: str, start: position | None = None, end: position | None = None, /)",
     str_find, "Return the lowest index where sub is found, or -1."},
    {"format(self, /, *args, **kwargs)", str_format_method,
     "Return a formatted version of the string."},
    {"format_map(self, mapping: object, /)", str_format_map,
     "Return a formatted version, fields from a mapping."},
    {"index(self, sub: str, start: position | None = None, end: position | None = None, /)",
     str_index, "Like find, but raise ValueError when sub is not found."},
    {"isalnum(self, /)", str_isalnum,
     "Return True if all characters are letters or numbers, and there is one."},
    {"isalpha(self, /)", str_isalpha,
     "Return True if all characters are letters, and there is one."},
    {"isascii(self, /)", str_isascii, "Return True if all characters are ASCII."},
    {"isdecimal(self, /)", str_isdecimal,
     "Return True if all characters are decimal digits, and there is one."},
    {"isdigit(self, /)", str_isdigit,
     "Return True if all characters are digits, and there is one."},
    {"isidentifier(self, /)", str_isidentifier, "Return True if the string is a valid identifier."},
    {"islower(self, /)", str_islower,
     "Return True if all cased characters are lowercase, and there is one."},
    {"isnumeric(self, /)", str_isnumeric,
     "Return True if all characters are numeric, and there is one."},
    {"isprintable(self, /)", str_isprintable, "Return True if all characters are printable."},
    {"isspace(self, /)", str_isspace,
     "Return True if all characters are white space, and there is one."},
    {"istitle(self, /)", str_istitle,
     "Return True if the string is title-cased, and has a cased character."},
    {"isupper(self, /)", str_isupper,
     "Return True if all cased characters are uppercase, and there is one."},
    {"join(self, iterable, /)", join,
     "Concatenate any number of strings, with this one between them."},
    {"ljust(self, width: size, fillchar: object = ' ', /)", ljust,
     "Return a left-justified string of length width."},
    {"lower(self, /)", str_lower, "Return a copy of the string converted to lowercase."},
    {"lstrip(self, chars: object = None, /)", lstrip,
     "Return a copy with leading white space or chars removed."},
    {"static maketrans(x, y: str = ?, z: str = ?, /)", maketrans,
     "Return a translation table for str.translate()."},
    {"partition(self, sep, /)", str_partition,
     "Split at the first sep: the part before, sep, the part after."},
    {"removeprefix(self, prefix: str, /)", removeprefix,
     "Return the string without the given prefix if present."},
    {"removesuffix(self, suffix: str, /)", removesuffix,
     "Return the string without the given suffix if present."},
    {"replace(self, old: str, new: str, /, count: size = -1)", str_replace,
     "Return a copy with all, or the first count, occurrences of old replaced by new."},
    {"rfind(self, sub: str, start: position | None = None, end: position | None = None, /)",
     str_rfind, "Return the highest index where sub is found, or -1."},
    {"rindex(self, sub: str, start: position | None = None, end: position | None = None, /)",
     str_rindex, "Like rfind, but raise ValueError when sub is not found."},
    {"rjust(self, width: size, fillchar: object = ' ', /)", rjust,
     "Return a right-justified string of length width."},
    {"rpartition(self, sep, /)", str_rpartition,
     "Split at the last sep: the part before, sep, the part after."},
    {"rsplit(self, sep: object = None, maxsplit: size = -1)", str_rsplit,
     "Return a list of the substrings between separators, splitting from the end."},
    {"rstrip(self, chars: object = None, /)", rstrip,
     "Return a copy with trailing white space or chars removed."},
    {"split(self, sep: object = None, maxsplit: size = -1)", str_split,
     "Return a list of the substrings between separators."},
    {"splitlines(self, keepends: bool = False)", str_splitlines,
     "Return a list of the lines in the string."},
    {"startswith(self, prefix: object, start: position | None = None, end: position | None = None, "
     "/)",
     startswith, "Return True if the string starts with the prefix, or one of a tuple of them."},
    {"strip(self, chars: object = None, /)", strip,
     "Return a copy with white space or chars removed at both ends."},
    {"swapcase(self, /)", str_swapcase,
     "Convert uppercase characters to lowercase and lowercase to uppercase."},
    {"title(self, /)", str_title, "Return a version where each word is title-cased."},
    {"translate(self, table, /)", translate,
     "Replace each character using the given translation table."},
    {"upper(self, /)", str_upper, "Return a copy of the string converted to uppercase."},
    {"zfill(self, width: size, /)", zfill, "Pad a numeric string with zeros on the left."},
    {"__getnewargs__(self, /)", getnewargs, NULL},
    {NULL, NULL, NULL},
};
