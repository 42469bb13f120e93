"""Compares the parser's trees with those of CPython over a folder of Python sources.

    python3 compare_ast.py PARSE_TOOL [FOLDER...]

Without a folder: the standard library of the python3 that runs this. Skips when there is none.
Differences that come from Python's version are taken out: positions inside f-strings (3.12 made
them exact), and docstrings.
"""
import ast
import os
import re
import subprocess
import sys
import warnings

warnings.simplefilter("ignore")
sys.setrecursionlimit(20000)


def constant(value):
    if isinstance(value, float):
        return "%.17g" % value
    if isinstance(value, complex):
        return "%.17gj" % value.imag
    if isinstance(value, str):
        return ascii(value)
    return repr(value)


def dump(node, positions):
    """ast.dump as of Python 3.13, with texts in ASCII."""
    if isinstance(node, ast.AST):
        parts = []
        for name, value in ast.iter_fields(node):
            if value is None and not (name == "value" and isinstance(node, (ast.Constant, ast.MatchSingleton))):
                continue
            if value == [] and isinstance(value, list):
                continue
            if name == "value" and isinstance(node, (ast.Constant, ast.MatchSingleton)):
                parts.append("value=" + constant(value))
            else:
                parts.append(name + "=" + dump(value, positions))
        if positions and "lineno" in node._attributes:
            for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
                parts.append("%s=%d" % (name, getattr(node, name)))
        return "%s(%s)" % (type(node).__name__, ", ".join(parts))
    if isinstance(node, list):
        return "[" + ", ".join(dump(item, positions) for item in node) + "]"
    return ascii(node)


def big_int(match):
    return str(int(match.group(0), 0))


def has_fstring(tree):
    return any(isinstance(node, ast.JoinedStr) for node in ast.walk(tree))


def compare(tool, path):
    with open(path, "rb") as file:
        source = file.read()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return "skipped"
    positions = sys.version_info >= (3, 13) or not has_fstring(tree)
    sys.set_int_max_str_digits(0)
    expected = dump(tree, positions)
    args = [tool] + (["-p"] if positions else []) + [path]
    actual = subprocess.run(args, capture_output=True).stdout.decode("ascii", "replace").rstrip("\n")
    actual = re.sub(r"(?<=value=)0[xob][0-9a-fA-F]+(?=[,)])", big_int, actual)
    if actual == expected:
        return "same"
    at = next((i for i, (a, b) in enumerate(zip(actual, expected)) if a != b), 0)
    print("%s: differs\n  here    ...%s\n  CPython ...%s" %
          (path, actual[max(0, at - 150):at + 150], expected[max(0, at - 150):at + 150]))
    return "different"


def main():
    tool = sys.argv[1]
    folders = sys.argv[2:] or [os.path.dirname(os.__file__)]
    counts = {}
    for folder in folders:
        for root, dirs, files in os.walk(folder):
            dirs.sort()
            for name in sorted(files):
                if name.endswith(".py"):
                    outcome = compare(tool, os.path.join(root, name))
                    counts[outcome] = counts.get(outcome, 0) + 1
    print(counts or "no sources found: skipped")
    return 1 if counts.get("different") else 0


sys.exit(main())
