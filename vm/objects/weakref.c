/* weakref.c - the type of weak references, and the table by which the collector finds them.
 *
 * The table has all references whose target is alive, in buckets by the target's address; so the
 * references to one object are found together, and `ref(x)` gives the one that exists already. Only
 * the collector takes entries out: a reference dies with its target or by itself.
 */
#include "vm/weak.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/type_private.h"

enum { FIRST_BUCKETS = 64 };

typedef struct WeakTable {
    Weakref **buckets;
    uint32_t mask, count;
    uint64_t made; /* references in all */
    Weakref *due;  /* cleared, with a callback to be called; linked by `next` */
} WeakTable;

static Weakref *weakref_of(Value v) {
    return AS(Weakref, v);
}

/* ---- the table ---- */

static uint32_t place_of(const WeakTable *table, const Object *target) {
    return (uint32_t)(((uintptr_t)target >> 4) * 0x9E3779B97F4A7C15u >> 32) & table->mask;
}

static void put_in(WeakTable *table, Weakref *reference) {
    Weakref **bucket = &table->buckets[place_of(table, reference->target)];
    reference->next = *bucket;
    *bucket = reference;
}

static Weakref *reverse(Weakref *each) {
    Weakref *before = NULL;
    for (Weakref *next; each; each = next) {
        next = each->next;
        each->next = before;
        before = each;
    }
    return before;
}

static bool grow(GenVM *vm, WeakTable *table) {
    uint32_t before = table->buckets ? table->mask + 1 : 0;
    uint32_t size = before ? before * 2 : FIRST_BUCKETS;
    Weakref **old = table->buckets, **larger = memory_new_zeroed(vm, size, sizeof(Weakref *));
    if (!larger) return raise_memory(vm), false;
    table->buckets = larger;
    table->mask = size - 1;
    for (uint32_t i = 0; i < before; i++)
        for (Weakref *each = reverse(old[i]), *next; each; each = next) {
            next = each->next;
            put_in(table, each);
        }
    memory_free(old);
    return true;
}

static bool add(GenVM *vm, Weakref *reference) {
    if (!vm->weak_table) vm->weak_table = memory_new_zeroed(vm, 1, sizeof *vm->weak_table);
    WeakTable *table = vm->weak_table;
    if (!table) return raise_memory(vm), false;
    if ((!table->buckets || table->count > table->mask) && !grow(vm, table)) return false;
    reference->serial = ++table->made;
    put_in(table, reference);
    table->count++;
    return true;
}

/* The next reference to the target behind `after`, or the first. */
static Weakref *next_to(GenVM *vm, const Object *target, const Weakref *after) {
    const WeakTable *table = vm->weak_table;
    if (!table || !table->buckets) return NULL;
    Weakref *each = after ? after->next : table->buckets[place_of(table, target)];
    while (each && each->target != target)
        each = each->next;
    return each;
}

static bool is_marked(const Object *object) {
    return object->gc & (GC_MARKED | GC_PERMANENT);
}

void weakrefs_clear(GenVM *vm) {
    WeakTable *table = vm->weak_table;
    if (!table || !table->count) return;
    for (uint32_t i = 0; i <= table->mask; i++)
        for (Weakref **at = &table->buckets[i]; *at;) {
            Weakref *reference = *at;
            if (is_marked(reference->target)) {
                at = &reference->next;
                continue;
            }
            *at = reference->next;
            table->count--;
            reference->target = NULL;
            if (reference->callback == VALUE_UNSET || !is_marked(&reference->header)) continue;
            reference->next = table->due;
            table->due = reference;
        }
}

/* False without memory to remember it: it stays due until the next collection. */
static bool note_due(GenVM *vm, Weakref *reference) {
    if (vm->pending_count == vm->pending_capacity) {
        uint32_t capacity = vm->pending_capacity ? vm->pending_capacity * 2 : 64;
        Object **larger =
            memory_raw(vm, vm->pending_finalizers, vm->pending_capacity * sizeof *larger,
                       capacity * sizeof *larger);
        if (!larger) return false;
        vm->pending_finalizers = larger;
        vm->pending_capacity = capacity;
    }
    vm->pending_finalizers[vm->pending_count++] = &reference->header;
    vm->pending_total++;
    vm->poll |= POLL_FINALIZE;
    return true;
}

void weakrefs_mark(GenVM *vm) {
    if (!vm->weak_table) return;
    for (Weakref *due = vm->weak_table->due; due; due = due->next)
        gc_mark_object(vm, &due->header);
}

void weakrefs_sweep(GenVM *vm) {
    WeakTable *table = vm->weak_table;
    if (!table) return;
    while (table->due && note_due(vm, table->due))
        table->due = table->due->next;
    for (uint32_t i = 0; table->count && i <= table->mask; i++)
        for (Weakref **at = &table->buckets[i]; *at;) {
            if (is_marked(&(*at)->header)) {
                at = &(*at)->next;
            } else {
                *at = (*at)->next;
                table->count--;
            }
        }
}

bool weakrefs_have_callbacks(GenVM *vm) {
    const WeakTable *table = vm->weak_table;
    if (!table) return false;
    for (uint32_t i = 0; table->count && i <= table->mask; i++)
        for (const Weakref *each = table->buckets[i]; each; each = each->next)
            if (each->callback != VALUE_UNSET) return true;
    return table->due;
}

void weakrefs_free(GenVM *vm) {
    if (!vm->weak_table) return;
    memory_free(vm->weak_table->buckets);
    memory_free(vm->weak_table);
    vm->weak_table = NULL;
}

bool weakref_restore(GenVM *vm, Weakref *reference, bool dies) {
    if (reference->target) return add(vm, reference);
    if (!dies || reference->callback == VALUE_UNSET || note_due(vm, reference)) return true;
    raise_memory(vm);
    return false;
}

Value weakref_callback(Object *reference) {
    return ((Weakref *)reference)->callback;
}

/* ---- making them ---- */

static void trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((Weakref *)object)->callback);
    gc_mark(vm, ((Weakref *)object)->hash);
}

/* As in CPython, whose small immutable objects have no room for the list of their references. */
static bool takes_references(GenVM *vm, Value v) {
    if (!is_object(v)) return false;
    Type *type = type_of(vm, v);
    if (!type->is_builtin && !is_kind(v, TYPE_HOST)) {
        if (type->has_instance_dict) return true;
        return type_lookup(vm, type, name_value(vm, NAME___weakref__)) != VALUE_UNSET;
    }
    switch (as_object(v)->kind) {
    case TYPE_TYPE:
    case TYPE_FUNCTION:
    case TYPE_NATIVE:
    case TYPE_LOCK:
    case TYPE_RLOCK:
    case TYPE_METHOD:
    case TYPE_GENERATOR:
    case TYPE_COROUTINE:
    case TYPE_ASYNC_GENERATOR:
    case TYPE_SET:
    case TYPE_FROZENSET:
    case TYPE_MODULE:
    case TYPE_CODE:
    case TYPE_FILE:
    case TYPE_FILE_RAW:
    case TYPE_BUFFERED_READER:
    case TYPE_BUFFERED_WRITER:
    case TYPE_BUFFERED_RANDOM:
    case TYPE_BYTES_IO:
    case TYPE_STRING_IO:
    case TYPE_MEMORYVIEW:
    case TYPE_GENERIC_ALIAS:
    case TYPE_UNION:
    case TYPE_HOST: return true;
    default: return false;
    }
}

static Value make(GenVM *vm, Type *type, Value target, Value callback) {
    if (!takes_references(vm, target))
        return raise_type(vm, "cannot create weak reference to '%T' object", target);
    Weakref *reference = NULL;
    bool sharable = callback == VALUE_NONE && type->id == TYPE_WEAKREF;
    while (sharable && (reference = next_to(vm, as_object(target), reference)))
        if (reference->callback == VALUE_UNSET && reference->header.shape == TYPE_WEAKREF)
            return object_value(reference);
    reference = gc_new_of(vm, sizeof *reference, TYPE_WEAKREF, type);
    if (!reference) return VALUE_ERROR;
    reference->target = as_object(target);
    reference->callback = callback == VALUE_NONE ? VALUE_UNSET : callback;
    reference->hash = VALUE_UNSET;
    return add(vm, reference) ? object_value(reference) : VALUE_ERROR;
}

static Value weakref_construct(GenVM *vm, Value *args) {
    return make(vm, type_from(args[0]), args[1], args[2]);
}

static Value method_init(GenVM *vm, Value *args) {
    (void)vm, (void)args;
    return VALUE_NONE;
}

/* ---- operations ---- */

static Value target_of(Value self) {
    const Object *target = weakref_of(self)->target;
    return target ? object_value(target) : VALUE_NONE;
}

static Value call(GenVM *vm, Value self, Value args, Value kwargs) {
    if (AS_TUPLE(args)->count)
        return raise_type(vm, "%T expected 0 arguments, got %llu", self,
                          (unsigned long long)AS_TUPLE(args)->count);
    if (kwargs != VALUE_UNSET && AS_DICT(kwargs)->count)
        return raise_type(vm, "%T() takes no keyword arguments", self);
    return target_of(self);
}

/* What the target's hash was stays the reference's when it is gone: dicts find it again. */
static Value hash(GenVM *vm, Value self) {
    Weakref *reference = weakref_of(self);
    if (reference->hash != VALUE_UNSET) return reference->hash;
    if (!reference->target) return raise_type(vm, "weak object has gone away");
    uint64_t found;
    if (!native_enter(vm)) return VALUE_ERROR;
    Leaf known = leaf_hash(vm, object_value(reference->target), &found);
    native_leave(vm);
    if (known == LEAF_ERROR) return VALUE_ERROR;
    if (known == LEAF_SCRIPT)
        return native_twin(vm, TWIN_WEAKREF_HASH, 2, self, object_value(reference->target));
    Value number = int_from_i64(vm, (int64_t)found);
    if (number == VALUE_ERROR) return VALUE_ERROR;
    reference->hash = number;
    gc_barrier(vm, reference);
    return number;
}

static Value compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if ((op != COMPARE_EQ && op != COMPARE_NE) || !is_kind(left, TYPE_WEAKREF) ||
        !is_kind(right, TYPE_WEAKREF))
        return VALUE_NOT_IMPLEMENTED;
    if (!weakref_of(left)->target || !weakref_of(right)->target)
        return bool_value((left == right) == (op == COMPARE_EQ));
    if (!native_enter(vm)) return VALUE_ERROR;
    return native_left(vm, value_compare(vm, op, target_of(left), target_of(right)));
}

static Value repr(GenVM *vm, Value self) {
    if (!weakref_of(self)->target)
        return str_format(vm, "<%T at %p; dead>", self, (void *)as_object(self));
    Value target = target_of(self);
    Value name = attribute_find(vm, target, name_value(vm, NAME___name__));
    if (name == VALUE_ERROR) return VALUE_ERROR;
    if (name == VALUE_UNSET || !value_is_str(name))
        return str_format(vm, "<%T at %p; to '%T' at %p>", self, (void *)as_object(self), target,
                          (void *)as_object(target));
    return str_format(vm, "<%T at %p; to '%T' at %p (%S)>", self, (void *)as_object(self), target,
                      (void *)as_object(target), name);
}

static Value get_callback(GenVM *vm, Value self) {
    (void)vm;
    const Weakref *reference = weakref_of(self);
    return reference->callback == VALUE_UNSET || !reference->target ? VALUE_NONE
                                                                    : reference->callback;
}

/* ---- for the module weakref and the twins ---- */

static Value references(GenVM *vm, Value *args) {
    Value list = list_new(vm, 4);
    if (list == VALUE_ERROR || !is_object(args[0])) return list;
    for (Weakref *each = NULL; (each = next_to(vm, as_object(args[0]), each));)
        if (!list_append(vm, list, object_value(each))) return VALUE_ERROR;
    return list;
}

static Value keep_hash(GenVM *vm, Value *args) {
    if (!is_kind(args[0], TYPE_WEAKREF) || !is_int(args[1]))
        return raise_type(vm, "'%T' object keeps no hash", args[0]);
    weakref_of(args[0])->hash = args[1];
    gc_barrier(vm, as_object(args[0]));
    return VALUE_NONE;
}

static Value reference_type(GenVM *vm, Value *args) {
    (void)args;
    return object_value(vm->types[TYPE_WEAKREF]);
}

const NativeDef engine_weakref_natives[] = {
    {"weak_references(object, /)", references, NULL},
    {"weak_keep_hash(reference, hash, /)", keep_hash, NULL},
    {"weak_type()", reference_type, NULL},
    {0},
};

/* ---- the type ---- */

static const NativeDef construct = {"ReferenceType(cls, o, callback=None, /)", weakref_construct,
                                    NULL};

static const NativeDef methods[] = {
    {"static __new__(cls, o, callback=None, /, **kwargs)", weakref_construct,
     "Create and return a new object."},
    {"__init__(self, o, callback=None, /)", method_init, "Initialize self."},
    {0},
};

static const AttributeDef attributes[] = {{"__callback__", get_callback, NULL, NULL}, {0}};

const BuiltinType weakref_type = {
    .name = "ReferenceType",
    .module = "weakref",
    .size = sizeof(Weakref),
    .construct = &construct,
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = repr, .hash = hash, .compare = compare, .call = call, .trace = trace},
};
