# The programs in the README run: the generators, the twelve lines of C, and the sandboxed task in under forty.
# skip: asan one build is enough
# skip: stress one build is enough
# skip: debug one build is enough
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$GEN_ROOT" || exit 1
awk -v work="$work" '/^```/ { if (open) close(file); open = !open; file = work "/" ++fences "." substr($0, 4); next }
                     open { print > file }' README.md
libs=$(sed -n 's/^Libs.private: //p' "$GEN_BUILD/genvm.pc")
for program in "$work"/*.c; do
    # shellcheck disable=SC2086
    ${CC:-gcc} -std=c11 -Wall -Wextra -Werror -Ivm -o "$work/program" "$program" "$GEN_BUILD/libgenvm.a" $libs || exit 1
    "$work/program" && [ "$(wc -l <"$program")" -lt 40 ] && echo "in under 40 lines"
done
echo "$(wc -l <"$work/3.python") lines of the language"
[ "$("$GEN" "$work/3.python")" = "$(python3 "$work/3.python")" ] && echo "as Python runs them"
