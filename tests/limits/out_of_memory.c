/* Out of memory at every allocation in turn: the script ends with an exception or a status, the VM
 * works afterwards (the same script runs to its end), and nothing is leaked. Allocations are those
 * of script objects in debug builds (gen_debug_fail_allocations), and malloc's, of whichever
 * library. Of both, either one fails alone, or all from one on.
 *
# timeout: 120
# skip: stress each failure ends a run that collects at every safepoint: hours
 *     out_of_memory                 some scripts of its own and some tests, a few failures of each
 *     out_of_memory [OPTION N]... PATH...             scripts, each in a process of its own
 *         -first N     each of the first N allocations fails alone (20000), and
 *         -place N     the first N that are made at one place (50), and
 *         -stride N    every N-th of the others (97)
 *         -again N     after the first N failures at one place, the VM is tried out, and the script
 *                      runs in it once more (5); after all failures the VM is finished and freed
 *         -from N      every N-th is the one from which on all fail (41)
 *         -anew N      of scripts that cannot be forked, the first N (1500)
 *         -most N      of more than N allocations of one kind, the rest is left out
 *
 * A script runs once; at each allocation the process forks, and in the child that allocation fails.
 * So a script of n allocations takes n ends, not n runs. Where children would disturb each other
 * (files, threads), each failure has a run of its own: at most so many of them are each tried.
 *
 * A finding is a line: what, script, kind of failure, which one, and where it failed (addresses in
 * this program, innermost first); scripts/out-of-memory runs this over the tests and makes the
 * lines readable. */
#define _GNU_SOURCE
#include "genvm.h"
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
/* The C library's own: its loader forgets a list of libraries when it gets no memory. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:_dl_map_object_deps";
}
const char *__lsan_default_options(void);
const char *__lsan_default_options(void) {
    return "print_suppressions=0";
}
#endif

/* Where malloc can be replaced: the one of the C library, or of AddressSanitizer, is still there.
 */
#ifdef __SANITIZE_ADDRESS__
#define OWN_MALLOC 1
#define THEIRS(name) __interceptor_##name
#elif defined __GLIBC__ && !defined __SANITIZE_THREAD__
#define OWN_MALLOC 1
#define THEIRS(name) __libc_##name
#endif

enum { PLACES = 1 << 14, PLACE_TRACE = 8, MISSED_MOST = 3000 };
enum { TRACE = 28, SIZE = 1 << 16, TRIES_MOST = 40, TOLD_MOST = 4096 };

/* What a process leaves behind for the one that looks after it. */
typedef struct Notes {
    bool all;
    long at;    /* which allocation is made to fail; 0: none */
    int kind;   /* Kind */
    int again;  /* 1: afterwards, the VM is tried out */
    bool often; /* not then: it was, after other failures at this place */
    int traced; /* of where it failed */
    void *trace[TRACE];
    int crash_traced;
    void *crash_trace[TRACE];
    long made;     /* allocations of this script */
    long tried[2]; /* allocations of this script that failed alone, and from which on all did */
    bool anew;     /* it cannot be forked */
    int count;
    uint64_t told[TOLD_MOST]; /* hashes of findings: the same at the same place is told once */
} Notes;

typedef enum Kind { OBJECT, BLOCK } Kind;
static const char *const kinds[][2] = {{"object", "objects from"}, {"block", "blocks from"}};

static Notes *notes;
static bool quiet;            /* only findings are told */
static int out = 1;           /* where findings are written */
static long failing;          /* which block fails, 0: none */
static bool failing_all;      /* and all after it */
static long blocks, attempts; /* blocks that are not freed; all asked for */

static bool note_failure(void) {
    if (!notes->traced) notes->traced = backtrace(notes->trace, TRACE);
    return true;
}

static bool forking; /* allocations ask fails_here, which follows */
static bool fails_here(Kind kind);

#ifdef OWN_MALLOC
extern void *THEIRS(malloc)(size_t size);
extern void *THEIRS(calloc)(size_t count, size_t size);
extern void *THEIRS(realloc)(void *block, size_t size);
extern void *THEIRS(memalign)(size_t alignment, size_t size);
extern void THEIRS(free)(void *block);

static uintptr_t exempt, exempt_end; /* the code of GMP, which ends the process: see int_has_room */

static bool must_fail(const void *caller) {
    if ((uintptr_t)caller - exempt < exempt_end - exempt) return false;
    attempts++;
    if (forking && fails_here(BLOCK)) return errno = ENOMEM, true;
    if (!failing || --failing != 0) return false;
    if (failing_all) failing = 1;
    long kept = failing; /* what is noted may allocate */
    failing = 0;
    note_failure();
    failing = kept;
    errno = ENOMEM;
    return true;
}
static void *counted(void *block) {
    if (block) __sync_add_and_fetch(&blocks, 1);
    return block;
}
void *malloc(size_t size) {
    return must_fail(__builtin_return_address(0)) ? NULL : counted(THEIRS(malloc)(size));
}
void *calloc(size_t count, size_t size) {
    return must_fail(__builtin_return_address(0)) ? NULL : counted(THEIRS(calloc)(count, size));
}
void *realloc(void *block, size_t size) {
    if (must_fail(__builtin_return_address(0))) return NULL;
    return block ? THEIRS(realloc)(block, size) : counted(THEIRS(malloc)(size));
}
int posix_memalign(void **block, size_t alignment, size_t size) {
    *block =
        must_fail(__builtin_return_address(0)) ? NULL : counted(THEIRS(memalign)(alignment, size));
    return *block ? 0 : ENOMEM;
}
void free(void *block) {
    if (block) __sync_sub_and_fetch(&blocks, 1);
    THEIRS(free)(block);
}
#endif

static const char *const samples[] = {
    "def g(n):\n"
    "    for i in range(n):\n"
    "        try: yield [i, str(i) * 3, (i, float(i))]\n"
    "        finally: pass\n"
    "d = {k[1]: k for k in g(20)}\n"
    "assert sorted(d, key=lambda k: d[k][0])[3] == '333'\n"
    "for x in map(repr, g(3)): break\n",
    "class A:\n"
    "    __slots__ = ('x', 'y')\n"
    "    def __init__(self, x): self.x = x; self.y = [x]\n"
    "    def __eq__(self, other): return self.x == other.x\n"
    "    def __hash__(self): return hash(self.x)\n"
    "class B(A):\n"
    "    @property\n"
    "    def twice(self): return self.x * 2\n"
    "s = {B(i % 5) for i in range(30)}\n"
    "assert len(s) == 5 and sum(b.twice for b in s) == 20\n",
    "def f(*a, k=1, **kw): return a, k, kw\n"
    "for i in range(8):\n"
    "    try:\n"
    "        try: f(*range(i), **{'k': i, 'z': str(i)})[0][4]\n"
    "        except IndexError as e: raise KeyError(f'{i:>5}') from e\n"
    "    except KeyError as e: str(e), e.__cause__, e.__traceback__.tb_lineno\n"
    "assert ' '.join('%d' % i for i in range(50)).split()[7] == '7'\n",
    "async def one(i):\n"
    "    return 10 ** 30 + i\n"
    "async def all_of():\n"
    "    return [await one(i) for i in range(5)]\n"
    "c = all_of()\n"
    "try: c.send(None)\n"
    "except StopIteration as stop: assert stop.value[4] % 10 == 4\n"
    "match {'kind': 'point', 'at': [1, 2, 3]}:\n"
    "    case {'kind': str(k), 'at': [x, *rest]}: assert rest == [2, 3]\n"
    "import functools, collections\n"
    "assert functools.reduce(lambda a, b: a + b, 'abc') == 'abc'\n"
    "assert collections.Counter('aab')['a'] == 2\n",
    "x = eval('[i ** 2 for i in range(10)]')\n"
    "exec('def h(a: int = 3) -> str:\\n    return f\"{a!r:>{8}}\"\\nassert h() == \"       3\"')\n"
    "try: exec('def broken(:')\n"
    "except SyntaxError: pass\n",
    "import gc, weakref\n"
    "class D:\n"
    "    def __del__(self): pass\n"
    "def g():\n"
    "    try: yield\n"
    "    finally: pass\n"
    "def make(n):\n"
    "    kept = [D() for i in range(n)]\n"
    "    kept.append(kept)\n"
    "    for d in kept[:n]: d.all = kept; d.g = g(); next(d.g)\n"
    "    return [weakref.ref(d, lambda r: None) for d in kept[:n]]\n"
    "refs = make(80)\n"
    "gc.collect()\n",
    "class A: pass\n"
    "class B(A): pass\n"
    "try: type('C', (A, B), {})\n"
    "except TypeError as e: assert str(e).endswith('for bases A, B')\n"
    "class I:\n"
    "    def __iter__(self): return self\n"
    "    def __next__(self): return 1\n"
    "    def m(self): pass\n"
    "def g(): yield from I()\n"
    "for end in (lambda i: i.close(), lambda i: i.throw(KeyError('k'))):\n"
    "    it = g(); next(it)\n"
    "    try: end(it)\n"
    "    except KeyError: pass\n"
    "assert min(['b', 'a'], key=str.lower) + max('a', 'b', key=lambda s: s) == 'ab'\n"
    "async def agen():\n"
    "    for i in range(2): yield i\n"
    "async def all_of(): return [x async for x in (i + 1 async for i in agen())]\n"
    "try: all_of().send(None)\n"
    "except StopIteration as stop: assert stop.value == [1, 2]\n"
    "class E(ValueError):\n"
    "    def __init__(self, *, code): super().__init__('e'); self.code = code\n"
    "try: raise E(code=3)\n"
    "except E as e: assert e.code == 3\n"
    "def views(b): memoryview(b)[0]; b += b'd'; return b\n"
    "assert views(bytearray(b'abc')) == b'abcd'\n"
    "assert repr(I().m).startswith('<bound method I.m of <__main__.I object at 0x')\n",
};

/* What the VM must still be able to do afterwards, as a task that calls its host. It leaves no
 * names behind. */
static const char check[] = "exec('''def steps():\n"
                            "    yield from sorted([3, 1, 2], key=lambda n: host(-n))\n"
                            "assert list(steps()) == [3, 2, 1] and str(10 ** 20)[1] == '0'\n"
                            "try: {}['a']\n"
                            "except KeyError as e: assert f'{e!r:>15}' == \"  KeyError('a')\"\n"
                            "''', {})\n";

/* ---- one run of a script ---- */

typedef struct Text {
    size_t size;
    bool told; /* of a MemoryError that could not be raised */
    char data[SIZE];
} Text;

typedef struct Script {
    const char *name; /* without its folder */
    const char *path, *text;
    bool same;            /* two runs of it do the same */
    bool catches;         /* it has clauses that catch MemoryError, too */
    bool shares;          /* forks of it would share more than memory */
    bool ends[2];         /* without an exception: the first time in a VM, the second */
    Text output[2];       /* of these */
    char error[2][400];   /* the last line of the exception */
    long objects, blocks; /* how many allocations it makes */
    long kept_blocks;     /* that a VM leaves behind in any case (debug builds) */
    double seconds;
} Script;

static Text output;

static bool has_any(const char *text, const char *const *parts) {
    for (; *parts; parts++)
        if (strstr(text, *parts)) return true;
    return false;
}
static bool catches_all(const char *text) {
    static const char *const clauses[] = {"except:",
                                          "except Exception",
                                          "except BaseException",
                                          "Exception)",
                                          "__exit__",
                                          "suppress(",
                                          "except*",
                                          NULL};
    return has_any(text, clauses);
}
static bool shares_files(const char *text) {
    static const char *const words[] = {"open(",      "import os",  "tempfile", "shutil",
                                        "socket",     "subprocess", "asyncio",  "threading",
                                        "concurrent", "sqlite3",    "signal",   NULL};
    return has_any(text, words);
}

static bool collect(void *context, int stream, const char *data, size_t size) {
    (void)context;
    if (stream == 2 && memmem(data, size, "MemoryError", 11)) output.told = true;
    if (stream != 1 || output.size + size > SIZE) return true;
    memcpy(output.data + output.size, data, size);
    output.size += size;
    return true;
}

static const GenFunction host = {"host(x, /)", NULL, "what the host answers: x"};

static GenVM *new_vm(void) {
    GenConfig config = {.size = sizeof config,
                        .capabilities = GEN_CAP_ALL & ~(GEN_CAP_STDIO | GEN_CAP_ENTROPY),
                        .write = collect};
    GenVM *vm = gen_vm_new(&config);
    if (!vm) return NULL;
    GenScope scope = gen_scope_open(vm);
    gen_set_attr(vm, gen_import(vm, "builtins"), "host", gen_function(vm, &host));
    gen_append(vm, gen_get_attr(vm, gen_import(vm, "sys"), "path"), gen_str(vm, "."));
    gen_scope_close(vm, scope);
    return vm;
}

static void last_line(const char *text, char *line, size_t size) {
    const char *end = text + strlen(text), *start = text;
    while (end > text && end[-1] == '\n')
        end--;
    for (const char *at = text; at < end; at++)
        if (at[-(at > text)] == '\n' && at[0] != ' ') start = at;
    if (end - start >= (long)size) end = start + size - 1;
    memcpy(line, start, (size_t)(end - start));
    line[end - start] = 0;
    char *guess = strstr(line, ". Did you "); /* a help, made if there is memory for it */
    if (guess) *guess = 0;
}

/* Is the pending exception MemoryError, or was one raised on the way to it? It is cleared. */
static bool comes_from_memory_error(GenVM *vm) {
    if (gen_error_matches(vm, "MemoryError")) return gen_error_clear(vm), true;
    GenScope scope = gen_scope_open(vm);
    GenRef at = gen_error_take(vm);
    bool found = false;
    for (int depth = 0; depth < 20 && at != GEN_NULL && !gen_is_none(vm, at) && !found; depth++) {
        GenRef cause = gen_get_attr(vm, at, "__cause__"),
               context = gen_get_attr(vm, at, "__context__");
        at = gen_is_none(vm, cause) ? context : cause;
        GenRef type = gen_get_attr(vm, gen_get_attr(vm, at, "__class__"), "__name__");
        size_t size;
        const char *name = gen_to_str(vm, type, &size);
        found = name && !strcmp(name, "MemoryError");
    }
    gen_error_clear(vm);
    gen_scope_close(vm, scope);
    return found;
}

static bool run(GenVM *vm, const Script *script) {
    output.size = 0;
    output.told = false;
    return gen_run_string(vm, script->text, script->name);
}

/* One line; the same at the same place is told once. Always false. */
static bool finding(const Script *script, const char *what, const char *detail, void *const *trace,
                    int traced) {
    uint64_t hash = 14695981039346656037u;
    for (const char *c = what; *c; c++)
        hash = (hash ^ (uint64_t)*c) * 1099511628211u;
    for (int i = 0; i < 14 && i < notes->traced; i++)
        hash = (hash ^ (uintptr_t)notes->trace[i]) * 1099511628211u;
    for (int i = 0; i < 6 && i < traced; i++)
        hash = (hash ^ (uintptr_t)trace[i]) * 1099511628211u;
    for (int i = 0; i < notes->count; i++)
        if (notes->told[i] == hash) return false;
    if (notes->count < TOLD_MOST) notes->told[notes->count++] = hash;

    extern char __executable_start;
    char line[8000];
    char text[500];
    snprintf(text, sizeof text, "%s", detail);
    for (char *at = text; *at; at++)
        if (*at == '\t' || *at == '\n') *at = ' ';
    int size = snprintf(line, sizeof line, "FINDING\t%s%s%s\t%s\t%s %ld%s\t", what,
                        *text ? ": " : "", text, script->path, kinds[notes->kind][notes->all],
                        notes->at, notes->again ? ", afterwards" : "");
    for (int i = 0; i < notes->traced; i++)
        size += snprintf(line + size, sizeof line - (size_t)size, "%lx ",
                         (unsigned long)((char *)notes->trace[i] - &__executable_start));
    size += snprintf(line + size, sizeof line - (size_t)size, "\t");
    for (int i = 0; i < traced; i++)
        size += snprintf(line + size, sizeof line - (size_t)size, "%lx ",
                         (unsigned long)((char *)trace[i] - &__executable_start));
    line[size++] = '\n';
    if (write(out, line, (size_t)size) != size) _exit(3);
    return false;
}

static bool trouble(const Script *script, const char *what, const char *detail) {
    return finding(script, what, detail, NULL, 0);
}

/* ---- the script as it is ---- */

static int free_descriptor(void) {
    int next = fcntl(out, F_DUPFD_CLOEXEC, 3);
    close(next);
    return next;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Runs it twice in one VM; what is noted of it must be the same each time that this is called. */
static void learn(Script *script, bool compare) {
    long before = blocks;
    GenVM *vm = new_vm();
    script->same = true;
    for (int i = 0; i < 2; i++) {
        double start = now();
        long attempts_before = attempts;
        gen_debug_fail_allocations(vm, INT64_MAX, 1, NULL);
        bool ends = run(vm, script);
        if (i == 0) {
            script->objects = INT64_MAX - (long)gen_debug_fail_allocations(vm, 0, 0, NULL);
            script->blocks = attempts - attempts_before;
            script->seconds = now() - start;
        }
        char line[400] = "";
        if (!ends) last_line(gen_error_text(vm), line, sizeof line);
        gen_error_clear(vm);
        if (compare && (ends != script->ends[i] || strcmp(line, script->error[i]) ||
                        output.size != script->output[i].size ||
                        memcmp(output.data, script->output[i].data, output.size)))
            script->same = false;
        script->ends[i] = ends;
        strcpy(script->error[i], line);
        script->output[i] = output;
    }
    gen_vm_finish(vm);
    gen_error_clear(vm);
    gen_vm_free(vm);
    script->kept_blocks = blocks - before;
}

static bool is_as_before(const Script *script, int i, bool ended, const char *error) {
    return ended == script->ends[i] && !strcmp(error, script->error[i]) &&
           output.size == script->output[i].size &&
           !memcmp(output.data, script->output[i].data, output.size);
}

/* ---- the script with a failure ---- */

static void fail(GenVM *vm, long at, Kind kind, bool all) {
    notes->at = at, notes->kind = (int)kind, notes->all = all;
    notes->traced = notes->again = 0;
    if (kind == OBJECT)
        gen_debug_fail_allocations(vm, (uint64_t)at, all ? UINT64_MAX : 1, note_failure);
    else
        failing = at, failing_all = all;
}

static void fail_no_more(GenVM *vm) {
    failing = 0;
    forking = false;
    if (vm) gen_debug_fail_allocations(vm, 0, 0, NULL);
    notes->again = 1;
}

static bool answers(GenVM *vm) {
    GenScope scope = gen_scope_open(vm);
    GenRef task = gen_task_from_source(vm, check, "check");
    GenOutcome outcome;
    GenStatus status;
    while (task != GEN_NULL && (status = gen_run(vm, task, &outcome)) == GEN_CALLOUT)
        gen_answer(vm, task, outcome.ticket, gen_get_index(vm, outcome.args, 0));
    gen_scope_close(vm, scope);
    return task != GEN_NULL && status == GEN_DONE;
}

/* The line in which it begins to differ from that of an ordinary run. */
static bool other_output(const Script *script, const char *what, int i) {
    const Text *old = &script->output[i];
    size_t same = 0, line = 0;
    for (; same < old->size && same < output.size && old->data[same] == output.data[same]; same++)
        if (old->data[same] == '\n') line = same + 1;
    char detail[200], expected[80] = "", got[80] = "";
    snprintf(expected, sizeof expected, "%.*s", (int)(old->size - line), old->data + line);
    snprintf(got, sizeof got, "%.*s", (int)(output.size - line), output.data + line);
    expected[strcspn(expected, "\n")] = got[strcspn(got, "\n")] = 0;
    snprintf(detail, sizeof detail, "[%s] instead of [%s]", got, expected);
    return trouble(script, what, detail);
}

/* How the run ended that had a failure in it. */
static bool ended_well(GenVM *vm, const Script *script, bool ended) {
    char error[400] = "";
    if (!ended && !gen_error_matches(vm, "BaseException"))
        return trouble(script, "no exception", "");
    if (!ended && notes->often && !strstr(script->error[0], "MemoryError") &&
        gen_error_matches(vm, "MemoryError"))
        return gen_error_clear(vm), true; /* what follows comes to the same */
    if (!ended) last_line(gen_error_text(vm), error, sizeof error);
    if (script->same && is_as_before(script, 0, ended, error)) return gen_error_clear(vm), true;
    if (!ended && !comes_from_memory_error(vm) && strcmp(error, script->error[0]))
        return trouble(script, "another exception", error);
    if (memmem(output.data, output.size, "MemoryError", 11)) return true; /* it has caught it */
    if (!script->same || output.told || (!ended && strcmp(error, script->error[0]))) return true;
    return other_output(script, script->catches ? "perhaps caught" : "another output", 0);
}

static bool works_afterwards(GenVM *vm, const Script *script) {
    char error[400] = "";
    if (!answers(vm)) {
        last_line(gen_error_text(vm), error, sizeof error);
        gen_error_clear(vm);
        return trouble(script, "does not work afterwards", error);
    }
    bool ended = run(vm, script);
    if (!ended) last_line(gen_error_text(vm), error, sizeof error);
    gen_error_clear(vm);
    if (!script->same || is_as_before(script, 0, ended, error) ||
        is_as_before(script, 1, ended, error))
        return true;
    if (strcmp(error, script->error[0]))
        return trouble(script, "does something else afterwards", error);
    return other_output(script, "does something else afterwards", 0);
}

static void limit_time(const Script *script) {
    long seconds = 10 + (long)(script->seconds * 40); /* of work; many are waited for */
    struct itimerval limit = {.it_value.tv_sec = seconds}, wait = {.it_value.tv_sec = 30 * seconds};
    setitimer(ITIMER_PROF, &limit, NULL);
    setitimer(ITIMER_REAL, &wait, NULL);
}
static void limit_time_no_more(void) {
    struct itimerval none = {0};
    setitimer(ITIMER_PROF, &none, NULL);
    setitimer(ITIMER_REAL, &none, NULL);
}

/* What there was before a VM was made. */
typedef struct Before {
    long blocks;
    int descriptor;
} Before;

static GenVM *begin(Before *before) {
    tzset(); /* the C library remembers the zone it was last asked for */
    *before = (Before){blocks, free_descriptor()};
    return new_vm();
}

/* After a run with a failure in it, to the end of the VM. */
static void judge(GenVM *vm, const Script *script, bool ended, Before before) {
    bool to_the_end = notes->all && notes->at % 2;
    if (to_the_end) {
        gen_error_clear(vm);
        gen_vm_finish(vm);
    } else {
        fail_no_more(vm);
        if (ended_well(vm, script, ended) && !notes->often) works_afterwards(vm, script);
        gen_vm_finish(vm);
    }
    gen_error_clear(vm);
    gen_vm_free(vm);
    fail_no_more(NULL);
    if (blocks > before.blocks + script->kept_blocks) {
        char count[40];
        snprintf(count, sizeof count, "%ld blocks", blocks - before.blocks - script->kept_blocks);
        trouble(script, "leaks", count);
    }
    if (free_descriptor() != before.descriptor) trouble(script, "leaks", "a file");
}

/* False: nothing failed any more. */
static bool try_once(const Script *script, long at, Kind kind, bool all) {
    limit_time(script);
    Before before;
    GenVM *vm = begin(&before);
    fail(vm, at, kind, all);
    bool ended = run(vm, script), failed = notes->traced;
    judge(vm, script, ended, before);
    limit_time_no_more();
    notes->tried[all]++;
    return failed;
}

/* A VM that cannot be made for want of memory is none, and leaves nothing behind. */
static void try_birth(void) {
    static Script script;
    script.name = script.path = "the birth of a VM";
    script.text = "x = 1\n";
    learn(&script, false);
    backtrace(notes->trace, 1); /* loads what it needs */
    notes->all = failing_all = false;
    int descriptor = free_descriptor();
    for (long at = 1; at < 10000; at++) {
        notes->at = at, notes->kind = BLOCK, notes->traced = notes->again = 0;
        long before = blocks;
        failing = at;
        GenVM *vm = gen_vm_new(NULL);
        failing = 0;
        gen_vm_free(vm);
        if (blocks > before + script.kept_blocks) trouble(&script, "leaks", "");
        if (free_descriptor() != descriptor) trouble(&script, "leaks", "a file");
        if (!notes->traced) break;
    }
}

typedef struct Plan {
    long first;  /* each of so many fails alone */
    long place;  /* then each of so many that are made at the same place */
    long stride; /* then each of these */
    long again;  /* after so many failures at one place the VM is tried out */
    long from;   /* each of these is one from which on all fail */
    long anew;   /* of the first, where each failure has a run of its own */
    long most;   /* of one kind in one script: what lies behind is left out */
} Plan;

/* ---- each failure in a run of its own ---- */

typedef struct Place { /* where a process is in the plan, or goes on */
    int pass;          /* 0: objects, 1: blocks, 2: objects from, 3: blocks from */
    long at;
} Place;

static long next_place(const Plan *plan, int pass, long at) {
    long first = plan->first < plan->anew ? plan->first : plan->anew;
    return pass >= 2 ? at + plan->from : at + (at < first ? 1 : plan->stride);
}

static void try_all(const Script *script, const Plan *plan, Place place) {
    for (; place.pass < 4; place.pass++, place.at = 1) {
        Kind kind = place.pass % 2 ? BLOCK : OBJECT;
        long count = kind == OBJECT ? script->objects : script->blocks;
        if (count > plan->most) count = plan->most;
        for (; place.at <= count; place.at = next_place(plan, place.pass, place.at))
            if (!try_once(script, place.at, kind, place.pass >= 2)) break;
    }
}

/* ---- all failures in children of one run ---- */

static struct Forks {
    const Script *script;
    const Plan *plan;
    GenVM *vm;
    long count[2];  /* allocations so far, by kind */
    int descriptor; /* the next free one when nothing is open */
    bool child;     /* this is one: of what has failed in it... */
    Kind kind;
    bool all;
    int missed; /* failures that could not have a child: they have a run of their own */
    struct Missed {
        Kind kind;
        long at;
        bool all;
    } misses[MISSED_MOST];
    uint32_t
        places[PLACES]; /* how many allocations were made there, by the hash of their callers */
} forks;

static const char *ending(int status) {
    static char text[60];
    if (WIFEXITED(status) && WEXITSTATUS(status) == 98) return "hangs";
    if (WIFEXITED(status) && WEXITSTATUS(status) == 97) return "crashes";
    snprintf(text, sizeof text, "process ends: %s %d", WIFEXITED(status) ? "status" : "signal",
             WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return text;
}

/* A child has but one thread, and the same open files as its parent. */
static bool is_alone(void) {
    struct stat tasks;
    return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink <= 3 &&
           free_descriptor() == forks.descriptor;
}

/* True in the child, in which the allocation is to fail. */
static bool fork_for(Kind kind, long at, bool all) {
    if (!is_alone()) {
        if (forks.missed == MISSED_MOST) return notes->anew = true, false;
        forks.misses[forks.missed++] = (struct Missed){kind, at, all};
        return false;
    }
    notes->at = at, notes->kind = (int)kind, notes->all = all;
    notes->again = notes->crash_traced = 0;
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        _exit(2);
    }
    if (!child) {
        limit_time(forks.script);
        forks.child = true, forks.kind = kind, forks.all = all;
        if (!all) gen_debug_fail_allocations(forks.vm, 0, 0, NULL);
        return true;
    }
    int status;
    waitpid(child, &status, 0);
    if (status != 0)
        finding(forks.script, ending(status), "", notes->crash_trace, notes->crash_traced);
    notes->tried[all]++;
    return false;
}

/* How many allocations were made before by the callers that are in the notes. */
static uint32_t made_here(void) {
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < notes->traced && i < PLACE_TRACE; i++)
        hash = (hash ^ (uintptr_t)notes->trace[i]) * 1099511628211u;
    return forks.places[(hash >> 40) % PLACES]++;
}

static bool forks_here(Kind kind) {
    const Plan *plan = forks.plan;
    long at = ++forks.count[kind];
    if (at > plan->most || notes->anew) return false;
    notes->traced = 0;
    note_failure();
    uint32_t before = made_here();
    bool all = at % plan->from == 1, alone = at <= plan->first || at % plan->stride == 0;
    notes->often = before >= plan->again;
    return ((alone || before < plan->place) && fork_for(kind, at, false)) ||
           (all && fork_for(kind, at, true));
}

static bool fails_here(Kind kind) {
    if (forks.child) return forks.all && forks.kind == kind;
    forking = false; /* what is done here may allocate */
    bool fails = forks_here(kind);
    forking = !fails || forks.all;
    return fails;
}
static bool object_fails_here(void) {
    return fails_here(OBJECT);
}

/* Each allocation of the first run fails in a child. False, and some may have: children and parent
 * disturb each other. */
static bool try_forked(const Script *script, const Plan *plan) {
    Before before;
    char error[400] = "";
    forks = (struct Forks){.script = script, .plan = plan, .descriptor = free_descriptor()};
    GenVM *vm = forks.vm = begin(&before);
    notes->often = false;
    gen_debug_fail_allocations(vm, 1, UINT64_MAX, object_fails_here);
    forking = true;
    bool ended = run(vm, script);
    if (forks.child) {
        judge(vm, script, ended, before);
        _exit(0);
    }
    fail_no_more(vm);
    if (!ended) last_line(gen_error_text(vm), error, sizeof error);
    gen_error_clear(vm);
    gen_vm_finish(vm);
    gen_error_clear(vm);
    gen_vm_free(vm);
    if (notes->anew || (script->same && !is_as_before(script, 0, ended, error))) return false;
    notes->often = false;
    for (int i = 0; i < forks.missed; i++)
        try_once(script, forks.misses[i].at, forks.misses[i].kind, forks.misses[i].all);
    return true;
}

/* ---- a process for each script ---- */

/* Where the code of GMP lies. */
static void find_exempt(void) {
#ifdef OWN_MALLOC
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[1000], rights[8];
    unsigned long from, to;
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "/libgmp.so") && sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3 &&
            rights[2] == 'x')
            exempt = from, exempt_end = to;
    if (maps) fclose(maps);
#endif
}

static void on_crash(int number) {
    notes->crash_traced = backtrace(notes->crash_trace, TRACE);
    _exit(number == SIGALRM || number == SIGPROF ? 98 : 97);
}

static void catch_crashes(void) {
    static char stack[1 << 16];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&other, NULL);
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER};
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM, SIGPROF};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);         /* as the command does */
    backtrace(notes->crash_trace, 1); /* loads what it needs */
}

static void work(Script *script, const Plan *plan, Place place) {
    catch_crashes();
    learn(script, false);
    learn(script, false);
    if (script->seconds > 1.5) _exit(4);
    learn(script, true);
    notes->made = script->objects + script->blocks;
    bool first = place.at == 1 && place.pass == 0;
    if (first && !script->shares && try_forked(script, plan)) return;
    if (first) notes->tried[0] = notes->tried[1] = 0;
    notes->anew = true;
    try_all(script, plan, place);
}

/* Where the next process goes on. */
static Place behind(const Plan *plan) {
    Place place = {.pass = notes->kind + 2 * notes->all};
    place.at = next_place(plan, place.pass, notes->at);
    return place;
}

static void try_script(Script *script, const Plan *plan) {
    Place place = {.at = 1};
    int before = notes->count;
    notes->made = notes->tried[0] = notes->tried[1] = notes->anew = 0;
    for (int tries = 0; tries < TRIES_MOST; tries++) {
        notes->at = notes->crash_traced = notes->traced = 0;
        pid_t child = fork();
        if (child < 0) {
            perror("fork");
            exit(2);
        }
        if (!child) {
            work(script, plan, place);
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 4) {
            printf("LEFT OUT\t%s\ttakes too long\n", script->path);
            break;
        }
        if (status == 0) break;
        finding(script, ending(status), "", notes->crash_trace, notes->crash_traced);
        if (!notes->at) break; /* before any failure */
        place = behind(plan);
    }
    if (quiet) return;
    if (notes->count == before) printf("WHOLE\t%s\n", script->path);
    printf("TRIED\t%s\t%s\t%ld\t%ld\t%ld\n", script->path, notes->anew ? "anew" : "forked",
           notes->made, notes->tried[0], notes->tried[1]);
    fflush(stdout);
}

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);
    if (!file || !text || fread(text, 1, (1 << 20) - 1, file) == 0) {
        perror(path);
        exit(2);
    }
    fclose(file);
    return text;
}

static void try_file(const char *path, const Plan *plan) {
    static Script script;
    memset(&script, 0, sizeof script);
    char *text = read_file(path), folder[1000];
    const char *slash = strrchr(path, '/');
    int home = open(".", O_RDONLY | O_DIRECTORY);
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    if (chdir(folder) != 0) perror(folder), exit(2);
    script.path = path;
    script.name = slash ? slash + 1 : path;
    script.text = text;
    script.catches = catches_all(text);
    script.shares = shares_files(text);
    try_script(&script, plan);
    if (fchdir(home) != 0) perror("."), exit(2);
    close(home);
    free(text);
}

/* Without arguments: the samples, and some of the language tests, of each some allocations. */
static int try_some(void) {
#ifdef GEN_STRESS_GC /* slow */
    Plan close = {.place = 1, .stride = 997, .again = 1, .from = 503, .most = 8000},
         wide = {.stride = 997, .again = 1, .from = 503, .most = 8000};
    enum { EACH = 120 };
#else
    Plan close = {.place = 1, .stride = 499, .again = 1, .from = 211, .most = 8000},
         wide = {.place = 1, .stride = 997, .again = 1, .from = 503, .most = 8000};
    enum { EACH = 45 };
#endif
    int count = (int)(sizeof samples / sizeof *samples);
    quiet = true;
    for (int i = 0; i < count; i++) {
        static Script script;
        memset(&script, 0, sizeof script);
        script.name = script.path = "sample";
        script.text = samples[i];
        try_script(&script, &close);
    }
    try_birth();
    glob_t found;
    if (glob("../language/*/*.out", 0, NULL, &found) != 0) return perror("../language"), 2;
    for (size_t i = EACH / 2; i < found.gl_pathc; i += EACH) {
        char path[1000];
        snprintf(path, sizeof path, "%.*s.gen", (int)strlen(found.gl_pathv[i]) - 4,
                 found.gl_pathv[i]);
        if (access(path, R_OK) == 0) try_file(path, &wide);
    }
    globfree(&found);
    if (!notes->count) printf("samples and language tests survive every failure\n");
    return notes->count != 0;
}

int main(int argc, char **argv) {
    Plan plan = {.first = 20000,
                 .place = 50,
                 .stride = 97,
                 .again = 5,
                 .from = 41,
                 .anew = 1500,
                 .most = LONG_MAX};
    notes = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (notes == MAP_FAILED) return perror("mmap"), 2;
    find_exempt();
    if (argc == 1) return try_some();
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        long *number = !strcmp(argv[i], "-first")    ? &plan.first
                       : !strcmp(argv[i], "-place")  ? &plan.place
                       : !strcmp(argv[i], "-stride") ? &plan.stride
                       : !strcmp(argv[i], "-again")  ? &plan.again
                       : !strcmp(argv[i], "-from")   ? &plan.from
                       : !strcmp(argv[i], "-anew")   ? &plan.anew
                                                     : &plan.most;
        *number = strtol(argv[i + 1], NULL, 10);
    }
    for (; i < argc; i++)
        try_file(argv[i], &plan);
    return notes->count != 0;
}
