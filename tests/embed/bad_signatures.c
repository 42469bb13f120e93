/* A signature that is none is an error when the function is made, never a parameter that takes
 * anything or memory that is overrun. */
#include "genvm.h"
#include <stdio.h>
#include <string.h>

static GenRef seven(GenVM *vm, const GenRef *args) {
    (void)args;
    return gen_int(vm, 7);
}

static const char *const signatures[] = {
    "", "f", "(a)", "f(a", "f(a b)", "f(a, a)", "f(a=1, b)", "1f()", "x.f()", "f(*)", "f(/)",
    "f(a, /, b, /)", "f(*, a, *)", "f(**k, a)", "f(*a, *b)", "f(*a = 1)", "f(a: nosuch)",
    "f(a: int | strr)", "f(a =)", "f(a = [1])", "f(a = 'open)", "f(a = b'x')", "f(a) more",
    "f(\xc3\xa9)", "async f(a)",
    "f(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z)",
    /* and these are ones */
    "f()", "def f(a, b: int | None = None)", "f(a, /, b, *, c = -1.5e3)", "f(*a, b = 'x, )', **k)",
    "f(a,)", "f(a: index = ?, b = b'', c = ()) -> int"};

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        GenFunction function = {signatures[i], seven, NULL};
        GenRef made = gen_function(vm, &function), five = gen_int(vm, 5);
        if (!made)
            printf("%s", gen_error_text(vm));
        else
            printf("%s: %d\n", signatures[i], gen_call(vm, made, 1, &five) != GEN_NULL);
        gen_error_clear(vm);
    }
    GenFunction table[] = {{"f(a: nosuch)", seven, NULL}, {NULL, NULL, NULL}};
    GenTypeDef type = {.name = "T", .methods = table}, made = {.name = "T", .construct = table};
    printf("in a module: %d", gen_register_module(vm, "m", table));
    gen_error_clear(vm);
    printf(", a type: %d", gen_type_new(vm, &type) != GEN_NULL);
    gen_error_clear(vm);
    printf(", a constructor: %d\n", gen_type_new(vm, &made) != GEN_NULL);
    gen_vm_free(vm);
    return 0;
}
