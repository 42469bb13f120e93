#!/usr/bin/python3
"""Writes small random programs over statements and builtin types, runs each under CPython and under gen, and
compares what they print.

    tests/fuzz/differential.py [--gen build/gen] [--seed N] [--count N] [--keep FOLDER] [--confirm PYTHON3.14]

A program prints values and the types of exceptions, whose messages differ between versions of CPython. Those that
differ are written to the folder, named by their seed; a seed makes the same program for ever.
"""

import argparse
import random
import subprocess
import sys
from pathlib import Path

ATOMS = ["0", "1", "-1", "2", "7", "255", "10**20", "-2**63", "1.5", "-0.0", "1e308", "2.5e-5", "float('inf')",
         "True", "False", "None", "''", "'abc'", "'a b c'", "'\\xe9\\u4e2d'", "b'xy'", "bytearray(b'z')", "[]", "[1, 2, 3]",
         "[3, 1, 2]", "()", "(1, 'a')", "{}", "{'a': 1, 'b': 2}", "set()", "{1, 2}", "frozenset((2, 3))", "range(5)",
         "range(10, 0, -3)", "slice(1, None, 2)", "3j", "..."]
NAMES = ["a", "b", "c", "d"]
BINARY = ["+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">", ">=", "in", "not in",
          "is", "and", "or"]
CALLS = ["len", "repr", "str", "list", "tuple", "set", "sorted", "sum", "min", "max", "abs", "bool", "int", "float", "hash_",
         "reversed_", "enumerate_", "any", "all", "dict", "iter_", "bytes", "ord", "chr", "hex", "bin", "round", "type_",
         "divmod_", "zip_", "map_", "filter_", "frozenset", "ascii", "complex", "callable", "next_"]
METHODS = ["append(1)", "pop()", "pop(0)", "sort()", "reverse()", "index(1)", "count('a')", "upper()", "split()", "join(['x', 'y'])",
           "strip()", "replace('a', 'bb')", "find('b')", "encode()", "decode()", "keys()", "values()", "items()", "get('a')",
           "update(a)", "add(5)", "discard(1)", "union([9])", "copy()", "clear()", "insert(0, 'i')", "extend(b)", "remove(1)",
           "title()", "zfill(5)", "center(7, '*')", "partition('b')", "startswith('a')", "bit_length()", "conjugate()",
           "setdefault('k', 3)", "popitem()", "isdigit()", "format(1, 2)", "rjust(6)", "splitlines()", "as_integer_ratio()",
           "is_integer()", "hex()", "symmetric_difference([1, 8])", "issubset([1, 2, 3])", "casefold()", "swapcase()",
           "translate({97: 'Q'})", "expandtabs(3)", "rsplit('b', 1)", "to_bytes(9, 'big', signed=True)"]
SPECS = ["", "5", "<6", ">6", "^7", "+", "05", ",", ".2f", "x", "b", "e", ".3", "s", "10.4f", "#x", "%", "_", "c", "n"]

PRELUDE = '''
import itertools
def hash_(x): hash(x); return 'hashable'
def reversed_(x): return list(itertools.islice(reversed(x), 50))
def enumerate_(x): return list(itertools.islice(enumerate(x), 50))
def iter_(x): return list(itertools.islice(iter(x), 50))
def type_(x): return type(x).__name__
def divmod_(x): return divmod(x, 3)
def zip_(x): return list(itertools.islice(zip(x, 'pqr'), 50))
def map_(x): return list(itertools.islice(map(repr, x), 50))
def filter_(x): return list(itertools.islice(filter(None, x), 50))
def next_(x): return next(iter(x), 'none')
def show(x):
    t = repr(x)
    if '{' in t: t = ''.join(sorted(t))
    print(t if len(t) < 300 and ' at 0x' not in t else (type(x).__name__, len(t) > 300))
def guard(f):
    try:
        show(f())
    except Exception as e:
        print(type(e).__name__)
'''


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def one_of(self, items):
        return self.random.choice(items)

    def expression(self, depth):
        kind = self.random.randrange(16) if depth else self.random.randrange(3)
        e = lambda: self.expression(depth - 1)
        if kind == 0:
            return self.one_of(NAMES)
        if kind <= 2:
            return self.one_of(ATOMS)
        if kind <= 5:
            return f"({e()} {self.one_of(BINARY)} {e()})"
        if kind == 6:
            return f"({self.one_of(['not ', '-', '+', '~'])}{e()})"
        if kind == 7:
            return f"{self.one_of(CALLS)}({e()})"
        if kind == 8:
            return f"({e()}).{self.one_of(METHODS)}"
        if kind == 9:
            return f"({e()})[{self.one_of(['0', '-1', '1:', '::-1', ':2', '5', chr(39) + 'a' + chr(39), e()])}]"
        if kind == 10:
            return f"[{e()}, *{self.one_of(NAMES)}]" if self.random.random() < 0.5 else f"({e()}, {e()})"
        if kind == 11:
            return f"{{{e()}: {e()}}}" if self.random.random() < 0.5 else f"{{{e()}, {e()}}}"
        if kind == 12:
            form = self.one_of(["[{} for x in {} if {}]", "{{{} for x in {} if {}}}", "sorted(({} for x in {} if {}), key=repr)"])
            return form.format(self.one_of(["x", "(x, 1)", e()]), e(), self.one_of(["x", "True", e()]))
        if kind == 13:
            return f"({e()} if {e()} else {e()})"
        if kind == 14:
            return f"format({e()}, {self.one_of(SPECS)!r})"
        return f"(lambda *p, q={e()}: (p, q))({e()})"

    def block(self, depth, indent):
        return "".join(self.statement(depth, indent) for _ in range(1 + self.random.randrange(3)))

    def statement(self, depth, indent):
        pad = "    " * indent
        name = self.one_of(NAMES)
        kind = self.random.randrange(15) if depth else self.random.randrange(5)
        if kind <= 1:
            return f"{pad}guard(lambda: {self.expression(3)})\n"
        if kind <= 3:
            return (f"{pad}try: {name} = {self.expression(2)}\n{pad}except Exception as e: print(type(e).__name__)\n")
        if kind == 4:
            op = self.one_of(["+", "-", "*", "|", "&", "//", "%"])
            return f"{pad}try: {name} {op}= {self.expression(1)}\n{pad}except Exception as e: print(type(e).__name__)\n"
        body = self.block(depth - 1, indent + 1)
        if kind == 5:
            return f"{pad}if {self.one_of(NAMES)}:\n{body}{pad}else:\n{self.block(depth - 1, indent + 1)}"
        if kind == 6:
            return (f"{pad}for {name} in range({self.random.randrange(4)}):\n{body}"
                    f"{pad}    if {self.random.randrange(3)} == 1: {self.one_of(['break', 'continue'])}\n"
                    f"{pad}else:\n{pad}    print('else')\n")
        if kind == 7:
            return (f"{pad}try:\n{body}{pad}    raise {self.one_of(['ValueError', 'KeyError(1)', 'StopIteration(3)'])}\n"
                    f"{pad}except {self.one_of(['ValueError', 'LookupError', 'Exception'])} as e:\n{pad}    print('caught', repr(e))\n"
                    f"{pad}except Exception: print('other')\n{pad}finally:\n{pad}    print('finally')\n")
        if kind == 8:
            number = self.random.randrange(10**6)
            return (f"{pad}def g{number}(a, b=2, *c, d=None):\n{body}{pad}    yield {self.expression(1)}\n"
                    f"{pad}    got = yield a\n{pad}    return got\n"
                    f"{pad}guard(lambda: list(g{number}({self.expression(1)}, *[1])))\n")
        if kind == 9:
            number = self.random.randrange(10**6)
            return (f"{pad}def f{number}(a, b=(), *c, d=4):\n{body}{pad}    return a, b, c, d\n"
                    f"{pad}guard(lambda: f{number}({self.expression(1)}, {self.one_of(['d=1', 'b=2', '*(1, 2)', '**{}'])}))\n")
        if kind == 10:
            return (f"{pad}try:\n{pad}    match {self.expression(1)}:\n{pad}        case [x, *rest]: show((x, rest))\n"
                    f"{pad}        case {{'a': y, **more}}: show((y, more))\n{pad}        case int(n) | float(n) if n: show(n)\n"
                    f"{pad}        case str() as s: show(s)\n{pad}        case None | True: print('constant')\n"
                    f"{pad}        case _: print('no')\n{pad}except Exception as e: print(type(e).__name__)\n")
        if kind == 11:
            return (f"{pad}try: {self.one_of(['a, b', 'a, *b', '[a, (b, c)]', '*a, b'])} = {self.expression(2)}\n"
                    f"{pad}except Exception as e: print(type(e).__name__)\n")
        if kind == 12:
            number = self.random.randrange(10**6)
            return (f"{pad}class K{number}:\n{pad}    x = 1\n{body.replace(pad + '    ', pad + '    ', 1)}"
                    f"{pad}    def __eq__(self, o): return {self.expression(1)}\n{pad}    def __len__(self): return 3\n"
                    f"{pad}guard(lambda: (bool(K{number}()), K{number}() == 1, [K{number}.x], len(K{number}())))\n")
        if kind == 13:
            return f"{pad}try: del {name}[{self.one_of(['0', ':1', '1', repr('a')])}]\n{pad}except Exception as e: print(type(e).__name__)\n"
        return f"{pad}try: {name}[{self.one_of(['0', ':1', '::2', repr('a')])}] = {self.expression(1)}\n{pad}except Exception as e: print(type(e).__name__)\n"

    def program(self):
        start = "".join(f"{name} = {self.one_of(ATOMS)}\n" for name in NAMES)
        body = "".join(self.statement(3, 0) for _ in range(12))
        return PRELUDE + start + body + "guard(lambda: (a, b, c, d))\n"


def run(command):
    try:
        done = subprocess.run(command, capture_output=True, timeout=10)
        return done.stdout, done.returncode, done.stderr
    except subprocess.TimeoutExpired:
        return b"", "timeout", b""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gen", default="build/gen")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--keep", default="/tmp/differential")
    parser.add_argument("--confirm", help="a newer CPython, whose word is final")
    options = parser.parse_args()
    folder = Path(options.keep)
    folder.mkdir(parents=True, exist_ok=True)
    different = 0
    for seed in range(options.seed, options.seed + options.count):
        path = folder / f"{seed}.py"
        path.write_text(Maker(seed).program())
        expected, actual = run([sys.executable, "-I", "-W", "ignore", str(path)]), run([options.gen, str(path)])
        if expected[:2] == actual[:2] or expected[1] == "timeout" or b"MemoryError" in expected[0]:
            path.unlink()
            continue
        if options.confirm and run([options.confirm, str(path)])[:2] == actual[:2]:
            path.unlink()
            continue
        different += 1
        print(f"{path}: differs")
    print(f"{options.count} programs, {different} differ")


main()
