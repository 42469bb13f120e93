/* socket_transfer.c - module _socket: sending and receiving. The rules of waiting are
 * socket_native.c's. */
#include "stdlib/socket_native.h"
#include "vm/memory.h"
#include "vm/paths.h"
#include "vm/threads.h"
#include "vm/objects/files.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

/* Receives into `data`; the number of bytes, -1 with an exception pending. `address` may be NULL.
 */
static ssize_t receive(GenVM *vm, Value fd, uint8_t *data, size_t size, Value flags, Value timeout,
                       SocketAddress *address, socklen_t *address_size) {
    SocketDeadline deadline;
    socket_deadline(vm, timeout, (int)as_int(flags), &deadline);
    int how = (int)as_int(flags) | (deadline.parks ? MSG_DONTWAIT : 0);
    if (!deadline.parks && !socket_wait(vm, socket_fd(vm, fd), POLLIN, &deadline)) return -1;
    for (;;) {
        if (address) *address_size = sizeof *address;
        ssize_t got = recvfrom(socket_fd(vm, fd), data, size, how, address ? &address->any : NULL,
                               address_size);
        if (got >= 0) return got;
        if (!socket_again(vm, socket_fd(vm, fd), POLLIN, &deadline)) return -1;
    }
}

enum {
    SMALL = 65536
}; /* received on the C stack first, so that the bytes object has the right size */

static Value receive_bytes(GenVM *vm, Value *args, SocketAddress *address, socklen_t *address_size,
                           const char *function) {
    int64_t size = as_int(args[1]);
    if (size < 0) return raise_value(vm, "negative buffersize in %s", function);
    uint8_t small[SMALL];
    uint8_t *data = small;
    if (size > SMALL) {
        if (!gc_check_size(vm, (uint64_t)size)) return VALUE_ERROR;
        data = memory_new(vm, (size_t)size);
        if (!data) return raise_memory(vm);
    }
    ssize_t got = receive(vm, args[0], data, (size_t)size, args[2], args[3], address, address_size);
    Value bytes = got < 0 ? VALUE_ERROR : bytes_new(vm, data, (size_t)got);
    if (data != small) memory_free(data);
    return bytes;
}

/* recv(fd, size, flags, timeout) */
static Value recv_bytes(GenVM *vm, Value *args) {
    return receive_bytes(vm, args, NULL, NULL, "recv");
}

static Value recv_bytes_from(GenVM *vm, Value *args) {
    SocketAddress address;
    socklen_t size = 0;
    Value bytes = receive_bytes(vm, args, &address, &size, "recvfrom");
    Value peer = bytes == VALUE_ERROR ? bytes : socket_address_value(vm, &address, size);
    return peer == VALUE_ERROR ? peer : tuple_pack(vm, 2, bytes, peer);
}

/* The span to receive into: buffer, and at most `count` bytes of it (0: all). */
static bool target_of(GenVM *vm, Value buffer, int64_t count, const char *function, uint8_t **data,
                      size_t *size) {
    if (!file_writable_span(vm, function, buffer, data, size)) return false;
    if (count < 0) return raise_value(vm, "negative buffersize in %s", function), false;
    if ((uint64_t)count > *size)
        return raise_value(vm, "nbytes is greater than the length of the buffer"), false;
    if (count) *size = (size_t)count;
    return true;
}

/* recv_into(fd, buffer, count, flags, timeout) */
static Value recv_into(GenVM *vm, Value *args) {
    uint8_t *data;
    size_t size;
    if (!target_of(vm, args[1], as_int(args[2]), "recv_into", &data, &size)) return VALUE_ERROR;
    ssize_t got = receive(vm, args[0], data, size, args[3], args[4], NULL, NULL);
    return got < 0 ? VALUE_ERROR : int_value(got);
}

static Value recvfrom_into(GenVM *vm, Value *args) {
    uint8_t *data;
    size_t size;
    SocketAddress address;
    socklen_t address_size = 0;
    if (!target_of(vm, args[1], as_int(args[2]), "recvfrom_into", &data, &size)) return VALUE_ERROR;
    ssize_t got = receive(vm, args[0], data, size, args[3], args[4], &address, &address_size);
    Value peer = got < 0 ? VALUE_ERROR : socket_address_value(vm, &address, address_size);
    return peer == VALUE_ERROR ? peer : tuple_pack(vm, 2, int_value(got), peer);
}

static bool source_of(GenVM *vm, Value v, const uint8_t **data, size_t *size) {
    if (bytes_view(vm, v, data, size)) return true;
    raise_type(vm, "a bytes-like object is required, not '%T'", v);
    return false;
}

static ssize_t transmit(GenVM *vm, Value fd, const uint8_t *data, size_t size, int flags,
                        const SocketDeadline *deadline, const SocketAddress *address,
                        socklen_t address_size) {
    if (deadline->parks)
        flags |= MSG_DONTWAIT;
    else if (!socket_wait(vm, socket_fd(vm, fd), POLLOUT, deadline))
        return -1;
    for (;;) {
        ssize_t done = sendto(socket_fd(vm, fd), data, size, flags | MSG_NOSIGNAL,
                              address ? &address->any : NULL, address_size);
        if (done >= 0) return done;
        if (!socket_again(vm, socket_fd(vm, fd), POLLOUT, deadline)) return -1;
    }
}

/* All of it, from *done on. A thread that waits in between notes how far it is. */
static bool send_whole(GenVM *vm, Value fd, const uint8_t *data, size_t size, Value flags,
                       const SocketDeadline *deadline, size_t *done) {
    if (vm->resumed) *done = (size_t)threads_current(vm)->progress;
    while (*done < size) {
        ssize_t sent =
            transmit(vm, fd, data + *done, size - *done, (int)as_int(flags), deadline, NULL, 0);
        if (sent < 0 && vm->stop) threads_current(vm)->progress = (int64_t)*done;
        if (sent < 0) return false;
        *done += (size_t)sent;
        if (unlikely(vm->interrupted) && *done < size && !deadline->parks &&
            !socket_interrupted_at(vm, deadline))
            return false;
    }
    return true;
}

/* send(fd, data, flags, timeout) */
static Value send_bytes(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    SocketDeadline deadline;
    if (!source_of(vm, args[1], &data, &size)) return VALUE_ERROR;
    socket_deadline(vm, args[3], (int)as_int(args[2]), &deadline);
    if (deadline.parks && !deadline.bounded) { /* a blocking socket takes all of it */
        size_t done = 0;
        bool whole = send_whole(vm, args[0], data, size, args[2], &deadline, &done);
        return whole ? int_value((int64_t)size) : VALUE_ERROR;
    }
    ssize_t done = transmit(vm, args[0], data, size, (int)as_int(args[2]), &deadline, NULL, 0);
    return done < 0 ? VALUE_ERROR : int_value(done);
}

/* try_send(fd, data): the number of bytes sent at once, 0 when there is no room now. */
static Value try_send(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    if (!source_of(vm, args[1], &data, &size)) return VALUE_ERROR;
    ssize_t done;
    while ((done = send(socket_fd(vm, args[0]), data, size, MSG_NOSIGNAL | MSG_DONTWAIT)) < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) return int_value(0);
        if (errno != EINTR) return socket_raise(vm);
    }
    return int_value(done);
}

/* try_recv(fd, size): bytes, or None when there are none now. */
static Value try_recv(GenVM *vm, Value *args) {
    uint8_t data[SMALL];
    size_t size = (size_t)as_int(args[1]);
    if (size > SMALL) size = SMALL;
    ssize_t got;
    while ((got = recv(socket_fd(vm, args[0]), data, size, MSG_DONTWAIT)) < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) return VALUE_NONE;
        if (errno != EINTR) return socket_raise(vm);
    }
    return bytes_new(vm, data, (size_t)got);
}

/* send_file(fd, file, offset, count): the number of bytes that the system has copied, 0 at the end
 * of the file. It never waits. */
static Value send_file(GenVM *vm, Value *args) {
    off_t offset = (off_t)as_int(args[2]);
    int64_t count = as_int(args[3]);
    if (offset < 0 || count < 0) return raise_value(vm, "negative offset or count");
    ssize_t done;
    if (!path_check_descriptor(vm, as_int(args[1]))) return VALUE_ERROR;
    while ((done = sendfile(socket_fd(vm, args[0]), (int)as_int(args[1]), &offset, (size_t)count)) <
           0)
        if (errno != EINTR) return socket_raise(vm);
    return int_value(done);
}

/* sendall(fd, data, flags, timeout, done): None when all is sent; or, when the handler of a signal
 * has to run first, how much and how many seconds are left or None. */
static Value send_all(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size, done = (size_t)as_int(args[4]);
    SocketDeadline deadline;
    if (!source_of(vm, args[1], &data, &size)) return VALUE_ERROR;
    socket_deadline(vm, args[3], (int)as_int(args[2]), &deadline);
    if (send_whole(vm, args[0], data, size, args[2], &deadline, &done)) return VALUE_NONE;
    if (vm->stop || !error_matches(vm, EXC_INTERRUPTED_ERROR)) return VALUE_ERROR;
    error_clear(vm);
    double left = socket_left(&deadline);
    return tuple_pack(vm, 2, int_value((int64_t)done),
                      left < 0 ? VALUE_NONE : float_value(vm, left));
}

/* sendto(fd, family, data, flags, address, timeout) */
static Value send_to(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    SocketTarget target;
    SocketDeadline deadline;
    Value unfit;
    if (!source_of(vm, args[2], &data, &size)) return VALUE_ERROR;
    if (!socket_target_from(vm, "sendto", (int)as_int(args[1]), args[4], &target, &unfit))
        return unfit;
    socket_deadline(vm, args[5], (int)as_int(args[3]), &deadline);
    ssize_t done = transmit(vm, args[0], data, size, (int)as_int(args[3]), &deadline,
                            &target.address, target.size);
    socket_target_leave(&target);
    return done < 0 ? VALUE_ERROR : int_value(done);
}

const NativeDef socket_transfer_functions[] = {
    {"recv(fd: index, size: index, flags: index, timeout: float | None, /)", recv_bytes, NULL},
    {"recvfrom(fd: index, size: index, flags: index, timeout: float | None, /)", recv_bytes_from,
     NULL},
    {"recv_into(fd: index, buffer, count: index, flags: index, timeout: float | None, /)",
     recv_into, NULL},
    {"recvfrom_into(fd: index, buffer, count: index, flags: index, timeout: float | None, /)",
     recvfrom_into, NULL},
    {"send(fd: index, data, flags: index, timeout: float | None, /)", send_bytes, NULL},
    {"sendall(fd: index, data, flags: index, timeout: float | None, done: index = 0, /)", send_all,
     NULL},
    {"sendto(fd: index, family: index, data, flags: index, address, timeout: float | None, /)",
     send_to, NULL},
    {"send_file(fd: index, file: index, offset: index, count: index, /)", send_file,
     "The number of bytes of a file that were sent at once."},
    {"try_send(fd: index, data, /)", try_send,
     "The number of bytes sent at once, 0 when there is no room."},
    {"try_recv(fd: index, size: index, /)", try_recv,
     "Bytes that are there, None when there are none."},
    {NULL, NULL, NULL},
};
