/* interp_calls.h - a part of interp.c: the handlers that switch frames, as macros over its locals:
 * calls, `for` steps that resume a generator, and the other steps of `for`. It is included there
 * and nowhere else.
 */
#ifndef GEN_INTERP_CALLS_H
#define GEN_INTERP_CALLS_H

/* Resumes generator `g`: `top_`, where its callees' frames may start; `to`, the register that gets
 * what it yields; `next_pc` and `end_pc`, where it goes on after a yield and at the end. */
#define RESUME(g, root_, top_, to, next_pc, end_pc)                                                \
    do {                                                                                           \
        Value *resumer = base, *resumer_top = (top_), *dest = (to);                                \
        const Instr *resumer_pc = (next_pc);                                                       \
        base = generator_base(g);                                                                  \
        __asm__("" : "+r"(base)); /* the one pointer to all of it from here on */                  \
        Generator *resumed = generator_of(base);                                                   \
        resumed->exit_pc = (end_pc);                                                               \
        resumed->top = resumer_top;                                                                \
        resumed->dest = dest;                                                                      \
        base[FRAME_CONSTS] = (Value)(uintptr_t)k;                                                  \
        base[FRAME_CALLER] = (Value)(uintptr_t)resumer;                                            \
        base[FRAME_PC] = (Value)(uintptr_t)resumer_pc;                                             \
        resumed->root = (root_);                                                                   \
        resumed->header.state = GENERATOR_RUNNING;                                                 \
        pc = resumed->pc;                                                                          \
        k = frame_function(base)->consts;                                                          \
        TICK();                                                                                    \
    } while (0)
#define RESUME_FOR(g, top_, root_) RESUME(g, root_, top_, &RB, pc + IMM, pc)
#define QUICKEN(op) (*(uint8_t *)(uintptr_t)(pc - 1) = (op))

#define TOP_PLAIN (base + frame_function(base)->regs)
#define TOP_GENERATOR (generator_of(base)->top)

/* A loop over pairs begins by unpacking them, from a temporary that nothing else reads: then no
 * tuple is made. */
#define UNPACKS_TWO(instr, item)                                                                   \
    (((instr) & ~(Instr)0xFF00) == instr_make(OP_UNPACK, 0, item, 1, 2))
#define FUEL_GONE() (vm->fuel_kept += fuel, fuel = 0)

#define FOR_GENERIC(name, top_, generator_form)                                                    \
    CASE(name) {                                                                                   \
        Value iterator = RA;                                                                       \
        if (unlikely(!is_object(iterator))) SLOW_LOOP(op_for_iter);                                \
        switch (object_key(as_object(iterator))) {                                                 \
        case OBJECT_KEY(TYPE_RANGE_ITERATOR, 0): {                                                 \
            RangeIterator *range = (RangeIterator *)as_object(iterator);                           \
            if (unlikely(range->remaining <= 0)) NEXT;                                             \
            range->remaining--;                                                                    \
            RB = int_value(range->next);                                                           \
            range->next += range->step;                                                            \
            QUICKEN(OP_FORITER_RANGE);                                                             \
            LOOP();                                                                                \
        }                                                                                          \
        case OBJECT_KEY(TYPE_LIST_ITERATOR, 0): {                                                  \
            ListIterator *it = (ListIterator *)as_object(iterator);                                \
            List *list = AS_LIST(it->container);                                                   \
            if (unlikely(it->container == VALUE_UNSET)) NEXT;                                      \
            if (unlikely((uint64_t)it->index >= list->count)) {                                    \
                it->container = VALUE_UNSET;                                                       \
                NEXT;                                                                              \
            }                                                                                      \
            RB = list->items[it->index++];                                                         \
            QUICKEN(OP_FORITER_LIST);                                                              \
            LOOP();                                                                                \
        }                                                                                          \
        case OBJECT_KEY(TYPE_TUPLE_ITERATOR, 0): {                                                 \
            ListIterator *it = (ListIterator *)as_object(iterator);                                \
            const Tuple *tuple = AS_TUPLE(it->container);                                          \
            if (unlikely(it->container == VALUE_UNSET || (uint64_t)it->index >= tuple->count))     \
                SLOW_LOOP(op_for_iter);                                                            \
            RB = tuple->items[it->index++];                                                        \
            LOOP();                                                                                \
        }                                                                                          \
        case OBJECT_KEY(TYPE_STR_ASCII_ITERATOR, 0): {                                             \
            ListIterator *it = (ListIterator *)as_object(iterator);                                \
            const Str *str = AS_STR(it->container);                                                \
            if (unlikely(it->container == VALUE_UNSET || it->index >= str->size))                  \
                SLOW_LOOP(op_for_iter);                                                            \
            RB = vm->characters[(unsigned char)str->data[it->index++]];                            \
            LOOP();                                                                                \
        }                                                                                          \
        case OBJECT_KEY(TYPE_GENERATOR, GENERATOR_SUSPENDED): {                                    \
            Generator *g = (Generator *)as_object(iterator);                                       \
            QUICKEN(generator_form);                                                               \
            RESUME_FOR(g, top_, NULL);                                                             \
        }                                                                                          \
        case OBJECT_KEY(TYPE_GENERATOR, GENERATOR_DELEGATING): {                                   \
            Generator *root = (Generator *)as_object(iterator), *g = root->leaf;                   \
            if (unlikely(!g || g->root != root || g->header.state != GENERATOR_SUSPENDED))         \
                SLOW_LOOP(op_for_iter);                                                            \
            RESUME_FOR(g, top_, root);                                                             \
        }                                                                                          \
        default: {                                                                                 \
            const Object *object_ = as_object(iterator);                                           \
            const Type *type_ = vm->types[object_->kind];                                          \
            if (unlikely(object_->shape != object_->kind || !type_->slots.next ||                  \
                         object_->kind == TYPE_GENERATOR))                                         \
                SLOW_LOOP(op_for_iter);                                                            \
            SYNC();                                                                                \
            Value item_ = VALUE_UNSET;                                                             \
            Instr body_ = pc[IMM];                                                                 \
            if (type_->slots.next_two && UNPACKS_TWO(body_, B)) {                                  \
                Value two_[2];                                                                     \
                item_ = type_->slots.next_two(vm, iterator, two_);                                 \
                if (likely(item_ == VALUE_NONE)) {                                                 \
                    Value *to_ = base + instr_a(body_);                                            \
                    to_[0] = two_[0];                                                              \
                    to_[1] = two_[1];                                                              \
                    fuel = vm->fuel;                                                               \
                    if (unlikely(vm->poll)) FUEL_GONE();                                           \
                    pc += IMM + 1;                                                                 \
                    TICK();                                                                        \
                }                                                                                  \
            }                                                                                      \
            if (item_ == VALUE_UNSET) item_ = type_->slots.next(vm, iterator);                     \
            fuel = vm->fuel;                                                                       \
            if (unlikely(vm->poll)) {                                                              \
                vm->fuel_kept += fuel;                                                             \
                fuel = 0;                                                                          \
            }                                                                                      \
            if (likely(!is_pointer(item_) || is_object(item_))) {                                  \
                RB = item_;                                                                        \
                LOOP();                                                                            \
            }                                                                                      \
            if (item_ == VALUE_END) NEXT;                                                          \
            if (unlikely(!op_for_item(vm, item_))) goto unwind;                                    \
            RELOAD();                                                                              \
            NEXT;                                                                                  \
        }                                                                                          \
        }                                                                                          \
    }

#define FOR_GENERATOR(name, top_, generic_form, find_iterator)                                     \
    CASE(name) {                                                                                   \
        find_iterator Generator *g = (Generator *)as_object(iterator);                             \
        if (unlikely(object_key(&g->header) != OBJECT_KEY(TYPE_GENERATOR, GENERATOR_SUSPENDED))) { \
            QUICKEN(generic_form);                                                                 \
            pc--;                                                                                  \
            NEXT;                                                                                  \
        }                                                                                          \
        RESUME_FOR(g, top_, NULL);                                                                 \
    }

/* Enters function `f` whose `count` arguments lie ready at `new_base`. */
#define ENTER(f, new_base)                                                                         \
    do {                                                                                           \
        (new_base)[FRAME_FUNCTION] = object_value(f);                                              \
        ENTER_WINDOW(f, new_base);                                                                 \
    } while (0)
/* A continuation frame, for the callee that is entered next. */
#define ENTER_STUB(stub, new_base)                                                                 \
    do {                                                                                           \
        (new_base)[FRAME_CONSTS] = (Value)(uintptr_t)k;                                            \
        (new_base)[FRAME_CALLER] = (Value)(uintptr_t)base;                                         \
        (new_base)[FRAME_FUNCTION] = object_value(stub);                                           \
        (new_base)[FRAME_PC] = (Value)(uintptr_t)pc;                                               \
        base = (new_base);                                                                         \
        k = (stub)->consts;                                                                        \
        pc = (stub)->entry;                                                                        \
    } while (0)
/* The same where the function lies at its place already.
 *
 * Where the function begins is known only at the end of a chain of reads: of the name, the
 * function, its code. So it is guessed first, that the function is the one that was entered last or
 * (enter_other) from about here, and the processor goes on with it while the comparison with what
 * is right is under way. */
#define ENTER_WINDOW(f, new_base)                                                                  \
    do {                                                                                           \
        Value *entered = (new_base);                                                               \
        entered[FRAME_CONSTS] = (Value)(uintptr_t)k;                                               \
        entered[FRAME_CALLER] = (Value)(uintptr_t)base;                                            \
        entered[FRAME_PC] = (Value)(uintptr_t)pc;                                                  \
        base = entered;                                                                            \
        k = (f)->consts;                                                                           \
        entry = (f)->entry;                                                                        \
        fuel--;                                                                                    \
        const Instr *seen_ = vm->entered, *guess_ = seen_;                                         \
        __asm__("" : "+r"(guess_)); /* for the compiler, two words without relation */             \
        if (unlikely(seen_ != entry)) goto enter_other;                                            \
        pc = guess_;                                                                               \
        if (unlikely(fuel < 0)) goto tick;                                                         \
        NEXT;                                                                                      \
    } while (0)

/* Calls native `f` with the arguments that lie at `args_`, as many as it takes. */
#define CALL_DIRECT(f, args_, top_)                                                                \
    do {                                                                                           \
        NativeFunction *native_ = (NativeFunction *)(f);                                           \
        SYNC();                                                                                    \
        vm->callee = native_;                                                                      \
        Value answer_ = native_->fn(vm, (args_));                                                  \
        native_check_result(vm, native_, answer_);                                                 \
        if (unlikely((answer_ & ~(Value)8) == VALUE_ERROR)) {                                      \
            if (answer_ == VALUE_ERROR) {                                                          \
                if (vm->stop) threads_keep_call(vm, native_, (args_));                             \
                goto unwind;                                                                       \
            }                                                                                      \
            top = (top_);                                                                          \
            goto tail_call;                                                                        \
        }                                                                                          \
        fuel = vm->fuel;                                                                           \
        RA = answer_;                                                                              \
        if (unlikely(vm->poll)) goto hurry;                                                        \
        NEXT;                                                                                      \
    } while (0)
/* Is `self` of the class whose method native `f` is: of any subclass, if it is a builtin one with a
 * kind of its own (exceptions share theirs). */
#define TAKES_SELF(f, self)                                                                        \
    (is_pointer(self) &&                                                                           \
     (type_has_kind(((NativeFunction *)(f))->owner, as_object(self)->kind) ||                      \
      vm->shapes[as_object(self)->shape].type == ((NativeFunction *)(f))->owner))

/* What is no plain function of that many parameters is called at `call_other`, with `callee`, the
 * `arg_count` arguments at `args`, and `top`, where frames may start: at the window itself, which
 * is dead for the caller, or on the task's stack. */
/* A class that makes instances of its own, by __init__ only: no metaclass, no __new__, no builtin
 * base but object. */
static inline bool type_is_plain(GenVM *vm, const Type *type) {
    return !type->is_builtin && type->header.shape == TYPE_TYPE && !type->is_abstract &&
           type->special[SP_INIT] != VALUE_UNSET && type->special[SP_NEW] == VALUE_UNSET &&
           type->def == vm->types[TYPE_OBJECT]->def && is_object(type->special[SP_INIT]);
}

#define CALL_OTHER(function_, args_, count_, top_)                                                 \
    do {                                                                                           \
        callee = &(function_)->header;                                                             \
        args = (args_);                                                                            \
        arg_count = (count_);                                                                      \
        top = (top_);                                                                              \
        goto call_other;                                                                           \
    } while (0)

#define CALL_PLAIN(name, slow)                                                                     \
    CASE(name) {                                                                                   \
        Value *window = &RA;                                                                       \
        if (unlikely(!is_pointer(window[0]))) SLOW_LOOP(slow);                                     \
        Function *f = (Function *)as_object(window[0]);                                            \
        if (unlikely(f->header.kind != TYPE_FUNCTION || f->header.state != B)) {                   \
            if (object_key(&f->header) == OBJECT_KEY(TYPE_NATIVE, B))                              \
                CALL_DIRECT(f, window + FRAME_LINKS, window);                                      \
            CALL_OTHER(f, window + FRAME_LINKS, B, window);                                        \
        }                                                                                          \
        if (unlikely(window + FRAME_LINKS > vm->limit)) SLOW_LOOP(slow);                           \
        ENTER_WINDOW(f, window + FRAME_LINKS);                                                     \
    }

#define CALL_METHOD(name, slow)                                                                    \
    CASE(name) {                                                                                   \
        Value *window = &RA;                                                                       \
        if (unlikely(!is_pointer(window[0]))) SLOW_LOOP(slow);                                     \
        Function *f = (Function *)as_object(window[0]);                                            \
        if (unlikely(window[FRAME_LINKS] == VALUE_UNSET))                                          \
            CALL_OTHER(f, window + FRAME_LINKS + 1, B - 1u, window);                               \
        if (unlikely(object_key(&f->header) != OBJECT_KEY(TYPE_FUNCTION, B))) {                    \
            if (object_key(&f->header) == OBJECT_KEY(TYPE_NATIVE_METHOD, B) &&                     \
                TAKES_SELF(f, window[FRAME_LINKS]))                                                \
                CALL_DIRECT(f, window + FRAME_LINKS, window);                                      \
            CALL_OTHER(f, window + FRAME_LINKS, B, window);                                        \
        }                                                                                          \
        if (unlikely(window + FRAME_LINKS > vm->limit)) SLOW_LOOP(slow);                           \
        ENTER_WINDOW(f, window + FRAME_LINKS);                                                     \
    }

/* In a generator the arguments are copied to the task's stack. */
#define CALL_FROM_GENERATOR(name, slow, needs_self)                                                \
    CASE(name) {                                                                                   \
        Value *window = &RA, *stack_top = generator_of(base)->top;                                 \
        if (unlikely(!is_pointer(window[0]))) SLOW_LOOP(slow);                                     \
        Function *f = (Function *)as_object(window[0]);                                            \
        unsigned given = B;                                                                        \
        if (unlikely(needs_self && window[1] == VALUE_UNSET))                                      \
            CALL_OTHER(f, window + 2, given - 1, stack_top);                                       \
        if (unlikely(object_key(&f->header) != OBJECT_KEY(TYPE_FUNCTION, given))) {                \
            if (needs_self ? object_key(&f->header) == OBJECT_KEY(TYPE_NATIVE_METHOD, given) &&    \
                                 TAKES_SELF(f, window[1])                                          \
                           : object_key(&f->header) == OBJECT_KEY(TYPE_NATIVE, given))             \
                CALL_DIRECT(f, window + 1, stack_top);                                             \
            CALL_OTHER(f, window + 1, given, stack_top);                                           \
        }                                                                                          \
        if (unlikely(stack_top > vm->limit)) SLOW_LOOP(slow);                                      \
        for (unsigned i = 0; i < given; i++)                                                       \
            stack_top[FRAME_LINKS + i] = window[1 + i];                                            \
        ENTER(f, stack_top + FRAME_LINKS);                                                         \
    }
/* With keywords: the arguments of a plain function are bound where its frame is to be. */
#define CALL_KEYWORDS(name, link, top_)                                                            \
    CASE(name) {                                                                                   \
        Value *window = &RA;                                                                       \
        Function *f = (Function *)as_object(window[0]);                                            \
        if (unlikely(!is_kind(window[0], TYPE_FUNCTION) || f->regs > FUNCTION_PLAIN_REGS))         \
            SLOW_LOOP(op_call_keywords);                                                           \
        Value *frame = (top_) + FRAME_LINKS;                                                       \
        unsigned unbound = (C & 1) && window[link] == VALUE_UNSET;                                 \
        if (unlikely(frame > vm->limit)) SLOW_LOOP(op_call_keywords);                              \
        SYNC();                                                                                    \
        if (likely(function_bind_plainly(vm, f, window + (link) + unbound, B - unbound, k[IMM],    \
                                         frame)))                                                  \
            ENTER(f, frame);                                                                       \
        if (unlikely(                                                                              \
                !call_general(vm, window[0], window + (link) + unbound, B - unbound, k[IMM])))     \
            goto unwind;                                                                           \
        RELOAD();                                                                                  \
        if (unlikely(vm->poll)) goto hurry;                                                        \
        NEXT;                                                                                      \
    }

#endif
