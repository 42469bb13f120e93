/* image_private.h - what the files that write and read images share: the state of a writer and of a
 * reader, and the four functions of every kind of record in image.def:
 *
 *     save_X_shell, save_X_body    append to the shells and to the bodies; what they mention with
 *                                  image_put_value is given a number and saved later
 *     load_X_shell                 the object, allocated and safe to trace; NULL: refused
 *     load_X_body                  fills it; false: refused
 *
 * Refused means that an exception is pending. A body may refer to any record, whose own body may
 * not have been read: it checks kinds and classes, which shells settle, and leaves what lies deeper
 * to the checks that run after all bodies (image_check_later).
 */
#ifndef GEN_IMAGE_PRIVATE_H
#define GEN_IMAGE_PRIVATE_H

#include "vm/code.h"
#include "vm/generator.h"
#include "vm/image.h"
#include "vm/objects/containers.h"

enum { IMAGE_HASH_SIZE = 16 };

typedef enum ImageTag {
#define IMAGE(tag, prefix) IMAGE_##tag,
#include "vm/image.def"
#undef IMAGE
    IMAGE_TAG_COUNT
} ImageTag;

typedef enum ImageConstant { /* written as they are: append only */
                             CONSTANT_NONE,
                             CONSTANT_FALSE,
                             CONSTANT_TRUE,
                             CONSTANT_NOT_IMPLEMENTED,
                             CONSTANT_ELLIPSIS,
                             CONSTANT_UNSET,
                             CONSTANT_COUNT
} ImageConstant;

/* ---- bytes being written ---- */

typedef struct ImageBytes {
    uint8_t *data; /* `first`, or memory_new's */
    GenVM *vm;
    size_t size, capacity;
    bool failed;                /* no memory */
    struct FrozenNames *frozen; /* image_code.c: code is written in the frozen form; else NULL */
    uint8_t first[1024];
} ImageBytes;

void image_bytes_init(ImageBytes *bytes, GenVM *vm);
void image_bytes_free(ImageBytes *bytes);
uint8_t *image_put_room(ImageBytes *bytes, size_t size); /* NULL: failed */
void image_put(ImageBytes *bytes, const void *data, size_t size);
void image_put_text(ImageBytes *bytes, Value str);       /* length and UTF-8 */
void image_put_long(ImageBytes *bytes, uint64_t number); /* 8 bytes */
void image_put_number_slowly(ImageBytes *bytes, uint64_t number);
static inline void image_put_byte(ImageBytes *bytes, uint8_t byte) {
    if (likely(bytes->size < bytes->capacity))
        bytes->data[bytes->size++] = byte;
    else
        image_put(bytes, &byte, 1);
}
static inline void image_put_number(ImageBytes *bytes, uint64_t number) {
    if (likely(number < 128))
        image_put_byte(bytes, (uint8_t)number);
    else
        image_put_number_slowly(bytes, number);
}
static inline uint64_t image_zigzag(int64_t i) {
    return (uint64_t)i << 1 ^ (uint64_t)(i >> 63);
}

/* ---- writing ---- */

typedef struct ImageRecord {
    Object *object;
    Object *name;  /* MODULE_REF and the like: what they are called; else NULL */
    uint32_t from; /* the record that mentioned it first: the way back to the root */
    uint8_t tag;
    bool late; /* its body comes after all others: GLOBALS */
} ImageRecord;

typedef struct ImageGlobals { /* a namespace of which only some names are saved */
    uint32_t record;
    bool whole;
    uint64_t *wanted; /* a bit for each entry of the dict */
} ImageGlobals;

typedef struct ImageLibraryValue { /* an object that is a global of a module of the library */
    const Object *object;
    const Module *module;
    Value name;
} ImageLibraryValue;

typedef struct ImageRunning { /* a generator in the frames of a task that is saved */
    const Generator *generator;
    uint32_t word; /* where it stands */
} ImageRunning;

typedef struct ImageWriter {
    GenVM *vm;
    ImageBytes shells, bodies, needs;
    ImageBytes *out; /* where values go: shells or bodies */
    ImageRecord *records;
    uint32_t count, capacity;
    uint32_t *index; /* open addressing by address: record number + 1 */
    uint32_t index_mask;
    uint32_t current; /* the record that is being written */
    ImageGlobals *globals;
    uint32_t globals_count, globals_capacity;
    Object **needed; /* modules noted in `needs` */
    uint32_t needed_count, needed_capacity;
    ImageLibraryValue *library; /* open addressing; NULL until wanted */
    uint64_t library_mask, library_count;
    ImageRunning *running;
    uint32_t running_count, running_capacity;
    const struct Task *task; /* that is saved; NULL: a value is */
    const Object *root_task; /* the task that is saved, or NULL */
    struct Threads *threads; /* of the task */
    Value loading;           /* list: names of modules of the library whose import is under way */
    bool whole;              /* namespaces are saved whole */
    bool clears;             /* registers that are not saved are cleared: see image_finalize.c */
    bool settled, leaves;    /* see image_leaves_some, and what that has told */
    bool weak;               /* there are weak references */
    bool script_hashes;      /* a table holds hashes that script code computed */
    bool failed;             /* an exception is pending */
    ImageRecord first_records[32];
    uint32_t first_index[128];
} ImageWriter;

void image_put_value_slowly(ImageWriter *w, Value v);
void image_put_value(ImageWriter *w, Value v);
void image_put_pointer(ImageWriter *w, const void *object); /* NULL: UNSET */
uint32_t image_number_of(ImageWriter *w, Object *object);   /* discovers it */
/* Has it a record, or goes by name, and gets one that has an empty body. */
bool image_is_known(ImageWriter *w, Object *object);
void image_put_class(ImageWriter *w,
                     const Object *object); /* its class: 0 where that is the builtin */
void image_refuse(ImageWriter *w, Object *object, const char *reason); /* TypeError with the path */
void image_want_globals(ImageWriter *w, Dict *globals, const Code *code);
void image_need_module(ImageWriter *w, Value name);
bool image_is_loading(const ImageWriter *w, Value name); /* see ImageWriter.loading */

/* ---- reading ---- */

typedef struct ImagePending { /* a table whose keys could not be hashed yet */
    uint32_t record;
    uint8_t state;     /* of a frozenset: 0 to do, 1 being done, 2 done */
    const uint8_t *at; /* its body */
} ImagePending;

typedef struct ImageStack {     /* frames that are being loaded */
    struct TaskState *state;    /* whose they become */
    struct Thread *thread;      /* of a thread that does not run; NULL: the task's own */
    const uint8_t *at;          /* where they are told */
    struct LoadedFrame *frames; /* the innermost first */
    uint64_t count;
    bool calling; /* the innermost is at a call that lacks its result */
    bool threads; /* at its bottom is a thread's end, not the host */
} ImageStack;

typedef enum ImageNames { /* what goes by name */
                          IMAGE_NAMES_TYPES,
                          IMAGE_NAMES_NATIVES,
                          IMAGE_NAMES_LIBRARY,
                          IMAGE_NAMES_COUNT
} ImageNames;

typedef struct ImageReader {
    GenVM *vm;
    const uint8_t *at, *end, *start;
    Object **objects; /* by number; in a Buffer that the reader holds */
    uint8_t *tags;
    uint32_t count;           /* of records in the image */
    uint32_t made;            /* shells read so far */
    uint32_t current;         /* record whose shell or body is being read */
    bool weak;                /* there are weak references */
    const uint8_t *finalized; /* where the objects that were finalized stand; or NULL */
    bool same_hashes;         /* the VM that saved had the same hash key */
    bool moved_tables;        /* a set is not laid out as it was */
    Tuple *frozen; /* not NULL: names of frozen code; it is the library's own, and not verified */
    ImagePending *pending;
    uint32_t pending_count, pending_capacity;
    ImageRoot root;
    struct Task *task; /* as far as one was met: it comes to life last */
    uint8_t task_status;
    const uint8_t *task_threads; /* where they are told */
    ImageStack *stacks;          /* the task's own first, once all is loaded */
    uint32_t stack_count, stack_capacity;
    uint64_t running;  /* generators that are in the task's frames, by their records */
    uint64_t work;     /* what may still be spent on the hashing of keys */
    Value host_states; /* list: what each of the host's objects gets when all is there; UNSET */
    uint64_t host_next;
    Value missing; /* list: what the image names and this VM has not; UNSET: nothing so far */
    Value names[IMAGE_NAMES_COUNT]; /* lists of what it names, for image_inspect; else UNSET */
    Value additions; /* list: see image_shared.c; UNSET: the VM keeps nothing of its own */
} ImageReader;

bool image_bad(ImageReader *r, const char *format, ...); /* ValueError; false */
/* What a check of code.h has found in that of which `code` is; false. */
bool image_bad_code(ImageReader *r, const char *what, const Code *code, const char *message);
/* Notes that something named is not there: the shell is then that of any object of the kind, and
 * the image is refused when all that is missing is known. */
void image_miss(ImageReader *r, const char *format, ...);
uint64_t image_get_number(ImageReader *r); /* 0 at the end: check r->at and vm->exception later */
bool image_get_u32(ImageReader *r, uint32_t *out);
bool image_get_count(ImageReader *r, uint64_t *out,
                     size_t least); /* each item takes `least` bytes */
bool image_get_long(ImageReader *r, uint64_t *out);
bool image_get_bytes(ImageReader *r, const uint8_t **data, size_t size);
bool image_get_name(ImageReader *r, Value *name); /* interned str */
bool image_get_value(ImageReader *r, Value *out); /* not UNSET */
bool image_get_optional(ImageReader *r, Value *out);
bool image_get_kind(ImageReader *r, TypeId kind, Value *out);   /* an object of that kind */
bool image_get_pointer(ImageReader *r, TypeId kind, void *out); /* Object **: NULL where UNSET */
bool image_get_object(ImageReader *r, TypeId kind, void *out);  /* not NULL */
bool image_get_class(ImageReader *r, TypeId kind, Type **out);  /* of an object of that kind */
bool image_check_text(const uint8_t *data, size_t size);        /* UTF-8, surrogates allowed */

#define IMAGE(tag, prefix)                                                                         \
    void save_##prefix##_shell(ImageWriter *w, Object *object);                                    \
    void save_##prefix##_body(ImageWriter *w, Object *object);                                     \
    Object *load_##prefix##_shell(ImageReader *r);                                                 \
    bool load_##prefix##_body(ImageReader *r, Object *object);
#include "vm/image.def"
#undef IMAGE

/* image_values.c: the attributes of instances of subclasses of builtin types, as far as there are.
 */
void image_put_extra(ImageWriter *w, Object *object);
bool image_get_extra(ImageReader *r, Object *object);

/* image_names.c: is it the name of a module that a VM has by itself */
bool image_is_library(GenVM *vm, Value name);
bool image_is_always_there(Value name); /* or is made without an import */
/* what goes by name. The tag and the name's module, or false. */
Type *image_native_owner(const Object *native);         /* NULL: a function of a module */
bool image_is_native_type(GenVM *vm, const Type *type); /* goes by name, and its methods do */
bool image_is_library_value(ImageWriter *w, Object *object);
bool image_is_library_global(ImageWriter *w, Object *object); /* a class or function, beyond that */
bool image_library_place(GenVM *vm, Object *object, ImageTag *tag, Value *module_name);

/* image_engine.c: the number of the engine's tables; the sum at the end of an image */
uint64_t image_engine(GenVM *vm);
bool image_is_library_class(const ImageWriter *w, Type *type); /* it goes by its name */
uint64_t image_checksum(const uint8_t *data, size_t size);
/* image_save.c: tells VMs with other keys for hashes */
uint64_t image_hash_check(GenVM *vm);

/* image_names.c: the module of that name as far as it is there, those of the engine made if they
 * are not; VALUE_UNSET; or VALUE_ERROR. */
Value image_present_module(GenVM *vm, Value name);

/* image_modules.c: what of the library's namespaces is not as it was; a list, which names the
 * modules in the writer's needs */
bool image_is_original(const Module *module, Value name, Value value);
/* Is that its own name, not one that another module has in sys.modules (os.path). A module whose
 * import an image interrupted has its name from there, and not the string that is the key. */
bool image_is_called(const Module *module, Value name);
Value image_module_changes(ImageWriter *w);
Value image_sys_list(ImageWriter *w, const Object *list);
bool image_check_changes(ImageReader *r, Value list);
bool image_take_changes(GenVM *vm, Value list);
/* What scripts have set on the library's classes, a list likewise */
Value image_class_changes(ImageWriter *w);
bool image_check_class_changes(Value list);
bool image_take_class_changes(GenVM *vm, const List *list);

/* image_state.c */
Value image_state(ImageWriter *w, Value task_or_unset);
bool image_check_state(ImageReader *r, Value state);
bool image_take_state(GenVM *vm, Value state, struct Task *task_or_null);

/* image_code.c */
bool image_put_code(GenVM *vm, ImageBytes *out, Code *code); /* with its hash */
Code *image_get_code(ImageReader *r);
bool image_code_hash(GenVM *vm, Code *code, uint8_t hash[IMAGE_HASH_SIZE]);

/* image_fields.c */
uint32_t image_layout_version(GenVM *vm, const Type *type); /* of the fields of its objects; or 0 */
const ImageLayout *image_layout_of(GenVM *vm, const Object *object);
bool image_check_later(ImageReader *r); /* every object of a layout with a check */

/* image_finalize.c: what waits to be finalized, if the task is alone in the VM: a list; does the
 * image that is written leave out what needs a finalizer (w->settled: after a collection); and the
 * objects that had theirs */
Value image_due(ImageWriter *w, Value task);
bool image_leaves_some(ImageWriter *w, Value task);
void image_put_finalized(ImageWriter *w);
bool image_get_finalized(ImageReader *r);    /* checks them */
void image_forget_finalized(ImageReader *r); /* when all is alive */
bool image_check_due(Value list);
bool image_take_due(GenVM *vm, Value list);

/* image_identity.c: the numbers of objects; not in images of values */
void image_put_identities(ImageWriter *w);
bool image_get_identities(ImageReader *r);

/* image_tables.c: dicts and sets are filled when all keys are there. */
bool image_fill_tables(ImageReader *r);
bool image_wait_for_keys(ImageReader *r, const uint8_t *at); /* the record being read, its body */
/* Computed, or `kept` where only script code could; false: refused. */
bool image_hash_of(ImageReader *r, Value key, uint64_t kept, uint64_t *hash);

/* image_frames.c: functions and generators against their code, when all is loaded. The last check:
 * behind it, what was loaded is alive. */
bool image_check_frames(ImageReader *r, Value *root);
bool image_take_root(ImageReader *r, Value *root); /* image_load.c: what the caller gets of it */

/* image_task.c */
bool image_note_running(ImageWriter *w, Object *task);
/* The names of the library's modules that are being imported in its frames: a list. */
Value image_loading_modules(GenVM *vm, Value task_or_unset);
/* Is an import statement under way in one of the threads of the task? */
bool image_is_importing(GenVM *vm, Value task_or_unset);
void image_put_frames(ImageWriter *w, const struct TaskState *state);
/* Reads over frames, and remembers them for image_build_task; `thread`: as in ImageStack. */
bool image_note_frames(ImageReader *r, struct TaskState *state, struct Thread *thread);
uint32_t image_other_word(const Code *code, uint32_t word);
/* Is the register a variable there, which scripts can see by its name (locals(), eval()). */
bool image_is_variable(const Code *code, uint32_t reg, uint32_t word);
/* Is it the iterator of a loop there, which an exception that leaves the loop may close. */
bool image_is_looped(const Code *code, uint32_t reg, uint32_t word);
bool image_build_task(ImageReader *r); /* checks; nothing is alive yet */
void image_start_task(ImageReader *r); /* cannot fail */

/* image_threads.c: the threads of the task that is saved; of the one that is loaded, first what
 * they are, before their frames are looked at, then their coming to life, which cannot fail */
void image_put_threads(ImageWriter *w);
bool image_pass_threads(ImageReader *r);
/* The registers of a RETURN_AGAIN frame: written, passed, read and checked. */
void image_put_again(ImageWriter *w, const Value *registers);
bool image_pass_again(ImageReader *r);
bool image_get_again(ImageReader *r, Value *registers);
bool image_build_threads(ImageReader *r);
void image_start_threads(ImageReader *r);

/* image_frames.c: registers; and generators that are being loaded. `reg` is the register before, at
 * first 0; *more is set to false at the end. */
void image_put_register(ImageWriter *w, const Code *code, uint32_t distance, Value v);
bool image_get_register(ImageReader *r, const Code *code, uint32_t *reg, Value *regs, bool *more);
GeneratorState image_generator_state(const Generator *generator);
Value image_generator_delegate(const Generator *generator); /* of one that delegates */

/* image_shared.c */
bool image_is_shared(const ImageReader *r);
bool image_is_global_key(Value key); /* may it stand in the namespace of a module of a script */
Dict *image_shared_globals(ImageReader *r, Value name, bool *found);
bool image_shared_global(ImageReader *r, Dict *dict, Value name, Value value);
Type *image_shared_class(ImageReader *r, Type *type, Value module, Value qualname);
Value image_load_with(GenVM *vm, const uint8_t *data, size_t size, Value additions);

/* image_custom.c */
bool image_is_custom(GenVM *vm, const Object *object);
bool image_check_custom(ImageReader *r);
bool image_is_host_type(GenVM *vm, const Type *type);

/* image_weak.c: the targets of weak references, behind all bodies; and the references take up
 * their work, at the end */
void image_put_targets(ImageWriter *w);
bool image_get_targets(ImageReader *r);
bool image_take_weakrefs(ImageReader *r);

/* image_files.c: what cannot fail, of files that are loaded */
void image_take_files(ImageReader *r);

/* image_class.c */
bool image_finish_classes(ImageReader *r);
bool image_place_classes(ImageReader *r);
bool image_fill_class(ImageReader *r, Type *type);

#endif
