# Ctrl-C reaches the main thread, whatever it waits for; the others go on to their end.
# timeout: 60
script=$(mktemp)
for wait in 'lock.acquire()' 'thread.join()' 'time.sleep(60)' 'event.wait()' 'event.wait(60)' 'queue.get()' 'os.read(pipe, 1)' \
    'select.select([pipe], [], [])' 'sum(iter(int, 1))'; do
    cat >"$script" <<END
import os, queue, select, signal, threading, time
lock, event, queue = threading.Lock(), threading.Event(), queue.Queue()
lock.acquire()
pipe, other = os.pipe()


def work():
    time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.05)
    print('thread is done')


thread = threading.Thread(target=work)
thread.start()
try:
    $wait
except KeyboardInterrupt:
    print('interrupted', threading.current_thread().name)
thread.join()
END
    timeout 20 "$GEN" "$script"
done
sed -i 's/^thread = /signal.signal(signal.SIGINT, lambda *args: print("handler", threading.current_thread().name))\nthread = /; s/^    sum(.*/    print(lock.acquire(timeout=0.2))/' "$script"
timeout 20 "$GEN" "$script"
rm "$script"
