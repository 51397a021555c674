/* connectors.c - routes of connectors: made, changed, copied, removed, judged. Those that start jobs are in connector_jobs.c. */
#include "api/http.h"

#include "api/connector_tell.h"
#include "base/jsonv.h"
#include "base/log.h"
#include "server/alerts/alerts.h"

#include <stdio.h>

#define TEXT(max) "{\"type\":\"string\",\"maxLength\":" max "}"

/* --- what may be made -------------------------------------------------------------------------------------- */

static bool is_available(const json_t *spec)
{
    const json_t *v = json_object_get(spec, "x-available");
    return !v || json_is_true(v);
}

static int types(struct request *q, struct err *e)
{
    (void)e;
    json_t *list = json_array();
    for (const struct conf_type *t = conf_types; t->name; t++) {
        json_t *spec = t->is_sink ? NULL : conf_spec(t->name);
        if (spec) json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "name", t->name, "doc", t->doc, "available", is_available(spec)));
        json_decref(spec);
    }
    return reply_json(q, 200, json_pack("{s:o}", "items", list));
}

static int type(struct request *q, struct err *e)
{
    for (const struct conf_type *t = conf_types; t->name; t++)
        if (!t->is_sink && strcmp(t->name, q->captured[0]) == 0) return reply_json(q, 200, conf_spec(t->name));
    err_set(e, ERR_NOTFOUND, "there is no connector type '%s'", q->captured[0]);
    return err_hint(e, "GET /api/v1/connector-types lists them");
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static int list(struct request *q, struct err *e)
{
    json_t *all, *one;
    size_t i;
    try(connectors_list(q->app->connectors, &all, e));
    json_array_foreach(all, i, one) connector_tell(q, one);
    return reply_json(q, 200, json_pack("{s:o, s:n}", "items", all, "next"));
}

/* Steals connector. */
static int reply_connector(struct request *q, unsigned status, json_t *connector)
{
    connector_tell(q, connector);
    return reply_json(q, status, connector);
}

static int get(struct request *q, struct err *e)
{
    json_t *one;
    try(connectors_get(q->app->connectors, q->captured[0], &one, e));
    return reply_connector(q, 200, one);
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

/* A refusal of settings names every wrong key beside it, so that a form can show all of them at once. */
static int refused(struct request *q, const char *name, const char *type_name, bool is_new, int rc, struct err *e)
{
    json_t *problems, *one, *fields = json_array();
    struct err ignored;
    size_t i;
    struct connector_form form = connector_form(q, type_name);
    if ((rc == ERR_INPUT || rc == ERR_DENIED) && connectors_judge(q->app->connectors, name, &form, is_new, &problems, &ignored) == 0) {
        json_array_foreach(problems, i, one)
        {
            const char *severity = json_string_value(json_object_get(one, "severity"));
            if (severity && strcmp(severity, "error") == 0) json_array_append(fields, one);
        }
        json_decref(problems);
    }
    if (json_array_size(fields))
        reply_fields(q, fields);
    else
        json_decref(fields);
    return e->class;
}

/* Names which secrets came with a change; their values never leave the request. */
static json_t *for_audit(const struct request *q, json_t *connector)
{
    const char *key;
    json_t *value, *names = json_array(), *copy = json_copy(connector);
    json_object_foreach(json_object_get(q->body, "secrets"), key, value) json_array_append_new(names, json_string(key));
    if (json_array_size(names))
        json_object_set_new(copy, "secrets_entered", names);
    else
        json_decref(names);
    return copy;
}

static int audit(struct request *q, const char *action, const char *name, const json_t *before, json_t *after, struct err *e)
{
    json_t *told = after ? for_audit(q, after) : NULL;
    int rc = request_audit(q, action, name, before, told, e);
    json_decref(told);
    return rc;
}

static bool wants_enabled(const struct request *q)
{
    const json_t *v = json_object_get(q->body, "enabled");
    return !v || json_is_true(v);
}

static int create(struct request *q, struct err *e)
{
    const char *name, *type_name;
    json_t *made;
    try(request_text(q, "name", &name, e));
    try(request_text(q, "type", &type_name, e));
    struct connector_form form = connector_form(q, type_name);
    int rc = connectors_put(q->app->connectors, name, 0, &form, wants_enabled(q), &made, e);
    if (rc < 0) return refused(q, name, type_name, true, rc, e);
    if ((rc = audit(q, "connector.create", name, NULL, made, e)) < 0) {
        json_decref(made);
        return rc;
    }
    schedule_wake(q->app->schedule);
    return reply_connector(q, 201, made);
}

static const char *text_of(const json_t *connector, const char *key)
{
    const char *v = json_string_value(json_object_get(connector, key));
    return v ? v : "";
}

static int change(struct request *q, struct err *e)
{
    const char *name = q->captured[0];
    json_t *before, *after;
    int64_t version = json_integer_value(json_object_get(q->body, "version"));
    try(connectors_get(q->app->connectors, name, &before, e));
    struct connector_form form = connector_form(q, text_of(before, "type"));
    int rc = connectors_put(q->app->connectors, name, version, &form, wants_enabled(q), &after, e);
    if (rc < 0) {
        rc = refused(q, name, text_of(before, "type"), false, rc, e);
        json_decref(before);
        return rc;
    }
    rc = audit(q, "connector.update", name, before, after, e);
    json_decref(before);
    if (rc < 0) {
        json_decref(after);
        return rc;
    }
    schedule_wake(q->app->schedule);
    return reply_connector(q, 200, after);
}

static int enable(struct request *q, struct err *e)
{
    const char *name = q->captured[0];
    json_t *before, *after = NULL;
    try(connectors_get(q->app->connectors, name, &before, e));
    int rc = connectors_enable(q->app->connectors, name, json_is_true(json_object_get(q->body, "enabled")), e);
    if (rc == 0) rc = connectors_get(q->app->connectors, name, &after, e);
    if (rc == 0) rc = request_audit(q, "connector.enabled", name, before, after, e);
    json_decref(before);
    if (rc < 0) {
        json_decref(after);
        return rc;
    }
    schedule_wake(q->app->schedule);
    return reply_connector(q, 200, after);
}

/* --- copying ----------------------------------------------------------------------------------------------------------- */

static int duplicate(struct request *q, struct err *e)
{
    const char *name;
    json_t *made;
    try(request_text(q, "name", &name, e));
    try(connectors_copy(q->app->connectors, q->captured[0], name, &made, e));
    int rc = request_audit(q, "connector.duplicate", name, NULL, made, e);
    if (rc < 0) {
        json_decref(made);
        return rc;
    }
    return reply_connector(q, 201, made);
}

/* --- removing ------------------------------------------------------------------------------------------------------------- */

static int refuse_if_busy(struct request *q, const char *name, struct err *e)
{
    json_t *jobs;
    try(jobs_list(q->app->jobs, name, "sync", 0, 1, &jobs, e));
    const json_t *newest = json_array_get(jobs, 0);
    const char *state = json_string_value(json_object_get(newest, "state"));
    bool is_busy = state && (strcmp(state, "running") == 0 || strcmp(state, "queued") == 0);
    long long id = json_integer_value(json_object_get(newest, "id"));
    json_decref(jobs);
    if (!is_busy) return 0;
    err_set(e, ERR_CONFLICT, "%s is being synced (job %lld)", name, id);
    return err_hint(e, "cancel that job, then delete the connector");
}

/* The assets first, gone at once for whoever reads: if it stops behind that, the connector is still there to be deleted again. Their rows, which may be millions, are a
 * job's affair. */
static int forget_assets(struct request *q, const char *name, struct err *e)
{
    struct store *s;
    if (!store_exists(str_from(q->app->store_url))) return 0;
    try(store_open(&s, str_from(q->app->store_url), e));
    int rc = store_connector_remove(s, str_from(name), e);
    store_close(s);
    return rc == ERR_NOTFOUND ? 0 : rc; /* never synced */
}

/* Without it the rows stay until the next one; nobody sees them. */
static void sweep(struct request *q)
{
    int64_t id;
    struct err e;
    struct job_request r = {.kind = "forget", .by = q->actor.name};
    if (jobs_start(q->app->jobs, &r, &id, &e) < 0) log_event(LOG_WARN, "connector.not_swept", LOG_CSTR("why", e.message));
}

static int remove_connector(struct request *q, struct err *e)
{
    const char *name = q->captured[0], *assets = request_query(q, "assets");
    json_t *before;
    bool removes = assets && strcmp(assets, "remove") == 0;
    if (assets && !removes && strcmp(assets, "keep") != 0) return err_set(e, ERR_INPUT, "assets: keep or remove is wanted");
    try(connectors_get(q->app->connectors, name, &before, e));
    int rc = 0;
    if (strcmp(text_of(before, "source"), "file") == 0) {
        err_set(e, ERR_CONFLICT, "%s is of the settings file", name);
        rc = err_hint(e, "remove it there and start the server again");
    }
    if (rc == 0) rc = refuse_if_busy(q, name, e);
    if (rc == 0 && removes) rc = forget_assets(q, name, e);
    if (rc == 0 && removes && q->app->alerts) rc = alerts_forget_connector(q->app->alerts, name, e);
    if (rc == 0) rc = connectors_delete(q->app->connectors, name, e);
    if (rc == 0) rc = request_audit(q, removes ? "connector.delete_with_assets" : "connector.delete", name, before, NULL, e);
    json_decref(before);
    if (rc < 0) return rc;
    if (removes) sweep(q);
    schedule_wake(q->app->schedule);
    return reply_none(q, 204);
}

/* --- judging ------------------------------------------------------------------------------------------------------------------ */

static int judge(struct request *q, struct err *e)
{
    const char *name = json_string_value(json_object_get(q->body, "name")), *type_name;
    json_t *problems;
    try(request_text(q, "type", &type_name, e));
    struct connector_form form = connector_form(q, type_name);
    try(connectors_judge(q->app->connectors, name ? name : "", &form, json_is_true(json_object_get(q->body, "is_new")), &problems, e));
    return reply_json(q, 200, json_pack("{s:o}", "problems", problems));
}

/* Settings and secrets are objects of the connector's specification, which checks them; here only their outlines. */
#define OPEN_OBJECT "{\"type\":\"object\",\"additionalProperties\":true}"
#define SETTINGS    "\"settings\":" OPEN_OBJECT ",\"secrets\":" OPEN_OBJECT
#define BOOLEAN     "{\"type\":\"boolean\"}"

const struct route routes_connectors[] = {
    {"GET", "/api/v1/connector-types", RIGHT_VIEW, types, "What can be connected", NULL, NULL, 0, LANE_ANY},
    {"GET", "/api/v1/connector-types/{type}", RIGHT_VIEW, type, "The specification of one type, as JSON Schema", NULL, NULL, 0, LANE_ANY},
    {"GET", "/api/v1/connectors", RIGHT_VIEW, list, "All connectors and how they are doing", NULL, NULL, 0, LANE_ANY},
    {"GET", "/api/v1/connectors/{name}", RIGHT_VIEW, get, "One connector", NULL, NULL, 0, LANE_ANY},
    {"POST", "/api/v1/connectors", RIGHT_OPERATE, create, "Makes a connector", NULL,
     "{\"type\":\"object\",\"properties\":{\"name\":" TEXT("64") ",\"type\":" TEXT("64") "," SETTINGS ",\"enabled\":" BOOLEAN
     "},\"required\":[\"name\",\"type\",\"settings\"]}", 256 << 10, LANE_ANY},
    {"PUT", "/api/v1/connectors/{name}", RIGHT_OPERATE, change, "Changes a connector", NULL,
     "{\"type\":\"object\",\"properties\":{\"version\":{\"type\":\"integer\",\"minimum\":1}," SETTINGS ",\"enabled\":" BOOLEAN
     "},\"required\":[\"version\",\"settings\"]}", 256 << 10, LANE_ANY},
    {"DELETE", "/api/v1/connectors/{name}", RIGHT_OPERATE, remove_connector, "Deletes a connector, and with assets=remove what was read with it", "assets",
     NULL, 0, LANE_ANY},
    {"POST", "/api/v1/connectors/{name}/enabled", RIGHT_OPERATE, enable, "Switches a connector on or off", NULL,
     "{\"type\":\"object\",\"properties\":{\"enabled\":" BOOLEAN "},\"required\":[\"enabled\"]}", 0, LANE_ANY},
    {"POST", "/api/v1/connectors/{name}/duplicate", RIGHT_OPERATE, duplicate, "A copy under another name, switched off, without what was entered as secret", NULL,
     "{\"type\":\"object\",\"properties\":{\"name\":" TEXT("64") "},\"required\":[\"name\"]}", 0, LANE_ANY},
    {"POST", "/api/v1/connectors/judge", RIGHT_OPERATE, judge, "What is wrong with settings; writes nothing", NULL,
     "{\"type\":\"object\",\"properties\":{\"name\":" TEXT("256") ",\"type\":" TEXT("64") "," SETTINGS ",\"is_new\":" BOOLEAN
     "},\"required\":[\"type\",\"settings\"]}", 256 << 10, LANE_ANY},
    {0},
};
