/* dict.c - dict, as scripts and the engine see it. The table itself is in dict_table.c, the views
 * and iterators in dict_views.c.
 *
 * Keys are nearly always strings or ints, whose hashing and comparison need no script code. Where a
 * key does (a class with __hash__ or __eq__ written in Gen), the method hands over to table_search.
 */
#include "vm/objects/containers.h"

Value dict_new(GenVM *vm) {
    Dict *dict = gc_new(vm, sizeof *dict, TYPE_DICT);
    if (!dict) return VALUE_ERROR;
    dict_init(dict);
    return object_value(dict);
}

static void dict_trace(GenVM *vm, Object *object) {
    Dict *dict = (Dict *)object;
    gc_mark_pointer(vm, dict->buffer);
    for (uint32_t i = 0; i < dict->used; i++) {
        gc_mark(vm, dict->entries[i].key);
        gc_mark(vm, dict->entries[i].value);
    }
}

/* ---- string keys ---- */

Value dict_get_str(GenVM *vm, Dict *dict, Value key) {
    int64_t entry = dict_find_str(vm, dict, key);
    return entry < 0 ? VALUE_UNSET : dict->entries[entry].value;
}

bool dict_set_str(GenVM *vm, Dict *dict, Value key, Value value) {
    if (unlikely(key == VALUE_ERROR || value == VALUE_ERROR)) return false;
    int64_t entry = dict_find_str(vm, dict, key);
    if (entry < 0) return dict_add(vm, dict, key, str_hash(vm, key), value);
    dict->entries[entry].value = value;
    barrier_value(vm, dict, value);
    return true;
}

bool dict_delete_str(GenVM *vm, Dict *dict, Value key) {
    int64_t entry = dict_find_str(vm, dict, key);
    if (entry >= 0) dict_remove(dict, (uint32_t)entry);
    return entry >= 0;
}

/* ---- any key ---- */

/* The entry of any key, or an ENTRY_ code. */
static inline int64_t find_key(GenVM *vm, Dict *dict, Value key, uint64_t *hash) {
    Leaf hashed = key_hash(vm, key, hash);
    if (likely(hashed == LEAF_TRUE)) return dict_find(vm, dict, key, *hash);
    if (hashed == LEAF_SCRIPT) return ENTRY_SCRIPT;
    table_unhashable(vm, key, "dict key");
    return ENTRY_ERROR;
}

/* ---- the key found last ----
 *
 * Programs that count or collect look for a key and then store under it: d[k] = d.get(k, 0) + 1.
 * The second search is spared where it is for the same object in the same dict and what was found
 * is still in its place: texts, and tuples of texts and numbers, stay equal to what they were equal
 * to. Addresses are not used again before a collection, which forgets the key. */

enum { REMEMBERED_ITEMS = 4 };

static inline bool stays_equal(Value key) {
    if (is_exact(key, TYPE_STR)) return true;
    if (!is_exact(key, TYPE_TUPLE) || AS_TUPLE(key)->count > REMEMBERED_ITEMS) return false;
    for (uint64_t i = 0; i < AS_TUPLE(key)->count; i++)
        if (!is_int(AS_TUPLE(key)->items[i]) && !is_exact(AS_TUPLE(key)->items[i], TYPE_STR))
            return false;
    return true;
}

static inline void remember(GenVM *vm, Dict *dict, Value key, uint32_t entry) {
    Value held = dict->entries[entry].key;
    if (held != key && stays_equal(key)) vm->found = (FoundKey){dict, key, held, entry};
}

static inline bool recall(GenVM *vm, const Dict *dict, Value key, uint32_t *entry) {
    const FoundKey *found = &vm->found;
    *entry = found->entry;
    return found->key == key && found->dict == dict && found->entry < dict->used &&
           dict->entries[found->entry].key == found->held;
}

Leaf dict_get(GenVM *vm, Dict *dict, Value key, Value *value) {
    uint64_t hash;
    uint32_t known;
    if (recall(vm, dict, key, &known)) {
        *value = dict->entries[known].value;
        return LEAF_TRUE;
    }
    int64_t entry = find_key(vm, dict, key, &hash);
    if (entry < 0) return entry_leaf(entry);
    *value = dict->entries[entry].value;
    if (is_object(key)) remember(vm, dict, key, (uint32_t)entry);
    return LEAF_TRUE;
}

Leaf dict_set(GenVM *vm, Dict *dict, Value key, Value value) {
    uint64_t hash;
    uint32_t known;
    if (recall(vm, dict, key, &known)) {
        dict->entries[known].value = value;
        barrier_value(vm, dict, value);
        return LEAF_TRUE;
    }
    int64_t entry = find_key(vm, dict, key, &hash);
    if (entry >= 0) {
        dict->entries[entry].value = value;
        barrier_value(vm, dict, value);
        return LEAF_TRUE;
    }
    if (entry != ENTRY_ABSENT) return entry_leaf(entry);
    return dict_add(vm, dict, key, hash, value) ? LEAF_TRUE : LEAF_ERROR;
}

Leaf dict_delete(GenVM *vm, Dict *dict, Value key) {
    uint64_t hash;
    int64_t entry = find_key(vm, dict, key, &hash);
    if (entry < 0) return entry_leaf(entry);
    dict_remove(dict, (uint32_t)entry);
    return LEAF_TRUE;
}

bool dict_next(Dict *dict, uint32_t *position, Value *key, Value *value) {
    while (*position < dict->used) {
        DictEntry *entry = &dict->entries[(*position)++];
        if (entry->key == VALUE_UNSET) continue;
        *key = entry->key;
        *value = entry->value;
        return true;
    }
    return false;
}

Value dict_copy(GenVM *vm, Dict *dict) {
    Value copy = dict_new(vm);
    if (copy == VALUE_ERROR || !dict_assign(vm, AS_DICT(copy), dict)) return VALUE_ERROR;
    return copy;
}

void dict_clear(GenVM *vm, Dict *dict) {
    Buffer *buffer = dict->buffer;
    dict_init(dict);
    if (buffer) gc_buffer_free(vm, buffer);
}

/* The hashes are at hand; only equal ones are compared. */
Leaf dict_merge(GenVM *vm, Dict *target, Value source_value, bool override) {
    Dict *source = AS_DICT(source_value);
    if (target == source) return LEAF_TRUE;
    if (target->count == 0 && target->capacity < source->count) {
        dict_clear(vm, target);
        return dict_assign(vm, target, source) ? LEAF_TRUE : LEAF_ERROR;
    }
    if (!charge_items(vm, source->count)) return LEAF_ERROR;
    for (uint32_t i = 0; i < source->used; i++) {
        DictEntry item = source->entries[i];
        if (item.key == VALUE_UNSET) continue;
        int64_t entry = dict_find(vm, target, item.key, item.hash);
        if (entry >= 0) {
            if (override) target->entries[entry].value = item.value;
        } else if (entry != ENTRY_ABSENT) {
            return entry_leaf(entry);
        } else if (!dict_add(vm, target, item.key, item.hash, item.value)) {
            return LEAF_ERROR;
        }
    }
    gc_barrier(vm, target);
    return LEAF_TRUE;
}

/* ---- items ---- */

/* What d[key] gives for an absent key: a subclass's __missing__, or KeyError. */
COLD Value dict_missing(GenVM *vm, Value self, Value key) {
    if (as_object(self)->state == OBJECT_SUBCLASS) {
        Value method = type_find_special(vm, type_of(vm, self), SP_MISSING);
        if (method != VALUE_UNSET) return special_call(vm, method, self, 1, key);
    }
    return raise_key(vm, key);
}

static Value dict_getitem(GenVM *vm, Value self, Value key) {
    Value value;
    Leaf found = dict_get(vm, AS_DICT(self), key, &value);
    if (likely(found == LEAF_TRUE)) return value;
    if (found == LEAF_FALSE) return dict_missing(vm, self, key);
    if (found == LEAF_ERROR) return VALUE_ERROR;
    return table_search(vm, TABLE_GETITEM, self, key, VALUE_UNSET);
}

static Value dict_setitem(GenVM *vm, Value self, Value key, Value value) {
    Leaf done;
    if (value == VALUE_UNSET) {
        done = dict_delete(vm, AS_DICT(self), key);
        if (done == LEAF_FALSE) return raise_key(vm, key);
        if (done == LEAF_SCRIPT) return table_search(vm, TABLE_DELITEM, self, key, VALUE_UNSET);
    } else {
        done = dict_set(vm, AS_DICT(self), key, value);
        if (done == LEAF_SCRIPT) return table_search(vm, TABLE_SETITEM, self, key, value);
    }
    return done == LEAF_TRUE ? VALUE_NONE : VALUE_ERROR;
}

static Value dict_contains(GenVM *vm, Value self, Value key) {
    Value value;
    Leaf found = dict_get(vm, AS_DICT(self), key, &value);
    if (found == LEAF_SCRIPT) return table_search(vm, TABLE_CONTAINS, self, key, VALUE_UNSET);
    return leaf_value(found);
}

static Value dict_get_method(GenVM *vm, Value *args) {
    Value value;
    Leaf found = dict_get(vm, AS_DICT(args[0]), args[1], &value);
    if (found == LEAF_TRUE) return value;
    if (found == LEAF_FALSE) return args[2];
    if (found == LEAF_ERROR) return VALUE_ERROR;
    return table_search(vm, TABLE_GET, args[0], args[1], args[2]);
}

static Value dict_setdefault(GenVM *vm, Value *args) {
    Dict *dict = AS_DICT(args[0]);
    uint64_t hash;
    int64_t entry = find_key(vm, dict, args[1], &hash);
    if (entry >= 0) return dict->entries[entry].value;
    if (entry == ENTRY_ERROR) return VALUE_ERROR;
    if (entry == ENTRY_SCRIPT) return table_search(vm, TABLE_SETDEFAULT, args[0], args[1], args[2]);
    return dict_add(vm, dict, args[1], hash, args[2]) ? args[2] : VALUE_ERROR;
}

static Value dict_pop(GenVM *vm, Value *args) {
    Dict *dict = AS_DICT(args[0]);
    uint64_t hash;
    int64_t entry = find_key(vm, dict, args[1], &hash);
    if (entry >= 0) {
        Value value = dict->entries[entry].value;
        dict_remove(dict, (uint32_t)entry);
        return value;
    }
    if (entry == ENTRY_ERROR) return VALUE_ERROR;
    if (entry == ENTRY_SCRIPT) return table_search(vm, TABLE_POP, args[0], args[1], args[2]);
    return args[2] == VALUE_UNSET ? raise_key(vm, args[1]) : args[2];
}

static Value dict_popitem(GenVM *vm, Value *args) {
    Dict *dict = AS_DICT(args[0]);
    if (dict->count == 0) return raise_error(vm, EXC_KEY_ERROR, "popitem(): dictionary is empty");
    uint32_t last = dict->used - 1;
    while (dict->entries[last].key == VALUE_UNSET)
        last--;
    Value item = tuple_pack(vm, 2, dict->entries[last].key, dict->entries[last].value);
    if (item != VALUE_ERROR) {
        dict_remove(dict, last);
        dict_trim(dict);
    }
    return item;
}

/* ---- update ---- */

/* Whether a mapping's keys and values can be read from its table, as no class overrides how it is
 * iterated. */
static bool is_plain_dict(GenVM *vm, Value v) {
    if (!is_kind(v, TYPE_DICT)) return false;
    return as_object(v)->state == 0 || type_special(vm, v, SP_ITER) == VALUE_UNSET;
}

/* Whether a value is certain to have no `keys` attribute, so that it is read as pairs. */
static bool is_no_mapping(GenVM *vm, Value v) {
    Type *type = type_of(vm, v);
    return type->is_builtin && !type->has_instance_dict && type != vm->types[TYPE_TYPE] &&
           type_lookup(vm, type, name_value(vm, NAME_keys)) == VALUE_UNSET;
}

/* The pair that element number `n` of an update sequence is. LEAF_FALSE: an exception is pending.
 */
static Leaf read_pair(GenVM *vm, Value element, uint64_t n, Value pair[2]) {
    uint64_t count;
    const Value *items = exact_items(element, &count);
    if (!items) return LEAF_SCRIPT;
    if (count != 2) {
        raise_value(vm, "dictionary update sequence element #%llu has length %llu; 2 is required",
                    (unsigned long long)n, (unsigned long long)count);
        return LEAF_ERROR;
    }
    pair[0] = items[0];
    pair[1] = items[1];
    return LEAF_TRUE;
}

/* Takes pairs from a native iterator, the next of which is pair `*n`. LEAF_SCRIPT: `*element` needs
 * script code. LEAF_FALSE: the budget is spent; `*element` comes next, unless it is unset. */
static Leaf put_pairs(GenVM *vm, Value self, Value iterator, uint64_t *n, Value *element) {
    vm->committed = NULL; /* what stops before an item leaves it */
    for (uint64_t turn = 1;; turn++, ++*n) {
        Leaf done = turn % 64 == 0 ? native_turn(vm, 16) : LEAF_TRUE;
        if (done != LEAF_TRUE) return done;
        Value pair[2], next = iterator_step(vm, iterator);
        if (next == VALUE_END) return LEAF_TRUE;
        done = next == VALUE_ERROR ? LEAF_ERROR : read_pair(vm, next, *n, pair);
        if (done == LEAF_TRUE) done = dict_set(vm, AS_DICT(self), pair[0], pair[1]);
        if (done == LEAF_ERROR && native_leaves_item(vm)) done = LEAF_FALSE;
        if (done == LEAF_SCRIPT || done == LEAF_FALSE) *element = next;
        if (done != LEAF_TRUE) return done;
    }
}

/* The rest, from where put_pairs stopped, is the twin's. */
static Value update_from_pairs(GenVM *vm, Value self, Value iterator, Value kwargs, Value result) {
    uint64_t n = 0;
    Value element = VALUE_UNSET;
    Leaf done = put_pairs(vm, self, iterator, &n, &element);
    if (done == LEAF_TRUE || done == LEAF_ERROR) return done == LEAF_TRUE ? result : VALUE_ERROR;
    Value number = int_value((int64_t)n);
    if (element == VALUE_UNSET)
        return native_twin(vm, TWIN_DICT_UPDATE_GO_ON, 5, self, iterator, number, kwargs, result);
    if (done == LEAF_FALSE)
        return native_twin(vm, TWIN_DICT_UPDATE_GO_ON, 6, self, iterator, number, kwargs, result,
                           element);
    return native_twin(vm, TWIN_DICT_UPDATE_REST, 6, self, element, iterator, number, kwargs,
                       result);
}

/* _engine.dict_put_pairs(dict, iterator, number): as many pairs as the budget allows; the number of
 * the next one, or -1 at the end. */
static Value engine_put_pairs(GenVM *vm, Value *args) {
    uint64_t n = (uint64_t)as_int(args[2]);
    Value element = VALUE_UNSET;
    if (!iterator_is_native(args[1])) return raise_type(vm, "not an iterator of the engine");
    Leaf done = put_pairs(vm, args[0], args[1], &n, &element);
    if (done == LEAF_ERROR) return VALUE_ERROR;
    if (done == LEAF_TRUE) return int_value(-1);
    if (element == VALUE_UNSET) return int_value((int64_t)n);
    return native_twin(vm, TWIN_DICT_UPDATE_REST, 6, args[0], element, args[1],
                       int_value((int64_t)n), VALUE_NONE, int_value(-1));
}

/* self.update(other, **kwargs), and returns `result`. `other` may be VALUE_UNSET, kwargs is None or
 * a dict. */
static Value update(GenVM *vm, Value self, Value other, Value kwargs, Value result) {
    Value done = result;
    if (other == VALUE_UNSET) {
    } else if (is_plain_dict(vm, other)) {
        Leaf merged = dict_merge(vm, AS_DICT(self), other, true);
        if (merged == LEAF_ERROR) return VALUE_ERROR;
        if (merged == LEAF_SCRIPT)
            return native_twin(vm, TWIN_DICT_UPDATE, 4, self, other, kwargs, result);
    } else if (is_no_mapping(vm, other)) {
        Value iterator;
        Leaf begun = iterator_begin(vm, other, &iterator);
        if (begun == LEAF_ERROR) return VALUE_ERROR;
        if (begun == LEAF_SCRIPT)
            return native_twin(vm, TWIN_DICT_UPDATE_REST, 6, self, VALUE_ELLIPSIS, iterator,
                               int_value(-1), kwargs, result);
        done = update_from_pairs(vm, self, iterator, kwargs, result);
    } else {
        return native_twin(vm, TWIN_DICT_UPDATE, 4, self, other, kwargs, result);
    }
    if (done == VALUE_ERROR || done == VALUE_TAIL || kwargs == VALUE_NONE) return done;
    return update(vm, self, kwargs, VALUE_NONE, result);
}

static inline Value or_none(Value v) {
    return v == VALUE_UNSET ? VALUE_NONE : v;
}

static Value dict_update(GenVM *vm, Value *args) {
    return update(vm, args[0], args[1], or_none(args[2]), VALUE_NONE);
}

static Value dict_alloc(GenVM *vm, Type *cls) {
    Dict *dict = gc_new_of(vm, sizeof *dict, TYPE_DICT, cls);
    if (!dict) return VALUE_ERROR;
    dict_init(dict);
    return object_value(dict);
}

static Value dict_construct(GenVM *vm, Value *args) {
    Value self = dict_alloc(vm, type_from(args[0]));
    if (self == VALUE_ERROR || (args[1] == VALUE_UNSET && args[2] == VALUE_UNSET)) return self;
    return update(vm, self, args[1], or_none(args[2]), self);
}

static Value dict_new_method(GenVM *vm, Value *args) {
    Type *cls = container_class(vm, args[0], TYPE_DICT);
    return cls ? dict_alloc(vm, cls) : VALUE_ERROR;
}

/* Keys from a native iterator, all with that value. LEAF_SCRIPT: *key needs script code.
 * LEAF_FALSE: the budget is spent; *key comes next, unless it is unset. */
static Leaf put_keys(GenVM *vm, Dict *dict, Value iterator, Value value, Value *key) {
    vm->committed = NULL; /* what stops before an item leaves it */
    for (uint64_t n = 1;; n++) {
        Leaf done = n % 64 == 0 ? native_turn(vm, 16) : LEAF_TRUE;
        if (done != LEAF_TRUE) return done;
        Value next = iterator_step(vm, iterator);
        if (next == VALUE_END) return LEAF_TRUE;
        done = next == VALUE_ERROR ? LEAF_ERROR : dict_set(vm, dict, next, value);
        if (done == LEAF_ERROR && native_leaves_item(vm)) done = LEAF_FALSE;
        if (done == LEAF_SCRIPT || done == LEAF_FALSE) *key = next;
        if (done != LEAF_TRUE) return done;
    }
}

static Value dict_fromkeys(GenVM *vm, Value *args) {
    Value iterator, result;
    if (args[0] != object_value(vm->types[TYPE_DICT]))
        return native_twin(vm, TWIN_DICT_FROMKEYS, 3, args[0], args[1], args[2]);
    Leaf begun = iterator_begin(vm, args[1], &iterator);
    if (begun == LEAF_ERROR) return VALUE_ERROR;
    if (begun == LEAF_SCRIPT)
        return native_twin(vm, TWIN_DICT_FROMKEYS, 3, args[0], iterator, args[2]);
    result = dict_new(vm);
    if (result == VALUE_ERROR) return VALUE_ERROR;
    Value key = VALUE_UNSET;
    Leaf done = put_keys(vm, AS_DICT(result), iterator, args[2], &key);
    if (done == LEAF_TRUE) return result;
    if (done == LEAF_ERROR) return VALUE_ERROR;
    if (key == VALUE_UNSET)
        return native_twin(vm, TWIN_DICT_FROMKEYS_GO_ON, 3, result, iterator, args[2]);
    if (done == LEAF_FALSE)
        return native_twin(vm, TWIN_DICT_FROMKEYS_GO_ON, 4, result, iterator, args[2], key);
    return native_twin(vm, TWIN_DICT_FROMKEYS_REST, 4, result, key, iterator, args[2]);
}

/* _engine.dict_put_keys(dict, iterator, value): as many keys as the budget allows; were that all?
 */
static Value engine_put_keys(GenVM *vm, Value *args) {
    Value key = VALUE_UNSET;
    if (!iterator_is_native(args[1])) return raise_type(vm, "not an iterator of the engine");
    Leaf done = put_keys(vm, AS_DICT(args[0]), args[1], args[2], &key);
    if (key == VALUE_UNSET) return done == LEAF_ERROR ? VALUE_ERROR : bool_value(done == LEAF_TRUE);
    return table_search(vm, TABLE_SETITEM, args[0], key, args[2]); /* which gives None */
}

/* ---- operators, comparison, repr ---- */

static Value dict_binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    if (op != BINARY_OR || !is_kind(left, TYPE_DICT) || !is_kind(right, TYPE_DICT))
        return VALUE_NOT_IMPLEMENTED;
    Value copy = dict_copy(vm, AS_DICT(left));
    return copy == VALUE_ERROR ? copy : update(vm, copy, right, VALUE_NONE, copy);
}

static Value dict_inplace(GenVM *vm, BinaryOp op, Value left, Value right) {
    if (op != BINARY_OR) return VALUE_NOT_IMPLEMENTED;
    return update(vm, left, right, VALUE_NONE, left);
}

static Leaf equal_dicts(GenVM *vm, Dict *a, Dict *b) {
    if (a == b) return LEAF_TRUE;
    if (a->count != b->count) return LEAF_FALSE;
    if (!charge_items(vm, a->count) || !native_enter_work(vm)) return LEAF_ERROR;
    Leaf equal = LEAF_TRUE;
    for (uint32_t i = 0; i < a->used && equal == LEAF_TRUE; i++) {
        DictEntry *item = &a->entries[i];
        if (item->key == VALUE_UNSET) continue;
        int64_t entry = dict_find(vm, b, item->key, item->hash);
        equal =
            entry < 0 ? entry_leaf(entry) : items_equal(vm, b->entries[entry].value, item->value);
    }
    native_leave(vm);
    return equal;
}

static Value dict_compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if ((op != COMPARE_EQ && op != COMPARE_NE) || !is_kind(left, TYPE_DICT) ||
        !is_kind(right, TYPE_DICT))
        return VALUE_NOT_IMPLEMENTED;
    Leaf equal = equal_dicts(vm, AS_DICT(left), AS_DICT(right));
    if (equal == LEAF_ERROR) return VALUE_ERROR;
    if (equal == LEAF_SCRIPT)
        return native_twin(vm, TWIN_DICT_EQUAL, 3, left, right, bool_value(op == COMPARE_EQ));
    return bool_value((equal == LEAF_TRUE) == (op == COMPARE_EQ));
}

static Leaf put_entries(StrBuilder *builder, Dict *dict) {
    bool first = true;
    for (uint32_t i = 0; i < dict->used; i++) {
        if (dict->entries[i].key == VALUE_UNSET) continue;
        if (!first) builder_put(builder, ", ", 2);
        first = false;
        Leaf done = builder_put_repr(builder, dict->entries[i].key);
        if (done != LEAF_TRUE) return done;
        builder_put(builder, ": ", 2);
        done = builder_put_repr(builder, dict->entries[i].value);
        if (done != LEAF_TRUE) return done;
    }
    return LEAF_TRUE;
}

static Value dict_repr(GenVM *vm, Value self) {
    if (AS_DICT(self)->count == 0) return str_from(vm, "{}");
    if (!charge_items(vm, AS_DICT(self)->count)) return VALUE_ERROR;
    if (!repr_enter(vm, self))
        return vm->exception != VALUE_UNSET ? VALUE_ERROR : str_from(vm, "{...}");
    StrBuilder builder;
    builder_init_work(&builder, vm);
    builder_put_byte(&builder, '{');
    Leaf done = put_entries(&builder, AS_DICT(self));
    repr_leave(vm, self);
    if (done == LEAF_TRUE) {
        builder_put_byte(&builder, '}');
        return builder_finish(&builder);
    }
    builder_drop(&builder);
    return done == LEAF_ERROR ? VALUE_ERROR : native_twin(vm, TWIN_DICT_REPR, 1, self);
}

/* ---- the rest ---- */

static Value dict_len(GenVM *vm, Value self) {
    (void)vm;
    return int_value(AS_DICT(self)->count);
}

static Value dict_iter(GenVM *vm, Value self) {
    Dict *dict = AS_DICT(self);
    return dict_iterator_new(vm, TYPE_DICT_KEY_ITERATOR, self, dict->count, dict->version);
}

static Value dict_reversed(GenVM *vm, Value *args) {
    Dict *dict = AS_DICT(args[0]);
    return dict_iterator_new(vm, TYPE_DICT_REVERSE_KEY_ITERATOR, args[0], dict->count,
                             dict->version);
}

static Value dict_clear_method(GenVM *vm, Value *args) {
    dict_clear(vm, AS_DICT(args[0]));
    return VALUE_NONE;
}

static Value dict_copy_method(GenVM *vm, Value *args) {
    return dict_copy(vm, AS_DICT(args[0]));
}
static Value dict_keys(GenVM *vm, Value *args) {
    return dict_view_new(vm, TYPE_DICT_KEYS, args[0]);
}
static Value dict_values(GenVM *vm, Value *args) {
    return dict_view_new(vm, TYPE_DICT_VALUES, args[0]);
}
static Value dict_items(GenVM *vm, Value *args) {
    return dict_view_new(vm, TYPE_DICT_ITEMS, args[0]);
}

static Value dict_class_getitem(GenVM *vm, Value *args) {
    return generic_alias_new(vm, args[0], args[1]);
}

static Value dict_sizeof(GenVM *vm, Value *args) {
    Dict *dict = AS_DICT(args[0]);
    (void)vm;
    return int_value((int64_t)(sizeof *dict + (dict->buffer ? dict->buffer->capacity : 0)));
}

static const NativeDef dict_constructor = {
    "dict(cls, iterable = ?, /, **kwargs)", dict_construct,
    "dict() -> new empty dictionary\ndict(mapping) -> new dictionary initialized from a mapping's\n"
    "    (key, value) pairs\ndict(iterable) -> new dictionary initialized as if via:\n    d = {}\n"
    "    for k, v in iterable:\n        d[k] = v\ndict(**kwargs) -> new dictionary initialized "
    "with the "
    "name=value pairs\n    in the keyword argument list.  For example:  dict(one=1, two=2)"};

static const NativeDef dict_methods[] = {
    {"static __new__(cls, /, *args, **kwargs)", dict_new_method,
     "Create and return a new object.  See help(type) for accurate signature."},
    {"__init__(self, iterable = ?, /, **kwargs)", dict_update,
     "Initialize self.  See help(type(self)) for accurate signature."},
    {"get(self, key, default = None, /)", dict_get_method,
     "Return the value for key if key is in the dictionary, else default."},
    {"setdefault(self, key, default = None, /)", dict_setdefault,
     "Insert key with a value of default if key is not in the dictionary.\n\n"
     "Return the value for key if key is in the dictionary, else default."},
    {"pop(self, key, default = ?, /)", dict_pop,
     "D.pop(k[,d]) -> v, remove specified key and return the corresponding value.\n\n"
     "If the key is not found, return the default if given; otherwise,\nraise a KeyError."},
    {"popitem(self, /)", dict_popitem,
     "Remove and return a (key, value) pair as a 2-tuple.\n\nPairs are returned in LIFO (last-in, "
     "first-out) order.\nRaises KeyError if the dict is empty."},
    {"keys(self, /)", dict_keys, "Return a set-like object providing a view on the dict's keys."},
    {"items(self, /)", dict_items,
     "Return a set-like object providing a view on the dict's items."},
    {"values(self, /)", dict_values, "Return an object providing a view on the dict's values."},
    {"update(self, iterable = ?, /, **kwargs)", dict_update,
     "D.update([E, ]**F) -> None.  Update D from mapping/iterable E and F.\nIf E is present and "
     "has a "
     ".keys() method, then does:  for k in E.keys(): D[k] = E[k]\nIf E is present and lacks a "
     ".keys() "
     "method, then does:  for k, v in E: D[k] = v\nIn either case, this is followed by: for k in "
     "F:  "
     "D[k] = F[k]"},
    {"classmethod fromkeys(cls, iterable, value = None, /)", dict_fromkeys,
     "Create a new dictionary with keys from iterable and values set to value."},
    {"clear(self, /)", dict_clear_method, "Remove all items from the dict."},
    {"copy(self, /)", dict_copy_method, "Return a shallow copy of the dict."},
    {"__reversed__(self, /)", dict_reversed, "Return a reverse iterator over the dict keys."},
    {"__sizeof__(self, /)", dict_sizeof, "Return the size of the dict in memory."},
    {"classmethod __class_getitem__(cls, item, /)", dict_class_getitem, "See PEP 585"},
    {NULL, NULL, NULL},
};

const BuiltinType dict_type = {
    .name = "dict",
    .base = TYPE_OBJECT,
    .flags = TYPE_UNHASHABLE | TYPE_MAPPING | TYPE_MATCH_SELF,
    .size = sizeof(Dict),
    .doc = "dict() -> new empty dictionary\ndict(mapping) -> new dictionary initialized from a "
           "mapping "
           "object's\n    (key, value) pairs",
    .construct = &dict_constructor,
    .methods = dict_methods,
    .slots = {.repr = dict_repr,
              .len = dict_len,
              .getitem = dict_getitem,
              .setitem = dict_setitem,
              .contains = dict_contains,
              .iter = dict_iter,
              .binary = dict_binary,
              .inplace = dict_inplace,
              .compare = dict_compare,
              .trace = dict_trace},
};

const NativeDef engine_dict_natives[] = {
    {"dict_put_keys(dict: dict, iterator, value, /)", engine_put_keys, NULL},
    {"dict_put_pairs(dict: dict, iterator, number: index, /)", engine_put_pairs, NULL},
    {NULL, NULL, NULL},
};
