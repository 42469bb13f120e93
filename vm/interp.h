/* interp.h - running script code from the host. */
#ifndef GEN_INTERP_H
#define GEN_INTERP_H

#include "vm/frame.h"

typedef enum RunStatus {
    RUN_FAILED,   /* an exception has reached the HOST frame and is pending */
    RUN_RETURNED, /* the result is in register 0 of the HOST frame, at vm->base */
    RUN_STOPPED,  /* vm->stop says why; goes on at vm->pc, vm->base */
} RunStatus;

/* Runs from vm->pc, vm->base until the HOST continuation frame below is reached, or the task stops.
 */
RunStatus interp_run(GenVM *vm);

/* Goes on after a call from outside of the interpreter: `ok` is what the call said. */
RunStatus interp_continue(GenVM *vm, bool ok);

/* Calls `callable` and runs until it returns: the one place where C waits for script code. Only for
 * hosts (genvm.c) and the command, never from natives. VALUE_ERROR with an exception pending on
 * failure. */
Value vm_call(GenVM *vm, Value callable, uint32_t count, const Value *args);

/* At a safepoint, with the frame saved: collects, runs finalizers, notices interrupts, refills the
 * fuel. It may push a frame. False with an exception pending. */
bool vm_safepoint(GenVM *vm);

Value vm_unraisable_hook(GenVM *vm); /* the function that reports it: called with error, object */

/* "Exception ignored in: ..." on sys.stderr's real stream. */
void vm_report_unraisable(GenVM *vm, Value error, Value object);

#endif
