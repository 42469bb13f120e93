/* file.h - file objects, as far as print, the streams of the command and the modules of the library
 * need them. */
#ifndef GEN_FILE_H
#define GEN_FILE_H

#include "vm/vm.h"

#include <sys/types.h>

Value file_new_stream(GenVM *vm, int stream); /* 0, 1 or 2: the VM's standard streams */
bool file_is_text(Value file);                /* of kind FILE, ready for file_write_text */
bool file_write_text(GenVM *vm, Value file, const char *utf8,
                     size_t size); /* buffered; false: OSError or ValueError */
bool file_flush(GenVM *vm, Value file);
Value file_open(GenVM *vm, Value *args); /* the builtin open: a NativeFn */
extern const NativeDef file_open_def;
/* Writes out what files hold back; errors are met again by their close(). Not to pipes that may be
 * full, unless it `waits` and there is one thread. */
void file_sync(GenVM *vm, bool waits);

/* file_wait.c, for scripts of several threads: */
/* path_open, but where a FIFO has nobody at its other end yet, the thread is parked until it has:
 * FILE_PARKED, the native returns VALUE_ERROR (or an exception is pending). */
enum { FILE_PARKED = -2 };
int file_open_waiting(GenVM *vm, const char *path, int flags, mode_t mode);
/* Before `size` bytes of a file are read, from `offset` on (-1: where it stands): a part that has
 * to come from a disk is fetched while the thread is parked. False: the native returns VALUE_ERROR.
 */
bool file_fetch(GenVM *vm, int fd, int64_t offset, size_t size);

/* Would a write to the descriptor wait until somebody reads: a blocking pipe or socket. */
bool file_is_blocking_pipe(int fd);
/* Might file_write_text wait in that way, where another thread could run: then its method write
 * does it, which parks the thread. */
bool file_write_waits(GenVM *vm, Value file, size_t size);
/* As a blocking write of all of it: Thread.progress tells how far it is. False: the thread is
 * parked, or an error is pending. */
bool file_write_waiting(GenVM *vm, int fd, const uint8_t *data, size_t size);
/* Parks the thread until the descriptor is ready; true where it is, or this one need not wait. */
bool file_wait_ready(GenVM *vm, int fd, short events);

/* The path of a str or bytes as the system wants it, valid for this native call; NULL: ValueError
 * (a NUL in it). */
const char *file_path(GenVM *vm, Value path);
Value file_path_text(GenVM *vm, const char *path); /* and back: str */
Value file_unsupported_class(GenVM *vm);           /* io.UnsupportedOperation */

#endif
