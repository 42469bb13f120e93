/* image_tables.c - dicts and sets in images.
 *
 * Hashes are not the same on the other side: str are hashed under a key of the VM, objects by their
 * address. So tables are built anew, when all keys are there. A table whose keys are all str and
 * numbers is built at once; the others wait in r->pending for the end of the bodies, and frozensets
 * among them come before the tables that they are keys of.
 *
 *     dict      count, (key, value)..., count of hashes, (entry, hash)...
 *     set       slots, filled, (slot since the last one, key[, hash])...; key UNSET: a deleted item
 *
 * The hash of a key that only its own __hash__ can tell is kept. A set keeps its layout, and with
 * it the order of its items, where the hashes turn out to be what they were.
 */
#include "vm/image_private.h"
#include "vm/memory.h"
#include "vm/type_private.h"
#include "vm/weak.h"

/* ---- writing ---- */

static bool is_number(Value v) {
    return is_int(v) || is_float(v);
}

/* Whether C code can tell the hash of a key. An error is none here: the key is in a table. */
static bool knows_hash(ImageWriter *w, Value key) {
    uint64_t hash;
    if (is_number(key) || is_exact(key, TYPE_STR)) return true;
    Leaf known = leaf_hash(w->vm, key, &hash);
    if (known == LEAF_ERROR) error_clear(w->vm);
    return known == LEAF_TRUE;
}

static void put_dict(ImageWriter *w, const Dict *dict) {
    uint32_t unknown = 0, live = 0;
    image_put_number(w->out, dict->count);
    for (uint32_t i = 0; i < dict->used && !w->failed; i++) {
        if (dict->entries[i].key == VALUE_UNSET) continue;
        image_put_value(w, dict->entries[i].key);
        image_put_value(w, dict->entries[i].value);
        unknown += !knows_hash(w, dict->entries[i].key);
    }
    image_put_number(w->out, unknown);
    for (uint32_t i = 0; unknown && i < dict->used && !w->failed; i++) {
        if (dict->entries[i].key == VALUE_UNSET) continue;
        if (!knows_hash(w, dict->entries[i].key)) {
            image_put_number(w->out, live);
            image_put_long(w->out, dict->entries[i].hash);
        }
        live++;
    }
}

void save_dict_shell(ImageWriter *w, Object *object) {
    image_put_class(w, object);
}
void save_dict_body(ImageWriter *w, Object *object) {
    put_dict(w, (const Dict *)object);
    image_put_extra(w, object);
}

void save_set_shell(ImageWriter *w, Object *object) {
    image_put_byte(w->out, object->kind == TYPE_FROZENSET);
    image_put_class(w, object);
}

void save_set_body(ImageWriter *w, Object *object) {
    const Set *set = (const Set *)object;
    image_put_number(w->out, (uint64_t)set->mask + 1);
    image_put_number(w->out, set->filled);
    uint64_t last = 0;
    for (uint64_t i = 0; i <= set->mask && !w->failed; i++) {
        const SetEntry *entry = &set->table[i];
        if (entry->key == VALUE_UNSET) continue;
        image_put_number(w->out, i - last);
        last = i;
        image_put_value(w, entry->key == VALUE_DELETED ? VALUE_UNSET : entry->key);
        if (entry->key != VALUE_DELETED && !is_number(entry->key))
            image_put_long(w->out, entry->hash);
    }
    image_put_extra(w, object);
}

/* ---- shells ---- */

Object *load_dict_shell(ImageReader *r) {
    Type *type;
    if (!image_get_class(r, TYPE_DICT, &type)) return NULL;
    Dict *dict = gc_new_of(r->vm, sizeof *dict, TYPE_DICT, type);
    if (!dict) return NULL;
    dict_init(dict);
    return &dict->header;
}

Object *load_set_shell(ImageReader *r) {
    TypeId kind = image_get_number(r) ? TYPE_FROZENSET : TYPE_SET;
    Type *type;
    if (!image_get_class(r, kind, &type)) return NULL;
    Set *set = gc_new_of(r->vm, sizeof *set, kind, type);
    if (!set) return NULL;
    set_init(set);
    return &set->header;
}

/* ---- waiting for the keys ---- */

bool image_wait_for_keys(ImageReader *r, const uint8_t *at) {
    if (r->pending_count == r->pending_capacity) {
        uint32_t capacity = r->pending_capacity ? r->pending_capacity * 2 : 16;
        ImagePending *larger = memory_resize(r->vm, r->pending, capacity * sizeof *larger);
        if (!larger) return raise_memory(r->vm), false;
        r->pending = larger;
        r->pending_capacity = capacity;
    }
    r->pending[r->pending_count++] = (ImagePending){r->current, 0, at};
    return true;
}

static bool is_ready(Value key) {
    return is_number(key) || is_exact(key, TYPE_STR);
}

/* A script that set this hash may have gone by hashes that are others here. */
static bool get_hashes(ImageReader *r, uint64_t count, uint64_t *hashes) {
    uint64_t unknown, entry, hash;
    if (!image_get_count(r, &unknown, 9)) return false;
    for (uint64_t i = 0; i < unknown; i++) {
        entry = image_get_number(r);
        if (!image_get_long(r, &hash)) return false;
        if (entry >= count) return image_bad(r, "a hash of no entry");
        if (hashes) hashes[entry] = hash;
    }
    return true;
}

bool load_dict_body(ImageReader *r, Object *object) {
    Dict *dict = (Dict *)object;
    const uint8_t *start = r->at;
    uint64_t count;
    bool ready = true;
    if (!image_get_count(r, &count, 2) || !dict_reserve(r->vm, dict, count)) return false;
    for (uint64_t i = 0; i < count; i++) {
        Value key, value;
        uint64_t hash;
        if (!image_get_value(r, &key) || !image_get_value(r, &value)) return false;
        ready &= is_ready(key);
        if (!ready) continue;
        if (leaf_hash(r->vm, key, &hash) != LEAF_TRUE || !dict_add(r->vm, dict, key, hash, value))
            return false;
    }
    if (!ready) dict_clear(r->vm, dict);
    if (!get_hashes(r, count, NULL)) return false;
    return image_get_extra(r, object) && (ready || image_wait_for_keys(r, start));
}

Object *load_globals_shell(ImageReader *r) {
    Value name;
    bool found;
    if (!image_get_name(r, &name)) return NULL;
    Dict *shared = image_shared_globals(r, name, &found);
    if (found) return shared ? &shared->header : NULL;
    Value dict = dict_new(r->vm);
    return dict == VALUE_ERROR ? NULL : as_object(dict);
}

bool image_is_global_key(Value key) {
    return is_number(key) || is_exact(key, TYPE_STR) || is_exact(key, TYPE_BYTES);
}

static bool put_odd_global(ImageReader *r, Dict *dict, Value key, Value value) {
    uint64_t hash;
    if (image_is_shared(r) || !image_is_global_key(key))
        return image_bad(r, "a global's name is none");
    return leaf_hash(r->vm, key, &hash) == LEAF_TRUE && dict_add(r->vm, dict, key, hash, value);
}

bool load_globals_body(ImageReader *r, Object *object) {
    uint64_t count;
    if (!image_get_count(r, &count, 2)) return false;
    for (uint64_t i = 0; i < count; i++) {
        Value key, value;
        if (!image_get_value(r, &key) || !image_get_value(r, &value)) return false;
        if (!is_exact(key, TYPE_STR)) {
            if (!put_odd_global(r, (Dict *)object, key, value)) return false;
        } else if (image_is_shared(r) ? !image_shared_global(r, (Dict *)object, key, value)
                                      : !dict_set_str(r->vm, (Dict *)object, key, value))
            return false;
    }
    return true;
}

/* ---- sets ---- */

typedef struct SavedItem {
    uint64_t slot, hash;
    Value key; /* VALUE_UNSET: deleted */
} SavedItem;

static bool get_item(ImageReader *r, SavedItem *item) {
    item->slot += image_get_number(r);
    if (!image_get_optional(r, &item->key)) return false;
    item->hash = 0;
    return item->key == VALUE_UNSET || is_number(item->key) || image_get_long(r, &item->hash);
}

bool load_set_body(ImageReader *r, Object *object) {
    const uint8_t *start = r->at;
    uint64_t filled;
    SavedItem item = {0, 0, VALUE_UNSET};
    image_get_number(r);
    if (!image_get_count(r, &filled, 2)) return false;
    for (uint64_t i = 0; i < filled; i++)
        if (!get_item(r, &item)) return false;
    return image_get_extra(r, object) && image_wait_for_keys(r, start);
}

/* ---- when all bodies are read ---- */

static bool fill(ImageReader *r, ImagePending *pending);

/* A frozenset that is not filled knows where it stands in r->pending: its finger, which only pop()
 * uses, is that number + 1. */
static ImagePending *pending_of(ImageReader *r, const Set *set) {
    return set->finger && set->finger <= r->pending_count ? &r->pending[set->finger - 1] : NULL;
}

/* Frozensets that the hash of `key` goes through are filled first. What hashing will visit is
 * counted here, since it is the same: no image can ask for more work than its size allows. */
static bool make_ready(ImageReader *r, Value key) {
    if (r->work-- == 0) {
        r->work = 0;
        return image_bad(r, "its keys are nested too much");
    }
    if (!is_object(key)) return true;
    bool ok = true;
    if (as_object(key)->kind == TYPE_FROZENSET) {
        ImagePending *pending = pending_of(r, AS_SET(key));
        return !pending || fill(r, pending);
    }
    if (!native_enter(r->vm)) return false;
    if (as_object(key)->kind == TYPE_TUPLE)
        for (uint64_t i = 0; ok && i < AS_TUPLE(key)->count; i++)
            ok = make_ready(r, AS_TUPLE(key)->items[i]);
    else if (as_object(key)->kind == TYPE_METHOD)
        ok = make_ready(r, AS(Method, key)->self) && make_ready(r, AS(Method, key)->function);
    else if (as_object(key)->kind == TYPE_WEAKREF && AS(Weakref, key)->target)
        ok = make_ready(r, object_value(AS(Weakref, key)->target));
    else if (as_object(key)->kind == TYPE_SLICE)
        ok = make_ready(r, AS(Slice, key)->start) && make_ready(r, AS(Slice, key)->stop) &&
             make_ready(r, AS(Slice, key)->step);
    else if (as_object(key)->kind == TYPE_GENERIC_ALIAS)
        ok = make_ready(r, AS(GenericAlias, key)->origin) &&
             make_ready(r, AS(GenericAlias, key)->args);
    native_leave(r->vm);
    return ok;
}

/* The hash of a key: computed, or the one that was kept where only script code could. */
bool image_hash_of(ImageReader *r, Value key, uint64_t kept, uint64_t *hash) {
    if (!make_ready(r, key)) return false;
    Leaf known = leaf_hash(r->vm, key, hash);
    if (known == LEAF_SCRIPT) *hash = kept;
    if (known == LEAF_ERROR && r->vm->exception == VALUE_UNSET) image_bad(r, "a key without hash");
    return known != LEAF_ERROR;
}

static bool fill_dict(ImageReader *r, Dict *dict) {
    uint64_t count;
    if (!image_get_count(r, &count, 2) || !dict_reserve(r->vm, dict, count)) return false;
    Value kept = bytes_new(r->vm, NULL, count * 8 + 8);
    if (kept == VALUE_ERROR) return false;
    uint64_t *hashes = (uint64_t *)(void *)AS(Bytes, kept)->data;
    ImageReader ahead = *r;
    Value key, value;
    for (uint64_t i = 0; i < count; i++)
        if (!image_get_value(&ahead, &key) || !image_get_value(&ahead, &value)) return false;
    if (!get_hashes(&ahead, count, hashes)) return false;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t hash;
        if (!image_get_value(r, &key) || !image_get_value(r, &value)) return false;
        if (!image_hash_of(r, key, hashes[i], &hash) || !dict_add(r->vm, dict, key, hash, value))
            return false;
    }
    return true;
}

/* Iterators over a set whose items lie in other slots now go on over what they had not seen. */
static bool move_iterators(ImageReader *r, Set *set, const SavedItem *items, uint64_t filled) {
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->objects[i]->kind != TYPE_SET_ITERATOR) continue;
        DictIterator *it = (DictIterator *)r->objects[i];
        if (it->dict != object_value(set) || it->count != set->count) continue;
        Value rest = set_new(r->vm, TYPE_SET);
        if (rest == VALUE_ERROR) return false;
        for (uint64_t j = 0; j < filled; j++)
            if (items[j].key != VALUE_UNSET && items[j].slot >= it->index &&
                !(set_prepare(r->vm, AS_SET(rest), 1) &&
                  set_insert(r->vm, AS_SET(rest), items[j].key, items[j].hash)))
                return false;
        it->dict = rest;
        it->index = 0;
        it->count = it->remaining = AS_SET(rest)->count;
        gc_barrier(r->vm, it);
    }
    return true;
}

static bool insert_all(ImageReader *r, Set *set, const SavedItem *items, uint64_t filled) {
    r->moved_tables = true;
    for (uint64_t i = 0; i < filled; i++) {
        if (items[i].key == VALUE_UNSET) continue;
        if (!set_prepare(r->vm, set, 1) || !set_insert(r->vm, set, items[i].key, items[i].hash))
            return false;
    }
    return move_iterators(r, set, items, filled);
}

/* The layout that it had: false, without an exception, where that cannot be. */
static bool place_all(ImageReader *r, Set *set, uint64_t slots, const SavedItem *items,
                      uint64_t filled) {
    enum { SPARSE = 64, SMALLEST = 8 };
    if (slots < SMALLEST || slots & (slots - 1) || slots > UINT32_MAX / 2 + 1u) return false;
    if (filled * 5 > slots * 3 + 5 || filled >= slots || slots / SPARSE > filled + 1) return false;
    if (!gc_check_size(r->vm, slots * sizeof(SetEntry)) || !set_lay_out(r->vm, set, slots))
        return false;
    for (uint64_t i = 0; i < filled; i++)
        if (!set_place(r->vm, set, items[i].slot,
                       items[i].key == VALUE_UNSET ? VALUE_DELETED : items[i].key, items[i].hash))
            return false;
    return true;
}

static bool fill_set(ImageReader *r, Set *set) {
    uint64_t slots = image_get_number(r), filled;
    if (!image_get_count(r, &filled, 2)) return false;
    Value storage = bytes_new(r->vm, NULL, (filled + 1) * sizeof(SavedItem) + 8);
    if (storage == VALUE_ERROR) return false;
    SavedItem *items = (SavedItem *)(((uintptr_t)AS(Bytes, storage)->data + 7) & ~(uintptr_t)7);
    SavedItem item = {0, 0, VALUE_UNSET};
    bool same = true;
    for (uint64_t i = 0; i < filled; i++) {
        uint64_t hash = 0;
        if (!get_item(r, &item)) return false;
        if (item.key != VALUE_UNSET && !image_hash_of(r, item.key, item.hash, &hash)) return false;
        same &= is_number(item.key) || item.key == VALUE_UNSET || hash == item.hash;
        items[i] = (SavedItem){item.slot, hash, item.key};
    }
    if (set->count == 0 && filled == 0) return true;
    if (same && place_all(r, set, slots, items, filled)) return true;
    if (r->vm->exception != VALUE_UNSET) return false;
    set_init(set);
    return insert_all(r, set, items, filled);
}

static bool fill(ImageReader *r, ImagePending *pending) {
    if (pending->state == 2) return true;
    if (pending->state == 1) return image_bad(r, "a frozenset that contains itself");
    pending->state = 1;
    if (!native_enter(r->vm)) return false;
    ImageReader body = *r;
    body.at = pending->at;
    body.current = pending->record;
    Object *object = r->objects[pending->record];
    bool ok = object->kind == TYPE_DICT   ? fill_dict(&body, (Dict *)object)
              : object->kind == TYPE_TYPE ? image_fill_class(&body, (Type *)object)
                                          : fill_set(&body, (Set *)object);
    native_leave(r->vm);
    r->work = body.work;
    r->moved_tables = body.moved_tables;
    if (object->kind == TYPE_FROZENSET) ((Set *)object)->finger = 0;
    pending->state = 2;
    return ok && r->vm->exception == VALUE_UNSET;
}

bool image_fill_tables(ImageReader *r) {
    enum { WORK_PER_BYTE = 64 };
    r->work = 1000 + (uint64_t)(r->end - r->start) * WORK_PER_BYTE;
    for (uint32_t i = 0; i < r->pending_count; i++)
        if (r->objects[r->pending[i].record]->kind == TYPE_FROZENSET)
            ((Set *)r->objects[r->pending[i].record])->finger = i + 1;
    for (uint32_t i = 0; i < r->pending_count; i++)
        if (!fill(r, &r->pending[i])) return false;
    return true;
}
