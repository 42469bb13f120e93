/* Damages images and loads them: every byte string must give a value that works or a clean error.
 *
 *     cc -g -fsanitize=address,undefined -I . -I vm tests/fuzz/image.c build/asan/libgenvm.a LIBS
 * -o fuzz
 *     ./fuzz SECONDS SEED CORPUS...       files of tests/fuzz/images, made by tests/fuzz/images.gen
 *
 * With clang -fsanitize=fuzzer -DLIBFUZZER the same as a target of libFuzzer. The checksum at the
 * end is made right again, since it is there for accidents; so are the hashes of code, that damaged
 * code gets as far as the verifier. What loads is used: tasks run, generators are iterated, others
 * shown, each within a budget of steps. */
#include "genvm.h"
#include "vm/sha256.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIZE_MOST = 1 << 16, STEPS = 2000 };

static bool swallow(void *context, int stream, const char *data, size_t size) {
    (void)context, (void)stream, (void)data, (void)size;
    return true;
}

static const GenFunction host = {"host(x, /)", NULL, "never answered"};

/* As image_save.c has it. */
static uint64_t checksum(const uint8_t *data, size_t size) {
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

static void mend_checksum(uint8_t *data, size_t size) {
    if (size < 8) return;
    uint64_t sum = checksum(data, size - 8);
    for (int i = 0; i < 8; i++)
        data[size - 8 + (size_t)i] = (uint8_t)(sum >> 8 * i);
}

/* A place where a code's length and hash seem to stand: the hash is made that of what follows. */
static void mend_code(uint8_t *data, size_t size, size_t at) {
    uint64_t length = 0;
    unsigned shift = 0;
    size_t hash = at;
    for (; hash < size && shift < 28; shift += 7) {
        length |= (uint64_t)(data[hash] & 127) << shift;
        if (data[hash++] < 128) break;
    }
    if (length < 20 || hash + 16 + length + 8 > size) return;
    uint8_t digest[32];
    sha256(data + hash + 16, length, digest);
    memcpy(data + hash, digest, 16);
}

static void use(GenVM *vm, GenRef value) {
    GenRef args[1] = {value}, task = gen_task_new(vm, value, 0, NULL);
    GenOutcome outcome;
    if (task == GEN_NULL) {
        gen_error_clear(vm);
        task = gen_task_new(vm, gen_get_attr(vm, gen_import(vm, "builtins"), "repr"), 1, args);
    }
    gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, STEPS);
    for (int i = 0; i < 20; i++) {
        GenStatus status = gen_run(vm, task, &outcome);
        if (status != GEN_YIELDED) break;
    }
    gen_error_clear(vm);
}

static void load(const uint8_t *data, size_t size) {
    GenConfig config = {.size = sizeof config, .write = swallow, .memory_limit = 32 << 20};
    GenVM *vm = gen_vm_new(&config);
    gen_set_attr(vm, gen_import(vm, "builtins"), "host", gen_function(vm, &host));
    GenRef value = gen_load(vm, data, size);
    gen_error_clear(vm);
    if (value != GEN_NULL) {
        GenOutcome outcome;
        if (gen_task_set_budget(vm, value, GEN_BUDGET_STEPS, 1 << 20)) {
            for (int i = 0; i < 20 && gen_run(vm, value, &outcome) == GEN_YIELDED; i++) {
            }
            gen_error_clear(vm);
        } else {
            gen_error_clear(vm);
            use(vm, value);
        }
    }
    gen_vm_finish(vm);
    gen_vm_free(vm);
}

#ifdef LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t copy[SIZE_MOST];
    if (size > SIZE_MOST) return 0;
    memcpy(copy, data, size);
    mend_checksum(copy, size);
    load(copy, size);
    return 0;
}
#else
static uint64_t state;
static uint32_t draw(uint32_t below) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (uint32_t)(state >> 32) % below;
}

static size_t damage(uint8_t *data, size_t size) {
    for (uint32_t i = 1 + draw(4); i > 0 && size > 40; i--) {
        size_t at = 8 + draw((uint32_t)size - 16);
        switch (draw(6)) {
        case 0: data[at] ^= (uint8_t)(1 << draw(8)); break;
        case 1: data[at] = (uint8_t)draw(256); break;
        case 2: data[at] = (uint8_t)(data[at] + 1 - 2 * draw(2)); break;
        case 3: memmove(data + at, data + at + 1, size - at - 1), size--; break;
        case 4: memmove(data + at, data + 8 + draw((uint32_t)size - 20), 4); break;
        default: data[at] = data[8 + draw((uint32_t)size - 16)]; break;
        }
    }
    for (size_t at = 8; at + 30 < size; at++)
        mend_code(data, size, at);
    mend_checksum(data, size);
    return size;
}

static size_t read_file(const char *path, uint8_t *data) {
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(data, 1, SIZE_MOST, file) : 0;
    if (file) fclose(file);
    return size;
}

int main(int argc, char **argv) {
    static uint8_t original[SIZE_MOST], data[SIZE_MOST];
    if (argc < 4) return fputs("usage: fuzz SECONDS SEED FILE...\n", stderr), 2;
    time_t end = time(NULL) + atoi(argv[1]);
    state = strtoull(argv[2], NULL, 10) * 0x9E3779B97F4A7C15u + 1;
    long count = 0;
    while (time(NULL) < end) {
        size_t size = read_file(argv[3 + (int)draw((uint32_t)argc - 3)], original);
        for (int i = 0; i < 50; i++, count++) {
            memcpy(data, original, size);
            size_t damaged = damage(data, size);
            FILE *last = fopen(getenv("LAST") ? getenv("LAST") : "fuzz-image.last", "wb");
            if (last) fwrite(data, 1, damaged, last), fclose(last);
            load(data, damaged);
        }
    }
    printf("%ld images\n", count);
    return 0;
}
#endif
