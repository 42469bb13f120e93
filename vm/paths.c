/* paths.c - which files a script may touch. See paths.h. */
#include "vm/paths.h"
#include "vm/genvm.h"
#include "vm/memory.h"
#include "vm/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct PathRoot {
    char *path; /* resolved; "" for the root of the file system, else without a slash at its end */
    int use;    /* PathUse bits */
} PathRoot;

typedef struct KeptPlace { /* see path_keep */
    int fd;
    PathPlace place;
    char *name;
} KeptPlace;

struct PathRules {
    PathRoot *roots;
    size_t count;
    bool everywhere[PATH_WRITE + 1]; /* by PathUse: no roots were named */
    uint8_t *owned;                  /* a bit for each descriptor */
    size_t owned_size;
    KeptPlace *kept;
    size_t kept_count;
};

/* ---- the rules ---- */

static char *copy_text(GenVM *vm, const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = memory_new(vm, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

static bool put_root(GenVM *vm, const char *resolved, int use) {
    struct PathRules *rules = vm->path_rules;
    size_t size = (rules->count + 1) * sizeof *rules->roots;
    PathRoot *larger = memory_resize(vm, rules->roots, size);
    if (!larger) return false;
    rules->roots = larger;
    char *path = copy_text(vm, strcmp(resolved, "/") ? resolved : "");
    if (!path) return false;
    rules->roots[rules->count++] = (PathRoot){path, use};
    return true;
}

static bool add_root(GenVM *vm, const char *path, int use) {
    char *resolved = realpath(path, NULL);
    if (!resolved) return errno != ENOMEM;
    bool ok = put_root(vm, resolved, use);
    free(resolved);
    return ok;
}

static bool add_roots(GenVM *vm, const char *const *paths, int use) {
    vm->path_rules->everywhere[use] = !paths;
    for (; paths && *paths; paths++)
        if (!add_root(vm, *paths, use)) return false;
    return true;
}

static bool new_rules(GenVM *vm) {
    struct PathRules *rules = vm->path_rules = memory_new_zeroed(vm, 1, sizeof *rules);
    if (!rules) return false;
    rules->everywhere[PATH_READ] = rules->everywhere[PATH_WRITE] = true;
    return true;
}

bool paths_init(GenVM *vm, const char *const *read_roots, const char *const *write_roots) {
    if (!read_roots && !write_roots) return true;
    return new_rules(vm) && add_roots(vm, read_roots, PATH_READ) &&
           add_roots(vm, write_roots, PATH_WRITE);
}

static void drop_kept(struct PathRules *rules, size_t at) {
    path_leave(&rules->kept[at].place);
    memory_free(rules->kept[at].name);
    rules->kept[at] = rules->kept[--rules->kept_count];
}

void paths_free(GenVM *vm) {
    struct PathRules *rules = vm->path_rules;
    if (!rules) return;
    for (size_t i = 0; i < rules->count; i++)
        memory_free(rules->roots[i].path);
    while (rules->kept_count)
        drop_kept(rules, rules->kept_count - 1);
    memory_free(rules->kept);
    memory_free(rules->roots);
    memory_free(rules->owned);
    memory_free(rules);
}

bool paths_copy_roots(GenVM *vm, PathUse use, const char *const **roots) {
    struct PathRules *rules = vm->path_rules;
    *roots = NULL;
    if (!rules || rules->everywhere[use]) return true;
    char **list = calloc(rules->count + 1, sizeof *list);
    size_t count = 0;
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < rules->count; i++) {
        const char *path = rules->roots[i].path;
        if (rules->roots[i].use != (int)use) continue;
        list[count] = strdup(*path ? path : "/");
        ok = list[count++] != NULL;
    }
    *roots = (const char *const *)list;
    return ok;
}

void paths_free_roots(const char *const *roots) {
    for (size_t i = 0; roots && roots[i]; i++)
        free((char *)roots[i]);
    free((void *)roots);
}

Value path_refuse(GenVM *vm, const char *why, Value name) {
    Value text = str_from(vm, why);
    Value args = text == VALUE_ERROR   ? text
                 : name == VALUE_UNSET ? tuple_pack(vm, 2, int_value(EPERM), text)
                                       : tuple_pack(vm, 3, int_value(EPERM), text, name);
    return args == VALUE_ERROR ? args : raise_with_args(vm, EXC_PERMISSION_ERROR, args);
}

/* ---- where a path leads ---- */

/* The resolved folder that the last part of the path lies in, and that part. */
static char *resolve_parent(const char *path, const char **last) {
    const char *slash = strrchr(path, '/');
    *last = slash ? slash + 1 : path;
    if (!slash) return realpath(".", NULL);
    char *folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    char *resolved = folder ? realpath(folder, NULL) : NULL;
    free(folder);
    return resolved;
}

static char *join(const char *folder, const char *name) {
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path) {
        strcpy(path, strcmp(folder, "/") ? folder : "");
        strcat(path, "/");
        strcat(path, name);
    }
    return path;
}

static bool is_dots(const char *name) {
    return !*name || !strcmp(name, ".") || !strcmp(name, "..");
}

/* Where it leads, malloc'ed; NULL with errno. What does not exist yet is the place where it would
 * be made: a symbolic link to nowhere is none. */
static char *resolve(const char *path, bool link) {
    char *resolved = link ? NULL : realpath(path, NULL);
    if (resolved || (!link && errno != ENOENT)) return resolved;
    const char *last;
    char *folder = resolve_parent(path, &last), *whole = NULL;
    struct stat status;
    if (!folder) return NULL;
    if (is_dots(last)) {
        whole = link ? realpath(path, NULL) : (errno = ENOENT, NULL);
    } else if ((whole = join(folder, last)) && !link && lstat(whole, &status) == 0) {
        free(whole); /* the link to nowhere */
        whole = NULL;
        errno = EPERM;
    }
    free(folder);
    return whole;
}

/* Below which root with that use it lies; NULL: none. `path` is resolved. */
static const PathRoot *find_root(const struct PathRules *rules, const char *path, int use) {
    for (size_t i = 0; i < rules->count; i++) {
        const PathRoot *root = &rules->roots[i];
        size_t size = strlen(root->path);
        if ((root->use & use) && !strncmp(path, root->path, size) &&
            (path[size] == '/' || !path[size]))
            return root;
    }
    return NULL;
}

static bool is_below(const struct PathRules *rules, const char *path, int use) {
    for (int one = PATH_READ; one <= PATH_WRITE; one <<= 1)
        if ((use & one) && !rules->everywhere[one] && !find_root(rules, path, one)) return false;
    return true;
}

/* 0, or the errno that says why not: EPERM, or what kept it from being resolved. */
static int check(GenVM *vm, const char *path, int use, bool link) {
    char *resolved = resolve(path, link);
    if (!resolved)
        return errno == ENOMEM ? ENOMEM : EPERM; /* that it is not there is told nobody */
    bool ok = is_below(vm->path_rules, resolved, use);
    free(resolved);
    return ok ? 0 : EPERM;
}

static const char *describe(int use) {
    return use & PATH_WRITE ? "writing here is not granted to this virtual machine"
                            : "reading here is not granted to this virtual machine";
}

bool path_is_allowed(GenVM *vm, const char *path, int use) {
    return !vm->path_rules || check(vm, path, use, false) == 0;
}

bool path_check(GenVM *vm, const char *path, int use, bool link, Value name) {
    int number = vm->path_rules ? check(vm, path, use, link) : 0;
    if (number == ENOMEM) return raise_memory(vm), false;
    return !number || (path_refuse(vm, describe(use), name), false);
}

/* ---- opening ---- */

static int use_of(int flags) {
    int use = (flags & O_ACCMODE) == O_RDONLY ? PATH_READ
              : (flags & O_ACCMODE) == O_RDWR ? PATH_READ | PATH_WRITE
                                              : PATH_WRITE;
    return flags & (O_CREAT | O_TRUNC) ? use | PATH_WRITE : use;
}

/* Where the kernel has no openat2: part by part, none of which may be a link. */
static int walk_below(int folder, char *rest, int flags, mode_t mode) {
    int at = dup(folder);
    for (char *slash; at >= 0 && (slash = strchr(rest, '/')); rest = slash + 1) {
        *slash = 0;
        int next = openat(at, rest, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int number = errno;
        close(at);
        errno = number;
        at = next;
    }
    if (at < 0) return -1;
    int fd = openat(at, rest, flags | O_NOFOLLOW, mode);
    int number = errno;
    close(at);
    errno = number;
    return fd;
}

/* Below `root`; `rest` is resolved, so that a link in it has come there since. */
static int open_below(const char *root, const char *rest, int flags, mode_t mode) {
    int folder = open(*root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return -1;
    while (*rest == '/')
        rest++;
    char *copy = strdup(*rest ? rest : ".");
    struct open_how how = {.flags = (uint64_t)(unsigned)flags,
                           .mode = flags & O_CREAT ? mode : 0,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    int fd = copy ? (int)syscall(SYS_openat2, folder, copy, &how, sizeof how) : -1;
    if (copy && fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = walk_below(folder, copy, flags, mode);
    if (fd < 0 && (errno == EXDEV || (errno == ELOOP && !(flags & O_NOFOLLOW)))) errno = EPERM;
    int number = errno;
    free(copy);
    close(folder);
    errno = number;
    return fd;
}

/* One root with a use that is not granted everywhere; NULL: there is none. */
static const PathRoot *restricting_root(const struct PathRules *rules, const char *path, int use) {
    const PathRoot *root = NULL;
    for (int one = PATH_READ; one <= PATH_WRITE && !root; one <<= 1)
        if ((use & one) && !rules->everywhere[one]) root = find_root(rules, path, one);
    return root;
}

/* Opens the place itself, or the folder that it is an entry of. False: errno says why not. */
static bool hold_place(const PathRoot *root, char *resolved, bool link, PathPlace *place) {
    const char *last = "";
    char *rest = resolved + strlen(root->path);
    if (link && !*rest) return (place->path = place->text = strdup(resolved)) != NULL;
    if (link) {
        char *slash = strrchr(rest, '/');
        *slash = 0;
        last = slash + 1;
    }
    place->fd = open_below(root->path, rest, O_PATH | O_CLOEXEC | (link ? O_DIRECTORY : 0), 0);
    if (place->fd < 0) return errno == ENOENT ? (place->path = "", true) : false;
    if (asprintf(&place->text, "/proc/self/fd/%d%s%s", place->fd, link ? "/" : "", last) < 0) {
        place->text = NULL;
        path_leave(place);
        return errno = ENOMEM, false;
    }
    place->path = place->text;
    return true;
}

bool path_find(GenVM *vm, const char *path, int use, bool link, Value name, PathPlace *place) {
    *place = (PathPlace){path, NULL, -1};
    if (!vm->path_rules) return true;
    char *resolved = resolve(path, link);
    int number = resolved ? 0 : errno == ENOMEM ? ENOMEM : EPERM;
    if (resolved && !is_below(vm->path_rules, resolved, use)) number = EPERM;
    const PathRoot *root = number ? NULL : restricting_root(vm->path_rules, resolved, use);
    bool found = !number && (!root || hold_place(root, resolved, link, place));
    if (!number && !found) number = errno;
    free(resolved);
    if (number == ENOMEM) return raise_memory(vm), false;
    if (number == EPERM) return path_refuse(vm, describe(use), name), false;
    return found || (raise_os_error(vm, number, name), false);
}

void path_leave(PathPlace *place) {
    if (place->fd >= 0) close(place->fd);
    free(place->text);
    *place = (PathPlace){NULL, NULL, -1};
}

bool path_keep(GenVM *vm, int fd, PathPlace *place, const char *name) {
    struct PathRules *rules = vm->path_rules;
    char *copy = copy_text(vm, name);
    size_t size = (rules->kept_count + 1) * sizeof *rules->kept;
    KeptPlace *larger = copy ? memory_resize(vm, rules->kept, size) : NULL;
    if (!larger) {
        memory_free(copy);
        path_leave(place);
        return false;
    }
    rules->kept = larger;
    larger[rules->kept_count++] = (KeptPlace){fd, *place, copy};
    *place = (PathPlace){NULL, NULL, -1};
    return true;
}

const char *path_given_name(const GenVM *vm, const char *path) {
    const struct PathRules *rules = vm->path_rules;
    for (size_t i = 0; rules && i < rules->kept_count; i++)
        if (!strcmp(rules->kept[i].place.path, path)) return rules->kept[i].name;
    return NULL;
}

int path_open(GenVM *vm, const char *path, int flags, mode_t mode) {
    int use = use_of(flags), fd = -1;
    if (!vm->path_rules) {
        fd = open(path, flags, mode);
        path_own(vm, fd);
        return fd;
    }
    char *resolved = resolve(path, flags & O_NOFOLLOW);
    if (!resolved) return errno = EPERM, -1;
    const PathRoot *root = restricting_root(vm->path_rules, resolved, use);
    if (!is_below(vm->path_rules, resolved, use))
        errno = EPERM;
    else if (root)
        fd = open_below(root->path, resolved + strlen(root->path), flags, mode);
    else
        fd = open(resolved, flags | O_NOFOLLOW, mode);
    free(resolved);
    if (fd >= 0) path_own(vm, fd);
    return fd;
}

/* ---- descriptors ---- */

/* Notes are taken of descriptors where not all files are granted; false: they are not needed. */
static bool notes_descriptors(const GenVM *vm) {
    return vm->path_rules || !(vm->capabilities & GEN_CAP_FILES);
}

enum { FEW_DESCRIPTORS = 24, LOOKING = UINT32_MAX };

/* How many may be open before garbage is looked for again: in time before the system refuses more.
 */
static uint32_t next_most(uint32_t open) {
    struct rlimit limit;
    uint32_t most = 2 * open + FEW_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / 4 * 3 >= most) return most;
    uint32_t room = (uint32_t)limit.rlim_cur, early = room / 4 * 3;
    uint32_t half = open < room ? open + (room - open) / 2 : open;
    return half + 4 > early ? half + 4 : early;
}

static void count_opened(GenVM *vm) {
    vm->descriptors++;
    if (!vm->descriptors_most) vm->descriptors_most = FEW_DESCRIPTORS;
    if (vm->descriptors_most == LOOKING && !(vm->poll & POLL_GC_FULL) && !vm->pending_count)
        vm->descriptors_most = next_most(vm->descriptors); /* the others are closed now */
    if (vm->descriptors < vm->descriptors_most) return;
    vm->poll |= POLL_GC | POLL_GC_FULL;
    vm->descriptors_most = LOOKING;
}

void path_own(GenVM *vm, int fd) {
    if (fd >= 0) count_opened(vm);
    if (!notes_descriptors(vm) || fd < 0 || (!vm->path_rules && !new_rules(vm))) return;
    struct PathRules *rules = vm->path_rules;
    size_t at = (size_t)fd / 8;
    if (at >= rules->owned_size) {
        size_t size = at * 2 + 16;
        uint8_t *larger = memory_resize(vm, rules->owned, size);
        if (!larger) return; /* then it is not to be used by its number */
        memset(larger + rules->owned_size, 0, size - rules->owned_size);
        rules->owned = larger;
        rules->owned_size = size;
    }
    rules->owned[at] |= (uint8_t)(1 << fd % 8);
}

void path_disown(GenVM *vm, int fd) {
    struct PathRules *rules = vm->path_rules;
    if (fd >= 0 && vm->descriptors) vm->descriptors--;
    if (rules && fd >= 0 && (size_t)fd / 8 < rules->owned_size)
        rules->owned[fd / 8] &= (uint8_t) ~(1 << fd % 8);
    for (size_t i = rules ? rules->kept_count : 0; i-- > 0;)
        if (rules->kept[i].fd == fd) drop_kept(rules, i);
}

bool path_has_opened(const GenVM *vm, int64_t fd) {
    const struct PathRules *rules = vm->path_rules;
    return rules && fd >= 0 && (uint64_t)fd / 8 < rules->owned_size &&
           rules->owned[fd / 8] >> fd % 8 & 1;
}

static bool is_owned(const GenVM *vm, int64_t fd) {
    return !notes_descriptors(vm) || path_has_opened(vm, fd);
}

bool path_may_use_descriptor(GenVM *vm, int64_t fd) {
    return is_owned(vm, fd) || (fd >= 0 && fd <= 2 && vm->capabilities & GEN_CAP_STDIO);
}

bool path_check_descriptor(GenVM *vm, int64_t fd) {
    if (is_owned(vm, fd)) return true;
    path_refuse(vm, "this virtual machine has not opened the descriptor", VALUE_UNSET);
    return false;
}
