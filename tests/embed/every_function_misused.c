/* Wrong use of each function of genvm.h, in each way that there is. In every build: no value, a
 * value of a wrong type, a ref that was never given; each is a failure with an exception, and the
 * VM goes on. In debug builds: a ref whose scope is closed, a ref that was released, one of another
 * VM, a VM that is freed, and a second thread while the VM runs; each stops the program by a
 * message that names the function. The table below has a row for each function, or the test fails.
 */
#define _GNU_SOURCE
#include "every_function.def"

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

static bool is(const Row *row, const char *name) {
    return !strcmp(row->name, name);
}

/* No value is an argument like others for these. */
static bool takes_null(const Row *row) {
    return is(row, "gen_save") || is(row, "gen_release") || is(row, "gen_scope_return") ||
           is(row, "gen_task_frame");
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
    if (found != COUNT + 2) printf("%d functions, %d rows\n", found, COUNT), problems++;
}

int main(void) {
    signal(SIGABRT, SIG_DFL);
    look_at_header();
    for (int i = 0; i < COUNT; i++) {
        fflush(stdout);
        pid_t child = fork();
        int status;
        if (child == 0) {
            set_up(NULL);
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
