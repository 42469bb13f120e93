/* codec.c - text to bytes and back: UTF-8, ASCII, Latin-1, UTF-16 and UTF-32, with the error
 * handlers.
 *
 * Well-formed input takes a fast path: it is checked and copied. The general path walks with a
 * builder and, at each place that cannot be converted, asks the error handler what to put there;
 * only "strict" raises.
 */
#include "vm/objects/text.h"
#include "vm/objects/unicode_names.h"

#include <stdio.h>

typedef enum Handler {
    ON_ERROR_STRICT,
    ON_ERROR_IGNORE,
    ON_ERROR_REPLACE,
    ON_ERROR_BACKSLASH,
    ON_ERROR_XML,
    ON_ERROR_ESCAPE,
    ON_ERROR_PASS,
    ON_ERROR_NAME,
    ON_ERROR_UNKNOWN,
} Handler;

/* Names as normalised by normalise_name. */
/* clang-format off */
static const struct {
    const char *name;
    Codec codec;
} codec_names[] = {
    {"utf_8", CODEC_UTF_8}, {"utf8", CODEC_UTF_8}, {"u8", CODEC_UTF_8}, {"utf", CODEC_UTF_8},
    {"cp65001", CODEC_UTF_8}, {"utf8_ucs2", CODEC_UTF_8}, {"utf8_ucs4", CODEC_UTF_8},
    {"utf_8_sig", CODEC_UTF_8_SIG}, {"ascii", CODEC_ASCII}, {"us_ascii", CODEC_ASCII},
    {"646", CODEC_ASCII}, {"us", CODEC_ASCII}, {"ansi_x3.4_1968", CODEC_ASCII},
    {"ansi_x3.4_1986", CODEC_ASCII}, {"ansi_x3_4_1968", CODEC_ASCII}, {"cp367", CODEC_ASCII},
    {"csascii", CODEC_ASCII}, {"ibm367", CODEC_ASCII}, {"iso646_us", CODEC_ASCII},
    {"iso_646.irv_1991", CODEC_ASCII}, {"iso_ir_6", CODEC_ASCII}, {"latin_1", CODEC_LATIN_1},
    {"latin1", CODEC_LATIN_1}, {"latin", CODEC_LATIN_1}, {"l1", CODEC_LATIN_1},
    {"iso8859_1", CODEC_LATIN_1}, {"iso_8859_1", CODEC_LATIN_1}, {"iso8859", CODEC_LATIN_1},
    {"8859", CODEC_LATIN_1}, {"cp819", CODEC_LATIN_1}, {"csisolatin1", CODEC_LATIN_1},
    {"ibm819", CODEC_LATIN_1}, {"iso_ir_100", CODEC_LATIN_1}, {"iso_8859_1_1987", CODEC_LATIN_1},
    {"utf_16", CODEC_UTF_16}, {"utf16", CODEC_UTF_16}, {"u16", CODEC_UTF_16},
    {"utf_16_le", CODEC_UTF_16_LE}, {"utf_16le", CODEC_UTF_16_LE},
    {"unicodelittleunmarked", CODEC_UTF_16_LE}, {"utf16_le", CODEC_UTF_16_LE},
    {"utf16le", CODEC_UTF_16_LE}, {"utf_16_be", CODEC_UTF_16_BE}, {"utf_16be", CODEC_UTF_16_BE},
    {"unicodebigunmarked", CODEC_UTF_16_BE}, {"utf16_be", CODEC_UTF_16_BE},
    {"utf16be", CODEC_UTF_16_BE}, {"utf_32", CODEC_UTF_32}, {"utf32", CODEC_UTF_32},
    {"u32", CODEC_UTF_32}, {"utf_32_le", CODEC_UTF_32_LE}, {"utf_32le", CODEC_UTF_32_LE},
    {"utf_32_be", CODEC_UTF_32_BE}, {"utf_32be", CODEC_UTF_32_BE},
};
/* clang-format on */

/* What exceptions call the codec. */
static const char *const display_names[] = {"utf-8",     "utf-8",     "ascii",     "latin-1",
                                            "utf-16",    "utf-16-le", "utf-16-be", "utf-32",
                                            "utf-32-le", "utf-32-be"};

static const char *display_name(Codec codec) {
    return codec >= CODEC_CHARMAPS ? "charmap" : display_names[codec];
}

static const char *const handler_names[] = {
    "strict",          "ignore",        "replace",    "backslashreplace", "xmlcharrefreplace",
    "surrogateescape", "surrogatepass", "namereplace"};

/* Lower case, with runs of other characters than letters, digits and dots as one underscore. */
static void normalise_name(const char *name, char *out, size_t capacity) {
    size_t size = 0;
    bool gap = false;
    for (; *name && size + 2 < capacity; name++) {
        if (!ascii_is(*name, ASCII_ALNUM) && *name != '.') {
            gap = size > 0;
            continue;
        }
        if (gap) out[size++] = '_';
        gap = false;
        out[size++] = ascii_lower(*name);
    }
    out[size] = 0;
}

Codec codec_find(GenVM *vm, const char *name) {
    if (!name) return CODEC_UTF_8;
    char normal[40];
    normalise_name(name, normal, sizeof normal);
    for (size_t i = 0; i < sizeof codec_names / sizeof *codec_names; i++)
        if (strcmp(codec_names[i].name, normal) == 0) return codec_names[i].codec;
    Codec charmap = charmap_find(normal);
    if (charmap != CODEC_UNKNOWN) return charmap;
    raise_error(vm, EXC_LOOKUP_ERROR, "unknown encoding: %s", name);
    return CODEC_UNKNOWN;
}

bool codec_is_native(const char *encoding) {
    char normal[40];
    if (!encoding) return true;
    normalise_name(encoding, normal, sizeof normal);
    for (size_t i = 0; i < sizeof codec_names / sizeof *codec_names; i++)
        if (strcmp(codec_names[i].name, normal) == 0) return true;
    return charmap_find(normal) != CODEC_UNKNOWN;
}

static Handler handler_find(const char *name) {
    if (!name) return ON_ERROR_STRICT;
    for (int i = 0; i < ON_ERROR_UNKNOWN; i++)
        if (strcmp(handler_names[i], name) == 0) return (Handler)i;
    return ON_ERROR_UNKNOWN;
}

static bool raise_unknown_handler(GenVM *vm, const char *name) {
    raise_error(vm, EXC_LOOKUP_ERROR, "unknown error handler name '%s'", name);
    return false;
}

bool codec_needs_script(const char *encoding, const char *errors) {
    return !codec_is_native(encoding) || handler_find(errors) == ON_ERROR_UNKNOWN;
}

bool codec_check_errors(GenVM *vm, const char *errors) {
    return handler_find(errors) != ON_ERROR_UNKNOWN || raise_unknown_handler(vm, errors);
}

const char *codec_name(Codec codec) {
    if (codec >= CODEC_CHARMAPS) return charmap_name(codec);
    return codec == CODEC_UTF_8_SIG ? "utf-8-sig" : display_names[codec];
}

static bool raise_unicode(GenVM *vm, TypeId exception, const char *encoding, Value object,
                          size_t start, size_t end, const char *reason) {
    Value name = str_from(vm, encoding), why = str_from(vm, reason);
    if (name == VALUE_ERROR || why == VALUE_ERROR || object == VALUE_ERROR) return false;
    Value args =
        tuple_pack(vm, 5, name, object, int_value((int64_t)start), int_value((int64_t)end), why);
    if (args != VALUE_ERROR) raise_with_args(vm, exception, args);
    return false;
}

/* How many bytes a code unit of the codec has, and in which order. */
static unsigned unit_size(Codec codec) {
    if (codec >= CODEC_CHARMAPS) return 1;
    return codec < CODEC_UTF_16 ? 1 : codec < CODEC_UTF_32 ? 2 : 4;
}
static bool is_big_endian(Codec codec) {
    return codec == CODEC_UTF_16_BE || codec == CODEC_UTF_32_BE;
}

static uint32_t load_unit(const uint8_t *at, unsigned size, bool big) {
    uint32_t unit = 0;
    for (unsigned i = 0; i < size; i++)
        unit = unit << 8 | at[big ? i : size - 1 - i];
    return unit;
}

/* ---- decoding ---- */

typedef struct Decoder {
    GenVM *vm;
    const uint8_t *data;
    size_t size;
    size_t at;     /* bytes done */
    size_t before; /* bytes cut off in front of data: a byte order mark */
    Codec codec;
    const char *encoding, *errors;
    Handler handler;
    StrBuilder out;
} Decoder;

static bool raise_decode(Decoder *decoder, size_t start, size_t end, const char *reason) {
    Value object =
        bytes_new(decoder->vm, decoder->data - decoder->before, decoder->size + decoder->before);
    return raise_unicode(decoder->vm, EXC_UNICODE_DECODE_ERROR, decoder->encoding, object,
                         start + decoder->before, end + decoder->before, reason);
}

/* Three bytes of UTF-8 or a unit that is a surrogate are let through. */
static bool pass_surrogate(Decoder *decoder, size_t start) {
    const uint8_t *p = decoder->data + start;
    size_t left = decoder->size - start;
    unsigned width = unit_size(decoder->codec);
    uint32_t c = 0;
    if (width == 1) {
        width = 3;
        if (left >= 3 && p[0] == 0xED && utf8_is_tail((char)p[1]) && utf8_is_tail((char)p[2])) {
            const char *text = (const char *)p;
            c = utf8_take(&text);
        }
    } else if (left >= width) {
        c = load_unit(p, width, is_big_endian(decoder->codec));
    }
    if (!is_surrogate(c)) return false;
    decoder->at = start + width;
    return builder_put_char(&decoder->out, c);
}

/* Does what the handler says about the bytes from start to end, and goes on behind them. False: an
 * error is pending. */
static bool on_decode_error(Decoder *decoder, size_t start, size_t end, const char *reason) {
    StrBuilder *out = &decoder->out;
    decoder->at = end;
    switch (decoder->handler) {
    case ON_ERROR_STRICT: return raise_decode(decoder, start, end, reason);
    case ON_ERROR_IGNORE: return true;
    case ON_ERROR_REPLACE: return builder_put_char(out, 0xFFFD);
    case ON_ERROR_BACKSLASH:
        for (size_t i = start; i < end; i++)
            builder_put_format(out, "\\x%02x", decoder->data[i]);
        return !out->failed;
    case ON_ERROR_ESCAPE: {
        size_t i = start;
        for (; i < end && i < start + 4 && decoder->data[i] >= 0x80; i++)
            builder_put_char(out, 0xDC00 + decoder->data[i]);
        decoder->at = i;
        return i > start ? !out->failed : raise_decode(decoder, start, end, reason);
    }
    case ON_ERROR_PASS:
        if (decoder->codec != CODEC_ASCII && pass_surrogate(decoder, start)) return !out->failed;
        return raise_decode(decoder, start, end, reason);
    case ON_ERROR_XML:
    case ON_ERROR_NAME:
        raise_type(decoder->vm, "don't know how to handle UnicodeDecodeError in error callback");
        return false;
    case ON_ERROR_UNKNOWN: break;
    }
    return raise_unknown_handler(decoder->vm, decoder->errors);
}

/* What is wrong with the sequence at p: NULL when nothing is. *used: the bytes that belong to it.
 */
static const char *check_sequence(const uint8_t *p, size_t left, size_t *used) {
    uint8_t lead = p[0];
    *used = 1;
    if (lead < 0x80) return NULL;
    if (lead < 0xC2 || lead > 0xF4) return "invalid start byte";
    unsigned width = utf8_lead_width((char)lead);
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    for (; *used < width; ++*used) {
        if (*used == left) return "unexpected end of data";
        if (p[*used] < low || p[*used] > high) return "invalid continuation byte";
        low = 0x80;
        high = 0xBF;
    }
    return NULL;
}

/* How far the text is well-formed UTF-8. */
static size_t valid_prefix(const uint8_t *data, size_t size) {
    size_t at = 0, used;
    while (at < size) {
        if (data[at] < 0x80) { /* runs are short between other characters */
            if (at + 1 < size && data[at + 1] < 0x80)
                at += text_ascii_prefix(data + at, size - at);
            else
                at++;
            continue;
        }
        if (data[at] >= 0xC2 && data[at] <= 0xDF && at + 1 < size &&
            utf8_is_tail((char)data[at + 1])) {
            at += 2;
            continue;
        }
        if (check_sequence(data + at, size - at, &used)) break;
        at += used;
    }
    return at;
}

size_t codec_utf8_prefix(const uint8_t *data, size_t size, bool *cut) {
    size_t good = valid_prefix(data, size), used;
    const char *reason = good < size ? check_sequence(data + good, size - good, &used) : NULL;
    *cut = reason && good + used == size && reason[0] == 'u'; /* "unexpected end of data" */
    return good;
}

static bool decode_utf8(Decoder *decoder) {
    const char *looked = (const char *)decoder->data;
    while (decoder->at < decoder->size) {
        const uint8_t *p = decoder->data + decoder->at;
        if (!text_look(decoder->vm, (const char *)p, &looked)) return false;
        size_t left = decoder->size - decoder->at, good = valid_prefix(p, left), used;
        if (!builder_put(&decoder->out, (const char *)p, good)) return false;
        decoder->at += good;
        if (good == left) break;
        const char *reason = check_sequence(p + good, left - good, &used);
        if (!on_decode_error(decoder, decoder->at, decoder->at + used, reason)) return false;
    }
    return true;
}

static bool decode_ascii(Decoder *decoder) {
    const char *looked = (const char *)decoder->data;
    while (decoder->at < decoder->size) {
        const uint8_t *p = decoder->data + decoder->at;
        if (!text_look(decoder->vm, (const char *)p, &looked)) return false;
        size_t good = text_ascii_prefix(p, decoder->size - decoder->at);
        if (!builder_put(&decoder->out, (const char *)p, good)) return false;
        decoder->at += good;
        if (decoder->at == decoder->size) break;
        if (!on_decode_error(decoder, decoder->at, decoder->at + 1, "ordinal not in range(128)"))
            return false;
    }
    return true;
}

static bool decode_latin1(Decoder *decoder) {
    for (; decoder->at < decoder->size; decoder->at++)
        if (!builder_put_char(&decoder->out, decoder->data[decoder->at])) return false;
    return true;
}

static bool decode_charmap(Decoder *decoder) {
    while (decoder->at < decoder->size) {
        size_t at = decoder->at++;
        int32_t c = charmap_decode(decoder->codec, decoder->data[at]);
        if (c >= 0 ? !builder_put_char(&decoder->out, (uint32_t)c)
                   : !on_decode_error(decoder, at, at + 1, "character maps to <undefined>"))
            return false;
    }
    return true;
}

static bool decode_utf16(Decoder *decoder) {
    bool big = is_big_endian(decoder->codec);
    while (decoder->at < decoder->size) {
        size_t at = decoder->at, left = decoder->size - at;
        const uint8_t *p = decoder->data + at;
        const char *reason = NULL;
        size_t used = 2;
        uint32_t c = left < 2 ? 0 : load_unit(p, 2, big);
        if (left < 2) {
            reason = "truncated data";
            used = left;
        } else if (c >= 0xDC00 && c <= 0xDFFF) {
            reason = "illegal encoding";
        } else if (c >= 0xD800 && c <= 0xDBFF) {
            uint32_t low = left < 4 ? 0 : load_unit(p + 2, 2, big);
            if (left < 4) {
                reason = "unexpected end of data";
                used = left;
            } else if (low < 0xDC00 || low > 0xDFFF) {
                reason = "illegal UTF-16 surrogate";
            } else {
                c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
                used = 4;
            }
        }
        decoder->at += used;
        if (reason ? !on_decode_error(decoder, at, at + used, reason)
                   : !builder_put_char(&decoder->out, c))
            return false;
    }
    return true;
}

static bool decode_utf32(Decoder *decoder) {
    bool big = is_big_endian(decoder->codec);
    while (decoder->at < decoder->size) {
        size_t at = decoder->at, left = decoder->size - at, used = left < 4 ? left : 4;
        uint32_t c = left < 4 ? 0 : load_unit(decoder->data + at, 4, big);
        const char *reason = left < 4 ? "truncated data"
                             : is_surrogate(c)
                                 ? "code point in surrogate code point range(0xd800, 0xe000)"
                             : c > CODE_POINT_MAX ? "code point not in range(0x110000)"
                                                  : NULL;
        decoder->at += used;
        if (reason ? !on_decode_error(decoder, at, at + used, reason)
                   : !builder_put_char(&decoder->out, c))
            return false;
    }
    return true;
}

/* A byte order mark chooses the order, little-endian without one, and is not part of the text. */
static void take_mark(Decoder *decoder) {
    unsigned width = unit_size(decoder->codec);
    uint32_t little = decoder->size < width ? 0 : load_unit(decoder->data, width, false);
    uint32_t big = decoder->size < width ? 0 : load_unit(decoder->data, width, true);
    bool is_big = big == 0xFEFF;
    if (is_big || little == 0xFEFF) {
        decoder->data += width;
        decoder->size -= width;
        decoder->before = width;
    }
    decoder->codec = width == 2 ? (is_big ? CODEC_UTF_16_BE : CODEC_UTF_16_LE)
                                : (is_big ? CODEC_UTF_32_BE : CODEC_UTF_32_LE);
    decoder->encoding = display_names[decoder->codec];
}

static void take_signature(Decoder *decoder) {
    decoder->codec = CODEC_UTF_8;
    if (decoder->size < 3 || memcmp(decoder->data, "\xEF\xBB\xBF", 3) != 0) return;
    decoder->data += 3;
    decoder->size -= 3;
}

static bool decode_any(Decoder *decoder) {
    if (decoder->codec >= CODEC_CHARMAPS) return decode_charmap(decoder);
    switch (decoder->codec) {
    case CODEC_UTF_8:
    case CODEC_UTF_8_SIG: return decode_utf8(decoder);
    case CODEC_ASCII: return decode_ascii(decoder);
    case CODEC_LATIN_1: return decode_latin1(decoder);
    case CODEC_UTF_16:
    case CODEC_UTF_16_LE:
    case CODEC_UTF_16_BE: return decode_utf16(decoder);
    case CODEC_UTF_32:
    case CODEC_UTF_32_LE:
    case CODEC_UTF_32_BE: return decode_utf32(decoder);
    case CODEC_UNKNOWN:
    case CODEC_CHARMAPS: break;
    }
    return false;
}

/* Text of ASCII is the same bytes in the codec. */
static bool extends_ascii(Codec codec) {
    return codec <= CODEC_LATIN_1 || codec >= CODEC_CHARMAPS;
}

Value codec_decode_as(GenVM *vm, Codec codec, const uint8_t *data, size_t size,
                      const char *errors) {
    if (!text_charge(vm, size)) return VALUE_ERROR;
    Decoder decoder = {.vm = vm,
                       .data = data,
                       .size = size,
                       .codec = codec,
                       .encoding = display_name(codec),
                       .errors = errors,
                       .handler = handler_find(errors)};
    if (codec == CODEC_UTF_8_SIG) take_signature(&decoder);
    if (codec == CODEC_UTF_16 || codec == CODEC_UTF_32) take_mark(&decoder);
    const char *text = (const char *)decoder.data;
    if (!text_foresee(vm, size, 1)) return VALUE_ERROR;
    if (extends_ascii(decoder.codec) && text_is_ascii(text, decoder.size))
        return decoder.size > STR_SIZE_MAX
                   ? raise_memory(vm)
                   : str_work(vm, text, decoder.size, (uint32_t)decoder.size, STR_ASCII);
    if (decoder.codec == CODEC_UTF_8 && valid_prefix(decoder.data, decoder.size) == decoder.size) {
        if (decoder.size > STR_SIZE_MAX) return raise_memory(vm);
        return str_work(vm, text, decoder.size, (uint32_t)text_count_chars(text, decoder.size), 0);
    }
    builder_init_work(&decoder.out, vm);
    if (decode_any(&decoder)) return builder_finish(&decoder.out);
    builder_drop(&decoder.out);
    return VALUE_ERROR;
}

Value codec_decode(GenVM *vm, const uint8_t *data, size_t size, const char *encoding,
                   const char *errors) {
    if (size == 0) return vm->empty_str; /* by any name */
    Codec codec = codec_find(vm, encoding);
    return codec == CODEC_UNKNOWN ? VALUE_ERROR : codec_decode_as(vm, codec, data, size, errors);
}

Value str_decode_utf8(GenVM *vm, const char *data, size_t size, const char *errors) {
    return codec_decode_as(vm, CODEC_UTF_8, (const uint8_t *)data, size, errors);
}

/* ---- encoding ---- */

typedef struct Encoder {
    GenVM *vm;
    Value str;
    const char *at, *end;
    Codec codec;
    const char *encoding, *errors;
    Handler handler;
    StrBuilder out;
} Encoder;

static bool put_unit(Encoder *encoder, uint32_t unit, unsigned size) {
    char bytes[4];
    bool big = is_big_endian(encoder->codec);
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (char)(unit >> 8 * (big ? size - 1 - i : i));
    return builder_put(&encoder->out, bytes, size);
}

static bool can_encode(Codec codec, uint32_t c) {
    if (codec >= CODEC_CHARMAPS) return charmap_encode(codec, c) >= 0;
    if (codec == CODEC_ASCII) return c < 0x80;
    if (codec == CODEC_LATIN_1) return c < 0x100;
    return !is_surrogate(c);
}

/* A code point as the codec has it, which may be a surrogate here. */
static bool put_encoded(Encoder *encoder, uint32_t c) {
    unsigned size = unit_size(encoder->codec);
    if (encoder->codec >= CODEC_CHARMAPS)
        return builder_put_byte(&encoder->out, (char)charmap_encode(encoder->codec, c));
    if (encoder->codec == CODEC_LATIN_1 || encoder->codec == CODEC_ASCII)
        return builder_put_byte(&encoder->out, (char)c);
    if (size == 1) return builder_put_char(&encoder->out, c);
    if (size == 4 || c < 0x10000) return put_unit(encoder, c, size);
    return put_unit(encoder, 0xD800 + ((c - 0x10000) >> 10), 2) &&
           put_unit(encoder, 0xDC00 + (c & 0x3FF), 2);
}

static bool put_text(Encoder *encoder, const char *ascii) {
    for (; *ascii; ascii++)
        if (!put_encoded(encoder, (unsigned char)*ascii)) return false;
    return true;
}

static bool raise_encode(Encoder *encoder, const char *start, const char *end, const char *reason) {
    Str *str = AS_STR(encoder->str);
    size_t first = text_count_chars(str->data, (size_t)(start - str->data));
    size_t count = text_count_chars(start, (size_t)(end - start));
    return raise_unicode(encoder->vm, EXC_UNICODE_ENCODE_ERROR, encoder->encoding, encoder->str,
                         first, first + count, reason);
}

/* One code point that the codec does not have: true when the handler knew what to put. */
static bool put_replacement(Encoder *encoder, uint32_t c) {
    char text[UNICODE_NAME_MAX + 8], name[UNICODE_NAME_MAX];
    switch (encoder->handler) {
    case ON_ERROR_IGNORE: return true;
    case ON_ERROR_REPLACE: return put_text(encoder, "?");
    case ON_ERROR_NAME:
        if (!native_work(encoder->vm, UNICODE_NAME_STEPS)) return encoder->out.failed = true, false;
        if (unicode_name_of(c, name)) {
            sprintf(text, "\\N{%s}", name);
            return put_text(encoder, text);
        } /* fall through */
    case ON_ERROR_BACKSLASH:
        sprintf(text, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
        return put_text(encoder, text);
    case ON_ERROR_XML: sprintf(text, "&#%u;", c); return put_text(encoder, text);
    case ON_ERROR_ESCAPE:
        if (unit_size(encoder->codec) > 1) return false; /* one byte is no unit */
        return c >= 0xDC80 && c <= 0xDCFF && builder_put_byte(&encoder->out, (char)(c - 0xDC00));
    case ON_ERROR_PASS:
        return is_surrogate(c) && can_encode(encoder->codec, 0x10000) && put_encoded(encoder, c);
    case ON_ERROR_STRICT:
    case ON_ERROR_UNKNOWN: break;
    }
    return false;
}

/* Handles the run of code points from `start` that cannot be encoded. False: an error is pending.
 */
static bool on_encode_error(Encoder *encoder, const char *start) {
    const char *end = start,
               *reason = encoder->codec >= CODEC_CHARMAPS  ? "character maps to <undefined>"
                         : encoder->codec == CODEC_ASCII   ? "ordinal not in range(128)"
                         : encoder->codec == CODEC_LATIN_1 ? "ordinal not in range(256)"
                                                           : "surrogates not allowed";
    const char *looked = start;
    for (const char *next = start; next < encoder->end && text_look(encoder->vm, next, &looked);
         end = next)
        if (can_encode(encoder->codec, utf8_take(&next)) ||
            (end > start && unit_size(encoder->codec) > 1))
            break;
    if (encoder->vm->stop || encoder->vm->exception != VALUE_UNSET) return false;
    if (encoder->handler == ON_ERROR_UNKNOWN)
        return raise_unknown_handler(encoder->vm, encoder->errors);
    for (const char *at = start; at < end; start = at) {
        if (!text_look(encoder->vm, at, &looked)) return false;
        if (!put_replacement(encoder, utf8_take(&at)))
            return encoder->out.failed ? false : raise_encode(encoder, start, end, reason);
    }
    encoder->at = end;
    return true;
}

static bool encode_all(Encoder *encoder) {
    if (encoder->codec == CODEC_UTF_8_SIG && !builder_put_c(&encoder->out, "\xEF\xBB\xBF"))
        return false;
    if ((encoder->codec == CODEC_UTF_16 || encoder->codec == CODEC_UTF_32) &&
        !put_unit(encoder, 0xFEFF, unit_size(encoder->codec)))
        return false;
    while (encoder->at < encoder->end) {
        const char *start = encoder->at;
        uint32_t c = utf8_take(&encoder->at);
        if (can_encode(encoder->codec, c) ? !put_encoded(encoder, c)
                                          : !on_encode_error(encoder, start))
            return false;
    }
    return true;
}

Value codec_encode(GenVM *vm, Value v, const char *encoding, const char *errors) {
    Str *str = AS_STR(v);
    Codec codec = codec_find(vm, encoding);
    if (codec == CODEC_UNKNOWN || !text_charge(vm, str->size)) return VALUE_ERROR;
    bool plain = codec == CODEC_UTF_8
                     ? !(str->header.flags & STR_SURROGATES)
                     : extends_ascii(codec) && codec != CODEC_UTF_8_SIG && str_is_ascii(str);
    if (plain && !str->size) return vm->empty_bytes;
    if (plain) return bytes_work(vm, str->data, str->size);
    Encoder encoder = {.vm = vm,
                       .str = v,
                       .at = str->data,
                       .end = str->data + str->size,
                       .codec = codec,
                       .encoding = display_name(codec),
                       .errors = errors,
                       .handler = handler_find(errors)};
    builder_init_work(&encoder.out, vm);
    if (encode_all(&encoder)) return builder_finish_bytes(&encoder.out);
    builder_drop(&encoder.out);
    return VALUE_ERROR;
}
