/* shared.c - makes what all VMs of a process share; see shared.h.
 *
 * There is no VM yet, so nothing here can raise: what does not fit is a mistake in the tables,
 * which the first test of a debug build finds.
 */
#include "vm/shared.h"
#include "vm/objects/text.h"
#include "vm/runtime.h"
#include "vm/type_private.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PAGE = 4096,        /* where pages are larger, they are left writable */
    TUPLE_WORDS = 6000, /* for the bases and MROs of the builtin types */
};

static union {
    struct {
        Shared shared;
        Value tuples[TUPLE_WORDS];
    } is;
    char pages[(sizeof(Shared) + TUPLE_WORDS * sizeof(Value) + PAGE - 1) / PAGE * PAGE];
} region __attribute__((aligned(PAGE)));

typedef struct Maker {
    Shared *shared;
    size_t tuple_words; /* given out */
} Maker;

/* ---- strings ---- */

static size_t text_slot(const char *text, size_t size) {
    uint32_t hash = (uint32_t)size;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x01000193u;
    return (hash ^ hash >> 15) % SHARED_INDEX_SIZE;
}

Str *shared_find(const Shared *shared, const char *text, size_t size) {
    if (size >= SHARED_TEXT_SIZE) return NULL;
    for (size_t at = text_slot(text, size); shared->index[at]; at = (at + 1) % SHARED_INDEX_SIZE) {
        const Str *str = &shared->strs[shared->index[at] - 1].str;
        if (str->size == size && memcmp(str->data, text, size) == 0) return (Str *)(uintptr_t)str;
    }
    return NULL;
}

static Value add_str(Maker *maker, const char *text, size_t size) {
    Shared *shared = maker->shared;
    Str *known = shared_find(shared, text, size);
    if (known) return object_value(known);
    assert(size < SHARED_TEXT_SIZE && shared->str_count < SHARED_STRS_MOST);
    SharedStr *made = &shared->strs[shared->str_count++];
    memcpy(made->text, text, size);
    uint32_t length;
    uint8_t flags = text_scan(text, size, &length);
    made->str.header = (Object){.shape = TYPE_STR, .kind = TYPE_STR, .gc = GC_PERMANENT};
    str_fill(&made->str, made->text, size, length, flags | STR_INTERNED, NULL);
    size_t at = text_slot(text, size);
    while (shared->index[at])
        at = (at + 1) % SHARED_INDEX_SIZE;
    shared->index[at] = (uint16_t)shared->str_count;
    return object_value(&made->str);
}

static Value add_text(Maker *maker, const char *text) {
    return add_str(maker, text, strlen(text));
}

static void add_names(Maker *maker) {
    static const char *const names[] = {
#define NAME(id) #id,
#include "vm/names.def"
#undef NAME
    };
    static const char *const specials[] = {
#define SPECIAL(id, name) #name,
#include "vm/specials.def"
#undef SPECIAL
    };
    Shared *shared = maker->shared;
    shared->empty_str = add_str(maker, "", 0);
    for (uint32_t c = 0; c < 256; c++) {
        char text[4];
        shared->characters[c] = add_str(maker, text, utf8_put(text, c));
    }
    for (int i = 0; i < NAME_COUNT; i++)
        shared->names[i] = add_text(maker, names[i]);
    for (const NativeDef *def = builtins_functions; def->signature; def++) {
        const char *name;
        size_t size = native_def_name(def, &name, NULL);
        add_str(maker, name, size);
    }
    memset(shared->specials, SPECIAL_COUNT, sizeof shared->specials);
    for (int i = 0; i < SPECIAL_COUNT; i++) {
        shared->special_names[i] = add_text(maker, specials[i]);
        shared->specials[shared_number(shared, AS_STR(shared->special_names[i]))] = (uint8_t)i;
    }
}

/* ---- types ---- */

static Tuple *add_tuple(Maker *maker, Value first, const Value *rest, uint64_t rest_count) {
    uint64_t count = (first != VALUE_UNSET) + rest_count;
    size_t words = (sizeof(Tuple) / sizeof(Value) + count + 1) & ~(size_t)1;
    assert(maker->tuple_words + words <= TUPLE_WORDS);
    Tuple *tuple = (Tuple *)&region.is.tuples[maker->tuple_words];
    maker->tuple_words += words;
    tuple->header = (Object){.shape = TYPE_TUPLE, .kind = TYPE_TUPLE, .gc = GC_PERMANENT};
    tuple->count = count;
    if (first != VALUE_UNSET) tuple->items[0] = first;
    if (rest_count) memcpy(tuple->items + (count - rest_count), rest, rest_count * sizeof(Value));
    return tuple;
}

/* ExceptionGroup is the one builtin type with two bases. */
static void fix_exception_group(Maker *maker) {
    Type *types = maker->shared->types, *group = &types[EXC_EXCEPTION_GROUP];
    const Value behind[] = {
        object_value(&types[EXC_BASE_EXCEPTION_GROUP]), object_value(&types[EXC_EXCEPTION]),
        object_value(&types[EXC_BASE_EXCEPTION]), object_value(&types[TYPE_OBJECT])};
    group->bases = add_tuple(maker, VALUE_UNSET, behind, 2);
    group->mro = add_tuple(maker, object_value(group), behind, 4);
}

static void add_type(Maker *maker, TypeId id) {
    Shared *shared = maker->shared;
    Type *type = &shared->types[id];
    if (type->mro) return;
    const BuiltinType *def = type_builtin_def(id);
    TypeId base = def->base == TYPE_NONE ? TYPE_OBJECT : def->base;
    if (id != TYPE_OBJECT) add_type(maker, base);
    type->header = (Object){.shape = TYPE_TYPE, .kind = TYPE_TYPE, .gc = GC_PERMANENT};
    type_fill_plain(type, def, id == TYPE_OBJECT ? NULL : &shared->types[base]);
    type->id = id;
    type->instance_kind = id < TYPE_KIND_COUNT ? (uint8_t)id : KIND_EXCEPTION;
    type->root_shape = id;
    type->name = type->qualname = add_text(maker, def->name);
    Value object = object_value(type), above = object_value(&shared->types[base]);
    const Tuple *rest = type->base ? type->base->mro : NULL;
    type->bases = rest ? add_tuple(maker, above, NULL, 0) : (Tuple *)as_object(shared->empty_tuple);
    type->mro = add_tuple(maker, object, rest ? rest->items : NULL, rest ? rest->count : 0);
    shared->type_pointers[id] = type;
    shared->shapes[id] = (Shape){.type = type,
                                 .name = VALUE_UNSET,
                                 .parent = id,
                                 .transitions = SHAPE_NONE,
                                 .sibling = SHAPE_NONE};
}

/* ---- the whole ---- */

static void make(void) {
    Maker maker = {.shared = &region.is.shared};
    Shared *shared = maker.shared;
    add_names(&maker);
    shared->empty_tuple = object_value(add_tuple(&maker, VALUE_UNSET, NULL, 0));
    for (uint32_t i = 0; i < TYPE_COUNT; i++)
        add_type(&maker, (TypeId)i);
    fix_exception_group(&maker);
    continue_make(&shared->stubs, shared->empty_str);
    const uint64_t key[2] = {SHARED_KEY_0, SHARED_KEY_1};
    for (uint32_t i = 0; i < shared->str_count; i++)
        shared->hashes[i] = text_hash_with(key, shared->strs[i].str.data, shared->strs[i].str.size);
    if (sysconf(_SC_PAGESIZE) <= PAGE) (void)mprotect(&region, sizeof region, PROT_READ);
}

const Shared *shared_get(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make);
    return &region.is.shared;
}
