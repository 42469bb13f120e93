/* main.c - the command `gen`: scripts, code from the command line, modules, the REPL. A client of
 * genvm.h like any other.
 *
 * Exit statuses: what the program says by SystemExit; 1 after an uncaught exception; 2 for a wrong
 * command line or a script that cannot be read; 120 when the output could not be written at the
 * end; killed by SIGINT after KeyboardInterrupt.
 */
#include "repl/repl.h"
#include "repl/sandbox.h"
#include "vm/genvm.h"

#include <errno.h>
#if __has_include(<malloc.h>)
#include <malloc.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static GenVM *interrupted_vm; /* for the signal handler alone */

static void on_interrupt(int signal_number) {
    (void)signal_number;
    if (interrupted_vm) gen_interrupt(interrupted_vm);
}

static const char usage[] =
    "usage: gen [option] ... [-c code | -m module | file | -] [arg] ...\n"
    "Without code, module or file, or with -i after them, an interactive session begins.\n"
    "  -c code    run the code given (ends the options)\n"
    "  -m module  run a module as the main program (ends the options)\n"
    "  -          run what standard input holds\n"
    "  --dis file show the instructions of a program instead of running it (ends the options)\n"
    "  -i         an interactive session afterwards\n"
    "  -W filter  what becomes of warnings: action:message:category:module:line (may be repeated)\n"
    "  --sandbox  let the program compute and print, nothing else, but for:\n"
    "      --allow-read DIR  --allow-write DIR  --allow-net  --allow-clock  --allow-entropy\n"
    "      --allow-env  --allow-stdio  --allow-process\n"
    "      --max-steps N  --max-memory BYTES  --max-output BYTES  --timeout SECONDS\n"
    "             numbers may end in k, M, G (thousands) or ki, Mi, Gi (1,024s); a program that\n"
    "             has spent one of these ends with status 124\n"
    "  -V         show the version (also --version)\n"
    "  -h         show this help (also --help)\n";

typedef struct Options {
    const char *code, *module, *file;
    bool interactive;
    bool disassemble;        /* file is not to be run but to be shown */
    const char *filters[32]; /* of -W, in their order */
    int filter_count;
    int rest; /* index of the first argument of the program */
    Sandbox sandbox;
} Options;

static bool refuse(const char *reason, const char *what, int *status) {
    fprintf(stderr, "%s%s\n%s", reason, what, usage);
    *status = 2;
    return false;
}

/* False: the program ends with *status. */
static bool parse_options(int argc, char **argv, Options *options, int *status) {
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        const char *option = argv[i];
        int sandbox = sandbox_option(&options->sandbox, argc, argv, &i);
        if (sandbox < 0) return *status = 2, false;
        if (sandbox > 0) continue;
        bool is_code = !strncmp(option, "-c", 2), is_module = !strncmp(option, "-m", 2);
        if (!strcmp(option, "--dis")) {
            options->disassemble = true;
            i++;
            break;
        }
        if (is_code || is_module) {
            const char *value = option[2] ? option + 2 : i + 1 < argc ? argv[++i] : NULL;
            if (!value) {
                fprintf(stderr, "Argument expected for the %s option\n%s", option, usage);
                *status = 2;
                return false;
            }
            *(is_code ? &options->code : &options->module) = value;
            options->rest = i + 1;
            if (is_module && options->sandbox.on)
                return refuse("--sandbox runs a file or the code of -c", "", status);
            return true;
        }
        if (!strncmp(option, "-W", 2)) {
            const char *value = option[2] ? option + 2 : i + 1 < argc ? argv[++i] : NULL;
            if (!value) return refuse("Argument expected for the -W option", "", status);
            if (options->filter_count == 32) return refuse("too many -W options", "", status);
            options->filters[options->filter_count++] = value;
        } else if (!strcmp(option, "-i")) {
            options->interactive = true;
        } else if (!strcmp(option, "-V") || !strcmp(option, "--version")) {
            printf("Gen %d.%d.%d\n", GEN_VERSION_MAJOR, GEN_VERSION_MINOR, GEN_VERSION_PATCH);
            *status = 0;
            return false;
        } else if (!strcmp(option, "-h") || !strcmp(option, "--help")) {
            fputs(usage, stdout);
            *status = 0;
            return false;
        } else {
            return refuse("unknown option ", option, status);
        }
    }
    if (i < argc) options->file = argv[i];
    if (options->sandbox.on && (options->module || options->interactive || options->disassemble))
        return refuse("--sandbox runs a file or the code of -c", "", status);
    if (options->disassemble && !options->file) {
        fprintf(stderr, "Argument expected for the --dis option\n%s", usage);
        *status = 2;
        return false;
    }
    options->rest = i + (i < argc);
    return true;
}

/* ---- source files ---- */

/* NULL with errno. */
static char *read_stream(FILE *stream, size_t *size) {
    size_t capacity = 65536, used = 0;
    char *text = malloc(capacity);
    while (text) {
        size_t got = fread(text + used, 1, capacity - used, stream);
        used += got;
        if (!got) break;
        if (used < capacity) continue;
        char *larger = realloc(text, capacity *= 2);
        if (!larger) free(text);
        text = larger;
    }
    if (text && ferror(stream)) {
        free(text);
        return NULL;
    }
    *size = used;
    return text;
}

/* The text of the script; NULL after a line on stderr that says why not. */
static char *read_script(const char *path, size_t *size) {
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        char inside[4096];
        snprintf(inside, sizeof inside, "%s/__main__.gen", path);
        if (access(inside, R_OK) == 0) return read_script(inside, size);
        fprintf(stderr, "gen: can't find '__main__' module in '%s'\n", path);
        return NULL;
    }
    FILE *file = fopen(path, "rb");
    char *text = file ? read_stream(file, size) : NULL;
    if (!text)
        fprintf(stderr, "gen: can't open file '%s': [Errno %d] %s\n", path, errno, strerror(errno));
    if (file) fclose(file);
    return text;
}

/* ---- setting up sys ---- */

static void set_arguments(GenVM *vm, const char *first, int argc, char **argv, int rest) {
    GenScope scope = gen_scope_open(vm);
    GenRef list = gen_list(vm);
    gen_append(vm, list, gen_str(vm, first));
    for (int i = rest; i < argc; i++)
        gen_append(vm, list, gen_str(vm, argv[i]));
    gen_set_attr(vm, gen_import(vm, "sys"), "argv", list);
    gen_scope_close(vm, scope);
}

/* The module warnings reads them when it is imported: now, for the warnings of the compiler. */
static void set_filters(GenVM *vm, const Options *options) {
    if (!options->filter_count) return;
    GenScope scope = gen_scope_open(vm);
    GenRef list = gen_list(vm);
    for (int i = 0; i < options->filter_count; i++)
        gen_append(vm, list, gen_str(vm, options->filters[i]));
    gen_set_attr(vm, gen_import(vm, "sys"), "warnoptions", list);
    gen_import(vm, "warnings");
    gen_scope_close(vm, scope);
}

/* The folder where imports look first. */
static void set_path(GenVM *vm, const char *folder, size_t size) {
    GenScope scope = gen_scope_open(vm);
    GenRef zero = gen_int(vm, 0), args[] = {zero, gen_str_n(vm, folder, size)};
    gen_call_method(vm, gen_get_attr(vm, gen_import(vm, "sys"), "path"), "insert", 2, args);
    gen_scope_close(vm, scope);
}

/* ---- running ---- */

/* A path as tracebacks and __file__ tell it: from the root, whatever the folder becomes later. The
 * path itself where that cannot be found out. For the caller to free. */
static char *absolute_path(const char *path) {
    char *folder = *path == '/' ? NULL : getcwd(NULL, 0), *joined = NULL;
    if (!folder || asprintf(&joined, "%s/%s", folder, path) < 0) joined = strdup(path);
    free(folder);
    return joined;
}

/* sys.path[0] is the folder in which the script really lies. */
static void set_path_of_script(GenVM *vm, const char *path) {
    char *real = realpath(path, NULL);
    const char *slash = real ? strrchr(real, '/') : NULL;
    set_path(vm, real, slash ? (size_t)(slash - real) + (slash == real) : 0);
    free(real);
}

/* The program that a path or "-" names; NULL after a line on stderr that says why not. */
static char *read_program(const char *path, size_t *size) {
    if (strcmp(path, "-")) return read_script(path, size);
    char *text = read_stream(stdin, size);
    if (!text) fprintf(stderr, "gen: can't read standard input: %s\n", strerror(errno));
    return text;
}

static bool run_script(GenVM *vm, const char *path, int *status) {
    size_t size = 0;
    bool from_stdin = !strcmp(path, "-");
    char *text = read_program(path, &size);
    if (!text) {
        *status = 2;
        return true;
    }
    if (from_stdin) {
        set_path(vm, "", 0);
        bool ok = !gen_error_pending(vm) && gen_run_bytes(vm, text, size, "<stdin>");
        free(text);
        return ok;
    }
    set_path_of_script(vm, path);
    char *file = absolute_path(path);
    gen_set_global(vm, "__file__", gen_str(vm, file ? file : path));
    bool ok = !gen_error_pending(vm) && gen_run_bytes(vm, text, size, file ? file : path);
    free(file);
    free(text);
    return ok;
}

static bool disassemble_script(GenVM *vm, const char *path, int *status) {
    size_t size = 0;
    char *text = read_program(path, &size);
    if (!text) {
        *status = 2;
        return true;
    }
    GenScope scope = gen_scope_open(vm);
    GenRef args[] = {gen_bytes(vm, text, size), gen_str(vm, path)};
    bool ok = gen_call(vm, gen_get_attr(vm, gen_import(vm, "dis"), "_show"), 2, args) != GEN_NULL;
    gen_scope_close(vm, scope);
    free(text);
    return ok;
}

/* The program of a sandbox is given as a file or as text. */
static int run_in_sandbox(GenVM *vm, const Options *options) {
    size_t size = 0;
    const char *path = options->file ? options->file : "-";
    if (options->code) set_path(vm, "", 0);
    if (options->code)
        return sandbox_run(&options->sandbox, vm, options->code, strlen(options->code), "<string>");
    bool from_stdin = !strcmp(path, "-");
    char *text = read_program(path, &size);
    if (!text) return 2;
    const char *slash = strrchr(path, '/');
    set_path(vm, path, slash ? (size_t)(slash - path) : 0);
    int status = sandbox_run(&options->sandbox, vm, text, size, from_stdin ? "<stdin>" : path);
    free(text);
    return status;
}

static bool run_module(GenVM *vm, const char *module) {
    set_path(vm, "", 0);
    GenScope scope = gen_scope_open(vm);
    GenRef name = gen_str(vm, module),
           runner = gen_get_attr(vm, gen_import(vm, "runpy"), "_run_module_as_main");
    bool ok = gen_call(vm, runner, 1, &name) != GEN_NULL;
    gen_scope_close(vm, scope);
    return ok;
}

/* What SystemExit asks for: None 0, an int itself, anything else is printed and means 1. */
static int exit_status(GenVM *vm) {
    GenRef code = gen_get_attr(vm, gen_error_take(vm), "code");
    int64_t number;
    if (gen_is_none(vm, code)) return 0;
    if ((gen_type(vm, code) == GEN_TYPE_INT || gen_type(vm, code) == GEN_TYPE_BOOL) &&
        gen_to_int(vm, code, &number))
        return (int)(number & 255);
    gen_error_clear(vm);
    size_t size = 0;
    const char *text = gen_to_str(vm, gen_to_text(vm, code), &size);
    gen_call_method(vm, gen_get_attr(vm, gen_import(vm, "sys"), "stdout"), "flush", 0, NULL);
    if (text) fprintf(stderr, "%.*s\n", (int)size, text);
    gen_error_clear(vm);
    return 1;
}

int command_report(GenVM *vm, bool *interrupted) {
    if (gen_error_matches(vm, "SystemExit")) return exit_status(vm);
    *interrupted = gen_error_matches(vm, "KeyboardInterrupt");
    bool is_pipe = gen_error_matches(vm, "BrokenPipeError");
    GenRef error = gen_error_take(vm), sys = gen_import(vm, "sys");
    gen_call_method(vm, gen_get_attr(vm, sys, "stdout"), "flush", 0, NULL);
    /* Nobody reads the output any more: as quiet as a program that the signal ends. */
    if (is_pipe && gen_error_matches(vm, "BrokenPipeError")) return 120;
    gen_error_clear(vm);
    gen_error_restore(vm, error);
    fputs(gen_error_text(vm), stderr);
    gen_error_clear(vm);
    return 1;
}

/* Ends as a program that the signal killed, so that shells see it. */
static void die_by_interrupt(void) {
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
}

static int finish(GenVM *vm, int status, bool interrupted) {
    interrupted_vm = NULL;
    if (!gen_vm_finish(vm)) {
        bool quiet = gen_error_matches(vm, "BrokenPipeError");
        if (!quiet)
            fprintf(stderr, "Exception ignored on flushing sys.stdout:\n%s", gen_error_text(vm));
        gen_error_clear(vm);
        status = 120;
    }
    gen_vm_free(vm);
    if (interrupted) die_by_interrupt();
    return status;
}

/* Memory that a collection frees is soon asked for again: the C library shall not give it back to
 * the system each time. A matter of the process, so of the command and not of the library. */
static void keep_freed_memory(void) {
#ifdef M_TRIM_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
#endif
}

int main(int argc, char **argv) {
    Options options = {0};
    int status = 0;
    keep_freed_memory();
    if (!parse_options(argc, argv, &options, &status)) return status;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow: EFBIG */
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_ALL};
    if (options.sandbox.on) sandbox_configure(&options.sandbox, &config);
    GenVM *vm = gen_vm_new(&config);
    if (!vm) {
        fputs("gen: out of memory\n", stderr);
        return 3;
    }
    interrupted_vm = vm;
    struct sigaction action = {.sa_handler = on_interrupt}; /* no SA_RESTART: it ends what blocks */
    struct sigaction inherited;
    bool is_ignored = sigaction(SIGINT, NULL, &inherited) == 0 && inherited.sa_handler == SIG_IGN;
    if (!is_ignored) sigaction(SIGINT, &action, NULL); /* else who started it wants it so */
    bool ok = true, interrupted = false, ran = true;
    set_arguments(vm,
                  options.code     ? "-c"
                  : options.module ? "-m"
                  : options.file   ? options.file
                                   : "",
                  argc, argv, options.rest);
    set_filters(vm, &options);
    if (options.sandbox.on) {
        status = run_in_sandbox(vm, &options);
        interrupted_vm = NULL;
        gen_vm_free(vm);
        return status;
    }
    if (options.code) {
        set_path(vm, "", 0);
        ok = gen_run_string(vm, options.code, "<string>");
    } else if (options.module) {
        ok = run_module(vm, options.module);
    } else if (options.disassemble) {
        ok = disassemble_script(vm, options.file, &status);
    } else if (options.file) {
        ok = run_script(vm, options.file, &status);
    } else if (!isatty(0) && !options.interactive) {
        ok = run_script(vm, "-", &status);
    } else {
        ran = false;
        set_path(vm, "", 0);
    }
    if (!ok) status = command_report(vm, &interrupted);
    if (!ran || options.interactive) status = repl_run(vm);
    return finish(vm, status, interrupted && !options.interactive);
}
