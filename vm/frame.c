/* frame.c - the register stack: room, growth, frames in and out, unwinding. See frame.h for the
 * layout. */
#include "vm/bind.h"
#include "vm/continue.h"
#include "vm/generator.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/task.h"
#include "vm/traceback.h"
#include "vm/weak.h"

#include <stdarg.h>

/* In words. The first stack of a task or a thread is with its header a cell of 4,080 bytes. */
enum { STACK_FIRST = 512, STACK_OF_TASK = 500, STACK_MAX = 1 << 27, MIN_FRAME = FRAME_LINKS };
_Static_assert(STACK_OF_TASK > STACK_RED_ZONE + FRAME_LINKS, "room for the first frame");

bool frame_is_generator(Value *base) {
    return frame_code(base)->flags & (CODE_GENERATOR | CODE_COROUTINE | CODE_ASYNC_GENERATOR);
}

static Value *top_of(Value *stack, Value *base) {
    if (!base) return stack;
    if (frame_is_generator(base)) return generator_of(base)->top;
    return base + frame_function(base)->regs;
}

Value *frame_top(GenVM *vm) {
    return top_of(vm->stack, vm->base);
}

/* ---- growth ---- */

static inline bool on_stack(GenVM *vm, const Value *p) {
    return p >= vm->stack && p <= vm->stack_end;
}

static inline Value *moved(GenVM *vm, Value *p, Value *to) {
    return on_stack(vm, p) ? to + (p - vm->stack) : p;
}

/* The stack is about to be at `to`: adjusts every raw pointer into it that the chain of frames
 * holds. */
static void relocate(GenVM *vm, Value *to) {
    for (Value *base = vm->base; base; base = frame_caller(base)) {
        Value *caller = frame_caller(base);
        if (frame_is_generator(base)) {
            Generator *generator = generator_of(base);
            generator->dest = moved(vm, generator->dest, to);
            generator->top = moved(vm, generator->top, to);
        }
        if (on_stack(vm, caller)) {
            Value *links = on_stack(vm, base) ? to + (base - vm->stack) : base;
            links[FRAME_CALLER] = (Value)(uintptr_t)(to + (caller - vm->stack));
        }
    }
}

enum { HIDDEN_PER_FRAME = 4 };

/* The generators that wait, by `yield from`, for the one whose registers are at `base`: they are
 * not in the chain. */
static size_t count_delegators(Value *base) {
    size_t count = 0;
    Generator *generator = generator_of(base);
    if (!generator->root) return 0;
    for (Generator *at = generator; at != generator->root && at->parent; at = at->parent)
        count++;
    return count;
}

/* How deep the script is, up to `most`: its frames. Those of the library do not show, but a
 * recursion that goes through them alone must end too: HIDDEN_PER_FRAME of them are as deep as one
 * frame. */
size_t frame_count(GenVM *vm, size_t most) {
    size_t count = 0, hidden = 0;
    for (Value *base = vm->base; base && count < most && hidden < most * HIDDEN_PER_FRAME;
         base = frame_caller(base)) {
        if (continue_is_stub(vm, frame_function(base)) || frame_code(base)->flags & CODE_PRELUDE) {
            hidden++;
            continue;
        }
        count++;
        if (frame_is_generator(base)) count += count_delegators(base);
    }
    hidden /= HIDDEN_PER_FRAME;
    return count > hidden ? count : hidden;
}

bool frame_check_depth(GenVM *vm) {
    if (frame_count(vm, vm->recursion_limit) < vm->recursion_limit) return true;
    raise_error(vm, EXC_RECURSION_ERROR, "maximum recursion depth exceeded");
    return false;
}

/* A task's stack is an object of the heap, the one of the host's own calls is not. */
static Value *new_stack(GenVM *vm, size_t size, Buffer **buffer) {
    *buffer = NULL;
    if (size > STACK_MAX) return NULL;
    if (!vm->stack_buffer) return memory_new(vm, size * sizeof(Value));
    *buffer = gc_buffer_new(vm, size * sizeof(Value));
    return *buffer ? (Value *)(*buffer)->data : NULL;
}

static void replace_stack(GenVM *vm, Value *to, size_t size, Buffer *buffer) {
    if (vm->stack_buffer)
        gc_buffer_free(vm, vm->stack_buffer);
    else
        memory_free(vm->stack);
    vm->stack = to;
    vm->stack_end = to + size;
    vm->stack_buffer = buffer;
}

static bool move_stack(GenVM *vm, size_t size) {
    Buffer *buffer;
    Value *to = new_stack(vm, size, &buffer);
    if (!to) {
        if (vm->exception == VALUE_UNSET) raise_memory(vm);
        return false;
    }
    size_t old_size = (size_t)(vm->stack_end - vm->stack);
    memcpy(to, vm->stack, old_size * sizeof(Value));
    memset(to + old_size, 0, (size - old_size) * sizeof(Value));
    relocate(vm, to);
    vm->base = vm->base ? moved(vm, vm->base, to) : NULL;
    replace_stack(vm, to, size, buffer);
    return true;
}

static bool grow_stack(GenVM *vm, size_t needed) {
    size_t size = (size_t)(vm->stack_end - vm->stack) * 2;
    while (size < needed)
        size *= 2;
    return move_stack(vm, size);
}

#ifdef GEN_STRESS_GC
void frame_stack_move(GenVM *vm) {
    Value exception = vm->exception;
    if (move_stack(vm, (size_t)(vm->stack_end - vm->stack))) frame_reset_limit(vm);
    vm->exception = exception;
}
#endif

/* Forgets what is known of how far the stack may go: for a new recursion limit, and after it was
 * reached. */
void frame_reset_limit(GenVM *vm) {
    size_t safe = vm->recursion_limit * MIN_FRAME,
           room = (size_t)(vm->stack_end - vm->stack) - STACK_RED_ZONE;
    vm->limit = vm->stack + (safe < room ? safe : room);
}

/* Room is asked for beyond vm->limit. That is not the end of the stack but the place before which
 * the recursion limit cannot be reached, since a frame takes at least MIN_FRAME words: so calls
 * count nothing, and yet the limit is exact. */
static COLD Value *reserve_slowly(GenVM *vm, size_t offset, uint32_t count) {
    size_t depth = frame_count(vm, vm->recursion_limit);
    native_spend(vm, depth / 8);
    if (depth >= vm->recursion_limit) {
        frame_reset_limit(vm);
        raise_error(vm, EXC_RECURSION_ERROR, "maximum recursion depth exceeded");
        return NULL;
    }
    size_t most = vm->task ? budget_depth(vm, depth) : vm->recursion_limit;
    size_t needed = offset + count + FRAME_LINKS + STACK_RED_ZONE;
    if (needed > (size_t)(vm->stack_end - vm->stack) && !grow_stack(vm, needed + STACK_RED_ZONE))
        return NULL;
    Value *top = vm->stack + offset, *end = vm->stack_end - STACK_RED_ZONE;
    size_t safe = FRAME_LINKS + (most - depth - 1) * MIN_FRAME;
    vm->limit = safe < (size_t)(end - top) ? top + safe : end;
    return top;
}

Value *frame_reserve(GenVM *vm, Value *top, uint32_t count) {
    size_t offset = (size_t)(top - vm->stack);
    if (likely(top + count + FRAME_LINKS <= vm->limit)) return top;
    return reserve_slowly(vm, offset, count);
}

bool frame_init(GenVM *vm) {
    vm->recursion_limit = 1000;
    return frame_stack_start(vm);
}

/* ---- exchange ---- */

bool frame_stack_new(GenVM *vm, FrameStack *frames) {
    Buffer *buffer = gc_buffer_new(vm, STACK_OF_TASK * sizeof(Value));
    if (!buffer) return false;
    Value *stack = memset(buffer->data, 0, STACK_OF_TASK * sizeof(Value));
    *frames =
        (FrameStack){.stack = stack, .stack_end = stack + STACK_OF_TASK, .stack_buffer = buffer};
    return true;
}

bool frame_stack_start(GenVM *vm) {
    Value *stack = memory_new_zeroed(vm, STACK_FIRST, sizeof(Value));
    if (!stack) return false;
    FrameStack frames = {.stack = stack, .stack_end = stack + STACK_FIRST};
    frame_stack_enter(vm, &frames);
    return true;
}

void frame_stack_end(GenVM *vm, const FrameStack *next) {
    memory_free(vm->stack);
    frame_stack_enter(vm, next);
}

FrameStack frame_stack_of(const GenVM *vm) {
    return (FrameStack){vm->pc, vm->base, vm->stack, vm->stack_end, vm->stack_buffer};
}

void frame_stack_enter(GenVM *vm, const FrameStack *frames) {
    vm->pc = frames->pc;
    vm->base = frames->base;
    vm->stack = frames->stack;
    vm->stack_end = frames->stack_end;
    vm->stack_buffer = frames->stack_buffer;
    frame_reset_limit(vm);
}

/* ---- frames in ---- */

Value *frame_push_stub(GenVM *vm, Return kind) {
    Function *stub = continue_stub(vm, kind);
    Value *top = frame_reserve(vm, frame_top(vm), stub->regs);
    if (!top) return NULL;
    Value *base = top + FRAME_LINKS;
    base[0] = VALUE_UNSET;
    frame_enter(vm, base, stub);
    return base;
}

Value *frame_push_continuation(GenVM *vm, Return kind, int count, ...) {
    Value *base = frame_push_stub(vm, kind);
    if (!base) return NULL;
    va_list list;
    va_start(list, count);
    for (int i = 0; i < count; i++)
        base[1 + i] = va_arg(list, Value);
    va_end(list);
    return base;
}

void frame_pop(GenVM *vm) {
    Value *base = vm->base;
    vm->pc = frame_return_pc(base);
    vm->base = frame_caller(base);
}

/* ---- unwinding ---- */

/* The handler in the running frame for the instruction before vm->pc, or NULL. */
static const ExceptionRange *find_handler(const Code *code, size_t offset) {
    for (uint32_t i = 0; i < code->range_count; i++)
        if (offset >= code->ranges[i].start && offset < code->ranges[i].end)
            return &code->ranges[i];
    return NULL;
}

/* The iterator of a for loop that the exception leaves and that must be closed first, or
 * VALUE_UNSET. `range` is where the exception is handled, NULL: outside this frame. */
static Value find_left_loop(const Value *base, const Code *code, size_t offset,
                            const ExceptionRange *range) {
    for (uint32_t i = 0; i < code->loop_count; i++) {
        const LoopRange *loop = &code->loops[i];
        if (offset < loop->start || offset >= loop->end) continue;
        if (range && range->handler >= loop->start && range->handler < loop->end) break;
        if (generator_is_temporary(base[loop->reg], GENERATOR_OF_LOOP)) return base[loop->reg];
    }
    return VALUE_UNSET;
}

bool frame_handles(const Value *base, const Code *code, size_t offset) {
    return find_handler(code, offset) || find_left_loop(base, code, offset, NULL) != VALUE_UNSET;
}

/* Without memory for the methods of a type nothing was found in it: what came of that is not the
 * error. */
static void raise_true_cause(GenVM *vm) {
    if (!error_matches(vm, EXC_EXCEPTION)) return;
    vm->poll &= ~(uint32_t)POLL_MEMORY;
    raise_memory(vm);
}

bool frame_unwind(GenVM *vm) {
    if (unlikely(vm->poll & POLL_MEMORY)) raise_true_cause(vm);
    for (;;) {
        Value *base = vm->base;
        Function *function = frame_function(base);
        if (continue_is_stub(vm, function)) {
            Return kind = continue_kind(vm, function);
            if (kind == RETURN_HOST) return false;
            if (vm->aborting && kind != RETURN_RESUME) {
                frame_pop(vm);
                continue;
            }
            if (continue_error(vm, kind)) return true;
            if (vm->base == base) frame_pop(vm);
            continue;
        }
        Code *code = function->code;
        size_t offset = (size_t)(vm->pc - 1 - code->instrs);
        if (!vm->reraising) traceback_add(vm, vm->exception, function, offset);
        vm->reraising = false;
        const ExceptionRange *range = find_handler(code, offset);
        Value left = vm->aborting ? VALUE_UNSET : find_left_loop(base, code, offset, range);
        if (unlikely(left != VALUE_UNSET)) {
            if (generator_leave_loop_raising(vm, left)) return true;
            continue;
        }
        if (range && !vm->aborting) {
            base[range->reg] = vm->exception;
            vm->exception = VALUE_UNSET;
            vm->caught_above = range->handler <= offset;
            vm->pc = code->instrs + range->handler;
            return true;
        }
        if (!frame_is_generator(base))
            frame_pop(vm);
        else if (generator_unwind(vm))
            return true;
    }
}

/* ---- roots ---- */

void frame_mark_stack(GenVM *vm, Value *stack, Value *stack_end, Value *topmost) {
    Value *top = top_of(stack, topmost);
    for (Value *slot = stack; slot < top; slot++)
        gc_mark(vm, *slot);
    memset(top, 0, (size_t)((char *)stack_end - (char *)top));
    for (Value *base = topmost; base; base = frame_caller(base)) {
        gc_mark(vm, base[FRAME_FUNCTION]);
        if (frame_is_generator(base)) {
            Generator *generator = generator_of(base);
            gc_mark_object(vm, &generator->header);
            generator_trace(vm,
                            &generator->header); /* it may be old and changed without a barrier */
        }
    }
}

void vm_mark_roots(GenVM *vm) {
    frame_mark_stack(vm, vm->stack, vm->stack_end, vm->base);
    task_mark_roots(vm);
    gc_mark(vm, vm->exception);
    gc_mark(vm, vm->handled);
    gc_mark(vm, vm->memory_error);
    types_mark(vm);
    native_mark_shared(vm);
    for (int i = 0; i < TWIN_COUNT; i++)
        gc_mark(vm, vm->twins[i]);
    for (size_t i = 0; i < sizeof vm->roots / sizeof *vm->roots; i++)
        gc_mark(vm, vm->roots[i]);
    gc_mark(vm, vm->empty_bytes);
    gc_mark_pointer(vm, vm->builtins);
    gc_mark_pointer(vm, vm->modules);
    gc_mark(vm, vm->sys_module);
    gc_mark(vm, vm->prelude);
    gc_mark(vm, vm->import_function);
    gc_mark(vm, vm->next_function);
    gc_mark(vm, vm->len_function);
    gc_mark(vm, vm->host_natives);
    gc_mark(vm, vm->host_types);
    if (!vm->main_leaves) gc_mark(vm, vm->main_module);
    for (uint32_t i = 0; i < vm->pending_count; i++)
        gc_mark_object(vm, vm->pending_finalizers[i]);
    weakrefs_mark(vm);
    if (vm->refs_mark) vm->refs_mark(vm);
}
