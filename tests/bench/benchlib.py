"""What the benchmark scripts share: the programs, the interpreters on this machine, and one measured run.

Time is the processor time of the child, user and system together, as the kernel accounts it when the child is waited for.
Wall time would measure the neighbours. User time alone is split off by sampling at clock ticks, which is noise on short
runs, and it would not see the pages that a program touches; `--user` of the harness asks for it all the same.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, 'build')
PROGRAMS = os.path.join(HERE, 'programs')
ITEMS = os.path.join(HERE, 'items')
DATA = os.path.join(BUILD, 'bench-data', 'lines.txt')

# Name, the places to look for it, its options, the suffix of the programs that it runs, and whether a target names it.
KNOWN = (
    ('python3', ('/usr/bin/python3', 'python3'), (), '.gen', True),
    ('lua5.4', ('lua5.4', 'lua'), (), '.lua', True),
    ('luajit -joff', ('luajit',), ('-joff',), '.lua', True),
    ('luajit', ('luajit',), (), '.lua', False),
    ('pypy3', ('pypy3',), (), '.gen', False),
)


class Peer:
    """An interpreter: its name in the tables, its command line without the program, and the programs' suffix."""

    def __init__(self, name, command, suffix):
        self.name = name
        self.command = command
        self.suffix = suffix

    def script(self, folder, name):
        """The program's file for this interpreter, or None where it has none."""
        path = os.path.join(folder, name + self.suffix)
        return path if os.path.exists(path) else None


def find_gen(path=None):
    """The gen command as a Peer, or None when it has not been built."""
    path = path or os.path.join(BUILD, 'gen')
    return Peer('gen', [os.path.abspath(path)], '.gen') if os.access(path, os.X_OK) else None


def find_peers(informational=False):
    """The interpreters on this machine that the targets name, and with `informational` the compilers too."""
    peers = []
    for name, places, options, suffix, named in KNOWN:
        command = next((found for found in map(shutil.which, places) if found), None)
        if command and (named or informational):
            peers.append(Peer(name, [command, *options], suffix))
    return peers


class Program:
    """A benchmark: its name, group, default and quick size, and whether it reads the data file."""

    HEADER = re.compile(r'# bench: (\w+), size (\d+), quick (\d+)(, data)?$')

    def __init__(self, name):
        self.name = name
        with open(os.path.join(PROGRAMS, name + '.gen'), encoding='utf-8') as file:
            text = file.read()
        header = self.HEADER.match(text.split('\n', 1)[0])
        if not header:
            sys.exit('%s.gen: the first line is no bench header' % name)
        self.group = header[1]
        self.size = int(header[2])
        self.quick = int(header[3])
        self.data = bool(header[4])
        self.check_defaults(text)

    def check_defaults(self, text):
        """The size stands in the header for the harness and in both programs for a run by hand: they must agree."""
        twin = os.path.join(PROGRAMS, self.name + '.lua')
        found = re.findall(r'sys\.argv\) > 1 else (\d+)$', text, re.M)
        if os.path.exists(twin):
            with open(twin, encoding='utf-8') as file:
                found += re.findall(r'tonumber\(arg\[1\]\) or (\d+)$', file.read(), re.M)
        if not found or set(found) != {str(self.size)}:
            sys.exit('%s: the default sizes %s differ from the header' % (self.name, found))

    def arguments(self, quick):
        """The command-line arguments of a run."""
        size = self.quick if quick else self.size
        return [str(size)] + ([DATA] if self.data else [])


def programs(names=None):
    """The named programs, or all, in the order of their groups and names; generators come first."""
    known = sorted(f[:-4] for f in os.listdir(PROGRAMS) if f.endswith('.gen'))
    unknown = set(names or ()) - set(known)
    if unknown:
        sys.exit('no such program: ' + ', '.join(sorted(unknown)))
    found = [Program(name) for name in known if not names or name in names]
    return sorted(found, key=lambda p: (p.group != 'generators', p.group, p.name))


def make_data():
    """Writes the data file if it is not there."""
    subprocess.run([sys.executable, os.path.join(HERE, 'make_data'), DATA], check=True)


class Run:
    """What one run of a command did: its output, its processor time in seconds, and what went wrong, or None."""

    def __init__(self, output, seconds, user, problem):
        self.output = output
        self.seconds = seconds
        self.user = user
        self.problem = problem


def describe(status, errors, late, timeout):
    """What went wrong with a finished child, in one line, or None."""
    if late:
        return 'stopped after %d s' % timeout
    if status == 0:
        return None
    lines = errors.strip().splitlines()
    what = 'signal %d' % -status if status < 0 else 'status %d' % status
    return '%s: %s' % (what, lines[-1][:160]) if lines else what


def execute(command, timeout=180):
    """Runs a command to its end, alone; a run that lasts longer than `timeout` seconds is stopped."""
    late = []
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=ROOT)
        timer = threading.Timer(timeout, lambda: (late.append(1), child.kill()))
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        output = out.read().decode('utf-8', 'replace')
        errors = err.read().decode('utf-8', 'replace')
    problem = describe(child.returncode, errors, late, timeout)
    return Run(output, usage.ru_utime + usage.ru_stime, usage.ru_utime, problem)
