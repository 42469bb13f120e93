/* ops.c - outlined halves of the instructions for names, operators, attributes and items. See
 * ops.h.
 *
 * The attribute instructions remember what they found: the first word becomes a quick form
 * (GETATTR_SLOT, ...), the two data words hold the guard and the value (word 1: SKIP2, 24 bits of
 * vm->method_epoch, name constant; word 2: value). A quick form whose guard fails comes here, as
 * the generic form does, and is written anew.
 */
#include "vm/frame_object.h"
#include "vm/ops.h"
#include "vm/call.h"
#include "vm/continue.h"
#include "vm/objects.h"
#include "vm/site_cache.h"
#include "vm/operations.h"
#include "vm/suggest.h"

/* ---- unbound names ---- */

bool op_unbound_local(GenVM *vm) {
    raise_error(vm, EXC_UNBOUND_LOCAL_ERROR,
                "cannot access local variable '%S' where it is not associated with a value",
                op_const(vm)); /* its .name stays None */
    return false;
}

bool op_unbound_cell(GenVM *vm) {
    return op_unbound_local(vm);
}

bool op_unbound_free(GenVM *vm) {
    Value name = frame_code(vm->base)->freevars->items[instr_imm(op_instr(vm))];
    raise_name_error(vm, EXC_NAME_ERROR, name,
                     "cannot access free variable '%S' where it is not associated with a value in "
                     "enclosing scope");
    return false;
}

/* With the error goes the local variable `self`, for "Did you mean: 'self.x'?": when a report is
 * made, the frame is gone. */
static bool raise_undefined(GenVM *vm, Value name) {
    raise_name_error(vm, EXC_NAME_ERROR, name, "name '%S' is not defined");
    Value self = frame_variable(vm, vm->base, "self");
    if (self != VALUE_UNSET && value_is_instance(vm, vm->exception, EXC_NAME_ERROR))
        exception_set_field(vm, vm->exception, NAME_ERROR_SELF, self);
    return false;
}

/* ---- globals ---- */

static inline Instr *writable(const Instr *pc) {
    return (Instr *)(uintptr_t)pc;
}

static void requicken(GenVM *vm, Opcode op) {
    Instr *instr = writable(vm->pc) - 1;
    *instr = (*instr & ~(Instr)255) | op;
}

/* Are the instructions behind this GETGLOBAL and its cache the rest of `name(register)`? */
static bool calls_with_register(GenVM *vm) {
    Instr move = vm->pc[1];
    unsigned link = frame_is_generator(vm->base) ? 1 : FRAME_LINKS;
    if (instr_op(move) != OP_MOVE || instr_a(move) != instr_a(op_instr(vm)) + link) return false;
    Instr call = vm->pc[2];
    return (instr_op(call) == OP_CALL || instr_op(call) == OP_CALLG) && instr_b(call) == 1 &&
           instr_a(call) == instr_a(op_instr(vm));
}

/* The form for builtins; with those that one call asks for, `name(register)`, for all of it. */
static Opcode form_of_builtin(GenVM *vm, Value builtin) {
    if (!calls_with_register(vm)) return OP_GETGLOBAL_BUILTIN;
    if (builtin == object_value(vm->types[TYPE_TYPE])) return OP_GETGLOBAL_TYPE;
    if (builtin == vm->next_function) return OP_GETGLOBAL_NEXT;
    if (builtin == vm->len_function) return OP_GETGLOBAL_LEN;
    if (is_type(builtin) ||
        (is_kind(builtin, TYPE_NATIVE) && !(as_object(builtin)->flags & NATIVE_RESUMES)))
        return OP_GETGLOBAL_NATIVE;
    return OP_GETGLOBAL_BUILTIN;
}

bool op_get_global(GenVM *vm) {
    Value name = op_const(vm);
    Dict *globals = frame_function(vm->base)->globals;
    Instr *cache = writable(vm->pc);
    int64_t at = dict_find_str(vm, globals, name);
    if (at >= 0) {
        if (globals->entries[at].key == name) {
            *cache = (Instr)OP_SKIP1 | (Instr)(uint32_t)at << 32;
            requicken(vm, OP_GETGLOBAL_DICT);
        }
        *op_a(vm) = globals->entries[at].value;
    } else {
        Dict *builtins = vm_builtins_of(vm, globals);
        at = dict_find_str(vm, builtins, name);
        if (at < 0) return raise_undefined(vm, name);
        if (builtins == vm->builtins && at < 65536 && builtins->entries[at].key == name) {
            *cache = (Instr)OP_SKIP1 | (Instr)(uint16_t)at << 16 | (Instr)globals->version << 32;
            requicken(vm, form_of_builtin(vm, builtins->entries[at].value));
        }
        *op_a(vm) = builtins->entries[at].value;
    }
    vm->pc++;
    return true;
}

bool op_set_global(GenVM *vm) {
    Dict *globals = frame_function(vm->base)->globals;
    return dict_set_str(vm, globals, op_const(vm), *op_a(vm));
}

bool op_delete_global(GenVM *vm) {
    Value name = op_const(vm);
    if (dict_delete_str(vm, frame_function(vm->base)->globals, name)) return true;
    return raise_undefined(vm, name);
}

/* ---- names in a namespace ---- */

static bool find_outside(GenVM *vm, Value name) {
    Dict *globals = frame_function(vm->base)->globals;
    Value v = dict_get_str(vm, globals, name);
    if (v == VALUE_UNSET) v = dict_get_str(vm, vm_builtins_of(vm, globals), name);
    if (v == VALUE_UNSET) return raise_undefined(vm, name);
    *op_a(vm) = v;
    return true;
}

bool op_get_name(GenVM *vm) {
    Value name = op_const(vm), space = *op_b(vm);
    if (unlikely(!is_exact(space, TYPE_DICT)))
        return call_result(vm, native_twin(vm, TWIN_GET_NAME, 3, space, name,
                                           object_value(frame_function(vm->base)->globals)));
    Value v = dict_get_str(vm, AS_DICT(space), name);
    if (v == VALUE_UNSET) return find_outside(vm, name);
    *op_a(vm) = v;
    return true;
}

bool op_set_name(GenVM *vm) {
    Value space = *op_b(vm);
    if (likely(is_exact(space, TYPE_DICT)))
        return dict_set_str(vm, AS_DICT(space), op_const(vm), *op_a(vm));
    return continue_discard(vm, value_setitem(vm, space, op_const(vm), *op_a(vm)));
}

bool op_delete_name(GenVM *vm) {
    Value space = *op_b(vm), name = op_const(vm);
    if (unlikely(!is_exact(space, TYPE_DICT)))
        return continue_discard(vm, native_twin(vm, TWIN_DELETE_NAME, 2, space, name));
    if (dict_delete_str(vm, AS_DICT(space), name)) return true;
    return raise_undefined(vm, name);
}

bool op_get_name_free(GenVM *vm) {
    Value name = op_const(vm), space = *op_b(vm);
    uint32_t index = instr_c(op_instr(vm));
    Value cell = frame_function(vm->base)->closure->items[index];
    if (unlikely(!is_exact(space, TYPE_DICT)))
        return call_result(vm, native_twin(vm, TWIN_GET_NAME_CELL, 3, space, name, cell));
    Value v = dict_get_str(vm, AS_DICT(space), name);
    if (v == VALUE_UNSET) v = AS(Cell, cell)->value;
    if (v == VALUE_UNSET) {
        raise_name_error(vm, EXC_NAME_ERROR, name,
                         "cannot access free variable '%S' where it is not associated with a value "
                         "in enclosing scope");
        return false;
    }
    *op_a(vm) = v;
    return true;
}

bool op_new_cell(GenVM *vm) {
    Value cell = cell_new(vm, *op_a(vm));
    if (cell == VALUE_ERROR) return false;
    *op_a(vm) = cell;
    return true;
}

/* ---- operators ---- */

static inline bool as_exact_double(Value v, double *out) {
    if (is_float(v)) {
        *out = as_float(v);
        return true;
    }
    *out = (double)as_int(v);
    return is_int(v) && as_int(v) <= (int64_t)1 << 53 && as_int(v) >= -((int64_t)1 << 53);
}

/* A float and an int that a double holds exactly. */
static inline bool numbers(Value left, Value right, double *a, double *b) {
    return !is_pointer(left) && !is_pointer(right) && as_exact_double(left, a) &&
           as_exact_double(right, b);
}

static Function *first_method(GenVM *vm, int code, Value left, Value right) {
    if (!is_object(left) || value_is_plain_number(left)) return NULL;
    return operator_first_method(vm, code, left, right);
}

static inline bool is_exact_int(Value v) {
    return is_int(v) || is_exact(v, TYPE_INT);
}

/* ADD and ADDK of what the loop does not add itself: strs first. */
bool op_add(GenVM *vm) {
    Instr instr = op_instr(vm);
    bool is_const = instr_op(instr) == OP_ADDK;
    Value left = *op_b(vm), right = is_const ? op_const(vm) : *op_c(vm);
    if (!is_exact(left, TYPE_STR) || !is_exact(right, TYPE_STR)) return op_binary(vm);
    bool is_swapped = is_const && instr_c(instr) & 2;
    Value joined = is_swapped ? str_concat(vm, right, left) : str_concat(vm, left, right);
    if (unlikely(joined == VALUE_ERROR)) return false;
    *op_a(vm) = joined;
    return true;
}

bool op_binary(GenVM *vm) {
    Instr instr = op_instr(vm);
    Opcode op = instr_op(instr);
    if (unlikely(op > OP_SUBI)) op = (Opcode)code_pair(op).first;
    Value left = *op_b(vm), right;
    bool inplace;
    BinaryOp operator;
    if (op == OP_ADDI || op == OP_SUBI) {
        operator= op == OP_ADDI ? BINARY_ADD : BINARY_SUB;
        right = int_value(instr_imm(instr));
        inplace = instr_c(instr) & 1;
    } else if (op >= OP_ADDK && op <= OP_XORK) {
        operator=(BinaryOp)(op - OP_ADDK);
        right = op_const(vm);
        inplace = instr_c(instr) & 1;
    } else {
        operator=(BinaryOp)(op - OP_ADD);
        right = *op_c(vm);
        inplace = instr_imm(instr) & 1;
    }
    bool is_swapped = (op >= OP_ADDK && op <= OP_SUBI) && instr_c(instr) & 2;
    if (unlikely(is_swapped)) {
        Value other = left;
        left = right;
        right = other;
    }
    if (is_exact_int(left) && is_exact_int(right) && operator!= BINARY_MATMUL) {
        Value result = int_binary(vm, operator, left, right);
        if (unlikely(result == VALUE_ERROR || result == VALUE_TAIL)) return call_result(vm, result);
        *op_a(vm) = result;
        return true;
    }
    int code = (int)operator|(inplace ? OPERATOR_IN_PLACE : 0);
    if (is_kind(left, TYPE_OBJECT)) {
        Function *special = operator_first_method(vm, code, left, right);
        if (special) return continue_operator(vm, special, code, left, right);
    }
    if (operator== BINARY_ADD && is_exact(left, TYPE_STR) && is_exact(right, TYPE_STR))
        return call_result(vm, str_concat(vm, left, right));
    if (operator== BINARY_ADD && is_exact(left, TYPE_TUPLE) && is_exact(right, TYPE_TUPLE))
        return call_result(vm, vm->types[TYPE_TUPLE]->slots.binary(vm, BINARY_ADD, left, right));
    if (value_is_plain_number(left) && value_is_plain_number(right) && operator!= BINARY_MATMUL) {
        bool ints = value_is_int(left) && value_is_int(right);
        Value result =
            ints ? int_binary(vm, operator, left, right) : float_binary(vm, operator, left, right);
        if (result != VALUE_NOT_IMPLEMENTED) return call_result(vm, result);
    }
    if (operator== BINARY_MOD && is_exact(left, TYPE_STR) &&
        (is_exact(right, TYPE_STR) || !is_kind(right, TYPE_STR)))
        return call_result(vm, format_percent(vm, left, right));
    Function *method = first_method(vm, code, left, right);
    if (method) return continue_operator(vm, method, code, left, right);
    return call_result(vm, value_binary(vm, operator, left, right, inplace));
}

/* The special method of an instance whose class defines it as a plain function of `count`
 * parameters: it can be entered at once. Else NULL. */
static inline Function *plain_method(GenVM *vm, Value object, Special special, unsigned count) {
    if (!is_kind(object, TYPE_OBJECT)) return NULL;
    Value method = type_of(vm, object)->special[special];
    bool plain =
        is_object(method) && object_key(as_object(method)) == OBJECT_KEY(TYPE_FUNCTION, count);
    return plain ? AS(Function, method) : NULL;
}

bool op_unary(GenVM *vm) {
    Opcode op = instr_op(op_instr(vm));
    Special special = op == OP_NEG ? SP_NEG : op == OP_POS ? SP_POS : SP_INVERT;
    Function *method = plain_method(vm, *op_b(vm), special, 1);
    if (method) return call_enter(vm, method, *op_b(vm), VALUE_UNSET);
    return call_result(vm, value_unary(vm, special, *op_b(vm)));
}

bool op_not(GenVM *vm) {
    return continue_truth(vm, RETURN_TRUTH_NOT, *op_b(vm));
}

bool op_truth_jump(GenVM *vm) {
    Leaf truth = leaf_truth(vm, *op_a(vm));
    if (unlikely(truth != LEAF_TRUE && truth != LEAF_FALSE))
        return truth != LEAF_ERROR && continue_truth(vm, RETURN_TRUTH_BRANCH, *op_a(vm));
    Instr instr = op_instr(vm);
    if ((truth == LEAF_TRUE) != (instr_op(instr) == OP_JT)) return true;
    vm->pc += instr_imm(instr);
    vm->fuel += instr_imm(instr) >> 31;
    return true;
}

static bool ordered(CompareOp op, int order) {
    switch (op) {
    case COMPARE_LT: return order < 0;
    case COMPARE_LE: return order <= 0;
    case COMPARE_EQ: return order == 0;
    case COMPARE_NE: return order != 0;
    case COMPARE_GT: return order > 0;
    case COMPARE_GE: return order >= 0;
    }
    return false;
}

static bool compare_doubles(CompareOp op, double a, double b) {
    switch (op) {
    case COMPARE_LT: return a < b;
    case COMPARE_LE: return a <= b;
    case COMPARE_EQ: return a == b;
    case COMPARE_NE: return a != b;
    case COMPARE_GT: return a > b;
    case COMPARE_GE: return a >= b;
    }
    return false;
}

bool op_compare(GenVM *vm) {
    CompareOp op = (CompareOp)(instr_op(op_instr(vm)) - OP_LT);
    double a, b;
    if (is_exact(*op_b(vm), TYPE_STR) && is_exact(*op_c(vm), TYPE_STR) &&
        (op == COMPARE_EQ || op == COMPARE_NE)) {
        *op_a(vm) = bool_value((*op_b(vm) == *op_c(vm) ||
                                str_equal_charged(vm, *op_b(vm), *op_c(vm))) == (op == COMPARE_EQ));
        return true;
    }
    if (numbers(*op_b(vm), *op_c(vm), &a, &b)) {
        *op_a(vm) = bool_value(compare_doubles(op, a, b));
        return true;
    }
    Value left = *op_b(vm), right = *op_c(vm);
    Function *method = first_method(vm, OPERATOR_COMPARE + (int)op, left, right);
    if (method) return continue_operator(vm, method, OPERATOR_COMPARE + (int)op, left, right);
    return call_result(vm, value_compare(vm, op, left, right));
}

/* The operands and the operator of a comparison that jumps. */
static CompareOp jump_operands(GenVM *vm, Value *left, Value *right) {
    static const CompareOp mirrored[] = {COMPARE_GT, COMPARE_GE, COMPARE_EQ,
                                         COMPARE_NE, COMPARE_LT, COMPARE_LE};
    Instr instr = op_instr(vm);
    unsigned offset = (unsigned)(instr_op(instr) - OP_JLT); /* six forms of six operators */
    CompareOp op = (CompareOp)(offset % 6);
    if (instr_op(instr) == OP_JEQS || instr_op(instr) == OP_JNES)
        op = instr_c(instr) & 2 ? COMPARE_NE : COMPARE_EQ;
    *left = *op_a(vm);
    *right = offset < 12   ? vm->base[instr_b(instr)]
             : offset < 24 ? int_value((int8_t)instr_b(instr))
                           : frame_function(vm->base)->consts[instr_b(instr)];
    if (offset < 12 || !(instr_c(instr) & 1)) return op;
    Value constant = *right;
    *right = *left;
    *left = constant;
    return mirrored[op];
}

bool op_compare_jump(GenVM *vm) {
    Value left, right;
    CompareOp op = jump_operands(vm, &left, &right);
    if (is_exact(left, TYPE_STR) &&
        is_exact(right, TYPE_STR)) { /* the common case beside numbers */
        bool equality = op == COMPARE_EQ || op == COMPARE_NE;
        vm_set_branch(vm, equality ? (left == right || str_equal_charged(vm, left, right)) ==
                                         (op == COMPARE_EQ)
                                   : ordered(op, str_order_charged(vm, left, right)));
        return true;
    }
    if ((op == COMPARE_EQ || op == COMPARE_NE) && (right == VALUE_NONE || left == VALUE_NONE) &&
        left == right) {
        vm_set_branch(vm, op == COMPARE_EQ);
        return true;
    }
    if (is_exact_int(left) && is_exact_int(right)) {
        vm_set_branch(vm, ordered(op, compare_ints(vm, left, right)));
        return true;
    }
    double a, b;
    if (numbers(left, right, &a, &b)) {
        vm_set_branch(vm, compare_doubles(op, a, b));
        return true;
    }
    Function *method = first_method(vm, OPERATOR_COMPARE + (int)op, left, right);
    if (method)
        return continue_truth_push(vm, RETURN_TRUTH_BRANCH) &&
               continue_operator(vm, method, OPERATOR_COMPARE + (int)op, left, right);
    return continue_truth_of(vm, RETURN_TRUTH_BRANCH, value_compare(vm, op, left, right));
}

/* item in container: dicts and strs by the shortest way. */
static inline Value contains(GenVM *vm, Value container, Value item) {
    if (is_exact(container, TYPE_DICT)) {
        Value value;
        Leaf found = dict_get(vm, AS_DICT(container), item, &value);
        if (found == LEAF_ERROR) return VALUE_ERROR;
        if (found != LEAF_SCRIPT) return bool_value(found == LEAF_TRUE);
    }
    if (is_exact(container, TYPE_STR))
        return vm->types[TYPE_STR]->slots.contains(vm, container, item);
    return value_contains(vm, container, item);
}

bool op_in(GenVM *vm) {
    bool negated = instr_op(op_instr(vm)) == OP_NOTIN;
    Value answer = contains(vm, *op_c(vm), *op_b(vm));
    if (likely(is_bool(answer))) {
        *op_a(vm) = bool_value((answer == VALUE_TRUE) != negated);
        return true;
    }
    return continue_truth_of(vm, negated ? RETURN_TRUTH_NOT : RETURN_TRUTH_VALUE, answer);
}

/* ---- attributes ---- */

static inline Value attribute_name(GenVM *vm) {
    return frame_function(vm->base)->consts[instr_imm(vm->pc[0])];
}

/* Writes the guard words of a 3-word instruction and its quick opcode; operand c is `c`. */
static void cache_attribute(GenVM *vm, Opcode op, uint32_t guard, unsigned c, Value value) {
    Instr *instr = writable(vm->pc) - 1;
    instr[0] = instr_make(op, instr_a(*instr), instr_b(*instr), c, (int32_t)guard);
    instr[1] = (Instr)OP_SKIP2 | (Instr)(vm->method_epoch & 0xFFFFFF) << 8 |
               (instr[1] & ~(Instr)0xFFFFFFFF);
    instr[2] = value;
}

/* Of an attribute in a slot: together with the ADD or ADDI behind it that takes the attribute. The
 * register of the other operand is noted where others have the epoch. */
static void cache_slot(GenVM *vm, uint32_t shape, uint32_t slot) {
    Instr *instr = writable(vm->pc) - 1, next = instr[3];
    unsigned a = instr_a(*instr), b = instr_b(next), c = instr_c(next);
    if (instr_op(next) == OP_ADDI && b == a) {
        cache_attribute(vm, OP_GETATTR_SLOT_ADDI, shape, slot, 0);
    } else if (instr_op(next) == OP_ADD && (b == a) != (c == a)) {
        cache_attribute(vm, OP_GETATTR_SLOT_ADD, shape, slot, 0);
        instr[1] = instr_make(OP_SKIP2, b == a ? c : b, 0, 0, instr_imm(instr[1]));
    } else {
        cache_attribute(vm, OP_GETATTR_SLOT, shape, slot, 0);
    }
}

/* The address of a value in a class dict: it stays while no key comes or goes, and then the epoch
 * changes. */
static Value entry_place(const AttributeLookup *lookup) {
    return (Value)(uintptr_t)&lookup->dict->entries[lookup->slot].value;
}

/* Writes what was found into the instruction; true when *lookup says what that is. */
static bool cache_get(GenVM *vm, Value object, Value name, AttributeLookup *found) {
    if (!is_object(object) || !site_lookup(vm, object, name, found)) {
        requicken(vm, OP_GETATTR);
        return false;
    }
    AttributeLookup lookup = *found;
    uint32_t shape = as_object(object)->shape;
    if (lookup.kind == ATTR_SLOT && lookup.slot < 256) {
        cache_slot(vm, shape, lookup.slot);
    } else if (lookup.kind == ATTR_CLASS_VALUE) {
        cache_attribute(vm, OP_GETATTR_VALUE, shape, 0, lookup.value);
    } else if (lookup.kind == ATTR_PROPERTY && is_kind(lookup.value, TYPE_FUNCTION) &&
               as_object(lookup.value)->state == 1) {
        cache_attribute(vm, OP_GETATTR_PROPERTY, shape, 0, lookup.value);
    } else if (lookup.kind == ATTR_ENTRY && is_kind(object, TYPE_MODULE) &&
               lookup.dict == AS(Module, object)->dict) {
        cache_attribute(vm, OP_GETATTR_MODULE, lookup.slot, 0, 0);
    } else if (lookup.kind == ATTR_ENTRY && is_type(object)) {
        cache_attribute(vm, OP_GETATTR_CLASS, type_from(object)->root_shape, 0,
                        entry_place(&lookup));
    } else {
        requicken(vm, OP_GETATTR);
    }
    return true;
}

bool op_get_attribute(GenVM *vm) {
    Value object = *op_b(vm), name = attribute_name(vm);
    AttributeLookup lookup;
    if (cache_get(vm, object, name, &lookup) && lookup.kind == ATTR_SLOT) {
        Value v = AS(Instance, object)->slots[lookup.slot];
        if (likely(v != VALUE_UNSET)) {
            *op_a(vm) = v;
            vm->pc += 2;
            return true;
        }
    }
    return call_result(vm, attribute_get(vm, object, name));
}

/* What SETATTR_SLOT and SETATTR_ADD do. */
static void store_at(GenVM *vm, Value object, const AttributeStore *store, Value v) {
    Instance *instance = AS(Instance, object);
    instance->slots[store->slot] = v;
    if (store->kind == STORE_ADD) instance->header.shape = store->new_shape;
    gc_barrier(vm, instance);
    vm->pc += 2;
}

bool op_set_attribute(GenVM *vm) {
    Value object = *op_a(vm), name = attribute_name(vm);
    AttributeStore store;
    if (is_kind(object, TYPE_OBJECT) && site_store(vm, object, name, &store) && store.slot < 256) {
        uint32_t shape = as_object(object)->shape;
        if (store.kind == STORE_SLOT)
            cache_attribute(vm, OP_SETATTR_SLOT, shape, store.slot, 0);
        else
            cache_attribute(vm, OP_SETATTR_ADD, shape, store.slot,
                            (Value)OP_NOP | (Value)store.new_shape << 32);
        store_at(vm, object, &store, *op_b(vm));
        return true;
    }
    requicken(vm, OP_SETATTR);
    return continue_discard(vm, attribute_set(vm, object, name, *op_b(vm)));
}

bool op_delete_attribute(GenVM *vm) {
    return continue_discard(vm, attribute_delete(vm, *op_a(vm), op_const(vm)));
}

bool op_load_method(GenVM *vm) {
    bool in_generator = instr_op(op_instr(vm)) == OP_LDMETHG;
    unsigned link = in_generator ? 1 : FRAME_LINKS;
    Value object = *op_b(vm), name = attribute_name(vm);
    Value *window = op_a(vm);
    AttributeLookup lookup;
    if (site_lookup(vm, object, name, &lookup)) {
        if (lookup.kind == ATTR_METHOD) {
            if (is_object(object))
                cache_attribute(vm, in_generator ? OP_LDMETHG_METHOD : OP_LDMETH_METHOD,
                                as_object(object)->shape, 0, lookup.value);
            window[0] = lookup.value;
            window[link] = object;
            vm->pc += 2;
            return true;
        }
        if (lookup.kind == ATTR_ENTRY && is_kind(object, TYPE_MODULE) &&
            lookup.dict == AS(Module, object)->dict) {
            cache_attribute(vm, in_generator ? OP_LDMETHG_MODULE : OP_LDMETH_MODULE, lookup.slot, 0,
                            0);
            window[0] = lookup.dict->entries[lookup.slot].value;
            window[link] = VALUE_UNSET;
            return true;
        }
        if (lookup.kind == ATTR_ENTRY && is_type(object)) {
            cache_attribute(vm, in_generator ? OP_LDMETHG_CLASS : OP_LDMETH_CLASS,
                            type_from(object)->root_shape, 0, entry_place(&lookup));
            window[0] = lookup.dict->entries[lookup.slot].value;
            window[link] = VALUE_UNSET;
            return true;
        }
    }
    Value v = attribute_get(vm, object, name);
    window[link] = VALUE_UNSET;
    return call_result(vm, v);
}

static bool load_super(GenVM *vm, Value cls, Value obj, Value super) {
    Value name = attribute_name(vm);
    if (unlikely(super != object_value(vm->types[TYPE_SUPER])))
        return call_result(vm, native_twin(vm, TWIN_SUPER_ATTRIBUTE, 4, super, cls, obj, name));
    if (!is_type(cls)) {
        raise_runtime(vm, "super(): __class__ is not a type (%T)", cls);
        return false;
    }
    return call_result(vm, super_get(vm, type_from(cls), obj, name));
}

bool op_load_super(GenVM *vm) {
    const Value *operands = op_b(vm);
    return load_super(vm, operands[0], operands[1], operands[2]);
}

bool op_load_super_method(GenVM *vm) {
    unsigned link = instr_op(op_instr(vm)) == OP_LDSUPERMG ? 1 : FRAME_LINKS;
    Value *window = op_a(vm), *operands = op_b(vm);
    Value cls = operands[0], obj = operands[1], super = operands[2], method = VALUE_UNSET;
    if (likely(super == object_value(vm->types[TYPE_SUPER]) && is_type(cls)))
        method = super_method(vm, type_from(cls), obj, attribute_name(vm));
    if (method == VALUE_ERROR) return false;
    if (unlikely(method == VALUE_UNSET)) {
        window[link] = VALUE_UNSET;
        return load_super(vm, cls, obj, super);
    }
    window[0] = method;
    window[link] = obj;
    return true;
}

static bool has_both(GenVM *vm, Value v, Special enter, Special exit) {
    Type *type = type_of(vm, v);
    return type_find_special(vm, type, enter) != VALUE_UNSET &&
           type_find_special(vm, type, exit) != VALUE_UNSET;
}

static bool raise_no_protocol(GenVM *vm, Special special, Value v) {
    bool asynchronous = special == SP_AENTER || special == SP_AEXIT;
    const char *hint = "";
    if (asynchronous && has_both(vm, v, SP_ENTER, SP_EXIT))
        hint = " but it supports the context manager protocol. Did you mean to use 'with'?";
    else if (!asynchronous && has_both(vm, v, SP_AENTER, SP_AEXIT))
        hint = " but it supports the asynchronous context manager protocol. Did you mean to use "
               "'async with'?";
    raise_type(vm,
               "'%T' object does not support the %scontext manager protocol (missed %S method)%s",
               v, asynchronous ? "asynchronous " : "", vm->special_names[special], hint);
    return false;
}

bool op_load_special(GenVM *vm) {
    Special special = (Special)instr_c(op_instr(vm));
    Value v = *op_b(vm);
    Type *type = type_of(vm, v);
    Value raw = type_find_special(vm, type, special);
    if (raw == VALUE_UNSET) return raise_no_protocol(vm, special, v);
    Value *to = op_a(vm);
    if (is_kind(raw, TYPE_FUNCTION) || is_kind(raw, TYPE_NATIVE_METHOD)) {
        to[0] = raw;
        to[1] = v;
        return true;
    }
    to[1] = VALUE_UNSET;
    return call_result(vm, attribute_bind(vm, raw, v, type));
}

/* ---- items ---- */

bool op_get_item(GenVM *vm) {
    Instr instr = op_instr(vm);
    Value object = *op_b(vm);
    Value key = instr_op(instr) == OP_GETITEMI ? int_value(instr_imm(instr)) : *op_c(vm);
    if (is_exact(object, TYPE_STR) && is_int(key) && AS_STR(object)->header.flags & STR_ASCII) {
        Str *str = AS_STR(object);
        int64_t at = as_int(key);
        if (at < 0) at += str->length;
        if (likely((uint64_t)at < str->length)) {
            *op_a(vm) = vm->characters[(uint8_t)str->data[at]];
            return true;
        }
    }
    if (is_exact(object, TYPE_DICT)) {
        Value v = VALUE_UNSET;
        if (likely(dict_get(vm, AS_DICT(object), key, &v) == LEAF_TRUE)) {
            *op_a(vm) = v;
            return true;
        }
        if (unlikely(vm->exception != VALUE_UNSET)) return false;
    }
    Function *method = plain_method(vm, object, SP_GETITEM, 2);
    if (method) return call_enter(vm, method, object, key);
    return call_result(vm, value_getitem(vm, object, key));
}

bool op_set_item(GenVM *vm) {
    Value object = *op_a(vm), key = *op_b(vm);
    if (is_exact(object, TYPE_DICT)) {
        Leaf done = dict_set(vm, AS_DICT(object), key, *op_c(vm));
        if (likely(done == LEAF_TRUE)) return true;
        if (done == LEAF_ERROR) return false;
    }
    return continue_discard(vm, value_setitem(vm, object, key, *op_c(vm)));
}

bool op_delete_item(GenVM *vm) {
    return continue_discard(vm, value_setitem(vm, *op_a(vm), *op_b(vm), VALUE_UNSET));
}

static inline bool is_plain_bound(Value v) {
    return is_int(v) || v == VALUE_NONE;
}

/* The slice of an instruction as an object. Bounds that need no script code, asked of a builtin
 * sequence, make a slice that nothing can keep: it lies in `room`. */
static Value make_slice(GenVM *vm, Value object, const Value *bounds, Value step, Slice *room) {
    bool known =
        is_exact(object, TYPE_STR) || is_exact(object, TYPE_TUPLE) || is_exact(object, TYPE_BYTES);
    if (unlikely(!known || !is_plain_bound(bounds[0]) || !is_plain_bound(bounds[1]) ||
                 !is_plain_bound(step)))
        return slice_new(vm, bounds[0], bounds[1], step);
    *room = (Slice){{.shape = TYPE_SLICE, .kind = TYPE_SLICE}, bounds[0], bounds[1], step};
    return object_value(room);
}

bool op_get_slice(GenVM *vm) {
    Value object = *op_b(vm), *bounds = op_c(vm);
    Slice room;
    int64_t start, by, count;
    Value step = instr_imm(op_instr(vm)) == 3 ? bounds[2] : VALUE_NONE;
    if (is_exact(object, TYPE_LIST) &&
        slice_plain_indices(bounds[0], bounds[1], step, (int64_t)AS_LIST(object)->count, &start,
                            &by, &count))
        return call_result(vm, list_get_range(vm, AS_LIST(object), start, by, count));
    Value slice = make_slice(vm, object, bounds, step, &room);
    if (slice == VALUE_ERROR) return false;
    return call_result(vm, value_getitem(vm, object, slice));
}

bool op_set_slice(GenVM *vm) {
    Value object = *op_a(vm), value = *op_c(vm), *bounds = op_b(vm);
    int64_t start, step, count;
    uint64_t new_count;
    const Value *items = object != value ? leaf_items(value, &new_count) : NULL;
    if (items && is_exact(object, TYPE_LIST) &&
        slice_plain_indices(bounds[0], bounds[1], bounds[2], (int64_t)AS_LIST(object)->count,
                            &start, &step, &count))
        return list_set_range(vm, AS_LIST(object), start, step, count, items, new_count) !=
               VALUE_ERROR;
    Value slice = slice_new(vm, bounds[0], bounds[1], bounds[2]);
    if (slice == VALUE_ERROR) return false;
    return continue_discard(vm, value_setitem(vm, object, slice, value));
}

bool op_get_len(GenVM *vm) {
    return call_result(vm, value_len(vm, *op_b(vm)));
}
