/* reports.c - routes of reports: the rules, a run as a job, and what the last one found. */
#include "api/reports.h"
#include "api/http.h"

#include "base/jsonv.h"
#include "server/state/documents.h"

#define ASK_MS        60000
#define FINDINGS_KIND "report"
#define FINDINGS_ID   "last"
#define JOBS_LOOKED_AT 50
#define FINDINGS_MAX  ((size_t)240 << 10) /* a document holds 256 KiB */

static int list(struct request *q, struct err *e)
{
    static const char *const words[] = {"report", "list", NULL};
    json_t *rows;
    try(asker_ask(q->app->asker, words, ASK_MS, &rows, e));
    return reply_json(q, 200, json_pack("{s:o}", "items", rows));
}

static int run(struct request *q, struct err *e)
{
    int64_t id;
    json_t *options = json_object();
    if (json_object_get(q->body, "rules")) json_object_set(options, "rules", json_object_get(q->body, "rules"));
    struct job_request r = {.kind = "report", .by = q->actor.name, .options = options};
    int rc = jobs_start(q->app->jobs, &r, &id, e);
    if (rc == 0) rc = request_audit(q, "report.run", "report", NULL, options, e);
    json_decref(options);
    return rc < 0 ? rc : reply_json(q, 202, json_pack("{s:I}", "job", (json_int_t)id));
}

/* --- after a run --------------------------------------------------------------------------------------------- */

static void keep_at_most(json_t *rules, size_t n)
{
    size_t i;
    json_t *rule;
    json_array_foreach(rules, i, rule)
    {
        json_t *items = json_object_get(rule, "items");
        while (json_array_size(items) > n) json_array_remove(items, json_array_size(items) - 1);
    }
}

/* {rule, severity, title, n, why, fix, items[]}, docs/api.md. */
static json_t *as_told(const json_t *rules)
{
    size_t i;
    json_t *rule, *list = json_deep_copy(rules);
    json_array_foreach(list, i, rule)
    {
        json_object_set_new(rule, "n", json_integer(json_integer_value(json_object_get(rule, "count"))));
        json_object_del(rule, "count");
    }
    return list;
}

/* How many there are stays; which they are only as far as there is room. */
static json_t *make_document(const json_t *rules, const char *ended)
{
    json_t *kept = as_told(rules);
    json_t *document = json_pack("{s:o, s:s?}", "items", kept, "as_of", ended);
    for (size_t n = 64; json_dumpb(document, NULL, 0, JSON_COMPACT) > FINDINGS_MAX && n; n /= 2) keep_at_most(kept, n - 1);
    return document;
}

/* The newest run of all rules that ended well; 0: none of the last ones. */
static int newest_report(struct app *app, int64_t *id, struct err *e)
{
    size_t i;
    json_t *jobs, *one;
    *id = 0;
    try(jobs_list(app->jobs, NULL, "report", 0, JOBS_LOOKED_AT, &jobs, e));
    json_array_foreach(jobs, i, one)
    {
        const char *state = json_string_value(json_object_get(one, "state"));
        bool is_whole = !json_array_size(json_object_get(json_object_get(one, "options"), "rules"));
        if (!*id && is_whole && state && strcmp(state, "done") == 0) *id = json_integer_value(json_object_get(one, "id"));
    }
    json_decref(jobs);
    return 0;
}

static int keep_result(struct app *app, int64_t id, struct err *e)
{
    json_t *job;
    int rc = 0;
    try(jobs_get(app->jobs, id, &job, e));
    const json_t *rules = json_object_get(job, "result");
    if (json_is_array(rules)) {
        json_t *document = make_document(rules, json_string_value(json_object_get(job, "ended")));
        json_object_set_new(document, "job", json_integer(id));
        rc = document_put(app->state, FINDINGS_KIND, "", FINDINGS_ID, document, 0, e);
        json_decref(document);
    }
    json_decref(job);
    return rc;
}

int reports_last(struct app *app, json_t **out, struct err *e)
{
    int64_t version, newest;
    try(newest_report(app, &newest, e));
    int rc = document_get(app->state, FINDINGS_KIND, "", FINDINGS_ID, out, &version, e);
    if (rc < 0 && rc != ERR_NOTFOUND) return rc;
    if (rc == 0 && json_integer_value(json_object_get(*out, "job")) >= newest) return 0;
    if (rc < 0 && !newest) return rc;
    if (rc == 0) json_decref(*out);
    try(keep_result(app, newest, e));
    return document_get(app->state, FINDINGS_KIND, "", FINDINGS_ID, out, &version, e);
}

static int findings(struct request *q, struct err *e)
{
    json_t *body;
    int rc = reports_last(q->app, &body, e);
    if (rc == ERR_NOTFOUND) return reply_json(q, 200, json_pack("{s:[], s:n}", "items", "as_of"));
    return rc < 0 ? rc : reply_json(q, 200, body);
}

const struct route routes_reports[] = {
    {"GET", "/api/v1/reports", RIGHT_ANALYZE, list, "The rules of reports", NULL, NULL, 0, LANE_ASK},
    {"POST", "/api/v1/reports/run", RIGHT_ANALYZE, run, "Runs all rules or some as a job", NULL,
     "{\"type\":\"object\",\"properties\":{\"rules\":{\"type\":\"array\",\"maxItems\":200,\"items\":{\"type\":\"string\",\"maxLength\":64}}}}", 0, LANE_ANY},
    {"GET", "/api/v1/reports/findings", RIGHT_VIEW, findings, "What the last run of all rules found", NULL, NULL, 0, LANE_ANY},
    {0},
};
