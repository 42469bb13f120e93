/* socket_message.c - module _socket: messages of several buffers with ancillary data, such as open
 * descriptors on their way to another process. The rules of waiting are socket_native.c's.
 *
 * What the kernel gives as ancillary data is read with its length in doubt: it may have been cut.
 */
#include "stdlib/socket_native.h"
#include "vm/memory.h"
#include "vm/objects/files.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* ---- lengths ---- */

/* CMSG_LEN and CMSG_SPACE of such lengths fit into a socklen_t. */
static bool fits(int64_t length) {
    return length >= 0 && length <= INT32_MAX && CMSG_SPACE((size_t)length) <= INT32_MAX;
}

static Value cmsg_len(GenVM *vm, Value *args) {
    int64_t length = as_int(args[0]);
    if (length < 0 || length > (int64_t)(INT32_MAX - CMSG_LEN(0)))
        return raise_overflow(vm, "CMSG_LEN() argument out of range");
    return int_value((int64_t)CMSG_LEN((size_t)as_int(args[0])));
}

static Value cmsg_space(GenVM *vm, Value *args) {
    if (!fits(as_int(args[0]))) return raise_overflow(vm, "CMSG_SPACE() argument out of range");
    return int_value((int64_t)CMSG_SPACE((size_t)as_int(args[0])));
}

/* ---- sending ---- */

/* The span of each buffer. `out` has room for IOV_MAX. */
static bool spans_of(GenVM *vm, Tuple *buffers, struct iovec *out) {
    if (buffers->count > IOV_MAX) return raise_os_error(vm, EMSGSIZE, VALUE_UNSET), false;
    for (uint64_t i = 0; i < buffers->count; i++) {
        const uint8_t *data;
        size_t size;
        if (!bytes_view(vm, buffers->items[i], &data, &size)) {
            raise_type(vm, "a bytes-like object is required, not '%T'", buffers->items[i]);
            return false;
        }
        out[i] = (struct iovec){(void *)(uintptr_t)data, size};
    }
    return true;
}

static bool item_parts(GenVM *vm, Value item, int *level, int *type, const uint8_t **data,
                       size_t *size) {
    uint64_t count; /* (level, type, data), made by socket.gen */
    const Value *parts = leaf_items(item, &count);
    if (!parts || count != 3 || !is_int(parts[0]) || !is_int(parts[1]))
        return raise_type(vm, "an item is a tuple (level, type, data)"), false;
    *level = (int)as_int(parts[0]);
    *type = (int)as_int(parts[1]);
    if (bytes_view(vm, parts[2], data, size)) return true;
    raise_type(vm, "a bytes-like object is required, not '%T'", parts[2]);
    return false;
}

/* Puts the items of `ancillary` into message->msg_control, which the caller frees. */
static bool put_ancillary(GenVM *vm, Tuple *ancillary, struct msghdr *message) {
    int level, type;
    const uint8_t *data;
    size_t size, total = 0;
    for (uint64_t i = 0; i < ancillary->count; i++) {
        if (!item_parts(vm, ancillary->items[i], &level, &type, &data, &size)) return false;
        if (!fits((int64_t)size) || total + CMSG_SPACE(size) > INT32_MAX)
            return raise_error(vm, EXC_OS_ERROR, "ancillary data item too large"), false;
        total += CMSG_SPACE(size);
    }
    if (!total) return true;
    message->msg_control = memory_new_zeroed(vm, 1, total);
    if (!message->msg_control) return raise_memory(vm), false;
    message->msg_controllen = total;
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    for (uint64_t i = 0; i < ancillary->count; i++, header = CMSG_NXTHDR(message, header)) {
        item_parts(vm, ancillary->items[i], &level, &type, &data, &size);
        header->cmsg_level = level;
        header->cmsg_type = type;
        header->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(header), data, size);
    }
    return true;
}

static ssize_t transmit(GenVM *vm, int fd, const struct msghdr *message, int flags, Value timeout) {
    SocketDeadline deadline;
    socket_deadline(vm, timeout, flags, &deadline);
    if (deadline.parks)
        flags |= MSG_DONTWAIT;
    else if (!socket_wait(vm, fd, POLLOUT, &deadline))
        return -1;
    for (;;) {
        ssize_t done = sendmsg(fd, message, flags | MSG_NOSIGNAL);
        if (done >= 0) return done;
        if (!socket_again(vm, fd, POLLOUT, &deadline)) return -1;
    }
}

/* sendmsg(fd, family, buffers, ancillary, flags, address or None, timeout) */
static Value send_message(GenVM *vm, Value *args) {
    struct iovec spans[IOV_MAX];
    struct msghdr message = {.msg_iov = spans};
    SocketTarget target = {.place.fd = -1};
    Value unfit;
    if (!spans_of(vm, AS_TUPLE(args[2]), spans)) return VALUE_ERROR;
    message.msg_iovlen = AS_TUPLE(args[2])->count;
    if (args[5] != VALUE_NONE) {
        if (!socket_target_from(vm, "sendmsg", (int)as_int(args[1]), args[5], &target, &unfit))
            return unfit;
        message.msg_name = &target.address;
        message.msg_namelen = target.size;
    }
    ssize_t done = -1;
    if (put_ancillary(vm, AS_TUPLE(args[3]), &message))
        done = transmit(vm, socket_fd(vm, args[0]), &message, (int)as_int(args[4]), args[6]);
    memory_free(message.msg_control);
    socket_target_leave(&target);
    return done < 0 ? VALUE_ERROR : int_value(done);
}

/* ---- receiving ---- */

static ssize_t receive(GenVM *vm, int fd, struct msghdr *message, int flags, Value timeout) {
    SocketDeadline deadline;
    socket_deadline(vm, timeout, flags, &deadline);
    if (deadline.parks)
        flags |= MSG_DONTWAIT;
    else if (!socket_wait(vm, fd, POLLIN, &deadline))
        return -1;
    size_t control = message->msg_controllen;
    for (;;) {
        message->msg_namelen = sizeof(SocketAddress);
        message->msg_controllen = control;
        ssize_t got = recvmsg(fd, message, flags);
        if (got >= 0) return got;
        if (!socket_again(vm, fd, POLLIN, &deadline)) return -1;
    }
}

/* (level, type, data) of a header; VALUE_UNSET: it is cut before its data. */
static Value item_value(GenVM *vm, const struct msghdr *message, struct cmsghdr *header) {
    const uint8_t *end = (const uint8_t *)message->msg_control + message->msg_controllen;
    const uint8_t *data = CMSG_DATA(header);
    if (data > end || header->cmsg_len < CMSG_LEN(0)) return VALUE_UNSET;
    size_t size = header->cmsg_len - CMSG_LEN(0);
    if (size > (size_t)(end - data)) size = (size_t)(end - data);
    Value bytes = bytes_new(vm, data, size);
    return bytes == VALUE_ERROR ? bytes
                                : tuple_pack(vm, 3, int_value(header->cmsg_level),
                                             int_value(header->cmsg_type), bytes);
}

static Value ancillary_list(GenVM *vm, struct msghdr *message) {
    Value list = list_new(vm, 0);
    struct cmsghdr *header = message->msg_controllen ? CMSG_FIRSTHDR(message) : NULL;
    for (; list != VALUE_ERROR && header; header = CMSG_NXTHDR(message, header)) {
        Value item = item_value(vm, message, header);
        if (item == VALUE_UNSET) break;
        if (item == VALUE_ERROR || !list_append(vm, list, item)) list = VALUE_ERROR;
    }
    return list;
}

/* Descriptors that came with a message that cannot be handed out are closed. */
static void drop_descriptors(struct msghdr *message) {
    struct cmsghdr *header = message->msg_controllen ? CMSG_FIRSTHDR(message) : NULL;
    for (; header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const uint8_t *end = (const uint8_t *)message->msg_control + message->msg_controllen;
        const uint8_t *last = (const uint8_t *)header + header->cmsg_len;
        for (uint8_t *at = CMSG_DATA(header); at + sizeof(int) <= (last < end ? last : end);
             at += sizeof(int)) {
            int fd;
            memcpy(&fd, at, sizeof fd);
            close(fd);
        }
    }
}

/* (data, ancillary data, flags, address) of a message that has come. */
static Value message_value(GenVM *vm, Value data, struct msghdr *message) {
    Value ancillary = data == VALUE_ERROR ? data : ancillary_list(vm, message);
    Value peer = ancillary == VALUE_ERROR
                     ? ancillary
                     : socket_address_value(vm, message->msg_name, message->msg_namelen);
    Value result = peer == VALUE_ERROR
                       ? peer
                       : tuple_pack(vm, 4, data, ancillary, int_value(message->msg_flags), peer);
    if (result == VALUE_ERROR) drop_descriptors(message);
    return result;
}

/* Room for `size` bytes of ancillary data. */
static bool make_room(GenVM *vm, int64_t size, struct msghdr *message) {
    if (size < 0 || size > INT32_MAX)
        return raise_value(vm, "invalid ancillary data buffer length"), false;
    if (!size) return true;
    if (!gc_check_size(vm, (uint64_t)size)) return false;
    message->msg_control = memory_new_zeroed(vm, 1, (size_t)size);
    message->msg_controllen = (size_t)size;
    return message->msg_control || (raise_memory(vm), false);
}

/* recvmsg(fd, size, size of ancillary data, flags, timeout) */
static Value receive_message(GenVM *vm, Value *args) {
    SocketAddress address;
    struct msghdr message = {.msg_name = &address, .msg_iovlen = 1};
    int64_t size = as_int(args[1]);
    if (size < 0) return raise_value(vm, "negative buffer size in recvmsg()");
    if (!gc_check_size(vm, (uint64_t)size)) return VALUE_ERROR;
    struct iovec span = {memory_new(vm, (size_t)size + 1), (size_t)size};
    message.msg_iov = &span;
    memset(&address, 0, sizeof address);
    if (!span.iov_base) return raise_memory(vm);
    ssize_t got = -1;
    if (make_room(vm, as_int(args[2]), &message))
        got = receive(vm, socket_fd(vm, args[0]), &message, (int)as_int(args[3]), args[4]);
    Value result = VALUE_ERROR;
    if (got >= 0) result = message_value(vm, bytes_new(vm, span.iov_base, (size_t)got), &message);
    memory_free(span.iov_base);
    memory_free(message.msg_control);
    return result;
}

/* recvmsg_into(fd, buffers, size of ancillary data, flags, timeout) */
static Value receive_message_into(GenVM *vm, Value *args) {
    SocketAddress address;
    struct iovec spans[IOV_MAX];
    struct msghdr message = {.msg_name = &address, .msg_iov = spans};
    Tuple *buffers = AS_TUPLE(args[1]);
    if (buffers->count > IOV_MAX) return raise_os_error(vm, EMSGSIZE, VALUE_UNSET);
    for (uint64_t i = 0; i < buffers->count; i++) {
        uint8_t *data;
        if (!file_writable_span(vm, "recvmsg_into", buffers->items[i], &data, &spans[i].iov_len))
            return raise_type(vm, "recvmsg_into() argument 1 must be an iterable of single-segment "
                                  "read-write buffers");
        spans[i].iov_base = data;
    }
    message.msg_iovlen = buffers->count;
    memset(&address, 0, sizeof address);
    if (!make_room(vm, as_int(args[2]), &message)) return VALUE_ERROR;
    ssize_t got = receive(vm, socket_fd(vm, args[0]), &message, (int)as_int(args[3]), args[4]);
    Value result = got < 0 ? VALUE_ERROR : message_value(vm, int_value(got), &message);
    memory_free(message.msg_control);
    return result;
}

const NativeDef socket_message_functions[] = {
    {"CMSG_LEN(length: index, /)", cmsg_len,
     "The length of an ancillary data item with `length` bytes of data, without padding."},
    {"CMSG_SPACE(length: index, /)", cmsg_space,
     "The room that an ancillary data item with `length` bytes of data needs, with padding."},
    {"sendmsg(fd: index, family: index, buffers: tuple, ancillary: tuple, flags: index, address, "
     "timeout: float | None, /)",
     send_message, NULL},
    {"recvmsg(fd: index, size: index, ancsize: index, flags: index, timeout: float | None, /)",
     receive_message, NULL},
    {"recvmsg_into(fd: index, buffers: tuple, ancsize: index, flags: index, timeout: float | None, "
     "/)",
     receive_message_into, NULL},
    {NULL, NULL, NULL},
};
