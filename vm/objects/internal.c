/* internal.c - types that no script sees as such: storage buffers, and the layout of natively implemented types that
 * modules and hosts define (their classes are made by type_new_native from this layout).
 */
#include "vm/vm.h"

const BuiltinType buffer_type = {
    .name = "buffer",
    .base = TYPE_OBJECT,
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Buffer),
    .doc = "Growable storage of the engine.",
};

const BuiltinType host_type = {
    .name = "native",
    .base = TYPE_OBJECT,
    .flags = TYPE_NO_NEW,
    .size = sizeof(HostObject),
    .doc = "The layout of natively implemented types.",
};
