/* gc.h - the heap: allocation, collection, accounting.
 *
 * THE RULE. A collection happens only at a safepoint: when the interpreter takes a backward jump,
 * calls or resumes a frame and finds vm->poll set. Never inside an allocation, never inside a
 * native function. So C code that runs no script code (and no C code can run script code but
 * through the interpreter, see native.h) needs no rooting: hold Values in C locals as you like, for
 * the length of one native call. What must outlive the call must be reachable from the arguments'
 * objects, from vm's fields listed in gc_mark_roots, or from a register.
 *
 * WRITE BARRIER. After storing a Value that may be a pointer into an object that existed before
 * this native call (or any object that is not freshly allocated by you in this call), call
 * gc_barrier(vm, object).
 *
 * Storage that grows is a Buffer object of its own. gc_buffer_resize may free the old one at once:
 * only its one owner may point to it.
 */
#ifndef GEN_GC_H
#define GEN_GC_H

#include "vm/object.h"

/* An object of `size` bytes (header included) of the given kind and root shape (a TypeId for
 * builtin types), of which only the header is set: for layouts that are filled at once. NULL with
 * MemoryError pending if it would break the memory budget by itself or malloc fails. In line below
 * the struct GenVM, in vm.h. */
static inline void *gc_new_raw(GenVM *vm, size_t size, TypeId kind);

/* The same with zeros behind the header. */
static inline void *gc_new(GenVM *vm, size_t size, TypeId kind);

/* Where the next objects of a size class are bumped off, one area a size of 16 bytes up to
 * GC_SMALL; the field GenVM.areas, filled by gc.c. */
enum { GC_GRANULE = 16, GC_SMALL = 512, GC_AREAS = GC_SMALL / GC_GRANULE + 1 };
typedef struct GcArea {
    char *next, *end; /* equal: ask gc_new_slow */
} GcArea;

void *gc_new_slow(GenVM *vm, size_t size, TypeId kind); /* gc_new_raw where that finds no room */

/* An object of kind `kind` that is an instance of `cls` (exactly the builtin type or a subclass):
 * sets shape and state. */
struct Type;
void *gc_new_of(GenVM *vm, size_t size, TypeId kind, struct Type *cls);

/* The word that an instance of a script subclass of a builtin type (state OBJECT_SUBCLASS, made by
 * gc_new_of), or any file object, has at the end of its memory: the Dict of its attributes, or
 * VALUE_UNSET. Traced by gc.c. Not for Instance, Exception, HostObject, which have a field of their
 * own. */
Value *gc_extra_word(GenVM *vm, Object *object);
bool gc_has_extra_word(const Object *object);

Buffer *gc_buffer_new(GenVM *vm,
                      size_t capacity); /* NULL with MemoryError pending; contents undefined */
Buffer *gc_buffer_resize(GenVM *vm, Buffer *buffer, size_t capacity); /* buffer may be NULL */
void gc_buffer_free(GenVM *vm, Buffer *buffer);                       /* optional early release */

/* Before work whose size the program chooses: false with MemoryError pending when `bytes` do not
 * fit the budget. */
bool gc_check_size(GenVM *vm, uint64_t bytes);
bool gc_has_room(GenVM *vm, uint64_t bytes); /* the same, without an exception */

/* Memory of some megabytes in pages of 2 MB is touched for the first time with fewer faults, and
 * walked at random with fewer misses of the address cache. Only advice: nothing depends on it. */
void gc_use_huge_pages(void *start, size_t size);

void gc_remember(GenVM *vm, Object *object);
static inline void gc_barrier(GenVM *vm, void *pointer) {
    Object *object = pointer;
    if (unlikely((object->gc & (GC_MARKED | GC_REMEMBERED)) == GC_MARKED)) gc_remember(vm, object);
}

/* For trace functions: marks what a value or an object pointer (may be NULL) refers to. */
void gc_mark_object(GenVM *vm, Object *object);
static inline void gc_mark(GenVM *vm, Value v) {
    if (is_object(v)) gc_mark_object(vm, as_object(v));
}
static inline void gc_mark_pointer(GenVM *vm, void *object) {
    if (object) gc_mark_object(vm, object);
}

/* The object's type has a finalizer (files, generators suspended in try/with, instances with
 * __del__): have it called once, at a safepoint after it became unreachable. Without memory for
 * more of them, the next safepoint raises MemoryError. */
void gc_finalizable(GenVM *vm, void *object);
/* Is there any now that there was not when gc_begin_finalizable was called last: at the end of a
 * new VM. */
void gc_begin_finalizable(GenVM *vm);
bool gc_has_finalizable(GenVM *vm);
void gc_forget_finalized(GenVM *vm); /* those that have no GC_FINALIZABLE any more */
void gc_each_finalizable(GenVM *vm, void (*visit)(GenVM *vm, Object *object, void *context),
                         void *context);

bool gc_init(GenVM *vm);
void gc_free_heap(GenVM *vm);
#ifdef GEN_STRESS_GC
void gc_stress_cycle(GenVM *vm); /* let the next collection begin a cycle */
#endif
void gc_collect(GenVM *vm, bool full); /* only at a safepoint, with registers saved in the task */
uint64_t gc_live_bytes(GenVM *vm);     /* and of the blocks of memory.h */

/* What the heap gave for an object: a step of its size class, or the size of a large one. 0 for
 * NULL and singletons. */
uint64_t gc_object_size(const Object *object);

/* Memory budget, 0 for none: what the heap may hold, and by how much an allocation may break that
 * until the next safepoint, where it is enforced; more is refused at once. */
void gc_set_limit(GenVM *vm, uint64_t bytes, uint64_t beyond);
bool gc_is_identified(GenVM *vm, uintptr_t address); /* may an object lie there whose number was
                                                        asked for (identity.h) */
uint64_t gc_collection_count(GenVM *vm, bool full);
void gc_replace_remembered(GenVM *vm, Object *from, Object *to);

#endif
