/* image_save.c - the writer of images: numbering what is reached, the order of records, the path
 * that a refusal names, and the layout of the whole. What a record holds is told per kind, in the
 * other image_*.c files.
 *
 *     to do:  records[done ... count)   an object gets its number and its shell when it is
 * mentioned first, its body when its turn comes
 *
 * A class is numbered behind its bases and its metaclass, an instance behind its class, so that
 * shells refer backwards only. Namespaces of user modules come last: which of their names are
 * wanted is known when all code that is saved has been seen.
 */
#include "vm/image_private.h"
#include "vm/memory.h"
#include "vm/resource.h"
#include "vm/type_private.h"

#include <stdio.h>

static const uint8_t image_magic[8] = {0x7f, 'G', 'e', 'n', 'I', 'm', 'g', '\n'};

/* ---- bytes ---- */

void image_bytes_init(ImageBytes *bytes, GenVM *vm) {
    bytes->vm = vm;
    bytes->data = bytes->first;
    bytes->size = 0;
    bytes->capacity = sizeof bytes->first;
    bytes->failed = false;
    bytes->frozen = NULL;
}

void image_bytes_free(ImageBytes *bytes) {
    if (bytes->data != bytes->first) memory_free(bytes->data);
}

static bool grow_bytes(ImageBytes *bytes, size_t more) {
    size_t capacity = bytes->capacity * 2;
    while (capacity < bytes->size + more)
        capacity *= 2;
    bool on_heap = bytes->data != bytes->first;
    uint8_t *larger =
        bytes->failed ? NULL : memory_resize(bytes->vm, on_heap ? bytes->data : NULL, capacity);
    if (!larger) {
        bytes->failed = true;
        bytes->size = 0; /* what follows overwrites it: the result is not used */
        return more <= bytes->capacity;
    }
    if (!on_heap) memcpy(larger, bytes->first, bytes->size);
    bytes->data = larger;
    bytes->capacity = capacity;
    return true;
}

uint8_t *image_put_room(ImageBytes *bytes, size_t size) {
    if (bytes->size + size > bytes->capacity && !grow_bytes(bytes, size)) return NULL;
    bytes->size += size;
    return bytes->data + bytes->size - size;
}

void image_put(ImageBytes *bytes, const void *data, size_t size) {
    uint8_t *room = image_put_room(bytes, size);
    if (room && size) memcpy(room, data, size);
}

void image_put_number_slowly(ImageBytes *bytes, uint64_t number) {
    uint8_t text[10];
    size_t size = 0;
    for (; number >= 128; number >>= 7)
        text[size++] = (uint8_t)(number | 128);
    text[size++] = (uint8_t)number;
    image_put(bytes, text, size);
}

void image_put_long(ImageBytes *bytes, uint64_t number) {
    uint8_t text[8];
    for (int i = 0; i < 8; i++)
        text[i] = (uint8_t)(number >> 8 * i);
    image_put(bytes, text, sizeof text);
}

void image_put_text(ImageBytes *bytes, Value str) {
    image_put_number(bytes, AS_STR(str)->size);
    image_put(bytes, AS_STR(str)->data, AS_STR(str)->size);
}

/* ---- numbers ---- */

static uint32_t slot_of(const ImageWriter *w, const Object *object) {
    uint32_t at = (uint32_t)((uint64_t)(uintptr_t)object * 0x9E3779B97F4A7C15u >> 32);
    for (;; at++) {
        uint32_t number = w->index[at & w->index_mask];
        if (!number || w->records[number - 1].object == object) return at & w->index_mask;
    }
}

static bool grow_index(ImageWriter *w) {
    uint32_t slots = (w->index_mask + 1) * 4;
    uint32_t *index = memory_new_zeroed(w->vm, slots, sizeof *index);
    if (!index) return false;
    if (w->index != w->first_index) memory_free(w->index);
    w->index = index;
    w->index_mask = slots - 1;
    for (uint32_t i = 0; i < w->count; i++)
        index[slot_of(w, w->records[i].object)] = i + 1;
    return true;
}

static bool grow_records(ImageWriter *w) {
    uint32_t capacity = w->capacity * 2;
    bool on_heap = w->records != w->first_records;
    ImageRecord *larger =
        memory_resize(w->vm, on_heap ? w->records : NULL, capacity * sizeof *larger);
    if (!larger) return false;
    if (!on_heap) memcpy(larger, w->first_records, w->count * sizeof *larger);
    w->records = larger;
    w->capacity = capacity;
    return true;
}

static uint32_t no_memory(ImageWriter *w) {
    if (!w->failed) raise_memory(w->vm);
    w->failed = true;
    return 0;
}

/* ---- which kind of record ---- */

/* The module whose namespace `dict` is, or NULL. */
static Module *module_of_globals(GenVM *vm, Dict *dict) {
    Value name = dict_get_str(vm, dict, name_value(vm, NAME___name__));
    if (name == VALUE_UNSET || !is_exact(name, TYPE_STR)) return NULL;
    Value module = dict_get_str(vm, vm->modules, name);
    if (!is_kind(module, TYPE_MODULE)) module = dict_get_str(vm, AS_DICT(vm->prelude), name);
    return is_kind(module, TYPE_MODULE) && AS(Module, module)->dict == dict ? AS(Module, module)
                                                                            : NULL;
}

/* A module of the library that is still being imported is saved as it stands, like the user's: the
 * other side has none that is as far. */
bool image_is_loading(const ImageWriter *w, Value name) {
    if (w->loading == VALUE_UNSET || !value_is_str(name)) return false;
    for (uint64_t i = 0; i < AS_LIST(w->loading)->count; i++)
        if (str_equal(AS_LIST(w->loading)->items[i], name)) return true;
    return false;
}

static bool is_library_module(const ImageWriter *w, const Module *module) {
    GenVM *vm = w->vm;
    if (!value_is_str(module->name) || image_is_loading(w, module->name)) return false;
    if (dict_get_str(vm, AS_DICT(vm->prelude), module->name) == object_value(module)) return true;
    if (dict_get_str(vm, vm->modules, module->name) != object_value(module)) return false;
    if (str_is(module->name, "builtins") || str_is(module->name, "_engine") ||
        str_is(module->name, "sys"))
        return true;
    return vm->has_library_module && vm->has_library_module(vm, module->name);
}

static ImageTag tag_of_dict(const ImageWriter *w, Dict *dict) {
    GenVM *vm = w->vm;
    if (dict == vm->modules || dict == vm->builtins) return IMAGE_GLOBALS_REF;
    Module *module = module_of_globals(vm, dict);
    if (!module) return IMAGE_DICT;
    return is_library_module(w, module) ? IMAGE_GLOBALS_REF : IMAGE_GLOBALS;
}

static bool is_of_library(const ImageWriter *w, Object *object, ImageTag *tag) {
    Value name = VALUE_UNSET;
    if (!image_library_place(w->vm, object, tag, &name)) return false;
    return !image_is_loading(w, name);
}

bool image_is_library_class(const ImageWriter *w, Type *type) {
    ImageTag tag;
    return is_of_library(w, &type->header, &tag) && tag == IMAGE_LIBRARY_REF;
}

static ImageTag tag_of(ImageWriter *w, Object *object) {
    GenVM *vm = w->vm;
    ImageTag tag;
    switch ((TypeId)object->kind) {
    case TYPE_TYPE:
        if (((Type *)object)->is_builtin) return IMAGE_BUILTIN_TYPE;
        if (image_is_host_type(vm, (Type *)object)) return IMAGE_HOST_TYPE;
        if (is_of_library(w, object, &tag)) return tag;
        return image_is_library_global(w, object) ? IMAGE_LIBRARY_REF : IMAGE_CLASS;
    case TYPE_FUNCTION:
        if (is_of_library(w, object, &tag)) return tag;
        return image_is_library_global(w, object) ? IMAGE_LIBRARY_REF : IMAGE_FUNCTION;
    case TYPE_MODULE:
        return is_library_module(w, (Module *)object) ? IMAGE_MODULE_REF : IMAGE_MODULE;
    case TYPE_DICT: return tag_of_dict(w, (Dict *)object);
    case TYPE_NATIVE:
        return ((NativeFunction *)object)->self == VALUE_UNSET ||
                       ((NativeFunction *)object)->header.flags & NATIVE_NEW
                   ? IMAGE_NATIVE_REF
                   : IMAGE_NATIVE_BOUND;
    case TYPE_GETSET:
        if (!((GetSet *)object)->owner->is_builtin) return IMAGE_OWN_GETSET;
        return IMAGE_NATIVE_REF;
    case TYPE_NATIVE_METHOD: return IMAGE_NATIVE_REF;
    case TYPE_STR: return IMAGE_STR;
    case TYPE_BYTES: return IMAGE_BYTES;
    case TYPE_BYTEARRAY: return IMAGE_BYTEARRAY;
    case TYPE_INT: return IMAGE_INT;
    case TYPE_FLOAT: return IMAGE_FLOAT;
    case TYPE_LIST: return IMAGE_LIST;
    case TYPE_TUPLE: return IMAGE_TUPLE;
    case TYPE_SET:
    case TYPE_FROZENSET: return IMAGE_SET;
    case TYPE_CODE: return IMAGE_CODE;
    case TYPE_OBJECT: return IMAGE_INSTANCE;
    case TYPE_GENERATOR:
    case TYPE_COROUTINE:
    case TYPE_ASYNC_GENERATOR: return IMAGE_GENERATOR;
    case TYPE_MEMORYVIEW: return IMAGE_MEMORYVIEW;
    case TYPE_STRING_IO: return IMAGE_STRING_IO;
    case TYPE_TASK: return IMAGE_TASK;
    case TYPE_TICKET: return IMAGE_TICKET;
    case TYPE_THREAD: return IMAGE_THREAD;
    case TYPE_WEAKREF: return IMAGE_WEAKREF;
    default: break;
    }
    if (object->kind == KIND_EXCEPTION) return IMAGE_EXCEPTION;
    if (image_is_custom(vm, object)) return IMAGE_CUSTOM;
    return image_layout_of(vm, object) ? IMAGE_FIELDS : IMAGE_TAG_COUNT;
}

typedef void SaveFn(ImageWriter *w, Object *object);
static SaveFn *const save_shells[] = {
#define IMAGE(tag, prefix) save_##prefix##_shell,
#include "vm/image.def"
#undef IMAGE
};
static SaveFn *const save_bodies[] = {
#define IMAGE(tag, prefix) save_##prefix##_body,
#include "vm/image.def"
#undef IMAGE
};

/* ---- discovering ---- */

/* What a shell will refer to gets its number first. */
static void number_before(ImageWriter *w, Object *object, ImageTag tag) {
    GenVM *vm = w->vm;
    if (tag == IMAGE_CLASS) {
        Type *type = (Type *)object;
        image_number_of(w, &type_of(vm, object_value(type))->header);
        for (uint64_t i = type->mro->count; i-- > 1 && !w->failed;)
            image_number_of(w, as_object(type->mro->items[i]));
        return;
    }
    if (tag == IMAGE_NATIVE_REF) {
        Type *owner = image_native_owner(object);
        if (owner && image_is_native_type(vm, owner)) image_number_of(w, &owner->header);
        return;
    }
    if (tag == IMAGE_OWN_GETSET) {
        image_number_of(w, &((GetSet *)object)->owner->header);
        return;
    }
    if (tag == IMAGE_FUNCTION) image_number_of(w, &((Function *)object)->code->header);
    if (tag == IMAGE_GENERATOR)
        image_number_of(w, &generator_function((Generator *)object)->header);
    if (tag == IMAGE_FIELDS || tag == IMAGE_CUSTOM || !vm->shapes[object->shape].type->is_builtin ||
        tag == IMAGE_EXCEPTION || tag == IMAGE_GENERATOR || tag == IMAGE_INSTANCE)
        image_number_of(w, &vm->shapes[object->shape].type->header);
}

static bool is_leaf(ImageTag tag) {
    return tag <= IMAGE_LIBRARY_REF && tag != IMAGE_NATIVE_REF;
}

static ImageTag tag_of_all(ImageWriter *w, Object *object) {
    return image_is_library_value(w, object) ? IMAGE_LIBRARY_REF : tag_of(w, object);
}

static void refuse_kind(ImageWriter *w, Object *object) {
    char reason[80];
    const char *what = object->kind == TYPE_RESOURCE ? ((const Resource *)object)->what : NULL;
    if (what)
        snprintf(reason, sizeof reason, "%s %s cannot be saved",
                 strchr("aeioSl", what[0]) ? "an" : "a", what);
    image_refuse(w, object, what ? reason : NULL);
}

static uint32_t discover(ImageWriter *w, Object *object) {
    ImageTag tag = tag_of_all(w, object);
    uint32_t from = w->current;
    if (tag == IMAGE_TAG_COUNT) {
        refuse_kind(w, object);
        return 0;
    }
    if (!is_leaf(tag)) {
        if (!native_enter(w->vm)) { /* metaclasses of metaclasses of ... */
            w->failed = true;
            return 0;
        }
        number_before(w, object, tag);
        native_leave(w->vm);
        if (w->failed) return 0;
    }
    if (tag == IMAGE_TASK && !image_note_running(w, object)) {
        w->failed = true;
        return 0;
    }
    if (w->count == w->capacity && !grow_records(w)) return no_memory(w);
    if (w->count * 2 > w->index_mask && !grow_index(w)) return no_memory(w);
    uint32_t slot = slot_of(w, object);
    if (w->index[slot]) return w->index[slot] - 1; /* its class referred to it */
    uint32_t number = w->count++;
    w->records[number] = (ImageRecord){object, NULL, from, (uint8_t)tag, tag == IMAGE_GLOBALS};
    w->index[slot] = number + 1;
    ImageBytes *out = w->out;
    w->out = &w->shells;
    w->current = number;
    image_put_byte(w->out, (uint8_t)tag);
    save_shells[tag](w, object);
    w->current = from;
    w->out = out;
    return number;
}

uint32_t image_number_of(ImageWriter *w, Object *object) {
    if (unlikely(w->failed)) return 0;
    uint32_t number = w->index[slot_of(w, object)];
    return number ? number - 1 : discover(w, object);
}

bool image_is_known(ImageWriter *w, Object *object) {
    if (w->index[slot_of(w, object)]) return true;
    ImageTag tag = tag_of_all(w, object);
    bool named = !w->failed && (tag <= IMAGE_LIBRARY_REF || tag == IMAGE_HOST_TYPE);
    if (named) image_number_of(w, object);
    return named && !w->failed;
}

static bool constant_of(Value v, ImageConstant *constant) {
    if (v == VALUE_UNSET) return *constant = CONSTANT_UNSET, true;
    const Object *object = as_object(v);
    if (object < gen_singletons || object >= gen_singletons + 5) return false;
    *constant = (ImageConstant)(object - gen_singletons);
    return true;
}

/* The number of the record of `v`, an object. A plain mention of a namespace shows all of it. */
static uint32_t mention_object(ImageWriter *w, Value v) {
    uint32_t number = image_number_of(w, as_object(v));
    if (unlikely(!w->failed && w->records[number].tag == IMAGE_GLOBALS))
        image_want_globals(w, (Dict *)as_object(v), NULL);
    return number;
}

static void mention(ImageWriter *w, Value v) {
    ImageConstant constant;
    if (is_pointer(v) && !constant_of(v, &constant)) mention_object(w, v);
}

void image_put_value(ImageWriter *w, Value v) {
    ImageConstant constant;
    if (is_int(v)) {
        image_put_number(w->out, image_zigzag(as_int(v)) << 2 | 1);
    } else if (is_float(v)) {
        double number = as_float(v);
        uint64_t bits;
        memcpy(&bits, &number, sizeof bits);
        image_put_byte(w->out, 3);
        image_put_long(w->out, bits);
    } else if (constant_of(v, &constant)) {
        image_put_number(w->out, (uint64_t)constant << 2 | 2);
    } else {
        image_put_number(w->out, (uint64_t)mention_object(w, v) << 2);
    }
}

void image_put_pointer(ImageWriter *w, const void *object) {
    image_put_value(w, object ? object_value(object) : VALUE_UNSET);
}

void image_put_class(ImageWriter *w, const Object *object) {
    Type *type = w->vm->shapes[object->shape].type;
    bool plain = type->is_builtin && type == w->vm->types[object->kind];
    image_put_number(w->out, plain ? 0 : (uint64_t)image_number_of(w, &type->header) + 1);
}

/* ---- modules that must be there ---- */

void image_need_module(ImageWriter *w, Value name) {
    Object *str = as_object(name);
    for (uint32_t i = 0; i < w->needed_count; i++)
        if (str_equal(object_value(w->needed[i]), name)) return;
    if (w->needed_count == w->needed_capacity) {
        uint32_t capacity = w->needed_capacity ? w->needed_capacity * 2 : 8;
        Object **larger = memory_resize(w->vm, w->needed, capacity * sizeof *larger);
        if (!larger) {
            no_memory(w);
            return;
        }
        w->needed = larger;
        w->needed_capacity = capacity;
    }
    w->needed[w->needed_count++] = str;
    image_put_text(&w->needs, name);
}

/* ---- namespaces ---- */

static ImageGlobals *globals_of(ImageWriter *w, uint32_t record, const Dict *dict) {
    for (uint32_t i = 0; i < w->globals_count; i++)
        if (w->globals[i].record == record) return &w->globals[i];
    if (w->globals_count == w->globals_capacity) {
        uint32_t capacity = w->globals_capacity ? w->globals_capacity * 2 : 4;
        ImageGlobals *larger = memory_resize(w->vm, w->globals, capacity * sizeof *larger);
        if (!larger) return no_memory(w), NULL;
        w->globals = larger;
        w->globals_capacity = capacity;
    }
    uint64_t *wanted = memory_new_zeroed(w->vm, dict->used / 64 + 1, sizeof *wanted);
    if (!wanted) return no_memory(w), NULL;
    w->globals[w->globals_count] = (ImageGlobals){record, false, wanted};
    return &w->globals[w->globals_count++];
}

static void want_entry(ImageWriter *w, uint32_t at, uint32_t record, const Dict *dict,
                       int64_t entry) {
    if (entry < 0 || dict->entries[entry].key == VALUE_UNSET) return;
    uint64_t bit = (uint64_t)1 << (entry % 64);
    uint64_t *word = &w->globals[at].wanted[entry / 64];
    if (*word & bit) return;
    *word |= bit;
    uint32_t current = w->current;
    w->current = record;
    mention(w, dict->entries[entry].key);
    mention(w, dict->entries[entry].value);
    w->current = current;
}

static void want_all(ImageWriter *w, uint32_t at, uint32_t record, const Dict *dict) {
    if (w->globals[at].whole) return;
    w->globals[at].whole = true;
    for (uint32_t i = 0; i < dict->used && !w->failed; i++)
        want_entry(w, at, record, dict, i);
}

/* Names by which code can reach every other name. */
static bool shows_all(Value name) {
    static const char *const names[] = {"globals", "eval",   "exec",       "vars",
                                        "dir",     "locals", "__import__", "compile"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_is(name, names[i])) return true;
    return false;
}

static bool names_global(Opcode op) {
    return op == OP_GETGLOBAL || op == OP_GETGLOBAL_DICT || op == OP_GETGLOBAL_BUILTIN ||
           op == OP_GETGLOBAL_LEN || op == OP_GETGLOBAL_TYPE || op == OP_GETGLOBAL_NATIVE ||
           op == OP_GETGLOBAL_NEXT || op == OP_SETGLOBAL || op == OP_DELGLOBAL ||
           op == OP_GETNAME || op == OP_GETNAMEFREE;
}

static void want_names(ImageWriter *w, uint32_t at, uint32_t record, Dict *dict, const Code *code) {
    if (!code_thaw(w->vm, code)) {
        w->failed = true;
        return;
    }
    for (uint32_t i = 0; i < code->instr_count && !w->failed;
         i += code_op_info[instr_op(code->instrs[i])].words) {
        if (!names_global(instr_op(code->instrs[i]))) continue;
        Value name = code->consts[instr_imm(code->instrs[i])];
        int64_t entry = dict_find_str(w->vm, dict, name);
        if (entry < 0 && shows_all(name))
            want_all(w, at, record, dict);
        else
            want_entry(w, at, record, dict, entry);
    }
    if (!native_enter(w->vm)) {
        w->failed = true;
        return;
    }
    for (uint32_t i = 0; i < code->const_count && !w->failed; i++)
        if (is_kind(code->consts[i], TYPE_CODE))
            want_names(w, at, record, dict, AS(Code, code->consts[i]));
    native_leave(w->vm);
}

void image_want_globals(ImageWriter *w, Dict *dict, const Code *code) {
    uint32_t record = image_number_of(w, &dict->header);
    if (w->failed || w->records[record].tag != IMAGE_GLOBALS) return;
    ImageGlobals *globals = globals_of(w, record, dict);
    if (!globals) return;
    uint32_t at = (uint32_t)(globals - w->globals);
    static const Name always[] = {NAME___name__, NAME___builtins__};
    for (size_t i = 0; i < 2; i++)
        want_entry(w, at, record, dict, dict_find_str(w->vm, dict, name_value(w->vm, always[i])));
    if (!code || w->whole || code->flags & CODE_MODULE)
        want_all(w, at, record, dict);
    else
        want_names(w, at, record, dict, code);
}

void save_globals_shell(ImageWriter *w, Object *object) {
    Value name = dict_get_str(w->vm, (Dict *)object, name_value(w->vm, NAME___name__));
    image_put_text(w->out, name);
}

void save_globals_body(ImageWriter *w, Object *object) {
    const Dict *dict = (const Dict *)object;
    ImageGlobals *globals = globals_of(w, w->current, dict);
    if (!globals) return;
    uint32_t at = (uint32_t)(globals - w->globals), count = 0;
    for (uint32_t i = 0; i < dict->used; i++)
        count += w->globals[at].wanted[i / 64] >> (i % 64) & 1;
    image_put_number(w->out, count);
    for (uint32_t i = 0; i < dict->used && !w->failed; i++) {
        if (!(w->globals[at].wanted[i / 64] >> (i % 64) & 1)) continue;
        if (!image_is_global_key(dict->entries[i].key))
            image_refuse(w, object, "has a key that is no name and cannot be saved");
        image_put_value(w, dict->entries[i].key);
        image_put_value(w, dict->entries[i].value);
    }
}

/* ---- the whole ---- */

static void init_writer(ImageWriter *w, GenVM *vm) {
    w->vm = vm;
    image_bytes_init(&w->shells, vm);
    image_bytes_init(&w->bodies, vm);
    image_bytes_init(&w->needs, vm);
    w->out = &w->bodies;
    w->records = w->first_records;
    w->capacity = sizeof w->first_records / sizeof *w->first_records;
    memset(w->first_index, 0, sizeof w->first_index);
    w->index = w->first_index;
    w->index_mask = sizeof w->first_index / sizeof *w->first_index - 1;
    w->count = 0;
    w->current = UINT32_MAX;
    w->globals = NULL;
    w->globals_count = w->globals_capacity = 0;
    w->needed = NULL;
    w->needed_count = w->needed_capacity = 0;
    w->running = NULL;
    w->library = NULL;
    w->library_count = 0;
    w->running_count = w->running_capacity = 0;
    w->task = NULL;
    w->root_task = NULL;
    w->threads = NULL;
    w->loading = VALUE_UNSET;
    w->clears = w->settled = w->leaves = false;
    w->whole = w->weak = w->script_hashes = w->failed = false;
}

static void free_writer(ImageWriter *w) {
    image_bytes_free(&w->shells);
    image_bytes_free(&w->bodies);
    image_bytes_free(&w->needs);
    if (w->records != w->first_records) memory_free(w->records);
    if (w->index != w->first_index) memory_free(w->index);
    for (uint32_t i = 0; i < w->globals_count; i++)
        memory_free(w->globals[i].wanted);
    memory_free(w->globals);
    memory_free(w->needed);
    memory_free(w->running);
    memory_free(w->library);
}

static bool save_body(ImageWriter *w, uint32_t number) {
    w->current = number;
    save_bodies[w->records[number].tag](w, w->records[number].object);
    if (w->failed || w->vm->exception != VALUE_UNSET) return false;
    return number % 64 || native_charge(w->vm, 64);
}

static bool save_all(ImageWriter *w) {
    uint32_t late = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->records[i].late)
            late++;
        else if (!save_body(w, i))
            return false;
    }
    uint32_t count = w->count;
    for (uint32_t i = 0; late && i < count; i++)
        if (w->records[i].late && !save_body(w, i)) return false;
    return !w->failed;
}

uint64_t image_hash_check(GenVM *vm) {
    Value text = str_from(vm, "the key under which strings are hashed");
    return text == VALUE_ERROR ? 0 : str_hash(vm, text);
}

/* FNV-1a in steps of eight bytes. */
uint64_t image_checksum(const uint8_t *data, size_t size) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; size >= 8; data += 8, size -= 8) {
        uint64_t word = 0;
        for (int i = 0; i < 8; i++)
            word |= (uint64_t)data[i] << 8 * i;
        hash = (hash ^ word) * 0x100000001b3u;
        hash ^= hash >> 29;
    }
    for (; size; size--)
        hash = (hash ^ *data++) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

static Value assemble(ImageWriter *w, ImageRoot root) {
    ImageBytes head;
    image_bytes_init(&head, w->vm);
    image_put(&head, image_magic, sizeof image_magic);
    image_put_number(&head, IMAGE_VERSION);
    image_put_long(&head, image_engine(w->vm));
    image_put_number(&head, root);
    image_put_long(&head, image_hash_check(w->vm));
    image_put_number(&head, w->needed_count);
    image_put(&head, w->needs.data, w->needs.size);
    image_put_number(&head, w->count);
    size_t size = head.size + w->shells.size + w->bodies.size;
    bool failed = head.failed || w->shells.failed || w->bodies.failed || w->needs.failed;
    Value image = failed ? raise_memory(w->vm) : bytes_new(w->vm, NULL, size + 8);
    if (image != VALUE_ERROR) {
        uint8_t *data = AS(Bytes, image)->data;
        memcpy(data, head.data, head.size);
        memcpy(data + head.size, w->shells.data, w->shells.size);
        memcpy(data + head.size + w->shells.size, w->bodies.data, w->bodies.size);
        uint64_t check = image_checksum(data, size);
        for (int i = 0; i < 8; i++)
            data[size + (size_t)i] = (uint8_t)(check >> 8 * i);
    }
    image_bytes_free(&head);
    return image;
}

static void put_numbers_and_ends(ImageWriter *w, Value task) {
    image_put_identities(w);
    image_put_finalized(w);
    w->leaves = image_leaves_some(w, task);
}

static Value save(ImageWriter *w, Value value, ImageRoot kind) {
    w->whole = kind != IMAGE_ROOT_VALUE;
    ImageBytes root;
    image_bytes_init(&root, w->vm);
    w->out = &root;
    image_put_value(w, value);
    w->out = &w->bodies;
    Value image = VALUE_ERROR;
    if (!w->failed && save_all(w)) image_put_targets(w);
    if (!w->failed) {
        image_put(&w->bodies, root.data, root.size);
        if (kind != IMAGE_ROOT_VALUE) put_numbers_and_ends(w, AS_TUPLE(value)->items[0]);
        image = assemble(w, kind);
    }
    image_bytes_free(&root);
    free_writer(w);
    return w->vm->exception == VALUE_UNSET ? image : VALUE_ERROR; /* no memory for a part of it */
}

Value image_save_value(GenVM *vm, Value value) {
    ImageWriter w;
    init_writer(&w, vm);
    return save(&w, value, IMAGE_ROOT_VALUE);
}

/* The modules of the user, the main one included: a list. */
static Value user_modules(const ImageWriter *w) {
    GenVM *vm = w->vm;
    Value list = list_new(vm, 0), name, module;
    uint32_t position = 0;
    if (list == VALUE_ERROR) return list;
    while (dict_next(vm->modules, &position, &name, &module))
        if (is_kind(module, TYPE_MODULE) && !is_library_module(w, AS(Module, module)) &&
            AS(Module, module)->dict && !list_append(vm, list, module))
            return VALUE_ERROR;
    return list;
}

/* What an import that is under way will look for in sys.modules, first of all the package of the
 * module: nothing else refers to it yet. */
static void need_imported(ImageWriter *w) {
    Value name, module;
    for (uint32_t at = 0; dict_next(w->vm->modules, &at, &name, &module);)
        if (is_kind(module, TYPE_MODULE) && is_kind(AS(Module, module)->original, TYPE_TUPLE) &&
            image_is_called(AS(Module, module), name) && !image_is_always_there(name) &&
            is_library_module(w, AS(Module, module)))
            image_need_module(w, name);
}

static Value save_task(ImageWriter *w, Value task_or_unset) {
    GenVM *vm = w->vm;
    w->loading = image_loading_modules(vm, task_or_unset);
    if (w->loading == VALUE_ERROR) return VALUE_ERROR;
    Value modules = user_modules(w);
    Value state = image_state(w, task_or_unset);
    Value task = task_or_unset == VALUE_UNSET ? VALUE_NONE : task_or_unset;
    w->root_task = task_or_unset == VALUE_UNSET ? NULL : as_object(task_or_unset);
    bool failed = modules == VALUE_ERROR || state == VALUE_ERROR;
    Value root = failed ? VALUE_ERROR : tuple_pack(vm, 3, task, modules, state);
    if (root == VALUE_ERROR) {
        free_writer(w);
        return VALUE_ERROR;
    }
    if (image_is_importing(vm, task_or_unset)) need_imported(w);
    return save(w, root, task_or_unset == VALUE_UNSET ? IMAGE_ROOT_VM : IMAGE_ROOT_TASK);
}

/* Mostly at once; see image_finalize.c. */
Value image_save_task(GenVM *vm, Value task_or_unset) {
    ImageWriter w;
    init_writer(&w, vm);
    Value image = save_task(&w, task_or_unset);
    if (image == VALUE_ERROR || !w.leaves) return image;
    init_writer(&w, vm);
    w.clears = true;
    if (save_task(&w, task_or_unset) == VALUE_ERROR) return VALUE_ERROR;
    gc_collect(vm, true);
    init_writer(&w, vm);
    w.settled = true;
    return save_task(&w, task_or_unset);
}

/* ---- refusals ---- */

/* Appends how `parent` leads to `child`: ".locals['f']", "[3]", ".name". */
static void put_dict_step(StrBuilder *path, const Dict *dict, const Object *child,
                          const char *form) {
    for (uint32_t i = 0; i < dict->used; i++) {
        const DictEntry *entry = &dict->entries[i];
        if (entry->key == VALUE_UNSET) continue;
        if (entry->key == object_value(child)) {
            builder_put_format(path, " (key %V)", entry->key);
            return;
        }
        if (entry->value != object_value(child)) continue;
        if (is_exact(entry->key, TYPE_STR) && form)
            builder_put_format(path, form, entry->key);
        else
            builder_put_format(path, "[%V]", entry->key);
        return;
    }
}

static void put_items_step(StrBuilder *path, const Value *items, uint64_t count,
                           const Object *child) {
    for (uint64_t i = 0; i < count; i++)
        if (items[i] == object_value(child)) {
            builder_put_format(path, "[%llu]", (unsigned long long)i);
            return;
        }
}

static void put_register_step(StrBuilder *path, Generator *generator, const Object *child) {
    const Code *code = generator_function(generator)->code;
    for (uint32_t i = 0; i < code->regs; i++) {
        if (generator->regs[i] != object_value(child)) continue;
        bool named = i < code->local_count && code->varnames && i < code->varnames->count;
        if (named) builder_put_format(path, ".locals[%V]", code->varnames->items[i]);
        return;
    }
}

static void put_instance_step(StrBuilder *path, Object *instance, const Object *child) {
    GenVM *vm = path->vm;
    for (uint32_t id = instance->shape; vm->shapes[id].name != VALUE_UNSET;
         id = vm->shapes[id].parent)
        if (instance_get(vm, object_value(instance), vm->shapes[id].name) == object_value(child)) {
            builder_put_format(path, ".%S", vm->shapes[id].name);
            return;
        }
}

static void put_function_step(StrBuilder *path, const Function *function, const Object *child) {
    const Tuple *closure = function->closure;
    if (object_value(function->globals) == object_value(child)) builder_put_c(path, ".globals");
    if (closure && &closure->header == child) builder_put_c(path, ".closure");
    if (function->defaults && &function->defaults->header == child)
        builder_put_c(path, ".defaults");
    if (function->kwdefaults && &function->kwdefaults->header == child)
        builder_put_c(path, ".kwdefaults");
}

static void put_step(StrBuilder *path, Object *parent, Object *child) {
    switch ((TypeId)parent->kind) {
    case TYPE_DICT: put_dict_step(path, (Dict *)parent, child, "['%S']"); break;
    case TYPE_LIST:
        put_items_step(path, ((List *)parent)->items, ((List *)parent)->count, child);
        break;
    case TYPE_TUPLE:
        put_items_step(path, ((Tuple *)parent)->items, ((Tuple *)parent)->count, child);
        break;
    case TYPE_GENERATOR:
    case TYPE_COROUTINE:
    case TYPE_ASYNC_GENERATOR: put_register_step(path, (Generator *)parent, child); break;
    case TYPE_OBJECT: put_instance_step(path, parent, child); break;
    case TYPE_FUNCTION: put_function_step(path, (Function *)parent, child); break;
    case TYPE_TYPE:
        if (type_state(path->vm, (Type *)parent)->dict)
            put_dict_step(path, type_state(path->vm, (Type *)parent)->dict, child, ".%S");
        break;
    case TYPE_CELL: builder_put_c(path, ".cell"); break;
    default: break;
    }
}

static void put_root(StrBuilder *path, Object *root) {
    GenVM *vm = path->vm;
    if (is_generator_like(object_value(root)))
        builder_put_str(path, generator_function((Generator *)root)->name);
    else if (root->kind == TYPE_FUNCTION)
        builder_put_str(path, ((Function *)root)->name);
    else if (root->kind == TYPE_TYPE)
        builder_put_str(path, ((Type *)root)->name);
    else
        builder_put_format(path, "%s", type_name(vm, object_value(root)));
}

void image_refuse(ImageWriter *w, Object *object, const char *reason) {
    enum { STEPS = 64 };
    uint32_t steps[STEPS], count = 0;
    if (w->failed) return;
    w->failed = true;
    for (uint32_t at = w->current; at != UINT32_MAX && count < STEPS; at = w->records[at].from)
        steps[count++] = at;
    StrBuilder path;
    builder_init(&path, w->vm);
    if (count) {
        put_root(&path, w->records[steps[count - 1]].object);
        for (uint32_t i = count; i-- > 0;)
            put_step(&path, w->records[steps[i]].object,
                     i ? w->records[steps[i - 1]].object : object);
        builder_put_c(&path, " -> ");
    }
    builder_put_format(&path, "%s: %s", type_name(w->vm, object_value(object)),
                       reason ? reason : "cannot be saved");
    Value text = builder_finish(&path);
    if (text != VALUE_ERROR) raise_type(w->vm, "%S", text);
}
