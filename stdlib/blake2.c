/* blake2.c - module _blake2: the hashes BLAKE2b and BLAKE2s (RFC 7693) with all their parameters,
 * which OpenSSL does not offer. hashlib.gen packs the parameters and has the classes.
 *
 * Both are one algorithm over words of another size: eight words of state, blocks of sixteen words.
 * A state is kept in a bytearray of the script's class, so that it is copied and saved like any
 * other; nothing outside of the heap is held.
 */
#include "stdlib/modules.h"
#include "vm/objects.h"

#include <string.h>

enum { BYTES_OF_STEP = 64, SMALL_BLOCK = 64, LARGE_BLOCK = 128 };

typedef struct State {
    uint64_t h[8];
    uint64_t total[2]; /* bytes hashed, low and high word */
    uint32_t used;     /* bytes that wait in `block` */
    uint32_t small;    /* BLAKE2s: words of 32 bits */
    uint8_t block[LARGE_BLOCK];
} State;

static const uint64_t start_large[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                        0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                        0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

static const uint8_t order[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                      {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                      {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                      {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                      {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                      {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                      {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                      {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                      {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                      {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

static const uint8_t quarters[8][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14},
                                       {3, 7, 11, 15}, {0, 5, 10, 15}, {1, 6, 11, 12},
                                       {2, 7, 8, 13},  {3, 4, 9, 14}};

/* The word that the bytes hold, lowest first. */
static uint64_t word_at(const uint8_t *data, size_t size) {
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)data[i] << 8 * i;
    return word;
}

static inline uint64_t right_large(uint64_t x, int n) {
    return x >> n | x << (64 - n);
}
static inline uint32_t right_small(uint32_t x, int n) {
    return x >> n | x << (32 - n);
}

static void mix_large(uint64_t *v, const uint64_t *m, int rounds) {
    for (int round = 0; round < rounds; round++) {
        const uint8_t *s = order[round % 10];
        for (int i = 0; i < 8; i++) {
            uint64_t *a = &v[quarters[i][0]], *b = &v[quarters[i][1]];
            uint64_t *c = &v[quarters[i][2]], *d = &v[quarters[i][3]];
            *a += *b + m[s[2 * i]];
            *d = right_large(*d ^ *a, 32);
            *c += *d;
            *b = right_large(*b ^ *c, 24);
            *a += *b + m[s[2 * i + 1]];
            *d = right_large(*d ^ *a, 16);
            *c += *d;
            *b = right_large(*b ^ *c, 63);
        }
    }
}

static void mix_small(uint32_t *v, const uint32_t *m, int rounds) {
    for (int round = 0; round < rounds; round++) {
        const uint8_t *s = order[round % 10];
        for (int i = 0; i < 8; i++) {
            uint32_t *a = &v[quarters[i][0]], *b = &v[quarters[i][1]];
            uint32_t *c = &v[quarters[i][2]], *d = &v[quarters[i][3]];
            *a += *b + m[s[2 * i]];
            *d = right_small(*d ^ *a, 16);
            *c += *d;
            *b = right_small(*b ^ *c, 12);
            *a += *b + m[s[2 * i + 1]];
            *d = right_small(*d ^ *a, 8);
            *c += *d;
            *b = right_small(*b ^ *c, 7);
        }
    }
}

/* Hashes one block. `last` and `last_node` are the finalization flags: all ones or zero. */
static void compress(State *state, const uint8_t *block, uint64_t last, uint64_t last_node) {
    if (state->small) {
        uint32_t v[16], m[16];
        for (int i = 0; i < 8; i++) {
            v[i] = (uint32_t)state->h[i];
            v[i + 8] = (uint32_t)(start_large[i] >> 32);
        }
        for (size_t i = 0; i < 16; i++)
            m[i] = (uint32_t)word_at(block + 4 * i, 4);
        v[12] ^= (uint32_t)state->total[0];
        v[13] ^= (uint32_t)(state->total[0] >> 32);
        v[14] ^= (uint32_t)last;
        v[15] ^= (uint32_t)last_node;
        mix_small(v, m, 10);
        for (int i = 0; i < 8; i++)
            state->h[i] = (uint32_t)state->h[i] ^ v[i] ^ v[i + 8];
        return;
    }
    uint64_t v[16], m[16];
    for (int i = 0; i < 8; i++) {
        v[i] = state->h[i];
        v[i + 8] = start_large[i];
    }
    for (size_t i = 0; i < 16; i++)
        m[i] = word_at(block + 8 * i, 8);
    v[12] ^= state->total[0];
    v[13] ^= state->total[1];
    v[14] ^= last;
    v[15] ^= last_node;
    mix_large(v, m, 12);
    for (int i = 0; i < 8; i++)
        state->h[i] ^= v[i] ^ v[i + 8];
}

static void count(State *state, uint64_t bytes) {
    state->total[0] += bytes;
    if (state->total[0] < bytes) state->total[1]++;
}

/* The state in the bytearray; false with an exception pending if there is none. */
static bool load(GenVM *vm, Value v, State *state, uint8_t **where) {
    const uint8_t *data;
    size_t size;
    if (!bytes_view(vm, v, &data, &size) || size != sizeof *state || !is_kind(v, TYPE_BYTEARRAY))
        return raise_type(vm, "not the state of a hash"), false;
    memcpy(state, data, sizeof *state);
    size_t block = state->small ? SMALL_BLOCK : LARGE_BLOCK;
    if (state->used > block) return raise_value(vm, "not the state of a hash"), false;
    *where = (uint8_t *)(uintptr_t)data;
    return true;
}

/* start(small, parameter block): the state, as bytes */
static Value start(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    State state = {.small = args[0] == VALUE_TRUE};
    size_t word = state.small ? 4 : 8;
    if (!bytes_view(vm, args[1], &data, &size) || size != 8 * word)
        return raise_value(vm, "the parameters have another size");
    for (size_t i = 0; i < 8; i++) {
        uint64_t initial = state.small ? start_large[i] >> 32 : start_large[i];
        state.h[i] = initial ^ word_at(data + i * word, word);
    }
    return bytes_new(vm, &state, sizeof state);
}

static Value update(GenVM *vm, Value *args) {
    State state;
    uint8_t *where;
    const uint8_t *data;
    size_t size;
    if (value_is_str(args[1])) return raise_type(vm, "Strings must be encoded before hashing");
    if (!bytes_view(vm, args[1], &data, &size)) {
        if (vm->exception != VALUE_UNSET) return VALUE_ERROR;
        return raise_type(vm, "object supporting the buffer API required");
    }
    if (!load(vm, args[0], &state, &where) || !native_afford(vm, size / BYTES_OF_STEP))
        return VALUE_ERROR;
    size_t block = state.small ? SMALL_BLOCK : LARGE_BLOCK;
    for (uint64_t turn = 0; size; turn++) { /* the last block stays until it is known to be that */
        if (!native_glance(vm, turn)) return VALUE_ERROR;
        if (state.used == block) {
            count(&state, block);
            compress(&state, state.block, 0, 0);
            state.used = 0;
        }
        size_t part = block - state.used < size ? block - state.used : size;
        memcpy(state.block + state.used, data, part);
        state.used += (uint32_t)part;
        data += part;
        size -= part;
    }
    memcpy(where, &state, sizeof state);
    return VALUE_NONE;
}

/* finish(state, length, last node): the digest; the state is left as it is */
static Value finish(GenVM *vm, Value *args) {
    State state;
    uint8_t *where, digest[64];
    if (!load(vm, args[0], &state, &where)) return VALUE_ERROR;
    size_t word = state.small ? 4 : 8;
    int64_t length = as_int(args[1]);
    if (length < 1 || (size_t)length > 8 * word) return raise_value(vm, "no such digest");
    memset(state.block + state.used, 0, sizeof state.block - state.used);
    count(&state, state.used);
    compress(&state, state.block, UINT64_MAX, args[2] == VALUE_TRUE ? UINT64_MAX : 0);
    for (size_t i = 0; i < 8 * word; i++)
        digest[i] = (uint8_t)(state.h[i / word] >> 8 * (i % word));
    return bytes_new(vm, digest, (size_t)length);
}

static const NativeDef functions[] = {
    {"start(small: bool, parameters, /)", start, NULL},
    {"update(state, data, /)", update, NULL},
    {"finish(state, length: index, last_node: bool, /)", finish, NULL},
    {NULL, NULL, NULL},
};

const NativeModule blake2_module = {"_blake2", functions, NULL};
