/* math_int.c - the integer functions of module math. Products of ranges are built as balanced
 * trees, so that the large multiplications have factors of like size.
 */
#include "stdlib/math_module.h"

/* ---- products ---- */

/* first * (first + 1) * ... * last, first <= last, all positive. */
static Value range_product(GenVM *vm, uint64_t first, uint64_t last) {
    uint64_t product = first;
    if (last - first < 16) {
        uint64_t i = first;
        while (i < last && !__builtin_mul_overflow(product, i + 1, &product))
            i++;
        if (i == last) return int_from_u64(vm, product);
        if (i == first) { /* two factors overflow a word: leave it to the ints */
            Value all = int_from_u64(vm, first);
            while (i++ < last && all != VALUE_ERROR)
                all = int_binary(vm, BINARY_MUL, all, int_from_u64(vm, i));
            return all;
        }
    }
    uint64_t middle = first + (last - first) / 2;
    Value low = range_product(vm, first, middle);
    Value high = low == VALUE_ERROR ? VALUE_ERROR : range_product(vm, middle + 1, last);
    return high == VALUE_ERROR ? VALUE_ERROR : int_binary(vm, BINARY_MUL, low, high);
}

/* Makes sure of memory and steps for a product of `count` factors that will have `bits` bits. */
static bool begin_product(GenVM *vm, double bits, uint64_t count) {
    if (bits > 1e15) return raise_memory(vm), false;
    if (!gc_check_size(vm, (uint64_t)(bits / 8))) return false;
    size_t half = (size_t)(bits / 128);
    return native_begin(vm, count / 4 + 3 * int_product_cost(half, half));
}

static Value range_product_checked(GenVM *vm, uint64_t first, uint64_t last) {
    if (first > last) return int_value(1);
    uint64_t count = last - first + 1;
    if (!begin_product(vm, (double)count * log2((double)last), count)) return VALUE_ERROR;
    Value product = native_work(vm, count / 4) ? range_product(vm, first, last) : VALUE_ERROR;
    native_end(vm);
    return product;
}

/* first * (first + 2) * ... of odd numbers below `end`. */
static Value odd_product(GenVM *vm, uint64_t first, uint64_t end) {
    uint64_t count = first < end ? (end - first + 1) / 2 : 0, product = 1;
    if (count == 0) return int_value(1);
    uint64_t i = first;
    while (i < end && !__builtin_mul_overflow(product, i, &product))
        i += 2;
    if (i >= end) return int_from_u64(vm, product);
    if (count == 1) return int_from_u64(vm, first);
    uint64_t middle = first + count / 2 * 2;
    Value low = odd_product(vm, first, middle);
    Value high = low == VALUE_ERROR ? VALUE_ERROR : odd_product(vm, middle, end);
    return high == VALUE_ERROR ? VALUE_ERROR : int_binary(vm, BINARY_MUL, low, high);
}

/* n! is 2^(n - ones in n) times, for every k, the odd numbers up to n / 2^k: those of one k
 * continue those of k + 1. */
static Value factorial_by_halves(GenVM *vm, uint64_t n) {
    if (!native_work(vm, n / 4)) return VALUE_ERROR;
    Value inner = int_value(1), outer = int_value(1);
    uint64_t done = 3; /* odd numbers below are in `inner` */
    for (int shift = 63 - __builtin_clzll(n); shift >= 0; shift--) {
        uint64_t end = (n >> shift) + 1;
        Value more = odd_product(vm, done, end);
        if (more == VALUE_ERROR) return VALUE_ERROR;
        if (end > done) done = end | 1;
        inner = int_binary(vm, BINARY_MUL, inner, more);
        if (inner == VALUE_ERROR) return VALUE_ERROR;
        outer = int_binary(vm, BINARY_MUL, outer, inner);
        if (outer == VALUE_ERROR) return VALUE_ERROR;
    }
    return int_binary(vm, BINARY_LSHIFT, outer,
                      int_value((int64_t)(n - (uint64_t)__builtin_popcountll(n))));
}

static Value factorial(GenVM *vm, uint64_t n) {
    if (n < 2) return int_value(1);
    if (!begin_product(vm, (double)n * log2((double)n), n)) return VALUE_ERROR;
    Value product = factorial_by_halves(vm, n);
    native_end(vm);
    return product;
}

Value math_factorial(GenVM *vm, Value *args) {
    int64_t n;
    if (int_sign(args[0]) < 0)
        return raise_value(vm, "factorial() not defined for negative values");
    if (!int_to_i64(args[0], &n))
        return raise_overflow(vm, "factorial() argument should not exceed %lld",
                              (long long)INT64_MAX);
    return factorial(vm, (uint64_t)n);
}

/* n (n - 1) ... (n - k + 1) for an n of any size. */
static Value falling_product(GenVM *vm, Value n, uint64_t k) {
    int64_t small;
    if (int_to_i64(n, &small))
        return range_product_checked(vm, (uint64_t)small - k + 1, (uint64_t)small);
    double bits = (double)int_bit_length(n) * (double)k;
    if (!begin_product(vm, bits, k)) return VALUE_ERROR;
    Value product = int_value(1);
    for (uint64_t i = 0; i < k && product != VALUE_ERROR; i++)
        product = int_binary(vm, BINARY_MUL, product,
                             int_binary(vm, BINARY_SUB, n, int_value((int64_t)i)));
    native_end(vm);
    return product;
}

Value math_perm(GenVM *vm, Value *args) {
    if (args[1] == VALUE_NONE) return math_factorial(vm, args);
    int64_t k;
    if (int_sign(args[0]) < 0) return raise_value(vm, "n must be a non-negative integer");
    if (int_sign(args[1]) < 0) return raise_value(vm, "k must be a non-negative integer");
    if (int_order(args[0], args[1]) < 0) return int_value(0);
    if (!int_to_i64(args[1], &k))
        return raise_overflow(vm, "k must not exceed %lld", (long long)INT64_MAX);
    return k == 0 ? int_value(1) : falling_product(vm, args[0], (uint64_t)k);
}

/* C(n, k) for word-sized results, dividing as it goes; VALUE_UNSET when it overflows. */
static Value small_comb(GenVM *vm, Value n, uint64_t k) {
    if (!is_int(n)) return VALUE_UNSET;
    uint64_t top = (uint64_t)as_int(n), result = 1;
    for (uint64_t i = 1; i <= k; i++) {
        uint64_t product;
        if (__builtin_mul_overflow(result, top - k + i, &product)) return VALUE_UNSET;
        result = product / i;
    }
    return int_from_u64(vm, result);
}

Value math_comb(GenVM *vm, Value *args) {
    if (int_sign(args[0]) < 0) return raise_value(vm, "n must be a non-negative integer");
    if (int_sign(args[1]) < 0) return raise_value(vm, "k must be a non-negative integer");
    Value n = int_exact(vm, args[0]), rest = int_binary(vm, BINARY_SUB, n, args[1]);
    if (rest == VALUE_ERROR) return VALUE_ERROR;
    if (int_sign(rest) < 0) return int_value(0);
    Value least = int_order(rest, args[1]) < 0 ? rest : args[1];
    int64_t k;
    if (!int_to_i64(least, &k))
        return raise_overflow(vm, "min(n - k, k) must not exceed %lld", (long long)INT64_MAX);
    if (k == 0) return int_value(1);
    Value result = small_comb(vm, n, (uint64_t)k);
    if (result != VALUE_UNSET) return result;
    Value top = falling_product(vm, n, (uint64_t)k);
    Value bottom = top == VALUE_ERROR ? VALUE_ERROR : factorial(vm, (uint64_t)k);
    return bottom == VALUE_ERROR ? VALUE_ERROR : int_binary(vm, BINARY_FLOORDIV, top, bottom);
}

/* ---- roots and divisors ---- */

Value math_isqrt(GenVM *vm, Value *args) {
    IntView n;
    int_view(&n, args[0]);
    if (n.negative) return raise_value(vm, "isqrt() argument must be nonnegative");
    if (is_int(args[0])) {
        uint64_t small = (uint64_t)as_int(args[0]), root = (uint64_t)sqrt((double)small);
        while (root * root > small)
            root--;
        while ((root + 1) * (root + 1) <= small)
            root++;
        return int_value((int64_t)root);
    }
    if (n.count == 0) return int_value(0);
    if (!int_foresee(vm, n.count, n.count, INT_ROOT) || !int_charge_product(vm, n.count, n.count))
        return VALUE_ERROR;
    BigInt *root = int_alloc(vm, (n.count + 1) / 2);
    if (!root) return VALUE_ERROR;
    Scratch scratch;
    mp_limb_t *rest = scratch_get(vm, &scratch, n.count * sizeof *rest);
    if (!rest) return VALUE_ERROR;
    mpn_sqrtrem((mp_limb_t *)root->limbs, rest, n.limbs, (mp_size_t)n.count);
    scratch_free(&scratch);
    return int_finish(root, (n.count + 1) / 2, false);
}

static Value lcm(GenVM *vm, Value a, Value b) {
    if (int_sign(a) == 0 || int_sign(b) == 0) return int_value(0);
    Value gcd = int_gcd(vm, a, b);
    Value part = gcd == VALUE_ERROR ? VALUE_ERROR : int_binary(vm, BINARY_FLOORDIV, a, gcd);
    Value product = part == VALUE_ERROR ? VALUE_ERROR : int_binary(vm, BINARY_MUL, part, b);
    return product != VALUE_ERROR && int_sign(product) < 0 ? int_negate(vm, product) : product;
}

/* Folds over integers; objects with an __index__ of their own go to the twin. */
static Value fold(GenVM *vm, Value numbers, Value start, Value (*step)(GenVM *vm, Value a, Value b),
                  Twin twin) {
    Tuple *tuple = AS_TUPLE(numbers);
    for (uint64_t i = 0; i < tuple->count; i++) {
        Value v = tuple->items[i];
        if (value_is_intlike(v)) continue;
        if (type_special(vm, v, SP_INDEX) != VALUE_UNSET || type_of(vm, v)->slots.to_index)
            return native_twin(vm, twin, 1, numbers);
        return raise_type(vm, "'%T' object cannot be interpreted as an integer", v);
    }
    for (uint64_t i = 0; i < tuple->count && start != VALUE_ERROR; i++)
        start = i % 64 == 63 && !native_look(vm) ? VALUE_ERROR : step(vm, start, tuple->items[i]);
    return start;
}

Value math_gcd(GenVM *vm, Value *args) {
    return fold(vm, args[0], int_value(0), int_gcd, TWIN_MATH_GCD);
}
Value math_lcm(GenVM *vm, Value *args) {
    return fold(vm, args[0], int_value(1), lcm, TWIN_MATH_LCM);
}
