/* error.h - raising exceptions from C. Each returns VALUE_ERROR (so: `return raise_type(vm,
 * "...")`) and leaves the exception in vm->exception. Formats: printf's, plus %V  a Value's repr
 * (leaf values only; others show as <TYPE object>)   %S  a Value str (or NULL-safe text of it) %T
 * the type name of a Value     %N  a Type *'s name     %p  the number of an Object * (identity.h)
 */
#ifndef GEN_ERROR_H
#define GEN_ERROR_H

#include "vm/object.h"

Value raise_error(GenVM *vm, TypeId exception, const char *format, ...); /* EXC_TYPE_ERROR, ... */
Value raise_type(GenVM *vm, const char *format, ...);
Value raise_value(GenVM *vm, const char *format, ...);
Value raise_index(GenVM *vm, const char *format, ...);
Value raise_overflow(GenVM *vm, const char *format, ...);
Value raise_zero_division(GenVM *vm, const char *format, ...);
Value raise_runtime(GenVM *vm, const char *format, ...);
Value raise_key(GenVM *vm, Value key); /* KeyError(key) */
Value raise_attribute(GenVM *vm, Value object,
                      Value name); /* "'X' object has no attribute 'y'" with name/obj set */
Value raise_memory(GenVM *vm);     /* MemoryError() */
Value raise_os_error(GenVM *vm, int number,
                     Value filename_or_unset);        /* OSError subclass by errno */
Value raise_stop_iteration(GenVM *vm, Value value);   /* value VALUE_NONE: plain StopIteration */
Value raise_value_object(GenVM *vm, Value exception); /* raises an exception instance */
Value raise_with_args(GenVM *vm, TypeId exception, Value args_tuple);
Value raise_binary_operands(GenVM *vm, const char *op, Value left,
                            Value right); /* unsupported operand type(s) */

bool error_matches(GenVM *vm, TypeId exception); /* is the pending exception an instance of it */
void error_clear(GenVM *vm);                     /* drop the pending exception */
Value error_take(GenVM *vm);                     /* drop and return it */

Value raise_name_error(GenVM *vm, TypeId exception, Value name,
                       const char *format); /* format has one %S: the name; .name is set */
/* Of a class that keeps nothing but its arguments, without calling __init__; VALUE_UNSET: it is
 * another. */
Value exception_new_plain(GenVM *vm, struct Type *type, const Value *args, uint32_t count);
Value exception_new_of(GenVM *vm, struct Type *type,
                       Value args_tuple); /* an instance of a class that overrides neither
                                __new__ nor __init__, as type(*args) would make it */
Value exception_stop_value(GenVM *vm, Value exception); /* StopIteration.value, None when unset */
void exception_chain(GenVM *vm, Value exception,
                     Value context); /* sets __context__ as raising in a handler does: cycles
                                  avoided; context may be VALUE_UNSET, None or exception itself */
/* except*: splits `exception` (a group, or a naked exception, which is wrapped when it matches) by
 * class or tuple `wanted`; parts that are empty become VALUE_NONE. False with TypeError for classes
 * that may not be caught so. */
Value exception_group_match(GenVM *vm, Value exception, Value wanted);
/* What an except* statement raises in the end: from the original and the list of what its clauses
 * raised or left; None: nothing. */
Value exception_group_reraise(GenVM *vm, Value original, Value list);

Value exception_new(GenVM *vm, TypeId exception,
                    Value message_or_unset); /* an instance, not raised */
bool error_init(GenVM *vm);                  /* after types_init: makes what raise_memory raises */
TypeId os_error_class(int64_t number);       /* the subclass of OSError for an errno */

/* The attributes that only some exception classes have, by their place in Exception.value (a List).
 */
enum {
    OS_ERROR_ERRNO,
    OS_ERROR_STRERROR,
    OS_ERROR_FILENAME,
    OS_ERROR_FILENAME2,
    OS_ERROR_WRITTEN,
    SYNTAX_ERROR_MSG = 0,
    SYNTAX_ERROR_FILENAME,
    SYNTAX_ERROR_LINENO,
    SYNTAX_ERROR_OFFSET,
    SYNTAX_ERROR_TEXT,
    SYNTAX_ERROR_END_LINENO,
    SYNTAX_ERROR_END_OFFSET,
    SYNTAX_ERROR_PRINT,
    UNICODE_ERROR_ENCODING = 0,
    UNICODE_ERROR_OBJECT,
    UNICODE_ERROR_START,
    UNICODE_ERROR_END,
    UNICODE_ERROR_REASON,
    IMPORT_ERROR_MSG = 0,
    IMPORT_ERROR_NAME,
    IMPORT_ERROR_PATH,
    IMPORT_ERROR_NAME_FROM,
    NAME_ERROR_NAME = 0,
    NAME_ERROR_SELF, /* the local variable `self` where it was raised, for suggestions */
    ATTRIBUTE_ERROR_NAME = 0,
    ATTRIBUTE_ERROR_OBJ,
    GROUP_MESSAGE = 0,
    GROUP_EXCEPTIONS,
    EXCEPTION_FIELDS = 8, /* the most a class has */
};
Value exception_get_field(Value exception, int field); /* VALUE_UNSET: not set */
bool exception_set_field(GenVM *vm, Value exception, int field, Value value);

#endif
