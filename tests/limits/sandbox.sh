# gen --sandbox: a program computes and prints; everything else, and more than the budgets, is refused
# with the reason; directories that are granted cannot be left by links or dots.
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
cd "$here" || exit 1
mkdir in out && echo inside >in/file && echo secret >out/file
ln -s ../out in/folder && ln -s ../out/file in/link && ln -s nowhere in/dangling

run() { "$GEN" --sandbox "$@" 2>&1; echo "status $?"; }

run -c 'print(sum(range(10)))'
run -c 'open("in/file")'
cat >probe.gen <<'END'
import os, sys
def attempt(name, f):
    try:
        print(name, f())
    except OSError as error:
        print(name, type(error).__name__, error.strerror)
    except Exception as error:
        print(name, type(error).__name__, error)
for path in ["in/file", "in/../out/file", "in/folder/file", "in/link", "in/dangling", "out/file", "/etc/passwd"]:
    attempt(path, lambda: open(path).read().strip())
attempt("write", lambda: open("in/new", "w"))
attempt("listdir", lambda: sorted(os.listdir("in")))
attempt("listdir /", lambda: os.listdir("/"))
attempt("stat", lambda: os.stat("out/file"))
attempt("exists", lambda: (os.path.exists("in/file"), os.path.exists("out/file")))
attempt("remove", lambda: os.remove("in/file"))
attempt("rename", lambda: os.rename("in/file", "in/other"))
attempt("open", lambda: os.open("out/file", os.O_RDONLY))
attempt("read", lambda: os.read(0, 10))
attempt("environ", lambda: dict(os.environ))
attempt("getpid", os.getpid)
attempt("urandom", lambda: os.urandom(4))
attempt("kill", lambda: os.kill(1, 0))
attempt("time", lambda: __import__("time").time())
attempt("socket", lambda: __import__("socket").socket())
attempt("import", lambda: __import__("neighbour"))
END
echo 'print("imported")' >neighbour.gen
run --allow-read in probe.gen
run --allow-read . --allow-write in -c '
open("in/new", "w").write("written")
print(open("in/new").read(), open("out/file").read().strip())
import os, neighbour
os.rename("in/new", "in/newer")
for name in ("in/folder/new", "in/dangling", "out/new", "in/../new"):
    try: open(name, "w")
    except OSError as error: print(name, error.strerror)
try: os.symlink("/etc", "in/etc"); print(os.listdir("in/etc"))
except OSError as error: print(error.strerror)'
run --max-steps 100k -c '
def spin():
    while True:
        try:
            while True: pass
        except BaseException: pass
try: spin()
finally: print("finally")'
run --max-memory 8M -c 'x = []
while True: x.append([x])'
run --max-output 100 -c 'while True: print("text", end="")' | grep -o 'gen:.*\|status.*'
run --timeout=0.1 -c 'while True: pass' | sed 's/ (in .*//'
run --timeout 0.1 --allow-clock -c 'import time
time.sleep(10)' | sed 's/ (in .*//'
run --max-steps 1M -c 'raise SystemExit(3)'
run --max-steps 100k -c '
class Exit(SystemExit):
    @property
    def code(self):
        while True: pass
raise Exit'
run --max-steps 1M --allow-clock -c 'import threading # killed while it waits
lock = threading.Lock()
lock.acquire()
try:
    while True: pass
finally: lock.acquire(timeout=1000)'
run --max-steps many -c pass
run --allow-everything -c pass | head -n 1
