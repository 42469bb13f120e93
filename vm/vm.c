/* vm.c - the birth and the end of a virtual machine. */
#include "vm/weak.h"
#include "vm/continue.h"
#include "vm/engine_module.h"
#include "vm/image.h"
#include "vm/objects.h"
#include "vm/paths.h"
#include "vm/runtime.h"
#include "vm/site_cache.h"
#include "vm/threads.h"

#include <stdlib.h>
#include <unistd.h>

static const char *const name_texts[] = {
#define NAME(id) #id,
#include "vm/names.def"
#undef NAME
};

static const char *const special_texts[] = {
#define SPECIAL(id, name) #name,
#include "vm/specials.def"
#undef SPECIAL
};

static bool names_init(GenVM *vm) {
    for (int i = 0; i < NAME_COUNT; i++)
        if ((vm->names[i] = str_intern_from(vm, name_texts[i], strlen(name_texts[i]))) ==
            VALUE_ERROR)
            return false;
    for (int i = 0; i < SPECIAL_COUNT; i++) {
        vm->special_names[i] = str_intern_from(vm, special_texts[i], strlen(special_texts[i]));
        if (vm->special_names[i] == VALUE_ERROR) return false;
    }
    return true;
}

static void clear_values(GenVM *vm) {
    vm->exception = vm->handled = vm->sys_module = vm->main_module = VALUE_UNSET;
    vm->prelude = vm->import_function = vm->next_function = vm->len_function = vm->host_natives =
        vm->memory_error = VALUE_UNSET;
    vm->tail.callable = vm->tail.spread_args = vm->tail.spread_kwargs = VALUE_UNSET;
    for (int i = 0; i < TWIN_COUNT; i++)
        vm->twins[i] = VALUE_UNSET;
    for (size_t i = 0; i < sizeof vm->roots / sizeof *vm->roots; i++)
        vm->roots[i] = VALUE_UNSET;
}

static bool modules_init(GenVM *vm) {
    Value modules = dict_new(vm), prelude = dict_new(vm);
    if (modules == VALUE_ERROR || prelude == VALUE_ERROR) return false;
    vm->modules = AS_DICT(modules);
    vm->prelude = prelude;
    return builtins_init(vm);
}

/* Everything that a VM has before a host adds modules and capabilities. */
bool vm_init(GenVM *vm) {
    clear_values(vm);
    if (!gc_init(vm) || !frame_init(vm) || !shapes_init(vm)) return false;
    if (!str_init(vm) || !names_init(vm)) return false;
    Value empty_tuple = tuple_new(vm, 0), empty_bytes = bytes_new(vm, "", 0);
    if (empty_tuple == VALUE_ERROR || empty_bytes == VALUE_ERROR) return false;
    vm->empty_tuple = empty_tuple;
    vm->empty_bytes = empty_bytes;
    if (!types_init(vm) || !error_init(vm)) return false;
    return continue_init(vm) && modules_init(vm);
}

/* The engine alone; linking stdlib/init.c replaces this. */
__attribute__((weak)) bool vm_library_init(GenVM *vm) {
    return (void)vm, true;
}

void vm_free(GenVM *vm) {
    vm->finalizing = true;
    if (vm->threads) threads_free(vm->threads);
    vm->threads = NULL;
    if (vm->wait_fd) close(vm->wait_fd);
    if (vm->heap) gc_free_heap(vm);
    str_free(vm);
    types_free(vm);
    site_cache_free(vm);
    weakrefs_free(vm);
    image_codes_free(vm);
    shapes_free(vm);
    free(vm->pending_finalizers);
    paths_free(vm);
    free(vm->stack);
#if defined GEN_DEBUG && !defined __SANITIZE_ADDRESS__
    memset(vm, 0, sizeof *vm); /* kept, so that its use is noticed (genvm_refs.c) */
    vm->exception = VALUE_UNSET;
#else
    free(vm);
#endif
}
