/* Many VMs on many threads at once, each with all that the library keeps to itself: compiling,
 * generators, imports, patterns, JSON, floats, time zones, the environment, errno, signals. And VMs
 * that go from thread to thread, suspended in the middle of a generator.
# skip: stress VMs that import so much and collect at every safepoint take minutes
# timeout: 60
 */
#include "genvm.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 6, ROUNDS = 2, HOPS = 12 };

static const char script[] =
    "import collections, contextlib, enum, functools, itertools, json, math, os, re, signal, time\n"
    "def numbers(n):\n"
    "    total = 0\n"
    "    for i in range(n):\n"
    "        total += (yield from pair(i))\n"
    "    return total\n"
    "def pair(i):\n"
    "    yield i\n"
    "    yield -i\n"
    "    return i\n"
    "assert sum(numbers(500)) == 0\n"
    "assert re.sub(r'(\\w+)@(\\w+)', lambda m: m[2] + m[1], 'ab@cd ' * 20) == 'cdab ' * 20\n"
    "data = {'a': [1.5, 2.25e-7, 1e300], 'b': {'c': None, 'd': 'x' * 50}}\n"
    "assert json.loads(json.dumps(data)) == data\n"
    "assert [float(repr(x / 7)) for x in range(200)] == [x / 7 for x in range(200)]\n"
    "assert '%.3f %g %e' % (1 / 3, 1e-9, 12345.678) == '0.333 1e-09 1.234568e+04'\n"
    "assert eval('0.1 + 0.2') == 0.30000000000000004\n"
    "for zone in ('UTC', 'CET-1CEST,M3.5.0,M10.5.0/3') * 5:\n"
    "    os.environ['TZ'] = zone\n"
    "    time.tzset()\n"
    "    time.strftime('%Y %Z', time.localtime(0))\n"
    "    time.mktime((2024, 7, 1, 12, 0, 0, 0, 0, -1))\n"
    "    os.environ['GEN_%d' % len(zone)] = zone\n"
    "for i in range(20):\n"
    "    try:\n"
    "        os.stat('/nowhere/%d' % i)\n"
    "    except FileNotFoundError as error:\n"
    "        assert error.strerror == os.strerror(2)\n"
    "try:\n"
    "    signal.signal(signal.SIGUSR1, lambda number, frame: came.append(number))\n"
    "except RuntimeError:\n"
    "    pass\n"
    "came = []\n"
    "os.kill(os.getpid(), signal.SIGUSR1) if signal.getsignal(signal.SIGUSR1) != 0 else None\n"
    "class Color(enum.Enum):\n"
    "    RED = 1\n"
    "assert Color(1) is Color.RED\n"
    "exec(compile('def f(n):\\n    return n if n < 2 else f(n - 1) + f(n - 2)\\n', '<f>', "
    "'exec'))\n"
    "assert f(15) == 610 and 7 ** 3000 % 1000 == 1 and math.gamma(5.5) > 52\n";

static void *work(void *unused) {
    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_ALL};
        GenVM *vm = gen_vm_new(&config);
        if (!vm || !gen_run_string(vm, script, "script")) {
            fprintf(stderr, "%s", vm ? gen_error_text(vm) : "no memory\n");
            exit(1);
        }
        gen_vm_finish(vm);
        gen_vm_free(vm);
    }
    return NULL;
}

/* ---- a VM that moves ---- */

typedef struct Traveller {
    GenVM *vm;
    GenRef generator; /* kept */
    int64_t sum;
} Traveller;

static void *one_step(void *data) {
    Traveller *traveller = data;
    GenScope scope = gen_scope_open(traveller->vm);
    GenRef item;
    if (gen_next(traveller->vm, traveller->generator, &item) == GEN_OK)
        traveller->sum += gen_as_int(traveller->vm, item);
    gen_scope_close(traveller->vm, scope);
    return NULL;
}

/* Every hop is a new thread; both VMs travel at the same time. */
static void travel(void) {
    static const char source[] = "import re\n"
                                 "def squares():\n"
                                 "    i = 0\n"
                                 "    while True:\n"
                                 "        i += 1\n"
                                 "        yield int(re.sub('a', '', 'a%d' % (i * i)))\n";
    Traveller travellers[2] = {{0}};
    for (int i = 0; i < 2; i++) {
        GenVM *vm = travellers[i].vm = gen_vm_new(NULL);
        if (!gen_run_string(vm, source, "source")) fprintf(stderr, "%s", gen_error_text(vm));
        travellers[i].generator =
            gen_keep(vm, gen_call(vm, gen_get_global(vm, "squares"), 0, NULL));
    }
    for (int hop = 0; hop < HOPS; hop++) {
        pthread_t threads[2];
        for (int i = 0; i < 2; i++)
            pthread_create(&threads[i], NULL, one_step, &travellers[i]);
        for (int i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < 2; i++) {
        printf("%lld\n", (long long)travellers[i].sum);
        gen_release(travellers[i].vm, travellers[i].generator);
        gen_vm_free(travellers[i].vm);
    }
}

/* ---- an interrupt from another thread ---- */

static void *loop_for_ever(void *data) {
    GenVM *vm = data;
    bool ended = !gen_run_string(vm, "while True: pass\n", "loop");
    bool *right = malloc(sizeof *right);
    if (right) *right = ended && gen_error_matches(vm, "KeyboardInterrupt");
    return right;
}

static void interrupt(void) {
    GenVM *vm = gen_vm_new(NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, loop_for_ever, vm);
    gen_interrupt(vm);
    void *right;
    pthread_join(thread, &right);
    puts(right && *(bool *)right ? "interrupted" : "not interrupted");
    free(right);
    gen_vm_free(vm);
}

int main(void) {
    pthread_t threads[THREADS];
    signal(SIGUSR1, SIG_IGN); /* one may come when the VM that handled them has ended */
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    puts("all agreed");
    travel();
    interrupt();
    return 0;
}
