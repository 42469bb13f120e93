/* sizeof.c - how much memory a value takes. The numbers are the heap's own: they do not depend on
 * what ran before.
 *
 * A suspended generator carries its frame in itself; so its number is the true one. Storage shared
 * with other objects (the text of a long slice of a str) counts for its owner.
 */
#include "vm/sizeof.h"
#include "vm/gc.h"
#include "vm/objects/containers.h"

static uint64_t storage_of(const Object *object) {
    switch (object->kind) {
    case TYPE_LIST: return gc_object_size((const Object *)((const List *)object)->buffer);
    case TYPE_DICT: return gc_object_size((const Object *)((const Dict *)object)->buffer);
    case TYPE_SET:
    case TYPE_FROZENSET: return gc_object_size((const Object *)((const Set *)object)->buffer);
    case TYPE_BYTEARRAY: return gc_object_size((const Object *)((const ByteArray *)object)->buffer);
    case TYPE_STR: {
        const Object *extra = ((const Str *)object)->extra;
        return extra && extra->kind == TYPE_BUFFER ? gc_object_size(extra) : 0;
    }
    case TYPE_TYPE: return gc_object_size((const Object *)((const Type *)object)->special_storage);
    case TYPE_OBJECT: {
        Value extra = ((const Instance *)object)->extra;
        return is_kind(extra, TYPE_TUPLE) ? gc_object_size(as_object(extra)) : 0;
    }
    default: return 0;
    }
}

uint64_t value_memory(GenVM *vm, Value v) {
    (void)vm;
    if (!is_object(v)) return 0;
    return gc_object_size(as_object(v)) + storage_of(as_object(v));
}
