/* Work in C stops soon when its deadline has come, and goes on with the same result, though it has
 * to begin some of it anew. Each row of deadlines.def runs in slices of time; where it stops,
 * its frames are looked at, and it is saved and goes on in another VM.
# timeout: 240
# skip: stress the rows make millions of objects
 */
#define _GNU_SOURCE
#include "genvm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Row {
    const char *setup, *expression;
} Row;
static const Row rows[] = {
#define ROW(setup, expression) {setup, expression},
#include "deadlines.def"
#undef ROW
};
enum { SLICE = 2000000 /* nanoseconds */, MOVES = 3, TRIPS_MOST = 300 };
enum {
    SLOW_STEP = 5 /* of the rows, under the sanitizers: all of them take a quarter of an hour */
};
enum { TEXT = 4096, OVERRUN_MOST = 100000000 /* nanoseconds */ };

static uint64_t clock_of_work(void *context) {
    (void)context;
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static GenVM *new_vm(void) {
    GenConfig config = {.size = sizeof config, .clock = clock_of_work, .hash_seed = 1};
    return gen_vm_new(&config);
}

static void keep_text(GenVM *vm, const GenOutcome *outcome, char *text) {
    size_t size;
    const char *what = outcome->kind == GEN_DONE    ? gen_to_str(vm, outcome->value, &size)
                       : outcome->kind == GEN_ERROR ? gen_error_text(vm)
                                                    : "no end";
    snprintf(text, TEXT, "%s", what);
    gen_error_clear(vm);
}

static GenRef begin(GenVM *vm, const Row *row) {
    char source[TEXT];
    if (!gen_run_string(vm, row->setup, "setup")) return GEN_NULL;
    snprintf(source, sizeof source, "def run(): return repr((%s))\n", row->expression);
    if (!gen_run_string(vm, source, "row")) return GEN_NULL;
    return gen_task_new(vm, gen_get_global(vm, "run"), 0, NULL);
}

/* The task in a new VM, or where it was when what it holds cannot be saved. */
static GenVM *move(GenVM *vm, GenRef *task) {
    size_t size;
    GenRef image = gen_save(vm, *task);
    if (image == GEN_NULL) return gen_error_clear(vm), vm;
    const void *data = gen_to_bytes(vm, image, &size);
    GenVM *other = new_vm();
    GenRef loaded = gen_load(other, data, size);
    if (loaded == GEN_NULL) printf("not loaded: %s\n", gen_error_text(other));
    gen_vm_free(vm);
    *task = loaded;
    return other;
}

static bool shows_frames(GenVM *vm, GenRef task) {
    GenFrame frame;
    size_t count = 0;
    while (gen_task_frame(vm, task, count, &frame))
        count++;
    return count > 0 && count < 20;
}

/* By how much the first deadline was overrun: less than nothing, where the work was not begun. */
static void judge(const Row *row, int64_t overrun) {
    const char *text = getenv("GEN_SLOWDOWN");
    double most = OVERRUN_MOST * (text ? atof(text) : 1);
    if ((double)overrun > most) printf("%s: %.0f ms late\n", row->expression, overrun / 1e6);
}

static void run_in_slices(const Row *row, char *text) {
    GenVM *vm = new_vm();
    GenRef task = begin(vm, row);
    GenOutcome outcome;
    int trips = 0;
    for (;;) {
        uint64_t deadline = clock_of_work(NULL) + SLICE;
        gen_task_set_budget(vm, task, GEN_BUDGET_DEADLINE, deadline);
        if (gen_run(vm, task, &outcome) != GEN_BUDGET || ++trips > TRIPS_MOST) break;
        if (trips == 1) judge(row, (int64_t)(clock_of_work(NULL) - deadline));
        if (!shows_frames(vm, task)) printf("%s: other frames\n", row->expression);
        if (trips <= MOVES) vm = move(vm, &task);
    }
    keep_text(vm, &outcome, text);
    gen_vm_free(vm);
}

static bool is_right(const Row *row) {
    char expected[TEXT], text[TEXT];
    GenVM *vm = new_vm();
    GenOutcome outcome;
    GenRef task = begin(vm, row);
    gen_run(vm, task, &outcome);
    keep_text(vm, &outcome, expected);
    gen_vm_free(vm);
    run_in_slices(row, text);
    if (!strcmp(expected, text)) return true;
    printf("%s:\n%s\nin slices:\n%s\n", row->expression, expected, text);
    return false;
}

int main(int argc, char **argv) {
    size_t count = sizeof rows / sizeof *rows, first = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    size_t end = argc > 1 ? first + 1 : count;
    const char *variant = getenv("GEN_VARIANT");
    size_t step = variant && !strcmp(variant, "asan") ? SLOW_STEP : 1;
    bool right = true;
    for (size_t i = first; i < end; i += step)
        right = is_right(&rows[i]) && right;
    if (right) puts("in slices of time, all is as it is in one piece");
    return 0;
}
