/* super.c - super(): attribute lookup that starts behind a class in an object's MRO. `super().name`
 * in a method needs no super object (the instruction LDSUPER calls super_get); the object is for
 * all other uses. */
#include "vm/code.h"
#include "vm/frame.h"
#include "vm/type_private.h"

static Super *self_super(Value self) {
    return AS(Super, self);
}

static void trace(GenVM *vm, Object *object) {
    gc_mark_pointer(vm, ((Super *)object)->type);
    gc_mark(vm, ((Super *)object)->obj);
    gc_mark_pointer(vm, ((Super *)object)->obj_type);
}

/* The class whose MRO counts: obj itself when it is a class below `type`, else obj's class. NULL +
 * TypeError. */
static Type *check(GenVM *vm, Type *type, Value obj) {
    if (is_type(obj) && type_is_subclass(type_from(obj), type)) return type_from(obj);
    Type *of = type_of(vm, obj);
    if (type_is_subclass(of, type)) return of;
    Value cls = attribute_find(vm, obj, name_value(vm, NAME___class__));
    if (cls == VALUE_ERROR) return NULL;
    if (cls != VALUE_UNSET && is_type(cls) && type_is_subclass(type_from(cls), type))
        return type_from(cls);
    raise_type(vm, "super(type, obj): obj (%s %N) is not an instance or subtype of type (%N).",
               is_type(obj) ? "type" : "instance of", is_type(obj) ? type_from(obj) : of, type);
    return NULL;
}

static Value find_behind(GenVM *vm, const Type *type, Type *obj_type, Value name) {
    const Tuple *mro = obj_type->mro;
    uint64_t i = 0;
    while (i < mro->count && type_from(mro->items[i]) != type)
        i++;
    for (i++; i < mro->count; i++) {
        Dict *dict = type_dict_for_lookup(vm, type_from(mro->items[i]));
        Value found = dict ? dict_get_str(vm, dict, name) : VALUE_UNSET;
        if (found != VALUE_UNSET) return found;
    }
    return VALUE_UNSET;
}

Value super_lookup(GenVM *vm, Type *type, Value obj, Value name) {
    Type *obj_type = check(vm, type, obj);
    return obj_type ? find_behind(vm, type, obj_type, name) : VALUE_ERROR;
}

static Value bind(GenVM *vm, Value raw, Value obj, Type *obj_type) {
    bool of_class = is_type(obj) && type_from(obj) == obj_type;
    return attribute_bind(vm, raw, of_class ? VALUE_UNSET : obj, obj_type);
}

Value super_get(GenVM *vm, Type *type, Value obj, Value name) {
    Type *obj_type = check(vm, type, obj);
    if (!obj_type) return VALUE_ERROR;
    if (name == name_value(vm, NAME___class__)) return object_value(vm->types[TYPE_SUPER]);
    Value raw = find_behind(vm, type, obj_type, name);
    if (raw != VALUE_UNSET) return bind(vm, raw, obj, obj_type);
    raise_error(vm, EXC_ATTRIBUTE_ERROR, "'super' object has no attribute '%S'", name);
    return attribute_error_context(vm, obj, name);
}

Value super_method(GenVM *vm, Type *type, Value obj, Value name) {
    Type *obj_type = check(vm, type, obj);
    if (!obj_type) return VALUE_ERROR;
    if (is_type(obj) && type_from(obj) == obj_type) return VALUE_UNSET;
    Value raw = find_behind(vm, type, obj_type, name);
    bool plain = is_kind(raw, TYPE_FUNCTION) || (is_kind(raw, TYPE_NATIVE_METHOD) &&
                                                 !(as_object(raw)->flags & NATIVE_CLASSMETHOD));
    return plain ? raw : VALUE_UNSET;
}

Value super_new(GenVM *vm, Type *type, Value obj) {
    Type *obj_type = obj == VALUE_UNSET ? NULL : check(vm, type, obj);
    if (obj != VALUE_UNSET && !obj_type) return VALUE_ERROR;
    Super *super = gc_new(vm, sizeof *super, TYPE_SUPER);
    if (!super) return VALUE_ERROR;
    super->type = type;
    super->obj = obj;
    super->obj_type = obj_type;
    return object_value(super);
}

/* ---- super() without arguments: the method's __class__ cell and its first argument ---- */

static Value first_argument(GenVM *vm, const Code *code) {
    Value *base = vm->base;
    Value v = base[0];
    for (uint64_t i = 0; code->cellvars && i < code->cellvars->count; i++)
        if (code->cell_regs[i] == 0 && is_kind(v, TYPE_CELL)) v = AS(Cell, v)->value;
    return v == VALUE_UNSET ? raise_runtime(vm, "super(): arg[0] deleted") : v;
}

static Value class_cell(GenVM *vm, const Function *function) {
    const Tuple *names = function->code->freevars;
    for (uint64_t i = 0; names && function->closure && i < names->count; i++) {
        if (names->items[i] != name_value(vm, NAME___class__)) continue;
        Value cls = AS(Cell, function->closure->items[i])->value;
        if (cls == VALUE_UNSET) return raise_runtime(vm, "super(): empty __class__ cell");
        if (!is_type(cls)) return raise_runtime(vm, "super(): __class__ is not a type (%T)", cls);
        return cls;
    }
    return raise_runtime(vm, "super(): __class__ cell not found");
}

static Value super_of_frame(GenVM *vm) {
    const Function *function = frame_function(vm->base);
    if (function->code->arg_count == 0 && !(function->code->flags & CODE_VARARGS))
        return raise_runtime(vm, "super(): no arguments");
    Value obj = first_argument(vm, function->code);
    Value cls = obj == VALUE_ERROR ? VALUE_ERROR : class_cell(vm, function);
    return cls == VALUE_ERROR ? VALUE_ERROR : super_new(vm, type_from(cls), obj);
}

static Value super_construct(GenVM *vm, Value *args) {
    if (args[1] == VALUE_UNSET) return super_of_frame(vm);
    if (!is_type(args[1]))
        return raise_type(vm, "super() argument 1 must be a type, not %T", args[1]);
    return super_new(vm, type_from(args[1]), args[2] == VALUE_NONE ? VALUE_UNSET : args[2]);
}

/* ---- operations ---- */

static Value getattr(GenVM *vm, Value self, Value name) {
    const Super *super = self_super(self);
    if (!super->obj_type || name == name_value(vm, NAME___class__))
        return object_getattr(vm, self, name);
    if (!intern_name(vm, &name)) return VALUE_ERROR;
    Value raw = find_behind(vm, super->type, super->obj_type, name);
    if (raw != VALUE_UNSET) return bind(vm, raw, super->obj, super->obj_type);
    return object_getattr(vm, self, name);
}

static Value repr(GenVM *vm, Value self) {
    const Super *super = self_super(self);
    if (!super->obj_type) return str_format(vm, "<super: <class '%N'>, NULL>", super->type);
    return str_format(vm, "<super: <class '%N'>, <%N object>>", super->type, super->obj_type);
}

static Value descr_get(GenVM *vm, Value self, Value instance, Value owner) {
    (void)owner;
    if (instance == VALUE_UNSET || self_super(self)->obj_type) return self;
    return super_new(vm, self_super(self)->type, instance);
}

static Value get_this_class(GenVM *vm, Value self) {
    return (void)vm, object_value(self_super(self)->type);
}
static Value get_self(GenVM *vm, Value self) {
    (void)vm;
    return self_super(self)->obj == VALUE_UNSET ? VALUE_NONE : self_super(self)->obj;
}
static Value get_self_class(GenVM *vm, Value self) {
    (void)vm;
    return self_super(self)->obj_type ? object_value(self_super(self)->obj_type) : VALUE_NONE;
}

static const NativeDef construct = {"super(cls, type=?, object_or_type=?, /)", super_construct,
                                    NULL};

static const AttributeDef attributes[] = {
    {"__thisclass__", get_this_class, NULL, "the class invoking super()"},
    {"__self__", get_self, NULL, "the instance invoking super(); may be None"},
    {"__self_class__", get_self_class, NULL,
     "the type of the instance invoking super(); may be None"},
    {0},
};

const BuiltinType super_type = {
    .name = "super",
    .flags = TYPE_FINAL,
    .size = sizeof(Super),
    .doc = "super() -> same as super(__class__, <first argument>)\nsuper(type) -> unbound super "
           "object\n"
           "super(type, obj) -> bound super object; requires isinstance(obj, type)\n"
           "super(type, type2) -> bound super object; requires issubclass(type2, type)",
    .construct = &construct,
    .attributes = attributes,
    .slots = {.repr = repr, .getattr = getattr, .descr_get = descr_get, .trace = trace},
};
