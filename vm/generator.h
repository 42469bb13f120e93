/* generator.h - generators, coroutines, async generators: frames that live in heap objects.
 *
 *     Generator: header | pc exit_pc dest top | leaf parent root inner | 4 links | registers...
 *                                                                                  ^ base
 *
 * Resuming links the object to its resumer (base[FRAME_CALLER], base[FRAME_PC], `dest`, `exit_pc`)
 * and switches the base register; yielding stores the value in *dest and switches back. Nothing is
 * copied. Who resumed it is written down at resume, so that YIELD does not ask: a for loop dest =
 * its variable, FRAME_PC = the loop body, exit_pc = behind the loop next(), send(), ... dest = the
 * register of the call's result, FRAME_PC = behind the call, exit_pc = NULL: at the end
 * StopIteration is raised there
 *
 * `yield from` (and await) of a generator: the outermost suspended generator is the root;
 * root->leaf is the innermost, which is resumed directly with the root's links, so depth costs
 * nothing. In a handler it is resumed step by step (YIELDFROMH), with that handler's exception as
 * the handled one. parent leads from a delegate to whoever delegates to it. Only the root's leaf is
 * kept exact; a generator in the middle that someone resumes by hand walks down (generator_leaf).
 */
#ifndef GEN_GENERATOR_H
#define GEN_GENERATOR_H

#include "vm/frame.h"

typedef enum GeneratorState {
    GENERATOR_SUSPENDED,  /* at a yield, or not started (pc == entry) */
    GENERATOR_DELEGATING, /* at a `yield from` of another generator or coroutine, which is suspended
                           */
    GENERATOR_ITERATING,  /* at a `yield from` of some other iterator */
    GENERATOR_RUNNING,
    GENERATOR_DONE,
} GeneratorState;

/* Of a generator that one call has made and that only one register has ever held, the place where
 * it is closed at once when that register is given up, as a reference count would have it. Such a
 * generator has exit_pc, while it is not started, at the instruction that takes the call's result.
 */
enum {
    GENERATOR_OF_LOOP = 2,      /* the iterator of a for loop */
    GENERATOR_OF_PARAMETER = 4, /* a parameter of a generator, which does nothing but iterate it */
};

/* A coroutine that is not started keeps in `dest` the function that made it (a Value) and in
 * `exit_pc` the place there, for the warning that it was never awaited. */
typedef struct Generator {
    Object header; /* state: GeneratorState; flags: GENERATOR_OF_ */
    const Instr *pc;
    const Instr *exit_pc;
    Value *dest;
    Value *top; /* of the task's stack, for frames called from here */
    struct Generator *leaf, *parent, *root;
    Value inner; /* the generator that a for loop in this one resumed last, a guess at which it
                    resumes next: it may be freed, and is only compared */
    Value links[FRAME_LINKS];
    Value regs[];
} Generator;

static inline Value *generator_base(Generator *generator) { /* the links lie before it */
    return (Value *)((char *)generator + offsetof(Generator, regs));
}
static inline Generator *generator_of(Value *base) {
    return (Generator *)((char *)base - offsetof(Generator, regs));
}
static inline Function *generator_function(Generator *generator) {
    return (Function *)as_object(generator->links[FRAME_LINKS + FRAME_FUNCTION]);
}
enum { GENERATOR_RESUME_SEND = 1, GENERATOR_RESUME_THROW, GENERATOR_RESUME_CLOSE };

/* header.flags */
enum { GENERATOR_ATTRIBUTES = 1 }; /* the cell ends in the word for a Dict of attributes */
/* header.flags of an async generator: a step of it is under way, be it suspended; aclose() was
 * called. */
enum { AGEN_RUNNING = 1, AGEN_CLOSED = 2 };
/* header.flags of a coroutine: cr_origin lies behind its registers (generator_hook). */
enum { COROUTINE_ORIGIN = 1 };

static inline bool is_generator_like(Value v) {
    return is_kind(v, TYPE_GENERATOR) || is_kind(v, TYPE_COROUTINE) ||
           is_kind(v, TYPE_ASYNC_GENERATOR);
}
/* May be awaited as it is: a coroutine, or a generator of types.coroutine(). */
static inline bool generator_is_awaitable(Value v) {
    if (is_kind(v, TYPE_COROUTINE)) return true;
    return is_kind(v, TYPE_GENERATOR) &&
           generator_function((Generator *)as_object(v))->code->flags & CODE_ITERABLE_COROUTINE;
}
/* A step of an async generator (objects/async_generator.c). */
static inline bool generator_is_step(const Generator *generator) {
    return generator->header.shape == TYPE_ASYNC_GENERATOR_STEP ||
           generator->header.shape == TYPE_ASYNC_GENERATOR_THROW;
}
/* Where the running instruction makes a coroutine: a tuple of (file name, line, function name), as
 * many as vm->origin_depth at most, innermost first. */
Value generator_origin(GenVM *vm);
/* Behind the registers of an async generator: the finalizer hook that it found when it was first
 * iterated, VALUE_NONE without one, VALUE_UNSET before that. */
static inline Value *generator_hook(Generator *generator) {
    return &generator->regs[generator_function(generator)->regs];
}
static inline bool generator_unstarted(Generator *generator) {
    return generator->header.state == GENERATOR_SUSPENDED &&
           generator->pc == generator_function(generator)->entry;
}

/* A generator (coroutine, ...) of `function`, its parameters not yet filled: regs[0..] are for the
 * caller to set. */
Generator *generator_new(GenVM *vm, Function *function);
/* The same for one that is loaded or copied; noted: a coroutine's origin is to follow. */
Generator *generator_remake(GenVM *vm, Function *function, bool noted);

/* RuntimeError "cannot reuse already awaited ...": of a coroutine or an async generator's step that
 * is finished. */
Value generator_raise_reused(GenVM *vm, const Generator *generator);

/* The same generator, which nobody has seen yet, as an instance of `cls`: a library iterator (map,
 * itertools, ...) or a subclass of one. Where the class gives its instances a __dict__ it is
 * another object, with room for that. NULL on error. */
Generator *generator_wear(GenVM *vm, Generator *generator, Type *cls);

Generator *generator_leaf(Generator *generator); /* the innermost that it delegates to */

/* Running, or waiting in a `yield from` for one that runs. */
bool generator_is_running(Generator *generator);

/* Resumes from the running frame; what it yields becomes the value of the running instruction
 * (register a of vm->pc[-1]), StopIteration is raised at its end. */
bool generator_send(GenVM *vm, Generator *generator, Value sent);
/* Raises vm->exception (which is pending) inside the generator, at its innermost suspended frame.
 */
bool generator_throw(GenVM *vm, Generator *generator);
bool generator_close(GenVM *vm,
                     Generator *generator); /* close(): its value is the instruction's value */

/* A second suspended generator at the same place, as copy.copy() gives: variables shared, loops
 * under way doubled (generator_fork.c). */
Value generator_fork(GenVM *vm, Value generator);

/* close() or throw(exception) of the interpreter's CALL of `native`, without that native:
 * LEAF_TRUE, go on at vm->pc; LEAF_ERROR: an exception is pending; LEAF_SCRIPT: the native is to be
 * called. */
Leaf generator_call_native(GenVM *vm, const NativeFunction *native, const Value *args,
                           uint32_t count);

/* For interp.c: the ends of the generator instructions that are not plain switches. */
bool generator_for(GenVM *vm,
                   Generator *generator);  /* a step of a for loop that is no plain switch */
bool generator_return(GenVM *vm, Value v); /* RETGEN */
bool generator_yield(GenVM *vm, Value v);  /* YIELD to a resumer, by vm->base */
bool generator_delegate(
    GenVM *vm, Value iterator); /* YIELDFROM: register a of vm->pc[-1] gets the final value */
bool generator_delegate_step(GenVM *vm, Value sent);

/* Temporary generators, which are closed when a loop over them is left early. */
void generator_note_call(GenVM *vm, Generator *generator);    /* made by the running instruction */
void generator_note_loop(GenVM *vm, Value iterator);          /* the running GETITER takes it */
bool generator_is_temporary(Value v, int owner);              /* does it want to be closed? */
bool generator_leave_loop(GenVM *vm, Value iterator);         /* ENDFOR */
bool generator_leave_loop_raising(GenVM *vm, Value iterator); /* goes on raising afterwards */
bool generator_release(GenVM *vm, Generator *generator,
                       Value result); /* closes what only its parameters hold */
bool generator_release_next(GenVM *vm);

/* What natives ask for: a GENERATOR_RESUME_ with what is sent or raised. */
bool generator_resume(GenVM *vm, Generator *generator, uint32_t how, Value value);
bool generator_delegate_returned(GenVM *vm); /* for continue.c */
bool generator_delegate_failed(GenVM *vm);
bool generator_delegate_throw_returned(GenVM *vm);
bool generator_delegate_throw_failed(GenVM *vm);
bool generator_close_returned(GenVM *vm);
bool generator_close_failed(GenVM *vm);
bool generator_throw_close_returned(GenVM *vm);
bool generator_throw_close_failed(GenVM *vm);
void generator_trace(GenVM *vm, Object *object);
/* The attributes __name__ and __qualname__ of all three types. */
Value generator_get_name(GenVM *vm, Value self);
Value generator_get_qualname(GenVM *vm, Value self);
bool generator_set_name(GenVM *vm, Value self, Value value);
bool generator_set_qualname(GenVM *vm, Value self, Value value);

/* What is to be called with *argument when nothing reaches the generator any more: VALUE_UNSET:
 * nothing, the generator itself: its close(). */
Value generator_finalizer(GenVM *vm, Generator *generator, Value *argument);
bool generator_finalize(GenVM *vm,
                        Generator *generator); /* close an unreachable one, from a safepoint */

/* The exception leaves the generator frame at vm->base: finishes it and moves vm->base, vm->pc to
 * where it goes on. True when that was an end like any other (StopIteration out of an iterator of
 * the library): nothing is pending any more. */
bool generator_unwind(GenVM *vm);

#endif
