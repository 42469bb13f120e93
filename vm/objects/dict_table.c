/* dict_table.c - the hash table under dict: finding, adding and removing entries by hash, growth
 * and compaction. What a dict means to scripts is in dict.c.
 *
 *     index    [ - 2 - 0 - - 1 - ]        slots of 1, 2 or 4 bytes: entry numbers, or all ones
 * where free entries  [ k v h | k v h | k v h | ]  in order of insertion; a deleted one keeps its
 * place with key VALUE_UNSET
 *
 * Both lie in one Buffer. A deletion leaves the index alone: the slot goes on leading to the hole,
 * which equals no key, until a new key that passes it takes it over. So `filled`, the slots ever
 * taken, bounds the probes, and when it or the entries reach `capacity` (two thirds of the slots)
 * the table is rebuilt without its holes. Probing is CPython's: slot = 5 * slot + 1 + perturb,
 * perturb >>= 5.
 */
#include "vm/objects/containers.h"
#include "vm/objects/text.h"

enum { PERTURB_SHIFT = 5, FIRST_SLOTS = 8, BIG_INDEX = 4096 };

static const uint8_t empty_index[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

void dict_init(Dict *dict) {
    dict->used = dict->count = dict->filled = dict->capacity = dict->index_mask = dict->first = 0;
    dict->version++;
    dict->entries = NULL;
    dict->index = (void *)empty_index;
    dict->buffer = NULL;
}

/* ---- slots ---- */

static const uint32_t FREE_SLOT = UINT32_MAX;

/* The width of a slot follows from the mask: at most 2/3 of the slots are entries, so the free mark
 * never is one. */
static inline size_t slot_width(uint64_t mask) {
    return mask <= 0xff ? 1 : mask <= 0xffff ? 2 : 4;
}

static inline uint32_t slot_get(const void *index, uint64_t mask, uint64_t slot) {
    if (mask <= 0xff) {
        uint8_t entry = ((const uint8_t *)index)[slot];
        return entry == 0xff ? FREE_SLOT : entry;
    }
    if (mask <= 0xffff) {
        uint16_t entry = ((const uint16_t *)index)[slot];
        return entry == 0xffff ? FREE_SLOT : entry;
    }
    return ((const uint32_t *)index)[slot];
}

static inline void slot_set(void *index, uint64_t mask, uint64_t slot, uint32_t entry) {
    if (mask <= 0xff)
        ((uint8_t *)index)[slot] = (uint8_t)entry;
    else if (mask <= 0xffff)
        ((uint16_t *)index)[slot] = (uint16_t)entry;
    else
        ((uint32_t *)index)[slot] = entry;
}

static inline uint64_t next_slot(uint64_t slot, uint64_t *perturb, uint64_t mask) {
    *perturb >>= PERTURB_SHIFT;
    return (slot * 5 + *perturb + 1) & mask;
}

static inline uint64_t free_slot(const void *index, uint64_t mask, uint64_t hash) {
    uint64_t slot = hash & mask, perturb = hash;
    while (slot_get(index, mask, slot) != FREE_SLOT)
        slot = next_slot(slot, &perturb, mask);
    return slot;
}

/* ---- growth ---- */

/* A big index is kept sparse: each slot passed in it is likely to be a miss of the cache. */
static inline uint64_t usable(uint64_t slots) {
    return slots > BIG_INDEX ? slots / 2 : slots * 2 / 3;
}

static bool index_entries(GenVM *vm, void *index, uint64_t mask, const DictEntry *entries,
                          uint32_t used) {
    if (!native_fill(vm, index, 0xff, (mask + 1) * slot_width(mask))) return false;
    for (uint64_t i = 0, end; i < used; i = end) {
        end = native_piece(i, used);
        for (uint64_t j = i; j < end; j++)
            slot_set(index, mask, free_slot(index, mask, entries[j].hash), (uint32_t)j);
        if (end < used && !native_look(vm)) return false;
    }
    return true;
}

static bool copy_live_entries(GenVM *vm, DictEntry *target, const Dict *dict) {
    if (dict->used == dict->count)
        return native_copy(vm, target, dict->entries, dict->used * sizeof *target);
    for (uint64_t i = 0, end; i < dict->used; i = end) {
        end = native_piece(i, dict->used);
        for (uint64_t j = i; j < end; j++)
            if (dict->entries[j].key != VALUE_UNSET) *target++ = dict->entries[j];
        if (end < dict->used && !native_look(vm)) return false;
    }
    return true;
}

/* Rebuilds the table of `source` without holes in a new buffer of `dict`, with room for at least
 * `capacity` entries. The two may be the same. False, and nothing has changed, also when the
 * deadline of the task has come. */
static bool rebuild(GenVM *vm, Dict *dict, const Dict *source, uint64_t capacity) {
    uint64_t slots = FIRST_SLOTS;
    while (usable(slots) < capacity)
        slots <<= 1;
    if (slots > UINT32_MAX) return raise_memory(vm), false;
    uint64_t mask = slots - 1, room = usable(slots);
    Buffer *buffer = gc_buffer_new(vm, room * sizeof(DictEntry) + slots * slot_width(mask));
    if (!buffer) return false;
    DictEntry *entries = (DictEntry *)buffer->data;
    void *index = entries + room;
    if (!copy_live_entries(vm, entries, source) ||
        !index_entries(vm, index, mask, entries, source->count))
        return false;
    Buffer *old = dict->buffer;
    dict->first = 0;
    dict->used = dict->filled = dict->count = source->count;
    dict->capacity = (uint32_t)room;
    dict->index_mask = (uint32_t)mask;
    dict->entries = entries;
    dict->index = index;
    dict->buffer = buffer;
    if (old) gc_buffer_free(vm, old);
    gc_barrier(vm, dict);
    return true;
}

static inline bool has_room(const Dict *dict, uint64_t more) {
    return dict->filled + more <= dict->capacity && dict->used + more <= dict->capacity;
}

static COLD bool grow(GenVM *vm, Dict *dict) {
    return rebuild(vm, dict, dict, dict->count ? (uint64_t)dict->count * 2 : 1);
}

bool dict_reserve(GenVM *vm, Dict *dict, uint64_t more) {
    if (has_room(dict, more)) return true;
    return rebuild(vm, dict, dict, dict->count + more);
}

/* A table without holes is copied as it is, index included. */
bool dict_assign(GenVM *vm, Dict *dict, Dict *source) {
    if (source->count == 0) return true;
    if (source->filled != source->count || source->used != source->count) {
        if (!rebuild(vm, dict, source, source->count)) return false;
    } else {
        Buffer *buffer = gc_buffer_new(vm, source->buffer->capacity);
        if (!buffer) return false;
        size_t offset = (size_t)((uint8_t *)source->index - source->buffer->data);
        uint64_t mask = source->index_mask;
        if (!native_copy(vm, buffer->data, source->entries, source->used * sizeof(DictEntry)) ||
            !native_copy(vm, buffer->data + offset, source->index, (mask + 1) * slot_width(mask)))
            return false;
        dict->first = 0;
        dict->used = dict->filled = dict->count = source->count;
        dict->capacity = source->capacity;
        dict->index_mask = source->index_mask;
        dict->entries = (DictEntry *)buffer->data;
        dict->index = buffer->data + offset;
        dict->buffer = buffer;
        gc_barrier(vm, dict);
    }
    dict->version++;
    return true;
}

bool dict_fill(GenVM *vm, Dict *dict, const DictEntry *entries, uint32_t count, uint32_t capacity) {
    if (!dict_reserve(vm, dict, capacity)) return false;
    memcpy(dict->entries, entries, count * sizeof *entries);
    for (uint32_t i = 0; vm->own_shared_hashes && i < count; i++)
        dict->entries[i].hash = str_hash(vm, entries[i].key);
    if (!index_entries(vm, dict->index, dict->index_mask, dict->entries, count)) return false;
    dict->used = dict->filled = dict->count = count;
    dict->version++;
    return true;
}

/* ---- finding ---- */

/* The three ways to compare keys, chosen by the kind of the key looked for. */
typedef enum Match { MATCH_STR, MATCH_INT, MATCH_ANY } Match;

/* Of keys that are not the same object and have the same hash. */
static inline bool same_text(Value held, Value key) {
    const Str *a = AS_STR(held), *b = AS_STR(key);
    return a->size == b->size && text_equal(a->data, b->data, a->size);
}

static inline Leaf match_key(GenVM *vm, const DictEntry *entry, Value key, Match match) {
    if (match == MATCH_STR && is_exact(entry->key, TYPE_STR))
        return same_text(entry->key, key) ? LEAF_TRUE : LEAF_FALSE;
    if (match == MATCH_INT && is_int(entry->key)) return LEAF_FALSE;
    if (entry->key == VALUE_UNSET) return LEAF_FALSE;
    return items_equal(vm, entry->key, key);
}

static inline __attribute__((always_inline)) int64_t find(GenVM *vm, const Dict *dict, Value key,
                                                          uint64_t hash, Match match) {
    const void *index = dict->index;
    const DictEntry *entries = dict->entries;
    uint64_t mask = dict->index_mask, slot = hash & mask, perturb = hash;
    for (;;) {
        uint32_t number = slot_get(index, mask, slot);
        if (number == FREE_SLOT) return ENTRY_ABSENT;
        const DictEntry *entry = &entries[number];
        if (entry->key == key) return number;
        if (entry->hash == hash) {
            Leaf equal = match_key(vm, entry, key, match);
            if (equal == LEAF_TRUE) return number;
            if (equal != LEAF_FALSE) return equal == LEAF_ERROR ? ENTRY_ERROR : ENTRY_SCRIPT;
        }
        slot = next_slot(slot, &perturb, mask);
    }
}

static __attribute__((noinline)) int64_t find_str(GenVM *vm, Dict *dict, Value key, uint64_t hash) {
    return find(vm, dict, key, hash, MATCH_STR);
}

static __attribute__((noinline)) int64_t find_int(GenVM *vm, Dict *dict, Value key, uint64_t hash) {
    return find(vm, dict, key, hash, MATCH_INT);
}

static __attribute__((noinline)) int64_t find_any(GenVM *vm, Dict *dict, Value key, uint64_t hash) {
    return find(vm, dict, key, hash, MATCH_ANY);
}

/* The entry in the first slot if it holds this very key or none: most searches end there, without a
 * stack frame. */
static inline bool find_first(const Dict *dict, Value key, uint64_t hash, int64_t *entry) {
    uint64_t mask = dict->index_mask;
    uint32_t number = slot_get(dict->index, mask, hash & mask);
    *entry = number == FREE_SLOT ? ENTRY_ABSENT : (int64_t)number;
    return number == FREE_SLOT || dict->entries[number].key == key;
}

/* `entry` is that of the first slot: most equal texts are found there. */
static __attribute__((noinline)) int64_t find_text(GenVM *vm, Dict *dict, Value key, uint64_t hash,
                                                   int64_t entry) {
    const DictEntry *first = &dict->entries[entry];
    if (first->hash == hash && is_exact(first->key, TYPE_STR) && same_text(first->key, key))
        return entry;
    return find_str(vm, dict, key, hash);
}

int64_t dict_find(GenVM *vm, Dict *dict, Value key, uint64_t hash) {
    int64_t entry;
    if (find_first(dict, key, hash, &entry)) return entry;
    if (is_int(key)) return find_int(vm, dict, key, hash);
    if (!is_exact(key, TYPE_STR)) return find_any(vm, dict, key, hash);
    return find_text(vm, dict, key, hash, entry);
}

/* For names: a held key that is no str equals none. */
static __attribute__((noinline)) int64_t find_name(GenVM *vm, Dict *dict, Value key) {
    uint64_t hash = str_hash(vm, key);
    const DictEntry *entries = dict->entries;
    uint64_t mask = dict->index_mask, slot = hash & mask, perturb = hash;
    for (;;) {
        uint32_t number = slot_get(dict->index, mask, slot);
        if (number == FREE_SLOT) return ENTRY_ABSENT;
        const DictEntry *entry = &entries[number];
        if (entry->key == key) return number;
        if (entry->hash == hash && is_kind(entry->key, TYPE_STR) && same_text(entry->key, key))
            return number;
        slot = next_slot(slot, &perturb, mask);
    }
}

int64_t dict_find_str(GenVM *vm, Dict *dict, Value key) {
    int64_t entry;
    uint64_t hash = AS_STR(key)->hash;
    if (likely(hash) && find_first(dict, key, hash, &entry)) return entry;
    return find_name(vm, dict, key);
}

int64_t dict_probe(GenVM *vm, Dict *dict, Value key, uint64_t hash, int64_t state) {
    Probe probe;
    uint64_t mask = dict->index_mask, perturb = hash;
    if (probe_unpack(state, dict->version, &probe) && probe.slot <= mask) {
        for (unsigned i = 0; i < probe.step; i++)
            perturb >>= PERTURB_SHIFT;
        probe.slot = next_slot(probe.slot, &perturb, mask);
        probe.step += probe.step < 15; /* all of the hash is shifted out after 13 */
    } else {
        probe = (Probe){.slot = hash & mask};
    }
    for (;;) {
        uint32_t number = slot_get(dict->index, mask, probe.slot);
        if (number == FREE_SLOT) return PROBE_ABSENT;
        const DictEntry *entry = &dict->entries[number];
        if (entry->hash == hash && entry->key != VALUE_UNSET) {
            Leaf equal = items_equal(vm, entry->key, key);
            if (equal == LEAF_TRUE) return PROBE_FOUND - (int64_t)number;
            if (equal == LEAF_ERROR) return PROBE_ERROR;
            if (equal == LEAF_SCRIPT) return probe_pack(probe, dict->version);
        }
        probe.slot = next_slot(probe.slot, &perturb, mask);
        probe.step += probe.step < 15;
    }
}

/* Its holes may have been taken over by younger keys, which then come before older ones. */
bool dict_probe_in_order(const Dict *dict, uint64_t hash) {
    uint64_t mask = dict->index_mask, slot = hash & mask, perturb = hash;
    int64_t last = -1;
    for (;;) {
        uint32_t number = slot_get(dict->index, mask, slot);
        if (number == FREE_SLOT) return true;
        const DictEntry *entry = &dict->entries[number];
        if (entry->hash == hash && entry->key != VALUE_UNSET) {
            if (number < last) return false;
            last = number;
        }
        slot = next_slot(slot, &perturb, mask);
    }
}

int64_t dict_probe_of(Dict *dict, Value held, uint64_t hash) {
    uint64_t mask = dict->index_mask, perturb = hash;
    Probe probe = {.slot = hash & mask};
    for (;;) {
        uint32_t number = slot_get(dict->index, mask, probe.slot);
        if (number == FREE_SLOT) return 0;
        if (dict->entries[number].key == held) return probe_pack(probe, dict->version);
        probe.slot = next_slot(probe.slot, &perturb, mask);
        probe.step += probe.step < 15;
    }
}

int64_t dict_probe_entry(Dict *dict, int64_t state) {
    Probe probe;
    if (!probe_unpack(state, dict->version, &probe) || probe.slot > dict->index_mask) return -1;
    uint32_t number = slot_get(dict->index, dict->index_mask, probe.slot);
    if (number == FREE_SLOT || dict->entries[number].key == VALUE_UNSET) return -1;
    return number;
}

/* ---- adding and removing ---- */

/* The slot for a new key: one on its way that leads to a hole serves as well as a free one. */
static __attribute__((noinline)) uint64_t slot_past_holes(Dict *dict, uint64_t hash) {
    uint64_t mask = dict->index_mask, slot = hash & mask, perturb = hash;
    for (;;) {
        uint32_t number = slot_get(dict->index, mask, slot);
        if (number == FREE_SLOT) {
            dict->filled++;
            return slot;
        }
        if (dict->entries[number].key == VALUE_UNSET) return slot;
        slot = next_slot(slot, &perturb, mask);
    }
}

static inline uint64_t new_slot(Dict *dict, uint64_t hash) {
    if (unlikely(dict->filled != dict->count)) return slot_past_holes(dict, hash);
    dict->filled++;
    return free_slot(dict->index, dict->index_mask, hash);
}

bool dict_add(GenVM *vm, Dict *dict, Value key, uint64_t hash, Value value) {
    if (unlikely(!has_room(dict, 1)) && !grow(vm, dict)) return false;
    slot_set(dict->index, dict->index_mask, new_slot(dict, hash), dict->used);
    dict->entries[dict->used++] = (DictEntry){.key = key, .value = value, .hash = hash};
    dict->count++;
    dict->version++;
    barrier_value(vm, dict, key);
    barrier_value(vm, dict, value);
    return true;
}

void dict_remove(Dict *dict, uint32_t number) {
    DictEntry *entry = &dict->entries[number];
    entry->key = entry->value = VALUE_UNSET;
    dict->count--;
    dict->version++;
    if (number == dict->first)
        while (dict->first < dict->used && dict->entries[dict->first].key == VALUE_UNSET)
            dict->first++;
}

/* The slots of holes stay taken and may lead to a later entry of the same number: that entry is
 * then found on a second path, which does no harm. */
void dict_trim(Dict *dict) {
    while (dict->used && dict->entries[dict->used - 1].key == VALUE_UNSET)
        dict->used--;
    if (dict->first > dict->used) dict->first = dict->used;
    /* An empty table forgets its holes, when as many slots were filled as are to be cleared. */
    if (dict->used == 0 && dict->filled > dict->index_mask / 4) {
        dict->filled = 0;
        memset(dict->index, 0xff, (dict->index_mask + 1ull) * slot_width(dict->index_mask));
    }
}
