/* json_encode.c - writing JSON: the module _json's other half, and its table.
 *
 * encode() writes a value in one go as long as all in it is of the types that JSON has (or derives
 * from them without changing how it is read). Whatever else it meets, an error included, it answers
 * NotImplemented: stdlib/json/encoder.gen then does the whole again, step by step, and calls
 * `default` or raises with the notes of where it was.
 */
#include "stdlib/json.h"
#include "vm/objects/containers.h"
#include "vm/objects/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Writer {
    GenVM *vm;
    StrBuilder out;
    bool ascii, sort, skip, allow_nan;
    Value item_separator, key_separator;
    Value indent; /* str, or None: all in one line */
    uint64_t level;
    uint64_t charged; /* bytes of out that are paid for */
} Writer;

/* ---- strings ---- */

static void put_escaped(StrBuilder *out, uint32_t c) {
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', hex[c >> 12 & 15], hex[c >> 8 & 15], hex[c >> 4 & 15], hex[c & 15]};
    builder_put(out, text, sizeof text);
}

static void put_special(StrBuilder *out, char c) {
    static const char from[] = "\"\\\n\r\t\f\b", to[] = "\"\\nrtfb";
    const char *found = c ? strchr(from, c) : NULL;
    if (!found) {
        put_escaped(out, (unsigned char)c);
        return;
    }
    char text[2] = {'\\', to[found - from]};
    builder_put(out, text, 2);
}

static void put_wide(StrBuilder *out, uint32_t c) {
    if (c < 0x10000) {
        put_escaped(out, c);
        return;
    }
    put_escaped(out, 0xD800 + ((c - 0x10000) >> 10));
    put_escaped(out, 0xDC00 + (c & 0x3FF));
}

static void put_string(StrBuilder *out, Value v, bool ascii) {
    const char *at = AS_STR(v)->data, *end = at + AS_STR(v)->size;
    builder_put_byte(out, '"');
    while (at < end) {
        const char *run = at, *stop = end - at > TEXT_MUCH ? at + TEXT_MUCH : end;
        while (run < stop && (unsigned char)*run >= 0x20 && *run != '"' && *run != '\\' &&
               !((unsigned char)*run >= 0x7F && ascii))
            run++;
        builder_put(out, at, (size_t)(run - at));
        at = run;
        if (run == stop && run < end && !native_look(out->vm)) out->failed = true;
        if (at >= end || out->failed) break;
        if (run == stop) continue;
        if (*at & 0x80)
            put_wide(out, utf8_take(&at));
        else
            put_special(out, *at++);
    }
    builder_put_byte(out, '"');
}

static Value encode_string(GenVM *vm, Value v, bool ascii) {
    StrBuilder out;
    builder_init_work(&out, vm);
    put_string(&out, v, ascii);
    return builder_finish(&out);
}

static Value encode_basestring(GenVM *vm, Value *args) {
    return native_work(vm, AS_STR(args[0])->size / 8) ? encode_string(vm, args[0], false)
                                                      : VALUE_ERROR;
}
static Value encode_basestring_ascii(GenVM *vm, Value *args) {
    return native_work(vm, AS_STR(args[0])->size / 8) ? encode_string(vm, args[0], true)
                                                      : VALUE_ERROR;
}

/* ---- numbers ---- */

static bool put_int(Writer *w, Value v) {
    if (is_int(v)) {
        char text[24];
        return builder_put(&w->out, text,
                           (size_t)snprintf(text, sizeof text, "%lld", (long long)as_int(v)));
    }
    Value text = int_repr(w->vm, v);
    return text != VALUE_ERROR && builder_put_str(&w->out, text);
}

static bool put_float(Writer *w, double d) {
    char text[40];
    if (isfinite(d)) return builder_put(&w->out, text, float_repr_to(text, d));
    if (!w->allow_nan) return false;
    return builder_put_c(&w->out, isnan(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity");
}

/* ---- containers ---- */

static bool put_value(Writer *w, Value v);

static bool put_newline(Writer *w) {
    builder_put_byte(&w->out, '\n');
    for (uint64_t i = 0; i < w->level; i++)
        builder_put_str(&w->out, w->indent);
    return !w->out.failed;
}

static bool open_container(Writer *w, char c) {
    builder_put_byte(&w->out, c);
    w->level++;
    return w->indent == VALUE_NONE || put_newline(w);
}

static bool separate(Writer *w) {
    builder_put_str(&w->out, w->item_separator);
    return w->indent == VALUE_NONE || put_newline(w);
}

static bool close_container(Writer *w, char c) {
    w->level--;
    return (w->indent == VALUE_NONE || put_newline(w)) && builder_put_byte(&w->out, c);
}

static bool put_sequence(Writer *w, Value v) {
    uint64_t count;
    sequence_items(v, &count);
    if (!count) return builder_put(&w->out, "[]", 2);
    open_container(w, '[');
    for (uint64_t i = 0; i < count; i++)
        if ((i && !separate(w)) || !put_value(w, sequence_items(v, &count)[i])) return false;
    return close_container(w, ']');
}

/* False with out.failed unset: a key that is to be skipped, or for the slow way. */
static bool put_key(Writer *w, Value key) {
    if (value_is_str(key)) {
        put_string(&w->out, key, w->ascii);
        return !w->out.failed;
    }
    if (!is_exact(key, TYPE_INT) && !is_int(key) && !value_is_float(key) && !is_bool(key) &&
        key != VALUE_NONE)
        return false;
    builder_put_byte(&w->out, '"');
    return put_value(w, key) && builder_put_byte(&w->out, '"');
}

static bool put_pair(Writer *w, bool first, Value key, Value value) {
    return (first || separate(w)) && put_key(w, key) &&
           builder_put_str(&w->out, w->key_separator) && put_value(w, value);
}

typedef struct Pair {
    Value key, value;
} Pair;

static int compare_pairs(const void *left, const void *right) {
    return str_order(((const Pair *)left)->key, ((const Pair *)right)->key);
}

static bool put_sorted(Writer *w, Dict *dict) {
    Buffer *buffer = gc_buffer_new(w->vm, dict->count * sizeof(Pair));
    if (!buffer) return false;
    Pair *pairs = (Pair *)buffer->data;
    uint32_t position = 0, count = 0;
    Value key, value;
    while (dict_next(dict, &position, &key, &value)) {
        if (!value_is_str(key)) return false;
        pairs[count++] = (Pair){key, value};
    }
    enum { MUCH = 1 << 14, NANOSECONDS = 120 };
    if (count > MUCH && !native_foresee(w->vm, (uint64_t)count * NANOSECONDS)) return false;
    if (!native_work(w->vm, count)) return false;
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (uint32_t i = 0; i < count; i++)
        if (!put_pair(w, i == 0, pairs[i].key, pairs[i].value)) return false;
    return true;
}

static bool put_dict(Writer *w, Value v) {
    Dict *dict = AS_DICT(v);
    if (!dict->count) return builder_put(&w->out, "{}", 2);
    open_container(w, '{');
    if (w->sort) {
        if (!put_sorted(w, dict)) return false;
        return close_container(w, '}');
    }
    uint32_t position = 0;
    Value key, value;
    for (bool first = true; dict_next(dict, &position, &key, &value); first = false)
        if (!put_pair(w, first, key, value)) return false;
    return close_container(w, '}');
}

/* ---- any value ---- */

/* Is the dict read by methods of its own? */
static bool is_plain_dict(GenVM *vm, Value v) {
    if (is_exact(v, TYPE_DICT)) return true;
    Value name = str_intern_from(vm, "items", 5);
    return name != VALUE_ERROR &&
           type_lookup(vm, type_of(vm, v), name) == type_lookup(vm, vm->types[TYPE_DICT], name);
}

static bool put_nested(Writer *w, Value v, bool is_dict) {
    if (is_dict && (w->skip || !is_plain_dict(w->vm, v))) return false;
    if (!native_enter(w->vm)) return false;
    bool done = is_dict ? put_dict(w, v) : put_sequence(w, v);
    native_leave(w->vm);
    return done;
}

static bool pay(Writer *w) {
    uint64_t due = (w->out.size - w->charged) / 8 + 1;
    w->charged = w->out.size;
    return native_work(w->vm, due);
}

static bool put_value(Writer *w, Value v) {
    if (w->out.size - w->charged > 4096 && !pay(w)) return false;
    if (is_int(v)) return put_int(w, v);
    if (v == VALUE_NONE) return builder_put_c(&w->out, "null");
    if (is_bool(v)) return builder_put_c(&w->out, v == VALUE_TRUE ? "true" : "false");
    if (value_is_float(v)) return put_float(w, value_float(v));
    switch (as_object(v)->kind) {
    case TYPE_STR: put_string(&w->out, v, w->ascii); return !w->out.failed;
    case TYPE_INT: return put_int(w, v);
    case TYPE_LIST:
    case TYPE_TUPLE: return put_nested(w, v, false);
    case TYPE_DICT: return put_nested(w, v, true);
    default: return false;
    }
}

enum { A_VALUE, A_ASCII, A_INDENT, A_ITEM_SEPARATOR, A_KEY_SEPARATOR, A_SORT, A_SKIP, A_NAN };

static Value encode(GenVM *vm, Value *args) {
    Writer writer = {.vm = vm,
                     .ascii = args[A_ASCII] == VALUE_TRUE,
                     .sort = args[A_SORT] == VALUE_TRUE,
                     .skip = args[A_SKIP] == VALUE_TRUE,
                     .allow_nan = args[A_NAN] == VALUE_TRUE,
                     .item_separator = args[A_ITEM_SEPARATOR],
                     .key_separator = args[A_KEY_SEPARATOR],
                     .indent = args[A_INDENT]};
    builder_init_work(&writer.out, vm);
    if (put_value(&writer, args[A_VALUE]) && pay(&writer)) return builder_finish(&writer.out);
    builder_drop(&writer.out);
    if (vm->stop) return VALUE_ERROR;
    if (vm->exception == VALUE_UNSET) return VALUE_NOT_IMPLEMENTED;
    if (!error_matches(vm, EXC_RECURSION_ERROR) && !error_matches(vm, EXC_VALUE_ERROR))
        return VALUE_ERROR;
    error_clear(vm); /* the slow way finds it again and says where */
    return VALUE_NOT_IMPLEMENTED;
}

static const NativeDef functions[] = {
    {"loads(document: str, strict: bool, fail, /)", json_loads,
     "The value of a document without hooks."},
    {"scan_once(document: str, index: index, strict: bool, fail, /)", json_scan_once,
     "The value at an index, and where it ends."},
    {"scanstring(document: str, end: index, strict: bool, fail, /)", json_scan_string,
     "The string behind a quote, and where it ends."},
    {"scan_number(document: str, index: index, /)", json_scan_number,
     "The text of a number and whether it is real, or None."},
    {"encode_basestring(text: str, /)", encode_basestring,
     "Return a JSON representation of a string."},
    {"encode_basestring_ascii(text: str, /)", encode_basestring_ascii,
     "Return an ASCII-only JSON representation of a string."},
    {"encode(value, ascii: bool, indent: str | None, item_separator: str, key_separator: str, "
     "sort_keys: bool, skip_keys: bool, allow_nan: bool, /)",
     encode, "The whole text, or NotImplemented where it takes script code."},
    {0},
};

const NativeModule json_module = {"_json", functions, NULL};
