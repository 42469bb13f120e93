/* library.h - shared libraries that a module loads when it is imported: what is not linked costs no
 * process anything that does not use it.
 */
#ifndef GEN_STDLIB_LIBRARY_H
#define GEN_STDLIB_LIBRARY_H

#include "vm/vm.h"

typedef struct Library {
    const char *const *files; /* names to try, ends with NULL */
    const char *const *names; /* of its functions, ends with NULL */
} Library;

/* Writes the addresses of the functions, in their order, over `functions`, a structure of that many
 * pointers. False: ImportError is pending. The library stays loaded until the process ends. */
bool library_load(GenVM *vm, const Library *library, void *functions);

#endif
