/* Makes images of stopped tasks and of whole VMs, for tests/fuzz/image.c to damage:
 *
 *     make_images FOLDER SNIPPETS      tests/fuzz/tasks.gen
 *
 * The file of snippets is cut at lines "# name". Each snippet is run as a task to its first call of
 * host(), where it is saved as FOLDER/task-name; so is the whole VM of those called vm-something,
 * when they have ended. */
#include "genvm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const GenFunction host = {"host(x, /)", NULL, "what the host answers"};

static const char *find_module(void *context, const char *name, size_t *size) {
    static const char source[] = "x = host(5)\ndef f():\n    return x\n";
    (void)context;
    *size = sizeof source - 1;
    return strcmp(name, "waiting") ? NULL : source;
}

static bool write_image(GenVM *vm, GenRef image, const char *folder, const char *kind,
                        const char *name) {
    char path[600];
    size_t size;
    const void *data = gen_to_bytes(vm, image, &size);
    snprintf(path, sizeof path, "%s/%s-%s", folder, kind, name);
    FILE *file = data ? fopen(path, "wb") : NULL;
    if (!file) return fprintf(stderr, "%s: %s\n", path, gen_error_text(vm)), false;
    bool ok = fwrite(data, 1, size, file) == size;
    return !fclose(file) && ok;
}

static bool make(const char *folder, const char *name, const char *source) {
    GenConfig config = {.size = sizeof config, .find_module = find_module};
    GenVM *vm = gen_vm_new(&config);
    gen_set_attr(vm, gen_import(vm, "builtins"), "host", gen_function(vm, &host));
    GenRef task = gen_task_from_source(vm, source, name);
    GenOutcome outcome = {.kind = GEN_ERROR};
    bool whole = !strncmp(name, "vm-", 3), ok = false;
    if (task != GEN_NULL) gen_run(vm, task, &outcome);
    if (whole && outcome.kind == GEN_DONE)
        ok = write_image(vm, gen_save(vm, GEN_NULL), folder, "whole", name);
    else if (outcome.kind == GEN_CALLOUT)
        ok = write_image(vm, gen_save(vm, task), folder, "task", name);
    else
        fprintf(stderr, "%s: %s\n", name, gen_error_text(vm));
    gen_vm_finish(vm);
    gen_vm_free(vm);
    return ok;
}

int main(int argc, char **argv) {
    static char text[1 << 16];
    FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;
    if (!file) return fputs("usage: make_images FOLDER SNIPPETS\n", stderr), 2;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    bool ok = true;
    for (char *at = strstr(text, "# "), *next; at; at = next) {
        char *name = at + 2, *end = strchr(name, '\n');
        if (!end) break;
        *end = 0;
        next = strstr(end + 1, "\n# ");
        if (next) *next++ = 0;
        ok &= make(argv[1], name, end + 1);
    }
    return ok ? 0 : 1;
}
