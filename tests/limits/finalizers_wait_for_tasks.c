/* What a script that had a budget leaves to be finalized is never run in the host's own calls,
 * where nothing would end it: the next task pays for it, and can go on when it has more.
 */
#include "genvm.h"

#include <stdio.h>

static const char *const sources[] = {
    "class A:\n  def __del__(self):\n    while True: pass\nA()",
    "def g():\n  try: yield\n  finally:\n    while True: pass\nnext(g())",
    "import weakref\nclass A: pass\ndef f(r):\n  while True: pass\na = A(); r = weakref.ref(a, "
    "f)\na = None",
    "class A:\n  def __del__(self): said.append('gone')\nsaid = []\nA()",
};

static void run(const char *source) {
    GenVM *vm = gen_vm_new(NULL);
    GenOutcome outcome;
    GenRef task = gen_task_from_source(vm, source, "script");
    gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, 10000);
    printf("%d ", gen_run(vm, task, &outcome) == GEN_DONE);
    printf("%d ", gen_collect(vm));
    GenRef sum = gen_eval(vm, "sum([len([[]]) for i in range(20000)])");
    printf("%lld ", (long long)gen_as_int(vm, sum));
    printf("%d\n", gen_run_string(vm, "import gc\ngc.collect()", "host"));
    task = gen_task_from_source(vm, "for i in range(100): pass\nprint(i)", "next");
    gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, 50000);
    GenStatus status = gen_run(vm, task, &outcome);
    printf("next: %s\n", status == GEN_DONE ? "done" : status == GEN_BUDGET ? "budget" : "?");
    if (status == GEN_DONE) {
        size_t size;
        GenRef said = gen_eval(vm, "str(said)");
        printf("%s\n", gen_to_str(vm, said, &size));
    }
    gen_vm_free(vm);
}

int main(void) {
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        run(sources[i]);
    return 0;
}
