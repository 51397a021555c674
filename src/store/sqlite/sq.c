#include "store/sqlite/bulk.h"
#include "store/sqlite_class.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

const char *const sql_text[SQL_COUNT] = {
#define X(id, text) text,
    SQL_STATEMENTS(X)
#undef X
};

/* --- errors ----------------------------------------------------------------------------------- */

static int io_class(int system_errno)
{
    if (system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG) return ERR_LIMIT;
    if (system_errno == EACCES || system_errno == EPERM || system_errno == EROFS) return ERR_DENIED;
    return ERR_BUG;
}

static bool is_read_only(const char *path)
{
    struct statvfs fs;
    return statvfs(path, &fs) == 0 && fs.f_flag & ST_RDONLY;
}

/* By errno where SQLite has kept it, which it does not always (EDQUOT, EFBIG): a file that cannot be written
 * to or grow, and is not known to have failed, is on a full disk. */
static int io_error_class(const struct sq *q)
{
    if (!q->db) return ERR_BUG;
    if (is_read_only(q->path)) return ERR_DENIED; /* as the kernel makes it after errors */
    int saved = sqlite3_system_errno(q->db), extended = sqlite3_extended_errcode(q->db);
    bool is_growing = extended == SQLITE_IOERR_SHMSIZE || extended == SQLITE_IOERR_WRITE;
    return saved != EIO && is_growing ? ERR_LIMIT : io_class(saved);
}

static int open_class(const struct sq *q)
{
    int saved = q->db ? sqlite3_system_errno(q->db) : 0;
    return saved == EIO || saved == ENOSPC || saved == EDQUOT ? io_class(saved) : ERR_DENIED;
}

static int class_of(const struct sq *q, int rc)
{
    if ((rc & 0xff) == SQLITE_CANTOPEN) return open_class(q);
    if ((rc & 0xff) == SQLITE_IOERR) return io_error_class(q);
    return sqlite_class(rc);
}

static void hint_of(int class, int rc, struct err *e)
{
    if ((rc & 0xff) == SQLITE_CORRUPT) {
        err_hint(
            e,
            "the file is damaged: keep it, restore the last backup (rollcall server restore) and sync again");
    } else if (((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN) && class == ERR_BUG) {
        err_hint(e, "look at the disk and the system's log; what was visible before is untouched");
    } else if (rc == SQLITE_NOMEM) {
        err_hint(e, "give it more memory: see ulimit -v, the MemoryMax of its service, or the memory of the machine");
    } else if (class == ERR_LIMIT) {
        err_hint(e, "free space on the disk of the store; what was visible before is untouched");
    } else if (class == ERR_DENIED) {
        err_hint(e, "the file and its directory must be writable for the user rollcall runs as");
    } else if (class == ERR_CONFLICT) {
        err_hint(e, "another process is writing to the store for a long time; try again");
    } else if (class == ERR_INPUT) {
        err_hint(e, "name another file in the setting store, or move this one away");
    }
}

int sq_error(const struct sq *q, int rc, struct err *e, const char *what)
{
    int class = class_of(q, rc), system_errno = q->db ? sqlite3_system_errno(q->db) : 0;
    const char *text = q->db ? sqlite3_errmsg(q->db) : sqlite3_errstr(rc);
    char reason[128] = "", place[512] = "";
    if (((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN) && system_errno)
        snprintf(reason, sizeof reason, " (%s)", strerrordesc_np(system_errno));
    if (*what) snprintf(place, sizeof place, "%s: ", what);
    err_set(e, (enum err_class) class, "store %s: %s%s%s", q->path, place, text, reason);
    err_code(e, DOM_SQLITE, q->db ? sqlite3_extended_errcode(q->db) : rc);
    hint_of(class, rc, e);
    return class;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* One that is there already is not opened here: closing it would drop the POSIX locks that SQLite holds on it for other handles of this process
 * (sqlite.org/howtocorrupt.html 2.2), and another process would then take the write-ahead log away from under them. */
static int explain_existing(const char *path)
{
    struct stat is;
    if (stat(path, &is) < 0) return errno;
    if (S_ISDIR(is.st_mode)) return EISDIR;
    return access(path, R_OK) == 0 ? 0 : errno; /* if it is only readable, sq_open goes on and says what it cannot do */
}

/* SQLite gives its -wal and -shm files the mode of the main one, so making that one right makes all right. */
static int make_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), saved = errno;
    if (fd >= 0) {
        close(fd);
        return 0;
    }
    if (saved == EEXIST && (saved = explain_existing(path)) == 0) return 0;
    int class = io_class(saved);
    if (class == ERR_BUG) class = ERR_INPUT;
    err_errno(e, (enum err_class) class, saved, "store %s", path);
    return err_hint(e, saved == ENOENT
                           ? "make the directory first, or name another in the setting store"
                           : "the file and its directory must be writable for the user rollcall runs as");
}

int sq_open(struct sq *q, const char *path, bool create, struct err *e)
{
    memset(q, 0, sizeof *q);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* refused once SQLite runs, which is as well */
    if (create) try(make_file(path, e));
    q->path = x_strdup(str_from(path));
    int rc = sqlite3_open_v2(path, &q->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        sq_error(q, rc, e, "");
        sq_close(q);
        return (int)e->class;
    }
    sqlite3_extended_result_codes(q->db, 1);
    sqlite3_busy_timeout(q->db, SQ_BUSY_MS);
    sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(q->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    rc = bulk_register(q, e);
    if (rc < 0) sq_close(q);
    return rc;
}

void sq_close(struct sq *q)
{
    for (size_t i = 0; i < SQL_COUNT; i++)
        for (size_t k = 0; k < SQ_SLOTS; k++) sqlite3_finalize(q->pool[i][k].statement);
    sqlite3_close_v2(q->db);
    free(q->path);
    memset(q, 0, sizeof *q);
}

/* --- statements ------------------------------------------------------------------------------- */

int sq_exec(struct sq *q, const char *sql, struct err *e)
{
    int rc = sqlite3_exec(q->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : sq_error(q, rc, e, "");
}

static int query_one(struct sq *q, const char *sql, sqlite3_stmt **out, bool *has_row, struct err *e)
{
    int rc = sqlite3_prepare_v2(q->db, sql, -1, out, NULL);
    if (rc != SQLITE_OK) return sq_error(q, rc, e, "");
    int stepped = sq_step(q, *out, e);
    *has_row = stepped > 0;
    return stepped < 0 ? stepped : 0;
}

int sq_number(struct sq *q, const char *sql, int64_t *out, struct err *e)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    int rc = query_one(q, sql, &s, &has_row, e);
    *out = has_row ? sq_col_int(s, 0) : 0;
    sqlite3_finalize(s);
    return rc;
}

int sq_word(struct sq *q, const char *sql, char *out, size_t size, struct err *e)
{
    sqlite3_stmt *s = NULL;
    bool has_row = false;
    int rc = query_one(q, sql, &s, &has_row, e);
    out[0] = 0;
    if (has_row) snprintf(out, size, "%.*s", STR_FMT(sq_col_text(s, 0)));
    sqlite3_finalize(s);
    return rc;
}

int sq_take(struct sq *q, enum sql id, sqlite3_stmt **out, struct err *e)
{
    size_t slot = 0;
    while (slot < SQ_SLOTS && q->pool[id][slot].taken) slot++;
    if (slot < SQ_SLOTS && q->pool[id][slot].statement) {
        q->pool[id][slot].taken = true;
        *out = q->pool[id][slot].statement;
        return 0;
    }
    int rc = sqlite3_prepare_v3(q->db, sql_text[id], -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    if (rc != SQLITE_OK) return sq_error(q, rc, e, "");
    if (slot < SQ_SLOTS) {
        q->pool[id][slot].statement = *out;
        q->pool[id][slot].taken = true;
    }
    return 0;
}

void sq_give(struct sq *q, enum sql id, sqlite3_stmt *s)
{
    if (!s) return;
    for (size_t slot = 0; slot < SQ_SLOTS; slot++) {
        if (s != q->pool[id][slot].statement) continue;
        sqlite3_reset(s);
        q->pool[id][slot].taken = false;
        return;
    }
    sqlite3_finalize(s);
}

int sq_step(struct sq *q, sqlite3_stmt *s, struct err *e)
{
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) return 1;
    if (rc == SQLITE_DONE) return 0;
    int class = sq_error(q, rc, e, "");
    sqlite3_reset(s);
    return class;
}

int sq_run(struct sq *q, sqlite3_stmt *s, struct err *e)
{
    int rc = sqlite3_step(s);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
        int class = sq_error(q, rc, e, "");
        sqlite3_reset(s);
        return class;
    }
    sqlite3_reset(s);
    return 0;
}

static int take_bound(struct sq *q, enum sql id, size_t n, const int64_t *numbers, sqlite3_stmt **out,
                      struct err *e)
{
    try(sq_take(q, id, out, e));
    for (size_t i = 0; i < n; i++) sq_int(*out, (int)i + 1, numbers[i]);
    return 0;
}

int sq_do(struct sq *q, enum sql id, size_t n, const int64_t *numbers, struct err *e)
{
    sqlite3_stmt *s;
    try(take_bound(q, id, n, numbers, &s, e));
    int rc = sq_run(q, s, e);
    sq_give(q, id, s);
    return rc;
}

int sq_get_number(struct sq *q, enum sql id, size_t n, const int64_t *numbers, int64_t *out, struct err *e)
{
    sqlite3_stmt *s;
    try(take_bound(q, id, n, numbers, &s, e));
    int rc = sq_step(q, s, e);
    if (rc > 0) *out = sq_col_int(s, 0);
    sq_give(q, id, s);
    return rc < 0 ? rc : 0;
}

struct hash128 sq_col_hash(sqlite3_stmt *s, int at)
{
    struct hash128 h = {0, 0};
    struct bytes b = sq_col_blob(s, at);
    if (b.len == sizeof h) memcpy(&h, b.ptr, sizeof h);
    return h;
}
