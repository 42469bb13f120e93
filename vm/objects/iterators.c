/* iterators.c - the iterators over lists, tuples and sequences, and enumerate, zip and reversed.
 *
 * A native iterator is one whose steps run no script code, ever (iterator_is_native). enumerate and
 * zip are native when what they go through is; else they are prelude generators that show as
 * enumerate and zip, which loops resume without a call. Only instances of subclasses then step by
 * twins, before which nothing has been taken from any iterator.
 */
#include "vm/engine_module.h"
#include "vm/objects/containers.h"
#include "vm/runtime.h"

/* ---- native iterators ---- */

bool iterator_is_native(Value iterator) {
    if (!is_object(iterator)) return false;
    Object *object = as_object(iterator);
    switch (object->kind) {
    case TYPE_RANGE_ITERATOR:
    case TYPE_LIST_ITERATOR:
    case TYPE_LIST_REVERSE_ITERATOR:
    case TYPE_TUPLE_ITERATOR:
    case TYPE_STR_ITERATOR:
    case TYPE_STR_ASCII_ITERATOR:
    case TYPE_BYTES_ITERATOR:
    case TYPE_BYTEARRAY_ITERATOR:
    case TYPE_DICT_KEY_ITERATOR:
    case TYPE_DICT_VALUE_ITERATOR:
    case TYPE_DICT_ITEM_ITERATOR:
    case TYPE_DICT_REVERSE_KEY_ITERATOR:
    case TYPE_DICT_REVERSE_VALUE_ITERATOR:
    case TYPE_DICT_REVERSE_ITEM_ITERATOR:
    case TYPE_SET_ITERATOR:
    case TYPE_MEMORYVIEW_ITERATOR: return true;
    case TYPE_LONG_RANGE_ITERATOR:
    case TYPE_ENUMERATE:
    case TYPE_ZIP:
    case TYPE_REVERSED: return object->shape == object->kind && (object->flags & ITERATOR_NATIVE);
    default: return false;
    }
}

Leaf iterator_begin(GenVM *vm, Value iterable, Value *iterator) {
    Value it = leaf_iter(vm, iterable);
    *iterator = iterable;
    if (it == VALUE_ERROR) return LEAF_ERROR;
    if (it == VALUE_TAIL) {
        native_drop_tail(vm);
        return LEAF_SCRIPT;
    }
    *iterator = it;
    if (it == iterable) native_commit(vm);
    return iterator_is_native(it) ? LEAF_TRUE : LEAF_SCRIPT;
}

static Value self_iter(GenVM *vm, Value self) {
    return (void)vm, self;
}

/* ---- a container and a position ---- */

Value list_iterator_new(GenVM *vm, TypeId kind, Value container, int64_t index) {
    ListIterator *it = gc_new_raw(vm, sizeof *it, kind);
    if (!it) return VALUE_ERROR;
    it->container = container;
    it->index = index;
    return object_value(it);
}

Value sequence_iterator_new(GenVM *vm, Value object) {
    if (is_kind(object, TYPE_RANGE))
        return list_iterator_new(vm, TYPE_LONG_RANGE_ITERATOR, object, 0);
    return runtime_generator(vm, TWIN_SEQUENCE_ITEMS, vm->types[TYPE_SEQUENCE_ITERATOR], 1, object);
}

/* The next item of a prelude generator that shows as one of the types here. */
static Value generator_next(GenVM *vm, Value self) {
    return native_resume(vm, self, VALUE_NONE);
}

static void list_iterator_trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((ListIterator *)object)->container);
}

static inline Value step_forward(ListIterator *it, const Value *items, uint64_t count) {
    if (likely((uint64_t)it->index < count)) return items[it->index++];
    it->container = VALUE_UNSET;
    return VALUE_END;
}

static Value list_iterator_next(GenVM *vm, Value self) {
    ListIterator *it = AS(ListIterator, self);
    (void)vm;
    if (it->container == VALUE_UNSET) return VALUE_END;
    List *list = AS_LIST(it->container);
    return step_forward(it, list->items, list->count);
}

static Value tuple_iterator_next(GenVM *vm, Value self) {
    ListIterator *it = AS(ListIterator, self);
    (void)vm;
    if (it->container == VALUE_UNSET) return VALUE_END;
    Tuple *tuple = AS_TUPLE(it->container);
    return step_forward(it, tuple->items, tuple->count);
}

static Value list_reverse_iterator_next(GenVM *vm, Value self) {
    ListIterator *it = AS(ListIterator, self);
    (void)vm;
    if (it->container == VALUE_UNSET) return VALUE_END;
    List *list = AS_LIST(it->container);
    if (it->index >= 0 && (uint64_t)it->index < list->count) return list->items[it->index--];
    it->container = VALUE_UNSET;
    return VALUE_END;
}

static Value long_range_iterator_next(GenVM *vm, Value self) {
    ListIterator *it = AS(ListIterator, self);
    if (it->container == VALUE_UNSET) return VALUE_END;
    Range *range = AS(Range, it->container);
    Value index = int_from_i64(vm, it->index);
    if (index == VALUE_ERROR) return index;
    if (int_order(index, range->length) < 0) {
        it->index++;
        return range_item(vm, range, index);
    }
    it->container = VALUE_UNSET;
    return VALUE_END;
}

static int64_t items_left(ListIterator *it) {
    uint64_t count = 0;
    if (it->container == VALUE_UNSET || !sequence_items(it->container, &count)) return 0;
    return (uint64_t)it->index < count ? (int64_t)count - it->index : 0;
}

static Value iterator_length_hint(GenVM *vm, Value *args) {
    (void)vm;
    return int_value(items_left(AS(ListIterator, args[0])));
}

static Value reverse_length_hint(GenVM *vm, Value *args) {
    ListIterator *it = AS(ListIterator, args[0]);
    (void)vm;
    if (it->container == VALUE_UNSET) return int_value(0);
    uint64_t count = AS_LIST(it->container)->count;
    return int_value((uint64_t)it->index < count ? it->index + 1 : 0);
}

/* _engine.iterator_move(iterator, index): where it goes on; -1: nowhere. */
static Value engine_iterator_move(GenVM *vm, Value *args) {
    if (!is_kind(args[0], TYPE_REVERSED)) return raise_type(vm, "%T cannot be moved", args[0]);
    ListIterator *it = AS(ListIterator, args[0]);
    it->index = as_int(args[1]);
    if (it->index < 0) it->container = VALUE_UNSET;
    return VALUE_NONE;
}

static const NativeDef list_iterator_methods[] = {
    {"__length_hint__(self, /)", iterator_length_hint,
     "Private method returning an estimate of len(list(it))."},
    {NULL, NULL, NULL},
};
static const NativeDef reverse_iterator_methods[] = {
    {"__length_hint__(self, /)", reverse_length_hint,
     "Private method returning an estimate of len(list(it))."},
    {NULL, NULL, NULL},
};
static const NativeDef no_methods[] = {{NULL, NULL, NULL}};

#define ITERATOR_TYPE(variable, type_name, step, method_table)                                     \
    const BuiltinType variable = {                                                                 \
        .name = type_name,                                                                         \
        .base = TYPE_OBJECT,                                                                       \
        .flags = TYPE_FINAL | TYPE_NO_NEW,                                                         \
        .size = sizeof(ListIterator),                                                              \
        .methods = method_table,                                                                   \
        .slots = {.iter = self_iter, .next = step, .trace = list_iterator_trace},                  \
    }
ITERATOR_TYPE(list_iterator_type, "list_iterator", list_iterator_next, list_iterator_methods);
ITERATOR_TYPE(list_reverse_iterator_type, "list_reverseiterator", list_reverse_iterator_next,
              reverse_iterator_methods);
ITERATOR_TYPE(tuple_iterator_type, "tuple_iterator", tuple_iterator_next, list_iterator_methods);
ITERATOR_TYPE(long_range_iterator_type, "longrange_iterator", long_range_iterator_next, no_methods);
ITERATOR_TYPE(sequence_iterator_type, "iterator", generator_next, no_methods);

/* ---- reversed ---- */

/* Whether the items of v can be had without script code. */
bool reversed_is_native(Value v) {
    if (!is_object(v)) return false;
    Object *object = as_object(v);
    return object->shape == object->kind &&
           (object->kind == TYPE_STR || object->kind == TYPE_BYTES ||
            object->kind == TYPE_BYTEARRAY || object->kind == TYPE_TUPLE ||
            object->kind == TYPE_LIST);
}

static Value reversed_next(GenVM *vm, Value self) {
    ListIterator *it = AS(ListIterator, self);
    if (it->container == VALUE_UNSET) return VALUE_END;
    if (it->index < 0) {
        it->container = VALUE_UNSET;
        return VALUE_END;
    }
    if (!(it->header.flags & ITERATOR_NATIVE))
        return native_twin(vm, TWIN_REVERSED_NEXT, 3, self, it->container, int_value(it->index));
    Value item = vm->types[as_object(it->container)->kind]->slots.getitem(vm, it->container,
                                                                          int_value(it->index));
    if (item == VALUE_ERROR && error_matches(vm, EXC_INDEX_ERROR)) { /* it has become shorter */
        error_clear(vm);
        it->container = VALUE_UNSET;
        return VALUE_END;
    }
    it->index--;
    return item;
}

static Value reversed_make(GenVM *vm, Type *cls, Value sequence, int64_t length) {
    ListIterator *it = gc_new_of(vm, sizeof *it, TYPE_REVERSED, cls);
    if (!it) return VALUE_ERROR;
    it->container = sequence;
    it->index = length - 1;
    if (reversed_is_native(sequence)) it->header.flags |= ITERATOR_NATIVE;
    return object_value(it);
}

static Value reversed_construct(GenVM *vm, Value *args) {
    Value sequence = args[1];
    Type *type = type_of(vm, sequence), *cls = type_from(args[0]);
    Value method = type_find_special(vm, type, SP_REVERSED);
    if (method == VALUE_NONE) return raise_type(vm, "'%T' object is not reversible", sequence);
    if (method != VALUE_UNSET) return special_call(vm, method, sequence, 0);
    bool sequence_like = is_kind(sequence, TYPE_STR) || is_kind(sequence, TYPE_BYTES) ||
                         is_kind(sequence, TYPE_BYTEARRAY) || is_kind(sequence, TYPE_TUPLE) ||
                         is_kind(sequence, TYPE_MEMORYVIEW);
    if (!sequence_like && type_find_special(vm, type, SP_GETITEM) == VALUE_UNSET)
        return raise_type(vm, "'%T' object is not reversible", sequence);
    if (reversed_is_native(sequence))
        return reversed_make(vm, cls, sequence, as_int(type->slots.len(vm, sequence)));
    return native_twin(vm, TWIN_REVERSED_NEW, 2, args[0], sequence);
}

static Value engine_reversed_over(GenVM *vm, Value *args) {
    if (!type_makes(vm, args[0], TYPE_REVERSED)) return VALUE_ERROR;
    return reversed_make(vm, type_from(args[0]), args[1], as_int(args[2]));
}

static Value reversed_length_hint(GenVM *vm, Value *args) {
    ListIterator *it = AS(ListIterator, args[0]);
    (void)vm;
    return int_value(it->container == VALUE_UNSET ? 0 : it->index + 1);
}

static const NativeDef reversed_constructor = {
    "reversed(cls, object, /)", reversed_construct,
    "Return a reverse iterator over the values of the given sequence."};
static const NativeDef reversed_methods[] = {
    {"__length_hint__(self, /)", reversed_length_hint,
     "Private method returning an estimate of len(list(it))."},
    {NULL, NULL, NULL},
};

const BuiltinType reversed_type = {
    .name = "reversed",
    .base = TYPE_OBJECT,
    .size = sizeof(ListIterator),
    .doc = "Return a reverse iterator over the values of the given sequence.",
    .construct = &reversed_constructor,
    .methods = reversed_methods,
    .slots = {.iter = self_iter, .next = reversed_next, .trace = list_iterator_trace},
};

/* ---- enumerate ---- */

static Value next_index(GenVM *vm, Value index) {
    if (likely(is_int(index) && as_int(index) < SMALL_INT_MAX)) return int_value(as_int(index) + 1);
    return int_binary(vm, BINARY_ADD, index, int_value(1));
}

/* A zip of zips of zips ... steps on the C stack, and many of them at once where it shares them. */
static COLD Value step_nested(GenVM *vm, Value iterator) {
    if (!native_enter(vm)) return VALUE_ERROR;
    return native_left(vm, iterator_step(vm, iterator));
}

static inline Value step_member(GenVM *vm, Value iterator) {
    uint8_t kind = as_object(iterator)->kind;
    if (unlikely(kind == TYPE_ZIP || kind == TYPE_ENUMERATE)) return step_nested(vm, iterator);
    return iterator_step(vm, iterator);
}

static Value enumerate_next(GenVM *vm, Value self) {
    if (is_kind(self, TYPE_GENERATOR)) return generator_next(vm, self);
    Enumerate *it = AS(Enumerate, self);
    if (!(it->header.flags & ITERATOR_NATIVE))
        return native_twin(vm, TWIN_ENUMERATE_NEXT, 2, self, it->iterator);
    Value item = step_member(vm, it->iterator);
    if (item == VALUE_END || item == VALUE_ERROR) return item;
    Value pair = tuple_pair(vm, it->index, item);
    it->index = next_index(vm, it->index);
    if (!is_int(it->index)) gc_barrier(vm, it);
    return it->index == VALUE_ERROR ? VALUE_ERROR : pair;
}

/* A step of a list's or another native iterator. */
static inline Value step(GenVM *vm, Value iterator) {
    ListIterator *it = AS(ListIterator, iterator);
    if (likely(it->header.kind == TYPE_LIST_ITERATOR && it->container != VALUE_UNSET)) {
        const List *list = AS_LIST(it->container);
        if (likely((uint64_t)it->index < list->count)) return list->items[it->index++];
    }
    return step_member(vm, iterator);
}

static Value enumerate_next_two(GenVM *vm, Value self, Value *out) {
    Enumerate *it = AS(Enumerate, self);
    if (!(it->header.flags & ITERATOR_NATIVE) || !is_int(it->index) ||
        as_int(it->index) == SMALL_INT_MAX)
        return VALUE_UNSET;
    Value item = step(vm, it->iterator);
    if (item == VALUE_END || item == VALUE_ERROR) return item;
    out[0] = it->index;
    out[1] = item;
    it->index = int_value(as_int(it->index) + 1);
    return VALUE_NONE;
}

/* _engine.enumerate_pair(enumerate, item): (index, item), and counts on. */
static Value engine_enumerate_pair(GenVM *vm, Value *args) {
    Enumerate *it = AS(Enumerate, args[0]);
    Value pair = tuple_pair(vm, it->index, args[1]);
    it->index = next_index(vm, it->index);
    if (!is_int(it->index)) gc_barrier(vm, it);
    return it->index == VALUE_ERROR ? VALUE_ERROR : pair;
}

static Value enumerate_make(GenVM *vm, Type *cls, Value iterator, Value start) {
    if (cls->is_builtin && !iterator_is_native(iterator))
        return runtime_generator(vm, TWIN_ENUMERATE_ITEMS, cls, 2, iterator, start);
    Enumerate *it = gc_new_of(vm, sizeof *it, TYPE_ENUMERATE, cls);
    if (!it) return VALUE_ERROR;
    it->iterator = iterator;
    it->index = start;
    if (iterator_is_native(iterator)) it->header.flags |= ITERATOR_NATIVE;
    return object_value(it);
}

static Value enumerate_construct(GenVM *vm, Value *args) {
    if (args[1] == VALUE_UNSET)
        return raise_type(vm, "enumerate() missing required argument 'iterable'");
    Value iterator = leaf_iter(vm, args[1]);
    if (iterator == VALUE_ERROR) return VALUE_ERROR;
    if (iterator != VALUE_TAIL) return enumerate_make(vm, type_from(args[0]), iterator, args[2]);
    native_drop_tail(vm);
    return native_twin(vm, TWIN_ENUMERATE_NEW, 3, args[0], args[1], args[2]);
}

static Value engine_enumerate_over(GenVM *vm, Value *args) {
    if (!type_makes(vm, args[0], TYPE_ENUMERATE)) return VALUE_ERROR;
    return enumerate_make(vm, type_from(args[0]), args[1], args[2]);
}

static void enumerate_trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((Enumerate *)object)->iterator);
    gc_mark(vm, ((Enumerate *)object)->index);
}

static Value enumerate_class_getitem(GenVM *vm, Value *args) {
    return generic_alias_new(vm, args[0], args[1]);
}

static const char enumerate_doc[] = "Return an enumerate object.\n\n  iterable\n    an object "
                                    "supporting iteration\n\nThe enumerate "
                                    "object yields pairs containing a count (from start, "
                                    "which\ndefaults to zero) and a value yielded "
                                    "by the iterable argument.\n\nenumerate is useful for "
                                    "obtaining an indexed list:\n    (0, seq[0]), "
                                    "(1, seq[1]), (2, seq[2]), ...";
static const NativeDef enumerate_constructor = {"enumerate(cls, iterable = ?, start: int = 0)",
                                                enumerate_construct, enumerate_doc};
static const NativeDef enumerate_methods[] = {
    {"classmethod __class_getitem__(cls, item, /)", enumerate_class_getitem, "See PEP 585"},
    {NULL, NULL, NULL},
};

const BuiltinType enumerate_type = {
    .name = "enumerate",
    .base = TYPE_OBJECT,
    .size = sizeof(Enumerate),
    .doc = enumerate_doc,
    .construct = &enumerate_constructor,
    .methods = enumerate_methods,
    .slots = {.iter = self_iter,
              .next = enumerate_next,
              .next_two = enumerate_next_two,
              .trace = enumerate_trace},
};

/* ---- zip ---- */

static COLD Value zip_uneven(GenVM *vm, uint64_t index, const char *what) {
    if (index == 1) return raise_value(vm, "zip() argument 2 is %s than argument 1", what);
    return raise_value(vm, "zip() argument %llu is %s than arguments 1-%llu",
                       (unsigned long long)index + 1, what, (unsigned long long)index);
}

/* Argument number `index` has ended. For strict: the others must have ended as well. */
static Value zip_end(GenVM *vm, Zip *zip, uint64_t index) {
    Tuple *iterators = AS_TUPLE(zip->iterators);
    if (!(zip->header.flags & ITERATOR_STRICT)) return VALUE_END;
    if (index) return zip_uneven(vm, index, "shorter");
    for (uint64_t i = 1; i < iterators->count; i++) {
        Value item = step_member(vm, iterators->items[i]);
        if (item == VALUE_ERROR) return item;
        if (item != VALUE_END) return zip_uneven(vm, i, "longer");
    }
    return VALUE_END;
}

static inline Value zip_next_pair(GenVM *vm, Zip *zip, const Value *iterators) {
    Value first = step_member(vm, iterators[0]);
    if (first == VALUE_ERROR) return first;
    if (first == VALUE_END) return zip_end(vm, zip, 0);
    Value second = step_member(vm, iterators[1]);
    if (second == VALUE_ERROR) return second;
    return second == VALUE_END ? zip_end(vm, zip, 1) : tuple_pair(vm, first, second);
}

static Value zip_next_two(GenVM *vm, Value self, Value *out) {
    Zip *zip = AS(Zip, self);
    const Tuple *iterators = AS_TUPLE(zip->iterators);
    if (iterators->count != 2 || !(zip->header.flags & ITERATOR_NATIVE)) return VALUE_UNSET;
    Value first = step(vm, iterators->items[0]);
    if (first == VALUE_ERROR) return first;
    if (first == VALUE_END) return zip_end(vm, zip, 0);
    Value second = step(vm, iterators->items[1]);
    if (second == VALUE_ERROR) return second;
    if (second == VALUE_END) return zip_end(vm, zip, 1);
    out[0] = first;
    out[1] = second;
    return VALUE_NONE;
}

static Value zip_next(GenVM *vm, Value self) {
    if (is_kind(self, TYPE_GENERATOR)) return generator_next(vm, self);
    Zip *zip = AS(Zip, self);
    Tuple *iterators = AS_TUPLE(zip->iterators);
    if (iterators->count == 0) return VALUE_END;
    if (!(zip->header.flags & ITERATOR_NATIVE))
        return native_twin(
            vm, zip->header.flags & ITERATOR_STRICT ? TWIN_ZIP_NEXT_STRICT : TWIN_ZIP_NEXT, 1,
            zip->iterators);
    if (iterators->count == 2) return zip_next_pair(vm, zip, iterators->items);
    Value items = tuple_new(vm, iterators->count);
    if (items == VALUE_ERROR) return items;
    for (uint64_t i = 0; i < iterators->count; i++) {
        Value item = step_member(vm, iterators->items[i]);
        if (item == VALUE_ERROR) return item;
        if (item == VALUE_END) return zip_end(vm, zip, i);
        AS_TUPLE(items)->items[i] = item;
    }
    return items;
}

/* zip over iterators one of which runs script code is a generator. */
static Value zip_generator(GenVM *vm, Type *cls, Value iterators, bool strict) {
    const Value *items = AS_TUPLE(iterators)->items;
    if (strict) return runtime_generator(vm, TWIN_ZIP_STRICT, cls, 1, iterators);
    if (AS_TUPLE(iterators)->count == 2)
        return runtime_generator(vm, TWIN_ZIP_TWO, cls, 2, items[0], items[1]);
    return runtime_generator(vm, TWIN_ZIP_MANY, cls, 1, iterators);
}

static Value zip_make(GenVM *vm, Type *cls, Value iterators, bool strict) {
    uint8_t flags = ITERATOR_NATIVE;
    for (uint64_t i = 0; i < AS_TUPLE(iterators)->count; i++)
        if (!iterator_is_native(AS_TUPLE(iterators)->items[i])) flags = 0;
    if (!flags && cls->is_builtin) return zip_generator(vm, cls, iterators, strict);
    Zip *zip = gc_new_of(vm, sizeof *zip, TYPE_ZIP, cls);
    if (!zip) return VALUE_ERROR;
    zip->iterators = iterators;
    zip->header.flags = flags | (strict ? ITERATOR_STRICT : 0);
    return object_value(zip);
}

static Value zip_construct(GenVM *vm, Value *args) {
    Tuple *iterables = AS_TUPLE(args[1]);
    Value iterators = tuple_new(vm, iterables->count);
    if (iterators == VALUE_ERROR) return VALUE_ERROR;
    for (uint64_t i = 0; i < iterables->count; i++) {
        Value iterator = leaf_iter(vm, iterables->items[i]);
        if (iterator == VALUE_ERROR) return VALUE_ERROR;
        if (iterator == VALUE_TAIL) {
            native_drop_tail(vm);
            return native_twin(vm, TWIN_ZIP_NEW, 3, args[0], args[1], args[2]);
        }
        AS_TUPLE(iterators)->items[i] = iterator;
    }
    return zip_make(vm, type_from(args[0]), iterators, args[2] == VALUE_TRUE);
}

static Value engine_zip_over(GenVM *vm, Value *args) {
    if (!type_makes(vm, args[0], TYPE_ZIP)) return VALUE_ERROR;
    return zip_make(vm, type_from(args[0]), args[1], args[2] == VALUE_TRUE);
}

static void zip_trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((Zip *)object)->iterators);
}

static const char zip_doc[] = "The zip object yields n-length tuples, where n is the number of "
                              "iterables\npassed as positional "
                              "arguments to zip().  The i-th element in every tuple\ncomes from "
                              "the i-th iterable argument to "
                              "zip().  This continues until the\nshortest argument is "
                              "exhausted.\n\nIf strict is true and one of "
                              "the arguments is exhausted before the others,\nraise a "
                              "ValueError.\n\n   >>> list(zip('abcdefg', "
                              "range(3), range(4)))\n   [('a', 0, 0), ('b', 1, 1), ('c', 2, 2)]";
static const NativeDef zip_constructor = {"zip(cls, /, *iterables, strict: bool = False)",
                                          zip_construct, zip_doc};

const BuiltinType zip_type = {
    .name = "zip",
    .base = TYPE_OBJECT,
    .size = sizeof(Zip),
    .doc = zip_doc,
    .construct = &zip_constructor,
    .methods = no_methods,
    .slots = {.iter = self_iter, .next = zip_next, .next_two = zip_next_two, .trace = zip_trace},
};

const NativeDef engine_iterator_natives[] = {
    {"iterator_move(iterator, index: index, /)", engine_iterator_move, NULL},
    {"reversed_over(cls: type, sequence, length: index, /)", engine_reversed_over, NULL},
    {"enumerate_pair(iterator: enumerate, item, /)", engine_enumerate_pair, NULL},
    {"enumerate_over(cls: type, iterator, start, /)", engine_enumerate_over, NULL},
    {"zip_over(cls: type, iterators: tuple, strict, /)", engine_zip_over, NULL},
    {NULL, NULL, NULL},
};
