/* budget.c - what a task may spend, and how it stops when it has spent it.
 *
 * Steps are counted by the fuel of the interpreter (interp.c): a backward jump, a call, a resume
 * take one, natives charge what they do. A slice never reaches beyond the budget, so that the task
 * stops at the same step on every run, wherever collections fall. The other budgets are looked at
 * when a slice ends; what spends of them asks for that by POLL_BUDGET.
 *
 * A task with a spent budget stops between two instructions, by no exception: scripts see nothing
 * of it, and go on when the host has raised the limit. Work that is done in one piece and that the
 * budget does not cover is not begun: native_afford stops the task before the instruction.
 */
#include "vm/bind.h"
#include "vm/native.h"
#include "vm/objects/text.h"
#include "vm/task.h"

#include <time.h>

static uint64_t now(GenVM *vm) {
    if (vm->clock) return vm->clock(vm->host_data);
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* ---- memory ---- */

uint64_t budget_memory(GenVM *vm, const Task *task) {
    uint64_t live = gc_live_bytes(vm);
    return live > task->others ? live - task->others : 0;
}

/* What an allocation in one piece may not exceed. */
static void set_limit(GenVM *vm, const Task *task) {
    uint64_t limit = task ? task->limits[BUDGET_MEMORY] : 0, whole = vm->memory_limit;
    if (!limit || (whole && whole < task->others + limit))
        gc_set_limit(vm, whole, whole);
    else
        gc_set_limit(vm, task->others + limit, limit);
}

void budget_enter(GenVM *vm, Task *task) {
    uint64_t live = gc_live_bytes(vm), own = task->used[BUDGET_MEMORY];
    task->others = live > own ? live - own : 0;
    set_limit(vm, task);
}

/* The task that goes on, if any, gets its limit back; the other's growth is not its own. */
void budget_leave(GenVM *vm, Task *task) {
    uint64_t own = budget_memory(vm, task), before = task->used[BUDGET_MEMORY];
    Task *next = vm->switches->task;
    task->used[BUDGET_MEMORY] = own;
    uint64_t limit = task->limits[BUDGET_MEMORY];
    task->littered = limit && own > before + limit / 16;
    if (next) next->others += own - before;
    set_limit(vm, next);
}

void budget_tidy(GenVM *vm, Task *task) {
    if (!task->littered) return;
    uint64_t live = gc_live_bytes(vm), *own = &task->used[BUDGET_MEMORY];
    gc_collect(vm, live / 8 < task->limits[BUDGET_MEMORY]); /* full where that is cheap */
    uint64_t freed = live - gc_live_bytes(vm);
    *own -= freed < *own ? freed : *own;
    task->littered = false;
}

/* The heap counts what garbage it has not found yet: only a full collection can tell. */
static bool over_memory(GenVM *vm, const Task *task) {
    uint64_t limit = task->limits[BUDGET_MEMORY];
    if (budget_memory(vm, task) <= limit) return false;
    gc_collect(vm, true);
    return budget_memory(vm, task) > limit;
}

/* ---- what is spent ---- */

static int64_t steps_left(GenVM *vm, const Task *task) {
    uint64_t limit = task->limits[BUDGET_STEPS];
    if (!limit) return INT64_MAX;
    return (int64_t)(limit < BUDGET_STEPS_MOST ? limit : BUDGET_STEPS_MOST) - vm->steps_done;
}

static BudgetKind find_spent(GenVM *vm, Task *task) {
    const uint64_t *limits = task->limits, *used = task->used;
    int64_t left = steps_left(vm, task);
    if (left < 0 || (uint64_t)left < task->wanted) return BUDGET_STEPS;
    if (limits[BUDGET_OUTPUT] && used[BUDGET_OUTPUT] > limits[BUDGET_OUTPUT]) return BUDGET_OUTPUT;
    if (used[BUDGET_DEPTH]) { /* it went beyond: is it still there */
        uint64_t most = limits[BUDGET_DEPTH];
        if (most && frame_count(vm, most + 1) > most) return BUDGET_DEPTH;
        task->used[BUDGET_DEPTH] = 0;
    }
    if (limits[BUDGET_MEMORY] && over_memory(vm, task)) return BUDGET_MEMORY;
    if (limits[BUDGET_DEADLINE] && now(vm) >= limits[BUDGET_DEADLINE]) return BUDGET_DEADLINE;
    return BUDGET_NONE;
}

bool budget_safepoint(GenVM *vm) {
    Task *task = vm->task;
    BudgetKind spent = find_spent(vm, task);
    if (spent == BUDGET_NONE) {
        task->wanted = 0;
        return true;
    }
    if (task_can_stop(vm)) {
        task->again = NULL;
        task->tripped = spent;
        vm->stop = STOP_BUDGET;
        return false;
    }
    vm->fuel_slice = vm->fuel = 0; /* the task itself stops as soon as the host's native is left */
    vm->poll |= POLL_BUDGET;
    vm->aborting = true;
    raise_runtime(vm, "the budget of the task is spent in a call made by the host");
    return false;
}

int64_t budget_slice(GenVM *vm, int64_t most) {
    int64_t left = steps_left(vm, vm->task);
    return left < most ? left : most;
}

size_t budget_depth(GenVM *vm, size_t depth) {
    uint64_t limit = vm->task->limits[BUDGET_DEPTH];
    if (!limit || limit >= vm->recursion_limit) return vm->recursion_limit;
    if (depth < limit) return limit;
    vm->task->used[BUDGET_DEPTH] = 1;
    vm->poll |= POLL_BUDGET;
    return vm->recursion_limit;
}

enum { OUTPUT_A_STEP = 64 }; /* bytes: they are copied */

void budget_output(GenVM *vm, uint64_t bytes) {
    Task *task = vm->task;
    if (!task) return;
    task->used[BUDGET_OUTPUT] += bytes;
    native_spend(vm, bytes / OUTPUT_A_STEP);
    if (task->limits[BUDGET_OUTPUT] && task->used[BUDGET_OUTPUT] > task->limits[BUDGET_OUTPUT])
        vm->poll |= POLL_BUDGET;
}

/* ---- work in one piece ---- */

/* Is the running instruction one that can be run once more: its operands are still in their
 * registers. */
static bool can_restart(GenVM *vm) {
    if (!task_can_stop(vm) || vm->no_restart || !vm->base || vm->pc == vm->committed) return false;
    if (frame_code(vm->base)->flags & CODE_STUB) return false;
    Opcode op = instr_op(vm->pc[-1]);
    return (op >= OP_ADD && op <= OP_XORK) || (op >= OP_NEG && op <= OP_INVERT) ||
           (op >= OP_LT && op <= OP_GE) || op == OP_IN || op == OP_NOTIN ||
           (op >= OP_JLT && op <= OP_JNES) || (op >= OP_CALL && op <= OP_CALLEXWG) ||
           op == OP_GETITEM || op == OP_SETITEM || op == OP_GETSLICE || op == OP_DICTSET ||
           op == OP_SETADD || op == OP_LISTEXTEND || op == OP_LISTTUPLE ||
           (op >= OP_FORMAT && op <= OP_JOINSTR);
}

void budget_changed(GenVM *vm) {
    set_limit(vm, vm->task);
    vm->poll |= POLL_BUDGET;
}

/* A native does what it has begun, and the task stops behind it: a host that hands out steps by the
 * thousand sees no difference. But not for ever. */
bool budget_is_outrun(GenVM *vm) {
    enum { MOST = 1 << 24 };
    Task *task = vm->task;
    if (!task || !task->limits[BUDGET_STEPS]) return false;
    return steps_left(vm, task) - (vm->fuel_slice - vm->fuel - vm->fuel_kept) < -MOST;
}

/* What is begun anew is to come to an end, though the host hands out time by the millisecond: each
 * attempt at an instruction gets twice what the one before got beyond the deadline. */
static void grant_more(GenVM *vm, Task *task) {
    enum { FIRST = 1000 * 1000, DOUBLINGS = 12 };
    uint64_t most = (uint64_t)FIRST << DOUBLINGS;
    task->grace = task->again != vm->pc ? FIRST : task->grace < most ? task->grace * 2 : most;
    task->again = vm->pc;
}

/* Will the deadline have come in so many nanoseconds, before an instruction that can be run anew.
 */
static bool deadline_stops(GenVM *vm, uint64_t ahead) {
    Task *task = vm->task;
    uint64_t deadline = task ? task->limits[BUDGET_DEADLINE] : 0;
    if (likely(!deadline)) return false;
    uint64_t time = now(vm) + ahead, grace = task->again == vm->pc ? task->grace : 0;
    if (time < deadline || time - deadline < grace || !can_restart(vm)) return false;
    grant_more(vm, task);
    task->tripped = BUDGET_DEADLINE;
    vm->stop = STOP_AGAIN;
    return true;
}

bool native_foresee(GenVM *vm, uint64_t nanoseconds) {
    return !deadline_stops(vm, nanoseconds < (uint64_t)1 << 60 ? nanoseconds : (uint64_t)1 << 60);
}

bool budget_stops_work(GenVM *vm) {
    return vm->afforded && deadline_stops(vm, 0);
}

bool native_pay(GenVM *vm, uint64_t steps, uint64_t before) {
    Task *task = vm->task;
    if (!vm->afforded && deadline_stops(vm, 0)) return false;
    if (!task || !task->limits[BUDGET_STEPS] || vm->afforded) return native_charge(vm, steps);
    int64_t left = steps_left(vm, task) - (vm->fuel_slice - vm->fuel - vm->fuel_kept);
    if (left >= 0 && (uint64_t)left >= steps) return native_charge(vm, steps);
    if (can_restart(vm)) {
        task->wanted = 2 * (before + steps); /* what was done until here is to be done again */
        task->tripped = BUDGET_STEPS;
        vm->stop = STOP_AGAIN;
    } else {
        raise_memory(vm);
    }
    return false;
}

bool native_look(GenVM *vm) {
    return !deadline_stops(vm, 0) && (!vm->interrupted || vm_poll_native(vm));
}

bool native_work(GenVM *vm, uint64_t steps) {
    if (likely((int64_t)steps <= vm->fuel)) {
        vm->fuel -= (int64_t)steps;
        return true;
    }
    return !deadline_stops(vm, 0) && native_charge(vm, steps);
}

/* The next safepoint is at once, and stops the task. */
static void hurry(GenVM *vm) {
    vm->fuel_kept += vm->fuel;
    vm->fuel = 0;
    vm->poll |= POLL_BUDGET;
}

uint64_t budget_wait(GenVM *vm, uint64_t nanoseconds) {
    const Task *task = vm->task;
    if (!task) return nanoseconds;
    if (task->killer != VALUE_UNSET) return 0;
    uint64_t deadline = task->limits[BUDGET_DEADLINE], time = deadline ? now(vm) : 0;
    if (!deadline || (time < deadline && deadline - time >= nanoseconds)) return nanoseconds;
    hurry(vm);
    return time < deadline ? deadline - time : 0;
}

Leaf native_turn(GenVM *vm, uint64_t steps) {
    vm->fuel -= (int64_t)steps;
    if (likely(vm->fuel >= 0)) return LEAF_TRUE;
    Task *task = vm->task;
    if (!task || !task_can_stop(vm)) return vm_poll_native(vm) ? LEAF_TRUE : LEAF_ERROR;
    int64_t left = steps_left(vm, task) - (vm->fuel_slice - vm->fuel - vm->fuel_kept);
    uint64_t deadline = task->limits[BUDGET_DEADLINE];
    if (left >= 0 && !(deadline && now(vm) >= deadline))
        return vm_poll_native(vm) ? LEAF_TRUE : LEAF_ERROR;
    hurry(vm);
    return LEAF_FALSE;
}

bool native_leaves_item(GenVM *vm) {
    if (vm->stop != STOP_AGAIN) return false;
    vm->stop = STOP_NONE;
    vm->task->wanted = 0;
    hurry(vm);
    return true;
}

bool native_copy_long(GenVM *vm, void *to, const void *from, size_t size) {
    enum { PIECE = 1 << 21 }; /* bytes: a millisecond, where the memory is touched first */
    for (size_t done = 0; done < size; done += PIECE) {
        if (!native_look(vm)) return false;
        memcpy((char *)to + done, (const char *)from + done,
               size - done < PIECE ? size - done : PIECE);
    }
    return true;
}

bool native_fill(GenVM *vm, void *to, int byte, size_t size) {
    enum { PIECE = 1 << 20 };
    for (size_t done = 0; done < size; done += PIECE) {
        if (done && !native_look(vm)) return false;
        memset((char *)to + done, byte, size - done < PIECE ? size - done : PIECE);
    }
    return true;
}

bool native_reverse(GenVM *vm, char *to, const char *from, size_t size) {
    enum { PIECE = 1 << 20 };
    for (size_t done = 0; done < size; done += PIECE) {
        size_t piece = size - done < PIECE ? size - done : PIECE;
        if (done && !native_look(vm)) return false;
        text_reverse(to + done, from + size - done - piece, piece);
    }
    return true;
}

bool native_repeat(GenVM *vm, void *data, size_t size, size_t total) {
    for (size_t done = size; done < total; done *= 2) {
        size_t more = done < total - done ? done : total - done;
        if (!native_copy(vm, (char *)data + done, data, more)) return false;
    }
    return true;
}

void native_spend(GenVM *vm, uint64_t steps) {
    vm->fuel -= (int64_t)(steps < ((uint64_t)1 << 40) ? steps : (uint64_t)1 << 40);
    if (vm->fuel >= 0 || !vm->task || vm->in_prelude) return;
    vm->fuel_kept += vm->fuel;
    vm->fuel = 0;
    vm->poll |= POLL_BUDGET;
}

/* What a step of work in one piece takes at least: 64 bytes that are touched, some products. */
enum { STEP_NANOSECONDS = 2, FORESEEN_FROM = 1 << 16 };

bool native_afford(GenVM *vm, uint64_t steps) {
    Task *task = vm->task;
    if (steps >= FORESEEN_FROM && steps < (uint64_t)1 << 50 && !vm->afforded &&
        !native_foresee(vm, steps * STEP_NANOSECONDS))
        return false;
    if (!task || !task->limits[BUDGET_STEPS] || vm->afforded) return native_charge(vm, steps);
    int64_t done = vm->fuel_slice - vm->fuel - vm->fuel_kept;
    int64_t left = steps_left(vm, task) - done;
    if (left >= 0 && (uint64_t)left >= steps) return native_charge(vm, steps);
    if (can_restart(vm)) {
        task->wanted = steps;
        task->tripped = BUDGET_STEPS;
        vm->stop = STOP_AGAIN;
    } else {
        raise_memory(vm);
    }
    return false;
}

bool native_begin(GenVM *vm, uint64_t steps) {
    if (!native_afford(vm, steps)) return false;
    /* The pieces charge for themselves. They get it back by the slice, with a look between two. */
    vm->fuel_kept += (int64_t)(steps < ((uint64_t)1 << 40) ? steps : (uint64_t)1 << 40);
    vm->afforded++;
    return true;
}

void native_end(GenVM *vm) {
    vm->afforded--;
}
