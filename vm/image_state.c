/* image_state.c - what a task or a VM brings along besides its values: a tuple, by State. What the
 * module sys has set for all scripts of the VM; what has been changed in the library's namespaces
 * (image_modules.c); and the state that modules of the library keep in
 * instances among their globals (the current context, the generator behind random.random()), whose
 * names they list in `_image_state`: (instance, tuple of its slots, dict of its attributes) each.
 */
#include "vm/frame.h"
#include "vm/image_private.h"
#include "vm/threads.h"
#include "vm/type_private.h"

enum State {
    STATE_FIRSTITER,
    STATE_FINALIZER,
    STATE_RECURSION,
    STATE_DIGITS,
    STATE_INSTANCES,
    STATE_CHANGES,
    STATE_ALIASES,
    STATE_ORIGIN,    /* frames that coroutines note */
    STATE_INTERVAL,  /* of sys.setswitchinterval */
    STATE_INTERRUPT, /* what is called at a signal; None: nothing */
    STATE_WARNINGS,  /* of the compiler, which nobody has been told yet; None: none */
    STATE_DUE,       /* objects that wait for their finalizers: a list */
    STATE_CLASSES,   /* what is set on the library's classes */
    STATE_COUNT
};

/* ---- instances ---- */

/* NotImplemented stands for a slot that is not set. */
static Value state_of(GenVM *vm, Value v) {
    Value names[INSTANCE_SLOTS_MOST], values[INSTANCE_SLOTS_MOST];
    const Instance *instance = AS(Instance, v);
    const Type *type = type_of(vm, v);
    Dict *own;
    uint32_t count = instance_attributes(vm, v, names, values, &own);
    Value slots = tuple_new(vm, type->member_count);
    Value dict = own ? object_value(own) : dict_new(vm);
    if (slots == VALUE_ERROR || dict == VALUE_ERROR) return VALUE_ERROR;
    for (uint32_t i = 0; i < type->member_count; i++)
        AS_TUPLE(slots)->items[i] =
            instance->slots[i] == VALUE_UNSET ? VALUE_NOT_IMPLEMENTED : instance->slots[i];
    for (uint32_t i = 0; !own && i < count; i++)
        if (!dict_set_str(vm, AS_DICT(dict), names[i], values[i])) return VALUE_ERROR;
    return tuple_pack(vm, 3, v, slots, dict);
}

static bool is_plain_instance(GenVM *vm, Value v) {
    return is_kind(v, TYPE_OBJECT) && !type_of(vm, v)->is_builtin;
}

static bool add_instances(GenVM *vm, const Module *module, Value list) {
    Value names = dict_get_str(vm, module->dict, str_intern_from(vm, "_image_state", 12));
    if (!is_kind(names, TYPE_TUPLE)) return true;
    for (uint64_t i = 0; i < AS_TUPLE(names)->count; i++) {
        Value name = AS_TUPLE(names)->items[i];
        Value v = value_is_str(name) ? dict_get_str(vm, module->dict, name) : VALUE_UNSET;
        if (!is_plain_instance(vm, v)) continue;
        Value state = state_of(vm, v);
        if (state == VALUE_ERROR || !list_append(vm, list, state)) return false;
    }
    return true;
}

static Value instances_of_library(GenVM *vm) {
    Value list = list_new(vm, 0), name, module;
    uint32_t position = 0;
    if (list == VALUE_ERROR) return list;
    while (dict_next(vm->modules, &position, &name, &module))
        if (is_kind(module, TYPE_MODULE) && image_is_library(vm, name) &&
            AS(Module, module)->dict && !add_instances(vm, AS(Module, module), list))
            return VALUE_ERROR;
    return list;
}

static bool check_instance(GenVM *vm, Value state) {
    if (!is_kind(state, TYPE_TUPLE) || AS_TUPLE(state)->count != 3) return false;
    const Value *items = AS_TUPLE(state)->items;
    if (!is_plain_instance(vm, items[0]) || !is_kind(items[1], TYPE_TUPLE) ||
        !is_kind(items[2], TYPE_DICT))
        return false;
    const Type *type = type_of(vm, items[0]);
    Value name, value;
    for (uint32_t at = 0; dict_next(AS_DICT(items[2]), &at, &name, &value);)
        if (!is_exact(name, TYPE_STR)) return false;
    return AS_TUPLE(items[1])->count == type->member_count &&
           (type->has_dict || AS_DICT(items[2])->count == 0);
}

static bool take_instance(GenVM *vm, Value state) {
    const Value *items = AS_TUPLE(state)->items;
    Instance *instance = AS(Instance, items[0]);
    const Tuple *slots = AS_TUPLE(items[1]);
    Value name, value;
    for (uint64_t i = 0; i < slots->count; i++)
        instance->slots[i] =
            slots->items[i] == VALUE_NOT_IMPLEMENTED ? VALUE_UNSET : slots->items[i];
    gc_barrier(vm, instance);
    for (uint32_t at = 0; dict_next(AS_DICT(items[2]), &at, &name, &value);) {
        name = name_interned(vm, name);
        if (name == VALUE_ERROR || !instance_set(vm, items[0], name, value)) return false;
    }
    return true;
}

/* ---- other names of modules ---- */

/* What stands in sys.modules under a name that is not its own: (name, object) each. Scripts put it
 * there, and modules of the library (os.path), some of whose imports may be under way. */
static Value aliases_of_library(ImageWriter *w) {
    GenVM *vm = w->vm;
    Value list = list_new(vm, 0), name, module;
    if (list == VALUE_ERROR) return list;
    for (uint32_t at = 0; dict_next(vm->modules, &at, &name, &module);) {
        Value own = is_kind(module, TYPE_MODULE) ? AS(Module, module)->name : VALUE_NONE;
        if (!is_exact(name, TYPE_STR) || image_is_always_there(name) ||
            (value_is_str(own) && str_equal(own, name)))
            continue;
        Value alias = tuple_pack(vm, 2, name, module);
        if (alias == VALUE_ERROR || !list_append(vm, list, alias)) return VALUE_ERROR;
    }
    return list;
}

static bool check_aliases(Value list) {
    if (!is_kind(list, TYPE_LIST)) return false;
    for (uint64_t i = 0; i < AS_LIST(list)->count; i++) {
        Value alias = AS_LIST(list)->items[i];
        if (!is_kind(alias, TYPE_TUPLE) || AS_TUPLE(alias)->count != 2) return false;
        const Value *items = AS_TUPLE(alias)->items;
        if (!is_exact(items[0], TYPE_STR) || image_is_always_there(items[0])) return false;
    }
    return true;
}

static bool take_aliases(GenVM *vm, const List *list) {
    for (uint64_t i = 0; i < list->count; i++) {
        const Value *items = AS_TUPLE(list->items[i])->items;
        Value name = name_interned(vm, items[0]);
        if (name == VALUE_ERROR || !dict_set_str(vm, vm->modules, name, items[1])) return false;
    }
    return true;
}

/* Modules of a package that had not been imported when the image was made may be there already, as
 * other modules that the image needs import them: where the package comes from the image, because
 * its own import was under way, they are to be its attributes as if they had been imported now. */
static bool bind_children(GenVM *vm) {
    Value name, module;
    for (uint32_t at = 0; dict_next(vm->modules, &at, &name, &module);) {
        if (!is_kind(module, TYPE_MODULE) || !is_exact(name, TYPE_STR)) continue;
        const Str *text = AS_STR(name);
        const char *dot = memrchr(text->data, '.', text->size);
        if (!dot) continue;
        size_t size = (size_t)(dot - text->data);
        Value package =
            dict_get_str(vm, vm->modules, str_intern_from(vm, text->data, (uint32_t)size));
        Value child = str_intern_from(vm, dot + 1, text->size - size - 1);
        if (vm->exception != VALUE_UNSET) return false;
        if (!is_kind(package, TYPE_MODULE) || !image_is_library(vm, name)) continue;
        Dict *dict = AS(Module, package)->dict;
        if (dict_get_str(vm, dict, child) == VALUE_UNSET && !dict_set_str(vm, dict, child, module))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

static Value or_none(Value v) {
    return v == VALUE_UNSET ? VALUE_NONE : v;
}

static Value state_now(ImageWriter *w, Value task) {
    GenVM *vm = w->vm;
    if (vm->signals && !vm->signals(vm, SIGNALS_KEEP, NULL)) return VALUE_ERROR;
    Value instances = instances_of_library(vm);
    Value changes = instances == VALUE_ERROR ? instances : image_module_changes(w);
    Value aliases = changes == VALUE_ERROR ? changes : aliases_of_library(w);
    Value classes = aliases == VALUE_ERROR ? aliases : image_class_changes(w);
    Value due = classes == VALUE_ERROR ? classes : image_due(w, task);
    if (due == VALUE_ERROR) return VALUE_ERROR;
    return tuple_pack(
        vm, STATE_COUNT, or_none(vm->roots[ROOT_FIRSTITER]), or_none(vm->roots[ROOT_FINALIZER]),
        int_value((int64_t)vm->recursion_limit), int_value(vm->int_digit_limit), instances, changes,
        aliases, int_value((int64_t)vm->origin_depth), int_value((int64_t)vm->switch_interval),
        or_none(vm->roots[ROOT_ON_INTERRUPT]), or_none(vm->roots[ROOT_WARNINGS]), due, classes);
}

Value image_state(ImageWriter *w, Value task_or_unset) {
    if (!is_kind(task_or_unset, TYPE_TASK)) return state_now(w, VALUE_UNSET);
    Value outer[THREAD_KEPT];
    threads_keep(w->vm, outer);
    threads_take(w->vm, AS(Task, task_or_unset)->state.kept);
    Value state = state_now(w, task_or_unset);
    threads_take(w->vm, outer);
    return state;
}

/* Is it possible to set the handlers of signals that come along? */
static bool check_signals(GenVM *vm, const List *changes) {
    for (uint64_t i = 0; vm->signals && i < changes->count; i++) {
        const Value *items = AS_TUPLE(changes->items[i])->items;
        if (!str_is(items[0], "signal")) continue;
        Value handlers = dict_get_str(vm, AS_DICT(items[1]), str_intern_from(vm, "_handlers", 9));
        if (is_kind(handlers, TYPE_DICT) && !vm->signals(vm, SIGNALS_CHECK, AS_DICT(handlers)))
            return false;
    }
    return true;
}

bool image_check_state(ImageReader *r, Value state) {
    const Value *items = is_kind(state, TYPE_TUPLE) && AS_TUPLE(state)->count == STATE_COUNT
                             ? AS_TUPLE(state)->items
                             : NULL;
    bool ok = items && is_int(items[STATE_RECURSION]) && is_int(items[STATE_DIGITS]) &&
              as_int(items[STATE_RECURSION]) > 0 && as_int(items[STATE_RECURSION]) <= INT32_MAX &&
              as_int(items[STATE_DIGITS]) >= -1 && as_int(items[STATE_DIGITS]) <= INT32_MAX;
    ok = ok && is_kind(items[STATE_INSTANCES], TYPE_LIST);
    const List *instances = ok ? AS_LIST(items[STATE_INSTANCES]) : NULL;
    for (uint64_t i = 0; ok && i < instances->count; i++)
        ok = check_instance(r->vm, instances->items[i]);
    ok = ok && is_int(items[STATE_ORIGIN]) && as_int(items[STATE_ORIGIN]) >= 0 &&
         is_int(items[STATE_INTERVAL]) && as_int(items[STATE_INTERVAL]) >= 0 &&
         (items[STATE_WARNINGS] == VALUE_NONE || is_kind(items[STATE_WARNINGS], TYPE_LIST));
    ok = ok && image_check_due(items[STATE_DUE]) &&
         image_check_class_changes(items[STATE_CLASSES]) &&
         image_check_changes(r, items[STATE_CHANGES]) && check_aliases(items[STATE_ALIASES]);
    if (!ok) return image_bad(r, "settings that are none");
    return check_signals(r->vm, AS_LIST(items[STATE_CHANGES]));
}

static void take_root(GenVM *vm, uint32_t root, Value v) {
    vm->roots[root] = v == VALUE_NONE ? VALUE_UNSET : v;
}

static bool take_state(GenVM *vm, Value state) {
    const Value *items = AS_TUPLE(state)->items;
    take_root(vm, ROOT_FIRSTITER, items[STATE_FIRSTITER]);
    take_root(vm, ROOT_FINALIZER, items[STATE_FINALIZER]);
    take_root(vm, ROOT_ON_INTERRUPT, items[STATE_INTERRUPT]);
    take_root(vm, ROOT_WARNINGS, items[STATE_WARNINGS]);
    vm->origin_depth = (uint64_t)as_int(items[STATE_ORIGIN]);
    vm->switch_interval = (uint64_t)as_int(items[STATE_INTERVAL]);
    vm->int_digit_limit = as_int(items[STATE_DIGITS]);
    vm->recursion_limit = (uint64_t)as_int(items[STATE_RECURSION]);
    frame_reset_limit(vm);
    const List *instances = AS_LIST(items[STATE_INSTANCES]);
    for (uint64_t i = 0; i < instances->count; i++)
        if (!take_instance(vm, instances->items[i])) return false;
    return take_aliases(vm, AS_LIST(items[STATE_ALIASES])) && bind_children(vm) &&
           image_take_changes(vm, items[STATE_CHANGES]) &&
           image_take_class_changes(vm, AS_LIST(items[STATE_CLASSES])) &&
           image_take_due(vm, items[STATE_DUE]) &&
           (!vm->signals || vm->signals(vm, SIGNALS_TAKE, NULL));
}

/* What the threads and tasks of the VM have each for itself, the task has from the image. */
bool image_take_state(GenVM *vm, Value state, Task *task_or_null) {
    if (!task_or_null) return take_state(vm, state);
    Value outer[THREAD_KEPT];
    threads_keep(vm, outer);
    bool ok = take_state(vm, state);
    threads_keep(vm, task_or_null->state.kept);
    gc_barrier(vm, task_or_null);
    threads_take(vm, outer);
    return ok;
}
