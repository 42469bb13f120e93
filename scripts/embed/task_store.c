/* Suspended tasks in a database: any number of processes take them out, run them to their next call
 * of the host and put them back, so that no step is ever made twice.
 *
 *     task_store FILE add NAME STEPS ...   new tasks
 *     task_store FILE work                 runs what is ready until all is done
 *     task_store FILE show                 prints the results
 *
 * Every task has a version. A worker claims one by compare-and-swap: the row is changed only if its
 * version is still the one that was read. What the step did (here: a line in `steps`) and the new
 * image are written in one transaction, under the same condition. A worker that is killed has
 * changed nothing; the next one sees that its process is gone, and takes the task over.
 *
 *     cc -o task_store task_store.c -lgenvm -lsqlite3 */
#define _POSIX_C_SOURCE 200809L
#include "genvm.h"
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char script[] = "def job(name, steps):\n"
                             "    total = 0\n"
                             "    for i in sorted(range(steps), key=lambda i: -record(name, i)):\n"
                             "        total = total * 10 + record(name, steps + i)\n"
                             "    return total\n"
                             "result = job(name, steps)\n";

static const char schema[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE IF NOT EXISTS tasks (id INTEGER PRIMARY KEY, name TEXT, version INTEGER,"
    "    owner INTEGER, image BLOB, result TEXT);" /* owner 0: ready; result: done */
    "CREATE TABLE IF NOT EXISTS steps (task INTEGER, number INTEGER, worker INTEGER);";

typedef struct Claim {
    sqlite3_int64 id, version;
    void *image;
    size_t size;
} Claim;

static sqlite3 *db;

static void fail(const char *what) {
    fprintf(stderr, "task_store: %s\n", what);
    exit(1);
}

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) fail(sqlite3_errmsg(db));
    return statement;
}

/* Runs a statement that gives no rows: how many rows it has changed. */
static int finish(sqlite3_stmt *statement) {
    int code = sqlite3_step(statement);
    if (code != SQLITE_DONE) fail(sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    return sqlite3_changes(db);
}

static void execute(const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail(sqlite3_errmsg(db));
}

static GenVM *new_vm(void) {
    static const GenFunction record = {"record(name: str, number: int)", NULL, "notes a step"};
    GenVM *vm = gen_vm_new(NULL);
    if (!vm) fail("no memory");
    gen_set_attr(vm, gen_import(vm, "builtins"), "record", gen_function(vm, &record));
    return vm;
}

static void add(const char *name, int steps) {
    GenVM *vm = new_vm();
    size_t size;
    gen_set_global(vm, "name", gen_str(vm, name));
    gen_set_global(vm, "steps", gen_int(vm, steps));
    const void *image =
        gen_to_bytes(vm, gen_save(vm, gen_task_from_source(vm, script, "job")), &size);
    if (!image) fail(gen_error_text(vm));
    sqlite3_stmt *insert =
        prepare("INSERT INTO tasks (name, version, owner, image) VALUES (?, 0, 0, ?)");
    sqlite3_bind_text(insert, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(insert, 2, image, size, SQLITE_STATIC);
    finish(insert);
    gen_vm_free(vm);
}

/* Looks for a task that is ready, or whose worker is gone. */
static bool find_ready(Claim *task) {
    sqlite3_stmt *rows = prepare("SELECT id, version, owner FROM tasks WHERE result IS NULL "
                                 "ORDER BY random()");
    bool found = false;
    while (!found && sqlite3_step(rows) == SQLITE_ROW) {
        pid_t owner = (pid_t)sqlite3_column_int64(rows, 2);
        task->id = sqlite3_column_int64(rows, 0);
        task->version = sqlite3_column_int64(rows, 1);
        found = !owner || (kill(owner, 0) != 0 && errno == ESRCH);
    }
    sqlite3_finalize(rows);
    return found;
}

/* Makes it this process's, unless another one was faster. */
static bool claim(Claim *task) {
    if (!find_ready(task)) return false;
    sqlite3_stmt *swap =
        prepare("UPDATE tasks SET owner = ?, version = version + 1 WHERE id = ? AND version = ?");
    sqlite3_bind_int64(swap, 1, getpid());
    sqlite3_bind_int64(swap, 2, task->id);
    sqlite3_bind_int64(swap, 3, task->version++);
    if (finish(swap) != 1) return false;
    sqlite3_stmt *read = prepare("SELECT image FROM tasks WHERE id = ?");
    sqlite3_bind_int64(read, 1, task->id);
    if (sqlite3_step(read) != SQLITE_ROW) fail(sqlite3_errmsg(db));
    task->size = (size_t)sqlite3_column_bytes(read, 0);
    task->image = malloc(task->size + 1);
    if (task->image) memcpy(task->image, sqlite3_column_blob(read, 0), task->size);
    sqlite3_finalize(read);
    return task->image != NULL;
}

/* The step, and the task as it is now: both or neither. False: the task is no longer ours. */
static bool put_back(const Claim *task, int64_t step, const void *image, size_t size,
                     const char *result) {
    execute("BEGIN IMMEDIATE");
    sqlite3_stmt *swap = prepare("UPDATE tasks SET owner = 0, version = version + 1, image = ?, "
                                 "result = ? WHERE id = ? AND version = ?");
    sqlite3_bind_blob64(swap, 1, image, size, SQLITE_STATIC);
    sqlite3_bind_text(swap, 2, result, -1, SQLITE_STATIC);
    sqlite3_bind_int64(swap, 3, task->id);
    sqlite3_bind_int64(swap, 4, task->version);
    bool ours = finish(swap) == 1;
    if (ours && !result) {
        sqlite3_stmt *note = prepare("INSERT INTO steps VALUES (?, ?, ?)");
        sqlite3_bind_int64(note, 1, task->id);
        sqlite3_bind_int64(note, 2, step);
        sqlite3_bind_int64(note, 3, getpid());
        finish(note);
    }
    execute(ours ? "COMMIT" : "ROLLBACK");
    return ours;
}

/* From the image to the next call of record(), or to the end. */
static void run_on(const Claim *claimed) {
    GenVM *vm = new_vm();
    GenOutcome outcome;
    GenRef task = gen_load(vm, claimed->image, claimed->size);
    if (task == GEN_NULL) fail(gen_error_text(vm));
    size_t size = 0;
    GenStatus status = gen_run(vm, task, &outcome);
    if (status == GEN_CALLOUT) {
        GenRef number = gen_get_index(vm, outcome.args, 1);
        gen_answer(vm, task, outcome.ticket, number);
        const void *image = gen_to_bytes(vm, gen_save(vm, task), &size);
        if (!image) fail(gen_error_text(vm));
        put_back(claimed, gen_as_int(vm, number), image, size, NULL);
    } else if (status == GEN_DONE) {
        GenRef text = gen_call(vm, gen_get_attr(vm, gen_import(vm, "builtins"), "str"), 1,
                               (GenRef[]){gen_get_global(vm, "result")});
        put_back(claimed, 0, "", 0, gen_to_str(vm, text, &size));
    } else {
        fail(gen_error_text(vm));
    }
    gen_vm_free(vm);
}

static bool all_done(void) {
    sqlite3_stmt *left = prepare("SELECT count(*) FROM tasks WHERE result IS NULL");
    bool done = sqlite3_step(left) == SQLITE_ROW && sqlite3_column_int(left, 0) == 0;
    sqlite3_finalize(left);
    return done;
}

static void work(void) {
    static const struct timespec moment = {0, 2000000};
    while (!all_done()) {
        Claim task;
        if (claim(&task)) {
            run_on(&task);
            free(task.image);
        } else {
            nanosleep(&moment, NULL);
        }
    }
}

static void show(void) {
    sqlite3_stmt *rows =
        prepare("SELECT name, result, count(number), count(DISTINCT number) FROM tasks "
                "LEFT JOIN steps ON steps.task = tasks.id GROUP BY tasks.id ORDER BY tasks.id");
    while (sqlite3_step(rows) == SQLITE_ROW)
        printf("%s: %s, %d steps, %d different ones\n", sqlite3_column_text(rows, 0),
               sqlite3_column_text(rows, 1), sqlite3_column_int(rows, 2),
               sqlite3_column_int(rows, 3));
    sqlite3_finalize(rows);
}

int main(int argc, char **argv) {
    if (argc < 3) fail("FILE add NAME STEPS ... | work | show");
    if (sqlite3_open(argv[1], &db) != SQLITE_OK) fail(sqlite3_errmsg(db));
    sqlite3_busy_timeout(db, 60000);
    execute(schema);
    if (!strcmp(argv[2], "add"))
        for (int i = 3; i + 1 < argc; i += 2)
            add(argv[i], atoi(argv[i + 1]));
    else if (!strcmp(argv[2], "work"))
        work();
    else
        show();
    return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
