# The libraries export gen_* and nothing else, and the shared one carries its versioned name.
# skip: asan the sanitizers export names of their own
cd "$GEN_BUILD" || exit 1

names() { awk 'NF >= 2 { print $NF }' | sort -u; }
nm -D --defined-only libgenvm.so | names >shared.names
nm -g --defined-only libgenvm.a | grep -v ':$' | names >static.names

echo "exported but not gen_*:"
grep -hv '^gen_' shared.names static.names
echo "exported by one of the two alone:"
comm -3 shared.names static.names
echo "declared in genvm.h but not exported:"
sed -n 's/^GEN_API .*[ *]\(gen_[a-z0-9_]*\)(.*/\1/p' include/genvm.h | sort -u | comm -23 - shared.names
echo "soname:"
objdump -p libgenvm.so | awk '$1 == "SONAME" { sub(/[0-9]+$/, "N", $2); print $2 }'
[ -s shared.names ] || echo "nothing is exported"
rm -f shared.names static.names
