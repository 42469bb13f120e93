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

/* Where a parameter's value comes from: this argument, its default, or its default by name. */
enum { FROM_DEFAULT = CODE_PLAN_PARAMS, FROM_NAMED_DEFAULT };

static CodePlan *plan_place(const Code *code, Value names) {
    return (CodePlan *)code->plans->data + (names >> 4) % CODE_PLANS;
}

/* Each keyword to the parameter of that name, from `first` on; false where one fits none. */
static bool plan_keywords(const Code *code, const Tuple *names, uint32_t given, CodePlan *plan) {
    uint32_t params = code->arg_count + code->kwonly_count;
    uint32_t first = given > code->posonly_count ? given : code->posonly_count;
    for (uint32_t i = 0; i < names->count; i++) {
        uint32_t at = first;
        while (at < params && code->varnames->items[at] != names->items[i])
            at++;
        if (at == params || plan->from[at] < CODE_PLAN_PARAMS) return false;
        plan->from[at] = (uint8_t)(given + i);
    }
    return true;
}

/* What goes where in calls of `code` with these keywords after `given` arguments, worked out once
 * and kept; NULL where a message may be due, or no memory. */
static COLD const CodePlan *make_plan(GenVM *vm, Code *code, Value names, uint32_t given) {
    enum {
        NOT_PLAIN = CODE_VARARGS | CODE_VARKEYWORDS | CODE_GENERATOR | CODE_COROUTINE |
                    CODE_ASYNC_GENERATOR | CODE_STUB
    };
    uint32_t params = code->arg_count + code->kwonly_count;
    CodePlan plan = {.names = names, .given = (uint8_t)given, .first_default = UINT8_MAX};
    if (code->flags & NOT_PLAIN || params > CODE_PLAN_PARAMS || given > code->arg_count ||
        given + AS_TUPLE(names)->count > CODE_PLAN_PARAMS)
        return NULL;
    for (uint32_t i = 0; i < params; i++)
        plan.from[i] = i < code->arg_count ? FROM_DEFAULT : FROM_NAMED_DEFAULT;
    if (!plan_keywords(code, AS_TUPLE(names), given, &plan)) return NULL;
    for (uint32_t i = given; i < params; i++) {
        if (plan.from[i] == FROM_DEFAULT && plan.first_default == UINT8_MAX)
            plan.first_default = (uint8_t)i;
        plan.named_defaults |= plan.from[i] == FROM_NAMED_DEFAULT;
    }
    if (!code->plans) {
        Buffer *plans = gc_buffer_new(vm, CODE_PLANS * sizeof(CodePlan));
        if (!plans) {
            error_clear(vm);
            return NULL;
        }
        memset(plans->data, 0, CODE_PLANS * sizeof(CodePlan));
        code->plans = plans;
    }
    CodePlan *place = plan_place(code, names);
    *place = plan;
    gc_barrier(vm, code);
    return place;
}

/* The defaults of keyword-only parameters, in their order, as far as the plan wants them. `entry`
 * runs along the dict, whose order is mostly that of the parameters. */
static bool find_named_defaults(GenVM *vm, const Function *function, const CodePlan *plan,
                                Value *found) {
    const Code *code = function->code;
    Dict *defaults = function->kwdefaults;
    uint32_t entry = 0, last = code->arg_count + code->kwonly_count;
    for (uint32_t i = code->arg_count; i < last; i++) {
        Value name = param_name(code, i);
        bool is_next = defaults && entry < defaults->used && defaults->entries[entry].key == name;
        Value v = is_next ? defaults->entries[entry++].value : VALUE_UNSET;
        if (plan->from[i] != FROM_NAMED_DEFAULT) continue;
        if (!is_next && defaults) v = dict_get_str(vm, defaults, name);
        if (v == VALUE_UNSET) return false;
        *found++ = v;
    }
    return true;
}

bool function_bind_plainly(GenVM *vm, Function *function, const Value *args, uint32_t count,
                           Value keywords, Value *base) {
    Code *code = function->code;
    uint32_t given = count - (uint32_t)AS_TUPLE(keywords)->count;
    const CodePlan *plan = code->plans ? plan_place(code, keywords) : NULL;
    if (unlikely(!plan || plan->names != keywords || plan->given != given)) {
        plan = make_plan(vm, code, keywords, given);
        if (!plan) return false;
    }
    Value values[2 * CODE_PLAN_PARAMS], *next_named = values + count;
    if (plan->first_default != UINT8_MAX && plan->first_default < required_count(function))
        return false;
    if (plan->named_defaults && !find_named_defaults(vm, function, plan, next_named)) return false;
    for (uint32_t i = given; i < count; i++) { /* they may lie where others are to lie */
        values[i] = args[i];
        __asm__("" ::: "memory"); /* no call of memcpy for these few */
    }
    for (uint32_t i = 0; base != args && i < given; i++)
        base[i] = args[i];
    uint32_t params = code->arg_count + code->kwonly_count;
    for (uint32_t i = given; i < params; i++) {
        uint32_t from = plan->from[i];
        if (likely(from < CODE_PLAN_PARAMS))
            base[i] = values[from];
        else
            base[i] = from == FROM_DEFAULT ? positional_default(function, i) : *next_named++;
    }
    return true;
}

/* ---- all calls ---- */

bool function_bind(GenVM *vm, Function *function, const Value *args, uint32_t count, Value keywords,
                   Value *base) {
    if (likely(bind_plainly(vm, function, args, count, keywords, base))) return true;
    if (function->header.flags & LIKE_NATIVE)
        refuse_like_native(vm, function, args, count, keywords);
    return false;
}
