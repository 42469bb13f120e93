/* freeze.c - compiles the library modules that are written in Gen and writes, to standard output,
 * the C table of their code (stdlib/frozen.h).
 *
 *     freeze ROOT FILE...
 *
 * FILE is a path under ROOT that ends in ".gen"; ROOT/a/b.gen becomes module "a.b" and
 * ROOT/a/__init__.gen the package "a". The table is ordered by module name. Linked with the engine
 * and the parser that are being built, it runs on the building machine only and is part of no
 * program that is shipped. The same sources give the same bytes.
 */
#include "parser/compile.h"
#include "vm/code.h"
#include "vm/genvm.h"
#include "vm/image.h"
#include "vm/objects.h"
#include "vm/runtime.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Source {
    char *name;
    const char *path;
    size_t len; /* of its code, in bytes */
    bool is_package;
} Source;

static void fail(const char *path, const char *what) {
    fprintf(stderr, "freeze: %s: %s\n", path, what);
    exit(1);
}

static bool strip_end(char *text, const char *end) {
    size_t len = strlen(text), end_len = strlen(end);
    if (len < end_len || strcmp(text + len - end_len, end) != 0) return false;
    text[len - end_len] = '\0';
    return true;
}

/* "stdlib/a/__init__.gen" under "stdlib" -> "a", a package. */
static Source module_of(const char *root, const char *path) {
    size_t root_len = strlen(root);
    if (strncmp(path, root, root_len) != 0 || path[root_len] != '/')
        fail(path, "not under the root");
    Source module = {.name = strdup(path + root_len + 1), .path = path};
    if (module.name == NULL) fail(path, "out of memory");
    if (!strip_end(module.name, ".gen")) fail(path, "does not end in .gen");
    module.is_package = strip_end(module.name, "/__init__");
    for (char *at = module.name; *at != '\0'; at++) {
        if (*at == '/') *at = '.';
    }
    return module;
}

static int compare_names(const void *left, const void *right) {
    return strcmp(((const Source *)left)->name, ((const Source *)right)->name);
}

/* ---- compiling ---- */

/* Modules that are C in CPython, so that no traceback shows their frames, and the prelude. */
static bool is_unseen(const char *name) {
    return !strcmp(name, "asyncio.futures") || !strcmp(name, "contextvars");
}

static void set_filename(char *out, size_t size, const char *name) {
    if (!strncmp(name, "prelude.", 8))
        snprintf(out, size, "<prelude %s>", name + 8);
    else
        snprintf(out, size, is_unseen(name) ? "<prelude %s>" : "<frozen %s>", name);
}

/* The library's own code does not show in tracebacks; the lines of the prelude nobody sees at all.
 */
static void hide(Code *code, bool lines) {
    code->flags |= CODE_PRELUDE;
    if (!lines) code->positions = NULL;
    for (uint32_t i = 0; i < code->const_count; i++)
        if (is_kind(code->consts[i], TYPE_CODE)) hide((Code *)as_object(code->consts[i]), lines);
}

/* This machine has a compiler, and no library. */
bool vm_library_init(GenVM *vm) {
    vm->compile = compile_source;
    return true;
}

static char *read_text(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) fail(path, strerror(errno));
    long length = ftell(file);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (text == NULL) fail(path, "out of memory");
    rewind(file);
    *size = fread(text, 1, (size_t)length, file);
    if (ferror(file) || *size != (size_t)length) fail(path, "cannot be read");
    fclose(file);
    text[*size] = '\0';
    return text;
}

static Bytes *compile_module(GenVM *vm, const Source *module) {
    char filename[160];
    size_t size;
    char *text = read_text(module->path, &size);
    set_filename(filename, sizeof filename, module->name);
    Value code = vm->compile(vm, text, size, filename, "exec", COMPILE_LIBRARY);
    free(text);
    bool lines = strncmp(module->name, "prelude.", 8) != 0;
    if (code != VALUE_ERROR) hide((Code *)as_object(code), lines);
    Value frozen = code == VALUE_ERROR ? code : image_freeze_code(vm, code);
    if (frozen == VALUE_ERROR) fail(module->path, gen_error_text(vm));
    if (vm->roots[ROOT_WARNINGS] != VALUE_UNSET) fail(module->path, "the compiler warns of it");
    return AS(Bytes, frozen);
}

/* ---- the table ---- */

/* As a string literal: the compiler reads it faster than numbers. An octal escape ends after three
 * digits, so that what follows cannot run into it; '?' is escaped against trigraphs. */
static void write_bytes(const Bytes *bytes, int index) {
    printf("static const uint8_t code_%d[] =", index);
    for (size_t i = 0; i < bytes->size; i++) {
        int byte = bytes->data[i];
        if (i % 48 == 0) fputs(i ? "\"\n    \"" : "\n    \"", stdout);
        if (byte == '"' || byte == '\\' || byte == '?')
            printf("\\%c", byte);
        else if (byte >= ' ' && byte < 127)
            putchar(byte);
        else
            printf("\\%03o", (unsigned)byte);
    }
    puts("\";\n");
}

static void write_table(const Source *modules, int count) {
    puts("const FrozenModule frozen_modules[] = {");
    for (int i = 0; i < count; i++) {
        printf("    {\"%s\", code_%d, %zu, %s},\n", modules[i].name, i, modules[i].len,
               modules[i].is_package ? "true" : "false");
    }
    puts("    {NULL, NULL, 0, false},\n};");
    printf("const size_t frozen_module_count = %d;\n", count);
}

int main(int argc, char **argv) {
    if (argc < 2) fail("usage", "freeze ROOT FILE...");
    int count = argc - 2;
    Source *modules = calloc((size_t)count + 1, sizeof *modules);
    if (modules == NULL) fail("table", "out of memory");
    for (int i = 0; i < count; i++)
        modules[i] = module_of(argv[1], argv[i + 2]);
    qsort(modules, (size_t)count, sizeof *modules, compare_names);
    puts("/* Made by scripts/build/freeze.c from stdlib/. */\n#include \"stdlib/frozen.h\"\n");
    GenVM *vm = gen_vm_new(NULL);
    if (vm == NULL) fail("virtual machine", "out of memory");
    for (int i = 0; i < count; i++) {
        const Bytes *code = compile_module(vm, &modules[i]);
        modules[i].len = code->size;
        write_bytes(code, i);
    }
    write_table(modules, count);
    for (int i = 0; i < count; i++)
        free(modules[i].name);
    free(modules);
    gen_vm_free(vm);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
