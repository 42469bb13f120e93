/* text_natives.c - what the twins of the text types (stdlib/prelude/text.gen) need of the hidden
 * module _engine. */
#include "vm/objects/text.h"

static Value str_of(GenVM *vm, Value *args) {
    return str_of_class(vm, type_from(args[0]), args[1]);
}
static Value bytes_of(GenVM *vm, Value *args) {
    return bytes_of_class(vm, type_from(args[0]), args[1]);
}

extern const NativeDef engine_text_natives[];
const NativeDef engine_text_natives[] = {
    {"str_of(cls, text: str, /)", str_of, "The text as an instance of cls, str or a subclass."},
    {"bytes_of(cls, data: bytes, /)", bytes_of,
     "The data as an instance of cls, bytes or a subclass."},
    {"format_parse(template: str, /)", str_fields_parse,
     "[(literal, field name, spec, conversion)]"},
    {"format_split(name: str, /)", str_fields_split, "(first, [(is attribute, key)])"},
    {"bytes_fields(template, /)", bytes_format_fields,
     "(template without keys, [(key or None, conversion)])"},
    {NULL, NULL, NULL},
};
