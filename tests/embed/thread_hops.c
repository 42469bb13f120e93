/* Two thousand VMs and eight threads: each thread takes whichever VM is idle, lets its generator go
 * a step and leaves it to whoever comes next. When it has gone a few, some are sent on as images,
 * which another thread loads into a VM of its own and brings to the end.
# skip: stress two thousand VMs that collect at every safepoint take minutes
# timeout: 60
 */
#include "genvm.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, VMS = 2000, STEPS = 3, SENT_EACH = 10 };

typedef struct Machine {
    GenVM *vm; /* NULL: it is an image */
    GenRef generator;
    void *image;
    size_t size;
    int number, steps;
} Machine;

/* Idle machines, first in, first out. */
static struct {
    pthread_mutex_t lock;
    Machine machines[VMS];
    int order[VMS * (STEPS + 3)];
    int first, last, left;
    long long sum;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char script[] = "class Sum:\n"
                             "    def __init__(self, start):\n"
                             "        self.value = start\n"
                             "def steps(number):\n"
                             "    total = Sum(number)\n"
                             "    for i in range(5):\n"
                             "        total.value += sum(sorted([i, number], key=lambda x: -x))\n"
                             "        yield total.value\n"
                             "    return total\n";

static void fail(GenVM *vm) {
    fprintf(stderr, "%s", vm ? gen_error_text(vm) : "no memory\n");
    exit(1);
}

static void make(Machine *machine) {
    GenVM *vm = machine->vm = gen_vm_new(NULL);
    if (!vm || !gen_run_string(vm, script, "script")) fail(vm);
    GenScope scope = gen_scope_open(vm);
    GenRef number = gen_int(vm, machine->number);
    machine->generator = gen_keep(vm, gen_call(vm, gen_get_global(vm, "steps"), 1, &number));
    gen_scope_close(vm, scope);
}

static long long step(Machine *machine) {
    GenScope scope = gen_scope_open(machine->vm);
    GenRef item;
    if (gen_next(machine->vm, machine->generator, &item) != GEN_OK) fail(machine->vm);
    long long value = (long long)gen_as_int(machine->vm, item);
    gen_scope_close(machine->vm, scope);
    return value;
}

static void end(Machine *machine) {
    gen_release(machine->vm, machine->generator);
    gen_vm_free(machine->vm);
    machine->vm = NULL;
}

static void pack(Machine *machine) {
    const void *data =
        gen_to_bytes(machine->vm, gen_save(machine->vm, machine->generator), &machine->size);
    if (!data || !(machine->image = malloc(machine->size))) fail(machine->vm);
    memcpy(machine->image, data, machine->size);
    end(machine);
}

static void unpack(Machine *machine) {
    GenVM *vm = machine->vm = gen_vm_new(NULL);
    GenRef loaded = vm ? gen_load(vm, machine->image, machine->size) : GEN_NULL;
    if (!loaded) fail(vm);
    machine->generator = gen_keep(vm, loaded);
    free(machine->image);
    machine->image = NULL;
}

/* What a thread does with a machine that is its alone meanwhile: true when it has to be gone on
 * with. */
static bool treat(Machine *machine, long long *sum) {
    if (machine->image) {
        unpack(machine);
        *sum += step(machine);
        end(machine);
        return false;
    }
    if (!machine->vm) make(machine);
    *sum += step(machine);
    if (++machine->steps < STEPS) return true;
    if (machine->number % SENT_EACH) return end(machine), false;
    return pack(machine), true;
}

static void *work(void *unused) {
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&queue.lock);
        bool done = queue.left == 0;
        int number = queue.first < queue.last ? queue.order[queue.first++] : -1;
        pthread_mutex_unlock(&queue.lock);
        if (done) return NULL;
        if (number < 0) continue;
        long long sum = 0;
        bool more = treat(&queue.machines[number], &sum);
        pthread_mutex_lock(&queue.lock);
        queue.sum += sum;
        queue.left -= !more;
        if (more) queue.order[queue.last++] = number;
        pthread_mutex_unlock(&queue.lock);
    }
}

/* After i steps the total is number * (i + 1) + 0 + 1 + ... + (i - 1). */
static long long expected(void) {
    long long sum = 0;
    for (long long n = 0; n < VMS; n++)
        for (long long i = 1; i <= STEPS + (n % SENT_EACH == 0); i++)
            sum += n * (i + 1) + i * (i - 1) / 2;
    return sum;
}

int main(void) {
    pthread_t threads[THREADS];
    queue.last = queue.left = VMS;
    for (int i = 0; i < VMS; i++)
        queue.machines[i].number = queue.order[i] = i;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%s\n", queue.sum == expected() ? "all sums are right" : "a sum is wrong");
    return 0;
}
