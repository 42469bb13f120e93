/* list.c - lists: a growing row of items in a Buffer of its own. Sorting is in list_sort.c, what
 * lists share with tuples in containers.c.
 */
#include "vm/engine_module.h"
#include "vm/objects/containers.h"

/* ---- storage ---- */

static const uint64_t MAX_ITEMS = INT64_MAX / sizeof(Value) / 2;

enum {
    LIST_TAKEN = 1
}; /* header.flags: its items are being sorted, and nothing was put in since */

static bool set_capacity(GenVM *vm, List *list, uint64_t capacity) {
    if (capacity > MAX_ITEMS) return raise_memory(vm), false;
    Buffer *buffer = gc_buffer_resize(vm, list->buffer, capacity * sizeof(Value));
    if (!buffer) return false;
    list->buffer = buffer;
    list->items = (Value *)buffer->data;
    list->capacity = capacity;
    list->header.flags &= (uint8_t)~LIST_TAKEN;
    gc_barrier(vm, list);
    return true;
}

/* Growth by a half, by a quarter once the list is big: few copies, little waste. */
static COLD bool grow(GenVM *vm, List *list, uint64_t wanted) {
    uint64_t more = wanted < 65536 ? wanted / 2 : wanted / 4;
    return set_capacity(vm, list, wanted + more + 3);
}

static inline bool make_room(GenVM *vm, List *list, uint64_t wanted) {
    return likely(wanted <= list->capacity) || grow(vm, list, wanted);
}

bool list_reserve(GenVM *vm, List *list, uint64_t capacity) {
    return capacity <= list->capacity || set_capacity(vm, list, capacity);
}

static void drop_storage(GenVM *vm, List *list) {
    Buffer *buffer = list->buffer;
    list->count = list->capacity = 0;
    list->items = NULL;
    list->buffer = NULL;
    if (buffer) gc_buffer_free(vm, buffer);
}

/* Gives memory back when three quarters of it are unused. That it cannot be had smaller is no
 * failure. */
static void shrink(GenVM *vm, List *list) {
    if (list->count == 0) {
        drop_storage(vm, list);
    } else if (list->capacity > 64 && list->count < list->capacity / 4) {
        Value pending = vm->exception;
        if (!set_capacity(vm, list, list->count * 2)) vm->exception = pending;
    }
}

enum { SMALL_CAPACITY = 48 };

Value list_new(GenVM *vm, uint64_t capacity) {
    List *list = gc_new(vm, sizeof *list, TYPE_LIST);
    if (likely(list && capacity - 1 < SMALL_CAPACITY)) { /* both in line */
        Buffer *buffer = gc_new_raw(vm, sizeof *buffer + capacity * sizeof(Value), TYPE_BUFFER);
        if (unlikely(!buffer)) return VALUE_ERROR;
        buffer->capacity = capacity * sizeof(Value);
        list->buffer = buffer;
        list->items = (Value *)buffer->data;
        list->capacity = capacity;
        return object_value(list);
    }
    if (!list || (capacity && !set_capacity(vm, list, capacity))) return VALUE_ERROR;
    return object_value(list);
}

Value list_from_array(GenVM *vm, const Value *items, uint64_t count) {
    Value list = list_new(vm, count);
    if (list == VALUE_ERROR || count == 0) return list;
    if (!native_copy(vm, AS_LIST(list)->items, items, count * sizeof *items)) return VALUE_ERROR;
    AS_LIST(list)->count = count;
    return list;
}

static void list_trace(GenVM *vm, Object *object) {
    List *list = (List *)object;
    gc_mark_pointer(vm, list->buffer);
    for (uint64_t i = 0; i < list->count; i++)
        gc_mark(vm, list->items[i]);
}

bool list_append(GenVM *vm, Value list_value, Value item) {
    List *list = AS_LIST(list_value);
    if (unlikely(item == VALUE_ERROR) || !make_room(vm, list, list->count + 1)) return false;
    list->items[list->count++] = item;
    barrier_value(vm, list, item);
    return true;
}

/* `items` may be the list's own. */
bool list_extend_array(GenVM *vm, List *list, const Value *items, uint64_t count) {
    bool own = items == list->items;
    if (count == 0) return true;
    if (!charge_items(vm, count / 4) || !make_room(vm, list, list->count + count)) return false;
    if (!native_copy(vm, list->items + list->count, own ? list->items : items,
                     count * sizeof *items))
        return false;
    list->count += count;
    gc_barrier(vm, list);
    return true;
}

enum { RANGE_PIECE = 1 << 16 };

static void extend_by_piece(List *list, RangeIterator *it, uint64_t count) {
    Value *items = list->items + list->count;
    int64_t next = it->next;
    for (uint64_t i = 0; i < count; i++, next += it->step)
        items[i] = int_value(next);
    it->next = next;
    it->remaining -= (int64_t)count;
    list->count += count;
}

static Leaf extend_range(GenVM *vm, List *list, RangeIterator *it, bool in_turns) {
    uint64_t count = (uint64_t)it->remaining;
    if (!gc_check_size(vm, count * sizeof(Value))) return LEAF_ERROR;
    if (!make_room(vm, list, list->count + count)) return LEAF_ERROR;
    while (it->remaining) {
        count = it->remaining < RANGE_PIECE ? (uint64_t)it->remaining : RANGE_PIECE;
        extend_by_piece(list, it, count);
        if (count < 64) continue;
        Leaf turn = in_turns                     ? native_turn(vm, count / 8)
                    : native_work(vm, count / 8) ? LEAF_TRUE
                                                 : LEAF_ERROR;
        if (turn != LEAF_TRUE) return turn;
    }
    return LEAF_TRUE;
}

static inline Leaf charge_turn(GenVM *vm, uint64_t n, bool in_turns) {
    if (n % 64) return LEAF_TRUE;
    if (in_turns) return native_turn(vm, 8);
    return native_work(vm, 8) ? LEAF_TRUE : LEAF_ERROR;
}

Leaf list_extend_native(GenVM *vm, Value list, Value iterable, Value *rest) {
    return list_extend_turns(vm, list, iterable, rest, false);
}

Leaf list_extend_turns(GenVM *vm, Value list_value, Value iterable, Value *rest, bool in_turns) {
    List *list = AS_LIST(list_value);
    uint64_t count;
    const Value *items = exact_items(iterable, &count);
    if (items) return list_extend_array(vm, list, items, count) ? LEAF_TRUE : LEAF_ERROR;
    Leaf begun = iterator_begin(vm, iterable, rest);
    if (begun != LEAF_TRUE) return begun;
    if (is_kind(*rest, TYPE_RANGE_ITERATOR))
        return extend_range(vm, list, AS(RangeIterator, *rest), in_turns);
    for (uint64_t n = 1;; n++) {
        Leaf turn = charge_turn(vm, n, in_turns);
        if (turn != LEAF_TRUE) return turn;
        Value item = iterator_step(vm, *rest);
        if (item == VALUE_END) return LEAF_TRUE;
        if (item == VALUE_ERROR || !list_append(vm, list_value, item)) return LEAF_ERROR;
    }
}

/* _engine.list_put_all(list, iterator): appends as many items as the budget allows; were that all?
 */
static Value engine_put_all(GenVM *vm, Value *args) {
    Value rest;
    Leaf done = list_extend_turns(vm, args[0], args[1], &rest, true);
    if (done == LEAF_ERROR) return VALUE_ERROR;
    if (done != LEAF_SCRIPT) return bool_value(done == LEAF_TRUE);
    return native_twin(vm, TWIN_LIST_EXTEND, 3, args[0], rest, VALUE_TRUE);
}

/* ---- making them ---- */

static Value list_alloc(GenVM *vm, Type *cls) {
    List *list = gc_new_of(vm, sizeof *list, TYPE_LIST, cls);
    return list ? object_value(list) : VALUE_ERROR;
}

/* Appends all of `iterable`; then the call's result is `result`. */
static Value extend(GenVM *vm, Value self, Value iterable, Value result) {
    Value rest;
    Leaf done = list_extend_turns(vm, self, iterable, &rest, true);
    if (done == LEAF_TRUE) return result;
    if (done == LEAF_ERROR) return VALUE_ERROR;
    Twin twin = done == LEAF_FALSE ? TWIN_LIST_GO_ON : TWIN_LIST_EXTEND;
    return native_twin(vm, twin, 3, self, rest, result);
}

static Value list_construct(GenVM *vm, Value *args) {
    Type *cls = type_from(args[0]);
    Value self = list_alloc(vm, cls), rest;
    if (self == VALUE_ERROR || args[1] == VALUE_UNSET) return self;
    if (cls != vm->types[TYPE_LIST]) return extend(vm, self, args[1], self);
    Leaf done = list_extend_turns(vm, self, args[1], &rest, true);
    if (done == LEAF_TRUE) return self;
    if (done == LEAF_ERROR) return VALUE_ERROR;
    if (done == LEAF_FALSE) return native_twin(vm, TWIN_LIST_GO_ON, 3, self, rest, self);
    return native_twin(vm, TWIN_LIST_NEW, 1, rest);
}

static Value list_new_method(GenVM *vm, Value *args) {
    Type *cls = container_class(vm, args[0], TYPE_LIST);
    return cls ? list_alloc(vm, cls) : VALUE_ERROR;
}

static Value list_init(GenVM *vm, Value *args) {
    drop_storage(vm, AS_LIST(args[0]));
    return args[1] == VALUE_UNSET ? VALUE_NONE : extend(vm, args[0], args[1], VALUE_NONE);
}

/* ---- reading items ---- */

static bool has_index(GenVM *vm, Value key) {
    return !value_is_intlike(key) && is_object(key) &&
           type_find_special(vm, type_of(vm, key), SP_INDEX) != VALUE_UNSET;
}

Value list_get_range(GenVM *vm, List *list, int64_t start, int64_t step, int64_t count) {
    if (!charge_items(vm, (uint64_t)count / 4)) return VALUE_ERROR;
    if (step == 1) return list_from_array(vm, list->items + start, (uint64_t)count);
    Value part = list_new(vm, (uint64_t)count);
    if (part == VALUE_ERROR || count == 0) return part;
    Value *to = AS_LIST(part)->items;
    const Value *from = list->items + start;
    for (int64_t i = 0; i < count; i++) {
        to[i] = from[i * step];
        if (!native_glance(vm, (uint64_t)i)) return VALUE_ERROR;
    }
    AS_LIST(part)->count = (uint64_t)count;
    return part;
}

static Value get_slice(GenVM *vm, Value self, Value key) {
    List *list = AS_LIST(self);
    int64_t start, stop, step, count;
    Leaf done = slice_indices(vm, key, (int64_t)list->count, &start, &stop, &step, &count);
    if (done == LEAF_ERROR) return VALUE_ERROR;
    if (done == LEAF_SCRIPT) return sequence_odd_index(vm, self, key, VALUE_UNSET, false);
    return list_get_range(vm, list, start, step, count);
}

static Value list_getitem(GenVM *vm, Value self, Value key) {
    List *list = AS_LIST(self);
    int64_t i;
    if (likely(is_int(key))) {
        i = as_int(key);
        if (i < 0) i += (int64_t)list->count;
        if (likely((uint64_t)i < list->count)) return list->items[i];
        return raise_index(vm, "list index out of range");
    }
    if (is_kind(key, TYPE_SLICE)) return get_slice(vm, self, key);
    if (has_index(vm, key)) return sequence_odd_index(vm, self, key, VALUE_UNSET, false);
    return sequence_index(vm, key, (int64_t)list->count, "list", &i) ? list->items[i] : VALUE_ERROR;
}

/* ---- storing and deleting items ---- */

/* Before so many items are moved, in one piece. */
static bool foresee_moves(GenVM *vm, uint64_t count) {
    enum { MUCH = 1 << 18, NANOSECONDS = 2 };
    return likely(count < MUCH) || native_foresee(vm, count * NANOSECONDS);
}

static void remove_at(GenVM *vm, List *list, uint64_t i, uint64_t count) {
    memmove(list->items + i, list->items + i + count, (list->count - i - count) * sizeof(Value));
    list->count -= count;
    shrink(vm, list);
}

static Value delete_slice(GenVM *vm, List *list, int64_t start, int64_t step, int64_t count) {
    if (count == 0) return VALUE_NONE;
    if (step < 0) {
        start += (count - 1) * step;
        step = -step;
    }
    uint64_t moved = list->count - (uint64_t)start;
    if (!foresee_moves(vm, moved) || !charge_items(vm, moved / 16)) return VALUE_ERROR;
    if (step == 1 || count == 1) {
        remove_at(vm, list, (uint64_t)start, (uint64_t)count);
        return VALUE_NONE;
    }
    uint64_t to = (uint64_t)start, next = (uint64_t)start, left = (uint64_t)count;
    for (uint64_t from = to; from < list->count; from++) {
        if (left && from == next) {
            next += (uint64_t)step;
            left--;
        } else {
            list->items[to++] = list->items[from];
        }
    }
    list->count = to;
    shrink(vm, list);
    return VALUE_NONE;
}

/* list[start : start + old] = items, which are not the list's own. */
static Value replace_items(GenVM *vm, List *list, uint64_t start, uint64_t old, const Value *items,
                           uint64_t count) {
    uint64_t moved = count != old ? list->count - start - old : 0;
    if (!foresee_moves(vm, moved + count) || !charge_items(vm, moved / 16 + count))
        return VALUE_ERROR;
    if (!make_room(vm, list, list->count - old + count)) return VALUE_ERROR;
    if (count != old)
        memmove(list->items + start + count, list->items + start + old, moved * sizeof(Value));
    if (count) memcpy(list->items + start, items, count * sizeof *items);
    list->count = list->count - old + count;
    gc_barrier(vm, list);
    if (count < old) shrink(vm, list);
    return VALUE_NONE;
}

Value list_set_range(GenVM *vm, List *list, int64_t start, int64_t step, int64_t count,
                     const Value *items, uint64_t new_count) {
    if (!charge_items(vm, new_count / 4)) return VALUE_ERROR;
    if (step == 1)
        return replace_items(vm, list, (uint64_t)start, (uint64_t)count, items, new_count);
    if (new_count != (uint64_t)count)
        return raise_value(vm,
                           "attempt to assign sequence of size %lld to extended slice of size %lld",
                           (long long)new_count, (long long)count);
    if (!foresee_moves(vm, new_count)) return VALUE_ERROR;
    for (int64_t i = 0; i < count; i++)
        list->items[start + i * step] = items[i];
    gc_barrier(vm, list);
    return VALUE_NONE;
}

/* The items to assign to a slice, as a list or tuple that is not `self`. */
static Leaf assigned_items(GenVM *vm, Value self, Value *value, Value *rest) {
    uint64_t count;
    const Value *items = exact_items(*value, &count);
    if (items && *value != self) return LEAF_TRUE;
    Value list = list_new(vm, 0);
    if (list == VALUE_ERROR) return LEAF_ERROR;
    Leaf done = list_extend_native(vm, list, *value, rest);
    if (done == LEAF_TRUE) *value = list;
    if (done == LEAF_ERROR && error_matches(vm, EXC_TYPE_ERROR)) {
        error_clear(vm);
        raise_type(vm, "must assign iterable to extended slice");
    }
    return done;
}

static Value set_slice(GenVM *vm, Value self, Value key, Value value) {
    List *list = AS_LIST(self);
    int64_t start, stop, step, size;
    uint64_t count;
    Value rest;
    Leaf done = slice_indices(vm, key, (int64_t)list->count, &start, &stop, &step, &size);
    if (done == LEAF_ERROR) return VALUE_ERROR;
    if (done == LEAF_SCRIPT) return sequence_odd_index(vm, self, key, value, value == VALUE_UNSET);
    if (value == VALUE_UNSET) return delete_slice(vm, list, start, step, size);
    done = assigned_items(vm, self, &value, &rest);
    if (done == LEAF_ERROR) return VALUE_ERROR;
    if (done == LEAF_SCRIPT) return native_twin(vm, TWIN_LIST_SET_SLICE, 3, self, key, rest);
    const Value *items = sequence_items(value, &count);
    return list_set_range(vm, list, start, step, size, items, count);
}

static Value list_setitem(GenVM *vm, Value self, Value key, Value value) {
    List *list = AS_LIST(self);
    int64_t i;
    if (is_kind(key, TYPE_SLICE)) return set_slice(vm, self, key, value);
    if (!is_int(key) && has_index(vm, key))
        return sequence_odd_index(vm, self, key, value, value == VALUE_UNSET);
    if (is_int(key) || is_bool(key)) {
        i = is_bool(key) ? key == VALUE_TRUE : as_int(key);
        if (i < 0) i += (int64_t)list->count;
        if (unlikely((uint64_t)i >= list->count))
            return raise_index(vm, "list assignment index out of range");
    } else if (!sequence_index(vm, key, (int64_t)list->count, "list", &i)) {
        return VALUE_ERROR;
    }
    if (value == VALUE_UNSET) {
        if (!foresee_moves(vm, list->count - (uint64_t)i)) return VALUE_ERROR;
        remove_at(vm, list, (uint64_t)i, 1);
    } else {
        list->items[i] = value;
        barrier_value(vm, list, value);
    }
    return VALUE_NONE;
}

/* ---- operators ---- */

static Value list_concat(GenVM *vm, Value left, Value right) {
    if (!is_kind(left, TYPE_LIST)) return VALUE_NOT_IMPLEMENTED;
    if (!is_kind(right, TYPE_LIST)) {
        if (type_special(vm, right, SP_RADD) != VALUE_UNSET) return VALUE_NOT_IMPLEMENTED;
        return raise_type(vm, "can only concatenate list (not \"%T\") to list", right);
    }
    List *a = AS_LIST(left), *b = AS_LIST(right);
    uint64_t count = a->count + b->count;
    Value both = charge_items(vm, count / 4) ? list_new(vm, count) : VALUE_ERROR;
    if (both == VALUE_ERROR || count == 0) return both;
    Value *items = AS_LIST(both)->items;
    if (!native_copy(vm, items, a->items, a->count * sizeof *items) ||
        !native_copy(vm, items + a->count, b->items, b->count * sizeof *items))
        return VALUE_ERROR;
    AS_LIST(both)->count = count;
    return both;
}

static Value list_repeat(GenVM *vm, Value self, Value times, bool in_place) {
    uint64_t total, length = AS_LIST(self)->count;
    Leaf done = sequence_times(vm, times, length, sizeof(Value), &total);
    if (done == LEAF_FALSE) return VALUE_NOT_IMPLEMENTED;
    if (done == LEAF_ERROR) return VALUE_ERROR;
    if (done == LEAF_SCRIPT)
        return native_twin(vm, in_place ? TWIN_LIST_REPEAT_IN_PLACE : TWIN_SEQUENCE_REPEAT, 2, self,
                           times);
    Value result = in_place ? self : list_new(vm, total);
    if (result == VALUE_ERROR) return VALUE_ERROR;
    List *list = AS_LIST(result);
    if (total == 0) {
        drop_storage(vm, list);
        return result;
    }
    if (in_place && !list_reserve(vm, list, total)) return VALUE_ERROR;
    if ((!in_place &&
         !native_copy(vm, list->items, AS_LIST(self)->items, length * sizeof(Value))) ||
        !sequence_repeat_items(vm, list->items, length, total))
        return VALUE_ERROR;
    list->count = total;
    gc_barrier(vm, list);
    return result;
}

static Value list_binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    if (op == BINARY_ADD) return list_concat(vm, left, right);
    if (op != BINARY_MUL) return VALUE_NOT_IMPLEMENTED;
    return is_kind(left, TYPE_LIST) ? list_repeat(vm, left, right, false)
                                    : list_repeat(vm, right, left, false);
}

static Value list_inplace(GenVM *vm, BinaryOp op, Value left, Value right) {
    if (op == BINARY_ADD) return extend(vm, left, right, left);
    return op == BINARY_MUL ? list_repeat(vm, left, right, true) : VALUE_NOT_IMPLEMENTED;
}

static Value list_compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if (!is_kind(left, TYPE_LIST) || !is_kind(right, TYPE_LIST)) return VALUE_NOT_IMPLEMENTED;
    return sequence_compare(vm, op, left, right);
}

static Value list_repr(GenVM *vm, Value self) {
    return sequence_repr(vm, self, "[", "]");
}

static Value list_len(GenVM *vm, Value self) {
    (void)vm;
    return int_value((int64_t)AS_LIST(self)->count);
}

static Value list_iter(GenVM *vm, Value self) {
    return list_iterator_new(vm, TYPE_LIST_ITERATOR, self, 0);
}

/* ---- methods ---- */

static Value list_append_method(GenVM *vm, Value *args) {
    return list_append(vm, args[0], args[1]) ? VALUE_NONE : VALUE_ERROR;
}

static Value list_extend(GenVM *vm, Value *args) {
    return extend(vm, args[0], args[1], VALUE_NONE);
}

static Value list_insert(GenVM *vm, Value *args) {
    List *list = AS_LIST(args[0]);
    int64_t i = as_int(args[1]), count = (int64_t)list->count;
    if (i < 0) i += count;
    if (i < 0) i = 0;
    if (i > count) i = count;
    if (!charge_items(vm, (uint64_t)(count - i) / 16)) return VALUE_ERROR;
    return replace_items(vm, list, (uint64_t)i, 0, &args[2], 1);
}

static Value list_pop(GenVM *vm, Value *args) {
    List *list = AS_LIST(args[0]);
    int64_t i = as_int(args[1]), count = (int64_t)list->count;
    if (count == 0) return raise_index(vm, "pop from empty list");
    if (i < 0) i += count;
    if (i < 0 || i >= count) return raise_index(vm, "pop index out of range");
    Value item = list->items[i];
    if (i != count - 1) {
        uint64_t moved = (uint64_t)(count - i);
        if (!foresee_moves(vm, moved) || !charge_items(vm, moved / 16)) return VALUE_ERROR;
        memmove(list->items + i, list->items + i + 1, (uint64_t)(count - i - 1) * sizeof(Value));
    }
    list->count--;
    if (unlikely(list->capacity > 64 && list->count < list->capacity / 4)) shrink(vm, list);
    return item;
}

static Value fast_pop(GenVM *vm, const Value *args, uint32_t count) {
    if (count == 1 && is_kind(args[0], TYPE_LIST)) {
        List *list = AS_LIST(args[0]);
        if (likely(list->count > list->capacity / 4)) return list->items[--list->count];
    }
    if (count == 0 || count > 2 || !is_kind(args[0], TYPE_LIST)) return VALUE_UNSET;
    if (count == 2 && !is_int(args[1])) return VALUE_UNSET;
    Value bound[2] = {args[0], count == 2 ? args[1] : int_value(-1)};
    return list_pop(vm, bound);
}

static Value fast_insert(GenVM *vm, const Value *args, uint32_t count) {
    if (count != 3 || !is_kind(args[0], TYPE_LIST) || !is_int(args[1])) return VALUE_UNSET;
    Value bound[3] = {args[0], args[1], args[2]};
    return list_insert(vm, bound);
}

static Value list_remove(GenVM *vm, Value *args) {
    List *list = AS_LIST(args[0]);
    for (uint64_t i = 0; i < list->count; i++) {
        if ((i & 1023) == 1023 && !native_work(vm, 128)) return VALUE_ERROR;
        Leaf equal = items_equal(vm, list->items[i], args[1]);
        if (equal == LEAF_FALSE) continue;
        if (equal == LEAF_ERROR) return VALUE_ERROR;
        if (equal == LEAF_SCRIPT)
            return native_twin(vm, TWIN_LIST_REMOVE, 3, args[0], args[1], int_value((int64_t)i));
        if (!foresee_moves(vm, list->count - i)) return VALUE_ERROR;
        remove_at(vm, list, i, 1);
        return VALUE_NONE;
    }
    return raise_value(vm, "list.remove(x): x not in list");
}

static Value list_index(GenVM *vm, Value *args) {
    return sequence_find(vm, args, "list.index(x): x not in list");
}

static Value list_count(GenVM *vm, Value *args) {
    return sequence_count(vm, args[0], args[1]);
}

static Value list_clear(GenVM *vm, Value *args) {
    drop_storage(vm, AS_LIST(args[0]));
    return VALUE_NONE;
}

static Value list_copy(GenVM *vm, Value *args) {
    return list_from_array(vm, AS_LIST(args[0])->items, AS_LIST(args[0])->count);
}

static Value list_reverse(GenVM *vm, Value *args) {
    List *list = AS_LIST(args[0]);
    if (!foresee_moves(vm, list->count) || !charge_items(vm, list->count / 4)) return VALUE_ERROR;
    for (uint64_t i = 0, j = list->count; i + 1 < j; i++) {
        Value item = list->items[i];
        list->items[i] = list->items[--j];
        list->items[j] = item;
    }
    return VALUE_NONE;
}

static Value list_reversed(GenVM *vm, Value *args) {
    return list_iterator_new(vm, TYPE_LIST_REVERSE_ITERATOR, args[0],
                             (int64_t)AS_LIST(args[0])->count - 1);
}

static Value list_sizeof(GenVM *vm, Value *args) {
    (void)vm;
    return int_value((int64_t)(sizeof(List) + AS_LIST(args[0])->capacity * sizeof(Value)));
}

static Value list_class_getitem(GenVM *vm, Value *args) {
    return generic_alias_new(vm, args[0], args[1]);
}

/* _engine.list_take(list): a new list with its items; the old one is empty. _engine.list_give(list,
 * items): gives them back and tells whether the list was left alone meanwhile. */
static Value engine_list_take(GenVM *vm, Value *args) {
    List *list = AS_LIST(args[0]);
    Value taken = list_new(vm, 0);
    if (taken == VALUE_ERROR) return taken;
    List *target = AS_LIST(taken);
    target->count = list->count;
    target->capacity = list->capacity;
    target->items = list->items;
    target->buffer = list->buffer;
    list->count = list->capacity = 0;
    list->items = NULL;
    list->buffer = NULL;
    list->header.flags |= LIST_TAKEN;
    return taken;
}

static Value engine_list_give(GenVM *vm, Value *args) {
    List *list = AS_LIST(args[0]), *source = AS_LIST(args[1]);
    bool untouched = list->capacity == 0 && list->header.flags & LIST_TAKEN;
    list->header.flags &= (uint8_t)~LIST_TAKEN;
    list->count = source->count;
    list->capacity = source->capacity;
    list->items = source->items;
    list->buffer = source->buffer;
    source->count = source->capacity = 0;
    source->items = NULL;
    source->buffer = NULL;
    gc_barrier(vm, list);
    return bool_value(untouched);
}

/* _engine.list_delete(list, i, item): removes item i if it is still that one. */
static Value engine_list_delete(GenVM *vm, Value *args) {
    List *list = AS_LIST(args[0]);
    uint64_t i = (uint64_t)as_int(args[1]);
    if (i < list->count) remove_at(vm, list, i, 1);
    return VALUE_NONE;
}

const NativeDef engine_list_natives[] = {
    {"list_put_all(list: list, iterator, /)", engine_put_all, NULL},
    {"list_take(items: list, /)", engine_list_take, NULL},
    {"list_give(items: list, taken: list, /)", engine_list_give, NULL},
    {"list_delete(items: list, position: index, /)", engine_list_delete, NULL},
    {NULL, NULL, NULL},
};

static const char list_doc[] = "Built-in mutable sequence.\n\nIf no argument is given, the "
                               "constructor creates a new empty list.\n"
                               "The argument must be an iterable if specified.";

static const NativeDef list_constructor = {"list(cls, iterable = ?, /)", list_construct, list_doc};

static const NativeDef list_methods[] = {
    {"static __new__(cls, /, *args, **kwargs)", list_new_method,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__init__(self, iterable = ?, /)", list_init,
     "Initialize self.  See help(type(self)) for accurate signature."},
    {"append(self, object, /)", list_append_method, "Append object to the end of the list."},
    {"clear(self, /)", list_clear, "Remove all items from list."},
    {"copy(self, /)", list_copy, "Return a shallow copy of the list."},
    {"count(self, value, /)", list_count, "Return number of occurrences of value."},
    {"extend(self, iterable, /)", list_extend,
     "Extend list by appending elements from the iterable."},
    {"index(self, value, start = 0, stop = 2305843009213693951, /)", list_index,
     "Return first index of value.\n\nRaises ValueError if the value is not present."},
    {"insert(self, index: size, object, /)", list_insert, "Insert object before index."},
    {"pop(self, index: size = -1, /)", list_pop,
     "Remove and return item at index (default last).\n\nRaises IndexError if list is empty or "
     "index "
     "is out of range."},
    {"remove(self, value, /)", list_remove,
     "Remove first occurrence of value.\n\nRaises ValueError if the value is not present."},
    {"reverse(self, /)", list_reverse, "Reverse *IN PLACE*."},
    {"sort(self, /, *, key = None, reverse: bool = False)", list_sort,
     "Sort the list in ascending order and return None.\n\nThe sort is in-place (i.e. the list "
     "itself "
     "is modified) and stable (i.e. the\norder of two equal elements is maintained).\n\nIf a key "
     "function is given, apply it once to each list item and sort them,\nascending or descending, "
     "according to their function values.\n\nThe reverse flag can be set to sort in descending "
     "order."},
    {"__reversed__(self, /)", list_reversed, "Return a reverse iterator over the list."},
    {"__sizeof__(self, /)", list_sizeof, "Return the size of the list in memory, in bytes."},
    {"classmethod __class_getitem__(cls, item, /)", list_class_getitem, "See PEP 585"},
    {NULL, NULL, NULL},
};

static const NativeFast list_fast_methods[] = {
    {"pop", fast_pop}, {"insert", fast_insert}, {NULL, NULL}};

const BuiltinType list_type = {
    .name = "list",
    .base = TYPE_OBJECT,
    .flags = TYPE_UNHASHABLE | TYPE_SEQUENCE | TYPE_MATCH_SELF,
    .size = sizeof(List),
    .doc = list_doc,
    .construct = &list_constructor,
    .methods = list_methods,
    .fast_methods = list_fast_methods,
    .slots = {.repr = list_repr,
              .len = list_len,
              .getitem = list_getitem,
              .setitem = list_setitem,
              .contains = sequence_contains,
              .iter = list_iter,
              .binary = list_binary,
              .inplace = list_inplace,
              .compare = list_compare,
              .trace = list_trace},
};
