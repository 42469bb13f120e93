/* A host that gives each VM its memory and counts it: nothing is left when the VM is freed, sizes
 * are told exactly, two VMs never mix, and where the function says no there is a MemoryError or a
 * status, nothing is lost, and the VM goes on. */
#include "genvm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Pool { /* the memory of one VM */
    long blocks;
    size_t bytes, most;
    unsigned long calls, fail_at; /* the call that gets nothing; 0: none does */
    bool fails_on;                /* ... nor do those after it */
    size_t limit;                 /* bytes; 0: any */
    int wrong;
} Pool;

typedef struct Header {
    Pool *pool;
    size_t size;
} Header;

static bool refuses(Pool *pool, size_t more) {
    pool->calls++;
    if (pool->limit && pool->bytes + more > pool->limit) return true;
    return pool->fail_at &&
           (pool->fails_on ? pool->calls >= pool->fail_at : pool->calls == pool->fail_at);
}

static void *allocate(void *context, void *block, size_t old_size, size_t new_size) {
    Pool *pool = (Pool *)context;
    Header *header = block ? (Header *)block - 1 : NULL;
    if (header && (header->pool != pool || header->size != old_size)) pool->wrong++;
    if (!header && old_size) pool->wrong++;
    if (new_size == 0) {
        if (!header) return NULL;
        pool->blocks--;
        pool->bytes -= old_size;
        memset(block, 0xDD, old_size);
        free(header);
        return NULL;
    }
    if (new_size > old_size && refuses(pool, new_size - old_size)) return NULL;
    header = (Header *)realloc(header, sizeof *header + new_size);
    if (!header) abort();
    header->pool = pool;
    header->size = new_size;
    pool->bytes += new_size - old_size;
    if (pool->bytes > pool->most) pool->most = pool->bytes;
    if (!block) pool->blocks++;
    return header + 1;
}

static GenVM *new_vm(Pool *pool, uint32_t capabilities) {
    GenConfig config;
    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.capabilities = capabilities;
    config.allocate = allocate;
    config.context = pool;
    return gen_vm_new(&config);
}

static const char *const mix =
    "import re, zlib, json, asyncio, threading, weakref, struct, snapshot, itertools\n"
    "class Point:\n"
    "    def __init__(self, x): self.x = x; self.others = {}\n"
    "def numbers():\n"
    "    try:\n"
    "        yield from range(5)\n"
    "    finally:\n"
    "        done.append(1)\n"
    "done = []\n"
    "points = [Point(i) for i in range(2000)]\n"
    "table = {str(i): i * 1.5 for i in range(3000)}\n"
    "text = 'word ' * 30000\n"
    "found = len(re.findall(r'(?:w(o)r)d ', text)) + len(re.sub('o', lambda m: '0', text))\n"
    "packed = zlib.decompress(zlib.compress(text.encode()))\n"
    "again = json.loads(json.dumps(table)) == table\n"
    "big = len(str(3 ** 20000 * 7 ** 20000 // 11 ** 1000)) if hasattr(int, 'real') else 0\n"
    "order = sorted(range(5000), key=lambda i: -i)[0] + sorted(text.split())[0].count('w')\n"
    "def deep(n): return 0 if n == 0 else 1 + deep(n - 1)\n"
    "deep(800)\n"
    "suspended = numbers(); next(suspended)\n"
    "image = snapshot.save(suspended)\n"
    "copied = list(snapshot.load(image))\n"
    "refs = [weakref.ref(p) for p in points]\n"
    "async def work(): return await asyncio.gather(*[asyncio.sleep(0, i) for i in range(20)])\n"
    "waited = asyncio.run(work())\n"
    "lock = threading.Lock()\n"
    "threads = [threading.Thread(target=lambda: done.append(2)) for _ in range(3)]\n"
    "for t in threads: t.start()\n"
    "for t in threads: t.join()\n"
    "source = '\\n'.join(f'def f{i}(a): return a + {i}' for i in range(200))\n"
    "exec(source)\n"
    "na\xc3\xafve = struct.pack('<10d', *range(10))\n"
    "class \xce\xa9: pass\n"
    "del points[::2]\n"
    "refs.clear()\n";

static void run_all(void) {
    Pool pool = {0};
    GenVM *vm = new_vm(&pool, 0);
    bool ok = gen_run_string(vm, "import sys; sys.set_int_max_str_digits(0)", "setup") &&
              gen_run_string(vm, mix, "mix");
    if (!ok) printf("%s", gen_error_text(vm));
    GenRef task = gen_task_from_source(vm, "for i in range(10**9): pass", "task");
    gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, 10000);
    printf("task: %d\n", gen_run(vm, task, NULL) == GEN_BUDGET);
    GenRef kept = gen_keep(vm, gen_list(vm));
    gen_release(vm, kept);
    printf("in use: %s\n", pool.bytes > 1000000 && pool.blocks > 20 ? "yes" : "no");
    gen_vm_finish(vm);
    gen_vm_free(vm);
    printf("left: %zu bytes in %ld blocks, %d wrong sizes\n", pool.bytes, pool.blocks, pool.wrong);
}

static void run_two(void) {
    Pool first = {0}, second = {0};
    GenVM *a = new_vm(&first, 0), *b = new_vm(&second, 0);
    bool ok = true;
    for (int i = 0; i < 20; i++)
        ok = ok && gen_run_string(a, "x = [str(i) * 20 for i in range(5000)]", "a") &&
             gen_run_string(b, "y = {i: [i] for i in range(5000)}", "b");
    size_t others = second.bytes;
    gen_vm_free(a);
    printf("two: %d, the first left %zu, the other has %s\n", ok, first.bytes,
           second.bytes == others ? "its own" : "less");
    gen_vm_free(b);
    printf("left: %zu, wrong: %d\n", second.bytes, first.wrong + second.wrong);
}

static void run_full(void) {
    Pool pool = {0};
    GenVM *vm = new_vm(&pool, 0);
    gen_run_string(vm, "import re, zlib", "setup");
    static const char *const greedy[] = {
        "x = []\nwhile True: x.append('a' * 1000 + str(len(x)))",
        "x = b'a' * 10000000",
        "x = {}\nwhile True: x[len(x)] = None",
        "x = sorted(range(10**6))",
        "x = 3 ** 10**7",
        "x = re.match('(?:(a|b))*?c', 'ab' * 500000)",
        "x = [zlib.compressobj() for _ in range(100)]",
    };
    for (size_t i = 0; i < sizeof greedy / sizeof *greedy; i++) {
        pool.limit = pool.bytes + 3000000;
        bool ok = gen_run_string(vm, greedy[i], "greedy");
        printf("%s\n", ok ? "did it" : gen_error_matches(vm, "MemoryError") ? "MemoryError" : "?");
        gen_error_clear(vm);
        pool.limit += 100000; /* as much as it takes to give up the rest */
        ok = gen_run_string(vm, "x = None", "after");
        if (!ok) printf("after it: %s", gen_error_text(vm));
        gen_error_clear(vm);
    }
    gen_vm_free(vm);
    printf("left: %zu, wrong: %d\n", pool.bytes, pool.wrong);
}

/* Each call in turn gets nothing, alone or with all that follow: while the VM is made, while it
 * runs. */
static void run_failing(bool fails_on) {
    static const char *const text =
        "import json\n"
        "class A:\n"
        "    def __init__(self): self.a = self.b = 1\n"
        "    def __del__(self): deleted.append(1)\n"
        "deleted = []\n"
        "def f():\n"
        "    try:\n"
        "        yield [A() for _ in range(50)]\n"
        "    finally: deleted.append(2)\n"
        "x = json.dumps({str(i): list(next(f())) and i for i in range(20)})\n"
        "import re\n"
        "y = re.sub('(a)(b)', r'\\2\\1', 'ab' * 2000)\n"
        "z = sorted((str(i) for i in range(1000)), key=len)\n";
    unsigned long made = 0, failed = 0, broken = 0;
    size_t left = 0;
    for (unsigned long at = 1;; at++) {
        Pool pool = {0};
        pool.fail_at = at;
        pool.fails_on = fails_on;
        GenVM *vm = new_vm(&pool, 0);
        bool over = false;
        if (vm) {
            made++;
            bool ok = gen_run_string(vm, text, "text");
            over = ok && pool.calls < at;
            failed += !ok;
            broken += !ok && !gen_error_matches(vm, "MemoryError");
            if (!ok && !gen_error_matches(vm, "MemoryError"))
                printf("%lu: %s", at, gen_error_text(vm));
            gen_error_clear(vm);
            pool.fail_at = 0;
            if (!gen_run_string(vm, "x = [i for i in range(1000)]; assert sum(x) == 499500",
                                "again"))
                printf("%lu: after it: %s", at, gen_error_text(vm));
            gen_vm_finish(vm);
            gen_vm_free(vm);
        }
        left += pool.bytes + (size_t)pool.wrong;
        if (pool.bytes) printf("%lu: %zu bytes are left\n", at, pool.bytes);
        if (over) break;
    }
    printf("failing%s: %s, %s, %lu broken, left %zu\n", fails_on ? " from there on" : "",
           made > 50 ? "made" : "few made", failed ? "failed" : "none failed", broken, left);
}

int main(void) {
    run_all();
    run_two();
    run_full();
    run_failing(false);
    run_failing(true);
    return 0;
}
