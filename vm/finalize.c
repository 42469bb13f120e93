/* finalize.c - in which order the finalizers of garbage run that are script code.
 *
 * An object is finalized before what it owns, as where references are counted: what nothing else
 * among the garbage reaches comes first. In a cycle nothing is first; there files go from the top
 * layer down, so that what waits in one is still written.
 */
#include "vm/finalize.h"
#include "vm/generator.h"
#include "vm/objects/files.h"
#include "vm/vm.h"

/* Of a host's object its type's, however a script class derived from it looks. */
void (*finalize_native(GenVM *vm, const Object *object))(GenVM *, Object *) {
    Type *type = vm->shapes[object->shape].type;
    void (*finalize)(GenVM *, Object *) = type->slots.finalize;
    if (!finalize && object->kind == TYPE_HOST) finalize = type->def->slots.finalize;
    return finalize;
}

/* A generator that needs no closing: at its end, or never started (of a coroutine that is told). */
bool finalize_is_finished(Object *object) {
    if (!is_generator_like(object_value(object))) return false;
    if (object->state == GENERATOR_DONE) return true;
    Generator *generator = (Generator *)object;
    if (object->kind == TYPE_COROUTINE || !generator_unstarted(generator)) return false;
    if (object->kind == TYPE_GENERATOR) return !generator_is_step(generator);
    return object->kind == TYPE_ASYNC_GENERATOR && *generator_hook(generator) == VALUE_UNSET;
}

/* Objects with a finalizer that nothing reaches. Those that need script code (suspended generators,
 * __del__) are candidates: marked as no longer GC_FINALIZABLE, while they are still in the list.
 * They come to life once more, in vm->pending_finalizers, with all that they reach, for the next
 * safepoint. */
static bool is_candidate(const Object *object) {
    return !(object->gc & GC_FINALIZABLE);
}

uint32_t finalize_find_candidates(GenVM *vm, Object **list, uint32_t *count, uint32_t *natives) {
    uint32_t kept = 0, candidates = 0;
    for (uint32_t i = 0; i < *count; i++) {
        Object *object = list[i];
        bool reached = object->gc & GC_MARKED;
        if (!reached && finalize_is_finished(object)) {
            object->gc &= (uint8_t)~GC_FINALIZABLE;
            continue;
        }
        list[kept++] = object;
        if (reached) continue;
        if (finalize_native(vm, object)) {
            ++*natives;
            if (!file_needs_script(vm, object)) continue;
        }
        object->gc &= (uint8_t)~GC_FINALIZABLE;
        candidates++;
    }
    *count = kept;
    return candidates;
}

/* Afterwards a candidate is marked where another one, or itself, reaches it. */
static void mark_owned(GenVM *vm, Object **list, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        Object *object = list[i];
        if (!is_candidate(object) || object->gc & GC_MARKED) continue;
        gc_trace_children(vm, object);
    }
}

static void push_candidate(GenVM *vm, Object *object) {
    if (gc_push_pointer(vm, &vm->pending_finalizers, &vm->pending_count, &vm->pending_capacity,
                        object)) {
        vm->poll |= POLL_FINALIZE;
        if (finalize_native(vm, object)) object->flags |= FILE_DELETED;
    } else { /* the next collection tries again */
        object->gc |= GC_FINALIZABLE;
        gc_mark_object(vm, object);
    }
}

/* The streams of scripts that files among them are over: they must be open until these are closed.
 * For the time being they are no candidates any more. */
static void push_below(GenVM *vm, Object **list, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        Object *object = list[i];
        if (!is_candidate(object) || !finalize_native(vm, object)) continue;
        Value below = file_below(object);
        if (!is_object(below) || as_object(below)->gc & GC_FINALIZABLE) continue;
        Type *type = vm->shapes[as_object(below)->shape].type;
        if (type->slots.finalize || type->special[SP_DEL] == VALUE_UNSET) continue;
        push_candidate(vm, as_object(below));
        as_object(below)->gc |= GC_FINALIZABLE;
    }
}

/* Owned candidates, files or not. */
static void push_owned(GenVM *vm, Object **list, uint32_t count, bool files) {
    for (uint32_t i = 0; i < count; i++) {
        Object *object = list[files ? i : count - 1 - i];
        if (is_candidate(object) && object->gc & GC_MARKED &&
            (finalize_native(vm, object) != NULL) == files)
            push_candidate(vm, object);
    }
}

/* They are taken from the end: first what no other one reaches, the oldest first; then what others
 * reach; then files, the topmost layer, which is the newest, first; then what these are over. */
static void push_candidates(GenVM *vm, Object **list, uint32_t count) {
    uint32_t from = vm->pending_count;
    push_below(vm, list, count);
    uint32_t below_end = vm->pending_count;
    push_owned(vm, list, count, true);
    push_owned(vm, list, count, false);
    for (uint32_t i = count; i-- > 0;) {
        Object *object = list[i];
        if (is_candidate(object) && !(object->gc & GC_MARKED)) push_candidate(vm, object);
    }
    for (uint32_t i = from; i < below_end; i++)
        vm->pending_finalizers[i]->gc &= (uint8_t)~GC_FINALIZABLE;
}

/* Files stay in the list, to be closed for good when nothing reaches them again. */
static uint32_t drop_candidates(GenVM *vm, Object **list, uint32_t count) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        Object *object = list[i];
        if (is_candidate(object)) {
            if (!finalize_native(vm, object)) continue;
            object->gc |= GC_FINALIZABLE;
        }
        list[kept++] = object;
    }
    return kept;
}

void finalize_take_candidates(GenVM *vm, Object **list, uint32_t *count) {
    mark_owned(vm, list, *count);
    push_candidates(vm, list, *count);
    *count = drop_candidates(vm, list, *count);
}
