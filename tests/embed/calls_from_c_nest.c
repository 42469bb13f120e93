/* Script that calls C that calls script: fifty deep, with exceptions on the way; and without an
 * end, whatever the script says of its recursion limit: a RecursionError that can be caught.
 */
#include "genvm.h"
#include <stdio.h>

static GenRef twice(GenVM *vm, const GenRef *args) {
    GenRef once = gen_call(vm, args[0], 1, &args[1]);
    return once ? gen_call(vm, args[0], 1, &once) : GEN_NULL;
}
static GenRef evaluate(GenVM *vm, const GenRef *args) {
    size_t size;
    return gen_eval(vm, gen_to_str(vm, args[0], &size));
}
static GenRef total(GenVM *vm, const GenRef *args) {
    GenRef item, iterator = gen_iter(vm, args[0]);
    int64_t sum = 0;
    while (gen_next(vm, iterator, &item) == GEN_OK)
        sum += gen_as_int(vm, item);
    return gen_int(vm, sum);
}
static GenRef run(GenVM *vm, const GenRef *args) {
    GenOutcome outcome;
    GenRef task = gen_task_new(vm, args[0], 1, &args[1]);
    return gen_run(vm, task, &outcome) == GEN_DONE ? outcome.value : GEN_NULL;
}
static const GenFunction functions[] = {{"twice(f, x)", twice, NULL},
                                        {"evaluate(text: str)", evaluate, NULL},
                                        {"total(items)", total, NULL},
                                        {"run(f, x)", run, NULL},
                                        {NULL, NULL, NULL}};

static const char script[] =
    "import host, sys\n"
    "def down(n):\n"
    "    if n == 0: raise KeyError('bottom')\n"
    "    try: return host.twice(lambda x: host.run(down, n - 1), n)\n"
    "    except KeyError as error:\n"
    "        if n % 10 == 0: raise KeyError(n) from error\n"
    "        raise\n"
    "try: down(50)\n"
    "except KeyError as error:\n"
    "    said = []\n"
    "    while error: said.append(error.args[0]); error = error.__cause__\n"
    "sys.setrecursionlimit(10 ** 8)\n"
    "class Endless:\n"
    "    def __iter__(self): yield host.total(self)\n"
    "def f(x): return host.twice(f, x)\n"
    "def g(x): return host.evaluate('g(1)')\n"
    "def h(x): return host.run(h, x)\n"
    "for endless in f, g, h, lambda x: host.total(Endless()):\n"
    "    try: endless(1)\n"
    "    except RecursionError as error: said.append(str(error))\n"
    "said.append(host.twice(lambda x: x * 2, 10))\n";

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    gen_register_module(vm, "host", functions);
    if (!gen_run_string(vm, script, "script")) printf("%s", gen_error_text(vm));
    GenRef line, said = gen_iter(vm, gen_get_global(vm, "said"));
    size_t size;
    while (gen_next(vm, said, &line) == GEN_OK)
        printf("%s\n", gen_to_str(vm, gen_to_text(vm, line), &size));
    gen_vm_free(vm);
    return 0;
}
