/* str_fast.c - the commonest calls of methods of str, by position and with str arguments, before
 * anything is bound (NativeFast). What they do not know they leave to the methods themselves.
 */
#include "vm/objects/text.h"

static inline bool is_call(const Value *args, uint32_t count, uint32_t wanted) {
    if (count != wanted || !value_is_str(args[0])) return false;
    for (uint32_t i = 1; i < wanted; i++)
        if (!value_is_str(args[i])) return false;
    return true;
}

/* ---- beginnings and ends ---- */

static Value fast_startswith(GenVM *vm, const Value *args, uint32_t count) {
    if (!is_call(args, count, 2)) return VALUE_UNSET;
    TextSpan text = str_span(args[0]), part = str_span(args[1]);
    if (!text_charge(vm, part.size / 16)) return VALUE_ERROR;
    return bool_value(part.size <= text.size && text_equal(text.data, part.data, part.size));
}

static Value fast_endswith(GenVM *vm, const Value *args, uint32_t count) {
    if (!is_call(args, count, 2)) return VALUE_UNSET;
    TextSpan text = str_span(args[0]), part = str_span(args[1]);
    if (part.size > text.size) return VALUE_FALSE;
    if (!text_charge(vm, part.size / 16)) return VALUE_ERROR;
    return bool_value(text_equal(text.data + text.size - part.size, part.data, part.size));
}

/* ---- white space ---- */

enum { LEFT = 1, RIGHT = 2 };

static inline Value stripped(GenVM *vm, const Value *args, uint32_t count, int sides) {
    if (!is_call(args, count, 1)) return VALUE_UNSET;
    TextSpan text = str_span(args[0]);
    if (!str_is_ascii(AS_STR(args[0]))) return VALUE_UNSET;
    if (!text_charge(vm, text.size)) return VALUE_ERROR;
    size_t start = 0, end = text.size;
    if (sides & LEFT)
        while (start < end && ascii_is(text.data[start], ASCII_TEXT_SPACE))
            start++;
    if (sides & RIGHT)
        while (start < end && ascii_is(text.data[end - 1], ASCII_TEXT_SPACE))
            end--;
    return str_sub(vm, args[0], start, end - start);
}

static Value fast_strip(GenVM *vm, const Value *args, uint32_t count) {
    return stripped(vm, args, count, LEFT | RIGHT);
}
static Value fast_lstrip(GenVM *vm, const Value *args, uint32_t count) {
    return stripped(vm, args, count, LEFT);
}
static Value fast_rstrip(GenVM *vm, const Value *args, uint32_t count) {
    return stripped(vm, args, count, RIGHT);
}

/* ---- by the methods, with the defaults filled in ---- */

static Value fast_split(GenVM *vm, const Value *args, uint32_t count) {
    if (!is_call(args, count, count == 1 ? 1 : 2)) return VALUE_UNSET;
    Value bound[] = {args[0], count == 1 ? VALUE_NONE : args[1], int_value(-1)};
    return str_split(vm, bound);
}

/* A method (self, part, start=None, stop=None). */
static inline Value searched(GenVM *vm, const Value *args, uint32_t count, NativeFn method) {
    if (!is_call(args, count, 2)) return VALUE_UNSET;
    Value bound[] = {args[0], args[1], VALUE_NONE, VALUE_NONE};
    return method(vm, bound);
}

static Value fast_find(GenVM *vm, const Value *args, uint32_t count) {
    return searched(vm, args, count, str_find);
}
static Value fast_rfind(GenVM *vm, const Value *args, uint32_t count) {
    return searched(vm, args, count, str_rfind);
}
static Value fast_index(GenVM *vm, const Value *args, uint32_t count) {
    return searched(vm, args, count, str_index);
}
static Value fast_count(GenVM *vm, const Value *args, uint32_t count) {
    return searched(vm, args, count, str_count);
}

static Value fast_replace(GenVM *vm, const Value *args, uint32_t count) {
    if (!is_call(args, count, 3)) return VALUE_UNSET;
    Value bound[] = {args[0], args[1], args[2], int_value(-1)};
    return str_replace(vm, bound);
}

const NativeFast str_fast_methods[] = {
    {"startswith", fast_startswith},
    {"endswith", fast_endswith},
    {"strip", fast_strip},
    {"lstrip", fast_lstrip},
    {"rstrip", fast_rstrip},
    {"split", fast_split},
    {"find", fast_find},
    {"rfind", fast_rfind},
    {"index", fast_index},
    {"count", fast_count},
    {"replace", fast_replace},
    {NULL, NULL},
};
