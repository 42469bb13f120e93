/* math_sum.c - sums, products and norms of module math that are more exact than adding up.
 *
 * fsum keeps a list of partial sums that do not overlap, and rounds once at the end. Norms and dot
 * products of floats carry the rounding errors of their steps along in a second and third double.
 * Iterables other than lists and tuples, and numbers that convert themselves, are made plain by
 * twins.
 */
#include "stdlib/math_module.h"
#include "vm/memory.h"

Leaf math_double(GenVM *vm, Value v, double *out) {
    if (is_float(v)) {
        *out = as_float(v);
        return LEAF_TRUE;
    }
    if (number_to_double(vm, v, out)) return LEAF_TRUE;
    if (vm->exception != VALUE_UNSET) return LEAF_ERROR;
    const TypeSlots *slots = &type_of(vm, v)->slots;
    if (type_special(vm, v, SP_FLOAT) != VALUE_UNSET ||
        type_special(vm, v, SP_INDEX) != VALUE_UNSET || slots->to_float || slots->to_index)
        return LEAF_SCRIPT;
    raise_type(vm, "must be real number, not %T", v);
    return LEAF_ERROR;
}

/* ---- fsum ---- */

typedef struct Partials { /* in increasing magnitude, without overlap; their exact sum is the sum so
                             far */
    double *at;
    size_t count, capacity;
    double special; /* sum of infinities and NaNs */
    double infinities;
    double inline_space[32];
} Partials;

static bool add_partial(GenVM *vm, Partials *partials, double x) {
    if (partials->count + 1 < partials->capacity) {
        partials->at[partials->count++] = x;
        return true;
    }
    size_t capacity = partials->capacity * 2;
    bool is_inline = partials->at == partials->inline_space;
    double *grown = memory_resize(vm, is_inline ? NULL : partials->at, capacity * sizeof *grown);
    if (!grown) {
        raise_memory(vm);
        return false;
    }
    if (is_inline) memcpy(grown, partials->inline_space, sizeof partials->inline_space);
    partials->at = grown;
    partials->capacity = capacity;
    partials->at[partials->count++] = x;
    return true;
}

static bool add_exactly(GenVM *vm, Partials *partials, double x) {
    double start = x;
    size_t kept = 0;
    for (size_t i = 0; i < partials->count; i++) {
        double y = partials->at[i];
        if (fabs(x) < fabs(y)) {
            double swap = x;
            x = y, y = swap;
        }
        double sum = x + y, lost = y - (sum - x);
        if (lost != 0) partials->at[kept++] = lost;
        x = sum;
    }
    partials->count = kept;
    if (x == 0) return true;
    if (isfinite(x)) return add_partial(vm, partials, x);
    if (isfinite(start)) {
        raise_overflow(vm, "intermediate overflow in fsum");
        return false;
    }
    if (isinf(start)) partials->infinities += start;
    partials->special += start;
    partials->count = 0;
    return true;
}

/* The partials from the top, rounded once: a tie between two doubles is decided by the sign of what
 * follows. */
static double round_partials(const Partials *partials) {
    size_t count = partials->count;
    if (count == 0) return 0.0;
    double high = partials->at[--count], low = 0.0;
    while (count > 0) {
        double x = high, y = partials->at[--count];
        high = x + y;
        low = y - (high - x);
        if (low != 0) break;
    }
    bool same_sign = count > 0 && ((low < 0 && partials->at[count - 1] < 0) ||
                                   (low > 0 && partials->at[count - 1] > 0));
    if (!same_sign) return high;
    double twice = low * 2, next = high + twice;
    return twice == next - high ? next : high;
}

static Value finish_partials(GenVM *vm, const Partials *partials) {
    if (partials->special != 0) {
        if (isnan(partials->infinities)) return raise_value(vm, "-inf + inf in fsum");
        return float_value(vm, partials->special);
    }
    return float_value(vm, round_partials(partials));
}

Value math_fsum(GenVM *vm, Value *args) {
    uint64_t count;
    const Value *items = leaf_items(args[0], &count);
    if (!items) return native_twin(vm, TWIN_MATH_FSUM, 1, args[0]);
    if (!native_work(vm, count / 4)) return VALUE_ERROR;
    Partials partials = {.capacity = 32};
    partials.at = partials.inline_space;
    Leaf leaf = LEAF_TRUE;
    for (uint64_t i = 0; i < count && leaf == LEAF_TRUE; i++) {
        double x;
        leaf = math_double(vm, items[i], &x);
        if (leaf == LEAF_TRUE && (!add_exactly(vm, &partials, x) || !native_glance(vm, i)))
            leaf = LEAF_ERROR;
    }
    Value result = leaf == LEAF_TRUE ? finish_partials(vm, &partials) : VALUE_ERROR;
    if (partials.at != partials.inline_space) memory_free(partials.at);
    return leaf == LEAF_SCRIPT ? native_twin(vm, TWIN_MATH_FSUM, 1, args[0]) : result;
}

/* ---- norms ---- */

typedef struct Double2 { /* an unevaluated sum */
    double high, low;
} Double2;

static Double2 exact_sum(double a, double b) {
    double sum = a + b, part = sum - a;
    return (Double2){sum, (a - (sum - part)) + (b - part)};
}

static Double2 exact_product(double a, double b) {
    double product = a * b;
    return (Double2){product, fma(a, b, -product)};
}

/* sqrt(x0^2 + x1^2 + ...): squares of the numbers scaled to below 1, summed in two doubles; one
 * Newton step on the root takes up what that knows beyond a double. */
static double norm(const double *numbers, size_t count) {
    double most = 0.0;
    bool has_nan = false;
    for (size_t i = 0; i < count; i++) {
        has_nan |= isnan(numbers[i]);
        if (fabs(numbers[i]) > most) most = fabs(numbers[i]);
    }
    if (isinf(most)) return most;
    if (has_nan) return NAN;
    if (most == 0 || count == 1) return most;
    int exponent;
    frexp(most, &exponent);
    double high = 0.0, low = 0.0;
    for (size_t i = 0; i < count; i++) {
        double x = ldexp(numbers[i], -exponent);
        Double2 square = exact_product(x, x), sum = exact_sum(high, square.high);
        high = sum.high;
        low += sum.low + square.low;
    }
    double root = sqrt(high + low);
    Double2 square = exact_product(root, root);
    root += ((high - square.high) + (low - square.low)) / (2 * root);
    return ldexp(root, exponent);
}

/* Makes doubles of tuple items, less those of `from` where given. */
static Leaf fill(GenVM *vm, double *out, const Tuple *tuple, const Tuple *from) {
    for (uint64_t i = 0; i < tuple->count; i++) {
        double subtrahend = 0.0;
        Leaf leaf = math_double(vm, tuple->items[i], &out[i]);
        if (leaf == LEAF_TRUE && from) leaf = math_double(vm, from->items[i], &subtrahend);
        if (leaf != LEAF_TRUE) return leaf;
        out[i] -= subtrahend;
    }
    return LEAF_TRUE;
}

static Value norm_of(GenVM *vm, Twin twin, Value tuple, Value from) {
    Scratch scratch;
    size_t count = AS_TUPLE(tuple)->count;
    enum { MUCH = 1 << 18, NANOSECONDS = 16 };
    if (count > MUCH && !native_foresee(vm, count * NANOSECONDS)) return VALUE_ERROR;
    double *numbers = scratch_get(vm, &scratch, count * sizeof *numbers);
    if (!numbers) return VALUE_ERROR;
    Leaf leaf = fill(vm, numbers, AS_TUPLE(tuple), from == VALUE_UNSET ? NULL : AS_TUPLE(from));
    double result = leaf == LEAF_TRUE ? norm(numbers, count) : 0.0;
    scratch_free(&scratch);
    if (leaf == LEAF_TRUE) return float_value(vm, result);
    if (leaf == LEAF_ERROR) return VALUE_ERROR;
    return from == VALUE_UNSET ? native_twin(vm, twin, 1, tuple)
                               : native_twin(vm, twin, 2, tuple, from);
}

Value math_hypot(GenVM *vm, Value *args) {
    return norm_of(vm, TWIN_MATH_HYPOT, args[0], VALUE_UNSET);
}

Value math_dist(GenVM *vm, Value *args) {
    for (int i = 0; i < 2; i++) {
        if (is_kind(args[i], TYPE_TUPLE)) continue;
        if (!is_exact(args[i], TYPE_LIST))
            return native_twin(vm, TWIN_MATH_DIST, 2, args[0], args[1]);
        args[i] = list_to_tuple(vm, args[i]);
        if (args[i] == VALUE_ERROR) return VALUE_ERROR;
    }
    if (AS_TUPLE(args[0])->count != AS_TUPLE(args[1])->count)
        return raise_value(vm, "both points must have the same number of dimensions");
    return norm_of(vm, TWIN_MATH_DIST, args[0], args[1]);
}

/* ---- products ---- */

static bool is_plain_number(Value v) {
    return is_int(v) || is_float(v) || is_exact(v, TYPE_INT) || is_exact(v, TYPE_FLOAT);
}

static bool all_plain(const Value *items, uint64_t count, bool *has_float) {
    for (uint64_t i = 0; i < count; i++) {
        if (!is_plain_number(items[i])) return false;
        *has_float |= !value_is_int(items[i]);
    }
    return true;
}

static Value multiply(GenVM *vm, Value a, Value b) {
    bool ints = value_is_int(a) && value_is_int(b);
    return ints ? int_binary(vm, BINARY_MUL, a, b) : float_binary(vm, BINARY_MUL, a, b);
}

/* Of ints, by halves: the numbers that are multiplied are of about one size. */
static Value product_of_ints(GenVM *vm, const Value *items, uint64_t count) {
    enum { FEW = 32 };
    if (!native_look(vm)) return VALUE_ERROR;
    if (count > FEW) {
        Value low = product_of_ints(vm, items, count / 2);
        if (low == VALUE_ERROR) return low;
        Value high = product_of_ints(vm, items + count / 2, count - count / 2);
        return high == VALUE_ERROR ? high : int_binary(vm, BINARY_MUL, low, high);
    }
    Value product = int_value(1);
    for (uint64_t i = 0; i < count && product != VALUE_ERROR; i++)
        product = int_binary(vm, BINARY_MUL, product, items[i]);
    return product;
}

Value math_prod(GenVM *vm, Value *args) {
    uint64_t count;
    bool has_float = false;
    const Value *items = leaf_items(args[0], &count);
    if (!items || !is_plain_number(args[1]) || !all_plain(items, count, &has_float))
        return native_twin(vm, TWIN_MATH_PROD, 2, args[0], args[1]);
    if (!native_work(vm, count / 4)) return VALUE_ERROR;
    Value product = args[1];
    if (!has_float && value_is_int(product)) {
        Value rest = product_of_ints(vm, items, count);
        return rest == VALUE_ERROR ? rest : multiply(vm, product, rest);
    }
    for (uint64_t i = 0; i < count && product != VALUE_ERROR; i++)
        product = i % 64 == 63 && !native_look(vm) ? VALUE_ERROR : multiply(vm, product, items[i]);
    return product;
}

/* ---- sumprod ---- */

typedef struct Double3 {
    double high, low, tiny;
} Double3;

static Double3 add_product(Double3 total, double a, double b) {
    Double2 product = exact_product(a, b), sum = exact_sum(total.high, product.high);
    Double2 first = exact_sum(total.low, product.low), second = exact_sum(first.high, sum.low);
    return (Double3){sum.high, second.high, total.tiny + first.low + second.low};
}

static double round_double3(Double3 total) {
    Double2 last = exact_sum(total.low, total.tiny), sum = exact_sum(total.high, last.high);
    return sum.high + (sum.low + last.low);
}

/* The sum so far. Products of ints come first as long as they fit into a word, then those with a
 * float, whose rounding errors are carried along; from the first other one on they are added up
 * plainly. */
typedef struct Products {
    Value total;
    int64_t ints;
    Double3 floats;
    bool takes_ints, takes_floats, has_floats;
} Products;

static Value add_numbers(GenVM *vm, Value a, Value b) {
    if (a == VALUE_ERROR || b == VALUE_ERROR) return VALUE_ERROR;
    bool ints = value_is_int(a) && value_is_int(b);
    return ints ? int_binary(vm, BINARY_ADD, a, b) : float_binary(vm, BINARY_ADD, a, b);
}

static bool add_int_product(Products *sum, Value p, Value q) {
    int64_t a, b, product, total;
    if (!value_is_int(p) || !value_is_int(q) || !int_to_i64(p, &a) || !int_to_i64(q, &b) ||
        __builtin_mul_overflow(a, b, &product) ||
        __builtin_add_overflow(sum->ints, product, &total))
        return false;
    sum->ints = total;
    return true;
}

static void end_ints(GenVM *vm, Products *sum) {
    sum->takes_ints = false;
    if (sum->ints) sum->total = add_numbers(vm, sum->total, int_from_i64(vm, sum->ints));
}

/* An int beyond all floats ends the exact sum; multiplying it will fail, as in CPython. */
static bool add_float_product(GenVM *vm, Products *sum, Value p, Value q) {
    double a, b;
    if (value_is_int(p) && value_is_int(q)) return false;
    if (!number_to_double(vm, p, &a) || !number_to_double(vm, q, &b)) {
        vm->exception = VALUE_UNSET;
        return false;
    }
    Double3 next = add_product(sum->floats, a, b);
    if (!isfinite(next.high)) return false;
    sum->floats = next;
    return sum->has_floats = true;
}

static void end_floats(GenVM *vm, Products *sum) {
    sum->takes_floats = false;
    if (!sum->has_floats) return;
    sum->total = add_numbers(vm, sum->total, float_value(vm, round_double3(sum->floats)));
}

static bool add_number_product(GenVM *vm, Products *sum, Value p, Value q) {
    if (sum->takes_ints) {
        if (add_int_product(sum, p, q)) return true;
        end_ints(vm, sum);
    }
    if (sum->takes_floats) {
        if (add_float_product(vm, sum, p, q)) return true;
        end_floats(vm, sum);
    }
    sum->total = add_numbers(vm, sum->total, multiply(vm, p, q));
    return sum->total != VALUE_ERROR;
}

Value math_sumprod(GenVM *vm, Value *args) {
    uint64_t count, other;
    bool has_float = false;
    const Value *p = leaf_items(args[0], &count), *q = leaf_items(args[1], &other);
    if (!p || !q || !all_plain(p, count, &has_float) || !all_plain(q, other, &has_float))
        return native_twin(vm, TWIN_MATH_SUMPROD, 2, args[0], args[1]);
    if (count != other) return raise_value(vm, "Inputs are not the same length");
    if (!native_work(vm, count / 4)) return VALUE_ERROR;
    Products sum = {.total = int_value(0), .takes_ints = true, .takes_floats = true};
    for (uint64_t i = 0; i < count; i++)
        if (!native_glance(vm, i) || !add_number_product(vm, &sum, p[i], q[i])) return VALUE_ERROR;
    if (sum.takes_ints) end_ints(vm, &sum);
    if (sum.takes_floats) end_floats(vm, &sum);
    return sum.total;
}
