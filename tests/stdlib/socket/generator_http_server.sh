# The example of a server whose handlers are generators answers curl, with kept connections and without; a client that
# sends garbage or leaves is no harm.
# timeout: 60
. "$GEN_ROOT/tests/shared/serve.sh"
serve generator_http_server serving 0 6
curl -s "http://127.0.0.1:$port/" "http://127.0.0.1:$port/none" -w ' %{http_code} %{num_connects}\n'
printf 'garbage\r\n\r\n' | timeout 5 python3 -c "
import socket, sys
with socket.create_connection(('127.0.0.1', $port)) as s:
    s.sendall(sys.stdin.buffer.read())
    s.shutdown(socket.SHUT_WR)
    print(s.recv(100))
with socket.create_connection(('127.0.0.1', $port)) as s:
    s.sendall(b'GET / HT')
"
curl -s -I "http://127.0.0.1:$port/" | head -1 | tr -d '\r'
curl -s --http1.0 "http://127.0.0.1:$port/" -w '\n'
for i in 1 2; do curl -s "http://127.0.0.1:$port/" -w '\n' > "$folder/answer$i" & done
wait %2 %3 2>/dev/null
cat "$folder/answer1" "$folder/answer2"
wait $server
tail -1 "$folder/out"
