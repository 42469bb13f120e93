/* genvm.c - the C API of genvm.h over the engine: VMs, values, calls, exceptions. Refs are
 * genvm_refs.c, host functions genvm_natives.c, host types genvm_types.c, tasks genvm_task.c.
 */
#include "vm/genvm_private.h"
#include "vm/bind.h"
#include "vm/code.h"
#include "vm/interp.h"
#include "vm/file.h"
#include "vm/image.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/paths.h"
#include "vm/runtime.h"
#include "vm/shared.h"
#include "vm/task.h"
#include "vm/threads.h"
#include "vm/warn.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- life ---- */

static Value call0(GenVM *vm, Value callable);
static Value finish(GenVM *vm, Value v);

static bool main_module_init(GenVM *vm) {
    Value name = name_value(vm, NAME___main__), module = module_new(vm, name);
    if (module == VALUE_ERROR) return false;
    vm->main_module = module;
    Dict *dict = AS(Module, module)->dict;
    return dict_set_str(vm, vm->modules, name, module) &&
           dict_set_str(vm, dict, name_value(vm, NAME___builtins__),
                        dict_get_str(vm, vm->modules, name_value(vm, NAME_builtins)));
}

static void choose_hash_key(GenVM *vm, const GenConfig *config) {
    vm->hash_key[0] = SHARED_KEY_0, vm->hash_key[1] = SHARED_KEY_1;
    if (config->hash_seed) vm->hash_key[0] = config->hash_seed;
    if (!(config->capabilities & GEN_CAP_ENTROPY) || config->hash_seed) return;
    FILE *random = fopen("/dev/urandom", "rb");
    if (!random) return;
    if (fread(vm->hash_key, sizeof vm->hash_key, 1, random) != 1) vm->hash_key[1] ^= 1;
    fclose(random);
}

/* A VM that is nothing but what the config says. */
static GenVM *new_vm(const GenConfig *config) {
    GenVM *vm = config->allocate ? config->allocate(config->context, NULL, 0, sizeof *vm)
                                 : malloc(sizeof *vm);
    if (!vm) return NULL;
    memset(vm, 0, sizeof *vm);
    vm->allocate = config->allocate;
    vm->host_data = config->context;
    vm->capabilities = config->capabilities;
    vm->memory_limit = config->memory_limit;
    vm->host_write = config->write;
    vm->clock = config->clock;
    vm->host_module = config->find_module;
    choose_hash_key(vm, config);
    return vm;
}

static void free_vm(GenVM *vm) {
    refs_free(vm);
    memory_free(vm->error_text);
    vm_free(vm);
}

GenVM *gen_vm_new(const GenConfig *given) {
    GenConfig config = {0}; /* an older program's is shorter */
    if (given && given->size)
        memcpy(&config, given, given->size < sizeof config ? given->size : sizeof config);
    GenVM *vm = new_vm(&config);
    if (!vm) return NULL;
    if (!refs_init(vm) || !vm_init(vm) || !main_module_init(vm) || !vm_library_init(vm) ||
        !paths_init(vm, config.read_roots, config.write_roots) || vm->poll & POLL_MEMORY) {
        free_vm(vm);
        return NULL;
    }
    if (config.recursion_limit) vm->recursion_limit = config.recursion_limit;
    frame_reset_limit(vm);
    gc_begin_finalizable(vm);
    return vm;
}

/* A function of the host's has been called that has not returned: by a script, or (in_prelude) to
 * save or load an object of the host's. */
static bool is_running(const GenVM *vm) {
    return vm->base || vm->in_prelude;
}

void gen_vm_free(GenVM *vm) {
    if (!vm) return;
    api_check_free(vm);
    if (!is_running(vm)) free_vm(vm);
}

static bool flush_stream(GenVM *vm, Name name) {
    Value stream = dict_get_str(vm, AS(Module, vm->sys_module)->dict, name_value(vm, name));
    if (stream == VALUE_UNSET || stream == VALUE_NONE) return true;
    Value method = finish(vm, attribute_get(vm, stream, name_value(vm, NAME_flush)));
    return method != VALUE_ERROR && call0(vm, method) != VALUE_ERROR;
}

/* The end of a program waits for its threads, but for those that are daemons; these are dropped. */
static void join_threads(GenVM *vm) {
    Value function = threads_join_function(vm);
    error_clear(vm);
    if (function != VALUE_UNSET && call0(vm, function) == VALUE_ERROR)
        vm_report_unraisable(vm, error_take(vm), function);
    if (vm->threads) threads_free(vm->threads);
    vm->threads = NULL;
}

static Value error_take_any(GenVM *vm) {
    return vm->exception == VALUE_UNSET ? VALUE_UNSET : error_take(vm);
}

bool gen_vm_finish(GenVM *vm) {
    API(vm);
    if (is_running(vm)) return raise_runtime(vm, "the virtual machine is running"), false;
    vm->handles->count = 0;
    join_threads(vm);
    vm_run_finalizers(vm);
    Value error = error_take_any(vm); /* there was no memory for them */
    if (vm->sys_module != VALUE_UNSET) {
        if (!flush_stream(vm, NAME_stdout) && error == VALUE_UNSET) error = error_take_any(vm);
        error_clear(vm);
        if (!flush_stream(vm, NAME_stderr)) error_clear(vm);
    }
    vm->exception = error;
    return error == VALUE_UNSET;
}

void *gen_context(GenVM *vm) {
    API(vm);
    return vm->host_data;
}
uint64_t gen_debug_fail_allocations(GenVM *vm, uint64_t first, uint64_t count,
                                    bool (*asked)(void)) {
    API(vm);
    uint64_t left = vm->failing_allocation;
    vm->failing_allocation = first;
    vm->failing_count = count;
    vm->failing_asked = asked;
    return left;
}
void gen_debug_fail_allocation(GenVM *vm, uint64_t nth) {
    API(vm);
    gen_debug_fail_allocations(vm, nth, 1, NULL);
}

void gen_interrupt(GenVM *vm) {
    api_check(vm, __func__);
    vm->interrupted = 1; /* seen when the slice of fuel ends; `poll` is the VM's thread's alone */
    void (*wake)(void *data) = vm->wake;
    if (wake) wake(vm->wake_data);
    if (vm->wait_fd) vm->end_wait(vm->wait_fd);
}

uint64_t gen_memory(GenVM *vm) {
    API(vm);
    return gc_live_bytes(vm);
}

#define TEXT(x) #x
#define VERSION(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

const char *gen_version(void) {
    return VERSION(GEN_VERSION_MAJOR, GEN_VERSION_MINOR, GEN_VERSION_PATCH);
}

/* ---- calls of script code from here ---- */

void genvm_flush(GenVM *vm) {
    if (!vm->host_write) return;
    Value pending = vm->exception;
    vm->exception = VALUE_UNSET;
    file_sync(vm, false);
    vm->exception = pending;
}

void genvm_collect(GenVM *vm, Value result) {
    if (vm->base || vm->finalizing || !(vm->poll & (POLL_GC | POLL_GC_FULL))) return;
    vm->roots[ROOT_RESULT] = result;
    gc_collect(vm, vm->memory_limit && gc_live_bytes(vm) > vm->memory_limit);
    vm->roots[ROOT_RESULT] = VALUE_UNSET;
}

static Value with_output(GenVM *vm, Value result) {
    genvm_flush(vm);
    genvm_collect(vm, result);
    return result;
}

static Value host_call(GenVM *vm, Value callable, uint32_t count, const Value *args) {
    Value result = with_output(vm, vm_call(vm, callable, count, args));
    return result;
}

static Value call0(GenVM *vm, Value callable) {
    return callable == VALUE_ERROR ? VALUE_ERROR : host_call(vm, callable, 0, NULL);
}

/* Makes the call that a native or slot asked for. Where it asked for none, no safepoint comes that
 * would tell of memory that ran out where nothing could be raised: what was looked for may be
 * there. */
static Value finish(GenVM *vm, Value v) {
    if (v == VALUE_TAIL) return with_output(vm, vm_call_tail(vm));
    if (likely(!(vm->poll & POLL_MEMORY))) return v;
    vm->poll &= ~(uint32_t)POLL_MEMORY;
    error_clear(vm);
    return raise_memory(vm);
}

bool gen_collect(GenVM *vm) {
    API_READY(vm, false);
    vm->poll |= POLL_GC | POLL_GC_FULL;
    if (!vm->base) gc_collect(vm, true);
    vm->fuel_kept += vm->fuel; /* a safepoint comes at once, where finalizers run */
    vm->fuel = 0;
    return finish(vm, native_twin(vm, TWIN_NOTHING, 0)) != VALUE_ERROR;
}

static Value main_globals(GenVM *vm) {
    return object_value(AS(Module, vm->main_module)->dict);
}

Value genvm_compile(GenVM *vm, const char *source, size_t size, const char *name, const char *mode,
                    int flags) {
    if (!vm->compile) return raise_runtime(vm, "this virtual machine has no compiler");
    if (!image_keep_builtins(vm)) return VALUE_ERROR;
    if (!name) name = "<string>";
    return vm->compile(vm, source, size, name, mode,
                       flags | (name[0] == '<' ? COMPILE_KEEP_SOURCE : 0));
}

static Value run_code(GenVM *vm, Value code) {
    if (code != VALUE_ERROR) code = finish(vm, warn_compiled(vm, code));
    if (code == VALUE_ERROR) return VALUE_ERROR;
    Function *function = function_new(vm, AS(Code, code), AS_DICT(main_globals(vm)));
    return function ? call0(vm, object_value(function)) : VALUE_ERROR;
}

bool gen_run_bytes(GenVM *vm, const char *source, size_t size, const char *name) {
    API_GIVEN(source);
    API_READY(vm, false);
    return run_code(vm, genvm_compile(vm, source, size, name, "exec", 0)) != VALUE_ERROR;
}

bool gen_run_string(GenVM *vm, const char *source, const char *name) {
    API_GIVEN(source);
    API(vm);
    return gen_run_bytes(vm, source, strlen(source), name);
}

GenRef gen_eval(GenVM *vm, const char *expression) {
    API_GIVEN(expression);
    API_READY(vm, GEN_NULL);
    return ref_hold(
        vm, run_code(vm, genvm_compile(vm, expression, strlen(expression), "<string>", "eval", 0)));
}

GenStatus gen_run_interactive(GenVM *vm, const char *source, size_t size, const char *name) {
    API_GIVEN(source);
    API_READY(vm, GEN_ERROR);
    Value code = genvm_compile(vm, source, size, name, "single", COMPILE_INCOMPLETE);
    if (code == VALUE_UNSET) return GEN_END;
    return run_code(vm, code) == VALUE_ERROR ? GEN_ERROR : GEN_OK;
}

GenRef gen_import(GenVM *vm, const char *module) {
    API_GIVEN(module);
    API_READY(vm, GEN_NULL);
    Value from = tuple_pack(vm, 1, name_value(vm, NAME___name__));
    Value args[] = {str_from(vm, module), main_globals(vm), VALUE_NONE, from, int_value(0)};
    if (args[0] == VALUE_ERROR || from == VALUE_ERROR) return GEN_NULL;
    Value loaded = dict_get_str(vm, vm->modules, args[0]);
    if (is_kind(loaded, TYPE_MODULE) && !import_is_initializing(vm, loaded))
        return ref_hold(vm, loaded); /* sys, mostly: no need of the code of import for that */
    return ref_hold(vm, host_call(vm, vm->import_function, 5, args));
}

/* ---- making values ---- */

GenRef gen_none(GenVM *vm) {
    API_READY(vm, GEN_NULL);
    return ref_hold(vm, VALUE_NONE);
}
GenRef gen_bool(GenVM *vm, bool b) {
    API_READY(vm, GEN_NULL);
    return ref_hold(vm, bool_value(b));
}
GenRef gen_int(GenVM *vm, int64_t i) {
    API_READY(vm, GEN_NULL);
    return ref_hold(vm, int_from_i64(vm, i));
}
GenRef gen_uint(GenVM *vm, uint64_t i) {
    API_READY(vm, GEN_NULL);
    return ref_hold(vm, int_from_u64(vm, i));
}
GenRef gen_float(GenVM *vm, double d) {
    API_READY(vm, GEN_NULL);
    return ref_hold(vm, float_value(vm, d));
}
GenRef gen_str_n(GenVM *vm, const char *utf8, size_t size) {
    API_READY(vm, GEN_NULL);
    return ref_hold(vm, str_decode_utf8(vm, utf8, size, "strict"));
}
GenRef gen_str(GenVM *vm, const char *utf8) {
    API_GIVEN(utf8);
    API(vm);
    return gen_str_n(vm, utf8, strlen(utf8));
}
GenRef gen_bytes(GenVM *vm, const void *data, size_t size) {
    API_READY(vm, GEN_NULL);
    return ref_hold(vm, bytes_new(vm, data, size));
}
GenRef gen_list(GenVM *vm) {
    API_READY(vm, GEN_NULL);
    return ref_hold(vm, list_new(vm, 0));
}
GenRef gen_dict(GenVM *vm) {
    API_READY(vm, GEN_NULL);
    return ref_hold(vm, dict_new(vm));
}

GenRef gen_tuple(GenVM *vm, size_t count, const GenRef *items) {
    API_READY(vm, GEN_NULL);
    Value tuple = tuple_new(vm, count);
    if (tuple == VALUE_ERROR) return GEN_NULL;
    for (size_t i = 0; i < count; i++)
        if ((AS_TUPLE(tuple)->items[i] = ref_value(vm, items[i])) == VALUE_ERROR) return GEN_NULL;
    return ref_hold(vm, tuple);
}

/* ---- reading values ---- */

GenType gen_type(GenVM *vm, GenRef ref) {
    API(vm);
    Value v = ref_value(vm, ref);
    if (v == VALUE_ERROR) return GEN_TYPE_OTHER;
    if (is_int(v)) return GEN_TYPE_INT;
    if (is_float(v)) return GEN_TYPE_FLOAT;
    switch (as_object(v)->kind) {
    case TYPE_NONE: return GEN_TYPE_NONE;
    case TYPE_BOOL: return GEN_TYPE_BOOL;
    case TYPE_INT: return GEN_TYPE_INT;
    case TYPE_FLOAT: return GEN_TYPE_FLOAT;
    case TYPE_STR: return GEN_TYPE_STR;
    case TYPE_BYTES: return GEN_TYPE_BYTES;
    case TYPE_LIST: return GEN_TYPE_LIST;
    case TYPE_TUPLE: return GEN_TYPE_TUPLE;
    case TYPE_DICT: return GEN_TYPE_DICT;
    case TYPE_SET:
    case TYPE_FROZENSET: return GEN_TYPE_SET;
    case TYPE_FUNCTION:
    case TYPE_NATIVE:
    case TYPE_NATIVE_METHOD:
    case TYPE_METHOD: return GEN_TYPE_FUNCTION;
    case TYPE_GENERATOR:
    case TYPE_COROUTINE:
    case TYPE_ASYNC_GENERATOR: return GEN_TYPE_GENERATOR;
    case TYPE_TYPE: return GEN_TYPE_CLASS;
    case TYPE_MODULE: return GEN_TYPE_MODULE;
    case KIND_EXCEPTION: return GEN_TYPE_EXCEPTION;
    default: return GEN_TYPE_OTHER;
    }
}

GenRef gen_class(GenVM *vm, GenRef ref) {
    API_READY(vm, GEN_NULL);
    Value v = ref_value(vm, ref);
    return v == VALUE_ERROR ? GEN_NULL : ref_hold(vm, object_value(type_of(vm, v)));
}

const char *gen_type_name(GenVM *vm, GenRef ref) {
    API(vm);
    Value v = ref_value(vm, ref);
    return v == VALUE_ERROR ? "no value" : type_name(vm, v);
}

bool gen_is_instance(GenVM *vm, GenRef ref, GenRef cls) {
    API(vm);
    Value v = ref_value(vm, ref), c = ref_value(vm, cls);
    if (v == VALUE_ERROR || c == VALUE_ERROR) return false;
    if (is_type(c)) return type_is_subclass(type_of(vm, v), type_from(c));
    raise_type(vm, "expected a class, not %T", c);
    return false;
}

bool gen_is_none(GenVM *vm, GenRef ref) {
    API(vm);
    return ref_value(vm, ref) == VALUE_NONE;
}

bool gen_to_bool(GenVM *vm, GenRef ref, bool *out) {
    API_GIVEN(out);
    *out = false;
    API_READY(vm, false);
    Value v = ref_value(vm, ref);
    if (v == VALUE_ERROR) return false;
    Value truth = host_call(vm, object_value(vm->types[TYPE_BOOL]), 1, &v);
    *out = truth == VALUE_TRUE;
    return truth != VALUE_ERROR;
}

bool gen_to_int(GenVM *vm, GenRef ref, int64_t *out) {
    API_GIVEN(out);
    API(vm);
    Value v = ref_value(vm, ref);
    *out = 0;
    if (v == VALUE_ERROR) return false;
    if (!value_is_intlike(v)) {
        raise_type(vm, "'%T' object cannot be interpreted as an integer", v);
        return false;
    }
    if (int_to_i64(v, out)) return true;
    raise_overflow(vm, "int too large to convert to 64 bits");
    return false;
}

bool gen_to_float(GenVM *vm, GenRef ref, double *out) {
    API_GIVEN(out);
    API(vm);
    Value v = ref_value(vm, ref);
    *out = 0;
    if (v == VALUE_ERROR) return false;
    if (number_to_double(vm, v, out)) return true;
    if (vm->exception == VALUE_UNSET) raise_type(vm, "must be real number, not %T", v);
    return false;
}

int64_t gen_as_int(GenVM *vm, GenRef ref) {
    API(vm);
    int64_t i;
    gen_to_int(vm, ref, &i);
    return i;
}

double gen_as_float(GenVM *vm, GenRef ref) {
    API(vm);
    double d;
    gen_to_float(vm, ref, &d);
    return d;
}

const char *gen_to_str(GenVM *vm, GenRef ref, size_t *size) {
    API(vm);
    Value v = ref_value(vm, ref);
    if (v == VALUE_ERROR) return NULL;
    if (value_is_str(v)) {
        if (size) *size = AS_STR(v)->size;
        return AS_STR(v)->data;
    }
    raise_type(vm, "expected str, not %T", v);
    return NULL;
}

const void *gen_to_bytes(GenVM *vm, GenRef ref, size_t *size) {
    API_GIVEN(size);
    API(vm);
    Value v = ref_value(vm, ref);
    const uint8_t *data;
    if (v == VALUE_ERROR) return NULL;
    if (bytes_view(vm, v, &data, size)) return data;
    raise_type(vm, "expected a bytes-like object, not %T", v);
    return NULL;
}

GenRef gen_repr(GenVM *vm, GenRef ref) {
    API_READY(vm, GEN_NULL);
    Value v = ref_value(vm, ref);
    return v == VALUE_ERROR ? GEN_NULL : ref_hold(vm, finish(vm, value_repr(vm, v)));
}

GenRef gen_to_text(GenVM *vm, GenRef ref) {
    API_READY(vm, GEN_NULL);
    Value v = ref_value(vm, ref);
    return v == VALUE_ERROR ? GEN_NULL : ref_hold(vm, finish(vm, value_str(vm, v)));
}

/* ---- containers, attributes, globals ---- */

bool gen_len(GenVM *vm, GenRef ref, size_t *out) {
    API_GIVEN(out);
    *out = 0;
    API_READY(vm, false);
    Value v = ref_value(vm, ref);
    Value length = v == VALUE_ERROR ? VALUE_ERROR : finish(vm, value_len(vm, v));
    if (length != VALUE_ERROR) *out = (size_t)as_int(length);
    return length != VALUE_ERROR;
}

GenRef gen_get_item(GenVM *vm, GenRef container, GenRef key) {
    API_READY(vm, GEN_NULL);
    Value v = ref_value(vm, container), k = ref_value(vm, key);
    return v == VALUE_ERROR || k == VALUE_ERROR ? GEN_NULL
                                                : ref_hold(vm, finish(vm, value_getitem(vm, v, k)));
}

GenRef gen_get_index(GenVM *vm, GenRef sequence, int64_t index) {
    API_READY(vm, GEN_NULL);
    Value v = ref_value(vm, sequence), k = int_from_i64(vm, index);
    return v == VALUE_ERROR || k == VALUE_ERROR ? GEN_NULL
                                                : ref_hold(vm, finish(vm, value_getitem(vm, v, k)));
}

bool gen_set_item(GenVM *vm, GenRef container, GenRef key, GenRef item) {
    API_READY(vm, false);
    Value v = ref_value(vm, container), k = ref_value(vm, key), i = ref_value(vm, item);
    if (v == VALUE_ERROR || k == VALUE_ERROR || i == VALUE_ERROR) return false;
    return finish(vm, value_setitem(vm, v, k, i)) != VALUE_ERROR;
}

bool gen_delete_item(GenVM *vm, GenRef container, GenRef key) {
    API_READY(vm, false);
    Value v = ref_value(vm, container), k = ref_value(vm, key);
    if (v == VALUE_ERROR || k == VALUE_ERROR) return false;
    return finish(vm, value_setitem(vm, v, k, VALUE_UNSET)) != VALUE_ERROR;
}

bool gen_next_item(GenVM *vm, GenRef dict, size_t *position, GenRef *key, GenRef *value) {
    API_GIVEN(position);
    API_GIVEN(key);
    API_GIVEN(value);
    *key = *value = GEN_NULL;
    API_READY(vm, false);
    Value v = ref_value(vm, dict), k, item;
    if (v == VALUE_ERROR) return false;
    if (!is_kind(v, TYPE_DICT)) {
        raise_type(vm, "expected dict, not %T", v);
        return false;
    }
    uint32_t at = *position <= UINT32_MAX ? (uint32_t)*position : UINT32_MAX;
    if (!dict_next(AS_DICT(v), &at, &k, &item)) return false;
    *position = at;
    return (*key = ref_hold(vm, k)) && (*value = ref_hold(vm, item));
}

bool gen_append(GenVM *vm, GenRef list, GenRef item) {
    API_READY(vm, false);
    Value v = ref_value(vm, list), i = ref_value(vm, item);
    if (v == VALUE_ERROR || i == VALUE_ERROR) return false;
    if (is_kind(v, TYPE_LIST)) return list_append(vm, v, i);
    raise_type(vm, "expected list, not %T", v);
    return false;
}

GenRef gen_get_attr(GenVM *vm, GenRef object, const char *name) {
    API_GIVEN(name);
    API_READY(vm, GEN_NULL);
    Value v = ref_value(vm, object), key = str_intern_from(vm, name, strlen(name));
    return v == VALUE_ERROR || key == VALUE_ERROR
               ? GEN_NULL
               : ref_hold(vm, finish(vm, attribute_get(vm, v, key)));
}

bool gen_set_attr(GenVM *vm, GenRef object, const char *name, GenRef value) {
    API_GIVEN(name);
    API_READY(vm, false);
    Value v = ref_value(vm, object), key = str_intern_from(vm, name, strlen(name)),
          to = ref_value(vm, value);
    if (v == VALUE_ERROR || key == VALUE_ERROR || to == VALUE_ERROR) return false;
    return finish(vm, attribute_set(vm, v, key, to)) != VALUE_ERROR;
}

bool gen_delete_attr(GenVM *vm, GenRef object, const char *name) {
    API_GIVEN(name);
    API_READY(vm, false);
    Value v = ref_value(vm, object), key = str_intern_from(vm, name, strlen(name));
    if (v == VALUE_ERROR || key == VALUE_ERROR) return false;
    return finish(vm, attribute_delete(vm, v, key)) != VALUE_ERROR;
}

bool gen_has_attr(GenVM *vm, GenRef object, const char *name) {
    API_GIVEN(name);
    API_READY(vm, false);
    GenScope scope = gen_scope_open(vm);
    bool found = gen_get_attr(vm, object, name) != GEN_NULL;
    if (!found && error_matches(vm, EXC_ATTRIBUTE_ERROR)) error_clear(vm);
    gen_scope_close(vm, scope);
    return found;
}

GenRef gen_get_global(GenVM *vm, const char *name) {
    API_GIVEN(name);
    API_READY(vm, GEN_NULL);
    Value key = str_intern_from(vm, name, strlen(name));
    if (key == VALUE_ERROR) return GEN_NULL;
    Value v = dict_get_str(vm, AS_DICT(main_globals(vm)), key);
    if (v == VALUE_UNSET) v = dict_get_str(vm, vm->builtins, key);
    if (v == VALUE_UNSET) v = raise_name_error(vm, EXC_NAME_ERROR, key, "name '%S' is not defined");
    return ref_hold(vm, v);
}

bool gen_set_global(GenVM *vm, const char *name, GenRef value) {
    API_GIVEN(name);
    API_READY(vm, false);
    Value key = str_intern_from(vm, name, strlen(name)), v = ref_value(vm, value);
    return key != VALUE_ERROR && v != VALUE_ERROR &&
           dict_set_str(vm, AS_DICT(main_globals(vm)), key, v);
}

/* ---- operators ---- */

typedef Value Operate(GenVM *vm, int which, Value left, Value right);

static Value operate_binary(GenVM *vm, int which, Value left, Value right) {
    return value_binary(vm, (BinaryOp)which, left, right, false);
}
static Value operate_compare(GenVM *vm, int which, Value left, Value right) {
    return value_compare(vm, (CompareOp)which, left, right);
}
static Value operate_in(GenVM *vm, int which, Value left, Value right) {
    (void)which;
    return value_contains(vm, right, left);
}

static const struct {
    char text[4];
    uint8_t which;
    Operate *operate;
} operators[] = {
    {"+", BINARY_ADD, operate_binary},       {"-", BINARY_SUB, operate_binary},
    {"*", BINARY_MUL, operate_binary},       {"/", BINARY_DIV, operate_binary},
    {"//", BINARY_FLOORDIV, operate_binary}, {"%", BINARY_MOD, operate_binary},
    {"**", BINARY_POW, operate_binary},      {"@", BINARY_MATMUL, operate_binary},
    {"<<", BINARY_LSHIFT, operate_binary},   {">>", BINARY_RSHIFT, operate_binary},
    {"&", BINARY_AND, operate_binary},       {"|", BINARY_OR, operate_binary},
    {"^", BINARY_XOR, operate_binary},       {"<", COMPARE_LT, operate_compare},
    {"<=", COMPARE_LE, operate_compare},     {"==", COMPARE_EQ, operate_compare},
    {"!=", COMPARE_NE, operate_compare},     {">", COMPARE_GT, operate_compare},
    {">=", COMPARE_GE, operate_compare},     {"in", 0, operate_in},
};

GenRef gen_operate(GenVM *vm, GenRef left, const char *op, GenRef right) {
    API_GIVEN(op);
    API_READY(vm, GEN_NULL);
    Value a = ref_value(vm, left), b = ref_value(vm, right);
    if (a == VALUE_ERROR || b == VALUE_ERROR) return GEN_NULL;
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (!strcmp(operators[i].text, op))
            return ref_hold(vm, finish(vm, operators[i].operate(vm, operators[i].which, a, b)));
    raise_error(vm, EXC_SYSTEM_ERROR, "gen_operate: no operator %s", op);
    return GEN_NULL;
}

/* ---- calling ---- */

GenRef gen_call(GenVM *vm, GenRef callable, size_t count, const GenRef *args) {
    API_READY(vm, GEN_NULL);
    Value function = ref_value(vm, callable), few[16];
    few[0] = VALUE_UNSET; /* a call without arguments still hands the array on */
    if (function == VALUE_ERROR) return GEN_NULL;
    Value *values = count <= 16 ? few : memory_new(vm, count * sizeof(Value));
    if (!values) {
        raise_memory(vm);
        return GEN_NULL;
    }
    bool ok = true;
    for (size_t i = 0; i < count; i++)
        ok &= (values[i] = ref_value(vm, args[i])) != VALUE_ERROR;
    Value result = ok ? host_call(vm, function, (uint32_t)count, values) : VALUE_ERROR;
    if (values != few) memory_free(values);
    return ref_hold(vm, result);
}

GenRef gen_call_with(GenVM *vm, GenRef callable, GenRef args, GenRef kwargs) {
    API_READY(vm, GEN_NULL);
    Value function = ref_value(vm, callable), positional = ref_value(vm, args);
    Value keywords = kwargs == GEN_NULL ? VALUE_UNSET : ref_value(vm, kwargs);
    if (function == VALUE_ERROR || positional == VALUE_ERROR || keywords == VALUE_ERROR)
        return GEN_NULL;
    bool fits = is_kind(positional, TYPE_TUPLE) &&
                (keywords == VALUE_UNSET || is_kind(keywords, TYPE_DICT));
    if (fits)
        return ref_hold(vm, finish(vm, native_call_spread(vm, function, positional, keywords)));
    raise_type(vm, "expected a tuple and a dict");
    return GEN_NULL;
}

GenRef gen_method(GenVM *vm, GenRef callable, GenRef self) {
    API_READY(vm, GEN_NULL);
    Value function = ref_value(vm, callable), bound = ref_value(vm, self);
    return function == VALUE_ERROR || bound == VALUE_ERROR
               ? GEN_NULL
               : ref_hold(vm, method_new(vm, function, bound));
}

GenRef gen_call_method(GenVM *vm, GenRef object, const char *name, size_t count,
                       const GenRef *args) {
    API_GIVEN(name);
    API(vm);
    GenScope scope = gen_scope_open(vm);
    return gen_scope_return(vm, scope, gen_call(vm, gen_get_attr(vm, object, name), count, args));
}

/* ---- generators ---- */

GenRef gen_iter(GenVM *vm, GenRef iterable) {
    API_READY(vm, GEN_NULL);
    Value v = ref_value(vm, iterable);
    return v == VALUE_ERROR
               ? GEN_NULL
               : ref_hold(vm, is_kind(v, TYPE_GENERATOR) ? v : finish(vm, value_iter(vm, v)));
}

/* The outcome of a step: a value, the end with its value, or an error. */
static GenStatus outcome(GenVM *vm, Value v, GenRef *out) {
    if (v == VALUE_END) {
        *out = ref_hold(vm, VALUE_NONE);
        return GEN_END;
    }
    if (v != VALUE_ERROR) {
        *out = ref_hold(vm, v);
        return *out ? GEN_OK : GEN_ERROR;
    }
    *out = GEN_NULL;
    if (!error_matches(vm, EXC_STOP_ITERATION)) return GEN_ERROR;
    *out = ref_hold(vm, exception_stop_value(vm, error_take(vm)));
    return GEN_END;
}

GenStatus gen_next(GenVM *vm, GenRef iterator, GenRef *out) {
    API_GIVEN(out);
    *out = GEN_NULL;
    API_READY(vm, GEN_ERROR);
    Value v = ref_value(vm, iterator);
    if (v == VALUE_ERROR) return GEN_ERROR;
    Value sent = VALUE_NONE;
    if (is_generator_like(v)) return outcome(vm, finish(vm, native_resume(vm, v, sent)), out);
    return outcome(vm, finish(vm, value_next(vm, v)), out);
}

GenStatus gen_send(GenVM *vm, GenRef generator, GenRef value, GenRef *out) {
    API_GIVEN(out);
    *out = GEN_NULL;
    API_READY(vm, GEN_ERROR);
    Value v = ref_value(vm, generator), sent = ref_value(vm, value);
    if (v == VALUE_ERROR || sent == VALUE_ERROR) return GEN_ERROR;
    if (is_generator_like(v)) return outcome(vm, finish(vm, native_resume(vm, v, sent)), out);
    Value method = finish(vm, attribute_get(vm, v, name_value(vm, NAME_send)));
    return outcome(vm, method == VALUE_ERROR ? VALUE_ERROR : host_call(vm, method, 1, &sent), out);
}

GenStatus gen_throw(GenVM *vm, GenRef generator, GenRef exception, GenRef *out) {
    API_GIVEN(out);
    *out = GEN_NULL;
    API_READY(vm, GEN_ERROR);
    Value v = ref_value(vm, generator), raised = ref_value(vm, exception);
    if (v == VALUE_ERROR || raised == VALUE_ERROR) return GEN_ERROR;
    Value name = str_intern_from(vm, "throw", 5);
    Value method = name == VALUE_ERROR ? name : finish(vm, attribute_get(vm, v, name));
    return outcome(vm, method == VALUE_ERROR ? VALUE_ERROR : host_call(vm, method, 1, &raised),
                   out);
}

bool gen_close(GenVM *vm, GenRef generator) {
    API_READY(vm, false);
    Value v = ref_value(vm, generator);
    if (v == VALUE_ERROR) return false;
    Value method = finish(vm, attribute_get(vm, v, name_value(vm, NAME_close)));
    return call0(vm, method) != VALUE_ERROR;
}

/* ---- exceptions ---- */

bool gen_error_matches(GenVM *vm, const char *type) {
    API_GIVEN(type);
    API(vm);
    Value name =
        vm->exception == VALUE_UNSET ? VALUE_ERROR : str_intern_from(vm, type, strlen(type));
    Value cls = name == VALUE_ERROR ? VALUE_UNSET : dict_get_str(vm, vm->builtins, name);
    return is_type(cls) && type_is_subclass(type_of(vm, vm->exception), type_from(cls));
}

bool gen_error_pending(GenVM *vm) {
    API(vm);
    return vm->exception != VALUE_UNSET;
}
GenRef gen_error_take(GenVM *vm) {
    API(vm);
    return vm->exception == VALUE_UNSET ? GEN_NULL : ref_hold(vm, error_take(vm));
}
void gen_error_clear(GenVM *vm) {
    API(vm);
    error_clear(vm);
}
void gen_error_restore(GenVM *vm, GenRef exception) {
    API(vm);
    Value v = ref_value(vm, exception);
    if (v == VALUE_ERROR) return;
    if (is_kind(v, KIND_EXCEPTION))
        vm->exception = v;
    else
        raise_type(vm, "exceptions must derive from BaseException");
}

enum { REPORT_STEPS = 10000000, REPORT_MEMORY = 64 << 20 /* bytes */ };

/* The report may run methods of the exception: as a task, so that it comes to an end. Finalizers
 * that are due wait for what runs next: they are none of the report's, and may call the host. */
static Value exception_text(GenVM *vm, Value exception) {
    Value function = twin_load(vm, TWIN_EXCEPTION_TEXT);
    Value args = function == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 1, exception);
    Task *task = args == VALUE_ERROR ? NULL : task_new(vm, function, args);
    if (!task) return VALUE_ERROR;
    ref_hold(vm, object_value(task));
    task->limits[BUDGET_STEPS] = REPORT_STEPS;
    task->limits[BUDGET_MEMORY] = REPORT_MEMORY + 8 * gc_live_bytes(vm);
    bool is_ending = vm->is_ending;
    vm->is_ending = true;
    vm->c_depth -= 2; /* there is room for it where calls have taken all */
    TaskOutcome outcome = task_run(vm, task);
    vm->c_depth += 2;
    vm->is_ending = is_ending;
    if (vm->pending_count) vm->poll |= POLL_FINALIZE;
    return outcome.kind == OUT_DONE ? outcome.value : VALUE_ERROR;
}

const char *gen_error_text(GenVM *vm) {
    API(vm);
    memory_free(vm->error_text);
    vm->error_text = NULL;
    if (vm->exception == VALUE_UNSET) return "";
    GenScope scope = gen_scope_open(vm);
    Value exception = error_take(vm);
    ref_hold(vm, exception);
    Value text = exception_text(vm, exception);
    if (text == VALUE_ERROR) {
        error_clear(vm);
        text = str_format(vm, "%T: (no report could be made)\n", exception);
    }
    if (text != VALUE_ERROR && value_is_str(text)) {
        vm->error_text = memory_new(vm, AS_STR(text)->size + 1);
        if (vm->error_text) {
            memcpy(vm->error_text, AS_STR(text)->data, AS_STR(text)->size);
            vm->error_text[AS_STR(text)->size] = 0;
        }
    }
    error_clear(vm);
    vm->exception = exception;
    gen_scope_close(vm, scope);
    return vm->error_text ? vm->error_text : "MemoryError\n";
}

GenRef gen_raise(GenVM *vm, const char *type, const char *format, ...) {
    API_GIVEN(type);
    API_GIVEN(format);
    API(vm);
    Value name = str_intern_from(vm, type, strlen(type));
    Value cls = name == VALUE_ERROR ? VALUE_UNSET : dict_get_str(vm, vm->builtins, name);
    if (!is_type(cls) || !type_is_subclass(type_from(cls), vm->types[TYPE_BASE_EXCEPTION])) {
        raise_error(vm, EXC_SYSTEM_ERROR, "gen_raise: no exception class %s", type);
        return GEN_NULL;
    }
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    Value message = str_decode_utf8(vm, text, strlen(text), "replace");
    Value tuple = message == VALUE_ERROR ? VALUE_ERROR : tuple_pack(vm, 1, message);
    Value exception =
        tuple == VALUE_ERROR ? VALUE_ERROR : exception_new_of(vm, type_from(cls), tuple);
    if (exception != VALUE_ERROR) raise_value_object(vm, exception);
    return GEN_NULL;
}
