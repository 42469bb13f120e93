/* vm.c - the birth and the end of a virtual machine. */
#include "vm/identity.h"
#include "vm/weak.h"
#include "vm/continue.h"
#include "vm/engine_module.h"
#include "vm/image.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/paths.h"
#include "vm/runtime.h"
#include "vm/shared.h"
#include "vm/site_cache.h"
#include "vm/threads.h"

#include <unistd.h>

static void clear_values(GenVM *vm) {
    vm->exception = vm->handled = vm->sys_module = vm->main_module = VALUE_UNSET;
    vm->prelude = vm->import_function = vm->next_function = vm->len_function = VALUE_UNSET;
    vm->host_types = vm->host_natives = vm->memory_error = VALUE_UNSET;
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

static void use_shared(GenVM *vm) {
    const Shared *shared = vm->shared = shared_get();
    vm->types = shared->type_pointers;
    vm->names = shared->names;
    vm->special_names = shared->special_names;
    vm->characters = shared->characters;
    vm->empty_str = shared->empty_str;
    vm->empty_tuple = shared->empty_tuple;
}

/* Everything that a VM has before a host adds modules and capabilities. */
bool vm_init(GenVM *vm) {
    clear_values(vm);
    use_shared(vm);
    shapes_init(vm);
    if (!gc_init(vm) || !frame_init(vm)) return false;
    if (!str_init(vm) || !types_init(vm) || !error_init(vm)) return false;
    continue_init(vm);
    return modules_init(vm);
}

/* The engine alone; linking stdlib/init.c replaces this. */
__attribute__((weak)) bool vm_library_init(GenVM *vm) {
    return (void)vm, true;
}

__attribute__((weak)) const SharedLibrary *shared_library(void) {
    return NULL;
}

void vm_free(GenVM *vm) {
    vm->finalizing = true;
    if (vm->threads) threads_free(vm->threads);
    vm->threads = NULL;
    if (vm->heap) gc_free_heap(vm);
    if (vm->wait_fd) close(vm->wait_fd); /* now that no handler of a signal interrupts the VM */
    str_free(vm);
    types_free(vm);
    memory_free(vm->shared_signatures);
    site_cache_free(vm);
    weakrefs_free(vm);
    identities_free(vm);
    image_codes_free(vm);
    shapes_free(vm);
    memory_raw(vm, vm->pending_finalizers, vm->pending_capacity * sizeof(Object *), 0);
    paths_free(vm);
    memory_free(vm->stack);
    memory_free(vm->openssl);
#if defined GEN_DEBUG && !defined __SANITIZE_ADDRESS__ && !defined GEN_LIBFUZZER
    if (!vm->allocate) { /* it is kept, so that its use is noticed (genvm_refs.c) */
        memset(vm, 0, sizeof *vm);
        vm->exception = VALUE_UNSET;
        return;
    }
#endif
    memory_raw(vm, vm, sizeof *vm, 0);
}
