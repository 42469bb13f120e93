/* Debug builds name the function that was given NULL where there must be something. (Others do what
 * C does; a VM, a ref and the name of a source may be missing everywhere:
 * every_function_misused.c.)
 */
#define _POSIX_C_SOURCE 200809L
#include "genvm.h"
#include <stdio.h>

#ifdef GEN_DEBUG
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static GenVM *vm;
static int problems;

static void must_stop(const char *name, void (*call)(void)) {
    char words[1000] = "", begin[200];
    int ends[2], status;
    if (pipe(ends) != 0) return;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        call();
        _exit(0);
    }
    close(ends[1]);
    if (read(ends[0], words, sizeof words - 1) < 0) perror(name);
    close(ends[0]);
    waitpid(child, &status, 0);
    snprintf(begin, sizeof begin, "genvm: %s: NULL was given", name);
    if (!status || strncmp(words, begin, strlen(begin)) != 0)
        printf("%s: %s\n", name, words), problems++;
}

#define CALLS                                                                                      \
    CALL(gen_run_string, (vm, NULL, "x"))                                                          \
    CALL(gen_run_bytes, (vm, NULL, 1, "x"))                                                        \
    CALL(gen_run_interactive, (vm, NULL, 1, "x"))                                                  \
    CALL(gen_eval, (vm, NULL))                                                                     \
    CALL(gen_import, (vm, NULL))                                                                   \
    CALL(gen_str, (vm, NULL))                                                                      \
    CALL(gen_to_bool, (vm, gen_none(vm), NULL))                                                    \
    CALL(gen_to_int, (vm, gen_int(vm, 1), NULL))                                                   \
    CALL(gen_to_float, (vm, gen_int(vm, 1), NULL))                                                 \
    CALL(gen_to_bytes, (vm, gen_str(vm, ""), NULL))                                                \
    CALL(gen_len, (vm, gen_list(vm), NULL))                                                        \
    CALL(gen_get_attr, (vm, gen_list(vm), NULL))                                                   \
    CALL(gen_set_attr, (vm, gen_list(vm), NULL, gen_none(vm)))                                     \
    CALL(gen_delete_attr, (vm, gen_list(vm), NULL))                                                \
    CALL(gen_has_attr, (vm, gen_list(vm), NULL))                                                   \
    CALL(gen_get_global, (vm, NULL))                                                               \
    CALL(gen_set_global, (vm, NULL, gen_none(vm)))                                                 \
    CALL(gen_operate, (vm, gen_none(vm), NULL, gen_none(vm)))                                      \
    CALL(gen_next_item, (vm, gen_dict(vm), NULL, NULL, NULL))                                      \
    CALL(gen_call_method, (vm, gen_list(vm), NULL, 0, NULL))                                       \
    CALL(gen_next, (vm, gen_list(vm), NULL))                                                       \
    CALL(gen_send, (vm, gen_list(vm), gen_none(vm), NULL))                                         \
    CALL(gen_throw, (vm, gen_list(vm), gen_none(vm), NULL))                                        \
    CALL(gen_task_from_source, (vm, NULL, "x"))                                                    \
    CALL(gen_task_from_bytes, (vm, NULL, 1, "x"))                                                  \
    CALL(gen_task_ticket, (vm, gen_none(vm), 1, NULL))                                             \
    CALL(gen_task_frame, (vm, gen_none(vm), 0, NULL))                                              \
    CALL(gen_error_matches, (vm, NULL))                                                            \
    CALL(gen_raise, (vm, NULL, "x"))                                                               \
    CALL(gen_function, (vm, NULL))                                                                 \
    CALL(gen_register_module, (vm, NULL, NULL))                                                    \
    CALL(gen_type_new, (vm, NULL))                                                                 \
    CALL(gen_object_data, (vm, gen_none(vm), NULL))                                                \
    CALL(gen_object_get, (vm, gen_none(vm), NULL, 0))                                              \
    CALL(gen_object_set, (vm, gen_none(vm), NULL, 0, gen_none(vm)))

#define CALL(name, args)                                                                           \
    static void call_##name(void) {                                                                \
        (void)name args;                                                                           \
    }
CALLS
#undef CALL

static void try_all(void) {
    vm = gen_vm_new(NULL);
#define CALL(name, args) must_stop(#name, call_##name);
    CALLS
#undef CALL
    gen_vm_free(vm);
}
#else
static int problems;
static void try_all(void) {}
#endif

int main(void) {
    try_all();
    if (!problems) printf("each function that was given NULL is named\n");
    return problems != 0;
}
