/* runtime.h - engine functions that several files need and no other header has. */
#ifndef GEN_RUNTIME_H
#define GEN_RUNTIME_H

#include "vm/generator.h"

/* builtins.c */
Value builtins_map(GenVM *vm, Type *cls, Value function, const Value *iterators, uint64_t count,
                   bool strict);
Value builtins_filter(GenVM *vm, Type *cls, Value function, Value iterator);
bool builtins_init(GenVM *vm); /* makes vm->builtins */
extern const NativeDef builtins_functions[];
extern const NativeFast builtins_fast[];
extern const TypeId builtins_types[]; /* ends with TYPE_COUNT */
Value instance_check_plainly(GenVM *vm, Value object,
                             Value cls); /* True or False; TAIL for objects that pretend */
Value subclass_check_plainly(GenVM *vm, Value cls, Value base);

/* A generator object of a prelude generator function, with its arguments, that shows as an instance
 * of `cls`: this is how map, filter, itertools, ... are made. */
Value runtime_generator(GenVM *vm, Twin twin, Type *cls, int count, ...);

/* The namespace of prelude file `name`, run if it was not yet; NULL with an exception pending. */
Dict *prelude_load(GenVM *vm, const char *name);

bool import_is_initializing(GenVM *vm, Value module);

/* async_generator.c */
bool async_generator_yield(GenVM *vm, Value v);

/* The engine's set-up and end, for genvm.c. */
bool vm_init(GenVM *vm);
void vm_run_finalizers(
    GenVM *vm); /* at the end of a program: of everything that the main module held */
bool vm_library_init(GenVM *vm); /* of stdlib/init.c; a weak stand-in in vm.c makes a VM without
                                    compiler and library */
/* Runs of script code by C functions that script code has called lie on the C stack, whose end no
 * limit of the script's tells: false with RecursionError where there are as many as that. */
enum { C_DEPTH_MOST = 200 };
bool runtime_enter(GenVM *vm);
Value vm_call_tail(GenVM *vm); /* from the host: makes the call in vm->tail and runs it */
void vm_free(GenVM *vm);

#endif
