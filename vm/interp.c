/* interp.c - the dispatch loop: a fast path per instruction, and nothing else.
 *
 * The running frame lives in four locals: pc (behind the current instruction), base (its
 * registers), k (its constants) and fuel. Every case ends in NEXT. What a fast path does not cover
 * is SLOW(function): the locals are written to the VM, an outlined function of ops.h does the rest
 * (it may push a frame, jump, raise), and the locals are read back. So handlers stay small, and a
 * compiler back end can call the same functions.
 *
 * Operands are read as bytes of the instruction just passed; jumps add words. A backward jump, a
 * call and a resume take a unit of fuel; when there is none left, tick() polls what wants polling
 * and refills.
 */
#include "vm/interp.h"
#include "vm/bind.h"
#include "vm/call.h"
#include "vm/generator.h"
#include "vm/objects.h"
#include "vm/ops.h"
#include "vm/threads.h"

#include <math.h>

#define BYTE(i) (((const uint8_t *)pc)[(i) - (int)sizeof(Instr)])
#define A BYTE(1)
#define B BYTE(2)
#define C BYTE(3)
#define SB ((int8_t)BYTE(2))
#define IMM (((const int32_t *)pc)[-1])
#define RA base[A]
#define RB base[B]
#define RC base[C]

#define SYNC() (vm->pc = pc, vm->base = base, vm->fuel = fuel)
#define RELOAD() (base = vm->base, pc = vm->pc, fuel = vm->fuel, k = frame_function(base)->consts)

#define NEXT                                                                                       \
    do {                                                                                           \
        uint8_t op_ = *(const uint8_t *)pc;                                                        \
        pc++;                                                                                      \
        goto *labels[op_];                                                                         \
    } while (0)
#define CASE(name) L_##name:
/* What a fast path does not cover goes through one place, so that handlers stay small; an
 * instruction that is outlined as a whole makes the call itself. */
#define SLOW(function)                                                                             \
    do {                                                                                           \
        outlined = (function);                                                                     \
        goto slow_path;                                                                            \
    } while (0)
#define CALL_OUTLINED(function)                                                                    \
    do {                                                                                           \
        SYNC();                                                                                    \
        if (unlikely(!function(vm))) goto unwind;                                                  \
        RELOAD();                                                                                  \
        if (unlikely(vm->poll)) goto hurry;                                                        \
        NEXT;                                                                                      \
    } while (0)

/* The same for an instruction that may have jumped backward. */
#define SLOW_LOOP(function)                                                                        \
    do {                                                                                           \
        SYNC();                                                                                    \
        if (unlikely(!function(vm))) goto unwind;                                                  \
        RELOAD();                                                                                  \
        if (unlikely(vm->poll)) {                                                                  \
            vm->fuel_kept += fuel;                                                                 \
            fuel = 0;                                                                              \
        }                                                                                          \
        TICK();                                                                                    \
    } while (0)

/* The next backward jump will find the fuel gone. */
#define JUMP(words)                                                                                \
    do {                                                                                           \
        int64_t words_ = (words);                                                                  \
        pc += words_;                                                                              \
        fuel += words_ >> 63;                                                                      \
        if (unlikely(fuel < 0)) goto tick;                                                         \
        NEXT;                                                                                      \
    } while (0)
/* Reads a word from `place` that most likely is `actual`, as it was the last time: the processor
 * goes on with it while it is still on the way to `actual` and the comparison. */
#define GUESS(type, variable, place, actual)                                                       \
    type *place_ = (place);                                                                        \
    type variable = *(type volatile *)place_; /* a read that no knowledge of *place_ replaces */   \
    if (unlikely(*place_ != (actual))) variable = *place_ = (actual)

/* The jump of a loop instruction, which leads backward: most likely to where the last one led. */
#define LOOP()                                                                                     \
    do {                                                                                           \
        const Instr *target_ = pc + IMM;                                                           \
        GUESS(const Instr *, guess_, &vm->looped, target_);                                        \
        pc = guess_;                                                                               \
        TICK();                                                                                    \
    } while (0)
#define TICK()                                                                                     \
    do {                                                                                           \
        if (unlikely(--fuel < 0)) goto tick;                                                       \
        NEXT;                                                                                      \
    } while (0)

#include "vm/interp_operators.h"
#include "vm/interp_calls.h"

#include "vm/interp_attributes.h"

/* The length of exactly a list, str, tuple or dict; -1: something else. */
static inline int64_t plain_length(const Object *object) {
    switch (object_key(object)) {
    case OBJECT_KEY(TYPE_LIST, 0): return (int64_t)((const List *)object)->count;
    case OBJECT_KEY(TYPE_STR, 0): return ((const Str *)object)->length;
    case OBJECT_KEY(TYPE_TUPLE, 0): return (int64_t)((const Tuple *)object)->count;
    case OBJECT_KEY(TYPE_DICT, 0): return ((const Dict *)object)->count;
    default: return -1;
    }
}

/* Is the instruction behind a call to replace its result, in register `reg`, by an iterator of it?
 */
static inline bool is_iterated(Instr next, unsigned reg) {
    return instr_op(next) == OP_GETITER && instr_a(next) == reg && instr_b(next) == reg;
}

/* Is there an item at *at, counted from the end if it is negative? The commonest indices take one
 * comparison. */
static inline bool find_place(int64_t *at, uint64_t count) {
    if (likely((uint64_t)*at < count)) return true;
    *at += (int64_t)count;
    return (uint64_t)*at < count;
}

/* Of a GETGLOBAL_: the value of the builtin that was found before, if it is to be found there
 * still. */
#define BUILTIN_ENTRY(variable)                                                                    \
    const Dict *builtins_ = vm->builtins;                                                          \
    const DictEntry *entry_ = builtins_->entries + (uint16_t)(pc[0] >> 16);                        \
    if (unlikely(frame_function(base)->globals->version != (uint32_t)(pc[0] >> 32) ||              \
                 (uint16_t)(pc[0] >> 16) >= builtins_->used || entry_->key != k[IMM]))             \
        SLOW(op_get_global);                                                                       \
    Value variable = entry_->value;
/* Where the arguments of that call lie, whose window begins at `window`, and the frames of it may.
 */
#define CALL_PLACE(call)                                                                           \
    if (instr_op(call) == OP_CALL) {                                                               \
        top = window;                                                                              \
        args = window + FRAME_LINKS;                                                               \
    } else {                                                                                       \
        top = generator_of(base)->top;                                                             \
        args = window + 1;                                                                         \
    }

#define OUTLINED(name, function) CASE(name) CALL_OUTLINED(function);

/* After a call from outside, or vm->stop: RUN_RETURNED when there is something to run at vm->pc,
 * maybe of another thread. */
static COLD RunStatus settle(GenVM *vm, bool ok) {
    for (;;) {
        if (!ok && !vm->stop && !frame_unwind(vm)) return RUN_FAILED;
        if (!vm->stop) return RUN_RETURNED;
        if (vm->stop != STOP_SWITCH) return RUN_STOPPED;
        ok = threads_switch(vm);
    }
}

RunStatus interp_continue(GenVM *vm, bool ok) {
    RunStatus status = ok ? RUN_RETURNED : settle(vm, false);
    return status == RUN_RETURNED ? interp_run(vm) : status;
}

RunStatus interp_run(GenVM *vm) {
    static const void *const labels[256] = {
#define OP(name, words, format) [OP_##name] = &&L_##name,
#include "vm/opcodes.def"
#undef OP
    };
    const Instr *pc;
    Value *base, *k;
    int64_t fuel;
    double number;
    bool (*outlined)(GenVM *);
    Value answer;
    Object *callee; /* for call_other */
    Value *args, *top, *stack;
    unsigned arg_count;
    const Instr *entry; /* for enter_other */
    RELOAD();
    NEXT;

    CASE(NOP) NEXT;
    CASE(SKIP1) NEXT;
    CASE(SKIP2) {
        pc++;
        NEXT;
    }
    CASE(LOADK) {
        RA = k[IMM];
        NEXT;
    }
    CASE(LOADI) {
        RA = int_value(IMM);
        NEXT;
    }
    CASE(MOVE) {
        RA = RB;
        NEXT;
    }
    CASE(MOVEW) {
        RA = base[IMM];
        NEXT;
    }
    CASE(STOREW) {
        base[IMM] = RA;
        NEXT;
    }
    CASE(UNSET) {
        RA = VALUE_UNSET;
        NEXT;
    }
    CASE(CHECK) {
        if (unlikely(RA == VALUE_UNSET)) SLOW(op_unbound_local);
        NEXT;
    }
    CASE(DELLOCAL) {
        if (unlikely(RA == VALUE_UNSET)) SLOW(op_unbound_local);
        RA = VALUE_UNSET;
        NEXT;
    }
    OUTLINED(GETGLOBAL, op_get_global)
    CASE(GETGLOBAL_DICT) {
        Dict *globals = frame_function(base)->globals;
        uint32_t at = (uint32_t)(pc[0] >> 32);
        if (unlikely(at >= globals->used || globals->entries[at].key != k[IMM]))
            SLOW(op_get_global);
        RA = globals->entries[at].value;
        pc++;
        NEXT;
    }
    CASE(GETGLOBAL_BUILTIN) {
        BUILTIN_ENTRY(v)
        RA = v;
        pc++;
        NEXT;
    }
    CASE(GETGLOBAL_TYPE) {
        BUILTIN_ENTRY(v)
        if (unlikely(v != object_value(vm->types[TYPE_TYPE]))) SLOW(op_get_global);
        Value x = base[instr_b(pc[1])];
        RA = object_value(is_int(x)     ? vm->types[TYPE_INT]
                          : is_float(x) ? vm->types[TYPE_FLOAT]
                                        : vm->shapes[as_object(x)->shape].type);
        pc += 3;
        NEXT;
    }
    CASE(GETGLOBAL_LEN) {
        BUILTIN_ENTRY(v)
        Value x = base[instr_b(pc[1])];
        int64_t length = is_pointer(x) ? plain_length(as_object(x)) : -1;
        if (unlikely(v != vm->len_function || length < 0)) goto L_GETGLOBAL_NATIVE;
        RA = int_value(length);
        pc += 3;
        NEXT;
    }
    CASE(GETGLOBAL_NATIVE) {
        BUILTIN_ENTRY(v)
        Value x = base[instr_b(pc[1])], *window = &RA;
        callee = as_object(v);
        if (unlikely(!is_kind_operand(v, TYPE_NATIVE)
                         ? !is_kind_operand(v, TYPE_TYPE) || v == object_value(vm->types[TYPE_TYPE])
                         : callee->flags & NATIVE_RESUMES))
            goto no_builtin_call;
        CALL_PLACE(pc[2])
        pc += 3;
        window[0] = v; /* a native that is stopped is called again, by the CALL */
        args[0] = x;
        if (object_key(callee) == OBJECT_KEY(TYPE_NATIVE, 1)) CALL_DIRECT(callee, args, top);
        arg_count = 1;
        goto call_other;
    }
    CASE(GETGLOBAL_NEXT) {
        BUILTIN_ENTRY(v)
        Value x = base[instr_b(pc[1])], *window = &RA;
        Generator *g = (Generator *)as_object(x);
        if (unlikely(v != vm->next_function || !is_pointer(x))) goto no_builtin_call;
        if (unlikely(object_key(&g->header) != OBJECT_KEY(TYPE_GENERATOR, GENERATOR_SUSPENDED))) {
            if (g->header.kind != TYPE_GENERATOR) QUICKEN(OP_GETGLOBAL_BUILTIN);
            goto no_builtin_call;
        }
        CALL_PLACE(pc[2])
        if (unlikely(top >= vm->limit)) goto no_builtin_call;
        pc += 3;
        RESUME(g, NULL, top + 1, window, pc, NULL);
    }
no_builtin_call : { /* the three instructions one by one */
    RA = vm->builtins->entries[(uint16_t)(pc[0] >> 16)].value;
    pc++;
    NEXT;
}
    OUTLINED(SETGLOBAL, op_set_global)
    OUTLINED(DELGLOBAL, op_delete_global)
    OUTLINED(GETNAME, op_get_name)
    OUTLINED(SETNAME, op_set_name)
    OUTLINED(DELNAME, op_delete_name)
    OUTLINED(GETNAMEFREE, op_get_name_free)
    OUTLINED(NEWCELL, op_new_cell)
    CASE(GETCELL) {
        Value v = AS(Cell, RB)->value;
        if (unlikely(v == VALUE_UNSET)) SLOW(op_unbound_cell);
        RA = v;
        NEXT;
    }
    CASE(SETCELL) {
        Cell *cell = AS(Cell, RA);
        cell->value = RB;
        gc_barrier(vm, cell);
        NEXT;
    }
    CASE(DELCELL) {
        Cell *cell = AS(Cell, RA);
        if (unlikely(cell->value == VALUE_UNSET)) SLOW(op_unbound_cell);
        cell->value = VALUE_UNSET;
        NEXT;
    }
    CASE(GETFREE) {
        Value v = AS(Cell, frame_function(base)->closure->items[IMM])->value;
        if (unlikely(v == VALUE_UNSET)) SLOW(op_unbound_free);
        RA = v;
        NEXT;
    }
    CASE(SETFREE) {
        Cell *cell = AS(Cell, frame_function(base)->closure->items[IMM]);
        cell->value = RA;
        gc_barrier(vm, cell);
        NEXT;
    }
    CASE(DELFREE) {
        Cell *cell = AS(Cell, frame_function(base)->closure->items[IMM]);
        if (unlikely(cell->value == VALUE_UNSET)) SLOW(op_unbound_free);
        cell->value = VALUE_UNSET;
        NEXT;
    }
    CASE(FREECELL) {
        RA = frame_function(base)->closure->items[IMM];
        NEXT;
    }

    ARITHMETIC(ADD, int_add, +, RB, RC, op_add)
    ARITHMETIC(SUB, int_sub, -, RB, RC, op_binary)
    ARITHMETIC(MUL, int_mul, *, RB, RC, op_binary)
    ARITHMETIC(ADDK, int_add, +, RB, k[IMM], op_add)
    ARITHMETIC(SUBK, int_sub, -, RB, k[IMM], op_binary)
    ARITHMETIC(MULK, int_mul, *, RB, k[IMM], op_binary)
    ARITHMETIC_IMMEDIATE(ADDI, int_add, +)
    ARITHMETIC_IMMEDIATE(SUBI, int_sub, -)
    DIVISION(DIV, RC)
    DIVISION(DIVK, k[IMM])
    INTEGER_DIVISION(FLOORDIV, floor_div, RC)
    CONSTANT_DIVISION(FLOORDIVK, floor_div, q << SMALL_INT_SHIFT)
    INTEGER_DIVISION(MOD, floor_mod, RC)
    CONSTANT_DIVISION(MODK, floor_mod, x - q * y)
    BITWISE(AND, &, RC)
    BITWISE(ANDK, &, k[IMM])
    BITWISE(OR, |, RC)
    BITWISE(ORK, |, k[IMM])
    BITWISE(XOR, ^, RC)
    BITWISE(XORK, ^, k[IMM])
    SHIFT_LEFT(LSHIFT, RC)
    SHIFT_LEFT(LSHIFTK, k[IMM])
    SHIFT_RIGHT(RSHIFT, RC)
    SHIFT_RIGHT(RSHIFTK, k[IMM])
    POWER(POW, RC)
    POWER(POWK, k[IMM])
    CASE(MATMUL)
    CASE(MATMULK) SLOW(op_binary);
    CASE(NEG) {
        Value x = RB, r;
        if (likely(is_int(x) && !int_sub(0, x, &r))) {
            RA = r;
            NEXT;
        }
        if (is_float(x)) SET_FLOAT(-as_float(x));
        SLOW(op_unary);
    }
    OUTLINED(POS, op_unary)
    OUTLINED(INVERT, op_unary)
    CASE(NOT) {
        Value x = RB;
        if (likely(is_bool(x))) {
            RA = bool_value(x == VALUE_FALSE);
            NEXT;
        }
        SLOW(op_not);
    }

#include "vm/pairs.def"

    COMPARE_JUMPS(LT, <)
    COMPARE_JUMPS(LE, <=)
    COMPARE_JUMPS(EQ, ==)
    COMPARE_JUMPS(NE, !=)
    COMPARE_JUMPS(GT, >)
    COMPARE_JUMPS(GE, >=)
    STRING_JUMP(JEQS, true)
    STRING_JUMP(JNES, false)
    CASE(IS) {
        RA = bool_value(RB == RC);
        NEXT;
    }
    CASE(ISNOT) {
        RA = bool_value(RB != RC);
        NEXT;
    }
    MEMBERSHIP(IN, true)
    MEMBERSHIP(NOTIN, false)

    CASE(JMP) JUMP(IMM);
    CASE(JT) {
        Value x = RA;
        if (x == VALUE_TRUE) JUMP(IMM);
        if (x == VALUE_FALSE) NEXT;
        if (is_int(x)) {
            if (x) JUMP(IMM);
            NEXT;
        }
        if (x == VALUE_NONE) NEXT;
        if (is_exact_operand(x, TYPE_LIST)) {
            if (AS_LIST(x)->count) JUMP(IMM);
            NEXT;
        }
        SLOW(op_truth_jump);
    }
    CASE(JF) {
        Value x = RA;
        if (x == VALUE_TRUE) NEXT;
        if (x == VALUE_FALSE) JUMP(IMM);
        if (is_int(x)) {
            if (!x) JUMP(IMM);
            NEXT;
        }
        if (x == VALUE_NONE) JUMP(IMM);
        if (is_exact_operand(x, TYPE_LIST)) {
            if (!AS_LIST(x)->count) JUMP(IMM);
            NEXT;
        }
        SLOW(op_truth_jump);
    }
    CASE(JNONE) {
        if (RA == VALUE_NONE) JUMP(IMM);
        NEXT;
    }
    CASE(JNOTNONE) {
        if (RA != VALUE_NONE) JUMP(IMM);
        NEXT;
    }
    CASE(JIS) {
        if (RA == RB) JUMP(IMM);
        NEXT;
    }
    CASE(JISNOT) {
        if (RA != RB) JUMP(IMM);
        NEXT;
    }

    CASE(JEXACT) {
        Value x = RA;
        if (likely(is_int(x))) {
            if (C & 1) JUMP(IMM);
            NEXT;
        }
        if (is_float(x) ? C & 2 : (as_object(x)->shape != B) == C >> 2) JUMP(IMM);
        NEXT;
    }

    CASE(GETITER) {
        Value v = RB;
        if (!is_kind_operand(v, TYPE_GENERATOR)) CALL_OUTLINED(op_get_iter);
        Generator *g = (Generator *)as_object(v);
        if (g->exit_pc == pc - 1 && generator_unstarted(g)) g->header.flags |= GENERATOR_OF_LOOP;
        RA = v;
        NEXT;
    }
    OUTLINED(ENDFOR, op_end_for)
    OUTLINED(ENDPARAMS, op_end_params)
    FOR_GENERIC(FORITER, TOP_PLAIN, OP_FORITER_GEN)
    FOR_GENERIC(FORITERG, TOP_GENERATOR, OP_FORITERG_GEN)
    FOR_GENERATOR(FORITER_GEN, TOP_PLAIN, OP_FORITER, Value iterator = RA;)
    FOR_GENERATOR(FORITERG_GEN, TOP_GENERATOR, OP_FORITERG,
                  GUESS(Value, iterator, &generator_of(base)->inner, RA);)
    CASE(FORITER_RANGE) {
        RangeIterator *range = (RangeIterator *)as_object(RA);
        if (unlikely(range->header.kind != TYPE_RANGE_ITERATOR)) goto unquicken_for;
        if (unlikely(range->remaining <= 0)) NEXT;
        range->remaining--;
        int64_t item = range->next;
        range->next = item + range->step;
        RB = int_value(item);
        LOOP();
    }
    CASE(FORITER_LIST) {
        ListIterator *it = (ListIterator *)as_object(RA);
        if (unlikely(it->header.kind != TYPE_LIST_ITERATOR || it->container == VALUE_UNSET))
            goto unquicken_for;
        List *list = AS_LIST(it->container);
        if (unlikely((uint64_t)it->index >= list->count)) {
            it->container = VALUE_UNSET;
            NEXT;
        }
        RB = list->items[it->index++];
        LOOP();
    }
unquicken_for : {
    QUICKEN(frame_is_generator(base) ? OP_FORITERG : OP_FORITER);
    pc--;
    NEXT;
}

    CALL_PLAIN(CALL, op_call)
    CALL_METHOD(CALLM, op_call_method)
    CALL_FROM_GENERATOR(CALLG, op_call, false)
    CALL_FROM_GENERATOR(CALLMG, op_call_method, true)
    CALL_KEYWORDS(CALLKW, FRAME_LINKS, window)
    CALL_KEYWORDS(CALLKWG, 1, generator_of(base)->top)
    CASE(CALLEX) SLOW_LOOP(op_call_spread);
    CASE(CALLEXG) SLOW_LOOP(op_call_spread);
    CASE(CALLEXW) SLOW_LOOP(op_call_spread);
    CASE(CALLEXWG) SLOW_LOOP(op_call_spread);
    CASE(CALLW) SLOW_LOOP(op_call);
    CASE(CALLWG) SLOW_LOOP(op_call);
    CASE(CALLMW) SLOW_LOOP(op_call_method);
    CASE(CALLMWG) SLOW_LOOP(op_call_method);
    CASE(RET) {
        Value v = RA;
        pc = (const Instr *)(uintptr_t)base[FRAME_PC];
        k = (Value *)(uintptr_t)base[FRAME_CONSTS];
        base = (Value *)(uintptr_t)base[FRAME_CALLER];
        RA = v;
        NEXT;
    }
    CASE(RETK) {
        Value v = k[IMM];
        pc = (const Instr *)(uintptr_t)base[FRAME_PC];
        k = (Value *)(uintptr_t)base[FRAME_CONSTS];
        base = (Value *)(uintptr_t)base[FRAME_CALLER];
        RA = v;
        NEXT;
    }

    CASE(YIELD) {
        Value v = RB;
        Generator *g = generator_of(base);
        if (C != 1) RA = VALUE_NONE;
        g->pc = pc;
        object_set_state(&g->header, GENERATOR_SUSPENDED);
        gc_barrier(vm, g);
        Value *dest = g->dest;
        pc = (const Instr *)(uintptr_t)base[FRAME_PC];
        k = (Value *)(uintptr_t)base[FRAME_CONSTS];
        base = (Value *)(uintptr_t)base[FRAME_CALLER];
        *dest = v;
        NEXT;
    }
    OUTLINED(YIELDWRAP, op_yield_wrapped)
    CASE(RETGEN) {
        Generator *g = generator_of(base);
        if (unlikely(!g->exit_pc || (g->parent && g->root))) SLOW(op_return_generator);
        g->header.state = GENERATOR_DONE;
        k = (Value *)(uintptr_t)base[FRAME_CONSTS];
        base = (Value *)(uintptr_t)base[FRAME_CALLER];
        pc = g->exit_pc;
        NEXT;
    }
    CASE(GETYIELDITER) {
        if (!is_kind_operand(RB, TYPE_GENERATOR)) CALL_OUTLINED(op_get_yield_iter);
        RA = RB;
        NEXT;
    }
    OUTLINED(YIELDFROM, op_yield_from)
    OUTLINED(YIELDFROMH, op_yield_from)
    OUTLINED(GETAWAITABLE, op_get_awaitable)
    OUTLINED(GETAITER, op_get_aiter)
    OUTLINED(GETANEXT, op_get_anext)
    OUTLINED(ENDASYNCFOR, op_end_async_for)

    OUTLINED(GETATTR, op_get_attribute)
    CASE(GETATTR_SLOT) {
        Value object = RB;
        if (unlikely(!HAS_SHAPE(object, (uint32_t)IMM))) SLOW(op_get_attribute);
        Value v = AS(Instance, object)->slots[C];
        if (unlikely(v == VALUE_UNSET)) SLOW(op_get_attribute);
        RA = v;
        pc += 2;
        NEXT;
    }
    GET_SUM(GETATTR_SLOT_ADD, OTHER, OTHER_IS, as_float(OTHER))
    GET_SUM(GETATTR_SLOT_ADDI, int_value(ADDEND), ADDEND_IS, (double)ADDEND)
    CASE(GETATTR_VALUE) {
        Value object = RB;
        if (unlikely(!HAS_SHAPE(object, (uint32_t)IMM) ||
                     (uint32_t)pc[0] >> 8 != (vm->method_epoch & 0xFFFFFF)))
            SLOW(op_get_attribute);
        RA = pc[1];
        pc += 2;
        NEXT;
    }
    CASE(GETATTR_PROPERTY) {
        Value object = RB;
        if (unlikely(!HAS_SHAPE(object, (uint32_t)IMM) ||
                     (uint32_t)pc[0] >> 8 != (vm->method_epoch & 0xFFFFFF) ||
                     frame_is_generator(base)))
            SLOW(op_get_attribute);
        Function *f = (Function *)as_object(pc[1]);
        Value *window = base + frame_function(base)->regs;
        if (unlikely(window > vm->limit)) SLOW(op_get_attribute);
        window[FRAME_LINKS] = object;
        ENTER(f, window + FRAME_LINKS);
    }
    CASE(GETATTR_MODULE) {
        MODULE_ENTRY(OP_GETATTR)
        RA = dict->entries[at].value;
        pc += 2;
        NEXT;
    }
    CASE(GETATTR_CLASS) {
        CLASS_PLACE(OP_GETATTR)
        RA = v;
        pc += 2;
        NEXT;
    }
    OUTLINED(SETATTR, op_set_attribute)
    CASE(SETATTR_SLOT) {
        Value object = RA;
        if (unlikely(!HAS_SHAPE(object, (uint32_t)IMM))) SLOW(op_set_attribute);
        AS(Instance, object)->slots[C] = RB;
        gc_barrier(vm, as_object(object));
        pc += 2;
        NEXT;
    }
    CASE(SETATTR_ADD) {
        Value object = RA;
        if (unlikely(!HAS_SHAPE(object, (uint32_t)IMM))) SLOW(op_set_attribute);
        AS(Instance, object)->slots[C] = RB;
        as_object(object)->shape = (uint32_t)(pc[1] >> 32);
        gc_barrier(vm, as_object(object));
        pc += 2;
        NEXT;
    }
    OUTLINED(DELATTR, op_delete_attribute)
    OUTLINED(LDMETH, op_load_method)
    OUTLINED(LDMETHG, op_load_method)
    LOAD_METHOD(LDMETH_METHOD, FRAME_LINKS, OP_LDMETH)
    LOAD_METHOD(LDMETHG_METHOD, 1, OP_LDMETHG)
    LOAD_MODULE_METHOD(LDMETH_MODULE, FRAME_LINKS, OP_LDMETH)
    LOAD_MODULE_METHOD(LDMETHG_MODULE, 1, OP_LDMETHG)
    LOAD_CLASS_METHOD(LDMETH_CLASS, FRAME_LINKS, OP_LDMETH)
    LOAD_CLASS_METHOD(LDMETHG_CLASS, 1, OP_LDMETHG)
    OUTLINED(LDSUPER, op_load_super)
    OUTLINED(LDSUPERM, op_load_super_method)
    OUTLINED(LDSUPERMG, op_load_super_method)
    OUTLINED(LDSPECIAL, op_load_special)
    CASE(GETITEM) {
        Value object = RB, key = RC;
        if (likely((((object - 1) | key) & 3) == 0)) { /* an object and an int */
            int64_t at = as_int(key);
            if (likely(object_key(as_object(object)) == OBJECT_KEY(TYPE_LIST, 0))) {
                List *list = AS_LIST(object);
                if (unlikely(!find_place(&at, list->count))) SLOW(op_get_item);
                RA = list->items[at];
                NEXT;
            }
            if (object_key(as_object(object)) == OBJECT_KEY(TYPE_TUPLE, 0)) {
                Tuple *tuple = AS_TUPLE(object);
                if (unlikely(!find_place(&at, tuple->count))) SLOW(op_get_item);
                RA = tuple->items[at];
                NEXT;
            }
            if (is_ascii(as_object(object))) {
                const Str *str = AS_STR(object);
                if (unlikely(!find_place(&at, str->length))) SLOW(op_get_item);
                RA = vm->characters[(unsigned char)str->data[at]];
                NEXT;
            }
        }
        SLOW(op_get_item);
    }
    CASE(GETITEMI) {
        Value object = RB;
        int64_t at = IMM;
        if (likely(is_exact_operand(object, TYPE_LIST))) {
            List *list = AS_LIST(object);
            if (unlikely(!find_place(&at, list->count))) SLOW(op_get_item);
            RA = list->items[at];
            NEXT;
        }
        if (likely(is_exact_operand(object, TYPE_TUPLE))) {
            Tuple *tuple = AS_TUPLE(object);
            if (unlikely(!find_place(&at, tuple->count))) SLOW(op_get_item);
            RA = tuple->items[at];
            NEXT;
        }
        SLOW(op_get_item);
    }
    CASE(SETITEM) {
        Value object = RA, key = RB;
        if (likely(is_int(key) && is_exact_operand(object, TYPE_LIST))) {
            List *list = AS_LIST(object);
            int64_t at = as_int(key);
            if (unlikely(!find_place(&at, list->count))) SLOW(op_set_item);
            list->items[at] = RC;
            gc_barrier(vm, list);
            NEXT;
        }
        SLOW(op_set_item);
    }
    OUTLINED(DELITEM, op_delete_item)
    OUTLINED(GETSLICE, op_get_slice)
    OUTLINED(SETSLICE, op_set_slice)

    OUTLINED(NEWLIST, op_new_list)
    CASE(NEWTUPLE) {
        uint32_t items = (uint32_t)IMM;
        if (unlikely(items - 1 >= 32)) SLOW(op_new_tuple);
        Tuple *tuple = gc_new_raw(vm, sizeof *tuple + items * sizeof(Value), TYPE_TUPLE);
        if (unlikely(!tuple)) {
            SYNC();
            goto unwind;
        }
        tuple->count = items;
        const Value *from = &RB;
        for (uint32_t i = 0; i < items; i++)
            tuple->items[i] = from[i];
        RA = object_value(tuple);
        if (unlikely(vm->poll)) goto hurry;
        NEXT;
    }
    OUTLINED(NEWSET, op_new_set)
    OUTLINED(NEWDICT, op_new_dict)
    OUTLINED(NEWSLICE, op_new_slice)
    CASE(LISTAPPEND) {
        List *list = AS_LIST(RA);
        if (unlikely(list->count == list->capacity)) SLOW(op_list_append);
        list->items[list->count++] = RB;
        gc_barrier(vm, list);
        NEXT;
    }
    OUTLINED(LISTEXTEND, op_list_extend)
    OUTLINED(LISTTUPLE, op_list_tuple)
    OUTLINED(SETADD, op_set_add)
    OUTLINED(SETUPDATE, op_set_update)
    OUTLINED(DICTSET, op_dict_set)
    OUTLINED(DICTMERGE, op_dict_merge)
    CASE(UNPACK) {
        Value v = RB;
        if (likely(is_exact_operand(v, TYPE_TUPLE)) && AS_TUPLE(v)->count == (uint64_t)IMM) {
            Value *to = &RA;
            for (int32_t i = 0, count = IMM; i < count; i++)
                to[i] = AS_TUPLE(v)->items[i];
            NEXT;
        }
        SLOW(op_unpack);
    }
    OUTLINED(UNPACKEX, op_unpack)
    CASE(FORMAT) {
        Value v = RB;
        if (unlikely(C != FORMAT_PART || !(is_int(v) || is_float(v) || is_exact(v, TYPE_STR))))
            CALL_OUTLINED(op_format);
        RA = v;
        NEXT;
    }
    OUTLINED(FORMATSPEC, op_format_spec)
    OUTLINED(JOINSTR, op_join_strings)
    OUTLINED(MKFUNC, op_make_function)
    OUTLINED(BUILDCLASS, op_build_class)
    OUTLINED(IMPORT, op_import)
    OUTLINED(IMPORTFROM, op_import_from)
    OUTLINED(IMPORTSTAR, op_import_star)
    OUTLINED(RAISE, op_raise)
    OUTLINED(RERAISE, op_reraise)
    CASE(EXCENTER) {
        if (unlikely(!is_kind(RA, KIND_EXCEPTION))) SLOW(op_enter_handler);
        RB = vm->handled;
        vm->handled = RA;
        NEXT;
    }
    CASE(EXCLEAVE) {
        vm->handled = RA;
        NEXT;
    }
    OUTLINED(JNOTMATCH, op_jump_unless_match)
    OUTLINED(EGMATCH, op_group_match)
    OUTLINED(EGRERAISE, op_group_reraise)
    OUTLINED(ASSERTFAIL, op_assert_fail)
    OUTLINED(MATCHSEQ, op_match_sequence)
    OUTLINED(MATCHMAP, op_match_mapping)
    OUTLINED(MATCHKEYS, op_match_keys)
    OUTLINED(MATCHCLASS, op_match_class)
    OUTLINED(GETLEN, op_get_len)
    OUTLINED(DICTREST, op_dict_rest)
    OUTLINED(INTRINSIC, op_intrinsic)
    OUTLINED(PRINTEXPR, op_print_expression)
    OUTLINED(THAW, op_thaw)
    CASE(CONT) { /* the commonest: a constructor's or an operator's method has returned */
        Value v = base[0];
        if (IMM == RETURN_INIT && v == VALUE_NONE)
            v = base[1];
        else if (IMM != RETURN_OPERATOR || v == VALUE_NOT_IMPLEMENTED)
            SLOW_LOOP(op_continue);
        pc = (const Instr *)(uintptr_t)base[FRAME_PC];
        k = (Value *)(uintptr_t)base[FRAME_CONSTS];
        base = (Value *)(uintptr_t)base[FRAME_CALLER];
        RA = v;
        NEXT;
    }
    CASE(HALT) {
        SYNC();
        return RUN_RETURNED;
    }

/* A call of anything: see CALL_OTHER. The word before the arguments is free. */
call_other:
    switch (callee->kind) {
    case TYPE_FUNCTION: {
        Function *f = (Function *)callee;
        if (f->header.flags & FUNCTION_GENERATOR) {
            if (unlikely(arg_count != f->code->arg_count)) break;
            SYNC();
            Generator *g = generator_new(vm, f);
            if (unlikely(!g)) goto unwind;
            for (unsigned i = 0; i < arg_count; i++)
                g->regs[i] = args[i];
            if (f->code->iterated_params)
                generator_note_call(vm, g);
            else if (g->header.kind == TYPE_GENERATOR) /* the same, by the CALL at hand */
                g->exit_pc = C ? pc - 1 + C : NULL;
            RA = object_value(g);
            if (unlikely(vm->poll)) goto hurry;
            NEXT;
        }
        unsigned params = f->header.state;
        if (params == FUNCTION_COMPLEX || arg_count > params || top + FRAME_LINKS > vm->limit)
            break;
        unsigned missing = params - arg_count;
        if (missing && (!f->defaults || missing > f->defaults->count)) break;
        Value *frame = top + FRAME_LINKS;
        for (unsigned i = 0; frame != args && i < arg_count; i++)
            frame[i] = args[i];
        for (unsigned i = 0; i < missing; i++)
            frame[arg_count + i] = f->defaults->items[f->defaults->count - missing + i];
        ENTER(f, frame);
    }
    case TYPE_METHOD: {
        Method *method = (Method *)callee;
        Function *f = (Function *)as_object(method->function);
        if (arg_count >= FUNCTION_COMPLEX - 1 || top + FRAME_LINKS > vm->limit ||
            object_key(&f->header) != OBJECT_KEY(TYPE_FUNCTION, arg_count + 1))
            break;
        Value *frame = top + FRAME_LINKS;
        for (unsigned i = arg_count; i > 0; i--)
            frame[i] = args[i - 1];
        frame[0] = method->self;
        ENTER(f, frame);
    }
    case TYPE_NATIVE:
    case TYPE_NATIVE_METHOD: {
        NativeFunction *native = (NativeFunction *)callee;
        if (native->header.flags & NATIVE_RESUMES) goto call_resume;
    call_native:
        SYNC();
        if (((NativeFunction *)callee)->fast) {
            answer = ((NativeFunction *)callee)->fast(vm, args, arg_count);
            if (likely(answer != VALUE_UNSET)) goto answered;
        }
        stack = vm->stack;
        answer = native_invoke_plain(vm, (NativeFunction *)callee, args, arg_count);
        top += vm->stack - stack; /* a native of the host may have called script, which moved it */
        goto answered;
    }
    case TYPE_TYPE: {
        Type *type = (Type *)callee;
        if (type == vm->types[TYPE_TYPE] && arg_count == 1) {
            RA = object_value(type_of(vm, args[0]));
            NEXT;
        }
        if (type == vm->types[TYPE_RANGE] && is_iterated(pc[0], A)) {
            SYNC();
            answer = range_iterator_of_call(vm, args, arg_count);
            if (answer == VALUE_ERROR) goto unwind;
            if (likely(answer != VALUE_UNSET)) {
                RA = answer;
                pc++;
                if (unlikely(vm->poll)) goto hurry;
                NEXT;
            }
        }
        if (type_is_plain(vm, type)) {
            Function *init = (Function *)as_object(type->special[SP_INIT]);
            Value *stub_frame = top + FRAME_LINKS, *frame = stub_frame + FRAME_LINKS + 2;
            if (object_key(&init->header) != OBJECT_KEY(TYPE_FUNCTION, arg_count + 1) ||
                arg_count >= FUNCTION_COMPLEX - 1 || frame > vm->limit)
                break;
            SYNC();
            Value instance = instance_new(vm, type);
            if (unlikely(instance == VALUE_ERROR)) goto unwind;
            for (unsigned i = arg_count; i > 0; i--) /* they may lie where the frames come to lie */
                frame[i] = args[i - 1];
            frame[0] = instance;
            stub_frame[0] = VALUE_UNSET;
            stub_frame[1] = instance;
            Function *stub = vm->stubs[RETURN_INIT];
            ENTER_STUB(stub, stub_frame);
            ENTER(init, frame);
        }
        Value constructor = type_state(vm, type)->constructor;
        if (!type->is_builtin || constructor == VALUE_UNSET || type->flags & TYPE_NO_NEW ||
            type->instance_kind == KIND_EXCEPTION || type == vm->types[TYPE_TYPE])
            break;
        args[-1] = object_value(type);
        SYNC();
        answer = native_invoke(vm, AS(NativeFunction, constructor), args - 1, arg_count + 1,
                               VALUE_UNSET);
        goto answered;
    }
    default: break;
    }
    SYNC();
    if (unlikely(!call_general(vm, object_value(callee), args, arg_count, VALUE_UNSET)))
        goto unwind;
    RELOAD();
    if (unlikely(vm->poll)) goto hurry;
    NEXT;
answered : {
    if (unlikely((answer & ~(Value)8) == VALUE_ERROR)) {
        if (answer == VALUE_ERROR) goto unwind;
        base = vm->base;
        goto tail_call;
    }
    base = vm->base;
    fuel = vm->fuel;
    RA = answer;
    if (unlikely(vm->poll)) goto hurry;
    NEXT;
}
/* The call that a native asked for, most often of a twin: frames may start at `top`. */
tail_call : {
    TailCall *tail = &vm->tail;
    Function *f = (Function *)as_object(tail->callable);
    unsigned given = tail->count;
    if (!is_object(tail->callable) || given == FUNCTION_COMPLEX || tail->then ||
        tail->spread_args != VALUE_UNSET ||
        object_key(&f->header) != OBJECT_KEY(TYPE_FUNCTION, given) || top + FRAME_LINKS > vm->limit)
        SLOW(call_tail);
    Value *frame = top + FRAME_LINKS;
    for (unsigned i = 0; i < given; i++)
        frame[i] = tail->args[i];
    fuel = vm->fuel;
    if (unlikely(vm->poll)) {
        vm->fuel_kept += fuel;
        fuel = 0;
    }
    ENTER(f, frame);
}
/* A function is entered, at `entry`, that is not the one that was entered last: see ENTER_WINDOW.
 */
enter_other : {
    size_t site = (uintptr_t)pc / sizeof(Instr) % ENTERED_FROM;
    if (unlikely(vm->entered_from[site] != entry)) vm->entered_from[site] = entry;
    pc = *(const Instr *volatile *)&vm->entered_from[site];
    vm->entered = pc;
    if (unlikely(fuel < 0)) goto tick;
    NEXT;
}
/* next(generator), next(generator, default), generator.send(value): a switch of frames. A default
 * waits in the result's register and stays there when the generator ends. */
call_resume : {
    NativeFunction *native = (NativeFunction *)callee;
    Value receiver = native->self, sent = VALUE_NONE;
    const Instr *end = NULL;
    if (native->header.flags & (NATIVE_CLOSE | NATIVE_THROW)) {
        SYNC();
        Leaf done = generator_call_native(vm, native, args, arg_count);
        if (done == LEAF_SCRIPT) goto call_native;
        if (done != LEAF_TRUE) goto unwind;
        RELOAD();
        if (unlikely(vm->poll)) goto hurry;
        NEXT;
    }
    if (native->header.flags & NATIVE_SEND) {
        unsigned at = receiver == VALUE_UNSET;
        if (unlikely(arg_count != at + 1)) goto call_native;
        if (at) receiver = args[0];
        sent = args[at];
    } else {
        if (unlikely(arg_count - 1 > 1)) goto call_native;
        receiver = args[0];
        if (arg_count == 2) end = pc;
    }
    /* From a generator, each such call inside of another takes a word of the stack. */
    if (unlikely(!is_object(receiver) || top >= vm->limit)) goto call_native;
    Generator *g = (Generator *)as_object(receiver), *root = NULL;
    if (unlikely(object_key(&g->header) != OBJECT_KEY(TYPE_GENERATOR, GENERATOR_SUSPENDED))) {
        if (object_key(&g->header) != OBJECT_KEY(TYPE_GENERATOR, GENERATOR_DELEGATING))
            goto call_native;
        root = g;
        g = root->leaf;
        if (unlikely(!g || g->root != root || g->header.state != GENERATOR_SUSPENDED))
            goto call_native;
    }
    if (sent != VALUE_NONE) {
        if (unlikely(g->pc == generator_function(g)->entry)) goto call_native;
        if (instr_c(g->pc[-1]) != 1) {
            g->regs[instr_a(g->pc[-1])] = sent;
            gc_barrier(vm, g);
        }
    }
    Value *to = &RA;
    if (end) *to = args[1];
    RESUME(g, root, top + 1, to, pc, end);
}
box_float : {
    SYNC();
    Value boxed = float_box(vm, number);
    if (unlikely(boxed == VALUE_ERROR)) goto unwind;
    RA = boxed;
    if (unlikely(vm->poll)) goto hurry;
    NEXT;
}
slow_path : {
    SYNC();
    if (unlikely(!outlined(vm))) goto unwind;
    RELOAD();
    if (unlikely(vm->poll)) goto hurry;
    if (unlikely(fuel < 0)) goto tick; /* it has jumped backward */
    NEXT;
}
hurry : { /* something waits for a safepoint: the next one is to be soon */
    bool is_gone = fuel < 0;
    vm->fuel_kept += fuel;
    fuel = 0;
    if (unlikely(is_gone || vm->poll & POLL_BUDGET))
        goto tick; /* a straight line must not outrun it */
    NEXT;
}
tick : {
    SYNC();
    if (unlikely(!vm_safepoint(vm))) {
        if (vm->stop) goto stopped;
        vm->pc++; /* the exception belongs to the instruction that would have run now */
        goto unwind;
    }
    RELOAD();
    NEXT;
}
unwind : {
    if (!vm->stop && !frame_unwind(vm)) return RUN_FAILED;
    if (unlikely(vm->stop)) goto stopped;
    RELOAD();
    /* A handler is a step, but no safepoint, where another exception could come up and a finally
     * be skipped: that is the next one in its way. */
    if (unlikely(--fuel < 0)) {
        if (unlikely(vm->caught_above)) goto tick;
        fuel = 0;
        vm->fuel_kept--;
    }
    NEXT;
}
stopped : {
    RunStatus status = settle(vm, false);
    if (status != RUN_RETURNED) return status;
    RELOAD();
    NEXT;
}
}
