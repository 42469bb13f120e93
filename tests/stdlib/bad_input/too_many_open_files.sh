# When descriptors run out, open() and socket() say so, and what was open works on; a server waits until there is room again, and
# answers all who came in the meantime.
# timeout: 60
ulimit -n 40
cat > "${TMPDIR:-/tmp}/emfile.$$" <<'END'
import os, socket

files = []
try:
    while True:
        files.append(open('/dev/null'))
except OSError as error:
    print(type(error).__name__, error)
try:
    socket.socket()
except OSError as error:
    print(type(error).__name__, error)
try:
    os.listdir('.')
except OSError as error:
    print(type(error).__name__, error)
files.pop().close()
with open('/dev/null') as file:
    print(repr(file.read()))
for file in files:
    file.close()
END
trap 'rm -f "${TMPDIR:-/tmp}/emfile.$$"' EXIT
"$GEN" "${TMPDIR:-/tmp}/emfile.$$"
cat > "${TMPDIR:-/tmp}/emfile.$$" <<'END'
import asyncio, socket, sys


async def handle(reader, writer):
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


def report(loop, context):
    reported.add((context['message'], str(context.get('exception'))))


async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(report)
    server = await asyncio.start_server(handle, '127.0.0.1', 0)
    port = server.sockets[0].getsockname()[1]
    clients = []
    try:
        while True:
            clients.append(socket.create_connection(('127.0.0.1', port), timeout=10))
    except OSError as error:
        print(type(error).__name__, error)
    await asyncio.sleep(0.1)
    print(reported)
    for client in clients[5:10]:
        client.close()
    rest = clients[:5] + clients[10:]
    for client in rest:
        client.setblocking(False)
        await loop.sock_sendall(client, b'hello')
    answers = set()
    for client in rest:  # each makes room for another
        answers.add(await asyncio.wait_for(loop.sock_recv(client, 100), 30))
        client.close()
    print(answers)
    server.close()

reported = set()
asyncio.run(main())
END
"$GEN" "${TMPDIR:-/tmp}/emfile.$$" 2>&1
