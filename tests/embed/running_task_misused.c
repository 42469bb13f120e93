/* What a function of the host's may do with the task that calls it, and what is refused; and
 * tickets that are not open. Nothing of it harms the task.
 */
#include "genvm.h"
#include <stdio.h>

static GenRef task; /* kept */

static void tell(GenVM *vm, const char *what, bool done) {
    printf("%s: %s", what, done ? "done\n" : gen_error_pending(vm) ? gen_error_text(vm) : "no\n");
    gen_error_clear(vm);
}

static GenRef misuse(GenVM *vm, const GenRef *args) {
    (void)args;
    GenOutcome outcome;
    GenFrame frame = {NULL, NULL, 0, GEN_NULL};
    tell(vm, "run", gen_run(vm, task, &outcome) != GEN_ERROR);
    tell(vm, "save", gen_save(vm, task) != GEN_NULL);
    tell(vm, "kill", gen_task_kill(vm, task, 10));
    tell(vm, "send", gen_task_send(vm, task, gen_int(vm, 1)));
    tell(vm, "answer", gen_answer(vm, task, 1, gen_int(vm, 1)));
    tell(vm, "frame of the task", gen_task_frame(vm, task, 0, &frame));
    tell(vm, "frame that runs", gen_task_frame(vm, GEN_NULL, 0, &frame));
    printf("line %d\n", frame.line);
    tell(vm, "frame beyond", gen_task_frame(vm, GEN_NULL, 1000, &frame));
    tell(vm, "budget", gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, 1000000));
    tell(vm, "spent", gen_task_spent(vm, task, GEN_BUDGET_STEPS) > 0);
    GenRef other = gen_task_from_source(vm, "x = [i for i in range(3)]\nask(x)", "other");
    tell(vm, "another task", gen_run(vm, other, &outcome) == GEN_CALLOUT);
    tell(vm, "save of that", gen_save(vm, other) != GEN_NULL);
    tell(vm, "its answer", gen_answer(vm, other, outcome.ticket, gen_none(vm)));
    tell(vm, "its end", gen_run(vm, other, &outcome) == GEN_DONE);
    return gen_int(vm, 7);
}

int main(void) {
    static const GenFunction function = {"misuse()", misuse, NULL}, ask = {"ask(x)", NULL, NULL};
    GenVM *vm = gen_vm_new(NULL);
    GenOutcome outcome;
    gen_set_global(vm, "misuse", gen_function(vm, &function));
    gen_set_global(vm, "ask", gen_function(vm, &ask));
    task = gen_keep(
        vm, gen_task_from_source(vm, "for i in range(9): y = 1\ny = misuse() + ask(y)", "task"));
    tell(vm, "frame before it runs", gen_task_frame(vm, GEN_NULL, 0, &(GenFrame){0}));
    tell(vm, "answer before it asks", gen_answer(vm, task, 1, gen_int(vm, 1)));
    tell(vm, "call-out", gen_run(vm, task, &outcome) == GEN_CALLOUT);
    tell(vm, "ticket 0", gen_answer(vm, task, 0, gen_int(vm, 1)));
    tell(vm, "ticket 2", gen_answer(vm, task, 2, gen_int(vm, 1)));
    tell(vm, "ticket -1", gen_answer(vm, task, (GenTicket)-1, gen_int(vm, 1)));
    tell(vm, "no exception", gen_answer_error(vm, task, 1, gen_int(vm, 1)));
    tell(vm, "send at a call-out", gen_task_send(vm, task, gen_int(vm, 1)));
    tell(vm, "run without answer", gen_run(vm, task, &outcome) == GEN_WAITING);
    tell(vm, "answer", gen_answer(vm, task, 1, gen_int(vm, 35)));
    tell(vm, "answer again", gen_answer(vm, task, 1, gen_int(vm, 36)));
    tell(vm, "end", gen_run(vm, task, &outcome) == GEN_DONE);
    tell(vm, "answer after the end", gen_answer(vm, task, 1, gen_int(vm, 37)));
    tell(vm, "kill after the end", gen_task_kill(vm, task, 10));
    printf("%lld\n", (long long)gen_as_int(vm, gen_get_global(vm, "y")));
    gen_release(vm, task);
    gen_vm_free(vm);
    return 0;
}
