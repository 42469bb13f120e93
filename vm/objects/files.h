/* files.h - the layers of a file object, shared by the files that implement them and nobody else.
 *
 *     TextFile   text: decodes and encodes, translates line ends               file_text.c,
 * file_text_type.c | source Buffered   bytes: one buffer for reading, one for writing (or
 * MemoryFile)  file_buffered.c, file_buffered_type.c | raw RawFile    a file descriptor, or a
 * stream of the host                     file_raw.c
 *
 * open() makes all the layers it needs at once; each is an object that scripts can get at
 * (f.buffer.raw). The topmost owns those below: what becomes unreachable is written out and closed
 * from the top (`wrapped` says: not by me).
 *
 * A layer over anything else that scripts may put there is kept by stdlib/prelude/streams.gen
 * (file_script.c).
 *
 * The text layer keeps no decoded text. It looks for line ends in the bytes of its source and
 * decodes just what it hands out, so that tell() is the position of the source and reading a line
 * costs one search and one copy.
 */
#ifndef GEN_FILES_H
#define GEN_FILES_H

#include "vm/file.h"
#include "vm/objects/text.h"

enum { FILE_BUFFER_SIZE = 131072, TEXT_CHUNK = 8192 };

/* ---- file_raw.c ---- */

typedef struct RawFile {
    Object header;
    Value name;      /* str, bytes or int; VALUE_UNSET */
    int fd;          /* -1: closed */
    int8_t host;     /* 0, 1, 2: the host's stream of that number instead of fd; -1: none */
    int8_t seekable; /* -1: not known yet */
    bool readable, writable, created, appending;
    bool closefd; /* close() closes the descriptor */
    bool wrapped; /* a buffered file above closes it */
} RawFile;
enum { FILE_DELETED = 2 }; /* Object.flags of all layers: __del__ has been called */

static inline bool raw_is_closed(const RawFile *raw) {
    return raw->fd < 0 && raw->host < 0;
}
/* Opens: `file` is a path or a descriptor. `mode` holds one of r w a x and maybe +. NULL: an error
 * is pending. */
RawFile *raw_open(GenVM *vm, Value file, const char *mode, bool closefd);
bool raw_open_into(GenVM *vm, RawFile *raw, Value file, const char *mode, bool closefd);
RawFile *raw_new(GenVM *vm, Type *cls); /* closed */
int64_t raw_read(GenVM *vm, RawFile *raw, void *data,
                 size_t size); /* bytes, 0 at the end, -1: an error is pending */
/* Writes all; *done counts what went out even when it fails. */
bool raw_write(GenVM *vm, RawFile *raw, const void *data, size_t size, size_t *done);
bool raw_write_quietly(GenVM *vm, RawFile *raw, const void *data,
                       size_t size); /* for finalizers: raises nothing */
int64_t raw_seek(GenVM *vm, RawFile *raw, int64_t offset,
                 int whence); /* the new position; -1: an error is pending */
bool raw_is_seekable(RawFile *raw);
bool raw_is_tty(const RawFile *raw);
bool raw_truncate(GenVM *vm, RawFile *raw, int64_t size);
bool raw_close(GenVM *vm, RawFile *raw);
int64_t
raw_bytes_left(const RawFile *raw); /* of a regular file, from the position on; -1: not known */
const char *raw_mode(const RawFile *raw); /* "rb+" */
Value raw_fileno(GenVM *vm, const RawFile *raw);
Value raw_get_name(GenVM *vm, const RawFile *raw); /* AttributeError when it has none */

Value file_raise_unsupported(GenVM *vm, const char *message); /* io.UnsupportedOperation */
Value file_raise_closed(GenVM *vm);                           /* ValueError */
/* Bytes that a method may write into; false: TypeError "NAME() argument must be read-write
 * bytes-like object, not T". */
bool file_writable_span(GenVM *vm, const char *name, Value v, uint8_t **data, size_t *size);
bool file_size_arg(GenVM *vm, Value v,
                   int64_t *size); /* None: -1. LEAF_SCRIPT cases are refused with TypeError */

/* ---- file.c ---- */

/* The topmost layers that may have something to write are listed in vm->writers, weakly: what a
 * file that nothing reaches any more holds is written by its finalizer, some time; before a script
 * looks at the file system, file_sync does it. */
typedef struct FileLink {
    Object *file;
    struct FileLink *next, **place; /* place: what points to this one; NULL: not listed */
} FileLink;
void file_watch(GenVM *vm, Object *file,
                FileLink *link); /* has it finalized, and listed if link is not NULL */
void file_unlink(FileLink *link);

/* ---- file_script.c: layers over what scripts have written themselves ----
 *
 * A layer whose source is not plain, as below, has no source here but a `state` that
 * stdlib/prelude/streams.gen made: its methods are the functions there. */

/* Exactly one of the engine's types, with no attributes of its own that could be methods. */
bool file_is_plain(GenVM *vm, Object *file);
Value *file_state(Object *file); /* of a Buffered or a TextFile */
Value file_below(Object *file);  /* what a layer with a state is over; VALUE_UNSET for any other */
/* Why a layer without a source can do nothing: ValueError. Always false. */
bool file_raise_useless(GenVM *vm, bool detached);
/* Does what has to be done with it when nothing reaches it any more take script code. */
bool file_needs_script(GenVM *vm, Object *file);
Value file_exit(GenVM *vm, Value *args); /* __exit__: self.close() */
Value file_del(GenVM *vm, Value *args);  /* __del__ */

/* A read or write of more than this is made in pieces (streams.gen) where other threads wait for
 * their turn, or a deadline may come meanwhile. */
enum { FILE_PIECE = 1 << 20 }; /* bytes */
bool file_shares(GenVM *vm, RawFile *raw, uint64_t size);
Value file_read_pieces(GenVM *vm, Value file, int64_t size); /* -1: all */
Value file_write_pieces(GenVM *vm, Value file, Value data);

/* A method `name` of which streams.gen has the counterpart; `count`: of arguments, with self. */
#define SCRIPTED(name, twin, count)                                                                \
    static Value scripted_##name(GenVM *vm, Value *args) {                                         \
        if (likely(*file_state(as_object(args[0])) == VALUE_UNSET))                                \
            return method_##name(vm, args);                                                        \
        return native_twin_array(vm, TWIN_##twin, count, args);                                    \
    }
/* The same for an attribute. */
#define SCRIPTED_GET(name, twin)                                                                   \
    static Value scripted_get_##name(GenVM *vm, Value self) {                                      \
        if (likely(*file_state(as_object(self)) == VALUE_UNSET)) return get_##name(vm, self);      \
        return native_twin(vm, TWIN_##twin, 1, self);                                              \
    }

/* ---- file_buffered.c ---- */

typedef struct Buffered { /* kinds BUFFERED_READER, BUFFERED_WRITER, BUFFERED_RANDOM */
    Object header;
    RawFile *raw;     /* NULL: detached, or there is a state */
    Value state;      /* over anything but a plain FileIO: see file_state; or VALUE_UNSET */
    Value below;      /* with a state: the raw stream; or VALUE_UNSET */
    Buffer *in, *out; /* NULL until used. Not both hold something */
    size_t at, end;   /* what is read but not taken: in->data[at..end] */
    size_t used;      /* what waits to be written: out->data[sent..used] */
    size_t sent;      /* not 0 only between two drains */
    size_t size;      /* of each buffer */
    uint32_t version; /* changes when `in` is dropped or moved: see TextFile.window */
    bool wrapped;     /* a text file above closes it */
    bool may_grow;    /* what is written stays in `out`, however much, until file_drain */
    bool flush_due;   /* a flush was asked for meanwhile */
    bool detached;
    FileLink link;
} Buffered;

static inline bool is_buffered(Value v) {
    return is_kind(v, TYPE_BUFFERED_READER) || is_kind(v, TYPE_BUFFERED_WRITER) ||
           is_kind(v, TYPE_BUFFERED_RANDOM);
}
Buffered *buffered_new(GenVM *vm, TypeId kind, Type *cls);
bool buffered_attach(GenVM *vm, Buffered *file, RawFile *raw, int64_t size);
RawFile *buffered_detach(GenVM *vm, Buffered *file); /* the raw file is nobody's then */
bool buffered_is_closed(const Buffered *file);       /* or detached */
bool buffered_flush(GenVM *vm, Buffered *file);      /* what waits to be written */
/* file_wait.c: before a call that takes `wanted` bytes, or a line, where there are other threads:
 * has them in the buffer, or all up to the end. False: the thread is parked, or an error is
 * pending. */
bool file_gather(GenVM *vm, Buffered *file, size_t wanted, bool line);
/* The same for writing: may the thread be parked where a pipe is full. Then a native puts what it
 * writes with may_grow, and has file_drain write it, parked meanwhile; when it is run anew
 * (vm->resumed), only the latter is left. */
bool file_drains(GenVM *vm, const Buffered *file);
bool file_drain(GenVM *vm,
                Buffered *file); /* false: the thread is parked, or an error is pending */
/* Would a `next` have to park the thread, which only a call of readline can. */
bool file_line_waits(GenVM *vm, const Buffered *file);
/* Reads more behind what is there; *moved: by how much that moved down. False: an error is pending.
 * Nothing is added at the end of the file. */
bool buffered_fill(GenVM *vm, Buffered *file, size_t *moved);
bool buffered_put(GenVM *vm, Buffered *file, const void *data, size_t size);
int64_t buffered_tell(GenVM *vm, Buffered *file);
int64_t buffered_seek(GenVM *vm, Buffered *file, int64_t offset, int whence);
bool buffered_truncate(GenVM *vm, Buffered *file, int64_t size);
/* After an error of a read: was it that a descriptor which does not block has nothing now? Then the
 * error is taken back. */
bool buffered_has_nothing(GenVM *vm);
int64_t buffered_read(GenVM *vm, Buffered *file, uint8_t *data,
                      size_t size); /* reads on until full or the end; -1 */
bool buffered_read_rest(GenVM *vm, Buffered *file, StrBuilder *out);
bool buffered_close(GenVM *vm, Buffered *file);
void buffered_close_quietly(GenVM *vm, Buffered *file);
bool buffered_begin_read(GenVM *vm, Buffered *file); /* turns from writing to reading */
Value buffered_take_all(GenVM *vm, Buffered *file);  /* bytes: read() */

/* ---- bytes_io.c ---- */

typedef struct MemoryFile { /* BytesIO */
    Object header;
    Value array;      /* ByteArray: its contents; VALUE_UNSET: closed */
    size_t at;        /* may lie beyond the end */
    uint32_t version; /* changes when the contents or the position do by another way than reading */
} MemoryFile;

static inline void bytes_io_span(const MemoryFile *file, const uint8_t **data, size_t *size) {
    *data = (const uint8_t *)bytes_data(file->array, size);
}
bool bytes_io_put(GenVM *vm, MemoryFile *file, const void *data, size_t size);
bool bytes_io_truncate(GenVM *vm, MemoryFile *file, size_t size);

/* string_io.c: what a StringIO is beside its attributes, and one made from that; VALUE_UNSET: none
 * is like that. */
Value string_io_state(GenVM *vm, Value file, uint64_t *at, uint8_t bits[3]);
Value string_io_restore(GenVM *vm, Type *type, const char *text, size_t size, uint64_t at,
                        const uint8_t bits[3]);

/* ---- file_text.c ---- */

typedef enum LineEnds {                   /* what ends a line when reading */
                        LINES_TRANSLATED, /* any of \n, \r, \r\n, which is read as \n */
                        LINES_ANY,        /* any of them, as it is */
                        LINES_LF,
                        LINES_CR,
                        LINES_CRLF,
} LineEnds;

typedef struct TextFile { /* kind FILE: TextIOWrapper */
    Object header;
    Object *source;         /* Buffered or MemoryFile; NULL: detached, or there is a state */
    Value state;            /* over anything but those: see file_state; or VALUE_UNSET */
    Value below;            /* with a state: the buffer; or VALUE_UNSET */
    Value encoding, errors; /* str: as given */
    Value mode;             /* str, or VALUE_UNSET */
    Codec start_codec;      /* at the start of the file */
    Codec codec;            /* the same; or, once a byte order mark is read, of what is behind it */
    LineEnds lines;
    uint8_t line_end; /* what is written for \n: 0 itself, 1 \r, 2 \r\n */
    bool readable, writable;
    bool line_buffering, write_through;
    bool copies;    /* UTF-8 without translation, for writing: text goes out as it is */
    bool mark_due;  /* a byte order mark comes before what is written next */
    bool iterating; /* tell() is off */
    bool detached;
    uint8_t seen; /* line ends met: SEEN_ bits */
    bool seen_cr; /* the last one was \r, as the last character: a \n that follows belongs to it */
    uint32_t chunk;  /* bytes that are looked at, or gathered in `pending`, at a time */
    Buffer *pending; /* encoded text that is not handed to the source yet */
    uint32_t pending_used;
    /* What is known of the source's bytes from its position on, as indexes into its buffer. They
     * hold while the source has this version: */
    uint32_t version;
    size_t window; /* up to here they are UTF-8 (or ASCII in a codec that has it as a part) and can
                      be taken as they are */
    size_t ascii_from, ascii_end; /* these are ASCII */
    size_t cr_at; /* where the next \r is, or `window`; just `window` where only \n ends a line */
    Value ahead;  /* else: text of all bytes up to the source's position that is decoded but not
                     taken, or VALUE_UNSET */
    size_t ahead_at; /* bytes of it that are taken */
    FileLink link;
} TextFile;
enum { SEEN_CR = 1, SEEN_LF = 2, SEEN_CRLF = 4 };

/* file_text_read.c. The line is empty at the end; limit and count are in characters, -1: none. */
Value file_text_line(GenVM *vm, TextFile *file, int64_t limit);
Value file_text_read(GenVM *vm, TextFile *file, int64_t count);
/* Finds the end of the first line of `size` bytes, searching from `from` on. *text: where its text
 * ends; *used: and its line end; they differ where that is to be read as \n. False: not found;
 * *used is where to search on once there is more. */
bool file_find_line_end(LineEnds lines, const char *data, size_t size, size_t from, bool at_end,
                        size_t *text, size_t *used);
void file_note_line_ends(uint8_t *seen, bool *seen_cr, const char *data, size_t size);
size_t file_translate(char *data, size_t size); /* \r\n and \r become \n in place; the new size */
Value file_line_ends_seen(GenVM *vm, uint8_t seen); /* None, a str or a tuple of them */
void file_text_forget(TextFile *file);              /* what is known of the source's bytes */

/* file_text.c */
TextFile *file_text_new(GenVM *vm, Type *cls); /* detached */
bool file_text_attach(GenVM *vm, TextFile *file, Object *source, Value encoding, Value errors,
                      Value newline);
bool file_text_set_newline(GenVM *vm, TextFile *file, Value newline);
/* False when `newline` (None or a str) is none of those there are. */
bool file_parse_newline(Value newline, LineEnds *lines, uint8_t *line_end);
Value file_put_line_ends(GenVM *vm, Value text, uint8_t line_end); /* \n as \r or \r\n */
bool file_text_set_encoding(GenVM *vm, TextFile *file, Value encoding, Value errors);
bool file_text_check(GenVM *vm, const TextFile *file); /* false: closed or detached, ValueError */
bool file_text_write(GenVM *vm, TextFile *file, Value text);
bool file_text_push(GenVM *vm, TextFile *file);  /* hands what is pending to the source */
bool file_text_flush(GenVM *vm, TextFile *file); /* and has the source write it */
int64_t file_text_tell(GenVM *vm, TextFile *file);
bool file_text_seek(GenVM *vm, TextFile *file, int64_t position, int whence, int64_t *result);
bool file_text_pass_window(GenVM *vm, TextFile *file); /* what has been looked at counts as read */
bool file_text_close(GenVM *vm, TextFile *file);
void file_text_close_quietly(GenVM *vm, TextFile *file);
RawFile *source_raw(Object *source); /* NULL: in memory */
Object *file_text_detach(GenVM *vm, TextFile *file);
bool source_is_closed(const Object *source);
void source_wrap(GenVM *vm, Object *source, bool wrapped); /* is it closed by the text file */

/* image_files.c */
extern const struct ImageCustom file_raw_image, file_buffered_image, file_text_image;

#endif
