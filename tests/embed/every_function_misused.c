/* Wrong use of each function of genvm.h, in each way that there is. In every build: no value, a
 * value of a wrong type, a ref that was never given; each is a failure with an exception, and the
 * VM goes on. In debug builds: a ref whose scope is closed, a ref that was released, one of another
 * VM, a VM that is freed, and a second thread while the VM runs; each stops the program by a
 * message that names the function. The table below has a row for each function, or the test fails.
 */
#define _GNU_SOURCE
#include "genvm.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined __SANITIZE_ADDRESS__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* ---- what calls are made with ---- */

static GenVM *vm;
static GenScope scope;
static GenRef number, text, list, function, generator, task, asking, exception, kept, cls, object,
    stranger;
static GenRef got, items[1];
static size_t size;
static int64_t whole;
static double real;
static bool truth;
static GenOutcome outcome;
static GenTicket ticket;
static GenFrame frame;

static const GenTypeDef box = {.name = "Box", .size = 8, .slots = 1};
static GenRef nothing(GenVM *here, const GenRef *args) {
    (void)args;
    return gen_none(here);
}
static const GenFunction native = {"native()", nothing, NULL}, external = {"ask(x)", NULL, NULL};
static const GenFunction table[] = {{"native()", nothing, NULL}, {NULL, NULL, NULL}};

static void set_up(void) {
    vm = gen_vm_new(NULL);
    gen_set_global(vm, "ask", gen_function(vm, &external));
    gen_set_global(vm, "Box", gen_type_new(vm, &box));
    gen_run_string(vm, "def numbers():\n    while True: yield 1\n", "setup");
    number = gen_int(vm, 0);
    text = gen_str(vm, "text");
    list = gen_eval(vm, "[1, 2]");
    function = gen_eval(vm, "abs");
    generator = gen_eval(vm, "numbers()");
    gen_next(vm, generator, &got);
    task = gen_task_new(vm, gen_eval(vm, "numbers"), 0, NULL);
    gen_run(vm, task, NULL);
    asking = gen_task_from_source(vm, "ask(1)", "asking");
    gen_run(vm, asking, NULL);
    exception = gen_eval(vm, "ValueError('of the host')");
    kept = gen_keep(vm, number);
    cls = gen_get_global(vm, "Box");
    object = gen_object_new(vm, cls);
    stranger = gen_eval(vm, "object()");
    scope = gen_scope_open(vm);
    if (gen_error_pending(vm)) printf("setting up: %s", gen_error_text(vm));
}

/* The argument of the i-th place for a ref: the right one, or the bad one if that is its place. */
static GenRef bad;
static int bad_place = -1;
static GenRef at(int i, GenRef good) {
    return i == bad_place ? bad : good;
}
static const GenRef *one(GenRef ref) {
    items[0] = ref;
    return items;
}

/* How a function says that it failed. */
#define REF(call) return (call) == GEN_NULL
#define BOOL(call) return !(call)
#define PTR(call) return !(call)
#define NUM(call) return !(call)
#define STATUS(call) return (call) == GEN_ERROR
#define TYPE(call) return (call) == GEN_TYPE_OTHER
#define VOID(call) return (call), true

/* ROW(how it fails, name, number of places for refs, places where types matter (bits), arguments)
 */
#define ROWS                                                                                       \
    ROW(BOOL, gen_vm_finish, 0, 0, (vm))                                                           \
    ROW(VOID, gen_vm_free, 0, 0, (vm))                                                             \
    ROW(PTR, gen_context, 0, 0, (vm))                                                              \
    ROW(VOID, gen_debug_fail_allocation, 0, 0, (vm, 0))                                            \
    ROW(NUM, gen_debug_fail_allocations, 0, 0, (vm, 0, 0, NULL))                                   \
    ROW(VOID, gen_interrupt, 0, 0, (vm))                                                           \
    ROW(REF, gen_scope_open, 0, 0, (vm))                                                           \
    ROW(VOID, gen_scope_close, 0, 0, (vm, scope))                                                  \
    ROW(REF, gen_scope_return, 1, 0, (vm, scope, at(0, number)))                                   \
    ROW(REF, gen_keep_at, 1, 0, (vm, at(0, number), "here", 1))                                    \
    ROW(VOID, gen_release, 1, 0, (vm, at(0, kept)))                                                \
    ROW(BOOL, gen_run_string, 0, 0, (vm, "1", "text"))                                             \
    ROW(BOOL, gen_run_bytes, 0, 0, (vm, "1", 1, "text"))                                           \
    ROW(STATUS, gen_run_interactive, 0, 0, (vm, "1\n", 2, "text"))                                 \
    ROW(REF, gen_eval, 0, 0, (vm, "1"))                                                            \
    ROW(REF, gen_import, 0, 0, (vm, "sys"))                                                        \
    ROW(REF, gen_none, 0, 0, (vm))                                                                 \
    ROW(REF, gen_bool, 0, 0, (vm, true))                                                           \
    ROW(REF, gen_int, 0, 0, (vm, 1))                                                               \
    ROW(REF, gen_uint, 0, 0, (vm, 1))                                                              \
    ROW(REF, gen_float, 0, 0, (vm, 1))                                                             \
    ROW(REF, gen_str, 0, 0, (vm, "a"))                                                             \
    ROW(REF, gen_str_n, 0, 0, (vm, "a", 1))                                                        \
    ROW(REF, gen_bytes, 0, 0, (vm, "a", 1))                                                        \
    ROW(REF, gen_list, 0, 0, (vm))                                                                 \
    ROW(REF, gen_tuple, 1, 0, (vm, 1, one(at(0, number))))                                         \
    ROW(REF, gen_dict, 0, 0, (vm))                                                                 \
    ROW(TYPE, gen_type, 1, 0, (vm, at(0, number)))                                                 \
    ROW(BOOL, gen_is_none, 1, 0, (vm, at(0, number)))                                              \
    ROW(BOOL, gen_to_bool, 1, 0, (vm, at(0, number), &truth))                                      \
    ROW(BOOL, gen_to_int, 1, 1, (vm, at(0, number), &whole))                                       \
    ROW(BOOL, gen_to_float, 1, 1, (vm, at(0, number), &real))                                      \
    ROW(NUM, gen_as_int, 1, 1, (vm, at(0, number)))                                                \
    ROW(NUM, gen_as_float, 1, 1, (vm, at(0, number)))                                              \
    ROW(PTR, gen_to_str, 1, 1, (vm, at(0, text), &size))                                           \
    ROW(PTR, gen_to_bytes, 1, 1, (vm, at(0, text), &size))                                         \
    ROW(REF, gen_repr, 1, 0, (vm, at(0, number)))                                                  \
    ROW(REF, gen_to_text, 1, 0, (vm, at(0, number)))                                               \
    ROW(BOOL, gen_len, 1, 1, (vm, at(0, list), &size))                                             \
    ROW(REF, gen_get_item, 2, 3, (vm, at(0, list), at(1, number)))                                 \
    ROW(REF, gen_get_index, 1, 1, (vm, at(0, list), 0))                                            \
    ROW(BOOL, gen_set_item, 3, 3, (vm, at(0, list), at(1, number), at(2, text)))                   \
    ROW(BOOL, gen_append, 2, 1, (vm, at(0, list), at(1, number)))                                  \
    ROW(REF, gen_get_attr, 1, 1, (vm, at(0, text), "upper"))                                       \
    ROW(BOOL, gen_set_attr, 2, 1, (vm, at(0, cls), "x", at(1, number)))                            \
    ROW(REF, gen_get_global, 0, 0, (vm, "ask"))                                                    \
    ROW(BOOL, gen_set_global, 1, 0, (vm, "x", at(0, number)))                                      \
    ROW(REF, gen_call, 2, 3, (vm, at(0, function), 1, one(at(1, number))))                         \
    ROW(REF, gen_call_method, 2, 3, (vm, at(0, text), "count", 1, one(at(1, text))))               \
    ROW(REF, gen_iter, 1, 1, (vm, at(0, list)))                                                    \
    ROW(STATUS, gen_next, 1, 1, (vm, at(0, generator), &got))                                      \
    ROW(STATUS, gen_send, 2, 1, (vm, at(0, generator), at(1, number), &got))                       \
    ROW(BOOL, gen_close, 1, 1, (vm, at(0, generator)))                                             \
    ROW(REF, gen_task_new, 2, 0, (vm, at(0, function), 1, one(at(1, number))))                     \
    ROW(REF, gen_task_from_source, 0, 0, (vm, "1", "text"))                                        \
    ROW(REF, gen_task_from_bytes, 0, 0, (vm, "1", 1, "text"))                                      \
    ROW(STATUS, gen_run, 1, 1, (vm, at(0, task), NULL))                                            \
    ROW(BOOL, gen_task_send, 2, 1, (vm, at(0, task), at(1, number)))                               \
    ROW(BOOL, gen_answer, 2, 1, (vm, at(0, asking), 1, at(1, number)))                             \
    ROW(BOOL, gen_answer_error, 2, 3, (vm, at(0, asking), 1, at(1, exception)))                    \
    ROW(NUM, gen_task_tickets, 1, 1, (vm, at(0, asking), &ticket, 1))                              \
    ROW(BOOL, gen_task_ticket, 1, 1, (vm, at(0, asking), 1, &outcome))                             \
    ROW(BOOL, gen_task_set_budget, 1, 1, (vm, at(0, task), GEN_BUDGET_STEPS, 1))                   \
    ROW(NUM, gen_task_spent, 1, 1, (vm, at(0, task), GEN_BUDGET_STEPS))                            \
    ROW(BOOL, gen_task_frame, 1, 1, (vm, at(0, asking), 0, &frame))                                \
    ROW(BOOL, gen_task_kill, 1, 1, (vm, at(0, task), 1))                                           \
    ROW(BOOL, gen_error_pending, 0, 0, (vm))                                                       \
    ROW(REF, gen_error_take, 0, 0, (vm))                                                           \
    ROW(VOID, gen_error_clear, 0, 0, (vm))                                                         \
    ROW(VOID, gen_error_restore, 1, 1, (vm, at(0, exception)))                                     \
    ROW(BOOL, gen_error_matches, 0, 0, (vm, "ValueError"))                                         \
    ROW(PTR, gen_error_text, 0, 0, (vm))                                                           \
    ROW(REF, gen_raise, 0, 0, (vm, "ValueError", "%d", 1))                                         \
    ROW(REF, gen_save, 1, 0, (vm, at(0, number)))                                                  \
    ROW(REF, gen_load, 0, 0, (vm, "nonsense", 8))                                                  \
    ROW(REF, gen_image_inspect, 0, 0, (vm, "nonsense", 8))                                         \
    ROW(REF, gen_function, 0, 0, (vm, &native))                                                    \
    ROW(BOOL, gen_register_module, 0, 0, (vm, "own", table))                                       \
    ROW(REF, gen_call_last, 2, 0, (vm, at(0, function), 1, one(at(1, number))))                    \
    ROW(REF, gen_call_then, 4, 0,                                                                  \
        (vm, at(0, function), at(1, number), at(2, function), 1, one(at(3, number))))              \
    ROW(REF, gen_type_new, 0, 0, (vm, &box))                                                       \
    ROW(REF, gen_object_new, 1, 1, (vm, at(0, cls)))                                               \
    ROW(PTR, gen_object_data, 1, 1, (vm, at(0, object), &box))                                     \
    ROW(REF, gen_object_get, 1, 1, (vm, at(0, object), &box, 0))                                   \
    ROW(BOOL, gen_object_set, 2, 1, (vm, at(0, object), &box, 0, at(1, number)))

#define ROW(how, name, places, typed, args)                                                        \
    static bool call_##name(void) {                                                                \
        how(name args);                                                                            \
    }
ROWS
#undef ROW

    typedef struct Row {
    const char *name;
    int places;
    unsigned typed;
    bool (*call)(void); /* true: it says that it failed, or cannot say so */
} Row;
static const Row rows[] = {
#define ROW(how, name, places, typed, args) {#name, places, typed, call_##name},
    ROWS
#undef ROW
};
enum { COUNT = sizeof rows / sizeof *rows };

static bool is(const Row *row, const char *name) {
    return !strcmp(row->name, name);
}

/* No value is an argument like others for these. */
static bool takes_null(const Row *row) {
    return is(row, "gen_save") || is(row, "gen_release") || is(row, "gen_scope_return");
}

static int problems;
static void problem(const Row *row, const char *how, const char *what) {
    printf("%s, %s at place %d: %s\n", row->name, how, bad_place, what);
    problems++;
}

/* ---- in every build ---- */

static void goes_on(const Row *row, const char *how) {
    gen_error_clear(vm);
    bad_place = -1;
    if (gen_as_int(vm, gen_eval(vm, "20 + 22")) != 42) problem(row, how, "the VM does not go on");
}

static void try_bad(const Row *row, int place, GenRef ref, const char *how, const char *expected) {
    bad_place = place, bad = ref;
    bool failed = row->call();
    if (!failed) problem(row, how, "no failure");
    if (!gen_error_pending(vm)) problem(row, how, "no exception");
    if (expected && !gen_error_matches(vm, expected)) problem(row, how, gen_error_text(vm));
    if (!expected && gen_error_matches(vm, "SystemError")) problem(row, how, gen_error_text(vm));
    goes_on(row, how);
}

static void try_row(const Row *row) {
    for (int place = 0; place < row->places; place++) {
        if (!takes_null(row)) {
            try_bad(row, place, GEN_NULL, "no value", "SystemError");
            gen_raise(vm, "KeyError", "the first");
            try_bad(row, place, GEN_NULL, "no value after an error", "KeyError");
        }
        if (row->typed >> place & 1) try_bad(row, place, stranger, "a wrong type", NULL);
#ifndef GEN_DEBUG
        try_bad(row, place, 0xffff00, "a ref that was never given", "SystemError");
        try_bad(row, place, 0x80ffff00, "a kept ref that was never given", "SystemError");
#endif
    }
}

/* ---- in debug builds ---- */

#ifdef GEN_DEBUG

/* The children's way to wrong use: makes it, and the call. */
typedef void Misuse(const Row *row);

static void use_closed(const Row *row) {
    GenScope inner = gen_scope_open(vm);
    bad = gen_str(vm, "gone");
    gen_scope_close(vm, inner);
    gen_int(vm, 1); /* takes its place */
    row->call();
}
static void use_released(const Row *row) {
    bad = gen_keep(vm, number);
    gen_release(vm, bad);
    row->call();
}
static void use_foreign(const Row *row) {
    for (int i = 0; i < 6; i++) { /* the check is a matter of luck in one of 128 */
        GenVM *other = gen_vm_new(NULL);
        for (int j = 0; j <= 5 * i; j++)
            bad = gen_str(other, "of another");
        row->call();
    }
}
#ifndef SANITIZED
static void use_freed(const Row *row) {
    gen_release(vm, kept);
    gen_vm_free(vm);
    row->call();
}
#endif

static const Row *elsewhere;
static void *other_thread(void *data) {
    elsewhere->call();
    return data;
}
static GenRef start_thread(GenVM *here, const GenRef *args) {
    (void)args;
    pthread_t thread;
    pthread_create(&thread, NULL, other_thread, NULL);
    pthread_join(thread, NULL);
    return gen_none(here);
}
static const GenFunction threaded = {"threaded()", start_thread, NULL};
static void use_in_thread(const Row *row) {
    elsewhere = row;
    gen_call(vm, gen_function(vm, &threaded), 0, NULL);
}

/* What it writes to standard error before it ends; NULL: it ends in peace. */
static const char *last_words(Misuse *misuse, const Row *row) {
    static char words[1 << 16];
    int ends[2], status;
    fflush(stdout);
    if (pipe(ends) != 0) return NULL;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        close(ends[0]);
        misuse(row);
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t count; (count = read(ends[0], words + length, sizeof words - 1 - length)) > 0;)
        length += (size_t)count;
    close(ends[0]);
    words[length] = 0;
    waitpid(child, &status, 0);
    return status == 0 ? NULL : words;
}

static void must_stop(const Row *row, const char *how, Misuse *misuse, const char *because) {
    const char *words = last_words(misuse, row);
    char begin[200];
    snprintf(begin, sizeof begin, "genvm: %s: %s", row->name, because);
    if (!words)
        problem(row, how, "is not noticed");
    else if (!strstr(words, begin))
        problem(row, how, words);
}

static void stop_row(const Row *row) {
    bool releases = is(row, "gen_release");
    const char *closed = releases ? "gen_release of a ref" : "a ref was used whose scope is closed";
    const char *released =
        releases ? "gen_release of a ref" : "a ref was used that has been released";
    for (bad_place = 0; bad_place < row->places; bad_place++) {
        must_stop(row, "a closed scope", use_closed, closed);
        must_stop(row, "a released ref", use_released, released);
        must_stop(row, "another VM", use_foreign, closed);
    }
    bad_place = -1;
#ifndef SANITIZED /* which stops it by itself */
    must_stop(row, "a freed VM", use_freed, "a virtual machine was used that is freed");
#endif
    if (is(row, "gen_vm_free"))
        must_stop(row, "another thread", use_in_thread, "the virtual machine is running");
    else if (!is(row, "gen_interrupt"))
        must_stop(row, "another thread", use_in_thread, "a virtual machine was used by a second");
}

#endif

/* ---- the whole ---- */

static bool has_row(const char *name) {
    for (int i = 0; i < COUNT; i++)
        if (is(&rows[i], name)) return true;
    return !strcmp(name, "gen_vm_new"); /* which makes what the others are misused with */
}

static void look_at_header(void) {
    FILE *header = fopen("../../vm/genvm.h", "r");
    char line[1000], name[100];
    bool declares = false;
    int found = 0;
    if (!header) {
        perror("../../vm/genvm.h");
        problems++;
        return;
    }
    while (fgets(line, sizeof line, header)) {
        declares |= !strncmp(line, "GEN_API ", 8);
        const char *word = strstr(line, "gen_");
        if (!declares || !word || sscanf(word, "%99[a-z_0-9](", name) != 1) continue;
        declares = false;
        found++;
        if (!has_row(name)) printf("%s has no row\n", name), problems++;
    }
    fclose(header);
    if (found != COUNT + 1) printf("%d functions, %d rows\n", found, COUNT), problems++;
}

int main(void) {
    signal(SIGABRT, SIG_DFL);
    look_at_header();
    for (int i = 0; i < COUNT; i++) {
        fflush(stdout);
        pid_t child = fork();
        int status;
        if (child == 0) {
            set_up();
            try_row(&rows[i]);
#ifdef GEN_DEBUG
            stop_row(&rows[i]);
#endif
            fflush(stdout);
            _exit(problems != 0);
        }
        waitpid(child, &status, 0);
        if (status != 0) printf("%s: status %d\n", rows[i].name, status), problems++;
    }
    if (!problems) printf("every function was misused in every way\n");
    return problems != 0;
}
