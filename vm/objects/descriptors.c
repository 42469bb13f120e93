/* descriptors.c - the descriptors that the engine puts in class dicts: members of __slots__ and
 * attributes computed by C. Reading and assigning through them is vm/attribute.c's. */
#include "vm/type_private.h"

static void member_trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((Member *)object)->name);
    gc_mark_pointer(vm, ((Member *)object)->owner);
}

static Value member_repr(GenVM *vm, Value self) {
    return str_format(vm, "<member '%S' of '%N' objects>", AS(Member, self)->name,
                      AS(Member, self)->owner);
}

static Value member_descr_get(GenVM *vm, Value self, Value instance, Value owner) {
    (void)owner;
    return instance == VALUE_UNSET ? self : member_get(vm, AS(Member, self), instance);
}

static Value member_descr_set(GenVM *vm, Value self, Value instance, Value value) {
    return member_set(vm, AS(Member, self), instance, value);
}

static Value member_name(GenVM *vm, Value self) {
    return (void)vm, AS(Member, self)->name;
}
static Value member_owner(GenVM *vm, Value self) {
    return (void)vm, object_value(AS(Member, self)->owner);
}
static Value member_qualname(GenVM *vm, Value self) {
    return str_format(vm, "%S.%S", AS(Member, self)->owner->qualname, AS(Member, self)->name);
}
static Value no_doc(GenVM *vm, Value self) {
    return (void)vm, (void)self, VALUE_NONE;
}

static const AttributeDef member_attributes[] = {
    {"__name__", member_name, NULL, NULL},
    {"__qualname__", member_qualname, NULL, NULL},
    {"__objclass__", member_owner, NULL, NULL},
    {"__doc__", no_doc, NULL, NULL},
    {0},
};

const BuiltinType member_type = {
    .name = "member_descriptor",
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Member),
    .attributes = member_attributes,
    .slots = {.repr = member_repr,
              .descr_get = member_descr_get,
              .descr_set = member_descr_set,
              .trace = member_trace},
};

static void getset_trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((GetSet *)object)->name);
    gc_mark_pointer(vm, ((GetSet *)object)->owner);
}

static Value getset_repr(GenVM *vm, Value self) {
    return str_format(vm, "<attribute '%S' of '%N' objects>", AS(GetSet, self)->name,
                      AS(GetSet, self)->owner);
}

static Value getset_descr_get(GenVM *vm, Value self, Value instance, Value owner) {
    (void)owner;
    return instance == VALUE_UNSET ? self : getset_get(vm, AS(GetSet, self), instance);
}

static Value getset_descr_set(GenVM *vm, Value self, Value instance, Value value) {
    return getset_set(vm, AS(GetSet, self), instance, value);
}

static Value getset_name(GenVM *vm, Value self) {
    return (void)vm, AS(GetSet, self)->name;
}
static Value getset_owner(GenVM *vm, Value self) {
    return (void)vm, object_value(AS(GetSet, self)->owner);
}
static Value getset_qualname(GenVM *vm, Value self) {
    return str_format(vm, "%S.%S", AS(GetSet, self)->owner->qualname, AS(GetSet, self)->name);
}
static Value getset_doc(GenVM *vm, Value self) {
    const char *doc = AS(GetSet, self)->def->doc;
    return doc ? str_from(vm, doc) : VALUE_NONE;
}

static const AttributeDef getset_attributes[] = {
    {"__name__", getset_name, NULL, NULL},
    {"__qualname__", getset_qualname, NULL, NULL},
    {"__objclass__", getset_owner, NULL, NULL},
    {"__doc__", getset_doc, NULL, NULL},
    {0},
};

const BuiltinType getset_type = {
    .name = "getset_descriptor",
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(GetSet),
    .attributes = getset_attributes,
    .slots = {.repr = getset_repr,
              .descr_get = getset_descr_get,
              .descr_set = getset_descr_set,
              .trace = getset_trace},
};
