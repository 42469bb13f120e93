/* image_files.c - file objects in images, as far as nothing of them is in the hands of the system:
 * files that are closed, and layers over streams in memory or of scripts (files.h). An open file
 * refuses.
 *
 *     raw         name (optional), bits, seekable
 *     buffered    raw, state, below (all optional), size, bits
 *     text        source, state, below (optional), encoding, errors, mode (optional), the name of
 *                 the codec in use, line ends, bits, chunk, bytes that wait to be written; text
 *                 that is decoded ahead (optional), how much of it is taken
 *
 * What a text file knows of its source's bytes is found out anew. Files are watched (file_watch)
 * when nothing can be refused any more.
 */
#include "vm/image_custom.h"
#include "vm/objects/files.h"
#include "vm/type_private.h"

static void save_shell(ImageWriter *w, Object *object) {
    (void)w, (void)object;
}

static void put_bits(ImageWriter *w, const bool *const *bits, uint32_t count) {
    uint64_t number = 0;
    for (uint32_t i = 0; i < count; i++)
        number |= (uint64_t)*bits[i] << i;
    image_put_number(w->out, number);
}

static void get_bits(ImageReader *r, bool *const *bits, uint32_t count) {
    uint64_t number = image_get_number(r);
    for (uint32_t i = 0; i < count; i++)
        *bits[i] = number >> i & 1;
}

static void refuse_open(ImageWriter *w, Object *object) {
    bool builtin = w->vm->shapes[object->shape].type->is_builtin;
    image_refuse(w, object, builtin ? NULL : "an open file cannot be saved");
}

static bool is_buffered_or_unset(Value v) {
    return v == VALUE_UNSET || is_buffered(v);
}

/* ---- raw files ---- */

enum { RAW_BITS = 6, BUFFERED_BITS = 2, TEXT_BITS = 8 };
#define BITS_OF_RAW(raw)                                                                           \
    {                                                                                              \
        &(raw)->readable, &(raw)->writable, &(raw)->created, &(raw)->appending, &(raw)->closefd,   \
            &(raw)->wrapped                                                                        \
    }
#define BITS_OF_BUFFERED(file)                                                                     \
    { &(file)->wrapped, &(file)->detached }
#define BITS_OF_TEXT(file)                                                                         \
    {                                                                                              \
        &(file)->readable, &(file)->writable, &(file)->line_buffering, &(file)->write_through,     \
            &(file)->mark_due, &(file)->iterating, &(file)->detached, &(file)->seen_cr             \
    }

static void save_raw(ImageWriter *w, Object *object) {
    const RawFile *raw = (const RawFile *)object;
    const bool *const bits[RAW_BITS] = BITS_OF_RAW(raw);
    if (!raw_is_closed(raw)) {
        refuse_open(w, object);
        return;
    }
    image_put_value(w, raw->name);
    put_bits(w, bits, RAW_BITS);
    image_put_number(w->out, (uint64_t)(raw->seekable + 1));
    image_put_extra(w, object);
}

static Object *new_raw(ImageReader *r, Type *type) {
    return (Object *)raw_new(r->vm, type);
}

static bool load_raw(ImageReader *r, Object *object) {
    RawFile *raw = (RawFile *)object;
    bool *const bits[RAW_BITS] = BITS_OF_RAW(raw);
    if (!image_get_optional(r, &raw->name)) return false;
    get_bits(r, bits, RAW_BITS);
    uint64_t seekable = image_get_number(r);
    if (seekable > 2) return image_bad(r, "a number is out of range");
    raw->seekable = (int8_t)((int)seekable - 1);
    gc_barrier(r->vm, object);
    return image_get_extra(r, object);
}

const ImageCustom file_raw_image = {
    .version = 1,
    .save_shell = save_shell,
    .save_body = save_raw,
    .load_shell = new_raw,
    .load_body = load_raw,
};

/* ---- buffers ---- */

static void save_buffered(ImageWriter *w, Object *object) {
    const Buffered *file = (const Buffered *)object;
    const bool *const bits[BUFFERED_BITS] = BITS_OF_BUFFERED(file);
    if (file->raw && !raw_is_closed(file->raw)) {
        refuse_open(w, object);
        return;
    }
    image_put_pointer(w, file->raw);
    image_put_value(w, file->state);
    image_put_value(w, file->below);
    image_put_number(w->out, file->size);
    put_bits(w, bits, BUFFERED_BITS);
    image_put_extra(w, object);
}

static Object *new_buffered(ImageReader *r, Type *type) {
    return (Object *)buffered_new(r->vm, (TypeId)type->instance_kind, type);
}

static bool load_buffered(ImageReader *r, Object *object) {
    Buffered *file = (Buffered *)object;
    bool *const bits[BUFFERED_BITS] = BITS_OF_BUFFERED(file);
    if (!image_get_pointer(r, TYPE_FILE_RAW, &file->raw) || !image_get_optional(r, &file->state) ||
        !image_get_optional(r, &file->below))
        return false;
    file->size = image_get_number(r);
    get_bits(r, bits, BUFFERED_BITS);
    gc_barrier(r->vm, object);
    if (file->raw && file->state != VALUE_UNSET) return image_bad(r, "a file with two sources");
    return image_get_extra(r, object);
}

const ImageCustom file_buffered_image = {
    .version = 1,
    .save_shell = save_shell,
    .save_body = save_buffered,
    .load_shell = new_buffered,
    .load_body = load_buffered,
};

/* ---- text ---- */

static void save_text(ImageWriter *w, Object *object) {
    const TextFile *file = (const TextFile *)object;
    const bool *const bits[TEXT_BITS] = BITS_OF_TEXT(file);
    const RawFile *raw = file->source ? source_raw(file->source) : NULL;
    if (raw && !raw_is_closed(raw)) {
        refuse_open(w, object);
        return;
    }
    const char *codec = codec_name(file->codec);
    image_put_pointer(w, file->source);
    const Value values[] = {file->state,  file->below, file->encoding,
                            file->errors, file->mode,  file->ahead};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        image_put_value(w, values[i]);
    image_put_number(w->out, file->ahead_at);
    image_put_number(w->out, strlen(codec));
    image_put(w->out, codec, strlen(codec));
    image_put_byte(w->out, (uint8_t)file->lines);
    image_put_byte(w->out, file->line_end);
    put_bits(w, bits, TEXT_BITS);
    image_put_byte(w->out, file->seen);
    image_put_number(w->out, file->chunk);
    image_put_number(w->out, file->pending_used);
    if (file->pending_used) image_put(w->out, file->pending->data, file->pending_used);
    image_put_extra(w, object);
}

static Object *new_text(ImageReader *r, Type *type) {
    return (Object *)file_text_new(r->vm, type);
}

static bool get_source(ImageReader *r, TextFile *file) {
    Value source;
    if (!image_get_optional(r, &source)) return false;
    if (!is_buffered_or_unset(source) && !is_kind(source, TYPE_BYTES_IO))
        return image_bad(r, "a text file over no buffer");
    file->source = source == VALUE_UNSET ? NULL : as_object(source);
    return true;
}

static bool get_pending(ImageReader *r, TextFile *file) {
    const uint8_t *data;
    size_t size;
    uint64_t chunk = image_get_number(r);
    if (!image_get_block(r, &data, &size)) return false;
    if (chunk == 0 || chunk > TEXT_CHUNK || size > TEXT_CHUNK)
        return image_bad(r, "a number is out of range");
    file->chunk = (uint32_t)chunk;
    if (!size) return true;
    file->pending = gc_buffer_new(r->vm, TEXT_CHUNK);
    if (!file->pending) return false;
    memcpy(file->pending->data, data, size);
    file->pending_used = (uint32_t)size;
    return true;
}

static bool load_text(ImageReader *r, Object *object) {
    TextFile *file = (TextFile *)object;
    bool *const bits[TEXT_BITS] = BITS_OF_TEXT(file);
    Value name;
    if (!get_source(r, file) || !image_get_optional(r, &file->state) ||
        !image_get_optional(r, &file->below) || !image_get_kind(r, TYPE_STR, &file->encoding) ||
        !image_get_kind(r, TYPE_STR, &file->errors) || !image_get_optional(r, &file->mode) ||
        !image_get_optional(r, &file->ahead))
        return false;
    file->ahead_at = image_get_number(r);
    if (!image_get_name(r, &name)) return false;
    const char *codec = str_c_whole(r->vm, name);
    file->codec = codec ? codec_find(r->vm, codec) : CODEC_UNKNOWN;
    if (file->codec == CODEC_UNKNOWN) return false;
    uint64_t lines = image_get_number(r), line_end = image_get_number(r);
    if (lines > LINES_CRLF || line_end > 2) return image_bad(r, "a number is out of range");
    file->lines = (LineEnds)lines;
    file->line_end = (uint8_t)line_end;
    get_bits(r, bits, TEXT_BITS);
    file->seen = (uint8_t)(image_get_number(r) & (SEEN_CR | SEEN_LF | SEEN_CRLF));
    gc_barrier(r->vm, object);
    return get_pending(r, file) && image_get_extra(r, object);
}

/* The encoding as it was given is that of the start of the file. */
static bool check_text(ImageReader *r, Object *object) {
    TextFile *file = (TextFile *)object;
    if (file->source && file->state != VALUE_UNSET) return false;
    if (file->mode != VALUE_UNSET && !value_is_str(file->mode)) return false;
    if (file->ahead != VALUE_UNSET) {
        if (!is_exact(file->ahead, TYPE_STR)) return false;
        const Str *ahead = AS_STR(file->ahead);
        if (file->ahead_at > ahead->size || (ahead->data[file->ahead_at] & 0xC0) == 0x80)
            return false;
    }
    if (!file->source) return true;
    const char *name = str_c_whole(r->vm, file->encoding);
    file->start_codec = name ? codec_find(r->vm, name) : CODEC_UNKNOWN;
    if (file->start_codec == CODEC_UNKNOWN || !str_c_whole(r->vm, file->errors)) return false;
    file->copies =
        file->codec == CODEC_UTF_8 && file->start_codec == CODEC_UTF_8 && !file->line_end;
    return true;
}

const ImageCustom file_text_image = {
    .version = 1,
    .save_shell = save_shell,
    .save_body = save_text,
    .load_shell = new_text,
    .load_body = load_text,
    .check = check_text,
};

/* ---- taking up their work ---- */

static void take_text(GenVM *vm, TextFile *file) {
    if (file->source && !source_is_closed(file->source)) {
        const TextFile as_saved = *file;
        file_text_forget(file);
        file->codec = as_saved.codec;
        file->ahead = as_saved.ahead;
        file->seen_cr = as_saved.seen_cr;
    }
    bool in_memory = file->source && file->source->kind == TYPE_BYTES_IO;
    if (in_memory || file->state != VALUE_UNSET)
        file_watch(vm, &file->header, in_memory && file->writable ? &file->link : NULL);
}

void image_take_files(ImageReader *r) {
    for (uint32_t i = 0; i < r->count; i++) {
        Object *object = r->objects[i];
        if (r->tags[i] != IMAGE_CUSTOM) continue;
        if (object->kind == TYPE_FILE) take_text(r->vm, (TextFile *)object);
        if (is_buffered(object_value(object)) && ((Buffered *)object)->state != VALUE_UNSET)
            file_watch(r->vm, object, NULL);
    }
}
