# gen --dis shows a program's instructions, those of its functions too, and runs nothing.
file=$(mktemp)
cat >"$file" <<'P'
def doubled(items):
    for x in items:
        yield x * 2
class Shape:
    def area(self): return 1
print("never printed")
P
"$GEN" --dis "$file" >"$file.out"
grep -E '^[A-Za-z<>.]+: [0-9]+ registers' "$file.out" | cut -d: -f1
grep -c YIELD "$file.out"
grep -c 'never printed' "$file.out"
"$GEN" --dis 2>/dev/null
echo "status $?"
"$GEN" --dis /nonexistent 2>&1
echo "status $?"
rm -f "$file" "$file.out"
