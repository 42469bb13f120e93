/* tuple_field.c - the descriptor of a named field of a tuple: x.name is x[index], without a call.
 * For the library's named tuples and struct sequences, which get it from _engine.tuple_field.
 */
#include "vm/image.h"
#include "vm/engine_module.h"
#include "vm/objects.h"

typedef struct TupleField {
    Object header;
    uint64_t index;
    Value doc;
} TupleField;

static Value get(GenVM *vm, Value self, Value instance, Value owner) {
    (void)owner;
    if (instance == VALUE_UNSET || instance == VALUE_NONE) return self;
    TupleField *field = AS(TupleField, self);
    if (!is_kind(instance, TYPE_TUPLE))
        return raise_type(
            vm, "descriptor for index '%llu' for tuple subclasses doesn't apply to '%T' object",
            (unsigned long long)field->index, instance);
    if (field->index >= AS_TUPLE(instance)->count)
        return raise_index(vm, "tuple index out of range");
    return AS_TUPLE(instance)->items[field->index];
}

static Value set(GenVM *vm, Value self, Value instance, Value value) {
    (void)instance;
    if (AS(TupleField, self)->doc == VALUE_NONE)
        return raise_error(vm, EXC_ATTRIBUTE_ERROR, "readonly attribute");
    if (value == VALUE_UNSET) return raise_error(vm, EXC_ATTRIBUTE_ERROR, "can't delete attribute");
    return raise_error(vm, EXC_ATTRIBUTE_ERROR, "can't set attribute");
}

static Value get_doc(GenVM *vm, Value self) {
    return (void)vm, AS(TupleField, self)->doc;
}
static bool set_doc(GenVM *vm, Value self, Value doc) {
    AS(TupleField, self)->doc = doc;
    gc_barrier(vm, as_object(self));
    return true;
}

static Value repr(GenVM *vm, Value self) {
    TupleField *field = AS(TupleField, self);
    return str_format(vm, "_tuplegetter(%llu, %V)", (unsigned long long)field->index, field->doc);
}

static void trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((TupleField *)object)->doc);
}

static Value field_new(GenVM *vm, Value *args) {
    TupleField *field = gc_new(vm, sizeof *field, TYPE_TUPLE_FIELD);
    if (!field) return VALUE_ERROR;
    field->index = (uint64_t)as_int(args[0]);
    field->doc = args[1];
    return object_value(field);
}

static const AttributeDef attributes[] = {{"__doc__", get_doc, set_doc, NULL},
                                          {NULL, NULL, NULL, NULL}};

static const ImageField image_fields[] = {
    IMAGE_FIELD(TupleField, index, LONG, NONE),
    IMAGE_FIELD(TupleField, doc, VALUE, NONE),
    {0},
};
static const ImageLayout image_layout = {sizeof(TupleField), image_fields, NULL, NULL};

const BuiltinType tuple_field_type = {
    .name = "_tuplegetter",
    .module = "collections",
    .flags = TYPE_NO_NEW | TYPE_FINAL,
    .size = sizeof(TupleField),
    .attributes = attributes,
    .slots =
        {.repr = repr, .descr_get = get, .descr_set = set, .trace = trace, .image = &image_layout},
};

const NativeDef engine_tuple_field_natives[] = {
    {"tuple_field(index: index, doc=None, /)", field_new,
     "The descriptor of a named field of a tuple."},
    {NULL, NULL, NULL},
};
