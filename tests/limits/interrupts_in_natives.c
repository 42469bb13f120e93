/* Long work in C, done in many pieces, stops soon when it is interrupted, and when the deadline of
 * its task has come: then the task goes on with a later one.
# timeout: 120
 */
#define _GNU_SOURCE
#include "genvm.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static const char setup[] = "import math, re, sys\n"
                            "a = b = ()\n"
                            "for i in range(60): a, b = (a, a), (b, b)\n"
                            "exponent, modulus = 10 ** 100000, 10 ** 5000 + 1\n";
static const char *const rows[] = {
    "pow(3, exponent, modulus)",
    "pow(3, exponent, 10 ** 200 + 1)",
    "pow(3, 10 ** 7)",
    "math.perm(10 ** 6, 10 ** 6 - 2)",
    "math.factorial(3 * 10 ** 6)",
    "re.match('(a+)+$', 'a' * 60 + 'b')",
    "re.match('(.*)*,(.*)*x', 'ab' * 5000)",
    "re.search('(?:a|aa)+$', 'b' * 1000 + 'a' * 80 + 'b')",
    "compile('x = 1\\n' * 10**6, '', 'exec')",
    "eval('f(' + 'x, 2 ** 200,' * 10**6 + ')')",
    "exec('x = 1\\n' * 10**6 + 'x = = 1')",
    "sum(range(10 ** 18), 0.5)",
    "a == b",
    "hash(a)",
    "isinstance(1, (((((str,) * 1000,) * 1000,) * 1000,) * 1000,) * 1000)",
    "10 ** 9 in range(10 ** 9, 0, -1) or max(range(10 ** 12))",
};
enum { COUNT = sizeof rows / sizeof *rows, WITH_DEADLINE = 11 };
enum { AFTER = 30000, MOST = 500 }; /* microseconds; milliseconds */

static GenVM *vm;
static volatile double interrupted;

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}
static uint64_t clock_of_work(void *context) {
    (void)context;
    return (uint64_t)(seconds() * 1e9);
}

static void interrupt(int number) {
    (void)number;
    interrupted = seconds();
    gen_interrupt(vm);
}

static double slowdown(void) {
    const char *text = getenv("GEN_SLOWDOWN");
    return text ? atof(text) : 1;
}

static void judge(const char *row, const char *what, double took) {
    if (took * 1000 > MOST * slowdown()) printf("%s: %s after %.2f s\n", row, what, took);
}

static void try_interrupt(const char *row) {
    struct itimerval after = {.it_value.tv_usec = AFTER}, never = {0};
    interrupted = 0;
    setitimer(ITIMER_PROF, &after, NULL);
    bool ended = gen_run_string(vm, row, "row");
    double end = seconds();
    setitimer(ITIMER_PROF, &never, NULL);
    bool told = gen_error_matches(vm, "KeyboardInterrupt");
    gen_error_clear(vm);
    if (!interrupted) return; /* it is done in a moment */
    judge(row, "interrupted", end - interrupted);
    if (!ended && !told) printf("%s: another exception\n", row);
}

static void try_deadline(const char *row) {
    GenScope scope = gen_scope_open(vm);
    GenRef task = gen_task_from_source(vm, row, "row");
    GenOutcome outcome;
    double begin = seconds();
    for (int i = 0; i < 2; i++) {
        gen_task_set_budget(vm, task, GEN_BUDGET_DEADLINE, clock_of_work(NULL) + AFTER * 1000);
        if (gen_run(vm, task, &outcome) != GEN_BUDGET) break;
        if (outcome.budget != GEN_BUDGET_DEADLINE) printf("%s: another budget\n", row);
    }
    double took = seconds() - begin;
    judge(row, "the deadlines were noticed", took);
    gen_error_clear(vm);
    gen_scope_close(vm, scope);
}

int main(void) {
    GenConfig config = {.size = sizeof config, .clock = clock_of_work};
    signal(SIGPROF, interrupt);
    vm = gen_vm_new(&config);
    gen_run_string(vm, setup, "setup");
    for (int i = 0; i < COUNT; i++)
        try_interrupt(rows[i]);
    for (int i = 0; i < WITH_DEADLINE; i++)
        try_deadline(rows[i]);
    if (gen_as_int(vm, gen_eval(vm, "pow(3, 1000, 1009)")) != 404) printf("the VM is not whole\n");
    gen_vm_free(vm);
    printf("long work stops soon\n");
    return 0;
}
