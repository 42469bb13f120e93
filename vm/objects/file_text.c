/* file_text.c - the text layer of files: life, writing, position. Reading is in file_text_read.c,
 * the type in file_text_type.c.
 *
 * What is written is encoded at once and gathered in `pending` until it is a chunk, then handed to
 * the source, which buffers it too: so text written and bytes written to f.buffer come out in the
 * order that CPython gives them.
 */
#include "vm/objects/files.h"
#include "vm/task.h"

#include <unistd.h>

/* ---- the source ---- */

RawFile *source_raw(Object *source) {
    return source->kind == TYPE_BYTES_IO ? NULL : ((Buffered *)source)->raw;
}

bool source_is_closed(const Object *source) {
    if (source->kind == TYPE_BYTES_IO) return ((const MemoryFile *)source)->array == VALUE_UNSET;
    return buffered_is_closed((const Buffered *)source);
}

static bool source_put(GenVM *vm, Object *source, const void *data, size_t size) {
    if (source->kind == TYPE_BYTES_IO) return bytes_io_put(vm, (MemoryFile *)source, data, size);
    return buffered_put(vm, (Buffered *)source, data, size);
}

static bool source_flush(GenVM *vm, Object *source) {
    return source->kind == TYPE_BYTES_IO || buffered_flush(vm, (Buffered *)source);
}

static int64_t source_tell(GenVM *vm, Object *source) {
    if (source->kind == TYPE_BYTES_IO) return (int64_t)((MemoryFile *)source)->at;
    return buffered_tell(vm, (Buffered *)source);
}

static int64_t source_seek(GenVM *vm, Object *source, int64_t offset, int whence) {
    if (source->kind != TYPE_BYTES_IO) return buffered_seek(vm, (Buffered *)source, offset, whence);
    MemoryFile *memory = (MemoryFile *)source;
    const uint8_t *data;
    size_t size;
    bytes_io_span(memory, &data, &size);
    memory->version++;
    return (int64_t)(memory->at = (size_t)offset + (whence == SEEK_END ? size : 0));
}

static bool source_is_seekable(Object *source) {
    RawFile *raw = source_raw(source);
    return !raw || raw_is_seekable(raw);
}

void source_wrap(GenVM *vm, Object *source, bool wrapped) {
    if (source->kind == TYPE_BYTES_IO) return;
    Buffered *buffered = (Buffered *)source;
    buffered->wrapped = wrapped;
    file_unlink(&buffered->link);
    if (!wrapped)
        file_watch(vm, source, source->kind == TYPE_BUFFERED_READER ? NULL : &buffered->link);
}

/* ---- life ---- */

TextFile *file_text_new(GenVM *vm, Type *cls) {
    TextFile *file = gc_new_of(vm, sizeof *file, TYPE_FILE, cls);
    if (!file) return NULL;
    file->encoding = file->errors = vm->empty_str;
    file->mode = file->ahead = file->state = file->below = VALUE_UNSET;
    file->chunk = TEXT_CHUNK;
    return file;
}

static void choose_copying(TextFile *file) {
    file->copies =
        file->codec == CODEC_UTF_8 && file->start_codec == CODEC_UTF_8 && !file->line_end;
}

bool file_parse_newline(Value newline, LineEnds *lines, uint8_t *line_end) {
    static const struct {
        const char *text;
        LineEnds lines;
        uint8_t line_end;
    } choices[] = {
        {"", LINES_ANY, 0}, {"\n", LINES_LF, 0}, {"\r", LINES_CR, 1}, {"\r\n", LINES_CRLF, 2}};
    *lines = LINES_TRANSLATED;
    *line_end = 0;
    if (newline == VALUE_NONE) return true;
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        if (!str_is(newline, choices[i].text)) continue;
        *lines = choices[i].lines;
        *line_end = choices[i].line_end;
        return true;
    }
    return false;
}

bool file_text_set_newline(GenVM *vm, TextFile *file, Value newline) {
    if (!file_parse_newline(newline, &file->lines, &file->line_end)) {
        raise_value(vm, "illegal newline value: %S", newline);
        return false;
    }
    choose_copying(file);
    return true;
}

/* A byte order mark is written at the start of a file only. */
static bool choose_mark(GenVM *vm, TextFile *file) {
    Codec codec = file->start_codec;
    file->mark_due = codec == CODEC_UTF_8_SIG || codec == CODEC_UTF_16 || codec == CODEC_UTF_32;
    if (!file->mark_due || !file->writable || !source_is_seekable(file->source)) return true;
    int64_t at = source_tell(vm, file->source);
    file->mark_due = at == 0;
    return at >= 0;
}

bool file_text_set_encoding(GenVM *vm, TextFile *file, Value encoding, Value errors) {
    if (encoding == VALUE_NONE || str_is(encoding, "locale")) encoding = str_from(vm, "UTF-8");
    if (errors == VALUE_NONE) errors = str_from(vm, "strict");
    if (encoding == VALUE_ERROR || errors == VALUE_ERROR) return false;
    const char *name = str_c_whole(vm, encoding);
    Codec codec = name && str_c_whole(vm, errors) ? codec_find(vm, name) : CODEC_UNKNOWN;
    if (codec == CODEC_UNKNOWN) return false;
    file->encoding = encoding;
    file->errors = errors;
    file->codec = file->start_codec = codec;
    gc_barrier(vm, file);
    choose_copying(file);
    return choose_mark(vm, file);
}

bool file_text_attach(GenVM *vm, TextFile *file, Object *source, Value encoding, Value errors,
                      Value newline) {
    RawFile *raw = source_raw(source);
    file->source = source;
    file->readable = !raw || source->kind != TYPE_BUFFERED_WRITER;
    file->writable = !raw || source->kind != TYPE_BUFFERED_READER;
    file->pending = NULL;
    file->pending_used = 0;
    file->seen = 0;
    file->iterating = false;
    gc_barrier(vm, file);
    if (!file_text_set_encoding(vm, file, encoding, errors) ||
        !file_text_set_newline(vm, file, newline)) {
        file->source = NULL;
        return false;
    }
    source_wrap(vm, source, true);
    file_text_forget(file);
    return true;
}

bool file_text_check(GenVM *vm, const TextFile *file) {
    if (unlikely(!file->source))
        return raise_value(vm, file->detached ? "underlying buffer has been detached"
                                              : "I/O operation on uninitialized object"),
               false;
    return likely(!source_is_closed(file->source)) || file_raise_closed(vm) != VALUE_ERROR;
}

Object *file_text_detach(GenVM *vm, TextFile *file) {
    Object *source = file->source;
    file->source = NULL;
    file->detached = true;
    file_unlink(&file->link);
    source_wrap(vm, source, false);
    return source;
}

bool file_text_close(GenVM *vm, TextFile *file) {
    if (source_is_closed(file->source)) return true;
    file_unlink(&file->link);
    bool flushed = file_text_push(vm, file);
    Value error = flushed ? VALUE_UNSET : error_take(vm);
    file->pending_used = 0;
    file->pending = NULL;
    file->ahead = VALUE_UNSET;
    bool closed = true;
    if (file->source->kind == TYPE_BYTES_IO)
        ((MemoryFile *)file->source)->array = VALUE_UNSET;
    else
        closed = buffered_close(vm, (Buffered *)file->source);
    if (flushed) return closed;
    if (!closed) error_clear(vm);
    vm->exception = error;
    return false;
}

/* From a finalizer: nothing may be allocated. */
void file_text_close_quietly(GenVM *vm, TextFile *file) {
    file_unlink(&file->link);
    if (!file->source || file->source->kind == TYPE_BYTES_IO) return;
    Buffered *source = (Buffered *)file->source;
    if (!source->raw || raw_is_closed(source->raw)) return;
    if (file->pending_used) {
        if (source->used) raw_write_quietly(vm, source->raw, source->out->data, source->used);
        source->used = 0;
        raw_write_quietly(vm, source->raw, file->pending->data, file->pending_used);
        file->pending_used = 0;
    }
    buffered_close_quietly(vm, source);
}

/* ---- writing ---- */

bool file_text_push(GenVM *vm, TextFile *file) {
    if (!file->pending_used) return true;
    if (!source_put(vm, file->source, file->pending->data, file->pending_used)) return false;
    file->pending_used = 0;
    return true;
}

bool file_text_flush(GenVM *vm, TextFile *file) {
    return file_text_push(vm, file) && source_flush(vm, file->source);
}

/* Writing goes on behind the chunk that was last read from. */
bool file_text_pass_window(GenVM *vm, TextFile *file) {
    (void)vm;
    if (file->ahead == VALUE_UNSET && file->source->kind != TYPE_BYTES_IO) {
        Buffered *source = (Buffered *)file->source;
        if (source->version == file->version && file->window > source->at)
            source->at = file->window;
    }
    file->ahead = VALUE_UNSET;
    return true;
}

static bool put(GenVM *vm, TextFile *file, const char *data, size_t size, bool ends_line) {
    if (vm->task) budget_output(vm, size);
    if (!file->pending) {
        file->pending = gc_buffer_new(vm, TEXT_CHUNK);
        gc_barrier(vm, file);
        if (!file->pending) return false;
    }
    if (file->pending_used + size > file->chunk && !file_text_push(vm, file)) return false;
    if (size >= file->chunk) {
        if (!source_put(vm, file->source, data, size)) return false;
    } else {
        memcpy(file->pending->data + file->pending_used, data, size);
        file->pending_used += (uint32_t)size;
    }
    if ((ends_line || file->write_through) && !file_text_push(vm, file)) return false;
    return !ends_line || source_flush(vm, file->source);
}

Value file_put_line_ends(GenVM *vm, Value text, uint8_t line_end) {
    Str *str = AS_STR(text);
    if (!line_end || !memchr(str->data, '\n', str->size)) return text;
    StrBuilder out;
    builder_init(&out, vm);
    const char *at = str->data, *end = at + str->size;
    for (const char *lf; (lf = memchr(at, '\n', (size_t)(end - at))); at = lf + 1) {
        builder_put(&out, at, (size_t)(lf - at));
        builder_put_c(&out, line_end == 1 ? "\r" : "\r\n");
    }
    builder_put(&out, at, (size_t)(end - at));
    return builder_finish(&out);
}

static Value encoded(GenVM *vm, TextFile *file, Value text) {
    Codec codec = file->mark_due ? file->start_codec : file->codec;
    if (!file->mark_due && codec == CODEC_UTF_8_SIG) codec = CODEC_UTF_8;
    if (!file->mark_due && codec == CODEC_UTF_16) codec = CODEC_UTF_16_LE;
    if (!file->mark_due && codec == CODEC_UTF_32) codec = CODEC_UTF_32_LE;
    native_commit(vm);
    const char *errors = str_c(vm, file->errors);
    Value bytes = errors ? codec_encode(vm, text, codec_name(codec), errors) : VALUE_ERROR;
    if (bytes != VALUE_ERROR) file->mark_due = false;
    return bytes;
}

static bool has_line_end(const TextFile *file, const char *data, size_t size) {
    return file->line_buffering && (memchr(data, '\n', size) || memchr(data, '\r', size));
}

bool file_text_write(GenVM *vm, TextFile *file, Value text) {
    Str *str = AS_STR(text);
    if (file->readable && !file_text_pass_window(vm, file)) return false;
    bool ends_line = has_line_end(file, str->data, str->size);
    if (file->copies && !(str->header.flags & STR_SURROGATES))
        return put(vm, file, str->data, str->size, ends_line);
    Value bytes = file_put_line_ends(vm, text, file->line_end);
    if (bytes != VALUE_ERROR) bytes = encoded(vm, file, bytes);
    if (bytes == VALUE_ERROR) return false;
    return put(vm, file, (const char *)AS(Bytes, bytes)->data, AS(Bytes, bytes)->size, ends_line);
}

/* For print: text that is no str yet. */
bool file_write_text(GenVM *vm, Value v, const char *utf8, size_t size) {
    TextFile *file = AS(TextFile, v);
    if (unlikely(!file_text_check(vm, file))) return false;
    if (unlikely(!file->writable)) return file_raise_unsupported(vm, "not writable"), false;
    if (likely(file->copies && !file->readable &&
               !memchr(utf8, 0xED, size))) /* 0xED: the lead byte of surrogates */
        return put(vm, file, utf8, size, has_line_end(file, utf8, size));
    Value text = str_new(vm, utf8, size);
    return text != VALUE_ERROR && file_text_write(vm, file, text);
}

bool file_is_text(Value v) {
    return is_exact(v, TYPE_FILE) && AS(TextFile, v)->source;
}

bool file_flush(GenVM *vm, Value v) {
    TextFile *file = AS(TextFile, v);
    return file_text_check(vm, file) && file_text_flush(vm, file);
}

/* ---- position ---- */

int64_t file_text_tell(GenVM *vm, TextFile *file) {
    if (!file_text_flush(vm, file)) return -1;
    int64_t at = source_tell(vm, file->source);
    if (at < 0 || file->ahead == VALUE_UNSET) return at;
    Str *ahead = AS_STR(file->ahead);
    Value rest = str_sub(vm, file->ahead, file->ahead_at, ahead->size - file->ahead_at);
    native_commit(vm);
    const char *errors = str_c(vm, file->errors);
    if (rest == VALUE_ERROR || !errors) return -1;
    Value bytes = codec_encode(vm, rest, codec_name(file->codec), errors);
    return bytes == VALUE_ERROR ? -1 : at - (int64_t)AS(Bytes, bytes)->size;
}

bool file_text_seek(GenVM *vm, TextFile *file, int64_t position, int whence, int64_t *result) {
    if (!file_text_flush(vm, file)) return false;
    Codec codec = file->codec;
    *result = source_seek(vm, file->source, position, whence);
    if (*result < 0) return false;
    file_text_forget(file);
    if (*result != 0) file->codec = codec;
    file->mark_due =
        *result == 0 && (file->start_codec == CODEC_UTF_8_SIG ||
                         file->start_codec == CODEC_UTF_16 || file->start_codec == CODEC_UTF_32);
    return true;
}
