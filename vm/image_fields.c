/* image_fields.c - objects that are nothing but fields: how a table of fields (ImageLayout) is
 * written and read, the tables of the layouts that several files know, and what must hold of each
 * when all is loaded. Layouts private to a type's file have their table there.
 */
#include "vm/image_private.h"
#include "vm/objects/files.h"
#include "vm/objects/text.h"
#include "vm/traceback.h"
#include "vm/type_private.h"

#include <stdlib.h>

/* ---- descriptors and the like ---- */

static const ImageField slice_fields[] = {
    IMAGE_FIELD(Slice, start, VALUE, NONE),
    IMAGE_FIELD(Slice, stop, VALUE, NONE),
    IMAGE_FIELD(Slice, step, VALUE, NONE),
    {0},
};
static const ImageField cell_fields[] = {IMAGE_FIELD(Cell, value, OPTIONAL, NONE), {0}};
static const ImageField method_fields[] = {
    IMAGE_FIELD(Method, function, VALUE, NONE),
    IMAGE_FIELD(Method, self, VALUE, NONE),
    {0},
};
static const ImageField property_fields[] = {
    IMAGE_FIELD(Property, header.flags, FLAGS, NONE),  IMAGE_FIELD(Property, fget, VALUE, NONE),
    IMAGE_FIELD(Property, fset, VALUE, NONE),          IMAGE_FIELD(Property, fdel, VALUE, NONE),
    IMAGE_FIELD(Property, doc, OPTIONAL, NONE),        IMAGE_FIELD(Property, name, OPTIONAL, NONE),
    IMAGE_FIELD(Property, attributes, OPTIONAL, DICT), {0},
};
static const ImageField wrapping_fields[] = {
    IMAGE_FIELD(Wrapping, callable, VALUE, NONE),
    IMAGE_FIELD(Wrapping, attributes, OPTIONAL, DICT),
    {0},
};
static const ImageField member_fields[] = {
    IMAGE_FIELD(Member, name, VALUE, STR),
    IMAGE_FIELD(Member, owner, OBJECT, TYPE),
    IMAGE_FIELD(Member, slot, WORD, NONE),
    {0},
};
static const ImageField super_fields[] = {
    IMAGE_FIELD(Super, type, OBJECT, TYPE),
    IMAGE_FIELD(Super, obj, OPTIONAL, NONE),
    IMAGE_FIELD(Super, obj_type, POINTER, TYPE),
    {0},
};
static const ImageField namespace_fields[] = {
    IMAGE_FIELD(Namespace, attributes, OPTIONAL, DICT),
    {0},
};
static const ImageField generic_alias_fields[] = {
    IMAGE_FIELD(GenericAlias, origin, VALUE, NONE),
    IMAGE_FIELD(GenericAlias, args, VALUE, TUPLE),
    IMAGE_FIELD(GenericAlias, is_unpacked, VALUE, NONE),
    {0},
};
static const ImageField traceback_fields[] = {
    IMAGE_FIELD(Traceback, next, VALUE, NONE),
    IMAGE_FIELD(Traceback, function, VALUE, FUNCTION),
    IMAGE_FIELD(Traceback, word, WORD, NONE),
    IMAGE_FIELD(Traceback, line, WORD, NONE),
    {0},
};
static const ImageField bytes_io_fields[] = {
    IMAGE_FIELD(MemoryFile, array, OPTIONAL, BYTEARRAY),
    IMAGE_FIELD(MemoryFile, at, LONG, NONE),
    {0},
};

static bool check_bytes_io(GenVM *vm, Object *object) {
    (void)vm;
    return ((const MemoryFile *)object)->at <= SMALL_INT_MAX;
}

static bool check_member(GenVM *vm, Object *object) {
    const Member *member = (const Member *)object;
    if (member->name != name_interned(vm, member->name) || member->owner->is_builtin) return false;
    bool plain = member->owner->instance_kind == TYPE_OBJECT;
    return plain ? member->slot < member->owner->member_count : member->slot == MEMBER_IN_EXTRA;
}

static bool check_super(GenVM *vm, Object *object) {
    const Super *super = (const Super *)object;
    (void)vm;
    if (!super->obj_type) return super->obj == VALUE_UNSET;
    return super->obj != VALUE_UNSET && type_is_subclass(super->obj_type, super->type);
}

static bool check_traceback(GenVM *vm, Object *object) {
    const Traceback *entry = (const Traceback *)object;
    (void)vm;
    if (entry->next != VALUE_NONE && !is_kind(entry->next, TYPE_TRACEBACK)) return false;
    return entry->word < AS(Function, entry->function)->code->instr_count;
}

static bool check_attributes(GenVM *vm, Object *object) { /* the shape says that there are some */
    const Value attributes = object->kind == TYPE_PROPERTY    ? ((Property *)object)->attributes
                             : object->kind == TYPE_NAMESPACE ? ((Namespace *)object)->attributes
                                                              : ((Wrapping *)object)->attributes;
    if (attributes == VALUE_UNSET) return true;
    uint32_t shape = shape_dict(vm, vm->shapes[object->shape].type);
    if (shape == SHAPE_NONE) return false;
    object->shape = shape;
    return true;
}

/* A traceback needs the code of the function, not all that the function could reach: it gets one
 * with an empty namespace. */
static void strip_function(GenVM *vm, const Object *object, Object *copy) {
    const Function *function = (const Function *)as_object(((const Traceback *)object)->function);
    ImageTag tag;
    Value module;
    if (!is_kind(object_value(function), TYPE_FUNCTION) ||
        image_library_place(vm, (Object *)(uintptr_t)function, &tag, &module))
        return;
    Value globals = dict_new(vm);
    Value name = function->globals
                     ? dict_get_str(vm, function->globals, name_value(vm, NAME___name__))
                     : VALUE_UNSET;
    Value cells = function->closure ? tuple_new(vm, function->closure->count) : vm->empty_tuple;
    if (globals == VALUE_ERROR || cells == VALUE_ERROR) return;
    for (uint64_t i = 0; i < AS_TUPLE(cells)->count; i++)
        if ((AS_TUPLE(cells)->items[i] = cell_new(vm, VALUE_UNSET)) == VALUE_ERROR) return;
    if (name != VALUE_UNSET &&
        !dict_set_str(vm, AS_DICT(globals), name_value(vm, NAME___name__), name))
        return;
    Function *stripped = function_new(vm, function->code, AS_DICT(globals));
    if (!stripped) return;
    stripped->closure = function->closure ? AS_TUPLE(cells) : NULL;
    ((Traceback *)copy)->function = object_value(stripped);
}

/* ---- ranges, iterators, views ---- */

static const ImageField range_fields[] = {
    IMAGE_FIELD(Range, start, VALUE, NONE),
    IMAGE_FIELD(Range, stop, VALUE, NONE),
    IMAGE_FIELD(Range, step, VALUE, NONE),
    IMAGE_FIELD(Range, length, VALUE, NONE),
    {0},
};
static const ImageField range_iterator_fields[] = {
    IMAGE_FIELD(RangeIterator, next, LONG, NONE),
    IMAGE_FIELD(RangeIterator, remaining, LONG, NONE),
    IMAGE_FIELD(RangeIterator, step, LONG, NONE),
    {0},
};
#define OVER(name, type)                                                                           \
    static const ImageField name##_fields[] = {                                                    \
        IMAGE_FIELD(ListIterator, container, OPTIONAL, type),                                      \
        IMAGE_FIELD(ListIterator, index, LONG, NONE),                                              \
        {0},                                                                                       \
    };
OVER(over_list, LIST)
OVER(over_tuple, TUPLE)
OVER(over_str, STR)
OVER(over_bytes, BYTES)
OVER(over_bytearray, BYTEARRAY)
OVER(over_view, MEMORYVIEW)
OVER(over_range, RANGE)
#undef OVER
static const ImageField reversed_fields[] = {
    IMAGE_FIELD(ListIterator, header.flags, FLAGS, NONE),
    IMAGE_FIELD(ListIterator, container, OPTIONAL, NONE),
    IMAGE_FIELD(ListIterator, index, LONG, NONE),
    {0},
};
static const ImageField dict_iterator_fields[] = {
    IMAGE_FIELD(DictIterator, dict, OPTIONAL, DICT),
    IMAGE_FIELD(DictIterator, index, WORD, NONE),
    IMAGE_FIELD(DictIterator, count, WORD, NONE),
    IMAGE_FIELD(DictIterator, remaining, WORD, NONE),
    {0},
};
static const ImageField set_iterator_fields[] = {
    IMAGE_FIELD(DictIterator, dict, OPTIONAL, NONE),
    IMAGE_FIELD(DictIterator, index, WORD, NONE),
    IMAGE_FIELD(DictIterator, count, WORD, NONE),
    IMAGE_FIELD(DictIterator, remaining, WORD, NONE),
    {0},
};
static const ImageField view_fields[] = {IMAGE_FIELD(DictView, dict, VALUE, DICT), {0}};
static const ImageField enumerate_fields[] = {
    IMAGE_FIELD(Enumerate, header.flags, FLAGS, NONE),
    IMAGE_FIELD(Enumerate, iterator, VALUE, NONE),
    IMAGE_FIELD(Enumerate, index, VALUE, NONE),
    {0},
};
static const ImageField zip_fields[] = {
    IMAGE_FIELD(Zip, header.flags, FLAGS, NONE),
    IMAGE_FIELD(Zip, iterators, VALUE, TUPLE),
    {0},
};

static bool is_plain_int(Value v) {
    return is_int(v) || is_exact(v, TYPE_INT);
}

static bool check_range(GenVM *vm, Object *object) {
    Range *range = (Range *)object;
    if (!is_plain_int(range->start) || !is_plain_int(range->stop) || !is_plain_int(range->step))
        return false;
    Value again = range_new(vm, range->start, range->stop, range->step);
    if (again == VALUE_ERROR) return false;
    range->length = AS(Range, again)->length;
    return true;
}

/* All that it has to give are small ints. */
static bool check_range_iterator(GenVM *vm, Object *object) {
    const RangeIterator *it = (const RangeIterator *)object;
    int64_t way, end;
    (void)vm;
    return it->remaining <= 0 ||
           (int_fits(it->next) && int_fits(it->step) &&
            !__builtin_mul_overflow(it->remaining, it->step, &way) &&
            !__builtin_add_overflow(it->next, way, &end) && int_fits(end - it->step));
}

static bool check_position(GenVM *vm, Object *object) {
    const ListIterator *it = (const ListIterator *)object;
    (void)vm;
    if (it->container == VALUE_UNSET) return true;
    return object->kind == TYPE_LIST_REVERSE_ITERATOR ? it->index >= -1 : it->index >= 0;
}

static bool check_str_position(GenVM *vm, Object *object) {
    const ListIterator *it = (const ListIterator *)object;
    (void)vm;
    if (it->container == VALUE_UNSET) return true;
    const Str *str = AS_STR(it->container);
    if (it->index < 0 || it->index > str->size) return false;
    if (object->kind == TYPE_STR_ASCII_ITERATOR && !(str->header.flags & STR_ASCII)) return false;
    return it->index == str->size || ((uint8_t)str->data[it->index] & 0xC0) != 0x80;
}

static bool check_view_position(GenVM *vm, Object *object) {
    const ListIterator *it = (const ListIterator *)object;
    (void)vm;
    if (it->container == VALUE_UNSET) return true;
    return it->index >= 0 && memoryview_ndim(it->container) == 1;
}

/* The entry number without holes before it, as the dict will be. */
static void compact_index(GenVM *vm, const Object *object, Object *copy) {
    const DictIterator *it = (const DictIterator *)object;
    (void)vm;
    if (it->dict == VALUE_UNSET) return;
    const Dict *dict = AS_DICT(it->dict);
    uint32_t index = 0;
    for (uint32_t i = 0; i < it->index && i < dict->used; i++)
        index += dict->entries[i].key != VALUE_UNSET;
    ((DictIterator *)copy)->index = index;
}

/* The way back for a dict of the library, which this VM has already: with holes of its own. */
static uint32_t index_with_holes(const Dict *dict, uint32_t index) {
    uint32_t i = 0;
    for (uint32_t live = 0; i < dict->used && live < index; i++)
        live += dict->entries[i].key != VALUE_UNSET;
    return i;
}

static bool check_dict_iterator(GenVM *vm, Object *object) {
    DictIterator *it = (DictIterator *)object;
    (void)vm;
    if (it->dict == VALUE_UNSET) return true;
    const Dict *dict = AS_DICT(it->dict);
    it->version = dict->version;
    if (dict->used != dict->count) it->index = index_with_holes(dict, it->index);
    return true;
}

static bool check_set_iterator(GenVM *vm, Object *object) {
    DictIterator *it = (DictIterator *)object;
    (void)vm;
    if (it->dict == VALUE_UNSET) return true;
    if (!is_any_set(it->dict)) return false;
    it->version = AS_SET(it->dict)->version;
    return true;
}

/* Native iterators of native iterators step by recursion in C: only so deep, and never in a circle.
 * `left` counts down over the whole walk. */
static bool is_native_tree(Value iterator, int depth, int *left) {
    if (depth == 0 || --*left < 0) return false;
    if (!is_object(iterator)) return false;
    switch (as_object(iterator)->kind) {
    case TYPE_ENUMERATE:
        return is_native_tree(AS(Enumerate, iterator)->iterator, depth - 1, left) &&
               iterator_is_native(iterator);
    case TYPE_ZIP: {
        const Tuple *parts = AS_TUPLE(AS(Zip, iterator)->iterators);
        for (uint64_t i = 0; i < parts->count; i++)
            if (!is_native_tree(parts->items[i], depth - 1, left)) return false;
        return iterator_is_native(iterator);
    }
    default: return iterator_is_native(iterator);
    }
}

enum { TREE_DEPTH = 40, TREE_SIZE = 4000 };

static bool check_enumerate(GenVM *vm, Object *object) {
    Enumerate *it = (Enumerate *)object;
    int left = TREE_SIZE;
    (void)vm;
    if (!is_plain_int(it->index)) return false;
    bool native =
        (object->flags & ITERATOR_NATIVE) && is_native_tree(it->iterator, TREE_DEPTH, &left);
    object->flags = native ? ITERATOR_NATIVE : 0;
    return true;
}

static Value function_of(Value method) {
    return is_kind(method, TYPE_METHOD) ? AS(Method, method)->function : VALUE_UNSET;
}

/* Methods of methods end in something else. */
static bool check_method(GenVM *vm, Object *object) {
    Value slow = object_value(object), fast = function_of(slow);
    (void)vm;
    if (!is_object(fast)) return false;
    while (is_kind(fast, TYPE_METHOD)) {
        if (fast == slow || function_of(fast) == slow) return false;
        slow = function_of(slow);
        fast = function_of(function_of(fast));
    }
    return true;
}

static bool check_zip(GenVM *vm, Object *object) {
    const Tuple *parts = AS_TUPLE(((Zip *)object)->iterators);
    int left = TREE_SIZE;
    (void)vm;
    bool native = object->flags & ITERATOR_NATIVE;
    for (uint64_t i = 0; native && i < parts->count; i++)
        native = is_native_tree(parts->items[i], TREE_DEPTH, &left);
    object->flags = (object->flags & ITERATOR_STRICT) | (native ? ITERATOR_NATIVE : 0);
    return true;
}

static bool check_reversed(GenVM *vm, Object *object) {
    ListIterator *it = (ListIterator *)object;
    (void)vm;
    bool native = object->flags & ITERATOR_NATIVE && reversed_is_native(it->container);
    object->flags = native ? ITERATOR_NATIVE : 0;
    return it->container == VALUE_UNSET || (it->index >= -1 && int_fits(it->index));
}

/* ---- the tables ---- */

#define LAYOUT(kind, Struct, fields, check, before_save)                                           \
    case TYPE_##kind: {                                                                            \
        static const ImageLayout layout = {sizeof(Struct), fields, check, before_save};            \
        return &layout;                                                                            \
    }

static const ImageLayout *layout_of_kind(TypeId kind) {
    switch ((int)kind) {
        LAYOUT(SLICE, Slice, slice_fields, NULL, NULL)
        LAYOUT(CELL, Cell, cell_fields, NULL, NULL)
        LAYOUT(METHOD, Method, method_fields, check_method, NULL)
        LAYOUT(PROPERTY, Property, property_fields, check_attributes, NULL)
        LAYOUT(CLASSMETHOD, Wrapping, wrapping_fields, check_attributes, NULL)
        LAYOUT(STATICMETHOD, Wrapping, wrapping_fields, check_attributes, NULL)
        LAYOUT(MEMBER, Member, member_fields, check_member, NULL)
        LAYOUT(SUPER, Super, super_fields, check_super, NULL)
        LAYOUT(NAMESPACE, Namespace, namespace_fields, check_attributes, NULL)
        LAYOUT(GENERIC_ALIAS, GenericAlias, generic_alias_fields, NULL, NULL)
        LAYOUT(TRACEBACK, Traceback, traceback_fields, check_traceback, strip_function)
        LAYOUT(BYTES_IO, MemoryFile, bytes_io_fields, check_bytes_io, NULL)
        LAYOUT(RANGE, Range, range_fields, check_range, NULL)
        LAYOUT(RANGE_ITERATOR, RangeIterator, range_iterator_fields, check_range_iterator, NULL)
        LAYOUT(LIST_ITERATOR, ListIterator, over_list_fields, check_position, NULL)
        LAYOUT(LIST_REVERSE_ITERATOR, ListIterator, over_list_fields, check_position, NULL)
        LAYOUT(TUPLE_ITERATOR, ListIterator, over_tuple_fields, check_position, NULL)
        LAYOUT(STR_ITERATOR, ListIterator, over_str_fields, check_str_position, NULL)
        LAYOUT(STR_ASCII_ITERATOR, ListIterator, over_str_fields, check_str_position, NULL)
        LAYOUT(BYTES_ITERATOR, ListIterator, over_bytes_fields, check_position, NULL)
        LAYOUT(BYTEARRAY_ITERATOR, ListIterator, over_bytearray_fields, check_position, NULL)
        LAYOUT(MEMORYVIEW_ITERATOR, ListIterator, over_view_fields, check_view_position, NULL)
        LAYOUT(LONG_RANGE_ITERATOR, ListIterator, over_range_fields, check_position, NULL)
        LAYOUT(SEQUENCE_ITERATOR, ListIterator, over_range_fields, check_position, NULL)
        LAYOUT(REVERSED, ListIterator, reversed_fields, check_reversed, NULL)
        LAYOUT(ENUMERATE, Enumerate, enumerate_fields, check_enumerate, NULL)
        LAYOUT(ZIP, Zip, zip_fields, check_zip, NULL)
        LAYOUT(DICT_KEYS, DictView, view_fields, NULL, NULL)
        LAYOUT(DICT_VALUES, DictView, view_fields, NULL, NULL)
        LAYOUT(DICT_ITEMS, DictView, view_fields, NULL, NULL)
    case TYPE_DICT_KEY_ITERATOR:
    case TYPE_DICT_VALUE_ITERATOR:
    case TYPE_DICT_ITEM_ITERATOR:
    case TYPE_DICT_REVERSE_KEY_ITERATOR:
    case TYPE_DICT_REVERSE_VALUE_ITERATOR:
        LAYOUT(DICT_REVERSE_ITEM_ITERATOR, DictIterator, dict_iterator_fields, check_dict_iterator,
               compact_index)
        LAYOUT(SET_ITERATOR, DictIterator, set_iterator_fields, check_set_iterator, NULL)
    default: return NULL;
    }
}
#undef LAYOUT

static const ImageLayout *layout_of_type(GenVM *vm, const Type *type) {
    if (type->slots.image) return type->slots.image;
    const Type *kind = vm->types[type->instance_kind];
    return kind && kind->slots.image ? kind->slots.image
                                     : layout_of_kind((TypeId)type->instance_kind);
}

const ImageLayout *image_layout_of(GenVM *vm, const Object *object) {
    const Type *type = vm->shapes[object->shape].type;
    return type->instance_kind == object->kind ? layout_of_type(vm, type) : NULL;
}

/* What the readers of such objects must agree on: the fields, in order. */
uint32_t image_layout_version(GenVM *vm, const Type *type) {
    const ImageLayout *layout = layout_of_type(vm, type);
    uint32_t hash = layout ? 2166136261u : 0;
    for (const ImageField *field = layout ? layout->fields : NULL; field && field->type; field++)
        hash = (hash ^ (field->type | (uint32_t)field->kind << 8)) * 16777619u;
    return hash;
}

/* ---- writing ---- */

void save_fields_shell(ImageWriter *w, Object *object) {
    image_put_number(w->out, image_number_of(w, &w->vm->shapes[object->shape].type->header));
}

static void put_field(ImageWriter *w, const ImageField *field, const uint8_t *at) {
    uint32_t word;
    uint64_t number;
    switch ((ImageFieldType)field->type) {
    case IMAGE_FIELD_VALUE:
    case IMAGE_FIELD_OPTIONAL: image_put_value(w, *(const Value *)at); break;
    case IMAGE_FIELD_POINTER:
    case IMAGE_FIELD_OBJECT: image_put_pointer(w, *(Object *const *)at); break;
    case IMAGE_FIELD_FLAGS:
    case IMAGE_FIELD_BYTE: image_put_byte(w->out, *at); break;
    case IMAGE_FIELD_WORD:
        memcpy(&word, at, sizeof word);
        image_put_number(w->out, word);
        break;
    case IMAGE_FIELD_LONG:
        memcpy(&number, at, sizeof number);
        image_put_number(w->out, image_zigzag((int64_t)number));
        break;
    case IMAGE_FIELD_END: break;
    }
}

void save_fields_body(ImageWriter *w, Object *object) {
    enum { COPY_MOST = 128 };
    _Alignas(16) uint8_t copy[COPY_MOST];
    const ImageLayout *layout = image_layout_of(w->vm, object);
    const uint8_t *from = (const uint8_t *)object;
    if (layout->before_save && layout->size <= COPY_MOST) {
        memcpy(copy, object, layout->size);
        layout->before_save(w->vm, object, (Object *)(void *)copy);
        from = copy;
    }
    for (const ImageField *field = layout->fields; field->type && !w->failed; field++)
        put_field(w, field, from + field->offset);
    image_put_extra(w, object);
}

/* ---- reading ---- */

static void clear_field(const ImageField *field, uint8_t *at) {
    if (field->type == IMAGE_FIELD_VALUE || field->type == IMAGE_FIELD_OPTIONAL)
        *(Value *)(void *)at = VALUE_UNSET;
}

Object *load_fields_shell(ImageReader *r) {
    uint64_t number = image_get_number(r);
    if (number >= r->made || r->objects[number]->kind != TYPE_TYPE)
        return image_bad(r, "the class of record %u is none", r->current), NULL;
    Type *type = (Type *)r->objects[number];
    const ImageLayout *layout = layout_of_type(r->vm, type);
    if (!layout) return image_bad(r, "objects of %N cannot be loaded", type), NULL;
    Object *object = gc_new_of(r->vm, layout->size, (TypeId)type->instance_kind, type);
    if (!object) return NULL;
    for (const ImageField *field = layout->fields; field->type; field++)
        clear_field(field, (uint8_t *)object + field->offset);
    return object;
}

static bool get_field(ImageReader *r, const ImageField *field, uint8_t *at) {
    Value v;
    uint64_t number;
    uint32_t word;
    switch ((ImageFieldType)field->type) {
    case IMAGE_FIELD_VALUE:
        if (!image_get_value(r, &v)) return false;
        break;
    case IMAGE_FIELD_OPTIONAL:
        if (!image_get_optional(r, &v)) return false;
        break;
    case IMAGE_FIELD_POINTER: return image_get_pointer(r, (TypeId)field->kind, at);
    case IMAGE_FIELD_OBJECT: return image_get_object(r, (TypeId)field->kind, at);
    case IMAGE_FIELD_FLAGS:
    case IMAGE_FIELD_BYTE:
        number = image_get_number(r);
        *at = (uint8_t)number;
        return number < 256 || image_bad(r, "a number is out of range");
    case IMAGE_FIELD_WORD:
        if (!image_get_u32(r, &word)) return false;
        memcpy(at, &word, sizeof word);
        return true;
    default:
        number = image_get_number(r);
        number = number >> 1 ^ -(number & 1);
        memcpy(at, &number, sizeof number);
        return true;
    }
    if (field->kind != TYPE_NONE && v != VALUE_UNSET && !is_kind(v, (TypeId)field->kind))
        return image_bad(r, "record %u wants a %S", r->current, r->vm->types[field->kind]->name);
    *(Value *)(void *)at = v;
    return true;
}

bool load_fields_body(ImageReader *r, Object *object) {
    const ImageLayout *layout = image_layout_of(r->vm, object);
    for (const ImageField *field = layout->fields; field->type; field++)
        if (!get_field(r, field, (uint8_t *)object + field->offset)) return false;
    gc_barrier(r->vm, object);
    return image_get_extra(r, object);
}

/* ---- when all is loaded ---- */

/* Tracebacks must end. Each entry is passed once: those that are known to end are flagged. */
static bool check_chain(ImageReader *r, Object *start) {
    uint64_t steps = 0;
    Value at = object_value(start);
    for (; is_kind(at, TYPE_TRACEBACK) && !as_object(at)->flags; at = AS(Traceback, at)->next)
        if (++steps > r->count) return image_bad(r, "a traceback has no end");
    for (at = object_value(start); is_kind(at, TYPE_TRACEBACK) && !as_object(at)->flags;
         at = AS(Traceback, at)->next)
        as_object(at)->flags = 1;
    return true;
}

static bool check_exception(ImageReader *r, Object *object) {
    if (((Exception *)object)->value == VALUE_UNSET ||
        !exception_has_fields(r->vm, object_value(object)) ||
        exception_fields_valid(r->vm, object_value(object)))
        return true;
    return image_bad(r, "an exception whose fields are of wrong types");
}

bool image_check_later(ImageReader *r) {
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->tags[i] == IMAGE_EXCEPTION && !check_exception(r, r->objects[i])) return false;
        if (r->tags[i] != IMAGE_FIELDS) continue;
        const ImageLayout *layout = image_layout_of(r->vm, r->objects[i]);
        if (!layout->check || layout->check(r->vm, r->objects[i])) continue;
        return image_bad(r, "a %s that cannot be", type_name(r->vm, object_value(r->objects[i])));
    }
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->objects[i]->kind == TYPE_TRACEBACK && !check_chain(r, r->objects[i])) return false;
    }
    return true;
}
