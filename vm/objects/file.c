/* file.c - file objects: the standard streams, buffered. */
#include "vm/file.h"
#include "vm/genvm.h"
#include "vm/objects.h"

#include <errno.h>
#include <unistd.h>

typedef struct File {
    Object header;
    int stream;
    Buffer *buffer;
    size_t used;
    bool line_buffered;
} File;
enum { FILE_BUFFER = 8192 };

Value file_new_stream(GenVM *vm, int stream) {
    File *file = gc_new(vm, sizeof *file, TYPE_FILE);
    if (!file) return VALUE_ERROR;
    file->stream = stream;
    file->line_buffered = stream == 2 || isatty(stream);
    file->buffer = gc_buffer_new(vm, FILE_BUFFER);
    return file->buffer ? object_value(file) : VALUE_ERROR;
}

bool file_is_text(Value file) { return (void)file, true; }

static bool write_out(GenVM *vm, File *file, const char *data, size_t size) {
    if (!(vm->capabilities & GEN_CAP_STDIO)) {
        if (!vm->host_write || vm->host_write(vm->host_data, file->stream, data, size)) return true;
        raise_os_error(vm, EIO, VALUE_UNSET);
        return false;
    }
    while (size) {
        ssize_t done = write(file->stream, data, size);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) {
            raise_os_error(vm, errno, VALUE_UNSET);
            return false;
        }
        data += done;
        size -= (size_t)done;
    }
    return true;
}

bool file_flush(GenVM *vm, Value v) {
    File *file = AS(File, v);
    size_t used = file->used;
    file->used = 0;
    return !used || write_out(vm, file, (const char *)file->buffer->data, used);
}

bool file_write_text(GenVM *vm, Value v, const char *utf8, size_t size) {
    File *file = AS(File, v);
    if (size > FILE_BUFFER - file->used && !file_flush(vm, v)) return false;
    if (size > FILE_BUFFER) return write_out(vm, file, utf8, size);
    memcpy(file->buffer->data + file->used, utf8, size);
    file->used += size;
    return !file->line_buffered || !memchr(utf8, '\n', size) || file_flush(vm, v);
}

static Value method_write(GenVM *vm, Value *args) {
    Str *str = AS_STR(args[1]);
    return file_write_text(vm, args[0], str->data, str->size) ? int_value(str->length) : VALUE_ERROR;
}
static Value method_flush(GenVM *vm, Value *args) { return file_flush(vm, args[0]) ? VALUE_NONE : VALUE_ERROR; }

static void trace(GenVM *vm, Object *object) { gc_mark_pointer(vm, ((File *)object)->buffer); }

static const NativeDef methods[] = {
    {"write(self, text: str, /)", method_write, "Write text; the number of characters."},
    {"flush(self, /)", method_flush, "Hand what is buffered to the system."},
    {NULL, NULL, NULL},
};

const BuiltinType file_type = {
    .name = "TextIOWrapper", .module = "_io", .base = TYPE_OBJECT, .flags = TYPE_NO_NEW, .size = sizeof(File),
    .doc = "A text stream.", .methods = methods, .slots = {.trace = trace},
};
