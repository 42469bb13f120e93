/* tls.h - what the files of module _ssl share. */
#ifndef GEN_STDLIB_TLS_H
#define GEN_STDLIB_TLS_H

#include "stdlib/modules.h"
#include "vm/objects.h"
#include "vm/resource.h"

#include <openssl/ssl.h>
#include <stdlib.h>

typedef struct TlsContext {
    SSL_CTX *ctx;
    unsigned char *alpn; /* protocols in the form of the wire; NULL: none */
    unsigned alpn_size;
} TlsContext;

Value tls_failure(GenVM *vm, int kind, SSL *ssl);
Value tls_decode_certificate(GenVM *vm, Value *args); /* tls_certificate.c */

#endif
