/* paths.h - which files a script may touch: the roots that the host has granted.
 *
 * With GEN_CAP_FILES and no roots everything is allowed that the process may do. With roots, a path
 * is allowed when what it leads to, after all symbolic links, lies below one. Descriptors, of
 * sockets too, are allowed when the VM opened them, unless it may use all files. All that takes a
 * path or a descriptor from a script asks here.
 */
#ifndef GEN_PATHS_H
#define GEN_PATHS_H

#include "vm/vm.h"
#include <sys/types.h>

typedef enum PathUse { PATH_READ = 1, PATH_WRITE = 2 } PathUse; /* bits */

/* False with PermissionError. `name` is the path as the script gave it, for the message. `link`:
 * the last part of the path is meant itself, even if it is a symbolic link. */
bool path_check(GenVM *vm, const char *path, int use, bool link, Value name);
bool path_is_allowed(GenVM *vm, const char *path, int use); /* the same without an exception */

/* Where the system finds what the script named and may use, however links change meanwhile: for one
 * call, between path_find and path_leave. */
typedef struct PathPlace {
    const char *path; /* for the system */
    char *text;       /* malloc'ed, or NULL */
    int fd;           /* what keeps the place, or -1 */
} PathPlace;
/* As path_check, which need not be asked too. What is not there is "", which the system does not
 * find either. False with PermissionError or OSError; there is nothing to leave then. */
bool path_find(GenVM *vm, const char *path, int use, bool link, Value name, PathPlace *place);
void path_leave(PathPlace *place);
/* What a script has made by the place's path, and the system calls by that path from now on, is
 * `name` to the script: path_given_name finds it by the place's path, or NULL. The place is kept
 * until the descriptor `fd`, which it was made for, is disowned. False: no memory; it is left. */
bool path_keep(GenVM *vm, int fd, PathPlace *place, const char *name);
const char *path_given_name(const GenVM *vm, const char *path);

/* open(2), but only below the roots, however the links change meanwhile. -1 with errno; EPERM when
 * it is not allowed. */
int path_open(GenVM *vm, const char *path, int flags, mode_t mode);

bool path_check_descriptor(GenVM *vm, int64_t fd); /* false with PermissionError */
/* The same without an exception, for sockets too: to a VM that may not use all files, descriptors
 * that it has not opened are not there. The standard streams are, by GEN_CAP_STDIO. */
bool path_may_use_descriptor(GenVM *vm, int64_t fd);
/* The VM has opened it. Each time that twice as many are open, the garbage is collected: scripts
 * count on it that what they forget is closed. */
void path_own(GenVM *vm, int fd);
bool path_has_opened(const GenVM *vm, int64_t fd); /* known to be so, by whatever capability */
void path_disown(GenVM *vm, int fd);               /* ... and closed it */

/* From the config: NULL-terminated lists of directories; NULL: everywhere. False: no memory. A
 * directory that is not there grants nothing. */
bool paths_init(GenVM *vm, const char *const *read_roots, const char *const *write_roots);
void paths_free(GenVM *vm);
/* The same lists again, for the config of another VM with the same rights; to be freed. */
bool paths_copy_roots(GenVM *vm, PathUse use, const char *const **roots);
void paths_free_roots(const char *const *roots);

Value path_refuse(GenVM *vm, const char *why, Value name); /* PermissionError; VALUE_ERROR */

#endif
