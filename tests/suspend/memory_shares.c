/* The memory budget of a task is its own share: one that holds on to too much trips, and the
 * others, which share the heap with it, do not; nor does one trip for the garbage of others. Steps
 * are the same on every run.
# skip: stress a million turns that collect at every safepoint take minutes
 */
#include "genvm.h"
#include <stdio.h>
#include <string.h>

static const GenFunction pause_here = {"pause()", NULL, NULL};

static const char source[] = "def hoard(size):\n"
                             "    kept = []\n"
                             "    while True:\n"
                             "        kept.append('x' * size)\n"
                             "        pause()\n"
                             "def waste(size):\n"
                             "    while True:\n"
                             "        for i in range(40): 'x' * (size + i)\n"
                             "        pause()\n"
                             "def modest(size):\n"
                             "    kept = [0] * (size // 8)\n"
                             "    while True: pause()\n";

/* One turn: true as long as it pauses. */
static bool turn(GenVM *vm, GenRef task, GenOutcome *outcome) {
    if (gen_run(vm, task, outcome) != GEN_CALLOUT) return false;
    return gen_answer(vm, task, outcome->ticket, gen_none(vm));
}

static GenRef start(GenVM *vm, const char *name, int64_t size) {
    GenRef argument = gen_int(vm, size);
    GenRef task = gen_task_new(vm, gen_get_global(vm, name), 1, &argument);
    gen_task_set_budget(vm, task, GEN_BUDGET_MEMORY, 4000000);
    return task;
}

static void shares(void) {
    static const char *const names[] = {"hoard", "waste", "modest"};
    GenVM *vm = gen_vm_new(NULL);
    gen_set_global(vm, "pause", gen_function(vm, &pause_here));
    gen_run_string(vm, source, "source");
    GenRef tasks[3];
    int turns[3] = {0};
    for (int i = 0; i < 3; i++)
        tasks[i] = start(vm, names[i], i == 2 ? 3000000 : 100000);
    for (int round = 0; round < 300; round++)
        for (int i = 0; i < 3; i++) {
            GenScope scope = gen_scope_open(vm);
            GenOutcome outcome = {0};
            if (turn(vm, tasks[i], &outcome)) turns[i]++;
            gen_scope_close(vm, scope);
        }
    GenOutcome outcome;
    printf("hoard: %s after %s turns\n",
           gen_run(vm, tasks[0], &outcome) == GEN_BUDGET && outcome.budget == GEN_BUDGET_MEMORY
               ? "memory"
               : "not spent",
           turns[0] > 30 && turns[0] < 60 ? "some 40" : "another number of");
    printf("waste: %d, modest: %d turns\n", turns[1], turns[2]);
    printf("modest holds %s\n", gen_task_spent(vm, tasks[2], GEN_BUDGET_MEMORY) / 1000000 == 3
                                    ? "3 MB"
                                    : "something else");
    gen_task_kill(vm, tasks[0], 100);
    printf("the others go on: %d %d\n", turn(vm, tasks[1], &outcome), turn(vm, tasks[2], &outcome));
    gen_vm_free(vm);
}

/* Where a program stands when its steps are spent: the line, and what it has counted. */
static void where(uint64_t seed, char *text, size_t size) {
    static const char program[] = "import json, re\n"
                                  "count = 0\n"
                                  "for i in range(10**6):\n"
                                  "    count += len(json.dumps({str(i): [i] * 5}))\n"
                                  "    count += len(sorted(re.findall('[a-z]+', 'ab cd ' * 10)))\n"
                                  "    count += len({str(x) for x in range(30)})\n";
    GenConfig config = {.size = sizeof config, .hash_seed = seed};
    GenVM *vm = gen_vm_new(&config);
    GenRef task = gen_task_from_source(vm, program, "program");
    gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, 123456);
    GenFrame frame = {0};
    if (gen_run(vm, task, NULL) == GEN_BUDGET) gen_task_frame(vm, task, 0, &frame);
    snprintf(text, size, "%s:%d %lld at %llu", frame.function ? frame.function : "?", frame.line,
             (long long)gen_as_int(vm, gen_get_global(vm, "count")),
             (unsigned long long)gen_task_spent(vm, task, GEN_BUDGET_STEPS));
    gen_vm_free(vm);
}

int main(void) {
    shares();
    char first[200], other[200];
    int same = 0;
    where(1, first, sizeof first);
    for (int i = 0; i < 5; i++) {
        where(1, other, sizeof other);
        same += strcmp(first, other) == 0;
    }
    printf("%d of 5 runs stop at the same step\n", same);
    return 0;
}
