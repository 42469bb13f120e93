/* file.h - file objects, as far as print and the streams of the command need them. */
#ifndef GEN_FILE_H
#define GEN_FILE_H

#include "vm/vm.h"

Value file_new_stream(GenVM *vm, int stream); /* 0, 1 or 2: the VM's standard streams */
bool file_is_text(Value file);
bool file_write_text(GenVM *vm, Value file, const char *utf8, size_t size); /* buffered; false: OSError or ValueError */
bool file_flush(GenVM *vm, Value file);

#endif
