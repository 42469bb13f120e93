/* call.h - calling any callable with any arguments, from the running frame. See frame.h for the
 * contract of `bool`. */
#ifndef GEN_CALL_H
#define GEN_CALL_H

#include "vm/frame.h"

/* `keywords`: tuple of the names of the last arguments, or VALUE_UNSET. */
bool call_general(GenVM *vm, Value callable, const Value *args, uint32_t count, Value keywords);
bool call_spread(GenVM *vm, Value callable, Value args,
                 Value kwargs); /* args: list or tuple; kwargs: dict or unset */
bool call_two(GenVM *vm, Value callable, Value self, const Value *args, uint32_t count,
              Value keywords);

/* Enters a plain function of exactly two (or, without `b`, one) parameters. */
bool call_enter(GenVM *vm, Function *function, Value a, Value b);

bool call_type(GenVM *vm, Type *type, const Value *args, uint32_t count,
               Value keywords); /* type.__call__ */

/* Continuations of class instantiation (continue.c). */
bool call_after_new(GenVM *vm, Value instance, Value cls, Value args, Value kwargs);

/* bind_function.c: arguments into the registers of a new frame at `base` (room is reserved); false
 * with TypeError. */
bool function_bind(GenVM *vm, Function *function, const Value *args, uint32_t count, Value keywords,
                   Value *base);
/* The same for arguments, some by keyword, that may lie where the frame is to be; false, with
 * `args` as they were and nothing raised, where that takes more than copying. */
bool function_bind_plainly(GenVM *vm, Function *function, const Value *args, uint32_t count,
                           Value keywords, Value *base);

#endif
