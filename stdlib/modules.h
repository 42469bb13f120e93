/* modules.h - modules written in C: one definition each, listed in modules.def. */
#ifndef GEN_STDLIB_MODULES_H
#define GEN_STDLIB_MODULES_H

#include "vm/vm.h"

typedef struct NativeModule {
    const char *name;
    const NativeDef *functions;              /* ends with {NULL}; may be NULL */
    bool (*init)(GenVM *vm, Module *module); /* constants, types; may be NULL */
} NativeModule;

#define MODULE(name, variable) extern const NativeModule variable;
#include "stdlib/modules.def"
#undef MODULE

#endif
