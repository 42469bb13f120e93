/* genvm_private.h - what the files of the C API (genvm*.c) share. */
#ifndef GEN_GENVM_PRIVATE_H
#define GEN_GENVM_PRIVATE_H

#include "vm/genvm.h"
#include "vm/vm.h"

GenRef ref_hold(GenVM *vm, Value v); /* in the open scope; GEN_NULL for VALUE_ERROR */
/* VALUE_ERROR for GEN_NULL (the error of whoever made it stays pending) and for stale refs. */
Value ref_value(GenVM *vm, GenRef ref);

/* Around a function of the host's: its scope. It cannot close those around it, whose values the
 * functions of the API that lead to it still need. */
typedef struct OwnScope {
    uint32_t count, floor;
} OwnScope;
OwnScope own_scope_open(GenVM *vm);
void own_scope_close(GenVM *vm, OwnScope outer);

bool refs_init(GenVM *vm); /* false: out of memory */
void refs_free(GenVM *vm);

/* Debug builds look for wrong use of the API; not those for the fuzzer, whose hosts use it wrongly
 * as they do in release builds: tests/fuzz/api.c. */
#if defined GEN_DEBUG && !defined GEN_LIBFUZZER
#define GENVM_CHECKS
#endif

/* API(vm) opens every function of genvm.h. With the checks it stops the program, naming the
 * function, where the VM is none (any more) or another thread uses it, and remembers the function
 * for what is found out later: see misused. Functions of the host stand between API_OUT and API_IN:
 * what they call is told by its own name. */
#ifdef GENVM_CHECKS
typedef struct ApiCall {
    GenVM *vm;
    const char *outer; /* the function that has called this one */
} ApiCall;
ApiCall api_enter(GenVM *vm, const char *function);
void api_leave(ApiCall *call);
const char *api_name(GenVM *vm, const char *function); /* sets it; the one before */
void api_check(GenVM *vm, const char *function);       /* is it a VM at all */
void api_check_free(GenVM *vm);
#define API(vm)                                                                                    \
    __attribute__((cleanup(api_leave), unused)) ApiCall api_call = api_enter((vm), __func__)
#define API_OUT(vm) const char *api_function = api_name((vm), NULL)
#define API_GIVEN(pointer) api_given((pointer), __func__)
void api_given(const void *pointer, const char *function); /* stops where it is NULL */
#define API_IN(vm) api_name((vm), api_function)
#else
#define API(vm) (void)(vm)
#define API_OUT(vm) (void)(vm)
#define API_GIVEN(pointer) (void)(pointer)
#define API_IN(vm) (void)(vm)
static inline void api_check(GenVM *vm, const char *function) {
    (void)vm, (void)function;
}
static inline void api_check_free(GenVM *vm) {
    (void)vm;
}
#endif

/* What opens those that make values or run script code: they do nothing while an exception is
 * pending, so that the first one stays and no script runs with it. */
#define API_READY(vm, failed)                                                                      \
    API(vm);                                                                                       \
    if (unlikely((vm)->exception != VALUE_UNSET)) return failed

/* genvm_natives.c: storage that lives as long as the VM; the native that calls a host function; the
 * function object of one (module: its name or VALUE_UNSET). */
Buffer *genvm_storage(GenVM *vm, size_t size);
const NativeDef *genvm_native(GenVM *vm, const GenFunction *function);
Value genvm_function(GenVM *vm, const GenFunction *function, Value module);

/* genvm_signature.c: SystemError says what is wrong with it. */
bool genvm_check_signature(GenVM *vm, const char *signature);

/* genvm_types.c: GenTypeDef.version of a class that gen_type_new made */
uint32_t genvm_type_version(const struct Type *type);

void genvm_flush(
    GenVM *vm); /* a host that takes the output itself has all of it when a call returns */
/* After a run, where nothing else runs in the VM: the collection that is due. */
void genvm_collect(GenVM *vm, Value result);
/* mode: "exec", "eval", "single"; VALUE_ERROR with SyntaxError. */
Value genvm_compile(GenVM *vm, const char *source, size_t size, const char *name, const char *mode,
                    int flags);

#endif
