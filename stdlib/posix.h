/* posix.h - what the files of the module posix share. */
#ifndef GEN_STDLIB_POSIX_H
#define GEN_STDLIB_POSIX_H

#include "stdlib/modules.h"
#include "vm/file.h"
#include "vm/genvm.h"
#include "vm/objects.h"

extern const NativeDef posix_path_functions[], posix_descriptor_functions[],
    posix_process_functions[], posix_special_functions[], posix_identity_functions[];

/* The path that args[index] is. NULL: return *result, which is an error or asks for a call (an
 * object with __fspath__, after which the native is called again). `what` is how the TypeError
 * begins: "stat: path"; `more`: "or integer" and the like. */
const char *posix_path(GenVM *vm, Value *args, int count, int index, const char *what,
                       const char *more, Value *result);
/* Descriptors 0 to 2 are the streams' capability, others the files'. */
bool posix_may_use_descriptor(GenVM *vm, int64_t fd);
bool posix_may_see_process(GenVM *vm); /* the environment's capability */
/* The path seen from `folder`, a dir_fd or None; *joined, which was NULL, is for posix_forget. NULL
 * with an exception, an OSError of `name`. */
const char *posix_below(GenVM *vm, Value folder, const char *path, Value name, char **joined);
void posix_forget(char *joined);
bool posix_may_use_files(GenVM *vm, Value path); /* false: PermissionError */
Value posix_raise(GenVM *vm, Value path);        /* OSError by errno; path may be VALUE_UNSET */
Value posix_raise_two(GenVM *vm, Value from, Value to);
/* The environment of the process, with the time zone that the C library makes of it, is shared by
 * all VMs and threads: whatever reads or changes it holds this lock, and runs nothing else
 * meanwhile. */
void posix_lock_environment(void);
void posix_unlock_environment(void);
Value socket_poll_many(GenVM *vm, Value *args); /* socket_select.c: poll(entries, timeout) */
bool posix_interrupted(GenVM *vm); /* after EINTR: false: KeyboardInterrupt is pending */

#endif
