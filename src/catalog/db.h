/* db.h - the catalog's SQLite file: statements by name, our errors. Inside the room only.
 */
#ifndef ROLLCALL_CATALOG_DB_H
#define ROLLCALL_CATALOG_DB_H

#include "base/buf.h"
#include "base/err.h"

#include <sqlite3.h>

struct db {
    sqlite3 *db;
    char *path;
    const char *const *sql; /* texts by number */
    sqlite3_stmt **made;    /* by the same number; NULL: not prepared yet */
    size_t n;
};

/* sql: n statements, prepared when they are first used. */
int db_open(struct db *d, const char *path, int flags, const char *const *sql, size_t n, struct err *e) must_use;
void db_close(struct db *d);
/* The class of the error that the file has now. Damage is ERR_BUG, another file ERR_INPUT. */
int db_error(const struct db *d, int rc, struct err *e);
int db_exec(struct db *d, const char *sql, struct err *e) must_use;
/* The numbered statement, reset and without values; one user at a time. */
int db_take(struct db *d, size_t id, sqlite3_stmt **out, struct err *e) must_use;
/* 1: a row; 0: done; negative: failed. */
int db_step(struct db *d, sqlite3_stmt *s, struct err *e) must_use;
/* One that gives no rows. */
int db_run(struct db *d, sqlite3_stmt *s, struct err *e) must_use;
/* The one number of the one row; fallback without a row. Values: n numbers. */
int db_number(struct db *d, size_t id, size_t n, const int64_t *values, int64_t fallback, int64_t *out, struct err *e) must_use;

static inline void db_int(sqlite3_stmt *s, int at, int64_t v)
{
    sqlite3_bind_int64(s, at, v);
}
static inline void db_text(sqlite3_stmt *s, int at, struct str t)
{
    sqlite3_bind_text64(s, at, t.len ? t.ptr : "", t.len, SQLITE_STATIC, SQLITE_UTF8);
}
static inline void db_blob(sqlite3_stmt *s, int at, struct bytes b)
{
    sqlite3_bind_blob64(s, at, b.len ? (const void *)b.ptr : "", b.len, SQLITE_STATIC);
}
static inline struct str db_col_text(sqlite3_stmt *s, int at)
{
    const unsigned char *p = sqlite3_column_text(s, at);
    return (struct str){(const char *)p, (size_t)sqlite3_column_bytes(s, at)};
}
static inline struct bytes db_col_blob(sqlite3_stmt *s, int at)
{
    const void *p = sqlite3_column_blob(s, at);
    return (struct bytes){p, (size_t)sqlite3_column_bytes(s, at)};
}

#endif
