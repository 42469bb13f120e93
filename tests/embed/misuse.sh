# A debug build of the library names the place of a kept ref that nobody released, and stops at the use of
# a ref whose scope is closed or that was released, that is another VM's, at the use of a VM that is freed, or
# by a second thread while it runs.
# skip: release only builds with assertions look
# skip: asan the program is linked without the sanitizer
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$GEN_ROOT" || exit 1
cat >"$work/host.c" <<'END'
#include "vm/genvm.h"
#include <pthread.h>
#include <stdlib.h>
static void *other_thread(void *data) {
    gen_int((GenVM *)data, 1);
    return NULL;
}
static GenRef call_thread(GenVM *vm, const GenRef *args) {
    (void)args;
    pthread_t thread;
    pthread_create(&thread, NULL, other_thread, vm);
    pthread_join(thread, NULL);
    return gen_none(vm);
}
static const GenFunction second = {"second()", call_thread, NULL};
static void use_in_others(GenRef ref) {
    GenVM *vms[8]; /* the check is a matter of luck in one of 128 */
    size_t size;
    for (int i = 0; i < 8; i++) {
        vms[i] = gen_vm_new(NULL);
        gen_str(vms[i], "another");
        gen_to_str(vms[i], ref, &size);
    }
}
int main(int argc, char **argv) {
    (void)argc;
    GenVM *vm = gen_vm_new(NULL);
    GenScope scope = gen_scope_open(vm);
    GenRef ref = gen_str(vm, "text"), kept = gen_keep(vm, ref);
    size_t size;
    gen_scope_close(vm, scope);
    gen_int(vm, 1); /* takes the place of the first */
    if (atoi(argv[1]) == 1) gen_to_str(vm, ref, &size);
    ref = gen_str(vm, "text");
    if (atoi(argv[1]) == 4) use_in_others(ref);
    if (atoi(argv[1]) == 5) gen_call(vm, gen_function(vm, &second), 0, NULL);
    if (atoi(argv[1]) != 2) gen_release(vm, kept);
    if (atoi(argv[1]) == 3) gen_to_str(vm, kept, &size);
    gen_vm_free(vm);
    if (atoi(argv[1]) == 6) gen_int(vm, 1);
    return 0;
}
END
libs=$(sed -n 's/^Libs.private: //p' "$GEN_BUILD/genvm.pc")
# shellcheck disable=SC2086
${CC:-gcc} -std=gnu11 -I. -o "$work/host" "$work/host.c" "$GEN_BUILD/libgenvm.a" $libs -lpthread || exit 1
cd "$work" || exit 1
for use in 0 1 2 3 4 5 6; do
    ./host $use 2>err; sed "s,$work/,,; /Abort/d" err
    echo "use $use"
done
