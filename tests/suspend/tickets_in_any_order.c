/* Two to five tickets of one task, open at once through asyncio.gather and a TaskGroup, answered in
 * every order (five: in every third), some by exceptions, each time also saved before every answer
 * and gone on with in another VM: the result is always the same. Wrong tickets, second answers,
 * answers that are none, and those that come too late are refused and change nothing; of a saved
 * task two copies go their own ways.
# skip: stress its scripts collect at every safepoint, again and again: minutes
 */
#include "genvm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 5 };

static bool print(void *context, int stream, const char *data, size_t size) {
    (void)context, (void)stream;
    return fwrite(data, 1, size, stdout) == size;
}

static const char setup[] =
    "import asyncio\n"
    "from host import ask, now\n"
    "class Key:\n"
    "    def __init__(self, n): self.n = n\n"
    "    def __lt__(self, other): return now(self.n) < now(other.n)\n"
    "async def one(n, log):\n"
    "    try: return await ask(n)\n"
    "    finally: log.append(n)\n"
    "async def gathered(count):\n"
    "    log = []\n"
    "    results = await asyncio.gather(*[one(n, log) for n in range(count)], "
    "return_exceptions=True)\n"
    "    return repr(results) + repr(sorted(log))\n"
    "async def grouped(count):\n"
    "    log, seen = [], ''\n"
    "    try:\n"
    "        async with asyncio.TaskGroup() as group:\n"
    "            for n in range(count): group.create_task(one(n, log))\n"
    "    except* ValueError as error: seen = 'failed'\n"
    "    return seen + repr(sorted(log))\n"
    "async def mixed(count):\n"
    "    log = []\n"
    "    task = asyncio.gather(*[one(n, log) for n in range(count)])\n"
    "    await asyncio.sleep(0)\n"
    "    keys = [k.n for k in sorted([Key(2), Key(1), Key(3)])]\n"
    "    late = asyncio.create_task(one(9, log))\n"
    "    await task\n"
    "    late.cancel()\n"
    "    await asyncio.wait([late])\n"
    "    return repr(task.result()) + repr(keys) + repr(sorted(log))\n"
    "def run(name, count): return asyncio.run(globals()[name](count))\n";

static GenVM *new_vm(void) {
    static const GenFunction functions[] = {
        {"async ask(x, /)", NULL, NULL}, {"now(x, /)", NULL, NULL}, {NULL, NULL, NULL}};
    GenConfig config = {.size = sizeof config, .write = print, .capabilities = GEN_CAP_CLOCK};
    GenVM *vm = gen_vm_new(&config);
    gen_register_module(vm, "host", functions);
    return vm;
}

static int64_t asked(GenVM *vm, GenRef task, GenTicket ticket) {
    GenOutcome out;
    if (!gen_task_ticket(vm, task, ticket, &out)) return -1;
    return gen_as_int(vm, gen_get_index(vm, out.args, 0));
}

/* By the question: where its bit is set, an exception. */
static bool answer(GenVM *vm, GenRef task, GenTicket ticket, unsigned errors) {
    int64_t n = asked(vm, task, ticket);
    if (n < 0 || !(errors >> n & 1)) return gen_answer(vm, task, ticket, gen_int(vm, n));
    gen_raise(vm, "ValueError", "no answer");
    return gen_answer_error(vm, task, ticket, gen_error_take(vm));
}

/* Must be refused by an error, which is forgotten. */
static void refuse(GenVM *vm, bool accepted, const char *what) {
    if (accepted || !gen_error_pending(vm)) printf("accepted: %s\n", what);
    gen_error_clear(vm);
}

static GenRef saved(GenVM *vm, GenRef task) {
    GenRef image = gen_save(vm, task);
    if (image == GEN_NULL) printf("not saved: %s\n", gen_error_text(vm));
    return image;
}

static void move(GenVM **vm, GenRef *task) {
    size_t size;
    GenRef image = saved(*vm, *task);
    const void *data = image == GEN_NULL ? NULL : gen_to_bytes(*vm, image, &size);
    if (!data) return;
    GenVM *other = new_vm();
    *task = gen_load(other, data, size);
    if (*task == GEN_NULL) printf("not loaded: %s\n", gen_error_text(other));
    gen_vm_free(*vm);
    *vm = other;
}

/* On to where only answers help; what is asked at once (now) is answered at once. */
static GenStatus go_on(GenVM *vm, GenRef task, GenOutcome *out) {
    GenStatus status;
    while ((status = gen_run(vm, task, out)) == GEN_CALLOUT)
        if (!strcmp(out->name, "host.now")) {
            refuse(vm, gen_answer(vm, task, out->ticket + 7, gen_none(vm)), "a ticket to come");
            answer(vm, task, out->ticket, 0);
        }
    return status;
}

/* The open ticket whose question is n; 0: none. */
static GenTicket ticket_for(GenVM *vm, GenRef task, int64_t n) {
    GenTicket tickets[MOST + 2];
    size_t count = gen_task_tickets(vm, task, tickets, MOST + 2);
    for (size_t i = 0; i < count && i < MOST + 2; i++)
        if (asked(vm, task, tickets[i]) == n) return tickets[i];
    return 0;
}

typedef struct Plan {
    const char *name;
    int count, order[MOST];
    unsigned errors;
    bool moves, at_once; /* saved before each answer; all answers before it runs on */
} Plan;

static const char *run_plan(const Plan *plan, char *result, size_t size) {
    GenVM *vm = new_vm();
    GenOutcome out;
    if (!gen_run_string(vm, setup, "setup")) printf("%s\n", gen_error_text(vm));
    GenRef args[] = {gen_str(vm, plan->name), gen_int(vm, plan->count)};
    GenRef task = gen_task_new(vm, gen_get_global(vm, "run"), 2, args);
    GenTicket left;
    GenStatus status = go_on(vm, task, &out);
    for (int i = 0; status == GEN_WAITING && i < plan->count; i++) {
        if (plan->moves) move(&vm, &task);
        GenTicket ticket = ticket_for(vm, task, plan->order[i]);
        refuse(vm, gen_answer(vm, task, 999, gen_none(vm)), "a ticket that is none");
        if (!ticket) continue; /* a failure has cancelled it */
        refuse(vm, gen_answer_error(vm, task, ticket, gen_int(vm, 1)), "no exception");
        if (!answer(vm, task, ticket, plan->errors)) printf("refused: %s\n", gen_error_text(vm));
        refuse(vm, gen_answer(vm, task, ticket, gen_none(vm)), "a second answer");
        if (!plan->at_once) status = go_on(vm, task, &out);
    }
    if (plan->at_once) status = go_on(vm, task, &out);
    const char *text = "-";
    size_t length = 1;
    if (status == GEN_DONE) text = gen_to_str(vm, gen_repr(vm, out.value), &length);
    snprintf(result, size, "%d %.*s", (int)status, (int)length, text);
    if (status == GEN_ERROR) printf("%s\n", gen_error_text(vm));
    while (gen_task_tickets(vm, task, &left, 1)) /* of calls that were cancelled */
        if (!gen_answer(vm, task, left, gen_none(vm))) break;
    refuse(vm, gen_answer(vm, task, 1, gen_none(vm)), "a second answer to a task that is done");
    gen_vm_free(vm);
    return result;
}

/* ---- all orders ---- */

static int runs, wrong;

static void compare(Plan *plan, const char *expected) {
    char result[400];
    bool all = plan->count < 4; /* else one after the other */
    for (int way = all ? 0 : runs % 3, last = all ? 2 : way; way <= last; way++) {
        plan->moves = way == 1;
        plan->at_once = way == 2;
        runs++;
        if (!strcmp(run_plan(plan, result, sizeof result), expected)) continue;
        wrong++;
        printf("%s %d, order %d%d%d%d%d, errors %u, way %d: %s\n", plan->name, plan->count,
               plan->order[0], plan->order[1], plan->order[2], plan->order[3], plan->order[4],
               plan->errors, way, result);
    }
}

static void each_order(Plan *plan, int from, const char *expected) {
    static int orders;
    if (from == plan->count) {
        if (plan->count < MOST || orders++ % 3 == 0) compare(plan, expected); /* there are 120 */
        return;
    }
    for (int i = from; i < plan->count; i++) {
        int other = plan->order[i];
        plan->order[i] = plan->order[from];
        plan->order[from] = other;
        each_order(plan, from + 1, expected);
        plan->order[from] = plan->order[i];
        plan->order[i] = other;
    }
}

static void all_orders(const char *name, int count, unsigned errors) {
    char expected[400];
    Plan plan = {.name = name, .count = count, .order = {0, 1, 2, 3, 4}, .errors = errors};
    printf("%s %d: %s\n", name, count, run_plan(&plan, expected, sizeof expected));
    const char *variant = getenv("GEN_VARIANT");
    bool slow = variant && strcmp(variant, "release") && strcmp(variant, "debug");
    if (!slow || count < 4) each_order(&plan, 0, expected);
}

/* ---- two copies, a kill ---- */

static void two_copies(void) {
    GenVM *vm = new_vm();
    GenOutcome out;
    size_t size;
    gen_run_string(vm, setup, "setup");
    GenRef args[] = {gen_str(vm, "gathered"), gen_int(vm, 2)};
    GenRef task = gen_task_new(vm, gen_get_global(vm, "run"), 2, args);
    go_on(vm, task, &out);
    gen_answer(vm, task, ticket_for(vm, task, 0), gen_str(vm, "common"));
    GenRef image = saved(vm, task);
    const void *data = gen_to_bytes(vm, image, &size);
    GenVM *vms[] = {vm, new_vm(), new_vm()};
    GenRef tasks[] = {task, gen_load(vms[1], data, size), gen_load(vms[2], data, size)};
    for (int i = 2; i >= 0; i--) {
        gen_answer(vms[i], tasks[i], ticket_for(vms[i], tasks[i], 1), gen_int(vms[i], i));
        if (go_on(vms[i], tasks[i], &out) == GEN_DONE)
            printf("copy %d: %s\n", i, gen_to_str(vms[i], out.value, &size));
    }
    for (int i = 0; i < 3; i++)
        gen_vm_free(vms[i]);
}

static void killed(void) {
    GenVM *vm = new_vm();
    GenOutcome out;
    gen_run_string(vm, setup, "setup");
    GenRef args[] = {gen_str(vm, "gathered"), gen_int(vm, 3)};
    GenRef task = gen_task_new(vm, gen_get_global(vm, "run"), 2, args);
    go_on(vm, task, &out);
    GenTicket ticket = ticket_for(vm, task, 1);
    gen_task_kill(vm, task, 100000);
    printf("killed: %d\n", gen_run(vm, task, &out) == GEN_ERROR);
    gen_error_clear(vm);
    printf("open: %d\n", (int)gen_task_tickets(vm, task, NULL, 0));
    printf("too late: %d\n", gen_answer(vm, task, ticket, gen_none(vm)));
    refuse(vm, gen_answer(vm, task, ticket, gen_none(vm)), "a second answer after the kill");
    printf("killed: %d\n", gen_run(vm, task, &out) == GEN_ERROR);
    gen_error_clear(vm);
    gen_run_string(vm, "print('the VM is whole')", "after");
    gen_vm_free(vm);
}

int main(void) {
    for (int count = 2; count <= MOST; count++)
        all_orders("gathered", count, 0);
    all_orders("gathered", 3, 5);
    all_orders("gathered", 4, 2);
    all_orders("grouped", 3, 0);
    all_orders("mixed", 3, 0);
    Plan plan = {.name = "grouped", .count = 3, .errors = 2, .order = {1, 0, 2}};
    char result[400];
    printf("failed first: %s\n", run_plan(&plan, result, sizeof result));
    plan.moves = true;
    printf("failed first: %s\n", run_plan(&plan, result, sizeof result));
    two_copies();
    killed();
    printf("%d wrong\n", wrong);
    return wrong != 0;
}
