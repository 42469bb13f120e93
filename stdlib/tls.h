/* tls.h - what the files of module _ssl share. */
#ifndef GEN_STDLIB_TLS_H
#define GEN_STDLIB_TLS_H

#include "stdlib/openssl.h"
#include "vm/objects.h"
#include "vm/resource.h"

#include <stdlib.h>

typedef struct TlsContext {
    SSL_CTX *ctx;
    const struct OpenSsl *openssl;
    unsigned char *alpn; /* protocols in the form of the wire; NULL: none */
    unsigned alpn_size;
} TlsContext;

Value tls_failure(GenVM *vm, int kind, SSL *ssl);
Value tls_decode_certificate(GenVM *vm, Value *args); /* tls_certificate.c */

/* What macros of OpenSSL's headers call. */
#define BIO_ctrl vm->openssl->BIO_ctrl
#define CRYPTO_free vm->openssl->CRYPTO_free
#define OPENSSL_sk_num vm->openssl->OPENSSL_sk_num
#define OPENSSL_sk_value vm->openssl->OPENSSL_sk_value
#define SSL_CTX_ctrl vm->openssl->SSL_CTX_ctrl
#define SSL_ctrl vm->openssl->SSL_ctrl

#endif
