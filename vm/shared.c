/* shared.c - makes what all VMs of a process share; see shared.h.
 *
 * There is no VM yet, so nothing here can raise: what does not fit is a mistake in the tables,
 * which the first test of a debug build finds.
 */
#include "vm/shared.h"
#include "vm/bind.h"
#include "vm/file.h"
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
    uint32_t entries;   /* likewise */
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

/* ---- with what builtins and sys begin ---- */

static SharedModule begin_module(Maker *maker, Value name) {
    return (SharedModule){.name = name, .entries = maker->shared->entries + maker->entries};
}

static void add(Maker *maker, SharedModule *module, Value name, Value v) {
    assert(maker->entries < SHARED_ENTRIES_MOST);
    maker->shared->entries[maker->entries++] = (DictEntry){.key = name, .value = v};
    module->count++;
}

static void add_const(Maker *maker, SharedModule *module, const char *name, Value v) {
    add(maker, module, add_text(maker, name), v);
}

static Value add_native(Maker *maker, SharedModule *module, const NativeDef *def, Value home) {
    Shared *shared = maker->shared;
    assert(shared->native_count < SHARED_NATIVES_MOST);
    NativeFunction *native = &shared->natives[shared->native_count++];
    const char *text;
    size_t size = native_def_name(def, &text, NULL);
    Value name = add_str(maker, text, size);
    native_fill_shared(native, def, name, home);
    add(maker, module, name, object_value(native));
    return object_value(native);
}

static Value value_of(const SharedModule *module, const char *name) {
    for (uint32_t i = 0; i < module->count; i++)
        if (str_is(module->entries[i].key, name)) return module->entries[i].value;
    assert(!"no such name");
    return VALUE_UNSET;
}

/* The names of every module. */
static void add_plain_names(Maker *maker, SharedModule *module) {
    static const Name nothing[] = {NAME___doc__, NAME___package__, NAME___loader__, NAME___spec__};
    const Value *names = maker->shared->names;
    add(maker, module, names[NAME___name__], module->name);
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        add(maker, module, names[nothing[i]], VALUE_NONE);
}

static void add_builtin_functions(Maker *maker, SharedModule *module) {
    for (const NativeDef *def = builtins_functions; def->signature; def++)
        add_native(maker, module, def, module->name);
    for (const NativeFast *fast = builtins_fast; fast->name; fast++)
        AS(NativeFunction, value_of(module, fast->name))->fast = fast->fn;
    Shared *shared = maker->shared;
    shared->import_function = value_of(module, "__import__");
    shared->len_function = value_of(module, "len");
    shared->next_function = value_of(module, "next");
    Object *next = as_object(shared->next_function);
    next->flags |= NATIVE_NEXT;
    next->state = FUNCTION_COMPLEX;
}

static void add_builtin_types(Maker *maker, SharedModule *module) {
    const Type *types = maker->shared->types;
    for (const TypeId *id = builtins_types; *id != TYPE_COUNT; id++)
        add(maker, module, types[*id].name, object_value(&types[*id]));
    for (int i = TYPE_KIND_COUNT; i < TYPE_COUNT; i++)
        add(maker, module, types[i].name, object_value(&types[i]));
    add_const(maker, module, "IOError", object_value(&types[EXC_OS_ERROR]));
    add_const(maker, module, "EnvironmentError", object_value(&types[EXC_OS_ERROR]));
}

static void add_builtin_constants(Maker *maker, SharedModule *module) {
    add_const(maker, module, "None", VALUE_NONE);
    add_const(maker, module, "True", VALUE_TRUE);
    add_const(maker, module, "False", VALUE_FALSE);
    add_const(maker, module, "NotImplemented", VALUE_NOT_IMPLEMENTED);
    add_const(maker, module, "Ellipsis", VALUE_ELLIPSIS);
    add_const(maker, module, "__debug__", VALUE_TRUE);
    static const char *const quitters[] = {"exit", "quit"};
    for (size_t i = 0; i < sizeof quitters / sizeof *quitters; i++) {
        Quitter *quitter = &maker->shared->quitters[i];
        Value name = add_text(maker, quitters[i]);
        quitter->header = (Object){.shape = TYPE_QUITTER, .kind = TYPE_QUITTER, .gc = GC_PERMANENT};
        quitter->name = name;
        add(maker, module, name, object_value(quitter));
    }
}

static void add_builtins(Maker *maker) {
    SharedModule *module = &maker->shared->builtins;
    const SharedLibrary *library = shared_library();
    *module = begin_module(maker, maker->shared->names[NAME_builtins]);
    add_plain_names(maker, module);
    add_builtin_functions(maker, module);
    add_builtin_types(maker, module);
    add_builtin_constants(maker, module);
    add_native(maker, module, &class_build_def, module->name);
    if (library) add_native(maker, module, library->open, add_text(maker, "_io"));
    Value items[SHARED_ENTRIES_MOST * 2];
    for (uint32_t i = 0; i < module->count; i++) {
        items[i * 2] = module->entries[i].key;
        items[i * 2 + 1] = module->entries[i].value;
    }
    module->original = add_tuple(maker, VALUE_UNSET, items, (uint64_t)module->count * 2);
}

static void add_sys(Maker *maker) {
    SharedModule *module = &maker->shared->sys;
    const SharedLibrary *library = shared_library();
    *module = begin_module(maker, maker->shared->names[NAME_sys]);
    add_plain_names(maker, module);
    for (const NativeDef *def = library ? library->sys : NULL; def && def->signature; def++)
        add_native(maker, module, def, module->name);
}

/* When no string is added any more. */
static void add_hashes(Shared *shared, uint32_t entries) {
    const uint64_t key[2] = {SHARED_KEY_0, SHARED_KEY_1};
    for (uint32_t i = 0; i < shared->str_count; i++)
        shared->hashes[i] = text_hash_with(key, shared->strs[i].str.data, shared->strs[i].str.size);
    for (uint32_t i = 0; i < entries; i++)
        shared->entries[i].hash =
            shared->hashes[shared_number(shared, AS_STR(shared->entries[i].key))];
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
    add_builtins(&maker);
    add_sys(&maker);
    add_hashes(shared, maker.entries);
    if (sysconf(_SC_PAGESIZE) <= PAGE) (void)mprotect(&region, sizeof region, PROT_READ);
}

const Shared *shared_get(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make);
    return &region.is.shared;
}
