# skip: stress it makes hundreds of thousands of objects
# What Gen writes, Debian's tar and CPython read, and the other way round; sparse files in all of GNU's ways.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir -p tree/sub
seq 1 5000 >tree/numbers
ln -s numbers tree/link
ln tree/numbers tree/hard
printf x >tree/sub/$(printf 'long%.0s' $(seq 1 40))
truncate -s 300000 tree/sparse
printf 'middle' | dd of=tree/sparse bs=1 seek=150000 conv=notrunc 2>/dev/null
cat >make.gen <<'END'
import sys, tarfile
with tarfile.open(sys.argv[1], sys.argv[2], format=int(sys.argv[3])) as archive:
    archive.add('tree')
END
cat >check.py <<'END'
import hashlib, sys, tarfile
with tarfile.open(sys.argv[1]) as archive:
    for info in sorted(archive.getmembers(), key=lambda info: info.name):
        if info.isfile():
            print(info.name[:10], info.size, info.issparse(), hashlib.md5(archive.extractfile(info).read()).hexdigest())
END
for kind in '' gz bz2 xz; do
    for mark in : '|'; do "$GEN" make.gen x.tar "w$mark$kind" 1 && tar xf x.tar --one-top-level=out && diff -r tree out/tree && rm -r out; done
done
"$GEN" make.gen pax.tar w: 2 && tar xf pax.tar --one-top-level=out && diff -r tree out/tree && rm -r out && python3 check.py pax.tar
for format in v7 oldgnu gnu ustar posix; do
    echo $format
    tar cf d.tar --format=$format $(case $format in v7 | ustar) echo --exclude='long*' ;; esac) tree && "$GEN" check.py d.tar | md5sum
done
for version in 0.0 0.1 1.0; do
    tar cf s.tar --format=posix -S --sparse-version=$version tree && "$GEN" check.py s.tar
    "$GEN" -m tarfile -e s.tar out && cmp out/tree/sparse tree/sparse && rm -r out
done
tar cf s.tar --format=gnu -S tree && "$GEN" check.py s.tar
"$GEN" -m tarfile -v -c made.tgz tree && "$GEN" -m tarfile -l made.tgz | cut -c1-12 && tar tzf made.tgz | wc -l
