# A VM without a clock lives in UTC: the zone of its host is none of its business.
cat >"${TMPDIR:-/tmp}/zone.$$.gen" <<'END'
import time
print(time.localtime(0)[:6], time.tzname, time.timezone, time.mktime((1970, 1, 1, 0, 0, 0, 0, 0, 0)))
print(time.strftime('%H %Z', time.localtime(0)))
END
TZ=JST-9 "$GEN" --sandbox "${TMPDIR:-/tmp}/zone.$$.gen"
rm -f "${TMPDIR:-/tmp}/zone.$$.gen"
