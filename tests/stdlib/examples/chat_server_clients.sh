# The chat server, plain and over TLS, with CPython's asyncio streams, plain sockets and openssl s_client as its clients: some leave
# without a word, one never reads, one sends an endless line, one only half of a handshake. No descriptor stays open behind them.
# skip: stress too slow
# timeout: 60
. "$GEN_ROOT/tests/shared/serve.sh"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$folder/key" -out "$folder/cert" -days 1 -subj /CN=localhost \
    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' 2> "$folder/log" || cat "$folder/log"
cat > "$folder/clients.py" <<'END'
import asyncio, os, socket, ssl, sys
port = int(sys.argv[1])
context = ssl.create_default_context(cafile=sys.argv[2]) if len(sys.argv) > 2 else None


async def enter(name):
    reader, writer = await asyncio.open_connection('localhost', port, ssl=context)
    assert await reader.readexactly(6) == b'name? '
    writer.write(name + b'\n')
    return reader, writer


async def main():
    reader, writer = await enter(b'ann')
    others = []
    for name in b'bob', b'cid', b'dan', b'eve':
        others.append(await enter(name))
        print(await reader.readline())
    others[0][1].transport.abort()
    print(await reader.readline())
    others[1][1].write(b'x' * 100000)  # beyond the limit of a line
    print(await reader.readline())
    others[2][1].write(b'a\nb\n/quit\n')
    print(await reader.readline(), await reader.readline(), await reader.readline())
    if not context:
        others[3][1].write_eof()
        print(await reader.readline())
    with socket.create_connection(('localhost', port)) as sock:  # garbage, for TLS; else somebody without a name
        sock.sendall(b'\x16\x03\x01\n')
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(100):
            pass
    print(await reader.readline() + await reader.readline() if not context else b'')
    for reader, writer in [*others, (reader, writer)]:
        writer.close()
        try:
            await writer.wait_closed()
        except OSError:
            pass


asyncio.run(main())
END
for kind in plain tls; do
    : > "$folder/out"
    [ $kind = tls ] && set -- "$folder/cert" "$folder/key"
    serve chat_server chatting 0 "$@"
    count() { ls "/proc/$server/fd" | wc -l; }
    before=$(count)
    python3 "$folder/clients.py" "$port" $1
    if [ $kind = tls ]; then
        (printf 'fay\n/who\n'; sleep 1; printf '/quit\n') | timeout 10 openssl s_client -quiet -verify_return_error \
            -CAfile "$folder/cert" -connect "127.0.0.1:$port" 2> "$folder/log"
    fi
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ "$(count)" = "$before" ] && break; sleep 0.1; done
    [ "$(count)" -le "$before" ] && echo 'no descriptor more than before' || ls -l "/proc/$server/fd"
    kill -2 $server
    wait $server
    tail -1 "$folder/out"
done
