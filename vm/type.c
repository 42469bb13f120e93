/* type.c - Type objects: the builtin ones, and what is looked up in any.
 *
 * A builtin type is described by a `const BuiltinType`; shared.c makes one Type object of
 * each for all VMs of the process. Its dict, with a function object per method and a
 * descriptor per attribute, is made by type_dict when something is first looked up there: most VMs
 * never see most types.
 *
 * Operators do not go through dicts at all. For the C behaviour there are `slots`, copied from base
 * to derived type; for methods written in Gen there is `special`, one word per special method, kept
 * right here whenever a class changes. So "does the class of x override __add__" is one load.
 *
 * Lookups by name go through one cache per VM, valid for a method_epoch; it remembers the dict
 * entry, not the value, so plain values may be replaced without a new epoch.
 */
#include "vm/type_private.h"
#include "vm/image.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/shared.h"

enum { CACHE_FIRST = 64, CACHE_MOST = 1024 }; /* entries: it grows as it is missed */

typedef struct CacheEntry {
    const Type *type;
    Value name;
    Dict *dict; /* NULL: known to be absent */
    uint32_t epoch;
    uint32_t entry;
} CacheEntry;

typedef struct MethodCache {
    CacheEntry *entries;
    uint32_t mask;
    uint32_t misses; /* since it has its size */
} MethodCache;

/* The table of all types without script-defined special methods; never written. */
static const Value empty_specials[SPECIAL_COUNT] = {[0 ... SPECIAL_COUNT - 1] = VALUE_UNSET};
#define NO_SPECIALS ((Value *)(uintptr_t)empty_specials)

#define TYPE(id, variable) extern const BuiltinType variable;
#include "vm/types.def"
#undef TYPE

static const TypeState no_state = {.constructor = VALUE_UNSET, .dict_shape = SHAPE_NONE};

static const BuiltinType *const builtin_types[] = {
#define TYPE(id, variable) &variable,
#include "vm/types.def"
#undef TYPE
};

/* ---- making the builtin types ---- */

static inline uint32_t pointer_hash(Value v) {
    return (uint32_t)(v >> 4) ^ (uint32_t)(v >> 13);
}

Special special_from_name(GenVM *vm, Value name) {
    const Str *str = AS_STR(name);
    return is_shared(&str->header) ? (Special)vm->shared->specials[shared_number(vm->shared, str)]
                                   : SPECIAL_COUNT;
}

/* Slots that the type leaves empty are its base's. All members of TypeSlots are function pointers.
 */
static void inherit_slots(TypeSlots *slots, const TypeSlots *from) {
    typedef void (*Slot)(void);
    Slot own[sizeof *slots / sizeof(Slot)], base[sizeof *slots / sizeof(Slot)];
    _Static_assert(sizeof own == sizeof *slots, "TypeSlots holds function pointers only");
    memcpy(own, slots, sizeof own);
    memcpy(base, from, sizeof base);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (!own[i]) own[i] = base[i];
    memcpy(slots, own, sizeof own);
}

void type_inherit(Type *type, const BuiltinType *def) {
    enum {
        INHERITED = TYPE_UNHASHABLE | TYPE_SEQUENCE | TYPE_MAPPING | TYPE_MATCH_SELF | TYPE_HAS_DICT
    };
    type->flags = def ? def->flags : 0;
    if (def) type->slots = def->slots;
    if (type->base) {
        uint32_t inherited = type->base->flags & INHERITED;
        if (def && def->slots.hash) inherited &= ~(uint32_t)TYPE_UNHASHABLE;
        type->flags |= inherited;
        inherit_slots(&type->slots, &type->base->slots);
    }
    if (type->flags & TYPE_UNHASHABLE) type->slots.hash = NULL;
}

/* The type's MRO: itself, then `rest`. */
Tuple *type_mro_behind(GenVM *vm, Type *type, const Tuple *rest) {
    uint64_t count = rest ? rest->count : 0;
    Value mro = tuple_new(vm, count + 1);
    if (mro == VALUE_ERROR) return NULL;
    AS_TUPLE(mro)->items[0] = object_value(type);
    if (count) memcpy(AS_TUPLE(mro)->items + 1, rest->items, count * sizeof(Value));
    return AS_TUPLE(mro);
}

void type_fill_plain(Type *type, const BuiltinType *def, Type *base) {
    type->def = def;
    type->base = base;
    type->special = NO_SPECIALS;
    type->own = no_state;
    type->is_builtin = true;
    type_inherit(type, def);
    type->has_instance_dict = (type->flags & TYPE_HAS_DICT) != 0;
}

static bool set_bases(GenVM *vm, Type *type) {
    Value bases = tuple_pack(vm, 1, object_value(type->base));
    if (bases == VALUE_ERROR) return false;
    type->bases = AS_TUPLE(bases);
    type->mro = type_mro_behind(vm, type, type->base->mro);
    return type->mro != NULL;
}

const BuiltinType *type_builtin_def(TypeId id) {
    return id < TYPE_KIND_COUNT ? builtin_types[id] : exception_type_def(id);
}

bool types_init(GenVM *vm) {
    MethodCache *cache = vm->method_cache = memory_new_zeroed(vm, 1, sizeof *vm->method_cache);
    vm->type_states = memory_new(vm, TYPE_COUNT * sizeof *vm->type_states);
    if (!cache || !vm->type_states) return false;
    cache->entries = memory_new_zeroed(vm, CACHE_FIRST, sizeof *cache->entries);
    if (!cache->entries) return false;
    cache->mask = CACHE_FIRST - 1;
    vm->method_epoch = 1;
    for (uint32_t i = 0; i < TYPE_COUNT; i++)
        vm->type_states[i] = no_state;
    return true;
}

void types_free(GenVM *vm) {
    if (vm->method_cache) memory_free(vm->method_cache->entries);
    memory_free(vm->method_cache);
    memory_free(vm->type_states);
    vm->method_cache = NULL;
    vm->type_states = NULL;
}

void types_forget_lookups(GenVM *vm) {
    MethodCache *cache = vm->method_cache;
    memset(cache->entries, 0, ((size_t)cache->mask + 1) * sizeof *cache->entries);
}

static void mark_state(GenVM *vm, const TypeState *state) {
    gc_mark_pointer(vm, state->subclasses);
    gc_mark(vm, state->constructor);
    gc_mark_pointer(vm, state->dict);
}

void types_mark(GenVM *vm) {
    for (uint32_t i = 0; vm->type_states && i < TYPE_COUNT; i++)
        mark_state(vm, &vm->type_states[i]);
}

Type *type_new_native(GenVM *vm, const BuiltinType *def, Type *base) {
    Type *type = gc_new(vm, sizeof *type, TYPE_TYPE);
    if (!type) return NULL;
    type_fill_plain(type, def,
                    base ? base : vm->types[def->base == TYPE_NONE ? TYPE_OBJECT : def->base]);
    type->instance_kind =
        type->base->instance_kind == TYPE_OBJECT ? TYPE_HOST : type->base->instance_kind;
    type->root_shape = shape_new_root(vm, type, 0);
    type->name = type->qualname = str_intern_from(vm, def->name, strlen(def->name));
    if (type->root_shape == SHAPE_NONE || type->name == VALUE_ERROR || !set_bases(vm, type))
        return NULL;
    return type;
}

void type_trace(GenVM *vm, Object *object) {
    Type *type = (Type *)object;
    gc_mark(vm, type->name);
    gc_mark(vm, type->qualname);
    mark_state(vm, &type->own);
    gc_mark_pointer(vm, type->base);
    gc_mark_pointer(vm, type->bases);
    gc_mark_pointer(vm, type->mro);
    if (!type->special_storage) return;
    gc_mark_pointer(vm, type->special_storage);
    for (uint32_t i = 0; i < SPECIAL_COUNT; i++)
        gc_mark(vm, type->special[i]);
}

/* ---- a builtin type's dict, on first use ---- */

static void set_fast(NativeFunction *native, const NativeFast *fast, const char *name,
                     size_t size) {
    for (; fast && fast->name; fast++)
        if (strlen(fast->name) == size && memcmp(fast->name, name, size) == 0)
            native->fast = fast->fn;
}

static Value new_native_method(GenVM *vm, Type *owner, const NativeDef *def) {
    Binding binding;
    const char *name;
    size_t size = native_def_name(def, &name, &binding);
    NativeFunction *native =
        gc_new(vm, sizeof *native, binding == BINDING_STATIC ? TYPE_NATIVE : TYPE_NATIVE_METHOD);
    if (!native) return VALUE_ERROR;
    native->header.state = FUNCTION_COMPLEX;
    native->def = def;
    native->fn = def->fn;
    native->self = native->module = VALUE_UNSET;
    native->owner = owner;
    if (binding == BINDING_CLASS) {
        native->header.flags = NATIVE_CLASSMETHOD;
        native->header.shape = TYPE_NATIVE_CLASSMETHOD;
    }
    set_fast(native, owner->def->fast_methods, name, size);
    native->name = str_intern_from(vm, name, size);
    return native->name == VALUE_ERROR ? VALUE_ERROR : object_value(native);
}

/* Special methods that are slots in CPython and so show as `slot wrapper`; the others show as plain
 * methods. */
static bool shows_as_wrapper(GenVM *vm, Value name) {
    switch (special_from_name(vm, name)) {
    case SPECIAL_COUNT:
    case SP_COMPLEX:
    case SP_ROUND:
    case SP_TRUNC:
    case SP_FLOOR:
    case SP_CEIL:
    case SP_FORMAT:
    case SP_BYTES:
    case SP_REVERSED:
    case SP_MISSING:
    case SP_LENGTH_HINT:
    case SP_DIR:
    case SP_ENTER:
    case SP_EXIT:
    case SP_AENTER:
    case SP_AEXIT:
    case SP_INSTANCECHECK:
    case SP_SUBCLASSCHECK:
    case SP_INIT_SUBCLASS:
    case SP_SET_NAME:
    case SP_CLASS_GETITEM:
    case SP_PREPARE:
    case SP_FSPATH:
    case SP_SIZEOF:
    case SP_MRO_ENTRIES:
    case SP_BUFFER: return false;
    default: return true;
    }
}

bool type_add_native(GenVM *vm, Type *owner, Dict *dict, const NativeDef *def, uint8_t flags) {
    Value method = new_native_method(vm, owner, def);
    if (method == VALUE_ERROR) return false;
    NativeFunction *native = AS(NativeFunction, method);
    if (native->header.kind == TYPE_NATIVE_METHOD && !native->header.flags &&
        shows_as_wrapper(vm, native->name))
        flags |= NATIVE_WRAPPER;
    if (native->header.kind == TYPE_NATIVE && native->name == vm->special_names[SP_NEW]) {
        flags |= NATIVE_NEW;
        native->owner = NULL;
        native->self = object_value(owner);
    }
    if (def->fn == generator_send_method) flags |= NATIVE_SEND;
    if (def->fn == generator_close_method) flags |= NATIVE_CLOSE;
    if (def->fn == generator_throw_method) flags |= NATIVE_THROW;
    native->header.flags |= flags;
    if (flags & NATIVE_WRAPPER) native->header.shape = TYPE_NATIVE_WRAPPER;
    return dict_set_str(vm, dict, native->name, method);
}

bool type_add_attributes(GenVM *vm, Type *owner, Dict *dict, const AttributeDef *def) {
    for (; def && def->name; def++) {
        GetSet *getset = gc_new(vm, sizeof *getset, TYPE_GETSET);
        if (!getset) return false;
        getset->def = def;
        getset->owner = owner;
        getset->name = str_intern_from(vm, def->name, strlen(def->name));
        if (getset->name == VALUE_ERROR ||
            !dict_set_str(vm, dict, getset->name, object_value(getset)))
            return false;
    }
    return true;
}

NativeFunction *type_constructor(GenVM *vm, Type *type) {
    while (!type->is_builtin &&
           type->own.constructor == VALUE_UNSET) /* a host's type has its own */
        type = type->base;
    TypeState *state = type_state(vm, type);
    if (state->constructor != VALUE_UNSET) return AS(NativeFunction, state->constructor);
    const NativeDef *construct = type->def->construct;
    if (!construct) {
        raise_type(vm, "cannot create '%N' instances", type);
        return NULL;
    }
    NativeFunction *native = gc_new(vm, sizeof *native, TYPE_NATIVE);
    if (!native) return NULL;
    native->header.state = FUNCTION_COMPLEX;
    native->def = construct;
    native->fn = construct->fn;
    native->fast = type->def->construct_fast;
    native->self = object_value(type);
    native->module = VALUE_UNSET;
    native->header.flags = NATIVE_NEW;
    native->name = vm->special_names[SP_NEW];
    state->constructor = object_value(native);
    gc_barrier(vm, type);
    return native;
}

/* `__new__`, where the type's table gives only `construct`. */
static bool add_new(GenVM *vm, Type *type, Dict *dict) {
    Value name = vm->special_names[SP_NEW];
    if (!type->def->construct || dict_get_str(vm, dict, name) != VALUE_UNSET) return true;
    NativeFunction *native = type_constructor(vm, type);
    return native && dict_set_str(vm, dict, name, object_value(native));
}

static bool materialize(GenVM *vm, Type *type, Dict *dict) {
    const BuiltinType *def = type->def;
    for (const NativeDef *method = def->methods; method && method->signature; method++)
        if (!type_add_native(vm, type, dict, method, 0)) return false;
    if (!type_add_attributes(vm, type, dict, def->attributes)) return false;
    if (type->id >= TYPE_KIND_COUNT &&
        !type_add_attributes(vm, type, dict, exception_type_attributes(type->id)))
        return false;
    if (!slot_wrappers_add(vm, type, dict) || !add_new(vm, type, dict)) return false;
    if (def->flags & TYPE_UNHASHABLE &&
        !dict_set_str(vm, dict, vm->special_names[SP_HASH], VALUE_NONE))
        return false;
    if (dict_get_str(vm, dict, name_value(vm, NAME___doc__)) != VALUE_UNSET) return true;
    Value doc = def->doc ? str_from(vm, def->doc) : VALUE_NONE;
    return doc != VALUE_ERROR && dict_set_str(vm, dict, name_value(vm, NAME___doc__), doc);
}

Dict *type_dict(GenVM *vm, Type *type) {
    TypeState *state = type_state(vm, type);
    if (likely(state->dict)) return state->dict;
    Value dict = dict_new(vm);
    if (dict == VALUE_ERROR || !materialize(vm, type, AS_DICT(dict))) return NULL;
    state->dict = AS_DICT(dict);
    gc_barrier(vm, type);
    return state->dict;
}

/* ---- questions about types ---- */

Type *type_of(GenVM *vm, Value v) {
    if (is_int(v)) return vm->types[TYPE_INT];
    if (is_float(v)) return vm->types[TYPE_FLOAT];
    return vm->shapes[as_object(v)->shape].type;
}

Type *type_builtin(GenVM *vm, TypeId id) {
    return vm->types[id];
}

static Value text_with_module(GenVM *vm, const Type *type) {
    Value module = dict_get_str(vm, type->own.dict, name_value(vm, NAME___module__));
    if (!value_is_str(module) || str_is(module, "builtins")) return type->name;
    return str_format(vm, "%S.%S", module, type->name);
}

const char *type_text(GenVM *vm, const Type *type) {
    if (type->is_builtin && !type->def->module) return type->def->name;
    Value text = type->name;
    if (type->is_builtin)
        text = str_format(vm, "%s.%s", type->def->module, type->def->name);
    else if (type->like_native)
        text = text_with_module(vm, type);
    const char *name = text == VALUE_ERROR ? NULL : str_c(vm, text);
    return name ? name : "?";
}

const char *type_name(GenVM *vm, Value v) {
    return type_text(vm, type_of(vm, v));
}

bool type_is_subclass(Type *type, Type *base) {
    if (type == base) return true;
    const Tuple *mro = type->mro;
    for (uint64_t i = 1; i < mro->count; i++)
        if (type_from(mro->items[i]) == base) return true;
    return false;
}

bool value_is_instance(GenVM *vm, Value v, TypeId builtin) {
    return type_is_subclass(type_of(vm, v), vm->types[builtin]);
}

Value type_special(GenVM *vm, Value v, Special special) {
    return type_of(vm, v)->special[special];
}

Value type_find_special(GenVM *vm, Type *type, Special special) {
    Value raw = type->special[special];
    return raw != VALUE_UNSET ? raw : type_lookup(vm, type, vm->special_names[special]);
}

/* ---- lookup along the MRO ---- */

/* A lookup cannot raise: without the memory for a builtin type's methods, nothing is found there,
 * and the next safepoint raises MemoryError. */
Dict *type_dict_for_lookup(GenVM *vm, Type *type) {
    if (likely(type_state(vm, type)->dict != NULL)) return type_state(vm, type)->dict;
    Value pending = vm->exception;
    Dict *dict = type_dict(vm, type);
    if (likely(dict != NULL)) return dict;
    vm->exception = pending;
    vm->poll |= POLL_MEMORY;
    return NULL;
}

static inline CacheEntry *cache_entry(GenVM *vm, const Type *type, Value name) {
    uint32_t hash = pointer_hash(name) * 31 ^ (uint32_t)((uintptr_t)type >> 5);
    return &vm->method_cache->entries[hash & vm->method_cache->mask];
}

/* A cache that was missed as often as it has entries is too small, until it is large enough for any
 * program. Without memory it stays as it is. */
static void count_miss(GenVM *vm, MethodCache *cache) {
    if (++cache->misses <= cache->mask || cache->mask + 1 >= CACHE_MOST) return;
    uint32_t count = (cache->mask + 1) * 4;
    CacheEntry *entries = memory_new_zeroed(vm, count, sizeof *entries);
    cache->misses = 0;
    if (!entries) return;
    memory_free(cache->entries);
    cache->entries = entries;
    cache->mask = count - 1;
}

static COLD Value lookup_uncached(GenVM *vm, const Type *type, Value name) {
    const Tuple *mro = type->mro;
    for (uint64_t i = 0; i < mro->count; i++) {
        Dict *dict = type_dict_for_lookup(vm, type_from(mro->items[i]));
        if (!dict) return VALUE_UNSET;
        int64_t at = dict_find_str(vm, dict, name);
        if (at < 0) continue;
        count_miss(vm, vm->method_cache);
        *cache_entry(vm, type, name) =
            (CacheEntry){type, name, dict, vm->method_epoch, (uint32_t)at};
        return dict->entries[at].value;
    }
    count_miss(vm, vm->method_cache);
    *cache_entry(vm, type, name) = (CacheEntry){type, name, NULL, vm->method_epoch, 0};
    return VALUE_UNSET;
}

Value type_lookup(GenVM *vm, Type *type, Value name) {
    Value pending = vm->exception;
    if (unlikely(!intern_name(vm, &name))) {
        vm->exception = pending;
        vm->poll |= POLL_MEMORY;
        return VALUE_UNSET;
    }
    const CacheEntry *entry = cache_entry(vm, type, name);
    if (likely(entry->type == type && entry->name == name && entry->epoch == vm->method_epoch))
        return entry->dict ? entry->dict->entries[entry->entry].value : VALUE_UNSET;
    return lookup_uncached(vm, type, name);
}

Value type_lookup_owner(GenVM *vm, Type *type, Value name, Type **owner) {
    const Tuple *mro = type->mro;
    for (uint64_t i = 0; i < mro->count; i++) {
        *owner = type_from(mro->items[i]);
        Dict *dict = type_dict_for_lookup(vm, *owner);
        Value found = dict ? dict_get_str(vm, dict, name) : VALUE_UNSET;
        if (found != VALUE_UNSET) return found;
    }
    *owner = NULL;
    return VALUE_UNSET;
}

/* ---- special methods of script classes ---- */

/* It is kept: so a lack of memory for the methods of a builtin base is an error here. */
static Value compute_special(GenVM *vm, const Type *type, Special special) {
    const Tuple *mro = type->mro;
    for (uint64_t i = 0; i < mro->count; i++) {
        Type *at = type_from(mro->items[i]);
        if (at->id == TYPE_OBJECT) continue;
        Dict *dict = type_dict(vm, at);
        if (!dict) return VALUE_ERROR;
        Value found = dict_get_str(vm, dict, vm->special_names[special]);
        if (found != VALUE_UNSET) return at->is_builtin ? VALUE_UNSET : found;
    }
    return VALUE_UNSET;
}

/* A special table of the type's own, a copy of what it shares so far. */
static bool own_specials(GenVM *vm, Type *type) {
    Buffer *storage = gc_buffer_new(vm, SPECIAL_COUNT * sizeof(Value));
    if (!storage) return false;
    memcpy(storage->data, type->special, SPECIAL_COUNT * sizeof(Value));
    type->special_storage = storage;
    type->special = (Value *)storage->data;
    gc_barrier(vm, type);
    return true;
}

void type_note_construct(Type *type) {
    type->overrides_construct =
        type->special[SP_NEW] != VALUE_UNSET || type->special[SP_INIT] != VALUE_UNSET;
}

static bool any_base_specials(const Type *type) {
    for (uint64_t i = 1; i < type->mro->count; i++)
        if (type_from(type->mro->items[i])->special_storage) return true;
    return false;
}

void type_clear_specials(Type *type) {
    type->special = NO_SPECIALS;
    type->special_storage = NULL;
}

bool type_build_specials(GenVM *vm, Type *type) {
    type->special = NO_SPECIALS;
    type->special_storage = NULL;
    Type *only = type->bases->count == 1 ? type_from(type->bases->items[0]) : NULL;
    if (only) {
        type->special = only->special;
        type->special_storage = only->special_storage;
    } else if (any_base_specials(type)) {
        if (!own_specials(vm, type)) return false;
        for (uint32_t i = 0; i < SPECIAL_COUNT; i++)
            if ((type->special[i] = compute_special(vm, type, (Special)i)) == VALUE_ERROR)
                return type_clear_specials(type), false;
    }
    bool owned = !only && type->special_storage;
    uint32_t position = 0;
    Value name, value;
    while (dict_next(type->own.dict, &position, &name, &value)) {
        if (!value_is_str(name)) continue; /* it takes a metaclass or type() to have one */
        if (is_exact(name, TYPE_STR) && !(as_object(name)->flags & STR_INTERNED))
            name = str_intern(vm, name); /* of a dict that type() was given */
        if (name == VALUE_ERROR) return false;
        Special special = special_from_name(vm, name);
        if (special == SPECIAL_COUNT) continue;
        type->defines_special = true;
        if (!owned && !own_specials(vm, type)) return false;
        owned = true;
        type->special[special] = value;
    }
    type_note_construct(type);
    return true;
}

/* The direct subclasses that the list lacks. */
static bool gather_subclasses(GenVM *vm, Value list, const Type *type) {
    const TypeState *state = type_state(vm, type);
    for (uint32_t i = 0; i < state->subclass_count; i++) {
        Type *each = type_subclass(state, i);
        if (each->gathered) continue;
        if (!list_append(vm, list, object_value(each))) return false;
        each->gathered = true;
    }
    return true;
}

Value type_descendants(GenVM *vm, Type *type) {
    Value list = list_new(vm, 0);
    if (list == VALUE_ERROR || !list_append(vm, list, object_value(type))) return VALUE_ERROR;
    const List *found = AS_LIST(list);
    bool done = true;
    for (uint64_t i = 0; done && i < found->count; i++)
        done = gather_subclasses(vm, list, type_from(found->items[i]));
    for (uint64_t i = 1; i < found->count; i++)
        type_from(found->items[i])->gathered = false;
    native_spend(vm, found->count);
    return done ? list : VALUE_ERROR;
}

static bool update_own_special(GenVM *vm, Type *type, Special special) {
    Value value = compute_special(vm, type, special);
    if (value == VALUE_ERROR) return false;
    if (type->special[special] == value) return true;
    if (!own_specials(vm, type)) return false;
    type->special[special] = value;
    type_note_construct(type);
    return true;
}

/* Recomputes one special method of a type and of its subclasses. */
static bool update_special(GenVM *vm, Type *type, Special special) {
    if (type_state(vm, type)->subclass_count == 0) return update_own_special(vm, type, special);
    Value list = type_descendants(vm, type);
    if (list == VALUE_ERROR) return false;
    for (uint64_t i = 0; i < AS_LIST(list)->count; i++)
        if (!update_own_special(vm, type_from(AS_LIST(list)->items[i]), special)) return false;
    return true;
}

/* ---- changing a class ---- */

bool value_is_descriptor(GenVM *vm, Value v) {
    if (!is_object(v)) return false;
    switch (as_object(v)->kind) {
    case TYPE_FUNCTION:
    case TYPE_NATIVE_METHOD:
    case TYPE_PROPERTY:
    case TYPE_CLASSMETHOD:
    case TYPE_STATICMETHOD:
    case TYPE_MEMBER:
    case TYPE_GETSET: return true;
    default: break;
    }
    const Type *type = type_of(vm, v);
    return type->special[SP_GET] != VALUE_UNSET || type->special[SP_SET] != VALUE_UNSET ||
           type->special[SP_DELETE] != VALUE_UNSET || type->slots.descr_get ||
           type->slots.descr_set;
}

static void note_change(GenVM *vm, Type *type, Value before, Value after) {
    bool plain = before != VALUE_UNSET && after != VALUE_UNSET &&
                 !value_is_descriptor(vm, before) && !value_is_descriptor(vm, after);
    if (!plain) {
        vm->method_epoch++;
    } else if (type->values_cached) {
        vm->method_epoch++;
        type->values_cached = false;
        if (type->value_bumps < UINT8_MAX) type->value_bumps++;
    }
}

/* The commonest change: one plain value for another. */
static bool replace_plain(GenVM *vm, Type *type, Dict *dict, Value name, Value value) {
    if (value == VALUE_UNSET || value_is_descriptor(vm, value)) return false;
    int64_t at = dict_find_str(vm, dict, name);
    if (at < 0 || value_is_descriptor(vm, dict->entries[at].value)) return false;
    if (special_from_name(vm, name) != SPECIAL_COUNT) return false;
    dict->entries[at].value = value;
    gc_barrier(vm, dict);
    if (type->values_cached) note_change(vm, type, value, value);
    return true;
}

bool type_set_attribute(GenVM *vm, Type *type, Value name, Value value) {
    Dict *dict = type_dict(vm, type);
    if (!dict || !intern_name(vm, &name)) return false;
    if (unlikely(type->notes_changes) && !image_note_change(vm, type, name)) return false;
    if (replace_plain(vm, type, dict, name, value)) return true;
    Value before = dict_get_str(vm, dict, name);
    if (value == VALUE_UNSET)
        dict_delete_str(vm, dict, name);
    else if (!dict_set_str(vm, dict, name, value))
        return false;
    note_change(vm, type, before, value);
    if (value != VALUE_UNSET && value_is_data_descriptor(vm, value) &&
        !shapes_renew(vm, type, name))
        return false;
    Special special = special_from_name(vm, name);
    if (special == SPECIAL_COUNT) return true;
    if ((special == SP_GETATTRIBUTE || special == SP_SETATTR) &&
        !shapes_renew(vm, type, VALUE_UNSET))
        return false;
    vm->method_epoch++;
    type->defines_special = true;
    return update_special(vm, type, special);
}

bool type_makes(GenVM *vm, Value cls, TypeId kind) {
    if (is_type(cls) && type_from(cls)->instance_kind == kind) return true;
    return raise_type(vm, "%V is no class of %S objects", cls, vm->types[kind]->name), false;
}
