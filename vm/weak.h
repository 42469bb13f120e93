/* weak.h - weak references: objects that name another without keeping it alive. The collector
 * clears them; callbacks run at the next safepoint, as finalizers do.
 */
#ifndef GEN_WEAK_H
#define GEN_WEAK_H

#include "vm/native.h"

typedef struct Weakref {
    Object header;
    Object *target;       /* NULL: it is gone. Not traced */
    Value callback;       /* VALUE_UNSET: none; it is called with the reference once */
    Value hash;           /* that of the target, once it was asked for; VALUE_UNSET */
    struct Weakref *next; /* in the same bucket of the table, the younger first; not traced */
    uint64_t serial;      /* the younger, the higher: their callbacks come first */
} Weakref;

/* For the collector, when everything reachable is marked: clears the references to what is not,
 * before finalizers can reach it once more ... */
void weakrefs_clear(GenVM *vm);
/* ... and when what they can reach is marked, too: forgets references that nothing reaches, and
 * hands those whose callback is due to vm->pending_finalizers. */
void weakrefs_sweep(GenVM *vm);
void weakrefs_mark(GenVM *vm);           /* those whose callback could not be handed over yet */
bool weakrefs_have_callbacks(GenVM *vm); /* may the death of anything call one */
void weakrefs_free(GenVM *vm);
/* For images: a reference to a target that is there; `dies`: to one that is not, so that its
 * callback is called as if it had just gone. The older ones first. False with MemoryError pending.
 */
bool weakref_restore(GenVM *vm, Weakref *reference, bool dies);
/* The callback of a reference that was cleared; VALUE_UNSET: none. */
Value weakref_callback(Object *reference);

#endif
