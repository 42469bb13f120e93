/* objects.h - what the builtin types' files (vm/objects/) offer to the rest of the engine, a block
 * a file. Functions that return a Value return VALUE_ERROR, those that return a pointer NULL, with
 * an exception pending. None runs script code; where a value would need it they say so (VALUE_TAIL,
 * LEAF_SCRIPT).
 */
#ifndef GEN_OBJECTS_H
#define GEN_OBJECTS_H

#include <stdarg.h>

#include "vm/vm.h"

/* ---- str.c: text ---- */
Value str_new(GenVM *vm, const char *utf8,
              size_t size);                  /* valid UTF-8 (or WTF-8); short ones may be shared */
Value str_from(GenVM *vm, const char *text); /* of a C string */
Value str_format(GenVM *vm, const char *format, ...); /* formats as in error.h */
Value str_format_list(GenVM *vm, const char *format, va_list args);
Value str_from_char(GenVM *vm, uint32_t code_point);
Value str_intern(GenVM *vm, Value str); /* the one str of that text used for names */
Value str_intern_from(GenVM *vm, const char *utf8, size_t size);
/* The parts of an f-string, one behind the other: strs, and small ints and immediate floats, which
 * become text here. SystemError for anything else. */
Value str_join_parts(GenVM *vm, const Value *parts, uint64_t count);
Value str_concat(GenVM *vm, Value left,
                 Value right); /* extends left's buffer in place where it can */
Value str_slice(GenVM *vm, Value str, int64_t start,
                int64_t stop); /* code points, 0 <= start <= stop <= length */
Value str_decode_utf8(GenVM *vm, const char *data, size_t size, const char *errors); /* checks */
/* Is it a class whose instances are of that kind: TypeError. For natives of _engine. */
bool type_makes(GenVM *vm, Value cls, TypeId kind);
bool str_equal(Value a, Value b); /* both str */
bool str_is(Value str, const char *text);
int str_order(Value a, Value b); /* <0, 0, >0 by code point */
/* Charges for a comparison of two str that may be long. */
enum { STR_LONG = 4096 }; /* bytes, from which on comparisons are charged */
void str_spend(GenVM *vm, Value a, Value b);
static inline bool str_equal_charged(GenVM *vm, Value a, Value b) {
    if (unlikely(AS_STR(a)->size > STR_LONG)) str_spend(vm, a, b);
    return str_equal(a, b);
}
static inline int str_order_charged(GenVM *vm, Value a, Value b) {
    if (unlikely(AS_STR(a)->size > STR_LONG)) str_spend(vm, a, b);
    return str_order(a, b);
}
uint64_t str_hash(GenVM *vm, Value str);
const char *str_c(GenVM *vm,
                  Value str); /* NUL-terminated UTF-8, valid while str lives (or until the next call
                                 that copies: at most a few are kept); NULL on no memory. For names
                                 that cannot hold a NUL, and where the size is asked too */
const char *str_c_whole(GenVM *vm, Value str); /* as str_c, for what a C function takes: ValueError
                                                  and NULL where it would end at a NUL inside */
bool str_c_or_none(GenVM *vm, Value v,
                   const char **text); /* as str_c_whole for a str; None and
                          VALUE_UNSET give NULL; false with an exception pending */
Value str_repr(GenVM *vm, Value str);
bool str_init(GenVM *vm); /* the shared strings and the intern table: before any other function
                             here; needs hash_key */
void str_free(GenVM *vm); /* with the heap, at the end of the VM */
void str_sweep_interned(GenVM *vm, bool full); /* the collector's, between marking and sweeping:
                                       interned strings are held weakly */

/* Text under construction, in C memory: init, put..., then finish (makes the str) or drop. Failure
 * is sticky. */
typedef struct StrBuilder {
    GenVM *vm;
    char *data;
    size_t size, capacity; /* up to which it is filled without a further look */
    size_t room;           /* allocated */
    bool failed;           /* an exception is pending, or the task stops */
    bool looks;            /* at the deadline, now and then */
    char inline_data[256];
} StrBuilder;
void builder_init(StrBuilder *builder, GenVM *vm);
/* For work that has no effect but its result: when the deadline comes, the builder fails, and the
 * instruction is made anew (native_look). */
void builder_init_work(StrBuilder *builder, GenVM *vm);
bool builder_put(StrBuilder *builder, const char *data, size_t size);
bool builder_put_c(StrBuilder *builder, const char *text);
bool builder_put_byte(StrBuilder *builder, char c);
bool builder_put_char(StrBuilder *builder, uint32_t code_point);
bool builder_put_str(StrBuilder *builder, Value str);
bool builder_put_format(StrBuilder *builder, const char *format, ...);
Value builder_finish(StrBuilder *builder);       /* str; frees the builder */
Value builder_finish_bytes(StrBuilder *builder); /* bytes; frees the builder */
void builder_drop(StrBuilder *builder);

/* ---- format.c: the format mini-language, % formatting, str.format ---- */
Value format_value(GenVM *vm, Value v,
                   Value spec_str); /* format(v, spec) of builtin values, else VALUE_TAIL */
Value format_percent(GenVM *vm, Value format_str,
                     Value args); /* str % args; VALUE_TAIL where elements need script */
Value format_int_spec(GenVM *vm, Value v,
                      Value spec); /* the __format__ of int, float, complex, str */
Value format_float_spec(GenVM *vm, Value v, Value spec);
Value format_complex_spec(GenVM *vm, Value v, Value spec);
Value format_str_spec(GenVM *vm, Value v, Value spec);

/* ---- bytes.c ---- */
Value bytes_new(GenVM *vm, const void *data, size_t size); /* data may be NULL: zeroed */
Value bytes_work(GenVM *vm, const void *data,
                 size_t size); /* the same with native_look, size > 0 */
Value bytes_like_work(GenVM *vm, Value self, const void *data, size_t size); /* as bytes_like */
Value bytearray_work(GenVM *vm, const void *data, size_t size);              /* size > 0 */
/* The bytes of any bytes-like object (bytes, bytearray, contiguous memoryview). False (no
 * exception) if it is none. */
bool bytes_view(GenVM *vm, Value v, const uint8_t **data, size_t *size);

/* ---- int.c: integers of any size ---- */
Value int_from_i64(GenVM *vm, int64_t i);
Value int_from_u64(GenVM *vm, uint64_t i);
Value int_from_double(GenVM *vm, double d); /* truncates; OverflowError/ValueError for inf/nan */
Value int_from_text(GenVM *vm, const char *digits, size_t size,
                    int base);          /* as int(s, base): sign, underscores,
    surrounding space; VALUE_UNSET (no exception) when malformed */
bool int_to_i64(Value v, int64_t *out); /* int or bool; false (no exception) when it does not fit */
bool int_to_u64_mask(Value v, uint64_t *out); /* low 64 bits, two's complement */
double int_to_double(GenVM *vm, Value v, bool *overflow);
Value int_binary(GenVM *vm, BinaryOp op, Value left,
                 Value right); /* ints and bools of any size; NotImplemented else */
Value int_power_mod(GenVM *vm, Value base, Value exponent, Value modulus);
Value int_negate(GenVM *vm, Value v);
int int_order(Value a, Value b); /* both intlike */
int int_sign(Value v);
bool int_is_odd(Value v);
uint64_t int_hash(Value v); /* equal to float_hash of an equal float */
Value int_repr(GenVM *vm,
               Value v); /* decimal; ValueError beyond the digit limit (4300, as CPython) */
size_t int_bit_length(Value v);
Value int_round(GenVM *vm, Value v, Value ndigits_or_none); /* round(v, ndigits), both intlike */
int64_t int_digit_limit(GenVM *vm);                         /* of decimal text; 0: none */
bool int_set_digit_limit(GenVM *vm, int64_t limit);         /* false: ValueError */

/* ---- float.c, complex.c ---- */
Value float_value(GenVM *vm, double d); /* immediate where it can be */
Value float_box(GenVM *vm, double d);   /* the cold half of float_value */
uint64_t float_hash(double d);
Value float_round(GenVM *vm, double d, Value ndigits_or_none); /* round(d, ndigits) */
Value float_repr(GenVM *vm, double d);     /* shortest text that reads back as d */
size_t float_repr_to(char *out, double d); /* the same into at least 40 bytes; returns the length */
Value float_binary(GenVM *vm, BinaryOp op, Value left, Value right);
bool float_parse(const char *text, size_t size,
                 double *out); /* as float(s): spaces, inf, nan, underscores */
bool number_to_double(GenVM *vm, Value v,
                      double *out); /* float, int, bool; false (OverflowError pending, or none when
                                        v is no number: check vm->exception) */
Value complex_new(GenVM *vm, double real, double imaginary);
bool complex_parts(Value v, double *real, double *imaginary); /* complex only */

/* What is put into a list, a tuple or a dict of string keys may be VALUE_ERROR, as a function that
 * makes the item returns it: then these fail, too. */

/* ---- list.c, tuple.c ---- */
Value list_new(GenVM *vm, uint64_t capacity);
Value list_from_array(GenVM *vm, const Value *items, uint64_t count);
bool list_append(GenVM *vm, Value list, Value item);
/* list[start], list[start + step], ... : `count` of them, all there */
Value list_get_range(GenVM *vm, List *list, int64_t start, int64_t step, int64_t count);
/* ... replaced by `new_count` items, which are not the list's own: None, or VALUE_ERROR */
Value list_set_range(GenVM *vm, List *list, int64_t start, int64_t step, int64_t count,
                     const Value *items, uint64_t new_count);
bool list_reserve(GenVM *vm, List *list, uint64_t capacity);
Value tuple_new(GenVM *vm,
                uint64_t count); /* items VALUE_UNSET: fill before anything else can see it */
Value tuple_from_array(GenVM *vm, const Value *items, uint64_t count);
Value tuple_pack(GenVM *vm, int count, ...);
Value list_to_tuple(GenVM *vm, Value list);

/* ---- dict.c ---- */
Value dict_new(GenVM *vm);
/* String keys (by far the most): exact, fast, never script. */
Value dict_get_str(GenVM *vm, Dict *dict, Value key); /* value or VALUE_UNSET; key any str */
bool dict_set_str(GenVM *vm, Dict *dict, Value key, Value value);
bool dict_delete_str(GenVM *vm, Dict *dict, Value key);  /* false when absent (no exception) */
int64_t dict_find_str(GenVM *vm, Dict *dict, Value key); /* entry number or -1 */
/* Any key. *found: LEAF_TRUE/FALSE/ERROR/SCRIPT. */
Leaf dict_get(GenVM *vm, Dict *dict, Value key, Value *value);
Leaf dict_set(GenVM *vm, Dict *dict, Value key, Value value); /* LEAF_TRUE when stored */
Leaf dict_delete(GenVM *vm, Dict *dict, Value key);           /* LEAF_FALSE when absent */
bool dict_next(Dict *dict, uint32_t *position, Value *key,
               Value *value); /* iterate: position starts at 0 */
Value dict_copy(GenVM *vm, Dict *dict);
void dict_clear(GenVM *vm, Dict *dict);
Leaf dict_merge(GenVM *vm, Dict *target, Value source, bool override); /* a dict source */

/* ---- set.c ---- */
Value set_new(GenVM *vm, TypeId kind); /* TYPE_SET or TYPE_FROZENSET */
Leaf set_add(GenVM *vm, Value set, Value item);
Leaf set_contains(GenVM *vm, Value set, Value item);

/* ---- range.c, slice.c, iterators.c ---- */
/* iter(range(...)) of small ints, without the range; VALUE_UNSET: of other arguments, or wrong
 * ones. */
Value range_iterator_of_call(GenVM *vm, const Value *args, uint32_t count);
Value range_new(GenVM *vm, Value start, Value stop, Value step);
Value slice_new(GenVM *vm, Value start, Value stop, Value step);
/* start, stop, step of a slice over `length` items, clamped; *count items result. Indices are ints,
 * None, or (with
 * __index__) VALUE_TAIL territory: LEAF_SCRIPT. */
/* The same for bounds that are small ints or None, and a step other than 0; false for all else. */
bool slice_plain_indices(Value from, Value to, Value by, int64_t length, int64_t *start,
                         int64_t *step, int64_t *count);
Leaf slice_indices(GenVM *vm, Value slice, int64_t length, int64_t *start, int64_t *stop,
                   int64_t *step, int64_t *count);
/* An index of a sequence of `length` items from an int value: negative counts from the end. False:
 * IndexError with "TYPE index out of range" is pending, or TypeError "TYPE indices must be integers
 * or slices, not X". */
bool sequence_index(GenVM *vm, Value key, int64_t length, const char *type, int64_t *index);

/* ---- function.c, method.c, cell.c, module.c ---- */
Value method_new(GenVM *vm, Value function, Value self);
Value cell_new(GenVM *vm, Value value);
typedef struct Quitter { /* the builtins exit and quit */
    Object header;
    Value name;
} Quitter;
/* A function of `code` in `globals`: defaults, closure and the rest empty; header.state is set from
 * the code (functions with more than 250 registers are FUNCTION_COMPLEX too). */
struct Code;
Function *function_new(GenVM *vm, struct Code *code, Dict *globals);
Value generator_close_method(GenVM *vm, Value *args);
Value generator_throw_method(GenVM *vm, Value *args);
Value generator_send_method(GenVM *vm, Value *args); /* send(): the interpreter knows it */
Value generic_alias_method(
    GenVM *vm, Value *args); /* a NativeFn: __class_getitem__(cls, item) -> types.GenericAlias */
Value module_new(GenVM *vm, Value name);
Value union_members(GenVM *vm, Value union_type); /* tuple */
extern const NativeDef class_build_def;           /* __build_class__ */

/* ---- compare.c, repr.c, hash.c: operations on any value (see also native.h's leaf_ functions)
 * ---- */
Value value_repr(GenVM *vm, Value v); /* may be VALUE_TAIL, as any of these */
Value value_str(GenVM *vm, Value v);
Value value_ascii(GenVM *vm, Value v);
Value value_hash(GenVM *vm, Value v);  /* int */
Value value_truth(GenVM *vm, Value v); /* True or False */
Value value_len(GenVM *vm, Value v);   /* int */
/* len(v) by a native method that a class has as its __len__; VALUE_UNSET: it is no such method, or
 * its answer is to be checked. */
Value value_native_len(GenVM *vm, Value method, Value v);
Value value_contains(GenVM *vm, Value container, Value item); /* True or False */
Value value_iter(GenVM *vm, Value v);
Value value_next(
    GenVM *vm,
    Value iterator); /* the item, or VALUE_END; from script's __next__, StopIteration is raised */
Value value_unary(GenVM *vm, Special op, Value v);  /* SP_NEG, SP_POS, SP_INVERT, SP_ABS */
Value value_index(GenVM *vm, Value v);              /* int, by __index__ where needed */
Value value_format(GenVM *vm, Value v, Value spec); /* format(v, spec) */
/* The order of two ints, charged where they are huge. */
int compare_ints(GenVM *vm, Value a, Value b);
Value value_compare(GenVM *vm, CompareOp op, Value a,
                    Value b); /* rich comparison: any value, TAIL possible */
Value value_binary(GenVM *vm, BinaryOp op, Value a, Value b, bool inplace);
Value value_getitem(GenVM *vm, Value object, Value key);
Value value_setitem(GenVM *vm, Value object, Value key,
                    Value value); /* VALUE_UNSET deletes; returns None */

#endif
