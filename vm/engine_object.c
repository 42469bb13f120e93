/* engine_object.c - what stdlib/prelude/classes.gen, operators.gen, exceptions.gen and generics.gen
 * need of the object model: natives of the hidden module _engine. */
#include "vm/engine_module.h"
#include "vm/operations.h"
#include "vm/type_private.h"

/* bind(raw, object, cls): what the raw class attribute gives for the object (None: for the class).
 */
static Value bind(GenVM *vm, Value *args) {
    return attribute_bind(vm, args[0], args[1] == VALUE_NONE ? VALUE_UNSET : args[1],
                          type_from(args[2]));
}

/* bind_to(raw, object) */
static Value bind_to(GenVM *vm, Value *args) {
    return attribute_bind(vm, args[0], args[1], type_of(vm, args[1]));
}

static Value class_of(GenVM *vm, Value *args) {
    return object_value(type_of(vm, args[0]));
}

static Value is_subtype(GenVM *vm, Value *args) {
    (void)vm;
    return bool_value(type_is_subclass(type_from(args[0]), type_from(args[1])));
}

static Value to_ascii(GenVM *vm, Value *args) {
    return repr_to_ascii(vm, args[0]);
}

static Value new_class(GenVM *vm, Value *args) {
    return type_new_plain(vm, args);
}

static Value metatype(GenVM *vm, Value *args) {
    const Tuple *bases = AS_TUPLE(args[1]);
    for (uint64_t i = 0; i < bases->count; i++)
        if (!is_type(bases->items[i]))
            return args[0]; /* whoever makes the class will say what it takes */
    Type *winner = type_metatype(vm, type_from(args[0]), AS_TUPLE(args[1]));
    return winner ? object_value(winner) : VALUE_ERROR;
}

/* keep_annotations(owner, dict): what __annotate__ answered, for the next time. */
static Value keep_annotations(GenVM *vm, Value *args) {
    Value name = name_value(vm, NAME___annotations__);
    if (is_kind(args[0], TYPE_FUNCTION)) {
        AS(Function, args[0])->annotations = args[1];
        gc_barrier(vm, as_object(args[0]));
        return VALUE_NONE;
    }
    bool is_open = is_type(args[0]) && !type_from(args[0])->is_builtin;
    if (!is_open && !is_kind(args[0], TYPE_MODULE))
        return raise_type(vm, "'%T' object keeps no annotations", args[0]);
    bool ok = is_open ? type_set_attribute(vm, type_from(args[0]), name, args[1])
                      : dict_set_str(vm, AS(Module, args[0])->dict, name, args[1]);
    return ok ? VALUE_NONE : VALUE_ERROR;
}

/* cell_class(namespace): the __classcell__ of a class body's namespace, None without. */
static Value class_cell(GenVM *vm, Value *args) {
    if (!is_kind(args[0], TYPE_DICT)) return VALUE_NONE;
    Value cell = dict_get_str(vm, AS_DICT(args[0]), name_value(vm, NAME___classcell__));
    return is_kind(cell, TYPE_CELL) ? cell : VALUE_NONE;
}

/* Is what the object is all in its class, its attributes, its items and __getnewargs__? */
static Value can_reduce(GenVM *vm, Value *args) {
    switch (type_of(vm, args[0])->instance_kind) {
    case TYPE_OBJECT:
    case TYPE_LIST:
    case TYPE_DICT:
    case TYPE_NAMESPACE: return VALUE_TRUE;
    default: break;
    }
    Value method = attribute_find(vm, args[0], name_value(vm, NAME___getnewargs__));
    return method == VALUE_ERROR ? VALUE_ERROR : bool_value(method != VALUE_UNSET);
}

static Value copy_exception_context(GenVM *vm, Value *args) {
    return exception_copy_context(vm, args[0], args[1]) ? VALUE_NONE : VALUE_ERROR;
}

/* with_dict(object, dict, function, *args): object.__dict__ = dict, then the call; no other thread
 * comes in between. */
static Value with_dict(GenVM *vm, Value *args) {
    if (!instance_dict_replace(vm, args[0], AS_DICT(args[1])))
        return vm->exception != VALUE_UNSET
                   ? VALUE_ERROR
                   : raise_type(vm, "'%T' object has no __dict__ to replace", args[0]);
    return native_call_spread(vm, args[2], args[3], VALUE_UNSET);
}

/* own_dict(object): the attributes that it holds itself; None where it has no place for any or its
 * kind keeps them elsewhere. */
static Value own_dict(GenVM *vm, Value *args) {
    const Type *cls = type_of(vm, args[0]);
    if (cls->is_builtin || !cls->has_instance_dict) return VALUE_NONE;
    Dict *dict = instance_dict(vm, args[0]);
    if (!dict) return vm->exception != VALUE_UNSET ? VALUE_ERROR : VALUE_NONE;
    return object_value(dict);
}

const NativeDef engine_object_natives[] = {
    {"own_dict(object, /)", own_dict, NULL},
    {"bind(raw, object, cls: type, /)", bind, NULL},
    {"bind_to(raw, object, /)", bind_to, NULL},
    {"class_of(object, /)", class_of, NULL},
    {"is_subtype(cls: type, base: type, /)", is_subtype, NULL},
    {"to_ascii(text: str, /)", to_ascii, NULL},
    {"new_class(name, bases: tuple, namespace: dict, /)", new_class, NULL},
    {"has_own_mro(cls: type, /)", type_has_own_mro, NULL},
    {"set_mro(cls: type, mro: tuple, /)", type_set_mro, NULL},
    {"metatype(metatype: type, bases: tuple, /)", metatype, NULL},
    {"keep_annotations(owner, annotations: dict, /)", keep_annotations, NULL},
    {"class_cell(namespace: dict, /)", class_cell, NULL},
    {"can_reduce(object, /)", can_reduce, NULL},
    {"copy_exception_context(source: exception, target: exception, /)", copy_exception_context,
     NULL},
    {"with_dict(object, dict: dict, function, /, *args)", with_dict, NULL},
    {0},
};
