/* uv_process.c - module _uv: what ends with a result: names of hosts looked up on libuv's threads,
 * child processes. The loop is uv_loop.c's.
 */
#include "stdlib/uv_loop.h"

#include "vm/paths.h"
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

Value socket_addrinfo_list(GenVM *vm, const struct addrinfo *first); /* socket_names.c */

/* ---- names ---- */

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
    free(request);
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
    free(request);
    return uv_raise(vm, status);
}

/* ---- processes ---- */

static void free_process(uv_handle_t *handle) {
    free(handle);
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal) {
    UvRequest *request = (UvRequest *)process;
    Value item = uv_request_take(request);
    if (item != VALUE_UNSET)
        uv_loop_push_completion(request->loop, item, status, int_value(signal));
    uv_close((uv_handle_t *)process, free_process);
}

/* The strings of a list, ended by NULL; the caller frees the array. NULL with an exception pending.
 */
static char **texts_of(GenVM *vm, Value list) {
    uint64_t count = AS_LIST(list)->count;
    char **texts = calloc(count + 1, sizeof *texts);
    if (!texts) return raise_memory(vm), NULL;
    for (uint64_t i = 0; i < count; i++) {
        const char *text = str_c_whole(vm, AS_LIST(list)->items[i]);
        if (!text) {
            free(texts);
            return NULL;
        }
        texts[i] = (char *)(uintptr_t)text;
    }
    return texts;
}

static int start_process(UvLoop *loop, UvRequest *request, uv_process_options_t *options,
                         Value fds) {
    uv_stdio_container_t stdio[3];
    for (int i = 0; i < 3; i++) {
        int fd = (int)as_int(AS_LIST(fds)->items[i]);
        stdio[i].flags = fd < 0 ? UV_IGNORE : UV_INHERIT_FD;
        stdio[i].data.fd = fd;
    }
    options->stdio = stdio;
    options->stdio_count = 3;
    options->exit_cb = on_exit_of;
    return uv_spawn(&loop->loop, &request->process, options);
}

/* spawn(loop, item, file, args: list, env: list of NAME=VALUE or None, cwd or None, fds: three, new
 * session) -> pid. The item is called with the exit status and the signal. */
static Value spawn(GenVM *vm, Value *args) {
    if (!(vm->capabilities & GEN_CAP_PROCESS))
        return path_refuse(vm, "this virtual machine has no access to other processes",
                           VALUE_UNSET);
    UvLoop *loop = uv_loop_of(vm, args[0]);
    const char *file = loop ? str_c_whole(vm, args[2]) : NULL, *cwd;
    if (!file || !str_c_or_none(vm, args[5], &cwd)) return VALUE_ERROR;
    uv_process_options_t options = {.file = file, .cwd = cwd};
    options.flags = args[7] == VALUE_TRUE ? UV_PROCESS_DETACHED : 0;
    options.args = texts_of(vm, args[3]);
    options.env = options.args && args[4] != VALUE_NONE ? texts_of(vm, args[4]) : NULL;
    bool ok = options.args && (options.env || args[4] == VALUE_NONE);
    UvRequest *request = ok ? uv_request_new(vm, loop, args[1]) : NULL;
    int status = request ? start_process(loop, request, &options, args[6]) : 0;
    free(options.args);
    free(options.env);
    if (!request) return VALUE_ERROR;
    if (status == 0) return int_value(request->process.pid);
    uv_request_take(request);
    uv_close((uv_handle_t *)&request->process, free_process);
    return uv_raise(vm, status);
}

const NativeDef uv_process_functions[] = {
    {"getaddrinfo(loop, item, host: str | None, service: str | None, family: index, type: index, "
     "proto: "
     "index, flags: index, /)",
     get_addrinfo, "Look up a name; the item is called with the outcome."},
    {"spawn(loop, item, file: str, args: list, env: list | None, cwd: str | None, fds: list, "
     "session: "
     "bool, /)",
     spawn, "Start a process; the item is called with its end."},
    {NULL, NULL, NULL},
};
