/* Each pair of a builtin function, method or function of a native module and a special method that
 * it calls: every_method.gen goes through them and gives host() a list at the first call of each.
 * There it is saved, its VM thrown away, and another one goes on. Which pairs there are is what
 * CPython printed (every_method.out). */
#include "script.h"

static bool collect(void *context, int stream, const char *data, size_t size) {
    (void)stream;
    return text_add(context, data, size);
}

static GenVM *new_vm(Text *output) {
    GenConfig config = {.size = sizeof config, .hash_seed = 1, .write = collect};
    config.context = output;
    return new_scripted_vm(&config);
}

static GenVM *move(GenVM *vm, Text *output, GenRef *task) {
    size_t size;
    GenRef image = gen_save(vm, *task);
    const void *data = image == GEN_NULL ? NULL : gen_to_bytes(vm, image, &size);
    if (!data) {
        printf("not saved: %s\n", gen_error_text(vm));
        return vm;
    }
    GenVM *other = new_vm(output);
    *task = gen_load(other, data, size);
    if (*task == GEN_NULL) printf("not loaded: %s\n", gen_error_text(other));
    gen_vm_free(vm);
    return other;
}

/* "name: special special ..." */
static int count_pairs(const Text *text) {
    int count = 0;
    for (size_t i = 1; i < text->size; i++)
        count += text->data[i] == ' ' && text->data[i - 1] != '\n';
    return count;
}

int main(void) {
    static Text script, expected, output;
    read_text("every_method", ".gen", &script);
    read_text("every_method", ".out", &expected);
    GenVM *vm = new_vm(&output);
    GenRef task = gen_task_from_source(vm, script.data, "every_method.gen");
    GenOutcome outcome = {0};
    int pairs = count_pairs(&expected), saves = 0;
    while (task != GEN_NULL) {
        GenScope scope = gen_scope_open(vm);
        if (gen_run(vm, task, &outcome) != GEN_CALLOUT) break;
        GenRef asked = gen_get_index(vm, outcome.args, 0);
        bool first = gen_type(vm, asked) == GEN_TYPE_LIST;
        gen_answer(vm, task, outcome.ticket, asked);
        saves += first;
        if (first)
            vm = move(vm, &output, &task);
        else
            gen_scope_close(vm, scope);
    }
    if (outcome.kind == GEN_ERROR) printf("%s\n", gen_error_text(vm));
    bool same = output.size == expected.size && !memcmp(output.data, expected.data, output.size);
    if (!same) printf("%.*s\n", (int)output.size, output.data);
    gen_vm_free(vm);
    if (!same || saves < pairs || pairs < 700) return 1;
    puts("every pair, saved and gone on with in it");
    return 0;
}
