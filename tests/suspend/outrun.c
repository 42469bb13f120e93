/* Programs that try to outrun their budget of steps: each is stopped, killed though it does not
 * want to die, and leaves the VM usable. Work that is too large to begin is refused by MemoryError.
 */
#include "genvm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const programs[] = {
    "while True: pass",
    "while True:\n    try:\n        while True: pass\n    except BaseException: pass\n"
    "    except: pass\n",
    "def f():\n    try: f()\n    finally: f()\nf()",
    "def f():\n    try:\n        while True: pass\n    finally:\n        while True: pass\nf()",
    "class C:\n    def __enter__(self): return self\n    def __exit__(self, *a):\n"
    "        while True: pass\nwith C(): 1 / 0",
    "class D:\n    def __del__(self):\n        while True: pass\n"
    "def churn():\n    while True: [D() for i in range(9999)]\nchurn()",
    "class L:\n    def __getattr__(self, n): return getattr(self, n + 'x')\nwhile True:\n"
    "    try: L().a\n    except RecursionError: pass",
    "sum(iter(range(10**12)))",
    "max(range(10**12))",
    "10**12 in iter(range(10**13))",
    "all(range(1, 10**12))",
    "list(zip(range(10**12), range(10**12)))",
    "list(range(10**8))",
    "x = 'x' * 10**7\nwhile True: x + 'y'",
    "x = [0] * 10**6\nwhile True: x.count(1)",
    "x = [0] * 10**6\nwhile True: x == list(x)",
    "x = {i: i for i in range(10**4)}\nwhile True: x.copy()",
    "x = set(range(10**4))\nwhile True: x | {1}",
    "x = list(range(10**5))\nwhile True: x.sort(reverse=True); x.sort()",
    "x = 'a' * 10**6\nwhile True: hash(x + 'b')",
    "x = 'a' * 10**6\nwhile True: x.replace('a', 'b').upper().split('B')",
    "x = ','.join(['a' * 10**6] * 64)",
    "x = 7 ** 10**6\ny = x * x",
    "x = 3 ** 10**7",
    "x = 7 ** 10**5\npow(3, x, x + 2)",
    "x = 1 << 10**8\nx // 3",
    "import sys\nsys.set_int_max_str_digits(0)\nstr(7 ** 10**6)",
    "import sys\nsys.set_int_max_str_digits(0)\nint('7' * 10**6)",
    "import math\nmath.factorial(10**6)",
    "import math\nmath.comb(10**7, 5 * 10**6)",
    "import itertools\nlist(itertools.repeat(1))",
    "import itertools\n''.join(itertools.repeat(''))",
    "import itertools\nsum(itertools.count())",
    "import itertools\nlen(list(itertools.permutations(range(20))))",
    "import itertools, functools\nfunctools.reduce(lambda a, b: a, itertools.repeat(0))",
    "import itertools\n{}.update(itertools.repeat((1, 2)))",
    "import itertools, collections\ncollections.deque(itertools.repeat(1), maxlen=3)",
    "eval('[' + '1,' * 10**6 + ']')",
    "def g():\n    while True:\n        try: yield\n        except GeneratorExit: pass\n"
    "it = g()\nnext(it)\nwhile True:\n    try: it.close()\n    except RuntimeError: pass",
    "sorted(range(10**5), key=lambda x: [x for y in range(1000)])",
    "class A:\n    def __eq__(self, o):\n        while True: pass\nA() in [1]",
    "'%1000000d' % 5\nwhile True: f'{5:100000}'",
};

static uint64_t steps = 200000;

static bool run(GenVM *vm, const char *program) {
    GenOutcome outcome;
    GenRef task = gen_task_from_source(vm, program, "script");
    gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, steps);
    GenStatus status = gen_run(vm, task, &outcome);
    if (status == GEN_ERROR) return gen_error_matches(vm, "MemoryError");
    if (status != GEN_BUDGET || outcome.budget != GEN_BUDGET_STEPS) return false;
    if (gen_task_spent(vm, task, GEN_BUDGET_STEPS) > 10000000) return false;
    if (gen_run(vm, task, &outcome) != GEN_BUDGET) return false; /* not refuelled: it stays there */
    gen_task_kill(vm, task, 1000);
    return gen_run(vm, task, &outcome) == GEN_ERROR && gen_error_matches(vm, "GeneratorExit");
}

int main(void) {
    int failed = 0;
    const char *variant = getenv("GEN_VARIANT");
    if (variant && !strcmp(variant, "stress")) steps = 1000; /* each is a collection */
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        GenConfig config = {.size = sizeof config, .memory_limit = (uint64_t)256 << 20};
        GenVM *vm = gen_vm_new(&config);
        GenScope scope = gen_scope_open(vm);
        bool ok = run(vm, programs[i]);
        gen_error_clear(vm);
        gen_scope_close(vm, scope);
        ok = ok && gen_as_int(vm, gen_eval(vm, "sum(range(5)) + 32")) == 42;
        if (!ok && gen_error_pending(vm)) printf("%s", gen_error_text(vm));
        if (!ok) printf("not stopped:\n%s\n", programs[i]), failed++;
        gen_vm_free(vm);
    }
    if (!failed) puts("all were stopped");
    return failed != 0;
}
