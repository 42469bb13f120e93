/* text_natives.c - what the twins of the text types (stdlib/prelude/text.gen) need of the hidden
 * module _engine. */
#include "vm/objects/text.h"
#include "vm/objects/unicode_names.h"

static Value str_of(GenVM *vm, Value *args) {
    if (!type_makes(vm, args[0], TYPE_STR)) return VALUE_ERROR;
    return str_of_class(vm, type_from(args[0]), args[1]);
}
static Value bytes_of(GenVM *vm, Value *args) {
    if (!type_makes(vm, args[0], TYPE_BYTES)) return VALUE_ERROR;
    return bytes_of_class(vm, type_from(args[0]), args[1]);
}

/* codec_name(encoding): its usual name; None for one that the engine does not know */
static Value codec_name_of(GenVM *vm, Value *args) {
    const char *name = str_c_whole(vm, args[0]);
    if (!name) return VALUE_ERROR;
    if (!codec_is_native(name)) return VALUE_NONE;
    return str_from(vm, codec_name(codec_find(vm, name)));
}

/* character_named(name): the character, or None */
static Value character_named(GenVM *vm, Value *args) {
    const Str *name = AS_STR(args[0]);
    if (!native_charge(vm, UNICODE_NAME_STEPS)) return VALUE_ERROR;
    int64_t found = unicode_name_find(name->data, name->size);
    if (found < 0) return VALUE_NONE;
    StrBuilder out;
    builder_init(&out, vm);
    builder_put_char(&out, (uint32_t)found);
    return builder_finish(&out);
}

/* in_pieces(data): is it bytes of a task, which is to be able to stop before all of them are done?
 */
static Value in_pieces(GenVM *vm, Value *args) {
    const uint8_t *data;
    size_t size;
    return bool_value(vm->task && bytes_view(vm, args[0], &data, &size));
}

extern const NativeDef engine_text_natives[];
const NativeDef engine_text_natives[] = {
    {"codec_name(encoding: str, /)", codec_name_of, NULL},
    {"character_named(name: str, /)", character_named, NULL},
    {"str_of(cls: type, text: str, /)", str_of,
     "The text as an instance of cls, str or a subclass."},
    {"bytes_of(cls: type, data: bytes, /)", bytes_of,
     "The data as an instance of cls, bytes or a subclass."},
    {"format_parse(template: str, /)", str_fields_parse,
     "[(literal, field name, spec, conversion)]"},
    {"format_split(name: str, /)", str_fields_split, "(first, [(is attribute, key)])"},
    {"bytes_fields(template, /)", bytes_format_fields,
     "(template without keys, [(key or None, conversion)])"},
    {"in_pieces(data, /)", in_pieces, NULL},
    {NULL, NULL, NULL},
};
