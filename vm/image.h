/* image.h - images: values, suspended generators and tasks as bytes, and back.
 *
 * THE FORMAT, version 4. Numbers are varints (seven bits a byte, the low ones first, the top bit
 * says "more"); what is written as fixed bytes is little-endian. Nothing depends on addresses
 * but the numbers of objects that a script has asked for.
 *
 *     magic        7f 47 65 6e 49 6d 67 0a ("\x7fGenImg\n")
 *     version      varint: IMAGE_VERSION; others are refused
 *     engine       8 bytes: a hash of the tables of the engine (image_engine.c): instructions,
 *                  continuations, resumable natives, special methods, kinds of records. Others are
 *                  refused
 *     root kind    varint: ImageRoot
 *     hash check   8 bytes: the hash of a fixed text under the VM's key; where it differs, the
 *                  hashes of sets' items are of no use
 *     needs        varint count, then as many names: the modules that must be imported before
 *                  loading. A name is a varint length and UTF-8
 *     records      varint count, then the shells of all records, then their bodies
 *     targets      a value for each weak reference (image_weak.c)
 *     root         a value
 *     numbers      of a task or a VM: the identities of objects (image_identity.c), and which of
 *                  them have been finalized (image_finalize.c)
 *     check        8 bytes: hash of all bytes before (accidents only: it is no signature)
 *
 * The root is the value itself; of a task a tuple of it, a list of the user's modules, and what is
 * set for the whole VM (image_state.c); of a VM the same with None for the task. An image of code
 * (ImageRoot) has after its needs one code, as in image_code.c.
 *
 * A record is an object, by number (from 0). Its shell is a tag (image.def) and what it takes to
 * allocate the object: its class, sizes, text; it refers only to records before it. Its body is
 * what the object refers to. So cycles need nothing special, and neither saving nor loading
 * recurses.
 *
 * A value is a varint v and perhaps more, by v & 3:
 *     0   record v >> 2               2   constant v >> 2: ImageConstant
 *     1   int, zigzag, v >> 2         3   float, 8 bytes of IEEE 754
 *
 * The bodies of namespaces (GLOBALS) come behind all others, in the order of their numbers. What a
 * shell and a body hold is written down at the two functions of each kind that write them: the
 * frames of tasks in image_task.c, their threads in image_threads.c, generators in image_frames.c,
 * classes in image_class.c, dicts and sets in image_tables.c, code in image_code.c, names in
 * image_names.c, the others in image_values.c; FIELDS are the fields of a table, in order
 * (ImageLayout).
 *
 * Code is written whole (constants, names and inner code within it, see image_code.c) and carries
 * the first 16 bytes of the SHA-256 of that; where a VM has code of that hash, the VM's own is
 * taken. Functions and classes of the library, natives and builtin types go by name and version: of
 * a function in Gen the hash of its code, of a native that of its signature, of a builtin type that
 * of the fields of its objects. Before anything else is read or run, all that is not there or is of
 * another version is listed in one ValueError.
 *
 * LOADING TRUSTS NOTHING. Every length is checked against the bytes that are left before memory is
 * asked for, every reference against the kind that its place needs, code is verified (verify.c),
 * a generator's registers must be what its code has at that place, and those of a native that waits
 * what its `check` (resumes.def) says. Any bytes give a value or a ValueError that says what is
 * wrong.
 */
#ifndef GEN_IMAGE_H
#define GEN_IMAGE_H

#include "vm/vm.h"

enum { IMAGE_VERSION = 4 };

typedef enum ImageRoot {
    IMAGE_ROOT_VALUE,
    IMAGE_ROOT_TASK,
    IMAGE_ROOT_VM,
    IMAGE_ROOT_CODE
} ImageRoot;

/* The bytes of an image of `value` and all it reaches: a bytes object. TypeError names the path to
 * what cannot be saved. Runs no script code. */
Value image_save_value(GenVM *vm, Value value);

/* The same of a stopped task together with the modules of the user (VALUE_UNSET: of these alone,
 * the whole state that a script can have made). Their namespaces are saved whole. */
Value image_save_task(GenVM *vm, Value task_or_unset);

/* The value of an image; of a task's the task, of a VM's None. The main module and the user's
 * modules that those bring along replace the VM's own. ValueError: the bytes are no image or a
 * damaged one; ImportError: a module in `needs` is not imported. Runs no script code. */
Value image_load_value(GenVM *vm, const uint8_t *data, size_t size);

/* The same for a VM that is one of several at the same work: of the user's modules and classes it
 * keeps what it has, and takes from the image what it has not (image_shared.c). */
Value image_load_shared(GenVM *vm, const uint8_t *data, size_t size);

/* What an image holds, without loading it: a dict with version, engine, root, modules, types,
 * natives, library (what goes by name), missing (what of that is not here), records, size. */
Value image_inspect(GenVM *vm, const uint8_t *data, size_t size);

/* The modules that must be there before image_load_value: a list of str. */
Value image_needs(GenVM *vm, const uint8_t *data, size_t size);
/* Those of them that are not there yet: ImportError names the ones that the library has not. */
Value image_imports(GenVM *vm, const uint8_t *data, size_t size);

/* Notes what the namespace of a module of the library is at first, so that changes of it are saved
 * with a task: at the end of its import; builtins and sys before the first code of the user. False
 * with MemoryError pending. */
bool image_keep_original(GenVM *vm, Module *module);
bool image_keep_builtins(GenVM *vm);
/* The attribute of a class of the library is about to change, after the import of its module. False
 * with MemoryError pending. */
bool image_note_change(GenVM *vm, Type *type, Value name);

/* Code in its serial form (image_code.c), as bytes, and back: how the library is frozen at build
 * time. What comes back is trusted and not verified: the bytes must be those that image_freeze_code
 * made, in a build of the same instructions. */
Value image_freeze_code(GenVM *vm, Value code);
Value image_thaw_code(GenVM *vm, const uint8_t *data, size_t size);

/* The table of codes by their contents: at the end of a collection it forgets those that are gone.
 */
void image_codes_sweep(GenVM *vm);
void image_codes_free(GenVM *vm);

/* ---- types whose objects are nothing but fields ---- */

typedef enum ImageFieldType {
    IMAGE_FIELD_END,
    IMAGE_FIELD_VALUE,    /* a Value */
    IMAGE_FIELD_OPTIONAL, /* a Value or VALUE_UNSET */
    IMAGE_FIELD_POINTER,  /* an Object * or NULL */
    IMAGE_FIELD_OBJECT,   /* an Object *, not NULL */
    IMAGE_FIELD_BYTE,     /* uint8_t, bool */
    IMAGE_FIELD_WORD,     /* uint32_t */
    IMAGE_FIELD_LONG,     /* 64 bits */
    IMAGE_FIELD_FLAGS,    /* Object.flags */
} ImageFieldType;

typedef struct ImageField {
    uint16_t offset;
    uint8_t type; /* ImageFieldType */
    uint8_t kind; /* the TypeId that a referred object must have; TYPE_NONE: any value */
} ImageField;

/* How objects of a type are saved: TypeSlots.image. `check` makes sure, when all is loaded, of what
 * the type's C code takes for granted; false: refused. */
typedef struct ImageLayout {
    uint32_t size;
    const ImageField *fields; /* ends with {0} */
    bool (*check)(GenVM *vm, Object *object);
    void (*before_save)(GenVM *vm, const Object *object, Object *copy); /* NULL, or adapts a copy */
} ImageLayout;

#define IMAGE_FIELD(Struct, member, field_type, object_kind)                                       \
    { offsetof(Struct, member), IMAGE_FIELD_##field_type, TYPE_##object_kind }

#endif
