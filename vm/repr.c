/* repr.c - repr, str and format of any value. */
#include "vm/operations.h"

Value special_checked(GenVM *vm, Twin twin, Value raw, Value self) {
    Value method = raw;
    bool plain = is_kind(raw, TYPE_FUNCTION) ||
                 (is_kind(raw, TYPE_NATIVE_METHOD) && !(as_object(raw)->flags & NATIVE_CLASSMETHOD));
    if (!plain) {
        Value binder = twin_load(vm, TWIN_BIND_CALL);
        method = binder == VALUE_ERROR ? VALUE_ERROR : method_new(vm, binder, raw);
        if (method == VALUE_ERROR) return VALUE_ERROR;
    }
    return native_twin(vm, twin, 2, method, self);
}

Value value_repr(GenVM *vm, Value v) {
    const Type *type = type_of(vm, v);
    Value method = type->special[SP_REPR];
    if (unlikely(method != VALUE_UNSET)) return special_checked(vm, TWIN_CHECKED_REPR, method, v);
    return type->slots.repr(vm, v);
}

Value value_str(GenVM *vm, Value v) {
    if (is_exact(v, TYPE_STR)) return v;
    const Type *type = type_of(vm, v);
    Value method = type->special[SP_STR];
    if (unlikely(method != VALUE_UNSET)) return special_checked(vm, TWIN_CHECKED_STR, method, v);
    if (type->slots.str) return type->slots.str(vm, v);
    return value_repr(vm, v);
}

/* A text with everything outside ASCII escaped. */
Value repr_to_ascii(GenVM *vm, Value text) {
    const Str *str = AS_STR(text);
    if (str->header.flags & STR_ASCII) return text;
    StrBuilder builder;
    builder_init(&builder, vm);
    for (uint32_t i = 0; i < str->size;) {
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
        builder_put_format(&builder, c <= 0xFF ? "\\x%02x" : c <= 0xFFFF ? "\\u%04x" : "\\U%08x", c);
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

Value leaf_repr(GenVM *vm, Value v) { return value_repr(vm, v); }
Value leaf_str(GenVM *vm, Value v) { return value_str(vm, v); }

Value value_format(GenVM *vm, Value v, Value spec) {
    const Type *type = type_of(vm, v);
    Value method = type->special[SP_FORMAT];
    if (method != VALUE_UNSET) return native_twin(vm, TWIN_CHECKED_FORMAT, 3, method, v, spec);
    if (type->slots.format) return type->slots.format(vm, v, spec);
    Value raw = type_lookup(vm, (Type *)(uintptr_t)type, vm->special_names[SP_FORMAT]);
    bool of_object = !is_kind(raw, TYPE_NATIVE_METHOD) || AS(NativeFunction, raw)->owner == vm->types[TYPE_OBJECT];
    if (!of_object) return special_call(vm, raw, v, 1, spec);
    if (AS_STR(spec)->size == 0) return value_str(vm, v);
    return raise_type(vm, "unsupported format string passed to %T.__format__", v);
}
