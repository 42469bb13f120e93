/* engine_module.c - the hidden module _engine and its core: what twins need that scripts have no
 * way to say. */
#include "vm/engine_module.h"
#include "vm/bind.h"
#include "vm/call.h"
#include "vm/frame_object.h"
#include "vm/image.h"
#include "vm/genvm.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/runtime.h"
#include "vm/suggest.h"
#include "vm/task.h"
#include "vm/type_private.h"
#include "vm/warn.h"

#include <math.h>
#include <stdlib.h>
#include <sys/random.h>

Value engine_module_new(GenVM *vm) {
    static const NativeDef *const tables[] = {
#define ENGINE(name) engine_##name##_natives,
#include "vm/engine.def"
#undef ENGINE
    };
    Value name = str_intern_from(vm, "_engine", 7), module = module_new(vm, name);
    if (module == VALUE_ERROR) return VALUE_ERROR;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const NativeDef *def = tables[i]; def->signature; def++) {
            Value function = native_function_new(vm, def, VALUE_UNSET, name);
            if (function == VALUE_ERROR) return VALUE_ERROR;
            if (!dict_set_str(vm, AS(Module, module)->dict, AS(NativeFunction, function)->name,
                              function))
                return VALUE_ERROR;
        }
    Value coat = str_intern_from(vm, "Coat", 4);
    if (coat == VALUE_ERROR ||
        !dict_set_str(vm, AS(Module, module)->dict, coat, object_value(vm->types[TYPE_COAT])))
        return VALUE_ERROR;
    return module;
}

/* ---- binding and special methods ---- */

static Value call_bound(GenVM *vm, Value *args) {
    if (!is_kind(args[0], TYPE_NATIVE) && !is_kind(args[0], TYPE_NATIVE_METHOD))
        return raise_type(vm, "%T is no native", args[0]);
    return native_invoke_bound(vm, AS(NativeFunction, args[0]), AS_TUPLE(args[1]), as_int(args[2]),
                               args[3]);
}

static Value to_index(GenVM *vm, Value *args) {
    if (value_is_intlike(args[0])) return vm->types[TYPE_INT]->slots.to_index(vm, args[0]);
    return value_index(vm, args[0]);
}

static Special special_named(GenVM *vm, Value name) {
    if (!(AS_STR(name)->header.flags & STR_INTERNED)) name = str_intern(vm, name);
    for (int i = 0; i < SPECIAL_COUNT; i++)
        if (vm->special_names[i] == name) return (Special)i;
    return SPECIAL_COUNT;
}

static Value find_raw(GenVM *vm, Value v, Value name) {
    Special special = special_named(vm, name);
    if (special != SPECIAL_COUNT) return type_find_special(vm, type_of(vm, v), special);
    return type_lookup(vm, type_of(vm, v), str_intern(vm, name));
}

static Value has_special(GenVM *vm, Value *args) {
    Value raw = find_raw(vm, args[0], args[1]);
    return bool_value(raw != VALUE_UNSET && raw != VALUE_NONE);
}

/* Builtin types know their lengths: asking those shows nothing. */
static Value gives_length_hint(GenVM *vm, Value *args) {
    Type *cls = type_of(vm, args[0]);
    return bool_value(!cls->is_builtin &&
                      (type_find_special(vm, cls, SP_LEN) != VALUE_UNSET ||
                       type_find_special(vm, cls, SP_LENGTH_HINT) != VALUE_UNSET));
}

static Value bind_special(GenVM *vm, Value *args) {
    Value raw = find_raw(vm, args[0], args[1]);
    if (raw == VALUE_UNSET) return raise_attribute(vm, args[0], args[1]);
    return attribute_bind(vm, raw, args[0], type_of(vm, args[0]));
}

static Value raise(GenVM *vm, Value *args) {
    return raise_value_object(vm, args[0]);
}

/* ---- names ---- */

static Value global_name(GenVM *vm, Value *args) {
    Value v = dict_get_str(vm, AS_DICT(args[0]), args[1]);
    if (v == VALUE_UNSET) v = dict_get_str(vm, vm_builtins_of(vm, AS_DICT(args[0])), args[1]);
    if (v == VALUE_UNSET)
        return raise_name_error(vm, EXC_NAME_ERROR, args[1], "name '%S' is not defined");
    return v;
}

/* "f()" or "module.f()", as messages about calls name a function. */
static Value function_text(GenVM *vm, Value *args) {
    Value name = attribute_find(vm, args[0], name_value(vm, NAME___qualname__));
    if (name == VALUE_ERROR) return VALUE_ERROR;
    Value module = attribute_find(vm, args[0], name_value(vm, NAME___module__));
    if (module == VALUE_ERROR) return VALUE_ERROR;
    if (!value_is_str(name)) return value_str(vm, args[0]);
    if (value_is_str(module) && !str_is(module, "builtins"))
        return str_format(vm, "%S.%S()", module, name);
    return str_format(vm, "%S()", name);
}

/* ---- questions about values ---- */

static Value is_coroutine(GenVM *vm, Value *args) {
    return (void)vm, bool_value(is_kind(args[0], TYPE_COROUTINE));
}
static Value is_generator(GenVM *vm, Value *args) {
    return (void)vm, bool_value(is_generator_like(args[0]));
}
static Value is_traceback(GenVM *vm, Value *args) {
    return (void)vm, bool_value(is_kind(args[0], TYPE_TRACEBACK));
}
static Value is_union_or_alias(GenVM *vm, Value *args) {
    return (void)vm, bool_value(is_kind(args[0], TYPE_UNION));
}
static Value is_finite(GenVM *vm, Value *args) {
    return (void)vm, bool_value(isfinite(value_float(args[0])));
}

static Value matches_self(GenVM *vm, Value *args) {
    (void)vm;
    return bool_value(is_type(args[0]) && type_from(args[0])->flags & TYPE_MATCH_SELF);
}

static Value plain_instance_check(GenVM *vm, Value *args) {
    return instance_check_plainly(vm, args[0], args[1]);
}
static Value plain_subclass_check(GenVM *vm, Value *args) {
    return subclass_check_plainly(vm, args[0], args[1]);
}

/* ---- imports and code ---- */

static Value modules(GenVM *vm, Value *args) {
    return (void)args, object_value(vm->modules);
}

static Value search_path(GenVM *vm, Value *args) {
    (void)args;
    if (vm->sys_module == VALUE_UNSET) return list_new(vm, 0);
    Value path = dict_get_str(vm, AS(Module, vm->sys_module)->dict, name_value(vm, NAME_path));
    return path == VALUE_UNSET ? list_new(vm, 0) : path;
}

static Value find_builtin(GenVM *vm, Value *args) {
    if (!vm->find_builtin_module) return VALUE_NONE;
    Value found = vm->find_builtin_module(vm, args[0]);
    return found == VALUE_UNSET ? VALUE_NONE : found;
}

/* Its import has ended. */
static Value module_made(GenVM *vm, Value *args) {
    if (!is_kind(args[0], TYPE_MODULE)) return VALUE_NONE;
    return image_keep_original(vm, AS(Module, args[0])) ? VALUE_NONE : VALUE_ERROR;
}

static Value new_module(GenVM *vm, Value *args) {
    return module_new(vm, args[0]);
}

static Value run_code(GenVM *vm, Value *args) {
    Value globals = args[1];
    if (dict_get_str(vm, AS_DICT(globals), name_value(vm, NAME___builtins__)) == VALUE_UNSET &&
        !dict_set_str(vm, AS_DICT(globals), name_value(vm, NAME___builtins__),
                      object_value(vm->builtins)))
        return VALUE_ERROR;
    Function *function = function_new(vm, (Code *)as_object(args[0]), AS_DICT(globals));
    if (!function) return VALUE_ERROR;
    if (function->code->flags & CODE_CLASS)
        return native_call(vm, object_value(function), 1,
                           args[2] == VALUE_NONE ? globals : args[2]);
    return native_call(vm, object_value(function), 0);
}

static Value path_kind(GenVM *vm, Value *args) {
    const char *path = str_c(vm, args[0]);
    if (!path) return VALUE_ERROR;
    return str_from(vm, vm->path_kind ? vm->path_kind(vm, path) : "");
}

static Value compile_file(GenVM *vm, Value *args) {
    const char *path = str_c(vm, args[0]);
    if (!path) return VALUE_ERROR;
    if (!vm->compile_file)
        return raise_error(vm, EXC_IMPORT_ERROR, "this virtual machine cannot read files");
    return warn_compiled(vm, vm->compile_file(vm, path));
}

static Value stdout_now(GenVM *vm, Value *args) {
    (void)args;
    if (vm->sys_module == VALUE_UNSET) return VALUE_NONE;
    Value file = dict_get_str(vm, AS(Module, vm->sys_module)->dict, name_value(vm, NAME_stdout));
    if (file == VALUE_UNSET) return raise_runtime(vm, "lost sys.stdout");
    return file;
}

/* ---- reports ---- */

/* The source that a code object was compiled from, as str; None where it is not to be had. */
static Value source_text(GenVM *vm, Value *args) {
    Code *code = (Code *)as_object(args[0]);
    if (code->source_lines != VALUE_UNSET && value_is_str(code->source_lines))
        return code->source_lines;
    const char *path = str_c(vm, code->filename);
    if (!path) return VALUE_ERROR;
    Value text = vm->read_source ? vm->read_source(vm, path) : VALUE_UNSET;
    return text == VALUE_UNSET ? VALUE_NONE : text;
}

static Value exception_text(GenVM *vm, Value *args) {
    return native_twin(vm, TWIN_EXCEPTION_TEXT, 1, args[0]);
}

static Value suggest(GenVM *vm, Value *args) {
    Value best = suggest_name(vm, args[0], AS_LIST(args[1])->items, AS_LIST(args[1])->count);
    return best == VALUE_UNSET ? VALUE_NONE : best;
}

static Value is_library_module(GenVM *vm, Value *args) {
    return bool_value(vm->has_builtin_module && vm->has_builtin_module(vm, args[0]));
}

/* The source lines of a traceback entry with their carets; None without a parser. */
static Value carets(GenVM *vm, Value *args) {
    return vm->show_carets ? vm->show_carets(vm, args[0], args[1], args[2]) : VALUE_NONE;
}

/* ---- prelude generators in another coat ---- */

static Value map_of_iterators(GenVM *vm, Value *args) {
    if (!type_makes(vm, args[0], TYPE_MAP)) return VALUE_ERROR;
    return builtins_map(vm, type_from(args[0]), args[1], AS_TUPLE(args[2])->items,
                        AS_TUPLE(args[2])->count, args[3] == VALUE_TRUE);
}

static Value filter_of_iterator(GenVM *vm, Value *args) {
    if (!type_makes(vm, args[0], TYPE_FILTER)) return VALUE_ERROR;
    return builtins_filter(vm, type_from(args[0]), args[1], args[2]);
}

static Value wear(GenVM *vm, Value *args) {
    Type *cls = type_from(args[1]);
    if (cls->instance_kind != TYPE_COAT && cls->instance_kind != TYPE_GENERATOR)
        return raise_type(vm, "%S is no coat", cls->name);
    Generator *coat = generator_wear(vm, AS(Generator, args[0]), cls);
    return coat ? object_value(coat) : VALUE_ERROR;
}

static Value generic_alias(GenVM *vm, Value *args) {
    return generic_alias_new(vm, args[0], args[1]);
}
static Value mapping_proxy(GenVM *vm, Value *args) {
    return mapping_proxy_new(vm, args[0]);
}
static Value bind_method(GenVM *vm, Value *args) {
    return method_new(vm, args[0], args[1]);
}
static Value make_union(GenVM *vm, Value *args) {
    return union_of(vm, args[0], args[1]);
}

/* "mapping" or "sequence" or None: which patterns the instances of a class match. */
static Value pattern_kind(GenVM *vm, Value *args) {
    uint32_t flags = type_from(args[0])->flags;
    if (flags & TYPE_MAPPING) return str_from(vm, "mapping");
    return flags & TYPE_SEQUENCE ? str_from(vm, "sequence") : VALUE_NONE;
}

/* Instances of the class match [..] or {..} in match statements. */
static Value set_pattern_kind(GenVM *vm, Value *args) {
    (void)vm;
    Type *type = type_from(args[0]);
    if (type->is_builtin) return VALUE_NONE;
    type->flags = (type->flags & ~(uint32_t)(TYPE_SEQUENCE | TYPE_MAPPING)) |
                  (str_is(args[1], "mapping") ? TYPE_MAPPING : TYPE_SEQUENCE);
    return VALUE_NONE;
}

static Value is_keyword(GenVM *vm, Value *args) {
    static const char *const keywords[] = {
        "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
        "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
        "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
        "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield",
    };
    (void)vm;
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (str_is(args[0], keywords[i])) return VALUE_TRUE;
    return VALUE_FALSE;
}

static Value hashes_natively(GenVM *vm, Value *args) {
    uint64_t hash;
    Leaf done = leaf_hash(vm, args[0], &hash);
    return done == LEAF_ERROR ? VALUE_ERROR : bool_value(done == LEAF_TRUE);
}

static Value await_iterator(GenVM *vm, Value *args) {
    if (generator_is_awaitable(args[0])) return args[0];
    return native_twin(vm, TWIN_GET_AWAITABLE, 2, args[0], VALUE_NONE);
}

/* A generator that may be awaited and shows as what anext() with a default gives. */
static Value coroutine_of(GenVM *vm, Value *args) {
    as_object(args[0])->shape = vm->types[TYPE_ANEXT_AWAITABLE]->root_shape;
    return args[0];
}

static Value prelude(GenVM *vm, Value *args) {
    Value name = str_format(vm, "_prelude.%S", args[0]);
    Value module = name == VALUE_ERROR ? VALUE_ERROR : dict_get_str(vm, AS_DICT(vm->prelude), name);
    return module == VALUE_UNSET ? VALUE_NONE : module;
}
static Value load_prelude(GenVM *vm, Value *args) {
    const char *name = str_c(vm, args[0]);
    if (!name || !prelude_load(vm, name)) return VALUE_ERROR;
    return prelude(vm, args);
}

/* The prelude's functions that write reports: the module traceback shows them. */
static Value traceback_functions(GenVM *vm, Value *args) {
    if (twin_load(vm, TWIN_EXCEPTION_TEXT) == VALUE_ERROR) return VALUE_ERROR;
    Value name[] = {str_from(vm, "traceback")};
    (void)args;
    return prelude(vm, name);
}

/* The prelude's type parameters: the module typing shows their classes. */
static Value typeparams(GenVM *vm, Value *args) {
    if (twin_load(vm, TWIN_TYPEVAR) == VALUE_ERROR) return VALUE_ERROR;
    Value name[] = {str_from(vm, "typeparams")};
    (void)args;
    return prelude(vm, name);
}

/* An int of 256 bits that is never the same where the host grants that, else the VM's own constant.
 */
static Value entropy(GenVM *vm, Value *args) {
    (void)args;
    uint8_t bytes[32];
    if (vm->capabilities & GEN_CAP_ENTROPY && getrandom(bytes, sizeof bytes, 0) == sizeof bytes) {
        char digits[2 * sizeof bytes];
        for (size_t i = 0; i < sizeof digits; i++)
            digits[i] = "0123456789abcdef"[bytes[i / 2] >> (i % 2 * 4) & 15];
        return int_from_text(vm, digits, sizeof digits, 16);
    }
    return int_from_u64(vm, vm->hash_key[0] ^ (vm->hash_key[1] << 7 | vm->hash_key[1] >> 57));
}

/* The builtin types by name: for the module types. */
static Value types(GenVM *vm, Value *args) {
    (void)args;
    Value dict = dict_new(vm);
    for (int i = 0; dict != VALUE_ERROR && i < TYPE_KIND_COUNT; i++)
        if (!dict_set_str(vm, AS_DICT(dict), vm->types[i]->name, object_value(vm->types[i])))
            return VALUE_ERROR;
    return dict;
}

/* A function like the given one, whose generators may be awaited (types.coroutine). */
static Value iterable_coroutine(GenVM *vm, Value *args) {
    Function *function = AS(Function, args[0]);
    if (!(function->code->flags & CODE_GENERATOR))
        return raise_type(vm, "%S() is no generator function", function->name);
    Code *code = code_new(vm);
    Function *copy = code ? function_new(vm, function->code, function->globals) : NULL;
    if (!copy) return VALUE_ERROR;
    Object header = code->header, function_header = copy->header;
    *code = *function->code;
    code->header = header;
    code->image = NULL; /* it says the flags */
    code->flags |= CODE_ITERABLE_COROUTINE;
    *copy = *function;
    copy->header = function_header;
    copy->code = code;
    return object_value(copy);
}

/* The parameters of a library iterator, as they are now: for its repr. */
static Value generator_locals(GenVM *vm, Value *args) {
    Generator *generator = AS(Generator, args[0]);
    uint32_t count = (uint32_t)generator_function(generator)->code->arg_count;
    if (generator->header.state != GENERATOR_DONE)
        return tuple_from_array(vm, generator->regs, count);
    Value none = tuple_new(vm, count); /* at its end a generator keeps nothing alive */
    for (uint32_t i = 0; none != VALUE_ERROR && i < count; i++)
        AS_TUPLE(none)->items[i] = VALUE_NONE;
    return none;
}

static Value disassemble(GenVM *vm, Value *args) {
    if (!is_kind(args[0], TYPE_CODE))
        return raise_type(vm, "don't know how to disassemble %T objects", args[0]);
    return code_disassemble(vm, AS(Code, args[0]));
}

/* The `self` of the method in which a NameError was raised; None. */
static Value name_error_self(GenVM *vm, Value *args) {
    if (!value_is_instance(vm, args[0], EXC_NAME_ERROR))
        return raise_type(vm, "%T is no NameError", args[0]);
    Value self = exception_get_field(args[0], NAME_ERROR_SELF);
    return self == VALUE_UNSET ? VALUE_NONE : self;
}

/* A function whose code is a generator's, and that makes coroutines: for what suspends itself in
 * the library. */
static Value coroutine_function(GenVM *vm, Value *args) {
    Value copied = iterable_coroutine(vm, args);
    if (copied == VALUE_ERROR) return VALUE_ERROR;
    Code *code = AS(Function, copied)->code;
    code->flags &= ~(uint32_t)(CODE_GENERATOR | CODE_ITERABLE_COROUTINE);
    code->flags |= CODE_COROUTINE;
    return copied;
}

static int compare_words(const void *left, const void *right) {
    Value a = *(const Value *)left, b = *(const Value *)right;
    return a < b ? -1 : a > b;
}

/* Are the items of a tuple different objects. */
static Value are_distinct(GenVM *vm, Value *args) {
    Tuple *tuple = AS_TUPLE(args[0]);
    Value *words = memory_new(vm, (tuple->count + 1) * sizeof *words);
    if (!words) return raise_memory(vm);
    memcpy(words, tuple->items, tuple->count * sizeof *words);
    qsort(words, tuple->count, sizeof *words, compare_words);
    bool distinct = true;
    for (uint64_t i = 1; distinct && i < tuple->count; i++)
        distinct = words[i] != words[i - 1];
    memory_free(words);
    return bool_value(distinct);
}

static Value on_interrupt(GenVM *vm, Value *args) {
    Value before = vm->roots[ROOT_ON_INTERRUPT];
    vm->roots[ROOT_ON_INTERRUPT] = args[0] == VALUE_NONE ? VALUE_UNSET : args[0];
    return before == VALUE_UNSET ? VALUE_NONE : before;
}

static bool any_object(Value v, Value wanted) {
    (void)wanted;
    return is_object(v);
}

/* A full collection; the finalizers of what it finds run at the next safepoints. */
static Value collect(GenVM *vm, Value *args) {
    (void)args;
    frame_forget_temporaries(vm, any_object, VALUE_UNSET);
    vm->poll |= POLL_GC | POLL_GC_FULL;
    vm->fuel_kept += vm->fuel;
    vm->fuel = 0;
    return native_twin(vm, TWIN_NOTHING, 0);
}

/* Pays for a full collection when it has been made, by what is left: what is the task's own, or the
 * whole heap where that is large, to the next power of two. So it is the same on every run. */
static Value pay_collection(GenVM *vm, Value *args) {
    enum { BYTES_A_STEP = 64, LEAST = 1 << 18, LARGE = 1 << 24 };
    (void)args;
    uint64_t live = gc_live_bytes(vm), size = LEAST;
    if (live < LARGE) live = vm->task ? budget_memory(vm, vm->task) : 0;
    while (size < live)
        size *= 2;
    native_spend(vm, size / BYTES_A_STEP);
    return VALUE_NONE;
}

static Value finalizers_due(GenVM *vm, Value *args) {
    (void)args;
    bool waits = vm->pending_count && !vm_is_finalizing(vm);
    if (waits) vm->poll |= POLL_FINALIZE; /* whoever put them off may be gone */
    Value due = int_value(waits ? vm->pending_count : 0),
          total = int_value((int64_t)vm->pending_total);
    return tuple_pack(vm, 2, due, total);
}

static Value is_number(GenVM *vm, Value *args) {
    Value v = args[0];
    if (value_is_intlike(v) || value_is_float(v) || is_kind(v, TYPE_COMPLEX)) return VALUE_TRUE;
    Type *type = type_of(vm, v);
    return bool_value(type_find_special(vm, type, SP_FLOAT) != VALUE_UNSET ||
                      type_find_special(vm, type, SP_INDEX) != VALUE_UNSET ||
                      type_find_special(vm, type, SP_COMPLEX) != VALUE_UNSET ||
                      type_find_special(vm, type, SP_INT) != VALUE_UNSET);
}

static Value getframe(GenVM *vm, Value *args) {
    Value frame = frame_object_of_caller(vm, as_int(args[0]));
    if (frame == VALUE_UNSET) return raise_value(vm, "call stack is not deep enough");
    return frame;
}

static Value as_iterator(GenVM *vm, Value *args) {
    return (void)vm, args[0];
}

const NativeDef engine_core_natives[] = {
    {"call_bound(native, bound: tuple, which: index, value, /)", call_bound,
     "Call a native whose arguments are bound."},
    {"index(value, /)", to_index, "operator.index"},
    {"has_special(obj, name: str, /)", has_special,
     "Does the class of obj define the special method."},
    {"gives_length_hint(obj, /)", gives_length_hint,
     "May asking for the length, or a hint at it, run script code."},
    {"bind_special(obj, name: str, /)", bind_special, "The special method of obj's class, bound."},
    {"raise_(exception: exception, /)", raise, "Raise without a traceback entry of its own."},
    {"global_name(globals: dict, name: str, /)", global_name,
     "The global or builtin of that name."},
    {"function_text(callable, /)", function_text, "How messages name a callable."},
    {"is_coroutine(obj, /)", is_coroutine, NULL},
    {"is_traceback(obj, /)", is_traceback, NULL},
    {"is_union_or_alias(obj, /)", is_union_or_alias, NULL},
    {"is_finite(number: float, /)", is_finite, NULL},
    {"matches_self(cls, /)", matches_self, "Does cls(x) in a pattern bind the subject itself."},
    {"plain_instance_check(obj, cls, /)", plain_instance_check,
     "isinstance without __instancecheck__."},
    {"plain_subclass_check(cls, base, /)", plain_subclass_check,
     "issubclass without __subclasscheck__."},
    {"modules()", modules, "sys.modules"},
    {"search_path()", search_path, "sys.path"},
    {"find_builtin(name: str, /)", find_builtin,
     "A native module, (code, is a package) of a frozen one, or None."},
    {"module_made(module, /)", module_made, NULL},
    {"new_module(name: str, /)", new_module, NULL},
    {"run_code(code: code, globals: dict, locals, /)", run_code, "Run code in namespaces."},
    {"path_kind(path: str, /)", path_kind, "'file', 'directory' or ''."},
    {"compile_file(path: str, /)", compile_file, "The code of a source file."},
    {"source_text(code: code, /)", source_text, "The source of a code object, or None."},
    {"exception_text(exception, /)", exception_text, "The report of an uncaught exception."},
    {"suggest(name: str, names: list, /)", suggest, "The nearest of the names, or None."},
    {"is_library_module(name: str, /)", is_library_module,
     "Does the library have a module of that name."},
    {"carets(lines: str, start: index, end: index, /)", carets,
     "Source lines with carets under the bytes start to end."},
    {"stdout()", stdout_now, "sys.stdout"},
    {"map_of_iterators(cls: type, function, iterators: tuple, strict, /)", map_of_iterators, NULL},
    {"filter_of_iterator(cls: type, function, iterator, /)", filter_of_iterator, NULL},
    {"pattern_kind(cls: type, /)", pattern_kind, NULL},
    {"set_pattern_kind(cls: type, kind: str, /)", set_pattern_kind,
     "'sequence' or 'mapping': what patterns take instances for."},
    {"is_keyword(name: str, /)", is_keyword, NULL},
    {"coroutine_of(generator: generator, /)", coroutine_of, "The generator, to be awaited."},
    {"hashes_natively(value, /)", hashes_natively, "Does hash() of it run no script code."},
    {"await_iterator(awaitable, /)", await_iterator, "What `await` would iterate."},
    {"traceback_functions()", traceback_functions, "The prelude module traceback."},
    {"prelude(name: str, /)", prelude, "A loaded prelude module, or None."},
    {"load_prelude(name: str, /)", load_prelude, "The same, loaded if it was not."},
    {"typeparams()", typeparams, "The prelude module of that name."},
    {"entropy()", entropy, "A seed."},
    {"types()", types, "The builtin types by name."},
    {"iterable_coroutine(function: function, /)", iterable_coroutine,
     "types.coroutine of a generator function."},
    {"coroutine_function(function: function, /)", coroutine_function,
     "The generator function, making coroutines."},
    {"are_distinct(objects: tuple, /)", are_distinct, "Are the items different objects."},
    {"on_interrupt(function, /)", on_interrupt,
     "Call the function where KeyboardInterrupt would be raised; the one before, or None."},
    {"collect()", collect, "Collect garbage now."},
    {"pay_collection()", pay_collection, "Charge the collection that has just been made."},
    {"finalizers_due()", finalizers_due,
     "How many finalizers and callbacks are to be run, and how many ever were."},
    {"generic_alias(origin, args, /)", generic_alias, "types.GenericAlias(origin, args)"},
    {"mapping_proxy(mapping, /)", mapping_proxy, "types.MappingProxyType(mapping)"},
    {"bind_method(function, self, /)", bind_method, "types.MethodType(function, self)"},
    {"union(left, right, /)", make_union, "left | right of types"},
    {"disassemble(code: code, /)", disassemble, "The instructions of the code and of those in it."},
    {"is_generator_like(value, /)", is_generator, "Is it a generator or coroutine of any kind?"},
    {"name_error_self(error: exception, /)", name_error_self,
     "The self of the method that raised it."},
    {"generator_locals(iterator: generator, /)", generator_locals,
     "The parameters of a library iterator, as they are now; None for each when it is at its end."},
    {"is_number(value, /)", is_number, "May it be counted with."},
    {"wear(generator: generator, cls: type, /)", wear,
     "The generator, from now on an instance of cls, which derives from Coat."},
    {"getframe(depth: index = 0, /)", getframe, NULL},
    {"as_iterator(coroutine, /)", as_iterator, "The coroutine itself."},
    {NULL, NULL, NULL},
};
