/* uv_loop.h - the one owner of each uv_loop_t, for the files of module _uv.
 *
 * A loop lives in a Resource; one that was finished is kept in vm->roots[ROOT_UV].
 * Callbacks of libuv run only inside uv_loop_poll and never run script code: they append to lists
 * that the poll returns.
 */
#ifndef GEN_STDLIB_UV_LOOP_H
#define GEN_STDLIB_UV_LOOP_H

#include "stdlib/modules.h"
#include "vm/genvm.h"
#include "vm/objects.h"
#include "vm/resource.h"

#include <uv.h>

typedef struct UvWatcher { /* of a descriptor */
    uv_poll_t poll;
    int events;   /* UV_READABLE | UV_WRITABLE that are wanted */
    bool stopped; /* by libuv, after an error: started again at the next poll */
} UvWatcher;

typedef struct UvSignal {
    uv_signal_t signal;
    struct sigaction before; /* what the process did, done again afterwards */
} UvSignal;

typedef struct UvLoop {
    uv_loop_t loop;
    uv_timer_t timer; /* bounds a poll */
    uv_async_t wake;  /* an interrupt ends a poll */
    GenVM *vm;
    Resource *owner;       /* the object that owns it */
    struct Thread *poller; /* the thread that is parked in a poll of it, or NULL */
    bool woken;            /* from another thread: the next poll does not wait */
    UvWatcher **watchers;  /* by descriptor; NULL: not watched */
    int watcher_count;     /* room in `watchers` and `fresh` */
    int *fresh;            /* descriptors that libuv has not given to the system yet */
    int fresh_count;       /* the room is used up: it may be all that are watched */
    int stopped_count;
    UvSignal *signals[65]; /* by number */
    Value ready;           /* during a poll: the list that takes items that are ready to run */
    Value completions;     /* during a poll: the list of (item, status, data) */
    bool failed;           /* during a poll: out of memory */
} UvLoop;

/* The loop that start() returned; NULL with an exception pending. */
UvLoop *uv_loop_of(GenVM *vm, Value v);

/* From callbacks of libuv. */
void uv_loop_push_ready(UvLoop *loop, Value item);
void uv_loop_push_completion(UvLoop *loop, Value item, int64_t status, Value data);

/* A request under way: `item` is kept alive until uv_request_take. */
typedef struct UvRequest {
    union {
        uv_getaddrinfo_t getaddrinfo;
        uv_getnameinfo_t getnameinfo;
    };
    UvLoop *loop;
} UvRequest;
UvRequest *uv_request_new(GenVM *vm, UvLoop *loop, Value item);
Value uv_request_take(UvRequest *request); /* the item; the request is forgotten, not freed */

Value uv_raise(GenVM *vm, int status); /* OSError of a negative status of libuv */

extern const NativeDef uv_name_functions[];

#endif
