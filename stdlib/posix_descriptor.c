/* posix_descriptor.c - the module posix: descriptors of other kinds than files (pipes, events,
 * memory, terminals), transfers between descriptors, and what else can be done to them.
 *
 * Transfers of much data are made on a thread of the system where a script has several threads
 * (vm/offload.h).
 */
#include "stdlib/posix_child.h"
#include "vm/memory.h"
#include "vm/objects/files.h"
#include "vm/offload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utmp.h>

/* A new descriptor of the VM's, or the error. */
static Value opened(GenVM *vm, int fd) {
    if (fd < 0) return posix_raise(vm, VALUE_UNSET);
    path_own(vm, fd);
    return int_value(fd);
}

static Value done_or_error(GenVM *vm, int status) {
    return status == 0 ? VALUE_NONE : posix_raise(vm, VALUE_UNSET);
}
static Value count_or_error(GenVM *vm, int64_t count) {
    return count >= 0 ? int_value(count) : posix_raise(vm, VALUE_UNSET);
}

/* ---- making them ---- */

static Value two_opened(GenVM *vm, int status, const int ends[2]) {
    if (status != 0) return posix_raise(vm, VALUE_UNSET);
    path_own(vm, ends[0]);
    path_own(vm, ends[1]);
    return tuple_pack(vm, 2, int_value(ends[0]), int_value(ends[1]));
}

static Value posix_pipe(GenVM *vm, Value *args) {
    (void)args;
    int ends[2];
    if (!posix_may_use_files(vm, VALUE_NONE)) return VALUE_ERROR;
    return two_opened(vm, pipe2(ends, O_CLOEXEC), ends);
}

static Value posix_pipe2(GenVM *vm, Value *args) {
    int ends[2];
    if (!posix_may_use_files(vm, VALUE_NONE)) return VALUE_ERROR;
    return two_opened(vm, pipe2(ends, (int)as_int(args[0])), ends);
}

static Value posix_openpty(GenVM *vm, Value *args) {
    (void)args;
    int ends[2];
    if (!posix_may_use_files(vm, VALUE_NONE)) return VALUE_ERROR;
    int status = openpty(&ends[0], &ends[1], NULL, NULL, NULL);
    for (int i = 0; status == 0 && i < 2; i++)
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    return two_opened(vm, status, ends);
}

static Value posix_memfd_create(GenVM *vm, Value *args) {
    if (!posix_may_use_files(vm, VALUE_NONE)) return VALUE_ERROR;
    const char *name = file_path(vm, args[0]);
    return name ? opened(vm, memfd_create(name, (unsigned)as_int(args[1]))) : VALUE_ERROR;
}

static Value posix_eventfd(GenVM *vm, Value *args) {
    if (!posix_may_use_files(vm, VALUE_NONE)) return VALUE_ERROR;
    return opened(vm, eventfd((unsigned)as_int(args[0]), (int)as_int(args[1])));
}

static Value posix_eventfd_read(GenVM *vm, Value *args) {
    int fd = (int)as_int(args[0]);
    eventfd_t count;
    if (!posix_may_use_descriptor(vm, fd) || !file_wait_ready(vm, fd, POLLIN)) return VALUE_ERROR;
    while (eventfd_read(fd, &count) != 0)
        if (errno != EINTR)
            return posix_raise(vm, VALUE_UNSET);
        else if (!posix_interrupted(vm))
            return VALUE_ERROR;
    return int_from_u64(vm, count);
}

static Value posix_eventfd_write(GenVM *vm, Value *args) {
    uint64_t count = 0;
    if (!posix_may_use_descriptor(vm, as_int(args[0]))) return VALUE_ERROR;
    int_to_u64_mask(args[1], &count);
    return done_or_error(vm, eventfd_write((int)as_int(args[0]), count));
}

/* ---- terminals ---- */

static Value posix_login_tty(GenVM *vm, Value *args) {
    bool ok = posix_may_use_descriptor(vm, as_int(args[0])) && posix_may_use_processes(vm);
    return ok ? done_or_error(vm, login_tty((int)as_int(args[0]))) : VALUE_ERROR;
}

static Value posix_ttyname(GenVM *vm, Value *args) {
    char name[256];
    if (!posix_may_use_descriptor(vm, as_int(args[0]))) return VALUE_ERROR;
    errno = ttyname_r((int)as_int(args[0]), name, sizeof name);
    return errno ? posix_raise(vm, VALUE_UNSET) : file_path_text(vm, name);
}

/* ---- transfers ---- */

typedef struct TransferJob {
    Job job;
    enum { TRANSFER_SENDFILE, TRANSFER_COPY, TRANSFER_SPLICE } how;
    int from, to;
    bool has_from, has_to; /* offsets */
    off_t from_at, to_at;
    size_t count;
    unsigned flags;
    ssize_t done;
    int number;
} TransferJob;

static void run_transfer(Job *job) {
    TransferJob *t = (TransferJob *)job;
    off_t *from_at = t->has_from ? &t->from_at : NULL, *to_at = t->has_to ? &t->to_at : NULL;
    switch (t->how) {
    case TRANSFER_SENDFILE: t->done = sendfile(t->to, t->from, from_at, t->count); break;
    case TRANSFER_COPY:
        t->done = copy_file_range(t->from, from_at, t->to, to_at, t->count, t->flags);
        break;
    case TRANSFER_SPLICE:
        t->done = splice(t->from, from_at, t->to, to_at, t->count, t->flags);
        break;
    }
    t->number = errno;
}

static Value transferred(GenVM *vm, const TransferJob *t) {
    errno = t->number;
    return count_or_error(vm, t->done);
}

enum { LARGE = 65536 }; /* bytes: less is not worth a thread */

/* A splice may wait for a pipe, whatever its size. */
static Value transfer(GenVM *vm, TransferJob *asked) {
    TransferJob *job;
    if (offload_is_under_way(vm))
        return (job = offload_finish(vm)) ? transferred(vm, job) : VALUE_ERROR;
    if (!posix_may_use_descriptor(vm, asked->from) || !posix_may_use_descriptor(vm, asked->to))
        return VALUE_ERROR;
    bool aside =
        threads_should_park(vm) && (asked->count >= LARGE || asked->how == TRANSFER_SPLICE);
    if (!aside) {
        do
            run_transfer(&asked->job);
        while (asked->done < 0 && asked->number == EINTR && posix_interrupted(vm));
        return asked->done < 0 && asked->number == EINTR ? VALUE_ERROR : transferred(vm, asked);
    }
    if (!(job = offload_new(vm, sizeof *job, run_transfer, NULL))) return VALUE_ERROR;
    Job fresh = job->job;
    *job = *asked;
    job->job = fresh;
    return offload_start(vm, &job->job, VALUE_UNSET);
}

static bool take_offset(Value v, bool *has, off_t *at) {
    *has = v != VALUE_NONE;
    return !*has || int_to_i64(v, at);
}

static Value posix_sendfile(GenVM *vm, Value *args) {
    TransferJob asked = {.how = TRANSFER_SENDFILE,
                         .to = (int)as_int(args[0]),
                         .from = (int)as_int(args[1]),
                         .count = (size_t)as_int(args[3])};
    if (!take_offset(args[2], &asked.has_from, &asked.from_at))
        return raise_overflow(vm, "Python int too large to convert to C long");
    return transfer(vm, &asked);
}

static Value copy_or_splice(GenVM *vm, Value *args, int how, unsigned flags) {
    TransferJob asked = {.from = (int)as_int(args[0]),
                         .to = (int)as_int(args[1]),
                         .count = (size_t)as_int(args[2]),
                         .flags = flags};
    asked.how = how;
    if (as_int(args[2]) < 0) return raise_value(vm, "negative value for 'count' not allowed");
    if (!take_offset(args[3], &asked.has_from, &asked.from_at) ||
        !take_offset(args[4], &asked.has_to, &asked.to_at))
        return raise_overflow(vm, "Python int too large to convert to C long");
    return transfer(vm, &asked);
}

static Value posix_copy_file_range(GenVM *vm, Value *args) {
    return copy_or_splice(vm, args, TRANSFER_COPY, 0);
}
static Value posix_splice(GenVM *vm, Value *args) {
    return copy_or_splice(vm, args, TRANSFER_SPLICE, (unsigned)as_int(args[5]));
}

/* ---- several buffers at once ---- */

/* The pieces of a list or tuple of buffers, for readv and writev; to be freed. NULL with an
 * exception pending. */
static struct iovec *pieces_of(GenVM *vm, Value buffers, const char *name, bool writable,
                               int *count) {
    uint64_t size;
    const Value *items = leaf_items(buffers, &size);
    if (!items) return raise_type(vm, "%s() arg 2 must be a sequence", name), NULL;
    struct iovec *pieces = memory_new_zeroed(vm, size + 1, sizeof *pieces);
    if (!pieces) return raise_memory(vm), NULL;
    *count = size < INT_MAX ? (int)size : INT_MAX;
    for (uint64_t i = 0; i < size; i++) {
        const uint8_t *data;
        uint8_t *room;
        bool is_bytes = bytes_view(vm, items[i], &data, &pieces[i].iov_len);
        bool fixed = is_bytes && writable &&
                     !file_writable_span(vm, name, items[i], &room, &pieces[i].iov_len);
        bool fits = is_bytes && !fixed;
        pieces[i].iov_base = fits ? (void *)(uintptr_t)data : NULL;
        if (fits) continue;
        if (fixed) error_clear(vm);
        if (fixed)
            raise_error(vm, EXC_BUFFER_ERROR,
                        is_kind(items[i], TYPE_BYTES)
                            ? "Object is not writable."
                            : "memoryview: underlying buffer is not writable");
        else
            raise_type(vm, "a bytes-like object is required, not '%T'", items[i]);
        memory_free(pieces);
        return NULL;
    }
    return pieces;
}

/* offset -1: where the descriptor stands */
static Value move_pieces(GenVM *vm, Value *args, const char *name, bool reads, int64_t offset,
                         int flags) {
    int fd = (int)as_int(args[0]), count;
    if (!posix_may_use_descriptor(vm, fd)) return VALUE_ERROR;
    struct iovec *pieces = pieces_of(vm, args[1], name, reads, &count);
    if (!pieces) return VALUE_ERROR;
    bool ready = offset >= 0 || file_wait_ready(vm, fd, reads ? POLLIN : POLLOUT);
    ssize_t done = 0;
    bool again = ready;
    while (again) {
        done = reads ? preadv2(fd, pieces, count, offset, flags)
                     : pwritev2(fd, pieces, count, offset, flags);
        again = done < 0 && errno == EINTR && (ready = posix_interrupted(vm));
    }
    int number = errno;
    memory_free(pieces);
    errno = number;
    return ready ? count_or_error(vm, done) : VALUE_ERROR;
}

static Value posix_readv(GenVM *vm, Value *args) {
    return move_pieces(vm, args, "readv", true, -1, 0);
}
static Value posix_writev(GenVM *vm, Value *args) {
    return move_pieces(vm, args, "writev", false, -1, 0);
}

static Value at_offset(GenVM *vm, Value *args, const char *name, bool reads) {
    return move_pieces(vm, args, name, reads, as_int(args[2]), (int)as_int(args[3]));
}
static Value posix_preadv(GenVM *vm, Value *args) {
    return at_offset(vm, args, "preadv", true);
}
static Value posix_pwritev(GenVM *vm, Value *args) {
    return at_offset(vm, args, "pwritev", false);
}

/* ---- what else is done to them ---- */

#define DESCRIPTOR_CALL(name, may_use, call)                                                       \
    static Value posix_##name(GenVM *vm, Value *args) {                                            \
        int fd = (int)as_int(args[0]);                                                             \
        if (!may_use(vm, as_int(args[0]))) return VALUE_ERROR;                                     \
        return done_or_error(vm, call);                                                            \
    }

/* Changes of the file itself, or of the current folder, are no business of standard streams. */
static bool may_change(GenVM *vm, int64_t fd) {
    return posix_may_use_files(vm, int_value(fd)) && posix_may_use_descriptor(vm, fd);
}

/* The current folder is the process's besides. */
static bool may_leave(GenVM *vm, int64_t fd) {
    return may_change(vm, fd) && posix_may_see_process(vm);
}

DESCRIPTOR_CALL(fchmod, may_change, fchmod(fd, (mode_t)as_int(args[1])))
DESCRIPTOR_CALL(fchown, may_change, fchown(fd, (uid_t)as_int(args[1]), (gid_t)as_int(args[2])))
DESCRIPTOR_CALL(fchdir, may_leave, fchdir(fd))
DESCRIPTOR_CALL(fadvise_, posix_may_use_descriptor,
                (errno = posix_fadvise(fd, as_int(args[1]), as_int(args[2]), (int)as_int(args[3]))))
DESCRIPTOR_CALL(fallocate_, posix_may_use_descriptor,
                (errno = posix_fallocate(fd, as_int(args[1]), as_int(args[2]))))

/* ---- locks ---- */

typedef struct LockJob {
    Job job;
    enum { LOCK_FILE, LOCK_PART, LOCK_RANGE } how; /* flock(), lockf(), fcntl() */
    int fd, command;
    off_t length;
    struct flock range;
    int status, number;
} LockJob;

static void run_lock(Job *job) {
    LockJob *lock = (LockJob *)job;
    switch (lock->how) {
    case LOCK_FILE: lock->status = flock(lock->fd, lock->command); break;
    case LOCK_PART: lock->status = lockf(lock->fd, lock->command, lock->length); break;
    case LOCK_RANGE: lock->status = fcntl(lock->fd, F_SETLKW, &lock->range); break;
    }
    lock->number = errno;
}

/* Aside: a lock on a range can be broken off; flock() has a descriptor of its own, so that a lock
 * which nobody waits for any more is given back. */
static void run_lock_aside(Job *job) {
    LockJob *lock = (LockJob *)job;
    if (lock->how == LOCK_FILE) return run_lock(job);
    offload_enter(job);
    run_lock(job);
    offload_leave(job);
}

static void clean_lock(Job *job) {
    LockJob *lock = (LockJob *)job;
    if (lock->how != LOCK_FILE || lock->fd < 0) return;
    if (lock->job.done && lock->status == 0) flock(lock->fd, LOCK_UN);
    close(lock->fd);
}

/* The script knows the result: what it locked is locked until it closes the file, and no longer. */
static LockJob *finish_lock(GenVM *vm) {
    LockJob *lock = offload_finish(vm);
    if (!lock || lock->how != LOCK_FILE) return lock;
    close(lock->fd);
    lock->fd = -1;
    return lock;
}

static Value lock_aside(GenVM *vm, const LockJob *asked) {
    int copy = asked->how == LOCK_FILE ? fcntl(asked->fd, F_DUPFD_CLOEXEC, 3) : asked->fd;
    if (copy < 0) return posix_raise(vm, VALUE_UNSET);
    LockJob *job = offload_new(vm, sizeof *job, run_lock_aside, clean_lock);
    if (!job) {
        if (copy != asked->fd) close(copy);
        return VALUE_ERROR;
    }
    Job fresh = job->job;
    *job = *asked;
    job->job = fresh;
    job->fd = copy;
    return offload_start(vm, &job->job, VALUE_UNSET);
}

/* `waits`: others may hold it. */
static Value take_lock(GenVM *vm, LockJob *asked, bool waits) {
    LockJob *job = asked;
    if (!posix_may_use_descriptor(vm, asked->fd)) return VALUE_ERROR;
    if (offload_is_under_way(vm)) {
        if (!(job = finish_lock(vm))) return VALUE_ERROR;
    } else if (waits && threads_should_park(vm)) {
        return lock_aside(vm, asked);
    } else {
        while (run_lock(&asked->job), asked->status != 0 && asked->number == EINTR)
            if (!posix_interrupted(vm)) return VALUE_ERROR;
    }
    errno = job->number;
    return done_or_error(vm, job->status);
}

static Value posix_lockf(GenVM *vm, Value *args) {
    LockJob asked = {.how = LOCK_PART,
                     .fd = (int)as_int(args[0]),
                     .command = (int)as_int(args[1]),
                     .length = as_int(args[2])};
    return take_lock(vm, &asked, asked.command == F_LOCK);
}

static Value posix_flock(GenVM *vm, Value *args) {
    LockJob asked = {.how = LOCK_FILE, .fd = (int)as_int(args[0]), .command = (int)as_int(args[1])};
    return take_lock(vm, &asked, !(asked.command & (LOCK_NB | LOCK_UN)));
}

/* _lock_range(fd, a struct flock) */
static Value lock_range(GenVM *vm, Value *args) {
    LockJob asked = {.how = LOCK_RANGE, .fd = (int)as_int(args[0])};
    if (AS(Bytes, args[1])->size != sizeof asked.range) return raise_value(vm, "no struct flock");
    memcpy(&asked.range, AS(Bytes, args[1])->data, sizeof asked.range);
    return take_lock(vm, &asked, true);
}

/* ---- control ---- */

/* For the others an int would be the address of what the system reads or writes. */
static bool takes_number(int command) {
    static const int commands[] = {
        F_DUPFD,  F_DUPFD_CLOEXEC, F_GETFD,      F_SETFD,     F_GETFL,    F_SETFL,
        F_GETOWN, F_SETOWN,        F_GETSIG,     F_SETSIG,    F_GETLEASE, F_SETLEASE,
        F_NOTIFY, F_GETPIPE_SZ,    F_SETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (command == commands[i]) return true;
    return false;
}

/* _fcntl(fd, command, int or bytes): the result, or the bytes as they are afterwards */
static Value posix_fcntl(GenVM *vm, Value *args) {
    union {
        char bytes[1024];
        struct flock lock; /* for its alignment */
    } room = {{0}};
    int fd = (int)as_int(args[0]), command = (int)as_int(args[1]);
    if (!posix_may_use_descriptor(vm, fd)) return VALUE_ERROR;
    if (!is_kind(args[2], TYPE_BYTES) && !is_int(args[2]))
        return raise_overflow(vm, "signed integer is greater than maximum");
    if (!is_kind(args[2], TYPE_BYTES))
        return count_or_error(vm, takes_number(command) ? fcntl(fd, command, as_int(args[2]))
                                                        : fcntl(fd, command, NULL));
    const Bytes *bytes = AS(Bytes, args[2]);
    if (bytes->size > sizeof room.bytes) return raise_value(vm, "fcntl string arg too long");
    memcpy(room.bytes, bytes->data, bytes->size);
    if (fcntl(fd, command, room.bytes) < 0) return posix_raise(vm, VALUE_UNSET);
    return bytes_new(vm, room.bytes, bytes->size);
}

/* _ioctl(fd, request, int or bytes): (the result, the bytes as they are afterwards) */
static Value posix_ioctl(GenVM *vm, Value *args) {
    union {
        char bytes[2048];
        uint64_t word;
    } room = {{0}};
    int fd = (int)as_int(args[0]), status;
    unsigned long request = (unsigned long)(uint32_t)as_int(args[1]);
    if (!posix_may_use_descriptor(vm, fd) || !posix_may_use_processes(vm)) return VALUE_ERROR;
    if (_IOC_SIZE(request) > sizeof room.bytes) return errno = EFAULT, posix_raise(vm, VALUE_UNSET);
    if (!is_kind(args[2], TYPE_BYTES) && !is_int(args[2]))
        return raise_overflow(vm, "signed integer is greater than maximum");
    if (!is_kind(args[2], TYPE_BYTES)) {
        status = ioctl(fd, request, as_int(args[2]));
        return status < 0 ? posix_raise(vm, VALUE_UNSET)
                          : tuple_pack(vm, 2, int_value(status), vm->empty_bytes);
    }
    const Bytes *bytes = AS(Bytes, args[2]);
    if (bytes->size > 1024) return raise_value(vm, "ioctl string arg too long");
    memcpy(room.bytes, bytes->data, bytes->size);
    if ((status = ioctl(fd, request, room.bytes)) < 0) return posix_raise(vm, VALUE_UNSET);
    return tuple_pack(vm, 2, int_value(status), bytes_new(vm, room.bytes, bytes->size));
}

const NativeDef posix_special_functions[] = {
    {"pipe()", posix_pipe, "Create a pipe."},
    {"pipe2(flags: size, /)", posix_pipe2, "Create a pipe with flags set atomically."},
    {"openpty()", posix_openpty, "Open a pseudo-terminal: descriptors of both ends."},
    {"memfd_create(name, flags: size = 1)", posix_memfd_create,
     "Create a file in memory and return a descriptor of it."},
    {"eventfd(initval: size, flags: size = 524288)", posix_eventfd,
     "Creates and returns an event notification file descriptor."},
    {"eventfd_read(fd: size)", posix_eventfd_read, "Read eventfd value"},
    {"eventfd_write(fd: size, value: int)", posix_eventfd_write, "Write eventfd value."},
    {"login_tty(fd: size, /)", posix_login_tty,
     "Prepare the terminal behind fd for a new login session of this process."},
    {"ttyname(fd: size, /)", posix_ttyname,
     "Return the name of the terminal device connected to 'fd'."},
    {"sendfile(out_fd: size, in_fd: size, offset: int | None, count: size)", posix_sendfile,
     "Copy count bytes from file descriptor in_fd to file descriptor out_fd."},
    {"copy_file_range(src: size, dst: size, count: size, offset_src: int | None = None, "
     "offset_dst: "
     "int | None = None)",
     posix_copy_file_range, "Copy count bytes from one file descriptor to another."},
    {"splice(src: size, dst: size, count: size, offset_src: int | None = None, offset_dst: int | "
     "None = None, flags: size = 0)",
     posix_splice, "Transfer count bytes from one pipe to a descriptor or vice versa."},
    {"readv(fd: size, buffers, /)", posix_readv,
     "Read from a file descriptor fd into an iterable of buffers."},
    {"writev(fd: size, buffers, /)", posix_writev,
     "Iterate over buffers, and write the contents of each to a file descriptor."},
    {"preadv(fd: size, buffers, offset: size, flags: size = 0, /)", posix_preadv,
     "Reads from a file descriptor at an offset into a number of mutable bytes-like objects."},
    {"pwritev(fd: size, buffers, offset: size, flags: size = 0, /)", posix_pwritev,
     "Writes the contents of bytes-like objects to a file descriptor at a given offset."},
    {"fchmod(fd: size, mode: size)", posix_fchmod,
     "Change the access permissions of the file given by file descriptor fd."},
    {"fchown(fd: size, uid: size, gid: size)", posix_fchown,
     "Change the owner and group id of the file specified by file descriptor."},
    {"fchdir(fd: size)", posix_fchdir, "Change to the directory of the given file descriptor."},
    {"posix_fadvise(fd: size, offset: size, length: size, advice: size, /)", posix_fadvise_,
     "Announce an intention to access data in a specific pattern."},
    {"posix_fallocate(fd: size, offset: size, length: size, /)", posix_fallocate_,
     "Ensure a file has allocated at least a particular number of bytes on disk."},
    {"lockf(fd: size, command: size, length: size, /)", posix_lockf,
     "Apply, test or remove a POSIX lock on an open file descriptor."},
    {"_flock(fd: size, operation: size, /)", posix_flock, NULL},
    {"_lock_range(fd: size, range: bytes, /)", lock_range, NULL},
    {"_fcntl(fd: size, command: size, arg: int | bytes, /)", posix_fcntl, NULL},
    {"_ioctl(fd: size, request: size, arg: int | bytes, /)", posix_ioctl, NULL},
    {NULL, NULL, NULL},
};
