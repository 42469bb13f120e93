#!/usr/bin/python3
"""Writes random programs over the whole language from the grammar beside it (programs.grammar) and compares what they
do under CPython and under gen: values, the order in which operands are looked at, types and messages of exceptions,
tracebacks.

    tests/fuzz/programs.py [--gen build/gen] [--seed N] [--count N] [--keep FOLDER] [--python PYTHON | --server COMMAND]
                           [--suspend] [--steps] [--alone] [--shrink] [--show]

`--python` is the CPython that is right, 3.14; where there is none as a command, `--server` names one that reads paths of
programs, one a line, and answers each with a line of JSON: [output, error output, status]. With `--suspend` each program runs once more, saved and loaded every few steps (that needs `make test-programs`);
with `--steps` it runs twice in the sandbox under a budget, and has to end at the same place; with `--alone` gen is compared with nothing but itself. `--shrink` takes statements
away from what differs for as long as it still does. Programs that differ stay in the folder, named by their seed; a
seed makes the same program for ever, and `--show` prints it.
"""

import argparse
import json
import random
import re
import select
import subprocess
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOLE = re.compile(r"<([a-zA-Z_]+)((?:[+-][a-z]+)*)>")
SUSPENSIONS = [1, 2, 3, 5, 7, 11, 50]
END = "\nimport os\nsys.stdout.flush()\nos._exit(0)\n"
# What is closed after the end says nothing any more.
QUIET = "\nimport io\nout = print = lambda *what: None\nsys.stdout.flush()\nsys.stderr = io.StringIO()\n"


class Choice:
    """One alternative of a rule: the flags it needs (and those it must not have), and its text."""

    def __init__(self, text):
        self.needs, self.hates, self.weight = set(), set(), 1
        while found := re.match(r"@([!a-z0-9]+)(?: |$)", text):
            word, text = found[1], text[found.end():]
            if word.isdigit():
                self.weight = int(word)
            elif word[0] == "!":
                self.hates |= set(word[1:])
            else:
                self.needs |= set(word)
        self.text, self.names, self.height = text, [m[1] for m in HOLE.finditer(text)], 99

    def fits(self, flags):
        return self.needs <= flags and not self.hates & flags


def read_grammar(path):
    """`name =` begins a rule with an alternative a line, `name:` one whose alternatives are blocks."""
    prelude, _, text = path.read_text().partition("\n%%\n")
    rules, name, lines = {}, None, False
    for part in re.split(r"^(\w+) ?([=:])\n", text, flags=re.M)[1:]:
        if part in "=:":
            lines = part == "="
        elif re.fullmatch(r"\w+", part):
            name = part
        else:
            body = re.sub(r"^#:.*\n", "", part, flags=re.M)
            items = body.splitlines() if lines else re.split(r"\n\s*\n", body.strip("\n"))
            cut = [re.sub(r"^    ", "", item, flags=re.M) for item in items if item.strip()]
            rules[name] = [Choice(item) for item in cut]
    measure(rules)
    return prelude, rules


def measure(rules):
    """How deep each alternative goes at least, by ways that need no flags."""
    heights = dict.fromkeys(rules, 99)
    for _ in range(30):
        for name, choices in rules.items():
            for choice in choices:
                choice.height = 1 + max((heights.get(n, 0) for n in choice.names), default=0)
            heights[name] = min(choice.height for choice in choices if not choice.needs)


class Maker:
    def __init__(self, seed, grammar):
        self.random = random.Random(seed)
        self.prelude, self.rules = grammar
        self.number = 0

    def expand(self, name, flags, depth):
        choices = [c for c in self.rules[name] if c.fits(flags)]
        low = min(c.height for c in choices if not c.needs)
        reach = [c for c in choices if c.height <= max(depth, low)]
        choice = self.random.choices(reach, [c.weight for c in reach])[0]
        if "<N>" in choice.text:
            self.number += 1
        number = self.number
        pieces, end = [], 0
        for hole in HOLE.finditer(choice.text):
            pieces.append(choice.text[end:hole.start()])
            end = hole.end()
            pieces.append(self.fill(hole, number, flags, depth, "".join(pieces)))
        return "".join(pieces) + choice.text[end:]

    def fill(self, hole, number, flags, depth, before):
        if hole[1] not in self.rules and hole[1] not in ("N", "digit"):
            return hole[0]
        if hole[1] == "N":
            return str(number)
        if hole[1] == "digit":
            return str(self.random.randrange(10))
        inner = set(flags)
        for change in re.findall(r"[+-][a-z]+", hole[2]):
            inner = inner | set(change[1:]) if change[0] == "+" else inner - set(change[1:])
        text = self.expand(hole[1], inner, depth - 1)
        line = before.rpartition("\n")[2]
        return text.replace("\n", "\n" + line[:len(line) - len(line.lstrip())])

    def piece(self, right):
        """One that compiles, or one that does not."""
        while True:
            text = self.expand("piece", set(), self.random.choice([5, 6, 7, 8]))
            if compiles(text) == right:
                return text

    def program(self):
        if self.random.random() < 0.04:
            return self.prelude + "\n" + self.piece(False) + "\n"
        parts = [self.piece(True) for _ in range(self.random.randrange(4, 12))]
        for at in range(len(parts) - (self.random.random() < 0.3)):
            parts[at] = "try:\n    " + parts[at].replace("\n", "\n    ") + "\nexcept BaseException as e:\n    out(tell(e))"
        return self.prelude + "\n" + "\n".join(parts) + "\n"


def compiles(text):
    try:
        compile(text, "piece", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def run(command, folder=None, timeout=20):
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout, cwd=folder)
        return done.stdout, done.returncode, (done.stderr.strip().splitlines() or [b""])[-1]
    except subprocess.TimeoutExpired:
        return b"", "timeout", b""


class Judge:
    """Says whether a program does under gen what it does under CPython, in every way that was asked for."""

    def __init__(self, options):
        self.options = options
        self.saver = options.gen.parent / "programs/tests/suspend/save_and_go_on-c11"
        self.folder = Path(options.keep)
        self.server = None
        self.refused = self.spared = 0

    def expectation(self, path):
        if self.options.server:
            return self.ask_server(path)
        return run([self.options.python, "-I", "-S", "-W", "ignore", path.name], self.folder)

    def ask_server(self, path):
        if not self.server:
            self.server = subprocess.Popen(self.options.server.split(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.server.stdout.readline()
        self.server.stdin.write(f"{path}\n".encode())
        self.server.stdin.flush()
        ready, _, _ = select.select([self.server.stdout], [], [], 10)
        line = self.server.stdout.readline() if ready else b""
        if not line.endswith(b"]\n"):
            self.server.kill()
            self.server.wait()
            self.server = None
            return b"", "timeout", b""
        output, errors, status, *_ = json.loads(line)
        return output.encode(errors="surrogatepass"), status, (errors.encode().strip().splitlines() or [b""])[-1]

    def difference(self, program, path, steps):
        """What differs, in words, or None."""
        if not self.options.alone:
            path.write_text(program if self.options.server else program + END)
            expected = self.expectation(path)
            if expected[1] == "timeout" or re.search(rb"MemoryError|RecursionError", expected[0]):
                self.spared += 1
                return None
            if b"SyntaxError" in expected[2]:
                self.refused += 1
        path.write_text(program + END)
        actual = run([str(self.options.gen), "-W", "ignore", path.name], self.folder)
        if not self.options.alone and expected != actual:
            return "differs"
        if actual[1] != 0:
            return "crashes" if actual[1] not in (1, "timeout") else None
        if self.options.steps and not self.same_steps(path):
            return "ends elsewhere when its steps are counted again"
        return self.options.suspend and self.difference_saved(program, path, actual[0], steps) or None

    def same_steps(self, path):
        """Whether two runs under a budget of steps are equal; what was written before it trips is what the engine did."""
        command = [str(self.options.gen), "-W", "ignore", "--sandbox", "--max-steps", "40k", path.name]
        return run(command, self.folder) == run(command, self.folder)

    def difference_saved(self, program, path, output, steps):
        path.write_text(program + QUIET)
        here = f"{path.parent}/".encode()
        path.with_suffix(".out").write_bytes(output.replace(here, b""))
        warned = subprocess.run([self.options.gen, path.name], capture_output=True, cwd=self.folder).stderr
        path.with_suffix(".err").write_bytes(warned.replace(here, b""))
        done = run([str(self.saver), str(steps), path.name], self.folder, 120)
        path.with_suffix(".out").unlink()
        path.with_suffix(".err").unlink()
        return f"differs when it is saved every {steps} steps ({done[1]})" if done[1] else None


def statements(lines, start):
    """The lines from `start` to the end of the statement that begins there."""
    depth = len(lines[start]) - len(lines[start].lstrip())
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > depth):
        end += 1
    return end


def shrink(program, prelude, differs):
    """Takes statements away, then whole blocks' heads, as long as the rest still differs."""
    lines, changed = program[len(prelude):].splitlines(), True
    while changed:
        changed = False
        at = 0
        while at < len(lines):
            end = statements(lines, at)
            rest = [lines[:at] + lines[end:]]
            if end > at + 1:
                inner = lines[at + 1:end]
                rest.append(lines[:at] + [line[4:] for line in inner] + lines[end:])
            indent = len(lines[at]) - len(lines[at].lstrip())
            if lines[at].strip() != "pass":
                rest.append(lines[:at] + [" " * indent + "pass"] + lines[end:])
            for candidate in rest:
                if differs(prelude + "\n".join(candidate) + "\n"):
                    lines, changed = candidate, True
                    break
            else:
                at += 1
    return prelude + "\n".join(lines) + "\n"


def shrink_one(judge, program, path, steps, prelude, why):
    """The smallest program that differs in the same way (a new error of CPython's own is another way)."""
    scratch = path.with_name(path.stem + "-try.gen")

    def differs(candidate):
        return compiles(candidate) == compiles(program) and judge.difference(candidate, scratch, steps) == why

    small = shrink(program, prelude, differs)
    scratch.unlink(missing_ok=True)
    path.with_name(path.stem + "-small.gen").write_text(small)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gen", default=ROOT / "build/gen")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--server")
    parser.add_argument("--grammar", default=HERE / "programs.grammar")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--keep", default="/tmp/programs")
    for flag in ["--suspend", "--steps", "--alone", "--shrink", "--show"]:
        parser.add_argument(flag, action="store_true")
    options = parser.parse_args()
    options.gen = Path(options.gen).resolve()
    warnings.simplefilter("ignore")
    grammar = read_grammar(Path(options.grammar))
    if options.show:
        print(Maker(options.seed, grammar).program())
        return
    judge, different = Judge(options), 0
    judge.folder.mkdir(parents=True, exist_ok=True)
    for seed in range(options.seed, options.seed + options.count):
        path = judge.folder.resolve() / f"{seed}.gen"
        program = Maker(seed, grammar).program()
        steps = SUSPENSIONS[seed % len(SUSPENSIONS)]
        if not (why := judge.difference(program, path, steps)):
            path.unlink()
            continue
        different += 1
        print(f"{path}: {why}", flush=True)
        if options.shrink:
            shrink_one(judge, program, path, steps, grammar[0] + "\n", why)
    print(f"{options.count} programs, {different} differ; {judge.refused} that CPython refuses, {judge.spared} not compared")


main()
