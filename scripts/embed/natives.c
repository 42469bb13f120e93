/* Functions written in C: signatures bind and check the arguments before the function runs. */
#include "genvm.h"
#include <math.h>
#include <stdio.h>

static GenRef add(GenVM *vm, const GenRef *args) {
    return gen_int(vm, gen_as_int(vm, args[0]) + gen_as_int(vm, args[1]));
}

static GenRef distance(GenVM *vm, const GenRef *args) {
    return gen_float(vm, hypot(gen_as_float(vm, args[0]), gen_as_float(vm, args[1])));
}

/* Builds a list; an error of a step inside passes through as GEN_NULL. */
static GenRef squares(GenVM *vm, const GenRef *args) {
    int64_t count;
    if (!gen_to_int(vm, args[0], &count)) return GEN_NULL;
    if (count < 0) return gen_raise(vm, "ValueError", "count must not be negative");
    GenRef list = gen_list(vm);
    for (int64_t i = 0; i < count; i++) {
        GenScope scope = gen_scope_open(vm); /* the items are not kept by this function */
        bool added = gen_append(vm, list, gen_int(vm, i * i));
        gen_scope_close(vm, scope);
        if (!added) return GEN_NULL;
    }
    return list;
}

static const GenFunction functions[] = {
    {"add(a: int, b: int = 1)", add, "a plus b"},
    {"distance(x: float, y: float)", distance, "from the origin to (x, y)"},
    {"squares(count: int)", squares, "the first squares, as a list"},
    {NULL, NULL, NULL},
};

static const char script[] =
    "import fastmath\n"
    "results = [fastmath.add(1, 2), fastmath.add(b=5, a=4), fastmath.add(9),\n"
    "           fastmath.distance(3, 4.0), fastmath.squares(5)]\n"
    "for wrong in ('add()', 'add(1, 2, 3)', 'add(\"a\")', 'squares(-1)'):\n"
    "    try:\n"
    "        eval('fastmath.' + wrong)\n"
    "    except Exception as error:\n"
    "        results.append(type(error).__name__)\n";

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    if (vm == NULL || !gen_register_module(vm, "fastmath", functions)) return 1;
    if (!gen_run_string(vm, script, "natives")) {
        fputs(gen_error_text(vm), stderr);
        return 1;
    }
    size_t size;
    const char *text = gen_to_str(vm, gen_repr(vm, gen_get_global(vm, "results")), &size);
    printf("%.*s\n", (int)size, text != NULL ? text : "?");
    gen_vm_free(vm);
    return 0;
}
