/* file_wait.c - files in a script that has several threads.
 *
 * Reads of pipes and terminals: what the call needs is gathered in the file's buffer first, and the
 * thread is parked (vm/threads.h) where there is nothing yet. So the call itself finds everything
 * there, and nothing is lost when the native is run anew. Large reads of files: what is not in the
 * system's memory is brought there by a thread of the system (vm/offload.h), and then read as
 * usual. A FIFO is opened by such a thread too, since that lasts until somebody opens the other
 * end.
 */
#include "vm/bind.h"
#include "vm/objects/files.h"
#include "vm/offload.h"
#include "vm/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* ---- FIFOs ---- */

typedef struct OpenJob {
    Job job;
    char *path; /* or, where `place` is not -1, that is the FIFO, open for nothing */
    int place, flags;
    int fd, number; /* the outcome; fd -1: taken, or there is none */
} OpenJob;

static void run_open(Job *job) {
    OpenJob *open_job = (OpenJob *)job;
    char place[32];
    snprintf(place, sizeof place, "/proc/self/fd/%d", open_job->place);
    offload_enter(job);
    open_job->fd = open(open_job->place >= 0 ? place : open_job->path, open_job->flags);
    open_job->number = errno;
    offload_leave(job);
}

static void clean_open(Job *job) {
    OpenJob *open_job = (OpenJob *)job;
    free(open_job->path);
    if (open_job->place >= 0) close(open_job->place);
    if (open_job->fd >= 0) close(open_job->fd);
}

static bool opens_late(GenVM *vm, const char *path, int flags) {
    struct stat status;
    if (!threads_should_park(vm) || flags & (O_NONBLOCK | O_EXCL | O_PATH)) return false;
    if ((flags & O_ACCMODE) == O_RDWR) return false;
    return stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
}

static int start_open(GenVM *vm, const char *path, int flags, mode_t mode) {
    int place = -1;
    if (vm->path_rules) {
        place = path_open(vm, path, flags | O_PATH, mode);
        if (place < 0) return -1;
        path_disown(vm, place);
    }
    OpenJob *job = offload_new(vm, sizeof *job, run_open, clean_open);
    if (!job) {
        if (place >= 0) close(place);
        return FILE_PARKED;
    }
    job->fd = -1;
    job->place = place;
    job->flags = flags & ~(O_CREAT | O_TRUNC | (place >= 0 ? O_NOFOLLOW : 0));
    job->path = strdup(path);
    if (job->path) {
        offload_start(vm, &job->job, VALUE_UNSET);
    } else {
        raise_memory(vm);
        offload_drop(&job->job);
    }
    return FILE_PARKED;
}

int file_open_waiting(GenVM *vm, const char *path, int flags, mode_t mode) {
    if (offload_is_under_way(vm)) {
        OpenJob *job = offload_finish(vm);
        if (!job) return FILE_PARKED;
        int fd = job->fd;
        job->fd = -1;
        errno = job->number;
        path_own(vm, fd);
        return fd;
    }
    if (likely(!vm->threads && !vm->task) || !opens_late(vm, path, flags))
        return path_open(vm, path, flags, mode);
    return start_open(vm, path, flags, mode);
}

/* ---- files on disks ---- */

enum { OUT_KEPT = 8 };  /* a buffer that is this many times larger than asked for is given up */
enum { LARGE = 65536 }; /* bytes: a smaller read is not worth a thread */

typedef struct FetchJob {
    Job job;
    int fd;
    off_t from;
    size_t size;
} FetchJob;

static void fetch_all(FetchJob *fetch) {
    char scratch[16384];
    while (fetch->size) {
        size_t part = fetch->size < sizeof scratch ? fetch->size : sizeof scratch;
        ssize_t got = pread(fetch->fd, scratch, part, fetch->from);
        if (got <= 0) return; /* whoever reads it meets the error again */
        fetch->from += got;
        fetch->size -= (size_t)got;
    }
}

static void clean_fetch(Job *job) {
    FetchJob *fetch = (FetchJob *)job;
    if (fetch->fd >= 0) close(fetch->fd);
    fetch->fd = -1;
}

/* Its descriptor is gone before the script goes on: with it, closing a file would not end its
 * locks. */
static void run_fetch(Job *job) {
    fetch_all((FetchJob *)job);
    clean_fetch(job);
}

/* Would a read at that place have to wait for a disk. */
static bool is_far(int fd, off_t at) {
    char byte;
    struct iovec place = {&byte, 1};
    return preadv2(fd, &place, 1, at, RWF_NOWAIT) < 0 && errno == EAGAIN;
}

bool file_fetch(GenVM *vm, int fd, int64_t offset, size_t size) {
    struct stat status;
    if (offload_is_under_way(vm)) return offload_finish(vm) != NULL;
    if (likely(!vm->threads) || size < LARGE || !threads_are_many(vm)) return true;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return true;
    off_t from = offset < 0 ? lseek(fd, 0, SEEK_CUR) : offset;
    if (from < 0 || from >= status.st_size) return true;
    if (size > (size_t)(status.st_size - from)) size = (size_t)(status.st_size - from);
    if (!is_far(fd, from) && !is_far(fd, from + (off_t)size - 1)) return true;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) return true; /* it is read directly */
    FetchJob *job = offload_new(vm, sizeof *job, run_fetch, clean_fetch);
    if (!job) return close(copy), false;
    job->fd = copy;
    job->from = from;
    job->size = size;
    job->job.brief = true;
    offload_start(vm, &job->job, VALUE_UNSET);
    return false;
}

/* ---- writing to pipes ---- */

/* Then nobody waits: the call itself tells that there is nothing. */
static bool is_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 || flags & O_NONBLOCK;
}

bool file_wait_ready(GenVM *vm, int fd, short events) {
    if (!vm->resumed && !threads_should_park(vm)) return true;
    struct pollfd entry = {.fd = fd, .events = events};
    if (poll(&entry, 1, 0) != 0 || is_nonblocking(fd)) return true;
    if (vm->interrupted && threads_is_main(vm) && !vm_poll_native(vm)) return false;
    threads_park(vm, THREAD_FOR_EVER, fd, events);
    return false;
}

bool file_is_blocking_pipe(int fd) {
    struct stat status;
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && !(flags & O_NONBLOCK) && fstat(fd, &status) == 0 &&
           (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

/* What the descriptor takes without waiting, or -1 with errno. */
static ssize_t write_some(int fd, const uint8_t *data, size_t size) {
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && !(flags & O_NONBLOCK)) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    ssize_t done = write(fd, data, size);
    int number = errno;
    if (flags >= 0 && !(flags & O_NONBLOCK)) fcntl(fd, F_SETFL, flags);
    errno = number;
    return done;
}

/* Writes from data[*done] on. False as above; *done is how far it is. */
static bool write_from(GenVM *vm, int fd, const uint8_t *data, size_t size, size_t *done) {
    while (*done < size) {
        if (!file_wait_ready(vm, fd, POLLOUT)) return false;
        ssize_t some = write_some(fd, data + *done, size - *done);
        if (some >= 0)
            *done += (size_t)some;
        else if (errno != EINTR && errno != EAGAIN)
            return raise_os_error(vm, errno, VALUE_UNSET), false;
    }
    return true;
}

bool file_write_waiting(GenVM *vm, int fd, const uint8_t *data, size_t size) {
    Thread *thread = threads_current(vm);
    size_t done = vm->resumed ? (size_t)thread->progress : 0;
    bool all = write_from(vm, fd, data, size, &done);
    thread->progress = (int64_t)done;
    return all;
}

bool file_drains(GenVM *vm, const Buffered *file) {
    if (likely(!vm->threads && !vm->task) || (!vm->resumed && !threads_should_park(vm)))
        return false;
    RawFile *raw = file->raw;
    return raw && raw->writable && raw->host < 0 && raw->fd >= 0 && !raw_is_seekable(raw);
}

bool file_drain(GenVM *vm, Buffered *file) {
    if (file->used && !file_is_blocking_pipe(file->raw->fd)) {
        if (!buffered_flush(vm, file)) return false;
    } else if (file->used) {
        if (!write_from(vm, file->raw->fd, file->out->data, file->used, &file->sent)) return false;
    }
    file->used = file->sent = 0;
    file->flush_due = false;
    if (file->out && file->out->capacity > OUT_KEPT * file->size) file->out = NULL;
    return true;
}

/* ---- pipes and terminals ---- */

static bool may_wait(GenVM *vm, const Buffered *file) {
    RawFile *raw = file->raw;
    /* First, since it is asked for each line of a file: most never wait. */
    if (!raw || raw->seekable > 0 || raw->fd < 0 || raw_is_seekable(raw)) return false;
    return raw->readable && raw->host < 0 && (vm->resumed || threads_should_park(vm));
}

static bool is_ready(const Buffered *file) {
    struct pollfd entry = {.fd = file->raw->fd, .events = POLLIN};
    return poll(&entry, 1, 0) != 0 || is_nonblocking(file->raw->fd);
}

static bool has_line(const Buffered *file, size_t seen) {
    if (!file->in) return false;
    return memchr(file->in->data + file->at + seen, '\n', file->end - file->at - seen) != NULL;
}

bool file_gather(GenVM *vm, Buffered *file, size_t wanted, bool line) {
    if (likely(!vm->threads && !vm->task)) return true;
    if (!may_wait(vm, file)) {
        const RawFile *raw = file->raw;
        return line || !raw || raw->fd < 0 || file_fetch(vm, raw->fd, -1, wanted);
    }
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
        if (!buffered_fill(vm, file, &moved)) return buffered_has_nothing(vm); /* met again */
        if (file->end - file->at == have) return true;                         /* the end */
    }
}

bool file_line_waits(GenVM *vm, const Buffered *file) {
    if (likely(!vm->threads && !vm->task) || vm->resumed || !may_wait(vm, file)) return false;
    return !has_line(file, 0) && !is_ready(file);
}
