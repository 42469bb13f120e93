/* VMs share nothing: eight threads, each with VMs of its own, run at once and agree.
# skip: stress forty VMs that collect at every safepoint take minutes
 */
#include "genvm.h"
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 8, ROUNDS = 5 };

static const char script[] =
    "class Box:\n"
    "    def __init__(self, x): self.x = x\n"
    "def gen(n):\n"
    "    for i in range(n):\n"
    "        yield Box(str(i))\n"
    "total = sum(len(box.x) for box in gen(20000))\n"
    "words = {}\n"
    "for i in range(3000): words.setdefault('w%d' % (i % 50), []).append(i)\n"
    "result = total + sum(map(len, words.values()))\n";

static void *run(void *seed) {
    for (int round = 0; round < ROUNDS; round++) {
        GenVM *vm = gen_vm_new(NULL);
        if (vm == NULL || !gen_run_string(vm, script, "thread")) return NULL;
        if (gen_as_int(vm, gen_get_global(vm, "result")) != 88890 + 3000) return NULL;
        gen_vm_free(vm);
    }
    return seed; /* anything but NULL: right */
}

int main(void) {
    pthread_t threads[THREADS];
    int right = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, run, &right);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        right += result != NULL;
    }
    printf("%d of %d threads came to the right result\n", right, THREADS);

    /* Two VMs of one thread, used in turn, keep their globals apart. */
    GenVM *one = gen_vm_new(NULL), *two = gen_vm_new(NULL);
    gen_run_string(one, "x = 1", "one");
    gen_run_string(two, "x = 2", "two");
    printf("%lld %lld\n", (long long)gen_as_int(one, gen_get_global(one, "x")),
           (long long)gen_as_int(two, gen_get_global(two, "x")));
    gen_vm_free(two);
    gen_vm_free(one);
    return 0;
}
