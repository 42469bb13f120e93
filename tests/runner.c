/* The test program: one Criterion test for each case that the build found in tests/ and
 * scripts/embed/, so that Criterion's options (--filter, --jobs, --list, --tap, ...) choose among
 * them and its summary counts them.
 *
 * The cases come from cases.def, which scripts/build/list_cases makes from the files that exist. It
 * is read twice: once as Criterion tests, once as a plain table for
 *
 *     runner --plain [PART]
 *
 * which runs the cases whose path contains PART without Criterion (whose sandboxes cost more than a
 * short script), prints "FAIL path" for each one that fails, and is what
 * scripts/quick-test reads. */
#include "case.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A case as a Criterion test. */
static void run_in_criterion(const Case *test) {
    char *report = NULL;
    switch (case_run(test, &report)) {
    case CASE_PASSED: break;
    case CASE_SKIPPED: cr_skip_test("%s", report); break;
    case CASE_FAILED: cr_assert_fail("%s\n%s", test->path, report); break;
    }
    free(report);
}

#define CASE(kind, suite, name, path)                                                              \
    Test(suite, name) {                                                                            \
        static const Case test = {CASE_##kind, #suite, #name, path};                               \
        run_in_criterion(&test);                                                                   \
    }
#include "cases.def"
#undef CASE

static const Case cases[] = {
#define CASE(kind, suite, name, path) {CASE_##kind, #suite, #name, path},
#include "cases.def"
#undef CASE
    {CASE_SCRIPT, NULL, NULL, NULL},
};
#define CASE_COUNT (sizeof cases / sizeof *cases - 1)

/* Prints "FAIL path" and the report in one write, so that two cases do not mix their lines. */
static int run_plainly(const Case *test) {
    char *report = NULL;
    if (case_run(test, &report) != CASE_FAILED) return 0;
    printf("FAIL %s\n%s\n", test->path, report);
    fflush(stdout);
    return 1;
}

typedef struct PlainRun {
    long running, most;
    int passed, failed;
} PlainRun;

static void wait_for_one(PlainRun *plain) {
    int status;
    if (wait(&status) < 0) return;
    plain->running--;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        plain->passed++;
    } else {
        plain->failed++;
    }
}

static void start_one(PlainRun *plain, const Case *test) {
    if (plain->running == plain->most) wait_for_one(plain);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) _exit(run_plainly(test));
    if (pid < 0) {
        perror("runner: fork");
        exit(2);
    }
    plain->running++;
}

static int run_all_plainly(const char *part) {
    PlainRun plain = {.most = sysconf(_SC_NPROCESSORS_ONLN)};
    const char *gen = getenv("GEN") != NULL ? getenv("GEN") : "build/gen";
    if (access(gen, X_OK) != 0) {
        perror(gen);
        return 2;
    }
    static char buffer[1 << 16];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (const Case *test = cases; test->path != NULL; test++) {
        if (strstr(test->path, part) != NULL) start_one(&plain, test);
    }
    while (plain.running > 0)
        wait_for_one(&plain);
    printf("%d passed, %d failed\n", plain.passed, plain.failed);
    return plain.failed > 0;
}

int main(int argc, char **argv) {
    signal(SIGINT,
           SIG_DFL); /* ignored where a shell runs this in the background, as by its programs */
    if (argc > 1 && strcmp(argv[1], "--plain") == 0) {
        return run_all_plainly(argc > 2 ? argv[2] : "");
    }
    struct criterion_test_set *tests = criterion_initialize();
    if (tests->tests != CASE_COUNT) {
        fprintf(stderr, "runner: Criterion found %zu of %zu tests (is /proc mounted?)\n",
                tests->tests, CASE_COUNT);
        return 2;
    }
    int result = criterion_handle_args(argc, argv, true) ? !criterion_run_all_tests(tests) : 0;
    criterion_finalize(tests);
    return result;
}
