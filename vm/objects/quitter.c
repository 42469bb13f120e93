/* quitter.c - the builtins exit and quit: objects that say how to leave when they are shown, and
 * leave when they are called. */
#include "vm/objects.h"
#include "vm/bind.h"

#define END_OF_INPUT "Ctrl-D (i.e. EOF)"

static Value repr(GenVM *vm, Value self) {
    return str_format(vm, "Use %S() or " END_OF_INPUT " to exit", AS(Quitter, self)->name);
}

/* The twin is a method, so that wrong arguments get a method's messages. */
static Value call(GenVM *vm, Value self, Value args, Value kwargs) {
    Value leave = twin_load(vm, TWIN_QUIT);
    Value with_self = tuple_new(vm, AS_TUPLE(args)->count + 1);
    if (leave == VALUE_ERROR || with_self == VALUE_ERROR) return VALUE_ERROR;
    AS_TUPLE(with_self)->items[0] = self;
    memcpy(AS_TUPLE(with_self)->items + 1, AS_TUPLE(args)->items,
           AS_TUPLE(args)->count * sizeof(Value));
    return native_call_spread(vm, leave, with_self, kwargs);
}

static void trace(GenVM *vm, Object *object) {
    gc_mark(vm, ((Quitter *)object)->name);
}

static Value get_name(GenVM *vm, Value self) {
    return (void)vm, AS(Quitter, self)->name;
}
static Value get_eof(GenVM *vm, Value self) {
    return (void)self, str_from(vm, END_OF_INPUT);
}

static const AttributeDef attributes[] = {
    {"name", get_name, NULL, NULL},
    {"eof", get_eof, NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

const BuiltinType quitter_type = {
    .name = "Quitter",
    .module = "_sitebuiltins",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Quitter),
    .attributes = attributes,
    .slots = {.repr = repr, .call = call, .trace = trace},
};
