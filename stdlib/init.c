/* init.c - the one file that knows all sides: it gives a VM the compiler, the prelude and the
 * modules of the library.
 *
 * The engine reaches these through function pointers of the VM, so that it links without them.
 */
#include "stdlib/init.h"
#include "parser/carets.h"
#include "parser/compile.h"
#include "stdlib/modules.h"
#include "stdlib/sources.h"
#include "vm/code.h"
#include "vm/engine_module.h"
#include "vm/genvm.h"
#include "vm/objects.h"
#include "vm/paths.h"
#include "vm/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const StdlibSource *find_source(const char *name, size_t size) {
    size_t low = 0, high = stdlib_source_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const char *candidate = stdlib_sources[middle].name;
        int order = strncmp(candidate, name, size);
        if (order == 0 && candidate[size]) order = 1;
        if (order == 0) return &stdlib_sources[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* The library's own code does not show in tracebacks. */
static void hide(Code *code) {
    code->flags |= CODE_PRELUDE;
    for (uint32_t i = 0; i < code->const_count; i++)
        if (is_kind(code->consts[i], TYPE_CODE)) hide((Code *)as_object(code->consts[i]));
}

static Value load_prelude(GenVM *vm, const char *name) {
    char full[80], filename[96];
    snprintf(full, sizeof full, "prelude.%s", name);
    snprintf(filename, sizeof filename, "<prelude %s>", name);
    const StdlibSource *source = find_source(full, strlen(full));
    if (!source) return raise_runtime(vm, "no prelude file %s", name);
    Value engine = str_intern_from(vm, "_engine", 7);
    if (engine == VALUE_ERROR) return VALUE_ERROR;
    if (dict_get_str(vm, vm->modules, engine) == VALUE_UNSET) {
        Value module = engine_module_new(vm);
        if (module == VALUE_ERROR || !dict_set_str(vm, vm->modules, engine, module))
            return VALUE_ERROR;
    }
    Value code = compile_source(vm, source->text, source->len, filename, "exec", COMPILE_LIBRARY);
    if (code != VALUE_ERROR) hide((Code *)as_object(code));
    return code;
}

static const NativeModule *const native_modules[] = {
#define MODULE(name, variable) &variable,
#include "stdlib/modules.def"
#undef MODULE
    NULL,
};

static Value make_native(GenVM *vm, const NativeModule *definition) {
    Value name = str_intern_from(vm, definition->name, strlen(definition->name));
    Value module = module_new(vm, name);
    if (module == VALUE_ERROR) return VALUE_ERROR;
    for (const NativeDef *def = definition->functions; def && def->signature; def++) {
        Value function = native_function_new(vm, def, VALUE_UNSET, name);
        if (function == VALUE_ERROR || !dict_set_str(vm, AS(Module, module)->dict,
                                                     AS(NativeFunction, function)->name, function))
            return VALUE_ERROR;
    }
    if (definition->init && !definition->init(vm, AS(Module, module))) return VALUE_ERROR;
    /* an image that is made before the import has ended finds its functions by name */
    return dict_set_str(vm, vm->modules, name, module) ? module : VALUE_ERROR;
}

/* Modules that are C in CPython, so that no traceback shows their frames. */
static bool is_unseen(Value name) {
    return str_is(name, "asyncio.futures") || str_is(name, "contextvars");
}

/* What the host has under that name. */
static const char *host_source(GenVM *vm, Value name, size_t *size) {
    const char *text = vm->host_module ? str_c(vm, name) : NULL;
    *size = 0;
    return text ? vm->host_module(vm->host_data, text, size) : NULL;
}

static Value find_host_module(GenVM *vm, Value name) {
    size_t size;
    const char *source = host_source(vm, name, &size);
    if (!source) return VALUE_UNSET;
    Value filename = str_format(vm, "<%S>", name);
    const char *text = filename == VALUE_ERROR ? NULL : str_c(vm, filename);
    Value code =
        text ? compile_source(vm, source, size, text, "exec", COMPILE_KEEP_SOURCE) : VALUE_ERROR;
    return code == VALUE_ERROR ? code : tuple_pack(vm, 2, code, VALUE_FALSE);
}

static Value find_module(GenVM *vm, Value name) {
    for (size_t i = 0; native_modules[i]; i++)
        if (str_is(name, native_modules[i]->name)) return make_native(vm, native_modules[i]);
    Str *str = AS_STR(name);
    if (str->size >= 7 && !memcmp(str->data, "prelude", 7)) return VALUE_UNSET;
    const StdlibSource *source = find_source(str->data, str->size);
    if (!source) return find_host_module(vm, name);
    Value filename = str_format(vm, is_unseen(name) ? "<prelude %S>" : "<frozen %S>", name);
    const char *text = filename == VALUE_ERROR ? NULL : str_c(vm, filename);
    Value code = text ? compile_source(vm, source->text, source->len, text, "exec", COMPILE_LIBRARY)
                      : VALUE_ERROR;
    if (code == VALUE_ERROR) return VALUE_ERROR;
    hide((Code *)as_object(code));
    return tuple_pack(vm, 2, code, bool_value(source->is_package));
}

/* ---- files, for hosts that grant them ---- */

static const char *path_kind(GenVM *vm, const char *path) {
    struct stat status;
    if (!path_is_allowed(vm, path, PATH_READ) || stat(path, &status) != 0) return "";
    return S_ISDIR(status.st_mode) ? "directory" : S_ISREG(status.st_mode) ? "file" : "";
}

static Value compile_file(GenVM *vm, const char *path) {
    size_t size;
    if (!path_check(vm, path, PATH_READ, false, VALUE_UNSET)) return VALUE_ERROR;
    char *text = init_read_file(path, &size);
    if (!text) return raise_os_error(vm, errno, str_from(vm, path));
    Value code = compile_source(vm, text, size, path, "exec", 0);
    free(text);
    return code;
}

char *init_read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    size_t capacity = 65536, used = 0;
    char *text = malloc(capacity);
    while (text) {
        size_t got = fread(text + used, 1, capacity - used - 1, file);
        used += got;
        if (got == 0) break;
        if (capacity - used > 1) continue;
        char *larger = realloc(text, capacity *= 2);
        if (!larger) free(text);
        text = larger;
    }
    int failure = ferror(file) ? errno : 0;
    fclose(file);
    if (!text || failure) {
        free(text);
        errno = failure ? failure : ENOMEM;
        return NULL;
    }
    text[used] = 0;
    *size = used;
    return text;
}

static Value read_source(GenVM *vm, const char *path) {
    size_t size;
    if (strcmp(path_kind(vm, path), "file") != 0) return VALUE_UNSET;
    char *text = init_read_file(path, &size);
    if (!text) return VALUE_UNSET;
    Value source = str_decode_utf8(vm, text, size, "replace");
    free(text);
    return source;
}

static bool has_library_module(GenVM *vm, Value name) {
    (void)vm;
    for (size_t i = 0; native_modules[i]; i++)
        if (str_is(name, native_modules[i]->name)) return true;
    return find_source(AS_STR(name)->data, AS_STR(name)->size) != NULL;
}

static bool has_module(GenVM *vm, Value name) {
    size_t size;
    return has_library_module(vm, name) || host_source(vm, name, &size) != NULL;
}

bool vm_library_init(GenVM *vm) {
    vm->compile = compile_source;
    vm->show_carets = carets_show;
    vm->load_prelude = load_prelude;
    vm->find_builtin_module = find_module;
    vm->has_builtin_module = has_module;
    vm->has_library_module = has_library_module;
    if (vm->capabilities & GEN_CAP_FILES) {
        vm->read_source = read_source;
        vm->path_kind = path_kind;
        vm->compile_file = compile_file;
    }
    return sys_init(vm);
}
