/* openssl.h - OpenSSL, loaded when a script imports a module that needs it, not when the process
 * starts: linking it costs every `gen` two milliseconds and two megabytes.
 *
 * What is called is a table of functions, a field of the VM. vm->openssl->SSL_new(...) is OpenSSL's
 * SSL_new; openssl.def names them all. A module that uses it calls openssl_load when it is made.
 */
#ifndef GEN_STDLIB_OPENSSL_H
#define GEN_STDLIB_OPENSSL_H

#include "stdlib/modules.h"
#include "vm/vm.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

typedef struct OpenSsl {
#define SSL_FUNCTION(name) __typeof__(&name) name;
#define CRYPTO_FUNCTION(name) __typeof__(&name) name;
#include "stdlib/openssl.def"
#undef SSL_FUNCTION
#undef CRYPTO_FUNCTION
} OpenSsl;

/* Fills vm->openssl if it is not yet. False with ImportError pending when the machine has no such
 * library, or too old a one. */
bool openssl_load(GenVM *vm);

#endif
