/* table_natives.c - the part of module _engine with which the twins of dict and set look a key up: the table hands out
 * the entries that may be it, the twin compares them.
 *
 *     state = table_probe(table, key, hash, 0)      >= 0: a candidate; -1: absent; -2 - entry: found
 *     held = table_key(table, state)                the candidate's key
 *     entry = table_holds(table, state, held)       after the comparison: is it still there? -1 if not
 *
 * A state goes stale when a key is added or removed meanwhile; then the probing begins again.
 */
#include "vm/engine_module.h"
#include "vm/objects/containers.h"

static uint64_t hash_argument(Value v) {
    uint64_t hash = 0;
    int_to_u64_mask(v, &hash);
    return hash;
}

static Value table_probe(GenVM *vm, Value *args) {
    int64_t state = is_kind(args[0], TYPE_DICT)
                        ? dict_probe(vm, AS_DICT(args[0]), args[1], hash_argument(args[2]), as_int(args[3]))
                        : set_probe(vm, AS_SET(args[0]), args[1], hash_argument(args[2]), as_int(args[3]));
    return state == PROBE_ERROR ? VALUE_ERROR : int_value(state);
}

static int64_t entry_at(Value table, int64_t state) {
    return is_kind(table, TYPE_DICT) ? dict_probe_entry(AS_DICT(table), state)
                                     : set_probe_entry(AS_SET(table), state);
}

static Value key_at(Value table, int64_t entry) {
    return is_kind(table, TYPE_DICT) ? AS_DICT(table)->entries[entry].key : AS_SET(table)->table[entry].key;
}

static Value table_key(GenVM *vm, Value *args) {
    int64_t entry = entry_at(args[0], as_int(args[1]));
    return entry < 0 ? raise_runtime(vm, "the table has changed") : key_at(args[0], entry);
}

static Value table_holds(GenVM *vm, Value *args) {
    int64_t entry = entry_at(args[0], as_int(args[1]));
    (void)vm;
    return int_value(entry >= 0 && key_at(args[0], entry) == args[2] ? entry : -1);
}

static Value dict_value(GenVM *vm, Value *args) {
    (void)vm;
    return AS_DICT(args[0])->entries[as_int(args[1])].value;
}

static Value dict_replace(GenVM *vm, Value *args) {
    AS_DICT(args[0])->entries[as_int(args[1])].value = args[2];
    gc_barrier(vm, AS_DICT(args[0]));
    return VALUE_NONE;
}

static Value dict_take(GenVM *vm, Value *args) {
    Dict *dict = AS_DICT(args[0]);
    uint32_t entry = (uint32_t)as_int(args[1]);
    Value value = dict->entries[entry].value;
    (void)vm;
    dict_remove(dict, entry);
    return value;
}

static Value dict_insert(GenVM *vm, Value *args) {
    return dict_add(vm, AS_DICT(args[0]), args[1], hash_argument(args[2]), args[3]) ? VALUE_NONE : VALUE_ERROR;
}

static Value set_take_out(GenVM *vm, Value *args) {
    (void)vm;
    set_remove(AS_SET(args[0]), (uint32_t)as_int(args[1]));
    return VALUE_NONE;
}

static Value set_insert_new(GenVM *vm, Value *args) {
    return set_insert(vm, AS_SET(args[0]), args[1], hash_argument(args[2])) ? VALUE_NONE : VALUE_ERROR;
}

/* ---- what a builtin type does, past the overrides of a subclass ---- */

static const TypeSlots *own_slots(GenVM *vm, Value v) { return &vm->types[as_object(v)->kind]->slots; }

static Value raw_getitem(GenVM *vm, Value *args) { return own_slots(vm, args[0])->getitem(vm, args[0], args[1]); }
static Value raw_setitem(GenVM *vm, Value *args) {
    return own_slots(vm, args[0])->setitem(vm, args[0], args[1], args[2]);
}
static Value raw_delitem(GenVM *vm, Value *args) {
    return own_slots(vm, args[0])->setitem(vm, args[0], args[1], VALUE_UNSET);
}
static Value raw_repeat(GenVM *vm, Value *args) {
    return own_slots(vm, args[0])->binary(vm, BINARY_MUL, args[0], args[1]);
}
static Value raw_repeat_in_place(GenVM *vm, Value *args) {
    return own_slots(vm, args[0])->inplace(vm, BINARY_MUL, args[0], args[1]);
}

const NativeDef engine_table_natives[] = {
    {"table_probe(table, key, hash, state, /)", table_probe, NULL},
    {"table_key(table, state, /)", table_key, NULL},
    {"table_holds(table, state, key, /)", table_holds, NULL},
    {"dict_value(table, entry, /)", dict_value, NULL},
    {"dict_replace(table, entry, value, /)", dict_replace, NULL},
    {"dict_take(table, entry, /)", dict_take, NULL},
    {"dict_insert(table, key, hash, value, /)", dict_insert, NULL},
    {"set_take_out(table, entry, /)", set_take_out, NULL},
    {"set_insert_new(table, key, hash, /)", set_insert_new, NULL},
    {"raw_getitem(container, key, /)", raw_getitem, NULL},
    {"raw_setitem(container, key, value, /)", raw_setitem, NULL},
    {"raw_delitem(container, key, /)", raw_delitem, NULL},
    {"raw_repeat(sequence, times, /)", raw_repeat, NULL},
    {"raw_repeat_in_place(sequence, times, /)", raw_repeat_in_place, NULL},
    {NULL, NULL, NULL},
};
