/* What a script waits for does not hold its host up: a deadline ends sleeps and event loops, which
 * wait for the rest when the task goes on; nothing waits in a task that is being killed; and an
 * event loop for which nothing can ever happen says so.
# skip: stress asyncio takes its time there
 */
#define _GNU_SOURCE
#include "genvm.h"
#include <stdio.h>
#include <time.h>

static const struct {
    const char *what, *source;
    uint32_t capabilities;
} scripts[] = {
    {"sleep", "import time\ntime.sleep(0.06)", GEN_CAP_CLOCK},
    {"sleep for long", "import time\ntime.sleep(1000)", GEN_CAP_CLOCK},
    {"finally", "import time\ntry: time.sleep(1000)\nfinally: time.sleep(1000)", GEN_CAP_CLOCK},
    {"timer", "import asyncio\nasyncio.run(asyncio.sleep(0.06))", GEN_CAP_CLOCK},
    {"timer for long", "import asyncio\nasyncio.run(asyncio.sleep(1000))", GEN_CAP_CLOCK},
    {"turns",
     "import asyncio\nasync def main():\n    while True: await asyncio.sleep(0)\n"
     "asyncio.run(main())",
     0},
    {"future", "import asyncio\nasync def main(): await asyncio.Future()\nasyncio.run(main())", 0},
    {"future, processes",
     "import asyncio\nasync def main(): await asyncio.Future()\n"
     "asyncio.run(main())",
     GEN_CAP_PROCESS},
};

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void tell(GenVM *vm, const char *what, GenStatus status) {
    GenRef error = status == GEN_ERROR ? gen_error_take(vm) : GEN_NULL;
    size_t size;
    printf("%s: %s%s", what,
           status == GEN_DONE     ? "done"
           : status == GEN_BUDGET ? "stopped"
                                  : "",
           error ? gen_type_name(vm, error) : "");
    if (error) printf(": %s", gen_to_str(vm, gen_to_text(vm, error), &size));
    puts("");
}

int main(void) {
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        GenConfig config = {.size = sizeof config, .capabilities = scripts[i].capabilities};
        GenVM *vm = gen_vm_new(&config);
        GenOutcome outcome;
        GenStatus status;
        GenRef task = gen_task_from_source(vm, scripts[i].source, "script");
        uint64_t began = now();
        int stops = 0;
        do { /* by slices of 20 ms, a second at most */
            gen_task_set_budget(vm, task, GEN_BUDGET_DEADLINE, now() + 20000000);
            status = gen_run(vm, task, &outcome);
        } while (status == GEN_BUDGET && ++stops < 50 && now() - began < 1000000000);
        tell(vm, scripts[i].what, status);
        if (status == GEN_DONE) printf("  stopped before that: %d\n", stops > 0);
        if (gen_task_kill(vm, task, 10000) && status == GEN_BUDGET)
            tell(vm, "  killed", gen_run(vm, task, &outcome));
        if (now() - began > 20000000000) puts("  it took too long");
        gen_vm_free(vm);
    }
    return 0;
}
