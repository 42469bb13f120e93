/* Writes, to standard output, the C table of the library modules that are written in Gen.
 *
 *     embed_sources ROOT FILE...
 *
 * FILE is a path under ROOT that ends in ".gen"; ROOT/a/b.gen becomes module "a.b" and
 * ROOT/a/__init__.gen the package "a". The table is declared in stdlib/sources.h and ordered by
 * module name. Runs on the building machine only and is part of no program that is shipped. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Module {
    char *name;
    const char *path;
    size_t len;
    bool is_package;
} Module;

static void fail(const char *path, const char *what) {
    fprintf(stderr, "embed_sources: %s: %s\n", path, what);
    exit(1);
}

static bool strip_end(char *text, const char *end) {
    size_t len = strlen(text), end_len = strlen(end);
    if (len < end_len || strcmp(text + len - end_len, end) != 0) return false;
    text[len - end_len] = '\0';
    return true;
}

/* "stdlib/a/__init__.gen" under "stdlib" -> "a", a package. */
static Module module_of(const char *root, const char *path) {
    size_t root_len = strlen(root);
    if (strncmp(path, root, root_len) != 0 || path[root_len] != '/')
        fail(path, "not under the root");
    Module module = {.name = strdup(path + root_len + 1), .path = path};
    if (module.name == NULL) fail(path, "out of memory");
    if (!strip_end(module.name, ".gen")) fail(path, "does not end in .gen");
    module.is_package = strip_end(module.name, "/__init__");
    for (char *at = module.name; *at != '\0'; at++) {
        if (*at == '/') *at = '.';
    }
    return module;
}

static int compare_names(const void *left, const void *right) {
    return strcmp(((const Module *)left)->name, ((const Module *)right)->name);
}

/* One byte of a string literal. An octal escape ends after three digits, so that what follows
 * cannot run into it; '?' is escaped against trigraphs. */
static void write_byte(int byte) {
    switch (byte) {
    case '\n': fputs("\\n\"\n    \"", stdout); break;
    case '"': fputs("\\\"", stdout); break;
    case '\\': fputs("\\\\", stdout); break;
    case '?': fputs("\\?", stdout); break;
    default:
        if (byte >= ' ' && byte < 127) {
            putchar(byte);
        } else {
            printf("\\%03o", (unsigned)byte);
        }
    }
}

static void write_text(Module *module, int index) {
    FILE *file = fopen(module->path, "rb");
    if (file == NULL) fail(module->path, strerror(errno));
    printf("static const char text_%d[] =\n    \"", index);
    for (int byte; (byte = getc(file)) != EOF; module->len++)
        write_byte(byte);
    if (ferror(file)) fail(module->path, strerror(errno));
    fclose(file);
    puts("\";\n");
}

static void write_table(const Module *modules, int count) {
    puts("const StdlibSource stdlib_sources[] = {");
    for (int i = 0; i < count; i++) {
        printf("    {\"%s\", text_%d, %zu, %s},\n", modules[i].name, i, modules[i].len,
               modules[i].is_package ? "true" : "false");
    }
    puts("    {NULL, NULL, 0, false},\n};");
    printf("const size_t stdlib_source_count = %d;\n", count);
}

int main(int argc, char **argv) {
    if (argc < 2) fail("usage", "embed_sources ROOT FILE...");
    int count = argc - 2;
    Module *modules = calloc((size_t)count + 1, sizeof *modules);
    if (modules == NULL) fail("table", "out of memory");
    for (int i = 0; i < count; i++)
        modules[i] = module_of(argv[1], argv[i + 2]);
    qsort(modules, (size_t)count, sizeof *modules, compare_names);
    puts("/* Made by scripts/build/embed_sources.c from stdlib/. */\n#include "
         "\"stdlib/sources.h\"\n");
    for (int i = 0; i < count; i++)
        write_text(&modules[i], i);
    write_table(modules, count);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
