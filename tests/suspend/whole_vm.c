/* The whole state of a VM, saved and loaded into another one, goes on as if nothing had been: its
 * modules and their names, classes with their instances, suspended generators, what the library
 * keeps about them, modules of the host, and what sys has set. */
#include "genvm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char setup[] =
    "import collections, functools, itertools, random, re, sys\n"
    "import helper\n"
    "from helper import Base, shared\n"
    "import fastmath\n"
    "sys.setrecursionlimit(1234)\n"
    "class Derived(Base):\n"
    "    __slots__ = ('extra',)\n"
    "    def __init__(self, name):\n"
    "        super().__init__(name)\n"
    "        self.extra = [self]\n"
    "    def __eq__(self, other): return self.name == other.name\n"
    "    def __hash__(self): return hash(self.name)\n"
    "def numbers(n):\n"
    "    total = 0\n"
    "    for i in range(n):\n"
    "        total += fastmath.add(i)\n"
    "        yield total\n"
    "@functools.lru_cache\n"
    "def square(n): return n * n\n"
    "def counter():\n"
    "    count = 0\n"
    "    def step():\n"
    "        nonlocal count\n"
    "        count += 1\n"
    "        return count\n"
    "    return step\n"
    "g = numbers(10)\n"
    "next(g), next(g)\n"
    "d = {Derived('a'): 1, Derived('b'): 2}\n"
    "it = iter(d.items()); next(it)\n"
    "square(3)\n"
    "step, other_step = counter(), counter()\n"
    "step(), step()\n"
    "rng = random.Random(7); rng.random()\n"
    "words = re.compile(r'(\\w)(\\w+)')\n"
    "found = words.finditer('one two three'); next(found)\n"
    "cyclic = [shared]; cyclic.append(cyclic)\n"
    "queue = collections.deque(itertools.islice(itertools.count(5), 3), 3)\n";

static const char use[] = "print(next(g), next(g), list(g)[-1])\n"
                          "print(d[Derived('a')], d[Derived('b')], [(k.name, v) for k, v in it])\n"
                          "print(square.cache_info().currsize, step(), other_step())\n"
                          "print(rng.random(), [m[2] for m in found])\n"
                          "print(cyclic[0] is helper.shared, cyclic[1] is cyclic)\n"
                          "print(queue, helper.shared, Derived.__mro__[1] is helper.Base)\n"
                          "print(next(iter(d)).extra[0].name, isinstance(Derived('x'), Base))\n"
                          "print(sys.modules['helper'] is helper, sys.getrecursionlimit())\n"
                          "import helper as again\n"
                          "print(again is helper, helper.loads, __name__)\n";

static bool print(void *context, int stream, const char *data, size_t size) {
    (void)context;
    return fwrite(data, 1, size, stream == 1 ? stdout : stderr) == size;
}

static const char *find_module(void *context, const char *name, size_t *size) {
    static const char helper[] = "loads = 0\n"
                                 "loads += 1\n"
                                 "shared = {'x': [1, 2]}\n"
                                 "class Base:\n"
                                 "    def __init__(self, name): self.name = name\n";
    (void)context;
    *size = sizeof helper - 1;
    return strcmp(name, "helper") ? NULL : helper;
}

static GenRef add(GenVM *vm, const GenRef *args) {
    return gen_int(vm, gen_as_int(vm, args[0]) + 1);
}
static const GenFunction fastmath[] = {{"add(x: int)", add, NULL}, {NULL, NULL, NULL}};

static GenVM *new_vm(void) {
    GenConfig config = {.size = sizeof config, .write = print, .find_module = find_module};
    GenVM *vm = gen_vm_new(&config);
    gen_register_module(vm, "fastmath", fastmath);
    return vm;
}

static void check(GenVM *vm, bool ok) {
    if (ok) return;
    puts(gen_error_text(vm));
    exit(1);
}

int main(void) {
    size_t size;
    GenVM *vm = new_vm();
    check(vm, gen_run_string(vm, setup, "setup"));
    const void *data = gen_to_bytes(vm, gen_save(vm, GEN_NULL), &size);
    check(vm, data != NULL);
    void *copy = malloc(size);
    memcpy(copy, data, size);
    check(vm, gen_run_string(vm, use, "use"));
    gen_vm_finish(vm);
    gen_vm_free(vm);
    for (int i = 0; i < 2; i++) { /* the second time from an image of what was loaded */
        vm = new_vm();
        check(vm, gen_load(vm, copy, size) != GEN_NULL);
        data = gen_to_bytes(vm, gen_save(vm, GEN_NULL), &size);
        check(vm, data != NULL);
        copy = realloc(copy, size);
        memcpy(copy, data, size);
        check(vm, gen_run_string(vm, use, "use"));
        gen_vm_finish(vm);
        gen_vm_free(vm);
    }
    free(copy);
    return 0;
}
