/* vm.h - the state of one virtual machine, seen from inside the engine. There is no other state:
 * nothing global, nothing thread-local. */
#ifndef GEN_VM_H
#define GEN_VM_H

#include "vm/type.h"
#include "vm/gc.h"
#include "vm/native.h"
#include "vm/error.h"

typedef struct TailCall { /* the call that a native returning VALUE_TAIL asks for */
    Value callable;
    uint32_t count;
    Value args[10];
    Value spread_args;    /* tuple instead of args, or VALUE_UNSET */
    Value spread_kwargs;  /* dict or VALUE_UNSET */
    uint32_t resume;      /* GENERATOR_RESUME_: the callable is a generator, no call; 0: a call */
    uint32_t then;        /* a Return (returns.def) that looks at the result first; 0: none */
    Value then_values[4]; /* its registers from r1 on */
} TailCall;

typedef enum CompileFlag { /* what the compiler is told besides the mode */
                           COMPILE_TEXT =
                               1, /* the source was a str: a coding cookie in it means nothing */
                           COMPILE_NAMESPACE =
                               2, /* names live in a mapping that the code gets in register 0 */
                           COMPILE_INCOMPLETE = 4, /* mode single: a source that only lacks lines
                                                      returns VALUE_UNSET */
                           COMPILE_KEEP_SOURCE =
                               8, /* the Code keeps the source for tracebacks: it is in no file */
                           COMPILE_LIBRARY = 16, /* a file of the library: it gives no other meaning
                                                    to names of types */
} CompileFlag;

/* The entry of `dict` that the very object `key` led to, whose key is `held`. */
typedef struct FoundKey {
    Dict *dict; /* NULL: none */
    Value key, held;
    uint32_t entry;
} FoundKey;

typedef enum SignalWork {                /* of GenVM.signals */
                          SIGNALS_KEEP,  /* before a save: notes what came where it is saved */
                          SIGNALS_CHECK, /* may an image with these handlers be loaded? */
                          SIGNALS_TAKE,  /* the image's handlers are those of scripts: sets them */
} SignalWork;

enum { ENTERED_FROM = 16 }; /* places of calls that are told apart: by a few bits of the address */

struct GenVM {
    /* What the interpreter touches, first. */
    const Instr *pc; /* of the running frame, saved before any call out of the dispatch loop */
    Value *base;     /* its registers */
    Value *limit;    /* end of the register stack less the red zone */
    int64_t fuel;    /* what is left of the slice, saved as pc is */
    uint32_t method_epoch; /* changes when a cached class attribute may have become wrong */
    uint32_t poll;         /* nonzero: a safepoint has work (POLL_ bits) */
    /* Guesses, never followed before they have proved right: where the last `for` jumped back to,
     * and where functions begin that were entered, the last one, and by the place of the call. */
    const Instr *looped, *entered, *entered_from[ENTERED_FROM];
    Value exception;    /* pending exception or VALUE_UNSET */
    Value memory_error; /* made at the start */
    Value handled;      /* the exception being handled (sys.exception()) or VALUE_UNSET */
    TailCall tail;
    NativeFunction
        *callee; /* the native function being called: the slot wrappers find their type here */

    Value *stack, *stack_end; /* the register stack of the running task */
    Buffer *stack_buffer;     /* that it lies in; NULL: malloc's */
    uint64_t origin_depth;    /* frames that coroutines note when they are made; mostly 0 */
    uint64_t switch_interval; /* microseconds and one, by sys.setswitchinterval; 0: never called */
    uint64_t recursion_limit;
    struct Task *task;           /* the running task (task.h); NULL: the host's own calls */
    struct TaskSwitch *switches; /* what waits on the C stack for the running task to stop */
    uint32_t nested;             /* runs of vm_call within it: it cannot stop above them */
    uint32_t stop;   /* StopReason: VALUE_ERROR without an exception means that the task stops */
    bool aborting;   /* the pending exception ends a nested run, whatever handlers there are */
    bool no_restart; /* the running instruction must not be made anew */
    const Instr *committed; /* pc: neither must this one, which has had an effect (native_commit) */
    uint32_t afforded; /* the work under way has been paid for as a whole: by so many natives that
                          have begun one inside of the other */

    GcArea areas[GC_AREAS]; /* by size / GC_GRANULE; the first is never filled */
    struct Heap *heap;
    Shape *shapes;
    uint32_t shape_count, shape_capacity;
    uint32_t shapes_dead, shapes_free; /* lists by Shape.sibling: see shape_sweep.c */
    uint32_t shapes_dead_count;
    uint32_t *shape_moves; /* NULL, or by shape: which one its instances get at the next collection
                              (shape.c) */
    uint32_t shape_moves_count;
    const struct Shared *shared; /* what all VMs have; these are places in it (shared.h) */
    Type *const *types;          /* builtin types by TypeId */
    const Value *names;          /* interned, by Name */
    const Value *special_names;
    const Value *characters;              /* one-character strings of Latin-1 */
    TypeState *type_states;               /* of the builtin types, by TypeId */
    struct Signature **shared_signatures; /* of the shared functions; NULL before the first */
    uint64_t *shared_hashes;              /* of the shared strings; 0: not computed yet */
    uint64_t
        *own_shared_hashes; /* the same where this VM's key is another than the usual; else NULL */
    Value empty_str, empty_tuple, empty_bytes;
    struct InternTable *interned;
    FoundKey found; /* what dict_get found last (dict.c); forgotten by each collection */
    struct MethodCache *method_cache; /* and what else type.c keeps */
    uint64_t hash_key[2];

    Dict *builtins; /* of module builtins */
    Dict *modules;  /* sys.modules */
    Value sys_module, main_module;
    Value twins[TWIN_COUNT]; /* loaded on first use */
    uint32_t native_depth;   /* see native_enter */
    int64_t int_digit_limit; /* of decimal text of ints: 0 the default, -1 none (see int_text.c) */

    /* The compiler, set by stdlib/init.c; NULL in a VM that only runs images. mode: "exec", "eval"
     * or "single". Returns a Code object, or VALUE_ERROR with SyntaxError pending. */
    Value (*compile)(GenVM *vm, const char *source, size_t size, const char *filename,
                     const char *mode, int flags);
    Value (*find_builtin_module)(
        GenVM *vm, Value name); /* a native or frozen module, VALUE_UNSET when unknown */

    Value (*load_prelude)(GenVM *vm, const char *name); /* the Code of stdlib/prelude/NAME.gen */
    /* Files, for imports; set where the host grants them: "file", "directory" or "" of a path; the
     * Code of a file. */
    const char *(*path_kind)(GenVM *vm, const char *path);
    Value (*compile_file)(GenVM *vm, const char *path);
    Value (*read_source)(
        GenVM *vm,
        const char *path); /* the text of a source file as str, for tracebacks; VALUE_UNSET: none */
    bool (*has_builtin_module)(GenVM *vm, Value name); /* the library, or the host's finder */
    bool (*has_library_module)(GenVM *vm, Value name); /* the library alone */
    Value (*show_carets)(GenVM *vm, Value lines, Value start,
                         Value end);   /* see parser/carets.h; NULL: none */
    Value prelude;                     /* dict: loaded prelude modules by name */
    Value import_function;             /* the original builtins.__import__ */
    Value next_function, len_function; /* ... builtins.next and builtins.len */
    struct Code *stub_code;            /* continuation frames: continue.h */
    struct Function *stubs[32];
    struct HandleScope *handles; /* values that the host holds: genvm_refs.c */
    struct KeptRefs *kept;
    void (*refs_mark)(GenVM *vm); /* marks them */
    bool
        reraising; /* the pending exception is raised again: its traceback already has this place */
    bool caught_above;   /* the last handler lies before what it caught: no compiler writes that */
    bool finalizing;     /* the VM is being freed */
    uint32_t in_prelude; /* a prelude file is being loaded: no collection */
    int64_t fuel_kept;   /* taken out of the slice so that the next safepoint comes soon */
    int64_t fuel_slice;  /* what the fuel was at the last safepoint */
    uint32_t generators_made;
    int64_t steps_done;
    uint64_t safepoints;
    uint64_t memory_limit;  /* bytes; 0: none */
    uint64_t outside_bytes; /* of memory.h's blocks */
    void *host_data;
    void *(*allocate)(void *context, void *block, size_t old_size, size_t new_size); /* or NULL */
    uint32_t capabilities;
    struct PathRules *path_rules; /* paths.h; NULL: files are not restricted further */
    uint32_t descriptors;         /* that the VM has opened and not closed */
    uint32_t descriptors_most; /* from so many on, forgotten ones are looked for; 0: not yet set */
    bool (*host_write)(void *context, int stream, const char *data,
                       size_t size); /* output without GEN_CAP_STDIO */
    char *error_text;                /* the last answer of gen_error_text */
    struct WeakTable *weak_table;    /* weak references by their targets: weakref.c */
    struct Identities *identities;   /* numbers that are not addresses: identity.c; or NULL */
    bool has_identified;             /* the number of some object was asked for */
    struct SiteCache *site_cache;    /* see site_cache.h; made when first needed */
    struct ImageCodes *image_codes;  /* loaded codes by the hash of their contents: image_code.c */
    uint64_t image_engine;           /* image_engine.c; 0: not asked for yet */
    Value host_types;                /* list of the classes of gen_type_new, or VALUE_UNSET */
    Value host_natives;              /* list of the Buffers behind host functions, or VALUE_UNSET */
    const char *(*host_module)(void *context, const char *name, size_t *size); /* source */
    uint64_t (*clock)(void *context); /* nanoseconds, for deadlines; NULL: the system's */
    _Atomic int interrupted; /* set by gen_interrupt, from any thread or a signal handler */
    void (*_Atomic wake)(void *data); /* called by gen_interrupt: ends a wait for events; or NULL */
    void *wake_data;
    bool hurried;     /* a task has had a deadline, or was killed: its host waits for nobody */
    bool is_ending;   /* the finalizers of the end are run */
    bool is_budgeted; /* a task has had a budget: finalizers run in tasks only */
    int c_depth;      /* runs on the C stack, one inside the other: calls from the host, tasks */
    bool main_leaves; /* a collection finds what only the main module reaches */
    Object **pending_finalizers; /* unreachable objects whose finalizers (script code) run at the
                                    next safepoint */
    uint32_t pending_count, pending_capacity;
    uint64_t pending_total;                     /* that there ever were */
    uint64_t failing_allocation, failing_count; /* see gen_debug_fail_allocations */
    bool (*failing_asked)(void);
    struct FileLink *writers; /* files that may have something to write: file.c */
    struct OpenSsl *openssl;  /* what the library calls of OpenSSL, malloc's (stdlib/openssl.h) */
    struct Threads *threads;  /* of what runs (threads.h); NULL: there is the main thread alone */
    bool resumed;             /* a native is run anew, after its thread was parked */
    /* Waits for what threads wait for, at most so many nanoseconds, -1: for ever, and wakes them;
     * set by the library. */
    void (*wait_events)(GenVM *vm, int64_t nanoseconds);
    void (*end_wait)(int fd); /* called by gen_interrupt, with wait_fd, unless that is 0 */
    _Atomic int wait_fd;
    /* Has a pool of threads call offload_run(job), set by the library; NULL: there is none. False:
     * it could not be handed over. */
    bool (*run_on_pool)(GenVM *vm, void *job);
    /* Signal handlers in images, set by the module _signal; `handlers`: by number, for the check.
     * False: an exception is pending. */
    bool (*signals)(GenVM *vm, SignalWork work, Dict *handlers);
    Value roots[32]; /* spare places for engine files */
};
enum {
    ROOT_SHOWN = 8,      /* the containers whose repr is being made (containers.c) */
    ROOT_WARNINGS = 10,  /* a list: what the compiler has to warn of, for warnings.warn_explicit */
    ROOT_FIRSTITER = 11, /* sys.set_asyncgen_hooks, or VALUE_UNSET (async_generator.c) */
    ROOT_FINALIZER = 12,
    ROOT_ON_INTERRUPT = 13,  /* called instead of raising KeyboardInterrupt, or VALUE_UNSET */
    ROOT_UV_POOL = 17,       /* the loop behind run_on_pool */
    ROOT_UV = 14,            /* the event loop of the library (stdlib/uv_loop.c) */
    ROOT_RESULT = 15,        /* what a run gave, while the host gets it */
    ROOT_THREAD_LOCALS = 16, /* list: instance, defaults, ... that each thread has for itself */
    ROOT_SYS_LISTS = 18,     /* what sys.path and sys.argv held at first (image_modules.c) */
    ROOT_CLASS_CHANGES = 19, /* list: class of the library, changed name, ... (image_modules.c) */
    ROOT_SIGNALS = 29, /* the owner's part of the process's signal handlers (signal_native.c) */
    ROOT_PATTERN = 20, /* the types of the module _re, and its methods in Gen (re.c) */
    ROOT_MATCH = 21,
    ROOT_RE_FUNCTIONS = 22,
};
enum {
    POLL_GC = 1,
    POLL_INTERRUPT = 2,
    POLL_FINALIZE = 4,
    POLL_BUDGET = 8,
    POLL_GC_FULL = 16,
    POLL_MEMORY = 32 /* memory ran out where nothing could be raised */
};

/* What the host (genvm.h) holds on to: roots. */
typedef struct HandleScope {
    struct HandleScope *outer;
    uint32_t count, capacity;
    Value *values;
    uint8_t *generations; /* by place, in debug builds */
} HandleScope;

Dict *vm_builtins_of(GenVM *vm, Dict *globals); /* globals['__builtins__'], or the VM's own */

static inline TypeState *type_state(const GenVM *vm, const Type *type) {
    return type->header.gc & GC_PERMANENT ? &vm->type_states[type->id]
                                          : &((Type *)(uintptr_t)type)->own;
}

static inline Value name_value(GenVM *vm, Name name) {
    return vm->names[name];
}

/* The native has an effect now, before looks at the budget or in spite of them: an iterator has
 * moved. The instruction is not made anew. */
static inline void native_commit(GenVM *vm) {
    vm->committed = vm->pc;
}

/* ---- allocation (gc.h) ---- */

/* Debug builds fill what is left undefined, so that nobody relies on zeros. */
static inline void gc_spoil(void *object, size_t size) {
#ifdef GEN_DEBUG
    memset((char *)object + sizeof(Object), 0xCD, size - sizeof(Object));
#else
    (void)object, (void)size;
#endif
}

bool gc_fail(GenVM *vm); /* gc.c; true unless the host, asked, lets this one pass */

/* Debug builds: does the host want this allocation to fail? Then MemoryError is pending. */
static inline bool gc_must_fail(GenVM *vm) {
#ifdef GEN_DEBUG
    if (unlikely(vm->failing_allocation) && --vm->failing_allocation == 0) return gc_fail(vm);
#endif
    (void)vm;
    return false;
}

static inline void *gc_new_raw(GenVM *vm, size_t size, TypeId kind) {
    if (gc_must_fail(vm)) return NULL;
    if (unlikely(size > GC_SMALL)) return gc_new_slow(vm, size, kind);
    GcArea *area = &vm->areas[(size + GC_GRANULE - 1) / GC_GRANULE];
    Object *object = (Object *)area->next;
    if (unlikely(area->next >= area->end)) return gc_new_slow(vm, size, kind);
    area->next += (size + GC_GRANULE - 1) & ~(size_t)(GC_GRANULE - 1);
    *object = (Object){.shape = kind, .kind = (uint8_t)kind};
    gc_spoil(object, size);
    return object;
}

static inline void *gc_new(GenVM *vm, size_t size, TypeId kind) {
    Object *object = gc_new_raw(vm, size, kind);
    if (likely(object)) memset(object + 1, 0, size - sizeof *object);
    return object;
}

#endif
