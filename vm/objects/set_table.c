/* set_table.c - the hash table under set and frozenset. What sets mean to scripts is in set.c.
 *
 * Programs print sets of small ints, so the order in which a set is iterated shows. The table is
 * therefore laid out as CPython's: entries in slots by hash, runs of up to ten neighbours probed
 * before the next jump (where the run fits before the table's end), deleted entries left as
 * VALUE_DELETED and the last one passed reused by an insertion, growth by four (by two from 50,000
 * items on) when three fifths are filled.
 */
#include "vm/objects/containers.h"

enum { LINEAR_PROBES = 9, PERTURB_SHIFT = 5, SMALLEST_TABLE = 8, GROW_LESS_FROM = 50000 };

#define FREE_ENTRY                                                                                 \
    { VALUE_UNSET, 0 }
static const SetEntry empty_table[SMALLEST_TABLE] = {
    FREE_ENTRY, FREE_ENTRY, FREE_ENTRY, FREE_ENTRY, FREE_ENTRY, FREE_ENTRY, FREE_ENTRY, FREE_ENTRY};

void set_init(Set *set) {
    set->mask = SMALLEST_TABLE - 1;
    set->filled = set->count = set->finger = 0;
    set->version++;
    set->hashed = set->has_objects = false;
    set->table = (SetEntry *)empty_table;
    set->buffer = NULL;
}

static inline uint64_t run_length(uint64_t slot, uint64_t mask) {
    return slot + LINEAR_PROBES <= mask ? LINEAR_PROBES : 0;
}

static inline uint64_t next_run(uint64_t slot, uint64_t *perturb, uint64_t mask) {
    *perturb >>= PERTURB_SHIFT;
    return (slot * 5 + 1 + *perturb) & mask;
}

static __attribute__((noinline)) SetEntry *free_entry_on(SetEntry *table, uint64_t mask,
                                                         uint64_t hash) {
    uint64_t slot = hash & mask, perturb = hash;
    for (;;) {
        for (uint64_t i = slot, last = slot + run_length(slot, mask); i <= last; i++)
            if (table[i].key == VALUE_UNSET) return &table[i];
        slot = next_run(slot, &perturb, mask);
    }
}

static inline SetEntry *free_entry(SetEntry *table, uint64_t mask, uint64_t hash) {
    SetEntry *entry = &table[hash & mask];
    return likely(entry->key == VALUE_UNSET) ? entry : free_entry_on(table, mask, hash);
}

/* Where a key known to be absent goes: the last deleted entry on the way to the first free one, or
 * that one. */
static SetEntry *place_for(Set *set, uint64_t hash) {
    if (set->filled == set->count) return free_entry(set->table, set->mask, hash);
    SetEntry *table = set->table, *deleted = NULL;
    uint64_t mask = set->mask, slot = hash & mask, perturb = hash;
    for (;;) {
        for (uint64_t i = slot, last = slot + run_length(slot, mask); i <= last; i++) {
            if (table[i].key == VALUE_UNSET) return deleted ? deleted : &table[i];
            if (table[i].key == VALUE_DELETED) deleted = &table[i];
        }
        slot = next_run(slot, &perturb, mask);
    }
}

static SetEntry *new_table(GenVM *vm, uint64_t slots, Buffer **buffer) {
    if (slots > UINT32_MAX) return raise_memory(vm), NULL;
    *buffer = gc_buffer_new(vm, slots * sizeof(SetEntry));
    if (!*buffer) return NULL;
    SetEntry *table = (SetEntry *)(*buffer)->data;
    for (uint64_t i = 0, end; i < slots; i = end) {
        end = native_piece(i, slots);
        for (uint64_t j = i; j < end; j += SMALLEST_TABLE)
            memcpy(table + j, empty_table, sizeof empty_table);
        if (end < slots && !native_look(vm)) return NULL;
    }
    return table;
}

static void give_table(GenVM *vm, Set *set, SetEntry *table, Buffer *buffer, uint64_t slots) {
    Buffer *old = set->buffer;
    set->table = table;
    set->buffer = buffer;
    set->mask = (uint32_t)(slots - 1);
    set->filled = set->count;
    set->version++;
    if (old) gc_buffer_free(vm, old);
    gc_barrier(vm, set);
}

/* Into a table without items go those of a set. */
static bool put_entries(GenVM *vm, SetEntry *table, uint64_t slots, Set *source) {
    SetCursor cursor = set_cursor(source);
    for (uint64_t i = 0, end; i < source->count; i = end) {
        end = native_piece(i, source->count);
        for (uint64_t j = i; j < end; j++) {
            const SetEntry *entry = set_cursor_next(&cursor);
            *free_entry(table, slots - 1, entry->hash) = *entry;
        }
        if (end < source->count && !native_look(vm)) return false;
    }
    return true;
}

bool set_resize(GenVM *vm, Set *set, uint64_t wanted) {
    uint64_t slots = SMALLEST_TABLE;
    while (slots <= wanted)
        slots <<= 1;
    Buffer *buffer;
    SetEntry *table = new_table(vm, slots, &buffer);
    if (!table || !put_entries(vm, table, slots, set)) return false;
    give_table(vm, set, table, buffer, slots);
    return true;
}

bool set_lay_out(GenVM *vm, Set *set, uint64_t slots) {
    Buffer *buffer;
    SetEntry *table = new_table(vm, slots, &buffer);
    if (!table) return false;
    set_init(set);
    give_table(vm, set, table, buffer, slots);
    return true;
}

bool set_place(GenVM *vm, Set *set, uint64_t slot, Value key, uint64_t hash) {
    if (slot > set->mask || set->table[slot].key != VALUE_UNSET) return false;
    set->table[slot] = (SetEntry){key, key == VALUE_DELETED ? 0 : hash};
    set->filled++;
    if (key == VALUE_DELETED) return true;
    set->count++;
    set->has_objects |= is_pointer(key);
    barrier_value(vm, set, key);
    return true;
}

bool set_prepare(GenVM *vm, Set *set, uint64_t more) {
    if ((set->filled + more) * 5 < (uint64_t)set->mask * 3) return true;
    return set_resize(vm, set, (set->count + more) * 2);
}

/* The whole search. Where the key is absent, *vacant is the free slot at which it ended. */
static __attribute__((noinline)) int64_t find_on(GenVM *vm, Set *set, Value key, uint64_t hash,
                                                 uint64_t *vacant) {
    const SetEntry *table = set->table;
    uint64_t mask = set->mask, slot = hash & mask, perturb = hash;
    for (;;) {
        for (uint64_t i = slot, last = slot + run_length(slot, mask); i <= last; i++) {
            if (table[i].key == key) return (int64_t)i;
            if (table[i].key == VALUE_UNSET) {
                *vacant = i;
                return ENTRY_ABSENT;
            }
            if (table[i].hash != hash || table[i].key == VALUE_DELETED) continue;
            Leaf equal = items_equal(vm, table[i].key, key);
            if (equal == LEAF_TRUE) return (int64_t)i;
            if (equal != LEAF_FALSE) return equal == LEAF_ERROR ? ENTRY_ERROR : ENTRY_SCRIPT;
        }
        slot = next_run(slot, &perturb, mask);
    }
}

/* Most searches end at the first slot. */
static inline int64_t find_quickly(GenVM *vm, Set *set, Value key, uint64_t hash,
                                   uint64_t *vacant) {
    uint64_t slot = hash & set->mask;
    Value held = set->table[slot].key;
    *vacant = slot;
    if (held == key) return (int64_t)slot;
    return held == VALUE_UNSET ? ENTRY_ABSENT : find_on(vm, set, key, hash, vacant);
}

int64_t set_find(GenVM *vm, Set *set, Value key, uint64_t hash) {
    uint64_t vacant;
    return find_quickly(vm, set, key, hash, &vacant);
}

static bool first_table(GenVM *vm, Set *set) { /* instead of the shared empty one */
    Buffer *buffer;
    SetEntry *table = new_table(vm, SMALLEST_TABLE, &buffer);
    if (table) give_table(vm, set, table, buffer, SMALLEST_TABLE);
    return table != NULL;
}

/* Without memory for a larger table the set stays as it was: a full one would never end a search.
 */
static inline bool note_insertion(GenVM *vm, Set *set, SetEntry *entry, Value key, bool reused) {
    set->filled += !reused;
    set->count++;
    set->version++;
    if (is_pointer(key)) {
        set->has_objects = true;
        gc_barrier(vm, set);
    }
    if (likely(reused || (uint64_t)set->filled * 5 < (uint64_t)set->mask * 3)) return true;
    if (set_resize(vm, set, set->count > GROW_LESS_FROM ? set->count * 2ull : set->count * 4ull))
        return true;
    entry->key = VALUE_UNSET;
    set->filled--;
    set->count--;
    return false;
}

bool set_insert(GenVM *vm, Set *set, Value key, uint64_t hash) {
    if (!set->buffer && !first_table(vm, set)) return false;
    SetEntry *entry = place_for(set, hash);
    bool reused = entry->key == VALUE_DELETED;
    *entry = (SetEntry){key, hash};
    return note_insertion(vm, set, entry, key, reused);
}

Leaf set_add_hashed(GenVM *vm, Set *set, Value key, uint64_t hash) {
    uint64_t slot = hash & set->mask;
    if (set->table[slot].key == key) return LEAF_TRUE;
    if (set->table[slot].key != VALUE_UNSET) {
        int64_t found = find_on(vm, set, key, hash, &slot);
        if (found >= 0) return LEAF_TRUE;
        if (found != ENTRY_ABSENT) return entry_leaf(found);
    }
    if (unlikely(set->filled != set->count || !set->buffer))
        return set_insert(vm, set, key, hash) ? LEAF_TRUE : LEAF_ERROR;
    set->table[slot] = (SetEntry){key, hash};
    return note_insertion(vm, set, &set->table[slot], key, false) ? LEAF_TRUE : LEAF_ERROR;
}

void set_remove(Set *set, uint32_t slot) {
    set->table[slot].key = VALUE_DELETED;
    set->count--;
    set->version++;
}

bool set_next(Set *set, uint32_t *position, Value *key, uint64_t *hash) {
    for (uint64_t i = *position; i <= set->mask; i++) {
        if (!set_entry_is_live(set->table[i].key)) continue;
        *key = set->table[i].key;
        *hash = set->table[i].hash;
        *position = (uint32_t)(i + 1);
        return true;
    }
    *position = set->mask + 1;
    return false;
}

/* Into an empty set the items go without a comparison, and all at once where the tables are alike.
 */
static Leaf merge_into_empty(GenVM *vm, Set *set, Set *source) {
    uint64_t slots = set->mask + 1ull;
    if ((uint64_t)source->count * 5 >= (uint64_t)set->mask * 3)
        for (slots = SMALLEST_TABLE; slots <= source->count * 2ull;)
            slots <<= 1;
    Buffer *buffer;
    SetEntry *table;
    if (slots == source->mask + 1ull && source->filled == source->count) {
        buffer = gc_buffer_new(vm, slots * sizeof *table);
        if (!buffer) return LEAF_ERROR;
        table = (SetEntry *)buffer->data;
        if (!native_copy(vm, table, source->table, slots * sizeof *table)) return LEAF_ERROR;
    } else {
        table = new_table(vm, slots, &buffer);
        if (!table || !put_entries(vm, table, slots, source)) return LEAF_ERROR;
    }
    set->count = source->count;
    set->has_objects = source->has_objects;
    give_table(vm, set, table, buffer, slots);
    return LEAF_TRUE;
}

/* Into a table without deleted items and with room for all: an insertion needs no more than the
 * place at which the search ended. */
static Leaf merge_with_room(GenVM *vm, Set *set, Set *source) {
    SetEntry *table = set->table;
    const SetEntry *entry;
    uint64_t vacant;
    uint32_t before = set->count;
    Leaf done = LEAF_TRUE;
    for (SetCursor cursor = set_cursor(source); (entry = set_cursor_next(&cursor));) {
        int64_t slot = find_quickly(vm, set, entry->key, entry->hash, &vacant);
        if (slot >= 0) continue;
        if (unlikely(slot != ENTRY_ABSENT)) {
            done = entry_leaf(slot);
            break;
        }
        table[vacant] = *entry;
        set->count++;
        set->has_objects |= is_pointer(entry->key);
    }
    set->filled = set->count;
    set->version += set->count - before;
    gc_barrier(vm, set);
    return done;
}

Leaf set_merge(GenVM *vm, Set *set, Set *source) {
    if (set == source || source->count == 0) return LEAF_TRUE;
    if (!charge_items(vm, source->count)) return LEAF_ERROR;
    if (set->filled == 0) return merge_into_empty(vm, set, source);
    if (!set_prepare(vm, set, source->count)) return LEAF_ERROR;
    if (set->filled == 0) return merge_into_empty(vm, set, source);
    if (set->filled == set->count && set->buffer) return merge_with_room(vm, set, source);
    const SetEntry *entry;
    for (SetCursor cursor = set_cursor(source); (entry = set_cursor_next(&cursor));) {
        Leaf added = set_add_hashed(vm, set, entry->key, entry->hash);
        if (added != LEAF_TRUE) return added;
    }
    return LEAF_TRUE;
}

/* Into `result`, a set made for it, the items of `source` that are (wanted) or are not in `other`:
 * items of one set, so no two are equal. */
Leaf set_select(GenVM *vm, Set *result, Set *source, Set *other, bool wanted) {
    const SetEntry *entry;
    uint64_t vacant;
    if (!result->buffer && source->count && !first_table(vm, result)) return LEAF_ERROR;
    for (SetCursor cursor = set_cursor(source); (entry = set_cursor_next(&cursor));) {
        int64_t slot = find_quickly(vm, other, entry->key, entry->hash, &vacant);
        if (unlikely(slot < ENTRY_ABSENT)) return entry_leaf(slot);
        if ((slot >= 0) != wanted) continue;
        SetEntry *place = free_entry(result->table, result->mask, entry->hash);
        *place = *entry;
        if (unlikely(!note_insertion(vm, result, place, entry->key, false))) return LEAF_ERROR;
    }
    return LEAF_TRUE;
}

Leaf set_toggle(GenVM *vm, Set *set, Set *other, uint32_t *position) {
    const SetEntry *entry;
    uint64_t vacant;
    SetCursor cursor = set_cursor(other);
    cursor.at += *position;
    for (; (entry = set_cursor_next(&cursor)); *position = (uint32_t)(entry + 1 - other->table)) {
        int64_t slot = find_quickly(vm, set, entry->key, entry->hash, &vacant);
        if (unlikely(slot < ENTRY_ABSENT)) return entry_leaf(slot);
        if (slot >= 0)
            set_remove(set, (uint32_t)slot);
        else if (!set_insert(vm, set, entry->key, entry->hash))
            return LEAF_ERROR;
    }
    return LEAF_TRUE;
}

/* How many slots a table has after `count` insertions into an empty one. */
static uint64_t slots_after(uint64_t count) {
    uint64_t slots = SMALLEST_TABLE;
    for (;;) {
        uint64_t full = ((slots - 1) * 3 + 4) / 5; /* items at which it grows */
        if (count < full) return slots;
        for (uint64_t wanted = full * (full > GROW_LESS_FROM ? 2 : 4); slots <= wanted;)
            slots <<= 1;
    }
}

/* Numbers not below zero that are an odd step apart never share a slot, in no table that they pass
 * through: so each goes to its own slot in the last of them at once. */
Leaf set_add_range(GenVM *vm, Set *set, RangeIterator *range) {
    uint64_t count = (uint64_t)range->remaining;
    int64_t first = range->next, last = first + (range->remaining - 1) * range->step;
    if (range->remaining <= 0 || set->filled || !(range->step & 1) || first < 0 || last < 0 ||
        first >= SMALL_INT_MAX || last >= SMALL_INT_MAX || count > UINT32_MAX / 8)
        return LEAF_FALSE;
    Buffer *buffer;
    uint64_t slots = slots_after(count);
    if (slots < set->mask + 1ull) return LEAF_FALSE; /* one that was cleared keeps its table */
    if (!charge_items(vm, count)) return LEAF_ERROR;
    SetEntry *table = new_table(vm, slots, &buffer);
    if (!table) return LEAF_ERROR;
    int64_t i = first;
    for (uint64_t done = 0, end; done < count; done = end) {
        end = native_piece(done, count);
        for (uint64_t n = done; n < end; n++, i += range->step)
            table[(uint64_t)i & (slots - 1)] = (SetEntry){int_value(i), (uint64_t)i};
        if (end < count && !native_look(vm)) return LEAF_ERROR;
    }
    set->count = (uint32_t)range->remaining;
    range->next = last + range->step;
    range->remaining = 0;
    give_table(vm, set, table, buffer, slots);
    return LEAF_TRUE;
}

int64_t set_probe(GenVM *vm, Set *set, Value key, uint64_t hash, int64_t state) {
    Probe probe;
    uint64_t mask = set->mask, perturb = hash;
    if (probe_unpack(state, set->version, &probe) && probe.slot <= mask) {
        for (unsigned i = 0; i < probe.step; i++)
            perturb >>= PERTURB_SHIFT;
        probe.run++;
    } else {
        probe = (Probe){.slot = hash & mask};
    }
    for (;;) {
        for (; probe.run <= run_length(probe.slot, mask); probe.run++) {
            uint64_t slot = probe.slot + probe.run;
            SetEntry *entry = &set->table[slot];
            if (entry->key == VALUE_UNSET) return PROBE_ABSENT;
            if (entry->hash != hash || entry->key == VALUE_DELETED) continue;
            Leaf equal = items_equal(vm, entry->key, key);
            if (equal == LEAF_TRUE) return PROBE_FOUND - (int64_t)slot;
            if (equal == LEAF_ERROR) return PROBE_ERROR;
            if (equal == LEAF_SCRIPT) return probe_pack(probe, set->version);
        }
        probe.slot = next_run(probe.slot, &perturb, mask);
        probe.step += probe.step < 15; /* all of the hash is shifted out after 13 */
        probe.run = 0;
    }
}

int64_t set_probe_of(Set *set, Value held, uint64_t hash) {
    uint64_t mask = set->mask, perturb = hash;
    Probe probe = {.slot = hash & mask};
    for (;;) {
        for (; probe.run <= run_length(probe.slot, mask); probe.run++) {
            Value key = set->table[probe.slot + probe.run].key;
            if (key == VALUE_UNSET) return 0;
            if (key == held) return probe_pack(probe, set->version);
        }
        probe.slot = next_run(probe.slot, &perturb, mask);
        probe.step += probe.step < 15;
        probe.run = 0;
    }
}

int64_t set_probe_entry(Set *set, int64_t state) {
    Probe probe;
    if (!probe_unpack(state, set->version, &probe)) return -1;
    uint64_t slot = probe.slot + probe.run;
    return slot <= set->mask && set_entry_is_live(set->table[slot].key) ? (int64_t)slot : -1;
}
