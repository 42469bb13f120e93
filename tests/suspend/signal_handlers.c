/* Handlers of signals are saved with a task or a VM, and set again by a load: where the VM may, and
 * no other one of the process handles signals. At its end signals are treated as before. */
#define _GNU_SOURCE
#include "genvm.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static GenVM *new_vm(unsigned capabilities) {
    GenConfig config = {.size = sizeof config, .capabilities = capabilities};
    return gen_vm_new(&config);
}

/* Loads the image, of the whole VM, and lets it go on; says what is wrong with it. */
static void go_on(unsigned capabilities, const void *image, size_t size) {
    GenVM *vm = new_vm(capabilities);
    if (gen_load(vm, image, size) == GEN_NULL)
        puts(gen_error_text(vm));
    else if (!gen_run_string(vm, "signal.raise_signal(signal.SIGUSR1)\nprint(seen)", "later"))
        puts(gen_error_text(vm));
    gen_error_clear(vm);
    gen_vm_finish(vm);
    gen_vm_free(vm);
}

static void show_treatment(void) {
    struct sigaction action;
    sigaction(SIGUSR1, NULL, &action);
    printf("%s\n", action.sa_handler == SIG_IGN ? "ignored" : "handled");
}

int main(void) {
    size_t size;
    setvbuf(stdout, NULL, _IONBF, 0);
    signal(SIGUSR1, SIG_IGN);
    GenVM *vm = new_vm(GEN_CAP_ALL);
    gen_run_string(vm,
                   "import signal\nseen = ['begun']\n"
                   "signal.signal(signal.SIGUSR1, lambda *args: seen.append(args[0]))\n"
                   "signal.signal(signal.SIGUSR2, signal.SIG_IGN)",
                   "first");
    const void *bytes = gen_to_bytes(vm, gen_save(vm, GEN_NULL), &size);
    void *image = memcpy(malloc(size), bytes, size);
    show_treatment();
    go_on(GEN_CAP_ALL, image, size);
    gen_vm_free(vm);
    show_treatment();
    go_on(GEN_CAP_ALL & ~GEN_CAP_PROCESS, image, size);
    go_on(GEN_CAP_ALL, image, size);
    show_treatment();
    free(image);
    return 0;
}
