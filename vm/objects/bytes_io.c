/* bytes_io.c - BytesIO: a file in memory. Its contents are a bytearray, so that getbuffer() is a
 * view on just that, and views keep the size as it is.
 */
#include "vm/objects/files.h"

static inline MemoryFile *memory_of(Value v) {
    return AS(MemoryFile, v);
}
static inline ByteArray *array_of(const MemoryFile *file) {
    return AS(ByteArray, file->array);
}

static MemoryFile *open_file(GenVM *vm, Value self) {
    MemoryFile *file = memory_of(self);
    if (likely(file->array != VALUE_UNSET)) return file;
    file_raise_closed(vm);
    return NULL;
}

/* Views that nothing reaches any more still count until they are collected: before a change is
 * refused because of views, there is a collection, and the method is called again. */
enum { AGAIN = 1 }; /* Object.flags: it is the second call */

static bool needs_collection(MemoryFile *file) {
    bool again = file->header.flags & AGAIN;
    file->header.flags &= (uint8_t)~AGAIN;
    if (again || !array_of(file)->exports) return false;
    file->header.flags |= AGAIN;
    return true;
}

static Value collect_and_call(GenVM *vm, Value self, const char *method, Value arg) {
    Value name = str_from(vm, method);
    return name == VALUE_ERROR ? name : native_twin(vm, TWIN_FILE_AGAIN, 3, self, name, arg);
}

static Value raise_exports(GenVM *vm) {
    return raise_error(vm, EXC_BUFFER_ERROR, "Existing exports of data: object cannot be re-sized");
}

/* ---- contents ---- */

bool bytes_io_truncate(GenVM *vm, MemoryFile *file, size_t size) {
    if (size >= array_of(file)->size) return true;
    file->version++;
    return bytearray_resize(vm, array_of(file), size);
}

bool bytes_io_put(GenVM *vm, MemoryFile *file, const void *data, size_t size) {
    ByteArray *array = array_of(file);
    size_t old_size = array->size, end;
    if (array->exports) return raise_exports(vm), false;
    if (size == 0) return true;
    if (__builtin_add_overflow(file->at, size, &end) || !gc_check_size(vm, end))
        return vm->exception != VALUE_UNSET ? false
                                            : (raise_overflow(vm, "new position too large"), false);
    if (end > old_size && !bytearray_resize(vm, array, end)) return false;
    uint8_t *start = array->buffer->data;
    if (file->at > old_size) memset(start + old_size, 0, file->at - old_size);
    memmove(start + file->at, data, size);
    file->at = end;
    file->version++;
    return true;
}

/* Passes over up to `count` bytes. */
static TextSpan take(MemoryFile *file, int64_t count) {
    const uint8_t *data;
    size_t size;
    bytes_io_span(file, &data, &size);
    size_t at = file->at < size ? file->at : size, ready = size - at;
    if (count >= 0 && (uint64_t)count < ready) ready = (size_t)count;
    if (ready) file->at = at + ready;
    return (TextSpan){(const char *)data + at, ready};
}

/* What was passed over from `at` on; the position is that again where it cannot be copied. */
static Value taken(GenVM *vm, MemoryFile *file, size_t at, TextSpan span) {
    Value data = span.size ? bytes_work(vm, span.data, span.size) : vm->empty_bytes;
    if (data == VALUE_ERROR) file->at = at;
    return data;
}

static Value take_line(GenVM *vm, MemoryFile *file, int64_t limit) {
    size_t at = file->at;
    TextSpan span = take(file, limit);
    const char *end = span.size ? memchr(span.data, '\n', span.size) : NULL;
    if (end) {
        span.size = (size_t)(end + 1 - span.data);
        file->at = at + span.size;
    }
    return taken(vm, file, at, span);
}

/* ---- making ---- */

static MemoryFile *alloc(GenVM *vm, Type *cls) {
    MemoryFile *file = gc_new_of(vm, sizeof *file, TYPE_BYTES_IO, cls);
    Value array = file ? bytearray_new(vm, NULL, 0) : VALUE_ERROR;
    if (array == VALUE_ERROR) return NULL;
    file->array = array;
    return file;
}

static Value init(GenVM *vm, Value *args) {
    MemoryFile *file = memory_of(args[0]);
    TextSpan span = {"", 0};
    if (args[1] != VALUE_NONE && !bytes_take_span(vm, args[1], &span)) return VALUE_ERROR;
    Value array = span.size ? bytearray_work(vm, span.data, span.size) : bytearray_new(vm, NULL, 0);
    if (array == VALUE_ERROR) return VALUE_ERROR;
    file->array = array;
    file->at = 0;
    file->version++;
    gc_barrier(vm, file);
    return VALUE_NONE;
}

static Value construct(GenVM *vm, Value *args) {
    MemoryFile *file = alloc(vm, type_from(args[0]));
    if (!file) return VALUE_ERROR;
    args[0] = object_value(file);
    return init(vm, args) == VALUE_ERROR ? VALUE_ERROR : args[0];
}

static Value new (GenVM *vm, Value *args) {
    MemoryFile *file = alloc(vm, type_from(args[0]));
    return file ? object_value(file) : VALUE_ERROR;
}

/* ---- methods ---- */

static Value method_read(GenVM *vm, Value *args) {
    int64_t count;
    MemoryFile *file = open_file(vm, args[0]);
    if (!file || !file_size_arg(vm, args[1], &count)) return VALUE_ERROR;
    size_t at = file->at;
    return taken(vm, file, at, take(file, count));
}

static Value method_readinto(GenVM *vm, Value *args) {
    uint8_t *data;
    size_t size;
    if (!file_writable_span(vm, "readinto", args[1], &data, &size)) return VALUE_ERROR;
    MemoryFile *file = open_file(vm, args[0]);
    if (!file) return VALUE_ERROR;
    TextSpan span = take(file, (int64_t)size);
    memmove(data, span.data, span.size);
    return int_value((int64_t)span.size);
}

static Value method_readline(GenVM *vm, Value *args) {
    int64_t limit;
    MemoryFile *file = open_file(vm, args[0]);
    return file && file_size_arg(vm, args[1], &limit) ? take_line(vm, file, limit) : VALUE_ERROR;
}

static Value method_readlines(GenVM *vm, Value *args) {
    int64_t hint, size = 0;
    MemoryFile *file = open_file(vm, args[0]);
    Value lines = file && file_size_arg(vm, args[1], &hint) ? list_new(vm, 0) : VALUE_ERROR;
    if (lines == VALUE_ERROR) return VALUE_ERROR;
    for (size_t at = file->at;;) {
        Value line = take_line(vm, file, -1);
        if (line != VALUE_ERROR && AS(Bytes, line)->size == 0) break;
        if (line == VALUE_ERROR || !native_glance(vm, AS_LIST(lines)->count) ||
            !list_append(vm, lines, line)) {
            file->at = at; /* it may be called again */
            return VALUE_ERROR;
        }
        size += (int64_t)AS(Bytes, line)->size;
        if (hint > 0 && size >= hint) break;
    }
    return lines;
}

static Value next(GenVM *vm, Value self) {
    MemoryFile *file = open_file(vm, self);
    Value line = file ? take_line(vm, file, -1) : VALUE_ERROR;
    return line != VALUE_ERROR && AS(Bytes, line)->size == 0 ? VALUE_END : line;
}

/* Before anything is written, or filled with zeros. */
static bool foresee_put(GenVM *vm, const MemoryFile *file, size_t size) {
    size_t before = array_of(file)->size;
    return text_foresee(vm, size, 1) &&
           (file->at <= before || text_foresee(vm, file->at - before, 1));
}

static Value method_write(GenVM *vm, Value *args) {
    TextSpan span;
    if (!bytes_take_span(vm, args[1], &span)) return VALUE_ERROR;
    MemoryFile *file = open_file(vm, args[0]);
    if (file && needs_collection(file)) return collect_and_call(vm, args[0], "write", args[1]);
    if (file && !foresee_put(vm, file, span.size)) return VALUE_ERROR;
    return file && bytes_io_put(vm, file, span.data, span.size) ? int_value((int64_t)span.size)
                                                                : VALUE_ERROR;
}

static Value method_writelines(GenVM *vm, Value *args) {
    if (!open_file(vm, args[0])) return VALUE_ERROR;
    return native_twin(vm, TWIN_FILE_WRITELINES, 2, args[0], args[1]);
}

static Value method_getvalue(GenVM *vm, Value *args) {
    MemoryFile *file = open_file(vm, args[0]);
    if (!file) return VALUE_ERROR;
    const uint8_t *data;
    size_t size;
    bytes_io_span(file, &data, &size);
    return size ? bytes_work(vm, data, size) : vm->empty_bytes;
}

static Value method_getbuffer(GenVM *vm, Value *args) {
    MemoryFile *file = open_file(vm, args[0]);
    return file ? native_call(vm, object_value(vm->types[TYPE_MEMORYVIEW]), 1, file->array)
                : VALUE_ERROR;
}

static Value method_seek(GenVM *vm, Value *args) {
    MemoryFile *file = open_file(vm, args[0]);
    if (!file) return VALUE_ERROR;
    int64_t position = as_int(args[1]), whence = as_int(args[2]);
    if (whence < 0 || whence > 2)
        return raise_value(vm, "invalid whence (%lld, should be 0, 1 or 2)", (long long)whence);
    if (whence == 0 && position < 0)
        return raise_value(vm, "negative seek value %lld", (long long)position);
    if (whence == 1) position += (int64_t)file->at;
    if (whence == 2) position += (int64_t)array_of(file)->size;
    file->at = position < 0 ? 0 : (size_t)position;
    file->version++;
    return int_value((int64_t)file->at);
}

static Value method_tell(GenVM *vm, Value *args) {
    MemoryFile *file = open_file(vm, args[0]);
    return file ? int_value((int64_t)file->at) : VALUE_ERROR;
}

static Value method_truncate(GenVM *vm, Value *args) {
    MemoryFile *file = open_file(vm, args[0]);
    int64_t size;
    if (!file || !file_size_arg(vm, args[1], &size)) return VALUE_ERROR;
    if (needs_collection(file)) return collect_and_call(vm, args[0], "truncate", args[1]);
    if (array_of(file)->exports) return raise_exports(vm);
    if (args[1] == VALUE_NONE) size = (int64_t)file->at;
    if (size < 0) return raise_value(vm, "negative size value %lld", (long long)size);
    return bytes_io_truncate(vm, file, (size_t)size) ? int_value(size) : VALUE_ERROR;
}

static Value method_close(GenVM *vm, Value *args) {
    MemoryFile *file = memory_of(args[0]);
    if (file->array != VALUE_UNSET && needs_collection(file))
        return collect_and_call(vm, args[0], "close", VALUE_NONE);
    if (file->array != VALUE_UNSET && array_of(file)->exports) return raise_exports(vm);
    file->array = VALUE_UNSET;
    return VALUE_NONE;
}

static Value self_if_open(GenVM *vm, Value self) {
    return open_file(vm, self) ? self : VALUE_ERROR;
}
static Value method_enter(GenVM *vm, Value *args) {
    return self_if_open(vm, args[0]);
}
static Value method_yes(GenVM *vm, Value *args) {
    return open_file(vm, args[0]) ? VALUE_TRUE : VALUE_ERROR;
}
static Value method_isatty(GenVM *vm, Value *args) {
    return open_file(vm, args[0]) ? VALUE_FALSE : VALUE_ERROR;
}
static Value method_flush(GenVM *vm, Value *args) {
    return open_file(vm, args[0]) ? VALUE_NONE : VALUE_ERROR;
}
static Value method_fileno(GenVM *vm, Value *args) {
    return (void)args, file_raise_unsupported(vm, "fileno");
}
static Value method_detach(GenVM *vm, Value *args) {
    return (void)args, file_raise_unsupported(vm, "detach");
}
static Value get_closed(GenVM *vm, Value self) {
    return (void)vm, bool_value(memory_of(self)->array == VALUE_UNSET);
}

static void trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((MemoryFile *)object)->array);
}

static const NativeDef constructor = {"BytesIO(cls, initial_bytes=None)", construct, NULL};

static const NativeDef methods[] = {
    {"static __new__(cls, /, *args, **kwargs)", new, "Create and return a new object."},
    {"__init__(self, initial_bytes=None)", init,
     "Buffered I/O implementation using an in-memory bytes buffer."},
    {"__enter__(self, /)", method_enter, NULL},
    {"__exit__(self, /, *args)", method_close, NULL},
    {"close(self, /)", method_close, "Disable all I/O operations."},
    {"detach(self, /)", method_detach, NULL},
    {"fileno(self, /)", method_fileno, NULL},
    {"flush(self, /)", method_flush, "Does nothing."},
    {"getbuffer(self, /)", method_getbuffer,
     "Get a read-write view over the contents of the BytesIO object."},
    {"getvalue(self, /)", method_getvalue, "Retrieve the entire contents of the BytesIO object."},
    {"isatty(self, /)", method_isatty, "Always returns False."},
    {"read(self, size=None, /)", method_read,
     "Read at most size bytes, returned as a bytes object."},
    {"read1(self, size=None, /)", method_read,
     "Read at most size bytes, returned as a bytes object."},
    {"readable(self, /)", method_yes, "Returns True if the IO object can be read."},
    {"readinto(self, buffer, /)", method_readinto, "Read bytes into buffer."},
    {"readinto1(self, buffer, /)", method_readinto, "Read bytes into buffer."},
    {"readline(self, size=None, /)", method_readline,
     "Next line from the file, as a bytes object."},
    {"readlines(self, size=None, /)", method_readlines,
     "List of bytes objects, each a line from the file."},
    {"seek(self, pos: index, whence: index = 0, /)", method_seek,
     "Change stream position and return it."},
    {"seekable(self, /)", method_yes, "Returns True if the IO object can be seeked."},
    {"tell(self, /)", method_tell, "Current file position, an integer."},
    {"truncate(self, size=None, /)", method_truncate,
     "Truncate the file to at most size bytes and return the size."},
    {"writable(self, /)", method_yes, "Returns True if the IO object can be written."},
    {"write(self, b, /)", method_write, "Write bytes to file and return their number."},
    {"writelines(self, lines, /)", method_writelines, "Write lines to the file."},
    {NULL, NULL, NULL},
};

static const AttributeDef attributes[] = {
    {"__dict__", instance_dict_get, instance_dict_set, NULL},
    {"closed", get_closed, NULL, "True if the file is closed."},
    {NULL, NULL, NULL, NULL}};

const BuiltinType bytes_io_type = {
    .name = "BytesIO",
    .module = "_io",
    .flags = TYPE_HAS_DICT,
    .size = sizeof(MemoryFile),
    .construct = &constructor,
    .doc = "Buffered I/O implementation using an in-memory bytes buffer.",
    .methods = methods,
    .attributes = attributes,
    .slots = {.iter = self_if_open, .next = next, .trace = trace},
};
