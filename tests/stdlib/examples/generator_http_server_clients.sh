# The example of a server whose handlers are generators with real clients: curl, wrk, CPython's http.client, urllib, asyncio and
# plain sockets; bodies, Expect: 100-continue, HEAD, pipelined requests, huge heads. No descriptor stays open behind them.
# skip: stress too slow
# timeout: 60
. "$GEN_ROOT/tests/shared/serve.sh"
serve generator_http_server serving 0
url="http://127.0.0.1:$port"
before=$(ls "/proc/$server/fd" | wc -l)
curl -s "$url/" "$url/none" -w ' %{http_code} %{num_connects}\n'
curl -sI "$url/" | tr -d '\r' | head -2
head -c 300000 /dev/zero | curl -s -T - -H 'Transfer-Encoding:' -H 'Content-Length: 300000' -H 'Expect: 100-continue' "$url/" -w ' %{http_code}\n'
head -c 3000000 /dev/zero | curl -s -X POST --data-binary @- "$url/" -w '%{http_code}\n' -o /dev/null
curl -s -X DELETE "$url/" -w '%{http_code}\n'
python3 - "$port" <<'END'
import asyncio, http.client, socket, sys, urllib.error, urllib.request
port = int(sys.argv[1])
connection = http.client.HTTPConnection('127.0.0.1', port)
for method, path, body in ('GET', '/', None), ('HEAD', '/', None), ('PUT', '/', b'x' * 200000), ('GET', '/no', None):
    connection.request(method, path, body)
    response = connection.getresponse()
    print(method, response.status, response.read(), response.getheader('Content-Length'))
connection.close()
print(urllib.request.urlopen(f'http://127.0.0.1:{port}/', b'a=b').read())
try:
    urllib.request.urlopen(f'http://127.0.0.1:{port}/none')
except urllib.error.HTTPError as error:
    print(error, error.read())
    error.close()


def ask(*pieces):
    with socket.create_connection(('127.0.0.1', port), timeout=10) as sock:
        for piece in pieces:
            sock.sendall(piece)
        sock.shutdown(socket.SHUT_WR)
        with sock.makefile('rb') as file:
            return file.read()


print(ask(b'GET / HTTP/1.1\r\n\r\nPUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /x HTTP/1.0\r\n\r\n').count(b'HTTP/1.1 '))
print(ask(*[bytes([byte]) for byte in b'GET / HTTP/1.0\r\n\r\n'])[-13:])
print(ask(b'POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n', b'ab').split(b'\r\n')[-1])
for head in (b'X: ' + b'x' * 65526, b'Transfer-Encoding: chunked', b'Content-Length: -1', b'Content-Length: 99999999999',
             b'Content-Length: 1\r\nContent-Length: 2', b'no field'):
    print(head[:40], ask(b'GET / HTTP/1.1\r\n' + head + b'\r\n\r\n').split(b'\r\n')[0])


async def stream(i):
    reader, writer = await asyncio.open_connection('127.0.0.1', port)
    for _ in range(20):
        writer.write(b'PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789')
        head = await reader.readuntil(b'\r\n\r\n')
        assert await reader.readexactly(8) == b'10 bytes', head
    writer.close()
    await writer.wait_closed()
    return i


async def main():
    print(sum(await asyncio.gather(*map(stream, range(50)))))

asyncio.run(main())
END
if command -v wrk > /dev/null; then wrk -t1 -c50 -d1s "$url/" > "$folder/wrk"
else # many requests at once all the same
    answers=$(curl -s -Z "$url/#[1-200]" -o /dev/null -w '%{http_code}\n' 2>/dev/null | grep -c 200)
    echo "Requests/sec: $([ "$answers" = 200 ] && echo 200)" > "$folder/wrk"
fi
awk '/Requests.sec/ { print ($2 > 1) ? "wrk is answered" : "wrk: " $2 } /Socket errors|Non-2xx/' "$folder/wrk"
for i in 1 2 3 4 5 6 7 8 9 10; do [ "$(ls "/proc/$server/fd" | wc -l)" = "$before" ] && break; sleep 0.1; done
[ "$(ls "/proc/$server/fd" | wc -l)" = "$before" ] && echo 'no descriptor more than before'
