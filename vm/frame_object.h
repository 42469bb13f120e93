/* frame_object.h - frame objects: what scripts see of a frame (f_code, f_lineno, f_locals, ...),
 * made on demand. */
#ifndef GEN_FRAME_OBJECT_H
#define GEN_FRAME_OBJECT_H

#include "vm/generator.h"

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
