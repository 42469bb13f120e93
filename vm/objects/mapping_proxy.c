/* mapping_proxy.c - mappingproxy: a read-only view of a mapping, what C.__dict__ is. Everything is
 * the mapping's own answer. */
#include "vm/image.h"
#include "vm/type_private.h"

typedef struct MappingProxy {
    Object header;
    Value mapping;
} MappingProxy;

static Value mapping_of(Value self) {
    return AS(MappingProxy, self)->mapping;
}
static Value unwrap(Value v) {
    return is_kind(v, TYPE_MAPPING_PROXY) ? mapping_of(v) : v;
}

Value mapping_proxy_new(GenVM *vm, Value mapping) {
    MappingProxy *proxy = gc_new(vm, sizeof *proxy, TYPE_MAPPING_PROXY);
    if (!proxy) return VALUE_ERROR;
    proxy->mapping = mapping;
    return object_value(proxy);
}

static void trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((MappingProxy *)object)->mapping);
}

/* Proxies of proxies go through each other in C: native_enter bounds it. */

static Value repr(GenVM *vm, Value self) {
    if (!native_enter(vm)) return VALUE_ERROR;
    Value inner = native_left(vm, value_repr(vm, mapping_of(self)));
    if (inner == VALUE_ERROR) return VALUE_ERROR;
    if (inner != VALUE_TAIL) return str_format(vm, "mappingproxy(%S)", inner);
    native_drop_tail(vm);
    return native_twin(vm, TWIN_PROXY_REPR, 1, mapping_of(self));
}

static Value str(GenVM *vm, Value self) {
    return native_enter(vm) ? native_left(vm, value_str(vm, mapping_of(self))) : VALUE_ERROR;
}
static Value hash(GenVM *vm, Value self) {
    return native_enter(vm) ? native_left(vm, value_hash(vm, mapping_of(self))) : VALUE_ERROR;
}
static Value len(GenVM *vm, Value self) {
    return native_enter(vm) ? native_left(vm, value_len(vm, mapping_of(self))) : VALUE_ERROR;
}
static Value getitem(GenVM *vm, Value self, Value key) {
    return native_enter(vm) ? native_left(vm, value_getitem(vm, mapping_of(self), key))
                            : VALUE_ERROR;
}
static Value contains(GenVM *vm, Value self, Value item) {
    return native_enter(vm) ? native_left(vm, value_contains(vm, mapping_of(self), item))
                            : VALUE_ERROR;
}
static Value iter(GenVM *vm, Value self) {
    return native_enter(vm) ? native_left(vm, value_iter(vm, mapping_of(self))) : VALUE_ERROR;
}

static Value compare(GenVM *vm, CompareOp op, Value left, Value right) {
    if (!is_kind(left, TYPE_MAPPING_PROXY)) return VALUE_NOT_IMPLEMENTED;
    if (!native_enter(vm)) return VALUE_ERROR;
    return native_left(vm, value_compare(vm, op, mapping_of(left), unwrap(right)));
}

static Value binary(GenVM *vm, BinaryOp op, Value left, Value right) {
    if (op != BINARY_OR) return VALUE_NOT_IMPLEMENTED;
    if (!native_enter(vm)) return VALUE_ERROR;
    return native_left(vm, value_binary(vm, op, unwrap(left), unwrap(right), false));
}

/* A method of the mapping, called with the same arguments. */
static Value forward(GenVM *vm, Value *args, const char *name, int count) {
    Value method = attribute_get(vm, mapping_of(args[0]), str_intern_from(vm, name, strlen(name)));
    if (method == VALUE_ERROR || method == VALUE_TAIL) return method;
    return native_call_array(vm, method, (uint32_t)count, args + 1);
}

static Value method_get(GenVM *vm, Value *args) {
    return forward(vm, args, "get", 2);
}
static Value method_keys(GenVM *vm, Value *args) {
    return forward(vm, args, "keys", 0);
}
static Value method_values(GenVM *vm, Value *args) {
    return forward(vm, args, "values", 0);
}
static Value method_items(GenVM *vm, Value *args) {
    return forward(vm, args, "items", 0);
}
static Value method_copy(GenVM *vm, Value *args) {
    return forward(vm, args, "copy", 0);
}
static Value method_reversed(GenVM *vm, Value *args) {
    return forward(vm, args, "__reversed__", 0);
}

static Value proxy_construct(GenVM *vm, Value *args) {
    Type *type = type_of(vm, args[1]);
    bool mapping = type_lookup(vm, type, vm->special_names[SP_GETITEM]) != VALUE_UNSET &&
                   !is_kind(args[1], TYPE_LIST) && !is_kind(args[1], TYPE_TUPLE);
    if (!mapping)
        return raise_type(vm, "mappingproxy() argument must be a mapping, not %T", args[1]);
    return mapping_proxy_new(vm, args[1]);
}

static const NativeDef construct = {"mappingproxy(cls, mapping, /)", proxy_construct, NULL};

static const NativeDef methods[] = {
    {"get(self, key, default=None, /)", method_get,
     "Return the value for key if key is in the mapping, else default."},
    {"keys(self, /)", method_keys, "a set-like object providing a view on the mapping's keys"},
    {"values(self, /)", method_values, "an object providing a view on the mapping's values"},
    {"items(self, /)", method_items, "a set-like object providing a view on the mapping's items"},
    {"copy(self, /)", method_copy, "a shallow copy of the mapping"},
    {"__reversed__(self, /)", method_reversed, "Return a reverse iterator over the keys."},
    {0},
};

static const ImageField image_fields[] = {
    IMAGE_FIELD(MappingProxy, mapping, VALUE, NONE),
    {0},
};
static const ImageLayout image_layout = {sizeof(MappingProxy), image_fields, NULL, NULL};

const BuiltinType mapping_proxy_type = {
    .name = "mappingproxy",
    .flags = TYPE_FINAL | TYPE_MAPPING,
    .size = sizeof(MappingProxy),
    .doc = "Read-only proxy of a mapping.",
    .construct = &construct,
    .methods = methods,
    .slots = {.repr = repr,
              .str = str,
              .hash = hash,
              .len = len,
              .getitem = getitem,
              .contains = contains,
              .iter = iter,
              .binary = binary,
              .compare = compare,
              .trace = trace,
              .image = &image_layout},
};
