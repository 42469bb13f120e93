/* deque.c - module _collections: the methods of collections.deque that every queue calls all the
 * time. The class and its other methods are written in Gen (collections/__init__.gen): a list, the
 * position of the first item in it, the greatest length and a version that changes with each
 * change, in the first slots of the instance. equip(cls) gives the class these methods.
 */
#include "stdlib/modules.h"
#include "vm/objects.h"
#include "vm/type_private.h"

enum { SLOT_ITEMS, SLOT_HEAD, SLOT_MAXLEN, SLOT_VERSION }; /* the order of deque.__slots__ */
enum { HOLE = 32 }; /* free places at the front that are not worth moving the items for */

typedef struct Deque {
    Instance *instance;
    List *list;
    uint64_t head, limit; /* the limit: UINT64_MAX without one */
} Deque;

/* What the slots hold, a new deque's where __init__ was not called. Scripts can reach the slots:
 * false with TypeError if they hold no deque. */
static bool open_deque(GenVM *vm, Value self, Deque *deque) {
    Value *slots = AS(Instance, self)->slots;
    deque->instance = AS(Instance, self);
    if (slots[SLOT_ITEMS] == VALUE_UNSET) {
        Value list = list_new(vm, 0);
        if (list == VALUE_ERROR) return false;
        slots[SLOT_ITEMS] = list;
        slots[SLOT_HEAD] = slots[SLOT_VERSION] = int_value(0);
        slots[SLOT_MAXLEN] = VALUE_NONE;
        gc_barrier(vm, deque->instance);
    }
    Value head = slots[SLOT_HEAD], limit = slots[SLOT_MAXLEN];
    bool whole = is_exact(slots[SLOT_ITEMS], TYPE_LIST) && are_ints(head, slots[SLOT_VERSION]) &&
                 (limit == VALUE_NONE || is_int(limit));
    if (whole) {
        deque->list = AS_LIST(slots[SLOT_ITEMS]);
        deque->head = (uint64_t)as_int(head);
        deque->limit = is_int(limit) ? (uint64_t)as_int(limit) : UINT64_MAX;
        whole = deque->head <= deque->list->count;
    }
    if (!whole) raise_type(vm, "the slots of a deque were overwritten");
    return whole;
}

static void changed(Deque *deque) {
    Value *version = &deque->instance->slots[SLOT_VERSION];
    *version = int_value((as_int(*version) + 1) & 0xFFFFFFFF);
}

static void set_head(Deque *deque, uint64_t head) {
    deque->head = head;
    deque->instance->slots[SLOT_HEAD] = int_value((int64_t)head);
}

/* Moves the items to the front of the list when half of it is a hole: a constant time an item. */
static Value take_first(Deque *deque) {
    List *list = deque->list;
    Value first = list->items[deque->head];
    list->items[deque->head] = VALUE_NONE;
    set_head(deque, deque->head + 1);
    if (deque->head > HOLE && deque->head * 2 > list->count) {
        list->count -= deque->head;
        memmove(list->items, list->items + deque->head, list->count * sizeof(Value));
        set_head(deque, 0);
    }
    return first;
}

static Value append(GenVM *vm, Value *args) {
    Deque deque;
    if (!open_deque(vm, args[0], &deque)) return VALUE_ERROR;
    if (!list_append(vm, object_value(deque.list), args[1])) return VALUE_ERROR;
    changed(&deque);
    if (deque.list->count - deque.head > deque.limit) take_first(&deque);
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
    if (deque.list->count - deque.head > deque.limit) deque.list->count--;
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

static const NativeDef methods[] = {
    {"append(self, item, /)", append, "Add an element to the right side of the deque."},
    {"appendleft(self, item, /)", append_left, "Add an element to the left side of the deque."},
    {"pop(self, /)", pop, "Remove and return the rightmost element."},
    {"popleft(self, /)", pop_left, "Remove and return the leftmost element."},
    {"__len__(self, /)", length, "Return len(self)."},
    {NULL, NULL, NULL},
};

/* _collections.equip(cls): cls has the slots named above. */
static Value equip(GenVM *vm, Value *args) {
    if (!is_type(args[0])) return raise_type(vm, "equip() takes a class");
    Type *type = type_from(args[0]);
    if (type->is_builtin || type->member_count <= SLOT_VERSION)
        return raise_type(vm, "equip() takes a class with the slots of a deque");
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

static const NativeDef functions[] = {
    {"equip(cls, /)", equip, NULL},
    {NULL, NULL, NULL},
};

const NativeModule collections_module = {"_collections", functions, NULL};
