/* genvm_types.c - the C API: types that a host brings.
 *
 * An object is a HostObject: its payload is the `slots` values that it refers to, which the
 * collector sees, and behind them `size` bytes that are the host's. Methods are host functions
 * whose owner is the type, so that a wrong self is refused; properties are ordinary ones over host
 * functions.
 */
#include "vm/genvm_private.h"
#include "vm/bind.h"
#include "vm/image_custom.h"
#include "vm/objects.h"
#include "vm/type_private.h"

typedef struct HostType { /* in a Buffer kept by the VM */
    BuiltinType type;
    const GenTypeDef *def;
} HostType;

static const HostType *host_type_of(GenVM *vm, const Object *object) {
    return (const HostType *)vm->shapes[object->shape].type->def;
}

static size_t slots_size(const GenTypeDef *def) {
    return (def->slots * sizeof(Value) + 15) & ~(size_t)15;
}

static void trace(GenVM *vm, Object *object) {
    const Value *slots = (const Value *)((HostObject *)object)->payload;
    for (uint32_t i = 0; i < host_type_of(vm, object)->def->slots; i++)
        gc_mark(vm, slots[i]);
}

static void finalize(GenVM *vm, Object *object) {
    const GenTypeDef *def = host_type_of(vm, object)->def;
    def->finalize(((HostObject *)object)->payload + slots_size(def));
}

/* ---- in images ---- */

uint32_t genvm_type_version(const Type *type) {
    return ((const HostType *)type->def)->def->version;
}

/* While an image is made or read, its objects are known to nobody else: no collection. */
static Value ask_state(GenVM *vm, Object *object) {
    OwnScope outer = own_scope_open(vm);
    vm->in_prelude++;
    API_OUT(vm);
    GenRef state = host_type_of(vm, object)->def->save(vm, ref_hold(vm, object_value(object)));
    API_IN(vm);
    vm->in_prelude--;
    bool failed = state == GEN_NULL || vm->exception != VALUE_UNSET;
    Value value = failed ? VALUE_ERROR : ref_value(vm, state);
    if (value == VALUE_ERROR && vm->exception == VALUE_UNSET)
        raise_runtime(vm, "%T: its save gave nothing", object_value(object));
    own_scope_close(vm, outer);
    return value;
}

static bool give_state(GenVM *vm, Object *object, Value state) {
    OwnScope outer = own_scope_open(vm);
    vm->in_prelude++;
    API_OUT(vm);
    bool ok = host_type_of(vm, object)
                  ->def->load(vm, ref_hold(vm, object_value(object)), ref_hold(vm, state));
    API_IN(vm);
    vm->in_prelude--;
    own_scope_close(vm, outer);
    if (ok && vm->exception == VALUE_UNSET) return true;
    if (vm->exception == VALUE_UNSET)
        raise_runtime(vm, "%T: its load gave nothing", object_value(object));
    return false;
}

static void save_shell(ImageWriter *w, Object *object) {
    image_put_number(w->out, host_type_of(w->vm, object)->def->slots);
}

static void save_body(ImageWriter *w, Object *object) {
    const HostObject *host = (const HostObject *)object;
    const Value *slots = (const Value *)(const void *)host->payload;
    for (uint32_t i = 0; i < host_type_of(w->vm, object)->def->slots; i++)
        image_put_value(w, slots[i]);
    image_put_value(w, host->attributes);
    Value state = w->failed ? VALUE_ERROR : ask_state(w->vm, object);
    if (state == VALUE_ERROR)
        w->failed = true;
    else
        image_put_value(w, state);
}

static HostObject *object_new(GenVM *vm, Type *type);

static Object *load_shell(ImageReader *r, Type *type) {
    if (image_get_number(r) != ((const HostType *)type->def)->def->slots)
        return image_bad(r, "an object of the host with other slots"), NULL;
    HostObject *object = object_new(r->vm, type);
    return object ? &object->header : NULL;
}

static bool load_body(ImageReader *r, Object *object) {
    HostObject *host = (HostObject *)object;
    Value *slots = (Value *)(void *)host->payload, state;
    Object *attributes;
    for (uint32_t i = 0; i < host_type_of(r->vm, object)->def->slots; i++)
        if (!image_get_value(r, &slots[i])) return false;
    if (!image_get_pointer(r, TYPE_DICT, &attributes) || !image_get_value(r, &state)) return false;
    if (attributes) host->attributes = object_value(attributes);
    if (r->host_states == VALUE_UNSET && (r->host_states = list_new(r->vm, 0)) == VALUE_ERROR)
        return false;
    return list_append(r->vm, r->host_states, state);
}

/* In the order of the bodies. */
static bool check(ImageReader *r, Object *object) {
    return give_state(r->vm, object, AS_LIST(r->host_states)->items[r->host_next++]);
}

static const ImageCustom images = {
    .version = 1,
    .save_shell = save_shell,
    .save_body = save_body,
    .load_shell = load_shell,
    .load_body = load_body,
    .check = check,
};

/* ---- making a type ---- */

static bool add_method(GenVM *vm, Type *type, const GenFunction *function) {
    Value method = genvm_function(vm, function, VALUE_UNSET);
    if (method == VALUE_ERROR) return false;
    NativeFunction *native = AS(NativeFunction, method);
    Binding binding;
    const char *name;
    native_def_name(native->def, &name, &binding);
    native->owner = type;
    if (binding != BINDING_STATIC) native->header.kind = native->header.shape = TYPE_NATIVE_METHOD;
    if (binding == BINDING_CLASS) {
        native->header.flags |= NATIVE_CLASSMETHOD;
        native->header.shape = TYPE_NATIVE_CLASSMETHOD;
    }
    return type_set_attribute(vm, type, native->name, method);
}

static Value accessor(GenVM *vm, GenFn fn, const char *signature) {
    GenFunction function = {signature, fn, NULL};
    return fn ? genvm_function(vm, &function, VALUE_UNSET) : VALUE_NONE;
}

static bool add_property(GenVM *vm, Type *type, const GenProperty *def) {
    Value name = str_intern_from(vm, def->name, strlen(def->name));
    Value get = accessor(vm, def->get, "get(self, /)");
    Value set = accessor(vm, def->set, "set(self, value, /)");
    Value doc = def->doc ? str_from(vm, def->doc) : VALUE_NONE;
    Property *property = gc_new(vm, sizeof *property, TYPE_PROPERTY);
    if (!property || name == VALUE_ERROR || get == VALUE_ERROR || set == VALUE_ERROR ||
        doc == VALUE_ERROR)
        return false;
    property->fget = get;
    property->fset = set;
    property->fdel = VALUE_NONE;
    property->doc = doc;
    property->name = name;
    property->attributes = VALUE_UNSET;
    return type_set_attribute(vm, type, name, object_value(property));
}

static bool add_members(GenVM *vm, Type *type, const GenTypeDef *def) {
    Value module = str_from(vm, def->module ? def->module : "builtins");
    if (module == VALUE_ERROR ||
        !type_set_attribute(vm, type, name_value(vm, NAME___module__), module))
        return false;
    for (const GenFunction *at = def->methods; at && at->signature; at++)
        if (!add_method(vm, type, at)) return false;
    for (const GenProperty *at = def->properties; at && at->name; at++)
        if (!add_property(vm, type, at)) return false;
    return true;
}

static HostType *new_host_type(GenVM *vm, const GenTypeDef *def) {
    Buffer *storage = genvm_storage(vm, sizeof(HostType));
    const NativeDef *construct =
        storage && def->construct ? genvm_native(vm, def->construct) : NULL;
    if (!storage || (def->construct && !construct)) return NULL;
    HostType *host = (HostType *)storage->data;
    *host =
        (HostType){.type = {.name = def->name,
                            .module = def->module,
                            .base = TYPE_OBJECT,
                            .flags = construct ? 0 : TYPE_NO_NEW,
                            .size = (uint32_t)(sizeof(HostObject) + slots_size(def) + def->size),
                            .doc = def->doc,
                            .construct = construct,
                            .slots = {.trace = trace,
                                      .finalize = def->finalize ? finalize : NULL,
                                      .custom = def->save && def->load ? &images : NULL}},
                   .def = def};
    return host;
}

/* For images, which find it by name. */
static bool note_type(GenVM *vm, Type *type) {
    if (vm->host_types == VALUE_UNSET) {
        Value list = list_new(vm, 0);
        if (list == VALUE_ERROR) return false;
        vm->host_types = list;
    }
    return list_append(vm, vm->host_types, object_value(type));
}

GenRef gen_type_new(GenVM *vm, const GenTypeDef *def) {
    API_GIVEN(def);
    API_READY(vm, GEN_NULL);
    HostType *host = new_host_type(vm, def);
    Type *type = host ? type_new_native(vm, &host->type, NULL) : NULL;
    if (!type || !type_dict(vm, type)) return GEN_NULL;
    type->is_builtin = false; /* its special methods are attributes, as a script class's */
    type->like_native = true;
    if (!add_members(vm, type, def) || !note_type(vm, type)) return GEN_NULL;
    return ref_hold(vm, object_value(type));
}

/* ---- objects ---- */

static Type *host_class(GenVM *vm, GenRef cls) {
    Value v = ref_value(vm, cls);
    if (v == VALUE_ERROR) return NULL;
    if (is_type(v) && type_from(v)->instance_kind == TYPE_HOST) return type_from(v);
    raise_type(vm, "expected a class made by gen_type_new");
    return NULL;
}

static HostObject *object_new(GenVM *vm, Type *type) {
    const GenTypeDef *def = ((const HostType *)type->def)->def;
    HostObject *object = gc_new(vm, type->def->size, TYPE_HOST);
    if (!object) return NULL;
    memset((char *)object + sizeof(Object), 0, type->def->size - sizeof(Object));
    object->header.shape = type->root_shape;
    object->size = def->size;
    object->attributes = VALUE_UNSET;
    for (uint32_t i = 0; i < def->slots; i++)
        ((Value *)object->payload)[i] = VALUE_NONE;
    if (def->finalize) gc_finalizable(vm, object);
    return object;
}

GenRef gen_object_new(GenVM *vm, GenRef cls) {
    API_READY(vm, GEN_NULL);
    Type *type = host_class(vm, cls);
    HostObject *object = type ? object_new(vm, type) : NULL;
    return object ? ref_hold(vm, object_value(object)) : GEN_NULL;
}

static HostObject *host_object(GenVM *vm, GenRef ref, const GenTypeDef *def) {
    Value v = ref_value(vm, ref);
    if (v == VALUE_ERROR) return NULL;
    if (is_kind(v, TYPE_HOST) && host_type_of(vm, as_object(v))->def == def)
        return AS(HostObject, v);
    raise_type(vm, "expected %s, not %T", def->name, v);
    return NULL;
}

void *gen_object_data(GenVM *vm, GenRef ref, const GenTypeDef *def) {
    API_GIVEN(def);
    API(vm);
    HostObject *object = host_object(vm, ref, def);
    return object ? object->payload + slots_size(def) : NULL;
}

static Value *slot_of(GenVM *vm, GenRef ref, const GenTypeDef *def, uint32_t slot,
                      HostObject **object) {
    *object = host_object(vm, ref, def);
    if (!*object) return NULL;
    if (slot < def->slots) return (Value *)(*object)->payload + slot;
    raise_index(vm, "%s has %d slots", def->name, (int)def->slots);
    return NULL;
}

GenRef gen_object_get(GenVM *vm, GenRef ref, const GenTypeDef *def, uint32_t slot) {
    API_GIVEN(def);
    API(vm);
    HostObject *object;
    Value *place = slot_of(vm, ref, def, slot, &object);
    return place ? ref_hold(vm, *place) : GEN_NULL;
}

bool gen_object_set(GenVM *vm, GenRef ref, const GenTypeDef *def, uint32_t slot, GenRef value) {
    API_GIVEN(def);
    API(vm);
    HostObject *object;
    Value *place = slot_of(vm, ref, def, slot, &object);
    Value v = place ? ref_value(vm, value) : VALUE_ERROR;
    if (v == VALUE_ERROR) return false;
    *place = v;
    gc_barrier(vm, object);
    return true;
}
