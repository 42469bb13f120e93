/* file_text_type.c - the type TextIOWrapper: the methods over file_text.c.
 *
 * Over anything but a plain buffered file or BytesIO, and with codecs that scripts have registered,
 * the methods are those of stdlib/prelude/streams.gen: see files.h.
 */
#include "vm/objects/files.h"

#include <unistd.h>

static inline TextFile *text_of(Value v) {
    return AS(TextFile, v);
}

/* The open file; NULL: ValueError. */
static inline TextFile *open_file(GenVM *vm, Value self) {
    TextFile *file = text_of(self);
    return file_text_check(vm, file) ? file : NULL;
}

static TextFile *readable_file(GenVM *vm, Value self) {
    TextFile *file = open_file(vm, self);
    if (!file || file->readable) return file;
    file_raise_unsupported(vm, "not readable");
    return NULL;
}

static TextFile *writable_file(GenVM *vm, Value self) {
    TextFile *file = open_file(vm, self);
    if (!file || file->writable) return file;
    file_raise_unsupported(vm, "not writable");
    return NULL;
}

/* ---- making ---- */

/* Others may have methods of their own. */
static bool is_source(GenVM *vm, Value v) {
    if (!is_buffered(v) && !is_kind(v, TYPE_BYTES_IO)) return false;
    if (!file_is_plain(vm, as_object(v))) return false;
    if (is_kind(v, TYPE_BYTES_IO)) return true;
    const RawFile *raw = AS(Buffered, v)->raw;
    return raw && file_is_plain(vm, as_object(object_value(raw)));
}

static bool check_options(GenVM *vm, Value *args) {
    static const char *const names[] = {"encoding", "errors", "newline"};
    for (int i = 0; i < 3; i++) {
        if (args[2 + i] == VALUE_NONE || value_is_str(args[2 + i])) continue;
        raise_type(vm, "TextIOWrapper() argument '%s' must be str or None, not %T", names[i],
                   args[2 + i]);
        return false;
    }
    for (int i = 2; i <= 3; i++)
        if (value_is_str(args[i]) && codec_encode(vm, args[i], "utf-8", "strict") == VALUE_ERROR)
            return false;
    const char *errors;
    return str_c_or_none(vm, args[3], &errors) && codec_check_errors(vm, errors);
}

static Value begin_scripted(GenVM *vm, const Value *args, Value result) {
    return native_twin(vm, TWIN_TEXT_BEGIN, 8, args[0], args[1], args[2], args[3], args[4], args[5],
                       args[6], result);
}

static Value init_giving(GenVM *vm, Value *args, Value result) {
    TextFile *file = text_of(args[0]);
    file->source = NULL;
    file->state = VALUE_UNSET;
    file->detached = false;
    if (!check_options(vm, args)) return VALUE_ERROR;
    if (!is_source(vm, args[1])) return begin_scripted(vm, args, result);
    if (source_is_closed(as_object(args[1])))
        return raise_value(vm, "I/O operation on closed file.");
    if (!file_text_attach(vm, file, as_object(args[1]), args[2], args[3], args[4])) {
        if (!error_matches(vm, EXC_LOOKUP_ERROR)) return VALUE_ERROR;
        error_clear(vm); /* module codecs may know it */
        return begin_scripted(vm, args, result);
    }
    file->line_buffering = args[5] == VALUE_TRUE;
    file->write_through = args[6] == VALUE_TRUE;
    file_watch(vm, &file->header, file->writable ? &file->link : NULL);
    return result;
}

static Value init(GenVM *vm, Value *args) {
    return init_giving(vm, args, VALUE_NONE);
}

static Value construct(GenVM *vm, Value *args) {
    TextFile *file = file_text_new(vm, type_from(args[0]));
    if (!file) return VALUE_ERROR;
    args[0] = object_value(file);
    return init_giving(vm, args, args[0]);
}

static Value new (GenVM *vm, Value *args) {
    TextFile *file = file_text_new(vm, type_from(args[0]));
    return file ? object_value(file) : VALUE_ERROR;
}

/* ---- reading ---- */

/* See file_gather. Text that is decoded already is taken first. */
static bool gather(GenVM *vm, TextFile *file, size_t wanted, bool line) {
    if (likely(!vm->threads && !vm->task) || file->source->kind == TYPE_BYTES_IO) return true;
    return file->ahead != VALUE_UNSET || file_gather(vm, (Buffered *)file->source, wanted, line);
}

static bool file_reads_much(GenVM *vm, const TextFile *file, int64_t count) {
    if (count >= 0 && count <= FILE_PIECE) return false;
    RawFile *raw = source_raw(file->source);
    int64_t much = !raw ? 0 : count < 0 ? raw_bytes_left(raw) : count;
    return much > FILE_PIECE && file_shares(vm, raw, (uint64_t)much);
}

static Value method_read(GenVM *vm, Value *args) {
    int64_t count;
    if (!file_size_arg(vm, args[1], &count)) return VALUE_ERROR;
    TextFile *file = readable_file(vm, args[0]);
    if (file && unlikely(file_reads_much(vm, file, count)))
        return file_read_pieces(vm, args[0], count);
    if (file && !gather(vm, file, count < 0 ? SIZE_MAX : (size_t)count, false)) return VALUE_ERROR;
    return file ? file_text_read(vm, file, count < 0 ? -1 : count) : VALUE_ERROR;
}

static Value method_readline(GenVM *vm, Value *args) {
    TextFile *file = readable_file(vm, args[0]);
    int64_t limit = as_int(args[1]);
    if (file && !gather(vm, file, limit < 0 ? SIZE_MAX : (size_t)limit, true)) return VALUE_ERROR;
    return file ? file_text_line(vm, file, limit < 0 ? -1 : limit) : VALUE_ERROR;
}

static bool has_own_readline(GenVM *vm, Value self) {
    Value method = type_lookup(vm, type_of(vm, self), name_value(vm, NAME_readline));
    return method != type_lookup(vm, vm->types[TYPE_FILE], name_value(vm, NAME_readline));
}

/* Of a file that has no open source of the engine's own to be read. */
static COLD Value next_elsewhere(GenVM *vm, Value self) {
    text_of(self)->iterating = true;
    if (text_of(self)->state != VALUE_UNSET) return native_twin(vm, TWIN_TEXT_NEXT, 1, self);
    readable_file(vm, self);
    return VALUE_ERROR;
}

static inline Value next_plain(GenVM *vm, Value self) {
    TextFile *file = text_of(self);
    if (unlikely(!file->readable || !file->source || source_is_closed(file->source)))
        return next_elsewhere(vm, self);
    file->iterating = true;
    if (unlikely(vm->threads || vm->task) && file->source->kind != TYPE_BYTES_IO &&
        file->ahead == VALUE_UNSET && file_line_waits(vm, (Buffered *)file->source))
        return native_twin(vm, TWIN_FILE_NEXT, 1, self);
    Value line = file_text_line(vm, file, -1);
    if (likely(line != vm->empty_str)) return line;
    file->iterating = false;
    return VALUE_END;
}

static COLD Value next_of_subclass(GenVM *vm, Value self) {
    return has_own_readline(vm, self) ? native_twin(vm, TWIN_FILE_NEXT, 1, self)
                                      : next_plain(vm, self);
}

static Value next(GenVM *vm, Value self) {
    if (unlikely(as_object(self)->state == OBJECT_SUBCLASS)) return next_of_subclass(vm, self);
    return next_plain(vm, self);
}

static Value self_if_open(GenVM *vm, Value self) {
    if (unlikely(text_of(self)->state != VALUE_UNSET))
        return native_twin(vm, TWIN_TEXT_ITER, 1, self);
    return open_file(vm, self) ? self : VALUE_ERROR;
}

static Value method_readlines(GenVM *vm, Value *args) {
    if (text_of(args[0])->state == VALUE_UNSET && !open_file(vm, args[0])) return VALUE_ERROR;
    return native_twin(vm, TWIN_FILE_READLINES, 2, args[0], args[1]);
}

/* ---- writing ---- */

/* What is written to by a native that may be parked meanwhile (file_drains); NULL: it may not. */
static Buffered *draining(GenVM *vm, const TextFile *file) {
    if (likely(!vm->threads && !vm->task) || !file->source ||
        !is_buffered(object_value(file->source)))
        return NULL;
    Buffered *bytes = (Buffered *)file->source;
    return file_drains(vm, bytes) ? bytes : NULL;
}

bool file_write_waits(GenVM *vm, Value file, size_t size) {
    const TextFile *text = text_of(file);
    if (likely(!vm->threads && !vm->task)) return false;
    const Buffered *bytes = draining(vm, text);
    return bytes && (text->line_buffering || text->write_through ||
                     bytes->used + text->pending_used + size > bytes->size);
}

static Value write_draining(GenVM *vm, TextFile *file, Buffered *bytes, Value text) {
    if (!vm->resumed) {
        bytes->may_grow = true;
        bool ok = file_text_write(vm, file, text);
        bytes->may_grow = false;
        if (!ok) return VALUE_ERROR;
        if (!bytes->flush_due && bytes->used <= bytes->size) return int_value(AS_STR(text)->length);
    }
    return file_drain(vm, bytes) ? int_value(AS_STR(text)->length) : VALUE_ERROR;
}

/* All that waits in both layers; false as file_drain. */
static bool flush_draining(GenVM *vm, TextFile *file, Buffered *bytes) {
    if (!vm->resumed) {
        bytes->may_grow = true;
        bool ok = file_text_flush(vm, file);
        bytes->may_grow = false;
        if (!ok) return false;
    }
    return file_drain(vm, bytes);
}

static Value method_write(GenVM *vm, Value *args) {
    TextFile *file = writable_file(vm, args[0]);
    Buffered *bytes = file ? draining(vm, file) : NULL;
    if (unlikely(bytes != NULL)) return write_draining(vm, file, bytes, args[1]);
    if (file && unlikely(AS_STR(args[1])->size > FILE_PIECE)) {
        RawFile *raw = source_raw(file->source);
        if (raw && file_shares(vm, raw, AS_STR(args[1])->size))
            return file_write_pieces(vm, args[0], args[1]);
    }
    return file && file_text_write(vm, file, args[1]) ? int_value(AS_STR(args[1])->length)
                                                      : VALUE_ERROR;
}

static Value method_writelines(GenVM *vm, Value *args) {
    if (text_of(args[0])->state != VALUE_UNSET)
        return native_twin(vm, TWIN_FILE_WRITELINES, 2, args[0], args[1]);
    if (!open_file(vm, args[0])) return VALUE_ERROR;
    uint64_t count;
    bool plain = type_of(vm, args[0])->is_builtin && !draining(vm, text_of(args[0]));
    const Value *items = plain ? leaf_items(args[1], &count) : NULL;
    if (!items) return native_twin(vm, TWIN_FILE_WRITELINES, 2, args[0], args[1]);
    TextFile *file = text_of(args[0]);
    for (uint64_t i = 0; file && i < count; i++) {
        if (!value_is_str(items[i]))
            return raise_type(vm, "write() argument must be str, not %T", items[i]);
        if (i == 0 && !writable_file(vm, args[0])) return VALUE_ERROR;
        if (!file_text_write(vm, file, items[i])) return VALUE_ERROR;
    }
    return file ? VALUE_NONE : VALUE_ERROR;
}

static Value method_flush(GenVM *vm, Value *args) {
    TextFile *file = open_file(vm, args[0]);
    Buffered *bytes = file ? draining(vm, file) : NULL;
    if (unlikely(bytes != NULL)) return flush_draining(vm, file, bytes) ? VALUE_NONE : VALUE_ERROR;
    return file && file_text_flush(vm, file) ? VALUE_NONE : VALUE_ERROR;
}

static Value method_truncate(GenVM *vm, Value *args) {
    TextFile *file = open_file(vm, args[0]);
    int64_t size;
    if (!file || !file_text_flush(vm, file)) return VALUE_ERROR;
    if (!file->writable) return file_raise_unsupported(vm, "truncate");
    if (args[1] == VALUE_NONE) {
        file_text_pass_window(vm, file);
        size = file_text_tell(vm, file);
        if (size < 0) return VALUE_ERROR;
    } else if (!value_is_intlike(args[1])) {
        return raise_type(vm, "'%T' object cannot be interpreted as an integer", args[1]);
    } else if (!file_size_arg(vm, args[1], &size)) {
        return VALUE_ERROR;
    }
    bool ok = file->source->kind == TYPE_BYTES_IO
                  ? bytes_io_truncate(vm, (MemoryFile *)file->source, (size_t)size)
                  : buffered_truncate(vm, (Buffered *)file->source, size);
    return ok ? int_value(size) : VALUE_ERROR;
}

/* ---- position ---- */

static bool is_seekable(const TextFile *file) {
    RawFile *raw = source_raw(file->source);
    return !raw || raw_is_seekable(raw);
}

static Value method_tell(GenVM *vm, Value *args) {
    TextFile *file = open_file(vm, args[0]);
    if (!file) return VALUE_ERROR;
    if (!is_seekable(file)) return file_raise_unsupported(vm, "underlying stream is not seekable");
    if (file->iterating)
        return raise_error(vm, EXC_OS_ERROR, "telling position disabled by next() call");
    int64_t at = file_text_tell(vm, file);
    return at < 0 ? VALUE_ERROR : int_value(at);
}

static Value method_seek(GenVM *vm, Value *args) {
    TextFile *file = open_file(vm, args[0]);
    int64_t position = 0, whence = as_int(args[2]), at;
    if (!file) return VALUE_ERROR;
    if (!value_is_intlike(args[1]))
        return raise_type(vm, "'<' not supported between instances of '%T' and 'int'", args[1]);
    if (!int_to_i64(args[1], &position))
        return raise_overflow(vm, "Python int too large to convert to C long");
    if (!is_seekable(file)) return file_raise_unsupported(vm, "underlying stream is not seekable");
    if (whence == SEEK_CUR && position != 0)
        return file_raise_unsupported(vm, "can't do nonzero cur-relative seeks");
    if (whence == SEEK_END && position != 0)
        return file_raise_unsupported(vm, "can't do nonzero end-relative seeks");
    if (whence < 0 || whence > 2)
        return raise_value(vm, "invalid whence (%lld, should be 0, 1 or 2)", (long long)whence);
    if (position < 0) return raise_value(vm, "negative seek position %lld", (long long)position);
    if (whence == SEEK_CUR) {
        position = file_text_tell(vm, file);
        if (position < 0) return VALUE_ERROR;
        whence = SEEK_SET;
    }
    file->iterating = false;
    return file_text_seek(vm, file, position, (int)whence, &at) ? int_value(at) : VALUE_ERROR;
}

/* ---- the rest ---- */

/* Are this file and all below it plain. */
static bool is_plain(GenVM *vm, TextFile *file) {
    if (!file_is_plain(vm, &file->header)) return false;
    if (!file->source) return true;
    RawFile *raw = source_raw(file->source);
    return file_is_plain(vm, file->source) && (!raw || file_is_plain(vm, &raw->header));
}

static Value method_close(GenVM *vm, Value *args) {
    TextFile *file = text_of(args[0]);
    if (file->state != VALUE_UNSET || (file->source && !is_plain(vm, file))) {
        Value lower = str_from(vm, "buffer");
        return lower == VALUE_ERROR ? lower
                                    : native_twin(vm, TWIN_STREAM_LAYER_CLOSE, 2, args[0], lower);
    }
    if (!file->source) return file_text_check(vm, file) ? VALUE_NONE : VALUE_ERROR;
    Buffered *bytes = draining(vm, file);
    if (unlikely(bytes != NULL) && !flush_draining(vm, file, bytes)) {
        if (vm->stop) return VALUE_ERROR;
        error_clear(vm); /* to close it all the same; the error is met again there */
    }
    return file_text_close(vm, file) ? VALUE_NONE : VALUE_ERROR;
}

static Value exit_closing(GenVM *vm, Value *args) {
    return file_is_plain(vm, as_object(args[0])) ? method_close(vm, args) : file_exit(vm, args);
}

static Value method_detach(GenVM *vm, Value *args) {
    if (!file_is_plain(vm, as_object(args[0])))
        return native_twin(vm, TWIN_TEXT_DETACH, 1, args[0]);
    TextFile *file = open_file(vm, args[0]);
    if (!file || !file_text_flush(vm, file)) return VALUE_ERROR;
    return object_value(file_text_detach(vm, file));
}

static Value reconfigure_scripted(GenVM *vm, const Value *args) {
    Value newline = args[3] == VALUE_UNSET ? VALUE_ELLIPSIS : args[3];
    return native_twin(vm, TWIN_TEXT_RECONFIGURE, 6, args[0], args[1], args[2], newline, args[4],
                       args[5]);
}

static Value method_reconfigure(GenVM *vm, Value *args) {
    TextFile *file = text_of(args[0]);
    if (file->state == VALUE_UNSET && !open_file(vm, args[0])) return VALUE_ERROR;
    for (int i = 1; i <= 3; i++)
        if (args[i] != VALUE_UNSET && args[i] != VALUE_NONE && !value_is_str(args[i]))
            return raise_type(vm, "reconfigure() argument '%s' must be str or None, not %T",
                              i == 1   ? "encoding"
                              : i == 2 ? "errors"
                                       : "newline",
                              args[i]);
    for (int i = 1; i <= 2; i++)
        if (args[i] != VALUE_NONE && codec_encode(vm, args[i], "utf-8", "strict") == VALUE_ERROR)
            return VALUE_ERROR;
    if (file->state != VALUE_UNSET) return reconfigure_scripted(vm, args);
    Value encoding = args[1], errors = args[2];
    bool recode = encoding != VALUE_NONE || errors != VALUE_NONE || args[3] != VALUE_UNSET;
    if (recode && (file->seen || file->ahead != VALUE_UNSET))
        return file_raise_unsupported(
            vm, "It is not possible to set the encoding or newline of stream after the first read");
    if (!file_text_flush(vm, file)) return VALUE_ERROR;
    if (recode) {
        if (encoding == VALUE_NONE) {
            encoding = file->encoding;
            if (errors == VALUE_NONE) errors = file->errors;
        }
        const char *handler;
        if (!str_c_or_none(vm, errors, &handler) || !codec_check_errors(vm, handler))
            return VALUE_ERROR;
        if (args[3] != VALUE_UNSET && !file_text_set_newline(vm, file, args[3])) return VALUE_ERROR;
        if (!file_text_set_encoding(vm, file, encoding, errors)) return VALUE_ERROR;
    }
    if (args[4] != VALUE_NONE) file->line_buffering = args[4] == VALUE_TRUE;
    if (args[5] != VALUE_NONE) file->write_through = args[5] == VALUE_TRUE;
    return VALUE_NONE;
}

static Value method_enter(GenVM *vm, Value *args) {
    return self_if_open(vm, args[0]);
}

/* The raw file of an open text file, NULL over BytesIO too. */
static bool check_bytes(GenVM *vm, const TextFile *file) {
    if (!file->source) return file_text_check(vm, file);
    if (!source_is_closed(file->source)) return true;
    raise_value(vm, file->source->kind == TYPE_BYTES_IO ? "I/O operation on closed file."
                                                        : "I/O operation on closed file");
    return false;
}

static Value method_fileno(GenVM *vm, Value *args) {
    TextFile *file = text_of(args[0]);
    if (!check_bytes(vm, file)) return VALUE_ERROR;
    RawFile *raw = source_raw(file->source);
    return raw ? raw_fileno(vm, raw) : file_raise_unsupported(vm, "fileno");
}
static Value method_isatty(GenVM *vm, Value *args) {
    TextFile *file = text_of(args[0]);
    if (!check_bytes(vm, file)) return VALUE_ERROR;
    RawFile *raw = source_raw(file->source);
    return bool_value(raw && raw_is_tty(raw));
}
static Value method_readable(GenVM *vm, Value *args) {
    TextFile *file = text_of(args[0]);
    if (file->source && !file->readable) return VALUE_FALSE;
    return check_bytes(vm, file) ? VALUE_TRUE : VALUE_ERROR;
}
static Value method_writable(GenVM *vm, Value *args) {
    TextFile *file = text_of(args[0]);
    if (file->source && !file->writable) return VALUE_FALSE;
    return check_bytes(vm, file) ? VALUE_TRUE : VALUE_ERROR;
}
static Value method_seekable(GenVM *vm, Value *args) {
    TextFile *file = text_of(args[0]);
    return check_bytes(vm, file) ? bool_value(is_seekable(file)) : VALUE_ERROR;
}

static Value get_buffer(GenVM *vm, Value self) {
    TextFile *file = text_of(self);
    if (!file->source) return file_text_check(vm, file) ? VALUE_NONE : VALUE_ERROR;
    return object_value(file->source);
}
static Value get_closed(GenVM *vm, Value self) {
    TextFile *file = text_of(self);
    if (!file->source) return file_text_check(vm, file) ? VALUE_NONE : VALUE_ERROR;
    return bool_value(source_is_closed(file->source));
}
static Value get_encoding(GenVM *vm, Value self) {
    return (void)vm, text_of(self)->encoding;
}
static Value get_errors(GenVM *vm, Value self) {
    return (void)vm, text_of(self)->errors;
}
static Value get_line_buffering(GenVM *vm, Value self) {
    return (void)vm, bool_value(text_of(self)->line_buffering);
}
static Value get_write_through(GenVM *vm, Value self) {
    return (void)vm, bool_value(text_of(self)->write_through);
}
static Value get_chunk_size(GenVM *vm, Value self) {
    return (void)vm, int_value(text_of(self)->chunk);
}
/* `pending` is made for TEXT_CHUNK; a larger one would only gather more. */
static bool set_chunk_size(GenVM *vm, Value self, Value size) {
    int64_t bytes;
    if (size == VALUE_UNSET) {
        raise_error(vm, EXC_ATTRIBUTE_ERROR, "cannot delete attribute");
        return false;
    }
    if (!value_is_intlike(size)) {
        raise_type(vm, "'%T' object cannot be interpreted as an integer", size);
        return false;
    }
    if (!int_to_i64(size, &bytes) || bytes <= 0)
        return raise_value(vm, "a strictly positive integer is required"), false;
    text_of(self)->chunk = bytes < TEXT_CHUNK ? (uint32_t)bytes : TEXT_CHUNK;
    return true;
}

static Value get_newlines(GenVM *vm, Value self) {
    return file_line_ends_seen(vm, text_of(self)->seen);
}

static Value get_mode(GenVM *vm, Value self) {
    Value mode = text_of(self)->mode;
    return mode != VALUE_UNSET ? mode : raise_attribute(vm, self, str_intern_from(vm, "mode", 4));
}
static bool set_mode(GenVM *vm, Value self, Value mode) {
    text_of(self)->mode = mode;
    gc_barrier(vm, as_object(self));
    return true;
}

static Value get_name(GenVM *vm, Value self) {
    TextFile *file = text_of(self);
    if (!file->source) return file_text_check(vm, file) ? VALUE_NONE : VALUE_ERROR;
    RawFile *raw = source_raw(file->source);
    if (raw) return raw_get_name(vm, raw);
    return raise_attribute(vm, object_value(file->source), name_value(vm, NAME_name));
}

static Value repr(GenVM *vm, Value self) {
    TextFile *file = text_of(self);
    if (file->state != VALUE_UNSET) return native_twin(vm, TWIN_TEXT_REPR, 1, self);
    if (!file->source && !file_text_check(vm, file)) {
        if (!file->detached) return VALUE_ERROR;
        error_clear(vm);
    }
    StrBuilder out;
    builder_init(&out, vm);
    RawFile *raw = file->source ? source_raw(file->source) : NULL;
    builder_put_format(&out, "<%s", type_name(vm, self));
    if (raw && raw->name != VALUE_UNSET) builder_put_format(&out, " name=%V", raw->name);
    if (file->mode != VALUE_UNSET) builder_put_format(&out, " mode=%V", file->mode);
    builder_put_format(&out, " encoding=%V>", file->encoding);
    return builder_finish(&out);
}

static void trace(GenVM *vm, Object *object) {
    TextFile *file = (TextFile *)object;
    gc_mark_pointer(vm, file->source);
    gc_mark(vm, file->state);
    gc_mark(vm, file->below);
    gc_mark_pointer(vm, file->pending);
    gc_mark(vm, file->encoding);
    gc_mark(vm, file->errors);
    gc_mark(vm, file->mode);
    gc_mark(vm, file->ahead);
}

static void finalize(GenVM *vm, Object *object) {
    file_text_close_quietly(vm, (TextFile *)object);
}

SCRIPTED(read, TEXT_READ, 2)
SCRIPTED(readline, TEXT_READLINE, 2)
SCRIPTED(write, TEXT_WRITE, 2)
SCRIPTED(flush, TEXT_FLUSH, 1)
SCRIPTED(seek, TEXT_SEEK, 3)
SCRIPTED(detach, TEXT_DETACH, 1)
SCRIPTED(tell, TEXT_TELL, 1)
SCRIPTED(truncate, TEXT_TRUNCATE, 2)
SCRIPTED(readable, TEXT_READABLE, 1)
SCRIPTED(writable, TEXT_WRITABLE, 1)
SCRIPTED(seekable, TEXT_SEEKABLE, 1)
SCRIPTED(fileno, TEXT_FILENO, 1)
SCRIPTED(isatty, TEXT_ISATTY, 1)
SCRIPTED_GET(buffer, TEXT_BUFFER)
SCRIPTED_GET(closed, TEXT_CLOSED)
SCRIPTED_GET(name, TEXT_NAME)
SCRIPTED_GET(encoding, TEXT_ENCODING)
SCRIPTED_GET(errors, TEXT_ERRORS)
SCRIPTED_GET(newlines, TEXT_NEWLINES)
SCRIPTED_GET(line_buffering, TEXT_LINE_BUFFERING)
SCRIPTED_GET(write_through, TEXT_WRITE_THROUGH)

#define OPTIONS                                                                                    \
    "buffer, encoding=None, errors=None, newline=None, line_buffering: bool = False, "             \
    "write_through: bool = False)"

static const NativeDef constructor = {"TextIOWrapper(cls, " OPTIONS, construct, NULL};

static const NativeDef methods[] = {
    {"static __new__(cls, /, *args, **kwargs)", new, "Create and return a new object."},
    {"__init__(self, " OPTIONS, init, "Character and line based layer over a buffer."},
    {"__enter__(self, /)", method_enter, NULL},
    {"__exit__(self, /, *args)", exit_closing, NULL},
    {"__del__(self, /)", file_del, NULL},
    {"close(self, /)", method_close, "Write out what waits and close the file."},
    {"detach(self, /)", scripted_detach, "Separate the buffer from the text layer and return it."},
    {"fileno(self, /)", scripted_fileno, "Return the underlying file descriptor."},
    {"flush(self, /)", scripted_flush, "Hand what waits to the system."},
    {"isatty(self, /)", scripted_isatty, "True if the file is connected to a TTY device."},
    {"read(self, size=-1, /)", scripted_read, "Read at most size characters, or all."},
    {"readable(self, /)", scripted_readable, "Can the file be read."},
    {"readline(self, size: index = -1, /)", scripted_readline, "Read until newline or EOF."},
    {"readlines(self, hint=None, /)", method_readlines, "Return a list of lines."},
    {"reconfigure(self, *, encoding=None, errors=None, newline=?, line_buffering: bool | None = "
     "None, "
     "write_through: bool | None = None)",
     method_reconfigure, "Change the settings of the text layer."},
    {"seek(self, cookie, whence: index = 0, /)", scripted_seek, "Set the position and return it."},
    {"seekable(self, /)", scripted_seekable, "Can seek() be used."},
    {"tell(self, /)", scripted_tell, "Return the position."},
    {"truncate(self, pos=None, /)", scripted_truncate,
     "Cut the file off or extend it; return its new size."},
    {"writable(self, /)", scripted_writable, "Can the file be written."},
    {"write(self, text: str, /)", scripted_write,
     "Write text; return the number of its characters."},
    {"writelines(self, lines, /)", method_writelines, "Write a list of strings."},
    {NULL, NULL, NULL},
};

static const AttributeDef attributes[] = {
    {"__dict__", instance_dict_get, instance_dict_set, NULL},
    {"buffer", scripted_get_buffer, NULL, NULL},
    {"closed", scripted_get_closed, NULL, NULL},
    {"encoding", scripted_get_encoding, NULL, NULL},
    {"errors", scripted_get_errors, NULL, NULL},
    {"line_buffering", scripted_get_line_buffering, NULL, NULL},
    {"mode", get_mode, set_mode, NULL},
    {"name", scripted_get_name, NULL, NULL},
    {"newlines", scripted_get_newlines, NULL, NULL},
    {"write_through", scripted_get_write_through, NULL, NULL},
    {"_CHUNK_SIZE", get_chunk_size, set_chunk_size, NULL},
    {NULL, NULL, NULL, NULL},
};

const BuiltinType file_type = {
    .name = "TextIOWrapper",
    .module = "_io",
    .flags = TYPE_HAS_DICT,
    .size = sizeof(TextFile),
    .construct = &constructor,
    .doc = "Character and line based layer over a BufferedIOBase object, buffer.",
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = repr,
              .iter = self_if_open,
              .next = next,
              .trace = trace,
              .finalize = finalize,
              .custom = &file_text_image},
};
