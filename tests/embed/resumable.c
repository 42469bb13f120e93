/* A function of the host that calls script code without waiting for it on the C stack: the script
 * is suspended in the call, saved, and goes on in another VM. */
#include "genvm.h"

#include <stdio.h>

static GenRef next_item(GenVM *vm, GenRef found, GenRef test, GenRef items, int64_t at);

static GenRef looked_at(GenVM *vm, const GenRef *args) { /* state: (found, test, items, at) */
    GenRef found = gen_get_index(vm, args[0], 0), items = gen_get_index(vm, args[0], 2);
    int64_t at = gen_as_int(vm, gen_get_index(vm, args[0], 3));
    bool good;
    if (!gen_to_bool(vm, args[1], &good)) return GEN_NULL;
    if (good && !gen_append(vm, found, gen_get_index(vm, items, at))) return GEN_NULL;
    return next_item(vm, found, gen_get_index(vm, args[0], 1), items, at + 1);
}

static GenRef choose(GenVM *vm, const GenRef *args) {
    return next_item(vm, gen_list(vm), args[0], args[1], 0);
}

static GenRef apply(GenVM *vm, const GenRef *args) {
    return gen_call_last(vm, args[0], 1, &args[1]);
}

static const GenFunction functions[] = {
    {"choose(test, items: list)", choose, "the items that pass the test"},
    {"_looked_at(state, answer)", looked_at, NULL},
    {"apply(f, x)", apply, NULL},
    {"ask(x)", NULL, NULL},
    {NULL, NULL, NULL},
};

static GenRef next_item(GenVM *vm, GenRef found, GenRef test, GenRef items, int64_t at) {
    size_t count;
    GenRef state[4] = {found, test, items, gen_int(vm, at)};
    if (!gen_len(vm, items, &count)) return GEN_NULL;
    if ((size_t)at >= count) return found;
    GenRef item = gen_get_index(vm, items, at);
    GenRef then = gen_get_attr(vm, gen_import(vm, "host"), "_looked_at");
    return gen_call_then(vm, then, gen_tuple(vm, 4, state), test, 1, &item);
}

static GenVM *new_vm(void) {
    GenVM *vm = gen_vm_new(NULL);
    gen_register_module(vm, "host", functions);
    return vm;
}

static void show(GenVM *vm, const char *name) {
    size_t size;
    GenRef text = gen_repr(vm, gen_get_global(vm, name));
    const char *data = text ? gen_to_str(vm, text, &size) : NULL;
    printf("%s: %.*s\n", name, data ? (int)size : 1, data ? data : "?");
}

/* Each call-out goes on in a new VM. */
static void run_through_images(const char *source, const char *name) {
    GenVM *vm = new_vm();
    GenRef task = gen_task_from_source(vm, source, "script");
    GenOutcome outcome;
    int images = 0;
    while (gen_run(vm, task, &outcome) == GEN_CALLOUT) {
        GenTicket ticket = outcome.ticket;
        int64_t x = gen_as_int(vm, gen_get_index(vm, outcome.args, 0));
        size_t size;
        GenRef image = gen_save(vm, task);
        const void *data = image ? gen_to_bytes(vm, image, &size) : NULL;
        if (!data) break;
        GenVM *other = new_vm();
        task = gen_load(other, data, size);
        gen_vm_free(vm);
        vm = other;
        images++;
        if (!task || !gen_answer(vm, task, ticket, gen_int(vm, x % 2))) break;
    }
    if (gen_error_pending(vm)) printf("%s", gen_error_text(vm));
    gen_error_clear(vm);
    show(vm, name);
    printf("images: %d\n", images);
    gen_vm_free(vm);
}

int main(void) {
    run_through_images("import host\n"
                       "odd = host.choose(lambda x: host.ask(x), [1, 2, 3, 4, 5])\n",
                       "odd");
    run_through_images("import host\n"
                       "def twice(x): return 2 * host.ask(x)\n"
                       "told = sorted([3, 4, 5], key=lambda x: host.apply(twice, x))\n",
                       "told");
    GenVM *vm = new_vm();
    if (!gen_run_string(vm,
                        "import host\n"
                        "def deep(n): return n and host.apply(deep, n - 1) + 1\n"
                        "depth = deep(900)\n"
                        "seen = []\n"
                        "try: host.choose(seen.append, [1, 2]), host.choose(lambda x: 1 / 0, [1])\n"
                        "except ZeroDivisionError as e: seen.append(str(e))\n"
                        "nothing = host.choose(None, [])\n",
                        "script"))
        printf("%s", gen_error_text(vm));
    show(vm, "depth");
    show(vm, "seen");
    show(vm, "nothing");
    gen_error_clear(vm);
    GenRef call = gen_call_last(vm, gen_get_global(vm, "deep"), 0, NULL); /* not by a native */
    printf("%d\n", gen_type(vm, call) == GEN_TYPE_OTHER);
    gen_vm_free(vm);
    return 0;
}
