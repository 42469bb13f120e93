/* Scripts run as tasks that are saved every few steps, their VM thrown away, and loaded into a new
 * one to go on: what they write is what it is without. Arguments: steps between two saves, then
 * scripts in the working directory (without them those of this folder). What holds a thing that
 * cannot be saved runs on as it is; where that is none of what may be refused (script.h), the
 * script is not right.
# skip: stress its scripts collect at every safepoint, again and again: minutes
 */
#define _GNU_SOURCE
#include "script.h"
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAVES_MOST = 300, DOUBLINGS_MOST = 40 };

typedef struct Run {
    Text out, err; /* what came to standard output and standard error */
    const char *name;
    long saves, refusals;
    long dense;        /* how many saves go by before they are further apart */
    long stops, every; /* at every which stop it is saved */
    char refusal[300];
    bool wrongly; /* refused what is none of the things that may be */
} Run;

static FILE *report; /* the program's own standard output: descriptor 1 is the scripts' */

/* ---- a VM as the command makes it ---- */

static char command[PATH_MAX];      /* gen, which stands for sys.executable */
static char folder[PATH_MAX - 500]; /* of the scripts; some go elsewhere */

static GenVM *_Atomic running;

static void on_interrupt(int signal_number) {
    (void)signal_number;
    if (running) gen_interrupt(running);
}

/* This program is BUILD/programs/tests/suspend/NAME. */
static void find_command(void) {
    ssize_t size = readlink("/proc/self/exe", command, sizeof command - 1);
    command[size < 0 ? 0 : size] = 0;
    char *end = strstr(command, "/programs/");
    if (end) strcpy(end, "/gen");
}

/* What stands in NAME.args, one a line. */
static void add_arguments(GenVM *vm, GenRef list, const char *name) {
    static Text text;
    char base[300];
    snprintf(base, sizeof base, "%.*s", (int)strlen(name) - 4, name);
    read_text(base, ".args", &text);
    for (char *line = strtok(text.data, "\n"); line; line = strtok(NULL, "\n"))
        gen_append(vm, list, gen_str(vm, line));
}

static GenVM *new_vm(Run *run) {
    GenConfig config = {.size = sizeof config, .hash_seed = 1};
    config.capabilities = GEN_CAP_ALL;
    GenVM *vm = new_scripted_vm(&config);
    GenScope scope = gen_scope_open(vm);
    GenRef sys = gen_import(vm, "sys"), argv = gen_list(vm), zero = gen_int(vm, 0);
    GenRef place[] = {zero, gen_str(vm, folder)};
    gen_append(vm, argv, gen_str(vm, run->name));
    add_arguments(vm, argv, run->name);
    gen_set_attr(vm, sys, "argv", argv);
    gen_set_attr(vm, sys, "executable", gen_str(vm, command));
    gen_call_method(vm, gen_get_attr(vm, sys, "path"), "insert", 2, place);
    gen_scope_close(vm, scope);
    return running = vm;
}

/* How many steps to the next save: the distance doubles after every few, so that all of a long run
 * is covered. */
static uint64_t distance(const Run *run, uint64_t steps) {
    long doublings = (run->saves + run->refusals) / run->dense;
    return steps << (doublings < DOUBLINGS_MOST ? doublings : DOUBLINGS_MOST);
}

/* Work that is done in one piece gets what it needs. */
static uint64_t next_limit(const GenOutcome *outcome, uint64_t limit) {
    return outcome->needed > limit ? outcome->needed : limit;
}

static void note_refusal(GenVM *vm, Run *run) {
    const char *text = gen_error_text(vm), *line = text + strlen(text);
    while (line > text && (line[0] == 0 || line[0] == '\n' || line[-1] != '\n'))
        line--;
    bool wrongly = !is_unsaved(line);
    if (wrongly || !run->wrongly) snprintf(run->refusal, sizeof run->refusal, "%s", line);
    run->wrongly |= wrongly;
    gen_error_clear(vm);
    run->refusals++;
}

/* The VM that goes on from the image of the one, which is freed. */
static GenVM *load(GenVM *vm, Run *run, GenRef image, GenRef *task) {
    size_t size;
    const void *bytes = gen_to_bytes(vm, image, &size);
    void *data = memcpy(malloc(size), bytes, size);
    running = NULL;
    gen_vm_free(vm);
    GenVM *other = new_vm(run);
    *task = gen_load(other, data, size);
    free(data);
    if (*task == GEN_NULL) fputs(gen_error_text(other), stderr);
    run->saves++;
    return other;
}

/* Another VM, or the same where the task cannot be saved. Signals wait meanwhile, as they would
 * come to the VM that is gone. */
static GenVM *move(GenVM *vm, Run *run, GenRef *task) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    GenRef image = gen_save(vm, *task);
    if (image != GEN_NULL)
        vm = load(vm, run, image, task);
    else
        note_refusal(vm, run);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return vm;
}

static void show_error(GenVM *vm) {
    if (gen_error_matches(vm, "SystemExit")) return;
    GenRef error = gen_error_take(vm);
    gen_call_method(vm, gen_get_attr(vm, gen_import(vm, "sys"), "stdout"), "flush", 0, NULL);
    gen_error_clear(vm);
    gen_error_restore(vm, error);
    fputs(gen_error_text(vm), stderr);
}

static void run_script(Run *run, const Text *script, uint64_t steps) {
    char path[PATH_MAX];
    GenVM *vm = new_vm(run);
    snprintf(path, sizeof path, "%s/%s", folder, run->name);
    gen_set_global(vm, "__file__", gen_str(vm, path));
    GenRef task = gen_task_from_source(vm, script->data, path);
    GenOutcome outcome = {0};
    for (uint64_t limit = steps; task != GEN_NULL;) {
        gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, limit);
        GenStatus status = gen_run(vm, task, &outcome);
        if (status == GEN_CALLOUT)
            gen_answer(vm, task, outcome.ticket, gen_get_index(vm, outcome.args, 0));
        else if (status == GEN_BUDGET)
            limit = next_limit(&outcome,
                               gen_task_spent(vm, task, GEN_BUDGET_STEPS) + distance(run, steps));
        else
            break;
        if (run->saves + run->refusals < SAVES_MOST && run->stops++ % run->every == 0)
            vm = move(vm, run, &task);
    }
    if (gen_error_pending(vm)) show_error(vm);
    gen_error_clear(vm);
    gen_vm_finish(vm);
    running = NULL;
    gen_vm_free(vm);
}

/* ---- what it says, and what it should ---- */

/* A file without a name in the place of a descriptor, which is kept. */
static int divert(int descriptor) {
    FILE *file = tmpfile();
    int kept = dup(descriptor);
    dup2(fileno(file), descriptor);
    fclose(file);
    return kept;
}

/* What has been written there; the descriptor is again what it was. */
static void bring_back(int descriptor, int kept, Text *text) {
    lseek(descriptor, 0, SEEK_SET);
    ssize_t size;
    text->size = 0;
    while ((size = read(descriptor, text->data + text->size, SIZE - 1 - text->size)) > 0)
        text->size += (size_t)size;
    text->data[text->size] = 0;
    dup2(kept, descriptor);
    close(kept);
}

static void use_input(const char *base) {
    char path[310];
    snprintf(path, sizeof path, "%s.in", base);
    if (!freopen(path, "r", stdin) && !freopen("/dev/null", "r", stdin)) abort();
}

/* As the tests' runner does. */
static void take_folder_out(Text *text) {
    char start[PATH_MAX], *at = text->data;
    snprintf(start, sizeof start, "%s/", folder);
    for (size_t size = strlen(start); (at = strstr(at, start));) {
        memmove(at, at + size, text->size - (size_t)(at - text->data) - size + 1);
        text->size -= size;
    }
}

static bool is_as_expected(const char *base, const char *suffix, Text *text) {
    static Text expected;
    take_folder_out(text);
    read_text(base, suffix, &expected);
    bool same = text->size == expected.size && !memcmp(text->data, expected.data, text->size);
    if (!same && getenv("SHOW")) fprintf(report, "%.*s\n", (int)text->size, text->data);
    return same;
}

static int open_descriptors(void) {
    int count = 0;
    DIR *table = opendir("/proc/self/fd");
    while (table && readdir(table))
        count++;
    if (table) closedir(table);
    return count;
}

/* What libuv keeps open for the whole process, from its first loop on, is open already. */
static void make_a_loop(void) {
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_ALL};
    GenVM *vm = gen_vm_new(&config);
    gen_run_string(vm, "import asyncio\nasyncio.run(asyncio.sleep(0))", "loop");
    gen_vm_free(vm);
}

/* How many a script leaves open that is not saved: those that it has from os.open() and the like.
 */
static int left_by_itself(const Text *script, const char *path) {
    static Run run;
    memset(&run, 0, sizeof run);
    run.name = path;
    run.dense = 1;
    run.saves = SAVES_MOST;
    int out = divert(1), err = divert(2), before = open_descriptors();
    run_script(&run, script, UINT64_MAX / 4);
    fflush(stderr);
    int left = open_descriptors() - before;
    bring_back(1, out, &run.out);
    bring_back(2, err, &run.err);
    return left;
}

static bool is_right(const char *path, uint64_t steps, bool sample) {
    static Text script;
    static Run run;
    char base[300];
    snprintf(base, sizeof base, "%.*s", (int)strlen(path) - 4, path);
    read_text(path, "", &script);
    memset(&run, 0, sizeof run);
    run.name = path;
    run.dense = sample ? 2 : 20;
    run.every = sample ? 4 : 1;
    use_input(base);
    int out = divert(1), err = divert(2), before = open_descriptors();
    run_script(&run, &script, steps);
    fflush(stderr);
    int left = open_descriptors() - before; /* by VMs that are gone */
    bring_back(1, out, &run.out);
    bring_back(2, err, &run.err);
    if (chdir(folder) != 0) return false;
    if (left) {
        use_input(base);
        left -= left_by_itself(&script, path);
        if (chdir(folder) != 0) return false;
    }
    bool same = is_as_expected(base, ".out", &run.out);
    same &= is_as_expected(base, ".err", &run.err);
    if (left) fprintf(report, "%s: %d descriptors left open\n", path, left);
    same = same && left == 0 && !run.wrongly;
    if (!same || (run.refusals && getenv("SHOW")))
        fprintf(report, "%s: %s, %ld saves, %ld refusals: %s\n", path, same ? "right" : "WRONG",
                run.saves, run.refusals, run.refusal);
    return same;
}

int main(int argc, char **argv) {
    int right = 0, all = 0;
    find_command();
    make_a_loop();
    if (!getcwd(folder, sizeof folder)) return 2;
    report = fdopen(dup(1), "w");
    signal(SIGPIPE, SIG_IGN); /* as gen does */
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGINT, on_interrupt);
    if (argc > 2) {
        for (int i = 2; i < argc; i++, all++)
            right += is_right(argv[i], strtoull(argv[1], NULL, 10), false);
        fprintf(report, "%d of %d right\n", right, all);
        fclose(report);
        return right != all;
    }
    DIR *here = opendir(".");
    for (struct dirent *entry; here && (entry = readdir(here));) {
        size_t size = strlen(entry->d_name);
        if (size < 5 || size > 200 || strcmp(entry->d_name + size - 4, ".gen") ||
            !strcmp(entry->d_name, "lazily.gen"))
            continue;
        bool imports =
            !strncmp(entry->d_name, "kept_", 5); /* each new VM has to, which takes long */
        right += is_right(entry->d_name, imports ? 101 : 7, true);
        all++;
    }
    if (here) closedir(here);
    if (all && right == all) fputs("all scripts, saved and loaded all the way\n", report);
    fclose(report);
    return right != all;
}
