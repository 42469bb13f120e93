/* embed: what a host waits for. Each line: what, the figure, its target. Times are processor time,
 * the least of several turns; calls are measured in a loop from which an empty loop is subtracted.
 */
#include "genvm.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TURNS = 50, CALLS = 200000, MANY = 10000 };

static double now(void) { /* nanoseconds */
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void show(const char *what, double figure, double target, const char *unit) {
    printf("%-44s %10.2f %-3s  (at most %g)%s\n", what, figure, unit, target,
           figure > target ? "  MISSED" : "");
}

static size_t resident(void) {
    long pages = 0, all = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld %ld", &all, &pages) != 2) pages = 0;
    if (file) fclose(file);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void measure_new(void) {
    double least = 1e18;
    for (int i = 0; i < TURNS; i++) {
        double start = now();
        GenVM *vm = gen_vm_new(NULL);
        gen_as_int(vm, gen_eval(vm, "1 + 1"));
        double end = now();
        gen_vm_free(vm);
        if (end - start < least) least = end - start;
    }
    show("gen_vm_new and the first result", least / 1e3, 30, "us");
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    GenVM *vm = gen_vm_new(NULL);
    gen_eval(vm, "1 + 1");
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    show("... its memory on the heap", (double)(after - before) / 1024, 64, "KB");
    gen_vm_free(vm);
}

/* All of them live, each with a first result. What the process has once is in it. */
static void measure_many(void) {
    static GenVM *vms[MANY];
    double start = now();
    size_t before = resident(), made = 0;
    for (; made < MANY && (vms[made] = gen_vm_new(NULL)); made++) {
        gen_as_int(vms[made], gen_eval(vms[made], "1 + 1"));
        if (made % 256 == 0 && resident() - before > (size_t)1500 << 20) break;
    }
    double end = now();
    show("one of many VMs, resident", (double)(resident() - before) / 1024 / (double)made, 64,
         "KB");
    show("... and the time to its first result", (end - start) / 1e3 / (double)made, 30, "us");
    if (made < MANY) printf("    only %zu VMs: more would take too much memory\n", made);
    start = now();
    for (size_t i = 0; i <= made && i < MANY; i++)
        gen_vm_free(vms[i]);
    printf("%-44s %10.2f us\n", "... and the time to free it",
           (now() - start) / 1e3 / (double)made);
}

static GenRef add(GenVM *vm, const GenRef *args) {
    return gen_int(vm, gen_as_int(vm, args[0]) + gen_as_int(vm, args[1]));
}
static const GenFunction functions[] = {{"add(a, b, /)", add, NULL}, {"ask(x, /)", NULL, NULL}};

static double time_eval(GenVM *vm, const char *expression) {
    double least = 1e18;
    for (int i = 0; i < 5; i++) {
        double start = now();
        GenScope scope = gen_scope_open(vm);
        if (!gen_eval(vm, expression)) exit(1);
        gen_scope_close(vm, scope);
        if (now() - start < least) least = now() - start;
    }
    return least;
}

static void measure_calls(void) {
    GenVM *vm = gen_vm_new(NULL);
    gen_set_global(vm, "add", gen_function(vm, &functions[0]));
    gen_run_string(vm,
                   "def f(x): return x\n"
                   "def calls(n):\n    for i in range(n): add(i, 1)\n"
                   "def empty(n):\n    for i in range(n): pass\n",
                   "script");
    double with = time_eval(vm, "calls(200000)"), without = time_eval(vm, "empty(200000)");
    show("a call from script to C", (with - without) / CALLS, 60, "ns");
    GenRef f = gen_get_global(vm, "f"), one = gen_int(vm, 1);
    double least = 1e18;
    for (int turn = 0; turn < 5; turn++) {
        double start = now();
        for (int i = 0; i < CALLS; i++) {
            GenScope scope = gen_scope_open(vm);
            gen_call(vm, f, 1, &one);
            gen_scope_close(vm, scope);
        }
        if (now() - start < least) least = now() - start;
    }
    show("a call from C to script", least / CALLS, 60, "ns");
    gen_vm_free(vm);
}

static void measure_callout(void) {
    GenVM *vm = gen_vm_new(NULL);
    gen_set_global(vm, "ask", gen_function(vm, &functions[1]));
    double least = 1e18;
    for (int turn = 0; turn < 5; turn++) {
        GenScope outer = gen_scope_open(vm);
        GenRef task = gen_task_from_source(vm, "for i in range(200000): ask(i)", "script");
        GenOutcome outcome;
        double start = now();
        for (;;) {
            GenScope scope = gen_scope_open(vm);
            if (gen_run(vm, task, &outcome) != GEN_CALLOUT) break;
            gen_answer(vm, task, outcome.ticket, gen_int(vm, 1));
            gen_scope_close(vm, scope);
        }
        if (now() - start < least) least = now() - start;
        gen_scope_close(vm, outer);
    }
    show("a call-out and its answer", least / CALLS / 1e3, 1, "us");
    double best = 1e18;
    for (int turn = 0; turn < 5; turn++) {
        double start = now();
        for (int i = 0; i < 20000; i++) {
            GenScope scope = gen_scope_open(vm);
            gen_run(vm, gen_task_new(vm, gen_get_global(vm, "len"), 1, (GenRef[]){gen_list(vm)}),
                    NULL);
            gen_scope_close(vm, scope);
        }
        if (now() - start < best) best = now() - start;
    }
    show("a task made, run and dropped", best / 20000 / 1e3, 1, "us");
    gen_vm_free(vm);
}

/* A generator that has begun, with three variables and nothing else: as bytes, and back in the same
 * VM, which has its code, and in one that has not. */
static void measure_images(void) {
    enum { IMAGES = 2000 };
    GenVM *vm = gen_vm_new(NULL);
    gen_run_string(vm,
                   "def f(a, b):\n    for c in a:\n        yield c + b\n"
                   "g = f(range(9), 1)\nnext(g)\n",
                   "script");
    GenRef g = gen_get_global(vm, "g"), image = gen_keep(vm, gen_save(vm, g));
    size_t size;
    const uint8_t *data = gen_to_bytes(vm, image, &size);
    double save = 1e18, load = 1e18, fresh = 1e18;
    for (int turn = 0; turn < 5; turn++) {
        double start = now();
        for (int i = 0; i < IMAGES; i++) {
            GenScope scope = gen_scope_open(vm);
            gen_save(vm, g);
            gen_scope_close(vm, scope);
        }
        if (now() - start < save) save = now() - start;
        start = now();
        for (int i = 0; i < IMAGES; i++) {
            GenScope scope = gen_scope_open(vm);
            if (!gen_load(vm, data, size)) exit(1);
            gen_scope_close(vm, scope);
        }
        if (now() - start < load) load = now() - start;
    }
    for (int i = 0; i < TURNS; i++) {
        GenVM *other = gen_vm_new(NULL);
        double start = now();
        if (!gen_load(other, data, size)) exit(1);
        if (now() - start < fresh) fresh = now() - start;
        gen_vm_free(other);
    }
    show("saving a suspended generator of three locals", save / IMAGES / 1e3, 5, "us");
    show("... its image", (double)size / 1024, 1, "KB");
    show("loading it", load / IMAGES / 1e3, 20, "us");
    show("... in a VM that does not know its code", fresh / 1e3, 20, "us");
    gen_vm_free(vm);
}

int main(void) {
    measure_new();
    measure_calls();
    measure_callout();
    measure_images();
    measure_many();
    return 0;
}
