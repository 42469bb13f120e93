/* builder.c - StrBuilder: text under construction in C memory.
 *
 * The first 256 bytes lie in the builder itself, so short results cost one allocation, that of the
 * str. A failure is remembered: callers put on and look at the result of builder_finish alone.
 */
#include "vm/objects/text.h"
#include "vm/memory.h"

enum { BUILDER_MUCH = 1 << 20 }; /* bytes */

void builder_init(StrBuilder *builder, GenVM *vm) {
    builder->vm = vm;
    builder->data = builder->inline_data;
    builder->size = 0;
    builder->capacity = builder->room = sizeof builder->inline_data;
    builder->failed = builder->looks = false;
}

void builder_init_work(StrBuilder *builder, GenVM *vm) {
    builder_init(builder, vm);
    builder->looks = true;
}

static bool fail(StrBuilder *builder) {
    if (builder->vm->exception == VALUE_UNSET && !builder->vm->stop) raise_memory(builder->vm);
    builder->failed = true;
    return false;
}

static bool allocate(StrBuilder *builder, size_t size) {
    size_t room = builder->room * 2;
    if (room - builder->size < size) room = builder->size + size;
    if (!gc_check_size(builder->vm, room)) return fail(builder);
    bool is_inline = builder->data == builder->inline_data;
    char *data = memory_resize(builder->vm, is_inline ? NULL : builder->data, room);
    if (!data) return fail(builder);
    if (is_inline) memcpy(data, builder->inline_data, builder->size);
    builder->data = data;
    builder->room = room;
    return true;
}

/* Large text is filled piece by piece, with a look before each. */
static COLD bool grow(StrBuilder *builder, size_t size) {
    enum { PIECE = 1 << 19 }; /* bytes: a millisecond or two for those that come one by one */
    if (builder->failed) return false;
    if (builder->looks && builder->size >= PIECE && !native_look(builder->vm)) return fail(builder);
    if (builder->room - builder->size < size && !allocate(builder, size)) return false;
    builder->capacity = builder->room;
    if (builder->looks && builder->room - builder->size > size + PIECE)
        builder->capacity = builder->size + size + PIECE;
    return true;
}

static bool put_much(StrBuilder *builder, const char *data, size_t size) {
    char *to = builder_reserve(builder, size);
    if (!to) return false;
    return native_copy(builder->vm, to, data, size) || fail(builder);
}

bool builder_put(StrBuilder *builder, const char *data, size_t size) {
    if (unlikely(size > BUILDER_MUCH && builder->looks)) return put_much(builder, data, size);
    if (unlikely(builder->capacity - builder->size < size) && !grow(builder, size)) return false;
    text_copy(builder->data + builder->size, data, size);
    builder->size += size;
    return true;
}

char *builder_reserve(StrBuilder *builder, size_t size) {
    if (unlikely(builder->capacity - builder->size < size) && !grow(builder, size)) return NULL;
    builder->size += size;
    return builder->data + builder->size - size;
}

bool builder_put_c(StrBuilder *builder, const char *text) {
    return builder_put(builder, text, strlen(text));
}

bool builder_put_byte(StrBuilder *builder, char c) {
    if (unlikely(builder->capacity == builder->size) && !grow(builder, 1)) return false;
    builder->data[builder->size++] = c;
    return true;
}

bool builder_put_char(StrBuilder *builder, uint32_t c) {
    if (likely(c < 0x80)) return builder_put_byte(builder, (char)c);
    if (unlikely(builder->capacity - builder->size < 4) && !grow(builder, 4)) return false;
    builder->size += utf8_put(builder->data + builder->size, c);
    return true;
}

/* VALUE_ERROR, as a function that makes the str may return it, makes the builder fail. */
bool builder_put_str(StrBuilder *builder, Value str) {
    if (unlikely(str == VALUE_ERROR)) return fail(builder);
    return builder_put(builder, AS_STR(str)->data, AS_STR(str)->size);
}

void builder_drop(StrBuilder *builder) {
    if (builder->data != builder->inline_data) memory_free(builder->data);
    builder->data = builder->inline_data;
    builder->size = 0;
}

static bool is_large(const StrBuilder *builder) {
    return builder->looks && builder->size > BUILDER_MUCH;
}

static Value finish_large(const StrBuilder *builder) {
    uint32_t length;
    if (builder->size > STR_SIZE_MAX) return raise_memory(builder->vm);
    uint8_t flags = text_scan(builder->data, builder->size, &length);
    return str_work(builder->vm, builder->data, builder->size, length, flags);
}

Value builder_finish(StrBuilder *builder) {
    Value str = builder->failed      ? VALUE_ERROR
                : builder->size == 0 ? builder->vm->empty_str
                : is_large(builder)  ? finish_large(builder)
                                     : str_new(builder->vm, builder->data, builder->size);
    builder_drop(builder);
    return str;
}

Value builder_finish_bytes(StrBuilder *builder) {
    Value bytes = builder->failed     ? VALUE_ERROR
                  : is_large(builder) ? bytes_work(builder->vm, builder->data, builder->size)
                                      : bytes_new(builder->vm, builder->data, builder->size);
    builder_drop(builder);
    return bytes;
}
