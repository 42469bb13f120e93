/* Runs one test case and judges it. tests/README.md says which files make a case and which comment
 * lines at the head of a script change how it is run.
 *
 * The case runs with its own folder as the working directory and its base name as the argument, so
 * that what it prints does not depend on where the repository lies. It leads a process group, which
 * is killed when its time is up: whatever it started dies with it.
 *
 * From the environment: GEN (the command; default build/gen), GEN_BUILD (the folder with the built
 * C programs; default build), GEN_VARIANT (what "# skip:" lines refer to) and GEN_SLOWDOWN (a
 * factor on every time limit, for builds that are slow on purpose). */
#include "case.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    DEFAULT_SECONDS = 20,
    MAX_ARGS = 64,
    HEAD_LINES = 12,                 /* directives stand in the first lines of a script */
    REPORT_LIMIT = 6000,             /* bytes of one difference that are shown */
    OUTPUT_LIMIT = 64 * 1024 * 1024, /* bytes; more than that is a runaway script */
};

/* Address space of a case: a runaway allocation fails instead of taking the machine down. Shadow
 * memory needs far more, so sanitized builds have no such limit. */
#define MEMORY_LIMIT ((rlim_t)6 << 30)

/* ---- texts ------------------------------------------------------------------------------------
 */

typedef struct Text {
    char *bytes; /* zero-terminated when not NULL; owned */
    size_t len;
} Text;

static void die(const char *what) {
    fprintf(stderr, "runner: %s: %s\n", what, strerror(errno));
    abort();
}

static void text_append(Text *text, const char *bytes, size_t len) {
    text->bytes = realloc(text->bytes, text->len + len + 1);
    if (text->bytes == NULL) die("realloc");
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->bytes[text->len] = '\0';
}

__attribute__((format(printf, 2, 3))) static void text_print(Text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *line;
    int len = vasprintf(&line, format, args);
    va_end(args);
    if (len < 0) die("vasprintf");
    text_append(text, line, (size_t)len);
    free(line);
}

/* Reads a whole file; false when there is none. */
static bool text_read_file(Text *text, const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return false;
    char buffer[8192];
    text_append(text, "", 0);
    for (size_t len; (len = fread(buffer, 1, sizeof buffer, file)) > 0;) {
        text_append(text, buffer, len);
    }
    fclose(file);
    return true;
}

/* Takes every occurrence of a string out of the text. */
static void text_remove(Text *text, const char *what) {
    size_t len = strlen(what);
    for (char *at = text->bytes; (at = strstr(at, what)) != NULL;) {
        memmove(at, at + len, text->len - (size_t)(at - text->bytes) - len + 1);
        text->len -= len;
    }
}

/* ---- what a case expects ----------------------------------------------------------------------
 */

typedef struct Expectation {
    Text out, err, in;
    bool has_in;
    int status;
    double seconds;
    char folder[PATH_MAX];    /* absolute; the working directory of the case */
    char base[PATH_MAX];      /* path without its extension, for the files beside the source */
    char file[NAME_MAX + 1];  /* base name of the source, with its extension */
    char skip[256];           /* the reason for not running it here; "" to run it */
    char *args[MAX_ARGS + 1]; /* command line, ends with NULL */
    int arg_count;
    Text arg_text; /* the bytes of name.args, which args points into */
} Expectation;

static const char *setting(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : otherwise;
}

/* The file beside the source with another extension. */
static bool read_beside(const Expectation *expect, const char *extension, Text *text) {
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s%s", expect->base, extension);
    return text_read_file(text, path);
}

static void add_arg(Expectation *expect, char *arg) {
    if (expect->arg_count == MAX_ARGS) {
        errno = E2BIG;
        die(expect->file);
    }
    expect->args[expect->arg_count++] = arg;
}

/* One "# word: value" line at the head of a script. */
static void read_directive(Expectation *expect, const char *line) {
    int number;
    char variant[32], reason[192];
    if (sscanf(line, "# exit: %d", &number) == 1) expect->status = number;
    if (sscanf(line, "# timeout: %d", &number) == 1) expect->seconds = number;
    if (sscanf(line, "# skip: %31s %191[^\n]", variant, reason) == 2 &&
        strcmp(variant, setting("GEN_VARIANT", "release")) == 0) {
        snprintf(expect->skip, sizeof expect->skip, "skipped in the %s build: %s", variant, reason);
    }
}

static void read_directives(Expectation *expect, const char *path) {
    FILE *file = fopen(path, "r");
    if (file == NULL) die(path);
    char line[512];
    for (int i = 0; i < HEAD_LINES && fgets(line, sizeof line, file) != NULL; i++) {
        if (line[0] == '#') read_directive(expect, line);
    }
    fclose(file);
}

/* Splits a path into the absolute folder, the base name and the path without its extension. */
static void split_path(Expectation *expect, const char *path) {
    char full[PATH_MAX];
    if (realpath(path, full) == NULL) die(path);
    char *slash = strrchr(full, '/');
    snprintf(expect->file, sizeof expect->file, "%s", slash + 1);
    snprintf(expect->base, sizeof expect->base, "%.*s", (int)(strrchr(full, '.') - full), full);
    *slash = '\0';
    snprintf(expect->folder, sizeof expect->folder, "%s", full);
}

/* The absolute path of a program, which must outlive the change of the working directory. */
static char *program_path(const char *path) {
    char *full = realpath(path, NULL);
    if (full == NULL) die(path);
    return full;
}

static void make_command(Expectation *expect, const Case *test) {
    char binary[PATH_MAX];
    snprintf(binary, sizeof binary, "%s/programs/%.*s-%s", setting("GEN_BUILD", "build"),
             (int)strlen(test->path) - 2, test->path, test->kind == CASE_CPP ? "cpp" : "c11");
    switch (test->kind) {
    case CASE_SCRIPT:
        add_arg(expect, program_path(setting("GEN", "build/gen")));
        add_arg(expect, expect->file);
        break;
    case CASE_SHELL:
        add_arg(expect, "/bin/sh");
        add_arg(expect, expect->file);
        break;
    case CASE_C11:
    case CASE_CPP: add_arg(expect, program_path(binary)); break;
    }
    if (!read_beside(expect, ".args", &expect->arg_text)) return;
    for (char *line = strtok(expect->arg_text.bytes, "\n"); line; line = strtok(NULL, "\n")) {
        add_arg(expect, line);
    }
}

static void read_expectation(Expectation *expect, const Case *test) {
    memset(expect, 0, sizeof *expect);
    split_path(expect, test->path);
    read_beside(expect, ".out", &expect->out);
    bool has_err = read_beside(expect, ".err", &expect->err);
    expect->has_in = read_beside(expect, ".in", &expect->in);
    expect->status = has_err ? 1 : 0;
    expect->seconds = DEFAULT_SECONDS;
    read_directives(expect, test->path);
    expect->seconds *= strtod(setting("GEN_SLOWDOWN", "1"), NULL);
}

/* ---- running ----------------------------------------------------------------------------------
 */

typedef struct Outcome {
    Text out, err;
    int status; /* as the shell counts: 128 + the signal for a killed process */
    bool timed_out;
    bool too_long;
} Outcome;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void limit(int resource, rlim_t most) {
    struct rlimit limit = {most, most};
    setrlimit(resource, &limit);
}

/* A file without a name that holds the case's input; /dev/null when it has none. */
static int open_input(const Expectation *expect) {
    if (!expect->has_in) return open("/dev/null", O_RDONLY);
    FILE *file = tmpfile();
    if (file == NULL) die("tmpfile");
    fwrite(expect->in.bytes, 1, expect->in.len, file);
    if (fflush(file) != 0) die("tmpfile");
    lseek(fileno(file), 0, SEEK_SET);
    return fileno(file);
}

/* The child's side of start(): never returns. */
__attribute__((noreturn)) static void become_case(const Expectation *expect, int in, int out,
                                                  int err) {
    setpgid(0, 0);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    limit(RLIMIT_CORE, 0);
    const char *variant = setting("GEN_VARIANT", "release"); /* shadow memory takes terabytes */
    if (strcmp(variant, "asan") != 0 && strcmp(variant, "tsan") != 0)
        limit(RLIMIT_AS, MEMORY_LIMIT);
    signal(SIGPIPE, SIG_DFL);
    if (chdir(expect->folder) == 0) execv(expect->args[0], expect->args);
    fprintf(stderr, "runner: %s: %s\n", expect->args[0], strerror(errno));
    _exit(126);
}

static pid_t start(const Expectation *expect, int fds[2]) {
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) die("pipe");
    int in = open_input(expect);
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) become_case(expect, in, out[1], err[1]);
    setpgid(pid, pid);
    close(in);
    close(out[1]);
    close(err[1]);
    fds[0] = out[0];
    fds[1] = err[0];
    return pid;
}

/* Reads what one pipe has; false at its end. */
static bool drain(int fd, Text *text) {
    char buffer[65536];
    ssize_t len = read(fd, buffer, sizeof buffer);
    if (len > 0) text_append(text, buffer, (size_t)len);
    return len > 0 || (len < 0 && errno == EINTR);
}

/* Collects both outputs until both end, the time is up or they are too long. */
static void collect(Outcome *outcome, const int fds[2], double deadline) {
    struct pollfd polls[2] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLIN}};
    Text *texts[2] = {&outcome->out, &outcome->err};
    while (polls[0].fd >= 0 || polls[1].fd >= 0) {
        double left = deadline - now();
        outcome->timed_out = left <= 0;
        outcome->too_long = outcome->out.len + outcome->err.len > OUTPUT_LIMIT;
        if (outcome->timed_out || outcome->too_long) return;
        if (poll(polls, 2, (int)(left * 1000) + 1) < 0 && errno != EINTR) die("poll");
        for (int i = 0; i < 2; i++) {
            if (polls[i].fd >= 0 && polls[i].revents != 0 && !drain(fds[i], texts[i])) {
                polls[i].fd = -1;
            }
        }
    }
}

/* Waits for the process itself, which may outlive its outputs; false when the time is up. */
static bool wait_until(pid_t pid, int *status, double deadline) {
    const struct timespec pause = {.tv_nsec = 500000};
    while (waitpid(pid, status, WNOHANG) == 0) {
        if (now() > deadline) return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

static void run(const Expectation *expect, Outcome *outcome) {
    int fds[2], status = 0;
    double deadline = now() + expect->seconds;
    pid_t pid = start(expect, fds);
    text_append(&outcome->out, "", 0);
    text_append(&outcome->err, "", 0);
    collect(outcome, fds, deadline);
    bool ended = !outcome->timed_out && !outcome->too_long && wait_until(pid, &status, deadline);
    kill(-pid, SIGKILL);
    if (!ended) {
        outcome->timed_out = !outcome->too_long;
        waitpid(pid, &status, 0);
    }
    close(fds[0]);
    close(fds[1]);
    outcome->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- judging ----------------------------------------------------------------------------------
 */

/* Appends what diff(1) says about two texts that are not equal. */
static void print_difference(Text *report, const char *what, const Text *expected,
                             const Text *actual) {
    char names[2][32] = {"/tmp/gen-expected-XXXXXX", "/tmp/gen-actual-XXXXXX"};
    const Text *texts[2] = {expected, actual};
    for (int i = 0; i < 2; i++) {
        int fd = mkstemp(names[i]);
        if (fd < 0 || write(fd, texts[i]->bytes ? texts[i]->bytes : "", texts[i]->len) < 0) {
            die(names[i]);
        }
        close(fd);
    }
    char command[256];
    snprintf(command, sizeof command, "diff -au --label 'expected %s' --label 'actual %s' %s %s",
             what, what, names[0], names[1]);
    FILE *diff = popen(command, "r");
    if (diff == NULL) die("diff");
    char buffer[REPORT_LIMIT];
    size_t len = fread(buffer, 1, sizeof buffer, diff);
    text_append(report, buffer, len);
    if (len == sizeof buffer) text_print(report, "\n(the rest is left out)\n");
    while (fread(buffer, 1, sizeof buffer, diff) > 0) {
    }
    pclose(diff);
    for (int i = 0; i < 2; i++)
        unlink(names[i]);
}

static bool text_equals(const Text *left, const Text *right) {
    return left->len == right->len &&
           (left->len == 0 || !memcmp(left->bytes, right->bytes, left->len));
}

/* Appends to the report whatever is not as expected. */
static void judge(const Expectation *expect, const Outcome *outcome, Text *report) {
    if (outcome->timed_out) {
        text_print(report, "no end after %g seconds: killed\n", expect->seconds);
    } else if (outcome->too_long) {
        text_print(report, "more than %d bytes of output: killed\n", OUTPUT_LIMIT);
    } else if (outcome->status != expect->status) {
        text_print(report, "exit status %d, expected %d\n", outcome->status, expect->status);
    }
    if (!text_equals(&expect->out, &outcome->out)) {
        print_difference(report, "output", &expect->out, &outcome->out);
    }
    if (!text_equals(&expect->err, &outcome->err)) {
        print_difference(report, "error output", &expect->err, &outcome->err);
    }
}

/* What every case sees of its surroundings, whoever runs it. */
static void set_surroundings(void) {
    static const char *const forgotten[] = {"PYTHONPATH", "PYTHONHASHSEED", "FORCE_COLOR",
                                            "COLUMNS"};
    for (size_t i = 0; i < sizeof forgotten / sizeof *forgotten; i++)
        unsetenv(forgotten[i]);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("TZ", "UTC0", 1);
    setenv("NO_COLOR", "1", 1);
    setenv("TERM", "dumb", 1);
    char *gen = program_path(setting("GEN", "build/gen"));
    char *build = program_path(setting("GEN_BUILD", "build"));
    char *root = program_path(".");
    setenv("GEN", gen, 1);
    setenv("GEN_BUILD", build, 1);
    setenv("GEN_ROOT", root, 1);
    free(gen);
    free(build);
    free(root);
}

CaseResult case_run(const Case *test, char **report) {
    Expectation expect;
    Outcome outcome = {0};
    Text text = {0};
    set_surroundings();
    read_expectation(&expect, test);
    if (expect.skip[0] != '\0') {
        *report = strdup(expect.skip);
        return CASE_SKIPPED;
    }
    make_command(&expect, test);
    run(&expect, &outcome);
    char folder[PATH_MAX + 1];
    snprintf(folder, sizeof folder, "%s/", expect.folder);
    text_remove(&outcome.out, folder);
    text_remove(&outcome.err, folder);
    judge(&expect, &outcome, &text);
    Text *texts[] = {&expect.out,      &expect.err,  &expect.in,
                     &expect.arg_text, &outcome.out, &outcome.err};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]->bytes);
    *report = text.bytes;
    return text.len == 0 ? CASE_PASSED : CASE_FAILED;
}
