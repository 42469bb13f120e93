# skip: asan it reserves address space without end
# skip: tsan it reserves address space without end
# Source text that takes more memory than there is, wherever in the compiler it runs out: MemoryError, and the
# session goes on.
for bound in 60000 75000 90000 110000 140000 180000 230000 300000; do
    (ulimit -v $bound && "$GEN" -i <<'END_OF_INPUT'
text = 'x = [' + 'a, ' * 3_000_000 + ']'
exec(text)
exec('(' * 100 + 'a + ' * 900_000 + 'a')
def twice(n): return n * 2

print('goes on', twice(21))
END_OF_INPUT
    ) 2>&1 | grep -o '^MemoryError\|goes on 42' | sort | uniq -c | tr -s ' '
done
