/* generator_fork.c - a second generator that goes on from the same place: what copy.copy(g) gives.
 *
 * The variables of the two hold the same objects. What the language keeps beside them is doubled:
 * the iterators of loops that are under way, and the generator or iterator that a `yield from`
 * waits for, so that each of the two goes its own way. (Of the library's own generators, zip over
 * generators for one, the variables are that too.) Only iterators of the builtin types can be
 * doubled without running script code; others are shared, as a variable's would be.
 */
#include "vm/image_private.h"

static Value fork_value(GenVM *vm, Value v);

static Value fork_generator(GenVM *vm, const Generator *generator) {
    if (generator->header.state == GENERATOR_RUNNING)
        return raise_value(vm, "%s already executing", type_name(vm, object_value(generator)));
    Function *function = generator_function((Generator *)(uintptr_t)generator);
    Generator *fork = generator_new(vm, function);
    if (!fork) return VALUE_ERROR;
    fork->header.shape = generator->header.shape;
    fork->header.state = GENERATOR_DONE; /* until it is whole */
    if (generator->header.state == GENERATOR_DONE) return object_value(fork);
    const Code *code = function->code;
    fork->pc = generator->pc;
    memcpy(fork->regs, generator->regs, code->regs * sizeof(Value));
    uint32_t first = code->flags & CODE_PRELUDE ? 0 : code->local_count;
    for (uint32_t reg = first; reg < code->regs; reg++) {
        Value v = fork_value(vm, fork->regs[reg]);
        if (v == VALUE_ERROR) return VALUE_ERROR;
        fork->regs[reg] = v;
    }
    fork->header.state = generator->header.state;
    return object_value(fork);
}

static Value fork_iterator(GenVM *vm, const Object *object) {
    const ImageLayout *layout = image_layout_of(vm, object);
    if (!layout || object->state == OBJECT_SUBCLASS) return object_value(object);
    Object *fork = gc_new(vm, layout->size, (TypeId)object->kind);
    if (!fork) return VALUE_ERROR;
    const size_t behind = sizeof(Object);
    memcpy((char *)fork + behind, (const char *)object + behind, layout->size - behind);
    fork->shape = object->shape;
    fork->flags = object->flags;
    return object_value(fork);
}

static Value fork_enumerate(GenVM *vm, const Object *object) {
    Value fork = fork_iterator(vm, object);
    if (fork == VALUE_ERROR || fork == object_value(object)) return fork;
    Value inner = fork_value(vm, AS(Enumerate, fork)->iterator);
    if (inner == VALUE_ERROR) return VALUE_ERROR;
    AS(Enumerate, fork)->iterator = inner;
    return fork;
}

static Value fork_zip(GenVM *vm, const Object *object) {
    Value fork = fork_iterator(vm, object);
    if (fork == VALUE_ERROR || fork == object_value(object)) return fork;
    const Tuple *parts = AS_TUPLE(AS(Zip, fork)->iterators);
    Value inner = tuple_from_array(vm, parts->items, parts->count);
    if (inner == VALUE_ERROR) return VALUE_ERROR;
    AS(Zip, fork)->iterators = inner;
    for (uint64_t i = 0; i < parts->count; i++) {
        Value part = fork_value(vm, parts->items[i]);
        if (part == VALUE_ERROR) return VALUE_ERROR;
        AS_TUPLE(inner)->items[i] = part;
    }
    return fork;
}

static Value fork_kind(GenVM *vm, const Object *object) {
    switch ((TypeId)object->kind) {
    case TYPE_GENERATOR:
    case TYPE_COROUTINE: return fork_generator(vm, (const Generator *)object);
    case TYPE_ENUMERATE: return fork_enumerate(vm, object);
    case TYPE_ZIP: return fork_zip(vm, object);
    default: return fork_iterator(vm, object);
    }
}

static bool is_doubled(const Object *object) {
    switch ((TypeId)object->kind) {
    case TYPE_GENERATOR:
    case TYPE_COROUTINE:
    case TYPE_ENUMERATE:
    case TYPE_ZIP:
    case TYPE_REVERSED:
    case TYPE_LONG_RANGE_ITERATOR:
    case TYPE_SEQUENCE_ITERATOR: return true;
    default: return iterator_is_native(object_value(object));
    }
}

static Value fork_value(GenVM *vm, Value v) {
    if (!is_object(v) || !is_doubled(as_object(v))) return v;
    if (!native_enter(vm)) return VALUE_ERROR;
    Value fork = fork_kind(vm, as_object(v));
    native_leave(vm);
    return fork;
}

Value generator_fork(GenVM *vm, Value generator) {
    if (is_generator_like(generator)) return fork_generator(vm, AS(Generator, generator));
    return raise_type(vm, "a generator is required, not '%T'", generator);
}
