/* A game: two hundred actors of one VM are tasks that get a slice of steps in each tick. They ask
 * the world by call-outs (in loops, in sort keys), yield, fail, loop for ever and call too often;
 * each ends as it should, and nothing of them is left.
 */
#include "genvm.h"

#include <stdio.h>
#include <string.h>

enum { ACTORS = 200, TICKS = 100, SLICE = 200, SLICES_MOST = 3, CALLS_MOST = 30 };

typedef struct Actor {
    GenRef task;
    int64_t x;
    int slices;
    bool over;
} Actor;

typedef struct World {
    GenVM *vm;
    Actor actors[ACTORS];
    int done, failed, stopped, yields;
    int64_t sum;
} World;

static const char source[] =
    "class Actor:\n"
    "    def __init__(self, n): self.n = n; self.log = []\n"
    "    def think(self):\n"
    "        kind = self.n % 7\n"
    "        while kind == 0: pass\n"
    "        for i in range(5):\n"
    "            self.log.append(move(self.n, dx=1))\n"
    "            yield self.log[-1]\n"
    "        if kind == 1: raise ValueError(f'actor {self.n} is lost')\n"
    "        if kind == 2: return sorted(self.log, key=lambda x: -move(self.n, dx=x))[0]\n"
    "        if kind == 3:\n"
    "            try:\n"
    "                while True: say('x' * 10)\n"
    "            finally: left.append(self.n)\n"
    "        return sum(self.log)\n"
    "left = []\n";

static void begin(World *world, int n) {
    GenVM *vm = world->vm;
    GenScope scope = gen_scope_open(vm);
    GenRef number = gen_int(vm, n), actor = gen_call(vm, gen_get_global(vm, "Actor"), 1, &number);
    GenRef task = gen_task_new(vm, gen_get_attr(vm, actor, "think"), 0, NULL);
    gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, SLICE);
    gen_task_set_budget(vm, task, GEN_BUDGET_CALLOUTS, CALLS_MOST);
    world->actors[n].task = gen_keep(vm, task);
    gen_scope_close(vm, scope);
}

static void answer(World *world, Actor *actor, const GenOutcome *asked) {
    GenRef value = gen_none(world->vm);
    if (!strcmp(asked->name, "move")) {
        actor->x += gen_as_int(world->vm, gen_get_index(world->vm, asked->args, 1));
        value = gen_int(world->vm, actor->x);
    }
    gen_answer(world->vm, actor->task, asked->ticket, value);
}

static void refuel(World *world, Actor *actor, const GenOutcome *spent) {
    if (spent->budget == GEN_BUDGET_STEPS && ++actor->slices < SLICES_MOST) {
        gen_task_set_budget(world->vm, actor->task, GEN_BUDGET_STEPS, spent->needed + SLICE);
    } else {
        world->stopped++;
        if (!gen_task_kill(world->vm, actor->task, 100)) puts("not killed");
    }
}

static void fail(World *world, int n) {
    if (n < 4) printf("%d: %s", n, gen_error_text(world->vm));
    gen_error_clear(world->vm);
    world->failed++;
}

static void tick(World *world, int n) {
    Actor *actor = &world->actors[n];
    GenOutcome outcome;
    GenScope scope = gen_scope_open(world->vm);
    GenStatus status = gen_run(world->vm, actor->task, &outcome);
    actor->over = status == GEN_DONE || status == GEN_ERROR;
    if (status == GEN_DONE) {
        world->done++;
        world->sum += gen_as_int(world->vm, outcome.value);
    } else if (status == GEN_ERROR) {
        fail(world, n);
    } else if (status == GEN_YIELDED) {
        world->yields++;
    } else if (status == GEN_CALLOUT) {
        answer(world, actor, &outcome);
    } else {
        refuel(world, actor, &outcome);
    }
    if (gen_error_pending(world->vm)) puts(gen_error_text(world->vm));
    gen_scope_close(world->vm, scope);
}

static void end(World *world) {
    GenVM *vm = world->vm;
    size_t left = 0;
    gen_len(vm, gen_get_global(vm, "left"), &left);
    printf("%d done, %d failed, %d of them stopped, %d yields, sum %lld, %zu left\n", world->done,
           world->failed, world->stopped, world->yields, (long long)world->sum, left);
    for (int n = 0; n < ACTORS; n++) {
        if (!world->actors[n].over) printf("%d is alive\n", n);
        gen_release(vm, world->actors[n].task);
    }
    gen_collect(vm);
    printf("%d %d\n", gen_memory(vm) < 1 << 18, gen_vm_finish(vm));
    gen_vm_free(vm);
}

int main(void) {
    static const GenFunction move = {"move(n: int, *, dx: int = 0)", NULL, NULL};
    static const GenFunction say = {"say(text: str)", NULL, NULL};
    static World world;
    GenVM *vm = world.vm = gen_vm_new(NULL);
    gen_set_global(vm, "move", gen_function(vm, &move));
    gen_set_global(vm, "say", gen_function(vm, &say));
    if (!gen_run_string(vm, source, "actors")) return puts(gen_error_text(vm)), 1;
    for (int n = 0; n < ACTORS; n++)
        begin(&world, n);
    for (int at = 0; at < TICKS; at++)
        for (int n = 0; n < ACTORS; n++)
            if (!world.actors[n].over) tick(&world, n);
    end(&world);
    return 0;
}
