/* A thousand VMs live side by side, each with its own keys, classes and globals on top of what they
 * share; then they go, in another order than they came, and leave nothing. */
#include "genvm.h"

#include <stdio.h>
#include <string.h>

enum { COUNT = 1000 };

static const char script[] = "class Point:\n"
                             "    def __init__(self, x):\n"
                             "        self.x = x\n"
                             "    def __repr__(self):\n"
                             "        return 'Point(%d)' % self.x\n"
                             "def points(n):\n"
                             "    for x in range(n):\n"
                             "        yield Point(x)\n"
                             "generator = points(number % 100 + 2)\n"
                             "first = next(generator)\n"
                             "table = {'number': number, 'len': len, int: 'int', 'x': first}\n"
                             "try:\n"
                             "    table['missing']\n"
                             "except KeyError as error:\n"
                             "    missing = str(error)\n";

static GenVM *make(int number) {
    GenConfig config = {.size = sizeof config};
    config.hash_seed = (uint64_t)number; /* 0: the usual key */
    GenVM *vm = gen_vm_new(&config);
    if (!vm) return NULL;
    gen_set_global(vm, "number", gen_int(vm, number));
    if (!gen_run_string(vm, script, "script")) fputs(gen_error_text(vm), stdout);
    return vm;
}

static bool is_right(GenVM *vm, int number) {
    char expected[64];
    size_t size;
    GenScope scope = gen_scope_open(vm);
    snprintf(expected, sizeof expected, "%d Point(0) 'missing' int True", number);
    GenRef text =
        gen_eval(vm, "f\"{table['number']} {first} {missing} {table[int]} "
                     "{table['len'] is len and sum(1 for p in generator) == number % 100 + 1}\"");
    bool right = text && strcmp(gen_to_str(vm, text, &size), expected) == 0;
    gen_scope_close(vm, scope);
    return right;
}

int main(void) {
    static GenVM *vms[COUNT];
    int right = 0;
    for (int i = 0; i < COUNT; i++)
        if (!(vms[i] = make(i))) return 1;
    for (int i = 0; i < COUNT; i++)
        right += is_right(vms[i], i);
    printf("%d of %d are right\n", right, COUNT);
    for (int i = 0; i < COUNT; i++)
        gen_vm_free(vms[i * 7 % COUNT]);
    return 0;
}
