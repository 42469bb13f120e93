# The crawler walks a site that CPython's http.server serves, and finds every page and every broken link once, whatever the number
# of its workers; a server that is not there is one broken page.
# skip: stress too slow
# timeout: 60
. "$GEN_ROOT/tests/shared/serve.sh"
mkdir -p "$folder/site/sub"
cat > "$folder/site/index.html" <<'END'
<a href="a.html">a</a> <a href=sub/>not quoted</a> <a class="x" href='sub/'>s</a> <IMG SRC="i.png"> <a href="http://elsewhere.invalid/">x</a>
<a href="none.html#f">n</a> <a href="mailto:x@y">m</a> <a href="sub">without a slash</a> <a href="%C3%BC.html">ü</a>
END
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    echo "<a href='p$((i * 2)).html'>x</a><a href='/p$((i * 2 + 1)).html?q#f'>y</a><a href='index.html#$i'>" > "$folder/site/p$i.html"
done
echo '<a href="p1.html">' > "$folder/site/a.html"
echo '<a href="../index.html">up</a>' > "$folder/site/sub/index.html"
echo png > "$folder/site/i.png" && echo umlaut > "$folder/site/ü.html"
: > "$folder/out"
python3 -u -m http.server 0 -b 127.0.0.1 -d "$folder/site" > "$folder/out" 2>/dev/null &
server=$!
while ! grep -q Serving "$folder/out"; do sleep 0.05; done
url=http://127.0.0.1:$(sed -n 's/.*port \([0-9]*\) .*/\1/p' "$folder/out")/
crawl() { "$GEN" "$GEN_ROOT/scripts/examples/crawler.gen" "$@" 2>/dev/null; }
crawl "$url" 1 | sort > "$folder/one"
crawl "$url" 8 | sort > "$folder/eight"
cut -d, -f1 "$folder/one" > "$folder/a" && cut -d, -f1 "$folder/eight" > "$folder/b" && cmp "$folder/a" "$folder/b" && cut -c1-60 "$folder/a"
crawl "$url" 4 5 | wc -l
crawl http://127.0.0.1:1/
