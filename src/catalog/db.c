#include "catalog/db.h"

#include "store/sqlite_class.h"

#include <stdlib.h>

int db_error(const struct db *d, int rc, struct err *e)
{
    /* a catalog that is not there is made: that is no refusal */
    int class = (rc & 0xff) == SQLITE_CANTOPEN ? ERR_NOTFOUND : sqlite_class(rc);
    err_set(e, (enum err_class)class, "catalog %s: %s", d->path, d->db ? sqlite3_errmsg(d->db) : sqlite3_errstr(rc));
    err_code(e, DOM_SQLITE, rc);
    if (class == ERR_BUG || class == ERR_INPUT) return err_hint(e, "nothing in this file is lost: remove it, the next run makes it again");
    if (class == ERR_LIMIT) return err_hint(e, "free space on the disk of the store");
    return class;
}

int db_open(struct db *d, const char *path, int flags, const char *const *sql, size_t n, struct err *e)
{
    *d = (struct db){.path = x_strdup(str_from(path)), .sql = sql, .made = x_zalloc(n * sizeof *d->made), .n = n};
    int rc = sqlite3_open_v2(path, &d->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_busy_timeout(d->db, 10000);
        return 0;
    }
    db_error(d, rc, e);
    db_close(d);
    return (int)e->class;
}

void db_close(struct db *d)
{
    for (size_t i = 0; d->made && i < d->n; i++) sqlite3_finalize(d->made[i]);
    sqlite3_close(d->db);
    free(d->made);
    free(d->path);
    *d = (struct db){0};
}

int db_exec(struct db *d, const char *sql, struct err *e)
{
    int rc = sqlite3_exec(d->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : db_error(d, rc, e);
}

int db_take(struct db *d, size_t id, sqlite3_stmt **out, struct err *e)
{
    sqlite3_stmt **s = &d->made[id];
    if (!*s) {
        int rc = sqlite3_prepare_v3(d->db, d->sql[id], -1, SQLITE_PREPARE_PERSISTENT, s, NULL);
        if (rc != SQLITE_OK) return db_error(d, rc, e);
    }
    sqlite3_reset(*s);
    sqlite3_clear_bindings(*s);
    *out = *s;
    return 0;
}

int db_step(struct db *d, sqlite3_stmt *s, struct err *e)
{
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) return 1;
    if (rc != SQLITE_DONE) {
        int class = db_error(d, rc, e);
        sqlite3_reset(s);
        return class;
    }
    sqlite3_reset(s);
    return 0;
}

int db_run(struct db *d, sqlite3_stmt *s, struct err *e)
{
    int rc = db_step(d, s, e);
    if (rc > 0) sqlite3_reset(s);
    return rc < 0 ? rc : 0;
}

int db_number(struct db *d, size_t id, size_t n, const int64_t *values, int64_t fallback, int64_t *out, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(d, id, &s, e));
    for (size_t i = 0; i < n; i++) db_int(s, (int)i + 1, values[i]);
    int rc = db_step(d, s, e);
    if (rc < 0) return rc;
    *out = rc ? sqlite3_column_int64(s, 0) : fallback;
    sqlite3_reset(s);
    return 0;
}
