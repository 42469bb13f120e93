/* While an exception is pending, nothing is made and no script runs: a chain of calls needs one
 * check at its end, and what it tells is the first thing that went wrong. What is there can be
 * read. */
#include "genvm.h"
#include <stdio.h>

static GenRef chain(GenVM *vm, const GenRef *args) {
    GenRef items = gen_list(vm);
    for (int i = 0; i < 3; i++)
        gen_append(vm, items, gen_call(vm, args[0], 1, (GenRef[]){gen_int(vm, 2 - i)}));
    return items;
}

int main(void) {
    static const GenFunction function = {"chain(f)", chain, NULL};
    GenVM *vm = gen_vm_new(NULL);
    gen_set_global(vm, "chain", gen_function(vm, &function));
    gen_run_string(vm,
                   "calls = []\ndef f(x): calls.append(x); return 10 // (x - 1)\n"
                   "try: chain(f)\nexcept ZeroDivisionError as e: said = repr(e)\n",
                   "script");
    printf("%s\n", gen_to_str(vm, gen_to_text(vm, gen_eval(vm, "(calls, said)")), NULL));

    GenRef text = gen_str(vm, "text"), kept = gen_keep(vm, text), item;
    gen_raise(vm, "KeyError", "the first");
    printf("run: %d\n", gen_run_string(vm, "calls.append('after')", "script"));
    printf("eval: %u, import: %u, str: %u, get: %u\n", gen_eval(vm, "1"), gen_import(vm, "sys"),
           gen_str(vm, "x"), gen_get_global(vm, "nothing of that name"));
    printf("next: %d\n", gen_next(vm, text, &item) == GEN_ERROR);
    printf("save: %u, task: %u\n", gen_save(vm, text), gen_task_from_source(vm, "1", "task"));
    printf("read: %s, %d\n", gen_to_str(vm, kept, NULL), gen_type(vm, text) == GEN_TYPE_STR);
    gen_release(vm, kept);
    printf("pending: %s", gen_error_text(vm));
    gen_error_clear(vm);
    printf("%s\n", gen_to_str(vm, gen_to_text(vm, gen_get_global(vm, "calls")), NULL));
    gen_vm_free(vm);
    return 0;
}
