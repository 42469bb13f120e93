/* No native outruns a budget: each row of native_loops.def, with 100,000 steps and 8 MB more than
it begins
 * with, comes to an end in a moment: the budget trips, or Python's exception for sizes that nothing
could
 * have. Afterwards the VM goes on as if nothing had been.
# timeout: 120
# skip: stress the rows make millions of objects
 */
#define _GNU_SOURCE
#include "genvm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static const char *const rows[] = {
#define ROW(source) source,
#include "native_loops.def"
#undef ROW
};

static const char setup[] =
    "import itertools, collections, math, re, json, base64, binascii, textwrap, bisect, heapq, io\n"
    "import snapshot, copy, random, sys, string, functools, operator, fnmatch\n"
    "try:\n    import hashlib\nexcept ImportError: # a build without OpenSSL\n    pass\n"
    "big = list(range(100000))\n"
    "text = 'a' * 100000\n"
    "data = b'a' * 100000\n"
    "big_bytes = [7] * 100000\n"
    "big_zeros = [0] * 100000\n"
    "big_ones = [1] * 100000\n"
    "big_negative = [-x - 1 for x in big]\n"
    "big_names = ['n%d' % i for i in range(20000)]\n"
    "big_keywords = dict.fromkeys(big_names, 1)\n"
    "big_set = set(big)\n"
    "big_dict = dict.fromkeys(big, 1)\n"
    "big_types = (str,) * 100000\n"
    "big_prefixes = ('y',) * 100000\n";

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static long peak(void) { /* KB */
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static bool discard(void *context, int stream, const char *data, size_t size) {
    (void)context, (void)stream, (void)data, (void)size;
    return true;
}

/* What a refusal may be: of a size, of a depth, or of the input. */
static bool is_refusal(GenVM *vm) {
    static const char *const types[] = {"MemoryError", "OverflowError", "RecursionError",
                                        "ValueError", "SyntaxError"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (gen_error_matches(vm, types[i])) return true;
    return gen_error_matches(vm, "Exception") && strstr(gen_error_text(vm), "PatternError");
}

static int failures;

static void fail(const char *source, const char *what) {
    printf("%s: %s\n", source, what);
    failures++;
}

static void judge(GenVM *vm, const char *source, GenRef task, GenStatus status) {
    if (status == GEN_BUDGET) {
        if (!gen_task_kill(vm, task, 100)) fail(source, "cannot be killed");
        gen_run(vm, task, NULL);
    } else if (status == GEN_DONE) {
        fail(source, "came to an end");
    } else if (status != GEN_ERROR || !is_refusal(vm)) {
        fail(source, status == GEN_ERROR ? gen_error_text(vm) : "stopped otherwise");
    }
    gen_error_clear(vm);
    if (gen_as_int(vm, gen_eval(vm, "sum(range(1000)) + len([1] * 50)")) != 499550)
        fail(source, "the VM does not go on");
    gen_error_clear(vm);
}

static void try_row(GenVM *vm, const char *source, double most) {
    GenScope scope = gen_scope_open(vm);
    if (!gen_run_string(vm, setup, "setup")) fail("setup", gen_error_text(vm));
    GenRef task = gen_task_from_source(vm, source, "row");
    gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, 100000);
    gen_task_set_budget(vm, task, GEN_BUDGET_MEMORY,
                        gen_task_spent(vm, task, GEN_BUDGET_MEMORY) + 8000000);
    double begin = seconds();
    long before = peak();
    GenStatus status = gen_run(vm, task, NULL);
    double took = seconds() - begin;
    long more = peak() - before;
    char text[80];
    snprintf(text, sizeof text, "took %.2f s", took);
    if (took > most) fail(source, text);
    snprintf(text, sizeof text, "took %ld MB", more / 1024);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed */
    if (more > 64 * 1024) fail(source, text);
#endif
    judge(vm, source, task, status);
    gen_scope_close(vm, scope);
}

enum { ROWS_A_VM = 25 };

/* Arguments for a closer look: the seconds of the processor that a row may take, the number of the
 * row. */
int main(int argc, char **argv) {
    const char *slowdown = getenv("GEN_SLOWDOWN");
    double most = (argc > 1 ? atof(argv[1]) : 1.5) * (slowdown ? atof(slowdown) : 1);
    size_t count = sizeof rows / sizeof *rows, first = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    size_t end = argc > 2 ? first + 1 : count;
    GenConfig config = {.size = sizeof config, .write = discard};
    GenVM *vm = NULL;
    for (size_t i = first; i < end; i++) {
        if (!vm || i % ROWS_A_VM == 0) {
            gen_vm_free(vm);
            vm = gen_vm_new(&config);
        }
        try_row(vm, rows[i], most);
    }
    gen_vm_free(vm);
    printf("%d of %zu rows outran the budget\n", failures, count);
    return 0;
}
