# The asynchronous server answers curl, openssl s_client and CPython's http.client and urllib, over TCP and TLS.
# skip: stress too slow
# timeout: 60
. "$GEN_ROOT/tests/shared/serve.sh"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$folder/key" -out "$folder/cert" -days 1 -subj /CN=localhost \
    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' 2> "$folder/log" || cat "$folder/log"
cat > "$folder/server.gen" <<'END'
import asyncio, ssl, sys
from asyncio import http


async def handler(request):
    if request.path == '/stream':
        return (f'{i} ' * 1000 for i in range(100))
    return f'{request.method} {request.target} {len(await request.read())}\n'


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    plain = await http.start_server(handler, '127.0.0.1', 0)
    secure = await http.start_server(handler, '127.0.0.1', 0, ssl=context)
    print(plain.sockets[0].getsockname()[1], secure.sockets[0].getsockname()[1], flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await plain.shutdown(1)
        await secure.shutdown(1)
        print('down')


try:
    asyncio.run(main())
except KeyboardInterrupt:
    print('interrupted')
END
env --default-signal=INT "$GEN" "$folder/server.gen" "$folder/cert" "$folder/key" > "$folder/out" &
server=$!
while ! [ -s "$folder/out" ]; do sleep 0.05; done
read -r plain secure < "$folder/out"
for url in "http://127.0.0.1:$plain" "https://localhost:$secure"; do
    curl -s --cacert "$folder/cert" "$url/a" "$url/b?c" -w '%{http_code} %{num_connects} %{content_type}\n'
    curl -s --cacert "$folder/cert" "$url/stream" | cksum
    head -c 500000 /dev/zero | curl -s --cacert "$folder/cert" -T - "$url/up"
    head -c 2000000 /dev/zero | curl -s --cacert "$folder/cert" --data-binary @- "$url/large" -w '%{http_code}\n'
    curl -sI --http1.0 --cacert "$folder/cert" "$url/" | head -1 | tr -d '\r'
done
printf 'GET /tls HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n' |
    timeout 10 openssl s_client -quiet -connect "127.0.0.1:$secure" 2> "$folder/log" | tail -1
python3 - "$plain" "$secure" "$folder/cert" <<'END'
import http.client, ssl, sys, urllib.request
connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))
for path, body in ('/1', None), ('/2', b'data'), ('/3', iter([b'ab', b'c'])):
    connection.request('POST' if body else 'GET', path, body)
    print(connection.getresponse().read())
context = ssl.create_default_context(cafile=sys.argv[3])
print(urllib.request.urlopen('https://localhost:%s/x' % sys.argv[2], b'a=b', context=context).read())
END
kill -2 $server
wait $server
tail -n +2 "$folder/out"
