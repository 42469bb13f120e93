/* genvm_natives.c - the C API: functions and modules that a host brings.
 *
 * A host function gets its arguments as refs in a scope of its own. The NativeDef that stands for
 * it lies in a Buffer kept by the VM, its GenFunction and its name behind it. One without a body is
 * external: calling it opens a ticket (ticket.c).
 */
#include "vm/genvm_private.h"
#include "vm/bind.h"
#include "vm/objects.h"
#include "vm/resource.h"
#include "vm/task.h"

typedef struct HostDef {
    NativeDef def;
    GenFn fn; /* NULL: external */
    bool asynchronous;
} HostDef;

/* ---- calls that a host function leaves to the interpreter ---- */

static const char last_call[] = "call to be made";

/* An object that says what is to be called: `held` is a tuple, (callable, args) or (then, state,
 * callable, args). Nothing but call_host looks into it. */
static GenRef hold_call(GenVM *vm, Value parts) {
    Resource *call = parts == VALUE_ERROR ? NULL : gc_new(vm, sizeof *call, TYPE_RESOURCE);
    if (!call) return GEN_NULL;
    call->what = last_call;
    call->held = parts;
    return ref_hold(vm, object_value(call));
}

static Value tuple_of(GenVM *vm, size_t count, const GenRef *refs) {
    Value tuple = tuple_new(vm, count);
    for (size_t i = 0; tuple != VALUE_ERROR && i < count; i++)
        if ((AS_TUPLE(tuple)->items[i] = ref_value(vm, refs[i])) == VALUE_ERROR) return VALUE_ERROR;
    return tuple;
}

GenRef gen_call_last(GenVM *vm, GenRef callable, size_t count, const GenRef *args) {
    API_READY(vm, GEN_NULL);
    Value function = ref_value(vm, callable);
    Value tuple = function == VALUE_ERROR ? function : tuple_of(vm, count, args);
    return tuple == VALUE_ERROR ? GEN_NULL : hold_call(vm, tuple_pack(vm, 2, function, tuple));
}

GenRef gen_call_then(GenVM *vm, GenRef then, GenRef state, GenRef callable, size_t count,
                     const GenRef *args) {
    API_READY(vm, GEN_NULL);
    Value parts[] = {ref_value(vm, then), ref_value(vm, state), ref_value(vm, callable),
                     tuple_of(vm, count, args)};
    for (int i = 0; i < 4; i++)
        if (parts[i] == VALUE_ERROR) return GEN_NULL;
    return hold_call(vm, tuple_from_array(vm, parts, 4));
}

static Value make_call(GenVM *vm, Value call) {
    const Tuple *parts = AS_TUPLE(AS(Resource, call)->held);
    if (parts->count == 2)
        return native_call_spread(vm, parts->items[0], parts->items[1], VALUE_UNSET);
    return native_twin_array(vm, TWIN_CALL_THEN, 4, parts->items);
}

/* ---- functions ---- */

static Value call_host(GenVM *vm, Value *args) {
    const HostDef *host = (const HostDef *)vm->callee->def;
    int count = vm->callee->signature->count;
    GenRef refs[NATIVE_MAX_PARAMS];
    OwnScope outer = own_scope_open(vm);
    for (int i = 0; i < count; i++)
        refs[i] = args[i] == VALUE_UNSET ? GEN_NULL : ref_hold(vm, args[i]);
    API_OUT(vm);
    GenRef result = host->fn(vm, refs);
    API_IN(vm);
    Value v = VALUE_ERROR;
    if (vm->exception == VALUE_UNSET) {
        v = result == GEN_NULL ? VALUE_NONE : ref_value(vm, result);
    }
    own_scope_close(vm, outer);
    bool calls = is_kind(v, TYPE_RESOURCE) && AS(Resource, v)->what == last_call;
    return calls ? make_call(vm, v) : v;
}

/* The arguments of an external function as the host gets them: a tuple in the order of the
 * signature, *args spread, absent ones left out at its end; **kwargs apart. */
static Value call_external(GenVM *vm, Value *args) {
    const NativeFunction *callee = vm->callee;
    const Signature *signature = callee->signature;
    Value list = list_new(vm, 0), kwargs = VALUE_UNSET;
    if (list == VALUE_ERROR) return VALUE_ERROR;
    for (int i = 0; i < signature->count; i++) {
        if (i == signature->kwargs_at) {
            kwargs = args[i];
        } else if (i == signature->args_at) {
            for (uint64_t j = 0; j < AS_TUPLE(args[i])->count; j++)
                if (!list_append(vm, list, AS_TUPLE(args[i])->items[j])) return VALUE_ERROR;
        } else if (!list_append(vm, list, args[i] == VALUE_UNSET ? VALUE_NONE : args[i])) {
            return VALUE_ERROR;
        }
    }
    Value tuple = tuple_from_array(vm, AS_LIST(list)->items, AS_LIST(list)->count);
    if (tuple == VALUE_ERROR) return VALUE_ERROR;
    Value name = callee->name;
    if (value_is_str(callee->module)) name = str_format(vm, "%S.%S", callee->module, name);
    if (name == VALUE_ERROR) return VALUE_ERROR;
    return task_call_out(vm, name, tuple, kwargs, ((const HostDef *)callee->def)->asynchronous);
}

/* "async def f(x)", "def f(x)" and "f(x)" are all right. */
static const char *skip_word(const char *text, const char *word, bool *found) {
    size_t size = strlen(word);
    *found = !strncmp(text, word, size) && text[size] == ' ';
    if (!*found) return text;
    text += size;
    while (*text == ' ')
        text++;
    return text;
}

Buffer *genvm_storage(GenVM *vm, size_t size) {
    Buffer *storage = gc_buffer_new(vm, size);
    if (!storage) return NULL;
    if (vm->host_natives == VALUE_UNSET) {
        Value list = list_new(vm, 0);
        if (list == VALUE_ERROR) return NULL;
        vm->host_natives = list;
    }
    return list_append(vm, vm->host_natives, object_value(storage)) ? storage : NULL;
}

const NativeDef *genvm_native(GenVM *vm, const GenFunction *function) {
    bool asynchronous, plain;
    const char *signature = skip_word(function->signature, "async", &asynchronous);
    signature = skip_word(signature, "def", &plain);
    if (!genvm_check_signature(vm, signature)) return NULL;
    if (asynchronous && function->fn) {
        raise_error(vm, EXC_SYSTEM_ERROR, "signature %s: async, but the function has a body",
                    signature);
        return NULL;
    }
    Buffer *storage = genvm_storage(vm, sizeof(HostDef));
    if (!storage) return NULL;
    HostDef *host = (HostDef *)storage->data;
    *host = (HostDef){.def = {signature, function->fn ? call_host : call_external, function->doc},
                      .fn = function->fn,
                      .asynchronous = asynchronous};
    return &host->def;
}

Value genvm_function(GenVM *vm, const GenFunction *function, Value module) {
    const NativeDef *def = genvm_native(vm, function);
    Value made = def ? native_function_new(vm, def, VALUE_UNSET, module) : VALUE_ERROR;
    if (made != VALUE_ERROR) AS(NativeFunction, made)->header.flags |= NATIVE_CALLS;
    return made;
}

GenRef gen_function(GenVM *vm, const GenFunction *function) {
    API_GIVEN(function);
    API_READY(vm, GEN_NULL);
    return ref_hold(vm, genvm_function(vm, function, VALUE_UNSET));
}

bool gen_register_module(GenVM *vm, const char *name, const GenFunction *functions) {
    API_GIVEN(name);
    API_GIVEN(functions);
    API_READY(vm, false);
    Value key = str_intern_from(vm, name, strlen(name)), module = module_new(vm, key);
    if (module == VALUE_ERROR) return false;
    for (; functions->signature; functions++) {
        Value function = genvm_function(vm, functions, key);
        if (function == VALUE_ERROR || !dict_set_str(vm, AS(Module, module)->dict,
                                                     AS(NativeFunction, function)->name, function))
            return false;
    }
    return dict_set_str(vm, vm->modules, key, module);
}
