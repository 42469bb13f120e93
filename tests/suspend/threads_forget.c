/* What a thread had for itself when it waited is forgotten when it goes on: a task that is saved
 * later does not refer to it. (It did, and nothing else did, so that it was memory given back.) */
#include "script.h"

static const char text[] = "import sys, threading, time, zlib\n"
                           "def hook(generator, stream=zlib.decompressobj()):\n"
                           "    pass\n"
                           "sys.set_asyncgen_hooks(firstiter=hook)\n"
                           "threading.Thread(target=time.sleep, args=(0.1,)).start()\n"
                           "time.sleep(0.01)\n"
                           "sys.set_asyncgen_hooks(None, None)\n"
                           "del hook\n"
                           "host(1)\n";

int main(void) {
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_ALL};
    GenVM *vm = new_scripted_vm(&config);
    GenRef task = gen_task_from_source(vm, text, "threads");
    GenOutcome outcome;
    printf("%d ", gen_run(vm, task, &outcome) == GEN_CALLOUT);
    GenRef image = gen_save(vm, task);
    printf("%d%s\n", image != GEN_NULL, gen_error_text(vm));
    gen_error_clear(vm);
    gen_vm_free(vm);
}
