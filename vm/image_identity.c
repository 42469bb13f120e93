/* image_identity.c - the numbers of objects that a task or a VM has asked for, by id() or as a
 * hash, behind the root of its image: count, (record less the one before, number)... So what was
 * computed from them before, a hash, a set's order, a dict by id(), is as true on the other side.
 */
#include "vm/identity.h"
#include "vm/image_private.h"

static bool is_identified(const ImageRecord *record) {
    return record->object->gc & GC_IDENTIFIED;
}

void image_put_identities(ImageWriter *w) {
    uint32_t count = 0, last = 0;
    for (uint32_t i = 0; i < w->count; i++)
        count += is_identified(&w->records[i]);
    image_put_number(w->out, count);
    for (uint32_t i = 0; i < w->count; i++) {
        if (!is_identified(&w->records[i])) continue;
        image_put_number(w->out, i - last);
        image_put_number(w->out, identity_of(w->vm, w->records[i].object));
        last = i;
    }
}

bool image_get_identities(ImageReader *r) {
    uint64_t count, record = 0;
    if (!image_get_count(r, &count, 2)) return false;
    if (count && !identities_reserve(r->vm, count)) return false;
    for (uint64_t i = 0; i < count; i++) {
        record += image_get_number(r);
        uint64_t identity = image_get_number(r);
        if (r->vm->exception != VALUE_UNSET) return false;
        if (record >= r->count) return image_bad(r, "a number of no record");
        identities_give(r->vm, r->objects[record], identity);
    }
    return true;
}
