/* site_cache.c - a small direct-mapped table behind the attribute instructions. See site_cache.h.
 */
#include "vm/site_cache.h"
#include "vm/memory.h"
#include "vm/vm.h"

enum { SITE_COUNT = 256 };

typedef struct Site {
    Value name;
    uint32_t shape, epoch;
} Site;

typedef struct SiteCache {
    Site get_sites[SITE_COUNT], store_sites[SITE_COUNT];
    AttributeLookup gets[SITE_COUNT];
    AttributeStore stores[SITE_COUNT];
} SiteCache;

static inline uint32_t place(uint32_t shape, Value name) {
    return (shape * 31 + (uint32_t)(name >> 4)) % SITE_COUNT;
}

static inline bool is_here(GenVM *vm, const Site *site, uint32_t shape, Value name) {
    return site->name == name && site->shape == shape && site->epoch == vm->method_epoch;
}

/* The table; NULL when there is no memory for it, which only costs time. */
static SiteCache *table(GenVM *vm) {
    if (unlikely(!vm->site_cache)) vm->site_cache = memory_new_zeroed(vm, 1, sizeof(SiteCache));
    return vm->site_cache;
}

bool site_lookup(GenVM *vm, Value object, Value name, AttributeLookup *lookup) {
    SiteCache *cache = is_kind(object, TYPE_OBJECT) ? table(vm) : NULL;
    if (!cache) return attribute_lookup_cacheable(vm, object, name, lookup);
    uint32_t shape = as_object(object)->shape, at = place(shape, name);
    if (likely(is_here(vm, &cache->get_sites[at], shape, name))) {
        *lookup = cache->gets[at];
        return true;
    }
    if (!attribute_lookup_cacheable(vm, object, name, lookup)) return false;
    if (lookup->kind == ATTR_ENTRY) return true;
    cache->get_sites[at] = (Site){name, shape, vm->method_epoch};
    cache->gets[at] = *lookup;
    return true;
}

bool site_store(GenVM *vm, Value object, Value name, AttributeStore *store) {
    SiteCache *cache = table(vm);
    if (!cache) return attribute_store_cacheable(vm, object, name, store);
    uint32_t shape = as_object(object)->shape, at = place(shape, name);
    if (likely(is_here(vm, &cache->store_sites[at], shape, name))) {
        *store = cache->stores[at];
        return true;
    }
    if (!attribute_store_cacheable(vm, object, name, store)) return false;
    cache->store_sites[at] = (Site){name, shape, vm->method_epoch};
    cache->stores[at] = *store;
    return true;
}

void site_cache_free(GenVM *vm) {
    memory_free(vm->site_cache);
    vm->site_cache = NULL;
}
