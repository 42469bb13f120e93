/* An import of the library is saved after each of its first steps, and goes on in a new VM: no
 * module is run a second time there, as one was that was saved just before it ran (its main thread
 * was then another).
# skip: stress 120 imports, each a collection at every step
 */
#include "genvm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 120 };

static const char script[] = "import concurrent.futures.thread, threading\n"
                             "assert threading.enumerate() == [threading.current_thread()]\n"
                             "assert threading.main_thread() is threading.current_thread()\n";

static GenVM *new_vm(void) {
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_ALL};
    return gen_vm_new(&config);
}

/* The VM that goes on from the image of the one, which is freed. */
static GenVM *move(GenVM *vm, GenRef *task) {
    size_t size;
    const void *bytes = gen_to_bytes(vm, gen_save(vm, *task), &size);
    void *data = memcpy(malloc(size), bytes, size);
    gen_vm_free(vm);
    vm = new_vm();
    *task = gen_load(vm, data, size);
    free(data);
    return vm;
}

static bool is_right_after(uint64_t steps) {
    GenOutcome outcome;
    GenVM *vm = new_vm();
    GenRef task = gen_task_from_source(vm, script, "importing");
    gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, steps);
    bool right = gen_run(vm, task, &outcome) == GEN_BUDGET;
    if (right) {
        vm = move(vm, &task);
        gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, 0);
        right = gen_run(vm, task, &outcome) == GEN_DONE;
    }
    if (!right) printf("after %d steps: %s\n", (int)steps, gen_error_text(vm));
    gen_error_clear(vm);
    gen_vm_free(vm);
    return right;
}

int main(void) {
    int right = 0;
    for (uint64_t steps = 1; steps <= STEPS; steps++)
        right += is_right_after(steps);
    printf("%d of %d\n", right, STEPS);
}
