/* Values of a wrong type, or none, for each function that takes a value: a failure with an
 * exception, never a crash, and the VM goes on. */
#include "genvm.h"

#include <stdio.h>

static const GenTypeDef box;
static const GenTypeDef box = {.name = "Box", .size = 8, .slots = 1};

/* What is left of an error: its type, or that the call said nothing. */
static void tell(GenVM *vm, const char *what, bool failed) {
    static const char *const types[] = {"TypeError",   "ValueError",     "IndexError",
                                        "SystemError", "AttributeError", "ImportError"};
    const char *found = gen_error_pending(vm) ? "another exception" : "no exception";
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (gen_error_matches(vm, types[i])) found = types[i];
    printf("%s: %s, %s\n", what, failed ? "failed" : "went on", found);
    gen_error_clear(vm);
    if (gen_as_int(vm, gen_eval(vm, "20 + 22")) != 42) printf("the VM does not go on\n");
    gen_error_clear(vm);
}

#define TELL(call) tell(vm, #call, !(call))
#define STATUS(call) tell(vm, #call, (call) == GEN_ERROR)

static void try_values(GenVM *vm, GenRef x) {
    size_t size;
    int64_t i;
    double d;
    bool b;
    GenRef out;
    TELL(gen_to_int(vm, x, &i));
    TELL(gen_to_float(vm, x, &d));
    TELL(gen_to_str(vm, x, &size));
    TELL(gen_to_bytes(vm, x, &size));
    TELL(gen_to_bool(vm, x, &b));
    TELL(gen_len(vm, x, &size));
    TELL(gen_get_item(vm, x, x));
    TELL(gen_get_index(vm, x, 1));
    TELL(gen_set_item(vm, x, x, x));
    TELL(gen_append(vm, x, x));
    TELL(gen_get_attr(vm, x, "no_such"));
    TELL(gen_set_attr(vm, x, "no_such", x));
    TELL(gen_call(vm, x, 1, &x));
    TELL(gen_call_method(vm, x, "no_such", 0, NULL));
    TELL(gen_iter(vm, x));
    STATUS(gen_next(vm, x, &out));
    STATUS(gen_send(vm, x, x, &out));
    TELL(gen_close(vm, x));
    TELL(gen_object_new(vm, x));
    TELL(gen_object_data(vm, x, &box));
    TELL(gen_object_get(vm, x, &box, 0));
    TELL(gen_object_set(vm, x, &box, 0, x));
    TELL(gen_load(vm, "nonsense", 8));
}

static void try_tasks(GenVM *vm, GenRef x) {
    GenOutcome outcome;
    GenTicket ticket;
    GenFrame frame;
    STATUS(gen_run(vm, x, &outcome));
    TELL(gen_task_send(vm, x, x));
    TELL(gen_answer(vm, x, 1, x));
    TELL(gen_answer_error(vm, x, 1, x));
    TELL(gen_task_tickets(vm, x, &ticket, 1));
    TELL(gen_task_ticket(vm, x, 1, &outcome));
    TELL(gen_task_set_budget(vm, x, GEN_BUDGET_STEPS, 1));
    TELL(gen_task_spent(vm, x, GEN_BUDGET_STEPS));
    TELL(gen_task_frame(vm, x, 0, &frame));
    TELL(gen_task_kill(vm, x, 1));
}

static void try_others(GenVM *vm) {
    GenRef task = gen_task_from_source(vm, "pass", "task"), none = gen_none(vm);
    GenRef object = gen_object_new(vm, gen_type_new(vm, &box)), null = GEN_NULL;
    TELL(gen_task_set_budget(vm, task, (GenBudget)99, 1));
    TELL(gen_task_spent(vm, task, (GenBudget)99));
    TELL(gen_answer(vm, task, 7, none));
    TELL(gen_answer_error(vm, task, 7, none));
    TELL(gen_object_get(vm, object, &box, 5));
    TELL(gen_object_set(vm, object, &box, 5, none));
    TELL(gen_raise(vm, "NoSuchError", "%s", "text"));
    TELL(gen_tuple(vm, 1, &null));
    TELL(gen_call(vm, gen_eval(vm, "len"), 1, &null));
    TELL(gen_call_last(vm, GEN_NULL, 0, NULL));
    TELL(gen_call_then(vm, none, none, none, 1, &null));
    TELL(gen_import(vm, "no_such_module"));
    TELL(gen_get_global(vm, "no_such"));
    TELL(gen_str(vm, "\xff"));
    gen_error_restore(vm, none);
    tell(vm, "gen_error_restore(vm, none)", true);
    gen_release(vm, GEN_NULL);
    gen_scope_close(vm, 1000);
    tell(vm, "gen_release(vm, GEN_NULL), gen_scope_close(vm, 1000)", false);
}

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    printf("of None:\n");
    try_values(vm, gen_none(vm));
    try_tasks(vm, gen_none(vm));
    printf("of GEN_NULL:\n");
    try_values(vm, GEN_NULL);
    try_tasks(vm, GEN_NULL);
    printf("others:\n");
    try_others(vm);
    gen_vm_free(vm);
    return 0;
}
