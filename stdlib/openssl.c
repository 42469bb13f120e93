/* openssl.c - finds OpenSSL's shared libraries and the functions of openssl.def in them.
 *
 * They stay loaded until the process ends: OpenSSL keeps state of its own that cannot be unloaded.
 */
#include "stdlib/openssl.h"
#include "vm/memory.h"

#include <dlfcn.h>
#include <stdlib.h>

#define TEXT_OF(token) #token
#define SONAME(library, version) "lib" library ".so." TEXT_OF(version)

typedef void (*AnyFunction)(void);

typedef struct Entry {
    const char *name;
    uint16_t place; /* in OpenSsl, in bytes */
    bool in_ssl;
} Entry;

static const Entry entries[] = {
#define SSL_FUNCTION(name) {#name, offsetof(OpenSsl, name), true},
#define CRYPTO_FUNCTION(name) {#name, offsetof(OpenSsl, name), false},
#include "stdlib/openssl.def"
#undef SSL_FUNCTION
#undef CRYPTO_FUNCTION
};
enum { ENTRY_COUNT = sizeof entries / sizeof *entries };

static bool refuse(GenVM *vm) {
    const char *why = dlerror();
    raise_error(vm, EXC_IMPORT_ERROR, "%s", why ? why : "OpenSSL cannot be loaded");
    return false;
}

bool openssl_load(GenVM *vm) {
    if (vm->openssl) return true;
    void *crypto = dlopen(SONAME("crypto", OPENSSL_SHLIB_VERSION), RTLD_NOW | RTLD_LOCAL);
    void *ssl = crypto ? dlopen(SONAME("ssl", OPENSSL_SHLIB_VERSION), RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!ssl) return refuse(vm);
    char *table = memory_new(vm, sizeof(OpenSsl));
    if (!table) return raise_memory(vm), false;
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        void *found = dlsym(entries[i].in_ssl ? ssl : crypto, entries[i].name);
        if (!found) {
            memory_free(table);
            return refuse(vm);
        }
        memcpy(table + entries[i].place, &found, sizeof(AnyFunction));
    }
    vm->openssl = (OpenSsl *)table;
    return true;
}
