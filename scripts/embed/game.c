/* A game of a thousand actors in one VM. The mind of each is a generator function of a script, run
 * as a task of its own that gets so many steps a turn: who thinks longer just goes on next turn,
 * and whose script fails stands still.
# skip: stress a thousand actors that collect at every safepoint take hours */
#include "genvm.h"
#include <stdio.h>
#include <stdlib.h>

enum { ACTORS = 1000, TURNS = 50, STEPS_A_TURN = 400, SIDE = 200 };

typedef struct Body {
    int x, y;
} Body;

typedef struct Actor {
    GenRef task, body, error; /* kept */
    int turns, late;          /* turns done; that ended before the actor did */
    bool over;
} Actor;

extern const GenTypeDef body_type; /* not static: C++ would take that for the definition */

static Body *body_of(GenVM *vm, GenRef self) {
    return (Body *)gen_object_data(vm, self, &body_type);
}

static GenRef get_x(GenVM *vm, const GenRef *args) {
    return gen_int(vm, body_of(vm, args[0])->x);
}

static GenRef get_y(GenVM *vm, const GenRef *args) {
    return gen_int(vm, body_of(vm, args[0])->y);
}

static GenRef move(GenVM *vm, const GenRef *args) {
    Body *body = body_of(vm, args[0]);
    int64_t dx = gen_as_int(vm, args[1]), dy = gen_as_int(vm, args[2]);
    if (dx < -1 || dx > 1 || dy < -1 || dy > 1)
        return gen_raise(vm, "ValueError", "one step at a time");
    body->x = (int)((body->x + dx + SIDE) % SIDE);
    body->y = (int)((body->y + dy + SIDE) % SIDE);
    return gen_none(vm);
}

static const GenFunction methods[] = {{"move(self, dx: int, dy: int)", move, "Take a step."},
                                      {NULL, NULL, NULL}};
static const GenProperty properties[] = {
    {"x", get_x, NULL, "Across."}, {"y", get_y, NULL, "Down."}, {NULL, NULL, NULL, NULL}};
const GenTypeDef body_type = {"Body",     NULL, sizeof(Body), 0,    NULL, methods,
                              properties, NULL, NULL,         NULL, NULL, 0};

static const char script[] = "def walker(me):\n"
                             "    while True:\n"
                             "        for step in (1, 0), (0, 1), (-1, 0), (0, -1):\n"
                             "            me.move(*step)\n"
                             "            yield\n"
                             "def thinker(me):\n"
                             "    while True:\n"
                             "        best = max(range(500), key=lambda n: n * 7919 % 503 + me.x)\n"
                             "        me.move(best % 3 - 1, 0)\n"
                             "        yield\n"
                             "def greedy(me):\n"
                             "    while True:\n"
                             "        try:\n"
                             "            while True: pass\n"
                             "        except BaseException:\n"
                             "            pass\n"
                             "def clumsy(me):\n"
                             "    for length in range(9):\n"
                             "        me.move(length, 0)\n"
                             "        yield\n";

static void fail(GenVM *vm) {
    fputs(gen_error_text(vm), stderr);
    exit(1);
}

static void make(GenVM *vm, Actor *actor, int number) {
    static const char *const minds[] = {"walker", "walker", "thinker", "clumsy"};
    const char *mind = number == 0 ? "greedy" : minds[number % 4];
    GenRef body = gen_object_new(vm, gen_get_global(vm, "Body"));
    GenRef task = gen_task_new(vm, gen_get_global(vm, mind), 1, &body);
    if (!task) fail(vm);
    body_of(vm, body)->x = number % SIDE;
    body_of(vm, body)->y = number / SIDE;
    gen_task_set_budget(vm, task, GEN_BUDGET_MEMORY, 1 << 20);
    actor->body = gen_keep(vm, body);
    actor->task = gen_keep(vm, task);
}

static void turn(GenVM *vm, Actor *actor) {
    uint64_t spent = gen_task_spent(vm, actor->task, GEN_BUDGET_STEPS);
    GenOutcome outcome;
    gen_task_set_budget(vm, actor->task, GEN_BUDGET_STEPS, spent + STEPS_A_TURN);
    switch (gen_run(vm, actor->task, &outcome)) {
    case GEN_YIELDED: actor->turns++; return;
    case GEN_BUDGET:
        if (outcome.budget == GEN_BUDGET_STEPS) {
            actor->late++;
            return;
        }
        break; /* too much memory */
    default:   /* its generator has ended, or it has failed */
        if (gen_error_pending(vm)) actor->error = gen_keep(vm, gen_error_take(vm));
        break;
    }
    actor->over = true;
}

int main(void) {
    static Actor actors[ACTORS];
    GenVM *vm = gen_vm_new(NULL);
    gen_set_global(vm, "Body", gen_type_new(vm, &body_type));
    if (!gen_run_string(vm, script, "minds")) fail(vm);
    for (int i = 0; i < ACTORS; i++) {
        GenScope scope = gen_scope_open(vm);
        make(vm, &actors[i], i);
        gen_scope_close(vm, scope);
    }
    for (int i = 0; i < TURNS * ACTORS; i++) {
        Actor *actor = &actors[i % ACTORS];
        if (actor->over) continue;
        GenScope scope = gen_scope_open(vm);
        turn(vm, actor);
        gen_scope_close(vm, scope);
    }
    size_t size;
    printf("the walker had %d turns\n", actors[1].turns);
    printf("the greedy one is late each turn: %s\n", actors[0].late == TURNS ? "yes" : "no");
    printf("the thinker needs several turns for a move: %s\n",
           actors[2].turns > 0 && actors[2].late > actors[2].turns ? "yes" : "no");
    printf("the clumsy one stands at %d, %d: %s\n", body_of(vm, actors[3].body)->x,
           body_of(vm, actors[3].body)->y, gen_to_str(vm, gen_to_text(vm, actors[3].error), &size));
    for (int i = 0; i < ACTORS; i++) {
        const GenRef kept[] = {actors[i].body, actors[i].task, actors[i].error};
        for (int j = 0; j < 3; j++)
            if (kept[j]) gen_release(vm, kept[j]);
    }
    gen_vm_free(vm);
    return 0;
}
