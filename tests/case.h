/* One test case: a script, shell script or C program with its expected output beside it. This part
 * runs a case and judges it; runner.c decides which cases run and reports through Criterion. */
#ifndef GEN_TESTS_CASE_H
#define GEN_TESTS_CASE_H

#include <stdbool.h>

typedef enum CaseKind {
    CASE_SCRIPT, /* name.gen, run by the gen command */
    CASE_SHELL,  /* name.sh, run by sh with $GEN, $GEN_BUILD and $GEN_ROOT set */
    CASE_C11,    /* name.c, built beforehand as C11 */
    CASE_CPP,    /* the same file, built beforehand as C++ */
} CaseKind;

typedef struct Case {
    CaseKind kind;
    const char *suite; /* folder under tests/ */
    const char *name;  /* unique in its suite; a C identifier */
    const char *path;  /* of the source, from the root of the repository */
} Case;

typedef enum CaseResult { CASE_PASSED, CASE_FAILED, CASE_SKIPPED } CaseResult;

/* Runs a case in a process group of its own and compares its output, its error output and its exit
 * status with what the files beside it expect. *report is a text that the caller frees: what
 * differed, or why the case was skipped; NULL when it passed. */
CaseResult case_run(const Case *test, char **report);

#endif
