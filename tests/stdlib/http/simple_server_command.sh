# gen -m http.server serves the files of a folder to curl and to CPython's urllib; Ctrl-C ends it.
# timeout: 60
. "$GEN_ROOT/tests/shared/serve.sh"
mkdir -p "$folder/site/sub/empty" && echo hello > "$folder/site/a.txt" && echo '<p>index' > "$folder/site/sub/index.html"
echo secret > "$folder/secret" && printf '\377\0' > "$folder/site/sub/b ü.png"
: > "$folder/out"
env --default-signal=INT "$GEN" -m http.server 0 -b 127.0.0.1 --directory="$folder/site" > "$folder/out" 2> "$folder/err" &
server=$!
while ! grep -q Serving "$folder/out"; do sleep 0.05; done
url=http://$(sed -n 's/.*http:..\(.*\)\/).*/\1/p' "$folder/out")
curl -s "$url/a.txt" > "$folder/first" # what a server opens once is open then
before=$(ls /proc/$server/fd | wc -l) # the connection that was served may still be among them
curl -s "$url/a.txt" -w '%{http_code} %{content_type} %{size_download}\n'
curl -s "$url/sub/b%20%C3%BC.png" -w ' %{http_code} %{content_type}\n' | od -c | head -1
curl -sI "$url/sub" | grep -i '^HTTP\|^Location' | tr -d '\r'
for path in sub/ ../secret %2e%2e/secret a.txt/ none /a.txt; do
    curl -s --path-as-is "$url/$path" -o "$folder/answer" -w "$path %{http_code} %{content_type}\n"
done
curl -s -X DELETE "$url/a.txt" -o /dev/null -w '%{http_code}\n'
modified=$(curl -sI "$url/a.txt" | grep -i '^Last-Modified' | tr -d '\r' | cut -d' ' -f2-)
curl -s -H "If-Modified-Since: $modified" "$url/a.txt" -w '%{http_code}\n'
curl -s -H "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT" "$url/a.txt" -w '%{http_code}\n'
python3 - "$url" <<'END'
import re, sys, urllib.request
page = urllib.request.urlopen(sys.argv[1] + '/?x').read().decode()
print(re.findall('<h1>.*</h1>|<li>.*</li>', page))
END
tries=0
while [ $(ls /proc/$server/fd | wc -l) -gt $before ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
[ $tries -lt 100 ] && echo no descriptor left
kill -2 $server
wait $server
echo "status $?"
tail -1 "$folder/out"
grep -c GET "$folder/err" # with the first one
