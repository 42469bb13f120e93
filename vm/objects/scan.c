/* scan.c - what every text operation asks of a run of bytes: is it ASCII, how many code points,
 * what hash.
 *
 * All loops take a word or more at a time; none allocates or fails.
 */
#include "vm/objects/lanes.h"
#include "vm/objects/text.h"

#define HIGH_BITS 0x8080808080808080u
#define LOW_BITS 0x0101010101010101u

static inline uint64_t load_word(const void *data) {
    uint64_t word;
    memcpy(&word, data, 8);
    return word;
}

static inline uint64_t load_little(const void *data) {
    uint64_t word = load_word(data);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

size_t text_ascii_prefix(const void *data, size_t size) {
    const uint8_t *p = data;
    size_t i = 0;
    for (; i + 2 * LANES <= size; i += 2 * LANES)
        if (unlikely(lanes_mask(lanes_load(p + i) | lanes_load(p + i + LANES)))) break;
    for (; i + LANES <= size; i += LANES) {
        uint32_t high = lanes_mask(lanes_load(p + i));
        if (unlikely(high)) return i + (size_t)__builtin_ctz(high);
    }
    if (i < size && size >= LANES) { /* the last ones again, with those before, which are ASCII */
        uint32_t high = lanes_mask(lanes_load(p + size - LANES));
        return high ? size - LANES + (size_t)__builtin_ctz(high) : size;
    }
    while (i < size && p[i] < 0x80)
        i++;
    return i;
}

bool text_is_ascii(const void *data, size_t size) {
    const uint8_t *p = data;
    if (size < 8) {
        uint8_t any = 0;
        for (size_t i = 0; i < size; i++)
            any |= p[i];
        return any < 0x80;
    }
    if (size <= 16) return !((load_word(p) | load_word(p + size - 8)) & HIGH_BITS);
    return text_ascii_prefix(data, size) == size;
}

size_t text_count_chars(const char *data, size_t size) {
    size_t tails = 0, i = 0;
    while (i + 8 <= size) {
        /* A tail byte has bit 7 set and bit 6 clear. Each byte lane counts to 255 before the lanes
         * are summed. */
        size_t words = (size - i) / 8;
        size_t stop = i + (words < 255 ? words : 255) * 8;
        uint64_t lanes = 0;
        for (; i < stop; i += 8) {
            uint64_t word = load_word(data + i);
            lanes += (word >> 7) & ~(word >> 6) & LOW_BITS;
        }
        uint64_t pairs = (lanes & 0x00FF00FF00FF00FFu) + ((lanes >> 8) & 0x00FF00FF00FF00FFu);
        tails += (pairs * 0x0001000100010001u) >> 48;
    }
    for (; i < size; i++)
        tails += utf8_is_tail(data[i]);
    return size - tails;
}

static bool has_surrogates(const char *data, size_t size) {
    const char *end = data + size;
    while ((data = memchr(data, 0xED, (size_t)(end - data))) != NULL) {
        if (end - data >= 2 && (unsigned char)data[1] >= 0xA0) return true;
        data++;
    }
    return false;
}

uint8_t text_scan(const char *data, size_t size, uint32_t *length) {
    if (text_is_ascii(data, size)) {
        *length = (uint32_t)size;
        return STR_ASCII;
    }
    *length = (uint32_t)text_count_chars(data, size);
    return has_surrogates(data, size) ? STR_SURROGATES : 0;
}

void text_reverse(char *out, const char *data, size_t size) {
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word = __builtin_bswap64(load_word(data + size - 8 - i));
        memcpy(out + i, &word, 8);
    }
    for (; i < size; i++)
        out[i] = data[size - 1 - i];
}

/* ---- SipHash-1-3 ---- */

static inline uint64_t rotate(uint64_t x, int bits) {
    return x << bits | x >> (64 - bits);
}

typedef struct Sip {
    uint64_t v0, v1, v2, v3;
} Sip;

static inline void sip_round(Sip *s) {
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static inline void sip_word(Sip *s, uint64_t word) {
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

/* The `size % 8` last bytes of a text of `size` bytes that ends at `end`, the first lowest. */
static inline uint64_t last_bytes(const uint8_t *end, size_t size) {
    size_t rest = size % 8;
    if (!rest) return 0;
    if (size > 8) return load_little(end - 8) >> (64 - 8 * rest);
    const uint8_t *p = end - rest;
    if (rest < 4)
        return p[0] | (uint64_t)p[rest / 2] << (8 * (rest / 2)) |
               (uint64_t)p[rest - 1] << (8 * (rest - 1));
    uint32_t first, last;
    memcpy(&first, p, 4);
    memcpy(&last, end - 4, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    first = __builtin_bswap32(first), last = __builtin_bswap32(last);
#endif
    return first | (uint64_t)last << (8 * (rest - 4));
}

/* 60 bits, so that the hash is a small int, and is its own hash as an int; 0 is the hash of the
 * empty text alone. */
uint64_t text_hash_with(const uint64_t key[2], const void *data, size_t size) {
    if (size == 0) return 0;
    uint64_t k0 = key[0], k1 = key[1];
    Sip s = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
             k1 ^ 0x7465646279746573u};
    const uint8_t *p = data, *end = p + size / 8 * 8;
    for (; p < end; p += 8)
        sip_word(&s, load_word(p));
    sip_word(&s, (uint64_t)size << 56 | last_bytes((const uint8_t *)data + size, size));
    s.v2 ^= 0xFF;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    uint64_t hash = (s.v0 ^ s.v1 ^ s.v2 ^ s.v3) >> 4;
    return hash ? hash : 1;
}

uint64_t text_hash(GenVM *vm, const void *data, size_t size) {
    return text_hash_with(vm->hash_key, data, size);
}
