/* Any text as source, a target for libFuzzer (`make fuzz TARGET=source`): it gives code or a
 * SyntaxError, and code that runs within a budget of steps. The corpus is the language tests;
 * pieces of the grammar are put in by the mutator. */
#include "genvm.h"
#include <stdlib.h>
#include <string.h>

enum { SIZE_MOST = 1 << 14, STEPS = 500 };

static bool swallow(void *context, int stream, const char *data, size_t size) {
    (void)context, (void)stream, (void)data, (void)size;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size > SIZE_MOST) return 0;
    GenConfig config = {.size = sizeof config, .write = swallow, .memory_limit = 16 << 20};
    GenVM *vm = gen_vm_new(&config);
    char *text = malloc(size + 1); /* exactly as long as it is, for the sanitizer */
    memcpy(text, bytes, size);
    text[size] = 0;
    GenRef task = gen_task_from_bytes(vm, text, size, "fuzz");
    if (task != GEN_NULL) {
        gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, STEPS);
        gen_run(vm, task, NULL);
    }
    gen_error_clear(vm);
    gen_vm_finish(vm);
    gen_vm_free(vm);
    free(text);
    return 0;
}

/* ---- mutations ---- */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

static const char *const pieces[] = {"(",
                                     ")",
                                     "[",
                                     "]",
                                     "{",
                                     "}",
                                     ":",
                                     ",",
                                     "=",
                                     ":=",
                                     "*",
                                     "**",
                                     "@",
                                     "->",
                                     ".",
                                     "...",
                                     "'",
                                     "\"\"\"",
                                     "f'{x!r:>{y}}'",
                                     "t'{a}'",
                                     "\\",
                                     "\n",
                                     "\n    ",
                                     "lambda ",
                                     "yield ",
                                     "await ",
                                     "async ",
                                     "def f():\n    ",
                                     "class C:\n    ",
                                     "match x:\n    case ",
                                     "if ",
                                     "else:",
                                     "try:\n    ",
                                     "except* ",
                                     "finally:\n    ",
                                     "with ",
                                     "for x in ",
                                     " in ",
                                     " is not ",
                                     "del ",
                                     "global x\n",
                                     "nonlocal x\n",
                                     "return ",
                                     "raise ",
                                     "import ",
                                     "from . ",
                                     "type X = ",
                                     "None",
                                     "not ",
                                     "0x1f",
                                     "1e999",
                                     "9999999999999999999999",
                                     "1_0j",
                                     "[T: int = 1, *U, **V]"};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
    if (seed % 3) return LLVMFuzzerMutate(data, size, most);
    const char *piece = pieces[seed / 3 % (sizeof pieces / sizeof *pieces)];
    size_t length = strlen(piece), at = size ? seed / 331 % size : 0;
    if (size + length > most) return LLVMFuzzerMutate(data, size, most);
    memmove(data + at + length, data + at, size - at);
    memcpy(data + at, piece, length);
    return size + length;
}
