/* bz2.c - the module _bz2: streams of the library bzip2, which is loaded when the module is made;
 * bz2.gen has the classes.
 */
#include "stdlib/library.h"
#include "stdlib/modules.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/resource.h"
#include "vm/task.h"

#include <bzlib.h>
#include <limits.h>

#define FUNCTIONS(X)                                                                               \
    X(BZ2_bzCompressInit)                                                                          \
    X(BZ2_bzCompress)                                                                              \
    X(BZ2_bzCompressEnd)                                                                           \
    X(BZ2_bzDecompressInit)                                                                        \
    X(BZ2_bzDecompress)                                                                            \
    X(BZ2_bzDecompressEnd)

typedef struct Bzip {
#define FUNCTION(name) __typeof__(&name) name;
    FUNCTIONS(FUNCTION)
#undef FUNCTION
} Bzip;

static const char *const files[] = {"libbz2.so.1.0", "libbz2.so.1", NULL};
#define FUNCTION(name) #name,
static const char *const names[] = {FUNCTIONS(FUNCTION) NULL};
#undef FUNCTION
static const Library library = {files, names};

enum {
    PIECE = 16384,
    STEPS_OF_PIECE = PIECE / 8, /* this compression takes its time */
};

typedef struct Stream {
    bz_stream z;
    Bzip call;
    bool decompresses, at_end;
} Stream;

static const char kind[] = "bzip2 stream";

static Value raise_code(GenVM *vm, int code) {
    switch (code) {
    case BZ_MEM_ERROR: return raise_memory(vm);
    case BZ_PARAM_ERROR:
        return raise_value(vm, "Internal error - invalid parameters passed to libbzip2");
    case BZ_DATA_ERROR:
    case BZ_DATA_ERROR_MAGIC: return raise_error(vm, EXC_OS_ERROR, "Invalid data stream");
    case BZ_IO_ERROR: return raise_error(vm, EXC_OS_ERROR, "Unknown I/O error");
    case BZ_UNEXPECTED_EOF:
        return raise_error(vm, EXC_EOF_ERROR,
                           "Compressed file ended before the logical end-of-stream was detected");
    case BZ_SEQUENCE_ERROR:
        return raise_error(vm, EXC_RUNTIME_ERROR,
                           "Internal error - Invalid sequence of commands sent to libbzip2");
    }
    return raise_error(vm, EXC_OS_ERROR, "Unrecognized error from libbzip2: %d", code);
}

static void release(GenVM *vm, void *data) {
    Stream *stream = data;
    (void)vm;
    if (stream->decompresses)
        stream->call.BZ2_bzDecompressEnd(&stream->z);
    else
        stream->call.BZ2_bzCompressEnd(&stream->z);
    memory_free(stream);
}

static void *take_memory(void *vm, int count, int size) {
    return memory_new(vm, (size_t)count * (size_t)size);
}
static void give_memory(void *vm, void *block) {
    (void)vm;
    memory_free(block);
}

/* new(level): a stream that compresses, or for 0 one that decompresses */
static Value new_stream(GenVM *vm, Value *args) {
    Stream *stream = memory_new_zeroed(vm, 1, sizeof *stream);
    if (!stream) return raise_memory(vm);
    if (!library_load(vm, &library, &stream->call)) {
        memory_free(stream);
        return VALUE_ERROR;
    }
    int level = (int)as_int(args[0]);
    stream->decompresses = level == 0;
    stream->z.bzalloc = take_memory;
    stream->z.bzfree = give_memory;
    stream->z.opaque = vm;
    int code = level ? stream->call.BZ2_bzCompressInit(&stream->z, level, 0, 0)
                     : stream->call.BZ2_bzDecompressInit(&stream->z, 0, 0);
    if (code == BZ_OK) return resource_new(vm, kind, stream, release);
    memory_free(stream);
    return raise_code(vm, code);
}

/* One piece of output, at most `room` bytes. False: the step budget is used up. */
static bool run(GenVM *vm, Stream *stream, StrBuilder *out, size_t room, int action, int *code) {
    char piece[PIECE];
    unsigned offered = room < PIECE ? (unsigned)room : PIECE;
    stream->z.next_out = piece;
    stream->z.avail_out = offered;
    *code = stream->decompresses ? stream->call.BZ2_bzDecompress(&stream->z)
                                 : stream->call.BZ2_bzCompress(&stream->z, action);
    (void)budget_wait(vm, 0); /* where the deadline has come, the next safepoint is at once */
    return native_charge(vm, STEPS_OF_PIECE) &&
           builder_put(out, piece, offered - stream->z.avail_out);
}

static bool take(GenVM *vm, Value v, Stream *stream, size_t *size) {
    const uint8_t *data;
    if (!bytes_view(vm, v, &data, size)) {
        raise_type(vm, "a bytes-like object is required, not '%T'", v);
        return false;
    }
    stream->z.next_in = (char *)(uintptr_t)data;
    return true;
}

/* compress(stream, data, finish): what the stream gives for it */
static Value compress_some(GenVM *vm, Value *args) {
    Stream *stream = resource_data(vm, args[0], kind);
    size_t size;
    if (!stream || !take(vm, args[1], stream, &size)) return VALUE_ERROR;
    if (stream->decompresses) return raise_value(vm, "the stream decompresses");
    int action = args[2] == VALUE_TRUE ? BZ_FINISH : BZ_RUN;
    StrBuilder out;
    builder_init(&out, vm);
    while (size || action == BZ_FINISH) {
        unsigned given = size < UINT_MAX ? (unsigned)size : UINT_MAX;
        int code;
        stream->z.avail_in = given;
        if (!run(vm, stream, &out, PIECE, action, &code)) {
            builder_drop(&out);
            return VALUE_ERROR;
        }
        size -= given - stream->z.avail_in;
        if (code == BZ_STREAM_END) break;
        if (code < 0) {
            builder_drop(&out);
            return raise_code(vm, code);
        }
    }
    return builder_finish_bytes(&out);
}

/* decompress(stream, data, at most n bytes or -1): (bytes, how many of data were used, is the
 * stream at its end) */
static Value decompress_some(GenVM *vm, Value *args) {
    Stream *stream = resource_data(vm, args[0], kind);
    size_t size, used = 0;
    if (!stream || !take(vm, args[1], stream, &size)) return VALUE_ERROR;
    size_t most = as_int(args[2]) >= 0 ? (size_t)as_int(args[2]) : SIZE_MAX;
    StrBuilder out;
    builder_init(&out, vm);
    while (!stream->at_end && most) {
        unsigned given = size - used < UINT_MAX ? (unsigned)(size - used) : UINT_MAX;
        unsigned offered = most < PIECE ? (unsigned)most : PIECE;
        int code;
        stream->z.avail_in = given;
        if (!run(vm, stream, &out, offered, BZ_RUN, &code)) {
            builder_drop(&out);
            return VALUE_ERROR;
        }
        used += given - stream->z.avail_in;
        most -= offered - stream->z.avail_out;
        if (code == BZ_STREAM_END) stream->at_end = true;
        if (code < 0) {
            builder_drop(&out);
            return raise_code(vm, code);
        }
        if (used == size && stream->z.avail_out) break;
    }
    Value made = builder_finish_bytes(&out);
    if (made == VALUE_ERROR) return made;
    return tuple_pack(vm, 3, made, int_value((int64_t)used), bool_value(stream->at_end));
}

static const NativeDef functions[] = {
    {"new(level: index, /)", new_stream, NULL},
    {"compress(stream, data, finish: bool, /)", compress_some, NULL},
    {"decompress(stream, data, most: index, /)", decompress_some, NULL},
    {0},
};

static bool init(GenVM *vm, Module *module) {
    Bzip call;
    (void)module;
    return library_load(vm, &library, &call);
}

const NativeModule bz2_module = {"_bz2", functions, init};
