/* json.h - the two halves of the module _json: json_scan.c reads, json_encode.c writes. */
#ifndef GEN_STDLIB_JSON_H
#define GEN_STDLIB_JSON_H

#include "stdlib/modules.h"

/* Natives. `fail` is a function (message, document, position) that raises. */
Value json_loads(GenVM *vm, Value *args);     /* (document, strict, fail) -> value */
Value json_scan_once(GenVM *vm, Value *args); /* (document, index, strict, fail) -> (value, end) */
Value json_scan_string(GenVM *vm, Value *args); /* the same, behind an opening quote */
Value json_scan_number(GenVM *vm, Value *args); /* (document, index) -> (text, is real) or None */

#endif
