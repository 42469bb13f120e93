/* dict_views.c - what keys(), values() and items() return, and the iterators over a dict in both
 * directions.
 *
 * An iterator is a position in the entries and the number of keys at its start: a dict whose number
 * of keys has changed raises RuntimeError. The views of keys and items are sets too; their
 * operators work on sets made from both sides.
 */
#include "vm/objects/containers.h"

/* ---- iterators ---- */

static bool is_reverse(TypeId kind) {
    return kind == TYPE_DICT_REVERSE_KEY_ITERATOR || kind == TYPE_DICT_REVERSE_VALUE_ITERATOR ||
           kind == TYPE_DICT_REVERSE_ITEM_ITERATOR;
}

Value dict_iterator_new(GenVM *vm, TypeId kind, Value container, uint32_t count, uint32_t version) {
    DictIterator *it = gc_new_raw(vm, sizeof *it, kind);
    if (!it) return VALUE_ERROR;
    it->dict = container;
    it->index = is_reverse(kind) ? AS_DICT(container)->used : 0;
    it->count = it->remaining = count;
    it->version = version;
    return object_value(it);
}

static void iterator_trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((DictIterator *)object)->dict);
}
static Value self_iter(GenVM *vm, Value self) {
    return (void)vm, self;
}

static COLD Value size_changed(GenVM *vm, DictIterator *it) {
    it->count = UINT32_MAX; /* for ever */
    return raise_runtime(vm, "dictionary changed size during iteration");
}

/* The next live entry, or NULL with *end telling VALUE_END from VALUE_ERROR. */
static inline const DictEntry *next_entry(GenVM *vm, DictIterator *it, Value *end) {
    *end = VALUE_END;
    if (it->dict == VALUE_UNSET) return NULL;
    Dict *dict = AS_DICT(it->dict);
    if (unlikely(dict->count != it->count)) return *end = size_changed(vm, it), NULL;
    if (it->index < dict->first) it->index = dict->first;
    while (it->index < dict->used) {
        const DictEntry *entry = &dict->entries[it->index++];
        if (entry->key == VALUE_UNSET) continue;
        if (unlikely(it->remaining == 0)) {
            it->dict = VALUE_UNSET;
            *end = raise_runtime(vm, "dictionary keys changed during iteration");
            return NULL;
        }
        it->remaining--;
        return entry;
    }
    it->dict = VALUE_UNSET;
    return NULL;
}

static inline const DictEntry *previous_entry(GenVM *vm, DictIterator *it, Value *end) {
    *end = VALUE_END;
    if (it->dict == VALUE_UNSET) return NULL;
    Dict *dict = AS_DICT(it->dict);
    if (unlikely(dict->count != it->count)) return *end = size_changed(vm, it), NULL;
    if (it->index > dict->used) it->index = dict->used;
    while (it->index > 0) {
        const DictEntry *entry = &dict->entries[--it->index];
        if (entry->key == VALUE_UNSET) continue;
        it->remaining -= it->remaining > 0;
        return entry;
    }
    it->dict = VALUE_UNSET;
    return NULL;
}

static Value next_key(GenVM *vm, Value self) {
    Value end;
    const DictEntry *entry = next_entry(vm, AS(DictIterator, self), &end);
    return entry ? entry->key : end;
}
static Value next_value(GenVM *vm, Value self) {
    Value end;
    const DictEntry *entry = next_entry(vm, AS(DictIterator, self), &end);
    return entry ? entry->value : end;
}
static Value next_item(GenVM *vm, Value self) {
    Value end;
    const DictEntry *entry = next_entry(vm, AS(DictIterator, self), &end);
    return entry ? tuple_pair(vm, entry->key, entry->value) : end;
}
static Value next_item_two(GenVM *vm, Value self, Value *out) {
    Value end;
    const DictEntry *entry = next_entry(vm, AS(DictIterator, self), &end);
    if (!entry) return end;
    out[0] = entry->key;
    out[1] = entry->value;
    return VALUE_NONE;
}
static Value previous_key(GenVM *vm, Value self) {
    Value end;
    const DictEntry *entry = previous_entry(vm, AS(DictIterator, self), &end);
    return entry ? entry->key : end;
}
static Value previous_value(GenVM *vm, Value self) {
    Value end;
    const DictEntry *entry = previous_entry(vm, AS(DictIterator, self), &end);
    return entry ? entry->value : end;
}
static Value previous_item(GenVM *vm, Value self) {
    Value end;
    const DictEntry *entry = previous_entry(vm, AS(DictIterator, self), &end);
    return entry ? tuple_pair(vm, entry->key, entry->value) : end;
}

static Value iterator_length_hint(GenVM *vm, Value *args) {
    DictIterator *it = AS(DictIterator, args[0]);
    (void)vm;
    if (it->dict == VALUE_UNSET || AS_DICT(it->dict)->count != it->count) return int_value(0);
    return int_value(it->remaining);
}

static const NativeDef iterator_methods[] = {
    {"__length_hint__(self, /)", iterator_length_hint,
     "Private method returning an estimate of len(list(it))."},
    {NULL, NULL, NULL},
};

#define ITERATOR_TYPE(variable, type_name, step, step_two)                                         \
    const BuiltinType variable = {                                                                 \
        .name = type_name,                                                                         \
        .base = TYPE_OBJECT,                                                                       \
        .flags = TYPE_FINAL | TYPE_NO_NEW,                                                         \
        .size = sizeof(DictIterator),                                                              \
        .methods = iterator_methods,                                                               \
        .slots = {.iter = self_iter, .next = step, .next_two = step_two, .trace = iterator_trace}, \
    }
ITERATOR_TYPE(dict_key_iterator_type, "dict_keyiterator", next_key, NULL);
ITERATOR_TYPE(dict_value_iterator_type, "dict_valueiterator", next_value, NULL);
ITERATOR_TYPE(dict_item_iterator_type, "dict_itemiterator", next_item, next_item_two);
ITERATOR_TYPE(dict_reverse_key_iterator_type, "dict_reversekeyiterator", previous_key, NULL);
ITERATOR_TYPE(dict_reverse_value_iterator_type, "dict_reversevalueiterator", previous_value, NULL);
ITERATOR_TYPE(dict_reverse_item_iterator_type, "dict_reverseitemiterator", previous_item, NULL);

/* ---- views ---- */

Value dict_view_new(GenVM *vm, TypeId kind, Value dict) {
    DictView *view = gc_new_raw(vm, sizeof *view, kind);
    if (!view) return VALUE_ERROR;
    view->dict = dict;
    return object_value(view);
}

static inline Dict *view_dict(Value view) {
    return AS_DICT(AS(DictView, view)->dict);
}
static void view_trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((DictView *)object)->dict);
}

static Value view_len(GenVM *vm, Value self) {
    (void)vm;
    return int_value(view_dict(self)->count);
}

/* The kinds stand in the same order in each of the three groups of types.def: keys, values, items.
 */
_Static_assert(TYPE_DICT_ITEMS - TYPE_DICT_KEYS == TYPE_DICT_ITEM_ITERATOR - TYPE_DICT_KEY_ITERATOR,
               "order");

static Value view_iter(GenVM *vm, Value self) {
    Dict *dict = view_dict(self);
    TypeId kind = TYPE_DICT_KEY_ITERATOR + (as_object(self)->kind - TYPE_DICT_KEYS);
    return dict_iterator_new(vm, kind, object_value(dict), dict->count, dict->version);
}

static Value view_reversed(GenVM *vm, Value *args) {
    Dict *dict = view_dict(args[0]);
    TypeId kind = TYPE_DICT_REVERSE_KEY_ITERATOR + (as_object(args[0])->kind - TYPE_DICT_KEYS);
    return dict_iterator_new(vm, kind, object_value(dict), dict->count, dict->version);
}

static Leaf put_entry(StrBuilder *builder, TypeId kind, const DictEntry *entry) {
    if (kind == TYPE_DICT_KEYS) return builder_put_repr(builder, entry->key);
    if (kind == TYPE_DICT_VALUES) return builder_put_repr(builder, entry->value);
    builder_put_byte(builder, '(');
    Leaf done = builder_put_repr(builder, entry->key);
    if (done != LEAF_TRUE) return done;
    builder_put(builder, ", ", 2);
    done = builder_put_repr(builder, entry->value);
    builder_put_byte(builder, ')');
    return done;
}

static Leaf put_view(StrBuilder *builder, Value self) {
    Dict *dict = view_dict(self);
    bool first = true;
    for (uint32_t i = 0; i < dict->used; i++) {
        if (dict->entries[i].key == VALUE_UNSET) continue;
        if (!first) builder_put(builder, ", ", 2);
        first = false;
        Leaf done = put_entry(builder, as_object(self)->kind, &dict->entries[i]);
        if (done != LEAF_TRUE) return done;
    }
    return LEAF_TRUE;
}

static Value view_repr(GenVM *vm, Value self) {
    if (!charge_items(vm, view_dict(self)->count)) return VALUE_ERROR;
    if (!repr_enter(vm, self))
        return vm->exception != VALUE_UNSET ? VALUE_ERROR : str_from(vm, "...");
    StrBuilder builder;
    builder_init(&builder, vm);
    builder_put_format(&builder, "%s([", type_name(vm, self));
    Leaf done = put_view(&builder, self);
    repr_leave(vm, self);
    if (done == LEAF_TRUE) {
        builder_put(&builder, "])", 2);
        return builder_finish(&builder);
    }
    builder_drop(&builder);
    return done == LEAF_ERROR ? VALUE_ERROR : native_twin(vm, TWIN_VIEW_REPR, 1, self);
}

/* ---- membership ---- */

static Value keys_contains(GenVM *vm, Value self, Value key) {
    Value value;
    Leaf found = dict_get(vm, view_dict(self), key, &value);
    if (found == LEAF_SCRIPT)
        return table_search(vm, TABLE_CONTAINS, AS(DictView, self)->dict, key, VALUE_UNSET);
    return leaf_value(found);
}

/* An item is in the view if it is a pair whose first is a key and whose second equals the value. */
static Leaf has_item(GenVM *vm, Dict *dict, Value item) {
    Value value;
    if (!is_kind(item, TYPE_TUPLE) || AS_TUPLE(item)->count != 2) return LEAF_FALSE;
    Leaf found = dict_get(vm, dict, AS_TUPLE(item)->items[0], &value);
    return found == LEAF_TRUE ? items_equal(vm, value, AS_TUPLE(item)->items[1]) : found;
}

static Value items_contains(GenVM *vm, Value self, Value item) {
    Leaf found = has_item(vm, view_dict(self), item);
    if (found == LEAF_SCRIPT)
        return native_twin(vm, TWIN_ITEMS_CONTAINS, 2, AS(DictView, self)->dict, item);
    return leaf_value(found);
}

static Value values_contains(GenVM *vm, Value self, Value item) {
    Dict *dict = view_dict(self);
    if (!charge_items(vm, dict->count)) return VALUE_ERROR;
    for (uint32_t i = 0; i < dict->used; i++) {
        if (!native_glance(vm, i)) return VALUE_ERROR;
        if (dict->entries[i].key == VALUE_UNSET) continue;
        Leaf equal = items_equal(vm, dict->entries[i].value, item);
        if (equal == LEAF_SCRIPT) return native_twin(vm, TWIN_ITERABLE_CONTAINS, 2, self, item);
        if (equal != LEAF_FALSE) return leaf_value(equal);
    }
    return VALUE_FALSE;
}

/* ---- views as sets ---- */

static bool is_set_view(Value v) {
    return is_kind(v, TYPE_DICT_KEYS) || is_kind(v, TYPE_DICT_ITEMS);
}

static bool set_like_len(Value v, uint64_t *count) {
    if (is_set_view(v))
        *count = view_dict(v)->count;
    else if (is_any_set(v))
        *count = AS_SET(v)->count;
    else
        return false;
    return true;
}

static Leaf set_like_has(GenVM *vm, Value container, Value item) {
    Value value;
    if (is_any_set(container)) return set_contains(vm, container, item);
    if (is_kind(container, TYPE_DICT_ITEMS)) return has_item(vm, view_dict(container), item);
    return dict_get(vm, view_dict(container), item, &value);
}

static Leaf each_in(GenVM *vm, Value part, Value whole) {
    Value iterator;
    Leaf begun = iterator_begin(vm, part, &iterator);
    if (begun != LEAF_TRUE) return begun;
    for (;;) {
        Value item = iterator_step(vm, iterator);
        if (item == VALUE_END) return LEAF_TRUE;
        if (item == VALUE_ERROR || !native_work(vm, 1)) return LEAF_ERROR;
        Leaf found = set_like_has(vm, whole, item);
        if (found != LEAF_TRUE) return found;
    }
}

/* Whether each item of `part` is in `whole`. */
static Leaf all_in(GenVM *vm, Value part, Value whole) {
    if (!native_enter(vm)) return LEAF_ERROR;
    Leaf all = each_in(vm, part, whole);
    native_leave(vm);
    return all;
}

static Value view_compare(GenVM *vm, CompareOp op, Value left, Value right) {
    uint64_t left_count, right_count;
    if (!is_set_view(left) || !set_like_len(left, &left_count) ||
        !set_like_len(right, &right_count))
        return VALUE_NOT_IMPLEMENTED;
    Leaf holds = LEAF_FALSE;
    switch (op) {
    case COMPARE_EQ:
    case COMPARE_NE:
        holds = left_count == right_count ? all_in(vm, left, right) : LEAF_FALSE;
        break;
    case COMPARE_LT: holds = left_count < right_count ? all_in(vm, left, right) : LEAF_FALSE; break;
    case COMPARE_LE:
        holds = left_count <= right_count ? all_in(vm, left, right) : LEAF_FALSE;
        break;
    case COMPARE_GT: holds = left_count > right_count ? all_in(vm, right, left) : LEAF_FALSE; break;
    case COMPARE_GE:
        holds = left_count >= right_count ? all_in(vm, right, left) : LEAF_FALSE;
        break;
    }
    if (holds == LEAF_ERROR) return VALUE_ERROR;
    if (holds == LEAF_SCRIPT)
        return native_twin(vm, TWIN_VIEW_COMPARE, 3, left, right, int_value(op));
    return bool_value((holds == LEAF_TRUE) != (op == COMPARE_NE));
}

static Value view_binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    if (op != BINARY_AND && op != BINARY_OR && op != BINARY_XOR && op != BINARY_SUB)
        return VALUE_NOT_IMPLEMENTED;
    return set_view_binary(vm, op, left, right);
}

static Value view_isdisjoint(GenVM *vm, Value *args) {
    Value iterator;
    Leaf begun = iterator_begin(vm, args[1], &iterator);
    if (begun == LEAF_ERROR) return VALUE_ERROR;
    if (begun == LEAF_SCRIPT) return native_twin(vm, TWIN_VIEW_ISDISJOINT, 2, args[0], iterator);
    for (;;) {
        Value item = iterator_step(vm, iterator);
        if (item == VALUE_END) return VALUE_TRUE;
        if (item == VALUE_ERROR || !native_work(vm, 1)) return VALUE_ERROR;
        Leaf found = set_like_has(vm, args[0], item);
        if (found == LEAF_SCRIPT)
            return native_twin(vm, TWIN_VIEW_ISDISJOINT, 3, args[0], iterator, item);
        if (found != LEAF_FALSE) return found == LEAF_ERROR ? VALUE_ERROR : VALUE_FALSE;
    }
}

static Value view_mapping(GenVM *vm, Value self) {
    return mapping_proxy_new(vm, AS(DictView, self)->dict);
}

static const NativeDef set_view_methods[] = {
    {"isdisjoint(self, other, /)", view_isdisjoint,
     "Return True if the view and the given iterable have a null intersection."},
    {"__reversed__(self, /)", view_reversed, "Return a reverse iterator over the dict."},
    {NULL, NULL, NULL},
};
static const NativeDef values_methods[] = {
    {"__reversed__(self, /)", view_reversed, "Return a reverse iterator over the dict values."},
    {NULL, NULL, NULL},
};
static const AttributeDef view_attributes[] = {
    {"mapping", view_mapping, NULL, "dictionary that this view refers to"},
    {NULL, NULL, NULL, NULL},
};

const BuiltinType dict_keys_type = {
    .name = "dict_keys",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW | TYPE_UNHASHABLE,
    .size = sizeof(DictView),
    .methods = set_view_methods,
    .attributes = view_attributes,
    .slots = {.repr = view_repr,
              .len = view_len,
              .contains = keys_contains,
              .iter = view_iter,
              .binary = view_binary,
              .compare = view_compare,
              .trace = view_trace},
};

const BuiltinType dict_values_type = {
    .name = "dict_values",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(DictView),
    .methods = values_methods,
    .attributes = view_attributes,
    .slots = {.repr = view_repr,
              .len = view_len,
              .contains = values_contains,
              .iter = view_iter,
              .trace = view_trace},
};

const BuiltinType dict_items_type = {
    .name = "dict_items",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW | TYPE_UNHASHABLE,
    .size = sizeof(DictView),
    .methods = set_view_methods,
    .attributes = view_attributes,
    .slots = {.repr = view_repr,
              .len = view_len,
              .contains = items_contains,
              .iter = view_iter,
              .binary = view_binary,
              .compare = view_compare,
              .trace = view_trace},
};
