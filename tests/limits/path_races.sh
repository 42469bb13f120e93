# Another process exchanges a folder for a link that leads out of what is granted, all the time: no
# call of a script gets there, whenever it looks.
folder=$(mktemp -d) || exit 1
trap 'kill $attacker 2>/dev/null; wait 2>/dev/null; rm -rf "$folder"' EXIT
mkdir -p "$folder/box/x/sub" "$folder/out/sub" && echo secret > "$folder/out/secret"
ln -s ../out "$folder/box/way" && echo plain > "$folder/box/x/plain"
cat > "$folder/script.gen" <<'END'
import os
import sys

box = sys.argv[1] + '/box'
leaks = set()
calls = {
    'open': lambda: open(box + '/x/secret').close(),
    'os.open': lambda: os.close(os.open(box + '/x/secret', os.O_RDONLY)),
    'stat': lambda: os.stat(box + '/x/secret'),
    'lstat': lambda: os.lstat(box + '/x/secret'),
    'access': lambda: os.access(box + '/x/secret', os.F_OK) or missing(),
    'exists': lambda: os.path.exists(box + '/x/secret') or missing(),
    'chmod': lambda: os.chmod(box + '/x/secret', 0o777),
    'truncate': lambda: os.truncate(box + '/x/secret', 0),
    'utime': lambda: os.utime(box + '/x/secret', (1, 1)),
    'unlink': lambda: os.unlink(box + '/x/secret'),
    'rename': lambda: os.rename(box + '/x/secret', box + '/stolen'),
    'link': lambda: os.link(box + '/x/secret', box + '/stolen'),
    'listdir': lambda: 'secret' in os.listdir(box + '/x') or missing(),
    'scandir': lambda: 'secret' in [entry.name for entry in os.scandir(box + '/x')] or missing(),
    'chdir': lambda: (os.chdir(box + '/x'), os.path.exists('secret') or missing()),
    'write': lambda: open(box + '/x/secret', 'r+').close(),
}


def missing():
    raise FileNotFoundError


for _ in range(1000):
    for name, call in calls.items():
        try:
            call()
            leaks.add(name)
        except OSError:
            pass
for _ in range(2000):  # what would make something outside
    for name in ('new', 'sub/new'):
        for make in (os.mkdir, lambda path: open(path, 'x').close(), lambda path: os.symlink('a', path)):
            try:
                make(box + '/x/' + name)
            except OSError:
                pass
print('leaks:', sorted(leaks))
END
python3 "$GEN_ROOT/tests/shared/exchange.py" "$folder" &
attacker=$!
"$GEN" --sandbox --allow-stdio --allow-read="$folder/box" --allow-write="$folder/box" "$folder/script.gen" "$folder" 2>&1 |
    sed "s|$folder|FOLDER|g"
find "$folder/out" | sed "s|$folder|FOLDER|" | sort
cat "$folder/out/secret"
