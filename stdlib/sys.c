/* sys.c - the module sys and the standard streams. */
#include "stdlib/init.h"
#include "vm/file.h"
#include "vm/frame.h"
#include "vm/genvm.h"
#include "vm/objects.h"

static bool set(GenVM *vm, Dict *dict, const char *name, Value v) {
    Value key = str_intern_from(vm, name, strlen(name));
    return v != VALUE_ERROR && key != VALUE_ERROR && dict_set_str(vm, dict, key, v);
}

static Value sys_getrecursionlimit(GenVM *vm, Value *args) {
    return (void)args, int_value((int64_t)vm->recursion_limit);
}

static Value sys_setrecursionlimit(GenVM *vm, Value *args) {
    if (as_int(args[0]) < 1) return raise_value(vm, "recursion limit must be greater or equal than 1");
    vm->recursion_limit = (uint64_t)as_int(args[0]);
    frame_reset_limit(vm);
    return VALUE_NONE;
}

static Value sys_exc_info(GenVM *vm, Value *args) {
    (void)args;
    if (vm->handled == VALUE_UNSET || vm->handled == VALUE_NONE) return tuple_pack(vm, 3, VALUE_NONE, VALUE_NONE, VALUE_NONE);
    Value traceback = AS(Exception, vm->handled)->traceback;
    return tuple_pack(vm, 3, object_value(type_of(vm, vm->handled)), vm->handled,
                      traceback == VALUE_UNSET ? VALUE_NONE : traceback);
}

static Value sys_exception(GenVM *vm, Value *args) {
    (void)args;
    return vm->handled == VALUE_UNSET ? VALUE_NONE : vm->handled;
}

static Value sys_intern(GenVM *vm, Value *args) { return str_intern(vm, args[0]); }

static Value sys_exit(GenVM *vm, Value *args) {
    bool nothing = args[0] == VALUE_UNSET || args[0] == VALUE_NONE;
    Value tuple = nothing ? vm->empty_tuple : is_kind(args[0], TYPE_TUPLE) ? args[0] : tuple_pack(vm, 1, args[0]);
    return tuple == VALUE_ERROR ? VALUE_ERROR : raise_with_args(vm, EXC_SYSTEM_EXIT, tuple);
}

static Value sys_get_int_max_str_digits(GenVM *vm, Value *args) { return (void)args, int_value(int_digit_limit(vm)); }

static Value sys_set_int_max_str_digits(GenVM *vm, Value *args) {
    return int_set_digit_limit(vm, as_int(args[0])) ? VALUE_NONE : VALUE_ERROR;
}

static const NativeDef functions[] = {
    {"get_int_max_str_digits()", sys_get_int_max_str_digits, "The most decimal digits that ints are read or written with."},
    {"set_int_max_str_digits(maxdigits: size)", sys_set_int_max_str_digits,
     "Set the most decimal digits that ints are read or written with; 0: any number."},
    {"exc_info()", sys_exc_info, "(type, value, traceback) of the exception being handled."},
    {"exception()", sys_exception, "The exception being handled, or None."},
    {"exit(status=?, /)", sys_exit, "Raise SystemExit(status)."},
    {"getrecursionlimit()", sys_getrecursionlimit, "How many calls may be nested."},
    {"intern(string: str, /)", sys_intern, "The one string of that text that is used for names."},
    {"setrecursionlimit(limit: size, /)", sys_setrecursionlimit, "Set how many calls may be nested."},
    {NULL, NULL, NULL},
};

/* The builtin open(), which is the library's, not the engine's. */
static bool add_open(GenVM *vm) {
    Value open = native_function_new(vm, &file_open_def, VALUE_UNSET, str_intern_from(vm, "_io", 3));
    return set(vm, vm->builtins, "open", open);
}

bool sys_init(GenVM *vm) {
    Value name = name_value(vm, NAME_sys), module = module_new(vm, name);
    if (module == VALUE_ERROR) return false;
    if (!add_open(vm)) return false;
    vm->sys_module = module;
    Dict *dict = AS(Module, module)->dict;
    for (const NativeDef *def = functions; def->signature; def++) {
        Value function = native_function_new(vm, def, VALUE_UNSET, name);
        if (function == VALUE_ERROR || !dict_set_str(vm, dict, AS(NativeFunction, function)->name, function)) return false;
    }
    return set(vm, dict, "modules", object_value(vm->modules)) && set(vm, dict, "path", list_new(vm, 0)) &&
           set(vm, dict, "argv", list_new(vm, 0)) && set(vm, dict, "stdout", file_new_stream(vm, 1)) &&
           set(vm, dict, "stderr", file_new_stream(vm, 2)) && set(vm, dict, "stdin", file_new_stream(vm, 0)) &&
           set(vm, dict, "maxsize", int_from_i64(vm, INT64_MAX)) && set(vm, dict, "byteorder", str_from(vm, "little")) &&
           set(vm, dict, "platform", str_from(vm, "linux")) && dict_set_str(vm, vm->modules, name, module);
}
