/* A function that the host has put into __main__ is saved by its name there; the VM that loads has
 * one of its own of that name, or is told what is missing. */
#include "genvm.h"
#include <stdio.h>

static GenRef half(GenVM *vm, const GenRef *args) {
    return gen_int(vm, gen_as_int(vm, args[0]) / 2);
}
static const GenFunction ask = {"ask(question)", NULL, NULL}, halve = {"halve(x: int)", half, NULL};

int main(void) {
    GenVM *vm = gen_vm_new(NULL), *other = gen_vm_new(NULL), *bare = gen_vm_new(NULL);
    gen_set_global(vm, "ask", gen_function(vm, &ask));
    gen_set_global(vm, "halve", gen_function(vm, &halve));
    GenRef task =
        gen_task_from_source(vm, "both = [halve]\nx = both[0](ask('?')) + ask('again')", "script");
    GenOutcome outcome;
    gen_run(vm, task, &outcome);
    size_t size;
    GenRef image = gen_save(vm, task);
    if (!image) printf("%s", gen_error_text(vm));
    const void *data = gen_to_bytes(vm, image, &size);
    if (!gen_load(bare, data, size)) printf("%s", gen_error_text(bare));
    gen_set_global(other, "ask", gen_function(other, &ask));
    gen_set_global(other, "halve", gen_function(other, &halve));
    GenRef loaded = gen_load(other, data, size);
    gen_answer(other, loaded, outcome.ticket, gen_int(other, 80));
    while (gen_run(other, loaded, &outcome) == GEN_CALLOUT)
        gen_answer(other, loaded, outcome.ticket, gen_int(other, 2));
    printf("%lld\n", (long long)gen_as_int(other, gen_get_global(other, "x")));
    gen_set_global(vm, "renamed", gen_function(vm, &halve));
    printf("%d\n", gen_save(vm, gen_get_global(vm, "renamed")) != GEN_NULL);
    printf("%s", gen_error_text(vm));
    gen_vm_free(vm);
    gen_vm_free(other);
    gen_vm_free(bare);
    return 0;
}
