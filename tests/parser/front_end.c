/* front_end.c: what the front end makes of many small sources, to be compared with front_end.out.
 *
 * trees.txt and scopes.txt hold correct sources, one a line with the escapes of `unescape`;
 * bad_snippets.txt holds wrong ones. The expectations were compared with CPython by the scripts
 * beside this file. The tests of the prompt's "more lines needed" and of exhausted memory are here.
 */
#include "parser/dump.h"
#include "parser/scope.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_SIZE 4096

static int hex_value(char c) {
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Turns \n, \\, \c (a backslash and a newline) and \x0. into what they stand for. */
static size_t unescape(char *text) {
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        if (in[0] != '\\' || in[1] == '\0') {
            *out++ = *in;
        } else if (in[1] == 'n') {
            *out++ = '\n';
            in++;
        } else if (in[1] == 'c') {
            *out++ = '\\';
            *out++ = '\n';
            in++;
        } else if (in[1] == 'x' && in[2] == '0') {
            *out++ = (char)(hex_value(in[2]) * 16 + hex_value(in[3]));
            in += 3;
        } else {
            in += in[1] == '\\';
            *out++ = '\\';
        }
    }
    *out = '\0';
    return (size_t)(out - text);
}

static void print_error(const ParseError *error) {
    printf("%s: %s (%d:%d-%d:%d)", parse_error_type(error->kind), error->message, error->line,
           error->col, error->end_line, error->end_col);
    if (error->hint != NULL) printf(" [%s]", error->hint);
    printf("\n");
}

typedef void (*Show)(Arena *arena, const char *text, size_t len);

static void show_tree(Arena *arena, const char *text, size_t len) {
    ParseError error;
    AstModule *module = parse_source(arena, text, len, PARSE_FILE, &error);
    if (module == NULL)
        print_error(&error);
    else
        ast_dump(stdout, module, true);
}

static AstModule *analyze(Arena *arena, const char *text, size_t len, ParseError *error) {
    AstModule *module = parse_source(arena, text, len, PARSE_FILE, error);
    return module != NULL && scope_analyze(arena, module, error) ? module : NULL;
}

static void show_scopes(Arena *arena, const char *text, size_t len) {
    ParseError error;
    AstModule *module = analyze(arena, text, len, &error);
    if (module == NULL)
        print_error(&error);
    else
        scope_dump(stdout, module->scope);
}

static void show_error(Arena *arena, const char *text, size_t len) {
    ParseError error;
    if (analyze(arena, text, len, &error) != NULL)
        printf("fine\n");
    else
        print_error(&error);
}

static int show_file(const char *path, Show show) {
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        printf("%s: cannot be read\n", path);
        return 1;
    }
    char line[LINE_MAX_SIZE];
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        printf(">>> %s\n", line);
        Arena arena;
        arena_init(&arena, NULL, 0);
        size_t len = unescape(line);
        show(&arena, line, len);
        arena_free(&arena);
    }
    fclose(file);
    return 0;
}

/* At the prompt. */

static void show_prompts(void) {
    static const char *const sources[] = {
        "x = 1\n",
        "x = 1",
        "",
        "\n",
        "# c\n",
        "if x:\n",
        "if x: y\n",
        "if x: y\n\n",
        "if x:\n  y\n",
        "if x:\n  y\n\n",
        "x = (\n",
        "x = (\n\n",
        "x = '''\n",
        "x = '''\n\n",
        "x = 'a\n",
        "x = 1 +\n",
        "x = 1 \\\n",
        "@a\n",
        "try:\n  x\n",
        "try:\n  x\n\n",
        "x = = 1\n",
        "x\ny\n",
        "x; y\n",
        "class A:\n\n",
        "for x in y:",
        "def f():\n  x\n y",
        "if x:\n  y\nelse:\n",
        "f'{\n",
        "f'''{x\n",
        "match x:\n",
    };
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        Arena arena;
        ParseError error;
        arena_init(&arena, NULL, 0);
        AstModule *module =
            parse_source(&arena, sources[i], strlen(sources[i]), PARSE_SINGLE, &error);
        for (const char *c = sources[i]; *c != '\0'; c++)
            printf(*c == '\n' ? "\\n" : "%c", *c);
        printf(" -> %s\n", module != NULL                   ? "complete"
                           : error.kind == PARSE_INCOMPLETE ? "incomplete"
                                                            : error.message);
        arena_free(&arena);
    }
}

/* Memory: with every limit the result is a tree or a MemoryError. */

static int check_limits(const char *text) {
    size_t len = strlen(text);
    bool is_parsed = false;
    for (size_t limit = 1; !is_parsed; limit += limit < 20000 ? 97 : 1009) {
        Arena arena;
        ParseError error;
        arena_init(&arena, NULL, limit);
        is_parsed = analyze(&arena, text, len, &error) != NULL;
        if (!is_parsed && error.kind != PARSE_MEMORY_ERROR) {
            printf("limit %zu: ", limit);
            print_error(&error);
            return 1;
        }
        arena_free(&arena);
    }
    printf("limits: fine\n");
    return 0;
}

/* Sources that nest or repeat a hundred thousand times are refused or read, in little time. */
static void show_repeated(const char *before, const char *part, const char *behind) {
    const size_t count = 100000;
    size_t size = strlen(before) + strlen(behind) + count * strlen(part);
    char *text = malloc(size + 1);
    if (text == NULL) return;
    char *end = stpcpy(text, before);
    for (size_t i = 0; i < count; i++)
        end = stpcpy(end, part);
    stpcpy(end, behind);
    Arena arena;
    ParseError error;
    arena_init(&arena, NULL, 0);
    bool is_fine = analyze(&arena, text, size, &error) != NULL;
    printf("%s%s...%s -> %s%s%s\n", before, part, behind,
           is_fine ? "fine" : parse_error_type(error.kind), is_fine ? "" : ": ",
           is_fine ? "" : error.message);
    arena_free(&arena);
    free(text);
}

int main(void) {
    int failed = show_file("trees.txt", show_tree);
    failed |= show_file("scopes.txt", show_scopes);
    failed |= show_file("bad_snippets.txt", show_error);
    show_prompts();
    failed |= check_limits("class A(B, c=d):\n"
                           "    'doc'\n"
                           "    @e\n"
                           "    async def f(self, x: int = 1, *, y, **z) -> T:\n"
                           "        match x:\n"
                           "            case [1, *_, {'a': A(b=c)}] as d if d: pass\n"
                           "        return [f'{x!r:{y}}' for x in y if (w := x)], lambda: x + y\n"
                           "type X[T] = T; import a.b.c; t'{a}' if a[1:2] else {**a, 'b': -1}\n");
    show_repeated("", "(", "");
    show_repeated("x = ", "-", "1");
    show_repeated("x = ", "not ", "1");
    show_repeated("x = ", "a ** ", "1");
    show_repeated("x = ", "a + ", "1");
    show_repeated("x = a", ".b", "");
    show_repeated("x = ", "lambda: ", "1");
    show_repeated("x = ", "a if b else ", "1");
    show_repeated("x = [", "a, ", "]");
    show_repeated("", "x = ", "1");
    show_repeated("if a: b\n", "elif a: b\n", "");
    show_repeated("", "if a:\n", "");
    show_repeated("x = ", "'a' ", "");
    show_repeated("f(", "a=1, ", ")");
    show_repeated("import a", ".b", "");
    return failed;
}
