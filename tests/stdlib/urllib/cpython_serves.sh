# urllib.request asks a server of CPython's: statuses, redirections, passwords, data, chunks, time-outs. CPython, given the same
# script, prints the same.
# timeout: 60
. "$GEN_ROOT/tests/shared/serve.sh"
cat > "$folder/server.py" <<'END'
import http.server, time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        length = self.headers.get('Content-Length')
        chunks = []
        if self.headers.get('Transfer-Encoding') == 'chunked':
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
        body = self.rfile.read(int(length)) if length else b''.join(chunks)
        parts = self.path.split('/')
        if parts[1] == 'slow':
            time.sleep(1)
        if parts[1] == 'status':
            return self.answer(int(parts[2]), b'page %s' % parts[2].encode(), Location=parts[3] if len(parts) > 3 else '/headers')
        if parts[1] == 'loop':
            return self.answer(302, b'', Location='/loop')
        if parts[1] == 'scheme':
            return self.answer(302, b'', Location='file:///etc/passwd')
        if parts[1] == 'auth' and self.headers.get('Authorization') != 'Basic dTpww6Q=':
            return self.answer(401, b'who', **{'WWW-Authenticate': 'Basic realm="here"'})
        if parts[1] == 'digest':
            return self.answer(401, b'who', **{'WWW-Authenticate': 'Unknown realm="here"'})
        if parts[1] == 'chunked':
            self.send_response(200)
            self.send_header('Transfer-Encoding', 'chunked')
            self.end_headers()
            return self.wfile.write(b'5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n')
        if parts[1] == 'short':
            return self.answer(200, b'abc', **{'Content-Length': '10', 'Connection': 'close'})
        names = ('user-agent', 'content-type', 'content-length', 'transfer-encoding', 'x-a', 'authorization', 'accept-encoding', 'connection')
        self.answer(200, '\n'.join([self.command, self.path] + [f'{n}: {self.headers[n]}' for n in names if n in self.headers]).encode().replace(b'3.11', b'3.14') + b'\n' + body)

    do_POST = do_HEAD = do_PUT = do_GET

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in {'Content-Length': str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
END
cat > "$folder/client.py" <<'END'
import io, sys, urllib.error, urllib.request
from urllib.request import Request, urlopen

base = f'http://127.0.0.1:{sys.argv[1]}'
manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
manager.add_password(None, base, 'u', 'pä')
auth = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
for make in [lambda: urlopen(base + '/headers?q#f'), lambda: urlopen(base + '/p', b'a=1'), lambda: urlopen(Request(base + '/p', io.BytesIO(b'xyz'), {'X-a': 'b', 'Content-type': 't/p'})),
             lambda: urlopen(Request(base + '/p', iter([b'ab', b'c']))), lambda: urlopen(Request(base + '/p', b'z', method='PUT')), lambda: urlopen(Request(base + '/p', method='HEAD')), lambda: urlopen(base + '/status/404'),
             lambda: urlopen(base + '/status/301'), lambda: urlopen(base + '/status/307'), lambda: urlopen(base + '/status/303', b'data'), lambda: urlopen(base + '/status/307', b'data'), lambda: urlopen(base + '/loop'), lambda: urlopen(base + '/scheme'),
             lambda: urlopen(base + '/status/302/%C3%A4 b?c=d'), lambda: urlopen(base + '/auth'), lambda: auth.open(base + '/auth'), lambda: auth.open(base + '/digest'), lambda: urlopen(base + '/chunked'), lambda: urlopen(base + '/short'),
             lambda: urlopen(base + '/slow', timeout=0.2), lambda: urlopen('http://127.0.0.1:1/'), lambda: urlopen('http://host.invalid/'), lambda: urlopen('nope:x'), lambda: urlopen('nothing'), lambda: urlopen(base + '/p', 'text'), lambda: urlopen('http:///p'),
             lambda: urlopen(base + '/a b'), lambda: urlopen('data:text/plain,a%20b'), lambda: urlopen('data:;base64,YWI='), lambda: urlopen('file:///none'), lambda: urlopen('file://' + __file__)]:
    try:
        with make() as answer:
            data = answer.read()
            print(answer.status, answer.geturl().replace(base, '').replace(__file__, 'F'), answer.headers['content-length'] if b'import' not in data else '', data[:300].decode().partition('import')[0])
    except urllib.error.HTTPError as error:
        print(error, error.code, error.url.replace(base, ''), error.read(), error.headers['location'])
        error.close()
    except Exception as error:
        print(type(error).__name__, str(error).replace(base, ''))
r = Request('HTTP://u@H:80/p;x?q#frag', headers={'some-name': 'v'})
r.add_unredirected_header('other', 'w')
print(r.type, r.host, r.selector, r.fragment, r.full_url, r.get_method(), r.header_items(), r.has_header('Some-name'), r.get_header('Other'), r.origin_req_host)
END
python3 "$folder/server.py" > "$folder/port" 2>/dev/null &
server=$!
while ! [ -s "$folder/port" ]; do sleep 0.05; done
"$GEN" "$folder/client.py" "$(cat "$folder/port")"
