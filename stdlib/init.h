/* init.h - gives a VM the compiler and the library. */
#ifndef GEN_STDLIB_INIT_H
#define GEN_STDLIB_INIT_H

#include "vm/vm.h"

bool init_library(GenVM *vm);
void init_grant_files(GenVM *vm); /* imports may look at the host's files */

/* The bytes of a file, malloc'ed and NUL-terminated; NULL with errno set. */
char *init_read_file(const char *path, size_t *size);

#endif
