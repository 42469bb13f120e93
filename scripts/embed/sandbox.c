/* A VM that can compute and nothing else: its output goes to the host, and files are out of reach.
 */
#include "genvm.h"
#include <stdio.h>
#include <string.h>

typedef struct Transcript {
    char text[256];
    size_t len;
} Transcript;

static bool keep(void *context, int stream, const char *data, size_t size) {
    Transcript *transcript = (Transcript *)context;
    if (stream != 1 || size >= sizeof transcript->text - transcript->len) return false;
    memcpy(transcript->text + transcript->len, data, size);
    transcript->len += size;
    transcript->text[transcript->len] = '\0';
    return true;
}

static const char script[] = "print('hello from inside')\n"
                             "print('two', 'words', sep='-')\n";

int main(void) {
    static Transcript transcript;
    static GenConfig config;
    config.size = sizeof config;
    config.write = keep;
    config.context = &transcript;
    config.recursion_limit = 50;
    GenVM *vm = gen_vm_new(&config);
    if (vm == NULL) return 1;

    if (!gen_run_string(vm, script, "script")) fputs(gen_error_text(vm), stdout);
    printf("kept %zu bytes:\n%s", transcript.len, transcript.text);

    if (!gen_run_string(vm, "open('/etc/passwd')", "thief")) printf("no files\n");
    gen_error_clear(vm);
    if (!gen_run_string(vm, "def f(): f()\nf()", "deep")) printf("no endless recursion\n");
    gen_error_clear(vm);
    gen_vm_free(vm);
    return 0;
}
