/* socket_names.c - module _socket: names of hosts and services, addresses as text and bytes,
 * constants. */
#include "stdlib/socket_native.h"
#include "vm/offload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <net/ethernet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

/* What fails gives (code, text), which socket.gen raises as gaierror. */
static Value failure(GenVM *vm, int code) {
    if (code == EAI_SYSTEM) return socket_raise(vm);
    return tuple_pack(vm, 2, int_value(code), str_from(vm, gai_strerror(code)));
}

static Value entry_value(GenVM *vm, const struct addrinfo *entry) {
    SocketAddress address;
    memset(&address, 0, sizeof address);
    memcpy(&address, entry->ai_addr, entry->ai_addrlen);
    Value peer = socket_address_value(vm, &address, entry->ai_addrlen);
    Value name = str_from(vm, entry->ai_canonname ? entry->ai_canonname : "");
    if (peer == VALUE_ERROR || name == VALUE_ERROR) return VALUE_ERROR;
    return tuple_pack(vm, 5, int_value(entry->ai_family), int_value(entry->ai_socktype),
                      int_value(entry->ai_protocol), name, peer);
}

Value socket_addrinfo_list(GenVM *vm, const struct addrinfo *first) {
    Value list = list_new(vm, 0);
    for (; list != VALUE_ERROR && first; first = first->ai_next) {
        Value entry = entry_value(vm, first);
        if (entry == VALUE_ERROR || !list_append(vm, list, entry)) list = VALUE_ERROR;
    }
    return list;
}

/* ---- names of hosts ---- */

typedef struct AddressJob { /* getaddrinfo */
    Job job;
    char *host, *service;
    struct addrinfo hints, *found;
    int code, number;
} AddressJob;

static void run_address(Job *job) {
    AddressJob *address = (AddressJob *)job;
    address->code = getaddrinfo(address->host, address->service, &address->hints, &address->found);
    address->number = errno;
}

static void clean_address(Job *job) {
    AddressJob *address = (AddressJob *)job;
    free(address->host);
    free(address->service);
    if (address->found) freeaddrinfo(address->found);
}

static Value address_result(GenVM *vm, const AddressJob *address) {
    errno = address->number;
    if (address->code != 0) return failure(vm, address->code);
    return socket_addrinfo_list(vm, address->found);
}

static char *copied(const char *text, bool *failed) {
    char *copy = text ? strdup(text) : NULL;
    *failed |= text && !copy;
    return copy;
}

/* Other threads go on meanwhile. */
static Value start_address(GenVM *vm, const AddressJob *asked) {
    AddressJob *address = offload_new(vm, sizeof *address, run_address, clean_address);
    if (!address) return VALUE_ERROR;
    bool failed = false;
    address->hints = asked->hints;
    address->host = copied(asked->host, &failed);
    address->service = copied(asked->service, &failed);
    if (failed) raise_memory(vm);
    if (!failed) return offload_start(vm, &address->job, VALUE_UNSET);
    offload_drop(&address->job);
    return VALUE_ERROR;
}

/* getaddrinfo(host or None, service or None, family, type, proto, flags) */
static Value get_addrinfo(GenVM *vm, Value *args) {
    const char *host, *service;
    if (!socket_may_use(vm)) return VALUE_ERROR;
    if (offload_is_under_way(vm)) {
        const AddressJob *done = offload_finish(vm);
        return done ? address_result(vm, done) : VALUE_ERROR;
    }
    if (!str_c_or_none(vm, args[0], &host) || !str_c_or_none(vm, args[1], &service))
        return VALUE_ERROR;
    AddressJob asked = {.host = (char *)(uintptr_t)host,
                        .service = (char *)(uintptr_t)service,
                        .hints = {.ai_family = (int)as_int(args[2]),
                                  .ai_socktype = (int)as_int(args[3]),
                                  .ai_protocol = (int)as_int(args[4]),
                                  .ai_flags = (int)as_int(args[5])}};
    if (host && !(asked.hints.ai_flags & AI_NUMERICHOST) && threads_should_park(vm))
        return start_address(vm, &asked);
    run_address(&asked.job);
    Value list = address_result(vm, &asked);
    if (asked.found) freeaddrinfo(asked.found);
    return list;
}

typedef struct NameJob { /* getnameinfo */
    Job job;
    SocketAddress address;
    socklen_t size;
    int flags;
    char host[NI_MAXHOST], service[NI_MAXSERV];
    int code, number;
} NameJob;

static void run_name(Job *job) {
    NameJob *name = (NameJob *)job;
    name->code = getnameinfo(&name->address.any, name->size, name->host, sizeof name->host,
                             name->service, sizeof name->service, name->flags);
    name->number = errno;
}

static Value name_result(GenVM *vm, const NameJob *name) {
    errno = name->number;
    if (name->code != 0) return failure(vm, name->code);
    Value list = list_new(vm, 2);
    if (list == VALUE_ERROR || !list_append(vm, list, str_from(vm, name->host)) ||
        !list_append(vm, list, str_from(vm, name->service)))
        return VALUE_ERROR;
    return list;
}

/* getnameinfo(family, address, flags) -> [host, service] */
static Value get_nameinfo(GenVM *vm, Value *args) {
    NameJob asked = {.flags = (int)as_int(args[2])}, *name;
    SocketTarget target;
    Value unfit;
    if (!socket_may_use(vm)) return VALUE_ERROR;
    if (offload_is_under_way(vm))
        return (name = offload_finish(vm)) ? name_result(vm, name) : VALUE_ERROR;
    if (!socket_target_from(vm, "getnameinfo", (int)as_int(args[0]), args[1], &target, &unfit))
        return unfit;
    asked.address = target.address;
    asked.size = target.size;
    socket_target_leave(&target);
    if (asked.flags & NI_NUMERICHOST || !threads_should_park(vm)) {
        run_name(&asked.job);
        return name_result(vm, &asked);
    }
    if (!(name = offload_new(vm, sizeof *name, run_name, NULL))) return VALUE_ERROR;
    name->address = asked.address;
    name->size = asked.size;
    name->flags = asked.flags;
    return offload_start(vm, &name->job, VALUE_UNSET);
}

enum { LABEL_MOST = 256, MOST_FOLDED = 18 }; /* bytes; code points that one becomes at most */

/* White space, controls, formats, surrogates and private characters beyond ASCII: no name has them.
 */
static bool is_in_no_name(utf8proc_int32_t c) {
    utf8proc_category_t category = utf8proc_category(c);
    return c > 127 && category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_CO;
}

/* fold_label(label): folded as names of hosts are, or a tuple of the character that makes it none.
 */
static Value fold_label(GenVM *vm, Value *args) {
    const utf8proc_option_t form =
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    const Str *label = AS_STR(args[0]);
    if (label->size > LABEL_MOST) return raise_value(vm, "label too long");
    utf8proc_int32_t folded[LABEL_MOST * MOST_FOLDED + 1];
    utf8proc_ssize_t count =
        utf8proc_decompose((const utf8proc_uint8_t *)label->data, (utf8proc_ssize_t)label->size,
                           folded, LABEL_MOST * MOST_FOLDED, form);
    if (count < 0) return tuple_pack(vm, 1, args[0]);
    for (utf8proc_ssize_t i = 0; i < count; i++)
        if (is_in_no_name(folded[i]))
            return tuple_pack(vm, 1, str_from_char(vm, (uint32_t)folded[i]));
    count = utf8proc_reencode(folded, count, form); /* in place */
    return count < 0 ? tuple_pack(vm, 1, args[0])
                     : str_new(vm, (const char *)folded, (size_t)count);
}

static Value get_hostname(GenVM *vm, Value *args) {
    char name[1025];
    (void)args;
    if (!socket_may_use(vm)) return VALUE_ERROR;
    return gethostname(name, sizeof name) == 0 ? str_from(vm, name) : socket_raise(vm);
}

enum { ENTRY_ROOM = 2048 }; /* bytes for the names of an entry of /etc/services, /etc/protocols */

static Value service_port(GenVM *vm, Value *args) {
    const char *name = str_c_whole(vm, args[0]), *protocol;
    if (!name || !str_c_or_none(vm, args[1], &protocol)) return VALUE_ERROR;
    struct servent place, *entry;
    char room[ENTRY_ROOM];
    if (!socket_may_use(vm)) return VALUE_ERROR;
    getservbyname_r(name, protocol, &place, room, sizeof room, &entry);
    if (!entry) return raise_error(vm, EXC_OS_ERROR, "service/proto not found");
    return int_value(ntohs((uint16_t)entry->s_port));
}

static Value service_name(GenVM *vm, Value *args) {
    const char *protocol;
    if (!str_c_or_none(vm, args[1], &protocol)) return VALUE_ERROR;
    if (as_int(args[0]) < 0 || as_int(args[0]) > 65535)
        return raise_overflow(vm, "getservbyport: port must be 0-65535.");
    struct servent place, *entry;
    char room[ENTRY_ROOM];
    if (!socket_may_use(vm)) return VALUE_ERROR;
    getservbyport_r(htons((uint16_t)as_int(args[0])), protocol, &place, room, sizeof room, &entry);
    if (!entry) return raise_error(vm, EXC_OS_ERROR, "port/proto not found");
    return str_from(vm, entry->s_name);
}

static Value protocol_number(GenVM *vm, Value *args) {
    const char *name = str_c_whole(vm, args[0]);
    struct protoent place, *entry;
    char room[ENTRY_ROOM];
    if (!name || !socket_may_use(vm)) return VALUE_ERROR;
    getprotobyname_r(name, &place, room, sizeof room, &entry);
    return entry ? int_value(entry->p_proto) : raise_error(vm, EXC_OS_ERROR, "protocol not found");
}

/* ---- addresses as text and bytes ---- */

static Value text_to_bytes(GenVM *vm, Value *args) {
    int family = (int)as_int(args[0]);
    uint8_t packed[16];
    const char *text = str_c_whole(vm, args[1]);
    if (!text) return VALUE_ERROR;
    if (family != AF_INET && family != AF_INET6) {
        errno = EAFNOSUPPORT;
        return socket_raise(vm);
    }
    if (inet_pton(family, text, packed) != 1)
        return raise_error(vm, EXC_OS_ERROR, "illegal IP address string passed to inet_pton");
    return bytes_new(vm, packed, family == AF_INET ? 4 : 16);
}

static Value bytes_to_text(GenVM *vm, Value *args) {
    int family = (int)as_int(args[0]);
    const uint8_t *data;
    size_t size;
    char text[INET6_ADDRSTRLEN];
    if (!bytes_view(vm, args[1], &data, &size))
        return raise_type(vm, "a bytes-like object is required, not '%T'", args[1]);
    if (family != AF_INET && family != AF_INET6)
        return raise_value(vm, "unknown address family %d", family);
    if (size != (family == AF_INET ? 4 : 16))
        return raise_value(vm, "invalid length of packed IP address string");
    return str_from(vm, inet_ntop(family, data, text, sizeof text));
}

static Value loose_text_to_bytes(GenVM *vm, Value *args) {
    struct in_addr address;
    const char *text = str_c_whole(vm, args[0]);
    if (!text) return VALUE_ERROR;
    if (!inet_aton(text, &address))
        return raise_error(vm, EXC_OS_ERROR, "illegal IP address string passed to inet_aton");
    return bytes_new(vm, &address, 4);
}

static Value interface_index(GenVM *vm, Value *args) {
    const char *name = str_c_whole(vm, args[0]);
    if (!name) return VALUE_ERROR;
    unsigned index = if_nametoindex(name);
    return index ? int_value(index) : raise_error(vm, EXC_OS_ERROR, "no interface with this name");
}

static Value interface_list(GenVM *vm, Value *args) {
    (void)args;
    struct if_nameindex *names = if_nameindex();
    Value list = list_new(vm, 0);
    for (struct if_nameindex *entry = names; list != VALUE_ERROR && entry && entry->if_name;
         entry++) {
        Value pair = tuple_pack(vm, 2, int_value(entry->if_index), str_from(vm, entry->if_name));
        if (pair == VALUE_ERROR || !list_append(vm, list, pair)) list = VALUE_ERROR;
    }
    if (names) if_freenameindex(names);
    return list;
}

const NativeDef socket_name_functions[] = {
    {"getaddrinfo(host: str | None, service: str | None, family: index, type: index, proto: index, "
     "flags: index, /)",
     get_addrinfo, NULL},
    {"getnameinfo(family: index, address, flags: index, /)", get_nameinfo, NULL},
    {"fold_label(label: str, /)", fold_label, NULL},
    {"gethostname()", get_hostname, "Return the current host name."},
    {"getservbyname(servicename: str, protocolname: str | None = None, /)", service_port,
     "Return a port number from a service name and protocol name."},
    {"getservbyport(port: index, protocolname: str | None = None, /)", service_name,
     "Return the service name from a port number and protocol name."},
    {"getprotobyname(name: str, /)", protocol_number, "Return the protocol number for the name."},
    {"inet_pton(address_family: index, ip_string: str, /)", text_to_bytes,
     "Convert an IP address from string format to a packed string."},
    {"inet_ntop(address_family: index, packed_ip, /)", bytes_to_text,
     "Convert a packed IP address of the given family to string format."},
    {"inet_aton(ip_addr: str, /)", loose_text_to_bytes,
     "Convert an IP address in string format to the 32-bit packed binary format."},
    {"if_nametoindex(oname: str, /)", interface_index, "The index of an interface's name."},
    {"if_nameindex()", interface_list, "A list of network interface information tuples."},
    {NULL, NULL, NULL},
};

static const struct {
    const char *name;
    int64_t value;
} constants[] = {
#define CONSTANT(name) {#name, (int64_t)name},
#include "stdlib/socket_constants.def"
#undef CONSTANT
};

bool socket_add_constants(GenVM *vm, Dict *dict) {
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        Value name = str_intern_from(vm, constants[i].name, strlen(constants[i].name));
        if (name == VALUE_ERROR || !dict_set_str(vm, dict, name, int_value(constants[i].value)))
            return false;
    }
    return true;
}
