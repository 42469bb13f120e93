/* int_word.c - limbs times one word, which is what factorials, powers, digits and most products of
 * a large and a small int are made of.
 *
 * GMP is often built for the oldest processor of its kind. Where this one has an instruction that
 * multiplies without touching the flags, one chain of carries runs through all products, and a limb
 * takes less than half the time.
 */
#include "vm/objects/number.h"

#if defined __x86_64__ && defined __GNUC__

enum { CHAINED = 8 };

/* Two limbs: low + the high half of the one before + carry. */
#define TWO_LIMBS(at)                                                                              \
    "mulx " #at "(%[limbs]), %[low], %[other]\n\t"                                                 \
    "adcq %[last], %[low]\n\t"                                                                     \
    "movq %[low], " #at "(%[out])\n\t"                                                             \
    "mulx 8+" #at "(%[limbs]), %[low], %[last]\n\t"                                                \
    "adcq %[other], %[low]\n\t"                                                                    \
    "movq %[low], 8+" #at "(%[out])\n\t"

/* `blocks` times CHAINED limbs, 1 at least; returns the limb above. Neither lea nor dec touches the
 * carry. */
static mp_limb_t multiply_blocks(mp_limb_t *out, const mp_limb_t *limbs, size_t blocks,
                                 mp_limb_t word) {
    mp_limb_t last = 0, low, other;
    __asm__ volatile("xorl %k[low], %k[low]\n" /* no carry */
                     "1:\n\t" TWO_LIMBS(0) TWO_LIMBS(16) TWO_LIMBS(32)
                         TWO_LIMBS(48) "leaq 64(%[limbs]), %[limbs]\n\t"
                                       "leaq 64(%[out]), %[out]\n\t"
                                       "decq %[blocks]\n\t"
                                       "jnz 1b\n\t"
                                       "adcq $0, %[last]"
                     : [limbs] "+r"(limbs), [out] "+r"(out), [blocks] "+r"(blocks),
                       [last] "+r"(last), [low] "=&r"(low), [other] "=&r"(other)
                     : "d"(word)
                     : "cc", "memory");
    return last;
}

mp_limb_t int_multiply_word(mp_limb_t *out, const mp_limb_t *limbs, size_t count, mp_limb_t word) {
    if (count < CHAINED || !__builtin_cpu_supports("bmi2"))
        return mpn_mul_1(out, limbs, (mp_size_t)count, word);
    size_t done = count / CHAINED * CHAINED;
    mp_limb_t last = multiply_blocks(out, limbs, count / CHAINED, word);
    for (; done < count; done++) {
        UnsignedWide product = (UnsignedWide)limbs[done] * word + last;
        out[done] = (mp_limb_t)product;
        last = (mp_limb_t)(product >> LIMB_BITS);
    }
    return last;
}

#else

mp_limb_t int_multiply_word(mp_limb_t *out, const mp_limb_t *limbs, size_t count, mp_limb_t word) {
    return mpn_mul_1(out, limbs, (mp_size_t)count, word);
}

#endif
