/* sql.h - every statement of the SQLite engine, by name.
 *
 * tenant_id is 1 throughout: one file is one tenant. entity_id is connector_id << 32 | seq, so that a connector's rows are
 * one range of every table. "Newest first" is the order of the keys: (entity_id, run_id DESC).
 */
#ifndef ROLLCALL_STORE_SQLITE_SQL_H
#define ROLLCALL_STORE_SQLITE_SQL_H

#define VERSION_COLUMNS                                                                                      \
    "entity_id, run_id, kind, guid, hash, links_hash, body_run, first_run, changed_run, deleted_run, evidence, sd_id, stats"
#define RUN_COLUMNS                                                                                          \
    "r.run_id, c.name, r.mode, r.server, r.started_ms, r.ended_ms, r.status, r.requests, r.bytes, r.n_changes, "    \
    "r.members_added, r.members_removed, r.gaps_info, r.gaps_loss, r.error_class, r.error_message, r.error_hint"
#define LEASE_TABLE                                                                                          \
    "CREATE TABLE IF NOT EXISTS lease (tenant_id INTEGER NOT NULL, connector_id INTEGER NOT NULL, token INTEGER NOT NULL," \
    " holder TEXT NOT NULL, expires_ms INTEGER NOT NULL, PRIMARY KEY (tenant_id, connector_id)) STRICT, WITHOUT ROWID;"
#define CHANGE_COLUMNS                                                                                       \
    "change_id, entity_id, kind, type, name, attribute, old, new, member_id, member_kind, member_name, evidence"

#define SQL_STATEMENTS(X)                                                                                    \
    /* connectors and runs */                                                                                \
    X(CONNECTOR_GET, "SELECT connector_id, source, visible_run, next_seq, purged_run FROM connector WHERE tenant_id = 1 AND name = ?1") \
    X(CONNECTOR_LIST, "SELECT connector_id, name, visible_run FROM connector WHERE tenant_id = 1 ORDER BY connector_id") \
    X(CONNECTOR_SEQ, "SELECT next_seq FROM connector WHERE tenant_id = 1 AND connector_id = ?1")              \
    X(CONNECTOR_NEW, "INSERT INTO connector (tenant_id, connector_id, name, source, visible_run, next_seq, purged_run) " \
                     "SELECT 1, coalesce(max(connector_id), 0) + 1, ?1, ?2, 0, 1, 0 FROM connector WHERE tenant_id = 1 " \
                     "ON CONFLICT DO NOTHING")                                                               \
    X(CONNECTOR_NEXT_SEQ, "UPDATE connector SET next_seq = ?2 WHERE tenant_id = 1 AND connector_id = ?1")    \
    X(CONNECTOR_SWITCH, "UPDATE connector SET visible_run = ?2, source = ?3 WHERE tenant_id = 1 AND connector_id = ?1") \
    X(CONNECTOR_PURGED, "UPDATE connector SET purged_run = ?2 WHERE tenant_id = 1 AND connector_id = ?1")    \
    X(CONNECTORS_VISIBLE, "SELECT count(*) FROM connector WHERE tenant_id = 1 AND visible_run > 0")          \
    X(CONNECTORS_ALL, "SELECT count(*) FROM connector WHERE tenant_id = 1")                                  \
    /* also beyond the runs of connectors that were removed: a change has an id that no other ever had */    \
    X(RUN_NEXT_ID, "SELECT max(coalesce((SELECT max(run_id) FROM run WHERE tenant_id = 1), 0), coalesce((SELECT CAST(CAST(value AS TEXT) " \
                   "AS INTEGER) FROM meta WHERE tenant_id = 1 AND name = 'last_removed_run'), 0)) + 1")      \
    X(REMOVED_RUN, "INSERT INTO meta (tenant_id, name, value) SELECT 1, 'last_removed_run', CAST(max(run_id) AS BLOB) FROM run " \
                   "WHERE tenant_id = 1 HAVING max(run_id) IS NOT NULL ON CONFLICT DO UPDATE SET value = excluded.value " \
                   "WHERE CAST(CAST(excluded.value AS TEXT) AS INTEGER) > CAST(CAST(value AS TEXT) AS INTEGER)") \
    X(CONNECTOR_REMOVING, "UPDATE connector SET name = ' removing ' || connector_id, visible_run = 0 WHERE tenant_id = 1 AND connector_id = ?1") \
    X(CONNECTOR_REMOVED, "UPDATE connector SET name = ' removed ' || connector_id WHERE tenant_id = 1 AND connector_id = ?1") \
    X(CONNECTOR_LEFT, "SELECT connector_id, next_seq FROM connector WHERE tenant_id = 1 AND substr(name, 1, 10) = ' removing ' LIMIT 1") \
    X(ENTITY_CUT, "DELETE FROM entity WHERE tenant_id = 1 AND connector_id = ?1 AND guid IN (SELECT guid FROM entity WHERE tenant_id = 1 " \
                  "AND connector_id = ?1 ORDER BY guid LIMIT ?2)")                                           \
    X(LOOKUP_CUT, "DELETE FROM lookup WHERE tenant_id = 1 AND connector_id = ?1 AND first IN (SELECT first FROM lookup WHERE tenant_id = 1 " \
                  "AND connector_id = ?1 ORDER BY first LIMIT ?2)")                                          \
    X(SD_CUT, "DELETE FROM sd WHERE tenant_id = 1 AND sd_id IN (SELECT sd_id FROM sd WHERE tenant_id = 1 AND sd_id >= ?1 << 32 " \
              "AND sd_id < (?1 + 1) << 32 ORDER BY sd_id LIMIT ?2)")                                         \
    X(RUN_OLDEST, "SELECT run_id FROM run WHERE tenant_id = 1 AND connector_id = ?1 ORDER BY run_id LIMIT 1") \
    X(RUN_CUT, "DELETE FROM run WHERE tenant_id = 1 AND run_id = ?1")                                        \
    X(RUN_KIND_CUT, "DELETE FROM run_kind WHERE tenant_id = 1 AND run_id = ?1")                              \
    X(GAP_CUT, "DELETE FROM gap WHERE tenant_id = 1 AND run_id = ?1")                                        \
    X(CURSOR_CUT, "DELETE FROM sink_cursor WHERE tenant_id = 1 AND connector_id = ?1")                       \
    X(NOTE_CUT, "DELETE FROM note WHERE tenant_id = 1 AND connector_id = ?1")                                \
    X(RUN_NEW, "INSERT INTO run (tenant_id, run_id, connector_id, mode, status, phase, started_ms) VALUES (1, ?1, ?2, ?3, 0, 0, ?4)") \
    X(RUN_STATUS, "SELECT status FROM run WHERE tenant_id = 1 AND run_id = ?1")                              \
    X(RUN_PHASE, "UPDATE run SET phase = ?2 WHERE tenant_id = 1 AND run_id = ?1")                            \
    X(RUN_DOMAIN_GET, "SELECT domain FROM run WHERE tenant_id = 1 AND run_id = ?1")                          \
    X(RUN_END, "UPDATE run SET status = ?2, ended_ms = ?3, server = ?4, requests = ?5, bytes = ?6, n_changes = ?7, " \
               "members_added = ?8, members_removed = ?9, gaps_info = ?10, gaps_loss = ?11, domain = ?12, mode = ?13 " \
               "WHERE tenant_id = 1 AND run_id = ?1")                                                        \
    X(RUN_FAIL, "UPDATE run SET status = 3, ended_ms = ?2, error_class = ?3, error_message = ?4, error_hint = ?5, n_changes = 0 " \
                "WHERE tenant_id = 1 AND run_id = ?1")                                                       \
    X(RUN_RUNNING, "SELECT run_id, phase, started_ms FROM run WHERE tenant_id = 1 AND connector_id = ?1 AND status = 0 AND run_id <> ?2") \
    X(LEASE_GET, "SELECT token, expires_ms, holder FROM lease WHERE tenant_id = 1 AND connector_id = ?1")     \
    X(LEASE_PUT, "INSERT OR REPLACE INTO lease (tenant_id, connector_id, token, holder, expires_ms) VALUES (1, ?1, ?2, ?3, ?4)") \
    X(LEASE_DROP, "UPDATE lease SET expires_ms = 0 WHERE tenant_id = 1 AND connector_id = ?1 AND token = ?2") \
    X(RUN_KIND_PUT, "INSERT INTO run_kind (tenant_id, run_id, kind, read, created, changed, deleted, held, present) " \
                    "VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                            \
    X(RUN_KINDS, "SELECT kind, read, created, changed, deleted, held, present FROM run_kind WHERE tenant_id = 1 AND run_id = ?1") \
    X(RUN_LIST, "SELECT " RUN_COLUMNS " FROM run r JOIN connector c ON c.tenant_id = 1 AND c.connector_id = r.connector_id AND substr(c.name, 1, 1) <> ' ' " \
                "WHERE r.tenant_id = 1 ORDER BY r.run_id DESC")                                              \
    X(RUN_LIST_OF, "SELECT " RUN_COLUMNS " FROM run r JOIN connector c ON c.tenant_id = 1 AND c.connector_id = r.connector_id AND substr(c.name, 1, 1) <> ' ' " \
                   "WHERE r.tenant_id = 1 AND r.connector_id = ?1 ORDER BY r.run_id DESC")                   \
    X(RUN_GET, "SELECT " RUN_COLUMNS " FROM run r JOIN connector c ON c.tenant_id = 1 AND c.connector_id = r.connector_id AND substr(c.name, 1, 1) <> ' ' " \
               "WHERE r.tenant_id = 1 AND r.run_id = ?1")                                                    \
    X(RUN_TIMES, "SELECT run_id, coalesce(ended_ms, 0), connector_id, n_changes FROM run "                   \
                 "WHERE tenant_id = 1 AND run_id > ?1 AND status IN (1, 2, 4) AND connector_id NOT IN " \
                 "(SELECT connector_id FROM connector WHERE tenant_id = 1 AND visible_run = 0) ORDER BY run_id") \
    X(RUN_DAYS, "SELECT r.ended_ms / 86400000 AS day, c.name, max(r.run_id), sum(k.created), sum(k.changed), sum(k.deleted) FROM run r "  \
                "JOIN connector c ON c.tenant_id = 1 AND c.connector_id = r.connector_id "                     \
                "JOIN run_kind k ON k.tenant_id = 1 AND k.run_id = r.run_id WHERE r.tenant_id = 1 AND r.status IN (1, 2, 4) AND r.ended_ms >= ?1 GROUP BY day, r.connector_id ORDER BY day, c.name") \
    X(GAP_BULK, "INSERT INTO gap (tenant_id, run_id, number, kind, severity, what, place, fix) SELECT 1, c0, c1, c2, c3, c4, c5, c6 FROM bulk") \
    X(GAP_ADD, "INSERT INTO gap (tenant_id, run_id, number, kind, severity, what, place, fix) " \
               "SELECT 1, ?1, coalesce(max(number), 0) + 1, ?2, 0, ?3, ?4, ?5 FROM gap WHERE tenant_id = 1 AND run_id = ?1") \
    X(GAP_COUNTED, "UPDATE run SET gaps_info = gaps_info + 1 WHERE tenant_id = 1 AND run_id = ?1")             \
    X(GAPS, "SELECT kind, severity, what, place, fix FROM gap WHERE tenant_id = 1 AND run_id = ?1 ORDER BY number") \
    /* descriptors */                                                                                        \
    X(SD_FIND, "SELECT sd_id FROM sd WHERE tenant_id = 1 AND connector_id = ?1 AND hash = ?2")               \
    X(SD_LAST, "SELECT coalesce(max(sd_id), ?1) FROM sd WHERE tenant_id = 1 AND sd_id >= ?1 AND sd_id < ?2") \
    X(SD_BULK, "INSERT INTO sd (tenant_id, sd_id, connector_id, hash, descriptor) SELECT 1, c0, c1, c2, c3 FROM bulk") \
    X(SD_GET, "SELECT descriptor FROM sd WHERE tenant_id = 1 AND sd_id = ?1")                                \
    X(SD_FROM, "SELECT sd_id, descriptor FROM sd WHERE tenant_id = 1 AND sd_id >= ?1 AND sd_id < ?2 ORDER BY sd_id") \
    /* identities, versions, bodies */                                                                       \
    X(ENTITY_BULK, "INSERT INTO entity (tenant_id, connector_id, guid, entity_id) SELECT 1, c0, c1, c2 FROM bulk") \
    X(ENTITY_CLEAR, "DELETE FROM entity WHERE tenant_id = 1 AND connector_id = ?1")                          \
    X(ENTITY_FIND, "SELECT entity_id FROM entity WHERE tenant_id = 1 AND connector_id = ?1 AND guid = ?2")   \
    X(VERSION_PUT, "INSERT INTO version (tenant_id, " VERSION_COLUMNS ") VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) " \
                   "ON CONFLICT DO UPDATE SET hash = excluded.hash, links_hash = excluded.links_hash, body_run = excluded.body_run, " \
                   "changed_run = excluded.changed_run, stats = excluded.stats")                             \
    X(VERSION_BULK, "INSERT INTO version (tenant_id, " VERSION_COLUMNS ") "                                  \
                    "SELECT 1, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12 FROM bulk")             \
    X(VERSION_NEWEST, "SELECT " VERSION_COLUMNS " FROM version WHERE tenant_id = 1 AND entity_id = ?1 AND run_id <= ?2 " \
                      "ORDER BY run_id DESC LIMIT 1")                                                        \
    X(VERSION_FROM, "SELECT " VERSION_COLUMNS " FROM version WHERE tenant_id = 1 AND entity_id >= ?1 AND entity_id < ?2 " \
                    "AND run_id <= ?3 ORDER BY entity_id LIMIT ?4")                                          \
    X(VERSION_SCAN, "SELECT entity_id, run_id, kind, deleted_run FROM version WHERE tenant_id = 1 "          \
                    "AND entity_id >= ?1 AND entity_id < ?2 AND run_id <= ?3 ORDER BY entity_id LIMIT ?4")   \
    X(VERSION_OF_RUN, "SELECT entity_id FROM version WHERE tenant_id = 1 AND entity_id >= ?1 AND entity_id < ?2 " \
                      "AND run_id = ?3 ORDER BY entity_id LIMIT ?4")                                         \
    X(VERSION_DOUBLE, "SELECT entity_id, max(run_id) FROM version WHERE tenant_id = 1 AND entity_id >= ?1 AND entity_id < ?2 " \
                      "GROUP BY entity_id HAVING count(*) > 1 LIMIT ?3")                                     \
    X(VERSION_DROP, "DELETE FROM version WHERE tenant_id = 1 AND entity_id = ?1 AND run_id < ?2")            \
    X(VERSION_UNDO, "DELETE FROM version WHERE tenant_id = 1 AND entity_id = ?1 AND run_id = ?2")            \
    X(BODY_BULK, "INSERT INTO body (tenant_id, entity_id, run_id, dn, name, sid, state) SELECT 1, c0, c1, c2, c3, c4, c5 FROM bulk") \
    X(BODY_GET, "SELECT dn, name, sid, state FROM body WHERE tenant_id = 1 AND entity_id = ?1 AND run_id = ?2") \
    X(BODY_RUNS, "SELECT run_id FROM body WHERE tenant_id = 1 AND entity_id = ?1 ORDER BY run_id DESC")       \
    X(BODY_DROP, "DELETE FROM body WHERE tenant_id = 1 AND entity_id = ?1 AND run_id < ?2")                  \
    X(BODY_UNDO, "DELETE FROM body WHERE tenant_id = 1 AND entity_id = ?1 AND run_id = ?2")                  \
    X(VERSION_CLEAR, "DELETE FROM version WHERE tenant_id = 1 AND entity_id >= ?1 AND entity_id < ?2")       \
    X(BODY_CLEAR, "DELETE FROM body WHERE tenant_id = 1 AND entity_id >= ?1 AND entity_id < ?2")             \
    X(LINKS_CLEAR, "DELETE FROM links WHERE tenant_id = 1 AND side = ?3 AND entity_id >= ?1 AND entity_id < ?2") \
    X(LOOKUP_BULK, "INSERT INTO lookup (tenant_id, connector_id, first, hints) SELECT 1, c0, c1, c2 FROM bulk") \
    X(LOOKUP_ROW, "SELECT first, hints FROM lookup WHERE tenant_id = 1 AND connector_id = ?1 AND first <= ?2 " \
                  "ORDER BY first DESC LIMIT 1")                                                             \
    X(LOOKUP_BEHIND, "SELECT first FROM lookup WHERE tenant_id = 1 AND connector_id = ?1 AND first > ?2 ORDER BY first LIMIT 1") \
    X(LOOKUP_DROP, "DELETE FROM lookup WHERE tenant_id = 1 AND connector_id = ?1 AND first = ?2")            \
    X(LOOKUP_FIND, "SELECT hints FROM lookup WHERE tenant_id = 1 AND connector_id = ?1 AND first >= coalesce((SELECT max(first) " \
                   "FROM lookup WHERE tenant_id = 1 AND connector_id = ?1 AND first <= ?2), 0) AND first <= ?3 ORDER BY first") \
    X(LOOKUP_CLEAR, "DELETE FROM lookup WHERE tenant_id = 1 AND connector_id = ?1")                          \
    /* memberships */                                                                                        \
    X(LINKS_PUT, "INSERT INTO links (tenant_id, side, entity_id, run_id, list) VALUES (1, ?1, ?2, ?3, ?4) "  \
                 "ON CONFLICT DO UPDATE SET list = excluded.list")                                           \
    X(LINKS_BULK, "INSERT INTO links (tenant_id, side, entity_id, run_id, list) SELECT 1, c0, c1, c2, c3 FROM bulk") \
    X(LINKS_NEWEST, "SELECT list FROM links WHERE tenant_id = 1 AND side = ?1 AND entity_id = ?2 AND run_id <= ?3 " \
                    "ORDER BY run_id DESC LIMIT 1")                                                          \
    X(LINKS_FROM, "SELECT entity_id, run_id, list FROM links WHERE tenant_id = 1 AND side = ?1 AND entity_id >= ?2 " \
                  "AND entity_id < ?3 AND run_id <= ?4 ORDER BY entity_id LIMIT ?5")                         \
    X(LINKS_OF_RUN, "SELECT entity_id FROM links WHERE tenant_id = 1 AND side = ?1 AND entity_id >= ?2 AND entity_id < ?3 " \
                    "AND run_id = ?4 ORDER BY entity_id LIMIT ?5")                                           \
    X(LINKS_DOUBLE, "SELECT entity_id, max(run_id) FROM links WHERE tenant_id = 1 AND side = ?1 AND entity_id >= ?2 " \
                    "AND entity_id < ?3 GROUP BY entity_id HAVING count(*) > 1 LIMIT ?4")                    \
    X(LINKS_HAS, "SELECT 1 FROM links WHERE tenant_id = 1 AND side = ?1 AND entity_id = ?2 AND run_id = ?3")  \
    X(LINKS_DROP, "DELETE FROM links WHERE tenant_id = 1 AND side = ?1 AND entity_id = ?2 AND run_id < ?3")  \
    X(LINKS_UNDO, "DELETE FROM links WHERE tenant_id = 1 AND side = ?1 AND entity_id = ?2 AND run_id = ?3")  \
    /* the change log */                                                                                     \
    X(CHANGE_BULK, "INSERT INTO change (tenant_id, " CHANGE_COLUMNS ") "                                     \
                   "SELECT 1, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11 FROM bulk")                   \
    X(CHANGE_LAST, "SELECT coalesce(max(change_id), 0) FROM change WHERE tenant_id = 1 AND change_id >= ?1 AND change_id < ?2") \
    X(CHANGE_UNDO, "DELETE FROM change WHERE tenant_id = 1 AND change_id >= ?1 AND change_id < ?2")          \
    X(CHANGE_UP, "SELECT " CHANGE_COLUMNS " FROM change WHERE tenant_id = 1 AND change_id >= ?1 AND change_id < ?2 ORDER BY change_id") \
    X(CHANGE_DOWN, "SELECT " CHANGE_COLUMNS " FROM change WHERE tenant_id = 1 AND change_id >= ?1 AND change_id < ?2 " \
                   "ORDER BY change_id DESC")                                                                \
    X(CHANGE_OF_UP, "SELECT " CHANGE_COLUMNS " FROM change WHERE tenant_id = 1 AND entity_id = ?1 UNION "     \
                    "SELECT " CHANGE_COLUMNS " FROM change WHERE tenant_id = 1 AND member_id = ?1 ORDER BY 1")  \
    X(CHANGE_OF_DOWN, "SELECT " CHANGE_COLUMNS " FROM change WHERE tenant_id = 1 AND entity_id = ?1 AND +change_id < ?2 UNION " \
                      "SELECT " CHANGE_COLUMNS " FROM change WHERE tenant_id = 1 AND member_id = ?1 AND +change_id < ?2 ORDER BY 1 DESC") \
    X(CHANGE_COUNT, "SELECT count(*) FROM change WHERE tenant_id = 1 AND change_id >= ?1 AND change_id < ?2") \
    X(CURSOR_GET, "SELECT change_id FROM sink_cursor WHERE tenant_id = 1 AND connector_id = ?1 AND sink = ?2") \
    X(CURSOR_PUT, "INSERT INTO sink_cursor (tenant_id, connector_id, sink, change_id) VALUES (1, ?1, ?2, ?3) " \
                  "ON CONFLICT DO UPDATE SET change_id = excluded.change_id")                                \
    /* notes */                                                                                              \
    X(NOTE_GET, "SELECT n.value FROM note n JOIN connector c ON c.tenant_id = 1 AND c.connector_id = n.connector_id " \
                "WHERE n.tenant_id = 1 AND c.name = ?1 AND n.name = ?2")                                     \
    X(NOTE_PUT, "INSERT INTO note (tenant_id, connector_id, name, value) VALUES (1, ?1, ?2, ?3) "            \
                "ON CONFLICT DO UPDATE SET value = excluded.value")                                          \
    X(NOTE_DROP, "DELETE FROM note WHERE tenant_id = 1 AND connector_id = ?1 AND name = ?2")                 \
    X(DATA_VERSION, "PRAGMA data_version")                                                                   \
    X(META_GET, "SELECT value FROM meta WHERE tenant_id = 1 AND name = ?1")

enum sql {
#define X(id, text) SQL_##id,
    SQL_STATEMENTS(X)
#undef X
    SQL_COUNT
};
extern const char *const sql_text[SQL_COUNT];

#endif
