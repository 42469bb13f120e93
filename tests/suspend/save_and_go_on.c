/* Scripts run as tasks that are saved every few steps, their VM thrown away, and loaded into a new
 * one to go on: the output is what it is without. Arguments: steps between two saves, then scripts
 * (without them those of this folder, but for imports.gen, which waits for the finalizers of
 * garbage: that is not saved). What holds a thing that cannot be saved runs on as it is. */
#include "script.h"
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAVES_MOST = 300, DOUBLINGS_MOST = 40 };

typedef struct Run {
    Text output;
    long saves, refusals;
    long dense;        /* how many saves go by before they are further apart */
    long stops, every; /* at every which stop it is saved */
    char refusal[300];
} Run;

static bool collect(void *context, int stream, const char *data, size_t size) {
    Text *text = context;
    if (stream == 1) text_add(text, data, size);
    return true;
}

static GenVM *new_vm(Run *run) {
    GenConfig config = {.size = sizeof config, .hash_seed = 1};
    config.capabilities = GEN_CAP_ALL & ~GEN_CAP_STDIO;
    config.write = collect;
    config.context = &run->output;
    return new_scripted_vm(&config);
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

/* The VM that goes on: another one, or the same where the task cannot be saved. */
static GenVM *move(GenVM *vm, Run *run, GenRef *task) {
    size_t size;
    GenRef image = gen_save(vm, *task);
    if (image == GEN_NULL) {
        const char *text = gen_error_text(vm), *line = text + strlen(text);
        while (line > text && (line[0] == 0 || line[0] == '\n' || line[-1] != '\n'))
            line--;
        snprintf(run->refusal, sizeof run->refusal, "%s", line);
        gen_error_clear(vm);
        run->refusals++;
        return vm;
    }
    const void *data = gen_to_bytes(vm, image, &size);
    GenVM *other = new_vm(run);
    *task = gen_load(other, data, size);
    gen_vm_free(vm);
    run->saves++;
    if (*task != GEN_NULL) return other;
    snprintf(run->output.data, SIZE, "%s", gen_error_text(other));
    run->output.size = strlen(run->output.data);
    return other;
}

static void run_script(Run *run, const Text *script, const char *name, uint64_t steps) {
    GenVM *vm = new_vm(run);
    gen_set_global(vm, "__file__", gen_str(vm, name));
    GenRef task = gen_task_from_source(vm, script->data, name);
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
    if (outcome.kind == GEN_ERROR && getenv("SHOW")) fputs(gen_error_text(vm), stdout);
    gen_error_clear(vm);
    if (task != GEN_NULL) gen_vm_finish(vm);
    gen_vm_free(vm);
}

static bool is_right(const char *path, uint64_t steps, bool sample) {
    static Text script, expected;
    static Run run;
    char out[400], base[300];
    snprintf(base, sizeof base, "%.*s", (int)strlen(path) - 4, path);
    snprintf(out, sizeof out, "%s.out", base);
    read_text(path, "", &script);
    read_text(out, "", &expected);
    memset(&run, 0, sizeof run);
    run.dense = sample ? 2 : 20;
    run.every = sample ? 4 : 1;
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    run_script(&run, &script, name, steps);
    bool same =
        run.output.size == expected.size && !memcmp(run.output.data, expected.data, expected.size);
    if (!same || (run.refusals && getenv("SHOW")))
        printf("%s: %s, %ld saves, %ld refusals: %s\n", path, same ? "right" : "WRONG", run.saves,
               run.refusals, run.refusal);
    if (!same && getenv("SHOW")) printf("%.*s\n", (int)run.output.size, run.output.data);
    return same;
}

int main(int argc, char **argv) {
    int right = 0, all = 0;
    signal(SIGPIPE, SIG_IGN); /* as gen does */
    signal(SIGXFSZ, SIG_IGN);
    if (argc > 2) {
        for (int i = 2; i < argc; i++, all++)
            right += is_right(argv[i], strtoull(argv[1], NULL, 10), false);
        printf("%d of %d right\n", right, all);
        return right != all;
    }
    DIR *folder = opendir(".");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        size_t size = strlen(entry->d_name);
        if (size < 5 || size > 200 || strcmp(entry->d_name + size - 4, ".gen") ||
            !strcmp(entry->d_name, "lazily.gen") || !strcmp(entry->d_name, "imports.gen"))
            continue;
        bool imports =
            !strncmp(entry->d_name, "kept_", 5); /* each new VM has to, which takes long */
        right += is_right(entry->d_name, imports ? 101 : 7, true);
        all++;
    }
    if (folder) closedir(folder);
    if (all && right == all) puts("all scripts, saved and loaded all the way");
    return right != all;
}
