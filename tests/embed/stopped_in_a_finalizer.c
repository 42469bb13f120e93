/* A task that stops in a finalizer leaves the others that are due to whoever goes on: here to the
 * task whose host function has run it.
 */
#include "genvm.h"
#include <stdio.h>

static const char garbage[] = "class Asking:\n"
                              "    def __init__(self): self.me = self\n"
                              "    def __del__(self):\n"
                              "        for i in range(9): pass\n"
                              "        ask()\n"
                              "for i in range(2): Asking()\n"
                              "import gc\n"
                              "gc.collect()\n";

static GenRef other; /* kept */
static GenRef run_other(GenVM *vm, const GenRef *args) {
    (void)args;
    printf("the other one asks: %d\n", gen_run(vm, other, NULL) == GEN_CALLOUT);
    return gen_none(vm);
}

static void run(GenVM *vm, const char *name, GenRef task) {
    GenOutcome outcome;
    while (gen_run(vm, task, &outcome) == GEN_CALLOUT) {
        printf("%s asks\n", name);
        gen_answer(vm, task, outcome.ticket, gen_none(vm));
    }
    printf("%s: %s", name, outcome.kind == GEN_DONE ? "done\n" : gen_error_text(vm));
    gen_error_clear(vm);
}

int main(void) {
    static const GenFunction ask = {"ask()", NULL, NULL},
                             running = {"run_other()", run_other, NULL};
    GenVM *vm = gen_vm_new(NULL);
    gen_set_global(vm, "ask", gen_function(vm, &ask));
    gen_set_global(vm, "run_other", gen_function(vm, &running));
    other = gen_keep(vm, gen_task_from_source(vm, garbage, "other"));
    run(vm, "task", gen_task_from_source(vm, "run_other()\nimport gc\ngc.collect()", "task"));
    gen_answer(vm, other, 1, gen_none(vm));
    run(vm, "other", other);
    gen_release(vm, other);
    gen_vm_free(vm);
    return 0;
}
