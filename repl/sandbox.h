/* sandbox.h - gen --sandbox: a program that may only compute, but for what options grant, under
 * budgets. */
#ifndef GEN_SANDBOX_H
#define GEN_SANDBOX_H

#include "vm/genvm.h"

enum { SANDBOX_PATHS = 64, SANDBOX_SPENT = 124 /* exit status when a budget was spent */ };

typedef struct Sandbox {
    bool on;
    uint32_t capabilities;
    const char *read[SANDBOX_PATHS + 1], *write[SANDBOX_PATHS + 1];
    int read_count, write_count;
    uint64_t steps, memory, output, timeout; /* timeout: nanoseconds; 0: none */
} Sandbox;

/* Is argv[*index] an option of the sandbox: 1 and *index at its last word; 0: no; -1: it is wrong,
 * and said so. */
int sandbox_option(Sandbox *sandbox, int argc, char **argv, int *index);

void sandbox_configure(const Sandbox *sandbox, GenConfig *config);

/* Runs the program in a VM so configured and reports how it ended: the exit status. */
int sandbox_run(const Sandbox *sandbox, GenVM *vm, const char *source, size_t size,
                const char *name);

#endif
