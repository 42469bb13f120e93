"""Feeds broken sources to the parser: bytes of real ones deleted, doubled, swapped and spliced.

    python3 fuzz_mutate.py PARSE_TOOL SECONDS [SEED] [FOLDER]

PARSE_TOOL should be a build with sanitizers. Stops with the input in crash.bin when the tool dies or
takes more than ten seconds for a batch.
"""
import os
import random
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOKENS = [b"(", b")", b"[", b"]", b"{", b"}", b":", b",", b"=", b":=", b"*", b"**", b"'", b'"', b'"""', b"\n",
          b"    ", b"\t", b"f'", b"{x!r:>{w}}", b"lambda", b"if", b"else", b"for", b"in", b"async ", b"await ",
          b"yield", b"match x:\n", b"case", b"type", b"\\", b"\\\n", b"#", b"not", b" import ", b"from",
          b"global x", b"nonlocal x", b"@", b";", b"->", b"print", b"\xc3\xa9", b"\xff", b"\x00", b"0x", b"1_",
          b"1e", b"...", b"class A[T]:", b"except*", b"with", b"del ", b"\r", b"\x0c", b"rb'", b"t'", b"|", b"!"]


def seeds(folder):
    with open(os.path.join(HERE, "bad_snippets.txt"), "rb") as file:
        found = [line.replace(b"\\n", b"\n") for line in file.read().split(b"\n")]
    for root, _, files in os.walk(folder):
        for name in files:
            if name.endswith(".py") and len(found) < 3000:
                with open(os.path.join(root, name), "rb") as file:
                    data = file.read()
                at = random.randrange(max(1, len(data)))
                found.append(data[at:at + 1500])
                found.append(data[:1500])
    return found


def mutate(data, pool):
    data = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        at = random.randrange(len(data) + 1)
        end = min(len(data), at + random.choice((1, 1, 2, 5, 20, 100)))
        kind = random.randrange(7)
        if kind == 0:
            del data[at:end]
        elif kind == 1:
            data[at:at] = data[at:end]
        elif kind == 2:
            data[at:at] = random.choice(TOKENS)
        elif kind == 3:
            data[at:end] = random.choice(TOKENS)
        elif kind == 4:
            other = random.choice(pool)
            cut = random.randrange(len(other) + 1)
            data[at:at] = other[cut:cut + random.choice((5, 40, 200))]
        elif kind == 5:
            data[at:at] = random.choice(TOKENS) * random.choice((2, 10, 50, 250))
        elif at < len(data):
            data[at] = random.randrange(256)
    return bytes(data)


def main():
    tool = sys.argv[1]
    until = time.time() + float(sys.argv[2])
    random.seed(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    pool = seeds(sys.argv[4] if len(sys.argv) > 4 else os.path.dirname(os.__file__))
    count = 0
    slowest = 0.0
    while time.time() < until:
        cases = [mutate(random.choice(pool), pool) for _ in range(200)]
        data = b"".join(b"%d %s\n" % (len(c), random.choice((b"exec", b"exec", b"single", b"eval"))) + c
                        for c in cases)
        start = time.time()
        try:
            out = subprocess.run([tool, "-r"], input=data, capture_output=True, timeout=10)
            failed = out.returncode != 0
        except subprocess.TimeoutExpired:
            failed = True
            out = None
        slowest = max(slowest, time.time() - start)
        if failed:
            with open("crash.bin", "wb") as file:
                file.write(data)
            print("failed; the batch is in crash.bin")
            print(out.stderr.decode("utf-8", "replace")[:3000] if out else "timeout")
            return 1
        count += len(cases)
    print("%d inputs, slowest batch of 200 took %.2f s" % (count, slowest))
    return 0


sys.exit(main())
