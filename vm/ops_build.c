/* ops_build.c - outlined halves of the instructions that build values, unpack them, and iterate.
 * See ops.h. */
#include "vm/call.h"
#include "vm/continue.h"
#include "vm/generator.h"
#include "vm/objects/containers.h"
#include "vm/ops.h"
#include "vm/runtime.h"

static bool store(GenVM *vm, Value v) {
    if (unlikely(v == VALUE_ERROR)) return false;
    *op_a(vm) = v;
    return true;
}

bool op_new_list(GenVM *vm) {
    return store(vm, list_from_array(vm, op_b(vm), (uint64_t)instr_imm(op_instr(vm))));
}

bool op_new_tuple(GenVM *vm) {
    return store(vm, tuple_from_array(vm, op_b(vm), (uint64_t)instr_imm(op_instr(vm))));
}

/* The items of a display have to be added one by one; those with script-defined hashes go through a
 * twin. */
bool op_new_set(GenVM *vm) {
    Value set = set_new(vm, TYPE_SET);
    if (set == VALUE_ERROR) return false;
    Value *items = op_b(vm);
    int32_t count = instr_imm(op_instr(vm));
    for (int32_t i = 0; i < count; i++) {
        Leaf added = set_add(vm, set, items[i]);
        if (added == LEAF_ERROR) return false;
        if (added != LEAF_SCRIPT) continue;
        Value rest = list_from_array(vm, items + i, (uint64_t)(count - i));
        if (rest == VALUE_ERROR) return false;
        return call_result(vm, native_twin(vm, TWIN_SET_FILL, 2, set, rest));
    }
    return store(vm, set);
}

bool op_new_dict(GenVM *vm) {
    Value dict = dict_new(vm);
    if (dict == VALUE_ERROR) return false;
    Value *items = op_b(vm);
    int32_t count = instr_imm(op_instr(vm));
    for (int32_t i = 0; i < count; i++) {
        Leaf set = dict_set(vm, AS_DICT(dict), items[2 * i], items[2 * i + 1]);
        if (set == LEAF_ERROR) return false;
        if (set != LEAF_SCRIPT) continue;
        Value rest = list_from_array(vm, items + 2 * i, (uint64_t)(count - i) * 2);
        if (rest == VALUE_ERROR) return false;
        return call_result(vm, native_twin(vm, TWIN_DICT_FILL, 2, dict, rest));
    }
    return store(vm, dict);
}

bool op_new_slice(GenVM *vm) {
    Value *bounds = op_b(vm);
    return store(vm, slice_new(vm, bounds[0], bounds[1], bounds[2]));
}

bool op_list_append(GenVM *vm) {
    return list_append(vm, *op_a(vm), *op_b(vm));
}

bool op_list_extend(GenVM *vm) {
    Value list = *op_a(vm), source = *op_b(vm);
    uint64_t count;
    const Value *items = leaf_items(source, &count);
    if (items || (is_exact(source, TYPE_TUPLE) || is_exact(source, TYPE_LIST))) {
        if (!count) return true;
        List *target = AS_LIST(list);
        if (instr_c(op_instr(vm)) && !target->count && is_exact(source, TYPE_TUPLE)) {
            *op_a(vm) = source; /* f(*x): a tuple serves as it is */
            return true;
        }
        if (!list_reserve(vm, target, target->count + count) ||
            !native_copy(vm, target->items + target->count, items, count * sizeof(Value)))
            return false;
        target->count += count;
        gc_barrier(vm, target);
        return true;
    }
    Value callable = instr_c(op_instr(vm)) ? op_a(vm)[-1] : VALUE_NONE;
    return continue_discard(vm, native_twin(vm, TWIN_LIST_EXTEND_STAR, 3, list, source, callable));
}

bool op_list_tuple(GenVM *vm) {
    return store(vm, list_to_tuple(vm, *op_b(vm)));
}

/* The set may be the module's __conditional_annotations__, which a script can replace. */
bool op_set_add(GenVM *vm) {
    if (unlikely(!is_kind(*op_a(vm), TYPE_SET))) {
        raise_type(vm, "expected a set, not '%T'", *op_a(vm));
        return false;
    }
    Leaf added = set_add(vm, *op_a(vm), *op_b(vm));
    if (added == LEAF_ERROR) return false;
    if (added != LEAF_SCRIPT) return true;
    return continue_discard(vm, native_twin(vm, TWIN_SET_ADD, 2, *op_a(vm), *op_b(vm)));
}

bool op_set_update(GenVM *vm) {
    return continue_discard(vm, native_twin(vm, TWIN_SET_UPDATE_STAR, 2, *op_a(vm), *op_b(vm)));
}

bool op_dict_set(GenVM *vm) {
    Leaf set = dict_set(vm, AS_DICT(*op_a(vm)), *op_b(vm), *op_c(vm));
    if (set == LEAF_ERROR) return false;
    if (set != LEAF_SCRIPT) return true;
    return continue_discard(vm, value_setitem(vm, *op_a(vm), *op_b(vm), *op_c(vm)));
}

bool op_dict_merge(GenVM *vm) {
    bool in_call = instr_c(op_instr(vm)) & 1;
    Value callable = in_call ? op_a(vm)[-2] : VALUE_NONE;
    return continue_discard(vm, native_twin(vm, TWIN_DICT_MERGE, 4, *op_a(vm), *op_b(vm),
                                            bool_value(in_call), callable));
}

/* ---- unpacking ---- */

static bool raise_too_many(GenVM *vm, int64_t expected, int64_t got) {
    if (got >= 0)
        raise_value(vm, "too many values to unpack (expected %d, got %d)", (int)expected, (int)got);
    else
        raise_value(vm, "too many values to unpack (expected %d)", (int)expected);
    return false;
}

static bool unpack_exactly(GenVM *vm, const Value *items, uint64_t count, bool sized) {
    uint64_t expected = (uint64_t)instr_imm(op_instr(vm));
    if (count < expected) {
        raise_value(vm, "not enough values to unpack (expected %d, got %d)", (int)expected,
                    (int)count);
        return false;
    }
    if (count > expected) return raise_too_many(vm, (int64_t)expected, sized ? (int64_t)count : -1);
    memcpy(op_a(vm), items, count * sizeof(Value));
    return true;
}

static bool unpack_starred(GenVM *vm, const Value *items, uint64_t count) {
    uint64_t before = instr_c(op_instr(vm)), after = (uint64_t)instr_imm(op_instr(vm));
    if (count < before + after) {
        raise_value(vm, "not enough values to unpack (expected at least %d, got %d)",
                    (int)(before + after), (int)count);
        return false;
    }
    Value rest = list_from_array(vm, items + before, count - before - after);
    if (rest == VALUE_ERROR) return false;
    Value *to = op_a(vm);
    memcpy(to, items, before * sizeof(Value));
    to[before] = rest;
    memcpy(to + before + 1, items + count - after, after * sizeof(Value));
    return true;
}

static bool unpack(GenVM *vm, const Value *items, uint64_t count, bool sized) {
    if (instr_op(op_instr(vm)) == OP_UNPACK) return unpack_exactly(vm, items, count, sized);
    return unpack_starred(vm, items, count);
}

bool ops_unpack_items(GenVM *vm, Value list) {
    return unpack(vm, AS_LIST(list)->items, AS_LIST(list)->count, false);
}

bool op_unpack(GenVM *vm) {
    Value v = *op_b(vm);
    uint64_t count;
    const Value *items = leaf_items(v, &count);
    if (is_exact(v, TYPE_LIST) || is_exact(v, TYPE_TUPLE)) return unpack(vm, items, count, true);
    int64_t most = instr_op(op_instr(vm)) == OP_UNPACK ? instr_imm(op_instr(vm)) + 1 : -1;
    if (is_exact(v, TYPE_DICT) && most >= 0 && AS_DICT(v)->count >= (uint64_t)most)
        return raise_too_many(vm, most - 1, (int64_t)AS_DICT(v)->count);
    if (native_twin(vm, TWIN_UNPACK, 2, v, int_value(most)) == VALUE_ERROR) return false;
    return continue_tail(vm, RETURN_UNPACK);
}

/* ---- strings ---- */

static Value convert_for_format(GenVM *vm, Value v, unsigned conversion) {
    switch (conversion) {
    case 1: return value_str(vm, v);
    case 2: return value_repr(vm, v);
    case 3: return value_ascii(vm, v);
    default: return v;
    }
}

bool op_format(GenVM *vm) {
    Value v = *op_b(vm);
    unsigned conversion = instr_c(op_instr(vm));
    if (conversion == FORMAT_PART && (is_int(v) || is_float(v))) return store(vm, v);
    if (is_exact(v, TYPE_STR) && conversion != 2 && conversion != 3) return store(vm, v);
    if (conversion && conversion != FORMAT_PART)
        return call_result(vm, convert_for_format(vm, v, conversion));
    return call_result(vm, format_value(vm, v, vm->empty_str));
}

bool op_format_spec(GenVM *vm) {
    Instr instr = op_instr(vm);
    Value spec = vm->base[instr_imm(instr)], v = *op_b(vm);
    unsigned conversion = instr_c(instr);
    if (unlikely(!value_is_str(spec))) {
        raise_error(vm, EXC_SYSTEM_ERROR, "bad code: a format specification is no str");
        return false;
    }
    if (conversion) {
        v = convert_for_format(vm, v, conversion);
        if (v == VALUE_ERROR) return false;
        if (v == VALUE_TAIL)
            return call_result(vm, native_twin(vm, TWIN_FORMAT_CONVERTED, 3, *op_b(vm),
                                               int_value(conversion), spec));
    }
    return call_result(vm, format_value(vm, v, spec));
}

bool op_join_strings(GenVM *vm) {
    return store(vm, str_join_parts(vm, op_b(vm), (uint64_t)instr_imm(op_instr(vm))));
}

/* ---- functions and classes ---- */

/* The compiler makes them fit; code from an image may do otherwise. */
static bool parts_fit(GenVM *vm, const Function *function) {
    const Code *code = function->code;
    uint64_t cells = code->freevars ? code->freevars->count : 0;
    bool fit = (function->closure ? function->closure->count : 0) == cells &&
               (!function->defaults || function->defaults->count <= code->arg_count);
    for (uint64_t i = 0; fit && i < cells; i++)
        fit = is_kind(function->closure->items[i], TYPE_CELL);
    if (!fit) raise_error(vm, EXC_SYSTEM_ERROR, "bad code: the parts of a function do not fit");
    return fit;
}

bool op_make_function(GenVM *vm) {
    Value *extra = op_b(vm);
    unsigned flags = instr_c(op_instr(vm));
    Function *function =
        function_new(vm, (Code *)as_object(op_const(vm)), frame_function(vm->base)->globals);
    if (!function) return false;
    if (flags & 1) function->defaults = AS_TUPLE(*extra++);
    if (flags & 2) function->kwdefaults = AS_DICT(*extra++);
    if (flags & 4) function->annotate = *extra++;
    if (flags & 8) function->closure = AS_TUPLE(*extra++);
    if (unlikely(!parts_fit(vm, function))) return false;
    *op_a(vm) = object_value(function);
    return true;
}

bool op_build_class(GenVM *vm) {
    Value v = dict_get_str(vm, vm_builtins_of(vm, frame_function(vm->base)->globals),
                           name_value(vm, NAME___build_class__));
    if (v == VALUE_UNSET) {
        raise_error(vm, EXC_NAME_ERROR, "__build_class__ not found");
        return false;
    }
    *op_a(vm) = v;
    return true;
}

/* ---- iteration ---- */

/* The iterator of what loops run over most. VALUE_UNSET: it is something else. */
static Value plain_iterator(GenVM *vm, Value v) {
    if (!is_object(v)) return VALUE_UNSET;
    switch (object_key(as_object(v))) {
    case OBJECT_KEY(TYPE_LIST, 0): return list_iterator_new(vm, TYPE_LIST_ITERATOR, v, 0);
    case OBJECT_KEY(TYPE_TUPLE, 0): return list_iterator_new(vm, TYPE_TUPLE_ITERATOR, v, 0);
    case OBJECT_KEY(TYPE_RANGE, 0): {
        const Range *range = AS(Range, v);
        if (!are_ints(range->start, range->step) || !are_ints(range->length, range->stop))
            return VALUE_UNSET;
        return range_iterator_new(vm, as_int(range->start), as_int(range->step),
                                  as_int(range->length));
    }
    default: return VALUE_UNSET;
    }
}

bool op_get_iter(GenVM *vm) {
    Value v = *op_b(vm), plain = plain_iterator(vm, v);
    if (plain != VALUE_UNSET) return store(vm, plain);
    if (is_kind(v, TYPE_GENERATOR)) {
        generator_note_loop(vm, v);
        return store(vm, v);
    }
    Value method = type_of(vm, v)->special[SP_ITER];
    if (is_kind(method, TYPE_FUNCTION) && AS(Function, method)->code->flags & CODE_GENERATOR) {
        if (!call_value(vm, method, 1, &v)) return false;
        as_object(*op_a(vm))->flags |= GENERATOR_OF_LOOP; /* nothing else has seen it */
        return true;
    }
    Value iterator = value_iter(vm, v);
    if (iterator == VALUE_TAIL) return continue_tail(vm, RETURN_ITER);
    return store(vm, iterator);
}

static bool end_of_loop(GenVM *vm, Value item) {
    Instr instr = op_instr(vm);
    *op_b(vm) = item;
    vm->pc += instr_imm(instr);
    vm->fuel--;
    return true;
}

static bool call_script_next(GenVM *vm, Value iterator, Type *type, Value next) {
    next = attribute_bind(vm, next, iterator, type);
    if (next == VALUE_ERROR) return false;
    if (!frame_push_continuation(vm, RETURN_FOR_NEXT, 0)) return false;
    return next == VALUE_TAIL ? call_tail(vm) : call_value(vm, next, 0, NULL);
}

/* What the iterator of a for loop gave. */
bool op_for_item(GenVM *vm, Value item) {
    if (item == VALUE_TAIL) return continue_tail(vm, RETURN_FOR_NEXT);
    if (item == VALUE_END) return true;
    if (item != VALUE_ERROR) return end_of_loop(vm, item);
    if (!error_matches(vm, EXC_STOP_ITERATION)) return false;
    error_clear(vm);
    return true;
}

static COLD bool for_no_iterator(GenVM *vm, Value v) {
    raise_type(vm, "'%T' object is not an iterator", v);
    return false;
}

bool op_for_iter(GenVM *vm) {
    Value iterator = *op_a(vm);
    if (unlikely(!is_object(iterator))) return for_no_iterator(vm, iterator);
    Object *object = as_object(iterator);
    if (likely(object->shape ==
               object->kind)) { /* exactly a builtin type: the shortest way to its slot */
        Value (*step)(GenVM *, Value) = vm->types[object->kind]->slots.next;
        if (likely(step && object->kind != TYPE_GENERATOR))
            return op_for_item(vm, step(vm, iterator));
    }
    if (object->kind == TYPE_GENERATOR) return generator_for(vm, (Generator *)object);
    Type *type = vm->shapes[object->shape].type;
    Value next = type->special[SP_NEXT];
    if (next != VALUE_UNSET) return call_script_next(vm, iterator, type, next);
    return type->slots.next ? op_for_item(vm, type->slots.next(vm, iterator))
                            : for_no_iterator(vm, iterator);
}
