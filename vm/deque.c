/* deque.c - the methods of collections.deque that every queue calls all the time. The class and its
 * other methods are written in Gen (stdlib/prelude/deque.gen): a list, the position of the first
 * item in it, the greatest length and a version that changes with each change, in the first slots
 * of the instance. _engine.equip_deque(cls) gives the class these methods.
 */
#include "vm/engine_module.h"
#include "vm/objects.h"
#include "vm/type_private.h"

enum { SLOT_HEAD, SLOT_ITEMS, SLOT_MAXLEN, SLOT_VERSION }; /* deque.__slots__, by name */
enum { HOLE = 32 }; /* free places at the front that are not worth moving the items for */

typedef struct Deque {
    Instance *instance;
    List *list;
    uint64_t head;
} Deque;

/* The slots of a deque whose __init__ was not called. */
static COLD bool make_slots(GenVM *vm, Instance *instance) {
    Value list = list_new(vm, 0);
    if (list == VALUE_ERROR) return false;
    instance->slots[SLOT_ITEMS] = list;
    instance->slots[SLOT_HEAD] = instance->slots[SLOT_VERSION] = int_value(0);
    instance->slots[SLOT_MAXLEN] = VALUE_NONE;
    gc_barrier(vm, instance);
    return true;
}

/* Scripts can reach the slots: do they hold what makes a deque? */
static inline bool is_whole(const Value *slots) {
    return is_exact(slots[SLOT_ITEMS], TYPE_LIST) &&
           are_ints(slots[SLOT_HEAD], slots[SLOT_VERSION]) &&
           (slots[SLOT_MAXLEN] == VALUE_NONE || is_int(slots[SLOT_MAXLEN])) &&
           (uint64_t)as_int(slots[SLOT_HEAD]) <= AS_LIST(slots[SLOT_ITEMS])->count;
}

static COLD bool mend_slots(GenVM *vm, Instance *instance) {
    if (instance->slots[SLOT_ITEMS] == VALUE_UNSET) return make_slots(vm, instance);
    raise_type(vm, "the slots of a deque were overwritten");
    return false;
}

static inline bool open_deque(GenVM *vm, Value self, Deque *deque) {
    deque->instance = AS(Instance, self);
    const Value *slots = deque->instance->slots;
    if (unlikely(!is_whole(slots)) && !mend_slots(vm, deque->instance)) return false;
    deque->list = AS_LIST(slots[SLOT_ITEMS]);
    deque->head = (uint64_t)as_int(slots[SLOT_HEAD]);
    return true;
}

/* It has more items than its maxlen lets it have. */
static inline bool is_overfull(const Deque *deque) {
    Value limit = deque->instance->slots[SLOT_MAXLEN];
    return unlikely(limit != VALUE_NONE) &&
           deque->list->count - deque->head > (uint64_t)as_int(limit);
}

static inline void changed(Deque *deque) {
    Value *version = &deque->instance->slots[SLOT_VERSION];
    *version = (*version + int_value(1)) & (int_value((int64_t)1 << 32) - 1);
}

static inline void set_head(Deque *deque, uint64_t head) {
    deque->head = head;
    deque->instance->slots[SLOT_HEAD] = int_value((int64_t)head);
}

static COLD void close_hole(Deque *deque) {
    List *list = deque->list;
    list->count -= deque->head;
    memmove(list->items, list->items + deque->head, list->count * sizeof(Value));
    set_head(deque, 0);
}

/* Moves the items to the front of the list when half of it is a hole: a constant time an item. */
static inline Value take_first(Deque *deque) {
    List *list = deque->list;
    Value first = list->items[deque->head];
    list->items[deque->head] = VALUE_NONE;
    set_head(deque, deque->head + 1);
    if (unlikely(deque->head > HOLE && deque->head * 2 > list->count)) close_hole(deque);
    return first;
}

static Value append(GenVM *vm, Value *args) {
    Deque deque;
    if (!open_deque(vm, args[0], &deque)) return VALUE_ERROR;
    List *list = deque.list;
    if (likely(list->count < list->capacity)) {
        list->items[list->count++] = args[1];
        gc_barrier(vm, list);
    } else if (!list_append(vm, object_value(list), args[1])) {
        return VALUE_ERROR;
    }
    changed(&deque);
    if (is_overfull(&deque)) take_first(&deque);
    return VALUE_NONE;
}

/* Makes a hole of as many places as there are items at the front. */
static bool make_hole(GenVM *vm, Deque *deque) {
    List *list = deque->list;
    uint64_t count = list->count, room = count + 8;
    if (!list_reserve(vm, list, count + room)) return false;
    memmove(list->items + room, list->items, count * sizeof(Value));
    for (uint64_t i = 0; i < room; i++)
        list->items[i] = VALUE_NONE;
    list->count += room;
    set_head(deque, room);
    return true;
}

static Value append_left(GenVM *vm, Value *args) {
    Deque deque;
    if (!open_deque(vm, args[0], &deque)) return VALUE_ERROR;
    if (deque.head == 0 && !make_hole(vm, &deque)) return VALUE_ERROR;
    set_head(&deque, deque.head - 1);
    deque.list->items[deque.head] = args[1];
    gc_barrier(vm, deque.list);
    changed(&deque);
    if (is_overfull(&deque)) deque.list->count--;
    return VALUE_NONE;
}

static Value pop(GenVM *vm, Value *args) {
    Deque deque;
    if (!open_deque(vm, args[0], &deque)) return VALUE_ERROR;
    if (deque.list->count == deque.head) return raise_index(vm, "pop from an empty deque");
    changed(&deque);
    return deque.list->items[--deque.list->count];
}

static Value pop_left(GenVM *vm, Value *args) {
    Deque deque;
    if (!open_deque(vm, args[0], &deque)) return VALUE_ERROR;
    if (deque.list->count == deque.head) return raise_index(vm, "pop from an empty deque");
    changed(&deque);
    return take_first(&deque);
}

static Value length(GenVM *vm, Value *args) {
    Deque deque;
    if (!open_deque(vm, args[0], &deque)) return VALUE_ERROR;
    return int_value((int64_t)(deque.list->count - deque.head));
}

/* Moves the items by `by` places to the right, less than there are of them: the shorter way round.
 * The hole at the front, or room at the end, is made once. */
static bool turn(GenVM *vm, Deque *deque, uint64_t by) {
    uint64_t count = deque->list->count - deque->head;
    if (by <= count / 2) {
        while (deque->head < by)
            if (!make_hole(vm, deque)) return false;
        List *list = deque->list;
        uint64_t to = deque->head - by;
        memmove(list->items + to, list->items + list->count - by, by * sizeof(Value));
        list->count -= by;
        set_head(deque, to);
    } else {
        by = count - by;
        List *list = deque->list;
        if (!list_reserve(vm, list, list->count + by)) return false;
        memmove(list->items + list->count, list->items + deque->head, by * sizeof(Value));
        list->count += by;
        for (uint64_t i = 0; i < by; i++)
            list->items[deque->head + i] = VALUE_NONE;
        set_head(deque, deque->head + by);
        if (deque->head > HOLE && deque->head * 2 > list->count) close_hole(deque);
    }
    gc_barrier(vm, deque->list);
    return true;
}

/* An item that is moved takes a nanosecond at least, and again where it leaves a hole; so do all of
 * them where room has to be made. */
static bool foresee_turn(GenVM *vm, const Deque *deque, uint64_t count, uint64_t moved,
                         bool to_right) {
    enum { MUCH = 1 << 16 };
    if (moved < MUCH) return true;
    bool has_room =
        to_right ? deque->head >= moved : deque->list->capacity - deque->list->count >= moved;
    return native_foresee(vm, 2 * moved + (has_room ? 0 : 2 * count));
}

static Value rotate(GenVM *vm, Value *args) {
    Deque deque;
    if (!open_deque(vm, args[0], &deque)) return VALUE_ERROR;
    int64_t count = (int64_t)(deque.list->count - deque.head), by = as_int(args[1]);
    if (count < 2) return VALUE_NONE;
    by %= count;
    if (by < 0) by += count;
    int64_t moved = by <= count / 2 ? by : count - by;
    if (!foresee_turn(vm, &deque, (uint64_t)count, (uint64_t)moved, by <= moved) ||
        !native_afford(vm, (uint64_t)moved / 8))
        return VALUE_ERROR;
    if (by && !turn(vm, &deque, (uint64_t)by)) return VALUE_ERROR;
    changed(&deque);
    return VALUE_NONE;
}

/* The part of a method that is written in Gen. */
static Value call_slow(GenVM *vm, Value self, const char *name, uint32_t count, const Value *args) {
    Value key = str_intern_from(vm, name, strlen(name));
    Value method = key == VALUE_ERROR ? VALUE_ERROR : attribute_find(vm, self, key);
    if (method == VALUE_UNSET) return raise_type(vm, "the methods of deque were removed");
    return method == VALUE_ERROR ? VALUE_ERROR : native_call_array(vm, method, count, args);
}

static Value get_item(GenVM *vm, Value *args) {
    Deque deque;
    if (unlikely(!is_int(args[1]))) return call_slow(vm, args[0], "_get", 1, args + 1);
    if (!open_deque(vm, args[0], &deque)) return VALUE_ERROR;
    int64_t count = (int64_t)(deque.list->count - deque.head), at = as_int(args[1]);
    if (at < 0) at += count;
    if (at < 0 || at >= count) return raise_index(vm, "deque index out of range");
    return deque.list->items[deque.head + (uint64_t)at];
}

static Value set_item(GenVM *vm, Value *args) {
    Deque deque;
    if (unlikely(!is_int(args[1]))) return call_slow(vm, args[0], "_put", 2, args + 1);
    if (!open_deque(vm, args[0], &deque)) return VALUE_ERROR;
    int64_t count = (int64_t)(deque.list->count - deque.head), at = as_int(args[1]);
    if (at < 0) at += count;
    if (at < 0 || at >= count) return raise_index(vm, "deque index out of range");
    deque.list->items[deque.head + (uint64_t)at] = args[2];
    gc_barrier(vm, deque.list);
    return VALUE_NONE;
}

static const NativeDef methods[] = {
    {"append(self, item, /)", append, "Add an element to the right side of the deque."},
    {"appendleft(self, item, /)", append_left, "Add an element to the left side of the deque."},
    {"pop(self, /)", pop, "Remove and return the rightmost element."},
    {"popleft(self, /)", pop_left, "Remove and return the leftmost element."},
    {"__len__(self, /)", length, "Return len(self)."},
    {"rotate(self, n: size = 1, /)", rotate,
     "Rotate the deque n steps to the right. If n is negative, rotates left."},
    {"__getitem__(self, key, /)", get_item, "Return self[key]."},
    {"__setitem__(self, key, value, /)", set_item, "Set self[key] to value."},
    {NULL, NULL, NULL},
};

/* _engine.equip_deque(cls): cls has the slots named above. */
static Value equip(GenVM *vm, Value *args) {
    if (!is_type(args[0])) return raise_type(vm, "equip_deque() takes a class");
    Type *type = type_from(args[0]);
    if (type->is_builtin || type->member_count <= SLOT_VERSION)
        return raise_type(vm, "equip_deque() takes a class with the slots of a deque");
    Value made = dict_new(vm);
    if (made == VALUE_ERROR) return VALUE_ERROR;
    for (const NativeDef *def = methods; def->signature; def++)
        if (!type_add_native(vm, type, AS_DICT(made), def, 0)) return VALUE_ERROR;
    uint32_t position = 0;
    Value name, method;
    while (dict_next(AS_DICT(made), &position, &name, &method))
        if (!type_set_attribute(vm, type, name, method)) return VALUE_ERROR;
    return VALUE_NONE;
}

const NativeDef engine_deque_natives[] = {
    {"equip_deque(cls, /)", equip, "Gives collections.deque its methods in C."},
    {NULL, NULL, NULL},
};
