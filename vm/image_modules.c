/* image_modules.c - what has been changed in the namespaces of the library's modules, of which an
 * image has only the names: by scripts (`builtins.print = ...`, `math.x = 1`, another sys.stdout)
 * and by the modules' own functions (`global count`).
 *
 * What a namespace was at first is kept in Module.original, a tuple of names and values by turns:
 * of a module in Gen or C from the end of its import on, of builtins and sys from the first source
 * that is compiled on (so that what a host adds beforehand is its own matter). In an image goes,
 * for each module with changes, (name, dict of what is new or another, tuple of names taken out).
 *
 * Only the names are compared: what a module's containers hold is not looked at, but for sys.path
 * and sys.argv, and those that the module lists in `_image_state`, which go whole (for instances
 * that hold its state see image_state.c). So do those that a file of the prelude lists.
 *
 * Of a class of the library it is noted, from the end of its import on, which of its attributes
 * have been set: in an image (class, name, value) of each, without the value where it is gone.
 */
#include "vm/image_private.h"
#include "vm/shared.h"
#include "vm/type_private.h"

enum { SYS_LISTS = 2 };

bool image_keep_original(GenVM *vm, Module *module) {
    if (!module->dict) return true;
    Value name, value, tuple = tuple_new(vm, module->dict->count * 2);
    if (tuple == VALUE_ERROR) return false;
    uint64_t count = 0;
    for (uint32_t at = 0; dict_next(module->dict, &at, &name, &value);) {
        AS_TUPLE(tuple)->items[count++] = name;
        AS_TUPLE(tuple)->items[count++] = value;
        if (is_type(value) && !type_from(value)->is_builtin) type_from(value)->notes_changes = true;
    }
    module->original = tuple;
    gc_barrier(vm, module);
    return true;
}

/* Are builtins as they were: then what all VMs share says so. */
static bool keep_shared(GenVM *vm, Module *module) {
    const SharedModule *shared = &vm->shared->builtins;
    const Dict *dict = module->dict;
    if (dict != vm->builtins || dict->used != shared->count || dict->count != shared->count)
        return false;
    for (uint32_t i = 0; i < shared->count; i++)
        if (dict->entries[i].key != shared->entries[i].key ||
            dict->entries[i].value != shared->entries[i].value)
            return false;
    module->original = object_value(shared->original);
    return true;
}

/* These are changed in place: what they hold at first is kept, too. */
static const Name sys_lists[SYS_LISTS] = {NAME_path, NAME_argv};

static Value sys_list(GenVM *vm, int which) {
    Value list =
        is_kind(vm->sys_module, TYPE_MODULE)
            ? dict_get_str(vm, AS(Module, vm->sys_module)->dict, name_value(vm, sys_lists[which]))
            : VALUE_UNSET;
    return is_exact(list, TYPE_LIST) ? list : VALUE_UNSET;
}

static bool keep_sys_lists(GenVM *vm) {
    Value kept = list_new(vm, 0);
    for (int i = 0; kept != VALUE_ERROR && i < SYS_LISTS; i++) {
        Value list = sys_list(vm, i), copy = list_new(vm, 0);
        bool ok = copy != VALUE_ERROR && list_append(vm, kept, copy);
        for (uint64_t at = 0; ok && list != VALUE_UNSET && at < AS_LIST(list)->count; at++)
            ok = list_append(vm, copy, AS_LIST(list)->items[at]);
        if (!ok) return false;
    }
    if (kept != VALUE_ERROR) vm->roots[ROOT_SYS_LISTS] = kept;
    return kept != VALUE_ERROR;
}

bool image_keep_builtins(GenVM *vm) {
    if (vm->roots[ROOT_SYS_LISTS] == VALUE_UNSET && !keep_sys_lists(vm)) return false;
    static const Name names[] = {NAME_builtins, NAME_sys};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Value module = dict_get_str(vm, vm->modules, name_value(vm, names[i]));
        if (is_kind(module, TYPE_MODULE) && !is_kind(AS(Module, module)->original, TYPE_TUPLE) &&
            !keep_shared(vm, AS(Module, module)) && !image_keep_original(vm, AS(Module, module)))
            return false;
    }
    return true;
}

/* ---- saving ---- */

static const Tuple *original_of(Value module) {
    if (!is_kind(module, TYPE_MODULE) || !AS(Module, module)->dict) return NULL;
    Value original = AS(Module, module)->original;
    return is_kind(original, TYPE_TUPLE) ? AS_TUPLE(original) : NULL;
}

/* Is that something of a host or in C that is found by its name: the other side has it, or does not
 * want it. */
static bool is_at_home(GenVM *vm, const Module *module, Value name, Value value) {
    if (is_type(value)) return image_is_host_type(vm, type_from(value));
    if (!is_kind(value, TYPE_NATIVE)) return false;
    const NativeFunction *native = AS(NativeFunction, value);
    Value home = value_is_str(native->module) ? native->module : name_value(vm, NAME_builtins);
    return native->self == VALUE_UNSET && str_equal(home, module->name) &&
           str_equal(native->name, name);
}

bool image_is_original(const Module *module, Value name, Value value) {
    if (!is_kind(module->original, TYPE_TUPLE)) return true;
    const Tuple *original = AS_TUPLE(module->original);
    for (uint64_t i = 0; i < original->count; i += 2)
        if (original->items[i] == name) return original->items[i + 1] == value;
    return false;
}

bool image_is_called(const Module *module, Value name) {
    return module->name == name ||
           (value_is_str(module->name) && value_is_str(name) && str_equal(module->name, name));
}

static bool was_there(const Tuple *original, Value name) {
    for (uint64_t i = 0; i < original->count; i += 2)
        if (original->items[i] == name || str_equal(original->items[i], name)) return true;
    return false;
}

static bool note(GenVM *vm, const Module *module, Dict *changed, Value name, Value value) {
    return is_at_home(vm, module, name, value) || dict_set_str(vm, changed, name, value);
}

/* What of the names it had is another value now; the names that are gone. */
static bool compare(GenVM *vm, const Module *module, const Tuple *original, Dict *changed,
                    Value removed) {
    for (uint64_t i = 0; i < original->count; i += 2) {
        Value name = original->items[i];
        if (!value_is_str(name)) continue;
        Value now = dict_get_str(vm, module->dict, name);
        if (now == original->items[i + 1]) continue;
        if (now == VALUE_UNSET ? !list_append(vm, removed, name)
                               : !note(vm, module, changed, name, now))
            return false;
    }
    return true;
}

static bool add_new(GenVM *vm, const Module *module, const Tuple *original, Dict *changed) {
    Value name, value;
    for (uint32_t at = 0; dict_next(module->dict, &at, &name, &value);)
        if (value_is_str(name) && !was_there(original, name) &&
            !note(vm, module, changed, name, value))
            return false;
    return true;
}

/* What a module itself lists as its state: a tuple, or VALUE_UNSET. */
static Value state_names(GenVM *vm, const Module *module) {
    Value names = dict_get_str(vm, module->dict, str_intern_from(vm, "_image_state", 12));
    return is_kind(names, TYPE_TUPLE) ? names : VALUE_UNSET;
}

/* That, with names that still have the value of old. Instances are image_state.c's. */
static bool add_state(GenVM *vm, const Module *module, Dict *changed) {
    Value names = state_names(vm, module);
    for (uint64_t i = 0; names != VALUE_UNSET && i < AS_TUPLE(names)->count; i++) {
        Value name = AS_TUPLE(names)->items[i];
        Value value = value_is_str(name) ? dict_get_str(vm, module->dict, name) : VALUE_UNSET;
        if (value != VALUE_UNSET && !is_kind(value, TYPE_OBJECT) &&
            !dict_set_str(vm, changed, name, value))
            return false;
    }
    return true;
}

static bool is_list_as_kept(GenVM *vm, int which, const List *list) {
    Value kept = vm->roots[ROOT_SYS_LISTS];
    if (!is_kind(kept, TYPE_LIST)) return true;
    const List *before = AS_LIST(AS_LIST(kept)->items[which]);
    bool same = before->count == list->count;
    for (uint64_t i = 0; same && i < list->count; i++)
        same = before->items[i] == list->items[i] ||
               (value_is_str(before->items[i]) && value_is_str(list->items[i]) &&
                str_equal(before->items[i], list->items[i]));
    return same;
}

static bool add_sys_lists(GenVM *vm, const Module *module, Dict *changed) {
    for (int i = 0; object_value(module) == vm->sys_module && i < SYS_LISTS; i++) {
        Value list = sys_list(vm, i);
        if (list != VALUE_UNSET && !is_list_as_kept(vm, i, AS_LIST(list)) &&
            !dict_set_str(vm, changed, name_value(vm, sys_lists[i]), list))
            return false;
    }
    return true;
}

/* Is that sys.path or sys.argv, which the other side has its own of: its name; or VALUE_UNSET. */
Value image_sys_list(ImageWriter *w, const Object *list) {
    for (int i = 0; i < SYS_LISTS; i++)
        if (sys_list(w->vm, i) == object_value(list))
            return !w->whole || is_list_as_kept(w->vm, i, (const List *)list)
                       ? name_value(w->vm, sys_lists[i])
                       : VALUE_UNSET;
    return VALUE_UNSET;
}

static Value changes_of(GenVM *vm, const Module *module, const Tuple *original) {
    Value changed = dict_new(vm), removed = list_new(vm, 0);
    if (changed == VALUE_ERROR || removed == VALUE_ERROR ||
        !compare(vm, module, original, AS_DICT(changed), removed) ||
        !add_sys_lists(vm, module, AS_DICT(changed)) || !add_state(vm, module, AS_DICT(changed)))
        return VALUE_ERROR;
    bool more = module->dict->count + AS_LIST(removed)->count > original->count / 2;
    if (more && !add_new(vm, module, original, AS_DICT(changed))) return VALUE_ERROR;
    if (!AS_DICT(changed)->count && !AS_LIST(removed)->count) return VALUE_NONE;
    return tuple_pack(vm, 3, module->name, changed, removed);
}

/* What the prelude remembers: its functions alone change its namespaces. */
static bool add_of_prelude(GenVM *vm, Value list) {
    Value name, module;
    for (uint32_t at = 0; dict_next(AS_DICT(vm->prelude), &at, &name, &module);) {
        if (!is_kind(module, TYPE_MODULE) || state_names(vm, AS(Module, module)) == VALUE_UNSET)
            continue;
        Value changed = dict_new(vm), removed = list_new(vm, 0);
        if (changed == VALUE_ERROR || removed == VALUE_ERROR ||
            !add_state(vm, AS(Module, module), AS_DICT(changed)))
            return false;
        Value changes = tuple_pack(vm, 3, name, changed, removed);
        if (changes == VALUE_ERROR || !list_append(vm, list, changes)) return false;
    }
    return true;
}

Value image_module_changes(ImageWriter *w) {
    GenVM *vm = w->vm;
    Value list = list_new(vm, 0), name, module;
    if (list == VALUE_ERROR || !add_of_prelude(vm, list)) return VALUE_ERROR;
    for (uint32_t at = 0; dict_next(vm->modules, &at, &name, &module);) {
        const Tuple *original = original_of(module);
        if (!original || !image_is_library(vm, name) || image_is_loading(w, name) ||
            str_is(name, "_engine") || !image_is_called(AS(Module, module), name))
            continue;
        Value changes = changes_of(vm, AS(Module, module), original);
        if (changes == VALUE_ERROR) return changes;
        if (changes == VALUE_NONE) continue;
        if (!image_is_always_there(name)) image_need_module(w, name);
        if (!list_append(vm, list, changes)) return VALUE_ERROR;
    }
    return list;
}

/* ---- loading ---- */

static Module *module_to_change(GenVM *vm, Value name) {
    if (!image_is_library(vm, name) || str_is(name, "_engine")) return NULL;
    Value module = image_present_module(vm, name);
    return is_kind(module, TYPE_MODULE) && AS(Module, module)->dict ? AS(Module, module) : NULL;
}

static bool is_of_prelude(GenVM *vm, const Module *module) {
    return dict_get_str(vm, AS_DICT(vm->prelude), module->name) == object_value(module);
}

/* The prelude's functions are the engine's: nothing of it changes but what it lists itself. */
static bool may_change(GenVM *vm, const Module *module, Value name, Value value) {
    if (!is_exact(name, TYPE_STR)) return false;
    if (!is_of_prelude(vm, module)) return true;
    Value names = state_names(vm, module);
    bool listed = false;
    for (uint64_t i = 0; names != VALUE_UNSET && i < AS_TUPLE(names)->count; i++)
        listed = listed || str_equal(AS_TUPLE(names)->items[i], name);
    return listed && is_kind(value, TYPE_DICT);
}

static bool check(GenVM *vm, Value changes) {
    if (!is_kind(changes, TYPE_TUPLE) || AS_TUPLE(changes)->count != 3) return false;
    const Value *items = AS_TUPLE(changes)->items;
    const Module *module = module_to_change(vm, items[0]);
    if (!module || !is_kind(items[1], TYPE_DICT) || !is_kind(items[2], TYPE_LIST)) return false;
    Value name, value;
    for (uint32_t at = 0; dict_next(AS_DICT(items[1]), &at, &name, &value);)
        if (!may_change(vm, module, name, value)) return false;
    const List *removed = AS_LIST(items[2]);
    if (removed->count && is_of_prelude(vm, module)) return false;
    for (uint64_t i = 0; i < removed->count; i++)
        if (!is_exact(removed->items[i], TYPE_STR)) return false;
    return true;
}

bool image_check_changes(ImageReader *r, Value list) {
    if (!is_kind(list, TYPE_LIST)) return false;
    for (uint64_t i = 0; i < AS_LIST(list)->count; i++)
        if (!check(r->vm, AS_LIST(list)->items[i])) return false;
    return true;
}

static bool take(GenVM *vm, const Value *items) {
    Dict *dict = module_to_change(vm, items[0])->dict;
    const List *removed = AS_LIST(items[2]);
    for (uint64_t i = 0; i < removed->count; i++)
        dict_delete_str(vm, dict, removed->items[i]);
    Value name, value;
    for (uint32_t at = 0; dict_next(AS_DICT(items[1]), &at, &name, &value);) {
        name = name_interned(vm, name);
        if (name == VALUE_ERROR || !dict_set_str(vm, dict, name, value)) return false;
    }
    return true;
}

bool image_take_changes(GenVM *vm, Value list) {
    if (!image_keep_builtins(vm)) return false;
    for (uint64_t i = 0; i < AS_LIST(list)->count; i++)
        if (!take(vm, AS_TUPLE(AS_LIST(list)->items[i])->items)) return false;
    return true;
}

/* ---- classes ---- */

bool image_note_change(GenVM *vm, Type *type, Value name) {
    Value changes = vm->roots[ROOT_CLASS_CHANGES];
    if (changes == VALUE_UNSET && (changes = list_new(vm, 0)) == VALUE_ERROR) return false;
    vm->roots[ROOT_CLASS_CHANGES] = changes;
    const List *list = AS_LIST(changes);
    for (uint64_t i = 0; i < list->count; i += 2)
        if (list->items[i] == object_value(type) && list->items[i + 1] == name) return true;
    if (!list_reserve(vm, AS_LIST(changes), list->count + 2)) return false;
    return list_append(vm, changes, object_value(type)) && list_append(vm, changes, name);
}

Value image_class_changes(ImageWriter *w) {
    GenVM *vm = w->vm;
    Value list = list_new(vm, 0), changes = vm->roots[ROOT_CLASS_CHANGES];
    for (uint64_t i = 0;
         list != VALUE_ERROR && changes != VALUE_UNSET && i < AS_LIST(changes)->count; i += 2) {
        Value type = AS_LIST(changes)->items[i], name = AS_LIST(changes)->items[i + 1];
        if (!image_is_library_class(w, type_from(type))) continue;
        Value value = dict_get_str(vm, type_from(type)->own.dict, name);
        Value change = value == VALUE_UNSET ? tuple_pack(vm, 2, type, name)
                                            : tuple_pack(vm, 3, type, name, value);
        if (change == VALUE_ERROR || !list_append(vm, list, change)) return VALUE_ERROR;
    }
    return list;
}

bool image_check_class_changes(Value list) {
    if (!is_kind(list, TYPE_LIST)) return false;
    for (uint64_t i = 0; i < AS_LIST(list)->count; i++) {
        Value change = AS_LIST(list)->items[i];
        if (!is_kind(change, TYPE_TUPLE) || AS_TUPLE(change)->count / 2 != 1) return false;
        const Value *items = AS_TUPLE(change)->items;
        if (!is_type(items[0]) || !type_from(items[0])->notes_changes ||
            !is_exact(items[1], TYPE_STR))
            return false;
    }
    return true;
}

bool image_take_class_changes(GenVM *vm, const List *list) {
    for (uint64_t i = 0; i < list->count; i++) {
        const Tuple *change = AS_TUPLE(list->items[i]);
        Value value = change->count > 2 ? change->items[2] : VALUE_UNSET;
        if (!type_set_attribute(vm, type_from(change->items[0]), change->items[1], value))
            return false;
    }
    return true;
}
