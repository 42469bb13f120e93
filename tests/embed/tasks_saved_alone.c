/* An image holds one task: where another is reached, gen_save refuses by the path that leads to it.
 * What belongs together is saved together as generators.
 */
#include "genvm.h"
#include <stdio.h>

int main(void) {
    GenVM *vm = gen_vm_new(NULL), *other = gen_vm_new(NULL);
    gen_run_string(vm,
                   "world = {'tick': 0}\ndef mind(n):\n    while True:\n"
                   "        world['tick'] += 1\n        yield n, world['tick']\n"
                   "actors = [mind(n) for n in range(1000)]\n"
                   "for actor in actors: next(actor)",
                   "setup");
    GenRef tasks = gen_list(vm), one = gen_int(vm, 1);
    for (int i = 0; i < 2; i++)
        gen_append(vm, tasks, gen_task_new(vm, gen_get_global(vm, "mind"), 1, &one));
    if (!gen_save(vm, tasks)) printf("%s", gen_error_text(vm));
    gen_error_clear(vm);
    GenRef image = gen_save(vm, GEN_NULL), item;
    size_t size;
    const void *data = gen_to_bytes(vm, image, &size);
    gen_load(other, data, size);
    for (int i = 998; i < 1000; i++) {
        gen_next(other, gen_get_index(other, gen_get_global(other, "actors"), i), &item);
        printf("%s\n", gen_to_str(other, gen_repr(other, item), &size));
    }
    gen_set_global(vm, "tasks", tasks);
    if (!gen_save(vm, GEN_NULL)) printf("%s", gen_error_text(vm));
    gen_vm_free(vm);
    gen_vm_free(other);
    return 0;
}
