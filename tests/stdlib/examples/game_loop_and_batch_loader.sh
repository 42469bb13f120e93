# The game whose actors are generators, and the loader that reads ahead, do what they do under CPython, to the last digit.
# skip: stress too slow
# timeout: 60
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
for run in 'game_loop 200 1' 'game_loop 50 7' 'batch_loader 300 32 2' 'batch_loader 10 64 1'; do
    set -- $run
    "$GEN" "$GEN_ROOT/scripts/examples/$1.gen" "$2" "$3" $4 > "$out"
    tail -5 "$out"
    python3 "$GEN_ROOT/scripts/examples/$1.gen" "$2" "$3" $4 | cmp - "$out"
done
