/* image_custom.h - for types whose objects are more than fields: how they are written to images and
 * read back. TypeSlots.custom names the functions; image_private.h has what they call.
 *
 * The shell is what it takes to allocate the object, without any other value; the body its values,
 * which may not be whole yet when they are read; `check` runs when all is there. Each returns false
 * (or NULL) with an exception pending, by image_bad, where the bytes cannot be right: the object is
 * then dropped, so it must be safe to trace and to finalize from the shell on.
 */
#ifndef GEN_IMAGE_CUSTOM_H
#define GEN_IMAGE_CUSTOM_H

#include "vm/image_private.h"

typedef struct ImageCustom {
    uint32_t version; /* of what the functions write; from 1 */
    void (*save_shell)(ImageWriter *w, Object *object);
    void (*save_body)(ImageWriter *w, Object *object);
    Object *(*load_shell)(ImageReader *r, Type *type);
    bool (*load_body)(ImageReader *r, Object *object);
    bool (*check)(ImageReader *r, Object *object);
} ImageCustom;

/* Reads what image_put_number and image_put of a length have written. */
bool image_get_block(ImageReader *r, const uint8_t **data, size_t *size);

#endif
