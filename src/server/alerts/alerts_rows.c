/* alerts_rows.c - alerts, deliveries, cursors and remembered sets: tables of the state file. */
#include "server/alerts/alerts_int.h"

#include "base/jsonv.h"

#define ALERTS_KEPT 10000

/* alert: state 0 open, 1 acknowledged; a key of a rule is told once. alert_delivery: state 0 waits, 1 taken, 2 given up, 3 told together with a later one. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS alert (tenant_id INTEGER NOT NULL, alert_id INTEGER NOT NULL, rule_id TEXT NOT NULL, fired_key TEXT NOT NULL, name TEXT NOT NULL,"
    " severity TEXT NOT NULL, time_ms INTEGER NOT NULL, title TEXT NOT NULL, detail TEXT NOT NULL, changes TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0,"
    " by TEXT, by_ms INTEGER, PRIMARY KEY (tenant_id, alert_id), UNIQUE (tenant_id, rule_id, fired_key)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS alert_by_state ON alert (tenant_id, state, alert_id);"
    "CREATE TABLE IF NOT EXISTS alert_delivery (tenant_id INTEGER NOT NULL, alert_id INTEGER NOT NULL, rule_id TEXT NOT NULL, state INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL DEFAULT 0, next_ms INTEGER NOT NULL, began_ms INTEGER NOT NULL DEFAULT 0, body TEXT, log TEXT NOT NULL DEFAULT '[]',"
    " PRIMARY KEY (tenant_id, alert_id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS alert_delivery_due ON alert_delivery (tenant_id, state, next_ms);"
    "CREATE TABLE IF NOT EXISTS alert_cursor (tenant_id INTEGER NOT NULL, rule_id TEXT NOT NULL, connector TEXT NOT NULL, change_id INTEGER NOT NULL,"
    " PRIMARY KEY (tenant_id, rule_id, connector)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS alert_member (tenant_id INTEGER NOT NULL, rule_id TEXT NOT NULL, member_id TEXT NOT NULL, name TEXT NOT NULL,"
    " PRIMARY KEY (tenant_id, rule_id, member_id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS alert_rule_state (tenant_id INTEGER NOT NULL, rule_id TEXT NOT NULL, problem TEXT, fired_ms INTEGER NOT NULL DEFAULT 0,"
    " sent_ms INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (tenant_id, rule_id)) STRICT, WITHOUT ROWID;";

int rows_define(struct state *s, struct err *e)
{
    return state_define(s, schema, e);
}

/* --- cursors ----------------------------------------------------------------------------------------------------------- */

int rows_cursor(struct state *s, const char *rule, const char *connector, int64_t *change_id, struct err *e)
{
    return state_number(s, change_id, -1, e, "SELECT change_id FROM alert_cursor WHERE tenant_id = " TENANT " AND rule_id = ? AND connector = ?", "ss", rule, connector);
}

int rows_cursor_put(struct state *s, const char *rule, const char *connector, int64_t change_id, struct err *e)
{
    return state_run(s, e,
                     "INSERT INTO alert_cursor (tenant_id, rule_id, connector, change_id) VALUES (" TENANT ", ?, ?, ?)"
                     " ON CONFLICT DO UPDATE SET change_id = excluded.change_id",
                     "ssi", rule, connector, change_id);
}

int rows_is_same(struct state *s, const char *rule, int64_t version, bool *out, struct err *e)
{
    json_t *body;
    int64_t now = 0;
    int rc = document_get(s, RULE_KIND, "", rule, &body, &now, e);
    if (rc == 0) json_decref(body);
    *out = rc == 0 && now == version;
    return rc == ERR_NOTFOUND ? 0 : rc;
}

int rows_forget(struct state *s, const char *rule, struct err *e)
{
    try(state_run(s, e, "DELETE FROM alert_cursor WHERE tenant_id = " TENANT " AND rule_id = ?", "s", rule));
    return state_run(s, e, "DELETE FROM alert_member WHERE tenant_id = " TENANT " AND rule_id = ?", "s", rule);
}

/* --- firing ------------------------------------------------------------------------------------------------------------ */

static int insert_alert(struct state *s, const struct rule *r, const struct firing *f, int64_t id, struct err *e)
{
    defer_free char *changes = json_dumps(f->changes, JSON_COMPACT);
    return state_run(s, e,
                     "INSERT INTO alert (tenant_id, alert_id, rule_id, fired_key, name, severity, time_ms, title, detail, changes) VALUES (" TENANT
                     ", ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     "issssists", id, r->id, f->key, r->name, r->severity, f->time_ms, f->title, buf_str(&f->detail), changes ? changes : "[]");
}

/* What was told long ago makes room; what waits for its delivery stays. */
static int trim(struct state *s, int64_t newest, struct err *e)
{
    try(state_run(s, e, "DELETE FROM alert_delivery WHERE tenant_id = " TENANT " AND alert_id <= ? AND state != 0", "i", newest - ALERTS_KEPT));
    return state_run(s, e,
                     "DELETE FROM alert WHERE tenant_id = " TENANT " AND alert_id <= ? AND alert_id NOT IN (SELECT alert_id FROM alert_delivery WHERE tenant_id = " TENANT
                     " AND state = 0)",
                     "i", newest - ALERTS_KEPT);
}

int rows_fire(struct state *s, const struct rule *r, const struct firing *f, struct err *e)
{
    int64_t known, newest, now = state_now_ms(s);
    try(state_number(s, &known, 0, e, "SELECT count(*) FROM alert WHERE tenant_id = " TENANT " AND rule_id = ? AND fired_key = ?", "ss", r->id, f->key));
    if (known) return 0;
    try(state_number(s, &newest, 0, e, "SELECT max(alert_id) FROM alert WHERE tenant_id = " TENANT, ""));
    try(insert_alert(s, r, f, newest + 1, e));
    if (r->to != TO_NONE)
        try(state_run(s, e, "INSERT INTO alert_delivery (tenant_id, alert_id, rule_id, state, next_ms) VALUES (" TENANT ", ?, ?, 0, ?)", "isi", newest + 1, r->id, now));
    try(state_run(s, e,
                  "INSERT INTO alert_rule_state (tenant_id, rule_id, fired_ms) VALUES (" TENANT ", ?, ?) ON CONFLICT DO UPDATE SET fired_ms = excluded.fired_ms", "si",
                  r->id, now));
    return trim(s, newest + 1, e);
}

/* --- about rules --------------------------------------------------------------------------------------------------------- */

int rows_problem(struct state *s, const char *rule, const char *problem, struct err *e)
{
    return state_run(s, e,
                     "INSERT INTO alert_rule_state (tenant_id, rule_id, problem) VALUES (" TENANT ", ?, ?) ON CONFLICT DO UPDATE SET problem = excluded.problem"
                     " WHERE problem IS NOT excluded.problem",
                     "ss", rule, problem);
}

static int take_rule_state(void *ctx, sqlite3_stmt *row, struct err *e)
{
    if (!row_is_null(row, 0)) json_object_set_new(ctx, "problem", jsonv_str(row_text(row, 0)));
    jsonv_put(ctx, "last_fired", jsonv_time(row_int(row, 1)));
    return 0;
}

int rows_rule_state(struct state *s, const char *rule, json_t *into, struct err *e)
{
    int rc = state_rows(s, e, take_rule_state, into, "SELECT problem, fired_ms FROM alert_rule_state WHERE tenant_id = " TENANT " AND rule_id = ?", "s", rule);
    return rc < 0 ? rc : 0;
}

/* --- for the API ----------------------------------------------------------------------------------------------------------- */

static int add_alert(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct str changes = row_text(row, 7), log = row_text(row, 11);
    json_t *o = json_object(), *list = json_loadb(changes.ptr, changes.len, 0, NULL), *deliveries = log.len ? json_loadb(log.ptr, log.len, 0, NULL) : NULL;
    jsonv_put(o, "id", json_integer(row_int(row, 0)));
    jsonv_put(o, "rule", jsonv_str(row_text(row, 1)));
    jsonv_put(o, "name", jsonv_str(row_text(row, 2)));
    jsonv_put(o, "severity", jsonv_str(row_text(row, 3)));
    jsonv_put(o, "time", jsonv_time(row_int(row, 4)));
    jsonv_put(o, "title", jsonv_str(row_text(row, 5)));
    jsonv_put(o, "detail", jsonv_str(row_text(row, 6)));
    jsonv_put(o, "changes", list ? list : json_array());
    jsonv_put(o, "state", json_string(row_int(row, 8) ? "acknowledged" : "open"));
    if (!row_is_null(row, 9)) jsonv_put(o, "acknowledged", json_pack("{s:o, s:o}", "by", jsonv_str(row_text(row, 9)), "time", jsonv_time(row_int(row, 10))));
    jsonv_put(o, "deliveries", deliveries ? deliveries : json_array());
    json_array_append_new(ctx, o);
    return 0;
}

#define ALERT_COLUMNS "SELECT a.alert_id, a.rule_id, a.name, a.severity, a.time_ms, a.title, a.detail, a.changes, a.state, a.by, a.by_ms, d.log FROM alert a" \
                      " LEFT JOIN alert_delivery d ON d.tenant_id = a.tenant_id AND d.alert_id = a.alert_id WHERE a.tenant_id = " TENANT

int alerts_list(struct alerts *a, const char *state, int64_t before, int64_t limit, json_t **out, struct err *e)
{
    int64_t wanted = !state ? -1 : strcmp(state, "open") == 0 ? 0 : 1;
    *out = json_array();
    int rc = state_rows(a->o.state, e, add_alert, *out, ALERT_COLUMNS " AND (?1 < 0 OR a.state = ?1) AND (?2 = 0 OR a.alert_id < ?2) ORDER BY a.alert_id DESC LIMIT ?3", "iii",
                        wanted, before, limit);
    if (rc >= 0) return 0;
    json_decref(*out);
    *out = NULL;
    return rc;
}

static int acknowledge(struct alerts *a, int64_t id, const char *by, json_t *list, struct err *e)
{
    struct state *s = a->o.state;
    try(state_run(s, e, "UPDATE alert SET state = 1, by = ?, by_ms = ? WHERE tenant_id = " TENANT " AND alert_id = ? AND state = 0", "sii", by, state_now_ms(s), id));
    int rc = state_rows(s, e, add_alert, list, ALERT_COLUMNS " AND a.alert_id = ?", "i", id);
    return rc < 0 ? rc : rc == 0 ? err_set(e, ERR_NOTFOUND, "there is no alert %lld", (long long)id) : 0;
}

int alerts_acknowledge(struct alerts *a, int64_t id, const char *by, json_t **out, struct err *e)
{
    json_t *list = json_array();
    int rc = state_begin(a->o.state, e);
    if (rc == 0) rc = state_end(a->o.state, acknowledge(a, id, by, list, e), e);
    *out = rc == 0 ? json_incref(json_array_get(list, 0)) : NULL;
    json_decref(list);
    return rc;
}

int alerts_count_open(struct alerts *a, int64_t *n, struct err *e)
{
    return state_number(a->o.state, n, 0, e, "SELECT count(*) FROM alert WHERE tenant_id = " TENANT " AND state = 0", "");
}
