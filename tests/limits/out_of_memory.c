/* Out of memory at every allocation in turn: the script ends with an exception or a status, the VM
 * works afterwards (the same script runs to its end), and nothing is leaked. Allocations are those
 * of script objects in debug builds (gen_debug_fail_allocation), and malloc's where no sanitizer
 * has taken its place. With paths of scripts as arguments those are tried instead. */
#include "genvm.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define OWN_MALLOC 1
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);
#endif

static long failing, blocks; /* which call fails, 0: none; blocks that are not freed */

#ifdef OWN_MALLOC
static int must_fail(void) {
    return failing && --failing == 0;
}
static void *counted(void *block) {
    if (block) blocks++;
    return block;
}
void *malloc(size_t size) {
    return must_fail() ? NULL : counted(__libc_malloc(size));
}
void *calloc(size_t count, size_t size) {
    return must_fail() ? NULL : counted(__libc_calloc(count, size));
}
void *realloc(void *block, size_t size) {
    if (must_fail()) return NULL;
    return block ? __libc_realloc(block, size) : counted(__libc_malloc(size));
}
int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = must_fail() ? NULL : counted(__libc_memalign(alignment, size));
    return *block ? 0 : ENOMEM;
}
void free(void *block) {
    if (block) blocks--;
    __libc_free(block);
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
};

static int trouble(const char *what, const char *name, const char *layer, long n) {
    printf("%s: %s, %s %ld\n", name, what, layer, n);
    fflush(stdout);
    return 0;
}

/* Of a VM that was freed: a debug build keeps the struct, to notice its use. */
#if defined GEN_DEBUG && defined OWN_MALLOC
enum { KEPT = 1 };
#else
enum { KEPT = 0 };
#endif

/* 1: it failed in an orderly way; 2: nothing failed any more; 0: trouble. */
static int try_once(const char *name, const char *text, long object, long block) {
    const char *layer = object ? "object" : "block";
    long before = blocks, n = object ? object : block;
    failing = block;
    GenVM *vm = gen_vm_new(NULL);
    if (!vm) return failing == 0 && blocks <= before + KEPT ? 1 : trouble("no VM", name, layer, n);
    gen_debug_fail_allocation(vm, (uint64_t)object);
    int ran = gen_run_string(vm, text, "script"), done = object == 0 && failing > 0;
    if (object == 1 && ran) done = 1; /* a release build */
    failing = 0;
    gen_debug_fail_allocation(vm, 0);
    if (!ran) {
        if (!gen_error_matches(vm, "BaseException")) return trouble("no exception", name, layer, n);
        gen_error_clear(vm);
    }
    if (!gen_run_string(vm, "assert sum([1, 2, 3]) == 6 and str(10 ** 20)", "check") ||
        !gen_run_string(vm, text, "script")) {
        printf("%s", gen_error_text(vm));
        return trouble("does not work afterwards", name, layer, n);
    }
    gen_vm_finish(vm);
    gen_vm_free(vm);
    if (blocks != before + KEPT) return trouble("leaks", name, layer, n);
    return done ? 2 : 1;
}

/* Each of the first 300, then ever fewer (a build that collects at every safepoint is slow: each of
 * the first 40); as long as it takes until nothing fails. */
#ifdef GEN_STRESS_GC
enum { EACH = 40, FEWER = 6 };
#else
enum { EACH = 300, FEWER = 40 };
#endif

static int try_script(const char *name, const char *text, long objects) {
    int result = 1;
    for (long n = 1; result == 1 && n < objects; n += n < EACH ? 1 : n / FEWER)
        result = try_once(name, text, n, 0);
#ifdef OWN_MALLOC
    result = result ? 1 : 0;
    for (long n = 1; result == 1; n += n < EACH ? 1 : n / FEWER)
        result = try_once(name, text, 0, n);
#endif
    return result != 0;
}

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);
    if (!file || !text || fread(text, 1, (1 << 20) - 1, file) == 0) exit(2);
    fclose(file);
    return text;
}

int main(int argc, char **argv) {
    int good = 0, count = (int)(sizeof samples / sizeof *samples);
    for (int i = 1; i < argc; i++) {
        char *text = read_file(argv[i]);
        fprintf(stderr, "%s\n", argv[i]);
        good += try_script(argv[i], text, 3000);
        free(text);
    }
    for (int i = 0; argc == 1 && i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "sample %d", i);
        good += try_script(name, samples[i], 3000);
    }
    printf("%d of %d scripts survive every failure\n", good, argc == 1 ? count : argc - 1);
    return 0;
}
