# Streams of gen and of CPython talk to each other, either way round: lines, a megabyte, a half-closed connection.
# timeout: 60
. "$GEN_ROOT/tests/shared/serve.sh"
cat > "$folder/server.gen" <<'END'
import asyncio


async def handle(reader, writer):
    line = await reader.readline()
    writer.write(line[::-1])
    data = await reader.read()
    writer.write(b'%d bytes' % len(data))
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    done.set()


async def main():
    global done
    done = asyncio.Event()
    server = await asyncio.start_server(handle, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await done.wait()
    server.close()
    await server.wait_closed()


asyncio.run(main())
END
cat > "$folder/client.gen" <<'END'
import asyncio
import sys


async def main():
    reader, writer = await asyncio.open_connection('127.0.0.1', int(sys.argv[1]))
    writer.write(b'hello\n')
    for _ in range(16):
        writer.write(b'x' * 65536)
        await writer.drain()
    writer.write_eof()
    print(await reader.read())
    writer.close()
    await writer.wait_closed()


asyncio.run(main())
END
for pair in "$GEN python3" "python3 $GEN" "$GEN $GEN"; do
    : > "$folder/port"
    ${pair% *} "$folder/server.gen" > "$folder/port" &
    server=$!
    while ! [ -s "$folder/port" ]; do sleep 0.05; done
    ${pair#* } "$folder/client.gen" "$(cat "$folder/port")"
    wait $server
done
