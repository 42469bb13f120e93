/* warn.h - warnings from C. What becomes of them is decided by the module warnings, in Gen; so each
 * of these is a native's last act and gives the native's result. */
#ifndef GEN_WARN_H
#define GEN_WARN_H

#include "vm/vm.h"

/* warnings.warn(message, category) on behalf of the script function that called the native, then
 * `result`; VALUE_ERROR where a filter turns the warning into an exception. */
Value warn_then(GenVM *vm, TypeId category, const char *message, Value result);

/* Has the compiler left warnings for the module? Then warn_compiled hands them over: `code` in the
 * end, or SyntaxError. */
bool warn_is_pending(GenVM *vm);
Value warn_compiled(GenVM *vm, Value code);

#endif
