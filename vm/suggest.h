/* suggest.h - "Did you mean ...?": the nearest name by edit distance, by CPython's costs and
 * limits. */
#ifndef GEN_SUGGEST_H
#define GEN_SUGGEST_H

#include "vm/vm.h"

Value suggest_name(GenVM *vm, Value wrong, const Value *candidates,
                   uint64_t count); /* VALUE_UNSET: none near */

#endif
