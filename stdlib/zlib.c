/* zlib.c - the module _zlib: compression by the library zlib; zlib.gen has the classes.
 *
 * A stream is a resource. What it makes is gathered in a builder, piece by piece, so that output of
 * any size is charged and refused as it grows.
 */
#include "stdlib/modules.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/offload.h"
#include "vm/resource.h"
#include "vm/task.h"

#include <limits.h>
#include <zlib.h>

enum { PIECE = 16384 };

typedef struct Stream {
    z_stream z;
    bool is_inflate, at_end;
} Stream;

static const char kind[] = "zlib stream";

static Value raise_own(GenVM *vm, int code, const char *message, const char *what) {
    Value module = dict_get_str(vm, vm->modules, str_intern_from(vm, "zlib", 4));
    Value cls = module == VALUE_UNSET
                    ? VALUE_UNSET
                    : dict_get_str(vm, AS(Module, module)->dict, str_intern_from(vm, "error", 5));
    if (code == Z_MEM_ERROR || !is_type(cls)) return raise_memory(vm);
    if (!message)
        message = code == Z_BUF_ERROR      ? "incomplete or truncated stream"
                  : code == Z_STREAM_ERROR ? "inconsistent stream state"
                  : code == Z_DATA_ERROR   ? "invalid input data"
                                           : NULL;
    Value text = message ? str_format(vm, "Error %d %s: %s", code, what, message)
                         : str_format(vm, "Error %d %s", code, what);
    Value args = text == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 1, text);
    Value exception = args == VALUE_ERROR ? args : exception_new_of(vm, type_from(cls), args);
    return exception == VALUE_ERROR ? exception : raise_value_object(vm, exception);
}

static void release(GenVM *vm, void *data) {
    Stream *stream = data;
    (void)vm;
    if (stream->is_inflate)
        inflateEnd(&stream->z);
    else
        deflateEnd(&stream->z);
    memory_free(stream);
}

static bool take(GenVM *vm, Value v, const uint8_t **data, size_t *size) {
    if (bytes_view(vm, v, data, size)) return true;
    raise_type(vm, "a bytes-like object is required, not '%T'", v);
    return false;
}

/* ---- streams ---- */

static void *take_memory(void *vm, uInt count, uInt size) {
    return memory_new(vm, (size_t)count * size);
}
static void give_memory(void *vm, void *block) {
    (void)vm;
    memory_free(block);
}

/* Its memory, and zlib's for it, is the VM's. */
static Stream *new_stream(GenVM *vm) {
    Stream *stream = memory_new_zeroed(vm, 1, sizeof *stream);
    if (!stream) return raise_memory(vm), NULL;
    stream->z.zalloc = take_memory;
    stream->z.zfree = give_memory;
    stream->z.opaque = vm;
    return stream;
}

/* deflate_new(level, method, wbits, memory level, strategy, dictionary or None) */
static Value deflate_new(GenVM *vm, Value *args) {
    const uint8_t *dictionary = NULL;
    size_t size = 0;
    if (args[5] != VALUE_NONE && !take(vm, args[5], &dictionary, &size)) return VALUE_ERROR;
    Stream *stream = new_stream(vm);
    if (!stream) return VALUE_ERROR;
    int code = deflateInit2(&stream->z, (int)as_int(args[0]), (int)as_int(args[1]),
                            (int)as_int(args[2]), (int)as_int(args[3]), (int)as_int(args[4]));
    if (code != Z_OK) {
        memory_free(stream);
        if (code != Z_STREAM_ERROR) return raise_own(vm, code, NULL, "while compressing data");
        return raise_value(vm, "Invalid initialization option");
    }
    if (dictionary && deflateSetDictionary(&stream->z, dictionary, (uInt)size) != Z_OK) {
        release(vm, stream);
        return raise_value(vm, "Invalid dictionary");
    }
    return resource_new(vm, kind, stream, release);
}

/* inflate_new(wbits, dictionary or None): raw streams do not ask for their dictionary. */
static Value inflate_new(GenVM *vm, Value *args) {
    const uint8_t *dictionary = NULL;
    size_t size = 0;
    if (args[1] != VALUE_NONE && !take(vm, args[1], &dictionary, &size)) return VALUE_ERROR;
    Stream *stream = new_stream(vm);
    if (!stream) return VALUE_ERROR;
    stream->is_inflate = true;
    int code = inflateInit2(&stream->z, (int)as_int(args[0]));
    if (code == Z_OK && dictionary && as_int(args[0]) < 0) {
        code = inflateSetDictionary(&stream->z, dictionary, (uInt)size);
        if (code != Z_OK) {
            release(vm, stream);
            return raise_own(vm, code, NULL, "while setting zdict");
        }
    }
    if (code != Z_OK) {
        memory_free(stream);
        if (code != Z_STREAM_ERROR) return raise_own(vm, code, NULL, "while decompressing data");
        return raise_value(vm, "Invalid initialization option");
    }
    return resource_new(vm, kind, stream, release);
}

enum { COPY_STEPS = 1024 }; /* a quarter of a megabyte */

static Value copy(GenVM *vm, Value *args) {
    Stream *from = resource_data(vm, args[0], kind);
    if (!from || !native_charge(vm, COPY_STEPS)) return VALUE_ERROR;
    Stream *stream = new_stream(vm);
    if (!stream) return VALUE_ERROR;
    stream->is_inflate = from->is_inflate;
    stream->at_end = from->at_end;
    int code =
        from->is_inflate ? inflateCopy(&stream->z, &from->z) : deflateCopy(&stream->z, &from->z);
    if (code != Z_OK) {
        memory_free(stream);
        return code == Z_MEM_ERROR ? raise_memory(vm)
                                   : raise_value(vm, "Inconsistent stream state");
    }
    return resource_new(vm, kind, stream, release);
}

/* One piece of output. */
static bool step(GenVM *vm, Stream *stream, StrBuilder *out, size_t room, int flush, int *code) {
    Bytef piece[PIECE];
    stream->z.next_out = piece;
    stream->z.avail_out = room < PIECE ? (uInt)room : PIECE;
    uInt offered = stream->z.avail_out;
    *code = stream->is_inflate ? inflate(&stream->z, flush) : deflate(&stream->z, flush);
    (void)budget_wait(vm, 0); /* where the deadline has come, the next safepoint is at once */
    if (!native_charge(vm, PIECE / 64)) return false;
    return builder_put(out, (char *)piece, offered - stream->z.avail_out);
}

/* ---- all at once, aside ---- */

enum { LARGE = 65536 }; /* bytes: less is not worth a thread */

typedef struct FlateJob {
    Job job;
    z_stream z; /* a copy of the stream, which is used for nothing else */
    bool is_inflate;
    const uint8_t *data;
    size_t size;
    uint8_t *out;
    size_t made, room;
    int code;
} FlateJob;

static void clean_flate(Job *job) {
    FlateJob *flate = (FlateJob *)job;
    if (flate->is_inflate)
        inflateEnd(&flate->z);
    else
        deflateEnd(&flate->z);
    memory_free(flate->out);
}

static bool make_room(FlateJob *flate) {
    if (flate->made < flate->room) return true;
    size_t room = flate->room * 2;
    uint8_t *larger = memory_resize(NULL, flate->out, room);
    if (!larger) return false;
    flate->out = larger;
    flate->room = room;
    return true;
}

/* Up to the end of the stream, or of the data. */
static void run_flate(Job *job) {
    FlateJob *flate = (FlateJob *)job;
    z_stream *z = &flate->z;
    z->next_in = (Bytef *)(uintptr_t)flate->data;
    for (size_t used = 0; flate->code == Z_OK;) {
        if (!make_room(flate)) {
            flate->code = Z_MEM_ERROR;
            return;
        }
        size_t left = flate->size - used, room = flate->room - flate->made;
        uInt given = left < UINT_MAX ? (uInt)left : UINT_MAX;
        uInt offered = room < UINT_MAX ? (uInt)room : UINT_MAX;
        z->avail_in = given;
        z->avail_out = offered;
        z->next_out = flate->out + flate->made;
        flate->code = flate->is_inflate ? inflate(z, Z_SYNC_FLUSH)
                                        : deflate(z, given == left ? Z_FINISH : Z_NO_FLUSH);
        used += given - z->avail_in;
        flate->made += offered - z->avail_out;
    }
}

/* May a thread of the system do it: the bytes cannot change, and no limit is on what comes out. */
static bool may_go_aside(GenVM *vm, Value data) {
    return threads_are_many(vm) && is_exact(data, TYPE_BYTES) && !vm->task && !vm->memory_limit;
}

/* The copy takes the C library's memory: no thread but the VM's may touch the VM's. */
static int copy_aside(z_stream *copy, Stream *stream) {
    void *vm = stream->z.opaque;
    stream->z.opaque = NULL;
    int code = stream->is_inflate ? inflateCopy(copy, &stream->z) : deflateCopy(copy, &stream->z);
    stream->z.opaque = vm;
    return code;
}

static Value start_aside(GenVM *vm, Stream *stream, Value bytes, const uint8_t *data, size_t size) {
    FlateJob *flate = offload_new(vm, sizeof *flate, run_flate, NULL);
    if (!flate) return VALUE_ERROR;
    flate->is_inflate = stream->is_inflate;
    flate->data = data;
    flate->size = size;
    flate->room = stream->is_inflate ? 4 * size : deflateBound(&stream->z, size);
    flate->out = memory_new(NULL, flate->room);
    int code = flate->out ? copy_aside(&flate->z, stream) : Z_MEM_ERROR;
    if (code != Z_OK) {
        memory_free(flate->out);
        offload_drop(&flate->job);
        return raise_memory(vm);
    }
    flate->job.clean = clean_flate;
    flate->job.brief = true;
    return offload_start(vm, &flate->job, bytes);
}

/* What `deflate` and `inflate` return. */
static Value finish_aside(GenVM *vm, const char *what) {
    FlateJob *flate = offload_finish(vm);
    if (!flate) return VALUE_ERROR;
    native_spend(vm, (flate->size + flate->made) / 64);
    bool cut_short = flate->is_inflate && flate->code == Z_BUF_ERROR; /* the caller tells that */
    if (flate->code != Z_STREAM_END && !cut_short)
        return raise_own(vm, flate->code, flate->z.msg, what);
    Value made = bytes_new(vm, flate->out, flate->made);
    if (made == VALUE_ERROR || !flate->is_inflate) return made;
    return tuple_pack(vm, 3, made, int_from_u64(vm, flate->z.total_in),
                      bool_value(flate->code == Z_STREAM_END));
}

/* deflate(stream, data, flush, aside): what the stream gives for it. Aside: all of a stream that is
 * not used again, on another thread. */
static Value deflate_some(GenVM *vm, Value *args) {
    if (offload_is_under_way(vm)) return finish_aside(vm, "while compressing data");
    Stream *stream = resource_data(vm, args[0], kind);
    const uint8_t *data;
    size_t size;
    if (!stream || !take(vm, args[1], &data, &size)) return VALUE_ERROR;
    if (args[3] == VALUE_TRUE && size >= LARGE && may_go_aside(vm, args[1]))
        return start_aside(vm, stream, args[1], data, size);
    StrBuilder out;
    builder_init(&out, vm);
    stream->z.next_in = (Bytef *)(uintptr_t)data;
    int code = Z_OK, flush = (int)as_int(args[2]);
    do {
        stream->z.avail_in = size < UINT_MAX ? (uInt)size : UINT_MAX;
        size_t given = stream->z.avail_in;
        int now = given == size ? flush : Z_NO_FLUSH;
        do {
            if (!step(vm, stream, &out, PIECE, now, &code)) {
                builder_drop(&out);
                return VALUE_ERROR;
            }
        } while (stream->z.avail_out == 0 && code != Z_STREAM_END);
        size -= given;
    } while (size);
    if (code == Z_STREAM_ERROR) {
        builder_drop(&out);
        return raise_own(vm, code, stream->z.msg, "while compressing data");
    }
    return builder_finish_bytes(&out);
}

/* inflate(stream, data, at most n bytes or 0, dictionary or None, what, aside): (bytes, how many of
 * data were used, is the stream at its end) */
static Value inflate_some(GenVM *vm, Value *args) {
    if (offload_is_under_way(vm)) return finish_aside(vm, AS_STR(args[4])->data);
    Stream *stream = resource_data(vm, args[0], kind);
    const uint8_t *data, *dictionary = NULL;
    size_t size, dictionary_size = 0;
    if (!stream || !take(vm, args[1], &data, &size)) return VALUE_ERROR;
    if (args[3] != VALUE_NONE && !take(vm, args[3], &dictionary, &dictionary_size))
        return VALUE_ERROR;
    if (args[5] == VALUE_TRUE && size >= LARGE && may_go_aside(vm, args[1]))
        return start_aside(vm, stream, args[1], data, size);
    size_t most = as_int(args[2]) > 0 ? (size_t)as_int(args[2]) : SIZE_MAX, used = 0;
    StrBuilder out;
    builder_init(&out, vm);
    int code = Z_OK;
    while (!stream->at_end && most) {
        stream->z.next_in = (Bytef *)(uintptr_t)data + used;
        stream->z.avail_in = size - used < UINT_MAX ? (uInt)(size - used) : UINT_MAX;
        uInt given = stream->z.avail_in, offered = most < PIECE ? (uInt)most : PIECE;
        if (!step(vm, stream, &out, offered, Z_SYNC_FLUSH, &code)) {
            builder_drop(&out);
            return VALUE_ERROR;
        }
        used += given - stream->z.avail_in;
        most -= offered - stream->z.avail_out;
        if (code == Z_NEED_DICT && dictionary) {
            code = inflateSetDictionary(&stream->z, dictionary, (uInt)dictionary_size);
            if (code == Z_OK) continue;
            builder_drop(&out);
            return raise_own(vm, code, NULL, "while setting zdict");
        }
        if (code == Z_STREAM_END) stream->at_end = true;
        if (code != Z_OK) break;
        if (used == size && stream->z.avail_out) break;
    }
    if (code != Z_OK && code != Z_BUF_ERROR && code != Z_STREAM_END) {
        builder_drop(&out);
        return raise_own(vm, code, stream->z.msg, AS_STR(args[4])->data);
    }
    Value made = builder_finish_bytes(&out);
    if (made == VALUE_ERROR) return made;
    return tuple_pack(vm, 3, made, int_value((int64_t)used), bool_value(stream->at_end));
}

/* truncated(what): the error of data that ends too early */
static Value truncated(GenVM *vm, Value *args) {
    return raise_own(vm, Z_BUF_ERROR, NULL, AS_STR(args[0])->data);
}

/* ---- checksums ---- */

enum { PIECE_SUMMED = 1 << 22 }; /* bytes: a few milliseconds */

static Value checksum(GenVM *vm, Value *args, uLong (*function)(uLong, const Bytef *, uInt)) {
    const uint8_t *data;
    size_t size;
    uint64_t start = 0;
    if (!take(vm, args[0], &data, &size) || !native_charge(vm, size / 64)) return VALUE_ERROR;
    int_to_u64_mask(args[1], &start);
    uLong sum = (uLong)(uint32_t)start;
    for (size_t done = 0; done < size;) {
        if (!native_look(vm)) return VALUE_ERROR;
        uInt part = size - done < PIECE_SUMMED ? (uInt)(size - done) : PIECE_SUMMED;
        sum = function(sum, data + done, part);
        done += part;
    }
    return int_from_u64(vm, sum & 0xFFFFFFFF);
}

static Value crc32_of(GenVM *vm, Value *args) {
    return checksum(vm, args, crc32);
}
static Value adler32_of(GenVM *vm, Value *args) {
    return checksum(vm, args, adler32);
}

static Value version(GenVM *vm, Value *args) {
    (void)args;
    return str_from(vm, zlibVersion());
}

static const NativeDef functions[] = {
    {"deflate_new(level: index, method: index, wbits: index, memory: index, strategy: index, "
     "dictionary, /)",
     deflate_new, NULL},
    {"inflate_new(wbits: index, dictionary, /)", inflate_new, NULL},
    {"copy(stream, /)", copy, NULL},
    {"deflate(stream, data, flush: index, aside: bool = False, /)", deflate_some, NULL},
    {"inflate(stream, data, most: index, dictionary, what: str, aside: bool = False, /)",
     inflate_some, NULL},
    {"truncated(what: str, /)", truncated, NULL},
    {"crc32(data, value: int = 0, /)", crc32_of, "Compute a CRC-32 checksum of data."},
    {"adler32(data, value: int = 1, /)", adler32_of, "Compute an Adler-32 checksum of data."},
    {"version()", version, NULL},
    {0},
};

const NativeModule zlib_module = {"_zlib", functions, NULL};
