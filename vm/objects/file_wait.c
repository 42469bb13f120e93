/* file_wait.c - reads of pipes and terminals by a script that has several threads: what the call
 * needs is gathered in the file's buffer first, and the thread is parked (vm/threads.h) where there
 * is nothing yet. So the call itself finds everything there, and nothing is lost when the native is
 * run anew.
 */
#include "vm/bind.h"
#include "vm/objects/files.h"
#include "vm/threads.h"

#include <poll.h>

static bool may_wait(GenVM *vm, const Buffered *file) {
    RawFile *raw = file->raw;
    if (!vm->resumed && !threads_are_many(vm)) return false;
    return raw && raw->readable && raw->host < 0 && raw->fd >= 0 && !raw_is_seekable(raw);
}

static bool is_ready(const Buffered *file) {
    struct pollfd entry = {.fd = file->raw->fd, .events = POLLIN};
    return poll(&entry, 1, 0) != 0;
}

static bool has_line(const Buffered *file, size_t seen) {
    if (!file->in) return false;
    return memchr(file->in->data + file->at + seen, '\n', file->end - file->at - seen) != NULL;
}

bool file_gather(GenVM *vm, Buffered *file, size_t wanted, bool line) {
    if (likely(!vm->threads) || !may_wait(vm, file)) return true;
    if (!buffered_begin_read(vm, file)) return false;
    for (size_t seen = 0, moved;;) {
        size_t have = file->end - file->at;
        if (have >= wanted || (line && has_line(file, seen))) return true;
        seen = have;
        if (!is_ready(file)) {
            if (vm->interrupted && threads_is_main(vm) && !vm_poll_native(vm)) return false;
            threads_park(vm, THREAD_FOR_EVER, file->raw->fd, POLLIN);
            return false;
        }
        if (!buffered_fill(vm, file, &moved)) return false;
        if (file->end - file->at == have) return true; /* the end */
    }
}

bool file_line_waits(GenVM *vm, const Buffered *file) {
    if (likely(!vm->threads) || vm->resumed || !may_wait(vm, file)) return false;
    return !has_line(file, 0) && !is_ready(file);
}
