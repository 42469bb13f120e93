# Where directories are granted, Unix sockets below them are what they are elsewhere: names, errors,
# replies to datagrams, descriptors.
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/box/certs" && cp "$GEN_ROOT/tests/stdlib/ssl/localhost.pem" "$folder/box/certs/0123abcd.0"
cat > "$folder/script.gen" <<'END'
import asyncio
import os
import socket
import ssl
import sys

box = sys.argv[1] + '/box/'


def show(*parts):
    print(*[str(part).replace(box, 'BOX/') for part in parts])


def attempt(do, *args):
    try:
        show(do(*args))
    except OSError as e:
        show(type(e).__name__, e)


server, client = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
attempt(client.connect, box + 'stream')
attempt(client.connect_ex, box + 'stream')
server.bind(os.fsencode(box + 'stream'))
attempt(socket.socket(socket.AF_UNIX).bind, box + 'stream')
attempt(socket.socket(socket.AF_UNIX).bind, box + 'x' * 200)
attempt(client.connect, box + 'stream')
server.listen()
client.connect(box + 'stream')
other, address = server.accept()
show(server.getsockname(), client.getpeername(), other.getsockname(), [address, client.getsockname()])
one, two = [socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
one.bind(box + 'one')
two.bind(box + 'two')
one.sendto(b'question', box + 'two')
data, address = two.recvfrom(100)
show(data, address)
two.sendmsg([b'ans', b'wer'], [], 0, address)
show(one.recvmsg(100))
two.connect(address)
show(two.getpeername())
os.unlink(box + 'one')
two.close()
show(sorted(os.listdir(box)))


async def main():
    async def answer(reader, writer):
        writer.write(await reader.readline())
        show(writer.get_extra_info('sockname'))
        writer.close()
    async with await asyncio.start_unix_server(answer, box + 'served') as serving:
        reader, writer = await asyncio.open_unix_connection(box + 'served')
        writer.write(b'hello\n')
        show(await reader.read(), writer.get_extra_info('peername'), serving.sockets[0].getsockname())
        writer.close()
asyncio.run(main())
show(sorted(os.listdir(box)))
ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(capath=box + 'certs')
END
"$GEN" "$folder/script.gen" "$folder" > "$folder/free" 2>&1
rm -rf "$folder/box/"[a-bd-z]*
"$GEN" --sandbox --allow-stdio --allow-net --allow-clock --allow-read="$folder/box" --allow-write="$folder/box" "$folder/script.gen" \
    "$folder" > "$folder/boxed" 2>&1
cat "$folder/boxed"
diff "$folder/free" "$folder/boxed" && echo the same
