/* sandbox.c - gen --sandbox. The program runs as a task: a spent budget stops it, its finally
 * blocks get an allowance, and that is the end of it. Nothing of it runs after that: no finalizers,
 * no methods of its exceptions without a budget. */
#include "repl/sandbox.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

enum { KILL_STEPS = 100000 }; /* that its finally blocks get */

/* ---- options ---- */

/* "--name VALUE" or "--name=VALUE": the value, NULL if it is another option or has none. */
static const char *value_of(const char *name, int argc, char **argv, int *index, int *found) {
    const char *option = argv[*index];
    size_t size = strlen(name);
    if (strncmp(option, name, size) || (option[size] && option[size] != '=')) return NULL;
    *found = 1;
    if (option[size] == '=') return option + size + 1;
    if (*index + 1 < argc) return argv[++*index];
    fprintf(stderr, "Argument expected for the %s option\n", name);
    *found = -1;
    return NULL;
}

static bool add_path(const char **list, int *count, const char *path) {
    if (*count == SANDBOX_PATHS) {
        fputs("too many directories are granted\n", stderr);
        return false;
    }
    list[(*count)++] = path;
    return true;
}

/* A whole number with k, M or G (powers of 1,000; with i behind them, of 1,024). */
static bool to_count(const char *text, uint64_t *out) {
    static const char units[] = "kMG";
    char *end;
    unsigned long long count = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (unit) {
        bool binary = *++end == 'i';
        end += binary;
        for (long i = 0; i <= unit - units; i++)
            if (__builtin_mul_overflow(count, binary ? 1024ull : 1000ull, &count)) return false;
    }
    *out = count;
    return *text >= '0' && *text <= '9' && !*end && count;
}

static bool to_nanoseconds(const char *text, uint64_t *out) {
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end || !(seconds > 0) || seconds > 1e9) return false;
    *out = (uint64_t)(seconds * 1e9);
    return true;
}

static int take_value(Sandbox *sandbox, int argc, char **argv, int *index) {
    int found = 0;
    const char *value;
    if ((value = value_of("--allow-read", argc, argv, index, &found)))
        return add_path(sandbox->read, &sandbox->read_count, value) ? 1 : -1;
    if (!found && (value = value_of("--allow-write", argc, argv, index, &found)))
        return add_path(sandbox->write, &sandbox->write_count, value) ? 1 : -1;
    bool ok = true;
    const char *option = argv[*index];
    if (!found && (value = value_of("--max-steps", argc, argv, index, &found)))
        ok = to_count(value, &sandbox->steps);
    else if (!found && (value = value_of("--max-memory", argc, argv, index, &found)))
        ok = to_count(value, &sandbox->memory);
    else if (!found && (value = value_of("--max-output", argc, argv, index, &found)))
        ok = to_count(value, &sandbox->output);
    else if (!found && (value = value_of("--timeout", argc, argv, index, &found)))
        ok = to_nanoseconds(value, &sandbox->timeout);
    if (ok) return found;
    fprintf(stderr, "%s: not a number that makes sense here: %s\n", option, value);
    return -1;
}

int sandbox_option(Sandbox *sandbox, int argc, char **argv, int *index) {
    static const struct {
        const char *name;
        uint32_t capability;
    } grants[] = {
        {"--allow-net", GEN_CAP_NET},         {"--allow-clock", GEN_CAP_CLOCK},
        {"--allow-entropy", GEN_CAP_ENTROPY}, {"--allow-env", GEN_CAP_ENV},
        {"--allow-stdio", GEN_CAP_STDIO},     {"--allow-process", GEN_CAP_PROCESS},
    };
    int found = 0;
    if (!strcmp(argv[*index], "--sandbox")) found = 1;
    for (size_t i = 0; !found && i < sizeof grants / sizeof *grants; i++)
        if (!strcmp(argv[*index], grants[i].name)) {
            sandbox->capabilities |= grants[i].capability;
            found = 1;
        }
    if (!found) found = take_value(sandbox, argc, argv, index);
    sandbox->on |= found > 0;
    return found;
}

/* ---- the VM ---- */

/* What the program prints: it has no access to the streams themselves. */
static bool pass_on(void *context, int stream, const char *data, size_t size) {
    (void)context;
    FILE *file = stream == 2 ? stderr : stdout;
    return fwrite(data, 1, size, file) == size && fflush(file) == 0;
}

void sandbox_configure(const Sandbox *sandbox, GenConfig *config) {
    config->capabilities = sandbox->capabilities;
    if (sandbox->read_count || sandbox->write_count) config->capabilities |= GEN_CAP_FILES;
    config->read_roots = sandbox->read;
    config->write_roots = sandbox->write;
    config->memory_limit = sandbox->memory + sandbox->memory / 4; /* the budget comes before it */
    config->write = pass_on;
}

/* ---- running ---- */

static GenVM *timed_vm; /* for the signal handler alone */
static volatile int timed_out;

/* What blocks in the system ends with it; the deadline does the rest. */
static void on_alarm(int signal_number) {
    (void)signal_number;
    timed_out = 1;
    if (timed_vm) gen_interrupt(timed_vm);
}

static void start_clock(const Sandbox *sandbox, GenVM *vm, GenRef task) {
    struct timespec now;
    if (!sandbox->timeout) return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    gen_task_set_budget(vm, task, GEN_BUDGET_DEADLINE,
                        (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec +
                            sandbox->timeout);
    timed_vm = vm;
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    uint64_t late = sandbox->timeout + 20000000;
    struct itimerval timer = {
        .it_value = {(time_t)(late / 1000000000u), (suseconds_t)(late % 1000000000u / 1000u)},
        .it_interval = {1, 0}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void stop_clock(void) {
    struct itimerval timer = {.it_value = {0, 0}};
    setitimer(ITIMER_REAL, &timer, NULL);
    timed_vm = NULL;
}

static int spent(GenVM *vm, GenRef task, GenBudget budget) {
    static const char *const names[] = {"",       "steps",     "memory", "depth",
                                        "output", "call-outs", "time"};
    GenFrame frame = {0};
    fprintf(stderr, "gen: stopped, the budget of %s is spent", names[budget]);
    if (gen_task_frame(vm, task, 0, &frame))
        fprintf(stderr, " (in %s, line %d, in %s)", frame.file, frame.line, frame.function);
    fputc('\n', stderr);
    gen_error_clear(vm);
    gen_task_kill(vm, task, KILL_STEPS);
    return SANDBOX_SPENT;
}

/* The code of a SystemExit, which may be a property of the script's: GEN_NULL, if it does not come
 * to an end. */
static GenRef exit_code(const Sandbox *sandbox, GenVM *vm) {
    enum { STEPS = 100000 };
    GenRef args[] = {gen_error_take(vm), gen_str(vm, "code")};
    GenRef get = gen_get_attr(vm, gen_import(vm, "builtins"), "getattr");
    GenRef task = gen_task_new(vm, get, 2, args);
    GenOutcome outcome;
    gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, STEPS);
    gen_task_set_budget(vm, task, GEN_BUDGET_MEMORY, sandbox->memory);
    start_clock(sandbox, vm, task);
    GenStatus status = gen_run(vm, task, &outcome);
    stop_clock();
    return status == GEN_DONE ? outcome.value : GEN_NULL;
}

/* SystemExit: None 0, an int itself, a str is printed and means 1. */
static int exit_status(const Sandbox *sandbox, GenVM *vm) {
    GenRef code = exit_code(sandbox, vm);
    int64_t number = 0;
    size_t size = 0;
    if (gen_is_none(vm, code)) return 0;
    if (gen_type(vm, code) == GEN_TYPE_INT && gen_to_int(vm, code, &number))
        return (int)(number & 255);
    if (gen_type(vm, code) == GEN_TYPE_BOOL) return gen_to_int(vm, code, &number), (int)number;
    const char *text = gen_type(vm, code) == GEN_TYPE_STR ? gen_to_str(vm, code, &size) : NULL;
    if (text) fprintf(stderr, "%.*s\n", (int)size, text);
    gen_error_clear(vm);
    return 1;
}

static int failed(const Sandbox *sandbox, GenVM *vm) {
    if (gen_error_matches(vm, "SystemExit")) return exit_status(sandbox, vm);
    fputs(gen_error_text(vm), stderr);
    gen_error_clear(vm);
    return 1;
}

int sandbox_run(const Sandbox *sandbox, GenVM *vm, const char *source, size_t size,
                const char *name) {
    GenOutcome outcome;
    GenRef task = gen_task_from_bytes(vm, source, size, name);
    if (!task) return failed(sandbox, vm);
    gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, sandbox->steps);
    gen_task_set_budget(vm, task, GEN_BUDGET_MEMORY, sandbox->memory);
    gen_task_set_budget(vm, task, GEN_BUDGET_OUTPUT, sandbox->output);
    start_clock(sandbox, vm, task);
    GenStatus status = gen_run(vm, task, &outcome);
    stop_clock();
    if (status == GEN_BUDGET) return spent(vm, task, outcome.budget);
    if (status == GEN_ERROR && timed_out && gen_error_matches(vm, "KeyboardInterrupt")) {
        gen_error_clear(vm);
        return spent(vm, task, GEN_BUDGET_DEADLINE);
    }
    return status == GEN_ERROR ? failed(sandbox, vm) : 0;
}
