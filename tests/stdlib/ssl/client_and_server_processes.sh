# gen's ssl against openssl s_client, and CPython's as the other end.
# timeout: 60
. "$GEN_ROOT/tests/shared/serve.sh"
cat > "$folder/client.gen" <<'END'
import socket, ssl, sys
context = ssl.create_default_context(cafile='localhost.pem')
for _ in range(100):
    try:
        sock = socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=10)
        break
    except ConnectionRefusedError:
        import time
        time.sleep(0.05)
with context.wrap_socket(sock, server_hostname='localhost') as tls:
    tls.sendall(b'GET / HTTP/1.0\r\n\r\n')
    data = b''
    while piece := tls.recv(1000):
        data += piece
    print(tls.version(), data[:15])
END
cat > "$folder/server.gen" <<'END'
import socket, ssl
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain('localhost.pem')
with socket.create_server(('127.0.0.1', 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    sock, address = listener.accept()
    with context.wrap_socket(sock, server_side=True) as tls:
        request = tls.recv(1000)
        tls.sendall(b'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello')
        try:
            tls.unwrap()
        except OSError:
            pass
END
"$GEN" "$folder/server.gen" > "$folder/port" &
server=$!
while ! [ -s "$folder/port" ]; do sleep 0.05; done
"$GEN" "$folder/client.gen" "$(cat "$folder/port")"
wait $server
: > "$folder/port"
"$GEN" "$folder/server.gen" > "$folder/port" &
server=$!
while ! [ -s "$folder/port" ]; do sleep 0.05; done
printf 'GET / HTTP/1.0\r\n\r\n' | openssl s_client -quiet -verify_return_error -CAfile localhost.pem -connect "127.0.0.1:$(cat "$folder/port")" 2>/dev/null | tail -1
echo
wait $server
: > "$folder/port"
python3 "$folder/server.gen" > "$folder/port" &
server=$!
while ! [ -s "$folder/port" ]; do sleep 0.05; done
"$GEN" "$folder/client.gen" "$(cat "$folder/port")"
wait $server
