/* Images damaged in every place in turn, by the list instead of by chance: what image.c draws, this
 * program tries out. Each byte of each image is set to every other value that is of interest: its
 * neighbours, its bits turned, the least and the greatest, what another kind of value begins with;
 * taken out; doubled. When all images are through, each number of theirs becomes a reference to
 * every record, every constant, and numbers at the edges of their widths. What is made of an image
 * is loaded and used as in image.c.
 *
 *     make fuzz-every-byte [IMAGES='FILE...']
 *
 * The work is done in a child process, which writes down where it is: one that dies leaves its
 * image in build/fuzz/every-byte-N, and the next goes on behind it. */
#include "image.c"
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORDS_MOST = 60, SECONDS_EACH = 30, USES_MOST = 200 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most) {
    return (void)data, (void)most, size; /* the fuzzer's own is not linked */
}

typedef struct Place { /* shared with the child: what it is at */
    uint64_t done;
    uint8_t image[SIZE_MOST];
    size_t size;
} Place;

typedef struct Work {
    const uint8_t *image;
    size_t size;
    uint64_t skip; /* so many have been done by those before */
    Place *place;
    uint64_t count;
    GenVM *vm; /* that has refused all it was given */
    int uses;
} Work;

/* `count` bytes at `at` give way to `with` others. */
static void try(Work *work, size_t at, size_t count, const uint8_t *bytes, size_t with) {
    Place *place = work->place;
    if (work->count++ < work->skip) return;
    memcpy(place->image, work->image, work->size);
    place->size = replace(place->image, work->size, SIZE_MOST, at, count, bytes, with);
    place->done = work->count;
    alarm(SECONDS_EACH);
    if (!work->vm || ++work->uses == USES_MOST) {
        if (work->vm) drop_vm(work->vm);
        work->vm = new_vm();
        work->uses = 0;
    }
    if (!feed(work->vm, place->image, place->size)) return;
    drop_vm(work->vm);
    work->vm = NULL;
}

static void try_bytes(Work *work, size_t at) {
    uint8_t old = work->image[at];
    bool tried[256] = {false};
    tried[old] = true;
    const uint8_t values[] = {
        0, 1, 2, 3, 4, 6, 10, 0x7f, 0x80, 0xff, work->image[at - 1], work->image[at + 1]};
    static const int distances[] = {1, -1, 2, 4, -4, 8, 16, -16};
    uint8_t all[sizeof values + sizeof distances / sizeof *distances + 8];
    size_t count = 0;
    for (size_t i = 0; i < sizeof values; i++)
        all[count++] = values[i];
    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++)
        all[count++] = (uint8_t)(old + distances[i]);
    for (int bit = 0; bit < 8; bit++)
        all[count++] = (uint8_t)(old ^ 1 << bit);
    for (size_t i = 0; i < count; i++) {
        if (tried[all[i]]) continue;
        tried[all[i]] = true;
        try(work, at, 1, &all[i], 1);
    }
    const uint8_t twice[] = {old, old};
    try(work, at, 1, NULL, 0);
    try(work, at, 1, twice, 2);
}

static void try_number(Work *work, size_t at, size_t width, uint64_t number) {
    uint8_t bytes[10];
    size_t with = 0;
    for (;; number >>= 7) {
        bytes[with++] = (uint8_t)(number | (number >= 128 ? 128 : 0));
        if (number < 128) break;
    }
    if (with != width || memcmp(bytes, work->image + at, width) != 0)
        try(work, at, width, bytes, with);
}

static void try_numbers(Work *work, size_t at) {
    size_t width = number_size(work->image + at, work->size - TAIL - at);
    for (uint64_t constant = 0; constant < 7; constant++)
        try_number(work, at, width, constant << 2 | 2);
    for (uint64_t record = 0; record < RECORDS_MOST; record++)
        try_number(work, at, width, record << 2);
    for (int bits = 6; bits <= 64; bits += bits < 34 ? 7 : 10) {
        uint64_t power = bits < 64 ? (uint64_t)1 << bits : 0;
        try_number(work, at, width, power);
        try_number(work, at, width, power - 1);
    }
}

static void work_on(Work *work, bool numbers) {
    for (size_t at = HEAD; at < work->size - TAIL; at++)
        if (numbers)
            try_numbers(work, at);
        else
            try_bytes(work, at);
    work->place->done = UINT64_MAX;
}

static void keep(const Place *place, int number) {
    char path[64];
    snprintf(path, sizeof path, "build/fuzz/every-byte-%d-%d", (int)getpid(), number);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(place->image, 1, place->size, file) != place->size) perror(path);
    if (file) fclose(file);
    printf("    it died of %s\n", path);
}

/* True when nothing was found. */
static bool damage(const char *path, Place *place, bool numbers) {
    static uint8_t image[SIZE_MOST + 1];
    static int found;
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(image, 1, sizeof image, file) : 0;
    if (file) fclose(file);
    if (size <= HEAD + TAIL || size > SIZE_MOST - 16) return fprintf(stderr, "%s?\n", path), false;
    int before = found;
    Work work = {.image = image, .size = size, .place = place};
    for (place->done = 0; place->done != UINT64_MAX; work.skip = place->done) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            work_on(&work, numbers);
            _exit(0);
        }
        int status = -1;
        if (child < 0 || waitpid(child, &status, 0) < 0) return perror("fork"), false;
        if (status != 0) keep(place, found++);
    }
    printf("%s, %s: %d found\n", path, numbers ? "numbers" : "bytes", found - before);
    return found == before;
}

int main(int argc, char **argv) {
    Place *place =
        mmap(NULL, sizeof *place, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) return perror("mmap"), 2;
    bool ok = true;
    for (int numbers = 0; numbers < 2; numbers++)
        for (int i = 1; i < argc; i++)
            ok &= damage(argv[i], place, numbers);
    return !ok;
}
