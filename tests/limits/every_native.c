/* No call of a function of the library does more than raise an exception: each of every module,
 * private ones too, is called with whatever is at hand (every_native.txt). A VM for each
 * module, with all that may be granted but files and processes; a task that gets nowhere is given
 * up, and the next one goes on behind its call.
 *
 *     every_native [SEED [CALLS [MODULE [told]]]]     told: every call, before it is made
# timeout: 300
# skip: stress the calls make millions of objects
 */
#define _GNU_SOURCE
#include "genvm.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

enum { CALLS = 60, STEPS = 300000, MODULES_LEAST = 200, FUNCTIONS_LEAST = 4000 };
enum { MOMENT = 20000000 /* nanoseconds */, WAIT = 100000 /* microseconds */, TASKS_MOST = 3000 };

static GenVM *vm;
static volatile sig_atomic_t runs; /* a task does */
static char source[1 << 16];

/* What waits for the system goes on. */
static void interrupt(int number) {
    (void)number;
    if (runs) gen_interrupt(vm);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static bool tell(void *context, int stream, const char *data, size_t size) {
    (void)context, (void)stream;
    return fwrite(data, 1, size, stderr) == size;
}

static GenVM *new_vm(bool told) {
    GenConfig config = {.size = sizeof config,
                        .capabilities =
                            GEN_CAP_ALL & ~(GEN_CAP_FILES | GEN_CAP_PROCESS | GEN_CAP_STDIO),
                        .memory_limit = 256 << 20,
                        .hash_seed = 1,
                        .write = told ? tell : NULL};
    return gen_vm_new(&config);
}

static int64_t count_of(const char *name) {
    GenRef key = gen_str(vm, name), state = gen_get_global(vm, "state");
    GenRef count = state == GEN_NULL ? GEN_NULL : gen_get_item(vm, state, key);
    int64_t number = 0;
    if (count == GEN_NULL || !gen_to_int(vm, count, &number)) gen_error_clear(vm);
    return number;
}

/* False: the module is done. */
static bool run_task(void) {
    GenScope scope = gen_scope_open(vm);
    GenOutcome outcome;
    GenRef task = gen_task_new(vm, gen_get_global(vm, "call_next"), 0, NULL);
    gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, STEPS);
    gen_task_set_budget(vm, task, GEN_BUDGET_DEADLINE, now() + MOMENT);
    runs = 1;
    bool done = gen_run(vm, task, &outcome) == GEN_DONE;
    runs = 0;
    gen_error_clear(vm);
    gen_scope_close(vm, scope);
    return !done;
}

typedef struct Counts {
    int64_t modules, functions, calls;
} Counts;

static void call_all_of(const char *module, int64_t seed, int64_t often, bool told,
                        Counts *counts) {
    vm = new_vm(told);
    GenRef args[] = {gen_str(vm, module), gen_int(vm, seed), gen_int(vm, often)};
    if (told) fprintf(stderr, "%s\n", module);
    if (!gen_run_string(vm, source, "every_native.txt")) printf("%s\n", gen_error_text(vm));
    bool found = gen_call(vm, gen_get_global(vm, "begin"), 3, args) != GEN_NULL;
    gen_error_clear(vm); /* a module that needs more than there is */
    if (told) gen_run_string(vm, "state['told'] = True", "told");
    for (int tasks = 0; found && tasks < TASKS_MOST && run_task(); tasks++) {
    }
    counts->modules += found;
    counts->functions += count_of("functions");
    counts->calls += count_of("calls");
    gen_vm_free(vm);
}

static char *names_of_modules(void) {
    static char names[1 << 16];
    size_t size;
    vm = new_vm(false);
    GenRef text = gen_eval(vm, "(lambda s: '\\n'.join(sorted(set(s.module_names(False)) | "
                               "{'builtins', 'sys'})))(__import__('_sysinfo'))");
    snprintf(names, sizeof names, "%s", gen_to_str(vm, text, &size));
    gen_vm_free(vm);
    return names;
}

int main(int argc, char **argv) {
    int64_t seed = argc > 1 ? atoll(argv[1]) : 1, often = argc > 2 ? atoll(argv[2]) : CALLS;
    struct itimerval every = {{.tv_usec = WAIT}, {.tv_usec = WAIT}};
    Counts counts = {0};
    FILE *file = fopen("every_native.txt", "rb");
    if (!file || !fread(source, 1, sizeof source - 1, file)) return 1;
    fclose(file);
    signal(SIGALRM, interrupt);
    setitimer(ITIMER_REAL, &every, NULL);
    for (char *name = strtok(names_of_modules(), "\n"); name; name = strtok(NULL, "\n"))
        if (argc <= 3 || !strcmp(argv[3], name)) call_all_of(name, seed, often, argc > 4, &counts);
    if (argc > 1)
        printf("%lld modules, %lld functions, %lld calls\n", (long long)counts.modules,
               (long long)counts.functions, (long long)counts.calls);
    else if (counts.modules < MODULES_LEAST || counts.functions < FUNCTIONS_LEAST)
        return 1;
    printf("every function, called with whatever is at hand\n");
    return 0;
}
