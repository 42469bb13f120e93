# The crawler walks a site that CPython's http.server serves over TLS with a certificate of its own; where nobody vouches for it,
# the site is one broken page.
# skip: stress too slow
# timeout: 60
. "$GEN_ROOT/tests/shared/serve.sh"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$folder/key" -out "$folder/cert" -days 1 -subj /CN=localhost \
    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' 2> "$folder/log" || cat "$folder/log"
mkdir "$folder/site" && echo '<a href="a.html">a</a> <a href="none.html">n</a>' > "$folder/site/index.html"
echo '<a href="/index.html">up</a>' > "$folder/site/a.html"
: > "$folder/port"
python3 - "$folder" > "$folder/port" 2> "$folder/log" <<'END' &
import functools, http.server, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1] + '/cert', sys.argv[1] + '/key')
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1] + '/site')
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_port, flush=True)
server.serve_forever()
END
server=$!
while ! [ -s "$folder/port" ]; do sleep 0.05; done
crawl() { "$GEN" "$GEN_ROOT/scripts/examples/crawler.gen" "$@" 2>/dev/null | sed 's/ (_ssl.c.*)/)/; s/:[0-9][0-9]*\//\//'; }
crawl "https://localhost:$(cat "$folder/port")/" 4 100 "$folder/cert"
crawl "https://127.0.0.1:$(cat "$folder/port")/" 1 1 "$folder/cert"
crawl "https://localhost:$(cat "$folder/port")/" 4 100 | head -1
