#include "api/connector_tell.h"

#include "base/jsonv.h"
#include "base/when.h"
#include "run/rows.h"

#include <stdio.h>

#define RUNS_LOOKED_AT 20 /* for the newest that is over */

struct told {
    json_t *connector;
    const char *name;
    json_t *job, *schedule; /* the newest sync of the server's; schedule_tell */
    struct store *store;    /* NULL: nothing was synced yet */
    const char *status;
    char reason[768], fix[384];
    /* of the newest run */
    bool has_run;
    int64_t run;
    enum run_status run_status;
    uint64_t held[KIND_COUNT];
};

static bool is_true(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

static const char *text(const json_t *o, const char *key)
{
    const char *v = json_string_value(json_object_get(o, key));
    return v ? v : "";
}

/* --- the store --------------------------------------------------------------------------------------------- */

static json_t *assets(const struct connector_state *s)
{
    json_t *j = json_object();
    for (unsigned k = 1; k < KIND_COUNT; k++)
        if (s->n_entities[k]) jsonv_put(j, kind_name((enum kind)k), json_integer((json_int_t)s->n_entities[k]));
    return j;
}

static json_t *delta(const struct run_result *r)
{
    uint64_t created = 0, changed = 0, deleted = 0;
    for (unsigned k = 1; k < KIND_COUNT; k++) {
        created += r->counts[k].created;
        changed += r->counts[k].changed;
        deleted += r->counts[k].deleted;
    }
    return json_pack("{s:I, s:I, s:I}", "created", (json_int_t)created, "changed", (json_int_t)changed, "deleted", (json_int_t)deleted);
}

static void say(struct told *t, struct str reason, struct str fix)
{
    snprintf(t->reason, sizeof t->reason, "%.*s", STR_FMT(reason));
    snprintf(t->fix, sizeof t->fix, "%.*s", STR_FMT(fix));
}

static void note_newest(struct told *t, const struct run_row *r)
{
    json_t *last = json_object();
    t->has_run = true;
    t->run = r->id;
    t->run_status = r->status;
    memcpy(t->held, r->result.held, sizeof t->held);
    jsonv_put(last, "run", json_integer(r->id));
    jsonv_put(last, "status", json_string(run_status_name(r->status)));
    jsonv_put(last, "ended", jsonv_time(r->ended_ms));
    jsonv_put(last, "counts", rows_counts(&r->result));
    jsonv_put(t->connector, "last", last);
    jsonv_put(t->connector, "delta", delta(&r->result));
    say(t, r->error_message, r->error_hint);
}

static bool each_run(void *ctx, const struct run_row *r)
{
    struct told *t = ctx;
    if (r->status == RUN_RUNNING) return true;
    note_newest(t, r);
    return false;
}

static void take_end(void *ctx, const struct run_row *r)
{
    *(int64_t *)ctx = r->ended_ms;
}

static void ignore_gap(void *ctx, const struct gap *g)
{
    (void)ctx;
    (void)g;
}

/* What is visible is the last success, however long ago it was, and also if deletions were held back. */
static void put_last_success(struct told *t, int64_t visible_run)
{
    struct err ignored;
    int64_t ended = 0;
    if (visible_run && store_run_get(t->store, visible_run, take_end, ignore_gap, &ended, &ignored) == 0) jsonv_put(t->connector, "last_success", jsonv_time(ended));
}

struct gap_reason {
    struct told *told;
    unsigned n;
};

static void each_gap(void *ctx, const struct gap *g)
{
    struct gap_reason *r = ctx;
    if (g->severity != GAP_LOSS || r->n++) return;
    say(r->told, g->what, g->fix);
}

static void ignore_row(void *ctx, const struct run_row *r)
{
    (void)ctx;
    (void)r;
}

/* Why a run is partial or needs attention: its first loss. */
static void reason_of_gaps(struct told *t)
{
    struct err ignored;
    struct gap_reason r = {t, 0};
    if (store_run_get(t->store, t->run, ignore_row, each_gap, &r, &ignored) < 0) return;
    size_t n = strlen(t->reason);
    if (r.n > 1) snprintf(t->reason + n, sizeof t->reason - n, " (and %u more)", r.n - 1);
}

/* The guard of deletions is no loss, but it waits for somebody. */
static void reason_of_held(struct told *t)
{
    uint64_t n = 0;
    unsigned most = 0;
    for (unsigned k = 1; k < KIND_COUNT; k++) {
        n += t->held[k];
        if (t->held[k] > t->held[most]) most = k;
    }
    if (!n) return;
    snprintf(t->reason, sizeof t->reason, "%llu %s are absent from a complete listing, and none of them was marked as deleted", (unsigned long long)n,
             n == t->held[most] ? kind_plural((enum kind)most) : "objects");
    snprintf(t->fix, sizeof t->fix, "check the Base DN and the account's permissions; if they are gone indeed, accept the deletions");
}

static void read_store(struct told *t)
{
    struct err ignored;
    struct connector_state state;
    if (!t->store) return;
    if (store_runs(t->store, str_from(t->name), RUNS_LOOKED_AT, each_run, t, &ignored) < 0) return;
    if (store_connector(t->store, str_from(t->name), &state, &ignored) < 0) return;
    jsonv_put(t->connector, "assets", assets(&state));
    put_last_success(t, state.visible_run);
}

/* --- how it is doing ---------------------------------------------------------------------------------------------- */

static bool is_job_under_way(const json_t *job)
{
    return strcmp(text(job, "state"), "running") == 0 || strcmp(text(job, "state"), "queued") == 0;
}

static void from_must_enter(struct told *t)
{
    char names[256] = "";
    size_t i;
    json_t *key;
    json_array_foreach(json_object_get(t->connector, "must_enter"), i, key)
    {
        size_t n = strlen(names);
        snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "", json_string_value(key) ? json_string_value(key) : "");
    }
    t->status = "needs_attention";
    snprintf(t->reason, sizeof t->reason, "%s must be entered again: what it was entered for has changed", names);
    snprintf(t->fix, sizeof t->fix, "edit the connector and enter %s", names);
}

static void from_run(struct told *t)
{
    if (t->run_status == RUN_PARTIAL || t->run_status == RUN_NEEDS_ATTENTION) {
        t->status = "needs_attention";
        reason_of_gaps(t);
        if (!*t->reason) reason_of_held(t);
    } else {
        t->status = t->run_status == RUN_COMPLETE ? "healthy" : "failed";
    }
}

/* A sync that failed before there was a run (a settings error, a paused connector) is newer than the newest run. */
static bool is_job_newer(const struct told *t)
{
    const json_t *runs = json_object_get(t->job, "runs");
    return strcmp(text(t->job, "state"), "failed") == 0 && !json_array_size(runs);
}

static void from_job(struct told *t)
{
    const json_t *why = json_object_get(t->job, "error");
    t->status = "failed";
    say(t, str_from(text(why, "message")), str_from(text(why, "hint")));
}

/* A failure that is tried again by itself, or that waits for somebody. */
static void refine_failure(struct told *t)
{
    if (is_true(t->schedule, "paused")) {
        t->status = "paused";
        if (*text(t->schedule, "reason")) snprintf(t->reason, sizeof t->reason, "%s", text(t->schedule, "reason"));
        if (!*t->fix) snprintf(t->fix, sizeof t->fix, "correct the credential in the connector's settings, or choose Try now once it is right at the directory");
    } else if (strcmp(t->status, "failed") == 0 && *text(t->schedule, "retry_at")) {
        t->status = "retrying";
    }
}

static void decide(struct told *t)
{
    if (is_job_under_way(t->job)) { /* also of one that is off, when somebody wants it now */
        t->status = "running";
        say(t, STR(""), STR(""));
    } else if (!is_true(t->connector, "enabled")) {
        t->status = "off";
        say(t, STR(""), STR(""));
    } else if (json_array_size(json_object_get(t->connector, "must_enter"))) {
        from_must_enter(t);
    } else {
        if (is_job_newer(t))
            from_job(t);
        else if (t->has_run)
            from_run(t);
        else
            t->status = "never";
        refine_failure(t);
    }
}

/* --- all of it -------------------------------------------------------------------------------------------------------- */

static void put_job(struct told *t)
{
    json_t *last = json_object_get(t->connector, "last");
    if (is_job_under_way(t->job)) {
        json_object_set(t->connector, "job", json_object_get(t->job, "id"));
        if (json_object_get(t->job, "progress")) json_object_set(t->connector, "progress", json_object_get(t->job, "progress"));
    } else if (t->job) {
        if (!last) {
            last = json_object();
            json_object_set_new(t->connector, "last", last);
            json_object_set(last, "status", json_object_get(t->job, "state"));
            json_object_set(last, "ended", json_object_get(t->job, "ended"));
        }
        json_object_set(last, "job", json_object_get(t->job, "id"));
    }
}

static void put_status(struct told *t)
{
    jsonv_put(t->connector, "status", json_string(t->status));
    jsonv_put(t->connector, "reason", jsonv_str_or_null(str_from(t->reason)));
    jsonv_put(t->connector, "fix", jsonv_str_or_null(str_from(t->fix)));
    const json_t *next = json_object_get(t->schedule, "next");
    json_object_set(t->connector, "next", next && is_true(t->connector, "enabled") ? (json_t *)next : json_null());
}

void connector_tell(struct request *q, json_t *connector)
{
    struct err ignored;
    struct told t = {.connector = connector, .name = text(connector, "name"), .status = "never"};
    t.job = schedule_newest_sync(q->app->schedule, connector);
    t.schedule = schedule_tell(q->app->schedule, t.name);
    if (request_store(q, &t.store, &ignored) < 0) t.store = NULL;
    read_store(&t);
    decide(&t);
    put_job(&t);
    put_status(&t);
    json_decref(t.job);
    json_decref(t.schedule);
}

/* --- a form ----------------------------------------------------------------------------------------------------------- */

static const json_t *body_object(const struct request *q, const char *key)
{
    const json_t *v = json_object_get(q->body, key);
    return json_is_object(v) ? v : NULL;
}

struct connector_form connector_form(const struct request *q, const char *type)
{
    return (struct connector_form){type, body_object(q, "settings"), body_object(q, "secrets"), q->actor.role == ROLE_ADMIN};
}
