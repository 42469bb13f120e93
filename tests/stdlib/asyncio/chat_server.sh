# The example of a chat server with CPython's sockets as its clients; Ctrl-C ends it cleanly.
# timeout: 60
. "$GEN_ROOT/tests/shared/serve.sh"
serve chat_server chatting 0
python3 - "$port" <<'END'
import socket, sys


def client(name):
    sock = socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=10)
    file = sock.makefile('rw', encoding='utf-8', newline='\n')
    assert sock.recv(6) == b'name? '
    say(file, name)
    return sock, file


def say(file, text):
    file.write(text + '\n')
    file.flush()


(first, a), (second, b) = client('ann'), client('bob')
print(a.readline().strip())
say(a, 'hello')
print(b.readline().strip())
say(b, 'grüße')
print(a.readline().strip())
say(b, '/who')
print(b.readline().strip())
second.shutdown(socket.SHUT_RDWR)
print(a.readline().strip())
say(a, '/quit')
print(repr(a.readline()), repr(a.readline()))
END
kill -2 $server
wait $server
tail -1 "$folder/out"
