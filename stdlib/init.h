/* init.h - what the library offers to the engine's set-up. */
#ifndef GEN_STDLIB_INIT_H
#define GEN_STDLIB_INIT_H

#include "vm/vm.h"

bool sys_init(GenVM *vm); /* sys.c: makes the module sys and the standard streams */

/* The bytes of a file, malloc'ed and NUL-terminated; NULL with errno set. */
char *init_read_file(GenVM *vm, const char *path, size_t *size);

bool uv_run_on_pool(GenVM *vm, void *job); /* uv_loop.c: GenVM.run_on_pool */

/* thread_wait.c: GenVM.wait_events */
void thread_wait(GenVM *vm, int64_t nanoseconds);
/* The wait of a native, without other threads, for one descriptor (-1: for the time alone; negative
 * time: for ever); an interrupt ends it. */
void thread_wait_one(GenVM *vm, int fd, short events, int64_t nanoseconds);
/* Makes the descriptor by which an interrupt ends such a wait: with the module _thread, so that
 * programs that count their descriptors find none that comes late. */
void thread_wait_prepare(GenVM *vm);

#endif
