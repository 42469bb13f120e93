/* vm_new: the time to create a VM with its builtins, and to free it, in microseconds: the least of
 * 200 turns, each a VM of its own. Prints two numbers: creation and end. */
#include "genvm.h"

#include <stdio.h>
#include <time.h>

enum { TURNS = 200 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

int main(void) {
    double least_new = 1e12;
    double least_free = 1e12;
    for (int i = 0; i < TURNS; i++) {
        double start = now();
        GenVM *vm = gen_vm_new(NULL);
        double made = now();
        if (vm == NULL) {
            fprintf(stderr, "gen_vm_new failed\n");
            return 1;
        }
        gen_vm_free(vm);
        double freed = now();
        if (made - start < least_new) least_new = made - start;
        if (freed - made < least_free) least_free = freed - made;
    }
    printf("%.2f %.2f\n", least_new, least_free);
    return 0;
}
