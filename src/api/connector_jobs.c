/* connector_jobs.c - routes that do something with a connector's directory: sync, test, browse, discover. All of it in child processes (server/jobs/job.h). */
#include "api/http.h"

#include "api/connector_tell.h"
#include "base/jsonv.h"

static int start(struct request *q, const struct job_request *r, const char *action, struct err *e)
{
    int64_t id;
    try(jobs_start(q->app->jobs, r, &id, e));
    try(request_audit(q, action, r->connector, NULL, r->options, e));
    return reply_json(q, 202, json_pack("{s:I}", "job", (json_int_t)id));
}

static int known(struct request *q, const char *name, struct err *e)
{
    json_t *connector;
    try(connectors_get(q->app->connectors, name, &connector, e));
    json_decref(connector);
    return 0;
}

static int sync(struct request *q, struct err *e)
{
    try(known(q, q->captured[0], e));
    struct job_request r = {.kind = "sync", .connector = q->captured[0], .by = q->actor.name, .options = q->body};
    return start(q, &r, "connector.sync", e);
}

static int test_saved(struct request *q, struct err *e)
{
    try(known(q, q->captured[0], e));
    struct job_request r = {.kind = "test", .connector = q->captured[0], .by = q->actor.name};
    return start(q, &r, "connector.test", e);
}

/* --- settings that are not saved, or not like that --------------------------------------------------------------- */

static const char *text(const struct request *q, const char *key)
{
    return json_string_value(json_object_get(q->body, key));
}

/* A form's settings; secrets that it does not bring are a stored connector's own, if nothing they are bound to was changed (connectors.h says so, or which must be
 * entered). Without settings: the stored connector. */
static int start_with(struct request *q, const char *kind, const json_t *options, const char *action, struct err *e)
{
    struct handed unsaved;
    const char *name = text(q, "name"), *type = text(q, "type");
    const json_t *settings = json_object_get(q->body, "settings");
    struct job_request r = {.kind = kind, .connector = name && *name ? name : "new", .by = q->actor.name, .options = options};
    if (!settings && (!name || !*name)) return err_set(e, ERR_INPUT, "settings, or the name of a connector, is missing");
    if (!settings) {
        try(known(q, name, e));
        return start(q, &r, action, e);
    }
    if (!type) return err_set(e, ERR_INPUT, "type is missing");
    struct connector_form form = connector_form(q, type);
    try(connectors_hand_unsaved(q->app->connectors, r.connector, &form, &unsaved, e));
    r.unsaved = &unsaved;
    int rc = start(q, &r, action, e);
    handed_close(&unsaved); /* empty if the job has taken it */
    return rc;
}

static int test_unsaved(struct request *q, struct err *e)
{
    return start_with(q, "test", NULL, "connector.test", e);
}

static int start_with_option(struct request *q, const char *kind, const char *option, const char *action, struct err *e)
{
    const char *value = text(q, option);
    json_t *options = json_object();
    jsonv_put(options, option, json_string(value ? value : ""));
    int rc = start_with(q, kind, options, action, e);
    json_decref(options);
    return rc;
}

static int browse(struct request *q, struct err *e)
{
    return start_with_option(q, "browse", "base", "connector.browse", e);
}

static int discover(struct request *q, struct err *e)
{
    return start_with_option(q, "discover", "domain", "connector.discover", e);
}

#define TEXT(max)   "{\"type\":\"string\",\"maxLength\":" max "}"
#define BOOLEAN     "{\"type\":\"boolean\"}"
#define OPEN_OBJECT "{\"type\":\"object\",\"additionalProperties\":true}"
#define FORM        "\"name\":" TEXT("64") ",\"type\":" TEXT("64") ",\"settings\":" OPEN_OBJECT ",\"secrets\":" OPEN_OBJECT

const struct route routes_connector_jobs[] = {
    {"POST", "/api/v1/connectors/{name}/sync", RIGHT_OPERATE, sync, "Syncs now", NULL,
     "{\"type\":\"object\",\"properties\":{\"full\":" BOOLEAN ",\"accept_deletions\":" BOOLEAN ",\"try_now\":" BOOLEAN "}}", 0, LANE_ANY},
    {"POST", "/api/v1/connectors/{name}/test", RIGHT_OPERATE, test_saved, "Tests a saved connector, step by step", NULL, NULL, 0, LANE_ANY},
    {"POST", "/api/v1/connectors/test", RIGHT_OPERATE, test_unsaved, "Tests settings before they are saved", NULL,
     "{\"type\":\"object\",\"properties\":{" FORM "},\"required\":[\"type\",\"settings\"]}", 256 << 10, LANE_ANY},
    {"POST", "/api/v1/connectors/browse", RIGHT_OPERATE, browse, "What is below a DN, for the picker of the base DN", NULL,
     "{\"type\":\"object\",\"properties\":{" FORM ",\"base\":" TEXT("4096") "}}", 256 << 10, LANE_ANY},
    {"POST", "/api/v1/connectors/discover", RIGHT_OPERATE, discover, "The controllers of a domain, and which answer", NULL,
     "{\"type\":\"object\",\"properties\":{" FORM ",\"domain\":" TEXT("256") "}}", 256 << 10, LANE_ANY},
    {0},
};
