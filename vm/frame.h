/* frame.h - frames on the register stack, calls, and what happens when they return.
 *
 *        caller's registers            callee's frame
 *     ... | func | links..... | arg0 arg1 ... locals, temporaries ... | <- next frames
 *          base[-4] ... base[-1]  base[0]
 *
 * A frame is its registers; the four words below `base` link it to its caller:
 *     base[FRAME_FUNCTION] the running function (a Value)       base[FRAME_CALLER]  the caller's
 * base (Value *) base[FRAME_CONSTS] the caller's constants (Value *)       base[FRAME_PC] where the
 * caller goes on (Instr *) Raw pointers are 8-byte aligned and so look like small ints: the
 * collector may scan the stack as Values. Returning stores the result in the register that operand
 * `a` of the caller's instruction before that pc names. So an instruction whose result goes to R[a]
 * needs nothing more to call script code. For the others there are continuation frames: a frame of
 * the engine's own stub code (returns.def), in between, whose registers hold what is left to do.
 *
 * The stack moves when it grows: after anything that pushes a frame, take `vm->base` again. A
 * generator's registers lie in the generator object (generator.h); frames called from one start at
 * its saved stack top.
 */
#ifndef GEN_FRAME_H
#define GEN_FRAME_H

#include "vm/code.h"

/* The function comes first: in plain code it is the callable of the window and already in its
 * place.
 */
enum { FRAME_FUNCTION = -4, FRAME_CALLER = -3, FRAME_CONSTS = -2, FRAME_PC = -1, FRAME_LINKS = 4 };
enum {
    STACK_RED_ZONE = 320
}; /* registers that are always free above vm->limit: one maximal frame and its links */

/* What to do with a result: one line each in returns.def. */
typedef enum Return {
#define RETURN(id, registers) RETURN_##id,
#include "vm/returns.def"
#undef RETURN
    RETURN_COUNT
} Return;

static inline Function *frame_function(Value *base) {
    return (Function *)as_object(base[FRAME_FUNCTION]);
}
static inline Code *frame_code(Value *base) {
    return frame_function(base)->code;
}
static inline Value *frame_caller(Value *base) {
    return (Value *)(uintptr_t)base[FRAME_CALLER];
}
static inline const Instr *frame_return_pc(Value *base) {
    return (const Instr *)(uintptr_t)base[FRAME_PC];
}
bool frame_is_generator(Value *base); /* are these the registers of a generator object */

/* A register stack while it is not the running one: the VM's fields of the same names. */
typedef struct FrameStack {
    const Instr *pc;
    Value *base; /* NULL before the first frame */
    Value *stack, *stack_end;
    Buffer *stack_buffer; /* that the stack lies in; NULL: memory of the VM's allocator */
} FrameStack;

/* An empty stack in an object of the heap, for a task or a thread. False: MemoryError. */
bool frame_stack_new(GenVM *vm, FrameStack *frames);
/* The running stack, and another one in its place. */
FrameStack frame_stack_of(const GenVM *vm);
void frame_stack_enter(GenVM *vm, const FrameStack *frames);
/* An empty stack for calls of the engine's own in place of the running one, which the caller keeps;
 * false: no memory, nothing is pending. Its end, with what is to run then. */
bool frame_stack_start(GenVM *vm);
void frame_stack_end(GenVM *vm, const FrameStack *next);
#ifdef GEN_STRESS_GC
void frame_stack_move(
    GenVM *vm); /* wherever it could move it does, to show who relies on its place */
#endif

/* The first free stack word above the running frame (vm->base): where the next frame's links may
 * start. */
Value *frame_top(GenVM *vm);

/* Unsets the temporaries (and what variables without a value hold) of all running frames that hold
 * a matching value and that no instruction will read. */
void frame_forget_temporaries(GenVM *vm, bool (*matches)(Value v, Value wanted), Value wanted);

/* Can the register of a local variable, no parameter, have been written when the instruction at
 * `word` runs? If not, what is in it is left over from other frames. LEAF_ERROR: there is no memory
 * to find out; nothing is pending. */
Leaf frame_register_is_set(GenVM *vm, const Code *code, uint32_t reg, uint32_t word);

/* Will the register be read, once the instruction before `word` is done or has raised? True also
 * when there is no memory to find out. */
bool frame_register_is_live(GenVM *vm, const Code *code, uint32_t reg, uint32_t word);
/* The same of the handlers of the instruction before `word` alone: what they do when it raises. */
bool frame_register_is_caught(GenVM *vm, const Code *code, uint32_t reg, uint32_t word);

/* Makes room for `count` words above `top`: may move the stack (vm->base follows). Returns the new
 * place of `top`, NULL with RecursionError or MemoryError pending. */
Value *frame_reserve(GenVM *vm, Value *top, uint32_t count);

/* Enters `function` (a Function of plain code) with arguments already bound at `base`[0..]; links
 * are written. */
static inline void frame_enter(GenVM *vm, Value *base, Function *function) {
    base[FRAME_CONSTS] = vm->base ? (Value)(uintptr_t)frame_function(vm->base)->consts : 0;
    base[FRAME_CALLER] = (Value)(uintptr_t)vm->base;
    base[FRAME_FUNCTION] = object_value(function);
    base[FRAME_PC] = (Value)(uintptr_t)vm->pc;
    vm->base = base;
    vm->pc = function->entry;
}

/* Pushes a continuation frame of kind `kind` on top of the running frame; its registers
 * (returns.def says how many) are given here from r1 on; r0 receives the result of the call made
 * next. NULL on error. The continuation returns to vm->pc. */
Value *frame_push_continuation(GenVM *vm, Return kind, int count, ...);
/* The same, where the caller fills the registers from r1 on. */
Value *frame_push_stub(GenVM *vm, Return kind);

/* Does the frame with these registers do anything when an exception comes out of the instruction at
 * word `offset`, before it goes on in the caller? */
bool frame_handles(const Value *base, const Code *code, size_t offset);

/* Calls `callable` from the running frame; its result becomes the value of the running instruction
 * (stored in the register `a` of vm->pc[-1]). Natives run at once; script functions are entered: go
 * on at vm->pc, vm->base. False: exception. */
bool call_value(GenVM *vm, Value callable, uint32_t count, const Value *args);
bool call_tail(GenVM *vm); /* makes the call in vm->tail */
bool call_result(
    GenVM *vm,
    Value v); /* v is a native's answer: stores it, or makes the tail call, or false on error */
bool call_return(GenVM *vm, Value v); /* returns v from the running frame to its caller */

/* Goes to the handler of the pending exception: true with vm->pc, vm->base set; false when the host
 * is reached. */
bool frame_unwind(GenVM *vm);

/* How deep the script is: its frames, up to `most`. */
size_t frame_count(GenVM *vm, size_t most);
/* Marks what the frames of a stack hold, of which `base` is the topmost (NULL: none), and clears
 * what lies above. */
void frame_mark_stack(GenVM *vm, Value *stack, Value *stack_end, Value *base);

bool frame_check_depth(
    GenVM *vm); /* false with RecursionError: for what nests without the stack, generators */
void frame_reset_limit(GenVM *vm); /* after a change of vm->recursion_limit */
bool frame_init(GenVM *vm);
void vm_mark_roots(GenVM *vm); /* for gc.c */

#endif
