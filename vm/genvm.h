/* genvm.h - embedding Gen in a C or C++ program.
 *
 * CONCEPTS
 *
 * A GenVM is one interpreter with its own heap. VMs share nothing: any number live in one process,
 * each used by one thread at a time. A new VM can compute and nothing else; what it may touch
 * outside is granted by GenConfig.capabilities.
 *
 *     GenVM *vm = gen_vm_new(NULL);
 *     gen_run_string(vm, "def double(x): return 2 * x", "setup");
 *     GenRef f = gen_get_global(vm, "double"), args[] = {gen_int(vm, 21)};
 *     printf("%lld\n", (long long)gen_as_int(vm, gen_call(vm, f, 1, args)));
 *     gen_vm_free(vm);
 *
 * VALUES are held by GenRef, a small index into the VM's open scope: it stays valid, and its value
 * alive, until that scope closes (gen_scope_open, gen_scope_close; natives get a scope of their own
 * for each call). GEN_NULL (0) is no value: what a failed call returns. Passing GEN_NULL on is
 * harmless: the result is GEN_NULL again and the first error stays.
 *
 * ERRORS. A call that fails returns GEN_NULL or false (or GEN_ERROR) and leaves an exception
 * pending in the VM, to be read with gen_error_text or gen_error_take, and dropped by
 * gen_error_clear. While one is pending, the functions that make values or run script code fail at
 * once and do nothing: a chain of calls needs one look at its end, and what it finds is what went
 * wrong first. Nothing here longjmps, exits or prints.
 *
 * THREADS. One thread at a time per VM, and any number of VMs, each on a thread of its own; an idle
 * VM may go to another thread. gen_interrupt alone may be called from any thread or a signal
 * handler.
 *
 *     static void *work(void *data) {
 *         gen_run_string((GenVM *)data, "total = sum(range(1000))", "work");
 *         return NULL;
 *     }
 *     pthread_t threads[2];
 *     GenVM *vms[2] = {gen_vm_new(NULL), gen_vm_new(NULL)};
 *     for (int i = 0; i < 2; i++)
 *         pthread_create(&threads[i], NULL, work, vms[i]);
 *     for (int i = 0; i < 2; i++) {
 *         pthread_join(threads[i], NULL);
 *         printf("%lld\n", (long long)gen_as_int(vms[i], gen_get_global(vms[i], "total")));
 *         gen_vm_free(vms[i]);
 *     }
 *
 * MEMORY. GenConfig.allocate gives, changes and takes back all memory of a VM: block NULL and
 * old_size 0 ask for new_size bytes, new_size 0 frees, else the size changes and what fits of the
 * contents stays. old_size is exactly what was asked for. Blocks are aligned as malloc aligns them.
 * NULL says that there is no memory, and the block is as before: the script gets MemoryError, or
 * gen_vm_new gives NULL. It is called by the thread that uses the VM, and calls nothing of this
 * API.
 *
 *     typedef struct Purse { size_t used, limit; } Purse;
 *     static void *allocate(void *context, void *block, size_t old_size, size_t new_size) {
 *         Purse *purse = (Purse *)context;
 *         if (new_size > old_size && purse->used - old_size + new_size > purse->limit) return NULL;
 *         void *result = new_size ? realloc(block, new_size) : (free(block), NULL);
 *         if (result || !new_size) purse->used += new_size - old_size;
 *         return result;
 *     }
 *     Purse purse = {0, 16 << 20};
 *     GenConfig config = {.size = sizeof config, .context = &purse, .allocate = allocate};
 *     GenVM *small = gen_vm_new(&config);
 *     if (!gen_run_string(small, "x = []\nwhile True: x.append([])", "greedy"))
 *         printf("MemoryError: %d\n", gen_error_matches(small, "MemoryError"));
 *     gen_vm_free(small);
 *     printf("%zu bytes are left\n", purse.used);
 *
 * What does not come from it: the tables that all VMs of a process share (about 200 KB, once);
 * what the C library takes for itself (paths being resolved, buffers of getaddrinfo and of qsort)
 * and GMP while one operation on huge ints lasts; machine code of regular expressions; what OpenSSL
 * and libuv hold for connections and the event loop; the images that go between the VMs of a pool
 * of threads, and those VMs (GEN_CAP_THREADS), whose memory would belong to several threads.
 */
#ifndef GENVM_H
#define GENVM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GEN_VERSION_MAJOR 0
#define GEN_VERSION_MINOR 1
#define GEN_VERSION_PATCH 0
#if defined(__GNUC__)
#define GEN_API __attribute__((visibility("default")))
#else
#define GEN_API
#endif

typedef struct GenVM GenVM;
typedef uint32_t GenRef; /* a value held by the innermost open scope; 0 is no value */
#define GEN_NULL ((GenRef)0)

typedef enum GenStatus {
    GEN_OK,    /* done; a value where there is one to give */
    GEN_END,   /* the generator has no more values: its return value is given */
    GEN_ERROR, /* an exception is pending */
    /* and of gen_run, besides GEN_ERROR: */
    GEN_DONE,    /* the task has come to its end: its value is given */
    GEN_YIELDED, /* the generator that it drives has yielded a value */
    GEN_CALLOUT, /* it called an external function: answer the ticket, run on */
    GEN_WAITING, /* it can go on only when a ticket is answered that is still open, or when the time
                    has come that the outcome tells */
    GEN_BUDGET,  /* a budget is spent: raise it and run on, or kill it */
} GenStatus;
typedef GenStatus GenOutcomeKind;

typedef enum GenType {
    GEN_TYPE_NONE,
    GEN_TYPE_BOOL,
    GEN_TYPE_INT,
    GEN_TYPE_FLOAT,
    GEN_TYPE_STR,
    GEN_TYPE_BYTES,
    GEN_TYPE_LIST,
    GEN_TYPE_TUPLE,
    GEN_TYPE_DICT,
    GEN_TYPE_SET,
    GEN_TYPE_FUNCTION,
    GEN_TYPE_GENERATOR,
    GEN_TYPE_CLASS,
    GEN_TYPE_MODULE,
    GEN_TYPE_EXCEPTION,
    GEN_TYPE_OTHER,
} GenType;

/* ---- a virtual machine ----
 *
 * GenConfig says what a VM may touch and use. Of what a field does not name there is nothing: no
 * files, no output, no clock. What is refused is a PermissionError; budgets of a single script are
 * a matter of tasks.
 *
 * The functions given here are called by the thread that uses the VM, and do not use the VM
 * themselves; find_module alone may, to gen_register_module what is asked for (and gives NULL).
 *
 *     static bool show(void *context, int stream, const char *data, size_t size) {
 *         (void)context;
 *         return fwrite(data, 1, size, stream == 1 ? stdout : stderr) == size;
 *     }
 *     static const char *find(void *context, const char *name, size_t *size) {
 *         static const char source[] = "def greet(name): print('hello,', name)\n";
 *         (void)context;
 *         *size = sizeof source - 1;
 *         return strcmp(name, "greetings") ? NULL : source;
 *     }
 *     static const char *const readable[] = {"/usr/share", NULL}, *const writable[] = {NULL};
 *     GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_FILES,
 *                         .memory_limit = 32 << 20, .hash_seed = 7, .write = show,
 *                         .find_module = find, .read_roots = readable, .write_roots = writable};
 *     GenVM *guarded = gen_vm_new(&config);
 *     gen_run_string(guarded, "import greetings; greetings.greet('Ada')", "script");
 *     if (!gen_run_string(guarded, "open('/etc/passwd')", "thief"))
 *         printf("refused: %d\n", gen_error_matches(guarded, "PermissionError"));
 *     gen_vm_free(guarded);
 *
 * What the host's functions work on hangs at the VM, not in a global variable of the program:
 *
 *     typedef struct Game { int64_t score; } Game;
 *     static GenRef win(GenVM *vm, const GenRef *args) {
 *         Game *game = (Game *)gen_context(vm);
 *         return gen_int(vm, game->score += gen_as_int(vm, args[0]));
 *     }
 *     static const GenFunction win_function = {"win(points: int)", win, NULL};
 *     Game games[2] = {{0}, {100}};
 *     for (int i = 0; i < 2; i++) {
 *         GenConfig config = {.size = sizeof config, .context = &games[i]};
 *         GenVM *player = gen_vm_new(&config);
 *         gen_set_global(player, "win", gen_function(player, &win_function));
 *         gen_run_string(player, "win(5); win(2)", "script");
 *         gen_vm_free(player);
 *     }
 *     printf("scores: %lld, %lld\n", (long long)games[0].score, (long long)games[1].score);
 *
 * A program's end, and how much memory it takes:
 *
 *     gen_run_string(vm, "said = []\ndef last(said=said):\n    try: yield 1\n"
 *                        "    finally: said.append('closed')\n"
 *                        "it = last(); next(it); rows = [[i] for i in range(10000)]", "program");
 *     uint64_t with_rows = gen_memory(vm);
 *     gen_set_global(vm, "rows", gen_none(vm));
 *     gen_collect(vm);
 *     printf("Gen %s, less: %d\n", gen_version(), gen_memory(vm) < with_rows);
 *     GenRef said = gen_keep(vm, gen_get_global(vm, "said"));
 *     if (!gen_vm_finish(vm)) printf("%s", gen_error_text(vm));
 *     size_t size;
 *     printf("%s\n", gen_to_str(vm, gen_get_index(vm, said, 0), &size));
 *     gen_release(vm, said);
 *
 * Stopping what runs, from another thread:
 *
 *     static void *stop(void *data) {
 *         gen_interrupt((GenVM *)data);
 *         return NULL;
 *     }
 *     pthread_t stopper;
 *     pthread_create(&stopper, NULL, stop, vm);
 *     gen_run_string(vm, "while True: pass", "endless");
 *     pthread_join(stopper, NULL);
 *     printf("interrupted: %d\n", gen_error_matches(vm, "KeyboardInterrupt"));
 *     gen_error_clear(vm);
 *
 * Does a host bear it that memory runs out, wherever that may be? With a debug build of the library
 * each allocation can fail in turn, until the work is done before the failure comes; and all of
 * them, while something lasts. (Other builds do the work once, and nothing fails.)
 *
 *     uint64_t left = 0;
 *     for (uint64_t nth = 1; left == 0; nth++) {
 *         gen_debug_fail_allocation(vm, nth);
 *         bool done = gen_run_string(vm, "squares = [n * n for n in range(3)]", "work");
 *         left = gen_debug_fail_allocations(vm, 0, 0, NULL);
 *         if (!done && !gen_error_matches(vm, "MemoryError")) printf("%s", gen_error_text(vm));
 *         gen_error_clear(vm);
 *     }
 *     static bool every_third(void) {
 *         static int count;
 *         return ++count % 3 == 0;
 *     }
 *     gen_debug_fail_allocations(vm, 1, 1000, every_third);
 *     bool done = gen_run_string(vm, "rows = [[n] for n in range(3)]", "work");
 *     gen_debug_fail_allocations(vm, 0, 0, NULL);
 *     printf("as expected: %d\n", done || gen_error_matches(vm, "MemoryError"));
 *     gen_error_clear(vm);
 */

enum {                        /* GenConfig.capabilities */
       GEN_CAP_FILES = 1,     /* open(), os, imports from files; GenConfig's roots restrict it */
       GEN_CAP_STDIO = 2,     /* standard input, output and error of the process */
       GEN_CAP_CLOCK = 4,     /* time */
       GEN_CAP_ENTROPY = 8,   /* seeds that differ from run to run, keyed string hashes */
       GEN_CAP_ENV = 16,      /* environment variables, process information */
       GEN_CAP_NET = 32,      /* sockets, names of hosts */
       GEN_CAP_PROCESS = 64,  /* child processes, signals */
       GEN_CAP_THREADS = 128, /* threads of the system: pools of VMs */
       GEN_CAP_ALL = 0x7fffffff,
};

typedef struct GenConfig {
    uint32_t size;            /* sizeof(GenConfig): lets old programs run with a newer library */
    uint32_t capabilities;    /* GEN_CAP_ bits; 0: the VM can only compute */
    uint64_t memory_limit;    /* bytes; 0: none. Beyond it scripts get MemoryError */
    uint32_t recursion_limit; /* script frames; 0: 1000 */
    /* Where print and sys.stderr go without GEN_CAP_STDIO: stream 1 or 2. NULL: nowhere. Returns
     * false on failure. */
    bool (*write)(void *context, int stream, const char *data, size_t size);
    void *context;                    /* handed to the functions here; also gen_context(vm) */
    uint64_t (*clock)(void *context); /* nanoseconds, for deadlines; NULL: CLOCK_MONOTONIC */
    uint64_t
        hash_seed; /* of the hashes of str and bytes; 0: random with GEN_CAP_ENTROPY, else fixed */
    /* Imports of modules that are neither builtin nor found in files: the source of `name` (UTF-8,
     * copied), NULL: none. Then the import fails, unless the module has been registered here. One
     * whose source says `__path__ = []` is a package: modules in it are asked for by
     * "package.name".
     */
    const char *(*find_module)(void *context, const char *name, size_t *size);
    /* With GEN_CAP_FILES: the directories below which files may be read, and written; lists that
     * end with NULL. NULL: everywhere. Links and `..` do not lead out of them. Used while the VM is
     * made. */
    const char *const *read_roots;
    const char *const *write_roots;
    /* Where the memory of the VM comes from: see MEMORY. NULL: the C library's malloc. */
    void *(*allocate)(void *context, void *block, size_t old_size, size_t new_size);
} GenConfig;

GEN_API GenVM *
gen_vm_new(const GenConfig *config); /* NULL config: the defaults above. NULL: out of memory */
/* The end of a program: suspended generators are closed, __del__ methods run, standard streams are
 * flushed. All scopes are closed: what outlives it is kept. False with an exception pending if what
 * was printed could not be written, or if the VM runs. Script code runs here under no budget: of a
 * script that is not trusted, gen_vm_free is the end. */
GEN_API bool gen_vm_finish(GenVM *vm);
/* Runs no script code: gen_vm_finish does. A function of the host's that is called by a script
 * cannot end the VM that it returns to: nothing happens then (in debug builds the program stops).
 */
GEN_API void gen_vm_free(GenVM *vm);
GEN_API void *gen_context(GenVM *vm);  /* GenConfig.context, the host's own: NULL if not given */
GEN_API const char *gen_version(void); /* of the library, "0.1.0": GEN_VERSION_ are the header's */
GEN_API uint64_t
gen_memory(GenVM *vm); /* the bytes that its objects and tables take, garbage too */
/* A full collection, which it is never necessary to ask for. Finalizers run, so script code may
 * (but see budgets); their exceptions go to sys.unraisablehook. False: an exception (of memory, or
 * KeyboardInterrupt).
 */
GEN_API bool gen_collect(GenVM *vm);
/* For tests of hosts and of the engine: the nth allocation of a script object from now on fails, as
 * if there were no memory. 0: none does. In other than debug builds no allocation fails. */
GEN_API void gen_debug_fail_allocation(GenVM *vm, uint64_t nth);
/* The same for `count` allocations, of which `first` is the first; `asked` is called before each,
 * and lets it pass by false (NULL: all of them fail). Gives how many allocations away the failures
 * ordered before still were; 0: they had begun, or there were none. */
GEN_API uint64_t gen_debug_fail_allocations(GenVM *vm, uint64_t first, uint64_t count,
                                            bool (*asked)(void));
/* Raises KeyboardInterrupt in the script that runs, or in the next one: soon. */
GEN_API void gen_interrupt(GenVM *vm);

/* ---- scopes ----
 *
 * A host that makes many values in a loop opens a scope for each round, or they all stay alive.
 *
 *     for (int i = 0; i < 1000; i++) {
 *         GenScope scope = gen_scope_open(vm);
 *         gen_set_item(vm, gen_get_global(vm, "table"), gen_int(vm, i), gen_str(vm, "row"));
 *         gen_scope_close(vm, scope);
 *     }
 *     static GenRef last_word(GenVM *vm, const char *line) { // its other values are not kept
 *         GenScope scope = gen_scope_open(vm);
 *         GenRef words = gen_call_method(vm, gen_str(vm, line), "split", 0, NULL);
 *         return gen_scope_return(vm, scope, gen_get_index(vm, words, -1));
 *     }
 *     size_t size;
 *     printf("%s\n", gen_to_str(vm, last_word(vm, "one two three"), &size));
 */

typedef uint32_t GenScope;
GEN_API GenScope gen_scope_open(GenVM *vm);
/* Drops all refs made since it was opened, those of scopes inside it too. Kept refs stay. Nothing
 * happens where a function of the host's means a scope that was open when it was called. */
GEN_API void gen_scope_close(GenVM *vm, GenScope scope);
/* Closes it, but gives a ref in the scope around it to one value (GEN_NULL of GEN_NULL). */
GEN_API GenRef gen_scope_return(GenVM *vm, GenScope scope, GenRef result);

/* KEPT REFS outlive scopes: gen_keep makes one of any ref, gen_release gives it up. They are used
 * like the others. In debug builds of the library the end of the VM names, on standard error, the
 * places in the host's source where refs were kept that nobody released; and wrong use stops the
 * program by a message that names the function: of a ref after its scope or its release, or of
 * another VM (elsewhere: SystemError, if there is no such ref), of a VM that is freed, or that runs
 * in another thread.
 *
 *     GenRef callback = gen_keep(vm, args[0]);
 *     ...
 *     gen_call(vm, callback, 0, NULL);
 *     gen_release(vm, callback);
 */
#define gen_keep(vm, ref) gen_keep_at((vm), (ref), __FILE__, __LINE__)
GEN_API GenRef gen_keep_at(GenVM *vm, GenRef ref, const char *file, int line);
GEN_API void gen_release(GenVM *vm, GenRef kept); /* GEN_NULL: nothing happens */

/* ---- running source text ----
 *
 *     static const char lines[] = "def f():\n    return 7\n\n";
 *     GenStatus status = GEN_END;
 *     for (size_t size = 1; size < sizeof lines && status != GEN_ERROR; size++)
 *         if (lines[size - 1] == '\n') // what a session does with each line that it reads
 *             status = gen_run_interactive(vm, lines, size, "<stdin>");
 *     gen_run_bytes(vm, "seven = f() # and more", 11, "bytes");
 *     GenRef root = gen_call_method(vm, gen_import(vm, "math"), "isqrt", 1,
 *                                   (GenRef[]){gen_eval(vm, "seven ** 2")});
 *     printf("%d, %lld\n", status == GEN_OK, (long long)gen_as_int(vm, root));
 */

/* Runs statements in the namespace of __main__. `name` is what tracebacks call the text; NULL:
 * "<string>". */
GEN_API bool gen_run_string(GenVM *vm, const char *source, const char *name);
GEN_API bool gen_run_bytes(GenVM *vm, const char *source, size_t size, const char *name);
/* A line or more of an interactive session: the values of expression statements are shown as
 * sys.displayhook does. GEN_END: the source is the beginning of a statement; ask for another line
 * and call again with all of it. */
GEN_API GenStatus gen_run_interactive(GenVM *vm, const char *source, size_t size, const char *name);
GEN_API GenRef gen_eval(GenVM *vm,
                        const char *expression); /* the value of an expression, in __main__ */
GEN_API GenRef gen_import(GenVM *vm, const char *module);

/* ---- making values ----
 *
 *     GenRef words = gen_list(vm), pair[] = {gen_str(vm, "pi"), gen_float(vm, 3.14)};
 *     gen_append(vm, words, gen_tuple(vm, 2, pair));
 *     gen_set_item(vm, gen_get_global(vm, "table"), gen_str(vm, "words"), words);
 *     gen_run_string(vm, "name, value = table['words'][0]", "setup");
 *     GenRef record = gen_dict(vm);
 *     gen_set_item(vm, record, gen_str_n(vm, "idle", 2), gen_bool(vm, true)); // 'id'
 *     gen_set_item(vm, record, gen_uint(vm, UINT64_MAX), gen_bytes(vm, "\0\1", 2));
 *     gen_set_item(vm, record, gen_int(vm, -1), gen_none(vm));
 *     size_t size;
 *     printf("%s\n", gen_to_str(vm, gen_repr(vm, record), &size));
 *
 * All else comes from calling its class: a set, a complex, an int of any size.
 *
 *     GenRef digits = gen_str(vm, "123456789012345678901234567890");
 *     GenRef big = gen_call(vm, gen_get_global(vm, "int"), 1, &digits);
 *     GenRef sixteen = gen_int(vm, 16), set = gen_call(vm, gen_get_global(vm, "set"), 1, &digits);
 *     gen_set_global(vm, "big", big);
 *     const unsigned char *bytes;
 *     size_t size, count;
 *     bytes = gen_to_bytes(vm, gen_call_method(vm, big, "to_bytes", 1, &sixteen), &size);
 *     gen_len(vm, set, &count);
 *     printf("%zu bytes, the last is %d; %zu digits\n", size, bytes[size - 1], count);
 */

GEN_API GenRef gen_none(GenVM *vm);
GEN_API GenRef gen_bool(GenVM *vm, bool b);
GEN_API GenRef gen_int(GenVM *vm, int64_t i);
GEN_API GenRef gen_uint(GenVM *vm, uint64_t i);
GEN_API GenRef gen_float(GenVM *vm, double d);
GEN_API GenRef gen_str(GenVM *vm, const char *utf8); /* copies; invalid UTF-8 is an error */
GEN_API GenRef gen_str_n(GenVM *vm, const char *utf8, size_t size);
GEN_API GenRef gen_bytes(GenVM *vm, const void *data, size_t size);
GEN_API GenRef gen_list(GenVM *vm);
GEN_API GenRef gen_tuple(GenVM *vm, size_t count, const GenRef *items);
GEN_API GenRef gen_dict(GenVM *vm);

/* ---- reading values ----
 *
 *     size_t size, count;
 *     GenRef value = gen_eval(vm, "['text', 2 ** 40]");
 *     const char *text = gen_to_str(vm, gen_get_index(vm, value, 0), &size);
 *     int64_t number;
 *     if (gen_type(vm, value) == GEN_TYPE_LIST && gen_len(vm, value, &count) && text &&
 *         gen_to_int(vm, gen_get_index(vm, value, 1), &number))
 *         printf("%zu: %.*s, %lld\n", count, (int)size, text, (long long)number);
 *     GenRef error = gen_eval(vm, "KeyError('k')"), base = gen_get_global(vm, "LookupError");
 *     bool truth = gen_is_instance(vm, error, base);
 *     printf("%s, a LookupError: %d\n", gen_type_name(vm, error), truth);
 *     double real;
 *     if (gen_to_bool(vm, value, &truth) && gen_to_float(vm, gen_eval(vm, "1 / 4"), &real))
 *         printf("%d, %g, %s\n", truth, real, gen_to_str(vm, gen_to_text(vm, error), &size));
 *     printf("%d\n", gen_is_none(vm, gen_call_method(vm, value, "clear", 0, NULL)));
 */

GEN_API GenType gen_type(GenVM *vm, GenRef value);
GEN_API GenRef gen_class(GenVM *vm, GenRef value); /* type(value) */
/* The name of its class, for messages: valid as long as the class lives. */
GEN_API const char *gen_type_name(GenVM *vm, GenRef value);
/* Is it of that class or of one derived from it? Runs no script code; false with TypeError where
 * `cls` is no class. */
GEN_API bool gen_is_instance(GenVM *vm, GenRef value, GenRef cls);
GEN_API bool gen_is_none(GenVM *vm, GenRef value);
GEN_API bool gen_to_bool(GenVM *vm, GenRef value,
                         bool *out); /* truth of anything; may run script code */
GEN_API bool gen_to_int(GenVM *vm, GenRef value,
                        int64_t *out); /* false: TypeError, or OverflowError beyond 64 bits */
GEN_API bool gen_to_float(GenVM *vm, GenRef value, double *out); /* of float and int */
GEN_API int64_t gen_as_int(GenVM *vm,
                           GenRef value); /* the same; 0 with the exception pending on failure */
GEN_API double gen_as_float(GenVM *vm, GenRef value);
/* The text of a str (UTF-8) or the bytes of a bytes-like object, without a copy: valid as long as
 * the value lives, and those of a bytearray until its size changes. A NUL follows the text of a
 * str, which may hold others: *size tells; who need not know gives NULL for size there. The result
 * is NULL with a TypeError pending for other values. */
GEN_API const char *gen_to_str(GenVM *vm, GenRef value, size_t *size);
GEN_API const void *gen_to_bytes(GenVM *vm, GenRef value, size_t *size);
GEN_API GenRef gen_repr(GenVM *vm, GenRef value); /* repr(value), str(value): may run script code */
GEN_API GenRef gen_to_text(GenVM *vm, GenRef value);

/* ---- containers, attributes, globals ----
 *
 *     gen_set_global(vm, "limit", gen_int(vm, 3));
 *     gen_run_string(vm, "class Box: pass\nbox = Box()", "setup");
 *     GenRef box = gen_get_global(vm, "box");
 *     gen_set_attr(vm, box, "size", gen_get_global(vm, "limit"));
 *     printf("%lld\n", (long long)gen_as_int(vm, gen_get_attr(vm, box, "size")));
 *     gen_delete_attr(vm, box, "size");
 *     printf("size: %d, on_open: %d\n", gen_has_attr(vm, box, "size"),
 *            gen_has_attr(vm, gen_import(vm, "__main__"), "on_open"));
 *
 *     GenRef ages = gen_eval(vm, "{'Ada': 36, 'Alan': 41}"), key, value;
 *     size_t position = 0, size;
 *     while (gen_next_item(vm, ages, &position, &key, &value))
 *         printf("%s: %lld\n", gen_to_str(vm, key, &size), (long long)gen_as_int(vm, value));
 *     gen_delete_item(vm, ages, gen_str(vm, "Alan"));
 *
 * What lacks is an exception: IndexError, KeyError, AttributeError, NameError.
 */

GEN_API bool gen_len(GenVM *vm, GenRef value, size_t *out);
GEN_API GenRef gen_get_item(GenVM *vm, GenRef container, GenRef key);
GEN_API GenRef gen_get_index(GenVM *vm, GenRef sequence, int64_t index);
GEN_API bool gen_set_item(GenVM *vm, GenRef container, GenRef key, GenRef value);
GEN_API bool gen_delete_item(GenVM *vm, GenRef container, GenRef key);
GEN_API bool gen_append(GenVM *vm, GenRef list, GenRef value);
/* The next entry of a dict, in order, from *position on, which is 0 at first. False behind the
 * last, or with TypeError where it is no dict. Runs no script code; values may be exchanged
 * meanwhile, but keys that are added or deleted may let others be met twice or not at all. */
GEN_API bool gen_next_item(GenVM *vm, GenRef dict, size_t *position, GenRef *key, GenRef *value);
GEN_API GenRef gen_get_attr(GenVM *vm, GenRef object, const char *name);
GEN_API bool gen_set_attr(GenVM *vm, GenRef object, const char *name, GenRef value);
GEN_API bool gen_delete_attr(GenVM *vm, GenRef object, const char *name);
/* False without an exception where there is none; with one where looking for it raised another. */
GEN_API bool gen_has_attr(GenVM *vm, GenRef object, const char *name);
/* Of __main__; where that has none of the name, the builtin. */
GEN_API GenRef gen_get_global(GenVM *vm, const char *name);
GEN_API bool gen_set_global(GenVM *vm, const char *name, GenRef value);

/* ---- operators ----
 *
 *     GenRef ten = gen_int(vm, 10), half = gen_float(vm, 0.5), list = gen_eval(vm, "[3, 10]");
 *     bool is_in = false, is_less = true;
 *     gen_to_bool(vm, gen_operate(vm, ten, "in", list), &is_in);
 *     gen_to_bool(vm, gen_operate(vm, ten, "<", half), &is_less);
 *     printf("%g, %d, %d\n", gen_as_float(vm, gen_operate(vm, ten, "**", half)), is_in, is_less);
 */

/* left op right, for + - * / // % ** @ << >> & | ^ < <= == != > >= in; may run script code. */
GEN_API GenRef gen_operate(GenVM *vm, GenRef left, const char *op, GenRef right);

/* ---- calling ----
 *
 * Script from C, and C from script from C: at most 200 deep, for which half a megabyte of C stack
 * is enough besides what the host's own functions take; beyond that it is a RecursionError,
 * whatever limit scripts set for themselves. What runs under such a call waits on the C stack, so
 * it cannot be suspended: an external function that is called there is a RuntimeError.
 * gen_call_then is for functions that must not be in the way.
 *
 *     static GenRef twice(GenVM *vm, const GenRef *args) {
 *         GenRef once = gen_call(vm, args[0], 1, &args[1]);
 *         return once ? gen_call(vm, args[0], 1, &once) : GEN_NULL;
 *     }
 *     static const GenFunction twice_function = {"twice(f, x)", twice, NULL};
 *     gen_set_global(vm, "twice", gen_function(vm, &twice_function));
 *     printf("%lld\n", (long long)gen_as_int(vm, gen_eval(vm, "twice(lambda x: x * 3, 5)")));
 *     GenRef upper = gen_call_method(vm, gen_str(vm, "gen"), "upper", 0, NULL);
 *     size_t size;
 *     printf("%s\n", gen_to_str(vm, upper, &size));
 *
 * With keywords, that are in a dict:
 *
 *     GenRef item = gen_eval(vm, "[3, 1, 2]"), args_tuple = gen_tuple(vm, 1, &item);
 *     GenRef keywords = gen_dict(vm);
 *     gen_set_item(vm, keywords, gen_str(vm, "reverse"), gen_bool(vm, true));
 *     GenRef sorted = gen_call_with(vm, gen_get_global(vm, "sorted"), args_tuple, keywords);
 *     printf("%lld\n", (long long)gen_as_int(vm, gen_get_index(vm, sorted, 0)));
 */

GEN_API GenRef gen_call(GenVM *vm, GenRef callable, size_t count, const GenRef *args);
GEN_API GenRef gen_call_method(GenVM *vm, GenRef object, const char *name, size_t count,
                               const GenRef *args);
/* callable(*args, **kwargs): of a tuple, and of a dict or GEN_NULL. */
GEN_API GenRef gen_call_with(GenVM *vm, GenRef callable, GenRef args, GenRef kwargs);

/* ---- generators: driving a script from C ----
 *
 *     GenRef item, numbers = gen_call(vm, gen_get_global(vm, "numbers"), 0, NULL);
 *     while (gen_next(vm, numbers, &item) == GEN_OK)
 *         printf("%lld\n", (long long)gen_as_int(vm, item));
 *     gen_run_string(vm, "def adder():\n    x = 0\n    while True: x += yield x", "setup");
 *     GenRef total, adder = gen_call(vm, gen_get_global(vm, "adder"), 0, NULL);
 *     gen_next(vm, adder, &total);
 *     for (int i = 1; i <= 3; i++)
 *         gen_send(vm, adder, gen_int(vm, i), &total);
 *     printf("%lld\n", (long long)gen_as_int(vm, total));
 *     if (gen_throw(vm, adder, gen_eval(vm, "ValueError('enough')"), &total) == GEN_ERROR)
 *         gen_error_clear(vm); // the generator has not caught it, and is over
 *     gen_close(vm, adder);
 *     GenRef letter, letters = gen_iter(vm, gen_str(vm, "abc"));
 *     size_t size;
 *     while (gen_next(vm, letters, &letter) == GEN_OK)
 *         printf("%s\n", gen_to_str(vm, letter, &size));
 */
GEN_API GenRef gen_iter(GenVM *vm, GenRef iterable);
GEN_API GenStatus gen_next(GenVM *vm, GenRef iterator, GenRef *out);
GEN_API GenStatus gen_send(GenVM *vm, GenRef generator, GenRef value, GenRef *out);
/* Raises an exception where the generator stands: what that yields or returns, as gen_next. */
GEN_API GenStatus gen_throw(GenVM *vm, GenRef generator, GenRef exception, GenRef *out);
GEN_API bool gen_close(GenVM *vm, GenRef generator);

/* ---- tasks: running a script piece by piece ----
 *
 * A task is a script that the host runs until it cannot go on, looks at, and runs on: whenever and
 * as long as it likes. gen_run never blocks: for what the host is to answer, a task waits outside
 * of it, and inside of whatever the script was doing: a sort key, an __eq__, a with statement, an
 * import. Many tasks of a VM can be under way; they run one at a time. (Scripts that are granted
 * the clock, the network or processes can wait for these as well, in gen_run, and block it; at the
 * deadline of its task the script stops there too, and waits on when it is run again. gen_interrupt
 * ends whatever waits.)
 *
 *     GenOutcome outcome;
 *     GenRef task = gen_task_from_source(vm, "print(ask('name?'))", "script");
 *     while (gen_run(vm, task, &outcome) == GEN_CALLOUT)
 *         gen_answer(vm, task, outcome.ticket, gen_str(vm, "Ada"));
 *
 * `ask` is an EXTERNAL function: one that is registered without a body (see GenFunction). Calling
 * it stops the task with GEN_CALLOUT, which tells its name, its arguments and a ticket; the answer
 * to the ticket becomes the value of the call. When the signature begins with `async`, the call
 * gives an awaitable instead; such calls can be open by the dozen (asyncio.gather), each is told
 * once, the task is run on meanwhile, and answers may come in any order.
 *
 * Tickets are numbers of their task: 1, 2, 3, ..., the same on every run.
 *
 *     static const GenFunction fetch = {"async fetch(name)", NULL, NULL};
 *     gen_set_global(vm, "fetch", gen_function(vm, &fetch));
 *     GenTicket open[2] = {0, 0};
 *     GenOutcome outcome;
 *     GenRef task = gen_task_from_source(vm, "import asyncio\n"
 *         "async def main(): return await asyncio.gather(fetch('a'), fetch('b'))\n"
 *         "answers = asyncio.run(main())", "script");
 *     while (gen_run(vm, task, &outcome) == GEN_CALLOUT)
 *         open[outcome.ticket - 1] = outcome.ticket;
 *     for (int i = 1; i >= 0; i--) // GEN_WAITING: nothing goes on without an answer
 *         gen_answer(vm, task, open[i], gen_int(vm, i));
 *     printf("done: %d\n", gen_run(vm, task, &outcome) == GEN_DONE);
 *
 * An answer may be an exception; and a host that was given a task, from an image, say, asks which
 * tickets are open:
 *
 *     static const char source[] = "try: ask('disk')\nexcept OSError as e: said = str(e)\n";
 *     GenOutcome outcome;
 *     GenTicket open[8];
 *     GenRef task = gen_task_from_bytes(vm, source, sizeof source - 1, "script");
 *     gen_run(vm, task, NULL);
 *     size_t count = gen_task_tickets(vm, task, open, 8), size;
 *     for (size_t i = 0; i < count && gen_task_ticket(vm, task, open[i], &outcome); i++) {
 *         printf("%s('%s')\n", outcome.name,
 *                gen_to_str(vm, gen_get_index(vm, outcome.args, 0), &size));
 *         gen_raise(vm, "OSError", "it is full");
 *         gen_answer_error(vm, task, open[i], gen_error_take(vm));
 *     }
 *     if (gen_run(vm, task, &outcome) == GEN_DONE)
 *         printf("%s\n", gen_to_str(vm, gen_get_global(vm, "said"), &size));
 *
 * A task may also be the call of a function. If that is a generator or coroutine, its yields come
 * to the host, which sends what it likes:
 *
 *     gen_run_string(vm, "def talk(name):\n    mood = yield 'how are you, ' + name\n"
 *                        "    return mood.upper()", "setup");
 *     GenOutcome outcome;
 *     GenRef name = gen_str(vm, "Ada");
 *     GenRef task = gen_task_new(vm, gen_get_global(vm, "talk"), 1, &name);
 *     size_t size;
 *     while (gen_run(vm, task, &outcome) == GEN_YIELDED) {
 *         printf("%s?\n", gen_to_str(vm, outcome.value, &size));
 *         gen_task_send(vm, task, gen_str(vm, "well"));
 *     }
 *     printf("%s\n", gen_to_str(vm, outcome.value, &size));
 */
typedef uint64_t GenTicket;

typedef enum GenBudget {
    GEN_BUDGET_NONE,
    GEN_BUDGET_STEPS,    /* units of work: backward jumps, calls, resumes; natives by what they do.
                            The same program and input spend the same on every run */
    GEN_BUDGET_MEMORY,   /* bytes: by how much the heap has grown while the task ran, garbage left
                            out; one request of more than that is a MemoryError instead */
    GEN_BUDGET_DEPTH,    /* frames */
    GEN_BUDGET_OUTPUT,   /* bytes written to files and streams */
    GEN_BUDGET_CALLOUTS, /* calls of external functions */
    GEN_BUDGET_DEADLINE, /* a moment, not a length of time: nanoseconds of GenConfig.clock, or of
                            CLOCK_MONOTONIC. Nothing is spent of it */
} GenBudget;

typedef struct GenOutcome {
    GenStatus kind;
    GenRef value;     /* GEN_DONE, GEN_YIELDED */
    GenBudget budget; /* GEN_BUDGET: the one that is spent */
    uint64_t needed; /* GEN_BUDGET of steps: the least limit with which the task gets any further */
    GenTicket ticket; /* GEN_CALLOUT, and these: */
    const char *name; /* of the function, "module.name" if it is in a module; valid as a ref is */
    GenRef args;      /* tuple, complete and in the order of the signature */
    GenRef kwargs;    /* dict, or GEN_NULL: what ** has collected */
    uint64_t wait;    /* GEN_WAITING: nanoseconds after which a timer of the script is due, so that
                         gen_run goes on although nothing was answered; 0: there is none */
} GenOutcome;

/* A task that will call `callable`: gen_run does, none of these three runs script code. A generator
 * or coroutine object, or what calling a function with yield or async makes, is driven to its end:
 * what it yields are GEN_YIELDED. A task lives as long as it is referred to: one
 * that nobody holds any more is gone without running on (gen_task_kill runs its `finally` blocks).
 */
GEN_API GenRef gen_task_new(GenVM *vm, GenRef callable, size_t count, const GenRef *args);
/* A task that will run statements in the namespace of __main__, which all tasks of the VM share.
 * GEN_NULL: SyntaxError. */
GEN_API GenRef gen_task_from_source(GenVM *vm, const char *source, const char *name);
GEN_API GenRef gen_task_from_bytes(GenVM *vm, const char *source, size_t size, const char *name);

/* Runs the task until it cannot go on. GEN_ERROR: it ended by an exception, which is pending.
 * Running a task that has ended says so again. `out` may be NULL. */
GEN_API GenStatus gen_run(GenVM *vm, GenRef task, GenOutcome *out);
/* What the `yield` at which the task stopped is to give when it runs on (otherwise None). False
 * with RuntimeError unless the last gen_run gave GEN_YIELDED. */
GEN_API bool gen_task_send(GenVM *vm, GenRef task, GenRef value);

/* The answer to a call-out: a value, or an exception to be raised by the call. False with
 * ValueError when no such ticket is open. The task runs on by gen_run. A ticket is open until it is
 * answered: one for which nobody waits any more, since the call was cancelled or the task has
 * ended, takes its answer without effect. Runs no script code. */
GEN_API bool gen_answer(GenVM *vm, GenRef task, GenTicket ticket, GenRef value);
GEN_API bool gen_answer_error(GenVM *vm, GenRef task, GenTicket ticket, GenRef exception);
/* The open tickets, oldest first: how many, and up to `capacity` of them. */
GEN_API size_t gen_task_tickets(GenVM *vm, GenRef task, GenTicket *tickets, size_t capacity);
/* What an open ticket asks: name, args, kwargs as at its GEN_CALLOUT. False with ValueError when it
 * is not open. */
GEN_API bool gen_task_ticket(GenVM *vm, GenRef task, GenTicket ticket, GenOutcome *out);

/* Budgets are limits of the whole life of a task, 0 for none; raise one to refuel. Scripts cannot
 * notice, catch or outrun them. gen_task_spent tells what is spent, in the unit of the budget. Both
 * may be called while the task runs, by functions of the host's; false, 0: TypeError where it is no
 * task, ValueError where there is no such budget.
 *
 * A task cannot stop inside of a call that a function of the host's makes (see calling): where a
 * budget is spent there, the call fails by a RuntimeError that the script does not catch, and the
 * task stops when the host's function has returned. What scripts leave to be finalized (__del__,
 * `finally` of generators, callbacks of weak references) is charged to the task in whose time it
 * runs; once a task of the VM has had a budget, it runs in tasks and in gen_vm_finish only, never
 * in other calls of the host's.
 *
 *     GenOutcome outcome;
 *     GenRef task = gen_task_from_source(vm, "n = 0\nwhile True: n += 1", "endless");
 *     gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, 10000);
 *     gen_task_set_budget(vm, task, GEN_BUDGET_MEMORY, 1 << 20);
 *     while (gen_run(vm, task, &outcome) == GEN_BUDGET && outcome.budget == GEN_BUDGET_STEPS &&
 *            gen_task_spent(vm, task, GEN_BUDGET_STEPS) < 50000)
 *         gen_task_set_budget(vm, task, GEN_BUDGET_STEPS, outcome.needed + 10000);
 *     if (gen_task_kill(vm, task, 1000) && gen_run(vm, task, &outcome) == GEN_ERROR)
 *         printf("killed: %d\n", gen_error_matches(vm, "GeneratorExit"));
 *     gen_error_clear(vm);
 *
 * Ten milliseconds of time, whatever the script does:
 *
 *     struct timespec now;
 *     clock_gettime(CLOCK_MONOTONIC, &now);
 *     uint64_t deadline = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec + 10000000;
 *     GenOutcome outcome;
 *     GenRef task = gen_task_from_source(vm, "try:\n    while True: pass\nfinally: x = 1", "slow");
 *     gen_task_set_budget(vm, task, GEN_BUDGET_DEADLINE, deadline);
 *     if (gen_run(vm, task, &outcome) == GEN_BUDGET)
 *         printf("too slow: %d\n", outcome.budget == GEN_BUDGET_DEADLINE);
 */
GEN_API bool gen_task_set_budget(GenVM *vm, GenRef task, GenBudget budget, uint64_t limit);
GEN_API uint64_t gen_task_spent(GenVM *vm, GenRef task, GenBudget budget);
/* Where a stopped task stands: its frames, 0 the innermost; those of the library are left out. In a
 * function of the host's, GEN_NULL for the task means the frames that run, 0 the one that called.
 *
 *     GenOutcome outcome;
 *     GenFrame frame;
 *     GenRef task = gen_task_from_source(vm, "def f(x):\n    ask(x)\nsorted([2, 1], key=f)", "s");
 *     gen_run(vm, task, &outcome);
 *     for (size_t i = 0; gen_task_frame(vm, task, i, &frame); i++)
 *         printf("%s, line %d of %s\n", frame.function, frame.line, frame.file);
 *     gen_task_frame(vm, task, 0, &frame);
 *     GenRef x = gen_get_item(vm, frame.locals, gen_str(vm, "x"));
 *     printf("x is %lld\n", (long long)gen_as_int(vm, x));
 *
 *     static GenRef warn(GenVM *vm, const GenRef *args) {
 *         GenFrame caller;
 *         size_t size;
 *         if (gen_task_frame(vm, GEN_NULL, 0, &caller))
 *             printf("%s:%d: %s\n", caller.file, caller.line, gen_to_str(vm, args[0], &size));
 *         return gen_none(vm);
 *     }
 *     static const GenFunction warn_function = {"warn(text: str)", warn, NULL};
 *     gen_set_global(vm, "warn", gen_function(vm, &warn_function));
 *     gen_run_string(vm, "for i in range(2):\n    if i: warn('one')", "script");
 */
typedef struct GenFrame {
    const char *function, *file; /* valid as a ref is */
    int line;                    /* 0: not known */
    GenRef locals;               /* dict, a copy; of a module its namespace */
} GenFrame;
/* False, without an exception, beyond the outermost, and of a task that has ended, not begun, or
 * runs. */
GEN_API bool gen_task_frame(GenVM *vm, GenRef task, size_t index, GenFrame *out);

/* Ends a task that has stopped: GeneratorExit is raised where it stands, its `finally` blocks and
 * `with` statements run (no `except` clause) for at most `steps` steps, as long as they wait for
 * nothing; then it is over: GEN_ERROR with GeneratorExit. False with RuntimeError where the task
 * runs; one that has ended stays as it ended. */
GEN_API bool gen_task_kill(GenVM *vm, GenRef task, uint64_t steps);

/* ---- exceptions ----
 *
 * A script's exception comes to the host as a failed call, a host's to the script by gen_raise in
 * one of its functions.
 *
 *     static GenRef check(GenVM *vm, const GenRef *args) {
 *         int64_t age = gen_as_int(vm, args[0]);
 *         return age < 0 ? gen_raise(vm, "ValueError", "no age: %lld", (long long)age) : args[0];
 *     }
 *     static const GenFunction check_function = {"check(age: int)", check, NULL};
 *     gen_set_global(vm, "check", gen_function(vm, &check_function));
 *     gen_run_string(vm, "try: check(-1)\nexcept ValueError as e: said = str(e)", "script");
 *     if (!gen_eval(vm, "check(-2)") && gen_error_matches(vm, "ValueError")) {
 *         size_t size;
 *         GenRef error = gen_error_take(vm);
 *         printf("%s\n", gen_to_str(vm, gen_to_text(vm, error), &size));
 *     }
 *
 * A class of exceptions that the host brings, and one of its objects raised; the traceback as a
 * text, and as a structure:
 *
 *     GenRef cls = gen_eval(vm, "type('HostError', (Exception,), {})");
 *     static GenRef fail(GenVM *vm, const GenRef *args) {
 *         gen_error_restore(vm, args[0]);
 *         return GEN_NULL;
 *     }
 *     static const GenFunction fail_function = {"fail(error)", fail, NULL};
 *     gen_set_global(vm, "fail", gen_function(vm, &fail_function));
 *     GenRef why = gen_str(vm, "no luck"), error = gen_call(vm, cls, 1, &why);
 *     gen_set_global(vm, "error", error);
 *     if (!gen_run_string(vm, "def work():\n    fail(error)\nwork()", "script") &&
 *         gen_error_pending(vm))
 *         printf("%s", gen_error_text(vm));
 *     GenRef at = gen_get_attr(vm, gen_error_take(vm), "__traceback__");
 *     for (; gen_is_instance(vm, error, cls) && !gen_is_none(vm, at);
 *          at = gen_get_attr(vm, at, "tb_next"))
 *         printf("line %lld\n", (long long)gen_as_int(vm, gen_get_attr(vm, at, "tb_lineno")));
 */

GEN_API bool gen_error_pending(GenVM *vm);
/* The exception, and none is pending any more. GEN_NULL: none was. */
GEN_API GenRef gen_error_take(GenVM *vm);
GEN_API void gen_error_clear(GenVM *vm);
/* Raises an exception object: one that was taken, or any other (TypeError where it is none). Its
 * traceback is as it was. */
GEN_API void gen_error_restore(GenVM *vm, GenRef exception);
/* Is the pending exception an instance of that builtin class, "OSError", say? False, too, where
 * none is pending or there is no such class. Classes of the script's: gen_error_take,
 * gen_is_instance. */
GEN_API bool gen_error_matches(GenVM *vm, const char *type);
/* The report with traceback, as the command prints it, of the pending exception, which stays
 * pending; "" where none is. Valid until the next call of this function. Never NULL. May run script
 * code: the __str__ of the exception, for so many steps at most. */
GEN_API const char *gen_error_text(GenVM *vm);
/* Raises from C: `type` is the name of a builtin exception class, `format` is printf's, up to 1,023
 * bytes (SystemError where there is no such class). One that is pending is replaced. Always
 * GEN_NULL, so: return gen_raise(...). */
GEN_API GenRef gen_raise(GenVM *vm, const char *type, const char *format, ...);

/* ---- images: what is suspended, as bytes ----
 *
 *     GenRef item, numbers = gen_call(vm, gen_get_global(vm, "numbers"), 0, NULL);
 *     gen_next(vm, numbers, &item);
 *     size_t size;
 *     const void *data = gen_to_bytes(vm, gen_save(vm, numbers), &size);
 *     GenVM *other = gen_vm_new(NULL); // in another process, on another machine
 *     GenRef loaded = gen_load(other, data, size);
 *     if (gen_next(other, loaded, &item) == GEN_OK)
 *         printf("the next one is %lld\n", (long long)gen_as_int(other, item));
 *     gen_vm_free(other);
 *
 * A function is code that need not be compiled again: made once, loaded by any number of VMs, with
 * the globals that it uses. What an image holds can be looked at before.
 *
 *     gen_run_string(vm, "def shout(text): return text.upper() + '!'", "library");
 *     size_t size;
 *     const void *data = gen_to_bytes(vm, gen_save(vm, gen_get_global(vm, "shout")), &size);
 *     for (int i = 0; i < 2; i++) {
 *         GenVM *worker = gen_vm_new(NULL);
 *         GenRef text = gen_str(worker, "gen"), shout = gen_load(worker, data, size);
 *         size_t length;
 *         printf("%s\n", gen_to_str(worker, gen_call(worker, shout, 1, &text), &length));
 *         gen_vm_free(worker);
 *     }
 *     GenRef seen = gen_image_inspect(vm, data, size);
 *     size_t missing;
 *     if (gen_len(vm, gen_get_item(vm, seen, gen_str(vm, "missing")), &missing))
 *         printf("%zu are missing\n", missing);
 *
 * gen_save takes a stopped task, a suspended generator or coroutine, or any other value, with all
 * that it reaches, and gives bytes; GEN_NULL as root saves the user's modules. A task brings the
 * user's modules along, and asyncio's running loop with all its tasks, timers and open call-outs,
 * unless it watches a descriptor or a signal; and the numbers that id() and hash() have told. If
 * it is the only task of its VM that has not ended, garbage that has still to be finalized goes
 * along, too, but for open files. What scripts have set for the whole VM goes with a task: limits,
 * hooks, sys.path and sys.argv where they have changed them, what they have changed in the library,
 * handlers of signals (ValueError by gen_load where GEN_CAP_PROCESS is missing or another VM of the
 * process handles signals). Descriptors, signal masks and timers are the process's. Functions of
 * the host's go by name: of the module that was registered, or as they stand in __main__, where the
 * VM that loads has its own under the same name. TypeError says by which path what cannot be saved
 * was reached: an open file, an object of the host. gen_load takes nothing for granted: any bytes
 * give a value that works, or a ValueError (no image, or a damaged one). A task's image is for a VM
 * of its own: its main module becomes that of the VM; and it holds no other task (what belongs
 * together is saved together as generators). gen_save runs no script code; gen_load imports the
 * library's modules that the image uses.
 */
GEN_API GenRef gen_save(GenVM *vm, GenRef root);                   /* bytes */
GEN_API GenRef gen_load(GenVM *vm, const void *data, size_t size); /* the value, or the task */
GEN_API GenRef gen_image_inspect(GenVM *vm, const void *data,
                                 size_t size); /* a dict: see image.h */

/* ---- functions and modules written in C ----
 *
 *     static GenRef add(GenVM *vm, const GenRef *args) {
 *         return gen_int(vm, gen_as_int(vm, args[0]) + gen_as_int(vm, args[1]));
 *     }
 *     static const GenFunction table[] = {
 *         {"add(a: int, b: int = 1)", add, "a plus b"},
 *         {NULL, NULL, NULL},
 *     };
 *     gen_register_module(vm, "fastmath", table);
 *
 * The signature says names, kinds, defaults and types of the parameters as a def does; wrong calls
 * raise Python's TypeErrors before the function runs. One that returns GEN_NULL with no exception
 * pending gives None. args[i] is the i-th parameter (24 at most), *args a tuple, **kwargs a dict or
 * GEN_NULL; a missing one whose default is written `?` is GEN_NULL. Types are object, int, float
 * (an int is made one), bool (the truth of anything), str, bytes, list, tuple, dict, set, callable,
 * type (any class), generator; index (an int that is cut to the range of 62 bits) and size
 * (OverflowError beyond it); and unions: `str | None` lets None through, those of several others
 * let anything through. Defaults are numbers, texts without backslashes, None, True, False, (), b''
 * and `?`. What is no signature is a SystemError when the function is made.
 *
 * A function may stand for more than its name: gen_method binds its first argument, so that one in
 * C serves many callables. They are saved as any value.
 *
 *     static GenRef scale(GenVM *vm, const GenRef *args) {
 *         return gen_operate(vm, args[0], "*", args[1]);
 *     }
 *     static const GenFunction scaling = {"scale(factor, x)", scale, NULL};
 *     GenRef function = gen_function(vm, &scaling);
 *     gen_set_global(vm, "double", gen_method(vm, function, gen_int(vm, 2)));
 *     gen_set_global(vm, "triple", gen_method(vm, function, gen_int(vm, 3)));
 *     printf("%lld\n", (long long)gen_as_int(vm, gen_eval(vm, "double(triple(7))")));
 *
 * There are three kinds. A LEAF runs to its end, as `add` above. An EXTERNAL function has no body:
 * the host answers (see tasks). A RESUMABLE one leaves its calls of script code to the interpreter:
 * its last act is `return gen_call_then(...)`, which has a callable called and what it gives handed
 * to another function, or `return gen_call_last(...)`, whose result is that of the function itself.
 * Nothing waits on the C stack then: the script can be suspended in these calls, saved and loaded.
 *
 *     static GenRef next_total(GenVM *vm, GenRef total, GenRef items, GenRef f, int64_t at);
 *     static GenRef add_up(GenVM *vm, const GenRef *args) { // state: (total, items, f, at)
 *         GenRef state = args[0], total = gen_get_index(vm, state, 0);
 *         int64_t sum = gen_as_int(vm, total) + gen_as_int(vm, args[1]);
 *         return next_total(vm, gen_int(vm, sum), gen_get_index(vm, state, 1),
 *                           gen_get_index(vm, state, 2),
 *                           gen_as_int(vm, gen_get_index(vm, state, 3)) + 1);
 *     }
 *     static GenRef total(GenVM *vm, const GenRef *args) {
 *         return next_total(vm, gen_int(vm, 0), args[1], args[0], 0);
 *     }
 *     static const GenFunction totals[] = {
 *         {"total(f, items: list)", total, "the sum of f(item)"},
 *         {"_add_up(state, value)", add_up, NULL},
 *         {NULL, NULL, NULL},
 *     };
 *     static GenRef next_total(GenVM *vm, GenRef total, GenRef items, GenRef f, int64_t at) {
 *         size_t count;
 *         GenRef state[] = {total, items, f, gen_int(vm, at)};
 *         if (!gen_len(vm, items, &count) || (size_t)at >= count) return total;
 *         GenRef item = gen_get_index(vm, items, at);
 *         GenRef then = gen_get_attr(vm, gen_import(vm, "totals"), "_add_up");
 *         return gen_call_then(vm, then, gen_tuple(vm, 4, state), f, 1, &item);
 *     }
 *     gen_register_module(vm, "totals", totals);
 *     GenOutcome outcome;
 *     GenRef task = gen_task_from_source(vm, "import totals\nt = totals.total(ask, [1, 2])", "s");
 *     while (gen_run(vm, task, &outcome) == GEN_CALLOUT)
 *         gen_answer(vm, task, outcome.ticket, gen_int(vm, 21));
 *     printf("%lld\n", (long long)gen_as_int(vm, gen_get_global(vm, "t")));
 *
 * One that only prepares a call, or chooses among several, needs no state:
 *
 *     static GenRef greet(GenVM *vm, const GenRef *args) {
 *         GenRef text = gen_operate(vm, gen_str(vm, "hello, "), "+", args[1]);
 *         return gen_call_last(vm, args[0], 1, &text);
 *     }
 *     static const GenFunction greet_function = {"greet(say: callable, name: str)", greet, NULL};
 *     gen_set_global(vm, "greet", gen_function(vm, &greet_function));
 *     GenOutcome outcome;
 *     GenRef task = gen_task_from_source(vm, "said = greet(ask, 'Ada')", "script");
 *     gen_run(vm, task, &outcome); // it waits in `ask`, and nothing on the C stack
 *     size_t size;
 *     printf("%s?\n", gen_to_str(vm, gen_get_index(vm, outcome.args, 0), &size));
 *     gen_answer(vm, task, outcome.ticket, gen_str(vm, "hello"));
 *     if (gen_run(vm, task, &outcome) == GEN_DONE)
 *         printf("%s\n", gen_to_str(vm, gen_get_global(vm, "said"), &size));
 */
typedef GenRef (*GenFn)(GenVM *vm, const GenRef *args);
typedef struct GenFunction {
    const char *signature; /* it and doc live as long as the VM; the struct itself is copied */
    GenFn fn;              /* NULL: external, see tasks */
    const char *doc;       /* __doc__; may be NULL */
} GenFunction;
GEN_API GenRef gen_function(GenVM *vm, const GenFunction *function); /* a callable value */
GEN_API GenRef gen_method(GenVM *vm, GenRef callable, GenRef self);  /* f(*a): callable(self, *a) */
/* A module that scripts can import from now on; `functions` ends with {NULL}. One that has the name
 * already is replaced. Values besides functions: gen_set_attr of what gen_import gives. */
GEN_API bool gen_register_module(GenVM *vm, const char *name, const GenFunction *functions);
/* To be returned by a function of the host as its last act: callable(*args) is the result. */
GEN_API GenRef gen_call_last(GenVM *vm, GenRef callable, size_t count, const GenRef *args);
/* The same, but the result is then(state, callable(*args)). In an image `then` is saved as any
 * value: a function of a registered module by its name. */
GEN_API GenRef gen_call_then(GenVM *vm, GenRef then, GenRef state, GenRef callable, size_t count,
                             const GenRef *args);

/* ---- types written in C ----
 *
 *     typedef struct { double x, y; } Point;
 *     static const GenTypeDef point;
 *     static GenRef length(GenVM *vm, const GenRef *args) {
 *         Point *p = (Point *)gen_object_data(vm, args[0], &point);
 *         return p ? gen_float(vm, hypot(p->x, p->y)) : GEN_NULL;
 *     }
 *     static GenRef save(GenVM *vm, GenRef self) { // for gen_save: what the point is made of
 *         return gen_bytes(vm, gen_object_data(vm, self, &point), sizeof(Point));
 *     }
 *     static bool load(GenVM *vm, GenRef self, GenRef state) {
 *         size_t size;
 *         const Point *p = (const Point *)gen_to_bytes(vm, state, &size);
 *         if (p && size == sizeof *p) *(Point *)gen_object_data(vm, self, &point) = *p;
 *         return p && size == sizeof *p;
 *     }
 *     static GenRef get_x(GenVM *vm, const GenRef *args) {
 *         return gen_float(vm, ((Point *)gen_object_data(vm, args[0], &point))->x);
 *     }
 *     static GenRef set_x(GenVM *vm, const GenRef *args) {
 *         ((Point *)gen_object_data(vm, args[0], &point))->x = gen_as_float(vm, args[1]);
 *         return gen_none(vm);
 *     }
 *     static GenRef construct(GenVM *vm, const GenRef *args) {
 *         GenRef self = gen_object_new(vm, args[0]);
 *         Point *p = self ? (Point *)gen_object_data(vm, self, &point) : NULL;
 *         if (p) p->x = gen_as_float(vm, args[1]), p->y = gen_as_float(vm, args[2]);
 *         return p && gen_object_set(vm, self, &point, 0, args[3]) ? self : GEN_NULL;
 *     }
 *     static void finalize(void *data) {
 *         printf("gone: %g\n", ((Point *)data)->x); // where a host closes and frees
 *     }
 *     static const GenFunction methods[] = {{"length(self)", length, NULL}, {NULL, NULL, NULL}};
 *     static const GenFunction make = {"Point(cls, x: float, y: float, label)", construct, NULL};
 *     static const GenProperty properties[] = {{"x", get_x, set_x, "across"},
 *                                              {NULL, NULL, NULL, NULL}};
 *     static const GenTypeDef point = {.name = "Point", .size = sizeof(Point), .slots = 1,
 *                                      .construct = &make, .methods = methods,
 *                                      .properties = properties, .finalize = finalize,
 *                                      .save = save, .load = load};
 *     gen_set_global(vm, "Point", gen_type_new(vm, &point));
 *     gen_run_string(vm, "p = Point(3, 4, 'a label'); p.x += 2; p = p.length()", "script");
 *     GenRef p = gen_object_new(vm, gen_get_global(vm, "Point"));
 *     gen_object_set(vm, p, &point, 0, gen_str(vm, "a label"));
 *     size_t size;
 *     printf("%s\n", gen_to_str(vm, gen_object_get(vm, p, &point, 0), &size));
 *
 * (In C++ the first line is `extern const GenTypeDef point;`, and the definition without `static`.)
 *
 * An object has `size` bytes of the host's, zeroed at first, and `slots` values, None at first:
 * what it refers to belongs there, where the collector finds it. Methods with the names of special
 * methods (__len__, __add__, __iter__, __getitem__, __call__, __enter__, ...) are what operators
 * and builtins use; a __next__ ends by gen_raise(vm, "StopIteration", ""). Signatures that begin
 * with `static` or `classmethod` make those; a method without a body is external. Scripts may
 * derive classes of their own.
 *
 * In images the class goes by its name, and is made again by the host that loads. `save` gives what
 * an object is made from again, any value; slots are saved besides. `load` gets an object with its
 * slots and that value, when all else has been loaded. Without the two, gen_save refuses objects.
 */
typedef struct GenProperty {
    const char *name;
    GenFn get; /* of self */
    GenFn set; /* of self and the value; NULL: read-only */
    const char *doc;
} GenProperty;

typedef struct GenTypeDef {    /* lives as long as the VM, with all that it points to */
    const char *name, *module; /* module: of __module__, NULL: builtins */
    size_t size;
    uint32_t slots;
    const GenFunction *construct;  /* "Point(cls, x, y)": makes the object of cls by gen_object_new;
                                      NULL: scripts cannot make one */
    const GenFunction *methods;    /* ends with {NULL}; may be NULL */
    const GenProperty *properties; /* ends with {NULL}; may be NULL */
    void (*finalize)(void *data);  /* before the memory goes; calls nothing of this API */
    const char *doc;
    /* Images. GEN_NULL, false: with an exception pending, which gen_save or gen_load ends with. The
     * state comes from outside: `load` looks at it as at any stranger's. */
    GenRef (*save)(GenVM *vm, GenRef object);
    bool (*load)(GenVM *vm, GenRef object, GenRef state);
    uint32_t version; /* of that state: images of another one are refused */
} GenTypeDef;

GEN_API GenRef gen_type_new(GenVM *vm, const GenTypeDef *def); /* the class */
GEN_API GenRef gen_object_new(GenVM *vm, GenRef cls);          /* of it or of a class derived */
/* The bytes of an object, as long as it lives; NULL with TypeError if it is not of that type. */
GEN_API void *gen_object_data(GenVM *vm, GenRef object, const GenTypeDef *def);
/* The values of its slots, 0 the first. GEN_NULL, false: TypeError if it is not of that type,
 * IndexError if it has no such slot. */
GEN_API GenRef gen_object_get(GenVM *vm, GenRef object, const GenTypeDef *def, uint32_t slot);
GEN_API bool gen_object_set(GenVM *vm, GenRef object, const GenTypeDef *def, uint32_t slot,
                            GenRef value);

#ifdef __cplusplus
}
#endif

#endif
