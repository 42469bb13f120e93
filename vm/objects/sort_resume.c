/* sort_resume.c - sorting by an __lt__ written in Gen: a resumable native (resume.h) whose steps
 * each settle one comparison.
 *
 * The same plan as list_sort.c, turned inside out: natural runs, short ones lengthened by binary
 * insertion, are merged while the one below is less than twice as long. What is sorted are
 * positions. All state lies in one List of small ints, so that a sort can be suspended in the
 * middle of any comparison:
 *
 *     variables | order: the positions, sorted run by run | spare: the left run of a merge | start
 * and length of the runs
 */
#include "vm/engine_module.h"
#include "vm/objects/containers.h"
#include "vm/resume.h"

enum { R_SPACE = RESUME_STATE, R_KEYS, R_ITEMS, R_REVERSE };
enum { SHORTEST_RUN = 12, MOST_RUNS = 70 };

typedef enum Variable {
    V_PHASE,
    V_COUNT,
    V_START,
    V_LENGTH,
    V_WANTED,
    V_DESCENDING,
    V_LOW,
    V_HIGH,
    V_LEFT,
    V_LEFT_END,
    V_RIGHT,
    V_RIGHT_END,
    V_OUT,
    V_RUNS,
    V_FIRST,
    V_SECOND,
    VARIABLES
} Variable;

typedef enum Phase {
    PHASE_BEGIN,
    PHASE_TURN,
    PHASE_RUN,
    PHASE_INSERT,
    PHASE_JOIN,
    PHASE_MERGE
} Phase;

typedef struct Sorter {
    Value *v, *order, *spare, *runs;
} Sorter;

static Sorter sorter_of(Value space) {
    Value *v = AS_LIST(space)->items;
    int64_t count = as_int(v[V_COUNT]);
    return (Sorter){.v = v,
                    .order = v + VARIABLES,
                    .spare = v + VARIABLES + count,
                    .runs = v + VARIABLES + 2 * count};
}

static inline int64_t get(const Sorter *s, Variable variable) {
    return as_int(s->v[variable]);
}
static inline void set(Sorter *s, Variable variable, int64_t i) {
    s->v[variable] = int_value(i);
}

/* Asks: is the key at position `first` less than the one at `second`? */
static bool ask(Sorter *s, Phase phase, Value first, Value second) {
    set(s, V_PHASE, phase);
    s->v[V_FIRST] = first;
    s->v[V_SECOND] = second;
    return true;
}

static bool next_run(Sorter *s);
static bool merge_neighbours(Sorter *s, bool all);

/* ---- runs ---- */

static bool end_run(Sorter *s) {
    Value *run = s->runs + 2 * get(s, V_RUNS);
    run[0] = s->v[V_START];
    run[1] = s->v[V_LENGTH];
    set(s, V_RUNS, get(s, V_RUNS) + 1);
    set(s, V_START, get(s, V_START) + get(s, V_LENGTH));
    return merge_neighbours(s, false);
}

/* The next item of a short run goes to its place. */
static bool insert_next(Sorter *s) {
    if (get(s, V_LENGTH) >= get(s, V_WANTED)) return end_run(s);
    set(s, V_LOW, 0);
    set(s, V_HIGH, get(s, V_LENGTH));
    Value pivot = int_value(get(s, V_START) + get(s, V_LENGTH));
    return ask(s, PHASE_INSERT, pivot, s->order[get(s, V_START) + get(s, V_LENGTH) / 2]);
}

static bool inserted(Sorter *s, bool less) {
    int64_t middle = (get(s, V_LOW) + get(s, V_HIGH)) / 2;
    if (less)
        set(s, V_HIGH, middle);
    else
        set(s, V_LOW, middle + 1);
    int64_t low = get(s, V_LOW), high = get(s, V_HIGH), start = get(s, V_START),
            length = get(s, V_LENGTH);
    if (low < high) return ask(s, PHASE_INSERT, s->v[V_FIRST], s->order[start + (low + high) / 2]);
    Value *place = s->order + start + low;
    memmove(place + 1, place, (size_t)(length - low) * sizeof *place);
    *place = s->v[V_FIRST];
    set(s, V_LENGTH, length + 1);
    return insert_next(s);
}

static bool natural_run_ended(Sorter *s) {
    int64_t start = get(s, V_START), length = get(s, V_LENGTH), left = get(s, V_COUNT) - start;
    bool descending = get(s, V_DESCENDING);
    for (int64_t i = 0; i < length; i++)
        s->order[start + i] = int_value(start + (descending ? length - 1 - i : i));
    set(s, V_WANTED, left < SHORTEST_RUN ? left : SHORTEST_RUN);
    return insert_next(s);
}

static bool grow_run(Sorter *s) {
    int64_t next = get(s, V_START) + get(s, V_LENGTH);
    if (next == get(s, V_COUNT)) return natural_run_ended(s);
    return ask(s, PHASE_RUN, int_value(next), int_value(next - 1));
}

static bool next_run(Sorter *s) {
    int64_t start = get(s, V_START), count = get(s, V_COUNT);
    if (start == count) return merge_neighbours(s, true);
    set(s, V_DESCENDING, 0);
    set(s, V_LENGTH, 1);
    if (start + 1 == count) return natural_run_ended(s);
    return ask(s, PHASE_TURN, int_value(start + 1), int_value(start));
}

/* ---- merging ---- */

/* Joins the two topmost runs if that is due (or `all` are to become one); else goes on, or is done:
 * false. */
static bool merge_neighbours(Sorter *s, bool all) {
    int64_t count = get(s, V_RUNS);
    if (count < 2) return !all && next_run(s);
    Value *left = s->runs + 2 * (count - 2), *right = left + 2;
    if (!all && as_int(left[1]) >= 2 * as_int(right[1])) return next_run(s);
    Value last_of_left = s->order[as_int(right[0]) - 1];
    return ask(s, PHASE_JOIN, s->order[as_int(right[0])], last_of_left);
}

static bool joined(Sorter *s) {
    Value *left = s->runs + 2 * (get(s, V_RUNS) - 2), *right = left + 2;
    left[1] = int_value(as_int(left[1]) + as_int(right[1]));
    set(s, V_RUNS, get(s, V_RUNS) - 1);
    return merge_neighbours(s, get(s, V_START) == get(s, V_COUNT));
}

static bool begin_merge(Sorter *s, bool less) {
    if (!less) return joined(s); /* they are in order as they lie */
    Value *left = s->runs + 2 * (get(s, V_RUNS) - 2), *right = left + 2;
    int64_t start = as_int(left[0]), length = as_int(left[1]);
    memcpy(s->spare, s->order + start, (size_t)length * sizeof *s->spare);
    set(s, V_LEFT, 0);
    set(s, V_LEFT_END, length);
    s->v[V_RIGHT] = right[0];
    set(s, V_RIGHT_END, as_int(right[0]) + as_int(right[1]));
    set(s, V_OUT, start);
    return ask(s, PHASE_MERGE, s->order[as_int(right[0])], s->spare[0]);
}

static bool merge_one(Sorter *s, bool less) {
    int64_t left = get(s, V_LEFT), right = get(s, V_RIGHT), out = get(s, V_OUT),
            left_end = get(s, V_LEFT_END);
    s->order[out++] = less ? s->order[right++] : s->spare[left++];
    if (left < left_end && right < get(s, V_RIGHT_END)) {
        set(s, V_LEFT, left);
        set(s, V_RIGHT, right);
        set(s, V_OUT, out);
        return ask(s, PHASE_MERGE, s->order[right], s->spare[left]);
    }
    memcpy(s->order + out, s->spare + left, (size_t)(left_end - left) * sizeof *s->order);
    return joined(s);
}

/* Goes on with the answer to the last question, up to the next one. False: all is sorted. */
static bool advance(Sorter *s, bool less) {
    switch ((Phase)get(s, V_PHASE)) {
    case PHASE_BEGIN: return next_run(s);
    case PHASE_TURN:
        set(s, V_DESCENDING, less);
        set(s, V_LENGTH, 2);
        return grow_run(s);
    case PHASE_RUN:
        if (less != (get(s, V_DESCENDING) != 0)) return natural_run_ended(s);
        set(s, V_LENGTH, get(s, V_LENGTH) + 1);
        return grow_run(s);
    case PHASE_INSERT: return inserted(s, less);
    case PHASE_JOIN: return begin_merge(s, less);
    case PHASE_MERGE: break;
    }
    return merge_one(s, less);
}

/* ---- the native ---- */

/* Only where the lists are not the caller's alone, as list.sort's are. */
static Value raise_modified(GenVM *vm) {
    return raise_value(vm, "list modified during sort");
}

/* The items in their new order; both lists were reversed before if the sort is. */
static Value finish(GenVM *vm, Sorter *s, Value *r) {
    List *items = AS_LIST(r[R_ITEMS]);
    uint64_t count = items->count;
    if (count != (uint64_t)get(s, V_COUNT)) return raise_modified(vm);
    Value copy = list_from_array(vm, items->items, count);
    if (copy == VALUE_ERROR) return copy;
    for (uint64_t i = 0; i < count; i++) {
        Value item = AS_LIST(copy)->items[as_int(s->order[i])];
        items->items[r[R_REVERSE] == VALUE_TRUE ? count - 1 - i : i] = item;
    }
    gc_barrier(vm, items);
    return VALUE_NONE;
}

Value sort_resume(GenVM *vm, Value *r) {
    Sorter s = sorter_of(r[R_SPACE]);
    Value answer = r[RESUME_RESULT];
    if (answer == VALUE_UNSET) answer = VALUE_FALSE; /* the first step */
    for (;;) {
        if (unlikely(AS_LIST(r[R_KEYS])->count != (uint64_t)get(&s, V_COUNT)))
            return raise_modified(vm);
        const Value *keys = AS_LIST(r[R_KEYS])->items;
        if (answer == VALUE_NOT_IMPLEMENTED) {
            answer = compare_rest(vm, COMPARE_LT, keys[get(&s, V_FIRST)], keys[get(&s, V_SECOND)]);
            if (answer == VALUE_ERROR || answer == VALUE_TAIL) return answer;
        }
        Leaf less = leaf_truth(vm, answer);
        if (less == LEAF_ERROR) return VALUE_ERROR;
        if (less == LEAF_SCRIPT) return value_truth(vm, answer);
        if (!advance(&s, less == LEAF_TRUE)) return finish(vm, &s, r);
        answer = compare_first(vm, COMPARE_LT, keys[get(&s, V_FIRST)], keys[get(&s, V_SECOND)]);
        if (answer == VALUE_ERROR || answer == VALUE_TAIL) return answer;
    }
}

static void reverse(List *list) {
    for (uint64_t i = 0, j = list->count; i + 1 < j; i++) {
        Value item = list->items[i];
        list->items[i] = list->items[--j];
        list->items[j] = item;
    }
}

/* _engine.sort_by_less(keys, items, reverse): sorts the items, which nothing else may touch
 * meanwhile, by their keys (which may be the same list). */
static Value engine_sort_by_less(GenVM *vm, Value *args) {
    List *keys = AS_LIST(args[0]), *items = AS_LIST(args[1]);
    uint64_t count = items->count, size = VARIABLES + 2 * count + 2 * MOST_RUNS;
    if (count < 2 || keys->count != count) return VALUE_NONE;
    if (!native_work(vm, count)) return VALUE_ERROR;
    Value space = list_new(vm, size);
    if (space == VALUE_ERROR) return space;
    for (uint64_t i = 0; i < size; i++)
        AS_LIST(space)->items[i] = int_value(0);
    AS_LIST(space)->count = size;
    AS_LIST(space)->items[V_COUNT] = int_value((int64_t)count);
    if (args[2] == VALUE_TRUE) {
        reverse(keys);
        if (items != keys) reverse(items);
    }
    return native_steps(vm, RESUME_SORT, 4, space, args[0], args[1], args[2]);
}

const NativeDef engine_sort_natives[] = {
    {"sort_keyed(keys: list, values: list, reverse: bool, /)", engine_sort_keyed, NULL},
    {"sort_by_less(keys: list, items: list, reverse: bool, /)", engine_sort_by_less, NULL},
    {NULL, NULL, NULL},
};

/* ---- from images ---- */

/* The state, as read: its variables, and the runs as far as they are there. */
typedef struct Claim {
    int64_t count, phase, start, length, runs;
    const Value *v, *run; /* start and length of each */
} Claim;

static bool are_positions(const Value *v, uint64_t count, int64_t most) {
    for (uint64_t i = 0; i < count; i++)
        if (!is_int(v[i]) || as_int(v[i]) < 0 || as_int(v[i]) > most) return false;
    return true;
}

static int64_t run_length(const Claim *c, int64_t i) {
    return as_int(c->run[2 * i + 1]);
}

/* The runs lie side by side, from the first item to `start`. Each is at least twice as long as the
 * next, so that there is room for all that may come; the two at the top may be about to be joined.
 */
static bool check_runs(const Claim *c) {
    bool joins = c->phase == PHASE_JOIN || c->phase == PHASE_MERGE;
    bool last = joins && c->start == c->count; /* all are joined: there will be no more */
    int64_t end = 0;
    if (!are_positions(c->run, 2 * (uint64_t)c->runs, c->count)) return false;
    for (int64_t i = 0; i < c->runs; i++) {
        if (as_int(c->run[2 * i]) != end || run_length(c, i) < 1) return false;
        end += run_length(c, i);
        bool settled = !last && i > 0 && !(joins && i == c->runs - 1);
        if (settled && run_length(c, i - 1) < 2 * run_length(c, i)) return false;
    }
    return end == c->start && (!joins || c->runs >= 2);
}

/* The run that is being made lies between `start` and the end, with an item still to come. */
static bool check_new_run(const Claim *c) {
    int64_t left = c->count - c->start, low = as_int(c->v[V_LOW]), high = as_int(c->v[V_HIGH]);
    switch ((Phase)c->phase) {
    case PHASE_BEGIN: return c->start == 0;
    case PHASE_TURN: return c->length == 1 && left > 1;
    case PHASE_RUN: return c->length > 1 && c->length < left;
    case PHASE_INSERT:
        return c->length > 0 && c->length < as_int(c->v[V_WANTED]) &&
               as_int(c->v[V_WANTED]) <= left && low < high && high <= c->length;
    case PHASE_JOIN:
    case PHASE_MERGE: break;
    }
    return true;
}

/* What is left of the two runs fills the place between `out` and their end. */
static bool check_merge(const Claim *c) {
    if (c->phase != PHASE_MERGE) return true;
    const Value *left_run = c->run + 2 * (c->runs - 2), *right_run = left_run + 2;
    int64_t left = as_int(c->v[V_LEFT]), left_end = as_int(c->v[V_LEFT_END]);
    int64_t right = as_int(c->v[V_RIGHT]), right_end = as_int(c->v[V_RIGHT_END]);
    int64_t right_start = as_int(right_run[0]);
    return left < left_end && left_end == as_int(left_run[1]) && right >= right_start &&
           right < right_end && right_end == right_start + as_int(right_run[1]) &&
           as_int(c->v[V_OUT]) == as_int(left_run[0]) + left + (right - right_start);
}

bool sort_resume_check(GenVM *vm, Value *r) {
    if (!is_exact(r[R_SPACE], TYPE_LIST) || !is_exact(r[R_KEYS], TYPE_LIST) ||
        !is_exact(r[R_ITEMS], TYPE_LIST))
        return false;
    const List *space = AS_LIST(r[R_SPACE]);
    uint64_t count = AS_LIST(r[R_KEYS])->count;
    if (count < 2 || space->count != VARIABLES + 2 * count + 2 * MOST_RUNS) return false;
    const Value *v = space->items;
    if (!are_positions(v, VARIABLES, (int64_t)count) || v[V_COUNT] != int_value((int64_t)count) ||
        !are_positions(v + V_FIRST, 2, (int64_t)count - 1) ||
        !are_positions(v + VARIABLES, 2 * count, (int64_t)count - 1))
        return false;
    const Claim claim = {.count = (int64_t)count,
                         .phase = as_int(v[V_PHASE]),
                         .start = as_int(v[V_START]),
                         .length = as_int(v[V_LENGTH]),
                         .runs = as_int(v[V_RUNS]),
                         .v = v,
                         .run = v + VARIABLES + 2 * count};
    if (claim.phase > PHASE_MERGE || claim.runs > MOST_RUNS || !check_runs(&claim) ||
        !check_new_run(&claim) || !check_merge(&claim))
        return false;
    r[R_SPACE] = list_from_array(vm, v, space->count);
    return r[R_SPACE] != VALUE_ERROR;
}
