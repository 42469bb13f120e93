/* name_set.c: see name_set.h. The table is at most half full. */
#include "name_set.h"

#define FIRST_CAPACITY 16u

static uint32_t find_slot(const NameSet *set, const AstName *name) {
    uint32_t mask = set->capacity - 1;
    uint32_t slot = name->hash & mask;
    while (set->slots[slot] != NULL && set->slots[slot] != name)
        slot = (slot + 1) & mask;
    return slot;
}

bool name_set_has(const NameSet *set, const AstName *name) {
    return set->capacity != 0 && set->slots[find_slot(set, name)] != NULL;
}

static bool grow(NameSet *set, Arena *arena) {
    NameSet larger = {.capacity = set->capacity == 0 ? FIRST_CAPACITY : 2 * set->capacity};
    larger.slots = arena_take_zeroed(arena, larger.capacity * sizeof *larger.slots);
    if (larger.slots == NULL) return false;
    for (uint32_t i = 0; i < set->capacity; i++) {
        if (set->slots[i] != NULL) larger.slots[find_slot(&larger, set->slots[i])] = set->slots[i];
    }
    larger.count = set->count;
    *set = larger;
    return true;
}

bool name_set_add(NameSet *set, Arena *arena, const AstName *name) {
    if (set->count >= set->capacity / 2 && !grow(set, arena)) return false;
    set->slots[find_slot(set, name)] = name;
    set->count++;
    return true;
}
