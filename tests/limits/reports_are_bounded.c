/* The report of an exception runs methods of the script's, outside of its task: it comes to an end,
 * and takes no more memory than reports do. A wait by the clock is refused where there is none.
# skip: stress the scripts make millions of objects
 */
#define _POSIX_C_SOURCE 200809L
#include "genvm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const sources[] = {
    "class E(Exception):\n  def __str__(self): return 'x' * (2 * 10**9)\nraise E",
    "class E(Exception):\n  def __str__(self):\n    x = []\n    while True: x.append([])\nraise E",
    "class N(list):\n  def __iter__(self):\n    while True: yield 'x' * 1000\n"
    "e = KeyError(); e.__notes__ = N(); raise e",
    "class A:\n  def __dir__(self): return ['fo%d' % i for i in range(10**7)]\nA().foo",
    "e = ValueError()\nfor i in range(40): e = ExceptionGroup('x', [e, e])\nraise e",
    "class E(Exception):\n  def __str__(self):\n    while True: pass\nraise E",
    "import threading\nthreading.Event().wait(10**8)",
    "import threading\nlock = threading.Lock()\nlock.acquire(timeout=5); "
    "lock.acquire(timeout=10**8)",
};

static uint64_t used, most;

static void *count(void *context, void *block, size_t old_size, size_t new_size) {
    (void)context;
    void *result = new_size ? realloc(block, new_size) : (free(block), NULL);
    if (result || !new_size) used += new_size - old_size;
    if (used > most) most = used;
    return result;
}

static const char *last_line(const char *text) {
    const char *line = text;
    for (const char *at = text; (at = strchr(at, '\n')) && at[1];)
        line = ++at;
    return line;
}

int main(void) {
    GenConfig config = {.size = sizeof config, .allocate = count};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        GenVM *vm = gen_vm_new(&config);
        GenRef task = gen_task_from_source(vm, sources[i], "script");
        gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, 100000);
        gen_task_set_budget(vm, task, GEN_BUDGET_MEMORY, 8 << 20);
        printf("%d: ", gen_run(vm, task, NULL) == GEN_ERROR);
        most = used;
        uint64_t before = used;
        printf("%s", last_line(gen_error_text(vm)));
        if (most - before > 150 << 20) printf("took %d MB\n", (int)((most - before) >> 20));
        gen_vm_free(vm);
    }
    return 0;
}
