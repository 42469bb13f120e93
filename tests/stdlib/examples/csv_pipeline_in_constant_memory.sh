# The pipeline needs as much memory for 30 MB as for 3: what one row needs.
# skip: asan the sanitizer keeps what was freed
# skip: stress too slow
# skip: debug too slow
# timeout: 120
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cc -o "$folder/measure" "$GEN_ROOT/tests/bench/measure.c"
for size in 3 30; do
    "$GEN" "$GEN_ROOT/scripts/examples/csv_pipeline.gen" make "$folder/$size" $size
    "$folder/measure" "$folder/told" "$GEN" "$GEN_ROOT/scripts/examples/csv_pipeline.gen" run "$folder/$size" > "$folder/out"
    cut -d' ' -f3 "$folder/told" > "$folder/memory$size"
done
small=$(cat "$folder/memory3") large=$(cat "$folder/memory30")
[ $((large - small)) -lt 1024 ] && [ "$large" -lt 16384 ] && echo constant || echo "$small KB and $large KB"
