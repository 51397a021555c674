/* sq.h - SQLite with our errors: statements taken from a pool by name, values in and out as bytes and str.
 *
 * A statement that is taken is nobody else's until it is given back, so a callback may call the store again.
 * Native errors become classes: FULL is LIMIT, READONLY and PERM are DENIED, NOTADB is INPUT, BUSY is
 * CONFLICT, CORRUPT is BUG.
 */
#ifndef ROLLCALL_STORE_SQLITE_SQ_H
#define ROLLCALL_STORE_SQLITE_SQ_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "store/sqlite/sql.h"

#include <sqlite3.h>

#define SQ_SLOTS   4
#define SQ_BUSY_MS 30000 /* how long a writer waits for another */

struct bulk;
struct sq {
    sqlite3 *db;
    char *path;
    const struct bulk *bulk; /* what the virtual table shows now; bulk.h */
    struct {
        sqlite3_stmt *statement;
        bool taken;
    } pool[SQL_COUNT][SQ_SLOTS]; /* one for each depth of calls within calls that is common */
};

/* Opens the file, making it with mode 0600 if `create`. Says nothing about what is in it. */
int sq_open(struct sq *q, const char *path, bool create, struct err *e) must_use;
void sq_close(struct sq *q);
/* Maps the error that db has now; returns the class. */
int sq_error(const struct sq *q, int rc, struct err *e, const char *what);
int sq_exec(struct sq *q, const char *sql, struct err *e) must_use;
/* First column of the first row of a pragma or query as a number, 0 without a row. */
int sq_number(struct sq *q, const char *sql, int64_t *out, struct err *e) must_use;
/* The same as text, cut to size. */
int sq_word(struct sq *q, const char *sql, char *out, size_t size, struct err *e) must_use;

int sq_take(struct sq *q, enum sql id, sqlite3_stmt **out, struct err *e) must_use;
void sq_give(struct sq *q, enum sql id, sqlite3_stmt *s);
/* 1: a row; 0: done; negative: failed. */
int sq_step(struct sq *q, sqlite3_stmt *s, struct err *e) must_use;
/* One that gives no rows: steps and resets. */
int sq_run(struct sq *q, sqlite3_stmt *s, struct err *e) must_use;
/* Takes, binds n numbers from 1, runs, gives back. */
int sq_do(struct sq *q, enum sql id, size_t n, const int64_t *numbers, struct err *e) must_use;
#define SQ_DO(q, id, e, ...)                                                                                 \
    sq_do(q, id, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__}, e)
/* The one number of the one row; *out untouched without a row. */
int sq_get_number(struct sq *q, enum sql id, size_t n, const int64_t *numbers, int64_t *out,
                  struct err *e) must_use;

/* Values are borrowed until the statement has run. */
static inline void sq_int(sqlite3_stmt *s, int at, int64_t v)
{
    sqlite3_bind_int64(s, at, v);
}
static inline void sq_blob(sqlite3_stmt *s, int at, struct bytes b)
{
    sqlite3_bind_blob64(s, at, b.len ? (const void *)b.ptr : "", b.len, SQLITE_STATIC);
}
static inline void sq_text(sqlite3_stmt *s, int at, struct str t)
{
    sqlite3_bind_text64(s, at, t.len ? t.ptr : "", t.len, SQLITE_STATIC, SQLITE_UTF8);
}
static inline void sq_hash(sqlite3_stmt *s, int at, const struct hash128 *h)
{
    sqlite3_bind_blob(s, at, h, sizeof *h, SQLITE_STATIC);
}
static inline int64_t sq_col_int(sqlite3_stmt *s, int at)
{
    return sqlite3_column_int64(s, at);
}
static inline struct bytes sq_col_blob(sqlite3_stmt *s, int at)
{
    const void *p = sqlite3_column_blob(s, at);
    return (struct bytes){p, (size_t)sqlite3_column_bytes(s, at)};
}
static inline struct str sq_col_text(sqlite3_stmt *s, int at)
{
    const unsigned char *p = sqlite3_column_text(s, at);
    return (struct str){(const char *)p, (size_t)sqlite3_column_bytes(s, at)};
}
/* All zero if the column has another length. */
struct hash128 sq_col_hash(sqlite3_stmt *s, int at);

#endif
