/* socket_native.c - module _socket: sockets as descriptors, by the calls of POSIX. Class socket is
 * stdlib/socket.gen.
 *
 * Every call that may block takes the socket's timeout: None blocks, 0 does not, else the call
 * waits with poll() first, as the descriptor is then in non-blocking mode. A signal ends a wait:
 * KeyboardInterrupt is raised where it is due, and the wait goes on otherwise.
 */
#include "stdlib/socket_native.h"
#include "stdlib/posix.h"
#include "vm/threads.h"
#include "vm/paths.h"
#include "vm/bind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

bool socket_may_use(GenVM *vm) {
    if (vm->capabilities & GEN_CAP_NET) return true;
    path_refuse(vm, "this virtual machine has no access to the network", VALUE_UNSET);
    return false;
}

/* -1, and so EBADF, for one that is not the VM's. */
int socket_fd(GenVM *vm, Value v) {
    return path_may_use_descriptor(vm, as_int(v)) ? (int)as_int(v) : -1;
}

static Value own(GenVM *vm, int fd) {
    path_own(vm, fd);
    return int_value(fd);
}

Value socket_raise(GenVM *vm) {
    return raise_os_error(vm, errno, VALUE_UNSET);
}

/* ---- waiting ---- */

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void socket_deadline(GenVM *vm, Value timeout, int flags, SocketDeadline *deadline) {
    *deadline = (SocketDeadline){0};
    double seconds = timeout == VALUE_NONE ? 0 : value_float(timeout);
    deadline->nonblocking = timeout != VALUE_NONE && seconds <= 0;
    deadline->bounded = seconds > 0;
    deadline->parks = !deadline->nonblocking && (vm->resumed || threads_should_park(vm));
    if (!deadline->bounded) {
        if (flags & MSG_DONTWAIT) deadline->parks = false;
        return;
    }
    deadline->until = vm->resumed ? (int64_t)threads_current(vm)->until
                                  : now() + (int64_t)(fmin(seconds, 9e9) * 1e9);
}

static Value raise_timed_out(GenVM *vm) {
    return raise_error(vm, EXC_TIMEOUT_ERROR, "timed out");
}

bool socket_interrupted(GenVM *vm, double left) {
    if (!vm_interrupt_waits(vm)) return !vm->interrupted || vm_poll_native(vm);
    raise_os_error(vm, EINTR, left < 0 ? VALUE_UNSET : float_value(vm, left));
    return false;
}

double socket_left(const SocketDeadline *deadline) {
    return deadline->bounded ? fmax(1e-9 * (double)(deadline->until - now()), 1e-9) : -1;
}

bool socket_interrupted_at(GenVM *vm, const SocketDeadline *deadline) {
    return socket_interrupted(vm, socket_left(deadline));
}

/* True when it is ready; else the thread waits, or an exception is pending. */
static bool park(GenVM *vm, int fd, short events, const SocketDeadline *deadline) {
    struct pollfd entry = {.fd = fd, .events = events};
    if (poll(&entry, 1, 0) != 0) return true;
    if (deadline->bounded && now() >= deadline->until) return raise_timed_out(vm), false;
    if (vm->interrupted && threads_is_main(vm) && !socket_interrupted_at(vm, deadline))
        return false;
    threads_park(vm, deadline->bounded ? (uint64_t)deadline->until : THREAD_FOR_EVER, fd, events);
    return false;
}

bool socket_wait(GenVM *vm, int fd, short events, const SocketDeadline *deadline) {
    if (deadline->parks) return park(vm, fd, events, deadline);
    /* What came before the wait does not end it: its handler runs first. */
    if (!deadline->nonblocking && vm->interrupted && threads_is_main(vm) &&
        !socket_interrupted_at(vm, deadline))
        return false;
    while (deadline->bounded) {
        int64_t left = deadline->until - now();
        if (left < 0) left = 0;
        struct timespec wait = {left / 1000000000, left % 1000000000};
        struct pollfd entry = {.fd = fd, .events = events};
        int ready = ppoll(&entry, 1, &wait, NULL);
        if (ready > 0) return true;
        if (ready == 0) return raise_timed_out(vm), false;
        if (errno != EINTR) return socket_raise(vm), false;
        if (!socket_interrupted_at(vm, deadline)) return false;
    }
    return true;
}

bool socket_again(GenVM *vm, int fd, short events, const SocketDeadline *deadline) {
    if (errno == EINTR) return socket_interrupted_at(vm, deadline);
    bool would_block = errno == EAGAIN || errno == EWOULDBLOCK;
    if (would_block && (deadline->bounded || deadline->parks))
        return socket_wait(vm, fd, events, deadline);
    socket_raise(vm);
    return false;
}

/* ---- addresses ---- */

static bool port_from(GenVM *vm, const char *function, Value v, in_port_t *port) {
    int64_t number;
    if (!value_is_intlike(v))
        return raise_type(vm, "'%T' object cannot be interpreted as an integer", v), false;
    if (!int_to_i64(v, &number) || number < 0 || number > 65535) {
        raise_overflow(vm, "%s(): port must be 0-65535.", function);
        return false;
    }
    *port = htons((uint16_t)number);
    return true;
}

/* '' is every address, '<broadcast>' all of the net; a name gives VALUE_NOT_IMPLEMENTED. */
static bool host_from(GenVM *vm, int family, Value v, void *out, Value *unfit) {
    if (!value_is_str(v)) {
        raise_type(vm, "str, bytes or bytearray expected, not %T", v);
        return false;
    }
    const char *host = str_c(vm, v);
    if (!host) return false;
    if (strlen(host) != AS_STR(v)->size) {
        raise_type(vm, "host name must not contain null character");
        return false;
    }
    if (!*host) host = family == AF_INET ? "0.0.0.0" : "::";
    if (family == AF_INET && strcmp(host, "<broadcast>") == 0) host = "255.255.255.255";
    if (inet_pton(family, host, out) == 1) return true;
    *unfit = VALUE_NOT_IMPLEMENTED;
    return false;
}

static bool put_path(GenVM *vm, const void *path, size_t length, SocketTarget *target) {
    struct sockaddr_un *address = &target->address.un;
    bool abstract = length > 0 && !*(const char *)path;
    if (length > sizeof address->sun_path - !abstract)
        return raise_error(vm, EXC_OS_ERROR, "AF_UNIX path too long"), false;
    memset(address->sun_path, 0, sizeof address->sun_path);
    memcpy(address->sun_path, path, length);
    target->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + !abstract);
    return true;
}

/* The path is checked, and used from then on by the place that it was found to lead to: a link that
 * comes there later leads nowhere. What is bound is made in its folder; else it is there. */
static bool find_unix(GenVM *vm, bool binds, Value v, SocketTarget *target) {
    char given[sizeof target->address.un.sun_path];
    memcpy(given, target->address.un.sun_path, sizeof given);
    if (!posix_may_use_files(vm, v) ||
        !path_find(vm, given, PATH_READ | PATH_WRITE, binds, v, &target->place))
        return false;
    if (target->place.path == given) {
        target->place.path = NULL;
        return true;
    }
    const char *found = *target->place.path ? target->place.path : "/proc/self/fd/none";
    if (put_path(vm, found, strlen(found), target)) return true;
    path_leave(&target->place);
    return false;
}

static bool unix_from(GenVM *vm, bool binds, Value v, SocketTarget *target) {
    const uint8_t *data;
    size_t length;
    if (value_is_str(v)) {
        data = (const uint8_t *)AS_STR(v)->data;
        length = AS_STR(v)->size;
    } else if (!bytes_view(vm, v, &data, &length)) {
        return raise_type(vm, "a bytes-like object is required, not '%T'", v), false;
    }
    target->address.un.sun_family = AF_UNIX;
    if (!put_path(vm, data, length, target)) return false;
    return !length || !data[0] || find_unix(vm, binds, v, target);
}

/* Item `at` of an address, if it is there. One of more than 64 bits is `beyond`. */
static bool part_from(GenVM *vm, Tuple *tuple, uint64_t at, int64_t beyond, int64_t *out) {
    *out = 0;
    if (tuple->count <= at) return true;
    if (!value_is_intlike(tuple->items[at])) {
        raise_type(vm, "'%T' object cannot be interpreted as an integer", tuple->items[at]);
        return false;
    }
    if (!int_to_i64(tuple->items[at], out)) *out = beyond;
    return true;
}

/* The scope is cut to 32 bits, as CPython does it; the flow is not. */
static bool flow_and_scope_from(GenVM *vm, const char *function, Tuple *tuple,
                                struct sockaddr_in6 *address) {
    int64_t flow, scope;
    if (!part_from(vm, tuple, 2, -1, &flow) || !part_from(vm, tuple, 3, 0, &scope)) return false;
    if (flow < 0 || flow > 0xfffff) {
        raise_overflow(vm, "%s(): flowinfo must be 0-1048575.", function);
        return false;
    }
    address->sin6_flowinfo = htonl((uint32_t)flow);
    address->sin6_scope_id = (uint32_t)scope;
    return true;
}

static bool internet_from(GenVM *vm, const char *function, int family, Value v,
                          SocketAddress *address, Value *unfit) {
    const char *name = family == AF_INET ? "AF_INET" : "AF_INET6";
    if (!is_kind(v, TYPE_TUPLE)) {
        raise_type(vm, "%s(): %s address must be tuple, not %T", function, name, v);
        return false;
    }
    Tuple *tuple = AS_TUPLE(v);
    if (tuple->count < 2 || tuple->count > (family == AF_INET ? 2 : 4)) {
        if (family == AF_INET)
            raise_type(vm, "AF_INET address must be a pair (host, port)");
        else
            raise_type(vm, "AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])");
        return false;
    }
    in_port_t port;
    address->any.sa_family = (sa_family_t)family;
    if (!port_from(vm, function, tuple->items[1], &port)) return false;
    void *host = family == AF_INET ? (void *)&address->in.sin_addr : &address->in6.sin6_addr;
    if (family == AF_INET)
        address->in.sin_port = port;
    else
        address->in6.sin6_port = port;
    if (family == AF_INET6 && !flow_and_scope_from(vm, function, tuple, &address->in6))
        return false;
    return host_from(vm, family, tuple->items[0], host, unfit);
}

/* (process, groups) */
static bool netlink_from(GenVM *vm, const char *function, Value v, SocketAddress *address) {
    if (!is_kind(v, TYPE_TUPLE) || AS_TUPLE(v)->count != 2) {
        raise_type(vm, "%s(): AF_NETLINK address must be tuple, not %T", function, v);
        return false;
    }
    uint32_t *const parts[] = {&address->netlink.nl_pid, &address->netlink.nl_groups};
    address->netlink.nl_family = AF_NETLINK;
    for (int i = 0; i < 2; i++) {
        int64_t number;
        if (!value_is_intlike(AS_TUPLE(v)->items[i]))
            return raise_type(vm, "an integer is required"), false;
        if (!int_to_i64(AS_TUPLE(v)->items[i], &number) || number < 0 || number > UINT32_MAX)
            return raise_overflow(vm, "int out of range"), false;
        *parts[i] = (uint32_t)number;
    }
    return true;
}

bool socket_target_from(GenVM *vm, const char *function, int family, Value v, SocketTarget *target,
                        Value *unfit) {
    SocketAddress *address = &target->address;
    memset(target, 0, sizeof *target);
    target->place.fd = -1;
    *unfit = VALUE_ERROR;
    if (family == AF_UNIX) return unix_from(vm, !strcmp(function, "bind"), v, target);
    if (family == AF_NETLINK) {
        target->size = sizeof address->netlink;
        return netlink_from(vm, function, v, address);
    }
    if (family != AF_INET && family != AF_INET6)
        return raise_error(vm, EXC_OS_ERROR, "%s(): bad family", function), false;
    target->size = family == AF_INET ? sizeof address->in : sizeof address->in6;
    return internet_from(vm, function, family, v, address, unfit);
}

void socket_target_leave(SocketTarget *target) {
    path_leave(&target->place);
}

static Value unix_value(GenVM *vm, const SocketAddress *address, socklen_t size) {
    size_t length = size - offsetof(struct sockaddr_un, sun_path);
    if (size <= offsetof(struct sockaddr_un, sun_path)) return vm->empty_str;
    const char *path = address->un.sun_path;
    if (!path[0]) return bytes_new(vm, path, length);
    char whole[sizeof address->un.sun_path + 1] = "";
    memcpy(whole, path, strnlen(path, length));
    const char *given = path_given_name(vm, whole);
    if (!given) given = whole;
    return str_decode_utf8(vm, given, strlen(given), "surrogateescape");
}

Value socket_address_value(GenVM *vm, const SocketAddress *address, socklen_t size) {
    char text[INET6_ADDRSTRLEN];
    if (size < sizeof(sa_family_t)) return VALUE_NONE;
    switch (address->any.sa_family) {
    case AF_INET:
        inet_ntop(AF_INET, &address->in.sin_addr, text, sizeof text);
        return tuple_pack(vm, 2, str_from(vm, text), int_value(ntohs(address->in.sin_port)));
    case AF_INET6:
        inet_ntop(AF_INET6, &address->in6.sin6_addr, text, sizeof text);
        return tuple_pack(vm, 4, str_from(vm, text), int_value(ntohs(address->in6.sin6_port)),
                          int_value(ntohl(address->in6.sin6_flowinfo)),
                          int_value(address->in6.sin6_scope_id));
    case AF_NETLINK:
        return tuple_pack(vm, 2, int_value(address->netlink.nl_pid),
                          int_value(address->netlink.nl_groups));
    case AF_UNIX: return unix_value(vm, address, size);
    default:
        return tuple_pack(vm, 2, int_value(address->any.sa_family),
                          bytes_new(vm, address->any.sa_data, size - sizeof(sa_family_t)));
    }
}

/* ---- making, binding, connecting ---- */

static Value make_socket(GenVM *vm, Value *args) {
    if (!socket_may_use(vm)) return VALUE_ERROR;
    int fd =
        socket((int)as_int(args[0]), (int)as_int(args[1]) | SOCK_CLOEXEC, (int)as_int(args[2]));
    return fd < 0 ? socket_raise(vm) : own(vm, fd);
}

static Value make_pair(GenVM *vm, Value *args) {
    int ends[2];
    if (!socket_may_use(vm)) return VALUE_ERROR;
    int type = (int)as_int(args[1]) | SOCK_CLOEXEC;
    if (socketpair((int)as_int(args[0]), type, (int)as_int(args[2]), ends) != 0)
        return socket_raise(vm);
    return tuple_pack(vm, 2, own(vm, ends[0]), own(vm, ends[1]));
}

static Value close_socket(GenVM *vm, Value *args) {
    int fd = socket_fd(vm, args[0]);
    path_disown(vm, fd);
    if (close(fd) == 0 || errno == EINTR || errno == ECONNRESET) return VALUE_NONE;
    return socket_raise(vm);
}

static Value shut_down(GenVM *vm, Value *args) {
    return shutdown(socket_fd(vm, args[0]), (int)as_int(args[1])) == 0 ? VALUE_NONE
                                                                       : socket_raise(vm);
}

/* The system knows it by the place's path; the script goes on to know it by the name it gave. */
static bool keep_name(GenVM *vm, int fd, Value given, SocketTarget *target) {
    const uint8_t *data;
    size_t length;
    char name[sizeof target->address.un.sun_path + 1] = "";
    if (value_is_str(given)) {
        data = (const uint8_t *)AS_STR(given)->data;
        length = AS_STR(given)->size;
    } else if (!bytes_view(vm, given, &data, &length)) {
        return false;
    }
    memcpy(name, data, length);
    return path_keep(vm, fd, &target->place, name) || (raise_memory(vm), false);
}

static Value bind_socket(GenVM *vm, Value *args) {
    SocketTarget target;
    Value unfit;
    if (!socket_target_from(vm, "bind", (int)as_int(args[1]), args[2], &target, &unfit))
        return unfit;
    int fd = socket_fd(vm, args[0]);
    int number = bind(fd, &target.address.any, target.size) == 0 ? 0 : errno;
    if (!number && target.place.fd >= 0 && !keep_name(vm, fd, args[2], &target)) return VALUE_ERROR;
    socket_target_leave(&target);
    return number ? raise_os_error(vm, number, VALUE_UNSET) : VALUE_NONE;
}

static Value listen_socket(GenVM *vm, Value *args) {
    return listen(socket_fd(vm, args[0]), (int)as_int(args[1])) == 0 ? VALUE_NONE
                                                                     : socket_raise(vm);
}

/* The outcome of a connection under way, as errno; -1: an exception is pending. */
static int finish_connecting(GenVM *vm, int fd, const SocketDeadline *deadline) {
    struct pollfd entry = {.fd = fd, .events = POLLOUT};
    for (;;) {
        int64_t left = deadline->bounded ? deadline->until - now() : -1;
        struct timespec wait = {left / 1000000000, left % 1000000000};
        if (deadline->bounded && left <= 0) return EAGAIN;
        int ready = ppoll(&entry, 1, deadline->bounded ? &wait : NULL, NULL);
        if (ready > 0) break;
        if (ready == 0) return EAGAIN;
        if (errno != EINTR) return errno;
        if (!socket_interrupted_at(vm, deadline)) return -1;
    }
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error == EISCONN ? 0 : error;
}

/* The same where the thread waits: the system connects meanwhile. */
static Value connect_parked(GenVM *vm, int fd, const SocketTarget *target,
                            const SocketDeadline *deadline) {
    int flags = fcntl(fd, F_GETFL), error = EINPROGRESS;
    if (!vm->resumed) {
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
        error = connect(fd, &target->address.any, target->size) == 0 ? 0 : errno;
        fcntl(fd, F_SETFL, flags);
    }
    if (error != EINPROGRESS) return int_value(error);
    if (deadline->bounded && now() >= deadline->until) return int_value(EAGAIN);
    if (!socket_wait(vm, fd, POLLOUT, deadline)) return VALUE_ERROR;
    socklen_t length = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return int_value(error == EISCONN ? 0 : error);
}

static Value connect_now(GenVM *vm, int fd, const SocketTarget *target,
                         const SocketDeadline *deadline, bool begun) {
    int error = begun ? EINTR : connect(fd, &target->address.any, target->size) == 0 ? 0 : errno;
    bool waits =
        error == EINTR ? !deadline->nonblocking : error == EINPROGRESS && deadline->bounded;
    if (error == EINTR && vm->interrupted && !vm_poll_native(vm)) return VALUE_ERROR;
    if (waits) error = finish_connecting(vm, fd, deadline);
    return error < 0 ? VALUE_ERROR : int_value(error);
}

/* connect(fd, family, address, timeout, begun) -> errno, or NotImplemented when the host must be
 * looked up. `begun`: a signal has broken off the wait for it. */
static Value connect_socket(GenVM *vm, Value *args) {
    SocketTarget target;
    SocketDeadline deadline;
    Value unfit;
    if (!socket_target_from(vm, "connect", (int)as_int(args[1]), args[2], &target, &unfit))
        return unfit;
    socket_deadline(vm, args[3], 0, &deadline);
    int fd = socket_fd(vm, args[0]);
    Value result = deadline.parks ? connect_parked(vm, fd, &target, &deadline)
                                  : connect_now(vm, fd, &target, &deadline, args[4] == VALUE_TRUE);
    socket_target_leave(&target);
    return result;
}

/* accept(fd, timeout) -> (fd, address) */
static Value accept_socket(GenVM *vm, Value *args) {
    SocketAddress address;
    SocketDeadline deadline;
    socklen_t size;
    int fd = socket_fd(vm, args[0]), accepted;
    socket_deadline(vm, args[1], 0, &deadline);
    if (!socket_wait(vm, fd, POLLIN, &deadline)) return VALUE_ERROR;
    while (size = sizeof address, (accepted = accept4(fd, &address.any, &size, SOCK_CLOEXEC)) < 0)
        if (!socket_again(vm, fd, POLLIN, &deadline)) return VALUE_ERROR;
    Value peer = socket_address_value(vm, &address, size);
    Value result = peer == VALUE_ERROR ? peer : tuple_pack(vm, 2, int_value(accepted), peer);
    if (result == VALUE_ERROR)
        close(accepted);
    else
        path_own(vm, accepted);
    return result;
}

typedef int NameCall(int fd, struct sockaddr *address, socklen_t *size);

static Value name_by(GenVM *vm, Value fd, NameCall *call) {
    SocketAddress address;
    socklen_t size = sizeof address;
    if (call(socket_fd(vm, fd), &address.any, &size) != 0) return socket_raise(vm);
    return socket_address_value(vm, &address, size);
}
static Value own_name(GenVM *vm, Value *args) {
    return name_by(vm, args[0], getsockname);
}
static Value peer_name(GenVM *vm, Value *args) {
    return name_by(vm, args[0], getpeername);
}

/* ---- options ---- */

static Value set_blocking(GenVM *vm, Value *args) {
    int flags = fcntl(socket_fd(vm, args[0]), F_GETFL);
    int wanted = args[1] == VALUE_TRUE ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    if (flags < 0 || (flags != wanted && fcntl(socket_fd(vm, args[0]), F_SETFL, wanted) != 0))
        return socket_raise(vm);
    return VALUE_NONE;
}

static Value is_blocking(GenVM *vm, Value *args) {
    int flags = fcntl(socket_fd(vm, args[0]), F_GETFL);
    return flags < 0 ? socket_raise(vm) : bool_value(!(flags & O_NONBLOCK));
}

static Value set_inheritable(GenVM *vm, Value *args) {
    int status = fcntl(socket_fd(vm, args[0]), F_SETFD, args[1] == VALUE_TRUE ? 0 : FD_CLOEXEC);
    return status < 0 ? socket_raise(vm) : VALUE_NONE;
}
static Value get_inheritable(GenVM *vm, Value *args) {
    int flags = fcntl(socket_fd(vm, args[0]), F_GETFD);
    return flags < 0 ? socket_raise(vm) : bool_value(!(flags & FD_CLOEXEC));
}

static Value duplicate(GenVM *vm, Value *args) {
    int fd = fcntl(socket_fd(vm, args[0]), F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? socket_raise(vm) : own(vm, fd);
}

/* getsockopt(fd, level, name, buflen): an int, or `buflen` bytes. */
static Value get_option(GenVM *vm, Value *args) {
    int level = (int)as_int(args[1]), name = (int)as_int(args[2]), number = 0;
    int64_t room = as_int(args[3]);
    char buffer[1024];
    socklen_t size = room ? (socklen_t)room : sizeof number;
    if (room < 0 || room > (int64_t)sizeof buffer)
        return raise_error(vm, EXC_OS_ERROR, "getsockopt buflen out of range");
    if (getsockopt(socket_fd(vm, args[0]), level, name, room ? (void *)buffer : &number, &size) !=
        0)
        return socket_raise(vm);
    return room ? bytes_new(vm, buffer, size) : int_value(number);
}

/* setsockopt(fd, level, name, value, optlen): value is an int, bytes, or None with a length. */
static Value set_option(GenVM *vm, Value *args) {
    int level = (int)as_int(args[1]), name = (int)as_int(args[2]), number;
    const uint8_t *data = NULL;
    size_t size = 0;
    int64_t wide;
    if (args[3] == VALUE_NONE) {
        size = (size_t)as_int(args[4]);
    } else if (value_is_intlike(args[3])) {
        if (!int_to_i64(args[3], &wide) || wide < INT32_MIN || wide > INT32_MAX)
            return raise_overflow(vm, "signed integer is greater than maximum");
        number = (int)wide;
        data = (const uint8_t *)&number;
        size = sizeof number;
    } else if (!bytes_view(vm, args[3], &data, &size)) {
        return raise_type(vm, "a bytes-like object is required, not '%T'", args[3]);
    }
    if (setsockopt(socket_fd(vm, args[0]), level, name, data, (socklen_t)size) != 0)
        return socket_raise(vm);
    return VALUE_NONE;
}

static const NativeDef functions[] = {
    {"socket(family: index, type: index, proto: index, /)", make_socket, NULL},
    {"socketpair(family: index, type: index, proto: index, /)", make_pair, NULL},
    {"close(fd: index, /)", close_socket, NULL},
    {"shutdown(fd: index, how: index, /)", shut_down, NULL},
    {"bind(fd: index, family: index, address, /)", bind_socket, NULL},
    {"listen(fd: index, backlog: index, /)", listen_socket, NULL},
    {"connect(fd: index, family: index, address, timeout: float | None, begun: bool = False, /)",
     connect_socket, NULL},
    {"accept(fd: index, timeout: float | None, /)", accept_socket, NULL},
    {"getsockname(fd: index, /)", own_name, NULL},
    {"getpeername(fd: index, /)", peer_name, NULL},
    {"setblocking(fd: index, flag: bool, /)", set_blocking, NULL},
    {"getblocking(fd: index, /)", is_blocking, NULL},
    {"set_inheritable(fd: index, flag: bool, /)", set_inheritable, NULL},
    {"get_inheritable(fd: index, /)", get_inheritable, NULL},
    {"dup(fd: index, /)", duplicate, NULL},
    {"getsockopt(fd: index, level: index, name: index, size: index, /)", get_option, NULL},
    {"setsockopt(fd: index, level: index, name: index, value, size: index, /)", set_option, NULL},
    {NULL, NULL, NULL},
};

static bool add_functions(GenVM *vm, Module *module, const NativeDef *def) {
    for (; def->signature; def++) {
        Value function = native_function_new(vm, def, VALUE_UNSET, module->name);
        if (function == VALUE_ERROR ||
            !dict_set_str(vm, module->dict, AS(NativeFunction, function)->name, function))
            return false;
    }
    return true;
}

static bool init(GenVM *vm, Module *module) {
    return add_functions(vm, module, socket_transfer_functions) &&
           add_functions(vm, module, socket_message_functions) &&
           add_functions(vm, module, socket_name_functions) &&
           add_functions(vm, module, socket_select_functions) &&
           socket_add_constants(vm, module->dict);
}

const NativeModule socket_module = {"_socket", functions, init};
