/* image_load.c - the reader of images: bytes to values under suspicion, in four passes.
 *
 *     shells      every object is allocated; classes refer to classes before them
 *     bodies      objects are filled; references are checked against the kind of the shell they
 * lead to tables      dicts and sets are built, now that their keys are whole; classes are
 * completed checks      what needs the whole: generators against their code, chains that must not
 * be loops
 *
 * A refusal at any point leaves objects that nothing refers to. No pass runs script code or
 * recurses deeper than native_enter allows. No collection happens meanwhile (see gc.h), so nothing
 * is rooted; memory is asked for only as far as the bytes that are there can fill it, and under the
 * VM's budget.
 */
#include "vm/image_private.h"
#include "vm/memory.h"
#include "vm/type_private.h"

bool image_bad(ImageReader *r, const char *format, ...) {
    if (r->vm->exception != VALUE_UNSET) return false;
    va_list args;
    va_start(args, format);
    Value text = str_format_list(r->vm, format, args);
    va_end(args);
    if (text != VALUE_ERROR) raise_value(r->vm, "not a valid image: %S", text);
    return false;
}

bool image_bad_code(ImageReader *r, const char *what, const Code *code, const char *message) {
    if (!*message && r->vm->exception == VALUE_UNSET) raise_memory(r->vm);
    return image_bad(r, "%s %S: %s", what, code->qualname, message);
}

/* ---- numbers and bytes ---- */

uint64_t image_get_number(ImageReader *r) {
    uint64_t number = 0;
    for (unsigned shift = 0; r->at < r->end && shift < 64; shift += 7) {
        uint8_t byte = *r->at++;
        number |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return number;
    }
    image_bad(r, "it is cut off");
    r->at = r->end;
    return 0;
}

bool image_get_u32(ImageReader *r, uint32_t *out) {
    uint64_t number = image_get_number(r);
    if (number > UINT32_MAX) return image_bad(r, "a number is out of range");
    *out = (uint32_t)number;
    return r->vm->exception == VALUE_UNSET;
}

bool image_get_count(ImageReader *r, uint64_t *out, size_t least) {
    *out = image_get_number(r);
    if (*out > (size_t)(r->end - r->at) / least) return image_bad(r, "it is cut off");
    return r->vm->exception == VALUE_UNSET;
}

bool image_get_bytes(ImageReader *r, const uint8_t **data, size_t size) {
    if (size > (size_t)(r->end - r->at)) return image_bad(r, "it is cut off");
    *data = r->at;
    r->at += size;
    return true;
}

bool image_get_long(ImageReader *r, uint64_t *out) {
    const uint8_t *data = NULL;
    if (!image_get_bytes(r, &data, 8)) return false;
    *out = 0;
    for (int i = 0; i < 8; i++)
        *out |= (uint64_t)data[i] << 8 * i;
    return true;
}

/* ---- text ---- */

static bool is_tail(uint8_t byte) {
    return (byte & 0xC0) == 0x80;
}

bool image_check_text(const uint8_t *at, size_t size) {
    const uint8_t *end = at + size;
    while (at < end) {
        uint8_t lead = *at;
        size_t width = lead < 0x80   ? 1
                       : lead < 0xC2 ? 0
                       : lead < 0xE0 ? 2
                       : lead < 0xF0 ? 3
                       : lead < 0xF5 ? 4
                                     : 0;
        if (!width || width > (size_t)(end - at)) return false;
        for (size_t i = 1; i < width; i++)
            if (!is_tail(at[i])) return false;
        if ((lead == 0xE0 && at[1] < 0xA0) || (lead == 0xF0 && at[1] < 0x90) ||
            (lead == 0xF4 && at[1] > 0x8F))
            return false;
        at += width;
    }
    return true;
}

static bool get_text(ImageReader *r, const uint8_t **data, size_t *size) {
    uint64_t count;
    if (!image_get_count(r, &count, 1) || !image_get_bytes(r, data, count)) return false;
    *size = count;
    return image_check_text(*data, *size) || image_bad(r, "text that is not UTF-8");
}

bool image_get_name(ImageReader *r, Value *name) {
    const uint8_t *data = NULL;
    size_t size;
    if (!get_text(r, &data, &size)) return false;
    *name = str_intern_from(r->vm, (const char *)data, size);
    return *name != VALUE_ERROR;
}

/* ---- values ---- */

static bool get_record(ImageReader *r, uint64_t number, Value *out) {
    if (number >= r->made)
        return image_bad(r, "a reference to record %llu", (unsigned long long)number);
    *out = object_value(r->objects[number]);
    return true;
}

bool image_get_optional(ImageReader *r, Value *out) {
    static const uint8_t constant_count = CONSTANT_COUNT;
    uint64_t number = image_get_number(r), bits;
    if (r->vm->exception != VALUE_UNSET) return false;
    switch (number & 3) {
    case 0: return get_record(r, number >> 2, out);
    case 1:
        number >>= 2;
        *out = int_value((int64_t)(number >> 1) ^ -(int64_t)(number & 1));
        return true;
    case 2:
        number >>= 2;
        if (number >= constant_count) return image_bad(r, "an unknown constant");
        *out = number == CONSTANT_UNSET ? VALUE_UNSET : object_value(&gen_singletons[number]);
        return true;
    default: {
        double d;
        if (number != 3) return image_bad(r, "an unknown value");
        if (!image_get_long(r, &bits)) return false;
        memcpy(&d, &bits, sizeof d);
        *out = float_value(r->vm, d);
        return *out != VALUE_ERROR;
    }
    }
}

bool image_get_value(ImageReader *r, Value *out) {
    return image_get_optional(r, out) &&
           (*out != VALUE_UNSET || image_bad(r, "a value is missing"));
}

static bool wrong_kind(ImageReader *r, TypeId kind, Value v) {
    return image_bad(r, "record %u wants a %S, not a %s", r->current, r->vm->types[kind]->name,
                     v == VALUE_UNSET ? "missing value" : type_name(r->vm, v));
}

bool image_get_kind(ImageReader *r, TypeId kind, Value *out) {
    return image_get_optional(r, out) && (is_kind(*out, kind) || wrong_kind(r, kind, *out));
}

bool image_get_pointer(ImageReader *r, TypeId kind, void *out) {
    Value v;
    if (!image_get_optional(r, &v)) return false;
    if (v != VALUE_UNSET && !is_kind(v, kind)) return wrong_kind(r, kind, v);
    *(Object **)out = v == VALUE_UNSET ? NULL : as_object(v);
    return true;
}

bool image_get_object(ImageReader *r, TypeId kind, void *out) {
    Value v;
    if (!image_get_kind(r, kind, &v)) return false;
    *(Object **)out = as_object(v);
    return true;
}

bool image_get_class(ImageReader *r, TypeId kind, Type **out) {
    uint64_t number = image_get_number(r);
    if (r->vm->exception != VALUE_UNSET) return false;
    *out = r->vm->types[kind];
    if (number == 0) return true;
    if (number > r->made || r->objects[number - 1]->kind != TYPE_TYPE)
        return image_bad(r, "the class of record %u is none", r->current);
    *out = (Type *)r->objects[number - 1];
    if ((*out)->instance_kind == kind) return true;
    if (r->missing != VALUE_UNSET) return *out = r->vm->types[kind], true;
    return image_bad(r, "record %u cannot be an instance of %N", r->current, *out);
}

/* ---- the whole ---- */

typedef Object *LoadShellFn(ImageReader *r);
typedef bool LoadBodyFn(ImageReader *r, Object *object);
static LoadShellFn *const load_shells[] = {
#define IMAGE(tag, prefix) load_##prefix##_shell,
#include "vm/image.def"
#undef IMAGE
};
static LoadBodyFn *const load_bodies[] = {
#define IMAGE(tag, prefix) load_##prefix##_body,
#include "vm/image.def"
#undef IMAGE
};

/* Where something is missing the shells that build on it cannot be made, and need not be: of these
 * kinds all has been read when they find out. */
static Object *stand_in(ImageReader *r, uint8_t tag) {
    bool read = tag == IMAGE_FIELDS || tag == IMAGE_INSTANCE || tag == IMAGE_CLASS ||
                tag == IMAGE_GENERATOR;
    if (!read || r->missing == VALUE_UNSET || r->at == r->end) return NULL;
    error_clear(r->vm);
    return &r->vm->types[TYPE_OBJECT]->header;
}

static bool read_shells(ImageReader *r) {
    while (r->made < r->count) {
        if (r->at == r->end) return image_bad(r, "it is cut off");
        r->current = r->made;
        uint8_t tag = *r->at++;
        if (tag >= IMAGE_TAG_COUNT) return image_bad(r, "record %u is of an unknown kind", r->made);
        Object *object = load_shells[tag](r);
        if (!object || r->vm->exception != VALUE_UNSET) object = stand_in(r, tag);
        if (!object) return false;
        r->tags[r->made] = tag;
        r->objects[r->made++] = object;
        if (r->made % 64 == 0 && !native_charge(r->vm, 64)) return false;
    }
    return true;
}

/* "a, b, c" */
static Value join_names(GenVM *vm, Value names) {
    StrBuilder text;
    builder_init(&text, vm);
    for (uint64_t i = 0; i < AS_LIST(names)->count; i++)
        builder_put_format(&text, "%s%S", i ? ", " : "", AS_LIST(names)->items[i]);
    return builder_finish(&text);
}

/* True for an empty list; else an exception of them is raised. */
static bool raise_names(GenVM *vm, TypeId exception, const char *format, Value names) {
    if (names == VALUE_ERROR) return false;
    if (AS_LIST(names)->count == 0) return true;
    Value text = join_names(vm, names);
    if (text != VALUE_ERROR) raise_error(vm, exception, format, text);
    return false;
}

/* What is missing comes before what is wrong: it may be the reason. */
static bool read_named_shells(ImageReader *r) {
    GenVM *vm = r->vm;
    bool ok = read_shells(r);
    if (r->missing == VALUE_UNSET) return ok;
    error_clear(vm);
    return raise_names(vm, EXC_VALUE_ERROR, "the image needs what this engine does not have: %S",
                       r->missing);
}

static bool read_bodies(ImageReader *r, bool late) {
    for (uint32_t i = 0; i < r->count; i++) {
        if ((r->tags[i] == IMAGE_GLOBALS) != late) continue;
        r->current = i;
        if (!load_bodies[r->tags[i]](r, r->objects[i]) || r->vm->exception != VALUE_UNSET)
            return false;
        if (i % 64 == 0 && !native_charge(r->vm, 64)) return false;
    }
    return true;
}

static const uint8_t magic[8] = {0x7f, 'G', 'e', 'n', 'I', 'm', 'g', '\n'};

static bool refuse_engine(ImageReader *r, uint64_t engine) {
    raise_value(r->vm,
                "the image was made by an engine with another instruction set: %llx, this is %llx",
                (unsigned long long)engine, (unsigned long long)image_engine(r->vm));
    return false;
}

static bool read_head(ImageReader *r, ImageRoot *root) {
    size_t size = (size_t)(r->end - r->start);
    if (size < sizeof magic + 16 || memcmp(r->start, magic, sizeof magic) != 0)
        return image_bad(r, "it does not begin like one");
    r->at = r->start + sizeof magic;
    uint64_t version = image_get_number(r);
    if (version != IMAGE_VERSION && r->vm->exception == VALUE_UNSET) {
        raise_value(r->vm, "the image is of format version %llu, this engine reads version %d",
                    (unsigned long long)version, IMAGE_VERSION);
        return false;
    }
    uint64_t expected;
    r->end -= 8;
    ImageReader tail = *r;
    tail.at = r->end;
    tail.end = r->end + 8;
    if (!image_get_long(&tail, &expected)) return false;
    if (image_checksum(r->start, (size_t)(r->end - r->start)) != expected)
        return image_bad(r, "its bytes were damaged");
    uint64_t engine, check;
    if (!image_get_long(r, &engine)) return false;
    if (engine != image_engine(r->vm)) return refuse_engine(r, engine);
    *root = (ImageRoot)image_get_number(r);
    if (!image_get_long(r, &check)) return false;
    r->same_hashes = check == image_hash_check(r->vm);
    return true;
}

/* The names at the place where the reader is: a list. */
static Value read_needs(ImageReader *r) {
    uint64_t count;
    Value list = list_new(r->vm, 0), name;
    if (list == VALUE_ERROR || !image_get_count(r, &count, 1)) return VALUE_ERROR;
    for (uint64_t i = 0; i < count; i++)
        if (!image_get_name(r, &name) || !list_append(r->vm, list, name)) return VALUE_ERROR;
    return list;
}

/* Those of a list of modules that are not there; with `unknown`, of them those that the library
 * has not either. */
static Value missing_modules(GenVM *vm, Value needs, bool unknown) {
    Value missing = list_new(vm, 0);
    for (uint64_t i = 0; missing != VALUE_ERROR && i < AS_LIST(needs)->count; i++) {
        Value name = AS_LIST(needs)->items[i];
        bool there = dict_get_str(vm, vm->modules, name) != VALUE_UNSET;
        if (there || (unknown && image_is_library(vm, name))) continue;
        if (!list_append(vm, missing, name)) return VALUE_ERROR;
    }
    return missing;
}

static bool check_needs(ImageReader *r) {
    Value needs = read_needs(r);
    return needs != VALUE_ERROR &&
           raise_names(r->vm, EXC_IMPORT_ERROR, "the image needs modules that are not imported: %S",
                       missing_modules(r->vm, needs, false));
}

static bool reserve_records(ImageReader *r) {
    uint64_t count;
    if (!image_get_count(r, &count, 1)) return false;
    if (count > UINT32_MAX - 1 || !gc_check_size(r->vm, count * 10))
        return image_bad(r, "too large");
    r->count = (uint32_t)count;
    r->objects = memory_new(r->vm, (count + 1) * sizeof *r->objects);
    r->tags = memory_new(r->vm, count + 1);
    if (r->objects && r->tags) return true;
    raise_memory(r->vm);
    return false;
}

static bool read_all(ImageReader *r, Value *value) {
    ImageRoot root;
    if (!read_head(r, &root)) return false;
    if (root > IMAGE_ROOT_VM) return image_bad(r, "its root is of an unknown kind");
    r->root = root;
    if (!check_needs(r) || !reserve_records(r)) return false;
    if (!read_named_shells(r) || !read_bodies(r, false) || !read_bodies(r, true) ||
        !image_get_targets(r))
        return false;
    if (!image_get_value(r, value)) return false;
    if (root != IMAGE_ROOT_VALUE && !(image_get_identities(r) && image_get_finalized(r)))
        return false;
    if (r->at != r->end) return image_bad(r, "%zu bytes are left over", (size_t)(r->end - r->at));
    if (!image_finish_classes(r) || !image_check_later(r) || !image_fill_tables(r) ||
        !image_check_custom(r))
        return false;
    return image_check_frames(r, value);
}

static bool check_modules(ImageReader *r, Value modules) {
    if (!is_kind(modules, TYPE_LIST)) return image_bad(r, "it names no modules");
    for (uint64_t i = 0; i < AS_LIST(modules)->count; i++) {
        Value module = AS_LIST(modules)->items[i];
        if (!is_kind(module, TYPE_MODULE) || !is_exact(AS(Module, module)->name, TYPE_STR) ||
            image_is_always_there(AS(Module, module)->name))
            return image_bad(r, "a module of the engine itself");
    }
    return true;
}

/* The modules that a task or a VM brings along take their places. */
static bool adopt_modules(ImageReader *r, Value modules) {
    for (uint64_t i = 0; i < AS_LIST(modules)->count; i++) {
        Value module = AS_LIST(modules)->items[i], name = AS(Module, module)->name;
        if (!dict_set_str(r->vm, r->vm->modules, name, module)) return false;
        if (str_is(name, "__main__")) r->vm->main_module = module;
    }
    return true;
}

/* What the caller gets of the root. */
bool image_take_root(ImageReader *r, Value *value) {
    if (r->root == IMAGE_ROOT_VALUE)
        return (!r->task || image_bad(r, "a task among values")) && image_place_classes(r);
    Value task = r->task ? object_value(r->task) : VALUE_NONE;
    if ((r->root == IMAGE_ROOT_TASK) != (r->task != NULL) || !is_kind(*value, TYPE_TUPLE) ||
        AS_TUPLE(*value)->count != 3 || AS_TUPLE(*value)->items[0] != task)
        return image_bad(r, "its root is not what it should be");
    const Value *items = AS_TUPLE(*value)->items;
    if (!image_check_state(r, items[2]) || !check_modules(r, items[1]) || !image_place_classes(r) ||
        !adopt_modules(r, items[1]) || !image_take_state(r->vm, items[2], r->task))
        return false;
    *value = task;
    return true;
}

static ImageReader new_reader(GenVM *vm, const uint8_t *data, size_t size) {
    ImageReader r = {.vm = vm,
                     .at = data,
                     .start = data,
                     .end = data + size,
                     .missing = VALUE_UNSET,
                     .additions = VALUE_UNSET,
                     .host_states = VALUE_UNSET};
    for (int i = 0; i < IMAGE_NAMES_COUNT; i++)
        r.names[i] = VALUE_UNSET;
    return r;
}

static void free_reader(ImageReader *r) {
    for (uint32_t i = 0; i < r->stack_count; i++)
        memory_free(r->stacks[i].frames);
    memory_free(r->stacks);
    memory_free(r->objects);
    memory_free(r->tags);
    memory_free(r->pending);
}

Value image_load_value(GenVM *vm, const uint8_t *data, size_t size) {
    return image_load_with(vm, data, size, VALUE_UNSET);
}

Value image_load_with(GenVM *vm, const uint8_t *data, size_t size, Value additions) {
    ImageReader r = new_reader(vm, data, size);
    r.additions = additions;
    Value value = VALUE_ERROR;
    bool ok = read_all(&r, &value);
    free_reader(&r);
    return ok ? value : VALUE_ERROR;
}

Value image_needs(GenVM *vm, const uint8_t *data, size_t size) {
    ImageReader r = new_reader(vm, data, size);
    ImageRoot root;
    return read_head(&r, &root) ? read_needs(&r) : VALUE_ERROR;
}

Value image_imports(GenVM *vm, const uint8_t *data, size_t size) {
    Value needs = image_needs(vm, data, size);
    if (needs == VALUE_ERROR ||
        !raise_names(vm, EXC_IMPORT_ERROR,
                     "the image needs modules that are not of the library: %S",
                     missing_modules(vm, needs, true)))
        return VALUE_ERROR;
    return missing_modules(vm, needs, false);
}

static bool put_entry(GenVM *vm, Dict *dict, const char *name, Value value) {
    return value != VALUE_ERROR &&
           dict_set_str(vm, dict, str_intern_from(vm, name, strlen(name)), value);
}

/* The shells are read, for the names in them; what they have made is dropped. */
static bool read_names(ImageReader *r, ImageRoot root) {
    for (int i = 0; i < IMAGE_NAMES_COUNT; i++)
        if ((r->names[i] = list_new(r->vm, 0)) == VALUE_ERROR) return false;
    if (root == IMAGE_ROOT_CODE) return true;
    bool ok = reserve_records(r) && read_shells(r);
    if (!ok && r->missing != VALUE_UNSET) error_clear(r->vm);
    if (r->missing == VALUE_UNSET) r->missing = list_new(r->vm, 0);
    return r->missing != VALUE_ERROR && (ok || AS_LIST(r->missing)->count);
}

static Value inspect(ImageReader *r) {
    static const char *const roots[] = {"value", "task", "vm", "code"};
    static const char *const names[] = {"types", "natives", "library"};
    GenVM *vm = r->vm;
    ImageRoot root;
    if (!read_head(r, &root)) return VALUE_ERROR;
    if (root > IMAGE_ROOT_CODE) return image_bad(r, "its root is of an unknown kind"), VALUE_ERROR;
    Value modules = read_needs(r), result = dict_new(vm);
    if (modules == VALUE_ERROR || result == VALUE_ERROR || !read_names(r, root)) return VALUE_ERROR;
    Dict *dict = AS_DICT(result);
    bool ok = put_entry(vm, dict, "version", int_value(IMAGE_VERSION)) &&
              put_entry(vm, dict, "engine",
                        str_format(vm, "%016llx", (unsigned long long)image_engine(vm))) &&
              put_entry(vm, dict, "root", str_from(vm, roots[root])) &&
              put_entry(vm, dict, "modules", modules) &&
              put_entry(vm, dict, "records", int_from_u64(vm, r->count)) &&
              put_entry(vm, dict, "size", int_from_u64(vm, (uint64_t)(r->end - r->start) + 8));
    for (int i = 0; ok && i < IMAGE_NAMES_COUNT; i++)
        ok = put_entry(vm, dict, names[i], r->names[i]);
    ok = ok &&
         put_entry(vm, dict, "missing", r->missing == VALUE_UNSET ? list_new(vm, 0) : r->missing);
    return ok ? result : VALUE_ERROR;
}

Value image_inspect(GenVM *vm, const uint8_t *data, size_t size) {
    ImageReader r = new_reader(vm, data, size);
    Value result = inspect(&r);
    free_reader(&r);
    return result;
}
