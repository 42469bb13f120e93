/* library.c - loads shared libraries; see library.h. */
#include "stdlib/library.h"

#include <dlfcn.h>

typedef void (*AnyFunction)(void);

static bool refuse(GenVM *vm) {
    const char *why = dlerror();
    raise_error(vm, EXC_IMPORT_ERROR, "%s", why ? why : "a library cannot be loaded");
    return false;
}

bool library_load(GenVM *vm, const Library *library, void *functions) {
    void *handle = NULL;
    for (size_t i = 0; library->files[i] && !handle; i++)
        handle = dlopen(library->files[i], RTLD_NOW | RTLD_LOCAL);
    if (!handle) return refuse(vm);
    for (size_t i = 0; library->names[i]; i++) {
        void *found = dlsym(handle, library->names[i]);
        if (!found) return refuse(vm);
        memcpy((char *)functions + i * sizeof(AnyFunction), &found, sizeof(AnyFunction));
    }
    return true;
}
