/* The memory budget covers what libraries take for a script, too: PCRE2 for a match, zlib for its
 * streams. What does not fit is refused, and what is given up counts no more. */
#include "genvm.h"

#include <stdio.h>

/* Without OpenSSL there is no such hash. */
static const char hashes[] = "try:\n    from hashlib import sha256 as make\n"
                             "except ImportError:\n    make = lambda: bytearray(512)\n"
                             "x = [make() for _ in range(100000)]\n";

/* The certificates of the system, of which there may be few: then contexts themselves are too much.
 */
static const char contexts[] =
    "try:\n    from ssl import create_default_context as make\n"
    "    many = make().cert_store_stats()['x509'] > 100\n"
    "except ImportError:\n    make, many = lambda: bytearray(16384), False\n"
    "x = [make() for _ in range(20 if many else 2000)]\n";

static void run(const char *what, const char *source, uint64_t budget) {
    GenConfig config = {.size = sizeof config, .capabilities = GEN_CAP_FILES | GEN_CAP_NET};
    GenVM *vm = gen_vm_new(&config);
    gen_run_string(vm, "import bz2, lzma, re, zlib", "setup");
    GenRef task = gen_task_from_source(vm, source, "task");
    gen_task_set_budget(vm, task, GEN_BUDGET_MEMORY, budget);
    GenOutcome outcome;
    GenStatus status = gen_run(vm, task, &outcome);
    bool within = gen_task_spent(vm, task, GEN_BUDGET_MEMORY) < 2 * budget;
    if (status == GEN_ERROR)
        printf("%s: %s, %d\n", what,
               gen_error_matches(vm, "MemoryError") ? "MemoryError" : gen_error_text(vm), within);
    else
        printf("%s: %s, %d\n", what,
               status == GEN_BUDGET && outcome.budget == GEN_BUDGET_MEMORY ? "the budget is spent"
               : status == GEN_DONE                                        ? "done"
                                                                           : "?",
               within);
    gen_error_clear(vm);
    printf("after it: %d\n", gen_run_string(vm, "x = re.match('a', 'a')", "after"));
    gen_vm_free(vm);
}

int main(void) {
    run("a match that remembers much", "re.match('(?:(a|b))*?c', 'ab' * 400000)", 8 << 20);
    run("the same with more", "re.match('(?:(a|b))*?c', 'ab' * 10000)", 64 << 20);
    run("streams kept", "x = [zlib.compressobj() for _ in range(100)]", 4 << 20);
    run("numbers multiplied", "x = (1 << 8000000) - 1\nx = x * x", 8 << 20);
    run("patterns kept", "x = [re.compile('(?:a|b)*c%d' % i * 40) for i in range(2000)]", 6 << 20);
    run("hashes kept", hashes, 24 << 20);
    run("certificates kept", contexts, 12 << 20);
    run("streams given up", "for _ in range(100): zlib.compressobj()", 8 << 20);
    run("bzip2 kept", "x = [bz2.BZ2Compressor() for _ in range(10)]", 16 << 20);
    run("bzip2 given up", "for _ in range(10): bz2.BZ2Compressor(1)", 16 << 20);
    run("lzma that is too large", "lzma.LZMACompressor(preset=9)", 64 << 20);
    run("lzma given up", "for _ in range(10): lzma.LZMACompressor(preset=0)", 32 << 20);
    return 0;
}
