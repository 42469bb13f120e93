/* image_frame_objects.c - frame objects in images: what scripts hold of a frame (sys._getframe,
 * gi_frame, tb_frame), which is not the frame.
 *
 *     function, generator, locals, back    values, as in FrameObject; all but the first optional
 *     word                                 the instruction
 *     place                                0: the frame is gone, or a generator's; else 1 + how
 * many frames are above it, and the thread (UNSET: the one that runs) on whose stack it is
 *
 * Only a frame of the task that is saved is there on the other side. One that runs elsewhere, of
 * the script that saves a value, is saved as if it had just returned: with its variables and its
 * callers as they are.
 */
#include "vm/frame_object.h"
#include "vm/image_custom.h"
#include "vm/task.h"
#include "vm/threads.h"

/* ---- writing ---- */

static void save_shell(ImageWriter *w, Object *object) {
    (void)w, (void)object;
}

/* How many frames are above that of the object, plus one; 0: it is not on the stack. */
static uint64_t place_on(const FrameObject *frame, const TaskState *state) {
    uint64_t place = 1;
    for (Value *base = state->frames.base; base; base = frame_caller(base), place++)
        if (base == state->frames.stack + frame->offset)
            return base[FRAME_FUNCTION] == frame->function &&
                           frame_return_pc(base) == frame->return_pc
                       ? place
                       : 0;
    return 0;
}

static uint64_t find_place(const ImageWriter *w, const FrameObject *frame, const Thread **thread) {
    *thread = NULL;
    if (!w->task || frame->offset < 0) return 0;
    uint64_t place = place_on(frame, &w->task->state);
    const Threads *threads = w->threads;
    for (const Thread *at = threads ? threads->alive : NULL; at && !place; at = at->after) {
        if (at == threads->current) continue;
        place = place_on(frame, &at->state);
        *thread = at;
    }
    return place;
}

static void save_body(ImageWriter *w, Object *object) {
    FrameObject *frame = (FrameObject *)object;
    const Thread *thread;
    uint64_t place = find_place(w, frame, &thread);
    if (!place && !frame_object_settle(w->vm, frame)) {
        w->failed = true;
        return;
    }
    image_put_value(w, frame->function);
    image_put_value(w, frame->generator);
    image_put_value(w, frame->locals);
    image_put_value(w, frame->back);
    image_put_number(w->out, frame->word);
    image_put_number(w->out, place);
    if (place) image_put_pointer(w, thread);
}

/* ---- reading ---- */

static Object *load_shell(ImageReader *r, Type *type) {
    (void)type;
    return (Object *)frame_object_new(r->vm, VALUE_UNSET, 0);
}

static bool load_body(ImageReader *r, Object *object) {
    FrameObject *frame = (FrameObject *)object;
    Thread *thread = NULL;
    if (!image_get_kind(r, TYPE_FUNCTION, &frame->function) ||
        !image_get_optional(r, &frame->generator) || !image_get_optional(r, &frame->locals) ||
        !image_get_optional(r, &frame->back) || !image_get_u32(r, &frame->word))
        return false;
    uint64_t place = image_get_number(r);
    if (place && !image_get_pointer(r, TYPE_THREAD, &thread)) return false;
    if (place > (uint64_t)(r->end - r->start)) return image_bad(r, "a frame object of no frame");
    frame->offset = (int64_t)place - 1;
    frame->return_pc = (const Instr *)(const void *)thread; /* until image_find_frames */
    gc_barrier(r->vm, object);
    return true;
}

static bool check(ImageReader *r, Object *object) {
    const FrameObject *frame = (const FrameObject *)object;
    const Function *function = AS(Function, frame->function);
    Value generator = frame->generator, back = frame->back;
    if (!code_thaw(r->vm, function->code) || frame->word >= function->code->instr_count)
        return false;
    if (generator != VALUE_UNSET &&
        (!is_generator_like(generator) || generator_function(AS(Generator, generator)) != function))
        return false;
    return back == VALUE_UNSET || back == VALUE_NONE || is_kind(back, TYPE_FRAME);
}

const ImageCustom frame_object_image = {
    .version = 1,
    .save_shell = save_shell,
    .save_body = save_body,
    .load_shell = load_shell,
    .load_body = load_body,
    .check = check,
};
