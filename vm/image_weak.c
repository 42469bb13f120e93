/* image_weak.c - weak references in images.
 *
 * A reference keeps nothing alive, in an image neither: what it refers to is saved if something
 * else that is saved refers to it, or if the other side has it by name. This is known when all
 * bodies are written, so the targets stand behind them, one value for each reference in the order
 * of the records: the object; None: it was gone before; UNSET: it goes now, or has just gone, and
 * the callback is called in the VM that loads.
 *
 *     shell     class
 *     body      callback, hash (both optional), 1: the hash is one that C code tells anew, the
 *               serial number, which orders the callbacks
 */
#include "vm/image_private.h"
#include "vm/memory.h"
#include "vm/type_private.h"
#include "vm/weak.h"

#include <stdlib.h>

/* ---- writing ---- */

void save_weakref_shell(ImageWriter *w, Object *object) {
    image_put_class(w, object);
    w->weak = true;
}

static bool is_hashed_in_c(GenVM *vm, const Weakref *reference) {
    uint64_t hash;
    if (!reference->target || reference->hash == VALUE_UNSET) return false;
    Leaf known = leaf_hash(vm, object_value(reference->target), &hash);
    if (known == LEAF_ERROR) error_clear(vm);
    return known == LEAF_TRUE;
}

void save_weakref_body(ImageWriter *w, Object *object) {
    const Weakref *reference = (const Weakref *)object;
    image_put_value(w, reference->callback);
    image_put_value(w, reference->hash);
    image_put_byte(w->out, is_hashed_in_c(w->vm, reference));
    image_put_number(w->out, reference->serial);
    image_put_extra(w, object);
}

static bool is_due(GenVM *vm, const Object *reference) {
    for (uint32_t i = 0; i < vm->pending_count; i++)
        if (vm->pending_finalizers[i] == reference) return true;
    return false;
}

void image_put_targets(ImageWriter *w) {
    uint32_t count = w->weak ? w->count : 0;
    for (uint32_t i = 0; i < count && !w->failed; i++) {
        if (w->records[i].tag != IMAGE_WEAKREF) continue;
        const Object *reference = w->records[i].object;
        Object *target = ((const Weakref *)reference)->target;
        if (!target && !is_due(w->vm, reference))
            image_put_value(w, VALUE_NONE);
        else
            image_put_pointer(w, target && image_is_known(w, target) ? target : NULL);
    }
}

/* ---- reading ---- */

Object *load_weakref_shell(ImageReader *r) {
    Type *type;
    if (!image_get_class(r, TYPE_WEAKREF, &type)) return NULL;
    Weakref *reference = gc_new_of(r->vm, sizeof *reference, TYPE_WEAKREF, type);
    if (!reference) return NULL;
    reference->callback = reference->hash = VALUE_UNSET;
    r->weak = true;
    return &reference->header;
}

/* The flags hold until the end what is known of it. */
enum { HASHED_IN_C = 1, DIES = 2 };

bool load_weakref_body(ImageReader *r, Object *object) {
    Weakref *reference = (Weakref *)object;
    if (!image_get_optional(r, &reference->callback) || !image_get_optional(r, &reference->hash))
        return false;
    if (reference->hash != VALUE_UNSET && !is_int(reference->hash) &&
        !is_exact(reference->hash, TYPE_INT))
        return image_bad(r, "a hash that is no number");
    object->flags = image_get_number(r) ? HASHED_IN_C : 0;
    reference->serial = image_get_number(r);
    return image_get_extra(r, object);
}

static bool is_constant(Value v) {
    return !is_object(v) ||
           (as_object(v) >= gen_singletons && as_object(v) < gen_singletons + CONSTANT_UNSET);
}

bool image_get_targets(ImageReader *r) {
    for (uint32_t i = 0; r->weak && i < r->count; i++) {
        Value target;
        if (r->tags[i] != IMAGE_WEAKREF) continue;
        Weakref *reference = (Weakref *)r->objects[i];
        if (!image_get_optional(r, &target)) return false;
        if (target == VALUE_UNSET) reference->header.flags |= DIES;
        if (target == VALUE_UNSET || target == VALUE_NONE) continue;
        if (is_constant(target)) return image_bad(r, "a weak reference to no object");
        reference->target = as_object(target);
        if (reference->header.flags & HASHED_IN_C) reference->hash = VALUE_UNSET;
    }
    return true;
}

/* The target may go before anybody asks again. */
static void hash_again(GenVM *vm, const Weakref *reference) {
    uint64_t hash;
    if (leaf_hash(vm, object_value(reference), &hash) == LEAF_ERROR) error_clear(vm);
}

static int by_age(const void *left, const void *right) {
    uint64_t one = (*(Weakref *const *)left)->serial, other = (*(Weakref *const *)right)->serial;
    return (one > other) - (one < other);
}

static bool take(GenVM *vm, Weakref *reference) {
    uint8_t flags = reference->header.flags;
    reference->header.flags = 0;
    if (!weakref_restore(vm, reference, flags & DIES)) return false;
    if (flags & HASHED_IN_C && reference->target) hash_again(vm, reference);
    return true;
}

bool image_take_weakrefs(ImageReader *r) {
    uint32_t count = 0;
    if (!r->weak) return true;
    Weakref **all = memory_new(r->vm, (r->count + 1) * sizeof(Weakref *));
    if (!all) return raise_memory(r->vm), false;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->tags[i] == IMAGE_WEAKREF) all[count++] = (Weakref *)r->objects[i];
    qsort(all, count, sizeof *all, by_age);
    bool ok = true;
    for (uint32_t i = 0; ok && i < count; i++)
        ok = take(r->vm, all[i]);
    memory_free(all);
    return ok;
}
