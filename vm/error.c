/* error.c - raising exceptions from C: the raise_ functions of error.h.
 *
 * Raising stores the exception in vm->exception and returns VALUE_ERROR; unwinding is the
 * interpreter's. An exception raised while another is being handled (vm->handled) gets that one as
 * its __context__.
 */
#include "vm/type_private.h"

#include <errno.h>
#include <stdarg.h>

/* ---- raising ---- */

/* Cuts the link that would make `exception` its own context. */
static void break_cycle(GenVM *vm, Value handled, Value exception) {
    Value slow = handled, at = handled;
    bool step = false;
    for (uint32_t length = 1;; length++) {
        if (length % 16 == 0) native_spend(vm, 4); /* it may be as long as the script likes */
        Value next = AS(Exception, at)->context;
        if (next == VALUE_UNSET) return;
        if (next == exception) {
            AS(Exception, at)->context = VALUE_UNSET;
            return;
        }
        at = next;
        if (at == slow) return; /* a cycle that was there before */
        if (step) slow = AS(Exception, slow)->context;
        step = !step;
    }
}

void exception_chain(GenVM *vm, Value exception, Value context) {
    if (context == VALUE_UNSET || context == VALUE_NONE || context == exception) return;
    break_cycle(vm, context, exception);
    AS(Exception, exception)->context = context;
    gc_barrier(vm, as_object(exception));
}

Value raise_value_object(GenVM *vm, Value exception) {
    exception_chain(vm, exception, vm->handled);
    vm->exception = exception;
    return VALUE_ERROR;
}

Value exception_new(GenVM *vm, TypeId id, Value message) {
    Value args = message == VALUE_UNSET ? vm->empty_tuple : tuple_pack(vm, 1, message);
    return args == VALUE_ERROR ? VALUE_ERROR : exception_new_of(vm, vm->types[id], args);
}

Value raise_with_args(GenVM *vm, TypeId id, Value args) {
    Value exception = exception_new_of(vm, vm->types[id], args);
    return exception == VALUE_ERROR ? VALUE_ERROR : raise_value_object(vm, exception);
}

static Value raise_list(GenVM *vm, TypeId id, const char *format, va_list list) {
    Value message = str_format_list(vm, format, list);
    Value exception = message == VALUE_ERROR ? VALUE_ERROR : exception_new(vm, id, message);
    return exception == VALUE_ERROR ? VALUE_ERROR : raise_value_object(vm, exception);
}

#define RAISE_FUNCTION(name, id)                                                                   \
    Value name(GenVM *vm, const char *format, ...) {                                               \
        va_list list;                                                                              \
        va_start(list, format);                                                                    \
        raise_list(vm, id, format, list);                                                          \
        va_end(list);                                                                              \
        return VALUE_ERROR;                                                                        \
    }
RAISE_FUNCTION(raise_type, EXC_TYPE_ERROR)
RAISE_FUNCTION(raise_value, EXC_VALUE_ERROR)
RAISE_FUNCTION(raise_index, EXC_INDEX_ERROR)
RAISE_FUNCTION(raise_overflow, EXC_OVERFLOW_ERROR)
RAISE_FUNCTION(raise_zero_division, EXC_ZERO_DIVISION_ERROR)
RAISE_FUNCTION(raise_runtime, EXC_RUNTIME_ERROR)

Value raise_error(GenVM *vm, TypeId id, const char *format, ...) {
    va_list list;
    va_start(list, format);
    raise_list(vm, id, format, list);
    va_end(list);
    return VALUE_ERROR;
}

/* ---- the special ones ---- */

Value raise_key(GenVM *vm, Value key) {
    Value exception = exception_new(vm, EXC_KEY_ERROR, key);
    return exception == VALUE_ERROR ? VALUE_ERROR : raise_value_object(vm, exception);
}

Value attribute_error_context(GenVM *vm, Value object, Value name) {
    if (vm->exception == VALUE_UNSET || !error_matches(vm, EXC_ATTRIBUTE_ERROR)) return VALUE_ERROR;
    Value exception = vm->exception;
    exception_set_field(vm, exception, ATTRIBUTE_ERROR_NAME, name);
    exception_set_field(vm, exception, ATTRIBUTE_ERROR_OBJ, object);
    return VALUE_ERROR;
}

Value raise_attribute(GenVM *vm, Value object, Value name) {
    if (is_type(object)) {
        raise_error(vm, EXC_ATTRIBUTE_ERROR, "type object '%N' has no attribute '%S'",
                    type_from(object), name);
    } else if (is_kind(object, TYPE_MODULE)) {
        Dict *dict = AS(Module, object)->dict;
        Value of = dict ? dict_get_str(vm, dict, name_value(vm, NAME___name__)) : VALUE_UNSET;
        if (of != VALUE_UNSET && value_is_str(of))
            raise_error(vm, EXC_ATTRIBUTE_ERROR, "module '%S' has no attribute '%S'", of, name);
        else
            raise_error(vm, EXC_ATTRIBUTE_ERROR, "module has no attribute '%S'", name);
    } else {
        raise_error(vm, EXC_ATTRIBUTE_ERROR, "'%T' object has no attribute '%S'", object, name);
    }
    return attribute_error_context(vm, object, name);
}

Value raise_name_error(GenVM *vm, TypeId id, Value name, const char *format) {
    Value message = str_format(vm, format, name);
    Value exception = message == VALUE_ERROR ? VALUE_ERROR : exception_new(vm, id, message);
    if (exception == VALUE_ERROR || !exception_set_field(vm, exception, NAME_ERROR_NAME, name))
        return VALUE_ERROR;
    return raise_value_object(vm, exception);
}

Value raise_memory(GenVM *vm) {
    Value exception =
        vm->memory_error; /* made beforehand, for when there is not enough for another */
    if (exception == VALUE_UNSET) return VALUE_ERROR;
    vm->memory_error = VALUE_UNSET; /* no further attempt inside of this one */
    Value another = exception_new(vm, EXC_MEMORY_ERROR, VALUE_UNSET);
    vm->memory_error = exception;
    if (another != VALUE_ERROR) return raise_value_object(vm, another);
    Exception *error = AS(Exception, exception);
    error->args = vm->empty_tuple;
    error->cause = error->context = error->traceback = error->attributes = VALUE_UNSET;
    return raise_value_object(vm, exception);
}

bool error_init(GenVM *vm) {
    vm->memory_error = exception_new(vm, EXC_MEMORY_ERROR, VALUE_UNSET);
    return vm->memory_error != VALUE_ERROR;
}

static const struct {
    int number;
    TypeId id;
} os_errors[] = {
    {EAGAIN, EXC_BLOCKING_IO_ERROR},
    {EALREADY, EXC_BLOCKING_IO_ERROR},
    {EINPROGRESS, EXC_BLOCKING_IO_ERROR},
    {EPIPE, EXC_BROKEN_PIPE_ERROR},
    {ESHUTDOWN, EXC_BROKEN_PIPE_ERROR},
    {ECHILD, EXC_CHILD_PROCESS_ERROR},
    {ECONNABORTED, EXC_CONNECTION_ABORTED_ERROR},
    {ECONNREFUSED, EXC_CONNECTION_REFUSED_ERROR},
    {ECONNRESET, EXC_CONNECTION_RESET_ERROR},
    {EEXIST, EXC_FILE_EXISTS_ERROR},
    {ENOENT, EXC_FILE_NOT_FOUND_ERROR},
    {EINTR, EXC_INTERRUPTED_ERROR},
    {EISDIR, EXC_IS_A_DIRECTORY_ERROR},
    {ENOTDIR, EXC_NOT_A_DIRECTORY_ERROR},
    {EACCES, EXC_PERMISSION_ERROR},
    {EPERM, EXC_PERMISSION_ERROR},
    {ESRCH, EXC_PROCESS_LOOKUP_ERROR},
    {ETIMEDOUT, EXC_TIMEOUT_ERROR},
};

TypeId os_error_class(int64_t number) {
    for (size_t i = 0; i < sizeof os_errors / sizeof *os_errors; i++)
        if (os_errors[i].number == number) return os_errors[i].id;
    return EXC_OS_ERROR;
}

Value raise_os_error(GenVM *vm, int number, Value filename) {
    char buffer[128];
    Value text = str_from(vm, strerror_r(number, buffer, sizeof buffer));
    if (text == VALUE_ERROR) return VALUE_ERROR;
    Value args = filename == VALUE_UNSET ? tuple_pack(vm, 2, int_value(number), text)
                                         : tuple_pack(vm, 3, int_value(number), text, filename);
    return args == VALUE_ERROR ? VALUE_ERROR : raise_with_args(vm, os_error_class(number), args);
}

Value raise_stop_iteration(GenVM *vm, Value value) {
    Value exception =
        exception_new(vm, EXC_STOP_ITERATION, value == VALUE_NONE ? VALUE_UNSET : value);
    return exception == VALUE_ERROR ? VALUE_ERROR : raise_value_object(vm, exception);
}

Value raise_binary_operands(GenVM *vm, const char *op, Value left, Value right) {
    return raise_type(vm, "unsupported operand type(s) for %s: '%T' and '%T'", op, left, right);
}

/* ---- the pending exception ---- */

bool error_matches(GenVM *vm, TypeId id) {
    if (vm->exception == VALUE_UNSET) return false;
    uint32_t shape = as_object(vm->exception)->shape;
    return shape == (uint32_t)id || type_is_subclass(vm->shapes[shape].type, vm->types[id]);
}

void error_clear(GenVM *vm) {
    vm->exception = VALUE_UNSET;
}

Value error_take(GenVM *vm) {
    Value exception = vm->exception;
    vm->exception = VALUE_UNSET;
    return exception;
}
