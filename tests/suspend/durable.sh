# scripts/examples/durable.gen, killed in the middle three times over, comes to the same end.
# skip: stress a computation that collects at every safepoint takes minutes
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
script=$GEN_ROOT/scripts/examples/durable.gen
for kill in 1 2 3; do
    "$GEN" "$script" state 150000 >>out 2>>log &
    pid=$!
    touch before
    tries=0
    until [ state -nt before ] || [ $tries = 600 ]; do
        sleep 0.02
        tries=$((tries + 1))
    done
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    echo "killed: $?"
done
[ ! -s out ] && [ -s state ] && echo "not done yet"
"$GEN" "$script" state 150000 2>>log
cat log
[ -e state ] || echo "nothing is left over"
