/* file.c - the builtin open() and the standard streams: how the layers of a file object (files.h)
 * are put together.
 */
#include "vm/engine_module.h"
#include "vm/genvm.h"
#include "vm/objects/files.h"
#include "vm/threads.h"
#include "vm/warn.h"

#include <fcntl.h>

/* ---- files with something to write ---- */

void file_watch(GenVM *vm, Object *file, FileLink *link) {
    if (!(file->gc & GC_FINALIZABLE)) gc_finalizable(vm, file);
    if (!link || link->place) return;
    *link = (FileLink){file, vm->writers, &vm->writers};
    if (vm->writers) vm->writers->place = &link->next;
    vm->writers = link;
}

void file_unlink(FileLink *link) {
    if (!link->place) return;
    *link->place = link->next;
    if (link->next) link->next->place = link->place;
    link->place = NULL;
}

static bool has_waiting(const Object *file) {
    if (file->kind != TYPE_FILE) return ((const Buffered *)file)->used;
    const TextFile *text = (const TextFile *)file;
    if (text->pending_used) return true;
    return text->source && text->source->kind != TYPE_BYTES_IO &&
           ((const Buffered *)text->source)->used;
}

/* A pipe that another thread or the host may be about to read would have all of them wait. */
static bool may_block(GenVM *vm, Object *file, bool waits) {
    if (waits && (!vm->threads || vm->threads->count == 1)) return false;
    RawFile *raw = source_raw(file->kind == TYPE_FILE ? ((TextFile *)file)->source : file);
    return raw && raw->fd >= 0 && !raw_is_seekable(raw) && file_is_blocking_pipe(raw->fd);
}

void file_sync(GenVM *vm, bool waits) {
    for (FileLink *link = vm->writers; link; link = link->next) {
        if (!has_waiting(link->file) || may_block(vm, link->file, waits)) continue;
        bool ok = link->file->kind == TYPE_FILE ? file_text_flush(vm, (TextFile *)link->file)
                                                : buffered_flush(vm, (Buffered *)link->file);
        if (!ok) error_clear(vm);
    }
}

/* ---- the standard streams ---- */

static RawFile *stream_raw(GenVM *vm, int stream) {
    static const char *const names[] = {"<stdin>", "<stdout>", "<stderr>"};
    RawFile *raw = raw_new(vm, vm->types[TYPE_FILE_RAW]);
    if (!raw) return NULL;
    raw->closefd = false;
    raw->readable = stream == 0;
    raw->writable = stream != 0;
    if (vm->capabilities & GEN_CAP_STDIO)
        raw->fd = stream;
    else
        raw->host = (int8_t)stream;
    raw->name = str_from(vm, names[stream]);
    return raw->name == VALUE_ERROR ? NULL : raw;
}

Value file_new_stream(GenVM *vm, int stream) {
    RawFile *raw = stream_raw(vm, stream);
    TypeId kind = stream ? TYPE_BUFFERED_WRITER : TYPE_BUFFERED_READER;
    Buffered *buffered = raw ? buffered_new(vm, kind, vm->types[kind]) : NULL;
    TextFile *file = buffered ? file_text_new(vm, vm->types[TYPE_FILE]) : NULL;
    Value encoding = str_from(vm, "utf-8"),
          errors = str_from(vm, stream == 2 ? "backslashreplace" : "strict");
    if (!file || encoding == VALUE_ERROR || errors == VALUE_ERROR) return VALUE_ERROR;
    if (!buffered_attach(vm, buffered, raw, FILE_BUFFER_SIZE)) return VALUE_ERROR;
    Value newline = stream ? vm->characters['\n'] : VALUE_NONE;
    if (!file_text_attach(vm, file, &buffered->header, encoding, errors, newline))
        return VALUE_ERROR;
    file->mode = vm->characters[stream ? 'w' : 'r'];
    file->line_buffering = stream == 2 || raw->host >= 0 || raw_is_tty(raw);
    /* A host is handed the rest of a line, too, when its call returns. */
    file_watch(vm, &file->header, raw->host > 0 ? &file->link : NULL);
    return object_value(file);
}

/* ---- open() ---- */

typedef struct OpenMode {
    char raw[8]; /* of FileIO */
    bool creating, reading, writing, appending, updating, text, binary;
} OpenMode;

static bool parse_mode(GenVM *vm, const char *mode, OpenMode *out) {
    *out = (OpenMode){0};
    struct {
        char c;
        bool *flag;
    } letters[] = {{'x', &out->creating},  {'r', &out->reading},  {'w', &out->writing},
                   {'a', &out->appending}, {'+', &out->updating}, {'t', &out->text},
                   {'b', &out->binary}};
    size_t raw = 0;
    for (const char *at = mode; *at; at++) {
        size_t i = 0;
        while (i < 7 && letters[i].c != *at)
            i++;
        if (i == 7 || *letters[i].flag) return raise_value(vm, "invalid mode: '%s'", mode), false;
        *letters[i].flag = true;
        if (i < 5) out->raw[raw++] = *at;
    }
    return true;
}

static bool check_mode(GenVM *vm, const OpenMode *mode, const Value *args) {
    const char *problem = NULL;
    if (mode->text && mode->binary)
        problem = "can't have text and binary mode at once";
    else if (mode->creating + mode->reading + mode->writing + mode->appending > 1)
        problem = "must have exactly one of create/read/write/append mode";
    else if (mode->binary && args[3] != VALUE_NONE)
        problem = "binary mode doesn't take an encoding argument";
    else if (mode->binary && args[4] != VALUE_NONE)
        problem = "binary mode doesn't take an errors argument";
    else if (mode->binary && args[5] != VALUE_NONE)
        problem = "binary mode doesn't take a newline argument";
    if (problem) raise_value(vm, "%s", problem);
    return !problem;
}

static Value wrap_text(GenVM *vm, Buffered *buffered, bool line_buffering, const Value *args) {
    TextFile *file = file_text_new(vm, vm->types[TYPE_FILE]);
    if (!file) return VALUE_ERROR;
    if (!file_text_attach(vm, file, &buffered->header, args[3], args[4], args[5])) {
        if (!error_matches(vm, EXC_LOOKUP_ERROR)) return VALUE_ERROR;
        error_clear(vm); /* module codecs may know it */
        file_watch(vm, &buffered->header, NULL);
        return native_twin(vm, TWIN_STREAM_OPEN_TEXT, 6, object_value(buffered), args[3], args[4],
                           args[5], bool_value(line_buffering), args[1]);
    }
    file->line_buffering = line_buffering;
    file->mode = args[1];
    file_watch(vm, &file->header, file->writable ? &file->link : NULL);
    return object_value(file);
}

/* The layers over an open FileIO; args are those of open(). */
static Value wrap(GenVM *vm, RawFile *raw, const OpenMode *mode, const Value *args) {
    int64_t size = as_int(args[2]);
    bool line_buffering = size == 1 || (size < 0 && raw_is_tty(raw));
    if (size < 0 || size == 1) size = FILE_BUFFER_SIZE;
    if (size == 0) {
        if (!mode->binary) return raise_value(vm, "can't have unbuffered text I/O");
        file_watch(vm, &raw->header, NULL);
        return object_value(raw);
    }
    TypeId kind = mode->updating  ? TYPE_BUFFERED_RANDOM
                  : mode->reading ? TYPE_BUFFERED_READER
                                  : TYPE_BUFFERED_WRITER;
    if (mode->updating && !raw_is_seekable(raw))
        return file_raise_unsupported(vm, "File or stream is not seekable.");
    Buffered *buffered = buffered_new(vm, kind, vm->types[kind]);
    if (!buffered || !buffered_attach(vm, buffered, raw, size)) return VALUE_ERROR;
    if (!mode->binary) return wrap_text(vm, buffered, line_buffering, args);
    file_watch(vm, &buffered->header, mode->reading && !mode->updating ? NULL : &buffered->link);
    return object_value(buffered);
}

static Value wrap_or_close(GenVM *vm, RawFile *raw, const OpenMode *mode, const Value *args) {
    Value file = wrap(vm, raw, mode, args);
    if (file != VALUE_ERROR || !raw->closefd) return file;
    Value error = error_take(vm);
    if (!raw_close(vm, raw)) error_clear(vm);
    vm->exception = error;
    return VALUE_ERROR;
}

static Value warn_odd(GenVM *vm, const Value *args, const OpenMode *mode, Value file) {
    if (!is_object(file)) return file; /* an error, or a call to be made */
    if (mode->binary && args[2] == int_value(1))
        return warn_then(vm, EXC_RUNTIME_WARNING,
                         "line buffering (buffering=1) isn't supported in binary mode, the "
                         "default buffer size will be used",
                         file);
    if (!is_bool(args[0])) return file;
    return warn_then(vm, EXC_RUNTIME_WARNING, "bool is used as a file descriptor", file);
}

Value file_open(GenVM *vm, Value *args) {
    OpenMode mode;
    static const char *const names[] = {"encoding", "errors", "newline"};
    for (int i = 0; i < 3; i++)
        if (args[3 + i] != VALUE_NONE && !value_is_str(args[3 + i]))
            return raise_type(vm, "open() argument '%s' must be str or None, not %T", names[i],
                              args[3 + i]);
    if (!value_is_str(args[0]) && !is_kind(args[0], TYPE_BYTES) && !value_is_intlike(args[0]))
        return native_twin_array(vm, TWIN_FILE_OPEN, 8, args);
    const char *text = str_c_whole(vm, args[1]);
    if (!text || !parse_mode(vm, text, &mode) || !check_mode(vm, &mode, args)) return VALUE_ERROR;
    if (args[7] != VALUE_NONE)
        return native_twin(vm, TWIN_FILE_OPEN_BY, 8, args[0], args[1], args[2], args[3], args[4],
                           args[5], args[6], args[7]);
    RawFile *raw = raw_open(vm, args[0], mode.raw, args[6] == VALUE_TRUE);
    Value file = raw ? wrap_or_close(vm, raw, &mode, args) : VALUE_ERROR;
    return likely(!mode.binary && !is_bool(args[0])) ? file : warn_odd(vm, args, &mode, file);
}

const NativeDef file_open_def = {"open(file, mode: str = 'r', buffering: index = -1, "
                                 "encoding=None, errors=None, newline=None, closefd: bool = True, "
                                 "opener=None)",
                                 file_open,
                                 "Open file and return a stream.  Raise OSError upon failure."};

/* ---- for stdlib/prelude/files.gen: opening by a function of the script's ---- */

/* (mode) -> what that function is given: flags of open(2), and FileIO's mode. */
static Value open_flags(GenVM *vm, Value *args) {
    const char *text = str_c_whole(vm, args[0]);
    OpenMode mode;
    if (!text || !parse_mode(vm, text, &mode)) return VALUE_ERROR;
    int flags = O_CLOEXEC | (mode.updating ? O_RDWR : mode.reading ? O_RDONLY : O_WRONLY);
    if (mode.creating) flags |= O_CREAT | O_EXCL;
    if (mode.writing) flags |= O_CREAT | O_TRUNC;
    if (mode.appending) flags |= O_CREAT | O_APPEND;
    Value raw = str_from(vm, mode.raw);
    return raw == VALUE_ERROR ? raw : tuple_pack(vm, 2, int_value(flags), raw);
}

/* (FileIO, descriptor, name, mode, closefd): as if it had opened it by that name itself. */
static Value attach_descriptor(GenVM *vm, Value *args) {
    RawFile *raw = AS(RawFile, args[0]);
    const char *mode = str_c(vm, args[3]);
    if (!mode) return VALUE_ERROR;
    if (!value_is_intlike(args[1])) return raise_type(vm, "expected integer from opener");
    if (!raw_is_closed(raw) && !raw_close(vm, raw)) return VALUE_ERROR;
    if (!raw_open_into(vm, raw, args[1], mode, args[4] == VALUE_TRUE)) return VALUE_ERROR;
    raw->name = args[2];
    gc_barrier(vm, raw);
    file_watch(vm, &raw->header, NULL);
    return args[0];
}

/* (FileIO, mode, buffering, encoding, errors, newline) -> what open() returns. */
static Value wrap_raw(GenVM *vm, Value *args) {
    OpenMode mode;
    const char *text = str_c_whole(vm, args[1]);
    if (!text || !parse_mode(vm, text, &mode)) return VALUE_ERROR;
    return wrap_or_close(vm, AS(RawFile, args[0]), &mode, args);
}

/* Asks for a full collection at the next safepoint. */
static Value collect(GenVM *vm, Value *args) {
    (void)args;
    vm->poll |= POLL_GC | POLL_GC_FULL;
    return VALUE_NONE;
}

const NativeDef engine_file_natives[] = {
    {"collect_soon()", collect, "Collect garbage at the next safepoint."},
    {"file_flags(mode: str, /)", open_flags, NULL},
    {"file_attach(file: raw_file, descriptor, name, mode: str, closefd: bool, /)",
     attach_descriptor, NULL},
    {"file_wrap(raw: raw_file, mode: str, buffering: index, encoding, errors, newline, /)",
     wrap_raw, NULL},
    {NULL, NULL, NULL},
};
