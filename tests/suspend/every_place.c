/* Every script of this folder runs as a task whose external function host(x) is answered with x, so
 * that it is suspended wherever the script calls it: the output is what it is without suspension.
 * Then again with a budget of steps that is spent after every few, and raised each time: the same
 * output.
# skip: stress its scripts collect at every safepoint, again and again: minutes
 */
#include "script.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool collect(void *context, int stream, const char *data, size_t size) {
    Text *text = context;
    (void)stream;
    return text_add(text, data, size);
}

static GenVM *new_vm(Text *output) {
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_ALL & ~GEN_CAP_STDIO};
    config.write = collect;
    config.context = output;
    return new_scripted_vm(&config);
}

/* Runs the script to its end: with `steps`, that many at a time. The count of suspensions. */
static long run(GenVM *vm, const Text *script, const char *name, uint64_t steps) {
    GenRef task = gen_task_from_source(vm, script->data, name);
    GenOutcome outcome;
    long count = 0;
    for (uint64_t limit = steps;; count++) {
        GenScope scope = gen_scope_open(vm);
        gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, limit);
        GenStatus status = gen_run(vm, task, &outcome);
        if (status == GEN_CALLOUT)
            gen_answer(vm, task, outcome.ticket, gen_get_index(vm, outcome.args, 0));
        else if (status == GEN_BUDGET)
            limit = outcome.needed > limit + steps ? outcome.needed : limit + steps;
        else
            break;
        gen_scope_close(vm, scope);
    }
    if (outcome.kind == GEN_ERROR) {
        const char *text = gen_error_text(vm);
        collect(gen_context(vm), 2, text, strlen(text));
        gen_error_clear(vm);
    }
    gen_vm_finish(vm);
    return count;
}

static bool is_right(const char *name, uint64_t steps) {
    static Text script, expected, output;
    read_text(name, ".gen", &script);
    read_text(name, ".out", &expected);
    output.size = 0;
    GenVM *vm = new_vm(&output);
    long count = run(vm, &script, name, steps);
    gen_vm_free(vm);
    bool same = output.size == expected.size && !memcmp(output.data, expected.data, output.size);
    if (!same) printf("%s, steps %d:\n%.*s\n", name, (int)steps, (int)output.size, output.data);
    if (!count) printf("%s, steps %d: is never suspended\n", name, (int)steps);
    return same && count > 0;
}

int main(void) {
    static const uint64_t all[] = {0, 101, 1, 2, 7};
    const char *variant = getenv("GEN_VARIANT");
    bool slow = variant && !strcmp(variant, "stress"); /* each stop would be a collection */
    size_t count = slow ? 2 : sizeof all / sizeof *all;
    DIR *folder = opendir(".");
    int scripts = 0, right = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        size_t size = strlen(entry->d_name);
        if (size < 5 || size > 200 || strcmp(entry->d_name + size - 4, ".out")) continue;
        char name[256], path[300];
        snprintf(name, sizeof name, "%.*s", (int)size - 4, entry->d_name);
        snprintf(path, sizeof path, "%s.gen", name);
        FILE *script = fopen(path, "r");
        if (!script) continue;
        fclose(script);
        if (slow && !strcmp(name, "imports"))
            continue; /* it waits for collections by the heap's size */
        scripts++;
        size_t good = 0, times = slow && !strncmp(name, "ways_of_", 8) ? 1 : count;
        for (size_t i = 0; i < times; i++)
            good += is_right(name, all[i]);
        right += good == times;
    }
    if (folder) closedir(folder);
    if (scripts >= 10 && right == scripts) puts("all scripts, however they are suspended");
    return scripts == right ? 0 : 1;
}
