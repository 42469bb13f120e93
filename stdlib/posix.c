/* posix.c - the module posix, on which stdlib/os.gen rests: files and folders by path.
 *
 * Paths are str or bytes; other objects are asked for their __fspath__ by a twin, which then makes
 * the call again. Before the file system is looked at, what open files hold back is written
 * (file_sync), since a script may have dropped a file without closing it.
 */
#include "stdlib/posix.h"
#include "vm/bind.h"
#include "vm/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <linux/limits.h>
#include <unistd.h>

/* ---- shared ---- */

bool posix_may_use_files(GenVM *vm, Value path) {
    if (vm->capabilities & GEN_CAP_FILES) return true;
    path_refuse(vm, "this virtual machine has no access to files", path);
    return false;
}

static bool is_whole(GenVM *vm, Value path) {
    const uint8_t *data;
    size_t size = 0;
    if (value_is_str(path)) return !memchr(AS_STR(path)->data, 0, AS_STR(path)->size);
    return bytes_view(vm, path, &data, &size) && !memchr(data, 0, size);
}

const char *posix_path(GenVM *vm, Value *args, int count, int index, const char *what,
                       const char *more, Value *result) {
    Value path = args[index];
    *result = VALUE_ERROR;
    if (value_is_str(path) || is_kind(path, TYPE_BYTES)) {
        if (!posix_may_use_files(vm, path)) return NULL;
        file_sync(vm, true);
        if (is_whole(vm, path)) return file_path(vm, path);
        const char *end = strchr(what, ':');
        raise_value(vm, "%.*s: embedded null character in %s", (int)(end - what), what, end + 2);
        return NULL;
    }
    Value message = str_format(vm, "%s should be string, bytes%s, not %T", what, more, path);
    Value bound = tuple_from_array(vm, args, (uint64_t)count);
    if (message == VALUE_ERROR || bound == VALUE_ERROR) return NULL;
    *result = native_twin(vm, TWIN_FILE_PATH, 4, object_value(vm->callee), bound, int_value(index),
                          message);
    return NULL;
}

Value posix_raise(GenVM *vm, Value path) {
    return raise_os_error(vm, errno, path);
}

Value posix_raise_two(GenVM *vm, Value from, Value to) {
    int number = errno;
    char buffer[128];
    Value text = str_from(vm, strerror_r(number, buffer, sizeof buffer));
    Value args = text == VALUE_ERROR
                     ? text
                     : tuple_pack(vm, 5, int_value(number), text, from, VALUE_NONE, to);
    return args == VALUE_ERROR ? args : raise_with_args(vm, os_error_class(number), args);
}

bool posix_interrupted(GenVM *vm) {
    return !vm->interrupted || vm_poll_native(vm);
}

static const char PATH_LIKE[] = " or os.PathLike", PATH_LIKE_INT[] = ", os.PathLike or integer",
                  PATH_LIKE_INT_NONE[] = ", os.PathLike, integer or None";

/* ---- where a path leads ---- */

/* What a function of one path does with it. */
typedef struct Want {
    const char *what; /* "stat: path" */
    const char *more; /* see posix_path; it tells whether a descriptor will do as well */
    int count;        /* of the native's arguments */
    int use;          /* PathUse bits */
    bool link;        /* the entry itself is meant, even if it is a symbolic link */
} Want;

/* One path, for the system, and what keeps it: released at the end of the function that has it. */
typedef struct Place {
    PathPlace found;
    char *joined; /* below a dir_fd */
    Value unfit;  /* what to return where there is none */
} Place;

static void leave_place(Place *place) {
    path_leave(&place->found);
    free(place->joined);
}
#define PLACE __attribute__((cleanup(leave_place))) Place

/* A descriptor that is open and the VM's. False with OSError, of `name`. */
static bool take_descriptor(GenVM *vm, Value v, Value name, int *fd) {
    int64_t number;
    if (!int_to_i64(v, &number) || number > INT32_MAX || number < INT32_MIN)
        return raise_overflow(vm, "fd is %s than %simum", int_sign(v) < 0 ? "less" : "greater",
                              int_sign(v) < 0 ? "min" : "max"),
               false;
    *fd = (int)number;
    if (!path_check_descriptor(vm, number)) return false;
    return fcntl(*fd, F_GETFD) >= 0 || (posix_raise(vm, name), false);
}

static const char *path_of_descriptor(GenVM *vm, Value v, int use, Place *place) {
    int fd;
    if (!posix_may_use_files(vm, v) || !take_descriptor(vm, v, v, &fd)) return NULL;
    file_sync(vm, true);
    if (asprintf(&place->joined, "/proc/self/fd/%d", fd) < 0) {
        place->joined = NULL;
        return raise_memory(vm), NULL;
    }
    if (!(use & PATH_WRITE)) return place->joined; /* what is open already may be looked at */
    bool ok = path_find(vm, place->joined, use, false, v, &place->found);
    return ok ? place->found.path : NULL;
}

const char *posix_below(GenVM *vm, Value folder, const char *path, Value name, char **joined) {
    int fd;
    if (folder == VALUE_NONE) return path;
    if (!value_is_intlike(folder))
        return raise_type(vm, "argument should be integer or None, not %T", folder), NULL;
    if (*path == '/' || !*path) return path;
    if (!take_descriptor(vm, folder, name, &fd)) return NULL;
    if (asprintf(joined, "/proc/self/fd/%d/%s", fd, path) >= 0) return *joined;
    *joined = NULL;
    return raise_memory(vm), NULL;
}

void posix_forget(char *joined) {
    free(joined);
}

/* args[index], seen from `folder`, a dir_fd or None. NULL: return place->unfit. */
static const char *find_place(GenVM *vm, Value *args, int index, const Want *want, Value folder,
                              Place *place) {
    *place = (Place){{NULL, NULL, -1}, NULL, VALUE_ERROR};
    if (value_is_intlike(args[index]) && want->more != PATH_LIKE) {
        if (folder == VALUE_NONE) return path_of_descriptor(vm, args[index], want->use, place);
        int end = (int)strcspn(want->what, ":");
        raise_value(vm, "%.*s: can't specify dir_fd without matching path", end, want->what);
        return NULL;
    }
    const char *path =
        posix_path(vm, args, want->count, index, want->what, want->more, &place->unfit);
    if (path) path = posix_below(vm, folder, path, args[index], &place->joined);
    if (!path || !path_find(vm, path, want->use, want->link, args[index], &place->found))
        return NULL;
    return place->found.path;
}

/* The usual beginning of a function of one path. */
#define TAKE(count, what, more, use, link, folder)                                                 \
    PLACE place;                                                                                   \
    const char *path =                                                                             \
        find_place(vm, args, 0, &(Want){what, more, count, use, link}, folder, &place);            \
    if (!path) return place.unfit
/* What it leads to is read; is written; the entry in its folder is changed. */
#define TAKE_PATH(count, what, more) TAKE(count, what, more, PATH_READ, false, VALUE_NONE)
#define TAKE_TARGET(count, what, more, folder) TAKE(count, what, more, PATH_WRITE, false, folder)
#define TAKE_ENTRY(count, what, more, folder) TAKE(count, what, more, PATH_WRITE, true, folder)

/* False with ValueError: a descriptor is no link. */
static bool may_follow(GenVM *vm, const char *what, Value path, bool follow) {
    if (follow || !value_is_intlike(path)) return true;
    raise_value(vm, "%s: cannot use fd and follow_symlinks together", what);
    return false;
}

static Value text_like(GenVM *vm, Value like, const char *text) {
    return is_kind(like, TYPE_BYTES) ? bytes_new(vm, text, strlen(text)) : file_path_text(vm, text);
}

/* ---- stat ---- */

static Value seconds(GenVM *vm, struct timespec time) {
    return float_value(vm, (double)time.tv_sec + 1e-9 * (double)time.tv_nsec);
}

static Value nanoseconds(GenVM *vm, struct timespec time) {
    return int_from_i64(vm, (int64_t)time.tv_sec * 1000000000 + time.tv_nsec);
}

/* A plain tuple, for os.stat_result. */
static Value stat_tuple(GenVM *vm, const struct stat *status) {
    Value fields[] = {
        int_value((int64_t)status->st_mode),
        int_from_u64(vm, status->st_ino),
        int_from_u64(vm, status->st_dev),
        int_value((int64_t)status->st_nlink),
        int_value((int64_t)status->st_uid),
        int_value((int64_t)status->st_gid),
        int_from_i64(vm, status->st_size),
        int_value((int64_t)status->st_atim.tv_sec),
        int_value((int64_t)status->st_mtim.tv_sec),
        int_value((int64_t)status->st_ctim.tv_sec),
        seconds(vm, status->st_atim),
        seconds(vm, status->st_mtim),
        seconds(vm, status->st_ctim),
        nanoseconds(vm, status->st_atim),
        nanoseconds(vm, status->st_mtim),
        nanoseconds(vm, status->st_ctim),
        int_value((int64_t)status->st_blksize),
        int_value((int64_t)status->st_blocks),
        int_from_u64(vm, status->st_rdev),
    };
    return tuple_from_array(vm, fields, sizeof fields / sizeof *fields);
}

static Value stat_any(GenVM *vm, Value *args) {
    struct stat status;
    bool follow = args[1] == VALUE_TRUE;
    if (!may_follow(vm, "stat", args[0], follow)) return VALUE_ERROR;
    TAKE(3, "stat: path", PATH_LIKE_INT, PATH_READ, !follow, args[2]);
    int failed = follow ? stat(path, &status) : lstat(path, &status);
    return failed ? posix_raise(vm, args[0]) : stat_tuple(vm, &status);
}

static Value lstat_path(GenVM *vm, Value *args) {
    struct stat status;
    TAKE(2, "lstat: path", PATH_LIKE, PATH_READ, true, args[1]);
    return lstat(path, &status) != 0 ? posix_raise(vm, args[0]) : stat_tuple(vm, &status);
}

/* The type bits of a path's mode, 0 when there is nothing: what exists(), isfile(), ... ask for. */
static Value kind_of(GenVM *vm, Value *args) {
    struct stat status;
    int failed;
    if (value_is_intlike(args[0])) {
        int64_t fd;
        if (!posix_may_use_files(vm, args[0])) return VALUE_ERROR;
        if (!int_to_i64(args[0], &fd)) fd = -1;
        if (!path_check_descriptor(vm, fd)) return VALUE_ERROR;
        failed = fstat((int)fd, &status);
    } else {
        Value unfit;
        const char *path = posix_path(vm, args, 2, 0, "stat: path", PATH_LIKE_INT, &unfit);
        PathPlace place;
        if (!path && unfit == VALUE_ERROR && error_matches(vm, EXC_VALUE_ERROR)) {
            error_clear(vm); /* a NUL in it: there is no such file */
            return int_value(0);
        }
        if (!path) return unfit;
        if (!path_find(vm, path, PATH_READ, args[1] != VALUE_TRUE, args[0], &place)) {
            if (error_matches(vm, EXC_OS_ERROR)) return error_clear(vm), int_value(0);
            return VALUE_ERROR;
        }
        failed = args[1] == VALUE_TRUE ? stat(place.path, &status) : lstat(place.path, &status);
        path_leave(&place);
    }
    return int_value(failed ? 0 : (int64_t)(status.st_mode & S_IFMT));
}

static Value statvfs_tuple(GenVM *vm, const struct statvfs *status) {
    uint64_t values[] = {status->f_bsize,  status->f_frsize, status->f_blocks, status->f_bfree,
                         status->f_bavail, status->f_files,  status->f_ffree,  status->f_favail,
                         status->f_flag,   status->f_namemax};
    Value tuple = tuple_new(vm, 10);
    for (int i = 0; tuple != VALUE_ERROR && i < 10; i++)
        if ((AS_TUPLE(tuple)->items[i] = int_from_u64(vm, values[i])) == VALUE_ERROR)
            return VALUE_ERROR;
    return tuple;
}

static Value statvfs_any(GenVM *vm, Value *args) {
    struct statvfs status;
    TAKE_PATH(1, "statvfs: path", PATH_LIKE_INT);
    return statvfs(path, &status) == 0 ? statvfs_tuple(vm, &status) : posix_raise(vm, args[0]);
}

static Value fstatvfs_any(GenVM *vm, Value *args) {
    struct statvfs status;
    if (!posix_may_use_descriptor(vm, as_int(args[0]))) return VALUE_ERROR;
    if (fstatvfs((int)as_int(args[0]), &status) != 0) return posix_raise(vm, VALUE_UNSET);
    return statvfs_tuple(vm, &status);
}

/* (path, mode, dir_fd, effective_ids, follow_symlinks) */
static Value access_any(GenVM *vm, Value *args) {
    bool follow = args[4] == VALUE_TRUE;
    TAKE(5, "access: path", PATH_LIKE_INT, PATH_READ, !follow, args[2]);
    int flags = (args[3] == VALUE_TRUE ? AT_EACCESS : 0) | (follow ? 0 : AT_SYMLINK_NOFOLLOW);
    return bool_value(faccessat(AT_FDCWD, path, (int)as_int(args[1]), flags) == 0);
}

/* ---- folders ---- */

static bool is_dots(const char *name) {
    return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* list of names, or of (name, type, inode) */
static Value read_folder(GenVM *vm, Value path_value, const char *path, bool with_types) {
    DIR *folder = opendir(path);
    if (!folder) return posix_raise(vm, path_value);
    Value list = list_new(vm, 0);
    struct dirent *entry;
    while (list != VALUE_ERROR && (errno = 0, entry = readdir(folder))) {
        if (is_dots(entry->d_name)) continue;
        Value item = text_like(vm, path_value, entry->d_name);
        if (with_types && item != VALUE_ERROR)
            item =
                tuple_pack(vm, 3, item, int_value(entry->d_type), int_from_u64(vm, entry->d_ino));
        if (item == VALUE_ERROR || !list_append(vm, list, item)) list = VALUE_ERROR;
    }
    int number = list == VALUE_ERROR ? 0 : errno;
    closedir(folder);
    return number ? raise_os_error(vm, number, path_value) : list;
}

static Value list_folder(GenVM *vm, Value *args, const char *what, bool with_types) {
    if (args[0] == VALUE_NONE) args[0] = vm->characters['.'];
    TAKE_PATH(1, what, PATH_LIKE_INT_NONE);
    return read_folder(vm, args[0], path, with_types);
}

static Value posix_listdir(GenVM *vm, Value *args) {
    return list_folder(vm, args, "listdir: path", false);
}
static Value posix_scandir(GenVM *vm, Value *args) {
    return list_folder(vm, args, "scandir: path", true);
}

static Value posix_getcwd(GenVM *vm, Value *args) {
    (void)args;
    if (!posix_may_use_files(vm, VALUE_NONE)) return VALUE_ERROR;
    if (!path_check(vm, ".", PATH_READ, false, VALUE_UNSET)) return VALUE_ERROR;
    char *path = getcwd(NULL, 0);
    if (!path) return posix_raise(vm, VALUE_UNSET);
    Value text = file_path_text(vm, path);
    free(path);
    return text;
}

/* The current folder is the whole process's: of all its VMs and of the host. */
static Value posix_chdir(GenVM *vm, Value *args) {
    TAKE_PATH(1, "chdir: path", PATH_LIKE_INT);
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    return chdir(path) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

static Value posix_mkdir(GenVM *vm, Value *args) {
    TAKE_ENTRY(3, "mkdir: path", PATH_LIKE, args[2]);
    return mkdir(path, (mode_t)as_int(args[1])) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

static Value posix_rmdir(GenVM *vm, Value *args) {
    TAKE_ENTRY(2, "rmdir: path", PATH_LIKE, args[1]);
    return rmdir(path) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

/* ---- files ---- */

static Value unlink_as(GenVM *vm, Value *args, const char *what) {
    TAKE_ENTRY(2, what, PATH_LIKE, args[1]);
    return unlink(path) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}
static Value posix_unlink(GenVM *vm, Value *args) {
    return unlink_as(vm, args, "unlink: path");
}
static Value posix_remove(GenVM *vm, Value *args) {
    return unlink_as(vm, args, "remove: path");
}

typedef int TwoPaths(const char *from, const char *to);

/* The names of a call of two paths, "rename: src", "rename: dst", and where its dir_fds are. */
typedef struct TwoWants {
    const char *first, *second;
    int count, first_folder, second_folder;
} TwoWants;

static Value with_two(GenVM *vm, Value *args, const TwoWants *wants, TwoPaths *call) {
    PLACE source, target;
    Want entry = {wants->first, PATH_LIKE, wants->count, PATH_READ | PATH_WRITE, true};
    const char *from = find_place(vm, args, 0, &entry, args[wants->first_folder], &source);
    target = (Place){{NULL, NULL, -1}, NULL, VALUE_ERROR};
    if (!from) return source.unfit;
    entry.what = wants->second;
    entry.use = PATH_WRITE;
    const char *to = find_place(vm, args, 1, &entry, args[wants->second_folder], &target);
    if (!to) return target.unfit;
    return call(from, to) == 0 ? VALUE_NONE : posix_raise_two(vm, args[0], args[1]);
}

static Value posix_rename(GenVM *vm, Value *args) {
    return with_two(vm, args, &(TwoWants){"rename: src", "rename: dst", 4, 2, 3}, rename);
}
static Value posix_replace(GenVM *vm, Value *args) {
    return with_two(vm, args, &(TwoWants){"replace: src", "replace: dst", 4, 2, 3}, rename);
}

static int link_following(const char *from, const char *to) {
    return linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW);
}

/* That a link is followed could lead anywhere, and is refused where not all files are granted. */
static Value posix_link(GenVM *vm, Value *args) {
    bool follow = args[4] == VALUE_TRUE && !vm->path_rules;
    return with_two(vm, args, &(TwoWants){"link: src", "link: dst", 5, 2, 3},
                    follow ? link_following : link);
}

/* The first is what the link says, not a place. */
static Value posix_symlink(GenVM *vm, Value *args) {
    Value unfit;
    const char *from = posix_path(vm, args, 4, 0, "symlink: src", PATH_LIKE, &unfit);
    if (!from) return unfit;
    PLACE place;
    Want entry = {"symlink: dst", PATH_LIKE, 4, PATH_WRITE, true};
    const char *to = find_place(vm, args, 1, &entry, args[3], &place);
    if (!to) return place.unfit;
    return symlink(from, to) == 0 ? VALUE_NONE : posix_raise_two(vm, args[0], args[1]);
}

static Value posix_readlink(GenVM *vm, Value *args) {
    TAKE(2, "readlink: path", PATH_LIKE, PATH_READ, true, args[1]);
    char target[4096];
    ssize_t size = readlink(path, target, sizeof target - 1);
    if (size < 0) return posix_raise(vm, args[0]);
    target[size] = 0;
    return text_like(vm, args[0], target);
}

static Value posix_realpath(GenVM *vm, Value *args) {
    TAKE_PATH(1, "realpath: path", PATH_LIKE);
    char *target = realpath(path, NULL);
    if (!target) return posix_raise(vm, args[0]);
    Value text = text_like(vm, args[0], target);
    free(target);
    return text;
}

static Value posix_chmod(GenVM *vm, Value *args) {
    bool follow = args[3] == VALUE_TRUE;
    if (!may_follow(vm, "chmod", args[0], follow)) return VALUE_ERROR;
    TAKE(4, "chmod: path", PATH_LIKE_INT, PATH_WRITE, !follow, args[2]);
    int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
    int status = fchmodat(AT_FDCWD, path, (mode_t)as_int(args[1]), flags);
    if (status != 0 && !follow && (errno == ENOTSUP || errno == ENOSYS))
        return raise_error(vm, EXC_NOT_IMPLEMENTED_ERROR,
                           "chmod: follow_symlinks unavailable on this platform");
    return status == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

static Value posix_chown(GenVM *vm, Value *args) {
    bool follow = args[4] == VALUE_TRUE;
    if (!may_follow(vm, "chown", args[0], follow)) return VALUE_ERROR;
    TAKE(5, "chown: path", PATH_LIKE_INT, PATH_WRITE, !follow, args[3]);
    int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
    uid_t uid = (uid_t)as_int(args[1]);
    gid_t gid = (gid_t)as_int(args[2]);
    return fchownat(AT_FDCWD, path, uid, gid, flags) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

static Value posix_lchown(GenVM *vm, Value *args) {
    TAKE_ENTRY(3, "lchown: path", PATH_LIKE, VALUE_NONE);
    int status = lchown(path, (uid_t)as_int(args[1]), (gid_t)as_int(args[2]));
    return status == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

static Value posix_mkfifo(GenVM *vm, Value *args) {
    TAKE_ENTRY(3, "mkfifo: path", PATH_LIKE, args[2]);
    return mkfifo(path, (mode_t)as_int(args[1])) == 0 ? VALUE_NONE : posix_raise(vm, VALUE_UNSET);
}

static Value posix_mknod(GenVM *vm, Value *args) {
    TAKE_ENTRY(4, "mknod: path", PATH_LIKE, args[3]);
    int status = mknod(path, (mode_t)as_int(args[1]), (dev_t)as_int(args[2]));
    return status == 0 ? VALUE_NONE : posix_raise(vm, VALUE_UNSET);
}

/* ---- extended attributes ---- */

static Value attribute_bytes(GenVM *vm, Value path_value, const char *path, const char *name,
                             bool follow) {
    for (size_t room = 256; room <= XATTR_SIZE_MAX; room = XATTR_SIZE_MAX) {
        Value space = bytes_new(vm, NULL, room);
        if (space == VALUE_ERROR) return VALUE_ERROR;
        Bytes *bytes = AS(Bytes, space);
        ssize_t size = follow ? getxattr(path, name, bytes->data, room)
                              : lgetxattr(path, name, bytes->data, room);
        if (size >= 0) return bytes_new(vm, bytes->data, (size_t)size);
        if (errno != ERANGE || room == XATTR_SIZE_MAX) break;
    }
    return posix_raise(vm, path_value);
}

static Value posix_getxattr(GenVM *vm, Value *args) {
    TAKE(3, "getxattr: path", PATH_LIKE_INT, PATH_READ, args[2] != VALUE_TRUE, VALUE_NONE);
    Value unfit_name;
    const char *name = posix_path(vm, args, 3, 1, "getxattr: attribute", PATH_LIKE, &unfit_name);
    return name ? attribute_bytes(vm, args[0], path, name, args[2] == VALUE_TRUE) : unfit_name;
}

static Value posix_setxattr(GenVM *vm, Value *args) {
    TAKE(5, "setxattr: path", PATH_LIKE_INT, PATH_WRITE, args[4] != VALUE_TRUE, VALUE_NONE);
    Value unfit_name;
    const char *name = posix_path(vm, args, 5, 1, "setxattr: attribute", PATH_LIKE, &unfit_name);
    const uint8_t *data;
    size_t size;
    if (!name) return unfit_name;
    if (!bytes_view(vm, args[2], &data, &size))
        return raise_type(vm, "a bytes-like object is required, not '%T'", args[2]);
    int flags = (int)as_int(args[3]);
    int status = args[4] == VALUE_TRUE ? setxattr(path, name, data, size, flags)
                                       : lsetxattr(path, name, data, size, flags);
    return status == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

static Value posix_removexattr(GenVM *vm, Value *args) {
    TAKE(3, "removexattr: path", PATH_LIKE_INT, PATH_WRITE, args[2] != VALUE_TRUE, VALUE_NONE);
    Value unfit_name;
    const char *name = posix_path(vm, args, 3, 1, "removexattr: attribute", PATH_LIKE, &unfit_name);
    if (!name) return unfit_name;
    int status = args[2] == VALUE_TRUE ? removexattr(path, name) : lremovexattr(path, name);
    return status == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

static Value posix_listxattr(GenVM *vm, Value *args) {
    if (args[0] == VALUE_NONE) args[0] = vm->characters['.'];
    TAKE(2, "listxattr: path", PATH_LIKE_INT_NONE, PATH_READ, args[1] != VALUE_TRUE, VALUE_NONE);
    Value space = bytes_new(vm, NULL, XATTR_LIST_MAX), list = list_new(vm, 0);
    if (space == VALUE_ERROR || list == VALUE_ERROR) return VALUE_ERROR;
    char *names = (char *)AS(Bytes, space)->data;
    ssize_t size = args[1] == VALUE_TRUE ? listxattr(path, names, XATTR_LIST_MAX)
                                         : llistxattr(path, names, XATTR_LIST_MAX);
    if (size < 0) return posix_raise(vm, args[0]);
    for (char *name = names; name < names + size; name += strlen(name) + 1)
        if (!list_append(vm, list, file_path_text(vm, name))) return VALUE_ERROR;
    return list;
}

static Value posix_truncate(GenVM *vm, Value *args) {
    if (value_is_intlike(args[0])) { /* only what is open for writing */
        int fd;
        if (!take_descriptor(vm, args[0], VALUE_UNSET, &fd)) return VALUE_ERROR;
        return ftruncate(fd, as_int(args[1])) == 0 ? VALUE_NONE : posix_raise(vm, VALUE_UNSET);
    }
    TAKE_TARGET(2, "truncate: path", PATH_LIKE_INT, VALUE_NONE);
    return truncate(path, as_int(args[1])) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

/* (path, nanoseconds of access and modification; None: now; dir_fd, follow_symlinks) */
static Value posix_utime(GenVM *vm, Value *args) {
    bool follow = args[4] == VALUE_TRUE;
    if (!may_follow(vm, "utime", args[0], follow)) return VALUE_ERROR;
    TAKE(5, "utime: path", PATH_LIKE_INT, PATH_WRITE, !follow, args[3]);
    struct timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    for (int i = 0; i < 2; i++) {
        int64_t time;
        if (args[1 + i] == VALUE_NONE) continue;
        if (!int_to_i64(args[1 + i], &time))
            return raise_overflow(vm, "timestamp out of range for platform time_t");
        times[i].tv_sec = time / 1000000000 - (time % 1000000000 < 0);
        times[i].tv_nsec = time - times[i].tv_sec * 1000000000;
    }
    int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
    return utimensat(AT_FDCWD, path, times, flags) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

/* What path arguments are, for os.fspath. */
static Value posix_fspath(GenVM *vm, Value *args) {
    if (value_is_str(args[0]) || is_kind(args[0], TYPE_BYTES)) return args[0];
    return native_twin(vm, TWIN_FILE_FSPATH, 1, args[0]);
}

const NativeDef posix_path_functions[] = {
    {"_lstat(path, dir_fd, /)", lstat_path, NULL},
    {"_stat(path, follow_symlinks: bool, dir_fd=None, /)", stat_any, NULL},
    {"_kind(path, follow_symlinks: bool = True, /)", kind_of, NULL},
    {"_statvfs(path, /)", statvfs_any, NULL},
    {"_fstatvfs(fd: size, /)", fstatvfs_any, NULL},
    {"_scandir(path, /)", posix_scandir, NULL},
    {"_utime(path, accessed, modified, dir_fd=None, follow_symlinks: bool = True, /)", posix_utime,
     NULL},
    {"_realpath(path, /)", posix_realpath, NULL},
    {"access(path, mode: size, *, dir_fd=None, effective_ids: bool = False, follow_symlinks: bool "
     "= "
     "True)",
     access_any, "Use the real uid/gid to test for access to a path."},
    {"chdir(path)", posix_chdir, "Change the current working directory to the specified path."},
    {"chmod(path, mode: size, *, dir_fd=None, follow_symlinks: bool = True)", posix_chmod,
     "Change the access permissions of a file."},
    {"chown(path, uid: size, gid: size, *, dir_fd=None, follow_symlinks: bool = True)", posix_chown,
     "Change the owner and group id of path to the numeric uid and gid."},
    {"lchown(path, uid: size, gid: size)", posix_lchown,
     "Change the owner and group id of a path, not following symbolic links."},
    {"mkfifo(path, mode: size = 438, *, dir_fd=None)", posix_mkfifo,
     "Create a \"fifo\" (a POSIX named pipe)."},
    {"mknod(path, mode: size = 384, device: size = 0, *, dir_fd=None)", posix_mknod,
     "Create a node in the file system."},
    {"getxattr(path, attribute, *, follow_symlinks: bool = True)", posix_getxattr,
     "Return the value of extended attribute attribute on path."},
    {"setxattr(path, attribute, value, flags: size = 0, *, follow_symlinks: bool = True)",
     posix_setxattr, "Set extended attribute attribute on path to value."},
    {"removexattr(path, attribute, *, follow_symlinks: bool = True)", posix_removexattr,
     "Remove extended attribute attribute on path."},
    {"listxattr(path=None, *, follow_symlinks: bool = True)", posix_listxattr,
     "Return a list of extended attributes on path."},
    {"fspath(path)", posix_fspath, "Return the file system path representation of the object."},
    {"getcwd()", posix_getcwd,
     "Return a unicode string representing the current working directory."},
    {"link(src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks: bool = True)",
     posix_link, "Create a hard link to a file."},
    {"listdir(path=None)", posix_listdir,
     "Return a list containing the names of the files in the directory."},
    {"mkdir(path, mode: size = 511, *, dir_fd=None)", posix_mkdir, "Create a directory."},
    {"readlink(path, *, dir_fd=None)", posix_readlink,
     "Return a string representing the path to which the symbolic link points."},
    {"remove(path, *, dir_fd=None)", posix_remove, "Remove a file (same as unlink())."},
    {"rename(src, dst, *, src_dir_fd=None, dst_dir_fd=None)", posix_rename,
     "Rename a file or directory."},
    {"replace(src, dst, *, src_dir_fd=None, dst_dir_fd=None)", posix_replace,
     "Rename a file or directory, overwriting the destination."},
    {"rmdir(path, *, dir_fd=None)", posix_rmdir, "Remove a directory."},
    {"symlink(src, dst, target_is_directory: bool = False, *, dir_fd=None)", posix_symlink,
     "Create a symbolic link pointing to src named dst."},
    {"truncate(path, length: size)", posix_truncate,
     "Truncate a file, specified by path, to a specific length."},
    {"unlink(path, *, dir_fd=None)", posix_unlink, "Remove a file (same as remove())."},
    {NULL, NULL, NULL},
};
