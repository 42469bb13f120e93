# Read by the tests of servers: makes $folder, which is removed at the end, and ends $server then.
folder=$(mktemp -d) || exit 1
trap 'kill $server 2>/dev/null; rm -rf "$folder"' EXIT

# serve EXAMPLE WORD ARGS...: runs scripts/examples/EXAMPLE.gen ARGS until it has printed "WORD on port N"; N is $port.
# A shell has what it starts beside itself ignore SIGINT, which is undone.
serve() {
    example=$1 word=$2
    shift 2
    : > "$folder/out"
    env --default-signal=INT "$GEN" "$GEN_ROOT/scripts/examples/$example.gen" "$@" > "$folder/out" &
    server=$!
    while ! grep -q "$word" "$folder/out"; do sleep 0.05; done
    port=$(sed -n "s/$word on port //p" "$folder/out")
}
