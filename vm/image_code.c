/* image_code.c - code in images: a serial form that stands for itself, and the table of codes by
 * the hash of it.
 *
 * The serial form holds constants, names and inner code within it and refers to nothing outside, so
 * equal code has equal bytes wherever it is. What the interpreter has written into the instructions
 * (quickened forms, caches) is taken back: the bytes are those that the compiler made.
 *
 * Code is: flags and counts; name, qualname, filename, doc; varnames, cellvars, freevars (0, or 1 +
 * count and that many texts); a register for each of cellvars; the instructions (op a b c imm, and
 * the name of those with three words); constants; exception ranges; variables of inlined
 * comprehensions; loops; positions (0: as the word before). A constant is a byte of Constant and
 * what belongs to it.
 *
 * The frozen form, for the library, is the same with less: inner code has no hash; the names of a
 * module stand in front of it, by whose numbers it mentions them; positions are runs of words and
 * their lines. What a function does, from its instructions on, is left in the frozen bytes until it
 * is first called (THAW, its only instruction until then) or looked at (code_thaw): most functions
 * of most modules never are. Registers, parameters, names and docstring are there from the start.
 */
#include "vm/image_private.h"
#include "vm/memory.h"
#include <stdlib.h>
#include "vm/sha256.h"

typedef enum Constant {
    K_NONE,
    K_FALSE,
    K_TRUE,
    K_NOT_IMPLEMENTED,
    K_ELLIPSIS,
    K_INT,
    K_BIG,
    K_FLOAT,
    K_COMPLEX,
    K_STR,
    K_NAME, /* a str that is to be interned */
    K_BYTES,
    K_TUPLE,
    K_FROZENSET,
    K_CODE,
    K_SLICE,
    K_UNSET,
    K_KNOWN_NAME, /* of the frozen form: its number */
} Constant;

typedef struct FrozenNames { /* while a module is frozen */
    Value *items;            /* malloc's */
    uint32_t count, capacity;
} FrozenNames;

enum { REGS_MOST = 1 << 20 };

/* Fuzzing gets nowhere when it has to guess hashes: they are made right in the bytes, from the
 * inside out (tests/fuzz/image.c). */
#ifdef GEN_LIBFUZZER
enum { TRUST_HASHES = true };
#else
enum { TRUST_HASHES = false };
#endif

static bool put_code(GenVM *vm, ImageBytes *out, Code *code);

/* ---- the names of the frozen form ---- */

static bool add_name(GenVM *vm, FrozenNames *names, Value name) {
    if (names->count == names->capacity) {
        uint32_t capacity = names->capacity ? names->capacity * 2 : 64;
        Value *larger = memory_resize(vm, names->items, capacity * sizeof *larger);
        if (!larger) return false;
        names->items = larger;
        names->capacity = capacity;
    }
    names->items[names->count++] = name;
    return true;
}

/* Its number; it gets one if it has none. */
static uint32_t number_of_name(ImageBytes *out, Value name) {
    FrozenNames *names = out->frozen;
    for (uint32_t i = 0; i < names->count; i++)
        if (names->items[i] == name || str_equal(names->items[i], name)) return i;
    if (!add_name(out->vm, names, name)) out->failed = true;
    return names->count - 1;
}

static void put_name(ImageBytes *out, Value name) {
    if (out->frozen)
        image_put_number(out, number_of_name(out, name));
    else
        image_put_text(out, name);
}

static void put_name_constant(ImageBytes *out, Value name) {
    image_put_byte(out, out->frozen ? K_KNOWN_NAME : K_NAME);
    put_name(out, name);
}

/* ---- writing ---- */

static void put_double(ImageBytes *out, double d) {
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    image_put_long(out, bits);
}

static void put_big(ImageBytes *out, const BigInt *big) {
    uint64_t count = (uint64_t)(big->size < 0 ? -big->size : big->size);
    image_put_byte(out, K_BIG);
    image_put_number(out, count << 1 | (big->size < 0));
    for (uint64_t i = 0; i < count; i++)
        image_put_long(out, big->limbs[i]);
}

static bool put_constant(GenVM *vm, ImageBytes *out, Value v);

static bool put_constants(GenVM *vm, ImageBytes *out, const Value *items, uint64_t count) {
    if (!native_enter(vm)) return false;
    bool ok = true;
    for (uint64_t i = 0; ok && i < count; i++)
        ok = put_constant(vm, out, items[i]);
    native_leave(vm);
    return ok;
}

/* Sets of numbers keep the layout of their table, and so the order in which they are iterated. */
static bool has_layout(const Set *set) {
    return !set->has_objects && set->filled == set->count && set->count;
}

/* Items of a set without layout, in the order of their bytes: that of the table comes from the VM's
 * hash key. */
typedef struct Piece {
    const uint8_t *data;
    size_t size;
} Piece;

static int compare_pieces(const void *left, const void *right) {
    const Piece *a = left, *b = right;
    int order = memcmp(a->data, b->data, a->size < b->size ? a->size : b->size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

static bool put_sorted(GenVM *vm, ImageBytes *out, const Set *set) {
    ImageBytes items;
    image_bytes_init(&items, vm);
    uint64_t count = 0;
    Piece *pieces = memory_new(vm, (set->count + 1) * sizeof *pieces);
    bool ok = pieces != NULL;
    for (uint64_t i = 0; ok && i <= set->mask; i++) {
        if (set->table[i].key == VALUE_UNSET || set->table[i].key == VALUE_DELETED) continue;
        size_t before = items.size;
        ok = put_constant(vm, &items, set->table[i].key);
        pieces[count++].size = items.size - before;
    }
    const uint8_t *data = items.data;
    ok = ok && !items.failed;
    for (uint64_t i = 0; ok && i < count; data += pieces[i++].size)
        pieces[i].data = data;
    if (ok) qsort(pieces, count, sizeof *pieces, compare_pieces);
    for (uint64_t i = 0; ok && i < count; i++)
        image_put(out, pieces[i].data, pieces[i].size);
    if (!ok && vm->exception == VALUE_UNSET) raise_memory(vm);
    memory_free(pieces);
    image_bytes_free(&items);
    return ok;
}

static bool put_frozenset(GenVM *vm, ImageBytes *out, Set *set) {
    bool ok = native_enter(vm), layout = has_layout(set);
    if (!ok) return false;
    image_put_byte(out, K_FROZENSET);
    image_put_number(out, layout ? (uint64_t)set->mask + 1 : 0);
    image_put_number(out, set->count);
    if (!layout) ok = put_sorted(vm, out, set);
    for (uint64_t i = 0; layout && ok && i <= set->mask; i++) {
        if (set->table[i].key == VALUE_UNSET || set->table[i].key == VALUE_DELETED) continue;
        image_put_number(out, i);
        ok = put_constant(vm, out, set->table[i].key);
    }
    native_leave(vm);
    return ok;
}

/* By its text alone, so that equal code has equal bytes: whether a str is interned depends on what
 * else the VM has done. All names that the compiler emits are among these. */
static bool reads_as_name(const Str *str) {
    for (uint32_t i = 0; i < str->size; i++) {
        unsigned char c = (unsigned char)str->data[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '.' || c >= 128;
        if (!word) return false;
    }
    return !(str->header.flags & STR_SURROGATES);
}

static bool put_object(GenVM *vm, ImageBytes *out, Value v) {
    double real, imaginary;
    switch ((TypeId)as_object(v)->kind) {
    case TYPE_INT: put_big(out, AS(BigInt, v)); return true;
    case TYPE_FLOAT:
        image_put_byte(out, K_FLOAT);
        put_double(out, value_float(v));
        return true;
    case TYPE_COMPLEX:
        complex_parts(v, &real, &imaginary);
        image_put_byte(out, K_COMPLEX);
        put_double(out, real);
        put_double(out, imaginary);
        return true;
    case TYPE_STR:
        if (reads_as_name(AS_STR(v))) {
            put_name_constant(out, v);
        } else {
            image_put_byte(out, K_STR);
            image_put_text(out, v);
        }
        return true;
    case TYPE_BYTES:
        image_put_byte(out, K_BYTES);
        image_put_number(out, AS(Bytes, v)->size);
        image_put(out, AS(Bytes, v)->data, AS(Bytes, v)->size);
        return true;
    case TYPE_TUPLE:
        image_put_byte(out, K_TUPLE);
        image_put_number(out, AS_TUPLE(v)->count);
        return put_constants(vm, out, AS_TUPLE(v)->items, AS_TUPLE(v)->count);
    case TYPE_FROZENSET: return put_frozenset(vm, out, AS_SET(v));
    case TYPE_CODE: image_put_byte(out, K_CODE); return put_code(vm, out, AS(Code, v));
    case TYPE_SLICE:
        image_put_byte(out, K_SLICE);
        return put_constants(vm, out, &AS(Slice, v)->start, 3);
    default: raise_type(vm, "%T: cannot be saved as a constant of code", v); return false;
    }
}

static bool put_constant(GenVM *vm, ImageBytes *out, Value v) {
    const Object *object = is_object(v) ? as_object(v) : NULL;
    if (v == VALUE_UNSET) {
        image_put_byte(out, K_UNSET);
    } else if (is_int(v)) {
        image_put_byte(out, K_INT);
        image_put_number(out, image_zigzag(as_int(v)));
    } else if (is_float(v)) {
        image_put_byte(out, K_FLOAT);
        put_double(out, as_float(v));
    } else if (object >= gen_singletons && object < gen_singletons + 5) {
        image_put_byte(out, (uint8_t)(K_NONE + (object - gen_singletons)));
    } else {
        return put_object(vm, out, v);
    }
    return true;
}

static void put_names(ImageBytes *out, const Tuple *names) {
    image_put_number(out, names ? names->count + 1 : 0);
    for (uint64_t i = 0; names && i < names->count; i++)
        put_name(out, names->items[i]);
}

/* Operands of these three-word instructions beside a and b are the interpreter's. */
static bool caches_operands(Opcode op) {
    return op == OP_GETATTR || op == OP_SETATTR || op == OP_LDMETH || op == OP_LDMETHG;
}

static void put_instructions(ImageBytes *out, const Code *code) {
    image_put_number(out, code->instr_count);
    for (uint32_t i = 0; i < code->instr_count;) {
        Instr instr = code->instrs[i];
        Opcode op = code_generic_op(code, instr_op(instr));
        bool cached = caches_operands(op);
        uint8_t bytes[4] = {(uint8_t)op, (uint8_t)instr_a(instr), (uint8_t)instr_b(instr),
                            cached ? 0 : (uint8_t)instr_c(instr)};
        image_put(out, bytes, sizeof bytes);
        image_put_number(out, cached ? 0 : image_zigzag(instr_imm(instr)));
        uint32_t words = code_op_info[op].words;
        if (words == 3) image_put_number(out, (uint32_t)instr_imm(code->instrs[i + 1]));
        i += words;
    }
}

/* Pairs: how many words, zigzag the line less the line before. */
static void put_lines(ImageBytes *out, const Code *code) {
    int64_t last = code->first_line;
    image_put_byte(out, code->positions != NULL);
    for (uint32_t i = 0, end; code->positions && i < code->instr_count; i = end) {
        int64_t line = code->positions[i].line;
        for (end = i + 1; end < code->instr_count && code->positions[end].line == line;)
            end++;
        image_put_number(out, end - i);
        image_put_number(out, image_zigzag(line - last));
        last = line;
    }
}

static void put_positions(ImageBytes *out, const Code *code) {
    Position last = {0, 0, 0, 0};
    image_put_byte(out, code->positions != NULL);
    for (uint32_t i = 0; code->positions && i < code->instr_count; i++) {
        Position here = code->positions[i];
        if (!memcmp(&here, &last, sizeof here)) {
            image_put_byte(out, 0);
            continue;
        }
        image_put_number(out, image_zigzag((int64_t)here.line - last.line) + 1);
        image_put_number(out, image_zigzag((int64_t)here.end_line - here.line));
        image_put_number(out, here.col);
        image_put_number(out, here.end_col);
        last = here;
    }
}

/* What is left behind in the frozen bytes. */
static bool put_body(GenVM *vm, ImageBytes *out, const Code *code) {
    put_instructions(out, code);
    image_put_number(out, code->const_count);
    if (!put_constants(vm, out, code->consts, code->const_count)) return false;
    image_put_number(out, code->range_count);
    for (uint32_t i = 0; i < code->range_count; i++) {
        const uint32_t range[] = {code->ranges[i].start, code->ranges[i].end,
                                  code->ranges[i].handler, code->ranges[i].reg};
        for (int j = 0; j < 4; j++)
            image_put_number(out, range[j]);
    }
    image_put_number(out, code->inlined_count);
    for (uint32_t i = 0; i < code->inlined_count; i++) {
        const uint32_t inlined[] = {code->inlined[i].start, code->inlined[i].end,
                                    code->inlined[i].reg, code->inlined[i].name};
        for (int j = 0; j < 4; j++)
            image_put_number(out, inlined[j]);
    }
    image_put_number(out, code->loop_count);
    for (uint32_t i = 0; i < code->loop_count; i++) {
        image_put_number(out, code->loops[i].start);
        image_put_number(out, code->loops[i].end);
        image_put_number(out, code->loops[i].reg);
    }
    if (out->frozen)
        put_lines(out, code);
    else
        put_positions(out, code);
    return true;
}

/* The sizes of its arrays, then the size of the body and the body. */
static bool put_frozen_body(GenVM *vm, ImageBytes *out, const Code *code) {
    ImageBytes body;
    image_bytes_init(&body, vm);
    body.frozen = out->frozen;
    bool ok = put_body(vm, &body, code);
    image_put_number(out, code->instr_count);
    image_put_number(out, code->const_count);
    image_put_number(out, body.size);
    if (ok) image_put(out, body.data, body.size);
    if (body.failed) out->failed = true;
    image_bytes_free(&body);
    return ok;
}

static bool put_parts(GenVM *vm, ImageBytes *out, Code *code) {
    if (code->flags & CODE_STUB) {
        raise_type(vm, "code of the engine itself cannot be saved");
        return false;
    }
    const uint32_t numbers[] = {code->flags,         code->regs,           code->arg_count,
                                code->posonly_count, code->kwonly_count,   code->local_count,
                                code->first_line,    code->iterated_params};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        image_put_number(out, numbers[i]);
    put_name(out, code->name);
    put_name(out, code->qualname);
    put_name(out, code->filename);
    if (!put_constant(vm, out, code->doc)) return false;
    put_names(out, code->varnames);
    put_names(out, code->cellvars);
    put_names(out, code->freevars);
    for (uint64_t i = 0; code->cellvars && i < code->cellvars->count; i++)
        image_put_number(out, code->cell_regs[i]);
    return out->frozen ? put_frozen_body(vm, out, code) : put_body(vm, out, code);
}

/* The hash and the serial form, kept with the code. */
static const Bytes *image_of(GenVM *vm, Code *code) {
    if (code->image) return code->image;
    if (!code_thaw(vm, code)) return NULL;
    ImageBytes out;
    image_bytes_init(&out, vm);
    bool ok = native_enter(vm);
    if (ok) {
        ok = put_parts(vm, &out, code);
        native_leave(vm);
    }
    if (ok && out.failed) ok = (raise_memory(vm), false);
    Value image = ok ? bytes_new(vm, NULL, IMAGE_HASH_SIZE + out.size) : VALUE_ERROR;
    if (image != VALUE_ERROR) {
        uint8_t digest[32], *data = AS(Bytes, image)->data;
        sha256(out.data, out.size, digest);
        memcpy(data, digest, IMAGE_HASH_SIZE);
        memcpy(data + IMAGE_HASH_SIZE, out.data, out.size);
        code->image = AS(Bytes, image);
        gc_barrier(vm, code);
    }
    image_bytes_free(&out);
    return image == VALUE_ERROR ? NULL : code->image;
}

static bool put_code(GenVM *vm, ImageBytes *out, Code *code) {
    if (out->frozen) return put_parts(vm, out, code);
    const Bytes *image = image_of(vm, code);
    if (!image) return false;
    image_put_number(out, image->size - IMAGE_HASH_SIZE);
    image_put(out, image->data, image->size);
    return true;
}

/* ---- the table ---- */

typedef struct ImageCodes {
    uint32_t count, capacity; /* a power of two */
    Code **slots;             /* NULL: free; found by the hash in their image */
} ImageCodes;

static uint32_t first_slot(const uint8_t *hash) {
    return hash[0] | (uint32_t)hash[1] << 8 | (uint32_t)hash[2] << 16 | (uint32_t)hash[3] << 24;
}

static Code **slot_of(ImageCodes *table, const uint8_t *hash) {
    for (uint32_t at = first_slot(hash);; at++) {
        Code **slot = &table->slots[at & (table->capacity - 1)];
        if (!*slot || !memcmp((*slot)->image->data, hash, IMAGE_HASH_SIZE)) return slot;
    }
}

static bool resize_table(GenVM *vm, ImageCodes *table, uint32_t capacity) {
    Code **old = table->slots, **slots = memory_new_zeroed(vm, capacity, sizeof *slots);
    if (!slots) return false;
    uint32_t old_capacity = table->capacity;
    table->slots = slots;
    table->capacity = capacity;
    for (uint32_t i = 0; i < old_capacity; i++)
        if (old[i]) *slot_of(table, old[i]->image->data) = old[i];
    memory_free(old);
    return true;
}

static ImageCodes *table_of(GenVM *vm) {
    if (!vm->image_codes) vm->image_codes = memory_new_zeroed(vm, 1, sizeof *vm->image_codes);
    ImageCodes *table = vm->image_codes;
    if (!table) return NULL;
    if ((table->count + 1) * 2 > table->capacity &&
        !resize_table(vm, table, table->capacity ? table->capacity * 2 : 32))
        return NULL;
    return table;
}

/* Notes a code whose image is known; without memory it is just not found later. */
static void add_code(GenVM *vm, Code *code) {
    ImageCodes *table = table_of(vm);
    if (!table) return;
    Code **slot = slot_of(table, code->image->data);
    if (*slot) return;
    *slot = code;
    table->count++;
}

static Code *find_code(GenVM *vm, const uint8_t *hash) {
    ImageCodes *table = vm->image_codes;
    return table && table->capacity ? *slot_of(table, hash) : NULL;
}

void image_codes_sweep(GenVM *vm) {
    ImageCodes *table = vm->image_codes;
    if (!table) return;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < table->capacity; i++) {
        Code *code = table->slots[i];
        if (code && !(code->header.gc & (GC_MARKED | GC_PERMANENT))) table->slots[i] = NULL;
        kept += table->slots[i] != NULL;
    }
    if (kept == table->count) return;
    table->count = kept;
    if (!resize_table(vm, table, table->capacity)) { /* without memory nothing is found any more */
        table->count = 0;
        memset(table->slots, 0, table->capacity * sizeof *table->slots);
    }
}

void image_codes_free(GenVM *vm) {
    if (vm->image_codes) memory_free(vm->image_codes->slots);
    memory_free(vm->image_codes);
    vm->image_codes = NULL;
}

bool image_code_hash(GenVM *vm, Code *code, uint8_t hash[IMAGE_HASH_SIZE]) {
    const Bytes *image = image_of(vm, code);
    if (!image) return false;
    memcpy(hash, image->data, IMAGE_HASH_SIZE);
    return true;
}

bool image_put_code(GenVM *vm, ImageBytes *out, Code *code) {
    if (!put_code(vm, out, code)) return false;
    add_code(vm, code);
    return true;
}

/* ---- reading ---- */

static bool get_constant(ImageReader *r, Value *out);

/* In the tuple of the module's names, whose items are at first where their texts lie. */
static bool get_known_name(ImageReader *r, Value *out) {
    uint64_t number = image_get_number(r);
    if (number >= r->frozen->count) return image_bad(r, "a name that was not mentioned");
    Value *name = &r->frozen->items[number];
    if (is_int(*name)) {
        ImageReader text = *r;
        const uint8_t *data;
        text.at = text.start + as_int(*name);
        uint64_t size = image_get_number(&text);
        if (!image_get_bytes(&text, &data, size)) return false;
        Value known = str_intern_from(r->vm, (const char *)data, size);
        if (known == VALUE_ERROR) return false;
        *name = known;
        gc_barrier(r->vm, r->frozen);
    }
    *out = *name;
    return true;
}

static bool get_name(ImageReader *r, Value *out) {
    return r->frozen ? get_known_name(r, out) : image_get_name(r, out);
}

/* Constants within constants: an image can nest them as deeply as it likes. Frozen code cannot, and
 * is brought where nothing can be stopped. */
static bool enter(ImageReader *r) {
    return r->frozen || native_enter(r->vm);
}
static void leave(ImageReader *r) {
    if (!r->frozen) native_leave(r->vm);
}

static bool get_constants(ImageReader *r, Value *items, uint64_t count) {
    if (!enter(r)) return false;
    bool ok = true;
    for (uint64_t i = 0; ok && i < count; i++)
        ok = get_constant(r, &items[i]);
    leave(r);
    return ok;
}

static bool get_double(ImageReader *r, double *d) {
    uint64_t bits;
    if (!image_get_long(r, &bits)) return false;
    memcpy(d, &bits, sizeof bits);
    return true;
}

static bool get_big(ImageReader *r, Value *out) {
    uint64_t number = image_get_number(r), count = number >> 1;
    if (count > (size_t)(r->end - r->at) / 8) return image_bad(r, "it is cut off");
    BigInt *big = gc_new(r->vm, sizeof *big + count * 8, TYPE_INT);
    if (!big) return false;
    big->size = number & 1 ? -(int64_t)count : (int64_t)count;
    for (uint64_t i = 0; i < count; i++)
        if (!image_get_long(r, &big->limbs[i])) return false;
    bool normal = count && big->limbs[count - 1] &&
                  (count > 1 || big->limbs[0] > (uint64_t)1 << 61 ||
                   (!(number & 1) && big->limbs[0] == (uint64_t)1 << 61));
    *out = object_value(big);
    return normal || image_bad(r, "an int is not normal");
}

static bool get_str(ImageReader *r, bool name, Value *out) {
    if (name) return image_get_name(r, out);
    const uint8_t *data;
    uint64_t size;
    if (!image_get_count(r, &size, 1) || !image_get_bytes(r, &data, size)) return false;
    if (!r->frozen && !image_check_text(data, size)) return image_bad(r, "text that is not UTF-8");
    *out = str_new(r->vm, (const char *)data, size);
    return *out != VALUE_ERROR;
}

static bool get_bytes(ImageReader *r, Value *out) {
    const uint8_t *data;
    uint64_t size;
    if (!image_get_count(r, &size, 1) || !image_get_bytes(r, &data, size)) return false;
    *out = bytes_new(r->vm, data, size);
    return *out != VALUE_ERROR;
}

static bool get_tuple(ImageReader *r, Value *out) {
    uint64_t count;
    if (!image_get_count(r, &count, 1)) return false;
    *out = tuple_new(r->vm, count);
    return *out != VALUE_ERROR && get_constants(r, AS_TUPLE(*out)->items, count);
}

/* A number in the slot that it had. */
static bool place_number(ImageReader *r, Set *set, uint64_t slot, Value number) {
    uint64_t hash;
    if (is_pointer(number) || leaf_hash(r->vm, number, &hash) != LEAF_TRUE)
        return image_bad(r, "a constant set with an item that is no number");
    return set_place(r->vm, set, slot, number, hash) || image_bad(r, "a constant set's layout");
}

static bool get_frozenset(ImageReader *r, Value *out) {
    uint64_t slots = image_get_number(r), count;
    if (!image_get_count(r, &count, 1)) return false;
    *out = set_new(r->vm, TYPE_FROZENSET);
    if (*out == VALUE_ERROR || !enter(r)) return false;
    Set *set = AS_SET(*out);
    bool ok = true;
    if (slots)
        ok = (slots >= 8 && !(slots & (slots - 1)) && slots / 64 <= count &&
              count * 5 <= slots * 3 + 5 && count < slots && set_lay_out(r->vm, set, slots)) ||
             image_bad(r, "a constant set's layout");
    for (uint64_t i = 0; ok && i < count; i++) {
        Value item;
        uint64_t slot = slots ? image_get_number(r) : 0;
        ok = get_constant(r, &item) && item != VALUE_UNSET &&
             (slots ? place_number(r, set, slot, item)
                    : set_add(r->vm, *out, item) == LEAF_TRUE ||
                          image_bad(r, "a constant set with an item that is no constant"));
    }
    leave(r);
    return ok || image_bad(r, "a constant set");
}

static bool get_slice(ImageReader *r, Value *out) {
    Value parts[3];
    if (!get_constants(r, parts, 3)) return false;
    *out = slice_new(r->vm, parts[0], parts[1], parts[2]);
    return *out != VALUE_ERROR;
}

static Code *get_code(ImageReader *r);

static bool get_constant(ImageReader *r, Value *out) {
    double real, imaginary;
    uint64_t tag = image_get_number(r);
    if (r->vm->exception != VALUE_UNSET) return false;
    if (tag > (r->frozen ? K_KNOWN_NAME : K_UNSET)) return image_bad(r, "an unknown constant");
    switch ((Constant)tag) {
    case K_NONE:
    case K_FALSE:
    case K_TRUE:
    case K_NOT_IMPLEMENTED:
    case K_ELLIPSIS: *out = object_value(&gen_singletons[tag - K_NONE]); return true;
    case K_UNSET: *out = VALUE_UNSET; return true;
    case K_INT: {
        uint64_t number = image_get_number(r);
        int64_t i = (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
        if (!int_fits(i)) return image_bad(r, "an int is not normal");
        *out = int_value(i);
        return true;
    }
    case K_BIG: return get_big(r, out);
    case K_FLOAT:
        if (!get_double(r, &real)) return false;
        return (*out = float_value(r->vm, real)) != VALUE_ERROR;
    case K_COMPLEX:
        if (!get_double(r, &real) || !get_double(r, &imaginary)) return false;
        return (*out = complex_new(r->vm, real, imaginary)) != VALUE_ERROR;
    case K_STR:
    case K_NAME: return get_str(r, tag == K_NAME, out);
    case K_BYTES: return get_bytes(r, out);
    case K_TUPLE: return get_tuple(r, out);
    case K_FROZENSET: return get_frozenset(r, out);
    case K_CODE: {
        Code *code = get_code(r);
        if (code) *out = object_value(code);
        return code != NULL;
    }
    case K_SLICE: return get_slice(r, out);
    case K_KNOWN_NAME: return get_known_name(r, out);
    }
    return image_bad(r, "an unknown constant");
}

static bool get_names(ImageReader *r, Tuple **names) {
    uint64_t count;
    if (!image_get_count(r, &count, 1)) return false;
    *names = NULL;
    if (count == 0) return true;
    Value tuple = tuple_new(r->vm, count - 1);
    if (tuple == VALUE_ERROR) return false;
    *names = AS_TUPLE(tuple);
    for (uint64_t i = 0; i < count - 1; i++)
        if (!get_name(r, &AS_TUPLE(tuple)->items[i])) return false;
    return true;
}

static bool get_numbers(ImageReader *r, Code *code) {
    uint32_t *const numbers[] = {&code->flags,         &code->regs,           &code->arg_count,
                                 &code->posonly_count, &code->kwonly_count,   &code->local_count,
                                 &code->first_line,    &code->iterated_params};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!image_get_u32(r, numbers[i])) return false;
    if (code->regs > REGS_MOST) return image_bad(r, "code with %u registers", code->regs);
    return get_name(r, &code->name) && get_name(r, &code->qualname) && get_name(r, &code->filename);
}

static bool get_cells(ImageReader *r, Code *code) {
    uint64_t count = code->cellvars ? code->cellvars->count : 0;
    if (count > (size_t)(r->end - r->at)) return image_bad(r, "it is cut off");
    if (!count) return true;
    uint32_t *regs = code_reserve(r->vm, code, CODE_CELL_REGS, count * sizeof *regs);
    if (!regs) return false;
    for (uint64_t i = 0; i < count; i++)
        if (!image_get_u32(r, &regs[i])) return false;
    return true;
}

static bool get_instructions(ImageReader *r, Code *code) {
    uint64_t count;
    if (!image_get_count(r, &count, 1) || count > UINT32_MAX / 16)
        return image_bad(r, "it is cut off");
    if (!code->instrs && !code_reserve(r->vm, code, CODE_INSTRS, (count + 1) * sizeof(Instr)))
        return false;
    Instr *instrs = code->instrs;
    code->instr_count = (uint32_t)count;
    for (uint64_t i = 0; i < count;) {
        const uint8_t *bytes;
        if (!image_get_bytes(r, &bytes, 4)) return false;
        uint64_t imm = image_get_number(r);
        if (imm > UINT32_MAX) return image_bad(r, "an instruction is too wide");
        int32_t operand = (int32_t)(uint32_t)(imm >> 1) ^ -(int32_t)(imm & 1);
        instrs[i] = instr_make((Opcode)bytes[0], bytes[1], bytes[2], bytes[3], operand);
        uint32_t words = code_op_info[bytes[0]].words;
        if (i + words > count) return image_bad(r, "the last instruction is cut off");
        if (words == 2) instrs[i + 1] = instr_make(OP_SKIP1, 0, 0, 0, 0);
        if (words == 3) {
            uint32_t name;
            if (!image_get_u32(r, &name)) return false;
            instrs[i + 1] = instr_make(OP_SKIP2, 0, 0, 0, (int32_t)name);
            instrs[i + 2] = 0;
        }
        i += words;
    }
    return true;
}

static bool reserve_constants(GenVM *vm, Code *code, uint64_t count) {
    if (code->consts) return true;
    Value *consts = code_reserve(vm, code, CODE_CONSTS, (count + 1) * sizeof *consts);
    if (!consts) return false;
    for (uint64_t i = 0; i < count; i++)
        consts[i] = VALUE_NONE;
    code->const_count = (uint32_t)count;
    return true;
}

static bool get_constant_table(ImageReader *r, Code *code) {
    uint64_t count;
    if (!image_get_count(r, &count, 1) || count > UINT32_MAX) return image_bad(r, "it is cut off");
    return reserve_constants(r->vm, code, count) && get_constants(r, code->consts, count);
}

static bool get_ranges(ImageReader *r, Code *code) {
    uint64_t count;
    if (!image_get_count(r, &count, 4) || count > UINT32_MAX) return image_bad(r, "it is cut off");
    if (!count) return true;
    ExceptionRange *ranges = code_reserve(r->vm, code, CODE_RANGES, count * sizeof *ranges);
    if (!ranges) return false;
    code->range_count = (uint32_t)count;
    for (uint64_t i = 0; i < count; i++)
        if (!image_get_u32(r, &ranges[i].start) || !image_get_u32(r, &ranges[i].end) ||
            !image_get_u32(r, &ranges[i].handler) || !image_get_u32(r, &ranges[i].reg))
            return false;
    return true;
}

static bool get_inlined(ImageReader *r, Code *code) {
    uint64_t count;
    if (!image_get_count(r, &count, 4) || count > UINT32_MAX) return image_bad(r, "it is cut off");
    if (!count) return true;
    InlinedVariable *inlined = code_reserve(r->vm, code, CODE_INLINED, count * sizeof *inlined);
    if (!inlined) return false;
    code->inlined_count = (uint32_t)count;
    for (uint64_t i = 0; i < count; i++)
        if (!image_get_u32(r, &inlined[i].start) || !image_get_u32(r, &inlined[i].end) ||
            !image_get_u32(r, &inlined[i].reg) || !image_get_u32(r, &inlined[i].name))
            return false;
    return true;
}

static bool get_loops(ImageReader *r, Code *code) {
    uint64_t count;
    if (!image_get_count(r, &count, 3) || count > UINT32_MAX) return image_bad(r, "it is cut off");
    if (!count) return true;
    LoopRange *loops = code_reserve(r->vm, code, CODE_LOOPS, count * sizeof *loops);
    if (!loops) return false;
    code->loop_count = (uint32_t)count;
    for (uint64_t i = 0; i < count; i++)
        if (!image_get_u32(r, &loops[i].start) || !image_get_u32(r, &loops[i].end) ||
            !image_get_u32(r, &loops[i].reg))
            return false;
    return true;
}

static bool get_position(ImageReader *r, Position *position) {
    uint64_t delta = image_get_number(r);
    if (delta == 0) return true;
    uint64_t end = image_get_number(r), line;
    delta--;
    line = position->line + (uint64_t)((int64_t)(delta >> 1) ^ -(int64_t)(delta & 1));
    end = line + (uint64_t)((int64_t)(end >> 1) ^ -(int64_t)(end & 1));
    if (line > UINT32_MAX || end > UINT32_MAX) return image_bad(r, "a line number is out of range");
    position->line = (uint32_t)line;
    position->end_line = (uint32_t)end;
    return image_get_u32(r, &position->col) && image_get_u32(r, &position->end_col);
}

static bool get_positions(ImageReader *r, Code *code) {
    if (image_get_number(r) == 0) return true;
    if (code->instr_count > (size_t)(r->end - r->at)) return image_bad(r, "it is cut off");
    Position *positions =
        code_reserve(r->vm, code, CODE_POSITIONS, (code->instr_count + 1) * sizeof *positions);
    if (!positions) return false;
    Position here = {0, 0, 0, 0};
    for (uint32_t i = 0; i < code->instr_count; i++) {
        if (!get_position(r, &here)) return false;
        positions[i] = here;
    }
    return true;
}

static bool get_lines(ImageReader *r, Code *code) {
    if (image_get_number(r) == 0) return true;
    Position *positions =
        code_reserve(r->vm, code, CODE_POSITIONS, (code->instr_count + 1) * sizeof *positions);
    if (!positions) return false;
    uint32_t line = code->first_line;
    for (uint32_t i = 0; i < code->instr_count;) {
        uint64_t words = image_get_number(r), delta = image_get_number(r);
        if (words == 0 || words > code->instr_count - i) return image_bad(r, "lines of no words");
        line += (uint32_t)(delta >> 1) ^ -(uint32_t)(delta & 1);
        while (words--)
            positions[i++] = (Position){line, line, 0, 0};
    }
    return true;
}

/* Data words that follow from a constant. */
static void restore_data(Code *code) {
    for (uint32_t i = 0; i < code->instr_count;
         i += code_op_info[instr_op(code->instrs[i])].words) {
        Opcode op = instr_op(code->instrs[i]);
        uint32_t constant = (uint32_t)instr_imm(code->instrs[i]);
        if ((op == OP_FLOORDIVK || op == OP_MODK) && constant < code->const_count)
            code->instrs[i + 1] = code_reciprocal(code->consts[constant]);
    }
}

static bool get_head(ImageReader *r, Code *code) {
    return get_numbers(r, code) && get_constant(r, &code->doc) && get_names(r, &code->varnames) &&
           get_names(r, &code->cellvars) && get_names(r, &code->freevars) && get_cells(r, code);
}

static bool get_body(ImageReader *r, Code *code) {
    bool ok = get_instructions(r, code) && get_constant_table(r, code) && get_ranges(r, code) &&
              get_inlined(r, code) && get_loops(r, code) &&
              (r->frozen ? get_lines(r, code) : get_positions(r, code));
    if (ok) restore_data(code);
    return ok && r->vm->exception == VALUE_UNSET;
}

static Code *parse(ImageReader *r) {
    Code *code = code_new(r->vm);
    char message[160];
    if (!code || !get_head(r, code) || !get_body(r, code)) return NULL;
    if (r->at != r->end) return image_bad(r, "code with bytes left over"), NULL;
    if (!native_charge(r->vm, code->instr_count)) return NULL;
    if (!code_verify_image(r->vm, code, message, sizeof message))
        return image_bad_code(r, "code of", code, message), NULL;
    return code;
}

/* The code that the bytes of `size` at `data` say. */
static Code *parse_within(const ImageReader *r, const uint8_t *data, uint64_t size) {
    if (!native_enter(r->vm)) return NULL;
    ImageReader inner = *r;
    inner.at = data;
    inner.end = data + size;
    Code *code = parse(&inner);
    native_leave(r->vm);
    return code;
}

/* Its arrays are made now, so that functions and frames can point to them. */
static bool leave_body(ImageReader *r, Code *code) {
    uint32_t instr_count, const_count;
    if (!image_get_u32(r, &instr_count) || !image_get_u32(r, &const_count)) return false;
    size_t size = (instr_count + 1) * sizeof(Instr);
    if (!code_reserve(r->vm, code, CODE_INSTRS, size)) return false;
    memset(code->instrs, 0, size);
    code->instrs[0] = OP_THAW;
    code->instr_count = instr_count;
    if (!reserve_constants(r->vm, code, const_count)) return false;
    code->frozen = r->at;
    code->frozen_start = r->start;
    code->frozen_names = r->frozen;
    uint64_t body = image_get_number(r);
    const uint8_t *bytes;
    return image_get_bytes(r, &bytes, body);
}

static Code *get_frozen(ImageReader *r) {
    Code *code = code_new(r->vm);
    if (!code || !get_head(r, code) || !leave_body(r, code)) return NULL;
    return r->vm->exception == VALUE_UNSET ? code : NULL;
}

/* As if nothing had happened: another call tries again. */
static bool stay_frozen(Code *code) {
    code->range_count = code->inlined_count = code->loop_count = 0;
    code->positions = NULL;
    code->instrs[0] = OP_THAW;
    return false;
}

bool image_thaw_body(GenVM *vm, Code *code) {
    ImageReader r = {.vm = vm,
                     .at = code->frozen,
                     .start = code->frozen_start,
                     .end = code->frozen + PTRDIFF_MAX / 4,
                     .frozen = code->frozen_names};
    uint64_t size = image_get_number(&r);
    r.end = r.at + size;
    if (!get_body(&r, code)) return stay_frozen(code);
    gc_barrier(vm, code);
    code->frozen = NULL;
    code->frozen_names = NULL;
    return true;
}

/* The hash names code of this VM, or what follows is parsed, verified and must have that hash. */
static Code *get_code(ImageReader *r) {
    if (r->frozen) return get_frozen(r);
    uint64_t size = image_get_number(r);
    const uint8_t *hash, *data;
    if (!image_get_bytes(r, &hash, IMAGE_HASH_SIZE) || !image_get_bytes(r, &data, size))
        return NULL;
    Code *code = find_code(r->vm, hash);
    if (code) return code;
    uint8_t digest[32];
    if (!native_charge(r->vm, size / 16)) return NULL;
    sha256(data, size, digest);
    if (!TRUST_HASHES && memcmp(digest, hash, IMAGE_HASH_SIZE) != 0)
        return image_bad(r, "code that is not what its hash says"), NULL;
    code = parse_within(r, data, size);
    if (TRUST_HASHES) {
        sha256(data, size, digest);
        memcpy((uint8_t *)(uintptr_t)hash, digest, IMAGE_HASH_SIZE);
    }
    if (!code) return NULL;
    Value image = bytes_new(r->vm, hash, IMAGE_HASH_SIZE + size);
    if (image == VALUE_ERROR) return NULL;
    code->image = AS(Bytes, image);
    add_code(r->vm, code);
    return code;
}

Code *image_get_code(ImageReader *r) {
    return get_code(r);
}

/* ---- frozen ---- */

/* The names, then the code. */
static void put_module(ImageBytes *out, const FrozenNames *names, const ImageBytes *code) {
    image_put_number(out, names->count);
    for (uint32_t i = 0; i < names->count; i++)
        image_put_text(out, names->items[i]);
    image_put(out, code->data, code->size);
}

Value image_freeze_code(GenVM *vm, Value code) {
    FrozenNames names = {0};
    ImageBytes out, whole;
    image_bytes_init(&out, vm);
    image_bytes_init(&whole, vm);
    out.frozen = &names;
    Value frozen = VALUE_ERROR;
    if (put_parts(vm, &out, AS(Code, code))) {
        put_module(&whole, &names, &out);
        frozen =
            out.failed || whole.failed ? raise_memory(vm) : bytes_new(vm, whole.data, whole.size);
    }
    image_bytes_free(&out);
    image_bytes_free(&whole);
    memory_free(names.items);
    return frozen;
}

/* The tuple of names that get_known_name reads from. */
static bool get_frozen_names(ImageReader *r) {
    uint64_t count;
    if (!image_get_count(r, &count, 1)) return false;
    Value names = tuple_new(r->vm, count);
    if (names == VALUE_ERROR) return false;
    r->frozen = AS_TUPLE(names);
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *text;
        r->frozen->items[i] = int_value(r->at - r->start);
        uint64_t size = image_get_number(r);
        if (!image_get_bytes(r, &text, size)) return false;
    }
    return true;
}

Value image_thaw_code(GenVM *vm, const uint8_t *data, size_t size) {
    ImageReader r = {.vm = vm, .at = data, .start = data, .end = data + size};
    Code *code = get_frozen_names(&r) ? get_frozen(&r) : NULL;
    return code ? object_value(code) : VALUE_ERROR;
}

/* ---- as records ---- */

void save_code_shell(ImageWriter *w, Object *object) {
    if (((Code *)object)->flags & CODE_STUB) {
        image_refuse(w, object, "code of the engine itself cannot be saved");
        return;
    }
    if (!image_put_code(w->vm, w->out, (Code *)object)) w->failed = true;
}
void save_code_body(ImageWriter *w, Object *object) {
    (void)w, (void)object;
}
Object *load_code_shell(ImageReader *r) {
    Code *code = get_code(r);
    return code ? &code->header : NULL;
}
bool load_code_body(ImageReader *r, Object *object) {
    return (void)r, (void)object, true;
}
