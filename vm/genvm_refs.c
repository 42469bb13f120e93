/* genvm_refs.c - the C API: what the host holds.
 *
 *   scoped   index + 1 into vm->handles->values, a growing array; a scope is a length to go back to
 *   kept     bit 31, a generation of 7 bits, an index into vm->kept: what was released and used
 *            again has another generation
 *
 * In debug builds scoped refs carry a generation too, so that one that outlives its scope is
 * noticed though its place is in use again, and the end of a VM names the places where what is
 * still kept was kept. Generations begin somewhere else in each VM, so that a ref of another is
 * mostly noticed; a VM that is freed, or used by a second thread while it runs, always. The message
 * names the function of the API. Release builds find no value for what is out of range, and say so
 * by SystemError.
 */
#include "vm/genvm_private.h"
#include "vm/error.h"
#include "vm/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define KEPT ((uint32_t)1 << 31)
enum { GENERATION_SHIFT = 24, GENERATION_MASK = 127, INDEX_MASK = (1 << GENERATION_SHIFT) - 1 };

/* The most refs in open scopes: what leaves room for the bit of kept ones, and in debug builds for
 * the generation. */
#ifdef GENVM_CHECKS
enum { REFS_MOST = INDEX_MASK };
#else
#define REFS_MOST (KEPT - 1)
#endif

struct KeptRefs {
    uint32_t count, capacity, free; /* free: index + 1 of the first free entry, 0: none */
    struct KeptRef {
        Value value; /* VALUE_UNSET: free */
        const char *file;
        int line;
        uint32_t next_free;
        uint8_t generation;
    } * refs;
};

/* ---- wrong use ---- */

typedef struct Handles { /* behind vm->handles */
    HandleScope scope;
    uint32_t floor; /* refs below are not the running host function's to drop */
#ifdef GENVM_CHECKS
    const char *function;   /* of the API, that the host has called; NULL: none */
    pthread_t user;         /* the thread that is in functions of the API, */
    _Atomic uint32_t calls; /* unless this is 0: how many of them, one inside the other */
#endif
} Handles;

#ifdef GENVM_CHECKS
static void stop(const char *function, const char *what) {
    fprintf(stderr, "genvm: %s%s%s\n", function ? function : "", function ? ": " : "", what);
    abort();
}

void api_check(GenVM *vm, const char *function) {
    if (!vm) stop(function, "no virtual machine was given");
    if (!vm->handles) stop(function, "a virtual machine was used that is freed");
}

void api_given(const void *pointer, const char *function) {
    if (!pointer) stop(function, "NULL was given where there must be something");
}

static bool is_elsewhere(const Handles *handles) {
    return handles->calls && !pthread_equal(handles->user, pthread_self());
}

ApiCall api_enter(GenVM *vm, const char *function) {
    api_check(vm, function);
    Handles *handles = (Handles *)vm->handles;
    if (is_elsewhere(handles))
        stop(function, "a virtual machine was used by a second thread while it runs");
    if (!handles->calls) handles->user = pthread_self();
    handles->calls++;
    return (ApiCall){vm, api_name(vm, handles->function ? handles->function : function)};
}

void api_leave(ApiCall *call) {
    Handles *handles = (Handles *)call->vm->handles;
    handles->function = call->outer;
    handles->calls--;
}

const char *api_name(GenVM *vm, const char *function) {
    Handles *handles = (Handles *)vm->handles;
    const char *before = handles->function;
    handles->function = function;
    return before;
}

void api_check_free(GenVM *vm) {
    api_check(vm, "gen_vm_free");
    if (((Handles *)vm->handles)->calls) stop("gen_vm_free", "the virtual machine is running");
}
#endif

static Value misused(GenVM *vm, const char *what) {
#ifdef GENVM_CHECKS
    stop(((Handles *)vm->handles)->function, what);
#endif
    if (vm->exception == VALUE_UNSET) raise_error(vm, EXC_SYSTEM_ERROR, "%s", what);
    return VALUE_ERROR;
}

/* Where the generations of a VM's refs begin. */
static inline uint8_t first_generation(const GenVM *vm) {
#ifdef GENVM_CHECKS
    return (uint8_t)((uint64_t)(uintptr_t)vm * 0x9E3779B97F4A7C15u >> 57);
#else
    return (void)vm, 0;
#endif
}

/* ---- scopes ---- */

static bool grow(GenVM *vm, HandleScope *handles) {
    uint32_t capacity = handles->capacity * 2;
    if (capacity > REFS_MOST) return raise_memory(vm), false;
    Value *values = memory_resize(vm, handles->values, capacity * sizeof(Value));
    if (!values) return raise_memory(vm), false;
    handles->values = values;
#ifdef GENVM_CHECKS
    uint8_t *generations = memory_resize(vm, handles->generations, capacity);
    if (!generations) return raise_memory(vm), false;
    memset(generations + handles->capacity, first_generation(vm), capacity - handles->capacity);
    handles->generations = generations;
#endif
    handles->capacity = capacity;
    return true;
}

static void refs_mark(GenVM *vm);

bool refs_init(GenVM *vm) {
    vm->refs_mark = refs_mark;
    Handles *whole = memory_new_zeroed(vm, 1, sizeof *whole);
    if (!whole) return false;
    HandleScope *handles = vm->handles = &whole->scope;
    handles->values = memory_new_zeroed(vm, handles->capacity = 64, sizeof(Value));
#ifdef GENVM_CHECKS
    handles->generations = memory_new(vm, handles->capacity);
    if (!handles->generations) return false;
    memset(handles->generations, first_generation(vm), handles->capacity);
#endif
    return handles->values != NULL;
}

GenRef ref_hold(GenVM *vm, Value v) {
    HandleScope *handles = vm->handles;
    if (v == VALUE_ERROR) return GEN_NULL;
    if (handles->count == handles->capacity && !grow(vm, handles)) return GEN_NULL;
    handles->values[handles->count++] = v;
#ifdef GENVM_CHECKS
    uint32_t generation = ++handles->generations[handles->count - 1] & GENERATION_MASK;
    return handles->count | generation << GENERATION_SHIFT;
#else
    return handles->count;
#endif
}

static Value scoped_value(GenVM *vm, GenRef ref) {
    HandleScope *handles = vm->handles;
#ifdef GENVM_CHECKS
    uint32_t index = ref & INDEX_MASK, generation = ref >> GENERATION_SHIFT & GENERATION_MASK;
    if (index == 0 || index > handles->count ||
        (handles->generations[index - 1] & GENERATION_MASK) != generation)
        return misused(vm, "a ref was used whose scope is closed");
    return handles->values[index - 1];
#else
    if (likely(ref <= handles->count)) return handles->values[ref - 1];
    return misused(vm, "a ref was used whose scope is closed");
#endif
}

/* ---- kept refs ---- */

static struct KeptRef *find_kept(GenVM *vm, GenRef ref) {
    struct KeptRefs *kept = vm->kept;
    uint32_t index = ref & INDEX_MASK;
    if (!kept || index >= kept->count) return NULL;
    struct KeptRef *entry = &kept->refs[index];
    bool same = entry->generation == (ref >> GENERATION_SHIFT & GENERATION_MASK);
    return same && entry->value != VALUE_UNSET ? entry : NULL;
}

static struct KeptRef *new_kept(GenVM *vm, uint32_t *index) {
    if (!vm->kept) vm->kept = memory_new_zeroed(vm, 1, sizeof *vm->kept);
    struct KeptRefs *kept = vm->kept;
    if (kept && kept->free) {
        *index = kept->free - 1;
        kept->free = kept->refs[*index].next_free;
        return &kept->refs[*index];
    }
    if (!kept || kept->count > INDEX_MASK) return raise_memory(vm), NULL;
    if (kept->count == kept->capacity) {
        uint32_t capacity = kept->capacity ? kept->capacity * 2 : 16;
        struct KeptRef *refs = memory_resize(vm, kept->refs, capacity * sizeof *refs);
        if (!refs) return raise_memory(vm), NULL;
        kept->refs = refs;
        kept->capacity = capacity;
    }
    *index = kept->count++;
    kept->refs[*index].generation = first_generation(vm);
    return &kept->refs[*index];
}

GenRef gen_keep_at(GenVM *vm, GenRef ref, const char *file, int line) {
    API(vm);
    Value v = ref_value(vm, ref);
    uint32_t index;
    struct KeptRef *entry = v == VALUE_ERROR ? NULL : new_kept(vm, &index);
    if (!entry) return GEN_NULL;
    entry->value = v;
    entry->file = file;
    entry->line = line;
    return KEPT | (uint32_t)entry->generation << GENERATION_SHIFT | index;
}

void gen_release(GenVM *vm, GenRef ref) {
    API(vm);
    if (ref == GEN_NULL) return;
    struct KeptRef *entry = ref & KEPT ? find_kept(vm, ref) : NULL;
    if (!entry) {
        misused(vm, "gen_release of a ref that is not kept");
        return;
    }
    entry->value = VALUE_UNSET;
    entry->generation = (entry->generation + 1) & GENERATION_MASK;
    entry->next_free = vm->kept->free;
    vm->kept->free = (ref & INDEX_MASK) + 1;
}

static void refs_mark(GenVM *vm) {
    for (HandleScope *scope = vm->handles; scope; scope = scope->outer)
        for (uint32_t i = 0; i < scope->count; i++)
            gc_mark(vm, scope->values[i]);
    for (uint32_t i = 0; vm->kept && i < vm->kept->count; i++)
        gc_mark(vm, vm->kept->refs[i].value);
}

void refs_free(GenVM *vm) {
#ifdef GENVM_CHECKS
    for (uint32_t i = 0; vm->kept && i < vm->kept->count; i++)
        if (vm->kept->refs[i].value != VALUE_UNSET)
            fprintf(stderr, "genvm: the ref kept at %s:%d was never released\n",
                    vm->kept->refs[i].file, vm->kept->refs[i].line);
    if (vm->handles) memory_free(vm->handles->generations);
#endif
    if (vm->kept) memory_free(vm->kept->refs);
    memory_free(vm->kept);
    if (vm->handles) memory_free(vm->handles->values);
    memory_free(vm->handles);
    vm->handles = NULL;
}

/* ---- any ---- */

Value ref_value(GenVM *vm, GenRef ref) {
    if (likely(ref && !(ref & KEPT))) return scoped_value(vm, ref);
    struct KeptRef *entry = ref ? find_kept(vm, ref) : NULL;
    if (entry) return entry->value;
    if (ref) return misused(vm, "a ref was used that has been released");
    if (vm->exception == VALUE_UNSET)
        raise_error(vm, EXC_SYSTEM_ERROR, "a ref that holds no value was used");
    return VALUE_ERROR;
}

GenScope gen_scope_open(GenVM *vm) {
    API(vm);
    return vm->handles->count;
}
void gen_scope_close(GenVM *vm, GenScope scope) {
    API(vm);
    uint32_t floor = ((Handles *)vm->handles)->floor;
    if (scope <= vm->handles->count && scope >= floor) vm->handles->count = scope;
}

OwnScope own_scope_open(GenVM *vm) {
    Handles *handles = (Handles *)vm->handles;
    OwnScope outer = {handles->scope.count, handles->floor};
    handles->floor = outer.count;
    return outer;
}
void own_scope_close(GenVM *vm, OwnScope outer) {
    Handles *handles = (Handles *)vm->handles;
    handles->scope.count = outer.count;
    handles->floor = outer.floor;
}
GenRef gen_scope_return(GenVM *vm, GenScope scope, GenRef result) {
    API(vm);
    Value v = result == GEN_NULL ? VALUE_ERROR : ref_value(vm, result);
    gen_scope_close(vm, scope);
    return ref_hold(vm, v);
}
