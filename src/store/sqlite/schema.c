#include "store/sqlite/schema.h"

#include "base/when.h"

#include <poll.h>

#define EXPAND(x) #x
#define TEXT(x)   EXPAND(x)

/* clang-format off */
static const char ddl[] =
    /* hash_key: of every fingerprint and hint in this file */
    "CREATE TABLE meta (tenant_id INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY (tenant_id, name)) STRICT, WITHOUT ROWID;"

    /* visible_run: what readers see; purged_run: up to where superseded rows are gone */
    "CREATE TABLE connector (tenant_id INTEGER NOT NULL, connector_id INTEGER NOT NULL, name TEXT NOT NULL,"
    " source TEXT NOT NULL, visible_run INTEGER NOT NULL, next_seq INTEGER NOT NULL, purged_run INTEGER NOT NULL,"
    " PRIMARY KEY (tenant_id, connector_id), UNIQUE (tenant_id, name)) STRICT, WITHOUT ROWID;"

    /* status: enum run_status; phase 1: memberships and changes are being written */
    "CREATE TABLE run (tenant_id INTEGER NOT NULL, run_id INTEGER NOT NULL, connector_id INTEGER NOT NULL,"
    " mode TEXT NOT NULL, status INTEGER NOT NULL, phase INTEGER NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER,"
    " server TEXT, requests INTEGER, bytes INTEGER, n_changes INTEGER, members_added INTEGER, members_removed INTEGER,"
    " gaps_info INTEGER, gaps_loss INTEGER, domain BLOB, error_class TEXT, error_message TEXT, error_hint TEXT,"
    " PRIMARY KEY (tenant_id, run_id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX run_connector ON run (tenant_id, connector_id, run_id);"

    /* present: entities of the kind that are there after the run */
    "CREATE TABLE run_kind (tenant_id INTEGER NOT NULL, run_id INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " read INTEGER NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL, deleted INTEGER NOT NULL,"
    " held INTEGER NOT NULL, present INTEGER NOT NULL,"
    " PRIMARY KEY (tenant_id, run_id, kind)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE gap (tenant_id INTEGER NOT NULL, run_id INTEGER NOT NULL, number INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, severity INTEGER NOT NULL, what TEXT NOT NULL, place TEXT NOT NULL, fix TEXT NOT NULL,"
    " PRIMARY KEY (tenant_id, run_id, number)) STRICT, WITHOUT ROWID;"

    /* security descriptors, once per connector and content; sd_id: connector_id << 32 | number */
    "CREATE TABLE sd (tenant_id INTEGER NOT NULL, sd_id INTEGER NOT NULL, connector_id INTEGER NOT NULL,"
    " hash BLOB NOT NULL, descriptor BLOB NOT NULL,"
    " PRIMARY KEY (tenant_id, sd_id), UNIQUE (tenant_id, connector_id, hash)) STRICT;"

    /* identities, only ever added */
    "CREATE TABLE entity (tenant_id INTEGER NOT NULL, connector_id INTEGER NOT NULL, guid BLOB NOT NULL,"
    " entity_id INTEGER NOT NULL,"
    " PRIMARY KEY (tenant_id, connector_id, guid)) STRICT, WITHOUT ROWID;"

    /* what an entity was as of a run: the narrow half, read from end to end by every run */
    "CREATE TABLE version (tenant_id INTEGER NOT NULL, entity_id INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, guid BLOB NOT NULL, hash BLOB NOT NULL, links_hash BLOB NOT NULL, body_run INTEGER NOT NULL,"
    " first_run INTEGER NOT NULL, changed_run INTEGER NOT NULL, deleted_run INTEGER NOT NULL, evidence INTEGER NOT NULL,"
    " sd_id INTEGER NOT NULL, stats BLOB NOT NULL,"
    " PRIMARY KEY (tenant_id, entity_id, run_id DESC)) STRICT, WITHOUT ROWID;"

    /* the wide half; here and wherever a row may be long a table with rowids: in a key-ordered one, every look-up
       that passes a long row reads all of it */
    "CREATE TABLE body (tenant_id INTEGER NOT NULL, entity_id INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " dn TEXT NOT NULL, name TEXT NOT NULL, sid BLOB NOT NULL, state BLOB NOT NULL,"
    " PRIMARY KEY (tenant_id, entity_id, run_id)) STRICT;"

    /* hints.h: numbers by which names are found, many to a row, the first one as its key */
    "CREATE TABLE lookup (tenant_id INTEGER NOT NULL, connector_id INTEGER NOT NULL, first INTEGER NOT NULL,"
    " hints BLOB NOT NULL,"
    " PRIMARY KEY (tenant_id, connector_id, first)) STRICT, WITHOUT ROWID;"

    /* side 1: what a group's or an account's links name and nobody has, lstr after lstr; 2: the members of a group,
       3: the groups of an entity (idlist.h) */
    "CREATE TABLE links (tenant_id INTEGER NOT NULL, side INTEGER NOT NULL, entity_id INTEGER NOT NULL,"
    " run_id INTEGER NOT NULL, list BLOB NOT NULL,"
    " PRIMARY KEY (tenant_id, side, entity_id, run_id DESC)) STRICT;"

    /* change_id: run_id << 30 | number in the run */
    "CREATE TABLE change (tenant_id INTEGER NOT NULL, change_id INTEGER NOT NULL, entity_id INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, type INTEGER NOT NULL, name TEXT NOT NULL, attribute TEXT, old BLOB, new BLOB,"
    " member_id INTEGER, member_kind INTEGER, member_name TEXT, evidence INTEGER,"
    " PRIMARY KEY (tenant_id, change_id)) STRICT;"
    "CREATE INDEX change_entity ON change (tenant_id, entity_id);"
    "CREATE INDEX change_member ON change (tenant_id, member_id) WHERE member_id IS NOT NULL;"
    "CREATE TABLE sink_cursor (tenant_id INTEGER NOT NULL, connector_id INTEGER NOT NULL, sink TEXT NOT NULL,"
    " change_id INTEGER NOT NULL,"
    " PRIMARY KEY (tenant_id, connector_id, sink)) STRICT, WITHOUT ROWID;"

    /* named bytes of a connector: what paused it, where its next run goes on */
    "CREATE TABLE note (tenant_id INTEGER NOT NULL, connector_id INTEGER NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY (tenant_id, connector_id, name)) STRICT, WITHOUT ROWID;"

    /* whose run of a connector it is: lease.h */
    LEASE_TABLE

    "INSERT INTO meta (tenant_id, name, value) VALUES (1, 'hash_key', randomblob(16));"
    "PRAGMA application_id = " TEXT(SCHEMA_APPLICATION_ID) ";"
    "PRAGMA user_version = " TEXT(SCHEMA_VERSION) ";";
/* clang-format on */

static int check(struct sq *q, bool *is_empty, struct err *e)
{
    int64_t application, format, objects;
    try(sq_number(q, "PRAGMA application_id", &application, e));
    try(sq_number(q, "PRAGMA user_version", &format, e));
    try(sq_number(q, "SELECT count(*) FROM sqlite_schema", &objects, e));
    *is_empty = application == 0 && format == 0 && objects == 0;
    if (*is_empty) return 0;
    if (application != SCHEMA_APPLICATION_ID) {
        err_set(e, ERR_INPUT, "store %s: an SQLite database, but not one of rollcall", q->path);
        return err_hint(e, "name another file in the setting store");
    }
    if (format > SCHEMA_VERSION) {
        err_set(e, ERR_INPUT, "store %s: format %lld, this rollcall knows formats up to %d", q->path,
                (long long)format, SCHEMA_VERSION);
        return err_hint(e, "use the newer rollcall that wrote it, or another file");
    }
    if (format == SCHEMA_VERSION) return 0;
    err_set(e, ERR_INPUT, "store %s: format %lld, of a rollcall before its first release", q->path, (long long)format);
    return err_hint(e, "move the file away and sync again: the next run writes a new one");
}

/* Two processes may meet here: who comes second finds the tables made. */
static int make(struct sq *q, struct err *e)
{
    bool is_empty;
    try(sq_exec(q, "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE", e));
    int rc = check(q, &is_empty, e);
    if (rc == 0 && is_empty) rc = sq_exec(q, ddl, e);
    if (rc == 0) rc = sq_exec(q, "COMMIT", e);
    if (rc < 0) sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

static int read_key(struct sq *q, struct hash_key *key, struct err *e)
{
    sqlite3_stmt *s;
    try(sq_take(q, SQL_META_GET, &s, e));
    sq_text(s, 1, STR("hash_key"));
    int rc = sq_step(q, s, e);
    struct bytes b = rc > 0 ? sq_col_blob(s, 0) : (struct bytes){NULL, 0};
    if (b.len == sizeof key->bytes)
        memcpy(key->bytes, b.ptr, sizeof key->bytes);
    else if (rc >= 0)
        rc = err_set(e, ERR_BUG, "store %s: the table meta has no hash_key", q->path);
    sq_give(q, SQL_META_GET, s);
    return rc < 0 ? rc : 0;
}

/* In one snapshot: between two of its questions another process may have made the tables. */
static int check_at_once(struct sq *q, bool *is_empty, struct err *e)
{
    try(sq_exec(q, "BEGIN", e));
    int rc = check(q, is_empty, e);
    sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* Of many that come to a new file at once one makes it. SQLite waits for no reader when the journal is switched: it says busy at once. */
static int make_or_find(struct sq *q, struct err *e)
{
    const int64_t until = when_monotonic_ms() + SQ_BUSY_MS;
    for (;;) {
        bool is_empty = false;
        int rc = check_at_once(q, &is_empty, e);
        if (rc == 0 && is_empty) rc = make(q, e);
        if (rc != ERR_CONFLICT || when_monotonic_ms() >= until) return rc;
        poll(NULL, 0, 5);
    }
}

int schema_open(struct sq *q, struct hash_key *key, struct err *e)
{
    try(make_or_find(q, e));
    try(sq_exec(
        q, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384; PRAGMA journal_size_limit = 67108864",
        e));
    return read_key(q, key, e);
}
