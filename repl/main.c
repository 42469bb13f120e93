/* main.c - the command `gen`: scripts, code from the command line, modules, the REPL. A client of genvm.h like any other. */
#include "vm/genvm.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *read_all(FILE *file, size_t *size) {
    size_t capacity = 65536, used = 0;
    char *text = malloc(capacity);
    while (text) {
        size_t got = fread(text + used, 1, capacity - used, file);
        used += got;
        if (!got) break;
        if (used == capacity) {
            char *larger = realloc(text, capacity *= 2);
            if (!larger) free(text);
            text = larger;
        }
    }
    *size = used;
    return text;
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_ALL};
    GenVM *vm = gen_vm_new(&config);
    if (!vm) return 3;
    bool ok = false;
    GenRef sys = gen_import(vm, "sys"), path = gen_get_attr(vm, sys, "path"), args = gen_get_attr(vm, sys, "argv");
    if (argc > 2 && !strcmp(argv[1], "-c")) {
        gen_append(vm, path, gen_str(vm, ""));
        gen_append(vm, args, gen_str(vm, "-c"));
        for (int i = 3; i < argc; i++)
            gen_append(vm, args, gen_str(vm, argv[i]));
        ok = gen_run_string(vm, argv[2], "<string>");
    } else if (argc > 1) {
        FILE *file = fopen(argv[1], "rb");
        if (!file) {
            fprintf(stderr, "gen: can't open file '%s': [Errno %d] %s\n", argv[1], errno, strerror(errno));
            return 2;
        }
        size_t size;
        char *text = read_all(file, &size);
        fclose(file);
        const char *slash = strrchr(argv[1], '/');
        gen_append(vm, path, gen_str_n(vm, argv[1], slash ? (size_t)(slash - argv[1]) : 0));
        for (int i = 1; i < argc; i++)
            gen_append(vm, args, gen_str(vm, argv[i]));
        gen_set_global(vm, "__file__", gen_str(vm, argv[1]));
        ok = gen_run_bytes(vm, text, size, argv[1]);
        free(text);
    }
    int status = ok ? 0 : 1;
    if (!ok) fputs(gen_error_text(vm), stderr);
    gen_error_clear(vm);
    gen_call_method(vm, gen_get_attr(vm, sys, "stdout"), "flush", 0, NULL);
    gen_vm_free(vm);
    return status;
}
