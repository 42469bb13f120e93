/* value.h - the 64-bit word that every Gen value is.
 *
 * A value is a small integer, an immediate float, or a pointer to a heap object, told apart by its
 * two lowest bits:
 *
 *     ..00   small int, 62 bits, kept shifted left by two: add, subtract and compare work on the
 * tagged word
 *     ..01   pointer to an Object, plus one (the displacement of a load takes the one back for
 * nothing)
 *     ..1x   float: rol(bits, 4) + 3. Zero, infinities, NaN and magnitudes of about 2^-255 .. 2^257
 * fit; the few others are boxed in a FloatBox object
 *
 * Words ..01 below 4096 are no pointers but the marks listed in `ValueMark`. This header is the
 * only place that knows the encoding. Which encoding and why: measured against NaN boxing, 16-byte
 * values and boxed floats.
 */
#ifndef GEN_VALUE_H
#define GEN_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t Value;
typedef struct GenVM GenVM;
typedef struct Object Object;

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define COLD __attribute__((noinline, cold))

/* Marks: what a slot or a C function can hold or return that is no Gen value. Never visible to
 * scripts. */
#define VALUE_ERROR ((Value)1) /* an exception is pending in vm->exception */
#define VALUE_UNSET ((Value)5) /* an unbound variable, an absent argument, a free slot */
#define VALUE_TAIL                                                                                 \
    ((Value)9) /* a native asks the interpreter to make the call in vm->tail (see native.h) */
#define VALUE_END ((Value)13)     /* an iterator's `next` slot: there are no more items */
#define VALUE_DELETED ((Value)17) /* a deleted entry of a dict or set */

enum { SMALL_INT_SHIFT = 2 };
#define SMALL_INT_MAX (((int64_t)1 << 61) - 1)
#define SMALL_INT_MIN (-((int64_t)1 << 61))

static inline bool is_int(Value v) {
    return (v & 3) == 0;
} /* small int only: see value_is_int in object.h */
static inline bool are_ints(Value a, Value b) {
    return ((a | b) & 3) == 0;
}
static inline bool is_float(Value v) {
    return (v & 2) != 0;
} /* immediate only: see value_is_float in object.h */
static inline bool are_floats(Value a, Value b) {
    return (a & b & 2) != 0;
}
static inline bool is_pointer(Value v) {
    return ((v - 1) & 3) == 0; /* the address, which is wanted next */
} /* an object or a mark */
/* The tag and the range in one test: rotated, an address is below 2^56 still, and what has another
 * tag or wraps around is not. */
static inline bool is_object(Value v) {
    Value w = v - 4097;
    return (w >> 2 | w << 62) >> 56 == 0;
}

static inline Value int_value(int64_t i) {
    return (Value)i << SMALL_INT_SHIFT;
} /* i must fit 62 bits */
static inline int64_t as_int(Value v) {
    return (int64_t)v >> SMALL_INT_SHIFT;
}
static inline bool int_fits(int64_t i) {
    return i >= SMALL_INT_MIN && i <= SMALL_INT_MAX;
}

static inline Value object_value(const void *object) {
    return (Value)(uintptr_t)object + 1;
}
static inline Object *as_object(Value v) {
    return (Object *)(uintptr_t)(v - 1);
}

/* The encoding of `d`; an immediate float only if bit 1 of the result is set (use float_value in
 * object.h). */
static inline Value float_encode(double d) {
    uint64_t bits;
    memcpy(&bits, &d, 8);
    return ((bits << 4) | (bits >> 60)) + 3;
}

static inline double as_float(Value v) {
    double d;
    v -= 3;
    v = (v >> 4) | (v << 60);
    memcpy(&d, &v, 8);
    return d;
}

#endif
