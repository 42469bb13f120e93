/* resume.h - natives that run in steps.
 *
 *     return native_steps(vm, RESUME_X, count, state...);
 *
 * gives the native a frame whose registers are r0 (RESUME_RESULT), the ResumeId, and the state from
 * RESUME_STATE on; then its step function runs. A step computes until it needs script code: it
 * notes in the state where it stands and returns what the leaf operation gave, VALUE_TAIL. It is
 * run again when the call has returned, its result in r0. Any other value that it returns is the
 * native's result. The state is nothing but Values: such a frame can be saved.
 */
#ifndef GEN_RESUME_H
#define GEN_RESUME_H

#include "vm/vm.h"

typedef enum ResumeId {
#define RESUME(id, function, check) RESUME_##id,
#include "vm/resumes.def"
#undef RESUME
    RESUME_COUNT
} ResumeId;

enum { RESUME_RESULT = 0, RESUME_ID = 1, RESUME_STATE = 2, RESUME_REGISTERS = 12 };

typedef Value (*ResumeFn)(GenVM *vm, Value *registers);
typedef bool (*ResumeCheckFn)(GenVM *vm, Value *registers);
#define RESUME(id, function, check)                                                                \
    Value function(GenVM *vm, Value *registers);                                                   \
    bool check(GenVM *vm, Value *registers);
#include "vm/resumes.def"
#undef RESUME

Value native_steps(GenVM *vm, ResumeId id, int count, ...); /* at most 8 values */

/* a OP b for a step: where the method that is asked first is a plain function it is called without
 * a continuation of the operator's own. NotImplemented in r0 then asks for compare_rest. */
Value compare_first(GenVM *vm, CompareOp op, Value a, Value b);
Value compare_rest(GenVM *vm, CompareOp op, Value a, Value b);

/* For images: can these be the registers of a native that waits. Then its steps can do no harm,
 * whatever the script code answers. What only the native may change is replaced by a copy, since
 * the image may show it to scripts. False also with an exception pending. */
bool resume_check(GenVM *vm, Value *registers);
/* What goes into an image for register `i`; and, when what it refers to is whole again and all
 * tables are laid out as they were, the way back. */
Value resume_saved(GenVM *vm, Value *registers, uint32_t i);
void resume_loaded(Value *registers);

/* For continue.c and call.c: a step; what is to be done about an exception that the script code
 * raised; the first call. */
bool resume_run(GenVM *vm);
void resume_error(GenVM *vm);
bool resume_begin(GenVM *vm, const Value *args, uint32_t count);

#endif
