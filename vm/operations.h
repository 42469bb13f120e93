/* operations.h - what the files of the operations on any value (arithmetic.c, compare.c, repr.c,
 * hash.c, access.c) share.
 *
 * An operator is tried in stages: each stage is a method that may answer, a slot in C or a method
 * written in Gen. When a stage is script code, its call is asked for with the continuation
 * RETURN_OPERATOR, which comes back for the stages after it when the method returns NotImplemented.
 * So the order of trials is decided here, in one place, for operands of every kind.
 */
#ifndef GEN_OPERATIONS_H
#define GEN_OPERATIONS_H

#include "vm/type_private.h"

/* What is computed: a BinaryOp, with OPERATOR_IN_PLACE for x += y, or OPERATOR_COMPARE + a
 * CompareOp. */
enum { OPERATOR_IN_PLACE = 32, OPERATOR_COMPARE = 64 };

typedef struct Stage {
    enum { STAGE_BINARY, STAGE_IN_PLACE, STAGE_COMPARE, STAGE_SCRIPT, STAGE_SCRIPT_NOT } kind;
    Type *type;   /* whose slot, for the kinds in C */
    Value method; /* raw, for the script kinds */
    Value x, y;   /* arguments: a and b, or b and a */
    int op;       /* for the slot */
} Stage;
enum { STAGE_MAX = 3 };

/* Runs the stages from number `from` on; VALUE_NOT_IMPLEMENTED when none answers. */
Value stages_run(GenVM *vm, const Stage *stages, int count, int from, int op, Value a, Value b);
Value operator_run(GenVM *vm, int op, Value a, Value b,
                   int from); /* with the error when none answers */

Function *operator_first_method(GenVM *vm, int op, Value a, Value b);
int arithmetic_stages(GenVM *vm, int op, Value a, Value b, Stage *stages);
int compare_stages(GenVM *vm, CompareOp op, Value a, Value b, Stage *stages);
Value compare_default(GenVM *vm, CompareOp op, Value a,
                      Value b); /* identity for == and !=, else TypeError */
Value arithmetic_error(GenVM *vm, int op, Value a, Value b);

Value hash_of_result(GenVM *vm, Value result); /* hash() of what a __hash__ method returned */

Value repr_to_ascii(GenVM *vm, Value text);

/* Calls a raw special method without arguments but self; RETURN_CHECKED then looks at the result.
 */
Value special_checked(GenVM *vm, Special special, Value raw, Value self);
/* The result of that call, if it is right for the method; may be VALUE_TAIL (an index of its own).
 */
Value special_check(GenVM *vm, Special special, Value result);

#endif
