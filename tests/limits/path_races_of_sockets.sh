# As path_races, for the paths of Unix sockets and of certificates: nothing outside of what is granted
# is connected to, made or read while a folder becomes a link that leads there and back.
folder=$(mktemp -d) || exit 1
trap 'kill $attacker $server 2>/dev/null; wait 2>/dev/null; rm -rf "$folder"' EXIT
mkdir -p "$folder/box/x" "$folder/out"
ln -s ../out "$folder/box/way"
cp "$GEN_ROOT/tests/stdlib/ssl/localhost.pem" "$folder/out/secret.pem"
cp "$folder/out/secret.pem" "$folder/out/0123abcd.0"
cat > "$folder/server.py" <<'END'
import os, socket, sys
os.chdir(sys.argv[1] + '/out')
stream = socket.socket(socket.AF_UNIX)
stream.bind('stream')
stream.listen(1000)
datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
datagrams.bind('datagrams')
open('ready', 'w').close()
print('outside got', datagrams.recv(100))
END
cat > "$folder/script.gen" <<'END'
import socket
import ssl
import sys

box = sys.argv[1] + '/box'
leaks = set()


def unix(kind, do):
    with socket.socket(socket.AF_UNIX, kind) as s:
        do(s)


def trust(**where):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(**where)
    if not context.cert_store_stats()['x509']:
        raise FileNotFoundError


calls = {
    'connect': lambda: unix(socket.SOCK_STREAM, lambda s: s.connect(box + '/x/stream')),
    'sendto': lambda: unix(socket.SOCK_DGRAM, lambda s: s.sendto(b'a', box + '/x/datagrams')),
    'sendmsg': lambda: unix(socket.SOCK_DGRAM, lambda s: s.sendmsg([b'a'], [], 0, box + '/x/datagrams')),
    'cafile': lambda: trust(cafile=box + '/x/secret.pem'),
    'capath': lambda: trust(capath=box + '/x'),
    'load_cert_chain': lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(box + '/x/secret.pem'),
}
for _ in range(1000):
    for name, call in calls.items():
        try:
            call()
            leaks.add(name)
        except OSError:
            pass
for i in range(3000):  # what would make something outside
    try:
        unix(socket.SOCK_STREAM, lambda s: s.bind(f'{box}/x/new{i}'))
    except OSError:
        pass
print('leaks:', sorted(leaks))
END
python3 "$folder/server.py" "$folder" &
server=$!
while ! [ -e "$folder/out/ready" ]; do sleep 0.05; done
python3 "$GEN_ROOT/tests/shared/exchange.py" "$folder" &
attacker=$!
"$GEN" --sandbox --allow-stdio --allow-net --allow-read="$folder/box" --allow-write="$folder/box" "$folder/script.gen" "$folder" 2>&1 |
    sed "s|$folder|FOLDER|g"
ls "$folder/out"
