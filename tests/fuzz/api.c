/* Sequences of calls of the C API, a target for libFuzzer (`make fuzz TARGET=api`). The input is a
 * little program of a host: each byte that is due picks a function of genvm.h (the table `acts`),
 * those behind it the arguments from what there is - up to three VMs with a config each; refs of
 * theirs that live, are stale, or belong to another VM; scopes closed out of order; tasks, tickets,
 * images, objects of the host's. Functions that scripts call go on with the same program, on any of
 * the VMs, so that everything also happens inside of everything.
 *
 * What must hold: nothing crashes or hangs; a function that fails leaves an exception, one that
 * does not leaves none; a freed VM has given all its memory back and finalized its objects once;
 * and a VM that has been through it all still adds 20 to 22.
 *
 * Wrong use is harmless here as in release builds (GENVM_CHECKS of genvm_private.h). What the
 * header rules out for these too is left out: VMs used after their end or by two threads, calls
 * from finalizers and from the functions of the config.
 */
#include "genvm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VMS = 3, REFS = 16, KEPT = 6, TASKS = 4, SCOPES = 4, TICKETS = 4, IMAGES = 4 };
enum { ACTS_MOST = 250, NESTED_MOST = 6, IMAGE_MOST = 1 << 20 };

typedef struct Host {
    GenVM *vm;       /* NULL: none at present */
    size_t used;     /* bytes, where its memory comes from `allocate` */
    int64_t objects; /* of Box that are not finalized */
    int active;      /* functions of the host's that the VM has called and that have not returned */
    bool is_small;   /* so little memory that nothing need work any more */
    unsigned refs_next;
    GenRef refs[REFS], kept[KEPT], tasks[TASKS];
    GenScope scopes[SCOPES];
    GenTicket tickets[TICKETS];
} Host;

typedef struct Image {
    uint8_t *data; /* exactly as long as it is, for the sanitizer */
    size_t size;
} Image;

static Host hosts[VMS];
static Image images[IMAGES];
static const uint8_t *at, *end; /* what is left of the input */
static int acts_left, nested;
static uint64_t now; /* of the clock of all VMs */

static void act(void);

/* ---- the input ---- */

static uint8_t take(void) {
    return at < end ? *at++ : 0;
}
static size_t take_below(size_t count) {
    return take() % count;
}
#define ONE_OF(array) ((array)[take_below(sizeof(array) / sizeof *(array))])

static uint64_t take_number(void) {
    static const uint64_t odd[] = {0,          1,          2,         3,          7,
                                   50,         1000,       20000,     1 << 20,    INT32_MAX,
                                   UINT32_MAX, INT64_MAX,  INT64_MIN, UINT64_MAX, UINT64_MAX - 1,
                                   1ull << 61, 1ull << 62, 65536};
    uint8_t byte = take();
    return byte < 128 ? byte : odd[byte % (sizeof odd / sizeof *odd)];
}

static Host *other_host(Host *host) {
    return &hosts[(size_t)(host - hosts + 1) % VMS];
}

/* A ref that lives, mostly. */
static GenRef take_ref(Host *host) {
    uint8_t byte = take();
    switch (byte >> 3) {
    case 0: return GEN_NULL;
    case 1: return other_host(host)->refs[byte % REFS];
    case 2: return other_host(host)->kept[byte % KEPT];
    case 3: return (GenRef)take_number();
    case 4: return 0x80000000u | (GenRef)take_number();
    case 5:
    case 6: return host->tasks[byte % TASKS];
    case 7:
    case 8: return host->kept[byte % KEPT];
    default: return host->refs[(host->refs_next - 1 - byte % 8) % REFS];
    }
}
static GenRef take_task(Host *host) {
    uint8_t byte = take();
    return byte < 240 ? host->tasks[byte % TASKS] : take_ref(host);
}
static GenTicket take_ticket(Host *host) {
    uint8_t byte = take();
    return byte < 192 ? host->tickets[byte % TICKETS] : take_number();
}
static size_t take_refs(Host *host, GenRef *refs, size_t most) {
    size_t count = take_below(most + 1);
    for (size_t i = 0; i < count; i++)
        refs[i] = take_ref(host);
    return count;
}

/* ---- what must hold ---- */

static _Noreturn void wrong(const char *what, const char *how) {
    fprintf(stderr, "api: %s %s\n", what, how);
    abort();
}

static bool before;  /* was an exception pending before the act */
static bool is_told; /* TRACE is in the environment: standard error tells what happens */

static bool done(Host *host, bool ok, const char *what) {
    bool pending = gen_error_pending(host->vm);
    if (is_told) fprintf(stderr, "%*s%s: %d\n", 2 * nested + 2, "", what, ok);
    if (!ok && !pending) wrong(what, "failed without an exception");
    if (ok && pending && !before) wrong(what, "did its work and left an exception");
    return ok;
}
#define DONE(call, name) done(host, (call), name)

static GenRef note(Host *host, GenRef ref) {
    if (ref != GEN_NULL) host->refs[host->refs_next++ % REFS] = ref;
    return ref;
}

/* Of functions that do nothing while an exception is pending. */
static GenRef made(Host *host, GenRef ref, const char *what) {
    if (done(host, ref != GEN_NULL, what) && before)
        wrong(what, "worked with an exception pending");
    return note(host, ref);
}
#define MADE(call, name) made(host, (call), name)

static void read_all(const void *data, size_t size) {
    static volatile uint8_t sum;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)data)[i]);
}
static void read_text(const char *text) {
    read_all(text, strlen(text) + 1);
}

/* ---- objects of the host's ---- */

typedef struct Box {
    Host *host; /* that counts it; NULL: not told yet */
    char *text; /* malloc'd */
} Box;
static const GenTypeDef box;

static bool fill(Host *host, GenRef self, const char *text) {
    Box *data = gen_object_data(host->vm, self, &box);
    if (!data) return false;
    free(data->text);
    data->text = strdup(text);
    if (!data->host) host->objects++;
    data->host = host;
    return true;
}

static GenRef make_box(GenVM *vm, const GenRef *args) {
    Host *host = gen_context(vm);
    GenRef self = gen_object_new(vm, args[0]);
    if (self == GEN_NULL || !fill(host, self, "made")) return GEN_NULL;
    return gen_object_set(vm, self, &box, 0, args[1]) ? self : GEN_NULL;
}
static void finalize_box(void *data) {
    Box *gone = data;
    if (gone->host) gone->host->objects--;
    free(gone->text);
    *gone = (Box){NULL, (char *)1}; /* whoever finalizes it again frees this */
}

/* Goes on with the program, as a host may in any of its functions. */
static void go_on(Host *host) {
    bool outer = before;
    GenRef refs[REFS];
    if (nested >= NESTED_MOST || acts_left <= 0) return;
    memcpy(refs, host->refs, sizeof refs);
    nested++;
    host->active++;
    for (size_t count = take_below(4); count; count--)
        act();
    host->active--;
    nested--;
    before = outer;
    if (take_below(4)) memcpy(host->refs, refs, sizeof refs); /* else stale ones are left */
}

static GenRef save_box(GenVM *vm, GenRef self) {
    go_on(gen_context(vm));
    return gen_object_get(vm, self, &box, 0);
}
static bool load_box(GenVM *vm, GenRef self, GenRef state) {
    Host *host = gen_context(vm);
    if (!fill(host, self, "loaded")) return false;
    go_on(host);
    return gen_object_set(vm, self, &box, 1, state);
}
static GenRef get_x(GenVM *vm, const GenRef *args) {
    return gen_object_get(vm, args[0], &box, 0);
}
static GenRef set_x(GenVM *vm, const GenRef *args) {
    return gen_object_set(vm, args[0], &box, 0, args[1]) ? gen_none(vm) : GEN_NULL;
}
static GenRef box_next(GenVM *vm, const GenRef *args) {
    go_on(gen_context(vm));
    (void)args;
    return take_below(2) ? gen_int(vm, 1) : gen_raise(vm, "StopIteration", "%s", "");
}
static GenRef box_self(GenVM *vm, const GenRef *args) {
    go_on(gen_context(vm));
    return args[0];
}
static const GenFunction box_make = {"Box(cls, x = None)", make_box, NULL};
static const GenFunction box_methods[] = {
    {"__next__(self)", box_next, NULL},
    {"__iter__(self)", box_self, NULL},
    {"__eq__(self, other)", box_self, NULL},
    {"__hash__(self)", box_next, NULL},
    {"__enter__(self)", box_self, NULL},
    {"__exit__(self, *why)", box_next, NULL},
    {"ask(self)", NULL, NULL},
    {"async wait(self, n)", NULL, NULL},
    {"static still(x)", box_self, NULL},
    {"classmethod of(cls)", box_self, NULL},
    {"__getitem__(self, key)", NULL, "asked"},
    {NULL, NULL, NULL},
};
static const GenProperty box_properties[] = {
    {"x", get_x, set_x, "the first slot"}, {"y", box_self, NULL, NULL}, {NULL, NULL, NULL, NULL}};
static const GenTypeDef box = {.name = "Box",
                               .size = sizeof(Box),
                               .slots = 2,
                               .construct = &box_make,
                               .methods = box_methods,
                               .properties = box_properties,
                               .finalize = finalize_box,
                               .save = save_box,
                               .load = load_box};
static const GenTypeDef bare = {.name = "Bare", .module = "own", .slots = 1};

/* ---- functions of the host's ---- */

static GenRef poke(GenVM *vm, const GenRef *args) {
    Host *host = gen_context(vm);
    note(host, args[0]);
    go_on(host);
    return take_below(4) ? args[0] : take_ref(host);
}
static GenRef deny(GenVM *vm, const GenRef *args) {
    Host *host = gen_context(vm);
    go_on(host);
    if (take_below(2)) return gen_raise(vm, "ValueError", "%s", "denied");
    gen_error_restore(vm, args[0]);
    return GEN_NULL;
}
static GenRef last(GenVM *vm, const GenRef *args) {
    Host *host = gen_context(vm);
    go_on(host);
    return gen_call_last(vm, args[0], 1, &args[1]);
}
static GenRef then(GenVM *vm, const GenRef *args) {
    Host *host = gen_context(vm);
    go_on(host);
    return gen_call_then(vm, take_below(4) ? gen_get_global(vm, "pair") : take_ref(host), args[1],
                         args[0], 1, &args[1]);
}
static GenRef twice(GenVM *vm, const GenRef *args) {
    GenRef once = gen_call(vm, args[0], 1, &args[1]);
    go_on(gen_context(vm));
    return gen_call(vm, args[0], 1, &once);
}
static const GenFunction own[] = {{"poke(x = None)", poke, "goes on with the program"},
                                  {"deny(error)", deny, NULL},
                                  {"last(f, x)", last, NULL},
                                  {"then(f, x)", then, NULL},
                                  {"twice(f: callable, x)", twice, NULL},
                                  {"ask(x = 1, *args, **kwargs)", NULL, "external"},
                                  {"async fetch(x)", NULL, NULL},
                                  {"typed(a: int, b: str | None = None)", poke, NULL},
                                  {NULL, NULL, NULL}};
static const GenFunction odd_functions[] = {{"broken(", poke, NULL},
                                            {"async bodied(x)", poke, NULL},
                                            {"poke(x: str)", poke, NULL},
                                            {"def later(x = ?)", poke, NULL}};

/* ---- scripts: each comes to an end, whatever it is answered ---- */

static const char setup[] =
    "from own import *\n"
    "import own\n"
    "def pair(a, b=None): return a, b\n"
    "def numbers(n=9):\n    for i in range(n): x = yield i\n    return n\n"
    "def caller(f=ask):\n    try:\n        while (yield poke(f())): pass\n"
    "    except KeyError as e: yield poke(e)\n    finally: poke('closed')\n"
    "async def work(n=2):\n    try: return [await fetch(i) for i in range(n)]\n"
    "    finally: poke(n)\n"
    "class Final:\n    def __del__(self): poke(self)\n"
    "    def __eq__(self, other): return poke(self) is other\n"
    "    def __hash__(self): return 1\n    def __str__(self): return poke('text')\n"
    "    def __getattr__(self, name): return poke(name)\n    def __len__(self): return poke(3)\n"
    "    def __call__(self, *args): return poke(args)\n    def __add__(self, x): return ask(x)\n"
    "class Sub(Box):\n    def __init__(self, *args): poke(self)\n"
    "    def __setattr__(self, name, x): poke(x)\n"
    "x, y, z = [3, 1, 2], {'a': Final(), 1: 'b'}, numbers()\n";

static const char *const scripts[] = {
    "",
    "x = ",
    "poke(1); z = caller(poke)",
    "x = [ask(i) for i in range(3)]\npoke(x)",
    "x = sorted([3, 1, 2], key=ask)\nsorted(x, key=lambda i: -poke(i))",
    "for i in range(3000): x = [i]\npoke(i)\nfor i in range(3000): x = {i: [x] for x in 'abc'}",
    "import asyncio\nasync def main():\n    return await asyncio.gather(fetch(1), work(), "
    "fetch(2))\n"
    "x = asyncio.run(main())\npoke(x)",
    "import asyncio\nasync def slow(n):\n    try: await asyncio.wait_for(fetch(n), 0.001)\n"
    "    except TimeoutError: poke(n)\nasync def main():\n"
    "    async with asyncio.TaskGroup() as g:\n        for i in range(3): g.create_task(slow(i))\n"
    "asyncio.run(main())",
    "def f():\n    try: poke(ask('in'))\n    finally:\n        with Box(2) as x: poke(ask(x))\nf()",
    "a = Final(); a.me = a; b = [a]; b.append(b); del a, b\nimport gc\ngc.collect()\npoke(2)",
    "import threading\ndef w(n):\n    poke(ask(n))\n"
    "ts = [threading.Thread(target=w, args=(i,)) for i in range(2)]\n"
    "for t in ts: t.start()\npoke(0)\nfor t in ts: t.join()",
    "def deep(n): return deep(n - 1) + 1 if n else poke(0)\nx = deep(60)\ny = deep(3000)",
    "try: deny(ValueError('x'))\nexcept Exception as e: x = e; raise",
    "x = last(ask, 1), then(ask, 2), twice(poke, 3), last(last, then)",
    "class E(Exception):\n    def __str__(self): return poke('report')\nraise E",
    "b = Box([1]); b.x = b; s = Sub(b); x = [b, s, s.ask(), b[1], {b: 1}.get(b), *Box(1)]",
    "import copy, weakref, itertools\ny = weakref.ref(Box(1), poke)\n"
    "x = list(map(poke, itertools.islice(zip(z, z), 3)))\nz = copy.copy(y)",
    "x = 'a' * 70000\ny = [bytes(9) for i in range(999)]\ndel x, y\nprint('out' * 50, poke('p'))",
    "g = caller(); next(g); z = numbers(); next(z); g.throw(KeyError(1))",
    "def back():\n    it = caller(poke)\n    def inner(): yield from it\n    return inner()\n"
    "z = back(); x = [poke(i) for i in z]",
    "async def gen():\n    for i in range(3): yield await fetch(i)\n"
    "async def main():\n    return [poke(i) async for i in gen()]\nimport asyncio\nx = "
    "asyncio.run(main())",
    "match ask(1):\n    case [a, *b] | {'k': [a, *b]}: x = a\n    case Final(): x = 2\n    case _: "
    "x = 3",
    "import missing_module_of_none",
    "class M(type):\n    def __call__(cls, *a): return poke(cls)\n    def __del__(cls): poke(1)\n"
    "class C(metaclass=M):\n    def __init_subclass__(cls): ask(cls)\nclass D(C): pass\nx = D()",
    "import sys\nsys.settrace\nx = sys._getframe().f_locals\ndef f(): return "
    "poke(sys._getframe())\nf().f_back",
    "from own import *\nimport own\nx = own, poke, own.fetch(1), typed(1, None)",
    "exec('y = poke(eval(\"ask(1)\"))')\nx = lambda: y",
    "raise SystemExit(poke(1))",
    "import time\nx = time.time()\ntime.sleep(0.0001)",
    "import contextvars, functools\nv = contextvars.ContextVar('v')\n"
    "def f():\n    v.set(ask(2)); return poke(v)\ncontextvars.copy_context().run(f)\n"
    "@functools.lru_cache\ndef g(n): return ask(n)\nx = g(1), g(1)",
    "import json, re, dataclasses\nx = json.loads('[1, {\"a\": 2}]', object_hook=ask)\n"
    "y = re.sub('a', lambda m: str(poke(m)), 'banana')",
};
static const char *const expressions[] = {
    "x",
    "y",
    "z",
    "[x, y, z]",
    "numbers()",
    "caller()",
    "work()",
    "Final()",
    "Box(x)",
    "Sub()",
    "Bare",
    "ask(1)",
    "poke(1)",
    "1 / 0",
    "b'bytes'",
    "bytearray(9)",
    "'text'",
    "{1, 2}",
    "pair",
    "ValueError('v')",
    "E",
    "(",
    "2 ** 70",
    "lambda *a, **k: poke(a)",
    "own",
    "iter([1, 2])",
    "fetch(1)",
    "[Final() for i in range(9)]",
    "type('T', (Box,), {})",
    "memoryview(b'abc')",
    "poke",
    "last",
    "(lambda: (yield ask(1)))()",
    "isinstance(x, Final)",
    "object()",
    "Box.of",
    "StopIteration(1)",
    "KeyboardInterrupt",
    "frozenset('ab')",
    "numbers().__next__",
    "deny",
};
static const char *const names[] = {
    "x",         "y",     "z",          "poke",     "ask",      "numbers",
    "caller",    "Final", "Box",        "Sub",      "fetch",    "work",
    "then",      "last",  "append",     "__len__",  "list",     "dict",
    "type",      "str",   "len",        "next",     "__doc__",  "ValueError",
    "sorted",    "print", "",           "gi_frame", "cr_frame", "__dict__",
    "__class__", "send",  "isinstance", "missing",  "pair",     "__traceback__",
    "__name__",  "throw", "close",      "clear",    "pop",      "values",
    "is_alive",  "iter",
};
static const char *const imports[] = {"own",     "math",      "asyncio", "threading",
                                      "weakref", "itertools", "missing", "own.inner",
                                      "",        "__main__",  "sys",     "builtins"};

/* ---- the life of a VM ---- */

/* Memory that is counted. */
static void *allocate(void *context, void *block, size_t old_size, size_t new_size) {
    Host *host = context;
    void *result = new_size ? realloc(block, new_size) : (free(block), NULL);
    if (result || !new_size) host->used += new_size - old_size;
    return result;
}
static bool swallow(void *context, int stream, const char *data, size_t size) {
    (void)context, (void)stream;
    read_all(data, size);
    return true;
}
static uint64_t tell_time(void *context) {
    (void)context;
    return now += 1000;
}
static const char *find_module(void *context, const char *name, size_t *size) {
    static const char source[] = "def inside(x): return x\n";
    (void)context;
    *size = sizeof source - 1;
    return strcmp(name, "own.inner") ? NULL : source;
}

/* Something for the acts to choose from. */
static void stock(Host *host) {
    for (int i = 0; i < TASKS; i++) {
        GenRef task = gen_task_from_source(host->vm, ONE_OF(scripts), "stock");
        gen_error_clear(host->vm);
        host->tasks[i] = task ? gen_keep(host->vm, task) : GEN_NULL;
        host->tickets[i] = 1;
    }
    for (int i = 0; i < REFS; i++) {
        note(host, gen_eval(host->vm, ONE_OF(expressions)));
        gen_error_clear(host->vm);
    }
    for (int i = 0; i < KEPT; i++)
        host->kept[i] = gen_keep(host->vm, host->refs[i]);
    gen_error_clear(host->vm);
}

static void begin(Host *host) {
    static const uint64_t memory[] = {24 << 20, 24 << 20, 24 << 20, 8 << 20, 3 << 20, 1 << 20};
    uint8_t how = take();
    *host = (Host){.vm = NULL};
    GenConfig config = {.size = sizeof config, .context = host, .clock = tell_time};
    config.capabilities = how & 1 ? GEN_CAP_CLOCK | GEN_CAP_ENV : 0;
    config.memory_limit = memory[(how >> 4) % 6];
    config.recursion_limit = how & 2 ? 90 : 0;
    config.hash_seed = how & 4 ? 7 : 0;
    if (how & 8) config.allocate = allocate;
    if (how & 1) config.write = swallow;
    config.find_module = find_module;
    host->vm = gen_vm_new(&config);
    host->is_small = config.memory_limit < 4 << 20;
    if (!host->vm) {
        if (!host->is_small) wrong("gen_vm_new", "gave no VM");
        return;
    }
    int left = acts_left;
    acts_left = 0; /* what sets up goes the straight way */
    gen_register_module(host->vm, "own", own);
    gen_set_global(host->vm, "Box", gen_type_new(host->vm, &box));
    gen_set_global(host->vm, "Bare", gen_type_new(host->vm, &bare));
    if (!gen_run_string(host->vm, setup, "setup") && !host->is_small)
        wrong("the setup", gen_error_text(host->vm));
    gen_error_clear(host->vm);
    stock(host);
    acts_left = left;
}

/* Whatever was done to it. */
static void check_works(Host *host) {
    gen_error_clear(host->vm);
    gen_debug_fail_allocation(host->vm, 0);
    for (int tries = 0; tries < 3; tries++) { /* an interrupt may still be due */
        int64_t sum = gen_as_int(host->vm, gen_eval(host->vm, "20 + 22"));
        if (sum == 42) return;
        if (!gen_error_matches(host->vm, "KeyboardInterrupt")) break;
        gen_error_clear(host->vm);
    }
    if (!host->is_small && !gen_error_matches(host->vm, "MemoryError"))
        wrong("a VM at its end:", gen_error_text(host->vm));
    gen_error_clear(host->vm);
}

static void drop(Host *host) {
    gen_vm_free(host->vm);
    if (host->used) {
        fprintf(stderr, "%zd bytes\n", (ssize_t)host->used);
        wrong("gen_vm_free", "kept memory");
    }
    if (host->objects) wrong("gen_vm_free", "left objects that are not finalized");
    host->vm = NULL;
}

/* ---- acts: values ---- */

static void make_number(Host *host) {
    switch (take_below(4)) {
    case 0: MADE(gen_int(host->vm, (int64_t)take_number()), "gen_int"); return;
    case 1: MADE(gen_uint(host->vm, take_number()), "gen_uint"); return;
    case 2: MADE(gen_float(host->vm, (double)take_number() / 4), "gen_float"); return;
    default: MADE(gen_bool(host->vm, take_below(2)), "gen_bool"); return;
    }
}
static void make_text(Host *host) {
    size_t size = take_below(30);
    if (size > (size_t)(end - at)) size = (size_t)(end - at);
    const char *text = (const char *)at;
    at += size;
    if (take_below(2))
        MADE(gen_str_n(host->vm, text, size), "gen_str_n");
    else
        MADE(gen_bytes(host->vm, text, size), "gen_bytes");
    MADE(gen_str(host->vm, ONE_OF(names)), "gen_str");
}
static void make_container(Host *host) {
    GenRef items[20];
    switch (take_below(4)) {
    case 0: MADE(gen_list(host->vm), "gen_list"); return;
    case 1: MADE(gen_dict(host->vm), "gen_dict"); return;
    case 2: MADE(gen_none(host->vm), "gen_none"); return;
    default: {
        size_t count = take_refs(host, items, 20);
        MADE(gen_tuple(host->vm, count, items), "gen_tuple");
    }
    }
}
static void evaluate(Host *host) {
    MADE(gen_eval(host->vm, ONE_OF(expressions)), "gen_eval");
}
static void run_source(Host *host) {
    const char *source = ONE_OF(scripts);
    if (take_below(2))
        DONE(gen_run_string(host->vm, source, "run"), "gen_run_string");
    else
        DONE(gen_run_bytes(host->vm, source, strlen(source), NULL), "gen_run_bytes");
}
static void run_line(Host *host) {
    const char *source = take_below(2) ? ONE_OF(expressions) : ONE_OF(scripts);
    size_t size = strlen(source), cut = take_below(40);
    GenStatus status =
        gen_run_interactive(host->vm, source, cut < size ? size - cut : size, "<stdin>");
    DONE(status != GEN_ERROR, "gen_run_interactive");
}
static void import(Host *host) {
    MADE(gen_import(host->vm, ONE_OF(imports)), "gen_import");
}

static void read_kind(Host *host) {
    GenRef ref = take_ref(host);
    gen_type(host->vm, ref);
    if (!gen_error_pending(host->vm)) read_text(gen_type_name(host->vm, ref));
    gen_is_none(host->vm, ref);
    gen_is_instance(host->vm, ref, take_ref(host));
    if (!before) gen_error_clear(host->vm);
    MADE(gen_class(host->vm, ref), "gen_class");
}
static void read_number(Host *host) {
    bool truth;
    int64_t whole;
    double real;
    GenRef ref = take_ref(host);
    switch (take_below(5)) {
    case 0: DONE(gen_to_bool(host->vm, ref, &truth), "gen_to_bool"); return;
    case 1: DONE(gen_to_int(host->vm, ref, &whole), "gen_to_int"); return;
    case 2: DONE(gen_to_float(host->vm, ref, &real), "gen_to_float"); return;
    case 3: gen_as_int(host->vm, ref); return;
    default: gen_as_float(host->vm, ref); return;
    }
}
static void read_text_of(Host *host) {
    size_t size = 0;
    GenRef ref = take_ref(host);
    if (take_below(2)) {
        const char *text = gen_to_str(host->vm, ref, &size);
        if (DONE(text != NULL, "gen_to_str")) read_all(text, size + 1);
    } else {
        const void *data = gen_to_bytes(host->vm, ref, &size);
        if (DONE(data != NULL, "gen_to_bytes")) read_all(data, size);
    }
}
static void show(Host *host) {
    GenRef ref = take_ref(host);
    if (take_below(2))
        MADE(gen_repr(host->vm, ref), "gen_repr");
    else
        MADE(gen_to_text(host->vm, ref), "gen_to_text");
}

/* ---- acts: containers, attributes, calls ---- */

static void use_items(Host *host) {
    size_t size;
    GenRef ref = take_ref(host), key = take_ref(host);
    switch (take_below(6)) {
    case 0: DONE(gen_len(host->vm, ref, &size), "gen_len"); return;
    case 1: MADE(gen_get_item(host->vm, ref, key), "gen_get_item"); return;
    case 2: MADE(gen_get_index(host->vm, ref, (int64_t)take_number()), "gen_get_index"); return;
    case 3: DONE(gen_set_item(host->vm, ref, key, take_ref(host)), "gen_set_item"); return;
    case 4: DONE(gen_delete_item(host->vm, ref, key), "gen_delete_item"); return;
    default: DONE(gen_append(host->vm, ref, key), "gen_append"); return;
    }
}
static void go_through(Host *host) {
    GenRef dict = take_ref(host), key, value;
    size_t position = take_below(4) ? 0 : (size_t)take_number();
    for (int i = 0; i < 20 && gen_next_item(host->vm, dict, &position, &key, &value); i++)
        note(host, take_below(2) ? key : value);
}
static void use_attributes(Host *host) {
    GenRef ref = take_ref(host);
    const char *name = ONE_OF(names);
    switch (take_below(4)) {
    case 0: MADE(gen_get_attr(host->vm, ref, name), "gen_get_attr"); return;
    case 1: DONE(gen_set_attr(host->vm, ref, name, take_ref(host)), "gen_set_attr"); return;
    case 2: DONE(gen_delete_attr(host->vm, ref, name), "gen_delete_attr"); return;
    default: gen_has_attr(host->vm, ref, name); return;
    }
}
static void use_globals(Host *host) {
    static const char *const own_names[] = {"x", "y", "z", "E"};
    if (take_below(3))
        MADE(gen_get_global(host->vm, ONE_OF(names)), "gen_get_global");
    else
        DONE(gen_set_global(host->vm, ONE_OF(own_names), take_ref(host)), "gen_set_global");
}
static void operate(Host *host) {
    static const char *const operators[] = {"+", "-", "*",  "/",  "//", "%",  "@",  "&",  "|",
                                            "^", "<", "<=", "==", "!=", ">=", "in", "is", ""};
    GenRef left = take_ref(host), right = take_ref(host);
    MADE(gen_operate(host->vm, left, ONE_OF(operators), right), "gen_operate");
}
static void call(Host *host) {
    GenRef args[20], callable = take_ref(host);
    size_t count;
    switch (take_below(4)) {
    case 0:
        MADE(gen_call_with(host->vm, callable, take_ref(host), take_ref(host)), "gen_call_with");
        return;
    case 1:
        count = take_refs(host, args, 3);
        MADE(gen_call_method(host->vm, callable, ONE_OF(names), count, args), "gen_call_method");
        return;
    default:
        count = take_refs(host, args, take_below(8) ? 2 : 20);
        MADE(gen_call(host->vm, callable, count, args), "gen_call");
    }
}
static void drive(Host *host) {
    GenRef out = GEN_NULL, generator = take_ref(host);
    GenStatus status;
    switch (take_below(6)) {
    case 0: MADE(gen_iter(host->vm, generator), "gen_iter"); return;
    case 1: DONE(gen_close(host->vm, generator), "gen_close"); return;
    case 2: status = gen_send(host->vm, generator, take_ref(host), &out); break;
    case 3: status = gen_throw(host->vm, generator, take_ref(host), &out); break;
    default: status = gen_next(host->vm, generator, &out);
    }
    if (status != GEN_OK && status != GEN_END && status != GEN_ERROR)
        wrong("gen_next", "gave what");
    if ((status == GEN_ERROR) != (out == GEN_NULL)) wrong("gen_next", "gave no value");
    DONE(status != GEN_ERROR, "gen_next");
    note(host, out);
}

/* ---- acts: refs and errors ---- */

static void keep(Host *host) {
    GenRef *kept = &ONE_OF(host->kept);
    if (take_below(2)) {
        gen_release(host->vm, *kept);
    } else {
        *kept = gen_keep(host->vm, take_ref(host));
        DONE(*kept != GEN_NULL, "gen_keep");
    }
}
static void use_scopes(Host *host) {
    GenScope *scope = &ONE_OF(host->scopes);
    switch (take_below(4)) {
    case 0:
    case 1: *scope = gen_scope_open(host->vm); return;
    case 2: gen_scope_close(host->vm, *scope); return;
    default: note(host, gen_scope_return(host->vm, *scope, take_ref(host)));
    }
}
static void use_errors(Host *host) {
    bool pending = gen_error_pending(host->vm);
    switch (take_below(6)) {
    case 0: {
        GenRef taken = gen_error_take(host->vm);
        if (pending != (taken != GEN_NULL)) wrong("gen_error_take", "took what is not there");
        note(host, taken);
        return;
    }
    case 1: gen_error_restore(host->vm, take_ref(host)); return;
    case 2: gen_error_matches(host->vm, ONE_OF(names)); return;
    case 3: gen_raise(host->vm, ONE_OF(names), "%d and %s", 1, "more"); return;
    default:
        read_text(gen_error_text(host->vm));
        if (pending != gen_error_pending(host->vm)) wrong("gen_error_text", "changed the error");
    }
}

/* ---- acts: tasks ---- */

static void make_task(Host *host) {
    GenRef args[2], *task = &ONE_OF(host->tasks), made_task;
    const char *source = ONE_OF(scripts);
    size_t count;
    switch (take_below(4)) {
    case 0:
        count = take_refs(host, args, 2);
        made_task = MADE(gen_task_new(host->vm, take_ref(host), count, args), "gen_task_new");
        break;
    case 1:
        made_task = MADE(gen_task_from_bytes(host->vm, source, strlen(source), NULL), "bytes");
        break;
    default: made_task = MADE(gen_task_from_source(host->vm, source, "task"), "gen_task");
    }
    if (made_task == GEN_NULL) return;
    GenRef kept = gen_keep(host->vm, made_task);
    if (kept == GEN_NULL) return gen_error_clear(host->vm);
    if (*task) gen_release(host->vm, *task);
    *task = kept;
}
static void hear(Host *host, const GenOutcome *outcome) {
    note(host, outcome->args);
    note(host, outcome->kwargs);
    if (!outcome->name || !outcome->args) wrong("a ticket", "does not tell what is called");
    read_text(outcome->name);
    host->tickets[outcome->ticket % TICKETS] = outcome->ticket;
}
static void run_task(Host *host) {
    GenOutcome outcome;
    bool told = take_below(8);
    GenStatus status = gen_run(host->vm, take_task(host), told ? &outcome : NULL);
    static const char *const runs[] = {"",
                                       "",
                                       "gen_run, failed",
                                       "gen_run, done",
                                       "gen_run, yielded",
                                       "gen_run, call-out",
                                       "gen_run, waiting",
                                       "gen_run, budget"};
    DONE(status != GEN_ERROR, runs[status]);
    if (!told || status == GEN_ERROR) return;
    if (outcome.kind != status) wrong("gen_run", "tells something else");
    if (status == GEN_CALLOUT) hear(host, &outcome);
    if (status == GEN_BUDGET && !outcome.budget) wrong("gen_run", "does not tell the budget");
    if ((status == GEN_DONE || status == GEN_YIELDED) && !note(host, outcome.value))
        wrong("gen_run", "gives no value");
    if (status < GEN_DONE || status > GEN_BUDGET) wrong("gen_run", "gave what");
}
static void answer(Host *host) {
    GenRef task = take_task(host);
    GenTicket ticket = take_ticket(host);
    switch (take_below(4)) {
    case 0:
        DONE(gen_answer_error(host->vm, task, ticket, take_ref(host)), "gen_answer_error");
        return;
    case 1: DONE(gen_task_send(host->vm, task, take_ref(host)), "gen_task_send"); return;
    default: DONE(gen_answer(host->vm, task, ticket, take_ref(host)), "gen_answer");
    }
}
/* What a diligent host does: answers all that is open. */
static void answer_all(Host *host) {
    GenRef task = take_task(host);
    GenTicket open[3];
    GenOutcome outcome;
    size_t count = gen_task_tickets(host->vm, task, open, 3);
    for (size_t i = 0; i < count && i < 3; i++) {
        before = gen_error_pending(host->vm);
        if (DONE(gen_task_ticket(host->vm, task, open[i], &outcome), "gen_task_ticket"))
            hear(host, &outcome);
        before = gen_error_pending(host->vm);
        if (take_below(2)) DONE(gen_answer(host->vm, task, open[i], take_ref(host)), "gen_answer");
    }
    before = gen_error_pending(host->vm);
    if (gen_task_ticket(host->vm, task, take_ticket(host), &outcome)) hear(host, &outcome);
}
/* Runs it as far as it comes, and gives it what it asks for. */
static void carry_on(Host *host) {
    GenRef task = take_task(host);
    GenOutcome outcome;
    for (int i = 0; i < 8 && acts_left > 0; i++) {
        GenStatus status = gen_run(host->vm, task, &outcome);
        before = gen_error_pending(host->vm);
        switch (status) {
        case GEN_CALLOUT:
            hear(host, &outcome);
            if (take_below(4)) gen_answer(host->vm, task, outcome.ticket, take_ref(host));
            break;
        case GEN_YIELDED: DONE(gen_task_send(host->vm, task, take_ref(host)), "send"); break;
        case GEN_WAITING: answer_all(host); break;
        case GEN_BUDGET: gen_task_set_budget(host->vm, task, outcome.budget, outcome.needed); break;
        default: return;
        }
        if (take_below(8) == 0) act();
    }
}
static void limit(Host *host) {
    GenRef task = take_task(host);
    GenBudget budget = (GenBudget)take_below(9);
    uint64_t spent = gen_task_spent(host->vm, task, budget), more = take_number();
    uint64_t limit = budget == GEN_BUDGET_DEADLINE ? now + more * 1000
                     : take_below(2)               ? spent + more
                                                   : more;
    before = gen_error_pending(host->vm);
    DONE(gen_task_set_budget(host->vm, task, budget, limit), "gen_task_set_budget");
}
static void look(Host *host) {
    GenFrame frame;
    GenRef task = take_below(4) ? take_task(host) : GEN_NULL;
    size_t index = take_below(8) ? 0 : (size_t)take_number();
    for (int i = 0; i < 5 && gen_task_frame(host->vm, task, index, &frame); i++, index++) {
        read_text(frame.function);
        read_text(frame.file);
        note(host, frame.locals);
    }
}
static void kill_task(Host *host) {
    DONE(gen_task_kill(host->vm, take_task(host), take_number()), "gen_task_kill");
}

/* ---- acts: images ---- */

static void put_image(const void *data, size_t size) {
    Image *image = &ONE_OF(images);
    if (size > IMAGE_MOST) return;
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    free(image->data);
    *image = (Image){copy, size};
}
static void save(Host *host) {
    GenRef root = take_below(3) ? take_task(host) : take_ref(host);
    GenRef bytes = MADE(gen_save(host->vm, root), "gen_save");
    size_t size;
    const void *data = bytes ? gen_to_bytes(host->vm, bytes, &size) : NULL;
    if (data) put_image(data, size);
}
static void damage(Host *host) {
    (void)host;
    Image *image = &ONE_OF(images);
    if (!image->size) return;
    size_t place = (size_t)take_number() % image->size;
    image->data[place] ^= (uint8_t)(1 << take_below(8));
    if (take_below(4) == 0) image->size = place;
}
static void load(Host *host) {
    Image copy, *image = &ONE_OF(images);
    if (!image->data) return;
    copy = (Image){malloc(image->size + 1), image->size}; /* loading may lead to other acts */
    memcpy(copy.data, image->data, image->size);
    if (take_below(8) == 0) {
        MADE(gen_image_inspect(host->vm, copy.data, copy.size), "gen_image_inspect");
    } else {
        GenRef loaded = MADE(gen_load(host->vm, copy.data, copy.size), "gen_load");
        if (loaded && take_below(2)) host->tasks[take_below(TASKS)] = loaded;
    }
    free(copy.data);
}

/* ---- acts: what the host brings ---- */

static void bring(Host *host) {
    GenRef refs[2], function = take_ref(host), state = take_ref(host), callable = take_ref(host);
    size_t count = take_refs(host, refs, 2);
    switch (take_below(7)) {
    case 0: MADE(gen_function(host->vm, &ONE_OF(odd_functions)), "gen_function"); return;
    case 1: MADE(gen_function(host->vm, &own[take_below(8)]), "gen_function"); return;
    case 2: MADE(gen_method(host->vm, function, state), "gen_method"); return;
    case 3: DONE(gen_register_module(host->vm, ONE_OF(imports), own + 8), "gen_register"); return;
    case 4: DONE(gen_register_module(host->vm, "own", own), "gen_register_module"); return;
    case 5: MADE(gen_call_last(host->vm, function, count, refs), "gen_call_last"); return;
    default: MADE(gen_call_then(host->vm, function, state, callable, count, refs), "gen_call_then");
    }
}
static void use_objects(Host *host) {
    const GenTypeDef *def = take_below(4) ? &box : &bare;
    GenRef ref = take_ref(host);
    uint32_t slot = take_below(8) ? (uint32_t)take_below(2) : (uint32_t)take_number();
    switch (take_below(5)) {
    case 0: MADE(gen_type_new(host->vm, def), "gen_type_new"); return;
    case 1: MADE(gen_object_new(host->vm, ref), "gen_object_new"); return;
    case 2: {
        void *data = gen_object_data(host->vm, ref, def);
        if (DONE(data != NULL, "gen_object_data")) read_all(data, def->size);
        return;
    }
    case 3: note(host, gen_object_get(host->vm, ref, def, slot)); return;
    default: DONE(gen_object_set(host->vm, ref, def, slot, take_ref(host)), "gen_object_set");
    }
}

/* ---- acts: the VM as a whole ---- */

static void tend(Host *host) {
    uint64_t first;
    switch (take_below(8)) {
    case 0: gen_interrupt(host->vm); return;
    case 1: gen_memory(host->vm); return;
    case 2:
        first = take_number();
        gen_debug_fail_allocations(host->vm, first % 512, take(), NULL);
        return;
    case 3: gen_debug_fail_allocation(host->vm, 0); return;
    case 4:
        if (gen_context(host->vm) != host) wrong("gen_context", "gives another");
        return;
    default: DONE(gen_collect(host->vm), "gen_collect");
    }
}
static void finish(Host *host) {
    DONE(gen_vm_finish(host->vm), "gen_vm_finish");
}
static void begin_again(Host *host) {
    if (take_below(4)) return;
    if (host->active) {
        gen_vm_free(host->vm); /* to no effect */
        return;
    }
    drop(host);
    begin(host);
}
static void clear(Host *host) {
    gen_error_clear(host->vm);
}

#define ACT(name)                                                                                  \
    { #name, name }
static const struct {
    const char *name;
    void (*make)(Host *host);
} acts[] = {
    ACT(make_number),    ACT(make_text),   ACT(make_container), ACT(evaluate),  ACT(evaluate),
    ACT(run_source),     ACT(run_line),    ACT(import),         ACT(read_kind), ACT(read_number),
    ACT(read_text_of),   ACT(show),        ACT(use_items),      ACT(use_items), ACT(go_through),
    ACT(use_attributes), ACT(use_globals), ACT(use_globals),    ACT(operate),   ACT(call),
    ACT(call),           ACT(drive),       ACT(drive),          ACT(keep),      ACT(use_scopes),
    ACT(use_errors),     ACT(make_task),   ACT(make_task),      ACT(run_task),  ACT(run_task),
    ACT(run_task),       ACT(run_task),    ACT(answer),         ACT(carry_on),  ACT(answer),
    ACT(answer_all),     ACT(limit),       ACT(look),           ACT(kill_task), ACT(save),
    ACT(damage),         ACT(load),        ACT(load),           ACT(bring),     ACT(use_objects),
    ACT(tend),           ACT(finish),      ACT(begin_again),    ACT(clear),
};

/* One act, of any VM: the same one mostly, so that a program is about something. */
static void act(void) {
    if (acts_left <= 0 || at >= end) return;
    acts_left--;
    uint8_t which = take();
    static const uint8_t vm_of[] = {0, 0, 0, 1, 2, 0};
    Host *host = &hosts[vm_of[which / (sizeof acts / sizeof *acts)]];
    if (!host->vm) begin(host);
    if (!host->vm) return;
    if (take_below(8)) gen_error_clear(host->vm);
    before = gen_error_pending(host->vm);
    which %= sizeof acts / sizeof *acts;
    if (is_told)
        fprintf(stderr, "%*sVM %d: %s%s\n", 2 * nested, "", (int)(host - hosts), acts[which].name,
                before ? ", with an exception pending" : "");
    acts[which].make(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    at = bytes, end = bytes + size;
    is_told = getenv("TRACE") != NULL;
    acts_left = ACTS_MOST, now = 0;
    while (acts_left > 0 && at < end)
        act();
    acts_left = 0; /* finalizers that are due call the host's functions in vain */
    bool finishes = size % 2;
    for (int i = 0; i < VMS; i++) {
        if (!hosts[i].vm) continue;
        check_works(&hosts[i]);
        if (finishes) gen_vm_finish(hosts[i].vm);
        drop(&hosts[i]);
    }
    for (int i = 0; i < IMAGES; i++)
        free(images[i].data);
    memset(images, 0, sizeof images);
    return 0;
}
