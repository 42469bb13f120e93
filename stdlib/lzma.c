/* lzma.c - the module _lzma: streams of the library liblzma, which is loaded when the module is
 * made; lzma.gen has the classes and the checks of arguments.
 *
 * A chain of filters arrives as a list of tuples (id, properties...): of the LZMA filters preset,
 * dict_size, lc, lp, pb, mode, nice_len, mf, depth, of the delta filter the distance, of the others
 * the start offset. None stands for what was not said.
 */
#include "stdlib/library.h"
#include "stdlib/modules.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/resource.h"
#include "vm/task.h"

#include <lzma.h>

#define FUNCTIONS(X)                                                                               \
    X(lzma_code)                                                                                   \
    X(lzma_end)                                                                                    \
    X(lzma_get_check)                                                                              \
    X(lzma_check_is_supported)                                                                     \
    X(lzma_lzma_preset)                                                                            \
    X(lzma_easy_encoder)                                                                           \
    X(lzma_stream_encoder)                                                                         \
    X(lzma_alone_encoder)                                                                          \
    X(lzma_raw_encoder)                                                                            \
    X(lzma_auto_decoder)                                                                           \
    X(lzma_stream_decoder)                                                                         \
    X(lzma_alone_decoder)                                                                          \
    X(lzma_raw_decoder)                                                                            \
    X(lzma_properties_size)                                                                        \
    X(lzma_properties_encode)                                                                      \
    X(lzma_properties_decode)

typedef struct Lzma {
#define FUNCTION(name) __typeof__(&name) name;
    FUNCTIONS(FUNCTION)
#undef FUNCTION
} Lzma;

static const char *const files[] = {"liblzma.so.5", NULL};
#define FUNCTION(name) #name,
static const char *const names[] = {FUNCTIONS(FUNCTION) NULL};
#undef FUNCTION
static const Library library = {files, names};

enum {
    PIECE = 16384,
    STEPS_OF_PIECE = PIECE / 8, /* this compression takes its time */
    FORMAT_AUTO = 0,
    FORMAT_XZ,
    FORMAT_ALONE,
    FORMAT_RAW,
};

typedef struct Stream {
    lzma_stream z;
    lzma_allocator allocator;
    Lzma call;
    int check; /* of a decompressor: the integrity check, once it is known */
    bool at_end, encodes;
} Stream;

static const char kind[] = "lzma stream";

/* ---- errors ---- */

static Value raise_own(GenVM *vm, const char *format, unsigned number) {
    Value module = dict_get_str(vm, vm->modules, str_intern_from(vm, "lzma", 4));
    Value cls = module == VALUE_UNSET ? VALUE_UNSET
                                      : dict_get_str(vm, AS(Module, module)->dict,
                                                     str_intern_from(vm, "LZMAError", 9));
    if (!is_type(cls)) return raise_error(vm, EXC_RUNTIME_ERROR, format, number);
    Value text = str_format(vm, format, number);
    Value args = text == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 1, text);
    Value exception = args == VALUE_ERROR ? args : exception_new_of(vm, type_from(cls), args);
    return exception == VALUE_ERROR ? exception : raise_value_object(vm, exception);
}

static Value raise_code(GenVM *vm, lzma_ret code) {
    switch ((int)code) {
    case LZMA_MEM_ERROR: return raise_memory(vm);
    case LZMA_UNSUPPORTED_CHECK: return raise_own(vm, "Unsupported integrity check", 0);
    case LZMA_MEMLIMIT_ERROR: return raise_own(vm, "Memory usage limit exceeded", 0);
    case LZMA_FORMAT_ERROR: return raise_own(vm, "Input format not supported by decoder", 0);
    case LZMA_OPTIONS_ERROR: return raise_own(vm, "Invalid or unsupported options", 0);
    case LZMA_DATA_ERROR: return raise_own(vm, "Corrupt input data", 0);
    case LZMA_BUF_ERROR: return raise_own(vm, "Insufficient buffer space", 0);
    case LZMA_PROG_ERROR: return raise_own(vm, "Internal error", 0);
    }
    return raise_own(vm, "Unrecognized error from liblzma: %d", (unsigned)code);
}

static bool is_failure(lzma_ret code) {
    return code != LZMA_OK && code != LZMA_STREAM_END && code != LZMA_NO_CHECK &&
           code != LZMA_GET_CHECK;
}

/* ---- filters ---- */

typedef struct Chain {
    lzma_filter filters[LZMA_FILTERS_MAX + 1];
    union {
        lzma_options_lzma lzma;
        lzma_options_delta delta;
        lzma_options_bcj bcj;
    } options[LZMA_FILTERS_MAX];
} Chain;

static bool is_lzma(lzma_vli id) {
    return id == LZMA_FILTER_LZMA1 || id == LZMA_FILTER_LZMA2;
}

static Value refuse_filters(GenVM *vm) {
    return raise_type(vm, "a filter is a tuple of its id and its properties");
}

/* A number of 32 bits; None leaves what is there. */
static bool take_number(GenVM *vm, Value v, uint32_t *number) {
    if (v == VALUE_NONE) return true;
    if (!is_int(v) || as_int(v) < 0 || as_int(v) > UINT32_MAX) {
        raise_error(vm, EXC_OVERFLOW_ERROR, "Value too large for uint32_t type");
        return false;
    }
    *number = (uint32_t)as_int(v);
    return true;
}

static bool take_lzma(GenVM *vm, const Lzma *call, const Value *items, lzma_options_lzma *options) {
    uint32_t preset = LZMA_PRESET_DEFAULT, mode, finder;
    if (!take_number(vm, items[1], &preset)) return false;
    if (call->lzma_lzma_preset(options, preset)) {
        raise_own(vm, "Invalid compression preset: %u", preset);
        return false;
    }
    mode = options->mode;
    finder = options->mf;
    uint32_t *const places[] = {
        &options->dict_size, &options->lc, &options->lp,   &options->pb, &mode,
        &options->nice_len,  &finder,      &options->depth};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!take_number(vm, items[i + 2], places[i])) return false;
    options->mode = (lzma_mode)mode;
    options->mf = (lzma_match_finder)finder;
    return true;
}

enum { LZMA_ITEMS = 10, OTHER_ITEMS = 2 }; /* of a filter's tuple, its id included */

static bool take_filter(GenVM *vm, const Lzma *call, Chain *chain, size_t i, Value spec) {
    uint64_t id = 0, count;
    const Value *items = leaf_items(spec, &count);
    if (!items || !count || !value_is_int(items[0])) return refuse_filters(vm), false;
    int_to_u64_mask(items[0], &id);
    if (count < (is_lzma(id) ? LZMA_ITEMS : OTHER_ITEMS)) return refuse_filters(vm), false;
    chain->filters[i] = (lzma_filter){id, &chain->options[i]};
    if (is_lzma(id)) return take_lzma(vm, call, items, &chain->options[i].lzma);
    if (id == LZMA_FILTER_DELTA) {
        chain->options[i].delta = (lzma_options_delta){.type = LZMA_DELTA_TYPE_BYTE, .dist = 1};
        return take_number(vm, items[1], &chain->options[i].delta.dist);
    }
    chain->options[i].bcj = (lzma_options_bcj){0};
    return take_number(vm, items[1], &chain->options[i].bcj.start_offset);
}

static bool take_chain(GenVM *vm, const Lzma *call, Value list, Chain *chain) {
    uint64_t count;
    const Value *items = leaf_items(list, &count);
    if (!items) return raise_type(vm, "a list of filters is required, not '%T'", list), false;
    if (count > LZMA_FILTERS_MAX)
        return raise_value(vm, "Too many filters - liblzma supports a maximum of %d",
                           LZMA_FILTERS_MAX),
               false;
    for (uint64_t i = 0; i < count; i++)
        if (!take_filter(vm, call, chain, i, items[i])) return false;
    chain->filters[count] = (lzma_filter){LZMA_VLI_UNKNOWN, NULL};
    return true;
}

/* ---- streams ---- */

static void release(GenVM *vm, void *data) {
    Stream *stream = data;
    (void)vm;
    stream->call.lzma_end(&stream->z);
    memory_free(stream);
}

static void *take_memory(void *vm, size_t count, size_t size) {
    size_t total;
    return __builtin_mul_overflow(count, size, &total) ? NULL : memory_new(vm, total);
}
static void give_memory(void *vm, void *block) {
    (void)vm;
    memory_free(block);
}

static Stream *stream_new(GenVM *vm) {
    Stream *stream = memory_new_zeroed(vm, 1, sizeof *stream);
    if (!stream) {
        raise_memory(vm);
        return NULL;
    }
    if (!library_load(vm, &library, &stream->call)) {
        memory_free(stream);
        return NULL;
    }
    stream->allocator = (lzma_allocator){take_memory, give_memory, vm};
    stream->z.allocator = &stream->allocator;
    stream->check = LZMA_CHECK_ID_MAX + 1; /* not known */
    return stream;
}

static Value finish_new(GenVM *vm, Stream *stream, bool is_ready, lzma_ret code) {
    if (is_ready && !is_failure(code)) return resource_new(vm, kind, stream, release);
    release(vm, stream);
    return is_ready ? raise_code(vm, code) : VALUE_ERROR;
}

/* encoder(format, check, preset, filters or None) */
static Value encoder(GenVM *vm, Value *args) {
    Stream *stream = stream_new(vm);
    if (!stream) return VALUE_ERROR;
    const Lzma *call = &stream->call;
    int format = (int)as_int(args[0]);
    lzma_check check = (lzma_check)as_int(args[1]);
    uint32_t preset = LZMA_PRESET_DEFAULT;
    Chain chain;
    lzma_ret code = LZMA_OK;
    stream->encodes = true;
    bool is_ready = take_number(vm, args[2], &preset);
    if (is_ready && (args[3] != VALUE_NONE || format == FORMAT_RAW))
        is_ready = take_chain(vm, call, args[3], &chain);
    if (is_ready && args[3] != VALUE_NONE && format == FORMAT_ALONE &&
        !is_lzma(chain.filters[0].id))
        is_ready = raise_value(vm, "Invalid filter chain for FORMAT_ALONE - must be a single LZMA1 "
                                   "filter") != VALUE_ERROR;
    if (is_ready && args[3] == VALUE_NONE && format == FORMAT_ALONE) {
        chain.filters[0].options = &chain.options[0];
        is_ready = !call->lzma_lzma_preset(&chain.options[0].lzma, preset);
        if (!is_ready) raise_own(vm, "Invalid compression preset: %u", preset);
    }
    if (!is_ready) return finish_new(vm, stream, false, code);
    if (format == FORMAT_ALONE)
        code = call->lzma_alone_encoder(&stream->z, chain.filters[0].options);
    else if (format == FORMAT_RAW)
        code = call->lzma_raw_encoder(&stream->z, chain.filters);
    else if (args[3] == VALUE_NONE)
        code = call->lzma_easy_encoder(&stream->z, preset, check);
    else
        code = call->lzma_stream_encoder(&stream->z, chain.filters, check);
    return finish_new(vm, stream, true, code);
}

/* decoder(format, memory limit or None, filters or None) */
static Value decoder(GenVM *vm, Value *args) {
    Stream *stream = stream_new(vm);
    if (!stream) return VALUE_ERROR;
    const Lzma *call = &stream->call;
    const uint32_t flags = LZMA_TELL_ANY_CHECK | LZMA_TELL_NO_CHECK;
    uint64_t limit = UINT64_MAX;
    Chain chain;
    lzma_ret code;
    if (args[1] != VALUE_NONE) int_to_u64_mask(args[1], &limit);
    int format = (int)as_int(args[0]);
    if (format == FORMAT_RAW) {
        if (!take_chain(vm, call, args[2], &chain)) return finish_new(vm, stream, false, LZMA_OK);
        stream->check = LZMA_CHECK_NONE;
        code = call->lzma_raw_decoder(&stream->z, chain.filters);
    } else if (format == FORMAT_ALONE) {
        stream->check = LZMA_CHECK_NONE;
        code = call->lzma_alone_decoder(&stream->z, limit);
    } else {
        code = format == FORMAT_XZ ? call->lzma_stream_decoder(&stream->z, limit, flags)
                                   : call->lzma_auto_decoder(&stream->z, limit, flags);
    }
    return finish_new(vm, stream, true, code);
}

static bool take(GenVM *vm, Value v, Stream *stream) {
    const uint8_t *data;
    size_t size;
    if (!bytes_view(vm, v, &data, &size)) {
        raise_type(vm, "a bytes-like object is required, not '%T'", v);
        return false;
    }
    stream->z.next_in = data;
    stream->z.avail_in = size;
    return true;
}

/* One piece of output, at most `room` bytes. False: the step budget is used up, or a failure. */
static bool run(GenVM *vm, Stream *stream, StrBuilder *out, size_t room, lzma_action action,
                lzma_ret *code) {
    uint8_t piece[PIECE];
    size_t offered = room < PIECE ? room : PIECE;
    stream->z.next_out = piece;
    stream->z.avail_out = offered;
    *code = stream->call.lzma_code(&stream->z, action);
    (void)budget_wait(vm, 0); /* where the deadline has come, the next safepoint is at once */
    if (*code == LZMA_BUF_ERROR && !stream->z.avail_in) *code = LZMA_OK; /* it waits for more */
    if (is_failure(*code)) {
        raise_code(vm, *code);
        return false;
    }
    return native_charge(vm, STEPS_OF_PIECE) &&
           builder_put(out, (char *)piece, offered - stream->z.avail_out);
}

/* compress(stream, data, finish): what the stream gives for it */
static Value compress_some(GenVM *vm, Value *args) {
    Stream *stream = resource_data(vm, args[0], kind);
    if (!stream || !take(vm, args[1], stream)) return VALUE_ERROR;
    if (!stream->encodes) return raise_value(vm, "the stream decompresses");
    bool finishes = args[2] == VALUE_TRUE;
    lzma_ret code = LZMA_OK;
    StrBuilder out;
    builder_init(&out, vm);
    do {
        if (!run(vm, stream, &out, PIECE, finishes ? LZMA_FINISH : LZMA_RUN, &code)) {
            builder_drop(&out);
            return VALUE_ERROR;
        }
    } while (code != LZMA_STREAM_END && (finishes || stream->z.avail_in || !stream->z.avail_out));
    return builder_finish_bytes(&out);
}

/* decompress(stream, data, at most n bytes or -1): (bytes, how many of data were used, is the
 * stream at its end, may there be more without more data, the integrity check) */
static Value decompress_some(GenVM *vm, Value *args) {
    Stream *stream = resource_data(vm, args[0], kind);
    if (!stream || !take(vm, args[1], stream)) return VALUE_ERROR;
    size_t size = stream->z.avail_in;
    size_t most = as_int(args[2]) >= 0 ? (size_t)as_int(args[2]) : SIZE_MAX;
    bool is_full = false;
    StrBuilder out;
    builder_init(&out, vm);
    do {
        size_t offered = most < PIECE ? most : PIECE;
        lzma_ret code;
        if (!run(vm, stream, &out, offered, LZMA_RUN, &code)) {
            builder_drop(&out);
            return VALUE_ERROR;
        }
        most -= offered - stream->z.avail_out;
        is_full = !stream->z.avail_out;
        if (code == LZMA_NO_CHECK || code == LZMA_GET_CHECK)
            stream->check = (int)stream->call.lzma_get_check(&stream->z);
        stream->at_end = code == LZMA_STREAM_END;
    } while (!stream->at_end && most && (stream->z.avail_in || is_full));
    size_t used = size - stream->z.avail_in;
    Value made = builder_finish_bytes(&out);
    if (made == VALUE_ERROR) return made;
    return tuple_pack(vm, 5, made, int_value((int64_t)used), bool_value(stream->at_end),
                      bool_value(is_full), int_value(stream->check));
}

/* ---- functions ---- */

static Value is_check_supported(GenVM *vm, Value *args) {
    Lzma call;
    if (!library_load(vm, &library, &call)) return VALUE_ERROR;
    return bool_value(call.lzma_check_is_supported((lzma_check)as_int(args[0])));
}

/* encode_properties([filter]): the filter's properties as bytes */
static Value encode_properties(GenVM *vm, Value *args) {
    Lzma call;
    Chain chain;
    uint32_t size = 0;
    if (!library_load(vm, &library, &call) || !take_chain(vm, &call, args[0], &chain))
        return VALUE_ERROR;
    lzma_ret code = call.lzma_properties_size(&size, chain.filters);
    if (is_failure(code)) return raise_code(vm, code);
    uint8_t properties[64];
    if (size > sizeof properties) return raise_code(vm, LZMA_PROG_ERROR);
    code = call.lzma_properties_encode(chain.filters, properties);
    return is_failure(code) ? raise_code(vm, code) : bytes_new(vm, properties, size);
}

/* The library takes these options from the C library; they are read at once. */
static Value options_of(GenVM *vm, const lzma_filter *filter) {
    if (is_lzma(filter->id)) {
        const lzma_options_lzma *options = filter->options;
        return tuple_pack(vm, 4, int_value(options->lc), int_value(options->lp),
                          int_value(options->pb), int_value(options->dict_size));
    }
    if (filter->id == LZMA_FILTER_DELTA)
        return tuple_pack(vm, 1, int_value(((const lzma_options_delta *)filter->options)->dist));
    const lzma_options_bcj *options = filter->options;
    return tuple_pack(vm, 1, options ? int_value(options->start_offset) : VALUE_NONE);
}

static void *take_plain(void *nothing, size_t count, size_t size) {
    size_t total;
    (void)nothing;
    return __builtin_mul_overflow(count, size, &total) ? NULL : memory_new(NULL, total);
}

/* decode_properties(id, bytes): lc, lp, pb and dict_size, or the distance, or the start offset */
static Value decode_properties(GenVM *vm, Value *args) {
    Lzma call;
    const uint8_t *data;
    size_t size;
    uint64_t id = 0;
    const lzma_allocator plain = {take_plain, give_memory, NULL};
    if (!library_load(vm, &library, &call)) return VALUE_ERROR;
    int_to_u64_mask(args[0], &id);
    if (!bytes_view(vm, args[1], &data, &size))
        return raise_type(vm, "a bytes-like object is required, not '%T'", args[1]);
    lzma_filter filter = {id, NULL};
    lzma_ret code = call.lzma_properties_decode(&filter, &plain, data, size);
    if (is_failure(code)) return raise_code(vm, code);
    Value made = options_of(vm, &filter);
    memory_free(filter.options);
    return made;
}

static const NativeDef functions[] = {
    {"encoder(format: index, check: index, preset, filters, /)", encoder, NULL},
    {"decoder(format: index, limit: int | None, filters, /)", decoder, NULL},
    {"compress(stream, data, finish: bool, /)", compress_some, NULL},
    {"decompress(stream, data, most: index, /)", decompress_some, NULL},
    {"is_check_supported(check_id: index, /)", is_check_supported, NULL},
    {"encode_properties(filters: list, /)", encode_properties, NULL},
    {"decode_properties(id: int, data, /)", decode_properties, NULL},
    {0},
};

static bool init(GenVM *vm, Module *module) {
    Lzma call;
    (void)module;
    return library_load(vm, &library, &call);
}

const NativeModule lzma_module = {"_lzma", functions, init};
