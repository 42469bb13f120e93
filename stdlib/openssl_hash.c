/* openssl_hash.c - module _hashlib: hashes and the derivation of keys by OpenSSL; hashlib.gen has
 * the classes, hmac.gen what is built over them.
 *
 * A hash that is being computed is a resource. The library is loaded with the module (openssl.h),
 * before any of these functions can be called.
 */
#include "stdlib/openssl.h"
#include "vm/objects.h"
#include "vm/memory.h"
#include "vm/resource.h"

#include <limits.h>
#include <openssl/evp.h>

enum { BYTES_OF_STEP = 64 }; /* hashed for one step of the budget */

static const char kind[] = "hash";

enum { HASH_BYTES = 512 }; /* that OpenSSL takes for the state of a hash, about */

static void release(GenVM *vm, void *data) {
    vm->openssl->EVP_MD_CTX_free(data);
}

static void release_counted(GenVM *vm, void *data) {
    size_t counted = HASH_BYTES;
    memory_count(vm, &counted, 0);
    release(vm, data);
}

static Value raise_library(GenVM *vm) {
    unsigned long code = vm->openssl->ERR_peek_error();
    const char *library = code ? vm->openssl->ERR_lib_error_string(code) : NULL;
    const char *reason = code ? vm->openssl->ERR_reason_error_string(code) : NULL;
    vm->openssl->ERR_clear_error();
    if (!library || !reason) return raise_value(vm, "%s", reason ? reason : "OpenSSL refuses");
    return raise_value(vm, "[%s] %s", library, reason);
}

static bool take(GenVM *vm, Value v, const uint8_t **data, size_t *size) {
    if (value_is_str(v)) return raise_type(vm, "Strings must be encoded before hashing"), false;
    if (bytes_view(vm, v, data, size)) return true;
    if (vm->exception == VALUE_UNSET) raise_type(vm, "object supporting the buffer API required");
    return false;
}

static const EVP_MD *find(GenVM *vm, Value name) {
    const char *text = str_c(vm, name);
    return text ? vm->openssl->EVP_get_digestbyname(text) : NULL;
}

static Value resource_of(GenVM *vm, EVP_MD_CTX *context) {
    size_t counted = 0;
    memory_count(vm, &counted, HASH_BYTES);
    return resource_new(vm, kind, context, release_counted);
}

/* new(name): None where OpenSSL has no such hash */
static Value make(GenVM *vm, Value *args) {
    const EVP_MD *algorithm = find(vm, args[0]);
    if (!algorithm) return vm->exception == VALUE_UNSET ? VALUE_NONE : VALUE_ERROR;
    EVP_MD_CTX *context = vm->openssl->EVP_MD_CTX_new();
    if (!context) return raise_memory(vm);
    if (!vm->openssl->EVP_DigestInit_ex(context, algorithm, NULL)) {
        release(vm, context);
        return raise_library(vm);
    }
    return resource_of(vm, context);
}

/* about(name): (bytes of a digest, bytes of a block, has it digests of any length), or None */
static Value about(GenVM *vm, Value *args) {
    const EVP_MD *algorithm = find(vm, args[0]);
    if (!algorithm) return vm->exception == VALUE_UNSET ? VALUE_NONE : VALUE_ERROR;
    bool extends = vm->openssl->EVP_MD_get_flags(algorithm) & EVP_MD_FLAG_XOF;
    return tuple_pack(vm, 3, int_value(extends ? 0 : vm->openssl->EVP_MD_get_size(algorithm)),
                      int_value(vm->openssl->EVP_MD_get_block_size(algorithm)),
                      bool_value(extends));
}

enum { PIECE = 1 << 21 }; /* bytes: some milliseconds */

/* A copy takes it up, piece by piece: the hash is as it was where the deadline comes first. */
static Value update_much(GenVM *vm, EVP_MD_CTX *context, const uint8_t *data, size_t size) {
    OpenSsl *library = vm->openssl;
    EVP_MD_CTX *copy = library->EVP_MD_CTX_new();
    if (!copy) return raise_memory(vm);
    bool looked = true, ok = library->EVP_MD_CTX_copy_ex(copy, context);
    for (size_t done = 0; done < size && ok && looked; done += PIECE) {
        looked = native_look(vm);
        ok =
            library->EVP_DigestUpdate(copy, data + done, size - done < PIECE ? size - done : PIECE);
    }
    if (ok && looked) ok = library->EVP_MD_CTX_copy_ex(context, copy);
    release(vm, copy);
    if (!looked) return VALUE_ERROR;
    return ok ? VALUE_NONE : raise_library(vm);
}

static Value update(GenVM *vm, Value *args) {
    EVP_MD_CTX *context = resource_data(vm, args[0], kind);
    const uint8_t *data;
    size_t size;
    if (!context || !take(vm, args[1], &data, &size) || !native_afford(vm, size / BYTES_OF_STEP))
        return VALUE_ERROR;
    if (size > PIECE) return update_much(vm, context, data, size);
    if (!vm->openssl->EVP_DigestUpdate(context, data, size)) return raise_library(vm);
    return VALUE_NONE;
}

static EVP_MD_CTX *copy_of(GenVM *vm, Value hash) {
    EVP_MD_CTX *from = resource_data(vm, hash, kind);
    if (!from) return NULL;
    EVP_MD_CTX *copy = vm->openssl->EVP_MD_CTX_new();
    if (!copy) return raise_memory(vm), NULL;
    if (vm->openssl->EVP_MD_CTX_copy_ex(copy, from)) return copy;
    release(vm, copy);
    raise_library(vm);
    return NULL;
}

static Value copy(GenVM *vm, Value *args) {
    EVP_MD_CTX *made = copy_of(vm, args[0]);
    return made ? resource_of(vm, made) : VALUE_ERROR;
}

/* digest(hash, length): of what came so far; length -1 is the algorithm's own */
static Value digest(GenVM *vm, Value *args) {
    int64_t length = as_int(args[1]);
    enum { MUCH = 1 << 20 }; /* a byte takes a nanosecond at least */
    if (length > 0 && (!gc_check_size(vm, (uint64_t)length) ||
                       (length > MUCH && !native_foresee(vm, (uint64_t)length)) ||
                       !native_afford(vm, (uint64_t)length / BYTES_OF_STEP)))
        return VALUE_ERROR;
    EVP_MD_CTX *last = copy_of(vm, args[0]);
    if (!last) return VALUE_ERROR;
    uint8_t own[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    Value result = length < 0 ? VALUE_UNSET : bytes_new(vm, NULL, (size_t)length);
    bool ok = true;
    if (length < 0)
        ok = vm->openssl->EVP_DigestFinal_ex(last, own, &size);
    else if (length > 0 && result != VALUE_ERROR)
        ok = vm->openssl->EVP_DigestFinalXOF(last, AS(Bytes, result)->data, (size_t)length);
    release(vm, last);
    if (!ok) return raise_library(vm);
    return result == VALUE_UNSET ? bytes_new(vm, own, size) : result;
}

/* ---- keys from passwords ---- */

/* The product, or what no budget has. */
static uint64_t times(uint64_t a, uint64_t b) {
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static bool is_length(GenVM *vm, int64_t length) {
    if (length >= 0 && length <= INT_MAX) return gc_check_size(vm, (uint64_t)length);
    raise_overflow(vm, "no length of a key");
    return false;
}

static bool fits_int(GenVM *vm, size_t size, const char *what) {
    if (size <= INT_MAX) return true;
    raise_error(vm, EXC_OVERFLOW_ERROR, "%s is too long.", what);
    return false;
}

/* pbkdf2(name, password, salt, iterations, length): None where OpenSSL has no such hash */
static Value pbkdf2(GenVM *vm, Value *args) {
    const EVP_MD *algorithm = find(vm, args[0]);
    const uint8_t *password, *salt;
    size_t password_size, salt_size;
    if (!algorithm) return vm->exception == VALUE_UNSET ? VALUE_NONE : VALUE_ERROR;
    if (!take(vm, args[1], &password, &password_size) || !take(vm, args[2], &salt, &salt_size))
        return VALUE_ERROR;
    int64_t rounds = as_int(args[3]), length = as_int(args[4]);
    if (!fits_int(vm, password_size, "password") || !fits_int(vm, salt_size, "salt") ||
        !is_length(vm, length))
        return VALUE_ERROR;
    if (rounds < 1 || rounds > INT_MAX) return raise_value(vm, "no count of iterations");
    int size = vm->openssl->EVP_MD_get_size(algorithm);
    if (size < 1) return raise_value(vm, "a hash without a size");
    uint64_t blocks = (uint64_t)length / (uint64_t)size + 1;
    uint64_t all = times(blocks, (uint64_t)rounds); /* a round: two hashes of a block */
    if (!native_foresee(vm, times(all, 200)) || !native_afford(vm, times(all, 4)))
        return VALUE_ERROR;
    Value key = bytes_new(vm, NULL, (size_t)length);
    if (key == VALUE_ERROR) return key;
    if (!vm->openssl->PKCS5_PBKDF2_HMAC((const char *)password, (int)password_size, salt,
                                        (int)salt_size, (int)rounds, algorithm, (int)length,
                                        AS(Bytes, key)->data))
        return raise_library(vm);
    return key;
}

/* scrypt(password, salt, n, r, p, most memory in bytes or 0, length) */
static Value scrypt(GenVM *vm, Value *args) {
    const uint8_t *password, *salt;
    size_t password_size, salt_size;
    if (!take(vm, args[0], &password, &password_size) || !take(vm, args[1], &salt, &salt_size))
        return VALUE_ERROR;
    uint64_t n = (uint64_t)as_int(args[2]), r = (uint64_t)as_int(args[3]);
    uint64_t p = (uint64_t)as_int(args[4]), most = (uint64_t)as_int(args[5]);
    int64_t length = as_int(args[6]);
    if (!vm->openssl->EVP_PBE_scrypt(NULL, 0, NULL, 0, n, r, p, most, NULL, 0))
        return raise_library(vm);
    uint64_t room = times(times(n, r), 128), work = times(room, p);
    if (!is_length(vm, length) || !gc_check_size(vm, room) ||
        !native_foresee(vm, times(work, 3)) || /* a byte written and one read a nanosecond */
        !native_afford(vm, work / BYTES_OF_STEP * 2))
        return VALUE_ERROR;
    Value key = bytes_new(vm, NULL, (size_t)length);
    if (key == VALUE_ERROR) return key;
    if (!vm->openssl->EVP_PBE_scrypt((const char *)password, password_size, salt, salt_size, n, r,
                                     p, most, AS(Bytes, key)->data, (size_t)length))
        return raise_library(vm);
    return key;
}

static const NativeDef functions[] = {
    {"new(name: str, /)", make, NULL},
    {"about(name: str, /)", about, NULL},
    {"update(hash, data, /)", update, NULL},
    {"copy(hash, /)", copy, NULL},
    {"digest(hash, length: index, /)", digest, NULL},
    {"pbkdf2(name: str, password, salt, iterations: index, length: index, /)", pbkdf2, NULL},
    {"scrypt(password, salt, n: index, r: index, p: index, maxmem: index, length: index, /)",
     scrypt, NULL},
    {NULL, NULL, NULL},
};

static bool load_library(GenVM *vm, Module *module) {
    (void)module;
    return openssl_load(vm);
}

const NativeModule hash_module = {"_hashlib", functions, load_library};
