/* What the programs that suspend the scripts of this folder share: texts, what may be refused, and
 * the function host(x) of the scripts, which is external and answered with x. */
#ifndef TESTS_SUSPEND_SCRIPT_H
#define TESTS_SUSPEND_SCRIPT_H

#include "genvm.h"

#include <stdio.h>
#include <string.h>

enum { SIZE = 1 << 18 };

typedef struct Text {
    char data[SIZE];
    size_t size;
} Text;

/* False: there is no room, nothing is added. */
static inline bool text_add(Text *text, const char *data, size_t size) {
    if (text->size + size > SIZE) return false;
    memcpy(text->data + text->size, data, size);
    text->size += size;
    return true;
}

/* The file NAME with the suffix; empty if there is none. */
static inline void read_text(const char *name, const char *suffix, Text *text) {
    char path[310];
    snprintf(path, sizeof path, "%s%s", name, suffix);
    FILE *file = fopen(path, "rb");
    text->size = file ? fread(text->data, 1, SIZE - 1, file) : 0;
    text->data[text->size] = 0;
    if (file) fclose(file);
}

/* What cannot be saved, and rightly: it is in the hands of the system, or of a library that has no
 * way to tell its state. A script that holds one runs on as it is; any other refusal is a defect.
 */
static const char *const unsaved[] = {
    "an open file cannot be saved", /* of every layer, and of classes of scripts */
    "FileIO: cannot be saved",
    "BufferedReader: cannot be saved",
    "BufferedWriter: cannot be saved",
    "BufferedRandom: cannot be saved",
    "TextIOWrapper: cannot be saved",
    "an event loop cannot be saved",
    "an SSL context cannot be saved",
    "an SSL connection cannot be saved",
    "an SSL session cannot be saved",
    "an interpreter pool cannot be saved",
    "a job cannot be saved", /* on a thread of the system */
    "a descriptor of a child cannot be saved",
    "a hash cannot be saved", /* OpenSSL's */
    "a zlib stream cannot be saved",
    "a bzip2 stream cannot be saved",
    "an lzma stream cannot be saved",
    "waits for a file or socket and cannot be saved",
    "waits for a signal or another process and cannot be saved",
    "waits for what cannot be saved, broken off by a signal",
};

__attribute__((unused)) static bool is_unsaved(const char *refusal) {
    for (size_t i = 0; i < sizeof unsaved / sizeof *unsaved; i++)
        if (strstr(refusal, unsaved[i])) return true;
    return false;
}

static const GenFunction host = {"host(x, /)", NULL, "what the host answers: x"};

static inline GenRef call_then(GenVM *vm, const GenRef *args) {
    return gen_call_then(vm, args[0], args[1], args[2], 1, &args[3]);
}
static const GenFunction then = {"then(f, state, g, x, /)", call_then, "f(state, g(x))"};

/* A VM whose scripts have host(x) and then(f, state, g, x), and import from this folder. */
static GenVM *new_scripted_vm(const GenConfig *config) {
    GenVM *vm = gen_vm_new(config);
    gen_set_attr(vm, gen_import(vm, "builtins"), "host", gen_function(vm, &host));
    gen_set_attr(vm, gen_import(vm, "builtins"), "then", gen_function(vm, &then));
    gen_append(vm, gen_get_attr(vm, gen_import(vm, "sys"), "path"), gen_str(vm, "."));
    return vm;
}

#endif
