/* tls.h - what the files of module _ssl share. */
#ifndef GEN_STDLIB_TLS_H
#define GEN_STDLIB_TLS_H

#include "stdlib/openssl.h"
#include "vm/objects.h"
#include "vm/resource.h"

#include <stdlib.h>

typedef struct TlsContext {
    SSL_CTX *ctx;
    size_t counted; /* bytes that it takes, as far as the memory budget knows */
    const struct OpenSsl *openssl;
    unsigned char *alpn; /* protocols in the form of the wire; NULL: none */
    unsigned alpn_size;
} TlsContext;

/* What a client wants is told to the script in the middle of a handshake: it stops, and goes on
 * when the script has answered. */
typedef enum TlsHello { HELLO_NEW, HELLO_ASKED, HELLO_ANSWERED } TlsHello;

enum { TLS_NAME_MOST = 255 }; /* bytes of a host name */

typedef struct TlsConnection {
    SSL *ssl;
    size_t counted; /* bytes that it takes, as far as the memory budget knows */
    TlsHello hello;
    int alert; /* what refuses the client, -1: it is welcome */
    bool named;
    char name[TLS_NAME_MOST + 1];
} TlsConnection;

extern const char tls_context_kind[], tls_connection_kind[];
SSL_CTX *tls_context_of(GenVM *vm, Value v); /* NULL: an exception is pending */
SSL *tls_connection_of(GenVM *vm, Value v);
int tls_client_hello(SSL *ssl, int *alert, void *data); /* tls_session.c */

Value tls_failure(GenVM *vm, int kind, SSL *ssl);
Value tls_decode_certificate(GenVM *vm, Value *args); /* tls_certificate.c */
Value tls_certificate_value(GenVM *vm, X509 *cert);   /* DER bytes */
extern const NativeDef tls_session_functions[];       /* tls_session.c */

/* What macros of OpenSSL's headers call. */
#define BIO_ctrl vm->openssl->BIO_ctrl
#define CRYPTO_free vm->openssl->CRYPTO_free
#define OPENSSL_sk_num vm->openssl->OPENSSL_sk_num
#define OPENSSL_sk_value vm->openssl->OPENSSL_sk_value
#define SSL_CTX_ctrl vm->openssl->SSL_CTX_ctrl
#define SSL_ctrl vm->openssl->SSL_ctrl

#endif
