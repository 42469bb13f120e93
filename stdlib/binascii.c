/* binascii.c - the module binascii: bytes as text of hexadecimal or base64 digits, and checksums.
 */
#include "stdlib/modules.h"
#include "vm/objects.h"

#include <stdio.h>

typedef struct Bytes8 {
    const uint8_t *data;
    size_t size;
} Bytes8;

/* A bytes-like argument, or (where allowed) a str of ASCII. */
static bool take(GenVM *vm, Value v, bool text_too, Bytes8 *out) {
    if (bytes_view(vm, v, &out->data, &out->size)) return native_work(vm, out->size / 8);
    if (text_too && value_is_str(v)) {
        out->data = (const uint8_t *)AS_STR(v)->data;
        out->size = AS_STR(v)->size;
        if (AS_STR(v)->length == out->size) return native_work(vm, out->size / 8);
        raise_value(vm, "string argument should contain only ASCII characters");
        return false;
    }
    raise_type(vm,
               text_too ? "argument should be bytes, buffer or ASCII string, not '%T'"
                        : "a bytes-like object is required, not '%T'",
               v);
    return false;
}

/* ---- errors ---- */

/* binascii.Error, made by the module: the class is in its dict. */
static Value raise_own(GenVM *vm, const char *message) {
    Value module = dict_get_str(vm, vm->modules, str_intern_from(vm, "binascii", 8));
    Value cls = module == VALUE_UNSET
                    ? VALUE_UNSET
                    : dict_get_str(vm, AS(Module, module)->dict, str_intern_from(vm, "Error", 5));
    if (!is_type(cls)) return raise_value(vm, "%s", message);
    Value args = tuple_pack(vm, 1, str_from(vm, message));
    if (args == VALUE_ERROR) return args;
    Value exception = exception_new_of(vm, type_from(cls), args);
    return exception == VALUE_ERROR ? exception : raise_value_object(vm, exception);
}

/* ---- base64 ---- */

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static Value b2a_base64(GenVM *vm, Value *args) {
    Bytes8 in;
    if (!take(vm, args[0], false, &in)) return VALUE_ERROR;
    bool newline = args[1] == VALUE_TRUE;
    if (!gc_check_size(vm, in.size / 3 * 4 + 8)) return VALUE_ERROR;
    size_t out_size = (in.size + 2) / 3 * 4 + newline;
    if (out_size == 0) return vm->empty_bytes;
    Value result = bytes_work(vm, NULL, out_size);
    if (result == VALUE_ERROR) return result;
    const uint8_t *view;
    size_t size;
    bytes_view(vm, result, &view, &size);
    uint8_t *out = (uint8_t *)(uintptr_t)view;
    size_t i = 0;
    for (; i + 2 < in.size; i += 3) {
        uint32_t word = (uint32_t)in.data[i] << 16 | (uint32_t)in.data[i + 1] << 8 | in.data[i + 2];
        if (!native_glance(vm, i / 3)) return VALUE_ERROR;
        for (int shift = 18; shift >= 0; shift -= 6)
            *out++ = (uint8_t)digits64[word >> shift & 63];
    }
    if (i < in.size) {
        bool two = i + 1 < in.size;
        uint32_t word = (uint32_t)in.data[i] << 16 | (two ? (uint32_t)in.data[i + 1] << 8 : 0);
        *out++ = (uint8_t)digits64[word >> 18 & 63];
        *out++ = (uint8_t)digits64[word >> 12 & 63];
        *out++ = two ? (uint8_t)digits64[word >> 6 & 63] : '=';
        *out++ = '=';
    }
    if (newline) *out = '\n';
    return result;
}

static int digit64(uint8_t c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* What is wrong with the digits, or NULL. */
static const char *decode64(StrBuilder *out, Bytes8 in, bool strict) {
    uint32_t word = 0;
    size_t digits = 0, pads = 0;
    if (strict && in.size && in.data[0] == '=') return "Leading padding not allowed";
    for (size_t i = 0; i < in.size && !out->failed; i++) {
        if (in.data[i] == '=') {
            pads++;
            if (digits % 4 >= 2 && digits % 4 + pads >= 4) {
                if (strict && i + 1 < in.size) return "Excess data after padding";
                return NULL;
            }
            if (strict && digits % 4 < 2) return "Discontinuous padding not allowed";
            continue;
        }
        int digit = digit64(in.data[i]);
        if (digit < 0) {
            if (strict) return "Only base64 data is allowed";
            continue;
        }
        if (strict && pads) return "Discontinuous padding not allowed";
        pads = 0;
        word = word << 6 | (uint32_t)digit;
        switch (digits++ % 4) {
        case 1: builder_put_byte(out, (char)(word >> 4 & 255)); break;
        case 2: builder_put_byte(out, (char)(word >> 2 & 255)); break;
        case 3: builder_put_byte(out, (char)(word & 255)); break;
        default: break;
        }
    }
    if (digits % 4 == 0) return NULL;
    return digits % 4 == 1 ? "" : "Incorrect padding";
}

static Value a2b_base64(GenVM *vm, Value *args) {
    Bytes8 in;
    if (!take(vm, args[0], true, &in)) return VALUE_ERROR;
    StrBuilder out;
    builder_init_work(&out, vm);
    const char *wrong = decode64(&out, in, args[1] == VALUE_TRUE);
    if (!wrong || out.failed) return builder_finish_bytes(&out);
    builder_drop(&out);
    if (*wrong) return raise_own(vm, wrong);
    size_t digits = 0;
    for (size_t i = 0; i < in.size; i++)
        digits += digit64(in.data[i]) >= 0;
    char text[160];
    snprintf(
        text, sizeof text,
        "Invalid base64-encoded string: number of data characters (%llu) cannot be 1 more than "
        "a multiple of 4",
        (unsigned long long)digits);
    return raise_own(vm, text);
}

/* ---- hexadecimal ---- */

static Value hexlify(GenVM *vm, Value *args) {
    Bytes8 in;
    if (!take(vm, args[0], false, &in)) return VALUE_ERROR;
    static const char hex[] = "0123456789abcdef";
    StrBuilder out;
    builder_init_work(&out, vm);
    for (size_t i = 0; i < in.size && !out.failed; i++) {
        char pair[2] = {hex[in.data[i] >> 4], hex[in.data[i] & 15]};
        builder_put(&out, pair, 2);
    }
    return builder_finish_bytes(&out);
}

static int digit16(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static Value unhexlify(GenVM *vm, Value *args) {
    Bytes8 in;
    if (!take(vm, args[0], true, &in)) return VALUE_ERROR;
    if (in.size % 2) return raise_own(vm, "Odd-length string");
    StrBuilder out;
    builder_init_work(&out, vm);
    for (size_t i = 0; i < in.size && !out.failed; i += 2) {
        int high = digit16(in.data[i]), low = digit16(in.data[i + 1]);
        if (high < 0 || low < 0) {
            builder_drop(&out);
            return raise_own(vm, "Non-hexadecimal digit found");
        }
        builder_put_byte(&out, (char)(high << 4 | low));
    }
    return builder_finish_bytes(&out);
}

static Value crc32(GenVM *vm, Value *args) {
    Bytes8 in;
    uint64_t start = 0;
    if (!take(vm, args[0], false, &in)) return VALUE_ERROR;
    int_to_u64_mask(args[1], &start);
    uint32_t crc = ~(uint32_t)start;
    for (size_t i = 0; i < in.size; i++) {
        if (!native_glance(vm, i)) return VALUE_ERROR;
        crc ^= in.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1)));
    }
    return int_from_i64(vm, (int64_t)(uint32_t)~crc);
}

/* same_bytes(a, b): compared in a time that does not tell where they differ */
static Value same_bytes(GenVM *vm, Value *args) {
    const uint8_t *left, *right;
    size_t left_size, right_size;
    if (!bytes_view(vm, args[0], &left, &left_size) ||
        !bytes_view(vm, args[1], &right, &right_size) || !native_work(vm, right_size / 64))
        return VALUE_ERROR;
    volatile uint8_t differs = left_size != right_size;
    for (size_t i = 0; i < right_size; i++) {
        differs |= (uint8_t)((left_size == right_size ? left[i] : right[i]) ^ right[i]);
        if (!native_glance(vm, i)) return VALUE_ERROR;
    }
    return bool_value(!differs);
}

static const NativeDef functions[] = {
    {"b2a_base64(data, /, *, newline: bool = True)", b2a_base64, "Base64-code line of data."},
    {"a2b_base64(data, /, *, strict_mode: bool = False)", a2b_base64,
     "Decode a line of base64 data."},
    {"hexlify(data, /)", hexlify, "Hexadecimal representation of binary data."},
    {"b2a_hex(data, /)", hexlify, "Hexadecimal representation of binary data."},
    {"unhexlify(hexstr, /)", unhexlify, "Binary data of hexadecimal representation."},
    {"a2b_hex(hexstr, /)", unhexlify, "Binary data of hexadecimal representation."},
    {"crc32(data, crc: int = 0, /)", crc32, "Compute CRC-32 incrementally."},
    {"same_bytes(a: bytes, b: bytes, /)", same_bytes, NULL},
    {0},
};

const NativeModule binascii_module = {"_binascii", functions, NULL};
