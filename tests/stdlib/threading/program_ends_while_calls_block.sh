# A program ends while daemon threads of it are in calls that block: nothing keeps it, nothing of it is written or lost.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cat >"$work/ends.gen" <<'END2'
import fcntl, os, socket, subprocess, sys, threading, zlib

folder = sys.argv[1]
os.mkfifo(folder + '/fifo')
locked = open(folder + '/file', 'w')
fcntl.flock(locked, fcntl.LOCK_EX)
other = open(folder + '/file')
reading, writing = os.pipe()
data = os.urandom(1 << 22)
calls = [lambda: open(folder + '/fifo'), lambda: os.open(folder + '/fifo', os.O_WRONLY), lambda: fcntl.flock(other, fcntl.LOCK_EX),
         lambda: os.read(reading, 1), lambda: zlib.compress(data, 9), lambda: os.fsync(locked.fileno()),
         lambda: subprocess.run(['sleep', '1']), lambda: os.write(writing, data), lambda: socket.getaddrinfo('localhost', 80)]
del calls[0 if sys.argv[2] == 'write' else 1]
for call in calls:
    threading.Thread(target=call, daemon=True).start()
print(sys.argv[2], 'ends', len(calls))
if sys.argv[2] == 'read-error':
    sys.exit(3)
END2
for how in read write read-error; do
    mkdir "$work/$how"
    "$GEN" "$work/ends.gen" "$work/$how" $how
    echo $?
done
cat >"$work/interrupted.gen" <<'END2'
import os, signal, sys, threading

os.mkfifo(sys.argv[1] + '/fifo')
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    open(sys.argv[1] + '/fifo')
except KeyboardInterrupt:
    print('interrupted')

def write():
    with open(sys.argv[1] + '/fifo', 'w') as file:
        file.write('text')

writer = threading.Thread(target=write)
writer.start()
with open(sys.argv[1] + '/fifo') as file:
    print(file.read())
writer.join()
END2
"$GEN" "$work/interrupted.gen" "$work"
