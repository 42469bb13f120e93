/* str.c - text: how strings are made, shared, joined, cut, compared and interned. The type with its
 * methods is in str_type.c and str_methods.c.
 *
 * A Str is a small header that points to its UTF-8. Where the bytes lie depends on how it was made:
 *
 *     extra == NULL       behind the header, ended by a NUL (most strings)
 *     extra is a Str      inside that other Str: a long slice shares its parent's bytes
 *     extra is a Buffer   inside a growth buffer, whose first word says how much is in use
 *     extra is a StrIndex a Buffer marked INDEX_BUFFER, whose first word is the owner as above
 *
 * The Str that ends where the used part of a growth buffer ends is extended in place: so s += x is
 * amortised O(len(x)). An index holds the byte offset of every 32nd code point; it is made on the
 * first subscript of long text that is not ASCII.
 *
 * Bytes in use never change, so any number of Strs may share them. One-character strings of Latin-1
 * and the empty string are shared by all; names are interned (weakly: the collector sweeps the
 * table).
 */
#include "vm/objects/number.h"
#include "vm/memory.h"
#include "vm/objects/text.h"
#include "vm/shared.h"

enum { STR_GROWN = 8 };    /* Object.flags: made by a concatenation, likely to be extended again */
enum { INDEX_BUFFER = 1 }; /* Object.flags of a Buffer */
enum { INDEX_STEP = 32 };  /* code points per entry: at most an eighth of the text is spent on it */
enum { INDEX_MIN = 64 };   /* shorter text is walked */
enum { GROW_MIN = 128 };   /* concatenations below are copied: the buffer would cost as much */
enum { SHARE_MIN = 256 };  /* slices below are copied */

typedef struct GrowBuffer { /* what Buffer.data holds for extendable text */
    uint64_t used;
    char text[];
} GrowBuffer;

typedef struct StrIndex { /* what Buffer.data holds for an index */
    Object *owner;        /* NULL, Str or Buffer that the text lies in */
    uint32_t offsets[];
} StrIndex;

static inline bool is_index(const Object *extra) {
    return extra->kind == TYPE_BUFFER && extra->flags == INDEX_BUFFER;
}
static inline StrIndex *index_of(Object *extra) {
    return (StrIndex *)((Buffer *)extra)->data;
}

static inline Object *owner_of(const Str *str) {
    if (likely(!str->extra)) return NULL;
    return is_index(str->extra) ? index_of(str->extra)->owner : str->extra;
}

void str_trace(GenVM *vm, Object *object) {
    Str *str = (Str *)object;
    if (!str->extra) return;
    gc_mark_object(vm, str->extra);
    if (is_index(str->extra)) gc_mark_pointer(vm, index_of(str->extra)->owner);
}

/* ---- making ---- */

COLD Str *str_too_long(GenVM *vm) {
    raise_memory(vm);
    return NULL;
}

/* A header for text that lies in another object. */
static inline Value new_shared(GenVM *vm, const char *data, size_t size, uint32_t length,
                               uint8_t flags, Object *owner) {
    Str *str = gc_new_raw(vm, sizeof(Str), TYPE_STR);
    if (!str) return VALUE_ERROR;
    str_fill(str, data, size, length, flags, owner);
    return object_value(str);
}

Value str_with_length(GenVM *vm, const char *data, size_t size, uint32_t length, uint8_t flags) {
    if (length <= 1) {
        if (length == 0) return vm->empty_str;
        const char *at = data;
        uint32_t c = utf8_take(&at);
        if (c < 256) return vm->characters[c];
    }
    Str *str = str_alloc(vm, size, length, flags & (STR_ASCII | STR_SURROGATES));
    if (unlikely(!str)) return VALUE_ERROR;
    text_copy((char *)str->data, data, size);
    return object_value(str);
}

Value str_work(GenVM *vm, const char *data, size_t size, uint32_t length, uint8_t flags) {
    if (length <= 1) return str_with_length(vm, data, size, length, flags);
    Str *str = str_alloc(vm, size, length, flags & (STR_ASCII | STR_SURROGATES));
    return str && native_copy(vm, (char *)str->data, data, size) ? object_value(str) : VALUE_ERROR;
}

Value str_new(GenVM *vm, const char *utf8, size_t size) {
    if (size == 1) return vm->characters[(unsigned char)*utf8];
    if (unlikely(size > STR_SIZE_MAX)) return raise_memory(vm);
    uint32_t length;
    uint8_t flags = text_scan(utf8, size, &length);
    return str_with_length(vm, utf8, size, length, flags);
}

Value str_from(GenVM *vm, const char *text) {
    return str_new(vm, text, strlen(text));
}

static Value new_char(GenVM *vm, uint32_t c) {
    Str *str = str_alloc(vm, utf8_width(c), 1,
                         c < 0x80          ? STR_ASCII
                         : is_surrogate(c) ? STR_SURROGATES
                                           : 0);
    if (!str) return VALUE_ERROR;
    utf8_put((char *)str->data, c);
    return object_value(str);
}

Value str_from_char(GenVM *vm, uint32_t c) {
    return likely(c < 256) ? vm->characters[c] : new_char(vm, c);
}

Value str_scanned(GenVM *vm, Str *str) {
    if (str->size == 0) return vm->empty_str;
    str->header.flags = text_scan(str->data, str->size, &str->length);
    return object_value(str);
}

/* An instance of cls, which may be a subclass: always a copy. */
Value str_of_class(GenVM *vm, Type *cls, Value v) {
    if (cls->id == TYPE_STR) return str_exact(vm, v);
    Str *from = AS_STR(v);
    Str *str = gc_new_of(vm, sizeof(Str) + from->size + 1, TYPE_STR, cls);
    if (!str) return VALUE_ERROR;
    char *data = (char *)(str + 1);
    str_fill(str, data, from->size, from->length, from->header.flags & (STR_ASCII | STR_SURROGATES),
             NULL);
    memcpy(data, from->data, from->size);
    data[from->size] = 0;
    return object_value(str);
}

static COLD Value copy_exact(GenVM *vm, Value v) {
    Str *str = AS_STR(v);
    return str_with_length(vm, str->data, str->size, str->length, str->header.flags);
}

Value str_exact(GenVM *vm, Value v) {
    return likely(is_exact(v, TYPE_STR)) ? v : copy_exact(vm, v);
}

/* ---- cutting ---- */

static Value sub_with_length(GenVM *vm, Str *str, size_t offset, size_t size, uint32_t length) {
    const char *data = str->data + offset;
    uint8_t flags = str->header.flags & (STR_ASCII | STR_SURROGATES);
    if (size == length)
        flags = STR_ASCII;
    else if (flags & STR_SURROGATES)
        flags = text_scan(data, size, &length);
    if (size < SHARE_MIN) return str_with_length(vm, data, size, length, flags);
    Object *owner = owner_of(str);
    if (!owner) owner = &str->header;
    size_t kept = owner->kind == TYPE_BUFFER ? ((Buffer *)owner)->capacity : ((Str *)owner)->size;
    if (size < kept / 8)
        return str_with_length(vm, data, size, length,
                               flags); /* do not keep the rest alive for it */
    return new_shared(vm, data, size, length, flags, owner);
}

Value str_sub(GenVM *vm, Value v, size_t offset, size_t size) {
    Str *str = AS_STR(v);
    if (size == str->size) return str_exact(vm, v);
    if (str_is_ascii(str)) {
        if (size == 1) return vm->characters[(unsigned char)str->data[offset]];
        return sub_with_length(vm, str, offset, size, (uint32_t)size);
    }
    return sub_with_length(vm, str, offset, size,
                           (uint32_t)text_count_chars(str->data + offset, size));
}

Value str_slice(GenVM *vm, Value v, int64_t start, int64_t stop) {
    Str *str = AS_STR(v);
    if (start >= stop) return vm->empty_str;
    if (start == 0 && stop == str->length) return str_exact(vm, v);
    if (str_is_ascii(str)) return str_sub(vm, v, (size_t)start, (size_t)(stop - start));
    size_t from = str_offset(vm, str, start), to = str_offset(vm, str, stop);
    return sub_with_length(vm, str, from, to - from, (uint32_t)(stop - start));
}

/* ---- positions in text that is not ASCII ---- */

static size_t walk(const char *data, size_t offset, int64_t chars) {
    while (chars-- > 0)
        offset += utf8_lead_width(data[offset]);
    return offset;
}

static size_t walk_back(const char *data, size_t offset, int64_t chars) {
    while (chars-- > 0)
        do
            offset--;
        while (utf8_is_tail(data[offset]));
    return offset;
}

static StrIndex *build_index(GenVM *vm, Str *str) {
    size_t entries = str->length / INDEX_STEP + 1;
    Buffer *buffer = gc_buffer_new(vm, sizeof(StrIndex) + entries * sizeof(uint32_t));
    if (!buffer) {
        error_clear(vm); /* the text is walked instead */
        return NULL;
    }
    buffer->header.flags = INDEX_BUFFER;
    StrIndex *index = index_of(&buffer->header);
    index->owner = owner_of(str);
    size_t offset = 0;
    for (size_t i = 0; i < entries; i++) {
        index->offsets[i] = (uint32_t)offset;
        if (i + 1 < entries) offset = walk(str->data, offset, INDEX_STEP);
    }
    str->extra = &buffer->header;
    gc_barrier(vm, str);
    return index;
}

size_t str_offset(GenVM *vm, Str *str, int64_t at) {
    if (str_is_ascii(str)) return (size_t)at;
    if (at == str->length) return str->size;
    if (str->length < INDEX_MIN) {
        if (at > str->length / 2) return walk_back(str->data, str->size, str->length - at);
        return walk(str->data, 0, at);
    }
    StrIndex *index =
        str->extra && is_index(str->extra) ? index_of(str->extra) : build_index(vm, str);
    if (!index) return walk(str->data, 0, at);
    return walk(str->data, index->offsets[at / INDEX_STEP], at % INDEX_STEP);
}

int64_t str_index_of(Str *str, size_t offset) {
    if (str_is_ascii(str)) return (int64_t)offset;
    if (!str->extra || !is_index(str->extra)) return (int64_t)text_count_chars(str->data, offset);
    StrIndex *index = index_of(str->extra);
    size_t low = 0, high = str->length / INDEX_STEP; /* the last entry at or before offset */
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (index->offsets[middle] <= offset)
            low = middle;
        else
            high = middle - 1;
    }
    size_t base = index->offsets[low];
    return (int64_t)(low * INDEX_STEP + text_count_chars(str->data + base, offset - base));
}

Value str_char_at(GenVM *vm, Str *str, int64_t index) {
    if (likely(str_is_ascii(str))) return vm->characters[(unsigned char)str->data[index]];
    const char *at = str->data + str_offset(vm, str, index);
    return str_from_char(vm, utf8_take(&at));
}

/* ---- joining ---- */

static inline uint8_t joined_flags(const Str *a, const Str *b) {
    uint8_t x = a->header.flags, y = b->header.flags;
    return (x & y & STR_ASCII) | ((x | y) & STR_SURROGATES);
}

static inline Value extended(GenVM *vm, GrowBuffer *grow, Buffer *buffer, Str *a, Str *b,
                             size_t size) {
    text_copy((char *)a->data + a->size, b->data, b->size);
    grow->used += b->size;
    return new_shared(vm, a->data, size, a->length + b->length, joined_flags(a, b),
                      &buffer->header);
}

static Value copy_into_buffer(GenVM *vm, Str *a, Str *b, size_t size) {
    Buffer *buffer = gc_buffer_new(vm, sizeof(GrowBuffer) + size * 2);
    if (!buffer) return VALUE_ERROR;
    GrowBuffer *grow = (GrowBuffer *)buffer->data;
    if (!native_copy(vm, grow->text, a->data, a->size) ||
        !native_copy(vm, grow->text + a->size, b->data, b->size))
        return VALUE_ERROR;
    grow->used = size;
    return new_shared(vm, grow->text, size, a->length + b->length, joined_flags(a, b),
                      &buffer->header);
}

/* Has `a`, the text of which ends where its growth buffer is free, room for `more` bytes? */
static inline bool extends(const Str *a, size_t more) {
    Object *extra = a->extra;
    if (!extra || extra->kind != TYPE_BUFFER || extra->flags == INDEX_BUFFER) return false;
    const Buffer *buffer = (const Buffer *)extra;
    const GrowBuffer *grow = (const GrowBuffer *)buffer->data;
    return a->data + a->size == grow->text + grow->used &&
           buffer->capacity - sizeof *grow - grow->used >= more;
}

static Value concat_long(GenVM *vm, Str *a, Str *b, size_t size) {
    Object *owner = owner_of(a);
    if (owner && owner->kind == TYPE_BUFFER) {
        Buffer *buffer = (Buffer *)owner;
        GrowBuffer *grow = (GrowBuffer *)buffer->data;
        bool at_end = a->data + a->size == grow->text + grow->used;
        if (at_end && buffer->capacity - sizeof *grow - grow->used >= b->size)
            return extended(vm, grow, buffer, a, b, size);
    } else if (!(a->header.flags & STR_GROWN)) {
        return VALUE_UNSET;
    }
    return copy_into_buffer(vm, a, b, size);
}

/* The numbers among the parts of an f-string as text, each behind a byte that tells its size. */
enum { NUMBERS_SIZE = 1024, NUMBER_MAX = 40 };
typedef struct Numbers {
    size_t used;
    char text[NUMBERS_SIZE];
} Numbers;

/* The size; 0 when there is no room for another. */
static inline size_t add_number(Numbers *numbers, Value v) {
    if (unlikely(numbers->used + 1 + NUMBER_MAX > NUMBERS_SIZE)) return 0;
    char *out = numbers->text + numbers->used + 1;
    size_t size = is_int(v) ? int_write_small(out, as_int(v)) : float_repr_to(out, as_float(v));
    out[-1] = (char)size;
    numbers->used += 1 + size;
    return size;
}

static COLD Value join_slowly(GenVM *vm, const Value *parts, uint64_t count) {
    StrBuilder builder;
    builder_init_work(&builder, vm);
    for (uint64_t i = 0; i < count && !builder.failed; i++)
        builder_put_str(&builder, is_int(parts[i])     ? int_repr(vm, parts[i])
                                  : is_float(parts[i]) ? float_repr(vm, as_float(parts[i]))
                                                       : parts[i]);
    return builder_finish(&builder);
}

static COLD Value no_part(GenVM *vm) { /* of code from an image */
    return raise_error(vm, EXC_SYSTEM_ERROR, "bad code: a part of a text is no str");
}

/* The text of a part. Those of numbers lie one behind the other. */
static inline TextSpan part_span(Value part, const char **number) {
    if (is_object(part)) return str_span(part);
    TextSpan text = {*number + 1, (unsigned char)**number};
    *number = text.data + text.size;
    return text;
}

static inline void put_parts(char *out, const Value *parts, uint64_t count, const char *number) {
    for (uint64_t i = 0; i < count; i++) {
        TextSpan part = part_span(parts[i], &number);
        text_copy(out, part.data, part.size);
        out += part.size;
    }
}

/* The same where they are long, with looks at the deadline. */
static COLD bool put_long_parts(GenVM *vm, char *out, const Value *parts, uint64_t count,
                                const char *number) {
    for (uint64_t i = 0; i < count; i++) {
        TextSpan part = part_span(parts[i], &number);
        if (!native_copy(vm, out, part.data, part.size)) return false;
        out += part.size;
    }
    return true;
}

Value str_join_parts(GenVM *vm, const Value *parts, uint64_t count) {
    size_t size = 0;
    uint64_t length = 0;
    uint8_t all = STR_ASCII, any = 0;
    Numbers numbers;
    numbers.used = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (likely(is_object(parts[i]))) {
            const Str *str = AS_STR(parts[i]);
            if (unlikely(str->header.kind != TYPE_STR)) return no_part(vm);
            size += str->size;
            length += str->length;
            all &= str->header.flags;
            any |= str->header.flags;
        } else {
            if (unlikely(!is_int(parts[i]) && !is_float(parts[i]))) return no_part(vm);
            size_t digits = add_number(&numbers, parts[i]);
            if (unlikely(!digits)) return join_slowly(vm, parts, count);
            size += digits;
            length += digits;
        }
    }
    if (length == 0) return vm->empty_str;
    if (unlikely(size > STR_SIZE_MAX)) return raise_memory(vm);
    Str *joined = str_alloc(vm, size, (uint32_t)length, all | (any & STR_SURROGATES));
    if (unlikely(!joined)) return VALUE_ERROR;
    if (likely(size <= TEXT_MUCH))
        put_parts((char *)(joined + 1), parts, count, numbers.text);
    else if (!put_long_parts(vm, (char *)(joined + 1), parts, count, numbers.text))
        return VALUE_ERROR;
    if (unlikely(length == 1))
        return str_with_length(vm, joined->data, size, 1, joined->header.flags);
    return object_value(joined);
}

static COLD Value concat_much(GenVM *vm, Str *str, const Str *a, const Str *b) {
    char *data = (char *)str->data;
    bool done = native_copy(vm, data, a->data, a->size) &&
                native_copy(vm, data + a->size, b->data, b->size);
    return done ? object_value(str) : VALUE_ERROR;
}

Value str_concat(GenVM *vm, Value left, Value right) {
    Str *a = AS_STR(left), *b = AS_STR(right);
    size_t size = (size_t)a->size + b->size;
    if (a->size && b->size && size <= STR_SIZE_MAX && extends(a, b->size)) {
        Buffer *buffer = (Buffer *)a->extra;
        return extended(vm, (GrowBuffer *)buffer->data, buffer, a, b, size);
    }
    if (unlikely(!b->size)) return str_exact(vm, left);
    if (unlikely(!a->size)) return str_exact(vm, right);
    if (unlikely(size > STR_SIZE_MAX)) return raise_memory(vm);
    uint8_t flags = joined_flags(a, b);
    if (size >= GROW_MIN) {
        Value grown = concat_long(vm, a, b, size);
        if (grown != VALUE_UNSET) return grown;
        flags |= STR_GROWN;
    }
    Str *str = str_alloc(vm, size, a->length + b->length, flags);
    if (unlikely(!str)) return VALUE_ERROR;
    if (unlikely(size > TEXT_MUCH)) return concat_much(vm, str, a, b);
    text_copy((char *)str->data, a->data, a->size);
    text_copy((char *)str->data + a->size, b->data, b->size);
    return object_value(str);
}

Value str_repeat(GenVM *vm, Value v, int64_t times) {
    enum { PLAIN = 4096 };
    Str *str = AS_STR(v);
    if (times <= 0 || !str->size) return vm->empty_str;
    if (times == 1) return str_exact(vm, v);
    uint64_t size;
    if (__builtin_mul_overflow((uint64_t)str->size, (uint64_t)times, &size) || size > STR_SIZE_MAX)
        return raise_memory(vm);
    if (!gc_check_size(vm, size) || !native_work(vm, size / 64)) return VALUE_ERROR;
    Str *result = str_alloc(vm, size, (uint32_t)(str->length * (uint64_t)times),
                            str->header.flags & (STR_ASCII | STR_SURROGATES));
    if (!result) return VALUE_ERROR;
    char *data = (char *)result->data;
    size_t begun = str->size;
    if (begun == 1) {
        begun = size < PLAIN ? size : PLAIN;
        memset(data, *str->data, begun);
    } else if (!native_copy(vm, data, str->data, begun)) {
        return VALUE_ERROR;
    }
    return native_repeat(vm, data, begun, size) ? object_value(result) : VALUE_ERROR;
}

/* ---- comparing ---- */

bool str_equal(Value left, Value right) {
    if (left == right) return true;
    const Str *a = AS_STR(left), *b = AS_STR(right);
    if (a->size != b->size || (a->header.flags & b->header.flags & STR_INTERNED)) return false;
    if (a->hash != b->hash && a->hash && b->hash) return false;
    return text_equal(a->data, b->data, a->size);
}

bool str_is(Value v, const char *text) {
    const Str *str = AS_STR(v);
    size_t size = strlen(text);
    return str->size == size && memcmp(str->data, text, size) == 0;
}

/* The order of UTF-8 bytes is that of code points. */
int str_order(Value left, Value right) {
    const Str *a = AS_STR(left), *b = AS_STR(right);
    int order = memcmp(a->data, b->data, a->size < b->size ? a->size : b->size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

void str_spend(GenVM *vm, Value a, Value b) {
    enum { BYTES_A_STEP = 1024 };
    uint32_t one = AS_STR(a)->size, other = AS_STR(b)->size;
    if (a != b) native_spend(vm, (one < other ? one : other) / BYTES_A_STEP);
}

static uint64_t shared_hash(GenVM *vm, const Str *str) {
    uint64_t *known = &vm->shared_hashes[shared_number(vm->shared, str)];
    if (!*known && str->size) *known = text_hash(vm, str->data, str->size);
    return *known;
}

uint64_t str_hash(GenVM *vm, Value v) {
    Str *str = AS_STR(v);
    if (str->hash) return str->hash;
    if (is_shared(&str->header)) return shared_hash(vm, str);
    if (str->size > 4096) native_spend(vm, str->size / 16);
    return str->hash = text_hash(vm, str->data, str->size);
}

/* ---- as C text ---- */

/* Text that is shared has what follows it behind it, so it moves to a copy of its own. */
const char *str_c(GenVM *vm, Value v) {
    Str *str = AS_STR(v);
    Object *owner = owner_of(str);
    if (!owner) return str->data;
    Buffer *buffer = gc_buffer_new(vm, sizeof(GrowBuffer) + str->size + 1);
    if (!buffer) return NULL;
    GrowBuffer *grow = (GrowBuffer *)buffer->data;
    memcpy(grow->text, str->data, str->size);
    grow->text[str->size] = 0;
    grow->used = str->size + 1; /* the NUL counts as used: nothing extends this one in place */
    str->data = grow->text;
    if (is_index(str->extra)) {
        index_of(str->extra)->owner = &buffer->header;
    } else {
        str->extra = &buffer->header;
    }
    gc_barrier(vm, str);
    return str->data;
}

const char *str_c_whole(GenVM *vm, Value v) {
    if (!memchr(AS_STR(v)->data, 0, AS_STR(v)->size)) return str_c(vm, v);
    raise_value(vm, "embedded null character");
    return NULL;
}

bool str_c_or_none(GenVM *vm, Value v, const char **text) {
    *text = v == VALUE_NONE || v == VALUE_UNSET ? NULL : str_c_whole(vm, v);
    return *text || v == VALUE_NONE || v == VALUE_UNSET;
}

/* ---- interning: open addressing; entries are weak ---- */

/* `young` are those interned since the last collection: all that one of the young objects can find
 * dead. */
enum { YOUNG_FIRST = 32, YOUNG_MOST = 1024 };
typedef struct InternTable {
    size_t count, capacity;
    Str **slots;        /* NULL: free */
    size_t young_count; /* above young_capacity: not all are listed */
    size_t young_capacity;
    Str **young;
} InternTable;

static size_t intern_slot(InternTable *table, uint64_t hash, const char *data, size_t size) {
    size_t mask = table->capacity - 1, at = hash & mask;
    for (Str *str; (str = table->slots[at]) != NULL; at = (at + 1) & mask)
        if (str->hash == hash && str->size == size && memcmp(str->data, data, size) == 0) break;
    return at;
}

static bool resize_interned(GenVM *vm, InternTable *table, size_t capacity) {
    Str **old = table->slots, **slots = memory_new_zeroed(vm, capacity, sizeof *slots);
    if (!slots) {
        raise_memory(vm);
        return false;
    }
    size_t old_capacity = table->capacity;
    table->slots = slots;
    table->capacity = capacity;
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i]) slots[intern_slot(table, old[i]->hash, old[i]->data, old[i]->size)] = old[i];
    memory_free(old);
    return true;
}

/* Without memory for a longer list it is not complete, as when there are too many. */
static void list_young(GenVM *vm, InternTable *table, Str *str) {
    if (table->young_count == table->young_capacity && table->young_capacity < YOUNG_MOST) {
        size_t capacity = table->young_capacity ? table->young_capacity * 2 : YOUNG_FIRST;
        Str **larger = memory_resize(vm, table->young, capacity * sizeof *larger);
        if (larger) {
            table->young = larger;
            table->young_capacity = capacity;
        }
    }
    if (table->young_count < table->young_capacity) table->young[table->young_count] = str;
    table->young_count++;
}

static Value intern_at(GenVM *vm, size_t at, Str *str) {
    InternTable *table = vm->interned;
    str->header.flags |= STR_INTERNED;
    table->slots[at] = str;
    list_young(vm, table, str);
    if (++table->count * 4 > table->capacity * 3 &&
        !resize_interned(vm, table, table->capacity * 2))
        return VALUE_ERROR;
    return object_value(str);
}

Value str_intern(GenVM *vm, Value v) {
    Str *str = AS_STR(v);
    if (likely(str->header.flags & STR_INTERNED)) return v;
    const Str *shared = shared_find(vm->shared, str->data, str->size);
    if (shared) return object_value(shared);
    uint64_t hash = str_hash(vm, v);
    size_t at = intern_slot(vm->interned, hash, str->data, str->size);
    if (vm->interned->slots[at]) return object_value(vm->interned->slots[at]);
    if (str->extra || !is_exact(v, TYPE_STR)) {
        Value copy = str_with_length(vm, str->data, str->size, str->length, str->header.flags);
        if (copy == VALUE_ERROR) return copy;
        str = AS_STR(copy);
        str_hash(vm, copy);
    }
    return intern_at(vm, at, str);
}

Value str_intern_from(GenVM *vm, const char *utf8, size_t size) {
    const Str *shared = shared_find(vm->shared, utf8, size);
    if (shared) return object_value(shared);
    uint64_t hash = text_hash(vm, utf8, size);
    size_t at = intern_slot(vm->interned, hash, utf8, size);
    if (vm->interned->slots[at]) return object_value(vm->interned->slots[at]);
    Value v = str_new(vm, utf8, size);
    if (v == VALUE_ERROR) return v;
    AS_STR(v)->hash = hash;
    return intern_at(vm, at, AS_STR(v));
}

/* Moves each entry to the first free slot on its path. A move may open a gap on the path of an
 * entry seen before, which then needs another round; every move shortens a path, so this ends. */
static bool close_gaps(InternTable *table) {
    bool moved = false;
    for (size_t i = 0; i < table->capacity; i++) {
        Str *str = table->slots[i];
        if (!str) continue;
        table->slots[i] = NULL;
        size_t at = intern_slot(table, str->hash, str->data, str->size);
        table->slots[at] = str;
        moved |= at != i;
    }
    return moved;
}

static inline bool is_dead(const Str *str) {
    return !(str->header.gc & (GC_MARKED | GC_PERMANENT));
}

/* Takes one out, and moves those behind it that came past its slot. */
static void forget(InternTable *table, const Str *str) {
    size_t mask = table->capacity - 1, gap = str->hash & mask;
    while (table->slots[gap] != str)
        gap = (gap + 1) & mask;
    for (size_t at = gap;;) {
        at = (at + 1) & mask;
        Str *next = table->slots[at];
        if (!next) break;
        if (((at - next->hash) & mask) < ((at - gap) & mask)) continue; /* its way begins behind */
        table->slots[gap] = next;
        gap = at;
    }
    table->slots[gap] = NULL;
    table->count--;
}

static void sweep_young(InternTable *table) {
    for (size_t i = 0; i < table->young_count; i++)
        if (is_dead(table->young[i])) forget(table, table->young[i]);
}

void str_sweep_interned(GenVM *vm, bool full) {
    InternTable *table = vm->interned;
    bool listed = table->young_count <= table->young_capacity;
    if (!full && listed) sweep_young(table);
    table->young_count = 0;
    if (!full && listed) return;
    size_t kept = 0;
    for (size_t i = 0; i < table->capacity; i++) {
        Str *str = table->slots[i];
        if (str && is_dead(str)) table->slots[i] = NULL;
        kept += table->slots[i] != NULL;
    }
    if (kept == table->count) return;
    table->count = kept;
    while (close_gaps(table))
        ;
}

/* ---- the start and end of a VM ---- */

enum { FIRST_INTERNED = 256 };

bool str_init(GenVM *vm) {
    vm->interned = memory_new_zeroed(vm, 1, sizeof *vm->interned);
    if (!vm->interned || !resize_interned(vm, vm->interned, FIRST_INTERNED)) return false;
    bool usual = vm->hash_key[0] == SHARED_KEY_0 && vm->hash_key[1] == SHARED_KEY_1;
    if (!usual) {
        vm->own_shared_hashes =
            memory_new_zeroed(vm, vm->shared->str_count, sizeof *vm->own_shared_hashes);
        if (!vm->own_shared_hashes) return false;
    }
    vm->shared_hashes = usual ? (uint64_t *)(uintptr_t)vm->shared->hashes : vm->own_shared_hashes;
    Bytes *no_bytes = bytes_alloc(vm, 0);
    if (!no_bytes) return false;
    vm->empty_bytes = object_value(no_bytes);
    return true;
}

void str_free(GenVM *vm) {
    if (vm->interned) memory_free(vm->interned->slots);
    if (vm->interned) memory_free(vm->interned->young);
    memory_free(vm->interned);
    memory_free(vm->own_shared_hashes);
    vm->interned = NULL;
}
