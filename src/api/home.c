/* home.c - route of the first page: how fresh everything is, how much there is, what is new, what needs somebody. What cannot be known is absent, never an error. */
#include "api/connector_tell.h"
#include "api/expiring.h"
#include "api/reports.h"

#include "base/jsonv.h"
#include "base/when.h"
#include "run/rows.h"
#include "server/alerts/alerts.h"
#include "server/state/documents.h"

#include <stdio.h>
#include <stdlib.h>

#define DAYS   30
#define NEWEST 20

/* --- connectors --------------------------------------------------------------------------------------------------- */

static json_t *connectors(struct request *q)
{
    struct err ignored;
    json_t *list, *one;
    size_t i;
    if (!q->app->connectors || connectors_list(q->app->connectors, &list, &ignored) < 0) return json_array();
    json_array_foreach(list, i, one)
    {
        connector_tell(q, one);
        json_object_del(one, "settings");
        json_object_del(one, "secrets");
    }
    return list;
}

/* --- how many, day by day ----------------------------------------------------------------------------------------- */

struct track { /* of one connector */
    char name[65];
    uint64_t present[DAYS][KIND_COUNT];
    bool is_known[DAYS];
};

struct counting {
    struct track *list;
    size_t n, cap;
    int64_t first_day;
};

static struct track *track_of(struct counting *c, struct str name)
{
    for (size_t i = 0; i < c->n; i++)
        if (str_equal(str_from(c->list[i].name), name)) return &c->list[i];
    GROW(c->list, c->n, c->cap, 8);
    struct track *t = &c->list[c->n++];
    memset(t, 0, sizeof *t);
    snprintf(t->name, sizeof t->name, "%.*s", STR_FMT(name));
    return t;
}

static bool note_day(void *ctx, const struct run_day *d)
{
    struct counting *c = ctx;
    int64_t at = d->day - c->first_day;
    if (at < 0 || at >= DAYS) return true;
    struct track *t = track_of(c, d->connector);
    memcpy(t->present[at], d->present, sizeof t->present[at]);
    t->is_known[at] = true;
    return true;
}

/* A day without a run is as the one before. */
static void fill_holes(struct track *t)
{
    for (int at = 1; at < DAYS; at++) {
        if (t->is_known[at] || !t->is_known[at - 1]) continue;
        memcpy(t->present[at], t->present[at - 1], sizeof t->present[at]);
        t->is_known[at] = true;
    }
}

static json_t *day_json(const struct counting *c, int at)
{
    char text[WHEN_TEXT];
    uint64_t sum[KIND_COUNT] = {0};
    json_t *kinds = json_object();
    for (size_t i = 0; i < c->n; i++)
        for (int k = 1; k < KIND_COUNT; k++) sum[k] += c->list[i].present[at][k];
    for (int k = 1; k < KIND_COUNT; k++)
        if (sum[k]) jsonv_put(kinds, kind_name((enum kind)k), json_integer((json_int_t)sum[k]));
    when_format(text, (c->first_day + at) * WHEN_DAY_MS);
    text[10] = 0;
    return json_pack("{s:s, s:o}", "day", text, "kind", kinds);
}

static json_t *history(struct store *s, int64_t now)
{
    struct counting c = {.first_day = now / WHEN_DAY_MS - DAYS + 1};
    struct err ignored;
    json_t *list = json_array();
    if (store_run_days(s, c.first_day * WHEN_DAY_MS, note_day, &c, &ignored) < 0) c.n = 0;
    for (size_t i = 0; i < c.n; i++) fill_holes(&c.list[i]);
    for (int at = 0; at < DAYS && c.n; at++) json_array_append_new(list, day_json(&c, at));
    free(c.list);
    return list;
}

struct summing {
    struct store *store;
    uint64_t n[KIND_COUNT];
};

static bool add_connector(void *ctx, struct str name)
{
    struct summing *x = ctx;
    struct connector_state state;
    struct err ignored;
    if (store_connector(x->store, name, &state, &ignored) < 0) return true;
    for (int k = 1; k < KIND_COUNT; k++) x->n[k] += state.n_entities[k];
    return true;
}

static json_t *counts(struct store *s)
{
    struct summing x = {.store = s};
    struct err ignored;
    json_t *j = json_object();
    if (store_connectors(s, add_connector, &x, &ignored) < 0) return j;
    for (int k = 1; k < KIND_COUNT; k++)
        if (x.n[k]) jsonv_put(j, kind_name((enum kind)k), json_integer((json_int_t)x.n[k]));
    return j;
}

/* --- the last 24 hours -------------------------------------------------------------------------------------------- */

struct recent {
    int64_t since_ms;
    uint64_t created, changed, deleted;
    json_t *items;
};

static bool add_run(void *ctx, const struct run_row *r)
{
    struct recent *t = ctx;
    /* By their beginning, newest first: one that began earlier may have ended later. */
    if (r->ended_ms && r->ended_ms < t->since_ms) return r->started_ms > t->since_ms - WHEN_DAY_MS;
    for (int k = 1; k < KIND_COUNT && r->ended_ms && r->status != RUN_FAILED; k++) {
        t->created += r->result.counts[k].created;
        t->changed += r->result.counts[k].changed;
        t->deleted += r->result.counts[k].deleted;
    }
    return true;
}

static bool add_change(void *ctx, const struct change *c)
{
    json_array_append_new(((struct recent *)ctx)->items, rows_change(c));
    return true;
}

static json_t *today(struct store *s, int64_t now)
{
    struct recent t = {.since_ms = now - WHEN_DAY_MS, .items = json_array()};
    struct change_query q = {.newest_first = true, .limit = NEWEST, .since_ms = t.since_ms};
    struct err ignored;
    if (store_runs(s, (struct str){"", 0}, 20000, add_run, &t, &ignored) < 0 || store_changes(s, &q, add_change, &t, &ignored) < 0) json_array_clear(t.items);
    return json_pack("{s:I, s:I, s:I, s:o}", "created", (json_int_t)t.created, "changed", (json_int_t)t.changed, "deleted", (json_int_t)t.deleted, "items", t.items);
}

/* --- what needs somebody ------------------------------------------------------------------------------------------ */

/* Of the last report (reports.h): entities by severity. */
static json_t *findings(struct request *q)
{
    static const char *const severities[] = {"critical", "high", "medium", "low", "info"};
    struct err ignored;
    json_t *body, *rule, *out;
    int64_t n[n_elements(severities)] = {0};
    size_t i;
    if (reports_last(q->app, &body, &ignored) < 0) return NULL;
    json_array_foreach(json_object_get(body, "items"), i, rule)
    {
        const char *severity = json_string_value(json_object_get(rule, "severity"));
        for (size_t k = 0; severity && k < n_elements(severities); k++)
            if (strcmp(severity, severities[k]) == 0) n[k] += json_integer_value(json_object_get(rule, "n"));
    }
    out = json_object();
    for (size_t k = 0; k < n_elements(severities); k++)
        if (k || n[k]) jsonv_put(out, severities[k], json_integer(n[k]));
    json_object_set(out, "as_of", json_object_get(body, "as_of"));
    json_decref(body);
    return out;
}

static json_t *open_alerts(struct request *q)
{
    struct err ignored;
    int64_t n = 0;
    if (!q->app->alerts || alerts_count_open(q->app->alerts, &n, &ignored) < 0) n = 0;
    return json_pack("{s:I}", "open", (json_int_t)n);
}

static int home(struct request *q, struct err *e)
{
    int64_t now = when_now_ms();
    struct store *s = NULL;
    json_t *out = json_object();
    int rc = request_store(q, &s, e);
    if (rc < 0 && rc != ERR_NOTFOUND) {
        json_decref(out);
        return rc;
    }
    json_t *known = connectors(q);
    jsonv_put(out, "connectors", known);
    jsonv_put(out, "counts", s ? counts(s) : json_object());
    jsonv_put(out, "history", s ? history(s, now) : json_array());
    jsonv_put(out, "today", s ? today(s, now) : json_pack("{s:i, s:i, s:i, s:[]}", "created", 0, "changed", 0, "deleted", 0, "items"));
    json_t *f = findings(q);
    jsonv_put(out, "findings", jsonv_or_null(f));
    jsonv_put(out, "expiring", expiring_list(q, known));
    jsonv_put(out, "alerts", open_alerts(q));
    return reply_json(q, 200, out);
}

const struct route routes_home[] = {
    {"GET", "/api/v1/home", RIGHT_VIEW, home, "How fresh, how much, what is new, what needs somebody", NULL, NULL, 0, LANE_ANY},
    {0},
};
