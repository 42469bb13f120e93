/* tls_session.c - module _ssl: what a script may ask of contexts and connections beside moving
 * bytes: sessions that are used again, ciphers, trusted certificates, the name that a client asked
 * for.
 */
#include "stdlib/tls.h"

#include <string.h>

static const char session_kind[] = "SSL session";

/* ---- the name that a client asked for ---- */

/* Takes the name out of the extension of the client's hello: a list of (type, length, name). */
static void note_name(TlsConnection *connection, const unsigned char *data, size_t size) {
    if (size < 5 || data[2] != TLSEXT_NAMETYPE_host_name) return;
    size_t length = (size_t)data[3] << 8 | data[4];
    if (length > size - 5 || length > TLS_NAME_MOST) return;
    memcpy(connection->name, data + 5, length);
    connection->name[length] = 0;
    connection->named = true;
}

/* Called by OpenSSL in a handshake, twice: the first time it stops it. */
int tls_client_hello(SSL *ssl, int *alert, void *data) {
    const TlsContext *context = data;
    TlsConnection *connection = context->openssl->SSL_get_ex_data(ssl, 0);
    if (connection->hello == HELLO_ANSWERED) {
        if (connection->alert < 0) return SSL_CLIENT_HELLO_SUCCESS;
        *alert = connection->alert;
        return SSL_CLIENT_HELLO_ERROR;
    }
    const unsigned char *extension;
    size_t size;
    if (context->openssl->SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension,
                                                    &size))
        note_name(connection, extension, size);
    connection->hello = HELLO_ASKED;
    return SSL_CLIENT_HELLO_RETRY;
}

/* ask_for_name(context, flag): do handshakes stop at the client's hello? */
static Value ask_for_name(GenVM *vm, Value *args) {
    TlsContext *context = resource_data(vm, args[0], tls_context_kind);
    if (!context) return VALUE_ERROR;
    bool asks = args[1] == VALUE_TRUE;
    vm->openssl->SSL_CTX_set_client_hello_cb(context->ctx, asks ? tls_client_hello : NULL, context);
    return VALUE_NONE;
}

/* asked_name(connection): the name as bytes, None when the client gave none */
static Value asked_name(GenVM *vm, Value *args) {
    TlsConnection *connection = resource_data(vm, args[0], tls_connection_kind);
    if (!connection) return VALUE_ERROR;
    return connection->named ? bytes_new(vm, connection->name, strlen(connection->name))
                             : VALUE_NONE;
}

/* answer_name(connection, alert): the handshake may go on, or ends with that alert unless it is -1
 */
static Value answer_name(GenVM *vm, Value *args) {
    TlsConnection *connection = resource_data(vm, args[0], tls_connection_kind);
    if (!connection) return VALUE_ERROR;
    connection->hello = HELLO_ANSWERED;
    connection->alert = (int)as_int(args[1]);
    return VALUE_NONE;
}

static Value set_context(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    SSL_CTX *ctx = ssl ? tls_context_of(vm, args[1]) : NULL;
    if (!ctx) return VALUE_ERROR;
    if (!vm->openssl->SSL_set_SSL_CTX(ssl, ctx)) return raise_memory(vm);
    AS(Resource, args[0])->held = args[1];
    gc_barrier(vm, AS(Resource, args[0]));
    return VALUE_NONE;
}

/* ---- sessions ---- */

static void release_session(GenVM *vm, void *data) {
    vm->openssl->SSL_SESSION_free(data);
}

static Value get_session(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    if (!ssl) return VALUE_ERROR;
    SSL_SESSION *session = vm->openssl->SSL_get1_session(ssl);
    return session ? resource_new(vm, session_kind, session, release_session) : VALUE_NONE;
}

static Value set_session(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    SSL_SESSION *session = ssl ? resource_data(vm, args[1], session_kind) : NULL;
    if (!session) return VALUE_ERROR;
    bool ok = vm->openssl->SSL_set_session(ssl, session) == 1;
    return ok ? VALUE_NONE : tls_failure(vm, SSL_ERROR_SSL, NULL);
}

static Value session_reused(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    return ssl ? bool_value(vm->openssl->SSL_session_reused(ssl) == 1) : VALUE_ERROR;
}

/* session_facts(session): (id, time, timeout, lifetime of the ticket, is there a ticket) */
static Value session_facts(GenVM *vm, Value *args) {
    SSL_SESSION *session = resource_data(vm, args[0], session_kind);
    if (!session) return VALUE_ERROR;
    unsigned size;
    const unsigned char *id = vm->openssl->SSL_SESSION_get_id(session, &size);
    return tuple_pack(
        vm, 5, bytes_new(vm, id, size), int_value(vm->openssl->SSL_SESSION_get_time(session)),
        int_value(vm->openssl->SSL_SESSION_get_timeout(session)),
        int_value((int64_t)vm->openssl->SSL_SESSION_get_ticket_lifetime_hint(session)),
        bool_value(vm->openssl->SSL_SESSION_has_ticket(session) == 1));
}

/* session_stats(context): the counts of SSLContext.session_stats(), in its order */
static Value session_stats(GenVM *vm, Value *args) {
    static const int what[] = {SSL_CTRL_SESS_NUMBER,
                               SSL_CTRL_SESS_CONNECT,
                               SSL_CTRL_SESS_CONNECT_GOOD,
                               SSL_CTRL_SESS_CONNECT_RENEGOTIATE,
                               SSL_CTRL_SESS_ACCEPT,
                               SSL_CTRL_SESS_ACCEPT_GOOD,
                               SSL_CTRL_SESS_ACCEPT_RENEGOTIATE,
                               SSL_CTRL_SESS_HIT,
                               SSL_CTRL_SESS_MISSES,
                               SSL_CTRL_SESS_TIMEOUTS,
                               SSL_CTRL_SESS_CACHE_FULL};
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    Value list = ctx ? list_new(vm, 0) : VALUE_ERROR;
    for (size_t i = 0; list != VALUE_ERROR && i < sizeof what / sizeof *what; i++)
        if (!list_append(vm, list, int_value(SSL_CTX_ctrl(ctx, what[i], 0, NULL))))
            list = VALUE_ERROR;
    return list;
}

/* ---- ciphers ---- */

static Value short_name(GenVM *vm, int nid) {
    const char *name = nid == NID_undef ? NULL : vm->openssl->OBJ_nid2ln(nid);
    return name ? str_from(vm, name) : VALUE_NONE;
}

/* (id, name, protocol, description, strength bits, bits, is it AEAD, cipher, digest, key exchange,
 * authentication) */
static Value cipher_value(GenVM *vm, const SSL_CIPHER *cipher) {
    char text[512];
    int bits;
    int strength = vm->openssl->SSL_CIPHER_get_bits(cipher, &bits);
    vm->openssl->SSL_CIPHER_description(cipher, text, sizeof text);
    text[strcspn(text, "\n")] = 0;
    return tuple_pack(vm, 11, int_value((int64_t)vm->openssl->SSL_CIPHER_get_id(cipher)),
                      str_from(vm, vm->openssl->SSL_CIPHER_get_name(cipher)),
                      str_from(vm, vm->openssl->SSL_CIPHER_get_version(cipher)), str_from(vm, text),
                      int_value(strength), int_value(bits),
                      bool_value(vm->openssl->SSL_CIPHER_is_aead(cipher)),
                      short_name(vm, vm->openssl->SSL_CIPHER_get_cipher_nid(cipher)),
                      short_name(vm, vm->openssl->SSL_CIPHER_get_digest_nid(cipher)),
                      short_name(vm, vm->openssl->SSL_CIPHER_get_kx_nid(cipher)),
                      short_name(vm, vm->openssl->SSL_CIPHER_get_auth_nid(cipher)));
}

static Value get_ciphers(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    SSL *ssl =
        ctx ? vm->openssl->SSL_new(ctx) : NULL; /* a connection knows those of its versions */
    if (!ssl) return ctx ? raise_memory(vm) : VALUE_ERROR;
    STACK_OF(SSL_CIPHER) *ciphers = vm->openssl->SSL_get_ciphers(ssl);
    Value list = list_new(vm, 0);
    for (int i = 0; list != VALUE_ERROR && i < sk_SSL_CIPHER_num(ciphers); i++) {
        Value entry = cipher_value(vm, sk_SSL_CIPHER_value(ciphers, i));
        if (entry == VALUE_ERROR || !list_append(vm, list, entry)) list = VALUE_ERROR;
    }
    vm->openssl->SSL_free(ssl);
    return list;
}

/* shared_ciphers(connection): those of the client's that a server has too, else None */
static Value shared_ciphers(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    if (!ssl) return VALUE_ERROR;
    STACK_OF(SSL_CIPHER) *theirs = vm->openssl->SSL_get_client_ciphers(ssl);
    STACK_OF(SSL_CIPHER) *ours = vm->openssl->SSL_get_ciphers(ssl);
    if (!theirs || !ours) return VALUE_NONE;
    Value list = list_new(vm, 0);
    for (int i = 0; list != VALUE_ERROR && i < sk_SSL_CIPHER_num(theirs); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(theirs, i);
        if (vm->openssl->OPENSSL_sk_find((OPENSSL_STACK *)ours, cipher) < 0) continue;
        Value entry = tuple_pack(vm, 3, str_from(vm, vm->openssl->SSL_CIPHER_get_name(cipher)),
                                 str_from(vm, vm->openssl->SSL_CIPHER_get_version(cipher)),
                                 int_value(vm->openssl->SSL_CIPHER_get_bits(cipher, NULL)));
        if (entry == VALUE_ERROR || !list_append(vm, list, entry)) list = VALUE_ERROR;
    }
    return list;
}

/* ---- certificates ---- */

/* store_facts(context): ([DER of each authority], certificates, lists of revoked ones) */
static Value store_facts(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    Value list = ctx ? list_new(vm, 0) : VALUE_ERROR;
    if (list == VALUE_ERROR) return list;
    STACK_OF(X509_OBJECT) *objects =
        vm->openssl->X509_STORE_get0_objects(vm->openssl->SSL_CTX_get_cert_store(ctx));
    int64_t certificates = 0, revocations = 0;
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509_OBJECT *object = sk_X509_OBJECT_value(objects, i);
        X509 *cert = vm->openssl->X509_OBJECT_get0_X509(object);
        revocations += vm->openssl->X509_OBJECT_get_type(object) == X509_LU_CRL;
        certificates += cert != NULL;
        if (!cert || !vm->openssl->X509_check_ca(cert)) continue;
        Value der = tls_certificate_value(vm, cert);
        if (der == VALUE_ERROR || !list_append(vm, list, der)) return VALUE_ERROR;
    }
    return tuple_pack(vm, 3, list, int_value(certificates), int_value(revocations));
}

/* chain(connection, verified): the certificates of the peer as DER, as it sent them or as they were
 * verified; None when there are none */
static Value get_chain(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    if (!ssl) return VALUE_ERROR;
    bool verified = args[1] == VALUE_TRUE;
    STACK_OF(X509) *chain = verified ? vm->openssl->SSL_get0_verified_chain(ssl)
                                     : vm->openssl->SSL_get_peer_cert_chain(ssl);
    if (!chain) return VALUE_NONE;
    Value list = list_new(vm, 0);
    X509 *own = vm->openssl->SSL_get0_peer_certificate(ssl);
    if (!verified && own && vm->openssl->SSL_is_server(ssl) && list != VALUE_ERROR) {
        Value der =
            tls_certificate_value(vm, own); /* a server's list of a client's leaves it out */
        if (der == VALUE_ERROR || !list_append(vm, list, der)) return VALUE_ERROR;
    }
    for (int i = 0; list != VALUE_ERROR && i < sk_X509_num(chain); i++) {
        Value der = tls_certificate_value(vm, sk_X509_value(chain, i));
        if (der == VALUE_ERROR || !list_append(vm, list, der)) list = VALUE_ERROR;
    }
    return list;
}

static Value get_verify_flags(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    if (!ctx) return VALUE_ERROR;
    X509_VERIFY_PARAM *param = vm->openssl->SSL_CTX_get0_param(ctx);
    return int_value((int64_t)vm->openssl->X509_VERIFY_PARAM_get_flags(param));
}

static Value set_verify_flags(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    if (!ctx) return VALUE_ERROR;
    X509_VERIFY_PARAM *param = vm->openssl->SSL_CTX_get0_param(ctx);
    unsigned long wanted = (unsigned long)as_int(args[1]);
    vm->openssl->X509_VERIFY_PARAM_clear_flags(
        param, vm->openssl->X509_VERIFY_PARAM_get_flags(param) & ~wanted);
    vm->openssl->X509_VERIFY_PARAM_set_flags(param, wanted);
    return VALUE_NONE;
}

/* ---- other settings ---- */

static Value set_curve(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    const char *name = ctx ? str_c_whole(vm, args[1]) : NULL;
    if (!name) return VALUE_ERROR;
    bool ok = SSL_CTX_set1_groups_list(ctx, (char *)(uintptr_t)name) == 1;
    return ok ? VALUE_NONE : tls_failure(vm, SSL_ERROR_SSL, NULL);
}

static Value get_tickets(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    return ctx ? int_value((int64_t)vm->openssl->SSL_CTX_get_num_tickets(ctx)) : VALUE_ERROR;
}

enum { TICKETS_MOST = 1000 }; /* each is made in a handshake, which nothing can stop */

static Value set_tickets(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    if (!ctx) return VALUE_ERROR;
    int64_t count = as_int(args[1]);
    bool ok = count >= 0 && count <= TICKETS_MOST &&
              vm->openssl->SSL_CTX_set_num_tickets(ctx, (size_t)count) == 1;
    return ok ? VALUE_NONE : raise_value(vm, "failed to set num tickets.");
}

static Value security_level(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    return ctx ? int_value(vm->openssl->SSL_CTX_get_security_level(ctx)) : VALUE_ERROR;
}

/* allow_later(connection): a server may ask for the client's certificate after the handshake */
static Value allow_later(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    if (!ssl) return VALUE_ERROR;
    int mode = vm->openssl->SSL_get_verify_mode(ssl);
    if (!vm->openssl->SSL_is_server(ssl))
        vm->openssl->SSL_set_post_handshake_auth(ssl, 1);
    else if (mode & SSL_VERIFY_PEER)
        vm->openssl->SSL_set_verify(ssl, mode | SSL_VERIFY_POST_HANDSHAKE, NULL);
    return VALUE_NONE;
}

static Value verify_client_later(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    if (!ssl) return VALUE_ERROR;
    vm->openssl->ERR_clear_error();
    int status = vm->openssl->SSL_verify_client_post_handshake(ssl);
    return status == 1 ? VALUE_NONE : tls_failure(vm, SSL_ERROR_SSL, NULL);
}

enum { FINISHED_MOST = 64 }; /* bytes of a message "finished" */

/* binding(connection): what "tls-unique" binds to; None before the handshake */
static Value get_binding(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    char text[FINISHED_MOST];
    if (!ssl) return VALUE_ERROR;
    bool own =
        (vm->openssl->SSL_session_reused(ssl) == 1) == (vm->openssl->SSL_is_server(ssl) == 1);
    size_t size = own ? vm->openssl->SSL_get_finished(ssl, text, sizeof text)
                      : vm->openssl->SSL_get_peer_finished(ssl, text, sizeof text);
    if (size > sizeof text) size = sizeof text;
    return size ? bytes_new(vm, text, size) : VALUE_NONE;
}

/* ---- randomness and names of objects ---- */

static Value add_randomness(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    if (value_is_str(args[0])) {
        data = (const uint8_t *)AS_STR(args[0])->data;
        size = AS_STR(args[0])->size;
    } else if (!bytes_view(vm, args[0], &data, &size)) {
        return raise_type(vm, "a bytes-like object is required, not '%T'", args[0]);
    }
    if (size > INT32_MAX) size = INT32_MAX;
    vm->openssl->RAND_add(data, (int)size, value_float(args[1]));
    return VALUE_NONE;
}

static Value randomness_status(GenVM *vm, Value *args) {
    return (void)args, bool_value(vm->openssl->RAND_status() == 1);
}

/* find_object(text or nid, by name): (nid, short name, long name, number as text) */
static Value find_object(GenVM *vm, Value *args) {
    ASN1_OBJECT *object;
    char text[256];
    if (!value_is_str(args[0])) {
        if (!value_is_int(args[0]))
            return raise_type(vm, "an int or a str is required, not '%T'", args[0]);
        if (!is_int(args[0]) || as_int(args[0]) < 0 || as_int(args[0]) > INT32_MAX)
            return raise_value(vm, "NID must be positive");
        object = vm->openssl->OBJ_nid2obj((int)as_int(args[0]));
        if (!object) return raise_value(vm, "unknown NID %ld", (long)as_int(args[0]));
    } else {
        const char *name = str_c_whole(vm, args[0]);
        if (!name) return VALUE_ERROR;
        object = vm->openssl->OBJ_txt2obj(name, args[1] != VALUE_TRUE);
        if (!object) {
            vm->openssl->ERR_clear_error();
            return raise_value(vm, "unknown object '%s'", name);
        }
    }
    int nid = vm->openssl->OBJ_obj2nid(object);
    const char *small = vm->openssl->OBJ_nid2sn(nid), *full = vm->openssl->OBJ_nid2ln(nid);
    vm->openssl->OBJ_obj2txt(text, sizeof text, object, 1);
    vm->openssl->ASN1_OBJECT_free(object);
    return tuple_pack(vm, 4, int_value(nid), small ? str_from(vm, small) : VALUE_NONE,
                      full ? str_from(vm, full) : VALUE_NONE, str_from(vm, text));
}

const NativeDef tls_session_functions[] = {
    {"ask_for_name(context, flag: bool, /)", ask_for_name, NULL},
    {"asked_name(connection, /)", asked_name, NULL},
    {"answer_name(connection, alert: index, /)", answer_name, NULL},
    {"set_context(connection, context, /)", set_context, NULL},
    {"get_session(connection, /)", get_session, NULL},
    {"set_session(connection, session, /)", set_session, NULL},
    {"session_reused(connection, /)", session_reused, NULL},
    {"session_facts(session, /)", session_facts, NULL},
    {"session_stats(context, /)", session_stats, NULL},
    {"get_ciphers(context, /)", get_ciphers, NULL},
    {"shared_ciphers(connection, /)", shared_ciphers, NULL},
    {"store_facts(context, /)", store_facts, NULL},
    {"get_chain(connection, verified: bool, /)", get_chain, NULL},
    {"get_verify_flags(context, /)", get_verify_flags, NULL},
    {"set_verify_flags(context, flags: index, /)", set_verify_flags, NULL},
    {"set_curve(context, name: str, /)", set_curve, NULL},
    {"get_tickets(context, /)", get_tickets, NULL},
    {"set_tickets(context, count: index, /)", set_tickets, NULL},
    {"security_level(context, /)", security_level, NULL},
    {"allow_later(connection, /)", allow_later, NULL},
    {"verify_client_later(connection, /)", verify_client_later, NULL},
    {"get_binding(connection, /)", get_binding, NULL},
    {"RAND_add(string, entropy: float, /)", add_randomness,
     "Mix string into the OpenSSL PRNG state; entropy (a float) is a lower bound in bytes."},
    {"RAND_status()", randomness_status,
     "Returns True if the OpenSSL PRNG has been seeded with enough data and False if not."},
    {"find_object(name, by_name: bool, /)", find_object, NULL},
    {NULL, NULL, NULL},
};
