/* ops_flow.c - outlined halves of the instructions for exceptions, imports, patterns and rarities.
 * See ops.h. */
#include "vm/call.h"
#include "vm/continue.h"
#include "vm/objects.h"
#include "vm/ops.h"
#include "vm/runtime.h"
#include "vm/task.h"
#include "vm/traceback.h"

/* ---- raising ---- */

/* The instruction has no result, and often nothing behind it: a continuation raises. */
static bool make_and_raise(GenVM *vm, Value v, Value cause) {
    if (!frame_push_continuation(vm, RETURN_RAISE, 0)) return false;
    if (cause == VALUE_UNSET) cause = VALUE_NOT_IMPLEMENTED;
    return call_result(vm, native_twin(vm, TWIN_RAISE_CLASS, 2, v, cause));
}

/* `raise x`: x an exception or a class of exceptions, which is called without arguments (in a twin:
 * it may be script). */
static bool raise_from(GenVM *vm, Value v, Value cause) {
    bool is_class = is_type(v) && type_is_subclass(type_from(v), vm->types[EXC_BASE_EXCEPTION]);
    if (!is_class && !is_kind(v, KIND_EXCEPTION)) {
        raise_type(vm, "exceptions must derive from BaseException");
        return false;
    }
    if (is_class && !type_from(v)->overrides_construct) {
        v = exception_new_of(vm, type_from(v), vm->empty_tuple);
        if (v == VALUE_ERROR) return false;
    } else if (is_class) {
        return make_and_raise(vm, v, cause);
    }
    if (cause != VALUE_UNSET) {
        if (is_type(cause) && type_is_subclass(type_from(cause), vm->types[EXC_BASE_EXCEPTION])) {
            if (type_from(cause)->overrides_construct) return make_and_raise(vm, v, cause);
            cause = exception_new_of(vm, type_from(cause), vm->empty_tuple);
            if (cause == VALUE_ERROR) return false;
        }
        if (cause != VALUE_NONE && !is_kind(cause, KIND_EXCEPTION)) {
            raise_type(vm, "exception causes must derive from BaseException");
            return false;
        }
        Exception *exception = AS(Exception, v);
        exception->cause = cause;
        exception->suppress_context = true;
        gc_barrier(vm, exception);
    }
    raise_value_object(vm, v);
    return false;
}

bool op_raise(GenVM *vm) {
    switch (instr_c(op_instr(vm))) {
    case 1: return raise_from(vm, *op_a(vm), VALUE_UNSET);
    case 2: return raise_from(vm, *op_a(vm), *op_b(vm));
    default: break;
    }
    if (vm->handled == VALUE_UNSET || vm->handled == VALUE_NONE) {
        raise_runtime(vm, "No active exception to reraise");
        return false;
    }
    vm->exception = vm->handled;
    vm->reraising = true; /* its traceback goes on where it stopped */
    return false;
}

/* Where the compiler puts exceptions only. Code from an image may put anything. */
static bool expect_exception(GenVM *vm, Value v) {
    if (likely(is_kind(v, KIND_EXCEPTION))) return true;
    raise_error(vm, EXC_SYSTEM_ERROR, "bad code: '%T' object is no exception", v);
    return false;
}

bool op_reraise(GenVM *vm) {
    if (!expect_exception(vm, *op_a(vm))) return false;
    vm->exception = *op_a(vm);
    vm->reraising = true;
    return false;
}

bool op_assert_fail(GenVM *vm) {
    Value args = instr_c(op_instr(vm)) ? tuple_pack(vm, 1, *op_a(vm)) : vm->empty_tuple;
    if (args == VALUE_ERROR) return false;
    raise_with_args(vm, EXC_ASSERTION_ERROR, args);
    return false;
}

/* ---- matching exceptions ---- */

static bool is_exception_class(GenVM *vm, Value v) {
    return is_type(v) && type_is_subclass(type_from(v), vm->types[EXC_BASE_EXCEPTION]);
}

/* The classes of an except clause: one class or a tuple of them (nested tuples are no longer
 * allowed). */
static Leaf matches(GenVM *vm, Value exception, Value wanted) {
    Type *type = type_of(vm, exception);
    if (unlikely(task_is_killer(vm, exception))) return LEAF_FALSE;
    if (is_exception_class(vm, wanted))
        return type_is_subclass(type, type_from(wanted)) ? LEAF_TRUE : LEAF_FALSE;
    if (is_kind(wanted, TYPE_TUPLE)) {
        Tuple *tuple = AS_TUPLE(wanted);
        for (uint64_t i = 0; i < tuple->count; i++)
            if (!is_exception_class(vm, tuple->items[i])) goto bad;
        for (uint64_t i = 0; i < tuple->count; i++)
            if (type_is_subclass(type, type_from(tuple->items[i]))) return LEAF_TRUE;
        return LEAF_FALSE;
    }
bad:
    raise_type(vm, "catching classes that do not inherit from BaseException is not allowed");
    return LEAF_ERROR;
}

bool op_jump_unless_match(GenVM *vm) {
    Leaf match = matches(vm, *op_a(vm), *op_b(vm));
    if (match == LEAF_ERROR) return false;
    if (match == LEAF_FALSE) vm->pc += instr_imm(op_instr(vm));
    return true;
}

bool op_enter_handler(GenVM *vm) {
    return expect_exception(vm, *op_a(vm));
}

bool op_group_match(GenVM *vm) {
    if (*op_b(vm) != VALUE_NONE && !expect_exception(vm, *op_b(vm))) return false;
    return call_result(vm, exception_group_match(vm, *op_b(vm), *op_c(vm)));
}

bool op_group_reraise(GenVM *vm) {
    if (!expect_exception(vm, *op_b(vm))) return false;
    Value result = exception_group_reraise(vm, *op_b(vm), *op_c(vm));
    return call_result(vm, result);
}

/* ---- imports ---- */

/* Is `module`, found under `name`, all that the import statement needs? The common case: a top
 * module that is loaded and, where names are to be imported from it, no package. */
static bool is_loaded_top(GenVM *vm, Value module, Value name, bool with_names) {
    if (!is_kind(module, TYPE_MODULE) || memchr(AS_STR(name)->data, '.', AS_STR(name)->size))
        return false;
    if (import_is_initializing(vm, module)) return false;
    return !with_names ||
           dict_get_str(vm, AS(Module, module)->dict, name_value(vm, NAME___path__)) == VALUE_UNSET;
}

bool op_import(GenVM *vm) {
    Value *operands = op_b(vm), name = op_const(vm);
    Value globals = object_value(frame_function(vm->base)->globals);
    Value importer = dict_get_str(vm, vm_builtins_of(vm, frame_function(vm->base)->globals),
                                  name_value(vm, NAME___import__));
    if (importer == VALUE_UNSET) {
        raise_error(vm, EXC_IMPORT_ERROR, "__import__ not found");
        return false;
    }
    if (importer == vm->import_function && operands[0] == int_value(0)) {
        Value module = dict_get_str(vm, vm->modules, name);
        if (is_loaded_top(vm, module, name, operands[1] != VALUE_NONE)) {
            *op_a(vm) = module;
            return true;
        }
    }
    Value args[] = {name, globals, VALUE_NONE, operands[1], operands[0]};
    return call_value(vm, importer, 5, args);
}

bool op_import_from(GenVM *vm) {
    Value module = *op_b(vm), name = op_const(vm);
    Value v = attribute_find(vm, module, name);
    if (v == VALUE_ERROR) return false;
    if (v != VALUE_UNSET) {
        *op_a(vm) = v;
        return true;
    }
    return call_result(vm, native_twin(vm, TWIN_IMPORT_FROM, 2, module, name));
}

bool op_import_star(GenVM *vm) {
    bool in_namespace = frame_code(vm->base)->flags & CODE_CLASS;
    Value target = in_namespace ? vm->base[0] : object_value(frame_function(vm->base)->globals);
    return continue_discard(vm, native_twin(vm, TWIN_IMPORT_STAR, 2, *op_a(vm), target));
}

/* ---- patterns ---- */

bool op_match_sequence(GenVM *vm) {
    *op_a(vm) = bool_value((type_of(vm, *op_b(vm))->flags & TYPE_SEQUENCE) != 0);
    return true;
}

bool op_match_mapping(GenVM *vm) {
    *op_a(vm) = bool_value((type_of(vm, *op_b(vm))->flags & TYPE_MAPPING) != 0);
    return true;
}

bool op_match_keys(GenVM *vm) {
    return call_result(vm, native_twin(vm, TWIN_MATCH_KEYS, 2, *op_b(vm), *op_c(vm)));
}

bool op_match_class(GenVM *vm) {
    Value *operands = op_c(vm);
    return call_result(vm, native_twin(vm, TWIN_MATCH_CLASS, 4, *op_b(vm), operands[0], operands[1],
                                       int_value(instr_imm(op_instr(vm)))));
}

bool op_dict_rest(GenVM *vm) {
    return call_result(vm, native_twin(vm, TWIN_DICT_REST, 2, *op_b(vm), *op_c(vm)));
}

/* ---- rarities ---- */

/* throw() into a yield inside a handler: the thrown exception gets the handled one as its context.
 */
static bool chain_context(GenVM *vm, Value exception) {
    if (!expect_exception(vm, exception)) return false;
    exception_chain(vm, exception, vm->handled);
    *op_a(vm) = VALUE_NONE;
    return true;
}

bool op_intrinsic(GenVM *vm) {
    Value *operand = op_b(vm);
    switch ((Intrinsic)instr_c(op_instr(vm))) {
    case INTRINSIC_TYPEVAR:
        return call_result(vm,
                           native_twin(vm, TWIN_TYPEVAR, 3, operand[0], VALUE_NONE, VALUE_NONE));
    case INTRINSIC_TYPEVAR_BOUND:
        return call_result(vm,
                           native_twin(vm, TWIN_TYPEVAR, 3, operand[0], operand[1], VALUE_NONE));
    case INTRINSIC_TYPEVAR_CONSTRAINTS:
        return call_result(vm,
                           native_twin(vm, TWIN_TYPEVAR, 3, operand[0], VALUE_NONE, operand[1]));
    case INTRINSIC_PARAMSPEC:
        return call_result(vm, native_twin(vm, TWIN_PARAMSPEC, 1, operand[0]));
    case INTRINSIC_TYPEVARTUPLE:
        return call_result(vm, native_twin(vm, TWIN_TYPEVARTUPLE, 1, operand[0]));
    case INTRINSIC_SET_TYPEPARAM_DEFAULT:
        return call_result(vm, native_twin(vm, TWIN_TYPEPARAM_DEFAULT, 2, operand[0], operand[1]));
    case INTRINSIC_SET_TYPE_PARAMS:
        return call_result(vm, native_twin(vm, TWIN_SET_TYPE_PARAMS, 2, operand[0], operand[1]));
    case INTRINSIC_SUBSCRIPT_GENERIC:
        return call_result(vm, native_twin(vm, TWIN_SUBSCRIPT_GENERIC, 1, operand[0]));
    case INTRINSIC_TYPEALIAS:
        return call_result(vm,
                           native_twin(vm, TWIN_TYPEALIAS, 3, operand[0], operand[1], operand[2]));
    case INTRINSIC_ANNOTATE_FORMAT:
        if (operand[0] == int_value(1)) {
            *op_a(vm) = VALUE_NONE;
            return true;
        }
        raise_with_args(vm, EXC_NOT_IMPLEMENTED_ERROR, vm->empty_tuple);
        return false;
    case INTRINSIC_EXCEPTION_TYPE: *op_a(vm) = object_value(type_of(vm, operand[0])); return true;
    case INTRINSIC_EXCEPTION_TRACEBACK: {
        if (!expect_exception(vm, operand[0])) return false;
        Value traceback = AS(Exception, operand[0])->traceback;
        *op_a(vm) = traceback == VALUE_UNSET ? VALUE_NONE : traceback;
        return true;
    }
    case INTRINSIC_CHAIN_CONTEXT: return chain_context(vm, operand[0]);
    case INTRINSIC_INTERPOLATION:
        return call_result(vm, native_twin(vm, TWIN_INTERPOLATION, 4, operand[0], operand[1],
                                           operand[2], operand[3]));
    case INTRINSIC_TEMPLATE:
        return call_result(vm, native_twin(vm, TWIN_TEMPLATE, 2, operand[0], operand[1]));
    }
    return false;
}

bool op_print_expression(GenVM *vm) {
    return continue_discard(vm, native_twin(vm, TWIN_DISPLAY, 1, *op_a(vm)));
}

/* ---- the library's code ---- */

bool op_thaw(GenVM *vm) {
    if (!code_thaw(vm, frame_code(vm->base))) return false;
    vm->pc--;
    return true;
}
