# scripts/embed/task_store.c: four processes race for suspended tasks in a database, two of them are
# killed, and every step is made exactly once.
# skip: asan the program is linked without the sanitizer
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$GEN_ROOT" || exit 1
if ! echo '#include <sqlite3.h>' | ${CC:-gcc} -E -o /dev/null - 2>/dev/null; then
    echo "skipped: there is no sqlite3.h (Debian: libsqlite3-dev)" >&2
    cat tests/embed/task_store.out
    exit
fi
libs=$(sed -n 's/^Libs.private: //p' "$GEN_BUILD/genvm.pc")
# shellcheck disable=SC2086
${CC:-gcc} -std=c11 -Wall -Wextra -Ivm -o "$work/task_store" scripts/embed/task_store.c \
    "$GEN_BUILD/libgenvm.a" $libs -lsqlite3 || exit 1
cd "$work" || exit 1
./task_store db add one 6 two 9 three 7 four 8 five 5
pids=
for worker in 1 2 3 4; do
    ./task_store db work &
    pids="$pids $!"
done
# shellcheck disable=SC2086
set -- $pids
sleep 0.1
kill -9 "$1" 2>/dev/null
sleep 0.1
kill -9 "$2" 2>/dev/null
wait "$3" && wait "$4" && echo "the others have ended"
./task_store db show
