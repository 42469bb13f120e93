/* The stack moves while a native function runs: script that the native calls goes deep. The frame
 * that called the native goes on where the stack is now, in plain code, in a generator, in
 * arguments of operators, attributes and sort keys, and where the native asks for a last call. */
#include "genvm.h"

#include <stdio.h>

static GenRef deep(GenVM *vm, GenRef n) {
    return gen_call(vm, gen_get_global(vm, "down"), 1, &n);
}
static GenRef moves(GenVM *vm, const GenRef *args) {
    return deep(vm, args[0]) == GEN_NULL ? GEN_NULL : args[0];
}
static GenRef moves_then_calls(GenVM *vm, const GenRef *args) {
    return deep(vm, args[1]) == GEN_NULL ? GEN_NULL : gen_call_last(vm, args[0], 1, &args[1]);
}
static GenRef moves_then_fails(GenVM *vm, const GenRef *args) {
    return deep(vm, args[0]) == GEN_NULL ? GEN_NULL : gen_raise(vm, "ValueError", "moved");
}

/* ---- a class whose every method moves the stack ---- */

extern const GenTypeDef mover_type;
static int64_t depth;

static GenRef move_here(GenVM *vm, GenRef answer) {
    return deep(vm, gen_int(vm, depth)) == GEN_NULL ? GEN_NULL : answer;
}
static GenRef construct(GenVM *vm, const GenRef *args) {
    return move_here(vm, gen_object_new(vm, args[0]));
}
static GenRef give_int(GenVM *vm, const GenRef *args) {
    (void)args;
    return move_here(vm, gen_int(vm, 3));
}
static GenRef give_true(GenVM *vm, const GenRef *args) {
    (void)args;
    return move_here(vm, gen_bool(vm, true));
}
static GenRef give_last(GenVM *vm, const GenRef *args) {
    return move_here(vm, args[1]);
}
static GenRef give_self(GenVM *vm, const GenRef *args) {
    return move_here(vm, args[0]);
}
static GenRef give_text(GenVM *vm, const GenRef *args) {
    (void)args;
    return move_here(vm, gen_str(vm, "text"));
}

static const GenFunction constructor = {"Mover(cls)", construct, NULL};
static const GenFunction methods[] = {{"__add__(self, x)", give_last, NULL},
                                      {"__radd__(self, x)", give_last, NULL},
                                      {"__iadd__(self, x)", give_self, NULL},
                                      {"__neg__(self)", give_self, NULL},
                                      {"__eq__(self, x)", give_true, NULL},
                                      {"__lt__(self, x)", give_true, NULL},
                                      {"__hash__(self)", give_int, NULL},
                                      {"__len__(self)", give_int, NULL},
                                      {"__getitem__(self, x)", give_last, NULL},
                                      {"__setitem__(self, x, y)", give_self, NULL},
                                      {"__delitem__(self, x)", give_self, NULL},
                                      {"__contains__(self, x)", give_true, NULL},
                                      {"__iter__(self)", give_self, NULL},
                                      {"__next__(self)", give_int, NULL},
                                      {"__call__(self, x, *rest)", give_last, NULL},
                                      {"__bool__(self)", give_true, NULL},
                                      {"__index__(self)", give_int, NULL},
                                      {"__repr__(self)", give_text, NULL},
                                      {"__format__(self, x)", give_last, NULL},
                                      {"__enter__(self)", give_self, NULL},
                                      {"__exit__(self, *x)", give_true, NULL},
                                      {"__getattr__(self, x)", give_last, NULL},
                                      {"method(self, x)", give_last, NULL},
                                      {NULL, NULL, NULL}};
static const GenProperty properties[] = {{"property", give_int, give_self, NULL},
                                         {NULL, NULL, NULL, NULL}};
const GenTypeDef mover_type = {.name = "Mover",
                               .module = "host",
                               .construct = &constructor,
                               .methods = methods,
                               .properties = properties};

static const GenFunction functions[] = {
    {"moves(n)", moves, NULL},
    {"moves_then_calls(f, n)", moves_then_calls, NULL},
    {"moves_then_fails(n)", moves_then_fails, NULL},
    {NULL, NULL, NULL},
};

static const char script[] =
    "from host import *\n"
    "def down(n): return n and 1 + down(n - 1)\n"
    "def plain(n):\n"
    "    before, here = [n], moves(n)\n"
    "    return before, here, moves_then_calls(lambda x: (x, before), n), before\n"
    "def steps(n):\n"
    "    for i in range(3):\n"
    "        a = moves(n) + moves_then_calls(abs, n)\n"
    "        b = yield a, i\n"
    "        try: moves_then_fails(n)\n"
    "        except ValueError as e: yield str(e), b\n"
    "class Odd:\n"
    "    def __init__(self, n): self.n = n\n"
    "    __add__ = lambda self, n: (moves(n), self.n)\n"
    "    __lt__ = lambda self, other: moves_then_calls(self.less, other.n)\n"
    "    def less(self, n): return self.n < n\n"
    "    def __getattr__(self, name): return name, moves(self.n)\n"
    "    def __iter__(self): yield from steps(self.n)\n"
    "    __repr__ = lambda self: f'Odd({moves(self.n)})'\n"
    "def all_methods(n):\n"
    "    m = Mover()\n"
    "    yield [m + n, n + m, -m is m, m == n, m < n, {m: n}[m], len(m), m[n], n in m] == [\n"
    "        n, n, True, True, True, n, 3, n, True]\n"
    "    m[n] = n\n"
    "    del m[n]\n"
    "    first = []\n"
    "    for x in m:\n"
    "        first.append((x, n))\n"
    "        if len(first) == 2: break\n"
    "    yield first, m(n), m(n, 1, 2), bool(m), [5, 6, 7, n][m], f'{m:x} {m!r}', m.missing\n"
    "    with m as same: 1 / 0\n"
    "    m.property = n\n"
    "    m += n\n"
    "    yield m.property, m.method(n), same is m, (a := n, m + a), [m + i for i in (n, n)]\n"
    "def check_all(n):\n"
    "    wanted = [True, ([(3, n)] * 2, n, n, True, n, 'x text', 'missing'),\n"
    "              (3, n, True, (n, n), [n, n])]\n"
    "    assert list(all_methods(n)) == wanted, list(all_methods(n))\n"
    "def test(n):\n"
    "    check_all(n)\n"
    "    assert plain(n) == ([n], n, (n, [n]), [n])\n"
    "    g = steps(n)\n"
    "    assert [next(g), g.send('b'), next(g)] == [(2 * n, 0), ('moved', 'b'), (2 * n, 1)]\n"
    "    assert Odd(n) + n == (n, n) and Odd(n).x == ('x', n) and len(list(Odd(n))) == 6\n"
    "    assert repr(sorted([Odd(n + 1), Odd(n)])) == f'[Odd({n}), Odd({n + 1})]'\n"
    "    assert sorted([n, n - 1], key=moves) == [n - 1, n]\n"
    "    assert [*map(moves, [n, n])] == [n, n] and {moves(n): moves(n)} == {n: n}\n"
    "    assert max(n, n + 1, key=lambda x: -moves(x)) == n\n";

int main(void) {
    int wrong = 0;
    for (depth = 1; depth < 700; depth += 1 + depth / 8) {
        GenVM *vm = gen_vm_new(NULL); /* with a stack that is as small as at first */
        GenRef test = GEN_NULL, n = gen_int(vm, depth);
        bool good = gen_register_module(vm, "host", functions) &&
                    gen_set_global(vm, "Mover", gen_type_new(vm, &mover_type)) &&
                    gen_run_string(vm, script, "script") &&
                    (test = gen_get_global(vm, "test")) != GEN_NULL &&
                    gen_call(vm, test, 1, &n) != GEN_NULL;
        if (!good) printf("depth %d: %s", (int)depth, gen_error_text(vm)), wrong++;
        gen_vm_free(vm);
    }
    printf(wrong ? "%d wrong\n" : "the stack moves and nobody minds\n", wrong);
    return wrong;
}
