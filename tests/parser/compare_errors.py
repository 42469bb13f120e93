"""Compares error messages with those of the python3 that runs this.

    python3 compare_errors.py PARSE_TOOL [-v]

The snippets stand in bad_snippets.txt, one a line, with \\n, \\\\ and \\x.. escapes. Where Python 3.14
differs from 3.13, newer_messages.txt has its outcome, as `snippet<TAB>outcome`. Prints each difference
and how many there are.
"""
import os
import re
import subprocess
import sys
import warnings

warnings.simplefilter("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))


def unescape(line):
    def one(match):
        text = match.group(0)
        if text == "\\n":
            return "\n"
        if text == "\\\\":
            return "\\"
        return chr(int(text[2:], 16))
    return re.sub(r"\\n|\\\\|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}", one, line)


def oracle(source):
    try:
        compile(source, "<s>", "exec", dont_inherit=True)
    except SyntaxError as e:
        return "%s: %s|%s|%s|%s|%s" % (type(e).__name__, e.msg, e.lineno or 0, e.offset or 0,
                                       e.end_lineno or 0, e.end_offset or 0)
    except Exception as e:
        return "%s: %s" % (type(e).__name__, e)
    return "OK"


def run(tool, sources):
    data = b""
    for source in sources:
        raw = source.encode("utf-8")
        data += b"%d exec\n" % len(raw) + raw
    out = subprocess.run([tool, "-r"], input=data, capture_output=True)
    if out.returncode != 0:
        print(out.stderr.decode())
    return out.stdout.decode("utf-8", "replace").split("\n")


def normal(outcome, source):
    """Ends that are unknown are 0 or -1 by accident of the version; and where the source ends too early
    there is no column when it is a file, as here, but one when it is a string, as in the oracle."""
    parts = outcome.split("|")
    if len(parts) >= 5:
        lines = source.rstrip("\n").split("\n")
        if parts[1] == str(len(lines)) and parts[2] in (str(len(lines[-1])), str(len(lines[-1]) + 1)):
            parts[2] = "0"
        return "|".join(parts[:3])
    return outcome


def main():
    tool = sys.argv[1]
    with open(os.path.join(HERE, "bad_snippets.txt"), encoding="utf-8") as file:
        snippets = file.read().splitlines()
    newer = {}
    path = os.path.join(HERE, "newer_messages.txt")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                if "\t" in line:
                    snippet, outcome = line.rstrip("\n").split("\t")
                    newer[snippet] = outcome
    sources = [unescape(s) for s in snippets]
    actual = run(tool, sources)
    differences = 0
    for snippet, source, here in zip(snippets, sources, actual):
        expected = newer.get(snippet) or oracle(source)
        if normal(here, source) != normal(expected, source):
            differences += 1
            print("%s\n   here    %s\n   CPython %s" % (snippet, normal(here, source), normal(expected, source)))
    print("%d snippets, %d differ" % (len(snippets), differences))
    return 1 if differences else 0


if sys.version_info < (3, 13):
    print("needs Python 3.13, whose messages are nearly those of 3.14: skipped")
    sys.exit(0)
sys.exit(main())
