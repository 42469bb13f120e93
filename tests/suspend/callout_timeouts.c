/* A timeout around an await of a call-out fires although the host answers nothing: the outcome says
 * when to run the task again. */
#define _POSIX_C_SOURCE 200809L
#include "genvm.h"

#include <stdio.h>
#include <time.h>

static const char SOURCE[] = "import asyncio\n"
                             "from host import ask\n"
                             "async def tick():\n"
                             "    for i in range(3):\n"
                             "        await asyncio.sleep(0.01)\n"
                             "        print('tick', flush=True)\n"
                             "async def main():\n"
                             "    try:\n"
                             "        await asyncio.wait_for(ask('never'), 0.02)\n"
                             "    except TimeoutError:\n"
                             "        print('timed out', flush=True)\n"
                             "    ticks = asyncio.create_task(tick())\n"
                             "    print(await ask('late'), flush=True)\n"
                             "    await ticks\n"
                             "asyncio.run(main())\n";

int main(void) {
    static const GenFunction functions[] = {{"async ask(x, /)", NULL, NULL}, {NULL, NULL, NULL}};
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_STDIO | GEN_CAP_CLOCK};
    GenVM *vm = gen_vm_new(&config);
    gen_register_module(vm, "host", functions);
    setvbuf(stdout, NULL, _IONBF, 0);
    GenRef task = gen_task_from_source(vm, SOURCE, "script");
    GenOutcome outcome;
    GenStatus status;
    while ((status = gen_run(vm, task, &outcome)) == GEN_CALLOUT || status == GEN_WAITING) {
        if (status == GEN_CALLOUT) continue;
        if (outcome.wait) {
            struct timespec time = {(time_t)(outcome.wait / 1000000000u),
                                    (long)(outcome.wait % 1000000000u)};
            nanosleep(&time, NULL);
            continue;
        }
        GenTicket tickets[2];
        size_t count = gen_task_tickets(vm, task, tickets, 2);
        gen_answer(vm, task, tickets[count - 1], gen_str(vm, "answer"));
    }
    if (status == GEN_ERROR) fputs(gen_error_text(vm), stdout);
    gen_vm_finish(vm);
    gen_vm_free(vm);
    return 0;
}
