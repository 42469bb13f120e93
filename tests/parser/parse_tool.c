/* parse_tool.c: the parser on the command line, for the scripts beside it.
 *
 *   parse_tool [-p] [-e | -s] [-n] FILE...   prints each file's tree, or its error; -p with
 * positions, -e as an expression, -s as an interactive statement, -n only counts, for timing
 *   parse_tool -c FILE...                  prints the scopes of each file
 *   parse_tool -r                            reads cases from standard input, each a line with its
 *                                            length in bytes and mode (exec, eval, single) and then
 *                                            the source; prints one line of outcome for each
 */
#include "../../parser/dump.h"
#include "../../parser/scope.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEMORY_LIMIT ((size_t)1 << 30)

static char *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    *len = text == NULL ? 0 : fread(text, 1, (size_t)size, file);
    fclose(file);
    return text;
}

static void print_error(const ParseError *error) {
    printf("%s: %s|%d|%d|%d|%d|", parse_error_type(error->kind),
           error->kind == PARSE_INCOMPLETE ? "INCOMPLETE" : error->message, error->line, error->col,
           error->end_line, error->end_col);
    for (const char *c = error->text; c != NULL && *c != '\0'; c++)
        printf(*c == '\n' ? "\\n" : "%c", *c);
    printf("\n");
}

static AstModule *parse_and_analyze(Arena *arena, const char *text, size_t len, ParseMode mode,
                                    ParseError *error) {
    AstModule *module = parse_source(arena, text, len, mode, error);
    return module != NULL && scope_analyze(arena, module, error) ? module : NULL;
}

static int run_cases(void) {
    size_t len;
    char mode_name[16];
    while (scanf("%zu %15s", &len, mode_name) == 2) {
        getchar();
        char *text = malloc(len + 1);
        if (text == NULL || fread(text, 1, len, stdin) != len) return 1;
        ParseMode mode = strcmp(mode_name, "eval") == 0     ? PARSE_EVAL
                         : strcmp(mode_name, "single") == 0 ? PARSE_SINGLE
                                                            : PARSE_FILE;
        Arena arena;
        arena_init(&arena, NULL, MEMORY_LIMIT);
        ParseError error;
        if (parse_and_analyze(&arena, text, len, mode, &error) != NULL)
            printf("OK\n");
        else
            print_error(&error);
        arena_free(&arena);
        free(text);
    }
    return 0;
}

int main(int argc, char **argv) {
    bool has_positions = false;
    bool is_timing = false;
    bool wants_scopes = false;
    ParseMode mode = PARSE_FILE;
    double seconds = 0;
    double bytes = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-r") == 0) return run_cases();
        if (argv[i][0] == '-') {
            has_positions |= argv[i][1] == 'p';
            is_timing |= argv[i][1] == 'n';
            wants_scopes |= argv[i][1] == 'c';
            mode = argv[i][1] == 'e' ? PARSE_EVAL : argv[i][1] == 's' ? PARSE_SINGLE : mode;
            continue;
        }
        size_t len = 0;
        char *text = read_file(argv[i], &len);
        if (text == NULL) {
            fprintf(stderr, "%s: cannot be read\n", argv[i]);
            return 2;
        }
        Arena arena;
        arena_init(&arena, NULL, MEMORY_LIMIT);
        ParseError error;
        clock_t start = clock();
        AstModule *module = is_timing || wants_scopes
                                ? parse_and_analyze(&arena, text, len, mode, &error)
                                : parse_source(&arena, text, len, mode, &error);
        seconds += (double)(clock() - start) / CLOCKS_PER_SEC;
        bytes += (double)len;
        if (module == NULL)
            print_error(&error);
        else if (wants_scopes)
            scope_dump(stdout, module->scope);
        else if (!is_timing)
            ast_dump(stdout, module, has_positions);
        arena_free(&arena);
        free(text);
    }
    if (is_timing)
        printf("%.1f MB in %.3f s: %.1f MB/s\n", bytes / 1e6, seconds, bytes / 1e6 / seconds);
    return 0;
}
