/* runs.c - routes of runs: what was read, when, and what is missing. */
#include "api/http.h"

#include "base/jsonv.h"
#include "run/rows.h"

#include <stdio.h>
#include <stdlib.h>

#define JOBS_LOOKED_AT 200

struct listing {
    json_t *items;
    int64_t limit, before, last;
    bool has_more;
};

static bool add(void *ctx, const struct run_row *r)
{
    struct listing *l = ctx;
    if (l->before && r->id >= l->before) return true;
    if ((int64_t)json_array_size(l->items) == l->limit) return !(l->has_more = true);
    json_array_append_new(l->items, rows_run(r));
    l->last = r->id;
    return true;
}

static int read_place(const struct request *q, int64_t *before, struct err *e)
{
    const char *after = request_query(q, "after");
    char *end = NULL;
    *before = 0;
    if (!after || !*after) return 0;
    long long n = *after == 'r' ? strtoll(after + 1, &end, 10) : 0;
    if (n <= 0 || *end) return err_set(e, ERR_INPUT, "after: this is not what next said");
    *before = n;
    return 0;
}

static int list(struct request *q, struct err *e)
{
    struct listing l = {0};
    struct store *s;
    char next[32];
    const char *connector = request_query(q, "connector");
    try(request_number(q, "limit", 1, 1000, 50, &l.limit, e));
    try(read_place(q, &l.before, e));
    int rc = request_store(q, &s, e);
    if (rc == ERR_NOTFOUND) return reply_json(q, 200, json_pack("{s:[], s:n}", "items", "next"));
    if (rc < 0) return rc;
    l.items = json_array();
    rc = store_runs(s, connector ? str_from(connector) : (struct str){"", 0}, 0, add, &l, e);
    if (rc < 0 && rc != ERR_NOTFOUND) {
        json_decref(l.items);
        return rc;
    }
    snprintf(next, sizeof next, "r%lld", (long long)l.last);
    return reply_json(q, 200, json_pack("{s:o, s:o}", "items", l.items, "next", l.has_more ? json_string(next) : json_null()));
}

/* The server's job that made it, if it was one and is remembered. */
static json_t *job_of(struct request *q, const char *connector, int64_t run)
{
    struct err ignored;
    json_t *jobs, *job, *found = NULL;
    size_t i;
    if (!connector || !q->app->jobs || jobs_list(q->app->jobs, connector, "sync", 0, JOBS_LOOKED_AT, &jobs, &ignored) < 0) return NULL;
    json_array_foreach(jobs, i, job)
    {
        size_t k;
        json_t *id;
        json_array_foreach(json_object_get(job, "runs"), k, id) if (json_integer_value(id) == run && !found) found = json_incref(json_object_get(job, "id"));
    }
    json_decref(jobs);
    return found;
}

static int get(struct request *q, struct err *e)
{
    struct store *s;
    int64_t id;
    json_t *run;
    try(request_id(q, 0, &id, e));
    try(request_store(q, &s, e));
    try(rows_run_get(s, id, &run, e));
    jsonv_put(run, "job", job_of(q, json_string_value(json_object_get(run, "connector")), id));
    return reply_json(q, 200, run);
}

const struct route routes_runs[] = {
    {"GET", "/api/v1/runs", RIGHT_VIEW, list, "Runs, newest first", "connector limit after", NULL, 0, LANE_ANY},
    {"GET", "/api/v1/runs/{id}", RIGHT_VIEW, get, "One run with its gaps", NULL, NULL, 0, LANE_ANY},
    {0},
};
