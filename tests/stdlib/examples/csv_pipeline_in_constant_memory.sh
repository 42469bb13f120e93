# The pipeline needs as much memory for 30 MB as for 3: what one row needs.
# skip: asan the sanitizer keeps what was freed
# skip: stress too slow
# skip: debug too slow
# timeout: 120
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
for size in 3 30; do
    "$GEN" "$GEN_ROOT/scripts/examples/csv_pipeline.gen" make "$folder/$size" $size
    python3 -c "
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
" "$GEN" "$GEN_ROOT/scripts/examples/csv_pipeline.gen" run "$folder/$size" > "$folder/memory$size"
done
small=$(cat "$folder/memory3") large=$(cat "$folder/memory30")
[ $((large - small)) -lt 1024 ] && [ "$large" -lt 15000 ] && echo constant || echo "$small KB and $large KB"
