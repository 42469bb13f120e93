/* continue.h - continuation frames: what is left to do of an instruction when the call it made has
 * returned. */
#ifndef GEN_CONTINUE_H
#define GEN_CONTINUE_H

#include "vm/code.h"
#include "vm/frame.h"

/* The functions of continuation frames, one a Return, and their code: shared by all VMs (shared.h).
 */
typedef struct ContinueStubs {
    Code code;
    Instr instrs[RETURN_COUNT * 2];
    Function functions[RETURN_COUNT];
} ContinueStubs;
void continue_make(ContinueStubs *stubs, Value empty_str);

void continue_init(GenVM *vm); /* sets vm->stubs and vm->stub_code */
static inline Function *continue_stub(GenVM *vm, Return kind) {
    return vm->stubs[kind];
}
static inline bool continue_is_stub(GenVM *vm, const Function *function) {
    return function->code == vm->stub_code;
}
Return continue_kind(GenVM *vm, const Function *function);

bool continue_run(GenVM *vm,
                  Return kind); /* the CONT instruction: vm->base is the continuation frame */
bool continue_error(GenVM *vm, Return kind); /* an exception reached it: true if it is dealt with */

/* Goes on with the truth of v by `kind` (RETURN_TRUTH_...): at once, or after calling __bool__ or
 * __len__. */
bool continue_truth(GenVM *vm, Return kind, Value v);
/* The same for an answer that may be VALUE_TAIL (a comparison by script code). */
bool continue_truth_of(GenVM *vm, Return kind, Value answer);
bool continue_truth_push(GenVM *vm, Return kind); /* ... the answer of the call made next */
/* Pushes a continuation, then makes the call in vm->tail. */
bool continue_tail(GenVM *vm, Return kind);
bool continue_new_instance(GenVM *vm, Value instance, Function *init, const Value *args,
                           uint32_t count); /* init takes exactly self and these */
bool continue_operator(GenVM *vm, Function *method, int op, Value a,
                       Value b); /* op: see operations.h */
bool continue_discard(GenVM *vm,
                      Value answer); /* answer of a SETATTR, SETITEM, ...: nothing is stored */
void frame_pop(GenVM *vm);
void vm_set_branch(GenVM *vm,
                   bool truth); /* take or not the jump of the instruction before vm->pc */

#endif
