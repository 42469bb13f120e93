/* measure FILE COMMAND...: runs a command and writes to FILE what it took: its exit status (or
 * minus the signal), processor seconds, and peak resident kilobytes.
 *
 * A process starts with its parent's peak of memory as its own, since the kernel keeps the highest
 * figure over exec. So a small command measured from a large parent shows the parent's size; this
 * program is small, and the child that it forks is measured true. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double to_seconds(struct timeval t) {
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static int write_result(const char *path, int status, const struct rusage *usage) {
    FILE *file = fopen(path, "w");
    if (file == NULL) return -1;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    double seconds = to_seconds(usage->ru_utime) + to_seconds(usage->ru_stime);
    int written = fprintf(file, "%d %.6f %ld\n", code, seconds, usage->ru_maxrss);
    return fclose(file) != 0 || written < 0 ? -1 : 0;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: measure FILE COMMAND...\n");
        return 2;
    }
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || write_result(argv[1], status, &usage)) {
        perror("measure");
        return 2;
    }
    return 0;
}
