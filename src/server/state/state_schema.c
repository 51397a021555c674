#include "server/state/state_int.h"

/* Times are ms UTC. No secret is here in clear: passwords as Argon2id, sessions and tokens as SHA-256, entered secrets sealed (vault/seal.h). */
const char state_schema[] =
    "CREATE TABLE user (tenant_id INTEGER NOT NULL, name TEXT NOT NULL COLLATE NOCASE, role INTEGER NOT NULL, password TEXT, enabled INTEGER NOT NULL,"
    " issuer TEXT, subject TEXT, created_ms INTEGER NOT NULL, last_login_ms INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (tenant_id, name), UNIQUE (tenant_id, issuer, subject)) STRICT, WITHOUT ROWID;"

    /* At most one: the token of the first start. */
    "CREATE TABLE setup (tenant_id INTEGER NOT NULL, hash TEXT NOT NULL, expires_ms INTEGER NOT NULL, PRIMARY KEY (tenant_id)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE session (tenant_id INTEGER NOT NULL, hash TEXT NOT NULL, user TEXT NOT NULL COLLATE NOCASE, address TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL, PRIMARY KEY (tenant_id, hash)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX session_of_user ON session (tenant_id, user);"

    "CREATE TABLE token (tenant_id INTEGER NOT NULL, token_id INTEGER NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL COLLATE NOCASE, role INTEGER NOT NULL,"
    " hash TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, last_used_ms INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (tenant_id, token_id), UNIQUE (tenant_id, hash)) STRICT, WITHOUT ROWID;"

    /* Log-ins that failed: subject is "name:..." or "from:...". */
    "CREATE TABLE refusal (tenant_id INTEGER NOT NULL, subject TEXT NOT NULL, n INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
    " PRIMARY KEY (tenant_id, subject)) STRICT, WITHOUT ROWID;"

    /* entry: canonical JSON, of which (with the hash before) hash is made. head: the newest, so that a cut tail is seen. */
    "CREATE TABLE audit (tenant_id INTEGER NOT NULL, audit_id INTEGER NOT NULL, entry TEXT NOT NULL, hash TEXT NOT NULL,"
    " PRIMARY KEY (tenant_id, audit_id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE audit_head (tenant_id INTEGER NOT NULL, audit_id INTEGER NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (tenant_id)) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;"
    "CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;"

    "CREATE TABLE document (tenant_id INTEGER NOT NULL, kind TEXT NOT NULL, owner TEXT NOT NULL, document_id TEXT NOT NULL, version INTEGER NOT NULL,"
    " updated_ms INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (tenant_id, kind, owner, document_id)) STRICT, WITHOUT ROWID;"

    /* settings: as entered, without secrets. must_enter: keys whose entered value was emptied, separated by spaces. */
    "CREATE TABLE connector (tenant_id INTEGER NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, settings TEXT NOT NULL, enabled INTEGER NOT NULL,"
    " must_enter TEXT NOT NULL DEFAULT '', created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, version INTEGER NOT NULL,"
    " PRIMARY KEY (tenant_id, name)) STRICT, WITHOUT ROWID;"

    /* owner: "connector:corp", "settings". bound: what sealed opens with (seal.h). */
    "CREATE TABLE secret (tenant_id INTEGER NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, sealed TEXT NOT NULL, bound TEXT NOT NULL,"
    " updated_ms INTEGER NOT NULL, PRIMARY KEY (tenant_id, owner, name)) STRICT, WITHOUT ROWID;";
