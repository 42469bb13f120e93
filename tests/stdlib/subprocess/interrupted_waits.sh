# Ctrl-C while a script waits for a child: KeyboardInterrupt, after the child had a moment to end; nothing is left behind.
# skip: stress too slow
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cat >"$work/wait.gen" <<'END2'
import os, signal, subprocess, sys, threading
how = sys.argv[1]
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start() if 'thread' in how else None
script = f'sleep 0.3; kill -INT {os.getpid()}; sleep 0.05; exit 7' if 'thread' not in how else 'sleep 0.4; exit 7'
process = subprocess.Popen(script, shell=True, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
try:
    if 'wait' in how:
        process.wait(timeout=60 if 'timeout' in how else None)
    elif 'communicate' in how:
        process.communicate(timeout=60)
    else:
        os.waitpid(process.pid, 0)
    print(how, 'not interrupted')
except KeyboardInterrupt:
    print(how, 'interrupted', process.returncode)
    process.wait()
END2
for how in wait wait-timeout communicate waitpid wait-thread wait-timeout-thread communicate-thread waitpid-thread; do
    "$GEN" "$work/wait.gen" $how
done
cat >"$work/run.gen" <<'END2'
import os, subprocess
try:
    subprocess.run(f'kill -INT {os.getpid()}; exec sleep 60', shell=True)
except KeyboardInterrupt:
    print('run interrupted')
print(os.waitpid(-1, 0)[1])  # killed, but not waited for
END2
"$GEN" "$work/run.gen"
