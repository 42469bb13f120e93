/* interp.h - running script code from the host. */
#ifndef GEN_INTERP_H
#define GEN_INTERP_H

#include "vm/frame.h"

bool interp_run(GenVM *vm);

/* Calls `callable` and runs until it returns: the one place where C waits for script code. Only for
 * hosts (genvm.c) and the command, never from natives. VALUE_ERROR with an exception pending on
 * failure. */
Value vm_call(GenVM *vm, Value callable, uint32_t count, const Value *args);

/* At a safepoint, with the frame saved: collects, runs finalizers, notices interrupts, refills the
 * fuel. It may push a frame. False with an exception pending. */
bool vm_safepoint(GenVM *vm);

/* "Exception ignored in: ..." on sys.stderr's real stream. */
void vm_report_unraisable(GenVM *vm, Value error, Value object);

#endif
