/* shape.c - shapes (hidden classes) and the instances that they describe.
 *
 * A shape says which attribute lies in which slot. Instances that got the same attributes in the
 * same order share one, so an instruction that remembers "shape 517, slot 2" needs one compare to
 * read an attribute. Shapes of a type form a tree that grows from its root by transitions:
 *
 *     root of Point (slots of __slots__)  --x-->  {x}  --y-->  {x, y}
 *                                                      --z-->  {x, z}
 *
 * vm->shapes is an array by value that moves when it grows: hold no Shape * over a call that may
 * add one. When the id of a shape can be used again is told in shape_sweep.c.
 *
 * Instances keep the first attributes in inline slots, as many as their class expects, the others
 * in a Tuple. An instance whose attributes are too many or too irregular (deleted ones, a tree that
 * grew too wide), or whose
 * __dict__ was asked for, keeps them in a Dict from then on; its shape is then its type's one dict
 * shape.
 */
#include "vm/type_private.h"
#include "vm/generator.h"
#include "vm/memory.h"
#include "vm/shared.h"

enum {
    WALK_LIMIT = 8,                   /* attributes up to which a walk to the root beats a table */
    SLOT_LIMIT = INSTANCE_SLOTS_MOST, /* attributes beyond go to a Dict */
    CHILD_LIMIT = 48,  /* transitions from one shape beyond which instances are used as dicts */
    INLINE_LIMIT = 64, /* a class learns at most that many inline slots */
    FIRST_SHAPES = TYPE_COUNT + 17,
    FIRST_OVERFLOW = 4,
};

typedef struct ShapeTable { /* open addressing by the address of the name */
    uint32_t mask;
    struct {
        Value name;
        uint32_t slot;
    } entries[];
} ShapeTable;

/* ---- the array ---- */

/* The roots of the builtin types are read where all VMs have them until the VM needs a shape of its
 * own: only then are roots written to, by shape_add. */
void shapes_init(GenVM *vm) {
    vm->shapes = (Shape *)(uintptr_t)vm->shared->shapes;
    vm->shapes_dead = vm->shapes_free = SHAPE_NONE;
    vm->shape_count = vm->shape_capacity = TYPE_COUNT;
}

static bool are_shared(const GenVM *vm) {
    return vm->shapes == vm->shared->shapes;
}

void shapes_free(GenVM *vm) {
    for (uint32_t i = TYPE_COUNT; i < vm->shape_count; i++)
        memory_free(vm->shapes[i].table);
    if (vm->shapes && !are_shared(vm)) memory_free(vm->shapes);
    memory_free(vm->shape_moves);
    vm->shape_moves = NULL;
    vm->shapes = NULL;
    vm->shape_count = vm->shape_capacity = 0;
}

static bool grow_shapes(GenVM *vm) {
    bool first = are_shared(vm);
    uint32_t capacity = first ? FIRST_SHAPES : vm->shape_capacity * 2;
    Shape *larger = memory_resize(vm, first ? NULL : vm->shapes, capacity * sizeof *larger);
    if (!larger) return false;
    if (first) memcpy(larger, vm->shared->shapes, sizeof vm->shared->shapes);
    vm->shapes = larger;
    vm->shape_capacity = capacity;
    return true;
}

/* A new shape behind all others, all zero; SHAPE_NONE when there is no memory. */
static uint32_t append_shape(GenVM *vm) {
    if (vm->shape_count == vm->shape_capacity && !grow_shapes(vm)) return SHAPE_NONE;
    memset(&vm->shapes[vm->shape_count], 0, sizeof *vm->shapes);
    return vm->shape_count++;
}

/* The same with an id that was used before, if there is one. */
static uint32_t take_shape(GenVM *vm) {
    uint32_t id = vm->shapes_free;
    if (id == SHAPE_NONE) return append_shape(vm);
    vm->shapes_free = vm->shapes[id].sibling;
    return id;
}

uint32_t shape_new_root(GenVM *vm, Type *type, uint8_t inline_slots) {
    uint32_t id = take_shape(vm);
    if (id == SHAPE_NONE) {
        raise_memory(vm);
        return SHAPE_NONE;
    }
    vm->shapes[id] = (Shape){.type = type,
                             .name = VALUE_UNSET,
                             .parent = id,
                             .count = type->member_count,
                             .inline_slots = inline_slots,
                             .transitions = SHAPE_NONE,
                             .sibling = SHAPE_NONE};
    return id;
}

uint32_t shape_dict(GenVM *vm, Type *type) {
    TypeState *state = type_state(vm, type);
    if (state->dict_shape != SHAPE_NONE) return state->dict_shape;
    uint32_t id = shape_new_root(vm, type, type->inline_slots);
    if (id == SHAPE_NONE) return SHAPE_NONE;
    vm->shapes[id].is_dict = true;
    state->dict_shape = id;
    return id;
}

/* ---- lookup ---- */

static inline uint32_t name_hash(Value name) {
    return (uint32_t)((name >> 4) * 0x9E3779B1u) ^ (uint32_t)(name >> 20);
}

static ShapeTable *build_table(GenVM *vm, uint32_t id) {
    uint32_t size = 16;
    while (size < 2u * vm->shapes[id].count)
        size *= 2;
    ShapeTable *table = memory_new(vm, sizeof *table + size * sizeof table->entries[0]);
    if (!table) return NULL;
    table->mask = size - 1;
    for (uint32_t i = 0; i < size; i++)
        table->entries[i].name = VALUE_UNSET;
    for (const Shape *shape = &vm->shapes[id]; shape->name != VALUE_UNSET;
         shape = &vm->shapes[shape->parent]) {
        uint32_t at = name_hash(shape->name) & table->mask;
        while (table->entries[at].name != VALUE_UNSET)
            at = (at + 1) & table->mask;
        table->entries[at].name = shape->name;
        table->entries[at].slot = shape->count - 1u;
    }
    vm->shapes[id].table = table;
    return table;
}

static uint32_t find_in_table(const ShapeTable *table, Value name) {
    for (uint32_t at = name_hash(name) & table->mask;; at = (at + 1) & table->mask) {
        if (table->entries[at].name == name) return table->entries[at].slot;
        if (table->entries[at].name == VALUE_UNSET) return SHAPE_NONE;
    }
}

uint32_t shape_find(GenVM *vm, uint32_t id, Value name) {
    const Shape *shape = &vm->shapes[id];
    if (shape->table) return find_in_table(shape->table, name);
    if (shape->count > WALK_LIMIT && shape->name != VALUE_UNSET) {
        const ShapeTable *table = build_table(vm, id);
        if (table) return find_in_table(table, name);
    }
    for (; shape->name != VALUE_UNSET; shape = &vm->shapes[shape->parent])
        if (shape->name == name) return shape->count - 1u;
    return SHAPE_NONE;
}

uint32_t shape_add(GenVM *vm, uint32_t parent, Value name) {
    for (uint32_t child = vm->shapes[parent].transitions; child != SHAPE_NONE;
         child = vm->shapes[child].sibling)
        if (vm->shapes[child].name == name) return child;
    if (vm->shapes[parent].count >= SLOT_LIMIT || vm->shapes[parent].children >= CHILD_LIMIT)
        return SHAPE_NONE;
    uint32_t id = take_shape(vm);
    if (id == SHAPE_NONE) return SHAPE_NONE;
    Shape *from = &vm->shapes[parent];
    vm->shapes[id] = (Shape){.type = from->type,
                             .name = name,
                             .parent = parent,
                             .count = (uint16_t)(from->count + 1),
                             .inline_slots = from->inline_slots,
                             .transitions = SHAPE_NONE,
                             .sibling = from->transitions};
    from->transitions = id;
    from->children++;
    return id;
}

/* ---- renewal ---- */

/* Is there a shape below `type` that has the attribute (any, when name is UNSET)? */
static bool has_instances_with(GenVM *vm, Type *type, Value name) {
    for (uint32_t i = TYPE_COUNT; i < vm->shape_count; i++) {
        const Shape *shape = &vm->shapes[i];
        bool concerns = name == VALUE_UNSET ? shape->name != VALUE_UNSET : shape->name == name;
        if (shape->type && concerns && type_is_subclass(shape->type, type)) return true;
    }
    return false;
}

static uint32_t moved_to(const uint32_t *moves, uint32_t count, uint32_t id) {
    return id < count && moves[id] != SHAPE_NONE ? moves[id] : id;
}

/* Copies of the shapes first..count-1 that belong below `type`; moves[i] says where. */
static bool copy_shapes(GenVM *vm, Type *type, uint32_t *moves, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        moves[i] = SHAPE_NONE;
        const Shape *shape = &vm->shapes[i];
        if (i < TYPE_COUNT || !shape->type || shape->is_dict ||
            !type_is_subclass(shape->type, type))
            continue;
        uint32_t copy = append_shape(vm);
        if (copy == SHAPE_NONE) return false;
        vm->shapes[copy] = vm->shapes[i];
        vm->shapes[copy].table = NULL;
        moves[i] = copy;
    }
    for (uint32_t i = count; i < vm->shape_count; i++) {
        Shape *shape = &vm->shapes[i];
        shape->parent = moved_to(moves, count, shape->parent);
        shape->transitions = moved_to(moves, count, shape->transitions);
        shape->sibling = moved_to(moves, count, shape->sibling);
        if (!shape->type->is_builtin)
            shape->type->root_shape = moved_to(moves, count, shape->type->root_shape);
    }
    return true;
}

bool shapes_renew(GenVM *vm, Type *type, Value name) {
    if (!has_instances_with(vm, type, name)) return true;
    uint32_t count = vm->shape_count;
    uint32_t *moves = memory_new(vm, count * sizeof *moves);
    if (!moves || !copy_shapes(vm, type, moves, count)) {
        memory_free(moves);
        raise_memory(vm);
        return false;
    }
    for (uint32_t i = 0; i < vm->shape_moves_count; i++) /* moves that have not been made yet */
        if (vm->shape_moves[i] != SHAPE_NONE) moves[i] = moved_to(moves, count, vm->shape_moves[i]);
    memory_free(vm->shape_moves);
    vm->shape_moves = moves;
    vm->shape_moves_count = count;
    vm->poll |= POLL_GC;
    return true;
}

void shapes_move(GenVM *vm, Object *object) {
    object->shape = moved_to(vm->shape_moves, vm->shape_moves_count, object->shape);
}

void shapes_moved(GenVM *vm) {
    for (uint32_t i = 0; i < vm->shape_moves_count; i++)
        if (vm->shape_moves[i] != SHAPE_NONE) shapes_kill(vm, i);
    memory_free(vm->shape_moves);
    vm->shape_moves = NULL;
    vm->shape_moves_count = 0;
}

/* ---- instances ---- */

/* Instances have needed more slots than they got: from now on they get them. */
static COLD void learn_slots(GenVM *vm, Type *type) {
    uint32_t root = shape_new_root(vm, type, type->wanted_slots);
    if (root == SHAPE_NONE) {
        error_clear(vm);
        type->wanted_slots = type->inline_slots;
        return;
    }
    type->inline_slots = type->wanted_slots;
    type->root_shape = root;
}

Value instance_new(GenVM *vm, Type *type) {
    if (unlikely(type->wanted_slots > type->inline_slots)) learn_slots(vm, type);
    Instance *instance =
        gc_new_raw(vm, sizeof *instance + type->inline_slots * sizeof(Value), TYPE_OBJECT);
    if (unlikely(!instance)) return VALUE_ERROR;
    instance->header.shape = type->root_shape;
    instance->header.state = type->inline_slots;
    instance->extra = VALUE_UNSET;
    for (uint32_t i = 0; i < type->inline_slots; i++)
        instance->slots[i] = VALUE_UNSET;
    if (unlikely(type->special[SP_DEL] != VALUE_UNSET)) gc_finalizable(vm, instance);
    return object_value(instance);
}

static Value read_slot(const Instance *instance, uint32_t slot) {
    if (slot < instance->header.state) return instance->slots[slot];
    return AS_TUPLE(instance->extra)->items[slot - instance->header.state];
}

/* Room for overflow slot `index`: a larger Tuple when needed. */
static bool grow_overflow(GenVM *vm, Instance *instance, uint32_t index) {
    uint64_t have = instance->extra == VALUE_UNSET ? 0 : AS_TUPLE(instance->extra)->count;
    if (index < have) return true;
    Value larger = tuple_new(vm, have ? have * 2 : FIRST_OVERFLOW);
    if (larger == VALUE_ERROR) return false;
    if (have)
        memcpy(AS_TUPLE(larger)->items, AS_TUPLE(instance->extra)->items, have * sizeof(Value));
    instance->extra = larger;
    gc_barrier(vm, instance);
    return true;
}

static bool write_slot(GenVM *vm, Instance *instance, uint32_t slot, Value value) {
    uint32_t inline_slots = instance->header.state;
    if (likely(slot < inline_slots)) {
        instance->slots[slot] = value;
        gc_barrier(vm, instance);
        return true;
    }
    if (!grow_overflow(vm, instance, slot - inline_slots)) return false;
    Tuple *overflow = AS_TUPLE(instance->extra);
    overflow->items[slot - inline_slots] = value;
    gc_barrier(vm, overflow);
    Type *type = vm->shapes[instance->header.shape].type;
    if (slot + 1 > type->wanted_slots && slot < INLINE_LIMIT)
        type->wanted_slots = (uint8_t)(slot + 1);
    return true;
}

static bool in_dict_mode(GenVM *vm, const Instance *instance) {
    return vm->shapes[instance->header.shape].is_dict;
}

/* Moves the attributes to a Dict, in their order. */
static Dict *convert_to_dict(GenVM *vm, Instance *instance) {
    uint32_t id = instance->header.shape;
    uint32_t dict_shape = shape_dict(vm, vm->shapes[id].type);
    if (dict_shape == SHAPE_NONE) return NULL;
    Value made = dict_new(vm);
    if (made == VALUE_ERROR) return NULL;
    Value names[SLOT_LIMIT];
    uint32_t count = 0;
    for (const Shape *shape = &vm->shapes[id]; shape->name != VALUE_UNSET;
         shape = &vm->shapes[shape->parent])
        names[count++] = shape->name;
    uint32_t first = vm->shapes[id].count - count;
    for (uint32_t i = 0; i < count; i++)
        if (!dict_set_str(vm, AS_DICT(made), names[count - 1 - i], read_slot(instance, first + i)))
            return NULL;
    for (uint32_t slot = first; slot < instance->header.state; slot++)
        instance->slots[slot] = VALUE_UNSET;
    instance->extra = made;
    instance->header.shape = dict_shape;
    gc_barrier(vm, instance);
    return AS_DICT(made);
}

uint32_t instance_attributes(GenVM *vm, Value object, Value *names, Value *values, Dict **dict) {
    const Instance *instance = AS(Instance, object);
    bool has_dict = in_dict_mode(vm, instance);
    *dict = has_dict ? AS_DICT(instance->extra) : NULL;
    if (has_dict) return 0;
    uint32_t count = 0, id = instance->header.shape;
    for (const Shape *shape = &vm->shapes[id]; shape->name != VALUE_UNSET;
         shape = &vm->shapes[shape->parent])
        count++;
    uint32_t last = vm->shapes[id].count, at = count;
    for (const Shape *shape = &vm->shapes[id]; at > 0; shape = &vm->shapes[shape->parent]) {
        names[--at] = shape->name;
        values[at] = read_slot(instance, --last);
    }
    return count;
}

bool instance_use_dict(GenVM *vm, Value object, Dict *dict) {
    Instance *instance = AS(Instance, object);
    uint32_t shape = shape_dict(vm, vm->shapes[instance->header.shape].type);
    if (shape == SHAPE_NONE) return false;
    instance->extra = object_value(dict);
    instance->header.shape = shape;
    gc_barrier(vm, instance);
    return true;
}

/* ---- where other kinds of objects keep their attributes ---- */

/* The word that holds a Dict or VALUE_UNSET; NULL where it is none of that form (or the object has
 * no attributes). */
static Value *attributes_word(GenVM *vm, Object *object) {
    switch (object->kind) {
    case TYPE_HOST: return &((HostObject *)object)->attributes;
    case TYPE_PROPERTY: return &((Property *)object)->attributes;
    case TYPE_NAMESPACE: return &((Namespace *)object)->attributes;
    case TYPE_CLASSMETHOD:
    case TYPE_STATICMETHOD: return &((Wrapping *)object)->attributes;
    case TYPE_TYPE:
    case TYPE_FUNCTION:
    case TYPE_MODULE:
    case TYPE_OBJECT: return NULL;
    case TYPE_GENERATOR:
        return object->flags & GENERATOR_ATTRIBUTES ? gc_extra_word(vm, object) : NULL;
    default:
        if (object->kind == KIND_EXCEPTION) return &((Exception *)object)->attributes;
        return gc_has_extra_word(object) ? gc_extra_word(vm, object) : NULL;
    }
}

/* The Dict of an object that is no plain instance: NULL when there is none (yet). */
static Dict *existing_dict(GenVM *vm, Object *object) {
    if (object->kind == TYPE_FUNCTION) return ((Function *)object)->dict;
    if (object->kind == TYPE_MODULE) return ((Module *)object)->dict;
    Value *word = attributes_word(vm, object);
    return word && *word != VALUE_UNSET ? AS_DICT(*word) : NULL;
}

static Dict *make_dict(GenVM *vm, Object *object) {
    Dict *dict = existing_dict(vm, object);
    if (dict) return dict;
    Type *type = vm->shapes[object->shape].type;
    uint32_t shape = shape_dict(vm, type);
    Value made = shape == SHAPE_NONE ? VALUE_ERROR : dict_new(vm);
    if (made == VALUE_ERROR) return NULL;
    Value *word = attributes_word(vm, object);
    if (object->kind == TYPE_FUNCTION)
        ((Function *)object)->dict = AS_DICT(made);
    else if (object->kind == TYPE_MODULE)
        ((Module *)object)->dict = AS_DICT(made);
    else if (word)
        *word = made;
    else
        return NULL;
    object->shape = shape;
    gc_barrier(vm, object);
    return AS_DICT(made);
}

Dict *instance_dict(GenVM *vm, Value v) {
    if (!is_object(v)) return NULL;
    Object *object = as_object(v);
    if (object->kind == TYPE_TYPE || !vm->shapes[object->shape].type->has_instance_dict)
        return NULL;
    if (object->kind != TYPE_OBJECT) return make_dict(vm, object);
    Instance *instance = (Instance *)object;
    return in_dict_mode(vm, instance) ? AS_DICT(instance->extra) : convert_to_dict(vm, instance);
}

bool instance_dict_replace(GenVM *vm, Value v, Dict *dict) {
    if (!instance_dict(vm, v)) return false;
    Object *object = as_object(v);
    Value *word = attributes_word(vm, object);
    if (object->kind == TYPE_OBJECT)
        ((Instance *)object)->extra = object_value(dict);
    else if (object->kind == TYPE_FUNCTION)
        ((Function *)object)->dict = dict;
    else if (word)
        *word = object_value(dict);
    gc_barrier(vm, object);
    return true;
}

bool instance_set_type(GenVM *vm, Value v, Type *type) {
    Object *object = as_object(v);
    gc_barrier(vm, object); /* an object keeps its class alive */
    if (object->kind == TYPE_TYPE) {
        object->shape = type->root_shape;
        vm->method_epoch++;
        return true;
    }
    if (type->has_instance_dict) {
        uint32_t shape = shape_dict(vm, type);
        if (shape == SHAPE_NONE || !instance_dict(vm, v)) return false;
        object->shape = shape;
        return true;
    }
    /* its slots may be fewer than new instances get */
    bool usual = vm->shapes[type->root_shape].inline_slots == object->state;
    uint32_t shape = usual ? type->root_shape : shape_new_root(vm, type, object->state);
    if (shape == SHAPE_NONE) return false;
    object->shape = shape;
    return true;
}

Value instance_get(GenVM *vm, Value v, Value name) {
    if (!is_object(v)) return VALUE_UNSET;
    Object *object = as_object(v);
    if (object->kind == TYPE_TYPE) return VALUE_UNSET;
    if (object->kind != TYPE_OBJECT) {
        Dict *dict = existing_dict(vm, object);
        return dict ? dict_get_str(vm, dict, name) : VALUE_UNSET;
    }
    Instance *instance = (Instance *)object;
    if (in_dict_mode(vm, instance)) return dict_get_str(vm, AS_DICT(instance->extra), name);
    uint32_t slot = shape_find(vm, instance->header.shape, name);
    return slot == SHAPE_NONE ? VALUE_UNSET : read_slot(instance, slot);
}

static bool set_in_dict(GenVM *vm, Dict *dict, Value name, Value value) {
    return dict && dict_set_str(vm, dict, name, value);
}

bool instance_set(GenVM *vm, Value v, Value name, Value value) {
    Object *object = as_object(v);
    if (object->kind != TYPE_OBJECT) return set_in_dict(vm, make_dict(vm, object), name, value);
    Instance *instance = (Instance *)object;
    if (in_dict_mode(vm, instance)) return set_in_dict(vm, AS_DICT(instance->extra), name, value);
    uint32_t slot = shape_find(vm, instance->header.shape, name);
    if (slot != SHAPE_NONE) return write_slot(vm, instance, slot, value);
    uint32_t grown = shape_add(vm, instance->header.shape, name);
    if (grown == SHAPE_NONE) return set_in_dict(vm, convert_to_dict(vm, instance), name, value);
    if (!write_slot(vm, instance, vm->shapes[grown].count - 1u, value)) return false;
    instance->header.shape = grown;
    return true;
}

Leaf instance_delete(GenVM *vm, Value v, Value name) {
    Object *object = as_object(v);
    if (object->kind != TYPE_OBJECT) {
        Dict *dict = existing_dict(vm, object);
        return dict && dict_delete_str(vm, dict, name) ? LEAF_TRUE : LEAF_FALSE;
    }
    Instance *instance = (Instance *)object;
    if (!in_dict_mode(vm, instance)) {
        const Shape *shape = &vm->shapes[instance->header.shape];
        if (shape->name == name) { /* the last one: a step back */
            write_slot(vm, instance, shape->count - 1u, VALUE_UNSET);
            instance->header.shape = vm->shapes[instance->header.shape].parent;
            return LEAF_TRUE;
        }
        if (shape_find(vm, instance->header.shape, name) == SHAPE_NONE) return LEAF_FALSE;
        if (!convert_to_dict(vm, instance)) return LEAF_ERROR;
    }
    return dict_delete_str(vm, AS_DICT(instance->extra), name) ? LEAF_TRUE : LEAF_FALSE;
}
