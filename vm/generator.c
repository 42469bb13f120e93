/* generator.c - resuming, yielding, delegating, throwing into and closing generators and
 * coroutines. The layout and the ideas are told in generator.h. Everything here only links and
 * unlinks frames: no call below runs script code, the interpreter goes on at vm->base, vm->pc.
 */
#include "vm/generator.h"
#include "vm/call.h"
#include "vm/continue.h"
#include "vm/objects.h"
#include "vm/runtime.h"
#include "vm/bind.h"
#include "vm/traceback.h"

enum { DEPTH_CHECK = 128 }; /* generators made between two looks at how deep they are nested */

/* Can a generator of the code have something to do when it is closed? */
static inline bool may_finalize(const Code *code) {
    return code->range_count || code->frozen; /* which says nothing of its ranges yet */
}

/* What is none of the commonest kind: a coroutine or an async generator. */
static Generator *new_asynchronous(GenVM *vm, Function *function, Value origin) {
    const Code *code = function->code;
    TypeId kind = code->flags & CODE_COROUTINE ? TYPE_COROUTINE : TYPE_ASYNC_GENERATOR;
    bool hooked = kind == TYPE_ASYNC_GENERATOR || origin != VALUE_UNSET;
    uint32_t words = code->regs + hooked;
    Generator *generator = gc_new(vm, sizeof *generator + words * sizeof(Value), kind);
    if (unlikely(!generator)) return NULL;
    generator->pc = function->entry;
    generator->links[FRAME_LINKS + FRAME_FUNCTION] = object_value(function);
    if (kind == TYPE_COROUTINE) {
        generator->dest = vm->base ? (Value *)(uintptr_t)vm->base[FRAME_FUNCTION] : NULL;
        generator->exit_pc = vm->pc;
        gc_finalizable(vm, generator);
        if (hooked) generator->header.flags |= COROUTINE_ORIGIN;
    } else if (may_finalize(code)) {
        gc_finalizable(vm, generator);
    }
    if (hooked) *generator_hook(generator) = origin;
    return generator;
}

Generator *generator_new(GenVM *vm, Function *function) {
    const Code *code = function->code;
    if (unlikely(++vm->generators_made % DEPTH_CHECK == 0) && !frame_check_depth(vm)) return NULL;
    if (unlikely(!(code->flags & CODE_GENERATOR))) {
        bool noted = code->flags & CODE_COROUTINE && vm->origin_depth;
        Value origin = noted ? generator_origin(vm) : VALUE_UNSET;
        return origin == VALUE_ERROR ? NULL : new_asynchronous(vm, function, origin);
    }
    Generator *generator =
        gc_new(vm, sizeof *generator + code->regs * sizeof(Value), TYPE_GENERATOR);
    if (unlikely(!generator)) return NULL;
    generator->pc = function->entry;
    generator->links[FRAME_LINKS + FRAME_FUNCTION] = object_value(function);
    if (may_finalize(code)) gc_finalizable(vm, generator);
    return generator;
}

Generator *generator_remake(GenVM *vm, Function *function, bool noted) {
    if (function->code->flags & CODE_COROUTINE)
        return new_asynchronous(vm, function, noted ? VALUE_NONE : VALUE_UNSET);
    return generator_new(vm, function);
}

Generator *generator_wear(GenVM *vm, Generator *generator, Type *cls) {
    if (unlikely(cls->has_instance_dict)) {
        const Code *code = generator_function(generator)->code;
        size_t size = sizeof *generator + code->regs * sizeof(Value);
        Generator *roomy = gc_new(vm, size + sizeof(Value), (TypeId)generator->header.kind);
        if (!roomy) return NULL;
        memcpy((Object *)roomy + 1, (Object *)generator + 1, size - sizeof(Object));
        roomy->header.state = generator->header.state;
        roomy->header.flags = generator->header.flags | GENERATOR_ATTRIBUTES;
        *gc_extra_word(vm, &roomy->header) = VALUE_UNSET;
        if (may_finalize(code)) gc_finalizable(vm, roomy);
        generator = roomy;
    }
    generator->header.shape = cls->root_shape;
    return generator;
}

void generator_trace(GenVM *vm, Object *object) {
    Generator *generator = (Generator *)object;
    gc_mark(vm, generator->links[FRAME_LINKS + FRAME_FUNCTION]);
    if (object->state == GENERATOR_DONE) return;
    Function *function = generator_function(generator);
    bool more = object->kind == TYPE_COROUTINE && object->flags & COROUTINE_ORIGIN;
    if (more || object->kind == TYPE_ASYNC_GENERATOR) gc_mark(vm, *generator_hook(generator));
    if (object->kind == TYPE_COROUTINE && generator_unstarted(generator) && generator->dest)
        gc_mark(vm, (Value)(uintptr_t)generator->dest);
    for (uint32_t i = 0; i < function->regs; i++)
        gc_mark(vm, generator->regs[i]);
    if (object->state == GENERATOR_DELEGATING) gc_mark_pointer(vm, generator->leaf);
    if (object->state == GENERATOR_RUNNING) {
        gc_mark_pointer(vm, generator->parent);
        gc_mark_pointer(vm, generator->root);
    }
}

/* ---- links ---- */

static void link_resumer(GenVM *vm, Generator *generator, const Instr *return_pc,
                         const Instr *exit_pc, Value *dest) {
    generator->top = frame_top(vm);
    generator->links[FRAME_LINKS + FRAME_CONSTS] =
        (Value)(uintptr_t)frame_function(vm->base)->consts;
    generator->links[FRAME_LINKS + FRAME_CALLER] = (Value)(uintptr_t)vm->base;
    generator->links[FRAME_LINKS + FRAME_PC] = (Value)(uintptr_t)return_pc;
    generator->exit_pc = exit_pc;
    generator->dest = dest;
}

/* The delegate (or the delegator it returns to) takes over whoever waits for the next value. */
static void hand_over(Generator *from, Generator *to) {
    to->top = from->top;
    to->links[FRAME_LINKS + FRAME_CONSTS] = from->links[FRAME_LINKS + FRAME_CONSTS];
    to->links[FRAME_LINKS + FRAME_CALLER] = from->links[FRAME_LINKS + FRAME_CALLER];
    to->links[FRAME_LINKS + FRAME_PC] = from->links[FRAME_LINKS + FRAME_PC];
    to->exit_pc = from->exit_pc;
    to->dest = from->dest;
}

static void enter(GenVM *vm, Generator *generator) {
    generator->header.state = GENERATOR_RUNNING;
    vm->base = generator->regs;
    vm->pc = generator->pc;
}

/* The generator that a delegating one waits for. */
static Generator *delegate_of(Generator *generator) {
    return (Generator *)as_object(generator->regs[instr_b(generator->pc[-1])]);
}

Generator *generator_leaf(Generator *generator) {
    Generator *leaf = generator->leaf;
    if (leaf && leaf->root == generator &&
        (leaf->header.state == GENERATOR_SUSPENDED || leaf->header.state == GENERATOR_ITERATING))
        return leaf;
    leaf = generator;
    while (leaf->header.state == GENERATOR_DELEGATING) {
        Generator *next = delegate_of(leaf);
        next->parent = leaf;
        if (next->header.state == GENERATOR_DONE) { /* somebody else ran it to its end */
            leaf->header.state = GENERATOR_SUSPENDED;
            leaf->regs[instr_a(leaf->pc[-1])] = VALUE_NONE;
            break;
        }
        leaf = next;
    }
    return leaf;
}

bool generator_is_running(Generator *generator) {
    return generator->header.state == GENERATOR_RUNNING ||
           (generator->header.state == GENERATOR_DELEGATING &&
            generator_leaf(generator)->header.state == GENERATOR_RUNNING);
}

static const char *noun(const Generator *generator) {
    return generator->header.kind == TYPE_COROUTINE || generator_is_step(generator) ? "coroutine"
           : generator->header.kind == TYPE_ASYNC_GENERATOR ? "async generator"
                                                            : "generator";
}

static bool raise_running(GenVM *vm, const Generator *generator) {
    raise_value(vm, "%s already executing", noun(generator));
    return false;
}

/* ---- temporary generators ---- */

/* The instruction that alone will take the result of the running call, or NULL. */
static const Instr *consumer(GenVM *vm) {
    Instr instr = vm->pc[-1];
    switch (instr_op(instr)) {
    case OP_CALL:
    case OP_CALLG:
    case OP_CALLM:
    case OP_CALLMG: return instr_c(instr) ? vm->pc - 1 + instr_c(instr) : NULL;
    default: return NULL;
    }
}

static bool is_made_for(GenVM *vm, Value v) {
    if (!is_kind(v, TYPE_GENERATOR)) return false;
    Generator *generator = AS(Generator, v);
    return generator->exit_pc == vm->pc - 1 && generator_unstarted(generator);
}

void generator_note_call(GenVM *vm, Generator *generator) {
    if (generator->header.kind != TYPE_GENERATOR) return;
    uint32_t iterated = generator_function(generator)->code->iterated_params;
    for (uint32_t i = 0; iterated; i++, iterated >>= 1)
        if (iterated & 1 && is_made_for(vm, generator->regs[i]))
            AS(Generator, generator->regs[i])->header.flags |= GENERATOR_OF_PARAMETER;
    generator->exit_pc = consumer(vm);
}

void generator_note_loop(GenVM *vm, Value iterator) {
    if (is_made_for(vm, iterator)) as_object(iterator)->flags |= GENERATOR_OF_LOOP;
}

bool generator_is_temporary(Value v, int owner) {
    if (!is_kind(v, TYPE_GENERATOR) || !(as_object(v)->flags & owner)) return false;
    Generator *generator = AS(Generator, v);
    return generator->header.state < GENERATOR_RUNNING && !generator_unstarted(generator);
}

bool generator_leave_loop(GenVM *vm, Value iterator) {
    if (!generator_is_temporary(iterator, GENERATOR_OF_LOOP)) return true;
    return generator_finalize(vm, AS(Generator, iterator));
}

bool generator_leave_loop_raising(GenVM *vm, Value iterator) {
    Value exception = error_take(vm);
    vm->reraising = false;
    if (!frame_push_continuation(vm, RETURN_UNWIND, 1, exception))
        vm->exception = exception;
    else if (generator_finalize(vm, AS(Generator, iterator)))
        return true;
    /* Without memory to begin closing it, it is given up: the loop must be left. */
    if (generator_is_temporary(iterator, GENERATOR_OF_LOOP))
        as_object(iterator)->state = GENERATOR_DONE;
    return false;
}

/* In the order in which a frame lets its variables go; what stands for an object of the library, as
 * zip, lets go a tuple, from its end. */
static uint32_t find_held(const Generator *generator, const Code *code, Value *found) {
    uint32_t count = 0;
    for (uint32_t i = 0; code->iterated_params >> i; i++) {
        uint32_t reg = i;
        if (code->flags & CODE_PRELUDE)
            reg = 31 - (uint32_t)__builtin_clz(code->iterated_params) - i;
        if (code->iterated_params >> reg & 1 &&
            generator_is_temporary(generator->regs[reg], GENERATOR_OF_PARAMETER))
            found[count++] = generator->regs[reg];
    }
    return count;
}

bool generator_release(GenVM *vm, Generator *generator, Value result) {
    Value found[32];
    uint32_t count = find_held(generator, generator_function(generator)->code, found);
    if (!count) {
        if (result != VALUE_UNSET) vm->base[instr_a(vm->pc[-1])] = result;
        return true;
    }
    Value tuple = tuple_from_array(vm, found, count);
    if (tuple == VALUE_ERROR) return false;
    return frame_push_continuation(vm, RETURN_RELEASE, 3, tuple, int_value(0), result) != NULL;
}

bool generator_release_next(GenVM *vm) {
    Tuple *tuple = AS_TUPLE(vm->base[1]);
    uint64_t next = (uint64_t)as_int(vm->base[2]);
    Value result = vm->base[3];
    if (next < tuple->count) {
        vm->base[2] = int_value((int64_t)next + 1);
        vm->pc = frame_function(vm->base)->entry; /* once more */
        return generator_finalize(vm, AS(Generator, tuple->items[next]));
    }
    if (result != VALUE_UNSET) return call_return(vm, result);
    frame_pop(vm);
    return true;
}

/* ---- delegating in a handler ---- */

/* The generator with these registers, at YIELDFROMH, goes on with what it handles itself ... */
static void enter_handling(GenVM *vm, Value *regs, Instr instr) {
    if (instr_op(instr) != OP_YIELDFROMH) return;
    Value exception = regs[handling_exception(instr)];
    regs[handling_outer(instr)] = vm->handled;
    if (is_kind(exception, KIND_EXCEPTION)) vm->handled = exception;
    gc_barrier(vm, generator_of(regs));
}

/* ... and leaves its resumer to what that one handles. */
static void leave_handling(GenVM *vm, const Value *regs, Instr instr) {
    if (instr_op(instr) != OP_YIELDFROMH) return;
    Value outer = regs[handling_outer(instr)];
    bool known = outer == VALUE_UNSET || outer == VALUE_NONE || is_kind(outer, KIND_EXCEPTION);
    if (known) vm->handled = outer;
}

/* An exception that was thrown in, while the resumer's was the handled one, arrives in the
 * generator. */
static void arrive_handling(GenVM *vm, Value *regs, Instr instr) {
    enter_handling(vm, regs, instr);
    if (instr_op(instr) == OP_YIELDFROMH) exception_chain(vm, vm->exception, vm->handled);
}

/* ---- sending ---- */

/* Goes on in `leaf`, whose links are set, with the value sent to it. */
static bool resume_leaf(GenVM *vm, Generator *leaf, Value sent) {
    bool iterating = leaf->header.state == GENERATOR_ITERATING;
    bool unstarted = generator_unstarted(leaf);
    enter(vm, leaf);
    if (iterating) {
        enter_handling(vm, leaf->regs, vm->pc[-1]);
        return generator_delegate_step(vm, sent);
    }
    if (!unstarted && instr_c(vm->pc[-1]) != 1) {
        leaf->regs[instr_a(vm->pc[-1])] = sent;
        gc_barrier(vm, leaf);
    }
    return true;
}

/* What a second run of something awaitable says; NULL for plain iterators. */
static const char *awaited_name(const Generator *generator) {
    if (generator->header.kind == TYPE_COROUTINE) return "coroutine";
    switch (generator->header.shape) {
    case TYPE_COROUTINE_WRAPPER: return "coroutine";
    case TYPE_ANEXT_AWAITABLE:
    case TYPE_ASYNC_GENERATOR_STEP: return "__anext__()/asend()";
    case TYPE_ASYNC_GENERATOR_THROW: return "aclose()/athrow()";
    default: return NULL;
    }
}

Value generator_raise_reused(GenVM *vm, const Generator *generator) {
    return raise_runtime(vm, "cannot reuse already awaited %s", awaited_name(generator));
}

static bool refuse_finished(GenVM *vm, Generator *generator) {
    if (awaited_name(generator))
        generator_raise_reused(vm, generator);
    else
        raise_stop_iteration(vm, VALUE_NONE);
    return false;
}

static bool resume(GenVM *vm, Generator *generator, Value sent, const Instr *return_pc,
                   const Instr *exit_pc, Value *dest) {
    if (generator->header.state == GENERATOR_RUNNING) return raise_running(vm, generator);
    if (generator->header.state == GENERATOR_DONE) return refuse_finished(vm, generator);
    if (sent != VALUE_NONE && generator_unstarted(generator)) {
        raise_type(vm, "can't send non-None value to a just-started %s", noun(generator));
        return false;
    }
    Generator *leaf = generator_leaf(generator);
    if (leaf->header.state == GENERATOR_RUNNING) return raise_running(vm, generator);
    link_resumer(vm, leaf, return_pc, exit_pc, dest);
    leaf->root = leaf == generator ? NULL : generator;
    if (leaf != generator) {
        generator->leaf = leaf;
        gc_barrier(vm, generator);
    }
    return resume_leaf(vm, leaf, sent);
}

bool generator_send(GenVM *vm, Generator *generator, Value sent) {
    return resume(vm, generator, sent, vm->pc, NULL, &vm->base[instr_a(vm->pc[-1])]);
}

bool generator_for(GenVM *vm, Generator *generator) {
    Instr instr = vm->pc[-1];
    if (generator->header.state == GENERATOR_DONE && generator->header.kind == TYPE_GENERATOR)
        return true;
    return resume(vm, generator, VALUE_NONE, vm->pc + instr_imm(instr), vm->pc,
                  &vm->base[instr_b(instr)]);
}

bool generator_resume(GenVM *vm, Generator *generator, uint32_t how, Value value) {
    if (likely(how == GENERATOR_RESUME_SEND)) return generator_send(vm, generator, value);
    if (how == GENERATOR_RESUME_CLOSE) return generator_close(vm, generator);
    vm->exception = value;
    return generator_throw(vm, generator);
}

/* ---- yielding and returning ---- */

bool generator_yield(GenVM *vm, Value v) {
    Generator *generator = generator_of(vm->base);
    generator->pc = vm->pc;
    generator->header.state =
        op_is_delegation(instr_op(vm->pc[-1])) ? GENERATOR_ITERATING : GENERATOR_SUSPENDED;
    gc_barrier(vm, generator);
    Value *dest = generator->dest;
    vm->base = frame_caller(generator->regs);
    vm->pc = frame_return_pc(generator->regs);
    *dest = v;
    return true;
}

/* A delegate is finished: its delegator is running again, for the same resumer. */
static Generator *back_to_parent(GenVM *vm, Generator *generator) {
    Generator *parent = generator->parent, *root = generator->root;
    hand_over(generator, parent);
    parent->root = root == parent ? NULL : root;
    root->leaf = parent;
    gc_barrier(vm, root);
    enter(vm, parent);
    return parent;
}

bool generator_return(GenVM *vm, Value v) {
    Generator *generator = generator_of(vm->base);
    generator->header.state = GENERATOR_DONE;
    if (generator->parent && generator->root) {
        Generator *parent = back_to_parent(vm, generator);
        parent->regs[instr_a(parent->pc[-1])] = v;
        return true;
    }
    vm->base = frame_caller(generator->regs);
    if (generator->exit_pc) {
        vm->pc = generator->exit_pc;
        return true;
    }
    vm->pc = frame_return_pc(generator->regs);
    if (generator->header.kind == TYPE_ASYNC_GENERATOR)
        raise_with_args(vm, EXC_STOP_ASYNC_ITERATION, vm->empty_tuple);
    else
        raise_stop_iteration(vm, v);
    return false;
}

/* PEP 479: a StopIteration must not look like the generator's own end. */
static void convert_stop(GenVM *vm, const Generator *generator) {
    bool asynchronous = generator->header.kind == TYPE_ASYNC_GENERATOR;
    bool stop = error_matches(vm, EXC_STOP_ITERATION);
    if (!stop && !(asynchronous && error_matches(vm, EXC_STOP_ASYNC_ITERATION))) return;
    Value cause = error_take(vm);
    raise_runtime(vm, "%s raised %s", noun(generator),
                  stop ? "StopIteration" : "StopAsyncIteration");
    if (vm->exception == VALUE_UNSET) return;
    Exception *error = AS(Exception, vm->exception);
    error->cause = error->context = cause;
    error->suppress_context = true;
}

/* An iterator of the library that is a generator in another coat (map, itertools, ...) ends when
 * its callback raises StopIteration, as CPython's do. */
static bool ends_by_stop(GenVM *vm, Generator *generator) {
    if (!(generator_function(generator)->code->flags & CODE_PRELUDE)) return false;
    if (!error_matches(vm, EXC_STOP_ITERATION)) return false;
    return (generator->parent && generator->root) || generator->exit_pc;
}

bool generator_unwind(GenVM *vm) {
    Generator *generator = generator_of(vm->base);
    if (ends_by_stop(vm, generator))
        return generator_return(vm, exception_stop_value(vm, error_take(vm)));
    generator->header.state = GENERATOR_DONE;
    if (!(generator_function(generator)->code->flags & CODE_PRELUDE)) convert_stop(vm, generator);
    if (generator->parent && generator->root) {
        back_to_parent(vm, generator);
        return false;
    }
    vm->base = frame_caller(generator->regs);
    vm->pc = generator->exit_pc ? generator->exit_pc : frame_return_pc(generator->regs);
    return false;
}

/* ---- yield from ---- */

/* Delegates the running generator to another one, which is not finished. */
static bool delegate_to_generator(GenVM *vm, Generator *generator, Generator *delegate) {
    if (delegate->header.state == GENERATOR_RUNNING) return raise_running(vm, delegate);
    if (delegate->header.state == GENERATOR_DONE) {
        if (awaited_name(delegate)) return refuse_finished(vm, delegate);
        generator->regs[instr_a(vm->pc[-1])] = VALUE_NONE;
        return true;
    }
    Generator *leaf = generator_leaf(delegate);
    if (leaf->header.state == GENERATOR_RUNNING) return raise_running(vm, delegate);
    Generator *root = generator->root ? generator->root : generator;
    generator->pc = vm->pc;
    generator->header.state = GENERATOR_DELEGATING;
    gc_barrier(vm, generator);
    delegate->parent = generator;
    gc_barrier(vm, delegate);
    leaf->root = root;
    gc_barrier(vm, leaf);
    root->leaf = leaf;
    gc_barrier(vm, root);
    hand_over(generator, leaf);
    return resume_leaf(vm, leaf, VALUE_NONE);
}

bool generator_delegate(GenVM *vm, Value iterator) {
    if (instr_op(vm->pc[-1]) == OP_YIELDFROM &&
        (is_kind(iterator, TYPE_GENERATOR) || is_kind(iterator, TYPE_COROUTINE)))
        return delegate_to_generator(vm, generator_of(vm->base), (Generator *)as_object(iterator));
    return generator_delegate_step(vm, VALUE_NONE);
}

static bool delegate_ended(GenVM *vm, Value result) {
    vm->base[instr_a(vm->pc[-1])] = result;
    return true;
}

/* Yields on what the iterator has yielded. */
static bool delegate_yield(GenVM *vm, Value item) {
    leave_handling(vm, vm->base, vm->pc[-1]);
    return generator_yield(vm, item);
}

/* A step of a generator or coroutine, as of any other iterator. */
static bool delegate_resume(GenVM *vm, Value generator, Value sent) {
    return native_resume(vm, generator, sent), continue_tail(vm, RETURN_DELEGATE);
}

/* The answer of the iterator's next, send or throw. */
static bool delegate_answer(GenVM *vm, Value answer) {
    if (answer == VALUE_TAIL) return continue_tail(vm, RETURN_DELEGATE);
    if (answer == VALUE_END) return delegate_ended(vm, VALUE_NONE);
    if (answer != VALUE_ERROR) return delegate_yield(vm, answer);
    if (!error_matches(vm, EXC_STOP_ITERATION)) return false;
    Value value = exception_stop_value(vm, error_take(vm));
    return delegate_ended(vm, value);
}

bool generator_delegate_step(GenVM *vm, Value sent) {
    Value iterator = vm->base[instr_b(vm->pc[-1])];
    if (is_kind(iterator, TYPE_GENERATOR) || is_kind(iterator, TYPE_COROUTINE))
        return delegate_resume(vm, iterator, sent);
    if (sent != VALUE_NONE) {
        if (!frame_push_continuation(vm, RETURN_DELEGATE, 0)) return false;
        return call_result(vm, native_call_method(vm, iterator, NAME_send, 1, sent));
    }
    Type *type = type_of(vm, iterator);
    if (type->special[SP_NEXT] == VALUE_UNSET) {
        if (type->slots.next) return delegate_answer(vm, type->slots.next(vm, iterator));
        raise_type(vm, "'%T' object is not an iterator", iterator); /* of code from an image */
        return false;
    }
    Value next = attribute_bind(vm, type->special[SP_NEXT], iterator, type);
    if (next == VALUE_ERROR) return false;
    if (!frame_push_continuation(vm, RETURN_DELEGATE, 0)) return false;
    return next == VALUE_TAIL ? call_tail(vm) : call_value(vm, next, 0, NULL);
}

bool generator_delegate_returned(GenVM *vm) {
    Value item = vm->base[0];
    frame_pop(vm);
    return delegate_yield(vm, item);
}
bool generator_delegate_throw_returned(GenVM *vm) {
    Value item = vm->base[0];
    frame_pop(vm);
    return generator_yield(vm, item);
}

bool generator_delegate_failed(GenVM *vm) {
    if (!error_matches(vm, EXC_STOP_ITERATION)) return false;
    Value value = exception_stop_value(vm, error_take(vm));
    frame_pop(vm);
    return delegate_ended(vm, value);
}

bool generator_delegate_throw_failed(GenVM *vm) {
    Value *regs = frame_caller(vm->base);
    Instr instr = frame_return_pc(vm->base)[-1];
    if (error_matches(vm, EXC_STOP_ITERATION))
        enter_handling(vm, regs, instr);
    else
        arrive_handling(vm, regs, instr);
    return generator_delegate_failed(vm);
}

/* ---- throwing and closing ---- */

/* Raises the pending exception at the place where `generator`, now running, was suspended. */
static bool raise_inside(GenVM *vm, Generator *generator) {
    enter(vm, generator);
    return false;
}

/* Raises the pending exception at a `yield from`. There a StopIteration says that the iterator has
 * ended, wherever it comes from. */
static bool raise_at_delegation(GenVM *vm, Value *regs, Instr instr) {
    arrive_handling(vm, regs, instr);
    if (!error_matches(vm, EXC_STOP_ITERATION)) return false;
    regs[instr_a(instr)] = exception_stop_value(vm, error_take(vm));
    return true;
}

/* throw() into the iterator that an ITERATING generator delegates to. */
static bool throw_into_iterator(GenVM *vm, Generator *generator) {
    Value exception = vm->exception;
    Value iterator = generator->regs[instr_b(generator->pc[-1])];
    enter(vm, generator);
    vm->exception = VALUE_UNSET;
    Value thrower = VALUE_UNSET;
    if (value_is_instance(vm, exception, EXC_GENERATOR_EXIT)) {
        thrower = attribute_find(vm, iterator, name_value(vm, NAME_close));
        if (thrower == VALUE_ERROR) return false;
        if (thrower != VALUE_UNSET) {
            if (!frame_push_continuation(vm, RETURN_THROW_CLOSE, 2, object_value(generator),
                                         exception))
                return false;
            return call_value(vm, thrower, 0, NULL);
        }
    } else {
        thrower = attribute_find(vm, iterator, str_intern_from(vm, "throw", 5));
        if (thrower == VALUE_ERROR) return false;
        if (thrower != VALUE_UNSET) {
            if (!frame_push_continuation(vm, RETURN_DELEGATE_THROW, 0)) return false;
            return call_value(vm, thrower, 1, &exception);
        }
    }
    vm->exception = exception;
    return raise_at_delegation(vm, vm->base, vm->pc[-1]);
}

/* GeneratorExit while delegating to a generator: that one is closed first, then the exception goes
 * on here. */
static bool close_delegate(GenVM *vm, Generator *generator) {
    Value exception = error_take(vm);
    Generator *delegate = delegate_of(generator);
    enter(vm, generator);
    if (!frame_push_continuation(vm, RETURN_THROW_CLOSE, 2, object_value(generator), exception))
        return false;
    return generator_close(vm, delegate);
}

bool generator_throw_close_returned(GenVM *vm) {
    Value exception = vm->base[2];
    frame_pop(vm);
    vm->exception = exception;
    return raise_at_delegation(vm, vm->base, vm->pc[-1]);
}

/* What close() raised goes on in the generator's place. */
bool generator_throw_close_failed(GenVM *vm) {
    if (error_matches(vm, EXC_STOP_ITERATION)) {
        frame_pop(vm);
        return raise_at_delegation(vm, vm->base, vm->pc[-1]);
    }
    arrive_handling(vm, frame_caller(vm->base), frame_return_pc(vm->base)[-1]);
    return false;
}

static bool throw_unstarted(GenVM *vm, Generator *generator) {
    Function *function = generator_function(generator);
    generator->header.state = GENERATOR_DONE;
    traceback_add_unstarted(vm, vm->exception, function);
    return false;
}

bool generator_throw(GenVM *vm, Generator *generator) {
    switch ((GeneratorState)generator->header.state) {
    case GENERATOR_RUNNING: error_clear(vm); return raise_running(vm, generator);
    case GENERATOR_DONE:
        if (awaited_name(generator)) {
            error_clear(vm);
            return refuse_finished(vm, generator);
        }
        return false;
    case GENERATOR_SUSPENDED:
        if (generator_unstarted(generator)) return throw_unstarted(vm, generator);
        break;
    case GENERATOR_DELEGATING:
    case GENERATOR_ITERATING: break;
    }
    Value *dest = &vm->base[instr_a(vm->pc[-1])];
    if (generator->header.state == GENERATOR_DELEGATING && error_matches(vm, EXC_GENERATOR_EXIT)) {
        link_resumer(vm, generator, vm->pc, NULL, dest);
        generator->root = NULL;
        return close_delegate(vm, generator);
    }
    Generator *leaf = generator_leaf(generator);
    if (leaf->header.state == GENERATOR_RUNNING) {
        error_clear(vm);
        return raise_running(vm, generator);
    }
    link_resumer(vm, leaf, vm->pc, NULL, dest);
    leaf->root = leaf == generator ? NULL : generator;
    generator->leaf = leaf;
    gc_barrier(vm, generator);
    if (leaf->header.state == GENERATOR_ITERATING) return throw_into_iterator(vm, leaf);
    if (generator_unstarted(leaf)) { /* cannot be: a delegate was resumed at least once */
        leaf->header.state = GENERATOR_DONE;
        return false;
    }
    return raise_inside(vm, leaf);
}

/* Would GeneratorExit meet anything in the generator, at the yield where it waits? */
static bool handles_exit(const Generator *generator) {
    const Code *code = generator_function((Generator *)(uintptr_t)generator)->code;
    return frame_handles(generator->regs, code, (size_t)(generator->pc - 1 - code->instrs));
}

bool generator_close(GenVM *vm, Generator *generator) {
    if (generator->header.state == GENERATOR_RUNNING) return raise_running(vm, generator);
    if (generator->header.state == GENERATOR_DONE || generator_unstarted(generator)) {
        generator->header.state = GENERATOR_DONE;
        vm->base[instr_a(vm->pc[-1])] = VALUE_NONE;
        return true;
    }
    if (generator->header.state == GENERATOR_SUSPENDED && !handles_exit(generator)) {
        generator->header.state = GENERATOR_DONE;
        return generator_release(vm, generator, VALUE_NONE);
    }
    Value *base = frame_push_stub(vm, RETURN_CLOSE);
    if (!base) return false;
    base[1] = object_value(generator);
    /* Without memory for GeneratorExit, MemoryError is raised there instead, as in CPython. */
    Value exception = exception_new(vm, EXC_GENERATOR_EXIT, VALUE_UNSET);
    if (exception != VALUE_ERROR) {
        exception_chain(vm, exception, vm->handled);
        vm->exception = exception;
    }
    return generator_throw(vm, generator);
}

Leaf generator_call_native(GenVM *vm, const NativeFunction *native, const Value *args,
                           uint32_t count) {
    Value self = native->self;
    if (self == VALUE_UNSET && count) {
        self = *args++;
        count--;
    }
    if (!is_kind(self, TYPE_GENERATOR) && !is_kind(self, TYPE_COROUTINE)) return LEAF_SCRIPT;
    Generator *generator = AS(Generator, self);
    if (native->header.flags & NATIVE_CLOSE) {
        if (count != 0) return LEAF_SCRIPT;
        return generator_close(vm, generator) ? LEAF_TRUE : LEAF_ERROR;
    }
    if (count != 1 || !is_kind(args[0], KIND_EXCEPTION)) return LEAF_SCRIPT;
    vm->exception = args[0];
    return generator_throw(vm, generator) ? LEAF_TRUE : LEAF_ERROR;
}

bool generator_close_returned(GenVM *vm) {
    Generator *generator = (Generator *)as_object(vm->base[1]);
    frame_pop(vm);
    raise_runtime(vm, "%s ignored GeneratorExit", noun(generator));
    return false;
}

bool generator_close_failed(GenVM *vm) {
    Generator *generator = (Generator *)as_object(vm->base[1]);
    bool ended = error_matches(vm, EXC_GENERATOR_EXIT) ||
                 (generator_is_step(generator) && error_matches(vm, EXC_STOP_ASYNC_ITERATION));
    if (!ended) {
        if (!error_matches(vm, EXC_STOP_ITERATION)) return false;
        Value value = exception_stop_value(vm, error_take(vm));
        return call_return(vm, generator_is_step(generator) ? VALUE_NONE : value);
    }
    error_clear(vm);
    frame_pop(vm);
    return generator_release(vm, generator, VALUE_NONE);
}

Value generator_finalizer(GenVM *vm, Generator *generator, Value *argument) {
    *argument = object_value(generator);
    GeneratorState state = generator->header.state;
    if (state == GENERATOR_DONE || state == GENERATOR_RUNNING) return VALUE_UNSET;
    bool unstarted = generator_unstarted(generator);
    TypeId kind = generator->header.kind;
    if (kind == TYPE_COROUTINE && unstarted) return twin_load(vm, TWIN_UNAWAITED);
    if (generator_is_step(generator)) /* what it is a step of is finalized on its own */
        return unstarted ? twin_load(vm, TWIN_UNAWAITED_STEP) : VALUE_UNSET;
    if (kind == TYPE_ASYNC_GENERATOR && *generator_hook(generator) != VALUE_UNSET &&
        *generator_hook(generator) != VALUE_NONE)
        return *generator_hook(generator);
    return unstarted ? VALUE_UNSET : *argument;
}

bool generator_finalize(GenVM *vm, Generator *generator) {
    Value argument, function = generator_finalizer(vm, generator, &argument);
    if (function == VALUE_UNSET) return true;
    if (function == VALUE_ERROR) return false;
    if (!frame_push_continuation(vm, RETURN_FINALIZER, 1, object_value(generator))) return false;
    if (function == argument) return generator_close(vm, generator);
    return call_value(vm, function, 1, &argument);
}
