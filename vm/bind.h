/* bind.h - calling native functions: what interp.c, call.c and the type tables need of native.c. */
#ifndef GEN_BIND_H
#define GEN_BIND_H

#include "vm/vm.h"

enum { NATIVE_MAX_PARAMS = 24, NATIVE_MAX_ARGS = 128, NATIVE_MAX_DEPTH = 1000 };

typedef enum Convert {
    CONVERT_NONE,
    CONVERT_INT,
    CONVERT_INDEX,
    CONVERT_POSITION,
    CONVERT_SIZE,
    CONVERT_FLOAT,
    CONVERT_STR,
    CONVERT_BYTES,
    CONVERT_LIST,
    CONVERT_TUPLE,
    CONVERT_DICT,
    CONVERT_CALLABLE,
    CONVERT_BOOL,
    CONVERT_KIND,      /* an object of Param.kind: for _engine, whose callers an image can forge */
    CONVERT_TYPE,      /* a class */
    CONVERT_GENERATOR, /* or coroutine, or async generator */
    CONVERT_SET,       /* or frozenset */
} Convert;

typedef enum Binding { BINDING_INSTANCE, BINDING_STATIC, BINDING_CLASS } Binding;

typedef struct Param {
    Value name;     /* interned */
    Value fallback; /* default, or VALUE_UNSET */
    uint8_t convert, kind;
    bool or_none, required;
} Param;

typedef struct Signature { /* lies in `storage` */
    Buffer *storage;
    const char *name;
    uint32_t name_size;
    Binding binding;
    int count;              /* parameters, *args and **kwargs included */
    int positional;         /* how many can be given by position */
    int required;           /* positionals without default */
    int posonly;            /* the first that many cannot be given by name */
    int args_at, kwargs_at; /* index of *args, **kwargs; -1: none */
    bool plain;             /* positional parameters only */
    bool converts;          /* some parameter is checked or converted */
    Param params[];
} Signature;

Signature *native_signature(GenVM *vm,
                            NativeFunction *native); /* parsed on first use; NULL on error */
/* The same of one that was called before. */
Signature *native_shared_signature(const GenVM *vm, const NativeFunction *native);
static inline Signature *native_known_signature(const GenVM *vm, const NativeFunction *native) {
    return likely(native->signature) ? native->signature : native_shared_signature(vm, native);
}
size_t native_def_name(const NativeDef *def, const char **name, Binding *binding_or_null);

bool native_knows_type(const char *word, size_t size); /* as the annotation of a parameter */

/* The first parameter is the receiver that messages do not count: self of a method, cls of a
 * classmethod. */
static inline int native_hides_first(const GenVM *vm, const NativeFunction *native) {
    return (native->owner != NULL &&
            native_known_signature(vm, native)->binding != BINDING_STATIC) ||
           native->header.flags & NATIVE_NEW;
}

/* Is it a class that may be the first argument of the classmethod: its owner or one below. False
 * with TypeError. */
bool native_check_owner(GenVM *vm, const NativeFunction *native, Value cls);
bool native_takes_keywords(GenVM *vm, const NativeFunction *native); /* its signature is parsed */

/* Calls a native. `keywords`: tuple of names of the last arguments, or VALUE_UNSET. The result may
 * be VALUE_TAIL. */
Value native_invoke(GenVM *vm, NativeFunction *native, const Value *args, uint32_t count,
                    Value keywords);
/* The same without keywords, where native->fast has left the call to others. */
Value native_invoke_plain(GenVM *vm, NativeFunction *native, const Value *args, uint32_t count);
Value native_invoke_many(GenVM *vm, NativeFunction *native, const Value *args, uint32_t count,
                         Value keywords);
/* Calls a native with arguments that are bound: threads.h. */
Value native_invoke_again(GenVM *vm, NativeFunction *native, Value *bound);
/* Can the tuple be what its arguments became by binding. */
bool native_takes_bound(GenVM *vm, NativeFunction *native, const Tuple *bound);
int native_arg_count(GenVM *vm, const NativeFunction *native); /* of one that was called before */
enum { BOUND_INDEX_BITS = 5 }; /* of the number that tells which argument is converted */
Value native_invoke_bound(GenVM *vm, NativeFunction *native, const Tuple *arguments, int64_t which,
                          Value converted);

/* Binds without converting into `bound`, which has room for all parameters: VALUE_NONE, or
 * VALUE_ERROR with the TypeError of C functions. `keywords` as above. */
Value native_bind_plainly(GenVM *vm, const NativeFunction *native, const Value *args,
                          uint32_t count, Value keywords, Value *bound);

/* bind_like_native.c: the call does not fit the function, and an exception says so; where CPython's
 * function is written in C, it says so in its words. */
void refuse_like_native(GenVM *vm, Function *function, const Value *args, uint32_t count,
                        Value keywords);

/* Functions that all VMs share (shared.h): made once; their parsed signatures are the VM's. */
void native_fill_shared(NativeFunction *native, const NativeDef *def, Value name, Value module);
void native_mark_shared(GenVM *vm);
void native_mark_signature(GenVM *vm, const Signature *signature); /* NULL: nothing */

Value twin_load(GenVM *vm,
                Twin twin); /* the Gen function behind a twin; compiles its file on first use */
bool vm_is_finalizing(GenVM *vm); /* does a finalizer run here: no other one begins then */
bool vm_poll_native(GenVM *vm);   /* fuel has run out inside a native */
/* After EINTR in a native that waits: true when script code is to run now (a signal's handler): the
 * native returns and is called again. It runs at the next safepoint, which is made to come at once.
 */
bool vm_interrupt_waits(GenVM *vm);
/* What a native returns that has sent its own process a signal: None, after the handler. */
Value vm_after_signal(GenVM *vm);

#ifdef GEN_DEBUG
void native_check_result(GenVM *vm, const NativeFunction *native, Value result);
#else
static inline void native_check_result(GenVM *vm, const NativeFunction *native, Value result) {
    (void)vm, (void)native, (void)result;
}
#endif

#endif
