#include "sink/set_dir.h"

#include "base/buf.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME    ".rollcall-lock"
#define TMP_PREFIX   ".rollcall-"
#define MANIFEST_MAX ((size_t)1 << 20)

enum err_class set_errno_class(int saved)
{
    switch (saved) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
        return ERR_LIMIT;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERR_DENIED;
    case ENOENT:
    case ENOTDIR:
        return ERR_NOTFOUND;
    default:
        return ERR_INPUT;
    }
}

#define FAIL(e, ...) err_errno((e), set_errno_class(errno), errno, __VA_ARGS__)

/* --- names ------------------------------------------------------------------------------------------- */

static bool is_name_byte(char c, bool first)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_') return true;
    return !first && (c == '.' || c == '-');
}

int set_name_check(struct str name, struct err *e)
{
    bool ok = name.len >= 1 && name.len <= SET_NAME_MAX && !str_equal_nocase(name, STR(SET_MANIFEST));
    for (size_t i = 0; ok && i < name.len; i++) ok = is_name_byte(name.ptr[i], i == 0);
    if (ok) return 0;
    struct str shown = {name.ptr, name.len < 64 ? name.len : 64};
    for (size_t i = 0; i < shown.len; i++)
        if ((uint8_t)shown.ptr[i] < 0x20 || (uint8_t)shown.ptr[i] >= 0x7f)
            shown = STR("(control characters)");
    err_set(e, ERR_INPUT, "'%.*s' cannot be the name of a file of a set", STR_FMT(shown));
    return err_hint(e, "letters, digits, '.', '_' and '-' only, beginning with a letter, a digit or '_'");
}

/* .rollcall- and 16 hexadecimal digits, nothing else: a user's own .rollcall-old stays his. */
static bool is_tmp_name(const char *name)
{
    struct str s = str_from(name), prefix = STR(TMP_PREFIX);
    if (s.len != prefix.len + 16 || !str_starts(s, prefix)) return false;
    return strspn(name + prefix.len, "0123456789abcdef") == 16;
}

/* --- directories ------------------------------------------------------------------------------------- */

int set_dir_sync(int fd, const char *what, struct err *e)
{
    if (fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP) return 0;
    return FAIL(e, "%s: fsync", what);
}

static int make_and_open(struct set_dir *d, struct err *e)
{
    /* people's data: nothing for others, the group may read; the umask may take more away */
    d->made = mkdir(d->path, 0750) == 0;
    if (!d->made && errno != EEXIST) return FAIL(e, "%s", d->path);
    d->dir = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->dir < 0) return FAIL(e, "%s", d->path);
    if (!d->made) return 0;
    defer_close int parent = openat(d->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return parent < 0 ? 0 : set_dir_sync(parent, d->path, e);
}

/* Calls each with every entry but . and .., until it fails. */
static int each_entry(int dir, int (*each)(void *ctx, const char *name, struct err *e), void *ctx,
                      struct err *e)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    if (!list) {
        FAIL(e, "list of the directory");
        if (copy >= 0) close(copy);
        return e->class;
    }
    int rc = 0;
    for (struct dirent *d; rc == 0 && (d = readdir(list));)
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0) rc = each(ctx, d->d_name, e);
    closedir(list);
    return rc;
}

/* --- manifests --------------------------------------------------------------------------------------- */

/* A regular file, not a link, not a pipe that would hold us. 1: there is none. */
static int read_small(struct buf *out, int dir, const char *name, struct err *e)
{
    defer_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return errno == ENOENT ? 1 : FAIL(e, "%s", name);
    struct stat st;
    if (fstat(fd, &st) < 0) return FAIL(e, "%s", name);
    if (!S_ISREG(st.st_mode)) return err_set(e, ERR_CONFLICT, "%s is not a regular file", name);
    for (;;) {
        uint8_t *to = buf_reserve(out, 65536);
        if (!to) return err_set(e, ERR_CONFLICT, "%s is longer than %zu bytes", name, out->max);
        ssize_t n = read(fd, to, 65536);
        if (n < 0 && errno != EINTR) return FAIL(e, "%s", name);
        if (n == 0) return 0;
        if (n > 0) buf_advance(out, (size_t)n);
    }
}

static int not_ours(struct err *e)
{
    err_set(e, ERR_CONFLICT, "the " SET_MANIFEST " there was not written by rollcall");
    return err_hint(e, "choose an empty directory, or move that file away");
}

/* *out NULL: there is no manifest. Whoever wrote it, it is only believed as far as set_name_check goes. */
static int manifest_read(json_t **out, int dir, struct err *e)
{
    *out = NULL;
    struct buf text = buf_new(MANIFEST_MAX);
    int rc = read_small(&text, dir, SET_MANIFEST, e);
    if (rc == 0) {
        json_t *m = json_loadb((const char *)text.ptr, text.len, 0, NULL);
        const char *generator = json_string_value(json_object_get(m, "generator"));
        if (generator && strcmp(generator, "rollcall") == 0)
            *out = m;
        else {
            json_decref(m);
            rc = not_ours(e);
        }
    }
    buf_free(&text);
    return rc < 0 ? rc : 0;
}

/* The i-th file's name, NULL if it is not one. */
static const char *manifest_name(const json_t *manifest, size_t i)
{
    struct err ignored;
    const char *name =
        json_string_value(json_object_get(json_array_get(json_object_get(manifest, "files"), i), "name"));
    return name && set_name_check(str_from(name), &ignored) == 0 ? name : NULL;
}

static size_t manifest_count(const json_t *manifest)
{
    return json_array_size(json_object_get(manifest, "files"));
}

static bool manifest_has(const json_t *manifest, const char *name)
{
    for (size_t i = 0, n = manifest_count(manifest); i < n; i++) {
        const char *has = manifest_name(manifest, i);
        if (has && strcmp(has, name) == 0) return true;
    }
    return false;
}

/* --- moving in --------------------------------------------------------------------------------------- */

/* ENOENT: an earlier attempt, cut short, has moved it already. */
static int move_files(struct set_dir *d, const json_t *manifest, struct err *e)
{
    for (size_t i = 0, n = manifest_count(manifest); i < n; i++) {
        const char *name = manifest_name(manifest, i);
        if (!name || renameat(d->tmp, name, d->dir, name) == 0 || errno == ENOENT) continue;
        return FAIL(e, "%s/%s", d->path, name);
    }
    return 0;
}

/* Only what the older set says is its own. */
static int remove_stale(struct set_dir *d, const json_t *older, const json_t *manifest, struct err *e)
{
    for (size_t i = 0, n = manifest_count(older); i < n; i++) {
        const char *name = manifest_name(older, i);
        if (!name || manifest_has(manifest, name)) continue;
        if (unlinkat(d->dir, name, 0) < 0 && errno != ENOENT) return FAIL(e, "%s/%s", d->path, name);
    }
    return 0;
}

static int move_all(struct set_dir *d, const json_t *older, const json_t *manifest, struct err *e)
{
    try(move_files(d, manifest, e));
    try(remove_stale(d, older, manifest, e));
    try(set_dir_sync(d->dir, d->path, e));
    if (renameat(d->tmp, SET_MANIFEST, d->dir, SET_MANIFEST) < 0)
        return FAIL(e, "%s/%s", d->path, SET_MANIFEST);
    return set_dir_sync(d->dir, d->path, e);
}

int set_dir_move_in(struct set_dir *d, struct err *e)
{
    json_t *older = NULL, *manifest = NULL;
    int rc = manifest_read(&manifest, d->tmp, e);
    if (rc == 0 && !manifest) rc = err_set(e, ERR_BUG, "%s: no manifest to move in", d->path);
    if (rc == 0) rc = manifest_read(&older, d->dir, e);
    if (rc == 0) rc = move_all(d, older, manifest, e);
    json_decref(older);
    json_decref(manifest);
    if (rc < 0 && !e->hint[0]) err_hint(e, "the next run that writes to this directory finishes the set");
    return rc;
}

/* --- what dead processes left ------------------------------------------------------------------------- */

static int remove_one(void *ctx, const char *name, struct err *e)
{
    const int *dir = ctx;
    if (unlinkat(*dir, name, 0) < 0 && errno != ENOENT) return FAIL(e, "%s", name);
    return 0;
}

static int remove_tmp(struct set_dir *d, struct err *e)
{
    try(each_entry(d->tmp, remove_one, &d->tmp, e));
    close(d->tmp);
    d->tmp = -1;
    if (unlinkat(d->dir, d->tmp_name, AT_REMOVEDIR) < 0) return FAIL(e, "%s", d->tmp_name);
    return 0;
}

static bool is_decided(const struct set_dir *d)
{
    return d->tmp >= 0 && faccessat(d->tmp, SET_MANIFEST, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Another user's is left alone: what it says is not ours to believe, and whose it is will clear it. */
static int clear_leftover(void *ctx, const char *name, struct err *e)
{
    struct set_dir *d = ctx;
    struct stat st;
    if (!is_tmp_name(name)) return 0;
    d->tmp = openat(d->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (d->tmp < 0) return 0;
    int rc = 0;
    if (fstat(d->tmp, &st) == 0 && st.st_uid == geteuid()) {
        snprintf(d->tmp_name, sizeof d->tmp_name, "%s", name);
        if (is_decided(d)) rc = set_dir_move_in(d, e);
        if (rc == 0) rc = remove_tmp(d, e);
        if (rc < 0) err_wrap(e, "%s: what an interrupted run left in %s", d->path, name);
    }
    if (d->tmp >= 0) close(d->tmp);
    d->tmp = -1;
    return rc;
}

/* --- one writer -------------------------------------------------------------------------------------- */

static int is_taken(int fd, const struct set_dir *d, struct err *e)
{
    char pid[32] = "";
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    long who = n > 0 ? strtol(pid, NULL, 10) : 0;
    err_set(e, ERR_CONFLICT, "%s: another rollcall (pid %ld) is writing a set here", d->path, who);
    return err_hint(e, "wait for it, or give each its own directory");
}

/* The lock file is removed by whoever holds it, so one that was opened may be an old one by now. */
static bool is_current(const struct set_dir *d)
{
    struct stat mine, there;
    return fstat(d->lock, &mine) == 0 && fstatat(d->dir, LOCK_NAME, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

static int try_lock(struct set_dir *d, struct err *e)
{
    d->lock = openat(d->dir, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (d->lock < 0) return FAIL(e, "%s/%s", d->path, LOCK_NAME);
    int rc = 0;
    if (flock(d->lock, LOCK_EX | LOCK_NB) < 0)
        rc = errno == EWOULDBLOCK ? is_taken(d->lock, d, e) : FAIL(e, "%s/%s: flock", d->path, LOCK_NAME);
    else if (is_current(d))
        return 0;
    close(d->lock);
    d->lock = -1;
    return rc;
}

static int take_lock(struct set_dir *d, struct err *e)
{
    while (d->lock < 0) try(try_lock(d, e));
    char pid[32];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(d->lock, 0) < 0 || pwrite(d->lock, pid, (size_t)n, 0) != n)
        return FAIL(e, "%s/%s", d->path, LOCK_NAME);
    return 0;
}

/* --- life -------------------------------------------------------------------------------------------- */

static int make_tmp(struct set_dir *d, struct err *e)
{
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != sizeof random) return FAIL(e, "random bytes");
    snprintf(d->tmp_name, sizeof d->tmp_name, TMP_PREFIX "%016llx", (unsigned long long)random);
    if (mkdirat(d->dir, d->tmp_name, 0700) < 0) return FAIL(e, "%s/%s", d->path, d->tmp_name);
    d->tmp = openat(d->dir, d->tmp_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (d->tmp < 0) return FAIL(e, "%s/%s", d->path, d->tmp_name);
    return 0;
}

static int check_place(struct set_dir *d, struct err *e)
{
    json_t *older = NULL;
    int rc = manifest_read(&older, d->dir, e);
    json_decref(older);
    return rc < 0 ? err_wrap(e, "%s", d->path) : 0;
}

static int open_steps(struct set_dir *d, struct err *e)
{
    try(make_and_open(d, e));
    try(take_lock(d, e));
    try(check_place(d, e));
    try(each_entry(d->dir, clear_leftover, d, e));
    return make_tmp(d, e);
}

int set_dir_open(struct set_dir *out, const char *path, struct err *e)
{
    *out = (struct set_dir){.path = x_strdup(str_from(path)), .dir = -1, .lock = -1, .tmp = -1};
    int rc = open_steps(out, e);
    if (rc < 0) set_dir_close(out);
    return rc;
}

void set_dir_close(struct set_dir *d)
{
    struct err ignored; /* what cannot be removed now, the next open removes */
    if (d->tmp >= 0 && !is_decided(d) && remove_tmp(d, &ignored) == 0) d->tmp = -1;
    if (d->lock >= 0) unlinkat(d->dir, LOCK_NAME, 0);
    if (d->made) rmdir(d->path); /* empty: nothing came into it */
    if (d->tmp >= 0) close(d->tmp);
    if (d->lock >= 0) close(d->lock); /* lets the next one in */
    if (d->dir >= 0) close(d->dir);
    free(d->path);
    *d = (struct set_dir){.dir = -1, .lock = -1, .tmp = -1};
}
