/* socket_native.h - what the files of module _socket share. */
#ifndef GEN_STDLIB_SOCKET_NATIVE_H
#define GEN_STDLIB_SOCKET_NATIVE_H

#include "stdlib/modules.h"
#include "vm/genvm.h"
#include "vm/objects.h"
#include "vm/paths.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <linux/netlink.h>
#include <netinet/in.h>

typedef union SocketAddress {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_nl netlink;
    struct sockaddr_storage storage;
} SocketAddress;

/* How long a call may wait: none, for ever or until a time. */
typedef struct SocketDeadline {
    bool bounded; /* by `until` */
    bool nonblocking;
    bool parks;    /* the thread waits, others go on (vm/threads.h) */
    int64_t until; /* nanoseconds of CLOCK_MONOTONIC */
} SocketDeadline;

bool socket_may_use(GenVM *vm); /* false: PermissionError */
int socket_fd(GenVM *vm, Value v);
Value socket_raise(GenVM *vm); /* OSError by errno */

typedef struct SocketTarget { /* whom a call names */
    SocketAddress address;
    socklen_t size;
    PathPlace place; /* where the path of a Unix socket leads */
} SocketTarget;

/* The address that a script gave for a socket of that family, until socket_target_leave. False with
 * *unfit VALUE_ERROR (an exception is pending), or VALUE_NOT_IMPLEMENTED: the host is a name that
 * must be looked up first; there is nothing to leave then. */
bool socket_target_from(GenVM *vm, const char *function, int family, Value v, SocketTarget *target,
                        Value *unfit);
void socket_target_leave(SocketTarget *target);
Value socket_address_value(GenVM *vm, const SocketAddress *address, socklen_t size);

/* timeout: None, 0 or seconds. flags: of the call; MSG_DONTWAIT is for sockets without a timeout.
 */
void socket_deadline(GenVM *vm, Value timeout, int flags, SocketDeadline *deadline);
/* Before a call and after EAGAIN: true when it may be made. False with TimeoutError or
 * KeyboardInterrupt. */
bool socket_wait(GenVM *vm, int fd, short events, const SocketDeadline *deadline);
/* After EINTR: false with KeyboardInterrupt, or with InterruptedError when a signal's handler must
 * run first; the call is to be made again then, for the `left` seconds (below 0: for ever), which
 * are the error's `filename`. */
bool socket_interrupted(GenVM *vm, double left);
bool socket_interrupted_at(GenVM *vm, const SocketDeadline *deadline); /* ... what is left of it */
double socket_left(const SocketDeadline *deadline); /* seconds, above 0; -1: for ever */
/* After a call that failed: shall it be made again? False with the exception pending. */
bool socket_again(GenVM *vm, int fd, short events, const SocketDeadline *deadline);

extern const NativeDef socket_name_functions[], socket_select_functions[],
    socket_transfer_functions[], socket_message_functions[];
bool socket_add_constants(GenVM *vm, Dict *dict);

#endif
