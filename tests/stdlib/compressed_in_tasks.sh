# Compression gives a task, where it is done piece by piece, what it gives everybody else.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/compress.gen" <<'END'
import bz2, hashlib, lzma, zlib
noise = hashlib.shake_128(b'x').digest(300000)
data = noise + bytes(900000) + b'abcdefgh' * 40000 + noise[::2]
def show(*values):
    print(*[hashlib.md5(v).hexdigest() if isinstance(v, bytes) else v for v in values])
for level in 0, 1, 6, 9:
    made = zlib.compress(data, level)
    show(level, len(zlib.decompress(made)), made if level else len(made) > len(data))
for module in bz2, lzma:
    made = module.compress(data)
    show(made, module.decompress(made + made) == data + data)
for new, made in ((zlib.decompressobj, zlib.compress(data)), (bz2.BZ2Decompressor, bz2.compress(data)),
                  (lzma.LZMADecompressor, lzma.compress(data))):
    stream = new()
    parts = [stream.decompress(made + b'behind', 500000)]
    while not stream.eof:
        parts.append(stream.decompress(getattr(stream, 'unconsumed_tail', b''), 500000))
    show([len(p) for p in parts], b''.join(parts) == data, stream.unused_data)
    for bad in made[:-3], made[:70000] + b'??' + made[70002:]:
        try:
            show(new().decompress(bad) == data)
        except Exception as e:
            show(type(e).__name__, e)
stream = zlib.compressobj(9, zdict=b'abcdefgh' * 5)
made = stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH) + stream.compress(memoryview(data)[::-1].tobytes()) + stream.flush()
show(made, zlib.decompressobj(zdict=b'abcdefgh' * 5).decompress(made) == data + data[::-1])
for wrong in 'text', 5, None:
    try:
        zlib.compress(wrong)
    except TypeError as e:
        print(e)
END
"$GEN" "$work/compress.gen" >"$work/whole" 2>&1
"$GEN" --sandbox --timeout 100 "$work/compress.gen" >"$work/pieces" 2>&1
sed "s, *[0-9a-f]\{32\},,g" "$work/whole"
diff "$work/whole" "$work/pieces" && echo the same in pieces
