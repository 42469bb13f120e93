/* internal.c - types that scripts never meet as such: growable storage, and the root of natively
 * implemented types that modules and hosts bring. */
#include "vm/type_private.h"

const BuiltinType buffer_type = {
    .name = "buffer",
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(Buffer),
};

const BuiltinType host_type = {
    .name = "native",
    .flags = TYPE_FINAL | TYPE_NO_NEW,
    .size = sizeof(HostObject),
};
