/* access.c - subscripts, len, `in`, iteration of any value. */
#include "vm/bind.h"
#include "vm/objects/containers.h"
#include "vm/operations.h"

/* ---- subscripts ---- */

Value value_getitem(GenVM *vm, Value object, Value key) {
    const Type *type = type_of(vm, object);
    Value method = type->special[SP_GETITEM];
    if (unlikely(method != VALUE_UNSET)) return special_call(vm, method, object, 1, key);
    if (likely(type->slots.getitem)) return type->slots.getitem(vm, object, key);
    return raise_type(vm, "'%T' object is not subscriptable", object);
}

static Value delete_item(GenVM *vm, const Type *type, Value object, Value key) {
    Value method = type->special[SP_DELITEM];
    if (method != VALUE_UNSET) return special_call(vm, method, object, 1, key);
    if (type->slots.setitem) return type->slots.setitem(vm, object, key, VALUE_UNSET);
    if (type->special[SP_SETITEM] != VALUE_UNSET)
        return raise_error(vm, EXC_ATTRIBUTE_ERROR, "__delitem__");
    return raise_type(vm, "'%T' object does%s support item deletion", object,
                      type->slots.getitem && !is_type(object) && value_is_intlike(key) ? "n't"
                                                                                       : " not");
}

Value value_setitem(GenVM *vm, Value object, Value key, Value value) {
    const Type *type = type_of(vm, object);
    if (value == VALUE_UNSET) return delete_item(vm, type, object, key);
    Value method = type->special[SP_SETITEM];
    if (unlikely(method != VALUE_UNSET)) return special_call(vm, method, object, 2, key, value);
    if (likely(type->slots.setitem)) return type->slots.setitem(vm, object, key, value);
    if (type->special[SP_DELITEM] != VALUE_UNSET)
        return raise_error(vm, EXC_ATTRIBUTE_ERROR, "__setitem__");
    return raise_type(vm, "'%T' object does not support item assignment", object);
}

/* ---- len and in ---- */

Value value_native_len(GenVM *vm, Value method, Value v) {
    if (!is_kind(method, TYPE_NATIVE_METHOD) || as_object(method)->flags & NATIVE_CLASSMETHOD)
        return VALUE_UNSET;
    NativeFunction *native = AS(NativeFunction, method);
    bool direct = native->header.state == 1 && is_pointer(v) &&
                  native->owner == vm->shapes[as_object(v)->shape].type;
    vm->callee = native;
    Value length = direct ? native->fn(vm, &v) : native_invoke(vm, native, &v, 1, VALUE_UNSET);
    if (length == VALUE_TAIL) native_drop_tail(vm);
    if (length == VALUE_ERROR || (is_int(length) && (int64_t)length >= 0)) return length;
    return VALUE_UNSET;
}

Value value_len(GenVM *vm, Value v) {
    const Type *type = type_of(vm, v);
    Value method = type->special[SP_LEN];
    if (unlikely(method != VALUE_UNSET)) {
        Value length = value_native_len(vm, method, v);
        return length != VALUE_UNSET ? length : special_checked(vm, SP_LEN, method, v);
    }
    if (likely(type->slots.len)) return type->slots.len(vm, v);
    return raise_type(vm, "object of type '%T' has no len()", v);
}

/* Does iter(v) find something: __iter__ or the sequence protocol. */
static bool is_iterable(const Type *type) {
    return type->special[SP_ITER] != VALUE_UNSET || type->slots.iter ||
           type->special[SP_GETITEM] != VALUE_UNSET ||
           (type->slots.getitem && type->instance_kind != TYPE_TYPE &&
            !(type->flags & TYPE_MAPPING));
}

Value value_contains(GenVM *vm, Value container, Value item) {
    const Type *type = type_of(vm, container);
    Value method = type->special[SP_CONTAINS];
    if (method == VALUE_NONE) return raise_type(vm, "'%T' object is not a container", container);
    if (unlikely(method != VALUE_UNSET)) return special_call(vm, method, container, 1, item);
    if (likely(type->slots.contains)) return type->slots.contains(vm, container, item);
    if (type->special[SP_ITER] != VALUE_NONE && is_iterable(type))
        return native_twin(vm, TWIN_CONTAINS, 2, container, item);
    return raise_type(vm, "argument of type '%T' is not a container or iterable", container);
}

/* ---- iteration ---- */

Value value_iter(GenVM *vm, Value v) {
    const Type *type = type_of(vm, v);
    Value method = type->special[SP_ITER];
    if (unlikely(method != VALUE_UNSET)) {
        if (method == VALUE_NONE) return raise_type(vm, "'%T' object is not iterable", v);
        return special_call(vm, method, v, 0);
    }
    if (likely(type->slots.iter)) return type->slots.iter(vm, v);
    if (is_iterable(type)) return sequence_iterator_new(vm, v);
    return raise_type(vm, "'%T' object is not iterable", v);
}

Value value_next(GenVM *vm, Value iterator) {
    const Type *type = type_of(vm, iterator);
    Value method = type->special[SP_NEXT];
    if (unlikely(method != VALUE_UNSET)) return special_call(vm, method, iterator, 0);
    if (likely(type->slots.next)) return type->slots.next(vm, iterator);
    return raise_type(vm, "'%T' object is not an iterator", iterator);
}

Value leaf_iter(GenVM *vm, Value iterable) {
    return value_iter(vm, iterable);
}
Value leaf_next(GenVM *vm, Value iterator) {
    return value_next(vm, iterator);
}

const Value *leaf_items(Value v, uint64_t *count) {
    if (is_exact(v, TYPE_LIST)) {
        *count = AS_LIST(v)->count;
        static const Value nothing[1] = {VALUE_UNSET};
        return AS_LIST(v)->items ? AS_LIST(v)->items : nothing;
    }
    if (!is_exact(v, TYPE_TUPLE)) return NULL;
    *count = AS_TUPLE(v)->count;
    return AS_TUPLE(v)->items;
}
