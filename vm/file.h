/* file.h - file objects, as far as print, the streams of the command and the modules of the library
 * need them. */
#ifndef GEN_FILE_H
#define GEN_FILE_H

#include "vm/vm.h"

Value file_new_stream(GenVM *vm, int stream); /* 0, 1 or 2: the VM's standard streams */
bool file_is_text(Value file);                /* of kind FILE, ready for file_write_text */
bool file_write_text(GenVM *vm, Value file, const char *utf8,
                     size_t size); /* buffered; false: OSError or ValueError */
bool file_flush(GenVM *vm, Value file);
Value file_open(GenVM *vm, Value *args); /* the builtin open: a NativeFn */
extern const NativeDef file_open_def;
void file_sync(
    GenVM *vm); /* writes out what files hold back; errors are met again by their close() */

/* The path of a str or bytes as the system wants it, valid for this native call; NULL: ValueError
 * (a NUL in it). */
const char *file_path(GenVM *vm, Value path);
Value file_path_text(GenVM *vm, const char *path); /* and back: str */
Value file_unsupported_class(GenVM *vm);           /* io.UnsupportedOperation */

#endif
