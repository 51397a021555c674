/* drafts.c - routes of drafts: a wizard's settings that are not whole yet; everybody has his own. Never a secret: what is not kept cannot leak. */
#include "api/http.h"

#include "base/jsonv.h"
#include "server/state/documents.h"

#define KIND "draft"

static const char *text(const json_t *o, const char *key)
{
    const char *v = json_string_value(json_object_get(o, key));
    return v ? v : "";
}

static bool is_reference(const char *v)
{
    static const char *const schemes[] = {"file:", "env:", "cred:", "vault:", "prompt:"};
    for (size_t i = 0; i < n_elements(schemes); i++)
        if (str_starts(str_from(v), str_from(schemes[i]))) return true;
    return false;
}

/* Of a key that the type's specification calls a secret only a reference may be kept. */
static int refuse_secrets(const char *type, const json_t *settings, struct err *e)
{
    const char *key;
    json_t *one, *spec = conf_spec(type);
    int rc = 0;
    json_object_foreach(json_object_get(spec, "properties"), key, one)
    {
        const json_t *v = json_object_get(settings, key);
        if (rc < 0 || !json_is_true(json_object_get(one, "x-secret")) || !v || json_is_null(v)) continue;
        if (json_is_string(v) && (!*json_string_value(v) || is_reference(json_string_value(v)))) continue;
        err_set(e, ERR_INPUT, "%s: a secret is not kept in a draft", key);
        rc = err_hint(e, "leave it out; it is entered when the connector is created");
    }
    json_decref(spec);
    return rc;
}

/* Pasted into whatever member. */
static int refuse_keys(const json_t *settings, struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)settings, key, v)
    {
        if (json_is_string(v) && strstr(json_string_value(v), "PRIVATE KEY-----")) return err_set(e, ERR_INPUT, "%.64s: a private key is not kept in a draft", key);
    }
    return 0;
}

static int put(struct request *q, struct err *e)
{
    const char *type = text(q->body, "type");
    json_t *spec = conf_spec(type);
    if (!spec) return err_set(e, ERR_INPUT, "type: there is no connector type of this name");
    json_decref(spec);
    try(refuse_secrets(type, json_object_get(q->body, "settings"), e));
    try(refuse_keys(json_object_get(q->body, "settings"), e));
    try(document_put(q->app->state, KIND, q->actor.name, q->captured[0], q->body, 0, e));
    return reply_json(q, 200, json_deep_copy(q->body));
}

static int get(struct request *q, struct err *e)
{
    json_t *body;
    int64_t version;
    try(document_get(q->app->state, KIND, q->actor.name, q->captured[0], &body, &version, e));
    return reply_json(q, 200, body);
}

static int list(struct request *q, struct err *e)
{
    json_t *all;
    try(document_list(q->app->state, KIND, q->actor.name, &all, e));
    return reply_json(q, 200, json_pack("{s:o}", "items", all));
}

static int drop(struct request *q, struct err *e)
{
    try(document_delete(q->app->state, KIND, q->actor.name, q->captured[0], e));
    return reply_none(q, 204);
}

const struct route routes_drafts[] = {
    {"GET", "/api/v1/drafts", RIGHT_OPERATE, list, "One's own drafts", NULL, NULL, 0, LANE_ANY},
    {"GET", "/api/v1/drafts/{id}", RIGHT_OPERATE, get, "One draft", NULL, NULL, 0, LANE_ANY},
    {"PUT", "/api/v1/drafts/{id}", RIGHT_OPERATE, put, "Keeps a draft", NULL,
     "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":256},\"type\":{\"type\":\"string\",\"maxLength\":64},"
     "\"settings\":{\"type\":\"object\",\"additionalProperties\":true},\"step\":{\"type\":[\"string\",\"integer\"]},\"enabled\":{\"type\":\"boolean\"},\"named\":{\"type\":\"boolean\"},"
     "\"version\":{\"type\":\"integer\"}},"
     "\"required\":[\"type\",\"settings\"]}", 256 << 10, LANE_ANY},
    {"DELETE", "/api/v1/drafts/{id}", RIGHT_OPERATE, drop, "Forgets a draft", NULL, NULL, 0, LANE_ANY},
    {0},
};
