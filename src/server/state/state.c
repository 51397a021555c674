#include "server/state/state_int.h"

#include "base/secret.h"
#include "store/sqlite_class.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 20000 /* another process (a command beside the server) is writing */
#define CACHED  64    /* statements kept; their texts are literals, so their addresses tell them apart */

struct state {
    sqlite3 *db;
    char *path;
    struct seal *seal;
    int64_t (*now_ms)(void);
    pthread_mutex_t lock; /* recursive; who holds it, has the connection */
    int depth;            /* transactions within each other */
    struct {
        const char *sql;
        sqlite3_stmt *statement;
        bool taken;
    } cached[CACHED];
};

/* --- errors --------------------------------------------------------------------------------------------- */

static int fail(const struct state *s, int rc, struct err *e)
{
    /* a constraint refuses what somebody entered: a name that is taken */
    int class = (rc & 0xff) == SQLITE_CONSTRAINT ? ERR_CONFLICT : sqlite_class(rc);
    err_set(e, (enum err_class)class, "state file %s: %s", s->path, s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc));
    err_code(e, DOM_SQLITE, s->db ? sqlite3_extended_errcode(s->db) : rc);
    if ((rc & 0xff) == SQLITE_CORRUPT) err_hint(e, "the file is damaged: keep it, and restore the last backup (rollcall server restore)");
    if (class == ERR_LIMIT) err_hint(e, "free space on the disk of the store");
    if (class == ERR_DENIED) err_hint(e, "the file and its directory must be writable for the user rollcall runs as");
    if (class == ERR_INPUT) err_hint(e, "move this file away, or name another store");
    return class;
}

/* --- statements ----------------------------------------------------------------------------------------- */

static int take(struct state *s, const char *sql, sqlite3_stmt **out, struct err *e)
{
    size_t i = 0;
    while (i < CACHED && s->cached[i].sql && (s->cached[i].sql != sql || s->cached[i].taken)) i++;
    bool has_room = i < CACHED;
    if (has_room && s->cached[i].sql) {
        s->cached[i].taken = true;
        *out = s->cached[i].statement;
        return 0;
    }
    int rc = sqlite3_prepare_v3(s->db, sql, -1, has_room ? SQLITE_PREPARE_PERSISTENT : 0, out, NULL);
    if (rc != SQLITE_OK) return fail(s, rc, e);
    if (has_room) {
        s->cached[i].sql = sql;
        s->cached[i].statement = *out;
        s->cached[i].taken = true;
    }
    return 0;
}

static void give(struct state *s, sqlite3_stmt *statement)
{
    for (size_t i = 0; i < CACHED; i++) {
        if (s->cached[i].statement != statement) continue;
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
        s->cached[i].taken = false;
        return;
    }
    sqlite3_finalize(statement);
}

static void bind(sqlite3_stmt *st, const char *types, va_list values)
{
    struct str t;
    struct bytes b;
    const char *c;
    for (int at = 1; *types; types++, at++) {
        switch (*types) {
        case 'i': sqlite3_bind_int64(st, at, va_arg(values, int64_t)); break;
        case 's':
            c = va_arg(values, const char *);
            if (c) sqlite3_bind_text(st, at, c, -1, SQLITE_TRANSIENT);
            break;
        case 't':
            t = va_arg(values, struct str);
            sqlite3_bind_text64(st, at, t.len ? t.ptr : "", t.len, SQLITE_TRANSIENT, SQLITE_UTF8);
            break;
        case 'b':
            b = va_arg(values, struct bytes);
            sqlite3_bind_blob64(st, at, b.len ? (const void *)b.ptr : "", b.len, SQLITE_TRANSIENT);
            break;
        default: abort();
        }
    }
}

static int step_all(struct state *s, sqlite3_stmt *st, state_row *row, void *ctx, struct err *e)
{
    int n = 0, rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (row) try(row(ctx, st, e));
        n++;
    }
    return rc == SQLITE_DONE ? n : fail(s, rc, e);
}

static int ask(struct state *s, struct err *e, state_row *row, void *ctx, const char *sql, const char *types, va_list values)
{
    sqlite3_stmt *st;
    pthread_mutex_lock(&s->lock);
    int rc = take(s, sql, &st, e);
    if (rc == 0) {
        bind(st, types, values);
        rc = step_all(s, st, row, ctx, e);
        give(s, st);
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

int state_run(struct state *s, struct err *e, const char *sql, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    int rc = ask(s, e, NULL, NULL, sql, types, values);
    va_end(values);
    return rc < 0 ? rc : 0;
}

int state_rows(struct state *s, struct err *e, state_row *row, void *ctx, const char *sql, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    int rc = ask(s, e, row, ctx, sql, types, values);
    va_end(values);
    return rc;
}

static int take_number(void *ctx, sqlite3_stmt *row, struct err *e)
{
    *(int64_t *)ctx = row_int(row, 0);
    return 0;
}

int state_number(struct state *s, int64_t *out, int64_t fallback, struct err *e, const char *sql, const char *types, ...)
{
    va_list values;
    *out = fallback;
    va_start(values, types);
    int rc = ask(s, e, take_number, out, sql, types, values);
    va_end(values);
    return rc < 0 ? rc : 0;
}

int64_t state_changes(const struct state *s)
{
    return sqlite3_changes64(s->db);
}

int64_t state_last_id(const struct state *s)
{
    return sqlite3_last_insert_rowid(s->db);
}

static int exec(struct state *s, const char *sql, struct err *e)
{
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : fail(s, rc, e);
}

/* --- transactions --------------------------------------------------------------------------------------- */

static int depth_exec(struct state *s, const char *outer, const char *inner, struct err *e)
{
    char sql[64];
    snprintf(sql, sizeof sql, inner, s->depth, s->depth);
    return exec(s, s->depth == 1 ? outer : sql, e);
}

int state_begin(struct state *s, struct err *e)
{
    pthread_mutex_lock(&s->lock);
    s->depth++;
    int rc = depth_exec(s, "BEGIN IMMEDIATE", "SAVEPOINT s%d", e);
    if (rc == 0) return 0;
    s->depth--;
    pthread_mutex_unlock(&s->lock);
    return rc;
}

int state_end(struct state *s, int rc, struct err *e)
{
    struct err ignored;
    if (rc >= 0) {
        int ended = depth_exec(s, "COMMIT", "RELEASE s%d", e);
        if (ended < 0) rc = ended;
    }
    if (rc < 0) (void)!depth_exec(s, "ROLLBACK", "ROLLBACK TO s%d; RELEASE s%d", &ignored);
    s->depth--;
    pthread_mutex_unlock(&s->lock);
    return rc;
}

int state_define(struct state *s, const char *sql, struct err *e)
{
    try(state_begin(s, e));
    return state_end(s, exec(s, sql, e), e);
}

/* --- opening -------------------------------------------------------------------------------------------- */

/* SQLite gives -wal and -shm the mode of the main file. What it holds lets nobody in, but is nobody else's business. */
static int make_file(const char *path, struct err *e)
{
    struct stat st;
    defer_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        int saved = errno;
        err_errno(e, saved == ENOSPC ? ERR_LIMIT : ERR_DENIED, saved, "state file %s", path);
        return err_hint(e, saved == ENOENT ? "make the directory first, or name another in the setting store"
                                           : "the file and its directory must be writable for the user rollcall runs as");
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return err_set(e, ERR_INPUT, "state file %s: not a regular file", path);
    if (!(st.st_mode & 077)) return 0;
    err_set(e, ERR_DENIED, "state file %s: others may read or change it (mode %04o)", path, st.st_mode & 07777);
    return err_hint(e, "chmod 600 %s", path);
}

static int set_up(struct state *s, struct err *e)
{
    char sql[128];
    snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d", STATE_APPLICATION, STATE_FORMAT);
    try(exec(s, state_schema, e));
    return exec(s, sql, e);
}

static int check_format(struct state *s, int64_t application, int64_t format, struct err *e)
{
    if (application != STATE_APPLICATION) {
        err_set(e, ERR_INPUT, "state file %s: a database, but not of a rollcall server", s->path);
        return err_hint(e, "move this file away, or name another store");
    }
    if (format == STATE_FORMAT) return 0;
    err_set(e, ERR_INPUT, "state file %s: format %lld; this version knows %d", s->path, (long long)format, STATE_FORMAT);
    return err_hint(e, "use the version of rollcall that wrote it, or a newer one");
}

/* Of two processes that come to an empty file at once, the second finds it made. */
static int check_or_set_up(struct state *s, struct err *e)
{
    int64_t tables = 0, application = 0, format = 0;
    try(state_begin(s, e));
    int rc = state_number(s, &tables, 0, e, "SELECT count(*) FROM sqlite_schema", "");
    if (rc == 0) rc = state_number(s, &application, 0, e, "PRAGMA application_id", "");
    if (rc == 0) rc = state_number(s, &format, 0, e, "PRAGMA user_version", "");
    if (rc == 0) rc = !tables && !application ? set_up(s, e) : check_format(s, application, format, e);
    return state_end(s, rc, e);
}

static int open_database(struct state *s, struct err *e)
{
    int rc = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) return fail(s, rc, e);
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, BUSY_MS);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    try(exec(s, "PRAGMA journal_mode = WAL", e));
    try(exec(s, "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA cache_size = -2000", e));
    return check_or_set_up(s, e);
}

int state_open(struct state **out, const char *path, struct seal *seal, struct err *e)
{
    pthread_mutexattr_t recursive;
    *out = NULL;
    if (sodium_init() < 0) abort();
    try(make_file(path, e));
    struct state *s = x_zalloc(sizeof *s);
    s->path = x_strdup(str_from(path));
    s->seal = seal;
    s->now_ms = when_now_ms;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&s->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    int rc = open_database(s, e);
    if (rc < 0) {
        state_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void state_close(struct state *s)
{
    if (!s) return;
    for (size_t i = 0; i < CACHED; i++) sqlite3_finalize(s->cached[i].statement);
    sqlite3_close_v2(s->db);
    pthread_mutex_destroy(&s->lock);
    free(s->path);
    free(s);
}

const char *state_path(const struct state *s)
{
    return s->path;
}

struct seal *state_seal(const struct state *s)
{
    return s->seal;
}

int64_t state_now_ms(const struct state *s)
{
    return s->now_ms();
}

void state_set_clock(struct state *s, int64_t (*now_ms)(void))
{
    s->now_ms = now_ms ? now_ms : when_now_ms;
}

/* --- random texts and their hashes ------------------------------------------------------------------------ */

static void put_base64(char out[STATE_RANDOM], const uint8_t bytes[32])
{
    sodium_bin2base64(out, STATE_RANDOM, bytes, 32, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void state_random_text(char out[STATE_RANDOM])
{
    uint8_t bytes[32];
    randombytes_buf(bytes, sizeof bytes);
    put_base64(out, bytes);
    secret_wipe(bytes, sizeof bytes);
}

void state_hash_text(char out[STATE_RANDOM], const char *text)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const uint8_t *)text, strlen(text));
    put_base64(out, hash);
}
