# skip: stress it makes hundreds of thousands of objects
# What Gen writes, Debian's unzip and CPython read, and the other way round.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir -p tree/sub
printf 'hello\n' >tree/a.txt
seq 1 5000 >tree/sub/numbers
chmod 640 tree/a.txt
cat >make.gen <<'END'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', getattr(zipfile, sys.argv[2])) as archive:
    for name in 'tree/a.txt', 'tree/sub', 'tree/sub/numbers':
        archive.write(name)
END
cat >check.py <<'END'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    print(archive.testzip(), sorted(name for name in archive.namelist() if not name.endswith('/')), len(archive.read('tree/sub/numbers')))
END
for kind in ZIP_STORED ZIP_DEFLATED ZIP_BZIP2 ZIP_LZMA; do
    "$GEN" make.gen $kind.zip $kind
    python3 check.py $kind.zip
done
for kind in ZIP_STORED ZIP_DEFLATED ZIP_BZIP2; do
    unzip -qt $kind.zip
    unzip -q -d out_$kind $kind.zip && cmp out_$kind/tree/sub/numbers tree/sub/numbers && stat -c %a out_$kind/tree/a.txt
done
zip -qr debian.zip tree && "$GEN" check.py debian.zip
zip -qr - tree | cat >streamed.zip && "$GEN" check.py streamed.zip
"$GEN" -m zipfile -c command.zip tree && "$GEN" -m zipfile -t command.zip && "$GEN" -m zipfile -e command.zip extracted
cmp extracted/tree/sub/numbers tree/sub/numbers && "$GEN" -m zipfile -l command.zip | cut -c1-46
