/* string_io.c - StringIO: a text file in memory, as UTF-8 in a buffer that doubles.
 *
 * Positions are in characters; the byte that belongs to the current one is kept beside it, so
 * reading and writing on are never more than the bytes they move. In ASCII text the two are the
 * same, and any seek is free.
 */
#include "vm/objects/files.h"

typedef struct StringFile {
    Object header;
    Buffer *buffer;   /* NULL while empty */
    size_t size;      /* bytes */
    size_t length;    /* characters */
    size_t at;        /* characters; may lie beyond the end */
    size_t at_byte;   /* of `at`, or `size` */
    LineEnds lines;   /* where lines end when reading */
    uint8_t line_end; /* see file_put_line_ends */
    bool translates;  /* newline=None: \r\n and \r become \n when written */
    bool closed;
    uint8_t seen;
} StringFile;

static inline StringFile *string_of(Value v) {
    return AS(StringFile, v);
}
static inline char *data_of(const StringFile *file) {
    return file->buffer ? (char *)file->buffer->data : (char *)"";
}

static StringFile *open_file(GenVM *vm, Value self) {
    StringFile *file = string_of(self);
    if (likely(!file->closed)) return file;
    raise_value(vm, "I/O operation on closed file");
    return NULL;
}

/* ---- position ---- */

enum { CHARACTERS_A_STEP = 16 };

static size_t byte_of(GenVM *vm, const StringFile *file, size_t at) {
    if (at >= file->length) return file->size;
    if (file->size == file->length) return at;
    const char *data = data_of(file);
    size_t byte = 0;
    if (file->at <= at && file->at <= file->length) {
        at -= file->at;
        byte = file->at_byte;
    }
    native_spend(vm, at / CHARACTERS_A_STEP);
    while (at--)
        byte += utf8_lead_width(data[byte]);
    return byte;
}

static void set_position(GenVM *vm, StringFile *file, size_t at) {
    file->at_byte = byte_of(vm, file, at);
    file->at = at;
}

/* ---- writing ---- */

static bool reserve(GenVM *vm, StringFile *file, size_t size) {
    size_t capacity = file->buffer ? file->buffer->capacity : 0;
    if (likely(size <= capacity)) return true;
    if (!gc_check_size(vm, size)) return false;
    size_t wanted = size < 2 * capacity ? 2 * capacity : size < 64 ? 64 : size;
    Buffer *buffer = gc_buffer_resize(vm, file->buffer, wanted);
    if (!buffer) return false;
    file->buffer = buffer;
    gc_barrier(vm, file);
    return true;
}

static bool put(GenVM *vm, StringFile *file, Str *text) {
    if (!text->size) return true;
    if (file->at > file->length) {
        size_t gap = file->at - file->length;
        if (!gc_check_size(vm, gap) || !reserve(vm, file, file->size + gap)) return false;
        memset(data_of(file) + file->size, 0, gap);
        file->size += gap;
        file->length += gap;
        file->at_byte = file->size;
    }
    native_spend(vm, (file->size - file->at_byte + text->size) / 16);
    size_t left = file->length - file->at, replaced = text->length < left ? text->length : left,
           old = file->at_byte;
    for (size_t i = 0; i < replaced; i++)
        old += utf8_lead_width(data_of(file)[old]);
    size_t gone = old - file->at_byte;
    if (!reserve(vm, file, file->size - gone + text->size)) return false;
    char *start = data_of(file) + file->at_byte;
    memmove(start + text->size, start + gone, file->size - old);
    memcpy(start, text->data, text->size);
    file->size += text->size - gone;
    file->length += text->length - replaced;
    file->at += text->length;
    file->at_byte += text->size;
    return true;
}

static Value without_cr(GenVM *vm, Value text) {
    Str *str = AS_STR(text);
    if (!memchr(str->data, '\r', str->size)) return text;
    Str *copy = str_alloc(vm, str->size, 0, 0);
    if (!copy) return VALUE_ERROR;
    memcpy((char *)copy->data, str->data, str->size);
    copy->size = (uint32_t)file_translate((char *)copy->data, str->size);
    return str_scanned(vm, copy);
}

static bool write_text(GenVM *vm, StringFile *file, Value text) {
    bool searched = file->translates || file->lines == LINES_ANY;
    if (!text_foresee(vm, AS_STR(text)->size, searched ? 4 : 1)) return false;
    if (searched) {
        bool seen_cr = false;
        file_note_line_ends(&file->seen, &seen_cr, AS_STR(text)->data, AS_STR(text)->size);
        if (seen_cr) file->seen |= SEEN_CR;
    }
    if (file->translates) text = without_cr(vm, text);
    if (text != VALUE_ERROR && file->line_end) text = file_put_line_ends(vm, text, file->line_end);
    return text != VALUE_ERROR && put(vm, file, AS_STR(text));
}

static Value method_write(GenVM *vm, Value *args) {
    if (!value_is_str(args[1]))
        return raise_type(vm, "string argument expected, got '%T'", args[1]);
    StringFile *file = open_file(vm, args[0]);
    return file && write_text(vm, file, args[1]) ? int_value(AS_STR(args[1])->length) : VALUE_ERROR;
}

static Value method_writelines(GenVM *vm, Value *args) {
    if (string_of(args[0])->closed) return file_raise_closed(vm);
    return native_twin(vm, TWIN_FILE_WRITELINES, 2, args[0], args[1]);
}

/* ---- reading ---- */

static Value take(GenVM *vm, StringFile *file, size_t bytes) {
    const char *start = data_of(file) + file->at_byte;
    if (!text_foresee(vm, bytes, 1)) return VALUE_ERROR;
    Value text = bytes ? str_new(vm, start, bytes) : vm->empty_str;
    if (text == VALUE_ERROR) return text;
    file->at += AS_STR(text)->length;
    file->at_byte += bytes;
    return text;
}

static size_t bytes_ready(const StringFile *file) {
    return file->at < file->length ? file->size - file->at_byte : 0;
}

/* The bytes of at most `count` characters (-1: all) from the position on. */
static size_t bytes_of(GenVM *vm, const StringFile *file, int64_t count) {
    size_t ready = bytes_ready(file);
    if (!ready || count < 0 || (uint64_t)count >= file->length - file->at) return ready;
    return byte_of(vm, file, file->at + (size_t)count) - file->at_byte;
}

static Value take_line(GenVM *vm, StringFile *file, int64_t limit) {
    size_t ready = bytes_of(vm, file, limit), text, used;
    const char *start = data_of(file) + file->at_byte;
    if (ready && file_find_line_end(file->lines, start, ready, 0, true, &text, &used)) ready = used;
    return take(vm, file, ready);
}

static Value method_read(GenVM *vm, Value *args) {
    int64_t count;
    StringFile *file = open_file(vm, args[0]);
    return file && file_size_arg(vm, args[1], &count) ? take(vm, file, bytes_of(vm, file, count))
                                                      : VALUE_ERROR;
}

static Value method_readline(GenVM *vm, Value *args) {
    int64_t limit;
    StringFile *file = open_file(vm, args[0]);
    return file && file_size_arg(vm, args[1], &limit) ? take_line(vm, file, limit) : VALUE_ERROR;
}

static Value next(GenVM *vm, Value self) {
    StringFile *file = open_file(vm, self);
    Value line = file ? take_line(vm, file, -1) : VALUE_ERROR;
    return line == vm->empty_str ? VALUE_END : line;
}

static Value method_readlines(GenVM *vm, Value *args) {
    if (string_of(args[0])->closed) return file_raise_closed(vm);
    return native_twin(vm, TWIN_FILE_READLINES, 2, args[0], args[1]);
}

static Value method_getvalue(GenVM *vm, Value *args) {
    StringFile *file = open_file(vm, args[0]);
    if (!file || !text_foresee(vm, file->size, 1)) return VALUE_ERROR;
    return file->size ? str_new(vm, data_of(file), file->size) : vm->empty_str;
}

/* ---- position ---- */

static Value method_seek(GenVM *vm, Value *args) {
    StringFile *file = open_file(vm, args[0]);
    if (!file) return VALUE_ERROR;
    int64_t position = as_int(args[1]), whence = as_int(args[2]);
    if (whence < 0 || whence > 2)
        return raise_value(vm, "Invalid whence (%lld, should be 0, 1 or 2)", (long long)whence);
    if (position < 0 && whence == 0)
        return raise_value(vm, "Negative seek position %lld", (long long)position);
    if (whence != 0 && position != 0)
        return raise_error(vm, EXC_OS_ERROR, "Can't do nonzero cur-relative seeks");
    if (whence == 1) position = (int64_t)file->at;
    if (whence == 2) position = (int64_t)file->length;
    set_position(vm, file, (size_t)position);
    return int_value(position);
}

static Value method_tell(GenVM *vm, Value *args) {
    StringFile *file = open_file(vm, args[0]);
    return file ? int_value((int64_t)file->at) : VALUE_ERROR;
}

static Value method_truncate(GenVM *vm, Value *args) {
    StringFile *file = open_file(vm, args[0]);
    int64_t size;
    if (!file || !file_size_arg(vm, args[1], &size)) return VALUE_ERROR;
    if (args[1] == VALUE_NONE) size = (int64_t)file->at;
    if (size < 0) return raise_value(vm, "Negative size value %lld", (long long)size);
    if ((uint64_t)size < file->length) {
        size_t at = file->at;
        file->size = byte_of(vm, file, (size_t)size);
        file->length = (size_t)size;
        file->at = file->at_byte = 0;
        set_position(vm, file, at);
    }
    return int_value(size);
}

/* ---- making ---- */

static bool set_newline(GenVM *vm, StringFile *file, Value newline) {
    if (newline != VALUE_NONE && !value_is_str(newline))
        return raise_type(vm, "newline must be str or None, not %T", newline), false;
    if (!file_parse_newline(newline, &file->lines, &file->line_end))
        return raise_value(vm, "illegal newline value: %V", newline), false;
    file->translates = newline == VALUE_NONE;
    if (file->translates) file->lines = LINES_LF;
    return true;
}

static Value init(GenVM *vm, Value *args) {
    StringFile *file = string_of(args[0]);
    if (!set_newline(vm, file, args[2])) return VALUE_ERROR;
    if (args[1] != VALUE_NONE && !value_is_str(args[1]))
        return raise_type(vm, "initial_value must be str or None, not %T", args[1]);
    file->size = file->length = file->at = file->at_byte = 0;
    file->closed = false;
    file->seen = 0;
    if (args[1] != VALUE_NONE && !write_text(vm, file, args[1])) return VALUE_ERROR;
    file->at = file->at_byte = 0;
    return VALUE_NONE;
}

static Value new (GenVM *vm, Value *args) {
    StringFile *file = gc_new_of(vm, sizeof *file, TYPE_STRING_IO, type_from(args[0]));
    if (!file) return VALUE_ERROR;
    file->lines = LINES_LF;
    return object_value(file);
}

static Value construct(GenVM *vm, Value *args) {
    args[0] = new (vm, args);
    return args[0] == VALUE_ERROR || init(vm, args) == VALUE_ERROR ? VALUE_ERROR : args[0];
}

/* ---- the rest ---- */

static Value method_close(GenVM *vm, Value *args) {
    (void)vm;
    StringFile *file = string_of(args[0]);
    file->closed = true;
    file->buffer = NULL;
    file->size = file->length = file->at = file->at_byte = 0;
    return VALUE_NONE;
}

static Value self_if_open(GenVM *vm, Value self) {
    return string_of(self)->closed ? file_raise_closed(vm) : self;
}
static Value method_enter(GenVM *vm, Value *args) {
    return self_if_open(vm, args[0]);
}
static Value method_yes(GenVM *vm, Value *args) {
    return open_file(vm, args[0]) ? VALUE_TRUE : VALUE_ERROR;
}
static Value method_isatty(GenVM *vm, Value *args) {
    return self_if_open(vm, args[0]) == VALUE_ERROR ? VALUE_ERROR : VALUE_FALSE;
}
static Value method_flush(GenVM *vm, Value *args) {
    return (void)vm, (void)args, VALUE_NONE;
}
static Value method_fileno(GenVM *vm, Value *args) {
    return (void)args, file_raise_unsupported(vm, "fileno");
}
static Value method_detach(GenVM *vm, Value *args) {
    return (void)args, file_raise_unsupported(vm, "detach");
}

static Value get_closed(GenVM *vm, Value self) {
    return (void)vm, bool_value(string_of(self)->closed);
}
static Value get_none(GenVM *vm, Value self) {
    return (void)vm, (void)self, VALUE_NONE;
}
static Value get_line_buffering(GenVM *vm, Value self) {
    return open_file(vm, self) ? VALUE_FALSE : VALUE_ERROR;
}
static Value get_newlines(GenVM *vm, Value self) {
    return open_file(vm, self) ? file_line_ends_seen(vm, string_of(self)->seen) : VALUE_ERROR;
}

/* ---- for images ---- */

Value string_io_state(GenVM *vm, Value self, uint64_t *at, uint8_t bits[3]) {
    const StringFile *file = string_of(self);
    *at = file->at;
    bits[0] = (uint8_t)file->lines;
    bits[1] = file->line_end;
    bits[2] = (uint8_t)(file->translates | file->closed << 1 | file->seen << 2);
    return str_new(vm, data_of(file), file->size);
}

Value string_io_restore(GenVM *vm, Type *type, const char *text, size_t size, uint64_t at,
                        const uint8_t bits[3]) {
    if (bits[0] > LINES_CRLF || bits[1] > 2 || at > (uint64_t)1 << 46) return VALUE_UNSET;
    StringFile *file = gc_new_of(vm, sizeof *file, TYPE_STRING_IO, type);
    Value str = file ? str_new(vm, text, size) : VALUE_ERROR;
    if (str == VALUE_ERROR || !put(vm, file, AS_STR(str))) return VALUE_ERROR;
    file->lines = (LineEnds)bits[0];
    file->line_end = bits[1];
    file->translates = bits[2] & 1;
    file->closed = bits[2] >> 1 & 1;
    file->seen = bits[2] >> 2;
    set_position(vm, file, at);
    return object_value(file);
}

static void trace(GenVM *vm, Object *object) {
    gc_mark_pointer(vm, ((StringFile *)object)->buffer);
}

static const NativeDef constructor = {"StringIO(cls, initial_value='', newline='\n')", construct,
                                      NULL};

static const NativeDef methods[] = {
    {"static __new__(cls, /, *args, **kwargs)", new, "Create and return a new object."},
    {"__init__(self, initial_value='', newline='\n')", init,
     "Text I/O implementation using an in-memory buffer."},
    {"__enter__(self, /)", method_enter, NULL},
    {"__exit__(self, /, *args)", method_close, NULL},
    {"close(self, /)", method_close, "Close the IO object."},
    {"detach(self, /)", method_detach, NULL},
    {"fileno(self, /)", method_fileno, NULL},
    {"flush(self, /)", method_flush, "Does nothing."},
    {"getvalue(self, /)", method_getvalue, "Retrieve the entire contents of the object."},
    {"isatty(self, /)", method_isatty, "Always returns False."},
    {"read(self, size=None, /)", method_read,
     "Read at most size characters, returned as a string."},
    {"readable(self, /)", method_yes, "Returns True if the IO object can be read."},
    {"readline(self, size=None, /)", method_readline, "Read until newline or EOF."},
    {"readlines(self, hint=None, /)", method_readlines, "Return a list of lines from the stream."},
    {"seek(self, pos: index, whence: index = 0, /)", method_seek,
     "Change stream position and return it."},
    {"seekable(self, /)", method_yes, "Returns True if the IO object can be seeked."},
    {"tell(self, /)", method_tell, "Tell the current file position."},
    {"truncate(self, pos=None, /)", method_truncate, "Truncate size to pos."},
    {"writable(self, /)", method_yes, "Returns True if the IO object can be written."},
    {"write(self, s, /)", method_write,
     "Write string to file and return the number of its characters."},
    {"writelines(self, lines, /)", method_writelines, "Write a list of lines to stream."},
    {NULL, NULL, NULL},
};

static const AttributeDef attributes[] = {
    {"__dict__", instance_dict_get, instance_dict_set, NULL},
    {"closed", get_closed, NULL, NULL},
    {"encoding", get_none, NULL, NULL},
    {"errors", get_none, NULL, NULL},
    {"line_buffering", get_line_buffering, NULL, NULL},
    {"newlines", get_newlines, NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

const BuiltinType string_io_type = {
    .name = "StringIO",
    .module = "_io",
    .flags = TYPE_HAS_DICT,
    .size = sizeof(StringFile),
    .construct = &constructor,
    .doc = "Text I/O implementation using an in-memory buffer.",
    .methods = methods,
    .attributes = attributes,
    .slots = {.iter = self_if_open, .next = next, .trace = trace},
};
