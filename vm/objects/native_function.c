/* native_function.c - functions written in C, as scripts see them: builtin functions and bound
 * builtin methods (TYPE_NATIVE), methods and special methods in a type's dict (TYPE_NATIVE_METHOD).
 */
#include "vm/bind.h"
#include "vm/identity.h"
#include "vm/type_private.h"

static NativeFunction *self_native(Value self) {
    return AS(NativeFunction, self);
}

static void trace(GenVM *vm, Object *object) {
    NativeFunction *native = (NativeFunction *)object;
    gc_mark(vm, native->self);
    gc_mark(vm, native->module);
    gc_mark(vm, native->name);
    gc_mark_pointer(vm, native->owner);
    native_mark_signature(vm, native->signature);
}

static bool is_wrapper(const NativeFunction *native) {
    return (native->header.flags & NATIVE_WRAPPER) != 0;
}

static Value repr(GenVM *vm, Value self) {
    const NativeFunction *native = self_native(self);
    void *address = (void *)as_object(self);
    if (native->header.flags & NATIVE_NEW)
        return str_format(vm, "<built-in method %S of type object at %p>", native->name, address);
    if (native->self == VALUE_UNSET || is_kind(native->self, TYPE_MODULE))
        return str_format(vm, "<built-in function %S>", native->name);
    void *receiver = is_object(native->self) ? (void *)as_object(native->self) : address;
    if (is_wrapper(native))
        return str_format(vm, "<method-wrapper '%S' of %T object at %p>", native->name,
                          native->self, receiver);
    return str_format(vm, "<built-in method %S of %T object at %p>", native->name, native->self,
                      receiver);
}

static Value method_repr(GenVM *vm, Value self) {
    const NativeFunction *native = self_native(self);
    return str_format(vm, "<%s '%S' of '%N' objects>",
                      is_wrapper(native) ? "slot wrapper" : "method", native->name, native->owner);
}

static Value compare(GenVM *vm, CompareOp op, Value left, Value right) {
    (void)vm;
    if ((op != COMPARE_EQ && op != COMPARE_NE) || !is_kind(left, TYPE_NATIVE) ||
        !is_kind(right, TYPE_NATIVE))
        return VALUE_NOT_IMPLEMENTED;
    const NativeFunction *a = self_native(left), *b = self_native(right);
    bool same = a == b || (a->def == b->def && a->self == b->self && a->owner == b->owner &&
                           a->self != VALUE_UNSET);
    return bool_value(same == (op == COMPARE_EQ));
}

static Value hash(GenVM *vm, Value self) {
    const NativeFunction *native = self_native(self);
    Value of = native->self;
    if (of == VALUE_UNSET) return object_hash(vm, self);
    uint64_t number = identity_of_value(vm, of);
    uint64_t mixed = number * 0x9E3779B97F4A7C15u ^ str_hash(vm, native->name);
    return int_value((int64_t)(mixed >> 4));
}

static Value call(GenVM *vm, Value self, Value args, Value kwargs) {
    return native_call_spread(vm, self, args, kwargs);
}

static Value method_get(GenVM *vm, Value self, Value instance, Value owner) {
    Type *type = is_type(owner)            ? type_from(owner)
                 : instance == VALUE_UNSET ? NULL
                                           : type_of(vm, instance);
    if (instance != VALUE_UNSET &&
        !type_is_subclass(type_of(vm, instance), self_native(self)->owner))
        return raise_type(vm, "descriptor '%S' for '%N' objects doesn't apply to a '%T' object",
                          self_native(self)->name, self_native(self)->owner, instance);
    return attribute_bind(vm, self, instance, type);
}

static Value classmethod_get(GenVM *vm, Value self, Value instance, Value owner) {
    if (owner == VALUE_UNSET || owner == VALUE_NONE) owner = object_value(type_of(vm, instance));
    if (!native_check_owner(vm, self_native(self), owner)) return VALUE_ERROR;
    return attribute_bind(vm, self, instance, type_from(owner));
}

/* ---- attributes ---- */

static Value get_name(GenVM *vm, Value self) {
    return (void)vm, self_native(self)->name;
}

static Value get_qualname(GenVM *vm, Value self) {
    const NativeFunction *native = self_native(self);
    if (native->owner) return str_format(vm, "%S.%S", native->owner->qualname, native->name);
    return native->name;
}

static Value get_doc(GenVM *vm, Value self) {
    const char *doc = self_native(self)->def->doc;
    return doc ? str_from(vm, doc) : VALUE_NONE;
}

static Value get_module(GenVM *vm, Value self) {
    (void)vm;
    Value module = self_native(self)->module;
    return module == VALUE_UNSET ? VALUE_NONE : module;
}

static Value get_self(GenVM *vm, Value self) {
    const NativeFunction *native = self_native(self);
    if (native->self != VALUE_UNSET) return native->self;
    if (native->owner) return object_value(native->owner);
    Value module =
        native->module == VALUE_UNSET ? VALUE_UNSET : dict_get_str(vm, vm->modules, native->module);
    return module == VALUE_UNSET ? VALUE_NONE : module;
}

static Value get_owner(GenVM *vm, Value self) {
    return (void)vm, object_value(self_native(self)->owner);
}

/* A parameter without what the binder does with it: "index: index = -1" is "index=-1". */
static void put_parameter(StrBuilder *text, const char *at, const char *end) {
    const char *colon = memchr(at, ':', (size_t)(end - at));
    const char *equals = memchr(at, '=', (size_t)(end - at));
    if (equals && colon && colon > equals) colon = NULL; /* in the default */
    const char *name_end = colon ? colon : equals ? equals : end;
    while (name_end > at && name_end[-1] == ' ')
        name_end--;
    builder_put(text, at, (size_t)(name_end - at));
    if (!equals) return;
    builder_put_byte(text, '=');
    for (equals++; *equals == ' ';)
        equals++;
    if (*equals == '?')
        builder_put_c(text, "<unrepresentable>");
    else
        builder_put(text, equals, (size_t)(end - equals));
}

/* Where the parameter ends that begins there: at a comma or the closing parenthesis. */
static const char *parameter_end(const char *at) {
    for (char quote = 0; *at; at++) {
        if (quote)
            quote = *at == quote ? 0 : quote;
        else if (*at == '\'' || *at == '"')
            quote = *at;
        else if (*at == ',' || (*at == ')' && at[-1] != '('))
            break;
    }
    return at;
}

/* The part of the signature in parentheses, as CPython shows it: "($self, x, /)". */
static Value get_text_signature(GenVM *vm, Value self) {
    const NativeFunction *native = self_native(self);
    const char *open = strchr(native->def->signature, '(');
    if (!open) return VALUE_NONE;
    StrBuilder text;
    builder_init(&text, vm);
    builder_put_byte(&text, '(');
    if (strncmp(open + 1, "self", 4) == 0) builder_put_byte(&text, '$');
    for (const char *at = open + 1; *at && *at != ')';) {
        const char *end = parameter_end(at);
        put_parameter(&text, at, end);
        if (*end != ',') break;
        builder_put_c(&text, ", ");
        for (at = end + 1; *at == ' ';)
            at++;
    }
    builder_put_byte(&text, ')');
    return builder_finish(&text);
}

static const AttributeDef attributes[] = {
    {"__name__", get_name, NULL, NULL},
    {"__qualname__", get_qualname, NULL, NULL},
    {"__doc__", get_doc, NULL, NULL},
    {"__module__", get_module, NULL, NULL},
    {"__self__", get_self, NULL, NULL},
    {"__text_signature__", get_text_signature, NULL, NULL},
    {0},
};

static const AttributeDef method_attributes[] = {
    {"__name__", get_name, NULL, NULL},
    {"__qualname__", get_qualname, NULL, NULL},
    {"__doc__", get_doc, NULL, NULL},
    {"__objclass__", get_owner, NULL, NULL},
    {"__text_signature__", get_text_signature, NULL, NULL},
    {0},
};

#define NATIVE_FUNCTION_TYPE(variable, text)                                                       \
    const BuiltinType variable = {                                                                 \
        .name = text,                                                                              \
        .flags = TYPE_FINAL | TYPE_NO_NEW,                                                         \
        .size = sizeof(NativeFunction),                                                            \
        .attributes = attributes,                                                                  \
        .slots = {.repr = repr, .hash = hash, .compare = compare, .call = call, .trace = trace}}
#define NATIVE_METHOD_TYPE(variable, text, get)                                                    \
    const BuiltinType variable = {                                                                 \
        .name = text,                                                                              \
        .flags = TYPE_FINAL | TYPE_NO_NEW,                                                         \
        .size = sizeof(NativeFunction),                                                            \
        .attributes = method_attributes,                                                           \
        .slots = {.repr = method_repr, .call = call, .descr_get = get, .trace = trace}}

NATIVE_FUNCTION_TYPE(native_type, "builtin_function_or_method");
NATIVE_FUNCTION_TYPE(native_bound_type, "method-wrapper");
NATIVE_METHOD_TYPE(native_method_type, "method_descriptor", method_get);
NATIVE_METHOD_TYPE(native_wrapper_type, "wrapper_descriptor", method_get);
NATIVE_METHOD_TYPE(native_classmethod_type, "classmethod_descriptor", classmethod_get);
