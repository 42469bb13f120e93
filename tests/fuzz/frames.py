#!/usr/bin/python3
"""Writes small random programs over what can be suspended - generators, coroutines, asynchronous generators, tasks - and
compares what they do under CPython and under gen: values, exceptions with their contexts and the lines of their
tracebacks, what introspection shows of the frames, the order in which tasks run.

    tests/fuzz/frames.py [--gen build/gen] [--seed N] [--count N] [--keep FOLDER] [--python PYTHON] [--suspend STEPS]

With --suspend, each program that is the same runs once more, saved and loaded every STEPS steps; that needs
`make test-programs`. Programs that differ stay in the folder, named by their seed; a seed makes the same program for ever.
"""

import argparse
import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ERRORS = ["ValueError", "KeyError", "StopIteration", "GeneratorExit", "RuntimeError", "StopAsyncIteration"]

# What lives is held to the end, so that nothing depends on when garbage is collected.
PRELUDE = '''
import asyncio, traceback, types
held, lines = [], 0
def keep(x):
    held.append(x)
    return x
def log(*what):
    global lines
    lines += 1
    if lines < 400: print(*what)
def tell(e, depth=0):
    if e is None: return 'None'
    if depth > 6: return '...'
    inside = [tell(x, depth + 1) for x in e.exceptions] if isinstance(e, BaseExceptionGroup) else ''
    # (3.13 and 3.14 differ in the tracebacks of groups that except* makes)
    where = [(f.name, f.lineno) for f in traceback.extract_tb(e.__traceback__) if f.filename == __file__][-6:] if depth == 0 and not inside else ''
    return ' '.join(map(str, (type(e).__name__, e.args, where, inside, 'context', tell(e.__context__, depth + 1),
                              'cause', tell(e.__cause__, depth + 1), e.__suppress_context__)))
def name(x):
    if hasattr(x, 'get_name'): return x.get_name()
    return getattr(x, '__qualname__', type(x).__name__) if x is not None else None
class Plain:
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def __next__(self):
        self.n -= 1
        if self.n < 0: raise StopIteration('plain')
        return self.n
class Full(Plain):
    def send(self, x): log('sent', x); return next(self)
    def throw(self, e):
        log('thrown', tell(e))
        if self.n % 2: raise e
        return next(self)
    def close(self): log('closed')
class Closes(Plain):
    def close(self): raise KeyError('close')
class Guard:
    def __init__(self, swallow): self.swallow = swallow
    def __enter__(self): log('enter'); return 5
    def __exit__(self, t, e, tb): log('exit', tell(e)); return self.swallow
    async def __aenter__(self): log('aenter'); await tick(); return 6
    async def __aexit__(self, t, e, tb): log('aexit', tell(e)); await tick(); return self.swallow
class Tick:
    def __init__(self, v): self.v = v
    def __await__(self): return (yield from Plain(self.v))
class Twice:
    def __await__(self):
        try:
            got = yield 'twice'
            log('twice got', got)
        finally:
            yield 'again'
        return 'awaited'
class Async:
    def __init__(self, n): self.n = n
    def __aiter__(self): return self
    async def __anext__(self):
        self.n -= 1
        if self.n < 0: raise StopAsyncIteration
        await tick()
        return self.n
def step(f):
    try:
        log('->', f())
    except BaseException as e:
        log('!!', tell(e))
def show_generator(g):
    log('gi', g.gi_frame is None, g.gi_frame and g.gi_frame.f_lineno, g.gi_running, g.gi_suspended, name(g.gi_yieldfrom))
def show_coroutine(c):
    log('cr', c.cr_frame is None, c.cr_frame and c.cr_frame.f_lineno, c.cr_running, c.cr_suspended, name(c.cr_await))
def some(it, n):
    r = []
    for x in it:
        r.append(x)
        if len(r) == n: break
    return r
'''
PURE_TICK = '''
@types.coroutine
def tick(v='tick'):
    return (yield v)
def drive(c, ops):
    for op, v in ops:
        if op == 'send': step(lambda: c.send(v))
        elif op == 'throw': step(lambda: c.throw(v))
        elif op == 'close': step(c.close)
        else: show_coroutine(c)
    step(c.close)
'''
LOOP_TICK = '''
async def tick(v='tick'):
    await asyncio.sleep(0)
    return v
'''


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.kind = self.one_of(["generators", "generators", "coroutines", "tasks"])

    def one_of(self, items):
        return self.random.choice(items)

    def chance(self, p):
        return self.random.random() < p

    # -- expressions; `self.asynchronous`: in an async function; `self.yields`: yield is allowed

    def error(self):
        return f"{self.one_of(ERRORS)}({self.random.randrange(9)})"

    def inner(self):
        """Something to iterate or to delegate to."""
        choices = ["range(2)", "[7, 8]", "Plain(2)", "Full(3)", "Closes(2)", "(v * 2 for v in range(3))", "iter('xy')", "()"]
        if self.level:
            choices += [f"keep(g{self.random.randrange(self.level)}({self.random.randrange(4)}))"] * 6
        return self.one_of(choices)

    def awaitable(self):
        choices = ["tick()", "tick(3)", "coroutine(4)"]
        if self.kind == "tasks":
            choices += ["asyncio.sleep(0)", "asyncio.sleep(0, 'slept')", "queue.get()", "queue.put(1)", "event.wait()", "lock_it(a)",
                        "asyncio.gather(coroutine(1), failing(2), return_exceptions=True)", "asyncio.gather(coroutine(1), failing(2))",
                        "asyncio.wait_for(coroutine(9), None)", "asyncio.shield(coroutine(2))", "spawn(coroutine(5))", "spawn(failing(3))",
                        "wait([spawn(coroutine(1)), spawn(failing(1))])"]
        else:
            choices += ["Tick(2)", "Twice()", "failing(1)"]
        if self.level:
            choices += [f"keep(c{self.random.randrange(self.level)}({self.random.randrange(4)}))"] * 6
        return self.one_of(choices)

    def async_iterable(self):
        choices = ["Async(2)", "Async(0)"]
        if self.level:
            choices += [f"keep(a{self.random.randrange(self.level)}({self.random.randrange(4)}))"] * 4
        return self.one_of(choices)

    def value(self, depth=2):
        kind = self.random.randrange(14) if depth else self.random.randrange(3)
        v = lambda: self.value(depth - 1)
        if kind == 0:
            return self.one_of(["a", "b", "a", "b", "len(held) * 0"])
        if kind <= 2:
            return str(self.random.randrange(9))
        if kind <= 6 and self.yields:
            if not self.asynchronous and self.chance(0.3):
                return f"(yield from {self.inner()})"
            return f"(yield {v()})"
        if kind <= 8 and self.asynchronous:
            return f"(await {self.awaitable()})"
        if kind == 9:
            return f"({v()}, {v()})"
        if kind == 10:
            return f"[{v()}, *({v()},), {v()}]"
        if kind == 11:
            return f"dict(k={v()}, l={v()})"
        if kind == 12:
            return f"f'{{{v()}!r:>3}} {{{v()}!s}}'"
        if kind == 13 and self.asynchronous and not self.yields:
            return f"[x async for x in {self.async_iterable()}]"
        return f"pair({v()}, z={v()})"

    def block(self, depth, indent):
        return "".join(self.statement(depth, indent) for _ in range(1 + self.random.randrange(3)))

    def finish(self, pad):
        choices = [f"raise {self.error()}", f"raise {self.error()} from {self.error()}", f"raise {self.error()} from None"]
        if self.asynchronous and self.yields:
            choices += ["return"]
        else:
            choices += [f"return {self.value(1)}", "return"]
        if self.in_loop:
            choices += ["break", "continue"] * 2
        return f"{pad}if {self.one_of(['a', 'b', 'not a', 'True'])}: {self.one_of(choices)}\n"

    def loop(self, depth, indent, head):
        pad = "    " * indent
        before, self.in_loop = self.in_loop, True
        body = self.block(depth - 1, indent + 1)
        self.in_loop = before
        rest = f"{pad}else:\n{self.block(depth - 1, indent + 1)}" if self.chance(0.3) else ""
        return f"{pad}{head}:\n{body}{rest}"

    def statement(self, depth, indent):
        pad = "    " * indent
        kind = self.random.randrange(17) if depth else self.random.randrange(6)
        if kind <= 1:
            return f"{pad}log('{self.random.randrange(99)}', {self.value()})\n"
        if kind == 2:
            return f"{pad}{self.one_of('ab')} = {self.value()}\n"
        if kind == 3:
            return f"{pad}b = {'await ' + self.awaitable() if self.asynchronous else self.value()}\n"
        if kind == 4:
            return f"{pad}yield {self.value(1)}\n" if self.yields else f"{pad}a = {self.value()}\n"
        if kind == 5:
            return self.finish(pad) if self.chance(0.6) else f"{pad}pass\n"
        if kind <= 7:
            caught = self.one_of(["Exception", "ValueError", "BaseException", "(KeyError, RuntimeError)", "GeneratorExit"])
            star = "*" if self.chance(0.15) and caught != "GeneratorExit" else ""
            before = self.in_loop
            text = f"{pad}try:\n{self.block(depth - 1, indent + 1)}"
            if star:
                self.in_loop = False
                handler = f"{pad}    log('group', tell(e))\n{pad}    b = {self.value(1)}\n"
            else:
                handler = f"{pad}    log('caught', tell(e))\n{self.block(depth - 1, indent + 1)}"
                if self.chance(0.2):
                    handler += f"{pad}    raise\n"
            self.in_loop = before
            text += f"{pad}except{star} {caught} as e:\n{handler}"
            if self.chance(0.3):
                text += f"{pad}else:\n{self.block(depth - 1, indent + 1)}"
            if self.chance(0.4):
                text += self.cleanup(depth, indent)
            return text
        if kind <= 9:
            return f"{pad}try:\n{self.block(depth - 1, indent + 1)}{self.cleanup(depth, indent)}"
        if kind == 10:
            a = "async " if self.asynchronous and self.chance(0.6) else ""
            return f"{pad}{a}with Guard({self.one_of(['True', 'False'])}) as {self.one_of('ab')}:\n{self.block(depth - 1, indent + 1)}"
        if kind <= 12:
            if self.asynchronous and self.chance(0.6):
                return self.loop(depth, indent, f"async for {self.one_of('ab')} in {self.async_iterable()}")
            return self.loop(depth, indent, f"for {self.one_of('ab')} in {self.inner()}")
        if kind == 13:
            name = f"n{self.random.randrange(10**6)}"
            return (f"{pad}{name} = {self.random.randrange(1, 4)}\n" +
                    self.loop(depth, indent, f"while ({name} := {name} - 1) >= 0"))
        if kind == 14:
            return f"{pad}if {self.value(1)}:\n{self.block(depth - 1, indent + 1)}{pad}else:\n{self.block(depth - 1, indent + 1)}"
        if kind == 15 and self.kind == "tasks" and self.asynchronous:
            head = self.one_of(["async with asyncio.timeout(0)", "async with asyncio.TaskGroup() as group", "async with lock"])
            more = f"{pad}    group.create_task(failing(1))\n{pad}    group.create_task(coroutine(2))\n" if "group" in head else ""
            before, self.in_loop = self.in_loop, False
            text = f"{pad}{head}:\n{more}{self.block(depth - 1, indent + 1)}"
            self.in_loop = before
            return text
        return (f"{pad}def inside(x):\n{pad}    nonlocal a\n{pad}    a = x\n{pad}    return lambda: a\n"
                f"{pad}b = inside({self.value(1)})()\n")

    def cleanup(self, depth, indent):
        pad = "    " * indent
        return f"{pad}finally:\n{pad}    log('finally')\n{self.block(depth - 1, indent + 1)}"

    def function(self, number, asynchronous, yields):
        self.level, self.asynchronous, self.yields, self.in_loop = number, asynchronous, yields, False
        letter = "a" if asynchronous and yields else "c" if asynchronous else "g"
        head = f"{'async ' if asynchronous else ''}def {letter}{number}(a, b=1):\n"
        tail = "    return\n    yield\n" if yields else ""
        return head + self.block(3, 1) + tail

    def operations(self, count, asynchronous=False):
        made = []
        for _ in range(count):
            kind = self.random.randrange(10)
            made.append(f"('send', {'None' if kind < 4 or not made else kind})" if kind < 6
                        else f"('throw', {self.error()})" if kind < 8 else "('close', None)" if kind == 8 and self.chance(0.4)
                        else "('show', None)")
        return f"[{', '.join(made)}]"

    def program(self):
        text = PRELUDE + (LOOP_TICK if self.kind == "tasks" else PURE_TICK)
        text += "def pair(a, z): return (a, z)\n"
        text += "async def coroutine(n):\n    log('coroutine', n)\n    await tick()\n    return n\n"
        text += "async def failing(n):\n    await tick()\n    raise ValueError(n)\n"
        if self.kind == "generators":
            return text + self.generators()
        for number in range(3):
            text += self.function(number, False, True) + self.function(number, True, True) + self.function(number, True, False)
        return text + (self.coroutines() if self.kind == "coroutines" else self.tasks())

    def generators(self):
        text = "".join(self.function(number, False, True) for number in range(4))
        for _ in range(5):
            text += f"g = keep(g{self.one_of([3, 3, 2, 1])}({self.random.randrange(3)}))\n"
            for _ in range(self.random.randrange(3, 12)):
                kind = self.random.randrange(12)
                text += ("step(lambda: next(g))" if kind < 5 else f"step(lambda: g.send({self.one_of([None, 1, 2])}))" if kind < 7
                         else f"step(lambda: g.throw({self.error()}))" if kind < 9 else "step(lambda: some(g, 5))" if kind == 9
                         else "step(g.close)" if kind == 10 and self.chance(0.5) else "show_generator(g)") + "\n"
        return text + "for g in held * 9:\n    if hasattr(g, 'gi_frame') and g.gi_frame: step(g.close)\n"

    def coroutines(self):
        text = ""
        for _ in range(4):
            text += f"drive(keep(c{self.one_of([2, 2, 1])}({self.random.randrange(3)})), {self.operations(9)})\n"
        for _ in range(3):
            text += f"x = keep(a{self.one_of([2, 1])}({self.random.randrange(3)}))\n"
            for _ in range(4):
                call = self.one_of(["asend(None)", "__anext__()", "asend(4)", f"athrow({self.error()})", "aclose()"])
                text += f"y = x.{call}\n"
                for _ in range(self.random.randrange(1, 5)):
                    text += self.one_of(["step(lambda: y.send(None))"] * 4 + [f"step(lambda: y.throw({self.error()}))", "step(y.close)"]) + "\n"
        return text + ("for x in held * 9:\n    if hasattr(x, 'cr_frame'): step(x.close)\n"
                       "    elif hasattr(x, 'ag_frame') and x.ag_frame:\n        y = x.aclose()\n"
                       "        for _ in range(6): step(lambda: y.send(None))\n"
                       "        y.close()\n")

    def tasks(self):
        text = ("def spawn(c):\n    t = keep(asyncio.create_task(c))\n    t.add_done_callback(lambda t: log('done', t.get_name(), t.cancelled()))\n"
                "    t.set_name(f'task {len(held)}')\n    return t\n"
                "async def wait(tasks):\n"
                "    return [sorted(map(name, s)) for s in await asyncio.wait(tasks, return_when='FIRST_EXCEPTION')]\n"
                "async def lock_it(a):\n    async with lock:\n        await tick()\n        return a\n"
                "async def main():\n    global queue, event, lock\n    queue, event, lock = asyncio.Queue(2), asyncio.Event(), asyncio.Lock()\n")
        for number in range(self.random.randrange(2, 5)):
            text += f"    t{number} = spawn(c{self.one_of([2, 2, 1])}({self.random.randrange(3)}))\n"
        count = number + 1
        for _ in range(self.random.randrange(4, 12)):
            number = self.random.randrange(count)
            text += "    " + self.one_of(["await tick()", "await tick()", f"log('cancel', t{number}.cancel())", f"log(t{number}.done(), t{number}.cancelling())",
                                          "event.set()", "log(queue.qsize())", f"log('cancel', t{number}.cancel('message'))"]) + "\n"
        return text + ("    for _ in range(60): await asyncio.sleep(0)\n    event.set()\n"
                       "    for _ in range(4):\n"
                       "        for t in list(held):\n"
                       "            if isinstance(t, asyncio.Task) and not t.done(): log('end', t.cancel())\n"
                       "        for _ in range(40): await asyncio.sleep(0)\n"
                       "    for t in list(held):\n"
                       "        if isinstance(t, asyncio.Task):\n"
                       "            if not t.done(): log('pending')\n"
                       "            elif t.cancelled(): log('cancelled')\n"
                       "            else: log('ended', tell(t.exception()), t.exception() is None and t.result())\n"
                       "step(lambda: asyncio.run(asyncio.wait_for(main(), 20)))\n")


def run(command, folder=None):
    try:
        done = subprocess.run(command, capture_output=True, timeout=30, cwd=folder)
        return done.stdout, done.returncode, done.stderr
    except subprocess.TimeoutExpired:
        return b"", "timeout", b""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gen", default=ROOT / "build/gen")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--keep", default="/tmp/frames")
    parser.add_argument("--suspend", help="save every so many steps")
    options = parser.parse_args()
    folder = Path(options.keep)
    folder.mkdir(parents=True, exist_ok=True)
    saver = ROOT / "build/programs/tests/suspend/save_and_go_on-c11"
    different = invalid = 0
    for seed in range(options.seed, options.seed + options.count):
        path = folder / f"{seed}.gen"
        program = Maker(seed).program()
        # What is still suspended at the end is left alone: its finalizers run in an order of each engine's own.
        path.write_text(program + "import os, sys\nsys.stdout.flush()\nos._exit(0)\n")
        expected = run([options.python, "-I", "-W", "ignore", str(path)])
        if expected[1]:
            invalid += 1
            path.unlink()
            continue
        actual = run([options.gen, str(path)])
        if expected[:2] != actual[:2]:
            different += 1
            print(f"{path}: differs", flush=True)
            continue
        if options.suspend:
            path.write_text(program)
            path.with_suffix(".out").write_bytes(expected[0])
            done = run([str(saver), options.suspend, path.name], folder)
            if done[1]:
                different += 1
                print(f"{path}: differs when it is saved and loaded", flush=True)
                continue
            path.with_suffix(".out").unlink()
        path.unlink()
    print(f"{options.count} programs, {different} differ; {invalid} that CPython refuses")


main()
