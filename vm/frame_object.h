/* frame_object.h - frame objects: what scripts see of a frame (f_code, f_lineno, f_locals, ...),
 * made on demand. */
#ifndef GEN_FRAME_OBJECT_H
#define GEN_FRAME_OBJECT_H

#include "vm/generator.h"

typedef struct FrameObject {
    Object header;
    Value function;
    Value generator; /* VALUE_UNSET: not a generator's */
    Value locals;    /* dict as last seen, or VALUE_UNSET */
    Value back;      /* frame object, None, or VALUE_UNSET: not known yet */
    int64_t offset;  /* of its registers on the stack in words; -1: it was never there */
    const Instr *return_pc;
    uint32_t word;
} FrameObject;

FrameObject *frame_object_new(GenVM *vm, Value function, uint32_t word); /* a frame that is gone */
/* Of a frame that runs, notes locals and caller as they are now. False with MemoryError pending. */
bool frame_object_settle(GenVM *vm, FrameObject *frame);

extern const struct ImageCustom frame_object_image; /* image_frame_objects.c */

Value frame_object_of_traceback(GenVM *vm, Value function,
                                uint32_t word);                   /* a frame that is gone */
Value frame_object_of_generator(GenVM *vm, Generator *generator); /* gi_frame: None when finished */
Value frame_object_function(Value frame);
Value frame_object_of_caller(GenVM *vm,
                             int64_t depth); /* sys._getframe; VALUE_UNSET beyond the last */

/* Its registers and the instruction at which it stands; false beyond the last. */
bool frame_script_at(GenVM *vm, int64_t depth, Value **base, uint32_t *word);

/* The local variables of the running script frame `base` as a new dict: what locals() gives. */
Value frame_locals(GenVM *vm, Value *base);
/* The local variable of that name, or VALUE_UNSET. */
Value frame_variable(GenVM *vm, Value *base, const char *name);
Value *
frame_script_base(GenVM *vm,
                  int64_t depth); /* the depth-th script frame, innermost 0; NULL beyond the last */

#endif
