/* state_check.c - the state file as a whole: copied, proved, claimed by the one server that serves it. */
#include "server/state/audit.h"
#include "server/state/state_int.h"
#include "server/state/state_secrets.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* --- copying -------------------------------------------------------------------------------------------------- */

static int copy_pages(sqlite3 *to, sqlite3 *from)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    if (!b) return sqlite3_errcode(to);
    int rc;
    /* All pages in one step: one snapshot. Piece by piece it would begin anew whenever a sync writes. */
    while ((rc = sqlite3_backup_step(b, -1)) == SQLITE_BUSY || rc == SQLITE_LOCKED) sqlite3_sleep(20);
    int finished = sqlite3_backup_finish(b);
    return rc == SQLITE_DONE ? finished : rc;
}

static int make_private(const char *path, struct err *e)
{
    defer_close int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) return 0;
    int saved = errno;
    err_errno(e, saved == EEXIST ? ERR_CONFLICT : saved == ENOSPC ? ERR_LIMIT : saved == ENOENT ? ERR_NOTFOUND : ERR_DENIED, saved, "%s", path);
    return saved == EEXIST ? err_hint(e, "name a directory without an earlier backup") : ERR_DENIED;
}

static int sync_file(const char *path, struct err *e)
{
    defer_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? 0 : err_errno(e, ERR_LIMIT, errno, "%s: fsync", path);
}

/* The copy is one file without a journal beside it. */
static int copy_to(sqlite3 *from, const char *path, struct err *e)
{
    sqlite3 *to = NULL;
    int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) rc = copy_pages(to, from);
    if (rc == SQLITE_OK) rc = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    if (rc != SQLITE_OK) err_set(e, (rc & 0xff) == SQLITE_FULL ? ERR_LIMIT : ERR_BUG, "%s: %s", path, sqlite3_errstr(rc));
    sqlite3_close_v2(to);
    return rc == SQLITE_OK ? sync_file(path, e) : (int)e->class;
}

/* Over a connection of its own: nobody waits. */
int state_copy_database(const char *from, const char *to, struct err *e)
{
    sqlite3 *db = NULL;
    try(make_private(to, e));
    int rc = sqlite3_open_v2(from, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_busy_timeout(db, 20000);
    rc = rc == SQLITE_OK ? copy_to(db, to, e) : err_set(e, ERR_DENIED, "%s: %s", from, sqlite3_errstr(rc));
    sqlite3_close_v2(db);
    if (rc < 0) unlink(to);
    return rc;
}

/* --- proving -------------------------------------------------------------------------------------------------- */

struct telling {
    void (*tell)(void *ctx, const char *line);
    void *ctx;
    int n_bad;
};

static int take_line(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct telling *t = ctx;
    char line[512];
    struct str text = row_text(row, 0);
    if (str_equal(text, STR("ok"))) return 0;
    snprintf(line, sizeof line, "integrity: %.*s", text.len > 400 ? 400 : (int)text.len, text.ptr);
    t->tell(t->ctx, line);
    t->n_bad++;
    return 0;
}

static int check_integrity(struct state *s, struct telling *t, struct err *e)
{
    try(state_rows(s, e, take_line, t, "PRAGMA integrity_check(20)", ""));
    return 0;
}

static void check_audit(struct state *s, struct telling *t)
{
    uint64_t n;
    char head[65], line[1024];
    struct err e = {0};
    int rc = audit_verify(s, &n, head, &e);
    if (rc == 0)
        snprintf(line, sizeof line, "audit log: %llu entries, each fits the one before", (unsigned long long)n);
    else
        snprintf(line, sizeof line, "%.900s", e.message);
    t->tell(t->ctx, line);
    t->n_bad += rc < 0;
}

static void check_secrets(struct state *s, struct telling *t)
{
    uint64_t n;
    char line[1024];
    struct err e = {0};
    if (!state_seal(s)) return;
    int rc = state_check_secrets(s, &n, t->tell, t->ctx, &e);
    if (rc == 0) snprintf(line, sizeof line, "secrets: %llu, all of them open", (unsigned long long)n);
    if (rc == 0) t->tell(t->ctx, line);
    t->n_bad += rc < 0;
}

int state_check(struct state *s, void (*tell)(void *ctx, const char *line), void *ctx, struct err *e)
{
    struct telling t = {tell, ctx, 0};
    try(check_integrity(s, &t, e));
    check_audit(s, &t);
    check_secrets(s, &t);
    if (!t.n_bad) return 0;
    err_set(e, ERR_BUG, "state file %s: something is wrong with it", state_path(s));
    return err_hint(e, "keep a copy of the file as it is; rollcall server restore brings a backup back");
}

static int take_problem(void *ctx, int n, char **values, char **names)
{
    struct telling *t = ctx;
    if (!values[0] || strcmp(values[0], "ok") == 0) return 0;
    t->tell(t->ctx, values[0]);
    t->n_bad++;
    return 0;
}

int state_check_database(const char *path, void (*tell)(void *ctx, const char *line), void *ctx, struct err *e)
{
    struct telling t = {tell, ctx, 0};
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_busy_timeout(db, 20000);
    if (rc == SQLITE_OK) rc = sqlite3_exec(db, "PRAGMA integrity_check(20)", take_problem, &t, NULL);
    sqlite3_close_v2(db);
    if (rc == SQLITE_OK && !t.n_bad) return 0;
    err_set(e, ERR_BUG, "%s: %s", path, rc == SQLITE_OK ? "is damaged" : sqlite3_errstr(rc));
    return err_hint(e, "keep a copy of it; rollcall server restore brings a backup back");
}

/* --- the one server ----------------------------------------------------------------------------------------------- */

static int claim(int fd, const char *path, struct err *e)
{
    char text[64] = "";
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) == 0) {
        snprintf(text, sizeof text, "%ld\n", (long)getpid());
        return ftruncate(fd, 0) < 0 ? err_errno(e, ERR_LIMIT, errno, "lock file %s", path) : file_write_all(fd, bytes_of(str_from(text)), e);
    }
    if (errno != EAGAIN && errno != EACCES) return err_errno(e, ERR_DENIED, errno, "lock file %s", path);
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? strcspn(text, "\n") : 0] = 0;
    err_set(e, ERR_CONFLICT, "a server is running on this store (pid %s)", *text ? text : "unknown");
    return err_hint(e, "stop it first (systemctl stop rollcall); its lock goes with it");
}

int state_claim(int *out_fd, const char *store_path, struct err *e)
{
    struct buf path = buf_new(8192);
    buf_printf(&path, "%s.server.lock", store_path);
    int rc = 0, fd = open(buf_cstr(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        int saved = errno;
        rc = err_errno(e, saved == ENOSPC ? ERR_LIMIT : ERR_DENIED, saved, "lock file %s", buf_cstr(&path));
        err_hint(e, "the directory of the store must be writable for the user rollcall runs as");
    } else {
        rc = claim(fd, buf_cstr(&path), e);
    }
    buf_free(&path);
    if (rc < 0 && fd >= 0) close(fd);
    if (rc == 0) *out_fd = fd;
    return rc;
}
