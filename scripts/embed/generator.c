/* Drives generators from C: next, send and close, with a value, the end and an error told apart. */
#include "genvm.h"
#include <stdio.h>

static const char script[] = "def countdown(n):\n"
                             "    while n > 0:\n"
                             "        yield n\n"
                             "        n -= 1\n"
                             "    return 'liftoff'\n"
                             "\n"
                             "def mean():\n"
                             "    total = count = 0\n"
                             "    value = yield\n"
                             "    while True:\n"
                             "        total += value\n"
                             "        count += 1\n"
                             "        value = yield total / count\n"
                             "\n"
                             "def failing():\n"
                             "    yield 1\n"
                             "    raise ValueError('no more')\n"
                             "\n"
                             "closed = []\n"
                             "def tidy():\n"
                             "    try:\n"
                             "        yield 1\n"
                             "    finally:\n"
                             "        closed.append('yes')\n";

static GenRef start(GenVM *vm, const char *name, size_t count, const GenRef *args) {
    return gen_call(vm, gen_get_global(vm, name), count, args);
}

static void count_down(GenVM *vm) {
    GenRef from = gen_int(vm, 3), item;
    GenRef numbers = start(vm, "countdown", 1, &from);
    GenStatus status;
    while ((status = gen_next(vm, numbers, &item)) == GEN_OK) {
        printf("%lld\n", (long long)gen_as_int(vm, item));
    }
    size_t size;
    const char *text = status == GEN_END ? gen_to_str(vm, item, &size) : NULL;
    if (text != NULL) printf("the end: %.*s\n", (int)size, text);
}

static void converse(GenVM *vm) {
    GenRef mean = start(vm, "mean", 0, NULL), answer;
    gen_next(vm, mean, &answer); /* runs to the first yield */
    for (int value = 10; value <= 30; value += 10) {
        if (gen_send(vm, mean, gen_int(vm, value), &answer) != GEN_OK) return;
        printf("mean %.1f\n", gen_as_float(vm, answer));
    }
    gen_close(vm, mean);
    printf("after close: %s\n", gen_next(vm, mean, &answer) == GEN_END ? "the end" : "?");
}

static void fail(GenVM *vm) {
    GenRef failing = start(vm, "failing", 0, NULL), item;
    GenStatus first = gen_next(vm, failing, &item), second = gen_next(vm, failing, &item);
    printf("%s, then %s\n", first == GEN_OK ? "a value" : "?",
           second == GEN_ERROR ? "an error" : "?");
    gen_error_clear(vm);
}

static void leave_early(GenVM *vm) {
    GenRef tidy = start(vm, "tidy", 0, NULL), item, text;
    gen_next(vm, tidy, &item);
    gen_close(vm, tidy);
    text = gen_get_index(vm, gen_get_global(vm, "closed"), 0);
    size_t size;
    const char *closed = gen_to_str(vm, text, &size);
    printf("closed: %.*s\n", (int)size, closed != NULL ? closed : "?");
}

int main(void) {
    GenVM *vm = gen_vm_new(NULL);
    if (vm == NULL) return 1;
    if (!gen_run_string(vm, script, "generators")) {
        fputs(gen_error_text(vm), stderr);
        return 1;
    }
    count_down(vm);
    converse(vm);
    fail(vm);
    leave_early(vm);
    gen_vm_free(vm);
    return 0;
}
