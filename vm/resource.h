/* resource.h - something outside of the heap, wrapped in an object so that it is released with it.
 *
 *     Value v = resource_new(vm, "SSL context", context, release_context);
 *     SSL_CTX *context = resource_data(vm, v, "SSL context");
 *
 * `what` names the kind and is compared by address: use one static string for each. Scripts see an
 * opaque object; the classes of the library hold it. It refuses to be saved, by its name.
 */
#ifndef GEN_RESOURCE_H
#define GEN_RESOURCE_H

#include "vm/vm.h"

typedef struct Resource {
    Object header;
    const char *what;
    void *data; /* NULL once released */
    void (*release)(GenVM *vm, void *data);
    Value held; /* what must live as long as the resource does, VALUE_UNSET for nothing */
} Resource;

/* The new object owns `data`: on failure it is released at once, and VALUE_ERROR returned. */
Value resource_new(GenVM *vm, const char *what, void *data, void (*release)(GenVM *vm, void *data));

/* The data of a resource of that kind, NULL with an exception pending when it is another or
 * released. */
void *resource_data(GenVM *vm, Value v, const char *what);

/* Releases now what would be released with the object. */
void resource_release(GenVM *vm, Value v);

#endif
