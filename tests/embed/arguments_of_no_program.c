/* A VM that no program was given for has sys.argv == [''], which modules of the library rely on; a
 * task's image leaves the list to the VM that it comes to. */
#include "genvm.h"
#include <stdio.h>

int main(void) {
    static const GenConfig config = {.size = sizeof config, .hash_seed = 1};
    GenVM *vm = gen_vm_new(&config), *other = gen_vm_new(&config);
    bool ok = gen_run_string(vm,
                             "import argparse, sys\n"
                             "def arguments():\n"
                             "    yield sys.argv\n"
                             "    yield sys.argv\n"
                             "parser = argparse.ArgumentParser(usage='none')\n"
                             "words = repr((sys.argv, parser.prog, vars(parser.parse_args([]))))\n"
                             "generator = arguments()\n"
                             "next(generator)\n",
                             "setup");
    puts(ok ? gen_to_str(vm, gen_get_global(vm, "words"), NULL) : gen_error_text(vm));
    size_t size;
    GenRef image = gen_save(vm, gen_get_global(vm, "generator"));
    const void *bytes = gen_to_bytes(vm, image, &size);
    gen_run_string(other, "import sys; sys.argv = ['program', 'x']", "setup");
    GenRef item = GEN_NULL;
    if (gen_next(other, gen_load(other, bytes, size), &item) != GEN_OK) puts(gen_error_text(other));
    puts(gen_to_str(other, gen_repr(other, item), NULL));
    gen_vm_free(other);
    gen_vm_free(vm);
    return 0;
}
