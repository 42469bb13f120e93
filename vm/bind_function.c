/* bind_function.c - arguments of a call into the parameters of a script function, by Python's rules
 * and with its messages.
 *
 * Registers: positional parameters, keyword-only parameters, then *args, **kwargs (the order of
 * co_varnames).
 */
#include "vm/bind.h"
#include "vm/call.h"
#include "vm/objects.h"
#include "vm/suggest.h"

static Value param_name(const Code *code, uint32_t i) {
    return code->varnames->items[i];
}

/* "'a'", "'a' and 'b'", "'a', 'b', and 'c'" of the parameters in first..last that are unset. */
static Value list_missing(GenVM *vm, const Code *code, const Value *base, uint32_t first,
                          uint32_t last, uint32_t missing) {
    StrBuilder builder;
    builder_init(&builder, vm);
    uint32_t seen = 0;
    for (uint32_t i = first; i < last; i++) {
        if (base[i] != VALUE_UNSET) continue;
        seen++;
        if (seen > 1)
            builder_put_c(&builder, seen < missing ? ", " : missing == 2 ? " and " : ", and ");
        builder_put_format(&builder, "'%S'", param_name(code, i));
    }
    return builder_finish(&builder);
}

static bool raise_missing(GenVM *vm, Function *function, const Value *base, uint32_t first,
                          uint32_t last, const char *kind) {
    const Code *code = function->code;
    uint32_t missing = 0;
    for (uint32_t i = first; i < last; i++)
        missing += base[i] == VALUE_UNSET;
    Value names = list_missing(vm, code, base, first, last, missing);
    if (names == VALUE_ERROR) return false;
    raise_type(vm, "%S() missing %d required %s argument%s: %S", function->qualname, (int)missing,
               kind, missing == 1 ? "" : "s", names);
    return false;
}

static bool raise_too_many(GenVM *vm, Function *function, const Value *base, uint32_t given) {
    const Code *code = function->code;
    uint32_t defaults = function->defaults ? (uint32_t)function->defaults->count : 0;
    uint32_t kwonly_given = 0;
    for (uint32_t i = 0; i < code->kwonly_count; i++)
        kwonly_given += base[code->arg_count + i] != VALUE_UNSET;
    bool plural = defaults ? true : code->arg_count != 1;
    Value takes = defaults ? str_format(vm, "from %d to %d", (int)(code->arg_count - defaults),
                                        (int)code->arg_count)
                           : str_format(vm, "%d", (int)code->arg_count);
    if (takes == VALUE_ERROR) return false;
    if (kwonly_given) {
        raise_type(vm,
                   "%S() takes %S positional argument%s but %d positional argument%s (and %d "
                   "keyword-only argument%s) were given",
                   function->qualname, takes, plural ? "s" : "", (int)given, given == 1 ? "" : "s",
                   (int)kwonly_given, kwonly_given == 1 ? "" : "s");
        return false;
    }
    raise_type(vm, "%S() takes %S positional argument%s but %d %s given", function->qualname, takes,
               plural ? "s" : "", (int)given, given == 1 ? "was" : "were");
    return false;
}

static int64_t find_param(const Code *code, Value name, uint32_t first) {
    uint32_t last = code->arg_count + code->kwonly_count;
    for (uint32_t i = first; i < last; i++)
        if (param_name(code, i) == name) return i;
    for (uint32_t i = first; i < last; i++)
        if (str_equal(param_name(code, i), name)) return i;
    return -1;
}

/* A keyword fits no parameter and there is no **kwargs. */
static bool raise_unexpected(GenVM *vm, Function *function, Value keywords, Value name) {
    const Code *code = function->code;
    StrBuilder builder;
    builder_init(&builder, vm);
    uint32_t found = 0;
    for (uint32_t i = 0; i < code->posonly_count; i++)
        for (uint64_t j = 0; j < AS_TUPLE(keywords)->count; j++)
            if (str_equal(param_name(code, i), AS_TUPLE(keywords)->items[j])) {
                if (found++) builder_put_c(&builder, ", ");
                builder_put_str(&builder, param_name(code, i));
            }
    Value names = builder_finish(&builder);
    if (names == VALUE_ERROR) return false;
    if (found) {
        raise_type(vm, "%S() got some positional-only arguments passed as keyword arguments: '%S'",
                   function->qualname, names);
        return false;
    }
    Value suggestion = suggest_name(vm, name, code->varnames->items + code->posonly_count,
                                    code->arg_count + code->kwonly_count - code->posonly_count);
    if (suggestion != VALUE_UNSET)
        raise_type(vm, "%S() got an unexpected keyword argument '%S'. Did you mean '%S'?",
                   function->qualname, name, suggestion);
    else
        raise_type(vm, "%S() got an unexpected keyword argument '%S'", function->qualname, name);
    return false;
}

static bool bind_keywords(GenVM *vm, Function *function, const Value *values, Value keywords,
                          Value *base, Value *kwargs) {
    const Code *code = function->code;
    for (uint64_t i = 0; i < AS_TUPLE(keywords)->count; i++) {
        Value name = AS_TUPLE(keywords)->items[i];
        int64_t at = find_param(code, name, code->posonly_count);
        if (at >= 0) {
            if (base[at] != VALUE_UNSET) {
                raise_type(vm, "%S() got multiple values for argument '%S'", function->qualname,
                           name);
                return false;
            }
            base[at] = values[i];
            continue;
        }
        if (!kwargs) return raise_unexpected(vm, function, keywords, name);
        if (!dict_set_str(vm, AS_DICT(*kwargs), name, values[i])) return false;
    }
    return true;
}

/* How many of the first parameters have no default. A script may set more defaults than there are
 * parameters: the last ones count. */
static uint32_t required_count(const Function *function) {
    uint64_t defaults = function->defaults ? function->defaults->count : 0;
    return defaults < function->code->arg_count ? function->code->arg_count - (uint32_t)defaults
                                                : 0;
}

static Value positional_default(const Function *function, uint32_t param) {
    const Tuple *defaults = function->defaults;
    return defaults->items[defaults->count - function->code->arg_count + param];
}

static bool fill_defaults(GenVM *vm, Function *function, Value *base) {
    const Code *code = function->code;
    uint32_t required = required_count(function);
    for (uint32_t i = 0; i < required; i++)
        if (base[i] == VALUE_UNSET)
            return raise_missing(vm, function, base, 0, required, "positional");
    for (uint32_t i = required; i < code->arg_count; i++)
        if (base[i] == VALUE_UNSET) base[i] = positional_default(function, i);
    uint32_t last = code->arg_count + code->kwonly_count;
    bool missing = false;
    for (uint32_t i = code->arg_count; i < last; i++) {
        if (base[i] != VALUE_UNSET) continue;
        if (function->kwdefaults)
            base[i] = dict_get_str(vm, function->kwdefaults, param_name(code, i));
        missing |= base[i] == VALUE_UNSET;
    }
    return !missing || raise_missing(vm, function, base, code->arg_count, last, "keyword-only");
}

static bool bind_plainly(GenVM *vm, Function *function, const Value *args, uint32_t count,
                         Value keywords, Value *base) {
    const Code *code = function->code;
    uint32_t named = keywords == VALUE_UNSET ? 0 : (uint32_t)AS_TUPLE(keywords)->count;
    uint32_t given = count - named, params = code->arg_count + code->kwonly_count;
    uint32_t direct = given < code->arg_count ? given : code->arg_count;
    memmove(base, args, direct * sizeof(Value));
    for (uint32_t i = direct; i < params; i++)
        base[i] = VALUE_UNSET;
    Value *next = base + params, *kwargs = NULL;
    if (code->flags & CODE_VARARGS) {
        Value rest =
            given == direct ? vm->empty_tuple : tuple_from_array(vm, args + direct, given - direct);
        if (rest == VALUE_ERROR) return false;
        *next++ = rest;
    }
    if (code->flags & CODE_VARKEYWORDS) {
        kwargs = next;
        *kwargs = dict_new(vm);
        if (*kwargs == VALUE_ERROR) return false;
    }
    if (named && !bind_keywords(vm, function, args + given, keywords, base, kwargs)) return false;
    if (unlikely(given > code->arg_count && !(code->flags & CODE_VARARGS)))
        return raise_too_many(vm, function, base, given);
    return fill_defaults(vm, function, base);
}

/* ---- calls with keywords that need no message ---- */

/* Each keyword to the parameter of that name, from `first` on; false where it is not that plain. */
static bool put_keywords(const Code *code, const Tuple *names, const Value *values, uint32_t first,
                         Value *base) {
    uint32_t params = code->arg_count + code->kwonly_count;
    const Value *parameters = code->varnames->items;
    for (uint64_t i = 0; i < names->count; i++) {
        uint32_t at = first;
        while (at < params && parameters[at] != names->items[i])
            at++;
        if (at == params || base[at] != VALUE_UNSET) return false;
        base[at] = values[i];
    }
    return true;
}

/* `entry` runs along the dict, whose order is mostly that of the parameters. */
static bool put_keyword_defaults(GenVM *vm, const Function *function, Value *base) {
    const Code *code = function->code;
    Dict *defaults = function->kwdefaults;
    uint32_t entry = 0, last = code->arg_count + code->kwonly_count;
    for (uint32_t i = code->arg_count; i < last; i++) {
        Value name = param_name(code, i);
        bool is_next = defaults && entry < defaults->used && defaults->entries[entry].key == name;
        Value v = is_next ? defaults->entries[entry++].value : VALUE_UNSET;
        if (base[i] != VALUE_UNSET) continue;
        if (!is_next && defaults) v = dict_get_str(vm, defaults, name);
        if (v == VALUE_UNSET) return false;
        base[i] = v;
    }
    return true;
}

bool function_bind_plainly(GenVM *vm, Function *function, Value *args, uint32_t count,
                           Value keywords, Value *base) {
    enum {
        MOST = 16,
        NOT_PLAIN = CODE_VARARGS | CODE_VARKEYWORDS | CODE_GENERATOR | CODE_COROUTINE |
                    CODE_ASYNC_GENERATOR | CODE_STUB
    };
    const Code *code = function->code;
    const Tuple *names = AS_TUPLE(keywords);
    uint32_t given = count - (uint32_t)names->count, params = code->arg_count + code->kwonly_count;
    if (code->flags & NOT_PLAIN || given > code->arg_count || count > MOST) return false;
    Value values[MOST];
    for (uint32_t i = 0; i < count; i++)
        values[i] = args[i];
    for (uint32_t i = 0; i < given; i++)
        base[i] = values[i];
    for (uint32_t i = given; i < params; i++)
        base[i] = VALUE_UNSET;
    uint32_t first = given > code->posonly_count ? given : code->posonly_count;
    bool bound = put_keywords(code, names, values + given, first, base);
    uint32_t required = required_count(function);
    for (uint32_t i = given; bound && i < code->arg_count; i++) {
        if (base[i] != VALUE_UNSET) continue;
        bound = i >= required;
        if (bound) base[i] = positional_default(function, i);
    }
    if (bound && (!code->kwonly_count || put_keyword_defaults(vm, function, base))) return true;
    for (uint32_t i = 0; i < count; i++)
        args[i] = values[i];
    return false;
}

/* ---- all calls ---- */

bool function_bind(GenVM *vm, Function *function, const Value *args, uint32_t count, Value keywords,
                   Value *base) {
    if (likely(bind_plainly(vm, function, args, count, keywords, base))) return true;
    if (function->header.flags & LIKE_NATIVE)
        refuse_like_native(vm, function, args, count, keywords);
    return false;
}
