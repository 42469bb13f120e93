/* tls.c - module _ssl: TLS by OpenSSL, between memory and memory. Modules ssl and asyncio.sslproto
 * move the bytes.
 *
 * A connection has two memory buffers: scripts feed it what came from the peer and drain what is to
 * be sent. So nothing here waits or touches a descriptor. An operation that cannot be done gives a
 * tuple (code of SSL_get_error, library, reason, code of the verification, its text), from which
 * ssl.gen makes the exception.
 *
 * The library is loaded with the module (openssl.h), before any of these functions can be called.
 */
#include "stdlib/tls.h"
#include "stdlib/posix.h"
#include "vm/memory.h"
#include "vm/paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char tls_context_kind[] = "SSL context", tls_connection_kind[] = "SSL connection";

SSL_CTX *tls_context_of(GenVM *vm, Value v) {
    TlsContext *context = resource_data(vm, v, tls_context_kind);
    return context ? context->ctx : NULL;
}
enum {
    CONTEXT_BYTES = 16 << 10,    /* that a context takes, about, without certificates */
    CERTIFICATE_BYTES = 6 << 10, /* that each of those takes which it trusts, about */
    CONNECTION_BYTES = 32 << 10, /* that a connection takes, about, beside its two buffers */
};

/* Counts what the connection has in its buffers, and `more` that are to come. */
static bool count_memory(GenVM *vm, TlsConnection *connection, size_t more) {
    size_t in = vm->openssl->BIO_ctrl_pending(vm->openssl->SSL_get_rbio(connection->ssl));
    size_t out = vm->openssl->BIO_ctrl_pending(vm->openssl->SSL_get_wbio(connection->ssl));
    if (memory_count(vm, &connection->counted, CONNECTION_BYTES + in + out + more)) return true;
    raise_memory(vm);
    return false;
}

static TlsConnection *connection_of(GenVM *vm, Value v, size_t more) {
    TlsConnection *connection = resource_data(vm, v, tls_connection_kind);
    return connection && count_memory(vm, connection, more) ? connection : NULL;
}

SSL *tls_connection_of(GenVM *vm, Value v) {
    TlsConnection *connection = connection_of(vm, v, 0);
    return connection ? connection->ssl : NULL;
}

/* ---- failures ---- */

static Value text_or_empty(GenVM *vm, const char *text) {
    return str_from(vm, text ? text : "");
}

static const char *library_name(unsigned long code) {
    switch (ERR_GET_LIB(code)) {
    case ERR_LIB_SSL: return "SSL";
    case ERR_LIB_PEM: return "PEM";
    case ERR_LIB_X509: return "X509";
    case ERR_LIB_X509V3: return "X509V3";
    case ERR_LIB_ASN1: return "ASN1";
    case ERR_LIB_EVP: return "EVP";
    case ERR_LIB_RSA: return "RSA";
    case ERR_LIB_EC: return "EC";
    case ERR_LIB_BIO: return "BIO";
    case ERR_LIB_CRYPTO: return "CRYPTO";
    default: return "";
    }
}

/* The tuple of the last error that OpenSSL noted. A reason that says no more than which library
 * failed has no name; it begins with a blank here. */
Value tls_failure(GenVM *vm, int kind, SSL *ssl) {
    unsigned long code = vm->openssl->ERR_peek_last_error();
    const char *reason = code ? vm->openssl->ERR_reason_error_string(code) : NULL;
    bool vague = ERR_COMMON_ERROR(code);
    long verify = ssl ? vm->openssl->SSL_get_verify_result(ssl) : 0;
    const char *text = verify ? vm->openssl->X509_verify_cert_error_string(verify) : "";
    char what[256];
    if (!ssl) kind = -(int)ERR_GET_REASON(code); /* no connection: its number is the reason's */
    snprintf(what, sizeof what, "%s%s", code && vague ? " " : "", reason ? reason : "");
    Value result =
        tuple_pack(vm, 5, int_value(kind), text_or_empty(vm, code ? library_name(code) : ""),
                   text_or_empty(vm, what), int_value(verify), text_or_empty(vm, text));
    vm->openssl->ERR_clear_error();
    return result;
}

static Value outcome(GenVM *vm, SSL *ssl, int status) {
    return tls_failure(vm, vm->openssl->SSL_get_error(ssl, status), ssl);
}

/* ---- contexts ---- */

/* Counts what the certificates of the context take, `more` than it has included. */
static bool count_certificates(GenVM *vm, TlsContext *context, size_t more) {
    X509_STORE *store = vm->openssl->SSL_CTX_get_cert_store(context->ctx);
    int count = sk_X509_OBJECT_num(vm->openssl->X509_STORE_get0_objects(store));
    size_t certificates = (size_t)(count > 0 ? count : 0) + more;
    size_t size = CONTEXT_BYTES + certificates * CERTIFICATE_BYTES;
    return memory_count(vm, &context->counted, size) || (raise_memory(vm), false);
}

static void release_context(GenVM *vm, void *data) {
    TlsContext *context = data;
    vm->openssl->SSL_CTX_free(context->ctx);
    memory_count(vm, &context->counted, 0);
    memory_free(context->alpn);
    memory_free(context);
}

enum {
    DEFAULT_OPTIONS = (SSL_OP_ALL & ~SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS) | SSL_OP_NO_SSLv3 |
                      SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                      SSL_OP_ENABLE_MIDDLEBOX_COMPAT
};

/* What CPython's own build takes for good. */
static const char default_ciphers[] =
    "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM";

/* context(kind): 0 either side, 1 client, 2 server */
static Value make_context(GenVM *vm, Value *args) {
    int64_t kind = as_int(args[0]);
    const SSL_METHOD *method = kind == 1   ? vm->openssl->TLS_client_method()
                               : kind == 2 ? vm->openssl->TLS_server_method()
                                           : vm->openssl->TLS_method();
    size_t counted = 0;
    if (!memory_count(vm, &counted, CONTEXT_BYTES)) return raise_memory(vm);
    TlsContext *context = memory_new_zeroed(vm, 1, sizeof *context);
    if (!context || !(context->ctx = vm->openssl->SSL_CTX_new(method))) {
        memory_free(context);
        memory_count(vm, &counted, 0);
        return raise_memory(vm);
    }
    SSL_CTX_set_mode(context->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_AUTO_RETRY |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    context->counted = counted;
    context->openssl = vm->openssl;
    vm->openssl->SSL_CTX_set_cipher_list(context->ctx, default_ciphers);
    X509_VERIFY_PARAM *param = vm->openssl->SSL_CTX_get0_param(context->ctx);
    vm->openssl->X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_TRUSTED_FIRST);
    vm->openssl->SSL_CTX_set_options(context->ctx, DEFAULT_OPTIONS);
    vm->openssl->SSL_CTX_set_session_id_context(context->ctx, (const unsigned char *)"gen", 3);
    return resource_new(vm, tls_context_kind, context, release_context);
}

/* set_verify(context, mode): 0 none, 1 optional, 2 required */
static Value set_verify(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    if (!ctx) return VALUE_ERROR;
    static const int modes[] = {SSL_VERIFY_NONE, SSL_VERIFY_PEER,
                                SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT};
    int64_t mode = as_int(args[1]);
    if (mode < 0 || mode > 2) return raise_value(vm, "invalid value for verify_mode");
    vm->openssl->SSL_CTX_set_verify(ctx, modes[mode], NULL);
    return VALUE_NONE;
}

typedef struct Password {
    const char *text; /* or NULL */
    bool asked;       /* OpenSSL wanted one */
} Password;

static int give_password(char *buffer, int size, int writing, void *context) {
    (void)writing;
    Password *password = context;
    int length = password->text ? (int)strlen(password->text) : 0;
    password->asked = true;
    if (length > size) return 0;
    if (password->text) memcpy(buffer, password->text, (size_t)length);
    return length;
}

/* OpenSSL opens the file by itself, by the place that `path` was found to lead to. */
static bool find_file(GenVM *vm, Value name, const char *path, PathPlace *place) {
    *place = (PathPlace){NULL, NULL, -1};
    return !path ||
           (posix_may_use_files(vm, name) && path_find(vm, path, PATH_READ, false, name, place));
}

static bool use_chain(GenVM *vm, SSL_CTX *ctx, const char *cert, const char *key) {
    return vm->openssl->SSL_CTX_use_certificate_chain_file(ctx, cert) == 1 &&
           vm->openssl->SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
           vm->openssl->SSL_CTX_check_private_key(ctx) == 1;
}

/* load_cert_chain(context, certfile, keyfile, password or None): None, NotImplemented when it takes
 * a password and none is given, or a failure */
static Value load_cert_chain(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    Password password = {NULL, false};
    const char *cert = ctx ? str_c_whole(vm, args[1]) : NULL,
               *key = cert ? str_c_whole(vm, args[2]) : NULL;
    if (!key || !str_c_or_none(vm, args[3], &password.text)) return VALUE_ERROR;
    PathPlace cert_place, key_place;
    if (!find_file(vm, args[1], cert, &cert_place)) return VALUE_ERROR;
    if (!find_file(vm, args[2], key, &key_place)) return path_leave(&cert_place), VALUE_ERROR;
    vm->openssl->SSL_CTX_set_default_passwd_cb(ctx, give_password);
    vm->openssl->SSL_CTX_set_default_passwd_cb_userdata(ctx, &password);
    bool ok = use_chain(vm, ctx, cert_place.path, key_place.path);
    vm->openssl->SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
    path_leave(&cert_place);
    path_leave(&key_place);
    if (!ok && password.asked && !password.text) {
        vm->openssl->ERR_clear_error();
        return VALUE_NOT_IMPLEMENTED;
    }
    return ok ? VALUE_NONE : tls_failure(vm, SSL_ERROR_SSL, NULL);
}

/* HHHHHHHH.N or HHHHHHHH.rN, by which OpenSSL finds certificates and revocations in a folder. */
static bool is_hash_name(const char *name) {
    size_t hash = strspn(name, "0123456789abcdef");
    const char *number = name + hash + 1 + (hash == 8 && name[8] == '.' && name[9] == 'r');
    return hash == 8 && name[8] == '.' && *number && !number[strspn(number, "0123456789")];
}

static void add_file(GenVM *vm, SSL_CTX *ctx, const char *folder, const char *name) {
    char opened[32];
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = memory_new(vm, size);
    if (!path) return;
    snprintf(path, size, "%s/%s", folder, name);
    int fd = path_open(vm, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
    memory_free(path);
    if (fd < 0) return;
    snprintf(opened, sizeof opened, "/proc/self/fd/%d", fd);
    vm->openssl->SSL_CTX_load_verify_locations(ctx, opened, NULL);
    vm->openssl->ERR_clear_error(); /* what is no certificate is passed over */
    path_disown(vm, fd);
    close(fd);
}

/* OpenSSL opens the files of a folder when a handshake asks for one, by names that may be links. So
 * where roots are set they are read at once: those that may be read. */
static void add_folder(GenVM *vm, SSL_CTX *ctx, const char *folder, const char *place) {
    DIR *entries = opendir(place);
    struct dirent *entry;
    while (entries && (entry = readdir(entries))) {
        native_charge(vm, 1);
        if (is_hash_name(entry->d_name)) add_file(vm, ctx, folder, entry->d_name);
    }
    if (entries) closedir(entries);
}

static Value load_verify_files(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    const char *file, *folder;
    if (!ctx || !str_c_or_none(vm, args[1], &file) || !str_c_or_none(vm, args[2], &folder))
        return VALUE_ERROR;
    PathPlace place, folder_place;
    if (!find_file(vm, args[1], file, &place)) return VALUE_ERROR;
    if (!find_file(vm, args[2], folder, &folder_place)) return path_leave(&place), VALUE_ERROR;
    bool roots = vm->path_rules && folder;
    bool ok = (roots && !place.path) || vm->openssl->SSL_CTX_load_verify_locations(
                                            ctx, place.path, roots ? NULL : folder_place.path) == 1;
    if (ok && roots) add_folder(vm, ctx, folder, folder_place.path);
    path_leave(&place);
    path_leave(&folder_place);
    if (!count_certificates(vm, resource_data(vm, args[0], tls_context_kind), 0))
        return VALUE_ERROR;
    return ok ? VALUE_NONE : tls_failure(vm, SSL_ERROR_SSL, NULL);
}

/* load_verify_data(context, data): PEM text or DER bytes; the number of certificates, or a failure
 */
static Value load_verify_data(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    const uint8_t *data;
    size_t size;
    if (!ctx) return VALUE_ERROR;
    bool pem = value_is_str(args[1]);
    if (pem) {
        data = (const uint8_t *)AS_STR(args[1])->data;
        size = AS_STR(args[1])->size;
    } else if (!bytes_view(vm, args[1], &data, &size)) {
        return raise_type(vm, "cadata should be an ASCII string or a bytes-like object");
    }
    if (size > INT32_MAX) return raise_overflow(vm, "cadata is too long");
    BIO *bio = vm->openssl->BIO_new_mem_buf(data, (int)size);
    if (!bio) return raise_memory(vm);
    X509_STORE *store = vm->openssl->SSL_CTX_get_cert_store(ctx);
    int64_t count = 0;
    X509 *cert;
    bool counted = true;
    while (counted && (cert = pem ? vm->openssl->PEM_read_bio_X509(bio, NULL, NULL, NULL)
                                  : vm->openssl->d2i_X509_bio(bio, NULL))) {
        counted = count_certificates(vm, resource_data(vm, args[0], tls_context_kind), 1);
        if (counted) vm->openssl->X509_STORE_add_cert(store, cert);
        vm->openssl->X509_free(cert);
        count++;
    }
    vm->openssl->BIO_free(bio);
    if (!counted) return VALUE_ERROR;
    unsigned long last = vm->openssl->ERR_peek_last_error();
    bool ended =
        pem ? ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE
            : ERR_GET_LIB(last) == ERR_LIB_ASN1 && ERR_GET_REASON(last) == ASN1_R_HEADER_TOO_LONG;
    if (count && last && !ended) return tls_failure(vm, SSL_ERROR_SSL, NULL);
    vm->openssl->ERR_clear_error(); /* the end of the data is one */
    return int_value(count);
}

/* load_dh_params(context, PEM as bytes): None or a failure */
static Value load_dh_params(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    const uint8_t *data;
    size_t size;
    if (!ctx || !bytes_view(vm, args[1], &data, &size)) return VALUE_ERROR;
    if (size > INT32_MAX) return raise_overflow(vm, "the parameters are too long");
    BIO *bio = vm->openssl->BIO_new_mem_buf(data, (int)size);
    if (!bio) return raise_memory(vm);
    EVP_PKEY *params = vm->openssl->PEM_read_bio_Parameters(bio, NULL);
    vm->openssl->BIO_free(bio);
    if (params && vm->openssl->SSL_CTX_set0_tmp_dh_pkey(ctx, params) == 1) return VALUE_NONE;
    if (params) vm->openssl->EVP_PKEY_free(params);
    return tls_failure(vm, SSL_ERROR_SSL, NULL);
}

static Value set_default_paths(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    if (!ctx) return VALUE_ERROR;
    bool ok = vm->openssl->SSL_CTX_set_default_verify_paths(ctx) == 1;
    if (!count_certificates(vm, resource_data(vm, args[0], tls_context_kind), 0))
        return VALUE_ERROR;
    return ok ? VALUE_NONE : tls_failure(vm, SSL_ERROR_SSL, NULL);
}

static Value set_ciphers(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    const char *text = ctx ? str_c_whole(vm, args[1]) : NULL;
    if (!text) return VALUE_ERROR;
    bool ok = vm->openssl->SSL_CTX_set_cipher_list(ctx, text) == 1;
    return ok ? VALUE_NONE : tls_failure(vm, SSL_ERROR_SSL, NULL);
}

/* set_versions(context, least, most): 0 for the library's limit */
static Value set_versions(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    if (!ctx) return VALUE_ERROR;
    bool ok = SSL_CTX_set_min_proto_version(ctx, (int)as_int(args[1])) == 1 &&
              SSL_CTX_set_max_proto_version(ctx, (int)as_int(args[2])) == 1;
    return ok ? VALUE_NONE : raise_value(vm, "Unsupported TLS/SSL version");
}

static Value set_options(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    if (!ctx) return VALUE_ERROR;
    uint64_t wanted = (uint64_t)as_int(args[1]);
    vm->openssl->SSL_CTX_clear_options(ctx, vm->openssl->SSL_CTX_get_options(ctx) & ~wanted);
    vm->openssl->SSL_CTX_set_options(ctx, wanted);
    return VALUE_NONE;
}
static Value get_options(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    return ctx ? int_from_u64(vm, vm->openssl->SSL_CTX_get_options(ctx)) : VALUE_ERROR;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                           const unsigned char *in, unsigned in_size, void *data) {
    (void)ssl;
    TlsContext *context = data;
    int found = context->openssl->SSL_select_next_proto(
        (unsigned char **)(uintptr_t)out, out_size, context->alpn, context->alpn_size, in, in_size);
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* Names behind their lengths, as OpenSSL's choice among them takes for granted. */
static bool is_protocol_list(const uint8_t *data, size_t size) {
    size_t at = 0;
    while (at < size && data[at])
        at += 1 + (size_t)data[at];
    return at == size && size <= UINT16_MAX;
}

/* set_alpn(context, protocols in the form of the wire) */
static Value set_alpn(GenVM *vm, Value *args) {
    TlsContext *context = resource_data(vm, args[0], tls_context_kind);
    const uint8_t *data;
    size_t size;
    if (!context) return VALUE_ERROR;
    if (!bytes_view(vm, args[1], &data, &size)) return raise_type(vm, "bytes are required");
    if (!is_protocol_list(data, size)) return raise_value(vm, "no list of protocols");
    unsigned char *copy = memory_new(vm, size + 1);
    if (!copy) return raise_memory(vm);
    memcpy(copy, data, size);
    memory_free(context->alpn);
    context->alpn = copy;
    context->alpn_size = (unsigned)size;
    vm->openssl->SSL_CTX_set_alpn_protos(context->ctx, copy, (unsigned)size);
    vm->openssl->SSL_CTX_set_alpn_select_cb(context->ctx, choose_protocol, context);
    return VALUE_NONE;
}

/* ---- connections ---- */

static void release_connection(GenVM *vm, void *data) {
    TlsConnection *connection = data;
    vm->openssl->SSL_free(connection->ssl);
    memory_count(vm, &connection->counted, 0);
    memory_free(connection);
}

/* Gives the connection the two buffers between which it works. */
static bool set_buffers(GenVM *vm, SSL *ssl) {
    BIO *in = vm->openssl->BIO_new(vm->openssl->BIO_s_mem());
    BIO *out = in ? vm->openssl->BIO_new(vm->openssl->BIO_s_mem()) : NULL;
    if (!out) {
        vm->openssl->BIO_free(in);
        return false;
    }
    vm->openssl->SSL_set_bio(ssl, in, out);
    return true;
}

static TlsConnection *new_connection(GenVM *vm, SSL_CTX *ctx) {
    TlsConnection *connection = memory_new_zeroed(vm, 1, sizeof *connection);
    SSL *ssl = connection ? vm->openssl->SSL_new(ctx) : NULL;
    if (ssl && set_buffers(vm, ssl) && vm->openssl->SSL_set_ex_data(ssl, 0, connection)) {
        connection->ssl = ssl;
        connection->alert = -1;
        if (count_memory(vm, connection, 0)) return connection;
    } else {
        raise_memory(vm);
    }
    vm->openssl->SSL_free(ssl);
    memory_free(connection);
    return NULL;
}

static bool set_host(GenVM *vm, SSL *ssl, const char *host, bool check) {
    ASN1_OCTET_STRING *address = vm->openssl->a2i_IPADDRESS(host);
    bool ok = true;
    if (!address) ok = SSL_set_tlsext_host_name(ssl, host) == 1;
    X509_VERIFY_PARAM *param = vm->openssl->SSL_get0_param(ssl);
    if (ok && check && address)
        ok = vm->openssl->X509_VERIFY_PARAM_set1_ip(
                 param, vm->openssl->ASN1_STRING_get0_data(address),
                 (size_t)vm->openssl->ASN1_STRING_length(address)) == 1;
    else if (ok && check)
        ok = vm->openssl->X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
    if (address) vm->openssl->ASN1_OCTET_STRING_free(address);
    return ok;
}

/* connection(context, server side, host or None, check the host, how: X509_CHECK_FLAG_...) */
static Value make_connection(GenVM *vm, Value *args) {
    SSL_CTX *ctx = tls_context_of(vm, args[0]);
    const char *host;
    if (!ctx || !str_c_or_none(vm, args[2], &host)) return VALUE_ERROR;
    TlsConnection *connection = new_connection(vm, ctx);
    if (!connection) return VALUE_ERROR;
    SSL *ssl = connection->ssl;
    vm->openssl->SSL_set_hostflags(ssl, (unsigned)as_int(args[4]));
    if (args[1] == VALUE_TRUE)
        vm->openssl->SSL_set_accept_state(ssl);
    else
        vm->openssl->SSL_set_connect_state(ssl);
    if (host && !set_host(vm, ssl, host, args[3] == VALUE_TRUE)) {
        release_connection(vm, connection);
        return tls_failure(vm, SSL_ERROR_SSL, NULL);
    }
    Value v = resource_new(vm, tls_connection_kind, connection, release_connection);
    if (v != VALUE_ERROR) AS(Resource, v)->held = args[0];
    return v;
}

enum { MOST_AT_ONCE = 1 << 30 }; /* bytes that OpenSSL is given with a length of type int */

/* feed(connection, data): what came from the peer; empty: its end */
static Value feed(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    if (!bytes_view(vm, args[1], &data, &size))
        return raise_type(vm, "a bytes-like object is required, not '%T'", args[1]);
    TlsConnection *connection = connection_of(vm, args[0], size);
    if (!connection) return VALUE_ERROR;
    SSL *ssl = connection->ssl;
    BIO *in = vm->openssl->SSL_get_rbio(ssl);
    if (!size) BIO_set_mem_eof_return(in, 0);
    while (size) {
        int piece = size > MOST_AT_ONCE ? MOST_AT_ONCE : (int)size;
        if (vm->openssl->BIO_write(in, data, piece) != piece) return raise_memory(vm);
        data += piece;
        size -= (size_t)piece;
    }
    return VALUE_NONE;
}

/* drain(connection): what is to be sent to the peer */
static Value drain(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    if (!ssl) return VALUE_ERROR;
    BIO *out = vm->openssl->SSL_get_wbio(ssl);
    size_t size = vm->openssl->BIO_ctrl_pending(out);
    if (!size) return vm->empty_bytes;
    if (size > MOST_AT_ONCE) size = MOST_AT_ONCE;
    Value bytes = bytes_new(vm, NULL, size);
    if (bytes != VALUE_ERROR) vm->openssl->BIO_read(out, AS(Bytes, bytes)->data, (int)size);
    return bytes;
}

static Value handshake(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    if (!ssl) return VALUE_ERROR;
    vm->openssl->ERR_clear_error();
    int status = vm->openssl->SSL_do_handshake(ssl);
    return status == 1 ? VALUE_NONE : outcome(vm, ssl, status);
}

enum { RECORD = 16384 }; /* bytes of a TLS record at most */

/* read(connection, size): bytes, or a failure */
static Value read_bytes(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    uint8_t buffer[RECORD];
    if (!ssl) return VALUE_ERROR;
    int64_t size = as_int(args[1]);
    if (size < 0) return raise_value(vm, "size should not be negative");
    if (!size) return vm->empty_bytes;
    if (size > RECORD) size = RECORD;
    vm->openssl->ERR_clear_error();
    int got = vm->openssl->SSL_read(ssl, buffer, (int)size);
    return got > 0 ? bytes_new(vm, buffer, (size_t)got) : outcome(vm, ssl, got);
}

/* write(connection, data): the number of bytes taken, or a failure */
static Value write_bytes(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    if (!bytes_view(vm, args[1], &data, &size))
        return raise_type(vm, "a bytes-like object is required, not '%T'", args[1]);
    TlsConnection *connection = connection_of(vm, args[0], size);
    if (!connection) return VALUE_ERROR;
    SSL *ssl = connection->ssl;
    vm->openssl->ERR_clear_error();
    int done = vm->openssl->SSL_write(ssl, data, size > INT32_MAX ? INT32_MAX : (int)size);
    return done > 0 ? int_value(done) : outcome(vm, ssl, done);
}

/* shutdown(connection): True when the peer has ended too, False when not yet, or a failure */
static Value shut_down(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    if (!ssl) return VALUE_ERROR;
    vm->openssl->ERR_clear_error();
    int status = vm->openssl->SSL_shutdown(ssl);
    return status >= 0 ? bool_value(status == 1) : outcome(vm, ssl, status);
}

/* ---- what a connection is ---- */

static Value pending(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    return ssl ? int_value(vm->openssl->SSL_pending(ssl)) : VALUE_ERROR;
}

static Value version(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    if (!ssl) return VALUE_ERROR;
    return vm->openssl->SSL_is_init_finished(ssl) ? str_from(vm, vm->openssl->SSL_get_version(ssl))
                                                  : VALUE_NONE;
}

static Value cipher(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    const SSL_CIPHER *current = ssl ? vm->openssl->SSL_get_current_cipher(ssl) : NULL;
    if (!ssl) return VALUE_ERROR;
    if (!current) return VALUE_NONE;
    return tuple_pack(vm, 3, str_from(vm, vm->openssl->SSL_CIPHER_get_name(current)),
                      str_from(vm, vm->openssl->SSL_CIPHER_get_version(current)),
                      int_value(vm->openssl->SSL_CIPHER_get_bits(current, NULL)));
}

static Value selected_alpn(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    const unsigned char *data;
    unsigned size;
    if (!ssl) return VALUE_ERROR;
    vm->openssl->SSL_get0_alpn_selected(ssl, &data, &size);
    return data ? str_decode_utf8(vm, (const char *)data, size, "replace") : VALUE_NONE;
}

/* peer_certificate(connection): DER bytes, None when the peer gave none */
static Value peer_certificate(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    if (!ssl) return VALUE_ERROR;
    X509 *cert = vm->openssl->SSL_get0_peer_certificate(ssl);
    return cert ? tls_certificate_value(vm, cert) : VALUE_NONE;
}

static Value verified(GenVM *vm, Value *args) {
    SSL *ssl = tls_connection_of(vm, args[0]);
    if (!ssl) return VALUE_ERROR;
    return bool_value(vm->openssl->SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE &&
                      vm->openssl->SSL_get_verify_result(ssl) == X509_V_OK);
}

static Value random_bytes(GenVM *vm, Value *args) {
    int64_t size = as_int(args[0]);
    if (size < 0) return raise_value(vm, "num must be positive");
    Value bytes =
        gc_check_size(vm, (uint64_t)size) ? bytes_new(vm, NULL, (size_t)size) : VALUE_ERROR;
    for (int64_t done = 0; bytes != VALUE_ERROR && done < size;) {
        int piece = size - done > MOST_AT_ONCE ? MOST_AT_ONCE : (int)(size - done);
        if (vm->openssl->RAND_bytes(AS(Bytes, bytes)->data + done, piece) != 1)
            return raise_error(vm, EXC_OS_ERROR, "no random bytes to be had");
        done += piece;
    }
    return bytes;
}

static Value library_version(GenVM *vm, Value *args) {
    (void)args;
    return tuple_pack(vm, 2, int_from_u64(vm, vm->openssl->OpenSSL_version_num()),
                      str_from(vm, vm->openssl->OpenSSL_version(OPENSSL_VERSION)));
}

static Value default_paths(GenVM *vm, Value *args) {
    (void)args;
    return tuple_pack(vm, 4, str_from(vm, vm->openssl->X509_get_default_cert_file_env()),
                      str_from(vm, vm->openssl->X509_get_default_cert_file()),
                      str_from(vm, vm->openssl->X509_get_default_cert_dir_env()),
                      str_from(vm, vm->openssl->X509_get_default_cert_dir()));
}

static const NativeDef functions[] = {
    {"context(kind: index, /)", make_context, NULL},
    {"set_verify(context, mode: index, /)", set_verify, NULL},
    {"load_cert_chain(context, certfile: str, keyfile: str, password: str | None, /)",
     load_cert_chain, NULL},
    {"load_verify_files(context, file: str | None, folder: str | None, /)", load_verify_files,
     NULL},
    {"load_verify_data(context, data, /)", load_verify_data, NULL},
    {"load_dh_params(context, data: bytes, /)", load_dh_params, NULL},
    {"set_default_paths(context, /)", set_default_paths, NULL},
    {"set_ciphers(context, ciphers: str, /)", set_ciphers, NULL},
    {"set_versions(context, least: index, most: index, /)", set_versions, NULL},
    {"set_options(context, options: index, /)", set_options, NULL},
    {"get_options(context, /)", get_options, NULL},
    {"set_alpn(context, protocols, /)", set_alpn, NULL},
    {"connection(context, server: bool, host: str | None, check: bool, flags: index, /)",
     make_connection, NULL},
    {"feed(connection, data, /)", feed, NULL},
    {"drain(connection, /)", drain, NULL},
    {"handshake(connection, /)", handshake, NULL},
    {"read(connection, size: index, /)", read_bytes, NULL},
    {"write(connection, data, /)", write_bytes, NULL},
    {"shutdown(connection, /)", shut_down, NULL},
    {"pending(connection, /)", pending, NULL},
    {"version(connection, /)", version, NULL},
    {"cipher(connection, /)", cipher, NULL},
    {"selected_alpn(connection, /)", selected_alpn, NULL},
    {"peer_certificate(connection, /)", peer_certificate, NULL},
    {"verified(connection, /)", verified, NULL},
    {"decode_certificate(der, /)", tls_decode_certificate,
     "The fields of a certificate as SSLSocket.getpeercert() gives them."},
    {"RAND_bytes(n: index, /)", random_bytes,
     "Generate n cryptographically strong pseudo-random bytes."},
    {"library_version()", library_version, NULL},
    {"default_paths()", default_paths, NULL},
    {NULL, NULL, NULL},
};

static bool load_library(GenVM *vm, Module *module) {
    for (const NativeDef *def = tls_session_functions; def->signature; def++) {
        Value function = native_function_new(vm, def, VALUE_UNSET, module->name);
        if (function == VALUE_ERROR ||
            !dict_set_str(vm, module->dict, AS(NativeFunction, function)->name, function))
            return false;
    }
    return openssl_load(vm);
}

const NativeModule tls_module = {"_ssl", functions, load_library};
