/* exception_group.c - ExceptionGroup and BaseExceptionGroup, and the two halves of `except*`.
 *
 * Splitting is done here for classes; where a condition is a function, or a group has a derive
 * method of its own, in Gen (stdlib/prelude/exceptions.gen). */
#include "vm/frame.h"
#include "vm/traceback.h"
#include "vm/type_private.h"

static Value message_of(Value self) {
    return exception_get_field(self, GROUP_MESSAGE);
}
static Value nested_of(Value self) {
    return exception_get_field(self, GROUP_EXCEPTIONS);
}

/* ---- making ---- */

static Value nested_tuple(GenVM *vm, Value given) {
    uint64_t count = 0;
    const Value *items = leaf_items(given, &count);
    if (!items) return raise_type(vm, "second argument (exceptions) must be a sequence");
    if (count == 0)
        return raise_value(vm, "second argument (exceptions) must be a non-empty sequence");
    for (uint64_t i = 0; i < count; i++)
        if (!is_kind(items[i], KIND_EXCEPTION))
            return raise_value(vm, "Item %llu of second argument (exceptions) is not an exception",
                               (unsigned long long)i);
    return is_exact(given, TYPE_TUPLE) ? given : tuple_from_array(vm, items, count);
}

static bool all_plain(GenVM *vm, const Tuple *nested) {
    for (uint64_t i = 0; i < nested->count; i++)
        if (!value_is_instance(vm, nested->items[i], EXC_EXCEPTION)) return false;
    return true;
}

/* The class to make: a BaseExceptionGroup of plain Exceptions is an ExceptionGroup. NULL +
 * TypeError: not allowed. */
static Type *class_for(GenVM *vm, Type *type, const Tuple *nested) {
    bool plain = all_plain(vm, nested);
    if (type->id == EXC_BASE_EXCEPTION_GROUP) return plain ? vm->types[EXC_EXCEPTION_GROUP] : type;
    if (plain || !type_is_subclass(type, vm->types[EXC_EXCEPTION])) return type;
    if (type->id == EXC_EXCEPTION_GROUP)
        raise_type(vm, "Cannot nest BaseExceptions in an ExceptionGroup");
    else
        raise_type(vm, "Cannot nest BaseExceptions in '%N'", type);
    return NULL;
}

Value exception_group_construct(GenVM *vm, Type *type, Value args, Value kwargs) {
    (void)kwargs;
    const Tuple *given = AS_TUPLE(args);
    if (given->count != 2)
        return raise_type(vm, "BaseExceptionGroup.__new__() takes exactly 2 arguments (%llu given)",
                          (unsigned long long)given->count);
    if (!value_is_str(given->items[0]))
        return raise_type(vm, "BaseExceptionGroup.__new__() argument 1 must be str, not %T",
                          given->items[0]);
    Value nested = nested_tuple(vm, given->items[1]);
    if (nested == VALUE_ERROR) return VALUE_ERROR;
    type = class_for(vm, type, AS_TUPLE(nested));
    Value self = type ? exception_allocate(vm, type, args) : VALUE_ERROR;
    if (self == VALUE_ERROR) return VALUE_ERROR;
    bool ok = exception_set_field(vm, self, GROUP_MESSAGE, given->items[0]) &&
              exception_set_field(vm, self, GROUP_EXCEPTIONS, nested);
    return ok ? self : VALUE_ERROR;
}

Value exception_group_str(GenVM *vm, Value self) {
    if (AS(Exception, self)->value == VALUE_UNSET) return vm->empty_str;
    uint64_t count = AS_TUPLE(nested_of(self))->count;
    return str_format(vm, "%S (%llu sub-exception%s)", message_of(self), (unsigned long long)count,
                      count == 1 ? "" : "s");
}

/* ---- splitting by class ---- */

static bool is_match(GenVM *vm, Value exception, Value wanted) {
    if (is_type(wanted)) return type_is_subclass(type_of(vm, exception), type_from(wanted));
    const Tuple *classes = AS_TUPLE(wanted);
    for (uint64_t i = 0; i < classes->count; i++)
        if (is_type(classes->items[i]) &&
            type_is_subclass(type_of(vm, exception), type_from(classes->items[i])))
            return true;
    return false;
}

static bool copy_context(GenVM *vm, Value from, Value to) {
    const Exception *source = AS(Exception, from);
    Exception *target = AS(Exception, to);
    target->cause = source->cause;
    target->context = source->context;
    target->traceback = source->traceback;
    target->suppress_context = true; /* as whenever a cause is set, be it none */
    gc_barrier(vm, target);
    Value notes = instance_get(vm, from, name_value(vm, NAME___notes__));
    if (!is_kind(notes, TYPE_LIST)) return true;
    Value copy = list_from_array(vm, AS_LIST(notes)->items, AS_LIST(notes)->count);
    return copy != VALUE_ERROR && instance_set(vm, to, name_value(vm, NAME___notes__), copy);
}

/* A group like `self` of other exceptions: what the builtin derive makes, with its context. */
static Value derive_like(GenVM *vm, Value self, Value exceptions) {
    Value args = tuple_pack(vm, 2, message_of(self), exceptions);
    Value made =
        args == VALUE_ERROR
            ? VALUE_ERROR
            : exception_group_construct(vm, vm->types[EXC_BASE_EXCEPTION_GROUP], args, VALUE_UNSET);
    return made != VALUE_ERROR && copy_context(vm, self, made) ? made : VALUE_ERROR;
}

static bool split(GenVM *vm, Value exception, Value wanted, Value *matched, Value *rest);

static bool is_group(GenVM *vm, Value v) {
    return value_is_instance(vm, v, EXC_BASE_EXCEPTION_GROUP);
}

static bool split_group(GenVM *vm, Value group, Value wanted, Value *matched, Value *rest) {
    Value in = list_new(vm, 4), out = list_new(vm, 4);
    if (in == VALUE_ERROR || out == VALUE_ERROR || !native_enter(vm)) return false;
    const Tuple *nested = AS_TUPLE(nested_of(group));
    bool ok = true;
    for (uint64_t i = 0; ok && i < nested->count; i++) {
        Value yes, no;
        ok = split(vm, nested->items[i], wanted, &yes, &no) &&
             (yes == VALUE_NONE || list_append(vm, in, yes)) &&
             (no == VALUE_NONE || list_append(vm, out, no));
    }
    native_leave(vm);
    if (!ok) return false;
    *matched = AS_LIST(in)->count ? derive_like(vm, group, in) : VALUE_NONE;
    *rest = AS_LIST(out)->count ? derive_like(vm, group, out) : VALUE_NONE;
    return *matched != VALUE_ERROR && *rest != VALUE_ERROR;
}

static bool split(GenVM *vm, Value exception, Value wanted, Value *matched, Value *rest) {
    bool match = is_match(vm, exception, wanted);
    if (!match && is_group(vm, exception)) return split_group(vm, exception, wanted, matched, rest);
    *matched = match ? exception : VALUE_NONE;
    *rest = match ? VALUE_NONE : exception;
    return true;
}

/* ---- except* ---- */

static bool check_wanted(GenVM *vm, Value wanted) {
    const Value *classes = &wanted;
    uint64_t count = 1;
    if (is_kind(wanted, TYPE_TUPLE)) classes = leaf_items(wanted, &count);
    for (uint64_t i = 0; i < count; i++) {
        if (!is_type(classes[i]) ||
            !type_is_subclass(type_from(classes[i]), vm->types[TYPE_BASE_EXCEPTION])) {
            raise_type(vm,
                       "catching classes that do not inherit from BaseException is not allowed");
            return false;
        }
        if (type_is_subclass(type_from(classes[i]), vm->types[EXC_BASE_EXCEPTION_GROUP])) {
            raise_type(vm,
                       "catching ExceptionGroup with except* is not allowed. Use except instead.");
            return false;
        }
    }
    return true;
}

/* A naked exception is caught as a group of itself, which begins at the clause that catches it. */
static Value wrap_naked(GenVM *vm, Value exception) {
    Value nested = tuple_pack(vm, 1, exception);
    Value args = nested == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 2, vm->empty_str, nested);
    if (args == VALUE_ERROR) return VALUE_ERROR;
    Value group =
        exception_group_construct(vm, vm->types[EXC_BASE_EXCEPTION_GROUP], args, VALUE_UNSET);
    if (group == VALUE_ERROR) return VALUE_ERROR;
    Function *function = frame_function(vm->base);
    traceback_add(vm, group, function, (size_t)(vm->pc - 1 - function->code->instrs));
    return vm->exception == VALUE_UNSET ? group : VALUE_ERROR;
}

Value exception_group_match(GenVM *vm, Value exception, Value wanted) {
    Value matched = VALUE_NONE, rest = exception;
    if (!check_wanted(vm, wanted)) return VALUE_ERROR;
    if (exception == VALUE_NONE) return tuple_pack(vm, 2, matched, rest);
    if (is_group(vm, exception)) {
        if (!type_of(vm, exception)->is_builtin) /* it may have a split or a derive of its own */
            return native_twin(vm, TWIN_GROUP_MATCH, 2, exception, wanted);
        if (!split(vm, exception, wanted, &matched, &rest)) return VALUE_ERROR;
    } else if (is_match(vm, exception, wanted)) {
        matched = wrap_naked(vm, exception);
        rest = VALUE_NONE;
    }
    return matched == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 2, matched, rest);
}

/* ---- what an except* statement raises in the end ---- */

/* Was `exception` split off from `original`, and not raised anew: then it has its traceback and
 * context. */
static bool is_part_of(Value exception, Value original) {
    const Exception *a = AS(Exception, exception), *b = AS(Exception, original);
    return a->traceback == b->traceback && a->cause == b->cause && a->context == b->context;
}

static bool collect_leaves(GenVM *vm, Value exception, Value list) {
    if (!is_group(vm, exception)) return list_append(vm, list, exception);
    const Tuple *nested = AS_TUPLE(nested_of(exception));
    for (uint64_t i = 0; i < nested->count; i++)
        if (!collect_leaves(vm, nested->items[i], list)) return false;
    return true;
}

static bool contains(const List *list, Value v) {
    for (uint64_t i = 0; i < list->count; i++)
        if (list->items[i] == v) return true;
    return false;
}

/* The part of `exception` (a group) whose leaves are in `kept`: VALUE_NONE when none is. */
static Value project(GenVM *vm, Value exception, const List *kept) {
    if (!is_group(vm, exception)) return contains(kept, exception) ? exception : VALUE_NONE;
    Value parts = list_new(vm, 4);
    if (parts == VALUE_ERROR || !native_enter(vm)) return VALUE_ERROR;
    const Tuple *nested = AS_TUPLE(nested_of(exception));
    bool ok = true, whole = true;
    for (uint64_t i = 0; ok && i < nested->count; i++) {
        Value part = project(vm, nested->items[i], kept);
        whole &= part == nested->items[i];
        ok = part != VALUE_ERROR && (part == VALUE_NONE || list_append(vm, parts, part));
    }
    native_leave(vm);
    if (!ok) return VALUE_ERROR;
    if (whole) return exception;
    return AS_LIST(parts)->count ? derive_like(vm, exception, parts) : VALUE_NONE;
}

/* Is a group of a class written in Gen among them: it may have a derive of its own. */
static bool has_script_group(GenVM *vm, Value exception) {
    if (!is_group(vm, exception)) return false;
    if (!type_of(vm, exception)->is_builtin) return true;
    const Tuple *nested = AS_TUPLE(nested_of(exception));
    for (uint64_t i = 0; i < nested->count; i++)
        if (has_script_group(vm, nested->items[i])) return true;
    return false;
}

Value exception_group_reraise(GenVM *vm, Value original, Value list) {
    const List *all = AS_LIST(list);
    Value raised = list_new(vm, 4), kept = list_new(vm, 4);
    if (raised == VALUE_ERROR || kept == VALUE_ERROR) return VALUE_ERROR;
    bool is_naked = !is_group(vm, original);
    for (uint64_t i = 0; i < all->count; i++) {
        Value part = all->items[i];
        if (part == VALUE_NONE) continue;
        bool unhandled = !is_naked && is_group(vm, part) && is_part_of(part, original);
        if (is_naked && part == original) return original;
        if (!(unhandled ? collect_leaves(vm, part, kept) : list_append(vm, raised, part)))
            return VALUE_ERROR;
    }
    if (AS_LIST(kept)->count && has_script_group(vm, original))
        return native_twin(vm, TWIN_GROUP_RERAISE, 3, original, raised, kept);
    if (AS_LIST(kept)->count) {
        Value rest = project(vm, original, AS_LIST(kept));
        if (rest == VALUE_ERROR || (rest != VALUE_NONE && !list_append(vm, raised, rest)))
            return VALUE_ERROR;
        if (rest != VALUE_NONE && AS_LIST(raised)->count == 1) return rest;
    }
    if (AS_LIST(raised)->count == 0) return VALUE_NONE;
    if (AS_LIST(raised)->count == 1) return AS_LIST(raised)->items[0];
    Value args = tuple_pack(vm, 2, vm->empty_str, raised);
    return args == VALUE_ERROR ? VALUE_ERROR
                               : exception_group_construct(vm, vm->types[EXC_BASE_EXCEPTION_GROUP],
                                                           args, VALUE_UNSET);
}

/* ---- methods ---- */

static Value method_derive(GenVM *vm, Value *args) {
    Value given = tuple_pack(vm, 2, message_of(args[0]), args[1]);
    if (given == VALUE_ERROR) return VALUE_ERROR;
    return exception_group_construct(vm, vm->types[EXC_BASE_EXCEPTION_GROUP], given, VALUE_UNSET);
}

static Value method_subgroup(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_GROUP_SUBGROUP, 2, args[0], args[1]);
}
static Value method_split(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_GROUP_SPLIT, 2, args[0], args[1]);
}

bool exception_copy_context(GenVM *vm, Value from, Value to) {
    return copy_context(vm, from, to);
}

const NativeDef exception_group_methods[] = {
    {"derive(self, excs, /)", method_derive,
     "Return a group of other exceptions with the same message."},
    {"subgroup(self, matcher_value, /)", method_subgroup,
     "Return the part whose exceptions match, or None."},
    {"split(self, matcher_value, /)", method_split,
     "Return the pair of the part that matches and the rest."},
    {"classmethod __class_getitem__(cls, object, /)", generic_alias_method, "See PEP 585"},
    {0},
};
