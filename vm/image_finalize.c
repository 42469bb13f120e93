/* image_finalize.c - finalizers and images: what nothing reaches any more is in no image, but its
 * finalizer is to run all the same, if not here then there.
 *
 * A task that is alone in its VM takes along what waits to be finalized. Is there more that it does
 * not reach, then a collection finds out whether something else does. Before, registers that the
 * task will not read are cleared: so it sees here what it will see there.
 *
 * Behind the numbers of objects (image_identity.c) stand those whose __del__ was called already or
 * is among what waits: count, (record less the one before)...
 */
#include "vm/finalize.h"
#include "vm/generator.h"
#include "vm/image_private.h"
#include "vm/task.h"
#include "vm/weak.h"

/* ---- writing ---- */

typedef struct Search {
    ImageWriter *w;
    const Object *task; /* None: the whole VM is saved */
    bool found;
} Search;

static bool has_ended(const Object *task) {
    return task->state == TASK_DONE || task->state == TASK_FAILED;
}

static void look_for_tasks(GenVM *vm, Object *object, void *context) {
    Search *search = context;
    (void)vm;
    if (object->kind == TYPE_TASK && object != search->task && !has_ended(object))
        search->found = true;
}

static bool is_alone(GenVM *vm, Value task) {
    Search search = {.task = is_object(task) ? as_object(task) : NULL};
    gc_each_finalizable(vm, look_for_tasks, &search);
    return !search.found;
}

/* Files and objects of the host wait where they are. */
Value image_due(ImageWriter *w, Value task) {
    GenVM *vm = w->vm;
    Value list = list_new(vm, 0);
    bool alone = vm->pending_count && is_alone(vm, task);
    for (uint32_t i = 0; alone && list != VALUE_ERROR && i < vm->pending_count; i++) {
        Object *object = vm->pending_finalizers[i];
        if (!finalize_native(vm, object) && !list_append(vm, list, object_value(object)))
            return VALUE_ERROR;
    }
    return list;
}

static void look_for_left(GenVM *vm, Object *object, void *context) {
    Search *search = context;
    if (object->gc & GC_LEFT || object->kind == TYPE_TASK || finalize_is_finished(object) ||
        finalize_native(vm, object) || image_is_known(search->w, object))
        return;
    search->found = true;
    if (search->w->settled) object->gc |= GC_LEFT;
}

bool image_leaves_some(ImageWriter *w, Value task) {
    if (w->vm->base || w->vm->finalizing || !is_alone(w->vm, task)) return false;
    Search search = {.w = w};
    gc_each_finalizable(w->vm, look_for_left, &search);
    return search.found;
}

/* A generator that has nothing to finalize is among them, too. */
static bool is_finalized(GenVM *vm, Object *object) {
    if (object->gc & (GC_FINALIZABLE | GC_PERMANENT)) return false;
    if (is_generator_like(object_value(object))) return !finalize_is_finished(object);
    return object->kind == TYPE_OBJECT &&
           vm->shapes[object->shape].type->special[SP_DEL] != VALUE_UNSET;
}

void image_put_finalized(ImageWriter *w) {
    uint32_t count = 0, last = 0;
    for (uint32_t i = 0; i < w->count; i++)
        count += is_finalized(w->vm, w->records[i].object);
    image_put_number(w->out, count);
    for (uint32_t i = 0; i < w->count; i++) {
        if (!is_finalized(w->vm, w->records[i].object)) continue;
        image_put_number(w->out, i - last);
        last = i;
    }
}

/* ---- reading ---- */

bool image_get_finalized(ImageReader *r) {
    uint64_t count, record = 0;
    r->finalized = r->at;
    if (!image_get_count(r, &count, 1)) return false;
    for (uint64_t i = 0; i < count; i++) {
        record += image_get_number(r);
        if (r->vm->exception != VALUE_UNSET) return false;
        if (record >= r->count || (r->objects[record]->kind != TYPE_OBJECT &&
                                   !is_generator_like(object_value(r->objects[record]))))
            return image_bad(r, "what cannot have been finalized");
    }
    return true;
}

void image_forget_finalized(ImageReader *r) {
    GenVM *vm = r->vm;
    if (!r->finalized) return;
    r->at = r->finalized;
    uint64_t count = image_get_number(r), record = 0;
    for (uint64_t i = 0; i < count; i++) {
        record += image_get_number(r);
        r->objects[record]->gc &= (uint8_t)~GC_FINALIZABLE;
    }
    for (uint32_t i = 0; i < vm->pending_count; i++)
        if (!finalize_native(vm, vm->pending_finalizers[i]))
            vm->pending_finalizers[i]->gc &= (uint8_t)~GC_FINALIZABLE;
    if (count || vm->pending_count) gc_forget_finalized(vm);
}

bool image_check_due(Value list) {
    if (!is_kind(list, TYPE_LIST)) return false;
    for (uint64_t i = 0; i < AS_LIST(list)->count; i++)
        if (!is_object(AS_LIST(list)->items[i])) return false;
    return true;
}

/* The callbacks of references are due by themselves (image_weak.c). */
bool image_take_due(GenVM *vm, Value list) {
    for (uint64_t i = 0; i < AS_LIST(list)->count; i++) {
        Object *object = as_object(AS_LIST(list)->items[i]);
        if (object->kind == TYPE_WEAKREF) continue;
        if (!gc_push_pointer(vm, &vm->pending_finalizers, &vm->pending_count, &vm->pending_capacity,
                             object))
            return raise_memory(vm), false;
        vm->pending_total++;
        vm->poll |= POLL_FINALIZE;
    }
    return true;
}
