/* file_script.c - what the layers of files share where script code has a say: layers over streams
 * that scripts have written (stdlib/prelude/streams.gen does their work; see files.h), and the end
 * of a file that nothing reaches any more.
 *
 * A file that is plain all the way down is written out and closed by the collector, without any
 * script code. One with methods of its own, or while warnings may be shown, has its __del__ called
 * at the next safepoint.
 */
#include "vm/engine_module.h"
#include "vm/objects/files.h"
#include "vm/task.h"
#include "vm/threads.h"

static bool is_file(const Object *object) {
    switch (object->kind) {
    case TYPE_FILE_RAW:
    case TYPE_BUFFERED_READER:
    case TYPE_BUFFERED_WRITER:
    case TYPE_BUFFERED_RANDOM:
    case TYPE_FILE: return true;
    default: return false;
    }
}

bool file_is_plain(GenVM *vm, Object *file) {
    return file->state != OBJECT_SUBCLASS && *gc_extra_word(vm, file) == VALUE_UNSET;
}

Value *file_state(Object *file) {
    return file->kind == TYPE_FILE ? &((TextFile *)file)->state : &((Buffered *)file)->state;
}

static Value *below_of(Object *file) {
    return file->kind == TYPE_FILE ? &((TextFile *)file)->below : &((Buffered *)file)->below;
}

Value file_below(Object *file) {
    return is_file(file) && file->kind != TYPE_FILE_RAW ? *below_of(file) : VALUE_UNSET;
}

bool file_raise_useless(GenVM *vm, bool detached) {
    raise_value(vm, detached ? "raw stream has been detached"
                             : "I/O operation on uninitialized object");
    return false;
}

/* ---- the end ---- */

static bool is_open_here(const Object *object) {
    if (object->kind == TYPE_FILE_RAW) {
        const RawFile *raw = (const RawFile *)object;
        return !raw->wrapped && !raw_is_closed(raw);
    }
    if (object->kind != TYPE_FILE) {
        const Buffered *file = (const Buffered *)object;
        return !file->wrapped && !buffered_is_closed(file);
    }
    const TextFile *text = (const TextFile *)object;
    return text->source && !source_is_closed(text->source);
}

/* Nobody sees a ResourceWarning unless module warnings has been told to show it. */
static bool may_warn(GenVM *vm) {
    return dict_get_str(vm, vm->modules, name_value(vm, NAME_warnings)) != VALUE_UNSET;
}

bool file_needs_script(GenVM *vm, Object *file) {
    if (!is_file(file) || file->flags & FILE_DELETED) return false;
    if (file->state == OBJECT_SUBCLASS) return true;
    if (file->kind != TYPE_FILE_RAW && *file_state(file) != VALUE_UNSET) return true;
    return is_open_here(file) && (*gc_extra_word(vm, file) != VALUE_UNSET || may_warn(vm));
}

Value file_del(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_STREAM_DEL, 1, args[0]);
}

Value file_exit(GenVM *vm, Value *args) {
    return native_call_method(vm, args[0], NAME_close, 0);
}

/* ---- much at once ---- */

bool file_shares(GenVM *vm, RawFile *raw, uint64_t size) {
    if (likely(size <= FILE_PIECE) || vm->resumed || raw->host >= 0) return false;
    bool timed = vm->task && vm->task->limits[BUDGET_DEADLINE];
    return (timed || threads_are_many(vm)) && raw_is_seekable(raw);
}

Value file_read_pieces(GenVM *vm, Value file, int64_t size) {
    return native_twin(vm, TWIN_STREAM_READ_PIECES, 3, file, int_value(size),
                       int_value(FILE_PIECE));
}

Value file_write_pieces(GenVM *vm, Value file, Value data) {
    return native_twin(vm, TWIN_STREAM_WRITE_PIECES, 3, file, data, int_value(FILE_PIECE));
}

/* ---- for stdlib/prelude/streams.gen ---- */

static Value *state_of(GenVM *vm, Value file) {
    if (is_object(file) && is_file(as_object(file)) && as_object(file)->kind != TYPE_FILE_RAW)
        return file_state(as_object(file));
    raise_type(vm, "'%T' object is no layer of a file", file);
    return NULL;
}

static Value stream_state(GenVM *vm, Value *args) {
    Value *state = state_of(vm, args[0]);
    if (!state) return VALUE_ERROR;
    if (*state != VALUE_UNSET) return *state;
    const Object *file = as_object(args[0]);
    if (file->kind == TYPE_FILE)
        raise_value(vm, ((const TextFile *)file)->detached
                            ? "underlying buffer has been detached"
                            : "I/O operation on uninitialized object");
    else
        file_raise_useless(vm, ((const Buffered *)file)->detached);
    return VALUE_ERROR;
}

/* Without a source of the engine's own; None: it is of no use until the next call. */
static Value stream_begin(GenVM *vm, Value *args) {
    Value *state = state_of(vm, args[0]);
    if (!state) return VALUE_ERROR;
    Object *file = as_object(args[0]);
    FileLink *link =
        file->kind == TYPE_FILE ? &((TextFile *)file)->link : &((Buffered *)file)->link;
    file_unlink(link);
    if (file->kind == TYPE_FILE) {
        ((TextFile *)file)->source = NULL;
        ((TextFile *)file)->detached = false;
    } else {
        ((Buffered *)file)->raw = NULL;
        ((Buffered *)file)->detached = false;
    }
    *state = args[1] == VALUE_NONE ? VALUE_UNSET : args[1];
    *below_of(file) = args[2];
    gc_barrier(vm, file);
    file_watch(vm, file, NULL);
    return VALUE_NONE;
}

static Value stream_detach(GenVM *vm, Value *args) {
    Value *state = state_of(vm, args[0]);
    if (!state) return VALUE_ERROR;
    Object *file = as_object(args[0]);
    *state = *below_of(file) = VALUE_UNSET;
    if (file->kind == TYPE_FILE) {
        TextFile *text = (TextFile *)file;
        if (text->source) file_text_detach(vm, text);
        text->detached = true;
    } else {
        Buffered *buffered = (Buffered *)file;
        if (buffered->raw) buffered_detach(vm, buffered);
        buffered->detached = true;
    }
    return VALUE_NONE;
}

/* What a text layer without a source still tells. */
static Value stream_note(GenVM *vm, Value *args) {
    if (!is_kind(args[0], TYPE_FILE) || !value_is_str(args[1]) || !value_is_str(args[2]))
        return raise_type(vm, "'%T' object is no text layer", args[0]);
    AS(TextFile, args[0])->encoding = args[1];
    AS(TextFile, args[0])->errors = args[2];
    gc_barrier(vm, as_object(args[0]));
    return VALUE_NONE;
}

static Value is_stream(GenVM *vm, Value *args) {
    (void)vm;
    return bool_value(is_object(args[0]) && is_file(as_object(args[0])));
}

static Value stream_has_state(GenVM *vm, Value *args) {
    Value *state = state_of(vm, args[0]);
    return state ? bool_value(*state != VALUE_UNSET) : VALUE_ERROR;
}

static Value close_raw(GenVM *vm, Value *args) {
    return raw_close(vm, AS(RawFile, args[0])) ? VALUE_NONE : VALUE_ERROR;
}

const NativeDef engine_stream_natives[] = {
    {"stream_state(file, /)", stream_state, "The state of a layer that streams.gen keeps."},
    {"stream_begin(file, state, below, /)", stream_begin, "Make it such a layer."},
    {"stream_detach(file, /)", stream_detach, "Have it be one without a source."},
    {"stream_note(file, encoding, errors, /)", stream_note, NULL},
    {"stream_has_state(file, /)", stream_has_state, NULL},
    {"is_stream(obj, /)", is_stream, "Is that a file, or a layer of one."},
    {"raw_close(file: raw_file, /)", close_raw, "Close the descriptor of a FileIO."},
    {NULL, NULL, NULL},
};
