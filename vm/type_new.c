/* type_new.c - new classes: their layout, MRO, __slots__ and names.
 *
 *     layout    every class has one `base` that decides what its instances look like; the others
 * may only add methods. A class that adds to the layout (a builtin type, one with __slots__) is
 * "solid"; the solid bases of a new class must lie on one line of descent. slots     instances of
 * plain classes start with the members of __slots__, base's first, then their attributes. How many
 * inline slots those get is guessed from the names that the compiler saw assigned to self
 *               (__static_attributes__), and learned from instances (shape.c).
 *
 * What has to call script code around it (metaclasses, __prepare__, __set_name__,
 * __init_subclass__) is written in Gen in stdlib/prelude/classes.gen, which comes back here for the
 * type itself.
 */
#include "vm/frame.h"
#include "vm/type_private.h"

#include <stdlib.h>

enum { MEMBER_LIMIT = 200, GUESS_LIMIT = 40, COMPARED_A_STEP = 16 };

/* ---- bases and layout ---- */

Type *type_metatype(GenVM *vm, Type *winner, Tuple *bases) {
    for (uint64_t i = 0; i < bases->count; i++) {
        Type *meta = type_of(vm, bases->items[i]);
        if (type_is_subclass(winner, meta)) continue;
        if (!type_is_subclass(meta, winner)) {
            raise_type(vm, "metaclass conflict: the metaclass of a derived class must be a "
                           "(non-strict) subclass of the "
                           "metaclasses of all its bases");
            return NULL;
        }
        winner = meta;
    }
    return winner;
}

static bool adds_layout(const Type *type) {
    if (!type->base) return true;
    if (type->instance_kind == TYPE_HOST && type->def != type->base->def) return true;
    if (!type->is_builtin) return type->member_count != type->base->member_count;
    if (type->instance_kind == KIND_EXCEPTION && type->base->instance_kind == KIND_EXCEPTION)
        return exception_type_attributes(type->id) != NULL;
    return type->instance_kind != type->base->instance_kind ||
           type->def->size != type->base->def->size;
}

static Type *solid_base(Type *type) {
    while (!adds_layout(type))
        type = type->base;
    return type;
}

static Type *check_base(GenVM *vm, Value base) {
    if (!is_type(base)) {
        raise_type(vm, "bases must be types");
        return NULL;
    }
    Type *type = type_from(base);
    if (!(type->flags & TYPE_FINAL)) return type;
    raise_type(vm, "type '%N' is not an acceptable base type", type);
    return NULL;
}

/* The base that gives the layout; NULL with TypeError when two do. */
static Type *best_base(GenVM *vm, const Tuple *bases) {
    Type *best = NULL, *winner = NULL;
    for (uint64_t i = 0; i < bases->count; i++) {
        Type *base = check_base(vm, bases->items[i]);
        if (!base) return NULL;
        Type *candidate = solid_base(base);
        if (!winner || (candidate != winner && type_is_subclass(candidate, winner))) {
            winner = candidate;
            best = base;
        } else if (!type_is_subclass(winner, candidate)) {
            raise_type(vm, "multiple bases have instance lay-out conflict");
            return NULL;
        }
    }
    return best;
}

/* ---- C3 ---- */

typedef struct Sequence {
    const Value *items;
    uint64_t count, at;
} Sequence;

static Leaf in_a_tail(GenVM *vm, const Sequence *sequences, uint64_t count, Value candidate) {
    uint64_t compared = count;
    bool found = false;
    for (uint64_t i = 0; i < count && !found; i++) {
        compared += sequences[i].count - sequences[i].at;
        for (uint64_t j = sequences[i].at + 1; j < sequences[i].count && !found; j++)
            found = sequences[i].items[j] == candidate;
    }
    if (!native_work(vm, compared / COMPARED_A_STEP)) return LEAF_ERROR;
    return found ? LEAF_TRUE : LEAF_FALSE;
}

/* The first head that is in no tail; VALUE_UNSET: none (all are used up, or there is no consistent
 * order). */
static Value next_of_mro(GenVM *vm, Sequence *sequences, uint64_t count, bool *left) {
    *left = false;
    for (uint64_t i = 0; i < count; i++) {
        if (sequences[i].at == sequences[i].count) continue;
        *left = true;
        Value candidate = sequences[i].items[sequences[i].at];
        Leaf later = in_a_tail(vm, sequences, count, candidate);
        if (later == LEAF_ERROR) return VALUE_ERROR;
        if (later == LEAF_TRUE) continue;
        for (uint64_t j = 0; j < count; j++)
            if (sequences[j].at < sequences[j].count &&
                sequences[j].items[sequences[j].at] == candidate)
                sequences[j].at++;
        return candidate;
    }
    return VALUE_UNSET;
}

static Tuple *refuse_mro(GenVM *vm, const Sequence *sequences, uint64_t count) {
    StrBuilder text;
    builder_init(&text, vm);
    Value seen = list_new(vm, 0);
    for (uint64_t i = 0; i < count && seen != VALUE_ERROR; i++) {
        if (sequences[i].at == sequences[i].count) continue;
        Value head = sequences[i].items[sequences[i].at];
        bool known = false;
        for (uint64_t j = 0; j < AS_LIST(seen)->count; j++)
            known |= AS_LIST(seen)->items[j] == head;
        if (known) continue;
        if (!list_append(vm, seen, head)) seen = VALUE_ERROR;
        if (seen == VALUE_ERROR) break;
        builder_put_format(&text, "%s%S", AS_LIST(seen)->count > 1 ? ", " : "",
                           type_from(head)->name);
    }
    Value names = builder_finish(&text);
    if (seen != VALUE_ERROR && names != VALUE_ERROR)
        raise_type(vm, "Cannot create a consistent method resolution order (MRO) for bases %S",
                   names);
    return NULL;
}

static Tuple *merge_mro(GenVM *vm, Type *type, const Tuple *bases) {
    Value storage = bytes_new(vm, NULL, (bases->count + 1) * sizeof(Sequence));
    Value result = list_new(vm, 8);
    if (storage == VALUE_ERROR || result == VALUE_ERROR) return NULL;
    Sequence *sequences = (Sequence *)(void *)AS(Bytes, storage)->data;
    uint64_t count = 0;
    for (uint64_t i = 0; i < bases->count; i++) {
        const Tuple *mro = type_from(bases->items[i])->mro;
        sequences[count++] = (Sequence){mro->items, mro->count, 0};
    }
    sequences[count++] = (Sequence){bases->items, bases->count, 0};
    if (!list_append(vm, result, object_value(type))) return NULL;
    bool left;
    Value next;
    while ((next = next_of_mro(vm, sequences, count, &left)) != VALUE_UNSET)
        if (next == VALUE_ERROR || !list_append(vm, result, next)) return NULL;
    if (left) return refuse_mro(vm, sequences, count);
    Value tuple = list_to_tuple(vm, result);
    return tuple == VALUE_ERROR ? NULL : AS_TUPLE(tuple);
}

static Tuple *compute_mro(GenVM *vm, Type *type, const Tuple *bases) {
    if (bases->count == 1) return type_mro_behind(vm, type, type_from(bases->items[0])->mro);
    for (uint64_t i = 0; i < bases->count; i++) {
        if (!native_work(vm, bases->count / COMPARED_A_STEP)) return NULL;
        for (uint64_t j = i + 1; j < bases->count; j++)
            if (bases->items[i] == bases->items[j]) {
                raise_type(vm, "duplicate base class %S", type_from(bases->items[i])->name);
                return NULL;
            }
    }
    return merge_mro(vm, type, bases);
}

Tuple *type_compute_mro(GenVM *vm, Type *type) {
    return type->is_builtin ? type->mro : compute_mro(vm, type, type->bases);
}

/* ---- __slots__ ---- */

typedef struct SlotNames {
    Value names; /* list of the members to make */
    bool dict, weakref;
} SlotNames;

static Value mangle(GenVM *vm, Value class_name, Value name) {
    const Str *text = AS_STR(name), *owner = AS_STR(class_name);
    if (text->size < 3 || memcmp(text->data, "__", 2) != 0) return name;
    if (memcmp(text->data + text->size - 2, "__", 2) == 0) return name;
    uint32_t skip = 0;
    while (skip < owner->size && owner->data[skip] == '_')
        skip++;
    if (skip == owner->size) return name;
    StrBuilder mangled;
    builder_init(&mangled, vm);
    builder_put_byte(&mangled, '_');
    builder_put(&mangled, owner->data + skip, owner->size - skip);
    builder_put_str(&mangled, name);
    return builder_finish(&mangled);
}

static bool is_identifier(Value name) {
    const Str *text = AS_STR(name);
    if (text->size == 0 || (text->data[0] >= '0' && text->data[0] <= '9')) return false;
    for (uint32_t i = 0; i < text->size; i++) {
        unsigned char c = (unsigned char)text->data[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c >= 128;
        if (!word) return false;
    }
    return true;
}

static bool add_slot_name(GenVM *vm, Type *type, Value name, SlotNames *slots) {
    if (!value_is_str(name)) {
        raise_type(vm, "__slots__ items must be strings, not '%T'", name);
        return false;
    }
    if (!is_identifier(name)) {
        raise_type(vm, "__slots__ must be identifiers");
        return false;
    }
    if (str_is(name, "__dict__") || str_is(name, "__weakref__")) {
        bool is_dict = str_is(name, "__dict__");
        bool *flag = is_dict ? &slots->dict : &slots->weakref;
        if (*flag || (is_dict && type->base->has_instance_dict)) {
            raise_type(vm, "%s slot disallowed: we already got one",
                       is_dict ? "__dict__" : "__weakref__");
            return false;
        }
        return *flag = true;
    }
    name = mangle(vm, type->name, name);
    if (name == VALUE_ERROR || !intern_name(vm, &name)) return false;
    if (dict_get_str(vm, type->own.dict, name) != VALUE_UNSET && !str_is(name, "__qualname__") &&
        !str_is(name, "__classcell__")) {
        raise_value(vm, "%V in __slots__ conflicts with class variable", name);
        return false;
    }
    const List *names = AS_LIST(slots->names);
    if (!native_work(vm, names->count / COMPARED_A_STEP)) return false;
    for (uint64_t i = 0; i < names->count; i++)
        if (names->items[i] == name) return true;
    return list_append(vm, slots->names, name);
}

static bool collect_slots(GenVM *vm, Type *type, Value declared, SlotNames *slots) {
    slots->names = list_new(vm, 4);
    if (slots->names == VALUE_ERROR) return false;
    if (value_is_str(declared)) return add_slot_name(vm, type, declared, slots);
    Value iterator = leaf_iter(vm, declared);
    if (iterator == VALUE_TAIL) {
        native_drop_tail(vm);
        raise_type(vm, "__slots__ must be a builtin iterable");
    }
    if (iterator == VALUE_TAIL || iterator == VALUE_ERROR) return false;
    for (;;) {
        Value name = leaf_next(vm, iterator);
        if (name == VALUE_END) return true;
        if (name == VALUE_TAIL) {
            native_drop_tail(vm);
            raise_type(vm, "__slots__ must be a builtin iterable");
            return false;
        }
        if (name == VALUE_ERROR || !add_slot_name(vm, type, name, slots)) return false;
    }
}

/* By name: classes whose slots differ in their order alone have the same layout. */
static void sort_names(List *names) {
    for (uint64_t i = 1; i < names->count; i++) {
        Value name = names->items[i];
        uint64_t at = i;
        for (; at > 0 && str_order(name, names->items[at - 1]) < 0; at--)
            names->items[at] = names->items[at - 1];
        names->items[at] = name;
    }
}

static bool add_members(GenVM *vm, Type *type, const List *names) {
    bool plain = type->instance_kind == TYPE_OBJECT;
    if (type->base->member_count + names->count > MEMBER_LIMIT) {
        raise_type(vm, "__slots__ of more than %d names", MEMBER_LIMIT);
        return false;
    }
    for (uint64_t i = 0; i < names->count; i++) {
        Member *member = gc_new(vm, sizeof *member, TYPE_MEMBER);
        if (!member) return false;
        member->name = names->items[i];
        member->owner = type;
        member->slot = plain ? type->base->member_count + (uint32_t)i : MEMBER_IN_EXTRA;
        if (!dict_set_str(vm, type->own.dict, member->name, object_value(member))) return false;
    }
    type->member_count = (uint8_t)(type->base->member_count + names->count);
    return true;
}

static bool is_variable_sized(const Type *type) {
    return type->instance_kind == TYPE_INT || type->instance_kind == TYPE_TUPLE ||
           type->instance_kind == TYPE_BYTES || type->instance_kind == TYPE_TYPE;
}

Value instance_dict_get(GenVM *vm, Value self) {
    Dict *dict = instance_dict(vm, self);
    if (dict) return object_value(dict);
    return vm->exception != VALUE_UNSET ? VALUE_ERROR
                                        : raise_attribute(vm, self, name_value(vm, NAME___dict__));
}

bool instance_dict_set(GenVM *vm, Value self, Value value) {
    if (value == VALUE_UNSET) { /* deleted: an empty one takes its place */
        value = dict_new(vm);
        if (value == VALUE_ERROR) return false;
    }
    if (!is_kind(value, TYPE_DICT)) {
        raise_type(vm, "__dict__ must be set to a dictionary, not a '%T'", value);
        return false;
    }
    if (instance_dict_replace(vm, self, AS_DICT(value))) return true;
    if (vm->exception ==
        VALUE_UNSET) /* a class, of a metaclass with a base that has the attribute */
        raise_type(vm, "this __dict__ descriptor does not support '%T' objects", self);
    return false;
}

static Value weakref_get(GenVM *vm, Value self) {
    (void)vm, (void)self;
    return VALUE_NONE;
}

static const AttributeDef dict_attribute[] = {
    {"__dict__", instance_dict_get, instance_dict_set, "dictionary for instance variables"}, {0}};
static const AttributeDef weakref_attribute[] = {
    {"__weakref__", weakref_get, NULL, "list of weak references to the object"}, {0}};

static bool declare_slots(GenVM *vm, Type *type, bool any_base_has_dict) {
    SlotNames slots = {VALUE_UNSET, false, false};
    Value declared = dict_get_str(vm, type->own.dict, name_value(vm, NAME___slots__));
    if (declared == VALUE_UNSET && type->base->id == TYPE_COAT) {
        /* an iterator of the library, which would be one in C elsewhere */
    } else if (declared == VALUE_UNSET) {
        slots.dict = !any_base_has_dict;
        slots.weakref = !any_base_has_dict && type->base->id == TYPE_OBJECT;
    } else {
        if (!collect_slots(vm, type, declared, &slots)) return false;
        List *names = AS_LIST(slots.names);
        sort_names(names);
        if (names->count && is_variable_sized(type)) {
            raise_type(vm, "nonempty __slots__ not supported for subtype of '%N'", type->base);
            return false;
        }
        if (!add_members(vm, type, names)) return false;
    }
    type->has_dict = any_base_has_dict || slots.dict;
    type->has_instance_dict = type->has_dict;
    bool own_dict = dict_get_str(vm, type->own.dict, name_value(vm, NAME___dict__)) != VALUE_UNSET;
    if (slots.dict && !own_dict && type->instance_kind != TYPE_TYPE &&
        !type_add_attributes(vm, type, type->own.dict, dict_attribute))
        return false;
    return !slots.weakref || type_add_attributes(vm, type, type->own.dict, weakref_attribute);
}

/* ---- how many inline slots instances get at first ---- */

static uint32_t count_new_names(GenVM *vm, Type *type, Value *seen, uint32_t count) {
    Value attributes = type->own.dict ? dict_get_str(vm, type->own.dict,
                                                     name_value(vm, NAME___static_attributes__))
                                      : VALUE_UNSET;
    if (!is_kind(attributes, TYPE_TUPLE)) return count;
    const Tuple *names = AS_TUPLE(attributes);
    for (uint64_t i = 0; i < names->count && count < GUESS_LIMIT; i++) {
        uint32_t at = 0;
        while (at < count && seen[at] != names->items[i])
            at++;
        if (at == count) seen[count++] = names->items[i];
    }
    return count;
}

static uint8_t guess_inline_slots(GenVM *vm, const Type *type) {
    if (type->instance_kind != TYPE_OBJECT) return 0;
    Value seen[GUESS_LIMIT];
    uint32_t count = 0;
    for (uint64_t i = 0; type->has_dict && i < type->mro->count; i++)
        count = count_new_names(vm, type_from(type->mro->items[i]), seen, count);
    uint32_t slots = type->member_count + count;
    if (type->base->inline_slots > slots) slots = type->base->inline_slots;
    return (uint8_t)slots;
}

/* ---- the namespace ---- */

static bool wrap_function(GenVM *vm, Dict *dict, Special special, TypeId wrapping) {
    Value name = vm->special_names[special], function = dict_get_str(vm, dict, name);
    if (!is_kind(function, TYPE_FUNCTION)) return true;
    Wrapping *wrapped = gc_new(vm, sizeof *wrapped, wrapping);
    if (!wrapped) return false;
    wrapped->callable = function;
    wrapped->attributes = VALUE_UNSET;
    return dict_set_str(vm, dict, name, object_value(wrapped));
}

static Value take_key(GenVM *vm, Dict *dict, Name name) {
    Value v = dict_get_str(vm, dict, name_value(vm, name));
    if (v != VALUE_UNSET) dict_delete_str(vm, dict, name_value(vm, name));
    return v;
}

/* The name of the module that makes the class: that of the running function's globals. */
static Value running_module(GenVM *vm) {
    if (!vm->base) return VALUE_UNSET;
    const Function *function = frame_function(vm->base);
    return function->globals ? dict_get_str(vm, function->globals, name_value(vm, NAME___name__))
                             : VALUE_UNSET;
}

static bool set_default(GenVM *vm, Dict *dict, Value name, Value value) {
    return value == VALUE_UNSET || dict_get_str(vm, dict, name) != VALUE_UNSET ||
           dict_set_str(vm, dict, name, value);
}

static bool prepare_namespace(GenVM *vm, Type *type) {
    Dict *dict = type->own.dict;
    Value qualname = take_key(vm, dict, NAME___qualname__);
    if (qualname != VALUE_UNSET && !value_is_str(qualname)) {
        raise_type(vm, "type __qualname__ must be a str, not %T", qualname);
        return false;
    }
    type->qualname = qualname == VALUE_UNSET ? type->name : qualname;
    bool ok = set_default(vm, dict, name_value(vm, NAME___module__), running_module(vm)) &&
              set_default(vm, dict, name_value(vm, NAME___doc__), VALUE_NONE) &&
              wrap_function(vm, dict, SP_NEW, TYPE_STATICMETHOD) &&
              wrap_function(vm, dict, SP_INIT_SUBCLASS, TYPE_CLASSMETHOD) &&
              wrap_function(vm, dict, SP_CLASS_GETITEM, TYPE_CLASSMETHOD);
    if (ok && dict_get_str(vm, dict, vm->special_names[SP_EQ]) != VALUE_UNSET)
        ok = set_default(vm, dict, vm->special_names[SP_HASH], VALUE_NONE);
    return ok;
}

/* The cells that __class__ and super() of the methods, and annotation scopes, look into. */
static bool fill_cells(GenVM *vm, Type *type) {
    Value cell = take_key(vm, type->own.dict, NAME___classcell__);
    if (cell != VALUE_UNSET) {
        if (!is_kind(cell, TYPE_CELL)) {
            raise_type(vm, "__classcell__ must be a nonlocal cell, not <class '%T'>", cell);
            return false;
        }
        AS(Cell, cell)->value = object_value(type);
        gc_barrier(vm, as_object(cell));
    }
    cell = take_key(vm, type->own.dict, NAME___classdictcell__);
    if (is_kind(cell, TYPE_CELL)) {
        AS(Cell, cell)->value = object_value(type->own.dict);
        gc_barrier(vm, as_object(cell));
    }
    return true;
}

/* ---- making the type ---- */

bool type_add_subclass(GenVM *vm, Type *base, Type *type) {
    TypeState *state = type_state(vm, base);
    size_t size = state->subclass_count * sizeof type;
    if (!state->subclasses || state->subclasses->capacity < size + sizeof type) {
        Buffer *larger = gc_buffer_resize(vm, state->subclasses, size ? size * 2 : 4 * sizeof type);
        if (!larger) return false;
        state->subclasses = larger;
        gc_barrier(vm, base);
    }
    memcpy(state->subclasses->data + size, &type, sizeof type);
    state->subclass_count++;
    return true;
}

static Type *allocate_type(GenVM *vm, Type *metatype, Value name, Type *base, Tuple *bases) {
    Type *type = intern_name(vm, &name) ? gc_new(vm, sizeof *type, TYPE_TYPE) : NULL;
    if (!type) return NULL;
    type->header.shape = metatype->root_shape;
    type->name = type->qualname = name;
    type->base = base;
    type->bases = bases;
    type->def = base->def;
    type->own.constructor = VALUE_UNSET;
    type->instance_kind = base->instance_kind;
    type->member_count = base->member_count;
    type->own.dict_shape = SHAPE_NONE;
    type_inherit(type, NULL);
    type->flags &= ~(uint32_t)(TYPE_FINAL | TYPE_NO_NEW);
    return type->name == VALUE_ERROR ? NULL : type;
}

/* What a class gets from all its bases, not only from the one that gives the layout. */
static void inherit_from_bases(Type *type, bool *any_dict) {
    *any_dict = false;
    for (uint64_t i = 0; i < type->bases->count; i++) {
        const Type *base = type_from(type->bases->items[i]);
        *any_dict |= base->has_instance_dict;
    }
    /* Which of the patterns [..] and {..} its instances match: as those of the nearest base. */
    const uint32_t patterns = TYPE_SEQUENCE | TYPE_MAPPING;
    type->flags &= ~patterns;
    for (uint64_t i = 1; i < type->mro->count && !(type->flags & patterns); i++)
        type->flags |= type_from(type->mro->items[i])->flags & patterns;
}

static bool complete_type(GenVM *vm, Type *type) {
    bool any_dict;
    type->mro = compute_mro(vm, type, type->bases);
    if (!type->mro) return false;
    inherit_from_bases(type, &any_dict);
    if (!declare_slots(vm, type, any_dict) || !prepare_namespace(vm, type) || !fill_cells(vm, type))
        return false;
    type->inline_slots = guess_inline_slots(vm, type);
    type->root_shape = shape_new_root(vm, type, type->inline_slots);
    if (type->root_shape == SHAPE_NONE || !type_build_specials(vm, type)) return false;
    for (uint64_t i = 0; i < type->bases->count; i++)
        if (!type_add_subclass(vm, type_from(type->bases->items[i]), type)) return false;
    return true;
}

Type *type_new(GenVM *vm, Type *metatype, Value name, Tuple *bases, Dict *namespace_dict) {
    if (bases->count == 0) {
        Value object = tuple_pack(vm, 1, object_value(vm->types[TYPE_OBJECT]));
        if (object == VALUE_ERROR) return NULL;
        bases = AS_TUPLE(object);
    }
    Type *base = best_base(vm, bases);
    Value dict = base ? dict_copy(vm, namespace_dict) : VALUE_ERROR;
    if (dict == VALUE_ERROR) return NULL;
    Type *type = allocate_type(vm, metatype, name, base, bases);
    if (!type) return NULL;
    type->own.dict = AS_DICT(dict);
    return complete_type(vm, type) ? type : NULL;
}

/* ---- a class that was saved ---- */

Type *type_restore(GenVM *vm, Type *metatype, Value name, Tuple *bases, const TypeSaved *saved) {
    Type *base = best_base(vm, bases);
    Value dict =
        base && type_metatype(vm, metatype, bases) == metatype ? dict_new(vm) : VALUE_ERROR;
    if (dict == VALUE_ERROR) return NULL;
    Type *type = allocate_type(vm, metatype, name, base, bases);
    if (!type) return NULL;
    type->own.dict = AS_DICT(dict);
    type_clear_specials(type);
    type->mro = compute_mro(vm, type, bases);
    if (!type->mro) return NULL;
    bool any_dict;
    inherit_from_bases(type, &any_dict);
    uint32_t members = base->member_count + saved->members;
    if (saved->members > MEMBER_LIMIT || members > MEMBER_LIMIT ||
        (saved->members && is_variable_sized(type))) {
        raise_value(vm, "not a valid image: class %S has too many slots", name);
        return NULL;
    }
    type->member_count = (uint8_t)members;
    type->has_dict = type->has_instance_dict = any_dict || saved->has_dict;
    type->flags |= saved->flags & (TYPE_SEQUENCE | TYPE_MAPPING);
    type->is_abstract = saved->is_abstract;
    if (type->instance_kind == TYPE_OBJECT) {
        uint32_t slots = saved->inline_slots > MEMBER_LIMIT ? MEMBER_LIMIT : saved->inline_slots;
        if (slots < members) slots = members;
        type->inline_slots = (uint8_t)(slots < base->inline_slots ? base->inline_slots : slots);
    }
    type->root_shape = shape_new_root(vm, type, type->inline_slots);
    return type->root_shape == SHAPE_NONE ? NULL : type;
}

bool type_restore_attribute(GenVM *vm, Type *type, Dict *dict, Value name) {
    if (str_is(name, "__dict__")) return type_add_attributes(vm, type, dict, dict_attribute);
    if (str_is(name, "__weakref__")) return type_add_attributes(vm, type, dict, weakref_attribute);
    raise_value(vm, "not a valid image: class %S lacks %S", type->name, name);
    return false;
}

bool type_restored(GenVM *vm, Type *type) {
    return type_build_specials(vm, type);
}

bool type_restore_place(GenVM *vm, Type *type) {
    for (uint64_t i = 0; i < type->bases->count; i++)
        if (!type_add_subclass(vm, type_from(type->bases->items[i]), type)) return false;
    return true;
}

/* ---- what follows: __set_name__ and __init_subclass__ ---- */

/* Names properties (which needs no call) and lists the (name, value) whose __set_name__ must be
 * called: a list, or VALUE_UNSET when there are none. */
static Value values_to_name(GenVM *vm, Type *type) {
    Value list = VALUE_UNSET, name, value;
    uint32_t position = 0;
    while (dict_next(type->own.dict, &position, &name, &value)) {
        if (!is_object(value)) continue;
        uint8_t kind = as_object(value)->kind;
        if (kind == TYPE_FUNCTION || kind == TYPE_STR || kind == TYPE_NATIVE) continue;
        Type *of = type_of(vm, value);
        if (kind == TYPE_PROPERTY && AS(Property, value)->name == VALUE_UNSET) {
            AS(Property, value)->name = name;
            gc_barrier(vm, as_object(value));
        }
        bool named = of->is_builtin
                         ? kind == TYPE_HOST &&
                               type_lookup(vm, of, vm->special_names[SP_SET_NAME]) != VALUE_UNSET
                         : of->special[SP_SET_NAME] != VALUE_UNSET;
        if (!named) continue;
        if (list == VALUE_UNSET) list = list_new(vm, 4);
        Value pair = list == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 2, name, value);
        if (pair == VALUE_ERROR || !list_append(vm, list, pair)) return VALUE_ERROR;
    }
    return list;
}

static bool inherits_init_subclass(GenVM *vm, Type *type) {
    Value raw = super_lookup(vm, type, object_value(type), vm->special_names[SP_INIT_SUBCLASS]);
    return raw != VALUE_UNSET && !is_kind(raw, TYPE_NATIVE_METHOD);
}

/* Does the metaclass order the bases by a mro() of its own? */
static bool has_own_mro(GenVM *vm, Type *type) {
    Type *metatype = type_of(vm, object_value(type));
    if (likely(metatype->is_builtin)) return false;
    Value raw = type_lookup(vm, metatype, name_value(vm, NAME_mro));
    return raw != VALUE_UNSET && !is_kind(raw, TYPE_NATIVE_METHOD);
}

Value type_has_own_mro(GenVM *vm, Value *args) {
    return bool_value(has_own_mro(vm, type_from(args[0])));
}

/* set_mro(cls, mro): what a mro() of a metaclass gave */
Value type_set_mro(GenVM *vm, Value *args) {
    Type *type = type_from(args[0]);
    const Tuple *mro = AS_TUPLE(args[1]);
    if (type->is_builtin) return raise_type(vm, "the mro of '%N' cannot be set", type);
    for (uint64_t i = 0; i < mro->count; i++) {
        if (!is_type(mro->items[i]))
            return raise_type(vm, "mro() returned a non-class ('%T')", mro->items[i]);
        Type *base = type_from(mro->items[i]);
        if (!type_is_subclass(solid_base(type), solid_base(base)))
            return raise_type(vm, "mro() returned base with unsuitable layout ('%N')", base);
    }
    type->mro = AS_TUPLE(args[1]);
    gc_barrier(vm, type);
    if (!type_build_specials(vm, type)) return VALUE_ERROR;
    vm->method_epoch++;
    return VALUE_NONE;
}

/* Has the namespace a key that no attribute can have? */
static bool has_odd_key(Dict *dict) {
    uint32_t position = 0;
    Value name, value;
    while (dict_next(dict, &position, &name, &value))
        if (!value_is_str(name)) return true;
    return false;
}

static Value finish_class(GenVM *vm, Type *type, Value kwargs) {
    Value to_name = values_to_name(vm, type);
    if (to_name == VALUE_ERROR) return VALUE_ERROR;
    bool has_keywords = kwargs != VALUE_UNSET && AS_DICT(kwargs)->count > 0;
    bool is_odd = has_odd_key(type->own.dict);
    if (to_name == VALUE_UNSET && !has_keywords && !is_odd && !inherits_init_subclass(vm, type) &&
        !has_own_mro(vm, type))
        return object_value(type);
    return native_twin(vm, is_odd ? TWIN_FINISH_ODD_CLASS : TWIN_FINISH_CLASS, 3,
                       object_value(type), to_name == VALUE_UNSET ? vm->empty_tuple : to_name,
                       kwargs == VALUE_UNSET ? VALUE_NONE : kwargs);
}

static Value delegate_to_metatype(GenVM *vm, Type *winner, const Value *given, Value kwargs) {
    Value maker = attribute_get(vm, object_value(winner), vm->special_names[SP_NEW]);
    if (maker == VALUE_ERROR || maker == VALUE_TAIL) return maker;
    Value tuple = tuple_pack(vm, 4, object_value(winner), given[0], given[1], given[2]);
    return tuple == VALUE_ERROR ? VALUE_ERROR : native_call_spread(vm, maker, tuple, kwargs);
}

/* type.__new__(metatype, name, bases, dict, **kwargs) */
static Value construct_class(GenVM *vm, Type *metatype, const Value *given, Value kwargs) {
    if (!value_is_str(given[0]))
        return raise_type(vm, "type.__new__() argument 1 must be str, not %T", given[0]);
    if (memchr(AS_STR(given[0])->data, 0, AS_STR(given[0])->size))
        return raise_value(vm, "type name must not contain null characters");
    if (!is_kind(given[1], TYPE_TUPLE))
        return raise_type(vm, "type.__new__() argument 2 must be tuple, not %T", given[1]);
    if (!is_kind(given[2], TYPE_DICT))
        return raise_type(vm, "type.__new__() argument 3 must be dict, not %T", given[2]);
    Tuple *bases = AS_TUPLE(given[1]);
    for (uint64_t i = 0; i < bases->count; i++)
        if (!check_base(vm, bases->items[i])) return VALUE_ERROR;
    Type *winner = type_metatype(vm, metatype, bases);
    if (!winner) return VALUE_ERROR;
    if (winner != metatype && winner->special[SP_NEW] != VALUE_UNSET)
        return delegate_to_metatype(vm, winner, given, kwargs);
    Type *type = type_new(vm, winner, given[0], bases, AS_DICT(given[2]));
    return type ? finish_class(vm, type, kwargs) : VALUE_ERROR;
}

/* type(object) and type(name, bases, dict, **kwargs) */
Value type_construct(GenVM *vm, Value *args) {
    if (!is_type(args[0]) || !type_is_subclass(type_from(args[0]), vm->types[TYPE_TYPE]))
        return raise_type(vm, "type.__new__(X): X is not a type object (%T)", args[0]);
    Type *metatype = type_from(args[0]);
    const Tuple *given = AS_TUPLE(args[1]);
    if (given->count == 3) return construct_class(vm, metatype, given->items, args[2]);
    if (metatype->id != TYPE_TYPE)
        return raise_type(vm, "type.__new__() takes exactly 3 arguments (%d given)",
                          (int)given->count);
    if (given->count != 1 || args[2] != VALUE_UNSET)
        return raise_type(vm, "type() takes 1 or 3 arguments");
    return object_value(type_of(vm, given->items[0]));
}

/* The plain end of a class statement, for the prelude: name, bases (types with metaclass type),
 * namespace. */
Value type_new_plain(GenVM *vm, Value *args) {
    Type *type = type_new(vm, vm->types[TYPE_TYPE], args[0], AS_TUPLE(args[1]), AS_DICT(args[2]));
    return type ? finish_class(vm, type, VALUE_UNSET) : VALUE_ERROR;
}

/* __build_class__(func, name, /, *bases, **kwds) */
Value type_build_class(GenVM *vm, Value *args) {
    const Tuple *bases = AS_TUPLE(args[2]);
    if (!is_kind(args[0], TYPE_FUNCTION))
        return raise_type(vm, "__build_class__: func must be a function");
    if (!value_is_str(args[1])) return raise_type(vm, "__build_class__: name is not a string");
    bool plain = args[3] == VALUE_UNSET;
    for (uint64_t i = 0; plain && i < bases->count; i++)
        plain = is_type(bases->items[i]) && as_object(bases->items[i])->shape == TYPE_TYPE;
    if (plain) return native_twin(vm, TWIN_BUILD_PLAIN_CLASS, 3, args[0], args[1], args[2]);
    Value keywords = args[3] == VALUE_UNSET ? dict_new(vm) : args[3];
    if (keywords == VALUE_ERROR) return VALUE_ERROR;
    return native_twin(vm, TWIN_BUILD_CLASS, 4, args[0], args[1], args[2], keywords);
}

const NativeDef class_build_def = {"__build_class__(func, name, /, *bases, **kwds)",
                                   type_build_class,
                                   "Internal helper function used by the class statement."};

/* ---- assignment to __bases__ ---- */

/* What a type had before, for when one of its subclasses cannot follow. */
typedef struct Inherited {
    Tuple *mro;
    Value *special;
    Buffer *special_storage;
} Inherited;

static bool rebuild_one(GenVM *vm, Type *type, Inherited *before) {
    *before = (Inherited){type->mro, type->special, type->special_storage};
    Tuple *mro = compute_mro(vm, type, type->bases);
    if (!mro) return false;
    type->mro = mro;
    gc_barrier(vm, type);
    return type_build_specials(vm, type);
}

static void restore(GenVM *vm, Type *type, const Inherited *before) {
    type->mro = before->mro;
    type->special = before->special;
    type->special_storage = before->special_storage;
    type_note_construct(type);
    gc_barrier(vm, type);
}

/* A class is behind its bases: its MRO is longer than theirs. */
static int by_mro_length(const void *a, const void *b) {
    uint64_t first = type_from(*(const Value *)a)->mro->count;
    uint64_t second = type_from(*(const Value *)b)->mro->count;
    return (first > second) - (first < second);
}

/* MROs and special methods of a type and its subclasses, after its bases changed. False: all are as
 * they were. */
static bool rebuild(GenVM *vm, Type *type) {
    Value list = type_descendants(vm, type);
    if (list == VALUE_ERROR) return false;
    Value *all = AS_LIST(list)->items;
    uint64_t count = AS_LIST(list)->count, done = 0;
    Value storage = bytes_new(vm, NULL, count * sizeof(Inherited));
    if (storage == VALUE_ERROR) return false;
    Inherited *before = (Inherited *)(void *)AS(Bytes, storage)->data;
    qsort(all, count, sizeof *all, by_mro_length);
    while (done < count && rebuild_one(vm, type_from(all[done]), &before[done]))
        done++;
    if (done == count) return true;
    for (uint64_t i = 0; i <= done; i++)
        restore(vm, type_from(all[i]), &before[i]);
    return false;
}

static void drop_subclass(GenVM *vm, const Type *base, const Type *type) {
    TypeState *state = type_state(vm, base);
    for (uint32_t i = 0; i < state->subclass_count; i++) {
        if (type_subclass(state, i) != type) continue;
        uint8_t *place = state->subclasses->data + i * sizeof type;
        memmove(place, place + sizeof type, (--state->subclass_count - i) * sizeof type);
        return;
    }
}

bool type_set_bases(GenVM *vm, Type *type, Value bases) {
    if (!is_kind(bases, TYPE_TUPLE) || AS_TUPLE(bases)->count == 0) {
        if (is_kind(bases, TYPE_TUPLE))
            raise_type(vm, "can only assign non-empty tuple to %S.__bases__, not ()", type->name);
        else
            raise_type(vm, "can only assign tuple to %S.__bases__, not %T", type->name, bases);
        return false;
    }
    Type *base = best_base(vm, AS_TUPLE(bases));
    if (!base) return false;
    for (uint64_t i = 0; i < AS_TUPLE(bases)->count; i++)
        if (type_is_subclass(type_from(AS_TUPLE(bases)->items[i]), type)) {
            raise_type(vm, "a __bases__ item causes an inheritance cycle");
            return false;
        }
    if (solid_base(base) != solid_base(type->base)) {
        raise_type(vm, "__bases__ assignment: '%N' object layout differs from '%N'", base,
                   type->base);
        return false;
    }
    Tuple *before = type->bases;
    Type *base_before = type->base;
    type->bases = AS_TUPLE(bases);
    type->base = base;
    if (!rebuild(vm, type)) {
        type->bases = before;
        type->base = base_before;
        return false;
    }
    for (uint64_t i = 0; i < before->count; i++)
        drop_subclass(vm, type_from(before->items[i]), type);
    for (uint64_t i = 0; i < type->bases->count; i++)
        if (!type_add_subclass(vm, type_from(type->bases->items[i]), type)) return false;
    vm->method_epoch++;
    return true;
}
