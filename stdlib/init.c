/* init.c - the one file that knows all sides: it gives a VM the compiler, the prelude and the
 * modules of the library.
 *
 * The engine reaches these through function pointers of the VM, so that it links without them.
 */
#include "stdlib/init.h"
#include "parser/carets.h"
#include "parser/compile.h"
#include "stdlib/modules.h"
#include "stdlib/frozen.h"
#include "vm/engine_module.h"
#include "vm/genvm.h"
#include "vm/image.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/paths.h"
#include "vm/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const FrozenModule *find_frozen(const char *name, size_t size) {
    size_t low = 0, high = frozen_module_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const char *candidate = frozen_modules[middle].name;
        int order = strncmp(candidate, name, size);
        size_t have = strlen(candidate); /* the name may have a NUL in it */
        if (order == 0 && have != size) order = have > size ? 1 : -1;
        if (order == 0) return &frozen_modules[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static Value load_prelude(GenVM *vm, const char *name) {
    char full[80];
    snprintf(full, sizeof full, "prelude.%s", name);
    const FrozenModule *frozen = find_frozen(full, strlen(full));
    if (!frozen) return raise_runtime(vm, "no prelude file %s", name);
    Value engine = str_intern_from(vm, "_engine", 7);
    if (engine == VALUE_ERROR) return VALUE_ERROR;
    if (dict_get_str(vm, vm->modules, engine) == VALUE_UNSET) {
        Value module = engine_module_new(vm);
        if (module == VALUE_ERROR || !dict_set_str(vm, vm->modules, engine, module))
            return VALUE_ERROR;
    }
    return image_thaw_code(vm, frozen->code, frozen->size);
}

static const NativeModule *const native_modules[] = {
#define MODULE(name, variable) &variable,
#include "stdlib/modules.def"
#undef MODULE
    NULL,
};

/* What stands for a function that the VM may not use. */
static Value no_network(GenVM *vm, Value *args) {
    (void)args;
    return path_refuse(vm, "this virtual machine has no access to the network", VALUE_UNSET);
}
static Value no_processes(GenVM *vm, Value *args) {
    (void)args;
    return path_refuse(vm, "this virtual machine has no access to other processes", VALUE_UNSET);
}
static Value no_threads(GenVM *vm, Value *args) {
    (void)args;
    return path_refuse(vm, "this virtual machine has no threads", VALUE_UNSET);
}

/* Is the name one of those in the list, which are separated by spaces? */
static bool is_listed(const char *list, const Str *name) {
    for (const char *at = list; *at; at += *at == ' ') {
        size_t size = strcspn(at, " ");
        if (size == name->size && memcmp(at, name->data, size) == 0) return true;
        at += size;
    }
    return false;
}

/* Takes the functions away for which the VM has no capability. */
static void restrict_module(GenVM *vm, const char *name, Module *module) {
    static const struct {
        const char *module, *harmless;
        uint32_t needs;
        NativeFn refusal;
    } rules[] = {
#define NEEDS(module, capability, refusal, harmless) {#module, harmless, capability, refusal},
#include "stdlib/capabilities.def"
#undef NEEDS
    };
    Value key, value;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strcmp(rules[i].module, name) != 0 || vm->capabilities & rules[i].needs) continue;
        for (uint32_t at = 0; dict_next(module->dict, &at, &key, &value);)
            if (is_kind(value, TYPE_NATIVE) && !is_listed(rules[i].harmless, AS_STR(key)))
                AS(NativeFunction, value)->fn = rules[i].refusal;
    }
}

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
    restrict_module(vm, definition->name, AS(Module, module));
    /* an image that is made before the import has ended finds its functions by name */
    return dict_set_str(vm, vm->modules, name, module) ? module : VALUE_ERROR;
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
    if (vm->exception != VALUE_UNSET) return VALUE_ERROR;
    if (!source) return dict_get_str(vm, vm->modules, name); /* it may have registered it */
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
    const FrozenModule *frozen = find_frozen(str->data, str->size);
    if (!frozen) return find_host_module(vm, name);
    Value code = image_thaw_code(vm, frozen->code, frozen->size);
    if (code == VALUE_ERROR) return VALUE_ERROR;
    return tuple_pack(vm, 2, code, bool_value(frozen->is_package));
}

/* ---- files, for hosts that grant them ---- */

static const char *path_kind(GenVM *vm, const char *path) {
    struct stat status;
    if (!path_is_allowed(vm, path, PATH_READ) || stat(path, &status) != 0) return "";
    return S_ISDIR(status.st_mode) ? "directory" : S_ISREG(status.st_mode) ? "file" : "";
}

static Value raise_unread(GenVM *vm, const char *path) {
    if (errno == ENOMEM) return raise_memory(vm);
    return raise_os_error(vm, errno, str_from(vm, path));
}

static Value compile_file(GenVM *vm, const char *path) {
    size_t size;
    if (!path_check(vm, path, PATH_READ, false, VALUE_UNSET)) return VALUE_ERROR;
    char *text = init_read_file(vm, path, &size);
    if (!text) return raise_unread(vm, path);
    Value code = compile_source(vm, text, size, path, "exec", 0);
    memory_free(text);
    return code;
}

static void close_quietly(GenVM *vm, int fd) {
    int number = errno;
    path_disown(vm, fd);
    if (fd >= 0) close(fd);
    errno = number;
}

char *init_read_file(GenVM *vm, const char *path, size_t *size) {
    int fd = path_open(vm, path, O_RDONLY | O_CLOEXEC, 0);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "rb");
    if (!file) return close_quietly(vm, fd), NULL;
    size_t capacity = 65536, used = 0;
    char *text = memory_new(vm, capacity);
    while (text) {
        size_t got = fread(text + used, 1, capacity - used - 1, file);
        used += got;
        if (got == 0) break;
        if (capacity - used > 1) continue;
        char *larger = memory_resize(vm, text, capacity *= 2);
        if (!larger) memory_free(text);
        text = larger;
    }
    int failure = ferror(file) ? errno : 0;
    path_disown(vm, fd);
    fclose(file);
    if (!text || failure) {
        memory_free(text);
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
    char *text = init_read_file(vm, path, &size);
    if (!text) return errno == ENOMEM ? raise_memory(vm) : VALUE_UNSET;
    Value source = str_decode_utf8(vm, text, size, "replace");
    memory_free(text);
    return source;
}

static bool has_library_module(GenVM *vm, Value name) {
    (void)vm;
    for (size_t i = 0; native_modules[i]; i++)
        if (str_is(name, native_modules[i]->name)) return true;
    return find_frozen(AS_STR(name)->data, AS_STR(name)->size) != NULL;
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
    vm->wait_events = thread_wait;
#ifndef GEN_NO_UV
    vm->run_on_pool = uv_run_on_pool;
#endif
    vm->has_builtin_module = has_module;
    vm->has_library_module = has_library_module;
    if (vm->capabilities & GEN_CAP_FILES) {
        vm->read_source = read_source;
        vm->path_kind = path_kind;
        vm->compile_file = compile_file;
    }
    return sys_init(vm);
}
