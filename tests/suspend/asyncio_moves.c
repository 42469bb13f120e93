/* Two tasks run asyncio by turns in one VM, each with its own loop, context and hooks. Then each is
 * saved whenever it stops, with all its call-outs open, and goes on in a new VM: the same again. */
#include "genvm.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SOURCE[] =
    "import asyncio, contextvars, host\n"
    "name, kept = contextvars.ContextVar('name'), []\n"
    "async def numbers(n):\n"
    "    try:\n"
    "        for i in range(n):\n"
    "            yield await host.ask(i)\n"
    "    finally:\n"
    "        print(name.get('nobody'), 'numbers end')\n"
    "async def work(n):\n"
    "    got = [x async for x in numbers(n)]\n"
    "    return name.get(), got\n"
    "async def main(who):\n"
    "    name.set(who)\n"
    "    kept.append(left := numbers(3))\n"
    "    print(who, 'first', await anext(left))\n"
    "    print(who, await asyncio.gather(work(2), work(1), host.ask('x')))\n"
    "    async with asyncio.TaskGroup() as group:\n"
    "        tasks = [group.create_task(work(i), name=f'{who} {i}') for i in range(3)]\n"
    "        await asyncio.sleep(0)\n"
    "        print(who, len(asyncio.all_tasks()), 'tasks')\n"
    "    print(who, [task.result() for task in tasks])\n"
    "    try:\n"
    "        async with asyncio.timeout(0.001):\n"
    "            await asyncio.sleep(10)\n"
    "    except TimeoutError:\n"
    "        print(who, 'late')\n"
    "def start(who):\n"
    "    asyncio.run(main(who))\n"
    "    print(who, 'end')\n";

typedef struct Text {
    char data[4000];
    size_t size;
} Text;

static bool collect(void *context, int stream, const char *data, size_t size) {
    Text *text = context;
    if (text->size + size >= sizeof text->data) return false;
    memcpy(text->data + text->size, data, size);
    text->size += size;
    return stream == 1;
}

static GenVM *new_vm(Text *output) {
    static const GenFunction functions[] = {{"async ask(x, /)", NULL, NULL}, {NULL, NULL, NULL}};
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_CLOCK, .hash_seed = 1};
    config.write = collect;
    config.context = output;
    GenVM *vm = gen_vm_new(&config);
    gen_register_module(vm, "host", functions);
    return vm;
}

static GenRef new_task(GenVM *vm, const char *who) {
    GenRef name = gen_str(vm, who);
    return gen_task_new(vm, gen_get_global(vm, "start"), 1, &name);
}

/* The newest ticket first. */
static void answer(GenVM *vm, GenRef task) {
    GenTicket tickets[16];
    GenOutcome asked;
    size_t count = gen_task_tickets(vm, task, tickets, 16);
    gen_task_ticket(vm, task, tickets[count - 1], &asked);
    gen_answer(vm, task, tickets[count - 1], gen_get_index(vm, asked.args, 0));
}

static GenVM *move(GenVM *vm, Text *output, GenRef *task) {
    size_t size;
    GenRef image = gen_save(vm, *task);
    if (image == GEN_NULL) {
        printf("refused: %s\n", gen_error_text(vm));
        exit(1);
    }
    const void *data = gen_to_bytes(vm, image, &size);
    GenVM *other = new_vm(output);
    *task = gen_load(other, data, size);
    gen_vm_free(vm);
    return other;
}

/* One run of the task, up to where it stops; false: it has ended. */
static bool go_on(GenVM *vm, GenRef task) {
    GenStatus status = gen_run(vm, task, NULL);
    if (status == GEN_WAITING) answer(vm, task);
    if (status == GEN_ERROR) puts(gen_error_text(vm));
    return status == GEN_CALLOUT || status == GEN_WAITING;
}

int main(void) {
    static Text together, alone[2];
    GenVM *vm = new_vm(&together);
    gen_run_string(vm, SOURCE, "script");
    GenRef tasks[] = {new_task(vm, "ann"), new_task(vm, "bob")};
    for (bool going[2] = {true, true}; going[0] || going[1];)
        for (int i = 0; i < 2; i++)
            going[i] = going[i] && go_on(vm, tasks[i]);
    gen_vm_free(vm);
    fputs(together.data, stdout);

    long moves = 0;
    for (int i = 0; i < 2; i++) {
        vm = new_vm(&alone[i]);
        gen_run_string(vm, SOURCE, "script");
        GenRef task = new_task(vm, i ? "bob" : "ann");
        for (; go_on(vm, task); moves++)
            vm = move(vm, &alone[i], &task);
        gen_vm_free(vm);
    }
    puts(moves > 20 ? "moved:" : "hardly moved:");
    fputs(alone[0].data, stdout);
    fputs(alone[1].data, stdout);
    return 0;
}
