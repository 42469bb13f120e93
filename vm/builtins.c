/* builtins.c - the builtin functions and the types map and filter.
 *
 * Each does in C what needs no script code (ints, floats, strings, lists, ...) and leaves the rest
 * to its twin in stdlib/prelude/builtins.gen. map and filter objects are prelude generators in
 * another coat: the loop over one is the same switch of frames as over any generator.
 */
#include "vm/bind.h"
#include "vm/call.h"
#include "vm/continue.h"
#include "vm/frame_object.h"
#include "vm/identity.h"
#include "vm/file.h"
#include "vm/objects.h"
#include "vm/objects/containers.h"
#include "vm/runtime.h"
#include "vm/shared.h"
#include "vm/warn.h"

#include <stdarg.h>

/* ---- prelude generators ---- */

Value runtime_generator(GenVM *vm, Twin twin, Type *cls, int count, ...) {
    Value function = twin_load(vm, twin);
    if (function == VALUE_ERROR) return VALUE_ERROR;
    Generator *generator = generator_new(vm, AS(Function, function));
    if (!generator) return VALUE_ERROR;
    va_list list;
    va_start(list, count);
    for (int i = 0; i < count; i++)
        generator->regs[i] = va_arg(list, Value);
    va_end(list);
    generator_note_call(vm, generator);
    generator = generator_wear(vm, generator, cls);
    return generator ? object_value(generator) : VALUE_ERROR;
}

Value builtins_map(GenVM *vm, Type *cls, Value function, const Value *iterators, uint64_t count,
                   bool strict) {
    if (count == 1) return runtime_generator(vm, TWIN_MAP, cls, 2, function, iterators[0]);
    Value tuple = tuple_from_array(vm, iterators, count);
    if (tuple == VALUE_ERROR) return VALUE_ERROR;
    return runtime_generator(vm, TWIN_MAP_MANY, cls, 3, function, tuple, bool_value(strict));
}

Value builtins_filter(GenVM *vm, Type *cls, Value function, Value iterator) {
    if (function == VALUE_NONE || function == object_value(vm->types[TYPE_BOOL]))
        return runtime_generator(vm, TWIN_FILTER_NONE, cls, 1, iterator);
    return runtime_generator(vm, TWIN_FILTER, cls, 2, function, iterator);
}

static Value map_new(GenVM *vm, Value *args) {
    Type *cls = type_from(args[0]);
    Tuple *iterables = AS_TUPLE(args[2]);
    if (!iterables->count) return raise_type(vm, "map() must have at least two arguments.");
    Value iterators = tuple_new(vm, iterables->count);
    if (iterators == VALUE_ERROR) return VALUE_ERROR;
    for (uint64_t i = 0; i < iterables->count; i++) {
        Value iterator = value_iter(vm, iterables->items[i]);
        if (iterator == VALUE_ERROR) return VALUE_ERROR;
        if (iterator == VALUE_TAIL)
            return native_twin(vm, TWIN_MAP_NEW, 4, args[0], args[1], args[2], args[3]);
        AS_TUPLE(iterators)->items[i] = iterator;
    }
    return builtins_map(vm, cls, args[1], AS_TUPLE(iterators)->items, iterables->count,
                        args[3] == VALUE_TRUE);
}

static Value filter_new(GenVM *vm, Value *args) {
    Value iterator = value_iter(vm, args[2]);
    if (iterator == VALUE_TAIL)
        return native_twin(vm, TWIN_FILTER_NEW, 3, args[0], args[1], args[2]);
    if (iterator == VALUE_ERROR) return VALUE_ERROR;
    return builtins_filter(vm, type_from(args[0]), args[1], iterator);
}

static Value same_iterator(GenVM *vm, Value self) {
    return (void)vm, self;
}
static Value next_of_generator(GenVM *vm, Value self) {
    return native_resume(vm, self, VALUE_NONE);
}

static const NativeDef map_construct = {
    "map(cls, function = ?, /, *iterables, strict: bool = False)", map_new, NULL};
static const NativeDef filter_construct = {"filter(cls, function, iterable, /)", filter_new, NULL};

const BuiltinType map_type = {
    .name = "map",
    .base = TYPE_OBJECT,
    .size = sizeof(Generator),
    .construct = &map_construct,
    .doc =
        "Make an iterator that computes the function using arguments from each of the iterables.",
    .slots = {.iter = same_iterator, .next = next_of_generator, .trace = generator_trace},
};
const BuiltinType filter_type = {
    .name = "filter",
    .base = TYPE_OBJECT,
    .size = sizeof(Generator),
    .construct = &filter_construct,
    .doc = "Return an iterator yielding those items of iterable for which function(item) is true.",
    .slots = {.iter = same_iterator, .next = next_of_generator, .trace = generator_trace},
};
const BuiltinType callable_iterator_type = {
    .name = "callable_iterator",
    .base = TYPE_OBJECT,
    .size = sizeof(Generator),
    .flags = TYPE_NO_NEW | TYPE_FINAL,
    .doc = "What iter(callable, sentinel) returns.",
    .slots = {.iter = same_iterator, .next = next_of_generator, .trace = generator_trace},
};

/* Library classes derive from it: `def __new__(cls, ...): return _engine.wear(generator(...),
 * cls)`. */
const BuiltinType coat_type = {
    .name = "iterator",
    .base = TYPE_OBJECT,
    .size = sizeof(Generator),
    .flags = TYPE_NO_NEW,
    .doc = "An iterator of the library.",
    .slots = {.iter = same_iterator, .next = next_of_generator, .trace = generator_trace},
};

/* ---- one call of a special method or slot ---- */

static Value builtin_abs(GenVM *vm, Value *args) {
    return value_unary(vm, SP_ABS, args[0]);
}
static Value builtin_ascii(GenVM *vm, Value *args) {
    return value_ascii(vm, args[0]);
}
static Value builtin_hash(GenVM *vm, Value *args) {
    return value_hash(vm, args[0]);
}
static Value builtin_len(GenVM *vm, Value *args) {
    return value_len(vm, args[0]);
}
static Value builtin_repr(GenVM *vm, Value *args) {
    return value_repr(vm, args[0]);
}
static Value builtin_id(GenVM *vm, Value *args) {
    return int_from_u64(vm, identity_of_value(vm, args[0]));
}
static Value builtin_divmod(GenVM *vm, Value *args) {
    return value_binary(vm, BINARY_DIVMOD, args[0], args[1], false);
}

static Value builtin_callable(GenVM *vm, Value *args) {
    if (!is_object(args[0])) return VALUE_FALSE;
    switch (as_object(args[0])->kind) {
    case TYPE_FUNCTION:
    case TYPE_NATIVE:
    case TYPE_NATIVE_METHOD:
    case TYPE_METHOD:
    case TYPE_TYPE: return VALUE_TRUE;
    default: break;
    }
    Type *type = type_of(vm, args[0]);
    return bool_value(type->slots.call || type_find_special(vm, type, SP_CALL) != VALUE_UNSET);
}

static Value builtin_format(GenVM *vm, Value *args) {
    if (args[1] == VALUE_UNSET) args[1] = vm->empty_str;
    if (!value_is_str(args[1]))
        return raise_type(vm, "format() argument 2 must be str, not %T", args[1]);
    return value_format(vm, args[0], args[1]);
}

static Value in_base(GenVM *vm, Value v, const char *spec) {
    if (value_is_intlike(v)) {
        Value text = str_from(vm, spec);
        if (text == VALUE_ERROR) return VALUE_ERROR;
        return format_int_spec(vm, is_bool(v) ? int_value(v == VALUE_TRUE) : v, text);
    }
    return raise_type(vm, "'%T' object cannot be interpreted as an integer", v);
}

static Value builtin_bin(GenVM *vm, Value *args) {
    return in_base(vm, args[0], "#b");
}
static Value builtin_oct(GenVM *vm, Value *args) {
    return in_base(vm, args[0], "#o");
}
static Value builtin_hex(GenVM *vm, Value *args) {
    return in_base(vm, args[0], "#x");
}

static Value builtin_chr(GenVM *vm, Value *args) {
    int64_t code = as_int(args[0]);
    if (code < 0 || code > 0x10FFFF) return raise_value(vm, "chr() arg not in range(0x110000)");
    return str_from_char(vm, (uint32_t)code);
}

/* The code point of UTF-8 text that is one character. */
static uint32_t decode_one(const uint8_t *text) {
    if (text[0] < 0x80) return text[0];
    if (text[0] < 0xE0) return (text[0] & 0x1Fu) << 6 | (text[1] & 0x3Fu);
    if (text[0] < 0xF0) return (text[0] & 0x0Fu) << 12 | (text[1] & 0x3Fu) << 6 | (text[2] & 0x3Fu);
    return (text[0] & 7u) << 18 | (text[1] & 0x3Fu) << 12 | (text[2] & 0x3Fu) << 6 |
           (text[3] & 0x3Fu);
}

static Value builtin_ord(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    if (value_is_str(args[0])) {
        Str *str = AS_STR(args[0]);
        if (str->length == 1) return int_value(decode_one((const uint8_t *)str->data));
        return raise_type(vm, "ord() expected a character, but string of length %d found",
                          (int)str->length);
    }
    if (!bytes_view(vm, args[0], &data, &size))
        return raise_type(vm, "ord() expected string of length 1, but %T found", args[0]);
    if (size == 1) return int_value(data[0]);
    return raise_type(vm, "ord() expected a character, but string of length %d found", (int)size);
}

/* ---- iteration ---- */

/* The call in vm->tail, then continuation `kind`. */
static Value then(GenVM *vm, Return kind, Value value) {
    vm->tail.then = kind;
    vm->tail.then_values[0] = value;
    vm->tail.then_values[1] = vm->tail.then_values[2] = vm->tail.then_values[3] = VALUE_UNSET;
    return VALUE_TAIL;
}

static Value builtin_iter(GenVM *vm, Value *args) {
    if (args[1] == VALUE_UNSET) {
        if (is_kind(args[0], TYPE_GENERATOR)) return args[0];
        Value iterator = value_iter(vm, args[0]);
        return iterator == VALUE_TAIL ? then(vm, RETURN_ITER, VALUE_UNSET) : iterator;
    }
    Value callable[] = {args[0]};
    if (builtin_callable(vm, callable) == VALUE_FALSE)
        return raise_type(vm, "iter(v, w): v must be callable");
    return runtime_generator(vm, TWIN_ITER_CALLABLE, vm->types[TYPE_CALLABLE_ITERATOR], 2, args[0],
                             args[1]);
}

static Value builtin_next(GenVM *vm, Value *args) {
    if (is_kind(args[0], TYPE_GENERATOR) && args[1] == VALUE_UNSET)
        return native_resume(vm, args[0], VALUE_NONE);
    Type *type = type_of(vm, args[0]);
    if (!type->slots.next && type_find_special(vm, type, SP_NEXT) == VALUE_UNSET)
        return raise_type(vm, "'%T' object is not an iterator", args[0]);
    if (args[1] != VALUE_UNSET &&
        (type->special[SP_NEXT] != VALUE_UNSET || is_kind(args[0], TYPE_GENERATOR)))
        return native_twin(vm, TWIN_NEXT_DEFAULT, 2, args[0], args[1]);
    Value item = value_next(vm, args[0]);
    if (item == VALUE_TAIL && args[1] != VALUE_UNSET)
        return native_twin(vm, TWIN_NEXT_DEFAULT, 2, args[0], args[1]);
    if (item != VALUE_END) return item;
    return args[1] != VALUE_UNSET ? args[1] : raise_stop_iteration(vm, VALUE_NONE);
}

static Value truth_of_all(GenVM *vm, Value iterable, bool stop_at, Twin twin) {
    uint64_t count;
    const Value *items = leaf_items(iterable, &count);
    if (!items && !is_exact(iterable, TYPE_LIST) && !is_exact(iterable, TYPE_TUPLE))
        return native_twin(vm, twin, 1, iterable);
    for (uint64_t i = 0; i < count; i++) {
        if (i % 1024 == 1023 && !native_work(vm, 64)) return VALUE_ERROR;
        Leaf truth = leaf_truth(vm, items[i]);
        if (truth == LEAF_ERROR) return VALUE_ERROR;
        if (truth == LEAF_SCRIPT) return native_twin(vm, twin, 1, iterable);
        if ((truth == LEAF_TRUE) == stop_at) return bool_value(stop_at);
    }
    return bool_value(!stop_at);
}

static Value builtin_all(GenVM *vm, Value *args) {
    return truth_of_all(vm, args[0], false, TWIN_ALL);
}
static Value builtin_any(GenVM *vm, Value *args) {
    return truth_of_all(vm, args[0], true, TWIN_ANY);
}

/* start + the items of a range, in closed form: n * first + step * n * (n - 1) / 2. */
static Value sum_of_range(GenVM *vm, Range *range, Value start) {
    Value n = range->length;
    Value first = int_binary(vm, BINARY_MUL, n, range->start);
    Value less = int_binary(vm, BINARY_SUB, n, int_value(1));
    if (first == VALUE_ERROR || less == VALUE_ERROR) return VALUE_ERROR;
    Value pairs = int_binary(vm, BINARY_MUL, n, less);
    Value half =
        pairs == VALUE_ERROR ? VALUE_ERROR : int_binary(vm, BINARY_RSHIFT, pairs, int_value(1));
    Value rest = half == VALUE_ERROR ? VALUE_ERROR : int_binary(vm, BINARY_MUL, half, range->step);
    Value sum = rest == VALUE_ERROR ? VALUE_ERROR : int_binary(vm, BINARY_ADD, first, rest);
    return sum == VALUE_ERROR ? VALUE_ERROR : int_binary(vm, BINARY_ADD, sum, start);
}

/* The sum of a list or tuple of small ints; anything else (floats are summed with compensation) is
 * the twin's. */
static Value builtin_sum(GenVM *vm, Value *args) {
    uint64_t count;
    const Value *items = leaf_items(args[0], &count);
    if (is_exact(args[0], TYPE_RANGE) && is_int(args[1]))
        return sum_of_range(vm, AS(Range, args[0]), args[1]);
    if (!items || !is_int(args[1])) return native_twin(vm, TWIN_SUM, 2, args[0], args[1]);
    if (!native_work(vm, count / 16)) return VALUE_ERROR;
    int64_t total = (int64_t)args[1];
    for (uint64_t i = 0; i < count; i++)
        if (!is_int(items[i]) || __builtin_add_overflow(total, (int64_t)items[i], &total))
            return native_twin(vm, TWIN_SUM, 2, args[0], args[1]);
    return (Value)total;
}

static Value min_max(GenVM *vm, Value *args, CompareOp op, const char *name) {
    Tuple *given = AS_TUPLE(args[0]);
    if (!given->count) return raise_type(vm, "%s expected at least 1 argument, got 0", name);
    uint64_t count = given->count;
    const Value *items = given->items;
    if (count == 1) items = leaf_items(given->items[0], &count);
    if (items && !native_work(vm, count / 16)) return VALUE_ERROR;
    bool plain =
        args[1] == VALUE_NONE && items && count && (given->count == 1 || args[2] == VALUE_UNSET);
    for (uint64_t best = 0, i = 1; plain; i++) {
        if (i >= count) return items[best];
        if (are_ints(items[i], items[best])) {
            bool better = op == COMPARE_LT ? (int64_t)items[i] < (int64_t)items[best]
                                           : (int64_t)items[i] > (int64_t)items[best];
            if (better) best = i;
            continue;
        }
        Leaf better = leaf_compare(vm, op, items[i], items[best]);
        if (better == LEAF_ERROR) return VALUE_ERROR;
        if (better == LEAF_SCRIPT) break;
        if (better == LEAF_TRUE) best = i;
    }
    return native_twin(vm, TWIN_MIN_MAX, 4, str_from(vm, name), args[0], args[1],
                       args[2] == VALUE_UNSET ? VALUE_NOT_IMPLEMENTED : args[2]);
}

static Value builtin_min(GenVM *vm, Value *args) {
    return min_max(vm, args, COMPARE_LT, "min");
}
static Value builtin_max(GenVM *vm, Value *args) {
    return min_max(vm, args, COMPARE_GT, "max");
}
static Value builtin_sorted(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_SORTED, 3, args[0], args[1], args[2]);
}

static Value builtin_aiter(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_AITER, 1, args[0]);
}

static Value builtin_anext(GenVM *vm, Value *args) {
    if (args[1] == VALUE_UNSET) return native_twin(vm, TWIN_ANEXT, 1, args[0]);
    return native_twin(vm, TWIN_ANEXT_WITH, 2, args[0], args[1]);
}

/* ---- attributes ---- */

static Value check_name(GenVM *vm, Value name) {
    if (likely(value_is_str(name))) return str_intern(vm, name);
    return raise_type(vm, "attribute name must be string, not '%T'", name);
}

static Value builtin_getattr(GenVM *vm, Value *args) {
    Value name = check_name(vm, args[1]);
    if (name == VALUE_ERROR) return VALUE_ERROR;
    if (args[2] == VALUE_UNSET) return attribute_get(vm, args[0], name);
    Value found = attribute_get_or_unset(vm, args[0], name);
    if (found == VALUE_UNSET) return args[2];
    return found == VALUE_TAIL ? then(vm, RETURN_ATTRIBUTE_DEFAULT, args[2]) : found;
}

static Value builtin_hasattr(GenVM *vm, Value *args) {
    Value name = check_name(vm, args[1]);
    if (name == VALUE_ERROR) return VALUE_ERROR;
    Value found = attribute_get_or_unset(vm, args[0], name);
    if (found == VALUE_TAIL) return then(vm, RETURN_HAS_ATTRIBUTE, VALUE_UNSET);
    return found == VALUE_ERROR ? VALUE_ERROR : bool_value(found != VALUE_UNSET);
}

static Value builtin_setattr(GenVM *vm, Value *args) {
    Value name = check_name(vm, args[1]);
    return name == VALUE_ERROR ? VALUE_ERROR : attribute_set(vm, args[0], name, args[2]);
}

static Value builtin_delattr(GenVM *vm, Value *args) {
    Value name = check_name(vm, args[1]);
    return name == VALUE_ERROR ? VALUE_ERROR : attribute_delete(vm, args[0], name);
}

static Value builtin_vars(GenVM *vm, Value *args) {
    if (args[0] != VALUE_UNSET) return native_twin(vm, TWIN_VARS, 1, args[0]);
    Value *base = frame_script_base(vm, 0);
    return base ? frame_locals(vm, base) : dict_new(vm);
}

static Value builtin_locals(GenVM *vm, Value *args) {
    (void)args;
    Value *base = frame_script_base(vm, 0);
    return base ? frame_locals(vm, base)
                : raise_error(vm, EXC_SYSTEM_ERROR, "frame does not exist");
}

static Value builtin_globals(GenVM *vm, Value *args) {
    (void)args;
    Value *base = frame_script_base(vm, 0);
    return base ? object_value(frame_function(base)->globals)
                : raise_error(vm, EXC_SYSTEM_ERROR, "globals do not exist");
}

static Value builtin_dir(GenVM *vm, Value *args) {
    if (args[0] != VALUE_UNSET) return native_twin(vm, TWIN_DIR, 1, args[0]);
    Value *base = frame_script_base(vm, 0);
    Value locals = base ? frame_locals(vm, base) : dict_new(vm);
    return locals == VALUE_ERROR ? VALUE_ERROR
                                 : native_twin(vm, TWIN_SORTED, 3, locals, VALUE_NONE, VALUE_FALSE);
}

/* ---- classes ---- */

/* Does the object's class say what __class__ is, in another way than all do? */
static bool pretends(GenVM *vm, Value object) {
    Type *type = type_of(vm, object);
    Value name = name_value(vm, NAME___class__);
    if (type->is_builtin) return false;
    return type->special[SP_GETATTRIBUTE] != VALUE_UNSET ||
           type_lookup(vm, type, name) != type_lookup(vm, vm->types[TYPE_OBJECT], name);
}

/* Decides by MRO what needs no more; LEAF_SCRIPT: metaclasses, objects that pretend, wrong
 * arguments. */
static Leaf instance_check_quickly(GenVM *vm, Value object, Value cls) {
    if (is_type(cls)) {
        if (as_object(cls)->shape != TYPE_TYPE) return LEAF_SCRIPT;
        if (type_is_subclass(type_of(vm, object), type_from(cls))) return LEAF_TRUE;
        return pretends(vm, object) ? LEAF_SCRIPT : LEAF_FALSE;
    }
    if (is_kind(cls, TYPE_UNION)) cls = union_members(vm, cls);
    if (!is_kind(cls, TYPE_TUPLE) || !native_enter(vm)) return LEAF_SCRIPT;
    Leaf found = LEAF_FALSE;
    if (!native_work(vm, AS_TUPLE(cls)->count / 4)) return native_leave(vm), LEAF_SCRIPT;
    for (uint64_t i = 0; i < AS_TUPLE(cls)->count && found == LEAF_FALSE; i++)
        found = instance_check_quickly(vm, object, AS_TUPLE(cls)->items[i]);
    native_leave(vm);
    return found;
}

Value instance_check_plainly(GenVM *vm, Value object, Value cls) {
    if (is_type(cls)) {
        if (type_is_subclass(type_of(vm, object), type_from(cls))) return VALUE_TRUE;
        return pretends(vm, object) ? native_twin(vm, TWIN_INSTANCE_PRETENDS, 2, object, cls)
                                    : VALUE_FALSE;
    }
    if (is_kind(cls, TYPE_UNION))
        return native_twin(vm, TWIN_INSTANCE_CHECK, 2, object, union_members(vm, cls));
    if (is_kind(cls, TYPE_GENERIC_ALIAS))
        return raise_type(vm, "isinstance() argument 2 cannot be a parameterized generic");
    return native_twin(vm, TWIN_INSTANCE_ABSTRACT, 2, object, cls);
}

Value subclass_check_plainly(GenVM *vm, Value cls, Value base) {
    if (is_type(cls) && is_type(base))
        return bool_value(type_is_subclass(type_from(cls), type_from(base)));
    if (is_kind(base, TYPE_UNION))
        return native_twin(vm, TWIN_SUBCLASS_CHECK, 2, cls, union_members(vm, base));
    if (is_kind(base, TYPE_GENERIC_ALIAS))
        return raise_type(vm, "issubclass() argument 2 cannot be a parameterized generic");
    return native_twin(vm, TWIN_SUBCLASS_ABSTRACT, 2, cls, base);
}

static Value builtin_isinstance(GenVM *vm, Value *args) {
    Value object = args[0], cls = args[1];
    if (cls == object_value(type_of(vm, object))) return VALUE_TRUE;
    Leaf quick = instance_check_quickly(vm, object, cls);
    if (quick == LEAF_TRUE || quick == LEAF_FALSE) return bool_value(quick == LEAF_TRUE);
    if (vm->exception != VALUE_UNSET) return VALUE_ERROR;
    if (is_kind(cls, TYPE_TUPLE) || is_kind(cls, TYPE_UNION) ||
        type_of(vm, cls)->special[SP_INSTANCECHECK] != VALUE_UNSET)
        return native_twin(vm, TWIN_INSTANCE_CHECK, 2, object,
                           is_kind(cls, TYPE_UNION) ? union_members(vm, cls) : cls);
    return instance_check_plainly(vm, object, cls);
}

static Value builtin_issubclass(GenVM *vm, Value *args) {
    if (is_kind(args[1], TYPE_TUPLE) ||
        type_of(vm, args[1])->special[SP_SUBCLASSCHECK] != VALUE_UNSET)
        return native_twin(vm, TWIN_SUBCLASS_CHECK, 2, args[0], args[1]);
    return subclass_check_plainly(vm, args[0], args[1]);
}

/* ---- numbers ---- */

static Value builtin_pow(GenVM *vm, Value *args) {
    if (args[2] == VALUE_NONE) return value_binary(vm, BINARY_POW, args[0], args[1], false);
    bool plain = true, ints = true;
    for (int i = 0; i < 3; i++) {
        plain &= value_is_plain_number(args[i]) || is_bool(args[i]);
        ints &= value_is_intlike(args[i]);
    }
    if (plain && ints) return int_power_mod(vm, args[0], args[1], args[2]);
    if (plain)
        return raise_type(vm, "pow() 3rd argument not allowed unless all arguments are integers");
    return native_twin(vm, TWIN_POW, 3, args[0], args[1], args[2]);
}

static Value builtin_round(GenVM *vm, Value *args) {
    Value ndigits = args[1];
    if (ndigits == VALUE_NONE || value_is_intlike(ndigits)) {
        if (is_float(args[0])) return float_round(vm, as_float(args[0]), ndigits);
        if (is_int(args[0]) || is_exact(args[0], TYPE_INT)) return int_round(vm, args[0], ndigits);
    }
    return native_twin(vm, TWIN_ROUND, 2, args[0],
                       ndigits == VALUE_NONE ? VALUE_NOT_IMPLEMENTED : ndigits);
}

/* ---- input and output ---- */

/* VALUE_UNSET: one of the values has a __str__ in Gen. */
static Value write_all(GenVM *vm, Value file, Tuple *values, Value sep, Value end) {
    StrBuilder builder;
    builder_init(&builder, vm);
    for (uint64_t i = 0; i < values->count; i++) {
        if (i) builder_put_str(&builder, sep);
        Value text = leaf_str(vm, values->items[i]);
        if (text == VALUE_ERROR || text == VALUE_TAIL) {
            builder_drop(&builder);
            return text == VALUE_TAIL ? VALUE_UNSET : text;
        }
        builder_put_str(&builder, text);
    }
    builder_put_str(&builder, end);
    if (builder.failed) {
        builder_drop(&builder);
        return VALUE_ERROR;
    }
    if (unlikely(file_write_waits(vm, file, builder.size))) {
        Value text = builder_finish(&builder);
        return text == VALUE_ERROR ? text : native_twin(vm, TWIN_PRINT_TEXT, 2, file, text);
    }
    bool ok = file_write_text(vm, file, builder.data, builder.size);
    builder_drop(&builder);
    return ok ? VALUE_NONE : VALUE_ERROR;
}

static Value builtin_print(GenVM *vm, Value *args) {
    Value file = args[3], sep = args[1], end = args[2];
    if (file == VALUE_NONE && vm->sys_module != VALUE_UNSET)
        file = dict_get_str(vm, AS(Module, vm->sys_module)->dict, name_value(vm, NAME_stdout));
    if (sep == VALUE_NONE) sep = vm->characters[' '];
    if (end == VALUE_NONE) end = vm->characters['\n'];
    if (is_exact(file, TYPE_FILE) && file_is_text(file) && value_is_str(sep) && value_is_str(end) &&
        args[4] == VALUE_FALSE) {
        Value done = write_all(vm, file, AS_TUPLE(args[0]), sep, end);
        if (done != VALUE_UNSET) return done;
    }
    return native_twin(vm, TWIN_PRINT, 5, args[0], args[1], args[2], args[3], args[4]);
}

static Value builtin_input(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_INPUT, 1, args[0] == VALUE_UNSET ? VALUE_NOT_IMPLEMENTED : args[0]);
}

/* ---- code ---- */

enum { COMPILE_STEPS = 32 }; /* that a byte of source costs */

static Value compile_text(GenVM *vm, Value source, Value filename, const char *mode, int flags) {
    const uint8_t *data;
    size_t size;
    if (!vm->compile) return raise_runtime(vm, "this virtual machine has no compiler");
    if (value_is_str(source)) {
        data = (const uint8_t *)AS_STR(source)->data;
        size = AS_STR(source)->size;
        flags |= COMPILE_TEXT;
    } else if (!bytes_view(vm, source, &data, &size)) {
        return VALUE_UNSET;
    }
    const char *name = filename == VALUE_ERROR ? NULL : str_c_whole(vm, filename);
    if (!name || !native_begin(vm, size * COMPILE_STEPS)) return VALUE_ERROR;
    Value code = vm->compile(vm, (const char *)data, size, name, mode, flags);
    native_end(vm);
    return code;
}

/* The code may be run with separate globals and locals, so that its names live in a namespace. */
static Value builtin_compile(GenVM *vm, Value *args) {
    if (is_kind(args[0], TYPE_CODE)) return args[0];
    const char *mode = str_c_whole(vm, args[2]);
    if (!mode) return VALUE_ERROR;
    if (strcmp(mode, "exec") && strcmp(mode, "eval") && strcmp(mode, "single"))
        return raise_value(vm, "compile() mode must be 'exec', 'eval' or 'single'");
    Value filename = args[1];
    if (is_kind(filename, TYPE_BYTES))
        filename = str_decode_utf8(vm, (const char *)AS(Bytes, filename)->data,
                                   AS(Bytes, filename)->size, "surrogateescape");
    if (!value_is_str(filename))
        return raise_type(vm, "compile() arg 2 must be a path, not %T", filename);
    Value code = compile_text(vm, args[0], filename, mode, COMPILE_NAMESPACE);
    if (code == VALUE_UNSET)
        return raise_type(vm, "compile() arg 1 must be a string, bytes or AST object");
    return warn_compiled(vm, code);
}

/* eval and exec: the namespaces, the code, and the call. */
static Value run(GenVM *vm, Value *args, const char *mode) {
    Value source = args[0], globals = args[1], locals = args[2];
    Value *base = frame_script_base(vm, 0);
    if (globals == VALUE_NONE) {
        globals = base ? object_value(frame_function(base)->globals) : dict_new(vm);
        if (locals == VALUE_NONE && base) locals = frame_locals(vm, base);
        if (locals == VALUE_ERROR) return VALUE_ERROR;
    }
    if (!is_kind(globals, TYPE_DICT))
        return raise_type(vm,
                          !strcmp(mode, "eval") ? "globals must be a dict"
                                                : "exec() globals must be a dict, not %T",
                          globals);
    if (locals == VALUE_NONE) locals = globals;
    bool separate = locals != globals;
    Value code = source;
    if (!is_kind(source, TYPE_CODE)) {
        if (value_is_str(source) && !strcmp(mode, "eval")) { /* leading blanks are allowed here */
            Str *str = AS_STR(source);
            uint32_t skip = 0;
            while (skip < str->size && (str->data[skip] == ' ' || str->data[skip] == '\t'))
                skip++;
            source = str_slice(vm, source, skip, str->length);
            if (source == VALUE_ERROR) return VALUE_ERROR;
        }
        code = compile_text(vm, source, str_from(vm, "<string>"), mode,
                            separate ? COMPILE_NAMESPACE : 0);
        if (code == VALUE_UNSET)
            return raise_type(vm, "%s() arg 1 must be a string, bytes or code object", mode);
        if (code == VALUE_ERROR) return VALUE_ERROR;
    } else if (AS(Code, code)->freevars && AS(Code, code)->freevars->count) {
        return raise_type(vm, "code object passed to %s() may not contain free variables", mode);
    }
    if (dict_get_str(vm, AS_DICT(globals), name_value(vm, NAME___builtins__)) == VALUE_UNSET &&
        !dict_set_str(vm, AS_DICT(globals), name_value(vm, NAME___builtins__),
                      object_value(vm->builtins)))
        return VALUE_ERROR;
    Function *function = function_new(vm, AS(Code, code), AS_DICT(globals));
    if (!function) return VALUE_ERROR;
    int count = AS(Code, code)->flags & CODE_CLASS ? 1 : 0;
    if (warn_is_pending(vm))
        return native_twin(vm, TWIN_WARN_AND_RUN, count + 1, object_value(function), locals);
    return native_call(vm, object_value(function), count, locals);
}

static Value builtin_eval(GenVM *vm, Value *args) {
    return run(vm, args, "eval");
}
static Value builtin_exec(GenVM *vm, Value *args) {
    return run(vm, args, "exec");
}

static Value builtin_import(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_IMPORT, 5, args[0], args[1], args[2], args[3], args[4]);
}

bool import_is_initializing(GenVM *vm, Value module) {
    Value spec = dict_get_str(vm, AS(Module, module)->dict, name_value(vm, NAME___spec__));
    if (spec == VALUE_UNSET || spec == VALUE_NONE) return false;
    Value mark = attribute_find(vm, spec, str_intern_from(vm, "_initializing", 13));
    if (mark == VALUE_ERROR) error_clear(vm); /* who is told so looks once more */
    return mark == VALUE_TRUE || mark == VALUE_ERROR;
}

/* ---- the commonest calls, without binding ---- */

static Value fast_min_max(const Value *args, uint32_t count, bool least) {
    if (count < 2) return VALUE_UNSET;
    Value best = args[0];
    if (is_int(best)) {
        for (uint32_t i = 1; i < count; i++) {
            if (!is_int(args[i])) return VALUE_UNSET;
            if (((int64_t)args[i] < (int64_t)best) == least && args[i] != best) best = args[i];
        }
        return best;
    }
    if (!is_float(best)) return VALUE_UNSET;
    for (uint32_t i = 1; i < count; i++) {
        if (!is_float(args[i])) return VALUE_UNSET;
        if (least ? as_float(args[i]) < as_float(best) : as_float(args[i]) > as_float(best))
            best = args[i];
    }
    return best;
}

static Value fast_min(GenVM *vm, const Value *args, uint32_t count) {
    return (void)vm, fast_min_max(args, count, true);
}
static Value fast_max(GenVM *vm, const Value *args, uint32_t count) {
    return (void)vm, fast_min_max(args, count, false);
}

/* next() of a builtin iterator; of generators too where the interpreter has not resumed it by
 * itself. */
static Value fast_next(GenVM *vm, const Value *args, uint32_t count) {
    if (count - 1 > 1 || !is_object(args[0])) return VALUE_UNSET;
    const Object *iterator = as_object(args[0]);
    if (iterator->kind == TYPE_GENERATOR)
        return count == 1 ? native_resume(vm, args[0], VALUE_NONE) : VALUE_UNSET;
    const Type *type = vm->types[iterator->kind];
    if (iterator->shape != iterator->kind || !type->slots.next) return VALUE_UNSET;
    Value item = type->slots.next(vm, args[0]);
    if (unlikely(item == VALUE_TAIL && count == 2)) return native_drop_tail(vm), VALUE_UNSET;
    if (item != VALUE_END) return item;
    return count == 2 ? args[1] : raise_stop_iteration(vm, VALUE_NONE);
}

static Value fast_ord(GenVM *vm, const Value *args, uint32_t count) {
    (void)vm;
    if (count != 1 || !is_exact(args[0], TYPE_STR) || AS_STR(args[0])->length != 1)
        return VALUE_UNSET;
    return int_value(decode_one((const uint8_t *)AS_STR(args[0])->data));
}

static Value fast_chr(GenVM *vm, const Value *args, uint32_t count) {
    if (count != 1 || !is_int(args[0]) || args[0] >= int_value(256)) return VALUE_UNSET;
    return vm->characters[as_int(args[0])];
}

static Value fast_abs(GenVM *vm, const Value *args, uint32_t count) {
    (void)vm;
    if (count != 1 || !is_int(args[0]) || as_int(args[0]) == SMALL_INT_MIN) return VALUE_UNSET;
    return (int64_t)args[0] < 0 ? (Value) - (int64_t)args[0] : args[0];
}

const NativeFast builtins_fast[] = {
    {"min", fast_min}, {"max", fast_max}, {"next", fast_next}, {"ord", fast_ord},
    {"chr", fast_chr}, {"abs", fast_abs}, {NULL, NULL},
};

/* ---- the module ---- */

const NativeDef builtins_functions[] = {
    {"abs(x, /)", builtin_abs, "Return the absolute value of the argument."},
    {"aiter(async_iterable, /)", builtin_aiter,
     "Return an asynchronous iterator for an asynchronous iterable."},
    {"anext(async_iterator, default=?, /)", builtin_anext,
     "Return the next item from the asynchronous iterator."},
    {"all(iterable, /)", builtin_all,
     "Return True if bool(x) is True for all values x in the iterable."},
    {"any(iterable, /)", builtin_any, "Return True if bool(x) is True for any x in the iterable."},
    {"ascii(obj, /)", builtin_ascii, "Return an ASCII-only representation of an object."},
    {"bin(number: int, /)", builtin_bin, "Return the binary representation of an integer."},
    {"callable(obj, /)", builtin_callable, "Return whether the object is callable."},
    {"chr(i: index, /)", builtin_chr, "Return a Unicode string of one character with ordinal i."},
    {"compile(source, filename, mode: str, flags: int = 0, dont_inherit: bool = False, optimize: "
     "int = -1, *, _feature_version: int = -1)",
     builtin_compile,
     "Compile source into a code object that can be executed by exec() or eval()."},
    {"delattr(obj, name, /)", builtin_delattr, "Delete the named attribute from the object."},
    {"dir(object=?, /)", builtin_dir,
     "Names in the current scope, or attributes of the object, sorted."},
    {"divmod(x, y, /)", builtin_divmod, "Return the tuple (x//y, x%y)."},
    {"eval(source, /, globals=None, locals=None)", builtin_eval,
     "Evaluate the source in the context of globals and locals."},
    {"exec(source, /, globals=None, locals=None, *, closure=None)", builtin_exec,
     "Execute the source in the context of globals and locals."},
    {"format(value, format_spec=?, /)", builtin_format,
     "Return type(value).__format__(value, format_spec)."},
    {"getattr(object, name, default=?, /)", builtin_getattr,
     "Get a named attribute from an object."},
    {"globals()", builtin_globals,
     "Return the dictionary of the current scope's global variables."},
    {"hasattr(obj, name, /)", builtin_hasattr,
     "Return whether the object has an attribute with the given name."},
    {"hash(obj, /)", builtin_hash, "Return the hash value for the given object."},
    {"hex(number: int, /)", builtin_hex, "Return the hexadecimal representation of an integer."},
    {"id(obj, /)", builtin_id, "Return the identity of an object."},
    {"input(prompt=?, /)", builtin_input,
     "Read a string from standard input; the trailing newline is stripped."},
    {"isinstance(obj, class_or_tuple, /)", builtin_isinstance,
     "Return whether an object is an instance of a class or of a subclass thereof."},
    {"issubclass(cls, class_or_tuple, /)", builtin_issubclass,
     "Return whether cls is derived from another class or is the same class."},
    {"iter(object, sentinel=?, /)", builtin_iter,
     "Get an iterator from an object, or one that calls until the sentinel comes."},
    {"len(obj, /)", builtin_len, "Return the number of items in a container."},
    {"locals()", builtin_locals,
     "Return a dictionary containing the current scope's local variables."},
    {"max(*args, key=None, default=?)", builtin_max,
     "Return the biggest item of an iterable or of the arguments."},
    {"min(*args, key=None, default=?)", builtin_min,
     "Return the smallest item of an iterable or of the arguments."},
    {"next(iterator, default=?, /)", builtin_next,
     "Return the next item from the iterator, or default when it is exhausted."},
    {"oct(number: int, /)", builtin_oct, "Return the octal representation of an integer."},
    {"ord(c, /)", builtin_ord, "Return the Unicode code point for a one-character string."},
    {"pow(base, exp, mod=None)", builtin_pow, "Equivalent to base**exp, or base**exp % mod."},
    {"print(*args, sep=' ', end=None, file=None, flush: bool = False)", builtin_print,
     "Print the values to a stream, or to sys.stdout by default."},
    {"repr(obj, /)", builtin_repr, "Return the canonical string representation of the object."},
    {"round(number, ndigits=None)", builtin_round,
     "Round a number to a given precision in decimal digits."},
    {"setattr(obj, name, value, /)", builtin_setattr,
     "Set the named attribute on the given object to the specified value."},
    {"sorted(iterable, /, *, key=None, reverse: bool = False)", builtin_sorted,
     "Return a new list with all items from the iterable in ascending order."},
    {"sum(iterable, /, start=0)", builtin_sum,
     "Return the sum of start and an iterable of numbers."},
    {"vars(object=?, /)", builtin_vars, "The __dict__ of an object, or the local variables."},
    {"__import__(name, globals=None, locals=None, fromlist=(), level: int = 0)", builtin_import,
     "Import a module."},
    {NULL, NULL, NULL},
};

/* The types that are builtin names, before the exceptions. */
const TypeId builtins_types[] = {
    TYPE_OBJECT,      TYPE_TYPE,         TYPE_INT,
    TYPE_BOOL,        TYPE_FLOAT,        TYPE_COMPLEX,
    TYPE_STR,         TYPE_BYTES,        TYPE_BYTEARRAY,
    TYPE_MEMORYVIEW,  TYPE_LIST,         TYPE_TUPLE,
    TYPE_DICT,        TYPE_SET,          TYPE_FROZENSET,
    TYPE_RANGE,       TYPE_SLICE,        TYPE_PROPERTY,
    TYPE_CLASSMETHOD, TYPE_STATICMETHOD, TYPE_SUPER,
    TYPE_ENUMERATE,   TYPE_ZIP,          TYPE_REVERSED,
    TYPE_MAP,         TYPE_FILTER,       TYPE_BASE_EXCEPTION,
    TYPE_COUNT,
};

enum { BUILTINS_MOST = 160 }; /* names of a new VM: with those of any module they fit 256 slots */

bool builtins_init(GenVM *vm) {
    const SharedModule *shared = &vm->shared->builtins;
    Value module = module_new_shared(vm, shared, BUILTINS_MOST - shared->count);
    if (module == VALUE_ERROR) return false;
    vm->builtins = AS(Module, module)->dict;
    vm->import_function = vm->shared->import_function;
    vm->next_function = vm->shared->next_function;
    vm->len_function = vm->shared->len_function;
    return dict_set_str(vm, vm->modules, shared->name, module);
}
