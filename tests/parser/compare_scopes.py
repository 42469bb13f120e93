"""Compares the variables that functions share with those of CPython, over a folder of sources.

    python3 compare_scopes.py PARSE_TOOL [FOLDER]

Needs Python 3.12 or newer, where comprehensions are part of the code around them. For every function,
class, lambda and generator expression the sets of cells and of free variables must be those of the
code object. Files with annotations in functions, with type parameters or with __future__ imports are
passed over: there the versions differ.
"""
import ast
import os
import re
import subprocess
import sys
import types
import warnings
from collections import Counter

warnings.simplefilter("ignore")
sys.setrecursionlimit(20000)
LINE = re.compile(r"^( *)(module|class|function|lambda|comprehension|annotations|type \w+) (\S+):(.*)$")


def names(text, title):
    found = re.search(r" %s\(([^)]*)\)" % title, text)
    return found.group(1).split() if found else []


def ours(text):
    """The scopes with code of their own; the cells of comprehensions belong to the code around."""
    found = []
    stack = []
    for line in text.splitlines():
        match = LINE.match(line)
        depth = len(match.group(1)) // 2
        del stack[depth:]
        entry = {"name": match.group(3), "kind": match.group(2), "cells": set(), "frees": set(names(line, "frees"))}
        owner = entry
        if " inlined" in match.group(4):
            owner = stack[-1]["owner"]
        entry["owner"] = owner
        owner["cells"] |= set(names(line, "cells"))
        stack.append(entry)
        if owner is entry:
            found.append(entry)
    return found


def codes(code):
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from codes(const)


def has_new_scopes(tree):
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            args = node.args
            every = args.posonlyargs + args.args + args.kwonlyargs + [args.vararg, args.kwarg]
            if node.returns or any(arg and arg.annotation for arg in every):
                return True
        if isinstance(node, ast.AnnAssign) or getattr(node, "type_params", None):
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            return True
    return False


def compare(tool, path):
    with open(path, "rb") as file:
        source = file.read()
    try:
        tree = ast.parse(source)
        if has_new_scopes(tree):
            return "skipped"
        code = compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return "skipped"
    out = subprocess.run([tool, "-c", path], capture_output=True).stdout.decode("utf-8", "replace")
    if not out.startswith("module"):
        return "skipped"
    here = Counter((e["name"], frozenset(e["cells"]), frozenset(e["frees"])) for e in ours(out))
    there = Counter((c.co_name, frozenset(c.co_cellvars), frozenset(c.co_freevars)) for c in codes(code))
    # Code that can never run, as under `if 0`, is left out there.
    missing = there - here
    if not missing and all(name for name, _, _ in (here - there)):
        extra = here - there
        return "same" if not extra else "same but for unreachable code"
    print(path, "here only", dict(here - there), "there only", dict(missing))
    return "different"


def main():
    tool = sys.argv[1]
    folder = sys.argv[2] if len(sys.argv) > 2 else os.path.dirname(os.__file__)
    counts = Counter()
    for root, dirs, files in os.walk(folder):
        dirs.sort()
        for name in sorted(files):
            if name.endswith(".py"):
                counts[compare(tool, os.path.join(root, name))] += 1
    print(dict(counts) or "no sources found: skipped")
    return 1 if counts["different"] else 0


if sys.version_info < (3, 12):
    print("needs Python 3.12: skipped")
    sys.exit(0)
sys.exit(main())
