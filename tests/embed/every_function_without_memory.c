/* Every function of genvm.h while memory fails: each allocation that a call makes, alone and with
all
 * that come after it. The call does its work or fails with MemoryError (or as it does anyway), the
 * VM goes on, and when it is freed nothing is left of what GenConfig.allocate gave. In debug builds
 * the allocations of single objects fail as well. (tests/limits/out_of_memory.c does that to
scripts.)
 *
# skip: stress each failure is a process of its own that collects at every safepoint
 */
#define _GNU_SOURCE
#include "every_function.def"

#include <sys/wait.h>
#include <unistd.h>

static size_t used;       /* bytes given and not taken back */
static uint64_t asked;    /* requests for memory, since a call began */
static uint64_t fails_at; /* which of them is the first to fail; 0: none */
static bool fails_on;     /* and all after it */

static void *allocate(void *context, void *block, size_t old_size, size_t new_size) {
    (void)context;
    if (new_size > old_size) {
        asked++;
        if (fails_at && (asked == fails_at || (fails_on && asked > fails_at))) return NULL;
    }
    void *result = new_size ? realloc(block, new_size) : (free(block), (void *)NULL);
    if (result || !new_size) used += new_size - old_size;
    return result;
}
static const GenConfig config = {.size = sizeof config, .allocate = allocate};

typedef enum Kind { BLOCK, BLOCKS, OBJECT, OBJECTS, KINDS } Kind;
static const char *const kinds[] = {"block", "blocks from", "object", "objects from"};

static int problems;
static void problem(const char *name, Kind kind, uint64_t at, const char *what) {
    printf("%s, %s %d: %s\n", name, kinds[kind], (int)at, what);
    problems++;
}

static bool is_called(const Row *row, const char *name) {
    return !strcmp(row->name, name);
}

/* What a call does when there is memory: true if it says that it failed. */
static bool call(const Row *row) {
    if (!strncmp(row->name, "gen_error_", 10)) gen_raise(vm, "ValueError", "of the host");
    return row->call();
}

static uint64_t fail(Kind kind, uint64_t at) {
    if (kind >= OBJECT)
        return gen_debug_fail_allocations(vm, at, kind == OBJECTS ? UINT64_MAX : 1, NULL);
    asked = 0;
    fails_at = at;
    fails_on = kind == BLOCKS;
    return 0;
}

/* In a child, whose VM is as new. Its status: 0 the failure was met, 1 it was not, 2 a problem. */
static int try_failure(const Row *row, Kind kind, uint64_t at, bool fails_anyway) {
    bool leaves = is_called(row, "gen_keep_at") || is_called(row, "gen_vm_free");
    if (leaves && !freopen("/dev/null", "w", stderr)) return 2; /* what is kept is told there */
    fail(kind, at);
    bool failed = call(row);
    if (is_called(row, "gen_vm_free")) _exit(1);
    bool met = kind < OBJECT ? asked >= at : gen_debug_fail_allocations(vm, 0, 0, NULL) == 0;
    if (kind < OBJECT) fails_at = 0;
    bool memory = gen_error_matches(vm, "MemoryError"), pending = gen_error_pending(vm);
    bool of_host = gen_error_matches(vm, "ValueError");
    if (failed && !fails_anyway && !memory) problem(row->name, kind, at, gen_error_text(vm));
    if (pending && !memory && !of_host && !fails_anyway)
        problem(row->name, kind, at, gen_error_text(vm));
    gen_error_clear(vm);
    if (gen_as_int(vm, gen_eval(vm, "20 + 22")) != 42)
        problem(row->name, kind, at, "the VM does not go on");
    if (gen_error_pending(vm)) problem(row->name, kind, at, gen_error_text(vm));
    gen_error_clear(vm);
    gen_collect(vm);
    if (!is_called(row, "gen_release")) gen_release(vm, kept);
    gen_error_clear(vm);
    gen_vm_free(vm);
    if (used && !is_called(row, "gen_keep_at")) problem(row->name, kind, at, "memory is left");
    return problems ? 2 : !met;
}

static int in_child(const Row *row, Kind kind, uint64_t at, bool fails_anyway) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int status = try_failure(row, kind, at, fails_anyway);
        fflush(stdout);
        _exit(status);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    problem(row->name, kind, at, "killed by a signal");
    return 2;
}

static bool fails_with_memory(const Row *row) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) _exit(!freopen("/dev/null", "w", stderr) || call(row));
    int status;
    waitpid(child, &status, 0);
    return status != 0;
}

static uint64_t tried;
static void try_row(const Row *row) {
    bool fails_anyway = fails_with_memory(row);
    for (Kind kind = BLOCK; kind < KINDS; kind++) {
#ifndef GEN_DEBUG
        if (kind >= OBJECT) break;
#endif
        int status = 0;
        for (uint64_t at = 1; status == 0 && at < 2000; at += at < 100 ? 1 : 37, tried++)
            status = in_child(row, kind, at, fails_anyway);
        if (status == 2) problems++;
    }
}

static void try_new(void) {
    uint64_t at = 1;
    for (GenVM *made = NULL; !made; at++) {
        asked = 0;
        fails_at = at;
        made = gen_vm_new(&config);
        fails_at = 0;
        if (made) gen_vm_free(made);
        if (used) problem("gen_vm_new", BLOCK, at, "memory is left");
    }
    tried += at;
}

int main(void) {
    try_new();
    set_up(&config);
    for (int i = 0; i < COUNT; i++)
        if (strncmp(rows[i].name, "gen_debug_", 10) != 0) try_row(&rows[i]);
    if (!has_row("gen_vm_new") || tried < 100) printf("%d failures were tried\n", (int)tried);
    if (!problems) printf("no function fails otherwise than by MemoryError\n");
    gen_release(vm, kept);
    gen_vm_free(vm);
    return problems != 0;
}
