/* Every function of the API that may run script code, called in a host's native: an external
 * function that is called there is refused by name, since the native waits on the C stack
 * (vm/reentries.def: HOST). And what runs when a program ends, which nobody can go on with
 * (OUTSIDE). The task and the VM are whole each time. */
#include "genvm.h"

#include <stdio.h>
#include <string.h>

static bool print(void *context, int stream, const char *data, size_t size) {
    (void)context;
    return fwrite(data, 1, size, stream == 1 ? stdout : stderr) == size;
}

static GenRef done(GenVM *vm, bool ok) {
    return ok ? gen_none(vm) : GEN_NULL;
}
static GenRef by_call(GenVM *vm, const GenRef *args) {
    return gen_call(vm, args[0], 0, NULL);
}
static GenRef by_method(GenVM *vm, const GenRef *args) {
    return gen_call_method(vm, args[0], "method", 0, NULL);
}
static GenRef by_get_attr(GenVM *vm, const GenRef *args) {
    return gen_get_attr(vm, args[0], "missing");
}
static GenRef by_set_attr(GenVM *vm, const GenRef *args) {
    return done(vm, gen_set_attr(vm, args[0], "name", args[0]));
}
static GenRef by_get_item(GenVM *vm, const GenRef *args) {
    return gen_get_item(vm, args[0], args[0]);
}
static GenRef by_set_item(GenVM *vm, const GenRef *args) {
    return done(vm, gen_set_item(vm, args[0], args[0], args[0]));
}
static GenRef by_key(GenVM *vm, const GenRef *args) {
    return gen_get_item(vm, gen_dict(vm), args[0]);
}
static GenRef by_len(GenVM *vm, const GenRef *args) {
    size_t size;
    return done(vm, gen_len(vm, args[0], &size));
}
static GenRef by_bool(GenVM *vm, const GenRef *args) {
    bool truth;
    return done(vm, gen_to_bool(vm, args[0], &truth));
}
static GenRef by_repr(GenVM *vm, const GenRef *args) {
    return gen_repr(vm, args[0]);
}
static GenRef by_text(GenVM *vm, const GenRef *args) {
    return gen_to_text(vm, args[0]);
}
static GenRef by_iter(GenVM *vm, const GenRef *args) {
    return gen_iter(vm, args[0]);
}
static GenRef by_next(GenVM *vm, const GenRef *args) {
    GenRef item;
    return done(vm, gen_next(vm, args[0], &item) != GEN_ERROR);
}
static GenRef by_send(GenVM *vm, const GenRef *args) {
    GenRef item, generator = gen_get_global(vm, "steps");
    (void)args;
    return done(vm,
                gen_send(vm, gen_call(vm, generator, 0, NULL), gen_none(vm), &item) != GEN_ERROR);
}
static GenRef by_close(GenVM *vm, const GenRef *args) {
    (void)args;
    return done(vm, gen_close(vm, gen_get_global(vm, "begun")));
}
static GenRef by_run(GenVM *vm, const GenRef *args) {
    (void)args;
    return done(vm, gen_run_string(vm, "ask(1)", "script"));
}
static GenRef by_interactive(GenVM *vm, const GenRef *args) {
    (void)args;
    return done(vm, gen_run_interactive(vm, "ask(1)\n", 7, "typed") == GEN_OK);
}
static GenRef by_eval(GenVM *vm, const GenRef *args) {
    (void)args;
    return gen_eval(vm, "ask(1)");
}
static GenRef by_import(GenVM *vm, const GenRef *args) {
    (void)args;
    return gen_import(vm, "found");
}
static GenRef by_sorted(GenVM *vm, const GenRef *args) {
    return gen_call(vm, gen_get_attr(vm, gen_import(vm, "builtins"), "sorted"), 1, args);
}

static const GenFunction functions[] = {
    {"by_call(x)", by_call, NULL},
    {"by_method(x)", by_method, NULL},
    {"by_get_attr(x)", by_get_attr, NULL},
    {"by_set_attr(x)", by_set_attr, NULL},
    {"by_get_item(x)", by_get_item, NULL},
    {"by_set_item(x)", by_set_item, NULL},
    {"by_key(x)", by_key, NULL},
    {"by_len(x)", by_len, NULL},
    {"by_bool(x)", by_bool, NULL},
    {"by_repr(x)", by_repr, NULL},
    {"by_text(x)", by_text, NULL},
    {"by_iter(x)", by_iter, NULL},
    {"by_next(x)", by_next, NULL},
    {"by_send(x)", by_send, NULL},
    {"by_close(x)", by_close, NULL},
    {"by_run(x)", by_run, NULL},
    {"by_interactive(x)", by_interactive, NULL},
    {"by_eval(x)", by_eval, NULL},
    {"by_import(x)", by_import, NULL},
    {"by_sorted(x)", by_sorted, NULL},
};
static const GenFunction ask = {"ask(question)", NULL, NULL};

static const char setup[] =
    "import sys\n"
    "class All:\n"
    "    def asks(self, *args): return ask(self)\n"
    "    def __getattr__(self, name): return ask(name)\n"
    "    def __setattr__(self, name, value): ask(name)\n"
    "    __call__ = __getitem__ = __setitem__ = __hash__ = __len__ = __bool__ = asks\n"
    "    __repr__ = __str__ = __iter__ = __next__ = method = asks\n"
    "class Finder:\n"
    "    def find_spec(self, name, path=None, target=None):\n"
    "        if name == 'found': ask(name)\n"
    "sys.meta_path.insert(0, Finder())\n"
    "def steps(): yield ask(1)\n"
    "def ending():\n"
    "    try: yield\n"
    "    finally: ask(1)\n"
    "begun = ending()\n"
    "next(begun)\n";

static const char script[] = "def attempt(name, function):\n"
                             "    try: print(name, 'went through', function(All()))\n"
                             "    except RuntimeError as error: print(name, error)\n"
                             "for name in names: attempt(name, globals()[name])\n"
                             "print('the task itself:', ask(1))\n";

/* What a program leaves to its end. */
static const char endings[] =
    "import atexit, gc, sys, weakref\n"
    "def attempt(name, ask=ask, print=print, RuntimeError=RuntimeError):\n"
    "    try: ask(name)\n"
    "    except RuntimeError as error: print(name, error)\n"
    "class D:\n"
    "    def __init__(self, name): self.name = name\n"
    "    def __del__(self, attempt=attempt): attempt(self.name)\n"
    "class Fails:\n"
    "    def __del__(self): raise ValueError\n"
    "def generator(attempt=attempt):\n"
    "    try: yield\n"
    "    finally: attempt('generator')\n"
    "begun, d, fails = generator(), D('__del__'), Fails()\n"
    "next(begun)\n"
    "target = {1}\n"
    "kept = weakref.ref(target, lambda ref, attempt=attempt: attempt('callback'))\n"
    "sys.kept = kept\n"
    "atexit.register(attempt, 'atexit')\n"
    "sys.unraisablehook = lambda told, attempt=attempt: attempt('unraisablehook')\n";

int main(void) {
    GenConfig config = {.size = sizeof config, .write = print};
    GenVM *vm = gen_vm_new(&config);
    gen_set_global(vm, "ask", gen_function(vm, &ask));
    GenRef names = gen_list(vm);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        char name[40];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(functions[i].signature, "("),
                 functions[i].signature);
        gen_set_global(vm, name, gen_function(vm, &functions[i]));
        gen_append(vm, names, gen_str(vm, name));
    }
    gen_set_global(vm, "names", names);
    if (!gen_run_string(vm, setup, "setup")) printf("%s", gen_error_text(vm));
    GenRef task = gen_task_from_source(vm, script, "script");
    GenOutcome outcome;
    while (gen_run(vm, task, &outcome) == GEN_CALLOUT)
        gen_answer(vm, task, outcome.ticket, gen_str(vm, "answered"));
    if (outcome.kind == GEN_ERROR) printf("%s", gen_error_text(vm));
    if (!gen_run_string(vm, endings, "endings")) printf("%s", gen_error_text(vm));
    gen_vm_finish(vm);
    gen_vm_free(vm);
    return 0;
}
