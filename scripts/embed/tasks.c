/* A script of somebody else's, run piece by piece: it can compute and ask the host, nothing more;
 * when its budget of steps is spent it waits for more. */
#include "genvm.h"
#include <stdio.h>

static const char script[] = "def count(text):\n"
                             "    return {c: text.count(c) for c in sorted(set(text))}\n"
                             "name = ask('name?')\n"
                             "total = sum(i * i for i in range(10000))\n"
                             "print(name, count(name), total)\n";

static bool print_out(void *context, int stream, const char *data, size_t size) {
    (void)context, (void)stream;
    return fwrite(data, 1, size, stdout) == size;
}

int main(void) {
    static const GenFunction ask = {"ask(question: str)", NULL, "what the host answers"};
    static GenConfig config; /* no capabilities */
    config.size = sizeof config;
    config.write = print_out;
    GenVM *vm = gen_vm_new(&config);
    gen_set_global(vm, "ask", gen_function(vm, &ask));
    GenRef task = gen_task_from_source(vm, script, "script");
    gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, 5000);
    gen_task_set_budget(vm, task, GEN_BUDGET_MEMORY, 16 << 20);
    GenOutcome outcome;
    for (;;) {
        GenStatus status = gen_run(vm, task, &outcome);
        if (status == GEN_CALLOUT) {
            printf("%s called, ticket %d\n", outcome.name, (int)outcome.ticket);
            gen_answer(vm, task, outcome.ticket, gen_str(vm, "Ada"));
        } else if (status == GEN_BUDGET && outcome.budget == GEN_BUDGET_STEPS) {
            puts("5000 steps more");
            gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, outcome.needed + 5000);
        } else {
            if (status == GEN_ERROR) fputs(gen_error_text(vm), stderr);
            break;
        }
    }
    gen_vm_free(vm);
    return outcome.kind == GEN_DONE ? 0 : 1;
}
