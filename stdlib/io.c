/* io.c - the module _io: file types and open(), for stdlib/io.gen, which makes the module io of
 * them.
 */
#include "stdlib/modules.h"
#include "vm/file.h"
#include "vm/objects.h"

static bool set(GenVM *vm, Dict *dict, const char *name, Value v) {
    Value key = str_intern_from(vm, name, strlen(name));
    return v != VALUE_ERROR && key != VALUE_ERROR && dict_set_str(vm, dict, key, v);
}

static Value text_encoding(GenVM *vm, Value *args) {
    return args[0] == VALUE_NONE ? str_from(vm, "locale") : args[0];
}

static const NativeDef functions[] = {
    {"text_encoding(encoding, stacklevel=2, /)", text_encoding, "The encoding, or 'locale'."},
    {NULL, NULL, NULL},
};

static bool init(GenVM *vm, Module *module) {
    static const TypeId types[] = {
        TYPE_FILE_RAW, TYPE_BUFFERED_READER, TYPE_BUFFERED_WRITER, TYPE_BUFFERED_RANDOM,
        TYPE_FILE,     TYPE_BYTES_IO,        TYPE_STRING_IO};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!set(vm, module->dict, vm->types[types[i]]->def->name,
                 object_value(vm->types[types[i]])))
            return false;
    Value open = dict_get_str(vm, vm->builtins, str_intern_from(vm, "open", 4));
    return set(vm, module->dict, "open", open) &&
           set(vm, module->dict, "DEFAULT_BUFFER_SIZE", int_value(131072)) &&
           set(vm, module->dict, "UnsupportedOperation", file_unsupported_class(vm)) &&
           set(vm, module->dict, "BlockingIOError", object_value(vm->types[EXC_BLOCKING_IO_ERROR]));
}

const NativeModule io_module = {"_io", functions, init};
