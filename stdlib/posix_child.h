/* posix_child.h - child processes of the module posix, for the files of that module. */
#ifndef GEN_STDLIB_POSIX_CHILD_H
#define GEN_STDLIB_POSIX_CHILD_H

#include "stdlib/posix.h"
#include "vm/paths.h"

#include <sys/resource.h>

extern const NativeDef posix_child_functions[], posix_spawn_functions[];

bool posix_may_use_processes(GenVM *vm); /* false: PermissionError */

/* The strings and bytes of a list or tuple for execve, ended by NULL; valid for this native call;
 * the caller frees the array. NULL with an exception pending. */
const char **posix_texts(GenVM *vm, Value sequence);

/* What is to be run: of the arguments (path, args, env or None). False: an exception is pending,
 * and nothing is to be freed. */
typedef struct PosixProgram {
    const char *path;
    char **args, **env; /* env: NULL, that of the process */
} PosixProgram;
bool posix_program(GenVM *vm, const Value *args, PosixProgram *program);
void posix_program_free(PosixProgram *program);

/* A tuple for resource.struct_rusage. */
Value posix_usage(GenVM *vm, const struct rusage *usage);

#endif
