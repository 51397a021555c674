/* job_rows.c - jobs as rows of the state file: what job_tell says, by id, connector and kind. */
#include "server/jobs/job_int.h"

#include "base/jsonv.h"
#include "server/state/state_int.h"

/* The columns are what is searched by; the body is the job's JSON. Ids are never given twice: files are named by them. */
static const char tables[] = "CREATE TABLE IF NOT EXISTS job (job_id INTEGER PRIMARY KEY AUTOINCREMENT, tenant_id INTEGER NOT NULL, kind TEXT NOT NULL,"
                             " connector TEXT NOT NULL, is_live INTEGER NOT NULL, body TEXT NOT NULL) STRICT;"
                             "CREATE INDEX IF NOT EXISTS job_connector ON job (tenant_id, connector, kind, job_id);"
                             "CREATE INDEX IF NOT EXISTS job_live ON job (tenant_id, job_id) WHERE is_live = 1;";

int job_rows_open(struct state *s, struct err *e)
{
    return state_define(s, tables, e);
}

static char *text_of(const json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT);
    if (!text) x_out_of_memory();
    return text;
}

static char *body_of(const struct job *j)
{
    json_t *o = job_tell(j);
    char *text = text_of(o);
    json_decref(o);
    return text;
}

int job_rows_add(struct state *s, const struct job *j, int64_t *id, struct err *e)
{
    defer_free char *body = body_of(j);
    try(state_begin(s, e));
    int rc = state_run(s, e, "INSERT INTO job (tenant_id, kind, connector, is_live, body) VALUES (" TENANT ", ?, ?, 1, ?)", "sss", j->kind, j->connector, body);
    *id = state_last_id(s);
    return state_end(s, rc, e);
}

static int put(struct state *s, int64_t id, bool is_live, const char *body, struct err *e)
{
    return state_run(s, e, "UPDATE job SET is_live = ?, body = ? WHERE tenant_id = " TENANT " AND job_id = ?", "isi", (int64_t)is_live, body, id);
}

int job_rows_put(struct state *s, const struct job *j, struct err *e)
{
    defer_free char *body = body_of(j);
    return put(s, j->id, j->state <= JOB_RUNNING, body, e);
}

/* --- reading -------------------------------------------------------------------------------------------- */

/* The id is the row's: when the body was first written there was none yet. */
static int take_row(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct str body = row_text(row, 1);
    json_t *o = json_loadb(body.ptr, body.len, 0, NULL);
    if (!json_is_object(o)) {
        json_decref(o);
        return err_set(e, ERR_BUG, "state file: job %lld is not JSON", (long long)row_int(row, 0));
    }
    jsonv_put(o, "id", json_integer(row_int(row, 0)));
    json_array_append_new(ctx, o);
    return 0;
}

#define SELECT "SELECT job_id, body FROM job WHERE tenant_id = " TENANT " AND "

int job_rows_get(struct state *s, int64_t id, json_t **out, struct err *e)
{
    json_t *list = json_array();
    int rc = state_rows(s, e, take_row, list, SELECT "job_id = ?", "i", id);
    *out = rc > 0 ? json_incref(json_array_get(list, 0)) : NULL;
    json_decref(list);
    if (rc == 0) return err_set(e, ERR_NOTFOUND, "job %lld: no such job", (long long)id);
    return rc < 0 ? rc : 0;
}

int job_rows_list(struct state *s, const char *connector, const char *kind, int64_t before, int64_t limit, json_t **out, struct err *e)
{
    int64_t end = before > 0 ? before : INT64_MAX;
    *out = json_array();
    int rc = connector ? state_rows(s, e, take_row, *out,
                                    SELECT "connector = ?1 AND (?2 IS NULL OR kind = ?2) AND job_id < ?3 ORDER BY job_id DESC LIMIT ?4", "ssii", connector,
                                    kind, end, limit)
                       : state_rows(s, e, take_row, *out, SELECT "(?1 IS NULL OR kind = ?1) AND job_id < ?2 ORDER BY job_id DESC LIMIT ?3", "sii", kind, end,
                                    limit);
    if (rc >= 0) return 0;
    json_decref(*out);
    *out = NULL;
    return rc;
}

/* --- what a stopped server left --------------------------------------------------------------------------- */

static void mark_interrupted(json_t *o, int64_t now_ms)
{
    json_t *error = json_pack("{s:s, s:s, s:s}", "class", err_class_name(ERR_CANCEL), "message", "the server ended before the job did (killed, crashed or power lost)",
                              "hint", "it is tried again when the server runs; nothing that was visible is lost");
    jsonv_put(o, "state", json_string(job_state_names[JOB_INTERRUPTED]));
    jsonv_put(o, "ended", jsonv_time(now_ms));
    jsonv_put(o, "error", error);
}

static int interrupt_all(struct state *s, int64_t now_ms, json_t *left, struct err *e)
{
    json_t *one;
    size_t i;
    int rc = state_rows(s, e, take_row, left, SELECT "is_live = 1 ORDER BY job_id", "");
    json_array_foreach(left, i, one)
    {
        mark_interrupted(one, now_ms);
        defer_free char *body = text_of(one);
        if (rc >= 0) rc = put(s, json_integer_value(json_object_get(one, "id")), false, body, e);
    }
    return rc < 0 ? rc : 0;
}

int job_rows_interrupt(struct state *s, int64_t now_ms, json_t **out, struct err *e)
{
    json_t *left = json_array();
    int rc = state_begin(s, e);
    if (rc == 0) rc = state_end(s, interrupt_all(s, now_ms, left, e), e);
    if (rc < 0)
        json_decref(left);
    else
        *out = left;
    return rc;
}

/* --- the oldest go ------------------------------------------------------------------------------------------ */

static int take_id(void *ctx, sqlite3_stmt *row, struct err *e)
{
    (void)e;
    json_array_append_new(ctx, json_integer(row_int(row, 0)));
    return 0;
}

/* Ids are found by the index alone: nothing is counted. */
static int prune(struct state *s, const char *connector, int64_t keep, json_t *gone, struct err *e)
{
    int64_t oldest;
    try(state_number(s, &oldest, 0, e,
                     "SELECT job_id FROM job WHERE tenant_id = " TENANT " AND connector = ? ORDER BY job_id DESC LIMIT 1 OFFSET ?", "si", connector, keep));
    if (!oldest) return 0;
    try(state_rows(s, e, take_id, gone, "SELECT job_id FROM job WHERE tenant_id = " TENANT " AND connector = ? AND job_id <= ? AND is_live = 0", "si", connector,
                   oldest));
    return state_run(s, e, "DELETE FROM job WHERE tenant_id = " TENANT " AND connector = ? AND job_id <= ? AND is_live = 0", "si", connector, oldest);
}

int job_rows_prune(struct state *s, const char *connector, int64_t keep, void (*gone)(void *ctx, int64_t id), void *ctx, struct err *e)
{
    json_t *ids = json_array(), *one;
    size_t i;
    int rc = state_begin(s, e);
    if (rc == 0) rc = state_end(s, prune(s, connector, keep, ids, e), e);
    json_array_foreach(ids, i, one) if (rc == 0) gone(ctx, json_integer_value(one));
    json_decref(ids);
    return rc;
}
