/* Damaged images, a target for libFuzzer: every byte string must give a value that works or a clean
 * error. See `make fuzz`; the corpus is tests/fuzz/images, made by images.gen and make_images.c and
 * grown by the fuzzer.
 *
 * The engine's number and the sum at the end are made right again, since they are there for
 * accidents; so are the hashes of code, by the reader itself (GEN_LIBFUZZER in image_code.c):
 * damaged code gets as far as the verifier. What loads is used: tasks run on, their calls are
 * answered, values are shown, compared, iterated and called, and so are their methods, all within a
 * budget of steps; then it is saved again. With SEALED=FILE in the environment the image is written
 * there with its hashes made right, as tests/regression/images has them.
 *
 * Mutations know numbers and references: an image is nearly all varints. */
#include "genvm.h"
#include "vm/image_private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MOST = 1 << 16, HEAD = 17, TAIL = 8, STEPS = 6000, TURNS = 30 };

static const char use_source[] =
    "def use(v, deep):\n"
    "    for f in (repr, hash, bool, len, dir, iter, next, lambda v: v == [v], lambda v: "
    "v.close(),\n"
    "              lambda v: [x for x, _ in zip(v, range(9))], lambda v: v(), lambda v: v(1, 2),\n"
    "              lambda v: v.send(None), lambda v: v.__await__().send(None), lambda v: v < v,\n"
    "              lambda v: v.append(1), lambda v: v.throw(KeyError), lambda v: v.__dict__, str,\n"
    "              lambda v: isinstance(1, v), lambda v: v | v, lambda v: v[0], lambda v: 1 in v,\n"
    "              lambda v: v.name, lambda v: reversed(v), lambda v: {v: 1}, callable):\n"
    "        try: f(v)\n"
    "        except Exception: pass\n"
    "    if deep and isinstance(v, (list, tuple, dict)):\n"
    "        for x in list(v)[:30] + (list(v.values())[:30] if isinstance(v, dict) else []):\n"
    "            use(x, deep - 1)\n"
    "def poke(v):\n"
    "    for name in dir(v):\n"
    "        for args in (), (v,), (0,), (1, v):\n"
    "            try: getattr(v, name)(*args)\n"
    "            except Exception: pass\n"
    "use(value, 2)\n"
    "for x in [*value] if isinstance(value, (list, tuple)) else [value]: poke(x)\n";

static bool swallow(void *context, int stream, const char *data, size_t size) {
    (void)context, (void)stream, (void)data, (void)size;
    return true;
}

static const GenFunction host = {"host(x, /)", NULL, "is answered with x"};

static void seal(uint8_t *data, size_t size, const uint8_t *head) {
    memcpy(data, head, HEAD);
    uint64_t sum = image_checksum(data, size - TAIL);
    for (int i = 0; i < TAIL; i++)
        data[size - TAIL + (size_t)i] = (uint8_t)(sum >> 8 * i);
}

static void run(GenVM *vm, GenRef task) {
    GenOutcome outcome;
    GenTicket tickets[8];
    gen_task_set_budget(vm, task, GEN_BUDGET_STEPS,
                        gen_task_spent(vm, task, GEN_BUDGET_STEPS) + STEPS);
    for (int i = 0; i < TURNS; i++) {
        GenScope scope = gen_scope_open(vm);
        GenStatus status = gen_run(vm, task, &outcome);
        gen_error_clear(vm);
        if (status == GEN_CALLOUT &&
            !gen_answer(vm, task, outcome.ticket, gen_get_index(vm, outcome.args, 0)))
            gen_error_clear(vm);
        size_t open = status == GEN_WAITING ? gen_task_tickets(vm, task, tickets, 8) : 0;
        for (size_t t = 0; t < open && t < 8; t++)
            gen_answer(vm, task, tickets[t], gen_int(vm, i));
        gen_error_clear(vm);
        gen_scope_close(vm, scope);
        if (status != GEN_CALLOUT && status != GEN_WAITING && status != GEN_YIELDED) break;
    }
}

static void use(GenVM *vm, GenRef value) {
    if (gen_set_global(vm, "value", value)) run(vm, gen_task_from_source(vm, use_source, "use"));
    gen_error_clear(vm);
}

/* False: it was refused. */
static bool load(GenVM *vm, uint8_t *data, size_t size) {
    gen_image_inspect(vm, data, size);
    gen_error_clear(vm);
    GenRef value = gen_load(vm, data, size);
    gen_error_clear(vm);
    if (value == GEN_NULL) return false;
    bool task = gen_task_set_budget(vm, value, GEN_BUDGET_STEPS, 0);
    gen_error_clear(vm);
    if (task)
        run(vm, value);
    else
        use(vm, value);
    gen_save(vm, value);
    gen_error_clear(vm);
    return true;
}

static void write_sealed(uint8_t *data, size_t size) {
    const char *path = getenv("SEALED");
    FILE *file = path ? fopen(path, "wb") : NULL;
    if (!file) return;
    seal(data, size, data);
    fwrite(data, 1, size, file);
    fclose(file);
}

static GenVM *new_vm(void) {
    GenConfig config = {.size = sizeof config, .write = swallow, .memory_limit = 32 << 20};
    GenVM *vm = gen_vm_new(&config);
    gen_set_attr(vm, gen_import(vm, "builtins"), "host", gen_function(vm, &host));
    return vm;
}

static void drop_vm(GenVM *vm) {
    gen_vm_finish(vm);
    gen_vm_free(vm);
}

/* False: the image was refused. */
static bool feed(GenVM *vm, const uint8_t *bytes, size_t size) {
    uint8_t *data = malloc(size); /* exactly as long as it is, for the sanitizer */
    GenScope scope = gen_scope_open(vm);
    size_t head_size;
    const uint8_t *head = gen_to_bytes(vm, gen_save(vm, gen_none(vm)), &head_size);
    memcpy(data, bytes, size);
    seal(data, size, head);
    if (getenv("SEALED")) {
        gen_load(vm, data, size);
        gen_error_clear(vm);
        write_sealed(data, size);
    }
    bool loaded = load(vm, data, size);
    gen_scope_close(vm, scope);
    free(data);
    return loaded;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size > SIZE_MOST || size < HEAD + TAIL) return 0;
    GenVM *vm = new_vm();
    feed(vm, bytes, size);
    drop_vm(vm);
    return 0;
}

/* ---- mutations ---- */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

static uint64_t state;
static uint32_t draw(uint32_t below) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return below ? (uint32_t)(state >> 32) % below : 0;
}

/* A number as image.h writes values, or any. */
static uint64_t draw_number(void) {
    switch (draw(8)) {
    case 0: return (uint64_t)draw(7) << 2 | 2;
    case 1: return (uint64_t)draw(40) << 2 | 1;
    case 2:
    case 3:
    case 4: return (uint64_t)draw(60) << 2;
    case 5: return draw(40);
    case 6: return (uint64_t)draw(1000) << 2;
    default: return (uint64_t)draw(2) << draw(64) | draw(8);
    }
}

static size_t number_size(const uint8_t *data, size_t left) {
    size_t size = 0;
    while (size < left && size < 10 && data[size++] >= 128) {
    }
    return size ? size : 1;
}

/* `count` bytes at `at` give way to those of `bytes`. */
static size_t replace(uint8_t *data, size_t size, size_t most, size_t at, size_t count,
                      const uint8_t *bytes, size_t with) {
    if (size - count + with > most) return size;
    memmove(data + at + with, data + at + count, size - at - count);
    memcpy(data + at, bytes, with);
    return size - count + with;
}

static size_t mutate_once(uint8_t *data, size_t size, size_t most) {
    uint8_t bytes[64];
    size_t at = HEAD + draw((uint32_t)(size - HEAD - TAIL)), left = size - TAIL - at, with = 0;
    size_t other = HEAD + draw((uint32_t)(size - HEAD - TAIL)), width = 1 + draw(12);
    switch (draw(10)) {
    case 0: data[at] = (uint8_t)(data[at] + 1 - 2 * draw(2)); return size;
    case 1: data[at] = (uint8_t)(data[at] + 4 - 8 * draw(2)); return size;
    case 2: data[at] ^= (uint8_t)(1 << draw(8)); return size;
    case 3: data[at] = data[other]; return size;
    case 4:
        if (width > left) width = left;
        return replace(data, size, most, at, width, NULL, 0);
    case 5: /* a stretch from elsewhere, instead of as much or besides */
    case 6:
        if (width > size - TAIL - other) width = size - TAIL - other;
        memcpy(bytes, data + other, width);
        return replace(data, size, most, at, draw(2) && width <= left ? width : 0, bytes, width);
    default:
        for (uint64_t number = draw_number();; number >>= 7) {
            bytes[with++] = (uint8_t)(number | (number >= 128 ? 128 : 0));
            if (number < 128) break;
        }
        return replace(data, size, most, at, number_size(data + at, left), bytes, with);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
    state = seed * 0x9E3779B97F4A7C15u + 1;
    if (size < HEAD + TAIL + 8 || draw(5) == 0) return LLVMFuzzerMutate(data, size, most);
    for (uint32_t i = 1 + draw(3); i > 0 && size > HEAD + TAIL + 8; i--)
        size = mutate_once(data, size, most);
    return size;
}
