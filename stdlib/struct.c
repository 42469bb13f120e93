/* struct.c - the module _struct: numbers and bytes packed as C lays them out.
 *
 * A format is read item by item, by all functions in the same way (next_item); the class Struct and
 * the conversion of arguments with methods of their own are in struct.gen.
 */
#include "stdlib/modules.h"
#include "vm/objects.h"

#include <math.h>
#include <stdint.h>
#include <stdarg.h>
#include <stdio.h>

typedef struct Kind {
    char code;
    uint8_t native_size, size; /* size 0: only in native formats */
    bool is_signed, is_float;
} Kind;

static const Kind kinds[] = {
    {'x', 1, 1, false, false},
    {'c', 1, 1, false, false},
    {'s', 1, 1, false, false},
    {'p', 1, 1, false, false},
    {'?', sizeof(_Bool), 1, false, false},
    {'b', 1, 1, true, false},
    {'B', 1, 1, false, false},
    {'h', sizeof(short), 2, true, false},
    {'H', sizeof(short), 2, false, false},
    {'i', sizeof(int), 4, true, false},
    {'I', sizeof(int), 4, false, false},
    {'l', sizeof(long), 4, true, false},
    {'L', sizeof(long), 4, false, false},
    {'q', sizeof(long long), 8, true, false},
    {'Q', sizeof(long long), 8, false, false},
    {'n', sizeof(ssize_t), 0, true, false},
    {'N', sizeof(size_t), 0, false, false},
    {'P', sizeof(void *), 0, false, false},
    {'e', 2, 2, true, true},
    {'f', sizeof(float), 4, true, true},
    {'d', sizeof(double), 8, true, true},
};

typedef struct Format {
    GenVM *vm;
    const char *at, *end;
    bool is_native, is_big;
    uint64_t offset; /* behind the items read so far */
} Format;

typedef struct Item { /* `count` values of `kind`; of s and p one value of `count` bytes */
    const Kind *kind;
    uint64_t count, offset;
    uint32_t size;
} Item;

/* struct.error, which is in the module's dict. */
static Value raise_own(GenVM *vm, const char *format, ...) {
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    Value module = dict_get_str(vm, vm->modules, str_intern_from(vm, "struct", 6));
    Value cls = module == VALUE_UNSET
                    ? VALUE_UNSET
                    : dict_get_str(vm, AS(Module, module)->dict, str_intern_from(vm, "error", 5));
    if (!is_type(cls)) return raise_value(vm, "%s", text);
    Value args = tuple_pack(vm, 1, str_from(vm, text));
    if (args == VALUE_ERROR) return args;
    Value exception = exception_new_of(vm, type_from(cls), args);
    return exception == VALUE_ERROR ? exception : raise_value_object(vm, exception);
}

/* ---- formats ---- */

static bool begin(GenVM *vm, Value v, Format *format) {
    const uint8_t *data;
    size_t size;
    if (value_is_str(v)) {
        data = (const uint8_t *)AS_STR(v)->data;
        size = AS_STR(v)->size;
    } else if (!bytes_view(vm, v, &data, &size)) {
        raise_type(vm, "Struct() argument 1 must be a str or bytes object, not %T", v);
        return false;
    }
    *format = (Format){.vm = vm, .at = (const char *)data, .is_native = true};
    format->end = format->at + size;
    if (size == 0) return true;
    switch (*format->at) {
    case '@': format->at++; break;
    case '=':
    case '<':
        format->at++;
        format->is_native = false;
        break;
    case '>':
    case '!':
        format->at++;
        format->is_native = false;
        format->is_big = true;
        break;
    default: break;
    }
    return true;
}

static const Kind *find_kind(const Format *format, char code) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].code == code && (format->is_native || kinds[i].size)) return &kinds[i];
    return NULL;
}

static bool read_count(Format *format, uint64_t *count) {
    *count = 0;
    for (; format->at < format->end && *format->at >= '0' && *format->at <= '9'; format->at++) {
        *count = *count * 10 + (uint64_t)(*format->at - '0');
        if (*count > INT64_MAX / 16)
            return raise_own(format->vm, "total struct size too long"), false;
    }
    if (format->at < format->end) return true;
    raise_own(format->vm, "repeat count given without format specifier");
    return false;
}

/* LEAF_TRUE: *item is the next; LEAF_FALSE: the format is at its end. */
static Leaf next_item(Format *format, Item *item) {
    while (format->at < format->end &&
           (*format->at == ' ' || (*format->at >= 9 && *format->at <= 13)))
        format->at++;
    if (format->at == format->end) return LEAF_FALSE;
    item->count = 1;
    bool counted = *format->at >= '0' && *format->at <= '9';
    if (counted && !read_count(format, &item->count)) return LEAF_ERROR;
    item->kind = find_kind(format, *format->at++);
    if (!item->kind) return raise_own(format->vm, "bad char in struct format"), LEAF_ERROR;
    item->size = format->is_native ? item->kind->native_size : item->kind->size;
    uint64_t align = format->is_native ? item->size : 1;
    item->offset = (format->offset + align - 1) / align * align;
    format->offset = item->offset + item->count * item->size;
    if (format->offset <= INT64_MAX / 2) return LEAF_TRUE;
    raise_own(format->vm, "total struct size too long");
    return LEAF_ERROR;
}

static uint64_t values_of(const Item *item) {
    if (item->kind->code == 'x') return 0;
    return item->kind->code == 's' || item->kind->code == 'p' ? 1 : item->count;
}

/* How many bytes and how many values the whole format has. */
static bool measure(GenVM *vm, Value v, uint64_t *size, uint64_t *values) {
    Format format;
    Item item;
    if (!begin(vm, v, &format)) return false;
    *values = 0;
    Leaf found;
    while ((found = next_item(&format, &item)) == LEAF_TRUE)
        *values += values_of(&item);
    *size = format.offset;
    return found == LEAF_FALSE;
}

/* ---- numbers as bytes ---- */

static void put_bits(uint8_t *out, uint64_t bits, uint32_t size, bool big) {
    for (uint32_t i = 0; i < size; i++)
        out[big ? size - 1 - i : i] = (uint8_t)(bits >> (8 * i));
}

static uint64_t get_bits(const uint8_t *in, uint32_t size, bool big) {
    uint64_t bits = 0;
    for (uint32_t i = 0; i < size; i++)
        bits |= (uint64_t)in[big ? size - 1 - i : i] << (8 * i);
    return bits;
}

static double half_to_double(uint64_t half) {
    int exponent = (int)(half >> 10 & 31);
    double fraction = (double)(half & 1023) / 1024, v;
    if (exponent == 31)
        v = fraction != 0 ? NAN : INFINITY;
    else
        v = exponent ? ldexp(1 + fraction, exponent - 15) : ldexp(fraction, -14);
    return half >> 15 ? -v : v;
}

/* Rounded half to even; false: too large. */
static bool half_from_double(double v, uint64_t *half) {
    uint64_t sign = signbit(v) ? 0x8000 : 0;
    v = fabs(v);
    if (isnan(v) || isinf(v)) {
        *half = sign | (isnan(v) ? 0x7E00 : 0x7C00);
        return true;
    }
    int exponent;
    double fraction = frexp(v, &exponent);
    if (v == 0 || exponent - 1 < -14) { /* subnormal: in units of 2^-24 */
        *half = sign | (uint64_t)nearbyint(ldexp(v, 24));
        return true;
    }
    uint64_t bits = (uint64_t)nearbyint((fraction * 2 - 1) * 1024);
    uint64_t all = ((uint64_t)(exponent - 1 + 15) << 10) + bits; /* a carry goes to the exponent */
    if (exponent - 1 > 15 || all >= 0x7C00) return false;
    *half = sign | all;
    return true;
}

/* What C makes of a float that is too large is what native formats pack. */
static bool float_bits(GenVM *vm, double v, uint32_t size, bool native, uint64_t *bits) {
    if (size == 2) {
        if (half_from_double(v, bits)) return true;
        raise_overflow(vm, "float too large to pack with e format");
        return false;
    }
    if (size == 8) {
        memcpy(bits, &v, 8);
        return true;
    }
    float narrow = (float)v;
    uint32_t word;
    if (isinf(narrow) && !isinf(v) && !native) {
        raise_overflow(vm, "float too large to pack with f format");
        return false;
    }
    memcpy(&word, &narrow, 4);
    *bits = word;
    return true;
}

static Value float_of_bits(GenVM *vm, uint64_t bits, uint32_t size) {
    if (size == 2) return float_value(vm, half_to_double(bits));
    if (size == 8) {
        double v;
        memcpy(&v, &bits, 8);
        return float_value(vm, v);
    }
    float narrow;
    uint32_t word = (uint32_t)bits;
    memcpy(&narrow, &word, 4);
    return float_value(vm, (double)narrow);
}

static Value out_of_range(GenVM *vm, const Item *item, char code) {
    unsigned bits = item->size * 8;
    if (item->kind->is_signed) {
        int64_t least = INT64_MIN >> (64 - bits);
        return raise_own(vm, "'%c' format requires %lld <= number <= %lld", code, (long long)least,
                         (long long)~least);
    }
    return raise_own(vm, "'%c' format requires 0 <= number <= %llu", code,
                     (unsigned long long)(UINT64_MAX >> (64 - bits)));
}

/* LEAF_SCRIPT: the value has a method that makes it an int. */
static Leaf int_bits(GenVM *vm, const Item *item, Value v, uint64_t *bits) {
    if (!value_is_intlike(v)) {
        if (is_object(v) && !value_is_float(v) && !value_is_str(v) &&
            type_find_special(vm, type_of(vm, v), SP_INDEX) != VALUE_UNSET)
            return LEAF_SCRIPT;
        raise_own(vm, "required argument is not an integer");
        return LEAF_ERROR;
    }
    int64_t i;
    bool fits = int_to_i64(v, &i);
    unsigned width = item->size * 8;
    if (fits && item->kind->is_signed)
        fits = width == 64 || (i >= -((int64_t)1 << (width - 1)) && i < (int64_t)1 << (width - 1));
    else if (fits)
        fits = i >= 0 && (width == 64 || i < (int64_t)1 << width);
    else if (!item->kind->is_signed && width == 64) {
        uint64_t low;
        int_to_u64_mask(v, &low);
        Value same = int_from_u64(vm, low);
        fits = same != VALUE_ERROR && leaf_equal(vm, same, v) == LEAF_TRUE;
    }
    if (!fits) return out_of_range(vm, item, item->kind->code), LEAF_ERROR;
    int_to_u64_mask(v, bits);
    return LEAF_TRUE;
}

static Leaf number_bits(const Format *format, const Item *item, Value v, uint64_t *bits) {
    GenVM *vm = format->vm;
    if (item->kind->code == '?') {
        Leaf truth = leaf_truth(vm, v);
        *bits = truth == LEAF_TRUE;
        return truth < 0 ? truth : LEAF_TRUE;
    }
    if (!item->kind->is_float) return int_bits(vm, item, v, bits);
    double number;
    if (value_is_float(v)) {
        number = value_float(v);
    } else if (value_is_intlike(v)) {
        bool overflow = false;
        number = int_to_double(vm, v, &overflow);
        if (overflow) return raise_own(vm, "int too large to convert to float"), LEAF_ERROR;
    } else {
        Type *type = type_of(vm, v);
        if (!value_is_str(v) && is_object(v) &&
            (type_find_special(vm, type, SP_FLOAT) != VALUE_UNSET ||
             type_find_special(vm, type, SP_INDEX) != VALUE_UNSET))
            return LEAF_SCRIPT;
        raise_own(vm, "required argument is not a float");
        return LEAF_ERROR;
    }
    return float_bits(vm, number, item->size, format->is_native, bits) ? LEAF_TRUE : LEAF_ERROR;
}

/* ---- packing ---- */

static Leaf put_bytes(GenVM *vm, const Item *item, Value v, uint8_t *out) {
    const uint8_t *data;
    size_t size;
    char code = item->kind->code;
    bool given = is_kind(v, TYPE_BYTES) || (code != 'c' && is_kind(v, TYPE_BYTEARRAY));
    if (!given || !bytes_view(vm, v, &data, &size) || (code == 'c' && size != 1)) {
        if (code == 'c')
            raise_own(vm, "char format requires a bytes object of length 1");
        else
            raise_own(vm, "argument for '%c' must be a bytes object", code);
        return LEAF_ERROR;
    }
    uint64_t room = code == 'c' ? 1 : item->count;
    if (code == 'p' && room > 0) {
        room--;
        *out++ = (uint8_t)(size > room ? (room > 255 ? 255 : room) : (size > 255 ? 255 : size));
    }
    if (room) memcpy(out, data, size < room ? size : room);
    return LEAF_TRUE;
}

static Leaf put_item(const Format *format, const Item *item, const Value *values, uint8_t *out) {
    GenVM *vm = format->vm;
    char code = item->kind->code;
    if (code == 'x') return LEAF_TRUE;
    if (code == 's' || code == 'p') return put_bytes(vm, item, values[0], out);
    bool big = format->is_big;
    for (uint64_t i = 0; i < item->count; i++, out += item->size) {
        uint64_t bits = 0;
        Leaf done = code == 'c' ? put_bytes(vm, item, values[i], out)
                                : number_bits(format, item, values[i], &bits);
        if (done != LEAF_TRUE) return done;
        if (code != 'c') put_bits(out, bits, item->size, big);
    }
    return LEAF_TRUE;
}

/* pack(format, values, what): bytes; NotImplemented when a value has to be converted by a method.
 */
static Value pack(GenVM *vm, Value *args) {
    const Tuple *values = AS_TUPLE(args[1]);
    uint64_t size, count, next = 0;
    if (!measure(vm, args[0], &size, &count)) return VALUE_ERROR;
    if (count != values->count)
        return raise_own(vm, "%s expected %llu items for packing (got %llu)", AS_STR(args[2])->data,
                         (unsigned long long)count, (unsigned long long)values->count);
    if (!gc_check_size(vm, size) || !native_work(vm, size / 8)) return VALUE_ERROR;
    Value packed = bytes_work(vm, NULL, size);
    const uint8_t *room;
    if (packed == VALUE_ERROR || !bytes_view(vm, packed, &room, &size)) return VALUE_ERROR;
    uint8_t *out = (uint8_t *)(uintptr_t)room;
    Format format;
    Item item;
    begin(vm, args[0], &format);
    while (next_item(&format, &item) == LEAF_TRUE) {
        Leaf done = put_item(&format, &item, values->items + next, out + item.offset);
        if (done == LEAF_ERROR) return VALUE_ERROR;
        if (done == LEAF_SCRIPT) return VALUE_NOT_IMPLEMENTED;
        next += values_of(&item);
    }
    return packed;
}

/* codes(format): the code of each value. */
static Value codes(GenVM *vm, Value *args) {
    Format format;
    Item item;
    StrBuilder out;
    if (!begin(vm, args[0], &format)) return VALUE_ERROR;
    builder_init_work(&out, vm);
    Leaf found;
    while ((found = next_item(&format, &item)) == LEAF_TRUE)
        for (uint64_t i = values_of(&item); i > 0 && !out.failed; i--)
            builder_put_byte(&out, item.kind->code);
    if (found == LEAF_FALSE) return builder_finish(&out);
    builder_drop(&out);
    return VALUE_ERROR;
}

/* ---- unpacking ---- */

static Value get_bytes(GenVM *vm, const Item *item, const uint8_t *in) {
    uint64_t size = item->kind->code == 'c' ? 1 : item->count;
    if (item->kind->code != 'p')
        return size ? bytes_work(vm, (const char *)in, size) : vm->empty_bytes;
    uint64_t told = size ? in[0] : 0;
    return bytes_new(vm, (const char *)in + (size > 0), told < size ? told : size ? size - 1 : 0);
}

static Value get_number(GenVM *vm, const Format *format, const Item *item, const uint8_t *in) {
    uint64_t bits = get_bits(in, item->size, format->is_big);
    if (item->kind->code == '?') return bool_value(bits != 0);
    if (item->kind->is_float) return float_of_bits(vm, bits, item->size);
    if (!item->kind->is_signed) return int_from_u64(vm, bits);
    unsigned unused = 64 - item->size * 8;
    return int_from_i64(vm, (int64_t)(bits << unused) >> unused);
}

/* unpack(format, buffer, offset): a tuple, from the bytes at `offset`, which are known to be there.
 */
static Value unpack(GenVM *vm, Value *args) {
    uint64_t size, count, next = 0;
    const uint8_t *data;
    size_t available;
    uint64_t offset = (uint64_t)as_int(args[2]);
    if (!measure(vm, args[0], &size, &count)) return VALUE_ERROR;
    if (!bytes_view(vm, args[1], &data, &available))
        return raise_type(vm, "a bytes-like object is required, not '%T'", args[1]);
    if (offset > available || available - offset < size)
        return raise_own(vm, "unpack requires a buffer of %llu bytes", (unsigned long long)size);
    if (!native_work(vm, size / 8 + count)) return VALUE_ERROR;
    Value result = tuple_new(vm, count);
    Format format;
    Item item;
    begin(vm, args[0], &format);
    while (result != VALUE_ERROR && next_item(&format, &item) == LEAF_TRUE) {
        const uint8_t *in = data + offset + item.offset;
        char code = item.kind->code;
        for (uint64_t i = values_of(&item); i > 0; i--, in += item.size) {
            bool text = code == 's' || code == 'p' || code == 'c';
            Value v = text ? get_bytes(vm, &item, in) : get_number(vm, &format, &item, in);
            if (v == VALUE_ERROR || !native_glance(vm, next)) return VALUE_ERROR;
            AS_TUPLE(result)->items[next++] = v;
        }
    }
    return result;
}

static Value calcsize(GenVM *vm, Value *args) {
    uint64_t size, count;
    if (!measure(vm, args[0], &size, &count)) return VALUE_ERROR;
    return int_from_u64(vm, size);
}

static const NativeDef functions[] = {
    {"calcsize(format, /)", calcsize, "Return size in bytes of the struct described by format."},
    {"codes(format, /)", codes, NULL},
    {"pack(format, values: tuple, what: str, /)", pack, NULL},
    {"unpack(format, buffer, offset: index, /)", unpack, NULL},
    {0},
};

const NativeModule struct_module = {"_struct", functions, NULL};
