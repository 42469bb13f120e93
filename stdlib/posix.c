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
        file_sync(vm);
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

/* dir_fd and its kin are not offered. */
static bool refuse_dir_fd(GenVM *vm, Value v) {
    if (v == VALUE_NONE) return true;
    raise_error(vm, EXC_NOT_IMPLEMENTED_ERROR, "dir_fd unavailable on this platform");
    return false;
}

static const char PATH_LIKE[] = " or os.PathLike", PATH_LIKE_INT[] = ", os.PathLike or integer",
                  PATH_LIKE_INT_NONE[] = ", os.PathLike, integer or None";

/* The usual beginning of a function of one path. */
#define TAKE(count, what, more, use, link)                                                         \
    Value unfit;                                                                                   \
    const char *path = posix_path(vm, args, count, 0, what, more, &unfit);                         \
    if (!path) return unfit;                                                                       \
    if (!path_check(vm, path, use, link, args[0])) return VALUE_ERROR
/* What it leads to is read; is written; the entry in its folder is changed. */
#define TAKE_PATH(count, what, more) TAKE(count, what, more, PATH_READ, false)
#define TAKE_TARGET(count, what, more) TAKE(count, what, more, PATH_WRITE, false)
#define TAKE_ENTRY(count, what, more) TAKE(count, what, more, PATH_WRITE, true)

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
    if (value_is_intlike(args[0])) {
        int64_t fd;
        if (!posix_may_use_files(vm, args[0])) return VALUE_ERROR;
        file_sync(vm);
        if (!int_to_i64(args[0], &fd)) fd = -1;
        if (!path_check_descriptor(vm, fd)) return VALUE_ERROR;
        if (args[1] != VALUE_TRUE)
            return raise_value(vm, "stat: cannot use fd and follow_symlinks together");
        return fstat((int)fd, &status) == 0 ? stat_tuple(vm, &status) : posix_raise(vm, args[0]);
    }
    TAKE(2, "stat: path", PATH_LIKE_INT, PATH_READ, args[1] != VALUE_TRUE);
    int failed = args[1] == VALUE_TRUE ? stat(path, &status) : lstat(path, &status);
    return failed ? posix_raise(vm, args[0]) : stat_tuple(vm, &status);
}

static Value lstat_path(GenVM *vm, Value *args) {
    struct stat status;
    TAKE(1, "lstat: path", PATH_LIKE, PATH_READ, true);
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
        if (!path && unfit == VALUE_ERROR && error_matches(vm, EXC_VALUE_ERROR)) {
            error_clear(vm); /* a NUL in it: there is no such file */
            return int_value(0);
        }
        if (!path) return unfit;
        if (!path_check(vm, path, PATH_READ, args[1] != VALUE_TRUE, args[0])) {
            if (error_matches(vm, EXC_PERMISSION_ERROR)) return error_clear(vm), int_value(0);
            return VALUE_ERROR;
        }
        failed = args[1] == VALUE_TRUE ? stat(path, &status) : lstat(path, &status);
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

static Value access_any(GenVM *vm, Value *args) {
    TAKE_PATH(2, "access: path", PATH_LIKE_INT);
    return bool_value(access(path, (int)as_int(args[1])) == 0);
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
    Value unfit;
    if (args[0] == VALUE_NONE) args[0] = vm->characters['.'];
    const char *path = posix_path(vm, args, 1, 0, what, PATH_LIKE_INT_NONE, &unfit);
    if (!path) return unfit;
    if (!path_check(vm, path, PATH_READ, false, args[0])) return VALUE_ERROR;
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

static Value posix_chdir(GenVM *vm, Value *args) {
    TAKE_PATH(1, "chdir: path", PATH_LIKE_INT);
    return chdir(path) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

static Value posix_mkdir(GenVM *vm, Value *args) {
    TAKE_ENTRY(3, "mkdir: path", PATH_LIKE);
    if (!refuse_dir_fd(vm, args[2])) return VALUE_ERROR;
    return mkdir(path, (mode_t)as_int(args[1])) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

static Value posix_rmdir(GenVM *vm, Value *args) {
    TAKE_ENTRY(2, "rmdir: path", PATH_LIKE);
    if (!refuse_dir_fd(vm, args[1])) return VALUE_ERROR;
    return rmdir(path) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

/* ---- files ---- */

static Value unlink_as(GenVM *vm, Value *args, const char *what) {
    TAKE_ENTRY(2, what, PATH_LIKE);
    if (!refuse_dir_fd(vm, args[1])) return VALUE_ERROR;
    return unlink(path) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}
static Value posix_unlink(GenVM *vm, Value *args) {
    return unlink_as(vm, args, "unlink: path");
}
static Value posix_remove(GenVM *vm, Value *args) {
    return unlink_as(vm, args, "remove: path");
}

typedef int TwoPaths(const char *from, const char *to);

static Value with_two(GenVM *vm, Value *args, int count, const char *first, const char *second,
                      TwoPaths *call) {
    Value unfit;
    bool is_text = call == symlink; /* the first is what the link says, not a place */
    const char *from = posix_path(vm, args, count, 0, first, PATH_LIKE, &unfit);
    const char *to = from ? posix_path(vm, args, count, 1, second, PATH_LIKE, &unfit) : NULL;
    if (!to) return unfit;
    if ((!is_text && !path_check(vm, from, PATH_READ | PATH_WRITE, true, args[0])) ||
        !path_check(vm, to, PATH_WRITE, true, args[1]))
        return VALUE_ERROR;
    for (int i = 2; i < count; i++)
        if (!is_bool(args[i]) && !refuse_dir_fd(vm, args[i])) return VALUE_ERROR;
    return call(from, to) == 0 ? VALUE_NONE : posix_raise_two(vm, args[0], args[1]);
}

static Value posix_rename(GenVM *vm, Value *args) {
    return with_two(vm, args, 4, "rename: src", "rename: dst", rename);
}
static Value posix_replace(GenVM *vm, Value *args) {
    return with_two(vm, args, 4, "replace: src", "replace: dst", rename);
}
static Value posix_link(GenVM *vm, Value *args) {
    return with_two(vm, args, 5, "link: src", "link: dst", link);
}
static Value posix_symlink(GenVM *vm, Value *args) {
    return with_two(vm, args, 4, "symlink: src", "symlink: dst", symlink);
}

static Value posix_readlink(GenVM *vm, Value *args) {
    TAKE(2, "readlink: path", PATH_LIKE, PATH_READ, true);
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
    TAKE_TARGET(4, "chmod: path", PATH_LIKE_INT);
    if (!refuse_dir_fd(vm, args[2])) return VALUE_ERROR;
    return chmod(path, (mode_t)as_int(args[1])) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

static Value posix_chown(GenVM *vm, Value *args) {
    TAKE_TARGET(5, "chown: path", PATH_LIKE_INT);
    if (!refuse_dir_fd(vm, args[3])) return VALUE_ERROR;
    int flags = args[4] == VALUE_TRUE ? 0 : AT_SYMLINK_NOFOLLOW;
    uid_t uid = (uid_t)as_int(args[1]);
    gid_t gid = (gid_t)as_int(args[2]);
    return fchownat(AT_FDCWD, path, uid, gid, flags) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

static Value posix_lchown(GenVM *vm, Value *args) {
    TAKE_ENTRY(3, "lchown: path", PATH_LIKE);
    int status = lchown(path, (uid_t)as_int(args[1]), (gid_t)as_int(args[2]));
    return status == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

static Value posix_mkfifo(GenVM *vm, Value *args) {
    TAKE_ENTRY(3, "mkfifo: path", PATH_LIKE);
    if (!refuse_dir_fd(vm, args[2])) return VALUE_ERROR;
    return mkfifo(path, (mode_t)as_int(args[1])) == 0 ? VALUE_NONE : posix_raise(vm, VALUE_UNSET);
}

static Value posix_mknod(GenVM *vm, Value *args) {
    TAKE_ENTRY(4, "mknod: path", PATH_LIKE);
    if (!refuse_dir_fd(vm, args[3])) return VALUE_ERROR;
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
    TAKE_PATH(3, "getxattr: path", PATH_LIKE_INT);
    Value unfit_name;
    const char *name = posix_path(vm, args, 3, 1, "getxattr: attribute", PATH_LIKE, &unfit_name);
    return name ? attribute_bytes(vm, args[0], path, name, args[2] == VALUE_TRUE) : unfit_name;
}

static Value posix_setxattr(GenVM *vm, Value *args) {
    TAKE_TARGET(5, "setxattr: path", PATH_LIKE_INT);
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
    TAKE_TARGET(3, "removexattr: path", PATH_LIKE_INT);
    Value unfit_name;
    const char *name = posix_path(vm, args, 3, 1, "removexattr: attribute", PATH_LIKE, &unfit_name);
    if (!name) return unfit_name;
    int status = args[2] == VALUE_TRUE ? removexattr(path, name) : lremovexattr(path, name);
    return status == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

static Value posix_listxattr(GenVM *vm, Value *args) {
    if (args[0] == VALUE_NONE) args[0] = vm->characters['.'];
    TAKE_PATH(2, "listxattr: path", PATH_LIKE_INT_NONE);
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
    TAKE_TARGET(2, "truncate: path", PATH_LIKE_INT);
    return truncate(path, as_int(args[1])) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

/* (path, nanoseconds of access and modification; None: now) */
static Value posix_utime(GenVM *vm, Value *args) {
    TAKE_TARGET(3, "utime: path", PATH_LIKE_INT);
    struct timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    for (int i = 0; i < 2; i++) {
        int64_t time;
        if (args[1 + i] == VALUE_NONE) continue;
        if (!int_to_i64(args[1 + i], &time))
            return raise_overflow(vm, "timestamp out of range for platform time_t");
        times[i].tv_sec = time / 1000000000 - (time % 1000000000 < 0);
        times[i].tv_nsec = time - times[i].tv_sec * 1000000000;
    }
    return utimensat(AT_FDCWD, path, times, 0) == 0 ? VALUE_NONE : posix_raise(vm, args[0]);
}

/* What path arguments are, for os.fspath. */
static Value posix_fspath(GenVM *vm, Value *args) {
    if (value_is_str(args[0]) || is_kind(args[0], TYPE_BYTES)) return args[0];
    return native_twin(vm, TWIN_FILE_FSPATH, 1, args[0]);
}

const NativeDef posix_path_functions[] = {
    {"_lstat(path, /)", lstat_path, NULL},
    {"_stat(path, follow_symlinks: bool, /)", stat_any, NULL},
    {"_kind(path, follow_symlinks: bool = True, /)", kind_of, NULL},
    {"_statvfs(path, /)", statvfs_any, NULL},
    {"_fstatvfs(fd: size, /)", fstatvfs_any, NULL},
    {"_scandir(path, /)", posix_scandir, NULL},
    {"_utime(path, accessed, modified, /)", posix_utime, NULL},
    {"_realpath(path, /)", posix_realpath, NULL},
    {"access(path, mode: size)", access_any, "Use the real uid/gid to test for access to a path."},
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
