/* identity.h - the number that tells an object from all others that live: what id() gives, and the
 * hash of what has no other. It is the object's address, and stays what it was where a task goes on
 * in another VM: an image of one tells the numbers that were asked for (image_identity.c), and
 * objects keep them there in a table, by which a new object at such an address gets another one.
 */
#ifndef GEN_IDENTITY_H
#define GEN_IDENTITY_H

#include "vm/vm.h"

uint64_t identity_tell(GenVM *vm, Object *object); /* identity_of, where it is not the address */

static inline uint64_t identity_of(GenVM *vm, Object *object) {
    bool plain = (object->gc & (GC_IDENTIFIED | GC_RENAMED)) == GC_IDENTIFIED;
    return likely(plain) ? (uint64_t)(uintptr_t)object : identity_tell(vm, object);
}

/* Of any value: of what lies in no memory, its bits. */
static inline uint64_t identity_of_value(GenVM *vm, Value v) {
    return is_object(v) ? identity_of(vm, as_object(v)) : v;
}

/* Before some objects are given numbers of another VM: room for so many. False without memory. */
bool identities_reserve(GenVM *vm, uint64_t count);
/* Gives it that number, unless it has been asked for its own, or another one may have it. */
void identities_give(GenVM *vm, Object *object, uint64_t identity);

void identities_sweep(GenVM *vm); /* forgets objects that are not marked */
void identities_free(GenVM *vm);

#endif
