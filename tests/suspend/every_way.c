/* Every way in which the engine calls script code is suspended in, saved and gone on with in
 * another VM: the tables say which ways there are, the scripts of this folder have to go all of
 * them.
# skip: stress which way a signal finds depends on time, and each stop is a collection
 *
 * Each script runs as a task. At each call-out the frames of the task are looked at, from the
 * inside (this program knows the engine's private headers), those of all its threads: which twin
 * (twins.def), which continuation (returns.def), which resumable native (resumes.def) waits there
 * for script code to return. At the first few of each kind, and now and then, the task is saved,
 * its VM thrown away, and a new one goes on with it. The same once more with a budget of steps that
 * is spent after each: it is saved where it stops in what runs no script code. The output must be
 * what it always is, and at the end no line of the tables may be left over: in each a script has
 * waited for the host, or, for the few that run no script code, at least a budget has stopped it
 * there.
 */
#include "vm/bind.h"
#include "vm/continue.h"
#include "vm/generator.h"
#include "vm/genvm_private.h"
#include "vm/native.h"
#include "vm/objects.h"
#include "vm/resume.h"
#include "vm/task.h"
#include "vm/threads.h"

#include "script.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMES = 3, BETWEEN = 25, SHIFT = 20, NAMES = TWIN_COUNT + RETURN_COUNT + RESUME_COUNT };

static const char *const names[NAMES] = {
#define TWIN(id, module, function) [TWIN_##id] = "TWIN_" #id,
#include "vm/twins.def"
#undef TWIN
#define RETURN(id, registers) [TWIN_COUNT + RETURN_##id] = "RETURN_" #id,
#include "vm/returns.def"
#undef RETURN
#define RESUME(id, function, check) [TWIN_COUNT + RETURN_COUNT + RESUME_##id] = "RESUME_" #id,
#include "vm/resumes.def"
#undef RESUME
};

/* Special methods, by the name of the function that waits. */
static const char *const specials[] = {
#define SPECIAL(id, name) #name,
#include "vm/specials.def"
#undef SPECIAL
};
enum { SPECIALS = sizeof specials / sizeof *specials };
static int special_gone[SPECIALS];

/* Those that run no code of a script: none can wait there for the host, but a budget stops there.
 */
static const char *const silent[] = {
    "TWIN_TYPE_DIR",          "TWIN_ALIAS_REDUCE",        "TWIN_TYPEVAR",
    "TWIN_PARAMSPEC",         "TWIN_TYPEVARTUPLE",        "TWIN_TYPEPARAM_DEFAULT",
    "TWIN_TYPEALIAS",         "TWIN_INTERPOLATION",       "TWIN_TEMPLATE",
    "TWIN_BUFFERED_RAW",      "TWIN_SYS_ATTRIBUTE",       "TWIN_SYS_NAMES",
    "TWIN_LIST_GO_ON",        "TWIN_TUPLE_GO_ON",         "TWIN_SET_GO_ON",
    "TWIN_DICT_UPDATE_GO_ON", "TWIN_DICT_FROMKEYS_GO_ON",
};

/* ... or not even that: straight code without a safepoint. */
static const char *const straight[] = {
    "TWIN_SET_TYPE_PARAMS",    "TWIN_SUBSCRIPT_GENERIC", "TWIN_TEXT_BUFFER",
    "TWIN_TEXT_ENCODING",      "TWIN_TEXT_ERRORS",       "TWIN_TEXT_LINE_BUFFERING",
    "TWIN_TEXT_WRITE_THROUGH",
};

static bool is_listed(const char *const *list, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i], name)) return true;
    return false;
}

static bool is_silent(const char *name) {
    return is_listed(silent, sizeof silent / sizeof *silent, name);
}

static int gone[NAMES], /* how often: waiting for the host */
    stopped[NAMES];     /* ... by a budget */

static bool collect(void *context, int stream, const char *data, size_t size) {
    Text *text = context;
    if (stream == 1) text_add(text, data, size);
    return true;
}

static GenVM *new_vm(Text *output) {
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_ALL & ~GEN_CAP_STDIO};
    config.hash_seed = 1;
    config.write = collect;
    config.context = output;
    return new_scripted_vm(&config);
}

/* ---- what waits ---- */

/* True: it is among the first of its kind. */
static bool note(int *counts, int way) {
    return counts[way]++ < TIMES && (counts == gone || is_silent(names[way]));
}

static void note_special(const Function *function) {
    for (int i = 0; i < SPECIALS; i++)
        special_gone[i] += str_is(function->name, specials[i]);
}

static bool note_frame(GenVM *vm, int *counts, Value *base) {
    Function *function = frame_function(base);
    bool first = false;
    if (counts == gone) note_special(function);
    if (continue_is_stub(vm, function)) {
        Return kind = continue_kind(vm, function);
        first = note(counts, TWIN_COUNT + (int)kind);
        if (kind == RETURN_RESUME)
            first |= note(counts, TWIN_COUNT + RETURN_COUNT + (int)as_int(base[1]));
    }
    for (int i = 0; function->code->flags & CODE_PRELUDE && i < TWIN_COUNT; i++)
        if (twin_load(vm, (Twin)i) == object_value(function)) first |= note(counts, i);
    return first;
}

static bool note_frames(GenVM *vm, int *counts, const TaskState *state) {
    bool first = false;
    for (Value *base = state->frames.base; base; base = frame_caller(base)) {
        first |= note_frame(vm, counts, base);
        if (!frame_is_generator(base)) continue;
        Generator *generator = generator_of(base); /* and those that delegate to it */
        for (Generator *at = generator->root ? generator->parent : NULL; at; at = at->parent)
            first |= note_frame(vm, counts, generator_base(at));
    }
    return first;
}

static bool note_task(GenVM *vm, int *counts, const TaskState *state) {
    bool first = note_frames(vm, counts, state);
    for (Thread *at = state->threads ? state->threads->alive : NULL; at; at = at->after)
        if (at != state->threads->current) first |= note_frames(vm, counts, &at->state);
    return first;
}

/* ---- running ---- */

static GenVM *move(GenVM *vm, const char *name, Text *output, GenRef *task) {
    size_t size;
    GenRef image = gen_save(vm, *task);
    const void *data = image == GEN_NULL ? NULL : gen_to_bytes(vm, image, &size);
    if (!data) {
        if (!is_unsaved(gen_error_text(vm)))
            printf("%s is not saved: %s\n", name, gen_error_text(vm));
        gen_error_clear(vm);
        return vm; /* it goes on as it is */
    }
    void *copy = memcpy(malloc(size), data, size);
    gen_vm_free(vm); /* first: the handlers of signals are those of one VM of the process */
    GenVM *other = new_vm(output);
    *task = gen_load(other, copy, size);
    free(copy);
    if (*task == GEN_NULL) printf("%s is not loaded: %s\n", name, gen_error_text(other));
    return other;
}

/* Work that is done in one piece gets what it needs. */
static uint64_t needed(const GenOutcome *outcome, uint64_t limit) {
    return outcome->needed > limit ? outcome->needed : limit;
}

/* `first`: after how many steps it is stopped, and then after each; 0: only by its call-outs. Where
 * each step is a call, every other call is a safepoint: `first` says which, until an exception is
 * caught, whose handler is a step and no safepoint; so that one run goes on by itself now and then.
 */
static void run(const Text *script, const char *name, Text *output, uint64_t first) {
    GenVM *vm = new_vm(output);
    GenRef task = gen_task_from_source(vm, script->data, name);
    GenOutcome outcome;
    uint64_t limit = first;
    for (int i = 0; task != GEN_NULL; i++) {
        GenScope scope = gen_scope_open(vm);
        gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, limit);
        GenStatus status = gen_run(vm, task, &outcome);
        if (status != GEN_CALLOUT && status != GEN_BUDGET) break;
        int *counts = status == GEN_CALLOUT ? gone : stopped;
        bool new = note_task(vm, counts, &AS(Task, ref_value(vm, task))->state);
        if (status == GEN_CALLOUT)
            gen_answer(vm, task, outcome.ticket, gen_get_index(vm, outcome.args, 0));
        else
            limit = needed(&outcome, gen_task_spent(vm, task, GEN_BUDGET_STEPS) + 1 +
                                         (first == 2 && i % SHIFT == 0));
        bool now = new || (!first && i % BETWEEN == 0);
        if (now)
            vm = move(vm, name, output, &task);
        else
            gen_scope_close(vm, scope);
    }
    if (task != GEN_NULL && outcome.kind == GEN_ERROR) printf("%s\n", gen_error_text(vm));
    gen_error_clear(vm);
    if (task != GEN_NULL) gen_vm_finish(vm);
    gen_vm_free(vm);
}

static bool is_right(const char *name, uint64_t first) {
    static Text script, expected, output;
    read_text(name, ".gen", &script);
    read_text(name, ".out", &expected);
    if (!script.size || !expected.size) return true; /* a module for others; a program in C */
    output.size = 0;
    run(&script, name, &output, first);
    bool same = output.size == expected.size && !memcmp(output.data, expected.data, output.size);
    if (!same)
        printf("%s, first after %d:\n%.*s\n", name, (int)first, (int)output.size, output.data);
    return same;
}

/* No jump, and no call but those of natives. */
static bool is_straight(GenVM *vm, Twin twin) {
    const Code *code = AS(Function, twin_load(vm, twin))->code;
    for (uint32_t at = 0; at < code->instr_count;) {
        const OpInfo *info = &code_op_info[instr_op(code->instrs[at])];
        if (info->format[3] == 'j' || !strncmp(info->name, "YIELD", 5)) return false;
        at += info->words;
    }
    return true;
}

static const char *lack_of(int way, bool with_budgets) {
    if (gone[way]) return is_silent(names[way]) ? "said to run no code of a script" : NULL;
    if (is_silent(names[way]))
        return stopped[way] || !with_budgets ? NULL : "no budget stops there";
    if (!is_listed(straight, sizeof straight / sizeof *straight, names[way]))
        return "no script waits there";
    GenVM *vm = way < TWIN_COUNT ? new_vm(NULL) : NULL;
    bool straight_on = vm && is_straight(vm, (Twin)way);
    if (vm) gen_vm_free(vm);
    return straight_on ? NULL : "no straight code";
}

static bool all_gone(bool with_budgets) {
    int left = 0;
    for (int i = 0; i < NAMES; i++) {
        const char *lack = lack_of(i, with_budgets);
        if (!lack) continue;
        printf("%s: %s\n", names[i], lack);
        left++;
    }
    for (int i = 0; i < SPECIALS; i++) {
        if (special_gone[i] || !strcmp(specials[i], "__buffer__"))
            continue; /* nobody asks for it */
        printf("%s: no script waits in it\n", specials[i]);
        left++;
    }
    return left == 0;
}

int main(void) {
    const char *variant = getenv("GEN_VARIANT");
    bool slow = variant && !strcmp(variant, "stress"); /* each stop would be a collection */
    DIR *folder = opendir(".");
    bool right = folder != NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        size_t size = strlen(entry->d_name);
        if (size < 5 || size > 200 || strcmp(entry->d_name + size - 4, ".gen")) continue;
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)size - 4, entry->d_name);
        if (!strcmp(name, "every_method")) continue; /* for every_pair.c */
        right &= is_right(name, 0);
        bool steps = !slow && !strncmp(name, "ways_of_", 8);
        for (uint64_t i = 1; steps && i <= 2; i++)
            right &= is_right(name, i);
    }
    if (folder) closedir(folder);
    if (!right || !all_gone(!slow)) return 1;
    puts("every way is gone, saved and loaded on it");
    return 0;
}
