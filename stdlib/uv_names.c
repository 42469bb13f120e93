/* uv_names.c - module _uv: names of hosts, looked up on libuv's threads. The loop is uv_loop.c's.
 */
#include "stdlib/uv_loop.h"
#include "vm/memory.h"
#include "vm/paths.h"
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

Value socket_addrinfo_list(GenVM *vm, const struct addrinfo *first); /* socket_names.c */

/* libuv numbers the failures of getaddrinfo its own way; scripts know the system's. */
static int system_code(int status) {
    switch (status) {
    case UV_EAI_ADDRFAMILY: return EAI_ADDRFAMILY;
    case UV_EAI_AGAIN: return EAI_AGAIN;
    case UV_EAI_BADFLAGS: return EAI_BADFLAGS;
    case UV_EAI_FAIL: return EAI_FAIL;
    case UV_EAI_FAMILY: return EAI_FAMILY;
    case UV_EAI_MEMORY: return EAI_MEMORY;
    case UV_EAI_NODATA: return EAI_NODATA;
    case UV_EAI_NONAME: return EAI_NONAME;
    case UV_EAI_OVERFLOW: return EAI_OVERFLOW;
    case UV_EAI_SERVICE: return EAI_SERVICE;
    case UV_EAI_SOCKTYPE: return EAI_SOCKTYPE;
    default: return EAI_SYSTEM;
    }
}

static void on_addrinfo(uv_getaddrinfo_t *handle, int status, struct addrinfo *found) {
    UvRequest *request = (UvRequest *)handle;
    UvLoop *loop = request->loop;
    Value item = uv_request_take(request);
    int code = status ? system_code(status) : 0;
    Value data =
        code ? str_from(loop->vm, gai_strerror(code)) : socket_addrinfo_list(loop->vm, found);
    if (data == VALUE_ERROR)
        loop->failed = true;
    else if (item != VALUE_UNSET)
        uv_loop_push_completion(loop, item, code, data);
    uv_freeaddrinfo(found);
    memory_free(request);
}

static bool may_use_net(GenVM *vm) {
    if (vm->capabilities & GEN_CAP_NET) return true;
    path_refuse(vm, "this virtual machine has no access to the network", VALUE_UNSET);
    return false;
}

/* getaddrinfo(loop, item, host or None, service or None, family, type, proto, flags) */
static Value get_addrinfo(GenVM *vm, Value *args) {
    UvLoop *loop = may_use_net(vm) ? uv_loop_of(vm, args[0]) : NULL;
    if (!loop) return VALUE_ERROR;
    const char *host, *service;
    if (!str_c_or_none(vm, args[2], &host) || !str_c_or_none(vm, args[3], &service))
        return VALUE_ERROR;
    struct addrinfo hints = {.ai_family = (int)as_int(args[4]),
                             .ai_socktype = (int)as_int(args[5]),
                             .ai_protocol = (int)as_int(args[6]),
                             .ai_flags = (int)as_int(args[7])};
    UvRequest *request = uv_request_new(vm, loop, args[1]);
    if (!request) return VALUE_ERROR;
    int status =
        uv_getaddrinfo(&loop->loop, &request->getaddrinfo, on_addrinfo, host, service, &hints);
    if (status == 0) return VALUE_NONE;
    uv_request_take(request);
    memory_free(request);
    return uv_raise(vm, status);
}

const NativeDef uv_name_functions[] = {
    {"getaddrinfo(loop, item, host: str | None, service: str | None, family: index, type: index, "
     "proto: "
     "index, flags: index, /)",
     get_addrinfo, "Look up a name; the item is called with the outcome."},
    {NULL, NULL, NULL},
};
