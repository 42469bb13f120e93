/* native.c - the binder: from a signature string to arguments that a native's body can use as they
 * are.
 *
 * A signature is parsed once per function object, on its first call, into a Signature: a flat array
 * of parameters with their conversions and ready-made default values. Binding then is a loop over
 * that array. Calls that pass exactly the plain positional parameters take the first few lines of
 * native_bind and nothing else.
 */
#include "vm/bind.h"
#include "vm/frame.h"
#include "vm/generator.h"
#include "vm/memory.h"
#include "vm/objects.h"
#include "vm/shared.h"
#include "vm/threads.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- parsing signatures ---- */

typedef struct Reader {
    GenVM *vm;
    const char *at;
    bool failed; /* an exception is pending */
} Reader;

static void skip_space(Reader *reader) {
    while (*reader->at == ' ')
        reader->at++;
}

static bool take(Reader *reader, const char *word) {
    skip_space(reader);
    size_t size = strlen(word);
    if (strncmp(reader->at, word, size) != 0) return false;
    if (isalnum((unsigned char)word[size - 1]) &&
        (isalnum((unsigned char)reader->at[size]) || reader->at[size] == '_'))
        return false;
    reader->at += size;
    return true;
}

static size_t take_name(Reader *reader, const char **start) {
    skip_space(reader);
    *start = reader->at;
    while (isalnum((unsigned char)*reader->at) || *reader->at == '_' || *reader->at == '.')
        reader->at++;
    return (size_t)(reader->at - *start);
}

static const struct {
    const char *word;
    Convert convert;
} conversions[] = {
    {"object", CONVERT_NONE}, {"int", CONVERT_INT},           {"index", CONVERT_INDEX},
    {"size", CONVERT_SIZE},   {"position", CONVERT_POSITION}, {"float", CONVERT_FLOAT},
    {"str", CONVERT_STR},     {"bytes", CONVERT_BYTES},       {"list", CONVERT_LIST},
    {"tuple", CONVERT_TUPLE}, {"dict", CONVERT_DICT},         {"callable", CONVERT_CALLABLE},
    {"bool", CONVERT_BOOL},   {"type", CONVERT_TYPE},         {"generator", CONVERT_GENERATOR},
    {"set", CONVERT_SET},
};

static const struct { /* what else the natives of _engine take */
    const char *word;
    TypeId kind;
} kinds[] = {
    {"function", TYPE_FUNCTION},   {"code", TYPE_CODE},         {"cell", TYPE_CELL},
    {"enumerate", TYPE_ENUMERATE}, {"raw_file", TYPE_FILE_RAW}, {"exception", KIND_EXCEPTION},
};

static bool is_word(const char *word, size_t size, const char *other) {
    return strlen(other) == size && memcmp(word, other, size) == 0;
}

bool native_knows_type(const char *word, size_t size) {
    for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++)
        if (is_word(word, size, conversions[i].word)) return true;
    return is_word(word, size, "None");
}

static void parse_annotation(Reader *reader, Param *param) {
    int alternatives = 0;
    do {
        if (take(reader, "None")) {
            param->or_none = true;
            continue;
        }
        const char *word;
        size_t size = take_name(reader, &word);
        alternatives++;
        for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++)
            if (is_word(word, size, conversions[i].word)) param->convert = conversions[i].convert;
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            if (!is_word(word, size, kinds[i].word)) continue;
            param->convert = CONVERT_KIND;
            param->kind = (uint8_t)kinds[i].kind;
        }
    } while (take(reader, "|"));
    if (alternatives > 1) param->convert = CONVERT_NONE; /* a union is the body's to check */
}

static Value parse_string_default(Reader *reader) {
    char quote = *reader->at++;
    const char *start = reader->at;
    while (*reader->at && *reader->at != quote)
        reader->at++;
    Value text = str_intern_from(reader->vm, start, (size_t)(reader->at - start));
    if (*reader->at) reader->at++;
    return text;
}

static Value parse_number_default(Reader *reader) {
    char *end_int, *end_float;
    long long i = strtoll(reader->at, &end_int, 10);
    double d = strtod(reader->at, &end_float);
    bool is_real = end_float > end_int;
    reader->at = is_real ? end_float : end_int;
    return is_real ? float_value(reader->vm, d) : int_from_i64(reader->vm, i);
}

static Value parse_default(Reader *reader) {
    skip_space(reader);
    if (take(reader, "?")) return VALUE_UNSET;
    if (take(reader, "None")) return VALUE_NONE;
    if (take(reader, "True")) return VALUE_TRUE;
    if (take(reader, "False")) return VALUE_FALSE;
    if (take(reader, "()")) return reader->vm->empty_tuple;
    if (*reader->at == '\'' || *reader->at == '"') return parse_string_default(reader);
    if (reader->at[0] == 'b' && reader->at[1] == '\'') {
        reader->at += 3;
        return reader->vm->empty_bytes;
    }
    return parse_number_default(reader);
}

static int count_params(const char *signature) {
    int count = 1;
    for (; *signature; signature++)
        count += *signature == ',';
    return count;
}

/* `name`, `name: T`, `name = default`, `*args`, `**kwargs`, `*`, `/` between the parentheses. */
static void parse_param(Reader *reader, Signature *signature, bool *keyword_only) {
    if (take(reader, "/")) {
        signature->posonly = signature->count;
        return;
    }
    bool star_star = take(reader, "**"), star = !star_star && take(reader, "*");
    skip_space(reader);
    if (star && (*reader->at == ',' || *reader->at == ')')) {
        *keyword_only = true;
        return;
    }
    Param *param = &signature->params[signature->count++];
    const char *start;
    size_t size = take_name(reader, &start);
    param->name = str_intern_from(reader->vm, start, size);
    if (param->name == VALUE_ERROR) reader->failed = true;
    param->fallback = VALUE_UNSET;
    param->required = !star && !star_star;
    if (take(reader, ":")) parse_annotation(reader, param);
    if (take(reader, "=")) {
        param->required = false;
        param->fallback = parse_default(reader);
        if (param->fallback == VALUE_ERROR) reader->failed = true;
    }
    if (star_star) {
        signature->kwargs_at = signature->count - 1;
    } else if (star) {
        signature->args_at = signature->count - 1;
        *keyword_only = true;
    } else if (!*keyword_only) {
        signature->positional = signature->count;
        if (param->required) signature->required = signature->count;
    }
}

static Signature *parse_signature(GenVM *vm, const char *text) {
    Reader reader = {vm, text, false};
    int capacity = count_params(text);
    Buffer *buffer = gc_buffer_new(vm, sizeof(Signature) + (size_t)capacity * sizeof(Param));
    if (!buffer) return NULL;
    Signature *signature = (Signature *)buffer->data;
    memset(signature, 0, sizeof *signature + (size_t)capacity * sizeof(Param));
    signature->storage = buffer;
    signature->args_at = signature->kwargs_at = -1;
    if (take(&reader, "static")) signature->binding = BINDING_STATIC;
    if (take(&reader, "classmethod ")) signature->binding = BINDING_CLASS;
    const char *name;
    signature->name_size = (uint32_t)take_name(&reader, &name);
    signature->name = name;
    bool keyword_only = false;
    if (take(&reader, "("))
        while (!take(&reader, ")") && *reader.at) {
            parse_param(&reader, signature, &keyword_only);
            take(&reader, ",");
        }
    if (reader.failed) return NULL;
    signature->plain = signature->args_at < 0 && signature->kwargs_at < 0 &&
                       signature->positional == signature->count;
    for (int i = 0; i < signature->count; i++)
        signature->converts |= signature->params[i].convert != CONVERT_NONE;
    return signature;
}

/* The count of arguments with which the native can be called as it stands: nothing to convert, to
 * complete or to put in front. */
static uint8_t direct_count(const NativeFunction *native) {
    const Signature *signature = native->signature;
    bool bound = native->self != VALUE_UNSET && native->owner;
    bool special = signature->binding != BINDING_INSTANCE || bound ||
                   native->header.flags & (NATIVE_RESUMES | NATIVE_CALLS);
    if (!signature->plain || signature->converts || special || signature->count >= FUNCTION_COMPLEX)
        return FUNCTION_COMPLEX;
    return (uint8_t)signature->count;
}

/* Shared functions are never written: each VM has a table of their signatures. */
Signature *native_shared_signature(const GenVM *vm, const NativeFunction *native) {
    return vm->shared_signatures ? vm->shared_signatures[native - vm->shared->natives] : NULL;
}

static COLD Signature *parse_shared(GenVM *vm, const NativeFunction *native) {
    if (!vm->shared_signatures) {
        size_t count = vm->shared->native_count;
        vm->shared_signatures = memory_new_zeroed(vm, count, sizeof *vm->shared_signatures);
        if (!vm->shared_signatures) return raise_memory(vm), NULL;
    }
    Signature **place = &vm->shared_signatures[native - vm->shared->natives];
    if (!*place) *place = parse_signature(vm, native->def->signature);
    return *place;
}

Signature *native_signature(GenVM *vm, NativeFunction *native) {
    if (likely(native->signature)) return native->signature;
    if (is_shared(&native->header)) {
        Signature *known = native_shared_signature(vm, native);
        return likely(known) ? known : parse_shared(vm, native);
    }
    native->signature = parse_signature(vm, native->def->signature);
    gc_barrier(vm, native);
    if (native->signature) native->header.state = direct_count(native);
    return native->signature;
}

/* What direct_count would say, from the text alone: FUNCTION_COMPLEX where that is not plain. */
static uint8_t plain_count(const char *signature) {
    const char *at = strchr(signature, '(') + 1;
    if (strpbrk(at, "*:")) return FUNCTION_COMPLEX;
    unsigned count = *at != ')';
    for (; (at = strchr(at, ',')); at++)
        count += strncmp(at, ", /", 3) != 0;
    return (uint8_t)count;
}

void native_fill_shared(NativeFunction *native, const NativeDef *def, Value name, Value module) {
    native->header = (Object){.shape = TYPE_NATIVE,
                              .kind = TYPE_NATIVE,
                              .state = plain_count(def->signature),
                              .gc = GC_PERMANENT};
    native->def = def;
    native->fn = def->fn;
    native->self = VALUE_UNSET;
    native->module = module;
    native->name = name;
}

void native_mark_shared(GenVM *vm) {
    for (uint32_t i = 0; vm->shared_signatures && i < vm->shared->native_count; i++)
        native_mark_signature(vm, vm->shared_signatures[i]);
}

void native_mark_signature(GenVM *vm, const Signature *signature) {
    if (!signature) return;
    gc_mark_pointer(vm, signature->storage);
    for (int i = 0; i < signature->count; i++) {
        gc_mark(vm, signature->params[i].name);
        gc_mark(vm, signature->params[i].fallback);
    }
}

size_t native_def_name(const NativeDef *def, const char **name, Binding *binding) {
    Reader reader = {NULL, def->signature, false};
    Binding found = BINDING_INSTANCE;
    if (take(&reader, "static")) found = BINDING_STATIC;
    if (take(&reader, "classmethod ")) found = BINDING_CLASS;
    if (binding) *binding = found;
    return take_name(&reader, name);
}

/* ---- converting one argument ---- */

/* How the function calls itself in messages: "pop()", without the owner, as CPython's argument
 * parser has it. */
static Value describe(GenVM *vm, const NativeFunction *native) {
    return str_new(vm, native_known_signature(vm, native)->name,
                   native_known_signature(vm, native)->name_size);
}

/* "math.sqrt": the messages about functions of no or one argument name the module, that of builtins
 * excepted. */
static Value describe_with_module(GenVM *vm, const NativeFunction *native) {
    Value name = describe(vm, native);
    if (native->owner || !value_is_str(native->module) || str_is(native->module, "builtins"))
        return name;
    return str_format(vm, "%S.%S", native->module, name);
}

static Value wrong_type(GenVM *vm, const NativeFunction *native, int index, const char *expected,
                        Value got) {
    const Signature *signature = native_known_signature(vm, native);
    bool has_self = native_hides_first(vm, native);
    const char *what = got == VALUE_NONE ? "None" : type_name(vm, got);
    if (signature->count - has_self == 1 && signature->posonly == signature->count)
        return raise_type(vm, "%S() argument must be %s, not %s", describe(vm, native), expected,
                          what);
    if (index >= signature->posonly)
        return raise_type(vm, "%S() argument '%S' must be %s, not %s", describe(vm, native),
                          signature->params[index].name, expected, what);
    return raise_type(vm, "%S() argument %d must be %s, not %s", describe(vm, native),
                      index + 1 - has_self, expected, what);
}

static Value to_index(GenVM *vm, Convert convert, Value v) {
    if (is_int(v)) return v;
    if (is_bool(v)) return int_value(v == VALUE_TRUE);
    int64_t i;
    bool fits = int_to_i64(v, &i);
    if (fits && int_fits(i)) return int_value(i);
    if (convert == CONVERT_SIZE && !fits)
        return raise_overflow(vm, "Python int too large to convert to C ssize_t");
    return int_value(int_sign(v) < 0 ? SMALL_INT_MIN : SMALL_INT_MAX);
}

/* The converted argument; VALUE_TAIL when its __index__ or __float__ or __bool__ must run first
 * (bind_through_twin). */
static Value convert(GenVM *vm, const NativeFunction *native, int index, Value v) {
    const Param *param = &native_known_signature(vm, native)->params[index];
    if (v == VALUE_NONE && param->or_none) return v;
    switch (param->convert) {
    case CONVERT_NONE: return v;
    case CONVERT_INT:
        if (value_is_intlike(v)) return v;
        break;
    case CONVERT_INDEX:
    case CONVERT_POSITION:
    case CONVERT_SIZE:
        if (value_is_intlike(v)) return to_index(vm, param->convert, v);
        break;
    case CONVERT_FLOAT: {
        double d;
        if (value_is_float(v)) return is_float(v) ? v : float_value(vm, value_float(v));
        if (number_to_double(vm, v, &d)) return float_value(vm, d);
        if (vm->exception != VALUE_UNSET) return VALUE_ERROR;
        if (type_special(vm, v, SP_FLOAT) != VALUE_UNSET ||
            type_special(vm, v, SP_INDEX) != VALUE_UNSET)
            return VALUE_TAIL;
        return raise_type(vm, "must be real number, not %T", v);
    }
    case CONVERT_STR: return value_is_str(v) ? v : wrong_type(vm, native, index, "str", v);
    case CONVERT_BYTES:
        return is_kind(v, TYPE_BYTES) ? v : wrong_type(vm, native, index, "bytes", v);
    case CONVERT_LIST: return is_kind(v, TYPE_LIST) ? v : wrong_type(vm, native, index, "list", v);
    case CONVERT_TUPLE:
        return is_kind(v, TYPE_TUPLE) ? v : wrong_type(vm, native, index, "tuple", v);
    case CONVERT_DICT: return is_kind(v, TYPE_DICT) ? v : wrong_type(vm, native, index, "dict", v);
    case CONVERT_CALLABLE: return v;
    case CONVERT_KIND:
        if (is_kind(v, (TypeId)param->kind)) return v;
        return raise_type(vm, "%S() cannot be called with %T", describe(vm, native), v);
    case CONVERT_TYPE: return is_type(v) ? v : wrong_type(vm, native, index, "type", v);
    case CONVERT_GENERATOR:
        return is_generator_like(v) ? v : wrong_type(vm, native, index, "generator", v);
    case CONVERT_SET:
        return is_kind(v, TYPE_SET) || is_kind(v, TYPE_FROZENSET)
                   ? v
                   : wrong_type(vm, native, index, "set", v);
    case CONVERT_BOOL: {
        Leaf truth = leaf_truth(vm, v);
        if (truth == LEAF_ERROR) return VALUE_ERROR;
        return truth == LEAF_SCRIPT ? VALUE_TAIL : bool_value(truth == LEAF_TRUE);
    }
    }
    if (type_special(vm, v, SP_INDEX) != VALUE_UNSET || type_of(vm, v)->slots.to_index)
        return VALUE_TAIL;
    if (param->convert == CONVERT_POSITION)
        return raise_type(vm, "slice indices must be integers or None or have an __index__ method");
    return raise_type(vm, "'%T' object cannot be interpreted as an integer", v);
}

/* Argument `index` needs script code to be converted: a twin does that and calls the native again.
 */
static Value bind_through_twin(GenVM *vm, const NativeFunction *native, int index, Value *bound) {
    const Signature *signature = native_known_signature(vm, native);
    Value tuple = tuple_new(vm, (uint64_t)signature->count);
    if (tuple == VALUE_ERROR) return VALUE_ERROR;
    int64_t absent = 0; /* a bit each: the tuple may be saved, and holds values only */
    for (int i = 0; i < signature->count; i++) {
        AS_TUPLE(tuple)->items[i] = bound[i] == VALUE_UNSET ? VALUE_NONE : bound[i];
        if (bound[i] == VALUE_UNSET) absent |= (int64_t)1 << i;
    }
    static const Twin twins[] = {
        [CONVERT_INT] = TWIN_BIND_INDEX,      [CONVERT_INDEX] = TWIN_BIND_INDEX,
        [CONVERT_POSITION] = TWIN_BIND_INDEX, [CONVERT_SIZE] = TWIN_BIND_INDEX,
        [CONVERT_FLOAT] = TWIN_BIND_FLOAT,    [CONVERT_BOOL] = TWIN_BIND_BOOL};
    return native_twin(vm, twins[signature->params[index].convert], 4, object_value(native), tuple,
                       bound[index], int_value(absent << BOUND_INDEX_BITS | index));
}

/* ---- binding ---- */

/* Functions with keyword parameters whose positional arguments CPython counts by hand, with other
 * words. */
static bool counts_by_hand(const Signature *signature) {
    static const char *const names[] = {"int", "str", "sorted"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == signature->name_size &&
            memcmp(names[i], signature->name, signature->name_size) == 0)
            return true;
    return false;
}

static Value too_many(GenVM *vm, const NativeFunction *native, uint32_t given) {
    const Signature *signature = native_known_signature(vm, native);
    int hidden = native_hides_first(vm, native);
    int most = signature->positional - hidden, least = signature->required - hidden,
        got = (int)given - hidden;
    Value name = describe(vm, native);
    if (native->owner && hidden && signature->posonly == signature->count && signature->plain) {
        Value owner = native->owner->name;
        if (most == 0)
            return raise_type(vm, "%S.%S() takes no arguments (%d given)", owner, name, got);
        if (most == 1 && least == 1)
            return raise_type(vm, "%S.%S() takes exactly one argument (%d given)", owner, name,
                              got);
    } else if (signature->plain && signature->posonly == signature->count &&
               !(native->header.flags & NATIVE_NEW)) {
        Value full = describe_with_module(vm, native);
        if (most == 0) return raise_type(vm, "%S() takes no arguments (%d given)", full, got);
        if (most == 1 && least == 1)
            return raise_type(vm, "%S() takes exactly one argument (%d given)", full, got);
    }
    if (most == 0 && hidden < signature->count)
        return raise_type(vm, "%S() takes no positional arguments", name);
    /* Positional ones and **kwargs: dict() */
    bool by_position = (signature->posonly == signature->positional && signature->kwargs_at >= 0) ||
                       counts_by_hand(signature);
    if (signature->posonly < signature->count && !by_position) {
        const char *kind = signature->positional < signature->count ? "positional " : "";
        return raise_type(vm, "%S() takes %s %d %sargument%s (%d given)", name,
                          least == most && *kind ? "exactly" : "at most", most, kind,
                          most == 1 ? "" : "s", got);
    }
    return raise_type(vm, "%S expected %s%d argument%s, got %d", name,
                      least == most ? "" : "at most ", most, most == 1 ? "" : "s", got);
}

static Value too_few(GenVM *vm, const NativeFunction *native, int missing, uint32_t given) {
    const Signature *signature = native_known_signature(vm, native);
    int hidden = native_hides_first(vm, native);
    int most = signature->positional - hidden, least = signature->required - hidden,
        got = (int)given - hidden;
    Value name = describe(vm, native);
    if (missing == 0 && native->header.flags & NATIVE_NEW)
        return raise_type(vm, "%N.__new__(): not enough arguments", type_from(native->self));
    if (missing == 0 && hidden && signature->binding == BINDING_CLASS)
        return raise_type(vm, "descriptor '%S' of '%N' object needs an argument", name,
                          native->owner);
    if (missing == 0 && hidden)
        return raise_type(vm, "unbound method %S.%S() needs an argument", native->owner->name,
                          name);
    bool by_hand = counts_by_hand(signature);
    if ((signature->posonly == signature->count && signature->plain) || by_hand) {
        if (most == 1 && least == 1 && !by_hand && !(native->header.flags & NATIVE_NEW)) {
            if (native->owner)
                return raise_type(vm, "%S.%S() takes exactly one argument (%d given)",
                                  native->owner->name, name, got);
            return raise_type(vm, "%S() takes exactly one argument (%d given)",
                              describe_with_module(vm, native), got);
        }
        return raise_type(vm, "%S expected %s%d argument%s, got %d", name,
                          least == most ? "" : "at least ", least, least == 1 ? "" : "s", got);
    }
    if (missing < signature->posonly && signature->plain) {
        int needed =
            signature->required < signature->posonly ? signature->required : signature->posonly;
        return raise_type(vm, "%S() takes %s %d positional argument%s (%d given)", name,
                          needed < signature->positional ? "at least" : "exactly", needed - hidden,
                          needed - hidden == 1 ? "" : "s", got);
    }
    return raise_type(vm, "%S() missing required argument '%S' (pos %d)", name,
                      signature->params[missing].name, missing + 1 - hidden);
}

static Value check_self(GenVM *vm, const NativeFunction *native, Value self) {
    Type *owner = native->owner;
    if (likely(is_object(self) && type_has_kind(owner, as_object(self)->kind))) return self;
    if (type_is_subclass(type_of(vm, self), owner)) return self;
    if (native->header.flags & NATIVE_WRAPPER)
        return raise_type(vm, "descriptor '%S' requires a '%N' object but received a '%T'",
                          describe(vm, native), owner, self);
    return raise_type(vm, "descriptor '%S' for '%N' objects doesn't apply to a '%T' object",
                      describe(vm, native), owner, self);
}

/* A classmethod takes the class that has it and those below. */
bool native_check_owner(GenVM *vm, const NativeFunction *native, Value cls) {
    if (!is_type(cls))
        raise_type(vm, "descriptor '%S' for type '%N' needs a type, not a '%T' as arg 2",
                   native->name, native->owner, cls);
    else if (!type_is_subclass(type_from(cls), native->owner))
        raise_type(vm, "descriptor '%S' requires a subtype of '%N' but received '%N'", native->name,
                   native->owner, type_from(cls));
    else
        return true;
    return false;
}

/* The object or class that it is a method of. */
static inline bool check_first(GenVM *vm, const NativeFunction *native, Value first) {
    if (!native->owner) return true;
    switch (native_known_signature(vm, native)->binding) {
    case BINDING_INSTANCE: return check_self(vm, native, first) != VALUE_ERROR;
    case BINDING_CLASS: return first == native->self || native_check_owner(vm, native, first);
    default: return true;
    }
}

/* A __new__ makes instances of its own type and of the classes below that share its layout, and of
 * no others. */
static bool check_class(GenVM *vm, const NativeFunction *native, Value cls) {
    Type *type = type_from(native->self), *given = is_type(cls) ? type_from(cls) : NULL;
    if (given && type_is_subclass(given, type)) {
        if (likely(given->def->construct == type->def->construct)) return true;
        raise_type(vm, "%N.__new__(%N) is not safe, use %s.__new__()", type, given,
                   given->def->name);
    } else if (given) {
        raise_type(vm, "%N.__new__(%N): %N is not a subtype of %N", type, given, given, type);
    } else {
        raise_type(vm, "%N.__new__(X): X is not a type object (%T)", type, cls);
    }
    return false;
}

static int find_param(const Signature *signature, Value name) {
    for (int i = signature->posonly; i < signature->count; i++)
        if (i != signature->args_at && i != signature->kwargs_at &&
            (signature->params[i].name == name || str_equal(signature->params[i].name, name)))
            return i;
    return -1;
}

bool native_takes_keywords(GenVM *vm, const NativeFunction *native) {
    const Signature *signature = native_known_signature(vm, native);
    int first = native_hides_first(vm, native);
    if (signature->posonly > first) first = signature->posonly;
    return signature->count - first > (signature->args_at >= first);
}

static bool bind_keyword(GenVM *vm, const NativeFunction *native, Value *bound, Value name,
                         Value v) {
    const Signature *signature = native_known_signature(vm, native);
    int at = find_param(signature, name);
    if (at < 0 && signature->kwargs_at >= 0) {
        if (bound[signature->kwargs_at] == VALUE_UNSET) {
            Value dict = dict_new(vm);
            if (dict == VALUE_ERROR) return false;
            bound[signature->kwargs_at] = dict;
        }
        return dict_set_str(vm, AS_DICT(bound[signature->kwargs_at]), name, v);
    }
    if (at < 0) {
        if (!native_takes_keywords(vm, native)) {
            if (native->owner && native_hides_first(vm, native) &&
                !(native->header.flags & NATIVE_NEW))
                raise_type(vm, "%S.%S() takes no keyword arguments", native->owner->name,
                           describe(vm, native));
            else
                raise_type(vm, "%S() takes no keyword arguments", describe_with_module(vm, native));
        } else {
            raise_type(vm, "%S() got an unexpected keyword argument '%S'", describe(vm, native),
                       name);
        }
        return false;
    }
    if (bound[at] != VALUE_UNSET) {
        raise_type(vm, "argument for %S() given by name ('%S') and position (%d)",
                   describe(vm, native), name, at + 1 - native_hides_first(vm, native));
        return false;
    }
    bound[at] = v;
    return true;
}

/* The general way: everything unset first, then positionals, keywords, defaults. `keywords` is a
 * tuple of names of the last arguments, or VALUE_UNSET. */
Value native_bind_plainly(GenVM *vm, const NativeFunction *native, const Value *args,
                          uint32_t count, Value keywords, Value *bound) {
    const Signature *signature = native_known_signature(vm, native);
    uint32_t keyword_count = keywords == VALUE_UNSET ? 0 : (uint32_t)AS_TUPLE(keywords)->count;
    uint32_t given = count - keyword_count;
    for (int i = 0; i < signature->count; i++)
        bound[i] = VALUE_UNSET;
    uint32_t direct =
        given < (uint32_t)signature->positional ? given : (uint32_t)signature->positional;
    for (uint32_t i = 0; i < direct; i++)
        bound[i] = args[i];
    if (signature->args_at >= 0) {
        Value rest = tuple_from_array(vm, args + direct, given - direct);
        if (rest == VALUE_ERROR) return VALUE_ERROR;
        bound[signature->args_at] = rest;
    } else if (given > direct) {
        return too_many(vm, native, given);
    }
    for (uint32_t i = 0; i < keyword_count; i++)
        if (!bind_keyword(vm, native, bound, AS_TUPLE(keywords)->items[i], args[given + i]))
            return VALUE_ERROR;
    for (int i = 0; i < signature->count; i++) {
        if (bound[i] != VALUE_UNSET) continue;
        if (signature->params[i].required) return too_few(vm, native, i, given);
        bound[i] = signature->params[i].fallback;
    }
    return VALUE_NONE;
}

/* Checks and converts the first `given` of all that are bound; VALUE_NONE, VALUE_ERROR or
 * VALUE_TAIL. */
static inline Value convert_bound(GenVM *vm, NativeFunction *native, Value *bound, int given) {
    const Signature *signature = native_known_signature(vm, native);
    if (unlikely(native->header.flags & NATIVE_NEW && bound[0] != native->self) &&
        !check_class(vm, native, bound[0]))
        return VALUE_ERROR;
    if (!signature->converts) return VALUE_NONE;
    for (int i = 0; i < given; i++) {
        Convert wanted = signature->params[i].convert;
        if (wanted == CONVERT_NONE || bound[i] == signature->params[i].fallback) continue;
        if (wanted == CONVERT_STR && is_exact(bound[i], TYPE_STR)) continue;
        if (is_int(bound[i]) && wanted < CONVERT_FLOAT) continue;
        Value converted = convert(vm, native, i, bound[i]);
        if (unlikely(converted == VALUE_ERROR)) return VALUE_ERROR;
        if (unlikely(converted == VALUE_TAIL)) return bind_through_twin(vm, native, i, bound);
        bound[i] = converted;
    }
    return VALUE_NONE;
}

/* Binds and converts into `bound` (room for NATIVE_MAX_PARAMS); VALUE_NONE, VALUE_ERROR or
 * VALUE_TAIL. */
static Value bind(GenVM *vm, NativeFunction *native, const Value *args, uint32_t count,
                  Value keywords, Value *bound) {
    const Signature *signature = native_known_signature(vm, native);
    int given =
        signature->count; /* parameters that may need conversion: those that have no default */
    if (likely(signature->plain && keywords == VALUE_UNSET &&
               count <= (uint32_t)signature->positional &&
               count >= (uint32_t)signature->required)) {
        uint32_t i = 0;
        for (; i < count; i++)
            bound[i] = args[i];
        for (; i < (uint32_t)signature->count; i++)
            bound[i] = signature->params[i].fallback;
        given = (int)count;
        if (!check_first(vm, native, bound[0])) return VALUE_ERROR;
    } else {
        uint32_t named = keywords == VALUE_UNSET ? 0 : (uint32_t)AS_TUPLE(keywords)->count;
        bool by_place = count > named; /* then it comes before what else may be wrong */
        if (by_place && !check_first(vm, native, args[0])) return VALUE_ERROR;
        if (native_bind_plainly(vm, native, args, count, keywords, bound) == VALUE_ERROR)
            return VALUE_ERROR;
        if (!by_place && !check_first(vm, native, bound[0])) return VALUE_ERROR;
    }
    return convert_bound(vm, native, bound, given);
}

static Value invoke_bound(GenVM *vm, NativeFunction *native, const Value *args, uint32_t count,
                          Value keywords) {
    if (unlikely(!native_signature(vm, native))) return VALUE_ERROR;
    Value bound[NATIVE_MAX_PARAMS], with_self[NATIVE_MAX_ARGS];
    if (native->self != VALUE_UNSET &&
        native_known_signature(vm, native)->binding != BINDING_STATIC && native->owner) {
        if (unlikely(count + 1 > NATIVE_MAX_ARGS))
            return native_invoke_many(vm, native, args, count, keywords);
        with_self[0] = native->self;
        memcpy(with_self + 1, args, count * sizeof(Value));
        args = with_self;
        count++;
    }
    Value status = bind(vm, native, args, count, keywords, bound);
    if (unlikely(status != VALUE_NONE)) return status;
    vm->callee = native;
    Value result = native->fn(vm, bound);
    native_check_result(vm, native, result);
    if (unlikely(result == VALUE_ERROR) && vm->stop) threads_keep_call(vm, native, bound);
    return result;
}

Value native_invoke_plain(GenVM *vm, NativeFunction *native, const Value *args, uint32_t count) {
    return invoke_bound(vm, native, args, count, VALUE_UNSET);
}

Value native_invoke(GenVM *vm, NativeFunction *native, const Value *args, uint32_t count,
                    Value keywords) {
    if (native->fast && keywords == VALUE_UNSET) {
        Value answer = native->fast(vm, args, count);
        if (answer != VALUE_UNSET) return answer;
    }
    return invoke_bound(vm, native, args, count, keywords);
}

/* More arguments than fit the C stack comfortably: print(*million). */
Value native_invoke_many(GenVM *vm, NativeFunction *native, const Value *args, uint32_t count,
                         Value keywords) {
    Value *copy = memory_new(vm, (count + 1) * sizeof(Value));
    if (!copy) return raise_memory(vm);
    copy[0] = native->self;
    memcpy(copy + 1, args, count * sizeof(Value));
    Value bound[NATIVE_MAX_PARAMS];
    Value status = bind(vm, native, copy, count + 1, keywords, bound);
    memory_free(copy);
    if (status != VALUE_NONE) return status;
    vm->callee = native;
    Value result = native->fn(vm, bound);
    native_check_result(vm, native, result);
    if (unlikely(result == VALUE_ERROR) && vm->stop) threads_keep_call(vm, native, bound);
    return result;
}

/* Calls the native with arguments that are bound already but for one, which a twin has converted:
 * `which` is as bind_through_twin has made it. The twin's frame may come from an image, so all is
 * checked. */
Value native_invoke_bound(GenVM *vm, NativeFunction *native, const Tuple *arguments, int64_t which,
                          Value converted) {
    const Signature *signature = native_signature(vm, native);
    if (!signature) return VALUE_ERROR;
    int64_t index = which & ((1 << BOUND_INDEX_BITS) - 1), absent = which >> BOUND_INDEX_BITS;
    if (which < 0 || arguments->count != (uint64_t)signature->count || index >= signature->count)
        return raise_type(vm, "%S() cannot be called with these arguments", describe(vm, native));
    Value bound[NATIVE_MAX_PARAMS];
    memcpy(bound, arguments->items, arguments->count * sizeof(Value));
    bound[index] = converted;
    if ((signature->args_at >= 0 && !is_exact(bound[signature->args_at], TYPE_TUPLE)) ||
        (signature->kwargs_at >= 0 && !is_exact(bound[signature->kwargs_at], TYPE_DICT) &&
         !(absent >> signature->kwargs_at & 1)))
        return raise_type(vm, "%S() cannot be called with these arguments", describe(vm, native));
    for (int i = 0; i < signature->count; i++)
        if (absent >> i & 1) bound[i] = signature->params[i].fallback;
    if (!check_first(vm, native, bound[0])) return VALUE_ERROR;
    if (convert_bound(vm, native, bound, signature->count) != VALUE_NONE) {
        if (vm->exception == VALUE_UNSET) return VALUE_TAIL;
        return VALUE_ERROR;
    }
    return native_invoke_again(vm, native, bound);
}

Value native_invoke_again(GenVM *vm, NativeFunction *native, Value *bound) {
    vm->callee = native;
    Value result = native->fn(vm, bound);
    native_check_result(vm, native, result);
    if (unlikely(result == VALUE_ERROR) && vm->stop) threads_keep_call(vm, native, bound);
    return result;
}

bool native_takes_bound(GenVM *vm, NativeFunction *native, const Tuple *bound) {
    const Signature *signature = native_signature(vm, native);
    if (!signature || bound->count != (uint64_t)signature->count) return false;
    if (native->owner && signature->binding == BINDING_INSTANCE &&
        (!bound->count || bound->items[0] == VALUE_UNSET ||
         !type_is_subclass(type_of(vm, bound->items[0]), native->owner)))
        return false;
    for (int i = 0; i < signature->count; i++) {
        Value v = bound->items[i];
        if (v == signature->params[i].fallback) continue;
        if (v == VALUE_UNSET) return false;
        Value converted = convert(vm, native, i, v);
        if (converted == VALUE_TAIL) native_drop_tail(vm);
        if (converted == VALUE_ERROR) error_clear(vm);
        if (converted != v) return false;
    }
    return true;
}

int native_arg_count(GenVM *vm, const NativeFunction *native) {
    return native_known_signature(vm, native)->count;
}

#ifdef GEN_DEBUG
void native_check_result(GenVM *vm, const NativeFunction *native, Value result) {
    bool pending = vm->exception != VALUE_UNSET || vm->stop;
    if (pending == (result == VALUE_ERROR)) return;
    fprintf(stderr, "native %s: %s\n", native->def->signature,
            pending ? "returned a value with an exception pending"
                    : "returned VALUE_ERROR without an exception");
    abort();
}
#endif

/* ---- asking for calls ---- */

static void start_tail(GenVM *vm, Value callable, uint32_t count) {
    vm->tail.callable = callable;
    vm->tail.count = count;
    vm->tail.spread_args = vm->tail.spread_kwargs = VALUE_UNSET;
    vm->tail.then = 0;
    vm->tail.resume = 0;
}

Value native_resume(GenVM *vm, Value generator, Value sent) {
    start_tail(vm, generator, 1);
    vm->tail.args[0] = sent;
    vm->tail.resume = GENERATOR_RESUME_SEND;
    return VALUE_TAIL;
}

Value native_throw(GenVM *vm, Value generator, Value exception) {
    native_resume(vm, generator, exception);
    vm->tail.resume = GENERATOR_RESUME_THROW;
    return VALUE_TAIL;
}

Value native_close(GenVM *vm, Value generator) {
    native_resume(vm, generator, VALUE_NONE);
    vm->tail.resume = GENERATOR_RESUME_CLOSE;
    return VALUE_TAIL;
}

Value native_call_array(GenVM *vm, Value callable, uint32_t count, const Value *args) {
    if (count > sizeof vm->tail.args / sizeof *vm->tail.args) {
        Value tuple = tuple_from_array(vm, args, count);
        if (tuple == VALUE_ERROR) return VALUE_ERROR;
        return native_call_spread(vm, callable, tuple, VALUE_UNSET);
    }
    start_tail(vm, callable, count);
    memmove(vm->tail.args, args, count * sizeof(Value));
    return VALUE_TAIL;
}

/* False: one of them could not be made, its exception is pending. */
static bool take_arguments(va_list list, int count, Value *args) {
    bool whole = true;
    for (int i = 0; i < count; i++)
        whole &= (args[i] = va_arg(list, Value)) != VALUE_ERROR;
    return whole;
}

Value native_call(GenVM *vm, Value callable, int count, ...) {
    va_list list;
    va_start(list, count);
    Value args[8];
    bool whole = take_arguments(list, count, args);
    va_end(list);
    return whole ? native_call_array(vm, callable, (uint32_t)count, args) : VALUE_ERROR;
}

Value native_call_spread(GenVM *vm, Value callable, Value args_tuple, Value kwargs) {
    start_tail(vm, callable, 0);
    vm->tail.spread_args = args_tuple;
    vm->tail.spread_kwargs = kwargs;
    return VALUE_TAIL;
}

Value native_call_method(GenVM *vm, Value self, Name name, int count, ...) {
    va_list list;
    va_start(list, count);
    Value args[8] = {self, name_value(vm, name)};
    bool whole = self != VALUE_ERROR && take_arguments(list, count, args + 2);
    va_end(list);
    return whole ? native_twin_array(vm, TWIN_CALL_METHOD, (uint32_t)count + 2, args) : VALUE_ERROR;
}

Value native_twin_array(GenVM *vm, Twin twin, uint32_t count, const Value *args) {
    Value copy[8];
    memcpy(copy, args, count * sizeof(Value));
    Value function = twin_load(vm, twin);
    if (function == VALUE_ERROR) return VALUE_ERROR;
    return native_call_array(vm, function, count, copy);
}

Value native_twin(GenVM *vm, Twin twin, int count, ...) {
    va_list list;
    va_start(list, count);
    Value args[8];
    bool whole = take_arguments(list, count, args);
    va_end(list);
    return whole ? native_twin_array(vm, twin, (uint32_t)count, args) : VALUE_ERROR;
}

void native_drop_tail(GenVM *vm) {
    vm->tail.callable = VALUE_UNSET;
}

/* ---- function objects ---- */

Value native_function_new(GenVM *vm, const NativeDef *def, Value self, Value module_name) {
    NativeFunction *native = gc_new(vm, sizeof *native, TYPE_NATIVE);
    if (!native) return VALUE_ERROR;
    native->header.state = FUNCTION_COMPLEX;
    const char *name;
    size_t size = native_def_name(def, &name, NULL);
    native->def = def;
    native->fn = def->fn;
    native->self = self;
    native->module = module_name;
    native->name = str_intern_from(vm, name, size);
    return native->name == VALUE_ERROR ? VALUE_ERROR : object_value(native);
}

bool native_enter(GenVM *vm) {
    if (unlikely(--vm->fuel < 0) && !vm_poll_native(vm))
        return false; /* data can be shared a lot */
    if (likely(++vm->native_depth < NATIVE_MAX_DEPTH)) return true;
    vm->native_depth--;
    raise_error(vm, EXC_RECURSION_ERROR, "maximum recursion depth exceeded");
    return false;
}

bool native_enter_work(GenVM *vm) {
    return (vm->fuel > 0 || native_look(vm)) && native_enter(vm);
}

void native_leave(GenVM *vm) {
    vm->native_depth--;
}

bool native_charge(GenVM *vm, uint64_t steps) {
    vm->fuel -= (int64_t)(steps < ((uint64_t)1 << 40) ? steps : (uint64_t)1 << 40);
    if (likely(vm->fuel >= 0)) return true;
    return vm_poll_native(vm);
}
