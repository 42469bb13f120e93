# The pipeline of generators over CSV writes and reads the same file as CPython does, with the same result.
# skip: stress too slow
# timeout: 60
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
example=$GEN_ROOT/scripts/examples/csv_pipeline.gen
"$GEN" "$example" make "$folder/ours" 1.5
python3 "$example" make "$folder/theirs" 1.5
cmp "$folder/ours" "$folder/theirs"
"$GEN" "$example" run "$folder/ours" | tee "$folder/out"
python3 "$example" run "$folder/ours" | cmp - "$folder/out"
"$GEN" "$example" 2>&1
"$GEN" "$example" run "$folder/none" 2>&1 | tail -1 | sed "s:$folder::"
