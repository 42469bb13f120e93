/* accounts.c - the module _accounts: what the system knows about users and groups, for the modules
 * pwd and grp. To see it is the environment's capability.
 */
#include "stdlib/posix.h"
#include "vm/memory.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

enum { FIRST_ROOM = 1024, MOST_ROOM = 1 << 24 }; /* bytes for one entry's strings */

static Value text(GenVM *vm, const char *bytes) {
    return str_decode_utf8(vm, bytes, strlen(bytes), "surrogateescape");
}

static Value user_value(GenVM *vm, const struct passwd *user) {
    const char *const parts[] = {user->pw_name, user->pw_passwd, user->pw_gecos, user->pw_dir,
                                 user->pw_shell};
    Value texts[5];
    for (int i = 0; i < 5; i++) {
        texts[i] = text(vm, parts[i] ? parts[i] : "");
        if (texts[i] == VALUE_ERROR) return VALUE_ERROR;
    }
    return tuple_pack(vm, 7, texts[0], texts[1], int_value(user->pw_uid), int_value(user->pw_gid),
                      texts[2], texts[3], texts[4]);
}

static Value group_value(GenVM *vm, const struct group *group) {
    Value members = list_new(vm, 0);
    for (char **member = group->gr_mem; members != VALUE_ERROR && *member; member++) {
        Value name = text(vm, *member);
        if (name == VALUE_ERROR || !list_append(vm, members, name)) return VALUE_ERROR;
    }
    Value name = members == VALUE_ERROR ? members : text(vm, group->gr_name);
    Value secret = name == VALUE_ERROR ? name : text(vm, group->gr_passwd ? group->gr_passwd : "");
    if (secret == VALUE_ERROR) return VALUE_ERROR;
    return tuple_pack(vm, 4, name, secret, int_value(group->gr_gid), members);
}

/* One look into the system's tables; the strings go to the room. An errno. */
static int look(bool group, const char *name, unsigned number, void *entry, char *room, size_t size,
                void **found) {
    if (group)
        return name ? getgrnam_r(name, entry, room, size, (struct group **)found)
                    : getgrgid_r(number, entry, room, size, (struct group **)found);
    return name ? getpwnam_r(name, entry, room, size, (struct passwd **)found)
                : getpwuid_r(number, entry, room, size, (struct passwd **)found);
}

/* find(group, name or number): the entry as a tuple, None where there is none */
static Value find(GenVM *vm, Value *args) {
    bool group = args[0] == VALUE_TRUE;
    const char *name = NULL;
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    if (!is_int(args[1]) && !(name = file_path(vm, args[1]))) return VALUE_ERROR;
    union {
        struct passwd user;
        struct group group;
    } entry;
    for (size_t size = FIRST_ROOM; size <= MOST_ROOM; size *= 2) {
        void *found = NULL;
        char *room = memory_new(vm, size);
        if (!room) return raise_memory(vm);
        int code =
            look(group, name, name ? 0 : (unsigned)as_int(args[1]), &entry, room, size, &found);
        Value made = VALUE_NONE;
        if (found) made = group ? group_value(vm, &entry.group) : user_value(vm, &entry.user);
        memory_free(room);
        if (code != ERANGE) return made;
    }
    return raise_memory(vm);
}

/* all(group): the entries as a list. The system walks its tables with a place that the process has
 * one of, so nobody else may walk meanwhile: the environment's lock. */
static Value all(GenVM *vm, Value *args) {
    bool group = args[0] == VALUE_TRUE;
    if (!posix_may_see_process(vm)) return VALUE_ERROR;
    Value list = list_new(vm, 0);
    if (list == VALUE_ERROR) return list;
    posix_lock_environment();
    group ? setgrent() : setpwent();
    for (bool more = true; more && list != VALUE_ERROR;) {
        const struct group *next_group = group ? getgrent() : NULL;
        const struct passwd *next_user = group ? NULL : getpwent();
        more = next_group || next_user;
        if (!more) break;
        Value item = group ? group_value(vm, next_group) : user_value(vm, next_user);
        if (item == VALUE_ERROR || !list_append(vm, list, item)) list = VALUE_ERROR;
    }
    group ? endgrent() : endpwent();
    posix_unlock_environment();
    return list;
}

static const NativeDef functions[] = {
    {"find(group: bool, key, /)", find, NULL},
    {"all(group: bool, /)", all, NULL},
    {0},
};

const NativeModule accounts_module = {"_accounts", functions, NULL};
