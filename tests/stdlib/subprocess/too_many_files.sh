# Where the process may open no more files: OSError, and no descriptor is lost.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cat >"$work/many.gen" <<'END2'
import os, subprocess
from subprocess import PIPE

def count():
    return len(os.listdir('/proc/self/fd'))

subprocess.run(['true'], capture_output=True, input=b'')
before = count()
held = []
try:
    while True:
        held.append(os.dup(1))
except OSError as error:
    print(error)
for room in range(12):
    try:
        print(subprocess.run(['echo', 'x'], capture_output=True, input=b'y').stdout)
    except OSError as error:
        print(room, type(error).__name__, error)
    os.close(held.pop())
for fd in held:
    os.close(fd)
print(count() - before)
END2
ulimit -n 40
"$GEN" "$work/many.gen"
