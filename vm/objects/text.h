/* text.h - what the files of the text and bytes types share, and nobody else needs.
 *
 * Text is UTF-8 that is known to be valid, with lone surrogates as three bytes. UTF-8 is
 * self-synchronising, so searching, splitting and replacing work on bytes and are the same code for
 * str, bytes and bytearray: a TextKind says how a type cuts a piece out of one of its objects.
 */
#ifndef GEN_TEXT_H
#define GEN_TEXT_H

#include "vm/objects.h"
#include "vm/objects/unicode.h"

#define TEXT_NOT_FOUND SIZE_MAX
#define STR_SIZE_MAX UINT32_MAX
#define CODE_POINT_MAX 0x10FFFFu

/* ---- one code point ---- */

static inline bool utf8_is_tail(char c) {
    return ((unsigned char)c & 0xC0) == 0x80;
}
static inline bool is_surrogate(uint32_t c) {
    return c >= 0xD800 && c <= 0xDFFF;
}

static inline unsigned utf8_width(uint32_t c) {
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

static inline unsigned utf8_lead_width(char lead) {
    unsigned char c = (unsigned char)lead;
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/* The code point at *text, which moves behind it. */
static inline uint32_t utf8_take(const char **text) {
    const unsigned char *p = (const unsigned char *)*text;
    unsigned width = utf8_lead_width((char)*p);
    *text += width;
    if (width == 1) return p[0];
    if (width == 2) return (uint32_t)(p[0] & 31) << 6 | (p[1] & 63);
    if (width == 3) return (uint32_t)(p[0] & 15) << 12 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63);
    return (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 63) << 12 | (uint32_t)(p[2] & 63) << 6 |
           (p[3] & 63);
}

/* The code point before *text, which moves to its start. */
static inline uint32_t utf8_take_back(const char **text) {
    do
        --*text;
    while (utf8_is_tail(**text));
    const char *at = *text;
    return utf8_take(&at);
}

static inline unsigned utf8_put(char *out, uint32_t c) {
    unsigned width = utf8_width(c);
    if (width == 1) {
        out[0] = (char)c;
    } else if (width == 2) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
    } else if (width == 3) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
    } else {
        out[0] = (char)(0xF0 | c >> 18);
        out[1] = (char)(0x80 | (c >> 12 & 63));
        out[2] = (char)(0x80 | (c >> 6 & 63));
        out[3] = (char)(0x80 | (c & 63));
    }
    return width;
}

/* memcpy for pieces that are mostly short. */
static inline void text_copy(char *out, const char *data, size_t size) {
    if (size > 32) {
        memcpy(out, data, size);
    } else if (size > 16) {
        char first[16], last[16];
        memcpy(first, data, 16);
        memcpy(last, data + size - 16, 16);
        memcpy(out, first, 16);
        memcpy(out + size - 16, last, 16);
    } else if (size >= 8) {
        uint64_t first, last;
        memcpy(&first, data, 8);
        memcpy(&last, data + size - 8, 8);
        memcpy(out, &first, 8);
        memcpy(out + size - 8, &last, 8);
    } else if (size >= 4) {
        uint32_t first, last;
        memcpy(&first, data, 4);
        memcpy(&last, data + size - 4, 4);
        memcpy(out, &first, 4);
        memcpy(out + size - 4, &last, 4);
    } else if (size) {
        char middle = data[size / 2], last = data[size - 1];
        out[0] = data[0];
        out[size / 2] = middle;
        out[size - 1] = last;
    }
}

/* memcmp() == 0 for texts that are mostly short. */
static inline bool text_equal(const char *a, const char *b, size_t size) {
    if (size > 16) return memcmp(a, b, size) == 0;
    if (size >= 8) {
        uint64_t first[2], last[2];
        memcpy(&first[0], a, 8);
        memcpy(&first[1], b, 8);
        memcpy(&last[0], a + size - 8, 8);
        memcpy(&last[1], b + size - 8, 8);
        return ((first[0] ^ first[1]) | (last[0] ^ last[1])) == 0;
    }
    if (size >= 4) {
        uint32_t first[2], last[2];
        memcpy(&first[0], a, 4);
        memcpy(&first[1], b, 4);
        memcpy(&last[0], a + size - 4, 4);
        memcpy(&last[1], b + size - 4, 4);
        return ((first[0] ^ first[1]) | (last[0] ^ last[1])) == 0;
    }
    return size == 0 || (a[0] == b[0] && a[size / 2] == b[size / 2] && a[size - 1] == b[size - 1]);
}

/* ---- scan.c: runs of bytes, a word at a time ---- */

bool text_is_ascii(const void *data, size_t size);
size_t text_ascii_prefix(const void *data,
                         size_t size); /* bytes before the first that is not ASCII */
size_t text_count_chars(const char *data, size_t size); /* code points */
uint8_t text_scan(const char *data, size_t size,
                  uint32_t *length);                          /* the STR_ flags, and the length */
void text_reverse(char *out, const char *data, size_t size);  /* by bytes */
uint64_t text_hash(GenVM *vm, const void *data, size_t size); /* SipHash-1-3, 60 bits */
uint64_t text_hash_with(const uint64_t key[2], const void *data, size_t size);

/* ---- search.c: on bytes. Results are offsets, or TEXT_NOT_FOUND ---- */

size_t text_find(GenVM *vm, const char *text, size_t size, const char *part, size_t part_size);
size_t text_find_last(GenVM *vm, const char *text, size_t size, const char *part, size_t part_size);
size_t text_count_byte(const char *text, size_t size, char c);
size_t text_count(GenVM *vm, const char *text, size_t size, const char *part, size_t part_size,
                  size_t limit);

/* After a search that did not find: was it because it stopped (return VALUE_ERROR then)? */
static inline bool text_search_failed(const GenVM *vm) {
    return vm->exception != VALUE_UNSET || vm->stop;
}

typedef struct TextSpan {
    const char *data;
    size_t size;
} TextSpan;

/* Where the non-overlapping occurrences of a part lie, from the left. */
typedef struct Matches {
    size_t count, capacity;
    size_t *at;
    size_t inline_at[64];
} Matches;
bool matches_find(GenVM *vm, Matches *matches, const char *text, size_t size, const char *part,
                  size_t part_size, size_t limit);
void matches_free(Matches *matches);
/* Writes `text` with each match (of part_size bytes) replaced by `with`. */
bool matches_replace(GenVM *vm, const Matches *matches, TextSpan text, size_t part_size,
                     TextSpan with, char *out);

/* A type whose objects are cut into pieces: offsets and sizes in bytes. str has two: one for text
 * that is ASCII. */
typedef struct TextKind {
    Value (*piece)(GenVM *vm, Value text, size_t offset, size_t size);
    uint8_t space, line_break; /* the ASCII_ classes that count as such */
    bool unicode;              /* bytes above 127 are parts of code points */
} TextKind;
extern const TextKind str_ascii_kind, str_unicode_kind, bytes_kind;

/* Lists of pieces, as the methods split, rsplit and splitlines make them. `limit` < 0: no limit. */
Value text_split(GenVM *vm, const TextKind *kind, Value text, TextSpan span, TextSpan separator,
                 int64_t limit);
Value text_split_last(GenVM *vm, const TextKind *kind, Value text, TextSpan span,
                      TextSpan separator, int64_t limit);
Value text_split_space(GenVM *vm, const TextKind *kind, Value text, TextSpan span, int64_t limit);
Value text_split_space_last(GenVM *vm, const TextKind *kind, Value text, TextSpan span,
                            int64_t limit);
Value text_split_lines(GenVM *vm, const TextKind *kind, Value text, TextSpan span, bool keep_ends);
/* Where `span` starts and ends once white space is cut off. They may stop (text_search_failed). */
size_t text_skip_space(GenVM *vm, const TextKind *kind, TextSpan span);
size_t text_trim_space(GenVM *vm, const TextKind *kind, TextSpan span, size_t start);

enum { TEXT_MUCH = 1 << 20 }; /* bytes beyond which work on text looks at the deadline */

/* Steps for passing over `size` bytes once. */
bool text_charge_long(GenVM *vm, size_t size);
static inline bool text_charge(GenVM *vm, size_t size) {
    return likely(size < 4096) || text_charge_long(vm, size);
}

/* Before one pass over text in one piece, of so many nanoseconds a byte. */
bool text_foresee_long(GenVM *vm, size_t size, unsigned nanoseconds);
static inline bool text_foresee(GenVM *vm, size_t size, unsigned nanoseconds) {
    return likely(size < TEXT_MUCH) || text_foresee_long(vm, size, nanoseconds);
}

/* In passes, either way, that have had no effect yet: a look at the deadline now and then. */
bool text_look_long(GenVM *vm, const char *at, const char **looked);
static inline bool text_look(GenVM *vm, const char *at, const char **looked) {
    ptrdiff_t far = at - *looked;
    return likely(far < TEXT_MUCH && far > -TEXT_MUCH) || text_look_long(vm, at, looked);
}

/* Offsets of `start` and `stop` arguments (each None or an int) clamped to a sequence of `length`,
 * as find() and its kin want them. The result may have start > stop: then nothing is there to be
 * found. */
void text_bounds(Value start, Value stop, int64_t length, int64_t *from, int64_t *to);

/* The items of exactly a list or tuple, never NULL then, else NULL. */
static inline const Value *text_items(Value v, uint64_t *count) {
    if (is_exact(v, TYPE_TUPLE)) {
        *count = AS_TUPLE(v)->count;
        return AS_TUPLE(v)->items;
    }
    if (!is_exact(v, TYPE_LIST)) return NULL;
    *count = AS_LIST(v)->count;
    static const Value none[1];
    return *count ? AS_LIST(v)->items : none;
}

/* ---- sequence.c: subscripts and factors, which may be anything with __index__ ---- */

/* The index that `key` says, in 0..length-1; LEAF_ERROR with IndexError("range_message") or
 * TypeError("type_message" with %T for the key's type); LEAF_SCRIPT when its __index__ has to be
 * called. */
Leaf text_index(GenVM *vm, Value key, int64_t length, const char *range_message,
                const char *type_message, int64_t *index);
/* The factor of a repetition. LEAF_FALSE: the other operand has an __rmul__ that goes first. */
Leaf text_factor(GenVM *vm, Value v, int64_t *times);
bool text_has_index(GenVM *vm, Value v);         /* __index__, of an int or of any other class */
Value text_builtin(GenVM *vm, const char *name); /* what the builtins module has under that name */
/* Is the operator with reflected method `special` the other operand's to do? */
bool text_defers_to(GenVM *vm, Value other, Special special);

/* ---- builder.c ---- */

char *builder_reserve(StrBuilder *builder,
                      size_t size); /* room for that, counted as put; NULL: failed */

/* builder_put in line where there is room. */
static inline bool builder_add(StrBuilder *builder, const char *data, size_t size) {
    if (unlikely(builder->capacity - builder->size < size)) return builder_put(builder, data, size);
    text_copy(builder->data + builder->size, data, size);
    builder->size += size;
    return true;
}

/* ---- str.c ---- */

/* The fields of a new str behind its header but for the text. */
static inline void str_fill(Str *str, const char *data, size_t size, uint32_t length, uint8_t flags,
                            Object *extra) {
    str->header.flags = flags;
    str->hash = 0;
    str->size = (uint32_t)size;
    str->length = length;
    str->data = data;
    str->extra = extra;
}

COLD Str *str_too_long(GenVM *vm); /* NULL with MemoryError pending */

/* An exact str of `size` bytes to be filled: data is inline and ends with a NUL. NULL with an error
 * pending. */
static inline Str *str_alloc(GenVM *vm, size_t size, uint32_t length, uint8_t flags) {
    if (unlikely(size > STR_SIZE_MAX)) return str_too_long(vm);
    Str *str = gc_new_raw(vm, sizeof(Str) + size + 1, TYPE_STR);
    if (unlikely(!str)) return NULL;
    char *data = (char *)(str + 1);
    str_fill(str, data, size, length, flags, NULL);
    data[size] = 0;
    return str;
}
Value str_with_length(GenVM *vm, const char *data, size_t size, uint32_t length,
                      uint8_t flags); /* known to be right */
/* The same for work that has had no effect yet (native_look). */
Value str_work(GenVM *vm, const char *data, size_t size, uint32_t length, uint8_t flags);
Value str_exact(GenVM *vm, Value str); /* the same text as an exact str */
Value str_scanned(
    GenVM *vm,
    Str *str); /* a str_alloc whose bytes are now filled in: finds out length and flags */
Value str_of_class(GenVM *vm, Type *cls, Value str); /* as an instance of cls, str or a subclass */
Value str_sub(GenVM *vm, Value str, size_t offset, size_t size); /* bytes on code point borders */
Value str_repeat(GenVM *vm, Value str, int64_t times);
size_t str_offset(GenVM *vm, Str *str, int64_t index); /* code point index -> byte offset */
int64_t str_index_of(Str *str, size_t offset);         /* and back */
Value str_char_at(GenVM *vm, Str *str, int64_t index); /* 0 <= index < length */
void str_trace(GenVM *vm, Object *object);
static inline bool str_is_ascii(const Str *str) {
    return str->header.flags & STR_ASCII;
}
static inline const TextKind *str_kind(Value str) {
    return str_is_ascii(AS_STR(str)) ? &str_ascii_kind : &str_unicode_kind;
}
static inline TextSpan str_span(Value str) {
    return (TextSpan){AS_STR(str)->data, AS_STR(str)->size};
}

/* ---- str_case.c ---- */

Value str_upper(GenVM *vm, Value *args);
Value str_lower(GenVM *vm, Value *args);
Value str_title(GenVM *vm, Value *args);
Value str_casefold(GenVM *vm, Value *args);
Value str_capitalize(GenVM *vm, Value *args);
Value str_swapcase(GenVM *vm, Value *args);
Value str_isalnum(GenVM *vm, Value *args);
Value str_isalpha(GenVM *vm, Value *args);
Value str_isascii(GenVM *vm, Value *args);
Value str_isdecimal(GenVM *vm, Value *args);
Value str_isdigit(GenVM *vm, Value *args);
Value str_isidentifier(GenVM *vm, Value *args);
Value str_islower(GenVM *vm, Value *args);
Value str_isnumeric(GenVM *vm, Value *args);
Value str_isprintable(GenVM *vm, Value *args);
Value str_isspace(GenVM *vm, Value *args);
Value str_istitle(GenVM *vm, Value *args);
Value str_isupper(GenVM *vm, Value *args);

/* ASCII classes and mappings, also those of bytes. */
enum {
    ASCII_UPPER = 1,
    ASCII_LOWER = 2,
    ASCII_DIGIT = 4,
    ASCII_SPACE = 8,       /* white space of bytes */
    ASCII_TEXT_SPACE = 16, /* of str: also the separators 0x1c to 0x1f */
    ASCII_NEWLINE = 32,    /* line ends of bytes: \n and \r */
    ASCII_TEXT_BREAK = 64, /* of str */
};
enum { ASCII_ALPHA = ASCII_UPPER | ASCII_LOWER, ASCII_ALNUM = ASCII_ALPHA | ASCII_DIGIT };
extern const uint8_t ascii_class[256];
static inline bool ascii_is(char c, int mask) {
    return ascii_class[(unsigned char)c] & mask;
}
static inline char ascii_upper(char c) {
    return ascii_is(c, ASCII_LOWER) ? (char)(c - 32) : c;
}
static inline char ascii_lower(char c) {
    return ascii_is(c, ASCII_UPPER) ? (char)(c + 32) : c;
}
typedef void (*MapAscii)(char *out, const char *text, size_t size);
bool ascii_map_long(GenVM *vm, MapAscii map_ascii, char *out, TextSpan text);
static inline bool ascii_map(GenVM *vm, MapAscii map_ascii, char *out, TextSpan text) {
    if (unlikely(text.size > TEXT_MUCH)) return ascii_map_long(vm, map_ascii, out, text);
    map_ascii(out, text.data, text.size);
    return true;
}
void ascii_map_upper(char *out, const char *text, size_t size);
void ascii_map_lower(char *out, const char *text, size_t size);
void ascii_map_swap(char *out, const char *text, size_t size);
void ascii_map_title(char *out, const char *text, size_t size);
void ascii_map_capital(char *out, const char *text, size_t size);
/* As islower() and so on: LEAF_FALSE for empty text. */
Leaf ascii_is_lower(GenVM *vm, TextSpan text);
Leaf ascii_is_upper(GenVM *vm, TextSpan text);
Leaf ascii_is_title(GenVM *vm, TextSpan text);
Leaf ascii_all(GenVM *vm, TextSpan text, int mask);
static inline Value text_answer(Leaf leaf) {
    return leaf == LEAF_ERROR ? VALUE_ERROR : bool_value(leaf == LEAF_TRUE);
}

/* ---- str_search.c, str_methods.c, str_fields.c: the methods of str ---- */

Value str_find(GenVM *vm, Value *args);
Value str_rfind(GenVM *vm, Value *args);
Value str_index(GenVM *vm, Value *args);
Value str_rindex(GenVM *vm, Value *args);
Value str_count(GenVM *vm, Value *args);
Value str_replace(GenVM *vm, Value *args);
Value str_split(GenVM *vm, Value *args);
Value str_rsplit(GenVM *vm, Value *args);
Value str_splitlines(GenVM *vm, Value *args);
Value str_partition(GenVM *vm, Value *args);
Value str_rpartition(GenVM *vm, Value *args);
extern const NativeDef str_methods[];
extern const NativeFast str_fast_methods[]; /* str_fast.c */
Value str_format_method(GenVM *vm, Value *args);
Value str_format_map(GenVM *vm, Value *args);
Value str_fields_parse(GenVM *vm, Value *args);
Value str_fields_split(GenVM *vm, Value *args);

/* ---- codec.c ---- */

typedef enum Codec {
    CODEC_UTF_8,
    CODEC_UTF_8_SIG,
    CODEC_ASCII,
    CODEC_LATIN_1,
    CODEC_UTF_16,
    CODEC_UTF_16_LE,
    CODEC_UTF_16_BE,
    CODEC_UTF_32,
    CODEC_UTF_32_LE,
    CODEC_UTF_32_BE,
    CODEC_UNKNOWN,
    CODEC_CHARMAPS, /* from here on: those of charmaps.def */
} Codec;
Codec charmap_find(const char *name); /* normalised; CODEC_UNKNOWN: none */
const char *charmap_name(Codec codec);
int32_t charmap_decode(Codec codec, uint8_t byte); /* -1: the byte means nothing */
int charmap_encode(Codec codec, uint32_t c);       /* -1: there is no byte for it */
bool codec_is_native(const char *encoding);        /* is it one of codec.c or charmap.c */
/* Must module codecs do it: is the encoding or the error handler none of the engine's? */
bool codec_needs_script(const char *encoding, const char *errors);
Codec codec_find(GenVM *vm, const char *name); /* CODEC_UNKNOWN: LookupError. NULL is utf-8 */
bool codec_check_errors(
    GenVM *vm, const char *errors); /* is there an error handler of that name; LookupError */
const char *codec_name(Codec codec);
/* How many of the bytes are whole sequences of valid UTF-8. *cut: what follows may be the start of
 * one. */
size_t codec_utf8_prefix(const uint8_t *data, size_t size, bool *cut);
Value codec_decode_as(GenVM *vm, Codec codec, const uint8_t *data, size_t size, const char *errors);

/* `encoding` and `errors` may be NULL: utf-8, strict. */
Value codec_decode(GenVM *vm, const uint8_t *data, size_t size, const char *encoding,
                   const char *errors);
Value codec_encode(GenVM *vm, Value str, const char *encoding, const char *errors);

/* ---- bytes.c, bytearray.c, memoryview.c ---- */

/* Bytes beyond the old size are undefined. False: BufferError when there are views on it, or
 * MemoryError. */
bool bytearray_resize(GenVM *vm, ByteArray *array, size_t size);

static inline const char *bytes_data(Value v, size_t *size) { /* of bytes or bytearray */
    if (is_kind(v, TYPE_BYTES)) {
        *size = AS(Bytes, v)->size;
        return (const char *)AS(Bytes, v)->data;
    }
    ByteArray *array = AS(ByteArray, v);
    *size = array->size;
    return array->buffer ? (const char *)array->buffer->data : "";
}
Bytes *bytes_alloc(GenVM *vm, size_t size); /* to be filled; NULL with an error pending */
Value bytes_exact(GenVM *vm, Value bytes);
Value bytes_of_class(GenVM *vm, Type *cls, Value bytes);
Value bytearray_new(GenVM *vm, const void *data, size_t size); /* data may be NULL: zeroed */
Value bytes_like(GenVM *vm, Value self, const void *data,
                 size_t size);                            /* bytes or bytearray, as self is */
bool bytes_find_span(GenVM *vm, Value v, TextSpan *span); /* as bytes_view */
bool bytes_take_span(GenVM *vm, Value v, TextSpan *span); /* the same, or TypeError */
int memoryview_ndim(Value view);
bool memoryview_is_of(Value v, Value object);     /* is v a view of that object */
Value memoryview_to_bytes(GenVM *vm, Value view); /* a copy of its items */
bool memoryview_bytes(GenVM *vm, Value v, const uint8_t **data,
                      size_t *size); /* false: released or not contiguous */
Leaf bytes_byte_from(GenVM *vm, Value v, const char *range_message,
                     uint8_t *byte); /* an int in 0..255 */
Leaf bytes_from_items(GenVM *vm, const Value *items, uint64_t count, const char *range_message,
                      Value *out);
/* The twin of a constructor: (object or class, source, encoding or None, errors or None). */
Value bytes_source_twin(GenVM *vm, Twin twin, const Value *args);
Leaf bytes_from_source(GenVM *vm, const Value *args, const char *range_message, Value *out);
Value bytes_repr_of(GenVM *vm, TextSpan data, bool escape_single);
Value bytes_repeat(GenVM *vm, Value v, int64_t times);
Value bytes_truth(GenVM *vm, Value v);
Value bytes_len(GenVM *vm, Value v);
Value bytes_getitem(GenVM *vm, Value v, Value key);
Value bytes_contains(GenVM *vm, Value v, Value item);
Value bytes_compare(GenVM *vm, CompareOp op, Value left, Value right);
Value bytes_binary(GenVM *vm, BinaryOp op, Value left, Value right);
Value bytes_iterator_new(GenVM *vm, TypeId kind, Value container);
Value bytes_iterator_self(GenVM *vm, Value v);
Value bytes_iterator_next(GenVM *vm, Value v);
void bytes_iterator_trace(GenVM *vm, Object *object);
extern const NativeDef bytes_iterator_methods[];

/* ---- bytes_methods.c, bytes_format.c, hex.c ---- */

extern const NativeDef bytes_methods[];
Value bytes_format_percent(GenVM *vm, Value self, Value args);
Value bytes_format_fields(GenVM *vm, Value *args);
Value bytes_to_hex(GenVM *vm, TextSpan data, Value separator,
                   Value group);                             /* as hex(sep, bytes_per_sep) */
bool bytes_from_hex(GenVM *vm, Value text, StrBuilder *out); /* false: an error is pending */

#endif
