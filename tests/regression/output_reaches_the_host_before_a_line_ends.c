/* What was printed reaches a host that takes the output when its call returns, the beginning of a
 * line, too: standard output was not among the files that are flushed then. */
#include "genvm.h"
#include <stdio.h>

static bool take(void *context, int stream, const char *data, size_t size) {
    (void)context;
    printf("%d got [%.*s]\n", stream, (int)size, data);
    return true;
}

int main(void) {
    GenConfig config = {.size = sizeof config, .write = take};
    GenVM *vm = gen_vm_new(&config);
    bool ran = gen_run_string(vm, "print('one', end=' ')\nprint('two', end='')", "first");
    printf("ran: %d\n", ran);
    ran = gen_run_string(vm, "print('three', end='')\n1 / 0", "second");
    printf("ran: %d\n", ran);
    gen_error_clear(vm);
    gen_vm_finish(vm);
    gen_vm_free(vm);
    return 0;
}
