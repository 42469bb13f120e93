/* What functions of the host's learn of the task that calls them, when it had stopped before and
 * another task runs inside: it has no frames that stand still, and cannot be saved, but what it has
 * spent is known.
 */
#include "genvm.h"
#include <stdio.h>

static GenRef task; /* kept */
static uint64_t spent;

static GenRef look(GenVM *vm, const GenRef *args) {
    GenFrame frame;
    uint64_t before = spent;
    spent = gen_task_spent(vm, task, GEN_BUDGET_STEPS);
    printf("%s: frames of the task %d, that run %d, more is spent %d\n",
           gen_to_str(vm, args[0], NULL), gen_task_frame(vm, task, 0, &frame),
           gen_task_frame(vm, GEN_NULL, 0, &frame), spent > before);
    if (gen_save(vm, task) == GEN_NULL) printf("%s", gen_error_text(vm));
    gen_error_clear(vm);
    return gen_none(vm);
}

static GenRef inside(GenVM *vm, const GenRef *args) {
    (void)args;
    GenRef other = gen_task_from_source(vm, "look('another')", "other");
    if (gen_run(vm, other, NULL) != GEN_DONE) printf("%s", gen_error_text(vm));
    return gen_none(vm);
}

int main(void) {
    static const GenFunction looking = {"look(where: str)", look, NULL},
                             nested = {"inside()", inside, NULL}, ask = {"ask()", NULL, NULL};
    static const char source[] = "def work():\n    for i in range(99): pass\n"
                                 "    look('itself')\n    for i in range(99): pass\n"
                                 "    inside()\n    ask()\n"
                                 "work()\nwork()\n";
    GenVM *vm = gen_vm_new(NULL);
    GenOutcome outcome;
    gen_set_global(vm, "look", gen_function(vm, &looking));
    gen_set_global(vm, "inside", gen_function(vm, &nested));
    gen_set_global(vm, "ask", gen_function(vm, &ask));
    task = gen_keep(vm, gen_task_from_source(vm, source, "task"));
    while (gen_run(vm, task, &outcome) == GEN_CALLOUT) {
        GenFrame frame = {NULL, NULL, 0, GEN_NULL};
        gen_task_frame(vm, task, 0, &frame);
        printf("it stands in line %d of %s\n", frame.line, frame.function);
        gen_answer(vm, task, outcome.ticket, gen_none(vm));
    }
    printf("done: %d\n", outcome.kind == GEN_DONE);
    gen_release(vm, task);
    gen_vm_free(vm);
    return 0;
}
