# A debug build of the library names the place of a kept ref that nobody released, and stops at the use of
# a ref whose scope is closed or that was released.
# skip: release only builds with assertions look
# skip: asan the program is linked without the sanitizer
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$GEN_ROOT" || exit 1
cat >"$work/host.c" <<'END'
#include "vm/genvm.h"
#include <stdlib.h>
int main(int argc, char **argv) {
    (void)argc;
    GenVM *vm = gen_vm_new(NULL);
    GenScope scope = gen_scope_open(vm);
    GenRef ref = gen_str(vm, "text"), kept = gen_keep(vm, ref);
    size_t size;
    gen_scope_close(vm, scope);
    gen_int(vm, 1); /* takes the place of the first */
    if (atoi(argv[1]) == 1) gen_to_str(vm, ref, &size);
    if (atoi(argv[1]) != 2) gen_release(vm, kept);
    if (atoi(argv[1]) == 3) gen_to_str(vm, kept, &size);
    gen_vm_free(vm);
    return 0;
}
END
libs=$(sed -n 's/^Libs.private: //p' "$GEN_BUILD/genvm.pc")
# shellcheck disable=SC2086
${CC:-gcc} -std=gnu11 -I. -o "$work/host" "$work/host.c" "$GEN_BUILD/libgenvm.a" $libs || exit 1
cd "$work" || exit 1
for use in 0 1 2 3; do
    ./host $use 2>err; sed "s,$work/,,; /Abort/d" err
    echo "use $use"
done
