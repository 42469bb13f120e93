/* image_natives.c - the part of module _engine with which the library saves and loads
 * (snapshot.gen). */
#include "vm/engine_module.h"
#include "vm/generator.h"
#include "vm/image.h"
#include "vm/objects.h"

static Value save(GenVM *vm, Value *args) {
    return image_save_value(vm, args[0]);
}

/* The bytes may be a bytearray's, which nothing changes while an image is read. */
static bool bytes_of(GenVM *vm, Value v, const uint8_t **data, size_t *size) {
    if (bytes_view(vm, v, data, size)) return true;
    raise_type(vm, "a bytes-like object is required, not '%T'", v);
    return false;
}

static Value load(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    return bytes_of(vm, args[0], &data, &size) ? image_load_value(vm, data, size) : VALUE_ERROR;
}

static Value load_shared(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    return bytes_of(vm, args[0], &data, &size) ? image_load_shared(vm, data, size) : VALUE_ERROR;
}
static Value needs(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    return bytes_of(vm, args[0], &data, &size) ? image_needs(vm, data, size) : VALUE_ERROR;
}

static Value imports(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    return bytes_of(vm, args[0], &data, &size) ? image_imports(vm, data, size) : VALUE_ERROR;
}

static Value inspect(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    return bytes_of(vm, args[0], &data, &size) ? image_inspect(vm, data, size) : VALUE_ERROR;
}

static Value fork_of(GenVM *vm, Value *args) {
    return generator_fork(vm, args[0]);
}

const NativeDef engine_image_natives[] = {
    {"image_save(value, /)", save, "An image of the value and all it reaches, as bytes."},
    {"image_load(image, /)", load, "The value of an image, whose modules are imported."},
    {"image_load_shared(image, /)", load_shared,
     "The same; the VM keeps the modules and classes of the user that it has."},
    {"image_needs(image, /)", needs, "The names of the modules that must be imported before."},
    {"image_imports(image, /)", imports, "Those of them that are not imported yet."},
    {"image_inspect(image, /)", inspect, "What an image holds, as a dict, without loading it."},
    {"generator_fork(generator, /)", fork_of,
     "A second generator at the same place: what copy.copy() of a generator is."},
    {NULL, NULL, NULL},
};
