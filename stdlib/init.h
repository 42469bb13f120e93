/* init.h - what the library offers to the engine's set-up. */
#ifndef GEN_STDLIB_INIT_H
#define GEN_STDLIB_INIT_H

#include "vm/vm.h"

bool sys_init(GenVM *vm); /* sys.c: makes the module sys and the standard streams */

/* The bytes of a file, malloc'ed and NUL-terminated; NULL with errno set. */
char *init_read_file(const char *path, size_t *size);

/* thread_wait.c: GenVM.wait_events */
void thread_wait(GenVM *vm, int64_t nanoseconds);

#endif
