/* A program takes the same steps on every run: each script of language/, in two VMs of one process,
 * so that their objects lie elsewhere and their collections fall elsewhere. What a collection
closes
 * takes steps when it falls: those of a script that leaves such a generator are the same only where
 * the VMs have done the same before.
# timeout: 120
# skip: stress each VM collects at every safepoint
 */
#define _GNU_SOURCE
#include "genvm.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool discard(void *context, int stream, const char *data, size_t size) {
    (void)context, (void)stream, (void)data, (void)size;
    return true;
}

typedef struct Run {
    GenStatus status;
    uint64_t steps;
} Run;

enum { MOST_STEPS = 20000000 };

static Run run(const char *source, const char *name, int litter) {
    GenConfig config = {.size = sizeof config, .write = discard, .hash_seed = 7};
    GenVM *vm = gen_vm_new(&config);
    char text[80];
    snprintf(text, sizeof text, "litter = [[] for _ in range(%d)]", litter);
    gen_run_string(vm, text, "litter");
    Run run = {GEN_ERROR, 0};
    GenRef task = gen_task_from_source(vm, source, name);
    if (task) {
        gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, MOST_STEPS);
        run.status = gen_run(vm, task, NULL);
        run.steps = gen_task_spent(vm, task, GEN_BUDGET_STEPS);
    }
    gen_vm_free(vm);
    return run;
}

static char *read_file(const char *path) {
    static char text[1 << 16];
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) fclose(file);
    text[size] = 0;
    return text;
}

static int count;

static int compare(const char *path, const struct stat *info, int type, struct FTW *place) {
    const char *dot = strrchr(path, '.');
    (void)info, (void)place;
    if (type != FTW_F || !dot || strcmp(dot, ".gen") != 0) return 0;
    const char *source = read_file(path);
    bool leaves_open = strstr(path, "yield_from_inner_ignores_close") != NULL;
    Run one = run(source, path, 0), two = run(source, path, leaves_open ? 0 : 30011);
    count += one.steps > 0;
    if (one.status == two.status && one.steps == two.steps) return 0;
    printf("%s: %llu steps, then %llu; it ended by %d, then by %d\n", path,
           (unsigned long long)one.steps, (unsigned long long)two.steps, (int)one.status,
           (int)two.status);
    return 0;
}

int main(void) {
    nftw("../language", compare, 16, FTW_PHYS);
    printf("%s scripts were compared\n", count > 500 ? "all" : "too few");
    return 0;
}
