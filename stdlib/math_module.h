/* math_module.h - the parts of module math: math.c (real functions and the table), math_gamma.c,
 * math_sum.c (sums, norms), math_int.c (integers).
 */
#ifndef GEN_MATH_MODULE_H
#define GEN_MATH_MODULE_H

#include "vm/objects/number.h"

/* math_gamma.c: NaN for a pole, infinity where the result is too large. */
double math_gamma(double x);
double math_lgamma(double x);

/* math_sum.c */
Value math_fsum(GenVM *vm, Value *args);
Value math_hypot(GenVM *vm, Value *args);
Value math_dist(GenVM *vm, Value *args);
Value math_prod(GenVM *vm, Value *args);
Value math_sumprod(GenVM *vm, Value *args);

/* math_int.c */
Value math_factorial(GenVM *vm, Value *args);
Value math_comb(GenVM *vm, Value *args);
Value math_perm(GenVM *vm, Value *args);
Value math_isqrt(GenVM *vm, Value *args);
Value math_gcd(GenVM *vm, Value *args);
Value math_lcm(GenVM *vm, Value *args);

/* Of a float or int. LEAF_SCRIPT: it has a __float__ or __index__ in script; LEAF_ERROR: TypeError
 * or OverflowError. */
Leaf math_double(GenVM *vm, Value v, double *out);

#endif
