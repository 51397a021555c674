#include "server/state/backup.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/jsonv.h"
#include "base/when.h"
#include "server/state/state.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST "manifest.json"
#define PARTS    3

struct part {
    const char *name, *path; /* in the backup; in use */
    bool is_database;
};

static void list_parts(struct part out[PARTS], const struct backup_files *f)
{
    /* The store last: its changes may be younger than what the state says has been judged, never older, or they would raise no alert. */
    out[0] = (struct part){"server.db", f->state, true};
    out[1] = (struct part){"master.key", f->key, false};
    out[2] = (struct part){"store.db", f->store, true};
}

static void join(char out[PATH_MAX], const char *dir, const char *name)
{
    snprintf(out, PATH_MAX, "%s/%s", dir, name);
}

/* --- hashes and copies ------------------------------------------------------------------------------------------ */

typedef int chunk_fn(void *ctx, struct bytes b, struct err *e);

static int each_chunk(const char *path, chunk_fn *take, void *ctx, struct err *e)
{
    uint8_t chunk[65536];
    defer_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        int saved = errno;
        return err_errno(e, saved == ENOENT ? ERR_NOTFOUND : ERR_DENIED, saved, "%s", path);
    }
    for (ssize_t n = 1; n > 0;) {
        n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) n = 1;
        else if (n < 0) return err_errno(e, ERR_BUG, errno, "%s", path);
        else try(take(ctx, (struct bytes){chunk, (size_t)n}, e));
    }
    explicit_bzero(chunk, sizeof chunk); /* it may have been the key */
    return 0;
}

struct sum {
    struct sha256 hash;
    uint64_t bytes;
};

static int add_to_sum(void *ctx, struct bytes b, struct err *e)
{
    struct sum *s = ctx;
    sha256_add(&s->hash, b);
    s->bytes += b.len;
    return 0;
}

static int hash_file(const char *path, char hex[65], uint64_t *bytes, struct err *e)
{
    struct sum s = {.bytes = 0};
    sha256_init(&s.hash);
    try(each_chunk(path, add_to_sum, &s, e));
    sha256_hex(&s.hash, hex);
    *bytes = s.bytes;
    return 0;
}

static int write_chunk(void *ctx, struct bytes b, struct err *e)
{
    return file_write_all(*(int *)ctx, b, e);
}

static int write_copy(void *ctx, int fd, struct err *e)
{
    const char **from = ctx;
    return each_chunk(*from, write_chunk, &fd, e);
}

/* As a whole or not at all, mode 0600. */
static int copy_file(const char *from, const char *to, struct err *e)
{
    return file_write_atomic_by(to, 0600, write_copy, &from, e);
}

/* --- making ------------------------------------------------------------------------------------------------------- */

static int make_directory(const char *dir, struct err *e)
{
    char path[PATH_MAX];
    if (mkdir(dir, 0700) == 0) return 0;
    int saved = errno;
    if (saved != EEXIST) {
        err_errno(e, saved == ENOSPC ? ERR_LIMIT : ERR_DENIED, saved, "%s", dir);
        return err_hint(e, "name a directory that can be made");
    }
    static const char *const names[] = {MANIFEST, "store.db", "server.db", "master.key"};
    for (size_t i = 0; i < n_elements(names); i++) {
        join(path, dir, names[i]);
        if (access(path, F_OK) < 0) continue;
        err_set(e, ERR_CONFLICT, "%s: there is a backup in it already", dir);
        return err_hint(e, "name another directory");
    }
    return 0;
}

static int add_part(json_t *files, const char *dir, const struct part *p, struct err *e)
{
    char to[PATH_MAX], hex[65];
    uint64_t bytes;
    join(to, dir, p->name);
    if (p->is_database)
        try(state_copy_database(p->path, to, e));
    else
        try(copy_file(p->path, to, e));
    try(hash_file(to, hex, &bytes, e));
    json_array_append_new(files, json_pack("{s:s, s:I, s:s}", "name", p->name, "bytes", (json_int_t)bytes, "sha256", hex));
    return 0;
}

static int write_manifest(const char *dir, json_t *manifest, struct err *e)
{
    char path[PATH_MAX];
    defer_free char *text = json_dumps(manifest, JSON_INDENT(2));
    if (!text) return err_set(e, ERR_BUG, "the manifest cannot be written as JSON");
    join(path, dir, MANIFEST);
    return file_write_atomic(path, bytes_of(str_from(text)), 0600, e);
}

static int make(const struct backup_files *f, const char *dir, bool with_key, json_t *manifest, struct err *e)
{
    struct part parts[PARTS];
    json_t *files = json_object_get(manifest, "files");
    list_parts(parts, f);
    try(make_directory(dir, e));
    for (size_t i = 0; i < PARTS; i++) {
        bool is_wanted = parts[i].is_database || with_key;
        if (is_wanted && parts[i].is_database && access(parts[i].path, F_OK) < 0) continue; /* nothing was synced yet, or there was no server */
        if (is_wanted) try(add_part(files, dir, &parts[i], e));
    }
    if (!json_array_size(files)) return err_set(e, ERR_NOTFOUND, "there is nothing to back up: neither %s nor %s", f->store, f->state);
    return write_manifest(dir, manifest, e);
}

int backup_make(const struct backup_files *f, const char *dir, bool with_key, json_t **out, struct err *e)
{
    char now[WHEN_TEXT];
    *out = json_pack("{s:i, s:s, s:s, s:b, s:[]}", "format", 1, "version", ROLLCALL_VERSION, "created", when_format(now, when_now_ms()), "with_key", with_key, "files");
    int rc = make(f, dir, with_key, *out, e);
    if (rc == 0) return 0;
    json_decref(*out);
    *out = NULL;
    return rc;
}

/* --- what a backup says of itself ----------------------------------------------------------------------------------- */

static int read_manifest(json_t **out, const char *dir, struct err *e)
{
    char path[PATH_MAX];
    struct buf text = buf_new(65536);
    join(path, dir, MANIFEST);
    int rc = file_read(&text, path, e);
    *out = rc == 0 ? json_loadb((const char *)text.ptr, text.len, 0, NULL) : NULL;
    buf_free(&text);
    if (json_integer_value(json_object_get(*out, "format")) == 1) return 0;
    bool is_there = *out != NULL;
    json_decref(*out);
    *out = NULL;
    err_set(e, ERR_INPUT, is_there ? "%s: a backup of a newer version, or none" : "%s: no backup: there is no " MANIFEST " in it", dir);
    return err_hint(e, "name a directory that rollcall server backup has made");
}

static const json_t *entry_of(const json_t *manifest, const char *name)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(manifest, "files"), i, one)
    {
        const char *its = json_string_value(json_object_get(one, "name"));
        if (its && strcmp(its, name) == 0) return one;
    }
    return NULL;
}

static int check_database(const char *path, struct err *e)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_exec(db, "PRAGMA quick_check(1)", NULL, NULL, &why);
    if (rc != SQLITE_OK) err_set(e, ERR_INPUT, "%s: %s", path, why ? why : sqlite3_errstr(rc));
    sqlite3_free(why);
    sqlite3_close_v2(db);
    return rc == SQLITE_OK ? 0 : ERR_INPUT;
}

static int check_part(const char *dir, const struct part *p, const json_t *entry, struct err *e)
{
    char path[PATH_MAX], hex[65];
    uint64_t bytes;
    const char *want = json_string_value(json_object_get(entry, "sha256"));
    join(path, dir, p->name);
    try(hash_file(path, hex, &bytes, e));
    if (!want || strcmp(hex, want) != 0) {
        err_set(e, ERR_INPUT, "%s: is not what the backup's manifest says (SHA-256 %.16s..., not %.16s...)", path, hex, want ? want : "none");
        return err_hint(e, "use another backup: this one was changed or cut");
    }
    return p->is_database ? check_database(path, e) : 0;
}

/* --- nobody is using it ------------------------------------------------------------------------------------------------ */

/* A run of a command holds STORE.<connector>.lock (store/sqlite/lock.h). */
static int check_run_lock(const char *path, struct err *e)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    defer_close int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fcntl(fd, F_OFD_GETLK, &whole) < 0 || whole.l_type == F_UNLCK) return 0;
    err_set(e, ERR_CONFLICT, "%s: a run is under way", path);
    return err_hint(e, "wait until it ends, or stop it");
}

static int check_runs(const char *store, const char *own_lock, struct err *e)
{
    char pattern[PATH_MAX];
    glob_t found = {.gl_pathc = 0};
    int rc = 0;
    snprintf(pattern, sizeof pattern, "%s.*.lock", store);
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
            if (strcmp(found.gl_pathv[i], own_lock) != 0) rc = check_run_lock(found.gl_pathv[i], e);
    globfree(&found);
    return rc;
}

/* --- bringing back ----------------------------------------------------------------------------------------------------- */

/* Its journal first: a database must never meet another's. */
static int move_aside(const char *path, const char *tag, json_t *aside, struct err *e)
{
    static const char *const tails[] = {"-journal", "-wal", "-shm", ""};
    char from[PATH_MAX], to[PATH_MAX];
    for (size_t i = 0; i < n_elements(tails); i++) {
        snprintf(from, sizeof from, "%.3900s%s", path, tails[i]);
        snprintf(to, sizeof to, "%.3900s.before-%s%s", path, tag, tails[i]);
        if (rename(from, to) == 0) {
            if (!*tails[i]) json_array_append_new(aside, jsonv_str(str_from(to)));
        } else if (errno != ENOENT) {
            return err_errno(e, ERR_DENIED, errno, "%s", from);
        }
    }
    return 0;
}

static void incoming_name(char out[PATH_MAX], const struct part *p)
{
    snprintf(out, PATH_MAX, "%.4000s.restoring", p->path);
}

static int put_in_place(const struct part *p, const char *tag, json_t *done, struct err *e)
{
    char incoming[PATH_MAX];
    incoming_name(incoming, p);
    try(move_aside(p->path, tag, json_object_get(done, "aside"), e));
    if (rename(incoming, p->path) < 0) return err_errno(e, ERR_DENIED, errno, "%s", p->path);
    json_array_append_new(json_object_get(done, "restored"), jsonv_str(str_from(p->path)));
    return 0;
}

/* Made from the store that is gone; made again from the one that came. */
static void remove_derived(const char *store)
{
    static const char *const tails[] = {".access", ".catalog", ".catalog-wal", ".catalog-shm", ".catalog.stage", ".catalog.new"};
    char path[PATH_MAX];
    for (size_t i = 0; i < n_elements(tails); i++) {
        snprintf(path, sizeof path, "%.4000s%s", store, tails[i]);
        unlink(path);
    }
}

static int bring_back(const struct backup_files *f, const char *dir, const json_t *manifest, json_t *done, struct err *e)
{
    struct part parts[PARTS];
    char from[PATH_MAX], incoming[PATH_MAX], tag[WHEN_TEXT];
    list_parts(parts, f);
    when_format(tag, when_now_ms() / 1000 * 1000);
    for (size_t i = 0; i < PARTS; i++)
        if (entry_of(manifest, parts[i].name)) try(check_part(dir, &parts[i], entry_of(manifest, parts[i].name), e));
    for (size_t i = 0; i < PARTS; i++) { /* all copies are there before anything is moved */
        if (!entry_of(manifest, parts[i].name)) continue;
        join(from, dir, parts[i].name);
        incoming_name(incoming, &parts[i]);
        try(copy_file(from, incoming, e));
    }
    remove_derived(f->store);
    for (size_t i = 0; i < PARTS; i++)
        if (entry_of(manifest, parts[i].name)) try(put_in_place(&parts[i], tag, done, e));
    return 0;
}

static int restore(const struct backup_files *f, const char *dir, json_t *done, struct err *e)
{
    char own_lock[PATH_MAX];
    json_t *manifest;
    defer_close int lock = -1;
    try(read_manifest(&manifest, dir, e));
    snprintf(own_lock, sizeof own_lock, "%.4000s.server.lock", f->store);
    int rc = state_claim(&lock, f->store, e);
    if (rc == 0) rc = check_runs(f->store, own_lock, e);
    if (rc == 0) rc = bring_back(f, dir, manifest, done, e);
    json_decref(manifest);
    return rc;
}

int backup_restore(const struct backup_files *f, const char *dir, json_t **out, struct err *e)
{
    *out = json_pack("{s:[], s:[]}", "restored", "aside");
    int rc = restore(f, dir, *out, e);
    if (rc == 0) return 0;
    json_decref(*out);
    *out = NULL;
    return rc;
}
