/* repl.c - the interactive session: prompts, statements over several lines, values shown and kept
 * in `_`.
 *
 * On a terminal, lines are edited and remembered by the system's line editing library (libedit or
 * readline), which is looked for at run time; without it, and when the input is no terminal, lines
 * are read plainly.
 */
#include "repl/repl.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Editor {
    char *(*readline)(const char *prompt);
    void (*add_history)(const char *line);
} Editor;

static void find_editor(Editor *editor) {
    static const char *const libraries[] = {"libedit.so.2", "libedit.so.0", "libreadline.so.8",
                                            "libreadline.so.7"};
    if (!isatty(0) || !isatty(1)) return;
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        void *library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
        if (!library) continue;
        *(void **)&editor->readline = dlsym(library, "readline");
        *(void **)&editor->add_history = dlsym(library, "add_history");
        if (editor->readline && editor->add_history) return;
        editor->readline = NULL;
        dlclose(library);
    }
}

/* A line without its newline, malloc'ed; NULL at the end of the input. */
static char *read_line(const Editor *editor, const char *prompt) {
    if (editor->readline) return editor->readline(prompt);
    fputs(prompt, stdout);
    fflush(stdout);
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size = getline(&line, &capacity, stdin);
    if (size < 0) {
        free(line);
        return NULL;
    }
    if (size && line[size - 1] == '\n') line[size - 1] = 0;
    return line;
}

typedef struct Statement { /* the lines typed so far */
    char *text;
    size_t size;
} Statement;

static bool add_line(Statement *statement, const char *line) {
    size_t size = strlen(line);
    char *larger = realloc(statement->text, statement->size + size + 2);
    if (!larger) return false;
    memcpy(larger + statement->size, line, size);
    larger[statement->size + size] = '\n';
    larger[statement->size + size + 1] = 0;
    statement->text = larger;
    statement->size += size + 1;
    return true;
}

/* The text of sys.ps1 or sys.ps2. */
static void get_prompt(GenVM *vm, const char *name, const char *fallback, char *out, size_t room) {
    size_t size = 0;
    const char *text = gen_to_str(vm, gen_get_attr(vm, gen_import(vm, "sys"), name), &size);
    if (!text) {
        gen_error_clear(vm);
        text = fallback;
        size = strlen(fallback);
    }
    snprintf(out, room, "%.*s", (int)size, text);
}

static void flush(GenVM *vm) {
    gen_call_method(vm, gen_get_attr(vm, gen_import(vm, "sys"), "stdout"), "flush", 0, NULL);
    gen_error_clear(vm);
}

/* Runs what was typed. True: it is done with, well or not. False: more lines are wanted. *exits:
 * the session ends. */
static bool run(GenVM *vm, const Statement *statement, bool *exits, int *status) {
    GenStatus outcome = gen_run_interactive(vm, statement->text, statement->size, "<stdin>");
    if (outcome == GEN_END) return false;
    if (outcome == GEN_ERROR) {
        *exits = gen_error_matches(vm, "SystemExit");
        bool interrupted = false;
        int code = command_report(vm, &interrupted);
        if (*exits) *status = code;
    }
    flush(vm);
    return true;
}

int repl_run(GenVM *vm) {
    Editor editor = {0};
    find_editor(&editor);
    Statement statement = {0};
    int status = 0;
    bool exits = false;
    if (isatty(0))
        printf("Gen %d.%d.%d\n", GEN_VERSION_MAJOR, GEN_VERSION_MINOR, GEN_VERSION_PATCH);
    while (!exits) {
        GenScope scope = gen_scope_open(vm);
        char prompt[256];
        get_prompt(vm, statement.size ? "ps2" : "ps1", statement.size ? "... " : ">>> ", prompt,
                   sizeof prompt);
        char *line = read_line(&editor, prompt);
        if (!line) {
            if (statement.size) run(vm, &statement, &exits, &status);
            gen_scope_close(vm, scope);
            break;
        }
        if (editor.add_history && *line) editor.add_history(line);
        bool kept = add_line(&statement, line);
        if (!kept) fputs("MemoryError\n", stderr);
        free(line);
        if (!kept || run(vm, &statement, &exits, &status)) statement.size = 0;
        gen_scope_close(vm, scope);
    }
    if (isatty(0)) putchar('\n');
    free(statement.text);
    return status;
}
