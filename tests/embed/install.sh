# What make install puts below DESTDIR is enough to build and run a host program: with the shared
# library by the names that genvm.pc gives, and with the static one. make uninstall takes it away.
# timeout: 60
# skip: asan one build is enough
# skip: stress one build is enough
# skip: debug one build is enough
unset MAKEFLAGS MFLAGS MAKELEVEL # the make that runs the tests is none of this script's business
staged=$(mktemp -d) || exit 1
trap 'rm -rf "$staged"' EXIT
cd "$GEN_ROOT" || exit 1
make -s install DESTDIR="$staged" PREFIX=/usr 2>"$staged/log" || { cat "$staged/log"; exit 1; }
(cd "$staged" && find usr ! -type d | sed 's/\.so\.[0-9.]*$/.so.N/' | sort -u)

cat >"$staged/host.c" <<'END'
#include <genvm.h>
#include <stdio.h>
int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    printf("%s\n", vm != NULL ? "linked and running" : "?");
    gen_vm_free(vm);
    return GEN_VERSION_MAJOR;
}
END
field() { sed -n "s/^$1: //p" "$staged/usr/lib/pkgconfig/genvm.pc" | sed "s|\${libdir}|$staged/usr/lib|; s|\${includedir}|$staged/usr/include|"; }
${CC:-gcc} $(field Cflags) -o "$staged/shared" "$staged/host.c" $(field Libs) &&
    LD_LIBRARY_PATH="$staged/usr/lib" "$staged/shared"
${CC:-gcc} $(field Cflags) -o "$staged/static" "$staged/host.c" "$staged/usr/lib/libgenvm.a" $(field Libs.private) &&
    "$staged/static"

make -s uninstall DESTDIR="$staged" PREFIX=/usr && find "$staged/usr" ! -type d
make -s build/genvm.pc
