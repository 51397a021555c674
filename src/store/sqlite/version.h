/* version.h - an entity as of a run: its narrow half (a version), its wide half (a body), its lists.
 *
 * Rows are found by "the newest that is not newer than": as_of is a connector's visible run for readers, and
 * a run's own id for a run that reads what it has written.
 */
#ifndef ROLLCALL_STORE_SQLITE_VERSION_H
#define ROLLCALL_STORE_SQLITE_VERSION_H

#include "store/sqlite/handle.h"

/* The narrow half of an entity as of a run. */
struct version {
    uint32_t seq;
    enum kind kind;
    uint8_t guid[GUID_SIZE];
    struct hash128 hash, links_hash;
    int64_t body_run, first_run, changed_run, deleted_run;
    enum evidence evidence;
    int64_t sd_id; /* 0 none */
    struct bytes stats;
};
/* From a row of VERSION_COLUMNS; stats are borrowed from the row, or copied to `strings`. */
struct version version_of_row(sqlite3_stmt *s, struct arena *strings);
/* Without stats if `strings` is NULL. */
int version_get(struct sqlite_store *s, int64_t entity_id, int64_t as_of, struct version *out, bool *found,
                struct arena *strings, struct err *e) must_use;

/* The wide half, read back. */
struct body {
    struct record record; /* kind not set */
    struct str name;
    sqlite3_stmt *statement;
};
/* The body row of that run; ERR_BUG if it is not there. Borrowed until body_close. */
int body_open(struct body *b, struct sqlite_store *s, int64_t entity_id, int64_t run, struct err *e) must_use;
void body_close(struct body *b, struct sqlite_store *s);
int sd_read(struct buf *out, struct sqlite_store *s, int64_t sd_id, struct err *e) must_use;
/* Appends the newest list that is not newer than as_of; nothing if there is none. */
int links_read(struct buf *out, struct sqlite_store *s, enum links_side side, int64_t entity_id,
               int64_t as_of, struct err *e) must_use;

#endif
