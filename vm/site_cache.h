/* site_cache.h - what attribute instructions find out, remembered for all of them: the second
 * chance of a site that meets objects of several shapes in turn, whose own cache therefore misses.
 * Keyed by shape, name and vm->method_epoch, so an entry is right as long as it is found. Instances
 * of classes only.
 */
#ifndef GEN_SITE_CACHE_H
#define GEN_SITE_CACHE_H

#include "vm/type.h"

bool site_lookup(GenVM *vm, Value object, Value name,
                 AttributeLookup *lookup); /* attribute_lookup_cacheable */
bool site_store(GenVM *vm, Value object, Value name,
                AttributeStore *store); /* attribute_store_cacheable */
void site_cache_free(GenVM *vm);

#endif
