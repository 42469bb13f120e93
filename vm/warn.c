/* warn.c - warnings from C: calls of stdlib/prelude/warning.gen. */
#include "vm/warn.h"
#include "vm/engine_module.h"
#include "vm/objects.h"

Value warn_then(GenVM *vm, TypeId category, const char *message, Value result) {
    Value text = str_from(vm, message);
    if (text == VALUE_ERROR) return VALUE_ERROR;
    return native_twin(vm, TWIN_WARN_THEN, 3, text, object_value(vm->types[category]), result);
}

bool warn_is_pending(GenVM *vm) {
    return is_kind(vm->roots[ROOT_WARNINGS], TYPE_LIST);
}

Value warn_compiled(GenVM *vm, Value code) {
    if (likely(!warn_is_pending(vm)) || code == VALUE_ERROR) return code;
    return native_twin(vm, TWIN_WARN_COMPILED, 1, code);
}

/* What the compiler has left, as a list. */
static Value take_warnings(GenVM *vm, Value *args) {
    (void)args;
    Value list = vm->roots[ROOT_WARNINGS];
    vm->roots[ROOT_WARNINGS] = VALUE_UNSET;
    return is_kind(list, TYPE_LIST) ? list : list_new(vm, 0);
}

const NativeDef engine_warn_natives[] = {
    {"take_warnings()", take_warnings, "What the compiler has to warn of."},
    {0},
};
