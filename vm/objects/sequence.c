/* sequence.c - what the subscripts and the operators + and * of str, bytes and bytearray have in
 * common.
 *
 * An index or a factor may be any object with __index__, which may need script code; then the
 * caller goes to a twin that turns it into an int and tries again.
 */
#include "vm/objects/text.h"

bool text_has_index(GenVM *vm, Value v) {
    return type_special(vm, v, SP_INDEX) != VALUE_UNSET || type_of(vm, v)->slots.to_index;
}

bool text_defers_to(GenVM *vm, Value other, Special special) {
    Value method = type_special(vm, other, special);
    return method != VALUE_UNSET && method != VALUE_NONE;
}

Leaf text_index(GenVM *vm, Value key, int64_t length, const char *range_message,
                const char *type_message, int64_t *index) {
    if (likely(is_int(key))) {
        *index = as_int(key);
    } else if (!value_is_intlike(key)) {
        if (text_has_index(vm, key)) return LEAF_SCRIPT;
        raise_type(vm, type_message, key);
        return LEAF_ERROR;
    } else if (!int_to_i64(key, index)) {
        raise_index(vm, "cannot fit '%T' into an index-sized integer", key);
        return LEAF_ERROR;
    }
    if (*index < 0) *index += length;
    if (likely(*index >= 0 && *index < length)) return LEAF_TRUE;
    raise_index(vm, "%s", range_message);
    return LEAF_ERROR;
}

Leaf text_factor(GenVM *vm, Value v, int64_t *times) {
    if (likely(is_int(v))) {
        *times = as_int(v);
        return LEAF_TRUE;
    }
    if (text_defers_to(vm, v, SP_RMUL)) return LEAF_FALSE;
    if (!value_is_intlike(v)) {
        if (text_has_index(vm, v)) return LEAF_SCRIPT;
        raise_type(vm, "can't multiply sequence by non-int of type '%T'", v);
        return LEAF_ERROR;
    }
    if (int_to_i64(v, times)) return LEAF_TRUE;
    raise_overflow(vm, "cannot fit '%T' into an index-sized integer", v);
    return LEAF_ERROR;
}

Value text_builtin(GenVM *vm, const char *name) {
    Value key = str_intern_from(vm, name, strlen(name));
    if (key == VALUE_ERROR) return key;
    Value v = dict_get_str(vm, vm->builtins, key);
    return v == VALUE_UNSET ? raise_error(vm, EXC_NAME_ERROR, "name '%s' is not defined", name) : v;
}
