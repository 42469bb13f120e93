# Ctrl-C cancels the main task and every finally block runs; a second one ends a loop that never waits.
# oracle: skip 3.11 it is a shell script
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cat > "$folder/waits.gen" <<'END'
import asyncio, os, signal, sys


async def child():
    try:
        await asyncio.sleep(30)
    finally:
        print('child finally')


async def main():
    task = asyncio.create_task(child())
    asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGINT)
    try:
        await asyncio.sleep(30)
    finally:
        print('main finally')

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print('KeyboardInterrupt')
END
cat > "$folder/never_waits.gen" <<'END'
import asyncio


async def main():
    try:
        print('ready', flush=True)
        while True:
            pass
    finally:
        print('finally')

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print('KeyboardInterrupt')
END
"$GEN" "$folder/waits.gen"
: > "$folder/out"
env --default-signal=INT "$GEN" "$folder/never_waits.gen" > "$folder/out" &
pid=$!
while ! grep -q ready "$folder/out"; do sleep 0.05; done
kill -INT $pid
sleep 0.3
kill -INT $pid
wait $pid
cat "$folder/out"
