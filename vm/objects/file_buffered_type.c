/* file_buffered_type.c - the types BufferedReader, BufferedWriter and BufferedRandom: the methods
 * over file_buffered.c.
 *
 * Over anything but a plain FileIO the methods are those of stdlib/prelude/streams.gen: see
 * files.h.
 */
#include "vm/objects/files.h"
#include "vm/task.h"

/* ---- making ---- */

static Value init_giving(GenVM *vm, Value *args, Value result) {
    Buffered *file = AS(Buffered, args[0]);
    TypeId kind = file->header.kind;
    if (!is_kind(args[1], TYPE_FILE_RAW) || !file_is_plain(vm, as_object(args[1])))
        return native_twin(vm, TWIN_BUFFERED_BEGIN, 6, args[0], args[1], args[2],
                           bool_value(kind != TYPE_BUFFERED_WRITER),
                           bool_value(kind != TYPE_BUFFERED_READER), result);
    RawFile *raw = AS(RawFile, args[1]);
    file->raw = NULL;
    file->state = VALUE_UNSET;
    file->detached = false;
    if (raw_is_closed(raw)) return raise_value(vm, "I/O operation on closed file");
    if (kind != TYPE_BUFFERED_WRITER && !raw->readable)
        return file_raise_unsupported(vm, "File or stream is not readable.");
    if (kind != TYPE_BUFFERED_READER && !raw->writable)
        return file_raise_unsupported(vm, "File or stream is not writable.");
    if (kind == TYPE_BUFFERED_RANDOM && !raw_is_seekable(raw))
        return file_raise_unsupported(vm, "File or stream is not seekable.");
    if (!buffered_attach(vm, file, raw, as_int(args[2]))) return VALUE_ERROR;
    file_watch(vm, &file->header, kind == TYPE_BUFFERED_READER ? NULL : &file->link);
    return result;
}

static Value init(GenVM *vm, Value *args) {
    return init_giving(vm, args, VALUE_NONE);
}

static Value make(GenVM *vm, Value *args, TypeId kind) {
    Type *cls = type_from(args[0]);
    Buffered *file = buffered_new(vm, kind, cls);
    if (!file) return VALUE_ERROR;
    args[0] = object_value(file);
    return init_giving(vm, args, args[0]);
}

static Value reader_make(GenVM *vm, Value *args) {
    return make(vm, args, TYPE_BUFFERED_READER);
}
static Value writer_make(GenVM *vm, Value *args) {
    return make(vm, args, TYPE_BUFFERED_WRITER);
}
static Value random_make(GenVM *vm, Value *args) {
    return make(vm, args, TYPE_BUFFERED_RANDOM);
}

static Value new (GenVM *vm, Value *args) {
    Type *cls = type_from(args[0]);
    Buffered *file = buffered_new(vm, cls->instance_kind, cls);
    return file ? object_value(file) : VALUE_ERROR;
}

/* ---- checks ---- */

static bool check_attached(GenVM *vm, const Buffered *file) {
    if (likely(file->raw != NULL)) return true;
    return file_raise_useless(vm, file->detached);
}

/* The open file, or NULL with "WHAT of closed file". */
static Buffered *open_file(GenVM *vm, Value self, const char *what) {
    Buffered *file = AS(Buffered, self);
    if (!check_attached(vm, file)) return NULL;
    if (likely(!raw_is_closed(file->raw))) return file;
    if (what)
        raise_value(vm, "%s of closed file", what);
    else
        raise_value(vm, "I/O operation on closed file");
    return NULL;
}

static Value self_if_open(GenVM *vm, Value self) {
    Buffered *file = AS(Buffered, self);
    if (unlikely(file->state != VALUE_UNSET)) return native_twin(vm, TWIN_TEXT_ITER, 1, self);
    if (!check_attached(vm, file)) return VALUE_ERROR;
    return raw_is_closed(file->raw) ? file_raise_closed(vm) : self;
}

/* ---- reading ---- */

static Value method_read(GenVM *vm, Value *args) {
    int64_t size;
    if (!file_size_arg(vm, args[1], &size)) return VALUE_ERROR;
    if (size < -1) return raise_value(vm, "read length must be non-negative or -1");
    Buffered *file = open_file(vm, args[0], "read");
    if (!file) return VALUE_ERROR;
    int64_t much = size < 0 ? raw_bytes_left(file->raw) : size;
    if (unlikely(much > FILE_PIECE) && file_shares(vm, file->raw, (uint64_t)much))
        return file_read_pieces(vm, args[0], size);
    if (!file_gather(vm, file, size < 0 ? SIZE_MAX : (size_t)size, false)) return VALUE_ERROR;
    if (size < 0) return buffered_take_all(vm, file);
    if (!buffered_begin_read(vm, file)) return VALUE_ERROR;
    if ((uint64_t)size <= file->end - file->at) {
        file->at += (size_t)size;
        return bytes_new(vm, file->in->data + file->at - size, (size_t)size);
    }
    if (!gc_check_size(vm, (uint64_t)size)) return VALUE_ERROR;
    Bytes *bytes = bytes_alloc(vm, (size_t)size);
    int64_t got = bytes ? buffered_read(vm, file, bytes->data, (size_t)size) : -1;
    if (got < 0) return bytes && buffered_has_nothing(vm) ? VALUE_NONE : VALUE_ERROR;
    return got == size ? object_value(bytes) : bytes_new(vm, bytes->data, (size_t)got);
}

/* At most one system call, none when something is there. */
static bool have_some(GenVM *vm, Buffered *file) {
    size_t moved;
    return file->at < file->end || buffered_fill(vm, file, &moved) || buffered_has_nothing(vm);
}

static Value method_read1(GenVM *vm, Value *args) {
    int64_t size;
    if (!file_size_arg(vm, args[1], &size)) return VALUE_ERROR;
    Buffered *file = open_file(vm, args[0], "read");
    if (!file) return VALUE_ERROR;
    if (size < 0) size = (int64_t)file->size;
    if (size == 0) return vm->empty_bytes;
    if (!file_gather(vm, file, 1, false)) return VALUE_ERROR;
    if (!have_some(vm, file)) return VALUE_ERROR;
    size_t ready = file->end - file->at;
    if (ready > (uint64_t)size) ready = (size_t)size;
    file->at += ready;
    return bytes_new(vm, file->in->data + file->at - ready, ready);
}

static Value read_into(GenVM *vm, Value *args, const char *name, bool once) {
    uint8_t *data;
    size_t size;
    if (!file_writable_span(vm, name, args[1], &data, &size)) return VALUE_ERROR;
    Buffered *file = open_file(vm, args[0], "readinto");
    if (!file || !file_gather(vm, file, once ? 1 : size, false)) return VALUE_ERROR;
    if (once && size) {
        size_t moved;
        bool some = file->at < file->end || buffered_fill(vm, file, &moved);
        if (!some) return buffered_has_nothing(vm) ? VALUE_NONE : VALUE_ERROR;
        if (size > file->end - file->at) size = file->end - file->at;
    }
    int64_t got = buffered_read(vm, file, data, size);
    if (got >= 0) return int_value(got);
    return buffered_has_nothing(vm) ? VALUE_NONE : VALUE_ERROR;
}

static Value method_readinto(GenVM *vm, Value *args) {
    return read_into(vm, args, "readinto", false);
}
static Value method_readinto1(GenVM *vm, Value *args) {
    return read_into(vm, args, "readinto1", true);
}

static Value method_peek(GenVM *vm, Value *args) {
    Buffered *file = open_file(vm, args[0], "peek");
    if (!file || !have_some(vm, file)) return VALUE_ERROR;
    return bytes_new(vm, file->in->data + file->at, file->end - file->at);
}

/* Takes a line of at most `limit` bytes (-1: of any size); empty at the end. */
static Value take_line(GenVM *vm, Buffered *file, int64_t limit) {
    if (unlikely(!file->in || file->used) && !buffered_begin_read(vm, file)) return VALUE_ERROR;
    size_t seen = 0, moved;
    for (;;) {
        const uint8_t *start = file->in->data + file->at;
        size_t ready = file->end - file->at;
        if (limit >= 0 && ready > (uint64_t)limit) ready = (size_t)limit;
        const uint8_t *found = memchr(start + seen, '\n', ready - seen);
        size_t before = file->end;
        if (!found && (limit < 0 || ready < (uint64_t)limit)) {
            seen = ready;
            bool filled = buffered_fill(vm, file, &moved);
            if (!filled && !buffered_has_nothing(vm)) return VALUE_ERROR;
            if (file->end > before - moved) continue;
            start = file->in->data + file->at;
        }
        size_t size = found ? (size_t)(found + 1 - start) : ready;
        file->at += size;
        return bytes_new(vm, start, size);
    }
}

static Value method_readline(GenVM *vm, Value *args) {
    int64_t limit;
    if (!file_size_arg(vm, args[1], &limit)) return VALUE_ERROR;
    Buffered *file = open_file(vm, args[0], "readline");
    if (file && !file_gather(vm, file, limit < 0 ? SIZE_MAX : (size_t)limit, true))
        return VALUE_ERROR;
    return file ? take_line(vm, file, limit < 0 ? -1 : limit) : VALUE_ERROR;
}

static COLD Value next_elsewhere(GenVM *vm, Value self) {
    const Buffered *file = AS(Buffered, self);
    if (file->header.state == OBJECT_SUBCLASS || file->state != VALUE_UNSET)
        return native_twin(vm, TWIN_FILE_NEXT, 1, self);
    open_file(vm, self, "readline");
    return VALUE_ERROR;
}

static Value next(GenVM *vm, Value self) {
    Buffered *file = AS(Buffered, self);
    if (unlikely(file->header.state == OBJECT_SUBCLASS || buffered_is_closed(file)))
        return next_elsewhere(vm, self);
    if (unlikely(vm->threads || vm->task) && file_line_waits(vm, file))
        return native_twin(vm, TWIN_FILE_NEXT, 1, self);
    Value line = take_line(vm, file, -1);
    return line != VALUE_ERROR && AS(Bytes, line)->size == 0 ? VALUE_END : line;
}

static Value method_readlines(GenVM *vm, Value *args) {
    if (AS(Buffered, args[0])->state == VALUE_UNSET && self_if_open(vm, args[0]) == VALUE_ERROR)
        return VALUE_ERROR;
    return native_twin(vm, TWIN_FILE_READLINES, 2, args[0], args[1]);
}

/* ---- writing ---- */

/* The thread may be parked: see file_drains. */
static Value write_draining(GenVM *vm, Buffered *file, const TextSpan *span) {
    if (!vm->resumed) {
        file->may_grow = true;
        bool ok = buffered_put(vm, file, span->data, span->size);
        file->may_grow = false;
        if (!ok) return VALUE_ERROR;
        if (file->used <= file->size) return int_value((int64_t)span->size);
    }
    return file_drain(vm, file) ? int_value((int64_t)span->size) : VALUE_ERROR;
}

static Value method_write(GenVM *vm, Value *args) {
    TextSpan span;
    if (!bytes_take_span(vm, args[1], &span)) return VALUE_ERROR;
    if (!vm->resumed) budget_output(vm, span.size);
    Buffered *file = AS(Buffered, args[0]);
    if (!check_attached(vm, file)) return VALUE_ERROR;
    if (raw_is_closed(file->raw)) return raise_value(vm, "write to closed file");
    if (unlikely(vm->threads || vm->task) && file_drains(vm, file))
        return write_draining(vm, file, &span);
    if (unlikely(span.size > FILE_PIECE) && file_shares(vm, file->raw, span.size))
        return file_write_pieces(vm, args[0], args[1]);
    return buffered_put(vm, file, span.data, span.size) ? int_value((int64_t)span.size)
                                                        : VALUE_ERROR;
}

static Value method_flush(GenVM *vm, Value *args) {
    Buffered *file = open_file(vm, args[0], "flush");
    if (file && unlikely(vm->threads || vm->task) && file_drains(vm, file))
        return file_drain(vm, file) ? VALUE_NONE : VALUE_ERROR;
    return file && buffered_flush(vm, file) ? VALUE_NONE : VALUE_ERROR;
}

static Value method_reader_flush(GenVM *vm, Value *args) {
    return self_if_open(vm, args[0]) == VALUE_ERROR ? VALUE_ERROR : VALUE_NONE;
}

static Value method_writelines(GenVM *vm, Value *args) {
    if (AS(Buffered, args[0])->state == VALUE_UNSET && self_if_open(vm, args[0]) == VALUE_ERROR)
        return VALUE_ERROR;
    return native_twin(vm, TWIN_FILE_WRITELINES, 2, args[0], args[1]);
}

static Value refuse_read(GenVM *vm, Value *args) {
    return (void)args, file_raise_unsupported(vm, "read");
}
static Value refuse_read1(GenVM *vm, Value *args) {
    return (void)args, file_raise_unsupported(vm, "read1");
}
static Value refuse_write(GenVM *vm, Value *args) {
    return (void)args, file_raise_unsupported(vm, "write");
}
static Value refuse_next(GenVM *vm, Value self) {
    return (void)self, file_raise_unsupported(vm, "read");
}
static Value method_no_truncate(GenVM *vm, Value *args) {
    Buffered *file = open_file(vm, args[0], "truncate");
    return file ? file_raise_unsupported(vm, "truncate") : VALUE_ERROR;
}

/* ---- position ---- */

static Value method_seek(GenVM *vm, Value *args) {
    int64_t whence = as_int(args[2]);
    if (whence < 0 || whence > 2)
        return raise_value(vm, "whence value %lld unsupported", (long long)whence);
    Buffered *file = open_file(vm, args[0], "seek");
    int64_t at = file ? buffered_seek(vm, file, as_int(args[1]), (int)whence) : -1;
    return at < 0 ? VALUE_ERROR : int_value(at);
}

static Value method_tell(GenVM *vm, Value *args) {
    Buffered *file = open_file(vm, args[0], NULL);
    int64_t at = file ? buffered_tell(vm, file) : -1;
    return at < 0 ? VALUE_ERROR : int_value(at);
}

static Value method_truncate(GenVM *vm, Value *args) {
    Buffered *file = open_file(vm, args[0], "truncate");
    int64_t size;
    if (!file) return VALUE_ERROR;
    if (args[1] == VALUE_NONE) {
        size = buffered_tell(vm, file);
        if (size < 0) return VALUE_ERROR;
    } else if (!value_is_intlike(args[1])) {
        return raise_type(vm, "'%T' object cannot be interpreted as an integer", args[1]);
    } else if (!file_size_arg(vm, args[1], &size)) {
        return VALUE_ERROR;
    }
    return buffered_truncate(vm, file, size) ? int_value(size) : VALUE_ERROR;
}

/* ---- the rest ---- */

static Value method_close(GenVM *vm, Value *args) {
    Buffered *file = AS(Buffered, args[0]);
    if (file->state != VALUE_UNSET || (file->raw && !(file_is_plain(vm, &file->header) &&
                                                      file_is_plain(vm, &file->raw->header)))) {
        Value lower = str_from(vm, "raw");
        return lower == VALUE_ERROR ? lower
                                    : native_twin(vm, TWIN_STREAM_LAYER_CLOSE, 2, args[0], lower);
    }
    if (unlikely(vm->threads || vm->task) && file_drains(vm, file) && !file_drain(vm, file)) {
        if (vm->stop) return VALUE_ERROR;
        error_clear(vm); /* to close it all the same; the error is met again there */
    }
    return check_attached(vm, file) && buffered_close(vm, file) ? VALUE_NONE : VALUE_ERROR;
}

static Value exit_closing(GenVM *vm, Value *args) {
    return file_is_plain(vm, as_object(args[0])) ? method_close(vm, args) : file_exit(vm, args);
}

static Value method_detach(GenVM *vm, Value *args) {
    if (!file_is_plain(vm, as_object(args[0])))
        return native_twin(vm, TWIN_BUFFERED_DETACH, 1, args[0]);
    bool reader = is_kind(args[0], TYPE_BUFFERED_READER);
    if (reader && self_if_open(vm, args[0]) == VALUE_ERROR) return VALUE_ERROR;
    Buffered *file = open_file(vm, args[0], "flush");
    if (!file || !buffered_flush(vm, file)) return VALUE_ERROR;
    return object_value(buffered_detach(vm, file));
}

static Value method_enter(GenVM *vm, Value *args) {
    return self_if_open(vm, args[0]);
}

static Value method_fileno(GenVM *vm, Value *args) {
    Buffered *file = open_file(vm, args[0], NULL);
    return file ? raw_fileno(vm, file->raw) : VALUE_ERROR;
}
static Value method_isatty(GenVM *vm, Value *args) {
    Buffered *file = open_file(vm, args[0], NULL);
    return file ? bool_value(raw_is_tty(file->raw)) : VALUE_ERROR;
}
static Value method_seekable(GenVM *vm, Value *args) {
    Buffered *file = open_file(vm, args[0], NULL);
    return file ? bool_value(raw_is_seekable(file->raw)) : VALUE_ERROR;
}
static Value method_readable(GenVM *vm, Value *args) {
    return open_file(vm, args[0], NULL) ? VALUE_TRUE : VALUE_ERROR;
}
static Value method_writable(GenVM *vm, Value *args) {
    return open_file(vm, args[0], NULL) ? VALUE_TRUE : VALUE_ERROR;
}
static Value method_no(GenVM *vm, Value *args) {
    return (void)vm, (void)args, VALUE_FALSE;
}

static Value get_raw(GenVM *vm, Value self) {
    (void)vm;
    RawFile *raw = AS(Buffered, self)->raw;
    return raw ? object_value(raw) : VALUE_NONE;
}
static Value get_closed(GenVM *vm, Value self) {
    Buffered *file = AS(Buffered, self);
    return check_attached(vm, file) ? bool_value(raw_is_closed(file->raw)) : VALUE_ERROR;
}
static Value get_mode(GenVM *vm, Value self) {
    Buffered *file = AS(Buffered, self);
    return check_attached(vm, file) ? str_from(vm, raw_mode(file->raw)) : VALUE_ERROR;
}
static Value get_name(GenVM *vm, Value self) {
    Buffered *file = AS(Buffered, self);
    return check_attached(vm, file) ? raw_get_name(vm, file->raw) : VALUE_ERROR;
}

static Value repr(GenVM *vm, Value self) {
    Buffered *file = AS(Buffered, self);
    if (file->state != VALUE_UNSET || as_object(self)->state == OBJECT_SUBCLASS)
        return native_twin(vm, TWIN_BUFFERED_REPR, 1, self);
    const char *name = type_name(vm, self);
    if (!file->raw || file->raw->name == VALUE_UNSET) return str_format(vm, "<%s>", name);
    return str_format(vm, "<%s name=%V>", name, file->raw->name);
}

static void trace(GenVM *vm, Object *object) {
    Buffered *file = (Buffered *)object;
    gc_mark_pointer(vm, file->raw);
    gc_mark(vm, file->state);
    gc_mark(vm, file->below);
    gc_mark_pointer(vm, file->in);
    gc_mark_pointer(vm, file->out);
}

static void finalize(GenVM *vm, Object *object) {
    Buffered *file = (Buffered *)object;
    if (!file->wrapped) buffered_close_quietly(vm, file);
}

/* ---- over what scripts have written ---- */

SCRIPTED(read, BUFFERED_READ, 2)
SCRIPTED(read1, BUFFERED_READ1, 2)
SCRIPTED(peek, BUFFERED_PEEK, 2)
SCRIPTED(readinto, BUFFERED_READINTO, 2)
SCRIPTED(readinto1, BUFFERED_READINTO1, 2)
SCRIPTED(readline, BUFFERED_READLINE, 2)
SCRIPTED(write, BUFFERED_WRITE, 2)
SCRIPTED(flush, BUFFERED_FLUSH, 1)
SCRIPTED(reader_flush, BUFFERED_FLUSH, 1)
SCRIPTED(seek, BUFFERED_SEEK, 3)
SCRIPTED(tell, BUFFERED_TELL, 1)
SCRIPTED(truncate, BUFFERED_TRUNCATE, 2)
SCRIPTED(no_truncate, BUFFERED_TRUNCATE, 2)
SCRIPTED(detach, BUFFERED_DETACH, 1)
SCRIPTED(readable, BUFFERED_READABLE, 1)
SCRIPTED(writable, BUFFERED_WRITABLE, 1)
SCRIPTED(seekable, BUFFERED_SEEKABLE, 1)
SCRIPTED(fileno, BUFFERED_FILENO, 1)
SCRIPTED(isatty, BUFFERED_ISATTY, 1)
SCRIPTED_GET(raw, BUFFERED_RAW)
SCRIPTED_GET(closed, BUFFERED_CLOSED)
SCRIPTED_GET(mode, BUFFERED_MODE)
SCRIPTED_GET(name, BUFFERED_NAME)

/* ---- tables ---- */

static const NativeDef reader_construct = {"BufferedReader(cls, raw, buffer_size: size = 131072)",
                                           reader_make, NULL};
static const NativeDef writer_construct = {"BufferedWriter(cls, raw, buffer_size: size = 131072)",
                                           writer_make, NULL};
static const NativeDef random_construct = {"BufferedRandom(cls, raw, buffer_size: size = 131072)",
                                           random_make, NULL};

#define SHARED_METHODS                                                                             \
    {"static __new__(cls, /, *args, **kwargs)", new, "Create and return a new object."},           \
        {"__init__(self, raw, buffer_size: size = 131072)", init, NULL},                           \
        {"__enter__(self, /)", method_enter, NULL},                                                \
        {"__exit__(self, /, *args)", exit_closing, NULL}, {"__del__(self, /)", file_del, NULL},    \
        {"close(self, /)", method_close, "Write out what waits and close the file."},              \
        {"detach(self, /)", scripted_detach,                                                       \
         "Separate the raw stream from the buffer and return it."},                                \
        {"fileno(self, /)", scripted_fileno, "Return the underlying file descriptor."},            \
        {"isatty(self, /)", scripted_isatty, "True if the file is connected to a TTY device."},    \
        {"seek(self, target: index, whence: index = 0, /)", scripted_seek,                         \
         "Change the position and return it."},                                                    \
        {"seekable(self, /)", scripted_seekable, "Can seek() be used."}, {                         \
        "tell(self, /)", scripted_tell, "Return the position."                                     \
    }
#define READING_METHODS                                                                            \
    {"peek(self, size=0, /)", scripted_peek, "Return what is read ahead without taking it."},      \
        {"read(self, size=-1, /)", scripted_read, "Read and return up to size bytes, or all."},    \
        {"read1(self, size=-1, /)", scripted_read1,                                                \
         "Read with at most one call of the raw stream."},                                         \
        {"readable(self, /)", scripted_readable, "Can the file be read."},                         \
        {"readinto(self, buffer, /)", scripted_readinto, "Read bytes into an object."},            \
        {"readinto1(self, buffer, /)", scripted_readinto1,                                         \
         "Read bytes into an object with at most one call."},                                      \
        {"readline(self, size=-1, /)", scripted_readline, "Read and return a line."}, {            \
        "readlines(self, hint=None, /)", method_readlines, "Return a list of lines."               \
    }
#define WRITING_METHODS                                                                            \
    {"flush(self, /)", scripted_flush, "Hand what waits to the system."},                          \
        {"truncate(self, pos=None, /)", scripted_truncate,                                         \
         "Cut the file off or extend it; return its new size."},                                   \
        {"writable(self, /)", scripted_writable, "Can the file be written."},                      \
        {"write(self, buffer, /)", scripted_write, "Write bytes; return their number."}, {         \
        "writelines(self, lines, /)", method_writelines, "Write a list of bytes-like objects."     \
    }

static const NativeDef reader_methods[] = {
    SHARED_METHODS,
    READING_METHODS,
    {"flush(self, /)", scripted_reader_flush, NULL},
    {"truncate(self, pos=None, /)", scripted_no_truncate, NULL},
    {"writable(self, /)", method_no, "Can the file be written."},
    {"write(self, buffer, /)", refuse_write, NULL},
    {"writelines(self, lines, /)", method_writelines, NULL},
    {NULL, NULL, NULL},
};
static const NativeDef writer_methods[] = {
    SHARED_METHODS,
    WRITING_METHODS,
    {"read(self, size=-1, /)", refuse_read, NULL},
    {"read1(self, size=-1, /)", refuse_read1, NULL},
    {"readable(self, /)", method_no, "Can the file be read."},
    {"readinto(self, buffer, /)", refuse_read, NULL},
    {"readinto1(self, buffer, /)", refuse_read1, NULL},
    {"readline(self, size=-1, /)", refuse_read, NULL},
    {"readlines(self, hint=None, /)", method_readlines, NULL},
    {NULL, NULL, NULL},
};
static const NativeDef random_methods[] = {
    SHARED_METHODS, READING_METHODS, WRITING_METHODS, {NULL, NULL, NULL}};

static const AttributeDef attributes[] = {
    {"__dict__", instance_dict_get, instance_dict_set, NULL},
    {"closed", scripted_get_closed, NULL, NULL},
    {"mode", scripted_get_mode, NULL, NULL},
    {"name", scripted_get_name, NULL, NULL},
    {"raw", scripted_get_raw, NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

const BuiltinType buffered_reader_type = {
    .name = "BufferedReader",
    .module = "_io",
    .flags = TYPE_HAS_DICT,
    .size = sizeof(Buffered),
    .construct = &reader_construct,
    .doc = "Create a new buffered reader using the given readable raw IO object.",
    .methods = reader_methods,
    .attributes = attributes,
    .slots = {.repr = repr,
              .iter = self_if_open,
              .next = next,
              .trace = trace,
              .finalize = finalize,
              .custom = &file_buffered_image},
};
const BuiltinType buffered_writer_type = {
    .name = "BufferedWriter",
    .module = "_io",
    .flags = TYPE_HAS_DICT,
    .size = sizeof(Buffered),
    .construct = &writer_construct,
    .doc = "A buffer for a writeable sequential RawIO object.",
    .methods = writer_methods,
    .attributes = attributes,
    .slots = {.repr = repr,
              .iter = self_if_open,
              .next = refuse_next,
              .trace = trace,
              .finalize = finalize,
              .custom = &file_buffered_image},
};
const BuiltinType buffered_random_type = {
    .name = "BufferedRandom",
    .module = "_io",
    .flags = TYPE_HAS_DICT,
    .size = sizeof(Buffered),
    .construct = &random_construct,
    .doc = "A buffered interface to random access streams.",
    .methods = random_methods,
    .attributes = attributes,
    .slots = {.repr = repr,
              .iter = self_if_open,
              .next = next,
              .trace = trace,
              .finalize = finalize,
              .custom = &file_buffered_image},
};
