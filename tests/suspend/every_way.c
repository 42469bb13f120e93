/* Every way in which the engine calls script code is suspended in, saved and gone on with in
 * another VM: the tables say which ways there are, the scripts of this folder have to go all of
 * them.
 *
 * Each script runs as a task. At each call-out the frames of the task are looked at, from the
 * inside (this program knows the engine's private headers): which twin (twins.def), which
 * continuation (returns.def), which resumable native (resumes.def) waits there for script code to
 * return. At the first few of each kind, and now and then, the task is saved, its VM thrown away,
 * and a new one goes on with it. The output must be what it always is, and at the end no line of
 * the tables may be left over but those listed here, each with the reason why no script can wait
 * there. */
#include "vm/bind.h"
#include "vm/continue.h"
#include "vm/generator.h"
#include "vm/genvm_private.h"
#include "vm/native.h"
#include "vm/resume.h"
#include "vm/task.h"

#include "script.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMES = 3, BETWEEN = 25, NAMES = TWIN_COUNT + RETURN_COUNT + RESUME_COUNT };

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

static const struct {
    const char *name, *reason;
} never[] = {
    {"RETURN_HOST", "the bottom of the task itself"},
    {"TWIN_TYPE_DIR", "runs no code of a script"},
    {"TWIN_LIST_GO_ON", "entered where a budget is spent: limits/deadlines.c"},
    {"TWIN_TUPLE_GO_ON", "entered where a budget is spent: limits/deadlines.c"},
    {"TWIN_DICT_PUT_PAIR", "entered where a budget is spent: limits/deadlines.c"},
    {"TWIN_DICT_UPDATE_GO_ON", "entered where a budget is spent: limits/deadlines.c"},
    {"TWIN_DICT_FROMKEYS_GO_ON", "entered where a budget is spent: limits/deadlines.c"},
    {"TWIN_SET_GO_ON", "entered where a budget is spent: limits/deadlines.c"},
    {"TWIN_ALIAS_REDUCE", "runs no code of a script"},
    {"TWIN_TYPEVAR", "runs no code of a script"},
    {"TWIN_PARAMSPEC", "runs no code of a script"},
    {"TWIN_TYPEVARTUPLE", "runs no code of a script"},
    {"TWIN_TYPEPARAM_DEFAULT", "runs no code of a script"},
    {"TWIN_SET_TYPE_PARAMS", "runs no code of a script"},
    {"TWIN_TYPEALIAS", "runs no code of a script"},
    {"TWIN_INTERPOLATION", "runs no code of a script"},
    {"TWIN_TEMPLATE", "runs no code of a script"},
    {"TWIN_BUFFERED_RAW", "runs no code of a script"},
    {"TWIN_TEXT_BUFFER", "runs no code of a script"},
    {"TWIN_TEXT_ENCODING", "runs no code of a script"},
    {"TWIN_TEXT_ERRORS", "runs no code of a script"},
    {"TWIN_TEXT_LINE_BUFFERING", "runs no code of a script"},
    {"TWIN_TEXT_WRITE_THROUGH", "runs no code of a script"},
    {"TWIN_TEXT_NEWLINES", "runs no code of a script"},
    {"TWIN_STREAM_READ_PIECES", "a large read among threads: runs no code of a script"},
    {"TWIN_STREAM_WRITE_PIECES", "a large write among threads: runs no code of a script"},
    {"TWIN_STREAM_DEL", "the collector has found a file: not before the next safepoint, if any"},
    {"TWIN_NOTHING", "runs no code of a script"},
    {"TWIN_SYS_ATTRIBUTE", "runs no code of a script"},
    {"TWIN_SYS_NAMES", "runs no code of a script"},
    {"TWIN_FILE_RAW_REST", "where a thread has to wait for a descriptor: saved by none"},
    {"TWIN_FILE_RAW_LINE", "where a thread has to wait for a descriptor: saved by none"},
    {"TWIN_FILE_AGAIN", "where a thread has to wait for a descriptor: saved by none"},
    {"TWIN_ACQUIRE_AGAIN", "when a signal's handler has run"},
    {"TWIN_CALL_AGAIN", "when a signal's handler has run"},
    {"TWIN_SLEEP_AGAIN", "when a signal's handler has run"},
    {"RETURN_AGAIN", "a signal's handler, while a native waits"},
    {"RETURN_INTERRUPT", "a signal's handler"},
    {"TWIN_CALL_THEN", "natives of a host: tests/embed"},
    {"TWIN_UNAWAITED", "a finalizer, at a collection: imports.gen"},
    {"TWIN_UNAWAITED_STEP", "a finalizer, at a collection: imports.gen"},
    {"TWIN_INTERRUPT_MAIN", "a signal's handler"},
    {"TWIN_PRINT_TEXT", "where a thread has to wait for a descriptor: saved by none"},
    {"TWIN_WARN_UNAWAITED", "a finalizer, at a collection: imports.gen"},
    {"TWIN_UNRAISABLE", "a finalizer, at a collection: imports.gen"},
    {"TWIN_SYS_UNRAISABLEHOOK", "a finalizer, at a collection: imports.gen"},
    {"TWIN_SUBSCRIPT_GENERIC", "runs no code of a script"},
    {"TWIN_BYTEARRAY_RETRY",
     "views that nothing reaches any more: a collection, then the same again"},
    {"TWIN_ENUMERATE_NEXT",
     "enumerate() of what is no native iterator is a generator from the start"},
    {"TWIN_ZIP_NEXT", "so is zip()"},
    {"TWIN_REFUSE_ABSTRACT", "sorts names, which are str"},
};

/* What scripts here hold that cannot be saved: they go on as they are. */
static const char *const unsaved[] = {
    "_io.FileIO: cannot be saved",
    "BufferedReader: cannot be saved",
    "BufferedWriter: cannot be saved",
    "BufferedRandom: cannot be saved",
    "Own: cannot be saved",
    "Layer: cannot be saved",
    "TextIOWrapper: cannot be saved",
    "_sitebuiltins.Quitter: cannot be saved",
    "weakref.ReferenceType: cannot be saved",
    "frame: cannot be saved",
    "a class with names that are no str cannot be saved",
};

static bool is_unsaved(const char *refusal) {
    for (size_t i = 0; i < sizeof unsaved / sizeof *unsaved; i++)
        if (strstr(refusal, unsaved[i])) return true;
    return false;
}

static int gone[NAMES]; /* how often */

static bool collect(void *context, int stream, const char *data, size_t size) {
    Text *text = context;
    if (stream == 1) text_add(text, data, size);
    return true;
}

static GenVM *new_vm(Text *output) {
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_FILES | GEN_CAP_CLOCK};
    config.hash_seed = 1;
    config.write = collect;
    config.context = output;
    return new_scripted_vm(&config);
}

/* ---- what waits ---- */

/* True: it is among the first of its kind. */
static bool note(int way) {
    return gone[way]++ < TIMES;
}

static bool note_frame(GenVM *vm, Value *base) {
    Function *function = frame_function(base);
    bool first = false;
    if (continue_is_stub(vm, function)) {
        Return kind = continue_kind(vm, function);
        first = note(TWIN_COUNT + (int)kind);
        if (kind == RETURN_RESUME) first |= note(TWIN_COUNT + RETURN_COUNT + (int)as_int(base[1]));
    }
    for (int i = 0; function->code->flags & CODE_PRELUDE && i < TWIN_COUNT; i++)
        if (twin_load(vm, (Twin)i) == object_value(function)) first |= note(i);
    return first;
}

static bool note_frames(GenVM *vm, const TaskState *state) {
    bool first = false;
    for (Value *base = state->frames.base; base; base = frame_caller(base)) {
        first |= note_frame(vm, base);
        if (!frame_is_generator(base)) continue;
        Generator *generator = generator_of(base); /* and those that delegate to it */
        for (Generator *at = generator->root ? generator->parent : NULL; at; at = at->parent)
            first |= note_frame(vm, generator_base(at));
    }
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
    GenVM *other = new_vm(output);
    *task = gen_load(other, data, size);
    if (*task == GEN_NULL) printf("%s is not loaded: %s\n", name, gen_error_text(other));
    gen_vm_free(vm);
    return other;
}

static void run(const Text *script, const char *name, Text *output, bool saves) {
    GenVM *vm = new_vm(output);
    GenRef task = gen_task_from_source(vm, script->data, name);
    GenOutcome outcome;
    for (int i = 0; task != GEN_NULL && gen_run(vm, task, &outcome) == GEN_CALLOUT; i++) {
        bool first = note_frames(vm, &AS(Task, ref_value(vm, task))->state);
        gen_answer(vm, task, outcome.ticket, gen_get_index(vm, outcome.args, 0));
        if (saves && (first || i % BETWEEN == 0)) vm = move(vm, name, output, &task);
    }
    if (task != GEN_NULL && outcome.kind == GEN_ERROR) printf("%s\n", gen_error_text(vm));
    gen_error_clear(vm);
    if (task != GEN_NULL) gen_vm_finish(vm);
    gen_vm_free(vm);
}

static bool is_right(const char *name, bool saves) {
    static Text script, expected, output;
    read_text(name, ".gen", &script);
    read_text(name, ".out", &expected);
    if (!script.size || !expected.size) return true; /* a module for others; a program in C */
    output.size = 0;
    run(&script, name, &output, saves);
    bool same = output.size == expected.size && !memcmp(output.data, expected.data, output.size);
    if (!same) printf("%s:\n%.*s\n", name, (int)output.size, output.data);
    return same;
}

static bool is_name(const char *text) {
    for (int i = 0; i < NAMES; i++)
        if (!strcmp(names[i], text)) return true;
    return false;
}

static bool all_gone(void) {
    int left = 0;
    for (size_t j = 0; j < sizeof never / sizeof *never; j++)
        if (!is_name(never[j].name)) {
            printf("%s: listed, and in no table\n", never[j].name);
            left++;
        }
    for (int i = 0; i < NAMES; i++) {
        bool listed = false;
        for (size_t j = 0; j < sizeof never / sizeof *never; j++)
            listed |= !strcmp(never[j].name, names[i]);
        if ((gone[i] > 0) == listed && strcmp(names[i], "RETURN_HOST")) {
            printf("%s: %s\n", names[i],
                   listed ? "listed, and yet a script waits there" : "no script waits there");
            left++;
        }
    }
    return left == 0;
}

int main(void) {
    DIR *folder = opendir(".");
    bool right = folder != NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        size_t size = strlen(entry->d_name);
        if (size < 5 || size > 200 || strcmp(entry->d_name + size - 4, ".gen")) continue;
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)size - 4, entry->d_name);
        /* what it imports is under way, or garbage whose end it waits for: that is not saved */
        right &= is_right(name, strcmp(name, "imports"));
    }
    if (folder) closedir(folder);
    if (!right || !all_gone()) return 1;
    puts("every way is gone, saved and loaded on it");
    return 0;
}
