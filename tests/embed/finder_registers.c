/* The host's finder of modules may register one written in C when it is asked for, and gives no
 * source then; an exception that it raises is the import's. */
#include "genvm.h"
#include <stdio.h>
#include <string.h>

static GenVM *vm;

static GenRef seven(GenVM *here, const GenRef *args) {
    (void)args;
    return gen_int(here, 7);
}
static const GenFunction table[] = {{"seven()", seven, NULL}, {NULL, NULL, NULL}};

static const char *find(void *context, const char *name, size_t *size) {
    static const char source[] = "import lazy\ndef eight(): return lazy.seven() + 1\n";
    ++*(int *)context;
    if (!strcmp(name, "lazy")) gen_register_module(vm, name, table);
    if (!strcmp(name, "broken")) gen_raise(vm, "ImportError", "%s is not for you", name);
    *size = sizeof source - 1;
    return strcmp(name, "script") ? NULL : source;
}

int main(void) {
    int asked = 0;
    GenConfig config = {.size = sizeof config, .find_module = find, .context = &asked};
    vm = gen_vm_new(&config);
    gen_run_string(vm, "import script, lazy\nx = script.eight(), lazy.seven()\nimport lazy\n", "t");
    printf("%s, asked %d times\n", gen_to_str(vm, gen_repr(vm, gen_eval(vm, "x")), NULL), asked);
    gen_run_string(vm, "import broken", "t");
    printf("%s", gen_error_text(vm));
    gen_error_clear(vm);
    gen_run_string(vm, "import nowhere", "t");
    printf("%s", gen_error_text(vm));
    gen_error_clear(vm);
    gen_vm_free(vm);
    return 0;
}
