/* Each budget of a task: it stops there, the same step on every run, and goes on when it is raised.
 */
#include "genvm.h"
#include <stdio.h>
#include <string.h>

static char output[4096];
static uint64_t time_now;

static bool collect(void *context, int stream, const char *data, size_t size) {
    (void)context, (void)stream;
    strncat(output, data, size < 999 ? size : 999);
    return true;
}
static uint64_t clock_of(void *context) {
    (void)context;
    return time_now += 1000;
}

static const GenFunction ask = {"ask(x)", NULL, NULL};

static GenVM *new_vm(void) {
    GenConfig config = {.size = sizeof config, .write = collect, .clock = clock_of};
    GenVM *vm = gen_vm_new(&config);
    gen_set_global(vm, "ask", gen_function(vm, &ask));
    output[0] = 0;
    return vm;
}

static const char *const names[] = {"no budget", "steps",     "memory",  "depth",
                                    "output",    "call-outs", "deadline"};

/* Runs with the budget, raised by `more` each time it is spent; says how often that was. */
static void run(const char *source, GenBudget budget, uint64_t limit, uint64_t more) {
    GenVM *vm = new_vm();
    GenRef task = gen_task_from_source(vm, source, "script");
    GenOutcome outcome;
    int trips = 0, wrong = 0, answers = 0;
    uint64_t first = 0;
    for (GenStatus status;;) {
        gen_task_set_budget(vm, task, budget, limit);
        status = gen_run(vm, task, &outcome);
        if (status == GEN_CALLOUT) {
            answers++;
            gen_answer(vm, task, outcome.ticket, gen_get_index(vm, outcome.args, 0));
            continue;
        }
        if (status != GEN_BUDGET) break;
        if (!trips) first = gen_task_spent(vm, task, GEN_BUDGET_STEPS);
        trips++;
        wrong += outcome.budget != budget;
        limit += more;
    }
    printf("%s: %s, %s%s", names[budget], trips ? "spent" : "enough", wrong ? "wrong, " : "",
           output);
    if (outcome.kind == GEN_ERROR) printf("%s", gen_error_text(vm));
    if (budget == GEN_BUDGET_STEPS) printf("    first at step %d\n", (int)first);
    if (answers) printf("    %d answers\n", answers);
    gen_vm_free(vm);
}

int main(void) {
    const char *loop = "t = 0\nfor i in range(1000):\n    t += i * len(str(i))\nprint(t)";
    for (int i = 0; i < 2; i++)
        run(loop, GEN_BUDGET_STEPS, 100, 7);
    run(loop, GEN_BUDGET_STEPS, 100000, 1);
    const char *deep = "def f(n): return n and 1 + f(n - 1)\n"
                       "try: print(f(300))\nexcept BaseException: print('never')";
    run(deep, GEN_BUDGET_DEPTH, 50, 20);
    run("x = []\nfor i in range(100000): x.append([i])\nprint(len(x))", GEN_BUDGET_MEMORY, 2000000,
        1000000);
    run("for i in range(50): print(i, end=' ')\nprint()", GEN_BUDGET_OUTPUT, 10, 10);
    run("print(ask(1) + ask(2) + sum(map(ask, [3, 4])))", GEN_BUDGET_CALLOUTS, 1, 1);
    run("for i in range(1000000): pass\nprint('ticked')", GEN_BUDGET_DEADLINE, 3000, 3000);
    return 0;
}
