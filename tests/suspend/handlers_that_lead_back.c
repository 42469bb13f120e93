/* Code that no compiler writes, but an image may hold: a handler that lies before what it catches,
 * so that each turn of a loop is an exception. Its budget stops it. */
#include "vm/genvm_private.h"
#include "vm/task.h"

#include <stdio.h>

int main(void) {
    GenConfig config = {.size = sizeof config};
    GenVM *vm = gen_vm_new(&config);
    GenRef task = gen_task_from_source(
        vm, "error = KeyError()\ntry:\n    raise error\nfinally:\n    pass", "back");
    const Code *code = AS(Function, AS(Task, ref_value(vm, task))->start)->code;
    code->ranges[0].handler = code->ranges[0].start;
    GenOutcome outcome;
    for (uint64_t limit = 1000; limit <= 3000; limit += 1000) {
        gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, limit);
        printf("%d ", gen_run(vm, task, &outcome) == GEN_BUDGET);
        printf("%d\n", gen_task_spent(vm, task, GEN_BUDGET_STEPS) <= limit + 10);
    }
    gen_vm_free(vm);
}
