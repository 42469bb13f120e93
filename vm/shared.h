/* shared.h - what all virtual machines of a process have in common: the builtin types, the names
 * that the engine knows, one-character strings, the functions of builtins and sys, and with what
 * these two modules begin.
 *
 * These objects are constants. They are made once, before the first VM, and their pages are
 * read-only from then on; no collector marks them (GC_PERMANENT), so that a VM costs neither the
 * time nor the memory of them. What a VM knows about one of them is in the VM:
 *
 *     the hash of a string, which depends on the VM's key     vm->shared_hashes, see str_hash
 *     what was asked of a builtin type: its dict and so on     vm->type_states, see type_state
 *     the parsed signature of a shared function                vm->shared_signatures, see native.c
 */
#ifndef GEN_SHARED_H
#define GEN_SHARED_H

#include "vm/continue.h"
#include "vm/objects.h"
#include "vm/type.h"

/* Room for a text: names are shorter. A VM interns longer ones for itself. */
enum { SHARED_TEXT_SIZE = 40 };
typedef struct SharedStr {
    Str str;
    char text[SHARED_TEXT_SIZE];
} SharedStr;

/* The key of hashes where the host asks for no other: their hashes of the shared strings are known.
 */
enum { SHARED_KEY_0 = 0x6765, SHARED_KEY_1 = 0x6e21 };

enum { SHARED_STRS_MOST = 896, SHARED_INDEX_SIZE = 2048 };
enum { SHARED_NATIVES_MOST = 96, SHARED_ENTRIES_MOST = 232 };

/* With what a module begins: its VM copies that into the module's dict (module_new_shared). */
typedef struct SharedModule {
    Value name;
    const DictEntry *entries; /* their hashes under the key above */
    uint32_t count;
    Tuple *original; /* of builtins: Module.original while nobody has changed it */
} SharedModule;

/* What the library adds, if it is there: builtins.open, and the functions of sys. */
typedef struct SharedLibrary {
    const NativeDef *open, *sys; /* `sys` ends with {NULL} */
} SharedLibrary;
const SharedLibrary *shared_library(void); /* of stdlib/sys.c; NULL without it */

/* The module, with room for so many names more. */
Value module_new_shared(GenVM *vm, const SharedModule *from, uint32_t more);

typedef struct Shared {
    SharedStr strs[SHARED_STRS_MOST];
    uint64_t hashes[SHARED_STRS_MOST];  /* under the key above */
    uint16_t index[SHARED_INDEX_SIZE];  /* open addressing by text: place in strs + 1 */
    uint8_t specials[SHARED_STRS_MOST]; /* the Special of that name, or SPECIAL_COUNT */
    uint32_t str_count;
    Value characters[256]; /* one-character strings of Latin-1 */
    Value names[NAME_COUNT];
    Value special_names[SPECIAL_COUNT];
    Value empty_str, empty_tuple;
    Type types[TYPE_COUNT];
    Type *type_pointers[TYPE_COUNT];
    ContinueStubs stubs;
    Shape shapes[TYPE_COUNT]; /* the roots of the builtin types */
    NativeFunction natives[SHARED_NATIVES_MOST];
    uint32_t native_count;
    Quitter quitters[2];
    DictEntry entries[SHARED_ENTRIES_MOST]; /* of both modules */
    SharedModule builtins, sys;
    Value import_function, next_function, len_function; /* of builtins */
} Shared;

const Shared *shared_get(void); /* makes it the first time; from any thread */

Str *shared_find(const Shared *shared, const char *text, size_t size); /* NULL: it has no such */

static inline bool is_shared(const Object *object) {
    return object->gc & GC_PERMANENT;
}
static inline size_t shared_number(const Shared *shared, const Str *str) {
    return (size_t)((const SharedStr *)str - shared->strs);
}

#endif
