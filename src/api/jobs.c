/* jobs.c - routes of jobs: what runs, what ran, its events, its end. */
#include "api/http.h"

#include "base/jsonv.h"

#include <stdio.h>
#include <stdlib.h>

static int read_after(const struct request *q, int64_t *before, struct err *e)
{
    const char *after = request_query(q, "after");
    char *end = NULL;
    *before = 0;
    if (!after || !*after) return 0;
    long long n = after[0] == 'j' && after[1] >= '1' && after[1] <= '9' ? strtoll(after + 1, &end, 10) : 0;
    if (n <= 0 || *end) return err_set(e, ERR_INPUT, "after: this is not what next said");
    *before = n;
    return 0;
}

static int list(struct request *q, struct err *e)
{
    int64_t limit, before;
    json_t *jobs;
    const char *connector = request_query(q, "connector"), *kind = request_query(q, "kind");
    try(request_number(q, "limit", 1, 1000, 50, &limit, e));
    try(read_after(q, &before, e));
    try(jobs_list(q->app->jobs, connector && *connector ? connector : NULL, kind && *kind ? kind : NULL, before, limit, &jobs, e));
    size_t n = json_array_size(jobs);
    char next[32];
    snprintf(next, sizeof next, "j%lld", n ? (long long)json_integer_value(json_object_get(json_array_get(jobs, n - 1), "id")) : 0LL);
    json_t *page = json_pack("{s:o}", "items", jobs);
    jsonv_put(page, "next", (int64_t)n == limit ? json_string(next) : json_null());
    return reply_json(q, 200, page);
}

static int get(struct request *q, struct err *e)
{
    int64_t id;
    json_t *job;
    try(request_id(q, 0, &id, e));
    try(jobs_get(q->app->jobs, id, &job, e));
    return reply_json(q, 200, job);
}

static int events(struct request *q, struct err *e)
{
    int64_t id;
    json_t *job;
    try(request_id(q, 0, &id, e));
    try(jobs_get(q->app->jobs, id, &job, e)); /* a job that is not there is 404, not an empty stream */
    json_decref(job);
    return reply_job_events(q, id);
}

static int cancel(struct request *q, struct err *e)
{
    int64_t id;
    char object[32];
    try(request_id(q, 0, &id, e));
    try(jobs_cancel(q->app->jobs, id, q->actor.name, e));
    snprintf(object, sizeof object, "%lld", (long long)id);
    try(request_audit(q, "job.cancel", object, NULL, NULL, e));
    return reply_none(q, 202);
}

const struct route routes_jobs[] = {
    {"GET", "/api/v1/jobs", RIGHT_VIEW, list, "Jobs, newest first", "connector kind limit after", NULL, 0, LANE_ANY},
    {"GET", "/api/v1/jobs/{id}", RIGHT_VIEW, get, "One job", NULL, NULL, 0, LANE_ANY},
    {"GET", "/api/v1/jobs/{id}/events", RIGHT_VIEW, events, "What happens in it, as server-sent events", "after", NULL, 0, LANE_ANY},
    {"POST", "/api/v1/jobs/{id}/cancel", RIGHT_OPERATE, cancel, "Ends a job", NULL, NULL, 0, LANE_ANY},
    {0},
};
