/* Tasks and their call-outs: values and exceptions as answers, several tickets open at once and
 * answered in any order, generators and coroutines as tasks, refusals where nothing can wait,
 * killing. */
#include "genvm.h"
#include <stdio.h>
#include <string.h>

static bool print_out(void *context, int stream, const char *data, size_t size) {
    (void)context, (void)stream;
    return fwrite(data, 1, size, stdout) == size;
}

/* A native that calls script code and waits for it in C. */
static GenRef call_back(GenVM *vm, const GenRef *args) {
    return gen_call(vm, args[0], 0, NULL);
}

static const GenFunction ask = {"ask(question, *more, hint='none', **rest)", NULL, NULL};
static const GenFunction fetch = {"async def fetch(url: str)", NULL, NULL};
static const GenFunction back = {"call_back(function)", call_back, NULL};

static GenVM *new_vm(void) {
    GenConfig config = {.size = sizeof config, .write = print_out};
    GenVM *vm = gen_vm_new(&config);
    gen_set_global(vm, "ask", gen_function(vm, &ask));
    gen_set_global(vm, "fetch", gen_function(vm, &fetch));
    gen_set_global(vm, "call_back", gen_function(vm, &back));
    return vm;
}

static void show(GenVM *vm, const char *what, GenRef value) {
    size_t size = 0;
    const char *text = value ? gen_to_str(vm, gen_repr(vm, value), &size) : "-";
    printf("%s %.*s\n", what, value ? (int)size : 1, text ? text : "?");
}

static const char *kind(GenStatus status) {
    static const char *const names[] = {"ok",      "end",     "error",   "done",
                                        "yielded", "callout", "waiting", "budget"};
    return names[status];
}

static void arguments_and_answers(void) {
    GenVM *vm = new_vm();
    GenOutcome o;
    GenRef task = gen_task_from_source(vm,
                                       "print(ask('name?', 1, 2, hint='x', extra=3))\n"
                                       "try: ask('fail')\n"
                                       "except KeyError as error: print('caught', repr(error))\n"
                                       "import sys\nprint(sys.exception())\n"
                                       "ask('last')",
                                       "script");
    GenStatus status = gen_run(vm, task, &o);
    printf("%s %s %d\n", kind(status), o.name, (int)o.ticket);
    show(vm, "args", o.args);
    show(vm, "kwargs", o.kwargs);
    printf("%s\n", kind(gen_run(vm, task, NULL)));
    gen_answer(vm, task, o.ticket, gen_str(vm, "Ada"));
    printf("again: %s\n", gen_answer(vm, task, o.ticket, gen_none(vm)) ? "?" : "refused");
    gen_error_clear(vm);
    gen_run(vm, task, &o);
    gen_raise(vm, "KeyError", "no answer");
    gen_answer_error(vm, task, o.ticket, gen_error_take(vm));
    printf("%s\n", kind(gen_run(vm, task, &o)));
    GenFrame frame;
    if (gen_task_frame(vm, task, 0, &frame))
        printf("in %s of %s, line %d\n", frame.function, frame.file, frame.line);
    gen_raise(vm, "ValueError", "the end");
    gen_answer_error(vm, task, o.ticket, gen_error_take(vm));
    status = gen_run(vm, task, &o);
    printf("%s\n%s", kind(status), gen_error_text(vm));
    gen_vm_free(vm);
}

static const char many[] = "from _engine import tickets_wait\n"
                           "async def one(url):\n"
                           "    try: return (url, await fetch(url))\n"
                           "    except OSError as error: return (url, str(error))\n"
                           "async def main():\n" /* a scheduler in a nutshell */
                           "    waiting, results = {}, []\n"
                           "    def step(c):\n"
                           "        try: waiting[c.send(None)] = c\n"
                           "        except StopIteration as stop: results.append(stop.value)\n"
                           "    for url in 'abc': step(one(url))\n"
                           "    print(len(waiting), 'wait')\n"
                           "    while waiting:\n"
                           "        for ticket in tickets_wait():\n"
                           "            step(waiting.pop(ticket))\n"
                           "    return results, await fetch('direct')\n";

static void several_tickets(void) {
    GenVM *vm = new_vm();
    GenOutcome o;
    GenStatus status;
    gen_run_string(vm, many, "script");
    GenRef task = gen_task_new(vm, gen_get_global(vm, "main"), 0, NULL);
    GenTicket tickets[8];
    while ((status = gen_run(vm, task, &o)) == GEN_CALLOUT)
        show(vm, o.name, o.args);
    size_t open = gen_task_tickets(vm, task, tickets, 8);
    printf("%s for %d\n", kind(status), (int)open);
    gen_answer(vm, task, tickets[2], gen_str(vm, "third"));
    printf("%s\n", kind(gen_run(vm, task, &o)));
    gen_raise(vm, "OSError", "no such page");
    gen_answer_error(vm, task, tickets[0], gen_error_take(vm));
    gen_answer(vm, task, tickets[1], gen_int(vm, 2));
    printf("%s\n", kind(gen_run(vm, task, &o)));
    printf("%s\n", kind(gen_run(vm, task, &o)));
    gen_answer(vm, task, 4, gen_none(vm));
    printf("%s\n", kind(gen_run(vm, task, &o)));
    show(vm, "result", o.value);
    gen_vm_free(vm);
}

static void generators(void) {
    GenVM *vm = new_vm();
    GenOutcome o;
    gen_run_string(vm,
                   "def g(n):\n"
                   "    total = 0\n"
                   "    for i in range(n): total += (yield i + ask(i)) or 0\n"
                   "    return total\n",
                   "script");
    GenRef three = gen_int(vm, 3), task = gen_task_new(vm, gen_get_global(vm, "g"), 1, &three);
    for (GenStatus status; (status = gen_run(vm, task, &o)) != GEN_DONE;) {
        if (status == GEN_CALLOUT) gen_answer(vm, task, o.ticket, gen_int(vm, 100));
        if (status != GEN_YIELDED) continue;
        show(vm, "yielded", o.value);
        gen_task_send(vm, task, gen_int(vm, 5));
    }
    show(vm, "returned", o.value);
    gen_vm_free(vm);
}

static void refusals(void) {
    GenVM *vm = new_vm();
    printf("%s\n", gen_run_string(vm, "ask(1)", "plain") ? "?" : gen_error_text(vm));
    gen_error_clear(vm);
    GenRef task = gen_task_from_source(vm, "call_back(lambda: ask(1))", "script");
    gen_run(vm, task, NULL);
    printf("%s\n", gen_error_text(vm));
    gen_error_clear(vm);
    GenRef spin = gen_task_from_source(vm,
                                       "def spin():\n"
                                       "    while True:\n"
                                       "        try:\n"
                                       "            while True: pass\n"
                                       "        except BaseException: print('never')\n"
                                       "try: call_back(spin)\n"
                                       "finally:\n    for i in range(9): pass\n"
                                       "    print('never')",
                                       "script");
    gen_task_set_budget(vm, spin, GEN_BUDGET_STEPS, 1000);
    printf("%s\n", kind(gen_run(vm, spin, NULL)));
    gen_vm_free(vm);
}

static void killing(void) {
    GenVM *vm = new_vm();
    GenOutcome o;
    GenRef task =
        gen_task_from_source(vm,
                             "class M:\n"
                             "    def __enter__(self): print('enter')\n"
                             "    def __exit__(self, kind, *rest): print('exit', kind.__name__)\n"
                             "def g():\n"
                             "    try: yield ask(1)\n"
                             "    except BaseException: print('never')\n"
                             "    finally: print('generator')\n"
                             "def f():\n"
                             "    try:\n"
                             "        with M(): sorted(g())\n"
                             "    except BaseException: print('never')\n"
                             "    finally:\n"
                             "        print('finally')\n"
                             "        try: ask(2)\n"
                             "        except RuntimeError as error: print(error)\n"
                             "try: f()\n"
                             "finally:\n"
                             "    while True: pass\n",
                             "script");
    printf("%s\n", kind(gen_run(vm, task, &o)));
    gen_task_kill(vm, task, 100000);
    GenStatus status = gen_run(vm, task, &o);
    printf("%s %s\n", kind(status), gen_error_matches(vm, "GeneratorExit") ? "by the kill" : "?");
    gen_error_clear(vm);
    gen_run_string(vm, "print('the VM is whole')", "after");
    gen_vm_free(vm);
}

int main(void) {
    arguments_and_answers();
    several_tickets();
    generators();
    refusals();
    killing();
    return 0;
}
