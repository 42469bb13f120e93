/* resource.c - the objects that own something outside of the heap: resource.h. */
#include "vm/resource.h"
#include "vm/objects.h"

Value resource_new(GenVM *vm, const char *what, void *data,
                   void (*release)(GenVM *vm, void *data)) {
    Resource *resource = gc_new(vm, sizeof *resource, TYPE_RESOURCE);
    if (!resource) {
        release(vm, data);
        return VALUE_ERROR;
    }
    resource->what = what;
    resource->data = data;
    resource->release = release;
    resource->held = VALUE_UNSET;
    gc_finalizable(vm, resource);
    return object_value(resource);
}

void *resource_data(GenVM *vm, Value v, const char *what) {
    if (!is_kind(v, TYPE_RESOURCE) || AS(Resource, v)->what != what) {
        raise_type(vm, "a %s is required, not '%T'", what, v);
        return NULL;
    }
    if (!AS(Resource, v)->data) raise_value(vm, "%s is closed", what);
    return AS(Resource, v)->data;
}

void resource_release(GenVM *vm, Value v) {
    Resource *resource = AS(Resource, v);
    void *data = resource->data;
    resource->data = NULL;
    if (data) resource->release(vm, data);
}

static void finalize(GenVM *vm, Object *object) {
    resource_release(vm, object_value(object));
}

static void trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((Resource *)object)->held);
}

static Value repr(GenVM *vm, Value self) {
    return str_format(vm, "<%s at %p>", AS(Resource, self)->what, (void *)as_object(self));
}

const BuiltinType resource_type = {
    .name = "resource",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Resource),
    .doc = "Something of the operating system or of a library, owned by this object.",
    .slots = {.repr = repr, .trace = trace, .finalize = finalize},
};
