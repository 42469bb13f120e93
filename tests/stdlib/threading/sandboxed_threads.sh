# The threads of a sandboxed program share its budget, end with it, and cannot hang it.
run() {
    "$GEN" --sandbox "$@" 2>&1 | sed 's/(in .*/.../'
}
run --allow-clock -c '
import threading, time
def work():
    time.sleep(0.02)
    print("thread")
threading.Thread(target=work).start()
print("main")
'
run -c '
import threading
def work(lock):
    lock.acquire()
    print("never printed")
a, b = threading.Lock(), threading.Lock()
a.acquire(), b.acquire()
threading.Thread(target=work, args=(a,), daemon=True).start()
try:
    b.acquire()
except RuntimeError as error:
    print(error)
'
run --allow-clock --timeout 1.5 -c '
import threading, time
def work():
    try:
        time.sleep(60)
    finally:
        print("never printed")
thread = threading.Thread(target=work)
thread.start()
try:
    thread.join()
finally:
    print("finally of main")
'
run --max-steps 200000 -c '
import threading
def work():
    while True:
        pass
thread = threading.Thread(target=work)
thread.start()
try:
    thread.join()
finally:
    print("finally of main")
'
