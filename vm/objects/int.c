/* int.c - the type int: views, results, conversions, and what calling the class does.
 *
 * An int that fits 62 bits is a word; any other is a BigInt, so equal ints have equal
 * representations, except that an instance of a subclass is always a BigInt. Code that does not
 * care looks at ints through an IntView.
 */
#include "vm/objects/number.h"
#include "vm/memory.h"

/* ---- scratch ---- */

void *scratch_get(GenVM *vm, Scratch *scratch, size_t bytes) {
    scratch->heap = NULL;
    if (bytes <= sizeof scratch->space) return scratch->space;
    if (vm && !gc_check_size(vm, bytes)) return NULL;
    scratch->heap = memory_new(vm, bytes);
    if (!scratch->heap && vm) raise_memory(vm);
    return scratch->heap;
}

void scratch_free(Scratch *scratch) {
    memory_free(scratch->heap);
}

/* ---- views ---- */

size_t int_view_bits(const IntView *view) {
    if (view->count == 0) return 0;
    return view->count * LIMB_BITS - (size_t)__builtin_clzl(view->limbs[view->count - 1]);
}

bool int_view_bit_below(const IntView *view, size_t bit) {
    size_t limbs = bit / LIMB_BITS;
    for (size_t i = 0; i < limbs && i < view->count; i++)
        if (view->limbs[i]) return true;
    return limbs < view->count && bit % LIMB_BITS &&
           (view->limbs[limbs] & (((mp_limb_t)1 << bit % LIMB_BITS) - 1));
}

int int_view_order(const IntView *a, const IntView *b) {
    if (a->negative != b->negative) return a->negative ? -1 : 1;
    int order;
    if (a->count != b->count)
        order = a->count < b->count ? -1 : 1;
    else
        order = a->count ? mpn_cmp(a->limbs, b->limbs, (mp_size_t)a->count) : 0;
    return a->negative ? -order : order;
}

/* ---- results ---- */

BigInt *int_alloc(GenVM *vm, size_t limbs) {
    if (limbs > (SIZE_MAX >> 5)) {
        raise_memory(vm);
        return NULL;
    }
    return gc_new_raw(vm, sizeof(BigInt) + limbs * sizeof(mp_limb_t), TYPE_INT);
}

static bool fits_small(mp_limb_t magnitude, bool negative) {
    return magnitude <= (mp_limb_t)SMALL_INT_MAX + negative;
}

static Value small_of(mp_limb_t magnitude, bool negative) {
    return int_value(negative ? -(int64_t)magnitude : (int64_t)magnitude);
}

Value int_finish(BigInt *big, size_t limbs, bool negative) {
    while (limbs && big->limbs[limbs - 1] == 0)
        limbs--;
    if (limbs == 0) return int_value(0);
    if (limbs == 1 && fits_small(big->limbs[0], negative)) return small_of(big->limbs[0], negative);
    big->size = negative ? -(int64_t)limbs : (int64_t)limbs;
    return object_value(big);
}

Value int_from_limbs(GenVM *vm, const mp_limb_t *limbs, size_t count, bool negative) {
    while (count && limbs[count - 1] == 0)
        count--;
    if (count == 0) return int_value(0);
    if (count == 1 && fits_small(limbs[0], negative)) return small_of(limbs[0], negative);
    BigInt *big = int_alloc(vm, count);
    if (!big) return VALUE_ERROR;
    memcpy(big->limbs, limbs, count * sizeof *limbs);
    big->size = negative ? -(int64_t)count : (int64_t)count;
    return object_value(big);
}

Value int_from_wide(GenVM *vm, Wide i) {
    if (likely(i >= SMALL_INT_MIN && i <= SMALL_INT_MAX)) return int_value((int64_t)i);
    UnsignedWide magnitude = i < 0 ? -(UnsignedWide)i : (UnsignedWide)i;
    int64_t count = magnitude >> LIMB_BITS ? 2 : 1;
    BigInt *big = gc_new_raw(vm, sizeof(BigInt) + (size_t)count * sizeof(mp_limb_t), TYPE_INT);
    if (!big) return VALUE_ERROR;
    big->limbs[0] = (mp_limb_t)magnitude;
    if (count == 2) big->limbs[1] = (mp_limb_t)(magnitude >> LIMB_BITS);
    big->size = i < 0 ? -count : count;
    return object_value(big);
}

Value int_from_view(GenVM *vm, const IntView *view) {
    return int_from_limbs(vm, view->limbs, view->count, view->negative);
}

Value int_from_i64(GenVM *vm, int64_t i) {
    return int_from_wide(vm, i);
}
Value int_from_u64(GenVM *vm, uint64_t i) {
    return int_from_wide(vm, i);
}

Value int_exact(GenVM *vm, Value v) {
    if (is_int(v) || is_exact(v, TYPE_INT)) return v;
    IntView view;
    int_view(&view, v);
    return int_from_view(vm, &view);
}

Value int_of_class(GenVM *vm, Type *cls, Value v) {
    v = int_exact(vm, v);
    if (v == VALUE_ERROR || cls == vm->types[TYPE_INT]) return v;
    IntView view;
    int_view(&view, v);
    BigInt *big = gc_new_of(vm, sizeof(BigInt) + view.count * sizeof(mp_limb_t), TYPE_INT, cls);
    if (!big) return VALUE_ERROR;
    memcpy(big->limbs, view.limbs, view.count * sizeof(mp_limb_t));
    big->size = view.negative ? -(int64_t)view.count : (int64_t)view.count;
    return object_value(big);
}

/* ---- to and from other numbers ---- */

size_t int_double_limbs(double d, mp_limb_t limbs[18]) {
    int exponent;
    double fraction = frexp(fabs(d), &exponent);
    if (exponent <= 0) return 0;
    uint64_t mantissa = (uint64_t)ldexp(fraction, 53);
    if (exponent <= 53) {
        limbs[0] = mantissa >> (53 - exponent);
        return 1;
    }
    unsigned shift = (unsigned)exponent - 53;
    size_t low = shift / LIMB_BITS;
    memset(limbs, 0, low * sizeof *limbs);
    limbs[low] = mantissa << shift % LIMB_BITS;
    limbs[low + 1] = shift % LIMB_BITS ? mantissa >> (LIMB_BITS - shift % LIMB_BITS) : 0;
    return limbs[low + 1] ? low + 2 : low + 1;
}

Value int_from_double(GenVM *vm, double d) {
    if (likely(d > -2305843009213693952.0 && d < 2305843009213693952.0))
        return int_value((int64_t)d);
    if (isnan(d)) return raise_value(vm, "cannot convert float NaN to integer");
    if (isinf(d)) return raise_overflow(vm, "cannot convert float infinity to integer");
    mp_limb_t limbs[18];
    size_t count = int_double_limbs(d, limbs);
    return int_from_limbs(vm, limbs, count, d < 0);
}

bool int_to_i64(Value v, int64_t *out) {
    IntView view;
    int_view(&view, v);
    if (view.count > 1) return false;
    mp_limb_t magnitude = view.count ? view.limbs[0] : 0;
    if (magnitude > (mp_limb_t)INT64_MAX + view.negative) return false;
    *out = view.negative ? (int64_t)-magnitude : (int64_t)magnitude;
    return true;
}

bool int_to_u64_mask(Value v, uint64_t *out) {
    IntView view;
    int_view(&view, v);
    uint64_t magnitude = view.count ? view.limbs[0] : 0;
    *out = view.negative ? -magnitude : magnitude;
    return true;
}

double double_from_bits(uint64_t m, bool sticky, int64_t exponent) {
    if (exponent > 1024) return HUGE_VAL;
    if (exponent < -1074 - 65) return 0.0;
    int drop = 11; /* bits of m beyond a double's 53; more where the result is subnormal */
    if (exponent + drop < -1074) drop = (int)(-1074 - exponent);
    if (drop > 64) return 0.0;
    uint64_t kept = drop == 64 ? 0 : m >> drop;
    uint64_t rest = drop == 64 ? m : m & (((uint64_t)1 << drop) - 1);
    uint64_t half = (uint64_t)1 << (drop - 1);
    if (rest > half || (rest == half && (sticky || (kept & 1)))) kept++;
    return ldexp((double)kept, (int)exponent + drop);
}

double int_to_double(GenVM *vm, Value v, bool *overflow) {
    (void)vm;
    *overflow = false;
    if (is_int(v)) return (double)as_int(v);
    IntView view;
    int_view(&view, v);
    if (view.count == 0) return 0.0;
    size_t bits = int_view_bits(&view);
    if (bits > 1024) {
        *overflow = true;
        return 0.0;
    }
    mp_limb_t top = view.limbs[view.count - 1];
    unsigned shift = (unsigned)__builtin_clzl(top);
    uint64_t m = top << shift;
    if (shift && view.count > 1) m |= view.limbs[view.count - 2] >> (LIMB_BITS - shift);
    bool sticky = bits > LIMB_BITS && int_view_bit_below(&view, bits - LIMB_BITS);
    double d = double_from_bits(m, sticky, (int64_t)bits - LIMB_BITS);
    *overflow = isinf(d);
    return view.negative ? -d : d;
}

bool number_to_double(GenVM *vm, Value v, double *out) {
    if (value_is_float(v)) {
        *out = value_float(v);
        return true;
    }
    if (!value_is_intlike(v)) return false;
    bool overflow;
    *out = int_to_double(vm, v, &overflow);
    if (overflow) raise_overflow(vm, "int too large to convert to float");
    return !overflow;
}

/* ---- questions ---- */

int int_order(Value a, Value b) {
    if (are_ints(a, b)) return ((int64_t)a > (int64_t)b) - ((int64_t)a < (int64_t)b);
    IntView left, right;
    int_view(&left, a);
    int_view(&right, b);
    return int_view_order(&left, &right);
}

int int_sign(Value v) {
    IntView view;
    int_view(&view, v);
    return view.count == 0 ? 0 : view.negative ? -1 : 1;
}

bool int_is_odd(Value v) {
    IntView view;
    int_view(&view, v);
    return view.count && (view.limbs[0] & 1);
}

size_t int_bit_length(Value v) {
    IntView view;
    int_view(&view, v);
    return int_view_bits(&view);
}

static const mp_limb_t hash_prime = ((mp_limb_t)1 << 61) - 1;

uint64_t int_hash(Value v) {
    IntView view;
    int_view(&view, v);
    mp_limb_t magnitude = 0;
    if (view.count == 1)
        magnitude = view.limbs[0] % hash_prime;
    else if (view.count)
        magnitude = mpn_mod_1(view.limbs, (mp_size_t)view.count, hash_prime);
    uint64_t hash = view.negative ? -magnitude : magnitude;
    return hash == UINT64_MAX ? (uint64_t)-2 : hash;
}

/* ---- slots ---- */

static Value repr(GenVM *vm, Value self) {
    return int_repr(vm, self);
}
static Value hash(GenVM *vm, Value self) {
    native_spend(vm, int_bit_length(self) / 1024);
    return int_from_i64(vm, (int64_t)int_hash(self));
}
static Value truth(GenVM *vm, Value self) {
    (void)vm;
    return bool_value(int_sign(self) != 0);
}

static Value compare(GenVM *vm, CompareOp op, Value left, Value right) {
    (void)vm;
    if (!value_is_intlike(left) || !value_is_intlike(right)) return VALUE_NOT_IMPLEMENTED;
    return bool_value(order_holds(op, int_order(left, right)));
}

Value int_negate(GenVM *vm, Value v) {
    if (is_int(v)) return int_from_i64(vm, -as_int(v));
    IntView view;
    int_view(&view, v);
    return int_from_limbs(vm, view.limbs, view.count, !view.negative);
}

static Value unary(GenVM *vm, Special op, Value self) {
    switch (op) {
    case SP_NEG: return int_negate(vm, self);
    case SP_POS: return int_exact(vm, self);
    case SP_ABS: return int_sign(self) < 0 ? int_negate(vm, self) : int_exact(vm, self);
    case SP_INVERT: {
        Value negated = int_negate(vm, self);
        return negated == VALUE_ERROR ? VALUE_ERROR
                                      : int_binary(vm, BINARY_SUB, negated, int_value(1));
    }
    default: return VALUE_NOT_IMPLEMENTED;
    }
}

static Value to_float(GenVM *vm, Value self) {
    double d;
    return number_to_double(vm, self, &d) ? float_value(vm, d) : VALUE_ERROR;
}

/* ---- int(x, base) ---- */

static bool is_text(Value v, const char **text, size_t *size) {
    if (value_is_str(v)) {
        *text = AS_STR(v)->data;
        *size = AS_STR(v)->size;
        return true;
    }
    if (is_kind(v, TYPE_BYTES) || is_kind(v, TYPE_BYTEARRAY)) {
        *text = bytes_data(v, size);
        return true;
    }
    return false;
}

/* The int that x stands for: VALUE_TAIL when its class has an __int__ or __index__ in script. */
static Value from_object(GenVM *vm, Value cls, Value x) {
    if (is_int(x) || is_exact(x, TYPE_INT)) return x;
    if (is_float(x)) return int_from_double(vm, as_float(x));
    if (is_exact(x, TYPE_STR)) return int_parse(vm, x, AS_STR(x)->data, AS_STR(x)->size, 10);
    Value method = type_special(vm, x, SP_INT);
    if (method == VALUE_UNSET && !type_of(vm, x)->slots.to_int)
        method = type_special(vm, x, SP_INDEX);
    if (method != VALUE_UNSET) return native_twin(vm, TWIN_INT_NEW, 2, cls, x);
    if (value_is_intlike(x)) return int_exact(vm, x);
    if (value_is_float(x)) return int_from_double(vm, value_float(x));
    const TypeSlots *slots = &type_of(vm, x)->slots;
    if (slots->to_int) return slots->to_int(vm, x);
    if (slots->to_index) return slots->to_index(vm, x);
    const char *text;
    const uint8_t *bytes;
    size_t size;
    if (is_text(x, &text, &size)) return int_parse(vm, x, text, size, 10);
    if (bytes_view(vm, x, &bytes, &size)) return int_parse(vm, x, (const char *)bytes, size, 10);
    return raise_type(
        vm, "int() argument must be a string, a bytes-like object or a real number, not '%T'", x);
}

static Value from_text(GenVM *vm, Value x, Value base_value) {
    int64_t base = -1;
    if (!int_to_i64(base_value, &base) || (base != 0 && (base < 2 || base > 36)))
        return raise_value(vm, "int() base must be >= 2 and <= 36, or 0");
    const char *text;
    size_t size;
    if (!is_text(x, &text, &size))
        return raise_type(vm, "int() can't convert non-string with explicit base");
    return int_parse(vm, x, text, size, (int)base);
}

static Value construct(GenVM *vm, Value *args) {
    Value x = args[1], result;
    if (x == VALUE_UNSET) {
        if (args[2] != VALUE_UNSET) return raise_type(vm, "int() missing string argument");
        result = int_value(0);
    } else if (args[2] != VALUE_UNSET) {
        result = from_text(vm, x, args[2]);
    } else {
        result = from_object(vm, args[0], x);
    }
    if (result == VALUE_ERROR || result == VALUE_TAIL) return result;
    return int_of_class(vm, type_from(args[0]), result);
}

/* int(x) of what needs no conversion in script. */
static Value construct_fast(GenVM *vm, const Value *args, uint32_t count) {
    if (count != 2 || args[0] != object_value(vm->types[TYPE_INT])) return VALUE_UNSET;
    if (is_int(args[1])) return args[1];
    if (is_float(args[1])) return int_from_double(vm, as_float(args[1]));
    if (is_exact(args[1], TYPE_STR))
        return int_parse(vm, args[1], AS_STR(args[1])->data, AS_STR(args[1])->size, 10);
    return VALUE_UNSET;
}

static const NativeDef constructor = {"int(cls, x=?, /, base: int = ?)", construct,
                                      "Convert a number or string to an integer, or return 0 if no "
                                      "arguments are given. A string is read in the given\n"
                                      "base, 0 for the base that its prefix says."};

/* ---- the type ---- */

const BuiltinType int_type = {
    .name = "int",
    .base = TYPE_OBJECT,
    .flags = TYPE_MATCH_SELF,
    .size = sizeof(BigInt),
    .doc = "int([x]) -> integer\nint(x, base=10) -> integer\n\nAn integer of any size.",
    .construct = &constructor,
    .construct_fast = construct_fast,
    .methods = int_methods,
    .attributes = int_attributes,
    .slots = {.repr = repr,
              .format = format_int_spec,
              .hash = hash,
              .truth = truth,
              .binary = int_binary,
              .unary = unary,
              .compare = compare,
              .to_int = int_exact,
              .to_index = int_exact,
              .to_float = to_float},
};
