# Every special method that the engine calls (vm/specials.def) is suspended in by a script of this folder.
cd "$GEN_ROOT" || exit 1
grep -o 'SPECIAL([A-Z_]*, __[a-z_]*__)' vm/specials.def | sed 's/.*, //; s/)//' | sort -u |
    while read -r name; do
        [ "$name" != __buffer__ ] || continue # memoryview and bytes do not ask for it
        grep -q "$name" tests/suspend/*.gen || echo "no script has $name"
    done
echo "all others"
