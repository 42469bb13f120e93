/* operations.h - what the files of the operations on any value (arithmetic.c, compare.c, repr.c, hash.c, access.c)
 * share.
 *
 * An operator is tried in stages: each stage is a method that may answer, a slot in C or a method written in Gen. When a
 * stage is script code, the native asks for a call of the twin `operator`, which calls the method and, when that
 * returns NotImplemented, comes back through _engine.operator_rest for the stages after it. So the order of trials is
 * decided here, in one place, for operands of every kind.
 */
#ifndef GEN_OPERATIONS_H
#define GEN_OPERATIONS_H

#include "vm/type_private.h"

/* What is computed: a BinaryOp, with OPERATOR_IN_PLACE for x += y, or OPERATOR_COMPARE + a CompareOp. */
enum { OPERATOR_IN_PLACE = 32, OPERATOR_COMPARE = 64 };

typedef struct Stage {
    enum { STAGE_BINARY, STAGE_IN_PLACE, STAGE_COMPARE, STAGE_SCRIPT, STAGE_SCRIPT_NOT } kind;
    Type *type;     /* whose slot, for the kinds in C */
    Value method;   /* raw, for the script kinds */
    Value x, y;     /* arguments: a and b, or b and a */
    int op;         /* for the slot */
} Stage;
enum { STAGE_MAX = 3 };

/* Runs the stages from number `from` on; VALUE_NOT_IMPLEMENTED when none answers. */
Value stages_run(GenVM *vm, const Stage *stages, int count, int from, int op, Value a, Value b);
Value operator_run(GenVM *vm, int op, Value a, Value b, int from); /* with the error when none answers */

int arithmetic_stages(GenVM *vm, int op, Value a, Value b, Stage *stages);
int compare_stages(GenVM *vm, CompareOp op, Value a, Value b, Stage *stages);
Value compare_default(GenVM *vm, CompareOp op, Value a, Value b); /* identity for == and !=, else TypeError */
Value arithmetic_error(GenVM *vm, int op, Value a, Value b);

Value hash_of_result(GenVM *vm, Value result); /* hash() of what a __hash__ method returned */

Value repr_to_ascii(GenVM *vm, Value text);

/* A special method called through a twin that checks its result; `what` is one of the functions of operators.gen. */
Value special_checked(GenVM *vm, Twin twin, Value raw, Value self);

#endif
