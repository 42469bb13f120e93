/* image_engine.c - what an image takes for granted of the engine that reads it, as one number: the
 * instruction set, continuations, resumable natives, special methods and kinds of records, by their
 * places in their tables.
 *
 * Code, frames and registers in an image are numbers out of these tables. An engine with other
 * tables would read something else, so it refuses.
 */
#include "vm/image_private.h"

static const char tables[] =
#define OP(name, words, format) #name " " #words " " format ";"
#include "vm/opcodes.def"
#undef OP
#define RETURN(id, registers) #id " " #registers ";"
#include "vm/returns.def"
#undef RETURN
#define RESUME(id, function, check) #id ";"
#include "vm/resumes.def"
#undef RESUME
#define SPECIAL(id, name) #id ";"
#include "vm/specials.def"
#undef SPECIAL
#define IMAGE(tag, prefix) #tag ";"
#include "vm/image.def"
#undef IMAGE
    ;

uint64_t image_engine(GenVM *vm) {
    if (!vm->image_engine)
        vm->image_engine = image_checksum((const uint8_t *)tables, sizeof tables - 1);
    return vm->image_engine;
}
