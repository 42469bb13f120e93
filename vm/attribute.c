/* attribute.c - `object.name`: reading, assigning, deleting, and what an inline cache may remember
 * about it.
 *
 * The order of a lookup is Python's: a data descriptor of the class, the object's own attributes,
 * anything else of the class, then __getattr__. Types whose objects look elsewhere (classes,
 * modules, super, bound methods) replace the middle part through their getattr slot. Nothing here
 * runs script code: properties, descriptors written in Gen and __getattr__ become calls that the
 * caller is asked to make (VALUE_TAIL). Where an AttributeError of such a call has to lead on to
 * __getattr__, the call goes through a twin that catches it.
 */
#include "vm/type_private.h"

enum { VALUE_BUMP_LIMIT = 8 }; /* see AttributeLookup in type.h */

/* ---- descriptors ---- */

static Value *member_place(GenVM *vm, const Member *member, Value instance) {
    (void)vm;
    return member->slot == MEMBER_IN_EXTRA ? NULL : &AS(Instance, instance)->slots[member->slot];
}

static bool check_descriptor_owner(GenVM *vm, Value name, Type *owner, Value instance) {
    if (type_is_subclass(type_of(vm, instance), owner)) return true;
    raise_type(vm, "descriptor '%S' for '%N' objects doesn't apply to a '%T' object", name, owner,
               instance);
    return false;
}

Value member_get(GenVM *vm, const Member *member, Value instance) {
    if (!check_descriptor_owner(vm, member->name, member->owner, instance)) return VALUE_ERROR;
    const Value *place = member_place(vm, member, instance);
    Value v = place ? *place : instance_get(vm, instance, member->name);
    return v == VALUE_UNSET ? raise_attribute(vm, instance, member->name) : v;
}

Value member_set(GenVM *vm, const Member *member, Value instance, Value value) {
    if (!check_descriptor_owner(vm, member->name, member->owner, instance)) return VALUE_ERROR;
    Value *place = member_place(vm, member, instance);
    if (!place && value == VALUE_UNSET) {
        if (instance_delete(vm, instance, member->name) == LEAF_TRUE) return VALUE_NONE;
        return raise_error(vm, EXC_ATTRIBUTE_ERROR, "%S", member->name);
    }
    if (!place) return instance_set(vm, instance, member->name, value) ? VALUE_NONE : VALUE_ERROR;
    if (value == VALUE_UNSET && *place == VALUE_UNSET)
        return raise_error(vm, EXC_ATTRIBUTE_ERROR, "%S", member->name);
    *place = value;
    gc_barrier(vm, as_object(instance));
    return VALUE_NONE;
}

Value getset_get(GenVM *vm, const GetSet *getset, Value instance) {
    if (!check_descriptor_owner(vm, getset->name, getset->owner, instance)) return VALUE_ERROR;
    return getset->def->get(vm, instance);
}

Value getset_set(GenVM *vm, const GetSet *getset, Value instance, Value value) {
    if (!check_descriptor_owner(vm, getset->name, getset->owner, instance)) return VALUE_ERROR;
    if (!getset->def->set)
        return raise_error(vm, EXC_ATTRIBUTE_ERROR,
                           "attribute '%S' of '%N' objects is not writable", getset->name,
                           getset->owner);
    return getset->def->set(vm, instance, value) ? VALUE_NONE : VALUE_ERROR;
}

/* A property of a class that stands for one written in C is an attribute there. */
static Value attribute_failure(GenVM *vm, Value name, Value instance) {
    Type *owner = type_of(vm, instance);
    const Tuple *mro = owner->mro;
    for (uint64_t i = 0; i < mro->count && !owner->like_native; i++)
        owner = type_from(mro->items[i]);
    return raise_error(vm, EXC_ATTRIBUTE_ERROR, "attribute '%S' of '%N' objects is not writable",
                       name, owner);
}

static Value property_failure(GenVM *vm, const Property *property, Value instance,
                              const char *what) {
    Value name = property->name;
    if (property->header.flags & LIKE_NATIVE && name != VALUE_UNSET)
        return attribute_failure(vm, name, instance);
    if (name == VALUE_UNSET && is_kind(property->fget, TYPE_FUNCTION))
        name = AS(Function, property->fget)->name;
    Value qualname = type_of(vm, instance)->qualname;
    if (name == VALUE_UNSET)
        return raise_error(vm, EXC_ATTRIBUTE_ERROR, "property of '%S' object has no %s", qualname,
                           what);
    return raise_error(vm, EXC_ATTRIBUTE_ERROR, "property %V of '%S' object has no %s", name,
                       qualname, what);
}

Value property_get(GenVM *vm, const Property *property, Value instance) {
    if (property->fget == VALUE_NONE) return property_failure(vm, property, instance, "getter");
    return native_call(vm, property->fget, 1, instance);
}

Value property_set(GenVM *vm, const Property *property, Value instance, Value value) {
    if (value == VALUE_UNSET) {
        if (property->fdel == VALUE_NONE)
            return property_failure(vm, property, instance, "deleter");
        return native_call(vm, property->fdel, 1, instance);
    }
    if (property->fset == VALUE_NONE) return property_failure(vm, property, instance, "setter");
    return native_call(vm, property->fset, 2, instance, value);
}

/* A native method bound to its receiver: a builtin_function_or_method. */
static Value bind_native(GenVM *vm, NativeFunction *method, Value self) {
    if (!native_signature(vm, method)) return VALUE_ERROR; /* once, not for each bound one */
    NativeFunction *bound = gc_new(vm, sizeof *bound, TYPE_NATIVE);
    if (!bound) return VALUE_ERROR;
    Object header = bound->header;
    *bound = *method;
    bound->header.shape = method->header.flags & NATIVE_WRAPPER ? TYPE_NATIVE_BOUND : header.shape;
    bound->header.kind = header.kind;
    bound->header.gc = header.gc;
    bound->header.state = FUNCTION_COMPLEX; /* its first argument is not among those given */
    bound->self = self;
    bound->fast = NULL;
    return object_value(bound);
}

/* Does it take the instance as its first argument? */
static bool is_own_method(Value raw) {
    if (is_kind(raw, TYPE_FUNCTION)) return !(as_object(raw)->flags & NEVER_METHOD);
    return is_kind(raw, TYPE_NATIVE_METHOD) && !(as_object(raw)->flags & NATIVE_CLASSMETHOD);
}

static Value bind_by_type(GenVM *vm, Value raw, Value instance, Type *type) {
    if (!is_object(raw)) return raw;
    const Type *descriptor = type_of(vm, raw);
    Value get = descriptor->special[SP_GET];
    if (get != VALUE_UNSET && get != VALUE_NONE)
        return special_call(vm, get, raw, 2, instance == VALUE_UNSET ? VALUE_NONE : instance,
                            object_value(type));
    if (descriptor->slots.descr_get)
        return descriptor->slots.descr_get(vm, raw, instance, object_value(type));
    return raw;
}

Value attribute_bind(GenVM *vm, Value raw, Value instance, Type *type) {
    if (!is_object(raw)) return raw;
    bool of_class = instance == VALUE_UNSET;
    switch (as_object(raw)->kind) {
    case TYPE_FUNCTION:
        return of_class || !is_own_method(raw) ? raw : method_new(vm, raw, instance);
    case TYPE_NATIVE_METHOD:
        if (AS(NativeFunction, raw)->header.flags & NATIVE_CLASSMETHOD)
            return bind_native(vm, AS(NativeFunction, raw), object_value(type));
        return of_class ? raw : bind_native(vm, AS(NativeFunction, raw), instance);
    case TYPE_NATIVE: return raw;
    case TYPE_PROPERTY:
        if (type_of(vm, raw)->special[SP_GET] != VALUE_UNSET) break;
        return of_class ? raw : property_get(vm, AS(Property, raw), instance);
    case TYPE_CLASSMETHOD: return method_new(vm, AS(Wrapping, raw)->callable, object_value(type));
    case TYPE_STATICMETHOD: return AS(Wrapping, raw)->callable;
    case TYPE_MEMBER: return of_class ? raw : member_get(vm, AS(Member, raw), instance);
    case TYPE_GETSET: return of_class ? raw : getset_get(vm, AS(GetSet, raw), instance);
    default: break;
    }
    return bind_by_type(vm, raw, instance, type);
}

bool value_is_data_descriptor(GenVM *vm, Value v) {
    if (!is_object(v)) return false;
    switch (as_object(v)->kind) {
    case TYPE_PROPERTY:
    case TYPE_MEMBER:
    case TYPE_GETSET: return true;
    case TYPE_FUNCTION:
    case TYPE_NATIVE_METHOD:
    case TYPE_NATIVE: return false;
    default: break;
    }
    const Type *type = type_of(vm, v);
    return type->special[SP_SET] != VALUE_UNSET || type->special[SP_DELETE] != VALUE_UNSET ||
           type->slots.descr_set;
}

static Value descriptor_set(GenVM *vm, Value raw, Value instance, Value value) {
    const Type *type = type_of(vm, raw);
    Special special = value == VALUE_UNSET ? SP_DELETE : SP_SET;
    Value method = type->special[special];
    if (method != VALUE_UNSET)
        return value == VALUE_UNSET ? special_call(vm, method, raw, 1, instance)
                                    : special_call(vm, method, raw, 2, instance, value);
    switch (as_object(raw)->kind) {
    case TYPE_PROPERTY: return property_set(vm, AS(Property, raw), instance, value);
    case TYPE_MEMBER: return member_set(vm, AS(Member, raw), instance, value);
    case TYPE_GETSET: return getset_set(vm, AS(GetSet, raw), instance, value);
    default: break;
    }
    if (type->slots.descr_set) return type->slots.descr_set(vm, raw, instance, value);
    return raise_error(vm, EXC_ATTRIBUTE_ERROR, "%S", vm->special_names[special]);
}

/* ---- calling special methods ---- */

Value special_call(GenVM *vm, Value raw, Value self, int count, ...) {
    Value args[8] = {self};
    va_list list;
    va_start(list, count);
    for (int i = 1; i <= count; i++)
        args[i] = va_arg(list, Value);
    va_end(list);
    if (is_kind(raw, TYPE_FUNCTION) ||
        (is_kind(raw, TYPE_NATIVE_METHOD) && !(as_object(raw)->flags & NATIVE_CLASSMETHOD)))
        return native_call_array(vm, raw, (uint32_t)count + 1, args);
    Type *type = type_of(vm, self);
    Value bound = attribute_bind(vm, raw, self, type);
    if (bound == VALUE_ERROR) return VALUE_ERROR;
    if (bound != VALUE_TAIL) return native_call_array(vm, bound, (uint32_t)count, args + 1);
    native_drop_tail(vm); /* a descriptor written in Gen: bind it and call the result there */
    Value rest = tuple_from_array(vm, args + 1, (uint64_t)count);
    if (rest == VALUE_ERROR) return VALUE_ERROR;
    return native_twin(vm, TWIN_BIND_AND_CALL, 4, raw, self, object_value(type), rest);
}

/* ---- reading ---- */

/* Does reading go through it before the object's own attributes: it can be assigned to and read
 * from. */
static bool reads_first(GenVM *vm, Value raw) {
    if (!value_is_data_descriptor(vm, raw)) return false;
    const Type *type = type_of(vm, raw);
    return type->special[SP_GET] != VALUE_UNSET || type->slots.descr_get;
}

/* The generic lookup. VALUE_UNSET: absent, no exception. */
static Value get_generic(GenVM *vm, Value object, Type *type, Value name) {
    Value raw = type_lookup(vm, type, name);
    if (raw != VALUE_UNSET && reads_first(vm, raw)) return attribute_bind(vm, raw, object, type);
    if (type->has_instance_dict) {
        Value own = instance_get(vm, object, name);
        if (own != VALUE_UNSET) return own;
    }
    return raw == VALUE_UNSET ? VALUE_UNSET : attribute_bind(vm, raw, object, type);
}

Value object_getattr(GenVM *vm, Value object, Value name) {
    if (!intern_name(vm, &name)) return VALUE_ERROR;
    Value v = get_generic(vm, object, type_of(vm, object), name);
    return v == VALUE_UNSET ? raise_attribute(vm, object, name) : v;
}

/* An attribute of a class: the metaclass's data descriptors, the class's own MRO, the rest of the
 * metaclass. */
static Value get_of_class(GenVM *vm, Type *self, Value name) {
    Type *meta = type_of(vm, object_value(self));
    Value from_meta = type_lookup(vm, meta, name);
    if (from_meta != VALUE_UNSET && reads_first(vm, from_meta))
        return attribute_bind(vm, from_meta, object_value(self), meta);
    Value raw = type_lookup(vm, self, name);
    if (raw != VALUE_UNSET) return attribute_bind(vm, raw, VALUE_UNSET, self);
    return from_meta == VALUE_UNSET ? VALUE_UNSET
                                    : attribute_bind(vm, from_meta, object_value(self), meta);
}

Value type_getattr(GenVM *vm, Value self, Value name) {
    if (!intern_name(vm, &name)) return VALUE_ERROR;
    Value v = get_of_class(vm, type_from(self), name);
    return v == VALUE_UNSET ? raise_attribute(vm, self, name) : v;
}

static Value get_of_module(GenVM *vm, Value self, Value name) {
    Value v = get_generic(vm, self, type_of(vm, self), name);
    if (v != VALUE_UNSET) return v;
    Dict *dict = AS(Module, self)->dict;
    Value hook = dict ? dict_get_str(vm, dict, vm->special_names[SP_GETATTR]) : VALUE_UNSET;
    return hook == VALUE_UNSET ? VALUE_UNSET : native_call(vm, hook, 1, name);
}

Value module_getattr(GenVM *vm, Value self, Value name) {
    if (!intern_name(vm, &name)) return VALUE_ERROR;
    Value v = get_of_module(vm, self, name);
    return v == VALUE_UNSET ? raise_attribute(vm, self, name) : v;
}

/* Everything but __getattribute__ and __getattr__; VALUE_UNSET: absent, no exception. */
static Value get_or_unset(GenVM *vm, Value object, Type *type, Value name) {
    if (!type->slots.getattr) return get_generic(vm, object, type, name);
    if (type->slots.getattr == type_getattr) return get_of_class(vm, type_from(object), name);
    if (type->slots.getattr == module_getattr) return get_of_module(vm, object, name);
    return type->slots.getattr(vm, object, name);
}

/* The call in vm->tail, but an AttributeError that it raises leads to __getattr__. */
static Value tail_or_hook(GenVM *vm, Value object, Value name, Value hook) {
    TailCall *tail = &vm->tail;
    Value callable = tail->callable, kwargs = tail->spread_kwargs;
    Value args = tail->spread_args == VALUE_UNSET ? tuple_from_array(vm, tail->args, tail->count)
                                                  : tail->spread_args;
    if (args == VALUE_ERROR) return VALUE_ERROR;
    native_drop_tail(vm);
    return native_twin(vm, TWIN_CALL_OR_GETATTR, 6, callable, args,
                       kwargs == VALUE_UNSET ? VALUE_NONE : kwargs, hook, object, name);
}

static COLD Value get_with_hooks(GenVM *vm, Value object, Type *type, Value name) {
    Value getattribute = type->special[SP_GETATTRIBUTE], hook = type->special[SP_GETATTR];
    Value v = getattribute != VALUE_UNSET ? special_call(vm, getattribute, object, 1, name)
                                          : get_or_unset(vm, object, type, name);
    if (hook == VALUE_UNSET || hook == VALUE_NONE)
        return v == VALUE_UNSET ? raise_attribute(vm, object, name) : v;
    if (v == VALUE_TAIL && !vm->tail.then) return tail_or_hook(vm, object, name, hook);
    if (v == VALUE_ERROR && error_matches(vm, EXC_ATTRIBUTE_ERROR)) {
        error_clear(vm);
        v = VALUE_UNSET;
    }
    return v == VALUE_UNSET ? special_call(vm, hook, object, 1, name) : v;
}

Value attribute_get(GenVM *vm, Value object, Value name) {
    if (!intern_name(vm, &name)) return VALUE_ERROR;
    Type *type = type_of(vm, object);
    if (unlikely(type->special[SP_GETATTRIBUTE] != VALUE_UNSET ||
                 type->special[SP_GETATTR] != VALUE_UNSET))
        return get_with_hooks(vm, object, type, name);
    Value v = get_or_unset(vm, object, type, name);
    return unlikely(v == VALUE_UNSET) ? raise_attribute(vm, object, name) : v;
}

Value attribute_get_or_unset(GenVM *vm, Value object, Value name) {
    if (!intern_name(vm, &name)) return VALUE_ERROR;
    Type *type = type_of(vm, object);
    bool hooks =
        type->special[SP_GETATTRIBUTE] != VALUE_UNSET || type->special[SP_GETATTR] != VALUE_UNSET;
    Value v = hooks ? get_with_hooks(vm, object, type, name) : get_or_unset(vm, object, type, name);
    if (v != VALUE_ERROR || !error_matches(vm, EXC_ATTRIBUTE_ERROR)) return v;
    error_clear(vm);
    return VALUE_UNSET;
}

Value attribute_find(GenVM *vm, Value object, Value name) {
    if (name == VALUE_ERROR) return VALUE_ERROR;
    if (!intern_name(vm, &name)) return VALUE_ERROR;
    Type *type = type_of(vm, object);
    if (type->special[SP_GETATTRIBUTE] != VALUE_UNSET) return VALUE_UNSET;
    Value v = get_or_unset(vm, object, type, name);
    if (v == VALUE_TAIL) native_drop_tail(vm);
    if (v == VALUE_ERROR) {
        if (error_matches(vm, EXC_MEMORY_ERROR)) return VALUE_ERROR;
        error_clear(vm);
    }
    if (v == VALUE_UNSET && unlikely(vm->poll & POLL_MEMORY)) { /* perhaps it is there */
        vm->poll &= ~(uint32_t)POLL_MEMORY;
        return raise_memory(vm);
    }
    return v == VALUE_TAIL || v == VALUE_ERROR ? VALUE_UNSET : v;
}

/* ---- assigning and deleting ---- */

static Value refuse_set(GenVM *vm, Value object, Type *type, Value name, Value raw) {
    if (raw != VALUE_UNSET)
        raise_error(vm, EXC_ATTRIBUTE_ERROR, "'%N' object attribute '%S' is read-only", type, name);
    else if (type->special[SP_SETATTR] != VALUE_UNSET || type->special[SP_DELATTR] != VALUE_UNSET)
        raise_error(vm, EXC_ATTRIBUTE_ERROR, "'%N' object has no attribute '%S'", type, name);
    else
        raise_error(vm, EXC_ATTRIBUTE_ERROR,
                    "'%N' object has no attribute '%S' and no __dict__ for setting new attributes",
                    type, name);
    return attribute_error_context(vm, object, name);
}

Value object_setattr(GenVM *vm, Value object, Value name, Value value) {
    if (!intern_name(vm, &name)) return VALUE_ERROR;
    Type *type = type_of(vm, object);
    Value raw = type_lookup(vm, type, name);
    if (raw != VALUE_UNSET && value_is_data_descriptor(vm, raw))
        return descriptor_set(vm, raw, object, value);
    if (!type->has_instance_dict || !is_object(object))
        return refuse_set(vm, object, type, name, raw);
    if (value != VALUE_UNSET)
        return instance_set(vm, object, name, value) ? VALUE_NONE : VALUE_ERROR;
    Leaf deleted = instance_delete(vm, object, name);
    if (deleted == LEAF_FALSE) return raise_attribute(vm, object, name);
    return deleted == LEAF_TRUE ? VALUE_NONE : VALUE_ERROR;
}

Value type_setattr(GenVM *vm, Value self, Value name, Value value) {
    if (!intern_name(vm, &name)) return VALUE_ERROR;
    Type *type = type_from(self), *meta = type_of(vm, self);
    if (type->is_builtin)
        return raise_type(vm, "cannot set '%S' attribute of immutable type '%N'", name, type);
    Value raw = type_lookup(vm, meta, name);
    if (raw != VALUE_UNSET && value_is_data_descriptor(vm, raw))
        return descriptor_set(vm, raw, self, value);
    if (value == VALUE_UNSET && dict_get_str(vm, type_dict(vm, type), name) == VALUE_UNSET)
        return raise_attribute(vm, self, name);
    return type_set_attribute(vm, type, name, value) ? VALUE_NONE : VALUE_ERROR;
}

Value attribute_set(GenVM *vm, Value object, Value name, Value value) {
    const Type *type = type_of(vm, object);
    Value hook = type->special[SP_SETATTR];
    if (unlikely(hook != VALUE_UNSET)) return special_call(vm, hook, object, 2, name, value);
    return type->slots.setattr ? type->slots.setattr(vm, object, name, value)
                               : object_setattr(vm, object, name, value);
}

Value attribute_delete(GenVM *vm, Value object, Value name) {
    const Type *type = type_of(vm, object);
    Value hook = type->special[SP_DELATTR];
    if (unlikely(hook != VALUE_UNSET)) return special_call(vm, hook, object, 1, name);
    return type->slots.setattr ? type->slots.setattr(vm, object, name, VALUE_UNSET)
                               : object_setattr(vm, object, name, VALUE_UNSET);
}

/* ---- what inline caches may remember ---- */

static bool found(AttributeLookup *lookup, int kind, uint32_t slot, Value value) {
    lookup->kind = kind;
    lookup->slot = slot;
    lookup->value = value;
    return kind != ATTR_OTHER;
}

static bool found_entry(GenVM *vm, AttributeLookup *lookup, Dict *dict, Value name) {
    int64_t at = dict ? dict_find_str(vm, dict, name) : -1;
    if (at < 0) return false;
    lookup->dict = dict;
    lookup->version = dict->version;
    return found(lookup, ATTR_ENTRY, (uint32_t)at, dict->entries[at].value);
}

static bool class_attribute_cacheable(GenVM *vm, Type *self, Value name, AttributeLookup *lookup) {
    Value from_meta = type_lookup(vm, type_of(vm, object_value(self)), name);
    if (from_meta != VALUE_UNSET && value_is_data_descriptor(vm, from_meta)) return false;
    Type *owner;
    Value raw = type_lookup_owner(vm, self, name, &owner);
    if (raw == VALUE_UNSET || (value_is_descriptor(vm, raw) && !is_own_method(raw))) return false;
    return found_entry(vm, lookup, type_state(vm, owner)->dict, name);
}

static bool module_attribute_cacheable(GenVM *vm, Value module, Value name,
                                       AttributeLookup *lookup) {
    Type *type = type_of(vm, module);
    Value raw = type_lookup(vm, type, name);
    if (raw != VALUE_UNSET && value_is_data_descriptor(vm, raw)) return false;
    return found_entry(vm, lookup, AS(Module, module)->dict, name);
}

/* A raw attribute of the class that the instance does not hide. */
static bool raw_cacheable(GenVM *vm, Type *type, Value raw, Value name, AttributeLookup *lookup) {
    if (is_own_method(raw)) return found(lookup, ATTR_METHOD, 0, raw);
    if (is_kind(raw, TYPE_STATICMETHOD))
        return found(lookup, ATTR_CLASS_VALUE, 0, AS(Wrapping, raw)->callable);
    if (is_kind(raw, TYPE_PROPERTY)) {
        const Property *property = AS(Property, raw);
        bool plain = is_kind(property->fget, TYPE_FUNCTION) &&
                     type_of(vm, raw)->special[SP_GET] == VALUE_UNSET;
        return plain && found(lookup, ATTR_PROPERTY, 0, property->fget);
    }
    if (value_is_descriptor(vm, raw)) return false;
    Type *owner;
    type_lookup_owner(vm, type, name, &owner);
    if (!owner || owner->value_bumps >= VALUE_BUMP_LIMIT) return false;
    if (!owner->is_builtin) owner->values_cached = true;
    return found(lookup, ATTR_CLASS_VALUE, 0, raw);
}

static bool instance_attribute_cacheable(GenVM *vm, Value object, Type *type, Value name,
                                         AttributeLookup *lookup) {
    uint32_t shape = as_object(object)->shape;
    Value raw = type_lookup(vm, type, name);
    bool data = raw != VALUE_UNSET && value_is_data_descriptor(vm, raw);
    bool plain = as_object(object)->kind == TYPE_OBJECT;
    if (data && is_kind(raw, TYPE_MEMBER)) {
        const Member *member = AS(Member, raw);
        return plain && member->slot != MEMBER_IN_EXTRA && type_is_subclass(type, member->owner) &&
               found(lookup, ATTR_SLOT, member->slot, VALUE_UNSET);
    }
    if (data) return raw_cacheable(vm, type, raw, name, lookup);
    if (shape == type_state(vm, type)->dict_shape) return false;
    if (!plain && as_object(object)->kind == TYPE_FUNCTION && AS(Function, object)->dict)
        return false;
    uint32_t slot = plain ? shape_find(vm, shape, name) : SHAPE_NONE;
    if (slot != SHAPE_NONE)
        return slot < as_object(object)->state && found(lookup, ATTR_SLOT, slot, VALUE_UNSET);
    return raw != VALUE_UNSET && raw_cacheable(vm, type, raw, name, lookup);
}

/* Not for long: without memory for the methods of a type nothing was found in it. */
static bool may_remember(const GenVM *vm) {
    return likely(!(vm->poll & POLL_MEMORY));
}

bool attribute_lookup_cacheable(GenVM *vm, Value object, Value name, AttributeLookup *lookup) {
    lookup->kind = ATTR_OTHER;
    if (!is_object(object)) return false;
    if (!intern_name(vm, &name)) return error_clear(vm), false;
    Type *type = type_of(vm, object);
    if (type->special[SP_GETATTRIBUTE] != VALUE_UNSET) return false;
    if (is_type(object))
        return class_attribute_cacheable(vm, type_from(object), name, lookup) && may_remember(vm);
    if (is_kind(object, TYPE_MODULE))
        return module_attribute_cacheable(vm, object, name, lookup) && may_remember(vm);
    if (type->slots.getattr) return false;
    bool cacheable = instance_attribute_cacheable(vm, object, type, name, lookup);
    /* With __getattr__, an AttributeError of the getter must be caught. */
    if (cacheable && lookup->kind == ATTR_PROPERTY && type->special[SP_GETATTR] != VALUE_UNSET) {
        lookup->kind = ATTR_OTHER;
        return false;
    }
    return cacheable && may_remember(vm);
}

static bool stores(AttributeStore *store, int kind, uint32_t slot, uint32_t shape) {
    store->kind = kind;
    store->slot = slot;
    store->new_shape = shape;
    return true;
}

bool attribute_store_cacheable(GenVM *vm, Value object, Value name, AttributeStore *store) {
    store->kind = STORE_OTHER;
    if (!is_kind(object, TYPE_OBJECT)) return false;
    if (!intern_name(vm, &name)) return error_clear(vm), false;
    Type *type = type_of(vm, object);
    if (type->special[SP_SETATTR] != VALUE_UNSET || type->slots.setattr) return false;
    uint32_t shape = as_object(object)->shape, inline_slots = as_object(object)->state;
    Value raw = type_lookup(vm, type, name);
    if (!may_remember(vm)) return false;
    if (raw != VALUE_UNSET && value_is_data_descriptor(vm, raw)) {
        if (!is_kind(raw, TYPE_MEMBER) || AS(Member, raw)->slot == MEMBER_IN_EXTRA) return false;
        return type_is_subclass(type, AS(Member, raw)->owner) &&
               stores(store, STORE_SLOT, AS(Member, raw)->slot, shape);
    }
    if (!type->has_instance_dict || vm->shapes[shape].is_dict) return false;
    uint32_t slot = shape_find(vm, shape, name);
    if (slot != SHAPE_NONE) return slot < inline_slots && stores(store, STORE_SLOT, slot, shape);
    uint32_t grown = shape_add(vm, shape, name);
    if (grown == SHAPE_NONE) return false;
    slot = vm->shapes[grown].count - 1u;
    return slot < inline_slots && stores(store, STORE_ADD, slot, grown);
}
