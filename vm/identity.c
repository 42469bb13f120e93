/* identity.c - numbers of objects that are not their addresses: of those that came with an image,
 * of those that lie where one of these lay, and of the constants that all VMs share.
 */
#include "vm/identity.h"
#include "vm/gc.h"
#include "vm/memory.h"
#include "vm/shared.h"

/* Where no address is: constants, the same in all processes; objects whose address is taken. */
static const uint64_t CONSTANTS = (uint64_t)1 << 48, SINGLETONS = (uint64_t)1 << 49,
                      RENAMED = (uint64_t)1 << 50, IDENTITY_MOST = (uint64_t)1 << 60;

typedef struct Renamed {
    const Object *object;
    uint64_t identity;
} Renamed;

/* Two indexes of open addressing: places in `entries` + 1. */
typedef struct Identities {
    Renamed *entries;
    uint32_t *by_object, *by_identity;
    uint64_t mask;
    uint32_t count, room; /* room: for objects that are given a number; as many again may have to
                             make way for them */
    uint64_t made;        /* numbers above RENAMED */
} Identities;

static uint64_t start_of(uint64_t key, uint64_t mask) {
    return (key * 0x9E3779B97F4A7C15u >> 20) & mask;
}

static const Renamed *find_object(const Identities *table, const Object *object) {
    for (uint64_t at = start_of((uintptr_t)object, table->mask);; at = (at + 1) & table->mask) {
        uint32_t place = table->by_object[at];
        if (!place) return NULL;
        if (table->entries[place - 1].object == object) return &table->entries[place - 1];
    }
}

static bool is_taken(const Identities *table, uint64_t identity) {
    for (uint64_t at = start_of(identity, table->mask);; at = (at + 1) & table->mask) {
        uint32_t place = table->by_identity[at];
        if (!place) return false;
        if (table->entries[place - 1].identity == identity) return true;
    }
}

static void put_in_index(uint32_t *index, uint64_t mask, uint64_t key, uint32_t place) {
    uint64_t at = start_of(key, mask);
    while (index[at])
        at = (at + 1) & mask;
    index[at] = place;
}

static void index_entry(Identities *table, uint32_t i) {
    const Renamed *entry = &table->entries[i];
    put_in_index(table->by_object, table->mask, (uintptr_t)entry->object, i + 1);
    put_in_index(table->by_identity, table->mask, entry->identity, i + 1);
}

static void index_all(Identities *table) {
    memset(table->by_object, 0, (table->mask + 1) * sizeof *table->by_object);
    memset(table->by_identity, 0, (table->mask + 1) * sizeof *table->by_identity);
    for (uint32_t i = 0; i < table->count; i++)
        index_entry(table, i);
}

static void add(Identities *table, Object *object, uint64_t identity) {
    table->entries[table->count++] = (Renamed){object, identity};
    index_entry(table, table->count - 1);
    object->gc |= GC_IDENTIFIED | GC_RENAMED;
}

static uint64_t constant_identity(const GenVM *vm, const Object *object) {
    uintptr_t at = (uintptr_t)object, shared = (uintptr_t)vm->shared;
    if (at - shared < sizeof *vm->shared) return CONSTANTS + (at - shared);
    at -= (uintptr_t)gen_singletons;
    return at < sizeof gen_singletons ? SINGLETONS + at : (uintptr_t)object;
}

/* There is room: no number that was given has more than one address that it takes. */
static uint64_t rename_object(Identities *table, Object *object) {
    uint64_t identity;
    do
        identity = RENAMED + table->made++ * GC_GRANULE;
    while (is_taken(table, identity));
    add(table, object, identity);
    return identity;
}

uint64_t identity_tell(GenVM *vm, Object *object) {
    uint64_t address = (uint64_t)(uintptr_t)object;
    Identities *table = vm->identities;
    if (object->gc & GC_PERMANENT) return constant_identity(vm, object);
    if (object->gc & GC_RENAMED) return find_object(table, object)->identity;
    if (table && is_taken(table, address)) return rename_object(table, object);
    object->gc |= GC_IDENTIFIED;
    vm->has_identified = true;
    return address;
}

/* ---- those of another VM ---- */

static void free_storage(Identities *table) {
    memory_free(table->entries);
    memory_free(table->by_object);
    memory_free(table->by_identity);
}

bool identities_reserve(GenVM *vm, uint64_t count) {
    if (!vm->identities && !(vm->identities = memory_new_zeroed(vm, 1, sizeof(Identities))))
        return raise_memory(vm), false;
    Identities *table = vm->identities, larger = *table;
    uint64_t room = table->count + count, slots = 16;
    if (room <= table->room) return true;
    while (slots < room * 4)
        slots *= 2;
    if (slots > UINT32_MAX || !gc_check_size(vm, room * 2 * sizeof(Renamed) + slots * 8))
        return raise_memory(vm), false;
    larger.entries = memory_new(vm, room * 2 * sizeof *larger.entries);
    larger.by_object = memory_new_zeroed(vm, slots, sizeof *larger.by_object);
    larger.by_identity = memory_new_zeroed(vm, slots, sizeof *larger.by_identity);
    if (!larger.entries || !larger.by_object || !larger.by_identity) {
        free_storage(&larger);
        return raise_memory(vm), false;
    }
    if (table->count) memcpy(larger.entries, table->entries, table->count * sizeof(Renamed));
    larger.mask = slots - 1;
    larger.room = (uint32_t)room;
    free_storage(table);
    *table = larger;
    index_all(table);
    return true;
}

void identities_give(GenVM *vm, Object *object, uint64_t identity) {
    Identities *table = vm->identities;
    if (object->gc & (GC_PERMANENT | GC_IDENTIFIED) || identity >= IDENTITY_MOST) return;
    if (is_taken(table, identity)) return;
    if (vm->has_identified && gc_is_identified(vm, (uintptr_t)identity)) return;
    add(table, object, identity);
}

void identities_sweep(GenVM *vm) {
    Identities *table = vm->identities;
    uint32_t kept = 0;
    for (uint32_t i = 0; table && i < table->count; i++)
        if (table->entries[i].object->gc & GC_MARKED) table->entries[kept++] = table->entries[i];
    if (!table || kept == table->count) return;
    table->count = kept;
    index_all(table);
}

void identities_free(GenVM *vm) {
    if (!vm->identities) return;
    free_storage(vm->identities);
    memory_free(vm->identities);
    vm->identities = NULL;
}
