/* containers.c - what list and tuple have in common: showing, comparing and searching their items,
 * and what the other containers share with them: the guard of recursive reprs, iterables that can
 * be walked twice.
 *
 * A search or comparison goes on in C as long as no item needs script code to be compared; then a
 * twin takes over at that very position, so that a long list with one odd item costs one hand-over
 * and no item is compared twice.
 */
#include "vm/engine_module.h"
#include "vm/objects/containers.h"

static const Value no_items =
    VALUE_UNSET; /* where an empty list's would be: NULL means no sequence */

const Value *sequence_items(Value v, uint64_t *count) {
    if (is_kind(v, TYPE_LIST)) {
        *count = AS_LIST(v)->count;
        return *count ? AS_LIST(v)->items : &no_items;
    }
    if (!is_kind(v, TYPE_TUPLE)) return NULL;
    *count = AS_TUPLE(v)->count;
    return AS_TUPLE(v)->items;
}

/* ---- repr ---- */

/* The objects being shown, innermost last: a List in vm->roots. It is empty again when the
 * outermost repr ends. */
static Value shown_list(GenVM *vm) {
    if (!is_kind(vm->roots[ROOT_SHOWN], TYPE_LIST)) {
        Value list = list_new(vm, 8);
        if (list == VALUE_ERROR) return list;
        vm->roots[ROOT_SHOWN] = list;
    }
    return vm->roots[ROOT_SHOWN];
}

static bool is_shown(List *list, Value object) {
    for (uint64_t i = list->count; i-- > 0;)
        if (list->items[i] == object) return true;
    return false;
}

static void forget_shown(GenVM *vm, Value object) {
    if (!is_kind(vm->roots[ROOT_SHOWN], TYPE_LIST)) return;
    List *list = AS_LIST(vm->roots[ROOT_SHOWN]);
    for (uint64_t i = list->count; i-- > 0;) {
        if (list->items[i] != object) continue;
        memmove(&list->items[i], &list->items[i + 1], (list->count - i - 1) * sizeof(Value));
        list->count--;
        return;
    }
}

bool repr_enter(GenVM *vm, Value object) {
    Value shown = shown_list(vm);
    if (shown == VALUE_ERROR || is_shown(AS_LIST(shown), object) || !native_enter(vm)) return false;
    if (list_append(vm, shown, object)) return true;
    native_leave(vm);
    return false;
}

void repr_leave(GenVM *vm, Value object) {
    native_leave(vm);
    forget_shown(vm, object);
}

/* For twins: _engine.repr_enter(object) is False where the object is being shown already. */
static Value engine_repr_enter(GenVM *vm, Value *args) {
    Value shown = shown_list(vm);
    if (shown == VALUE_ERROR) return VALUE_ERROR;
    if (is_shown(AS_LIST(shown), args[0])) return VALUE_FALSE;
    return list_append(vm, shown, args[0]) ? VALUE_TRUE : VALUE_ERROR;
}

static Value engine_repr_leave(GenVM *vm, Value *args) {
    forget_shown(vm, args[0]);
    return VALUE_NONE;
}

Leaf builder_put_repr(StrBuilder *builder, Value v) {
    Value text = leaf_repr(builder->vm, v);
    if (text == VALUE_TAIL) {
        native_drop_tail(builder->vm);
        return LEAF_SCRIPT;
    }
    return builder_put_str(builder, text) ? LEAF_TRUE : LEAF_ERROR;
}

static Leaf put_items(StrBuilder *builder, Value self) {
    uint64_t count;
    for (uint64_t i = 0; i < (sequence_items(self, &count), count); i++) {
        if (i) builder_put(builder, ", ", 2);
        Leaf done = builder_put_repr(builder, sequence_items(self, &count)[i]);
        if (done != LEAF_TRUE) return done;
    }
    return LEAF_TRUE;
}

Value sequence_repr(GenVM *vm, Value self, const char *open, const char *close) {
    uint64_t count;
    sequence_items(self, &count);
    if (count == 0) return str_format(vm, "%s%s", open, close);
    if (!charge_items(vm, count)) return VALUE_ERROR;
    if (!repr_enter(vm, self))
        return vm->exception != VALUE_UNSET ? VALUE_ERROR : str_format(vm, "%s...%s", open, close);
    StrBuilder builder;
    builder_init_work(&builder, vm);
    builder_put_c(&builder, open);
    Leaf done = put_items(&builder, self);
    repr_leave(vm, self);
    if (done == LEAF_TRUE) {
        if (count == 1 && *open == '(') builder_put_byte(&builder, ',');
        builder_put_c(&builder, close);
        return builder_finish(&builder);
    }
    builder_drop(&builder);
    return done == LEAF_ERROR ? VALUE_ERROR : native_twin(vm, TWIN_SEQUENCE_REPR, 1, self);
}

/* ---- comparison ---- */

/* The first position from `start` on where the items differ: *found. LEAF_TRUE: there is one;
 * LEAF_FALSE: the shorter ends before; LEAF_SCRIPT: script code must tell whether the items there
 * are equal. */
static Leaf first_difference(GenVM *vm, Value left, Value right, uint64_t start, uint64_t *found) {
    uint64_t left_count, right_count;
    const Value *a = sequence_items(left, &left_count), *b = sequence_items(right, &right_count);
    uint64_t count = left_count < right_count ? left_count : right_count;
    for (uint64_t i = start; i < count; i++) {
        if (!native_glance(vm, i)) return LEAF_ERROR;
        if (a[i] == b[i]) continue;
        Leaf equal = items_equal(vm, a[i], b[i]);
        if (equal == LEAF_TRUE) continue;
        *found = i;
        return equal == LEAF_FALSE ? LEAF_TRUE : equal;
    }
    return LEAF_FALSE;
}

static bool sizes_compare(CompareOp op, Value left, Value right) {
    uint64_t left_count, right_count;
    sequence_items(left, &left_count);
    sequence_items(right, &right_count);
    return order_holds(op, (left_count > right_count) - (left_count < right_count));
}

static Value compare_items(GenVM *vm, CompareOp op, Value a, Value b) {
    if (op == COMPARE_EQ) return VALUE_FALSE;
    if (op == COMPARE_NE) return VALUE_TRUE;
    return value_compare(vm, op, a, b);
}

Value sequence_compare(GenVM *vm, CompareOp op, Value left, Value right) {
    uint64_t left_count, right_count, i = 0;
    const Value *a = sequence_items(left, &left_count), *b = sequence_items(right, &right_count);
    if (left_count != right_count && (op == COMPARE_EQ || op == COMPARE_NE))
        return bool_value(op == COMPARE_NE);
    if (!charge_items(vm, left_count) || !native_enter_work(vm)) return VALUE_ERROR;
    Leaf differ = first_difference(vm, left, right, 0, &i);
    native_leave(vm);
    switch (differ) {
    case LEAF_FALSE: return bool_value(sizes_compare(op, left, right));
    case LEAF_TRUE: return compare_items(vm, op, a[i], b[i]);
    case LEAF_ERROR: return VALUE_ERROR;
    case LEAF_SCRIPT: break;
    }
    return native_twin(vm, TWIN_SEQUENCE_COMPARE, 4, left, right, int_value(op),
                       int_value((int64_t)i));
}

static bool are_sequences(GenVM *vm, Value left, Value right) {
    uint64_t count;
    if (sequence_items(left, &count) && sequence_items(right, &count)) return true;
    raise_type(vm, "neither list nor tuple: '%T' and '%T'", left, right);
    return false;
}

/* _engine.first_difference(left, right, start): a position whose items differ or are script code's
 * to compare; -1 where the shorter ends. */
static Value engine_first_difference(GenVM *vm, Value *args) {
    uint64_t found = 0;
    if (!are_sequences(vm, args[0], args[1])) return VALUE_ERROR;
    Leaf differ = first_difference(vm, args[0], args[1], (uint64_t)as_int(args[2]), &found);
    if (differ == LEAF_ERROR) return VALUE_ERROR;
    return int_value(differ == LEAF_FALSE ? -1 : (int64_t)found);
}

static Value engine_compare_sizes(GenVM *vm, Value *args) {
    if (!are_sequences(vm, args[0], args[1])) return VALUE_ERROR;
    return bool_value(sizes_compare((CompareOp)as_int(args[2]), args[0], args[1]));
}

/* ---- searching ---- */

/* The first position in [start, stop) whose item equals: *found. LEAF_SCRIPT: *found is where
 * script code is needed. */
static Leaf search(GenVM *vm, Value self, Value item, uint64_t start, uint64_t stop,
                   uint64_t *found) {
    uint64_t count;
    const Value *items = sequence_items(self, &count);
    if (stop < count) count = stop;
    for (uint64_t i = start; i < count; i++) {
        if ((i & 1023) == 1023 && !native_work(vm, 128)) return LEAF_ERROR;
        Leaf equal = items_equal(vm, items[i], item);
        if (likely(equal == LEAF_FALSE)) continue;
        *found = i;
        return equal;
    }
    return LEAF_FALSE;
}

Value sequence_contains(GenVM *vm, Value self, Value item) {
    uint64_t found = 0;
    Leaf has = search(vm, self, item, 0, UINT64_MAX, &found);
    if (has != LEAF_SCRIPT) return leaf_value(has);
    return native_twin(vm, TWIN_SEQUENCE_CONTAINS, 3, self, item, int_value((int64_t)found));
}

Value sequence_count(GenVM *vm, Value self, Value item) {
    uint64_t found = 0;
    for (int64_t total = 0, start = 0;; total++, start = (int64_t)found + 1) {
        Leaf has = search(vm, self, item, (uint64_t)start, UINT64_MAX, &found);
        if (has == LEAF_FALSE) return int_value(total);
        if (has == LEAF_ERROR) return VALUE_ERROR;
        if (has == LEAF_SCRIPT)
            return native_twin(vm, TWIN_SEQUENCE_COUNT, 4, self, item, int_value((int64_t)found),
                               int_value(total));
    }
}

static uint64_t clamp_position(int64_t position, uint64_t count) {
    if (position < 0) position += (int64_t)count;
    return position < 0 ? 0 : (uint64_t)position;
}

/* One bound of index(): as in a slice, but None is none. */
static Leaf search_bound(GenVM *vm, Value v, int64_t *out) {
    if (value_is_intlike(v)) {
        if (!int_to_i64(v, out)) *out = int_sign(v) < 0 ? INT64_MIN : INT64_MAX;
        return LEAF_TRUE;
    }
    if (type_find_special(vm, type_of(vm, v), SP_INDEX) != VALUE_UNSET) return LEAF_SCRIPT;
    raise_type(vm, "slice indices must be integers or have an __index__ method");
    return LEAF_ERROR;
}

Value sequence_find(GenVM *vm, Value *args, const char *missing) {
    Value self = args[0], item = args[1];
    uint64_t count, found = 0;
    int64_t start, stop;
    Leaf has = search_bound(vm, args[2], &start);
    if (has == LEAF_TRUE) has = search_bound(vm, args[3], &stop);
    if (has == LEAF_ERROR) return VALUE_ERROR;
    if (has == LEAF_SCRIPT)
        return native_twin(vm, TWIN_SEQUENCE_INDEX_BOUNDS, 4, self, item, args[2], args[3]);
    sequence_items(self, &count);
    uint64_t from = clamp_position(start, count), to = clamp_position(stop, count);
    if (to > count) to = count;
    has = search(vm, self, item, from, to, &found);
    if (has == LEAF_TRUE) return int_value((int64_t)found);
    if (has == LEAF_ERROR) return VALUE_ERROR;
    if (has == LEAF_FALSE) return raise_value(vm, "%s", missing);
    return native_twin(vm, TWIN_SEQUENCE_INDEX, 4, self, item, int_value((int64_t)found),
                       int_value((int64_t)to));
}

/* _engine.search(sequence, item, start, stop): the first position that equals item or where script
 * code must tell. */
static Value engine_search(GenVM *vm, Value *args) {
    uint64_t found = 0;
    if (!are_sequences(vm, args[0], args[0])) return VALUE_ERROR;
    Leaf has =
        search(vm, args[0], args[1], (uint64_t)as_int(args[2]), (uint64_t)as_int(args[3]), &found);
    if (has == LEAF_ERROR) return VALUE_ERROR;
    return int_value(has == LEAF_FALSE ? -1 : (int64_t)found);
}

/* _engine.item(sequence, i): without subclass overrides; the items a twin asks for were there a
 * moment ago, but script code may have taken them away: then IndexError. */
static Value engine_item(GenVM *vm, Value *args) {
    uint64_t count = 0, i = (uint64_t)as_int(args[1]);
    const Value *items = sequence_items(args[0], &count);
    return items && i < count ? items[i]
                              : raise_index(vm, "sequence changed size during iteration");
}

static Value engine_size(GenVM *vm, Value *args) {
    uint64_t count = 0;
    (void)vm;
    sequence_items(args[0], &count);
    return int_value((int64_t)count);
}

/* ---- repetition ---- */

Leaf sequence_times(GenVM *vm, Value times, uint64_t length, size_t item_size, uint64_t *count) {
    int64_t n;
    if (!value_is_intlike(times)) {
        if (is_object(times) && type_special(vm, times, SP_RMUL) != VALUE_UNSET) return LEAF_FALSE;
        if (type_find_special(vm, type_of(vm, times), SP_INDEX) != VALUE_UNSET) return LEAF_SCRIPT;
        raise_type(vm, "can't multiply sequence by non-int of type '%T'", times);
        return LEAF_ERROR;
    }
    if (!int_to_i64(times, &n)) {
        if (int_sign(times) > 0) {
            raise_overflow(vm, "cannot fit 'int' into an index-sized integer");
            return LEAF_ERROR;
        }
        n = 0;
    }
    if (n < 0) n = 0;
    if (__builtin_mul_overflow(length, (uint64_t)n, count) || *count > INT64_MAX / item_size / 2) {
        raise_memory(vm);
        return LEAF_ERROR;
    }
    return gc_check_size(vm, *count * item_size) && native_work(vm, *count / 16) ? LEAF_TRUE
                                                                                 : LEAF_ERROR;
}

bool sequence_repeat_items(GenVM *vm, Value *items, uint64_t length, uint64_t total) {
    enum { PLAIN = 4096 };
    if (length != 1) return native_repeat(vm, items, length * sizeof *items, total * sizeof *items);
    uint64_t plain = total < PLAIN ? total : PLAIN;
    for (uint64_t i = 1; i < plain; i++)
        items[i] = items[0];
    return native_repeat(vm, items, plain * sizeof *items, total * sizeof *items);
}

/* ---- indices ---- */

Value sequence_odd_index(GenVM *vm, Value self, Value key, Value value, bool is_delete) {
    if (is_delete) return native_twin(vm, TWIN_DELITEM_INDEX, 2, self, key);
    if (value == VALUE_UNSET) return native_twin(vm, TWIN_GETITEM_INDEX, 2, self, key);
    return native_twin(vm, TWIN_SETITEM_INDEX, 3, self, key, value);
}

/* ---- iterables ---- */

Leaf iterable_items(GenVM *vm, Value iterable, Value *items) {
    uint64_t count;
    *items = iterable;
    if (is_exact(iterable, TYPE_SET) || is_exact(iterable, TYPE_FROZENSET) ||
        is_exact(iterable, TYPE_DICT) || exact_items(iterable, &count))
        return LEAF_TRUE;
    /* A subclass that does not say how it is iterated is as good. */
    if ((is_any_set(iterable) || is_kind(iterable, TYPE_DICT)) &&
        type_special(vm, iterable, SP_ITER) == VALUE_UNSET)
        return LEAF_TRUE;
    Value list = list_new(vm, 0);
    if (list == VALUE_ERROR) return LEAF_ERROR;
    Leaf done = list_extend_native(vm, list, iterable, items);
    if (done == LEAF_TRUE) *items = list;
    return done;
}

/* ---- classes ---- */

bool attribute_readonly(GenVM *vm, Value self, Value value) {
    (void)self;
    (void)value;
    raise_error(vm, EXC_ATTRIBUTE_ERROR, "readonly attribute");
    return false;
}

Type *container_class(GenVM *vm, Value cls, TypeId base) {
    const char *name = vm->types[base]->def->name;
    if (!is_type(cls)) {
        raise_type(vm, "%s.__new__(X): X is not a type object (%T)", name, cls);
        return NULL;
    }
    if (!type_is_subclass(type_from(cls), vm->types[base])) {
        raise_type(vm, "%s.__new__(%N): %N is not a subtype of %s", name, type_from(cls),
                   type_from(cls), name);
        return NULL;
    }
    return type_from(cls);
}

/* ---- what a builtin type does, past the overrides of a subclass ---- */

static const TypeSlots *own_slots(GenVM *vm, Value v) {
    return &vm->types[is_object(v) ? as_object(v)->kind : TYPE_OBJECT]->slots;
}

static Value raise_unfit(GenVM *vm, Value v) {
    return raise_type(vm, "'%T' object is no container", v);
}

static Value raw_getitem(GenVM *vm, Value *args) {
    const TypeSlots *own = own_slots(vm, args[0]);
    return own->getitem ? own->getitem(vm, args[0], args[1]) : raise_unfit(vm, args[0]);
}
static Value raw_setitem(GenVM *vm, Value *args) {
    const TypeSlots *own = own_slots(vm, args[0]);
    return own->setitem ? own->setitem(vm, args[0], args[1], args[2]) : raise_unfit(vm, args[0]);
}
static Value raw_delitem(GenVM *vm, Value *args) {
    const TypeSlots *own = own_slots(vm, args[0]);
    return own->setitem ? own->setitem(vm, args[0], args[1], VALUE_UNSET)
                        : raise_unfit(vm, args[0]);
}
static Value raw_repeat(GenVM *vm, Value *args) {
    const TypeSlots *own = own_slots(vm, args[0]);
    return own->binary ? own->binary(vm, BINARY_MUL, args[0], args[1]) : raise_unfit(vm, args[0]);
}
static Value raw_repeat_in_place(GenVM *vm, Value *args) {
    const TypeSlots *own = own_slots(vm, args[0]);
    return own->inplace ? own->inplace(vm, BINARY_MUL, args[0], args[1]) : raise_unfit(vm, args[0]);
}

const NativeDef engine_container_natives[] = {
    {"raw_getitem(container, key, /)", raw_getitem, NULL},
    {"raw_setitem(container, key, value, /)", raw_setitem, NULL},
    {"raw_delitem(container, key, /)", raw_delitem, NULL},
    {"raw_repeat(sequence, times, /)", raw_repeat, NULL},
    {"raw_repeat_in_place(sequence, times, /)", raw_repeat_in_place, NULL},
    {"repr_enter(object, /)", engine_repr_enter, NULL},
    {"repr_leave(object, /)", engine_repr_leave, NULL},
    {"first_difference(left, right, start: index, /)", engine_first_difference, NULL},
    {"compare_sizes(left, right, op: index, /)", engine_compare_sizes, NULL},
    {"search(sequence, item, start: index, stop: index, /)", engine_search, NULL},
    {"sequence_item(sequence, position: index, /)", engine_item, NULL},
    {"sequence_size(sequence, /)", engine_size, NULL},
    {NULL, NULL, NULL},
};
