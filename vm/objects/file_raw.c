/* file_raw.c - FileIO: a file descriptor, unbuffered; the lowest layer of every file object.
 *
 * Without GEN_CAP_STDIO the standard streams have no descriptor: what is written goes to the host's
 * function, and there is nothing to read. System calls that a signal interrupts are made again,
 * unless gen_interrupt asks the script to stop.
 */
#include "vm/objects/files.h"
#include "vm/threads.h"
#include "vm/bind.h"
#include "vm/paths.h"
#include "vm/genvm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOT_UNSUPPORTED = 9 };            /* vm->roots: the class io.UnsupportedOperation */
enum { MUCH = 16384, BYTES_A_STEP = 64 }; /* bytes */
enum {
    READ_MOST = 1 << 30,
    READ_STEP = 65536
}; /* bytes for one system call; what readall() begins with */

/* ---- errors ---- */

Value file_unsupported_class(GenVM *vm) {
    if (vm->roots[ROOT_UNSUPPORTED] != VALUE_UNSET) return vm->roots[ROOT_UNSUPPORTED];
    Value name = str_intern_from(vm, "UnsupportedOperation", 20),
          module = str_intern_from(vm, "io", 2);
    Value bases = tuple_pack(vm, 2, object_value(vm->types[EXC_OS_ERROR]),
                             object_value(vm->types[EXC_VALUE_ERROR]));
    Value dict = dict_new(vm);
    if (name == VALUE_ERROR || module == VALUE_ERROR || bases == VALUE_ERROR || dict == VALUE_ERROR)
        return VALUE_ERROR;
    if (!dict_set_str(vm, AS_DICT(dict), name_value(vm, NAME___module__), module))
        return VALUE_ERROR;
    Type *type = type_new(vm, vm->types[TYPE_TYPE], name, AS_TUPLE(bases), AS_DICT(dict));
    if (!type) return VALUE_ERROR;
    return vm->roots[ROOT_UNSUPPORTED] = object_value(type);
}

Value file_raise_unsupported(GenVM *vm, const char *message) {
    Value type = file_unsupported_class(vm), text = str_from(vm, message);
    if (type == VALUE_ERROR || text == VALUE_ERROR) return VALUE_ERROR;
    Value args = tuple_pack(vm, 1, text);
    Value exception =
        args == VALUE_ERROR ? VALUE_ERROR : exception_new_of(vm, type_from(type), args);
    return exception == VALUE_ERROR ? VALUE_ERROR : raise_value_object(vm, exception);
}

Value file_raise_closed(GenVM *vm) {
    return raise_value(vm, "I/O operation on closed file.");
}

static Value raise_closed(GenVM *vm) {
    return raise_value(vm, "I/O operation on closed file");
}

/* ---- arguments ---- */

const char *file_path(GenVM *vm, Value path) {
    size_t size;
    Value bytes = value_is_str(path) ? codec_encode(vm, path, "utf-8", "surrogateescape") : path;
    if (bytes == VALUE_ERROR) return NULL;
    if (!is_kind(bytes, TYPE_BYTES)) {
        raise_type(vm, "path should be string, bytes or os.PathLike, not %T", path);
        return NULL;
    }
    const char *data = bytes_data(bytes, &size);
    if (memchr(data, 0, size)) {
        raise_value(vm, "embedded null byte");
        return NULL;
    }
    return data;
}

Value file_path_text(GenVM *vm, const char *path) {
    return str_decode_utf8(vm, path, strlen(path), "surrogateescape");
}

bool file_writable_span(GenVM *vm, const char *name, Value v, uint8_t **data, size_t *size) {
    const uint8_t *view;
    bool fixed = is_kind(v, TYPE_BYTES) || !bytes_view(vm, v, &view, size);
    if (!fixed && is_kind(v, TYPE_MEMORYVIEW)) {
        Value readonly = attribute_find(vm, v, str_intern_from(vm, "readonly", 8));
        if (readonly == VALUE_ERROR) return false;
        fixed = readonly == VALUE_TRUE;
    }
    if (fixed) {
        raise_type(vm, "%s() argument must be read-write bytes-like object, not %T", name, v);
        return false;
    }
    *data = (uint8_t *)(uintptr_t)view;
    return true;
}

bool file_size_arg(GenVM *vm, Value v, int64_t *size) {
    *size = -1;
    if (v == VALUE_NONE) return true;
    if (!value_is_intlike(v)) {
        raise_type(vm, "argument should be integer or None, not '%T'", v);
        return false;
    }
    if (int_to_i64(v, size)) return true;
    raise_overflow(vm, "Python int too large to convert to C ssize_t");
    return false;
}

/* ---- system calls ---- */

/* After a call that failed: is it to be made again? False: an error is pending. */
static bool retry(GenVM *vm) {
    int number = errno;
    if (number != EINTR) {
        raise_os_error(vm, number, VALUE_UNSET);
        return false;
    }
    return !vm->interrupted || vm_poll_native(vm);
}

/* Where there are other threads, much that is moved is a good part of the slice of this one. */
static void note_moved(GenVM *vm, size_t size) {
    if (unlikely(vm->threads != NULL) && size >= MUCH) native_spend(vm, size / BYTES_A_STEP);
}

int64_t raw_read(GenVM *vm, RawFile *raw, void *data, size_t size) {
    if (raw->host >= 0) return 0;
    if (size > READ_MOST) size = READ_MOST;
    for (;;) {
        ssize_t got = read(raw->fd, data, size);
        if (got >= 0) return note_moved(vm, (size_t)got), got;
        if (!retry(vm)) return -1;
    }
}

static bool host_write(GenVM *vm, const RawFile *raw, const void *data, size_t size) {
    return !vm->host_write || vm->host_write(vm->host_data, raw->host, data, size);
}

bool raw_write(GenVM *vm, RawFile *raw, const void *data, size_t size, size_t *done) {
    *done = 0;
    if (raw->host >= 0) {
        if (host_write(vm, raw, data, size)) return *done = size, true;
        raise_os_error(vm, EIO, VALUE_UNSET);
        return false;
    }
    while (*done < size) {
        size_t most = size - *done < READ_MOST ? size - *done : READ_MOST;
        ssize_t written = write(raw->fd, (const char *)data + *done, most);
        if (written >= 0)
            *done += (size_t)written;
        else if (!retry(vm))
            return false;
    }
    note_moved(vm, size);
    return true;
}

/* Nobody can be told that a pipe takes nothing. A script waits for its reader, however long that
 * lasts; but the host of a VM whose tasks have deadlines waits only while the reader reads. */
static bool is_taken(GenVM *vm, int fd) {
    enum { PATIENCE = 1000 }; /* milliseconds */
    struct pollfd entry = {.fd = fd, .events = POLLOUT};
    if (!vm->hurried || !file_is_blocking_pipe(fd)) return true;
    int ready;
    while ((ready = poll(&entry, 1, PATIENCE)) < 0 && errno == EINTR) {
    }
    return ready != 0;
}

bool raw_write_quietly(GenVM *vm, RawFile *raw, const void *data, size_t size) {
    enum { PIPE_TAKES = 4096 }; /* bytes, PIPE_BUF: so much does not block where poll() says so */
    if (raw->host >= 0) return host_write(vm, raw, data, size);
    for (size_t done = 0; done < size;) {
        if (!is_taken(vm, raw->fd)) return false;
        size_t most = vm->hurried && size - done > PIPE_TAKES ? PIPE_TAKES : size - done;
        ssize_t written = write(raw->fd, (const char *)data + done, most);
        if (written < 0 && errno != EINTR) return false;
        if (written > 0) done += (size_t)written;
    }
    return true;
}

int64_t raw_seek(GenVM *vm, RawFile *raw, int64_t offset, int whence) {
    off_t at = raw->host >= 0 ? (errno = ESPIPE, -1) : lseek(raw->fd, offset, whence);
    if (at < 0) raise_os_error(vm, errno, VALUE_UNSET);
    return at;
}

bool raw_is_seekable(RawFile *raw) {
    if (raw->seekable < 0) raw->seekable = raw->host < 0 && lseek(raw->fd, 0, SEEK_CUR) >= 0;
    return raw->seekable;
}

bool raw_is_tty(const RawFile *raw) {
    return raw->host < 0 && isatty(raw->fd);
}

bool raw_truncate(GenVM *vm, RawFile *raw, int64_t size) {
    while (ftruncate(raw->fd, size) != 0)
        if (!retry(vm)) return false;
    return true;
}

static int close_descriptor(GenVM *vm, RawFile *raw) {
    int fd = raw->fd;
    raw->fd = raw->host = -1;
    if (raw->closefd) path_disown(vm, fd);
    return raw->closefd && fd >= 0 ? close(fd) : 0;
}

bool raw_close(GenVM *vm, RawFile *raw) {
    if (close_descriptor(vm, raw) == 0 || errno == EINTR) return true;
    raise_os_error(vm, errno, VALUE_UNSET);
    return false;
}

int64_t raw_bytes_left(const RawFile *raw) {
    struct stat status;
    if (raw->host >= 0 || fstat(raw->fd, &status) != 0 || !S_ISREG(status.st_mode)) return -1;
    off_t at = lseek(raw->fd, 0, SEEK_CUR);
    return at < 0 ? -1 : at < status.st_size ? status.st_size - at : 0;
}

Value raw_fileno(GenVM *vm, const RawFile *raw) {
    if (raw_is_closed(raw)) return raise_closed(vm);
    return raw->fd >= 0 ? int_value(raw->fd) : file_raise_unsupported(vm, "fileno");
}

Value raw_get_name(GenVM *vm, const RawFile *raw) {
    if (raw->name != VALUE_UNSET) return raw->name;
    return raise_attribute(vm, object_value(raw), name_value(vm, NAME_name));
}

/* ---- opening ---- */

static bool refuse_mode(GenVM *vm) {
    raise_value(vm, "Must have exactly one of create/read/write/append mode and at most one plus");
    return false;
}

/* Sets what the mode says; *flags: for open(2). */
static bool parse_mode(GenVM *vm, RawFile *raw, const char *mode, int *flags) {
    bool chosen = false, plus = false;
    raw->readable = raw->writable = raw->created = raw->appending = false;
    *flags = O_CLOEXEC;
    for (const char *at = mode; *at; at++) {
        if (strchr("rwax", *at)) {
            if (chosen) return refuse_mode(vm);
            chosen = true;
        }
        switch (*at) {
        case 'r': raw->readable = true; break;
        case 'w': *flags |= O_CREAT | O_TRUNC; break;
        case 'x': *flags |= O_CREAT | O_EXCL; break;
        case 'a': *flags |= O_CREAT | O_APPEND; break;
        case '+':
            if (plus) return refuse_mode(vm);
            plus = true;
            break;
        case 'b': break;
        default: raise_value(vm, "invalid mode: %s", mode); return false;
        }
    }
    if (!chosen) return refuse_mode(vm);
    raw->created = strchr(mode, 'x') != NULL;
    raw->appending = strchr(mode, 'a') != NULL;
    raw->writable = !raw->readable || plus;
    raw->readable |= plus;
    *flags |= plus ? O_RDWR : raw->writable ? O_WRONLY : O_RDONLY;
    return true;
}

static bool refuse_files(GenVM *vm, Value file) {
    path_refuse(vm, "this virtual machine has no access to files", file);
    return false;
}

static bool open_path(GenVM *vm, RawFile *raw, Value file, int flags) {
    const char *path = file_path(vm, file);
    if (!path) return false;
    while ((raw->fd = file_open_waiting(vm, path, flags, 0666)) < 0) {
        int number = errno;
        if (raw->fd == FILE_PARKED) return raw->fd = -1, false;
        if (number == EPERM && vm->path_rules)
            return path_check(vm, path, flags & O_ACCMODE ? PATH_WRITE : PATH_READ, false, file) &&
                   (raise_os_error(vm, number, file), false);
        if (number != EINTR) {
            raise_os_error(vm, number, file);
            return false;
        }
        if (vm->interrupted && !vm_poll_native(vm)) return false;
    }
    return true;
}

/* A descriptor that the script names must be open, and no directory. */
static bool check_descriptor(GenVM *vm, RawFile *raw, Value file) {
    struct stat status;
    int number = fstat(raw->fd, &status) != 0 ? errno : S_ISDIR(status.st_mode) ? EISDIR : 0;
    if (!number) return true;
    if (value_is_int(file)) raw->closefd = false;
    close_descriptor(vm, raw);
    raw->closefd = true;
    raise_os_error(vm, number, number == EBADF ? VALUE_UNSET : file);
    return false;
}

static bool may_use_descriptor(GenVM *vm, int64_t fd) {
    return (fd <= 2 && vm->capabilities & GEN_CAP_STDIO) || path_check_descriptor(vm, fd);
}

bool raw_open_into(GenVM *vm, RawFile *raw, Value file, const char *mode, bool closefd) {
    int flags;
    int64_t fd = -1;
    if (!parse_mode(vm, raw, mode, &flags)) return false;
    if (!(vm->capabilities & GEN_CAP_FILES)) return refuse_files(vm, file);
    file_sync(vm, true);
    raw->closefd = closefd;
    raw->seekable = -1;
    if (value_is_intlike(file)) {
        if (!int_to_i64(file, &fd) || fd > INT32_MAX) fd = INT32_MAX;
        if (fd < 0) return raise_value(vm, "negative file descriptor"), false;
        if (!may_use_descriptor(vm, fd)) return false;
        raw->fd = (int)fd;
    } else if (!closefd) {
        return raise_value(vm, "Cannot use closefd=False with file name"), false;
    } else if (!open_path(vm, raw, file, flags)) {
        return false;
    }
    if (!check_descriptor(vm, raw, file)) return false;
    raw->name = file;
    gc_barrier(vm, raw);
    if (raw->appending) raw->seekable = lseek(raw->fd, 0, SEEK_END) >= 0;
    return true;
}

RawFile *raw_new(GenVM *vm, Type *cls) {
    RawFile *raw = gc_new_of(vm, sizeof *raw, TYPE_FILE_RAW, cls);
    if (!raw) return NULL;
    raw->fd = raw->host = raw->seekable = -1;
    raw->name = VALUE_UNSET;
    raw->closefd = true;
    return raw;
}

RawFile *raw_open(GenVM *vm, Value file, const char *mode, bool closefd) {
    RawFile *raw = raw_new(vm, vm->types[TYPE_FILE_RAW]);
    return raw && raw_open_into(vm, raw, file, mode, closefd) ? raw : NULL;
}

const char *raw_mode(const RawFile *raw) {
    if (raw->created) return raw->readable ? "xb+" : "xb";
    if (raw->appending) return raw->readable ? "ab+" : "ab";
    if (raw->readable) return raw->writable ? "rb+" : "rb";
    return "wb";
}

/* ---- methods ---- */

static RawFile *open_file(GenVM *vm, Value self) {
    RawFile *raw = AS(RawFile, self);
    if (likely(!raw_is_closed(raw))) return raw;
    raise_closed(vm);
    return NULL;
}

static RawFile *readable_file(GenVM *vm, Value self) {
    RawFile *raw = open_file(vm, self);
    if (!raw || raw->readable) return raw;
    file_raise_unsupported(vm, "File not open for reading");
    return NULL;
}

static RawFile *writable_file(GenVM *vm, Value self) {
    RawFile *raw = open_file(vm, self);
    if (!raw || raw->writable) return raw;
    file_raise_unsupported(vm, "File not open for writing");
    return NULL;
}

static Value init(GenVM *vm, Value *args) {
    RawFile *raw = AS(RawFile, args[0]);
    const char *mode = str_c_whole(vm, args[2]);
    if (!mode) return VALUE_ERROR;
    if (!value_is_str(args[1]) && !is_kind(args[1], TYPE_BYTES) && !value_is_intlike(args[1]))
        return raise_type(vm, "expected str, bytes or os.PathLike object, not %T", args[1]);
    if (args[4] != VALUE_NONE)
        return native_twin(vm, TWIN_FILE_OPENER, 5, args[0], args[1], args[2], args[3], args[4]);
    if (!raw_is_closed(raw) && !raw_close(vm, raw)) return VALUE_ERROR;
    if (!raw_open_into(vm, raw, args[1], mode, args[3] == VALUE_TRUE)) return VALUE_ERROR;
    file_watch(vm, &raw->header, NULL);
    return VALUE_NONE;
}

static Value construct(GenVM *vm, Value *args) {
    RawFile *raw = raw_new(vm, type_from(args[0]));
    if (!raw) return VALUE_ERROR;
    args[0] = object_value(raw);
    if (args[4] != VALUE_NONE)
        return native_twin(vm, TWIN_FILE_OPENER, 5, args[0], args[1], args[2], args[3], args[4]);
    return init(vm, args) == VALUE_ERROR ? VALUE_ERROR : args[0];
}

static Value new (GenVM *vm, Value *args) {
    RawFile *raw = raw_new(vm, type_from(args[0]));
    return raw ? object_value(raw) : VALUE_ERROR;
}

/* After an error: a descriptor that does not block had nothing, or took nothing, which is None. */
static Value none_or_error(GenVM *vm) {
    if (!error_matches(vm, EXC_BLOCKING_IO_ERROR)) return VALUE_ERROR;
    error_clear(vm);
    return VALUE_NONE;
}

/* What is left, in a growing piece of memory. */
static Value read_rest(GenVM *vm, RawFile *raw) {
    StrBuilder builder;
    builder_init(&builder, vm);
    Buffer *piece = gc_buffer_new(vm, READ_STEP);
    for (int64_t got = 1; piece && !builder.failed && got > 0;) {
        got = raw_read(vm, raw, piece->data, READ_STEP);
        if (got < 0) break;
        if (got == 0) return builder_finish_bytes(&builder);
        builder_put(&builder, (const char *)piece->data, (size_t)got);
    }
    if (piece && !builder.failed && builder.size && none_or_error(vm) == VALUE_NONE)
        return builder_finish_bytes(&builder);
    bool failed = !piece || builder.failed;
    builder_drop(&builder);
    return failed ? VALUE_ERROR : none_or_error(vm);
}

/* May the thread have to wait for what it reads: then it does so between single reads. */
static bool waits(GenVM *vm, RawFile *raw) {
    if (likely(!vm->threads && !vm->task)) return false;
    return (vm->resumed || threads_should_park(vm)) && raw->fd >= 0 && !raw_is_seekable(raw);
}

static bool wait_input(GenVM *vm, RawFile *raw) {
    return !waits(vm, raw) || file_wait_ready(vm, raw->fd, POLLIN);
}

static Value rest_of(GenVM *vm, RawFile *raw) {
    if (waits(vm, raw)) return native_twin(vm, TWIN_FILE_RAW_REST, 1, object_value(raw));
    return read_rest(vm, raw);
}

static Value method_read(GenVM *vm, Value *args) {
    int64_t size;
    if (!file_size_arg(vm, args[1], &size)) return VALUE_ERROR;
    RawFile *raw = readable_file(vm, args[0]);
    if (!raw) return VALUE_ERROR;
    int64_t much = size < 0 ? raw_bytes_left(raw) : size;
    if (unlikely(much > FILE_PIECE) && file_shares(vm, raw, (uint64_t)much))
        return file_read_pieces(vm, args[0], size);
    if (size < 0) return rest_of(vm, raw);
    if (!gc_check_size(vm, (uint64_t)size) || !wait_input(vm, raw)) return VALUE_ERROR;
    Bytes *bytes = bytes_alloc(vm, (size_t)size);
    int64_t got = bytes ? raw_read(vm, raw, bytes->data, (size_t)size) : -1;
    if (got < 0) return none_or_error(vm);
    return got == size ? object_value(bytes) : bytes_new(vm, bytes->data, (size_t)got);
}

static Value method_readall(GenVM *vm, Value *args) {
    RawFile *raw = readable_file(vm, args[0]);
    if (!raw) return VALUE_ERROR;
    int64_t left = raw_bytes_left(raw);
    if (left > FILE_PIECE && file_shares(vm, raw, (uint64_t)left))
        return file_read_pieces(vm, args[0], -1);
    return rest_of(vm, raw);
}

static Value method_readinto(GenVM *vm, Value *args) {
    uint8_t *data;
    size_t size;
    if (!file_writable_span(vm, "readinto", args[1], &data, &size)) return VALUE_ERROR;
    RawFile *raw = readable_file(vm, args[0]);
    if (!raw || !wait_input(vm, raw)) return VALUE_ERROR;
    int64_t got = raw_read(vm, raw, data, size);
    return got < 0 ? none_or_error(vm) : int_value(got);
}

/* Byte by byte, as nothing can be put back. */
static Value read_line(GenVM *vm, RawFile *raw, int64_t limit) {
    StrBuilder builder;
    builder_init(&builder, vm);
    char c = 0;
    while (c != '\n' && (limit < 0 || (int64_t)builder.size < limit)) {
        int64_t got = raw_read(vm, raw, &c, 1);
        if (got == 0) break;
        if (got < 0 || !builder_put_byte(&builder, c)) {
            builder_drop(&builder);
            return VALUE_ERROR;
        }
    }
    return builder_finish_bytes(&builder);
}

/* readline() reads by it then, byte by byte. */
static bool has_own_read(GenVM *vm, Value self) {
    Value name = name_value(vm, NAME_read);
    return as_object(self)->state == OBJECT_SUBCLASS &&
           type_lookup(vm, type_of(vm, self), name) !=
               type_lookup(vm, vm->types[TYPE_FILE_RAW], name);
}

static Value method_readline(GenVM *vm, Value *args) {
    int64_t limit;
    RawFile *raw = readable_file(vm, args[0]);
    if (!raw || !file_size_arg(vm, args[1], &limit)) return VALUE_ERROR;
    if (has_own_read(vm, args[0]))
        return native_twin(vm, TWIN_STREAM_LINE, 2, args[0], int_value(limit < 0 ? -1 : limit));
    if (waits(vm, raw))
        return native_twin(vm, TWIN_FILE_RAW_LINE, 2, args[0], int_value(limit < 0 ? -1 : limit));
    return read_line(vm, raw, limit);
}

static Value next(GenVM *vm, Value self) {
    if (unlikely(as_object(self)->state == OBJECT_SUBCLASS))
        return native_twin(vm, TWIN_FILE_NEXT, 1, self);
    RawFile *raw = readable_file(vm, self);
    if (raw && waits(vm, raw)) return native_twin(vm, TWIN_FILE_NEXT, 1, self);
    Value line = raw ? read_line(vm, raw, -1) : VALUE_ERROR;
    return line != VALUE_ERROR && AS(Bytes, line)->size == 0 ? VALUE_END : line;
}

/* One call of write(), as CPython makes it: what a full disk, a pipe that does not block or a limit
 * leaves out is for the caller. */
static Value write_once(GenVM *vm, RawFile *raw, const TextSpan *span) {
    size_t done;
    if (raw->host >= 0)
        return raw_write(vm, raw, span->data, span->size, &done) ? int_value((int64_t)span->size)
                                                                 : VALUE_ERROR;
    for (;;) {
        ssize_t written = write(raw->fd, span->data, span->size);
        if (written >= 0) return note_moved(vm, (size_t)written), int_value(written);
        if (!retry(vm)) return none_or_error(vm);
    }
}

static Value method_write(GenVM *vm, Value *args) {
    TextSpan span;
    if (!bytes_take_span(vm, args[1], &span)) return VALUE_ERROR;
    if (!vm->resumed) budget_output(vm, span.size);
    RawFile *raw = writable_file(vm, args[0]);
    bool parks = raw && unlikely(vm->threads || vm->task) && raw->fd >= 0 &&
                 (vm->resumed || (threads_should_park(vm) && file_is_blocking_pipe(raw->fd)));
    if (parks && !file_write_waiting(vm, raw->fd, (const uint8_t *)span.data, span.size))
        return VALUE_ERROR;
    if (parks) return int_value((int64_t)span.size);
    if (!raw) return VALUE_ERROR;
    if (unlikely(file_shares(vm, raw, span.size))) return file_write_pieces(vm, args[0], args[1]);
    return write_once(vm, raw, &span);
}

static Value method_seek(GenVM *vm, Value *args) {
    RawFile *raw = open_file(vm, args[0]);
    int64_t at = raw ? raw_seek(vm, raw, as_int(args[1]), (int)as_int(args[2])) : -1;
    return at < 0 ? VALUE_ERROR : int_value(at);
}

static Value method_tell(GenVM *vm, Value *args) {
    RawFile *raw = open_file(vm, args[0]);
    int64_t at = raw ? raw_seek(vm, raw, 0, SEEK_CUR) : -1;
    return at < 0 ? VALUE_ERROR : int_value(at);
}

static Value method_truncate(GenVM *vm, Value *args) {
    RawFile *raw = writable_file(vm, args[0]);
    int64_t size;
    if (!raw) return VALUE_ERROR;
    if (args[1] == VALUE_NONE)
        size = raw_seek(vm, raw, 0, SEEK_CUR);
    else if (!file_size_arg(vm, args[1], &size))
        return VALUE_ERROR;
    if (vm->exception != VALUE_UNSET || !raw_truncate(vm, raw, size)) return VALUE_ERROR;
    return int_value(size);
}

static Value method_close(GenVM *vm, Value *args) {
    RawFile *raw = AS(RawFile, args[0]);
    if (!raw_is_closed(raw) && !file_is_plain(vm, &raw->header))
        return native_twin(vm, TWIN_STREAM_RAW_CLOSE, 1, args[0]);
    return raw_close(vm, AS(RawFile, args[0])) ? VALUE_NONE : VALUE_ERROR;
}
static Value method_fileno(GenVM *vm, Value *args) {
    return raw_fileno(vm, AS(RawFile, args[0]));
}

static Value method_isatty(GenVM *vm, Value *args) {
    RawFile *raw = open_file(vm, args[0]);
    return raw ? bool_value(raw_is_tty(raw)) : VALUE_ERROR;
}
static Value method_readable(GenVM *vm, Value *args) {
    RawFile *raw = open_file(vm, args[0]);
    return raw ? bool_value(raw->readable) : VALUE_ERROR;
}
static Value method_writable(GenVM *vm, Value *args) {
    RawFile *raw = open_file(vm, args[0]);
    return raw ? bool_value(raw->writable) : VALUE_ERROR;
}
static Value method_seekable(GenVM *vm, Value *args) {
    RawFile *raw = open_file(vm, args[0]);
    return raw ? bool_value(raw_is_seekable(raw)) : VALUE_ERROR;
}

static Value method_flush(GenVM *vm, Value *args) {
    return raw_is_closed(AS(RawFile, args[0])) ? file_raise_closed(vm) : VALUE_NONE;
}
static Value self_if_open(GenVM *vm, Value self) {
    return raw_is_closed(AS(RawFile, self)) ? file_raise_closed(vm) : self;
}
static Value method_enter(GenVM *vm, Value *args) {
    return self_if_open(vm, args[0]);
}
static Value exit_closing(GenVM *vm, Value *args) {
    return file_is_plain(vm, as_object(args[0])) ? method_close(vm, args) : file_exit(vm, args);
}
static Value method_readlines(GenVM *vm, Value *args) {
    if (self_if_open(vm, args[0]) == VALUE_ERROR) return VALUE_ERROR;
    return native_twin(vm, TWIN_FILE_READLINES, 2, args[0], args[1]);
}
static Value method_writelines(GenVM *vm, Value *args) {
    if (self_if_open(vm, args[0]) == VALUE_ERROR) return VALUE_ERROR;
    return native_twin(vm, TWIN_FILE_WRITELINES, 2, args[0], args[1]);
}

static Value repr(GenVM *vm, Value self) {
    RawFile *raw = AS(RawFile, self);
    const char *type = type_name(vm, self), *close = raw->closefd ? "True" : "False";
    if (raw_is_closed(raw)) return str_format(vm, "<%s [closed]>", type);
    if (raw->name == self)
        return raise_error(vm, EXC_RUNTIME_ERROR, "reentrant call inside %s.__repr__", type);
    if (raw->name == VALUE_UNSET)
        return str_format(vm, "<%s fd=%d mode='%s' closefd=%s>", type, raw->fd, raw_mode(raw),
                          close);
    return str_format(vm, "<%s name=%V mode='%s' closefd=%s>", type, raw->name, raw_mode(raw),
                      close);
}

static void trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((RawFile *)object)->name);
}

static void finalize(GenVM *vm, Object *object) {
    (void)vm;
    RawFile *raw = (RawFile *)object;
    if (!raw->wrapped) close_descriptor(vm, raw);
}

static Value get_closed(GenVM *vm, Value self) {
    return (void)vm, bool_value(raw_is_closed(AS(RawFile, self)));
}
static Value get_closefd(GenVM *vm, Value self) {
    return (void)vm, bool_value(AS(RawFile, self)->closefd);
}
static Value get_blksize(GenVM *vm, Value self) {
    struct stat status;
    const RawFile *raw = AS(RawFile, self);
    (void)vm;
    if (raw->fd < 0 || fstat(raw->fd, &status) != 0 || status.st_blksize <= 1)
        return int_value(FILE_BUFFER_SIZE);
    return int_value(status.st_blksize);
}
static Value get_mode(GenVM *vm, Value self) {
    return str_from(vm, raw_mode(AS(RawFile, self)));
}
static Value get_name(GenVM *vm, Value self) {
    return raw_get_name(vm, AS(RawFile, self));
}

static bool set_name(GenVM *vm, Value self, Value name) {
    AS(RawFile, self)->name = name;
    gc_barrier(vm, as_object(self));
    return true;
}

static const NativeDef constructor = {
    "FileIO(cls, file, mode: str = 'r', closefd: bool = True, opener=None)", construct, NULL};

static const NativeDef methods[] = {
    {"static __new__(cls, /, *args, **kwargs)", new, "Create and return a new object."},
    {"__init__(self, file, mode: str = 'r', closefd: bool = True, opener=None)", init,
     "Open a file."},
    {"__enter__(self, /)", method_enter, NULL},
    {"__exit__(self, /, *args)", exit_closing, NULL},
    {"__del__(self, /)", file_del, NULL},
    {"close(self, /)", method_close, "Close the file."},
    {"fileno(self, /)", method_fileno, "Return the underlying file descriptor (an integer)."},
    {"flush(self, /)", method_flush, "Does nothing: there is no buffer."},
    {"isatty(self, /)", method_isatty, "True if the file is connected to a TTY device."},
    {"read(self, size=None, /)", method_read, "Read at most size bytes, returned as bytes."},
    {"readable(self, /)", method_readable, "True if file was opened in a read mode."},
    {"readall(self, /)", method_readall, "Read all data from the file, returned as bytes."},
    {"readinto(self, buffer, /)", method_readinto, "Read bytes into an object."},
    {"readline(self, size=-1, /)", method_readline, "Read and return a line from the stream."},
    {"readlines(self, hint=None, /)", method_readlines, "Return a list of lines from the stream."},
    {"seek(self, pos: index, whence: index = 0, /)", method_seek,
     "Move to a new file position and return it."},
    {"seekable(self, /)", method_seekable, "True if file supports random-access."},
    {"tell(self, /)", method_tell, "Current file position."},
    {"truncate(self, size=None, /)", method_truncate,
     "Truncate the file to at most size bytes and return the size."},
    {"writable(self, /)", method_writable, "True if file was opened in a write mode."},
    {"write(self, b, /)", method_write, "Write bytes to file, return their number."},
    {"writelines(self, lines, /)", method_writelines, "Write a list of lines to stream."},
    {NULL, NULL, NULL},
};

static const AttributeDef attributes[] = {
    {"__dict__", instance_dict_get, instance_dict_set, NULL},
    {"_blksize", get_blksize, NULL, "Preferred size of a buffer."},
    {"closed", get_closed, NULL, "True if the file is closed"},
    {"closefd", get_closefd, NULL, "True if the file descriptor will be closed by close()."},
    {"mode", get_mode, NULL, "String giving the file mode"},
    {"name", get_name, set_name, NULL},
    {NULL, NULL, NULL, NULL},
};

const BuiltinType file_raw_type = {
    .name = "FileIO",
    .module = "_io",
    .flags = TYPE_HAS_DICT,
    .size = sizeof(RawFile),
    .doc = "Open a file.",
    .construct = &constructor,
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = repr,
              .iter = self_if_open,
              .next = next,
              .trace = trace,
              .finalize = finalize,
              .custom = &file_raw_image},
};
