/* file_buffered.c - the byte buffers between a descriptor and what reads and writes it; the types
 * are in file_buffered_type.c.
 *
 * One buffer is for reading (what was read ahead: in->data[at..end]), one for writing
 * (out->data[0..used]); never do both hold something, so the position of the file is the
 * descriptor's, less what is read ahead, plus what waits. Each is made when first needed. A line
 * longer than the buffer makes it grow for a while.
 */
#include "vm/bind.h"
#include "vm/objects/files.h"

#include <errno.h>
#include <unistd.h>

enum {
    IN_KEPT = 8
}; /* a buffer that a long line made this many times larger than asked for shrinks again */

/* ---- life ---- */

Buffered *buffered_new(GenVM *vm, TypeId kind, Type *cls) {
    Buffered *file = gc_new_of(vm, sizeof *file, kind, cls);
    if (file) file->state = file->below = VALUE_UNSET;
    return file;
}

bool buffered_attach(GenVM *vm, Buffered *file, RawFile *raw, int64_t size) {
    if (size <= 0) {
        raise_value(vm, "buffer size must be strictly positive");
        return false;
    }
    file->raw = raw;
    file->size = (size_t)size;
    file->in = file->out = NULL;
    file->at = file->end = file->used = 0;
    raw->wrapped = true;
    gc_barrier(vm, file);
    return true;
}

RawFile *buffered_detach(GenVM *vm, Buffered *file) {
    RawFile *raw = file->raw;
    raw->wrapped = false;
    file_watch(vm, &raw->header, NULL);
    file_unlink(&file->link);
    file->raw = NULL;
    file->detached = true;
    return raw;
}

bool buffered_is_closed(const Buffered *file) {
    return !file->raw || raw_is_closed(file->raw);
}

bool buffered_close(GenVM *vm, Buffered *file) {
    if (raw_is_closed(file->raw)) return true;
    file_unlink(&file->link);
    bool flushed = buffered_flush(vm, file);
    Value error = flushed ? VALUE_UNSET : error_take(vm);
    file->at = file->end = file->used = file->sent = 0;
    file->in = file->out = NULL;
    bool closed = raw_close(vm, file->raw);
    if (flushed) return closed;
    if (!closed) error_clear(vm);
    vm->exception = error;
    return false;
}

/* After a drain that was not finished. */
static void settle(Buffered *file) {
    if (likely(!file->sent)) return;
    memmove(file->out->data, file->out->data + file->sent, file->used - file->sent);
    file->used -= file->sent;
    file->sent = 0;
}

void buffered_close_quietly(GenVM *vm, Buffered *file) {
    file_unlink(&file->link);
    if (!file->raw || raw_is_closed(file->raw)) return;
    settle(file);
    if (file->used) raw_write_quietly(vm, file->raw, file->out->data, file->used);
    file->used = 0;
    file->raw->wrapped = false;
    vm->types[TYPE_FILE_RAW]->slots.finalize(vm, &file->raw->header);
}

/* ---- writing ---- */

/* In place of the error of a descriptor that takes nothing now: how much of the data was taken. */
static bool raise_blocking(GenVM *vm, size_t taken) {
    if (!error_matches(vm, EXC_BLOCKING_IO_ERROR)) return false;
    Value text = str_from(vm, "write could not complete without blocking");
    error_clear(vm);
    Value args = text == VALUE_ERROR
                     ? text
                     : tuple_pack(vm, 3, int_value(EAGAIN), text, int_value((int64_t)taken));
    if (args != VALUE_ERROR) raise_with_args(vm, EXC_BLOCKING_IO_ERROR, args);
    return false;
}

bool buffered_flush(GenVM *vm, Buffered *file) {
    if (!file->used) return true;
    if (file->may_grow) return file->flush_due = true;
    settle(file);
    size_t done;
    bool ok = raw_write(vm, file->raw, file->out->data, file->used, &done);
    memmove(file->out->data, file->out->data + done, file->used - done);
    file->used -= done;
    return ok || raise_blocking(vm, 0);
}

/* After an error, `done` bytes of the data being out: where nothing can be taken now, the buffer
 * keeps what it has room for. True when that is all. */
static bool keep_rest(GenVM *vm, Buffered *file, const char *data, size_t size, size_t done) {
    if (!error_matches(vm, EXC_BLOCKING_IO_ERROR)) return false;
    size_t room = file->size - file->used, kept = size - done < room ? size - done : room;
    memcpy(file->out->data + file->used, data + done, kept);
    file->used += kept;
    if (done + kept < size) return raise_blocking(vm, done + kept);
    error_clear(vm);
    return true;
}

static void drop_input(Buffered *file) {
    if (file->at < file->end || file->end) file->version++;
    file->at = file->end = 0;
}

/* Turns from reading to writing: the descriptor goes back to where the reader is. */
static bool begin_write(GenVM *vm, Buffered *file) {
    size_t ahead = file->end - file->at;
    if (ahead && raw_seek(vm, file->raw, -(int64_t)ahead, SEEK_CUR) < 0) return false;
    drop_input(file);
    if (file->out) return true;
    file->out = gc_buffer_new(vm, file->size);
    gc_barrier(vm, file);
    return file->out != NULL;
}

static bool put_growing(GenVM *vm, Buffered *file, const void *data, size_t size) {
    size_t room = file->out->capacity, wanted = file->used + size;
    if (wanted > room) {
        Buffer *out = gc_buffer_resize(vm, file->out, wanted > 2 * room ? wanted : 2 * room);
        if (!out) return false;
        file->out = out;
        gc_barrier(vm, file);
    }
    memcpy(file->out->data + file->used, data, size);
    file->used += size;
    return true;
}

bool buffered_put(GenVM *vm, Buffered *file, const void *data, size_t size) {
    if (unlikely(!file->out || file->end) && !begin_write(vm, file)) return false;
    if (unlikely(file->may_grow)) return put_growing(vm, file, data, size);
    settle(file);
    if (size > file->size - file->used && !buffered_flush(vm, file))
        return keep_rest(vm, file, data, size, 0);
    size_t done;
    if (size >= file->size)
        return raw_write(vm, file->raw, data, size, &done) || keep_rest(vm, file, data, size, done);
    memcpy(file->out->data + file->used, data, size);
    file->used += size;
    return true;
}

/* ---- reading ---- */

bool buffered_begin_read(GenVM *vm, Buffered *file) {
    if (file->used && !buffered_flush(vm, file)) return false;
    if (file->in) return true;
    file->in = gc_buffer_new(vm, file->size);
    gc_barrier(vm, file);
    return file->in != NULL;
}

static bool set_capacity(GenVM *vm, Buffered *file, size_t capacity) {
    Buffer *in = gc_buffer_resize(vm, file->in, capacity);
    if (!in) return false;
    file->in = in;
    gc_barrier(vm, file);
    return true;
}

bool buffered_fill(GenVM *vm, Buffered *file, size_t *moved) {
    *moved = 0;
    if (!buffered_begin_read(vm, file)) return false;
    if (file->at) {
        *moved = file->at;
        memmove(file->in->data, file->in->data + file->at, file->end - file->at);
        file->end -= file->at;
        file->at = 0;
        file->version++;
    }
    if (file->end == 0 && file->in->capacity > IN_KEPT * file->size &&
        !set_capacity(vm, file, file->size))
        return false;
    if (file->end == file->in->capacity && !set_capacity(vm, file, 2 * file->end)) return false;
    int64_t got =
        raw_read(vm, file->raw, file->in->data + file->end, file->in->capacity - file->end);
    if (got < 0) return false;
    file->end += (size_t)got;
    return true;
}

bool buffered_has_nothing(GenVM *vm) {
    if (!error_matches(vm, EXC_BLOCKING_IO_ERROR)) return false;
    error_clear(vm);
    return true;
}

int64_t buffered_read(GenVM *vm, Buffered *file, uint8_t *data, size_t size) {
    if (!buffered_begin_read(vm, file)) return -1;
    size_t done = 0;
    while (done < size) {
        size_t ready = file->end - file->at, moved;
        if (ready > size - done) ready = size - done;
        memcpy(data + done, file->in->data + file->at, ready);
        file->at += ready;
        done += ready;
        if (done == size) break;
        int64_t got = (int64_t)(size - done);
        if (size - done >= file->size) { /* past the buffer */
            drop_input(file);
            if ((got = raw_read(vm, file->raw, data + done, size - done)) > 0) done += (size_t)got;
        } else {
            got = buffered_fill(vm, file, &moved) ? (int64_t)(file->end - file->at) : -1;
        }
        if (got < 0) return done && buffered_has_nothing(vm) ? (int64_t)done : -1;
        if (got == 0) break;
    }
    return (int64_t)done;
}

bool buffered_read_rest(GenVM *vm, Buffered *file, StrBuilder *out) {
    if (!buffered_begin_read(vm, file)) return false;
    for (;;) {
        if (!builder_put(out, (const char *)file->in->data + file->at, file->end - file->at))
            return false;
        drop_input(file);
        size_t moved;
        if (!buffered_fill(vm, file, &moved)) return false;
        if (!file->end) return true;
    }
}

/* Where the size is known, what is read goes straight to where it stays. */
Value buffered_take_all(GenVM *vm, Buffered *file) {
    if (!buffered_begin_read(vm, file)) return VALUE_ERROR;
    int64_t left = raw_bytes_left(file->raw);
    StrBuilder builder;
    if (left > 0) {
        size_t size = (size_t)left + (file->end - file->at);
        if (!gc_check_size(vm, size)) return VALUE_ERROR;
        Bytes *bytes = bytes_alloc(vm, size);
        int64_t got = bytes ? buffered_read(vm, file, bytes->data, size) : -1;
        if (got < 0) return VALUE_ERROR;
        size_t moved;
        if (!buffered_fill(vm, file, &moved)) return VALUE_ERROR;
        if (file->at == file->end && (size_t)got == size) return object_value(bytes);
        builder_init(&builder, vm);
        builder_put(&builder, (const char *)bytes->data,
                    (size_t)got); /* its size changed meanwhile */
    } else {
        builder_init(&builder, vm);
    }
    bool some = builder.size || (file->in && file->at < file->end);
    if (buffered_read_rest(vm, file, &builder)) return builder_finish_bytes(&builder);
    some |= builder.size > 0;
    if (!builder.failed && buffered_has_nothing(vm)) {
        if (some) return builder_finish_bytes(&builder);
        builder_drop(&builder);
        return VALUE_NONE;
    }
    builder_drop(&builder);
    return VALUE_ERROR;
}

/* ---- position ---- */

int64_t buffered_tell(GenVM *vm, Buffered *file) {
    int64_t at = raw_seek(vm, file->raw, 0, SEEK_CUR);
    settle(file);
    return at < 0 ? -1 : at - (int64_t)(file->end - file->at) + (int64_t)file->used;
}

/* A position that has been read ahead is gone to within the buffer. */
static int64_t seek_in_buffer(GenVM *vm, Buffered *file, int64_t offset, int whence) {
    int64_t raw_at = raw_seek(vm, file->raw, 0, SEEK_CUR);
    if (raw_at < 0) return -1;
    int64_t here = raw_at - (int64_t)(file->end - file->at);
    int64_t distance = whence == SEEK_CUR ? offset : offset - here;
    if (distance < -(int64_t)file->at || distance > (int64_t)(file->end - file->at)) return -2;
    file->at = (size_t)((int64_t)file->at + distance);
    file->version++;
    return here + distance;
}

int64_t buffered_seek(GenVM *vm, Buffered *file, int64_t offset, int whence) {
    if (!buffered_flush(vm, file)) return -1;
    if (file->end && whence != SEEK_END) {
        int64_t at = seek_in_buffer(vm, file, offset, whence);
        if (at != -2) return at;
        if (whence == SEEK_CUR) offset -= (int64_t)(file->end - file->at);
    }
    int64_t at = raw_seek(vm, file->raw, offset, whence);
    if (at >= 0) drop_input(file);
    return at;
}

bool buffered_truncate(GenVM *vm, Buffered *file, int64_t size) {
    return buffered_flush(vm, file) && raw_truncate(vm, file->raw, size);
}
