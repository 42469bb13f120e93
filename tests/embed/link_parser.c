/* The engine and the parser run code without the library. This file stands in for stdlib/init.c: it
 * gives a new VM the compiler and nothing else. */
#include "parser/compile.h"
#include "vm/genvm.h"
#include "vm/runtime.h"
#include "vm/vm.h"
#include <stdio.h>

bool vm_library_init(GenVM *vm) {
    vm->compile = compile_source;
    return true;
}

static const char script[] = "def squares(n):\n"
                             "    i = 0\n"
                             "    while i < n:\n"
                             "        yield i * i\n"
                             "        i += 1\n"
                             "total = 0\n"
                             "for square in squares(100):\n"
                             "    total += square\n";

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    if (vm == NULL) return 1;
    if (!gen_run_string(vm, script, "script")) fputs(gen_error_text(vm), stdout);
    printf("%lld\n", (long long)gen_as_int(vm, gen_get_global(vm, "total")));
    printf("import: %s\n", gen_run_string(vm, "import math", "script") ? "?" : "refused");
    gen_vm_free(vm);
    return 0;
}
