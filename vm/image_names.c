/* image_names.c - what an image refers to by name, because the other side has it too: builtin
 * types, natives, the modules of the library, and the functions and classes that the library writes
 * in Gen.
 *
 * A name is only used when it leads back to the very object, so what a script has replaced is saved
 * whole. Natives carry a number made from their signature, functions the hash of their code: both
 * must be what they were.
 */
#include "vm/engine_module.h"
#include "vm/image_private.h"
#include "vm/memory.h"
#include "vm/runtime.h"
#include "vm/type_private.h"

/* ---- modules ---- */

static bool is_prelude_name(Value name) {
    static const char start[] = "_prelude.";
    const Str *str = AS_STR(name);
    return str->size > sizeof start - 1 && !memcmp(str->data, start, sizeof start - 1);
}

bool image_is_always_there(Value name) {
    return str_is(name, "builtins") || str_is(name, "sys") || str_is(name, "_engine") ||
           is_prelude_name(name);
}

/* The module of that name as far as it is there; VALUE_UNSET. */
static Value present_module(GenVM *vm, Value name) {
    Value module = dict_get_str(vm, vm->modules, name);
    if (module == VALUE_UNSET) module = dict_get_str(vm, AS_DICT(vm->prelude), name);
    return is_kind(module, TYPE_MODULE) ? module : VALUE_UNSET;
}

static Value make_engine(GenVM *vm, Value name) {
    Value module = engine_module_new(vm);
    if (module == VALUE_ERROR || !dict_set_str(vm, vm->modules, name, module)) return VALUE_ERROR;
    return module;
}

void image_miss(ImageReader *r, const char *format, ...) {
    GenVM *vm = r->vm;
    if (r->missing == VALUE_UNSET && (r->missing = list_new(vm, 0)) == VALUE_ERROR) {
        r->missing = VALUE_UNSET;
        return;
    }
    va_list args;
    va_start(args, format);
    Value text = str_format_list(vm, format, args);
    va_end(args);
    if (text != VALUE_ERROR) list_append(vm, r->missing, text);
}

/* For image_inspect. */
static void note_name(ImageReader *r, ImageNames kind, Value owner, Value name) {
    if (r->names[kind] == VALUE_UNSET) return;
    Value text = AS_STR(owner)->size ? str_format(r->vm, "%S.%S", owner, name) : name;
    if (text != VALUE_ERROR) list_append(r->vm, r->names[kind], text);
}

/* Stands for a module that is not there. */
static Value any_module(GenVM *vm) {
    return dict_get_str(vm, vm->modules, name_value(vm, NAME_builtins));
}

Value image_present_module(GenVM *vm, Value name) {
    Value module = present_module(vm, name);
    if (module != VALUE_UNSET) return module;
    if (str_is(name, "_engine")) return make_engine(vm, name);
    if (!is_prelude_name(name)) return VALUE_UNSET;
    const char *text = str_c(vm, name);
    if (text && !prelude_load(vm, text + sizeof "_prelude." - 1)) return VALUE_ERROR;
    return present_module(vm, name);
}

/* For loading. VALUE_UNSET: noted as missing. */
static Value find_module(ImageReader *r, Value name) {
    Value module = image_present_module(r->vm, name);
    if (module == VALUE_UNSET) image_miss(r, "module %S", name);
    return module;
}

static void put_module_name(ImageWriter *w, Value name) {
    if (!image_is_always_there(name)) image_need_module(w, name);
    image_put_text(w->out, name);
}

void save_module_ref_shell(ImageWriter *w, Object *object) {
    put_module_name(w, ((Module *)object)->name);
}
void save_module_ref_body(ImageWriter *w, Object *object) {
    (void)w, (void)object;
}
Object *load_module_ref_shell(ImageReader *r) {
    Value name;
    if (!image_get_name(r, &name)) return NULL;
    Value module = find_module(r, name);
    if (module == VALUE_UNSET) module = any_module(r->vm);
    return is_object(module) ? as_object(module) : NULL;
}
bool load_module_ref_body(ImageReader *r, Object *object) {
    return (void)r, (void)object, true;
}

/* sys.modules is no module's namespace and has no name: the empty text. */
void save_globals_ref_shell(ImageWriter *w, Object *object) {
    GenVM *vm = w->vm;
    Dict *dict = (Dict *)object;
    if (dict == vm->modules)
        image_put_text(w->out, vm->empty_str);
    else
        put_module_name(w, dict == vm->builtins
                               ? name_value(vm, NAME_builtins)
                               : dict_get_str(vm, dict, name_value(vm, NAME___name__)));
}
void save_globals_ref_body(ImageWriter *w, Object *object) {
    (void)w, (void)object;
}
Object *load_globals_ref_shell(ImageReader *r) {
    Value name;
    if (!image_get_name(r, &name)) return NULL;
    if (AS_STR(name)->size == 0) return &r->vm->modules->header;
    Value module = find_module(r, name);
    if (module == VALUE_UNSET) return &r->vm->builtins->header;
    return module == VALUE_ERROR ? NULL : &AS(Module, module)->dict->header;
}
bool load_globals_ref_body(ImageReader *r, Object *object) {
    return (void)r, (void)object, true;
}

/* ---- builtin types ---- */

static Value type_module(const Type *type, GenVM *vm) {
    return type->def->module ? str_intern_from(vm, type->def->module, strlen(type->def->module))
                             : vm->empty_str;
}

/* `which`: some internal types share a name; they are counted in the order of types.def. */
static Type *find_builtin(GenVM *vm, Value module, Value name, uint64_t which) {
    for (uint32_t i = 0; i < TYPE_COUNT; i++) {
        Type *type = vm->types[i];
        if (type && str_equal(type->name, name) && str_equal(type_module(type, vm), module) &&
            which-- == 0)
            return type;
    }
    if (which) return NULL;
    Value owner = present_module(vm, module);
    Value type =
        owner == VALUE_UNSET ? VALUE_UNSET : dict_get_str(vm, AS(Module, owner)->dict, name);
    return is_type(type) && type_from(type)->is_builtin ? type_from(type) : NULL;
}

/* Another module of the library that has it, where its own is not there: _re has Pattern of re. */
static Value other_module(GenVM *vm, const Type *type) {
    Value name, module;
    for (uint32_t at = 0; dict_next(vm->modules, &at, &name, &module);)
        if (is_kind(module, TYPE_MODULE) && image_is_library(vm, name) &&
            dict_get_str(vm, AS(Module, module)->dict, type->name) == object_value(type))
            return name;
    return VALUE_UNSET;
}

void save_builtin_type_shell(ImageWriter *w, Object *object) {
    Type *type = (Type *)object;
    Value module = type_module(type, w->vm);
    uint64_t which = 0;
    for (Type *other; (other = find_builtin(w->vm, module, type->name, which)) && other != type;)
        which++;
    bool found = find_builtin(w->vm, module, type->name, which) == type;
    Value other = found ? VALUE_UNSET : other_module(w->vm, type);
    if (other != VALUE_UNSET) {
        module = other;
        which = 0;
    } else if (!found) {
        Value reason = str_format(w->vm, "%N cannot be found by its name", type);
        const char *text = reason == VALUE_ERROR ? NULL : str_c(w->vm, reason);
        image_refuse(w, object, text);
        return;
    }
    bool internal =
        type == w->vm->types[type->id]; /* id 0 is NoneType's, and of those without one */
    if (!internal && !image_is_always_there(module)) image_need_module(w, module);
    image_put_text(w->out, module);
    image_put_text(w->out, type->name);
    image_put_number(w->out, which);
    image_put_number(w->out, image_layout_version(w->vm, type));
}
void save_builtin_type_body(ImageWriter *w, Object *object) {
    (void)w, (void)object;
}
Object *load_builtin_type_shell(ImageReader *r) {
    Value module, name;
    if (!image_get_name(r, &module) || !image_get_name(r, &name)) return NULL;
    Type *type = find_builtin(r->vm, module, name, image_get_number(r));
    uint64_t version = image_get_number(r);
    const char *dot = AS_STR(module)->size ? "." : "";
    note_name(r, IMAGE_NAMES_TYPES, module, name);
    if (type && image_layout_version(r->vm, type) == version) return &type->header;
    image_miss(r, "type %S%s%S%s", module, dot, name, type ? " (another version)" : "");
    return type ? &type->header : &r->vm->types[TYPE_OBJECT]->header;
}
bool load_builtin_type_body(ImageReader *r, Object *object) {
    return (void)r, (void)object, true;
}

/* ---- natives ---- */

bool image_is_native_type(GenVM *vm, const Type *type) {
    return type->is_builtin || image_is_host_type(vm, type);
}

/* The version of a native: what its callers must agree with. */
static uint32_t native_version(const Object *object) {
    const char *text = object->kind == TYPE_GETSET
                           ? ((const GetSet *)object)->def->name
                           : ((const NativeFunction *)object)->def->signature;
    uint32_t hash = 2166136261u;
    for (; text && *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return hash;
}

static Value native_name(const Object *object) {
    return object->kind == TYPE_GETSET ? ((const GetSet *)object)->name
                                       : ((const NativeFunction *)object)->name;
}

Type *image_native_owner(const Object *object) {
    if (object->kind == TYPE_GETSET) return ((const GetSet *)object)->owner;
    const NativeFunction *native = (const NativeFunction *)object;
    if (native->header.flags & NATIVE_NEW && is_type(native->self)) return type_from(native->self);
    return native->owner;
}

static bool is_native(Value v) {
    return is_kind(v, TYPE_NATIVE) || is_kind(v, TYPE_NATIVE_METHOD) || is_kind(v, TYPE_GETSET);
}

static Value native_module(GenVM *vm, const Object *object) {
    Value module =
        object->kind == TYPE_NATIVE ? ((const NativeFunction *)object)->module : VALUE_UNSET;
    return value_is_str(module) ? module : name_value(vm, NAME_builtins);
}

/* Found by its name in the other VM, where what scripts have put there comes later. */
static bool was_original(const Module *module, Value name, const Object *object) {
    return is_kind(module->original, TYPE_TUPLE) &&
           image_is_original(module, name, object_value(object));
}

static Value home_of_class(GenVM *vm, const Type *type);

/* A method in C of a class of the library that is written in Gen (collections.deque): the module of
 * the class has it under its own name too. */
static bool put_by_home(ImageWriter *w, const Type *owner, Value name, const Object *object) {
    GenVM *vm = w->vm;
    Value home = home_of_class(vm, owner);
    if (home == VALUE_UNSET || image_is_loading(w, home)) return false;
    Value module = present_module(vm, home);
    if (module == VALUE_UNSET ||
        dict_get_str(vm, AS(Module, module)->dict, name) != object_value(object))
        return false;
    image_put_number(w->out, 0);
    put_module_name(w, home);
    return true;
}

static bool put_by_type(ImageWriter *w, Type *owner, Value name, const Object *object) {
    Dict *dict = type_dict(w->vm, owner);
    if (!dict || dict_get_str(w->vm, dict, name) != object_value(object)) return false;
    image_put_number(w->out, (uint64_t)image_number_of(w, &owner->header) + 1);
    return true;
}

/* A function of the host's, as it has put it into __main__ here and will in the other VM. */
static bool put_by_main(ImageWriter *w, Value name, const Object *object) {
    if (!is_kind(w->vm->main_module, TYPE_MODULE)) return false;
    Module *main = AS(Module, w->vm->main_module);
    bool here = object->kind == TYPE_NATIVE && object->flags & NATIVE_CALLS &&
                ((const NativeFunction *)object)->module == VALUE_UNSET &&
                dict_get_str(w->vm, main->dict, name) == object_value(object);
    if (!here) return false;
    image_put_number(w->out, 0);
    image_put_text(w->out, main->name);
    return true;
}

static bool put_by_name(ImageWriter *w, Value module_name, Value name, const Object *object) {
    GenVM *vm = w->vm;
    Value module = present_module(vm, module_name);
    if (module == VALUE_UNSET) return false;
    if (dict_get_str(vm, AS(Module, module)->dict, name) != object_value(object) &&
        !was_original(AS(Module, module), name, object))
        return false;
    image_put_number(w->out, 0);
    put_module_name(w, module_name);
    return true;
}

/* Some builtins say that they are of a module that need not be there: open of _io. */
static bool put_by_module(ImageWriter *w, Value name, const Object *object) {
    return put_by_name(w, native_module(w->vm, object), name, object) ||
           put_by_name(w, name_value(w->vm, NAME_builtins), name, object);
}

void save_native_ref_shell(ImageWriter *w, Object *object) {
    Type *owner = image_native_owner(object);
    Value name = native_name(object);
    bool found = !owner ? put_by_module(w, name, object) || put_by_main(w, name, object)
                 : image_is_native_type(w->vm, owner) ? put_by_type(w, owner, name, object)
                                                      : put_by_home(w, owner, name, object);
    if (!found) {
        image_refuse(w, object, "a native that cannot be found by its name cannot be saved");
        return;
    }
    image_put_text(w->out, name);
    image_put_number(w->out, native_version(object));
}
void save_native_ref_body(ImageWriter *w, Object *object) {
    (void)w, (void)object;
}

static bool native_place(ImageReader *r, Dict **dict, Value *owner) {
    uint64_t type = image_get_number(r);
    if (type) {
        if (type > r->made || r->objects[type - 1]->kind != TYPE_TYPE ||
            !image_is_native_type(r->vm, (Type *)r->objects[type - 1]))
            return image_bad(r, "a native's type is none");
        *owner = ((Type *)r->objects[type - 1])->name;
        *dict = type_dict(r->vm, (Type *)r->objects[type - 1]);
        return *dict != NULL;
    }
    if (!image_get_name(r, owner)) return false;
    Value module = find_module(r, *owner);
    if (module == VALUE_ERROR) return false;
    *dict = module == VALUE_UNSET ? NULL : AS(Module, module)->dict;
    return true;
}

Object *load_native_ref_shell(ImageReader *r) {
    Dict *dict = NULL;
    Value owner, name;
    if (!native_place(r, &dict, &owner) || !image_get_name(r, &name)) return NULL;
    uint64_t version = image_get_number(r);
    Value found = dict ? dict_get_str(r->vm, dict, name) : VALUE_UNSET;
    note_name(r, IMAGE_NAMES_NATIVES, owner, name);
    bool there = is_native(found);
    if (there && native_version(as_object(found)) == version) return as_object(found);
    if (dict) image_miss(r, "native %S.%S%s", owner, name, there ? " (another version)" : "");
    Value any = dict_get_str(r->vm, r->vm->builtins, str_intern_from(r->vm, "repr", 4));
    return is_object(any) ? as_object(any) : NULL;
}
bool load_native_ref_body(ImageReader *r, Object *object) {
    return (void)r, (void)object, true;
}

/* ---- bound natives: the method of a type, and its object ---- */

static Value method_of(GenVM *vm, Value self, Value name) {
    Value method = type_lookup(vm, type_of(vm, self), name);
    return is_kind(method, TYPE_NATIVE_METHOD) ? method : VALUE_UNSET;
}

void save_native_bound_shell(ImageWriter *w, Object *object) {
    (void)object;
    image_put_number(w->out, object->flags & NATIVE_WRAPPER ? 1 : 0);
}

void save_native_bound_body(ImageWriter *w, Object *object) {
    NativeFunction *native = (NativeFunction *)object;
    Value method = native->owner
                       ? dict_get_str(w->vm, type_dict(w->vm, native->owner), native->name)
                       : method_of(w->vm, native->self, native->name);
    if (!is_kind(method, TYPE_NATIVE_METHOD) || AS(NativeFunction, method)->def != native->def) {
        image_refuse(w, object, "a native that cannot be found by its name cannot be saved");
        return;
    }
    image_put_value(w, method);
    image_put_value(w, native->self);
}

Object *load_native_bound_shell(ImageReader *r) {
    NativeFunction *native = gc_new(r->vm, sizeof *native, TYPE_NATIVE);
    if (!native) return NULL;
    image_get_number(r);
    native->self = native->module = native->name = VALUE_UNSET;
    return &native->header;
}

bool load_native_bound_body(ImageReader *r, Object *object) {
    Value method, self;
    if (!image_get_kind(r, TYPE_NATIVE_METHOD, &method) || !image_get_value(r, &self)) return false;
    const NativeFunction *from = AS(NativeFunction, method);
    bool to_class = from->header.flags & NATIVE_CLASSMETHOD;
    Type *owner = from->owner;
    Type *of = to_class && is_type(self) ? type_from(self) : type_of(r->vm, self);
    if (!owner || !type_is_subclass(of, owner))
        return image_bad(r, "a method is bound to an object of another class");
    Value bound = attribute_bind(r->vm, method, self, of);
    if (bound == VALUE_ERROR) return false;
    NativeFunction *made = AS(NativeFunction, bound), *native = (NativeFunction *)object;
    Object header = native->header;
    *native = *made;
    header.shape = made->header.shape;
    header.state = made->header.state;
    header.flags = made->header.flags;
    native->header = header;
    return true;
}

/* ---- functions and classes of the library ---- */

enum { LIBRARY_CLASS, LIBRARY_FUNCTION, LIBRARY_VALUE };

/* What a qualified name leads to in a namespace; VALUE_UNSET. */
static Value follow(GenVM *vm, Dict *dict, Value qualname) {
    const char *at = AS_STR(qualname)->data, *end = at + AS_STR(qualname)->size;
    Value found = VALUE_UNSET;
    while (at < end && dict) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        const char *stop = dot ? dot : end;
        Value name = str_intern_from(vm, at, (size_t)(stop - at));
        found = name == VALUE_ERROR ? VALUE_UNSET : dict_get_str(vm, dict, name);
        if (is_kind(found, TYPE_CLASSMETHOD) || is_kind(found, TYPE_STATICMETHOD))
            found = AS(Wrapping, found)->callable;
        dict = is_type(found) ? type_state(vm, type_from(found))->dict : NULL;
        if (dot && !dict) return VALUE_UNSET;
        at = dot ? dot + 1 : end;
    }
    return found;
}

bool image_is_library(GenVM *vm, Value name) {
    if (!value_is_str(name)) return false;
    return image_is_always_there(name) ||
           (vm->has_library_module && vm->has_library_module(vm, name));
}

/* Objects that have ever been globals of the library's modules: sentinels, streams, hidden state.
 * They are found by address, in a table that is made when the first such object is met. */
static bool is_shared_kind(Value v) {
    if (!is_object(v)) return false;
    uint8_t kind = as_object(v)->kind;
    if (kind == TYPE_STR ||
        kind == TYPE_INT) /* members of enumerations: enum.KEEP, signal.SIGINT */
        return !is_exact(v, (TypeId)kind);
    return kind == TYPE_OBJECT || kind == TYPE_FILE || kind == TYPE_FILE_RAW ||
           kind == TYPE_BUFFERED_READER || kind == TYPE_BUFFERED_WRITER || kind == TYPE_QUITTER;
}

static Value module_of_class(GenVM *vm, const Type *type) {
    Dict *dict = type_state(vm, type)->dict;
    return dict ? dict_get_str(vm, dict, name_value(vm, NAME___module__)) : VALUE_UNSET;
}

/* Is it a class that what it calls itself does not lead to (csv.Error says that it is _csv's), or a
 * function that another one has made (hashlib.md5). */
static bool is_misnamed(GenVM *vm, const Module *module, Value name, Value v) {
    if (is_kind(v, TYPE_FUNCTION))
        return AS(Function, v)->code->flags & CODE_PRELUDE &&
               (AS(Function, v)->globals != module->dict ||
                !str_equal(AS(Function, v)->code->qualname, name));
    if (!is_kind(v, TYPE_TYPE) || AS(Type, v)->is_builtin) return false;
    Value says = module_of_class(vm, AS(Type, v));
    return !value_is_str(says) || !str_equal(says, module->name) ||
           !value_is_str(AS(Type, v)->qualname) || !str_equal(AS(Type, v)->qualname, name);
}

static void put_in(const ImageWriter *w, const ImageLibraryValue *value) {
    uint64_t at = object_value(value->object) * 0x9E3779B97F4A7C15u >> 40;
    while (w->library[at &= w->library_mask].object)
        at++;
    w->library[at] = *value;
}

static bool grow_library(ImageWriter *w) {
    enum { FIRST_SLOTS = 256 };
    uint64_t before = w->library ? w->library_mask + 1 : 0;
    ImageLibraryValue *old = w->library;
    w->library = memory_new_zeroed(w->vm, before ? before * 4 : FIRST_SLOTS, sizeof *w->library);
    w->library_mask = (before ? before * 4 : FIRST_SLOTS) - 1;
    for (uint64_t i = 0; w->library && i < before; i++)
        if (old[i].object) put_in(w, &old[i]);
    memory_free(old);
    return w->library;
}

/* False: out of memory. */
static bool meet(ImageWriter *w, Module *module, Value name, Value value) {
    if (!(is_shared_kind(value) || is_misnamed(w->vm, module, name, value)) ||
        !value_is_str(name) || dict_get_str(w->vm, module->dict, name) != value)
        return true;
    if (++w->library_count * 2 > w->library_mask && !grow_library(w)) return false;
    put_in(w, &(ImageLibraryValue){as_object(value), module, name});
    return true;
}

static bool meet_all(ImageWriter *w, Module *module) {
    Value name, value;
    if (is_kind(module->original, TYPE_TUPLE)) {
        const Tuple *original = AS_TUPLE(module->original);
        for (uint64_t i = 0; i < original->count; i += 2)
            if (!meet(w, module, original->items[i], original->items[i + 1])) return false;
        return true;
    }
    for (uint32_t at = 0; dict_next(module->dict, &at, &name, &value);)
        if (!meet(w, module, name, value)) return false;
    return true;
}

static bool find_values(ImageWriter *w) {
    Dict *const tables[] = {w->vm->modules, AS_DICT(w->vm->prelude)};
    Value name, module;
    if (!grow_library(w)) return false;
    for (int i = 0; i < 2; i++)
        for (uint32_t at = 0; dict_next(tables[i], &at, &name, &module);)
            if (is_kind(module, TYPE_MODULE) && image_is_library(w->vm, name) &&
                !image_is_loading(w, name) && !meet_all(w, AS(Module, module)))
                return false;
    return true;
}

static const ImageLibraryValue *library_value(ImageWriter *w, const Object *object) {
    if (!w->library && !find_values(w)) {
        if (!w->failed) raise_memory(w->vm);
        w->failed = true;
        return NULL;
    }
    uint64_t at = object_value(object) * 0x9E3779B97F4A7C15u >> 40;
    for (;; at++) {
        const ImageLibraryValue *value = &w->library[at &= w->library_mask];
        if (!value->object) return NULL;
        if (value->object == object) return value;
    }
}

bool image_is_library_value(ImageWriter *w, Object *object) {
    if (object->kind == TYPE_LIST) return image_sys_list(w, object) != VALUE_UNSET;
    return is_shared_kind(object_value(object)) && library_value(w, object);
}

/* Classes of the user say of which module they are; those of the library may name none that is. */
bool image_is_library_global(ImageWriter *w, Object *object) {
    if (object->kind == TYPE_FUNCTION)
        return ((Function *)object)->code->flags & CODE_PRELUDE && library_value(w, object);
    Value module = module_of_class(w->vm, (const Type *)object);
    if (!value_is_str(module)) return false;
    bool is_users =
        !image_is_library(w->vm, module) && present_module(w->vm, module) != VALUE_UNSET;
    return !is_users && library_value(w, object);
}

/* Does a qualified name in that module lead to the very object? */
static bool leads_to(GenVM *vm, Value module_name, Value qualname, const Object *object) {
    if (!image_is_library(vm, module_name) || !value_is_str(qualname)) return false;
    Value module = present_module(vm, module_name);
    return module != VALUE_UNSET &&
           follow(vm, AS(Module, module)->dict, qualname) == object_value(object);
}

static Value home_of_function(GenVM *vm, Value v) {
    if (is_kind(v, TYPE_CLASSMETHOD) || is_kind(v, TYPE_STATICMETHOD))
        v = AS(Wrapping, v)->callable;
    if (is_kind(v, TYPE_PROPERTY)) v = AS(Property, v)->fget;
    if (!is_kind(v, TYPE_FUNCTION) || !(AS(Function, v)->code->flags & CODE_PRELUDE) ||
        !AS(Function, v)->globals)
        return VALUE_UNSET;
    return dict_get_str(vm, AS(Function, v)->globals, name_value(vm, NAME___name__));
}

/* Where a class of the library is defined, by its functions: what it says in __module__ may be the
 * name of another module, from which users get it. */
static Value home_of_class(GenVM *vm, const Type *type) {
    Value name, value;
    Dict *dict = type_state(vm, type)->dict;
    for (uint32_t at = 0; dict && dict_next(dict, &at, &name, &value);) {
        Value home = home_of_function(vm, value);
        if (home != VALUE_UNSET && leads_to(vm, home, type->qualname, &type->header)) return home;
    }
    return VALUE_UNSET;
}

/* By which module and qualified name the object is found; false: by none. */
static bool find_place(GenVM *vm, const Object *object, Value *module, Value *qualname) {
    if (object->kind == TYPE_FUNCTION) {
        *module = home_of_function(vm, object_value(object));
        *qualname = ((const Function *)object)->code->qualname;
        return leads_to(vm, *module, *qualname, object);
    }
    const Type *type = (const Type *)object;
    *qualname = type->qualname;
    *module = home_of_class(vm, type);
    if (*module != VALUE_UNSET) return true;
    Dict *dict = type_state(vm, type)->dict;
    *module = dict ? dict_get_str(vm, dict, name_value(vm, NAME___module__)) : VALUE_UNSET;
    return leads_to(vm, *module, *qualname, object);
}

bool image_library_place(GenVM *vm, Object *object, ImageTag *tag, Value *name) {
    Value qualname;
    *tag = IMAGE_LIBRARY_REF;
    return find_place(vm, object, name, &qualname);
}

void save_library_ref_shell(ImageWriter *w, Object *object) {
    Value module, name;
    bool is_class = object->kind == TYPE_TYPE, is_function = object->kind == TYPE_FUNCTION;
    if (object->kind == TYPE_LIST) {
        module = name_value(w->vm, NAME_sys);
        name = image_sys_list(w, object);
    } else if (!(is_class || is_function) || !find_place(w->vm, object, &module, &name)) {
        const ImageLibraryValue *value = library_value(w, object);
        module = value->module->name;
        name = value->name;
    }
    put_module_name(w, module);
    image_put_text(w->out, name);
    image_put_byte(w->out, is_class      ? LIBRARY_CLASS
                           : is_function ? LIBRARY_FUNCTION
                                         : LIBRARY_VALUE);
    uint8_t hash[IMAGE_HASH_SIZE] = {0};
    if (!is_function) return;
    if (!image_code_hash(w->vm, ((Function *)object)->code, hash)) w->failed = true;
    image_put(w->out, hash, sizeof hash);
}
void save_library_ref_body(ImageWriter *w, Object *object) {
    (void)w, (void)object;
}

static bool same_code(ImageReader *r, Function *function, Value module, Value name) {
    const uint8_t *wanted;
    uint8_t hash[IMAGE_HASH_SIZE];
    if (!image_get_bytes(r, &wanted, sizeof hash)) return false;
    if (!image_code_hash(r->vm, function->code, hash)) return false;
    if (memcmp(hash, wanted, sizeof hash) != 0)
        image_miss(r, "function %S.%S (another version)", module, name);
    return true;
}

static Object *library_value_of(ImageReader *r, Value module, Value name, Value found) {
    if (is_shared_kind(found) || is_kind(found, TYPE_LIST)) return as_object(found);
    image_miss(r, "object %S.%S", module, name);
    return &r->vm->stubs[0]->header;
}

static Object *library_class_of(ImageReader *r, Value module, Value name, Value found) {
    if (is_type(found)) return as_object(found);
    image_miss(r, "class %S.%S", module, name);
    return &r->vm->types[TYPE_OBJECT]->header;
}

static Object *library_function_of(ImageReader *r, Value module, Value name, Value found) {
    if (is_kind(found, TYPE_FUNCTION))
        return same_code(r, AS(Function, found), module, name) ? as_object(found) : NULL;
    const uint8_t *hash;
    image_miss(r, "function %S.%S", module, name);
    return image_get_bytes(r, &hash, IMAGE_HASH_SIZE) ? &r->vm->stubs[0]->header : NULL;
}

Object *load_library_ref_shell(ImageReader *r) {
    Value module_name, qualname;
    if (!image_get_name(r, &module_name) || !image_get_name(r, &qualname)) return NULL;
    if (!image_is_library(r->vm, module_name))
        return image_bad(r, "%V is no module of the library", module_name), NULL;
    Value module = find_module(r, module_name);
    if (module == VALUE_ERROR) return NULL;
    Value found =
        module == VALUE_UNSET ? VALUE_UNSET : follow(r->vm, AS(Module, module)->dict, qualname);
    note_name(r, IMAGE_NAMES_LIBRARY, module_name, qualname);
    switch (image_get_number(r)) {
    case LIBRARY_VALUE: return library_value_of(r, module_name, qualname, found);
    case LIBRARY_CLASS: return library_class_of(r, module_name, qualname, found);
    default: return library_function_of(r, module_name, qualname, found);
    }
}
bool load_library_ref_body(ImageReader *r, Object *object) {
    return (void)r, (void)object, true;
}
