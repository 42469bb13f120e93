/* lanes.h - sixteen bytes of text at a time, as the compiler's vectors have them.
 *
 * A comparison of lanes gives 0xFF or 0 in each; lanes_mask gathers that into one bit a lane, by an
 * instruction of its own where the machine has one.
 */
#ifndef GEN_LANES_H
#define GEN_LANES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 16 };
typedef uint8_t Lanes __attribute__((vector_size(LANES)));

static inline Lanes lanes_load(const void *text) {
    Lanes lanes;
    memcpy(&lanes, text, sizeof lanes);
    return lanes;
}

static inline Lanes lanes_of(char c) {
    return (Lanes){0} + (uint8_t)c;
}

/* The highest bit of each lane. */
static inline uint32_t lanes_mask(Lanes lanes) {
#ifdef __SSE2__
    typedef char Signed __attribute__((vector_size(LANES)));
    return (uint32_t)__builtin_ia32_pmovmskb128((Signed)lanes);
#else
    const uint64_t high = 0x8080808080808080u, gather = 0x0102040810204080u;
    uint64_t halves[2];
    memcpy(halves, &lanes, sizeof halves);
    if (!((halves[0] | halves[1]) & high)) return 0;
    uint32_t bits = 0;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t ones = (halves[i] & high) >> 7; /* one in the first byte of memory is lane 0 */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        ones = __builtin_bswap64(ones);
#endif
        bits |= (uint32_t)(ones * gather >> 56) << (8 * i);
    }
    return bits;
#endif
}

/* One bit for each lane that is `c`. */
static inline uint32_t lanes_equal(const void *text, char c) {
    return lanes_mask((Lanes)(lanes_load(text) == lanes_of(c)));
}

#endif
