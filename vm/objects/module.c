/* module.c - module objects: a name and a dict. Importing is vm/import.c's; reading attributes
 * vm/attribute.c's. */
#include "vm/objects/containers.h"
#include "vm/shared.h"
#include "vm/type_private.h"

static Module *self_module(Value self) {
    return AS(Module, self);
}

static bool fill(GenVM *vm, Module *module, Value name, Value doc) {
    Value dict = dict_new(vm);
    if (dict == VALUE_ERROR) return false;
    module->dict = AS_DICT(dict);
    module->name = name;
    static const Name nothing[] = {NAME___package__, NAME___loader__, NAME___spec__};
    bool ok = dict_set_str(vm, module->dict, name_value(vm, NAME___name__), name) &&
              dict_set_str(vm, module->dict, name_value(vm, NAME___doc__), doc);
    for (size_t i = 0; ok && i < sizeof nothing / sizeof *nothing; i++)
        ok = dict_set_str(vm, module->dict, name_value(vm, nothing[i]), VALUE_NONE);
    gc_barrier(vm, module);
    return ok;
}

static Value make(GenVM *vm, Type *type) {
    Module *module = gc_new(vm, sizeof *module, TYPE_MODULE);
    if (!module) return VALUE_ERROR;
    module->header.shape = type->root_shape;
    module->name = VALUE_NONE;
    return object_value(module);
}

Value module_new(GenVM *vm, Value name) {
    Value module = make(vm, vm->types[TYPE_MODULE]);
    if (module == VALUE_ERROR || !fill(vm, self_module(module), name, VALUE_NONE))
        return VALUE_ERROR;
    return module;
}

Value module_new_shared(GenVM *vm, const SharedModule *from, uint32_t more) {
    Value module = make(vm, vm->types[TYPE_MODULE]), dict = dict_new(vm);
    if (module == VALUE_ERROR || dict == VALUE_ERROR ||
        !dict_fill(vm, AS_DICT(dict), from->entries, from->count, from->count + more))
        return VALUE_ERROR;
    self_module(module)->dict = AS_DICT(dict);
    self_module(module)->name = from->name;
    return module;
}

static void trace(GenVM *vm, Object *object) {
    Module *module = (Module *)object;
    gc_mark_pointer(vm, module->dict);
    gc_mark(vm, module->name);
    gc_mark_pointer(vm, module->state_owner);
    gc_mark(vm, module->original);
}

static Value module_construct(GenVM *vm, Value *args) {
    Value module = make(vm, type_from(args[0]));
    if (module == VALUE_ERROR || !fill(vm, self_module(module), args[1], args[2]))
        return VALUE_ERROR;
    return module;
}

static Value method_make(GenVM *vm, Value *args) {
    return make(vm, type_from(args[0]));
}

static Value method_init(GenVM *vm, Value *args) {
    return fill(vm, self_module(args[0]), args[1], args[2]) ? VALUE_NONE : VALUE_ERROR;
}

static Value repr(GenVM *vm, Value self) {
    const Module *module = self_module(self);
    Value spec =
        module->dict ? dict_get_str(vm, module->dict, name_value(vm, NAME___spec__)) : VALUE_UNSET;
    if (spec != VALUE_UNSET && spec != VALUE_NONE)
        return native_twin(vm, TWIN_MODULE_REPR, 1, spec);
    Value name =
        module->dict ? dict_get_str(vm, module->dict, name_value(vm, NAME___name__)) : VALUE_UNSET;
    if (name == VALUE_UNSET || !value_is_str(name)) name = vm->characters['?'];
    Value file =
        module->dict ? dict_get_str(vm, module->dict, name_value(vm, NAME___file__)) : VALUE_UNSET;
    if (file != VALUE_UNSET && value_is_str(file))
        return str_format(vm, "<module %V from %V>", name, file);
    Value loader = module->dict ? dict_get_str(vm, module->dict, name_value(vm, NAME___loader__))
                                : VALUE_UNSET;
    bool known = dict_get_str(vm, vm->modules, name) == self && !str_is(name, "__main__");
    if (loader == VALUE_UNSET || !known) return str_format(vm, "<module %V>", name);
    return str_format(vm, "<module %V (built-in)>", name);
}

static Value get_dict(GenVM *vm, Value self) {
    (void)vm;
    return self_module(self)->dict ? object_value(self_module(self)->dict) : VALUE_NONE;
}

static Value get_annotations(GenVM *vm, Value self) {
    Dict *dict = self_module(self)->dict;
    Value known = dict_get_str(vm, dict, name_value(vm, NAME___annotations__));
    if (known != VALUE_UNSET) return known;
    Value annotate = dict_get_str(vm, dict, name_value(vm, NAME___annotate__));
    if (annotate != VALUE_UNSET && annotate != VALUE_NONE)
        return native_twin(vm, TWIN_ANNOTATIONS, 2, self, annotate);
    Value empty = dict_new(vm);
    if (empty == VALUE_ERROR ||
        !dict_set_str(vm, dict, name_value(vm, NAME___annotations__), empty))
        return VALUE_ERROR;
    return empty;
}

static bool set_annotations(GenVM *vm, Value self, Value value) {
    Value name = name_value(vm, NAME___annotations__);
    if (value != VALUE_UNSET) return dict_set_str(vm, self_module(self)->dict, name, value);
    if (dict_delete_str(vm, self_module(self)->dict, name)) return true;
    raise_attribute(vm, self, name);
    return false;
}

static Value get_annotate(GenVM *vm, Value self) {
    Value annotate = dict_get_str(vm, self_module(self)->dict, name_value(vm, NAME___annotate__));
    return annotate == VALUE_UNSET ? VALUE_NONE : annotate;
}

static bool set_annotate(GenVM *vm, Value self, Value value) {
    if (value == VALUE_UNSET) {
        raise_type(vm, "cannot delete __annotate__ attribute");
        return false;
    }
    return dict_set_str(vm, self_module(self)->dict, name_value(vm, NAME___annotate__), value);
}

static Value method_dir(GenVM *vm, Value *args) {
    Dict *dict = self_module(args[0])->dict;
    Value hook = dict_get_str(vm, dict, vm->special_names[SP_DIR]);
    if (hook != VALUE_UNSET) return native_call(vm, hook, 0);
    Value names = list_new(vm, dict->count), key, value;
    uint32_t position = 0;
    while (names != VALUE_ERROR && dict_next(dict, &position, &key, &value))
        if (!list_append(vm, names, key)) return VALUE_ERROR;
    return names;
}

static const NativeDef construct = {"module(cls, name: str, doc=None)", module_construct, NULL};

static const NativeDef methods[] = {
    {"static __new__(cls, /, *args, **kwargs)", method_make, "Create and return a new object."},
    {"__init__(self, name: str, doc=None)", method_init, "Initialize self."},
    {"__dir__(self, /)", method_dir, "List of the module's names."},
    {0},
};

static const AttributeDef attributes[] = {
    {"__dict__", get_dict, NULL, NULL},
    {"__annotations__", get_annotations, set_annotations, NULL},
    {"__annotate__", get_annotate, set_annotate, NULL},
    {0},
};

const BuiltinType module_type = {
    .name = "module",
    .flags = TYPE_HAS_DICT,
    .size = sizeof(Module),
    .doc = "Create a module object.",
    .construct = &construct,
    .methods = methods,
    .attributes = attributes,
    .slots = {.repr = repr, .getattr = module_getattr, .trace = trace},
};
