/* The text of an error runs no finalizers: those that wait when a save is refused run afterwards,
 * and what they ask the host for is answered. */
#include "genvm.h"

#include <stdio.h>
#include <string.h>

static const char source[] = "import gc\n"
                             "class A:\n"
                             "    def __del__(self): print('end', host(1))\n"
                             "kept = open('/dev/null')\n"
                             "for i in range(3):\n"
                             "    a = A()\n"
                             "    a.a = a\n"
                             "del a\n"
                             "gc.collect()\n"
                             "print('after', host(2))\n";

static const GenFunction host = {"host(x, /)", NULL, "what the host answers: x"};

int main(void) {
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_ALL};
    GenVM *vm = gen_vm_new(&config);
    gen_set_attr(vm, gen_import(vm, "builtins"), "host", gen_function(vm, &host));
    GenRef task = gen_task_from_source(vm, source, "finalizers.gen");
    GenOutcome outcome;
    while (gen_run(vm, task, &outcome) == GEN_CALLOUT) {
        if (gen_save(vm, task) == GEN_NULL) {
            printf("refused: %d\n", strstr(gen_error_text(vm), "cannot be saved") != NULL);
            fflush(stdout);
            gen_error_clear(vm);
        }
        gen_answer(vm, task, outcome.ticket, gen_get_index(vm, outcome.args, 0));
    }
    printf("done: %d\n", outcome.kind == GEN_DONE);
    fflush(stdout);
    gen_vm_finish(vm);
    gen_vm_free(vm);
    return 0;
}
