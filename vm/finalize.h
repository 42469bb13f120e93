/* finalize.h - what the collector (gc.c) asks about objects with a finalizer, and what it offers
 * for that. */
#ifndef GEN_FINALIZE_H
#define GEN_FINALIZE_H

#include "vm/gc.h"

/* The finalizer in C, or NULL. */
void (*finalize_native(GenVM *vm, const Object *object))(GenVM *, Object *);
/* A generator that needs no closing. */
bool finalize_is_finished(Object *object);

/* After marking: how many of the listed objects nothing reaches and need script code. They are
 * candidates then, which keep no GC_FINALIZABLE; finished generators are taken out of the list.
 * *natives grows by the number of those with a finalizer in C. */
uint32_t finalize_find_candidates(GenVM *vm, Object **list, uint32_t *count, uint32_t *natives);
/* Moves the candidates from the list to vm->pending_finalizers, which are taken from its end.
 * Files stay in the list, too, to be closed for good when nothing reaches them again. */
void finalize_take_candidates(GenVM *vm, Object **list, uint32_t *count);

/* gc.c */
void gc_trace_children(GenVM *vm, Object *object); /* marks all that it reaches */
bool gc_push_pointer(GenVM *vm, Object ***items, uint32_t *count, uint32_t *capacity,
                     Object *object);

#endif
