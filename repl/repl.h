/* repl.h - the interactive session. */
#ifndef GEN_REPL_H
#define GEN_REPL_H

#include "vm/genvm.h"

/* Reads statements, runs them, shows values, until the input ends or the program exits: the exit
 * status. */
int repl_run(GenVM *vm);

/* Reports the pending exception on stderr and drops it; the exit status it stands for. (main.c) */
int command_report(GenVM *vm, bool *interrupted);

#endif
