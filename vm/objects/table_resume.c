/* table_resume.c - looking a key up in a dict or set when that takes script code: the key has a
 * __hash__ of its own, or meets keys of equal hash that have an __eq__ of their own. A resumable
 * native (resume.h): the table hands out the entries that may be it, one after the other, script
 * code compares, and the operation is done in the end.
 *
 * A comparison may change the table. A probe's state carries the table's version: a stale one
 * begins again.
 */
#include "vm/objects/containers.h"
#include "vm/operations.h"
#include "vm/resume.h"

enum { R_OP = RESUME_STATE, R_TABLE, R_KEY, R_VALUE, R_STAGE, R_HASH, R_PROBE, R_HELD };

/* HASHED: r0 is what __hash__ returned; COMPARED: what __eq__ returned; JUDGED: the truth of that.
 */
typedef enum Progress {
    STAGE_BEGIN,
    STAGE_HASHED,
    STAGE_COMPARED,
    STAGE_JUDGED,
    STAGE_LAST
} Progress;

Value table_search(GenVM *vm, TableOp op, Value table, Value key, Value value) {
    return native_steps(vm, RESUME_TABLE, 5, int_value(op), table, key, value,
                        int_value(STAGE_BEGIN));
}

static inline bool is_dict(Value table) {
    return is_kind(table, TYPE_DICT);
}
static inline void set_stage(Value *r, Progress stage) {
    r[R_STAGE] = int_value(stage);
}

/* ---- what is done with the entry ---- */

static Value dict_result(GenVM *vm, TableOp op, Value *r, int64_t entry) {
    Dict *dict = AS_DICT(r[R_TABLE]);
    Value value = dict->entries[entry].value;
    switch (op) {
    case TABLE_GETITEM:
    case TABLE_GET:
    case TABLE_SETDEFAULT: return value;
    case TABLE_SETITEM:
        dict->entries[entry].value = r[R_VALUE];
        barrier_value(vm, dict, r[R_VALUE]);
        return VALUE_NONE;
    case TABLE_DELITEM:
    case TABLE_POP: dict_remove(dict, (uint32_t)entry); return op == TABLE_POP ? value : VALUE_NONE;
    default: return VALUE_TRUE;
    }
}

static Value set_result(TableOp op, Value *r, int64_t slot) {
    bool removes = op == TABLE_DISCARD || op == TABLE_DROP || op == TABLE_REMOVE;
    if (removes) set_remove(AS_SET(r[R_TABLE]), (uint32_t)slot);
    return op == TABLE_CONTAINS || op == TABLE_DROP ? VALUE_TRUE : VALUE_NONE;
}

static Value insert(GenVM *vm, TableOp op, Value *r) {
    uint64_t hash;
    int_to_u64_mask(r[R_HASH], &hash);
    bool done = is_dict(r[R_TABLE]) ? dict_add(vm, AS_DICT(r[R_TABLE]), r[R_KEY], hash, r[R_VALUE])
                                    : set_insert(vm, AS_SET(r[R_TABLE]), r[R_KEY], hash);
    if (!done) return VALUE_ERROR;
    return op == TABLE_SETDEFAULT ? r[R_VALUE] : VALUE_NONE;
}

static Value absent_result(GenVM *vm, TableOp op, Value *r) {
    switch (op) {
    case TABLE_GETITEM: return dict_missing(vm, r[R_TABLE], r[R_KEY]);
    case TABLE_GET: return r[R_VALUE];
    case TABLE_SETITEM:
    case TABLE_SETDEFAULT:
    case TABLE_ADD: return insert(vm, op, r);
    case TABLE_POP: return r[R_VALUE] == VALUE_UNSET ? raise_key(vm, r[R_KEY]) : r[R_VALUE];
    case TABLE_DELITEM:
    case TABLE_REMOVE: return raise_key(vm, r[R_KEY]);
    case TABLE_DISCARD: return VALUE_NONE;
    case TABLE_CONTAINS:
    case TABLE_DROP: break;
    }
    return VALUE_FALSE;
}

static Value finish(GenVM *vm, Value *r, int64_t entry) {
    TableOp op = (TableOp)as_int(r[R_OP]);
    set_stage(r, STAGE_LAST); /* __missing__ may still be called: its result is the whole's */
    if (entry < 0) return absent_result(vm, op, r);
    return is_dict(r[R_TABLE]) ? dict_result(vm, op, r, entry) : set_result(op, r, entry);
}

/* ---- the search ---- */

static int64_t entry_at(Value table, int64_t state) {
    return is_dict(table) ? dict_probe_entry(AS_DICT(table), state)
                          : set_probe_entry(AS_SET(table), state);
}

static Value key_at(Value table, int64_t entry) {
    return is_dict(table) ? AS_DICT(table)->entries[entry].key : AS_SET(table)->table[entry].key;
}

/* The held key equals: is it still there? */
static Value found(GenVM *vm, Value *r) {
    int64_t entry = entry_at(r[R_TABLE], as_int(r[R_PROBE]));
    if (entry >= 0 && key_at(r[R_TABLE], entry) == r[R_HELD]) return finish(vm, r, entry);
    r[R_PROBE] = int_value(0);
    return VALUE_UNSET;
}

/* The truth of the comparison in r0: VALUE_UNSET when the search goes on. */
static Value judge(GenVM *vm, Value *r, Value answer) {
    if (answer == VALUE_NOT_IMPLEMENTED) {
        answer = compare_rest(vm, COMPARE_EQ, r[R_HELD], r[R_KEY]);
        if (answer == VALUE_TAIL || answer == VALUE_ERROR) return answer;
    }
    Leaf equal = leaf_truth(vm, answer);
    if (equal == LEAF_ERROR) return VALUE_ERROR;
    if (equal == LEAF_SCRIPT) {
        set_stage(r, STAGE_JUDGED);
        return value_truth(vm, answer);
    }
    return equal == LEAF_TRUE ? found(vm, r) : VALUE_UNSET;
}

static Value search(GenVM *vm, Value *r) {
    uint64_t hash;
    int_to_u64_mask(r[R_HASH], &hash);
    for (;;) {
        int64_t state = as_int(r[R_PROBE]);
        state = is_dict(r[R_TABLE]) ? dict_probe(vm, AS_DICT(r[R_TABLE]), r[R_KEY], hash, state)
                                    : set_probe(vm, AS_SET(r[R_TABLE]), r[R_KEY], hash, state);
        if (state == PROBE_ERROR) return VALUE_ERROR;
        if (state < 0) return finish(vm, r, PROBE_FOUND - state);
        r[R_PROBE] = int_value(state);
        r[R_HELD] = key_at(r[R_TABLE], entry_at(r[R_TABLE], state));
        set_stage(r, STAGE_COMPARED);
        Value answer = compare_first(vm, COMPARE_EQ, r[R_HELD], r[R_KEY]);
        if (answer == VALUE_TAIL || answer == VALUE_ERROR) return answer;
        answer = judge(vm, r, answer);
        if (answer != VALUE_UNSET) return answer;
    }
}

/* A set that is looked for in a set stands for the frozenset of its items. */
static bool stands_for_frozenset(GenVM *vm, Value *r) {
    TableOp op = (TableOp)as_int(r[R_OP]);
    return !is_dict(r[R_TABLE]) && op != TABLE_ADD && is_kind(r[R_KEY], TYPE_SET) &&
           type_special(vm, r[R_KEY], SP_HASH) == VALUE_UNSET;
}

static Value begin(GenVM *vm, Value *r) {
    set_stage(r, STAGE_HASHED);
    r[R_PROBE] = int_value(0);
    if (stands_for_frozenset(vm, r))
        return int_from_i64(vm, (int64_t)set_frozen_hash(AS_SET(r[R_KEY])));
    Value method = type_special(vm, r[R_KEY], SP_HASH);
    if (is_object(method) && object_key(as_object(method)) == OBJECT_KEY(TYPE_FUNCTION, 1))
        return native_call_array(vm, method, 1, &r[R_KEY]);
    Value hash = value_hash(vm, r[R_KEY]);
    if (hash == VALUE_ERROR) table_failed(vm, r);
    return hash;
}

Value table_resume(GenVM *vm, Value *r) {
    Value answer = r[RESUME_RESULT];
    Progress stage = (Progress)as_int(r[R_STAGE]);
    switch (answer == VALUE_UNSET ? STAGE_BEGIN : stage) { /* unset: only at the first step */
    case STAGE_BEGIN:
        answer = begin(vm, r);
        if (answer == VALUE_ERROR || answer == VALUE_TAIL) return answer;
        r[R_HASH] = answer;
        return search(vm, r);
    case STAGE_HASHED:
        r[R_HASH] = hash_of_result(vm, answer);
        return r[R_HASH] == VALUE_ERROR ? VALUE_ERROR : search(vm, r);
    case STAGE_COMPARED:
    case STAGE_JUDGED:
        answer = judge(vm, r, answer);
        return answer == VALUE_UNSET ? search(vm, r) : answer;
    case STAGE_LAST: break;
    }
    return answer;
}

/* An exception in mid-search. That of a key that is not hashable names the key. */
void table_failed(GenVM *vm, Value *r) {
    if (r[R_STAGE] != int_value(STAGE_HASHED)) return;
    set_stage(r, STAGE_LAST);
    table_unhashable(vm, r[R_KEY], is_dict(r[R_TABLE]) ? "dict key" : "set element");
}

void table_unhashable(GenVM *vm, Value key, const char *what) {
    if (type_of(vm, vm->exception) != vm->types[EXC_TYPE_ERROR]) return;
    Value error = error_take(vm), text = leaf_str(vm, error);
    if (is_kind(text, TYPE_STR))
        raise_type(vm, "cannot use '%T' as a %s (%S)", key, what, text);
    else
        raise_value_object(vm, error);
}

/* In an image the probe is 1 where the search stands at the held key, else 0. A dict is rebuilt
 * from its entries there. */
Value table_saved(GenVM *vm, Value *r, uint32_t i) {
    (void)vm;
    Value table = r[R_TABLE];
    uint64_t hash;
    if (i != R_PROBE || !is_int(r[R_PROBE]) || r[R_PROBE] == int_value(0)) return r[i];
    int_to_u64_mask(r[R_HASH], &hash);
    int64_t entry = entry_at(table, as_int(r[R_PROBE]));
    bool stands = entry >= 0 && key_at(table, entry) == r[R_HELD];
    return int_value(stands && (!is_dict(table) || dict_probe_in_order(AS_DICT(table), hash)));
}

/* Where the held key lies in the table on the way of its hash; 0 where it does not. */
void table_loaded(Value *r) {
    uint64_t hash;
    if (r[R_PROBE] != int_value(1) || !value_is_int(r[R_HASH])) return;
    int_to_u64_mask(r[R_HASH], &hash);
    r[R_PROBE] = int_value(is_dict(r[R_TABLE]) ? dict_probe_of(AS_DICT(r[R_TABLE]), r[R_HELD], hash)
                                               : set_probe_of(AS_SET(r[R_TABLE]), r[R_HELD], hash));
}

/* A probe is for a table that is laid out as it was: table_loaded. One that stands where nothing
 * is begins anew. */
bool table_resume_check(GenVM *vm, Value *r) {
    (void)vm;
    if (!is_int(r[R_OP]) || !is_int(r[R_STAGE]) || r[R_KEY] == VALUE_UNSET) return false;
    int64_t op = as_int(r[R_OP]), stage = as_int(r[R_STAGE]);
    if (op < 0 || op > TABLE_REMOVE || stage < STAGE_BEGIN || stage > STAGE_LAST) return false;
    bool of_dict = op<TABLE_CONTAINS, of_set = op> TABLE_CONTAINS;
    if (is_dict(r[R_TABLE]) ? of_set : of_dict || !is_any_set(r[R_TABLE])) return false;
    if ((op == TABLE_SETITEM || op == TABLE_SETDEFAULT || op == TABLE_GET) &&
        r[R_VALUE] == VALUE_UNSET)
        return false;
    bool compared = stage == STAGE_COMPARED || stage == STAGE_JUDGED;
    if (compared && (!value_is_int(r[R_HASH]) || r[R_HELD] == VALUE_UNSET)) return false;
    if (stage > STAGE_BEGIN && (!compared || r[R_PROBE] != int_value(1))) r[R_PROBE] = int_value(0);
    return true;
}
