/* The host answers the call-outs of asyncio's tasks in an order of its own: gather, as_completed,
 * an answer that is an exception, a task cancelled while it waits. */
#include "genvm.h"

#include <stdio.h>

static const char SOURCE[] =
    "import asyncio\n"
    "from host import ask\n"
    "async def work(n):\n"
    "    return await ask(n) * 10\n"
    "async def main():\n"
    "    print(await asyncio.gather(work(1), work(2), work(3), ask(4)), flush=True)\n"
    "    try:\n"
    "        await ask('fail')\n"
    "    except ValueError as error:\n"
    "        print('caught', error, flush=True)\n"
    "    task = asyncio.create_task(work('never'))\n"
    "    await asyncio.sleep(0)\n"
    "    task.cancel()\n"
    "    try:\n"
    "        await task\n"
    "    except asyncio.CancelledError:\n"
    "        print('cancelled', flush=True)\n"
    "    print(await work(5), flush=True)\n"
    "asyncio.run(main())\n";

static char first_letter(GenVM *vm, GenRef v) {
    size_t size;
    return gen_type(vm, v) == GEN_TYPE_STR ? *gen_to_str(vm, v, &size) : 0;
}

static void show(GenVM *vm, GenRef v) {
    size_t size;
    const char *text = gen_to_str(vm, gen_repr(vm, v), &size);
    printf("answering %.*s\n", (int)size, text);
}

/* The newest open ticket first; "never" is left open as long as there is another. */
static void answer_one(GenVM *vm, GenRef task) {
    GenTicket tickets[16];
    size_t count = gen_task_tickets(vm, task, tickets, 16);
    while (count--) {
        GenOutcome asked;
        gen_task_ticket(vm, task, tickets[count], &asked);
        GenRef argument = gen_get_item(vm, asked.args, gen_int(vm, 0));
        char letter = first_letter(vm, argument);
        if (letter == 'n') continue;
        show(vm, argument);
        if (letter == 'f') {
            gen_raise(vm, "ValueError", "no answer");
            gen_answer_error(vm, task, tickets[count], gen_error_take(vm));
        } else {
            gen_answer(vm, task, tickets[count], argument);
        }
        return;
    }
}

int main(void) {
    static const GenFunction functions[] = {{"async ask(x, /)", NULL, NULL}, {NULL, NULL, NULL}};
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_STDIO | GEN_CAP_CLOCK};
    GenVM *vm = gen_vm_new(&config);
    gen_register_module(vm, "host", functions);
    setvbuf(stdout, NULL, _IONBF, 0);
    GenRef task = gen_task_from_source(vm, SOURCE, "script");
    GenStatus status;
    while ((status = gen_run(vm, task, NULL)) == GEN_CALLOUT || status == GEN_WAITING) {
        if (status == GEN_WAITING) answer_one(vm, task);
    }
    if (status == GEN_ERROR) fputs(gen_error_text(vm), stdout);
    gen_vm_finish(vm);
    gen_vm_free(vm);
    return 0;
}
