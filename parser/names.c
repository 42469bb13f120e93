/* names.c: the hash table behind names.h: FNV-1a from a seed, linear probing, at most three
 * quarters full.
 */
#include "names.h"

#include <string.h>

#define FIRST_CAPACITY 256u
#define LARGEST_NAME 0xFFFFFFu

/* Addresses differ from run to run, and that is all the seed is for: nothing that a program can see
 * depends on a hash. */
static uint32_t make_seed(const NameTable *names) {
    uint64_t mixed = (uint64_t)(uintptr_t)names * 0x9E3779B97F4A7C15u;
    return (uint32_t)(mixed >> 32) ^ 2166136261u;
}

void names_init(NameTable *names, Arena *arena) {
    *names = (NameTable){.arena = arena, .seed = make_seed(names)};
}

static uint32_t hash_text(const NameTable *names, const char *text, size_t len) {
    uint32_t hash = names->seed;
    for (size_t i = 0; i < len; i++)
        hash = names_hash(hash, text[i]);
    return hash;
}

/* FNV-1a mixes upwards: the low bits of the slot take from the high ones. */
static uint32_t first_slot(uint32_t hash) {
    return hash ^ hash >> 15;
}

static void insert(NameTable *names, AstName *name) {
    uint32_t mask = names->capacity - 1;
    uint32_t slot = first_slot(name->hash) & mask;
    while (names->slots[slot] != NULL)
        slot = (slot + 1) & mask;
    names->slots[slot] = name;
}

static bool grow(NameTable *names) {
    uint32_t capacity = names->capacity == 0 ? FIRST_CAPACITY : names->capacity * 2;
    AstName **old = names->slots;
    uint32_t old_capacity = names->capacity;
    AstName **slots = arena_take_zeroed(names->arena, capacity * sizeof *slots);
    if (slots == NULL) return false;
    names->slots = slots;
    names->capacity = capacity;
    for (uint32_t i = 0; i < old_capacity; i++) {
        if (old[i] != NULL) insert(names, old[i]);
    }
    return true;
}

static AstName *add(NameTable *names, const char *text, size_t len, uint32_t hash) {
    if (names->count >= names->capacity / 4 * 3 && !grow(names)) return NULL;
    if (len > LARGEST_NAME) return NULL;
    AstName *name = arena_take(names->arena, sizeof *name + len + 1);
    if (name == NULL) return NULL;
    name->hash = hash;
    name->len = (uint32_t)len & LARGEST_NAME;
    name->token = 0;
    memcpy(name->text, text, len);
    name->text[len] = '\0';
    insert(names, name);
    names->count++;
    return name;
}

AstName *names_intern(NameTable *names, const char *text, size_t len) {
    return names_intern_hashed(names, text, len, hash_text(names, text, len));
}

AstName *names_intern_hashed(NameTable *names, const char *text, size_t len, uint32_t hash) {
    if (names->capacity == 0 && !grow(names)) return NULL;
    uint32_t mask = names->capacity - 1;
    uint32_t slot = first_slot(hash) & mask;
    for (AstName *name = names->slots[slot]; name != NULL; name = names->slots[slot]) {
        if (name->hash == hash && name->len == len && memcmp(name->text, text, len) == 0)
            return name;
        slot = (slot + 1) & mask;
    }
    return add(names, text, len, hash);
}

AstName *names_intern_text(NameTable *names, const char *text) {
    return names_intern(names, text, strlen(text));
}

bool names_equal(const AstName *name, const char *text) {
    return strcmp(name->text, text) == 0;
}
