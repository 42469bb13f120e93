/* repr.c - repr, str and format of any value. */
#include "vm/frame.h"
#include "vm/operations.h"

static Value then_check(GenVM *vm, Special special, Value answer) {
    if (answer != VALUE_TAIL) return answer;
    vm->tail.then = RETURN_CHECKED;
    vm->tail.then_values[0] = int_value(special);
    vm->tail.then_values[1] = vm->tail.then_values[2] = vm->tail.then_values[3] = VALUE_UNSET;
    return VALUE_TAIL;
}

Value special_checked(GenVM *vm, Special special, Value raw, Value self) {
    return then_check(vm, special, special_call(vm, raw, self, 0));
}

static Value check_len(GenVM *vm, Value length) {
    if (!value_is_intlike(length)) return then_check(vm, SP_LEN, value_index(vm, length));
    int64_t i;
    if (int_sign(length) < 0) return raise_value(vm, "__len__() should return >= 0");
    if (!int_to_i64(length, &i))
        return raise_overflow(vm, "cannot fit '%T' into an index-sized integer", length);
    return int_from_i64(vm, i);
}

Value special_check(GenVM *vm, Special special, Value result) {
    switch ((int)special) {
    case SP_REPR:
    case SP_STR:
        if (value_is_str(result)) return result;
        return raise_type(vm, "%S returned non-string (type %T)", vm->special_names[special],
                          result);
    case SP_FORMAT:
        if (value_is_str(result)) return result;
        return raise_type(vm, "__format__ must return a str, not %T", result);
    case SP_INDEX:
        if (value_is_intlike(result)) return result;
        return raise_type(vm, "__index__ returned non-int (type %T)", result);
    case SP_HASH: return hash_of_result(vm, result);
    case SP_LEN: return check_len(vm, result);
    default: return result;
    }
}

Value value_repr(GenVM *vm, Value v) {
    const Type *type = type_of(vm, v);
    Value method = type->special[SP_REPR];
    if (unlikely(method != VALUE_UNSET)) return special_checked(vm, SP_REPR, method, v);
    return type->slots.repr(vm, v);
}

Value value_str(GenVM *vm, Value v) {
    if (is_exact(v, TYPE_STR)) return v;
    const Type *type = type_of(vm, v);
    Value method = type->special[SP_STR];
    if (unlikely(method != VALUE_UNSET)) return special_checked(vm, SP_STR, method, v);
    if (type->slots.str) return type->slots.str(vm, v);
    return value_repr(vm, v);
}

/* A text with everything outside ASCII escaped. */
Value repr_to_ascii(GenVM *vm, Value text) {
    const Str *str = AS_STR(text);
    if (str->header.flags & STR_ASCII) return text;
    StrBuilder builder;
    builder_init_work(&builder, vm);
    for (uint32_t i = 0; i < str->size && !builder.failed;) {
        const unsigned char *at = (const unsigned char *)str->data + i;
        if (at[0] < 0x80) {
            builder_put_byte(&builder, (char)at[0]);
            i++;
            continue;
        }
        int size = at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
        uint32_t c = at[0] & (0x7Fu >> size);
        for (int j = 1; j < size; j++)
            c = c << 6 | (at[j] & 63);
        builder_put_format(&builder,
                           c <= 0xFF     ? "\\x%02x"
                           : c <= 0xFFFF ? "\\u%04x"
                                         : "\\U%08x",
                           c);
        i += (uint32_t)size;
    }
    return builder_finish(&builder);
}

Value value_ascii(GenVM *vm, Value v) {
    Value text = value_repr(vm, v);
    if (text == VALUE_ERROR) return VALUE_ERROR;
    if (text != VALUE_TAIL) return repr_to_ascii(vm, text);
    native_drop_tail(vm);
    return native_twin(vm, TWIN_ASCII, 1, v);
}

Value leaf_repr(GenVM *vm, Value v) {
    return value_repr(vm, v);
}
Value leaf_str(GenVM *vm, Value v) {
    return value_str(vm, v);
}

Value value_format(GenVM *vm, Value v, Value spec) {
    const Type *type = type_of(vm, v);
    Value method = type->special[SP_FORMAT];
    if (method != VALUE_UNSET)
        return then_check(vm, SP_FORMAT, special_call(vm, method, v, 1, spec));
    if (type->slots.format) return type->slots.format(vm, v, spec);
    Value raw = type_lookup(vm, (Type *)(uintptr_t)type, vm->special_names[SP_FORMAT]);
    bool of_object = !is_kind(raw, TYPE_NATIVE_METHOD) ||
                     AS(NativeFunction, raw)->owner == vm->types[TYPE_OBJECT];
    if (!of_object) return special_call(vm, raw, v, 1, spec);
    if (AS_STR(spec)->size == 0) return value_str(vm, v);
    return raise_type(vm, "unsupported format string passed to %T.__format__", v);
}
