/* sys.c - the module sys and the standard streams.
 *
 * What most scripts never look at (version_info, flags, float_info, ...) is made by
 * stdlib/prelude/system.gen when it is first asked for, through the module's __getattr__: starting
 * a VM stays cheap.
 */
#include "stdlib/init.h"
#include "stdlib/modules.h"
#include "stdlib/frozen.h"
#include "vm/file.h"
#include "vm/frame.h"
#include "vm/frame_object.h"
#include "vm/genvm.h"
#include "vm/objects.h"
#include "vm/shared.h"
#include "vm/sizeof.h"

#include <unistd.h>

static bool set(GenVM *vm, Dict *dict, const char *name, Value v) {
    Value key = str_intern_from(vm, name, strlen(name));
    return v != VALUE_ERROR && key != VALUE_ERROR && dict_set_str(vm, dict, key, v);
}

static Value sys_getrecursionlimit(GenVM *vm, Value *args) {
    return (void)args, int_value((int64_t)vm->recursion_limit);
}

static Value sys_setrecursionlimit(GenVM *vm, Value *args) {
    if (as_int(args[0]) < 1)
        return raise_value(vm, "recursion limit must be greater or equal than 1");
    vm->recursion_limit = (uint64_t)as_int(args[0]);
    frame_reset_limit(vm);
    return VALUE_NONE;
}

static Value sys_exc_info(GenVM *vm, Value *args) {
    (void)args;
    if (vm->handled == VALUE_UNSET || vm->handled == VALUE_NONE)
        return tuple_pack(vm, 3, VALUE_NONE, VALUE_NONE, VALUE_NONE);
    Value traceback = AS(Exception, vm->handled)->traceback;
    return tuple_pack(vm, 3, object_value(type_of(vm, vm->handled)), vm->handled,
                      traceback == VALUE_UNSET ? VALUE_NONE : traceback);
}

static Value sys_exception(GenVM *vm, Value *args) {
    (void)args;
    return vm->handled == VALUE_UNSET ? VALUE_NONE : vm->handled;
}

static Value sys_intern(GenVM *vm, Value *args) {
    return str_intern(vm, args[0]);
}

static Value sys_exit(GenVM *vm, Value *args) {
    bool nothing = args[0] == VALUE_UNSET || args[0] == VALUE_NONE;
    Value tuple = nothing                        ? vm->empty_tuple
                  : is_kind(args[0], TYPE_TUPLE) ? args[0]
                                                 : tuple_pack(vm, 1, args[0]);
    return tuple == VALUE_ERROR ? VALUE_ERROR : raise_with_args(vm, EXC_SYSTEM_EXIT, tuple);
}

static Value sys_get_int_max_str_digits(GenVM *vm, Value *args) {
    return (void)args, int_value(int_digit_limit(vm));
}

static Value sys_set_int_max_str_digits(GenVM *vm, Value *args) {
    return int_set_digit_limit(vm, as_int(args[0])) ? VALUE_NONE : VALUE_ERROR;
}

static Value sys_getsizeof(GenVM *vm, Value *args) {
    Type *type = type_of(vm, args[0]);
    Value method = type->is_builtin ? VALUE_UNSET
                                    : type_lookup(vm, type, str_intern_from(vm, "__sizeof__", 10));
    if (is_kind(method, TYPE_FUNCTION)) return native_call(vm, method, 1, args[0]);
    return int_value((int64_t)value_memory(vm, args[0]));
}

static Value sys_getframe(GenVM *vm, Value *args) {
    Value frame = as_int(args[0]) < 0 ? frame_object_of_caller(vm, 0)
                                      : frame_object_of_caller(vm, as_int(args[0]));
    return frame == VALUE_UNSET ? raise_value(vm, "call stack is not deep enough") : frame;
}

static Value sys_get_origin_depth(GenVM *vm, Value *args) {
    return (void)args, int_value((int64_t)vm->origin_depth);
}
static Value sys_set_origin_depth(GenVM *vm, Value *args) {
    if (as_int(args[0]) < 0) return raise_value(vm, "depth must be >= 0");
    vm->origin_depth = (uint64_t)as_int(args[0]);
    return VALUE_NONE;
}

static Value sys_getdefaultencoding(GenVM *vm, Value *args) {
    return (void)args, str_from(vm, "utf-8");
}
static Value sys_getfilesystemencodeerrors(GenVM *vm, Value *args) {
    return (void)args, str_from(vm, "surrogateescape");
}
static Value sys_is_finalizing(GenVM *vm, Value *args) {
    return (void)args, bool_value(vm->finalizing);
}
static Value sys_is_interned(GenVM *vm, Value *args) {
    (void)vm;
    return bool_value(as_object(args[0])->flags & STR_INTERNED);
}
static Value sys_audit(GenVM *vm, Value *args) {
    return (void)vm, (void)args, VALUE_NONE;
}

enum { SWITCH_INTERVAL = 5000 }; /* microseconds, to begin with */

static Value sys_getswitchinterval(GenVM *vm, Value *args) {
    uint64_t interval = vm->switch_interval ? vm->switch_interval - 1 : SWITCH_INTERVAL;
    return (void)args, float_value(vm, 1e-6 * (double)interval);
}

static Value sys_setswitchinterval(GenVM *vm, Value *args) {
    double seconds = value_float(args[0]);
    if (!(seconds > 0)) return raise_value(vm, "switch interval must be strictly positive");
    vm->switch_interval = 1 + (uint64_t)(seconds >= 1e12 ? 1e18 : seconds * 1e6);
    return VALUE_NONE;
}

static Value sys_no_hook(GenVM *vm, Value *args) {
    return (void)vm, (void)args, VALUE_NONE;
}

static Value sys_displayhook(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_SYS_DISPLAYHOOK, 1, args[0]);
}
static Value sys_excepthook(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_SYS_EXCEPTHOOK, 3, args[0], args[1], args[2]);
}
static Value sys_unraisablehook(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_SYS_UNRAISABLEHOOK, 1, args[0]);
}
static Value sys_getattr(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_SYS_ATTRIBUTE, 1, args[0]);
}
static Value sys_dir(GenVM *vm, Value *args) {
    return (void)args, native_twin(vm, TWIN_SYS_NAMES, 0);
}

static const NativeDef functions[] = {
    {"__dir__()", sys_dir, NULL},
    {"__getattr__(name: str, /)", sys_getattr, NULL},
    {"get_coroutine_origin_tracking_depth()", sys_get_origin_depth,
     "How many frames of their makers coroutines note."},
    {"set_coroutine_origin_tracking_depth(depth: index)", sys_set_origin_depth,
     "Let coroutines note their makers in cr_origin: so many frames; 0 for none."},
    {"_getframe(depth: index = 0, /)", sys_getframe, "Return a frame object from the call stack."},
    {"_is_interned(string: str, /)", sys_is_interned,
     "Return True if the given string is interned."},
    {"audit(event: str, /, *args)", sys_audit, "Passes the event to any hooks that are attached."},
    {"displayhook(object, /)", sys_displayhook,
     "Print an object to sys.stdout and also save it in builtins._"},
    {"exc_info()", sys_exc_info, "(type, value, traceback) of the exception being handled."},
    {"excepthook(exctype, value, traceback, /)", sys_excepthook,
     "Handle an exception by displaying it with a traceback on sys.stderr."},
    {"exception()", sys_exception, "The exception being handled, or None."},
    {"exit(status=?, /)", sys_exit, "Raise SystemExit(status)."},
    {"getdefaultencoding()", sys_getdefaultencoding,
     "Return the current default encoding used by the Unicode implementation."},
    {"getfilesystemencodeerrors()", sys_getfilesystemencodeerrors,
     "Return the error mode used for Unicode to OS filename conversion."},
    {"getfilesystemencoding()", sys_getdefaultencoding,
     "Return the encoding used to convert Unicode filenames to OS filenames."},
    {"get_int_max_str_digits()", sys_get_int_max_str_digits,
     "The most decimal digits that ints are read or written with."},
    {"getprofile()", sys_no_hook, "Return the profiling function: there is none."},
    {"getrecursionlimit()", sys_getrecursionlimit, "How many calls may be nested."},
    {"getsizeof(object, default=?)", sys_getsizeof,
     "The size of object in bytes, with its own storage."},
    {"getswitchinterval()", sys_getswitchinterval, "What setswitchinterval was told; seconds."},
    {"gettrace()", sys_no_hook, "Return the global debug tracing function: there is none."},
    {"intern(string: str, /)", sys_intern, "The one string of that text that is used for names."},
    {"is_finalizing()", sys_is_finalizing, "Return True if Python is exiting."},
    {"set_int_max_str_digits(maxdigits: size)", sys_set_int_max_str_digits,
     "Set the most decimal digits that ints are read or written with; 0: any number."},
    {"setrecursionlimit(limit: size, /)", sys_setrecursionlimit,
     "Set how many calls may be nested."},
    {"setswitchinterval(interval: float, /)", sys_setswitchinterval,
     "Set how long a thread runs before another gets its turn. It is noted, no more: threads take "
     "turns after a number of instructions."},
    {"unraisablehook(unraisable, /)", sys_unraisablehook, "Handle an unraisable exception."},
    {NULL, NULL, NULL},
};

const SharedLibrary *shared_library(void) {
    static const SharedLibrary library = {.open = &file_open_def, .sys = functions};
    return &library;
}

static bool add_hooks(GenVM *vm, Dict *dict) {
    static const char *const hooks[][2] = {{"displayhook", "__displayhook__"},
                                           {"excepthook", "__excepthook__"},
                                           {"unraisablehook", "__unraisablehook__"}};
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++)
        if (!set(vm, dict, hooks[i][1], dict_get_str(vm, dict, str_from(vm, hooks[i][0]))))
            return false;
    return true;
}

static bool add_streams(GenVM *vm, Dict *dict) {
    static const char *const names[][2] = {
        {"stdin", "__stdin__"}, {"stdout", "__stdout__"}, {"stderr", "__stderr__"}};
    for (int i = 0; i < 3; i++) {
        Value stream = file_new_stream(vm, i);
        if (!set(vm, dict, names[i][0], stream) || !set(vm, dict, names[i][1], stream))
            return false;
    }
    return true;
}

/* Who embeds the VM and has no arguments has an empty name of a program, as argparse expects. */
static Value no_arguments(GenVM *vm) {
    Value list = list_new(vm, 1), name = str_from(vm, "");
    bool ok = list != VALUE_ERROR && name != VALUE_ERROR && list_append(vm, list, name);
    return ok ? list : VALUE_ERROR;
}

enum { SYS_MORE = 15 }; /* names, of the hooks, the streams and sys_init */

bool sys_init(GenVM *vm) {
    Value name = name_value(vm, NAME_sys),
          module = module_new_shared(vm, &vm->shared->sys, SYS_MORE);
    if (module == VALUE_ERROR) return false;
    vm->sys_module = module;
    Dict *dict = AS(Module, module)->dict;
    return add_hooks(vm, dict) && add_streams(vm, dict) &&
           set(vm, dict, "modules", object_value(vm->modules)) &&
           set(vm, dict, "path", list_new(vm, 0)) && set(vm, dict, "argv", no_arguments(vm)) &&
           set(vm, dict, "maxsize", int_from_i64(vm, INT64_MAX)) &&
           set(vm, dict, "byteorder", str_from(vm, "little")) &&
           set(vm, dict, "platform", str_from(vm, "linux")) &&
           dict_set_str(vm, vm->modules, name, module);
}

/* ---- the module _sysinfo: what system.gen needs to know ---- */

static Value module_names(GenVM *vm, Value *args) {
    Value list = list_new(vm, 64);
    static const char *const native[] = {
#define MODULE(name, variable) #name,
#include "stdlib/modules.def"
#undef MODULE
    };
    bool ok = list != VALUE_ERROR;
    for (size_t i = 0; ok && i < sizeof native / sizeof *native; i++)
        ok = list_append(vm, list, str_from(vm, native[i]));
    for (size_t i = 0; ok && args[0] == VALUE_FALSE && i < frozen_module_count; i++)
        ok = list_append(vm, list, str_from(vm, frozen_modules[i].name));
    return ok ? list : VALUE_ERROR;
}

static Value executable(GenVM *vm, Value *args) {
    (void)args;
    char path[4096];
    ssize_t size =
        vm->capabilities & GEN_CAP_ENV ? readlink("/proc/self/exe", path, sizeof path - 1) : 0;
    if (size <= 0) return vm->empty_str;
    path[size] = 0;
    return file_path_text(vm, path);
}

static Value version(GenVM *vm, Value *args) {
    (void)args;
    return tuple_pack(vm, 3, int_value(GEN_VERSION_MAJOR), int_value(GEN_VERSION_MINOR),
                      int_value(GEN_VERSION_PATCH));
}

static const NativeDef info_functions[] = {
    {"module_names(native: bool, /)", module_names, NULL},
    {"executable()", executable, NULL},
    {"gen_version()", version, NULL},
    {NULL, NULL, NULL},
};

const NativeModule sysinfo_module = {"_sysinfo", info_functions, NULL};
