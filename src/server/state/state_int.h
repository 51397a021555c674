/* state_int.h - the state file for the modules that keep rows in it. Internal to server/.
 *
 *     try(state_begin(s, e));                                    // takes the lock; may be nested
 *     int rc = state_run(s, e, "UPDATE thing SET n = ? WHERE tenant_id = 1 AND id = ?", "is", n, id);
 *     return state_end(s, rc, e);                                // commits, or rolls back if rc < 0; gives the lock back
 *
 * One connection under one recursive lock: a statement outside of a transaction takes the lock for itself. A statement's values are told by letters:
 * i int64_t, s C string (NULL: NULL), t struct str, b struct bytes. Rows belong to the callback only for its call.
 * Tables begin every key with tenant_id, which is TENANT until there is more than one. A module that has tables of its own defines them when it is
 * opened (state_define).
 */
#ifndef ROLLCALL_SERVER_STATE_INT_H
#define ROLLCALL_SERVER_STATE_INT_H

#include "base/when.h"
#include "server/state/state.h"

#include <sqlite3.h>

#define TENANT "1"

struct seal *state_seal(const struct state *s); /* NULL: opened without */
int64_t state_now_ms(const struct state *s);
/* Another clock, for tests. NULL: the wall clock. */
void state_set_clock(struct state *s, int64_t (*now_ms)(void));

int state_begin(struct state *s, struct err *e) must_use;
/* rc: how the work went; what it returns. A failed inner transaction undoes only its own. */
int state_end(struct state *s, int rc, struct err *e) must_use;

/* The statement gives no rows. */
int state_run(struct state *s, struct err *e, const char *sql, const char *types, ...) must_use;
int64_t state_changes(const struct state *s); /* rows that the last one changed; within a transaction */
int64_t state_last_id(const struct state *s); /* of the last INSERT; within a transaction */
/* row for each; a negative return ends it and is returned. row NULL: only counts. Returns the number of rows. */
typedef int state_row(void *ctx, sqlite3_stmt *row, struct err *e);
int state_rows(struct state *s, struct err *e, state_row *row, void *ctx, const char *sql, const char *types, ...) must_use;
/* First column of the first row as a number; fallback without one. */
int state_number(struct state *s, int64_t *out, int64_t fallback, struct err *e, const char *sql, const char *types, ...) must_use;
/* CREATE TABLE IF NOT EXISTS ... of a module, in one transaction. */
int state_define(struct state *s, const char *sql, struct err *e) must_use;

/* Values of a row; borrowed from it. */
static inline int64_t row_int(sqlite3_stmt *r, int at)
{
    return sqlite3_column_int64(r, at);
}
static inline struct str row_text(sqlite3_stmt *r, int at)
{
    const unsigned char *p = sqlite3_column_text(r, at);
    return (struct str){p ? (const char *)p : "", (size_t)sqlite3_column_bytes(r, at)};
}
static inline bool row_is_null(sqlite3_stmt *r, int at)
{
    return sqlite3_column_type(r, at) == SQLITE_NULL;
}

/* The tables; each change is a new format with a step from the one before. */
extern const char state_schema[]; /* of version STATE_FORMAT */
#define STATE_FORMAT      1
#define STATE_APPLICATION 0x72635356 /* "rcSV" */

/* A random text of 32 bytes, base64url without padding (43 characters and NUL), and the SHA-256 of one in the same form. */
#define STATE_RANDOM 44
void state_random_text(char out[STATE_RANDOM]);
void state_hash_text(char out[STATE_RANDOM], const char *text);

#endif
